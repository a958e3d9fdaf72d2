//! Programs and packages: what is on `PATH`, and what answers when asked inside the sandbox.

use std::collections::BTreeMap;
use std::path::{Path, PathBuf};
use std::time::Duration;

use super::{Check, Patient, State};
use crate::artifact::types::verification::Ended;
use crate::config::detect::{Detected, FolderListing, TreeListing, detect_commands};
use crate::config::{Commands, Config};
use crate::ports::process::{Command, Limits, Network, Sandbox};

/// Looks at every configured or detected command.
pub(super) fn commands(patient: &Patient<'_>, config: &Config) -> Vec<Check> {
    let written = &config.commands;
    let is_empty = |c: &Commands| [&c.setup, &c.build, &c.lint, &c.test].iter().all(|list| list.is_empty());
    let detected = is_empty(written).then(|| detect(patient));
    let found = detected.as_ref().map(Detected::commands);
    let (commands, origin) = match &found {
        Some(found) => (found, "detected"),
        None => (written, "from orch.yml"),
    };
    let mut checks = Vec::new();
    if detected.is_some_and(|d| d.needs_setup_network()) && !config.sandbox.setup_network {
        checks.push(Check::not(
            State::Warn,
            "commands.setup",
            "the detected setup has to download packages, and setup has no network",
            "setup fails, unless its cache can be reached",
            "Let it reach the network with `sandbox.setup_network: true`; `orch init` writes that with the commands.",
        ));
    }
    if commands.test.is_empty() {
        checks.push(Check::not(
            State::Warn,
            "commands.test",
            "no test command is configured, and none was detected",
            "only what needs no test can be done (a licence, a README section, settings); any other change ends with exit code 6",
            "Fill in `commands.test` in orch.yml; `orch init` writes one to start from.",
        ));
    }
    let has_setup = !commands.setup.is_empty();
    let roles = [
        ("setup", &commands.setup),
        ("build", &commands.build),
        ("lint", &commands.lint),
        ("test", &commands.test),
    ];
    for (role, list) in roles {
        for (at, command) in list.iter().enumerate() {
            checks.push(program(patient, &format!("commands.{role}[{at}]"), &command.0, origin, has_setup));
            checks.extend(python_module(patient, config, role, at, &command.0));
        }
    }
    checks
}

/// Looks at the base as a run would; where there is none, at the folder.
fn detect(patient: &Patient<'_>) -> Detected {
    let base = patient.vcs.ok().and_then(|vcs| Some((vcs, vcs.head().ok()?.tree)));
    match base.as_ref().and_then(|(vcs, tree)| TreeListing::read(*vcs, tree).ok()) {
        Some(listing) => detect_commands(&listing),
        None => detect_commands(&FolderListing::read(patient.root)),
    }
}

fn program(patient: &Patient<'_>, id: &str, words: &[String], origin: &str, has_setup: bool) -> Check {
    let name = words.first().map(String::as_str).unwrap_or_default();
    let shown = shell_words::join(words);
    if name.contains('/') && !name.starts_with('/') {
        return in_the_copy(patient, id, name, &format!("`{shown}` ({origin}): {name}"), has_setup);
    }
    if let Some(found) = find(patient, name) {
        return Check::ok(id, format!("`{shown}` ({origin}): {}", found.display()));
    }
    let fix = match name {
        "python3" if find(patient, "python").is_some() => {
            "Write `python` instead: that one is on PATH.".to_owned()
        }
        "python" if find(patient, "python3").is_some() => {
            "Write `python3` instead: that one is on PATH.".to_owned()
        }
        _ => format!("Install `{name}`, put it on PATH, or change the command in orch.yml."),
    };
    let what = format!("`{shown}` ({origin}): `{name}` is not there");
    Check::not(State::Missing, id, what, "the command would fail in every phase", fix)
}

/// Looks for a program named by a path in the copy: what is not committed is not there, whatever the folder holds.
fn in_the_copy(patient: &Patient<'_>, id: &str, name: &str, shown: &str, has_setup: bool) -> Check {
    let path = name.strip_prefix("./").unwrap_or(name);
    let committed = patient.vcs.ok().and_then(|vcs| vcs.file(&vcs.head().ok()?.tree, path).ok().flatten());
    if committed.is_some() {
        return Check::ok(id, format!("{shown} is committed"));
    }
    if has_setup {
        return Check::ok(id, format!("{shown} has to be made by `commands.setup`"));
    }
    Check::not(
        State::Missing,
        id,
        format!("{shown} is not committed"),
        "clean copies do not hold it, and the command would fail in every phase",
        format!("Commit {path}, or let `commands.setup` make it."),
    )
}

/// Returns the program a name stands for.
pub(super) fn find(patient: &Patient<'_>, name: &str) -> Option<PathBuf> {
    if name.is_empty() {
        return None;
    }
    if Path::new(name).is_absolute() {
        return is_program(Path::new(name)).then(|| name.into());
    }
    if name.contains('/') {
        return None;
    }
    let names = if cfg!(windows) {
        vec![format!("{name}.exe"), format!("{name}.cmd")]
    } else {
        vec![name.to_owned()]
    };
    let folders = patient.environment.path();
    folders.iter().flat_map(|f| names.iter().map(|n| f.join(n))).find(|p| is_program(p))
}

#[cfg(unix)]
fn is_program(path: &Path) -> bool {
    use std::os::unix::fs::PermissionsExt as _;
    path.metadata().is_ok_and(|m| m.is_file() && m.permissions().mode() & 0o111 != 0)
}

#[cfg(not(unix))]
fn is_program(path: &Path) -> bool {
    path.is_file()
}

/// Asks the interpreter, in the sandbox of a real run, whether it has the module a command names.
fn python_module(
    patient: &Patient<'_>,
    config: &Config,
    role: &str,
    at: usize,
    words: &[String],
) -> Option<Check> {
    let [python, flag, module, ..] = words else { return None };
    if flag != "-m" || !matches!(module.as_str(), "pytest" | "ruff" | "flake8") {
        return None;
    }
    find(patient, python)?;
    let code = format!("import importlib.util, sys; sys.exit(importlib.util.find_spec('{module}') is None)");
    let id = format!("commands.{role}[{at}].module");
    match ask(patient, &config.sandbox.for_commands(), &[python, "-c", &code])?.0 {
        Ended::Exited { code: 0 } => {
            Some(Check::ok(id, format!("`{python}` has {module}, seen from the sandbox")))
        }
        Ended::Exited { code: 1 } => Some(Check::not(
            State::Missing,
            id,
            format!("`{python}` has no {module}, seen from the sandbox"),
            "the command would fail in every phase",
            format!("Activate the virtual environment, install {module}, or let `commands.setup` do it."),
        )),
        _ => None,
    }
}

/// Looks for git, which is only needed to push.
pub(super) fn git(patient: &Patient<'_>, config: &Config) -> Check {
    if find(patient, "git").is_none() {
        let (state, means) = if config.pr.push {
            (State::Warn, "branches are written without it, and cannot be pushed")
        } else {
            (State::Ok, "it is not needed: `pr.push` is false")
        };
        return Check::not(
            state,
            "git",
            "the git program is not on PATH",
            means,
            "Install git to push branches.",
        );
    }
    let open = Sandbox {
        required: false,
        network: Network::Off,
        read: Vec::new(),
        write: Vec::new(),
        pass_env: Vec::new(),
        credentials: Vec::new(),
        limits: Limits { wall: Duration::from_secs(10), ..Limits::default() },
    };
    match ask(patient, &open, &["git", "--version"]) {
        Some((Ended::Exited { code: 0 }, said)) => {
            Check::ok("git", format!("{} (used to push only)", said.trim()))
        }
        _ => Check::not(
            State::Warn,
            "git",
            "the git program is on PATH and does not answer `git --version`",
            "branches are written without it, and cannot be pushed",
            "Run `git --version` by hand and mend what it says.",
        ),
    }
}

/// Runs a harmless command in an empty folder and returns how it ended and what it printed.
fn ask(patient: &Patient<'_>, sandbox: &Sandbox, words: &[&str]) -> Option<(Ended, String)> {
    let folder =
        tempfile::Builder::new().prefix("orch-doctor-").tempdir_in(patient.environment.temp_dir()).ok()?;
    let command = Command {
        argv: words.iter().map(|w| (*w).to_owned()).collect(),
        cwd: folder.path().to_owned(),
        env: BTreeMap::new(),
        sandbox: sandbox.clone(),
    };
    let outcome = patient.processes.run(&command).ok()?;
    Some((outcome.ended, outcome.stdout.text))
}
