//! The keys of `models.toml`: the one list the reader accepts and the reference page shows.
//!
//! Must never hold a key that the reader does not read, nor miss one it does.

/// A key of a table.
#[derive(Clone, Copy, Debug)]
pub struct Field {
    /// Its name.
    pub name: &'static str,
    /// Whether it must be there.
    pub required: bool,
    /// What it takes and what it does.
    pub about: &'static str,
}

/// A table of the file.
#[derive(Clone, Copy, Debug)]
pub struct TableForm {
    /// How it is headed, as `[[provider]]`.
    pub head: &'static str,
    /// What it is.
    pub about: &'static str,
    /// Its keys.
    pub fields: &'static [Field],
}

const fn must(name: &'static str, about: &'static str) -> Field {
    Field { name, required: true, about }
}

const fn may(name: &'static str, about: &'static str) -> Field {
    Field { name, required: false, about }
}

/// The tables at the top.
#[rustfmt::skip]
pub static FILE: &[Field] = &[
    may("provider", "Rows: who answers, and where."),
    may("model", "Rows: which models there are."),
    may("price", "Rows: what they cost, from when."),
    may("routes", "Which models answer for a role, in order."),
];

/// `[[provider]]`
#[rustfmt::skip]
pub static PROVIDER: TableForm = TableForm {
    head: "[[provider]]",
    about: "Who answers, and where. A row replaces the built-in provider of the same name as a whole.",
    fields: &[
        must("name", "Its name in routes and records: lower-case letters, digits and `-`."),
        must("format", "What is spoken there: `anthropic-messages`, `openai-responses`, `openai-chat`, `gemini-generate`, `exec` or `scripted`."),
        may("base_url", "The address: https, or http on this machine. Needed by the four wire formats; `ORCH_<NAME>_BASE_URL` wins over it."),
        may("credential", "Where its credential comes from: `{ env = \"NAME\" }`, `{ file = \"/path\" }`, `{ stdin = true }`, `{ oidc = { ... } }` or `\"none\"`, or a list of them that is tried in order. Never the credential itself. Default: `\"none\"`."),
        may("family", "The family of its models that have no row, as `llama`. Default: the provider's name."),
        may("context", "The most input tokens of its models that have no row."),
        may("max_output", "The most output tokens of its models that have no row. With `context` it lets routes name models that have no row."),
        may("max_tokens_field", "`max_tokens` for servers that do not know `max_completion_tokens`; for `openai-chat`."),
        may("auth_header", "The header a key is sent in, instead of the format's own, as `api-key`."),
        may("stream", "Whether replies are streamed and folded. Default: where the format demands it."),
        may("effort", "`false`: the endpoint takes no word for how hard to think, so routes may give none."),
        may("headers", "More headers, as a table of texts. Not for credentials."),
        may("extra", "More settings, merged into every body as they are."),
        may("command", "The program and its words; for `exec`."),
        may("env", "Names of variables the program is given; for `exec`."),
        may("script", "The file with the replies, from the repository's root; for `scripted`."),
        may("docs", "A page about it."),
        may("note", "One line for people."),
    ],
};

/// `[[model]]`
#[rustfmt::skip]
pub static MODEL: TableForm = TableForm {
    head: "[[model]]",
    about: "A model. A row replaces the built-in one of the same provider and id.",
    fields: &[
        must("id", "Its id, sent as written."),
        must("provider", "The provider that has it, or a list of them."),
        must("family", "The family it is from, as `claude`: a critic is best of another one."),
        must("context", "The most input tokens."),
        must("max_output", "The most output tokens, reasoning included."),
        may("status", "`active`, `preview`, `legacy` or `deprecated`. Default: `active`."),
        may("released", "The day it appeared."),
        may("retires_on", "The day from which it answers no more: it is refused from then on, and warned of before."),
        may("successor", "The id of the model to take in its place. Default: the newest active one of its family."),
        may("efforts", "The words it takes for how hard to think."),
        may("edits", "The format it writes edits in where it is asked as `builder`: `json`, `udiff`, `sr` or `v4a`. It is asked for where all models of the route have the same; else `json` is. Default: `json`."),
    ],
};

/// `[[price]]`
#[rustfmt::skip]
pub static PRICE: TableForm = TableForm {
    head: "[[price]]",
    about: "What a model costs, in US dollars per million tokens, as text (`\"0.10\"`). A row replaces the built-in one of the same provider, model and `effective_from`; the row that holds on the day of the call is taken.",
    fields: &[
        must("model", "The model's id; `*` means every model of the provider that has no row of its own."),
        must("provider", "The provider, or a list of them."),
        must("effective_from", "The first day it holds, as `2026-10-07`."),
        may("effective_to", "The last day it holds. Default: until the next row."),
        must("source", "Where it is from: a page and the day it was read, or `our contract`."),
        must("in", "Input that is in no cache."),
        may("cache_read", "Input read from a cache. Default: as `in`."),
        may("write_short", "Input written to the short-lived cache (5 or 30 minutes)."),
        may("write_long", "Input written to the long-lived cache (1 or 12 hours)."),
        must("out", "Output, reasoning included."),
        may("long", "The rates of the whole request where its prompt is longer than `threshold` tokens: a table with `threshold` and every rate the row has."),
        may("tiers", "What a service tier costs in percent of the rates, by the provider's word, as `{ flex = 50 }`."),
        may("multipliers", "What a setting of the body costs in percent of the rates, as `{ inference_geo = { us = 110 } }`."),
        may("loopback_only", "`true`: the row holds only where the provider's address is this machine."),
    ],
};

/// `long` of `[[price]]`
#[rustfmt::skip]
pub static LONG: &[Field] = &[
    must("threshold", "The most tokens of a prompt that is not long."),
    must("in", "As above."),
    may("cache_read", "As above."),
    may("write_short", "As above."),
    may("write_long", "As above."),
    must("out", "As above."),
];

/// `[routes]`, an entry that is a table.
#[rustfmt::skip]
pub static ROUTE: TableForm = TableForm {
    head: "[routes]",
    about: "One key for each role (`default`, `architect`, `builder`, `test-writer`, `critic`, ...): a list of models, the preferred one first. A role without a list uses `default`; a list replaces the built-in one of the same role. An entry is the text `provider/model`, or a table:",
    fields: &[
        must("model", "`provider/model`."),
        may("effort", "How hard to think, in the provider's own word."),
        may("extra", "More settings, merged into the body as they are; they win over the provider's."),
    ],
};

/// `credential`
#[rustfmt::skip]
pub static CREDENTIAL: &[Field] = &[
    may("env", "The name of a variable that holds it."),
    may("file", "The path of a file that holds it."),
    may("stdin", "`true`: it is the first line of standard input."),
    may("oidc", "It is exchanged for an identity token of the CI system."),
];

/// `oidc` of `credential`
#[rustfmt::skip]
pub static OIDC: &[Field] = &[
    may("federation_rule_id", "Anthropic: the id of the federation rule."),
    may("organization_id", "Anthropic: the id of the organization."),
    may("service_account", "Anthropic: the service account to act as."),
    may("workspace", "Anthropic: the workspace to act in."),
    may("identity_provider_id", "OpenAI: the id of the identity provider."),
    may("service_account_id", "OpenAI: the id of the service account."),
    may("audience", "The audience of the identity token. Default: the provider's own."),
    may("auth_url", "OpenAI: where identity tokens are exchanged: https, or http on this machine. Default: `https://auth.openai.com`."),
];
