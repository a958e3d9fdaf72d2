//! Runs a program once: request in, reply out, gone at the deadline with all it started.
//!
//! Must never wait for a process that outlives the program, and never keep more of what it prints than a reply may have.
#![expect(
    clippy::disallowed_methods,
    reason = "this is the one place that starts programs that answer for a model"
)]

use std::collections::BTreeMap;
use std::ffi::OsString;
use std::io::{self, Read, Write};
use std::path::Path;
use std::process::{Child, Command, ExitStatus, Stdio};
use std::sync::mpsc::{Receiver, RecvTimeoutError, Sender, channel};
use std::time::{Duration, Instant};

use super::super::http::MAX_REPLY;
use super::super::wire::safe;
use super::super::{CallError, RawReply};
use super::protocol::{EXIT, STDERR};

/// How often to look whether the program has ended, when it says nothing.
const LOOK: Duration = Duration::from_millis(10);
/// How long output may take to arrive after the program has ended.
const LINGER: Duration = Duration::from_millis(300);
/// How much of standard error is kept: the end, where the reason is.
const STDERR_KEPT: usize = 2048;

/// What to run.
pub(super) struct Job<'a> {
    pub program: &'a Path,
    pub words: &'a [String],
    pub environment: BTreeMap<OsString, OsString>,
    pub secrets: Vec<&'a str>,
    pub input: Vec<u8>,
    pub timeout: Duration,
}

enum Piece {
    Out(Vec<u8>),
    Err(Vec<u8>),
    Ended,
}

/// Runs it.
pub(super) fn run(job: &Job<'_>) -> Result<RawReply, CallError> {
    let offline = |what: &str, error: &io::Error| CallError::Offline {
        why: safe::line(&format!("{what} {}: {error}", job.program.display()), 200),
    };
    let folder = tempfile::Builder::new()
        .prefix("orch-exec-")
        .tempdir()
        .map_err(|error| offline("cannot make a folder for", &error))?;
    let deadline = Instant::now() + job.timeout;
    let mut child = start(job, folder.path()).map_err(|error| offline("cannot start", &error))?;
    let pieces = listen(&mut child, job.input.clone());
    let mut heard = Heard::default();
    let outcome = attend(&mut child, &pieces, deadline, &mut heard);
    end(&mut child);
    let status = match outcome {
        Outcome::Ended(status) => status,
        Outcome::Late => return Err(CallError::Timeout { within: job.timeout, maybe_billed: true }),
        Outcome::TooLarge => {
            let what = format!("it is larger than {} MB", MAX_REPLY / 1024 / 1024);
            return Err(CallError::Shape { what });
        }
    };
    let mut headers = BTreeMap::from([(EXIT.to_owned(), ended(status))]);
    let stderr = redacted(&String::from_utf8_lossy(&heard.err), &job.secrets);
    if !stderr.trim().is_empty() {
        let skip = stderr.chars().count().saturating_sub(200);
        headers.insert(STDERR.into(), safe::line(&stderr.chars().skip(skip).collect::<String>(), 200));
    }
    let body = match String::from_utf8(heard.out) {
        Ok(text) => redacted(&text, &job.secrets).into_bytes(),
        Err(error) => error.into_bytes(),
    };
    Ok(RawReply { status: if status.success() { 200 } else { 500 }, headers, body, cut: false })
}

fn start(job: &Job<'_>, folder: &Path) -> io::Result<Child> {
    let mut command = Command::new(job.program);
    command
        .args(job.words)
        .env_clear()
        .envs(&job.environment)
        .current_dir(folder)
        .stdin(Stdio::piped())
        .stdout(Stdio::piped())
        .stderr(Stdio::piped());
    #[cfg(unix)]
    std::os::unix::process::CommandExt::process_group(&mut command, 0);
    command.spawn()
}

/// Says the request and listens, each in a thread of its own that ends with its pipe.
fn listen(child: &mut Child, input: Vec<u8>) -> Receiver<Piece> {
    let (sender, pieces) = channel();
    if let Some(mut stdin) = child.stdin.take() {
        // A program need not read its request; that the pipe is gone then is no fault.
        std::thread::spawn(move || drop(stdin.write_all(&input)));
    }
    if let Some(stdout) = child.stdout.take() {
        let sender = sender.clone();
        std::thread::spawn(move || pump(stdout, &sender, Piece::Out));
    }
    if let Some(stderr) = child.stderr.take() {
        std::thread::spawn(move || pump(stderr, &sender, Piece::Err));
    }
    pieces
}

fn pump(mut stream: impl Read, sender: &Sender<Piece>, piece: fn(Vec<u8>) -> Piece) {
    let mut chunk = vec![0; 64 * 1024];
    loop {
        match stream.read(&mut chunk) {
            Ok(0) => break,
            Ok(read) => {
                if sender.send(piece(chunk.get(..read).unwrap_or_default().to_vec())).is_err() {
                    return;
                }
            }
            Err(error) if error.kind() == io::ErrorKind::Interrupted => {}
            Err(_) => break,
        }
    }
    let _ = sender.send(Piece::Ended);
}

#[derive(Default)]
struct Heard {
    out: Vec<u8>,
    err: Vec<u8>,
    ended: u8,
}

impl Heard {
    /// Takes a piece in; false: it is too much.
    fn take(&mut self, piece: Piece) -> bool {
        match piece {
            Piece::Out(bytes) => self.out.extend(bytes),
            Piece::Err(bytes) => {
                self.err.extend(bytes);
                let surplus = self.err.len().saturating_sub(STDERR_KEPT);
                self.err.drain(..surplus);
            }
            Piece::Ended => self.ended += 1,
        }
        self.out.len() <= MAX_REPLY
    }
}

enum Outcome {
    Ended(ExitStatus),
    Late,
    TooLarge,
}

fn attend(child: &mut Child, pieces: &Receiver<Piece>, deadline: Instant, heard: &mut Heard) -> Outcome {
    let mut gone: Option<(ExitStatus, Instant)> = None;
    loop {
        let now = Instant::now();
        match gone {
            Some((status, until)) if heard.ended == 2 || now >= until => return Outcome::Ended(status),
            None if now >= deadline => return Outcome::Late,
            _ => {}
        }
        match pieces
            .recv_timeout(LOOK.min(deadline.saturating_duration_since(now)).max(Duration::from_millis(1)))
        {
            Ok(piece) => {
                if !heard.take(piece) {
                    return Outcome::TooLarge;
                }
            }
            Err(RecvTimeoutError::Timeout) => {}
            // Both pipes are at their end, so there is only the program to wait for.
            Err(RecvTimeoutError::Disconnected) => std::thread::sleep(Duration::from_millis(1)),
        }
        if gone.is_none()
            && let Ok(Some(status)) = child.try_wait()
        {
            // What it started in its group ends with it, and with that their ends of the pipes.
            end_group(child);
            gone = Some((status, Instant::now() + LINGER));
        }
    }
}

fn end(child: &mut Child) {
    if let Ok(None) = child.try_wait() {
        end_group(child);
        let _ = child.kill();
        let _ = child.wait();
    }
}

#[cfg(unix)]
fn end_group(child: &Child) {
    use nix::sys::signal::{Signal, killpg};
    use nix::unistd::Pid;
    if let Ok(group) = i32::try_from(child.id()) {
        // No such group means that all have ended.
        let _ = killpg(Pid::from_raw(group), Signal::SIGKILL);
    }
}

#[cfg(not(unix))]
fn end_group(_child: &Child) {}

fn ended(status: ExitStatus) -> String {
    #[cfg(unix)]
    if let Some(signal) = std::os::unix::process::ExitStatusExt::signal(&status) {
        return format!("signal {signal}");
    }
    status.code().map_or_else(|| "no code".into(), |code| format!("code {code}"))
}

/// Takes the secrets a program was given out of what it printed.
fn redacted(text: &str, secrets: &[&str]) -> String {
    secrets.iter().filter(|secret| secret.len() >= 4).fold(text.to_owned(), |text, secret| {
        if text.contains(secret) { text.replace(secret, "***") } else { text }
    })
}
