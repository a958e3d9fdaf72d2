//! Requests and answers held to GitHub's own documents.
#![expect(clippy::unused_self, reason = "it is asked for what its documents say")]

use std::collections::BTreeMap;
use std::path::PathBuf;
use std::sync::{Arc, Mutex, OnceLock};

use apollo_compiler::validation::Valid;
use apollo_compiler::{ExecutableDocument, Schema, request};
use serde_json::{Value, json};

use super::{Said, Seen};

/// GitHub's documents, read once for all tests.
struct Documents {
    openapi: Value,
    schema: Valid<Schema>,
    validators: Mutex<BTreeMap<String, Arc<jsonschema::Validator>>>,
}

fn documents() -> &'static Documents {
    static READ: OnceLock<Documents> = OnceLock::new();
    READ.get_or_init(|| Documents {
        openapi: serde_json::from_str(&fixture("openapi.json")).unwrap(),
        schema: Schema::parse_and_validate(fixture("schema.graphql"), "schema.graphql").unwrap(),
        validators: Mutex::default(),
    })
}

/// What was found against the documents.
#[derive(Default)]
pub struct Contract {
    found: Mutex<Vec<String>>,
}

/// An operation of the OpenAPI document.
pub struct Operation<'a> {
    pub template: &'a str,
    pub values: BTreeMap<String, String>,
    pub about: &'a Value,
}

fn fixture(name: &str) -> String {
    let path = PathBuf::from(env!("CARGO_MANIFEST_DIR")).join("tests/fixtures/github").join(name);
    std::fs::read_to_string(path).unwrap()
}

pub fn decoded(text: &str) -> String {
    let bytes = text.as_bytes();
    let (mut out, mut at) = (Vec::new(), 0);
    while at < bytes.len() {
        match (bytes[at], text.get(at + 1..at + 3).and_then(|hex| u8::from_str_radix(hex, 16).ok())) {
            (b'%', Some(byte)) => {
                out.push(byte);
                at += 3;
            }
            (byte, _) => {
                out.push(byte);
                at += 1;
            }
        }
    }
    String::from_utf8(out).unwrap()
}

impl Contract {
    pub fn violations(&self) -> Vec<String> {
        self.found.lock().unwrap().clone()
    }

    fn complain(&self, what: String) {
        self.found.lock().unwrap().push(what);
    }

    /// Returns the operation of a request; a part of a path takes no slash, one of a template all but that.
    pub fn operation(&self, method: &str, path: &str) -> Option<Operation<'_>> {
        let path = path.split('?').next().unwrap();
        let parts: Vec<&str> = path.split('/').collect();
        let mut best: Option<(usize, Operation<'_>)> = None;
        for (template, methods) in documents().openapi["paths"].as_object().unwrap() {
            let Some(about) = methods.get(method.to_ascii_lowercase()) else { continue };
            let names: Vec<&str> = template.split('/').collect();
            // GitHub takes slashes in the path of a file, and says so nowhere.
            let open = template.ends_with("/contents/{path}") && parts.len() > names.len();
            if names.len() != parts.len() && !open {
                continue;
            }
            let mut values = BTreeMap::new();
            let mut literal = 0;
            let fits = names.iter().zip(&parts).all(|(name, part)| {
                if let Some(name) = name.strip_prefix('{') {
                    values.insert(name.trim_end_matches('}').to_owned(), decoded(part));
                    !part.is_empty()
                } else {
                    literal += 1;
                    name == part
                }
            });
            if fits && open {
                values.insert("path".into(), decoded(&parts[names.len() - 1..].join("/")));
            }
            if fits && best.as_ref().is_none_or(|(most, _)| literal > *most) {
                best = Some((literal, Operation { template, values, about }));
            }
        }
        best.map(|(_, operation)| operation)
    }

    /// Returns the official example of an operation's answer.
    pub fn example(&self, method: &str, template: &str) -> Value {
        documents().openapi["paths"][template][method.to_ascii_lowercase()]["response"]["example"].clone()
    }

    fn errors(&self, schema: &Value, value: &Value) -> Vec<String> {
        let build = || {
            let mut whole = json!({ "components": documents().openapi["components"] });
            whole["allOf"] = json!([schema]);
            Arc::new(jsonschema::options().with_draft(jsonschema::Draft::Draft7).build(&whole).unwrap())
        };
        let mut known = documents().validators.lock().unwrap();
        let validator = Arc::clone(known.entry(schema.to_string()).or_insert_with(build));
        drop(known);
        validator.iter_errors(value).map(|error| format!("{}: {error}", error.instance_path())).collect()
    }

    /// Holds a request to the documents.
    pub fn request(&self, seen: &Seen) {
        if seen.path == "/graphql" {
            return self.graphql(seen);
        }
        let shown = format!("{} {}", seen.method, seen.path);
        // Newer than the newest document that is published.
        if seen.path.ends_with("/copilot-code-review") {
            return;
        }
        if !seen.headers.contains_key("user-agent") || !seen.headers.contains_key("x-github-api-version") {
            self.complain(format!("{shown}: no user agent or API version"));
        }
        let Some(operation) = self.operation(&seen.method, &seen.path) else {
            return self.complain(format!("{shown}: GitHub has no such operation"));
        };
        let parameters = operation.about["parameters"].as_array().unwrap();
        for parameter in parameters.iter().filter(|p| p["in"] == "path") {
            let value = &operation.values[parameter["name"].as_str().unwrap()];
            let typed = match parameter["schema"]["type"].as_str() {
                Some("integer") => value.parse::<u64>().map_or(Value::Null, Value::from),
                _ => json!(value),
            };
            for error in self.errors(&parameter["schema"], &typed) {
                self.complain(format!("{shown}: {} {error}", parameter["name"]));
            }
        }
        let query = seen.path.split_once('?').map_or("", |(_, query)| query);
        for pair in query.split('&').filter(|pair| !pair.is_empty()) {
            let (name, value) = pair.split_once('=').unwrap_or((pair, ""));
            let known = parameters.iter().find(|p| p["in"] == "query" && p["name"] == name);
            let Some(known) = known else {
                self.complain(format!("{shown}: GitHub knows no `{name}` there"));
                continue;
            };
            let value = decoded(value);
            let typed = match known["schema"]["type"].as_str() {
                Some("integer") => value.parse::<u64>().map_or(Value::Null, Value::from),
                _ => json!(value),
            };
            for error in self.errors(&known["schema"], &typed) {
                self.complain(format!("{shown}: {name} {error}"));
            }
        }
        match operation.about.get("requestBody") {
            Some(body) => {
                for error in self.errors(&body["schema"], &seen.body) {
                    self.complain(format!("{shown}: body {error}"));
                }
                self.unknown_fields(&shown, &body["schema"], &seen.body);
            }
            None if seen.body.is_null() => {}
            None => self.complain(format!("{shown}: GitHub takes no body there")),
        }
    }

    /// GitHub's schemas let any further field pass; a misspelt one would be lost without a word.
    fn unknown_fields(&self, shown: &str, schema: &Value, body: &Value) {
        let Some(known) = schema["properties"].as_object() else { return };
        for name in body.as_object().into_iter().flat_map(|body| body.keys()) {
            if !known.contains_key(name) {
                self.complain(format!("{shown}: GitHub knows no field `{name}`"));
            }
        }
    }

    /// Holds a good answer of the fake to the document.
    pub fn answer(&self, seen: &Seen, said: &Said) {
        if said.status >= 300 {
            return;
        }
        let Some(operation) = self.operation(&seen.method, &seen.path) else { return };
        let response = &operation.about["response"];
        let shown = format!("{} {}", seen.method, operation.template);
        if response["status"] != json!(said.status) {
            self.complain(format!("{shown}: the fake says {}, GitHub {}", said.status, response["status"]));
        }
        if let Some(schema) = response.get("schema") {
            for error in self.errors(schema, &said.body) {
                self.complain(format!("{shown}: the fake's answer: {error}"));
            }
        }
    }

    fn graphql(&self, seen: &Seen) {
        let text = seen.body["query"].as_str().unwrap_or_default();
        let document =
            match ExecutableDocument::parse_and_validate(&documents().schema, text, "request.graphql") {
                Ok(document) => document,
                Err(errors) => return self.complain(format!("graphql: {errors}")),
            };
        let name = seen.body["operationName"].as_str();
        let Ok(operation) = document.operations.get(name) else {
            return self.complain(format!("graphql: no operation {name:?}"));
        };
        let variables = serde_json::to_vec(&seen.body["variables"]).unwrap();
        let variables = serde_json::from_slice(&variables).unwrap();
        if let Err(error) = request::coerce_variable_values(&documents().schema, operation, &variables) {
            self.complain(format!("graphql {name:?}: {error:?}"));
        }
    }
}
