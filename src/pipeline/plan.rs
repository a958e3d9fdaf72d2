//! What a run would do: the planned loop with its stages, powers and worst-case cost. Nothing is called.

use serde::Serialize;

use super::Bounds;
use super::definition::Pipeline;
use crate::artifact::id::{RunId, StageId};
use crate::artifact::money::NanoUsd;
use crate::stage::registry;
use crate::stage::spec::{EffectKind, Permission, Power};

/// What a run would do.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct RunPlan {
    /// The pipeline.
    pub pipeline: String,
    /// The run it would be.
    pub run: RunId,
    /// The engine that would write the change.
    pub engine: String,
    /// The stages, in order.
    pub stages: Vec<PlannedStage>,
    /// The worst case of all model calls together; absent: a price is not known.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub worst_case_nano_usd: Option<NanoUsd>,
    /// The most that may be spent, where models are called.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub ceiling_nano_usd: Option<NanoUsd>,
}

/// Tells what the stages of an engine cost at most.
pub trait Prices {
    /// Returns the engine's name.
    fn engine(&self) -> &'static str;

    /// Returns the most one round of a stage can cost; `None`: a price is not known, or nobody can be asked.
    fn worst_case(&self, stage: StageId) -> Option<NanoUsd>;

    /// Returns the most the run may spend, where models are called at all.
    fn ceiling(&self) -> Option<NanoUsd>;
}

/// One stage of a planned run.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct PlannedStage {
    /// The stage.
    pub stage: StageId,
    /// How often it may run: more than 1 in a loop.
    pub rounds: u32,
    /// The exit codes of an earlier stage it depends on, when those are not just 0.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub when: Option<super::When>,
    /// The dangerous powers it has.
    pub powers: Vec<Power>,
    /// What it does to the world.
    pub effects: Vec<EffectKind>,
    /// The GitHub token permissions its job needs.
    pub permissions: Vec<Permission>,
    /// The files it reads.
    pub reads: Vec<&'static str>,
    /// The files it writes.
    pub writes: Vec<&'static str>,
    /// The worst case of its model calls over all rounds; absent: a price is not known.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub worst_case_nano_usd: Option<NanoUsd>,
}

/// Returns what a run would do within its bounds.
pub fn plan(pipeline: &Pipeline, run: RunId, prices: &dyn Prices, rounds: u32, bounds: Bounds) -> RunPlan {
    let mut stages = Vec::new();
    let mut begun = bounds.from.is_none();
    for (step, looped) in pipeline.stages() {
        begun |= bounds.from == Some(step.stage);
        let Some(stage) = registry::stage(step.stage).filter(|_| begun && step.only.is_none()) else {
            continue;
        };
        let spec = stage.spec();
        let rounds = if looped { rounds } else { 1 };
        let calls = spec.effects.contains(&EffectKind::Model);
        stages.push(PlannedStage {
            stage: spec.id,
            rounds,
            when: step.when.clone(),
            powers: spec.powers(),
            effects: spec.effects.to_vec(),
            permissions: spec.permissions.to_vec(),
            reads: spec.inputs.iter().map(|i| i.slot.path).collect(),
            writes: spec.outputs.iter().map(|s| s.path).collect(),
            worst_case_nano_usd: if calls {
                prices.worst_case(spec.id).map(|cost| cost.times(rounds))
            } else {
                Some(NanoUsd::ZERO)
            },
        });
        if bounds.until == Some(step.stage) {
            break;
        }
    }
    let worst_case_nano_usd = stages.iter().map(|s| s.worst_case_nano_usd).sum();
    RunPlan {
        pipeline: pipeline.name.to_string(),
        run,
        engine: prices.engine().into(),
        stages,
        worst_case_nano_usd,
        ceiling_nano_usd: prices.ceiling(),
    }
}
