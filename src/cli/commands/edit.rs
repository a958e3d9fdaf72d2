//! `orch edit`: edits as models write them, made in a folder or for one text.

use std::fs;
use std::io::{self, BufRead as _, Read as _};
use std::path::{Path, PathBuf};

use clap::{Args, Subcommand, ValueEnum};
use globset::{Glob, GlobSet, GlobSetBuilder};
use serde::{Deserialize, Serialize};

use crate::artifact::path::RepoPath;
use crate::artifact::types::change_set::{FileChange, FileMode, FileOp};
use crate::cli::CommandError;
use crate::cli::args::{Format as Printed, Global};
use crate::cli::error::{IoError, UsageError};
use crate::cli::output::Output;
use crate::diagnostic::text::{count, plain};
use crate::diagnostic::{Class, Failure};
use crate::edit::disk::RealDisk;
use crate::edit::format::Format;
use crate::edit::journal::{CommitError, Recovered, commit, recover};
use crate::edit::plan::{Files, Problem, plan};
use crate::edit::{anchor, check, revise};

const AFTER: &str = "\
All files change, or none. A change that does not fit is refused with the reason and the nearest lines, for a model
to act on. What a kill leaves behind is taken back by the next call.

  orch edit apply reply.txt                       edits in any of the formats
  orch edit apply --allow 'src/**' --check -      only check, from standard input
  orch edit apply --seen shown/ reply.txt         fit to what the model saw, then merge onto the files
  orch edit apply --case -                        {path, base_text, seen_text, format, text} in, the new text out

Exit codes: 0 done, 2 usage, 3 refused, 75 another change is being made here, 78 the change is made already.";

/// Edits as models write them
#[derive(Debug, Args)]
pub struct EditArgs {
    #[command(subcommand)]
    command: EditCommand,
}

#[derive(Debug, Subcommand)]
enum EditCommand {
    /// Make edits in a folder: all of them or none
    #[command(after_help = AFTER)]
    Apply(ApplyArgs),
    /// Print a file with the number and hash of each line, for edits that name lines
    Lines {
        /// The file
        file: PathBuf,
    },
}

#[derive(Debug, Args)]
struct ApplyArgs {
    /// The edits; `-` is standard input
    #[arg(default_value = "-")]
    file: PathBuf,
    /// What the edits are written in
    #[arg(long = "edits", value_enum, default_value_t = Written::Auto, value_name = "FORMAT")]
    edits: Written,
    /// Only files that match may change; may be given more than once
    #[arg(long, value_name = "GLOB")]
    allow: Vec<String>,
    /// The folder to change instead of the current one
    #[arg(long, value_name = "FOLDER")]
    root: Option<PathBuf>,
    /// What the model was shown: a folder with the same paths, or one file
    #[arg(long, value_name = "PATH")]
    seen: Option<PathBuf>,
    /// Change nothing, tell whether it would work
    #[arg(long)]
    check: bool,
    /// Read one case as JSON and print the new text
    #[arg(long, conflicts_with_all = ["allow", "root", "seen", "check", "batch"])]
    case: bool,
    /// Read cases, one JSON object a line, and print {id, result, why} for each
    #[arg(long, conflicts_with_all = ["allow", "root", "seen", "check"])]
    batch: bool,
}

/// What edits are written in.
#[derive(Clone, Copy, Debug, PartialEq, Eq, ValueEnum)]
enum Written {
    /// Whatever it looks like
    Auto,
    /// Our own edits in JSON
    Json,
    /// A unified diff
    Udiff,
    /// Search/replace blocks
    Sr,
    /// The envelope that begins with `*** Begin Patch`
    V4a,
}

impl Written {
    const fn name(self) -> &'static str {
        match self {
            Self::Auto => "auto",
            Self::Json => "json",
            Self::Udiff => "udiff",
            Self::Sr => "sr",
            Self::V4a => "v4a",
        }
    }

    fn format(self, text: &str) -> Option<Format> {
        if self == Self::Auto { Format::guess(text) } else { Format::named(self.name()) }
    }
}

/// Edits that were not made.
#[derive(Debug, thiserror::Error)]
#[error("{what}")]
struct NotMade {
    what: String,
    help: &'static str,
    class: Class,
}

impl Failure for NotMade {
    fn class(&self) -> Class {
        self.class
    }

    fn help(&self) -> Option<String> {
        Some(self.help.to_owned())
    }
}

impl Failure for CommitError {
    fn class(&self) -> Class {
        match self {
            Self::Apply(crate::edit::apply::ApplyError::Refused(_)) | Self::Torn { .. } => Class::Denied,
            Self::Apply(crate::edit::apply::ApplyError::Io { .. }) => Class::Internal,
            Self::Busy(_) => Class::Temporary,
        }
    }

    fn help(&self) -> Option<String> {
        Some(match self {
            Self::Apply(_) => "Nothing was changed.".into(),
            Self::Busy(_) => "Try again when it has ended.".into(),
            Self::Torn { .. } => format!(
                "The old contents are beside the files as `.orch-edit-*.old`: put right what you want to keep, then remove those and `{}`.",
                crate::edit::journal::JOURNAL
            ),
        })
    }
}

/// What was done, for programs.
#[derive(Serialize)]
struct Report<'a> {
    applied: bool,
    recovered: usize,
    files: Vec<Changed<'a>>,
    refused: &'a [Problem],
}

#[derive(Serialize)]
struct Changed<'a> {
    path: &'a str,
    op: FileOp,
    mode: FileMode,
    before: Option<String>,
    after: Option<String>,
}

/// One case of a scorer.
#[derive(Deserialize)]
struct Case {
    #[serde(default)]
    id: serde_json::Value,
    path: String,
    base_text: String,
    #[serde(default)]
    seen_text: Option<String>,
    format: String,
    text: String,
}

impl Case {
    fn solve(&self) -> Result<String, String> {
        let seen = self.seen_text.as_ref().unwrap_or(&self.base_text);
        let solved =
            revise::case(&self.path, self.base_text.as_bytes(), seen.as_bytes(), &self.format, &self.text);
        solved.map_err(|why| format!("{}: {why}", why.kind())).and_then(|bytes| {
            String::from_utf8(bytes).map_err(|_| "unfit: the result is not text".to_owned())
        })
    }
}

/// Runs the command.
pub fn run(args: &EditArgs, global: &Global, output: &Output) -> Result<u8, CommandError> {
    match &args.command {
        EditCommand::Apply(args) if args.batch => batch(args, output),
        EditCommand::Apply(args) if args.case => case(args, output),
        EditCommand::Apply(args) => apply(args, global, output),
        EditCommand::Lines { file } => lines(file, output),
    }
}

fn read(file: &Path) -> Result<Vec<u8>, IoError> {
    let mut bytes = Vec::new();
    let done = if file == Path::new("-") {
        io::stdin().read_to_end(&mut bytes).map(drop)
    } else {
        fs::read(file).map(|read| bytes = read)
    };
    done.map_err(|source| IoError { what: format!("read {}", file.display()), source })?;
    Ok(bytes)
}

fn lines(file: &Path, output: &Output) -> Result<u8, CommandError> {
    let bytes = read(file)?;
    let target = crate::edit::locate::target::Target::of(&bytes);
    output.print(|out| {
        for (at, line) in target.shown.iter().enumerate() {
            writeln!(out, "{}:{}| {line}", at + 1, anchor::hash(line))?;
        }
        Ok(())
    })?;
    Ok(0)
}

fn bad_case(error: &serde_json::Error) -> UsageError {
    UsageError {
        what: format!("this is no case: {error}"),
        help: "A case is {path, base_text, seen_text, format, text} as JSON.".into(),
    }
}

fn case(args: &ApplyArgs, output: &Output) -> Result<u8, CommandError> {
    let case: Case = serde_json::from_slice(&read(&args.file)?).map_err(|error| bad_case(&error))?;
    let text = case.solve().map_err(|why| NotMade {
        what: format!("`{}` {}", plain(&case.path), plain(&why)),
        help: "Nothing was printed.",
        class: if why.starts_with("done: ") { Class::Nothing } else { Class::Denied },
    })?;
    output.print_exact(text.as_bytes())?;
    Ok(0)
}

fn batch(args: &ApplyArgs, output: &Output) -> Result<u8, CommandError> {
    let reader: Box<dyn io::BufRead> = if args.file == Path::new("-") {
        Box::new(io::stdin().lock())
    } else {
        let file = fs::File::open(&args.file);
        let file =
            file.map_err(|source| IoError { what: format!("read {}", args.file.display()), source })?;
        Box::new(io::BufReader::new(file))
    };
    let mut printed = Vec::new();
    for line in reader.lines() {
        let line = line.map_err(|source| IoError { what: "read a case".into(), source })?;
        if line.trim().is_empty() {
            continue;
        }
        let case: Case = serde_json::from_str(&line).map_err(|error| bad_case(&error))?;
        let (result, why) = match case.solve() {
            Ok(text) => (Some(text), None),
            Err(why) => (None, Some(why)),
        };
        let answer = serde_json::json!({ "id": case.id, "result": result, "why": why });
        printed.extend_from_slice(answer.to_string().as_bytes());
        printed.push(b'\n');
        if printed.len() > 1 << 20 {
            output.print_exact(&printed)?;
            printed.clear();
        }
    }
    output.print_exact(&printed)?;
    Ok(0)
}

/// The files of a folder; links are seen, never followed.
struct Folder<'a> {
    root: &'a Path,
    seen: Option<&'a Path>,
}

impl Files for Folder<'_> {
    fn now(&self, path: &RepoPath) -> Result<Option<(Vec<u8>, FileMode)>, String> {
        let about = |below: &str| fs::symlink_metadata(self.root.join(below));
        for parent in path.parents() {
            match about(parent) {
                Ok(about) if about.is_dir() => {}
                Ok(_) => return Err(format!("is below `{parent}`, which is no folder")),
                Err(_) => return Ok(None),
            }
        }
        match about(path.as_str()) {
            Ok(about) if about.is_file() => {
                let bytes =
                    fs::read(self.root.join(path.as_str())).map_err(|e| format!("cannot be read: {e}"))?;
                Ok(Some((bytes, mode(&about))))
            }
            Ok(_) => Err("is a link, a folder or a device, which no edit may change".into()),
            Err(_) => Ok(None),
        }
    }

    fn shown(&self, path: &RepoPath) -> Result<Option<Vec<u8>>, String> {
        let Some(seen) = self.seen else { return Ok(None) };
        let file = if seen.is_dir() { seen.join(path.as_str()) } else { seen.to_owned() };
        match fs::read(&file) {
            Ok(bytes) => Ok(Some(bytes)),
            Err(error) if error.kind() == io::ErrorKind::NotFound && seen.is_dir() => Ok(None),
            Err(error) => Err(format!("was shown as `{}`, which cannot be read: {error}", file.display())),
        }
    }
}

#[cfg(unix)]
fn mode(about: &fs::Metadata) -> FileMode {
    use std::os::unix::fs::PermissionsExt as _;
    if about.permissions().mode() & 0o100 != 0 { FileMode::Executable } else { FileMode::Regular }
}

#[cfg(not(unix))]
fn mode(_about: &fs::Metadata) -> FileMode {
    FileMode::Regular
}

fn allowed(globs: &[String]) -> Result<GlobSet, UsageError> {
    let mut set = GlobSetBuilder::new();
    let bad = |error: globset::Error| UsageError {
        what: format!("--allow: {error}"),
        help: "A glob is like `src/**` or `docs/*.md`.".into(),
    };
    for glob in globs {
        set.add(Glob::new(glob).map_err(bad)?);
    }
    set.build().map_err(bad)
}

fn apply(args: &ApplyArgs, global: &Global, output: &Output) -> Result<u8, CommandError> {
    let root = args.root.clone().or_else(|| global.directory.clone()).unwrap_or_else(|| ".".into());
    let root = fs::canonicalize(&root)
        .map_err(|source| IoError { what: format!("open the folder {}", root.display()), source })?;
    let text = String::from_utf8(read(&args.file)?).map_err(|_| UsageError {
        what: "the edits are not UTF-8".into(),
        help: "Save them as UTF-8.".into(),
    })?;
    let format = args.edits.format(&text).ok_or_else(|| UsageError {
        what: "the text is in no format of edits that is known".into(),
        help: "Formats are json, udiff, sr and v4a; `--edits` names one.".into(),
    })?;
    let edits = format.read(&text).map_err(|unread| UsageError {
        what: format!("the edits cannot be read as `{}`: {unread}", format.name()),
        help: "`--edits` names another format; nothing was changed.".into(),
    })?;
    // What an earlier call left is mended before anything is read.
    let recovered = tell(recover(&RealDisk, &root)?, output);
    let globs = allowed(&args.allow)?;
    let allow = |path: &RepoPath| args.allow.is_empty() || globs.is_match(path.as_str());
    let files = Folder { root: &root, seen: args.seen.as_deref() };
    match plan(edits, &files, &allow) {
        Err(problems) => refused(&problems, recovered, output),
        Ok(changes) => {
            if args.check {
                check(&crate::edit::apply::FolderPlace(&root), &changes).map_err(CommitError::Apply)?;
            } else {
                commit(&RealDisk, &root, &changes)?;
            }
            done(&changes, args.check, recovered, output)
        }
    }
}

fn tell(recovered: Recovered, output: &Output) -> usize {
    match recovered {
        Recovered::Nothing => 0,
        Recovered::TakenBack(files) => {
            output.note(&format!(
                "an earlier change of {} was interrupted and is taken back",
                count(files, "file")
            ));
            files
        }
        Recovered::Finished(files) => {
            output.note(&format!(
                "an earlier change of {} was made; its traces are removed",
                count(files, "file")
            ));
            files
        }
    }
}

fn refused(problems: &[Problem], recovered: usize, output: &Output) -> Result<u8, CommandError> {
    let all_done = problems.iter().all(|problem| problem.kind == "done");
    if output.format == Printed::Json {
        output.print_json(&Report { applied: false, recovered, files: Vec::new(), refused: problems })?;
        return Ok(if all_done { Class::Nothing } else { Class::Denied }.exit_code());
    }
    output.print(|out| {
        for problem in problems {
            writeln!(out, "{}: `{}` {}", problem.kind, plain(&problem.path), plain(&problem.why))?;
        }
        Ok(())
    })?;
    let (what, class) = if all_done {
        ("the change is made already".to_owned(), Class::Nothing)
    } else {
        (format!("the edits are refused for {}", count(problems.len(), "file")), Class::Denied)
    };
    Err(NotMade { what, help: "Nothing was changed.", class }.into())
}

fn done(changes: &[FileChange], check: bool, recovered: usize, output: &Output) -> Result<u8, CommandError> {
    let digest = |digest: &Option<crate::artifact::digest::Digest>| digest.as_ref().map(ToString::to_string);
    let files = changes.iter().map(|change| Changed {
        path: change.path.as_str(),
        op: change.op,
        mode: change.mode,
        before: digest(&change.before),
        after: digest(&change.after),
    });
    let report = Report { applied: !check, recovered, files: files.collect(), refused: &[] };
    output.show(&report, |out| {
        for change in changes {
            let what = match change.op {
                FileOp::Create => "created",
                FileOp::Modify => "changed",
                FileOp::Delete => "deleted",
            };
            writeln!(out, "{what} {}", plain(change.path.as_str()))?;
        }
        let files = count(changes.len(), "file");
        if check { writeln!(out, "{files} would change.") } else { writeln!(out, "{files}.") }
    })?;
    Ok(0)
}
