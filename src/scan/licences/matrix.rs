//! Which licence may come into a repository under which other one: the table of `rules/licences/matrix.toml`.
//!
//! Must never call fine what no rule of the table calls fine.

use std::collections::BTreeMap;
use std::sync::LazyLock;

use serde::Deserialize;

use super::expression::{Expression, Term};
use super::names;

const MATRIX: &str = include_str!("../../../rules/licences/matrix.toml");

/// How what comes in is used.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Linkage {
    /// Its source is in the repository.
    Copied,
    /// It is a dependency of what the repository ships.
    Linked,
    /// It is a program of its own: a build tool, a test dependency.
    Tool,
}

impl Linkage {
    /// Returns the name used in facts.
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Copied => "copied",
            Self::Linked => "linked",
            Self::Tool => "tool",
        }
    }
}

/// How much a conflict weighs.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Severity {
    /// Allowed, on terms that have to be kept.
    Note,
    /// Depends on what a person knows or decides.
    Person,
    /// The two licences cannot both be kept.
    Conflict,
}

impl Severity {
    /// Returns the name used in facts.
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Note => "note",
            Self::Person => "person",
            Self::Conflict => "conflict",
        }
    }
}

/// Why something cannot simply come in.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Conflict {
    /// The licence of what comes in that is the trouble.
    pub inbound: String,
    /// The licence of the repository; empty when it says none.
    pub outbound: String,
    /// Why, to be read after "because", without full stop.
    pub why: String,
    /// What to do: one or two sentences.
    pub help: String,
    /// How much it weighs.
    pub severity: Severity,
}

#[derive(Deserialize)]
struct Matrix {
    class: BTreeMap<String, Vec<String>>,
    rule: Vec<Rule>,
    exception: Exceptions,
}

#[derive(Default, Deserialize)]
struct Exceptions {
    linking: Vec<String>,
    output: Vec<String>,
    patent: Vec<String>,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct Rule {
    inbound: Vec<String>,
    outbound: Vec<String>,
    linkage: Option<Vec<Linkage>>,
    verdict: Verdict,
    #[serde(default)]
    why: String,
    #[serde(default)]
    help: String,
    /// Where the fact is from; for readers of the table.
    #[serde(default, rename = "source")]
    _source: String,
}

#[derive(Clone, Copy, PartialEq, Eq, Deserialize)]
#[serde(rename_all = "kebab-case")]
enum Verdict {
    Fine,
    Note,
    Person,
    Conflict,
}

static TABLE: LazyLock<Matrix> = LazyLock::new(|| {
    // Part of the binary and read by a test; an empty table leaves everything to a person.
    toml::from_str(MATRIX).unwrap_or(Matrix {
        class: BTreeMap::new(),
        rule: Vec::new(),
        exception: Exceptions::default(),
    })
});

/// The class of what is in no class.
pub const UNKNOWN: &str = "unknown";
const OWN: &str = "proprietary";

/// Tells whether something under `inbound` may come into a repository that is published under `outbound`.
///
/// Both are licence expressions as manifests write them; `outbound` is empty when the repository says nothing. `None` is
/// "fine". Of alternatives the best counts, of licences that all hold the worst.
pub fn conflict(outbound: &str, inbound: &str, linkage: Linkage) -> Option<Conflict> {
    // "SEE LICENSE IN ..." and the like: terms of its own, which we have not read.
    let into = Expression::parse(outbound).unwrap_or_else(|| Expression::named(outbound));
    let Some(from) = Expression::parse(inbound) else {
        return Some(unread(&into, inbound));
    };
    judge(&into, &from, linkage)
}

/// As [`conflict`], for expressions that were read before.
pub fn judge(outbound: &Expression, inbound: &Expression, linkage: Linkage) -> Option<Conflict> {
    match inbound {
        Expression::And(parts) => {
            parts.iter().filter_map(|part| judge(outbound, part, linkage)).max_by(worse)
        }
        Expression::Or(parts) => best(parts.iter().map(|part| judge(outbound, part, linkage))),
        Expression::Licence(term) => into(outbound, term, linkage),
    }
}

fn worse(a: &Conflict, b: &Conflict) -> std::cmp::Ordering {
    a.severity.cmp(&b.severity)
}

fn best(all: impl Iterator<Item = Option<Conflict>>) -> Option<Conflict> {
    // `None` is fine and sorts first.
    all.min_by_key(|found| found.as_ref().map(|c| c.severity)).flatten()
}

/// Judges one licence that comes into a repository under an expression.
fn into(outbound: &Expression, term: &Term, linkage: Linkage) -> Option<Conflict> {
    match outbound {
        Expression::Licence(own) => one(own, term, linkage),
        // Parts under different licences: it goes to those it can go to.
        Expression::And(parts) => best(parts.iter().map(|part| into(part, term, linkage))),
        Expression::Or(parts) => {
            // Whoever receives the repository may choose any of them, so the promise is each of them.
            let all: Vec<Option<Conflict>> = parts.iter().map(|part| into(part, term, linkage)).collect();
            let some_fine =
                all.iter().any(|found| found.as_ref().is_none_or(|c| c.severity == Severity::Note));
            let mut worst = all.into_iter().flatten().max_by(worse)?;
            if some_fine && worst.severity == Severity::Conflict {
                worst.severity = Severity::Person;
            }
            Some(worst)
        }
    }
}

fn one(own: &Term, term: &Term, linkage: Linkage) -> Option<Conflict> {
    if own.id == term.id && (own.exception == term.exception || term.exception.is_none()) {
        return None;
    }
    let (mut from, to) = (class(term), outbound_class(own));
    let excepted = |list: &[String]| term.exception.as_ref().is_some_and(|e| fits(e, list));
    let exceptions = &TABLE.exception;
    if from == "patent" && excepted(&exceptions.patent) {
        from = "permissive";
    }
    let copyleft = ["strong", "network", "library"].contains(&from);
    if copyleft
        && (excepted(&exceptions.output) || (linkage != Linkage::Copied && excepted(&exceptions.linking)))
    {
        return None;
    }
    let rule = TABLE.rule.iter().find(|rule| {
        rule.linkage.as_ref().is_none_or(|all| all.contains(&linkage))
            && side(&rule.inbound, &term.id, from)
            && side(&rule.outbound, &own.id, to)
    });
    let (severity, why, help) = match rule {
        Some(Rule { verdict: Verdict::Fine, .. }) => return None,
        Some(rule) => (
            match rule.verdict {
                Verdict::Fine | Verdict::Note => Severity::Note,
                Verdict::Person => Severity::Person,
                Verdict::Conflict => Severity::Conflict,
            },
            rule.why.as_str(),
            rule.help.as_str(),
        ),
        None if from == UNKNOWN || from == OWN => (
            Severity::Person,
            "nothing is known of this licence",
            "Let whoever answers for licences read it, then name it in `licences_allow` in orch.yml.",
        ),
        None if to == UNKNOWN => (
            Severity::Person,
            "the repository does not say what it is published under",
            "Say it with a LICENSE file or in the manifest, then look again.",
        ),
        None => (
            Severity::Person,
            "whether the two go together is not in the table",
            "Let whoever answers for licences decide, then name it in `licences_allow` in orch.yml.",
        ),
    };
    // An exception that is not in the table may allow what the licence alone does not.
    let severity = match term.exception {
        Some(_) if copyleft && !excepted(&exceptions.linking) => severity.min(Severity::Person),
        _ => severity,
    };
    Some(Conflict {
        inbound: term.to_string(),
        outbound: own.to_string(),
        why: why.to_owned(),
        help: help.to_owned(),
        severity,
    })
}

fn unread(into: &Expression, inbound: &str) -> Conflict {
    Conflict {
        inbound: inbound.trim().to_owned(),
        outbound: into.to_string(),
        why: "its licence is not an SPDX expression, nor a name that is known".into(),
        help: "Look up its licence; then name it in `licences_allow` in orch.yml, or use something else."
            .into(),
        severity: Severity::Person,
    }
}

/// Returns the class of what comes in.
pub fn class(term: &Term) -> &'static str {
    if term.id == names::PROPRIETARY {
        return OWN;
    }
    let table: &'static BTreeMap<String, Vec<String>> = &TABLE.class;
    table.iter().find(|(_, ids)| fits(&term.id, ids)).map_or(UNKNOWN, |(class, _)| class.as_str())
}

/// Returns the class of a repository's licence: what is its own counts as proprietary.
fn outbound_class(term: &Term) -> &'static str {
    match class(term) {
        UNKNOWN if !term.id.is_empty() && !term.listed => OWN,
        class => class,
    }
}

fn side(list: &[String], id: &str, class: &str) -> bool {
    list.iter().any(|s| s == "*" || s == class) || fits(id, list)
}

fn fits(id: &str, list: &[String]) -> bool {
    list.iter().any(|pattern| match pattern.strip_suffix('*') {
        Some("") => false,
        Some(start) => id.starts_with(start),
        None => id == pattern,
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_table_names_what_there_is_and_each_id_once() {
        let table: Matrix = toml::from_str(MATRIX).unwrap();
        let ids: Vec<&str> = include_str!("../../../rules/licences/ids.txt").lines().collect();
        let all_exceptions: Vec<&str> =
            include_str!("../../../rules/licences/exceptions.txt").lines().collect();
        for pattern in table.class.values().flatten() {
            let listed = ids.iter().any(|id| fits(id, std::slice::from_ref(pattern)));
            assert!(listed || pattern.starts_with("LicenseRef-"), "{pattern} is no SPDX id");
        }
        let exceptions = &table.exception;
        for pattern in exceptions.linking.iter().chain(&exceptions.output).chain(&exceptions.patent) {
            assert!(all_exceptions.iter().any(|id| fits(id, std::slice::from_ref(pattern))), "{pattern}");
        }
        for id in &ids {
            let classes: Vec<_> = table.class.iter().filter(|(_, list)| fits(id, list)).collect();
            assert!(classes.len() <= 1, "{id} is in {} classes", classes.len());
        }
        for rule in &table.rule {
            assert_eq!(rule.verdict == Verdict::Fine, rule.why.is_empty() && rule.help.is_empty());
            for name in rule.inbound.iter().chain(&rule.outbound) {
                let known =
                    name == "*" || [UNKNOWN, OWN].contains(&name.as_str()) || table.class.contains_key(name);
                assert!(known || ids.iter().any(|id| fits(id, std::slice::from_ref(name))), "{name}");
            }
        }
    }
}
