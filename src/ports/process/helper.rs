//! The child's side: our own program started again, stage by stage, until it becomes the command.
//!
//! `__sandbox` makes the namespaces or stands in for them, `__sandbox-init` is process 1 of the new PID namespace, and
//! `__sandbox-exec` locks itself in and turns into the command. Must never start the command when a measure failed,
//! and must never let it keep the socket to the parent.
#![expect(
    clippy::disallowed_methods,
    reason = "the stages of the sandbox start each other and then the command"
)]

use std::ffi::OsStr;
use std::fmt::Display;
use std::fs::{self, File};
use std::io;
use std::os::fd::{AsFd, AsRawFd, OwnedFd, RawFd};
use std::os::unix::net::UnixStream;
use std::os::unix::process::CommandExt;
use std::path::Path;
use std::process::{Command, ExitCode, Stdio};
use std::time::Duration;

use nix::errno::Errno;
use nix::poll::{PollFd, PollFlags, PollTimeout, poll};
use nix::sys::prctl;
use nix::sys::signal::{Signal, kill};
use nix::sys::stat::{Mode, umask};
use nix::sys::wait::{WaitStatus, waitpid};
use nix::unistd::{Pid, close, dup2_stdin, setsid};

use super::spec::{Message, Spec, receive, send};
use super::{census, landlock, limits, namespace, seccomp};

/// The first argument of the first stage; the only one the parent starts.
pub(super) const OUTER: &str = "__sandbox";
const INIT: &str = "__sandbox-init";
const EXEC: &str = "__sandbox-exec";

/// The program of this very process, whatever happened to its file.
const SELF: &str = "/proc/self/exe";

/// How long processes that end with the command get to be gone.
const GRACE: Duration = Duration::from_millis(20);

/// How a supervisor ends what it started.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Scope {
    /// It is process 1: the kernel ends all with it.
    Namespace {
        /// Whether `/proc` shows only this namespace.
        private_proc: bool,
    },
    /// It adopts every orphan below it, and ends them one by one.
    Subreaper,
}

/// Runs a stage of the sandbox if `word`, the program's first argument, names one.
///
/// The program calls this before it reads its arguments and before it starts a thread.
pub fn sandbox_stage(word: &OsStr) -> Option<ExitCode> {
    let stage: fn(UnixStream, Spec) -> io::Result<()> = match word.to_str()? {
        OUTER => outer,
        INIT => init,
        EXEC => exec,
        _ => return None,
    };
    let result = take_socket().and_then(|socket| {
        let spec = receive(&socket)?;
        stage(socket, spec)
    });
    Some(if result.is_ok() { ExitCode::SUCCESS } else { ExitCode::FAILURE })
}

/// Takes the socket from standard input, which is empty from then on, and closes whatever else was inherited.
fn take_socket() -> io::Result<UnixStream> {
    let socket = io::stdin().as_fd().try_clone_to_owned()?;
    dup2_stdin(File::open("/dev/null")?)?;
    let keep = socket.as_raw_fd();
    let open: Vec<RawFd> = fs::read_dir("/proc/self/fd")?
        .filter_map(|entry| entry.ok()?.file_name().to_str()?.parse().ok())
        .collect();
    for fd in open.into_iter().filter(|fd| *fd > 2 && *fd != keep) {
        // The folder just listed is among them and closed already.
        let _ = close(fd);
    }
    Ok(UnixStream::from(socket))
}

fn outer(socket: UnixStream, spec: Spec) -> io::Result<()> {
    // A session of its own: no terminal, and no signal meant for the parent's group.
    setsid()?;
    if !spec.measures.namespaces {
        prctl::set_child_subreaper(true)?;
        return supervise(socket, &spec, Scope::Subreaper);
    }
    if let Err(error) = namespace::enter(spec.network) {
        return refuse(&socket, "namespaces", error);
    }
    if let Err(error) = limits::keep_for_setup() {
        return refuse(&socket, "namespaces", error);
    }
    let mut init = stage(INIT, &socket)?.spawn()?;
    drop(socket);
    // Process 1 watches the parent, and is gone only when all of its namespace is.
    init.wait().map(drop)
}

fn init(socket: UnixStream, spec: Spec) -> io::Result<()> {
    prctl::set_pdeathsig(Signal::SIGKILL)?;
    if let Err(error) = namespace::own_mounts() {
        return refuse(&socket, "namespaces", error);
    }
    let private_proc = namespace::own_proc().is_ok();
    let needed: Vec<&Path> =
        spec.read.iter().chain(&spec.write).chain([&spec.cwd]).map(AsRef::as_ref).collect();
    let hidden_sockets = namespace::hide(&spec.hide, &needed, spec.rlimits.shared_memory).is_ok();
    if !spec.network
        && let Err(error) = namespace::loopback_up()
    {
        return refuse(&socket, "namespaces", error);
    }
    // Process 1 only waits from here on; the last stage reports what could not be given up.
    let _ = limits::drop_capabilities();
    send(&socket, &Message::Namespaced { private_proc, hidden_sockets })?;
    supervise(socket, &spec, Scope::Namespace { private_proc })
}

/// Starts the last stage, adopts and buries orphans, and reports how the command ended.
fn supervise(socket: UnixStream, spec: &Spec, scope: Scope) -> io::Result<()> {
    let own = i32::try_from(std::process::id()).map_err(io::Error::other)?;
    let child = stage(EXEC, &socket)?.spawn()?;
    let pid = Pid::from_raw(i32::try_from(child.id()).map_err(io::Error::other)?);
    when_abandoned(socket.try_clone()?, move || {
        if scope == Scope::Subreaper {
            census::end_descendants(own);
        }
        std::process::exit(1);
    });
    let ended = bury_until(pid)?;
    let left_behind = left_behind(own, scope);
    let unroutable = scope != Scope::Subreaper && !spec.network && namespace::unroutable() > 0;
    if scope == Scope::Subreaper {
        census::end_descendants(own);
    }
    send(&socket, &Message::Seen { unroutable, left_behind })?;
    send(&socket, &ended)
}

/// Waits for whatever ends below this process until the command has.
fn bury_until(command: Pid) -> io::Result<Message> {
    loop {
        match waitpid(None, None) {
            Ok(WaitStatus::Exited(pid, code)) if pid == command => return Ok(Message::Exited { code }),
            Ok(WaitStatus::Signaled(pid, signal, _)) if pid == command => {
                return Ok(Message::Signalled { signal: signal as i32 });
            }
            // A signal the library has no name for: a real-time one.
            Err(Errno::EINVAL) if kill(command, None) == Err(Errno::ESRCH) => {
                return Ok(Message::Signalled { signal: nix::libc::SIGRTMIN() });
            }
            Ok(_) | Err(Errno::EINTR | Errno::EINVAL) => {}
            Err(errno) => return Err(errno.into()),
        }
    }
}

/// Tells whether processes are still there once those that end with the command had time to.
fn left_behind(own: i32, scope: Scope) -> bool {
    let any = || match scope {
        Scope::Namespace { private_proc } => private_proc && census::others() > 0,
        Scope::Subreaper => census::descendants(own).iter().any(|process| !process.zombie),
    };
    any() && {
        std::thread::sleep(GRACE);
        any()
    }
}

fn exec(socket: UnixStream, spec: Spec) -> io::Result<()> {
    prctl::set_pdeathsig(Signal::SIGKILL)?;
    umask(Mode::from_bits_truncate(0o022));
    if let Err(error) = std::env::set_current_dir(&spec.cwd) {
        let why = format!("the working directory cannot be entered: {error}");
        return send(&socket, &Message::NotStarted { why });
    }
    if let Err((measure, why)) = lock_in(&socket, &spec) {
        return refuse(&socket, measure, why);
    }
    let Some((program, arguments)) = spec.argv.split_first() else { return Ok(()) };
    let error = Command::new(program).args(arguments).env_clear().envs(&spec.env).exec();
    let why = match error.kind() {
        io::ErrorKind::NotFound => format!("`{program}` is not found"),
        io::ErrorKind::PermissionDenied => format!("`{program}` may not be executed here"),
        _ => format!("`{program}` cannot be executed: {error}"),
    };
    send(&socket, &Message::NotStarted { why })
}

/// Takes every measure of this process, in the order in which each is still allowed.
fn lock_in(socket: &UnixStream, spec: &Spec) -> Result<(), (&'static str, String)> {
    let failed = |measure| move |error: &dyn Display| (measure, error.to_string());
    limits::set(&spec.rlimits).map_err(|e| failed("limits")(&e))?;
    let kept_capabilities = limits::drop_capabilities().err().map(|error| error.to_string());
    prctl::set_no_new_privs().map_err(|e| failed("privileges")(&e))?;
    let landlock_abi = if spec.measures.landlock {
        landlock::restrict(&spec.read, &spec.write).map_err(|e| failed("landlock")(&e))?
    } else {
        0
    };
    if spec.measures.seccomp {
        let isolated = spec.network || spec.measures.namespaces;
        let sockets = if isolated { seccomp::Sockets::Common } else { seccomp::Sockets::None };
        seccomp::restrict(sockets).map_err(|e| failed("seccomp")(&e))?;
    }
    send(socket, &Message::Restricted { landlock_abi, kept_capabilities }).map_err(|e| failed("report")(&e))
}

/// Returns the next stage, which finds the socket as its standard input.
fn stage(word: &str, socket: &UnixStream) -> io::Result<Command> {
    let mut command = Command::new(SELF);
    command.arg(word).env_clear().stdin(Stdio::from(OwnedFd::from(socket.try_clone()?)));
    Ok(command)
}

/// Does something when the parent has closed its end, by intent or because it died.
fn when_abandoned(socket: UnixStream, act: impl FnOnce() + Send + 'static) {
    std::thread::spawn(move || {
        let mut fds = [PollFd::new(socket.as_fd(), PollFlags::empty())];
        while poll(&mut fds, PollTimeout::NONE) == Err(Errno::EINTR) {}
        act();
    });
}

fn refuse(socket: &UnixStream, measure: &str, why: impl Display) -> io::Result<()> {
    send(socket, &Message::Refused { measure: measure.into(), why: why.to_string() })
}
