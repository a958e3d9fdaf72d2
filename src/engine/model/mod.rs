//! The model engine: roles propose and judge, code checks, decides and ends it.
//!
//! Must never pass on what a model says unchecked, let a model touch a frozen test, or talk longer than its rules allow.

mod context;
mod desk;
mod draft;
mod edits;
mod judge;
mod plan;
mod planned;
mod reply;
mod report;
mod schema;
mod tests;

use crate::agent::PlannedCall;
use crate::agent::context::{Lookup, Retriever};
use crate::agent::debate::{End, Resolver};
use crate::agent::prompt::Prompts;
use crate::agent::role::{ARCHITECT, BUILDER, Cast, TEST_WRITER};
use crate::artifact::digest::Digest;
use crate::artifact::id::StageId;
use crate::artifact::path::RepoPath;
use crate::artifact::types::change_set::{ChangeSet, TestSet};
use crate::artifact::types::manifest::Material;
use crate::artifact::types::plan::Plan;
use crate::artifact::types::task::Task;
use crate::artifact::types::verification::Verification;
use crate::edit::format::Format;

use super::{Engine, EngineError, Proposed, View};

/// The engine's name.
pub const NAME: &str = "model";

/// What the engine is made of besides its prompts.
#[derive(Clone, Debug, Default)]
pub struct Setup {
    /// What the routes are: one material for each role's models, so that another model gives another stage key.
    pub routes: Vec<Material>,
    /// Roles of the repository as (path, text); they win over built-in ones of the same name.
    pub roles: Vec<(String, String)>,
    /// Prompts of the repository in the same form; they stand for those of the same step.
    pub prompts: Vec<(String, String)>,
    /// Roles that judge besides, by name; each costs as much as the Architect's judgement.
    pub critics: Vec<String>,
    /// The committed file of project memory; it is read from the base and never written.
    pub notes: Option<RepoPath>,
    /// The format the Builder is asked to write edits in.
    pub edits: Format,
}

/// Proposes changes by asking models.
pub struct ModelEngine {
    cast: Cast,
    prompts: Prompts,
    setup: Setup,
    retriever: Box<dyn Retriever>,
}

impl ModelEngine {
    /// Returns an engine; roles, prompts and the cast of critics are checked here.
    pub fn new(setup: Setup) -> Result<Self, EngineError> {
        let (cast, prompts) = (Cast::load(&setup.roles)?, Prompts::load(&setup.prompts)?);
        cast.critics(&setup.critics)?;
        Ok(Self { cast, prompts, setup, retriever: Box::new(Lookup) })
    }

    /// Returns what the Builder is told of the format of its edits; `None`: the prompt's own words of JSON.
    fn form(&self) -> Option<&str> {
        let step = match self.setup.edits {
            Format::Json => return None,
            Format::Udiff => "edits.udiff",
            Format::SearchReplace => "edits.sr",
            Format::V4a => "edits.v4a",
        };
        self.prompts.of(step).ok().map(|prompt| prompt.text.as_str())
    }

    /// Returns the roles, for routes.
    pub const fn cast(&self) -> &Cast {
        &self.cast
    }
}

impl std::fmt::Debug for ModelEngine {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("ModelEngine").field("setup", &self.setup).finish_non_exhaustive()
    }
}

impl Engine for ModelEngine {
    fn name(&self) -> &'static str {
        NAME
    }

    fn planned_calls(&self, stage: StageId) -> Vec<PlannedCall> {
        planned::calls(self, stage)
    }

    fn materials(&self) -> Result<Vec<Material>, EngineError> {
        let mut materials = self.cast.materials();
        materials.extend(self.prompts.materials());
        materials.extend(self.setup.routes.iter().cloned());
        let edits = (self.setup.edits != Format::Json).then(|| self.setup.edits.name());
        let settings = match edits {
            None => Digest::of_json(&(&self.setup.critics, &self.setup.notes)),
            Some(edits) => Digest::of_json(&(&self.setup.critics, &self.setup.notes, edits)),
        };
        let digest = settings.unwrap_or_else(|_| Digest::of(""));
        materials.push(Material { name: "model-engine:settings".into(), digest });
        materials.sort();
        Ok(materials)
    }

    fn plan(&self, view: &View<'_>, task: &Task) -> Result<Proposed<Plan>, EngineError> {
        plan::plan(self, view, task)
    }

    fn tests(&self, view: &View<'_>, task: &Task, plan: &Plan) -> Result<TestSet, EngineError> {
        tests::tests(self, view, task, plan)
    }

    fn edits(
        &self,
        view: &View<'_>,
        task: &Task,
        plan: &Plan,
        tests: &TestSet,
        feedback: Option<&Verification>,
    ) -> Result<Proposed<ChangeSet>, EngineError> {
        edits::edits(self, view, edits::Job { task, plan, tests, feedback })
    }
}

/// Tells the listeners which citations were refused, why, and what would have been right.
fn note_refused(view: &View<'_>, resolver: &Resolver<'_>) {
    for refused in resolver.take_refused() {
        (view.note)(format!(
            "citation refused: {}",
            crate::agent::fence::one_line(&refused.to_string(), 500)
        ));
    }
}

/// Tells the listeners how a debate ended.
fn note_end(view: &View<'_>, end: &End) {
    let turns = crate::diagnostic::text::count(end.turns as usize, "turn");
    (view.note)(if end.converged() {
        format!("CONVERGED after {turns}: {}", end.why)
    } else {
        format!("no agreement after {turns}, {}: {}", end.rule, crate::agent::fence::one_line(&end.why, 300))
    });
}

/// The names of the roles in use, for records and routes.
pub const ROLES: &[&str] = &[ARCHITECT, BUILDER, TEST_WRITER];
