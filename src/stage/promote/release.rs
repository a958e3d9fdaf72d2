//! The release of the tag: drafted, then published.
//!
//! Must never publish one whose tag is elsewhere, nor write over one that somebody else made.

use std::fmt::Write as _;

use crate::artifact::types::promotion::{Act, ActKind};
use crate::artifact::types::pull_request::Outcome;
use crate::ports::forge::{ForgeError, NewRelease, Release};
use crate::stage::StageError;
use crate::stage::pr::markdown::{code, text};

use super::Work;

/// So many releases are looked at for a draft that was left behind.
const LOOKED_AT: u32 = 300;

/// Makes the release, or finds it, and publishes it.
pub(super) fn ensure(work: &Work<'_>) -> Result<Act, StageError> {
    let done = |release: Option<&Release>, outcome| {
        let mut act = work.done(ActKind::Release, outcome);
        act.name = Some(work.tag.clone());
        act.number = release.map(|release| release.id.0);
        act.url = release.map(|release| release.url.clone());
        act.state = release.map(|release| if release.draft { "draft" } else { "published" }.to_owned());
        act
    };
    // Made before the release: a release that makes its tag would take one that is there, wherever it is.
    let commit = &work.order.decision.subject.commit;
    if work.hub.read.tag(&work.tag)?.as_ref() != Some(commit) {
        let why = format!("the tag `{}` is not at {commit}", work.tag);
        return Ok(done(None, Outcome::Conflict).because(why));
    }
    let (draft, found) = match find(work)? {
        Some(found) => (found, true),
        None => match work.hub.write.draft_release(&new(work)) {
            Ok(draft) => (draft, false),
            Err(error @ ForgeError::Conflict { .. }) => (find(work)?.ok_or(error)?, true),
            Err(error) => return Err(error.into()),
        },
    };
    if !work.record.is_in(&draft.body) {
        let why = format!("the release of `{}` was made by somebody else, or for other digests", work.tag);
        return Ok(done(Some(&draft), Outcome::Conflict).because(why));
    }
    if !draft.draft {
        return Ok(done(Some(&draft), Outcome::Unchanged));
    }
    let published = work.hub.write.publish_release(draft.id)?;
    Ok(done(Some(&published), if found { Outcome::Repaired } else { Outcome::Created }))
}

/// Finds the release of the tag: ours first, the oldest of them; drafts have no address of their own, so the list is read.
fn find(work: &Work<'_>) -> Result<Option<Release>, StageError> {
    let all: Vec<Release> = work.hub.read.releases(LOOKED_AT)?;
    let of_tag: Vec<Release> = all.into_iter().rev().filter(|release| release.tag == work.tag).collect();
    let ours = of_tag.iter().find(|release| work.record.is_in(&release.body));
    let published = || of_tag.iter().find(|release| !release.draft);
    Ok(ours.or_else(published).cloned())
}

fn new(work: &Work<'_>) -> NewRelease {
    let decision = &work.order.decision;
    let mut body = String::new();
    let _ = writeln!(body, "Promoted to {} by the release gate.\n", code(decision.environment.as_str()));
    if !decision.subject.artifacts.is_empty() {
        body.push_str("| Artifact | Digest |\n|---|---|\n");
        for artifact in &decision.subject.artifacts {
            let _ = writeln!(
                body,
                "| {} | {} |",
                code(&artifact.name).replace('|', "\\|"),
                code(artifact.digest.as_str())
            );
        }
        body.push('\n');
    }
    for control in &decision.controls {
        let reason = text(&control.reason);
        let _ = writeln!(body, "- {}: {}, {reason}", code(&control.control), control.state.as_str());
    }
    let _ = writeln!(
        body,
        "\nRun {}, decision {}.\n",
        code(work.order.run.as_str()),
        code(work.order.digest.as_str())
    );
    let _ = writeln!(body, "{}", work.record.line());
    NewRelease {
        tag: work.tag.clone(),
        commit: decision.subject.commit.clone(),
        name: work.tag.clone(),
        body,
        prerelease: false,
    }
}
