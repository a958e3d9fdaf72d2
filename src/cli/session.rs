//! What every command that works on a repository needs: root, config, ports, run folders.
//!
//! Must never start work: it opens things, the commands do the rest.

use std::fs;
use std::path::{Path, PathBuf};

use super::CommandError;
use super::args::Global;
use super::error::{IoError, UsageError};
use super::models::ModelSetup;
use super::observer::Observer;
use crate::agent::Models;
use crate::artifact::day::Day;
use crate::artifact::digest::Digest;
use crate::artifact::id::{RunId, Slug};
use crate::artifact::store::{ArtifactStore as _, DirStore};
use crate::artifact::types::task::Base;
use crate::config::Config;
use crate::config::detect::{TreeListing, detect_commands};
use crate::config::env::Environment;
use crate::config::load::{Loaded, load};
use crate::diagnostic::{Class, Failure};
use crate::engine::Engine;
use crate::engine::template::TemplateEngine;
use crate::index::Indexed;
use crate::pipeline::{CHANGE, Pipeline};
use crate::ports::clock::{Clock, SystemClock};
use crate::ports::credential::vault;
use crate::ports::forge::github::GitHub;
use crate::ports::forge::{Forge, ForgeRead};
use crate::ports::model::http::HttpTransport;
use crate::ports::observe::{Observe, Prometheus};
use crate::ports::process::SystemProcesses;
use crate::ports::vcs::{GitRepository, VcsError, VcsRead as _, VcsWrite as _};
use crate::ports::workspace::TempWorkspaces;
use crate::stage::{Ports, Request};

/// The credential of the metrics server.
const METRICS: &str = "ORCH_METRICS_TOKEN";

/// A repository with its config and the real ports.
pub struct Session {
    /// The root of the checkout.
    pub root: PathBuf,
    /// The valid config, with the service's name and detected commands filled in.
    pub config: Config,
    /// The repository.
    pub vcs: GitRepository,
    indexed: Indexed,
    clock: SystemClock,
    processes: SystemProcesses,
    environment: Environment,
    artifacts: PathBuf,
    hub: Option<GitHub>,
    observer: Observer,
}

/// A run folder that was asked for.
pub struct FoundRun {
    /// The run.
    pub run: RunId,
    /// Its folder.
    pub folder: PathBuf,
    /// Its files.
    pub store: DirStore,
}

/// Another orch works on the same run.
#[derive(Debug, thiserror::Error)]
#[error("another orch is at work on the run `{0}`")]
pub struct Busy(RunId);

impl Failure for Busy {
    fn class(&self) -> Class {
        Class::Temporary
    }

    fn help(&self) -> Option<String> {
        Some("Wait until it has ended, then run again.".into())
    }
}

/// A link on the way to where the files of a run go: a repository could carry it to have files written elsewhere.
#[derive(Debug, thiserror::Error)]
#[error("{} is a symbolic link, so the files of the run would land elsewhere", .0.display())]
pub struct Astray(PathBuf);

impl Failure for Astray {
    fn class(&self) -> Class {
        Class::Denied
    }

    fn help(&self) -> Option<String> {
        Some("Remove the link; --artifacts FOLDER keeps the run folders anywhere you like.".into())
    }
}

/// Keeps a run for one process; given back when dropped or killed.
pub struct RunLock {
    _file: fs::File,
}

impl Session {
    /// Opens the repository at the folder the command works in.
    pub fn open(global: &Global) -> Result<Self, CommandError> {
        Self::open_at(&folder(global)?, global.config.as_deref(), global.artifacts.as_deref())
    }

    /// Opens the repository at a folder.
    pub fn open_at(
        folder: &Path,
        config: Option<&Path>,
        artifacts: Option<&Path>,
    ) -> Result<Self, CommandError> {
        let environment = Environment::of_process();
        let vcs = GitRepository::open(folder)?;
        let root = vcs.root().to_owned();
        let Loaded { mut config, .. } =
            load(&root, config.map(Path::to_owned).or(environment.config_file()).as_deref())?;
        let head = vcs.head()?;
        if config.service.is_none() {
            let name = root.file_name().map(|n| n.to_string_lossy().into_owned()).unwrap_or_default();
            config.service = Some(Slug::fold(&name, 40, "service"));
        }
        if config.commands == crate::config::Commands::default() {
            config.commands = detect_commands(&TreeListing::read(&vcs, &head.tree)?).commands();
        }
        let artifacts = artifacts.map(Path::to_owned).or(environment.artifacts_folder());
        let artifacts = artifacts.unwrap_or_else(|| root.join(&config.artifacts.folder));
        let remote = vcs.remote_url(&config.pr.remote).ok().flatten();
        let hub = super::hub::open(&config, &environment, remote.as_deref(), vault(), &vcs)?;
        let metrics = Prometheus::new(Box::new(HttpTransport::new()), vault().get(METRICS).cloned());
        let keys = config.release.keys.clone();
        Ok(Self {
            hub,
            observer: Observer::new(vcs.clone(), artifacts.clone(), metrics, keys),
            clock: SystemClock::new(environment.fixed_time()?),
            processes: SystemProcesses::new()?,
            environment,
            artifacts,
            indexed: Indexed::of(vcs.clone()),
            vcs,
            config,
            root,
        })
    }

    /// Returns the maker of clean copies; it removes what killed processes left.
    pub fn workspaces(&self) -> Result<TempWorkspaces<'_>, CommandError> {
        Ok(TempWorkspaces::open(&self.vcs)?)
    }

    /// Returns the clock.
    pub fn clock(&self) -> &dyn Clock {
        &self.clock
    }

    /// Returns the day of the clock, UTC.
    pub fn today(&self) -> Result<Day, CommandError> {
        let now = self.clock.now().to_string();
        Ok(now.get(..10).unwrap_or_default().parse::<Day>().map_err(|error| UsageError {
            what: error.to_string(),
            help: "Set the clock of this machine.".into(),
        })?)
    }

    /// Returns the template engine, with the templates of the repository.
    pub fn templates(&self) -> Result<TemplateEngine, CommandError> {
        Ok(TemplateEngine::new(template_sources(&self.root, &self.config)?))
    }

    /// Tells whether another job of the same run has the keys of models.
    pub fn models_come_later(&self) -> bool {
        self.environment.models_come_later()
    }

    /// Reads the catalogue of models, and looks which can be used now.
    pub fn models(&self) -> Result<ModelSetup, CommandError> {
        ModelSetup::open(&self.root, &self.config.models.file, self.environment.clone(), self.clock.now())
    }

    /// Returns the catalogue as it would be with these bytes in the repository's file of models.
    pub fn models_with(&self, own: Option<Vec<u8>>) -> Result<ModelSetup, CommandError> {
        let (file, now) = (&self.config.models.file, self.clock.now());
        ModelSetup::open_with(&self.root, file, own, self.environment.clone(), now)
    }

    /// Returns the templates of the repository, besides those of this program.
    pub fn template_sources(&self) -> Result<Vec<crate::engine::template::TemplateSource>, CommandError> {
        template_sources(&self.root, &self.config)
    }

    /// Returns the repository with its index.
    pub fn reading(&self) -> &dyn crate::ports::vcs::VcsRead {
        &self.indexed
    }

    /// Returns the forge of the repository, for looking.
    pub fn hub(&self) -> Option<&dyn ForgeRead> {
        self.hub.as_ref().map(|hub| hub as &dyn ForgeRead)
    }

    /// Returns who looks at what is known of a release.
    pub fn observer(&self) -> &dyn Observe {
        &self.observer
    }

    /// Returns the forge with all its powers, for commands in comments.
    pub fn github(&self) -> Option<&GitHub> {
        self.hub.as_ref()
    }

    /// Returns the environment of the process, as it was when the session began.
    pub const fn environment(&self) -> &Environment {
        &self.environment
    }

    /// Returns every port.
    pub fn ports<'a>(
        &'a self,
        workspaces: &'a TempWorkspaces<'a>,
        engine: &'a dyn Engine,
        models: &'a dyn Models,
    ) -> Ports<'a> {
        Ports {
            clock: &self.clock,
            vcs: &self.indexed,
            forge: &self.vcs,
            hub: self.hub.as_ref().map(|hub| hub as &dyn Forge),
            observe: &self.observer,
            workspaces,
            processes: &self.processes,
            engine,
            models,
        }
    }

    /// Returns the id of the run of a request: the same request on the same base and service is the same run.
    pub fn run_id(&self, request: &Request, base: &Base) -> Result<RunId, CommandError> {
        let service = self.config.service.as_ref().map(Slug::as_str).unwrap_or_default();
        let parts = (request.text.trim(), base.commit.as_str(), service);
        // The same words in two issues are two requests, and so is each round of mending.
        let place = request.event.as_ref().map(|event| {
            let repository = event.repository.as_ref().map(|repository| repository.id);
            (repository, event.subject.as_ref().map(|subject| subject.number))
        });
        let digest = match (place, request.after.as_ref().map(|after| after.round)) {
            (None, None) => Digest::of_json(&parts),
            (place, round) => Digest::of_json(&(parts, place, round)),
        };
        let digest = digest.map_err(|source| UsageError {
            what: format!("the request has no canonical form: {source}"),
            help: "Give the request as plain text.".into(),
        })?;
        let slug = Slug::fold(request.text.lines().next().unwrap_or_default(), 40, "run");
        Ok(format!("{slug}-{}", digest.short()).parse().map_err(|error: crate::artifact::id::IdError| {
            UsageError { what: error.to_string(), help: "Give the request as plain text.".into() }
        })?)
    }

    /// Returns the folder that holds the run folders.
    pub fn artifacts(&self) -> &Path {
        &self.artifacts
    }

    /// Returns the folder of a run.
    pub fn folder(&self, run: &RunId) -> PathBuf {
        self.artifacts.join(run.as_str())
    }

    /// Makes the artifacts folder, keeps git from seeing it, and locks a run in it.
    pub fn lock(&self, run: &RunId) -> Result<RunLock, CommandError> {
        let locks = self.artifacts.join(".locks");
        self.refuse_detours(&[&locks, &locks.join(run.as_str()), &self.folder(run)])?;
        let fail = |what: String| move |source| IoError { what, source };
        fs::create_dir_all(&locks).map_err(fail(format!("make the folder {}", locks.display())))?;
        let ignore = self.artifacts.join(".gitignore");
        if fs::symlink_metadata(&ignore).is_err() {
            let text = "# Run folders of orch; keep them out of the repository.\n*\n";
            fs::write(&ignore, text).map_err(fail(format!("write {}", ignore.display())))?;
        }
        let path = locks.join(run.as_str());
        let file = fs::File::create(&path).map_err(fail(format!("make {}", path.display())))?;
        match file.try_lock() {
            Ok(()) => Ok(RunLock { _file: file }),
            Err(fs::TryLockError::WouldBlock) => Err(Busy(run.clone()).into()),
            Err(fs::TryLockError::Error(source)) => {
                Err(fail(format!("lock {}", path.display()))(source).into())
            }
        }
    }

    /// Refuses an artifacts folder that is no folder, and links below the root of the checkout or in the folder itself.
    ///
    /// A folder elsewhere was named by the person, links and all.
    fn refuse_detours(&self, within: &[&Path]) -> Result<(), CommandError> {
        let mut ways: Vec<PathBuf> = Vec::new();
        if let Ok(below) = self.artifacts.strip_prefix(&self.root) {
            ways.extend(below.ancestors().filter(|p| !p.as_os_str().is_empty()).map(|p| self.root.join(p)));
            ways.reverse();
        }
        ways.extend(within.iter().map(|path| path.to_path_buf()));
        if let Some(link) = ways.into_iter().find(|path| path.is_symlink()) {
            return Err(Astray(link).into());
        }
        if fs::metadata(&self.artifacts).is_ok_and(|found| !found.is_dir()) {
            return Err(UsageError {
                what: format!("{} is no folder", self.artifacts.display()),
                help: "Move the file away, set another `artifacts.folder`, or use --artifacts FOLDER.".into(),
            }
            .into());
        }
        Ok(())
    }
}

fn template_sources(
    root: &Path,
    config: &Config,
) -> Result<Vec<crate::engine::template::TemplateSource>, CommandError> {
    let mut sources = Vec::new();
    for folder in &config.templates.folders {
        sources.extend(crate::engine::template::read_folder(&root.join(folder))?);
    }
    Ok(sources)
}

/// Returns the folder the command works in.
pub fn folder(global: &Global) -> Result<PathBuf, CommandError> {
    let folder = global.directory.clone().unwrap_or_else(|| PathBuf::from("."));
    Ok(fs::canonicalize(&folder).map_err(|source| UsageError {
        what: format!("the folder {} cannot be used: {source}", folder.display()),
        help: "Name an existing folder with -C.".into(),
    })?)
}

/// Returns the engine of the repository the command works in; outside of one, with the embedded templates alone.
pub fn engine(global: &Global) -> Result<TemplateEngine, CommandError> {
    let vcs = match GitRepository::open(folder(global)?) {
        Ok(vcs) => vcs,
        Err(VcsError::NotARepository { .. }) => return Ok(TemplateEngine::new(Vec::new())),
        Err(error) => return Err(error.into()),
    };
    let named = global.config.clone().or(Environment::of_process().config_file());
    let config = load(vcs.root(), named.as_deref())?.config;
    Ok(TemplateEngine::new(template_sources(vcs.root(), &config)?))
}

/// Returns the root of the checkout the command works in.
pub fn root(global: &Global) -> Result<PathBuf, CommandError> {
    Ok(GitRepository::open(folder(global)?)?.root().to_owned())
}

/// The largest definition of a pipeline that is read.
const PIPELINE_BYTES: u64 = 64 * 1024;

/// Returns the pipeline the repository uses, with where it is from.
pub fn pipeline(root: &Path) -> Result<(Pipeline, String), CommandError> {
    let own = root.join(".orch/workflows/change.yml");
    match fs::symlink_metadata(&own) {
        // Nothing that a repository could point at an endless file, or fill one with.
        Ok(found) if !found.is_file() || found.len() > PIPELINE_BYTES => Err(UsageError {
            what: format!("{} is no regular file of at most {PIPELINE_BYTES} bytes", own.display()),
            help: "Compare it with the embedded one: `orch pipeline show`.".into(),
        }
        .into()),
        Ok(_) => {
            let text = fs::read_to_string(&own)
                .map_err(|source| IoError { what: format!("read {}", own.display()), source })?;
            Ok((Pipeline::parse(&text, &own.display().to_string())?, own.display().to_string()))
        }
        Err(error) if error.kind() == std::io::ErrorKind::NotFound => {
            Ok((Pipeline::parse(CHANGE, "(embedded)")?, "The embedded definition".into()))
        }
        Err(source) => Err(IoError { what: format!("read {}", own.display()), source }.into()),
    }
}

/// Returns the folder that holds the run folders.
fn artifacts_folder(global: &Global) -> Result<PathBuf, CommandError> {
    let environment = Environment::of_process();
    if let Some(folder) = global.artifacts.clone().or(environment.artifacts_folder()) {
        return Ok(folder);
    }
    let root = root(global)?;
    let config = global.config.clone().or(environment.config_file());
    Ok(root.join(load(&root, config.as_deref())?.config.artifacts.folder))
}

/// Returns the ids of the runs in the artifacts folder, oldest first.
pub fn runs(global: &Global) -> Result<Vec<RunId>, CommandError> {
    let mut runs = Vec::new();
    let folder = artifacts_folder(global)?;
    for entry in fs::read_dir(&folder).into_iter().flatten().flatten() {
        let id = entry.file_name().to_string_lossy().parse::<RunId>();
        if let (Ok(id), true) = (id, entry.path().join("manifest").is_dir()) {
            runs.push((last_started(&entry.path().join("manifest")), id));
        }
    }
    runs.sort();
    Ok(runs.into_iter().map(|(_, id)| id).collect())
}

/// Returns when the newest stage of a run started, as its manifests say; good enough to sort by, not checked.
fn last_started(manifests: &Path) -> Option<String> {
    let started = |path: PathBuf| {
        let manifest: serde_json::Value = serde_json::from_slice(&fs::read(path).ok()?).ok()?;
        manifest["body"]["timing"]["started_at"].as_str().map(str::to_owned)
    };
    fs::read_dir(manifests).into_iter().flatten().flatten().filter_map(|entry| started(entry.path())).max()
}

/// Finds a run by its folder, its id or the start of its id; without a name, the newest.
pub fn find_run(global: &Global, name: Option<&str>) -> Result<FoundRun, CommandError> {
    let open = |run: RunId, folder: PathBuf| FoundRun { run, store: DirStore::new(&folder), folder };
    if let Some(path) = name.map(Path::new).filter(|path| path.is_dir()) {
        let folder = fs::canonicalize(path)
            .map_err(|source| IoError { what: format!("open {}", path.display()), source })?;
        let run = run_of(&folder)?;
        return Ok(open(run, folder));
    }
    let folder = artifacts_folder(global)?;
    let runs = runs(global)?;
    let fitting: Vec<&RunId> = match name {
        Some(name) => {
            runs.iter().filter(|run| run.as_str() == name || run.as_str().starts_with(name)).collect()
        }
        None => runs.iter().rev().take(1).collect(),
    };
    let exact = fitting.iter().find(|run| Some(run.as_str()) == name);
    match (exact, fitting.as_slice()) {
        (Some(run), _) | (None, [run]) => Ok(open((*run).clone(), folder.join(run.as_str()))),
        (None, []) => Err(UsageError {
            what: name.map_or_else(
                || format!("there is no run in {}", folder.display()),
                |name| format!("there is no run `{name}` in {}", folder.display()),
            ),
            help: "`orch artifacts list` tells which runs there are; `orch run \"...\"` makes one.".into(),
        }
        .into()),
        (None, several) => Err(UsageError {
            what: format!("{} runs start with `{}`", several.len(), name.unwrap_or_default()),
            help: "Give more of the id; `orch artifacts list` tells them all.".into(),
        }
        .into()),
    }
}

/// Returns the run a folder holds: what its manifests say, else its name.
///
/// A run folder may be renamed (an unpacked download); its files know which run they belong to.
fn run_of(folder: &Path) -> Result<RunId, CommandError> {
    let name = folder.file_name().map(|n| n.to_string_lossy().into_owned()).unwrap_or_default();
    if let Ok(run) = name.parse::<RunId>() {
        return Ok(run);
    }
    let store = DirStore::new(folder);
    let manifest = store.list()?.into_iter().find(|path| path.starts_with("manifest/"));
    let bytes = manifest.map(|path| store.read(&path)).transpose()?.flatten().unwrap_or_default();
    let value: serde_json::Value = serde_json::from_slice(&bytes).unwrap_or_default();
    let run = value["run"].as_str().and_then(|run| run.parse().ok());
    Ok(run.ok_or_else(|| UsageError {
        what: format!("{} is no run folder", folder.display()),
        help: "A run folder holds manifest/*.json; name its id or its folder.".into(),
    })?)
}
