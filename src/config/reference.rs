//! The reference pages of config and environment, made from the lists the program itself uses.
//!
//! Must never say a thing the code does not: a test compares the committed pages with these.

use std::fmt::Write as _;

use serde_json::Value;

use super::env::{TOOL_CHAINS, VARIABLES};
use super::keys::KEYS;
use super::{Config, DEFAULT_YML};

/// Returns `docs/reference/config.md`.
pub fn config_reference() -> String {
    let defaults = serde_json::to_value(Config::default()).unwrap_or_default();
    let mut page = String::from(INTRO);
    for key in KEYS {
        let default = match key.path {
            "version" => "`1`".to_owned(),
            path => shown(defaults.pointer(&format!("/{}", path.replace('.', "/")))),
        };
        let _ = write!(
            page,
            "\n### `{}`\n\n{}\n\n- Takes: {}\n- Default: {default}\n",
            key.path,
            key.about,
            key.takes.describe()
        );
    }
    let _ = write!(page, "\n## The defaults as a file\n\n```yaml\n{DEFAULT_YML}```\n");
    page
}

/// Returns `docs/reference/environment.md`.
pub fn env_reference() -> String {
    let mut page = String::from(ENV_INTRO);
    for variable in VARIABLES {
        let _ = writeln!(page, "| `{}` | {} |", variable.name, variable.about);
    }
    let names: Vec<_> = TOOL_CHAINS.iter().map(|name| format!("`{name}`")).collect();
    let _ = writeln!(page, "{TOOL_CHAINS_INTRO}{}.", names.join(", "));
    page
}

fn shown(value: Option<&Value>) -> String {
    match value {
        None | Some(Value::Null) => "none".into(),
        Some(Value::Array(list)) if list.is_empty() => "`[]`".into(),
        Some(Value::String(text)) => format!("`{text}`"),
        Some(value) => format!("`{value}`"),
    }
}

const INTRO: &str = "\
<!-- Made from the code; do not edit. `cargo run -- util generate` writes it. -->

# Configuration

`orch.yml` stands at the root of the repository. Every key is optional, and so is the file. `orch init` writes one with
the commands it finds; `orch doctor` says whether it holds up on this machine.

- An unknown key, a key written twice or a value of the wrong kind is refused with its line and column (exit code 2).
- A command is a text, split into words as a shell would, or a list of words. No shell runs it: `&&`, `|`, `>`, `$NAME`
  and `*` in a text are refused. Where a shell is meant, write `[sh, -c, \"...\"]`. Under `test:` and the other three,
  `test: cargo test` is one command, `test: [cargo test]` too, and `test: [cargo, test]` is two.
- Paths and globs use `/` and start at the repository root, except those of `sandbox.read` and `sandbox.write`.
- A glob matches whole paths: `*` stays within a folder and `**` crosses folders, so `*.md` means the root alone,
  `**/*.md` every folder, and `docs/**` all below `docs`.
- The file is UTF-8 of at most 256 KiB. Anchors and aliases work; merge keys (`<<`) and tags (`!name`) do not.
- Variables that change a run are on [a page of their own](environment.md).
- The file is `orch.yml`; `orch.yaml` and `.orch.yml` are not read, and a run says so instead of going on without them.

## Keys
";

const TOOL_CHAINS_INTRO: &str = "
Commands of the repository get an environment made from nothing: see [the sandbox](../how-to/sandbox.md). To find compilers,
interpreters and their caches, so that commands can read them, these are looked at: ";

const ENV_INTRO: &str = "\
<!-- Made from the code; do not edit. `cargo run -- util generate` writes it. -->

# Environment variables

A variable that is set and empty counts as not set.

| Variable | Meaning |
|---|---|
";
