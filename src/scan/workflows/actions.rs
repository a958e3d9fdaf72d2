//! What a workflow takes from elsewhere: actions, reusable workflows, images; and what it takes along into artifacts and releases.
//!
//! Must never call a full commit or digest unpinned.

use std::ops::Range;

use super::super::yaml::Node;
use super::model::{Flow, Job, action, inputs, is_commit, major, text};
use super::{ARTIPACKED, CACHE, Confidence, Note, Report, SECRETS, UNPINNED};

pub fn scan(flow: &Flow<'_>, report: &mut Report<'_, '_>) {
    for job in &flow.jobs {
        if let Some(node) = job.node.get("uses") {
            uses(node, report);
            inherit(job, report);
        }
        for step in &job.steps {
            if let Some(node) = step.get("uses") {
                uses(node, report);
            }
        }
        artifact(job, report);
        cache(flow, job, report);
    }
    if let Some(node) = flow.root.at(&["runs", "image"]) {
        image(node, report);
    }
}

fn uses(node: &Node, report: &mut Report<'_, '_>) {
    let Some(uses) = node.text().map(str::trim) else { return };
    if uses.starts_with("./") || uses.starts_with("$/") || uses.starts_with("../") || uses.contains("${{") {
        return;
    }
    if uses.starts_with("docker://") {
        image(node, report);
        return;
    }
    let Some((name, reference)) = uses.split_once('@') else { return };
    if is_commit(reference) || !name.contains('/') {
        return;
    }
    let moving =
        matches!(reference, "main" | "master" | "develop" | "dev" | "trunk" | "latest" | "next" | "HEAD");
    let kind = if moving { "branch" } else { "tag" };
    let label = if name.contains("/.github/workflows/") { "workflow" } else { "action" };
    report.add(Note {
        code: UNPINNED,
        places: std::slice::from_ref(&node.range),
        message: format!(
            "the {label} `{name}` is taken by the {kind} `{reference}`, which its owner can move"
        ),
        key: uses.to_owned(),
        confidence: if moving { Confidence::High } else { Confidence::Medium },
        kind,
        action: name,
    });
}

fn image(node: &Node, report: &mut Report<'_, '_>) {
    let Some(image) = node.text().and_then(|text| text.trim().strip_prefix("docker://")) else { return };
    if !image.contains("@sha256:") && !image.contains("${{") {
        report.add(Note {
            code: UNPINNED,
            places: std::slice::from_ref(&node.range),
            message: format!("the image `{image}` is not taken by its digest"),
            key: image.to_owned(),
            confidence: Confidence::Medium,
            kind: "docker",
            action: image,
        });
    }
}

/// All secrets for a workflow of somebody else.
fn inherit(job: &Job<'_>, report: &mut Report<'_, '_>) {
    let (Some(uses), Some((key, secrets))) =
        (job.node.get("uses").and_then(Node::text), job.node.entry("secrets"))
    else {
        return;
    };
    if secrets.text() != Some("inherit") || uses.starts_with("./") || uses.starts_with("$/") {
        return;
    }
    let (name, reference) = uses.split_once('@').unwrap_or((uses, ""));
    let places: [Range<usize>; 2] =
        [key.range.start..secrets.range.end, job.node.get("uses").map_or(0..0, |node| node.range.clone())];
    report.add(Note {
        code: SECRETS,
        places: &places,
        message: format!("the job `{}` gives every secret of the repository to `{name}`", job.name),
        key: format!("inherit\0{name}"),
        confidence: if is_commit(reference) { Confidence::Medium } else { Confidence::High },
        kind: "inherit",
        action: "",
    });
}

/// The checkout's token lies in `.git/config`, and the folder goes into an artifact.
fn artifact(job: &Job<'_>, report: &mut Report<'_, '_>) {
    // Since version 6 the token lies outside the working directory.
    let Some(index) = job.steps.iter().position(|step| {
        let Some((name, version)) = action(step) else { return false };
        let kept =
            !inputs(step).any(|(key, value)| key == "persist-credentials" && value.text() == Some("false"));
        name == "actions/checkout" && kept && major(version).is_some_and(|major| major < 6)
    }) else {
        return;
    };
    for step in job.steps.iter().skip(index) {
        let Some((name, version)) = action(step) else { continue };
        if name != "actions/upload-artifact" {
            continue;
        }
        let (mut all, mut hidden) = (None, major(version).is_some_and(|major| major < 4));
        for (key, value) in inputs(step) {
            let text = value.text().unwrap_or_default().trim();
            match key {
                "path" if is_everything(text) => all = Some(value.range.clone()),
                "include-hidden-files" => hidden |= text == "true",
                _ => {}
            }
        }
        let (Some(place), true) = (all, hidden) else { continue };
        let checkout = job.steps.get(index).map_or(0..0, |step| step.range.clone());
        report.add(Note {
            code: ARTIPACKED,
            places: &[place, checkout],
            message: format!(
                "the job `{}` uploads its whole folder, with the token that the checkout left in it",
                job.name
            ),
            key: job.name.to_owned(),
            confidence: Confidence::High,
            kind: "",
            action: "",
        });
    }
}

fn is_everything(path: &str) -> bool {
    path.lines().any(|line| {
        let line = line.trim().replace(' ', "");
        matches!(
            line.as_str(),
            "." | "./"
                | "./*"
                | "*"
                | "**"
                | "**/*"
                | "./**"
                | "${{github.workspace}}"
                | "${{github.workspace}}/"
        )
    })
}

const PUBLISHES: [&str; 7] = [
    "pypa/gh-action-pypi-publish",
    "softprops/action-gh-release",
    "goreleaser/goreleaser-action",
    "js-devtools/npm-publish",
    "changesets/action",
    "ncipollo/release-action",
    "rubygems/release-gem",
];
const PUBLISH_COMMANDS: [&str; 8] = [
    "npm publish",
    "pnpm publish",
    "yarn npm publish",
    "cargo publish",
    "twine upload",
    "uv publish",
    "poetry publish",
    "gem push",
];

/// A cache that any branch could have filled goes into what is published.
fn cache(flow: &Flow<'_>, job: &Job<'_>, report: &mut Report<'_, '_>) {
    let released = flow.trigger("release").is_some()
        || flow
            .root
            .at(&["on", "push"])
            .is_some_and(|push| push.get("tags").is_some() && push.get("branches").is_none());
    if !released {
        return;
    }
    let publishes = job.steps.iter().any(|step| {
        let by_action = action(step).is_some_and(|(name, _)| PUBLISHES.contains(&name.as_str()));
        let run = text(step, "run");
        by_action
            || (!run.contains("--dry-run") && PUBLISH_COMMANDS.iter().any(|command| run.contains(command)))
    });
    if !publishes {
        return;
    }
    for step in &job.steps {
        let Some((name, _)) = action(step) else { continue };
        let asked = inputs(step).any(|(key, value)| {
            (matches!(key, "cache" | "enable-cache") || key.ends_with("-cache"))
                && !matches!(value.text(), Some("false" | "" | "never"))
        });
        let caches =
            matches!(name.as_str(), "actions/cache" | "actions/cache/restore" | "swatinem/rust-cache")
                || (asked && (name.contains("/setup-") || name.contains("cache")));
        if !caches {
            continue;
        }
        let Some(uses) = step.get("uses") else { continue };
        let release =
            flow.trigger("release").or_else(|| flow.trigger("push")).map_or(0..0, |node| node.range.clone());
        report.add(Note {
            code: CACHE,
            places: &[uses.range.clone(), release],
            message: format!("the job `{}` publishes what it builds with a restored cache", job.name),
            key: format!("{}\0{name}", job.name),
            confidence: Confidence::Medium,
            kind: "",
            action: "",
        });
        return;
    }
}
