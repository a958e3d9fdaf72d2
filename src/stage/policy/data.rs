//! Documents of packs: what their rules read as `data`.
//!
//! Must never let one document replace another or stand where rules do: a document that cannot be used is broken, and
//! denies. Where it lies says where it is found, as in a bundle of OPA: `teams/data.json` becomes `data.teams`.

use serde_json::{Map, Value};

use crate::rego::document::{below, merge};
use crate::rego::inspect::Path;

use super::bundle::Broken;

/// The most bytes a document may have.
pub const LARGEST_DOCUMENT: usize = 8 << 20;

/// A document of a pack, not parsed yet.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct DataFile {
    /// As files of rules are named.
    pub name: String,
    /// Where it is found below `data`.
    pub keys: Vec<String>,
    /// Its bytes; absent when it is no regular file.
    pub bytes: Option<Vec<u8>>,
}

/// Tells whether a file of a pack is a document, by its name.
pub fn is_data(path: &str) -> bool {
    matches!(path.rsplit('/').next(), Some("data.json" | "data.yaml" | "data.yml"))
}

impl DataFile {
    /// Takes a document by its path in the pack.
    pub fn new(name: String, path: &str, bytes: Option<Vec<u8>>) -> Self {
        let folders = path.rsplit_once('/').map_or("", |(folders, _)| folders);
        let keys = folders.split('/').filter(|key| !key.is_empty()).map(str::to_owned).collect();
        Self { name, keys, bytes }
    }

    fn fields(&self) -> Result<Map<String, Value>, String> {
        let bytes = self.bytes.as_deref().ok_or("is not a regular file")?;
        if bytes.len() > LARGEST_DOCUMENT {
            return Err(format!("is larger than {LARGEST_DOCUMENT} bytes"));
        }
        let value: Value = if matches!(self.name.rsplit_once('.'), Some((_, "json"))) {
            serde_json::from_slice(bytes).map_err(|error| format!("is not JSON: {error}"))?
        } else {
            serde_yaml::from_slice(bytes).map_err(|error| format!("is not YAML: {error}"))?
        };
        if value.is_null() {
            return Ok(Map::new());
        }
        let Value::Object(fields) = below(self.keys.iter().map(String::as_str), value) else {
            return Err("is no object: put the value below a key".into());
        };
        match fields.keys().find(|key| ["orch", "conftest"].contains(&key.as_str())) {
            Some(key) => Err(format!("gives `data.{key}`, where rules stand: put it below another key")),
            None => Ok(fields),
        }
    }
}

/// Puts documents together; those that cannot be used are told.
pub fn document(files: &[DataFile]) -> (Value, Vec<Broken>) {
    let (mut all, mut broken) = (Map::new(), Vec::new());
    for file in files {
        let merged = file.fields().and_then(|fields| {
            merge(&mut all, fields)
                .map_err(|key| format!("gives `data.{key}` another value than a document before it"))
        });
        if let Err(why) = merged {
            broken.push(Broken { file: file.name.clone(), why: format!("{}: {why}", file.name) });
        }
    }
    (Value::Object(all), broken)
}

/// Tells whether a path leads to something in a document; what is only known at run time may.
pub fn leads_into(document: &Value, path: &Path) -> bool {
    let Some((_, Some((Some(first), rest)))) =
        path.parts.split_first().map(|(root, rest)| (root, rest.split_first()))
    else {
        return false;
    };
    let mut here = document.get(first);
    for part in rest {
        match (here, part) {
            (Some(Value::Object(fields)), Some(name)) => here = fields.get(name),
            (Some(Value::Array(_)), Some(index)) if index.parse::<usize>().is_err() => return false,
            (Some(Value::Object(_) | Value::Array(_)), _) => return true,
            _ => return false,
        }
    }
    here.is_some()
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    fn file(path: &str, text: &str) -> DataFile {
        DataFile::new(path.to_owned(), path, Some(text.as_bytes().to_vec()))
    }

    #[test]
    fn folders_are_keys() {
        let files =
            [file("data.json", r#"{"a": 1}"#), file("teams/core/data.yaml", "x: [y]"), file("data.yml", "")];
        let (document, broken) = document(&files);
        assert_eq!(broken, []);
        assert_eq!(document, json!({ "a": 1, "teams": { "core": { "x": ["y"] } } }));
    }

    #[test]
    fn what_cannot_be_used_is_told() {
        for (path, text, why) in [
            ("data.json", "{", "not JSON"),
            ("data.yaml", "a: [", "not YAML"),
            ("data.json", "[1]", "no object"),
            ("orch/data.json", r#"{"lib": {}}"#, "where rules stand"),
            ("data.json", r#"{"orch": 1}"#, "where rules stand"),
            ("data.json", r#"{"limit": 2}"#, "another value"),
        ] {
            let (_, broken) = document(&[file("data.json", r#"{"limit": 1}"#), file(path, text)]);
            assert!(broken.len() == 1 && broken[0].why.contains(why), "{path} {text}: {broken:?}");
        }
        let link = DataFile { bytes: None, ..file("data.json", "") };
        assert!(document(&[link]).1[0].why.contains("regular file"));
    }

    #[test]
    fn paths_lead_into_a_document_or_not() {
        let document = json!({ "a": { "b": [1], "c": 1 } });
        let path = |parts: &[&str]| Path {
            parts: parts.iter().map(|p| (*p != "?").then(|| (*p).to_owned())).collect(),
            line: 1,
        };
        for (parts, want) in [
            (&["data"][..], false),
            (&["data", "a"], true),
            (&["data", "a", "b", "?"], true),
            (&["data", "a", "?", "x"], true),
            (&["data", "a", "b", "0"], true),
            (&["data", "a", "b", "x"], false),
            (&["data", "a", "x"], false),
            (&["data", "a", "c", "d"], false),
            (&["data", "?"], false),
            (&["data", "x"], false),
        ] {
            assert_eq!(leads_into(&document, &path(parts)), want, "{parts:?}");
        }
    }
}
