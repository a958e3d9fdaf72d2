//! Questions to a graph: who imports a module, which tests cover it, what a change of it may reach.
//!
//! Must never answer for what the graph does not hold.

use std::collections::{BTreeSet, HashMap};

use crate::artifact::types::graph::{GraphModule, RepositoryGraph};

/// A graph that can be asked.
#[derive(Debug)]
pub struct Query<'g> {
    graph: &'g RepositoryGraph,
    importers: Vec<Vec<u32>>,
    /// For each module, the tests that are for it by name.
    covered: Vec<Vec<u32>>,
    by_path: HashMap<String, u32>,
}

/// What a change of modules may reach.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Reached {
    /// What imports them, then what imports that, and so on; each module once, where it is nearest.
    pub levels: Vec<Vec<u32>>,
}

impl Reached {
    /// Returns all of them.
    pub fn all(&self) -> impl Iterator<Item = u32> + '_ {
        self.levels.iter().flatten().copied()
    }
}

impl<'g> Query<'g> {
    /// Prepares to ask a graph.
    pub fn of(graph: &'g RepositoryGraph) -> Self {
        let mut importers = vec![Vec::new(); graph.modules.len()];
        let mut covered = vec![Vec::new(); graph.modules.len()];
        let mut by_path = HashMap::new();
        for (at, module) in graph.modules.iter().enumerate() {
            let number = at as u32;
            for (list, edges) in [(&mut importers, &module.imports), (&mut covered, &module.covers)] {
                for other in edges {
                    if let Some(of) = list.get_mut(*other as usize) {
                        of.push(number);
                    }
                }
            }
            let path = graph.path(number);
            for file in &module.files {
                by_path.insert(format!("{}{file}", path.trim_start_matches("./")), number);
            }
            by_path.insert(path, number);
        }
        Self { graph, importers, covered, by_path }
    }

    /// Returns the graph.
    pub const fn graph(&self) -> &'g RepositoryGraph {
        self.graph
    }

    /// Returns the numbers of all modules.
    pub fn all(&self) -> std::ops::Range<u32> {
        0..self.graph.modules.len() as u32
    }

    /// Returns a module by its number.
    pub fn module(&self, module: u32) -> Option<&'g GraphModule> {
        self.graph.modules.get(module as usize)
    }

    /// Returns the module of a path: of a file, or of a folder that is one.
    pub fn find(&self, path: &str) -> Option<u32> {
        self.by_path
            .get(path)
            .or_else(|| self.by_path.get(&format!("{}/", path.trim_end_matches('/'))))
            .copied()
    }

    /// Returns the modules in a folder and below it.
    pub fn below(&self, folder: &str) -> Vec<u32> {
        let folder = folder.trim_end_matches('/');
        let inside = |number: &u32| {
            let path = self.graph.path(*number);
            folder.is_empty() || path.strip_prefix(folder).is_some_and(|rest| rest.starts_with('/'))
        };
        (0..self.graph.modules.len() as u32).filter(inside).collect()
    }

    /// Returns the modules that define a name, with `path:line` of it.
    pub fn defining(&self, name: &str) -> Vec<(u32, String)> {
        let mut found = Vec::new();
        for (at, module) in self.graph.modules.iter().enumerate() {
            for symbol in &module.symbols {
                let Some((rest, line)) = symbol.rsplit_once(':') else { continue };
                let (file, own) = rest.split_once(':').unwrap_or(("", rest));
                if own == name {
                    let path = self.graph.path(at as u32);
                    found.push((at as u32, format!("{}{file}:{line}", path.trim_start_matches("./"))));
                }
            }
        }
        found
    }

    /// Returns the modules a module imports.
    pub fn imports(&self, module: u32) -> &'g [u32] {
        self.module(module).map_or(&[], |module| module.imports.as_slice())
    }

    /// Returns the modules that import a module.
    pub fn importers(&self, module: u32) -> &[u32] {
        self.importers.get(module as usize).map_or(&[], Vec::as_slice)
    }

    /// Tells whether a module is a test.
    pub fn is_test(&self, module: u32) -> bool {
        self.module(module).is_some_and(|module| module.test)
    }

    /// Returns the tests that import one of some modules, or are for it by name and place.
    pub fn tests(&self, modules: &[u32]) -> BTreeSet<u32> {
        let by_import = modules.iter().flat_map(|module| self.importers(*module)).copied();
        let by_name =
            modules.iter().filter_map(|module| self.covered.get(*module as usize)).flatten().copied();
        by_import.filter(|module| self.is_test(*module)).chain(by_name).collect()
    }

    /// Returns what a change of modules may reach, at most so many steps away.
    pub fn reach(&self, modules: &[u32], depth: usize) -> Reached {
        let mut seen: BTreeSet<u32> = modules.iter().copied().collect();
        let mut edge: Vec<u32> = modules.to_vec();
        let mut levels = Vec::new();
        while !edge.is_empty() && levels.len() < depth {
            let mut next: Vec<u32> = edge
                .iter()
                .flat_map(|module| self.importers(*module))
                .copied()
                .filter(|at| seen.insert(*at))
                .collect();
            next.sort_unstable();
            if !next.is_empty() {
                levels.push(next.clone());
            }
            edge = next;
        }
        Reached { levels }
    }

    /// Returns how many files modules have.
    pub fn files(&self, modules: impl Iterator<Item = u32>) -> u64 {
        modules.filter_map(|module| self.module(module)).map(|module| module.files.len().max(1) as u64).sum()
    }

    /// Returns the owners of modules, each once.
    pub fn owners(&self, modules: impl Iterator<Item = u32>) -> BTreeSet<&'g str> {
        let group = |module: u32| self.graph.owners.get(self.module(module)?.owners? as usize);
        modules.filter_map(group).flatten().map(String::as_str).collect()
    }
}
