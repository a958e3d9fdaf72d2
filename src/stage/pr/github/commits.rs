//! The commits of a draft made on a GitHub branch, each checked to hold the very tree that was tested.
//!
//! Must never force a branch: every commit is added to the tip that was read, or not at all.

use std::collections::BTreeMap;

use crate::artifact::id::{CommitId, TreeId};
use crate::artifact::types::change_set::{FileChange, FileMode};
use crate::artifact::types::pull_request::CommitRef;
use crate::diagnostic::Class;
use crate::ports::forge::{Commit, CommitOnBranch, ForgeError, NewCommit, NewEntry, NewTree, PushDraft};
use crate::ports::vcs::{BranchDraft, EntryKind, VcsError};
use crate::stage::StageError;

use super::branch::{Place, below, reference};
use super::limits::{Size, Way};
use super::{Hub, Known};

/// GitHub's comparison names no more files than this.
const COMPARED: usize = 300;

/// What is on the branch now.
pub(super) struct Written {
    /// Our commits.
    pub(super) commits: Vec<CommitRef>,
    /// The last commit of the branch.
    pub(super) head: CommitId,
    /// Whether GitHub vouches for all of ours.
    pub(super) signed: bool,
    /// Commits made by this run.
    pub(super) made: usize,
    /// Whether they bring an older change up to date.
    pub(super) renewed: bool,
    /// Whether git pushed them, since the API takes no change of that size.
    pub(super) pushed: bool,
}

/// Why it stopped.
pub(super) enum Stop {
    /// Somebody else's commits are in the way.
    Conflict {
        /// Where the branch is.
        head: Option<CommitId>,
        /// Why.
        why: String,
    },
    /// It failed.
    Error(Box<StageError>),
}

impl<E: Into<StageError>> From<E> for Stop {
    fn from(error: E) -> Self {
        Self::Error(Box::new(error.into()))
    }
}

/// What a commit does to one path: content and mode, or its end.
type Files = BTreeMap<String, Option<(Vec<u8>, FileMode)>>;

/// One commit to make.
struct Step<'a> {
    subject: &'a str,
    below: String,
    files: Files,
    tree: TreeId,
    parent: CommitId,
    parent_tree: TreeId,
}

/// Adds what is missing on the branch.
pub(super) fn write(hub: &Hub<'_>, known: &Known<'_>, place: &Place) -> Result<Written, Stop> {
    let draft = known.draft;
    let trees = hub.local.trees(&BranchDraft {
        branch: place.branch.clone(),
        base: draft.base.clone(),
        commits: draft.commits.clone(),
        author: draft.author.clone(),
        expected: None,
    })?;
    let Some(goal) = trees.last() else { return Err(fault("the change has no commit").into()) };
    let there = place.ours.last().map(|commit| &commit.tree);
    let head = place.tip.clone().unwrap_or_else(|| draft.base.clone());
    // What mends an earlier change brings it up to date; what is half there of that is repaired.
    let renewed = known.evidence.task.follows.is_some() && place.ours.is_empty();
    let mut written =
        Written { commits: place.ours.clone(), head, signed: place.signed, made: 0, renewed, pushed: false };
    if there == Some(goal) {
        return Ok(written);
    }
    if place.extended {
        let why =
            format!("the branch `{}` holds commits of a person, and the change is another now", place.branch);
        return Err(Stop::Conflict { head: place.tip.clone(), why });
    }
    fit(known)?;
    let done = place.ours.len();
    let prefix =
        done <= trees.len() && place.ours.iter().zip(&trees).all(|(commit, tree)| commit.tree == *tree);
    if prefix {
        go_on(hub, known, place, &mut written, &trees)?;
    } else {
        renew(hub, known, place, &mut written, goal)?;
    }
    Ok(written)
}

/// Refuses a file that no way leads to GitHub for.
fn fit(known: &Known<'_>) -> Result<(), StageError> {
    for file in known.draft.commits.iter().flat_map(|commit| &commit.files) {
        let files = changes(std::slice::from_ref(file))?;
        if !size(&files).fits() {
            return Err(StageError::Refused {
                class: Class::Usage,
                what: format!("GitHub takes no file as large as `{}`: the limit is 100 MiB", file.path),
                help: "Leave the file out, or keep it in Git LFS or an object store.".into(),
            });
        }
    }
    Ok(())
}

/// Makes the commits that are not there yet.
fn go_on(
    hub: &Hub<'_>,
    known: &Known<'_>,
    place: &Place,
    written: &mut Written,
    trees: &[TreeId],
) -> Result<(), Stop> {
    let (draft, done) = (known.draft, place.ours.len());
    let missing: Vec<_> = draft.commits.iter().zip(trees).skip(done).collect();
    let files = missing.iter().map(|(commit, _)| changes(&commit.files)).collect::<Result<Vec<_>, _>>()?;
    if files.iter().any(|files| size(files).way(true) == Way::Push) {
        return by_push(hub, known, place, written, (done, place.tip.clone()));
    }
    if place.tip.is_none() {
        start(hub, place, &draft.base)?;
    }
    for (at, ((commit, tree), files)) in missing.into_iter().zip(files).enumerate() {
        let step = step(known, written, &commit.subject, below(commit), files, tree.clone());
        if size(&step.files).way(true) == Way::Call && by_call(hub, place, written, &step)? {
            continue;
        }
        // Without GraphQL what one call would have held can be too much for objects.
        if size(&step.files).way(false) == Way::Push {
            let tip = Some(written.head.clone());
            return by_push(hub, known, place, written, (done + at, tip));
        }
        by_objects(hub, place, written, &step)?;
    }
    Ok(())
}

/// Brings the older change on the branch to this one, by one commit.
fn renew(
    hub: &Hub<'_>,
    known: &Known<'_>,
    place: &Place,
    written: &mut Written,
    goal: &TreeId,
) -> Result<(), Stop> {
    written.renewed = true;
    let Some(last) = known.draft.commits.last() else { return Err(fault("the change has no commit").into()) };
    // A longer comparison would be cut, and what it leaves out would stay.
    let whole = place.compared.as_ref().is_some_and(|compared| compared.files.len() < COMPARED);
    let files = if whole { Some(renewal(hub, known, place)?) } else { None };
    match files.filter(|files| size(files).way(false) == Way::Objects) {
        Some(files) => {
            let step = step(known, written, &last.subject, below(last), files, goal.clone());
            by_objects(hub, place, written, &step)
        }
        None => by_push(hub, known, place, written, (known.draft.commits.len() - 1, place.tip.clone())),
    }
}

fn size(files: &Files) -> Size {
    let mut size = Size::default();
    for file in files.values() {
        size.add(file.as_ref().map(|(bytes, mode)| (bytes.len(), *mode == FileMode::Executable)));
    }
    size
}

fn start(hub: &Hub<'_>, place: &Place, base: &CommitId) -> Result<(), Stop> {
    match hub.write.create_branch(&place.branch, base) {
        Ok(()) => Ok(()),
        // Somebody, or an earlier try whose answer was lost, made it a moment ago.
        Err(ForgeError::Conflict { why, .. }) => match hub.read.branch_head(&place.branch)? {
            Some(head) if head == *base => Ok(()),
            head => Err(Stop::Conflict {
                head,
                why: format!("the branch `{}` was made at the same time: {why}", place.branch),
            }),
        },
        Err(error) => Err(error.into()),
    }
}

fn step<'a>(
    known: &Known<'_>,
    written: &Written,
    subject: &'a str,
    below: String,
    files: Files,
    tree: TreeId,
) -> Step<'a> {
    let parent_tree =
        written.commits.last().map_or_else(|| known.evidence.task.base.tree.clone(), |c| c.tree.clone());
    Step { subject, below, files, tree, parent: written.head.clone(), parent_tree }
}

fn changes(files: &[FileChange]) -> Result<Files, StageError> {
    let change = |file: &FileChange| {
        let broken = |error: crate::artifact::types::change_set::ChangeError| VcsError::Conflict {
            path: file.path.to_string(),
            why: error.why.to_owned(),
        };
        let bytes = file.bytes().map_err(broken)?;
        Ok((file.path.to_string(), bytes.map(|bytes| (bytes, file.mode))))
    };
    files.iter().map(change).collect()
}

/// Returns what turns the older change on the branch into this one.
fn renewal(hub: &Hub<'_>, known: &Known<'_>, place: &Place) -> Result<Files, StageError> {
    let mut files = Files::new();
    let touched = place.compared.iter().flat_map(|compared| &compared.files);
    let paths = touched.flat_map(|file| file.previous.iter().chain([&file.path]));
    let base = &known.evidence.task.base.tree;
    let entries = hub.vcs.entries(base)?;
    for path in paths {
        let before = entries.iter().find(|entry| entry.path == path.as_bytes()).map(|entry| entry.kind);
        let mode = match before {
            Some(EntryKind::Executable) => FileMode::Executable,
            _ => FileMode::Regular,
        };
        let content = hub.vcs.file(base, path)?;
        files.insert(path.clone(), content.map(|content| (content, mode)));
    }
    for commit in &known.draft.commits {
        files.extend(changes(&commit.files)?);
    }
    // What is gone already cannot be taken out again.
    let touched = place.compared.iter().flat_map(|compared| &compared.files);
    for file in touched {
        let gone = file.previous.as_ref().or((file.status == "removed").then_some(&file.path));
        if let Some(path) = gone.filter(|path| files.get(*path).is_some_and(Option::is_none)) {
            files.remove(path);
        }
    }
    Ok(files)
}

/// Makes a commit in the way GitHub signs for every token; false: this GitHub has no such call.
///
/// The call knows no modes, so a file that is executable on the base keeps its own only if it is one after too.
fn by_call(hub: &Hub<'_>, place: &Place, written: &mut Written, step: &Step<'_>) -> Result<bool, Stop> {
    let additions =
        step.files.iter().filter_map(|(path, file)| Some((path.clone(), file.as_ref()?.0.clone())));
    let deletions = step.files.iter().filter(|(_, file)| file.is_none()).map(|(path, _)| path.clone());
    let made = hub.write.commit_on_branch(&CommitOnBranch {
        branch: place.branch.clone(),
        expected: step.parent.clone(),
        headline: step.subject.to_owned(),
        body: step.below.clone(),
        additions: additions.collect(),
        deletions: deletions.collect(),
    });
    match made {
        Ok(id) => add(hub, written, &step.tree, &id).map(|()| true),
        Err(ForgeError::Unsupported { .. }) => Ok(false),
        Err(error) => Err(moved(hub, place, error)),
    }
}

/// Lets git bring the commits after the first `skip`, all in one push, to the branch as it was read.
fn by_push(
    hub: &Hub<'_>,
    known: &Known<'_>,
    place: &Place,
    written: &mut Written,
    (skip, tip): (usize, Option<CommitId>),
) -> Result<(), Stop> {
    let draft = known.draft;
    let push = PushDraft {
        draft: BranchDraft {
            branch: place.branch.clone(),
            base: draft.base.clone(),
            commits: draft.commits.clone(),
            author: draft.author.clone(),
            expected: tip,
        },
        skip,
        on: written.head.clone(),
    };
    let trees = hub.local.trees(&push.draft)?;
    let made = hub.write.push_commits(&push).map_err(|error| moved(hub, place, error))?;
    written.pushed = true;
    for (id, tree) in made.iter().zip(trees.iter().skip(skip)) {
        add(hub, written, tree, id)?;
    }
    Ok(())
}

/// Makes a commit from blobs and a tree, which is compared before the branch moves.
fn by_objects(hub: &Hub<'_>, place: &Place, written: &mut Written, step: &Step<'_>) -> Result<(), Stop> {
    let mut entries = Vec::new();
    for (path, file) in &step.files {
        let mode = match file {
            Some((_, FileMode::Executable)) => "100755",
            _ => "100644",
        };
        let blob = file.as_ref().map(|(bytes, _)| hub.write.create_blob(bytes)).transpose()?;
        entries.push(NewEntry { path: path.clone(), mode: mode.into(), blob });
    }
    let tree = hub.write.create_tree(&NewTree { base: step.parent_tree.clone(), entries })?;
    if tree != step.tree {
        return Err(other_tree(&tree, &step.tree).into());
    }
    let message = format!("{}\n\n{}\n", step.subject, step.below);
    let parents = vec![step.parent.clone()];
    let id = hub.write.create_commit(&NewCommit { message, tree, parents })?;
    match hub.write.advance_branch(&place.branch, &id) {
        Ok(()) => add(hub, written, &step.tree, &id),
        Err(error) => Err(moved(hub, place, error)),
    }
}

/// Looks at a commit that was made: it has to hold what was tested.
fn add(hub: &Hub<'_>, written: &mut Written, tree: &TreeId, id: &CommitId) -> Result<(), Stop> {
    let commit: Commit = hub.read.commit(id)?;
    if commit.tree != *tree {
        return Err(other_tree(&commit.tree, tree).into());
    }
    written.signed &= commit.verified;
    written.commits.push(reference(&commit));
    written.head = commit.id;
    written.made += 1;
    Ok(())
}

fn moved(hub: &Hub<'_>, place: &Place, error: ForgeError) -> Stop {
    match error {
        ForgeError::Conflict { why, .. } => Stop::Conflict {
            head: hub.read.branch_head(&place.branch).ok().flatten(),
            why: format!("the branch `{}` was moved by somebody else at the same time: {why}", place.branch),
        },
        error => error.into(),
    }
}

fn other_tree(there: &TreeId, tested: &TreeId) -> StageError {
    StageError::Refused {
        class: Class::Internal,
        what: format!("GitHub made the tree {there}, and {tested} was tested"),
        help: "Look at the branch before anything is merged; then delete it and run again.".into(),
    }
}

fn fault(what: &str) -> StageError {
    StageError::Refused {
        class: Class::Internal,
        what: what.to_owned(),
        help: "This is a fault of orch; please report it.".into(),
    }
}
