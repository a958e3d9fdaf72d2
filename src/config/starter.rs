//! The text of a first `orch.yml`: what was detected, why, and what a person may want to change.
//!
//! Must never write a command that was not detected, except as a comment.

use std::fmt::Write as _;

use super::detect::{Detected, Language, Part};
use super::valid::Command;
use crate::artifact::types::verification::CommandRole;

const ROLES: [(CommandRole, &str, &str); 4] = [
    (CommandRole::Setup, "setup", "Prepare a clean copy: install dependencies."),
    (CommandRole::Build, "build", "Build."),
    (CommandRole::Lint, "lint", "Lint."),
    (CommandRole::Test, "test", "Run the tests; a run needs at least one of these."),
];

/// Returns a commented `orch.yml` for what was detected.
pub fn starter(detected: &Detected) -> String {
    let mut text = String::from(
        "# How orch works in this repository. Every key is optional; docs/reference/config.md of orch lists all.\n\n\
         version: 1\n\n\
         # The service changes belong to, part of branch names. Left out: the name of the repository's folder.\n\
         # service: my-service\n\n",
    );
    describe(&mut text, detected);
    text.push_str(
        "# Commands run in this order in a clean copy of the commit, in a sandbox without network. A command is a text,\n\
         # split into words as a shell would, or a list of words; for a shell write [sh, -c, \"...\"].\n\
         commands:\n",
    );
    for (role, name, about) in ROLES {
        commands(&mut text, detected, role, name, about);
    }
    alternatives(&mut text, detected);
    text.push_str(PATHS);
    sandbox(&mut text, detected);
    text.push_str(REST);
    text
}

fn describe(text: &mut String, detected: &Detected) {
    if detected.parts.is_empty() {
        text.push_str("# Nothing was recognised here: fill in the commands.\n");
    }
    for part in &detected.parts {
        let _ = writeln!(text, "# Found: {}", summary(part));
        for note in &part.notes {
            let _ = writeln!(text, "#   {}", one_line(note));
        }
    }
    text.push('\n');
}

/// Returns the key of a role below `commands`.
pub fn role_name(role: CommandRole) -> &'static str {
    ROLES.iter().find(|(known, _, _)| *known == role).map_or("", |(_, name, _)| name)
}

/// Returns one line on a part, as `Python (FastAPI, pip) in api`.
pub fn summary(part: &Part) -> String {
    let about: Vec<_> = part.framework.iter().chain(part.manager.iter()).copied().collect();
    let mut line = match part.language {
        Language::Other => "a task runner".to_owned(),
        language => language.to_string(),
    };
    if !about.is_empty() {
        let _ = write!(line, " ({})", about.join(", "));
    }
    if !part.folder.is_empty() {
        let _ = write!(line, " in {}", one_line(&part.folder));
    }
    line
}

fn commands(text: &mut String, detected: &Detected, role: CommandRole, name: &str, about: &str) {
    let list = match role {
        CommandRole::Setup => detected.commands().setup,
        CommandRole::Build => detected.commands().build,
        CommandRole::Lint => detected.commands().lint,
        CommandRole::Test => detected.commands().test,
    };
    let _ = writeln!(text, "  # {about}");
    if list.is_empty() {
        let hint = if role == CommandRole::Test { "   # fill in, for instance: [make test]" } else { "" };
        let _ = writeln!(text, "  {name}: []{hint}");
        return;
    }
    let _ = writeln!(text, "  {name}:");
    for command in &list {
        let why = detected.proposals().find(|p| p.role == role && &p.command == command);
        let why = why.map(|p| one_line(&p.why)).unwrap_or_default();
        let _ = writeln!(text, "    - {}   # {why}", yaml(command));
    }
}

/// Returns a command as a YAML flow list, or as a plain text where that means the same.
fn yaml(command: &Command) -> String {
    let plain = |w: &String| {
        w.bytes().all(|b| b.is_ascii_alphanumeric() || b"-_./=@+".contains(&b))
            && !w.starts_with('@')
            && !w.is_empty()
    };
    let first = command.0.first().map(String::as_str).unwrap_or_default();
    if command.0.len() > 1
        && command.0.iter().all(plain)
        && !first.contains('=')
        && first.starts_with(char::is_alphabetic)
    {
        return command.0.join(" ");
    }
    let words: Vec<_> = command.0.iter().map(|w| quoted(w)).collect();
    format!("[{}]", words.join(", "))
}

/// Returns a word in double quotes, as both JSON and YAML read it.
fn quoted(word: &str) -> String {
    let json = serde_json::Value::from(word).to_string();
    let escape = |c: char| match c {
        '\u{7f}'..='\u{9f}' | '\u{2028}' | '\u{2029}' | '\u{feff}' => format!("\\u{:04x}", u32::from(c)),
        c => c.into(),
    };
    json.chars().map(escape).collect()
}

/// Other ways to run what was detected, as comments.
fn alternatives(text: &mut String, detected: &Detected) {
    let Some(part) = detected.parts.iter().find(|p| p.language == Language::Python) else { return };
    let folder = if part.folder.is_empty() { String::new() } else { format!("{}/", one_line(&part.folder)) };
    let _ = write!(
        text,
        "\n# Python packages come from the interpreter on PATH. To install them in each clean copy instead, slower and\n\
         # with network for setup only, use this and `sandbox.setup_network: true`:\n\
         # commands:\n\
         #   setup:\n\
         #     - python3 -m venv .venv\n\
         #     - .venv/bin/pip install -r {folder}requirements.txt   # or: pip install .\n\
         #   test:\n\
         #     - .venv/bin/python -m pytest\n"
    );
}

fn sandbox(text: &mut String, detected: &Detected) {
    text.push_str("\nsandbox:\n");
    if detected.needs_setup_network() {
        text.push_str(
            "  # Setup downloads packages; build, lint and test have no network.\n  setup_network: true\n",
        );
    } else {
        text.push_str("  # Whether setup may reach the network; build, lint and test never may.\n  setup_network: false\n");
    }
    text.push_str("  # Variables passed on to commands, by name; tokens and keys are refused.\n  env: []\n");
}

/// Returns text of a repository as it may stand in a comment or on a terminal: one line, no control characters.
pub fn one_line(text: &str) -> String {
    text.chars()
        .map(|c| {
            if c.is_control() || matches!(c, '\u{85}' | '\u{2028}' | '\u{2029}' | '\u{feff}') {
                ' '
            } else {
                c
            }
        })
        .collect()
}

const PATHS: &str = "
# Which files changes may touch, as globs from the root.
paths:
  allow: []              # empty: all
  protect: []            # only with a person's approval, for instance: [\"infra/**\"]
  deny: []               # never
";

const REST: &str = "
pr:
  # Filled in: {type}, {service}, {scope}, {date}.
  branch: \"{type}/{service}/{scope}/{date}\"
  remote: origin
  push: true
";
