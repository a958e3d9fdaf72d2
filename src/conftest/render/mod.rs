//! A check as text: one file for each format.
//!
//! Must never let a message of a policy write a command of the terminal or of the CI system.

mod github;
mod json;
mod junit;
mod sarif;
mod stdout;
mod table;
mod tap;

use std::io::{self, Write};

pub(crate) use junit::escape;

use clap::ValueEnum;

use super::check::Report;

/// The form of a report.
#[derive(Clone, Copy, Debug, PartialEq, Eq, ValueEnum)]
pub enum Form {
    /// Lines for people.
    Stdout,
    /// An array of outcomes.
    Json,
    /// Test Anything Protocol.
    Tap,
    /// A table.
    Table,
    /// JUnit XML.
    Junit,
    /// Workflow commands of GitHub Actions.
    Github,
    /// SARIF 2.1.0.
    Sarif,
}

/// What a person may ask of a form.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
#[expect(clippy::struct_excessive_bools, reason = "each is a wish of its own")]
pub struct Style {
    /// No exceptions in lines for people.
    pub suppress_exceptions: bool,
    /// Names of JUnit cases without the message.
    pub junit_hide_message: bool,
    /// No groups of GitHub for files that passed.
    pub github_hide_passed: bool,
    /// What was asked, instead of what was found.
    pub trace: bool,
}

/// Writes a report.
pub fn render(report: &Report, form: Form, style: Style, out: &mut dyn Write) -> io::Result<()> {
    let outcomes = &report.outcomes;
    match form {
        Form::Stdout if style.trace => stdout::trace(report, out),
        Form::Stdout => stdout::render(outcomes, style.suppress_exceptions, out),
        Form::Json => json::render(outcomes, out),
        Form::Tap => tap::render(outcomes, out),
        Form::Table => table::render(outcomes, out),
        Form::Junit => junit::render(outcomes, style.junit_hide_message, out),
        Form::Github => github::render(outcomes, style.github_hide_passed, out),
        Form::Sarif => sarif::render(outcomes, out),
    }
}

/// Returns a message as one line.
fn line(text: &str) -> String {
    crate::diagnostic::text::plain(&text.replace(['\r', '\n'], " "))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::conftest::outcome::{Location, Outcome, Result as Finding, Rule};

    fn report() -> Report {
        let finding = |msg: &str, loc: Option<(&str, u64)>| Finding {
            msg: msg.into(),
            loc: loc.map(|(file, line)| Location { file: file.into(), line: Some(line) }),
            metadata: [("query".to_owned(), "data.main.deny".into())].into_iter().collect(),
            rule: Rule { id: "main/deny".into(), title: Some("No root".into()), ..Rule::default() },
        };
        let outcomes = vec![
            Outcome {
                filename: "a.yaml".into(),
                namespace: "main".into(),
                successes: 1,
                warnings: vec![finding("careful, <b>", None)],
                failures: vec![
                    finding("bad\n::error::x", Some(("a.yaml", 3))),
                    finding("worse", Some(("b, c.yaml", 1))),
                ],
                exceptions: vec![finding("data.main.exception[_][_] == \"x\"", None)],
                prints: vec!["p.rego:1: hi".into()],
            },
            Outcome { filename: "-".into(), namespace: "other".into(), successes: 2, ..Outcome::default() },
        ];
        Report { outcomes, traces: Vec::new() }
    }

    fn shown(form: Form) -> String {
        let mut out = Vec::new();
        render(&report(), form, Style::default(), &mut out).unwrap();
        String::from_utf8(out).unwrap()
    }

    #[test]
    fn every_form_is_what_it_was() {
        for form in Form::value_variants() {
            let name = form.to_possible_value().unwrap().get_name().to_owned();
            let text = shown(*form).replace(env!("CARGO_PKG_VERSION"), "VERSION");
            insta::assert_snapshot!(name, text);
        }
    }

    #[test]
    fn a_message_writes_no_command() {
        assert!(!shown(Form::Github).lines().any(|l| l == "::error::x"));
        assert!(!shown(Form::Stdout).lines().any(|l| l.starts_with("::")));
    }
}
