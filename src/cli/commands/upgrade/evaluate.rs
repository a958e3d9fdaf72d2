//! `orch upgrade evaluate`: the candidate beside what is recorded, run by run, and the decision.

use clap::Args;

use super::bench::{Bench, Try};
use super::{Found, find, show};
use crate::artifact::money::{NanoUsd, Usd};
use crate::cli::CommandError;
use crate::cli::args::Global;
use crate::cli::history::{self, Recorded};
use crate::cli::output::Output;
use crate::cli::session::Session;
use crate::config::Pack;
use crate::diagnostic::Class;
use crate::ports::vcs::{GitRepository, RECORDS, VcsRead as _};
use crate::proof::Case;
use crate::proof::rejudge::{Terms, rejudge};
use crate::stage::policy::bundle::{Bundle, SourceFile, Sources};
use crate::upgrade::files::{self, DECISION, EVALUATION, PROPOSAL};
use crate::upgrade::types::{Compared, Evaluation, Kind, Outcome, Proposal, Spend};
use crate::upgrade::{UpgradeError, candidate, judge, measure};

/// Try the candidate over recorded runs, and decide
///
/// Other rules judge the recorded documents again. For a model, a prompt or a template each request is made again up to its
/// verdict, on its own base, with the candidate; nothing is written to branches. Exit code 0: it may be promoted; 75: there is
/// not enough to decide by; 3: it may not.
#[derive(Debug, Args)]
pub struct EvaluateArgs {
    /// The upgrade, or the start of its id
    upgrade: String,
    /// The runs: ids, starts of ids, or folders
    runs: Vec<String>,
    /// Every run folder; for rules also every run that is kept with the repository
    #[arg(long, conflicts_with = "runs")]
    all: bool,
    /// Spend at most this many dollars on models, all runs together; absent: `budget.max_cost_usd`
    #[arg(long, value_name = "USD")]
    max_cost_usd: Option<Usd>,
    /// Tell what it can cost at most, and call nothing
    #[arg(long)]
    dry_run: bool,
    /// The ref that small files of runs are kept below
    #[arg(long = "ref", value_name = "REF", default_value = RECORDS)]
    at: String,
}

/// Evaluates and decides.
pub fn run(
    args: &EvaluateArgs,
    session: &Session,
    global: &Global,
    output: &Output,
) -> Result<u8, CommandError> {
    let found = find(session, Some(&args.upgrade))?;
    let proposal = files::needed::<Proposal>(&found.store, PROPOSAL, "Propose it first.")?;
    candidate::check(&proposal.body, &session.config, crate::cli::desk::is_words)?;
    let runs = match (args.all, args.runs.as_slice()) {
        (true, _) => history::all(global, &session.vcs, &args.at)?,
        (false, []) => return Err(history::nothing_named().into()),
        (false, names) => history::named(global, names, &session.vcs, &args.at)?,
    };
    let _lock = session.lock(&found.id)?;
    let (rows, spend) = if proposal.body.kind == Kind::Policy {
        (policy(&proposal.body, session, &runs)?, None)
    } else {
        let ceiling = args.max_cost_usd.unwrap_or(session.config.budget.max_cost_usd).0;
        match writers(args, &found, &proposal.body, session, &runs, ceiling, output)? {
            Some((rows, spend)) => (rows, Some(spend)),
            None => return Ok(0),
        }
    };
    let evaluation = Evaluation {
        id: found.id.clone(),
        kind: proposal.body.kind,
        proposal: proposal.digest,
        spend,
        totals: measure::totals(proposal.body.kind, &rows),
        runs: rows,
    };
    files::write(&found.store, EVALUATION, &evaluation)?;
    let read = files::needed::<Evaluation>(&found.store, EVALUATION, "Evaluate it again.")?;
    let decision = judge::judge(&read, &session.config.upgrade)?;
    files::write(&found.store, DECISION, &decision)?;
    show::show(&found, session, output)?;
    Ok(match decision.decision {
        Outcome::Promote => 0,
        Outcome::Hold => Class::Temporary.exit_code(),
        Outcome::Refuse => Class::Denied.exit_code(),
    })
}

/// Measures again what an evaluation says, from the recorded and the tried runs: no model is asked, no command is run.
pub(super) fn again(
    found: &Found,
    proposal: &Proposal,
    evaluation: &Evaluation,
    session: &Session,
    global: &Global,
    output: &Output,
) -> Result<Vec<Compared>, CommandError> {
    let mut rows = Vec::new();
    let bench = Bench { session, proposal, folder: found.folder.join("runs"), output };
    for told in &evaluation.runs {
        let named = history::named(global, std::slice::from_ref(&told.run), &session.vcs, RECORDS)?;
        let [recorded] = named.as_slice() else {
            return Err(UpgradeError::Unbound {
                path: EVALUATION.into(),
                why: format!("names `{}`, which is several runs now", told.run),
            }
            .into());
        };
        if proposal.kind == Kind::Policy {
            rows.extend(policy(proposal, session, &named)?);
            continue;
        }
        let opened = recorded.open()?;
        let outcome = match (bench.prepare(recorded, &opened)?, &told.candidate) {
            (Ok(one), Some(_)) => bench.measured(recorded)?.map(|candidate| (one.current, candidate)),
            // What was not compared does not count for the candidate, whatever became of it since.
            (_, None) => Err(told.not_measured.clone().unwrap_or_default()),
            (Err(why), Some(_)) => Err(why),
        };
        rows.push(row(recorded, opened.state(), outcome));
    }
    Ok(rows)
}

/// Judges the recorded documents by the rules of the candidate.
fn policy(proposal: &Proposal, session: &Session, runs: &[Recorded]) -> Result<Vec<Compared>, CommandError> {
    let vcs: &GitRepository = &session.vcs;
    let wanted = candidate::config_of(proposal)?;
    let config = wanted.as_ref().unwrap_or(&session.config);
    let bundle = Bundle::parse(&sources(proposal, session, &config.policy.packs)?);
    let terms = Terms {
        config: wanted.is_some().then(|| (config.policy.clone(), config.paths.clone())),
        ..Terms::default()
    };
    let mut rows = Vec::new();
    for recorded in runs {
        let case = Case { opened: recorded.open()?, repository: Some(vcs), head: None, keys: &[] };
        let state = case.opened.state();
        rows.push(match rejudge(&case, vcs, &bundle, &terms) {
            Ok(again) => {
                row(recorded, state, Ok((measure::judged(&again.then), measure::judged(&again.now))))
            }
            Err(why) => row(recorded, state, Err(why)),
        });
    }
    Ok(rows)
}

/// Returns the rules of HEAD's packs with the files of the candidate in place.
fn sources(proposal: &Proposal, session: &Session, packs: &[Pack]) -> Result<Sources, CommandError> {
    let tree = session.vcs.head()?.tree;
    let changed = |name: &str| proposal.files.iter().any(|file| file.path.as_str() == name);
    // A folder the candidate fills is not in HEAD yet.
    let known: Vec<Pack> = packs
        .iter()
        .filter(|pack| {
            pack.folder().is_none_or(|folder| {
                Sources::gather(&session.vcs, &tree, &[Pack::Folder(folder.to_owned())]).is_ok()
            })
        })
        .cloned()
        .collect();
    let now = Sources::gather(&session.vcs, &tree, &known)?;
    let mut all: Vec<SourceFile> = now.files().iter().filter(|file| !changed(&file.name)).cloned().collect();
    for file in &proposal.files {
        let is_rego = super::propose::is_rego(file.path.as_str());
        if let Some(bytes) = file.bytes().ok().flatten().filter(|_| is_rego) {
            all.push(SourceFile { name: file.path.to_string(), bytes: Some(bytes) });
        }
    }
    Ok(Sources::of(all)?)
}

/// Makes the recorded requests again with the candidate; `None`: it was only asked what that can cost.
fn writers(
    args: &EvaluateArgs,
    found: &Found,
    proposal: &Proposal,
    session: &Session,
    runs: &[Recorded],
    ceiling: NanoUsd,
    output: &Output,
) -> Result<Option<(Vec<Compared>, Spend)>, CommandError> {
    let bench = Bench { session, proposal, folder: found.folder.join("runs"), output };
    let mut tries: Vec<(&Recorded, crate::artifact::digest::Digest, Result<Try, String>)> = Vec::new();
    let mut worst = Some(NanoUsd::ZERO);
    for recorded in runs {
        let opened = recorded.open()?;
        let one = bench.prepare(recorded, &opened)?;
        if let Ok(one) = &one {
            worst = match (worst, bench.worst_case(recorded, one)?) {
                (Some(sum), Some(more)) => Some(sum + more),
                _ => None,
            };
        }
        tries.push((recorded, opened.state(), one));
    }
    let told = worst.map_or_else(|| "an unknown amount".to_owned(), |worst| worst.to_string());
    output.note(&format!("at most {told} by listed prices, of which {ceiling} may be spent"));
    if args.dry_run {
        return Ok(None);
    }
    let mut rows = Vec::new();
    for (recorded, state, one) in tries {
        let outcome = match one {
            Err(why) => Err(why),
            Ok(one) => {
                let spent = bench.spent(Some(recorded))?;
                // The ledger of the run is opened with what the others leave: no call starts that could go over it.
                let left = NanoUsd(ceiling.0.saturating_sub(spent.0));
                bench.measure(recorded, &one, left)?.map(|candidate| (one.current, candidate))
            }
        };
        rows.push(row(recorded, state, outcome));
    }
    let spent = bench.spent(None)?;
    Ok(Some((rows, Spend { ceiling_nano_usd: ceiling, worst_case_nano_usd: worst, spent_nano_usd: spent })))
}

fn row(
    recorded: &Recorded,
    state: crate::artifact::digest::Digest,
    outcome: Result<(crate::upgrade::types::Measured, crate::upgrade::types::Measured), String>,
) -> Compared {
    let (run, mut row) = (recorded.name.clone(), None);
    let not_measured = match outcome {
        Ok(both) => {
            row = Some(both);
            None
        }
        Err(why) => Some(why),
    };
    let (current, candidate) = row.unzip();
    Compared { run, state, current, candidate, not_measured }
}
