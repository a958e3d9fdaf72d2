//! `intake`: a request becomes a task.
//!
//! Must never take a word of the request for anything but data, and must never ask anybody else what was meant.

pub mod admit;
pub mod event;
mod text;

use crate::artifact::id::{Slug, StageId};
use crate::artifact::kind::slot;
use crate::artifact::types::event::{Event, EventName, Intent};
use crate::artifact::types::task::{After, Base, Channel, HiddenIn, Requester, Source, Task, Trust, Written};
use crate::diagnostic::Class;

use super::spec::{EffectKind, Permission, StageSpec};
use super::{Finished, Inputs, Outputs, Request, Stage, StageContext, StageError};

/// What the stage declares.
pub static SPEC: StageSpec = StageSpec {
    id: StageId::Intake,
    version: 2,
    summary: "Turns a request or an event of a forge into a task",
    about: "Takes the words of the request, without hidden and control characters, and fixes the commit everything is \
            measured against. It refuses an empty request, one over 64 KiB, and a repository without a commit. A request \
            from a forge is taken only from who has the permission that `intake.allow` asks for, as the forge says, and \
            only while issue and comment read as they did when the event was made; what was hidden in them is told in \
            the task.",
    inputs: &[],
    outputs: &[slot::TASK],
    may_write: &[slot::EVENT],
    effects: &[EffectKind::RepositoryRead, EffectKind::ForgeRead],
    config: &["service", "engine", "intake", "review"],
    permissions: &[Permission::ContentsRead, Permission::IssuesRead, Permission::PullRequestsRead],
    exits: &[3, 7, 78],
};

/// The stage.
pub struct Intake;

/// Who asks and how far the text is trusted, with what the task tells of an event.
struct Asked {
    requester: Requester,
    source: Option<Source>,
    hidden: Vec<HiddenIn>,
}

impl Stage for Intake {
    fn spec(&self) -> &'static StageSpec {
        &SPEC
    }

    fn run(&self, cx: &StageContext<'_>, _inputs: &Inputs) -> Result<Finished, StageError> {
        let request = cx.request.ok_or_else(|| StageError::Refused {
            class: Class::Usage,
            what: "there is no request".into(),
            help: "Say what to do, as in `orch run \"add a /health endpoint\"`, or name a file with `--task-file`.".into(),
        })?;
        bounded(request.after.as_ref(), cx.config.review.rounds)?;
        let asked = match (&request.event, &request.after) {
            (_, Some(after)) => Asked {
                // Who asked stays who asked; but reviewers wrote the text, and anybody may be one.
                requester: Requester {
                    channel: Channel::Review,
                    trust: Trust::Untrusted,
                    ..after.requester.clone()
                },
                source: after.source.clone(),
                hidden: Vec::new(),
            },
            (None, None) => {
                Asked { requester: Requester::at_hand(request.channel), source: None, hidden: Vec::new() }
            }
            (Some(event), None) => asked(event, request.channel, cx)?,
        };
        let base = cx.vcs()?.head()?;
        let service = cx.config.service.clone().unwrap_or_else(|| Slug::fold("app", 60, "app"));
        let created_at = cx.clock().now().strftime("%Y-%m-%dT%H:%M:%SZ").to_string();
        let task = task(request, asked, base, service, created_at)?;
        let asked = request.after.as_ref().and_then(|after| after.follows.as_ref());
        if let Some(follows) = asked.filter(|_| task.follows.is_none()) {
            cx.note(format!(
                "the checkout is not at {}, the head of `{}`, so this becomes a pull request of its own",
                follows.head, follows.branch
            ));
        }
        for hidden in &task.hidden {
            let what: Vec<_> =
                hidden.what.iter().map(|h| format!("{} {}", h.times, h.kind.as_str())).collect();
            cx.note(format!("hidden in the {} and taken out: {}", hidden.part.as_str(), what.join(", ")));
        }
        let mut outputs = Outputs::default();
        outputs.put(slot::TASK, &task)?;
        if let Some(event) = &request.event {
            outputs.put(slot::EVENT, event)?;
        }
        Ok(Finished::done(outputs))
    }
}

/// Refuses the findings of one review round too many.
fn bounded(after: Option<&After>, rounds: u32) -> Result<(), StageError> {
    if after.is_none_or(|after| after.round <= rounds) {
        return Ok(());
    }
    Err(StageError::Refused {
        class: Class::NotConverged,
        what: format!("reviewers still find something after {rounds} rounds of mending"),
        help: "A person has to look at the pull request; `review.rounds` of orch.yml is the bound.".into(),
    })
}

/// Returns the channel of an event.
pub fn channel(event: &Event) -> Channel {
    match event.name {
        EventName::Issues | EventName::PullRequest | EventName::Push => Channel::Issue,
        EventName::IssueComment | EventName::PullRequestReview | EventName::PullRequestReviewComment => {
            Channel::Comment
        }
        EventName::WorkflowDispatch => Channel::WorkflowDispatch,
        EventName::RepositoryDispatch => Channel::RepositoryDispatch,
        EventName::Schedule => Channel::Schedule,
    }
}

/// Refuses an event that asks for no change, and says who else takes it.
pub fn asks_for_a_change(event: &Event) -> Result<bool, StageError> {
    let nothing = |what: String, help: &str| {
        Err(StageError::Refused { class: Class::Nothing, what, help: help.to_owned() })
    };
    match &event.intent {
        Intent::Run => Ok(false),
        Intent::Plan => Ok(true),
        Intent::Nothing { why } => nothing(format!("nothing to do: {why}"), "Nothing has to be done."),
        Intent::Unknown { reply } => nothing("the comment holds no command that there is".into(), reply),
        Intent::Approve { .. } => nothing(
            "the comment approves a change and asks for none".into(),
            "`orch stage approve` on the run takes it.",
        ),
        Intent::Rerun { stage } => nothing(
            format!("the comment asks to run `{stage}` again and for no change"),
            "`orch event --admit` tells a workflow that it may; `orch run --from-artifacts RUN --from STAGE` does it.",
        ),
        Intent::Stop => nothing(
            "the comment asks to stop and for no change".into(),
            "`orch event --admit` tells a workflow that it may; cancelling the workflow's run does it.",
        ),
    }
}

/// Looks whether the account of an event may ask; what the forge says of it comes back.
pub fn admitted(
    event: &Event,
    cx_hub: Option<&dyn crate::ports::forge::ForgeRead>,
    config: &crate::config::Intake,
) -> Result<(admit::Known, Trust), StageError> {
    let known = match (cx_hub, &event.actor) {
        (Some(hub), Some(_)) => admit::ask(event, hub)?,
        // A schedule has nobody to ask about.
        (_, None) => admit::Known::default(),
        (None, Some(_)) => {
            return Err(StageError::Refused {
                class: Class::Denied,
                what: "the forge cannot be asked who may do this".into(),
                help: "Set ORCH_FORGE_TOKEN or GITHUB_TOKEN; in a workflow: `GITHUB_TOKEN: ${{ github.token }}` in `env` \
                       of the step."
                    .into(),
            });
        }
    };
    if let (Some(hub), Some(repository)) =
        (cx_hub.and_then(super::super::ports::forge::ForgeRead::slug), &event.repository)
        && !hub.to_string().eq_ignore_ascii_case(repository.name.as_str())
    {
        return Err(StageError::Refused {
            class: Class::Denied,
            what: format!(
                "the event is of `{}`, and the forge's repository here is `{hub}`",
                repository.name
            ),
            help: "Run in the repository the event happened in.".into(),
        });
    }
    let trust = admit::admit(event, &known, config.allow, &config.bots)?;
    Ok((known, trust))
}

fn asked(event: &Event, channel: Channel, cx: &StageContext<'_>) -> Result<Asked, StageError> {
    let plan_only = asks_for_a_change(event)?;
    let (known, trust) = admitted(event, cx.hub()?, &cx.config.intake)?;
    let standing = |account: Option<&_>| {
        account.and_then(|account: &crate::artifact::types::event::Account| {
            known.standing.get(&account.id).copied()
        })
    };
    let written = event.texts.iter().map(|words| Written {
        part: words.part,
        author: words.author.clone(),
        standing: standing(words.author.as_ref()),
        raw: words.raw.clone(),
    });
    let hidden = event.texts.iter().filter(|words| !words.hidden.is_empty());
    Ok(Asked {
        requester: Requester {
            channel,
            trust,
            standing: standing(event.actor.as_ref()),
            account: event.actor.clone(),
        },
        source: Some(Source {
            event: event.name,
            payload: event.payload.clone(),
            repository: event.repository.clone(),
            number: event.subject.as_ref().map(|subject| subject.number),
            is_pull_request: event.subject.as_ref().is_some_and(|subject| subject.is_pull_request),
            comment: event.comment.as_ref().map(|comment| comment.id),
            tenant: event.tenant.clone(),
            plan_only,
            texts: written.collect(),
        }),
        hidden: hidden.map(|words| HiddenIn { part: words.part, what: words.hidden.clone() }).collect(),
    })
}

/// Makes the task; the pure part of the stage.
fn task(
    request: &Request,
    asked: Asked,
    base: Base,
    service: Slug,
    created_at: String,
) -> Result<Task, StageError> {
    let text = text::clean(&request.text)?;
    // What reviewers found is mended where they found it; from any other commit it is a change of its own.
    let follows = request.after.as_ref().and_then(|after| after.follows.clone());
    let follows = follows.filter(|follows| follows.head == base.commit);
    Ok(Task {
        title: text::title(&text),
        request: text,
        requester: asked.requester,
        base,
        service,
        assignment: request.assignment.clone(),
        created_at,
        source: asked.source,
        review_round: request.after.as_ref().map(|after| after.round),
        follows,
        hidden: asked.hidden,
    })
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::artifact::types::task::Channel;

    #[test]
    fn a_request_becomes_a_task() {
        let text = " add\u{202e} a /health\tendpoint\r\nplease \0";
        let request = Request::to_engine("template", text, Channel::TaskFile);
        let base = Base {
            commit: "a".repeat(40).parse().unwrap(),
            tree: "b".repeat(40).parse().unwrap(),
            branch: None,
        };
        let service: Slug = "shop".parse().unwrap();
        let at_hand =
            Asked { requester: Requester::at_hand(Channel::TaskFile), source: None, hidden: vec![] };
        let made = "2026-11-21T12:00:00Z";
        let task = task(&request, at_hand, base.clone(), service.clone(), made.into()).unwrap();
        assert_eq!(task.request, "add a /health\tendpoint\nplease");
        assert_eq!(task.title, "add a /health endpoint");
        assert_eq!((task.base, task.service), (base, service));
        assert_eq!(task.assignment.engine, "template");
        assert_eq!(task.requester.trust, Trust::Owner);
    }

    #[test]
    fn rounds_of_mending_are_bounded() {
        assert!(bounded(None, 0).is_ok());
        for (round, most, ok) in [(1, 0, false), (2, 2, true), (3, 2, false)] {
            let requester = Requester::at_hand(Channel::CommandLine);
            let after = After { round, requester, source: None, follows: None };
            assert_eq!(bounded(Some(&after), most).is_ok(), ok, "{round} of {most}");
        }
    }
}
