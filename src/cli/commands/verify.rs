//! `orch verify`: a change, proven from its evidence.

use std::collections::BTreeSet;
use std::fs;
use std::io::{self, Write};
use std::path::PathBuf;

use clap::Args;

use crate::artifact::id::RunId;
use crate::artifact::store::{ArtifactStore, MemoryStore, StoreError};
use crate::attest::{OpenRun, PublicKey};
use crate::cli::args::Global;
use crate::cli::error::{IoError, UsageError};
use crate::cli::output::Output;
use crate::cli::session::FoundRun;
use crate::cli::{CommandError, session};
use crate::diagnostic::text::{count, plain};
use crate::ports::vcs::{CommitRef, GitRepository, RECORDS, VcsChanges as _};
use crate::proof::resolve;
use crate::proof::{
    ByPeople, Case, Checked, HandMade, Outcome, Overall, Proof, Repository, keep, prove_beside, reverts,
};

/// Prove a change from its evidence: a run, a commit or a pull request
///
/// Hashes every file again, makes the commits again from base, tests and edits, lets the same rules judge again, and
/// compares signed statements with what they speak of. No program is started, no network is used, nothing is written.
/// Each check held, failed, or was not measured, with the reason. Exit code 0: everything that is needed held; 3: something
/// failed; 2: something that is needed could not be measured here, which is never a pass.
#[derive(Debug, Args)]
pub struct VerifyArgs {
    /// A run (its id, the start of its id, its folder), a commit, a branch, or #NUMBER of a pull request; absent: the newest
    /// run
    #[arg(value_name = "RUN|COMMIT|#PR")]
    subject: Option<String>,
    /// A public key that is trusted, as PEM; with it, a run whose statement it did not sign fails. Can be repeated
    #[arg(long, value_name = "FILE")]
    key: Vec<PathBuf>,
    /// The ref that small files of runs are kept below
    #[arg(long = "ref", value_name = "REF", default_value = RECORDS)]
    at: String,
}

/// What is proven, and where its files are.
enum Found {
    Folder(FoundRun),
    Kept { run: RunId, state: String, store: MemoryStore },
}

/// Verifies.
pub fn run(args: &VerifyArgs, global: &Global, output: &Output) -> Result<u8, CommandError> {
    let keys = keys(&args.key)?;
    let repository = GitRepository::open(session::folder(global)?).ok();
    let (found, head) = find(args, global, repository.as_ref())?;
    let (run, store, kept, source): (&RunId, &dyn ArtifactStore, bool, String) = match &found {
        Found::Folder(found) => (&found.run, &found.store, false, found.folder.display().to_string()),
        Found::Kept { run, state, store } => (run, store, true, format!("{} ({run}/{state})", args.at)),
    };
    let case = Case {
        opened: OpenRun::open(run, store, kept)?,
        repository: repository.as_ref().map(|repository| repository as &dyn Repository),
        head,
        keys: &keys,
    };
    let ids = match reverts::beside(&case.opened) {
        Some(start) => kin(&start, args, global, repository.as_ref()),
        None => Vec::new(),
    };
    let others: Vec<OpenRun<'_>> = ids.iter().filter_map(|kin| kin.open().ok()).collect();
    let proof = prove_beside(&case, &source, &others);
    output.show(&proof, |out| show(&proof, out))?;
    Ok(proof.result.exit_code())
}

impl Found {
    fn open(&self) -> Result<OpenRun<'_>, StoreError> {
        match self {
            Self::Folder(found) => OpenRun::open(&found.run, &found.store, false),
            Self::Kept { run, store, .. } => OpenRun::open(run, store, true),
        }
    }
}

/// Finds runs whose ids begin so: in the artifacts folder, else among those that are kept.
fn kin(start: &str, args: &VerifyArgs, global: &Global, repository: Option<&GitRepository>) -> Vec<Found> {
    let runs = session::runs(global).unwrap_or_default().into_iter();
    let here: Vec<Found> = runs
        .filter(|run| run.as_str().starts_with(start))
        .filter_map(|run| session::find_run(global, Some(run.as_str())).ok().map(Found::Folder))
        .collect();
    if !here.is_empty() {
        return here;
    }
    let Some(repository) = repository else { return Vec::new() };
    let kept = keep::kept(repository, &args.at).unwrap_or_default();
    let ids: BTreeSet<RunId> =
        kept.into_iter().map(|kept| kept.run).filter(|run| run.as_str().starts_with(start)).collect();
    ids.iter().filter_map(|run| of_kept(args, repository, run).ok().flatten()).collect()
}

/// Returns the newest kept state of a run.
fn of_kept(
    args: &VerifyArgs,
    repository: &GitRepository,
    run: &RunId,
) -> Result<Option<Found>, CommandError> {
    let newest = |store: &MemoryStore| {
        let opened = OpenRun::open(run, store, true).ok()?;
        let stages = opened.chain.manifests.len();
        opened.chain.bodies().map(|manifest| (manifest.timing.started_at.clone(), stages)).max()
    };
    let states = keep::states_of(repository, &args.at, run)?;
    let found = states.into_iter().max_by_key(|(_, store)| newest(store));
    Ok(found.map(|(state, store)| Found::Kept { run: run.clone(), state, store }))
}

fn named_and_kept(
    name: &str,
    args: &VerifyArgs,
    repository: &GitRepository,
) -> Result<Option<Found>, CommandError> {
    name.parse::<RunId>().map_or(Ok(None), |run| of_kept(args, repository, &run))
}

/// Reads public keys.
pub fn keys(files: &[PathBuf]) -> Result<Vec<PublicKey>, CommandError> {
    let read = |path: &PathBuf| {
        let text = fs::read_to_string(path)
            .map_err(|source| IoError { what: format!("read the key {}", path.display()), source })?;
        Ok::<_, CommandError>(PublicKey::from_pem(&text, &path.display().to_string())?)
    };
    files.iter().map(read).collect()
}

fn find(
    args: &VerifyArgs,
    global: &Global,
    repository: Option<&GitRepository>,
) -> Result<(Found, Option<CommitRef>), CommandError> {
    let Some(subject) = args.subject.as_deref() else {
        return Ok((Found::Folder(session::find_run(global, None)?), None));
    };
    if let Some(number) = subject.strip_prefix('#') {
        let repository = repository.ok_or_else(no_repository)?;
        let number = number.parse::<u64>().map_err(|_| UsageError {
            what: format!("`{subject}` is no number of a pull request"),
            help: "Give it as #12.".into(),
        })?;
        let head = resolve::pull_request(repository, number).ok_or_else(|| UsageError {
            what: format!("this clone does not know the head of pull request {number}"),
            help: format!(
                "`git fetch origin pull/{number}/head:refs/pull/{number}/head` gets it; then run this again."
            ),
        })?;
        return of_commit(args, global, repository, head);
    }
    match session::find_run(global, Some(subject)) {
        Ok(found) => Ok((Found::Folder(found), None)),
        Err(error) => match repository.map(|repository| (repository, repository.commit_named(subject))) {
            Some((repository, Ok(head))) => of_commit(args, global, repository, head),
            // The run of a release is named by no commit.
            Some((repository, Err(_))) => match named_and_kept(subject, args, repository)? {
                Some(found) => Ok((found, None)),
                None => Err(UsageError {
                    what: format!("`{subject}` is neither a run nor a commit: {}", error.text()),
                    help: "Name a run (`orch artifacts list`), a commit or branch of this clone, or #NUMBER."
                        .into(),
                }
                .into()),
            },
            None => Err(error),
        },
    }
}

fn no_repository() -> UsageError {
    UsageError {
        what: "commits and pull requests are looked up in a repository, and there is none here".into(),
        help: "Run it in the clone, or with -C FOLDER.".into(),
    }
}

/// Finds the run of a commit: its folder where it is here, else what was kept with the repository.
fn of_commit(
    args: &VerifyArgs,
    global: &Global,
    repository: &GitRepository,
    head: CommitRef,
) -> Result<(Found, Option<CommitRef>), CommandError> {
    let Some(run) = resolve::run_of(repository, &head)? else {
        return Err(UsageError {
            what: format!("the commit {} and its first parents name no run", head.commit),
            help: "Only commits that orch wrote, and commits on top of them, can be proven from a run."
                .into(),
        }
        .into());
    };
    if let Ok(found) = session::find_run(global, Some(run.as_str())) {
        return Ok((Found::Folder(found), Some(head)));
    }
    let mut states = keep::states_of(repository, &args.at, &run)?;
    let of_head = |store: &MemoryStore| {
        let opened = OpenRun::open(&run, store, true);
        let case = opened.map(|opened| Case { opened, repository: None, head: None, keys: &[] });
        let own = case.ok().and_then(|case| case.own_head());
        own.is_some_and(|own| {
            repository.merge_base(&own, &head.commit).is_ok_and(|base| base.is_some_and(|b| b.commit == own))
        })
    };
    let at = states.iter().position(|(_, store)| of_head(store)).or(states.len().checked_sub(1));
    let Some(at) = at else {
        return Err(UsageError {
            what: format!("the files of the run `{run}` are neither here nor below {}", args.at),
            help:
                "Download its run folder and name it, or `orch runs fetch` what was kept with the repository."
                    .into(),
        }
        .into());
    };
    let (state, store) = states.swap_remove(at);
    Ok((Found::Kept { run, state, store }, Some(head)))
}

fn show(proof: &Proof, out: &mut dyn Write) -> io::Result<()> {
    writeln!(out, "{}, from {}", proof.run, plain(&proof.source))?;
    for Checked { name, shows, outcome } in &proof.checks {
        match outcome {
            Outcome::Held { what } => writeln!(out, "  held          {name:<10} {}", plain(what))?,
            Outcome::Failed { problems } => {
                writeln!(out, "  FAILED        {name:<10} it does not hold that {shows}:")?;
                for problem in problems.iter().take(20) {
                    writeln!(out, "                {:<10} - {}", "", plain(problem))?;
                }
                if problems.len() > 20 {
                    writeln!(out, "                {:<10} - and {} more", "", problems.len() - 20)?;
                }
            }
            Outcome::NotMeasured { why, needed } => {
                let mark = if *needed { " (needed)" } else { "" };
                writeln!(out, "  not measured  {name:<10} {}{mark}", plain(why))?;
            }
        }
    }
    people(&proof.people, out)?;
    match proof.result {
        Overall::Held => writeln!(out, "Proven: everything that is needed held."),
        Overall::Failed => writeln!(out, "Not proven: what failed stands above."),
        Overall::NotMeasured => {
            writeln!(out, "Not proven here: something that is needed could not be measured.")
        }
    }
}

fn people(people: &ByPeople, out: &mut dyn Write) -> io::Result<()> {
    match people {
        ByPeople::No { why } => writeln!(out, "  not measured  by people  {}", plain(why)),
        ByPeople::Yes { files, .. } if files.is_empty() => {
            writeln!(out, "  by people     nothing: every byte is the run's")
        }
        ByPeople::Yes { files, added, removed, .. } => {
            writeln!(
                out,
                "  by people     {}, {added} lines added, {removed} removed:",
                count(files.len(), "file")
            )?;
            for HandMade { path, added, removed } in files.iter().take(50) {
                let lines = match (added, removed) {
                    (Some(added), Some(removed)) => format!("+{added} -{removed}"),
                    _ => "not counted".to_owned(),
                };
                writeln!(out, "                {lines:>12}  {}", plain(path))?;
            }
            Ok(())
        }
    }
}
