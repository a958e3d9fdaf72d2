//! The parent's side where there is no sandbox: a process group, a clean environment, limits that are watched.
//!
//! Must never claim a protection: the system gives none that this program uses.
#![expect(clippy::disallowed_methods, reason = "this starts the command")]

use std::collections::BTreeMap;
use std::ffi::OsStr;
use std::io;
use std::path::PathBuf;
use std::process::{Child, ChildStderr, ChildStdout, Command, ExitCode, ExitStatus, Stdio};
use std::sync::Arc;

use super::capture::Meter;
use super::job::{Finished, Plan};
use super::protection::{absent, partial};
use super::{Capabilities, Limits, Network, ProcessError};
use crate::artifact::types::verification::{Ended, Protection};

/// The machine.
#[derive(Debug)]
pub(super) struct Machine;

/// A command that runs, or why it does not.
#[derive(Debug)]
pub(super) struct Running(Result<Child, String>);

/// Ends a command and its process group.
#[derive(Debug)]
pub(super) struct Stopper {
    pid: u32,
}

/// There are no stages here.
pub fn sandbox_stage(_word: &OsStr) -> Option<ExitCode> {
    None
}

impl Machine {
    pub(super) fn new(_helper: PathBuf, _capabilities: Capabilities) -> Self {
        Self
    }

    pub(super) fn protection(&self, _network: Network) -> Result<Protection, ProcessError> {
        let none = || absent("there is no sandbox for this operating system");
        Ok(Protection {
            filesystem: none(),
            network: none(),
            processes: partial("the process group is ended; a process that leaves it stays"),
            privileges: none(),
            environment: partial("made from nothing; processes of the same user can be read"),
            limits: partial("time, output and disk are watched; memory and processes are not"),
        })
    }

    pub(super) fn start(&self, plan: Plan) -> Result<Running, ProcessError> {
        let _ = (&plan.read, &plan.write, plan.network, plan.limits);
        let Some((program, arguments)) = plan.argv.split_first() else {
            return Ok(Running(Err("there is no program to run".into())));
        };
        let mut command = Command::new(program);
        command.args(arguments).current_dir(&plan.cwd).env_clear().envs(&plan.env);
        command.stdin(Stdio::null()).stdout(Stdio::piped()).stderr(Stdio::piped());
        #[cfg(unix)]
        std::os::unix::process::CommandExt::process_group(&mut command, 0);
        // Programs do not start on Windows without it.
        #[cfg(windows)]
        if let Some(root) = std::env::var_os("SystemRoot") {
            command.env("SystemRoot", root);
        }
        Ok(Running(command.spawn().map_err(|error| format!("`{program}` cannot be executed: {error}"))))
    }
}

#[cfg(unix)]
type Stream<R> = super::pipe::Pipe<R>;
#[cfg(not(unix))]
type Stream<R> = R;

#[cfg(unix)]
fn stream<R: io::Read + std::os::fd::AsFd>(from: R, meter: &Arc<Meter>) -> Stream<R> {
    Stream::new(from, Arc::clone(meter))
}

#[cfg(not(unix))]
fn stream<R>(from: R, _meter: &Arc<Meter>) -> Stream<R> {
    from
}

impl Running {
    pub(super) fn pid(&self) -> u32 {
        self.0.as_ref().map_or(0, Child::id)
    }

    pub(super) fn output(
        &mut self,
        meter: &Arc<Meter>,
    ) -> (Option<Stream<ChildStdout>>, Option<Stream<ChildStderr>>) {
        let Ok(child) = &mut self.0 else { return (None, None) };
        (
            child.stdout.take().map(|from| stream(from, meter)),
            child.stderr.take().map(|from| stream(from, meter)),
        )
    }

    pub(super) fn stopper(&self) -> Result<Stopper, ProcessError> {
        Ok(Stopper { pid: self.pid() })
    }

    pub(super) fn wait(self) -> Result<Finished, ProcessError> {
        let ended = match self.0 {
            Err(why) => Ended::NotStarted { why },
            Ok(mut child) => {
                let status = child
                    .wait()
                    .map_err(|source| ProcessError::System { what: "wait for the command".into(), source })?;
                Stopper { pid: child.id() }.rest();
                how(status)
            }
        };
        Ok(Finished { ended, unroutable: false, left_behind: false })
    }
}

impl Stopper {
    pub(super) fn stop(&self) {
        self.force();
    }

    #[cfg(unix)]
    pub(super) fn force(&self) {
        if let Some(group) = i32::try_from(self.pid).ok().filter(|pid| *pid > 1) {
            // A group that is gone is what we want.
            let _ = nix::sys::signal::killpg(
                nix::unistd::Pid::from_raw(group),
                nix::sys::signal::Signal::SIGKILL,
            );
        }
    }

    #[cfg(not(unix))]
    pub(super) fn force(&self) {
        let pid = self.pid.to_string();
        // Ends the tree below it; one that has ended already is what we want.
        let _ = Command::new("taskkill").args(["/T", "/F", "/PID", pid.as_str()]).output();
    }

    /// Ends what the command left in its group.
    fn rest(&self) {
        #[cfg(unix)]
        self.force();
    }
}

#[cfg(unix)]
fn how(status: ExitStatus) -> Ended {
    use std::os::unix::process::ExitStatusExt;
    match (status.code(), status.signal()) {
        (Some(code), _) => Ended::Exited { code },
        (None, signal) => Ended::Signalled { signal: signal.unwrap_or_default() },
    }
}

#[cfg(not(unix))]
fn how(status: ExitStatus) -> Ended {
    Ended::Exited { code: status.code().unwrap_or(-1) }
}

/// Returns the folders that are a person's own.
pub(super) fn homes(home: Option<&String>) -> Vec<PathBuf> {
    home.map(PathBuf::from).into_iter().collect()
}

/// There is nothing to do here.
pub(super) fn close_to_others() -> io::Result<()> {
    Ok(())
}
