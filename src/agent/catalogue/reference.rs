//! The reference page of `models.toml`, made from the list of keys and the built-in file.
//!
//! Must never say a thing the reader or the file does not.

use std::collections::BTreeMap;
use std::fmt::Write as _;

use super::fields::{CREDENTIAL, Field, LONG, MODEL, OIDC, PRICE, PROVIDER, ROUTE};
use super::{Catalogue, Status, price_text};
use crate::artifact::money::NanoUsd;

const INTRO: &str = "\
<!-- Made from the code; do not edit. `cargo run -- util generate` writes it. -->

# models.toml

Who can be asked, which models there are, what they cost and who is asked for a role. The built-in file is below; a
repository lays its own rows over it with `.orch/models.toml`, or with the file that `models.file` in `orch.yml` names.
[Connect a provider](../how-to/models.md) shows how.

- A row of the same name replaces the built-in one as a whole; others are added.
- Unknown keys, double rows, overlapping prices and wrong values are refused with line and column (exit code 2).
- A credential never stands in the file: what looks like one is refused, and not shown.
- Prices are text and read exactly; one finer than a billionth of a dollar is refused. A model without a price may be
  called only where unknown cost is allowed, and shows as unknown.
- A model is refused from the day it retires, and warned of before.

";

/// Returns `docs/reference/models.md`.
pub fn reference() -> String {
    let mut page = String::from(INTRO);
    for form in [&PROVIDER, &MODEL, &PRICE] {
        let _ = writeln!(page, "## `{}`\n\n{}\n", form.head, form.about);
        table(form.fields, &mut page);
        if form.head == PROVIDER.head {
            page += "A table of `credential` has one of these keys:\n\n";
            table(CREDENTIAL, &mut page);
            page += "`oidc` has:\n\n";
            table(OIDC, &mut page);
        }
        if form.head == PRICE.head {
            page += "`long` has:\n\n";
            table(LONG, &mut page);
        }
    }
    let _ = writeln!(page, "## `{}`\n\n{}\n", ROUTE.head, ROUTE.about);
    table(ROUTE.fields, &mut page);
    if let Ok(catalogue) = Catalogue::load(&[], &BTreeMap::new()) {
        built_in(&catalogue, &mut page);
    }
    page.trim_end().to_owned() + "\n"
}

fn table(fields: &[Field], page: &mut String) {
    *page += "| key | needed | what |\n|---|---|---|\n";
    for field in fields {
        let needed = if field.required { "yes" } else { "no" };
        let _ = writeln!(page, "| `{}` | {needed} | {} |", field.name, field.about.replace('|', "\\|"));
    }
    page.push('\n');
}

fn built_in(catalogue: &Catalogue, page: &mut String) {
    *page += "## Built-in providers\n\n| name | format | address | about |\n|---|---|---|---|\n";
    for row in catalogue.providers() {
        let address = row.base_url.as_deref().map_or_else(|| "yours".to_owned(), |url| format!("`{url}`"));
        let docs = row.docs.as_deref().unwrap_or_default();
        let _ = writeln!(page, "| `{}` | `{}` | {address} | <{docs}> |", row.name, row.format);
    }
    *page +=
        "\n## Built-in models\n\n| model | family | context | output | status |\n|---|---|---|---|---|\n";
    for provider in catalogue.providers() {
        for model in catalogue.models(&provider.name) {
            let status = match (model.retires_on, model.status) {
                (Some(on), _) => format!("retires on {on}"),
                (None, Status::Active) => String::new(),
                (None, status) => status.as_str().to_owned(),
            };
            let (name, context, output) = (&provider.name, model.context, model.max_output);
            let _ = writeln!(
                page,
                "| `{name}/{}` | {} | {context} | {output} | {status} |",
                model.id, model.family
            );
        }
    }
    *page += "\n## Built-in prices\n\nUS dollars per million tokens; the second line of a model is for prompts longer than the figure.\n\n\
              | model | from | to | in | cached | short write | long write | out | source |\n|---|---|---|---|---|---|---|---|---|\n";
    for (provider, model, line) in catalogue.prices() {
        let to = line.to.map_or_else(String::new, |to| to.to_string());
        let rates = |rates: &crate::agent::price::Rates| {
            let maybe = |price: Option<NanoUsd>| price.map_or_else(|| "-".to_owned(), price_text);
            format!(
                "{} | {} | {} | {} | {}",
                price_text(rates.input),
                price_text(rates.cache_read),
                maybe(rates.cache_write_short),
                maybe(rates.cache_write_long),
                price_text(rates.output)
            )
        };
        let _ = writeln!(
            page,
            "| `{provider}/{model}` | {} | {to} | {} | {} |",
            line.from,
            rates(&line.rates),
            line.source
        );
        if let Some(long) = &line.long {
            let _ = writeln!(page, "| above {} | | | {} | |", long.threshold, rates(&long.rates));
        }
    }
    *page += "\n## Built-in routes\n\n| role | asked first to last |\n|---|---|\n";
    for (role, entries) in catalogue.routes() {
        let names: Vec<String> =
            entries.iter().map(|entry| format!("`{}/{}`", entry.provider, entry.model)).collect();
        let _ = writeln!(page, "| {role} | {} |", names.join(", "));
    }
}
