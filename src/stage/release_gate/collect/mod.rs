//! What is known of a release, gathered: one file per source.
//!
//! A source that fails leaves its part out and says why; the gate goes on and counts it as missing. Must never decide
//! anything, and must never put in a number that nobody measured.

mod calendar;
mod changes;
mod deployments;
mod file;
mod forge;
mod history;
mod measures;
mod prometheus;
mod pulls;
mod rollback;
mod sbom;
mod waivers;

pub use file::sums;

use jiff::Timestamp;

use crate::artifact::digest::{CanonicalError, Digest};
use crate::artifact::types::release::{
    FactName, Facts, OwnRules, ReleaseEvidence, ReleaseRequest, SourceOutcome, SourceRecord,
};
use crate::config::{Config, ReleaseEnvironment};
use crate::ports::forge::ForgeRead;
use crate::ports::observe::{Observe, Seen};
use crate::ports::vcs::VcsRead;

/// What a collector is handed.
pub struct Gathering<'a> {
    /// What is asked.
    pub request: &'a ReleaseRequest,
    /// The config of releases, and of all else.
    pub config: &'a Config,
    /// The environment the release goes to.
    pub environment: &'a ReleaseEnvironment,
    /// The forge; absent: there is none, or no token for it.
    pub hub: Option<&'a dyn ForgeRead>,
    /// Files, metrics, history and change runs.
    pub observe: &'a dyn Observe,
    /// The repository.
    pub vcs: &'a dyn VcsRead,
    /// The rules that the repository adds, as the released commit has them.
    pub rules: Vec<OwnRules>,
    /// The moment the collection began: every time is held against it.
    pub now: Timestamp,
}

/// What was gathered so far; collectors later in the list may build on it.
#[derive(Clone, Debug, Default)]
pub struct Gathered {
    /// The facts.
    pub facts: Facts,
    /// Where they come from.
    pub sources: Vec<SourceRecord>,
    at: String,
}

/// A source of facts.
pub trait Collector: Sync {
    /// Returns its name, for records.
    fn name(&self) -> &'static str;

    /// Puts in what it knows, and a source for each fact it looked for, also where there was nothing.
    fn collect(&self, of: &Gathering<'_>, into: &mut Gathered);
}

/// Every collector, in the order they run: the forge says what was good last, and the history starts there.
pub static COLLECTORS: &[&dyn Collector] = &[
    &forge::ForgeCollector,
    &deployments::DeploymentsCollector,
    &history::HistoryCollector,
    &pulls::PullsCollector,
    &changes::ChangesCollector,
    &file::FileCollector,
    &measures::MeasuresCollector,
    &prometheus::PrometheusCollector,
    &sbom::SbomCollector,
    &rollback::RollbackCollector,
    &calendar::CalendarCollector,
    &waivers::WaiversCollector,
];

impl Gathered {
    /// Notes that a fact was found; `answer` is what it was made of.
    pub fn found(&mut self, fact: FactName, from: impl Into<String>, answer: impl AsRef<[u8]>) {
        self.row(fact, from.into(), SourceOutcome::Collected, Some(Digest::of(answer)), None);
    }

    /// Notes that a fact was found, made of a value.
    pub fn found_value<T: serde::Serialize>(&mut self, fact: FactName, from: impl Into<String>, answer: &T) {
        self.row(fact, from.into(), SourceOutcome::Collected, Digest::of_json(answer).ok(), None);
    }

    /// Notes that there is nothing to find.
    pub fn absent(&mut self, fact: FactName, from: impl Into<String>, why: impl Into<String>) {
        self.row(fact, from.into(), SourceOutcome::Absent, None, Some(why.into()));
    }

    /// Notes that it was tried and failed.
    pub fn failed(&mut self, fact: FactName, from: impl Into<String>, why: impl ToString) {
        self.row(fact, from.into(), SourceOutcome::Failed, None, Some(why.to_string()));
    }

    /// Takes what was seen of a file or an answer; notes why where there is nothing.
    pub fn take<T>(&mut self, fact: FactName, from: &str, seen: Seen<Option<T>>) -> Option<T> {
        match seen {
            Ok(Some(seen)) => Some(seen),
            Ok(None) => {
                self.absent(fact, from, format!("there is no `{from}`"));
                None
            }
            Err(unseen) => {
                self.failed(fact, from, unseen);
                None
            }
        }
    }

    fn row(
        &mut self,
        fact: FactName,
        from: String,
        outcome: SourceOutcome,
        digest: Option<Digest>,
        why: Option<String>,
    ) {
        let why = why.map(|why| line(&why));
        self.sources.push(SourceRecord {
            fact,
            from: line(&from),
            at: self.at.clone(),
            outcome,
            digest,
            why,
        });
    }
}

/// The longest text of others.
const MAX_TEXT: usize = 300;

/// Returns a text of others as one short line.
pub fn line(text: &str) -> String {
    let one: Vec<&str> = text.split_whitespace().collect();
    let clean = one.join(" ");
    let clean = clean.chars().filter(|c| !c.is_control()).collect::<String>();
    if clean.chars().count() <= MAX_TEXT {
        return clean;
    }
    clean.chars().take(MAX_TEXT).chain(['…']).collect()
}

/// Returns a time as evidence writes it.
pub fn whole_seconds(time: Timestamp) -> String {
    time.strftime("%Y-%m-%dT%H:%M:%SZ").to_string()
}

/// Asks every collector, and seals what they know.
pub fn collect(of: &Gathering<'_>) -> Result<ReleaseEvidence, CanonicalError> {
    let at = whole_seconds(of.now);
    let mut gathered = Gathered { at: at.clone(), ..Gathered::default() };
    for collector in COLLECTORS {
        collector.collect(of, &mut gathered);
    }
    let mut subject = of.request.subject.clone();
    subject.artifacts.sort_by(|a, b| a.name.cmp(&b.name));
    ReleaseEvidence {
        subject,
        environment: of.request.environment.clone(),
        branch: of.request.branch.clone(),
        deployed: of.request.deployed,
        now: at,
        now_seconds: of.now.as_second(),
        terms: of.environment.terms.clone(),
        rules: of.rules.clone(),
        facts: gathered.facts,
        sources: gathered.sources,
        seal: Digest::of(""),
    }
    .sealed()
}
