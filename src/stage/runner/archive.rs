//! Earlier attempts: what a new one replaces is moved to `attempts/<n>/`, whole.
//!
//! Must never lose a file of a finished stage, nor a line of money that was spent or an answer that was paid for.

use std::collections::BTreeSet;

use super::{RunError, Runner};
use crate::artifact::chain::{Chain, split_round};
use crate::artifact::id::{Round, StageId};
use crate::artifact::kind::StageFile;
use crate::artifact::types::manifest::Manifest;

impl Runner<'_> {
    /// Moves a finished stage and what followed from it to `attempts/<n>/`, and removes what an unfinished one left.
    pub(super) fn archive(&self, chain: &Chain, stage: StageId, round: Round) -> Result<(), RunError> {
        let mut outdated = BTreeSet::new();
        if chain.manifest(stage, round).is_some() {
            outdated.insert(Manifest::path(stage, round));
        }
        // Manifests are in pipeline order, so one pass finds all that rest on a outdated one.
        for manifest in chain.bodies() {
            if manifest.link.parents.iter().any(|p| outdated.contains(&p.manifest)) {
                outdated.insert(Manifest::path(manifest.link.stage, manifest.link.round));
            }
        }
        if !outdated.is_empty() {
            let manifests =
                || chain.bodies().filter(|m| outdated.contains(&Manifest::path(m.link.stage, m.link.round)));
            let files: Vec<String> = manifests().flat_map(|m| m.files().map(|f| f.path.clone())).collect();
            let paths: Vec<String> = outdated.iter().cloned().chain(files.iter().cloned()).collect();
            let attempt = chain.attempts.last().copied().unwrap_or_default().saturating_add(1);
            self.store.preserve(&paths, &format!("attempts/{attempt}"))?;
            // A manifest goes before its files and after those that rest on it: a kill leaves leftovers, never a break.
            for path in manifests()
                .map(|m| Manifest::path(m.link.stage, m.link.round))
                .collect::<Vec<_>>()
                .iter()
                .rev()
            {
                self.store.remove(path)?;
            }
            for path in &files {
                self.store.remove(path)?;
            }
        }
        for path in chain.leftovers.iter().filter(|path| !outlives_a_kill(path)) {
            self.store.remove(path)?;
        }
        Ok(())
    }
}

/// Tells whether a file without a manifest is kept: money that was spent stays spent, and answers that were paid for stay.
fn outlives_a_kill(path: &str) -> bool {
    StageFile::of(split_round(path).1).is_some_and(|(file, _)| file.outlives_a_kill())
}
