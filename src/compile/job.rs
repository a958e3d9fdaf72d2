//! One stage in one round as a job: what it waits for, what it may, what it is handed and hands on.
//!
//! Must never give a key to a job whose stage does not ask models, nor a right its spec does not name.

use std::collections::BTreeSet;
use std::fmt::Write as _;

use super::expression::{any, done, ended};
use super::pins::CHECKOUT;
use super::{GIVEN, KEYS, METRICS, Origin, RELEASE, RUNNER, caller, is_of_pull_request};
use crate::artifact::id::StageId;
use crate::engine::revert::NAME as REVERT;
use crate::pipeline::{Ci, StageStep, Subject, When};
use crate::stage::registry;
use crate::stage::spec::{EffectKind, Power, StageSpec};

/// A job.
#[derive(Clone, Debug)]
pub(super) struct Job {
    pub id: String,
    pub stage: StageId,
    pub round: u32,
    pub looped: bool,
    pub subject: Option<Subject>,
    timeout: u32,
    environment: Option<String>,
    /// The whole condition, without braces.
    condition: String,
    /// The jobs before it, all of them.
    pub needs: Vec<String>,
}

/// The jobs of a pipeline, loops unrolled.
#[derive(Debug, Default)]
pub(super) struct Unrolled {
    pub jobs: Vec<Job>,
    /// Whether they go on with a run of another workflow, whose files the job `earlier` hands over.
    pub resumes: bool,
    /// Whether a last job signs what the run says and keeps it.
    pub proof: bool,
}

/// The job that hands over the files of a run that another workflow began.
pub(super) const EARLIER: &str = "earlier";
/// How many minutes of a job's time are left for what is around its stage.
const HAND_OVER: u32 = 2;

impl Job {
    fn spec(&self) -> Option<&'static StageSpec> {
        registry::stage(self.stage).map(crate::stage::Stage::spec)
    }

    pub(super) fn holds(&self, power: Power) -> bool {
        self.spec().is_some_and(|spec| spec.powers().contains(&power))
    }
}

impl Unrolled {
    pub(super) fn has(&self, power: Power) -> bool {
        self.jobs.iter().any(|job| job.holds(power))
    }

    pub(super) fn of_release(&self) -> bool {
        self.jobs.iter().any(|job| job.stage == StageId::ReleaseGate)
    }

    /// Returns what runs must not overlap for: releases to one environment never do.
    pub(super) fn alone(&self) -> &'static str {
        if self.of_release() { "inputs.key || inputs.environment" } else { "inputs.key || github.run_id" }
    }

    /// Whether it can mend what the review of an earlier run found: it takes a request, and has a review of its own.
    pub(super) fn mends(&self) -> bool {
        let has = |stage| self.jobs.iter().any(|job| job.stage == stage);
        has(StageId::Intake) && has(StageId::ReviewGate)
    }

    pub(super) fn of_pull_request(&self) -> bool {
        self.jobs.iter().any(is_of_pull_request)
    }

    /// Adds the job of a step; `looped` is its round and the stage that ends the loop.
    pub(super) fn add(&mut self, step: &StageStep, looped: Option<(u32, StageId)>, ci: &Ci) {
        let round = looped.map_or(1, |(round, _)| round);
        let id = if looped.is_some() { format!("{}-{round}", step.stage) } else { step.stage.to_string() };
        let mut condition = self.condition(step, looped);
        if self.resumes {
            condition = condition.replacen("always()", "always() && needs.earlier.result == 'success'", 1);
        }
        let before = self.resumes.then(|| EARLIER.to_owned());
        let needs = before.into_iter().chain(self.jobs.iter().map(|job| job.id.clone())).collect();
        self.jobs.push(Job {
            id,
            stage: step.stage,
            round,
            looped: looped.is_some(),
            subject: step.subject,
            timeout: ci.timeout_minutes.get(&step.stage).copied().unwrap_or(30),
            environment: ci.environments.get(&step.stage).map(ToString::to_string),
            condition,
            needs,
        });
    }

    /// Returns when a job runs: as the walk over the same definition decides it.
    fn condition(&self, step: &StageStep, looped: Option<(u32, StageId)>) -> String {
        if let Some(when) = &step.when {
            let mut condition = self.when(when);
            for job in
                step.if_ran.iter().flat_map(|ran| self.jobs.iter().filter(|job| job.stage == ran.stage))
            {
                let exits = step.if_ran.as_ref().map(|ran| ran.exits.clone()).unwrap_or_default();
                let _ = write!(
                    condition,
                    " && (needs.{}.result == 'skipped' || {})",
                    job.id,
                    ended(&job.id, &exits)
                );
            }
            return condition;
        }
        let mut conditions: Vec<String> = Vec::new();
        let mut stages: Vec<StageId> = Vec::new();
        for job in &self.jobs {
            if !stages.contains(&job.stage) {
                stages.push(job.stage);
            }
        }
        for stage in stages {
            let of: Vec<&Job> = self.jobs.iter().filter(|job| job.stage == stage).collect();
            match looped {
                // Within a loop a round looks at the stages before the loop, and at the round before it or its own part of it.
                Some((round, until)) if of.iter().any(|job| job.looped) => {
                    if let Some(own) = of.iter().find(|job| job.round == round) {
                        conditions.push(done(&own.id));
                    } else if let Some(last) = of.iter().find(|job| job.round + 1 == round) {
                        let failed = BTreeSet::from([6]);
                        conditions.push(if stage == until {
                            ended(&last.id, &failed)
                        } else {
                            done(&last.id)
                        });
                    }
                }
                _ => {
                    let last_of_loop = of.iter().any(|job| job.looped);
                    let ends = self.ends_loop(stage);
                    if !last_of_loop || ends {
                        conditions.push(any(&of.iter().map(|job| done(&job.id)).collect::<Vec<_>>()));
                    }
                }
            }
        }
        conditions.insert(0, "always()".into());
        conditions.join(" && ")
    }

    /// Tells whether a stage is the last of its loop: whether the loop was content is told by it.
    fn ends_loop(&self, stage: StageId) -> bool {
        let mut rounds = self.jobs.iter().filter(|job| job.looped && job.round == 1);
        rounds.next_back().is_some_and(|job| job.stage == stage)
    }

    fn when(&self, when: &When) -> String {
        let of: Vec<&Job> = self.jobs.iter().filter(|job| job.stage == when.stage).collect();
        let ends: Vec<String> = of.iter().map(|job| ended(&job.id, &when.exits)).collect();
        let mut condition = format!("always() && {}", any(&ends));
        // The decision itself, not only how the job ended; the stage reads the file once more.
        let words: &[(u8, &str)] = match when.stage {
            StageId::Policy => &[(0, "\"allow\""), (4, "\"needs-approval\"")],
            // A denied release ends with 3 as well, and is not rolled back.
            StageId::ReleaseGate => &[(0, "\"promote\""), (3, "\"rollback\"")],
            _ => &[],
        };
        if let Some(judge) = of.first().filter(|_| !words.is_empty()) {
            let words: Vec<&str> =
                words.iter().filter(|(code, _)| when.exits.contains(code)).map(|(_, word)| *word).collect();
            let _ = write!(
                condition,
                " && contains(fromJSON('[{}]'), needs.{}.outputs.decision)",
                words.join(","),
                judge.id
            );
        }
        condition
    }
}

/// Returns the parts a job is handed, as ids in one text; parts of jobs that may not have run bring their comma along.
pub(super) fn parts(needs: &[String]) -> String {
    let mut text = String::new();
    for need in needs {
        let part = format!("needs.{need}.outputs.part");
        if text.is_empty() {
            let _ = write!(text, "${{{{ {part} }}}}");
        } else {
            let _ = write!(text, "${{{{ {part} && format(',{{0}}', {part}) }}}}");
        }
    }
    text
}

/// Writes a job.
pub(super) fn write(out: &mut String, pipeline: &str, job: &Job, unrolled: &Unrolled, origin: &Origin) {
    let Some(spec) = job.spec() else { return };
    let name =
        if job.looped { format!("{} (round {})", job.stage, job.round) } else { job.stage.to_string() };
    let _ = write!(out, "  # {}.\n  {}:\n    name: {name}\n", spec.summary, job.id);
    if !job.needs.is_empty() {
        let _ = write!(out, "    needs: [{}]\n    if: ${{{{ {} }}}}\n", job.needs.join(", "), job.condition);
    }
    let runner = if job.holds(Power::Exec) { "${{ inputs.runner }}" } else { RUNNER };
    let _ = write!(out, "    runs-on: {runner}\n    timeout-minutes: {}\n    permissions:\n", job.timeout);
    for permission in spec.permissions {
        let why = match permission.as_str() {
            "contents: read" => "to check out the repository",
            "contents: write" if job.stage == StageId::Pr => "to push one branch",
            "contents: write" if job.stage == StageId::Promote => "to make the tag and the release",
            "contents: write" if job.stage == StageId::Rollback => "to push one branch",
            "contents: write" => "to let the pull request merge",
            "pull-requests: write" if job.stage == StageId::Promote => "to merge the pull request",
            "pull-requests: write" if matches!(job.stage, StageId::Pr | StageId::Rollback) => {
                "to open the pull request"
            }
            "pull-requests: write" => "to work on the pull request",
            "deployments: write" => "to record what is deployed",
            "deployments: read" | "checks: read" | "statuses: read" => "to see how the commit stands",
            "pull-requests: read" if job.stage == StageId::ReleaseGate => "to see who approved it",
            "checks: write" => "to show what was found",
            "statuses: write" => "where there are no checks",
            "issues: read" | "pull-requests: read" => "to ask whether the text is as it was",
            "issues: write" => "to ask reviewers in a comment",
            "actions: read" => "to ask who let this run go on",
            "security-events: write" => "to show findings on the security page",
            _ => "declared by the stage",
        };
        let _ = writeln!(out, "      {} # {why}", permission.as_str());
    }
    if let Some(environment) = &job.environment {
        let _ = writeln!(out, "    environment: {environment}");
    } else if job.stage == StageId::Approve && !unrolled.resumes {
        // No environment where the input is empty; then `/orch approve DIGEST` in a comment lets the change go on.
        out.push_str("    environment: ${{ inputs.approve-environment }}\n");
    }
    let _ = write!(
        out,
        "    concurrency:\n      group: orch-{pipeline}-{}-${{{{ {} }}}}\n      cancel-in-progress: {}\n",
        job.id,
        unrolled.alone(),
        is_of_pull_request(job),
    );
    out.push_str("    outputs:\n      exit: ${{ steps.stage.outputs.exit }}\n      reason: ${{ steps.stage.outputs.reason }}\n");
    if !is_of_pull_request(job) {
        out.push_str(
            "      part: ${{ steps.stage.outputs.part }}\n      run-id: ${{ steps.stage.outputs.run-id }}\n",
        );
    }
    if matches!(job.stage, StageId::Policy | StageId::ReleaseGate) {
        out.push_str("      decision: ${{ steps.stage.outputs.decision }}\n");
    }
    if job.stage == StageId::Pr {
        out.push_str("      pr-number: ${{ steps.stage.outputs.pr-number }}\n      pr-head: ${{ steps.stage.outputs.pr-head }}\n");
    }
    if job.stage == StageId::Rollback {
        out.push_str("      revert: ${{ steps.stage.outputs.revert }}\n");
    }
    out.push_str("    steps:\n");
    checkouts(out, job, unrolled, origin);
    step(out, job, spec, unrolled, origin);
    out.push('\n');
}

fn checkouts(out: &mut String, job: &Job, unrolled: &Unrolled, origin: &Origin) {
    let _ = write!(out, "      - name: The repository\n        uses: {}\n        with:\n", CHECKOUT.uses());
    if job.stage == StageId::Pr {
        // The stage pushes one fixed branch, and this job runs nothing of the repository.
        out.push_str("          persist-credentials: true # zizmor: ignore[artipacked] pushes one branch and runs nothing of the repository\n");
    } else {
        out.push_str("          persist-credentials: false\n");
    }
    if unrolled.mends() {
        // Empty: the commit that started the run.
        out.push_str("          ref: ${{ inputs.ref }}\n");
    }
    // What came before the commit is looked at, or is what the job works on; the base of a pull request, or of a run that
    // began some time ago, is not the newest commit.
    let past = matches!(job.stage, StageId::ReleaseGate | StageId::RollbackCommand);
    if is_of_pull_request(job) || past || (unrolled.resumes && job.stage == StageId::Pr) {
        out.push_str("          fetch-depth: 0\n");
    } else if job.holds(Power::Key) && unrolled.mends() {
        // What is taken back, and what to, lie before the commit.
        let _ = writeln!(out, "          fetch-depth: ${{{{ inputs.engine == '{REVERT}' && '0' || '1' }}}}");
    }
    own_action(out, origin);
}

/// Takes orch itself, as of the commit of the workflow; elsewhere the action is named by its release.
pub(super) fn own_action(out: &mut String, origin: &Origin) {
    if *origin != Origin::Own {
        return;
    }
    // `job` is read as a whole, since older checkers do not know these two properties of it.
    let _ = write!(
        out,
        "      - name: orch, as of the commit of this workflow\n        uses: {}\n        with:\n          persist-credentials: false\n          \
         repository: ${{{{ fromJSON(toJSON(job)).workflow_repository }}}}\n          ref: ${{{{ fromJSON(toJSON(job)).workflow_sha }}}}\n          path: .orch-action\n",
        CHECKOUT.uses()
    );
}

/// Returns what follows `uses:` for the action.
pub(super) fn action(origin: &Origin) -> String {
    match origin {
        Origin::Own => "./.orch-action # zizmor: ignore[self-repository] checked out above; older runners and GHES do not know the other form".to_owned(),
        Origin::Release(reference) => format!("{}@{reference}", caller::repository()),
    }
}

fn step(out: &mut String, job: &Job, spec: &StageSpec, unrolled: &Unrolled, origin: &Origin) {
    let uses = action(origin);
    let _ = write!(
        out,
        "      - name: {}\n        id: stage\n        uses: {uses}\n        with:\n          stage: {}\n",
        job.stage, job.stage
    );
    if job.looped {
        let _ = writeln!(out, "          round: {}", job.round);
    }
    if is_of_pull_request(job) {
        out.push_str("          subject: pull-request\n");
    }
    // Before the job itself is ended, which hands nothing over.
    let _ = writeln!(out, "          timeout-minutes: {}", job.timeout.saturating_sub(HAND_OVER).max(1));
    if job.stage == StageId::Intake {
        out.push_str("          task: ${{ inputs.request }}\n");
        if unrolled.mends() {
            out.push_str("          from-review: ${{ inputs.review-run }}\n          parts: ${{ inputs.review-parts }}\n");
        }
    }
    if job.stage == StageId::ReleaseGate {
        for (input, _, _) in RELEASE {
            let named = if *input == "environment" { "to" } else { input };
            let _ = writeln!(out, "          {named}: ${{{{ inputs.{input} }}}}");
        }
    }
    for given in
        GIVEN.iter().filter(|given| !given.models || job.holds(Power::Key) || job.stage == StageId::Intake)
    {
        if !given.models || unrolled.has(Power::Key) {
            let _ = writeln!(out, "          {}: ${{{{ inputs.{} }}}}", given.name, given.name);
        }
    }
    if job.stage == StageId::Approve && !unrolled.resumes {
        match &job.environment {
            Some(_) => out.push_str("          environment: 'true'\n"),
            None => out.push_str("          environment: ${{ inputs.approve-environment != '' }}\n"),
        }
    }
    let mut exits: Vec<String> = spec.exits.iter().map(ToString::to_string).collect();
    if !spec.exits.contains(&78) {
        exits.push("78".into());
    }
    // How a stage ended is told by its exit code; the job is red only where the stage could not be asked.
    let _ = writeln!(out, "          accept: '{}'", exits.join(" "));
    let handed = parts(&job.needs);
    if !handed.is_empty() {
        let _ = writeln!(out, "          parts: {handed}");
    }
    let mut env = String::new();
    if spec.effects.iter().any(|effect| matches!(effect, EffectKind::ForgeRead | EffectKind::ForgeWrite)) {
        // The token of this job, with the rights above and no more.
        env.push_str("          GITHUB_TOKEN: ${{ github.token }}\n");
    }
    if job.stage == StageId::Intake && unrolled.has(Power::Key) {
        // Whether there is a key, not the key: the engine is chosen here and asked in other jobs.
        let any: Vec<String> = KEYS.iter().map(|(secret, _)| format!("secrets.{secret} != ''")).collect();
        let _ = writeln!(env, "          ORCH_MODELS: ${{{{ ({}) && 'later' || '' }}}}", any.join(" || "));
    }
    if job.stage == StageId::ReleaseGate {
        let _ = writeln!(env, "          {METRICS}: ${{{{ secrets.{METRICS} }}}}");
    }
    if job.holds(Power::Key) {
        for (secret, _) in KEYS {
            let _ = writeln!(env, "          {secret}: ${{{{ secrets.{secret} }}}}");
        }
    }
    if !env.is_empty() {
        let _ = write!(out, "        env:\n{env}");
    }
}
