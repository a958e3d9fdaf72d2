//! Workflows a repository copies once: they start a reusable one and hand it a request, and hold nothing themselves.
//!
//! Must never put an event's text into a script, and must never start for somebody who may not write to the repository.

use std::fmt::Write as _;

/// A caller.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Caller {
    /// The file's name without its ending.
    pub name: &'static str,
    /// One line for people who choose.
    pub about: &'static str,
    /// The workflow.
    pub text: String,
}

/// Returns the repository of the reusable workflows, `owner/name`.
pub fn repository() -> &'static str {
    env!("CARGO_PKG_REPOSITORY").trim_start_matches("https://github.com/")
}

/// Returns the ref this program's workflows are at: the commit it was built from, where that is known, else its tag.
pub fn reference() -> String {
    let version = env!("CARGO_PKG_VERSION");
    match option_env!("ORCH_COMMIT").filter(|commit| commit.len() == 40) {
        Some(commit) => format!("{commit} # v{version}"),
        None => format!("v{version}"),
    }
}

/// Returns the caller that `orch init --github` writes: a labelled issue, commands in comments, or a person by hand.
pub fn first(reference: &str) -> String {
    format!(
        "# A labelled issue, or `/orch run` in a comment, becomes a tested, judged pull request; the forge is asked who may.\n\
         name: orch\n\
         run-name: orch ${{{{ github.event.issue.number && format('#{{0}}', github.event.issue.number) || github.event_name }}}}\n\
         on: {{ issues: {{ types: [labeled] }}, issue_comment: {{ types: [created] }},\n      \
         workflow_dispatch: {{ inputs: {{ request: {{ type: string, required: true }} }} }} }}\n\
         permissions: {{}}\n\
         jobs:\n  orch:\n    if: github.event_name == 'workflow_dispatch' || github.event.label.name == 'orch' || startsWith(github.event.comment.body, '/orch')\n    \
         permissions: {{ actions: write, attestations: write, checks: write, contents: write, id-token: write, issues: write, pull-requests: write, security-events: write, statuses: write }} # each job takes its part; none writes beside a key or your code\n    \
         uses: {}/.github/workflows/commands.yml@{reference}\n    \
         secrets: {{ ANTHROPIC_API_KEY: \"${{{{ secrets.ANTHROPIC_API_KEY }}}}\" }}\n",
        repository(),
    )
}

/// Returns the callers an organisation offers in its `.github` repository.
pub fn templates(reference: &str) -> Vec<Caller> {
    vec![
        Caller {
            name: "orch-change",
            about: "A labelled issue or a command in a comment becomes a tested, judged pull request",
            text: first(reference),
        },
        Caller {
            name: "orch-dispatch",
            about: "Another program starts orch with {tenant, intent, payload}",
            text: dispatch(reference),
        },
        Caller {
            name: "orch-schedule",
            about: "The same request every week, as keeping up standards",
            text: schedule(reference),
        },
        Caller {
            name: "orch-indexing",
            about: "The index and the graph of each commit of the default branch are kept for later runs",
            text: indexing(reference),
        },
        Caller {
            name: "orch-review",
            about: "Every pull request is judged by the rules",
            text: review(reference),
        },
        Caller {
            name: "orch-release",
            about: "A commit is judged for an environment, and promoted or rolled back there",
            text: release(reference),
        },
    ]
}

/// Returns what GitHub shows of a template.
pub fn properties(caller: &Caller) -> String {
    let document = serde_json::json!({
        "name": caller.name,
        "description": caller.about,
        "iconName": "octicon workflow",
        "categories": ["Automation"],
    });
    serde_json::to_string_pretty(&document).unwrap_or_default() + "\n"
}

const SECRETS: &str = "    secrets:\n      ANTHROPIC_API_KEY: ${{ secrets.ANTHROPIC_API_KEY }}\n";
const WRITES: &str = "    permissions:\n      actions: read # to ask who let a run go on\n      attestations: write # to store what the workflow signs\n      checks: write # to show what was found\n      contents: write # to push one branch\n      id-token: write # to sign by the identity of the workflow\n      issues: write # to ask reviewers\n      pull-requests: write # to open the pull request\n      security-events: write # for findings on the security page, where orch.yml says so\n      statuses: write # where there are no checks\n";
const READS: &str = "    permissions:\n      contents: read # to check out the repository\n";
fn head(about: &str, on: &str) -> String {
    format!("# {about}\nname: orch\non:\n{on}permissions: {{}}\njobs:\n")
}

fn call(out: &mut String, job: &str, workflow: &str, condition: &str, reference: &str, rest: &[&str]) {
    let _ = writeln!(out, "  {job}:");
    if !condition.is_empty() {
        let _ = writeln!(out, "    if: {condition}");
    }
    let [rights, more @ ..] = rest else { return };
    let _ = writeln!(out, "{rights}    uses: {}/.github/workflows/{workflow}.yml@{reference}", repository());
    out.push_str(&more.concat());
}

fn dispatch(reference: &str) -> String {
    let mut out = head(
        "Started by the API: repository_dispatch with the event type `orch` and {tenant, intent: run, payload: {request}}.",
        "  repository_dispatch:\n    types: [orch]\n",
    );
    let with = "    with:\n      key: ${{ github.event.client_payload.tenant }}\n";
    call(&mut out, "change", "change", "", reference, &[WRITES, with, SECRETS]);
    out
}

fn schedule(reference: &str) -> String {
    let mut out = head(
        "Every Monday the request `intake.scheduled` of orch.yml; where there is nothing to do, nothing happens.",
        "  schedule:\n    - cron: '17 4 * * 1'\n",
    );
    let with = "    with:\n      key: schedule\n";
    call(&mut out, "change", "change", "", reference, &[WRITES, with, SECRETS]);
    out
}

fn indexing(reference: &str) -> String {
    let mut out = head(
        "Each commit of the default branch: its index and graph are brought up to date and kept.",
        "  push:\n  workflow_dispatch:\n",
    );
    let condition = "github.ref_name == github.event.repository.default_branch";
    call(&mut out, "indexing", "indexing", condition, reference, &[READS]);
    out
}

fn release(reference: &str) -> String {
    let mut out = head(
        "A commit of the branch is judged for an environment; then it is promoted, or what does harm is taken back.",
        "  workflow_dispatch:\n    inputs:\n      environment: { type: string, required: true, description: As orch.yml names it }\n      \
         deployed: { type: boolean, default: false, description: The environment runs the commit already }\n",
    );
    let rights = "    permissions:\n      attestations: write # to store what the workflow signs\n      contents: write # for the tag, the release, and what is kept of the run\n      deployments: write # to record what is deployed\n      id-token: write # to sign by the identity of the workflow\n      pull-requests: write # to merge, and to open a revert\n      checks: read # to see how the commit stands\n      statuses: read # the same\n";
    let with =
        "    with:\n      environment: ${{ inputs.environment }}\n      deployed: ${{ inputs.deployed }}\n";
    call(&mut out, "release", "release-change", "", reference, &[rights, with]);
    let needs = "    needs: release\n";
    let condition = "always() && needs.release.outputs.revert != ''";
    let with = "    with: # a run of its own, which asks no model\n      request: ${{ needs.release.outputs.revert }}\n      engine: revert\n";
    call(&mut out, "revert", "change", condition, reference, &[&[needs, WRITES].concat(), with]);
    out
}

fn review(reference: &str) -> String {
    let mut out = head(
        "Every pull request is judged by the rules of its base; require the check `review / result`.",
        "  pull_request:\n  merge_group:\n",
    );
    let with = "    with:\n      key: ${{ github.event.pull_request.number }}\n";
    call(&mut out, "review", "review", "github.event_name == 'pull_request'", reference, &[READS, with]);
    out
}
