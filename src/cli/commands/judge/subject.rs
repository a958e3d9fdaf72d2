//! What is to be judged: found in the repository, in the event of a workflow, or on standard input.
//!
//! Must never take what cannot be found for empty: no base, no event and no patch are errors.

use std::io::Read as _;
use std::path::Path;

use crate::artifact::id::{CommitId, TreeId};
use crate::artifact::types::policy_input::{Subject, SubjectKind};
use crate::cli::CommandError;
use crate::cli::error::{IoError, UsageError};
use crate::config::env::Environment;
use crate::ports::vcs::changes::{LARGEST_PATCH, PatchError, of_patch};
use crate::ports::vcs::{CommitRef, Delta, GitRepository, Span, VcsChanges as _, VcsError, VcsRead as _};

/// The id git gives to a tree without entries.
const EMPTY: &str = "4b825dc642cb6eb9a060e54bf8d69288fbee4904";

/// An event larger than this is none of GitHub's.
const EVENT_BYTES: u64 = 32 << 20;

/// What was asked for.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) enum Asked {
    Staged,
    Work,
    Diff(String),
    PullRequest,
    Tree,
    Patch,
}

/// Where rules and settings are read.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) enum RulesFrom {
    /// The commit a change is made on; before the first commit an empty tree.
    Base {
        /// As people are told.
        name: String,
        /// Its tree.
        tree: TreeId,
    },
    /// The working tree, with packs as HEAD has them.
    Here(TreeId),
}

impl RulesFrom {
    /// Returns the tree packs are read from.
    pub(super) const fn tree(&self) -> &TreeId {
        match self {
            Self::Base { tree, .. } | Self::Here(tree) => tree,
        }
    }
}

/// What was found.
pub(super) struct Found {
    pub(super) subject: Subject,
    pub(super) rules: RulesFrom,
    /// The tree the change is made on, and the change; absent for a whole tree.
    pub(super) change: Option<(TreeId, Vec<Delta>)>,
}

/// A base, before and after a first commit.
struct Head {
    commit: Option<CommitId>,
    tree: TreeId,
}

fn head(vcs: &GitRepository) -> Result<Head, CommandError> {
    match vcs.head() {
        Ok(head) => Ok(Head { commit: Some(head.commit), tree: head.tree }),
        Err(VcsError::NoCommit { .. }) => Ok(Head { commit: None, tree: empty_tree()? }),
        Err(error) => Err(error.into()),
    }
}

fn empty_tree() -> Result<TreeId, CommandError> {
    EMPTY.parse().map_err(|error: crate::artifact::id::IdError| {
        UsageError { what: error.to_string(), help: "This is a fault of orch; please report it.".into() }
            .into()
    })
}

fn base_rules(commit: Option<&CommitId>, tree: &TreeId) -> RulesFrom {
    let name = commit.map_or_else(|| "an empty repository".into(), |commit| short(commit).to_owned());
    RulesFrom::Base { name, tree: tree.clone() }
}

fn short(commit: &CommitId) -> &str {
    commit.as_str().get(..12).unwrap_or(commit.as_str())
}

/// Finds what was asked for.
pub(super) fn find(
    asked: &Asked,
    vcs: &GitRepository,
    environment: &Environment,
) -> Result<Found, CommandError> {
    let on_head = |kind, deltas: &dyn Fn(&Head) -> Result<Vec<Delta>, CommandError>| {
        let head = head(vcs)?;
        let deltas = deltas(&head)?;
        Ok(Found {
            rules: base_rules(head.commit.as_ref(), &head.tree),
            change: Some((head.tree, deltas)),
            subject: Subject { kind, base: head.commit, head: None },
        })
    };
    match asked {
        Asked::Staged => on_head(SubjectKind::Staged, &|_| {
            Ok(vcs.deltas(&Span::Staged { index: environment.git_index() })?)
        }),
        Asked::Work => on_head(SubjectKind::Work, &|_| Ok(vcs.deltas(&Span::Work)?)),
        Asked::Patch => {
            let text = standard_input()?;
            on_head(SubjectKind::Patch, &|head| {
                Ok(of_patch(vcs, head.commit.as_ref().map(|_| &head.tree), &text)?)
            })
        }
        Asked::Tree => {
            let head = head(vcs)?;
            let subject = Subject { kind: SubjectKind::Tree, base: None, head: head.commit };
            Ok(Found { subject, rules: RulesFrom::Here(head.tree), change: None })
        }
        Asked::Diff(range) => {
            let (base, head, parted) = range_of(range)?;
            let (base, head) = (vcs.commit_named(base)?, vcs.commit_named(head)?);
            let from = if parted { common(vcs, &base, &head)? } else { base.clone() };
            between(vcs, SubjectKind::Diff, &base, &from, &head)
        }
        Asked::PullRequest => pull_request(vcs, environment),
    }
}

/// Judges what `head` has over `from`, by the rules of `base`.
fn between(
    vcs: &GitRepository,
    kind: SubjectKind,
    base: &CommitRef,
    from: &CommitRef,
    head: &CommitRef,
) -> Result<Found, CommandError> {
    let deltas = vcs.deltas(&Span::Trees { before: Some(from.tree.clone()), after: head.tree.clone() })?;
    Ok(Found {
        subject: Subject { kind, base: Some(from.commit.clone()), head: Some(head.commit.clone()) },
        rules: base_rules(Some(&base.commit), &base.tree),
        change: Some((from.tree.clone(), deltas)),
    })
}

/// Reads `A..B`, `A...B` and `A`, where `B` may be left out; the last of the three is true for where the two parted.
fn range_of(range: &str) -> Result<(&str, &str, bool), UsageError> {
    let (base, head, parted) = match (range.split_once("..."), range.split_once("..")) {
        (Some((base, head)), _) => (base, head, true),
        (None, Some((base, head))) => (base, head, false),
        (None, None) => (range, "HEAD", false),
    };
    // An unset variable of a script must not become an empty change.
    if base.is_empty() || base.starts_with('-') || head.starts_with('-') {
        return Err(UsageError {
            what: format!("`{range}` is no range of commits"),
            help: "Name two commits: --diff main..HEAD, or --diff main...HEAD from where they parted.".into(),
        });
    }
    Ok((base, if head.is_empty() { "HEAD" } else { head }, parted))
}

/// Returns both ends of a range; the first is where the two parted, if the range asks for that.
pub(in crate::cli::commands) fn ends(
    vcs: &GitRepository,
    range: &str,
) -> Result<(CommitRef, CommitRef), CommandError> {
    let (base, head, parted) = range_of(range)?;
    let (base, head) = (vcs.commit_named(base)?, vcs.commit_named(head)?);
    Ok((if parted { common(vcs, &base, &head)? } else { base }, head))
}

fn common(vcs: &GitRepository, base: &CommitRef, head: &CommitRef) -> Result<CommitRef, CommandError> {
    let none = || UsageError {
        what: format!("{} and {} have no common ancestor here", short(&base.commit), short(&head.commit)),
        help:
            "Fetch the history (`git fetch --unshallow`), or compare the two as they are: --diff BASE..HEAD."
                .into(),
    };
    Ok(vcs.merge_base(&base.commit, &head.commit)?.ok_or_else(none)?)
}

/// What the event of a workflow says of a pull request, or of a merge queue's group.
struct Event {
    base: String,
    head: String,
}

fn pull_request(vcs: &GitRepository, environment: &Environment) -> Result<Found, CommandError> {
    let kind = SubjectKind::PullRequest;
    let head = vcs.commit_named("HEAD")?;
    let event = match environment.github_event() {
        Some(path) => event(&path)?,
        None => None,
    };
    if let Some(event) = event {
        let is_merge = head.commit.as_str() != event.head
            && head.parents.get(1).is_some_and(|p| p.as_str() == event.head);
        // What GitHub made to try the merge: its first parent is the base, and no history is needed.
        if is_merge && let Some(first) = head.parents.first() {
            let base = vcs.commit_named(first.as_str()).map_err(|_| too_shallow("base", first.as_str()))?;
            return between(vcs, kind, &base, &base, &head);
        }
        let base = vcs.commit_named(&event.base).map_err(|_| too_shallow("base", &event.base))?;
        let head = vcs.commit_named(&event.head).map_err(|_| too_shallow("head", &event.head))?;
        let from = common(vcs, &base, &head)?;
        return between(vcs, kind, &base, &from, &head);
    }
    let branch = match environment.github_base_ref() {
        Some(branch) => Some(format!("refs/remotes/origin/{branch}")),
        None if environment.is_github() => None,
        None => vcs.remote_default()?,
    };
    let none = || {
        UsageError {
        what: "there is no pull request: no event names one, and no remote has a default branch here".into(),
        help: "Name the base: --diff BASE...HEAD. `git remote set-head origin --auto` finds the default branch of a remote.".into(),
    }
    };
    let base = vcs.commit_named(&branch.ok_or_else(none)?)?;
    let from = common(vcs, &base, &head)?;
    between(vcs, kind, &base, &from, &head)
}

fn too_shallow(what: &str, commit: &str) -> UsageError {
    UsageError {
        what: format!("the pull request's {what} {commit} is not in this clone"),
        help: "Check out with `fetch-depth: 2` (the merge that GitHub tries) or `fetch-depth: 0`.".into(),
    }
}

/// Reads the event; `None` when it is of no pull request.
fn event(path: &Path) -> Result<Option<Event>, CommandError> {
    let fail = |source| IoError { what: format!("read the event {}", path.display()), source };
    let mut bytes = Vec::new();
    let file = std::fs::File::open(path).map_err(fail)?;
    file.take(EVENT_BYTES).read_to_end(&mut bytes).map_err(fail)?;
    let value: serde_json::Value = serde_json::from_slice(&bytes).map_err(|error| UsageError {
        what: format!("the event {} is no JSON: {error}", path.display()),
        help: "GITHUB_EVENT_PATH has to name the file that GitHub wrote.".into(),
    })?;
    let text = |pointer: &str| value.pointer(pointer).and_then(|v| v.as_str()).map(str::to_owned);
    let pull = text("/pull_request/base/sha").zip(text("/pull_request/head/sha"));
    let group = || text("/merge_group/base_sha").zip(text("/merge_group/head_sha"));
    Ok(pull.or_else(group).map(|(base, head)| Event { base, head }))
}

fn standard_input() -> Result<Vec<u8>, CommandError> {
    let mut text = Vec::new();
    let read = std::io::stdin().lock().take(LARGEST_PATCH + 1).read_to_end(&mut text);
    read.map_err(|source| IoError { what: "read standard input".into(), source })?;
    if text.is_empty() {
        return Err(PatchError::Empty.into());
    }
    Ok(text)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn ranges_are_read_and_a_base_has_to_be_named() {
        for (range, want) in [
            ("a..b", ("a", "b", false)),
            ("a...b", ("a", "b", true)),
            ("a", ("a", "HEAD", false)),
            ("a..", ("a", "HEAD", false)),
            ("origin/main...", ("origin/main", "HEAD", true)),
        ] {
            assert_eq!(range_of(range).unwrap(), want, "{range}");
        }
        for bad in ["", "..", "...", "..b", "...b", "--x", "a..-b"] {
            assert!(range_of(bad).is_err(), "{bad}");
        }
    }
}
