//! `orch stage policy` on changes that no run made: what is seen, what decides, and what never runs.
#![expect(clippy::unwrap_used, reason = "a test may fail anywhere, its helpers too")]

mod hostile;
mod odd;
mod port;
mod requests;
pub mod shown;
mod subjects;

use std::fs;
use std::io::Write as _;
use std::path::{Path, PathBuf};
use std::process::Stdio;

use crate::env::{Said, TestEnv};

/// A repository with one commit, and the program.
pub struct World {
    pub env: TestEnv,
    pub root: PathBuf,
}

impl World {
    /// Makes a repository whose first commit holds the files.
    pub fn new(files: &[(&str, &str)]) -> Self {
        let env = TestEnv::new();
        let root = env.repository("repo", files);
        Self { env, root }
    }

    /// Makes a repository without a commit.
    pub fn unborn() -> Self {
        let env = TestEnv::new();
        let root = env.path("repo");
        fs::create_dir(&root).unwrap();
        env.git(&root, &["init", "-q", "-b", "main"]);
        Self { env, root }
    }

    pub fn git(&self, words: &[&str]) -> String {
        self.env.git(&self.root, words).trim().to_owned()
    }

    pub fn write(&self, path: &str, bytes: impl AsRef<[u8]>) {
        let path = self.root.join(path);
        fs::create_dir_all(path.parent().unwrap()).unwrap();
        fs::write(path, bytes).unwrap();
    }

    pub fn remove(&self, path: &str) {
        fs::remove_file(self.root.join(path)).unwrap();
    }

    pub fn commit(&self, message: &str) -> String {
        self.git(&["add", "-A"]);
        self.git(&["commit", "-q", "--allow-empty", "-m", message]);
        self.git(&["rev-parse", "HEAD"])
    }

    /// Judges, with these flags.
    #[must_use]
    pub fn judge(&self, flags: &[&str]) -> Said {
        self.env.orch(&self.root, &[&["stage", "policy"], flags].concat())
    }

    /// Judges a patch.
    #[must_use]
    pub fn judge_patch(&self, patch: &[u8]) -> Said {
        let mut command = self.env.orch_command(&self.root, &["stage", "policy", "--stdin"]);
        command.stdin(Stdio::piped()).stdout(Stdio::piped()).stderr(Stdio::piped());
        let mut child = command.spawn().unwrap();
        // A program that has seen enough stops reading.
        let _ = child.stdin.take().unwrap().write_all(patch);
        let output = child.wait_with_output().unwrap();
        Said {
            exit: output.status.code().unwrap_or(-1),
            stdout: String::from_utf8_lossy(&output.stdout).into_owned(),
            stderr: String::from_utf8_lossy(&output.stderr).into_owned(),
        }
    }

    /// Judges with variables of the environment.
    #[must_use]
    pub fn judge_in(&self, folder: &Path, flags: &[&str], variables: &[(&str, &str)]) -> Said {
        let mut command = self.env.orch_command(folder, &[&["stage", "policy"], flags].concat());
        let output = command.envs(variables.iter().copied()).output().unwrap();
        Said {
            exit: output.status.code().unwrap_or(-1),
            stdout: String::from_utf8_lossy(&output.stdout).into_owned(),
            stderr: String::from_utf8_lossy(&output.stderr).into_owned(),
        }
    }
}

/// A token nobody has, made when it is needed.
pub fn token() -> String {
    const LETTERS: &[u8; 62] = b"ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789";
    let mut state = 11_u64;
    let mut next = |_| {
        state = state.wrapping_mul(6_364_136_223_846_793_005).wrapping_add(1_442_695_040_888_963_407);
        char::from(LETTERS[usize::try_from(state >> 33).unwrap_or_default() % LETTERS.len()])
    };
    format!("sk_{}_{}", "live", (0..24).map(&mut next).collect::<String>())
}

/// A line that holds a token.
pub fn secret() -> String {
    format!("stripe.api_key = \"{}\"\n", token())
}

/// Checks that the token was found where it is, and is not shown.
#[track_caller]
pub fn denied(said: Said, place: &str) {
    let said = said.exits(3).says(place).says("secrets/token");
    assert!(!said.stdout.contains(&token()) && !said.stderr.contains(&token()), "the token is shown");
}
