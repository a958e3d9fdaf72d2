//! The flag that takes a rule at another level, `CODE=LEVEL`.

use std::collections::BTreeMap;
use std::str::FromStr;

use crate::config::Level;

/// A rule and its level.
#[derive(Clone, Debug)]
pub struct LevelFlag(String, Level);

impl FromStr for LevelFlag {
    type Err = String;

    fn from_str(text: &str) -> Result<Self, String> {
        let (code, level) = text.split_once('=').ok_or("write it as CODE=LEVEL")?;
        let level = serde_json::from_value(level.into())
            .map_err(|_| format!("`{level}` is none of off, shadow, warn, require-approval, deny"))?;
        Ok(Self(code.to_owned(), level))
    }
}

/// Returns the levels by code; of two for one rule the last one counts.
pub fn levels(flags: &[LevelFlag]) -> BTreeMap<String, Level> {
    flags.iter().map(|LevelFlag(code, level)| (code.clone(), *level)).collect()
}
