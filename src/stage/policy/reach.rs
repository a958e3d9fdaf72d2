//! How far a change reaches, looked for only where a rule could say something about it.
//!
//! Must never make the answer depend on a cache: a repository that keeps one only answers sooner.

use std::sync::Arc;

use serde_json::{Map, Value};

use crate::artifact::id::TreeId;
use crate::artifact::types::policy_input::BlastRadius;
use crate::config::Level;
use crate::index::graph::{self, Query};
use crate::ports::vcs::{EntryKind, TreeEntry, VcsError, VcsRead};
use crate::scan::owners::{CodeOwners, PLACES};

use super::bundle::Bundle;
use super::cfg::PolicyConfig;

/// The part of the document.
pub const PART: &str = "blast_radius";
/// The rule of this binary that reads it, and the settings below which it has nothing to say.
const RULE: &str = "paths/blast-radius";
const LIMITS: [&str; 2] = ["blast_radius_approve", "blast_radius_warn"];

/// When it is looked for.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum Wanted {
    /// Never: no rule that is on reads it.
    #[default]
    Never,
    /// Where there are more source files than this: no more can depend on anything.
    Above(u64),
    /// Always: a rule of another pack reads it.
    Always,
}

impl Wanted {
    /// Returns when the rules of a bundle want to know.
    pub fn of(bundle: &Bundle, config: &PolicyConfig) -> Self {
        let on = |code: &str| config.levels.get(code) != Some(&Level::Off);
        let mut readers = bundle
            .rules
            .iter()
            .filter(|rule| rule.needs.contains(PART) && on(rule.metadata.code.as_str()))
            .peekable();
        if readers.peek().is_none() {
            return Self::Never;
        }
        if readers.any(|rule| rule.metadata.code.as_str() != RULE) {
            return Self::Always;
        }
        Self::Above(limit(&config.settings))
    }
}

fn limit(settings: &Map<String, Value>) -> u64 {
    LIMITS.iter().filter_map(|name| settings.get(*name)?.as_u64()).min().unwrap_or_default()
}

/// Returns how far a change of paths reaches in the tree it is made on.
pub fn of(
    vcs: &dyn VcsRead,
    base: &TreeId,
    changed: &[&str],
    wanted: Wanted,
) -> Result<Option<BlastRadius>, VcsError> {
    let most = match wanted {
        Wanted::Never => return Ok(None),
        Wanted::Always => None,
        Wanted::Above(_) if !changed.iter().any(|path| graph::is_module(path)) => return Ok(None),
        Wanted::Above(most) => Some(most),
    };
    if let Some(most) = most {
        let entries = vcs.entries(base)?;
        let files =
            entries.iter().filter(|entry| matches!(entry.kind, EntryKind::File | EntryKind::Executable));
        if graph::module_files(files.filter_map(TreeEntry::utf8_path)) as u64 <= most {
            return Ok(None);
        }
    }
    let graph = match vcs.graph(base)? {
        Some(graph) => graph,
        None => Arc::new(graph::of_vcs(vcs, base)?),
    };
    let mut rules = CodeOwners::default();
    for place in PLACES {
        if let Some(text) = vcs.file(base, place)? {
            rules = CodeOwners::parse(&text);
            break;
        }
    }
    Ok(Some(graph::radius(&Query::of(&graph), changed, &rules)))
}
