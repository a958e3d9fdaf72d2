//! The rows of one `models.toml`, each checked by itself.
//!
//! Must never look at another file: what rows say of each other is checked when they are together.

use std::collections::BTreeMap;
use std::ops::Range;

use serde_json::{Map, Value};
use toml::Spanned;
use toml::de::{DeTable, DeValue};

use super::address;
use super::error::nearest;
use super::fields::{CREDENTIAL, FILE, LONG, MODEL, OIDC, PRICE, PROVIDER, ROUTE};
use super::leak::{is_credential_header, looks_like_secret, looks_random};
use super::row::{Row, Sheet, shortened};
use super::types::{
    CredentialRef, ModelRow, Oidc, Placed, PriceLine, ProviderRow, RawFile, RouteEntry, Status,
};
use crate::agent::price::{LongPrompt, Rates};
use crate::diagnostic::{Place, Problem};
use crate::edit::format::Format;
use crate::ports::model::WireFormat;

/// The largest file that is read.
const MAX_BYTES: usize = 1024 * 1024;

/// The most tokens of a context or an answer that are believed.
const MOST_TOKENS: u64 = 100_000_000;

/// Reads a file, checking each row by itself.
pub fn parse(bytes: &[u8]) -> Result<RawFile, Vec<Problem>> {
    let one = |place, what: &str, help: &str| {
        Err(vec![Problem { place, what: what.to_owned(), help: Some(help.to_owned()) }])
    };
    if bytes.len() > MAX_BYTES {
        return one(
            None,
            "the file is larger than 1 MiB",
            "Keep to the rows that differ from the built-in ones.",
        );
    }
    let text = match std::str::from_utf8(bytes) {
        Ok(text) => text.strip_prefix('\u{feff}').unwrap_or(text),
        Err(error) => {
            let valid = String::from_utf8_lossy(&bytes[..error.valid_up_to()]);
            return one(
                Some(Place::of(&valid, valid.len())),
                "the text is not UTF-8",
                "Save the file as UTF-8.",
            );
        }
    };
    let document = match DeTable::parse(text) {
        Ok(document) => document,
        Err(error) => {
            let place = error.span().map(|span| Place::of(text, span.start));
            let what = format!("this is no TOML: {}", error.message().lines().collect::<Vec<_>>().join(", "));
            return one(place, &what, "Compare with docs/reference/models.md.");
        }
    };
    let sheet = Sheet::new(text);
    let span = document.span();
    let document = Spanned::new(span, DeValue::Table(document.into_inner()));
    let Some(top) = Row::new(&sheet, "models.toml", &document, FILE) else { return Err(sheet.finish()) };
    // What is plainly a secret ends it here, so that no other complaint can quote it.
    let leaks = Sheet::new(text);
    scan(&leaks, &document);
    let leaks = leaks.finish();
    if !leaks.is_empty() {
        return Err(leaks);
    }
    let file = RawFile {
        providers: rows(&top, "provider", provider),
        models: rows(&top, "model", model),
        prices: rows(&top, "price", price),
        routes: routes(&top),
    };
    let problems = sheet.finish();
    if problems.is_empty() { Ok(file) } else { Err(problems) }
}

/// Notes every text and key that is plainly a secret, whatever it stands for.
fn scan(sheet: &Sheet<'_>, value: &Spanned<DeValue<'_>>) {
    let leak = |span: Range<usize>| {
        sheet.wrong(
            span,
            "here stands what looks like a secret; it is not shown",
            Some(
                "Take it out of the file, have it revoked where it was issued, and name a variable or a file instead: \
                 credential = { env = \"NAME\" }."
                    .into(),
            ),
        );
    };
    match value.get_ref() {
        DeValue::String(text) if looks_like_secret(text) => leak(value.span()),
        DeValue::Array(list) => list.iter().for_each(|item| scan(sheet, item)),
        DeValue::Table(table) => {
            for (key, value) in table {
                if looks_like_secret(key.get_ref()) {
                    leak(key.span());
                }
                scan(sheet, value);
            }
        }
        _ => {}
    }
}

fn rows<'s, 't, 'i, T>(
    top: &Row<'s, 't, 'i>,
    key: &str,
    read: impl Fn(&'s Sheet<'t>, &'s Spanned<DeValue<'i>>) -> Option<T>,
) -> Vec<Placed<T>> {
    let Some(value) = top.get(key) else { return Vec::new() };
    let Some(list) = value.get_ref().as_array() else {
        top.wrong(key, &format!("must be rows, each headed [[{key}]]"));
        return Vec::new();
    };
    list.iter()
        .filter_map(|item| {
            let row = read(top.sheet(), item)?;
            Some(Placed { row, place: top.sheet().place(item.span()) })
        })
        .collect()
}

fn provider(sheet: &Sheet<'_>, value: &Spanned<DeValue<'_>>) -> Option<ProviderRow> {
    let row = Row::new(sheet, "provider", value, PROVIDER.fields)?;
    let name = row.text("name").filter(|name| {
        let fits = is_slug(name);
        if !fits {
            row.wrong("name", "must be lower-case letters, digits and `-`");
        }
        fits
    });
    let format = row.text("format").and_then(|text| {
        let known = WireFormat::ALL.iter().copied().find(|format| format.as_str() == text);
        if known.is_none() {
            let names = WireFormat::ALL.iter().map(|format| format.as_str());
            let near = nearest(&text, names.clone()).map_or_else(
                || format!("is none of {}", names.collect::<Vec<_>>().join(", ")),
                |near| format!("is no format; did you mean `{near}`?"),
            );
            row.wrong("format", &near);
        }
        known
    });
    let base_url = row.text("base_url").filter(|url| match address::check(url) {
        Ok(()) => true,
        Err(why) => {
            row.wrong("base_url", &why);
            false
        }
    });
    let found = ProviderRow {
        name: name?,
        format: format?,
        base_url,
        credentials: credentials(&row),
        family: row.text("family"),
        context: row.number("context", MOST_TOKENS),
        max_output: row.number("max_output", MOST_TOKENS).and_then(|n| u32::try_from(n).ok()),
        max_tokens_field: row.text("max_tokens_field"),
        auth_header: row.text("auth_header").map(|name| name.to_ascii_lowercase()),
        stream: row.flag("stream"),
        effort: row.flag("effort"),
        headers: headers(&row),
        extra: row.json("extra"),
        command: row.texts("command"),
        env: row.texts("env"),
        script: row.text("script"),
        docs: row.text("docs"),
        note: row.text("note"),
    };
    shape(&row, &found);
    Some(found)
}

/// Checks that a provider has what its format needs and nothing that its format cannot say.
fn shape(row: &Row<'_, '_, '_>, provider: &ProviderRow) {
    let format = provider.format;
    let (exec, scripted) = (format == WireFormat::Exec, format == WireFormat::Scripted);
    if exec && provider.command.is_empty() {
        row.sheet().wrong(row.span.clone(), "a provider of the format `exec` needs `command`", None);
    }
    if scripted && provider.script.is_none() {
        row.sheet().wrong(row.span.clone(), "a provider of the format `scripted` needs `script`", None);
    }
    let wires = ["base_url", "max_tokens_field", "auth_header", "stream", "headers", "credential"];
    let idle: Vec<&str> = match (exec, scripted) {
        (true, _) => wires.iter().copied().chain(["script"]).collect(),
        (_, true) => wires.iter().copied().chain(["command", "env", "extra"]).collect(),
        _ => vec!["command", "env", "script"],
    };
    for key in idle.into_iter().filter(|key| row.get(key).is_some()) {
        row.wrong(key, &format!("means nothing for the format `{format}`"));
    }
    if provider.max_tokens_field.is_some() && format != WireFormat::OpenaiChat {
        row.wrong("max_tokens_field", "is for the format `openai-chat`");
    }
    if provider
        .max_tokens_field
        .as_deref()
        .is_some_and(|name| name != "max_tokens" && name != "max_completion_tokens")
    {
        row.wrong("max_tokens_field", "must be `max_tokens` or `max_completion_tokens`");
    }
    if provider.env.iter().any(|name| !is_variable(name)) {
        row.wrong("env", "must be names of variables");
    }
}

fn headers(row: &Row<'_, '_, '_>) -> BTreeMap<String, String> {
    let mut headers = BTreeMap::new();
    for (name, value) in row.json("headers") {
        let lower = name.to_ascii_lowercase();
        let plain = !name.is_empty() && name.bytes().all(|b| b.is_ascii_alphanumeric() || b == b'-');
        match value {
            Value::String(text) if is_credential_header(&name) || looks_random(&text) => {
                row.leak(row.get("headers").map_or(0..0, Spanned::span));
            }
            Value::String(text) if plain && text.bytes().all(|b| (0x20..0x7f).contains(&b)) => {
                headers.insert(lower, text);
            }
            _ => row.wrong("headers", "must be names and texts of plain characters"),
        }
    }
    headers
}

fn credentials(row: &Row<'_, '_, '_>) -> Vec<CredentialRef> {
    let Some(value) = row.get("credential") else { return Vec::new() };
    match value.get_ref() {
        DeValue::String(text) if text == "none" => Vec::new(),
        DeValue::Array(list) => list.iter().filter_map(|item| credential(row.sheet(), item)).collect(),
        DeValue::Table(_) => credential(row.sheet(), value).into_iter().collect(),
        // Whatever else stands here may be the secret itself.
        _ => {
            row.leak(value.span());
            Vec::new()
        }
    }
}

fn credential(sheet: &Sheet<'_>, value: &Spanned<DeValue<'_>>) -> Option<CredentialRef> {
    if value.get_ref().as_str() == Some("none") {
        return Some(CredentialRef::Nothing);
    }
    if value.get_ref().as_table().is_none() {
        sheet.wrong(
            value.span(),
            "an entry of `credential` must be a table; it is not shown here, because it may be a secret",
            Some("Name where the credential is: credential = { env = \"NAME\" }.".into()),
        );
        return None;
    }
    let row = Row::new(sheet, "credential", value, CREDENTIAL)?;
    let given = CREDENTIAL.iter().filter(|field| row.get(field.name).is_some()).count();
    if given != 1 {
        let what = "a credential names exactly one of `env`, `file`, `stdin` and `oidc`";
        sheet.wrong(row.span.clone(), what, None);
        return None;
    }
    if let Some(value) = row.get("env") {
        return match value.get_ref().as_str() {
            Some(name) if is_variable(name) && !looks_random(name) => {
                Some(CredentialRef::Env(name.to_owned()))
            }
            _ => {
                row.leak(value.span());
                None
            }
        };
    }
    if let Some(value) = row.get("file") {
        let path = value.get_ref().as_str().unwrap_or_default();
        if path.is_empty() || path.contains('\0') || looks_random(path) {
            row.leak(value.span());
            return None;
        }
        return Some(CredentialRef::File(path.to_owned()));
    }
    if row.get("stdin").is_some() {
        return match row.flag("stdin") {
            Some(true) => Some(CredentialRef::Stdin),
            Some(false) => {
                row.wrong("stdin", "can only be true; leave it out instead");
                None
            }
            None => None,
        };
    }
    oidc(&row).map(CredentialRef::Oidc)
}

fn oidc(row: &Row<'_, '_, '_>) -> Option<Oidc> {
    let oidc = Row::new(row.sheet(), "oidc", row.get("oidc")?, OIDC)?;
    let text = |key: &str| oidc.text(key);
    let (rule, organization) = (text("federation_rule_id"), text("organization_id"));
    let (provider, account) = (text("identity_provider_id"), text("service_account_id"));
    let audience = text("audience");
    match (rule, organization, provider, account) {
        (Some(federation_rule_id), Some(organization_id), None, None) if oidc.get("auth_url").is_none() => {
            Some(Oidc::Anthropic {
                federation_rule_id,
                organization_id,
                service_account: text("service_account"),
                workspace: text("workspace"),
                audience,
            })
        }
        (None, None, Some(identity_provider_id), Some(service_account_id))
            if oidc.get("service_account").is_none() && oidc.get("workspace").is_none() =>
        {
            let auth_url = text("auth_url").filter(|url| match address::check(url) {
                Ok(()) => true,
                Err(why) => {
                    oidc.wrong("auth_url", &why);
                    false
                }
            });
            Some(Oidc::OpenAi { identity_provider_id, service_account_id, audience, auth_url })
        }
        _ => {
            let what = "`oidc` needs `federation_rule_id` and `organization_id` (Anthropic), or \
                        `identity_provider_id` and `service_account_id` (OpenAI)";
            row.sheet().wrong(oidc.span.clone(), what, None);
            None
        }
    }
}

fn model(sheet: &Sheet<'_>, value: &Spanned<DeValue<'_>>) -> Option<ModelRow> {
    let row = Row::new(sheet, "model", value, MODEL.fields)?;
    let status = row.text("status").map_or(Some(Status::Active), |text| {
        let known = Status::ALL.iter().copied().find(|status| status.as_str() == text);
        if known.is_none() {
            row.wrong("status", "must be active, preview, legacy or deprecated");
        }
        known
    });
    let edits = row.text("edits").map_or(Some(Format::Json), |text| {
        let known = Format::named(&text);
        if known.is_none() {
            row.wrong("edits", "must be json, udiff, sr or v4a");
        }
        known
    });
    let (released, retires_on) = (row.date("released"), row.date("retires_on"));
    if let (Some(released), Some(retires)) = (released, retires_on)
        && retires <= released
    {
        row.wrong("retires_on", "is not after `released`");
    }
    Some(ModelRow {
        id: row.text("id")?,
        providers: row.texts("provider"),
        family: row.text("family")?,
        context: row.number("context", MOST_TOKENS)?,
        max_output: u32::try_from(row.number("max_output", MOST_TOKENS)?).ok()?,
        status: status?,
        released,
        retires_on,
        successor: row.text("successor"),
        efforts: row.texts("efforts"),
        edits: edits?,
    })
}

fn price(sheet: &Sheet<'_>, value: &Spanned<DeValue<'_>>) -> Option<PriceLine> {
    let row = Row::new(sheet, "price", value, PRICE.fields)?;
    let (from, to) = (row.date("effective_from"), row.date("effective_to"));
    if let (Some(from), Some(to)) = (from, to)
        && to < from
    {
        row.wrong("effective_to", "is before `effective_from`");
    }
    let rates = rates(&row);
    Some(PriceLine {
        model: row.text("model")?,
        providers: row.texts("provider"),
        from: from?,
        to,
        source: row.text("source")?,
        long: long(&row, rates),
        rates: rates?,
        tiers: row.percents("tiers"),
        multipliers: row.nested_percents("multipliers"),
        loopback_only: row.flag("loopback_only").unwrap_or_default(),
    })
}

fn rates(row: &Row<'_, '_, '_>) -> Option<Rates> {
    let (input, output) = (row.price("in"), row.price("out"));
    let cache_read = row.price("cache_read");
    let (short, long) = (row.price("write_short"), row.price("write_long"));
    let input = input?;
    Some(Rates {
        input,
        // Without a price of its own a cached token counts like any other: never too little.
        cache_read: cache_read.unwrap_or(input),
        cache_write_short: short,
        cache_write_long: long,
        output: output?,
    })
}

fn long(row: &Row<'_, '_, '_>, base: Option<Rates>) -> Option<LongPrompt> {
    let inner = Row::new(row.sheet(), "long", row.get("long")?, LONG)?;
    let threshold = inner.number("threshold", MOST_TOKENS);
    for key in ["cache_read", "write_short", "write_long"] {
        if row.get(key).is_some() && inner.get(key).is_none() {
            row.sheet().wrong(
                inner.span.clone(),
                format!("`long` lacks the rate `{key}` that the row has"),
                None,
            );
        }
    }
    let rates = rates(&inner)?;
    if base.is_some_and(|base| rates.input < base.input || rates.output < base.output) {
        row.sheet().wrong(inner.span.clone(), "`long` is cheaper than the row itself", None);
    }
    Some(LongPrompt { threshold: threshold?, rates })
}

fn routes(top: &Row<'_, '_, '_>) -> BTreeMap<String, Vec<Placed<RouteEntry>>> {
    let mut routes = BTreeMap::new();
    let Some(value) = top.get("routes") else { return routes };
    let Some(table) = value.get_ref().as_table() else {
        top.wrong("routes", "must be a table, headed [routes]");
        return routes;
    };
    for (role, value) in table {
        let name = role.get_ref().as_ref();
        let Some(list) = value.get_ref().as_array().filter(|list| !list.is_empty() && is_slug(name)) else {
            top.sheet().wrong(
                role.span(),
                format!("the route `{}` must be a list of models", shortened(name)),
                Some("Write it as builder = [\"anthropic/claude-sonnet-5-5\"].".into()),
            );
            continue;
        };
        let entries = list.iter().filter_map(|item| {
            let row = entry(top.sheet(), item)?;
            Some(Placed { row, place: top.sheet().place(item.span()) })
        });
        routes.insert(name.to_owned(), entries.collect());
    }
    routes
}

fn entry(sheet: &Sheet<'_>, value: &Spanned<DeValue<'_>>) -> Option<RouteEntry> {
    let (name, effort, extra) = if let DeValue::String(text) = value.get_ref() {
        (text.to_string(), None, Map::new())
    } else {
        let row = Row::new(sheet, "route", value, ROUTE.fields)?;
        (row.text("model")?, row.text("effort"), row.json("extra"))
    };
    let parts = name.split_once('/').filter(|(provider, model)| is_slug(provider) && !model.is_empty());
    let Some((provider, model)) = parts else {
        sheet.wrong(
            value.span(),
            format!("`{}` is no model of a route", shortened(&name)),
            Some("Write it as provider/model, as anthropic/claude-sonnet-5-5.".into()),
        );
        return None;
    };
    Some(RouteEntry { provider: provider.to_owned(), model: model.to_owned(), effort, extra })
}

/// Tells whether a text is lower-case letters, digits and `-`.
fn is_slug(text: &str) -> bool {
    let plain = |b: u8| b.is_ascii_lowercase() || b.is_ascii_digit() || b == b'-';
    (1..=40).contains(&text.len()) && text.bytes().all(plain) && !text.starts_with('-')
}

/// Tells whether a text is the name of a variable.
fn is_variable(text: &str) -> bool {
    let plain = text.bytes().all(|b| b.is_ascii_alphanumeric() || b == b'_');
    (1..=128).contains(&text.len()) && plain && !text.starts_with(|c: char| c.is_ascii_digit())
}
