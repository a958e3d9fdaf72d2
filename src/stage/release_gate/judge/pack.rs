//! The rules that judge releases, checked as those of policy are: what they read, call and answer with.
//!
//! Must never leave out a rule that is broken: it stays as broken, and denies.

use std::collections::{BTreeMap, BTreeSet};
use std::sync::{Arc, LazyLock, OnceLock};

use serde_json::Value;

use crate::artifact::digest::Digest;
use crate::artifact::types::release::{OwnRules, ReleaseEvidence};
use crate::artifact::types::verdict::Effect;
use crate::rego::Policies;
use crate::rego::policies::Options;
use crate::stage::policy::bundle::{BundleError, SourceFile, Sources};
use crate::stage::policy::data::DataFile;
use crate::stage::policy::engine::{Fault, Job};
use crate::stage::policy::metadata::Metadata;
use crate::stage::policy::pack::Opened;
use crate::stage::policy::rule::{Kind, Module, check_of};

/// The set of a rule with its results.
pub(super) const CONTROL: &str = "control";
/// The set of the rule of waivers with those in force.
pub(super) const ACTIVE: &str = "active";

static SCHEMA: LazyLock<Value> = LazyLock::new(|| schemars::schema_for!(ReleaseEvidence).to_value());

/// Rules that judge a release.
static RELEASES: Kind =
    Kind { schema: || &SCHEMA, effect_of: |name| matches!(name, CONTROL | ACTIVE).then_some(Effect::Deny) };

/// Rules of a repository: they add controls, and say nothing of waivers.
static OWN: Kind = Kind { schema: || &SCHEMA, effect_of: |name| (name == CONTROL).then_some(Effect::Deny) };

/// What names of files in this binary begin with.
const EMBEDDED: &str = "orch:";

static IN_THIS_BINARY: OnceLock<Pack> = OnceLock::new();

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
        if let Some(pack) = IN_THIS_BINARY.get() {
            return Ok(pack.clone());
        }
        let pack = Self::of(&Sources::of_releases()?);
        Ok(IN_THIS_BINARY.get_or_init(|| pack).clone())
    }

    /// Returns the rules that judge evidence: those in this binary, and those it carries.
    pub fn of_evidence(evidence: &ReleaseEvidence) -> Result<Self, BundleError> {
        Self::with(&evidence.rules)
    }

    /// Returns the rules in this binary with those of a repository.
    pub fn with(own: &[OwnRules]) -> Result<Self, BundleError> {
        if own.is_empty() {
            return Self::embedded();
        }
        Ok(Self::of(&Sources::of_releases()?.with_pack(opened(own))?))
    }

    /// Returns the rules of some files.
    pub fn of(sources: &Sources) -> Self {
        let (data, of_data) = sources.data();
        let mut broken: Vec<String> = of_data.into_iter().map(|broken| broken.why).collect();
        let mut modules: Vec<Module<'_>> = Vec::new();
        for file in sources.files().iter().filter(|file| !file.is_test()) {
            let text = file.bytes.as_deref().and_then(|bytes| std::str::from_utf8(bytes).ok());
            match text.map(|text| Module::parse(&file.name, text)) {
                Some(Ok(module)) => match clash(&modules, &module) {
                    Some(why) => broken.push(why),
                    None => modules.push(module),
                },
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
            let kind = if module.file.starts_with(EMBEDDED) { &RELEASES } else { &OWN };
            match check_of(kind, module, &libraries, &data, &none) {
                Ok(checked) => rules.push(PackRule {
                    metadata: checked.rule.metadata,
                    entries: checked.rule.entries.into_iter().map(|(path, _)| path).collect(),
                }),
                Err(fault) => broken.push(fault.to_string()),
            }
        }
        let all = own.iter().chain(libraries.values()).map(|module| module.rego.clone()).collect();
        let data = if data.is_null() { regorus::Value::new_object() } else { regorus::Value::from(data) };
        let policies = Policies::of(all, Vec::new(), data, Options::default());
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

/// Returns what a repository adds, as files of a bundle; tests of rules judge nothing and are left out.
pub fn own_rules(opened: Opened) -> Vec<OwnRules> {
    let text = |bytes: Option<Vec<u8>>| bytes.and_then(|bytes| String::from_utf8(bytes).ok());
    let rules = opened.rules.into_iter().filter(|file| !file.is_test());
    let rules = rules.map(|file| OwnRules { name: file.name, data: None, text: text(file.bytes) });
    let data = opened.data.into_iter();
    let data = data.map(|file| OwnRules { name: file.name, data: Some(file.keys), text: text(file.bytes) });
    rules.chain(data).collect()
}

fn opened(own: &[OwnRules]) -> Opened {
    let mut opened = Opened::default();
    for file in own {
        let bytes = file.text.as_ref().map(|text| text.clone().into_bytes());
        // No file of others passes for one of this binary.
        let name =
            file.name.strip_prefix(EMBEDDED).map_or_else(|| file.name.clone(), |rest| format!("own:{rest}"));
        match &file.data {
            None => opened.rules.push(SourceFile { name, bytes }),
            Some(keys) => opened.data.push(DataFile { name, keys: keys.clone(), bytes }),
        }
    }
    opened
}

/// Says why a module cannot stand beside others: its package is one of theirs, or leads into one.
fn clash(others: &[Module<'_>], module: &Module<'_>) -> Option<String> {
    let package = module.package();
    let into = |outer: &str, inner: &str| inner.strip_prefix(outer).is_some_and(|rest| rest.starts_with('.'));
    let same = others
        .iter()
        .map(Module::package)
        .collect::<BTreeSet<_>>()
        .into_iter()
        .find(|other| *other == package || into(other, &package) || into(&package, other))?;
    Some(format!("{}: its package `{package}` is that of another file, or leads into `{same}`", module.file))
}
