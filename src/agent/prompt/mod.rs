//! Prompts as versioned files with digests, `prompts/<step>.md`, rendered over checked values.
//!
//! Must never render a value twice, and must never take a text of others as it is: such values come in as [`Text::Data`]
//! and are fenced here.

use std::collections::BTreeMap;

use minijinja::syntax::SyntaxConfig;
use minijinja::{Environment, UndefinedBehavior};
use serde::Deserialize;

use crate::agent::fence::fence;
use crate::agent::role::{DataError, Role, front_matter};
use crate::artifact::digest::Digest;
use crate::artifact::types::manifest::Material;

#[derive(rust_embed::RustEmbed)]
#[folder = "prompts/"]
struct Embedded;

/// The instruction every role gets about fenced text.
pub const STANDING: &str = "standing";

/// One prompt.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Prompt {
    /// The step it is for, as `plan.propose`.
    pub step: String,
    /// Its version: raised with each change of meaning.
    pub version: u32,
    /// What the step is for.
    pub purpose: String,
    /// The most tokens of the stable part of the user text.
    pub context_tokens: u32,
    /// The most tokens of the part that differs from call to call, the prompt's own words left out.
    pub prompt_tokens: u32,
    /// The text, a minijinja template.
    pub text: String,
    /// The digest of its file.
    pub digest: Digest,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields, rename_all = "kebab-case")]
struct Front {
    step: String,
    version: u32,
    purpose: String,
    #[serde(default)]
    context_tokens: u32,
    #[serde(default)]
    prompt_tokens: u32,
}

impl Prompt {
    /// Reads a prompt from its file, whose stem must be the step.
    pub fn parse(file: &str, text: &str) -> Result<Self, DataError> {
        let fail = |why: String| DataError { file: file.to_owned(), why };
        let (front, body) = front_matter(text)
            .ok_or_else(|| fail("it does not start with front matter between two lines `---`".into()))?;
        let front: Front = serde_yaml::from_str(front).map_err(|error| fail(error.to_string()))?;
        let stem = file.rsplit('/').next().and_then(|name| name.strip_suffix(".md")).unwrap_or_default();
        if stem != front.step {
            return Err(fail(format!("it is for the step `{}`", front.step)));
        }
        if body.trim().is_empty() {
            return Err(fail("it has no text".into()));
        }
        if front.context_tokens.saturating_add(front.prompt_tokens) > 500_000 {
            return Err(fail("its ceilings are over 500000 tokens".into()));
        }
        Ok(Self {
            step: front.step,
            version: front.version,
            purpose: front.purpose,
            context_tokens: front.context_tokens,
            prompt_tokens: front.prompt_tokens,
            text: body.trim().to_owned(),
            digest: Digest::of(text),
        })
    }
}

/// A value of a prompt.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Text {
    /// Words of this program: a number, a name from a fixed list, blocks that are fenced already.
    Own(String),
    /// Words of anybody else, with what they are: fenced before they are put in.
    Data {
        /// What it is, as `request`.
        label: String,
        /// The words.
        content: String,
    },
}

impl Text {
    /// Returns words of anybody else.
    pub fn data(label: impl Into<String>, content: impl Into<String>) -> Self {
        Self::Data { label: label.into(), content: content.into() }
    }

    fn shown(&self) -> String {
        match self {
            Self::Own(text) => text.clone(),
            Self::Data { label, content } => fence(label, content),
        }
    }
}

/// The prompts there are.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Prompts {
    prompts: BTreeMap<String, Prompt>,
}

impl Prompts {
    /// Returns the prompts of the binary with `own` ones as (path, text) in place of those of the same step.
    ///
    /// A step nobody asks is refused: a name that is misspelt would change nothing, silently.
    pub fn load(own: &[(String, String)]) -> Result<Self, DataError> {
        let mut prompts = BTreeMap::new();
        for path in Embedded::iter() {
            let Some(file) = Embedded::get(&path) else { continue };
            let prompt = Prompt::parse(&format!("prompts/{path}"), &String::from_utf8_lossy(&file.data))?;
            prompts.insert(prompt.step.clone(), prompt);
        }
        for (path, text) in own {
            let prompt = Prompt::parse(path, &text.replace("\r\n", "\n"))?;
            if prompts.insert(prompt.step.clone(), prompt).is_none() {
                return Err(DataError {
                    file: path.clone(),
                    why: "no step of that name asks anybody".into(),
                });
            }
        }
        Ok(Self { prompts })
    }

    /// Returns the prompt of a step.
    pub fn of(&self, step: &str) -> Result<&Prompt, DataError> {
        let missing =
            || DataError { file: format!("prompts/{step}.md"), why: "there is no such prompt".into() };
        self.prompts.get(step).ok_or_else(missing)
    }

    /// Returns every prompt, by step.
    pub fn iter(&self) -> impl Iterator<Item = &Prompt> {
        self.prompts.values()
    }

    /// Returns the text of a step over values; a value the prompt names and does not get is an error.
    pub fn render(&self, step: &str, values: &BTreeMap<&str, Text>) -> Result<String, DataError> {
        let prompt = self.of(step)?;
        let mut env = Environment::new();
        env.set_undefined_behavior(UndefinedBehavior::Strict);
        env.set_auto_escape_callback(|_| minijinja::AutoEscape::None);
        // The delimiters are the usual ones, so this cannot fail; if it did, there would only be more white space.
        if let Ok(syntax) = SyntaxConfig::builder().trim_blocks(true).lstrip_blocks(true).build() {
            env.set_syntax(syntax);
        }
        env.set_fuel(Some(100_000));
        let shown: BTreeMap<&str, String> = values.iter().map(|(name, text)| (*name, text.shown())).collect();
        env.render_named_str(step, &prompt.text, &shown).map_err(|error| DataError {
            file: format!("prompts/{step}.md"),
            why: error.detail().map_or_else(|| error.kind().to_string(), str::to_owned),
        })
    }

    /// Returns the instructions of a role: the standing rules, who it is, and its rubric where it judges.
    pub fn system(&self, role: &Role, judges: bool) -> Result<String, DataError> {
        let standing = &self.of(STANDING)?.text;
        let rubric = role.rubric_text();
        let rubric = if judges && !rubric.is_empty() {
            format!(
                "\n\nLook for these kinds of faults; a risk's `rule` is one of the names, or your own in the same form:\n{rubric}"
            )
        } else {
            String::new()
        };
        Ok(format!("{standing}\n\n{}{rubric}", role.prompt))
    }

    /// Returns what proposals depend on: the prompts by digest.
    pub fn materials(&self) -> Vec<Material> {
        self.iter()
            .map(|prompt| Material { name: format!("prompt:{}", prompt.step), digest: prompt.digest.clone() })
            .collect()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_built_in_prompt_can_be_read() {
        let prompts = Prompts::load(&[]).unwrap();
        let steps: Vec<_> = prompts.iter().map(|p| p.step.as_str()).collect();
        for step in [
            "generate.critique",
            "generate.implement",
            "generate.repair",
            "plan.critique",
            "plan.propose",
            "plan.revise",
            "tests.write",
        ] {
            let prompt = prompts.of(step).unwrap();
            assert!(prompt.context_tokens > 0 && prompt.prompt_tokens > 0, "{step}");
        }
        assert!(steps.contains(&STANDING));
        assert!(prompts.of("plan.none").is_err());
    }

    #[test]
    fn values_are_fenced_and_never_rendered_again() {
        let prompts = Prompts::load(&[]).unwrap();
        let values =
            [("error", Text::data("error", "{{ 7 * 7 }} {% raw %}"))].into_iter().collect::<BTreeMap<_, _>>();
        let text = prompts.render("reply.invalid", &values).unwrap();
        assert!(text.contains("{{ 7 * 7 }} {% raw %}\nDATA>>> "), "{text}");
        let error = prompts.render("reply.invalid", &BTreeMap::new()).unwrap_err();
        assert_eq!(error.file, "prompts/reply.invalid.md");
    }

    #[test]
    fn a_repository_may_word_a_step_its_own_way() {
        let own = |step: &str| {
            let text = format!("---\nstep: {step}\nversion: 2\npurpose: x\n---\nOther words.\n");
            Prompts::load(&[(format!(".orch/prompts/{step}.md"), text)])
        };
        let (mine, theirs) = (own("plan.propose").unwrap(), Prompts::load(&[]).unwrap());
        assert_eq!(mine.of("plan.propose").unwrap().text, "Other words.");
        assert_eq!(mine.iter().count(), theirs.iter().count());
        assert_ne!(mine.materials(), theirs.materials());
        assert!(own("plan.suggest").unwrap_err().why.contains("no step"));
    }

    #[test]
    fn broken_prompts_are_refused() {
        let good = "---\nstep: a.b\nversion: 1\npurpose: x\n---\ntext\n";
        Prompt::parse("prompts/a.b.md", good).unwrap();
        for (from, to) in [
            ("---\nstep", "step"),
            ("a.b", "a.c"),
            ("version: 1", "version: one"),
            ("text\n", "\n"),
            ("purpose: x", "purpose: x\ncontext-tokens: 900000"),
            ("purpose: x", "purpose: x\nmodel: y"),
        ] {
            assert!(Prompt::parse("prompts/a.b.md", &good.replacen(from, to, 1)).is_err(), "{to}");
        }
    }
}
