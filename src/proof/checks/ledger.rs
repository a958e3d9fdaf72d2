//! The money: lines chained, sums right, limits kept, and what each stage began with is what was spent before it.

use crate::agent::budget::{ReadLedger, RunLedgers};
use crate::artifact::kind::StageFile;
use crate::artifact::types::ledger::{Ceiling, LedgerEntry, LedgerLimits, LedgerLine, Totals};
use crate::proof::case::Case;
use crate::proof::outcome::Outcome;

pub(super) fn look(case: &Case<'_>) -> Outcome {
    if case.opened.kept {
        return Outcome::not_measured("ledgers are not kept with the repository");
    }
    let ledgers = match RunLedgers::read(case.opened.store) {
        Ok(ledgers) => ledgers,
        Err(error) => return Outcome::failed(error.to_string()),
    };
    let mut problems = Vec::new();
    for ledger in &ledgers.ledgers {
        limits(ledger, &mut problems);
        if ledger.attempt.is_none() && case.opened.chain.manifest(ledger.stage, ledger.round).is_some() {
            closed(ledger, &mut problems);
        }
    }
    run_limit(&ledgers, &mut problems);
    // What a cassette says was asked, some ledger has to have reserved.
    for manifest in case.opened.chain.bodies() {
        let has = |file: StageFile| {
            let path = file.path(manifest.link.stage, manifest.link.round);
            manifest.records.iter().any(|record| record.path == path)
        };
        if has(StageFile::Cassette) && !has(StageFile::Ledger) {
            problems.push(format!("`{}` has model exchanges and no ledger", manifest.link.stage));
        }
    }
    if ledgers.ledgers.is_empty() && problems.is_empty() {
        return Outcome::held("no stage asked a model, so there is nothing to pay");
    }
    let spent = ledgers.spent();
    Outcome::of(problems, || {
        let unknown =
            if spent.unknown > 0 { format!(", {} of unknown cost", spent.unknown) } else { String::new() };
        format!("{} on {} calls{unknown}", spent.nano_usd, spent.calls)
    })
}

fn closed(ledger: &ReadLedger, problems: &mut Vec<String>) {
    if !matches!(ledger.lines.last().map(|line| &line.entry), Some(LedgerEntry::Close { .. })) {
        problems.push(format!("`{}` is of a finished stage and was not closed", ledger.path));
    }
}

/// The limits in force when the last reservation was made bound what is spent; those of an opening after it bound nothing
/// that was paid before.
fn limits(ledger: &ReadLedger, problems: &mut Vec<String>) {
    let is_reserve = |line: &LedgerLine| matches!(line.entry, LedgerEntry::Reserve { .. });
    let Some(last) = ledger.lines.iter().rposition(is_reserve) else { return };
    let opening = ledger.lines[..last].iter().rev().find_map(|line| match &line.entry {
        LedgerEntry::Open { limits, earlier, .. } => Some((limits, earlier)),
        _ => None,
    });
    let Some((LedgerLimits { run, stage, .. }, earlier)) = opening else { return };
    if let Some(what) = over(run, *earlier + ledger.spent) {
        problems.push(format!("`{}` passed the run's limit of {what}", ledger.path));
    }
    if let Some(what) = over(stage, ledger.spent) {
        problems.push(format!("`{}` passed the stage's limit of {what}", ledger.path));
    }
}

/// The last limit of the run holds for the sum of all ledgers.
fn run_limit(ledgers: &RunLedgers, problems: &mut Vec<String>) {
    let spent = ledgers.spent();
    let largest = ledgers
        .ledgers
        .iter()
        .flat_map(|ledger| &ledger.lines)
        .filter_map(|line| match &line.entry {
            LedgerEntry::Open { limits, .. } => Some(limits.run),
            _ => None,
        })
        .reduce(loosest);
    if let Some(what) = largest.and_then(|ceiling| over(&ceiling, spent)) {
        problems.push(format!("all ledgers together passed the run's limit of {what}"));
    }
}

/// Returns the looser of two ceilings, measure by measure; what is absent does not limit.
fn loosest(a: Ceiling, b: Ceiling) -> Ceiling {
    fn max<T: Ord>(a: Option<T>, b: Option<T>) -> Option<T> {
        a.zip(b).map(|(a, b)| a.max(b))
    }
    Ceiling {
        max_nano_usd: max(a.max_nano_usd, b.max_nano_usd),
        max_tokens: max(a.max_tokens, b.max_tokens),
        ttl_ms: max(a.ttl_ms, b.ttl_ms),
    }
}

/// Time is no part of it: the last call may end after the limit, it may only not begin.
fn over(ceiling: &Ceiling, spent: Totals) -> Option<String> {
    if let Some(max) = ceiling.max_nano_usd.filter(|max| spent.nano_usd > *max) {
        return Some(format!("{max}"));
    }
    ceiling.max_tokens.filter(|max| spent.tokens > *max).map(|max| format!("{max} tokens"))
}
