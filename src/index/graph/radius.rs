//! How far a change reaches: what depends on what it touches, who owns that, which tests cover it.
//!
//! Must never count what the change itself holds, nor a test as something that breaks.

use std::collections::BTreeSet;

use crate::artifact::types::policy_input::{BlastRadius, RadiusTests};
use crate::scan::owners::CodeOwners;

use super::super::kind::{Kind, of as kind};
use super::Query;

/// How many of the nearest modules are named.
const NAMED: usize = 20;
/// How many owners are named.
const OWNERS: usize = 50;

/// Returns how far a change of files reaches in the graph of the tree it is made on.
///
/// Owners are those of what it touches and of what imports that directly.
pub fn radius(query: &Query<'_>, changed: &[&str], rules: &CodeOwners) -> BlastRadius {
    let touched: BTreeSet<u32> = changed.iter().filter_map(|path| query.find(path)).collect();
    let modules: Vec<u32> = touched.iter().copied().filter(|module| !query.is_test(*module)).collect();
    let reached = query.reach(&modules, usize::MAX);
    let counts = |module: &u32| !query.is_test(*module) && !touched.contains(module);
    let direct: Vec<u32> = reached.levels.first().into_iter().flatten().copied().filter(counts).collect();
    let all: Vec<u32> = reached.all().filter(counts).collect();
    let covering = query.tests(&modules);
    let tests = changed.iter().filter(|path| kind(path) == Kind::Test).count() as u64;
    let sources = query.graph().modules.iter().filter(|module| !module.test).count();
    let path = |module: &u32| query.graph().path(*module);
    let mut owners: BTreeSet<&str> = BTreeSet::new();
    let near: Vec<String> = direct.iter().map(path).collect();
    for path in changed.iter().copied().chain(near.iter().map(String::as_str)) {
        owners.extend(rules.owners(path).unwrap_or_default().iter().map(String::as_str));
    }
    BlastRadius {
        modules: modules.len() as u64,
        direct: direct.len() as u64,
        dependents: all.len() as u64,
        files: query.files(all.iter().copied()),
        percent: (all.len() * 100 / sources.max(1)) as u64,
        nearest: near.into_iter().take(NAMED).collect(),
        owners: owners.into_iter().take(OWNERS).map(str::to_owned).collect(),
        tests: RadiusTests { covering: covering.len() as u64, changed: tests },
    }
}
