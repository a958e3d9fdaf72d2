//! Findings a team lives with for now: waivers and a baseline, both committed, both with an end.
//!
//! Must never let an entry count that is past its day, that cannot be read, or that is about a locked rule or the stage itself.

pub mod baseline;
mod part;
pub mod waivers;
pub mod write;

use std::collections::BTreeMap;

use crate::artifact::day::Day;
use crate::artifact::digest::Digest;
use crate::artifact::id::TreeId;
use crate::artifact::types::manifest::Material;
use crate::artifact::types::verdict::{Effect, Severity};
use crate::config::Policy;
use crate::ports::vcs::{VcsError, VcsRead};

use super::bundle::Bundle;
use super::decide::Violation;
use super::diags::Diag;

use baseline::Baseline;
use waivers::Waivers;

pub use part::{Parted, aside};

/// The longest reason, name or ticket, in characters.
pub const TEXT: usize = 1000;

/// Which codes may be set aside.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Codes(BTreeMap<String, bool>);

/// Whether a code may be set aside.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Standing {
    /// A rule that may be waived.
    Open,
    /// A rule that must never be waived.
    Locked,
    /// A code of the stage itself.
    Own,
    /// No rule has it.
    Unknown,
}

impl Codes {
    /// Returns the codes of a bundle.
    pub fn of(bundle: &Bundle) -> Self {
        let code = |rule: &super::rule::Rule| (rule.metadata.code.to_string(), rule.metadata.locked);
        Self(bundle.rules.iter().map(code).collect())
    }

    /// Tells what may be done with a code.
    pub fn standing(&self, code: &str) -> Standing {
        if Diag::ALL.iter().any(|diag| diag.as_str() == code) {
            return Standing::Own;
        }
        match self.0.get(code) {
            None => Standing::Unknown,
            Some(true) => Standing::Locked,
            Some(false) => Standing::Open,
        }
    }

    /// Returns the codes.
    pub fn names(&self) -> impl Iterator<Item = &str> {
        self.0.keys().map(String::as_str)
    }
}

/// What may be set aside, and what is wrong with the files that say so.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Lists {
    /// The waivers.
    pub waivers: Waivers,
    /// The baseline.
    pub baseline: Baseline,
    /// The file of the waivers, from the root of the repository.
    pub waivers_file: String,
    /// The file of the baseline.
    pub baseline_file: String,
    /// Which codes may be set aside.
    pub codes: Codes,
    /// Files that cannot be used; nothing of such a file counts.
    pub problems: Vec<Violation>,
}

impl Lists {
    /// Reads both files through `file`, which returns the content at a path.
    pub fn read<E>(
        policy: &Policy,
        bundle: &Bundle,
        mut file: impl FnMut(&str) -> Result<Option<Vec<u8>>, E>,
    ) -> Result<Self, E> {
        let mut lists = Self {
            waivers_file: policy.waivers.clone(),
            baseline_file: policy.baseline.clone(),
            codes: Codes::of(bundle),
            ..Self::default()
        };
        if let Some(bytes) = file(&policy.waivers)? {
            match Waivers::parse(&bytes, &lists.codes) {
                Ok(waivers) => lists.waivers = waivers,
                Err(why) => lists.problems.push(broken(Diag::WaiversBroken, &policy.waivers, &why)),
            }
        }
        if let Some(bytes) = file(&policy.baseline)? {
            match Baseline::parse(&bytes) {
                Ok(baseline) => lists.baseline = baseline,
                Err(why) => lists.problems.push(broken(Diag::BaselineBroken, &policy.baseline, &why)),
            }
        }
        Ok(lists)
    }

    /// Reads both files of a tree.
    pub fn of_tree(
        policy: &Policy,
        bundle: &Bundle,
        vcs: &dyn VcsRead,
        tree: &TreeId,
    ) -> Result<Self, VcsError> {
        Self::read(policy, bundle, |path| vcs.file(tree, path))
    }

    /// Takes in what a change makes of the files: one it breaks is a finding, and one it mends needs a person, no more.
    ///
    /// `after` returns the new content of a file the change touches; `Some(None)` for one it deletes.
    #[must_use]
    pub fn with_change(mut self, after: impl Fn(&str) -> Option<Option<Vec<u8>>>) -> Self {
        for (diag, file) in [
            (Diag::WaiversBroken, self.waivers_file.clone()),
            (Diag::BaselineBroken, self.baseline_file.clone()),
        ] {
            let Some(new) = after(&file) else { continue };
            let fault = new.and_then(|bytes| match diag {
                Diag::WaiversBroken => Waivers::parse(&bytes, &self.codes).err(),
                _ => Baseline::parse(&bytes).err(),
            });
            let old = self.problems.iter_mut().find(|problem| problem.code == diag.as_str());
            match (old, fault) {
                (Some(old), None) => {
                    old.effect = Effect::RequireApproval;
                    old.message = format!("{}; this change mends it", old.message);
                }
                (None, Some(why)) => {
                    self.problems.push(broken(diag, &file, &format!("{why} (after this change)")));
                }
                (Some(_), Some(_)) | (None, None) => {}
            }
        }
        self
    }
}

/// Returns the digests of the files of a tree: what is set aside is part of what a verdict follows from.
pub fn materials(policy: &Policy, vcs: &dyn VcsRead, tree: &TreeId) -> Result<Vec<Material>, VcsError> {
    let mut materials = Vec::new();
    for (name, path) in [("policy-waivers", &policy.waivers), ("policy-baseline", &policy.baseline)] {
        if let Some(bytes) = vcs.file(tree, path)? {
            materials.push(Material { name: name.into(), digest: Digest::of(&bytes) });
        }
    }
    Ok(materials)
}

fn broken(diag: Diag, file: &str, why: &str) -> Violation {
    Violation { path: Some(file.to_owned()), ..note(diag, format!("`{file}` cannot be used: {why}")) }
}

/// A finding of the stage itself.
fn note(diag: Diag, message: String) -> Violation {
    let deny = matches!(diag, Diag::WaiversBroken | Diag::BaselineBroken);
    Violation {
        code: diag.as_str().into(),
        effect: if deny { Effect::Deny } else { Effect::Warn },
        severity: if deny { Severity::High } else { Severity::Low },
        message,
        help: diag.help().into(),
        ..Violation::default()
    }
}

/// Tells why an end cannot be taken on a day: at most one year ahead.
fn too_far(until: Day, today: Day) -> bool {
    until > today.plus_year()
}
