//! Who writes a change and on what terms: the engine, its routes, limits and records, put together for one run.
//!
//! Must never call a model itself, and must never take an engine other than the one the task was given to.

use std::time::Duration;

use super::CommandError;
use super::args::Global;
use super::assign::{AssignArgs, Terms};
use super::error::UsageError;
use super::models::{ConfiguredRoutes, ModelSetup};
use super::session::{self, Session};
use crate::agent::catalogue::RouteEntry;
use crate::agent::gateway::{Gateway, GatewayConfig, Mode, Records, worst_case};
use crate::agent::role::{ARCHITECT, BUILDER, Cast, TEST_WRITER};
use crate::agent::route::Routes as _;
use crate::agent::{Models, NoModels};
use crate::artifact::digest::Digest;
use crate::artifact::envelope::Envelope;
use crate::artifact::id::{StageId, TreeId};
use crate::artifact::kind::slot;
use crate::artifact::money::{NanoUsd, Usd};
use crate::artifact::store::ArtifactStore;
use crate::artifact::types::manifest::Material;
use crate::artifact::types::task::{Assignment, Task};
use crate::config::{Config, EngineChoice};
use crate::diagnostic::redact::redact;
use crate::engine::model::{self, ModelEngine, Setup};
use crate::engine::revert::RevertEngine;
use crate::engine::template::{TemplateEngine, TemplateSource};
use crate::engine::{Engine, EngineError, revert, template};
use crate::pipeline::Prices;
use crate::ports::vcs::VcsRead;
use crate::ports::workspace::TempWorkspaces;
use crate::stage::Ports;

/// The roles every change needs.
const CAST: [&str; 3] = [ARCHITECT, BUILDER, TEST_WRITER];

/// Where a repository keeps roles of its own.
pub const ROLES: &str = ".orch/roles/";

/// Where a repository keeps its own wording of prompts.
pub const PROMPTS: &str = ".orch/prompts/";

/// Who writes a change, and on what terms.
pub struct Desk {
    /// Who proposes.
    pub engine: Box<dyn Engine>,
    governed: Option<Governed>,
}

/// What writes changes while an upgrade is tried.
pub enum Trial {
    /// Templates: those of the repository with the candidate's.
    Templates(Vec<TemplateSource>),
    /// Models.
    Models {
        /// Who can be asked.
        setup: Box<ModelSetup>,
        /// The model every role is to use, where one was named.
        named: Option<String>,
        /// Roles and prompts.
        words: Words,
    },
}

/// What calls to models are held to.
struct Governed {
    setup: ModelSetup,
    routes: ConfiguredRoutes,
    records: Option<Records>,
    live: bool,
    terms: Terms,
}

impl Prices for Desk {
    fn engine(&self) -> &'static str {
        self.engine.name()
    }

    fn worst_case(&self, stage: StageId) -> Option<NanoUsd> {
        match &self.governed {
            None => Some(NanoUsd::ZERO),
            Some(governed) => worst_case(&self.engine.planned_calls(stage), &governed.routes),
        }
    }

    fn ceiling(&self) -> Option<NanoUsd> {
        self.governed.as_ref().and_then(|governed| governed.terms.limits.run.max_nano_usd)
    }
}

impl Desk {
    /// Opens the desk of a task's engine; nothing is called, and no credential is used.
    ///
    /// `task` is what the run was assigned to when it began, where it has begun.
    pub fn open(
        session: &Session,
        assignment: &Assignment,
        task: Option<&Assignment>,
        args: &AssignArgs,
        records: Option<Records>,
    ) -> Result<Self, CommandError> {
        let terms = Terms::of(args, task.or(Some(assignment)), &session.config);
        match assignment.engine.as_str() {
            template::NAME => Ok(Self { engine: Box::new(session.templates()?), governed: None }),
            revert::NAME => Ok(Self { engine: Box::new(RevertEngine), governed: None }),
            model::NAME => {
                let setup = session.models()?;
                let named = args.model.as_deref().or(assignment.model.as_deref());
                let tree = session.vcs.head()?.tree;
                let engine = model_engine(&setup, named, &session.config, Words::of(&session.vcs, &tree)?)?;
                let routes = routes(&setup, named, records.is_some())?.with_cast(engine.cast());
                let governed = Governed { setup, routes, records, live: args.live, terms };
                Ok(Self { engine: Box::new(engine), governed: Some(governed) })
            }
            other => Err(UsageError {
                what: format!("the task was given to the engine `{other}`, which this program does not have"),
                help: "Use the orch that started the run, or start it again.".into(),
            }
            .into()),
        }
    }

    /// Opens the desk of a candidate: the parts an upgrade would change come from it, and every answer is asked for anew.
    pub fn trial(
        trial: Trial,
        assignment: &Assignment,
        config: &Config,
        limit: NanoUsd,
    ) -> Result<Self, CommandError> {
        let args = AssignArgs { max_cost_usd: Some(Usd(limit)), ..AssignArgs::default() };
        let terms = Terms::of(&args, Some(assignment), config);
        match trial {
            Trial::Templates(sources) => {
                Ok(Self { engine: Box::new(TemplateEngine::new(sources)), governed: None })
            }
            Trial::Models { setup, named, words } => {
                let engine = model_engine(&setup, named.as_deref(), config, words)?;
                let routes = routes(&setup, named.as_deref(), false)?.with_cast(engine.cast());
                let governed = Governed { setup: *setup, routes, records: None, live: false, terms };
                Ok(Self { engine: Box::new(engine), governed: Some(governed) })
            }
        }
    }

    /// Returns what a person should know of the models before they are asked, one line each.
    pub fn warnings(&self) -> Vec<String> {
        self.governed.as_ref().map(|governed| governed.setup.warnings(&CAST)).unwrap_or_default()
    }

    /// Hands every port of a run to `act`.
    pub fn with_ports<R>(
        &self,
        session: &Session,
        workspaces: &TempWorkspaces<'_>,
        act: impl FnOnce(Ports<'_>) -> R,
    ) -> R {
        let Some(governed) = &self.governed else {
            return act(session.ports(workspaces, self.engine.as_ref(), &NoModels));
        };
        let price = |provider: &str, model: &str| governed.setup.price(provider, model);
        let sleep = |time: Duration| std::thread::sleep(time);
        let mode = match &governed.records {
            Some(records) => Mode::Replay(records),
            None if governed.live => Mode::Live,
            None => Mode::Record,
        };
        let gateway = Gateway::new(GatewayConfig {
            limits: governed.terms.limits,
            stages: governed.terms.stages.clone(),
            mode,
            routes: &governed.routes,
            clock: session.clock(),
            redact: &redact,
            price_of: &price,
            sleep: &sleep,
        });
        let models: &dyn Models = &gateway;
        act(session.ports(workspaces, self.engine.as_ref(), models))
    }
}

/// Returns who is to do a request: whoever began it, unless the command line or the config names somebody else.
pub fn assign(
    session: &Session,
    begun: Option<&Assignment>,
    args: &AssignArgs,
) -> Result<Assignment, CommandError> {
    let free = args.engine.is_none() && args.model.is_none() && session.config.engine == EngineChoice::Auto;
    match begun.filter(|_| free) {
        Some(begun) => Ok(begun.clone()),
        None => Ok(args.assignment(choose(session, args)?)),
    }
}

/// Returns what a run was assigned to when it began; a damaged file is found by the check of the chain.
pub fn begun(store: &dyn ArtifactStore) -> Result<Option<Assignment>, CommandError> {
    Ok(task(store)?.map(|task| task.assignment))
}

/// Returns the task of a run that has begun.
pub fn task(store: &dyn ArtifactStore) -> Result<Option<Task>, CommandError> {
    let bytes = store.read(slot::TASK.path)?;
    let task = bytes.and_then(|bytes| Envelope::<Task>::from_bytes(&bytes).ok());
    Ok(task.map(|envelope| envelope.body))
}

/// Returns the record of the run that is to answer, where one is named.
pub fn records(args: &AssignArgs, global: &Global) -> Result<Option<Records>, CommandError> {
    let Some(name) = &args.replay else { return Ok(None) };
    Ok(Some(Records::of_run(&session::find_run(global, Some(name))?.store)?))
}

/// Chooses the engine of a new task: what was named, else models where every role of a change has one that can be asked.
fn choose(session: &Session, args: &AssignArgs) -> Result<&'static str, CommandError> {
    match args.engine.unwrap_or(session.config.engine) {
        EngineChoice::Template => Ok(template::NAME),
        EngineChoice::Model => Ok(model::NAME),
        EngineChoice::Revert => Ok(revert::NAME),
        EngineChoice::Auto if args.model.is_some() || args.replay.is_some() => Ok(model::NAME),
        EngineChoice::Auto if session.models_come_later() => Ok(model::NAME),
        EngineChoice::Auto => {
            let routes = session.models()?.routes()?;
            let all = CAST.iter().all(|role| !routes.candidates(role).is_empty());
            Ok(if all { model::NAME } else { template::NAME })
        }
    }
}

/// Returns who may answer: every role one model where it was named, else what the catalogue says.
pub fn routes(
    setup: &ModelSetup,
    named: Option<&str>,
    recorded: bool,
) -> Result<ConfiguredRoutes, CommandError> {
    let Some(name) = named else {
        return if recorded { setup.recorded_routes() } else { setup.routes() };
    };
    let entry = entry(name)?;
    let candidate = if recorded { setup.recorded(&entry)? } else { setup.candidate(&entry)? };
    Ok(ConfiguredRoutes::all_to(candidate))
}

fn entry(name: &str) -> Result<RouteEntry, CommandError> {
    let (provider, model) = name
        .split_once('/')
        .filter(|(provider, model)| !provider.is_empty() && !model.is_empty())
        .ok_or_else(|| UsageError {
            what: format!("`{name}` is not a model"),
            help:
                "Name a provider and a model, as `anthropic/claude-sonnet-5-5`; `orch providers` lists them."
                    .into(),
        })?;
    Ok(RouteEntry {
        provider: provider.to_owned(),
        model: model.to_owned(),
        effort: None,
        extra: serde_json::Map::new(),
    })
}

/// The words of a repository to models: its roles and prompts as (path, text), those of a commit's tree, never of the
/// working tree.
#[derive(Clone, Debug, Default)]
pub struct Words {
    roles: Vec<(String, String)>,
    prompts: Vec<(String, String)>,
}

impl Words {
    /// Reads the words of a tree.
    pub fn of(vcs: &dyn VcsRead, tree: &TreeId) -> Result<Self, CommandError> {
        let mut words = Self::default();
        for entry in vcs.entries(tree)?.iter() {
            let Some(path) = entry.utf8_path().filter(|path| is_words(path)) else { continue };
            let bytes = vcs.file(tree, path)?.unwrap_or_default();
            words.put(path, String::from_utf8_lossy(&bytes).into_owned());
        }
        Ok(words)
    }

    /// Puts a text in the place of the one at its path.
    pub fn put(&mut self, path: &str, text: String) {
        let list = if path.starts_with(ROLES) { &mut self.roles } else { &mut self.prompts };
        list.retain(|(other, _)| other != path);
        list.push((path.to_owned(), text));
    }
}

/// Tells whether a path is one of a role or a prompt of the repository.
pub fn is_words(path: &str) -> bool {
    let markdown = std::path::Path::new(path).extension().is_some_and(|ending| ending == "md");
    markdown && (path.starts_with(ROLES) || path.starts_with(PROMPTS))
}

/// Returns the cast of a repository: the built-in roles and those of a commit's tree.
pub fn cast(vcs: &dyn VcsRead, tree: &TreeId) -> Result<Cast, CommandError> {
    Ok(Cast::load(&Words::of(vcs, tree)?.roles).map_err(EngineError::from)?)
}

/// Returns the role whose route is taken for a role.
fn route_name<'a>(setup: &'a ModelSetup, cast: &'a Cast, role: &'a str) -> &'a str {
    if setup.catalogue.routes().any(|(name, _)| name == role) { role } else { cast.route_of(role) }
}

/// Returns the model engine of a repository.
pub fn model_engine(
    setup: &ModelSetup,
    named: Option<&str>,
    config: &Config,
    words: Words,
) -> Result<ModelEngine, CommandError> {
    let Words { roles, prompts } = words;
    let cast = Cast::load(&roles).map_err(EngineError::from)?;
    let mut everybody: Vec<String> = CAST.map(str::to_owned).to_vec();
    everybody.extend(config.models.critics.iter().map(ToString::to_string));
    let mut routes = Vec::new();
    for role in &everybody {
        let digest = match named {
            Some(model) => Digest::of(model),
            None => {
                setup.catalogue.digest_of_routes(&[route_name(setup, &cast, role)]).map_err(|source| {
                    UsageError {
                        what: format!("the route of `{role}` has no canonical form: {source}"),
                        help: "Check the routes in models.toml.".into(),
                    }
                })?
            }
        };
        routes.push(Material { name: format!("route:{role}"), digest });
    }
    let edits = match named {
        Some(model) => setup.catalogue.edits_of(&[entry(model)?]),
        None => setup.catalogue.edits_of(setup.catalogue.route(route_name(setup, &cast, BUILDER))),
    };
    Ok(ModelEngine::new(Setup {
        routes,
        roles,
        prompts,
        critics: config.models.critics.iter().map(ToString::to_string).collect(),
        notes: config.models.notes.parse().ok(),
        edits,
    })?)
}
