//! Questions to the catalogue: which price holds, whether a model still answers, who would be asked.
//!
//! Must never take an unknown price for zero, nor offer a model that is retired.

use jiff::civil::Date;
use serde::Serialize;
use serde_json::{Map, Value};

use super::types::{ModelRow, PriceLine, ProviderRow, RouteEntry, Status};
use super::{Catalogue, CatalogueError, address, nearest, row::shortened};
use crate::agent::price::{LongPrompt, PriceRow, Rates};
use crate::artifact::digest::{CanonicalError, Digest};
use crate::artifact::money::NanoUsd;
use crate::edit::format::Format;
use crate::ports::model::WireFormat;

/// The model of a price row that stands for every model without one.
pub(super) const ANY: &str = "*";

/// How alive a model is on a day.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Life {
    /// It answers, and no end is announced.
    Current(Status),
    /// It answers until a day.
    Ending {
        /// The day from which it answers no more.
        on: Date,
        /// The model to take in its place.
        successor: Option<String>,
    },
    /// It does not answer any more.
    Retired {
        /// Since when.
        on: Date,
        /// The model to take in its place.
        successor: Option<String>,
    },
}

impl Life {
    /// Returns what a person should know, if anything.
    pub fn warning(&self) -> Option<String> {
        let instead = |successor: &Option<String>| {
            successor.as_ref().map_or(String::new(), |name| format!("; take {name} in its place"))
        };
        match self {
            Self::Current(Status::Active) => None,
            Self::Current(status) => Some(status.as_str().to_owned()),
            Self::Ending { on, successor } => Some(format!("retires on {on}{}", instead(successor))),
            Self::Retired { on, successor } => Some(format!("retired on {on}{}", instead(successor))),
        }
    }
}

/// A model at a provider, with what is known of it.
#[derive(Clone, Debug)]
pub struct Resolved<'c> {
    /// Who is asked.
    pub provider: &'c ProviderRow,
    /// The model's id.
    pub model: String,
    /// The family it is from.
    pub family: String,
    /// The most input tokens.
    pub context: u64,
    /// The most output tokens.
    pub max_output: u32,
    /// Its row, if it has one.
    pub row: Option<&'c ModelRow>,
}

impl Catalogue {
    /// Returns the row of a model at a provider.
    pub fn model(&self, provider: &str, model: &str) -> Option<&ModelRow> {
        self.models.get(&(provider.to_owned(), model.to_owned())).map(AsRef::as_ref)
    }

    /// Finds a model at a provider, refusing one that is retired on a day.
    pub fn resolve(&self, provider: &str, model: &str, day: Date) -> Result<Resolved<'_>, CatalogueError> {
        let row = self.provider(provider)?;
        if let Life::Retired { on, successor } = self.life(provider, model, day) {
            let name = format!("{provider}/{model}");
            let successor = successor.map(|id| format!("{provider}/{id}"));
            return Err(CatalogueError::Retired { name, on: on.to_string(), successor });
        }
        let known = self.model(provider, model);
        let limits = known
            .map(|model| (model.context, model.max_output))
            .or_else(|| Some((row.context?, row.max_output?)));
        let Some((context, max_output)) = limits else {
            let ids = self.models(provider).map(|model| model.id.as_str());
            return Err(CatalogueError::Unknown {
                what: format!("`{provider}` has no model `{}`", shortened(model)),
                help: match nearest(model, ids) {
                    Some(near) => format!("Did you mean `{near}`?"),
                    None => "Add a [[model]] row with its `context` and `max_output` to models.toml.".into(),
                },
            });
        };
        let family = known.map(|model| model.family.clone()).or_else(|| row.family.clone());
        Ok(Resolved {
            provider: row,
            model: model.to_owned(),
            family: family.unwrap_or_else(|| provider.to_owned()),
            context,
            max_output,
            row: known,
        })
    }

    /// Tells how alive a model is on a day; one that is not known counts as alive.
    pub fn life(&self, provider: &str, model: &str, day: Date) -> Life {
        let Some(row) = self.model(provider, model) else { return Life::Current(Status::Active) };
        let Some(on) = row.retires_on else { return Life::Current(row.status) };
        let successor = row.successor.clone().or_else(|| self.newest_of_family(provider, row, day));
        if day >= on { Life::Retired { on, successor } } else { Life::Ending { on, successor } }
    }

    fn newest_of_family(&self, provider: &str, old: &ModelRow, day: Date) -> Option<String> {
        self.models(provider)
            .filter(|row| row.family == old.family && row.id != old.id && row.status == Status::Active)
            .filter(|row| row.retires_on.is_none_or(|on| day < on))
            .max_by_key(|row| (row.released, row.id.as_str()))
            .map(|row| row.id.clone())
    }

    /// Returns the format edits are asked for in: that of every entry of a route, or JSON where they differ.
    ///
    /// Whoever of the route answers can then write it, and which credentials a machine has does not change the question.
    pub fn edits_of(&self, route: &[RouteEntry]) -> Format {
        let mut formats = route
            .iter()
            .map(|entry| self.model(&entry.provider, &entry.model).map_or(Format::Json, |row| row.edits));
        let first = formats.next().unwrap_or(Format::Json);
        if formats.all(|format| format == first) { first } else { Format::Json }
    }

    /// Returns the prices of a model on a day; `None`: not known.
    pub fn price(&self, provider: &str, model: &str, day: Date) -> Option<PriceRow> {
        self.price_with(provider, model, day, &Map::new())
    }

    /// Returns the prices of a call on a day with the settings of its body, some of which cost more.
    pub fn price_with(
        &self,
        provider: &str,
        model: &str,
        day: Date,
        settings: &Map<String, Value>,
    ) -> Option<PriceRow> {
        let line = self.line(provider, model, day).or_else(|| self.line(provider, ANY, day))?;
        Some(priced(line, model, settings))
    }

    /// Returns the prices of a call by the model that answered, else by the model that was asked.
    pub fn price_of_answer(
        &self,
        provider: &str,
        asked: &str,
        answered: &str,
        day: Date,
        settings: &Map<String, Value>,
    ) -> Option<PriceRow> {
        match self.line(provider, answered, day) {
            Some(line) => Some(priced(line, answered, settings)),
            None => self.price_with(provider, asked, day, settings),
        }
    }

    /// Returns the row that holds on a day: of the last file that has one, the one that began last.
    pub fn line(&self, provider: &str, model: &str, day: Date) -> Option<&PriceLine> {
        let here = || self.providers.get(provider)?.base_url.as_deref().map(address::is_loopback);
        let lines = self.prices.get(&(provider.to_owned(), model.to_owned()))?;
        let mut files: Vec<usize> = lines.iter().map(|priced| priced.file).collect();
        files.sort_unstable();
        files.dedup();
        files.into_iter().rev().find_map(|file| {
            lines
                .iter()
                .filter(|priced| priced.file == file && priced.line.from <= day)
                .map(|priced| priced.line.as_ref())
                .max_by_key(|line| line.from)
                .filter(|line| line.to.is_none_or(|to| day <= to))
                .filter(|line| !line.loopback_only || here() == Some(true))
        })
    }

    /// Returns a digest of everything about the routes of some roles that changes what is asked of whom.
    ///
    /// Neither prices nor addresses are in it, nor which credentials a machine has: a stage that ran where the key was
    /// must not count as changed where it is not.
    pub fn digest_of_routes(&self, roles: &[&str]) -> Result<Digest, CanonicalError> {
        let mut roles = roles.to_vec();
        roles.sort_unstable();
        roles.dedup();
        let routes: Vec<(&str, Vec<Material<'_>>)> = roles
            .into_iter()
            .map(|role| (role, self.route(role).iter().map(|entry| self.material(entry)).collect()))
            .collect();
        Digest::of_json(&routes)
    }

    fn material<'c>(&'c self, entry: &'c RouteEntry) -> Material<'c> {
        let provider = self.providers.get(&entry.provider);
        let model = self.model(&entry.provider, &entry.model);
        Material {
            provider: &entry.provider,
            model: &entry.model,
            effort: entry.effort.as_deref(),
            extra: &entry.extra,
            format: provider.map(|row| row.format),
            family: model.map(|row| row.family.as_str()).or(provider.and_then(|row| row.family.as_deref())),
            context: model.map(|row| row.context).or(provider.and_then(|row| row.context)),
            max_output: model.map(|row| row.max_output).or(provider.and_then(|row| row.max_output)),
            settings: provider.map(|row| &row.extra),
            command: provider.map_or(&[], |row| &row.command),
            script: provider.and_then(|row| row.script.as_deref()),
            edits: model.map(|row| row.edits).filter(|format| *format != Format::Json).map(Format::name),
        }
    }
}

/// What of an entry of a route changes what is asked of whom.
#[derive(Serialize)]
struct Material<'c> {
    provider: &'c str,
    model: &'c str,
    effort: Option<&'c str>,
    extra: &'c Map<String, Value>,
    format: Option<WireFormat>,
    family: Option<&'c str>,
    context: Option<u64>,
    max_output: Option<u32>,
    settings: Option<&'c Map<String, Value>>,
    command: &'c [String],
    script: Option<&'c str>,
    #[serde(skip_serializing_if = "Option::is_none")]
    edits: Option<&'static str>,
}

/// Makes the row of a call: settings that cost more are in its rates, and in its name.
fn priced(line: &PriceLine, model: &str, settings: &Map<String, Value>) -> PriceRow {
    let (mut rates, mut long) = (line.rates, line.long);
    let mut id = format!("{model}@{}", line.from);
    for (setting, percents) in &line.multipliers {
        let percent = settings.get(setting).and_then(Value::as_str).and_then(|value| {
            let percent = *percents.get(value)?;
            id = format!("{id}+{setting}={value}");
            Some(percent)
        });
        if let Some(percent) = percent {
            rates = scaled(rates, percent);
            long = long.map(|long| LongPrompt { rates: scaled(long.rates, percent), ..long });
        }
    }
    PriceRow { id, rates, long, tiers: line.tiers.clone() }
}

/// Returns rates at a percentage, rounded up.
fn scaled(rates: Rates, percent: u32) -> Rates {
    let scale = |NanoUsd(nano): NanoUsd| {
        let nano = (u128::from(nano) * u128::from(percent)).div_ceil(100);
        NanoUsd(u64::try_from(nano).unwrap_or(u64::MAX))
    };
    Rates {
        input: scale(rates.input),
        cache_read: scale(rates.cache_read),
        cache_write_short: rates.cache_write_short.map(scale),
        cache_write_long: rates.cache_write_long.map(scale),
        output: scale(rates.output),
    }
}
