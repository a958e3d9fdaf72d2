//! Package URLs (<https://github.com/package-url/purl-spec>): one name for a package wherever it is told of.
//!
//! Must never show a login that a source's address holds.

use crate::scan::manifest::{Dependency, Ecosystem, Source, without_login};

/// Splits a name into what stands before it and itself.
pub fn split(ecosystem: Ecosystem, name: &str) -> (Option<&str>, &str) {
    let at = match ecosystem {
        Ecosystem::Npm if name.starts_with('@') => name.find('/'),
        Ecosystem::Go => name.rfind('/'),
        Ecosystem::Maven => name.find(':'),
        _ => None,
    };
    at.map_or((None, name), |at| (Some(&name[..at]), &name[at + 1..]))
}

/// Returns the package URL of a dependency.
pub fn purl(ecosystem: Ecosystem, one: &Dependency, version: Option<&str>) -> String {
    let (group, name) = split(ecosystem, &one.name);
    let mut url = format!("pkg:{}/", ecosystem.as_str());
    for part in group.into_iter().flat_map(|group| group.split('/')) {
        url +=
            &encoded(&if ecosystem == Ecosystem::Go { part.to_ascii_lowercase() } else { part.to_owned() });
        url.push('/');
    }
    url += &encoded(&if ecosystem == Ecosystem::Go { name.to_ascii_lowercase() } else { name.to_owned() });
    if let Some(version) = version {
        url.push('@');
        url += &encoded(version);
    }
    if let Some((key, from)) = from(&one.source) {
        url.extend(["?", key, "=", &encoded(&from)]);
    }
    url
}

/// Returns where a package is fetched from, where that is no registry, with the name of the qualifier.
pub fn from(source: &Source) -> Option<(&'static str, String)> {
    match source {
        Source::Git(url) => {
            let url = without_login(url);
            Some(("vcs_url", if url.starts_with("git+") { url } else { format!("git+{url}") }))
        }
        Source::Url(url) => Some(("download_url", without_login(url))),
        Source::Registry(_) | Source::Path(_) => None,
    }
}

/// Encodes what is not an unreserved character of a URL (RFC 3986); `:` may stand as it is.
fn encoded(text: &str) -> String {
    let mut out = String::new();
    for byte in text.bytes() {
        if byte.is_ascii_alphanumeric() || b"-._~:".contains(&byte) {
            out.push(char::from(byte));
        } else {
            out.push('%');
            out.extend([byte >> 4, byte & 15].map(|half| char::from(b"0123456789ABCDEF"[usize::from(half)])));
        }
    }
    out
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::scan::manifest::Kind;

    #[test]
    fn names_are_written_as_the_specification_says() {
        for (ecosystem, name, version, want) in [
            (Ecosystem::Npm, "@angular/core", "12.3.1", "pkg:npm/%40angular/core@12.3.1"),
            (Ecosystem::Npm, "left-pad", "1.0.0", "pkg:npm/left-pad@1.0.0"),
            (Ecosystem::Pypi, "django", "1.11.1", "pkg:pypi/django@1.11.1"),
            (Ecosystem::Crates, "serde", "1.0.0+x", "pkg:cargo/serde@1.0.0%2Bx"),
            (
                Ecosystem::Go,
                "github.com/Gorilla/Context",
                "v1.1",
                "pkg:golang/github.com/gorilla/context@v1.1",
            ),
            (
                Ecosystem::Maven,
                "org.apache.xmlgraphics:batik",
                "1.9",
                "pkg:maven/org.apache.xmlgraphics/batik@1.9",
            ),
        ] {
            let one = Dependency::new(name, version, Kind::Normal);
            assert_eq!(purl(ecosystem, &one, Some(version)), want);
        }
        let mut one = Dependency::new("x", "", Kind::Normal);
        one.source = Source::Git("https://me:word@a.dev/x".into());
        let url = purl(Ecosystem::Npm, &one, None);
        assert!(url.starts_with("pkg:npm/x?vcs_url=git%2Bhttps:%2F%2F") && !url.contains("word"), "{url}");
    }
}
