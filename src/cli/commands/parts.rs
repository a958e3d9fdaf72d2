//! `orch artifacts part` and `orch artifacts merge`: the files of a stage on their way to the next job.

use std::fs;
use std::path::{Path, PathBuf};

use clap::Args;
use serde::Serialize;

use crate::artifact::chain::Chain;
use crate::artifact::id::{Round, RunId, StageId};
use crate::artifact::store::{ArtifactStore as _, DirStore};
use crate::cli::args::Global;
use crate::cli::error::{IoError, UsageError};
use crate::cli::output::Output;
use crate::cli::{CommandError, session};
use crate::diagnostic::Class;
use crate::diagnostic::text::{count, plain};
use crate::pipeline::earlier;
use crate::pipeline::parts::{self, PartFiles};

/// A stage of a run.
#[derive(Debug, Args)]
struct StageOfRun {
    /// The stage
    stage: StageId,
    /// The round of a stage in a loop
    #[arg(long, value_name = "N", default_value = "1")]
    round: u32,
    /// The run: its id, the start of its id, or its folder; absent: the newest
    #[arg(long, value_name = "RUN")]
    run: Option<String>,
}

/// Copy the files of one stage, to hand them to the next job
#[derive(Debug, Args)]
pub struct PartArgs {
    #[command(flatten)]
    of: StageOfRun,
    /// Make the copy in this folder
    #[arg(long, value_name = "FOLDER")]
    into: PathBuf,
}

/// Put a run together from the parts of earlier jobs
#[derive(Debug, Args)]
pub struct MergeArgs {
    /// The folder that holds the parts, each in a folder of its own
    parts: PathBuf,
}

/// Take over what earlier attempts of a stage spent, before it runs again; nothing else of them
#[derive(Debug, Args)]
pub struct SpentArgs {
    #[command(flatten)]
    of: StageOfRun,
    /// The folder with what those attempts handed over, each in a folder of its own
    #[arg(long, value_name = "FOLDER")]
    from: PathBuf,
}

#[derive(Serialize)]
struct Taken<'a> {
    run: &'a RunId,
    /// The ledger; absent: they spent nothing.
    ledger: Option<&'a str>,
}

#[derive(Serialize)]
struct Done<'a> {
    run: &'a RunId,
    files: usize,
    folder: &'a Path,
}

impl StageOfRun {
    fn round(&self) -> Result<Round, UsageError> {
        let wrong = || UsageError { what: "the round is wrong".into(), help: "Rounds count from 1.".into() };
        Round::new(self.round).ok_or_else(wrong)
    }
}

/// Takes the ledger of earlier attempts into the run.
pub fn spent(args: &SpentArgs, global: &Global, output: &Output) -> Result<u8, CommandError> {
    let of = (args.of.stage, args.of.round()?);
    let found = session::find_run(global, args.of.run.as_deref())?;
    let ledger = earlier::ledger(&read(&args.from)?, &found.run, of)?;
    if let Some((path, bytes)) = &ledger {
        match found.store.read(path)? {
            Some(have) if have == *bytes => {}
            Some(_) => {
                return Err(UsageError {
                    what: format!("the run `{}` has a `{path}` of its own already", found.run),
                    help: "Take it over before the stage runs.".into(),
                }
                .into());
            }
            None => found.store.write(path, bytes)?,
        }
    }
    let taken = Taken { run: &found.run, ledger: ledger.as_ref().map(|(path, _)| path.as_str()) };
    output.show(&taken, |out| match taken.ledger {
        Some(path) => writeln!(out, "{path} of earlier attempts is in the run; what they spent counts."),
        None => writeln!(out, "No earlier attempt of {} spent anything.", args.of.stage),
    })?;
    Ok(0)
}

/// Copies the files of a stage.
pub fn part(args: &PartArgs, global: &Global, output: &Output) -> Result<u8, CommandError> {
    let round = args.of.round()?;
    let found = session::find_run(global, args.of.run.as_deref())?;
    let target = DirStore::new(args.into.join(found.run.as_str()));
    let mut copied = 0;
    for path in found.store.list()? {
        if parts::owner(&path) == Some((args.of.stage, round))
            && let Some(bytes) = found.store.read(&path)?
        {
            target.write(&path, &bytes)?;
            copied += 1;
        }
    }
    if copied == 0 {
        return Err(UsageError {
            what: format!(
                "the run `{}` has no file of {} in round {}",
                found.run, args.of.stage, args.of.round
            ),
            help: "Run the stage first; `orch artifacts verify` tells which stages are finished.".into(),
        }
        .into());
    }
    let done = Done { run: &found.run, files: copied, folder: &args.into };
    output.show(&done, |out| {
        writeln!(out, "{} of {} copied to {}.", count(copied, "file"), args.of.stage, args.into.display())
    })?;
    Ok(0)
}

/// The most a part may hold: a run folder is small, and a job that runs foreign code made it.
const MOST_BYTES: u64 = 512 << 20;
const MOST_FILES: usize = 20_000;

/// Puts a run together in the artifacts folder.
pub fn merge(args: &MergeArgs, global: &Global, output: &Output) -> Result<u8, CommandError> {
    let merged = parts::merge(read(&args.parts)?)?;
    let session = session::Session::open(global)?;
    let _lock = session.lock(&merged.run)?;
    let folder = session.folder(&merged.run);
    let store = DirStore::new(&folder);
    for (path, bytes) in &merged.files {
        match store.read(path)? {
            Some(have) if have == *bytes => {}
            Some(_) => {
                return Err(UsageError {
                    what: format!("`{path}` of the run `{}` is there already, and is another", merged.run),
                    help: "Merge into an empty artifacts folder: --artifacts FOLDER.".into(),
                }
                .into());
            }
            None => store.write(path, bytes)?,
        }
    }
    let chain = Chain::read(&store, &merged.run)?;
    let done = Done { run: &merged.run, files: merged.files.len(), folder: &folder };
    output.show(&done, |out| {
        for broken in &chain.breaks {
            writeln!(out, "broken: `{}` {}", plain(&broken.path), plain(&broken.why))?;
        }
        writeln!(
            out,
            "{} of {} parts are in {}.",
            count(merged.files.len(), "file"),
            merged.parts.len(),
            folder.display()
        )
    })?;
    Ok(if chain.breaks.is_empty() { 0 } else { Class::Denied.exit_code() })
}

fn read(root: &Path) -> Result<PartFiles, CommandError> {
    let (mut files, mut left) = (PartFiles::new(), MOST_BYTES);
    for entry in ignore::WalkBuilder::new(root).standard_filters(false).build() {
        let entry = entry.map_err(|error| UsageError {
            what: format!("the folder {} cannot be read: {error}", root.display()),
            help: "Name the folder the parts were downloaded to.".into(),
        })?;
        // Links and other things that are no files are of no stage.
        if !entry.file_type().is_some_and(|kind| kind.is_file()) {
            continue;
        }
        let path = entry.path();
        let fail = |source| IoError { what: format!("read {}", path.display()), source };
        let size = fs::metadata(path).map_err(fail)?.len();
        if size > left || files.len() >= MOST_FILES {
            return Err(UsageError {
                what: format!("the parts in {} hold more than a run does", root.display()),
                help: "A run has at most 512 MiB in 20,000 files; look which job made so much.".into(),
            }
            .into());
        }
        left -= size;
        let name = path.strip_prefix(root).unwrap_or(path).to_string_lossy().replace('\\', "/");
        files.insert(name, fs::read(path).map_err(fail)?);
    }
    Ok(files)
}
