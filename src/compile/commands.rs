//! The workflow that hears what is asked, in an event or a comment, and lets the one that does it run: one job for each command.
//!
//! Must never hand a word of a comment on: each job reads the event itself, and asks the forge anew who may.

use std::fmt::Write as _;

use super::job::{action, own_action};
use super::many::rights;
use super::pins::CHECKOUT;
use super::{CompileError, Compiled, GIVEN, HEAD, KEYS, Origin, RUNNER, unroll};
use crate::pipeline::{Pipeline, SHIPPED};
use crate::stage::spec::Power;

const NAME: &str = "commands.yml";

/// A command that another workflow carries out.
struct Call {
    /// The word in a comment, and the name of the job.
    intent: &'static str,
    /// The definition, whose name the workflow has.
    workflow: &'static str,
}

const CALLS: &[Call] = &[
    Call { intent: "plan", workflow: "plan.yml" },
    Call { intent: "run", workflow: "change.yml" },
    Call { intent: "approve", workflow: "approve.yml" },
];

/// The jobs that mend what reviewers found; `review.rounds` of orch.yml may end it sooner.
const MENDS: [&str; 2] = ["mend-1", "mend-2"];

/// Every job that calls another workflow, in the order in which they run.
fn calls() -> Vec<&'static str> {
    CALLS
        .iter()
        .flat_map(
            |call| if call.intent == "run" { vec!["run", MENDS[0], MENDS[1]] } else { vec![call.intent] },
        )
        .collect()
}

/// Makes it.
pub(super) fn compile() -> Result<Compiled, CompileError> {
    let mut out = HEAD.replace("workflows/{name}", "src/compile/commands.rs");
    out.push_str(
        "#\n# Hears what is asked for and by whom, lets it be done, and answers.\nname: orch commands\non:\n  workflow_call:\n    inputs:\n",
    );
    for (name, about) in inputs() {
        let default = if name == "runner" { RUNNER } else { "''" };
        let _ = write!(
            out,
            "      {name}:\n        description: {about}\n        type: string\n        default: {default}\n"
        );
    }
    out.push_str("    outputs:\n");
    for (name, about) in [
        ("intent", "What was asked for: plan, run, approve, rerun, stop, teach, lost or nothing"),
        ("exit", "How it ended"),
    ] {
        let from = if name == "intent" { "command" } else { "result" };
        let _ = write!(
            out,
            "      {name}:\n        description: '{about}'\n        value: ${{{{ jobs.{from}.outputs.{name} }}}}\n"
        );
    }
    out.push_str("    secrets:\n");
    for (secret, whose) in KEYS {
        let _ = write!(out, "      {secret}:\n        description: {whose}\n        required: false\n");
    }
    out.push_str(
        "\npermissions: {}\n\nconcurrency:\n  group: orch-commands-${{ github.run_id }}\n  cancel-in-progress: false\n\njobs:\n",
    );
    job(
        &mut out,
        "command",
        "Hears what is asked for, and asks the forge who may",
        "",
        &[
            ("actions: read", "to find the run that is meant"),
            ("contents: read", "to check out the repository"),
            ("issues: read", "to ask whether the text is as it was"),
            ("pull-requests: read", "to ask whether the text is as it was"),
        ],
        &["exit", "intent", "reason", "from-run", "parts", "run-id"],
        "          command: read\n          accept: '2 3 78'\n",
    );
    for call in CALLS {
        call_job(&mut out, call)?;
        if call.intent == "run" {
            for (round, before) in MENDS.iter().zip(["run", MENDS[0]]) {
                mend_job(&mut out, round, before)?;
            }
        }
    }
    job(
        &mut out,
        "act",
        "Stops a run, or runs a stage once more",
        "contains(fromJSON('[\"stop\",\"rerun\"]'), needs.command.outputs.intent)",
        &[
            ("actions: write", "to stop a run, or to run a job once more"),
            ("contents: read", "to check out the repository"),
            ("issues: read", "to ask whether the text is as it was"),
            ("pull-requests: read", "to find the run of a pull request"),
        ],
        &["exit", "said"],
        "          command: act\n          accept: '3 78'\n",
    );
    let ended = |output: &str| {
        // The last that ran tells how it ended.
        let of: Vec<String> =
            calls().iter().rev().map(|call| format!("needs.{call}.outputs.{output}")).collect();
        of.join(" || ")
    };
    let given = format!(
        "          command: reply\n          accept: '3 78'\n          exit: ${{{{ {} || needs.act.outputs.exit || needs.command.outputs.intent == 'lost' && needs.command.outputs.exit || '' }}}}\n          \
         reason: ${{{{ {} || needs.command.outputs.reason }}}}\n          pr-number: ${{{{ {} }}}}\n          said: ${{{{ needs.act.outputs.said }}}}\n          \
         parts: ${{{{ needs.plan.outputs.parts }}}}\n",
        ended("exit"),
        ended("reason"),
        "needs.approve.outputs.pr-number || needs.mend-2.outputs.pr-number || needs.mend-1.outputs.pr-number || needs.run.outputs.pr-number",
    );
    job(
        &mut out,
        "reply",
        "Answers, once for each question",
        "needs.command.outputs.intent != 'nothing' && (github.event.issue.number || github.event.pull_request.number)",
        &[
            ("contents: read", "to check out the repository"),
            ("issues: write", "to answer in a comment"),
            ("pull-requests: write", "to answer in a comment"),
        ],
        &["exit"],
        &given,
    );
    result(&mut out);
    Ok(Compiled { name: NAME.to_owned(), text: out })
}

fn inputs() -> Vec<(&'static str, &'static str)> {
    let mut all: Vec<_> = GIVEN.iter().map(|given| (given.name, given.about)).collect();
    all.push((
        "approve-environment",
        "A deployment environment whose reviewers approve what policy asks a person about",
    ));
    all.push(("attest", super::proof::ATTESTS));
    all.push(("runner", "The runner of the jobs that run code of the repository"));
    all
}

/// Writes a job of this workflow itself: a step of the action.
fn job(
    out: &mut String,
    name: &str,
    about: &str,
    condition: &str,
    permissions: &[(&str, &str)],
    outputs: &[&str],
    with: &str,
) {
    let _ = write!(out, "  # {about}.\n  {name}:\n    name: {name}\n");
    if name == "reply" {
        let needs = calls();
        let _ = write!(
            out,
            "    needs: [command, {}, act]\n    if: ${{{{ always() && needs.command.result == 'success' && {condition} }}}}\n",
            needs.join(", ")
        );
    } else if !condition.is_empty() {
        let _ = write!(
            out,
            "    needs: [command]\n    if: ${{{{ always() && needs.command.result == 'success' && {condition} }}}}\n"
        );
    }
    let _ = write!(out, "    runs-on: {RUNNER}\n    timeout-minutes: 10\n    permissions:\n");
    for (right, why) in permissions {
        let _ = writeln!(out, "      {right} # {why}");
    }
    let _ = write!(
        out,
        "    concurrency:\n      group: orch-commands-{name}-${{{{ github.run_id }}}}\n      cancel-in-progress: false\n    outputs:\n"
    );
    for output in outputs {
        let _ = writeln!(out, "      {output}: ${{{{ steps.command.outputs.{output} }}}}");
    }
    let _ = write!(
        out,
        "    steps:\n      - name: The repository\n        uses: {}\n        with:\n          persist-credentials: false\n",
        CHECKOUT.uses()
    );
    own_action(out, &Origin::Own);
    let _ = write!(
        out,
        "      - name: {name}\n        id: command\n        uses: {}\n        with:\n{with}          config: ${{{{ inputs.config }}}}\n        env:\n          GITHUB_TOKEN: ${{{{ github.token }}}}\n\n",
        action(&Origin::Own)
    );
}

/// Writes a job that calls the workflow of a definition, with the rights its jobs take their parts of.
fn call_job(out: &mut String, call: &Call) -> Result<(), CompileError> {
    let condition = format!("needs.command.outputs.intent == '{}'", call.intent);
    write_call(out, call.intent, call.workflow, "[command]", &condition, &[])
}

/// Writes a job that mends what the review of another one found, on the branch of its pull request.
///
/// Only the review gate ends with 3 where there is a pull request: a change that policy denies opens none.
fn mend_job(out: &mut String, name: &str, before: &str) -> Result<(), CompileError> {
    let given = [
        ("review-run", format!("needs.{before}.outputs.run-id")),
        ("review-parts", format!("needs.{before}.outputs.parts")),
        ("ref", format!("needs.{before}.outputs.pr-head")),
    ];
    let condition = format!(
        "format('exit {{0}}', needs.{before}.outputs.exit) == 'exit 3' && needs.{before}.outputs.pr-number != ''"
    );
    let needs =
        if before == "run" { "[command, run]".to_owned() } else { format!("[command, run, {before}]") };
    write_call(out, name, "change.yml", &needs, &condition, &given)
}

fn write_call(
    out: &mut String,
    intent: &str,
    workflow: &str,
    needs: &str,
    condition: &str,
    given: &[(&str, String)],
) -> Result<(), CompileError> {
    let text = SHIPPED.iter().find(|(name, _)| *name == workflow).map_or("", |(_, text)| *text);
    let pipeline = Pipeline::parse(text, workflow).map_err(CompileError::Definition)?;
    let unrolled = unroll(&pipeline)?;
    let about = if given.is_empty() {
        pipeline.summary.as_str()
    } else {
        "What reviewers found is mended, on the same branch."
    };
    let _ = write!(
        out,
        "  # {about}\n  {intent}:\n    name: {intent}\n    needs: {needs}\n    \
         if: ${{{{ always() && needs.command.result == 'success' && {condition} }}}}\n    permissions:\n"
    );
    let mut all = rights(&unrolled);
    if unrolled.resumes && !all.contains(&"actions: read") {
        all.insert(0, "actions: read");
    }
    for right in all {
        let _ = writeln!(out, "      {right} # handed on; each job there takes its own part");
    }
    let _ = write!(
        out,
        "    uses: ./.github/workflows/{workflow} # zizmor: ignore[self-repository] older runners and GHES do not know the other form\n    with:\n"
    );
    if unrolled.resumes {
        for name in ["from-run", "parts", "run-id"] {
            let _ = writeln!(out, "      {name}: ${{{{ needs.command.outputs.{name} }}}}");
        }
    }
    for (name, value) in given {
        let _ = writeln!(out, "      {name}: ${{{{ {value} }}}}");
    }
    for given in GIVEN.iter().filter(|given| !given.models || unrolled.has(Power::Key)) {
        let _ = writeln!(out, "      {}: ${{{{ inputs.{} }}}}", given.name, given.name);
    }
    // One change for an issue at a time, and one for each pull request; others are on their own.
    out.push_str(
        "      key: ${{ github.event.issue.number || github.event.pull_request.number || github.event.client_payload.tenant }}\n",
    );
    if workflow == "change.yml" {
        out.push_str("      approve-environment: ${{ inputs.approve-environment }}\n");
    }
    if unrolled.proof {
        out.push_str("      attest: ${{ inputs.attest }}\n");
    }
    out.push_str("      runner: ${{ inputs.runner }}\n");
    if unrolled.has(Power::Key) {
        out.push_str("    secrets:\n");
        for (secret, _) in KEYS {
            let _ = writeln!(out, "      {secret}: ${{{{ secrets.{secret} }}}}");
        }
    }
    out.push('\n');
    Ok(())
}

/// How it ended, whoever did it.
fn result(out: &mut String) {
    let all: Vec<&str> = ["command"].into_iter().chain(calls()).chain(["act", "reply"]).collect();
    let _ = write!(
        out,
        "  # How it ended.\n  result:\n    name: result\n    needs: [{}]\n    if: ${{{{ always() }}}}\n    runs-on: {RUNNER}\n    \
         timeout-minutes: 5\n    permissions: {{}}\n    outputs:\n      exit: ${{{{ steps.end.outputs.exit }}}}\n    steps:\n      \
         - name: How it ended\n        id: end\n        shell: bash\n        env:\n          ENDS: |\n",
        all.join(", ")
    );
    for name in &all {
        let _ = writeln!(
            out,
            "            {name} ${{{{ needs.{name}.result }}}} ${{{{ needs.{name}.outputs.exit }}}}"
        );
    }
    out.push_str("        run: |\n");
    for line in END.trim_matches('\n').lines() {
        let _ = writeln!(out, "          {line}");
    }
}

/// Reads `job result exit` of each job: what was asked for decides, and where nothing was, that is no failure.
const END: &str = r#"
whole=78 red=''
while read -r job result code; do
  case "$result" in
    '' | skipped) continue ;;
    # What reviewers found and was mended is red no more.
    success) case "$job" in mend-*) red='' ;; esac ;;
    # The job of a called workflow is red where that ended so; it says itself why.
    *) red="$job" ;;
  esac
  case "$job" in
    command) whole="${code:-1}" ;;
    reply) ;;
    *) whole="${code:-1}" ;;
  esac
done <<<"$ENDS"
echo "exit=$whole" >>"$GITHUB_OUTPUT"
if [ -n "$red" ]; then
  echo "::error title=orch::$red did not end well"
  exit 1
fi
"#;
