//! Our own edits in JSON: whole files, pairs to find and replace, and lines by number and hash.
//!
//! Must never change the content of a file, and must never read past a key it does not know.

use serde::Deserialize;

use super::super::anchor::{Anchor, LineChange, Where};
use super::{Change, FileEdit, Pair, Unread, is_fence, lines_of, unread};

/// One edit as it is written.
#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
struct Edit {
    path: String,
    op: Op,
    #[serde(default)]
    content: Option<String>,
    #[serde(default)]
    base64: Option<String>,
    #[serde(default)]
    replacements: Option<Vec<Replacement>>,
    #[serde(default)]
    lines: Option<Vec<Lines>>,
    #[serde(default)]
    to: Option<String>,
    #[serde(default)]
    executable: Option<bool>,
}

#[derive(Debug, Deserialize)]
#[serde(rename_all = "kebab-case")]
enum Op {
    Create,
    Write,
    Replace,
    Lines,
    Delete,
    Rename,
    Mode,
}

#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
struct Replacement {
    find: String,
    replace: String,
    #[serde(default)]
    line: Option<usize>,
}

#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
struct Lines {
    from: String,
    #[serde(default)]
    to: Option<String>,
    #[serde(default)]
    replace: Option<String>,
    #[serde(default)]
    before: Option<String>,
    #[serde(default)]
    after: Option<String>,
}

/// Tells whether a text may be in this format.
pub fn looks(text: &str) -> bool {
    body(text).is_some_and(|(_, body)| body.starts_with(['{', '[']))
}

/// The text, or what its one fence holds, with the lines above it.
fn body(text: &str) -> Option<(usize, &str)> {
    let trimmed = text.trim_start_matches('\u{feff}').trim();
    if trimmed.starts_with(['{', '[']) {
        return Some((0, trimmed));
    }
    let fences: Vec<usize> =
        lines_of(text).iter().enumerate().filter(|(_, line)| is_fence(line)).map(|(at, _)| at).collect();
    let [open, close] = fences.as_slice() else { return None };
    let starts = |line: usize| text.split_inclusive('\n').take(line).map(str::len).sum::<usize>();
    text.get(starts(open + 1)..starts(*close)).map(|body| (open + 1, body.trim()))
}

/// Reads edits.
pub fn read(text: &str) -> Result<Vec<FileEdit>, Unread> {
    let Some((above, body)) = body(text) else {
        return unread(1, "begins a text that holds no JSON, or more than one block of it");
    };
    let value: serde_json::Value = serde_json::from_str(body)
        .map_err(|error| Unread { line: above + error.line(), why: format!("is not JSON: {error}") })?;
    let list = match &value {
        serde_json::Value::Object(map) if map.contains_key("edits") => map.get("edits").cloned(),
        serde_json::Value::Object(map) if map.contains_key("op") => Some(serde_json::json!([map])),
        other => Some(other.clone()),
    };
    let edits: Vec<Edit> = serde_json::from_value(list.unwrap_or_default()).map_err(|error| Unread {
        line: above + 1,
        why: format!("begins JSON that holds no edits: {error}"),
    })?;
    edits.into_iter().enumerate().map(|(at, edit)| file_edit(at + 1, edit)).collect()
}

/// Here `at` is the number of the edit in the list.
fn file_edit(at: usize, edit: Edit) -> Result<FileEdit, Unread> {
    let fail = |why: String| Unread { line: 1, why: format!("begins JSON whose edit {at} {why}") };
    let content = || match (&edit.content, &edit.base64) {
        (Some(text), None) => Ok(text.clone().into_bytes()),
        (None, Some(text)) => {
            use base64::Engine as _;
            base64::engine::general_purpose::STANDARD
                .decode(text)
                .map_err(|error| fail(format!("has no valid `base64`: {error}")))
        }
        _ => Err(fail("needs one of `content` and `base64`".into())),
    };
    let change = match edit.op {
        Op::Create => Change::Create(content()?),
        Op::Write => Change::Write(content()?),
        Op::Delete => Change::Delete,
        Op::Rename | Op::Mode => Change::Hunks(Vec::new()),
        Op::Replace => {
            let pairs = edit.replacements.unwrap_or_default();
            if pairs.is_empty() {
                return Err(fail("needs `replacements`".into()));
            }
            let pair = |(number, r): (usize, Replacement)| Pair {
                at: number + 1,
                find: r.find,
                replace: r.replace,
                line: r.line,
            };
            Change::Pairs(pairs.into_iter().enumerate().map(pair).collect())
        }
        Op::Lines => {
            let lines = edit.lines.unwrap_or_default();
            if lines.is_empty() {
                return Err(fail("needs `lines`".into()));
            }
            let changes: Result<_, String> = lines.into_iter().map(line_change).collect();
            Change::Lines(changes.map_err(fail)?)
        }
    };
    if matches!(edit.op, Op::Rename) && edit.to.is_none() {
        return Err(fail("needs `to`".into()));
    }
    if matches!(edit.op, Op::Mode) && edit.executable.is_none() {
        return Err(fail("needs `executable`".into()));
    }
    Ok(FileEdit { at, path: edit.path, change, to: edit.to, executable: edit.executable })
}

fn line_change(lines: Lines) -> Result<LineChange, String> {
    let first: Anchor = lines.from.parse()?;
    let last = lines.to.map_or(Ok(first.clone()), |to| to.parse())?;
    match (lines.replace, lines.before, lines.after) {
        (Some(text), None, None) => Ok(LineChange { first, last, text, place: Where::Instead }),
        (None, Some(text), None) => Ok(LineChange { first, last, text, place: Where::Before }),
        (None, None, Some(text)) => Ok(LineChange { first, last, text, place: Where::After }),
        _ => Err("needs one of `replace`, `before` and `after` in each of its `lines`".into()),
    }
}
