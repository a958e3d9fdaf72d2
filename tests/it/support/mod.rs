//! Real git repositories in temporary folders, with an own home, a fixed identity and no variable of the caller.
#![expect(clippy::unwrap_used, reason = "a test may fail anywhere, its helpers too")]
#![expect(clippy::disallowed_methods, reason = "tests build repositories with the git program")]

mod forbidden;
pub mod git_http;
pub mod github;

use std::collections::BTreeMap;
use std::fs;
use std::path::{Path, PathBuf};
use std::process::{Command, Output};

pub use forbidden::Forbidden;

use orch::artifact::digest::Digest;
use orch::artifact::types::change_set::{FileChange, FileMode, FileOp};
use orch::ports::vcs::GitRepository;
use tempfile::TempDir;

/// A repository below a temporary folder that goes with it.
#[derive(Debug)]
pub struct Repo {
    dir: TempDir,
}

impl Repo {
    /// Makes an empty repository on the branch `main`.
    pub fn empty() -> Self {
        Self::with_init(&[])
    }

    /// Makes an empty repository with more words for `git init`.
    pub fn with_init(words: &[&str]) -> Self {
        let dir = tempfile::Builder::new().prefix("orch-it-").tempdir().unwrap();
        fs::create_dir(dir.path().join("home")).unwrap();
        fs::create_dir(dir.path().join("repo")).unwrap();
        let repo = Self { dir };
        repo.git(&[&["init", "--quiet", "-b", "main"], words].concat());
        repo
    }

    /// Makes a repository with one commit that holds the files.
    pub fn new(files: &[(&str, &str)]) -> Self {
        let repo = Self::empty();
        for (path, text) in files {
            repo.write(path, text);
        }
        repo.commit("base");
        repo
    }

    /// The top folder of the checkout.
    pub fn root(&self) -> PathBuf {
        self.dir.path().join("repo")
    }

    /// A folder beside the checkout.
    pub fn beside(&self, name: &str) -> PathBuf {
        self.dir.path().join(name)
    }

    /// Opens the repository.
    pub fn open(&self) -> GitRepository {
        GitRepository::open(self.root()).unwrap()
    }

    /// Writes a file of the checkout.
    pub fn write(&self, path: &str, bytes: impl AsRef<[u8]>) {
        let path = self.root().join(path);
        fs::create_dir_all(path.parent().unwrap()).unwrap();
        fs::write(path, bytes).unwrap();
    }

    /// Makes a file of the checkout executable, or not.
    #[cfg(unix)]
    pub fn set_executable(&self, path: &str, executable: bool) {
        use std::os::unix::fs::PermissionsExt as _;
        let mode = if executable { 0o755 } else { 0o644 };
        fs::set_permissions(self.root().join(path), fs::Permissions::from_mode(mode)).unwrap();
    }

    /// Makes a file of the checkout executable, or not.
    #[cfg(not(unix))]
    pub fn set_executable(&self, _path: &str, _executable: bool) {}

    /// Commits everything there is.
    pub fn commit(&self, message: &str) -> String {
        self.git(&["add", "-A"]);
        self.git(&["commit", "--quiet", "--allow-empty", "-m", message]);
        self.git(&["rev-parse", "HEAD"])
    }

    /// Makes a bare repository and adds it as `origin`.
    pub fn with_remote(self) -> Self {
        let bare = self.beside("remote.git");
        self.git(&["init", "--quiet", "--bare", "-b", "main", bare.to_str().unwrap()]);
        self.git(&["remote", "add", "origin", bare.to_str().unwrap()]);
        self
    }

    /// Runs git in the checkout; it must succeed.
    pub fn git(&self, words: &[&str]) -> String {
        self.git_in(&self.root(), words)
    }

    /// Runs git in a folder; it must succeed.
    pub fn git_in(&self, folder: &Path, words: &[&str]) -> String {
        let output = self.try_git(folder, words);
        assert!(output.status.success(), "git {words:?}: {}", String::from_utf8_lossy(&output.stderr));
        String::from_utf8_lossy(&output.stdout).trim_end().to_owned()
    }

    /// Runs git in a folder.
    pub fn try_git(&self, folder: &Path, words: &[&str]) -> Output {
        self.command(folder).args(words).output().unwrap()
    }

    /// Returns git in a folder, not yet run.
    pub fn command(&self, folder: &Path) -> Command {
        let mut command = Command::new("git");
        command.env_clear().current_dir(folder).env("HOME", self.dir.path().join("home"));
        command.env("PATH", std::env::var_os("PATH").unwrap_or_default());
        command.args(["-c", "user.name=Somebody", "-c", "user.email=somebody@example.com"]);
        command.args(["-c", "protocol.file.allow=always", "-c", "core.autocrlf=false"]);
        command.env("GIT_CONFIG_NOSYSTEM", "1").env("LC_ALL", "C");
        for name in ["GIT_AUTHOR_DATE", "GIT_COMMITTER_DATE"] {
            command.env(name, "2026-01-02T03:04:05Z");
        }
        command
    }

    /// Everything a person could miss: the working tree, the index, HEAD, config, hooks, stash, every ref but `except`.
    pub fn snapshot(&self, except: &str) -> BTreeMap<PathBuf, String> {
        let mut found = BTreeMap::new();
        collect(&self.root(), &self.root(), &mut found);
        let free = |path: &Path| {
            let text = path.to_string_lossy();
            text.starts_with(".git/objects/") || text.contains(except)
        };
        found.retain(|path, _| !free(path));
        found
    }
}

fn collect(root: &Path, folder: &Path, found: &mut BTreeMap<PathBuf, String>) {
    for entry in fs::read_dir(folder).unwrap().map(Result::unwrap) {
        let path = entry.path();
        let kind = entry.file_type().unwrap();
        let content = if kind.is_symlink() {
            format!("link to {}", fs::read_link(&path).unwrap().display())
        } else if kind.is_dir() {
            collect(root, &path, found);
            continue;
        } else {
            format!("{} {:?}", Digest::of(fs::read(&path).unwrap()), entry.metadata().unwrap().permissions())
        };
        found.insert(path.strip_prefix(root).unwrap().to_owned(), content);
    }
}

/// A change that creates a file.
pub fn create(path: &str, text: &str) -> FileChange {
    FileChange::write(path.parse().unwrap(), None, text.into(), FileMode::Regular)
}

/// A change of a file.
pub fn modify(path: &str, before: &str, text: &str) -> FileChange {
    FileChange::write(path.parse().unwrap(), Some(before.as_bytes()), text.into(), FileMode::Regular)
}

/// A change that deletes a file.
pub fn delete(path: &str, before: &str) -> FileChange {
    FileChange {
        path: path.parse().unwrap(),
        op: FileOp::Delete,
        mode: FileMode::Regular,
        before: Some(Digest::of(before)),
        after: None,
        content: None,
    }
}
