//! References held to the JSON schemas that annotations name for them, as OPA's type checker does.
//!
//! Must never pass a reference that its schema cannot have: it would be undefined, and undefined denies nothing.

use std::collections::BTreeMap;

use serde_json::Value;

use super::annotation::Annotation;
use super::inspect;
use super::module::Module;

/// Schemas by the name annotations give them, as `schema.input`.
pub type Schemas = BTreeMap<String, Value>;

/// A reference that cannot be there: which definition it is in, and what to say of it.
pub type Misfit = (usize, String);

/// Tells whether a schema has a place at the end of a path; what the schema does not tell is allowed.
///
/// As in OPA, an object that names its properties and says nothing of others has no others.
pub fn allows(schema: &Value, path: &[Option<String>]) -> bool {
    below(schema, schema, path, 0)
}

fn below(root: &Value, schema: &Value, path: &[Option<String>], depth: u8) -> bool {
    let Some((part, rest)) = path.split_first() else { return true };
    if depth > 32 || !schema.is_object() {
        return schema != &Value::Bool(false);
    }
    if let Some(target) = schema["$ref"].as_str() {
        // What another document says is not looked at.
        let Some(target) = target.strip_prefix('#') else { return true };
        return root.pointer(target).is_some_and(|schema| below(root, schema, path, depth + 1));
    }
    for key in ["anyOf", "oneOf", "allOf"] {
        if let Some(any) = schema[key].as_array()
            && (key != "allOf" || schema["properties"].is_null())
        {
            return any.iter().any(|schema| below(root, schema, path, depth + 1));
        }
    }
    let deeper = |schema: &Value| below(root, schema, rest, depth + 1);
    match (part, &schema["properties"], &schema["additionalProperties"], &schema["items"]) {
        (_, Value::Null, Value::Null, Value::Null) => open(schema),
        (Some(name), Value::Object(properties), _, _) if properties.contains_key(name) => {
            deeper(&properties[name])
        }
        (None, Value::Object(properties), _, _) => properties.values().any(deeper),
        (_, _, _, items @ Value::Object(_)) => {
            part.as_ref().is_none_or(|p| p.parse::<u32>().is_ok()) && deeper(items)
        }
        (_, _, more, _) => !matches!(more, Value::Null | Value::Bool(false)) && deeper(more),
    }
}

/// Tells whether a schema that says nothing of what is inside can have something inside.
fn open(schema: &Value) -> bool {
    let holds = |name: &Value| name == "object" || name == "array";
    match &schema["type"] {
        Value::Null => schema["enum"].is_null() && schema["const"].is_null(),
        Value::Array(names) => names.iter().any(holds),
        name => holds(name),
    }
}

/// Returns the references of a module that their schemas do not have; `outer` are annotations of packages above it.
pub fn misfits(module: &Module, outer: &[&Annotation], schemas: &Schemas) -> Vec<Misfit> {
    let (_, aliases) = inspect::imports(module.tree(), &module.text);
    let mut misfits = Vec::new();
    for (at, (definition, rule)) in module.definitions.iter().zip(module.rules()).enumerate() {
        let name = super::module::whole(&definition.name).unwrap_or(&definition.name);
        let nearest = module.annotations.describing(name, definition.line).chain(outer.iter().copied());
        let mut held: BTreeMap<Vec<String>, Value> = BTreeMap::new();
        for (path, schema) in nearest.flat_map(|annotation| named(annotation, schemas)) {
            held.entry(path).or_insert(schema);
        }
        if held.is_empty() {
            continue;
        }
        let Some(seen) = inspect::head(rule, &aliases) else { continue };
        for read in &seen.reads {
            let longest = (1..=read.parts.len()).rev().find_map(|length| {
                let parts: Option<Vec<String>> = read.parts.get(..length)?.iter().cloned().collect();
                held.get(&parts?).map(|schema| (length, schema))
            });
            if let Some((length, schema)) = longest
                && !allows(schema, read.parts.get(length..).unwrap_or_default())
            {
                let place = format!("{}:{}", module.file, read.line);
                misfits.push((
                    at,
                    format!("reads `{}` in {place}, which its schema does not have", read.text()),
                ));
            }
        }
    }
    misfits
}

/// Returns the paths an annotation names schemas for, with those that are there.
fn named(annotation: &Annotation, schemas: &Schemas) -> Vec<(Vec<String>, Value)> {
    let entries = annotation.value["schemas"].as_array().into_iter().flatten().filter_map(Value::as_object);
    entries
        .flatten()
        .filter_map(|(path, schema)| {
            let schema = match schema {
                Value::String(name) => schemas.get(&reference(name))?.clone(),
                inline => inline.clone(),
            };
            Some((path.split('.').map(str::to_owned).collect(), schema))
        })
        .collect()
}

/// Returns the name of a schema as a path of files: `schema["a-b"].c` is `a-b/c`.
pub fn reference(name: &str) -> String {
    let rest = name.trim().strip_prefix("schema").unwrap_or(name);
    let parts = rest.split(['.', '[', ']', '"']).filter(|part| !part.is_empty());
    parts.collect::<Vec<_>>().join("/")
}

#[cfg(test)]
mod tests {
    use super::*;

    fn told(annotation: &str, body: &str) -> Vec<String> {
        let text = format!("{annotation}package x\n\nimport rego.v1\n\n{body}\n");
        let module = Module::read("x.rego", &text, None).unwrap();
        let thing = serde_json::json!({
            "properties": {
                "size": { "type": "integer" },
                "pods": { "type": "array", "items": { "properties": { "name": { "type": "string" } } } },
                "labels": { "type": "object", "additionalProperties": { "type": "string" } },
                "more": {},
                "self": { "$ref": "#" },
            },
        });
        let schemas = BTreeMap::from([("thing".to_owned(), thing)]);
        misfits(&module, &[], &schemas).into_iter().map(|(_, why)| why).collect()
    }

    #[test]
    fn a_reference_has_to_be_in_its_schema() {
        let package = "# METADATA\n# schemas:\n#  - input: schema.thing\n";
        for (read, fits) in [
            ("input.size > 1", true),
            ("input.sise > 1", false),
            ("input.size.more", false),
            ("input.pods[_].name", true),
            ("input.pods[_].nam", false),
            ("input.pods[0].name", true),
            ("input.labels.any", true),
            ("input.labels.any.more", false),
            ("input.more.of.it", true),
            ("input.self.self.pods", true),
            ("input.self.self.pod", false),
            ("some p in input.pods\n\tp.image", false),
            ("p := input.pods[0]\n\tp.name", true),
            ("data.any.thing", true),
        ] {
            let said = told(package, &format!("deny contains 1 if {{\n\t{read}\n}}"));
            assert_eq!(said.is_empty(), fits, "{read}: {said:?}");
        }
    }

    #[test]
    fn the_nearest_annotation_counts() {
        let inline = "# METADATA\n# schemas:\n#  - input: {properties: {a: {type: string}}}\n";
        assert_eq!(told("", &format!("{inline}p := input.b\n\nq := input.b")).len(), 1);
        let package = "# METADATA\n# schemas:\n#  - input: schema.thing\n";
        assert_eq!(told(package, &format!("{inline}p := input.a\n\nq := input.a")).len(), 1);
        let part = "# METADATA\n# schemas:\n#  - input.more: {properties: {a: {type: string}}}\n#  - input: schema.thing\n";
        assert_eq!(told("", &format!("{part}p := [input.more.a, input.more.b, input.size]")).len(), 1);
        assert_eq!(told("", "# METADATA\n# schemas:\n#  - input: schema.unknown\np := input.b"), [""; 0]);
    }

    #[test]
    fn names_are_paths() {
        for (name, path) in
            [("schema.input", "input"), ("schema[\"a-b\"]", "a-b"), ("schema.a[\"b-c\"].d", "a/b-c/d")]
        {
            assert_eq!(reference(name), path);
        }
    }
}
