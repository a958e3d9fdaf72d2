//! The `# METADATA` comments of a module, read without running anything.
//!
//! Must never refuse a module because of a comment: what is no annotation is no annotation.

use serde_json::{Map, Value, json};

/// One annotation with what it stands above.
#[derive(Clone, Debug, PartialEq)]
pub struct Annotation {
    /// The line of the statement below it; 0 when there is none.
    pub line: u64,
    /// `package`, `rule`, `document` or `subpackages`.
    pub scope: String,
    /// The name of the rule below it, or `package`.
    pub target: String,
    /// What it says.
    pub value: Value,
}

/// The annotations of a module.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Annotations {
    /// In order.
    pub all: Vec<Annotation>,
    package: Vec<String>,
}

impl Annotations {
    /// Reads the annotations of a text.
    pub fn of(text: &str, package: &str) -> Self {
        let lines: Vec<&str> = text.lines().collect();
        let mut all = Vec::new();
        let mut at = 0;
        while at < lines.len() {
            if lines[at].trim() != "# METADATA" {
                at += 1;
                continue;
            }
            let start = at + 1;
            at = start;
            while lines.get(at).is_some_and(|l| l.trim_start().starts_with('#') && l.trim() != "# METADATA") {
                at += 1;
            }
            let strip = |l: &&str| {
                let l = l.trim_start().trim_start_matches('#');
                l.strip_prefix(' ').unwrap_or(l).to_owned()
            };
            let yaml: Vec<String> = lines[start..at].iter().map(strip).collect();
            let Ok(value @ Value::Object(_)) = serde_yaml::from_str::<Value>(&yaml.join("\n")) else {
                continue;
            };
            let mut below = at;
            while lines.get(below).is_some_and(|l| l.trim().is_empty() || l.trim_start().starts_with('#')) {
                if lines[below].trim() == "# METADATA" {
                    break;
                }
                below += 1;
            }
            let statement = lines.get(below).copied().unwrap_or_default();
            let target: String = statement
                .trim_start()
                .trim_start_matches("default ")
                .chars()
                .take_while(|c| c.is_alphanumeric() || matches!(c, '_' | '.'))
                .collect();
            let scope = value["scope"].as_str().map(str::to_owned);
            let scope =
                scope.unwrap_or_else(|| if target == "package" { "package".into() } else { "rule".into() });
            all.push(Annotation { line: below as u64 + 1, scope, target, value });
        }
        let package = package.split('.').map(str::to_owned).collect();
        Self { all, package }
    }

    /// Returns what stands above the rule on a line; an empty object without an annotation.
    pub fn rule(&self, line: u64) -> Value {
        let found = self.all.iter().find(|a| a.line == line && a.scope == "rule");
        found.map_or_else(|| json!({}), with_scope)
    }

    /// Returns the annotations a finding of this rule is described by: of the line, the document, then the package.
    pub fn describing(&self, name: &str, line: u64) -> impl Iterator<Item = &Annotation> {
        let name = name.to_owned();
        let own = self.all.iter().filter(move |a| a.line == line && a.scope == "rule");
        let document = self.all.iter().filter(move |a| a.scope == "document" && a.target == name);
        let package = self.all.iter().filter(|a| a.scope == "package" || a.scope == "subpackages");
        own.chain(document).chain(package)
    }

    /// Returns the chain `rego.metadata.chain()` gives: the rule first, then the document, then the package.
    pub fn chain(&self, name: &str, line: u64) -> Value {
        let data = || std::iter::once("data".to_owned()).chain(self.package.iter().cloned());
        let own: Vec<String> = data().chain(name.split('.').map(str::to_owned)).collect();
        let mut chain: Vec<Value> = Vec::new();
        for annotation in self.describing(name, line) {
            let path: Vec<String> = if annotation.scope.ends_with("age") || annotation.scope == "subpackages"
            {
                data().collect()
            } else {
                own.clone()
            };
            chain.push(json!({ "path": path, "annotations": with_scope(annotation) }));
        }
        if !self.all.iter().any(|a| a.line == line && a.scope == "rule") {
            chain.insert(0, json!({ "path": own }));
        }
        Value::Array(chain)
    }
}

fn with_scope(annotation: &Annotation) -> Value {
    let mut map: Map<String, Value> = annotation.value.as_object().cloned().unwrap_or_default();
    map.insert("scope".into(), Value::String(annotation.scope.clone()));
    Value::Object(map)
}
