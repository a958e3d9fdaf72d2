//! The start of the process: credentials leave the environment, also the one the kernel shows of it.
//!
//! What a process was started with stays in `/proc/<pid>/environ` whatever it does later. So this program starts itself
//! once more in the same process, with a clean environment, and hands the credentials over in memory of the kernel that
//! only it holds. Must never start itself again when there is nothing to take out, which makes a loop impossible, and must
//! never leave the descriptor open, so that no child inherits it.

use std::ffi::OsString;

use super::vault::{self, Surroundings, Vault, is_credential};

/// Takes the credentials out of the environment; does not return where the program starts itself again.
pub fn take_in(environment: impl IntoIterator<Item = (OsString, OsString)>, surroundings: Surroundings) {
    let mut credentials: Vec<_> = environment.into_iter().filter(|(name, _)| is_credential(name)).collect();
    if credentials.is_empty() {
        credentials = system::handed_over();
    } else {
        // Comes back only where the system lacks what it takes; then they are held all the same, and no child gets them.
        system::start_again(&credentials);
    }
    vault::set(Vault::of(credentials, surroundings));
}

#[cfg(target_os = "linux")]
mod system {
    #![expect(
        clippy::disallowed_methods,
        reason = "this starts this very program again, in the same process"
    )]

    use std::ffi::{OsStr, OsString};
    use std::fs;
    use std::io::{Read as _, Write as _};
    use std::os::unix::ffi::{OsStrExt as _, OsStringExt as _};
    use std::os::unix::process::CommandExt as _;
    use std::path::PathBuf;
    use std::process::Command;

    use nix::fcntl::{FcntlArg, SealFlag, fcntl};
    use nix::sys::memfd::{MFdFlags, memfd_create};
    use zeroize::Zeroizing;

    const NAME: &str = "orch-credentials";
    const FOLDER: &str = "/proc/self/fd";
    /// More than any environment holds.
    const LARGEST: u64 = 4 * 1024 * 1024;

    /// Starts this program again without these variables; comes back only if it cannot.
    pub(super) fn start_again(credentials: &[(OsString, OsString)]) {
        let mut text = Zeroizing::new(Vec::new());
        for (name, value) in credentials {
            text.extend_from_slice(name.as_bytes());
            text.push(b'=');
            text.extend_from_slice(value.as_bytes());
            text.push(0);
        }
        let mut words = std::env::args_os();
        let (Some(own), Ok(program)) = (words.next(), std::env::current_exe()) else { return };
        // Without it the next start could not find what it is handed.
        if fs::read_dir(FOLDER).is_err() || text.len() as u64 > LARGEST {
            return;
        }
        let Ok(memory) = memfd_create(NAME, MFdFlags::MFD_ALLOW_SEALING) else { return };
        let mut memory = fs::File::from(memory);
        let sealed =
            SealFlag::F_SEAL_WRITE | SealFlag::F_SEAL_GROW | SealFlag::F_SEAL_SHRINK | SealFlag::F_SEAL_SEAL;
        if memory.write_all(&text).is_err() || fcntl(&memory, FcntlArg::F_ADD_SEALS(sealed)).is_err() {
            return;
        }
        let mut command = Command::new(program);
        command.arg0(own).args(words);
        for (name, _) in credentials {
            command.env_remove(name);
        }
        // Only an error comes back.
        let _ = command.exec();
    }

    /// Returns what the start before this one handed over, and closes it.
    ///
    /// Whoever could plant such memory started this process, and could have set the variables just as well.
    pub(super) fn handed_over() -> Vec<(OsString, OsString)> {
        let mut found = Vec::new();
        let expected = PathBuf::from(format!("/memfd:{NAME} (deleted)"));
        let entries = fs::read_dir(FOLDER).into_iter().flatten().flatten();
        let ours: Vec<PathBuf> = entries
            .map(|entry| entry.path())
            .filter(|path| fs::read_link(path).is_ok_and(|target| target == expected))
            .collect();
        for path in ours {
            let mut text = Zeroizing::new(Vec::new());
            let read = fs::File::open(&path).and_then(|file| file.take(LARGEST).read_to_end(&mut text));
            if let Some(number) =
                path.file_name().and_then(OsStr::to_str).and_then(|name| name.parse::<i32>().ok())
            {
                let _ = nix::unistd::close(number);
            }
            if read.is_ok() {
                found.extend(text.split(|b| *b == 0).filter_map(|pair| {
                    let at = pair.iter().position(|b| *b == b'=')?;
                    let (name, value) = (pair.get(..at)?, pair.get(at + 1..)?);
                    Some((OsString::from_vec(name.to_vec()), OsString::from_vec(value.to_vec())))
                }));
            }
        }
        found.retain(|(name, _)| super::is_credential(name));
        found
    }
}

#[cfg(not(target_os = "linux"))]
mod system {
    use std::ffi::OsString;

    pub(super) fn start_again(_credentials: &[(OsString, OsString)]) {}

    pub(super) fn handed_over() -> Vec<(OsString, OsString)> {
        Vec::new()
    }
}
