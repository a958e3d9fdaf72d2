//! Go: packages are folders, named from the module of the nearest `go.mod`.
//!
//! Must never look at `vendor`: what is kept there is somebody else's.

use std::collections::HashMap;

use super::super::kind::{Kind, of as kind};
use super::files::{Files, split};
use super::outline::quoted;
use super::{Hit, Language, Outline, Resolve};

/// The language.
pub(super) struct Go;

impl Language for Go {
    fn endings(&self) -> &'static [&'static str] {
        &["go"]
    }

    fn by_folder(&self) -> bool {
        true
    }

    fn read(&self, text: &str, outline: &mut Outline) {
        let mut block = false;
        for line in text.lines().map(str::trim) {
            let word = line.split(|c: char| !c.is_alphanumeric()).next().unwrap_or_default();
            if block {
                block = !line.starts_with(')');
                if !line.starts_with("//")
                    && let Some(name) = quoted(line)
                {
                    outline.import(name);
                }
            } else if word == "import" {
                block = line.contains('(') && !line.contains(')');
                if let Some(name) = quoted(line) {
                    outline.import(name);
                }
            } else if word == "package" {
                line.split_whitespace().nth(1).unwrap_or_default().clone_into(&mut outline.package);
            } else if matches!(word, "func" | "type" | "var" | "const") {
                // Imports come before all else.
                break;
            }
        }
    }

    fn resolver<'a>(&self, files: &'a Files<'a>) -> Box<dyn Resolve + 'a> {
        let mut modules: Vec<(String, String)> = Vec::new();
        for folder in files.named("go.mod") {
            let path = if folder.is_empty() { "go.mod".to_owned() } else { format!("{folder}/go.mod") };
            let text = files.text(&path).unwrap_or_default();
            let module = text.lines().find_map(|line| line.trim().strip_prefix("module "));
            if let Some(name) =
                module.map(|name| name.trim().trim_matches('"')).filter(|name| !name.is_empty())
            {
                modules.push((name.to_owned(), folder.to_owned()));
            }
        }
        modules.sort_by_key(|(name, _)| std::cmp::Reverse(name.len()));
        let mut folders: HashMap<&str, u32> = HashMap::new();
        for (file, path) in files.ending(&["go"]) {
            if !path.ends_with("_test.go") && kind(path) != Kind::Vendored {
                folders.entry(split(path).0).or_insert(file);
            }
        }
        Box::new(Modules { modules, folders })
    }
}

struct Modules<'a> {
    /// Names of modules with their folders, the longest name first.
    modules: Vec<(String, String)>,
    /// A file of each package.
    folders: HashMap<&'a str, u32>,
}

impl Resolve for Modules<'_> {
    fn resolve(&self, _: u32, name: &str) -> Hit {
        let module = self.modules.iter().find_map(|(module, folder)| {
            let rest = name.strip_prefix(module.as_str())?;
            (rest.is_empty() || rest.starts_with('/')).then(|| (folder, rest.trim_start_matches('/')))
        });
        let Some((folder, rest)) = module else { return Hit::Outside };
        let place = match (folder.as_str(), rest) {
            ("", rest) => rest.to_owned(),
            (folder, "") => folder.to_owned(),
            (folder, rest) => format!("{folder}/{rest}"),
        };
        Hit::of(self.folders.get(place.as_str()).copied().into_iter().collect())
    }
}
