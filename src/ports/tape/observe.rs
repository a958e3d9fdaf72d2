//! What is known of a release, on a tape: every look with what was seen, refusals included.
//!
//! Must never let a look through that is not on the tape.

use super::{Divergence, Player, Recorder};
use crate::artifact::id::{CommitId, RunId};
use crate::artifact::path::RepoPath;
use crate::artifact::types::change_set::Content;
use crate::artifact::types::release::ChangeRun;
use crate::artifact::types::tape::Ask;
use crate::ports::observe::{CommitSeen, Observe, Point, Question, Seen, Unseen};

fn ask(call: &str, of: impl serde::Serialize) -> Ask {
    Ask::Observe { call: call.to_owned(), of: serde_json::to_value(of).unwrap_or_default() }
}

fn diverged(divergence: Divergence) -> Unseen {
    Unseen::new(divergence.to_string())
}

impl Observe for Recorder<'_> {
    fn file(&self, path: &RepoPath) -> Seen<Option<Vec<u8>>> {
        let seen = self.world.observe.file(path);
        let told = seen.as_ref().map(|file| file.clone().map(Content::from_bytes));
        self.kept.told(ask("file", path), told);
        seen
    }

    fn points(&self, question: &Question) -> Seen<Vec<Point>> {
        let seen = self.world.observe.points(question);
        self.kept.told(ask("points", question), &seen);
        seen
    }

    fn commits(&self, since: Option<&CommitId>, until: &CommitId) -> Seen<Vec<CommitSeen>> {
        let seen = self.world.observe.commits(since, until);
        self.kept.told(ask("commits", (since, until)), &seen);
        seen
    }

    fn is_on_branch(&self, commit: &CommitId, branch: &str) -> Seen<bool> {
        let seen = self.world.observe.is_on_branch(commit, branch);
        self.kept.told(ask("is-on-branch", (commit, branch)), &seen);
        seen
    }

    fn change(&self, run: &RunId) -> Seen<Option<ChangeRun>> {
        let seen = self.world.observe.change(run);
        self.kept.told(ask("change", run), &seen);
        seen
    }
}

impl Observe for Player<'_> {
    fn file(&self, path: &RepoPath) -> Seen<Option<Vec<u8>>> {
        let told: Seen<Option<Content>> = self.reel.take(&ask("file", path)).map_err(diverged)?;
        let broken = || Unseen::new(format!("`{path}` is broken base64 on the tape"));
        told?.map(|content| content.to_bytes().ok_or_else(broken)).transpose()
    }

    fn points(&self, question: &Question) -> Seen<Vec<Point>> {
        self.reel.take(&ask("points", question)).map_err(diverged)?
    }

    fn commits(&self, since: Option<&CommitId>, until: &CommitId) -> Seen<Vec<CommitSeen>> {
        self.reel.take(&ask("commits", (since, until))).map_err(diverged)?
    }

    fn is_on_branch(&self, commit: &CommitId, branch: &str) -> Seen<bool> {
        self.reel.take(&ask("is-on-branch", (commit, branch))).map_err(diverged)?
    }

    fn change(&self, run: &RunId) -> Seen<Option<ChangeRun>> {
        self.reel.take(&ask("change", run)).map_err(diverged)?
    }
}
