//! Typed names of a forge: repositories, numbers, people, nodes.
//!
//! Must never be built from a text that could change the path of a request.

use std::fmt;
use std::str::FromStr;

use serde::{Deserialize, Serialize};

/// A name that does not have the form it must have.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error("`{text}` is no {what}")]
pub struct NameError {
    text: String,
    what: &'static str,
}

impl NameError {
    fn of(text: &str, what: &'static str) -> Self {
        let text = text.chars().filter(|c| !c.is_control()).take(80).collect();
        Self { text, what }
    }
}

/// `owner/name`: a repository.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(try_from = "String", into = "String")]
pub struct RepositorySlug {
    owner: String,
    name: String,
}

impl RepositorySlug {
    /// Returns the owner: a person or an organization.
    pub fn owner(&self) -> &str {
        &self.owner
    }

    /// Returns the name below the owner.
    pub fn name(&self) -> &str {
        &self.name
    }
}

impl FromStr for RepositorySlug {
    type Err = NameError;

    fn from_str(text: &str) -> Result<Self, NameError> {
        let refused = || NameError::of(text, "repository (`owner/name`)");
        let (owner, name) = text.split_once('/').ok_or_else(refused)?;
        let plain = |part: &str, dots: bool| {
            (1..=100).contains(&part.len())
                && part
                    .bytes()
                    .all(|b| b.is_ascii_alphanumeric() || b"-_".contains(&b) || (dots && b == b'.'))
        };
        if plain(owner, false) && plain(name, true) && name != "." && name != ".." {
            return Ok(Self { owner: owner.to_owned(), name: name.to_owned() });
        }
        Err(refused())
    }
}

impl TryFrom<String> for RepositorySlug {
    type Error = NameError;

    fn try_from(text: String) -> Result<Self, NameError> {
        text.parse()
    }
}

impl From<RepositorySlug> for String {
    fn from(slug: RepositorySlug) -> Self {
        slug.to_string()
    }
}

impl fmt::Display for RepositorySlug {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}/{}", self.owner, self.name)
    }
}

/// The name of an account: a person, a bot (`name[bot]`) or an organization; upper and lower case are the same.
#[derive(Clone, Debug, Eq, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(try_from = "String", into = "String")]
pub struct Login(String);

impl Login {
    /// Returns the name as the forge writes it.
    pub fn as_str(&self) -> &str {
        &self.0
    }
}

impl PartialEq for Login {
    fn eq(&self, other: &Self) -> bool {
        self.0.eq_ignore_ascii_case(&other.0)
    }
}

impl std::hash::Hash for Login {
    fn hash<H: std::hash::Hasher>(&self, state: &mut H) {
        self.0.to_ascii_lowercase().hash(state);
    }
}

impl FromStr for Login {
    type Err = NameError;

    fn from_str(text: &str) -> Result<Self, NameError> {
        let bare = text.strip_suffix("[bot]").unwrap_or(text);
        let plain = bare.bytes().all(|b| b.is_ascii_alphanumeric() || b"-_.".contains(&b));
        if plain && (1..=100).contains(&bare.len()) && !bare.starts_with('.') {
            return Ok(Self(text.to_owned()));
        }
        Err(NameError::of(text, "login"))
    }
}

impl TryFrom<String> for Login {
    type Error = NameError;

    fn try_from(text: String) -> Result<Self, NameError> {
        text.parse()
    }
}

impl From<Login> for String {
    fn from(login: Login) -> Self {
        login.0
    }
}

impl fmt::Display for Login {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}

macro_rules! numbers {
    ($($(#[$doc:meta])* $name:ident)+) => { $(
        $(#[$doc])*
        #[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
        #[serde(transparent)]
        pub struct $name(pub u64);

        impl fmt::Display for $name {
            fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                self.0.fmt(f)
            }
        }
    )+ };
}

numbers! {
    /// The number of an issue; pull requests share the numbers.
    IssueNumber
    /// The number of a pull request.
    PullNumber
    /// The id of a comment on an issue or a pull request.
    CommentId
    /// The id of a check run.
    CheckRunId
    /// The id of a review.
    ReviewId
}

impl PullNumber {
    /// Returns the number as the issue every pull request also is.
    pub const fn issue(self) -> IssueNumber {
        IssueNumber(self.0)
    }
}

/// The id of a thing in GraphQL; opaque.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(transparent)]
pub struct NodeId(pub String);

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn names_that_could_change_a_path_are_refused() {
        for good in ["acme/app", "a-b/c.d_e", "A/1"] {
            assert_eq!(good.parse::<RepositorySlug>().unwrap().to_string(), good);
        }
        for bad in
            ["", "acme", "acme/", "/app", "a/b/c", "a/..", "../b", "a/b?x", "a/b#", "a b/c", "a/b%2f", "ä/b"]
        {
            assert!(bad.parse::<RepositorySlug>().is_err(), "{bad}");
        }
        for good in ["octocat", "github-actions[bot]", "Copilot", "a_b"] {
            assert_eq!(good.parse::<Login>().unwrap().as_str(), good);
        }
        for bad in ["", "[bot]", "a/b", "..", "a b", "x[bot]y", "a?b"] {
            assert!(bad.parse::<Login>().is_err(), "{bad}");
        }
        assert_eq!("Octocat".parse::<Login>().unwrap(), "octocat".parse::<Login>().unwrap());
    }
}
