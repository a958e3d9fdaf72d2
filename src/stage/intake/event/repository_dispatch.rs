//! `repository_dispatch`: a client payload of `{tenant, intent, payload}`, where `payload` is `{request}`.
//!
//! Must never take a field it does not know: a program that sends one expects it to count.

use serde::Deserialize;

use crate::artifact::id::Slug;
use crate::artifact::types::event::{Account, Intent, Part};

use super::{EventError, Reader, Said};

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct Client {
    #[serde(default)]
    tenant: Option<Slug>,
    intent: Wanted,
    payload: Inner,
}

#[derive(Deserialize)]
#[serde(rename_all = "kebab-case")]
enum Wanted {
    Run,
    Plan,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct Inner {
    request: String,
}

pub(super) fn read(reader: &Reader<'_>, actor: Option<&Account>) -> Result<Said, EventError> {
    let broken = || reader.field("client_payload");
    let client = reader.payload.client_payload.clone().ok_or_else(broken)?;
    let client: Client = serde_json::from_value(client).map_err(|_| broken())?;
    let tenants = &reader.config.tenants;
    // With a list, who is not on it gets nothing, and neither does who does not say.
    let known = tenants.is_empty() || client.tenant.as_ref().is_some_and(|tenant| tenants.contains(tenant));
    if !known {
        return Err(reader.field("client_payload.tenant"));
    }
    let intent = match client.intent {
        Wanted::Run => Intent::Run,
        Wanted::Plan => Intent::Plan,
    };
    let texts: Vec<_> =
        Reader::words(Part::Input, &client.payload.request, actor.cloned())?.into_iter().collect();
    if texts.iter().all(|words| words.text.is_empty()) {
        return Err(reader.field("client_payload.payload.request"));
    }
    Ok(Said { intent, tenant: client.tenant, texts, ..Said::nothing("") })
}
