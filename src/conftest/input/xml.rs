//! XML as an object: attributes with a dash before their name, text as `#content`, elements of one name as an array.
//!
//! Must never expand an entity that the document defines itself.

use roxmltree::{Document, Node, ParsingOptions};
use serde_json::{Map, Value};

/// The deepest nesting that is read.
const DEEPEST: usize = 500;

/// Reads a text.
pub(super) fn parse(text: &str) -> Result<Value, String> {
    let options = ParsingOptions { nodes_limit: 5_000_000, ..ParsingOptions::default() };
    let document = Document::parse_with_options(text, options).map_err(|e| e.to_string())?;
    let root = document.root_element();
    let mut fields = Map::new();
    fields.insert(root.tag_name().name().to_owned(), element(root, 0)?);
    Ok(Value::Object(fields))
}

fn element(node: Node<'_, '_>, depth: usize) -> Result<Value, String> {
    if depth > DEEPEST {
        return Err(format!("it is nested more than {DEEPEST} deep"));
    }
    let mut fields = Map::new();
    for attribute in node.attributes() {
        fields.insert(format!("-{}", attribute.name()), attribute.value().into());
    }
    let mut content = String::new();
    for child in node.children() {
        if child.is_text() {
            content += child.text().unwrap_or_default().trim();
        } else if child.is_element() {
            let value = element(child, depth + 1)?;
            match fields.get_mut(child.tag_name().name()) {
                None => drop(fields.insert(child.tag_name().name().to_owned(), value)),
                Some(Value::Array(items)) => items.push(value),
                Some(one) => {
                    let first = one.take();
                    *one = Value::Array(vec![first, value]);
                }
            }
        }
    }
    if fields.is_empty() {
        return Ok(content.into());
    }
    if !content.is_empty() {
        fields.insert("#content".into(), content.into());
    }
    Ok(Value::Object(fields))
}
