//! Running the configured commands in one clean copy.
//!
//! Must never judge: it runs, reads and keeps; `decide` says what it means.

use std::collections::{BTreeMap, BTreeSet};

use super::decide::{self, Observed, Ran};
use super::{excerpt, runner};
use crate::artifact::digest::Digest;
use crate::artifact::id::TreeId;
use crate::artifact::path::RepoPath;
use crate::artifact::types::change_set::{Content, FileChange, FileMode, FileOp, TestSet};
use crate::artifact::types::verification::{CommandRole, Ended, FrozenFile, TestStatus};
use crate::config::{self, Config};
use crate::ports::process::{Command, Outcome, Sandbox};
use crate::ports::workspace::CleanCopy;
use crate::stage::{StageContext, StageError};
use crate::telemetry::Event;

/// The folder in the copy that result files are asked into.
const RESULTS: &str = ".orch-results";

/// The largest result file that is read.
const RESULT_BYTES: u64 = 32 * 1024 * 1024;

/// The largest file that is kept to be put back by the revert probe.
const KEPT_BYTES: u64 = 256 * 1024 * 1024;

/// How many files are asked for alone.
const MAX_ALONE: usize = 20;

/// A file as it was before the edits.
type Original = (RepoPath, Option<(Vec<u8>, FileMode)>);

/// A clean copy, and every command that ran in it.
pub(super) struct Phase<'a> {
    cx: &'a StageContext<'a>,
    copy: Box<dyn CleanCopy>,
    fresh: BTreeMap<String, Option<Digest>>,
    originals: Vec<Original>,
    /// Every command that ran, in order.
    pub ran: Vec<Ran>,
}

impl<'a> Phase<'a> {
    /// Makes a clean copy of the base with the tests.
    pub(super) fn start(
        cx: &'a StageContext<'a>,
        tree: &TreeId,
        tests: &TestSet,
    ) -> Result<Self, StageError> {
        let mut copy = cx.workspaces()?.clean_copy(tree)?;
        copy.apply(&tests.files)?;
        Ok(Self { cx, copy, fresh: BTreeMap::new(), originals: Vec::new(), ran: Vec::new() })
    }

    /// Applies the edits and keeps what was there before.
    pub(super) fn apply(&mut self, edits: &[FileChange]) -> Result<(), StageError> {
        for edit in edits {
            let original = self.copy.read(&edit.path, KEPT_BYTES)?;
            self.originals.push((edit.path.clone(), original));
        }
        Ok(self.copy.apply(edits)?)
    }

    /// Puts back what was there before the edits, whatever the commands made of those files since.
    pub(super) fn revert(&mut self) -> Result<(), StageError> {
        let mut changes = Vec::new();
        for (path, original) in std::mem::take(&mut self.originals) {
            let before = self.copy.digest(&path)?;
            changes.extend(back(path, original, before));
        }
        Ok(self.copy.apply(&changes)?)
    }

    /// Runs the commands of a role in order; stops at the first that fails when `stop` says so. Tells whether all succeeded.
    pub(super) fn run(&mut self, role: CommandRole, run: &str, stop: bool) -> Result<bool, StageError> {
        let commands = of_role(self.cx.config, role);
        let mut ok = true;
        for command in commands {
            let ran = self.command(role, run, &command.0)?;
            ok &= ran.ended.ok();
            self.ran.push(ran);
            if stop && !ok {
                break;
            }
        }
        Ok(ok)
    }

    /// Runs the tests of single files whose tests nothing was told of, because another file did not compile.
    ///
    /// What is observed afterwards counts; files that the runner cannot be asked for alone stay unseen.
    pub(super) fn run_alone(&mut self, run: &str, observed: &Observed) -> Result<bool, StageError> {
        let broken = self.of(run).iter().any(|ran| ran.parsed.as_ref().is_some_and(|p| !p.broken.is_empty()));
        let unseen =
            observed.tests.iter().filter(|t| broken && t.status == TestStatus::NotSeen && t.class.is_none());
        let files: BTreeSet<&RepoPath> = unseen.map(|test| &test.path).collect();
        let mut any = false;
        for path in files.into_iter().take(MAX_ALONE) {
            for command in of_role(self.cx.config, CommandRole::Test) {
                let Some(words) = runner::alone(&command.0, path.as_str()) else { continue };
                let ran = self.command(CommandRole::Test, run, &words)?;
                self.ran.push(ran);
                any = true;
            }
        }
        Ok(any)
    }

    fn command(&mut self, role: CommandRole, run: &str, words: &[String]) -> Result<Ran, StageError> {
        let test = role == CommandRole::Test;
        let argv = if test { runner::instrument(words) } else { words.to_vec() };
        let results = format!("{RESULTS}/{}.xml", self.ran.len() + 1);
        let mut files = if test { runner::result_files(words) } else { Vec::new() };
        files.push(results.clone());
        self.remember(&files)?;
        let command = Command {
            cwd: self.copy.root().to_path_buf(),
            env: variables(self.cx.config, &self.copy.root().join(&results), test),
            sandbox: sandbox(self.cx.config, role),
            argv,
        };
        self.cx.emit(&Event::CommandStarted { role, argv: command.argv.clone() });
        let outcome = self.cx.processes()?.run(&command)?;
        self.cx.emit(&Event::CommandFinished {
            role,
            argv: command.argv.clone(),
            ended: decide::ended(&outcome.ended),
            duration_ms: u64::try_from(outcome.duration.as_millis()).unwrap_or(u64::MAX),
        });
        let junit = if test { self.written(&files)? } else { Vec::new() };
        Ok(self.read(role, run, command.argv, outcome, &junit))
    }

    fn read(
        &self,
        role: CommandRole,
        run: &str,
        argv: Vec<String>,
        outcome: Outcome,
        junit: &[String],
    ) -> Ran {
        let stdout = excerpt::portable(&outcome.stdout.text, self.copy.root());
        let stderr = excerpt::portable(&outcome.stderr.text, self.copy.root());
        // A build tells of files that do not compile; setup and lint output is never read as test results.
        let parsed = matches!(role, CommandRole::Test | CommandRole::Build)
            .then(|| runner::Printed { argv: &argv, stdout: &stdout, stderr: &stderr, junit })
            .and_then(|printed| runner::read(&printed))
            .filter(|_| !matches!(outcome.ended, Ended::NotStarted { .. }));
        let protection = outcome.protection;
        let (ended, violations, duration) = (outcome.ended, outcome.violations, outcome.duration);
        let violations = violations.iter().map(|v| excerpt::portable(v, self.copy.root())).collect();
        Ran { role, run: run.into(), argv, ended, violations, stdout, stderr, parsed, protection, duration }
    }

    /// Remembers what result files looked like before anything ran, so that a file of the base is never read as a result.
    fn remember(&mut self, files: &[String]) -> Result<(), StageError> {
        for file in files {
            if let Ok(path) = file.parse::<RepoPath>()
                && !self.fresh.contains_key(file)
            {
                self.fresh.insert(file.clone(), self.copy.digest(&path)?);
            }
        }
        Ok(())
    }

    /// Returns the result files that are there now and were not, or not so, in the fresh copy.
    fn written(&self, files: &[String]) -> Result<Vec<String>, StageError> {
        let mut texts = Vec::new();
        for file in files {
            let Ok(path) = file.parse::<RepoPath>() else { continue };
            let now = self.copy.digest(&path)?;
            if now.is_none() || self.fresh.get(file) == Some(&now) {
                continue;
            }
            if let Some((bytes, _)) = self.copy.read(&path, RESULT_BYTES)? {
                texts.push(excerpt::portable_xml(&String::from_utf8_lossy(&bytes), self.copy.root()));
            }
        }
        Ok(texts)
    }

    /// Returns the frozen files as they are now.
    pub(super) fn frozen(&self, tests: &TestSet) -> Result<Vec<FrozenFile>, StageError> {
        let mut frozen = Vec::new();
        for file in &tests.files {
            let Some(expected) = file.after.clone() else { continue };
            let found = self.copy.digest(&file.path)?;
            frozen.push(FrozenFile { path: file.path.clone(), expected, found });
        }
        Ok(frozen)
    }

    /// Returns the commands of one run.
    pub(super) fn of(&self, run: &str) -> Vec<&Ran> {
        self.ran.iter().filter(|ran| ran.run == run).collect()
    }
}

/// Returns the change that puts a file back, if it is not as it was.
fn back(path: RepoPath, original: Option<(Vec<u8>, FileMode)>, before: Option<Digest>) -> Option<FileChange> {
    match (original, before) {
        (None, None) => None,
        (None, Some(before)) => Some(FileChange {
            path,
            op: FileOp::Delete,
            mode: FileMode::Regular,
            before: Some(before),
            after: None,
            content: None,
        }),
        (Some((bytes, mode)), before) => Some(FileChange {
            path,
            op: if before.is_some() { FileOp::Modify } else { FileOp::Create },
            mode,
            before,
            after: Some(Digest::of(&bytes)),
            content: Some(Content::from_bytes(bytes)),
        }),
    }
}

/// Returns the configured commands of a role.
pub(super) fn of_role(config: &Config, role: CommandRole) -> &[config::Command] {
    match role {
        CommandRole::Setup => &config.commands.setup,
        CommandRole::Build => &config.commands.build,
        CommandRole::Lint => &config.commands.lint,
        CommandRole::Test => &config.commands.test,
    }
}

/// Returns the variables of a command: plain output, no caches that outlive a change of the source.
fn variables(config: &Config, results: &std::path::Path, test: bool) -> BTreeMap<String, String> {
    let mut variables: BTreeMap<String, String> = [
        ("CARGO_TERM_COLOR", "never"),
        ("NO_COLOR", "1"),
        ("PYTHONDONTWRITEBYTECODE", "1"),
        ("RUST_BACKTRACE", "0"),
    ]
    .map(|(name, value)| (name.to_owned(), value.to_owned()))
    .into();
    if test {
        variables.insert("PYTEST_ADDOPTS".into(), runner::pytest_options(results));
    }
    // What the config passes on is the person's, and wins.
    variables.retain(|name, _| !config.sandbox.env.contains(name));
    variables
}

/// Returns the sandbox of a role's commands.
fn sandbox(config: &Config, role: CommandRole) -> Sandbox {
    match role {
        CommandRole::Setup => config.sandbox.for_setup(),
        CommandRole::Build | CommandRole::Lint | CommandRole::Test => config.sandbox.for_commands(),
    }
}
