//! `lint/size`: a script or a file so long that GitHub drops the workflow without a word.
//!
//! Must never count a script without an expression: that one has no such limit.

use super::prelude::*;
use crate::scan::workflows::expression::expressions;

pub(super) static RULE: Rule = Rule {
    code: "lint/size",
    severity: Severity::High,
    help: "Move the script into a file of the repository, and hand values over through `env:`.",
    check,
};

/// A text with an expression is refused when it is longer.
const SCRIPT: usize = 21_000;
/// A workflow is refused when its file is larger.
const FILE: usize = 512_000;

fn check(doc: &Doc<'_>, hits: &mut Hits) {
    if doc.text.len() > FILE {
        hits.at(&(0..1), format!("the file has {} bytes; GitHub takes up to {FILE}", doc.text.len()));
    }
    doc.flow.root.each_text(&mut |node, text| {
        let long = text.len() > SCRIPT && text.chars().count() > SCRIPT;
        if long && !expressions(text).is_empty() {
            let start = node.range.start;
            hits.at(
                &(start..start + 1),
                format!(
                    "a text with an expression has {} characters; GitHub takes up to {SCRIPT}",
                    text.chars().count()
                ),
            );
        }
    });
}
