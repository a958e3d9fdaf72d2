//! Workflow commands of GitHub Actions, as conftest writes them.

use std::io::{self, Write};

use crate::conftest::outcome::{Location, Outcome, Result as Finding, Totals};

/// Writes one group for each outcome, then the totals.
pub(super) fn render(outcomes: &[Outcome], hide_passed: bool, out: &mut dyn Write) -> io::Result<()> {
    for outcome in outcomes {
        let own = Location { file: outcome.filename.clone(), line: Some(1) };
        if hide_passed && outcome.total() == outcome.successes {
            continue;
        }
        let (file, namespace) = (data(&format!("{:?}", outcome.filename)), &outcome.namespace);
        writeln!(
            out,
            "::group::Testing {file} against {} policies in namespace {namespace:?}",
            outcome.total()
        )?;
        let groups =
            [("error", &outcome.failures), ("warning", &outcome.warnings), ("notice", &outcome.exceptions)];
        for (level, findings) in groups {
            for finding in findings {
                located(level, &own, finding, out)?;
            }
        }
        command("notice", &own, &format!("Number of successful checks: {}", outcome.successes), out)?;
        writeln!(out, "::endgroup::")?;
    }
    writeln!(out, "{}", Totals::of(outcomes).line())
}

fn located(level: &str, own: &Location, finding: &Finding, out: &mut dyn Write) -> io::Result<()> {
    match &finding.loc {
        None => command(level, own, &finding.msg, out),
        Some(loc) if loc.file == own.file || loc.file.is_empty() => {
            command(level, &Location { file: own.file.clone(), line: loc.line }, &finding.msg, out)
        }
        // A place in another file is told at both.
        Some(loc) => {
            command(level, loc, &finding.msg, out)?;
            let line = loc.line.map_or_else(String::new, |l| format!(" L{l}"));
            command(level, own, &format!("(ORIGINATING FROM {}{line}) {}", loc.file, finding.msg), out)
        }
    }
}

fn command(level: &str, loc: &Location, message: &str, out: &mut dyn Write) -> io::Result<()> {
    writeln!(out, "::{level} file={},line={}::{}", property(&loc.file), loc.line.unwrap_or(1), data(message))
}

fn data(text: &str) -> String {
    text.replace('%', "%25").replace('\r', "%0D").replace('\n', "%0A")
}

fn property(text: &str) -> String {
    data(text).replace(':', "%3A").replace(',', "%2C")
}
