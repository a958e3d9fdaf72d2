//! `lint/two-powers`: a job holds two of model key, repository code and write token.
//!
//! Must never count what a called workflow's own file is answerable for.

use super::prelude::*;
use crate::lint::powers::{Held, called, held};

pub(super) static RULE: Rule = Rule {
    code: "lint/two-powers",
    severity: Severity::High,
    help: "Split the job: one asks the model, one runs code, one writes; hand files over as artifacts.",
    check,
};

fn check(doc: &Doc<'_>, hits: &mut Hits) {
    for job in &doc.flow.jobs {
        let own = held(doc.flow, job, None, None);
        report(
            job,
            &own,
            &format!("the job `{}`", job.name),
            &own.first().map_or(job.node.range.clone(), |h| h.place.clone()),
            hits,
        );
        let Some(uses) = job.node.get("uses") else { continue };
        for (name, powers) in called(doc, job) {
            report(job, &powers, &format!("the job `{name}` of the called workflow"), &uses.range, hits);
        }
        elsewhere(doc, job, uses, hits);
    }
}

fn report(job: &Job<'_>, powers: &[Held], whose: &str, place: &Range<usize>, hits: &mut Hits) {
    // A call holds nothing itself: what it hands on is looked at where it goes.
    if powers.len() < 2
        || (job.node.get("uses").is_some() && whose.starts_with("the job `") && !whose.contains("called"))
    {
        return;
    }
    let told: Vec<String> = powers.iter().map(|held| format!("{} by {}", words(held), held.by)).collect();
    let severity = if powers.len() == 3 { Severity::Critical } else { Severity::High };
    hits.rated(severity, place, format!("{whose} has {}", told.join(" and ")));
}

const fn words(held: &Held) -> &'static str {
    match held.power {
        Power::Key => "a model key",
        Power::Exec => "code of the repository running",
        Power::Write => "the right to write",
    }
}

/// A workflow of somebody else that is given a key and the right to write: what its jobs do with them is not seen from here.
fn elsewhere(doc: &Doc<'_>, job: &Job<'_>, uses: &Node, hits: &mut Hits) {
    let name = uses.text().unwrap_or_default();
    let ours = env!("CARGO_PKG_REPOSITORY").trim_start_matches("https://github.com/");
    if name.starts_with("./")
        || name.starts_with("$/")
        || name.starts_with(&format!("{ours}/.github/workflows/"))
    {
        return;
    }
    let powers = held(doc.flow, job, None, None);
    let has = |power| powers.iter().any(|held| held.power == power);
    if has(Power::Key) && has(Power::Write) {
        hits.rated(
            Severity::Medium,
            &uses.range,
            format!("`{name}` is given a model key and the right to write; whether one job there holds both is not seen from here"),
        );
    }
}
