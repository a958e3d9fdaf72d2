//! Walks a pipeline: which stage is next, in which round, and when to stop.
//!
//! Must never look into an artifact: it knows exit codes and nothing else, as a CI system would.

use std::collections::BTreeMap;

use super::definition::{LoopBody, Pipeline, StageStep, Step};
use crate::artifact::id::{Round, StageId};
use crate::diagnostic::Class;
use crate::stage::registry;
use crate::stage::runner::{Position, RunError, Runner, StageRun};
use crate::stage::{Request, StageError};
use crate::telemetry::Event;

/// How far a pipeline is walked.
#[derive(Clone, Copy, Debug, Default)]
pub struct Bounds {
    /// Run this stage and everything after it again.
    pub from: Option<StageId>,
    /// Stop after this stage.
    pub until: Option<StageId>,
}

/// How a walk ended.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Walk {
    /// Every stage that ran or was used again, in order.
    pub stages: Vec<StageRun>,
    /// The documented exit code of the whole.
    pub exit: u8,
    /// Why it is not 0.
    pub reason: Option<String>,
}

struct Walker<'a> {
    runner: &'a Runner<'a>,
    bounds: Bounds,
    request: Option<&'a Request>,
    /// The last exit code of every stage that ran.
    exits: BTreeMap<StageId, u8>,
    walk: Walk,
    /// True once the stage named by `until` has ended.
    at_end: bool,
    /// True once the files from `from` on have been put away.
    forgotten: bool,
    /// True once a stage of a loop ended so that there is nothing its last stage could judge.
    cut_short: bool,
}

/// Walks a pipeline to its end, its bounds, or the first stage that stops it.
pub fn walk(
    pipeline: &Pipeline,
    runner: &Runner<'_>,
    bounds: Bounds,
    request: Option<&Request>,
) -> Result<Walk, RunError> {
    let walk = Walk { stages: Vec::new(), exit: 0, reason: None };
    let mut walker = Walker {
        runner,
        bounds,
        request,
        exits: BTreeMap::new(),
        walk,
        at_end: false,
        forgotten: false,
        cut_short: false,
    };
    for step in &pipeline.steps {
        match step {
            // A laptop is no CI system: nobody there waits for people and programs of a forge.
            Step::Stage(step) if step.only.is_some() => {}
            Step::Stage(step) => {
                walker.stage(step, Round::FIRST, None)?;
                walker.at_end = bounds.until == Some(step.stage);
            }
            Step::Loop(step) => {
                walker.rounds(&step.body)?;
                walker.at_end |= bounds.until == Some(step.body.until);
            }
            // Here it is made when a stage first asks.
            Step::Index(_) => {}
        }
        if walker.at_end {
            break;
        }
    }
    Ok(walker.walk)
}

impl Walker<'_> {
    /// Runs a stage if its condition holds; tells whether it ran and ended with 0.
    fn stage(&mut self, step: &StageStep, round: Round, horizon: Option<Round>) -> Result<bool, RunError> {
        let id = step.stage;
        if let Some(why) = self.unmet(step) {
            self.runner.events.emit(&Event::StageSkipped { stage: id, why });
            return Ok(false);
        }
        let Some(stage) = registry::stage(id) else {
            let source = StageError::MissingInput { path: id.to_string() };
            return Err(RunError::Stage { stage: id, round, source });
        };
        let horizon = match horizon {
            Some(horizon) => horizon,
            None => self.runner.chain()?.last_round(),
        };
        if self.bounds.from == Some(id) && !self.forgotten {
            self.forgotten = true;
            self.runner.forget(id, round)?;
        }
        // What is asked for at the start of a run is no approval of its end.
        let request = self.request.filter(|_| stage.spec().inputs.is_empty());
        let run = self.runner.run(stage, Position { round, horizon }, request)?;
        self.exits.insert(id, run.exit);
        let ok = run.exit == 0;
        self.walk.stages.push(run);
        self.conclude();
        Ok(ok)
    }

    /// Returns why a stage is left out, if it is.
    fn unmet(&self, step: &StageStep) -> Option<String> {
        if let Some(when) = &step.if_ran
            && let Some(exit) = self.exits.get(&when.stage).filter(|exit| !when.exits.contains(exit))
        {
            return Some(format!("{} ended with {exit}", when.stage));
        }
        if let Some(when) = &step.when {
            return match self.exits.get(&when.stage) {
                Some(exit) if when.exits.contains(exit) => None,
                Some(exit) => Some(format!("{} ended with {exit}", when.stage)),
                None => Some(format!("{} did not run", when.stage)),
            };
        }
        self.exits.iter().find(|(_, exit)| **exit != 0).map(|(id, exit)| format!("{id} ended with {exit}"))
    }

    /// Runs rounds until the last stage is content, the rounds are used up, or a stage cannot go on.
    fn rounds(&mut self, body: &LoopBody) -> Result<(), RunError> {
        if let Some(first) = body.steps.first()
            && let Some(why) = self.unmet(first)
        {
            for step in &body.steps {
                self.runner.events.emit(&Event::StageSkipped { stage: step.stage, why: why.clone() });
            }
            return Ok(());
        }
        let mut round = Round::FIRST;
        loop {
            match self.round(body, round) {
                Ok(true) => return Ok(()),
                Ok(false) if self.at_end || self.cut_short => return Ok(()),
                Ok(false) => {}
                // An engine that has nothing more to offer ends the loop with the report of the last round.
                Err(RunError::Stage { source: StageError::Engine(error), .. })
                    if round > Round::FIRST && is_stuck(&error) =>
                {
                    self.give_up(body, &error.to_string());
                    return Ok(());
                }
                Err(error) => return Err(error),
            }
            if round.get() >= self.runner.config.verify.rounds {
                self.give_up(body, &format!("{} rounds did not make it pass", round.get()));
                return Ok(());
            }
            for step in &body.steps {
                self.exits.remove(&step.stage);
            }
            round = round.next();
        }
    }

    /// Runs one round; tells whether its last stage was content.
    fn round(&mut self, body: &LoopBody, round: Round) -> Result<bool, RunError> {
        for step in &body.steps {
            let ok = self.stage(step, round, Some(round))?;
            self.at_end = self.bounds.until == Some(step.stage) && step.stage != body.until;
            // Only the last stage's report is something another round could answer; any other end is a person's to read.
            self.cut_short = !ok && step.stage != body.until;
            if self.cut_short {
                let why = self.unmet(step).unwrap_or_default();
                for left in body.steps.iter().skip_while(|left| left.stage != step.stage).skip(1) {
                    self.runner.events.emit(&Event::StageSkipped { stage: left.stage, why: why.clone() });
                }
            }
            if !ok || self.at_end {
                return Ok(false);
            }
        }
        Ok(self.exits.get(&body.until) == Some(&0))
    }

    /// Ends the loop without success: failing tests stay failing tests, whatever ended the loop.
    fn give_up(&mut self, body: &LoopBody, why: &str) {
        let last = self.walk.stages.iter().rev().find(|run| run.stage == body.until);
        let exit = last.map_or(Class::NotConverged.exit_code(), |run| run.exit);
        self.exits.insert(body.until, exit);
        let reason = last.and_then(|run| run.reason.clone());
        self.walk.exit = exit;
        self.walk.reason = Some(reason.map_or_else(|| why.to_owned(), |reason| format!("{reason}; {why}")));
    }

    /// The whole ends as its first stage that did not end with 0, counting only the last round of a loop.
    fn conclude(&mut self) {
        let last = |id: &StageId| self.walk.stages.iter().rev().find(|run| run.stage == *id);
        let first = self.exits.iter().find(|(_, exit)| **exit != 0).and_then(|(id, _)| last(id));
        (self.walk.exit, self.walk.reason) = first.map_or((0, None), |run| (run.exit, run.reason.clone()));
    }
}

fn is_stuck(error: &crate::engine::EngineError) -> bool {
    matches!(error, crate::engine::EngineError::Stuck { .. })
}
