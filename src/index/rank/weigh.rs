//! How much each signal counts: as fitted over many repositories, then moved by how well each does in this one.
//!
//! Must never move by what is newer than the tree: the past is asked about itself, each commit seeing only what was before it.

use super::super::corpus::{Corpus, Tree};
use super::super::kind::Kind;
use super::super::past::{Commit, Past};
use super::fit::{self, Example};
use super::signals::{self, Query, Row, SIGNALS};

/// Weights fitted by `orch util fit-ranking`; `docs/explanation/retrieval.md` has the data and the figures.
pub const WEIGHTS: [f32; SIGNALS] = [
    2.06, 3.57, 1.14, 0.85, 0.55, 0.54, 0.40, 0.0, 2.30, 2.31, 2.28, 0.59, 0.72, 1.32, 0.0, 0.33, 0.62, 0.64,
];

/// How strongly the weights hold against a repository's own past.
const PULL: f32 = 0.03;
/// How many past commits are asked.
const ASKED: usize = 80;
/// Fewer than this prove nothing.
const LEAST: usize = 30;
/// Candidates looked at for each.
const CANDIDATES: usize = 100;

/// Returns what all signals say of a request, each at its own level.
pub fn rows(
    corpus: &Corpus,
    tree: &Tree,
    past: &Past,
    query: &Query,
    from: u32,
    weights: &[f32; SIGNALS],
) -> signals::Table {
    let mut table = signals::ask(corpus, tree, past, query, from);
    signals::level(tree, &mut table.rows);
    let first: Vec<f32> = table.rows.iter().map(|row| fit::dot(weights, row)).collect();
    signals::spread(tree, past, &first, from, &mut table.rows);
    table
}

/// Returns the best source files of a request with their rows, as an example for fitting.
pub fn example(
    tree: &Tree,
    rows: &[Row],
    weights: &[f32; SIGNALS],
    gold: &[u32],
    most: usize,
    group: &str,
) -> Example {
    let source = |at: &usize| tree.files[*at].kind == Kind::Source;
    let mut best: Vec<(f32, usize)> =
        (0..rows.len()).filter(source).map(|at| (fit::dot(weights, &rows[at]), at)).collect();
    best.sort_by(|a, b| b.0.total_cmp(&a.0).then(a.1.cmp(&b.1)));
    best.truncate(most);
    let right = best.iter().enumerate().filter(|(_, (_, at))| gold.contains(&(*at as u32)));
    Example {
        group: group.to_owned(),
        gold: right.map(|(at, _)| at).collect(),
        rows: best.iter().map(|(_, at)| rows[*at]).collect(),
        weight: 1.0,
    }
}

/// Asks the last commits of the past which files they touched, and moves the weights by how each signal did.
///
/// Text that those commits wrote is in the tree already, so signals of text do a little too well here; the pull keeps it small.
pub fn adapt(corpus: &Corpus, tree: &Tree, past: &Past, commits: &[Commit]) -> [f32; SIGNALS] {
    let by_id: std::collections::HashMap<&[u8; 20], &Commit> =
        commits.iter().map(|commit| (&commit.id, commit)).collect();
    let source = |file: &&u32| tree.files[**file as usize].kind == Kind::Source;
    let mut examples = Vec::new();
    for (at, (files, many)) in past.touched.iter().enumerate().take(8 * ASKED) {
        let gold: Vec<u32> = files.iter().filter(source).copied().collect();
        let Some(commit) = by_id.get(&past.ids[at]) else { continue };
        if gold.is_empty() || gold.len() > 6 || *many > 20 || commit.words.len() < 3 {
            continue;
        }
        let query = Query::of_message(&commit.words);
        let table = rows(corpus, tree, past, &query, at as u32 + 1, &WEIGHTS);
        examples.push(example(tree, &table.rows, &WEIGHTS, &gold, CANDIDATES, ""));
        if examples.len() >= ASKED {
            break;
        }
    }
    let found: Vec<&Example> = examples.iter().filter(|example| !example.gold.is_empty()).collect();
    if found.len() < LEAST {
        return WEIGHTS;
    }
    fit::fit(&found, &WEIGHTS, PULL, &[true; SIGNALS], 120)
}
