//! `orch schema`: the JSON Schemas of the artifact kinds.

use clap::Args;

use crate::artifact::kind::ArtifactKind;
use crate::artifact::schema::schema;
use crate::cli::CommandError;
use crate::cli::error::UsageError;
use crate::cli::output::Output;

/// Print the JSON Schema of an artifact kind; without a kind, list the kinds
#[derive(Debug, Args)]
pub struct SchemaArgs {
    /// The kind, as `plan` or `policy-input`
    kind: Option<String>,
}

/// Prints one schema, or the list of kinds.
pub fn run(args: &SchemaArgs, output: &Output) -> Result<u8, CommandError> {
    let Some(name) = &args.kind else {
        let rows: Vec<_> = kinds().map(|kind| (kind.as_str(), kind.version().to_string())).collect();
        return output
            .show(&rows, |out| {
                rows.iter().try_for_each(|(kind, version)| writeln!(out, "{kind:<14} {version}"))
            })
            .map(|()| 0);
    };
    let found = name.parse::<ArtifactKind>().ok().and_then(schema);
    let Some(schema) = found else {
        let names: Vec<_> = kinds().map(ArtifactKind::as_str).collect();
        return Err(UsageError {
            what: format!("`{name}` is no artifact kind with a schema"),
            help: format!("The kinds are {}.", names.join(", ")),
        }
        .into());
    };
    output.print_json(&schema).map(|()| 0)
}

fn kinds() -> impl Iterator<Item = ArtifactKind> {
    ArtifactKind::ALL.iter().copied().filter(|kind| kind.is_json())
}
