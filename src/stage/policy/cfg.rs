//! Settings of rules and their levels: what `orch.yml` says, checked, with defaults filled in.
//!
//! Must never pass on a setting of the wrong type: Rego orders values of different types, so `500 > "10"` would be false
//! and the rule content.

use std::collections::BTreeMap;

use serde_json::{Map, Value, json};

use crate::config::{Config, Level, Pack};
use crate::diagnostic::{Class, Failure, explain::nearest};

use super::aside::Lists;
use super::bundle::Bundle;
use super::diags::Diag;

/// What the rules are given and how strictly each is taken.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct PolicyConfig {
    /// `input.settings`.
    pub settings: Map<String, Value>,
    /// Levels that differ from the rules' own, by code.
    pub levels: BTreeMap<String, Level>,
    /// What is set aside: waivers and baseline.
    pub lists: Lists,
}

/// A setting of a rule in the pack of this binary.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Setting {
    /// The name below `policy.settings`.
    pub name: &'static str,
    /// What it means.
    pub about: &'static str,
    /// The value where the config says nothing; it also tells the type.
    pub default: Value,
}

/// Returns every setting of the pack in this binary; lists are globs.
pub fn defaults() -> Vec<Setting> {
    let setting = |name, about, default| Setting { name, about, default };
    vec![
        setting("max_files", "changed files above which a person has to approve", json!(40)),
        setting("max_files_deny", "changed files above which the change is denied", json!(400)),
        setting("max_lines", "lines gained and lost above which a person has to approve", json!(1500)),
        setting("max_lines_deny", "lines gained and lost above which the change is denied", json!(15000)),
        setting(
            "blast_radius_approve",
            "modules that import what a change touches, above which a person has to approve",
            json!(250),
        ),
        setting(
            "blast_radius_warn",
            "modules that import what a change touches, above which it is a warning that no test covers it",
            json!(150),
        ),
        setting(
            "size_ignore",
            "files whose lines do not count: they are made by programs",
            json!(LOCK_FILES),
        ),
        setting(
            "protected_files",
            "files that steer agents, editors, hooks, reviews or orch",
            json!(PROTECTED),
        ),
        setting("protected_existing", "files that may be made, but not changed or deleted", json!(LICENCES)),
        setting("env_files_allowed", "files that look like `.env` and are examples", json!(ENV_EXAMPLES)),
        setting("owners_require", "files whose owners by CODEOWNERS have to approve a change", json!([])),
        setting("trusted_actions", "actions that may be taken by a tag", json!(["actions/*", "github/**"])),
        setting(
            "licences_allow",
            "licences (SPDX ids) that somebody has agreed to: `licences/conflict` leaves them",
            json!([]),
        ),
        setting("licences_deny", "licences (SPDX ids, `*` at the end) that nothing may be under", json!([])),
        setting("dependencies_allow", "dependencies that are vouched for, as `npm:left-pad`", json!(NONE)),
        setting("dependencies_deny", "dependencies that must not come in, as `pypi:*-nightly`", json!(NONE)),
        setting(
            "dependencies_private",
            "names that must not come from a public registry, as `npm:@acme/*`",
            json!(NONE),
        ),
        setting("code_files", "files that tests can run against", json!(CODE)),
        setting("code_files_except", "files of those that only configure tools", json!(TOOL_CONFIG)),
    ]
}

const NONE: &[&str] = &[];
const LOCK_FILES: &[&str] = &[
    "Cargo.lock",
    "package-lock.json",
    "npm-shrinkwrap.json",
    "yarn.lock",
    "pnpm-lock.yaml",
    "poetry.lock",
    "uv.lock",
    "Pipfile.lock",
    "go.sum",
    "Gemfile.lock",
    "composer.lock",
];
const PROTECTED: &[&str] = &[
    "/orch.yml",
    "/.orch/",
    "CODEOWNERS",
    ".gitattributes",
    "CLAUDE.md",
    "CLAUDE.local.md",
    "AGENTS.md",
    "GEMINI.md",
    ".mcp.json",
    ".claude/",
    ".cursor/",
    ".cursorrules",
    ".windsurf/",
    ".windsurfrules",
    ".aider*",
    "/.github/copilot-instructions.md",
    "/.github/instructions/",
    "/.github/agents/",
    "/.github/dependabot.yml",
    ".husky/",
    ".githooks/",
    ".pre-commit-config.yaml",
    "lefthook.{yml,yaml}",
    ".vscode/",
    ".devcontainer/",
    ".envrc",
    "Jenkinsfile",
    "/.gitlab-ci.yml",
    "/.circleci/",
    "/.buildkite/",
    "/azure-pipelines.yml",
];
const LICENCES: &[&str] = &[
    "{LICENSE,LICENCE,COPYING,NOTICE}",
    "{LICENSE,LICENCE,COPYING,NOTICE}.{md,txt,rst}",
    "{LICENSE,LICENCE}-{MIT,APACHE,APACHE-2.0,BSD,ISC,MPL,UNLICENSE}",
    "COPYING.LESSER",
    "SECURITY.md",
];
const ENV_EXAMPLES: &[&str] =
    &[".env.example", ".env.*.example", ".env.sample", ".env.*.sample", ".env.template", ".env.dist"];
const CODE: &[&str] = &[
    "*.py", "*.rs", "*.js", "*.jsx", "*.mjs", "*.cjs", "*.ts", "*.tsx", "*.mts", "*.cts", "*.go", "*.java",
    "*.kt", "*.scala", "*.rb", "*.php", "*.c", "*.h", "*.cc", "*.cpp", "*.hpp", "*.cs", "*.swift", "*.m",
    "*.ex", "*.exs", "*.erl", "*.hs", "*.lua", "*.pl", "*.sh", "*.bash", "*.ps1", "*.sql", "*.vue",
    "*.svelte", "*.dart", "*.zig",
];
const TOOL_CONFIG: &[&str] =
    &["*.config.js", "*.config.mjs", "*.config.cjs", "*.config.ts", ".*rc.js", ".*rc.cjs"];

/// Settings that come from other keys of the config, with that key.
const ELSEWHERE: &[(&str, &str)] = &[
    ("paths_allow", "paths.allow"),
    ("paths_protect", "paths.protect"),
    ("paths_deny", "paths.deny"),
    ("sandbox_required", "sandbox.required"),
    ("verify_revert_probe", "verify.revert_probe"),
    ("verify_flake_runs", "verify.flake_runs"),
];

/// A key of the config that policy cannot use.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum ConfigError {
    /// A level for a code that no rule has.
    #[error("`policy.levels` has the code `{code}`, which no rule has")]
    UnknownCode {
        /// The code.
        code: String,
        /// The codes most like it.
        nearest: Vec<String>,
    },
    /// A lower level for a rule that must not be lowered.
    #[error("`policy.levels` lowers `{code}`, which cannot be lowered")]
    Locked {
        /// The code.
        code: String,
    },
    /// A setting that no rule has.
    #[error("`policy.settings` has `{name}`, which no rule reads")]
    UnknownSetting {
        /// The name.
        name: String,
        /// The names most like it.
        nearest: Vec<String>,
    },
    /// A setting that has its own place in the config.
    #[error("`policy.settings` has `{name}`, which is set by `{key}`")]
    Elsewhere {
        /// The name.
        name: String,
        /// The key that sets it.
        key: &'static str,
    },
    /// A value of the wrong type.
    #[error("`policy.settings.{name}` has to be {want}")]
    Type {
        /// The name.
        name: String,
        /// What it has to be.
        want: &'static str,
    },
    /// A glob that cannot be used.
    #[error("the glob `{glob}` in `{key}` {why}")]
    Glob {
        /// Where it is.
        key: String,
        /// The glob.
        glob: String,
        /// The reason, to be read after it.
        why: &'static str,
    },
}

impl Failure for ConfigError {
    fn class(&self) -> Class {
        Class::Usage
    }

    fn help(&self) -> Option<String> {
        let near = |near: &[String], list: &str| match near {
            [] => list.to_owned(),
            near => format!("Did you mean `{}`?", near.join("` or `")),
        };
        Some(match self {
            Self::UnknownCode { nearest, .. } => near(nearest, "`orch explain` lists the codes."),
            Self::UnknownSetting { nearest, .. } => near(nearest, "The rules' pages list their settings."),
            Self::Locked { code } => {
                format!("Remove it; `orch explain {code}` tells why the rule always denies.")
            }
            Self::Elsewhere { key, .. } => format!("Set `{key}` in orch.yml instead."),
            Self::Type { .. } | Self::Glob { .. } => "Mend it in orch.yml, then run again.".into(),
        })
    }
}

impl PolicyConfig {
    /// Returns what a bundle is given by a config.
    pub fn new(config: &Config, bundle: &Bundle) -> Result<Self, ConfigError> {
        check_levels(&config.policy.levels, bundle)?;
        Ok(Self {
            settings: settings(config)?,
            levels: config.policy.levels.clone(),
            lists: Lists::default(),
        })
    }

    /// Takes waivers and baseline.
    #[must_use]
    pub fn with_lists(self, lists: Lists) -> Self {
        Self { lists, ..self }
    }
}

fn check_levels(levels: &BTreeMap<String, Level>, bundle: &Bundle) -> Result<(), ConfigError> {
    for (code, level) in levels {
        let own = Diag::ALL.iter().any(|d| d.as_str() == code);
        let rule = bundle.rules.iter().find(|rule| rule.metadata.code.as_str() == code);
        if (own || rule.is_some_and(|rule| rule.metadata.locked)) && *level != Level::Deny {
            return Err(ConfigError::Locked { code: code.clone() });
        }
        if !own && rule.is_none() {
            let codes = bundle.rules.iter().map(|rule| rule.metadata.code.as_str());
            return Err(ConfigError::UnknownCode { code: code.clone(), nearest: nearest(code, codes) });
        }
    }
    Ok(())
}

fn settings(config: &Config) -> Result<Map<String, Value>, ConfigError> {
    let defaults = defaults();
    let mut settings = Map::new();
    for (name, value) in &config.policy.settings {
        if let Some((_, key)) = ELSEWHERE.iter().find(|(own, _)| own == name) {
            return Err(ConfigError::Elsewhere { name: name.clone(), key });
        }
        // Rules of a pack may have settings of any name; without a pack nobody would read them.
        if config.policy.packs.is_empty() && !defaults.iter().any(|s| s.name == name) {
            let names = defaults.iter().map(|s| s.name);
            return Err(ConfigError::UnknownSetting { name: name.clone(), nearest: nearest(name, names) });
        }
        settings.insert(name.clone(), value.clone());
    }
    for setting in defaults {
        let value = settings.remove(setting.name).unwrap_or_else(|| setting.default.clone());
        let value = typed(setting.name, value, &setting.default)?;
        settings.insert(setting.name.into(), value);
    }
    // The packs judge the next change, so this one may alter them only with approval.
    let folders = config.policy.packs.iter().filter_map(Pack::folder);
    let packs = folders.map(|p| format!("/{}/", p.trim_start_matches("./").trim_matches('/')));
    // All of `.orch` is protected by a rule of its own.
    let lists = [&config.policy.waivers, &config.policy.baseline].into_iter();
    let lists = lists.filter(|path| !path.starts_with(".orch/")).map(|path| format!("/{path}"));
    let packs = packs.chain(lists);
    let protect: Vec<String> = config.paths.protect.iter().cloned().chain(packs).collect();
    settings.insert("paths_allow".into(), globs("paths.allow", &config.paths.allow)?);
    settings.insert("paths_protect".into(), globs("paths.protect", &protect)?);
    settings.insert("paths_deny".into(), globs("paths.deny", &config.paths.deny)?);
    settings.insert("sandbox_required".into(), config.sandbox.required.into());
    settings.insert("verify_revert_probe".into(), config.verify.revert_probe.into());
    settings.insert("verify_flake_runs".into(), config.verify.flake_runs.into());
    settings.sort_keys();
    Ok(settings)
}

/// Checks a value against the default it replaces.
fn typed(name: &str, value: Value, default: &Value) -> Result<Value, ConfigError> {
    let refuse = |want| ConfigError::Type { name: name.to_owned(), want };
    match default {
        Value::Array(_) => {
            let items = value.as_array().ok_or_else(|| refuse("a list of globs"))?;
            let texts: Option<Vec<String>> = items.iter().map(|i| i.as_str().map(str::to_owned)).collect();
            globs(&format!("policy.settings.{name}"), &texts.ok_or_else(|| refuse("a list of globs"))?)
        }
        Value::Number(_) if !value.is_u64() => Err(refuse("a whole number, 0 or more")),
        Value::Bool(_) if !value.is_boolean() => Err(refuse("`true` or `false`")),
        _ => Ok(value),
    }
}

/// Turns globs as in `.gitignore` into patterns for `glob.match(pattern, ["/"], path)`.
///
/// A pattern without a slash (but at its end) holds at any depth, one with a slash from the root; a folder stands for all
/// below it. `**` that begins a pattern also stands for no folder, which OPA's own matcher does not know.
pub fn globs(key: &str, patterns: &[String]) -> Result<Value, ConfigError> {
    let mut all: Vec<String> = Vec::new();
    for pattern in patterns {
        let refuse = |why| ConfigError::Glob { key: key.to_owned(), glob: pattern.clone(), why };
        if pattern.starts_with('!') {
            return Err(refuse("begins with `!`; exceptions are not supported"));
        }
        let only_below = pattern.ends_with('/');
        let body = pattern.trim_matches('/');
        if body.is_empty() || body.contains("//") || body.contains('\0') {
            return Err(refuse("names nothing"));
        }
        let rooted = pattern.trim_end_matches('/').contains('/');
        let mut bases = vec![body.to_owned()];
        if let Some(rest) = body.strip_prefix("**/") {
            bases.push(rest.to_owned());
        } else if !rooted {
            bases.push(format!("**/{body}"));
        }
        for base in bases {
            if !base.ends_with("**") {
                all.push(format!("{base}/**"));
            }
            if !only_below || base.ends_with("**") {
                all.push(base);
            }
        }
    }
    all.sort();
    all.dedup();
    Ok(Value::from(all))
}
