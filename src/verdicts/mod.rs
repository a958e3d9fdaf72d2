//! A verdict as text: one file for each format, all reading the same artifact.
//!
//! Must never decide anything, look at anything but the verdict and the pages of codes, or let a word from outside become a
//! command, a link or markup of where it is shown.

mod github;
mod json;
mod junit;
mod page;
mod sarif;
mod snippet;
mod summary;
mod terminal;

#[cfg(test)]
mod tests;

pub(crate) use github::{data, property};
pub(crate) use summary::cell;

use std::io::{self, Write};

use clap::ValueEnum;

use crate::artifact::types::verdict::{AsideBy, Decision, Effect, Finding, Severity, Verdict};
use crate::diagnostic::text::{count, plain};

/// The form of a verdict.
#[derive(Clone, Copy, Debug, PartialEq, Eq, ValueEnum)]
pub enum VerdictFormat {
    /// Text for people, with the masked line of each finding
    Human,
    /// The verdict as JSON
    Json,
    /// SARIF 2.1.0, for code scanning
    Sarif,
    /// Annotations: workflow commands of GitHub Actions
    Github,
    /// Markdown for the step summary of GitHub Actions
    Summary,
    /// JUnit XML: a case for each rule
    Junit,
}

/// Lines of the files that were judged, for findings that bring none.
pub trait SourceLines {
    /// Returns a line, from 1, with everything secret in it masked; `None` where it is not known.
    fn line(&self, path: &str, line: u32) -> Option<String>;
}

/// What a caller may ask of a format.
#[derive(Clone, Copy)]
pub struct Options<'a> {
    /// Colours, in text for people.
    pub colour: bool,
    /// The columns of the terminal; source lines are cut to it.
    pub width: usize,
    /// Every finding in full, however many there are, in text for people.
    pub full: bool,
    /// Whether what was set aside is among the results of SARIF: marked as suppressed, which GitHub does not heed.
    pub set_aside: bool,
    /// The address of the repository, where it is known.
    pub repository: Option<&'a str>,
    /// Where to look lines up.
    pub source: Option<&'a dyn SourceLines>,
}

impl Default for Options<'_> {
    fn default() -> Self {
        Self { colour: false, width: 100, full: false, set_aside: true, repository: None, source: None }
    }
}

/// Writes a verdict.
pub fn render(
    verdict: &Verdict,
    format: VerdictFormat,
    options: &Options<'_>,
    out: &mut dyn Write,
) -> io::Result<()> {
    match format {
        VerdictFormat::Human => terminal::render(verdict, options, out),
        VerdictFormat::Json => json::render(verdict, out),
        VerdictFormat::Sarif => sarif::render(verdict, options, out),
        VerdictFormat::Github => github::render(verdict, out),
        VerdictFormat::Summary => summary::render(verdict, out),
        VerdictFormat::Junit => junit::render(verdict, out),
    }
}

/// What stands where a secret was.
const MASK: &str = "********";

const fn decided(decision: Decision) -> &'static str {
    match decision {
        Decision::Allow => "allowed",
        Decision::NeedsApproval => "needs approval",
        Decision::Deny => "denied",
    }
}

/// The word a finding begins with.
const fn effect(effect: Effect) -> &'static str {
    match effect {
        Effect::Warn => "warning",
        Effect::RequireApproval => "needs approval",
        Effect::Deny => "deny",
    }
}

const EFFECTS: [Effect; 3] = [Effect::Deny, Effect::RequireApproval, Effect::Warn];

const fn aside(by: AsideBy) -> &'static str {
    match by {
        AsideBy::Waiver => "waiver",
        AsideBy::Baseline => "baseline",
        AsideBy::Shadow => "on trial",
        AsideBy::NotYet => "not yet in force",
    }
}

/// Returns the findings with the worst first: what they do to the decision, then how bad they are, then as in the verdict.
fn worst_first(verdict: &Verdict) -> Vec<&Finding> {
    let mut findings: Vec<&Finding> = verdict.findings.iter().collect();
    findings.sort_by_key(|found| std::cmp::Reverse((found.effect, found.severity)));
    findings
}

/// Returns how many findings there are of each effect: `2 deny, 1 needs approval, 3 warnings`.
fn tally<'a>(findings: impl Iterator<Item = &'a Finding> + Clone) -> String {
    let told: Vec<String> = EFFECTS
        .iter()
        .filter_map(|effect| {
            match (effect, findings.clone().filter(|found| found.effect == *effect).count()) {
                (_, 0) => None,
                (Effect::Deny, 1) => Some("1 denies".into()),
                (Effect::Deny, n) => Some(format!("{n} deny")),
                (Effect::RequireApproval, 1) => Some("1 needs approval".into()),
                (Effect::RequireApproval, n) => Some(format!("{n} need approval")),
                (Effect::Warn, n) => Some(count(n, "warning")),
            }
        })
        .collect();
    if told.is_empty() { "nothing found".into() } else { told.join(", ") }
}

/// Returns how many findings were set aside, by what: `2 findings set aside (1 baseline, 1 waiver)`.
fn set_aside(verdict: &Verdict) -> Option<String> {
    let all = verdict.set_aside.len();
    let by = |kind| verdict.set_aside.iter().filter(|one| one.by == kind).count();
    let kinds = [AsideBy::Waiver, AsideBy::Baseline, AsideBy::Shadow, AsideBy::NotYet];
    let told: Vec<String> = kinds
        .iter()
        .filter(|kind| by(**kind) > 0)
        .map(|kind| format!("{} {}", by(*kind), aside(*kind)))
        .collect();
    (all > 0).then(|| format!("{} set aside ({})", count(all, "finding"), told.join(", ")))
}

/// Returns the codes of the strictest findings, each once: what the decision rests on.
fn deciding(verdict: &Verdict) -> Vec<&str> {
    let strictest = verdict.findings.iter().map(|found| found.effect).max();
    let mut codes: Vec<&str> = Vec::new();
    for found in verdict.findings.iter().filter(|f| Some(f.effect) == strictest && f.effect != Effect::Warn) {
        if !codes.contains(&found.code.as_str()) {
            codes.push(&found.code);
        }
    }
    codes
}

/// Returns one line of text that is nothing but text for a terminal and for a runner, which takes `##[` for a command anywhere.
fn line_of(text: &str) -> String {
    plain(text).replace("##[", "# #[")
}

/// Returns where a finding is, as an editor takes it: `src/a.py:3:9`.
fn place(found: &Finding) -> Option<String> {
    let path = line_of(found.path.as_deref().filter(|path| !path.is_empty())?);
    Some(match (line(found), found.column.filter(|column| *column > 0)) {
        (Some(line), Some(column)) => format!("{path}:{line}:{column}"),
        (Some(line), None) => format!("{path}:{line}"),
        _ => path,
    })
}

/// Returns the line of a finding, from 1.
fn line(found: &Finding) -> Option<u32> {
    found.line.filter(|line| *line > 0)
}

/// Returns the last line of a finding, where it is after the first.
fn last_line(found: &Finding) -> Option<u32> {
    found.end_line.filter(|last| line(found).is_some_and(|first| *last > first))
}

/// Returns the columns of a finding in characters, from 1, the second after the last; as far as they are certain.
///
/// A verdict counts bytes. They are characters where the line is ASCII up to there; that is seen from the evidence, which
/// begins at most 80 bytes before the place. What a mask covers is not seen, so there the end stays open.
fn columns(found: &Finding) -> Option<(u32, Option<u32>)> {
    const WINDOW: u32 = 80;
    let evidence = found.evidence.as_deref()?;
    let start = found.column.filter(|column| (1..=WINDOW).contains(column))?;
    line(found)?;
    if !evidence.is_ascii() {
        return None;
    }
    let open = evidence.contains(MASK) || last_line(found).is_some();
    Some((start, found.end_column.filter(|end| !open && *end > start)))
}

/// Returns a sentence with its full stop.
fn sentence(text: &str) -> String {
    let text = text.trim_end();
    if text.is_empty() || text.ends_with(['.', '!', '?', '…']) {
        text.to_owned()
    } else {
        format!("{text}.")
    }
}

/// Returns at most so many characters of a text.
fn cut(text: &str, most: usize) -> String {
    if text.chars().nth(most).is_none() {
        return text.to_owned();
    }
    let mut kept: String = text.chars().take(most.saturating_sub(1)).collect();
    kept.push('…');
    kept
}

/// Returns the rules that were not asked, by the reason, each with its codes.
fn not_asked(verdict: &Verdict) -> Vec<(&str, Vec<&str>)> {
    let mut reasons: Vec<(&str, Vec<&str>)> = Vec::new();
    for rule in &verdict.skipped {
        match reasons.iter_mut().find(|(why, _)| *why == rule.why) {
            Some((_, codes)) => codes.push(&rule.code),
            None => reasons.push((&rule.why, vec![&rule.code])),
        }
    }
    reasons
}

/// The figure GitHub sorts alerts of security rules by.
const fn security_severity(severity: Severity) -> &'static str {
    match severity {
        Severity::Low => "2.0",
        Severity::Medium => "5.5",
        Severity::High => "8.0",
        Severity::Critical => "9.5",
    }
}
