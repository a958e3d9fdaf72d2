//! C and its kin, Ruby, PHP: includes and names that end like a path.
//!
//! Must never take an end of a path that several files have for one of them.

use std::collections::HashMap;

use super::files::{Files, bare, join, split};
use super::outline::quoted;
use super::{Hit, Language, Outline, Resolve};

/// C, C++, Objective-C.
pub(super) struct C;
/// Ruby.
pub(super) struct Ruby;
/// PHP.
pub(super) struct Php;

impl Language for C {
    fn endings(&self) -> &'static [&'static str] {
        &["c", "cc", "cpp", "cxx", "h", "hh", "hpp", "hxx", "inl", "m", "mm"]
    }

    fn read(&self, text: &str, outline: &mut Outline) {
        for line in text.lines().map(str::trim) {
            let rest =
                line.strip_prefix('#').map(str::trim_start).and_then(|rest| rest.strip_prefix("include"));
            let Some(rest) = rest.map(str::trim_start) else { continue };
            if let Some(name) = quoted(rest).filter(|_| rest.starts_with('"')) {
                outline.import(format!("./{name}"));
            } else if let Some(name) = rest.strip_prefix('<').and_then(|rest| rest.split_once('>')) {
                outline.import(name.0);
            }
        }
    }

    fn resolver<'a>(&self, files: &'a Files<'a>) -> Box<dyn Resolve + 'a> {
        Box::new(Ends::of(files, self.endings(), true, Vec::new()))
    }
}

impl Language for Ruby {
    fn endings(&self) -> &'static [&'static str] {
        &["rb", "rake"]
    }

    fn read(&self, text: &str, outline: &mut Outline) {
        for line in text.lines().map(str::trim) {
            let name = |rest: &str| quoted(rest).filter(|name| !name.contains("#{")).map(str::to_owned);
            if let Some(rest) = line.strip_prefix("require_relative") {
                if let Some(name) = name(rest) {
                    outline.import(format!("./{name}"));
                }
            } else if let Some(rest) = line.strip_prefix("require ").or_else(|| line.strip_prefix("require("))
                && let Some(name) = name(rest)
            {
                outline.import(name);
            }
        }
    }

    fn resolver<'a>(&self, files: &'a Files<'a>) -> Box<dyn Resolve + 'a> {
        Box::new(Ends::of(files, self.endings(), false, Vec::new()))
    }
}

impl Language for Php {
    fn endings(&self) -> &'static [&'static str] {
        &["php"]
    }

    fn read(&self, text: &str, outline: &mut Outline) {
        for line in text.lines().map(str::trim) {
            if let Some(rest) = line.strip_prefix("use ") {
                let rest = rest.trim_start_matches("function ").trim_start_matches("const ");
                let name = rest.split([';', ' ', '{']).next().unwrap_or_default().trim_matches('\\');
                if name.contains('\\') {
                    outline.import(name.replace('\\', "/"));
                }
            } else if ["require", "include"].iter().any(|word| line.starts_with(word))
                && let Some((_, rest)) = line.split_once("__DIR__")
                && let Some(name) = quoted(rest)
            {
                outline.import(format!("./{}", name.trim_start_matches('/')));
            }
        }
    }

    fn resolver<'a>(&self, files: &'a Files<'a>) -> Box<dyn Resolve + 'a> {
        Box::new(Ends::of(files, self.endings(), false, psr4(files)))
    }
}

/// Returns the beginnings of names that a `composer.json` gives folders to, the longest first.
fn psr4(files: &Files<'_>) -> Vec<(String, String)> {
    let mut found = Vec::new();
    for folder in files.named("composer.json") {
        let text = join(folder, "composer.json").and_then(|path| files.text(&path)).unwrap_or_default();
        let Ok(json) = serde_json::from_str::<serde_json::Value>(&text) else { continue };
        for part in ["autoload", "autoload-dev"] {
            for (name, places) in json[part]["psr-4"].as_object().into_iter().flatten() {
                let places = places.as_array().map_or_else(|| vec![places], |list| list.iter().collect());
                for place in places.into_iter().filter_map(|place| join(folder, place.as_str()?)) {
                    found.push((name.replace('\\', "/"), place));
                }
            }
        }
    }
    found.sort_by_key(|(name, _)| std::cmp::Reverse(name.len()));
    found
}

/// Files by the last part of their paths.
struct Ends<'a> {
    files: &'a Files<'a>,
    by_name: HashMap<&'a str, Vec<u32>>,
    /// Whether names have their endings.
    whole: bool,
    endings: &'a [&'a str],
    roots: Vec<(String, String)>,
}

impl<'a> Ends<'a> {
    fn of(
        files: &'a Files<'a>,
        endings: &'static [&'static str],
        whole: bool,
        roots: Vec<(String, String)>,
    ) -> Self {
        let mut by_name: HashMap<&str, Vec<u32>> = HashMap::new();
        for (file, path) in files.ending(endings) {
            let path = if whole { path } else { bare(path) };
            by_name.entry(split(path).1).or_default().push(file);
        }
        Self { files, by_name, whole, endings, roots }
    }

    fn exact(&self, place: &str) -> Option<u32> {
        self.files.find(place).or_else(|| {
            self.endings
                .iter()
                .filter(|_| !self.whole)
                .find_map(|end| self.files.find(&format!("{place}.{end}")))
        })
    }
}

impl Resolve for Ends<'_> {
    fn resolve(&self, from: u32, name: &str) -> Hit {
        let near = name.strip_prefix("./");
        let name = near.unwrap_or(name);
        let folder = split(self.files.path(from)).0;
        if near.is_some()
            && let Some(found) = join(folder, name).and_then(|place| self.exact(&place))
        {
            return Hit::Files(vec![found]);
        }
        let mut named = false;
        for (start, place) in &self.roots {
            let Some(rest) = name.strip_prefix(start.as_str()) else { continue };
            named = true;
            if let Some(found) = join(place, rest).and_then(|place| self.exact(&place)) {
                return Hit::Files(vec![found]);
            }
        }
        // A name without a folder is that of a library as likely as not.
        if near.is_none() && !name.contains('/') {
            return Hit::Outside;
        }
        let name = name.trim_start_matches("../");
        let found: Vec<u32> = self.by_name.get(split(name).1).map_or_else(Vec::new, |list| {
            let ends = |file: &&u32| {
                let path = self.files.path(**file);
                let path = if self.whole { path } else { bare(path) };
                path.strip_suffix(name).is_some_and(|rest| rest.is_empty() || rest.ends_with('/'))
            };
            list.iter().filter(ends).copied().collect()
        });
        match Hit::of(found) {
            Hit::Nowhere if near.is_none() && !named => Hit::Outside,
            hit => hit,
        }
    }
}
