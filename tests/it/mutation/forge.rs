//! A forger: changes a file and everything after it that names its digest, then seals every manifest again.
#![expect(clippy::case_sensitive_file_extension_comparisons, reason = "paths of a run are written one way")]

use std::collections::BTreeMap;

use orch::artifact::chain::Chain;
use orch::artifact::digest::{Digest, canonical_json};
use orch::artifact::envelope::Envelope;
use orch::artifact::id::RunId;
use orch::artifact::store::ArtifactStore;
use orch::artifact::types::manifest::Manifest;
use serde_json::Value;

/// Returns every leaf of a document with another value of the same type, close to the first.
pub fn flips(value: &Value) -> Vec<(String, Value)> {
    let mut found = Vec::new();
    walk(value, String::new(), &mut found);
    found
}

fn walk(value: &Value, at: String, found: &mut Vec<(String, Value)>) {
    match value {
        Value::Object(fields) => {
            for (name, field) in fields {
                walk(field, format!("{at}/{}", name.replace('~', "~0").replace('/', "~1")), found);
            }
        }
        Value::Array(items) => {
            for (n, item) in items.iter().enumerate() {
                walk(item, format!("{at}/{n}"), found);
            }
        }
        // Of a text with lines each line is one: what stands before the last says something of its own.
        Value::String(text) if text.trim_end().contains('\n') => {
            let lines: Vec<&str> = text.split('\n').collect();
            for n in (0..lines.len()).filter(|n| !lines[*n].is_empty()) {
                let other = near(lines[n]);
                let text = [&lines[..n], &[other.as_str()], &lines[n + 1..]].concat().join("\n");
                found.push((at.clone(), Value::from(text)));
            }
        }
        leaf => found.push((at, flip(leaf))),
    }
}

fn flip(leaf: &Value) -> Value {
    match leaf {
        Value::Bool(value) => Value::from(!value),
        Value::Number(number) => number.as_u64().map_or_else(
            || Value::from(number.as_f64().unwrap_or_default() + 1.0),
            |number| Value::from(number + 1),
        ),
        Value::String(text) => Value::from(near(text)),
        _ => Value::from("x"),
    }
}

/// A text of the same length and form: the last letter or digit is another.
fn near(text: &str) -> String {
    let Some((at, c)) = text.char_indices().rev().find(|(_, c)| c.is_ascii_alphanumeric()) else {
        return format!("{text}x");
    };
    let other = match c {
        '0' => '1',
        'a' => 'b',
        c if c.is_ascii_digit() => '0',
        c if c.is_ascii_uppercase() => 'A',
        _ => 'a',
    };
    let other = if other == c { 'B' } else { other };
    format!("{}{other}{}", &text[..at], &text[at + 1..])
}

/// Puts a value where a pointer points.
pub fn set(document: &mut Value, pointer: &str, value: Value) {
    *document.pointer_mut(pointer).unwrap() = value;
}

/// Writes a file and makes the rest of the run fit it: digests, sizes, links, parents and seals of all that follows.
pub fn forge(store: &dyn ArtifactStore, run: &RunId, path: &str, bytes: &[u8]) {
    // The order of the manifests as they were: each comes after those it is chained to.
    let chain = Chain::read(store, run).unwrap();
    let order: Vec<String> = chain.bodies().map(|m| Manifest::path(m.link.stage, m.link.round)).collect();
    let order = by_parents(order, &chain);
    let forged: Option<Value> =
        serde_json::from_slice(bytes).ok().filter(|_| order.iter().any(|m| m == path));
    if forged.is_none() {
        store.write(path, bytes).unwrap();
    }
    let mut renamed: BTreeMap<String, String> = BTreeMap::new();
    for manifest in order {
        let own = manifest == path;
        let text = store.read(&manifest).unwrap().unwrap();
        let mut value = match &forged {
            Some(forged) if own => forged.clone(),
            _ => serde_json::from_slice(&text).unwrap(),
        };
        let files: Vec<String> = ["/body/link/outputs", "/body/records"]
            .iter()
            .filter_map(|at| value.pointer(at)?.as_array())
            .flatten()
            .filter_map(|file| file["path"].as_str().map(str::to_owned))
            .collect();
        for file in files {
            let Some(mut bytes) = store.read(&file).unwrap() else { continue };
            if let Ok(mut document) = serde_json::from_slice::<Value>(&bytes)
                && file.ends_with(".json")
            {
                rename(&mut document, &renamed);
                bytes = canonical_json(&document).unwrap();
                store.write(&file, &bytes).unwrap();
            }
            for list in ["/body/link/outputs", "/body/records"] {
                let Some(Value::Array(entries)) = value.pointer_mut(list) else { continue };
                for entry in entries.iter_mut().filter(|entry| entry["path"] == file.as_str()) {
                    let now = Digest::of(&bytes).to_string();
                    if let Some(before) = entry["digest"].as_str().filter(|before| *before != now && !own) {
                        renamed.insert(before.to_owned(), now.clone());
                        entry["bytes"] = bytes.len().into();
                        entry["digest"] = now.into();
                    }
                }
            }
        }
        rename(&mut value, &renamed);
        let before = value["body"]["link_digest"].as_str().unwrap_or_default().to_owned();
        if let Ok(mut envelope) = serde_json::from_value::<Envelope<Manifest>>(value.clone()) {
            let body = envelope.body;
            envelope.body = Manifest::seal(body.link, body.records, body.timing).unwrap();
            renamed.insert(before, envelope.body.link_digest.to_string());
            value = serde_json::to_value(&envelope).unwrap();
        }
        store.write(&manifest, &canonical_json(&value).unwrap()).unwrap();
    }
}

fn by_parents(order: Vec<String>, chain: &Chain) -> Vec<String> {
    let parents: BTreeMap<String, Vec<String>> = chain
        .bodies()
        .map(|m| {
            let own = Manifest::path(m.link.stage, m.link.round);
            (own, m.link.parents.iter().map(|parent| parent.manifest.clone()).collect())
        })
        .collect();
    let (mut rest, mut done) = (order, Vec::new());
    while !rest.is_empty() {
        let ready = rest.iter().position(|m| parents[m].iter().all(|parent| done.contains(parent)));
        done.push(rest.remove(ready.unwrap_or_default()));
    }
    done
}

fn rename(value: &mut Value, renamed: &BTreeMap<String, String>) {
    match value {
        Value::String(text) => {
            if let Some(new) = renamed.get(text.as_str()) {
                text.clone_from(new);
            }
        }
        Value::Array(items) => items.iter_mut().for_each(|item| rename(item, renamed)),
        Value::Object(fields) => fields.values_mut().for_each(|item| rename(item, renamed)),
        _ => {}
    }
}
