//! Java, Kotlin, Scala and Groovy: what a file is of is what its `package` line says, wherever it lies.
//!
//! Must never take a name for that of a file where two packages could be meant.

use std::collections::{BTreeSet, HashMap};

use super::files::{Files, bare, split};
use super::{Hit, Language, Outline, Resolve};

/// The languages.
pub(super) struct Jvm;

/// Names of its own package that are kept of a file.
const MAX_USED: usize = 48;

impl Language for Jvm {
    fn endings(&self) -> &'static [&'static str] {
        &["java", "kt", "kts", "scala", "groovy"]
    }

    fn by_name(&self) -> bool {
        true
    }

    fn read(&self, text: &str, outline: &mut Outline) {
        let mut comment = false;
        let mut used = BTreeSet::new();
        for line in text.lines().map(str::trim) {
            if comment || line.starts_with("/*") {
                comment = !line.contains("*/");
                continue;
            }
            if line.starts_with("//") || line.starts_with('*') || line.is_empty() {
                continue;
            }
            let end = |text: &str| text.split([';', ' ']).next().unwrap_or_default().to_owned();
            if let Some(name) = line.strip_prefix("package ") {
                if outline.package.is_empty() {
                    outline.package = end(name.trim());
                }
            } else if let Some(rest) = line.strip_prefix("import ") {
                imported(rest.trim_start_matches("static ").trim(), outline);
            } else if used.len() < MAX_USED {
                uses(line, &mut used);
            }
        }
        let known: BTreeSet<&str> =
            outline.imports.iter().filter_map(|name| name.rsplit('.').next()).collect();
        let own: Vec<String> =
            used.iter().filter(|name| !known.contains(*name)).map(|name| format!("~{name}")).collect();
        for name in own {
            outline.import(name);
        }
    }

    fn resolver<'a>(&self, files: &'a Files<'a>) -> Box<dyn Resolve + 'a> {
        let mut types: HashMap<(&str, &str), Vec<u32>> = HashMap::new();
        let mut packages: HashMap<&str, Vec<u32>> = HashMap::new();
        for (file, path) in files.ending(Jvm.endings()) {
            let Some(outline) = files.outlines.get(file as usize).and_then(Option::as_ref) else { continue };
            let package = outline.package.as_str();
            packages.entry(package).or_default().push(file);
            let mut names: BTreeSet<&str> = outline.symbols.iter().map(|(name, _)| name.as_str()).collect();
            names.insert(split(bare(path)).1);
            for name in names {
                types.entry((package, name)).or_default().push(file);
            }
        }
        Box::new(Types { files, by_name: types, packages })
    }
}

fn imported(rest: &str, outline: &mut Outline) {
    let rest = rest.split(';').next().unwrap_or_default().trim();
    if let Some((package, names)) = rest.split_once('{') {
        // Scala names several at once.
        for name in names.trim_end_matches('}').split(',').filter_map(|name| name.split_whitespace().next()) {
            outline.import(format!("{package}{}", name.replace('_', "*")));
        }
        return;
    }
    let name = rest.split_whitespace().next().unwrap_or_default();
    outline.import(if let Some(package) = name.strip_suffix("._") {
        format!("{package}.*")
    } else {
        name.to_owned()
    });
}

/// Adds the names of a line that look like those of types.
fn uses<'t>(line: &'t str, used: &mut BTreeSet<&'t str>) {
    let mut before = ' ';
    for word in line.split_inclusive(|c: char| !(c.is_alphanumeric() || c == '_')) {
        let name = word.trim_end_matches(|c: char| !(c.is_alphanumeric() || c == '_'));
        let cased = name.len() > 2
            && name.starts_with(|c: char| c.is_ascii_uppercase())
            && name.contains(|c: char| c.is_ascii_lowercase());
        // What follows a dot or a quote is of something else.
        if cased && !matches!(before, '.' | '"' | '@') && used.len() < MAX_USED {
            used.insert(name);
        }
        before = word.chars().next_back().unwrap_or(' ');
    }
}

struct Types<'a> {
    files: &'a Files<'a>,
    by_name: HashMap<(&'a str, &'a str), Vec<u32>>,
    packages: HashMap<&'a str, Vec<u32>>,
}

impl Types<'_> {
    fn named(&self, package: &str, name: &str, from: u32) -> Option<Hit> {
        let found = self.by_name.get(&(package, name))?;
        if found.len() > 1 {
            // The same name in main and test sources, or for several targets: the one of the same root is meant.
            let root = |file: u32| {
                let folder = split(self.files.path(file)).0;
                folder.strip_suffix(package.replace('.', "/").as_str()).unwrap_or(folder).to_owned()
            };
            let own = root(from);
            let near: Vec<u32> = found.iter().copied().filter(|file| root(*file) == own).collect();
            if near.len() == 1 {
                return Some(Hit::Files(near));
            }
        }
        Some(Hit::of(found.clone()))
    }
}

impl Resolve for Types<'_> {
    fn resolve(&self, from: u32, import: &str) -> Hit {
        if let Some(name) = import.strip_prefix('~') {
            let outline = self.files.outlines.get(from as usize).and_then(Option::as_ref);
            let package = outline.map_or("", |outline| outline.package.as_str());
            return self.named(package, name, from).unwrap_or(Hit::Outside);
        }
        if let Some(package) = import.strip_suffix(".*") {
            // All of a package, or all within a type.
            if let Some(files) = self.packages.get(package) {
                return Hit::Files(files.clone());
            }
            let (outer, name) = package.rsplit_once('.').unwrap_or(("", package));
            return self.named(outer, name, from).unwrap_or(Hit::Outside);
        }
        let mut rest = import;
        let mut inside = false;
        while let Some((package, name)) = rest.rsplit_once('.') {
            inside |= self.packages.contains_key(package);
            if let Some(hit) = self.named(package, name, from) {
                return hit;
            }
            rest = package;
        }
        if inside { Hit::Nowhere } else { Hit::Outside }
    }
}
