//! The few things done to a disk when changes are made: the real one, and one that fails where a test wants it.
//!
//! Must never follow a link or write over a file that is there.

use std::fs;
use std::io::{self, Write as _};
use std::path::Path;

/// What a commit does to a disk.
pub trait Disk {
    /// Writes a new file with permissions like those of another one, or by whether it is executable.
    fn write_new(&self, path: &Path, bytes: &[u8], like: Option<&Path>, executable: bool) -> io::Result<()>;
    /// Adds a line to a file, which is made where it is not there, and waits until it is kept.
    fn note(&self, path: &Path, line: &str) -> io::Result<()>;
    /// Gives a file a second name; by a copy where the file system has no links.
    fn keep(&self, file: &Path, name: &Path) -> io::Result<()>;
    /// Renames a file, in place of one that is there.
    fn rename(&self, from: &Path, to: &Path) -> io::Result<()>;
    /// Removes a file.
    fn remove(&self, path: &Path) -> io::Result<()>;
    /// Makes a folder.
    fn make_folder(&self, path: &Path) -> io::Result<()>;
    /// Removes an empty folder.
    fn remove_folder(&self, path: &Path) -> io::Result<()>;
}

/// The disk.
#[derive(Clone, Copy, Debug, Default)]
pub struct RealDisk;

impl Disk for RealDisk {
    fn write_new(&self, path: &Path, bytes: &[u8], like: Option<&Path>, executable: bool) -> io::Result<()> {
        let mut file = fs::File::create_new(path)?;
        file.write_all(bytes)?;
        set_mode(&file, like, executable)
    }

    fn note(&self, path: &Path, line: &str) -> io::Result<()> {
        let mut file = fs::OpenOptions::new().append(true).create(true).open(path)?;
        file.write_all(format!("{line}\n").as_bytes())?;
        file.sync_data()
    }

    fn keep(&self, file: &Path, name: &Path) -> io::Result<()> {
        match fs::hard_link(file, name) {
            Err(error) if error.kind() != io::ErrorKind::AlreadyExists => fs::copy(file, name).map(drop),
            done => done,
        }
    }

    fn rename(&self, from: &Path, to: &Path) -> io::Result<()> {
        fs::rename(from, to)
    }

    fn remove(&self, path: &Path) -> io::Result<()> {
        fs::remove_file(path)
    }

    fn make_folder(&self, path: &Path) -> io::Result<()> {
        fs::create_dir(path)
    }

    fn remove_folder(&self, path: &Path) -> io::Result<()> {
        fs::remove_dir(path)
    }
}

#[cfg(unix)]
fn set_mode(file: &fs::File, like: Option<&Path>, executable: bool) -> io::Result<()> {
    use std::os::unix::fs::PermissionsExt as _;
    let kept =
        like.map(fs::symlink_metadata).transpose()?.map_or(0o644, |about| about.permissions().mode() & 0o777);
    // Who may read it may run it.
    let mode = if executable { kept | ((kept & 0o444) >> 2) } else { kept & !0o111 };
    file.set_permissions(fs::Permissions::from_mode(mode))
}

#[cfg(not(unix))]
fn set_mode(_file: &fs::File, _like: Option<&Path>, _executable: bool) -> io::Result<()> {
    Ok(())
}

/// A disk that fails from a certain step on: once, or for ever as when the program is killed there.
#[cfg(test)]
#[derive(Debug)]
pub struct FailingDisk {
    /// Steps that succeed.
    pub left: std::cell::Cell<usize>,
    /// Every later step fails too.
    pub killed: bool,
}

#[cfg(test)]
impl FailingDisk {
    fn step(&self) -> io::Result<()> {
        match self.left.get() {
            0 => {
                if !self.killed {
                    self.left.set(usize::MAX);
                }
                Err(io::Error::from(io::ErrorKind::StorageFull))
            }
            left => {
                self.left.set(left - usize::from(left != usize::MAX));
                Ok(())
            }
        }
    }
}

#[cfg(test)]
impl Disk for FailingDisk {
    fn write_new(&self, path: &Path, bytes: &[u8], like: Option<&Path>, executable: bool) -> io::Result<()> {
        if let Err(error) = self.step() {
            // A full disk and a kill leave a part of the file.
            let _ = RealDisk.write_new(path, &bytes[..bytes.len() / 2], like, executable);
            return Err(error);
        }
        RealDisk.write_new(path, bytes, like, executable)
    }

    fn note(&self, path: &Path, line: &str) -> io::Result<()> {
        if let Err(error) = self.step() {
            let half = line.get(..line.len() / 2).unwrap_or_default();
            let mut file = fs::OpenOptions::new().append(true).create(true).open(path)?;
            file.write_all(half.as_bytes())?;
            return Err(error);
        }
        RealDisk.note(path, line)
    }

    fn keep(&self, file: &Path, name: &Path) -> io::Result<()> {
        self.step()?;
        RealDisk.keep(file, name)
    }

    fn rename(&self, from: &Path, to: &Path) -> io::Result<()> {
        self.step()?;
        RealDisk.rename(from, to)
    }

    fn remove(&self, path: &Path) -> io::Result<()> {
        self.step()?;
        RealDisk.remove(path)
    }

    fn make_folder(&self, path: &Path) -> io::Result<()> {
        self.step()?;
        RealDisk.make_folder(path)
    }

    fn remove_folder(&self, path: &Path) -> io::Result<()> {
        self.step()?;
        RealDisk.remove_folder(path)
    }
}
