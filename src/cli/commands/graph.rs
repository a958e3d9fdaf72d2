//! `orch graph`: what depends on what, and how far a change reaches.

mod show;

use std::path::{Path, PathBuf};

use clap::Args;

use crate::artifact::envelope::{Envelope, Producer};
use crate::artifact::id::{CommitId, IdError, Round, RunId, StageId, TreeId};
use crate::artifact::kind::ArtifactKind;
use crate::artifact::types::graph::RepositoryGraph;
use crate::artifact::types::policy_input::BlastRadius;
use crate::cli::CommandError;
use crate::cli::args::{Format, Global};
use crate::cli::commands::context::worktree;
use crate::cli::commands::judge::ends;
use crate::cli::error::{IoError, UsageError};
use crate::cli::output::Output;
use crate::cli::session;
use crate::diagnostic::explain::nearest;
use crate::index::Indexed;
use crate::index::graph::{Query, of_reader, of_worktree, radius, with_owners};
use crate::index::over::Worktree;
use crate::ports::vcs::{GitRepository, Span, VcsChanges as _, VcsRead};
use crate::scan::owners::{CodeOwners, PLACES};

/// Tell what depends on what, and how far a change reaches
///
/// Reads the imports of every source file of a commit, resolves them to files of the repository, and answers for a file, a
/// folder or a name: what it imports, who imports it, which tests cover it, who owns it, what a change of it may reach.
/// An import that leads to no file, or to several, is counted and never guessed. Nothing of the repository is run.
#[derive(Debug, Args)]
#[expect(clippy::struct_excessive_bools, reason = "they are flags, of which clap takes one")]
#[command(
    after_help = "Examples:\n  orch graph                              how much there is, and what most depends on\n  orch graph src/auth/policy.py\n  \
    orch graph check_policy --depth 2       by a name it defines\n  orch graph --diff main...HEAD           how far the changes of a branch reach\n  \
    orch graph --worktree src/auth          with what is not committed\n  \
    orch graph src/auth --dot | dot -Tsvg\n  orch graph --save graph.json            the whole graph, as an artifact"
)]
pub struct GraphArgs {
    /// Files, folders, or names that a module defines
    #[arg(value_name = "PATH|SYMBOL")]
    what: Vec<String>,
    /// What one commit has over another: BASE..HEAD, or BASE...HEAD from where they parted
    #[arg(long, value_name = "RANGE", conflicts_with_all = ["what", "at"])]
    diff: Option<String>,
    /// Follow imports at most so many steps; all of them when absent
    #[arg(long, value_name = "N", value_parser = clap::value_parser!(u32).range(1..))]
    depth: Option<u32>,
    /// The commit to look at; HEAD when absent
    #[arg(long, value_name = "COMMIT")]
    at: Option<String>,
    /// Look at the working tree instead, with files that git does not ignore
    #[arg(long, conflicts_with_all = ["at", "diff", "save"])]
    worktree: bool,
    /// Print a graph for `dot` instead
    #[arg(long, conflicts_with_all = ["json", "diff"])]
    dot: bool,
    /// The same as --format json
    #[arg(long)]
    json: bool,
    /// Write the whole graph to this file, as an artifact of the kind `graph`
    #[arg(long, value_name = "FILE")]
    save: Option<PathBuf>,
    /// Where what was read of files is kept; below the git folder when absent
    #[arg(long, value_name = "FILE")]
    cache: Option<PathBuf>,
    /// Read every file anew and keep nothing
    #[arg(long, conflicts_with = "cache")]
    no_cache: bool,
}

/// Answers what was asked.
pub fn run(args: &GraphArgs, global: &Global, output: &Output) -> Result<u8, CommandError> {
    let vcs = GitRepository::open(session::folder(global)?)?;
    let range = args.diff.as_deref().map(|range| ends(&vcs, range)).transpose()?;
    let (commit, tree) = match (&range, &args.at) {
        // What a change reaches is what depends on what was there before.
        (Some((base, _)), _) => (base.commit.clone(), base.tree.clone()),
        (None, Some(name)) => vcs.commit_named(name).map(|named| (named.commit, named.tree))?,
        (None, None) => vcs.head().map(|head| (head.commit, head.tree))?,
    };
    let cache = match &args.cache {
        _ if args.no_cache => None,
        Some(path) => Some(path.clone()),
        None => Some(vcs.common_dir().join("orch").join("graph.bin")),
    };
    let reader = vcs.past();
    let work = if args.worktree { Some(worktree(&vcs, output)?) } else { None };
    let (mut graph, told) = match &work {
        Some(changes) => of_worktree(&reader, &tree, cache.as_deref(), changes)?,
        None => of_reader(&reader, &tree, cache.as_deref())?,
    };
    if let Some((path, why)) = &told.unkept {
        if args.cache.is_some() {
            return Err(UsageError {
                what: format!("cannot write {}: {why}", path.display()),
                help: "Name a file that can be written with --cache, or use --no-cache.".into(),
            }
            .into());
        }
        output.note(&format!("what was read is not kept: {}: {why}", path.display()));
    }
    let source: Box<dyn VcsRead> = match work {
        Some(changes) => Box::new(Worktree { under: Indexed::of(vcs.clone()), changes }),
        None => Box::new(vcs.clone()),
    };
    let rules = owners(source.as_ref(), &tree)?;
    with_owners(&mut graph, &rules);
    graph.commit = Some(commit.clone());
    if let Some(path) = &args.save {
        save(path, &graph)?;
    }
    let query = Query::of(&graph);
    let depth = args.depth.map_or(usize::MAX, |depth| depth as usize);
    let json = args.json || output.format == Format::Json;
    if let Some((base, head)) = range {
        let span = Span::Trees { before: Some(base.tree.clone()), after: head.tree.clone() };
        let paths: Vec<String> = vcs
            .deltas(&span)?
            .into_iter()
            .map(|delta| String::from_utf8_lossy(&delta.path).into_owned())
            .collect();
        let changed: Vec<&str> = paths.iter().map(String::as_str).collect();
        let radius = radius(&query, &changed, &rules);
        let modules: Vec<u32> = changed.iter().filter_map(|path| query.find(path)).collect();
        return show::change(
            &query,
            &Change { commit: &commit, radius, changed: &changed, modules, depth },
            json,
            output,
        );
    }
    if args.what.is_empty() {
        if args.dot {
            let all: Vec<u32> = query.all().collect();
            return show::dot(&query, &all, 0, output);
        }
        return show::summary(&query, (of(args), told.read), json, output);
    }
    let mut found = Vec::new();
    for what in &args.what {
        found.push(Asked { what, modules: find(&query, source.as_ref(), &tree, what)? });
    }
    if args.dot {
        let all: Vec<u32> = found.iter().flat_map(|asked| asked.modules.iter().map(|(at, _)| *at)).collect();
        return show::dot(&query, &all, args.depth.unwrap_or(1) as usize, output);
    }
    show::modules(&query, &found, (of(args), depth), json, output)
}

/// What was asked for, with the modules it stands for.
struct Asked<'a> {
    what: &'a str,
    /// Each with where it defines the name that was asked for.
    modules: Vec<(u32, Option<String>)>,
}

/// A change, and how far it reaches.
struct Change<'a> {
    commit: &'a CommitId,
    radius: BlastRadius,
    changed: &'a [&'a str],
    modules: Vec<u32>,
    depth: usize,
}

const fn of(args: &GraphArgs) -> &'static str {
    if args.worktree { "working-tree" } else { "commit" }
}

pub(super) fn owners(vcs: &dyn VcsRead, tree: &TreeId) -> Result<CodeOwners, CommandError> {
    for place in PLACES {
        if let Some(text) = vcs.file(tree, place)? {
            return Ok(CodeOwners::parse(&text));
        }
    }
    Ok(CodeOwners::default())
}

/// Finds what a word stands for: a file, a folder, a name that is defined.
fn find(
    query: &Query<'_>,
    vcs: &dyn VcsRead,
    tree: &TreeId,
    what: &str,
) -> Result<Vec<(u32, Option<String>)>, CommandError> {
    let path = what.trim_start_matches("./").trim_end_matches('/');
    if let Some(module) = query.find(path) {
        return Ok(vec![(module, None)]);
    }
    let below = query.below(path);
    if !path.is_empty() && !below.is_empty() {
        return Ok(below.into_iter().map(|module| (module, None)).collect());
    }
    let defining = query.defining(what);
    if !defining.is_empty() {
        return Ok(defining.into_iter().map(|(module, place)| (module, Some(place))).collect());
    }
    let there = vcs.file(tree, path)?.is_some();
    let what_is = if there {
        format!("`{what}` is no module: it is in no language whose imports are read")
    } else {
        format!("nothing there is called `{what}`")
    };
    let paths: Vec<String> = query.all().map(|at| query.graph().path(at)).collect();
    let near = nearest(path, paths.iter().map(String::as_str));
    let help = match near.as_slice() {
        [] => "Name a file, a folder, or a name that a module defines at its outermost level.".to_owned(),
        near => format!("Did you mean `{}`?", near.join("` or `")),
    };
    Err(UsageError { what: what_is, help }.into())
}

/// Writes the graph as an artifact, beside and then renamed.
pub(super) fn save(path: &Path, graph: &RepositoryGraph) -> Result<(), CommandError> {
    let short: String = graph.tree.as_str().chars().take(12).collect();
    let run: RunId = format!("graph-{short}").parse().map_err(|error: IdError| UsageError {
        what: error.to_string(),
        help: "This is a fault of orch; please report it.".into(),
    })?;
    let envelope = Envelope {
        kind: ArtifactKind::Graph,
        schema: ArtifactKind::Graph.version(),
        run,
        stage: StageId::Plan,
        round: Round::FIRST,
        producer: Producer::this(),
        inputs: Vec::new(),
        body: graph.clone(),
    };
    let bytes = envelope.to_bytes().map_err(|error| UsageError {
        what: format!("the graph cannot be written down: {error}"),
        help: "This is a fault of orch; please report it.".into(),
    })?;
    let write = || -> std::io::Result<()> {
        let folder = path.parent().filter(|folder| !folder.as_os_str().is_empty()).unwrap_or(Path::new("."));
        std::fs::create_dir_all(folder)?;
        let mut file = tempfile::NamedTempFile::new_in(folder)?;
        std::io::Write::write_all(&mut file, &bytes)?;
        file.persist(path)?;
        Ok(())
    };
    Ok(write().map_err(|source| IoError { what: format!("write {}", path.display()), source })?)
}
