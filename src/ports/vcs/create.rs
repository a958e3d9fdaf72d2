//! Makes a repository with one commit and a bare remote: what the demo starts from.
//!
//! Must never touch a folder that already is a repository.

use std::path::Path;
use std::time::Duration;

use super::VcsError;
use super::program::git;

const LIMIT: Duration = Duration::from_mins(1);

/// Makes a repository of a folder's files, with one commit on `main`, pushed to a new bare remote `origin`.
pub fn create_repository(root: &Path, remote: &Path) -> Result<(), VcsError> {
    let remote_text = remote.display().to_string();
    let home = root.parent().unwrap_or(root);
    let identity =
        ["-c", "user.name=orch demo", "-c", "user.email=demo@example.invalid", "-c", "commit.gpgSign=false"];
    let commit: Vec<&str> =
        identity.iter().copied().chain(["commit", "-q", "-m", "feat: a small service"]).collect();
    let steps: [(&Path, &[&str]); 6] = [
        (root, &["init", "-q", "-b", "main"]),
        (root, &["add", "-A"]),
        (root, &commit),
        (home, &["init", "-q", "--bare", "-b", "main", &remote_text]),
        (root, &["remote", "add", "origin", &remote_text]),
        (root, &["push", "-q", "origin", "main:refs/heads/main"]),
    ];
    for (folder, words) in steps {
        let why = match git(folder, words, LIMIT) {
            Ok(said) if said.ok => continue,
            Ok(said) => said.stderr.lines().next().unwrap_or_default().to_owned(),
            Err(why) => why,
        };
        return Err(VcsError::Git {
            what: format!("make a repository in {}", folder.display()),
            source: why.into(),
        });
    }
    Ok(())
}
