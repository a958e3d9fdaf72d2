//! What a `models.toml` says, row by row.
//!
//! Must never hold a credential: only where one comes from.

use std::collections::BTreeMap;

use jiff::civil::Date;
use serde_json::{Map, Value};

use crate::agent::price::{LongPrompt, Rates};
use crate::diagnostic::Place;
use crate::edit::format::Format;
use crate::ports::model::WireFormat;

/// Who answers, and where.
#[derive(Clone, Debug, PartialEq)]
pub struct ProviderRow {
    /// Its name in routes and records.
    pub name: String,
    /// What is spoken there.
    pub format: WireFormat,
    /// The address.
    pub base_url: Option<String>,
    /// Where its credential comes from, tried in order; empty: it needs none.
    pub credentials: Vec<CredentialRef>,
    /// The family of its models that have no row.
    pub family: Option<String>,
    /// The most input tokens of its models that have no row.
    pub context: Option<u64>,
    /// The most output tokens of its models that have no row.
    pub max_output: Option<u32>,
    /// The name the endpoint has for the most output tokens.
    pub max_tokens_field: Option<String>,
    /// The header a key is sent in.
    pub auth_header: Option<String>,
    /// Whether replies are streamed and folded.
    pub stream: Option<bool>,
    /// Whether the endpoint takes a word for how hard to think.
    pub effort: Option<bool>,
    /// More headers.
    pub headers: BTreeMap<String, String>,
    /// More settings of every body.
    pub extra: Map<String, Value>,
    /// The program and its words.
    pub command: Vec<String>,
    /// Names of variables the program is given.
    pub env: Vec<String>,
    /// The file with the replies.
    pub script: Option<String>,
    /// A page about it.
    pub docs: Option<String>,
    /// One line for people.
    pub note: Option<String>,
}

/// Where a credential comes from; never the credential itself.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum CredentialRef {
    /// A variable.
    Env(String),
    /// A file.
    File(String),
    /// The first line of standard input.
    Stdin,
    /// The CI system's identity token, exchanged at the provider.
    Oidc(Oidc),
    /// None is needed: the end of a list.
    Nothing,
}

/// Who one is at a provider, by an identity token.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Oidc {
    /// At Anthropic.
    Anthropic {
        /// The federation rule.
        federation_rule_id: String,
        /// The organization.
        organization_id: String,
        /// The service account to act as.
        service_account: Option<String>,
        /// The workspace to act in.
        workspace: Option<String>,
        /// The audience of the identity token.
        audience: Option<String>,
    },
    /// At OpenAI.
    OpenAi {
        /// The identity provider.
        identity_provider_id: String,
        /// The service account.
        service_account_id: String,
        /// The audience of the identity token.
        audience: Option<String>,
        /// Where tokens are exchanged.
        auth_url: Option<String>,
    },
}

/// How alive a model is.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Status {
    /// Supported.
    Active,
    /// May change or go at short notice.
    Preview,
    /// Gets no updates any more.
    Legacy,
    /// Its end is announced.
    Deprecated,
}

impl Status {
    /// Every one.
    pub const ALL: &'static [Self] = &[Self::Active, Self::Preview, Self::Legacy, Self::Deprecated];

    /// Returns the word in files.
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Active => "active",
            Self::Preview => "preview",
            Self::Legacy => "legacy",
            Self::Deprecated => "deprecated",
        }
    }
}

/// A model.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct ModelRow {
    /// Its id, sent as written.
    pub id: String,
    /// Who has it.
    pub providers: Vec<String>,
    /// The family it is from.
    pub family: String,
    /// The most input tokens.
    pub context: u64,
    /// The most output tokens.
    pub max_output: u32,
    /// How alive it is.
    pub status: Status,
    /// The day it appeared.
    pub released: Option<Date>,
    /// The day from which it answers no more.
    pub retires_on: Option<Date>,
    /// The id of the model to take in its place.
    pub successor: Option<String>,
    /// The words it takes for how hard to think; empty: not known.
    pub efforts: Vec<String>,
    /// The format it writes edits in.
    pub edits: Format,
}

/// What a model costs.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct PriceLine {
    /// The model's id; `*`: every one that has no row.
    pub model: String,
    /// Who bills it.
    pub providers: Vec<String>,
    /// The first day it holds.
    pub from: Date,
    /// The last day it holds.
    pub to: Option<Date>,
    /// Where it is from.
    pub source: String,
    /// The rates.
    pub rates: Rates,
    /// The rates of long prompts.
    pub long: Option<LongPrompt>,
    /// Percentages of service tiers.
    pub tiers: BTreeMap<String, u32>,
    /// Percentages of settings, by setting and value.
    pub multipliers: BTreeMap<String, BTreeMap<String, u32>>,
    /// True: holds only where the address is this machine.
    pub loopback_only: bool,
}

/// One entry of a route.
#[derive(Clone, Debug, PartialEq)]
pub struct RouteEntry {
    /// Who is asked.
    pub provider: String,
    /// For which model.
    pub model: String,
    /// How hard to think.
    pub effort: Option<String>,
    /// More settings.
    pub extra: Map<String, Value>,
}

/// A row with its place.
#[derive(Clone, Debug, PartialEq)]
pub struct Placed<T> {
    /// The row.
    pub row: T,
    /// Where it stands.
    pub place: Place,
}

/// The rows of a file.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct RawFile {
    /// Providers.
    pub providers: Vec<Placed<ProviderRow>>,
    /// Models.
    pub models: Vec<Placed<ModelRow>>,
    /// Prices.
    pub prices: Vec<Placed<PriceLine>>,
    /// Routes, by role.
    pub routes: BTreeMap<String, Vec<Placed<RouteEntry>>>,
}
