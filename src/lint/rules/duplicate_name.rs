//! `lint/duplicate-name`: two checks of one name, of which one can be green while the other is red.
//!
//! Must never complain of names that differ by a matrix.

use super::prelude::*;

pub(super) static RULE: Rule = Rule {
    code: "lint/duplicate-name",
    severity: Severity::Medium,
    help: "Give each job a name of its own.",
    check,
};

fn check(doc: &Doc<'_>, hits: &mut Hits) {
    let name = |job: &Job<'_>| match text(job.node, "name") {
        "" => job.name.to_owned(),
        name => name.to_owned(),
    };
    for (at, job) in doc.flow.jobs.iter().enumerate() {
        let told = name(job);
        let twin = doc.flow.jobs.iter().take(at).find(|other| name(other) == told && !told.contains("${{"));
        if let Some(twin) = twin {
            hits.at(
                &key_of(doc, job),
                format!("the jobs `{}` and `{}` are one check, `{told}`", twin.name, job.name),
            );
        }
    }
}
