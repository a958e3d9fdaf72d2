//! Which files can say something about licences, by their names.
//!
//! Must never look into a file.

use super::names;

/// What a file may be to a licence.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Role {
    /// The text of a licence: what its folder is under.
    Text,
    /// A collection of notices, often of others.
    Notice,
    /// A manifest that names a licence.
    Manifest,
    /// Anything else: it may begin with a header.
    Other,
}

const MANIFESTS: &[&str] =
    &["Cargo.toml", "package.json", "pyproject.toml", "setup.cfg", "composer.json", "pom.xml"];

/// Endings of files that are no licence text whatever they are called.
const NOT_TEXT: &[&str] = &[
    "rs", "py", "js", "mjs", "cjs", "ts", "tsx", "jsx", "go", "java", "kt", "c", "h", "cc", "cpp", "hpp",
    "cs", "rb", "php", "swift", "json", "toml", "yml", "yaml", "xml", "html", "css", "scss", "svg", "png",
    "jpg", "sh", "tmpl", "hbs", "j2", "jinja", "ejs", "vue", "svelte", "snap", "lock", "template", "csv",
    "sql", "ipynb", "po", "map", "proto",
];

const TEXTS: &[&str] = &["license", "licence", "copying", "unlicense", "unlicence"];
const NOTICES: &[&str] =
    &["notice", "copyright", "third-party", "third_party", "thirdparty", "licenses", "licences"];

/// Tells what a file may be to a licence.
pub fn role(path: &str) -> Role {
    let name = path.rsplit('/').next().unwrap_or_default();
    if MANIFESTS.contains(&name) || name.ends_with(".gemspec") {
        return Role::Manifest;
    }
    // Nearly every file ends here.
    let first = name.as_bytes().first().map_or(0, u8::to_ascii_lowercase);
    if !matches!(first, b'l' | b'c' | b'u' | b'n' | b't' | b'm' | b'g' | b'a' | b'b' | b'.') {
        return Role::Other;
    }
    let lower = name.to_ascii_lowercase();
    let (stem, ending) = lower.split_once('.').unwrap_or((&lower, ""));
    let ending = ending.rsplit('.').next().unwrap_or_default();
    if NOT_TEXT.contains(&ending) {
        return Role::Other;
    }
    let starts = |list: &[&str]| {
        list.iter().any(|word| {
            stem.strip_prefix(word).is_some_and(|rest| !rest.starts_with(|c: char| c.is_ascii_alphabetic()))
        })
    };
    let folder = path.rsplit('/').nth(1).unwrap_or_default().to_ascii_lowercase();
    if starts(NOTICES) || (starts(TEXTS) && (lower.contains("third") || lower.contains("3rd"))) {
        Role::Notice
    } else if starts(TEXTS)
        || ["-license", "-licence", "_license", "_licence"].iter().any(|end| stem.ends_with(end))
        || (["licenses", "licences"].contains(&folder.as_str())
            && (["", "txt", "0"].contains(&ending)
                || lower.strip_suffix(".md").is_some_and(|id| names::id(id).is_some())))
    {
        Role::Text
    } else {
        Role::Other
    }
}

/// Tells whether a file is in the root, where the repository's own licence is.
pub fn is_root(path: &str) -> bool {
    !path.contains('/')
}

/// Tells whether the files in a folder are licence texts kept together, which may be those of tools.
pub fn is_collection(path: &str) -> bool {
    path.split('/').rev().skip(1).any(|folder| {
        let folder = folder.to_ascii_lowercase();
        folder.contains("licenses") || folder.contains("licences") || folder.contains("third_party_licen")
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn names_tell_the_role() {
        for (path, want) in [
            ("LICENSE", Role::Text),
            ("a/COPYING.LESSER", Role::Text),
            ("license-apache-2.0", Role::Text),
            ("UNLICENSE.md", Role::Text),
            ("LICENSES/GPL-3.0-only.txt", Role::Text),
            ("LICENSES/GPL-3.0-only.md", Role::Text),
            ("docs/licences/changed.md", Role::Other),
            ("fonts/OFL-LICENSE.txt", Role::Other),
            ("fonts/mit-license.txt", Role::Text),
            ("NOTICE", Role::Notice),
            ("LICENSE-THIRD-PARTY", Role::Notice),
            ("COPYRIGHT.txt", Role::Notice),
            ("x/package.json", Role::Manifest),
            ("foo.gemspec", Role::Manifest),
            ("src/license.rs", Role::Other),
            ("src/licensing.txt", Role::Other),
            ("src/main.rs", Role::Other),
            ("", Role::Other),
        ] {
            assert_eq!(role(path), want, "{path}");
        }
    }
}
