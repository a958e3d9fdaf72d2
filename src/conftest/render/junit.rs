//! JUnit XML: a suite for each namespace, a case for each check.

use std::collections::BTreeMap;
use std::fmt::Write as _;
use std::io::{self, Write};

use crate::conftest::outcome::Outcome;

/// Writes the suites.
pub(super) fn render(outcomes: &[Outcome], hide_message: bool, out: &mut dyn Write) -> io::Result<()> {
    let mut suites: BTreeMap<&str, (usize, usize, String)> = BTreeMap::new();
    for outcome in outcomes {
        let (tests, failures, cases) = suites.entry(&outcome.namespace).or_default();
        let suite = escape(&format!("conftest.{}", outcome.namespace));
        for finding in outcome.warnings.iter().chain(&outcome.failures) {
            let first = finding.msg.lines().next().unwrap_or_default();
            let name = if hide_message || first.is_empty() {
                outcome.filename.clone()
            } else {
                format!("{} - {first}", outcome.filename)
            };
            let _ = write!(
                cases,
                "\t\t<testcase classname=\"{suite}\" name=\"{}\" time=\"0.000\">\n\t\t\t<failure message=\"Failed\" type=\"\">{}</failure>\n\t\t</testcase>\n",
                escape(&name),
                escape(&finding.msg)
            );
            (*tests, *failures) = (*tests + 1, *failures + 1);
        }
        for _ in 0..outcome.successes {
            let name = escape(&outcome.filename);
            let _ = writeln!(
                cases,
                "\t\t<testcase classname=\"{suite}\" name=\"{name}\" time=\"0.000\"></testcase>"
            );
            *tests += 1;
        }
    }
    writeln!(out, "<?xml version=\"1.0\" encoding=\"UTF-8\"?>\n<testsuites>")?;
    for (namespace, (tests, failures, cases)) in suites {
        let name = escape(&format!("conftest.{namespace}"));
        writeln!(
            out,
            "\t<testsuite tests=\"{tests}\" failures=\"{failures}\" time=\"0.000\" name=\"{name}\">"
        )?;
        write!(out, "{cases}")?;
        writeln!(out, "\t</testsuite>")?;
    }
    writeln!(out, "</testsuites>")
}

/// Returns text that XML can hold.
pub(crate) fn escape(text: &str) -> String {
    let mut out = String::with_capacity(text.len());
    for c in text.chars() {
        match c {
            '&' => out += "&amp;",
            '<' => out += "&lt;",
            '>' => out += "&gt;",
            '"' => out += "&quot;",
            '\n' => out += "&#xA;",
            '\t' => out += "&#x9;",
            '\r' => out += "&#xD;",
            c if (c as u32) < 0x20 || matches!(c as u32, 0xfffe | 0xffff) => out.push('\u{fffd}'),
            c => out.push(c),
        }
    }
    out
}
