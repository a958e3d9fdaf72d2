//! The rules, one file and one line each.
//!
//! Must never hold a rule without a page in `docs/codes/lint`: a test compares both.

use super::Rule;

mod prelude {
    //! What every rule needs.

    pub(super) use std::ops::Range;

    pub(super) use crate::artifact::types::verdict::Severity;
    pub(super) use crate::lint::doc::Doc;
    pub(super) use crate::lint::{Hits, Rule};
    pub(super) use crate::scan::workflows::model::{Job, action, inputs, text};
    pub(super) use crate::scan::yaml::Node;
    pub(super) use crate::stage::spec::Power;

    /// Returns where a job's name is written.
    pub(super) fn key_of(doc: &Doc<'_>, job: &Job<'_>) -> Range<usize> {
        let jobs = doc.flow.root.get("jobs").map(Node::entries).unwrap_or_default();
        let key = jobs.iter().find(|(key, _)| key.text() == Some(job.name));
        key.map_or_else(|| job.node.range.clone(), |(key, _)| key.range.clone())
    }

    /// Returns names as a sentence takes them.
    pub(super) fn list(names: &[&str]) -> String {
        let shown: Vec<String> = names.iter().take(5).map(|name| format!("`{name}`")).collect();
        let more = names.len().saturating_sub(5);
        if more > 0 { format!("{} and {more} more", shown.join(", ")) } else { shown.join(", ") }
    }
}

mod agent_prompt;
mod app_token;
mod artifact_name;
mod concurrency;
mod duplicate_name;
mod environment_file;
mod gate;
mod git_push;
mod hidden_artifact;
mod id_token;
mod ignored_failure;
mod input_injection;
mod instruction_files;
mod open_trigger;
mod output_injection;
mod permissions;
mod persist_credentials;
mod pipe_to_shell;
mod required_filter;
mod reusable_call;
mod secret_env;
mod secrets_inherit;
mod shared_cache;
mod size;
mod timeout;
mod trust;
mod two_powers;
mod unpinned_image;
mod unsafe_checkout;
mod untrusted_artifact;

/// Every rule, one line each.
pub static RULES: &[&Rule] = &[
    &agent_prompt::RULE,
    &app_token::RULE,
    &artifact_name::RULE,
    &concurrency::RULE,
    &duplicate_name::RULE,
    &environment_file::RULE,
    &gate::RULE,
    &git_push::RULE,
    &hidden_artifact::RULE,
    &id_token::RULE,
    &ignored_failure::RULE,
    &input_injection::RULE,
    &instruction_files::RULE,
    &open_trigger::RULE,
    &output_injection::RULE,
    &permissions::RULE,
    &persist_credentials::RULE,
    &pipe_to_shell::RULE,
    &required_filter::RULE,
    &reusable_call::RULE,
    &secret_env::RULE,
    &secrets_inherit::RULE,
    &shared_cache::RULE,
    &size::RULE,
    &timeout::RULE,
    &trust::RULE,
    &two_powers::RULE,
    &unpinned_image::RULE,
    &unsafe_checkout::RULE,
    &untrusted_artifact::RULE,
];
