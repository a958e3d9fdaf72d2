//! Code of a pull request, checked out and run by a workflow that has the rights of the repository.
//!
//! Must never be sure where somebody has to say yes first.

use std::ops::Range;
use std::sync::LazyLock;

use regex::Regex;

use super::super::yaml::Node;
use super::expression::{expressions, is_strangers_code, names};
use super::model::{Flow, Job, action, inputs, major, mentions, text};
use super::{CHECKOUT, Confidence, Note, Report};

/// Commands that run what is in the working directory.
pub static BUILDS: LazyLock<Option<Regex>> = LazyLock::new(|| {
    Regex::new(
        r"(?mx)(?:^|[\s;&|(`]) (?:
            (?:npm|pnpm|yarn|bun) (?:\s+(?:i|ci|install|run|test|build|exec|start|lint|t|x|--\S+)\b|\s*$)
            | npx\s | (?:make|cmake|ninja|rake|tox|nox|gradle|mvn|ant|sbt|bazel|pytest|hatch|msbuild|meson|composer|jekyll|hugo)\b
            | cargo\s+(?:\+\S+\s+)?(?:build|test|run|check|clippy|bench|doc|nextest|xtask|install)
            | go\s+(?:build|test|run|generate|vet|install)
            | (?:pip3?|uv\s+pip)\s+install\s+(?:\S+\s+)*?(?:\.|-e|-r) | python3?\s+(?:-m\s+(?:build|pytest|unittest|pip\s+install\s+\.)|(?:\./)?[\w/]+\.py)
            | uv\s+(?:sync|run|build) | poetry\s+(?:install|run|build) | pipenv\s+(?:install|run)
            | bundle\s+(?:install|exec) | dotnet\s+(?:build|test|run|publish|restore) | mix\s | swift\s+(?:build|test|run)
            | docker(?:\s+|-)(?:build|compose|buildx) | (?:bash|sh|zsh|node|ruby|perl|php|deno\s+run|tsx|pwsh|source|\.)\s+(?:-\w+\s+)*(?:\./)?[\w./-]+\.(?:sh|js|mjs|cjs|ts|rb|pl|php|ps1|bash)\b
            | \./[\w./-]+ | pre-commit\s+run | terraform\s+(?:init|plan|apply) | nix\s+(?:build|develop|run|flake|fmt) | nix-build | just\s | task\s
        )",
    )
    .ok()
});

/// Commands that get a pull request's code.
pub static FETCHES: LazyLock<Option<Regex>> = LazyLock::new(|| {
    Regex::new(
        r"(?x)\bgh\s+pr\s+checkout\b | \bhub\s+pr\s+checkout\b
        | \bgit\s+(?:-\S+\s+)*(?:fetch|pull)\b[^\n]*\bpull/[^\n]*/(?:head|merge)",
    )
    .ok()
});
static SWITCHES: LazyLock<Option<Regex>> = LazyLock::new(|| {
    Regex::new(r"\bgit\s+(?:-\S+\s+)*(?:checkout|switch|reset|merge|worktree\s+add)\b[^\n]*").ok()
});

pub(super) fn scan(flow: &Flow<'_>, report: &mut Report<'_, '_>) {
    let events: Vec<(&Node, &str)> =
        flow.triggers.iter().filter(|(_, name)| super::model::PRIVILEGED.contains(name)).copied().collect();
    for job in &flow.jobs {
        let condition = text(job.node, "if");
        let Some((trigger, event)) = events
            .iter()
            .find(|(_, event)| !flow.leaves_out(condition, event) && !own_only(condition, event))
        else {
            continue;
        };
        look(flow, job, (trigger, event), report);
    }
}

/// Tells whether a condition lets only code of the repository itself through.
fn own_only(condition: &str, event: &str) -> bool {
    if condition.contains("||") {
        return false;
    }
    let condition = condition.replace('"', "'").replace(' ', "");
    let own = |text: &str| {
        condition.contains(&format!("{text}==github.repository"))
            || condition.contains(&format!("github.repository=={text}"))
            || condition.contains(&format!("!{text}.fork"))
    };
    match event {
        "pull_request_target" => {
            own("github.event.pull_request.head.repo.full_name")
                || own("github.event.pull_request.head.repo")
                || condition.contains("github.event.pull_request.head.repo.fork==false")
                || condition.contains("!github.event.pull_request.head.repo.fork")
                || condition.contains("github.event.pull_request.merged==true")
                || condition.ends_with("github.event.pull_request.merged")
                || condition.contains("github.event.pull_request.merged&&")
        }
        "workflow_run" => {
            own("github.event.workflow_run.head_repository.full_name")
                || ["push", "schedule", "release", "workflow_dispatch", "merge_group"]
                    .iter()
                    .any(|event| condition.contains(&format!("github.event.workflow_run.event=='{event}'")))
                || condition.contains("github.event.workflow_run.event!='pull_request'")
        }
        _ => false,
    }
}

/// Tells whether a person has to say yes before the job runs, as far as can be seen.
fn is_guarded(flow: &Flow<'_>, job: &Job<'_>, step: &Node) -> bool {
    let says = |condition: &str| {
        [
            "label",
            "author_association",
            "permission",
            "membership",
            "github.actor",
            "sender.login",
            "user.login",
            "allowed",
            "trusted",
        ]
        .iter()
        .any(|word| condition.contains(word))
    };
    job.node.get("environment").is_some()
        || says(text(job.node, "if"))
        || says(text(step, "if"))
        || flow.trigger("pull_request_target").and_then(|t| {
            let entry =
                flow.root.get("on")?.entries().iter().find(|(k, _)| std::ptr::eq(&raw const **k, t))?;
            let types = entry.1.get("types")?.names();
            Some(!types.is_empty() && types.iter().all(|(_, name)| *name == "labeled" || *name == "closed"))
        }) == Some(true)
}

/// Where code of strangers is got, and into which folder.
struct Got<'f> {
    place: Range<usize>,
    folder: &'f str,
    /// Whether the action refuses it unless told otherwise.
    refused: bool,
    key: String,
}

fn look(flow: &Flow<'_>, job: &Job<'_>, (trigger, event): (&Node, &str), report: &mut Report<'_, '_>) {
    for (index, step) in job.steps.iter().enumerate() {
        let condition = text(step, "if");
        if flow.leaves_out(condition, event) || own_only(condition, event) {
            continue;
        }
        let Some(got) = by_action(flow, job, step, event).or_else(|| by_command(flow, job, step, report))
        else {
            continue;
        };
        let after = job.steps.get(index..).unwrap_or_default();
        let runs = after.iter().enumerate().find_map(|(later, step)| run_place(step, got.folder, later == 0));
        let rights = rights(flow, job);
        // Also with a token that only reads: such a job can still fill the cache that trusted builds take from.
        let sure = runs.is_some() && !is_guarded(flow, job, step) && !got.refused;
        let does = if runs.is_some() { " and runs it" } else { "" };
        let with = match rights {
            "secrets" => " with secrets",
            "writes" => " with a token that can write",
            _ => "",
        };
        let message =
            format!("the job `{}` checks out a pull request's code on `{event}`{does}{with}", job.name);
        let mut places = vec![got.place, trigger.range.clone()];
        places.extend(runs);
        report.add(Note {
            code: CHECKOUT,
            places: &places,
            message,
            key: format!("{}\0{event}\0{}", job.name, got.key),
            confidence: if sure { Confidence::High } else { Confidence::Medium },
            kind: if does.is_empty() { "checkout" } else { "run" },
            action: "",
        });
        return;
    }
}

/// What the job holds: `secrets`, `writes`, `reads` (nothing but reading), or `unknown`.
fn rights(flow: &Flow<'_>, job: &Job<'_>) -> &'static str {
    let secret = |path: &str| path.starts_with("secrets.") && path != "secrets.github_token";
    if mentions(job.node, &secret) || flow.root.get("env").is_some_and(|env| mentions(env, &secret)) {
        return "secrets";
    }
    let Some(permissions) = job.node.get("permissions").or_else(|| flow.root.get("permissions")) else {
        return "unknown";
    };
    let mut writes = permissions.text() == Some("write-all");
    writes |= permissions.entries().iter().any(|(_, value)| value.text() == Some("write"));
    if writes { "writes" } else { "reads" }
}

fn by_action<'f>(flow: &Flow<'f>, job: &Job<'f>, step: &'f Node, event: &str) -> Option<Got<'f>> {
    let (name, version) = action(step)?;
    if name != "actions/checkout" && !name.ends_with("/checkout") {
        return None;
    }
    let mut folder = "";
    let mut code = None;
    let mut unsafe_asked = false;
    for (key, value) in inputs(step) {
        let text = value.text().unwrap_or_default();
        match key {
            "ref" | "repository" if (code.is_none() || key == "ref") && is_code(flow, job, step, text) => {
                code = Some((value.range.clone(), text));
            }
            "path" => folder = text.trim_start_matches("./").trim_end_matches('/'),
            "allow-unsafe-pr-checkout" => unsafe_asked = text == "true",
            _ => {}
        }
    }
    let (place, key) = code?;
    let refuses = name == "actions/checkout"
        && major(version).is_some_and(|major| major >= 7)
        && event != "issue_comment";
    Some(Got { place, folder, refused: refuses && !unsafe_asked, key: key.to_owned() })
}

/// Tells whether a ref or repository is that of a pull request.
pub fn is_code<'f>(flow: &Flow<'f>, job: &Job<'f>, step: &'f Node, reference: &str) -> bool {
    let number = |path: &str| path.ends_with(".number");
    let numbered = reference.contains("pull/");
    let mut found = numbered && reference.contains("${{");
    for expression in expressions(reference) {
        names(expression.inner, &mut |path| {
            found |= is_strangers_code(path) && (numbered || !number(path));
            if let Some(name) = path.strip_prefix("env.") {
                let value = flow.variable(job, step, name).unwrap_or_default();
                for inner in expressions(value) {
                    names(inner.inner, &mut |path| found |= is_strangers_code(path) && !number(path));
                }
            }
            // Asked for with the API, as a comment brings no commit.
            found |= path.starts_with("steps.")
                && flow.trigger("issue_comment").is_some()
                && ["sha", "ref", "head"]
                    .iter()
                    .any(|word| path.rsplit('.').next().is_some_and(|last| last.contains(word)));
        });
    }
    found
}

fn by_command<'f>(
    flow: &Flow<'f>,
    job: &Job<'f>,
    step: &'f Node,
    report: &Report<'_, '_>,
) -> Option<Got<'f>> {
    let node = step.get("run")?;
    let script = node.text()?;
    let found =
        FETCHES.as_ref().and_then(|fetches| fetches.find(script)).map(|m| m.as_str()).or_else(|| {
            SWITCHES.as_ref()?.find_iter(script).map(|m| m.as_str()).find(|command| {
                let by_expression = expressions(command).iter().any(|e| {
                    let mut code = false;
                    names(e.inner, &mut |path| code |= is_strangers_code(path) && !path.ends_with(".number"));
                    code
                });
                by_expression
                    || variables(command).any(|name| {
                        let value = flow.variable(job, step, name).unwrap_or_default();
                        !value.is_empty() && is_code(flow, job, step, value)
                    })
            })
        })?;
    let place = report.place(&node.range, found.lines().next().unwrap_or_default());
    Some(Got { place, folder: "", refused: false, key: found.to_owned() })
}

/// Returns the shell variables that a command names.
pub fn variables(command: &str) -> impl Iterator<Item = &str> {
    command.split('$').skip(1).map(|rest| {
        let rest = rest.strip_prefix('{').unwrap_or(rest);
        let end = rest.find(|c: char| !c.is_alphanumeric() && c != '_').unwrap_or(rest.len());
        &rest[..end]
    })
}

/// Returns where a step runs what is in the folder.
fn run_place(step: &Node, folder: &str, first: bool) -> Option<Range<usize>> {
    if let Some((key, value)) = step.entry("uses") {
        let uses = value.text()?;
        let local = uses.strip_prefix("./").is_some_and(|path| path.starts_with(folder));
        let builds = [
            "docker/build-push-action",
            "gradle/gradle-build-action",
            "pre-commit/action",
            "golangci/golangci-lint-action",
        ];
        let known = builds.iter().any(|name| uses.starts_with(name)) && folder.is_empty();
        return (!first && (local || known)).then_some(key.range.start..value.range.end);
    }
    let script = step.get("run")?;
    let text_of = script.text()?;
    let inside = folder.is_empty()
        || text_of.contains(folder)
        || text(step, "working-directory").trim_start_matches("./").starts_with(folder);
    let found = BUILDS.as_ref()?.find(text_of)?;
    // The first step is the one that gets the code: what it runs before it does not count.
    let counts = !first || FETCHES.as_ref()?.find(text_of).is_none_or(|got| got.start() < found.start());
    (inside && counts).then(|| script.range.clone())
}
