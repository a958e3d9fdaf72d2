//! Python: packages from their roots, the `src` layout, relative imports.
//!
//! Must never take a file of a test's folder for a library of the same name.

use std::collections::HashMap;

use super::super::kind::{Kind, of as kind};
use super::files::{Files, below, join, split};
use super::{Hit, Language, Outline, Resolve};

/// The language.
pub(super) struct Python;

/// Folders that packages are in without saying so.
const ROOTS: &[&str] = &["", "src", "lib", "python"];

impl Language for Python {
    fn endings(&self) -> &'static [&'static str] {
        &["py", "pyi"]
    }

    fn read(&self, text: &str, outline: &mut Outline) {
        let mut open: Option<(String, String)> = None;
        let mut docs: Option<&str> = None;
        for raw in text.lines() {
            let line = raw.trim();
            if let Some(mark) = docs {
                if line.matches(mark).count() % 2 == 1 {
                    docs = None;
                }
                continue;
            }
            docs = ["\"\"\"", "'''"].into_iter().find(|mark| line.matches(mark).count() % 2 == 1);
            let line = line.split(" #").next().unwrap_or_default().trim();
            if let Some((from, names)) = &mut open {
                names.push(' ');
                names.push_str(line.split('#').next().unwrap_or_default());
                if line.contains(')') || names.len() > 8000 || line.starts_with("import ") {
                    statement(from, names, outline);
                    open = None;
                }
                continue;
            }
            if let Some(rest) = line.strip_prefix("import ") {
                for name in rest.split([',', ';']).filter_map(|name| name.split_whitespace().next()) {
                    outline.import(name);
                }
            } else if let Some(rest) = line.strip_prefix("from ")
                && let Some((from, names)) = rest.split_once(" import")
            {
                let (from, names) = (from.trim().to_owned(), names.trim_start());
                if (names.starts_with('(') && !names.contains(')')) || names.ends_with('\\') {
                    open = Some((from, names.trim_end_matches('\\').to_owned()));
                    if !names.starts_with('(') {
                        // One more line and no bracket: it ends there.
                        if let Some((_, names)) = &mut open {
                            names.insert(0, '(');
                        }
                    }
                } else {
                    statement(&from, names, outline);
                }
            }
        }
    }

    fn resolver<'a>(&self, files: &'a Files<'a>) -> Box<dyn Resolve + 'a> {
        Box::new(Packages::of(files))
    }
}

fn statement(from: &str, names: &str, outline: &mut Outline) {
    if from.contains(char::is_whitespace) {
        return;
    }
    let names = names.trim_matches(|c: char| matches!(c, '(' | ')' | ' ' | ';'));
    for name in names.split(',').filter_map(|name| name.split_whitespace().next()) {
        let plain = name.chars().all(|c| c.is_alphanumeric() || c == '_');
        outline.import(if plain { format!("{from}:{name}") } else { format!("{from}:") });
    }
}

/// Where packages begin.
struct Packages<'a> {
    files: &'a Files<'a>,
    /// For the first part of a name, the folders that hold it.
    roots: HashMap<String, Vec<String>>,
}

impl<'a> Packages<'a> {
    fn of(files: &'a Files<'a>) -> Self {
        let mut roots: HashMap<String, Vec<String>> = HashMap::new();
        let mut add = |top: &str, root: &str| {
            let known = roots.entry(top.to_owned()).or_default();
            if !known.iter().any(|known| known == root) {
                known.push(root.to_owned());
            }
        };
        for (_, path) in files.ending(Python.endings()) {
            let (folder, name) = split(path);
            if name.starts_with("__init__.") {
                let parent = split(folder).0;
                let within = ["py", "pyi"].iter().any(|end| {
                    let init = if parent.is_empty() {
                        format!("__init__.{end}")
                    } else {
                        format!("{parent}/__init__.{end}")
                    };
                    files.find(&init).is_some()
                });
                if !within && !folder.is_empty() {
                    add(split(folder).1, parent);
                }
            }
            for root in ROOTS.iter().filter(|root| below(root, path)) {
                let rest = path.get(root.len()..).unwrap_or_default().trim_start_matches('/');
                let (top, more) = rest.split_once('/').unwrap_or((rest, ""));
                let top = if more.is_empty() { top.split('.').next().unwrap_or_default() } else { top };
                add(top, root);
            }
        }
        for list in roots.values_mut() {
            list.sort_by_key(|root| std::cmp::Reverse(root.len()));
        }
        Self { files, roots }
    }

    /// Returns the file of a module below a folder: what a name of it is, else itself.
    fn module(&self, folder: &str, module: &str, name: Option<&str>) -> Option<u32> {
        let place = join(folder, &module.replace('.', "/"))?;
        let at = |place: &str| {
            let slash = if place.is_empty() { "" } else { "/" };
            [
                format!("{place}.py"),
                format!("{place}{slash}__init__.py"),
                format!("{place}.pyi"),
                format!("{place}{slash}__init__.pyi"),
            ]
            .iter()
            .find_map(|path| self.files.find(path))
        };
        let inner = name.filter(|name| !name.is_empty()).and_then(|name| at(&join(&place, name)?));
        inner.or_else(|| at(&place))
    }
}

impl Resolve for Packages<'_> {
    fn resolve(&self, from: u32, import: &str) -> Hit {
        let path = self.files.path(from);
        let folder = split(path).0;
        let (module, name) =
            import.split_once(':').map_or((import, None), |(module, name)| (module, Some(name)));
        let dots = module.len() - module.trim_start_matches('.').len();
        if dots > 0 {
            let base = (1..dots).try_fold(folder, |folder, _| (!folder.is_empty()).then(|| split(folder).0));
            let found = base.and_then(|base| self.module(base, &module[dots..], name));
            return Hit::of(found.into_iter().collect());
        }
        let top = module.split('.').next().unwrap_or_default();
        // A script finds what lies beside it.
        let beside = self.module(folder, top, None).filter(|file| *file != from);
        let roots = self.roots.get(top).map_or(&[][..], Vec::as_slice);
        let near: Vec<&String> = roots.iter().filter(|root| below(root, path)).collect();
        if let Some(found) = near.iter().find_map(|root| self.module(root, module, name)) {
            return Hit::Files(vec![found]);
        }
        if beside.is_some() && !self.is_package(folder) {
            return Hit::of(self.module(folder, module, name).into_iter().collect());
        }
        let foreign =
            |root: &str| matches!(kind(&format!("{root}/x.py")), Kind::Test | Kind::Vendored | Kind::Docs);
        let far: Vec<&String> =
            roots.iter().filter(|root| !below(root, path) && (root.is_empty() || !foreign(root))).collect();
        if near.is_empty() && far.is_empty() {
            return Hit::Outside;
        }
        let mut found: Vec<u32> = far.iter().filter_map(|root| self.module(root, module, name)).collect();
        found.dedup();
        Hit::of(found)
    }
}

impl Packages<'_> {
    fn is_package(&self, folder: &str) -> bool {
        join(folder, "__init__.py").is_some_and(|path| self.files.find(&path).is_some())
    }
}
