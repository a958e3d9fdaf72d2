//! `orch compile`: pipeline definitions become reusable workflows of GitHub.

use std::fs;
use std::path::{Path, PathBuf};

use clap::Args;

use crate::cli::CommandError;
use crate::cli::args::Global;
use crate::cli::error::{IoError, UsageError};
use crate::cli::output::Output;
use crate::cli::session;
use crate::compile::{Compiled, Origin, caller, compile, shipped};
use crate::diagnostic::text::count;

/// Make reusable workflows of GitHub from pipeline definitions
///
/// One job for each stage and round; rights, powers, conditions, time-outs and the hand-over of files follow from what each
/// stage declares (`orch stages`). Without a definition, those of this program: change, code-build-test,
/// indexing and review.
#[derive(Debug, Args)]
pub struct CompileArgs {
    /// Definitions, as .orch/workflows/change.yml; without one, those of this program
    definitions: Vec<PathBuf>,
    /// Write into this folder
    #[arg(long, value_name = "FOLDER", default_value = ".github/workflows")]
    out: PathBuf,
    /// Write nothing; end with 2 when a workflow is not what would be written
    #[arg(long)]
    check: bool,
    /// The commit or tag of orch whose action the workflows use; absent, that of this program
    #[arg(long, value_name = "REF")]
    pin: Option<String>,
    /// Print the workflows instead of writing them
    #[arg(long, conflicts_with = "check")]
    print: bool,
}

/// Writes, prints or compares the workflows.
pub fn run(args: &CompileArgs, global: &Global, output: &Output) -> Result<u8, CommandError> {
    let root = session::folder(global)?;
    let files = made(args, &root)?;
    if args.print {
        output.show(&files.iter().map(|file| &file.text).collect::<Vec<_>>(), |out| {
            files.iter().try_for_each(|file| writeln!(out, "--- {}\n{}", file.name, file.text))
        })?;
        return Ok(0);
    }
    let folder = root.join(&args.out);
    let drifted: Vec<&Compiled> = files
        .iter()
        .filter(|file| fs::read(folder.join(&file.name)).ok().as_deref() != Some(file.text.as_bytes()))
        .collect();
    if args.check && !drifted.is_empty() {
        let names: Vec<&str> = drifted.iter().map(|file| file.name.as_str()).collect();
        return Err(UsageError {
            what: format!("workflows are not what their definitions say: {}", names.join(", ")),
            help: "`orch compile` writes them again.".into(),
        }
        .into());
    }
    for file in &drifted {
        write(&folder, file)?;
    }
    let names: Vec<&str> = drifted.iter().map(|file| file.name.as_str()).collect();
    output.show(&names, |out| {
        let what = count(files.len(), "workflow");
        writeln!(out, "{what}, {} written to {}.", drifted.len(), args.out.display())
    })?;
    Ok(0)
}

fn made(args: &CompileArgs, root: &Path) -> Result<Vec<Compiled>, CommandError> {
    let origin = origin(args, root)?;
    if args.definitions.is_empty() {
        return Ok(shipped(&origin)?);
    }
    let mut all = Vec::new();
    for path in &args.definitions {
        let text = fs::read_to_string(root.join(path))
            .map_err(|source| IoError { what: format!("read {}", path.display()), source })?;
        let name = path.file_name().map(|name| name.to_string_lossy().into_owned()).unwrap_or_default();
        all.extend(compile(&name, &text, &origin)?);
    }
    Ok(all)
}

/// Beside the action itself, workflows use it as of their own commit; anywhere else, that of a release.
fn origin(args: &CompileArgs, root: &Path) -> Result<Origin, CommandError> {
    match &args.pin {
        None if root.join("action.yml").is_file() && root.join("action/binaries.txt").is_file() => {
            Ok(Origin::Own)
        }
        None => Ok(Origin::Release(caller::reference())),
        Some(pin)
            if !pin.is_empty() && pin.chars().all(|c| c.is_ascii_alphanumeric() || "._-".contains(c)) =>
        {
            Ok(Origin::Release(pin.clone()))
        }
        Some(pin) => Err(UsageError {
            what: format!("`{pin}` is no commit and no tag"),
            help: "Name the full commit of a release of orch.".into(),
        }
        .into()),
    }
}

/// Writes beside, then renames: a workflow is never half there.
fn write(folder: &Path, file: &Compiled) -> Result<(), CommandError> {
    let path = folder.join(&file.name);
    let fail = |source| IoError { what: format!("write {}", path.display()), source };
    fs::create_dir_all(folder).map_err(fail)?;
    let beside = folder.join(format!(".{}.new", file.name));
    fs::write(&beside, &file.text).map_err(fail)?;
    Ok(fs::rename(&beside, &path).map_err(fail)?)
}
