//! `tsconfig.json` and `jsconfig.json`: `baseUrl` and `paths`, with what they extend in the same repository.
//!
//! Must never fail on a file that is no JSON: what it says is then not known.

use std::collections::BTreeMap;

use serde_json::Value;

use super::files::{Files, join, split};

/// The most files that extend each other.
const MAX_DEPTH: usize = 8;

/// What one file says, what it extends included.
#[derive(Clone, Debug, Default)]
struct Config {
    base: Option<String>,
    /// Patterns with the folder they are read from and what they stand for.
    paths: Vec<(String, String, Vec<String>)>,
}

/// The files of a repository, by their folders.
pub(super) struct Configs {
    by_folder: BTreeMap<String, Config>,
}

impl Configs {
    /// Reads them.
    pub fn of(files: &Files<'_>) -> Self {
        let mut by_folder = BTreeMap::new();
        for name in ["jsconfig.json", "tsconfig.base.json", "tsconfig.json"] {
            for folder in files.named(name) {
                if folder.split('/').any(|part| part == "node_modules") {
                    continue;
                }
                if let Some(config) = join(folder, name).and_then(|path| read(files, &path, 0))
                    && (config.base.is_some() || !config.paths.is_empty())
                {
                    by_folder.insert(folder.to_owned(), config);
                }
            }
        }
        Self { by_folder }
    }

    /// Returns where a name may lead from a folder; `named` becomes true where a pattern is for it alone.
    pub fn places(&self, folder: &str, name: &str, named: &mut bool) -> Vec<String> {
        let mut at = folder;
        let config = loop {
            if let Some(config) = self.by_folder.get(at) {
                break config;
            }
            if at.is_empty() {
                return Vec::new();
            }
            at = split(at).0;
        };
        let mut places = Vec::new();
        for (base, pattern, targets) in &config.paths {
            let (before, after) = pattern.split_once('*').unwrap_or((pattern.as_str(), ""));
            let star = name.strip_prefix(before).and_then(|rest| rest.strip_suffix(after));
            let Some(star) = star.filter(|star| pattern.contains('*') || star.is_empty()) else { continue };
            *named |= !before.is_empty();
            places.extend(targets.iter().filter_map(|target| join(base, &target.replacen('*', star, 1))));
        }
        places.extend(config.base.as_ref().and_then(|base| join(base, name)));
        places
    }
}

fn read(files: &Files<'_>, path: &str, depth: usize) -> Option<Config> {
    let json: Value = serde_json::from_str(&strict(&files.text(path)?)).ok()?;
    let folder = split(path).0;
    let mut config = Config::default();
    if depth < MAX_DEPTH {
        let extended = match &json["extends"] {
            Value::String(name) => vec![name.as_str()],
            Value::Array(names) => names.iter().filter_map(Value::as_str).collect(),
            _ => Vec::new(),
        };
        for name in extended.into_iter().filter(|name| name.starts_with('.')) {
            let place = join(folder, name)?;
            let found = [place.clone(), format!("{place}.json"), format!("{place}/tsconfig.json")];
            let path = found.into_iter().find(|path| files.find(path).is_some());
            if let Some(before) = path.and_then(|path| read(files, &path, depth + 1)) {
                config = before;
            }
        }
    }
    let options = &json["compilerOptions"];
    if let Some(base) = options["baseUrl"].as_str() {
        config.base = join(folder, base);
    }
    if let Value::Object(paths) = &options["paths"] {
        let base = config.base.clone().unwrap_or_else(|| folder.to_owned());
        let texts = |targets: &Value| {
            targets.as_array().into_iter().flatten().filter_map(Value::as_str).map(str::to_owned).collect()
        };
        config.paths =
            paths.iter().map(|(pattern, targets)| (base.clone(), pattern.clone(), texts(targets))).collect();
    }
    Some(config)
}

/// Returns JSON without comments and without commas before an end.
fn strict(text: &str) -> String {
    let mut out = String::with_capacity(text.len());
    let (mut chars, mut quote) = (text.chars().peekable(), false);
    while let Some(c) = chars.next() {
        match (c, quote) {
            ('\\', true) => {
                out.push(c);
                out.extend(chars.next());
            }
            ('"', _) => {
                quote = !quote;
                out.push(c);
            }
            ('/', false) if chars.peek() == Some(&'/') => {
                while chars.peek().is_some_and(|c| *c != '\n') {
                    chars.next();
                }
            }
            ('/', false) if chars.peek() == Some(&'*') => {
                let mut before = ' ';
                chars.next();
                for c in chars.by_ref() {
                    if before == '*' && c == '/' {
                        break;
                    }
                    before = c;
                }
            }
            ('}' | ']', false) => {
                let end = out.trim_end().len();
                if out[..end].ends_with(',') {
                    out.truncate(end - 1);
                }
                out.push(c);
            }
            (c, _) => out.push(c),
        }
    }
    out
}
