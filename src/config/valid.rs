//! The config as the program uses it: every key present, every value checked.
//!
//! Must never depend on the machine: the same file gives the same value, and its parts are hashed into stage keys.

use std::collections::BTreeMap;

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use crate::artifact::id::{Slug, StageId};
use crate::artifact::money::{NanoUsd, Usd};

/// The whole config.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct Config {
    /// The service changes belong to; absent: the name of the repository's folder.
    pub service: Option<Slug>,
    /// Who writes changes.
    pub engine: EngineChoice,
    /// What models may be used, and what they may read.
    pub models: Models,
    /// What models may spend.
    pub budget: Budget,
    /// The commands of the repository.
    pub commands: Commands,
    /// Which files changes may touch.
    pub paths: Paths,
    /// How the phases of verification are run.
    pub verify: Verify,
    /// What commands may do.
    pub sandbox: Sandbox,
    /// The rules.
    pub policy: Policy,
    /// The branch and the pull request.
    pub pr: Pr,
    /// The run folders.
    pub artifacts: Artifacts,
    /// More templates.
    pub templates: Templates,
    /// Who may ask for a change.
    pub intake: super::Intake,
    /// Who may approve a change.
    pub approve: super::Approve,
    /// Who reviews a change.
    pub review: super::Review,
    /// What releases need.
    pub release: super::Release,
    /// What promotion means.
    pub promote: super::Promote,
    /// How to go back.
    pub rollback: super::GoBack,
    /// What an upgrade has to hold to.
    pub upgrade: super::Upgrade,
}

/// Who writes changes.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize, JsonSchema, clap::ValueEnum)]
#[serde(rename_all = "kebab-case")]
pub enum EngineChoice {
    /// Models where a provider has its credential, else templates.
    #[default]
    Auto,
    /// Models, and nothing else.
    Model,
    /// The built-in templates: no model, no key, no network.
    Template,
    /// The inverse of a release, for the request that `rollback` wrote down; no model, and never the engine of a config.
    Revert,
}

/// What models may be used, and what they may read.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub struct Models {
    /// The file with more providers, models, prices and routes, below the repository root.
    pub file: String,
    /// A committed file with notes on the project, below the repository root.
    pub notes: String,
    /// Roles that answer each submitted change besides the Architect.
    pub critics: Vec<Slug>,
}

/// What models may spend.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub struct Budget {
    /// The most a run may spend.
    pub max_cost_usd: Usd,
    /// The most tokens a run may use, input and output together.
    pub max_tokens: u64,
    /// How long the stages that call models may work, all together.
    pub ttl_minutes: u64,
    /// Whether models without a known price may be called.
    pub allow_unknown_cost: bool,
    /// Less for single stages.
    pub stages: StageBudgets,
}

/// The budgets of single stages; what is absent is bounded by the run's alone.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "kebab-case")]
pub struct StageBudgets {
    /// Of `plan`.
    pub plan: StageLimits,
    /// Of `test-write`.
    pub test_write: StageLimits,
    /// Of `generate`.
    pub generate: StageLimits,
}

/// The limits of one stage.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub struct StageLimits {
    /// The most it may spend, over all rounds.
    pub max_cost_usd: Option<Usd>,
    /// The most tokens it may use, over all rounds.
    pub max_tokens: Option<u64>,
    /// How long it may work in one round.
    pub ttl_minutes: Option<u64>,
}

impl StageBudgets {
    /// Returns the limits of a stage; none for a stage that calls no models.
    pub fn of(&self, stage: StageId) -> StageLimits {
        match stage {
            StageId::Plan => self.plan,
            StageId::TestWrite => self.test_write,
            StageId::Generate => self.generate,
            _ => StageLimits::default(),
        }
    }
}

/// The commands of the repository, each run in order in a clean copy.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct Commands {
    /// Prepares a clean copy (install dependencies); the only commands that may reach the network, if `sandbox.setup_network` says so.
    pub setup: Vec<Command>,
    /// Builds.
    pub build: Vec<Command>,
    /// Lints.
    pub lint: Vec<Command>,
    /// Runs the tests.
    pub test: Vec<Command>,
}

/// A command: its words, split as a shell would and then never given to one.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(transparent)]
pub struct Command(pub Vec<String>);

/// Which files changes may touch; globs from the root, `*` within a folder, `**` across folders.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct Paths {
    /// Files a change may touch; empty: all.
    pub allow: Vec<String>,
    /// Files a change may touch only with a person's approval.
    pub protect: Vec<String>,
    /// Files a change must never touch.
    pub deny: Vec<String>,
}

/// How the phases of verification are run.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct Verify {
    /// Rounds of generate and verify before the run is given up.
    pub rounds: u32,
    /// Runs of the tests beyond the first that must give the same result.
    pub flake_runs: u32,
    /// Whether the tests are run once more without the edits, to be red again.
    pub revert_probe: bool,
}

/// What commands may do.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct Sandbox {
    /// Refuse to run repository code without protection of files, network and privileges.
    pub required: bool,
    /// Whether `commands.setup` may reach the network.
    pub setup_network: bool,
    /// Variables passed on from the environment, by name.
    pub env: Vec<String>,
    /// Folders and files commands may read besides system and tool-chain folders.
    pub read: Vec<String>,
    /// Folders commands may write besides their copy.
    pub write: Vec<String>,
    /// The limits of one command.
    pub limits: SandboxLimits,
}

/// The limits of one command.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct SandboxLimits {
    /// Wall time in seconds.
    pub seconds: u64,
    /// Output before the command is stopped, MiB.
    pub output_mb: u64,
    /// Disk taken in the copy, MiB.
    pub disk_mb: u64,
    /// Size of one file, MiB.
    pub file_mb: u64,
    /// Memory of all processes together, MiB.
    pub memory_mb: u64,
    /// Processes at once.
    pub processes: u64,
    /// Open files of one process.
    pub open_files: u64,
}

/// The rules.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct Policy {
    /// More rules.
    pub packs: Vec<Pack>,
    /// The file with findings that are waived, below the repository root.
    pub waivers: String,
    /// The file with findings that were there before, below the repository root.
    pub baseline: String,
    /// Another level for a rule, by code.
    pub levels: BTreeMap<String, Level>,
    /// Settings of rules, by name; the defaults are in the rules' pages.
    pub settings: BTreeMap<String, serde_json::Value>,
}

impl Default for Policy {
    fn default() -> Self {
        Self {
            packs: Vec::new(),
            waivers: ".orch/waivers.yml".into(),
            baseline: ".orch/baseline.json".into(),
            levels: BTreeMap::new(),
            settings: BTreeMap::new(),
        }
    }
}

/// A pack of rules.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize, JsonSchema)]
#[serde(untagged)]
pub enum Pack {
    /// A folder below the repository root, read from the base commit.
    Folder(String),
    /// A folder of another repository, by commit id.
    Git(GitPack),
    /// A bundle as a tarball, by digest.
    File(FilePack),
}

impl Pack {
    /// Returns the folder of the repository, if it is one.
    pub fn folder(&self) -> Option<&str> {
        match self {
            Self::Folder(folder) => Some(folder),
            Self::Git(_) | Self::File(_) => None,
        }
    }
}

impl From<&str> for Pack {
    fn from(folder: &str) -> Self {
        Self::Folder(folder.to_owned())
    }
}

/// A folder of another repository.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct GitPack {
    /// The address or path of the repository.
    pub git: String,
    /// The full commit id.
    #[serde(rename = "ref")]
    pub commit: String,
    /// The folder in it; empty: its root.
    #[serde(default)]
    pub folder: String,
}

/// A bundle as a tarball.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct FilePack {
    /// Its path, relative to the repository root or absolute; read by `orch policy fetch` alone.
    pub file: String,
    /// The digest of its bytes, 64 hexadecimal digits.
    pub sha256: String,
}

/// How strictly a rule is taken.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "kebab-case")]
pub enum Level {
    /// Not at all.
    Off,
    /// Asked and shown, without any effect: a rule on trial.
    Shadow,
    /// Shown, nothing more.
    Warn,
    /// A person has to approve.
    RequireApproval,
    /// The change may not go on.
    Deny,
}

/// The branch and the pull request.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct Pr {
    /// Where pull requests go.
    pub forge: ForgeChoice,
    /// The branch's name; `{type}`, `{service}`, `{scope}` and `{date}` are filled in.
    pub branch: String,
    /// The remote to push to; absent or unknown to the repository: the branch stays local.
    pub remote: String,
    /// Whether to push.
    pub push: bool,
    /// Labels of the pull request.
    pub labels: Vec<String>,
    /// Logins that are assigned.
    pub assignees: Vec<String>,
    /// Logins that are asked for a review; teams as `team:NAME`.
    pub reviewers: Vec<String>,
    /// Whether the verdict becomes a check run.
    pub check: bool,
    /// How the pull request merges by itself.
    pub auto_merge: AutoMerge,
    /// Whether the findings go to the security page of the forge.
    pub sarif: bool,
    /// Who writes the commits.
    pub author: Author,
}

/// Where pull requests go.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "lowercase")]
pub enum ForgeChoice {
    /// GitHub where the remote is there and a token is too, else a branch.
    #[default]
    Auto,
    /// A branch, pushed to the remote.
    Local,
    /// GitHub.
    Github,
}

/// How a pull request merges by itself.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "lowercase")]
pub enum AutoMerge {
    /// It does not.
    #[default]
    Off,
    /// With a merge commit.
    Merge,
    /// As one commit.
    Squash,
    /// Commit by commit.
    Rebase,
}

/// Who writes the commits.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct Author {
    /// The name.
    pub name: String,
    /// The mail address.
    pub email: String,
}

/// The run folders.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct Artifacts {
    /// The folder that holds the run folders, below the repository root.
    pub folder: String,
}

/// More templates.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct Templates {
    /// Folders with templates, below the repository root; they win over built-in ones of the same name.
    pub folders: Vec<String>,
}

impl Default for Config {
    fn default() -> Self {
        Self {
            service: None,
            engine: EngineChoice::Auto,
            models: Models {
                file: ".orch/models.toml".into(),
                notes: ".orch/notes.md".into(),
                critics: Vec::new(),
            },
            budget: Budget {
                max_cost_usd: Usd(NanoUsd(2_000_000_000)),
                max_tokens: 2_000_000,
                ttl_minutes: 60,
                allow_unknown_cost: false,
                stages: StageBudgets::default(),
            },
            commands: Commands::default(),
            paths: Paths::default(),
            verify: Verify { rounds: 3, flake_runs: 1, revert_probe: true },
            sandbox: Sandbox {
                required: true,
                setup_network: false,
                env: Vec::new(),
                read: Vec::new(),
                write: Vec::new(),
                limits: SandboxLimits {
                    seconds: 600,
                    output_mb: 64,
                    disk_mb: 4096,
                    file_mb: 2048,
                    memory_mb: 4096,
                    processes: 512,
                    open_files: 1024,
                },
            },
            policy: Policy::default(),
            pr: Pr {
                forge: ForgeChoice::Auto,
                branch: "{type}/{service}/{scope}/{date}".into(),
                remote: "origin".into(),
                push: true,
                labels: Vec::new(),
                assignees: Vec::new(),
                reviewers: Vec::new(),
                check: true,
                auto_merge: AutoMerge::Off,
                sarif: false,
                author: Author { name: "orch".into(), email: "orch@users.noreply.github.com".into() },
            },
            artifacts: Artifacts { folder: "artifacts".into() },
            templates: Templates::default(),
            intake: super::Intake::default(),
            approve: super::Approve::default(),
            review: super::Review::default(),
            release: super::Release::default(),
            promote: super::Promote::default(),
            rollback: super::GoBack::default(),
            upgrade: super::Upgrade::default(),
        }
    }
}

impl Config {
    /// Returns some top-level keys as JSON: the part of the config a stage's outputs depend on.
    pub fn slice(&self, keys: &[&str]) -> serde_json::Value {
        let mut all = match serde_json::to_value(self) {
            Ok(serde_json::Value::Object(all)) => all,
            _ => serde_json::Map::new(),
        };
        all.retain(|key, _| keys.contains(&key.as_str()));
        serde_json::Value::Object(all)
    }

    /// Returns the config that had these top-level keys; all others are the defaults.
    pub fn of_slice(slice: &serde_json::Value) -> Result<Self, serde_json::Error> {
        let mut all = serde_json::to_value(Self::default())?;
        for (key, value) in slice.as_object().into_iter().flatten() {
            all[key] = value.clone();
        }
        serde_json::from_value(all)
    }
}
