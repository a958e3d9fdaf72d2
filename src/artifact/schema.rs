//! JSON Schemas of the artifact kinds, generated from the Rust types.
//!
//! Must never be written by hand: `orch schema KIND` and `docs/reference/schemas` both come from here.

use schemars::Schema;
use schemars::generate::SchemaSettings;

use super::envelope::{Artifact, Envelope};
use super::kind::ArtifactKind;
use super::types::{
    approval::Approval,
    auto_merge::AutoMerge,
    change_set::{ChangeSet, TestSet},
    debate::Escalation,
    event::Event,
    graph::RepositoryGraph,
    manifest::Manifest,
    plan::Plan,
    policy_input::PolicyInput,
    promotion::Promotion,
    pull_request::PullRequest,
    release::{ReleaseDecision, ReleaseEvidence},
    review::Review,
    rollback::{Rollback, RollbackRun},
    task::Task,
    verdict::Verdict,
    verification::Verification,
};

/// Returns the JSON Schema (draft 2020-12) of a kind's files, or `None` for kinds that are not JSON.
pub fn schema(kind: ArtifactKind) -> Option<Schema> {
    Some(match kind {
        ArtifactKind::Task => of::<Task>(),
        ArtifactKind::Plan => of::<Plan>(),
        ArtifactKind::TestSet => of::<TestSet>(),
        ArtifactKind::Verification => of::<Verification>(),
        ArtifactKind::ChangeSet => of::<ChangeSet>(),
        ArtifactKind::PolicyInput => of::<PolicyInput>(),
        ArtifactKind::Verdict => of::<Verdict>(),
        ArtifactKind::PullRequest => of::<PullRequest>(),
        ArtifactKind::Event => of::<Event>(),
        ArtifactKind::Approval => of::<Approval>(),
        ArtifactKind::Review => of::<Review>(),
        ArtifactKind::AutoMerge => of::<AutoMerge>(),
        ArtifactKind::ReleaseEvidence => of::<ReleaseEvidence>(),
        ArtifactKind::ReleaseDecision => of::<ReleaseDecision>(),
        ArtifactKind::Promotion => of::<Promotion>(),
        ArtifactKind::Rollback => of::<Rollback>(),
        ArtifactKind::RollbackRun => of::<RollbackRun>(),
        ArtifactKind::Manifest => of::<Manifest>(),
        ArtifactKind::Escalation => of::<Escalation>(),
        ArtifactKind::Graph => of::<RepositoryGraph>(),
        ArtifactKind::Patch
        | ArtifactKind::Text
        | ArtifactKind::Log
        | ArtifactKind::Journal
        | ArtifactKind::Junit
        | ArtifactKind::Ledger
        | ArtifactKind::Cassette
        | ArtifactKind::Tape
        | ArtifactKind::Breaker
        | ArtifactKind::Messages => return None,
    })
}

fn of<T: Artifact>() -> Schema {
    let mut schema = SchemaSettings::draft2020_12().into_generator().into_root_schema_for::<Envelope<T>>();
    let (kind, version) = (T::KIND, T::KIND.version());
    schema.insert("$id".into(), format!("urn:orch:artifact:{kind}:{version}").into());
    schema.insert("title".into(), format!("{kind} {version}").into());
    if let Some(properties) = schema.get_mut("properties").and_then(|p| p.as_object_mut()) {
        properties.insert("kind".into(), serde_json::json!({ "const": kind.as_str() }));
    }
    schema
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_json_kind_has_a_schema_that_names_it() {
        for kind in ArtifactKind::ALL {
            let schema = schema(*kind);
            assert_eq!(schema.is_some(), kind.is_json(), "{kind}");
            if let Some(schema) = schema {
                assert_eq!(schema.as_value()["properties"]["kind"]["const"], kind.as_str());
            }
        }
    }
}
