//! The real one: runs a command in the sandbox this machine can give and watches it to its end.
//!
//! Must never return before everything the command started is gone, where the system can tell.

use std::collections::BTreeMap;
use std::path::{Path, PathBuf};
use std::sync::mpsc::{Receiver, RecvTimeoutError, Sender, channel};
use std::sync::{Arc, OnceLock};
use std::thread;
use std::time::{Duration, Instant};

use super::capture::{Meter, drain};
use super::job::{Finished, Plan};
use super::launch::{self, Machine, Running, Stopper};
use super::private::{Private, PrivateFolders};
use super::toolchain::Toolchain;
use super::watch::Watch;
use super::{Captured, Command, Limits, Outcome, ProcessError, Processes, Sandbox, environment, protection};
use crate::artifact::types::verification::{Ended, Protection, StopReason};
use crate::ports::credential::vault;

/// How long the helper gets to end everything before it is done from here.
const PATIENCE: Duration = Duration::from_secs(10);

/// Which measures may be used; a test switches some off to see the others at work.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Capabilities {
    /// User, mount, PID, IPC and network namespaces.
    pub namespaces: bool,
    /// Landlock.
    pub landlock: bool,
    /// Seccomp filters.
    pub seccomp: bool,
}

impl Capabilities {
    /// Everything the machine has.
    pub const ALL: Self = Self { namespaces: true, landlock: true, seccomp: true };
}

/// Runs commands on this machine.
#[derive(Debug)]
pub struct SystemProcesses {
    machine: Machine,
    parent: BTreeMap<String, String>,
    tools: OnceLock<Toolchain>,
    private: PrivateFolders,
}

/// What the threads around a command tell.
enum Event {
    Finished(Result<Finished, ProcessError>),
    Exceeded(StopReason),
}

impl SystemProcesses {
    /// Returns processes with this program as the helper, this environment to choose from, and every measure there is.
    pub fn new() -> Result<Self, ProcessError> {
        let helper = std::env::current_exe()
            .map_err(|source| ProcessError::System { what: "find this program's own file".into(), source })?;
        Ok(Self::with(helper, environment::of_this_process(), Capabilities::ALL))
    }

    /// Returns processes with another helper program, another environment to choose from, and fewer measures.
    pub fn with(helper: PathBuf, parent: BTreeMap<String, String>, capabilities: Capabilities) -> Self {
        let machine = Machine::new(helper, capabilities);
        Self { machine, parent, tools: OnceLock::new(), private: PrivateFolders::default() }
    }

    fn tools(&self) -> &Toolchain {
        self.tools.get_or_init(|| Toolchain::find(&self.parent, launch::homes(self.parent.get("HOME"))))
    }

    fn plan(&self, command: &Command, private: &Private) -> Result<Plan, ProcessError> {
        let tools = self.tools();
        let program = command.argv.first().ok_or_else(|| ProcessError::System {
            what: "run a command without a word".into(),
            source: std::io::ErrorKind::InvalidInput.into(),
        })?;
        let named = command.sandbox.read.iter().flat_map(|folder| tools.for_folder(folder));
        let mut read: Vec<PathBuf> =
            tools.read.iter().chain(&command.sandbox.read).cloned().chain(named).collect();
        if !Path::new(program).starts_with(&command.cwd) {
            read.extend(tools.for_program(program));
        }
        let mut write = vec![command.cwd.clone()];
        write.extend(private.writable());
        write.extend(command.sandbox.write.iter().cloned());
        Ok(Plan {
            argv: command.argv.clone(),
            cwd: command.cwd.clone(),
            env: environment::scrubbed(&self.parent, vault(), tools, private, command),
            read,
            write,
            network: command.sandbox.network,
            limits: command.sandbox.limits,
        })
    }
}

impl Processes for SystemProcesses {
    fn run(&self, command: &Command) -> Result<Outcome, ProcessError> {
        let protection = self.protection(&command.sandbox)?;
        let private = self.private.of(&command.cwd, command.sandbox.network, self.tools())?;
        let plan = self.plan(command, &private)?;
        let limits = plan.limits;
        let folders = plan.write.clone();
        let start = Instant::now();
        let running = self.machine.start(plan)?;
        let (ended, captured, violations) = attend(running, limits, folders)?;
        let [stdout, stderr] = captured.map(|captured| private.rename_in(captured));
        Ok(Outcome { ended, stdout, stderr, protection, violations, duration: start.elapsed() })
    }

    fn protection(&self, sandbox: &Sandbox) -> Result<Protection, ProcessError> {
        protection::accept(self.machine.protection(sandbox.network)?, sandbox)
    }
}

/// Keeps other processes of the same user from reading this one's memory and environment, where the system can.
///
/// The program calls this once, before it reads a secret.
pub fn harden_self() -> Result<(), ProcessError> {
    launch::close_to_others().map_err(|source| ProcessError::System {
        what: "keep other processes from reading this one".into(),
        source,
    })
}

/// Reads, watches and ends one command.
fn attend(
    mut running: Running,
    limits: Limits,
    folders: Vec<PathBuf>,
) -> Result<(Ended, [Captured; 2], Vec<String>), ProcessError> {
    let meter = Arc::new(Meter::new(limits.output_total));
    let (stdout, stderr) = running.output(&meter);
    let stopper = running.stopper()?;
    let (tell, events) = channel();
    let (alive, done) = channel::<()>();
    let watch = Watch { root: running.pid(), limits, folders, done };
    thread::scope(|scope| {
        let captured = [
            stdout.map(|from| reader(scope, from, limits, &meter, tell.clone())),
            stderr.map(|from| reader(scope, from, limits, &meter, tell.clone())),
        ];
        let tell_exceeded = tell.clone();
        scope.spawn(move || watch.run().map(|why| tell_exceeded.send(Event::Exceeded(why))));
        scope.spawn(move || tell.send(Event::Finished(running.wait())));
        let (finished, reason) = until_finished(&events, &stopper, limits.wall);
        drop(alive);
        meter.close();
        let captured =
            captured.map(|reader| reader.and_then(|reader| reader.join().ok()).unwrap_or_default());
        let reason = reason.or_else(|| meter.is_over().then_some(StopReason::Output));
        let finished = finished?;
        let violations = violations(&finished, reason, limits);
        let ended = reason.map_or(finished.ended, |why| Ended::Stopped { why });
        Ok((ended, captured, violations))
    })
}

fn reader<'scope>(
    scope: &'scope thread::Scope<'scope, '_>,
    from: impl std::io::Read + Send + 'scope,
    limits: Limits,
    meter: &Arc<Meter>,
    tell: Sender<Event>,
) -> thread::ScopedJoinHandle<'scope, Captured> {
    let meter = Arc::clone(meter);
    scope.spawn(move || {
        drain(from, limits.output_kept, &meter, || {
            // Nobody listens any more when the command is gone already.
            let _ = tell.send(Event::Exceeded(StopReason::Output));
        })
    })
}

/// Waits for the end; stops the command at the first limit it goes over.
fn until_finished(
    events: &Receiver<Event>,
    stopper: &Stopper,
    wall: Duration,
) -> (Result<Finished, ProcessError>, Option<StopReason>) {
    let mut reason = None;
    let mut pause_until = Instant::now().checked_add(wall);
    loop {
        let pause = pause_until.map_or(PATIENCE, |at| at.saturating_duration_since(Instant::now()));
        match events.recv_timeout(pause) {
            Ok(Event::Finished(finished)) => return (finished, reason),
            Ok(Event::Exceeded(_)) if reason.is_some() => {}
            Err(RecvTimeoutError::Timeout) if pause_until.is_none() => {}
            Ok(Event::Exceeded(why)) => {
                reason = Some(why);
                stopper.stop();
                pause_until = Instant::now().checked_add(PATIENCE);
            }
            Err(RecvTimeoutError::Timeout) if reason.is_none() => {
                reason = Some(StopReason::Deadline);
                stopper.stop();
                pause_until = Instant::now().checked_add(PATIENCE);
            }
            Err(RecvTimeoutError::Timeout) => {
                stopper.force();
                pause_until = Instant::now().checked_add(PATIENCE);
            }
            Err(RecvTimeoutError::Disconnected) => {
                let source = std::io::ErrorKind::BrokenPipe.into();
                return (
                    Err(ProcessError::System { what: "hear how the command ended".into(), source }),
                    reason,
                );
            }
        }
    }
}

/// Says what was tried and not allowed, as far as it can be seen; no counts, which differ from run to run.
fn violations(finished: &Finished, reason: Option<StopReason>, limits: Limits) -> Vec<String> {
    const BAD_CALL: i32 = 31;
    const FILE_SIZE: i32 = 25;
    let mut seen = Vec::new();
    if let Some(why) = reason {
        seen.push(match why {
            StopReason::Deadline => format!("it ran longer than {} s", limits.wall.as_secs_f64()),
            StopReason::Disk => format!("it took more than {} bytes of disk", limits.disk),
            StopReason::Processes => format!("it started more than {} processes", limits.processes),
            StopReason::Memory => format!("it took more than {} bytes of memory", limits.memory),
            StopReason::Output => format!("it printed more than {} bytes", limits.output_total),
        });
    }
    match finished.ended {
        Ended::Signalled { signal: BAD_CALL } => {
            seen.push("it made a system call of another architecture".into());
        }
        Ended::Signalled { signal: FILE_SIZE } => {
            seen.push(format!("it wrote a file of more than {} bytes", limits.file));
        }
        _ => {}
    }
    if finished.unroutable {
        seen.push("it tried to reach an address outside; no route leads there".into());
    }
    if finished.left_behind {
        seen.push("it left processes running; they were ended with it".into());
    }
    seen
}
