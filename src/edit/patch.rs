//! Changes as one patch in git's format, which `git apply` turns into exactly the same tree.
//!
//! Must never depend on anything but the changes: the same list gives the same bytes.

use gix::objs::{Kind, compute_hash};
use similar::{DiffOp, group_diff_ops};

use crate::artifact::types::change_set::{ChangeError, FileChange, FileMode, FileOp};
use crate::diagnostic::{Class, Failure};

use super::base85::write_literal;
use super::lines::{is_binary, ops, split};

/// Lines of context around a change.
const CONTEXT: usize = 3;
const NO_OBJECT: &str = "0000000000000000000000000000000000000000";

/// Why a patch cannot be written.
#[derive(Debug, thiserror::Error)]
pub enum PatchError {
    /// A change contradicts itself.
    #[error(transparent)]
    Change(#[from] ChangeError),
    /// A change does not go with the content before that was handed in.
    #[error("cannot show the change of `{path}`: it {why}")]
    Before {
        /// The file.
        path: String,
        /// The reason, to be read after `it`.
        why: &'static str,
    },
    /// Content that only seems to have a known SHA-1 (a collision attack).
    #[error("the content of `{path}` has no object id")]
    Hash {
        /// The file.
        path: String,
        /// Why.
        source: Box<dyn std::error::Error + Send + Sync>,
    },
}

impl Failure for PatchError {
    fn class(&self) -> Class {
        Class::Denied
    }
}

/// Returns the patch of changes, sorted by path; each with the content before, `None` for a file that is created.
pub fn render(changes: &[(&FileChange, Option<Vec<u8>>)]) -> Result<Vec<u8>, PatchError> {
    let mut sorted: Vec<_> = changes.iter().map(|(change, before)| (*change, before.as_deref())).collect();
    sorted.sort_by(|(a, _), (b, _)| a.path.cmp(&b.path));
    let mut out = Vec::new();
    let mut last = None;
    for (change, before) in sorted {
        if last == Some(&change.path) {
            return Err(mismatch(change, "is changed twice"));
        }
        last = Some(&change.path);
        render_file(&mut out, change, before)?;
    }
    Ok(out)
}

fn mismatch(change: &FileChange, why: &'static str) -> PatchError {
    PatchError::Before { path: change.path.to_string(), why }
}

fn render_file(out: &mut Vec<u8>, change: &FileChange, before: Option<&[u8]>) -> Result<(), PatchError> {
    let after = change.bytes()?;
    let digest = before.map(crate::artifact::digest::Digest::of);
    if digest != change.before {
        return Err(mismatch(change, "does not hold what the change was made for"));
    }
    let path = change.path.as_str();
    let (old, new) = (quote("a/", path), quote("b/", path));
    let mode = match change.mode {
        FileMode::Regular => "100644",
        FileMode::Executable => "100755",
    };
    let ids = (object_id(change, before)?, object_id(change, after.as_deref())?);
    let mut line = |text: String| {
        out.extend_from_slice(text.as_bytes());
        out.push(b'\n');
    };
    line(format!("diff --git {old} {new}"));
    match change.op {
        FileOp::Create => line(format!("new file mode {mode}")),
        FileOp::Delete => line(format!("deleted file mode {mode}")),
        FileOp::Modify => {}
    }
    // The mode of a file that stays is told here: it is the one afterwards, whatever it was before.
    let shown = if change.op == FileOp::Modify { format!(" {mode}") } else { String::new() };
    line(format!("index {}..{}{shown}", ids.0, ids.1));
    let (before, after) = (before.unwrap_or_default(), after.as_deref().unwrap_or_default());
    if before == after {
        return Ok(());
    }
    if is_binary(before) || is_binary(after) {
        line("GIT binary patch".into());
        write_literal(out, after);
        write_literal(out, before);
        return Ok(());
    }
    line(format!("--- {}", if change.op == FileOp::Create { "/dev/null".into() } else { old + tab(path) }));
    line(format!("+++ {}", if change.op == FileOp::Delete { "/dev/null".into() } else { new + tab(path) }));
    render_hunks(out, before, after);
    Ok(())
}

/// The id git gives to a content.
fn object_id(change: &FileChange, bytes: Option<&[u8]>) -> Result<String, PatchError> {
    let Some(bytes) = bytes else { return Ok(NO_OBJECT.into()) };
    compute_hash(gix::hash::Kind::Sha1, Kind::Blob, bytes)
        .map(|id| id.to_string())
        .map_err(|error| PatchError::Hash { path: change.path.to_string(), source: Box::new(error) })
}

/// A name with a space is ended by a tab, or a time stamp would be looked for in it.
fn tab(path: &str) -> &'static str {
    if path.contains(' ') { "\t" } else { "" }
}

/// A name as in git's own patches: quoted as in C where it holds a quote, a backslash or a control character.
fn quote(prefix: &str, path: &str) -> String {
    if !path.chars().any(|c| c.is_ascii_control() || c == '"' || c == '\\') {
        return format!("{prefix}{path}");
    }
    let mut quoted = format!("\"{prefix}");
    for c in path.chars() {
        match c {
            '"' | '\\' => quoted.extend(['\\', c]),
            c if c.is_ascii_control() => quoted.push_str(&format!("\\{:03o}", u32::from(c))),
            c => quoted.push(c),
        }
    }
    quoted.push('"');
    quoted
}

fn render_hunks(out: &mut Vec<u8>, before: &[u8], after: &[u8]) {
    let (old, new) = (split(before), split(after));
    for group in group_diff_ops(ops(&old, &new), CONTEXT) {
        let (Some(first), Some(last)) = (group.first(), group.last()) else { continue };
        let old_range = range(first.old_range().start, last.old_range().end);
        let new_range = range(first.new_range().start, last.new_range().end);
        out.extend_from_slice(format!("@@ -{old_range} +{new_range} @@\n").as_bytes());
        for op in &group {
            if let DiffOp::Equal { .. } = op {
                old[op.old_range()].iter().for_each(|line| write_line(out, b' ', line));
            } else {
                old[op.old_range()].iter().for_each(|line| write_line(out, b'-', line));
                new[op.new_range()].iter().for_each(|line| write_line(out, b'+', line));
            }
        }
    }
}

/// A range of lines in a hunk's head: an empty one names the line before it.
fn range(start: usize, end: usize) -> String {
    match end - start {
        0 => format!("{start},0"),
        1 => format!("{}", start + 1),
        length => format!("{},{length}", start + 1),
    }
}

fn write_line(out: &mut Vec<u8>, sign: u8, line: &[u8]) {
    out.push(sign);
    out.extend_from_slice(line);
    if line.last() != Some(&b'\n') {
        out.extend_from_slice(b"\n\\ No newline at end of file\n");
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::artifact::digest::Digest;

    fn text(before: Option<&str>, after: &str) -> String {
        let before = before.map(|b| b.as_bytes().to_vec());
        let path = "src/a.txt".parse().unwrap();
        let change = FileChange::write(path, before.as_deref(), after.into(), FileMode::Regular);
        String::from_utf8(render(&[(&change, before)]).unwrap()).unwrap()
    }

    #[test]
    fn a_new_file_is_one_hunk() {
        let patch = text(None, "a\nb");
        let wanted = "diff --git a/src/a.txt b/src/a.txt\nnew file mode 100644\n\
            index 0000000000000000000000000000000000000000..3d17a6c89aaa4f03d3a2bdcd7a3f43e5c8c1e7b5\n\
            --- /dev/null\n+++ b/src/a.txt\n@@ -0,0 +1,2 @@\n+a\n+b\n\\ No newline at end of file\n";
        let no_id = |t: &str| t.lines().filter(|l| !l.starts_with("index")).collect::<Vec<_>>().join("\n");
        assert_eq!(no_id(&patch), no_id(wanted));
    }

    #[test]
    fn ids_are_those_of_git() {
        assert!(text(None, "hello\n").contains("ce013625030ba8dba906f756967f9e9ca394464a"));
    }

    #[test]
    fn a_wrong_content_before_is_refused() {
        let path = "a".parse().unwrap();
        let change = FileChange::write(path, Some(b"x"), b"y".to_vec(), FileMode::Regular);
        assert!(matches!(render(&[(&change, Some(b"z".to_vec()))]), Err(PatchError::Before { .. })));
        assert!(matches!(render(&[(&change, None)]), Err(PatchError::Before { .. })));
        let twice = [(&change, Some(b"x".to_vec())), (&change, Some(b"x".to_vec()))];
        assert!(matches!(render(&twice), Err(PatchError::Before { .. })));
        let liar = FileChange { after: Some(Digest::of("no")), ..change };
        assert!(matches!(render(&[(&liar, Some(b"x".to_vec()))]), Err(PatchError::Change(_))));
    }

    #[test]
    fn unusual_names_are_quoted() {
        assert_eq!(quote("a/", "plain ü"), "a/plain ü");
        assert_eq!(quote("a/", "x\"y"), "\"a/x\\\"y\"");
    }
}
