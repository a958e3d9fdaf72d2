//! The stable code of a finding, `category/rule`.
//!
//! Must never hold a code that could not be a page's path below `docs/codes`.

use std::fmt;
use std::str::FromStr;

use serde::{Deserialize, Serialize};

/// A checked code: two parts of lower-case letters, digits and inner hyphens, with a slash between.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(try_from = "String", into = "String")]
pub struct Code(String);

/// A text that is no code.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error("`{0}` is not a code; a code is `category/rule`, lower-case letters, digits and hyphens")]
pub struct CodeError(pub String);

impl Code {
    /// Returns the text.
    pub fn as_str(&self) -> &str {
        &self.0
    }

    /// Returns the part before the slash.
    pub fn category(&self) -> &str {
        self.0.split_once('/').map_or("", |(category, _)| category)
    }

    /// Returns the part after the slash.
    pub fn rule(&self) -> &str {
        self.0.split_once('/').map_or("", |(_, rule)| rule)
    }
}

fn is_part(part: &str) -> bool {
    (1..=60).contains(&part.len())
        && part.bytes().all(|b| b.is_ascii_lowercase() || b.is_ascii_digit() || b == b'-')
        && !part.starts_with('-')
        && !part.ends_with('-')
}

impl FromStr for Code {
    type Err = CodeError;

    fn from_str(text: &str) -> Result<Self, CodeError> {
        let ok = text.split_once('/').is_some_and(|(category, rule)| is_part(category) && is_part(rule));
        if ok { Ok(Self(text.to_owned())) } else { Err(CodeError(text.to_owned())) }
    }
}

impl TryFrom<String> for Code {
    type Error = CodeError;

    fn try_from(text: String) -> Result<Self, CodeError> {
        text.parse()
    }
}

impl From<Code> for String {
    fn from(code: Code) -> Self {
        code.0
    }
}

impl fmt::Display for Code {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.pad(&self.0)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn codes_have_two_plain_parts() {
        let code: Code = "paths/protected".parse().unwrap();
        assert_eq!((code.category(), code.rule()), ("paths", "protected"));
        for bad in ["", "a", "a/", "/b", "a/b/c", "A/b", "a/-b", "a b/c", "../x", "a/.."] {
            assert!(bad.parse::<Code>().is_err(), "{bad}");
        }
    }
}
