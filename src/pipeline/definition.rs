//! A pipeline as it stands in `workflows/*.yml`: parsed, then checked against the stages' specs.
//!
//! Must never hold a notion of where it is run: the same definition is walked on a laptop and turned into CI workflows.

use std::collections::{BTreeMap, BTreeSet};

use serde::{Deserialize, Serialize};

use crate::artifact::id::{Slug, StageId};
use crate::diagnostic::{Class, Failure};
use crate::stage::registry;

/// The embedded definition of the change pipeline.
pub const CHANGE: &str = include_str!("../../workflows/change.yml");

/// Every definition in this binary, with its file's name.
pub const SHIPPED: &[(&str, &str)] = &[
    ("change.yml", CHANGE),
    ("plan.yml", include_str!("../../workflows/plan.yml")),
    ("approve.yml", include_str!("../../workflows/approve.yml")),
    ("code-build-test.yml", include_str!("../../workflows/code-build-test.yml")),
    ("indexing.yml", include_str!("../../workflows/indexing.yml")),
    ("review.yml", include_str!("../../workflows/review.yml")),
    ("release-change.yml", include_str!("../../workflows/release-change.yml")),
];

/// A pipeline: its steps in order.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Pipeline {
    /// The name.
    #[serde(rename = "pipeline")]
    pub name: Slug,
    /// The version of the definition's format; this program reads 1.
    pub version: u32,
    /// One sentence.
    pub summary: String,
    /// What only matters where a CI system schedules the jobs; `orch run` reads it and goes on.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub ci: Option<Ci>,
    /// Whether it goes on with a run that another workflow began, whose files it is handed.
    #[serde(default, skip_serializing_if = "std::ops::Not::not")]
    pub resumes: bool,
    /// The steps.
    pub steps: Vec<Step>,
}

/// What only matters where a CI system schedules the jobs.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Ci {
    /// How many rounds of a loop become jobs; 3 where it is not said.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub rounds: Option<u32>,
    /// The minutes after which a job is ended, by stage; 30 where it is not said.
    #[serde(default, skip_serializing_if = "BTreeMap::is_empty")]
    pub timeout_minutes: BTreeMap<StageId, u32>,
    /// The environments whose reviewers have to say yes before a stage runs.
    #[serde(default, skip_serializing_if = "BTreeMap::is_empty")]
    pub environments: BTreeMap<StageId, Slug>,
    /// Whether there is a second workflow that runs this one for each of a list of requests.
    #[serde(default, skip_serializing_if = "std::ops::Not::not")]
    pub fan_out: bool,
    /// Whether a last job signs what the run says, by the identity of the workflow, and keeps its small files with the repository.
    #[serde(default, skip_serializing_if = "std::ops::Not::not")]
    pub proof: bool,
}

/// What a stage works on where it is no run.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Subject {
    /// The pull request that started the workflow.
    PullRequest,
}

/// A stage or a loop of stages.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(untagged)]
pub enum Step {
    /// One stage.
    Stage(StageStep),
    /// Stages that are run again until one of them is content.
    Loop(LoopStep),
    /// What stages are shown of a repository, made before any asks.
    Index(IndexStep),
}

/// The index and the graph; where a CI system runs it, they are kept for later runs.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct IndexStep {
    /// Of what.
    pub index: IndexOf,
}

/// What is indexed.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum IndexOf {
    /// The commit that is checked out.
    Commit,
}

/// One stage.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct StageStep {
    /// The stage.
    pub stage: StageId,
    /// When it runs; absent: when every stage before it ended with 0.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub when: Option<When>,
    /// How another stage has to have ended, where that ran at all.
    #[serde(default, rename = "if-ran", skip_serializing_if = "Option::is_none")]
    pub if_ran: Option<When>,
    /// Where alone it runs; absent: everywhere.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub only: Option<Place>,
    /// What it works on, where that is no run.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub subject: Option<Subject>,
}

/// A place where a stage runs.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Place {
    /// As a job of a CI system: it waits for people and programs of a forge, which nobody at a laptop waits for.
    Ci,
}

/// A condition: how an earlier stage ended.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct When {
    /// The earlier stage.
    pub stage: StageId,
    /// The exit codes it may have ended with.
    pub exits: BTreeSet<u8>,
}

/// A loop: its rounds are bounded by `verify.rounds` of the config.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct LoopStep {
    /// The loop.
    #[serde(rename = "loop")]
    pub body: LoopBody,
}

/// What is run in every round.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct LoopBody {
    /// The stage that ends the loop when it ends with 0; the last of the steps.
    pub until: StageId,
    /// The stages of a round.
    pub steps: Vec<StageStep>,
}

/// A definition that cannot be used.
#[derive(Debug, thiserror::Error)]
pub enum PipelineError {
    /// It cannot be parsed.
    #[error("the pipeline definition {origin} cannot be read")]
    Unreadable {
        /// The file.
        origin: String,
        /// Where and why.
        #[source]
        source: serde_yaml::Error,
    },
    /// It makes no sense.
    #[error("the pipeline definition {origin} {why}")]
    Senseless {
        /// The file.
        origin: String,
        /// What is wrong, to be read after the name.
        why: String,
    },
}

impl Failure for PipelineError {
    fn class(&self) -> Class {
        Class::Usage
    }

    fn help(&self) -> Option<String> {
        Some("Compare it with the embedded one: `orch pipeline show`.".into())
    }
}

/// Returns the first stage a definition names that there is not: the parser would only say that no kind of step fits.
fn unknown_stage(text: &str) -> Option<String> {
    fn look(value: &serde_yaml::Value) -> Option<String> {
        match value {
            serde_yaml::Value::Sequence(items) => items.iter().find_map(look),
            serde_yaml::Value::Mapping(entries) => entries.iter().find_map(|(key, value)| {
                let names = matches!(key.as_str(), Some("stage" | "until"));
                let name = value.as_str().filter(|name| names && name.parse::<StageId>().is_err());
                name.map(str::to_owned).or_else(|| look(value))
            }),
            _ => None,
        }
    }
    look(&serde_yaml::from_str(text).ok()?)
}

impl Pipeline {
    /// Parses a definition and checks it against the specs of its stages.
    pub fn parse(text: &str, origin: &str) -> Result<Self, PipelineError> {
        let pipeline: Self = serde_yaml::from_str(text).map_err(|source| match unknown_stage(text) {
            Some(name) => PipelineError::Senseless {
                origin: origin.into(),
                why: format!("names `{name}`, which this orch cannot run"),
            },
            None => PipelineError::Unreadable { origin: origin.into(), source },
        })?;
        pipeline.check().map_err(|why| PipelineError::Senseless { origin: origin.into(), why })?;
        Ok(pipeline)
    }

    /// Returns every stage with whether it is in a loop, in order.
    pub fn stages(&self) -> impl Iterator<Item = (&StageStep, bool)> {
        self.steps.iter().flat_map(|step| match step {
            Step::Stage(stage) => vec![(stage, false)],
            Step::Loop(looped) => looped.body.steps.iter().map(|s| (s, true)).collect(),
            Step::Index(_) => Vec::new(),
        })
    }

    /// Tells whether it makes the index and the graph, and runs no stage.
    pub fn indexes(&self) -> bool {
        self.steps.iter().any(|step| matches!(step, Step::Index(_)))
    }

    /// Tells whether a stage is in a loop.
    pub fn is_looped(&self, stage: StageId) -> bool {
        self.stages().any(|(step, looped)| looped && step.stage == stage)
    }

    fn check(&self) -> Result<(), String> {
        if self.version != 1 {
            return Err(format!("has the version {}, this orch reads version 1", self.version));
        }
        let (mut seen, mut written) = (BTreeSet::new(), BTreeSet::new());
        for (step, _) in self.stages() {
            let id = step.stage;
            let stage =
                registry::stage(id).ok_or_else(|| format!("names `{id}`, which this orch cannot run"))?;
            if let Some(when) =
                [&step.when, &step.if_ran].into_iter().flatten().find(|when| !seen.contains(&when.stage))
            {
                return Err(format!("lets `{id}` depend on `{}`, which does not come before it", when.stage));
            }
            if !seen.insert(id) {
                return Err(format!("names `{id}` twice"));
            }
            if step.subject.is_some() && id != StageId::Policy {
                return Err(format!(
                    "lets `{id}` work on something else than a run, which only `policy` can"
                ));
            }
            for input in
                stage.spec().inputs.iter().filter(|i| i.required && step.subject.is_none() && !self.resumes)
            {
                if !written.contains(input.slot.path) {
                    return Err(format!("runs `{id}` before anything writes `{}`", input.slot.path));
                }
            }
            written.extend(stage.spec().outputs.iter().map(|s| s.path));
        }
        for step in &self.steps {
            if let Step::Loop(LoopStep { body }) = step
                && body.steps.last().is_none_or(|last| last.stage != body.until)
            {
                return Err(format!("has a loop whose last stage is not `{}`", body.until));
            }
        }
        match (self.indexes(), self.steps.len()) {
            // A job that has a cache of others before it must hold nothing that a stage holds.
            (true, 2..) => Err("has `index` beside other steps; it is a pipeline of its own".into()),
            (false, _) if seen.is_empty() => Err("has no steps".into()),
            _ if self.ci.as_ref().is_some_and(|ci| ci.proof)
                && [StageId::Pr, StageId::ReleaseGate].iter().all(|stage| !seen.contains(stage)) =>
            {
                Err("asks for proof, and has no stage `pr` or `release-gate` whose word could be proven"
                    .into())
            }
            _ => Ok(()),
        }
    }
}
