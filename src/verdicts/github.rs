//! Annotations: workflow commands of GitHub Actions, one for each finding, worst first.
//!
//! Must never let a text begin a command of its own, and must never use up a step's annotations without saying so.

use std::io::{self, Write};

use super::{cut, last_line, line, line_of, sentence, worst_first};
use crate::artifact::types::verdict::{Effect, Finding, Verdict};

/// How many annotations of each level GitHub shows for a step.
const SHOWN: usize = 10;
/// GitHub cuts a message at 4,096 characters.
const LONGEST: usize = 4_000;

/// Writes the commands; findings that find no room are counted in the last one.
pub(super) fn render(verdict: &Verdict, out: &mut dyn Write) -> io::Result<()> {
    let findings = worst_first(verdict);
    let room = |effect| {
        let number = findings.iter().filter(|found| found.effect == effect).count();
        number.saturating_sub(SHOWN)
    };
    let too_many = room(Effect::Deny) + room(Effect::RequireApproval) + room(Effect::Warn) > 0;
    let mut left_out = 0;
    for effect in super::EFFECTS {
        // The one that counts the rest is a notice itself.
        let most = if effect == Effect::Warn && too_many { SHOWN - 1 } else { SHOWN };
        let of: Vec<&&Finding> = findings.iter().filter(|found| found.effect == effect).collect();
        for found in of.iter().take(most) {
            annotation(found, out)?;
        }
        left_out += of.len().saturating_sub(most);
    }
    if left_out > 0 {
        let what = if left_out == 1 { "finding has" } else { "findings have" };
        writeln!(
            out,
            "::notice title=orch policy::{left_out} more {what} no annotation; the log lists all."
        )?;
    }
    Ok(())
}

fn annotation(found: &Finding, out: &mut dyn Write) -> io::Result<()> {
    let level = match found.effect {
        Effect::Deny => "error",
        Effect::RequireApproval => "warning",
        Effect::Warn => "notice",
    };
    let mut properties = Vec::new();
    if let Some(path) = found.path.as_deref().filter(|path| !path.is_empty()) {
        properties.push(format!("file={}", property(path)));
        if let Some(line) = line(found) {
            properties.push(format!("line={line}"));
            // Columns count only where first and last line are the same.
            match (last_line(found), super::columns(found)) {
                (Some(last), _) => properties.push(format!("endLine={last}")),
                (None, Some((start, end))) => {
                    properties.push(format!("endLine={line},col={start}"));
                    properties.extend(end.map(|end| format!("endColumn={end}")));
                }
                (None, None) => {}
            }
        }
    }
    properties
        .push(format!("title={}", property(&format!("{} [{}]", super::effect(found.effect), found.code))));
    let text = format!("{} {}", sentence(&found.message), found.help);
    writeln!(out, "::{level} {}::{}", properties.join(","), data(&cut(text.trim_end(), LONGEST)))
}

/// Returns text as the message of a command: one line, nothing hidden, nothing the runner would decode.
pub(crate) fn data(text: &str) -> String {
    line_of(text).replace('%', "%25")
}

/// Returns text as the value of a property.
pub(crate) fn property(text: &str) -> String {
    data(text).replace(':', "%3A").replace(',', "%2C")
}
