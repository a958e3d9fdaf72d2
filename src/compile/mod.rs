//! Workflows of GitHub made from pipeline definitions: one job for each stage and round, its rights and powers from its spec.
//!
//! Must never say anything about a stage that its spec does not say, and must never make a job with two dangerous powers.

pub mod caller;
mod commands;
mod earlier;
mod expression;
mod indexing;
mod job;
mod many;
pub mod pins;
mod proof;
mod result;

use std::fmt::Write as _;

use crate::artifact::id::StageId;
use crate::diagnostic::{Class, Failure};
use crate::pipeline::{Pipeline, PipelineError, SHIPPED, Step, Subject};
use crate::stage::registry;
use crate::stage::spec::Power;

use job::{Job, Unrolled};

/// Where the action and its program come from.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Origin {
    /// The repository and the commit of the workflow itself: of workflows that lie beside the action.
    Own,
    /// A release, by its commit or tag: of workflows that lie in any other repository.
    Release(String),
}

/// A file that was made.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Compiled {
    /// Its name in the folder of workflows.
    pub name: String,
    /// Its text.
    pub text: String,
}

/// A definition no workflow can be made of.
#[derive(Debug, thiserror::Error)]
pub enum CompileError {
    /// The definition cannot be used.
    #[error("no workflow can be made")]
    Definition(#[source] PipelineError),
    /// A stage would hold two powers.
    #[error("the stage `{stage}` holds {powers}: no job may")]
    Powers {
        /// The stage.
        stage: StageId,
        /// The powers.
        powers: String,
    },
    /// A setting makes no sense.
    #[error("the pipeline `{pipeline}` {why}")]
    Setting {
        /// The pipeline.
        pipeline: String,
        /// What is wrong, to be read after the name.
        why: String,
    },
}

impl Failure for CompileError {
    fn class(&self) -> Class {
        Class::Usage
    }

    fn help(&self) -> Option<String> {
        Some(match self {
            Self::Definition(error) => error.help().unwrap_or_default(),
            Self::Powers { .. } => "Split the stage: one asks a model, one runs code, one writes.".into(),
            Self::Setting { .. } => "Mend its `ci:` part; `orch stages` lists the stages there are.".into(),
        })
    }
}

const HEAD: &str = "# Made from workflows/{name} by `orch compile`; do not edit. `orch compile --check` tells whether it still is.\n";
/// The runner of jobs that run nothing of the repository.
const RUNNER: &str = "ubuntu-latest";
/// The most rounds that become jobs.
const ROUNDS: u32 = 5;

/// Makes the workflows of every definition in this binary.
pub fn shipped(origin: &Origin) -> Result<Vec<Compiled>, CompileError> {
    let mut all = Vec::new();
    for (name, text) in SHIPPED {
        all.extend(compile(name, text, origin)?);
    }
    if *origin == Origin::Own {
        all.push(commands::compile()?);
    }
    Ok(all)
}

/// Makes the workflows of one definition: itself, and where it fans out, the one that calls it for each of a list.
pub fn compile(name: &str, text: &str, origin: &Origin) -> Result<Vec<Compiled>, CompileError> {
    let pipeline = Pipeline::parse(text, name).map_err(CompileError::Definition)?;
    if pipeline.indexes() {
        return Ok(vec![Compiled {
            name: name.to_owned(),
            text: indexing::workflow(&pipeline, name, origin),
        }]);
    }
    let jobs = unroll(&pipeline)?;
    let mut files = vec![Compiled { name: name.to_owned(), text: workflow(&pipeline, name, &jobs, origin) }];
    if pipeline.ci.as_ref().is_some_and(|ci| ci.fan_out) {
        files.push(many::compile(&pipeline, name, &jobs));
    }
    Ok(files)
}

/// Makes a job of each stage, and of each round of a loop.
fn unroll(pipeline: &Pipeline) -> Result<Unrolled, CompileError> {
    let ci = pipeline.ci.clone().unwrap_or_default();
    let setting = |why: String| CompileError::Setting { pipeline: pipeline.name.to_string(), why };
    let rounds = ci.rounds.unwrap_or(3);
    if !(1..=ROUNDS).contains(&rounds) {
        return Err(setting(format!("asks for {rounds} rounds; 1 to {ROUNDS} can become jobs")));
    }
    let known = |stage: &StageId| pipeline.stages().any(|(step, _)| step.stage == *stage);
    if let Some(stage) = ci.timeout_minutes.keys().chain(ci.environments.keys()).find(|stage| !known(stage)) {
        return Err(setting(format!("sets something for `{stage}`, which is none of its stages")));
    }
    let mut unrolled = Unrolled { resumes: pipeline.resumes, proof: ci.proof, ..Unrolled::default() };
    for step in &pipeline.steps {
        match step {
            Step::Stage(step) => unrolled.add(step, None, &ci),
            Step::Loop(looped) => {
                for round in 1..=rounds {
                    for step in &looped.body.steps {
                        unrolled.add(step, Some((round, looped.body.until)), &ci);
                    }
                }
            }
            Step::Index(_) => {}
        }
    }
    for job in &unrolled.jobs {
        if let Some(spec) = registry::stage(job.stage).map(crate::stage::Stage::spec)
            && spec.powers().len() > 1
        {
            let powers: Vec<_> = spec.powers().iter().map(|power| power.as_str()).collect();
            return Err(CompileError::Powers { stage: job.stage, powers: powers.join(" and ") });
        }
    }
    Ok(unrolled)
}

fn workflow(pipeline: &Pipeline, name: &str, unrolled: &Unrolled, origin: &Origin) -> String {
    let mut out = HEAD.replace("{name}", name);
    let _ = write!(out, "#\n# {}\nname: orch {}\non:\n  workflow_call:\n", pipeline.summary, pipeline.name);
    out.push_str(&inputs(unrolled));
    out.push_str(&outputs(unrolled));
    if unrolled.of_release() {
        let _ = write!(
            out,
            "    secrets:\n      {METRICS}:\n        description: Credential of the metrics server; handed to the gate alone\n        required: false\n"
        );
    }
    if unrolled.has(Power::Key) {
        out.push_str("    secrets:\n");
        for (secret, whose) in KEYS {
            let _ = write!(out, "      {secret}:\n        description: {whose}\n        required: false\n");
        }
    }
    // Rights only go down from here: each job names its own.
    let _ = write!(
        out,
        "\npermissions: {{}}\n\nconcurrency:\n  group: orch-{}-${{{{ {} }}}}\n  cancel-in-progress: {}\n\njobs:\n",
        pipeline.name,
        unrolled.alone(),
        unrolled.of_pull_request(),
    );
    if unrolled.resumes {
        earlier::write(&mut out, pipeline.name.as_str());
    }
    for job in &unrolled.jobs {
        job::write(&mut out, pipeline.name.as_str(), job, unrolled, origin);
    }
    if unrolled.proof {
        proof::write(&mut out, pipeline.name.as_str(), unrolled, origin);
    }
    result::write(&mut out, unrolled);
    out
}

/// The secrets that open models, and whose they are.
const KEYS: &[(&str, &str)] = &[
    ("ANTHROPIC_API_KEY", "Key of Anthropic; handed to the jobs that ask models alone"),
    ("OPENAI_API_KEY", "Key of OpenAI; handed to the jobs that ask models alone"),
    ("GEMINI_API_KEY", "Key of Google; handed to the jobs that ask models alone"),
    ("OPENROUTER_API_KEY", "Key of OpenRouter; handed to the jobs that ask models alone"),
];

/// The secret that opens the metrics server.
const METRICS: &str = "ORCH_METRICS_TOKEN";

/// The inputs of a workflow that judges a release: name, what it is, and the lines of its type and default.
const RELEASE: &[(&str, &str, &str)] = &[
    (
        "environment",
        "The environment the commit is to go to, as orch.yml names it",
        "type: string\n        required: true",
    ),
    ("commit", "The commit; absent, the one the workflow runs for", "type: string\n        default: ''"),
    (
        "branch",
        "The branch it has to be on; absent, the one the workflow runs for",
        "type: string\n        default: ''",
    ),
    (
        "artifacts-file",
        "A file with digests of what is promoted, as sha256sum writes them; one of files is release-inputs/NAME",
        "type: string\n        default: ''",
    ),
    (
        "last-good",
        "The commit that is known to be good; absent, what was deployed last with success",
        "type: string\n        default: ''",
    ),
    ("deployed", "Whether the environment runs the commit already", "type: boolean\n        default: false"),
    (
        "files",
        "Ids of artifacts of earlier jobs whose files are put into the folder release-inputs",
        "type: string\n        default: ''",
    ),
];

/// An input of the workflow that becomes one of the action.
struct Given {
    name: &'static str,
    about: &'static str,
    /// Of stages that ask models alone.
    models: bool,
}

const GIVEN: &[Given] = &[
    Given { name: "config", about: "The config file, instead of orch.yml", models: false },
    Given { name: "engine", about: "Who writes the change, instead of the engine in orch.yml", models: true },
    Given { name: "model", about: "Use this model for every role, as provider/model", models: true },
    Given {
        name: "max-cost-usd",
        about: "Spend at most this many dollars on models in the whole run",
        models: true,
    },
    Given {
        name: "ttl-minutes",
        about: "Let the stages that call models work at most this long",
        models: true,
    },
];

fn inputs(unrolled: &Unrolled) -> String {
    let mut out = "    inputs:\n".to_owned();
    let mut add = |name: &str, about: &str, kind: &str| {
        let _ = write!(out, "      {name}:\n        description: {about}\n        {kind}\n");
    };
    let text = "type: string\n        default: ''";
    if unrolled.jobs.iter().any(|job| job.stage == StageId::Intake) {
        add(
            "request",
            "What is to be done, in plain words; absent, the event that started the run says it",
            text,
        );
    }
    for (name, about, kind) in RELEASE.iter().filter(|_| unrolled.of_release()) {
        add(name, about, kind);
    }
    if unrolled.mends() {
        let about = "A run whose review found something, which is then what is to be done";
        add("review-run", about, text);
        add("review-parts", "What the jobs of that run handed on", text);
        add("ref", "The commit to work on, instead of the one that started the run", text);
    }
    if unrolled.resumes {
        let needed = "type: string\n        required: true";
        add("from-run", "The number of the workflow's run that began this", needed);
        add("parts", "The ids of the artifacts its jobs handed on, with commas between", needed);
        add("run-id", "The run of orch in it", needed);
    }
    for given in GIVEN.iter().filter(|given| !given.models || unrolled.has(Power::Key)) {
        add(given.name, given.about, text);
    }
    let alone = if unrolled.of_release() {
        "What runs must not overlap for; absent, the environment"
    } else {
        "What runs must not overlap for, as an issue's number; absent, each run is alone"
    };
    add("key", alone, text);
    add(
        "runner",
        "The runner of the jobs that run code of the repository",
        &format!("type: string\n        default: {RUNNER}"),
    );
    if unrolled.jobs.iter().any(|job| job.stage == StageId::Approve) && !unrolled.resumes {
        add(
            "approve-environment",
            "A deployment environment whose reviewers approve what policy asks a person about; `approve.environment` of orch.yml names it too",
            text,
        );
    }
    if unrolled.proof {
        add("attest", proof::ATTESTS, text);
    }
    out
}

fn outputs(unrolled: &Unrolled) -> String {
    let mut out = "    outputs:\n".to_owned();
    let mut names = vec![
        ("exit", "The exit code of the whole, as `orch run` would end"),
        ("reason", "Why it is not 0, one line"),
    ];
    if unrolled.jobs.iter().any(|job| job.stage == StageId::Policy) {
        names.push(("decision", "What the rules decided (allow, needs-approval or deny)"));
    }
    if unrolled.jobs.iter().any(|job| job.stage == StageId::ReleaseGate) {
        names.push(("decision", "What the gate decided (promote, hold, deny or rollback)"));
    }
    if unrolled.jobs.iter().any(|job| matches!(job.stage, StageId::Intake | StageId::ReleaseGate)) {
        names.push(("run-id", "The run"));
    }
    if unrolled.jobs.iter().any(|job| job.stage == StageId::Pr) {
        names.push(("pr-number", "The number of the pull request"));
        names.push(("pr-head", "The last commit of its branch"));
    }
    if unrolled.jobs.iter().any(|job| job.stage == StageId::Rollback) {
        names.push(("revert", "The request of the run that puts the branch back; empty where no run does"));
    }
    if !unrolled.of_pull_request() {
        names.push(("parts", "What the jobs handed on, as the action takes it"));
    }
    for (name, about) in names {
        let _ = write!(
            out,
            "      {name}:\n        description: {about}\n        value: ${{{{ jobs.result.outputs.{name} }}}}\n"
        );
    }
    out
}

/// Tells whether a job works on a pull request and no run.
fn is_of_pull_request(job: &Job) -> bool {
    job.subject == Some(Subject::PullRequest)
}

#[cfg(test)]
mod tests;
