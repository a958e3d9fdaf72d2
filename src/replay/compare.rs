//! Two run folders, file by file and byte by byte.
//!
//! Must never call two files equal for any other reason than equal bytes.

use std::collections::BTreeSet;

use serde::Serialize;
use serde_json::Value;

use crate::artifact::store::{ArtifactStore, StoreError};

/// How the files of a run compare with those of its replay.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct Comparison {
    /// Every file of either, sorted by path.
    pub files: Vec<FileResult>,
    /// Why later stages were not replayed: one before them differs, and they could not go on from it.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub ended_early: Option<String>,
}

/// One file.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct FileResult {
    /// The path in the run folder.
    pub path: String,
    /// How it compares.
    #[serde(flatten)]
    pub state: State,
}

/// How a file compares.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
#[serde(rename_all = "kebab-case", tag = "state")]
pub enum State {
    /// The same bytes.
    Equal,
    /// Other bytes.
    Different {
        /// Where they differ first: a JSON pointer, or a line.
        at: String,
        /// What the run has there, shortened.
        recorded: String,
        /// What the replay has there, shortened.
        replayed: String,
    },
    /// The run has it, the replay has not.
    Missing,
    /// The replay has it, the run has not.
    Extra,
    /// An earlier attempt, or what an unfinished stage left: copied, not replayed.
    Carried,
}

impl Comparison {
    /// Tells whether every file that was replayed is equal.
    pub fn is_equal(&self) -> bool {
        let fine = |file: &FileResult| matches!(file.state, State::Equal | State::Carried);
        self.ended_early.is_none() && self.files.iter().all(fine)
    }

    /// Returns how many files are in a state.
    pub fn count(&self, state: &State) -> usize {
        self.files.iter().filter(|file| &file.state == state).count()
    }
}

/// Compares all files; `carried` ones were copied.
pub(super) fn compare(
    recorded: &dyn ArtifactStore,
    replayed: &dyn ArtifactStore,
    carried: &BTreeSet<String>,
) -> Result<Vec<FileResult>, StoreError> {
    let paths: BTreeSet<String> = recorded.list()?.into_iter().chain(replayed.list()?).collect();
    let mut files = Vec::with_capacity(paths.len());
    for path in paths {
        let state = match (recorded.read(&path)?, replayed.read(&path)?) {
            (Some(a), Some(b)) if a == b => {
                if carried.contains(&path) {
                    State::Carried
                } else {
                    State::Equal
                }
            }
            (Some(a), Some(b)) => difference(&path, &a, &b),
            (Some(_), None) => State::Missing,
            (None, _) => State::Extra,
        };
        files.push(FileResult { path, state });
    }
    Ok(files)
}

fn difference(path: &str, a: &[u8], b: &[u8]) -> State {
    if path.rsplit_once('.').is_some_and(|(_, ending)| ending == "json")
        && let (Ok(a), Ok(b)) = (serde_json::from_slice::<Value>(a), serde_json::from_slice::<Value>(b))
        && let Some((at, a, b)) = first_in_json(&a, &b, "")
    {
        return State::Different { at, recorded: short(&a), replayed: short(&b) };
    }
    let mut lines = (a.split(|byte| *byte == b'\n'), b.split(|byte| *byte == b'\n'));
    let mut number = 0_usize;
    loop {
        number += 1;
        let (a, b) = (lines.0.next(), lines.1.next());
        if a != b || a.is_none() {
            let text = |line: Option<&[u8]>| line.map_or_else(|| "nothing".to_owned(), near(a, b));
            return State::Different { at: format!("line {number}"), recorded: text(a), replayed: text(b) };
        }
    }
}

/// Returns the pointer to the first difference of two documents, with both values there.
fn first_in_json(a: &Value, b: &Value, at: &str) -> Option<(String, String, String)> {
    let below = |key: &str| format!("{at}/{}", key.replace('~', "~0").replace('/', "~1"));
    let nothing = || "nothing".to_owned();
    let sides = |a: Option<&Value>, b: Option<&Value>, at: String| match (a, b) {
        (Some(a), Some(b)) => first_in_json(a, b, &at),
        (a, b) => {
            Some((at, a.map_or_else(nothing, Value::to_string), b.map_or_else(nothing, Value::to_string)))
        }
    };
    match (a, b) {
        (Value::Object(x), Value::Object(y)) => {
            let keys: BTreeSet<&String> = x.keys().chain(y.keys()).collect();
            keys.into_iter().find_map(|key| sides(x.get(key), y.get(key), below(key)))
        }
        (Value::Array(x), Value::Array(y)) => {
            (0..x.len().max(y.len())).find_map(|n| sides(x.get(n), y.get(n), below(&n.to_string())))
        }
        _ => (a != b).then(|| (at.to_owned(), a.to_string(), b.to_string())),
    }
}

const MOST: usize = 120;

fn short(text: &str) -> String {
    match text.get(..text.floor_char_boundary(MOST)) {
        Some(start) if start.len() < text.len() => format!("{start}..."),
        _ => text.to_owned(),
    }
}

/// Returns a line from shortly before where the two lines part: lines of a tape are long.
fn near(a: Option<&[u8]>, b: Option<&[u8]>) -> impl Fn(&[u8]) -> String {
    let (a, b) = (a.unwrap_or_default(), b.unwrap_or_default());
    let same = a.iter().zip(b).take_while(|(x, y)| x == y).count();
    move |line| {
        let from = if line.len() > MOST { same.saturating_sub(MOST / 2).min(line.len()) } else { 0 };
        let start = if from > 0 { "..." } else { "" };
        format!("{start}{}", short(&String::from_utf8_lossy(&line[from..])))
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::artifact::store::MemoryStore;

    #[test]
    fn the_first_difference_is_named() {
        for (path, a, b, at, left, right) in [
            ("x.json", r#"{"a":{"b/c":[1,2]}}"#, r#"{"a":{"b/c":[1,3]}}"#, "/a/b~1c/1", "2", "3"),
            ("x.json", r#"{"a":1}"#, r#"{"a":1,"b":2}"#, "/b", "nothing", "2"),
            ("x.json", r#"{"a":[1]}"#, r#"{"a":[]}"#, "/a/0", "1", "nothing"),
            ("x.json", "{\"a\":1}", "{\"a\": 1}", "line 1", "{\"a\":1}", "{\"a\": 1}"),
            ("x.json", "{", "}", "line 1", "{", "}"),
            ("x.jsonl", "a\nb\n", "a\nc\n", "line 2", "b", "c"),
            ("x.log", "a", "a\n", "line 2", "nothing", ""),
        ] {
            let wanted =
                State::Different { at: at.to_owned(), recorded: left.to_owned(), replayed: right.to_owned() };
            assert_eq!(difference(path, a.as_bytes(), b.as_bytes()), wanted, "{a} / {b}");
        }
        let long = |end: &str| format!("{}{end}", "x".repeat(1000));
        let State::Different { recorded, replayed, .. } =
            difference("x.log", long("a").as_bytes(), long("b").as_bytes())
        else {
            unreachable!("they differ");
        };
        assert!(recorded.ends_with("xa") && replayed.ends_with("xb"), "{recorded} {replayed}");
    }

    #[test]
    fn every_file_of_both_is_told_of() {
        let (a, b) = (MemoryStore::default(), MemoryStore::default());
        for (store, path, text) in
            [(&a, "same", "1"), (&b, "same", "1"), (&a, "left", "1"), (&b, "right", "1"), (&a, "kept", "1")]
        {
            store.write(path, text.as_bytes()).unwrap();
        }
        b.write("kept", b"1").unwrap();
        let files = compare(&a, &b, &["kept".to_owned()].into()).unwrap();
        let compared = Comparison { files, ended_early: None };
        let states: Vec<(&str, &State)> =
            compared.files.iter().map(|f| (f.path.as_str(), &f.state)).collect();
        let wanted = [
            ("kept", &State::Carried),
            ("left", &State::Missing),
            ("right", &State::Extra),
            ("same", &State::Equal),
        ];
        assert_eq!(states, wanted);
        assert!(!compared.is_equal());
    }
}
