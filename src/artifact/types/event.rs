//! `event.json`: what a forge told of when it started a workflow, normalised.
//!
//! Every kind of event becomes one form, so nothing below intake knows a forge's payload. Names are checked, texts are
//! cleaned and bounded; what was hidden in a text is told, never kept. Must never hold a text as it came.

use std::fmt;

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use crate::artifact::checked::checked_text;
use crate::artifact::digest::Digest;
use crate::artifact::envelope::Artifact;
use crate::artifact::id::{CommitId, Slug, StageId};
use crate::artifact::kind::ArtifactKind;

/// A name on a forge that does not have the form it must have; the name itself is not repeated.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error("it is not {0}")]
pub struct NameError(&'static str);

impl NameError {
    fn of(_: String, what: &'static str) -> Self {
        Self(what)
    }
}

const fn is_word(b: u8) -> bool {
    b.is_ascii_alphanumeric() || b == b'-' || b == b'_'
}

fn is_login(text: &str) -> bool {
    let name = text.strip_suffix("[bot]").unwrap_or(text);
    (1..=100).contains(&name.len()) && name.bytes().all(is_word)
}

fn is_repository(text: &str) -> bool {
    let part = |part: &str| {
        (1..=100).contains(&part.len())
            && part.bytes().all(|b| is_word(b) || b == b'.')
            && !part.bytes().all(|b| b == b'.')
    };
    text.split_once('/').is_some_and(|(owner, name)| part(owner) && part(name))
}

checked_text!(
    NameError,
    /// The login of an account, as `octocat` or `dependabot[bot]`; the ending says nothing about trust.
    Login, "a login", r"^[A-Za-z0-9_-]{1,100}(\[bot\])?$", is_login
);
checked_text!(
    NameError,
    /// The full name of a repository, `owner/name`.
    RepositoryName, "the name of a repository", r"^[A-Za-z0-9._-]{1,100}/[A-Za-z0-9._-]{1,100}$", is_repository
);
checked_text!(
    NameError,
    /// The action of an event, as `labeled`, or the type of a dispatch.
    Action, "an action", r"^[A-Za-z0-9._-]{1,100}$",
    |t| (1..=100).contains(&t.len()) && t.bytes().all(|b| is_word(b) || b == b'.')
);

/// What a forge told of when it started a workflow, normalised.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct Event {
    /// Which kind of event.
    pub name: EventName,
    /// What happened, as `labeled`.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub action: Option<Action>,
    /// The repository it happened in; absent where the event does not say.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub repository: Option<Repository>,
    /// Who did it; absent for a schedule.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub actor: Option<Account>,
    /// The issue or pull request it is about.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub subject: Option<Subject>,
    /// The comment or review that was written.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub comment: Option<Comment>,
    /// The tenant a dispatch speaks for.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub tenant: Option<Slug>,
    /// What is asked for.
    pub intent: Intent,
    /// The texts the request is made of, in order.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub texts: Vec<Words>,
    /// The digest of the payload's bytes.
    pub payload: Digest,
}

/// The kind of an event.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "snake_case")]
pub enum EventName {
    /// Something happened to an issue.
    Issues,
    /// Somebody commented on an issue or a pull request.
    IssueComment,
    /// Somebody started a workflow by hand or by the API.
    WorkflowDispatch,
    /// A program asked for something by the API.
    RepositoryDispatch,
    /// The clock.
    Schedule,
    /// Something happened to a pull request.
    PullRequest,
    /// Somebody reviewed a pull request.
    PullRequestReview,
    /// Somebody commented on a line of a pull request.
    PullRequestReviewComment,
    /// Commits arrived.
    Push,
}

impl EventName {
    /// Every kind.
    pub const ALL: &'static [Self] = &[
        Self::Issues,
        Self::IssueComment,
        Self::WorkflowDispatch,
        Self::RepositoryDispatch,
        Self::Schedule,
        Self::PullRequest,
        Self::PullRequestReview,
        Self::PullRequestReviewComment,
        Self::Push,
    ];

    /// Returns the name, as in `GITHUB_EVENT_NAME`.
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Issues => "issues",
            Self::IssueComment => "issue_comment",
            Self::WorkflowDispatch => "workflow_dispatch",
            Self::RepositoryDispatch => "repository_dispatch",
            Self::Schedule => "schedule",
            Self::PullRequest => "pull_request",
            Self::PullRequestReview => "pull_request_review",
            Self::PullRequestReviewComment => "pull_request_review_comment",
            Self::Push => "push",
        }
    }
}

impl fmt::Display for EventName {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.pad(self.as_str())
    }
}

/// A repository.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct Repository {
    /// Its number, which outlives a renaming.
    pub id: u64,
    /// Its full name.
    pub name: RepositoryName,
}

/// An account, as the forge tells it; the number counts, names can change hands.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct Account {
    /// Its number.
    pub id: u64,
    /// Its login.
    pub login: Login,
    /// Whether it is a person's.
    pub kind: AccountKind,
}

/// Whether an account is a person's, as the forge tells it.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "kebab-case")]
pub enum AccountKind {
    /// A person's.
    Person,
    /// A program's.
    Bot,
    /// Anything else, as an organisation's.
    Other,
}

/// An issue or a pull request.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct Subject {
    /// Its number.
    pub number: u64,
    /// Who opened it; absent where the account is gone.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub author: Option<Account>,
    /// True for a pull request.
    pub is_pull_request: bool,
    /// The digest of title, line end and body, as the event tells them.
    pub text: Digest,
    /// The last change, as the event tells it.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub updated_at: Option<String>,
    /// Where a pull request comes from and goes to, where the event says so.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub branches: Option<Branches>,
}

/// Where a pull request comes from and goes to.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct Branches {
    /// The head commit.
    pub head: CommitId,
    /// The base commit.
    pub base: CommitId,
    /// True when the head is in another repository, or in one that is gone.
    pub from_fork: bool,
}

/// A comment or a review.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct Comment {
    /// Its number.
    pub id: u64,
    /// Where it is.
    pub place: CommentPlace,
    /// Who wrote it.
    pub author: Account,
    /// The digest of its body, as the event tells it.
    pub text: Digest,
    /// When it was written.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub created_at: Option<String>,
    /// Its last change, as the event tells it.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub updated_at: Option<String>,
}

/// Where a comment is.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "kebab-case")]
pub enum CommentPlace {
    /// Below an issue or a pull request.
    Issue,
    /// A review of a pull request.
    Review,
    /// On a line of a pull request.
    Line,
}

/// What an account may do in a repository, as the forge said when it was asked; least first.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "kebab-case")]
pub enum Standing {
    /// Nothing.
    None,
    /// Read.
    Read,
    /// Read, and sort issues.
    Triage,
    /// Write.
    Write,
    /// Write, and most settings.
    Maintain,
    /// Everything.
    Admin,
}

impl Standing {
    /// Returns the word of the forge.
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::None => "none",
            Self::Read => "read",
            Self::Triage => "triage",
            Self::Write => "write",
            Self::Maintain => "maintain",
            Self::Admin => "admin",
        }
    }
}

/// What is asked for.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "kebab-case", tag = "ask", deny_unknown_fields)]
pub enum Intent {
    /// A change, up to its plan.
    Plan,
    /// A change.
    Run,
    /// That a change which a person was to look at goes on.
    Approve {
        /// The digest the person typed.
        digest: Digest,
    },
    /// A stage of a run once more, and all after it.
    Rerun {
        /// The stage.
        stage: StageId,
    },
    /// That a run ends.
    Stop,
    /// A command that there is not, or not in this form.
    Unknown {
        /// What to tell who wrote it; holds no word of theirs.
        reply: String,
    },
    /// Nothing.
    Nothing {
        /// Why, to be read after "nothing to do:".
        why: String,
    },
}

impl Intent {
    /// Returns the word for outputs of a workflow step: one of a fixed list, never a word of others.
    pub const fn as_str(&self) -> &'static str {
        match self {
            Self::Plan => "plan",
            Self::Run => "run",
            Self::Approve { .. } => "approve",
            Self::Rerun { .. } => "rerun",
            Self::Stop => "stop",
            Self::Unknown { .. } => "unknown",
            Self::Nothing { .. } => "nothing",
        }
    }
}

/// A text somebody wrote, cleaned.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct Words {
    /// What it is a part of.
    pub part: Part,
    /// Who wrote it; absent where the account is gone, or for the repository's own configuration.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub author: Option<Account>,
    /// The text without what a reader does not see.
    pub text: String,
    /// The digest of the text as it came.
    pub raw: Digest,
    /// What was taken out.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub hidden: Vec<Hidden>,
}

/// What a text is a part of.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "kebab-case")]
pub enum Part {
    /// The title of an issue or a pull request.
    Title,
    /// Its body.
    Body,
    /// A comment, below its command.
    Comment,
    /// The input of a dispatch.
    Input,
    /// `intake.scheduled` of the config.
    Config,
}

impl Part {
    /// Returns the word for messages.
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Title => "title",
            Self::Body => "body",
            Self::Comment => "comment",
            Self::Input => "input",
            Self::Config => "config",
        }
    }
}

/// Something in a text that a reader of the forge's page does not see.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct Hidden {
    /// What it was.
    pub kind: HiddenKind,
    /// How often.
    pub times: u32,
    /// How many bytes all together.
    pub bytes: u64,
}

/// What a reader does not see.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "kebab-case")]
pub enum HiddenKind {
    /// `<!-- ... -->`.
    HtmlComment,
    /// `<? ... >`, `<! ... >`: what browsers take for a comment.
    HtmlDeclaration,
    /// `[//]: # (...)`: a definition of a link that nothing shows.
    LinkDefinition,
    /// Characters that turn the direction of text.
    Bidirectional,
    /// Tag characters, which carry a whole text nobody sees.
    Tag,
    /// Variation selectors, which can carry a whole text too.
    Variation,
    /// Characters of no width.
    ZeroWidth,
    /// Control characters.
    Control,
}

impl HiddenKind {
    /// Returns the words for people.
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::HtmlComment => "HTML comment",
            Self::HtmlDeclaration => "HTML declaration",
            Self::LinkDefinition => "link definition",
            Self::Bidirectional => "bidirectional character",
            Self::Tag => "tag character",
            Self::Variation => "variation selector",
            Self::ZeroWidth => "zero-width character",
            Self::Control => "control character",
        }
    }
}

impl Event {
    /// Returns the text of the request: what every part says, a blank line between them.
    pub fn text(&self) -> String {
        let parts: Vec<_> =
            self.texts.iter().map(|words| words.text.trim()).filter(|t| !t.is_empty()).collect();
        parts.join("\n\n")
    }
}

impl Artifact for Event {
    const KIND: ArtifactKind = ArtifactKind::Event;
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn names_of_a_forge_are_checked() {
        for good in ["octocat", "dependabot[bot]", "a-b_corp", "A"] {
            assert!(good.parse::<Login>().is_ok(), "{good}");
        }
        for bad in ["", "[bot]", "a b", "a\nb", "a[bot][bot]", "ä", "a;b", "$(x)", "a/b", &"a".repeat(101)] {
            assert!(bad.parse::<Login>().is_err(), "{bad}");
        }
        for good in ["a/b", "octo-org/.github", "a.b/c_d"] {
            assert!(good.parse::<RepositoryName>().is_ok(), "{good}");
        }
        for bad in ["a", "a/b/c", "a/..", "./b", "/b", "a/", "a b/c", "a/b?x", "a/b#c", "a/%2e"] {
            assert!(bad.parse::<RepositoryName>().is_err(), "{bad}");
        }
        assert!("orch.run".parse::<Action>().is_ok() && "a\n::b".parse::<Action>().is_err());
    }

    #[test]
    fn serde_names_are_the_display_names() {
        for name in EventName::ALL {
            assert_eq!(serde_json::to_value(name).unwrap(), name.as_str());
        }
    }
}
