//! `lint/trust`: somebody is trusted by a word that anybody can have.
//!
//! Must never complain of one exact name, or of roles that mean the right to write.

use std::sync::LazyLock;

use regex::Regex;

use super::prelude::*;

pub(super) static RULE: Rule = Rule {
    code: "lint/trust",
    severity: Severity::High,
    help: "Ask the API for the person's permission (write or more), or compare one exact id.",
    check,
};

static ROLE: LazyLock<Option<Regex>> = LazyLock::new(|| {
    Regex::new(r#"(?is)author_association[^\n]*?(?:!=\s*'NONE'|['"]CONTRIBUTOR['"]|FIRST_TIME)|(?:['"]CONTRIBUTOR['"]|FIRST_TIME)[^\n]*?author_association"#).ok()
});
static SUFFIX: LazyLock<Option<Regex>> = LazyLock::new(|| {
    Regex::new(r#"(?ix)\*\s*\\?\[bot\\?\] | endsWith\(\s*['"`]-?\[?bot\]?['"`]\s*\) | \[bot\\?\]\$"#).ok()
});

fn check(doc: &Doc<'_>, hits: &mut Hits) {
    for job in &doc.flow.jobs {
        let places = std::iter::once(job.node).chain(job.steps.iter().copied());
        for node in places {
            let Some((key, value)) = node.entry("if") else { continue };
            let whole = key.range.start..value.range.end;
            let condition = value.text().unwrap_or_default();
            if ROLE.as_ref().is_some_and(|role| role.is_match(condition)) {
                hits.at(
                    &whole,
                    format!("the job `{}` trusts everybody who ever had a change merged", job.name),
                );
            }
            if SUFFIX.as_ref().is_some_and(|suffix| suffix.is_match(condition))
                && !condition.contains("github.actor")
            {
                hits.at(&whole, format!("the job `{}` trusts every name that ends like a robot's", job.name));
            }
        }
        doc.scripts(job, &mut |_, node, code| {
            if let Some(found) = SUFFIX.as_ref().and_then(|suffix| suffix.find(code)) {
                hits.at(
                    &doc.within(node, found.as_str()),
                    format!("a script of the job `{}` trusts every name that ends like a robot's", job.name),
                );
            }
        });
    }
}
