//! Who may ask for what, and whether what they asked still stands.
//!
//! Decided from what the forge says when it is asked; never from a name, and never from what an event says of its sender.
//! Must never repeat a word of an event in an error but names that were checked.

use std::collections::BTreeMap;

use crate::artifact::digest::Digest;
use crate::artifact::types::event::{Account, AccountKind, CommentPlace, Event, EventName, Standing};
use crate::artifact::types::task::Trust;
use crate::config::Permitted;
use crate::diagnostic::Class;
use crate::ports::forge::{Access, CommentId, ForgeError, ForgeRead, IssueNumber, Login, PullNumber};
use crate::stage::StageError;

use super::event::subject_text;

/// What the forge says of the accounts and texts of an event.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Known {
    /// What accounts may do, by their numbers.
    pub standing: BTreeMap<u64, Standing>,
    /// The text of the issue or pull request as it is now.
    pub subject: Now,
    /// The text of the comment as it is now.
    pub comment: Now,
}

/// A text as it is now.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub enum Now {
    /// Nobody was asked.
    #[default]
    NotAsked,
    /// It is gone.
    Gone,
    /// It is there.
    Is(Digest),
}

impl From<Access> for Standing {
    fn from(access: Access) -> Self {
        match access {
            Access::None => Self::None,
            Access::Read => Self::Read,
            Access::Triage => Self::Triage,
            Access::Write => Self::Write,
            Access::Maintain => Self::Maintain,
            Access::Admin => Self::Admin,
        }
    }
}

/// Tells whether a standing is enough.
pub fn is_enough(standing: Standing, least: Permitted) -> bool {
    standing
        >= match least {
            Permitted::Write => Standing::Write,
            Permitted::Maintain => Standing::Maintain,
            Permitted::Admin => Standing::Admin,
        }
}

/// Asks the forge what an event depends on.
pub fn ask(event: &Event, hub: &dyn ForgeRead) -> Result<Known, StageError> {
    let mut known = Known::default();
    let authors = event.texts.iter().filter_map(|words| words.author.as_ref());
    for account in event.actor.iter().chain(authors) {
        if account.kind == AccountKind::Person && !known.standing.contains_key(&account.id) {
            known.standing.insert(account.id, standing(account, hub)?);
        }
    }
    if let Some(comment) = &event.comment {
        let body = match (comment.place, event.subject.as_ref()) {
            (CommentPlace::Issue, _) => body_of(hub.comment(CommentId(comment.id)))?,
            (CommentPlace::Line, _) => body_of(hub.review_comment(CommentId(comment.id)))?,
            (CommentPlace::Review, None) => None,
            (CommentPlace::Review, Some(subject)) => {
                let reviews =
                    ForgeError::optional(hub.reviews(PullNumber(subject.number)))?.unwrap_or_default();
                reviews.into_iter().find(|review| review.id.0 == comment.id).map(|review| review.body)
            }
        };
        known.comment = body.map_or(Now::Gone, |body| Now::Is(Digest::of(body)));
    }
    if let Some(subject) = event.subject.as_ref().filter(|_| speaks(event)) {
        let issue = ForgeError::optional(hub.issue(IssueNumber(subject.number)))?;
        known.subject =
            issue.map_or(Now::Gone, |issue| Now::Is(subject_text(&issue.title, Some(&issue.body))));
    }
    Ok(known)
}

/// Asks what an account may do.
pub fn standing(account: &Account, hub: &dyn ForgeRead) -> Result<Standing, StageError> {
    let login: Login = account.login.as_str().parse().map_err(|_| {
        refused(
            "the account that asked has a name that no forge has".into(),
            "Read the event; it is not as a forge writes it.",
        )
    })?;
    Ok(hub.access(&login)?.into())
}

fn body_of(answer: Result<crate::ports::forge::Comment, ForgeError>) -> Result<Option<String>, StageError> {
    Ok(ForgeError::optional(answer)?.map(|comment| comment.body))
}

/// Tells whether title or body of the issue are a part of the request.
fn speaks(event: &Event) -> bool {
    use crate::artifact::types::event::Part;
    event.texts.iter().any(|words| matches!(words.part, Part::Title | Part::Body))
}

/// Decides whether an event may ask for something, and how far its text is trusted.
pub fn admit(event: &Event, known: &Known, least: Permitted, bots: &[u64]) -> Result<Trust, StageError> {
    let Some(actor) = &event.actor else {
        // The text of a schedule is the repository's own.
        return if event.name == EventName::Schedule {
            Ok(Trust::Owner)
        } else {
            Err(refused("nobody is named who asks".into(), "Read the event; it is not as a forge writes it."))
        };
    };
    may(actor, known, least, bots)?;
    stands(event, known)?;
    let trusted = |account: &Account| {
        account.kind == AccountKind::Person
            && known.standing.get(&account.id).is_some_and(|standing| is_enough(*standing, Permitted::Write))
    };
    let all = event.texts.iter().all(|words| words.author.as_ref().is_some_and(trusted));
    Ok(if all { Trust::Collaborator } else { Trust::Untrusted })
}

/// Decides whether an account may ask.
pub fn may(actor: &Account, known: &Known, least: Permitted, bots: &[u64]) -> Result<(), StageError> {
    let login = &actor.login;
    if actor.kind != AccountKind::Person {
        // An ending of a name is nothing to go by: anybody can make an App of any name.
        if bots.contains(&actor.id) {
            return Ok(());
        }
        return Err(refused(
            format!("`{login}` (account {}) is no person, and not one of `intake.bots`", actor.id),
            "Let a person ask; or put the number of the account into `intake.bots` of orch.yml.",
        ));
    }
    let standing = known.standing.get(&actor.id).copied().unwrap_or(Standing::None);
    if is_enough(standing, least) {
        return Ok(());
    }
    Err(refused(
        format!(
            "`{login}` may not ask for this: the forge says `{}`, and `{}` is needed",
            standing.as_str(),
            least.as_str()
        ),
        "Let somebody with that permission write the command or put the label on.",
    ))
}

/// Decides whether what was asked still stands as it was when the event was made.
pub fn stands(event: &Event, known: &Known) -> Result<(), StageError> {
    if let Some(comment) = &event.comment {
        match &known.comment {
            Now::Is(now) if *now == comment.text => {}
            Now::Is(_) => return Err(changed("the comment was edited after it asked")),
            Now::Gone => return Err(changed("the comment was deleted after it asked")),
            Now::NotAsked => return Err(changed("the comment could not be looked at again")),
        }
    }
    if let Some(subject) = event.subject.as_ref().filter(|_| speaks(event)) {
        match &known.subject {
            Now::Is(now) if *now == subject.text => {}
            Now::Is(_) => return Err(changed("title or text of the issue was edited after the event")),
            Now::Gone => return Err(changed("the issue was deleted or moved after the event")),
            Now::NotAsked => return Err(changed("the issue could not be looked at again")),
        }
    }
    Ok(())
}

fn changed(what: &str) -> StageError {
    refused(
        what.to_owned(),
        "Read it as it is now, then ask again: a new comment, or the label taken off and put on.",
    )
}

fn refused(what: String, help: &str) -> StageError {
    StageError::Refused { class: Class::Denied, what, help: help.to_owned() }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::artifact::types::event::{Comment, Intent, Part, Subject, Words};
    use crate::diagnostic::Failure as _;

    fn account(id: u64, login: &str, kind: AccountKind) -> Account {
        Account { id, login: login.parse().unwrap(), kind }
    }

    fn person(id: u64) -> Account {
        account(id, "octocat", AccountKind::Person)
    }

    fn event(actor: Option<Account>, author: Option<Account>) -> Event {
        let words =
            Words { part: Part::Body, author, text: "t".into(), raw: Digest::of("t"), hidden: vec![] };
        Event {
            name: EventName::IssueComment,
            action: None,
            repository: None,
            comment: actor.clone().map(|author| Comment {
                id: 5,
                place: CommentPlace::Issue,
                author,
                text: Digest::of("/orch run"),
                created_at: None,
                updated_at: None,
            }),
            actor,
            subject: Some(Subject {
                number: 1,
                author: None,
                is_pull_request: false,
                text: Digest::of("subject"),
                updated_at: None,
                branches: None,
            }),
            tenant: None,
            intent: Intent::Run,
            texts: vec![words],
            payload: Digest::of("p"),
        }
    }

    fn known(standings: &[(u64, Standing)]) -> Known {
        Known {
            standing: standings.iter().copied().collect(),
            subject: Now::Is(Digest::of("subject")),
            comment: Now::Is(Digest::of("/orch run")),
        }
    }

    #[test]
    fn permission_counts_and_names_do_not() {
        use AccountKind::{Bot, Other, Person};
        for (actor, standing, least, bots, ok) in [
            (person(1), Standing::Write, Permitted::Write, vec![], true),
            (person(1), Standing::Maintain, Permitted::Write, vec![], true),
            (person(1), Standing::Admin, Permitted::Admin, vec![], true),
            (person(1), Standing::Write, Permitted::Maintain, vec![], false),
            (person(1), Standing::Maintain, Permitted::Admin, vec![], false),
            (person(1), Standing::Triage, Permitted::Write, vec![], false),
            (person(1), Standing::Read, Permitted::Write, vec![], false),
            (person(1), Standing::None, Permitted::Write, vec![], false),
            // A person's number among the bots' gives a person nothing.
            (person(1), Standing::Read, Permitted::Write, vec![1], false),
            // A program with the rights of an admin is still one nobody named.
            (account(2, "evil[bot]", Bot), Standing::Admin, Permitted::Write, vec![], false),
            (account(2, "github-actions[bot]", Bot), Standing::Admin, Permitted::Write, vec![3], false),
            (account(2, "renovate[bot]", Bot), Standing::None, Permitted::Write, vec![2], true),
            (account(2, "acme", Other), Standing::Admin, Permitted::Write, vec![], false),
            (account(2, "acme", Person), Standing::Write, Permitted::Write, vec![], true),
        ] {
            let standings = known(&[(actor.id, standing)]);
            let decided = may(&actor, &standings, least, &bots);
            assert_eq!(decided.is_ok(), ok, "{actor:?} {standing:?} {least:?}");
            if let Err(error) = decided {
                assert_eq!(error.class(), Class::Denied);
            }
        }
        // Nobody was asked: that is no yes.
        assert!(may(&person(1), &known(&[]), Permitted::Write, &[]).is_err());
    }

    #[test]
    fn text_is_trusted_as_far_as_the_least_of_its_authors() {
        let trust = |author: Option<Account>, standings: &[(u64, Standing)]| {
            admit(&event(Some(person(1)), author), &known(standings), Permitted::Write, &[]).unwrap()
        };
        let writer = (1, Standing::Write);
        assert_eq!(trust(Some(person(1)), &[writer]), Trust::Collaborator);
        assert_eq!(trust(Some(person(2)), &[writer, (2, Standing::Admin)]), Trust::Collaborator);
        assert_eq!(trust(Some(person(2)), &[writer, (2, Standing::Read)]), Trust::Untrusted);
        assert_eq!(trust(Some(person(2)), &[writer]), Trust::Untrusted);
        assert_eq!(trust(None, &[writer]), Trust::Untrusted);
    }

    #[test]
    fn what_changed_after_the_event_is_refused() {
        let asked = event(Some(person(1)), Some(person(1)));
        let decide = |change: fn(&mut Known)| {
            let mut known = known(&[(1, Standing::Admin)]);
            change(&mut known);
            admit(&asked, &known, Permitted::Write, &[]).map_err(|error| error.to_string())
        };
        assert!(decide(|_| {}).is_ok());
        for (change, why) in [
            ((|k: &mut Known| k.comment = Now::Is(Digest::of("x"))) as fn(&mut Known), "edited"),
            (|k: &mut Known| k.comment = Now::Gone, "deleted"),
            (|k: &mut Known| k.comment = Now::NotAsked, "looked at"),
            (|k: &mut Known| k.subject = Now::Is(Digest::of("x")), "edited"),
            (|k: &mut Known| k.subject = Now::Gone, "deleted"),
            (|k: &mut Known| k.subject = Now::NotAsked, "looked at"),
        ] {
            let why_not = decide(change).unwrap_err();
            assert!(why_not.contains(why), "{why_not}");
        }
    }

    #[test]
    fn only_the_clock_is_nobody() {
        let nobody = event(None, None);
        assert!(admit(&nobody, &known(&[]), Permitted::Write, &[]).is_err());
        let clock = Event { name: EventName::Schedule, ..nobody };
        assert_eq!(admit(&clock, &Known::default(), Permitted::Write, &[]).unwrap(), Trust::Owner);
    }
}
