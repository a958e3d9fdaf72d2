//! The `# METADATA` comment of a rule: OPA's annotations, read without running anything.
//!
//! Must never guess: a rule without a code, an effect, a title or help is refused.

use serde::{Deserialize, Serialize};

use crate::artifact::day::Day;
use crate::artifact::types::verdict::{Effect, Severity};
use crate::diagnostic::Code;

/// What a rule says about itself.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Metadata {
    /// What holds when the rule is content, one sentence.
    pub title: String,
    /// Why it is asked for.
    pub description: String,
    /// The stable code of its findings.
    pub code: Code,
    /// The strictest effect it can have.
    pub effect: Effect,
    /// How bad its findings are; where it does not say, what fits its effect.
    pub severity: Severity,
    /// What to do about a finding that does not say it itself.
    pub help: String,
    /// The version that brought it.
    pub since: Option<String>,
    /// Whether the config may not set another level.
    pub locked: bool,
    /// The first day its findings count; before it they are shown and set aside.
    pub effective_on: Option<Day>,
}

/// The annotations as OPA defines them; ours stand below `custom`.
#[derive(Deserialize)]
struct Raw {
    title: Option<String>,
    description: Option<String>,
    custom: Option<RawCustom>,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct RawCustom {
    code: Option<String>,
    effect: Option<String>,
    severity: Option<Severity>,
    help: Option<String>,
    since: Option<String>,
    #[serde(default)]
    locked: bool,
    effective_on: Option<String>,
}

/// Why the annotations of a rule cannot be used.
#[derive(Debug, thiserror::Error, PartialEq, Eq)]
pub enum MetadataError {
    /// There are none above the package.
    #[error("has no `# METADATA` comment above its package")]
    Absent,
    /// They are not YAML of the right form.
    #[error("has a `# METADATA` comment that cannot be read: {0}")]
    Unreadable(String),
    /// One that must be there is not.
    #[error("has no `{0}` in its `# METADATA` comment")]
    Missing(&'static str),
    /// One has a value it cannot have.
    #[error("has the {name} `{value}` in its `# METADATA` comment, which is {why}")]
    Value {
        /// Which.
        name: &'static str,
        /// Its value.
        value: String,
        /// What is wrong with it.
        why: &'static str,
    },
}

/// Reads the annotations above the package of a module.
pub fn metadata(source: &str) -> Result<Metadata, MetadataError> {
    let yaml = comment(source).ok_or(MetadataError::Absent)?;
    let raw: Raw = serde_yaml::from_str(&yaml).map_err(|e| MetadataError::Unreadable(e.to_string()))?;
    let custom = raw.custom.ok_or(MetadataError::Missing("custom"))?;
    let need = |name, value: Option<String>| {
        value.map(|v| v.trim().to_owned()).filter(|v| !v.is_empty()).ok_or(MetadataError::Missing(name))
    };
    let code = need("custom.code", custom.code)?;
    let effect = need("custom.effect", custom.effect)?;
    let effect = match effect.as_str() {
        "deny" => Effect::Deny,
        "require_approval" => Effect::RequireApproval,
        "warn" => Effect::Warn,
        _ => {
            let why = "not `deny`, `require_approval` or `warn`";
            return Err(MetadataError::Value { name: "effect", value: effect, why });
        }
    };
    Ok(Metadata {
        title: need("title", raw.title)?,
        description: raw.description.unwrap_or_default().trim().to_owned(),
        code: code.parse().map_err(|_| MetadataError::Value {
            name: "code",
            value: code,
            why: "not `category/rule` in lower-case letters, digits and hyphens",
        })?,
        effect,
        severity: custom.severity.unwrap_or(match effect {
            Effect::Deny => Severity::High,
            Effect::RequireApproval => Severity::Medium,
            Effect::Warn => Severity::Low,
        }),
        help: need("custom.help", custom.help)?,
        since: custom.since,
        locked: custom.locked,
        effective_on: match custom.effective_on {
            None => None,
            Some(text) => Some(text.trim().parse().map_err(|_| MetadataError::Value {
                name: "effective_on",
                value: text,
                why: "not a day as `2026-12-31`",
            })?),
        },
    })
}

/// Returns the YAML of the first `# METADATA` block above the package.
fn comment(source: &str) -> Option<String> {
    let above = source.lines().take_while(|line| !line.starts_with("package "));
    let block = above.skip_while(|line| line.trim_end() != "# METADATA").skip(1);
    let lines: Vec<&str> = block.map_while(|line| line.strip_prefix('#')).collect();
    let yaml: Vec<&str> = lines.iter().map(|line| line.strip_prefix(' ').unwrap_or(line)).collect();
    (!yaml.is_empty()).then(|| yaml.join("\n"))
}

#[cfg(test)]
mod tests {
    use super::*;

    const GOOD: &str = "# METADATA\n# title: T\n# description: |\n#  two\n#  lines\n# custom:\n#  code: a/b\n#  effect: require_approval\n#  help: H\npackage orch.a.b\n";

    #[test]
    fn annotations_are_read() {
        let read = metadata(GOOD).unwrap();
        assert_eq!((read.title.as_str(), read.description.as_str()), ("T", "two\nlines"));
        assert_eq!((read.code.as_str(), read.effect, read.locked), ("a/b", Effect::RequireApproval, false));
    }

    #[test]
    fn what_is_missing_or_wrong_is_named() {
        for (from, to, want) in [
            ("# METADATA", "# METADATE", "no `# METADATA`"),
            ("title: T", "titel: T", "no `title`"),
            ("code: a/b", "code: A/b", "code `A/b`"),
            ("code: a/b", "codes: a/b", "codes"),
            ("require_approval", "block", "effect `block`"),
            ("help: H", "help: ''", "no `custom.help`"),
            ("custom:", "custom: [", "cannot be read"),
            ("  help: H", "  help: H\n#  effective_on: 2027-02-30", "effective_on `2027-02-30`"),
        ] {
            let error = metadata(&GOOD.replace(from, to)).unwrap_err().to_string();
            assert!(error.contains(want), "{to}: {error}");
        }
        assert_eq!(
            metadata(&GOOD.replace("# METADATA", "package x\n# METADATA")),
            Err(MetadataError::Absent)
        );
    }
}
