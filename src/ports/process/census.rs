//! The processes below one process, as `/proc` shows them.
//!
//! Must never count a process that is not a descendant.

use std::collections::{BTreeMap, BTreeSet};
use std::fs;

use nix::sys::signal::{Signal, kill};
use nix::unistd::Pid;

/// A process below another.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct Process {
    /// Its number.
    pub pid: i32,
    /// Whether it has ended and waits to be asked for its status.
    pub zombie: bool,
}

/// Returns every descendant of `root`, without `root`.
pub(super) fn descendants(root: i32) -> Vec<Process> {
    let mut children: BTreeMap<i32, Vec<Process>> = BTreeMap::new();
    for (process, parent) in all() {
        children.entry(parent).or_default().push(process);
    }
    let (mut found, mut seen, mut open) = (Vec::new(), BTreeSet::from([root]), vec![root]);
    while let Some(parent) = open.pop() {
        for child in children.remove(&parent).unwrap_or_default() {
            if seen.insert(child.pid) {
                open.push(child.pid);
                found.push(child);
            }
        }
    }
    found
}

/// Returns the processes of this PID namespace other than the caller.
pub(super) fn others() -> usize {
    let own = i32::try_from(std::process::id()).unwrap_or_default();
    all().filter(|(process, _)| process.pid != own && !process.zombie).count()
}

/// Ends every descendant of `root`; they are stopped first, so that none can start another meanwhile.
pub(super) fn end_descendants(root: i32) {
    const ROUNDS: usize = 100;
    for _ in 0..ROUNDS {
        let live: Vec<_> = descendants(root).into_iter().filter(|process| !process.zombie).collect();
        if live.is_empty() {
            return;
        }
        for signal in [Signal::SIGSTOP, Signal::SIGKILL] {
            for process in &live {
                // One that is gone already is what we want.
                let _ = kill(Pid::from_raw(process.pid), signal);
            }
        }
    }
}

/// Returns the memory that only these processes hold, in bytes; each is read once, cheaply.
pub(super) fn memory(processes: &[Process]) -> u64 {
    let own = |process: &Process| {
        let status = fs::read_to_string(format!("/proc/{}/status", process.pid)).unwrap_or_default();
        kibibytes(&status, "RssAnon:") + kibibytes(&status, "RssShmem:")
    };
    processes.iter().map(own).sum::<u64>().saturating_mul(1024)
}

/// Returns the same with shared pages counted once, which costs more to find out.
pub(super) fn shared_once(processes: &[Process]) -> Option<u64> {
    let own = |process: &Process| {
        let text = fs::read_to_string(format!("/proc/{}/smaps_rollup", process.pid)).ok()?;
        Some(kibibytes(&text, "Pss_Anon:") + kibibytes(&text, "Pss_Shmem:"))
    };
    let read: Vec<u64> = processes.iter().filter_map(own).collect();
    (!read.is_empty()).then(|| read.iter().sum::<u64>().saturating_mul(1024))
}

fn kibibytes(text: &str, name: &str) -> u64 {
    let value = text.lines().find_map(|line| line.strip_prefix(name)?.trim().strip_suffix(" kB"));
    value.and_then(|value| value.trim().parse().ok()).unwrap_or_default()
}

fn all() -> impl Iterator<Item = (Process, i32)> {
    let entries = fs::read_dir("/proc").into_iter().flatten().filter_map(Result::ok);
    entries.filter_map(|entry| {
        let pid = entry.file_name().to_str()?.parse().ok()?;
        let stat = fs::read(format!("/proc/{pid}/stat")).ok()?;
        let (state, parent) = state_and_parent(&stat)?;
        Some((Process { pid, zombie: matches!(state, b'Z' | b'X') }, parent))
    })
}

/// Reads the fields after the name, which may hold blanks, brackets and any byte.
fn state_and_parent(stat: &[u8]) -> Option<(u8, i32)> {
    let end = stat.iter().rposition(|byte| *byte == b')')?;
    let rest = std::str::from_utf8(stat.get(end + 1..)?).ok()?;
    let mut fields = rest.split_whitespace();
    let state = *fields.next()?.as_bytes().first()?;
    Some((state, fields.next()?.parse().ok()?))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_name_with_brackets_does_not_hide_the_parent() {
        for (stat, expected) in [
            ("12 (sh) S 7 12", Some((b'S', 7))),
            ("12 (a) R 1 (b) Z 9 1", Some((b'Z', 9))),
            ("12 (sh", None),
            ("12 (sh) S x", None),
            ("", None),
        ] {
            assert_eq!(state_and_parent(stat.as_bytes()), expected, "{stat}");
        }
    }

    #[test]
    fn sizes_are_read_by_name() {
        assert_eq!(kibibytes("VmRSS:\t 9 kB\nRssAnon:\t     12 kB\n", "RssAnon:"), 12);
        assert_eq!(kibibytes("RssAnon:\t12\n", "RssAnon:"), 0);
    }

    #[test]
    fn the_test_itself_is_a_descendant_of_its_parent() {
        let own = i32::try_from(std::process::id()).unwrap();
        let parent = nix::unistd::getppid().as_raw();
        assert!(descendants(parent).iter().any(|process| process.pid == own));
        assert!(memory(&[Process { pid: own, zombie: false }]) > 0);
    }
}
