//! Why a module could not be used or a rule not be judged, as one line.
//!
//! Must never hide where: the place that regorus names is kept in front of the message.

/// Why a module could not be loaded, or a rule not be judged; one line.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, thiserror::Error)]
#[error("{0}")]
pub struct Fault(pub String);

impl Fault {
    /// Makes one line of an error of regorus: `file:line:column: message`.
    pub fn of(text: &str) -> Self {
        let lines: Vec<&str> = text.lines().map(str::trim).filter(|l| !l.is_empty()).collect();
        let place = lines.iter().find_map(|l| l.strip_prefix("--> "));
        let message = lines.iter().rev().find_map(|l| l.strip_prefix("error: ")).or(lines.last().copied());
        let message = message.unwrap_or("failed without a reason");
        Self(place.map_or_else(|| message.to_owned(), |place| format!("{place}: {message}")))
    }
}
