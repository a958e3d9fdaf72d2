//! Changes as one patch in git's format, which `git apply` turns into exactly the same tree.
//!
//! Must never depend on anything but the changes: the same list gives the same bytes.

use gix::objs::{Kind, compute_hash};
use similar::{DiffOp, group_diff_ops};

use crate::artifact::digest::Digest;
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

/// A file before it changes.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Before {
    /// Its content.
    pub bytes: Vec<u8>,
    /// Its mode.
    pub mode: FileMode,
}

/// Returns the patch of changes, sorted by path; each with the content before, `None` for a file that is created.
///
/// Files are taken to have had the mode they end up with; where one may change its mode, use [`render_from`].
pub fn render(changes: &[(&FileChange, Option<Vec<u8>>)]) -> Result<Vec<u8>, PatchError> {
    let with_mode = |(change, bytes): &(&FileChange, Option<Vec<u8>>)| -> Option<Before> {
        bytes.clone().map(|bytes| Before { bytes, mode: change.mode })
    };
    let changes: Vec<_> = changes.iter().map(|pair| (pair.0, with_mode(pair))).collect();
    render_from(&changes)
}

/// Like [`render`], with the modes before.
pub fn render_from(changes: &[(&FileChange, Option<Before>)]) -> Result<Vec<u8>, PatchError> {
    let mut sorted: Vec<_> = changes.iter().map(|(change, before)| (*change, before.as_ref())).collect();
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

fn render_file(out: &mut Vec<u8>, change: &FileChange, before: Option<&Before>) -> Result<(), PatchError> {
    let after = change.bytes()?;
    if before.map(|before| Digest::of(&before.bytes)) != change.before {
        return Err(mismatch(change, "does not hold what the change was made for"));
    }
    let old_bytes = before.map(|before| before.bytes.as_slice());
    let old_mode = before.map_or(change.mode, |before| before.mode);
    let same_content = old_bytes == after.as_deref();
    if same_content && old_mode == change.mode {
        return Ok(());
    }
    let ids = (object_id(change, old_bytes)?, object_id(change, after.as_deref())?);
    out.extend_from_slice(head(change, old_mode, (!same_content).then_some(ids)).as_bytes());
    let (old, new) = (old_bytes.unwrap_or_default(), after.as_deref().unwrap_or_default());
    if old == new {
        return Ok(());
    }
    if is_binary(old) || is_binary(new) {
        out.extend_from_slice(b"GIT binary patch\n");
        write_literal(out, new);
        write_literal(out, old);
        return Ok(());
    }
    let path = change.path.as_str();
    let name = |there: bool, prefix| {
        if there { quote(prefix, path) + tab(path) } else { "/dev/null".to_owned() }
    };
    let names = (name(change.op != FileOp::Create, "a/"), name(change.op != FileOp::Delete, "b/"));
    out.extend_from_slice(format!("--- {}\n+++ {}\n", names.0, names.1).as_bytes());
    render_hunks(out, old, new);
    Ok(())
}

/// The lines before the content: names, modes, object ids.
fn head(change: &FileChange, old_mode: FileMode, ids: Option<(String, String)>) -> String {
    let path = change.path.as_str();
    let (old, new) = (mode(old_mode), mode(change.mode));
    let changes_mode = change.op == FileOp::Modify && old != new;
    let names = format!("diff --git {} {}\n", quote("a/", path), quote("b/", path));
    let modes = match change.op {
        FileOp::Create => format!("new file mode {new}\n"),
        FileOp::Delete => format!("deleted file mode {old}\n"),
        FileOp::Modify if changes_mode => format!("old mode {old}\nnew mode {new}\n"),
        FileOp::Modify => String::new(),
    };
    let shown = if change.op == FileOp::Modify && !changes_mode { format!(" {new}") } else { String::new() };
    let index = ids.map(|(before, after)| format!("index {before}..{after}{shown}\n"));
    names + &modes + &index.unwrap_or_default()
}

const fn mode(mode: FileMode) -> &'static str {
    match mode {
        FileMode::Regular => "100644",
        FileMode::Executable => "100755",
    }
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

/// A name as in git's own patches: quoted as in C where it holds a quote; a `RepoPath` holds no other such character.
fn quote(prefix: &str, path: &str) -> String {
    if path.contains(['"', '\\']) {
        let escaped = path.replace('\\', "\\\\").replace('"', "\\\"");
        return format!("\"{prefix}{escaped}\"");
    }
    format!("{prefix}{path}")
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
