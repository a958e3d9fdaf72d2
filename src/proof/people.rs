//! What was changed by hand after the run's last commit.
//!
//! Must never count a line as the run's that the run did not write.

use std::collections::BTreeMap;

use serde::Serialize;

use super::case::{Case, Repository};
use crate::artifact::digest::Digest;
use crate::artifact::id::{CommitId, TreeId};
use crate::artifact::kind::slot;
use crate::artifact::types::change_set::{ChangeSet, TestSet};
use crate::attest::opened::Lacking;
use crate::ports::vcs::{CommitRef, Delta, Span, VcsError};
use crate::stage::policy::lines::lines;

/// What was changed by hand.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
#[serde(rename_all = "kebab-case", tag = "measured")]
pub enum ByPeople {
    /// It was not looked at.
    No {
        /// Why.
        why: String,
    },
    /// It was.
    Yes {
        /// How the commit that was looked at belongs to the run.
        relation: Relation,
        /// The files, sorted by path; none where everything is the run's.
        files: Vec<HandMade>,
        /// Lines added by hand.
        added: u64,
        /// Lines removed by hand.
        removed: u64,
    },
}

/// How a commit belongs to a run.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize)]
#[serde(rename_all = "kebab-case")]
pub enum Relation {
    /// It is the run's last commit.
    Same,
    /// It comes after the run's last commit; the difference of the two trees is told.
    After,
    /// It is another commit, as a rebase or squash makes: its own difference is compared with the run's files.
    Rewritten,
}

/// A file that was changed by hand.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct HandMade {
    /// The path.
    pub path: String,
    /// Lines added; absent: the file is no text, or was not read.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub added: Option<u64>,
    /// Lines removed.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub removed: Option<u64>,
}

/// Tells what was changed by hand.
pub fn by_people(case: &Case<'_>) -> ByPeople {
    let no = |why: String| ByPeople::No { why };
    let Some(repository) = case.repository else { return no("there is no repository".into()) };
    let request = match case.pull_request() {
        Ok(request) => request,
        Err(lacking) => return no(lacking.to_string()),
    };
    let Some(own) = request.commits.last() else { return no("the run wrote no commit".into()) };
    let head =
        case.head.clone().or_else(|| repository.commit_named(&format!("refs/heads/{}", request.branch)).ok());
    let Some(head) = head else {
        return no(format!("the branch `{}` is not here", request.branch));
    };
    let told = if head.commit == own.id {
        Ok((Relation::Same, Vec::new()))
    } else if is_after(repository, &own.id, &head) {
        between(repository, &own.tree, &head.tree).map(|files| (Relation::After, files))
    } else {
        let written = match written(case) {
            Ok(written) => written,
            Err(lacking) => return no(format!("the commit was rewritten, and {lacking}")),
        };
        rewritten(&written, repository, &head).map(|files| (Relation::Rewritten, files))
    };
    match told {
        Err(error) => no(error.to_string()),
        Ok((relation, files)) => ByPeople::Yes {
            relation,
            added: files.iter().filter_map(|file| file.added).sum(),
            removed: files.iter().filter_map(|file| file.removed).sum(),
            files,
        },
    }
}

fn is_after(repository: &dyn Repository, own: &CommitId, head: &CommitRef) -> bool {
    let base = repository.merge_base(own, &head.commit);
    base.is_ok_and(|base| base.is_some_and(|base| &base.commit == own))
}

fn between(repository: &dyn Repository, before: &TreeId, after: &TreeId) -> Result<Vec<HandMade>, VcsError> {
    let span = Span::Trees { before: Some(before.clone()), after: after.clone() };
    Ok(repository.deltas(&span)?.iter().map(hand_made).collect())
}

/// What the run wrote, by path: the digest of each file, none where it deletes it.
type Written = BTreeMap<String, Option<Digest>>;

fn written(case: &Case<'_>) -> Result<Written, Lacking> {
    let tests: TestSet = case.opened.body(slot::TESTS)?;
    let edits: ChangeSet = case.opened.body(slot::EDITS)?;
    let files = tests.files.into_iter().chain(edits.files);
    Ok(files.map(|file| (file.path.to_string(), file.after)).collect())
}

/// Of what a commit changes, all that is not byte for byte what the run wrote there.
fn rewritten(
    written: &Written,
    repository: &dyn Repository,
    head: &CommitRef,
) -> Result<Vec<HandMade>, VcsError> {
    let before = match head.parents.first() {
        Some(parent) => Some(repository.commit_named(parent.as_str())?.tree),
        None => None,
    };
    let deltas = repository.deltas(&Span::Trees { before, after: head.tree.clone() })?;
    let is_own = |delta: &&Delta| {
        let Some(wanted) = written.get(&*String::from_utf8_lossy(&delta.path)) else { return false };
        let found = delta.after.as_ref().map(|side| side.content.as_ref().ok().map(Digest::of));
        match (wanted, found) {
            (Some(wanted), Some(Some(found))) => *wanted == found,
            (None, None) => true,
            _ => false,
        }
    };
    Ok(deltas.iter().filter(|delta| !is_own(delta)).map(hand_made).collect())
}

fn hand_made(delta: &Delta) -> HandMade {
    let path = String::from_utf8_lossy(&delta.path).into_owned();
    let text = |side: &Option<crate::ports::vcs::Side>| match side {
        None => Some(Vec::new()),
        Some(side) => side.content.clone().ok().filter(|bytes| std::str::from_utf8(bytes).is_ok()),
    };
    let counted = text(&delta.before).zip(text(&delta.after)).map(|(before, after)| {
        let (added, removed) = lines(&before, &after);
        (added.len() as u64, removed)
    });
    HandMade { path, added: counted.map(|(added, _)| added), removed: counted.map(|(_, removed)| removed) }
}
