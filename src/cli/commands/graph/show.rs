//! Answers of `orch graph`, for people, for programs and for `dot`.
//!
//! Must never leave out of the JSON what the text says.

use std::collections::BTreeSet;
use std::fmt::Write as _;

use serde::Serialize;

use crate::artifact::id::CommitId;
use crate::artifact::types::graph::GraphCounts;
use crate::artifact::types::policy_input::BlastRadius;
use crate::cli::CommandError;
use crate::cli::error::UsageError;
use crate::cli::output::Output;
use crate::diagnostic::text::{count, plain};
use crate::index::graph::Query;

use super::{Asked, Change};

/// How many of a list a person is shown.
const SHOWN: usize = 12;
/// How many lines a graph for `dot` may have.
const MAX_DOT: usize = 4000;

/// One module, for programs.
#[derive(Serialize)]
struct Module<'g> {
    path: String,
    files: &'g [String],
    test: bool,
    #[serde(skip_serializing_if = "Option::is_none")]
    defines: Option<&'g str>,
    symbols: &'g [String],
    imports: Vec<String>,
    imported_by: Vec<String>,
    tests: Vec<String>,
    owners: Vec<&'g str>,
}

/// What modules reach, for programs.
#[derive(Serialize)]
struct Reach {
    /// What imports them, then what imports that; without tests.
    levels: Vec<Vec<String>>,
    modules: usize,
    files: u64,
    tests: Vec<String>,
    owners: Vec<String>,
}

#[derive(Serialize)]
struct Answer<'g> {
    /// `commit` or `working-tree`.
    of: &'static str,
    commit: Option<&'g str>,
    asked: Vec<AskedAnswer<'g>>,
    reach: Reach,
    counts: GraphCounts,
}

#[derive(Serialize)]
struct AskedAnswer<'g> {
    what: &'g str,
    modules: Vec<Module<'g>>,
}

/// Says how many of something there are.
fn many(number: u64, what: &str) -> String {
    count(usize::try_from(number).unwrap_or(usize::MAX), what)
}

fn paths(query: &Query<'_>, modules: impl IntoIterator<Item = u32>) -> Vec<String> {
    modules.into_iter().map(|module| query.graph().path(module)).collect()
}

fn reach(query: &Query<'_>, modules: &[u32], depth: usize) -> Reach {
    let reached = query.reach(modules, depth);
    let source = |module: &u32| !query.is_test(*module);
    let levels: Vec<Vec<String>> = reached
        .levels
        .iter()
        .map(|level| paths(query, level.iter().copied().filter(source)))
        .filter(|level: &Vec<String>| !level.is_empty())
        .collect();
    let all: Vec<u32> = reached.all().filter(source).collect();
    let mut tests: BTreeSet<u32> = query.tests(modules);
    tests.extend(reached.all().filter(|module| query.is_test(*module)));
    Reach {
        levels,
        modules: all.len(),
        files: query.files(all.iter().copied()),
        tests: paths(query, tests),
        owners: query
            .owners(all.into_iter().chain(modules.iter().copied()))
            .into_iter()
            .map(str::to_owned)
            .collect(),
    }
}

/// Shows modules that were asked for.
pub(super) fn modules<'a>(
    query: &'a Query<'a>,
    asked: &'a [Asked<'a>],
    (of, depth): (&'static str, usize),
    json: bool,
    output: &Output,
) -> Result<u8, CommandError> {
    let all: Vec<u32> =
        asked.iter().flat_map(|asked| asked.modules.iter().map(|(module, _)| *module)).collect();
    let reach = reach(query, &all, depth);
    let module = |(at, place): &'a (u32, Option<String>)| -> Module<'a> {
        let module = query.module(*at);
        Module {
            path: query.graph().path(*at),
            files: module.map_or(&[], |module| module.files.as_slice()),
            test: query.is_test(*at),
            defines: place.as_deref(),
            symbols: module.map_or(&[], |module| module.symbols.as_slice()),
            imports: paths(query, query.imports(*at).iter().copied()),
            imported_by: paths(query, query.importers(*at).iter().copied().filter(|at| !query.is_test(*at))),
            tests: paths(query, query.tests(&[*at])),
            owners: query.owners(std::iter::once(*at)).into_iter().collect(),
        }
    };
    let answers: Vec<AskedAnswer<'a>> = asked
        .iter()
        .map(|asked| AskedAnswer { what: asked.what, modules: asked.modules.iter().map(module).collect() })
        .collect();
    if json {
        let graph = query.graph();
        output.print_json(&Answer {
            of,
            commit: graph.commit.as_ref().map(CommitId::as_str),
            asked: answers,
            reach,
            counts: graph.counts,
        })?;
        return Ok(0);
    }
    output.print(|out| {
        for answer in &answers {
            for module in answer.modules.iter().take(SHOWN) {
                write!(out, "{}", text_of(module))?;
            }
            if answer.modules.len() > SHOWN {
                writeln!(out, "and {} more below {}", answer.modules.len() - SHOWN, plain(answer.what))?;
            }
        }
        writeln!(
            out,
            "a change may reach {} ({})",
            count(reach.modules, "module"),
            many(reach.files, "file")
        )?;
        for (steps, level) in reach.levels.iter().enumerate() {
            writeln!(out, "  {} away: {}", count(steps + 1, "import"), listed(level))?;
        }
        if !reach.tests.is_empty() {
            writeln!(out, "  tests on the way: {}", listed(&reach.tests))?;
        }
        if !reach.owners.is_empty() {
            writeln!(out, "  owners: {}", listed(&reach.owners))?;
        }
        Ok(())
    })?;
    told(query, output);
    Ok(0)
}

fn text_of(module: &Module<'_>) -> String {
    let mut text = format!(
        "{}{}\n",
        plain(module.defines.unwrap_or(&module.path)),
        if module.test { " (a test)" } else { "" }
    );
    let mut line = |what: &str, list: &[String]| {
        let said = if list.is_empty() { "nothing of this repository".to_owned() } else { listed(list) };
        let _ = writeln!(text, "  {what}: {said}");
    };
    line("imports", &module.imports);
    line("imported by", &module.imported_by);
    let tests =
        if module.tests.is_empty() { vec!["none that can be told".to_owned()] } else { module.tests.clone() };
    line("covered by", &tests);
    if !module.owners.is_empty() {
        line("owned by", &module.owners.iter().map(|owner| (*owner).to_owned()).collect::<Vec<_>>());
    }
    text
}

fn listed(list: &[String]) -> String {
    let shown: Vec<String> = list.iter().take(SHOWN).map(|one| plain(one)).collect();
    let more = list.len().saturating_sub(SHOWN);
    if more == 0 { shown.join(", ") } else { format!("{} and {more} more", shown.join(", ")) }
}

fn told(query: &Query<'_>, output: &Output) {
    let counts = &query.graph().counts;
    if !output.is_quiet() && counts.unresolved + counts.ambiguous + counts.unread > 0 {
        output.note(&format!(
            "not told: {} that lead nowhere, {} that fit several files, {} that could not be read",
            many(counts.unresolved, "import"),
            many(counts.ambiguous, "import"),
            many(counts.unread, "file")
        ));
    }
}

/// A change, for programs.
#[derive(Serialize)]
struct ChangeAnswer<'a> {
    base: &'a str,
    changed: &'a [&'a str],
    modules: Vec<String>,
    radius: &'a BlastRadius,
    reach: Reach,
    counts: GraphCounts,
}

/// Shows how far a change reaches.
pub(super) fn change(
    query: &Query<'_>,
    change: &Change<'_>,
    json: bool,
    output: &Output,
) -> Result<u8, CommandError> {
    let sources: Vec<u32> = change.modules.iter().copied().filter(|module| !query.is_test(*module)).collect();
    let reach = reach(query, &sources, change.depth);
    let radius = &change.radius;
    if json {
        output.print_json(&ChangeAnswer {
            base: change.commit.as_str(),
            changed: change.changed,
            modules: paths(query, sources),
            radius,
            reach,
            counts: query.graph().counts,
        })?;
        return Ok(0);
    }
    output.print(|out| {
        writeln!(
            out,
            "{} changed, {} of what was there before",
            count(change.changed.len(), "file"),
            count(sources.len(), "module")
        )?;
        writeln!(
            out,
            "{} may be reached ({} in {}, {} of a hundred): {} directly",
            many(radius.dependents, "module"),
            radius.dependents,
            many(radius.files, "file"),
            radius.percent,
            radius.direct
        )?;
        for (steps, level) in reach.levels.iter().enumerate() {
            writeln!(out, "  {} away: {}", count(steps + 1, "import"), listed(level))?;
        }
        writeln!(
            out,
            "{} what it touches; the change holds {}",
            if radius.tests.covering == 1 {
                "1 test covers".into()
            } else {
                format!("{} tests cover", radius.tests.covering)
            },
            many(radius.tests.changed, "test file")
        )?;
        if !radius.owners.is_empty() {
            writeln!(out, "owners: {}", listed(&radius.owners))?;
        }
        Ok(())
    })?;
    told(query, output);
    Ok(0)
}

/// All of a graph in a few lines, for programs.
#[derive(Serialize)]
struct Summary<'g> {
    /// `commit` or `working-tree`.
    of: &'static str,
    commit: Option<&'g str>,
    modules: usize,
    tests: usize,
    imports: usize,
    read_now: usize,
    counts: GraphCounts,
    most_imported: Vec<(String, usize)>,
}

/// Shows how much there is.
pub(super) fn summary(
    query: &Query<'_>,
    (of, read): (&'static str, usize),
    json: bool,
    output: &Output,
) -> Result<u8, CommandError> {
    let graph = query.graph();
    let number = |module: u32| query.importers(module).iter().filter(|at| !query.is_test(**at)).count();
    let mut most: Vec<(u32, usize)> =
        query.all().map(|module| (module, number(module))).filter(|(_, count)| *count > 0).collect();
    most.sort_by_key(|(module, count)| (std::cmp::Reverse(*count), *module));
    most.truncate(10);
    let summary = Summary {
        of,
        commit: graph.commit.as_ref().map(CommitId::as_str),
        modules: graph.modules.len(),
        tests: graph.modules.iter().filter(|module| module.test).count(),
        imports: graph.modules.iter().map(|module| module.imports.len()).sum(),
        read_now: read,
        counts: graph.counts,
        most_imported: most.iter().map(|(module, count)| (graph.path(*module), *count)).collect(),
    };
    let nothing = if graph.modules.is_empty() { 78 } else { 0 };
    if json {
        output.print_json(&summary)?;
        return Ok(nothing);
    }
    output.print(|out| {
        writeln!(
            out,
            "{}, {} of them tests; {} between them",
            count(summary.modules, "module"),
            summary.tests,
            count(summary.imports, "edge")
        )?;
        let counts = &summary.counts;
        writeln!(
            out,
            "imports: {} within, {} of libraries, {} that lead nowhere, {} that fit several files",
            counts.resolved, counts.outside, counts.unresolved, counts.ambiguous
        )?;
        for (path, count) in &summary.most_imported {
            writeln!(out, "{count:>6}  {}", plain(path))?;
        }
        Ok(())
    })?;
    if graph.modules.is_empty() {
        output.note("no file is of a language whose imports are read");
    }
    Ok(nothing)
}

/// Prints modules, what they import and what imports them, for `dot`.
pub(super) fn dot(
    query: &Query<'_>,
    modules: &[u32],
    depth: usize,
    output: &Output,
) -> Result<u8, CommandError> {
    let mut chosen: BTreeSet<u32> = modules.iter().copied().collect();
    chosen.extend(query.reach(modules, depth).all());
    if depth > 0 {
        chosen.extend(modules.iter().flat_map(|module| query.imports(*module)).copied());
    }
    let edges: Vec<(u32, u32)> = chosen
        .iter()
        .flat_map(|from| query.imports(*from).iter().map(|to| (*from, *to)))
        .filter(|(_, to)| chosen.contains(to))
        .collect();
    if edges.len() + chosen.len() > MAX_DOT {
        return Err(UsageError {
            what: format!("{} modules with {} edges are too many to draw", chosen.len(), edges.len()),
            help: "Name a file or a folder, or a smaller --depth; --save FILE writes all of it.".into(),
        }
        .into());
    }
    let name = |module: u32| plain(&query.graph().path(module)).replace('\\', "\\\\").replace('"', "\\\"");
    output.print(|out| {
        writeln!(out, "digraph imports {{\n  rankdir=LR;\n  node [shape=box];")?;
        for module in &chosen {
            let style = match (modules.contains(module), query.is_test(*module)) {
                (true, _) => " [style=bold]",
                (false, true) => " [style=dashed]",
                (false, false) => "",
            };
            writeln!(out, "  \"{}\"{style};", name(*module))?;
        }
        for (from, to) in &edges {
            writeln!(out, "  \"{}\" -> \"{}\";", name(*from), name(*to))?;
        }
        writeln!(out, "}}")
    })?;
    Ok(0)
}
