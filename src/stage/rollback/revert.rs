//! The pull request that puts the branch back: its commit made from trees and read back, its branch and itself found or made.
//!
//! Must never force a branch, merge anything, or show a change whose tree was not compared with what it is said to be.

use crate::artifact::id::{CommitId, TreeId};
use crate::artifact::types::promotion::{Act, ActKind};
use crate::artifact::types::pull_request::Outcome;
use crate::artifact::types::rollback::{Revert, Reverted};
use crate::diagnostic::Class;
use crate::ports::forge::{Commit, ForgeError, NewCommit, NewEntry, NewPull, NewTree, Pull, PullState};
use crate::stage::StageError;

use super::{Work, body, change};

/// The trailer that says what a commit takes back, and what to: the same, however often the gate is asked.
const TRAILER: &str = "Orch-Reverts";
/// So many digits of a commit are in a name.
const SHORT: usize = 12;

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

impl Work<'_> {
    /// Opens the pull request, or finds it.
    pub(super) fn revert(&self) -> Result<Done, StageError> {
        let target = self.order.evidence.branch.clone();
        let branch = self.branch();
        let pulls = self.hub.read.pulls_of(&branch)?;
        if let Some(pull) = pulls.iter().find(|pull| pull.state != PullState::Open) {
            return Ok(self.over(pull, &branch));
        }
        let Some(head) = self.hub.read.branch_head(&target)? else {
            return Ok(self.nothing(Outcome::Conflict, format!("there is no branch `{target}`")));
        };
        let there = self.hub.read.branch_head(&branch)?;
        // What an earlier try committed rests on the target as it was then.
        let (base, made) = match &there {
            None => (self.hub.read.commit(&head)?, None),
            Some(tip) => {
                let tip = self.hub.read.commit(tip)?;
                let ours = tip.message.lines().any(|line| line == self.trailer());
                let (true, [parent]) = (ours, tip.parents.as_slice()) else {
                    let why = format!("the branch `{branch}` holds commits that orch did not make");
                    return Ok(self.nothing(Outcome::Conflict, why));
                };
                (self.hub.read.commit(parent)?, Some(tip))
            }
        };
        let plan = match self.plan(target, branch, base)? {
            Ok(plan) => plan,
            Err(why) => return Ok(self.nothing(Outcome::Unchanged, why)),
        };
        let (commit, fresh) = match made {
            Some(tip) => (tip, false),
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
        let mut act = self.act(outcome);
        act.name = Some(revert.branch.clone());
        act.number = Some(pull.number.0);
        act.url = Some(pull.url);
        act.state = Some(if pull.draft { "draft" } else { "open" }.into());
        if !revert.conflicts.is_empty() {
            let files = revert.conflicts.len();
            act.why = Some(format!(
                "later commits changed {files} of the same files, so the whole last good tree is proposed, as a draft"
            ));
        }
        Ok(Done { act, revert: Some(revert), text: Some(text) })
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

    /// Returns the branch's name: the same for the same way back.
    fn branch(&self) -> String {
        let short = |commit: &CommitId| commit.as_str().chars().take(SHORT).collect::<String>();
        format!("revert/{}-to-{}", short(&self.bad.id), short(&self.good.id))
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
