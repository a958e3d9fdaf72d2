//! `approve`: a person's approval, bound to the digests of what was approved.
//!
//! Must never take a program for a person, nor the one who asked for one who approves; must never bind to less than
//! everything that was judged.

mod rationale;

use jiff::{SignedDuration, Timestamp};

use crate::artifact::id::StageId;
use crate::artifact::kind::slot;
use crate::artifact::types::approval::{Approval, Approved, Bound};
use crate::artifact::types::event::{Account, AccountKind, Event, Intent};
use crate::artifact::types::task::{Channel, Requester, Trust};
use crate::artifact::types::verdict::{Decision, Effect};
use crate::config::Approve as ApproveConfig;
use crate::config::Intake as IntakeConfig;
use crate::diagnostic::Class;
use crate::ports::forge::ForgeRead;

use super::intake::{admit, admitted};
use super::pr::Evidence;
use super::spec::{EffectKind, Input, Permission, StageSpec};
use super::{Finished, Inputs, Outputs, Stage, StageContext, StageError};

/// What the stage declares.
pub static SPEC: StageSpec = StageSpec {
    id: StageId::Approve,
    version: 1,
    summary: "Takes a person's approval and binds it to what was approved",
    about: "Without an approval it writes what a person has to look at, with the digest to give, and ends with 4. An approval \
            is that digest, from a comment `/orch approve DIGEST`, from a deployment environment, or from the command line \
            of a checkout. On a forge the person needs the permission of `approve.allow`, as the forge says, and may not \
            be who asked for the change or wrote the request; programs never approve. It ends after \
            `approve.ttl_hours`, and with any change of the edits, the rules or the verdict.",
    inputs: &[
        Input::required(slot::TASK),
        Input::required(slot::PLAN),
        Input::required(slot::TESTS),
        Input::required(slot::RED),
        Input::required(slot::EDITS),
        Input::required(slot::GREEN),
        Input::required(slot::VERDICT),
    ],
    outputs: &[slot::APPROVAL_TEXT],
    may_write: &[slot::APPROVAL],
    effects: &[EffectKind::ForgeRead],
    config: &["approve"],
    permissions: &[
        Permission::ActionsRead,
        Permission::ContentsRead,
        Permission::IssuesRead,
        Permission::PullRequestsRead,
    ],
    exits: &[3, 4, 6, 78],
};

/// The stage.
#[derive(Clone, Copy, Debug, Default)]
pub struct ApproveStage;

/// Who approved, and when.
struct Person {
    by: Requester,
    at: Timestamp,
}

impl Stage for ApproveStage {
    fn spec(&self) -> &'static StageSpec {
        &SPEC
    }

    fn run(&self, cx: &StageContext<'_>, inputs: &Inputs) -> Result<Finished, StageError> {
        let evidence = Evidence::load(inputs)?;
        if evidence.verdict.decision == Decision::Allow {
            return Err(StageError::Refused {
                class: Class::Nothing,
                what: "policy allows the change, so there is nothing to approve".into(),
                help: "Go on with `orch stage pr`.".into(),
            });
        }
        let bound = bound(cx.run, &evidence);
        let digest = bound.digest().map_err(|source| StageError::Refused {
            class: Class::Internal,
            what: format!("what is to be approved has no canonical form: {source}"),
            help: "This is a fault of orch; please report it.".into(),
        })?;
        let mut outputs = Outputs::default();
        outputs.put_bytes(
            slot::APPROVAL_TEXT,
            rationale::render(&bound, &digest, &evidence, &cx.config.approve),
        );
        let Some(request) = cx.request else {
            let why = format!("a person has to approve {digest}");
            return Ok(Finished::stopped(outputs, Class::NeedsApproval, why));
        };
        let config = &cx.config.approve;
        let asker = &evidence.task;
        let person = match (&request.event, request.channel) {
            (Some(event), _) => {
                typed(&typed_in(event)?, &digest)?;
                by_comment(event, cx.hub()?, config)?
            }
            (None, Channel::Environment) => {
                by_environment(&request.text, cx.hub()?, config, cx.clock().now())?
            }
            (None, _) => {
                typed(request.text.trim(), &digest)?;
                let by = Requester::at_hand(request.channel);
                Person { by, at: cx.clock().now() }
            }
        };
        another(&person.by, asker)?;
        let approval = approval(bound, digest, &person, &evidence, config, request.event.as_ref());
        let now = cx.clock().now();
        approval.covers(&approval.bound, now).map_err(|void| {
            refused(
                format!("the approval {void}"),
                "Approve again; `approve.ttl_hours` of orch.yml is how long one holds.",
            )
        })?;
        cx.note(format!("approved until {}", approval.expires_at));
        outputs.put(slot::APPROVAL, &approval)?;
        Ok(Finished::done(outputs))
    }

    /// An approval that is over has to be given again.
    fn still_holds(&self, cx: &StageContext<'_>, outputs: &Inputs) -> Result<bool, StageError> {
        let approval: Option<Approval> = outputs.find(slot::APPROVAL)?;
        Ok(approval.is_none_or(|approval| approval.covers(&approval.bound, cx.clock().now()).is_ok()))
    }
}

/// Returns what an approval of this evidence is bound to.
pub fn bound(run: &crate::artifact::id::RunId, evidence: &Evidence) -> Bound {
    let provenance = evidence.provenance.clone();
    Bound {
        run: run.clone(),
        base: evidence.task.base.commit.clone(),
        task: provenance.task,
        tests: provenance.tests,
        edits: provenance.edits,
        bundle: evidence.verdict.bundle.clone(),
        verdict: provenance.verdict,
    }
}

fn approval(
    bound: Bound,
    digest: crate::artifact::digest::Digest,
    person: &Person,
    evidence: &Evidence,
    config: &ApproveConfig,
    event: Option<&Event>,
) -> Approval {
    let hours = i64::try_from(config.ttl_hours).unwrap_or(1);
    let end = person.at.checked_add(SignedDuration::from_hours(hours)).unwrap_or(person.at);
    let needed = evidence.verdict.findings.iter().filter(|finding| finding.effect == Effect::RequireApproval);
    Approval {
        digest,
        bound,
        by: person.by.clone(),
        event: event.map(|event| event.payload.clone()),
        findings: needed
            .map(|finding| Approved { code: finding.code.clone(), fingerprint: finding.fingerprint.clone() })
            .collect(),
        approved_at: whole_seconds(person.at),
        expires_at: whole_seconds(end),
    }
}

fn whole_seconds(time: Timestamp) -> String {
    time.strftime("%Y-%m-%dT%H:%M:%SZ").to_string()
}

fn typed_in(event: &Event) -> Result<String, StageError> {
    match &event.intent {
        Intent::Approve { digest } => Ok(digest.to_string()),
        Intent::Unknown { reply } => Err(StageError::Refused {
            class: Class::Nothing,
            what: "the comment holds no command that there is".into(),
            help: reply.clone(),
        }),
        _ => Err(StageError::Refused {
            class: Class::Nothing,
            what: "the event approves nothing".into(),
            help: "Comment `/orch approve DIGEST` on the pull request.".into(),
        }),
    }
}

fn typed(given: &str, wanted: &crate::artifact::digest::Digest) -> Result<(), StageError> {
    if given == wanted.as_str() || given == wanted.hex() {
        return Ok(());
    }
    Err(refused(
        "the digest is not that of what is here now".into(),
        "Read what is to be approved as it is now (`orch stage approve`, or approval.md in the run folder) and give its \
         digest.",
    ))
}

/// The person who wrote the command, from what the forge says.
fn by_comment(
    event: &Event,
    hub: Option<&dyn ForgeRead>,
    config: &ApproveConfig,
) -> Result<Person, StageError> {
    // No program approves, whatever list it may be on.
    let rights = IntakeConfig { allow: config.allow, bots: Vec::new(), ..IntakeConfig::default() };
    let (known, _) = admitted(event, hub, &rights)?;
    // The time is the comment's: running an old workflow once more does not make an approval younger.
    let written = event.comment.as_ref().and_then(|comment| comment.created_at.as_deref());
    let at = written.and_then(|time| time.parse().ok()).ok_or_else(|| {
        refused("the comment does not say when it was written".into(), "Approve in a new comment.")
    })?;
    let account = event.actor.clone();
    let standing = account.as_ref().and_then(|account| known.standing.get(&account.id).copied());
    Ok(Person {
        by: Requester { channel: Channel::Comment, trust: Trust::Collaborator, account, standing },
        at,
    })
}

/// The person who approved the deployment environment that the job waits behind.
fn by_environment(
    run: &str,
    hub: Option<&dyn ForgeRead>,
    config: &ApproveConfig,
    now: Timestamp,
) -> Result<Person, StageError> {
    let hub = hub.ok_or_else(|| {
        refused(
            "the forge cannot be asked who approved".into(),
            "Set GITHUB_TOKEN in `env` of the step; its job needs `actions: read`.",
        )
    })?;
    if config.environment.is_empty() {
        return Err(refused(
            "no deployment environment may approve".into(),
            "Name it as `approve.environment` in orch.yml.",
        ));
    }
    let number = run.parse().map_err(|_| StageError::Refused {
        class: Class::Usage,
        what: "the number of the workflow's run is not known".into(),
        help: "Run in GitHub Actions, in a job with `environment:`; GITHUB_RUN_ID tells the number.".into(),
    })?;
    let given = hub.run_approvals(number)?;
    let ours = |approval: &&crate::ports::forge::RunApproval| {
        approval.approved && approval.environments.contains(&config.environment)
    };
    let actor = given.iter().rev().find(ours).and_then(|approval| approval.by.clone()).ok_or_else(|| {
        refused(
            format!("nobody approved the environment `{}` in this run", config.environment),
            "Give the environment required reviewers, and the job `environment:` with its name.",
        )
    })?;
    let login = actor.login.as_str().parse().map_err(|_| {
        refused("the approver's name is none a forge has".into(), "Approve by a comment instead.")
    })?;
    let kind = if actor.bot { AccountKind::Bot } else { AccountKind::Person };
    let account = Account { id: actor.id, login, kind };
    let mut known = admit::Known::default();
    known.standing.insert(account.id, admit::standing(&account, hub)?);
    admit::may(&account, &known, config.allow, &[])?;
    let standing = known.standing.get(&account.id).copied();
    let by = Requester {
        channel: Channel::Environment,
        trust: Trust::Collaborator,
        account: Some(account),
        standing,
    };
    Ok(Person { by, at: now })
}

/// Refuses an approval by who asked for the change or wrote the request.
fn another(by: &Requester, task: &crate::artifact::types::task::Task) -> Result<(), StageError> {
    let authors = task.source.iter().flat_map(|source| &source.texts).filter_map(|text| text.author.as_ref());
    let mut behind: Vec<&Account> = authors.collect();
    behind.extend(&task.requester.account);
    match &by.account {
        Some(account) if behind.iter().any(|other| other.id == account.id) => Err(refused(
            format!("`{}` asked for the change or wrote the request, and cannot approve it", account.login),
            "Let another person with the permission approve.",
        )),
        // Who has the checkout may be who asked on the forge; nobody can tell.
        None if task.source.is_some() => Err(refused(
            "a change that was asked for on a forge is approved there".into(),
            "Comment `/orch approve DIGEST` on the pull request.",
        )),
        _ => Ok(()),
    }
}

fn refused(what: String, help: &str) -> StageError {
    StageError::Refused { class: Class::Denied, what, help: help.to_owned() }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::artifact::digest::Digest;

    #[test]
    fn only_the_whole_digest_is_one() {
        let digest = Digest::of("x");
        assert!(typed(digest.as_str(), &digest).is_ok() && typed(digest.hex(), &digest).is_ok());
        for bad in ["", digest.short(), &digest.as_str()[..70], "sha256:", &digest.hex().to_uppercase()] {
            assert!(typed(bad, &digest).is_err(), "{bad}");
        }
        assert!(typed(Digest::of("y").as_str(), &digest).is_err());
    }
}
