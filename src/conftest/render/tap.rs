//! Test Anything Protocol, as conftest writes it.

use std::io::{self, Write};

use super::line;
use super::stdout::dashed;
use crate::conftest::outcome::Outcome;

/// Writes one plan for each outcome that has checks.
pub(super) fn render(outcomes: &[Outcome], out: &mut dyn Write) -> io::Result<()> {
    for outcome in outcomes.iter().filter(|o| o.total() > 0) {
        let at = format!("{} {}", dashed(&outcome.filename, ""), dashed(&outcome.namespace, " -"));
        writeln!(out, "1..{}", outcome.total())?;
        let mut count = 0;
        let groups = [
            ("", "not ok", &outcome.failures),
            ("# warnings", "not ok", &outcome.warnings),
            ("# exceptions", "ok", &outcome.exceptions),
        ];
        for (title, word, findings) in groups {
            if !title.is_empty() && !findings.is_empty() {
                writeln!(out, "{title}")?;
            }
            for finding in findings {
                count += 1;
                writeln!(out, "{word} {count} {at} {}", line(&finding.msg))?;
            }
        }
        if outcome.successes > 0 {
            writeln!(out, "# successes")?;
        }
        for _ in 0..outcome.successes {
            count += 1;
            writeln!(out, "ok {count} {at} SUCCESS")?;
        }
    }
    Ok(())
}
