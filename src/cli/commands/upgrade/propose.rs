//! `orch upgrade propose`: a candidate, fitted to the files it would replace.

use std::fs;
use std::path::{Path, PathBuf};

use clap::Args;
use serde::Serialize;

use crate::agent::prompt::Prompts;
use crate::agent::role::Cast;
use crate::artifact::path::RepoPath;
use crate::artifact::store::DirStore;
use crate::artifact::types::change_set::{FileChange, FileOp};
use crate::cli::CommandError;
use crate::cli::args::Global;
use crate::cli::desk::{self, PROMPTS, ROLES};
use crate::cli::error::IoError;
use crate::cli::output::Output;
use crate::cli::session::{self, Session};
use crate::config::Pack;
use crate::diagnostic::text::{count, plain};
use crate::engine::EngineError;
use crate::engine::template::read_folder;
use crate::ports::vcs::VcsRead as _;
use crate::stage::policy::bundle::{Bundle, SourceFile, Sources};
use crate::upgrade::candidate::{self, Wanted};
use crate::upgrade::types::{Kind, Proposal};
use crate::upgrade::{UpgradeError, files};

/// The largest file of a candidate.
const LARGEST: u64 = 1 << 20;

/// Write down what is to become the default; nothing is changed
///
/// A prompt: files of roles or prompts, by their own front matter. A model: a file in place of models.toml, or --route. Rules:
/// a folder in place of the one pack folder, or an orch.yml that differs in `policy` alone. A template: its folder.
#[derive(Debug, Args)]
pub struct ProposeArgs {
    /// What is to become another
    #[arg(value_enum)]
    kind: Kind,
    /// The candidate: files, or a folder
    candidate: Vec<PathBuf>,
    /// For a model: ask these models for a role, the preferred one first, as builder=anthropic/claude-sonnet-5-5,openai/gpt
    #[arg(long, value_name = "ROLE=MODEL,...")]
    route: Vec<String>,
    /// For rules: the folder of policy.packs they are for, where there are several
    #[arg(long, value_name = "FOLDER")]
    pack: Option<String>,
    /// Why, in a sentence
    #[arg(long, value_name = "TEXT")]
    reason: Option<String>,
}

#[derive(Serialize)]
struct Proposed<'a> {
    upgrade: &'a str,
    kind: Kind,
    folder: String,
    files: Vec<Row<'a>>,
}

#[derive(Serialize)]
struct Row<'a> {
    path: &'a str,
    op: FileOp,
}

/// Proposes.
pub fn run(
    args: &ProposeArgs,
    session: &Session,
    global: &Global,
    output: &Output,
) -> Result<u8, CommandError> {
    let folder = session::folder(global)?;
    let candidates: Vec<PathBuf> = args.candidate.iter().map(|path| folder.join(path)).collect();
    let wanted = match args.kind {
        Kind::Prompt => words(&candidates)?,
        Kind::Model => models(args, &candidates, session)?,
        Kind::Policy => rules(args, &candidates, session)?,
        Kind::Template => templates(&candidates, session)?,
    };
    let base = session.vcs.head()?.commit;
    let proposal = candidate::propose(args.kind, args.reason.clone(), base, &session.root, wanted)?;
    candidate::check(&proposal, &session.config, desk::is_words)?;
    usable(&proposal, session)?;
    let _lock = session.lock(&proposal.id)?;
    let place = session.folder(&proposal.id);
    let store = DirStore::new(&place);
    match files::read::<Proposal>(&store, files::PROPOSAL)? {
        // The same candidate on the same files is the same upgrade.
        Some(read) if read.body.files == proposal.files => {}
        _ => drop(files::write(&store, files::PROPOSAL, &proposal)?),
    }
    let rows = proposal.files.iter().map(|FileChange { path, op, .. }| Row { path: path.as_str(), op: *op });
    let proposed = Proposed {
        upgrade: proposal.id.as_str(),
        kind: proposal.kind,
        folder: place.display().to_string(),
        files: rows.collect(),
    };
    output.show(&proposed, |out| {
        writeln!(out, "{} proposes {}:", proposed.upgrade, count(proposed.files.len(), "file"))?;
        for Row { path, op } in &proposed.files {
            let op = match op {
                FileOp::Create => "create",
                FileOp::Modify => "modify",
                FileOp::Delete => "delete",
            };
            writeln!(out, "  {op}  {}", plain(path))?;
        }
        writeln!(out, "Nothing is changed yet: `orch upgrade evaluate {} --all`.", proposed.upgrade)
    })?;
    Ok(0)
}

/// Refuses a candidate that could not be used once it is in place.
fn usable(proposal: &Proposal, session: &Session) -> Result<(), CommandError> {
    let text = |file: &FileChange| {
        let bytes = file.bytes().ok().flatten().unwrap_or_default();
        (file.path.to_string(), String::from_utf8_lossy(&bytes).into_owned())
    };
    let there = || proposal.files.iter().filter(|file| file.op != FileOp::Delete);
    match proposal.kind {
        Kind::Prompt => {
            let of = |folder: &str| -> Vec<_> {
                there().filter(|file| file.path.as_str().starts_with(folder)).map(text).collect()
            };
            Cast::load(&of(ROLES)).map_err(EngineError::from)?;
            Prompts::load(&of(PROMPTS)).map_err(EngineError::from)?;
        }
        Kind::Model => {
            let bytes = there().next().and_then(|file| file.bytes().ok().flatten());
            let setup = session.models_with(bytes)?;
            for role in [crate::agent::role::ARCHITECT, crate::agent::role::BUILDER] {
                desk::routes(&setup, None, true)?;
                if setup.catalogue.route(role).is_empty() {
                    return Err(UpgradeError::refused(
                        format!("the candidate has no route for `{role}`"),
                        "Name one in [routes].",
                    )
                    .into());
                }
            }
        }
        Kind::Policy => {
            let rules = there().filter(|file| is_rego(file.path.as_str())).map(text);
            let files: Vec<SourceFile> =
                rules.map(|(name, text)| SourceFile { name, bytes: Some(text.into_bytes()) }).collect();
            let bundle = Bundle::parse(&Sources::embedded()?.with(files)?);
            if let Some(broken) = bundle.broken.first() {
                return Err(UpgradeError::refused(
                    format!("a rule of the candidate would deny every change: {}", broken.why),
                    "Mend it: `orch policy test` runs its tests.",
                )
                .into());
            }
        }
        // Templates were read as such already.
        Kind::Template => {}
    }
    Ok(())
}

/// Tells whether a file holds rules.
pub(super) fn is_rego(path: &str) -> bool {
    Path::new(path).extension().is_some_and(|ending| ending == "rego")
}

fn read(path: &Path) -> Result<Vec<u8>, CommandError> {
    let io = |source| IoError { what: format!("read {}", path.display()), source };
    let about = fs::metadata(path).map_err(io)?;
    if !about.is_file() || about.len() > LARGEST {
        return Err(UpgradeError::refused(
            format!("{} is no regular file of at most {LARGEST} bytes", path.display()),
            "Name the files of the candidate.",
        )
        .into());
    }
    Ok(fs::read(path).map_err(io)?)
}

fn repo_path(text: String) -> Result<RepoPath, CommandError> {
    Ok(text.parse::<RepoPath>().map_err(|error| {
        UpgradeError::refused(error.to_string(), "Give the file a name of letters, digits, dots and hyphens.")
    })?)
}

/// Files of roles and prompts, each to where its front matter says it belongs.
fn words(candidates: &[PathBuf]) -> Result<Wanted, CommandError> {
    let mut wanted = Wanted::new();
    for path in candidates {
        let bytes = read(path)?;
        let text = String::from_utf8_lossy(&bytes).into_owned();
        let named = |key: &str| {
            let lines = text.lines().skip(1).take_while(|line| *line != "---");
            let mut values = lines.filter_map(|line| line.strip_prefix(key)?.strip_prefix(':'));
            values.next().map(|value| value.trim().to_owned())
        };
        let place = match (named("step"), named("name")) {
            (Some(step), _) => format!("{PROMPTS}{step}.md"),
            (None, Some(name)) => format!("{ROLES}{name}.md"),
            (None, None) => {
                return Err(UpgradeError::refused(
                    format!("{} is neither a prompt nor a role", path.display()),
                    "A prompt names its `step`, a role its `name`, between two lines `---` at the top.",
                )
                .into());
            }
        };
        wanted.insert(repo_path(place)?, Some(bytes));
    }
    some(wanted)
}

fn some(wanted: Wanted) -> Result<Wanted, CommandError> {
    if wanted.is_empty() {
        let help = "Name the candidate's files or folder, or for a model --route.";
        return Err(UpgradeError::refused("no candidate is named", help).into());
    }
    Ok(wanted)
}

fn models(args: &ProposeArgs, candidates: &[PathBuf], session: &Session) -> Result<Wanted, CommandError> {
    let place = repo_path(session.config.models.file.clone())?;
    let mut text = match candidates {
        [] if args.route.is_empty() => return some(Wanted::new()),
        [] => fs::read(session.root.join(place.as_str())).unwrap_or_default(),
        [file] => read(file)?,
        _ => return Err(UpgradeError::refused("more than one file of models is named", "Name one.").into()),
    };
    for route in &args.route {
        let refused = || {
            UpgradeError::refused(
                format!("`{route}` is no route"),
                "Write it as ROLE=PROVIDER/MODEL, several models with a comma between.",
            )
        };
        let (role, models) = route.split_once('=').ok_or_else(refused)?;
        let models: Vec<String> = models.split(',').map(str::to_owned).collect();
        if role.parse::<crate::artifact::id::Slug>().is_err() || models.iter().any(|m| !m.contains('/')) {
            return Err(refused().into());
        }
        text = candidate::route(&String::from_utf8_lossy(&text), role, &models).into_bytes();
    }
    Ok(Wanted::from([(place, Some(text))]))
}

/// A folder of rules in place of the one that is there, or another `orch.yml`.
fn rules(args: &ProposeArgs, candidates: &[PathBuf], session: &Session) -> Result<Wanted, CommandError> {
    let [candidate] = candidates else { return some(Wanted::new()) };
    if candidate.is_file() {
        return Ok(Wanted::from([(repo_path(crate::config::FILE_NAME.into())?, Some(read(candidate)?))]));
    }
    let packs: Vec<&str> = session.config.policy.packs.iter().filter_map(Pack::folder).collect();
    let pack = match (&args.pack, packs.as_slice()) {
        (Some(pack), packs) if packs.contains(&pack.as_str()) => pack.as_str(),
        (None, [pack]) => pack,
        _ => {
            return Err(UpgradeError::refused(
                "it is not said which folder of `policy.packs` the rules are for",
                "Name it with --pack, or propose an orch.yml that names the folder.",
            )
            .into());
        }
    };
    let pack = pack.trim_start_matches("./").trim_end_matches('/');
    let mut wanted = Wanted::new();
    for (below, _) in below(&session.root.join(pack))?.into_iter().filter(|(path, _)| is_rego(path)) {
        wanted.insert(repo_path(format!("{pack}/{below}"))?, None);
    }
    for (below, bytes) in below(candidate)?.into_iter().filter(|(path, _)| is_rego(path)) {
        wanted.insert(repo_path(format!("{pack}/{below}"))?, Some(bytes));
    }
    some(wanted)
}

fn templates(candidates: &[PathBuf], session: &Session) -> Result<Wanted, CommandError> {
    let [candidate] = candidates else { return some(Wanted::new()) };
    let Some(folder) = session.config.templates.folders.first() else {
        return Err(UpgradeError::refused(
            "`templates.folders` names no folder, so there is no place for a template",
            "Name one in orch.yml first.",
        )
        .into());
    };
    let folder = folder.trim_start_matches("./").trim_end_matches('/');
    let name = candidate.file_name().map(|name| name.to_string_lossy().into_owned()).unwrap_or_default();
    let above = candidate.parent().unwrap_or(candidate);
    let sources = read_folder(above)?;
    let Some(source) = sources.into_iter().find(|source| source.name == name) else {
        return Err(UpgradeError::refused(
            format!("{} is no template", candidate.display()),
            "A template is a folder with a `template.yml`.",
        )
        .into());
    };
    let mut wanted = Wanted::new();
    let place = session.root.join(folder).join(&name);
    if place.is_dir() {
        for (below, _) in below(&place)? {
            wanted.insert(repo_path(format!("{folder}/{name}/{below}"))?, None);
        }
    }
    for (below, bytes) in source.files {
        wanted.insert(repo_path(format!("{folder}/{name}/{below}"))?, Some(bytes));
    }
    Ok(wanted)
}

/// Returns the regular files of a folder by their path in it; links are left out.
fn below(folder: &Path) -> Result<Vec<(String, Vec<u8>)>, CommandError> {
    let (mut files, mut folders) = (Vec::new(), vec![folder.to_owned()]);
    while let Some(next) = folders.pop() {
        let entries = fs::read_dir(&next)
            .map_err(|source| IoError { what: format!("list {}", next.display()), source })?;
        for entry in entries.flatten() {
            let path = entry.path();
            match entry.file_type() {
                Ok(kind) if kind.is_dir() => folders.push(path),
                Ok(kind) if kind.is_file() => {
                    let below = path.strip_prefix(folder).unwrap_or(&path).to_string_lossy().into_owned();
                    files.push((below, read(&path)?));
                }
                _ => {}
            }
        }
        if files.len() > 1000 {
            return Err(UpgradeError::refused(
                format!("{} has more than 1000 files", folder.display()),
                "Name the folder of the candidate.",
            )
            .into());
        }
    }
    Ok(files)
}
