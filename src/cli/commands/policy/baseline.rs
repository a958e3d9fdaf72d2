//! `orch policy baseline`: what is found in the whole tree today, written down so that only new findings count.

use std::fs;

use clap::Args;
use serde::Serialize;

use crate::artifact::day::Day;
use crate::artifact::types::policy_input::{Subject, SubjectKind};
use crate::artifact::types::verdict::Finding;
use crate::cli::CommandError;
use crate::cli::args::Global;
use crate::cli::error::{IoError, UsageError};
use crate::cli::output::Output;
use crate::cli::session::Session;
use crate::diagnostic::text::plain;
use crate::ports::vcs::VcsRead as _;
use crate::stage::policy::alone::{self, Options};
use crate::stage::policy::aside::baseline::{Baseline, Updated};
use crate::stage::policy::aside::{Codes, Lists, Standing};
use crate::stage::policy::bundle::{Bundle, Sources};
use crate::stage::policy::cfg::PolicyConfig;
use crate::stage::policy::counted;
use crate::stage::policy::engine::Limits;

use super::waive::replace;

/// How long a new entry counts, in days.
const DAYS: i32 = 180;

/// Write down what is found in the whole tree today, so that only new findings count
///
/// Judges every file, and writes the findings to `.orch/baseline.json`: fingerprints, codes and paths, never a secret. It counts once
/// it is in the base commit. Entries that are there stay as they are; those that ended get a new end.
#[derive(Debug, Args)]
pub struct BaselineArgs {
    /// Only take out what is gone; add nothing
    #[arg(long, conflicts_with_all = ["until", "reason"])]
    update: bool,
    /// The last day new entries count, at most a year ahead; 180 days from now when absent
    #[arg(long, value_name = "DAY")]
    until: Option<Day>,
    /// Why what is there can be lived with
    #[arg(long, value_name = "TEXT", default_value = "there before")]
    reason: String,
}

#[derive(Serialize)]
struct Document<'a> {
    path: &'a str,
    entries: usize,
    #[serde(flatten)]
    updated: Updated,
    /// Findings that no baseline can cover.
    remaining: Vec<&'a Finding>,
}

/// Judges the tree and writes the file.
pub fn run(args: &BaselineArgs, global: &Global, output: &Output) -> Result<u8, CommandError> {
    let session = Session::open(global)?;
    let today = session.today()?;
    let until = args.until.unwrap_or_else(|| today.plus_days(DAYS));
    if until < today || until > today.plus_year() {
        let help = format!("Name a day from {today} to {}.", today.plus_year());
        return Err(UsageError { what: format!("{until} is past, or more than a year ahead"), help }.into());
    }
    if !args.reason.chars().any(char::is_alphanumeric) || args.reason.chars().count() > 1000 {
        let help = "Say why what is there can be lived with.".into();
        return Err(UsageError { what: "the reason is empty or too long".into(), help }.into());
    }
    let name = session.config.policy.baseline.as_str();
    let path = session.root.join(name);
    let old = old(&path, name, args.update)?;
    let (findings, codes) = findings(&session, today)?;
    let known = if args.update { old } else { in_force(old, today) };
    let add = (!args.update).then_some((until, args.reason.trim()));
    let (new, updated) = known.update(&findings, &codes, add);
    let text = new.to_text().map_err(|error| UsageError {
        what: format!("the baseline cannot be written down: {error}"),
        help: "This is a fault of orch; please report it.".into(),
    })?;
    replace(&path, &text)?;
    let remaining = findings.iter().filter(|f| codes.standing(&f.code) != Standing::Open).collect();
    let document = Document { path: name, entries: new.entries.len(), updated, remaining };
    output.show(&document, |out| {
        writeln!(
            out,
            "{name}: {} entries; {} kept, {} added, {} gone",
            document.entries, updated.kept, updated.added, updated.gone
        )?;
        for finding in &document.remaining {
            writeln!(out, "still counts: {}: {}", finding.code, plain(&finding.message))?;
        }
        writeln!(out, "Commit it: a baseline counts once it is in the base.")
    })?;
    Ok(0)
}

/// Reads the file that is there. A broken one is written anew, but not updated: what is in it nobody can tell.
fn old(path: &std::path::Path, name: &str, update: bool) -> Result<Baseline, CommandError> {
    match fs::read(path) {
        Ok(bytes) => match Baseline::parse(&bytes) {
            Ok(baseline) => Ok(baseline),
            Err(why) if update => Err(UsageError {
                what: format!("{name} cannot be used: {why}"),
                help: "`orch policy baseline` without --update writes it anew.".into(),
            }
            .into()),
            Err(_) => Ok(Baseline::default()),
        },
        Err(error) if error.kind() == std::io::ErrorKind::NotFound => Ok(Baseline::default()),
        Err(source) => Err(IoError { what: format!("read {}", path.display()), source }.into()),
    }
}

/// Entries that ended are decided anew.
fn in_force(mut baseline: Baseline, today: Day) -> Baseline {
    baseline.entries.retain(|entry| entry.until >= today && entry.until <= today.plus_year());
    baseline
}

/// Returns what counts in the working tree, waivers taken and no baseline.
fn findings(session: &Session, today: Day) -> Result<(Vec<Finding>, Codes), CommandError> {
    let head = session.vcs.head()?;
    let policy = &session.config.policy;
    let bundle = Bundle::parse(&Sources::gather(&session.vcs, &head.tree, &policy.packs)?);
    let mut lists = Lists::read(policy, &bundle, |path| {
        if path == policy.baseline { Ok(None) } else { session.vcs.working_file(path) }
    })?;
    let codes = lists.codes.clone();
    lists.baseline = Baseline::default();
    let config = PolicyConfig::new(&session.config, &bundle)?.with_lists(lists);
    let subject = Subject { kind: SubjectKind::Tree, base: None, head: None };
    let day = today.to_string();
    let options =
        Options { settings: config.settings.clone(), today: Some(day.clone()), ..Options::default() };
    let input = alone::of_tree(&session.vcs, subject, options)?;
    let findings =
        counted(&config, &bundle, &input, Some(&day), Limits::default()).map_err(|error| UsageError {
            what: format!("the tree cannot be judged: {error}"),
            help: "This is a fault of orch; please report it.".into(),
        })?;
    Ok((findings, codes))
}
