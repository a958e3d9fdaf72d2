//! `orch index`: what is known of a commit, built and kept.

use std::path::{Path, PathBuf};

use clap::Args;
use serde::Serialize;

use crate::artifact::id::CommitId;
use crate::artifact::types::graph::GraphCounts;
use crate::cli::CommandError;
use crate::cli::args::{Format, Global};
use crate::cli::error::UsageError;
use crate::cli::output::Output;
use crate::cli::session;
use crate::diagnostic::text::count;
use crate::index::graph::{of_reader, with_owners};
use crate::index::{Index, Told};
use crate::ports::vcs::{GitRepository, VcsChanges as _, VcsRead as _};

use super::graph::{owners, save};

/// Build what is known of a commit, and keep it
///
/// The index that `orch context` and stages ask, what was read of imports, and the graph as an artifact: index.bin, graph.bin
/// and graph.json in one folder. What an earlier commit left there is brought up to date. CI keeps the folder between runs.
#[derive(Debug, Args)]
pub struct IndexArgs {
    /// The commit; HEAD when absent
    #[arg(long, value_name = "COMMIT")]
    at: Option<String>,
    /// Where it is kept; `orch` below the git folder when absent, where all commands look
    #[arg(long, value_name = "FOLDER")]
    into: Option<PathBuf>,
}

/// What was done, for programs.
#[derive(Serialize)]
struct Answer<'a> {
    commit: &'a CommitId,
    folder: &'a Path,
    index: &'a Told,
    graph: GraphCounts,
    modules: usize,
    graph_read: usize,
}

/// Builds index and graph.
pub fn run(args: &IndexArgs, global: &Global, output: &Output) -> Result<u8, CommandError> {
    let vcs = GitRepository::open(session::folder(global)?)?;
    let (commit, tree) = match &args.at {
        Some(name) => vcs.commit_named(name).map(|named| (named.commit, named.tree))?,
        None => vcs.head().map(|head| (head.commit, head.tree))?,
    };
    let folder = args.into.clone().unwrap_or_else(|| vcs.common_dir().join("orch"));
    let reader = vcs.past();
    let cache = folder.join("index.bin");
    let index = Index::open(&reader, &commit, Some(&cache))?;
    if let Some(why) = &index.told().rebuilt {
        output.note(&format!("the index was made anew: {why}"));
    }
    index.save(&cache)?;
    let (mut graph, told) = of_reader(&reader, &tree, Some(&folder.join("graph.bin")))?;
    if let Some((path, why)) = told.unkept {
        return Err(UsageError {
            what: format!("cannot write {}: {why}", path.display()),
            help: "Name a folder that can be written with --into.".into(),
        }
        .into());
    }
    with_owners(&mut graph, &owners(&vcs, &tree)?);
    graph.commit = Some(commit.clone());
    save(&folder.join("graph.json"), &graph)?;
    let answer = Answer {
        commit: &commit,
        folder: &folder,
        index: index.told(),
        graph: graph.counts,
        modules: graph.modules.len(),
        graph_read: told.read,
    };
    if output.format == Format::Json {
        output.print_json(&answer)?;
        return Ok(0);
    }
    output.print(|out| {
        let index = answer.index;
        writeln!(
            out,
            "index: {}, {}; {} and {} read now",
            count(index.files, "file"),
            count(index.commits, "commit"),
            count(index.read, "file"),
            count(index.commits_read, "commit")
        )?;
        writeln!(
            out,
            "graph: {}; the imports of {} read now",
            count(answer.modules, "module"),
            count(answer.graph_read, "file")
        )?;
        writeln!(out, "kept in {}", folder.display())
    })?;
    Ok(0)
}
