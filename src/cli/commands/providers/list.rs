//! `orch providers list`: what there is, what it needs, what it costs, and who would answer now.

use std::io::{self, Write};

use serde::Serialize;

use crate::agent::catalogue::{ModelRow, ProviderRow, price_text};
use crate::cli::CommandError;
use crate::cli::models::{ModelSetup, Readiness, needs};
use crate::cli::output::Output;
use crate::diagnostic::text::plain;

#[derive(Serialize)]
struct Listing {
    file: Option<String>,
    day: String,
    providers: Vec<ProviderEntry>,
    routes: Vec<Route>,
}

#[derive(Serialize)]
struct ProviderEntry {
    name: String,
    format: &'static str,
    base_url: Option<String>,
    needs: Vec<String>,
    usable: bool,
    #[serde(skip_serializing_if = "Option::is_none")]
    why: Option<String>,
    #[serde(skip_serializing_if = "Option::is_none")]
    help: Option<String>,
    #[serde(skip_serializing_if = "Option::is_none")]
    note: Option<String>,
    models: Vec<ModelEntry>,
}

#[derive(Serialize)]
struct ModelEntry {
    model: String,
    family: String,
    context: u64,
    max_output: u32,
    #[serde(skip_serializing_if = "Option::is_none")]
    warning: Option<String>,
    /// Absent: not known.
    price: Option<PriceEntry>,
}

/// US dollars per million tokens.
#[derive(Serialize)]
struct PriceEntry {
    row: String,
    r#in: String,
    cache_read: String,
    out: String,
    #[serde(skip_serializing_if = "Option::is_none")]
    long_above: Option<u64>,
    source: String,
}

#[derive(Serialize)]
struct Route {
    role: String,
    /// Absent: nobody can be asked now.
    answers: Option<String>,
    candidates: Vec<RouteCandidate>,
}

#[derive(Serialize)]
struct RouteCandidate {
    model: String,
    #[serde(skip_serializing_if = "Option::is_none")]
    effort: Option<String>,
    #[serde(skip_serializing_if = "Option::is_none")]
    why_not: Option<String>,
}

/// Prints the list.
pub fn run(setup: &ModelSetup, output: &Output) -> Result<u8, CommandError> {
    let listing = Listing {
        file: setup.file.clone(),
        day: setup.day.to_string(),
        providers: setup.catalogue.providers().map(|row| provider(setup, row)).collect(),
        routes: setup.catalogue.routes().map(|(role, _)| route(setup, role)).collect(),
    };
    output.show(&listing, |out| render(&listing, out))?;
    Ok(0)
}

fn provider(setup: &ModelSetup, row: &ProviderRow) -> ProviderEntry {
    let (usable, why, help) = match setup.readiness(row) {
        Readiness::Usable { .. } => (true, None, None),
        Readiness::Lacking { why, help } => (false, Some(why), Some(help)),
    };
    ProviderEntry {
        name: row.name.clone(),
        format: row.format.as_str(),
        base_url: row.base_url.clone(),
        needs: needs(row),
        usable,
        why,
        help,
        note: row.note.clone(),
        models: setup
            .catalogue
            .models(&row.name)
            .map(|model_row| model(setup, &row.name, model_row))
            .collect(),
    }
}

fn model(setup: &ModelSetup, provider: &str, row: &ModelRow) -> ModelEntry {
    let catalogue = &setup.catalogue;
    let price = catalogue.price(provider, &row.id, setup.day).map(|price| PriceEntry {
        r#in: price_text(price.rates.input),
        cache_read: price_text(price.rates.cache_read),
        out: price_text(price.rates.output),
        long_above: price.long.map(|long| long.threshold),
        source: catalogue
            .line(provider, &row.id, setup.day)
            .map(|line| line.source.clone())
            .unwrap_or_default(),
        row: price.id,
    });
    ModelEntry {
        model: row.id.clone(),
        family: row.family.clone(),
        context: row.context,
        max_output: row.max_output,
        warning: catalogue.life(provider, &row.id, setup.day).warning(),
        price,
    }
}

fn route(setup: &ModelSetup, role: &str) -> Route {
    let candidates: Vec<RouteCandidate> = setup
        .catalogue
        .route(role)
        .iter()
        .map(|entry| RouteCandidate {
            model: format!("{}/{}", entry.provider, entry.model),
            effort: entry.effort.clone(),
            why_not: setup.why_not(entry),
        })
        .collect();
    let answers = candidates.iter().find(|candidate| candidate.why_not.is_none()).map(|c| c.model.clone());
    Route { role: role.to_owned(), answers, candidates }
}

fn render(listing: &Listing, out: &mut dyn Write) -> io::Result<()> {
    let from = listing.file.as_deref().map_or_else(String::new, |file| format!(" with {file} over it"));
    writeln!(
        out,
        "The built-in catalogue{from}, prices of {} in US dollars per million tokens.\n",
        listing.day
    )?;
    for provider in &listing.providers {
        let usable = if provider.usable { "usable" } else { "not usable" };
        let address = provider.base_url.as_deref().unwrap_or("-");
        writeln!(
            out,
            "{:<12} {:<19} {usable:<11} {}",
            plain(&provider.name),
            provider.format,
            plain(address)
        )?;
        match (&provider.why, &provider.help) {
            (Some(why), Some(help)) => {
                writeln!(out, "{:<12} {}", "", plain(why))?;
                writeln!(out, "{:<12} {}", "", plain(help))?;
            }
            _ if provider.needs.is_empty() => writeln!(out, "{:<12} needs nothing", "")?,
            _ => writeln!(out, "{:<12} needs {}", "", plain(&provider.needs.join(", or ")))?,
        }
        if let Some(note) = &provider.note {
            writeln!(out, "{:<12} {}", "", plain(note))?;
        }
    }
    writeln!(out, "\n{:<36} {:>9} {:>9} {:>9}  {:>9}", "model", "in", "cached", "out", "context")?;
    for provider in &listing.providers {
        for model in &provider.models {
            render_model(provider, model, out)?;
        }
    }
    writeln!(out, "\n{:<12} asked first to last", "role")?;
    for route in &listing.routes {
        render_route(route, out)?;
    }
    Ok(())
}

fn render_model(provider: &ProviderEntry, model: &ModelEntry, out: &mut dyn Write) -> io::Result<()> {
    let name = format!("{}/{}", provider.name, model.model);
    let (input, cached, output) = model.price.as_ref().map_or(("unknown", "unknown", "unknown"), |price| {
        (price.r#in.as_str(), price.cache_read.as_str(), price.out.as_str())
    });
    write!(out, "{:<36} {input:>9} {cached:>9} {output:>9}  {:>9}", plain(&name), model.context)?;
    if let Some(above) = model.price.as_ref().and_then(|price| price.long_above) {
        write!(out, "  dearer above {above} tokens")?;
    }
    if let Some(warning) = &model.warning {
        write!(out, "  {}", plain(warning))?;
    }
    writeln!(out)
}

fn render_route(route: &Route, out: &mut dyn Write) -> io::Result<()> {
    let names: Vec<String> = route
        .candidates
        .iter()
        .map(|candidate| {
            let effort = candidate.effort.as_ref().map_or_else(String::new, |effort| format!(" ({effort})"));
            let mark = if Some(&candidate.model) == route.answers.as_ref() { "*" } else { "" };
            plain(&format!("{mark}{}{effort}", candidate.model))
        })
        .collect();
    writeln!(out, "{:<12} {}", plain(&route.role), names.join(", "))?;
    if route.answers.is_none() {
        writeln!(out, "{:<12} nobody can be asked now", "")?;
    }
    Ok(())
}
