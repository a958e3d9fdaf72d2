//! The commands by what a person wants to do, as `orch --help` lists them.
//!
//! Must never say what a command does: each one's line is its own, from its definition.

use std::ffi::OsString;
use std::fmt::Write as _;

use clap::{CommandFactory as _, FromArgMatches as _};

use super::args::Cli;

/// What a person may want, and the commands for it.
const GROUPS: [(&str, &[&str]); 7] = [
    ("Begin", &["demo", "init", "doctor"]),
    ("Make a change", &["run", "stage", "stages", "templates", "providers"]),
    ("Find and edit", &["context", "graph", "index", "edit"]),
    ("Judge", &["policy", "lint", "explain", "sbom"]),
    ("Look at a run, and prove it", &["report", "cost", "artifacts", "verify", "replay", "attest", "runs"]),
    ("On GitHub", &["compile", "pipeline", "event", "command"]),
    ("Release and upgrade", &["release", "upgrade"]),
];

/// What is in none of them.
const REST: &str = "Reference";

/// Parses the words of a command line, the program's name first.
pub fn parse(words: impl IntoIterator<Item = OsString>) -> Result<Cli, clap::Error> {
    let mut command = command();
    let mut matches = command.try_get_matches_from_mut(words)?;
    Cli::from_arg_matches_mut(&mut matches).map_err(|error| error.format(&mut command))
}

/// Returns the definition of the command line, with the commands in groups where the whole is shown.
pub fn command() -> clap::Command {
    let command = Cli::command();
    let template = template(&command);
    command.help_template(template)
}

fn template(command: &clap::Command) -> String {
    let header = command.get_styles().get_header();
    let literal = command.get_styles().get_literal();
    let mut text = String::from("{before-help}{about-with-newline}\n{usage-heading} {usage}\n");
    let mut group = |title: &str, commands: &mut dyn Iterator<Item = &clap::Command>| {
        let _ = write!(text, "\n{header}{title}:{header:#}\n");
        for command in commands {
            let about = command.get_about().map(ToString::to_string).unwrap_or_default();
            let _ = writeln!(text, "  {literal}{:<12}{literal:#} {about}", command.get_name());
        }
    };
    for (title, names) in GROUPS {
        group(title, &mut names.iter().filter_map(|name| command.find_subcommand(name)));
    }
    let in_none = |name: &str| !GROUPS.iter().any(|(_, names)| names.contains(&name));
    group(REST, &mut command.get_subcommands().filter(|one| !one.is_hide_set() && in_none(one.get_name())));
    text += "  ";
    let _ = writeln!(text, "{literal}{:<12}{literal:#} Tell more of a command, as `orch help run`", "help");
    let _ = write!(text, "\n{header}Everywhere:{header:#}\n{{options}}{{after-help}}");
    text
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_name_in_a_group_is_a_command_once() {
        let command = Cli::command();
        let names: Vec<&str> = GROUPS.iter().flat_map(|(_, names)| names.iter().copied()).collect();
        for name in &names {
            assert!(command.find_subcommand(name).is_some(), "{name} is no command");
            assert_eq!(names.iter().filter(|other| *other == name).count(), 1, "{name} is in two groups");
        }
    }

    #[test]
    fn help_names_every_command() {
        let help = command().render_help().to_string();
        for one in Cli::command().get_subcommands().filter(|one| !one.is_hide_set()) {
            assert!(
                help.contains(&format!("\n  {:<12} ", one.get_name())),
                "{} is not in:\n{help}",
                one.get_name()
            );
        }
        assert!(help.contains("--artifacts") && help.contains("Exit codes:"), "{help}");
    }
}
