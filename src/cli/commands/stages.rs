//! `orch stages`: the stages with what they declare.

use clap::Args;
use serde::Serialize;

use crate::artifact::id::StageId;
use crate::cli::CommandError;
use crate::cli::output::Output;
use crate::stage::registry::STAGES;
use crate::stage::spec::{EffectKind, Permission, Power, StageSpec};

/// List the stages with their powers, inputs and outputs
#[derive(Debug, Args)]
pub struct StagesArgs {}

/// What a stage declares, as JSON.
#[derive(Serialize)]
pub(super) struct StageDocument {
    stage: StageId,
    version: u32,
    summary: &'static str,
    powers: Vec<Power>,
    effects: &'static [EffectKind],
    permissions: &'static [Permission],
    config: &'static [&'static str],
    reads: Vec<&'static str>,
    writes: Vec<&'static str>,
    exits: &'static [u8],
}

impl From<&'static StageSpec> for StageDocument {
    fn from(spec: &'static StageSpec) -> Self {
        Self {
            stage: spec.id,
            version: spec.version,
            summary: spec.summary,
            powers: spec.powers(),
            effects: spec.effects,
            permissions: spec.permissions,
            config: spec.config,
            reads: spec.inputs.iter().map(|input| input.slot.path).collect(),
            writes: spec.outputs.iter().map(|slot| slot.path).collect(),
            exits: spec.exits,
        }
    }
}

/// Prints the table.
pub fn run(_args: &StagesArgs, output: &Output) -> Result<u8, CommandError> {
    let stages: Vec<StageDocument> = STAGES.iter().map(|stage| stage.spec().into()).collect();
    output
        .show(&stages, |out| {
            let width = stages.iter().map(|stage| stage.summary.len()).max().unwrap_or_default();
            writeln!(out, "{:<13} {:<6} {:<width$}  writes", "stage", "power", "what it does")?;
            for stage in &stages {
                let powers: Vec<_> = stage.powers.iter().map(|p| p.as_str()).collect();
                let power = if powers.is_empty() { "-".to_owned() } else { powers.join("+") };
                writeln!(
                    out,
                    "{:<13} {power:<6} {:<width$}  {}",
                    stage.stage,
                    stage.summary,
                    stage.writes.join(", ")
                )?;
            }
            writeln!(out, "\nNo stage holds two of key, exec and write. More: orch stage NAME --explain")
        })
        .map(|()| 0)
}
