//! The `git` program, for the one thing gix cannot do: talking to a remote.
//!
//! Must never be given a word that was not checked, never run a hook, never ask a question and never outlast its deadline.
#![expect(
    clippy::disallowed_methods,
    reason = "this is the one place that starts git and cleans its environment"
)]

use std::io::Read;
use std::path::Path;
use std::process::{Child, Command, Stdio};
use std::thread;
use std::time::{Duration, Instant};

use crate::ports::credential::{is_credential, vault};
use crate::ports::secret::Secret;

/// Output beyond this is not read by anybody.
const MAX_OUTPUT: u64 = 1024 * 1024;
/// The longest pause between two looks; the first ones are shorter, since git mostly takes a few milliseconds.
const POLL: Duration = Duration::from_millis(5);

/// Settings that no config of the repository can undo: nothing is run, nothing is asked, only known transports.
const SETTINGS: &[&str] = &[
    "core.hooksPath=/dev/null",
    "core.fsmonitor=false",
    "core.askPass=",
    "credential.interactive=never",
    "fetch.recurseSubmodules=false",
    "gc.auto=0",
    "maintenance.auto=false",
    "protocol.allow=never",
    "protocol.ext.allow=never",
    "protocol.file.allow=always",
    "protocol.git.allow=always",
    "protocol.http.allow=always",
    "protocol.https.allow=always",
    "protocol.ssh.allow=always",
    "push.followTags=false",
    "push.gpgSign=false",
    "push.recurseSubmodules=no",
    "submodule.recurse=false",
];

/// The variable the question below is answered from; the git child and what it starts have it, nothing else.
const PASSWORD: &str = "ORCH_GIT_PASSWORD";
/// A credential helper of one line: the words are always these, the token is in the environment of git alone.
const HELPER: &str =
    r#"!f() { test "$1" = get && printf 'username=x-access-token\npassword=%s\n' "$ORCH_GIT_PASSWORD"; }; f"#;

/// A token for one address: git is told it when the server there asks who it is, and for no other.
pub(super) struct Access<'a> {
    /// The address, as `https://github.com/acme/app.git`.
    pub(super) url: &'a str,
    /// The token.
    pub(super) token: &'a Secret,
}

impl Access<'_> {
    /// Returns the settings that let this address be asked with this token, and with no other credential of the machine.
    fn settings(&self) -> Vec<String> {
        let url = self.url;
        vec![
            // What the person has for other times: helpers, headers with a token, another place for the same address.
            "credential.helper=".into(),
            format!("credential.{url}.helper="),
            format!("http.{url}.extraHeader="),
            format!("url.{url}.insteadOf={url}"),
            format!("url.{url}.pushInsteadOf={url}"),
            "http.followRedirects=false".into(),
            "http.sslVerify=true".into(),
            "credential.useHttpPath=true".into(),
            format!("credential.{url}.helper={HELPER}"),
        ]
    }
}

/// What git said.
pub(super) struct Said {
    pub(super) ok: bool,
    pub(super) stdout: String,
    pub(super) stderr: String,
}

/// Runs git with fixed settings and a clean environment; the error is one line for people.
pub(super) fn git(root: &Path, words: &[&str], limit: Duration) -> Result<Said, String> {
    git_as(root, words, limit, None)
}

/// Runs git like [`git()`]; with a token, the server of its address is answered with that.
pub(super) fn git_as(
    root: &Path,
    words: &[&str],
    limit: Duration,
    access: Option<&Access<'_>>,
) -> Result<Said, String> {
    let mut command = Command::new("git");
    for setting in SETTINGS {
        command.args(["-c", setting]);
    }
    for setting in access.iter().flat_map(|access| access.settings()) {
        command.args(["-c", &setting]);
    }
    command.args(words).current_dir(root).stdin(Stdio::null()).stdout(Stdio::piped()).stderr(Stdio::piped());
    clean_environment(&mut command);
    match access {
        Some(access) => command.env(PASSWORD, access.token.expose()),
        None => command.envs(vault().for_git().map(|(name, secret)| (name, secret.expose()))),
    };
    own_group(&mut command);
    let mut child = command.spawn().map_err(|error| match error.kind() {
        std::io::ErrorKind::NotFound => "the program `git` is not installed".to_owned(),
        _ => format!("the program `git` cannot be started: {error}"),
    })?;
    let stdout = reader(child.stdout.take());
    let stderr = reader(child.stderr.take());
    let status = wait(&mut child, limit)?;
    let text = |reader: thread::JoinHandle<Vec<u8>>| {
        String::from_utf8_lossy(&reader.join().unwrap_or_default()).into_owned()
    };
    Ok(Said { ok: status, stdout: text(stdout), stderr: text(stderr) })
}

/// Takes every `GIT_*` variable away: any of them may name another repository, program or config; and every credential but
/// those a credential helper needs to reach the remote, which are put back.
fn clean_environment(command: &mut Command) {
    for (name, _) in std::env::vars_os() {
        if name.to_string_lossy().to_ascii_uppercase().starts_with("GIT_") || is_credential(&name) {
            command.env_remove(name);
        }
    }
    command
        .env_remove(PASSWORD)
        .env("GIT_TERMINAL_PROMPT", "0")
        .env("SSH_ASKPASS_REQUIRE", "never")
        .env("LC_ALL", "C");
    command.env("GIT_LFS_SKIP_PUSH", "1").env("GIT_OPTIONAL_LOCKS", "0");
}

fn reader<R: Read + Send + 'static>(pipe: Option<R>) -> thread::JoinHandle<Vec<u8>> {
    thread::spawn(move || {
        let mut kept = Vec::new();
        if let Some(mut pipe) = pipe {
            let _ = pipe.by_ref().take(MAX_OUTPUT).read_to_end(&mut kept);
            let _ = std::io::copy(&mut pipe, &mut std::io::sink());
        }
        kept
    })
}

/// Waits for the end; kills git with all it started at the deadline.
fn wait(child: &mut Child, limit: Duration) -> Result<bool, String> {
    let start = Instant::now();
    let mut pause = POLL / 32;
    loop {
        match child.try_wait() {
            Ok(Some(status)) => return Ok(status.success()),
            Ok(None) if start.elapsed() < limit => {
                thread::sleep(pause);
                pause = POLL.min(pause * 2);
            }
            Ok(None) => {
                kill(child);
                return Err(format!("no answer within {} seconds", limit.as_secs()));
            }
            Err(error) => {
                kill(child);
                return Err(format!("the program `git` cannot be watched: {error}"));
            }
        }
    }
}

#[cfg(unix)]
fn own_group(command: &mut Command) {
    use std::os::unix::process::CommandExt as _;
    command.process_group(0);
}

#[cfg(not(unix))]
fn own_group(_command: &mut Command) {}

fn kill(child: &mut Child) {
    #[cfg(unix)]
    if let Ok(id) = i32::try_from(child.id()) {
        let _ = nix::sys::signal::killpg(nix::unistd::Pid::from_raw(id), nix::sys::signal::Signal::SIGKILL);
    }
    let _ = child.kill();
    let _ = child.wait();
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn git_that_does_not_end_is_killed_with_its_children() {
        let alias = ["-c", "alias.hang=!sleep 60", "hang"];
        let start = Instant::now();
        let error = git(Path::new("/"), &alias, Duration::from_millis(200)).err().unwrap();
        assert!(error.contains("no answer"), "{error}");
        assert!(start.elapsed() < Duration::from_secs(30));
    }
}
