//! What was said on the way to a proposal, in a few figures and the last word.
//!
//! Must never judge: how a discussion ended is what its last message says.

use serde::Serialize;

use crate::artifact::chain::Chain;
use crate::artifact::id::{Round, StageId};
use crate::artifact::kind::slot;
use crate::artifact::store::{ArtifactStore, StoreError};
use crate::artifact::types::debate::{Escalation, Message, MessageKind};
use crate::artifact::types::plan::RiskLevel;

/// One discussion.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct Discussion {
    /// The stage.
    pub stage: StageId,
    /// The round.
    pub round: Round,
    /// How many turns it took.
    pub turns: u32,
    /// How it ended, in the words of the code that ended it.
    pub ended: String,
    /// Who spoke, with the model where one did, in the order they first spoke.
    pub speakers: Vec<Speaker>,
    /// The high risks that were seen, whatever became of them.
    pub high_risks: Vec<String>,
    /// How many citations did not resolve and were dropped.
    pub dropped_citations: u32,
    /// What a person needs, where there was no agreement.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub escalation: Option<Escalation>,
}

/// Who spoke.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct Speaker {
    /// The role.
    pub role: String,
    /// The model; absent: code.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub model: Option<String>,
}

/// Returns the discussions of a run, in the order they were held.
pub(super) fn discussions(store: &dyn ArtifactStore, chain: &Chain) -> Result<Vec<Discussion>, StoreError> {
    let mut found = Vec::new();
    for manifest in chain.bodies() {
        let (stage, round) = (manifest.link.stage, manifest.link.round);
        for (messages, escalation) in
            [(slot::PLAN_MESSAGES, slot::PLAN_ESCALATION), (slot::EDITS_MESSAGES, slot::EDITS_ESCALATION)]
        {
            let path = round.path(messages.path);
            if !manifest.link.outputs.iter().any(|file| file.path == path) {
                continue;
            }
            let bytes = store.read(&path)?.unwrap_or_default();
            let lines = bytes.split(|byte| *byte == b'\n').filter(|line| !line.is_empty());
            let said: Vec<Message> = lines.filter_map(|line| serde_json::from_slice(line).ok()).collect();
            let bundle = store.read(&round.path(escalation.path))?;
            let bundle = bundle.and_then(|bytes| {
                crate::artifact::envelope::Envelope::<Escalation>::from_bytes(&bytes).ok().map(|e| e.body)
            });
            found.extend(discussion(stage, round, &said, bundle));
        }
    }
    Ok(found)
}

fn discussion(
    stage: StageId,
    round: Round,
    said: &[Message],
    escalation: Option<Escalation>,
) -> Option<Discussion> {
    let last = said.last()?;
    let mut speakers: Vec<Speaker> = Vec::new();
    for message in said {
        let speaker = Speaker { role: message.role.clone(), model: message.model.clone() };
        if message.kind != MessageKind::Verify && !speakers.contains(&speaker) {
            speakers.push(speaker);
        }
    }
    let high = |message: &Message| {
        let high = message.risks.iter().filter(|risk| risk.severity == RiskLevel::High);
        high.map(|risk| format!("{} (fix: {})", risk.why, risk.fix)).collect::<Vec<_>>()
    };
    Some(Discussion {
        stage,
        round,
        turns: said.iter().map(|message| message.turn).max().unwrap_or_default(),
        ended: last.summary.clone(),
        speakers,
        high_risks: said.iter().flat_map(high).collect(),
        dropped_citations: said.iter().map(|message| message.dropped_citations).sum(),
        escalation,
    })
}
