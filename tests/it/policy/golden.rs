//! One folder per case below `tests/golden/policy`: `case.yml` is a change, `verdict.snap` what is found.

use std::collections::BTreeMap;
use std::fs;
use std::path::Path;

use base64::Engine as _;
use orch::artifact::types::verdict::{Decision, Verdict};
use orch::config::Level;
use orch::diagnostic::Class;
use orch::stage::StageResult;
use serde::Deserialize;
use serde_json::Value;

use super::support::{Case, listed, output};

/// A change, as far as it differs from a good one.
#[derive(Default, Deserialize)]
#[serde(deny_unknown_fields, default)]
struct Raw {
    about: String,
    /// Files of the base.
    base: BTreeMap<String, String>,
    /// What the edits write besides, by path; `null` deletes.
    edits: BTreeMap<String, Option<String>>,
    /// What the edits write besides, base64.
    binary: BTreeMap<String, String>,
    /// Whether the acceptance test and the code change are left out.
    bare: bool,
    config: RawConfig,
    /// A merge patch over the artifacts.
    patch: Value,
}

#[derive(Default, Deserialize)]
#[serde(deny_unknown_fields, default)]
struct RawConfig {
    allow: Vec<String>,
    protect: Vec<String>,
    deny: Vec<String>,
    packs: Vec<String>,
    levels: BTreeMap<String, Level>,
    settings: BTreeMap<String, Value>,
    sandbox_required: Option<bool>,
    revert_probe: Option<bool>,
    flake_runs: Option<u32>,
}

/// What no file of this repository may hold: made when it is needed, the same every time.
fn filled(text: &str) -> String {
    let noise = |seed: u64, len: usize| -> String {
        const LETTERS: &[u8; 62] = b"ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789";
        let mut state = seed;
        let next = move |_| {
            state = state.wrapping_mul(6_364_136_223_846_793_005).wrapping_add(1_442_695_040_888_963_407);
            char::from(LETTERS[(state >> 33) as usize % LETTERS.len()])
        };
        (0..len).map(next).collect()
    };
    let body: Vec<String> = (1..9).map(|seed| noise(seed, 64)).collect();
    let dashes = "-----";
    let key = |join: &str| {
        let lines = body.join(join);
        format!("{dashes}BEGIN RSA PRIVATE KEY{dashes}{join}{lines}{join}{dashes}END RSA PRIVATE KEY{dashes}")
    };
    let token = format!("sk_live_{}", noise(11, 24));
    let wrapped = base64::engine::general_purpose::STANDARD.encode(format!("token: {token}\n"));
    text.replace("((key on one line))", &key("\\n"))
        .replace("((token))", &token)
        .replace("((wrapped token))", &wrapped)
        .replace("((password))", &noise(12, 16))
        .replace("((key))", &key("\n"))
}

fn case(raw: Raw) -> Case {
    let mut case = Case::default();
    if raw.bare {
        case.tests.clear();
        case.edits.clear();
    }
    for (path, text) in &raw.base {
        case.base(path, &filled(text));
    }
    for (path, text) in &raw.edits {
        match text {
            Some(text) => case.edit(path, &filled(text)),
            None => case.delete(path),
        }
    }
    for (path, text) in &raw.binary {
        let bytes = base64::engine::general_purpose::STANDARD.decode(text).unwrap();
        let change = case.written(path, bytes);
        case.edits.push(change);
    }
    let (from, to) = (raw.config, &mut case.config);
    to.paths.allow = from.allow;
    to.paths.protect = from.protect;
    to.paths.deny = from.deny;
    to.policy.packs = from.packs.into_iter().map(orch::config::Pack::Folder).collect();
    to.policy.levels = from.levels;
    to.policy.settings = from.settings;
    to.sandbox.required = from.sandbox_required.unwrap_or(true);
    to.verify.revert_probe = from.revert_probe.unwrap_or(true);
    to.verify.flake_runs = from.flake_runs.unwrap_or(1);
    if !raw.patch.is_null() {
        case.patch = raw.patch;
    }
    case
}

#[test]
fn cases() {
    let root = Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/golden/policy");
    let mut folders: Vec<_> = fs::read_dir(&root).unwrap().map(|e| e.unwrap().path()).collect();
    folders.sort();
    assert!(folders.len() >= 15);
    let mut fired = std::collections::BTreeSet::new();
    for folder in folders {
        let text = fs::read_to_string(folder.join("case.yml")).unwrap();
        let raw: Raw = serde_yaml::from_str(&text).unwrap_or_else(|e| panic!("{}: {e}", folder.display()));
        assert!(!raw.about.is_empty(), "{}", folder.display());
        let case = case(raw);
        let finished = case.run().unwrap_or_else(|e| panic!("{}: {e}", folder.display()));
        let verdict: Verdict = output(&finished, orch::artifact::kind::slot::VERDICT);
        let class = match finished.result {
            StageResult::Done => None,
            StageResult::Stopped { class, .. } => Some(class),
        };
        let want = match verdict.decision {
            Decision::Allow => None,
            Decision::NeedsApproval => Some(Class::NeedsApproval),
            Decision::Deny => Some(Class::Denied),
        };
        assert_eq!(class, want, "{}", folder.display());
        fired.extend(verdict.findings.iter().map(|f| f.code.clone()));
        let mut settings = insta::Settings::clone_current();
        settings.set_snapshot_path(&folder);
        settings.set_prepend_module_to_snapshot(false);
        settings.set_omit_expression(true);
        settings.bind(|| insta::assert_snapshot!("verdict", listed(&verdict)));
    }
    let bundle = super::embedded();
    for rule in &bundle.rules {
        let code = rule.metadata.code.as_str();
        assert!(fired.contains(code), "no case in which `{code}` finds something");
    }
}
