//! What a running command takes: disk, processes, memory.
//!
//! Must never cost more than a small part of one core, however much there is to look at.

use std::collections::BTreeSet;
use std::fs;
use std::path::{Path, PathBuf};
use std::sync::mpsc::{Receiver, RecvTimeoutError, TryRecvError};
use std::time::{Duration, Instant};

use super::Limits;
use crate::artifact::types::verification::StopReason;

/// How often processes are counted, at the most.
const CENSUS: Duration = Duration::from_millis(30);
/// How often disk is measured, at the most.
const DISK: Duration = Duration::from_millis(150);
/// A look that took long is repeated after this many times as long.
const SHARE: u32 = 10;

/// Watches one command.
#[derive(Debug)]
pub(super) struct Watch {
    /// The process all others of the command are below.
    pub root: u32,
    /// The limits.
    pub limits: Limits,
    /// Folders the command may write.
    pub folders: Vec<PathBuf>,
    /// Gone when the command is.
    pub done: Receiver<()>,
}

impl Watch {
    /// Looks again and again until the command is gone; returns the limit it went over, if it did.
    pub(super) fn run(self) -> Option<StopReason> {
        let baseline = self.disk()?;
        let (mut census_at, mut disk_at) = (Instant::now() + CENSUS, Instant::now() + DISK);
        loop {
            let pause = census_at.min(disk_at).saturating_duration_since(Instant::now());
            match self.done.recv_timeout(pause) {
                Err(RecvTimeoutError::Timeout) => {}
                Ok(()) | Err(RecvTimeoutError::Disconnected) => return None,
            }
            let start = Instant::now();
            if start >= census_at {
                if let Some(why) = self.census() {
                    return Some(why);
                }
                census_at = Instant::now() + CENSUS.max(start.elapsed() * SHARE);
            }
            let start = Instant::now();
            if start >= disk_at {
                if self.disk()?.saturating_sub(baseline) > self.limits.disk {
                    return Some(StopReason::Disk);
                }
                disk_at = Instant::now() + DISK.max(start.elapsed() * SHARE);
            }
        }
    }

    #[cfg(target_os = "linux")]
    fn census(&self) -> Option<StopReason> {
        use super::census;

        let found = census::descendants(i32::try_from(self.root).ok()?);
        if found.len() as u64 > self.limits.processes {
            return Some(StopReason::Processes);
        }
        let over = |bytes: u64| bytes > self.limits.memory;
        let too_much = over(census::memory(&found)) && census::shared_once(&found).is_none_or(over);
        too_much.then_some(StopReason::Memory)
    }

    #[cfg(not(target_os = "linux"))]
    fn census(&self) -> Option<StopReason> {
        let _ = self.root;
        None
    }

    /// Returns the bytes taken below the writable folders, or `None` when the command is gone.
    fn disk(&self) -> Option<u64> {
        let mut bytes = 0_u64;
        let mut linked = BTreeSet::new();
        let mut open: Vec<PathBuf> = outermost(&self.folders);
        while let Some(folder) = open.pop() {
            if self.done.try_recv() == Err(TryRecvError::Disconnected) {
                return None;
            }
            // What goes away while it is looked at takes no room.
            for entry in fs::read_dir(&folder).into_iter().flatten().filter_map(Result::ok) {
                let Ok(meta) = entry.metadata() else { continue };
                if meta.is_dir() {
                    open.push(entry.path());
                }
                if first_time(&meta, &mut linked) {
                    bytes = bytes.saturating_add(taken(&meta));
                }
            }
        }
        Some(bytes)
    }
}

fn outermost(folders: &[PathBuf]) -> Vec<PathBuf> {
    let inside = |folder: &Path| folders.iter().any(|other| folder != other && folder.starts_with(other));
    folders.iter().filter(|folder| folder.is_dir() && !inside(folder)).cloned().collect()
}

#[cfg(unix)]
fn taken(meta: &fs::Metadata) -> u64 {
    std::os::unix::fs::MetadataExt::blocks(meta).saturating_mul(512)
}

#[cfg(not(unix))]
fn taken(meta: &fs::Metadata) -> u64 {
    meta.len()
}

/// Tells whether a file with several names is met for the first time.
#[cfg(unix)]
fn first_time(meta: &fs::Metadata, linked: &mut BTreeSet<(u64, u64)>) -> bool {
    use std::os::unix::fs::MetadataExt;
    meta.is_dir() || meta.nlink() < 2 || linked.insert((meta.dev(), meta.ino()))
}

#[cfg(not(unix))]
fn first_time(_meta: &fs::Metadata, _linked: &mut BTreeSet<(u64, u64)>) -> bool {
    true
}

#[cfg(test)]
mod tests {
    use std::sync::mpsc::channel;

    use super::*;

    #[test]
    fn a_file_counts_once_whatever_its_names() {
        let folder = tempfile::tempdir().unwrap();
        let (_open, done) = channel();
        let inner = folder.path().join("inner");
        fs::create_dir(&inner).unwrap();
        let folders = vec![folder.path().to_owned(), inner.clone()];
        let watch = Watch { root: 1, limits: Limits::default(), folders, done };
        let before = watch.disk().unwrap();
        fs::write(inner.join("a"), vec![1; 1 << 20]).unwrap();
        let once = watch.disk().unwrap() - before;
        fs::hard_link(inner.join("a"), folder.path().join("b")).unwrap();
        assert!((1 << 20..2 << 20).contains(&once), "{once}");
        assert!(watch.disk().unwrap() - before < 2 << 20);
    }

    #[test]
    fn looking_stops_when_the_command_is_gone() {
        let folder = tempfile::tempdir().unwrap();
        let (open, done) = channel::<()>();
        drop(open);
        let watch =
            Watch { root: 1, limits: Limits::default(), folders: vec![folder.path().to_owned()], done };
        assert_eq!(watch.run(), None);
    }
}
