//! `lint/unpinned-image`: a container that its owner can change.
//!
//! Must never complain of an image chosen by an expression.

use super::prelude::*;

pub(super) static RULE: Rule = Rule {
    code: "lint/unpinned-image",
    severity: Severity::Low,
    help: "Name the image by its digest: `image@sha256:...`.",
    check,
};

fn check(doc: &Doc<'_>, hits: &mut Hits) {
    for job in &doc.flow.jobs {
        let container = job.node.get("container").into_iter();
        let services =
            job.node.get("services").map(Node::entries).unwrap_or_default().iter().map(|(_, node)| &**node);
        for node in container.chain(services) {
            let image = node.get("image").unwrap_or(node);
            let name = image.text().unwrap_or_default();
            if !name.is_empty() && !name.contains("@sha256:") && !name.contains("${{") {
                hits.at(
                    &image.range,
                    format!("the container `{name}` of the job `{}` is not taken by its digest", job.name),
                );
            }
        }
    }
}
