//! An event of a forge, normalised: `GITHUB_EVENT_NAME` and the payload at `GITHUB_EVENT_PATH` become one [`Event`].
//!
//! One file per kind of event. Must never ask anybody, must never hand on a name that was not checked or a text that was
//! not cleaned, and must never repeat a word of the payload in an error.

mod command;
mod hidden;
mod issue_comment;
mod issues;
mod pull_request;
mod pull_request_review;
mod pull_request_review_comment;
mod push;
mod raw;
mod repository_dispatch;
mod schedule;
#[cfg(test)]
mod tests;
mod workflow_dispatch;

pub use hidden::strip;

use crate::artifact::digest::Digest;
use crate::artifact::types::event::{
    Account, AccountKind, Branches, Comment, CommentPlace, Event, EventName, Intent, Part, Repository,
    Subject, Words,
};
use crate::config::Intake as IntakeConfig;
use crate::diagnostic::{Class, Failure};

use raw::{Payload, RawAccount, RawComment, RawIssue, RawPullRequest};

/// The largest payload that is read; the forge's own limit is 25 MB.
pub const MAX_PAYLOAD: usize = 25 * 1024 * 1024;

/// The longest single text of an event.
const MAX_TEXT: usize = 256 * 1024;

/// An event that cannot be taken.
#[derive(Debug, PartialEq, Eq, thiserror::Error)]
pub enum EventError {
    /// The payload is too large.
    #[error("the event has {0} bytes, over the limit of {MAX_PAYLOAD}")]
    TooLarge(usize),
    /// Not JSON, or not of the form of its kind.
    #[error("the {name} event cannot be read: line {line}, column {column} is not as the forge writes it")]
    Unreadable {
        /// The kind.
        name: EventName,
        /// The line, from 1.
        line: usize,
        /// The column, from 1.
        column: usize,
    },
    /// A field is missing or cannot be what it should be.
    #[error("the {name} event has no usable `{field}`")]
    Field {
        /// The kind.
        name: EventName,
        /// The field, with dots.
        field: &'static str,
    },
    /// A text is too long.
    #[error("the {part} has {bytes} bytes, over the limit of {MAX_TEXT}", part = .part.as_str())]
    Long {
        /// Which text.
        part: Part,
        /// Its length.
        bytes: usize,
    },
    /// Who wrote a comment is not who caused the event.
    #[error("the comment was written by another account than the one that caused the event")]
    Foreign,
    /// A kind of event that asks for nothing.
    #[error("events of this kind ask for nothing")]
    Kind,
}

impl Failure for EventError {
    fn class(&self) -> Class {
        match self {
            Self::Kind => Class::Nothing,
            Self::Foreign => Class::Denied,
            _ => Class::Usage,
        }
    }

    fn help(&self) -> Option<String> {
        Some(match self {
            Self::Kind => {
                let names: Vec<_> = EventName::ALL.iter().map(|name| name.as_str()).collect();
                format!("The kinds that are read are {}.", names.join(", "))
            }
            Self::Foreign => "Whoever wants the change writes the command in a comment of their own.".into(),
            Self::TooLarge(_) | Self::Long { .. } => "Say it in fewer words.".into(),
            Self::Unreadable { .. } => {
                "Name the file of GITHUB_EVENT_PATH as the forge wrote it, and its kind with --event-name.".into()
            }
            Self::Field { .. } => {
                "Look at the form in docs/how-to/start-from-issues-and-comments.md; dispatches are easily mended there."
                    .into()
            }
        })
    }
}

/// What a kind of event says beyond what all of them do.
struct Said {
    intent: Intent,
    subject: Option<Subject>,
    comment: Option<Comment>,
    tenant: Option<crate::artifact::id::Slug>,
    texts: Vec<Words>,
}

impl Said {
    fn nothing(why: &str) -> Self {
        Self {
            intent: Intent::Nothing { why: why.into() },
            subject: None,
            comment: None,
            tenant: None,
            texts: Vec::new(),
        }
    }
}

/// Returns the kind of a name, as in `GITHUB_EVENT_NAME`.
pub fn kind(name: &str) -> Result<EventName, EventError> {
    EventName::ALL.iter().copied().find(|known| known.as_str() == name).ok_or(EventError::Kind)
}

/// Reads an event.
pub fn read(name: EventName, bytes: &[u8], config: &IntakeConfig) -> Result<Event, EventError> {
    if bytes.len() > MAX_PAYLOAD {
        return Err(EventError::TooLarge(bytes.len()));
    }
    // The message of the parser would repeat what it found.
    let payload: Payload = serde_json::from_slice(bytes).map_err(|error| EventError::Unreadable {
        name,
        line: error.line(),
        column: error.column(),
    })?;
    let reader = Reader { name, payload: &payload, config };
    let actor = payload.sender.as_ref().map(|sender| reader.account(sender, "sender")).transpose()?;
    let repository = payload
        .repository
        .as_ref()
        .map(|found| {
            let name = found.full_name.parse().map_err(|_| reader.field("repository.full_name"))?;
            Ok(Repository { id: found.id, name })
        })
        .transpose()?;
    let action = match &payload.action {
        Some(action) => Some(action.parse().map_err(|_| reader.field("action"))?),
        None => None,
    };
    let Said { intent, subject, comment, tenant, texts } = match name {
        EventName::Issues => issues::read(&reader)?,
        EventName::IssueComment => issue_comment::read(&reader, actor.as_ref())?,
        EventName::WorkflowDispatch => workflow_dispatch::read(&reader, actor.as_ref())?,
        EventName::RepositoryDispatch => repository_dispatch::read(&reader, actor.as_ref())?,
        EventName::Schedule => schedule::read(&reader)?,
        EventName::PullRequest => pull_request::read(&reader)?,
        EventName::PullRequestReview => pull_request_review::read(&reader, actor.as_ref())?,
        EventName::PullRequestReviewComment => pull_request_review_comment::read(&reader, actor.as_ref())?,
        EventName::Push => push::read(),
    };
    // A schedule is nobody's doing, whatever its payload says.
    let actor = actor.filter(|_| name != EventName::Schedule);
    let payload = Digest::of(bytes);
    Ok(Event { name, action, repository, actor, subject, comment, tenant, intent, texts, payload })
}

/// Returns the digest of the text of an issue or a pull request, by which a later look tells whether it changed.
pub fn subject_text(title: &str, body: Option<&str>) -> Digest {
    Digest::of(format!("{title}\n{}", body.unwrap_or_default()))
}

/// What every kind reads with.
struct Reader<'a> {
    name: EventName,
    payload: &'a Payload,
    config: &'a IntakeConfig,
}

impl Reader<'_> {
    fn field(&self, field: &'static str) -> EventError {
        EventError::Field { name: self.name, field }
    }

    fn account(&self, raw: &RawAccount, field: &'static str) -> Result<Account, EventError> {
        let kind = match raw.kind.as_deref() {
            // An ending of a name makes nobody trusted, and nobody with it a person.
            _ if raw.login.ends_with("[bot]") => AccountKind::Bot,
            Some("User") => AccountKind::Person,
            Some("Bot") => AccountKind::Bot,
            _ => AccountKind::Other,
        };
        let login = raw.login.parse().map_err(|_| self.field(field))?;
        Ok(Account { id: raw.id, login, kind })
    }

    fn is_action(&self, action: &str) -> bool {
        self.payload.action.as_deref() == Some(action)
    }

    /// Cleans a text; `None` where nothing is left of it.
    fn words(part: Part, text: &str, author: Option<Account>) -> Result<Option<Words>, EventError> {
        if text.len() > MAX_TEXT {
            return Err(EventError::Long { part, bytes: text.len() });
        }
        let (clean, hidden) = strip(text);
        let clean = clean.trim();
        // A title is one line.
        let clean = if part == Part::Title {
            clean.split_whitespace().collect::<Vec<_>>().join(" ")
        } else {
            clean.to_owned()
        };
        let words = Words { part, author, text: clean, raw: Digest::of(text), hidden };
        Ok(Some(words).filter(|words| !words.text.is_empty() || !words.hidden.is_empty()))
    }

    fn issue(&self) -> Result<(&RawIssue, Subject), EventError> {
        let issue = self.payload.issue.as_ref().ok_or_else(|| self.field("issue"))?;
        let title = issue.title.as_deref().unwrap_or_default();
        let subject = Subject {
            number: issue.number,
            author: issue.user.as_ref().map(|user| self.account(user, "issue.user")).transpose()?,
            is_pull_request: issue.pull_request.is_some(),
            text: subject_text(title, issue.body.as_deref()),
            updated_at: time(issue.updated_at.as_deref()),
            branches: None,
        };
        Ok((issue, subject))
    }

    fn pull_request(&self) -> Result<(&RawPullRequest, Subject), EventError> {
        let request = self.payload.pull_request.as_ref().ok_or_else(|| self.field("pull_request"))?;
        let home = self.payload.repository.as_ref().map(|repository| repository.id);
        let branches = Branches {
            head: request.head.sha.parse().map_err(|_| self.field("pull_request.head.sha"))?,
            base: request.base.sha.parse().map_err(|_| self.field("pull_request.base.sha"))?,
            // The name of a fork proves nothing, its number does; a fork that is gone was one.
            from_fork: home.is_none() || request.head.repo.as_ref().map(|repo| repo.id) != home,
        };
        let subject = Subject {
            number: request.number,
            author: request.user.as_ref().map(|user| self.account(user, "pull_request.user")).transpose()?,
            is_pull_request: true,
            text: subject_text(request.title.as_deref().unwrap_or_default(), request.body.as_deref()),
            updated_at: time(request.updated_at.as_deref()),
            branches: Some(branches),
        };
        Ok((request, subject))
    }

    fn comment(
        &self,
        raw: Option<&RawComment>,
        place: CommentPlace,
        actor: Option<&Account>,
    ) -> Result<Comment, EventError> {
        let field = if place == CommentPlace::Review { "review" } else { "comment" };
        let raw = raw.ok_or_else(|| self.field(field))?;
        let user = raw.user.as_ref().ok_or_else(|| self.field(field))?;
        let author = self.account(user, field)?;
        if actor.is_none_or(|actor| actor.id != author.id) {
            return Err(EventError::Foreign);
        }
        Ok(Comment {
            id: raw.id,
            place,
            author,
            text: Digest::of(raw.body.as_deref().unwrap_or_default()),
            created_at: time(raw.created_at.as_deref().or(raw.submitted_at.as_deref())),
            updated_at: time(raw.updated_at.as_deref()),
        })
    }

    /// Returns the texts of an issue: what it says, then what the comment says below its command.
    fn texts_of_issue(
        issue: &RawIssue,
        subject: &Subject,
        comment: Option<(&str, &Account)>,
    ) -> Result<Vec<Words>, EventError> {
        let author = || subject.author.clone();
        let title =
            issue.title.as_deref().map(|text| Self::words(Part::Title, text, author())).transpose()?;
        let body = issue.body.as_deref().map(|text| Self::words(Part::Body, text, author())).transpose()?;
        let more =
            comment.map(|(text, by)| Self::words(Part::Comment, text, Some(by.clone()))).transpose()?;
        Ok([title, body, more].into_iter().flatten().flatten().collect())
    }
}

/// Reads the command of a comment on a pull request, where what is to be done stands below it.
fn on_pull_request(subject: Subject, comment: Comment, body: &str) -> Result<Said, EventError> {
    let command::Asked { intent, rest } = command::read(body);
    let (mut intent, mut texts) = (intent, Vec::new());
    if matches!(intent, Intent::Plan | Intent::Run) {
        texts.extend(Reader::words(Part::Comment, rest, Some(comment.author.clone()))?);
        if texts.iter().all(|words| words.text.is_empty()) {
            intent = Intent::Unknown {
                reply: "On a pull request, say below the command what is to be done.".into(),
            };
        }
    }
    // The workflow of a review runs from the merge of the pull request, which a fork writes.
    let from_fork = subject.branches.as_ref().is_some_and(|branches| branches.from_fork);
    if from_fork && !matches!(intent, Intent::Nothing { .. }) {
        intent = Intent::Nothing {
            why: "a review of a pull request from a fork runs in the fork's own workflow; comment on its conversation".into(),
        };
    }
    Ok(Said { intent, subject: Some(subject), comment: Some(comment), tenant: None, texts })
}

/// A time as the forge writes it; anything else is left out.
fn time(text: Option<&str>) -> Option<String> {
    let time: jiff::Timestamp = text?.parse().ok()?;
    Some(time.strftime("%Y-%m-%dT%H:%M:%SZ").to_string())
}
