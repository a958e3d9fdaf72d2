//! Roles as data: a role is a file with its rights, limits, rubric and prompt; `roles/<name>.md`.
//!
//! Must never give a role a right its file does not name, and must never hold a credential or a model's name.

use std::collections::{BTreeMap, BTreeSet};

use serde::Deserialize;

use crate::artifact::digest::Digest;
use crate::artifact::id::Slug;
use crate::artifact::types::manifest::Material;
use crate::artifact::types::plan::RiskLevel;
use crate::diagnostic::{Class, Failure};

#[derive(rust_embed::RustEmbed)]
#[folder = "roles/"]
struct Embedded;

/// The role that plans and judges.
pub const ARCHITECT: &str = "architect";
/// The role that edits.
pub const BUILDER: &str = "builder";
/// The role that writes the tests.
pub const TEST_WRITER: &str = "test-writer";

const MAX_BYTES: usize = 64 * 1024;

/// Who takes part in a debate.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Role {
    /// Its name, as `architect`.
    pub name: Slug,
    /// The version of its prompt.
    pub version: u32,
    /// Its name for people.
    pub title: String,
    /// What it may do.
    pub rights: BTreeSet<Right>,
    /// The role whose route is taken where `models.toml` has none for this one.
    pub route: Slug,
    /// The most output tokens of one answer.
    pub max_output: u32,
    /// What it judges by; empty for roles that do not judge.
    pub rubric: Vec<RubricItem>,
    /// Who it is, and how it works.
    pub prompt: String,
    /// The digest of its file.
    pub digest: Digest,
}

/// What a role may do.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Right {
    /// Propose a plan.
    MayPropose,
    /// Edit files of the change.
    MayEdit,
    /// Write acceptance tests.
    MayWriteTests,
    /// Judge what others made.
    MayCritique,
    /// Judge, and nothing else.
    CritiqueOnly,
}

impl Right {
    /// Returns the name used in files.
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::MayPropose => "may-propose",
            Self::MayEdit => "may-edit",
            Self::MayWriteTests => "may-write-tests",
            Self::MayCritique => "may-critique",
            Self::CritiqueOnly => "critique-only",
        }
    }
}

/// One thing a role looks for.
#[derive(Clone, Debug, PartialEq, Eq, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct RubricItem {
    /// Its name: a risk found by it carries it as its rule.
    pub id: Slug,
    /// How bad it usually is.
    pub severity: RiskLevel,
    /// What to look for, and when it is worse or better than usual.
    pub text: String,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields, rename_all = "kebab-case")]
struct Front {
    name: Slug,
    version: u32,
    title: String,
    rights: Vec<Right>,
    #[serde(default)]
    route: Option<Slug>,
    max_output: u32,
    #[serde(default)]
    rubric: Vec<RubricItem>,
}

/// A role or a prompt that cannot be used.
#[derive(Debug, thiserror::Error, PartialEq, Eq)]
#[error("`{file}` is broken: {why}")]
pub struct DataError {
    /// The file.
    pub file: String,
    /// What is wrong.
    pub why: String,
}

impl Failure for DataError {
    fn class(&self) -> Class {
        Class::Usage
    }

    fn help(&self) -> Option<String> {
        Some("Mend the file; `docs/how-to/add-a-role.md` describes the form.".into())
    }
}

/// Takes a file apart: its front matter between two lines `---`, and the text after it.
pub(super) fn front_matter(text: &str) -> Option<(&str, &str)> {
    let rest = text.strip_prefix("---\n")?;
    if let Some(body) = rest.strip_prefix("---\n") {
        return Some(("", body));
    }
    rest.split_once("\n---\n")
}

impl Role {
    /// Reads a role from its file; `file` is the path shown in errors, and its stem must be the role's name.
    pub fn parse(file: &str, text: &str) -> Result<Self, DataError> {
        let fail = |why: String| DataError { file: file.to_owned(), why };
        if text.len() > MAX_BYTES {
            return Err(fail(format!("it is longer than {MAX_BYTES} bytes")));
        }
        let text = text.replace("\r\n", "\n");
        let (front, prompt) = front_matter(&text)
            .ok_or_else(|| fail("it does not start with front matter between two lines `---`".into()))?;
        let front: Front = serde_yaml::from_str(front).map_err(|error| fail(error.to_string()))?;
        let digest = Digest::of(&text);
        let role = Self {
            route: front.route.unwrap_or_else(|| front.name.clone()),
            name: front.name,
            version: front.version,
            title: front.title,
            rights: front.rights.iter().copied().collect(),
            max_output: front.max_output,
            rubric: front.rubric,
            prompt: prompt.trim().to_owned(),
            digest,
        };
        role.fault(file).map_or(Ok(role), |why| Err(fail(why)))
    }

    fn fault(&self, file: &str) -> Option<String> {
        let stem = file.rsplit('/').next().and_then(|name| name.strip_suffix(".md")).unwrap_or_default();
        let mut ids = BTreeSet::new();
        let twice = self.rubric.iter().find(|item| !ids.insert(&item.id));
        if stem != self.name.as_str() {
            Some(format!("it calls itself `{}`", self.name))
        } else if self.rights.is_empty() {
            Some("it has no right at all".into())
        } else if self.rights.contains(&Right::CritiqueOnly) && self.rights.len() > 1 {
            Some("`critique-only` goes with no other right".into())
        } else if self.rights.contains(&Right::MayEdit) && self.rights.contains(&Right::MayWriteTests) {
            Some("who writes the tests may not edit the change: `may-edit` and `may-write-tests` exclude each other".into())
        } else if !(256..=64_000).contains(&self.max_output) {
            Some("`max-output` must be between 256 and 64000".into())
        } else if self.may_critique() && self.rubric.is_empty() {
            Some("a role that judges needs a rubric".into())
        } else if self.prompt.is_empty() {
            Some("it has no prompt".into())
        } else if self.title.trim().is_empty() || self.title.chars().any(char::is_control) {
            Some("`title` must be one line".into())
        } else {
            twice.map(|item| format!("the rubric has `{}` twice", item.id))
        }
    }

    /// Tells whether it may judge.
    pub fn may_critique(&self) -> bool {
        self.rights.contains(&Right::MayCritique) || self.rights.contains(&Right::CritiqueOnly)
    }

    /// Returns the rubric as text for a prompt.
    pub fn rubric_text(&self) -> String {
        let line = |item: &RubricItem| {
            let severity = match item.severity {
                RiskLevel::Low => "low",
                RiskLevel::Medium => "medium",
                RiskLevel::High => "high",
            };
            format!("- {} (usually {severity}): {}\n", item.id, item.text.trim())
        };
        self.rubric.iter().map(line).collect()
    }
}

/// The roles there are.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Cast {
    roles: BTreeMap<String, Role>,
}

impl Cast {
    /// Returns the roles of the binary with `extra` ones as (path, text), which win over those of the same name.
    pub fn load(extra: &[(String, String)]) -> Result<Self, DataError> {
        let mut roles = BTreeMap::new();
        for path in Embedded::iter() {
            let Some(file) = Embedded::get(&path) else { continue };
            let text = String::from_utf8_lossy(&file.data).into_owned();
            let role = Role::parse(&format!("roles/{path}"), &text)?;
            roles.insert(role.name.as_str().to_owned(), role);
        }
        for (path, text) in extra {
            let role = Role::parse(path, text)?;
            roles.insert(role.name.as_str().to_owned(), role);
        }
        let cast = Self { roles };
        for (name, right) in [
            (ARCHITECT, Right::MayPropose),
            (ARCHITECT, Right::MayCritique),
            (BUILDER, Right::MayEdit),
            (BUILDER, Right::MayCritique),
            (TEST_WRITER, Right::MayWriteTests),
        ] {
            if !cast.role(name)?.rights.contains(&right) {
                let why = format!("`{name}` needs the right `{}`", right.as_str());
                return Err(DataError { file: format!("roles/{name}.md"), why });
            }
        }
        Ok(cast)
    }

    /// Returns a role by its name.
    pub fn role(&self, name: &str) -> Result<&Role, DataError> {
        let missing = || DataError { file: format!("roles/{name}.md"), why: "there is no such role".into() };
        self.roles.get(name).ok_or_else(missing)
    }

    /// Returns the critics of a list of names, each of which must be one.
    pub fn critics(&self, names: &[String]) -> Result<Vec<&Role>, DataError> {
        let critic = |name: &String| {
            let role = self.role(name)?;
            let why = "it may not judge, so it cannot be cast as a critic".to_owned();
            if role.may_critique() {
                Ok(role)
            } else {
                Err(DataError { file: format!("roles/{name}.md"), why })
            }
        };
        names.iter().map(critic).collect()
    }

    /// Returns every role, by name.
    pub fn iter(&self) -> impl Iterator<Item = &Role> {
        self.roles.values()
    }

    /// Returns the role whose route is taken where there is none for `role`; itself where that is unknown.
    pub fn route_of<'a>(&'a self, role: &'a str) -> &'a str {
        self.roles.get(role).map_or(role, |role| role.route.as_str())
    }

    /// Returns what proposals depend on: the roles by digest.
    pub fn materials(&self) -> Vec<Material> {
        self.iter()
            .map(|role| Material { name: format!("role:{}", role.name), digest: role.digest.clone() })
            .collect()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const GOOD: &str = "---\nname: x\nversion: 1\ntitle: X\nrights: [critique-only]\nmax-output: 1000\n\
                        rubric:\n  - id: a\n    severity: high\n    text: t\n---\nYou are X.\n";

    #[test]
    fn the_built_in_cast_is_whole() {
        let cast = Cast::load(&[]).unwrap();
        let names: Vec<_> = cast.iter().map(|role| role.name.as_str()).collect();
        assert_eq!(
            names,
            [
                "architect",
                "builder",
                "doc-writer",
                "performance-tuner",
                "refactorer",
                "security-architect",
                "test-writer"
            ]
        );
        let critics = cast.critics(&["security-architect".into(), "doc-writer".into()]).unwrap();
        assert_eq!(critics.len(), 2);
        assert!(cast.critics(&["test-writer".into()]).is_err());
        assert!(cast.critics(&["nobody".into()]).is_err());
        assert_eq!(cast.route_of("security-architect"), "architect");
        assert_eq!(cast.materials().len(), names.len());
    }

    #[test]
    fn broken_roles_are_refused_with_the_reason() {
        let good = Role::parse("roles/x.md", GOOD).unwrap();
        assert_eq!((good.prompt.as_str(), good.route.as_str()), ("You are X.", "x"));
        assert!(good.rubric_text().contains("- a (usually high): t"));
        for (from, to, why) in [
            ("---\nname", "name", "front matter"),
            ("name: x", "name: y", "calls itself `y`"),
            ("name: x", "name: X Y", "name"),
            ("[critique-only]", "[]", "no right"),
            ("[critique-only]", "[critique-only, may-edit]", "no other right"),
            ("[critique-only]", "[may-edit, may-write-tests]", "exclude each other"),
            ("[critique-only]", "[may-rule]", "may-rule"),
            ("max-output: 1000", "max-output: 1", "max-output"),
            ("max-output: 1000", "max-output: 1000\nkey: sk", "key"),
            ("rubric:\n  - id: a\n    severity: high\n    text: t\n", "", "rubric"),
            ("text: t\n", "text: t\n  - id: a\n    severity: low\n    text: u\n", "twice"),
            ("You are X.", "", "no prompt"),
            ("title: X", "title: \"\"", "one line"),
        ] {
            let text = GOOD.replacen(from, to, 1);
            assert_ne!(text, GOOD);
            let error = Role::parse("roles/x.md", &text).unwrap_err();
            assert!(error.to_string().contains(why), "{error} / {why}");
        }
    }

    #[test]
    fn a_repository_may_change_a_role_but_not_take_its_right_away() {
        let builder = GOOD.replace("name: x", "name: builder");
        let error = Cast::load(&[("roles/builder.md".into(), builder)]).unwrap_err();
        assert!(error.why.contains("may-edit"), "{error}");
        let cast = Cast::load(&[("my/x.md".into(), GOOD.into())]).unwrap();
        assert!(cast.role("x").unwrap().may_critique());
    }

    proptest::proptest! {
        #[test]
        fn no_text_makes_the_parser_panic(text in "(?s).{0,200}", front in "(?s)[a-z:\\[\\]\\- \n]{0,120}") {
            let _ = Role::parse("roles/x.md", &text);
            let _ = Role::parse("roles/x.md", &format!("---\n{front}\n---\n{text}"));
        }
    }
}
