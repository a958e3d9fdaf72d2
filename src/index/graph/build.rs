//! The graph of a tree, made of what its files say of themselves.
//!
//! Must never depend on anything but the tree: the same files give the same bytes.

use std::collections::BTreeMap;

use crate::artifact::id::TreeId;
use crate::artifact::types::graph::{GraphCounts, GraphModule, RepositoryGraph};
use crate::scan::owners::CodeOwners;

use super::super::kind::{Kind, Kinds};
use super::files::{Files, split};
use super::{Hit, LANGUAGES, Outline, cover, part};

/// The most definitions of all modules together; each may have as many as its share, and four.
const MAX_SYMBOLS: usize = 200_000;

/// A module while the graph is made.
struct Node {
    path: String,
    language: usize,
    test: bool,
    files: Vec<u32>,
}

/// Makes the graph of files, sorted by path, with their outlines; `text` reads files that steer how imports are resolved.
pub fn build(
    tree: &TreeId,
    paths: &[String],
    outlines: &[Option<Outline>],
    text: &dyn Fn(&str) -> Option<String>,
) -> RepositoryGraph {
    let files = Files::of(paths, outlines, text);
    let nodes = nodes(paths);
    let mut node_of: Vec<Option<u32>> = vec![None; paths.len()];
    for (at, node) in nodes.iter().enumerate() {
        for file in &node.files {
            node_of[*file as usize] = Some(at as u32);
        }
    }
    let mut counts = GraphCounts { files: paths.len() as u64, ..GraphCounts::default() };
    let imports = edges(&files, &nodes, &node_of, &mut counts);
    let named: Vec<(String, usize, bool)> =
        nodes.iter().map(|node| (node.path.clone(), node.language, node.test)).collect();
    let mut covers: BTreeMap<u32, Vec<u32>> = BTreeMap::new();
    for (test, module) in cover::by_name(&named) {
        covers.entry(test).or_default().push(module);
    }
    let mut folders: Vec<String> = nodes.iter().map(|node| split(&node.path).0.to_owned()).collect();
    folders.sort_unstable();
    folders.dedup();
    let share = (MAX_SYMBOLS / nodes.len().max(1)).max(4);
    let mut modules = Vec::with_capacity(nodes.len());
    for ((at, node), imports) in nodes.iter().enumerate().zip(imports) {
        let (folder, name) = split(&node.path);
        let whole = name.is_empty();
        counts.source_files += node.files.len() as u64;
        let inside = node.files.iter().map(|file| split(files.path(*file)).1.to_owned());
        modules.push(GraphModule {
            folder: folders.binary_search_by(|known| known.as_str().cmp(folder)).unwrap_or_default() as u32,
            name: name.to_owned(),
            files: if whole { inside.collect() } else { Vec::new() },
            test: node.test,
            imports,
            covers: covers.remove(&(at as u32)).unwrap_or_default(),
            owners: None,
            symbols: symbols(&files, node, whole, share, &mut counts),
        });
    }
    RepositoryGraph { commit: None, tree: tree.clone(), folders, owners: Vec::new(), modules, counts }
}

/// Returns the modules, sorted by path.
fn nodes(paths: &[String]) -> Vec<Node> {
    let mut nodes: BTreeMap<String, Node> = BTreeMap::new();
    let mut kinds = Kinds::default();
    for (file, path) in paths.iter().enumerate() {
        let Some((language, kind)) = part(path, &mut kinds) else { continue };
        let test = kind == Kind::Test;
        let go_test = path.ends_with("_test.go");
        let by_folder = LANGUAGES.get(language).is_some_and(|language| language.by_folder());
        let name = if by_folder && !go_test { format!("{}/", split(path).0) } else { path.clone() };
        let node =
            nodes.entry(name.clone()).or_insert(Node { path: name, language, test, files: Vec::new() });
        node.files.push(file as u32);
    }
    nodes.into_values().collect()
}

fn edges(
    files: &Files<'_>,
    nodes: &[Node],
    node_of: &[Option<u32>],
    counts: &mut GraphCounts,
) -> Vec<Vec<u32>> {
    let mut resolvers: Vec<Option<Box<dyn super::Resolve + '_>>> = LANGUAGES.iter().map(|_| None).collect();
    let mut all = Vec::with_capacity(nodes.len());
    for (at, node) in nodes.iter().enumerate() {
        let Some(language) = LANGUAGES.get(node.language) else { continue };
        let resolver = resolvers[node.language].get_or_insert_with(|| language.resolver(files));
        let mut found: Vec<u32> = Vec::new();
        for file in &node.files {
            let Some(outline) = files.outlines.get(*file as usize).and_then(Option::as_ref) else { continue };
            counts.unread += u64::from(outline.unread);
            for import in &outline.imports {
                let hit = resolver.resolve(*file, import);
                if let Hit::Files(list) = &hit {
                    found.extend(
                        list.iter().filter_map(|file| node_of.get(*file as usize).copied().flatten()),
                    );
                }
                // A use that is no statement may well be of something else.
                if !import.starts_with('~') {
                    match hit {
                        Hit::Files(_) => counts.resolved += 1,
                        Hit::Outside => counts.outside += 1,
                        Hit::Nowhere => counts.unresolved += 1,
                        Hit::Several => counts.ambiguous += 1,
                    }
                }
            }
        }
        // A test of a folder is built together with it.
        if language.by_folder() && node.test && !node.path.ends_with('/') {
            let package = format!("{}/", split(&node.path).0);
            found.extend(nodes.binary_search_by(|node| node.path.cmp(&package)).ok().map(|at| at as u32));
        }
        found.sort_unstable();
        found.dedup();
        found.retain(|other| *other != at as u32);
        all.push(found);
    }
    all
}

fn symbols(
    files: &Files<'_>,
    node: &Node,
    whole: bool,
    most: usize,
    counts: &mut GraphCounts,
) -> Vec<String> {
    let mut symbols = Vec::new();
    for file in &node.files {
        let Some(outline) = files.outlines.get(*file as usize).and_then(Option::as_ref) else { continue };
        for (name, line) in &outline.symbols {
            if symbols.len() >= most {
                counts.symbols_left_out += 1;
            } else if whole {
                symbols.push(format!("{}:{name}:{line}", split(files.path(*file)).1));
            } else {
                symbols.push(format!("{name}:{line}"));
            }
        }
    }
    symbols
}

/// Says who owns each module, by the rules of a `CODEOWNERS` file; of a whole folder, who owns its first file.
pub fn with_owners(graph: &mut RepositoryGraph, rules: &CodeOwners) {
    let mut groups: BTreeMap<Vec<String>, Vec<usize>> = BTreeMap::new();
    for at in 0..graph.modules.len() {
        let path = graph.path(at as u32);
        let first = graph.modules[at].files.first().cloned().unwrap_or_default();
        let path = format!("{}{first}", path.trim_start_matches("./"));
        if let Some(owners) = rules.owners(&path).filter(|owners| !owners.is_empty()) {
            groups.entry(owners.to_vec()).or_default().push(at);
        }
    }
    for (number, modules) in groups.values().enumerate() {
        for at in modules {
            graph.modules[*at].owners = Some(number as u32);
        }
    }
    graph.owners = groups.into_keys().collect();
}
