//! The debate as a state machine: events in, what to do next out.
//!
//! Must never ask anybody, read a file or run a check: whoever drives it does, and tells what came of it. Must end after a
//! bounded number of turns, whatever the events are.

use std::collections::BTreeSet;

use crate::artifact::digest::Digest;
use crate::artifact::types::debate::{
    Claim, DebateRisk, LeftOut, Message, MessageKind, RiskAnswer, RiskOutcome,
};

use super::convergence::{Change, ExitRule, Standing, blocks, keys, prefer, shrank};

/// The name messages of this program carry.
const SELF: &str = "orch";

/// How far a debate may go.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Limits {
    /// How often a submission may be repaired.
    pub repairs: u32,
    /// How many turns there may be in all, the closing one left out.
    pub turns: u32,
    /// Whether a repaired submission is judged again; where not, its answers decide.
    pub recheck: bool,
    /// What submissions are.
    pub kind: MessageKind,
}

impl Limits {
    /// One critique of a plan, one revision: more talk does not make plans better.
    pub const PLAN: Self = Self { repairs: 2, turns: 6, recheck: false, kind: MessageKind::Propose };
    /// Two repairs of a change: later ones mend little.
    pub const CHANGE: Self = Self { repairs: 2, turns: 8, recheck: true, kind: MessageKind::Implement };
}

/// Who speaks.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Speaker {
    /// The role.
    pub role: String,
    /// The model.
    pub model: Option<String>,
    /// The exchange it came from.
    pub exchange: Option<Digest>,
}

/// A plan or a change that was submitted.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Submission {
    /// Who made it.
    pub by: Speaker,
    /// The digest of what was submitted.
    pub subject: Digest,
    /// What changed since the submission before, or since the base.
    pub change: Change,
    /// How many lines it changes in all.
    pub size: u64,
    /// What checks of this program find wrong with it.
    pub faults: BTreeSet<String>,
    /// What its author says of it.
    pub summary: String,
    /// What is claimed.
    pub claims: Vec<Claim>,
    /// How risks were answered.
    pub answers: Vec<RiskAnswer>,
    /// How many citations were dropped.
    pub dropped: u32,
    /// What its author was not shown.
    pub left_out: Vec<LeftOut>,
}

/// A judgement of the latest submission.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Critique {
    /// Who judges.
    pub by: Speaker,
    /// The judgement in a few words.
    pub summary: String,
    /// What is claimed.
    pub claims: Vec<Claim>,
    /// What may go wrong.
    pub risks: Vec<DebateRisk>,
    /// How many citations were dropped.
    pub dropped: u32,
    /// What the critic was not shown.
    pub left_out: Vec<LeftOut>,
}

/// Something that happened.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Event {
    /// A submission came and was checked.
    Submitted(Box<Submission>),
    /// Every critic has judged, none having seen another's judgement.
    Critiqued(Vec<Critique>),
    /// A role says that it cannot be done.
    CannotBeDone {
        /// Which.
        by: Speaker,
        /// Why.
        reason: String,
    },
    /// Nobody can be asked any more.
    Stopped {
        /// By which rule.
        rule: ExitRule,
        /// Why.
        why: String,
    },
}

/// What to do next.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Step {
    /// Ask for a submission; the first one, or a repair.
    Submit {
        /// The risks to be answered, those that block first; empty for the first submission.
        risks: Vec<DebateRisk>,
        /// What checks found wrong with the submission before.
        faults: BTreeSet<String>,
    },
    /// Ask the critics.
    Critique,
    /// It is over.
    End(End),
}

/// How a debate ended.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct End {
    /// By which rule.
    pub rule: ExitRule,
    /// Why, one sentence.
    pub why: String,
    /// How many turns it took, the closing one included.
    pub turns: u32,
}

impl End {
    /// Tells whether there was agreement.
    pub fn converged(&self) -> bool {
        self.rule == ExitRule::Converged
    }
}

/// A debate.
#[derive(Debug)]
pub struct Debate {
    limits: Limits,
    turn: u32,
    repairs: u32,
    messages: Vec<Message>,
    subjects: Vec<(Digest, Standing)>,
    last_change: Option<Change>,
    faults: BTreeSet<String>,
    risks: Vec<DebateRisk>,
    claims: Vec<Claim>,
    answered: BTreeSet<Digest>,
    next: Step,
}

impl Debate {
    /// Opens a debate.
    pub fn new(limits: Limits) -> Self {
        let next = Step::Submit { risks: Vec::new(), faults: BTreeSet::new() };
        Self {
            limits,
            turn: 0,
            repairs: 0,
            messages: Vec::new(),
            subjects: Vec::new(),
            last_change: None,
            faults: BTreeSet::new(),
            risks: Vec::new(),
            claims: Vec::new(),
            answered: BTreeSet::new(),
            next,
        }
    }

    /// Opens a debate that goes on from a submission of an earlier round: coming back with the same is no progress.
    pub fn resume(limits: Limits, earlier: Digest, change: Change, tests_passed: u64) -> Self {
        let mut debate = Self::new(limits);
        debate.last_change = Some(change);
        debate.subjects.push((earlier, Standing { faults: 1, tests_passed, ..Standing::default() }));
        debate
    }

    /// Returns what to do next.
    pub fn step(&self) -> &Step {
        &self.next
    }

    /// Returns the turn that is being made, from 1.
    pub fn turn(&self) -> u32 {
        self.turn + 1
    }

    /// Returns what was said, oldest first.
    pub fn messages(&self) -> &[Message] {
        &self.messages
    }

    /// Returns the risks that are open against the latest submission, and the claims made about it.
    pub fn open(&self) -> (&[DebateRisk], &[Claim]) {
        (&self.risks, &self.claims)
    }

    /// Returns the best submission so far: by checks, tests and size, never by votes.
    pub fn best(&self) -> Option<&Digest> {
        self.subjects.iter().min_by(|a, b| prefer(&a.1, &b.1)).map(|(subject, _)| subject)
    }

    /// Takes an event and returns what to do next.
    pub fn on(&mut self, event: Event) -> &Step {
        let next = match (&self.next, event) {
            (Step::End(_), _) => return &self.next,
            (_, Event::Stopped { rule, why }) => self.end(rule, why),
            (_, Event::CannotBeDone { by, reason }) => self.cannot(by, &reason),
            (Step::Submit { .. }, Event::Submitted(submission)) => self.submitted(*submission),
            (Step::Critique, Event::Critiqued(critiques)) => self.critiqued(critiques),
            (_, Event::Submitted(_) | Event::Critiqued(_)) => {
                self.end(ExitRule::OutOfTurn, "something came that nobody asked for".into())
            }
        };
        self.next = next;
        &self.next
    }

    fn submitted(&mut self, submission: Submission) -> Step {
        self.turn += 1;
        let seen = self.subjects.iter().any(|(subject, _)| *subject == submission.subject);
        let reverses = self.last_change.as_ref().is_some_and(|last| submission.change.reverses(last));
        let first = self.subjects.is_empty();
        let before = std::mem::replace(&mut self.faults, submission.faults.clone());
        let open = self.unanswered(&submission.answers);
        let standing = Standing {
            faults: submission.faults.len(),
            size: submission.size,
            turn: self.turn,
            ..Standing::default()
        };
        self.subjects.push((submission.subject.clone(), standing));
        self.last_change = Some(submission.change.clone());
        self.say(submission);
        if seen {
            return self.end(ExitRule::Flapping, "the same was submitted before".into());
        }
        if reverses {
            return self.end(ExitRule::Flapping, "the submission takes back most of the one before".into());
        }
        if !self.faults.is_empty() {
            if !before.is_empty() && !first && !shrank(&before, &self.faults) {
                let why = format!("what is wrong did not become less: {}", self.first_fault());
                return self.end(ExitRule::NoProgress, why);
            }
            return self.repair(format!("a check still fails: {}", self.first_fault()));
        }
        if self.judged() && !self.limits.recheck {
            return match open {
                Some(risk) => {
                    self.end(ExitRule::OpenRisk, format!("a high risk is not mended: {}", risk.why))
                }
                None => self.agree("every high risk was answered, and all checks pass"),
            };
        }
        self.within_turns(Step::Critique)
    }

    /// Tells whether there was a critique already.
    fn judged(&self) -> bool {
        self.messages.iter().any(|message| message.kind == MessageKind::Critique)
    }

    fn first_fault(&self) -> String {
        self.faults.iter().next().cloned().unwrap_or_default()
    }

    /// Returns a blocking risk that a submission does not say it mends.
    fn unanswered(&self, answers: &[RiskAnswer]) -> Option<DebateRisk> {
        let fixed = |risk: &&DebateRisk| {
            answers.iter().any(|answer| answer.risk == risk.id && answer.outcome == RiskOutcome::Fixed)
        };
        self.risks.iter().filter(|risk| blocks(risk)).find(|risk| !fixed(risk)).cloned()
    }

    fn critiqued(&mut self, critiques: Vec<Critique>) -> Step {
        self.turn += 1;
        if critiques.is_empty() {
            return self.end(ExitRule::OutOfTurn, "nobody judged".into());
        }
        self.risks.clear();
        self.claims.clear();
        let many = critiques.len() > 1;
        for critique in critiques {
            for risk in &critique.risks {
                // Ids are unique per critic only.
                let id = if many { format!("{}:{}", critique.by.role, risk.id) } else { risk.id.clone() };
                self.risks.push(DebateRisk { id, ..risk.clone() });
            }
            self.claims.extend(critique.claims.iter().filter(|claim| !claim.evidence.is_empty()).cloned());
            self.say_critique(critique);
        }
        self.risks.sort_by_key(|risk| (!blocks(risk), std::cmp::Reverse(risk.severity)));
        let open = self.risks.iter().filter(|risk| blocks(risk)).count();
        if let Some((_, standing)) = self.subjects.last_mut() {
            standing.open_high = Some(open);
        }
        if open == 0 {
            return self.agree("all checks pass, and no high risk with evidence is open");
        }
        let blocking: BTreeSet<Digest> =
            self.risks.iter().filter(|risk| blocks(risk)).flat_map(keys).collect();
        if !blocking.is_disjoint(&self.answered) {
            let why = "a high risk came back after it had been answered".to_owned();
            return self.end(ExitRule::Repetition, why);
        }
        self.answered.extend(blocking);
        self.repair(format!("{open} high risk(s) with evidence are open"))
    }

    /// Asks for a repair where there may be one more.
    fn repair(&mut self, why: String) -> Step {
        if self.repairs >= self.limits.repairs {
            let rounds = self.limits.repairs;
            return self.end(ExitRule::RepairRounds, format!("after {rounds} repairs, {why}"));
        }
        self.repairs += 1;
        let step = Step::Submit { risks: self.risks.clone(), faults: self.faults.clone() };
        self.within_turns(step)
    }

    fn within_turns(&mut self, step: Step) -> Step {
        if self.turn < self.limits.turns {
            return step;
        }
        self.end(ExitRule::Turns, format!("{} turns were made without agreement", self.turn))
    }

    fn agree(&mut self, why: &str) -> Step {
        self.end(ExitRule::Converged, why.to_owned())
    }

    fn cannot(&mut self, by: Speaker, reason: &str) -> Step {
        self.turn += 1;
        let why = format!("{} says that it cannot be done: {reason}", by.role);
        let kind = if matches!(self.next, Step::Critique) { MessageKind::Critique } else { self.limits.kind };
        let message = self.message(by, kind, reason.to_owned());
        self.messages.push(message);
        self.end(ExitRule::CannotBeDone, why)
    }

    /// Closes the debate: the reason is the last message, said by code.
    fn end(&mut self, rule: ExitRule, why: String) -> Step {
        self.turn += 1;
        let by = Speaker { role: SELF.into(), model: None, exchange: None };
        let message = self.message(by, MessageKind::Verify, format!("{rule}: {why}"));
        self.messages.push(message);
        Step::End(End { rule, why, turns: self.turn })
    }

    fn message(&self, by: Speaker, kind: MessageKind, summary: String) -> Message {
        Message {
            turn: self.turn,
            role: by.role,
            kind,
            model: by.model,
            exchange: by.exchange,
            subject: self.subjects.last().map_or_else(|| Digest::of(""), |(subject, _)| subject.clone()),
            summary,
            claims: Vec::new(),
            risks: Vec::new(),
            answers: Vec::new(),
            dropped_citations: 0,
            left_out: Vec::new(),
        }
    }

    fn say(&mut self, submission: Submission) {
        let mut message = self.message(submission.by, self.limits.kind, submission.summary);
        message.claims = submission.claims;
        message.answers = submission.answers;
        message.dropped_citations = submission.dropped;
        message.left_out = submission.left_out;
        self.messages.push(message);
    }

    fn say_critique(&mut self, critique: Critique) {
        let mut message = self.message(critique.by, MessageKind::Critique, critique.summary);
        message.claims = critique.claims;
        message.risks = critique.risks;
        message.dropped_citations = critique.dropped;
        message.left_out = critique.left_out;
        self.messages.push(message);
    }
}

#[cfg(test)]
#[path = "machine_tests.rs"]
mod tests;
