//! The few lines at the end of a run: what came out and where things are.

use std::io::{self, Write};

use super::{decision, plain};
use crate::artifact::types::verification::TestStatus;
use crate::report::Report;

/// Writes the summary of a run; `folder` is where its files are.
pub fn summary(report: &Report, folder: &str, out: &mut dyn Write) -> io::Result<()> {
    let exit = report.exit();
    if exit == 0 {
        writeln!(out, "Run {} is done.", report.run)?;
    } else {
        let reason = report.reason().map(|why| format!(": {}", plain(why))).unwrap_or_default();
        writeln!(out, "Run {} stopped with exit code {exit}{reason}.", report.run)?;
    }
    writeln!(out)?;
    if let Some(pull) = &report.pull_request {
        let remote =
            pull.remote.as_deref().map_or("not pushed".into(), |r| format!("pushed to {}", plain(r)));
        let draft = if pull.draft { ", draft" } else { "" };
        let commits = pull.commits.len();
        let noun = if commits == 1 { "commit" } else { "commits" };
        writeln!(out, "  branch    {} ({commits} {noun}, {remote}{draft})", plain(&pull.branch))?;
    }
    if let Some(line) = tests(report) {
        writeln!(out, "  tests     {line}")?;
    }
    if let Some(verdict) = &report.verdict {
        let findings = verdict.findings.len();
        let noun = if findings == 1 { "finding" } else { "findings" };
        writeln!(out, "  verdict   {} ({findings} {noun})", decision(verdict.decision))?;
    }
    writeln!(out, "  files     {}", plain(folder))?;
    let next = match &report.pull_request {
        Some(pull) => format!("git log -p {}..{}", report.base(), plain(&pull.branch)),
        None => format!("orch report {}", report.run),
    };
    writeln!(out, "  look at   {next}")
}

fn tests(report: &Report) -> Option<String> {
    if let Some(why) = &report.test_exemption {
        return Some(format!("none: {}", plain(why)));
    }
    let tests = report.tests.as_ref()?;
    let count =
        |wanted: &dyn Fn(&crate::report::ReportedTest) -> bool| tests.iter().filter(|t| wanted(t)).count();
    let red = count(&|t| t.before.as_ref().is_some_and(|b| b.status == TestStatus::Failed));
    let green = count(&|t| t.after == Some(TestStatus::Passed));
    let total = tests.len();
    Some(format!("{red} of {total} red on the base, {green} of {total} green with the change"))
}

impl Report {
    /// Returns the base for a git command: the branch's name, or the commit.
    pub(super) fn base(&self) -> String {
        let base = self.task.as_ref().map(|task| &task.base);
        base.map_or_else(String::new, |base| base.commit.as_str().chars().take(12).collect())
    }
}
