//! JUnit XML: a case for each rule, failed where it denies or asks for approval, skipped where it was not asked.
//!
//! Must never hold a character XML does not allow, or markup from outside.

use std::collections::{BTreeMap, BTreeSet};
use std::io::{self, Write};

use super::{aside, effect, line_of, place, sentence};
use crate::artifact::types::verdict::{Effect, Finding, SetAside, Verdict};
use crate::diagnostic::text::count;

/// Writes one suite.
pub(super) fn render(verdict: &Verdict, out: &mut dyn Write) -> io::Result<()> {
    let mut found: BTreeMap<&str, Vec<&Finding>> = BTreeMap::new();
    for finding in &verdict.findings {
        found.entry(&finding.code).or_default().push(finding);
    }
    let mut waivers: BTreeMap<&str, Vec<&SetAside>> = BTreeMap::new();
    for one in &verdict.set_aside {
        waivers.entry(&one.finding.code).or_default().push(one);
    }
    let skipped: BTreeMap<&str, &str> =
        verdict.skipped.iter().map(|rule| (rule.code.as_str(), rule.why.as_str())).collect();
    let mut codes: BTreeSet<&str> = verdict.rules.iter().map(String::as_str).collect();
    codes.extend(found.keys());
    codes.extend(skipped.keys());
    codes.extend(waivers.keys());
    let failures =
        found.values().filter(|findings| findings.iter().any(|one| one.effect > Effect::Warn)).count();
    let left_out = skipped.keys().filter(|code| !found.contains_key(*code)).count();
    let (tests, name) = (codes.len(), "orch policy");
    let counts = format!("tests=\"{tests}\" failures=\"{failures}\" errors=\"0\" skipped=\"{left_out}\"");
    writeln!(out, "<?xml version=\"1.0\" encoding=\"UTF-8\"?>")?;
    writeln!(out, "<testsuites name=\"{name}\" tests=\"{tests}\" failures=\"{failures}\" errors=\"0\">")?;
    writeln!(out, "  <testsuite name=\"{}\" {counts}>", verdict.subject.kind.as_str())?;
    for code in codes {
        let category = code.split('/').next().unwrap_or_default();
        write!(out, "    <testcase classname=\"orch.{}\" name=\"{}\"", xml(category), xml(code))?;
        let waived = waivers.get(code).map(Vec::as_slice).unwrap_or_default();
        match (found.get(code), skipped.get(code)) {
            (None, None) if waived.is_empty() => writeln!(out, "/>")?,
            (Some(_), _) | (None, None) => {
                writeln!(out, ">")?;
                case(found.get(code).map(Vec::as_slice).unwrap_or_default(), waived, out)?;
                writeln!(out, "    </testcase>")?;
            }
            (None, Some(why)) => {
                writeln!(out, ">\n      <skipped message=\"{}\"/>\n    </testcase>", xml(why))?;
            }
        }
    }
    writeln!(out, "  </testsuite>\n</testsuites>")
}

/// A case with findings: those that count fail it, warnings and what is set aside are its output.
fn case(findings: &[&Finding], waived: &[&SetAside], out: &mut dyn Write) -> io::Result<()> {
    let (warnings, failing): (Vec<&Finding>, Vec<&Finding>) =
        findings.iter().partition(|one| one.effect == Effect::Warn);
    if let Some(worst) = failing.iter().map(|one| one.effect).max() {
        let message = match failing.as_slice() {
            [one] => one.message.clone(),
            several => count(several.len(), "finding"),
        };
        writeln!(out, "      <failure type=\"{}\" message=\"{}\">", effect(worst), xml(&message))?;
        listed(&failing, out)?;
        writeln!(out, "</failure>")?;
    }
    if !warnings.is_empty() || !waived.is_empty() {
        writeln!(out, "      <system-out>")?;
        listed(&warnings, out)?;
        for one in waived {
            let until = one.until.as_ref().map(|day| format!(" until {day}")).unwrap_or_default();
            writeln!(out, "{}", xml(&format!("set aside, {}{until}: {}", aside(one.by), one.reason)))?;
            listed(&[&one.finding], out)?;
        }
        writeln!(out, "</system-out>")?;
    }
    Ok(())
}

fn listed(findings: &[&Finding], out: &mut dyn Write) -> io::Result<()> {
    for found in findings {
        let place = place(found).map(|place| format!("{place}: ")).unwrap_or_default();
        writeln!(out, "{}", xml(&format!("{}: {place}{}", effect(found.effect), sentence(&found.message))))?;
        if let Some(evidence) = found.evidence.as_deref().filter(|text| !text.is_empty()) {
            writeln!(out, "    | {}", xml(evidence))?;
        }
        if !found.help.is_empty() {
            writeln!(out, "    help: {}", xml(&found.help))?;
        }
    }
    Ok(())
}

/// Returns one line of text that XML can hold, in an element or in quotes.
fn xml(text: &str) -> String {
    let mut escaped = String::with_capacity(text.len());
    for c in line_of(text).chars() {
        match c {
            '&' => escaped.push_str("&amp;"),
            '<' => escaped.push_str("&lt;"),
            '>' => escaped.push_str("&gt;"),
            '"' => escaped.push_str("&quot;"),
            '\'' => escaped.push_str("&apos;"),
            '\u{fffe}' | '\u{ffff}' => escaped.push('\u{fffd}'),
            c => escaped.push(c),
        }
    }
    escaped
}
