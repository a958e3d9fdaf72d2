//! A verdict, printed.
//!
//! Must never print what is not in the verdict: evidence in it is masked.

use std::io::{self, Write};

use crate::artifact::types::verdict::{Decision, Effect, Finding, Verdict};
use crate::cli::CommandError;
use crate::cli::output::Output;
use crate::diagnostic::text::plain;

/// Prints a verdict: a list for people, or the body of the artifact.
pub(super) fn show(verdict: &Verdict, output: &Output) -> Result<(), CommandError> {
    output.show(verdict, |out| list(verdict, out))
}

fn list(verdict: &Verdict, out: &mut dyn Write) -> io::Result<()> {
    for finding in &verdict.findings {
        writeln!(
            out,
            "{}{} {}: {}",
            place(finding),
            effect(finding.effect),
            finding.code,
            plain(&finding.message)
        )?;
        if let Some(evidence) = &finding.evidence {
            writeln!(out, "    | {}", plain(evidence))?;
        }
        writeln!(out, "    help: {}", plain(&finding.help))?;
    }
    let count = |effect| verdict.findings.iter().filter(|f| f.effect == effect).count();
    let word = match verdict.decision {
        Decision::Allow => "allow",
        Decision::NeedsApproval => "needs approval",
        Decision::Deny => "deny",
    };
    writeln!(
        out,
        "{word}: {} denied, {} to approve, {} warned, by {} rules over {}{}",
        count(Effect::Deny),
        count(Effect::RequireApproval),
        count(Effect::Warn),
        verdict.rules.len(),
        verdict.subject.kind.as_str(),
        verdict.subject.base.as_ref().map(|base| format!(" on {base}")).unwrap_or_default(),
    )
}

fn place(finding: &Finding) -> String {
    let Some(path) = &finding.path else { return String::new() };
    let numbers = [finding.line, finding.column].into_iter().map_while(|n| n).map(|n| format!(":{n}"));
    format!("{}{}: ", plain(path), numbers.collect::<String>())
}

const fn effect(effect: Effect) -> &'static str {
    match effect {
        Effect::Warn => "warning",
        Effect::RequireApproval => "approval",
        Effect::Deny => "deny",
    }
}
