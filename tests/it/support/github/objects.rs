//! Git objects with the ids git gives them.
#![expect(clippy::format_collect, reason = "texts are short")]

use std::collections::BTreeMap;

use ring::digest::{Context, SHA1_FOR_LEGACY_USE_ONLY};

/// A file of a tree: its mode and blob.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Entry {
    pub mode: String,
    pub blob: String,
}

/// A whole tree, by path.
pub type Flat = BTreeMap<String, Entry>;

pub fn hex(bytes: &[u8]) -> String {
    bytes.iter().map(|b| format!("{b:02x}")).collect()
}

fn raw(id: &str) -> Vec<u8> {
    (0..id.len()).step_by(2).map(|at| u8::from_str_radix(&id[at..at + 2], 16).unwrap()).collect()
}

/// Returns the id of an object.
pub fn id(kind: &str, bytes: &[u8]) -> String {
    let mut context = Context::new(&SHA1_FOR_LEGACY_USE_ONLY);
    context.update(format!("{kind} {}\0", bytes.len()).as_bytes());
    context.update(bytes);
    hex(context.finish().as_ref())
}

/// Returns the id of a tree.
pub fn tree_id(files: &Flat) -> String {
    // Name, mode, id; folders are sorted as if they ended in a slash.
    let mut here: Vec<(String, String, String)> = Vec::new();
    let mut folders: BTreeMap<&str, Flat> = BTreeMap::new();
    for (path, entry) in files {
        match path.split_once('/') {
            None => here.push((path.clone(), entry.mode.clone(), entry.blob.clone())),
            Some((folder, rest)) => {
                folders.entry(folder).or_default().insert(rest.to_owned(), entry.clone());
            }
        }
    }
    for (name, files) in folders {
        here.push((format!("{name}/"), "40000".into(), tree_id(&files)));
    }
    here.sort();
    let mut bytes = Vec::new();
    for (name, mode, id) in here {
        bytes.extend_from_slice(format!("{mode} {}\0", name.trim_end_matches('/')).as_bytes());
        bytes.extend_from_slice(&raw(&id));
    }
    id("tree", &bytes)
}
