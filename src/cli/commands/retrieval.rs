//! `orch util retrieval` and `orch util fit-ranking`: how well files are found, and the weights that find them.

use std::collections::BTreeMap;
use std::fs;
use std::path::PathBuf;

use clap::Args;
use serde::Deserialize;

use crate::artifact::id::CommitId;
use crate::cli::CommandError;
use crate::cli::error::{IoError, UsageError};
use crate::cli::output::Output;
use crate::index::Index;
use crate::index::rank::fit::{self, Example};
use crate::index::rank::{Query, SIGNALS, Signal, WEIGHTS, weigh};
use crate::index::store::Stored;
use crate::ports::vcs::PastReader;

/// Tasks with known answers, and where their repositories are.
#[derive(Debug, Args)]
pub struct TaskArgs {
    /// One JSON object a line: id, repo (`owner/name`), base, query, gold
    tasks: Vec<PathBuf>,
    /// A folder with a bare repository `owner+name/repo` for each
    #[arg(long)]
    mirrors: PathBuf,
    /// Files for each answer
    #[arg(long, default_value_t = 300)]
    limit: usize,
}

#[derive(Deserialize)]
struct Task {
    id: String,
    repo: String,
    base: CommitId,
    query: String,
    #[serde(default)]
    gold: Vec<String>,
}

impl TaskArgs {
    fn read(&self) -> Result<BTreeMap<String, Vec<Task>>, CommandError> {
        let mut tasks: BTreeMap<String, Vec<Task>> = BTreeMap::new();
        for path in &self.tasks {
            let text = fs::read_to_string(path)
                .map_err(|source| IoError { what: format!("read {}", path.display()), source })?;
            for line in text.lines().filter(|line| !line.trim().is_empty()) {
                let task: Task = serde_json::from_str(line).map_err(|error| UsageError {
                    what: format!("{} holds a line that is no task: {error}", path.display()),
                    help: "Each line has id, repo, base, query and gold.".into(),
                })?;
                tasks.entry(task.repo.clone()).or_default().push(task);
            }
        }
        Ok(tasks)
    }

    /// Calls back with each task and the index at its base.
    fn each(
        &self,
        mut work: impl FnMut(&Task, &Index) -> Result<(), CommandError>,
    ) -> Result<(), CommandError> {
        for (repo, tasks) in self.read()? {
            let reader = PastReader::bare(&self.mirrors.join(repo.replace('/', "+")).join("repo"))?;
            let mut before = Stored::default();
            for task in tasks {
                let index = Index::learn(&reader, &task.base, before)?;
                work(&task, &index)?;
                // What is known of contents and commits serves the next base; weights are of this one's past.
                before = Stored { weights: None, ..index.to_store() };
            }
        }
        Ok(())
    }
}

/// Writes predictions, one JSON object a line.
pub fn predict(args: &TaskArgs, output: &Output) -> Result<u8, CommandError> {
    args.each(|task, index| {
        let files: Vec<String> =
            index.rank(&task.query, args.limit).into_iter().map(|found| found.path).collect();
        output.print_json_line(&serde_json::json!({ "id": task.id, "files": files }))
    })?;
    Ok(0)
}

/// Fits the weights and prints them, with what leaving each repository out gives.
pub fn fit_ranking(args: &TaskArgs, output: &Output) -> Result<u8, CommandError> {
    const ON: [bool; SIGNALS] = [true; SIGNALS];
    const STEPS: usize = 250;
    const PULL: f32 = 0.002;
    let mut examples: Vec<Example> = Vec::new();
    args.each(|task, index| {
        let query = Query::of(&task.query);
        let table = weigh::rows(index.corpus(), index.tree(), index.past(), &query, 0, &WEIGHTS);
        let gold: Vec<u32> = task.gold.iter().filter_map(|path| index.tree().find(path)).collect();
        examples.push(weigh::example(index.tree(), &table.rows, &WEIGHTS, &gold, args.limit, &task.repo));
        Ok(())
    })?;
    let groups: std::collections::BTreeSet<&str> =
        examples.iter().map(|example| example.group.as_str()).collect();
    let with = |keep: &dyn Fn(&Example) -> bool| {
        let chosen: Vec<&Example> = examples.iter().filter(|e| !e.gold.is_empty() && keep(e)).collect();
        fit::fit(&chosen, &WEIGHTS, PULL, &ON, STEPS)
    };
    let found = |group: &str, weights: &[f32; SIGNALS]| {
        let own: Vec<&Example> = examples.iter().filter(|e| e.group == group).collect();
        let sum: f32 = own.iter().map(|e| fit::within(e, weights, 10)).sum();
        100.0 * sum / own.len().max(1) as f32
    };
    let all = with(&|_| true);
    output.print(|out| {
        for group in &groups {
            let without = with(&|e| e.group != *group);
            writeln!(
                out,
                "{group}: R@10 {:.1} with weights of the others, {:.1} of all",
                found(group, &without),
                found(group, &all)
            )?;
        }
        for (signal, weight) in Signal::ALL.iter().zip(all) {
            writeln!(out, "{:<10} {weight:.2}", signal.name())?;
        }
        Ok(())
    })?;
    Ok(0)
}
