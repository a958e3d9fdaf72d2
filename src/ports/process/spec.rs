//! What the parent tells its helper, and what the helper tells back, as frames on one socket.
//!
//! Must never travel in arguments or in the environment, where other processes could read it.

use std::collections::BTreeMap;
use std::io::{self, Read, Write};
use std::path::PathBuf;

use serde::{Deserialize, Serialize};

/// A frame larger than this is refused.
const FRAME_MAX: u32 = 8 * 1024 * 1024;

/// One sandboxed run, in full.
#[derive(Clone, Debug, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct Spec {
    /// The words of the command; empty when the machine is only probed.
    pub argv: Vec<String>,
    /// The working directory.
    pub cwd: PathBuf,
    /// The whole environment of the command.
    pub env: BTreeMap<String, String>,
    /// Folders and files that may be read and executed.
    pub read: Vec<PathBuf>,
    /// Folders and files that may also be written.
    pub write: Vec<PathBuf>,
    /// Sockets to hide, where mounts of our own can be had.
    pub hide: Vec<PathBuf>,
    /// Whether addresses outside may be reached.
    pub network: bool,
    /// What to use.
    pub measures: Measures,
    /// Resource limits of each process.
    pub rlimits: Rlimits,
}

/// The measures a run has to take; one that fails stops the run before the command starts.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct Measures {
    /// User, mount, PID and IPC namespaces, and a network namespace unless the network is on.
    pub namespaces: bool,
    /// Landlock.
    pub landlock: bool,
    /// Seccomp filters.
    pub seccomp: bool,
}

/// Resource limits of each process; `None` leaves what is there.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct Rlimits {
    /// Bytes of one file.
    pub file: u64,
    /// Open files.
    pub open_files: u64,
    /// Processes of the user, where the kernel counts them for us.
    pub processes: Option<u64>,
    /// Bytes of the private shared-memory folder.
    pub shared_memory: u64,
}

/// What a helper tells.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case", tag = "say", deny_unknown_fields)]
pub(super) enum Message {
    /// The namespaces are there.
    Namespaced {
        /// Whether `/proc` shows only the sandbox.
        private_proc: bool,
        /// Whether the sockets of the machine's services are hidden.
        hidden_sockets: bool,
    },
    /// The last stage is locked in and starts the command next.
    Restricted {
        /// The Landlock ABI in force; 0 when there is none.
        landlock_abi: i32,
        /// Why capabilities could not be given up, when they could not.
        kept_capabilities: Option<String>,
    },
    /// A measure failed; the command was not started.
    Refused {
        /// The measure.
        measure: String,
        /// Why it failed.
        why: String,
    },
    /// The command could not be started.
    NotStarted {
        /// Why.
        why: String,
    },
    /// The command ended by itself.
    Exited {
        /// Its exit status.
        code: i32,
    },
    /// The command ended by a signal.
    Signalled {
        /// The signal's number.
        signal: i32,
    },
    /// What was seen besides.
    Seen {
        /// Whether something was sent to an address outside, where no route leads.
        unroutable: bool,
        /// Whether processes were still there when the command had ended.
        left_behind: bool,
    },
}

/// Writes one value as a frame.
pub(super) fn send<T: Serialize>(mut to: impl Write, value: &T) -> io::Result<()> {
    let body = serde_json::to_vec(value)?;
    let length =
        u32::try_from(body.len()).ok().filter(|n| *n <= FRAME_MAX).ok_or(io::ErrorKind::InvalidInput)?;
    let mut frame = length.to_be_bytes().to_vec();
    frame.extend_from_slice(&body);
    to.write_all(&frame)
}

/// Reads one frame, and not a byte more.
pub(super) fn receive<T: for<'a> Deserialize<'a>>(mut from: impl Read) -> io::Result<T> {
    let mut length = [0; 4];
    from.read_exact(&mut length)?;
    let length = u32::from_be_bytes(length);
    if length > FRAME_MAX {
        return Err(io::ErrorKind::InvalidData.into());
    }
    let mut body = vec![0; usize::try_from(length).unwrap_or_default()];
    from.read_exact(&mut body)?;
    Ok(serde_json::from_slice(&body)?)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn frames_follow_each_other() {
        let mut pipe = Vec::new();
        let first = Message::Exited { code: 3 };
        let second = Message::NotStarted { why: "no\nsuch".into() };
        send(&mut pipe, &first).unwrap();
        send(&mut pipe, &second).unwrap();
        let mut from = pipe.as_slice();
        assert_eq!(receive::<Message>(&mut from).unwrap(), first);
        assert_eq!(receive::<Message>(&mut from).unwrap(), second);
        assert!(receive::<Message>(&mut from).is_err());
    }

    #[test]
    fn a_huge_frame_is_refused_before_memory_is_taken() {
        assert!(receive::<Message>([0xff_u8; 8].as_slice()).is_err());
    }
}
