//! The pull request that puts the branch back: its commit made from trees and read back, its branch and itself found or made.
//!
//! Must never force a branch, merge anything, or show a change whose tree was not compared with what it is said to be.

use crate::artifact::id::{CommitId, TreeId};
use crate::artifact::types::promotion::{Act, ActKind};
use crate::artifact::types::pull_request::Outcome;
use crate::artifact::types::rollback::{GitEntry, Revert, Reverted};
use crate::diagnostic::Class;
use crate::ports::forge::{Commit, ForgeError, NewCommit, NewEntry, NewPull, NewTree, Pull, PullState};
use crate::stage::StageError;
use crate::stage::pr::{LINK_TRAILER, RUN_TRAILER};

use super::{Work, body, change};

/// The trailer that says what a commit takes back, and what to: the same, however often the gate is asked.
const TRAILER: &str = "Orch-Reverts";

pub(super) use crate::engine::revert::Revert as Request;

/// How the branch is put back.
pub(super) struct Back {
    /// Whether a run makes the change.
    pub(super) by_run: bool,
    /// What was done or seen; absent: nothing yet.
    pub(super) done: Option<Done>,
}

impl From<Done> for Back {
    fn from(done: Done) -> Self {
        Self { by_run: false, done: Some(done) }
    }
}

/// Who made the commit that goes back.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Maker {
    /// This stage.
    Proposal,
    /// The `pr` stage of a run.
    Run,
}

/// What was done.
pub(super) struct Done {
    pub(super) act: Act,
    pub(super) revert: Option<Revert>,
    pub(super) text: Option<String>,
}

/// What is to be done, before anything is written.
struct Plan {
    target: String,
    base: Commit,
    branch: String,
    files: Vec<Reverted>,
    conflicts: Vec<String>,
    also: Vec<CommitId>,
    wanted: change::Flat,
}

impl Plan {
    /// Tells whether a run can make the change: it compares files alone, and leaves what was changed again to people.
    fn fits_a_run(&self) -> bool {
        let is_file = |entry: &GitEntry| matches!(entry.mode.as_str(), "100644" | "100755");
        let mut entries = self.files.iter().flat_map(|file| file.before.iter().chain(&file.after));
        self.conflicts.is_empty() && entries.all(is_file)
    }
}

impl Work<'_> {
    /// Opens the pull request, finds it, or tells that a run can make it, where that is asked for.
    pub(super) fn revert(&self, by_run: bool) -> Result<Back, StageError> {
        let target = self.order.evidence.branch.clone();
        let branch = Request::branch(&self.bad.id, &self.good.id);
        let pulls = self.hub.read.pulls_of(&branch)?;
        if let Some(pull) = pulls.iter().find(|pull| pull.state != PullState::Open) {
            return Ok(self.over(pull, &branch).into());
        }
        let Some(head) = self.hub.read.branch_head(&target)? else {
            return Ok(self.nothing(Outcome::Conflict, format!("there is no branch `{target}`")).into());
        };
        let there = self.hub.read.branch_head(&branch)?;
        // What an earlier try committed rests on the target as it was then.
        let (base, made) = match &there {
            None => (self.hub.read.commit(&head)?, None),
            Some(tip) => {
                let tip = self.hub.read.commit(tip)?;
                let (Some(maker), [parent]) = (self.maker(&tip), tip.parents.as_slice()) else {
                    let why = format!("the branch `{branch}` holds commits that orch did not make");
                    return Ok(self.nothing(Outcome::Conflict, why).into());
                };
                (self.hub.read.commit(parent)?, Some((tip, maker)))
            }
        };
        let plan = match self.plan(target, branch, base)? {
            Ok(plan) => plan,
            Err(why) => return Ok(self.nothing(Outcome::Unchanged, why).into()),
        };
        let (commit, fresh) = match made {
            Some((tip, Maker::Run)) => return self.of_run(plan, &tip, pulls),
            Some((tip, Maker::Proposal)) => (tip, false),
            None if by_run && plan.fits_a_run() => return Ok(Back { by_run: true, done: None }),
            None => (self.commit(&plan)?, true),
        };
        self.check(&plan, &commit.tree)?;
        if fresh {
            self.hub.write.create_branch(&plan.branch, &commit.id)?;
        }
        let revert = self.told(plan, &commit);
        let text = body::render(self, &revert);
        let (pull, opened) = match pulls.into_iter().find(|pull| pull.state == PullState::Open) {
            Some(pull) => (pull, false),
            None => self.open(&revert, &text)?,
        };
        let outcome = match (fresh, opened) {
            (true, true) => Outcome::Created,
            (false, true) => Outcome::Repaired,
            (_, false) => Outcome::Unchanged,
        };
        let mut act = self.of_pull(outcome, &pull, &revert.branch);
        if !revert.conflicts.is_empty() {
            let files = revert.conflicts.len();
            act.why = Some(format!(
                "later commits changed {files} of the same files, so the whole last good tree is proposed, as a draft"
            ));
        }
        Ok(Done { act, revert: Some(revert), text: Some(text) }.into())
    }

    /// Tells who made a commit that goes back; `None`: nobody of ours.
    fn maker(&self, tip: &Commit) -> Option<Maker> {
        let has = |name: &str| {
            tip.message.lines().any(|line| line.strip_prefix(name).is_some_and(|rest| rest.starts_with(": ")))
        };
        if tip.message.lines().any(|line| line == self.trailer()) {
            return Some(Maker::Proposal);
        }
        (has(RUN_TRAILER) && has(LINK_TRAILER)).then_some(Maker::Run)
    }

    /// Looks whether what a run made is what goes back.
    fn of_run(&self, plan: Plan, tip: &Commit, pulls: Vec<Pull>) -> Result<Back, StageError> {
        if change::flat(&self.hub.read.tree(&tip.tree)?) != plan.wanted {
            let why =
                format!("the branch `{}` holds another change than the one that goes back", plan.branch);
            return Ok(self.nothing(Outcome::Conflict, why).into());
        }
        let done = pulls.into_iter().find(|pull| pull.state == PullState::Open).map(|pull| Done {
            act: self.of_pull(Outcome::Unchanged, &pull, &plan.branch),
            revert: Some(self.told(plan, tip)),
            text: None,
        });
        Ok(Back { by_run: true, done })
    }

    fn of_pull(&self, outcome: Outcome, pull: &Pull, branch: &str) -> Act {
        let mut act = self.act(outcome);
        act.name = Some(branch.to_owned());
        act.number = Some(pull.number.0);
        act.url = Some(pull.url.clone());
        act.state = Some(if pull.draft { "draft" } else { "open" }.into());
        act
    }

    fn act(&self, outcome: Outcome) -> Act {
        Act::new(ActKind::Revert, outcome, self.bad.id.clone())
    }

    fn nothing(&self, outcome: Outcome, why: String) -> Done {
        Done { act: self.act(outcome).because(why), revert: None, text: None }
    }

    /// A pull request that a person merged or closed stays so.
    fn over(&self, pull: &Pull, branch: &str) -> Done {
        let (outcome, word) = match pull.state {
            PullState::Merged => (Outcome::Unchanged, "merged"),
            PullState::Open | PullState::Closed => (Outcome::Declined, "closed"),
        };
        let mut done = self.nothing(outcome, format!("the pull request {} is {word}", pull.number));
        done.act.name = Some(branch.to_owned());
        done.act.number = Some(pull.number.0);
        done.act.url = Some(pull.url.clone());
        done.act.state = Some(word.into());
        done
    }

    fn trailer(&self) -> String {
        format!("{TRAILER}: {} to {}", self.bad.id, self.good.id)
    }

    /// Decides what changes, from trees alone; an error is why nothing has to.
    fn plan(&self, target: String, branch: String, base: Commit) -> Result<Result<Plan, String>, StageError> {
        let compared = self.hub.read.compare(self.bad.id.as_str(), base.id.as_str())?;
        if compared.behind_by > 0 {
            return Ok(Err(format!("the branch `{target}` does not hold the commit {}", self.bad.id)));
        }
        let read = |tree: &TreeId| self.hub.read.tree(tree).map(|tree| change::flat(&tree));
        let (good, bad) = (read(&self.good.tree)?, read(&self.bad.tree)?);
        let here = if base.tree == self.bad.tree { bad.clone() } else { read(&base.tree)? };
        let inverse = change::inverse(&good, &bad, &here);
        let (files, also) = if inverse.conflicts.is_empty() {
            (inverse.files, Vec::new())
        } else {
            if compared.ahead_by != compared.commits.len() as u64 {
                let why = "there are too many later commits to name them all".into();
                return Err(ForgeError::Broken { what: "compare the commits".into(), why }.into());
            }
            let later = compared.commits.iter().rev().map(|commit| commit.id.clone()).collect();
            (change::whole(&good, &here), later)
        };
        if files.is_empty() {
            return Ok(Err(format!("the branch `{target}` does not hold the change any more")));
        }
        let wanted = change::after(&here, &files);
        Ok(Ok(Plan { target, base, branch, files, conflicts: inverse.conflicts, also, wanted }))
    }

    /// Makes the commit; no branch points to it yet.
    fn commit(&self, plan: &Plan) -> Result<Commit, StageError> {
        let entry = |file: &Reverted| {
            let entry = file.after.as_ref();
            NewEntry {
                path: file.path.clone(),
                mode: entry
                    .or(file.before.as_ref())
                    .map_or_else(|| "100644".into(), |entry| entry.mode.clone()),
                blob: entry.map(|entry| entry.object.clone()),
            }
        };
        let entries = plan.files.iter().map(entry).collect();
        let tree = self.hub.write.create_tree(&NewTree { base: plan.base.tree.clone(), entries })?;
        self.check(plan, &tree)?;
        let message = format!(
            "{}\n\nThe release gate took the release of {} back.\n\nOrch-Run: {}\n{}\n",
            body::title(self),
            self.bad.id,
            self.order.run,
            self.trailer()
        );
        let parents = vec![plan.base.id.clone()];
        let id = self.hub.write.create_commit(&NewCommit { message, tree, parents })?;
        Ok(self.hub.read.commit(&id)?)
    }

    /// Reads a tree back and compares it, entry by entry, with what it has to be.
    fn check(&self, plan: &Plan, tree: &TreeId) -> Result<(), StageError> {
        let there = change::flat(&self.hub.read.tree(tree)?);
        if there == plan.wanted {
            return Ok(());
        }
        Err(StageError::Refused {
            class: Class::Internal,
            what: format!("the tree {tree} is not the one that goes back"),
            help: format!("Look at the branch `{}`, delete it and run again.", plan.branch),
        })
    }

    fn told(&self, plan: Plan, commit: &Commit) -> Revert {
        Revert {
            exact: commit.tree == self.good.tree,
            target: plan.target,
            base: plan.base.id,
            branch: plan.branch,
            commit: commit.id.clone(),
            tree: commit.tree.clone(),
            files: plan.files,
            conflicts: plan.conflicts,
            also: plan.also,
        }
    }

    fn open(&self, revert: &Revert, text: &str) -> Result<(Pull, bool), StageError> {
        let mut new = NewPull {
            title: body::title(self),
            body: text.to_owned(),
            head: revert.branch.clone(),
            base: revert.target.clone(),
            draft: !revert.conflicts.is_empty(),
        };
        match self.hub.write.open_pull(&new) {
            Ok(pull) => Ok((pull, true)),
            Err(error @ ForgeError::Conflict { .. }) => {
                let all = self.hub.read.pulls_of(&revert.branch)?;
                let open = all.into_iter().find(|pull| pull.state == PullState::Open);
                Ok((open.ok_or(error)?, false))
            }
            // Private repositories of free plans have no drafts; the text says what it takes back.
            Err(ForgeError::Invalid { why, .. })
                if new.draft && why.to_ascii_lowercase().contains("draft") =>
            {
                new.draft = false;
                Ok((self.hub.write.open_pull(&new)?, true))
            }
            Err(error) => Err(error.into()),
        }
    }
}
