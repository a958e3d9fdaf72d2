//! A remote: one branch read, one branch pushed, nothing else.
//!
//! Must never pass on a location that could name a program, nor a ref but the one it was given.

use std::path::Path;
use std::time::Duration;

use gix::bstr::ByteSlice as _;

use crate::artifact::id::CommitId;

use super::commit::full_name;
use super::program::{self, Said};
use super::{GitRepository, VcsError};

const READ_LIMIT: Duration = Duration::from_mins(1);
const PUSH_LIMIT: Duration = Duration::from_mins(5);
/// How every push begins: no hook of the repository, no program but git's own at the other end, nothing but what is named.
pub(super) const PUSH: [&str; 7] = [
    "push",
    "--porcelain",
    "--no-verify",
    "--no-signed",
    "--no-follow-tags",
    "--recurse-submodules=no",
    "--receive-pack=git-receive-pack",
];

/// How every fetch of one commit begins: objects and nothing else, no program but git's own at the other end.
pub(super) const FETCH: [&str; 7] = [
    "fetch",
    "--quiet",
    "--no-tags",
    "--no-write-fetch-head",
    "--no-recurse-submodules",
    "--upload-pack=git-upload-pack",
    "--",
];

/// What git says when the branch of the remote is not where the lease says.
pub(super) const STALE: &[&str] = &["stale info", "[rejected]", "reference already exists", "fetch first"];

/// A remote of a repository.
pub(super) struct Remote<'a> {
    root: &'a Path,
    name: String,
    url: String,
    shown: String,
}

impl GitRepository {
    /// Returns a remote by its name in the config, if there is one.
    pub(super) fn find_remote(&self, name: &str) -> Result<Option<Remote<'_>>, VcsError> {
        let repo = self.local();
        let config = repo.config_snapshot();
        let value = |key: &str| {
            config.plumbing().string_by("remote", Some(name.into()), key).filter(|url| !url.is_empty())
        };
        let Some(url) = value("pushurl").or_else(|| value("url")) else { return Ok(None) };
        let refused =
            |why: &str| VcsError::Remote { remote: name.to_owned(), what: "use", why: why.to_owned() };
        let url = url.to_str().map_err(|_| refused("its location is not UTF-8"))?.to_owned();
        check_name(name).and_then(|()| check_url(&url)).map_err(refused)?;
        let shown = without_password(&url);
        Ok(Some(Remote { root: self.root(), name: name.to_owned(), url, shown }))
    }

    pub(super) fn remote(&self, name: &str) -> Result<Remote<'_>, VcsError> {
        let unknown = || VcsError::Remote {
            remote: name.to_owned(),
            what: "use",
            why: "the repository has no remote of that name".into(),
        };
        self.find_remote(name)?.ok_or_else(unknown)
    }
}

fn check_name(name: &str) -> Result<(), &'static str> {
    if name.is_empty() || name.starts_with('-') || name.chars().any(char::is_control) {
        return Err("its name is not one");
    }
    Ok(())
}

/// Takes plain paths, `host:path` and the common schemes; refuses helpers (`ext::`, `fd::`, ...) and words that look
/// like options, also where a host would be.
fn check_url(url: &str) -> Result<(), &'static str> {
    if url.starts_with('-') || url.chars().any(char::is_control) {
        return Err("its location looks like an option");
    }
    let head = url.split(['/', '\\']).next().unwrap_or_default();
    if head.contains("::") {
        return Err("its location names a helper program");
    }
    let Some((scheme, rest)) = url.split_once("://") else { return Ok(()) };
    if !matches!(scheme, "https" | "http" | "ssh" | "git" | "file" | "git+ssh" | "ssh+git") {
        return Err("its location has an unknown scheme");
    }
    let host = rest.split('/').next().unwrap_or_default();
    if host.rsplit('@').next().unwrap_or_default().starts_with('-') || host.starts_with('-') {
        return Err("its host looks like an option");
    }
    Ok(())
}

/// A location fit to be shown: whatever stands before the host's `@` may be a token.
fn without_password(url: &str) -> String {
    let Some((scheme, rest)) = url.split_once("://") else { return url.to_owned() };
    let (host, path) = rest.split_at(rest.find('/').unwrap_or(rest.len()));
    match host.rsplit_once('@') {
        Some((user, host)) if scheme.contains("ssh") && !user.contains(':') => {
            format!("{scheme}://{user}@{host}{path}")
        }
        Some((_, host)) => format!("{scheme}://{host}{path}"),
        None => url.to_owned(),
    }
}

impl Remote<'_> {
    /// Returns the location without any password.
    pub(super) fn shown(&self) -> &str {
        &self.shown
    }

    /// Returns the location as it is, for git alone.
    pub(super) fn url(&self) -> &str {
        &self.url
    }

    /// Returns the commit a branch points to.
    pub(super) fn branch(&self, name: &str) -> Result<Option<CommitId>, VcsError> {
        let full = full_name(name)?.as_bstr().to_string();
        let words = ["ls-remote", "--heads", "--upload-pack=git-upload-pack", "--", &self.url, &full];
        let said = self.ask("read from", &words, READ_LIMIT)?;
        // The pattern also matches longer names that end like it.
        let line =
            said.stdout.lines().filter_map(|line| line.split_once('\t')).find(|(_, name)| *name == full);
        let Some((id, _)) = line else { return Ok(None) };
        id.parse().map(Some).map_err(|_| self.failed("read from", "it named a branch without a commit"))
    }

    /// Brings one commit with all it needs into the object store.
    pub(super) fn fetch(&self, commit: &CommitId) -> Result<(), VcsError> {
        let words = [&FETCH[..], &[&self.url, commit.as_str()]].concat();
        self.ask("fetch from", &words, PUSH_LIMIT).map(drop)
    }

    /// Pushes one branch, replacing only `expected`.
    ///
    /// The lease alone forces the update: a `+` before the refspec would push over a stale lease too.
    pub(super) fn push(&self, name: &str, expected: Option<&CommitId>) -> Result<(), VcsError> {
        let full = full_name(name)?.as_bstr().to_string();
        let lease = format!("--force-with-lease={full}:{}", expected.map_or("", CommitId::as_str));
        let refspec = format!("{full}:{full}");
        let words = [&PUSH[..], &[&lease, "--", &self.url, &refspec]].concat();
        let said = self.said("push to", &words, PUSH_LIMIT)?;
        if said.ok {
            return Ok(());
        }
        let rejected = rejected(&said);
        if STALE.iter().any(|sign| rejected.contains(sign)) {
            let why = format!("is not where it was on the remote `{}`", self.name);
            return Err(VcsError::BranchMoved { branch: name.to_owned(), why });
        }
        let why = if rejected.is_empty() { said.stderr } else { rejected.replace('\t', " ") };
        Err(self.failed("push to", &why))
    }

    pub(super) fn ask(&self, what: &'static str, words: &[&str], limit: Duration) -> Result<Said, VcsError> {
        let said = self.said(what, words, limit)?;
        if said.ok { Ok(said) } else { Err(self.failed(what, &said.stderr)) }
    }

    pub(super) fn said(&self, what: &'static str, words: &[&str], limit: Duration) -> Result<Said, VcsError> {
        program::git(self.root, words, limit).map_err(|why| self.failed(what, &why))
    }

    pub(super) fn failed(&self, what: &'static str, why: &str) -> VcsError {
        let why = summary(&why.replace(&self.url, &self.shown));
        VcsError::Remote { remote: self.name.clone(), what, why }
    }
}

/// What is said of the ref that was not taken.
pub(super) fn rejected(said: &Said) -> &str {
    said.stdout.lines().find(|line| line.starts_with('!')).unwrap_or_default()
}

/// The first line that tells why, plain and short.
pub(super) fn summary(text: &str) -> String {
    let lines = || text.lines().map(str::trim).filter(|line| !line.is_empty());
    let telling =
        lines().find(|l| l.starts_with("fatal:") || l.starts_with("error:")).or_else(|| lines().next());
    let line = telling.unwrap_or("git did not say why");
    let line = line.strip_prefix("fatal: ").or_else(|| line.strip_prefix("error: ")).unwrap_or(line);
    let plain = line.chars().filter(|c| !c.is_control()).take(300).collect::<String>();
    plain.trim_start_matches([':', '#']).trim().to_owned()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn locations_that_name_programs_or_options_are_refused() {
        for good in [
            "/srv/git/x.git",
            "../x.git",
            "C:/x.git",
            "file:///srv/x",
            "https://host/x.git",
            "git@host:team/x.git",
            "ssh://git@host:22/x",
        ] {
            assert_eq!(check_url(good), Ok(()), "{good}");
        }
        for bad in [
            "ext::sh -c id",
            "fd::3",
            "-oProxyCommand=id",
            "--upload-pack=id",
            "ssh://-oProxyCommand=id/x",
            "ssh://git@-oProxyCommand=id/x",
            "transport::https://x",
            "evil://host/x",
            "/a\nb",
        ] {
            assert!(check_url(bad).is_err(), "{bad}");
        }
    }

    #[test]
    fn passwords_are_not_shown() {
        for (url, shown) in [
            ("https://user:token@host/x", "https://host/x"),
            ("https://token@host/x", "https://host/x"),
            ("ssh://git@host/x", "ssh://git@host/x"),
            ("ssh://git:secret@host/x", "ssh://host/x"),
            ("/plain/path@x", "/plain/path@x"),
        ] {
            assert_eq!(without_password(url), shown);
        }
    }

    #[test]
    fn a_failure_is_one_plain_line() {
        let text = "warning: x\nfatal: '\u{1b}[31m/x' does not appear to be a git repository\nfatal: more";
        assert_eq!(summary(text), "'[31m/x' does not appear to be a git repository");
        assert_eq!(summary("::error::x"), "error::x");
        assert_eq!(summary(""), "git did not say why");
    }
}
