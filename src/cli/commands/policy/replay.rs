//! `orch policy replay`: recorded runs judged by other rules, beside what was decided then.

use std::collections::BTreeMap;
use std::io::{self, Write};

use clap::Args;
use serde::Serialize;

use super::levels::{LevelFlag, levels};
use crate::artifact::digest::Digest;
use crate::artifact::types::verdict::Decision;
use crate::cli::args::Global;
use crate::cli::error::UsageError;
use crate::cli::history::{self, Recorded};
use crate::cli::output::Output;
use crate::cli::session::{self, Session};
use crate::cli::{CommandError, rules};
use crate::diagnostic::Class;
use crate::diagnostic::text::{count, plain};
use crate::ports::vcs::{GitRepository, RECORDS, VcsRead as _};
use crate::proof::Case;
use crate::proof::rejudge::{Moved, Terms, rejudge};
use crate::stage::policy::bundle::{Bundle, Sources};

/// Judge recorded runs by other rules, beside what was decided then
///
/// The recorded document of each run is judged again: with the levels, settings and waivers the run had, on its day, by the
/// rules that are named. Nothing is run, written or fetched. The exit code is 0; with --fail-on-change 3 where a decision
/// would be another, 2 where a run could not be judged; 78 where there is no run.
#[derive(Debug, Args)]
#[expect(clippy::struct_excessive_bools, reason = "each is a flag of the command line")]
pub struct ReplayArgs {
    /// The runs: ids, starts of ids, or folders
    runs: Vec<String>,
    /// Every run folder, and every run that is kept with the repository
    #[arg(long, conflicts_with = "runs")]
    all: bool,
    /// Rules that judge besides those of this program: a folder, `REV:FOLDER`, or `FILE@sha256:DIGEST`; absent: the packs of
    /// orch.yml as HEAD has them. Can be repeated
    #[arg(long, value_name = "RULES")]
    bundle: Vec<String>,
    /// Take levels, settings, waiver files and paths from orch.yml as it is now, not from each run
    #[arg(long)]
    now: bool,
    /// Take a rule at this level, as `secrets/generic=deny`; shadow: its findings are shown and do not count. Can be repeated
    #[arg(long, value_name = "CODE=LEVEL")]
    level: Vec<LevelFlag>,
    /// Put every rule on trial that the recorded verdict knows nothing of
    #[arg(long)]
    trial: bool,
    /// End with 3 where a decision would be another, and with 2 where a run could not be judged
    #[arg(long)]
    fail_on_change: bool,
    /// The ref that small files of runs are kept below
    #[arg(long = "ref", value_name = "REF", default_value = RECORDS)]
    at: String,
}

/// A run, judged again or not.
#[derive(Serialize)]
struct Row {
    run: String,
    source: String,
    #[serde(flatten)]
    outcome: RowOutcome,
}

#[derive(Serialize)]
#[serde(rename_all = "kebab-case")]
enum RowOutcome {
    Judged {
        then: Decision,
        now: Decision,
        /// The digest of the rules of then.
        bundle: Digest,
        #[serde(skip_serializing_if = "BTreeMap::is_empty")]
        codes: BTreeMap<String, Moved>,
        #[serde(skip_serializing_if = "Vec::is_empty")]
        notes: Vec<String>,
    },
    NotJudged {
        why: String,
    },
}

/// How many decisions go from one to another.
#[derive(Serialize)]
struct Step {
    then: Decision,
    now: Decision,
    runs: usize,
}

#[derive(Serialize)]
struct Document {
    /// The digest of the rules of now.
    bundle: Digest,
    rules: usize,
    judged: usize,
    not_judged: usize,
    /// Runs whose decision would be another.
    changed: usize,
    decisions: Vec<Step>,
    codes: BTreeMap<String, Moved>,
    runs: Vec<Row>,
}

/// Judges again.
pub fn run(args: &ReplayArgs, global: &Global, output: &Output) -> Result<u8, CommandError> {
    let vcs = GitRepository::open(session::folder(global)?)?;
    let runs = match (args.all, args.runs.as_slice()) {
        (true, _) => history::all(global, &vcs, &args.at)?,
        (false, []) => return Err(history::nothing_named().into()),
        (false, names) => history::named(global, names, &vcs, &args.at)?,
    };
    let session = Session::open(global)?;
    let sources = if args.bundle.is_empty() {
        Sources::gather(&session.vcs, &session.vcs.head()?.tree, &session.config.policy.packs)?
    } else {
        rules::named(&args.bundle, &session::folder(global)?, &vcs)?
    };
    let bundle = Bundle::parse(&sources);
    let levels = levels(&args.level);
    if let Some(code) =
        levels.keys().find(|code| bundle.rules.iter().all(|r| r.metadata.code.as_str() != *code))
    {
        return Err(UsageError {
            what: format!("--level names `{code}`, which no rule has now"),
            help: "`orch policy explain` lists the rules.".into(),
        }
        .into());
    }
    let config = args.now.then(|| (session.config.policy.clone(), session.config.paths.clone()));
    let terms = Terms { config, levels, trial: args.trial };
    let rows: Result<Vec<Row>, CommandError> =
        runs.iter().map(|recorded| row(recorded, &vcs, &bundle, &terms)).collect();
    let document = document(&bundle, rows?);
    output.show(&document, |out| show(&document, &bundle, out))?;
    Ok(match (&document, args.fail_on_change) {
        (Document { runs, .. }, _) if runs.is_empty() => Class::Nothing.exit_code(),
        (Document { changed: 1.., .. }, true) => Class::Denied.exit_code(),
        (Document { not_judged: 1.., .. }, true) => Class::Usage.exit_code(),
        _ => 0,
    })
}

fn row(
    recorded: &Recorded,
    vcs: &GitRepository,
    bundle: &Bundle,
    terms: &Terms,
) -> Result<Row, CommandError> {
    let case = Case { opened: recorded.open()?, repository: Some(vcs), head: None, keys: &[] };
    let outcome = match rejudge(&case, vcs, bundle, terms) {
        Ok(again) => RowOutcome::Judged {
            then: again.then.decision,
            now: again.now.decision,
            codes: again.moved(),
            bundle: again.then.bundle,
            notes: again.notes,
        },
        Err(why) => RowOutcome::NotJudged { why },
    };
    Ok(Row { run: recorded.name.clone(), source: recorded.source.clone(), outcome })
}

fn document(bundle: &Bundle, runs: Vec<Row>) -> Document {
    let mut steps: BTreeMap<(Decision, Decision), usize> = BTreeMap::new();
    let mut codes: BTreeMap<String, Moved> = BTreeMap::new();
    let mut judged = 0;
    for row in &runs {
        if let RowOutcome::Judged { then, now, codes: moved, .. } = &row.outcome {
            judged += 1;
            *steps.entry((*then, *now)).or_default() += 1;
            for (code, moved) in moved {
                let sum = codes.entry(code.clone()).or_default();
                sum.appear += moved.appear;
                sum.vanish += moved.vanish;
                sum.differ += moved.differ;
                sum.on_trial += moved.on_trial;
            }
        }
    }
    let changed = steps.iter().filter(|((then, now), _)| then != now).map(|(_, runs)| runs).sum();
    Document {
        bundle: bundle.digest.clone(),
        rules: bundle.rules.len(),
        judged,
        not_judged: runs.len() - judged,
        changed,
        decisions: steps.into_iter().map(|((then, now), runs)| Step { then, now, runs }).collect(),
        codes,
        runs,
    }
}

fn show(document: &Document, bundle: &Bundle, out: &mut dyn Write) -> io::Result<()> {
    let Document { judged, not_judged, changed, decisions, codes, runs, .. } = document;
    writeln!(out, "Rules now: {}, digest {}", count(bundle.rules.len(), "rule"), bundle.digest.short())?;
    for broken in &bundle.broken {
        writeln!(out, "  broken, and denies: {}", plain(&broken.why))?;
    }
    if runs.is_empty() {
        return writeln!(out, "There is no run to judge again.");
    }
    writeln!(out)?;
    let wide = runs.iter().map(|row| row.run.len()).max().unwrap_or_default().clamp(3, 60);
    writeln!(out, "{:<wide$}  {:<14} {:<14} findings", "run", "then", "now")?;
    for row in runs {
        match &row.outcome {
            RowOutcome::Judged { then, now, codes, notes, .. } => {
                let mark = if then == now { " " } else { "*" };
                let (then, now) = (word(*then), format!("{}{mark}", word(*now)));
                writeln!(out, "{:<wide$}  {then:<14} {now:<14} {}", row.run, findings(codes))?;
                for note in notes {
                    writeln!(out, "{:<wide$}  note: {}", "", plain(note))?;
                }
            }
            RowOutcome::NotJudged { why } => {
                writeln!(out, "{:<wide$}  not judged: {}", row.run, plain(why))?;
            }
        }
    }
    if !codes.is_empty() {
        writeln!(out, "\n{:>7} {:>7} {:>7} {:>9}  rule", "appear", "vanish", "differ", "on trial")?;
        for (code, Moved { appear, vanish, differ, on_trial }) in codes {
            writeln!(out, "{appear:>7} {vanish:>7} {differ:>7} {on_trial:>9}  {}", plain(code))?;
        }
    }
    writeln!(out)?;
    for Step { then, now, runs } in decisions.iter().filter(|step| step.then != step.now) {
        writeln!(out, "{} -> {}: {}", word(*then), word(*now), count(*runs, "run"))?;
    }
    write!(out, "{changed} of {} would be decided otherwise", count(*judged, "run"))?;
    match not_judged {
        0 => writeln!(out, "."),
        n => writeln!(out, "; {n} could not be judged."),
    }
}

fn findings(codes: &BTreeMap<String, Moved>) -> String {
    let sum = |of: fn(&Moved) -> usize| codes.values().map(of).sum::<usize>();
    let parts = [
        ("+", sum(|m| m.appear)),
        ("-", sum(|m| m.vanish)),
        ("~", sum(|m| m.differ)),
        ("on trial ", sum(|m| m.on_trial)),
    ];
    let parts: Vec<String> =
        parts.iter().filter(|(_, n)| *n > 0).map(|(sign, n)| format!("{sign}{n}")).collect();
    if parts.is_empty() { "the same".into() } else { parts.join(" ") }
}

/// The word for a decision.
pub const fn word(decision: Decision) -> &'static str {
    match decision {
        Decision::Allow => "allow",
        Decision::NeedsApproval => "needs approval",
        Decision::Deny => "deny",
    }
}
