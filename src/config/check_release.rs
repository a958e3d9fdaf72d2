//! The raw config of releases becomes a valid one.
//!
//! Must never let an environment ask for less because a value of it could not be read.

use std::collections::BTreeMap;

use crate::artifact::id::Slug;
use crate::artifact::types::release::{
    Better, BudgetTerm, CanaryTerm, DeltaTerm, LicenceTerm, Millionths, RequiredCheck, RollbackTerm, SloTerm,
    SoakTerm, Terms,
};

use super::check::{Check, check_fault, fault, file_fault, line_fault};
use super::raw::{RawCanary, RawDelta, RawFreeze, RawQuery, RawRelease, RawReleaseEnvironment, RawSlo};
use super::release::{BudgetQuery, CanaryQueries, Freeze, Query, Release, ReleaseEnvironment};

/// Checks the section.
pub(super) fn release(check: &mut Check<'_>, raw: RawRelease, default: Release) -> Release {
    let freezes = raw.freezes.unwrap_or_default();
    let environments = raw.environments.unwrap_or_default();
    Release {
        packs: check.packs("release.packs", raw.packs),
        waivers: check.text("release.waivers", raw.waivers, default.waivers, file_fault),
        freezes: named(check, "release.freezes", freezes, freeze),
        calendars: check.each("release.calendars", raw.calendars, file_fault),
        prometheus: check.text("release.prometheus", raw.prometheus, default.prometheus, url_fault),
        keys: check.each("release.keys", raw.keys, file_fault),
        environments: named(check, "release.environments", environments, environment),
    }
}

/// Checks the entries of a map from names.
fn named<R, V>(
    check: &mut Check<'_>,
    section: &str,
    raw: BTreeMap<String, R>,
    of: fn(&mut Check<'_>, &str, R) -> V,
) -> BTreeMap<Slug, V> {
    let mut found = BTreeMap::new();
    for (name, raw) in raw {
        let path = format!("{section}.{name}");
        match name.parse::<Slug>() {
            Ok(slug) => drop(found.insert(slug, of(check, &path, raw))),
            Err(error) => {
                let help = "Use lower-case letters, digits and inner hyphens.".to_owned();
                check.complain(&path, (format!("has a name that cannot be taken: {error}"), help));
            }
        }
    }
    found
}

fn freeze(check: &mut Check<'_>, path: &str, raw: RawFreeze) -> Freeze {
    let time = |check: &mut Check<'_>, key: &str, value: Option<String>| {
        let path = format!("{path}.{key}");
        check.text(&path, Some(value.unwrap_or_default()), String::new(), time_fault)
    };
    let (from, to) = (time(check, "from", raw.from), time(check, "to", raw.to));
    let seconds = |text: &str| text.parse::<jiff::Timestamp>().ok();
    if let (Some(start), Some(end)) = (seconds(&from), seconds(&to))
        && end <= start
    {
        let help = "Let `to` be later than `from`; it is not included.".to_owned();
        check.complain(&format!("{path}.to"), ("is not after `from`".into(), help));
    }
    let names = check.each(&format!("{path}.environments"), raw.environments, slug_fault);
    Freeze {
        from,
        to,
        environments: names.iter().filter_map(|name| name.parse().ok()).collect(),
        reason: check.text(
            &format!("{path}.reason"),
            Some(raw.reason.unwrap_or_default()),
            String::new(),
            line_fault,
        ),
    }
}

fn environment(check: &mut Check<'_>, path: &str, raw: RawReleaseEnvironment) -> ReleaseEnvironment {
    let key = |name: &str| format!("{path}.{name}");
    let default = ReleaseEnvironment::default();
    let checks = check.each(&key("checks"), raw.checks, check_fault);
    let may_skip = check.each(&key("may_skip"), raw.may_skip, check_fault);
    for (at, name) in may_skip.iter().enumerate().filter(|(_, name)| !checks.contains(name)) {
        let help = "Name it in `checks` as well.".to_owned();
        check.complain(
            &format!("{path}.may_skip[{at}]"),
            (format!("is `{name}`, which is no required check"), help),
        );
    }
    let soak = raw.soak.map(|soak| SoakTerm {
        environment: slug(check, &key("soak.environment"), soak.environment),
        minutes: soak.minutes.unwrap_or(60),
    });
    let licences = raw.licences;
    let sbom = licences.as_ref().and_then(|licences| licences.sbom.clone());
    let rollback = raw.rollback.unwrap_or_default();
    let plan = rollback.plan.clone().unwrap_or_else(|| "ROLLBACK.md".into());
    let budget = raw.error_budget;
    let (canary, canary_queries) = canaries(check, &key("canary"), raw.canary.unwrap_or_default());
    let (slo, slo_queries) = objectives(check, &key("slo"), raw.slo.unwrap_or_default());
    let terms = default.terms;
    ReleaseEnvironment {
        terms: Terms {
            checks: required(&checks, &may_skip),
            proven: raw.proven.unwrap_or(terms.proven),
            signed: raw.signed.unwrap_or(terms.signed),
            reviewed: raw.reviewed.unwrap_or(terms.reviewed),
            approvals: raw.approvals.unwrap_or(terms.approvals),
            approval_hours: raw.approval_hours.unwrap_or(terms.approval_hours),
            same_artifacts: raw.same_artifacts.unwrap_or(terms.same_artifacts),
            soak,
            canary,
            slo,
            error_budget: budget.as_ref().map(|budget| BudgetTerm {
                min_remaining: decimal(
                    check,
                    &key("error_budget.min_remaining"),
                    budget.min_remaining.clone(),
                    "0",
                ),
            }),
            measures_minutes: raw.measures_minutes.unwrap_or(terms.measures_minutes),
            deltas: deltas(check, &key("deltas"), raw.deltas.unwrap_or_default()),
            rollback: (!plan.is_empty()).then(|| RollbackTerm {
                plan: check.text(&key("rollback.plan"), Some(plan), String::new(), file_fault),
                rehearsed_days: rollback.rehearsed_days.unwrap_or(90),
            }),
            licences: licences.map(|licences| LicenceTerm {
                deny: check.each(&key("licences.deny"), licences.deny, line_fault),
                unknown: licences.unknown.unwrap_or(false),
            }),
        },
        tested: optional_file(check, &key("tested"), raw.tested),
        measures: check.each(&key("measures"), raw.measures, file_fault),
        canary: canary_queries,
        slo: slo_queries,
        error_budget: BudgetQuery {
            query: budget.as_ref().and_then(|budget| budget.query.clone()).unwrap_or_default(),
            window_days: budget
                .and_then(|budget| budget.window_days)
                .unwrap_or(default.error_budget.window_days),
        },
        deltas: optional_file(check, &key("deltas_file"), raw.deltas_file),
        rehearsals: optional_file(check, &key("rollback.rehearsals"), rollback.rehearsals),
        sbom: optional_file(check, &key("licences.sbom"), sbom),
    }
}

/// Pairs the names of checks with their apps; `app:name` was checked.
fn required(checks: &[String], may_skip: &[String]) -> Vec<RequiredCheck> {
    let one = |text: &String| {
        let (app, name) = text.split_once(':').unwrap_or(("", text));
        RequiredCheck { app: app.into(), name: name.into(), may_skip: may_skip.contains(text) }
    };
    let mut all: Vec<_> = checks.iter().map(one).collect();
    all.sort_unstable();
    all.dedup();
    all
}

type Canaries = (BTreeMap<String, CanaryTerm>, BTreeMap<String, CanaryQueries>);

fn canaries(check: &mut Check<'_>, section: &str, raw: BTreeMap<String, RawCanary>) -> Canaries {
    let (mut terms, mut queries) = (BTreeMap::new(), BTreeMap::new());
    for (name, raw) in raw {
        let path = format!("{section}.{name}");
        let Some(name) = measure(check, &path, &name) else { continue };
        let term = CanaryTerm {
            better: raw.better.unwrap_or(Better::Lower),
            tolerance: decimal(check, &format!("{path}.tolerance"), raw.tolerance, "0"),
            min_samples: raw.min_samples.unwrap_or(100),
        };
        terms.insert(name.clone(), term);
        let both = CanaryQueries {
            canary: query(raw.canary.unwrap_or_default()),
            last_good: query(raw.last_good.unwrap_or_default()),
        };
        if both != CanaryQueries::default() {
            queries.insert(name, both);
        }
    }
    (terms, queries)
}

type Objectives = (BTreeMap<String, SloTerm>, BTreeMap<String, Query>);

fn objectives(check: &mut Check<'_>, section: &str, raw: BTreeMap<String, RawSlo>) -> Objectives {
    let (mut terms, mut queries) = (BTreeMap::new(), BTreeMap::new());
    for (name, raw) in raw {
        let path = format!("{section}.{name}");
        let Some(name) = measure(check, &path, &name) else { continue };
        if raw.objective.is_none() {
            let help = "Say what the measure must reach, as `objective: \"0.999\"`.".to_owned();
            check.complain(&path, ("has no `objective`".into(), help));
        }
        let term = SloTerm {
            better: raw.better.unwrap_or(Better::Lower),
            objective: decimal(check, &format!("{path}.objective"), raw.objective, "0"),
            min_samples: raw.min_samples.unwrap_or(1),
        };
        terms.insert(name.clone(), term);
        if let Some(raw) = raw.query {
            queries.insert(name, query(raw));
        }
    }
    (terms, queries)
}

fn deltas(
    check: &mut Check<'_>,
    section: &str,
    raw: BTreeMap<String, RawDelta>,
) -> BTreeMap<String, DeltaTerm> {
    let mut terms = BTreeMap::new();
    for (name, raw) in raw {
        let path = format!("{section}.{name}");
        let Some(name) = measure(check, &path, &name) else { continue };
        let tolerance = decimal(check, &format!("{path}.tolerance"), raw.tolerance, "0");
        terms.insert(name, DeltaTerm { better: raw.better.unwrap_or(Better::Higher), tolerance });
    }
    terms
}

fn query(raw: RawQuery) -> Query {
    Query {
        value: raw.value.unwrap_or_default(),
        samples: raw.samples.unwrap_or_default(),
        events: raw.events.unwrap_or_default(),
        minutes: raw.minutes.unwrap_or(0),
        statistic: raw.statistic.unwrap_or_default(),
    }
}

fn measure(check: &mut Check<'_>, path: &str, name: &str) -> Option<String> {
    match name.parse::<Slug>() {
        Ok(slug) => Some(slug.into()),
        Err(error) => {
            let help = "Name it as `error-ratio`.".to_owned();
            check.complain(path, (format!("has a name that cannot be taken: {error}"), help));
            None
        }
    }
}

fn slug(check: &mut Check<'_>, path: &str, text: Option<String>) -> Slug {
    let text = check.text(path, Some(text.unwrap_or_default()), String::new(), slug_fault);
    Slug::fold(&text, 60, "x")
}

fn optional_file(check: &mut Check<'_>, path: &str, text: Option<String>) -> String {
    check.text(path, text.filter(|text| !text.is_empty()), String::new(), file_fault)
}

fn decimal(check: &mut Check<'_>, path: &str, text: Option<String>, default: &str) -> Millionths {
    let text = text.unwrap_or_else(|| default.to_owned());
    text.parse().unwrap_or_else(|error: crate::artifact::types::release::millionths::NotANumber| {
        check.complain(path, (format!("is no number: {error}"), "Write a decimal, as `0.005`.".into()));
        Millionths(0)
    })
}

fn slug_fault(name: &str) -> super::check::Fault {
    let error = name.parse::<Slug>().err()?;
    fault(format!("is not the name of an environment: {error}"), "Name it as `production`.")
}

fn time_fault(text: &str) -> super::check::Fault {
    let _error = text.parse::<jiff::Timestamp>().err()?;
    fault("is no time", "Write it with its zone, as `2026-12-23T17:00:00Z`.")
}

fn url_fault(text: &str) -> super::check::Fault {
    if text.is_empty() {
        return None;
    }
    let error = crate::ports::model::http::checked_url(text).err()?;
    fault(error.to_string(), "Write the address of the server, as `https://prometheus.example.org`.")
}
