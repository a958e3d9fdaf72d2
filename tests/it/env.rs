//! The program in an environment of its own: no variable, config or home of the person who runs the tests comes through.
#![expect(clippy::unwrap_used, clippy::panic, reason = "a test may fail anywhere, its helpers too")]

use std::collections::BTreeMap;
use std::fs;
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Stdio};

use tempfile::TempDir;

/// The wall clock of every test run.
pub const EPOCH: &str = "1767225600";

/// A folder with a home, and the program with a scrubbed environment.
pub struct TestEnv {
    folder: TempDir,
}

/// What the program said.
pub struct Said {
    pub exit: i32,
    pub stdout: String,
    pub stderr: String,
}

impl Said {
    /// Checks the exit code, showing everything when it is another.
    #[track_caller]
    pub fn exits(self, wanted: i32) -> Self {
        assert_eq!(self.exit, wanted, "stdout:\n{}\nstderr:\n{}", self.stdout, self.stderr);
        self
    }

    /// Checks that standard error holds a text.
    #[track_caller]
    pub fn says(self, wanted: &str) -> Self {
        assert!(
            self.stderr.contains(wanted) || self.stdout.contains(wanted),
            "no {wanted:?} in:\n{}\n{}",
            self.stdout,
            self.stderr
        );
        self
    }

    /// Returns the last line of standard output as JSON.
    #[track_caller]
    pub fn json(&self) -> serde_json::Value {
        serde_json::from_str(self.stdout.trim().lines().last().unwrap_or_default())
            .or_else(|_| serde_json::from_str(&self.stdout))
            .unwrap_or_else(|e| panic!("{e}: {}\n{}", self.stdout, self.stderr))
    }
}

impl TestEnv {
    pub fn new() -> Self {
        let folder = tempfile::Builder::new().prefix("orch-it-").tempdir().unwrap();
        fs::create_dir_all(folder.path().join("home")).unwrap();
        fs::create_dir_all(folder.path().join("tmp")).unwrap();
        Self { folder }
    }

    pub fn path(&self, below: &str) -> PathBuf {
        self.folder.path().canonicalize().unwrap().join(below)
    }

    /// A command with the scrubbed environment, in a folder.
    pub fn command(&self, program: impl AsRef<std::ffi::OsStr>, folder: &Path) -> Command {
        let mut command = Command::new(program);
        command.env_clear().current_dir(folder).stdin(Stdio::null());
        for name in ["PATH", "RUSTUP_HOME", "CARGO_HOME", "PYENV_ROOT"] {
            if let Some(value) = std::env::var_os(name) {
                command.env(name, value);
            }
        }
        if let Some(home) = std::env::var_os("HOME") {
            // The tool chain lives in the real home where nobody said otherwise.
            for (name, below) in [("RUSTUP_HOME", ".rustup"), ("CARGO_HOME", ".cargo")] {
                if std::env::var_os(name).is_none() {
                    command.env(name, Path::new(&home).join(below));
                }
            }
        }
        command.env("HOME", self.path("home")).env("TMPDIR", self.path("tmp"));
        command.env("SOURCE_DATE_EPOCH", EPOCH).env("GIT_CONFIG_NOSYSTEM", "1");
        // The same files give the same commit, so that two repositories can share a base.
        command
            .env("GIT_AUTHOR_DATE", format!("{EPOCH} +0000"))
            .env("GIT_COMMITTER_DATE", format!("{EPOCH} +0000"));
        command
    }

    /// The program, not started yet.
    pub fn orch_command(&self, folder: &Path, args: &[&str]) -> Command {
        let mut command = self.command(env!("CARGO_BIN_EXE_orch"), folder);
        command.args(args);
        command
    }

    /// Runs the program to its end.
    #[must_use]
    pub fn orch(&self, folder: &Path, args: &[&str]) -> Said {
        said(self.orch_command(folder, args))
    }

    /// Starts the program and returns at once.
    pub fn start(&self, folder: &Path, args: &[&str]) -> Child {
        self.orch_command(folder, args).stdout(Stdio::null()).stderr(Stdio::null()).spawn().unwrap()
    }

    /// Runs git, which must succeed, and returns what it printed.
    #[track_caller]
    pub fn git(&self, folder: &Path, args: &[&str]) -> String {
        let mut command = self.command("git", folder);
        command.args([
            "-c",
            "user.name=t",
            "-c",
            "user.email=t@example.invalid",
            "-c",
            "commit.gpgSign=false",
        ]);
        let said = said({
            command.args(args);
            command
        });
        said.exits(0).stdout
    }

    /// Makes a repository with files and one commit on `main`, and a bare remote beside it.
    pub fn repository(&self, name: &str, files: &[(&str, &str)]) -> PathBuf {
        let (root, remote) = (self.path(name), self.path(&format!("{name}.git")));
        fs::create_dir_all(&root).unwrap();
        for (path, text) in files {
            let file = root.join(path);
            fs::create_dir_all(file.parent().unwrap()).unwrap();
            fs::write(file, text).unwrap();
        }
        self.git(&root, &["init", "-q", "-b", "main"]);
        self.git(&root, &["add", "-A"]);
        self.git(&root, &["commit", "-q", "--allow-empty", "-m", "base"]);
        self.git(&root, &["init", "-q", "--bare", &remote.display().to_string()]);
        self.git(&root, &["remote", "add", "origin", &remote.display().to_string()]);
        root
    }

    /// Makes the sample service as a repository.
    pub fn service(&self, name: &str) -> PathBuf {
        let files = sample();
        let texts = files.iter().map(|(path, bytes)| (path.as_str(), std::str::from_utf8(bytes).unwrap()));
        self.repository(name, &texts.collect::<Vec<_>>())
    }
}

/// Returns the files of the sample service; those that end in `.in` lose the ending.
pub fn sample() -> BTreeMap<String, Vec<u8>> {
    let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("samples/rust-service");
    let files = files_below(&folder).into_iter();
    files.map(|(path, bytes)| (path.trim_end_matches(".in").to_owned(), bytes)).collect()
}

pub fn said(mut command: Command) -> Said {
    let output = command.output().unwrap();
    Said {
        exit: output.status.code().unwrap_or(-1),
        stdout: String::from_utf8_lossy(&output.stdout).into_owned(),
        stderr: String::from_utf8_lossy(&output.stderr).into_owned(),
    }
}

/// Returns every file below a folder with its bytes, by path; links are left out.
pub fn files_below(folder: &Path) -> BTreeMap<String, Vec<u8>> {
    let mut files = BTreeMap::new();
    let mut folders = vec![folder.to_owned()];
    while let Some(next) = folders.pop() {
        for entry in fs::read_dir(&next).into_iter().flatten().flatten() {
            let (path, kind) = (entry.path(), entry.file_type().unwrap());
            if kind.is_dir() {
                folders.push(path);
            } else if kind.is_file() {
                let name = path.strip_prefix(folder).unwrap().to_string_lossy().into_owned();
                // Another process may be writing here: its files beside the real ones are renamed at any moment.
                match fs::read(&path) {
                    Ok(bytes) => drop(files.insert(name, bytes)),
                    Err(error) => {
                        assert_eq!(error.kind(), std::io::ErrorKind::NotFound, "{}", path.display());
                    }
                }
            }
        }
    }
    files
}

/// Returns the one run folder below a repository's artifacts.
#[track_caller]
pub fn run_folder(root: &Path) -> PathBuf {
    let mut found: Vec<PathBuf> = fs::read_dir(root.join("artifacts"))
        .unwrap()
        .map(|entry| entry.unwrap().path())
        .filter(|path| path.join("manifest").is_dir())
        .collect();
    assert_eq!(found.len(), 1, "{found:?}");
    found.remove(0)
}

/// Tells whether a file of a run holds what commands printed, with their times.
pub fn is_raw_output(path: &str) -> bool {
    path.starts_with("tape/")
        || Path::new(path).extension().is_some_and(|extension| extension == "log" || extension == "xml")
}
