//! The whole report as Markdown, for a step summary or a comment.

use std::io::{self, Write};

use super::{decision, effect, plain, status, wall_time};
use crate::diagnostic::text::code_span;
use crate::report::Report;

/// Writes the whole report as Markdown; all text from outside is escaped.
pub fn markdown(report: &Report, out: &mut dyn Write) -> io::Result<()> {
    let result = match report.exit() {
        0 if report.pull_request.is_some() => "done".to_owned(),
        0 => "not finished".to_owned(),
        4 => "waits for a person".to_owned(),
        exit => format!("stopped with exit code {exit}"),
    };
    writeln!(out, "## orch run `{}`: {result}\n", report.run)?;
    if let Some(task) = &report.task {
        writeln!(out, "**Request:** {}  ", escape(&task.title))?;
        writeln!(out, "**Base:** `{}`\n", report.base())?;
    }
    if let Some(reason) = report.reason() {
        writeln!(out, "**Why it stopped:** {}\n", escape(reason))?;
    }
    writeln!(out, "| stage | round | exit | time |\n|---|---|---|---|")?;
    for stage in &report.stages {
        writeln!(
            out,
            "| {} | {} | {} | {} |",
            stage.stage,
            stage.round,
            stage.exit,
            wall_time(stage.duration_ms)
        )?;
    }
    if let Some(plan) = &report.plan {
        writeln!(out, "\n### Plan\n\n{}\n", escape(&plan.summary))?;
        for criterion in &plan.criteria {
            writeln!(out, "- {}: {}", escape(&criterion.id), escape(&criterion.text))?;
        }
    }
    tests(report, out)?;
    if let Some(verdict) = &report.verdict {
        writeln!(out, "\n### Verdict: {}\n", decision(verdict.decision))?;
        for finding in &verdict.findings {
            let place = finding.path.as_deref().map(|p| format!(" in {}", escape(p))).unwrap_or_default();
            let (effect, code) = (effect(finding.effect), escape(&finding.code));
            writeln!(
                out,
                "- **{effect}** {code}{place}: {} {}",
                escape(&finding.message),
                escape(&finding.help)
            )?;
        }
        for one in &verdict.set_aside {
            let place = one.finding.path.as_deref().map(|p| format!(" in {}", escape(p))).unwrap_or_default();
            let until =
                one.until.as_deref().map(|day| format!(", until {}", escape(day))).unwrap_or_default();
            let (code, reason) = (escape(&one.finding.code), escape(&one.reason));
            writeln!(out, "- set aside: {code}{place}: {reason}{until}")?;
        }
    }
    if let Some(pull) = &report.pull_request {
        writeln!(out, "\n### Pull request\n\n{} on branch {}", escape(&pull.title), escape(&pull.branch))?;
    }
    Ok(())
}

fn tests(report: &Report, out: &mut dyn Write) -> io::Result<()> {
    if let Some(why) = &report.test_exemption {
        writeln!(out, "\n### Tests\n\nNone: {}", escape(why))?;
    } else if let Some(tests) = &report.tests {
        writeln!(out, "\n### Tests\n\n| test | base | with the change |\n|---|---|---|")?;
        for test in tests {
            let before = test.before.as_ref().map_or("not run", |t| status(t.status));
            let after = test.after.map_or("not run", status);
            writeln!(
                out,
                "| {} in {} | {before} | {after} |",
                escape(&test.name),
                escape(test.path.as_str())
            )?;
        }
    }
    for report in &report.failed {
        for reason in &report.reasons {
            writeln!(
                out,
                "\n- {}: {} {}",
                escape(&reason.code),
                escape(&reason.message),
                escape(&reason.help)
            )?;
        }
    }
    Ok(())
}

/// Escapes one line of text: no HTML, links, mentions, references, emphasis or table borders come through;
/// code spans of plain words do.
pub(in crate::report) fn escape(text: &str) -> String {
    let mut escaped = String::with_capacity(text.len() + 8);
    let line = plain(text);
    let mut rest = line.as_str();
    while let Some(c) = rest.chars().next() {
        if let Some((code, after)) = code_span(rest).filter(|_| !escaped.ends_with('`')) {
            escaped.extend(["`", code, "`"]);
            rest = after;
            continue;
        }
        rest = &rest[c.len_utf8()..];
        match c {
            '<' => escaped.push_str("&lt;"),
            '>' => escaped.push_str("&gt;"),
            '&' => escaped.push_str("&amp;"),
            // A zero-width break keeps `@name` and `#1` from notifying or linking.
            '@' => escaped.push_str("&#64;"),
            '#' => escaped.push_str("&#35;"),
            ':' => escaped.push_str("&#58;"),
            '\\' | '`' | '*' | '_' | '[' | ']' | '(' | ')' | '!' | '|' | '~' => {
                escaped.push('\\');
                escaped.push(c);
            }
            _ => escaped.push(c),
        }
    }
    escaped
}

#[cfg(test)]
mod tests_of_escaping {
    use super::escape;

    #[test]
    fn nothing_from_outside_is_markup() {
        let text = escape("![x](http://a) <img> @me #1 |a|");
        assert_eq!(text, "\\!\\[x\\]\\(http&#58;//a\\) &lt;img&gt; &#64;me &#35;1 \\|a\\|");
    }
}
