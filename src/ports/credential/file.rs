//! A credential in a file: only its owner may read it.
//!
//! Must never read a file others can read, a link, or a file that is no short text.

use std::fs;
use std::io::Read as _;
use std::path::Path;

use zeroize::Zeroizing;

use super::CredentialError;
use crate::ports::secret::Secret;

/// The largest file that is read.
const LARGEST: u64 = 64 * 1024;

/// Reads the credential in a file: one line.
pub(super) fn read(path: &Path) -> Result<Secret, CredentialError> {
    let bytes = private_bytes(path)?;
    let refused = |why: &str| CredentialError::File { path: path.to_owned(), why: why.to_owned() };
    one_line(&bytes).ok_or_else(|| refused("holds no single line of text"))
}

/// Reads a key in a file, as PEM: some lines of printable text; it is masked from now on.
pub(super) fn read_pem(path: &Path) -> Result<Secret, CredentialError> {
    let bytes = private_bytes(path)?;
    let refused = |why: &str| CredentialError::File { path: path.to_owned(), why: why.to_owned() };
    pem(&bytes).ok_or_else(|| refused("holds no PEM text"))
}

/// Returns the PEM text these bytes are; its body is masked from now on, whole and line by line.
pub(super) fn pem(bytes: &[u8]) -> Option<Secret> {
    let text = std::str::from_utf8(bytes).ok()?.trim();
    let plain = text.chars().all(|c| c.is_ascii_graphic() || matches!(c, ' ' | '\n' | '\r'));
    if !plain || !text.starts_with("-----BEGIN ") {
        return None;
    }
    for line in text.lines().filter(|line| !line.starts_with("-----")) {
        let _ = crate::diagnostic::redact::learn(line.trim());
    }
    Some(Secret::new(text.to_owned()))
}

fn private_bytes(path: &Path) -> Result<Zeroizing<Vec<u8>>, CredentialError> {
    let refused = |why: &str| CredentialError::File { path: path.to_owned(), why: why.to_owned() };
    let found = fs::symlink_metadata(path).map_err(|error| refused(&reason(&error)))?;
    if found.is_symlink() {
        return Err(refused("is a symbolic link"));
    }
    if !found.is_file() {
        return Err(refused("is no regular file"));
    }
    let file = open(path).map_err(|error| refused(&reason(&error)))?;
    // Asked of the open file, so that it is not exchanged after the look.
    let found = file.metadata().map_err(|error| refused(&reason(&error)))?;
    if !found.is_file() {
        return Err(refused("is no regular file"));
    }
    if others_may_read(&found) {
        return Err(refused("can be read by others (use chmod 600)"));
    }
    let mut bytes = Zeroizing::new(Vec::new());
    file.take(LARGEST + 1).read_to_end(&mut bytes).map_err(|error| refused(&reason(&error)))?;
    if bytes.len() as u64 > LARGEST {
        return Err(refused("is larger than 64 KiB"));
    }
    Ok(bytes)
}

/// Returns the one line of text these bytes are, without its line end; it is masked from now on.
pub(super) fn one_line(bytes: &[u8]) -> Option<Secret> {
    let text = std::str::from_utf8(bytes).ok()?;
    let text = text.strip_suffix('\n').unwrap_or(text);
    let text = text.strip_suffix('\r').unwrap_or(text);
    let _ = crate::diagnostic::redact::learn(text);
    let taken = !text.is_empty() && !text.chars().any(|c| c.is_control() || c.is_whitespace());
    taken.then(|| Secret::new(text.to_owned()))
}

fn reason(error: &std::io::Error) -> String {
    format!("cannot be read: {}", error.kind())
}

#[cfg(unix)]
fn open(path: &Path) -> std::io::Result<fs::File> {
    use std::os::unix::fs::OpenOptionsExt as _;
    let flags = nix::fcntl::OFlag::O_NOFOLLOW | nix::fcntl::OFlag::O_NONBLOCK;
    fs::OpenOptions::new().read(true).custom_flags(flags.bits()).open(path)
}

#[cfg(not(unix))]
fn open(path: &Path) -> std::io::Result<fs::File> {
    fs::File::open(path)
}

#[cfg(unix)]
fn others_may_read(found: &fs::Metadata) -> bool {
    use std::os::unix::fs::PermissionsExt as _;
    found.permissions().mode() & 0o077 != 0
}

#[cfg(not(unix))]
fn others_may_read(_found: &fs::Metadata) -> bool {
    false
}

#[cfg(all(test, unix))]
mod tests {
    use std::os::unix::fs::PermissionsExt as _;

    use super::*;

    #[test]
    fn only_a_private_short_text_is_taken() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("key");
        for (mode, text, why) in [
            (0o600, "k3y-in-a-file-1\n", None),
            (0o400, "k3y-in-a-file-2\r\n", None),
            (0o640, "k3y-in-a-file-3", Some("others")),
            (0o604, "k3y-in-a-file-4", Some("others")),
            (0o600, "", Some("no single line")),
            (0o600, "two\nlines", Some("no single line")),
            (0o600, &"x".repeat(65 * 1024), Some("64 KiB")),
        ] {
            let _ = fs::remove_file(&path);
            fs::write(&path, text).unwrap();
            fs::set_permissions(&path, fs::Permissions::from_mode(mode)).unwrap();
            match (read(&path), why) {
                (Ok(secret), None) => assert_eq!(secret.expose(), text.trim_end()),
                (Err(error), Some(why)) => {
                    assert!(error.to_string().contains(why), "{error}");
                    assert!(!error.to_string().contains("k3y"), "{error}");
                }
                (found, _) => panic!("{mode:o} {}: {found:?}", text.len()),
            }
        }
        let link = folder.path().join("link");
        std::os::unix::fs::symlink(&path, &link).unwrap();
        for (path, why) in
            [(link.as_path(), "link"), (folder.path(), "regular"), (Path::new("/nowhere"), "cannot be read")]
        {
            assert!(read(path).unwrap_err().to_string().contains(why));
        }
    }
}
