//! The environment: every variable that is read, in one documented list.
//!
//! Must never be read anywhere else, and must never be written.
#![expect(clippy::disallowed_methods, reason = "this is the one place that reads the environment")]

use std::collections::BTreeMap;
use std::ffi::{OsStr, OsString};
use std::path::PathBuf;

use jiff::Timestamp;

use crate::diagnostic::{Class, Failure};

/// A variable.
#[derive(Clone, Copy, Debug)]
pub struct Variable {
    /// The name.
    pub name: &'static str,
    /// What it does.
    pub about: &'static str,
}

/// Every variable that is read, in the order of the reference page.
#[rustfmt::skip]
pub static VARIABLES: &[Variable] = &[
    Variable { name: "ORCH_CONFIG", about: "The config file, instead of `orch.yml` at the repository root; `--config` wins." },
    Variable { name: "ORCH_ARTIFACTS", about: "The folder that holds the run folders, instead of `artifacts.folder`." },
    Variable { name: "ORCH_MODELS", about: "`later`: the engine `auto` chooses models although no key is here, since the jobs that ask them have it." },
    Variable { name: "ORCH_<PROVIDER>_BASE_URL", about: "The address of a provider of models, as `ORCH_OPENAI_BASE_URL`; wins over `models.toml`. Dashes in the provider's name become underscores." },
    Variable { name: "NO_COLOR", about: "Not empty: no colours; read by the terminal library." },
    Variable { name: "CLICOLOR_FORCE", about: "Not empty and not `0`: colours even where the output is no terminal; read by the terminal library." },
    Variable { name: "CI", about: "Not empty and not `false`: plain progress lines instead of a live display." },
    Variable { name: "GITHUB_ACTIONS", about: "`true`: as `CI`, on a GitHub runner." },
    Variable { name: "GITHUB_EVENT_PATH", about: "The event that started a workflow: tells a pull request from a fork, which gets no credentials." },
    Variable { name: "GITHUB_EVENT_NAME", about: "The kind of that event: on a GitHub runner, `orch stage intake`, `orch stage approve` and `orch event` read it." },
    Variable { name: "GITHUB_RUN_ID", about: "The number of the workflow's run: `orch stage approve --environment` asks the forge who let it go on." },
    Variable { name: "GITHUB_WORKFLOW_REF", about: "The file of the workflow: commands in comments are about runs of this very file." },
    Variable { name: "GITHUB_STEP_SUMMARY", about: "The file a GitHub runner shows as the summary of a step: a policy verdict is added to it." },
    Variable { name: "GITHUB_OUTPUT", about: "The file a GitHub runner reads the outputs of a step from: `orch stage` writes `exit`, `run-id`, `decision` and others there." },
    Variable { name: "GITHUB_SERVER_URL", about: "With `GITHUB_REPOSITORY`: the address of the repository, for SARIF." },
    Variable { name: "GITHUB_REPOSITORY", about: "`owner/name` of the repository, for SARIF." },
    Variable { name: "GITHUB_API_URL", about: "The address of GitHub's REST API; a runner sets it. Without it: that of the remote's host." },
    Variable { name: "GITHUB_GRAPHQL_URL", about: "The address of GitHub's GraphQL API, as `GITHUB_API_URL`." },
    Variable { name: "ORCH_FORGE_TOKEN", about: "The token pull requests are made with, instead of `GITHUB_TOKEN`." },
    Variable { name: "GITHUB_TOKEN", about: "The token pull requests are made with; that of a workflow, or a person's." },
    Variable { name: "ORCH_FORGE_APP_ID", about: "The id or client id of a GitHub App that makes the token itself, with `ORCH_FORGE_APP_KEY`." },
    Variable { name: "ORCH_FORGE_APP_KEY", about: "The private key of that App, PEM." },
    Variable { name: "ORCH_FORGE_APP_INSTALLATION", about: "The id of that App's installation; looked up by the repository where it is not set." },
    Variable { name: "ORCH_METRICS_TOKEN", about: "The credential that `orch stage release-gate` shows the Prometheus server of `release.prometheus`, as a bearer token." },
    Variable { name: "GITHUB_BASE_REF", about: "The branch a pull request is for: the base of `orch stage policy --pr` where the event names none." },
    Variable { name: "GIT_INDEX_FILE", about: "The index that `orch stage policy --staged` reads: git names another in the hooks of `git commit FILE`. It has to be in the git folder; no other `GIT_*` variable counts." },
    Variable { name: "SOURCE_DATE_EPOCH", about: "Seconds since 1970: the wall clock stands still there, so that a run can be repeated byte for byte." },
    Variable { name: "TMPDIR", about: "Where clean copies are made." },
    Variable { name: "PATH", about: "Where programs are looked up; its readable folders are handed on to commands." },
    Variable { name: "HOME", about: "Where tool chains are looked for; commands get a private one instead." },
];

/// Variables that tell where tool chains and their caches are; commands may read those places.
#[rustfmt::skip]
pub static TOOL_CHAINS: &[&str] = &[
    "ASDF_DATA_DIR", "ASDF_DEFAULT_TOOL_VERSIONS_FILENAME", "ASDF_DIR", "CARGO_HOME", "CONDA_PREFIX", "GOENV_ROOT",
    "GOPATH", "GOROOT", "JAVA_HOME", "MISE_DATA_DIR", "NODENV_ROOT", "NVM_DIR", "PYENV_ROOT", "PYENV_VERSION",
    "RBENV_ROOT", "RBENV_VERSION", "RUSTUP_HOME", "RUSTUP_TOOLCHAIN", "SDKMAN_DIR", "UV_PYTHON_INSTALL_DIR",
    "VIRTUAL_ENV", "VOLTA_HOME",
];

/// The environment as it was at the start, or one made for a test.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Environment(BTreeMap<OsString, OsString>);

/// Returns the whole environment of this process.
pub fn snapshot() -> BTreeMap<OsString, OsString> {
    std::env::vars_os().collect()
}

/// A variable whose value cannot be taken.
#[derive(Debug, thiserror::Error)]
#[error("the variable {name} is not {expected}")]
pub struct EnvironmentError {
    name: &'static str,
    expected: &'static str,
}

impl Failure for EnvironmentError {
    fn class(&self) -> Class {
        Class::Usage
    }

    fn help(&self) -> Option<String> {
        Some(format!("Unset {} or give it another value.", self.name))
    }
}

impl Environment {
    /// Returns the environment of this process.
    pub fn of_process() -> Self {
        Self(snapshot())
    }

    /// Returns an environment of these variables only.
    pub fn of<K: Into<OsString>, V: Into<OsString>>(pairs: impl IntoIterator<Item = (K, V)>) -> Self {
        Self(pairs.into_iter().map(|(k, v)| (k.into(), v.into())).collect())
    }

    /// Returns a variable that is set and not empty.
    fn get(&self, name: &str) -> Option<&OsStr> {
        debug_assert!(VARIABLES.iter().any(|v| v.name == name), "{name} is not documented");
        self.0.get(OsStr::new(name)).map(OsString::as_os_str).filter(|v| !v.is_empty())
    }

    /// Returns the config file that is to be used instead of `orch.yml`.
    pub fn config_file(&self) -> Option<PathBuf> {
        self.get("ORCH_CONFIG").map(PathBuf::from)
    }

    /// Returns the folder that is to hold the run folders.
    pub fn artifacts_folder(&self) -> Option<PathBuf> {
        self.get("ORCH_ARTIFACTS").map(PathBuf::from)
    }

    /// Tells whether another job of the same run has the keys of models.
    pub fn models_come_later(&self) -> bool {
        self.get("ORCH_MODELS").is_some_and(|value| value == "later")
    }

    /// Returns the addresses of `ORCH_<PROVIDER>_BASE_URL`, by the provider's name.
    pub fn base_urls(&self) -> BTreeMap<String, String> {
        let provider = |name: &OsStr| {
            let name = name.to_str()?.strip_prefix("ORCH_")?.strip_suffix("_BASE_URL")?;
            (!name.is_empty()).then(|| name.to_ascii_lowercase().replace('_', "-"))
        };
        self.0
            .iter()
            .filter(|(_, value)| !value.is_empty())
            .filter_map(|(name, value)| Some((provider(name)?, value.to_string_lossy().into_owned())))
            .collect()
    }

    /// Returns a variable that a file names to be handed on; never a credential, which is no longer in the environment.
    pub fn value(&self, name: &str) -> Option<String> {
        self.0.get(OsStr::new(name)).map(|value| value.to_string_lossy().into_owned())
    }

    /// Returns the home folder.
    pub fn home(&self) -> Option<PathBuf> {
        self.get("HOME").map(PathBuf::from)
    }

    /// Tells whether a variable that a file names, as the one of a credential, is set and not empty; never its value.
    pub fn has(&self, name: &str) -> bool {
        self.0.get(OsStr::new(name)).is_some_and(|value| !value.is_empty())
    }

    /// Tells whether a CI system runs this, so that nobody watches.
    pub fn is_ci(&self) -> bool {
        self.is_github() || self.get("CI").is_some_and(|v| v != "false")
    }

    /// Tells whether a GitHub runner runs this.
    pub fn is_github(&self) -> bool {
        self.get("GITHUB_ACTIONS").is_some_and(|v| v == "true")
    }

    /// Returns the file with the event that started the workflow.
    pub fn github_event(&self) -> Option<PathBuf> {
        self.get("GITHUB_EVENT_PATH").map(PathBuf::from)
    }

    /// Returns the kind of the event that started the workflow.
    pub fn github_event_name(&self) -> Option<String> {
        self.get("GITHUB_EVENT_NAME").map(|name| name.to_string_lossy().into_owned())
    }

    /// Returns the number of the workflow's run.
    pub fn github_run(&self) -> Option<String> {
        self.get("GITHUB_RUN_ID").map(|run| run.to_string_lossy().into_owned())
    }

    /// Returns the file of the workflow that runs, as `owner/name/.github/workflows/orch.yml@refs/heads/main`.
    pub fn github_workflow(&self) -> Option<String> {
        self.get("GITHUB_WORKFLOW_REF").map(|name| name.to_string_lossy().into_owned())
    }

    /// Returns the file that a GitHub runner shows as the summary of the step.
    pub fn step_summary(&self) -> Option<PathBuf> {
        self.get("GITHUB_STEP_SUMMARY").filter(|_| self.is_github()).map(PathBuf::from)
    }

    /// Returns the file that a GitHub runner reads the outputs of the step from.
    pub fn step_output(&self) -> Option<PathBuf> {
        self.get("GITHUB_OUTPUT").filter(|_| self.is_github()).map(PathBuf::from)
    }

    /// Returns the address of the repository, as a GitHub runner tells it.
    pub fn repository(&self) -> Option<String> {
        let server = self.get("GITHUB_SERVER_URL")?.to_str()?;
        let name = self.get("GITHUB_REPOSITORY")?.to_str()?;
        Some(format!("{}/{name}", server.trim_end_matches('/')))
    }

    /// Returns the server of GitHub and the repository on it, as a runner tells them or a person set them.
    pub fn github_place(&self) -> (Option<String>, Option<String>) {
        let text = |name| self.get(name).and_then(OsStr::to_str).map(str::to_owned);
        (text("GITHUB_SERVER_URL"), text("GITHUB_REPOSITORY"))
    }

    /// Returns the addresses of GitHub's REST and GraphQL APIs.
    pub fn github_apis(&self) -> (Option<String>, Option<String>) {
        let text = |name| self.get(name).and_then(OsStr::to_str).map(str::to_owned);
        (text("GITHUB_API_URL"), text("GITHUB_GRAPHQL_URL"))
    }

    /// Returns the id of a GitHub App and that of its installation.
    pub fn forge_app(&self) -> (Option<String>, Option<String>) {
        let text = |name| self.get(name).and_then(OsStr::to_str).map(str::to_owned);
        (text("ORCH_FORGE_APP_ID"), text("ORCH_FORGE_APP_INSTALLATION"))
    }

    /// Returns the branch a pull request is for.
    pub fn github_base_ref(&self) -> Option<String> {
        self.get("GITHUB_BASE_REF").map(|branch| branch.to_string_lossy().into_owned())
    }

    /// Returns the index git names for the hooks of a commit.
    pub fn git_index(&self) -> Option<PathBuf> {
        self.get("GIT_INDEX_FILE").map(PathBuf::from)
    }

    /// Returns the moment the wall clock is to stand still at.
    pub fn fixed_time(&self) -> Result<Option<Timestamp>, EnvironmentError> {
        let name = "SOURCE_DATE_EPOCH";
        let Some(value) = self.get(name) else { return Ok(None) };
        let seconds = value.to_str().and_then(|v| v.parse::<u32>().ok());
        match seconds.and_then(|s| Timestamp::from_second(s.into()).ok()) {
            Some(time) => Ok(Some(time)),
            None => Err(EnvironmentError { name, expected: "a whole number of seconds since 1970" }),
        }
    }

    /// Returns the folder for temporary files.
    pub fn temp_dir(&self) -> PathBuf {
        self.get("TMPDIR").map_or_else(std::env::temp_dir, PathBuf::from)
    }

    /// Returns the folders programs are looked up in.
    pub fn path(&self) -> Vec<PathBuf> {
        self.get("PATH").map(|p| std::env::split_paths(p).collect()).unwrap_or_default()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn getters_read_their_variable() {
        let env = Environment::of([
            ("ORCH_CONFIG", "x.yml"),
            ("ORCH_ARTIFACTS", ""),
            ("CI", "1"),
            ("SOURCE_DATE_EPOCH", "86400"),
            ("PATH", "/a"),
            ("ORCH_MY_GATE_BASE_URL", "https://a.example"),
            ("ORCH_OPENAI_BASE_URL", ""),
        ]);
        assert_eq!(env.base_urls(), BTreeMap::from([("my-gate".into(), "https://a.example".into())]));
        assert!(env.has("ORCH_MY_GATE_BASE_URL") && !env.has("ORCH_OPENAI_BASE_URL") && !env.has("X"));
        assert_eq!(env.config_file(), Some("x.yml".into()));
        assert_eq!(env.artifacts_folder(), None);
        assert!(env.is_ci() && !env.is_github());
        assert_eq!(env.fixed_time().unwrap().unwrap().to_string(), "1970-01-02T00:00:00Z");
        assert_eq!(env.path(), [PathBuf::from("/a")]);
        assert!(!Environment::of([("CI", "false")]).is_ci());
    }

    #[test]
    fn a_runner_tells_where_things_go() {
        let runner = [
            ("GITHUB_ACTIONS", "true"),
            ("GITHUB_STEP_SUMMARY", "/s"),
            ("GITHUB_SERVER_URL", "https://github.com/"),
            ("GITHUB_REPOSITORY", "acme/app"),
        ];
        let env = Environment::of(runner);
        assert_eq!(env.step_summary(), Some("/s".into()));
        assert_eq!(env.repository().as_deref(), Some("https://github.com/acme/app"));
        assert_eq!(Environment::of(runner.into_iter().skip(1)).step_summary(), None);
    }

    #[test]
    fn a_bad_epoch_is_a_usage_error() {
        for bad in ["x", "-1", "1.5", "99999999999999"] {
            let error = Environment::of([("SOURCE_DATE_EPOCH", bad)]).fixed_time().unwrap_err();
            assert_eq!(error.class(), Class::Usage);
        }
    }
}
