//! Measures and the error budget from files that earlier steps made: what a command gives comes this way.
//!
//! Must never take a number that is written as a float, nor a measure without its time and its samples.

use serde::Deserialize;

use super::file::{json, most, number, put, read, time};
use super::{Collector, Gathered, Gathering, line};
use crate::artifact::id::CommitId;
use crate::artifact::types::release::{BudgetSeen, FactName, Measure, MeasureOf};
use crate::ports::observe::Seen;

/// The collector.
pub struct MeasuresCollector;

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct File {
    #[serde(default)]
    measures: Vec<Row>,
    #[serde(default)]
    error_budget: Option<Budget>,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct Row {
    name: String,
    of: MeasureOf,
    value: String,
    samples: u64,
    statistic: String,
    #[serde(default)]
    events: Option<u64>,
    #[serde(default)]
    commit: Option<CommitId>,
    at: String,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct Budget {
    remaining: String,
    window_days: u64,
    at: String,
}

impl Collector for MeasuresCollector {
    fn name(&self) -> &'static str {
        "measures"
    }

    fn collect(&self, of: &Gathering<'_>, into: &mut Gathered) {
        for path in &of.environment.measures {
            let Some((from, bytes)) = read(of, into, FactName::Measures, path) else { continue };
            let seen = parse(&from, &bytes);
            let Some((measures, budget)) = put(into, FactName::Measures, &from, &bytes, seen) else {
                continue;
            };
            into.facts.measures.get_or_insert_default().extend(measures);
            if let Some(budget) = budget {
                into.found(FactName::ErrorBudget, &from, &bytes);
                into.facts.error_budget = Some(lower(into.facts.error_budget.take(), budget));
            }
        }
    }
}

/// Of two error budgets the one with less left counts.
pub(super) fn lower(known: Option<BudgetSeen>, other: BudgetSeen) -> BudgetSeen {
    match known {
        Some(known) if known.remaining <= other.remaining => known,
        _ => other,
    }
}

fn parse(from: &str, bytes: &[u8]) -> Seen<(Vec<Measure>, Option<BudgetSeen>)> {
    let file: File = json(bytes)?;
    let one = |row: Row| {
        let (at, at_seconds) = time(&row.at)?;
        Ok(Measure {
            name: line(&row.name),
            of: row.of,
            value: number(&row.value)?,
            samples: row.samples,
            statistic: line(&row.statistic),
            events: row.events,
            commit: row.commit,
            at,
            at_seconds,
            source: from.to_owned(),
        })
    };
    let measures = most(file.measures)?.into_iter().map(one).collect::<Seen<_>>()?;
    let budget = |budget: Budget| {
        let (at, at_seconds) = time(&budget.at)?;
        let Budget { window_days, .. } = budget;
        Ok(BudgetSeen {
            remaining: number(&budget.remaining)?,
            window_days,
            at,
            at_seconds,
            source: from.to_owned(),
        })
    };
    Ok((measures, file.error_budget.map(budget).transpose()?))
}
