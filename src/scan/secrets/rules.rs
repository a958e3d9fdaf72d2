//! The rules for tokens of known issuers: data, parsed once, each expression compiled when its keyword is first seen.
//!
//! Must never run an expression where none of its keywords is.

use std::sync::{LazyLock, OnceLock};

use aho_corasick::MatchKind;
use aho_corasick::automaton::Automaton;
use aho_corasick::automaton::StateID;
use aho_corasick::{Anchored, dfa};
use regex_automata::meta::Regex;
use regex_automata::util::syntax;
use serde::Deserialize;

const BETTERLEAKS: &str = include_str!("../../../rules/secrets/betterleaks.toml");
const OWN: &str = include_str!("../../../rules/secrets/own.toml");

/// A rule as the data has it.
#[derive(Debug, Deserialize)]
pub struct Rule {
    /// The rule's name.
    pub id: String,
    /// What was found, in a sentence.
    pub description: String,
    regex: String,
    keywords: Vec<String>,
    /// The least entropy of the secret, in bits per byte.
    #[serde(default)]
    pub entropy: f32,
    /// The group that is the secret; the first that took part when absent.
    pub group: Option<usize>,
    path: Option<String>,
    #[serde(skip)]
    compiled: OnceLock<Option<Regex>>,
    #[serde(skip)]
    compiled_path: OnceLock<Option<Regex>>,
}

#[derive(Deserialize)]
struct File {
    rules: Vec<Rule>,
}

/// What a keyword asks for.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Trigger {
    /// An issuer's rule, by its index.
    Rule(u16),
    /// A word that keys of secrets have.
    Word,
    /// A URL.
    Url,
    /// The head of a PEM block.
    Pem,
    /// The start of a private key in base64 without a head.
    DerKey,
    /// A JSON web token.
    Jwt,
    /// A scheme of an authorization header.
    Scheme,
    /// A program that takes a password on its command line.
    Command,
    /// Escaped text.
    Escape,
}

const FIXED: &[(&str, Trigger)] = &[
    ("pass", Trigger::Word),
    ("pwd", Trigger::Word),
    ("secret", Trigger::Word),
    ("token", Trigger::Word),
    ("auth", Trigger::Word),
    ("cred", Trigger::Word),
    ("key", Trigger::Word),
    ("identified by", Trigger::Word),
    ("://", Trigger::Url),
    ("-----begin", Trigger::Pem),
    ("putty-user-key-file", Trigger::Pem),
    ("ibadanbgkqhkig9w0baq", Trigger::DerKey),
    ("aibaakc", Trigger::DerKey),
    ("xaibaakb", Trigger::DerKey),
    ("eyj", Trigger::Jwt),
    ("basic ", Trigger::Scheme),
    ("bearer ", Trigger::Scheme),
    ("curl ", Trigger::Command),
    ("wget ", Trigger::Command),
    ("sshpass ", Trigger::Command),
    ("mysql ", Trigger::Command),
    ("mysqldump ", Trigger::Command),
    ("mysqladmin ", Trigger::Command),
    ("%3d", Trigger::Escape),
    ("%3a", Trigger::Escape),
    ("%22", Trigger::Escape),
    ("%5f", Trigger::Escape),
    ("%2d", Trigger::Escape),
    ("\\u00", Trigger::Escape),
    ("\\x", Trigger::Escape),
];

/// The rules and the automaton over all keywords.
pub struct Set {
    /// The rules.
    pub rules: Vec<Rule>,
    automaton: dfa::DFA,
    triggers: Vec<Vec<Trigger>>,
    longest: usize,
}

static SET: LazyLock<Option<Set>> = LazyLock::new(Set::load);

/// Returns the rules; parsed when first asked for.
pub fn set() -> Option<&'static Set> {
    SET.as_ref()
}

impl Set {
    fn load() -> Option<Self> {
        let mut rules = toml::from_str::<File>(BETTERLEAKS).ok()?.rules;
        rules.extend(toml::from_str::<File>(OWN).ok()?.rules);
        let mut words: std::collections::BTreeMap<String, Vec<Trigger>> = std::collections::BTreeMap::new();
        for (word, trigger) in FIXED {
            words.entry((*word).to_owned()).or_default().push(*trigger);
        }
        for (index, rule) in rules.iter().enumerate() {
            let trigger = Trigger::Rule(u16::try_from(index).ok()?);
            for word in &rule.keywords {
                words.entry(word.to_ascii_lowercase()).or_default().push(trigger);
            }
        }
        let automaton = dfa::Builder::new()
            .ascii_case_insensitive(true)
            .match_kind(MatchKind::Standard)
            .start_kind(aho_corasick::StartKind::Unanchored)
            .build(words.keys())
            .ok()?;
        let longest = words.keys().map(String::len).max().unwrap_or(0);
        Some(Self { rules, automaton, triggers: words.into_values().collect(), longest })
    }

    /// Calls back with every trigger and the offset after its keyword, overlapping ones too, in order.
    ///
    /// Each step waits for the one before, so a text is walked in four places at once.
    pub fn triggers(&self, text: &[u8], mut each: impl FnMut(Trigger, usize)) {
        const LANES: usize = 4;
        let Ok(first) = self.automaton.start_state(Anchored::No) else { return };
        let step = |state, byte: u8| self.automaton.next_state(Anchored::No, state, byte);
        let length = text.len() / LANES;
        let mut hits: [Vec<(usize, StateID)>; LANES] = std::array::from_fn(|_| Vec::new());
        let mut states = [first; LANES];
        let lanes: [&[u8]; LANES] = std::array::from_fn(|lane| &text[lane * length..(lane + 1) * length]);
        for (lane, state) in states.iter_mut().enumerate().skip(1) {
            // A keyword may start in the lane before.
            let start = lane * length;
            *state = text[start.saturating_sub(self.longest)..start]
                .iter()
                .fold(first, |state, byte| step(state, *byte));
        }
        let [a, b, c, d] = lanes;
        for (at, (((a, b), c), d)) in a.iter().zip(b).zip(c).zip(d).enumerate() {
            states = [step(states[0], *a), step(states[1], *b), step(states[2], *c), step(states[3], *d)];
            if states.iter().any(|state| self.automaton.is_match(*state)) {
                for (lane, state) in states.iter().enumerate().filter(|(_, s)| self.automaton.is_match(**s)) {
                    hits[lane].push((lane * length + at + 1, *state));
                }
            }
        }
        let mut state = states[LANES - 1];
        for (at, byte) in text.iter().enumerate().skip(LANES * length) {
            state = step(state, *byte);
            if self.automaton.is_match(state) {
                hits[LANES - 1].push((at + 1, state));
            }
        }
        for (at, state) in hits.into_iter().flatten() {
            for nth in 0..self.automaton.match_len(state) {
                let pattern = self.automaton.match_pattern(state, nth).as_usize();
                self.triggers[pattern].iter().for_each(|trigger| each(*trigger, at));
            }
        }
    }
}

fn compile(pattern: &str) -> Option<Regex> {
    Regex::builder()
        .syntax(syntax::Config::new().unicode(false).utf8(false))
        .configure(Regex::config().utf8_empty(false).nfa_size_limit(Some(20 << 20)))
        .build(pattern)
        .ok()
}

impl Rule {
    /// Returns the expression; compiled when first asked for.
    pub fn regex(&self) -> Option<&Regex> {
        self.compiled.get_or_init(|| compile(&self.regex)).as_ref()
    }

    /// Tells whether the rule is for this path.
    pub fn is_for(&self, path: &str) -> bool {
        let Some(pattern) = &self.path else { return true };
        self.compiled_path.get_or_init(|| compile(pattern)).as_ref().is_some_and(|regex| regex.is_match(path))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_rule_compiles() {
        let set = set().unwrap();
        assert!(set.rules.len() > 350);
        let broken: Vec<_> = set
            .rules
            .iter()
            .filter(|rule| {
                rule.regex().is_none() || rule.path.as_deref().is_some_and(|p| compile(p).is_none())
            })
            .map(|r| &r.id)
            .collect();
        assert!(broken.is_empty(), "{broken:?}");
        assert!(set.rules.iter().all(|rule| !rule.keywords.is_empty()));
    }

    #[test]
    fn keywords_are_found_across_lanes() {
        for before in 0..90 {
            for after in [0, 1, 7, 300] {
                let text = format!("{}akia{}", ".".repeat(before), ".".repeat(after));
                let mut seen = Vec::new();
                set().unwrap().triggers(text.as_bytes(), |_, at| seen.push(at));
                assert!(
                    !seen.is_empty() && seen.iter().all(|at| *at == before + 4),
                    "{before} {after} {seen:?}"
                );
            }
        }
    }

    #[test]
    fn keywords_are_found_where_they_overlap() {
        let mut seen = Vec::new();
        set().unwrap().triggers(b"PassKey", |trigger, at| seen.push((trigger, at)));
        assert!(seen.contains(&(Trigger::Word, 4)) && seen.contains(&(Trigger::Word, 7)), "{seen:?}");
    }
}
