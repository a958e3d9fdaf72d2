//! Test doubles: copies in real folders, commands that run directly or by script.
#![expect(
    clippy::disallowed_methods,
    reason = "the doubles run cargo directly, with the environment it needs"
)]

use std::collections::BTreeMap;
use std::path::Path;
use std::sync::Mutex;
use std::time::Duration;

use orch::artifact::digest::Digest;
use orch::artifact::id::TreeId;
use orch::artifact::path::RepoPath;
use orch::artifact::types::change_set::{FileChange, FileMode, FileOp};
use orch::artifact::types::verification::{Ended, Measure, MeasureState, Protection};
use orch::ports::process::{Captured, Command, Outcome, ProcessError, Processes, Sandbox};
use orch::ports::vcs::ExportReport;
use orch::ports::workspace::{CleanCopy, WorkspaceError, Workspaces};

/// The files of a tree.
pub type Files = BTreeMap<String, String>;

/// Makes files of pairs.
pub fn files(list: &[(&str, &str)]) -> Files {
    list.iter().map(|(path, text)| ((*path).to_owned(), (*text).to_owned())).collect()
}

/// Makes copies of one tree in temporary folders.
pub struct Copies(pub Files);

impl Workspaces for Copies {
    fn clean_copy(&self, _tree: &TreeId) -> Result<Box<dyn CleanCopy>, WorkspaceError> {
        let folder = tempfile::tempdir().unwrap();
        for (path, text) in &self.0 {
            write(folder.path(), path, text.as_bytes());
        }
        Ok(Box::new(Copy { folder, report: ExportReport::default() }))
    }
}

struct Copy {
    folder: tempfile::TempDir,
    report: ExportReport,
}

fn write(root: &Path, path: &str, bytes: &[u8]) {
    let file = root.join(path);
    std::fs::create_dir_all(file.parent().unwrap()).unwrap();
    std::fs::write(file, bytes).unwrap();
}

impl CleanCopy for Copy {
    fn root(&self) -> &Path {
        self.folder.path()
    }

    fn exported(&self) -> &ExportReport {
        &self.report
    }

    fn apply(&mut self, files: &[FileChange]) -> Result<(), WorkspaceError> {
        for change in files {
            let refused =
                |why: &str| WorkspaceError::Refused { path: change.path.to_string(), why: why.into() };
            if self.digest(&change.path)? != change.before {
                return Err(refused("is not what the change expects"));
            }
            match change.bytes().map_err(|e| refused(e.why))? {
                Some(bytes) => write(self.root(), change.path.as_str(), &bytes),
                None => std::fs::remove_file(self.root().join(change.path.as_str())).unwrap(),
            }
        }
        Ok(())
    }

    fn digest(&self, path: &RepoPath) -> Result<Option<Digest>, WorkspaceError> {
        Ok(std::fs::read(self.root().join(path.as_str())).ok().map(Digest::of))
    }
}

/// Full protection, as a double claims it.
pub fn protection() -> Protection {
    let measure = Measure { state: MeasureState::Enforced, by: "a test double".into() };
    Protection::uniform(measure)
}

fn outcome(ended: Ended, stdout: String, stderr: String) -> Outcome {
    let captured = |text: String| Captured { bytes: text.len() as u64, text };
    Outcome {
        ended,
        stdout: captured(stdout),
        stderr: captured(stderr),
        protection: protection(),
        violations: Vec::new(),
        duration: Duration::from_millis(5),
    }
}

/// Runs commands as they are, without a sandbox.
pub struct Direct;

impl Processes for Direct {
    fn run(&self, command: &Command) -> Result<Outcome, ProcessError> {
        let run = std::process::Command::new(&command.argv[0])
            .args(&command.argv[1..])
            .current_dir(&command.cwd)
            .env_remove("CARGO_TARGET_DIR")
            .envs(&command.env)
            .output();
        Ok(match run {
            Ok(output) => outcome(
                Ended::Exited { code: output.status.code().unwrap_or(-1) },
                String::from_utf8_lossy(&output.stdout).into_owned(),
                String::from_utf8_lossy(&output.stderr).into_owned(),
            ),
            Err(error) => outcome(Ended::NotStarted { why: error.to_string() }, String::new(), String::new()),
        })
    }

    fn protection(&self, _sandbox: &Sandbox) -> Result<Protection, ProcessError> {
        Ok(protection())
    }
}

/// What a script answers: how the command ended, stdout, stderr.
pub type Answer = (Ended, String, String);

/// Answers commands by a function of the command and the number of the call.
pub struct Scripted<F> {
    script: F,
    calls: Mutex<usize>,
}

impl<F: Fn(&Command, usize) -> Answer + Send + Sync> Scripted<F> {
    pub fn new(script: F) -> Self {
        Self { script, calls: Mutex::new(0) }
    }

    pub fn calls(&self) -> usize {
        *self.calls.lock().unwrap()
    }
}

impl<F: Fn(&Command, usize) -> Answer + Send + Sync> Processes for Scripted<F> {
    fn run(&self, command: &Command) -> Result<Outcome, ProcessError> {
        let call = {
            let mut calls = self.calls.lock().unwrap();
            *calls += 1;
            *calls
        };
        let (ended, stdout, stderr) = (self.script)(command, call);
        Ok(outcome(ended, stdout, stderr))
    }

    fn protection(&self, _sandbox: &Sandbox) -> Result<Protection, ProcessError> {
        Ok(protection())
    }
}

/// The change that makes `path` hold `text`, against a base.
pub fn change(base: &Files, path: &str, text: &str) -> FileChange {
    let before = base.get(path).map(String::as_bytes);
    FileChange::write(path.parse().unwrap(), before, text.into(), FileMode::Regular)
}

/// The change that removes a file of a base.
pub fn removal(base: &Files, path: &str) -> FileChange {
    FileChange {
        path: path.parse().unwrap(),
        op: FileOp::Delete,
        mode: FileMode::Regular,
        before: Some(Digest::of(&base[path])),
        after: None,
        content: None,
    }
}
