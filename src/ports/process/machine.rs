//! What of a Linux machine every sandboxed command may read, and what it must not find.
//!
//! Must never open a file that only root may read, even when root runs this.

use std::fs;
use std::os::unix::fs::{FileTypeExt, MetadataExt};
use std::path::{Path, PathBuf};
use std::sync::OnceLock;

use nix::sys::resource::{Resource, getrlimit};
use nix::unistd::{User, geteuid};

use super::toolchain::SYSTEM;

/// What programs read to find out about the machine and themselves.
const KERNEL: &[&str] = &[
    "/dev/random",
    "/dev/urandom",
    "/proc",
    "/sys/devices/system",
    "/sys/fs/cgroup",
    "/sys/kernel/mm",
    "/run/current-system",
];

/// Returns the folders and files every command may read.
pub(super) fn readable() -> Vec<PathBuf> {
    static ETC: OnceLock<Vec<PathBuf>> = OnceLock::new();
    let fixed = SYSTEM.iter().chain(KERNEL).map(PathBuf::from).filter(|path| path.exists());
    fixed.chain(ETC.get_or_init(settings).iter().cloned()).chain(resolver()).collect()
}

/// Returns the file of name servers; systems keep it in places that are not opened otherwise.
pub(super) fn resolver() -> Option<PathBuf> {
    fs::canonicalize("/etc/resolv.conf").ok()
}

/// Returns the devices every command may write.
pub(super) fn devices() -> Vec<PathBuf> {
    ["/dev/null", "/dev/zero", "/dev/full"].map(PathBuf::from).into()
}

/// Returns the parts of `/etc` that everybody may read; root could read the rest.
fn settings() -> Vec<PathBuf> {
    let etc = PathBuf::from("/etc");
    if !geteuid().is_root() {
        return vec![etc];
    }
    let mut open = Vec::new();
    everybodys(&etc, &mut open);
    open
}

/// Adds a folder as a whole when everybody may read all of it, else those parts of it; tells which it was.
fn everybodys(folder: &Path, open: &mut Vec<PathBuf>) -> bool {
    const READ: u32 = 0o004;
    const READ_AND_ENTER: u32 = 0o005;
    let mut parts = Vec::new();
    let mut all = true;
    for entry in fs::read_dir(folder).into_iter().flatten().filter_map(Result::ok) {
        // A link opens nothing by itself; the listing tells what is one, and most of this folder is.
        if entry.file_type().is_ok_and(|kind| kind.is_symlink()) {
            continue;
        }
        let Ok(meta) = entry.metadata() else { continue };
        let path = entry.path();
        let may = if meta.is_dir() {
            meta.mode() & READ_AND_ENTER == READ_AND_ENTER && everybodys(&path, &mut parts)
        } else {
            let may = meta.mode() & READ == READ;
            if may {
                parts.push(path.clone());
            }
            may
        };
        all &= may;
    }
    if all {
        open.push(folder.to_owned());
    } else {
        open.extend(parts);
    }
    all
}

/// Returns the named sockets of this machine that a program could connect to.
pub(super) fn sockets() -> Vec<PathBuf> {
    let table = fs::read_to_string("/proc/net/unix").unwrap_or_default();
    let mut paths: Vec<PathBuf> = table.lines().filter_map(named).map(PathBuf::from).collect();
    paths.sort();
    paths.dedup();
    paths.retain(|path| fs::symlink_metadata(path).is_ok_and(|meta| meta.file_type().is_socket()));
    paths
}

/// Reads the path of a line, its eighth column; abstract sockets have none that starts with a slash.
fn named(line: &str) -> Option<&str> {
    let at = line.find(" /")?;
    line.get(at + 1..)
}

/// Returns the kernel's limit of processes and threads of this user, where it holds: not for root.
pub(super) fn process_limit(processes: u64) -> Option<u64> {
    /// Threads a process has, at a generous guess; the watcher counts processes, this stops what is faster.
    const THREADS: u64 = 16;
    const OTHERS: u64 = 4096;
    let (_, hard) = getrlimit(Resource::RLIMIT_NPROC).ok()?;
    (!geteuid().is_root()).then(|| processes.saturating_mul(THREADS).saturating_add(OTHERS).min(hard))
}

/// Returns the folders that are a person's own, to be kept closed.
pub(super) fn homes(home: Option<&String>) -> Vec<PathBuf> {
    let of_user = User::from_uid(geteuid()).ok().flatten().map(|user| user.dir);
    home.map(PathBuf::from)
        .into_iter()
        .chain(of_user)
        .chain(["/root".into()])
        .filter(|p| *p != Path::new("/"))
        .collect()
}

#[cfg(test)]
mod tests {
    use std::os::unix::fs::PermissionsExt;

    use super::*;

    #[test]
    fn a_folder_with_a_private_file_is_opened_in_parts() {
        let folder = tempfile::tempdir().unwrap();
        let root = folder.path();
        let make = |below: &str, mode: u32| {
            fs::create_dir_all(root.join(below).parent().unwrap()).unwrap();
            fs::write(root.join(below), "").unwrap();
            fs::set_permissions(root.join(below), fs::Permissions::from_mode(mode)).unwrap();
        };
        for (below, mode) in [("open/a", 0o644), ("mixed/b", 0o644), ("mixed/key", 0o600), ("shadow", 0o640)]
        {
            make(below, mode);
        }
        for below in ["open", "mixed"] {
            fs::set_permissions(root.join(below), fs::Permissions::from_mode(0o755)).unwrap();
        }
        let mut open = Vec::new();
        assert!(!everybodys(root, &mut open));
        open.sort();
        assert_eq!(open, [root.join("mixed/b"), root.join("open")]);
    }

    #[test]
    fn sockets_with_a_name_are_found() {
        let folder = tempfile::tempdir().unwrap();
        let path = fs::canonicalize(folder.path()).unwrap().join("with blank.sock");
        let _socket = std::os::unix::net::UnixListener::bind(&path).unwrap();
        assert!(sockets().contains(&path));
        assert_eq!(named("0: 2 0 1 0001 01 99 @abstract"), None);
    }
}
