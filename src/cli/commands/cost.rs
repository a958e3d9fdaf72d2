//! `orch cost`: where the money of a run went.

use std::collections::BTreeMap;
use std::io::{self, Write};

use clap::Args;
use serde::Serialize;

use crate::agent::budget::{Part, Spend};
use crate::artifact::chain::Chain;
use crate::artifact::id::RunId;
use crate::cli::args::Global;
use crate::cli::output::Output;
use crate::cli::{CommandError, session};
use crate::diagnostic::text::{count, plain};
use crate::stage::runner::RunError;

/// Tell what a run spent, by stage, role, step and model
///
/// Reads the ledgers of the run, those of earlier attempts included; refuses a run that is not what it was.
#[derive(Debug, Args)]
pub struct CostArgs {
    /// The run: its id, the start of its id, or its folder; absent: the newest
    run: Option<String>,
}

#[derive(Serialize)]
struct Cost {
    run: RunId,
    #[serde(flatten)]
    spend: Spend,
}

/// Tells what a run spent.
pub fn run(args: &CostArgs, global: &Global, output: &Output) -> Result<u8, CommandError> {
    let found = session::find_run(global, args.run.as_deref())?;
    let chain = Chain::read(&found.store, &found.run)?;
    if let Some(first) = chain.breaks.first() {
        return Err(RunError::Broken { first: first.clone(), more: chain.breaks.len() - 1 }.into());
    }
    let cost = Cost { spend: Spend::read(&found.store)?, run: found.run };
    output.show(&cost, |out| show(&cost, out))?;
    Ok(0)
}

fn show(cost: &Cost, out: &mut dyn Write) -> io::Result<()> {
    let Spend { total, stages, roles, steps, models, reused, dearest } = &cost.spend;
    if total.calls == 0 && *reused == 0 {
        return writeln!(out, "{} called no model: it cost nothing.", cost.run);
    }
    writeln!(out, "{} spent {}\n", cost.run, summary(total))?;
    for (what, parts) in [("stage", stages), ("role", roles), ("step", steps), ("model", models)] {
        table(what, parts, out)?;
    }
    if *reused > 0 {
        let questions = count(usize::try_from(*reused).unwrap_or(usize::MAX), "question");
        writeln!(out, "{questions} answered again from the run's own record, for nothing.")?;
    }
    if !dearest.is_empty() {
        writeln!(out, "dearest prompts")?;
    }
    for dear in dearest {
        let amount = dear.nano_usd.map_or("unknown".to_owned(), |amount| amount.to_string());
        let place = format!("{}:{}", dear.cassette, dear.exchange);
        let (role, step, model) = (plain(&dear.role), plain(&dear.step), plain(&dear.model));
        writeln!(out, "  {amount:>12}  {} tokens, {role} {step}, {model}, {place}", dear.tokens)?;
        writeln!(out, "  {:>12}  {}", "", plain(&dear.first_line))?;
    }
    Ok(())
}

fn summary(part: &Part) -> String {
    use std::fmt::Write as _;

    let mut text =
        format!("{} on {}", part.nano_usd, count(usize::try_from(part.calls).unwrap_or(0), "call"));
    let _ = write!(text, ", {} tokens", part.tokens);
    if part.kept_nano_usd.0 > 0 {
        let _ = write!(text, "; {} of it kept for calls that may be billed", part.kept_nano_usd);
    }
    if part.reserved_nano_usd.0 > 0 {
        let _ = write!(text, "; {} of it reserved and never settled", part.reserved_nano_usd);
    }
    if part.unknown_cost_calls > 0 {
        let _ = write!(text, "; {} of unknown cost not in it", part.unknown_cost_calls);
    }
    text
}

fn table(what: &str, parts: &BTreeMap<String, Part>, out: &mut dyn Write) -> io::Result<()> {
    writeln!(
        out,
        "  {what:<32} {:>6} {:>10} {:>12} {:>12} {:>12} {:>8}",
        "calls", "tokens", "cost", "kept", "reserved", "unknown"
    )?;
    for (name, part) in parts {
        let (cost, kept, reserved) =
            (part.nano_usd.to_string(), part.kept_nano_usd.to_string(), part.reserved_nano_usd.to_string());
        let (calls, tokens, unknown) = (part.calls, part.tokens, part.unknown_cost_calls);
        let name = plain(name);
        writeln!(
            out,
            "  {name:<32} {calls:>6} {tokens:>10} {cost:>12} {kept:>12} {reserved:>12} {unknown:>8}"
        )?;
    }
    writeln!(out)
}
