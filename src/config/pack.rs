//! A pack as written becomes a pack: a folder of the repository, or a bundle from elsewhere that is pinned.
//!
//! Must never take a bundle that is not pinned by a commit id or a digest.

use super::check::folder_fault;
use super::raw::RawPack;
use super::valid::{FilePack, GitPack, Pack};

const FORMS: &str =
    "Write a folder, or a map with `git`, `ref` and `folder`, or one with `file` and `sha256`.";

/// The key below the pack, with a dot in front or empty; why it cannot be taken; what to do next.
type Wrong = (String, String, String);

/// Checks a pack.
pub(super) fn pack(raw: RawPack) -> Result<Pack, Wrong> {
    let mut words = match raw {
        RawPack::Folder(folder) => {
            return match folder_fault(&folder) {
                Some((why, help)) => Err((String::new(), why, help)),
                None => Ok(Pack::Folder(folder)),
            };
        }
        RawPack::Bundle(words) => words,
    };
    let git = words.remove("git");
    let file = words.remove("file");
    let pack = match (git, file) {
        (Some(git), None) => Pack::Git(GitPack {
            git: location("git", git)?,
            commit: hex("ref", words.remove("ref"), 40, "the full commit id")?,
            folder: inside(words.remove("folder").unwrap_or_default())?,
        }),
        (None, Some(file)) => Pack::File(FilePack {
            file: location("file", file)?,
            sha256: hex("sha256", words.remove("sha256"), 64, "the SHA-256 digest of the file")?,
        }),
        (Some(_), Some(_)) => {
            return Err((String::new(), "has both `git` and `file`".into(), FORMS.into()));
        }
        (None, None) => {
            return Err((String::new(), "has neither `git` nor `file`".into(), FORMS.into()));
        }
    };
    match words.into_keys().next() {
        Some(key) => Err((format!(".{key}"), "is not a key of such a pack".into(), FORMS.into())),
        None => Ok(pack),
    }
}

fn location(key: &str, text: String) -> Result<String, Wrong> {
    let refuse = |why: &str| {
        let help = "Write an address as `https://host/path`, or a path.";
        Err((format!(".{key}"), why.to_owned(), help.to_owned()))
    };
    if text.trim().is_empty() || text.starts_with('-') || text.chars().any(char::is_control) {
        return refuse("is empty, begins with `-` or holds a control character");
    }
    if text.contains("::") {
        return refuse("names a helper program");
    }
    if let Some((_, rest)) = text.split_once("://")
        && let Some((who, _)) = rest.split('/').next().unwrap_or_default().rsplit_once('@')
        && who.contains(':')
    {
        return refuse("holds a password");
    }
    Ok(text)
}

fn hex(key: &str, text: Option<String>, len: usize, what: &str) -> Result<String, Wrong> {
    let help = format!("Write {what}: {len} lower-case hexadecimal digits, in quotes.");
    let Some(text) = text else {
        return Err((String::new(), format!("has no `{key}`"), help));
    };
    if text.len() == len && text.bytes().all(|b| b.is_ascii_digit() || (b'a'..=b'f').contains(&b)) {
        Ok(text)
    } else {
        Err((format!(".{key}"), format!("is not {what}"), help))
    }
}

fn inside(folder: String) -> Result<String, Wrong> {
    if matches!(folder.as_str(), "" | "." | "./") {
        return Ok(String::new());
    }
    match folder_fault(&folder) {
        Some((why, help)) => Err((".folder".into(), why, help)),
        None => Ok(folder),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const ID: &str = "0123456789abcdef0123456789abcdef01234567";

    fn read(pairs: &[(&str, &str)]) -> Result<Pack, Wrong> {
        pack(RawPack::Bundle(pairs.iter().map(|(k, v)| ((*k).into(), (*v).into())).collect()))
    }

    #[test]
    fn packs_are_pinned() {
        let digest = "ab".repeat(32);
        assert_eq!(pack(RawPack::Folder("rules".into())), Ok(Pack::from("rules")));
        assert!(read(&[("git", "https://example.com/x"), ("ref", ID), ("folder", "rules")]).is_ok());
        assert!(read(&[("git", "git@example.com:x/y.git"), ("ref", ID)]).is_ok());
        assert!(read(&[("file", "rules.tar.gz"), ("sha256", &digest)]).is_ok());
        for (pairs, want) in [
            (&[("git", "x"), ("ref", "main")][..], "is not the full commit id"),
            (&[("git", "x")], "has no `ref`"),
            (&[("git", "ext::sh -c x"), ("ref", ID)], "helper"),
            (&[("git", "--upload-pack=x"), ("ref", ID)], "begins with `-`"),
            (&[("git", "https://me:word@example.com/x"), ("ref", ID)], "password"),
            (&[("git", "x"), ("ref", ID), ("folder", "../x")], "folder"),
            (&[("file", "x")], "has no `sha256`"),
            (&[("file", "x"), ("sha256", "AB")], "is not the SHA-256"),
            (&[("file", "x"), ("sha256", &digest), ("folder", "y")], "not a key"),
            (&[("file", "x"), ("git", "y")], "both"),
            (&[("folder", "y")], "neither"),
        ] {
            let (key, why, _) = read(pairs).unwrap_err();
            assert!(format!("{key} {why}").contains(want), "{pairs:?}: {why}");
        }
    }
}
