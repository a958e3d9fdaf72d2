//! What depends on what: imports resolved to files, tests of a file, and what a change of files may reach.
//!
//! Must never run anything and never claim to be whole: it reads lines, and an import it cannot resolve is no edge.

mod imports;

use std::collections::{BTreeSet, HashMap};

use super::kind::{self, Kind};

pub use imports::Guess;

/// The files of a tree with what each imports.
#[derive(Clone, Debug, Default)]
pub struct Graph {
    files: Vec<(String, Kind)>,
    by_path: HashMap<String, u32>,
    importers: Vec<Vec<u32>>,
    imports: Vec<Vec<u32>>,
}

/// What a change of files may reach.
#[derive(Clone, Debug, Default, PartialEq, Eq, serde::Serialize)]
pub struct Reach {
    /// Files that import one of them.
    pub direct: Vec<String>,
    /// Files that import those, and so on.
    pub transitive: Vec<String>,
    /// Tests among them, and tests that carry the name of one.
    pub tests: Vec<String>,
}

/// An import that fits more files than this says nothing.
const MAX_FITS: usize = 3;

impl Graph {
    /// Builds the graph of files and their texts; files without a text have no imports.
    pub fn of<'a>(files: impl Iterator<Item = (&'a str, Option<&'a str>)>) -> Self {
        let mut graph = Self::default();
        let mut guesses = Vec::new();
        for (path, text) in files {
            graph.by_path.insert(path.to_owned(), graph.files.len() as u32);
            graph.files.push((path.to_owned(), kind::of(path)));
            guesses.push(text.map(|text| imports::of(path, text)).unwrap_or_default());
        }
        let ends = Ends::of(&graph.files);
        graph.importers = vec![Vec::new(); graph.files.len()];
        for (at, guesses) in guesses.iter().enumerate() {
            let mut found = BTreeSet::new();
            for guess in guesses {
                found.extend(graph.resolve(&ends, at, guess));
            }
            found.remove(&(at as u32));
            for file in &found {
                graph.importers[*file as usize].push(at as u32);
            }
            graph.imports.push(found.into_iter().collect());
        }
        graph
    }

    fn resolve(&self, ends: &Ends, from: usize, guess: &Guess) -> Vec<u32> {
        let path = &self.files[from].0;
        match guess {
            Guess::Near(name) => {
                let folder = path.rsplit_once('/').map_or("", |(folder, _)| folder);
                let Some(place) = join(folder, name) else { return Vec::new() };
                let language = path.rsplit_once('.').map_or("", |(_, end)| end);
                // A TypeScript file may be named by the ending it is compiled to.
                let bare = place.strip_suffix(".js").or_else(|| place.strip_suffix(".jsx")).unwrap_or(&place);
                let found = std::iter::once(place.clone())
                    .chain(within(&place, language))
                    .chain(within(bare, language))
                    .find_map(|path| self.by_path.get(&path));
                found.copied().into_iter().collect()
            }
            Guess::Anywhere(name) => ends.files(&self.files, name, path),
            Guess::Folder(name) => ends.folder(name),
        }
    }

    /// Returns the files a file imports.
    pub fn imports(&self, path: &str) -> Vec<&str> {
        self.named(path, &self.imports)
    }

    /// Returns the files that import a file.
    pub fn importers(&self, path: &str) -> Vec<&str> {
        self.named(path, &self.importers)
    }

    fn named(&self, path: &str, edges: &[Vec<u32>]) -> Vec<&str> {
        let list = self.by_path.get(path).map(|at| edges[*at as usize].as_slice()).unwrap_or_default();
        list.iter().map(|at| self.files[*at as usize].0.as_str()).collect()
    }

    /// Returns what a change of files may reach; files it does not know reach nothing.
    pub fn reach(&self, changed: &[&str]) -> Reach {
        let start: BTreeSet<u32> =
            changed.iter().filter_map(|path| self.by_path.get(*path)).copied().collect();
        let importers = |of: &BTreeSet<u32>| -> BTreeSet<u32> {
            of.iter().flat_map(|at| &self.importers[*at as usize]).copied().collect()
        };
        let direct: BTreeSet<u32> = importers(&start).difference(&start).copied().collect();
        let mut all: BTreeSet<u32> = start.union(&direct).copied().collect();
        let mut edge = direct.clone();
        while !edge.is_empty() {
            edge = importers(&edge).difference(&all).copied().collect();
            all.extend(&edge);
        }
        let stems: BTreeSet<String> =
            start.iter().map(|at| super::corpus::stem(&self.files[*at as usize].0)).collect();
        let is_test = |at: u32| self.files[at as usize].1 == Kind::Test;
        let by_name = (0..self.files.len() as u32)
            .filter(|at| is_test(*at) && stems.contains(&super::corpus::stem(&self.files[*at as usize].0)));
        let tests: BTreeSet<u32> = all.iter().copied().filter(|at| is_test(*at)).chain(by_name).collect();
        let names = |list: &mut dyn Iterator<Item = u32>| {
            let mut names: Vec<String> = list.map(|at| self.files[at as usize].0.clone()).collect();
            names.sort();
            names
        };
        Reach {
            direct: names(&mut direct.iter().copied()),
            transitive: names(
                &mut all.iter().copied().filter(|at| !start.contains(at) && !direct.contains(at)),
            ),
            tests: names(&mut tests.into_iter()),
        }
    }
}

/// Returns the paths a name without an ending may stand for.
fn within(place: &str, language: &str) -> Vec<String> {
    let ends: &[&str] = match language {
        "js" | "jsx" | "ts" | "tsx" | "mjs" | "cjs" | "mts" | "cts" | "vue" | "svelte" => &[
            ".ts",
            ".tsx",
            ".js",
            ".jsx",
            ".mts",
            ".mjs",
            ".vue",
            ".svelte",
            "/index.ts",
            "/index.tsx",
            "/index.js",
        ],
        "rs" => &[".rs", "/mod.rs"],
        "py" | "pyi" => &[".py", "/__init__.py", ".pyi"],
        "rb" => &[".rb"],
        _ => &[],
    };
    ends.iter().map(|end| format!("{place}{end}")).collect()
}

/// Joins a folder and a relative path; nothing where it leads out of the tree.
fn join(folder: &str, name: &str) -> Option<String> {
    let mut parts: Vec<&str> = folder.split('/').filter(|part| !part.is_empty()).collect();
    for part in name.split('/') {
        match part {
            "" | "." => {}
            ".." => drop(parts.pop()?),
            part => parts.push(part),
        }
    }
    Some(parts.join("/"))
}

/// Files by the last part of their paths, and folders by theirs.
struct Ends {
    files: HashMap<String, Vec<u32>>,
    folders: HashMap<String, Vec<(String, Vec<u32>)>>,
}

/// Returns a path without its ending, and without the name that stands for its folder.
fn bare(path: &str) -> &str {
    let path = path.rsplit_once('.').map_or(path, |(bare, _)| bare);
    ["/mod", "/index", "/__init__"].iter().find_map(|end| path.strip_suffix(end)).unwrap_or(path)
}

impl Ends {
    fn of(files: &[(String, Kind)]) -> Self {
        let mut ends = Self { files: HashMap::new(), folders: HashMap::new() };
        let mut folders: HashMap<&str, Vec<u32>> = HashMap::new();
        for (at, (path, kind)) in files.iter().enumerate() {
            let last = bare(path).rsplit('/').next().unwrap_or_default();
            ends.files.entry(last.to_owned()).or_default().push(at as u32);
            if let Some((folder, name)) = path.rsplit_once('/')
                && *kind == Kind::Source
                && name.rsplit_once('.').is_some_and(|(_, end)| end == "go")
            {
                folders.entry(folder).or_default().push(at as u32);
            }
        }
        for (folder, files) in folders {
            let last = folder.rsplit('/').next().unwrap_or_default().to_owned();
            ends.folders.entry(last).or_default().push((folder.to_owned(), files));
        }
        ends
    }

    /// Returns the files of the same language whose path ends so; none where too many do.
    fn files(&self, files: &[(String, Kind)], name: &str, from: &str) -> Vec<u32> {
        let ending = |path: &str| path.rsplit_once('.').map_or("", |(_, end)| end).to_owned();
        let wanted = bare(name);
        let wanted = if ending(name).contains('/') || ending(name).is_empty() { name } else { wanted };
        let last = wanted.rsplit('/').next().unwrap_or_default();
        let family = |end: &str| match end {
            "h" | "hh" | "hpp" | "c" | "cc" | "cpp" | "cxx" | "m" | "mm" => "c".to_owned(),
            "java" | "kt" | "kts" | "scala" | "groovy" => "java".to_owned(),
            "py" | "pyi" => "py".to_owned(),
            end => end.to_owned(),
        };
        let fits = |at: &&u32| {
            let path = &files[**at as usize].0;
            let whole = bare(path);
            let ends = whole.strip_suffix(wanted).is_some_and(|rest| rest.is_empty() || rest.ends_with('/'));
            ends && family(&ending(path)) == family(&ending(from))
                && (!name.contains('.') || path.ends_with(name))
        };
        let found: Vec<u32> = self.files.get(last).into_iter().flatten().filter(fits).copied().collect();
        if found.len() > MAX_FITS { Vec::new() } else { found }
    }

    /// Returns the files of the folder that an import path leads to: the longest end of it that is one.
    fn folder(&self, name: &str) -> Vec<u32> {
        let last = name.rsplit('/').next().unwrap_or_default();
        let fits = |folder: &str| {
            name == folder || name.strip_suffix(folder).is_some_and(|rest| rest.ends_with('/'))
        };
        let found = self.folders.get(last).into_iter().flatten().filter(|(folder, _)| fits(folder));
        found.max_by_key(|(folder, _)| folder.len()).map(|(_, files)| files.clone()).unwrap_or_default()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn graph(files: &[(&str, &str)]) -> Graph {
        Graph::of(files.iter().map(|(path, text)| (*path, Some(*text))))
    }

    #[test]
    fn imports_of_many_languages_are_resolved() {
        for (files, from, to) in [
            (&[("pkg/a.py", "from .b import x"), ("pkg/b.py", "")][..], "pkg/a.py", "pkg/b.py"),
            (&[("app/a.py", "import pkg.b"), ("src/pkg/b.py", "")], "app/a.py", "src/pkg/b.py"),
            (&[("web/a.ts", "import { x } from './b.js'"), ("web/b.ts", "")], "web/a.ts", "web/b.ts"),
            (&[("web/a.ts", "export * from '../lib'"), ("lib/index.ts", "")], "web/a.ts", "lib/index.ts"),
            (&[("src/lib.rs", "pub mod b;"), ("src/b/mod.rs", "")], "src/lib.rs", "src/b/mod.rs"),
            (&[("src/c.rs", "use crate::b::Thing;"), ("src/b.rs", "")], "src/c.rs", "src/b.rs"),
            (&[("src/b/c.rs", "use super::d::{X, Y};"), ("src/b/d.rs", "")], "src/b/c.rs", "src/b/d.rs"),
            (
                &[("cmd/main.go", "\t\"example.com/x/internal/b\""), ("internal/b/b.go", "")],
                "cmd/main.go",
                "internal/b/b.go",
            ),
            (&[("s/A.java", "import org.x.B;"), ("s/org/x/B.java", "")], "s/A.java", "s/org/x/B.java"),
            (&[("src/a.c", "#include \"b.h\""), ("src/b.h", "")], "src/a.c", "src/b.h"),
            (&[("lib/a.rb", "require 'x/b'"), ("lib/x/b.rb", "")], "lib/a.rb", "lib/x/b.rb"),
            (
                &[("src/A.php", "use App\\Http\\B;"), ("src/App/Http/B.php", "")],
                "src/A.php",
                "src/App/Http/B.php",
            ),
        ] {
            let graph = graph(files);
            assert_eq!(graph.imports(from), [to], "{from}");
            assert_eq!(graph.importers(to), [from], "{to}");
        }
        assert!(graph(&[("a.py", "from ...far import x"), ("x.py", "")]).imports("a.py").is_empty());
    }

    #[test]
    fn a_change_reaches_what_imports_it() {
        let graph = graph(&[
            ("core.py", "import side\n"),
            ("mid.py", "import core\n"),
            ("top.py", "import mid\n"),
            ("side.py", "import top\n"),
            ("tests/test_core.py", ""),
            ("tests/test_flow.py", "import top\n"),
        ]);
        let reach = graph.reach(&["core.py", "nothing.py"]);
        assert_eq!(reach.direct, ["mid.py"]);
        assert_eq!(reach.transitive, ["side.py", "tests/test_flow.py", "top.py"]);
        assert_eq!(reach.tests, ["tests/test_core.py", "tests/test_flow.py"]);
        assert_eq!(graph.reach(&[]), Reach::default());
    }

    proptest::proptest! {
        #[test]
        fn no_text_makes_it_fail(text: String, end in 0usize..9) {
            let ends = ["py", "ts", "rs", "go", "java", "c", "rb", "php", "txt"];
            let path = format!("a/b.{}", ends[end]);
            for line in ["", "import ", "from ", "use crate::", "use super::super::", "#include \"", "require '"] {
                let text = format!("{line}{text}");
                let graph = Graph::of([(path.as_str(), Some(text.as_str()))].into_iter());
                let _ = graph.reach(&[&path]);
            }
        }
    }
}
