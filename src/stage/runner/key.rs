//! The stage key: the digest of everything the outputs of a stage depend on.
//!
//! Must never take in what may be spent, a time, or a path of the machine: raising a budget changes no finished stage.

use std::collections::BTreeMap;

use serde::Serialize;

use crate::artifact::chain::split_round;
use crate::artifact::digest::{CanonicalError, Digest};
use crate::artifact::id::{Round, RunId, Slug, StageId};
use crate::artifact::types::event::Event;
use crate::artifact::types::manifest::{Link, Material};
use crate::artifact::types::tape::Header;
use crate::artifact::types::task::{After, Channel};
use crate::stage::Request;

/// What the outputs of a stage depend on.
#[derive(Serialize)]
pub(super) struct KeyParts<'a> {
    pub(super) run: &'a RunId,
    pub(super) stage: StageId,
    pub(super) version: u32,
    pub(super) round: Round,
    pub(super) config: serde_json::Value,
    pub(super) inputs: Vec<(&'a str, &'a Digest)>,
    pub(super) materials: &'a [Material],
    pub(super) request: Option<Asked<'a>>,
}

/// The part of a request that the task is made of, without what may be spent.
#[derive(Serialize)]
pub(super) struct Asked<'a> {
    text: &'a str,
    channel: Channel,
    engine: &'a str,
    agent_id: &'a Slug,
    version: Option<&'a str>,
    model: Option<&'a str>,
    #[serde(skip_serializing_if = "Option::is_none")]
    event: Option<&'a Event>,
    #[serde(skip_serializing_if = "Option::is_none")]
    after: Option<&'a After>,
}

impl<'a> From<&'a Request> for Asked<'a> {
    fn from(request: &'a Request) -> Self {
        let Request { text, channel, event, after, assignment } = request;
        Self {
            text,
            channel: *channel,
            engine: &assignment.engine,
            agent_id: &assignment.agent_id,
            version: assignment.version.as_deref(),
            model: assignment.model.as_deref(),
            event: event.as_ref(),
            after: after.as_ref(),
        }
    }
}

/// Returns the key a finished stage must have, from what its manifest and the header of its tape say.
pub fn key_of(run: &RunId, link: &Link, header: &Header) -> Result<Digest, CanonicalError> {
    let request = header.request.as_ref().map(|taped| Request {
        text: taped.text.clone(),
        channel: taped.channel,
        event: taped.event.clone(),
        after: taped.after.clone(),
        assignment: taped.assignment.clone(),
    });
    key(run, link, header.config.clone(), request.as_ref())
}

/// Returns the key a finished stage that takes no request has with a slice of config.
pub fn key_with(run: &RunId, link: &Link, config: serde_json::Value) -> Result<Digest, CanonicalError> {
    key(run, link, config, None)
}

fn key(
    run: &RunId,
    link: &Link,
    config: serde_json::Value,
    request: Option<&Request>,
) -> Result<Digest, CanonicalError> {
    let inputs: BTreeMap<&str, &Digest> =
        link.inputs.iter().map(|input| (split_round(&input.path).1, &input.digest)).collect();
    Digest::of_json(&KeyParts {
        run,
        stage: link.stage,
        version: link.stage_version,
        round: link.round,
        config,
        inputs: inputs.into_iter().collect(),
        materials: &link.materials,
        request: request.map(Asked::from),
    })
}
