//! `breaker/<stage>.json`: which providers a stage found unusable, so that the next one does not knock on a dead door.
//!
//! Must never hold a credential, nor close a door for ever: an open one is tried again after a while.

use std::collections::BTreeMap;

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

/// What a stage found out about providers, by their names.
pub type BreakerFile = BTreeMap<String, DoorState>;

/// What is known of one provider.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct DoorState {
    /// How often it failed in a row.
    pub failures: u32,
    /// When it was given up, RFC 3339 in UTC; absent: it is asked.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub opened_at: Option<String>,
    /// When this was last known, RFC 3339 in UTC.
    pub seen_at: String,
    /// The kind of the last error, as `overloaded`; empty: it answered.
    pub reason: String,
    /// What it said, one line.
    pub message: String,
}
