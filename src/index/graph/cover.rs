//! Which tests are for which modules by their names and places.
//!
//! Must never choose between two modules that fit alike.

use std::collections::HashMap;

use super::super::corpus::stem;
use super::files::split;

/// Folders that say what is a test and nothing about what it tests.
const PLACES: &[&str] = &[
    "test",
    "tests",
    "__tests__",
    "spec",
    "specs",
    "src",
    "main",
    "unit",
    "integration",
    "lib",
    "java",
    "kotlin",
    "scala",
];

/// Returns for each test, by its number, the module it is for; paths are of one language each, with whether they are tests.
pub(super) fn by_name(modules: &[(String, usize, bool)]) -> Vec<(u32, u32)> {
    let mut sources: HashMap<(String, usize), Vec<u32>> = HashMap::new();
    for (at, (path, language, test)) in modules.iter().enumerate() {
        if !test && !path.ends_with('/') {
            sources.entry((own_stem(path), *language)).or_default().push(at as u32);
        }
    }
    let mut found = Vec::new();
    for (at, (path, language, _)) in modules.iter().enumerate().filter(|(_, (_, _, test))| *test) {
        let Some(list) = sources.get(&(own_stem(path), *language)) else { continue };
        let own = parts(path);
        let likeness = |module: u32| {
            let other = modules.get(module as usize).map(|(path, ..)| parts(path)).unwrap_or_default();
            let end = own.iter().rev().zip(other.iter().rev()).take_while(|(a, b)| a == b).count();
            let start = own.iter().zip(&other).take_while(|(a, b)| a == b).count();
            (end, start, usize::MAX - other.len())
        };
        let best = list.iter().map(|module| likeness(*module)).max();
        let mut fits = list.iter().filter(|module| Some(likeness(**module)) == best);
        if let (Some(module), None) = (fits.next(), fits.next()) {
            found.push((at as u32, *module));
        }
    }
    found
}

/// Returns what a file is named for: that of its folder where its own name says nothing.
fn own_stem(path: &str) -> String {
    let own = stem(path);
    if matches!(own.as_str(), "mod" | "index" | "init" | "lib" | "main") {
        let folder = split(path).0;
        if !folder.is_empty() {
            return format!("{}/", split(folder).1.to_ascii_lowercase().replace('_', ""));
        }
    }
    own
}

/// Returns the folders of a path that say where in the whole it belongs.
fn parts(path: &str) -> Vec<&str> {
    split(path).0.split('/').filter(|part| !part.is_empty() && !PLACES.contains(part)).collect()
}
