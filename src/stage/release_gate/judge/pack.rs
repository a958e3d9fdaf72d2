//! The rules that judge releases, checked as those of policy are: what they read, call and answer with.
//!
//! Must never leave out a rule that is broken: it stays as broken, and denies.

use std::collections::BTreeMap;
use std::sync::{Arc, LazyLock};

use serde_json::Value;

use crate::artifact::digest::Digest;
use crate::artifact::types::release::ReleaseEvidence;
use crate::artifact::types::verdict::Effect;
use crate::rego::Policies;
use crate::rego::policies::Options;
use crate::stage::policy::bundle::{BundleError, Sources};
use crate::stage::policy::engine::{Fault, Job};
use crate::stage::policy::metadata::Metadata;
use crate::stage::policy::rule::{Kind, Module, check_of};

/// The set of a rule with its results.
pub(super) const CONTROL: &str = "control";
/// The set of the rule of waivers with those in force.
pub(super) const ACTIVE: &str = "active";

static SCHEMA: LazyLock<Value> = LazyLock::new(|| schemars::schema_for!(ReleaseEvidence).to_value());

/// Rules that judge a release.
static RELEASES: Kind =
    Kind { schema: || &SCHEMA, effect_of: |name| matches!(name, CONTROL | ACTIVE).then_some(Effect::Deny) };

/// One rule: a control.
#[derive(Clone)]
pub struct PackRule {
    /// What it says about itself.
    pub metadata: Metadata,
    /// Its entry sets, full paths.
    pub entries: Vec<String>,
}

/// The rules that judge releases.
#[derive(Clone)]
pub struct Pack {
    /// The controls, by code.
    pub rules: Vec<PackRule>,
    /// Files that should judge and cannot, with why.
    pub broken: Vec<String>,
    /// The digest over all files.
    pub digest: Digest,
    policies: Result<Arc<Policies>, Fault>,
}

impl Pack {
    /// Returns the rules in this binary.
    pub fn embedded() -> Result<Self, BundleError> {
        Ok(Self::of(&Sources::of_releases()?))
    }

    /// Returns the rules of some files.
    pub fn of(sources: &Sources) -> Self {
        let mut broken = Vec::new();
        let mut modules = Vec::new();
        for file in sources.files().iter().filter(|file| !file.is_test()) {
            let text = file.bytes.as_deref().and_then(|bytes| std::str::from_utf8(bytes).ok());
            match text.map(|text| Module::parse(&file.name, text)) {
                Some(Ok(module)) => modules.push(module),
                Some(Err(fault)) => broken.push(fault.to_string()),
                None => broken.push(format!("{}: is not a regular file with UTF-8 text", file.name)),
            }
        }
        let mut libraries = BTreeMap::new();
        let mut rules = Vec::new();
        let (of_all, own): (Vec<_>, Vec<_>) = modules.into_iter().partition(Module::is_library);
        for module in of_all {
            drop(libraries.insert(module.package(), module));
        }
        let none = Arc::new(Policies::none());
        for module in &own {
            match check_of(&RELEASES, module, &libraries, &serde_json::Value::Null, &none) {
                Ok(checked) => rules.push(PackRule {
                    metadata: checked.rule.metadata,
                    entries: checked.rule.entries.into_iter().map(|(path, _)| path).collect(),
                }),
                Err(fault) => broken.push(fault.to_string()),
            }
        }
        let all = own.iter().chain(libraries.values()).map(|module| module.rego.clone()).collect();
        let policies = Policies::of(all, Vec::new(), regorus::Value::new_object(), Options::default());
        if let Ok(policies) = &policies {
            broken.extend(policies.broken.iter().map(|broken| broken.why.to_string()));
        }
        rules.sort_by(|a, b| a.metadata.code.cmp(&b.metadata.code));
        Self { rules, broken, digest: sources.digest().clone(), policies: policies.map(Arc::new) }
    }

    /// Returns the rules, ready to be evaluated, in their order.
    pub(super) fn jobs(&self) -> Vec<Job> {
        let job = |rule: &PackRule| Job { policies: self.policies.clone(), entries: rule.entries.clone() };
        self.rules.iter().map(job).collect()
    }
}
