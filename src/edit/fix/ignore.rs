//! A file that must not be in a repository: taken out of the index, and named in `.gitignore`.
//!
//! Must never delete it, and must never ignore what is committed already: that would hide it and mend nothing.

use super::{Desk, Fix};
use crate::artifact::types::change_set::FileMode;
use crate::artifact::types::verdict::Finding;

const FILE: &str = ".gitignore";

/// Endings of files that hold a key and nothing else.
const ENDINGS: [&str; 9] = [".pem", ".key", ".p12", ".pfx", ".jks", ".keystore", ".ppk", ".kdbx", ".p8"];
/// Names of files that hold a key and nothing else.
const NAMES: [&str; 4] = ["id_rsa", "id_dsa", "id_ecdsa", "id_ed25519"];

/// Tells whether a file is made for a key, so that taking out the key means taking out the file.
pub(super) fn is_key_file(path: &str) -> bool {
    let name = path.rsplit('/').next().unwrap_or(path).to_ascii_lowercase();
    NAMES.contains(&name.as_str()) || ENDINGS.iter().any(|ending| name.ends_with(ending))
}

/// Adds the fix of a finding about a file as a whole.
pub(super) fn mend(desk: &mut Desk<'_>, found: &Finding, path: &str) -> bool {
    if desk.files.is_committed(path) {
        return false;
    }
    let Some(rule) = rule(path) else { return false };
    if desk.plan.fixes.iter().any(|fix| fix.path == path && fix.within.is_some()) {
        // Two findings about one file are mended at once.
        return true;
    }
    let (before, mode) = desk.content(FILE).unwrap_or((Vec::new(), FileMode::Regular));
    let known = before.split(|b| *b == b'\n').any(|line| line.trim_ascii_end() == rule.as_bytes());
    let what = match (desk.staged, known) {
        (true, false) => "it leaves the index and is ignored; the file stays where it is",
        (true, true) => "it leaves the index; the file stays where it is",
        (false, false) => "it is ignored from now on; the file stays where it is",
        (false, true) => return false,
    };
    if !known {
        desk.put(FILE, with_line(&before, &rule), mode);
    }
    if desk.staged {
        desk.plan.unstage.push(path.to_owned());
    }
    desk.plan.fixes.push(Fix {
        code: found.code.clone(),
        path: path.to_owned(),
        line: None,
        what: what.into(),
        removed: Vec::new(),
        added: if known { Vec::new() } else { vec![rule] },
        within: Some(FILE.into()),
        only_shown: None,
    });
    true
}

/// Returns the rule that ignores this very file; `None` where a rule could mean more.
fn rule(path: &str) -> Option<String> {
    if path.ends_with(' ') || path.contains(['\n', '\r']) {
        return None;
    }
    let mut rule = String::from("/");
    for c in path.chars() {
        if matches!(c, '*' | '?' | '[' | '\\') {
            rule.push('\\');
        }
        rule.push(c);
    }
    Some(rule)
}

/// Adds a line at the end, with the line ends the file has.
fn with_line(before: &[u8], line: &str) -> Vec<u8> {
    let end: &[u8] = if before.windows(2).any(|pair| pair == b"\r\n") { b"\r\n" } else { b"\n" };
    let mut after = before.to_vec();
    if !after.is_empty() && !after.ends_with(b"\n") {
        after.extend_from_slice(end);
    }
    after.extend_from_slice(line.as_bytes());
    after.extend_from_slice(end);
    after
}
