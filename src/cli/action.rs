//! `action.yml`: the composite action, its inputs made from the command line itself.
//!
//! Must never describe an input in words of its own where a flag has them, and must never put an input into a script.

use std::fmt::Write as _;

use clap::CommandFactory as _;

use super::Cli;
use crate::compile::pins::{DOWNLOAD, UPLOAD};
use crate::stage::registry::STAGES;
use crate::stage::spec::Power;

/// An input: its name, the flag it becomes, and its default.
struct Input {
    name: &'static str,
    /// The long name of the flag of `orch stage`, or what it is where there is none.
    from: From,
    default: &'static str,
}

enum From {
    Flag(&'static str),
    /// The word after `orch stage`.
    Stage,
    Own(&'static str),
}

const INPUTS: &[Input] = &[
    Input { name: "stage", from: From::Stage, default: "" },
    Input { name: "task", from: From::Flag("task"), default: "" },
    Input { name: "task-file", from: From::Flag("task-file"), default: "" },
    Input { name: "config", from: From::Flag("config"), default: "" },
    Input { name: "run-id", from: From::Flag("run"), default: "" },
    Input { name: "round", from: From::Flag("round"), default: "" },
    Input { name: "artifacts", from: From::Flag("artifacts"), default: "" },
    Input { name: "engine", from: From::Flag("engine"), default: "" },
    Input { name: "model", from: From::Flag("model"), default: "" },
    Input { name: "max-cost-usd", from: From::Flag("max-cost-usd"), default: "" },
    Input { name: "max-tokens", from: From::Flag("max-tokens"), default: "" },
    Input { name: "ttl-minutes", from: From::Flag("ttl-minutes"), default: "" },
    Input {
        name: "timeout-minutes",
        from: From::Own(
            "End the stage after this many minutes, with 5, so that what it spent is handed over before the time of its job is over; absent: never",
        ),
        default: "",
    },
    Input { name: "to", from: From::Flag("to"), default: "" },
    Input { name: "commit", from: From::Flag("commit"), default: "" },
    Input { name: "branch", from: From::Flag("branch"), default: "" },
    Input { name: "artifacts-file", from: From::Flag("artifacts-file"), default: "" },
    Input { name: "last-good", from: From::Flag("last-good"), default: "" },
    Input {
        name: "deployed",
        from: From::Own("Whether the environment of `to` runs the commit already: true or false"),
        default: "",
    },
    Input {
        name: "files",
        from: From::Own(
            "Ids of artifacts of earlier jobs, with commas between, whose files are put into the folder release-inputs: digests, measures, rehearsals, lists of components",
        ),
        default: "",
    },
    Input {
        name: "subject",
        from: From::Own("What policy judges where that is no run: pull-request, or nothing"),
        default: "",
    },
    Input {
        name: "command",
        from: From::Own("What to do about a command in a comment, instead of a stage: read, act or reply"),
        default: "",
    },
    Input { name: "from-review", from: From::Flag("from-review"), default: "" },
    Input {
        name: "environment",
        from: From::Own(
            "Whether approve takes the approval of the environment its job waited for: true or false",
        ),
        default: "false",
    },
    Input {
        name: "exit",
        from: From::Own("For `command: reply`, how what was asked for ended"),
        default: "",
    },
    Input { name: "reason", from: From::Own("For `command: reply`, why it ended so"), default: "" },
    Input {
        name: "pr-number",
        from: From::Own("For `command: reply`, the number of the pull request"),
        default: "",
    },
    Input { name: "said", from: From::Own("For `command: reply`, what `command: act` did"), default: "" },
    Input {
        name: "signed",
        from: From::Own("For `stage: keep`, the bundle in which another signer signed what the run says"),
        default: "",
    },
    Input {
        name: "parts",
        from: From::Own(
            "Ids of the artifacts that earlier jobs handed over, with commas between: their outputs `part`",
        ),
        default: "",
    },
    Input {
        name: "accept",
        from: From::Own(
            "Exit codes that leave the step green, with spaces between; 78 is nothing to do, 4 needs approval, 75 try again",
        ),
        default: "78",
    },
    Input {
        name: "hand-over",
        from: From::Own("Whether the files of the stage are uploaded for later jobs: true or false"),
        default: "true",
    },
    Input { name: "retention-days", from: From::Own("How long the uploaded files are kept"), default: "30" },
    Input {
        name: "binary",
        from: From::Own(
            "A program that is there already, instead of the release of this commit; it is not checked",
        ),
        default: "",
    },
    Input {
        name: "install",
        from: From::Own(
            "Where the program comes from: release, or cargo to build it from the action's own sources",
        ),
        default: "release",
    },
];

const OUTPUTS: &[(&str, &str, &str)] = &[
    ("exit", "run", "The exit code of the stage; docs/reference/exit-codes.md tells what each means"),
    (
        "outcome",
        "run",
        "In a word: done, denied, needs-approval, exhausted, tests-failed, not-converged, try-again, nothing-to-do, refused or failed",
    ),
    (
        "decision",
        "run",
        "What policy decided: allow, needs-approval or deny; or the release gate: promote, hold, deny or rollback",
    ),
    ("run-id", "run", "The run"),
    ("reason", "run", "Why the stage did not end with 0, one line"),
    ("cost-usd", "run", "What the run spent on models so far, in dollars; empty where it is not known"),
    ("branch", "run", "The branch that pr wrote"),
    ("pr-number", "run", "The number of the pull request"),
    ("pr-url", "run", "Its address"),
    ("pr-head", "run", "The last commit of its branch"),
    (
        "revert",
        "run",
        "Of rollback, the request of the run that puts the branch back; empty where no run does",
    ),
    ("intent", "run", "What a comment asks for: plan, run, approve, rerun, stop, teach, lost or nothing"),
    ("said", "run", "What was done about a command, one sentence"),
    ("from-run", "run", "The workflow's run that a command is about"),
    ("parts", "run", "What its jobs handed on, for the input `parts`"),
    ("part", "upload", "The id of the uploaded files, for the input `parts` of later jobs"),
];

/// Returns the text of `action.yml`.
pub fn text() -> String {
    let mut out = String::from(
        "# Made from the command line by `orch util generate`; do not edit.\nname: orch\n\
         description: One stage of the governed change pipeline, with its files handed over to the next job\n\
         author: the orch project\nbranding:\n  icon: git-pull-request\n  color: blue\ninputs:\n",
    );
    let about = flags();
    for input in INPUTS {
        let text = match input.from {
            From::Flag(flag) => {
                about.iter().find(|(name, _)| name == flag).map_or("", |(_, help)| help.as_str())
            }
            From::Stage => {
                about.iter().find(|(name, _)| name == "stage").map_or("", |(_, help)| help.as_str())
            }
            From::Own(text) => text,
        };
        let _ = write!(
            out,
            "  {}:\n    description: {}\n    required: false\n    default: {}\n",
            input.name,
            quoted(text),
            quoted(input.default)
        );
    }
    out.push_str("outputs:\n");
    for (name, step, about) in OUTPUTS {
        let output = if *name == "part" { "artifact-id" } else { name };
        let _ = write!(
            out,
            "  {name}:\n    description: {}\n    value: ${{{{ steps.{step}.outputs.{output} }}}}\n",
            quoted(about)
        );
    }
    out.push_str("runs:\n  using: composite\n  steps:\n");
    script(
        &mut out,
        "install",
        "Find the program of this commit",
        "install.sh",
        &[("binary", "binary"), ("install", "install")],
        Some("GH_TOKEN: ${{ github.token }}"),
    );
    let _ = write!(
        out,
        "    - name: Take the files of earlier jobs\n      if: inputs.parts != ''\n      uses: {}\n      with:\n        artifact-ids: ${{{{ inputs.parts }}}}\n        path: ${{{{ runner.temp }}}}/orch-parts\n",
        DOWNLOAD.uses()
    );
    let _ = write!(
        out,
        "    - name: Take what earlier attempts of this job handed over\n      if: github.run_attempt != '1' && contains(fromJSON('[{}]'), inputs.stage)\n      uses: {}\n      with:\n        pattern: orch-*-${{{{ inputs.stage }}}}-r${{{{ inputs.round || '1' }}}}-a*\n        path: ${{{{ runner.temp }}}}/orch-earlier\n",
        spenders(),
        DOWNLOAD.uses()
    );
    let _ = write!(
        out,
        "    - name: Take the files of the caller\n      if: inputs.files != ''\n      uses: {}\n      with:\n        artifact-ids: ${{{{ inputs.files }}}}\n        path: release-inputs\n        merge-multiple: true\n",
        DOWNLOAD.uses()
    );
    let handed: Vec<(&str, &str)> = INPUTS
        .iter()
        .map(|input| input.name)
        .filter(|name| !matches!(*name, "binary" | "install" | "retention-days" | "files"))
        .map(|name| (name, name))
        .collect();
    script(
        &mut out,
        "run",
        "Run the stage",
        "stage.sh",
        &handed,
        Some("ORCH_PROGRAM: ${{ steps.install.outputs.program }}"),
    );
    let _ = write!(
        out,
        "    - name: Hand the files over\n      id: upload\n      if: always() && steps.run.outputs.part-folder != ''\n      uses: {}\n      with:\n        name: ${{{{ steps.run.outputs.part-name }}}}\n        path: ${{{{ steps.run.outputs.part-folder }}}}\n        if-no-files-found: error\n        retention-days: ${{{{ inputs.retention-days }}}}\n",
        UPLOAD.uses()
    );
    script(
        &mut out,
        "end",
        "End as the stage did",
        "end.sh",
        &[("accept", "accept"), ("stage", "stage"), ("command", "command")],
        Some("ORCH_EXIT: ${{ steps.run.outputs.exit }}"),
    );
    out
}

/// A step that runs a script of the action's own folder; every value comes by the environment.
fn script(out: &mut String, id: &str, name: &str, file: &str, inputs: &[(&str, &str)], more: Option<&str>) {
    // By `exec`, so that the signal of a runner that stops the job reaches the script itself.
    let _ = write!(
        out,
        "    - name: {name}\n      id: {id}\n      shell: bash\n      run: exec bash \"$ORCH_ACTION_PATH/action/{file}\"\n      env:\n        ORCH_ACTION_PATH: ${{{{ github.action_path }}}}\n"
    );
    if let Some(line) = more {
        let _ = writeln!(out, "        {line}");
    }
    for (variable, input) in inputs {
        let _ = writeln!(
            out,
            "        ORCH_INPUT_{}: ${{{{ inputs.{input} }}}}",
            variable.to_uppercase().replace('-', "_")
        );
    }
}

/// Returns the stages that spend money, as the items of a JSON list.
fn spenders() -> String {
    let specs = STAGES.iter().map(|stage| stage.spec());
    let spend = specs.filter(|spec| spec.powers().contains(&Power::Key));
    spend.map(|spec| format!("\"{}\"", spec.id)).collect::<Vec<_>>().join(",")
}

/// Returns the flags of `orch stage` with the first line of their help.
fn flags() -> Vec<(String, String)> {
    let mut root = Cli::command();
    root.build();
    let Some(stage) = root.find_subcommand("stage") else { return Vec::new() };
    stage
        .get_arguments()
        .map(|arg| {
            let name = arg.get_long().map_or_else(|| arg.get_id().to_string(), str::to_owned);
            (name, arg.get_help().map(ToString::to_string).unwrap_or_default())
        })
        .collect()
}

fn quoted(text: &str) -> String {
    format!("'{}'", text.replace('\'', "''"))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_input_that_is_a_flag_is_one() {
        let flags = flags();
        for input in INPUTS {
            if let From::Flag(flag) = input.from {
                assert!(flags.iter().any(|(name, help)| name == flag && !help.is_empty()), "{flag}");
            }
        }
        assert!(flags.iter().any(|(name, _)| name == "stage"));
    }

    #[test]
    fn no_script_holds_an_expression() {
        let text = text();
        for line in text.lines().filter(|line| line.trim_start().starts_with("run:")) {
            assert!(!line.contains("${{"), "{line}");
        }
    }
}
