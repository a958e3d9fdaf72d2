//! Pull requests on GitHub: the port, the stage, and every call failing once.
#![expect(clippy::unwrap_used, clippy::panic, reason = "a test may fail anywhere, its helpers too")]

mod between;
mod calls;
mod deploy;
mod emulate;
mod faults;
mod merge;
mod pace;
mod push;
mod stage;

use orch::artifact::id::Round;
use orch::artifact::kind::slot;
use orch::artifact::types::pull_request::{Hosted, PullRequest};
use orch::config::{Config, ForgeChoice};
use orch::ports::clock::FakeClock;
use orch::ports::forge::Forge;
use orch::ports::forge::github::{Addresses, FakePace, GitHub, TokenSource};
use orch::ports::observe::FakeObserver;
use orch::ports::secret::Secret;
use orch::ports::vcs::{GitRepository, VcsRead as _};
use orch::ports::workspace::FakeWorkspaces;
use orch::stage::pr::{Pr, SPEC};
use orch::stage::spec::StageSpec;
use orch::stage::{Finished, Inputs, Output, Ports, Stage as _, StageContext, StageError};
use orch::telemetry::Silent;

use crate::pr::{World, run_id};
use crate::support::github::{FakeGitHub, State};
use crate::support::{Forbidden, Repo};

pub const BRANCH: &str = "feat/api/health/2026-11-21";
pub const TOKEN: &str = "ghs_testtokenthatnobodymaysee0123456789";

/// A local repository, its twin on GitHub, and what the stage reads.
pub struct Scene {
    repo: Repo,
    pub port: GitRepository,
    pub hub: FakeGitHub,
    pub world: World,
    pub config: Config,
}

impl Scene {
    pub fn new() -> Self {
        let repo = Repo::new(&[("README.md", "hello\n"), ("src/main.txt", "main\n")]);
        let port = repo.open();
        let hub = FakeGitHub::start(State::of(&port, "acme/app"));
        let world = World::new(&port.head().unwrap());
        let mut config = Config::default();
        config.pr.forge = ForgeChoice::Github;
        config.pr.labels = vec!["orch".into(), "small".into()];
        config.pr.assignees = vec!["octocat".into()];
        config.pr.reviewers = vec!["reviewer".into(), "team:backend".into()];
        Self { repo, port, hub, world, config }
    }

    /// Makes a commit with these files on the base, as somebody has it who took the branch; returns commit and tree.
    pub fn commit_here(&self, files: &[(&str, &str)], message: &str) -> (String, String) {
        let base = self.world.task.base.commit.to_string();
        for (path, text) in files {
            self.repo.write(path, text);
        }
        self.repo.git(&["add", "-A"]);
        let tree = self.repo.git(&["write-tree"]).trim().to_owned();
        let commit = self.repo.git(&["commit-tree", &tree, "-p", &base, "-m", message]).trim().to_owned();
        self.repo.git(&["reset", "-q", "--hard", &base]);
        (commit, tree)
    }

    pub fn github(&self) -> GitHub {
        github(&self.hub)
    }

    /// Does something with the context of the stage.
    pub fn with<T>(&self, hub: &dyn Forge, act: impl FnOnce(&StageContext<'_>) -> T) -> T {
        self.of(&SPEC, hub, act)
    }

    /// Does something with the context of another stage.
    pub fn in_stage<T>(&self, spec: &'static StageSpec, act: impl FnOnce(&StageContext<'_>) -> T) -> T {
        self.of(spec, &self.github(), act)
    }

    fn of<T>(
        &self,
        spec: &'static StageSpec,
        hub: &dyn Forge,
        act: impl FnOnce(&StageContext<'_>) -> T,
    ) -> T {
        let (clock, workspaces, run) = (FakeClock::at(0), FakeWorkspaces::new(&self.port), run_id());
        let ports = Ports {
            clock: &clock,
            vcs: &self.port,
            forge: &self.port,
            hub: Some(hub),
            observe: &FakeObserver::default(),
            workspaces: &workspaces,
            processes: &Forbidden,
            engine: &Forbidden,
            models: &orch::agent::NoModels,
        };
        act(&StageContext::new(spec, &run, Round::FIRST, &self.config, None, ports, &Silent))
    }

    pub fn try_run(&self) -> Result<(PullRequest, String, Finished), StageError> {
        let finished = self.with(&self.github(), |cx| Pr.run(cx, &self.world.inputs()))?;
        let (mut request, mut text) = (None, String::new());
        for (_, output) in finished.outputs.iter() {
            match output {
                Output::Body(body) => request = Some(serde_json::from_value(body.clone()).unwrap()),
                Output::Bytes(bytes) => text = String::from_utf8(bytes.clone()).unwrap(),
            }
        }
        Ok((request.unwrap(), text, finished))
    }

    #[track_caller]
    pub fn run(&self) -> (PullRequest, Hosted) {
        let (request, _, _) = self.try_run().unwrap_or_else(|error| panic!("{error}"));
        let hosted = request.hosted.clone().unwrap();
        (request, hosted)
    }

    pub fn still_holds(&self, request: &PullRequest) -> bool {
        let mut files = crate::pr::Files::default();
        files.add(slot::PULL_REQUEST, orch::artifact::id::StageId::Pr, &[], request);
        let inputs: Inputs = files.inputs;
        self.with(&self.github(), |cx| Pr.still_holds(cx, &inputs)).unwrap()
    }

    #[track_caller]
    pub fn keeps_to_the_documents(&self) {
        let found = self.hub.violations();
        assert!(found.is_empty(), "{found:#?}");
    }
}

pub fn github(hub: &FakeGitHub) -> GitHub {
    let at = Addresses {
        rest: hub.url().parse().unwrap(),
        graphql: format!("{}/graphql", hub.url()).parse().unwrap(),
    };
    let token = TokenSource::Given { token: Secret::new(TOKEN.into()), of_workflow: false };
    GitHub::new("acme/app".parse().unwrap(), at, token, Box::new(FakePace::default()))
}
