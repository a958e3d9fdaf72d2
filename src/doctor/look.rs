//! Looks at one thing after the other and says how each stands.

use std::fs;
use std::path::{Path, PathBuf};

use super::{Check, Patient, Report, State, programs};
use crate::artifact::types::verification::MeasureState;
use crate::config::{Config, EngineChoice};
use crate::diagnostic::Failure;
use crate::ports::vcs::{EntryKind, VcsError, VcsRead};

/// Looks at everything; the order is that of the table.
pub fn look(patient: &Patient<'_>) -> Report {
    let fallback = Config::default();
    let config = patient.config.map_or(&fallback, |loaded| &loaded.config);
    let mut checks = vec![config_file(patient)];
    checks.extend(repository(patient));
    checks.push(programs::git(patient, config));
    checks.extend(programs::commands(patient, config));
    checks.extend(sandbox(patient, config));
    checks.push(engine(patient, config));
    checks.push(artifacts(patient, config));
    checks.push(temporary(patient, config));
    Report { checks }
}

fn failure(id: &str, error: &dyn Failure, means: &str) -> Check {
    let what = error.to_string().replace('\n', "; ");
    Check::not(State::Missing, id, what, means, error.help().unwrap_or_default())
}

fn config_file(patient: &Patient<'_>) -> Check {
    match patient.config {
        Err(error) => failure("config", error, "no stage can start"),
        Ok(loaded) => match &loaded.path {
            Some(path) => {
                let shown = path.strip_prefix(patient.root).unwrap_or(path);
                Check::ok("config", format!("{} is valid", shown.display()))
            }
            None => Check::ok("config", "there is no orch.yml: the defaults hold, and commands are detected"),
        },
    }
}

fn repository(patient: &Patient<'_>) -> Vec<Check> {
    let vcs = match patient.vcs {
        Ok(vcs) => vcs,
        Err(error) => return vec![failure("repository", error, "there is nothing to change")],
    };
    let base = match vcs.head() {
        Ok(base) => base,
        Err(error) => return vec![failure("repository", &error, "there is no base to start from")],
    };
    let short = base.commit.as_str().get(..12).unwrap_or(base.commit.as_str());
    let mut checks = vec![match &base.branch {
        Some(branch) => Check::ok("repository", format!("base {short} on branch {branch}")),
        None => Check::not(
            State::Warn,
            "repository",
            format!("base {short}, HEAD is detached"),
            "changes start from this commit, and the pull request names no base branch",
            "Check out a branch first if one is meant.",
        ),
    }];
    if is_shallow(patient.root) {
        checks.push(Check::not(
            State::Warn,
            "repository.shallow",
            "the clone is shallow",
            "a run needs only the base commit; a push to a remote without that history may be refused",
            "Fetch the rest with `git fetch --unshallow`.",
        ));
    }
    match tree_notes(vcs, &base.tree) {
        Ok(notes) => checks.extend(notes),
        Err(error) => checks.push(failure("repository.tree", &error, "the base cannot be copied")),
    }
    checks
}

fn tree_notes(vcs: &dyn VcsRead, tree: &crate::artifact::id::TreeId) -> Result<Vec<Check>, VcsError> {
    let entries = vcs.entries(tree)?;
    let mut checks = Vec::new();
    let submodules = entries.iter().filter(|e| e.kind == EntryKind::Submodule).count();
    if submodules > 0 {
        checks.push(Check::not(
            State::Warn,
            "repository.submodules",
            format!("{submodules} submodule(s)"),
            "they are empty folders in clean copies, and commands that need them fail",
            "Fetch them in `commands.setup`, or keep commands away from them.",
        ));
    }
    let attributes = entries
        .iter()
        .filter_map(|e| e.utf8_path())
        .filter(|p| p.rsplit('/').next() == Some(".gitattributes"));
    for path in attributes.take(50) {
        let text = vcs.file(tree, path)?.unwrap_or_default();
        if text.windows(b"filter=lfs".len()).any(|w| w == b"filter=lfs") {
            checks.push(Check::not(
                State::Warn,
                "repository.lfs",
                format!("{path} keeps files in Git LFS"),
                "clean copies hold the pointers, not the content",
                "Keep commands away from these files, or fetch them in `commands.setup`.",
            ));
            break;
        }
    }
    let odd = entries.iter().filter(|e| e.utf8_path().is_none()).count();
    if odd > 0 {
        checks.push(Check::not(
            State::Warn,
            "repository.names",
            format!("{odd} file name(s) are not UTF-8"),
            "they are copied as they are, and no change can touch them",
            "",
        ));
    }
    Ok(checks)
}

/// Tells whether the repository lacks history, by the file git keeps for it.
fn is_shallow(root: &Path) -> bool {
    let dot_git = root.join(".git");
    let mut folder = dot_git.clone();
    // A worktree's or submodule's `.git` is a file that names the real folder; shared files are in the common one.
    if dot_git.is_file() {
        let text = fs::read_to_string(&dot_git).unwrap_or_default();
        let Some(named) = text.strip_prefix("gitdir:") else { return false };
        folder = root.join(named.trim());
        if let Ok(common) = fs::read_to_string(folder.join("commondir")) {
            folder = folder.join(common.trim());
        }
    }
    folder.join("shallow").is_file()
}

fn sandbox(patient: &Patient<'_>, config: &Config) -> Vec<Check> {
    let protection = match patient.processes.protection(&config.sandbox.for_commands()) {
        Ok(protection) => protection,
        Err(error) => return vec![failure("sandbox", &error, "repository code cannot be run")],
    };
    let needed = |name: &str| matches!(name, "filesystem" | "network" | "privileges");
    protection
        .measures()
        .into_iter()
        .map(|(name, measure)| {
            let id = format!("sandbox.{name}");
            match measure.state {
                MeasureState::Enforced => Check::ok(id, format!("enforced: {}", measure.by)),
                // A warning that is always there is read by nobody: only gaps in what a run asks for are one.
                MeasureState::Partial => Check::not(
                    if needed(name) { State::Warn } else { State::Ok },
                    id,
                    format!("partial: {}", measure.by),
                    "the gap is recorded in every report",
                    "",
                ),
                MeasureState::Absent if needed(name) && config.sandbox.required => Check::not(
                    State::Missing,
                    id,
                    format!("absent: {}", measure.by),
                    "repository code is not run without it",
                    "Run on a machine that has it, or set `sandbox.required: false`; the verdict will say so.",
                ),
                MeasureState::Absent => Check::not(
                    State::Warn,
                    id,
                    format!("absent: {}", measure.by),
                    "repository code runs without it, and the verdict says so",
                    "Run only code you trust here.",
                ),
            }
        })
        .collect()
}

fn engine(patient: &Patient<'_>, config: &Config) -> Check {
    let engine = match patient.engine {
        Ok(engine) => engine,
        Err(error) => return failure("engine", error, "no change can be proposed"),
    };
    let name = engine.name();
    let chosen = match config.engine {
        EngineChoice::Auto => "chosen by `engine: auto`",
        EngineChoice::Model | EngineChoice::Template | EngineChoice::Revert => "named by `engine`",
    };
    match engine.materials() {
        Ok(materials) => {
            Check::ok("engine", format!("{name}, {chosen}, with {} material(s)", materials.len()))
        }
        Err(error) => failure("engine", &error, "no change can be proposed"),
    }
}

fn artifacts(patient: &Patient<'_>, config: &Config) -> Check {
    let folder = patient.root.join(patient.artifacts.unwrap_or(Path::new(&config.artifacts.folder)));
    let shown = folder.strip_prefix(patient.root).unwrap_or(&folder).display().to_string();
    let existing = nearest_existing(&folder);
    if !existing.is_dir() {
        return Check::not(
            State::Missing,
            "artifacts",
            format!("{shown} cannot be made: {} is no folder", existing.display()),
            "there is no place for the run's files",
            "Move the file away, or set another `artifacts.folder`.",
        );
    }
    if !is_writable(&existing) {
        return Check::not(
            State::Missing,
            "artifacts",
            format!("{} cannot be written to", existing.display()),
            "there is no place for the run's files",
            "Change its rights, or set another `artifacts.folder`.",
        );
    }
    if existing != folder {
        return Check::ok("artifacts", format!("{shown} will be made by the first run"));
    }
    let entries = fs::read_dir(&folder)
        .map(|list| list.flatten().filter(|e| e.path().join("manifest").is_dir()).count());
    Check::ok("artifacts", format!("{shown} holds {} run(s)", entries.unwrap_or_default()))
}

fn temporary(patient: &Patient<'_>, config: &Config) -> Check {
    let folder = patient.environment.temp_dir();
    let shown = folder.display();
    if !folder.is_dir() || !is_writable(&folder) {
        return Check::not(
            State::Missing,
            "temp",
            format!("{shown} is no folder that can be written to"),
            "clean copies have no place",
            "Point TMPDIR at a folder you may write to.",
        );
    }
    let Some(free) = free_mib(&folder) else {
        return Check::ok("temp", format!("{shown} can be written to; its free space could not be told"));
    };
    let wanted = config.sandbox.limits.disk_mb;
    if free < wanted {
        return Check::not(
            State::Warn,
            "temp",
            format!("{shown} has {free} MiB free"),
            format!("a command may take up to {wanted} MiB (`sandbox.limits.disk_mb`)"),
            "Free some space, or point TMPDIR elsewhere.",
        );
    }
    Check::ok("temp", format!("{shown} has {free} MiB free"))
}

fn nearest_existing(path: &Path) -> PathBuf {
    path.ancestors().find(|p| p.symlink_metadata().is_ok()).unwrap_or(path).to_owned()
}

/// Tells whether a file can be made in a folder, by making a nameless or short-lived one.
fn is_writable(folder: &Path) -> bool {
    tempfile::tempfile_in(folder).is_ok()
}

#[cfg(unix)]
fn free_mib(folder: &Path) -> Option<u64> {
    let stat = nix::sys::statvfs::statvfs(folder).ok()?;
    #[expect(clippy::useless_conversion, reason = "the type differs between systems")]
    let (blocks, size) = (u64::from(stat.blocks_available()), u64::from(stat.fragment_size()));
    Some(blocks.saturating_mul(size) / (1024 * 1024))
}

#[cfg(not(unix))]
fn free_mib(_folder: &Path) -> Option<u64> {
    None
}
