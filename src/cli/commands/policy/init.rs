//! `orch policy init`: a rule, its test and its page, ready to be changed.

use std::fs::{self, OpenOptions};
use std::io::Write as _;
use std::path::{Path, PathBuf};

use clap::Args;

use crate::cli::CommandError;
use crate::cli::error::{IoError, UsageError};
use crate::cli::output::Output;

/// Begin a policy: a rule, its test and its page
#[derive(Debug, Args)]
pub struct InitArgs {
    /// The name of the rule, as `no_latest_tag`
    rule: String,
    /// The folder of the policies
    #[arg(short, long, default_value = "policy")]
    policy: PathBuf,
    /// The namespace it judges in
    #[arg(short, long, default_value = "main")]
    namespace: String,
}

/// Writes the three files; none when one of them is there already.
pub fn run(args: &InitArgs, output: &Output) -> Result<u8, CommandError> {
    let word = |text: &str| {
        text.starts_with(|c: char| c.is_ascii_lowercase())
            && text.chars().all(|c| c.is_ascii_lowercase() || c.is_ascii_digit() || c == '_')
    };
    if !word(&args.rule) || args.rule.ends_with('_') || args.rule.contains("__") {
        return Err(UsageError {
            what: format!("`{}` is no name for a rule", args.rule),
            help: "Use lower-case letters, digits and single underscores, as `no_latest_tag`.".into(),
        }
        .into());
    }
    if !args.namespace.split('.').all(word) {
        return Err(UsageError {
            what: format!("`{}` is no namespace", args.namespace),
            help: "Use lower-case words with dots between, as `main` or `main.images`.".into(),
        }
        .into());
    }
    let files = files(args);
    if let Some((path, _)) = files.iter().find(|(path, _)| path.exists()) {
        return Err(UsageError {
            what: format!("{} is there already", path.display()),
            help: "Choose another name for the rule.".into(),
        }
        .into());
    }
    fs::create_dir_all(&args.policy).map_err(|source| io(&args.policy, source))?;
    for (path, text) in &files {
        let file = OpenOptions::new().write(true).create_new(true).open(path);
        file.and_then(|mut file| file.write_all(text.as_bytes())).map_err(|source| io(path, source))?;
    }
    let names: Vec<String> = files.iter().map(|(path, _)| path.display().to_string()).collect();
    output.show(&names, |out| {
        names.iter().try_for_each(|name| writeln!(out, "wrote {name}"))?;
        let policy = args.policy.display();
        writeln!(out, "Next: orch policy test {policy}, then orch policy check FILES -p {policy}")
    })?;
    Ok(0)
}

fn io(path: &Path, source: std::io::Error) -> CommandError {
    IoError { what: format!("write {}", path.display()), source }.into()
}

fn files(args: &InitArgs) -> [(PathBuf, String); 3] {
    let (rule, namespace) = (&args.rule, &args.namespace);
    let words = rule.replace('_', " ");
    let at = |end: &str| args.policy.join(format!("{rule}{end}"));
    [
        (
            at(".rego"),
            format!(
                "package {namespace}\n\nimport rego.v1\n\n# METADATA\n# title: {words}\n# description: Why this is asked for, in one or two \
                 sentences.\n# custom:\n#  id: {namespace}/{rule}\n#  severity: high\ndeny_{rule} contains result if {{\n\tinput.kind == \
                 \"Example\"\n\tnot input.metadata.owner\n\tresult := {{\n\t\t\"msg\": sprintf(\"%s has no owner: add `metadata.owner`\", \
                 [input.metadata.name]),\n\t\t\"help\": \"Name the team in `metadata.owner`.\",\n\t}}\n}}\n"
            ),
        ),
        (
            at("_test.rego"),
            format!(
                "package {namespace}_test\n\nimport data.{namespace} as policy\nimport rego.v1\n\ntest_{rule}_denies if {{\n\tfound := \
                 policy.deny_{rule} with input as {{\"kind\": \"Example\", \"metadata\": {{\"name\": \"a\"}}}}\n\tcount(found) == \
                 1\n}}\n\ntest_{rule}_allows if {{\n\tfound := policy.deny_{rule} with input as {{\"kind\": \"Example\", \"metadata\": \
                 {{\"name\": \"a\", \"owner\": \"team-a\"}}}}\n\tcount(found) == 0\n}}\n"
            ),
        ),
        (
            at(".md"),
            format!(
                "# {namespace}/{rule}\n\nWhat is denied, in one sentence.\n\n## Why\n\nWhat goes wrong without this rule.\n\n## How to mend \
                 it\n\n```yaml\nkind: Example\nmetadata:\n  name: a\n  owner: team-a\n```\n"
            ),
        ),
    ]
}
