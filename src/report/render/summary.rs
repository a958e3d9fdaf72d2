//! The few lines at the end of a run: what came out and where things are.

use std::io::{self, Write};

use super::{decision, plain};
use crate::artifact::types::pull_request::PullRequest;
use crate::artifact::types::verdict::Verdict;
use crate::artifact::types::verification::TestStatus;
use crate::report::Report;

/// How many findings or reasons are shown; `orch report` has them all.
const SHOWN: usize = 5;

/// Writes the summary of a run; `folder` is where its files are.
pub fn summary(report: &Report, folder: &str, out: &mut dyn Write) -> io::Result<()> {
    let exit = report.exit();
    let reason = report.reason().map(|why| format!(": {}", plain(why))).unwrap_or_default();
    match (exit, &report.pull_request) {
        (0, Some(_)) => writeln!(out, "Run {} is done.", report.run)?,
        (0, None) => {
            let last = report.stages.last().map_or("nothing", |stage| stage.stage.as_str());
            writeln!(out, "Run {} has come as far as {last}.", report.run)?;
        }
        (_, Some(pull)) if pull.draft => {
            writeln!(out, "Run {} waits for a person (exit code {exit}).", report.run)?;
        }
        _ => writeln!(out, "Run {} stopped with exit code {exit}{reason}.", report.run)?,
    }
    writeln!(out)?;
    if let Some(pull) = &report.pull_request {
        writeln!(out, "  branch    {} ({})", plain(&pull.branch), branch(pull))?;
    }
    for said in &report.discussions {
        let round = if said.round.get() > 1 { format!(" (round {})", said.round) } else { String::new() };
        writeln!(out, "  {:<9} {}{round}", format!("{}", said.stage), plain(&said.ended))?;
    }
    if let Some(line) = tests(report) {
        writeln!(out, "  tests     {line}")?;
    }
    let reasons: Vec<_> = report.failed.iter().flat_map(|failed| &failed.reasons).collect();
    // The first line of the summary told the first one already.
    for reason in reasons.iter().skip(1).take(SHOWN) {
        writeln!(out, "            {}: {}", reason.code, plain(&reason.message))?;
    }
    if let Some(verdict) = &report.verdict {
        let findings = verdict.findings.len();
        let noun = if findings == 1 { "finding" } else { "findings" };
        writeln!(out, "  verdict   {} ({findings} {noun})", decision(verdict.decision))?;
        // One line for a rule: where each is stands in the report.
        for (code, message, more) in rules(verdict).iter().take(SHOWN) {
            let more = if *more > 0 { format!(", and {more} more") } else { String::new() };
            writeln!(out, "            {}: {}{more}", plain(code), plain(message))?;
        }
    }
    writeln!(out, "  files     {}", plain(folder))?;
    match &report.pull_request {
        Some(pull) => {
            writeln!(out, "  look at   git log -p {}..{}", report.base(), plain(&pull.branch))?;
            if pull.draft {
                writeln!(
                    out,
                    "  approve   orch stage approve shows what is to be read, and the digest to give"
                )?;
            }
        }
        None => writeln!(out, "  look at   orch report {}", report.run)?,
    }
    match code(report) {
        Some(code) => writeln!(out, "  why       orch explain {}", plain(code)),
        None => Ok(()),
    }
}

/// Returns the code that explains best why the run did not end with 0.
fn code(report: &Report) -> Option<&str> {
    let reasons = report.failed.iter().flat_map(|failed| &failed.reasons).map(|r| r.code.as_str());
    let findings = report.verdict.iter().flat_map(|v| &v.findings);
    let strictest = findings.max_by_key(|f| f.effect).map(|f| f.code.as_str());
    (report.exit() != 0).then(|| reasons.chain(strictest).next()).flatten()
}

/// Returns each rule that found something: its code, its first message, and how many more there are.
fn rules(verdict: &Verdict) -> Vec<(&str, &str, usize)> {
    let mut rules: Vec<(&str, &str, usize)> = Vec::new();
    for found in &verdict.findings {
        match rules.iter_mut().find(|(code, ..)| *code == found.code) {
            Some((_, _, more)) => *more += 1,
            None => rules.push((&found.code, &found.message, 0)),
        }
    }
    rules
}

fn branch(pull: &PullRequest) -> String {
    let commits = pull.commits.len();
    let noun = if commits == 1 { "commit" } else { "commits" };
    let remote = pull.remote.as_deref().map_or_else(
        || "not pushed: there is no such remote, or `pr.push` is off".into(),
        |remote| format!("pushed to {}", plain(remote)),
    );
    let draft = if pull.draft { ", draft" } else { "" };
    format!("{commits} {noun}{draft}, {remote}")
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
    let before =
        tests.iter().any(|t| t.before.is_some()).then(|| format!("{red} of {total} red on the base"));
    let after =
        tests.iter().any(|t| t.after.is_some()).then(|| format!("{green} of {total} green with the change"));
    let known: Vec<String> = before.into_iter().chain(after).collect();
    Some(if known.is_empty() { format!("{total} written, none has run") } else { known.join(", ") })
}

impl Report {
    /// Returns the base for a git command: the branch's name, or the commit.
    pub(super) fn base(&self) -> String {
        let base = self.task.as_ref().map(|task| &task.base);
        base.map_or_else(String::new, |base| base.commit.as_str().chars().take(12).collect())
    }
}
