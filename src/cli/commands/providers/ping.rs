//! `orch providers ping`: one real tiny call, with what it cost.
//!
//! Must never send without a reservation, nor show an unknown price as none.

use std::io::{self, Write};
use std::time::Duration;

use clap::Args;
use serde::Serialize;
use serde_json::Value;

use crate::agent::budget::estimate::upper_bound;
use crate::agent::catalogue::{DEFAULT_ROLE, Life, RouteEntry, Status, price_text};
use crate::agent::route::Candidate;
use crate::artifact::money::NanoUsd;
use crate::cli::CommandError;
use crate::cli::error::UsageError;
use crate::cli::models::{ModelSetup, Once, Used};
use crate::cli::output::Output;
use crate::diagnostic::text::{plain, wall_time};
use crate::ports::clock::Clock;
use crate::ports::model::{CallError, ModelRequest, Usage, conformance};

/// The most output of a ping; models that think spend some of it before they answer.
const OUTPUT: u32 = 1024;

#[derive(Debug, Args)]
pub struct PingArgs {
    /// The provider, or a model at it, as `anthropic` or `anthropic/claude-haiku-5-5`
    name: String,
    /// The longest it may take, in seconds
    #[arg(long, default_value_t = 60, value_parser = clap::value_parser!(u64).range(1..=3600))]
    timeout: u64,
    /// Refuse the call when it could cost more than this, in US dollars
    #[arg(long, value_name = "USD")]
    max_cost: Option<String>,
}

#[derive(Serialize)]
struct Pong {
    asked: String,
    /// As the model calls itself; absent: the reply does not say.
    answered: Option<String>,
    text: String,
    took_ms: u64,
    usage: Option<Usage>,
    /// Exact US dollars; absent: not known.
    cost_usd: Option<String>,
    price: Option<String>,
    request_id: Option<String>,
    /// The lines of the ledger of this call.
    ledger: Vec<Value>,
}

/// Makes the call and prints what came.
pub fn run(
    args: &PingArgs,
    setup: &ModelSetup,
    clock: &dyn Clock,
    output: &Output,
) -> Result<u8, CommandError> {
    let entry = entry(&args.name, setup)?;
    let candidate = setup.candidate(&entry)?;
    let max_nano_usd = args.max_cost.as_deref().map(dollars).transpose()?;
    let pong = call(&candidate, setup, clock, Duration::from_secs(args.timeout), max_nano_usd)?;
    output.show(&pong, |out| render(&pong, out))?;
    Ok(0)
}

/// Reads the value of `--max-cost`.
pub fn dollars(text: &str) -> Result<NanoUsd, CommandError> {
    Ok(crate::agent::catalogue::dollars(text).map_err(|why| UsageError {
        what: format!("--max-cost {why}"),
        help: "Give dollars, as --max-cost 0.01.".into(),
    })?)
}

/// Returns who is asked: the model that was named, else the first one of the provider in the routes, else its newest.
pub fn entry(name: &str, setup: &ModelSetup) -> Result<RouteEntry, CommandError> {
    let (provider, model) =
        name.split_once('/').map_or((name, None), |(provider, model)| (provider, Some(model)));
    let row = setup.catalogue.provider(provider)?;
    let bare = |model: &str| RouteEntry {
        provider: provider.to_owned(),
        model: model.to_owned(),
        effort: None,
        extra: serde_json::Map::new(),
    };
    if let Some(model) = model {
        return Ok(bare(model));
    }
    let routes = std::iter::once(setup.catalogue.route(DEFAULT_ROLE))
        .chain(setup.catalogue.routes().map(|(_, entries)| entries))
        .flatten();
    let alive =
        |model: &str| !matches!(setup.catalogue.life(provider, model, setup.day), Life::Retired { .. });
    if let Some(entry) = routes.into_iter().find(|entry| entry.provider == provider && alive(&entry.model)) {
        return Ok(entry.clone());
    }
    let newest = setup
        .catalogue
        .models(provider)
        .filter(|model| model.status == Status::Active && alive(&model.id))
        .max_by_key(|model| model.released);
    Ok(newest.map(|model| bare(&model.id)).ok_or_else(|| UsageError {
        what: format!("it is not said which model of `{}` to ask", row.name),
        help: format!("Name one: {}/MODEL.", row.name),
    })?)
}

fn call(
    candidate: &Candidate,
    setup: &ModelSetup,
    clock: &dyn Clock,
    timeout: Duration,
    max_nano_usd: Option<NanoUsd>,
) -> Result<Pong, CommandError> {
    let request = ModelRequest {
        max_output: OUTPUT.min(candidate.max_output),
        effort: candidate.effort.clone(),
        extra: candidate.extra.clone(),
        ..conformance::request(&candidate.model)
    };
    let (provider, price) = (&candidate.provider, candidate.price.as_ref());
    let prepared = provider.prepare(&request)?;
    let tier = candidate.extra.get("service_tier").and_then(Value::as_str);
    let once = Once {
        provider: provider.as_ref(),
        model: &candidate.model,
        prepared: &prepared,
        role: "ping",
        step: "providers.ping",
        price,
        tier,
        most: (upper_bound([prepared.body.to_string().as_str()]), request.max_output.into()),
        ceiling: max_nano_usd,
        allow_unknown_cost: max_nano_usd.is_none(),
        timeout,
    };
    let answered = once.call(clock, |reply| {
        let reading = provider.read(reply);
        let text = match &reading.result {
            Ok(text) => text.clone(),
            // That the model was cut off shows that it is there.
            Err(CallError::Truncated { .. }) => "(cut off at the output limit)".into(),
            Err(error) => return Err(error.clone().into()),
        };
        let model = reading.model.as_deref().unwrap_or(&candidate.model);
        let price = setup
            .catalogue
            .price_of_answer(provider.name(), &candidate.model, model, setup.day, &candidate.extra)
            .filter(|_| reading.usage.is_some());
        let tier = reading.tier.as_deref().or(tier);
        let cost = reading.usage.as_ref().and_then(|usage| Some(price.as_ref()?.cost(usage, tier)));
        let used = Used { usage: reading.usage, cost };
        Ok(((reading, text, price, cost), used))
    })?;
    let (reading, text, price, cost) = answered.read;
    Ok(Pong {
        asked: candidate.name(),
        answered: reading.model,
        text,
        took_ms: answered.took_ms,
        usage: reading.usage,
        cost_usd: cost.map(price_text),
        price: price.map(|price| price.id),
        request_id: reading.request_id,
        ledger: answered.ledger,
    })
}

fn render(pong: &Pong, out: &mut dyn Write) -> io::Result<()> {
    let short: String = pong.text.chars().take(60).collect();
    writeln!(out, "{} answered in {}: {}", plain(&pong.asked), wall_time(pong.took_ms), plain(&short))?;
    writeln!(out, "{:<8} {}", "model", plain(pong.answered.as_deref().unwrap_or("not told")))?;
    match &pong.usage {
        Some(usage) => writeln!(
            out,
            "{:<8} {} in ({} from a cache), {} out ({} of it reasoning)",
            "tokens",
            usage.prompt(),
            usage.cache_read,
            usage.output,
            usage.reasoning
        )?,
        None => writeln!(out, "{:<8} not told", "tokens")?,
    }
    match (&pong.cost_usd, &pong.price) {
        (Some(cost), Some(row)) => writeln!(out, "{:<8} ${cost} ({})", "cost", plain(row))?,
        _ => writeln!(out, "{:<8} unknown; a [[price]] row in models.toml makes it known", "cost")?,
    }
    if let Some(id) = &pong.request_id {
        writeln!(out, "{:<8} {}", "request", plain(id))?;
    }
    for line in pong.ledger.iter().filter(|line| line["entry"]["entry"] != "open") {
        writeln!(out, "{:<8} {}", "ledger", line["entry"])?;
    }
    Ok(())
}
