//! The rules for tokens of known issuers: data, parsed once, each expression compiled when its keyword is first seen.
//!
//! Must never run an expression where none of its keywords is.

use std::sync::{LazyLock, OnceLock};

use regex_automata::meta::Regex;
use regex_automata::util::syntax;
use serde::Deserialize;

use crate::scan::keywords::Keywords;

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
    /// The address in a data source of Go, `user:password@tcp(host)/name`.
    DataSource,
    /// A function that takes where to connect to, a user and a password.
    Connect,
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
    ("rootpw", Trigger::Word),
    ("bindpw", Trigger::Word),
    ("psk", Trigger::Word),
    ("identified by", Trigger::Word),
    ("mysqli_connect(", Trigger::Connect),
    ("mysql_connect(", Trigger::Connect),
    ("new mysqli(", Trigger::Connect),
    ("new pdo(", Trigger::Connect),
    ("dbi->connect(", Trigger::Connect),
    ("getconnection(", Trigger::Connect),
    ("://", Trigger::Url),
    ("-----begin", Trigger::Pem),
    ("putty-user-key-file", Trigger::Pem),
    ("ibadanbgkqhkig9w0baq", Trigger::DerKey),
    ("aibaakc", Trigger::DerKey),
    ("xaibaakb", Trigger::DerKey),
    ("eyj", Trigger::Jwt),
    ("basic ", Trigger::Scheme),
    ("bearer ", Trigger::Scheme),
    ("@tcp(", Trigger::DataSource),
    ("@unix(", Trigger::DataSource),
    ("curl ", Trigger::Command),
    ("wget ", Trigger::Command),
    ("sshpass ", Trigger::Command),
    ("mysql ", Trigger::Command),
    ("mysqldump ", Trigger::Command),
    ("mysqladmin ", Trigger::Command),
    ("docker login ", Trigger::Command),
    ("podman login ", Trigger::Command),
    ("registry login ", Trigger::Command),
    ("redis-cli ", Trigger::Command),
    ("convertto-securestring ", Trigger::Command),
    ("%3d", Trigger::Escape),
    ("%3a", Trigger::Escape),
    ("%22", Trigger::Escape),
    ("%5f", Trigger::Escape),
    ("%2d", Trigger::Escape),
    ("\\u00", Trigger::Escape),
    ("\\x", Trigger::Escape),
];

/// The rules and all their keywords.
pub struct Set {
    /// The rules.
    pub rules: Vec<Rule>,
    keywords: Keywords,
    triggers: Vec<Vec<Trigger>>,
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
        let keywords = Keywords::new(words.keys().map(String::as_str))?;
        Some(Self { rules, keywords, triggers: words.into_values().collect() })
    }

    /// Calls back with every trigger and the offset after its keyword, overlapping ones too, in order.
    pub fn triggers(&self, text: &[u8], mut each: impl FnMut(Trigger, usize)) {
        self.keywords.each(text, |word, at| {
            let triggers = self.triggers.get(usize::from(word));
            triggers.into_iter().flatten().for_each(|trigger| each(*trigger, at));
        });
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
