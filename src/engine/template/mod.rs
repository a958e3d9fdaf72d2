//! The template engine: real changes from `templates/`, with no model, key or network.
//!
//! Must never do half of what is asked: a request that says more than a template does is refused, with the reason.

mod build;
mod choose;
pub mod detect;
mod json;
pub mod manifest;
mod ops;
mod parameters;
mod render;
mod request;
mod source;
mod tree;

use std::collections::BTreeMap;
use std::sync::OnceLock;

use crate::artifact::id::Slug;
use crate::artifact::types::change_set::{ChangeSet, FileChange, TestSet};
use crate::artifact::types::manifest::Material;
use crate::artifact::types::plan::{FileRole, Plan, PlannedFile, Risk, RiskLevel, TemplateUse};
use crate::artifact::types::task::Task;
use crate::artifact::types::verification::Verification;

use super::{Engine, EngineError, Proposed, View};
use build::{Built, build};
use choose::{Choice, choose, resume};
pub use source::{Template, TemplateSource, embedded, read_folder};
pub use tree::Tree;

/// The engine's name.
pub const NAME: &str = "template";

/// Proposes changes from templates.
#[derive(Debug)]
pub struct TemplateEngine {
    extra: Vec<TemplateSource>,
    loaded: OnceLock<Result<Vec<Template>, (String, String)>>,
}

impl TemplateEngine {
    /// Returns an engine with the templates in the binary and `extra` ones, which win over built-in ones of the same
    /// name; nothing is parsed before it is needed.
    pub fn new(extra: Vec<TemplateSource>) -> Self {
        Self { extra, loaded: OnceLock::new() }
    }

    /// Returns every template, by name.
    pub fn templates(&self) -> Result<&[Template], EngineError> {
        let loaded = self.loaded.get_or_init(|| {
            let mut sources: BTreeMap<String, TemplateSource> = BTreeMap::new();
            for source in embedded().into_iter().chain(self.extra.iter().cloned()) {
                sources.insert(source.name.clone(), source);
            }
            let all: Result<Vec<_>, EngineError> = sources.values().map(Template::load).collect();
            all.map_err(|error| match error {
                EngineError::Broken { name, why } => (name, why),
                other => (String::new(), other.to_string()),
            })
        });
        loaded.as_deref().map_err(|(name, why)| EngineError::Broken { name: name.clone(), why: why.clone() })
    }

    fn rebuild(
        &self,
        view: &View<'_>,
        task: &Task,
        plan: &Plan,
    ) -> Result<(Option<String>, Planned), EngineError> {
        let used = plan.template.as_ref().ok_or_else(|| EngineError::Broken {
            name: "none".into(),
            why: "the plan was not made from a template".into(),
        })?;
        let tree = Tree::of(view)?;
        let choice = resume(self.templates()?, task, used, &tree)?;
        let built = build(&choice, &tree)?;
        Ok((choice.variant.exempt.clone(), Planned { uncovered: choice.variant.uncovered.clone(), built }))
    }
}

struct Planned {
    uncovered: BTreeMap<String, String>,
    built: Built,
}

impl Engine for TemplateEngine {
    fn name(&self) -> &'static str {
        NAME
    }

    fn materials(&self) -> Result<Vec<Material>, EngineError> {
        let material =
            |t: &Template| Material { name: format!("template:{}", t.name()), digest: t.digest.clone() };
        Ok(self.templates()?.iter().map(material).collect())
    }

    fn plan(&self, view: &View<'_>, task: &Task) -> Result<Proposed<Plan>, EngineError> {
        let tree = Tree::of(view)?;
        let choice = choose(self.templates()?, task, &tree)?;
        let built = build(&choice, &tree)?;
        plan_of(&choice, &built).map(Proposed::undiscussed)
    }

    fn tests(&self, view: &View<'_>, task: &Task, plan: &Plan) -> Result<TestSet, EngineError> {
        let (exempt, Planned { uncovered, built }) = self.rebuild(view, task, plan)?;
        let Built { tests: files, expected, .. } = built;
        Ok(TestSet { base_tree: view.tree.clone(), files, expected, uncovered, exempt })
    }

    fn edits(
        &self,
        view: &View<'_>,
        task: &Task,
        plan: &Plan,
        _tests: &TestSet,
        feedback: Option<&Verification>,
    ) -> Result<Proposed<ChangeSet>, EngineError> {
        if let Some(report) = feedback {
            return Err(EngineError::stuck(NAME, report));
        }
        let (_, Planned { built, .. }) = self.rebuild(view, task, plan)?;
        Ok(Proposed::undiscussed(ChangeSet { base_tree: view.tree.clone(), files: built.edits }))
    }
}

fn plan_of(choice: &Choice<'_>, built: &Built) -> Result<Plan, EngineError> {
    let (v, renderer) = (choice.variant, &choice.renderer);
    let text = |what: &str, source: &str| renderer.text(what, source).map(|t| t.trim().to_owned());
    let mut risks = Vec::new();
    for risk in &v.risks {
        if renderer.holds(risk.when.as_deref())? {
            let (said, mitigation) =
                (text("risks.text", &risk.text)?, text("risks.mitigation", &risk.mitigation)?);
            risks.push(Risk { level: risk.level, text: said, mitigation });
        }
    }
    risks.extend(choice.reasons.iter().map(|reason| Risk {
        level: RiskLevel::Low,
        text: format!(
            "The request gives a reason that nothing checks: {}",
            reason.chars().take(200).collect::<String>()
        ),
        mitigation: "Read whether the change serves it.".into(),
    }));
    let mut criteria = v.criteria.clone();
    for criterion in &mut criteria {
        criterion.text = text("criteria.text", &criterion.text)?;
    }
    Ok(Plan {
        summary: text("summary", &v.summary)?,
        change_type: v.change_type.clone(),
        scope: Slug::fold(&text("scope", &v.scope)?, 40, choice.template.name()),
        subject: text("subject", &v.subject)?,
        steps: v.steps.iter().map(|s| text("steps", s)).collect::<Result<_, _>>()?,
        files: planned(built),
        criteria,
        risks,
        rollback: text("rollback", &v.rollback)?,
        template: Some(TemplateUse {
            name: choice.template.manifest.name.clone(),
            digest: choice.template.digest.clone(),
            variant: v.name.clone(),
            parameters: choice.parameters.clone(),
        }),
    })
}

fn planned(built: &Built) -> Vec<PlannedFile> {
    let role = |role: FileRole| {
        move |f: &FileChange| PlannedFile { path: f.path.clone(), role, exists: f.before.is_some() }
    };
    let tests = built.tests.iter().map(role(FileRole::Test));
    let mut files: Vec<_> = tests.chain(built.edits.iter().map(role(FileRole::Change))).collect();
    files.sort_by(|a, b| a.path.cmp(&b.path));
    files
}
