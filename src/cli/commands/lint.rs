//! `orch lint`: workflows and actions of GitHub, checked without running anything.

use std::ffi::OsString;
use std::fs;
use std::io::{self, Write};
use std::path::{Path, PathBuf};

use clap::{Args, ValueEnum};
use serde::Serialize;

use crate::artifact::digest::Digest;
use crate::artifact::types::policy_input::{Subject, SubjectKind};
use crate::artifact::types::verdict::{Decision, Finding, Severity, Verdict};
use crate::cli::CommandError;
use crate::cli::args::{Format, Global};
use crate::cli::error::{IoError, UsageError};
use crate::cli::output::Output;
use crate::cli::session;
use crate::config::env::Environment;
use crate::diagnostic::Class;
use crate::diagnostic::text::{count, plain};
use crate::lint::{Files, Outcome, codes, lint};
use crate::ports::clock::{Clock as _, SystemClock};
use crate::report::verdict::{Options, VerdictFormat, render};

/// Check workflows and actions of GitHub against what is known to go wrong
///
/// Proves for every job that no two of model key, repository code and write token meet in it, and looks for text of strangers
/// in scripts, unpinned actions, gates that do not gate, and more; `orch explain CODE` tells about each. Nothing is run and
/// nothing is fetched. Without a path: every workflow below .github/workflows and every action.yml. Exit code 3 when
/// something was found, 2 when a file cannot be read.
#[derive(Debug, Args)]
pub struct LintArgs {
    /// Files, or folders to look through for workflows and actions
    paths: Vec<PathBuf>,
    /// The form; `--format` takes the same words here
    #[arg(long = "as", value_enum, value_name = "FORM")]
    form: Option<LintFormat>,
    /// Leave out findings that are less severe
    #[arg(long, value_enum, value_name = "SEVERITY", default_value = "low")]
    severity: Least,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq, ValueEnum)]
enum LintFormat {
    /// Text for people
    Human,
    /// One JSON document
    Json,
    /// SARIF 2.1.0, for code scanning
    Sarif,
    /// Annotations: workflow commands of GitHub Actions
    Github,
}

#[derive(Clone, Copy, Debug, ValueEnum)]
enum Least {
    Low,
    Medium,
    High,
    Critical,
}

#[derive(Serialize)]
struct Document<'a> {
    files: usize,
    rules: usize,
    findings: &'a [Finding],
    #[serde(skip_serializing_if = "<[_]>::is_empty")]
    unreadable: &'a [(String, String)],
}

/// Lets `orch lint --format sarif` mean what it says: the forms that only lint has are those of `--as`.
pub fn rephrase(words: impl Iterator<Item = OsString>) -> Vec<OsString> {
    let mut words: Vec<OsString> = words.collect();
    let named = words.iter().skip(1).find(|word| !word.to_string_lossy().starts_with('-'));
    if named.is_none_or(|word| word != "lint") {
        return words;
    }
    for at in 1..words.len() {
        let word = words[at].to_string_lossy().into_owned();
        let next = words.get(at + 1).map(|next| next.to_string_lossy().into_owned()).unwrap_or_default();
        match word.strip_prefix("--format") {
            Some("") if matches!(next.as_str(), "sarif" | "github") => words[at] = "--as".into(),
            Some("=sarif" | "=github") => words[at] = word.replacen("--format", "--as", 1).into(),
            _ => {}
        }
    }
    words
}

/// Lints, prints, and ends with 0, 2 or 3.
pub fn run(args: &LintArgs, global: &Global, output: &Output) -> Result<u8, CommandError> {
    let root = session::folder(global)?;
    let files = gather(&root, &args.paths)?;
    let today = SystemClock::new(Environment::of_process().fixed_time()?).now().to_string();
    let mut outcome = lint(&files, today.get(..10));
    let least = match args.severity {
        Least::Low => Severity::Low,
        Least::Medium => Severity::Medium,
        Least::High => Severity::High,
        Least::Critical => Severity::Critical,
    };
    outcome.findings.retain(|found| found.severity >= least);
    let form = args.form.unwrap_or(match output.format {
        Format::Json => LintFormat::Json,
        Format::Human => LintFormat::Human,
    });
    match form {
        LintFormat::Human => output.print(|out| human(&outcome, files.len(), out))?,
        LintFormat::Json => output.print_json(&Document {
            files: files.len(),
            rules: codes().len(),
            findings: &outcome.findings,
            unreadable: &outcome.unreadable,
        })?,
        LintFormat::Sarif => output.print(|out| sarif(&outcome, out))?,
        LintFormat::Github => {
            output
                .print(|out| render(&verdict(&outcome), VerdictFormat::Github, &Options::default(), out))?;
        }
    }
    if let Some((path, why)) = outcome.unreadable.first() {
        return Err(UsageError {
            what: format!("`{path}` {why}"),
            help: format!(
                "Mend it, or leave it out; {} could not be looked at.",
                count(outcome.unreadable.len(), "file")
            ),
        }
        .into());
    }
    Ok(if outcome.findings.is_empty() { 0 } else { Class::Denied.exit_code() })
}

/// The largest file that is read; GitHub takes half of it.
const LARGEST: u64 = 1 << 20;

fn gather(root: &Path, paths: &[PathBuf]) -> Result<Files, CommandError> {
    let mut files = Files::new();
    let given: Vec<PathBuf> = if paths.is_empty() { vec![PathBuf::from(".")] } else { paths.to_vec() };
    for path in &given {
        let whole = root.join(path);
        if whole.is_dir() {
            // A folder named by hand may hold workflows under any name; the whole repository only where GitHub looks.
            walk(root, &whole, paths.is_empty(), &mut files)?;
        } else {
            let name = shown(root, &whole);
            files.insert(name, read(&whole)?);
        }
    }
    if files.is_empty() {
        return Err(UsageError {
            what: "there is no workflow and no action here".into(),
            help: "Name files or folders, or go to the root of a repository with .github/workflows.".into(),
        }
        .into());
    }
    Ok(files)
}

fn walk(root: &Path, folder: &Path, whole: bool, files: &mut Files) -> Result<(), CommandError> {
    for entry in ignore::WalkBuilder::new(folder)
        .hidden(false)
        .filter_entry(|entry| entry.file_name() != ".git")
        .build()
    {
        let Ok(entry) = entry else { continue };
        let path = entry.path();
        if !entry.file_type().is_some_and(|kind| kind.is_file())
            || !path.extension().is_some_and(|e| e == "yml" || e == "yaml")
        {
            continue;
        }
        let name = shown(root, path);
        let is_action = path.file_stem().is_some_and(|stem| stem == "action");
        let is_workflow = name.starts_with(".github/workflows/") && name.matches('/').count() == 2;
        if is_action || is_workflow {
            files.insert(name, read(path)?);
        } else if !whole {
            let bytes = read(path)?;
            let text = String::from_utf8_lossy(&bytes);
            if text.lines().any(|line| line.starts_with("jobs:"))
                || text.lines().any(|line| line.starts_with("runs:"))
            {
                files.insert(name, bytes);
            }
        }
    }
    Ok(())
}

fn shown(root: &Path, path: &Path) -> String {
    let path = path.strip_prefix(root).unwrap_or(path);
    let path = path.strip_prefix(".").unwrap_or(path).to_string_lossy().replace('\\', "/");
    path.trim_start_matches("./").to_owned()
}

fn read(path: &Path) -> Result<Vec<u8>, CommandError> {
    let fail = |source| IoError { what: format!("read {}", path.display()), source };
    match fs::metadata(path) {
        Err(source) if source.kind() == io::ErrorKind::NotFound => {
            return Err(UsageError {
                what: format!("there is no file {}", path.display()),
                help: "Name a workflow or an action.".into(),
            }
            .into());
        }
        Err(source) => return Err(fail(source).into()),
        Ok(found) if found.len() > LARGEST => {
            return Err(UsageError {
                what: format!("{} is larger than 1 MiB", path.display()),
                help: "GitHub takes 500 KB; it is no workflow.".into(),
            }
            .into());
        }
        Ok(_) => {}
    }
    Ok(fs::read(path).map_err(fail)?)
}

fn human(outcome: &Outcome, files: usize, out: &mut dyn Write) -> io::Result<()> {
    for found in &outcome.findings {
        let number = found.line.unwrap_or(1).to_string();
        let width = number.len();
        writeln!(out, "{}[{}]: {}", found.severity.as_str(), found.code, plain(&found.message))?;
        let path = found.path.as_deref().unwrap_or_default();
        writeln!(out, "{:width$}--> {}:{number}:{}", "", plain(path), found.column.unwrap_or(1))?;
        if let Some(line) = &found.evidence {
            writeln!(out, "{:width$} |\n{number} | {}", "", plain(line))?;
        }
        writeln!(out, "{:width$} = help: {}\n", "", plain(&found.help))?;
    }
    let looked = format!("{} asked about {}", count(codes().len(), "rule"), count(files, "file"));
    if outcome.findings.is_empty() {
        return writeln!(out, "nothing found: {looked}");
    }
    let tally: Vec<String> = [Severity::Critical, Severity::High, Severity::Medium, Severity::Low]
        .into_iter()
        .filter_map(|severity| {
            let n = outcome.findings.iter().filter(|found| found.severity == severity).count();
            (n > 0).then(|| format!("{n} {}", severity.as_str()))
        })
        .collect();
    writeln!(
        out,
        "{}: {}; {looked}; `orch explain CODE` tells more",
        count(outcome.findings.len(), "finding"),
        tally.join(", ")
    )
}

/// The findings in the form that the renderers of verdicts read.
fn verdict(outcome: &Outcome) -> Verdict {
    let nothing = Digest::of(b"");
    Verdict {
        subject: Subject { kind: SubjectKind::Tree, base: None, head: None },
        decision: if outcome.findings.is_empty() { Decision::Allow } else { Decision::Deny },
        findings: outcome.findings.clone(),
        set_aside: Vec::new(),
        bundle: nothing.clone(),
        input: nothing,
        rules: codes().into_iter().map(str::to_owned).collect(),
        skipped: Vec::new(),
    }
}

fn sarif(outcome: &Outcome, out: &mut dyn Write) -> io::Result<()> {
    let environment = Environment::of_process();
    let repository = environment.repository();
    let options = Options { repository: repository.as_deref(), ..Options::default() };
    let mut text = Vec::new();
    render(&verdict(outcome), VerdictFormat::Sarif, &options, &mut text)?;
    let mut document: serde_json::Value = serde_json::from_slice(&text)?;
    // A category of its own, so that code scanning keeps the alerts of both; there was no decision and no bundle.
    if let Some(run) = document.pointer_mut("/runs/0").and_then(|run| run.as_object_mut()) {
        run.insert("automationDetails".into(), serde_json::json!({ "id": "orch/lint/" }));
        run.remove("properties");
    }
    let text = serde_json::to_string_pretty(&document)?;
    writeln!(out, "{}", text.replace("##[", "\\u0023#["))
}
