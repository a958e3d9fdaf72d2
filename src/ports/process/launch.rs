//! The parent's side on Linux: finds out what the machine gives, starts the helper, hears how it went.
//!
//! Must never start a command with fewer measures than the machine was seen to give.
#![expect(clippy::disallowed_methods, reason = "this starts the helper, which is this very program")]

use std::collections::BTreeMap;
use std::io;
use std::net::Shutdown;
use std::os::fd::OwnedFd;
use std::os::unix::net::UnixStream;
use std::path::{Path, PathBuf};
use std::process::{Child, ChildStderr, ChildStdout, Command, Stdio};
use std::sync::{Arc, Mutex, PoisonError};

use nix::sys::resource::{Resource, setrlimit};

use super::capture::Meter;
use super::facts::{Facts, Namespaces};
pub use super::helper::sandbox_stage;
use super::job::{Finished, Plan};
use super::pipe::Pipe;
use super::spec::{Measures, Message, Rlimits, Spec, receive, send};
use super::{Capabilities, Limits, Network, ProcessError, census, helper, machine, namespace};
use crate::artifact::types::verification::{Ended, Protection};

/// The machine, and what was found out about it.
#[derive(Debug)]
pub(super) struct Machine {
    helper: PathBuf,
    capabilities: Capabilities,
    found: Mutex<Option<Facts>>,
}

/// A command that runs.
#[derive(Debug)]
pub(super) struct Running {
    child: Child,
    socket: UnixStream,
    measures: Measures,
}

/// Ends a command and all it started.
#[derive(Debug)]
pub(super) struct Stopper {
    socket: UnixStream,
    pid: i32,
}

impl Machine {
    pub(super) fn new(helper: PathBuf, capabilities: Capabilities) -> Self {
        Self { helper, capabilities, found: Mutex::default() }
    }

    pub(super) fn protection(&self, network: Network) -> Result<Protection, ProcessError> {
        Ok(self.facts()?.protection(network))
    }

    pub(super) fn start(&self, plan: Plan) -> Result<Running, ProcessError> {
        let facts = self.facts()?;
        let measures = Measures {
            namespaces: facts.namespaces.is_ok(),
            landlock: facts.landlock.is_ok(),
            seccomp: facts.seccomp.is_ok(),
        };
        self.start_with(plan, measures)
    }

    /// Tries the measures, once for all runs; one that fails is left out and the rest is tried again.
    fn facts(&self) -> Result<Facts, ProcessError> {
        let mut found = self.found.lock().unwrap_or_else(PoisonError::into_inner);
        if let Some(facts) = &*found {
            return Ok(facts.clone());
        }
        Ok(found.insert(self.probe()?).clone())
    }

    fn probe(&self) -> Result<Facts, ProcessError> {
        let off = |on: bool| if on { Ok(()) } else { Err("switched off".to_owned()) };
        let mut without = BTreeMap::from([
            ("namespaces", off(self.capabilities.namespaces)),
            ("landlock", off(self.capabilities.landlock)),
            ("seccomp", off(self.capabilities.seccomp)),
        ]);
        loop {
            let on = |name: &str, without: &BTreeMap<&str, Result<(), String>>| {
                without.get(name).is_some_and(Result::is_ok)
            };
            let measures = Measures {
                namespaces: on("namespaces", &without),
                landlock: on("landlock", &without),
                seccomp: on("seccomp", &without),
            };
            let messages = self.start_with(nothing(), measures)?.messages();
            let refused = messages.iter().find_map(|message| match message {
                Message::Refused { measure, why } => Some((measure.clone(), why.clone())),
                _ => None,
            });
            let Some((measure, why)) = refused else { return read(&messages, &without) };
            match without.get_mut(measure.as_str()) {
                Some(state) if state.is_ok() => *state = Err(why),
                _ => {
                    return Err(failed(
                        &format!("set {measure} for a sandboxed command: {why}"),
                        io::ErrorKind::Other,
                    ));
                }
            }
        }
    }

    fn start_with(&self, plan: Plan, measures: Measures) -> Result<Running, ProcessError> {
        let what = "start the sandbox's helper";
        let (ours, theirs) = UnixStream::pair().map_err(|source| system(what, source))?;
        let child = Command::new(&self.helper)
            .arg(helper::OUTER)
            .env_clear()
            .stdin(Stdio::from(OwnedFd::from(theirs)))
            .stdout(Stdio::piped())
            .stderr(Stdio::piped())
            .spawn()
            .map_err(|source| system(what, source))?;
        let running = Running { child, socket: ours, measures };
        let spec = spec(plan, measures);
        // One for each stage. A helper that is gone already tells so by what it did not say.
        for _ in 0..if measures.namespaces { 3 } else { 2 } {
            let _ = send(&running.socket, &spec);
        }
        Ok(running)
    }
}

impl Running {
    pub(super) fn pid(&self) -> u32 {
        self.child.id()
    }

    /// Returns the streams, which end with the command `meter` belongs to.
    pub(super) fn output(
        &mut self,
        meter: &Arc<Meter>,
    ) -> (Option<Pipe<ChildStdout>>, Option<Pipe<ChildStderr>>) {
        let stdout = self.child.stdout.take().map(|stream| Pipe::new(stream, Arc::clone(meter)));
        (stdout, self.child.stderr.take().map(|stream| Pipe::new(stream, Arc::clone(meter))))
    }

    pub(super) fn stopper(&self) -> Result<Stopper, ProcessError> {
        let socket =
            self.socket.try_clone().map_err(|source| system("share the sandbox's socket", source))?;
        Ok(Stopper { socket, pid: i32::try_from(self.child.id()).unwrap_or_default() })
    }

    /// Waits for the end; an error means that a measure failed and nothing was started.
    pub(super) fn wait(self) -> Result<Finished, ProcessError> {
        let promised = self.measures;
        let messages = self.messages();
        let mut finished =
            Finished { ended: Ended::Signalled { signal: 9 }, unroutable: false, left_behind: false };
        let mut locked_in = false;
        for message in messages {
            match message {
                Message::Refused { measure, why } => {
                    return Err(system(&format!("set up {measure}"), io::Error::other(why)));
                }
                Message::NotStarted { why } => finished.ended = Ended::NotStarted { why },
                Message::Exited { .. } | Message::Signalled { .. }
                    if matches!(finished.ended, Ended::NotStarted { .. }) => {}
                Message::Exited { code } => finished.ended = Ended::Exited { code },
                Message::Signalled { signal } => finished.ended = Ended::Signalled { signal },
                Message::Seen { unroutable, left_behind } => {
                    finished.unroutable = unroutable;
                    finished.left_behind = left_behind;
                }
                Message::Restricted { landlock_abi, .. } => {
                    locked_in = !promised.landlock || landlock_abi > 0;
                }
                Message::Namespaced { .. } => {}
            }
        }
        // Stopped before it was locked in is no fault: then nothing of the command ran.
        let unlocked = !locked_in && matches!(finished.ended, Ended::Exited { .. });
        if unlocked { Err(failed("lock the command in", io::ErrorKind::Other)) } else { Ok(finished) }
    }

    /// Hears everything the helper has to say, then waits for it.
    fn messages(mut self) -> Vec<Message> {
        let mut messages = Vec::new();
        while let Ok(message) = receive(&self.socket) {
            messages.push(message);
        }
        // It is the helper's end that counts: by then all below it is gone.
        let _ = self.child.wait();
        messages
    }
}

impl Stopper {
    /// Asks the helper to end everything: it does when the parent's end of the socket is gone.
    pub(super) fn stop(&self) {
        // Not connected means that it has ended.
        let _ = self.socket.shutdown(Shutdown::Both);
    }

    /// Ends everything from here, when the helper does not.
    pub(super) fn force(&self) {
        census::end_descendants(self.pid);
        let _ =
            nix::sys::signal::kill(nix::unistd::Pid::from_raw(self.pid), nix::sys::signal::Signal::SIGKILL);
    }
}

fn spec(plan: Plan, measures: Measures) -> Spec {
    let Plan { argv, cwd, env, mut read, mut write, network, limits } = plan;
    read.extend(machine::readable());
    write.extend(machine::devices());
    if measures.namespaces {
        write.push(namespace::SHARED_MEMORY.into());
    }
    let rlimits = Rlimits {
        file: limits.file,
        open_files: limits.open_files,
        processes: machine::process_limit(limits.processes),
        shared_memory: limits.memory.min(limits.disk),
    };
    let hide = if measures.namespaces { machine::sockets() } else { Vec::new() };
    Spec { argv, cwd, env, read, write, hide, network: network == Network::Full, measures, rlimits }
}

/// Returns the folders that are a person's own.
pub(super) fn homes(home: Option<&String>) -> Vec<PathBuf> {
    machine::homes(home)
}

/// Keeps other processes of the same user from reading this one's memory, descriptors and environment, and the system
/// from writing its memory to disk when it dies.
pub(super) fn close_to_others() -> io::Result<()> {
    setrlimit(Resource::RLIMIT_CORE, 0, 0)?;
    Ok(nix::sys::prctl::set_dumpable(false)?)
}

/// A plan that runs nothing.
fn nothing() -> Plan {
    Plan {
        argv: Vec::new(),
        cwd: Path::new("/").into(),
        env: BTreeMap::new(),
        read: Vec::new(),
        write: Vec::new(),
        network: Network::Off,
        limits: Limits::default(),
    }
}

fn read(messages: &[Message], without: &BTreeMap<&str, Result<(), String>>) -> Result<Facts, ProcessError> {
    let state = |name: &str| without.get(name).cloned().unwrap_or_else(|| Err("unknown".into()));
    let mut own = None;
    let mut restricted = None;
    for message in messages {
        match message {
            Message::Namespaced { private_proc, hidden_sockets } => {
                own = Some(Namespaces { private_proc: *private_proc, hidden_sockets: *hidden_sockets });
            }
            Message::Restricted { landlock_abi, kept_capabilities } => {
                restricted = Some((*landlock_abi, kept_capabilities.clone()));
            }
            _ => {}
        }
    }
    let Some((abi, kept)) = restricted else {
        return Err(failed("try the sandbox: its helper ended without a word", io::ErrorKind::UnexpectedEof));
    };
    let abi = if abi > 0 { Ok(abi) } else { Err("the kernel has none".to_owned()) };
    Ok(Facts {
        landlock: state("landlock").and(abi),
        namespaces: state("namespaces").and(own.ok_or_else(|| "the helper did not make them".to_owned())),
        seccomp: state("seccomp"),
        capabilities: kept.map_or(Ok(()), Err),
    })
}

fn system(what: &str, source: io::Error) -> ProcessError {
    ProcessError::System { what: what.to_owned(), source }
}

fn failed(what: &str, kind: io::ErrorKind) -> ProcessError {
    system(what, kind.into())
}
