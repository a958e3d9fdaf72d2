//! `orch upgrade promote` and `rollback`: the candidate in place, or what was there before, byte for byte.

use serde::Serialize;

use super::{Found, evaluate, find};
use crate::artifact::digest::Digest;
use crate::artifact::types::change_set::FileChange;
use crate::cli::CommandError;
use crate::cli::args::Global;
use crate::cli::output::Output;
use crate::cli::session::Session;
use crate::diagnostic::text::count;
use crate::upgrade::files::{self, DECISION, EVALUATION, PROPOSAL, Read};
use crate::upgrade::switch::{Standing, make, standing, undo};
use crate::upgrade::types::{Action, ControlOutcome, Evaluation, Outcome, Proposal, Switch, UpgradeDecision};
use crate::upgrade::{UpgradeError, candidate, judge};

#[derive(Serialize)]
struct Done<'a> {
    upgrade: &'a str,
    action: Action,
    changed: bool,
    files: Vec<&'a str>,
}

/// Makes the candidate the default.
pub fn promote(
    name: Option<&str>,
    session: &Session,
    global: &Global,
    output: &Output,
) -> Result<u8, CommandError> {
    let found = find(session, name)?;
    let _lock = session.lock(&found.id)?;
    let proposal = files::needed::<Proposal>(&found.store, PROPOSAL, "Propose it first.")?;
    candidate::check(&proposal.body, &session.config, crate::cli::desk::is_words)?;
    let (evaluation, decision) = decided(&found, session, &proposal)?;
    // Not the word of a file: the runs themselves say it again.
    if evaluate::again(&found, &proposal.body, &evaluation, session, global, output)? != evaluation.runs {
        return Err(unbound(EVALUATION, "is not what the recorded and the tried runs say").into());
    }
    let changes = &proposal.body.files;
    if standing(&session.root, changes) == Standing::After {
        return done(&found, Action::Promote, changes, false, output);
    }
    let undo = undo(&session.root, changes)?;
    switch(&found, session, Action::Promote, decision, changes.clone(), undo)?;
    done(&found, Action::Promote, changes, true, output)
}

/// Puts back what was there before the last promotion.
pub fn rollback(name: Option<&str>, session: &Session, output: &Output) -> Result<u8, CommandError> {
    let found = find(session, name)?;
    let _lock = session.lock(&found.id)?;
    let switches = files::switches(&found.store)?;
    let Some(promoted) = switches.into_iter().rev().find(|switch| switch.action == Action::Promote) else {
        return Err(UpgradeError::refused(
            format!("`{}` was never promoted", found.id),
            "There is nothing to put back.",
        )
        .into());
    };
    let changes = &promoted.undo;
    if standing(&session.root, changes) == Standing::After {
        return done(&found, Action::Rollback, changes, false, output);
    }
    let undo = undo(&session.root, changes)?;
    switch(&found, session, Action::Rollback, promoted.decision.clone(), changes.clone(), undo)?;
    done(&found, Action::Rollback, changes, true, output)
}

/// Returns the digest of a decision that lets the candidate become the default, made again from what it rests on.
fn decided(
    found: &Found,
    session: &Session,
    proposal: &Read<Proposal>,
) -> Result<(Evaluation, Digest), UpgradeError> {
    let help = "Evaluate it first: `orch upgrade evaluate`.";
    let evaluation = files::needed::<Evaluation>(&found.store, EVALUATION, help)?;
    let decision = files::needed::<UpgradeDecision>(&found.store, DECISION, help)?;
    if (&evaluation.body.proposal, &evaluation.body.id) != (&proposal.digest, &proposal.body.id) {
        return Err(unbound(EVALUATION, "is of another proposal"));
    }
    let sums = crate::upgrade::measure::totals(evaluation.body.kind, &evaluation.body.runs);
    if evaluation.body.kind != proposal.body.kind || sums != evaluation.body.totals {
        return Err(unbound(EVALUATION, "does not add up"));
    }
    // The rules and thresholds of now decide, not those of a file.
    let again = judge::judge(&evaluation, &session.config.upgrade)?;
    if again.decision != Outcome::Promote {
        let why = again.controls.iter().filter(|control| control.outcome != ControlOutcome::Held);
        return Err(UpgradeError::NotPromoted {
            decision: again.decision.as_str(),
            why: why.map(|control| control.why.as_str()).collect::<Vec<_>>().join("; "),
            hold: again.decision == Outcome::Hold,
        });
    }
    if again != decision.body {
        return Err(unbound(DECISION, "is not what rules and thresholds of now decide"));
    }
    Ok((evaluation.body, decision.digest))
}

fn unbound(path: &str, why: &str) -> UpgradeError {
    UpgradeError::Unbound { path: path.to_owned(), why: why.to_owned() }
}

/// Notes the switch with what takes it back, then makes it: a kill between the two leaves the files as they were.
fn switch(
    found: &Found,
    session: &Session,
    action: Action,
    decision: Digest,
    changes: Vec<FileChange>,
    undo: Vec<FileChange>,
) -> Result<(), CommandError> {
    let number = u32::try_from(files::switches(&found.store)?.len()).unwrap_or(u32::MAX).saturating_add(1);
    let switch = Switch {
        id: found.id.clone(),
        number,
        action,
        decision,
        by: session.vcs.person(),
        at: session.clock().now().to_string(),
        files: changes,
        undo,
    };
    files::write(&found.store, &files::switch(number), &switch)?;
    Ok(make(&session.root, &switch.files)?)
}

fn done(
    found: &Found,
    action: Action,
    changes: &[FileChange],
    switched: bool,
    output: &Output,
) -> Result<u8, CommandError> {
    let files = changes.iter().map(|file| file.path.as_str()).collect();
    let done = Done { upgrade: found.id.as_str(), action, changed: switched, files };
    output.show(&done, |out| {
        let what = count(done.files.len(), "file");
        match (action, switched) {
            (Action::Promote, true) => writeln!(out, "{}: the candidate is in place, {what}.", done.upgrade)?,
            (Action::Promote, false) => writeln!(out, "{}: the candidate was in place.", done.upgrade)?,
            (Action::Rollback, true) => {
                writeln!(out, "{}: what was there before is in place, {what}.", done.upgrade)?;
            }
            (Action::Rollback, false) => {
                writeln!(out, "{}: what was there before was in place.", done.upgrade)?;
            }
        }
        if switched { writeln!(out, "Commit it: it counts for changes made on that commit.") } else { Ok(()) }
    })?;
    Ok(0)
}
