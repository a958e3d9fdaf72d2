//! A verdict for people at a terminal: what, where, the masked line, what to do; a line of figures at the end.
//!
//! Must never print more than a person reads: of many findings each rule shows a few and counts the rest.

use std::io::{self, Write};

use anstyle::{AnsiColor, Style};

use super::snippet::{self, Snippet};
use super::{
    EFFECTS, Options, decided, deciding, effect, last_line, line, line_of, not_asked, place, set_aside, tally,
};
use crate::artifact::types::verdict::{AsideBy, Decision, Effect, Finding, SetAside, Verdict};
use crate::diagnostic::explain;
use crate::diagnostic::text::count;

/// More findings than this are shown by rule.
const IN_FULL: usize = 20;
/// How many places a rule shows then.
const PLACES: usize = 5;
/// How many codes a line names.
const CODES: usize = 8;

/// Writes the findings, then what was decided.
pub(super) fn render(verdict: &Verdict, options: &Options<'_>, out: &mut dyn Write) -> io::Result<()> {
    let mut page = Screen { options, out };
    let full = options.full || verdict.findings.len() <= IN_FULL;
    for group in groups(verdict) {
        if full { page.in_full(&group)? } else { page.in_short(&group)? }
    }
    page.end(verdict)
}

/// Findings of one effect and rule.
struct Group<'a> {
    effect: Effect,
    code: &'a str,
    findings: Vec<&'a Finding>,
}

/// Strictest first; rules in the order they are first met.
fn groups(verdict: &Verdict) -> Vec<Group<'_>> {
    let mut groups: Vec<Group<'_>> = Vec::new();
    for effect in EFFECTS {
        let from = groups.len();
        let mut at = std::collections::BTreeMap::new();
        for found in verdict.findings.iter().filter(|found| found.effect == effect) {
            let next = groups.len();
            let index = *at.entry(found.code.as_str()).or_insert(next);
            if index == next {
                groups.push(Group { effect, code: &found.code, findings: Vec::new() });
            }
            if let Some(group) = groups.get_mut(index) {
                group.findings.push(found);
            }
        }
        // Within an effect what harms more comes first.
        if let Some(new) = groups.get_mut(from..) {
            new.sort_by_key(|group| std::cmp::Reverse(group.findings.iter().map(|f| f.severity).max()));
        }
    }
    groups
}

struct Screen<'a, 'o> {
    options: &'a Options<'o>,
    out: &'a mut dyn Write,
}

impl Screen<'_, '_> {
    fn style(&self, style: Style) -> Style {
        if self.options.colour { style } else { Style::new() }
    }

    fn head(&mut self, group: &Group<'_>, text: &str) -> io::Result<()> {
        let colour = self.style(colour(group.effect));
        let bold = self.style(Style::new().bold());
        let code = line_of(group.code);
        writeln!(
            self.out,
            "{colour}{}[{code}]{colour:#}: {bold}{}{bold:#}",
            effect(group.effect),
            line_of(text)
        )
    }

    fn arrow(&mut self, indent: usize, text: &str) -> io::Result<()> {
        let blue = self.style(AnsiColor::BrightBlue.on_default().bold());
        writeln!(self.out, "{:indent$}{blue}-->{blue:#} {text}", "")
    }

    fn note(&mut self, indent: usize, label: &str, text: &str) -> io::Result<()> {
        let blue = self.style(AnsiColor::BrightBlue.on_default().bold());
        let bold = self.style(Style::new().bold());
        writeln!(self.out, "{:indent$} {blue}={blue:#} {bold}{label}{bold:#}: {}", "", line_of(text))
    }

    /// One finding after the other; help that they share stands once.
    fn in_full(&mut self, group: &Group<'_>) -> io::Result<()> {
        let mut findings = group.findings.iter().peekable();
        while let Some(found) = findings.next() {
            let number = line(found).map(|line| line.to_string()).unwrap_or_default();
            let indent = number.len().max(1);
            self.head(group, &found.message)?;
            if let Some(place) = place(found) {
                self.arrow(indent, &place)?;
            }
            if let Some(shown) = snippet::of(found, self.options) {
                self.lines(&number, indent, group.effect, &shown)?;
            }
            if let Some(last) = last_line(found) {
                self.note(indent, "note", &format!("it goes on to line {last}"))?;
            }
            if findings.peek().is_none_or(|next| next.help != found.help) && !found.help.is_empty() {
                self.note(indent, "help", &found.help)?;
            }
            if findings.peek().is_none() {
                self.explain(indent, group.code)?;
            }
            writeln!(self.out)?;
        }
        Ok(())
    }

    fn lines(&mut self, number: &str, indent: usize, effect: Effect, shown: &Snippet) -> io::Result<()> {
        let blue = self.style(AnsiColor::BrightBlue.on_default().bold());
        let mark = self.style(colour(effect));
        writeln!(self.out, "{:indent$} {blue}|{blue:#}", "")?;
        writeln!(self.out, "{blue}{number:>indent$} |{blue:#} {}", shown.text)?;
        if !shown.carets.is_empty() {
            writeln!(self.out, "{:indent$} {blue}|{blue:#} {mark}{}{mark:#}", "", shown.carets)?;
        }
        Ok(())
    }

    /// The first places of a rule, and how many more there are.
    fn in_short(&mut self, group: &Group<'_>) -> io::Result<()> {
        match group.findings.as_slice() {
            [one] => self.head(group, &one.message)?,
            several => self.head(group, &count(several.len(), "finding"))?,
        }
        for found in group.findings.iter().take(PLACES) {
            match (place(found), group.findings.len()) {
                (Some(place), 1) => self.arrow(1, &place)?,
                (Some(place), _) => self.arrow(1, &format!("{place}: {}", line_of(&found.message)))?,
                (None, 1) => {}
                (None, _) => self.arrow(1, &line_of(&found.message))?,
            }
        }
        let more = group.findings.len().saturating_sub(PLACES);
        if more > 0 {
            self.note(1, "more", &format!("{more} like these; `--full` shows each, `--as json` all of it"))?;
        }
        if let Some(first) = group.findings.first().filter(|found| !found.help.is_empty()) {
            self.note(1, "help", &first.help)?;
        }
        self.explain(1, group.code)?;
        writeln!(self.out)
    }

    fn explain(&mut self, indent: usize, code: &str) -> io::Result<()> {
        if explain::explain(code).is_ok() {
            self.note(indent, "explain", &format!("orch explain {code}"))?;
        }
        Ok(())
    }

    fn end(&mut self, verdict: &Verdict) -> io::Result<()> {
        let style = self.style(decision_colour(verdict.decision).bold());
        let asked = format!("{} asked about the {}", count(verdict.rules.len(), "rule"), subject(verdict));
        let word = decided(verdict.decision);
        write!(self.out, "{style}{word}{style:#}: {}; {asked}", tally(verdict.findings.iter()))?;
        let left_out = count(verdict.skipped.len(), "rule");
        if verdict.findings.is_empty() {
            if let Some(aside) = set_aside(verdict) {
                write!(self.out, "; {aside}")?;
            }
            if !verdict.skipped.is_empty() {
                write!(self.out, "; {left_out} not asked")?;
            }
            writeln!(self.out)?;
            return self.waived(verdict);
        }
        writeln!(self.out)?;
        let codes = deciding(verdict);
        if !codes.is_empty() {
            writeln!(self.out, "  because of {}", listed(&codes))?;
        }
        if let Some(aside) = set_aside(verdict) {
            writeln!(self.out, "  {aside}; `--as json` tells which and why")?;
        }
        self.waived(verdict)?;
        if !verdict.skipped.is_empty() {
            let reasons: Vec<String> = not_asked(verdict)
                .iter()
                .map(|(why, codes)| format!("{} ({})", listed(codes), line_of(why)))
                .collect();
            writeln!(self.out, "  {left_out} not asked: {}", reasons.join("; "))?;
        }
        Ok(())
    }

    /// What a person has waived is told by itself: somebody reads it before it ends.
    fn waived(&mut self, verdict: &Verdict) -> io::Result<()> {
        let waived: Vec<&SetAside> =
            verdict.set_aside.iter().filter(|one| one.by == AsideBy::Waiver).collect();
        for one in waived.iter().take(PLACES) {
            let code = line_of(&one.finding.code);
            let place = place(&one.finding).map(|place| format!(" at {place}")).unwrap_or_default();
            let until = one.until.as_deref().unwrap_or("no day");
            writeln!(self.out, "  waived until {until}: {code}{place}: {}", line_of(&one.reason))?;
        }
        match waived.len().saturating_sub(PLACES) {
            0 => Ok(()),
            more => writeln!(self.out, "  and {more} more waived"),
        }
    }
}

fn listed(codes: &[&str]) -> String {
    let shown: Vec<String> = codes.iter().take(CODES).map(|code| line_of(code)).collect();
    let more = codes.len().saturating_sub(CODES);
    if more > 0 { format!("{} and {more} more", shown.join(", ")) } else { shown.join(", ") }
}

const fn subject(verdict: &Verdict) -> &'static str {
    use crate::artifact::types::policy_input::SubjectKind;
    match verdict.subject.kind {
        SubjectKind::Run => "change of the run",
        SubjectKind::Staged => "staged change",
        SubjectKind::Work => "working tree's change",
        SubjectKind::Diff => "change between two commits",
        SubjectKind::PullRequest => "pull request",
        SubjectKind::Patch => "patch",
        SubjectKind::Tree => "whole tree",
    }
}

const fn colour(effect: Effect) -> Style {
    match effect {
        Effect::Deny => AnsiColor::BrightRed.on_default().bold(),
        Effect::RequireApproval => AnsiColor::Yellow.on_default().bold(),
        Effect::Warn => AnsiColor::Cyan.on_default().bold(),
    }
}

const fn decision_colour(decision: Decision) -> Style {
    match decision {
        Decision::Deny => AnsiColor::BrightRed.on_default(),
        Decision::NeedsApproval => AnsiColor::Yellow.on_default(),
        Decision::Allow => AnsiColor::Green.on_default(),
    }
}
