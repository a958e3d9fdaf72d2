//! Documents below `--data`: what becomes `data` for the policies.
//!
//! Must never let one document silently replace another: two values for one key are an error.

use std::collections::BTreeSet;
use std::fs;
use std::path::{Path, PathBuf};

use serde_json::{Map, Value};

use super::files::{CheckError, read_error, walk};
use super::input::{Parser, parse};
use crate::rego::document::{below, merge};
use crate::rego::schema::Schemas;

/// Reads every `.json`, `.yaml` and `.yml` file; the folders between the path named and the file become keys.
pub fn documents(paths: &[PathBuf]) -> Result<Value, CheckError> {
    let mut data = Map::new();
    for path in paths {
        let mut files = Vec::new();
        if fs::metadata(path).map_err(|source| read_error(path, source))?.is_dir() {
            walk(path, &mut BTreeSet::new(), &mut |file| files.push(file.to_owned()))?;
        } else {
            files.push(path.clone());
        }
        for file in
            files.iter().filter(|f| f.extension().is_some_and(|e| e == "json" || e == "yaml" || e == "yml"))
        {
            let bytes = fs::read(file).map_err(|source| read_error(file, source))?;
            let name = file.display().to_string();
            let parser = if name.ends_with("json") { Parser::Json } else { Parser::Yaml };
            let parsed = parse(parser, &bytes);
            let value =
                parsed.map_err(|why| CheckError::Parse { path: name.clone(), parser: parser.name(), why })?;
            let folders = file.parent().and_then(|p| p.strip_prefix(path).ok()).unwrap_or(Path::new(""));
            let keys: Vec<_> = folders.components().map(|part| part.as_os_str().to_string_lossy()).collect();
            let Value::Object(fields) = below(keys.iter().map(AsRef::as_ref), value) else {
                return Err(CheckError::Wrong {
                    what: format!("{name} is data, but no object"),
                    help: "Put the value below a key.".into(),
                });
            };
            merge(&mut data, fields).map_err(|key| CheckError::Wrong {
                what: format!("{name} gives `{key}` another value than an earlier data file"),
                help: "Keep each key in one file.".into(),
            })?;
        }
    }
    Ok(Value::Object(data))
}

/// Reads the schemas below a folder by the name annotations give them, without `.json`.
pub fn schemas(folder: Option<&Path>) -> Result<Schemas, CheckError> {
    let mut schemas = Schemas::new();
    let Some(folder) = folder else { return Ok(schemas) };
    let mut files = Vec::new();
    walk(folder, &mut BTreeSet::new(), &mut |file| files.push(file.to_owned()))?;
    for file in files.iter().filter(|file| file.extension().is_some_and(|e| e == "json")) {
        let bytes = fs::read(file).map_err(|source| read_error(file, source))?;
        let path = file.display().to_string();
        let schema = parse(Parser::Json, &bytes).map_err(|why| CheckError::Parse {
            path,
            parser: Parser::Json.name(),
            why,
        })?;
        let name = file.strip_prefix(folder).unwrap_or(file).with_extension("");
        let parts = name.components().map(|part| part.as_os_str().to_string_lossy());
        schemas.insert(parts.collect::<Vec<_>>().join("/"), schema);
    }
    Ok(schemas)
}
