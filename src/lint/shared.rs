//! What a fact of the policy stage's `workflows` scanner weighs for somebody who mends workflows.
//!
//! Must never look at a file: the analysis is the scanner's, and both use it.

use crate::artifact::types::verdict::Severity;
use crate::scan::workflows::{
    ARTIPACKED, CACHE, CHECKOUT, INJECTION, PERMISSIONS, SECRETS, SELF_HOSTED, TRUST, UNPINNED, UNREADABLE,
};
use crate::scan::{Confidence, Fact};

/// Returns severity and help of a fact; `None` where a rule of lint says the same with more detail.
pub(super) fn weigh(fact: &Fact) -> Option<(Severity, &'static str)> {
    let kind = fact.attributes.get("kind").map_or("", String::as_str);
    let sure = fact.confidence == Confidence::High;
    Some(match (fact.code, kind) {
        (PERMISSIONS, "missing" | "write") | (SECRETS, "inherit") => return None,
        (PERMISSIONS, _) => (Severity::High, "Name the rights the job needs, each on its own line."),
        (CHECKOUT, _) if sure => {
            (Severity::Critical, "Run a stranger's code on `pull_request`, without secrets and rights.")
        }
        (CHECKOUT, _) => (
            Severity::High,
            "Take only data of the pull request, never its code; or ask a person first, by an environment.",
        ),
        (INJECTION, _) if sure => (
            Severity::Critical,
            "Hand the text over through `env:` and name the variable in quotes in the script.",
        ),
        (INJECTION, _) => (
            Severity::High,
            "Hand the text over through `env:` and name the variable in quotes in the script.",
        ),
        (UNPINNED, "branch") => (
            Severity::High,
            "Name the full commit, with the version as a comment: `owner/action@<40 digits> # v1.2.3`.",
        ),
        (UNPINNED, "docker") => (Severity::Medium, "Name the image by its digest: `image@sha256:...`."),
        (UNPINNED, _) => (
            Severity::Medium,
            "Name the full commit, with the version as a comment: `owner/action@<40 digits> # v1.2.3`.",
        ),
        (SECRETS, "all") => (Severity::Critical, "Name the secrets the job needs, one by one."),
        (SECRETS, _) => {
            (Severity::Medium, "Hand the secret over through `env:` of the one step that needs it.")
        }
        (SELF_HOSTED, _) => {
            (Severity::High, "Run pull requests on machines that are thrown away afterwards.")
        }
        (TRUST, "always") => {
            (Severity::High, "Write the whole condition as one expression, or without braces.")
        }
        (TRUST, "actor") => (
            Severity::High,
            "Compare `github.event.pull_request.user.login` or an id with one exact name; a suffix is no trust.",
        ),
        (TRUST, _) => (Severity::Medium, "Compare with `==`, or use `contains(fromJSON('[...]'), ...)`."),
        (CACHE, _) => (Severity::High, "Build what is published without a cache."),
        (ARTIPACKED, _) => {
            (Severity::High, "Check out with `persist-credentials: false`, or upload named folders only.")
        }
        (UNREADABLE, _) => (Severity::High, "Mend the YAML."),
        _ => (Severity::Medium, "See `orch explain`."),
    })
}
