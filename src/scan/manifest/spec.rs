//! How packages are asked for: URLs, git references, ranges that bound nothing.
//!
//! Must never show the login of a URL.

#![expect(
    clippy::case_sensitive_file_extension_comparisons,
    reason = "what is compared has been lowered, or the tool itself knows but this case"
)]

use super::Source;

/// Returns the host of a URL: without login, with port.
pub fn host(url: &str) -> &str {
    let Some((_, rest)) = url.split_once("://") else {
        // `git@host:path`
        return match url.split_once('@') {
            Some((_, rest)) => rest.split([':', '/']).next().unwrap_or_default(),
            None => url.split(['/', '?', '#']).next().unwrap_or_default(),
        };
    };
    let authority = rest.split(['/', '?', '#']).next().unwrap_or_default();
    authority.rsplit('@').next().unwrap_or_default()
}

/// Tells whether what follows the scheme of a URL is this machine or a private name.
pub fn local(rest: &str) -> bool {
    let authority = rest.split(['/', '?', '#']).next().unwrap_or_default();
    let host = authority.rsplit('@').next().unwrap_or_default();
    let name = if host.starts_with('[') { host } else { host.split(':').next().unwrap_or_default() };
    name == "localhost"
        || name.starts_with("127.")
        || name.starts_with("[::1]")
        || name.ends_with(".localhost")
}

/// Returns a URL without the login in it.
pub fn without_login(url: &str) -> String {
    let Some((scheme, rest)) = url.split_once("://") else { return url.to_owned() };
    let end = rest.find(['/', '?', '#']).unwrap_or(rest.len());
    let (authority, path) = rest.split_at(end);
    let host = authority.rsplit('@').next().unwrap_or_default();
    let path = path.split('?').next().unwrap_or_default();
    format!("{scheme}://{host}{path}")
}

/// Tells whether a text is the full name of a commit.
pub fn commit(text: &str) -> bool {
    matches!(text.len(), 40 | 64) && text.bytes().all(|b| b.is_ascii_hexdigit())
}

/// Tells whether a requirement bounds anything at all.
pub fn bounded_by(requirement: &str) -> bool {
    !matches!(
        requirement.trim(),
        "*" | "x"
            | "X"
            | "latest"
            | "next"
            | "latest.release"
            | "latest.integration"
            | "LATEST"
            | "RELEASE"
            | "+"
            | ">=0"
            | ">=0.0.0"
            | ">= 0"
            | ">0"
            | "*.*.*"
            | "x.x.x"
    )
}

/// Reads what npm, yarn and pnpm take for a version: the source, whether it is pinned, and the name it stands for.
pub fn npm(asked: &str) -> (Source, bool, Option<String>) {
    let asked = asked.trim();
    let registry = || Source::Registry(String::new());
    if let Some(rest) = asked.strip_prefix("npm:") {
        let at = rest.char_indices().skip(1).find(|(_, c)| *c == '@').map(|(at, _)| at);
        let (name, range) = at.map_or((rest, ""), |at| (&rest[..at], &rest[at + 1..]));
        // In yarn's own files `npm:^1` is a range, not a name.
        if name.starts_with(|c: char| c.is_ascii_alphabetic() || c == '@') && !name.contains(' ') {
            return (registry(), bounded_by(range), Some(name.to_owned()));
        }
        return (registry(), bounded_by(rest), None);
    }
    if ["file:", "link:", "portal:", "workspace:", "./", "../", "/", "~/", "patch:", "exec:"]
        .iter()
        .any(|p| asked.starts_with(p))
    {
        return (Source::Path(asked.to_owned()), true, None);
    }
    let (address, fragment) = asked.split_once('#').unwrap_or((asked, ""));
    let hosted = ["github:", "gitlab:", "bitbucket:", "gist:"].iter().any(|p| asked.starts_with(p));
    let git = asked.starts_with("git+")
        || asked.starts_with("git://")
        || asked.starts_with("git@")
        || asked.starts_with("ssh://")
        || (asked.starts_with("http") && address.ends_with(".git"));
    // `owner/name`
    let short = !asked.contains([':', '@', ' '])
        && address.split('/').count() == 2
        && address.split('/').all(|part| !part.is_empty());
    if hosted || git || short {
        let commit_of =
            fragment.split(['&', ':']).map(|p| p.strip_prefix("commit=").unwrap_or(p)).any(commit);
        let bounded = commit_of || fragment.starts_with("semver:");
        let url = match (hosted, short) {
            (true, _) => {
                let (at, path) = address.split_once(':').unwrap_or(("github", address));
                let host = match at {
                    "gitlab" => "gitlab.com",
                    "bitbucket" => "bitbucket.org",
                    "gist" => "gist.github.com",
                    _ => "github.com",
                };
                format!("https://{host}/{path}")
            }
            (_, true) => format!("https://github.com/{address}"),
            _ => address.to_owned(),
        };
        return (Source::Git(url), bounded, None);
    }
    if asked.starts_with("http://") || asked.starts_with("https://") {
        // Archives of GitHub at a commit are as good as the commit.
        let fixed = address.split(['/', '.']).any(commit);
        return (Source::Url(asked.to_owned()), fixed, None);
    }
    (registry(), bounded_by(asked), None)
}

/// Reads the address that a lock file of npm's registry gives for a package.
pub fn npm_resolved(url: &str) -> Source {
    const OWN: [&str; 2] = ["registry.npmjs.org", "registry.yarnpkg.com"];
    if url.starts_with("git") {
        return Source::Git(url.split('#').next().unwrap_or_default().to_owned());
    }
    if !url.starts_with("http") {
        return Source::Path(url.to_owned());
    }
    let at = host(url);
    match (OWN.contains(&at), url.starts_with("http://"), url.contains("/-/")) {
        (true, false, _) => Source::Registry(String::new()),
        (_, false, true) => Source::Registry(at.to_owned()),
        _ => Source::Url(url.to_owned()),
    }
}

/// Returns a Python name as registries compare it.
pub fn python_name(name: &str) -> String {
    let mut out = String::with_capacity(name.len());
    for c in name.trim().chars() {
        match c {
            '-' | '_' | '.' if out.ends_with('-') => {}
            '-' | '_' | '.' => out.push('-'),
            c => out.extend(c.to_lowercase()),
        }
    }
    out
}

/// Reads a requirement as PEP 508 writes it: name, what follows, source, pinned; `None` when it is none.
pub fn python(asked: &str) -> Option<(String, String, Source, bool)> {
    let asked = asked.trim();
    let end = asked
        .find(|c: char| !(c.is_ascii_alphanumeric() || matches!(c, '-' | '_' | '.')))
        .unwrap_or(asked.len());
    let (name, rest) = asked.split_at(end);
    if name.is_empty() {
        return None;
    }
    let mut rest = rest.trim_start();
    if rest.starts_with('[') {
        rest = rest.split_once(']').map_or("", |(_, rest)| rest).trim_start();
    }
    if let Some(url) = rest.strip_prefix('@') {
        let url = url.trim().split([' ', ';']).next().unwrap_or_default();
        let (source, pinned) = python_url(url);
        return Some((python_name(name), String::new(), source, pinned));
    }
    let version = rest.split(';').next().unwrap_or_default().trim().trim_matches(['(', ')']).trim();
    if !version.is_empty() && !version.starts_with(['=', '<', '>', '~', '!']) {
        return None;
    }
    Some((python_name(name), version.to_owned(), Source::Registry(String::new()), bounded_by(version)))
}

/// Reads a URL that Python's installers take.
pub fn python_url(url: &str) -> (Source, bool) {
    if let Some(vcs) = ["git+", "hg+", "svn+", "bzr+"].iter().find(|p| url.starts_with(**p)) {
        let (address, fragment) = url.split_once('#').unwrap_or((url, ""));
        let _ = fragment;
        let body = address.strip_prefix(vcs).unwrap_or(address);
        // `git+ssh://git@host/path@rev`: the reference is what follows the last `@` of the path.
        let path = body.split_once("://").map_or(body, |(_, rest)| rest);
        let at = path.find('/').and_then(|from| path[from..].rfind('@').map(|at| from + at));
        let fixed = at.is_some_and(|at| commit(&path[at + 1..]));
        let cut = at.map_or(0, |at| path.len() - at);
        let shown = if body.starts_with("http://") { format!("git+{body}") } else { body.to_owned() };
        let keep = shown.len().saturating_sub(cut);
        return (Source::Git(shown.get(..keep).unwrap_or(&shown).to_owned()), fixed);
    }
    if url.starts_with("http://") || url.starts_with("https://") {
        let fixed = url.contains("#sha256=") || url.contains("&sha256=") || url.split(['/', '.']).any(commit);
        return (Source::Url(url.to_owned()), fixed);
    }
    (Source::Path(url.to_owned()), true)
}
