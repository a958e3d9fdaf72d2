//! Markdown for the step summary of GitHub Actions: the decision, a table of findings, the rest folded away.
//!
//! Must never grow over what GitHub takes, and must never let a word from outside be markup, a mention or a link.

use std::fmt::Write as _;
use std::io::{self, Write};

use super::{
    aside, cut, decided, deciding, effect, line_of, not_asked, place, sentence, set_aside, tally, worst_first,
};
use crate::artifact::types::verdict::{Finding, SetAside, Verdict};
use crate::diagnostic::text::{code_span, count};

/// GitHub takes 1 MiB a step, and others may have written some of it.
const LARGEST: usize = 512 * 1024;
/// How many findings the table has.
const ROWS: usize = 100;
/// The longest text of a cell, in characters.
const LONGEST: usize = 400;

/// Writes the summary.
pub(super) fn render(verdict: &Verdict, out: &mut dyn Write) -> io::Result<()> {
    let mut page = format!("## orch policy: {}\n\n", decided(verdict.decision));
    let rules = count(verdict.rules.len(), "rule");
    let _ = writeln!(page, "{}; {rules} asked.", tally(verdict.findings.iter()));
    let codes = deciding(verdict);
    if !codes.is_empty() {
        let codes: Vec<String> = codes.iter().take(20).map(|code| inert(code)).collect();
        let _ = writeln!(page, "\nBecause of {}.", codes.join(", "));
    }
    findings(verdict, &mut page);
    folded(verdict, &mut page);
    out.write_all(page.as_bytes())
}

fn findings(verdict: &Verdict, page: &mut String) {
    if verdict.findings.is_empty() {
        return;
    }
    page.push_str("\n| | where | what | what to do |\n|---|---|---|---|\n");
    let mut shown = 0;
    for found in worst_first(verdict).iter().take(ROWS) {
        let row = row(found);
        if page.len() + row.len() > LARGEST / 2 {
            break;
        }
        page.push_str(&row);
        shown += 1;
    }
    let more = verdict.findings.len() - shown;
    if more > 0 {
        let _ = writeln!(page, "\n{} more; the log of the step has all of them.", count(more, "finding"));
    }
}

fn row(found: &Finding) -> String {
    let at = place(found).map(|place| format!("<code>{}</code>", cell(&place))).unwrap_or_default();
    let mut what = cell(&sentence(&found.message));
    if let Some(evidence) = found.evidence.as_deref().filter(|text| !text.trim().is_empty()) {
        let _ = write!(what, "<br><code>{}</code>", cell(evidence));
    }
    let (effect, code) = (effect(found.effect), cell(&found.code));
    format!("| **{effect}**<br>{code} | {at} | {what} | {} |\n", cell(&found.help))
}

fn folded(verdict: &Verdict, page: &mut String) {
    if let Some(figures) = set_aside(verdict) {
        let _ = write!(page, "\n<details><summary>{figures}</summary>\n\n");
        for one in verdict.set_aside.iter().take(ROWS) {
            let item = item(one);
            if page.len() + item.len() > LARGEST {
                break;
            }
            page.push_str(&item);
        }
        page.push_str("\n</details>\n");
    }
    if !verdict.skipped.is_empty() {
        let rules = count(verdict.skipped.len(), "rule");
        let _ = write!(page, "\n<details><summary>{rules} not asked</summary>\n\n");
        for (why, codes) in not_asked(verdict) {
            let codes: Vec<String> = codes.iter().take(ROWS).map(|code| cell(code)).collect();
            let line = format!("- {}: {}\n", codes.join(", "), cell(why));
            if page.len() + line.len() > LARGEST {
                break;
            }
            page.push_str(&line);
        }
        page.push_str("\n</details>\n");
    }
}

fn item(one: &SetAside) -> String {
    let at =
        place(&one.finding).map(|place| format!(" in <code>{}</code>", cell(&place))).unwrap_or_default();
    let until = one.until.as_deref().map(|day| format!(" (until {})", cell(day))).unwrap_or_default();
    let (code, why) = (cell(&one.finding.code), cell(&sentence(&one.reason)));
    format!("- {code}{at}: {}, {why}{until}\n", aside(one.by))
}

pub(crate) fn cell(text: &str) -> String {
    inert(&cut(text, LONGEST))
}

/// Returns one line of text that is nothing but text wherever GitHub shows it; code spans of plain words stay.
///
/// An entity is decoded after the structure is read, so it opens no markup; but names and numbers are linked after that, so
/// `@` and `#` get a break that is not seen behind them, and so does what makes an address of a web page.
fn inert(text: &str) -> String {
    let mut safe = String::with_capacity(text.len() + 16);
    let line = line_of(text);
    let mut rest = line.as_str();
    let mut code_before = false;
    while let Some(c) = rest.chars().next() {
        if let Some((code, after)) = code_span(rest).filter(|_| !code_before) {
            let _ = write!(safe, "<code>{}</code>", words(code));
            (rest, code_before) = (after, true);
            continue;
        }
        code_before = false;
        rest = rest.get(c.len_utf8()..).unwrap_or_default();
        push(&mut safe, c);
    }
    safe
}

fn words(text: &str) -> String {
    text.chars().fold(String::with_capacity(text.len()), |mut safe, c| {
        push(&mut safe, c);
        safe
    })
}

fn push(safe: &mut String, c: char) {
    match c {
        '@' | '#' | ':' => {
            let _ = write!(safe, "&#{};&#8203;", u32::from(c));
        }
        '.' if ends_with_www(safe) => safe.push_str("&#46;&#8203;"),
        ' ' | ',' | '.' | '/' | '-' => safe.push(c),
        c if c.is_ascii_punctuation() => {
            let _ = write!(safe, "&#{};", u32::from(c));
        }
        c => safe.push(c),
    }
}

fn ends_with_www(text: &str) -> bool {
    text.len() >= 3 && text.get(text.len() - 3..).is_some_and(|end| end.eq_ignore_ascii_case("www"))
}

#[cfg(test)]
mod tests {
    use super::inert;

    #[test]
    fn nothing_from_outside_is_markup() {
        assert_eq!(
            inert("<img src=x> | ![a](b)"),
            "&#60;img src&#61;x&#62; &#124; &#33;&#91;a&#93;&#40;b&#41;"
        );
        assert_eq!(inert("@me #1"), "&#64;&#8203;me &#35;&#8203;1");
        assert_eq!(inert("http://a.b www.c.d"), "http&#58;&#8203;//a.b www&#46;&#8203;c.d");
        assert_eq!(inert("take `.env` out"), "take <code>.env</code> out");
    }
}
