//! What the doctor found, as values.

use serde::Serialize;

/// One thing that was looked at.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct Check {
    /// A stable name, as `sandbox.network`.
    pub id: String,
    /// How it stands.
    pub state: State,
    /// What was found.
    pub what: String,
    /// What that means; absent where it goes without saying.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub means: Option<String>,
    /// What to do; absent where there is nothing to do.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub fix: Option<String>,
}

/// How a thing stands.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Serialize)]
#[serde(rename_all = "kebab-case")]
pub enum State {
    /// As it should be.
    Ok,
    /// A run is possible, with less than there could be.
    Warn,
    /// No run is possible without it.
    Missing,
}

impl State {
    /// Returns the word of the table.
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Ok => "ok",
            Self::Warn => "warn",
            Self::Missing => "missing",
        }
    }
}

impl Check {
    /// A thing that is as it should be.
    pub fn ok(id: impl Into<String>, what: impl Into<String>) -> Self {
        Self { id: id.into(), state: State::Ok, what: what.into(), means: None, fix: None }
    }

    /// A thing that is not as it should be.
    pub fn not(
        state: State,
        id: impl Into<String>,
        what: impl Into<String>,
        means: impl Into<String>,
        fix: impl Into<String>,
    ) -> Self {
        let text = |text: String| Some(text).filter(|t| !t.is_empty());
        Self { id: id.into(), state, what: what.into(), means: text(means.into()), fix: text(fix.into()) }
    }
}

/// Everything that was looked at, in order.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize)]
pub struct Report {
    /// The checks.
    pub checks: Vec<Check>,
}

impl Report {
    /// Tells whether a run is possible.
    pub fn can_run(&self) -> bool {
        self.worst() < State::Missing
    }

    /// Returns the worst state of all.
    pub fn worst(&self) -> State {
        self.checks.iter().map(|c| c.state).max().unwrap_or(State::Ok)
    }

    /// Returns a check by its name.
    pub fn check(&self, id: &str) -> Option<&Check> {
        self.checks.iter().find(|c| c.id == id)
    }
}
