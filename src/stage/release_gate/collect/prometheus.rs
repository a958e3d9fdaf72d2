//! Measures from a Prometheus server: a query a measure, at one moment or over a range.
//!
//! Must never take an empty answer, `NaN` or an infinite number for a measure.

use std::collections::BTreeMap;

use super::measures::lower;
use super::{Collector, Gathered, Gathering};
use crate::artifact::types::release::{BudgetSeen, FactName, Measure, MeasureOf, Millionths};
use crate::config::{Query, Statistic};
use crate::ports::observe::{Point, Question, Seen, Unseen};

/// The collector.
pub struct PrometheusCollector;

/// The most points of one range that are asked for.
const POINTS: u64 = 500;

impl Collector for PrometheusCollector {
    fn name(&self) -> &'static str {
        "prometheus"
    }

    fn collect(&self, of: &Gathering<'_>, into: &mut Gathered) {
        let environment = of.environment;
        let canary = environment.canary.iter().flat_map(|(name, queries)| {
            [(name, MeasureOf::Canary, &queries.canary), (name, MeasureOf::LastGood, &queries.last_good)]
        });
        let slo = environment.slo.iter().map(|(name, query)| (name, MeasureOf::Service, query));
        for (name, side, query) in canary.chain(slo).filter(|(_, _, query)| !query.value.is_empty()) {
            let from = format!("prometheus: {}", query.value);
            match measure(of, name, side, query) {
                Ok(measure) => {
                    into.found_value(FactName::Measures, from, &measure);
                    into.facts.measures.get_or_insert_default().push(measure);
                }
                Err(unseen) => into.failed(FactName::Measures, from, unseen),
            }
        }
        let query = &environment.error_budget.query;
        if !query.is_empty() {
            let from = format!("prometheus: {query}");
            match moment(of, query) {
                Ok(point) => {
                    into.found_value(FactName::ErrorBudget, from, &(point.1, point.0));
                    let seen = budget(of, query, point);
                    into.facts.error_budget = Some(lower(into.facts.error_budget.take(), seen));
                }
                Err(unseen) => into.failed(FactName::ErrorBudget, from, unseen),
            }
        }
    }
}

fn budget(of: &Gathering<'_>, query: &str, (at_seconds, remaining): (i64, Millionths)) -> BudgetSeen {
    BudgetSeen {
        remaining,
        window_days: of.environment.error_budget.window_days,
        at: shown(at_seconds),
        at_seconds,
        source: query.to_owned(),
    }
}

fn shown(at_seconds: i64) -> String {
    jiff::Timestamp::from_second(at_seconds).map(super::whole_seconds).unwrap_or_default()
}

fn measure(of: &Gathering<'_>, name: &str, side: MeasureOf, query: &Query) -> Seen<Measure> {
    let points = ask(of, &query.value, query.minutes)?;
    let numbers: BTreeMap<i64, Millionths> =
        points.iter().filter_map(|point| Some((point.at_seconds, point.value.parse().ok()?))).collect();
    // A hole in the data is no data: a series that says NaN half of the time measured half of it.
    let (at_seconds, value) = match (numbers.last_key_value(), query.minutes) {
        (Some((at, _)), _) => (*at, statistic(query.statistic, &numbers)),
        (None, _) => return Err(Unseen::new("the query has no finite number")),
    };
    let samples = match query.samples.as_str() {
        "" if query.minutes > 0 => numbers.len() as u64,
        "" => 0,
        samples => count(of, samples)?,
    };
    let events = if query.events.is_empty() { None } else { Some(count(of, &query.events)?) };
    let word = if query.minutes > 0 { query.statistic.as_str() } else { "value" };
    Ok(Measure {
        name: name.to_owned(),
        of: side,
        value,
        samples,
        statistic: word.to_owned(),
        events,
        commit: None,
        at: shown(at_seconds),
        at_seconds,
        source: query.value.clone(),
    })
}

fn ask(of: &Gathering<'_>, query: &str, minutes: u64) -> Seen<Vec<Point>> {
    let server = of.config.release.prometheus.clone();
    if server.is_empty() {
        return Err(Unseen::new("`release.prometheus` names no server"));
    }
    let back_seconds = minutes * 60;
    let step_seconds = back_seconds.div_ceil(POINTS).max(15);
    let at_seconds = of.now.as_second();
    of.observe.points(&Question { server, query: query.to_owned(), at_seconds, back_seconds, step_seconds })
}

/// Returns the number of a query at the moment of the collection.
fn moment(of: &Gathering<'_>, query: &str) -> Seen<(i64, Millionths)> {
    let points = ask(of, query, 0)?;
    let point = points.last().ok_or_else(|| Unseen::new("the query has no series"))?;
    let number =
        point.value.parse().map_err(|error| Unseen::new(format!("the query gave no number: {error}")))?;
    Ok((point.at_seconds, number))
}

/// Returns a whole number; `increase()` gives parts of samples, which are cut off.
fn count(of: &Gathering<'_>, query: &str) -> Seen<u64> {
    let (_, number) = moment(of, query)?;
    u64::try_from(number.0 / 1_000_000).map_err(|_| Unseen::new("the number of samples is below zero"))
}

fn statistic(statistic: Statistic, numbers: &BTreeMap<i64, Millionths>) -> Millionths {
    let mut sorted: Vec<i64> = numbers.values().map(|number| number.0).collect();
    let last = sorted.last().copied().unwrap_or_default();
    sorted.sort_unstable();
    let at = |at: usize| sorted.get(at).copied().unwrap_or_default();
    Millionths(match statistic {
        Statistic::Last => last,
        Statistic::Min => at(0),
        Statistic::Max => at(sorted.len().saturating_sub(1)),
        Statistic::Median => at(sorted.len() / 2),
        Statistic::Mean => {
            let sum: i128 = sorted.iter().map(|number| i128::from(*number)).sum();
            let count = i128::try_from(sorted.len().max(1)).unwrap_or(1);
            i64::try_from(sum / count).unwrap_or_default()
        }
    })
}
