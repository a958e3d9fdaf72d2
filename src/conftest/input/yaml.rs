//! YAML: a file of several documents is an array of them.
//!
//! Must never drop a document: one that cannot be read fails the file.

use serde_json::Value;

/// Reads a text.
pub(super) fn parse(text: &str) -> Result<Value, String> {
    let parts = documents(text);
    if let [one] = parts.as_slice() {
        return read(one);
    }
    parts.iter().map(|part| read(part)).collect()
}

fn read(text: &str) -> Result<Value, String> {
    serde_yaml::from_str(text).map_err(|e| e.to_string())
}

/// Splits at lines that are `---`; a directive belongs to the document after it.
fn documents(text: &str) -> Vec<String> {
    let text = text.replace("\r\n", "\n");
    let mut parts: Vec<String> = text.split("\n---\n").map(str::to_owned).collect();
    if text.starts_with('%') && parts.len() > 1 {
        let directive = parts.remove(0);
        parts[0] = format!("{directive}\n---\n{}", parts[0]);
    }
    parts
}
