//! Rust: `crate::`, `super::` and `self::` within a crate, crates of the same repository, paths that are written out.
//!
//! Must never take a declaration `mod x;` for an import: that a file is there does not mean that it is used.

use std::cell::RefCell;
use std::collections::{BTreeSet, HashMap};
use std::rc::Rc;

use super::files::{Files, join, split};
use super::{Hit, Language, Outline, Resolve};

/// The language.
pub(super) struct Rust;

/// Paths that are written out of a file, besides its `use` statements.
const MAX_PATHS: usize = 200;
/// The longest statement.
const MAX_STATEMENT: usize = 20_000;

impl Language for Rust {
    fn endings(&self) -> &'static [&'static str] {
        &["rs"]
    }

    fn read(&self, text: &str, outline: &mut Outline) {
        let mut open: Option<(usize, String)> = None;
        // Modules within the file that are open, by how far they are indented.
        let mut inner: Vec<usize> = Vec::new();
        let mut paths = BTreeSet::new();
        for raw in text.lines() {
            let line = raw.trim();
            if line.is_empty() || line.starts_with("//") {
                continue;
            }
            if let Some((depth, statement)) = &mut open {
                statement.push_str(line.split("//").next().unwrap_or_default());
                if statement.contains(';') || statement.len() > MAX_STATEMENT {
                    used(statement, *depth, outline);
                    open = None;
                }
                continue;
            }
            let indent = raw.len() - raw.trim_start().len();
            inner.retain(|open| indent > *open);
            let bare = visible(line);
            if let Some(rest) = bare.strip_prefix("mod ")
                && rest.contains('{')
                && !rest.contains('}')
            {
                inner.push(indent);
            } else if let Some(rest) = bare.strip_prefix("use ") {
                let statement = rest.split("//").next().unwrap_or_default().to_owned();
                if statement.contains(';') {
                    used(&statement, inner.len(), outline);
                } else {
                    open = Some((inner.len(), statement));
                }
            } else if paths.len() < MAX_PATHS {
                written(line, inner.len(), &mut paths);
            }
        }
        for path in paths {
            outline.import(path);
        }
    }

    fn resolver<'a>(&self, files: &'a Files<'a>) -> Box<dyn Resolve + 'a> {
        Box::new(Crates::of(files))
    }
}

/// Returns a line without what says who may see it.
fn visible(line: &str) -> &str {
    let Some(rest) = line.strip_prefix("pub") else { return line };
    match rest.strip_prefix('(') {
        Some(rest) => rest.split_once(')').map_or(line, |(_, rest)| rest.trim_start()),
        None => rest.strip_prefix(' ').map_or(line, str::trim_start),
    }
}

/// Adds the paths of a `use` statement, braces expanded.
fn used(statement: &str, depth: usize, outline: &mut Outline) {
    let text: String =
        statement.split(';').next().unwrap_or_default().split_whitespace().collect::<Vec<_>>().join(" ");
    let mut stack: Vec<String> = vec![String::new()];
    let mut part = String::new();
    let end = |part: &mut String, prefix: &str, outline: &mut Outline| {
        let name = part.split(" as ").next().unwrap_or_default().trim().to_owned();
        if !name.is_empty() {
            outline.import(outward(&format!("{prefix}{name}"), depth));
        }
        part.clear();
    };
    for c in text.chars() {
        let prefix = stack.last().cloned().unwrap_or_default();
        match c {
            '{' => {
                stack.push(format!("{prefix}{}", part.trim()));
                part.clear();
            }
            ',' => end(&mut part, &prefix, outline),
            '}' => {
                end(&mut part, &prefix, outline);
                if stack.len() > 1 {
                    stack.pop();
                }
            }
            c => part.push(c),
        }
        if stack.len() > 32 {
            return;
        }
    }
    let prefix = stack.last().cloned().unwrap_or_default();
    end(&mut part, &prefix, outline);
}

/// Returns a path as the file itself would write it: `super::` within a module of the file is the file.
fn outward(path: &str, depth: usize) -> String {
    let mut rest = path.trim_start_matches("::");
    let mut left = depth;
    while left > 0 {
        let Some(shorter) = rest.strip_prefix("super::") else { break };
        rest = shorter;
        left -= 1;
    }
    if rest.len() < path.len() && left == 0 && !rest.starts_with("super::") {
        format!("self::{rest}")
    } else {
        rest.to_owned()
    }
}

/// Adds the paths of a line that begin with a small letter, as `crate::a::b` or `module::function`.
fn written(line: &str, depth: usize, paths: &mut BTreeSet<String>) {
    let mut rest = line;
    while let Some(at) = rest.find("::") {
        let start =
            rest[..at].rfind(|c: char| !(c.is_ascii_alphanumeric() || c == '_')).map_or(0, |at| at + 1);
        let tail = &rest[at..];
        let length =
            tail.find(|c: char| !(c.is_ascii_alphanumeric() || matches!(c, '_' | ':'))).unwrap_or(tail.len());
        let path = rest[start..at + length].trim_end_matches(':');
        let quoted = rest[..start].matches('"').count() % 2 == 1;
        let std = ["std::", "core::", "alloc::"].iter().any(|name| path.starts_with(name));
        if !quoted && !std && path.starts_with(|c: char| c.is_ascii_lowercase()) && paths.len() < MAX_PATHS {
            let parts: Vec<&str> = path.split("::").take(4).collect();
            if parts.len() > 1 {
                paths.insert(format!("~{}", outward(&parts.join("::"), depth)));
            }
        }
        rest = &rest[at + length.max(2)..];
    }
}

/// A crate: its name as it is imported, the folder of its root and the file of it.
struct Crate {
    folder: String,
    root: u32,
}

/// Where a file is: the root file of its crate, and the folder of its own modules.
#[derive(Clone, Debug, Default)]
struct Place {
    root: String,
    own: String,
}

struct Crates<'a> {
    files: &'a Files<'a>,
    /// The place of the file that was asked for last: its imports come one after the other.
    last: RefCell<Option<(u32, Rc<Place>)>>,
    by_name: HashMap<String, Crate>,
    /// Folders with a `Cargo.toml`, the deepest first.
    folders: Vec<&'a str>,
}

impl<'a> Crates<'a> {
    fn of(files: &'a Files<'a>) -> Self {
        let folders = files.named("Cargo.toml");
        let mut by_name = HashMap::new();
        for folder in &folders {
            let Some(text) = join(folder, "Cargo.toml").and_then(|path| files.text(&path)) else { continue };
            let Ok(table) = text.parse::<toml::Table>() else { continue };
            let text =
                |part: &str, key: &str| table.get(part)?.as_table()?.get(key)?.as_str().map(str::to_owned);
            let Some(name) = text("lib", "name").or_else(|| text("package", "name")) else { continue };
            let path = text("lib", "path").unwrap_or_else(|| "src/lib.rs".into());
            if let Some(path) = join(folder, &path)
                && let Some(root) = files.find(&path)
            {
                let of = Crate { folder: split(&path).0.to_owned(), root };
                // What stands in for the standard library somewhere is not what everybody means.
                if !matches!(name.as_str(), "std" | "core" | "alloc" | "test") {
                    by_name.entry(name.replace('-', "_")).or_insert(of);
                }
            }
        }
        Self { files, last: RefCell::new(None), by_name, folders }
    }

    fn place(&self, file: u32) -> Rc<Place> {
        let mut last = self.last.borrow_mut();
        if let Some((_, place)) = last.as_ref().filter(|(of, _)| *of == file) {
            return Rc::clone(place);
        }
        let path = self.files.path(file);
        let root = self.root(path);
        let own = Self::own_folder(path, &root);
        let place = Rc::new(Place { root, own });
        *last = Some((file, Rc::clone(&place)));
        place
    }

    /// Returns the folder a file's own modules are in.
    fn own_folder(path: &str, root: &str) -> String {
        let (folder, name) = split(path);
        let stem = name.trim_end_matches(".rs");
        if path == root || matches!(stem, "mod" | "lib" | "main") {
            folder.to_owned()
        } else {
            join(folder, stem).unwrap_or_default()
        }
    }

    /// Returns the root file of the crate a file is of; a file of `tests`, `benches` or `examples` is its own.
    fn root(&self, path: &str) -> String {
        let folder =
            self.folders.iter().find(|folder| super::files::below(folder, path)).copied().unwrap_or_default();
        let inside = path.get(folder.len()..).unwrap_or_default().trim_start_matches('/');
        let parts: Vec<&str> = inside.split('/').collect();
        let place = |inner: &str| join(folder, inner).unwrap_or_default();
        match parts.as_slice() {
            ["src", "bin", _] | ["tests" | "benches" | "examples", _] => path.to_owned(),
            ["src", "bin", name, ..] => place(&format!("src/bin/{name}/main.rs")),
            [kind @ ("tests" | "benches" | "examples"), name, ..] => {
                let main = place(&format!("{kind}/{name}/main.rs"));
                if self.files.find(&main).is_some() { main } else { place(&format!("{kind}/{name}.rs")) }
            }
            _ => {
                let of = self.by_name.values().find(|of| of.folder == place("src") || of.folder == folder);
                let lib = of.map(|of| self.files.path(of.root).to_owned());
                let main = place("src/main.rs");
                match lib {
                    Some(lib) => lib,
                    None if self.files.find(&main).is_some() => main,
                    None => place("src/lib.rs"),
                }
            }
        }
    }

    /// Returns the file of the longest beginning of a path that is a module below a folder.
    fn longest(&self, folder: &str, parts: &[&str]) -> Option<u32> {
        // One text for all that is looked for: there are tens of thousands of imports.
        let mut path = join(folder, &parts.join("/"))?;
        for part in parts.iter().rev() {
            let length = path.len();
            for end in [".rs", "/mod.rs"] {
                path.push_str(end);
                if let Some(file) = self.files.find(&path) {
                    return Some(file);
                }
                path.truncate(length);
            }
            path.truncate(path.strip_suffix(part)?.trim_end_matches('/').len());
        }
        None
    }

    /// Returns the file whose own modules are in a folder.
    fn file_of(&self, folder: &str, root: &str) -> Option<u32> {
        let names = ["mod.rs", "lib.rs", "main.rs"];
        let root_here = (split(root).0 == folder).then(|| self.files.find(root)).flatten();
        root_here
            .or_else(|| self.files.find(&format!("{folder}.rs")))
            .or_else(|| names.iter().find_map(|name| self.files.find(&join(folder, name)?)))
    }
}

impl Resolve for Crates<'_> {
    fn resolve(&self, from: u32, import: &str) -> Hit {
        let path = import.trim_start_matches('~');
        let parts: Vec<&str> = path.split("::").filter(|part| !part.is_empty() && *part != "*").collect();
        let Some((first, rest)) = parts.split_first() else { return Hit::Outside };
        let place = self.place(from);
        let (root, own) = (place.root.as_str(), place.own.as_str());
        let one = |file: Option<u32>| Hit::of(file.into_iter().collect());
        match *first {
            "crate" => {
                let folder = split(root).0;
                one(self.longest(folder, rest).or_else(|| self.files.find(root)))
            }
            "self" => one(self.longest(own, rest).or(Some(from))),
            "super" => {
                let (mut folder, mut rest) = (split(own).0.to_owned(), rest);
                while let Some((&"super", more)) = rest.split_first() {
                    (folder, rest) = (split(&folder).0.to_owned(), more);
                }
                one(self.longest(&folder, rest).or_else(|| self.file_of(&folder, root)))
            }
            name => {
                // Most names are of libraries: only where there is such a child it is looked further.
                if self.longest(own, &parts[..1]).is_some()
                    && let Some(found) = self.longest(own, &parts)
                {
                    return Hit::Files(vec![found]);
                }
                self.by_name.get(name).map_or(Hit::Outside, |of| {
                    Hit::Files(vec![self.longest(&of.folder, rest).unwrap_or(of.root)])
                })
            }
        }
    }
}
