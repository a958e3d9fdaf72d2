//! Commits brought to a branch of one address by git itself, with a token: for what the API of a service does not take.
//!
//! Must never tell the token to another address or to anybody but git's own question, write a ref here, or move a branch that is
//! not where it was read.

use std::time::Duration;

use crate::artifact::id::{CommitId, TreeId};
use crate::ports::secret::Secret;

use super::commit::{full_name, write_commits_on};
use super::git::commit_oid;
use super::program::{self, Access, Said};
use super::remote::{FETCH, PUSH, STALE, rejected, summary};
use super::{BranchDraft, GitRepository, VcsError};

const PUSH_LIMIT: Duration = Duration::from_mins(5);

/// What the other end says where the branch moved between its look and its write.
const LOCKED: &[&str] = &["failed to update ref", "cannot lock ref"];

/// What is pushed where.
#[derive(Debug)]
pub struct HostedPush<'a> {
    /// The address, as `https://github.com/acme/app.git`; nothing of others.
    pub url: &'a str,
    /// The token.
    pub token: &'a Secret,
    /// The branch, where it has to be now (`None`: it must not exist), and the commits.
    pub draft: &'a BranchDraft,
    /// How many of the commits are there already.
    pub skip: usize,
    /// What the first of the others is put on.
    pub on: &'a CommitId,
}

/// Why nothing was pushed, or may not have been.
#[derive(Debug, thiserror::Error)]
pub enum PushError {
    /// The branch is not where it was read.
    #[error("the branch was moved by somebody else")]
    Moved,
    /// The token is not taken.
    #[error("the token is not taken: {0}")]
    Unauthorised(String),
    /// The token may not do it, or there is no such repository.
    #[error("it may not be done: {0}")]
    Forbidden(String),
    /// A rule of the repository or of the service says no.
    #[error("it is refused: {0}")]
    Refused(String),
    /// The server cannot be reached, so nothing was done.
    #[error("the server cannot be reached: {0}")]
    Unreachable(String),
    /// No end was seen: it may have been done.
    #[error("it broke off: {0}")]
    Unknown(String),
    /// The commits cannot be made here.
    #[error(transparent)]
    Here(#[from] VcsError),
}

impl GitRepository {
    /// Makes the commits as objects without a ref, and pushes the last one to the branch; returns them, oldest first.
    pub fn push_hosted(&self, push: &HostedPush<'_>) -> Result<Vec<(CommitId, TreeId)>, PushError> {
        full_name(&push.draft.branch)?;
        let on = commit_oid(push.on)?;
        if !self.local().has_object(on) {
            self.fetch_hosted(push)?;
        }
        let commits = write_commits_on(&self.local(), push.draft, push.skip, on)?;
        let Some((last, _)) = commits.last() else { return Ok(commits) };
        let full = format!("refs/heads/{}", push.draft.branch);
        // The lease alone would force; what is pushed lies on top of it, so nothing is ever lost.
        let lease = format!(
            "--force-with-lease={full}:{}",
            push.draft.expected.as_ref().map_or("", CommitId::as_str)
        );
        let refspec = format!("{last}:{full}");
        let said = self.say(push, &[&PUSH[..], &[&lease, "--", push.url, &refspec]].concat())?;
        if said.ok {
            return Ok(commits);
        }
        let line = rejected(&said);
        if STALE.iter().any(|sign| line.contains(sign)) || LOCKED.iter().any(|sign| line.contains(sign)) {
            return Err(PushError::Moved);
        }
        Err(if line.is_empty() { failed(&said) } else { turned_down(line, &said) })
    }

    /// Brings the commit that is gone on with here; an object, and no ref.
    fn fetch_hosted(&self, push: &HostedPush<'_>) -> Result<(), PushError> {
        let words = [&FETCH[..], &[push.url, push.on.as_str()]].concat();
        let said = self.say(push, &words)?;
        if said.ok {
            return Ok(());
        }
        // Nothing was to be changed there, so nothing can be half done.
        Err(match failed(&said) {
            PushError::Unknown(why) => PushError::Unreachable(why),
            error => error,
        })
    }

    fn say(&self, push: &HostedPush<'_>, words: &[&str]) -> Result<Said, PushError> {
        let access = Access { url: push.url, token: push.token };
        program::git_as(self.root(), words, PUSH_LIMIT, Some(&access)).map_err(PushError::Unknown)
    }
}

/// What the other end said of a ref it did not take, with its reasons.
fn turned_down(line: &str, said: &Said) -> PushError {
    let reasons = said.stderr.lines().filter_map(|line| line.trim().strip_prefix("remote:"));
    let reasons = reasons.map(str::trim).filter(|line| !line.is_empty());
    let told = reasons.clone().find(|line| line.starts_with("error")).or_else(|| reasons.clone().next());
    let end = line.find('[').map_or(line, |at| &line[at..]);
    let why = summary(&[told.unwrap_or_default(), end].join(" "));
    if why.contains("refusing to allow") || why.contains("ermission") {
        return PushError::Forbidden(why);
    }
    PushError::Refused(why)
}

/// What became of a push that no ref came back from.
fn failed(said: &Said) -> PushError {
    let (text, why) = (said.stderr.to_ascii_lowercase(), summary(&said.stderr));
    let has = |signs: &[&str]| signs.iter().any(|sign| text.contains(sign));
    if has(&["authentication failed", "could not read username", "could not read password", "error: 401"]) {
        return PushError::Unauthorised(why);
    }
    if has(&["error: 403", "permission to", "error: 404", "not found"]) {
        return PushError::Forbidden(why);
    }
    if has(&["could not resolve", "failed to connect", "couldn't connect", "could not connect"]) {
        return PushError::Unreachable(why);
    }
    PushError::Unknown(why)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn said(stdout: &str, stderr: &str) -> Said {
        Said { ok: false, stdout: stdout.into(), stderr: stderr.into() }
    }

    #[test]
    fn what_git_says_is_told_apart() {
        let of = |text: &str| failed(&said("", text));
        assert!(matches!(of("fatal: Authentication failed for 'https://x/'"), PushError::Unauthorised(_)));
        assert!(matches!(
            of("fatal: could not read Username for 'https://x': terminal prompts disabled"),
            PushError::Unauthorised(_)
        ));
        assert!(matches!(
            of(
                "remote: Permission to a/b.git denied to bot.\nfatal: unable to access 'x': The requested URL returned error: 403"
            ),
            PushError::Forbidden(_)
        ));
        assert!(matches!(
            of("remote: Repository not found.\nfatal: repository 'x' not found"),
            PushError::Forbidden(_)
        ));
        assert!(matches!(
            of("fatal: unable to access 'x': Failed to connect to h port 443"),
            PushError::Unreachable(_)
        ));
        assert!(matches!(
            of("error: RPC failed; HTTP 502\nfatal: the remote end hung up unexpectedly"),
            PushError::Unknown(_)
        ));
    }

    #[test]
    fn the_reason_of_the_other_end_is_told() {
        let line = "!\tabc:refs/heads/x\t[remote rejected] (pre-receive hook declined)";
        let stderr = "remote: error: GH001: Large files detected. You may want to try Git Large File Storage.\nremote: error: File big is 120 MB";
        let PushError::Refused(why) = turned_down(line, &said(line, stderr)) else { panic!() };
        assert!(why.contains("GH001") && why.contains("pre-receive hook declined"), "{why}");
        let line = "!\tabc:refs/heads/x\t[remote rejected] (refusing to allow a GitHub App to create or update workflow `.github/workflows/a.yml` without `workflows` permission)";
        assert!(matches!(turned_down(line, &said(line, "")), PushError::Forbidden(_)));
    }
}
