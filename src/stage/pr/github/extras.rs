//! What goes with a pull request: labels, assignees, reviewers, the check, the security page.
//!
//! Must never fail the stage over one of them, nor lose what did not work: it becomes a warning that says what to do.

use std::fmt::Write as _;

use crate::artifact::digest::Digest;
use crate::artifact::types::pull_request::Warning;
use crate::artifact::types::verdict::{Decision, Effect, Finding, Verdict};
use crate::ports::forge::{
    Annotation, AnnotationLevel, Answer, CheckDraft, Conclusion, ForgeError, Pull, Reviewers, SarifUpload,
    StatusDraft, StatusState,
};

use crate::verdicts::{Options, VerdictFormat, render};

use super::super::markdown::{code, text};
use super::request::warning;
use super::{Done, Hub, Known};

/// The name of the check.
const CHECK: &str = "orch / policy";
const MAX_LISTED: usize = 30;

/// Adds what goes with the pull request.
pub(super) fn add(hub: &Hub<'_>, known: &Known<'_>, done: &mut Done, created: bool) {
    let Some(pull) = done.pull.clone() else { return };
    let steps: [&dyn Fn() -> Answer<Vec<Warning>>; 5] = [
        &|| labels(hub, &pull),
        &|| assignees(hub, &pull),
        &|| reviewers(hub, &pull, created),
        &|| check(hub, known, &pull),
        &|| security(hub, known, &pull),
    ];
    for step in steps {
        match step() {
            Ok(warnings) => done.warnings.extend(warnings),
            Err(error) => done.warnings.push(warning(&error)),
        }
    }
}

fn labels(hub: &Hub<'_>, pull: &Pull) -> Answer<Vec<Warning>> {
    let has = |label: &&String| !pull.labels.iter().any(|there| there.eq_ignore_ascii_case(label));
    let missing: Vec<String> = hub.config.labels.iter().filter(has).cloned().collect();
    if !missing.is_empty() {
        hub.write.add_labels(pull.number.issue(), &missing)?;
    }
    Ok(Vec::new())
}

fn assignees(hub: &Hub<'_>, pull: &Pull) -> Answer<Vec<Warning>> {
    let there = |login: &String, all: &[crate::ports::forge::Login]| {
        all.iter().any(|one| one.as_str().eq_ignore_ascii_case(login))
    };
    let missing: Vec<String> =
        hub.config.assignees.iter().filter(|login| !there(login, &pull.assignees)).cloned().collect();
    if missing.is_empty() {
        return Ok(Vec::new());
    }
    let now = hub.write.add_assignees(pull.number.issue(), &missing)?;
    let dropped = missing.into_iter().filter(|login| !there(login, &now));
    Ok(dropped
        .map(|login| Warning {
            what: format!("GitHub did not assign `{login}`"),
            help: Some("Only who may write to the repository, or has commented, can be assigned.".into()),
            again: false,
        })
        .collect())
}

fn reviewers(hub: &Hub<'_>, pull: &Pull, created: bool) -> Answer<Vec<Warning>> {
    let mut wanted = Reviewers::default();
    for name in &hub.config.reviewers {
        match name.strip_prefix("team:") {
            // Teams that were asked are not in the list of people, so they are asked once.
            Some(team) if created => wanted.teams.push(team.to_owned()),
            Some(_) => {}
            None => wanted.people.push(name.clone()),
        }
    }
    let author = pull.author.as_ref().map(|author| author.login.clone());
    wanted.people.retain(|name| author.as_ref().is_none_or(|a| !a.as_str().eq_ignore_ascii_case(name)));
    if !created && !wanted.people.is_empty() {
        // Who has answered is not asked again.
        let answered = hub.read.reviews(pull.number)?;
        let answered =
            answered.iter().filter_map(|review| review.author.as_ref()).map(|author| &author.login);
        let known: Vec<_> = pull.reviewers.iter().chain(answered).collect();
        wanted.people.retain(|name| !known.iter().any(|login| login.as_str().eq_ignore_ascii_case(name)));
    }
    if wanted != Reviewers::default() {
        hub.write.request_reviewers(pull.number, &wanted)?;
    }
    Ok(Vec::new())
}

fn check(hub: &Hub<'_>, known: &Known<'_>, pull: &Pull) -> Answer<Vec<Warning>> {
    if !hub.config.check {
        return Ok(Vec::new());
    }
    let draft = check_draft(&known.evidence.verdict, &known.draft.provenance.verdict, pull, known.wanted);
    match put_check(hub, &draft) {
        // Only Apps may make check runs.
        Err(ForgeError::Forbidden { .. } | ForgeError::Unsupported { .. }) => {
            status(hub, &draft).map(|()| Vec::new())
        }
        other => other.map(|()| Vec::new()),
    }
}

/// Puts the findings on the security page, for the branch; the same file twice is shown once.
fn security(hub: &Hub<'_>, known: &Known<'_>, pull: &Pull) -> Answer<Vec<Warning>> {
    if !hub.config.sarif {
        return Ok(Vec::new());
    }
    let mut sarif = Vec::new();
    let written = render(&known.evidence.verdict, VerdictFormat::Sarif, &Options::default(), &mut sarif);
    if let Err(error) = written {
        let what = "upload the findings".to_owned();
        return Err(ForgeError::Invalid { what, why: error.to_string() });
    }
    let reference = format!("refs/heads/{}", pull.head);
    let upload = SarifUpload { commit: pull.head_commit.clone(), reference, sarif };
    hub.write.upload_sarif(&upload).map(|_| Vec::new())
}

fn put_check(hub: &Hub<'_>, draft: &CheckDraft) -> Answer<()> {
    let there = hub.read.check_runs(&draft.commit)?;
    let same_app = there.iter().filter(|run| run.name == CHECK && run.external_id.is_some());
    match same_app.max_by_key(|run| run.id) {
        Some(run)
            if run.external_id.as_deref() == Some(&draft.external_id)
                && run.conclusion == draft.conclusion =>
        {
            Ok(())
        }
        _ => hub.write.create_check(draft).map(drop),
    }
}

fn status(hub: &Hub<'_>, draft: &CheckDraft) -> Answer<()> {
    let state = match draft.conclusion {
        Some(Conclusion::Success) => StatusState::Success,
        _ => StatusState::Failure,
    };
    let there = hub.read.statuses(&draft.commit)?;
    if there.iter().any(|status| status.context == CHECK && status.state == state) {
        return Ok(());
    }
    let description = draft.title.clone();
    hub.write.set_status(&StatusDraft {
        commit: draft.commit.clone(),
        context: CHECK.into(),
        state,
        description,
    })
}

/// A change that waits for approval is `action_required`: `neutral` would count as passed.
fn check_draft(verdict: &Verdict, digest: &Digest, pull: &Pull, wanted: bool) -> CheckDraft {
    let (conclusion, title) = match verdict.decision {
        Decision::Allow => (Conclusion::Success, "Policy allows the change"),
        Decision::NeedsApproval if !wanted => {
            (Conclusion::Success, "A person approved what policy asks about")
        }
        Decision::NeedsApproval => (Conclusion::ActionRequired, "Policy asks for a person's approval"),
        Decision::Deny => (Conclusion::Failure, "Policy denies the change"),
    };
    let listed = verdict.findings.iter().take(MAX_LISTED);
    let lines: Vec<String> = listed.map(|f| format!("- {}: {}", code(&f.code), text(&f.message))).collect();
    let more = verdict.findings.len().saturating_sub(MAX_LISTED);
    let mut summary = format!("{} rules ran, {} findings.\n", verdict.rules.len(), verdict.findings.len());
    if !lines.is_empty() {
        summary.push('\n');
        summary.push_str(&lines.join("\n"));
        summary.push('\n');
    }
    if more > 0 {
        let _ = writeln!(summary, "- and {more} more");
    }
    CheckDraft {
        name: CHECK.into(),
        commit: pull.head_commit.clone(),
        external_id: digest.to_string(),
        conclusion: Some(conclusion),
        title: title.into(),
        summary,
        annotations: verdict.findings.iter().filter_map(annotation).collect(),
    }
}

fn annotation(finding: &Finding) -> Option<Annotation> {
    let path = finding.path.as_deref()?.parse::<crate::artifact::path::RepoPath>().ok()?;
    let line = finding.line.unwrap_or(1);
    Some(Annotation {
        path: path.to_string(),
        start_line: line,
        end_line: finding.end_line.unwrap_or(line).max(line),
        level: match finding.effect {
            Effect::Warn => AnnotationLevel::Notice,
            Effect::RequireApproval => AnnotationLevel::Warning,
            Effect::Deny => AnnotationLevel::Failure,
        },
        title: finding.code.clone(),
        message: format!("{} {}", finding.message, finding.help),
    })
}
