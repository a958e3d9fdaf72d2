//! `lint/pipe-to-shell`: what a server answers today is run, unseen.
//!
//! Must never complain of a download whose digest is checked.

use std::sync::LazyLock;

use regex::Regex;

use super::prelude::*;

pub(super) static RULE: Rule = Rule {
    code: "lint/pipe-to-shell",
    severity: Severity::Medium,
    help: "Download a fixed version, compare its digest, then run it.",
    check,
};

static PIPE: LazyLock<Option<Regex>> = LazyLock::new(|| {
    Regex::new(r"(?ix)\b(?:curl|wget)\b[^\n|;]*(?:\\\n[^\n|;]*)*\|\s*(?:sudo\s+(?:-\S+\s+)*)?(?:/\S*/)?(?:ba|z|da)?sh\b | \b(?:ba|z)?sh\s+(?:-c\s+)?[\x22']?(?:<\(|\$\()\s*(?:curl|wget)\b | \b(?:iwr|irm|invoke-webrequest|invoke-restmethod)\b[^\n]*\|\s*(?:iex|invoke-expression)\b | \bcurl\b[^\n|;]*\|\s*(?:sudo\s+)?(?:python3?|node|perl|ruby)\b").ok()
});

fn check(doc: &Doc<'_>, hits: &mut Hits) {
    for job in &doc.flow.jobs {
        doc.scripts(job, &mut |_, node, code| {
            for found in PIPE.as_ref().into_iter().flat_map(|pipe| pipe.find_iter(code)) {
                let first = found.as_str().lines().next().unwrap_or_default();
                hits.at(
                    &doc.within(node, first),
                    format!("the job `{}` runs what a server answers, unseen", job.name),
                );
            }
        });
    }
}
