//! `orch context --embeddings`: how near files are to the request, by a model that the caller names.
//!
//! Must never ask a model that was not named on the command line: no file of a repository makes its contents leave the
//! machine. Must never send a secret of well-known shape, nor keep the answer from a person because nobody could be asked.

use std::path::Path;
use std::sync::Arc;
use std::time::Duration;

use serde::Serialize;

use super::super::providers;
use crate::agent::budget::estimate::upper_bound;
use crate::agent::catalogue::price_text;
use crate::agent::price::PriceRow;
use crate::artifact::money::NanoUsd;
use crate::cli::CommandError;
use crate::cli::args::Global;
use crate::cli::error::UsageError;
use crate::cli::models::{Once, Used};
use crate::cli::output::Output;
use crate::diagnostic::Class;
use crate::diagnostic::redact::redact;
use crate::diagnostic::text::plain;
use crate::index::Found;
use crate::index::meaning::{Kept, LOOKED_AT, about, again};
use crate::ports::clock::SystemClock;
use crate::ports::model::{EmbeddingRequest, MAX_TEXTS, Provider};
use crate::ports::vcs::VcsError;

/// The longest that one call may take.
const TIMEOUT: Duration = Duration::from_secs(30);
/// The most bytes of a request that are sent.
const MOST_REQUEST: usize = 2000;

/// What was asked of a model of embeddings.
#[derive(Debug, Default, Serialize)]
pub struct Told {
    /// The provider and the model.
    model: String,
    /// Texts that were sent now.
    sent: usize,
    /// Texts whose vectors were known.
    known: usize,
    /// What it cost, exact US dollars; absent: not told, or nothing was sent.
    #[serde(skip_serializing_if = "Option::is_none")]
    cost_usd: Option<String>,
    /// Why files are in the order they have without it.
    #[serde(skip_serializing_if = "Option::is_none")]
    failed: Option<String>,
}

/// What a file holds; nothing where there is none.
type Content = Result<Option<Vec<u8>>, VcsError>;

/// Who is asked, and about what.
pub struct Near<'a> {
    /// `provider/model`.
    pub model: &'a str,
    /// The most all calls may cost, in dollars.
    pub max_cost: &'a str,
    /// Where vectors are kept; nowhere when absent.
    pub folder: Option<&'a Path>,
    /// Returns what a file holds.
    pub content: &'a dyn Fn(&str) -> Content,
}

/// A model that can be asked.
struct Asked {
    provider: Arc<dyn Provider>,
    model: String,
    price: Option<PriceRow>,
    ceiling: NanoUsd,
    allow_unknown_cost: bool,
}

impl Near<'_> {
    /// Returns files in their order by all signals and this one.
    pub fn order(
        &self,
        request: &str,
        mut found: Vec<Found>,
        global: &Global,
        output: &Output,
    ) -> Result<(Told, Vec<Found>), CommandError> {
        let mut told = Told { model: self.model.to_owned(), ..Told::default() };
        let asked = self.asked(global)?;
        if found.is_empty() {
            return Ok((told, found));
        }
        let rest = found.split_off(found.len().min(LOOKED_AT));
        let mut texts = vec![shortened(request)];
        for file in &found {
            let content = (self.content)(&file.path)?;
            texts.push(
                content.map_or_else(String::new, |bytes| redact(&about(&file.path, &bytes)).into_owned()),
            );
        }
        let mut kept = Kept::open(self.folder, self.model);
        told.failed = asked.learn(&texts, &mut kept, &mut told)?;
        if let Some(why) = &told.failed {
            output.note(&format!(
                "files are in the order they have without {}: {}",
                plain(self.model),
                plain(why)
            ));
        }
        if let Some(request) = texts.first().and_then(|text| kept.of(text)) {
            let vectors: Vec<Option<&[f32]>> = texts.iter().skip(1).map(|text| kept.of(text)).collect();
            found = again(found, request, &vectors);
        }
        kept.save()?;
        found.extend(rest);
        said(&told, output);
        Ok((told, found))
    }

    fn asked(&self, global: &Global) -> Result<Asked, CommandError> {
        let Some((name, model)) =
            self.model.split_once('/').filter(|(name, model)| !name.is_empty() && !model.is_empty())
        else {
            return Err(UsageError {
                what: format!("--embeddings `{}` names no model", plain(self.model)),
                help: "Give it as PROVIDER/MODEL; `orch providers` lists the providers.".into(),
            }
            .into());
        };
        let (setup, config) = providers::setup(global)?;
        let row = setup.catalogue.provider(name)?;
        let price = setup.catalogue.price_with(name, model, setup.day, &row.extra);
        let allow_unknown_cost = config.budget.allow_unknown_cost;
        if price.is_none() && !allow_unknown_cost {
            return Err(UsageError {
                what: format!("what {} costs is not known", plain(self.model)),
                help: "Give it a [[price]] row in models.toml, or set budget.allow_unknown_cost.".into(),
            }
            .into());
        }
        Ok(Asked {
            provider: setup.provider(row)?,
            model: model.to_owned(),
            price,
            ceiling: providers::ping::dollars(self.max_cost)?,
            allow_unknown_cost,
        })
    }
}

impl Asked {
    /// Learns the vectors of texts that are not known yet; returns why not, where the model could not be asked.
    fn learn(
        &self,
        texts: &[String],
        kept: &mut Kept,
        told: &mut Told,
    ) -> Result<Option<String>, CommandError> {
        let mut missing: Vec<&String> =
            texts.iter().filter(|text| !text.is_empty() && kept.of(text).is_none()).collect();
        told.known = texts.iter().filter(|text| kept.of(text).is_some()).count();
        missing.sort_unstable();
        missing.dedup();
        let (mut left, mut cost) = (self.ceiling, None::<NanoUsd>);
        for batch in missing.chunks(MAX_TEXTS) {
            let request = EmbeddingRequest {
                model: self.model.clone(),
                texts: batch.iter().map(|text| (*text).clone()).collect(),
            };
            let (vectors, spent) = match self.call(&request, left) {
                Ok(answer) => answer,
                // The files have an order without it; only what a person has to mend ends the command.
                Err(error) if error.exit_code() == Class::Temporary.exit_code() => {
                    return Ok(Some(error.text()));
                }
                Err(error) => return Err(error),
            };
            told.sent += batch.len();
            for (text, vector) in batch.iter().zip(vectors) {
                kept.learn(text, vector);
            }
            if let Some(spent) = spent {
                left = NanoUsd(left.0.saturating_sub(spent.0));
                cost = Some(NanoUsd(cost.unwrap_or_default().0.saturating_add(spent.0)));
                told.cost_usd = cost.map(price_text);
            }
        }
        Ok(None)
    }

    /// Makes one call; returns the vectors and what they cost, at most where that is not told.
    fn call(
        &self,
        request: &EmbeddingRequest,
        ceiling: NanoUsd,
    ) -> Result<(Vec<Vec<f32>>, Option<NanoUsd>), CommandError> {
        let prepared = self.provider.prepare_embedding(request)?;
        let input = upper_bound(request.texts.iter().map(String::as_str));
        let price = self.price.as_ref();
        let once = Once {
            provider: self.provider.as_ref(),
            model: &self.model,
            prepared: &prepared,
            role: "embeddings",
            step: "context.embeddings",
            price,
            tier: None,
            most: (input, 0),
            ceiling: Some(ceiling),
            allow_unknown_cost: self.allow_unknown_cost,
            timeout: TIMEOUT,
        };
        let answered = once.call(&SystemClock::new(None), |reply| {
            let reading = self.provider.read_embedding(reply, request.texts.len());
            let cost = reading.usage.as_ref().and_then(|usage| Some(price?.cost(usage, None)));
            Ok(((reading.result?, cost), Used { usage: reading.usage, cost }))
        })?;
        let (vectors, cost) = answered.read;
        Ok((vectors, cost.or_else(|| Some(price?.worst_case(input, 0, None)))))
    }
}

/// Returns a request, cut where it is long: its beginning says what it is about.
fn shortened(request: &str) -> String {
    redact(&request[..request.floor_char_boundary(MOST_REQUEST)]).into_owned()
}

/// Says what was sent where, and what it cost.
fn said(told: &Told, output: &Output) {
    if output.is_quiet() || told.sent == 0 {
        return;
    }
    let cost = told.cost_usd.as_ref().map_or_else(|| "of unknown cost".into(), |cost| format!("for ${cost}"));
    output.note(&format!(
        "{} texts were sent to {} {cost}; {} were known",
        told.sent,
        plain(&told.model),
        told.known
    ));
}
