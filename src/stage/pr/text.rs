//! `pr.md`: the pull request for people, with a footer for machines.
//!
//! Must never hold text of others that was not made harmless, nor say of a test what no report says.

use minijinja::syntax::SyntaxConfig;
use minijinja::value::Serde;
use minijinja::{Environment, UndefinedBehavior};
use serde::Serialize;

use crate::artifact::path::RepoPath;
use crate::artifact::types::approval::Approval;
use crate::artifact::types::change_set::{FileChange, FileOp};
use crate::artifact::types::plan::RiskLevel;
use crate::artifact::types::verdict::{AsideBy, Decision, Effect, SetAside};
use crate::artifact::types::verification::{
    FailureClass, MeasureState, ProbeKind, TestStatus, Verification, VerificationOutcome,
};
use crate::diagnostic::Class;
use crate::stage::StageError;

use super::consent::Consent;
use super::draft::Draft;
use super::evidence::Evidence;
use super::markdown::{code, text};

const TEMPLATE: &str = include_str!("pull_request.md.j2");
const NAME: &str = "pull_request.md";
/// Lists longer than this are cut; GitHub refuses a body of more than 65,536 characters.
const MAX_ITEMS: usize = 40;

/// Returns the text of `pr.md`.
pub(super) fn render(draft: &Draft, evidence: &Evidence, consent: &Consent) -> Result<String, StageError> {
    let broken = |error: minijinja::Error| StageError::Refused {
        class: Class::Internal,
        what: format!("the text of the pull request cannot be rendered: {error}"),
        help: "This is a fault of orch; please report it.".into(),
    };
    let mut environment = Environment::new();
    environment.set_undefined_behavior(UndefinedBehavior::Strict);
    let syntax =
        SyntaxConfig::builder().trim_blocks(true).lstrip_blocks(true).keep_trailing_newline(true).build();
    environment.set_syntax(syntax.map_err(broken)?);
    environment.add_template(NAME, TEMPLATE).map_err(broken)?;
    environment
        .get_template(NAME)
        .map_err(broken)?
        .render(Serde(page(draft, evidence, consent)))
        .map_err(broken)
}

/// What the template shows; every string is Markdown that may stand anywhere in a line.
#[derive(Serialize)]
struct Page {
    summary: String,
    draft: bool,
    approve: Option<String>,
    approved: Option<String>,
    criteria: String,
    files: String,
    exempt: Option<String>,
    tests: String,
    probes: String,
    sandboxed: bool,
    protection: String,
    risks: String,
    rollback: String,
    decision: &'static str,
    findings: String,
    aside: String,
    rules: usize,
    footer: Vec<(&'static str, String)>,
}

/// Returns a Markdown list that tells how many items it leaves out; empty for no items.
fn bullets(items: impl IntoIterator<Item = String>) -> String {
    let items: Vec<_> = items.into_iter().collect();
    let more = items.len().saturating_sub(MAX_ITEMS);
    let shown = items.iter().take(MAX_ITEMS).map(|item| format!("- {item}"));
    shown.chain((more > 0).then(|| format!("- and {more} more"))).collect::<Vec<_>>().join("\n")
}

fn page(draft: &Draft, evidence: &Evidence, consent: &Consent) -> Page {
    let plan = &evidence.plan;
    let files = evidence.tests.files.iter().chain(&evidence.edits.files);
    Page {
        summary: text(&plan.summary),
        draft: consent.is_wanted(),
        approve: match consent {
            Consent::Wanted { digest, .. } => Some(digest.to_string()),
            Consent::NotNeeded | Consent::Given(_) => None,
        },
        approved: match consent {
            Consent::Given(approval) => Some(approved(approval)),
            Consent::NotNeeded | Consent::Wanted { .. } => None,
        },
        criteria: bullets(plan.criteria.iter().map(|c| criterion(evidence, &c.id, &c.text))),
        files: bullets(files.map(file)),
        exempt: evidence.tests.exempt.as_deref().map(text),
        tests: bullets(evidence.tests.expected.iter().map(|t| test(evidence, &t.path, &t.name))),
        probes: bullets(evidence.green.probes.iter().map(probe)),
        sandboxed: evidence.green.protection.is_sandboxed() && evidence.red.protection.is_sandboxed(),
        protection: bullets(protection(&evidence.green)),
        risks: bullets(plan.risks.iter().map(risk)),
        rollback: text(&plan.rollback),
        decision: decision(evidence.verdict.decision),
        findings: bullets(evidence.verdict.findings.iter().map(finding)),
        aside: bullets(evidence.verdict.set_aside.iter().map(aside)),
        rules: evidence.verdict.rules.len(),
        footer: footer(draft, evidence),
    }
}

/// Who approved, and until when.
fn approved(approval: &Approval) -> String {
    let who = approval.by.account.as_ref();
    let who = who.map_or_else(|| "whoever has the checkout".to_owned(), |who| code(who.login.as_str()));
    format!("{who} approved {} until {}", code(approval.digest.as_str()), code(&approval.expires_at))
}

fn criterion(evidence: &Evidence, id: &str, what: &str) -> String {
    let tests = evidence.tests.expected.iter().filter(|t| t.criteria.iter().any(|c| c == id)).count();
    let cover = match (tests, evidence.tests.uncovered.get(id)) {
        (0, Some(why)) => format!("no test: {}", text(why)),
        (0, None) => "no test".to_owned(),
        (1, _) => "1 test".to_owned(),
        (n, _) => format!("{n} tests"),
    };
    format!("{} {} ({cover})", code(id), text(what))
}

fn file(change: &FileChange) -> String {
    let what = match change.op {
        FileOp::Create => "new",
        FileOp::Modify => "changed",
        FileOp::Delete => "deleted",
    };
    format!("{} {what}", code(change.path.as_str()))
}

/// One expected test, as both reports saw it.
fn test(evidence: &Evidence, path: &RepoPath, name: &str) -> String {
    let in_report = |report: &Verification| {
        let seen = report.tests.iter().find(|t| &t.path == path && t.name == name);
        match seen {
            None => "not reported".to_owned(),
            Some(seen) => {
                let class = seen.class.map_or_else(String::new, |class| format!(", {}", failure(class)));
                format!("{}{class}", status(seen.status))
            }
        }
    };
    let (red, green) = (in_report(&evidence.red), in_report(&evidence.green));
    format!("{} in {}: before {red}, after {green}", code(name), code(path.as_str()))
}

const fn status(status: TestStatus) -> &'static str {
    match status {
        TestStatus::Passed => "passed",
        TestStatus::Failed => "failed",
        TestStatus::Skipped => "skipped",
        TestStatus::NotSeen => "not seen",
    }
}

const fn failure(class: FailureClass) -> &'static str {
    match class {
        FailureClass::Assertion => "by assertion",
        FailureClass::MissingBehaviour => "the behaviour is missing",
        FailureClass::Syntax => "the test cannot be read",
        FailureClass::Environment => "the machine lacks something",
        FailureClass::Stopped => "stopped",
        FailureClass::Unclear => "for an unclear reason",
    }
}

fn probe(probe: &crate::artifact::types::verification::Probe) -> String {
    let kind = match probe.kind {
        ProbeKind::Revert => "Without the edits the tests are red again",
        ProbeKind::Flake => "Further runs give the same result",
    };
    let result = match (probe.runs, probe.held) {
        (0, _) => "not measured".to_owned(),
        (1, held) => format!("{} (1 run)", if held { "yes" } else { "**no**" }),
        (runs, held) => format!("{} ({runs} runs)", if held { "yes" } else { "**no**" }),
    };
    format!("{kind}: {result}. {}", text(&probe.message))
}

fn protection(report: &Verification) -> Vec<String> {
    let state = |state| match state {
        MeasureState::Absent => "**not in force**",
        MeasureState::Partial => "in force with a gap",
        MeasureState::Enforced => "in force",
    };
    let measures = report.protection.measures();
    measures
        .iter()
        .map(|(name, measure)| format!("{name}: {}: {}", state(measure.state), text(&measure.by)))
        .collect()
}

fn risk(risk: &crate::artifact::types::plan::Risk) -> String {
    let level = match risk.level {
        RiskLevel::Low => "low",
        RiskLevel::Medium => "medium",
        RiskLevel::High => "high",
    };
    format!("**{level}** {} Mitigation: {}", text(&risk.text), text(&risk.mitigation))
}

const fn decision(decision: Decision) -> &'static str {
    match decision {
        Decision::Allow => "allow",
        Decision::NeedsApproval => "needs approval",
        Decision::Deny => "deny",
    }
}

fn finding(finding: &crate::artifact::types::verdict::Finding) -> String {
    let effect = match finding.effect {
        Effect::Warn => "warning",
        Effect::RequireApproval => "needs approval",
        Effect::Deny => "deny",
    };
    let place = match (&finding.path, finding.line) {
        (None, _) => String::new(),
        (Some(path), None) => format!(" in {}", code(path)),
        (Some(path), Some(line)) => format!(" in {} line {line}", code(path)),
    };
    format!("{} {effect}{place}: {} {}", code(&finding.code), text(&finding.message), text(&finding.help))
}

/// A finding that does not count, with what sets it aside and until when.
fn aside(one: &SetAside) -> String {
    let by = match one.by {
        AsideBy::Waiver => "by a waiver",
        AsideBy::Baseline => "as it was there before",
        AsideBy::Shadow => "as its rule is on trial",
        AsideBy::NotYet => "as its rule counts later",
    };
    let until = one.until.as_ref().map(|day| format!(", until {}", code(day))).unwrap_or_default();
    format!("{by}{until}, {} {}", text(&one.reason), finding(&one.finding))
}

/// The lines of the footer: `key: value`, keys in this order, values ids and digests alone.
fn footer(draft: &Draft, evidence: &Evidence) -> Vec<(&'static str, String)> {
    let provenance = &evidence.provenance;
    let rounds = if evidence.tests.exempt.is_some() || evidence.red.outcome == VerificationOutcome::Exempt {
        "exempt"
    } else {
        "red-then-green"
    };
    vec![
        ("version", "1".into()),
        ("run", draft.run.to_string()),
        ("base", draft.base.to_string()),
        ("evidence", rounds.into()),
        ("verdict", decision(evidence.verdict.decision).replace(' ', "-")),
        ("task-digest", provenance.task.to_string()),
        ("tests-digest", provenance.tests.to_string()),
        ("edits-digest", provenance.edits.to_string()),
        ("report-digest", provenance.report.to_string()),
        ("verdict-digest", provenance.verdict.to_string()),
        ("policy-bundle-digest", evidence.verdict.bundle.to_string()),
    ]
}
