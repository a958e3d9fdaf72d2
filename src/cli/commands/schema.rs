//! `orch schema`: the JSON Schemas of the artifact kinds.

use clap::Args;

use crate::artifact::kind::ArtifactKind;
use crate::artifact::schema::schema;
use crate::attest::kinds;
use crate::cli::CommandError;
use crate::cli::error::UsageError;
use crate::cli::output::Output;
use crate::upgrade::files as upgrades;

/// Print the JSON Schema of an artifact kind, or of the predicate of signed statements; without a kind, list the kinds
#[derive(Debug, Args)]
pub struct SchemaArgs {
    /// The kind, as `plan`, `policy-input` or `orch-change`
    kind: Option<String>,
}

/// Prints one schema, or the list of kinds.
pub fn run(args: &SchemaArgs, output: &Output) -> Result<u8, CommandError> {
    let Some(name) = &args.kind else {
        let own = kinds::SCHEMAS.iter().map(|name| (*name, "1".to_owned()));
        let of_upgrades = upgrades::KINDS.iter().map(|kind| (*kind, upgrades::FORM.to_owned()));
        let rows: Vec<_> = json_kinds()
            .map(|kind| (kind.as_str(), kind.version().to_string()))
            .chain(own)
            .chain(of_upgrades)
            .collect();
        return output
            .show(&rows, |out| {
                rows.iter().try_for_each(|(kind, version)| writeln!(out, "{kind:<18} {version}"))
            })
            .map(|()| 0);
    };
    let of_artifact = || name.parse::<ArtifactKind>().ok().and_then(schema);
    let found = kinds::schema(name).or_else(of_artifact).or_else(|| upgrades::schema(name));
    let Some(schema) = found else {
        let names: Vec<_> = json_kinds()
            .map(ArtifactKind::as_str)
            .chain(kinds::SCHEMAS.iter().copied())
            .chain(upgrades::KINDS.iter().copied())
            .collect();
        return Err(UsageError {
            what: format!("`{name}` is no artifact kind with a schema"),
            help: format!("The kinds are {}.", names.join(", ")),
        }
        .into());
    };
    output.print_json(&schema).map(|()| 0)
}

fn json_kinds() -> impl Iterator<Item = ArtifactKind> {
    ArtifactKind::ALL.iter().copied().filter(|kind| kind.is_json())
}
