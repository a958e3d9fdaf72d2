//! A request as words, and whether a template's words account for all of them.
//!
//! Must never call a request served while a word of it is unaccounted for: half of what was asked is not what was asked.

use std::collections::BTreeSet;
use std::ops::Range;
use std::sync::LazyLock;

use regex::Regex;
use unicode_normalization::UnicodeNormalization as _;

use super::manifest::Words;

/// Words that ask for nothing by themselves. Negations, conditions and questions are no filler.
const FILLER: &str = "a an the this that these those it its is are be been being of in on at to for from with by as \
    and also plus then please kindly can could would should will may must shall you we i us me our my your they \
    need needs needed want wants wanted like let lets d ll re ve s have has had here there now new simple basic \
    small little minimal some any one app application service server project repo repository codebase code base \
    which who just quick proper standard default good nice thanks thank hi hello hey";

static REASON: LazyLock<Option<Regex>> = LazyLock::new(|| {
    Regex::new(r"(?i)\b(?:so that|so (?:we|i|it|our|the|you|they)\b|because|in order to)[^.;\n]*").ok()
});

/// Words that start another piece of work; a reason that holds one is no mere reason.
const WORK: &str = "add remove delete fix create implement make build change rename update write drop disable replace \
    refactor migrate also then move edit introduce install upgrade extend rewrite and";

/// The words of a text: compatibility forms folded, lower case, letters and digits only.
pub fn words(text: &str) -> Vec<String> {
    let folded: String = text.nfkc().flat_map(char::to_lowercase).collect();
    folded.split(|c: char| !c.is_alphanumeric()).filter(|w| !w.is_empty()).map(str::to_owned).collect()
}

/// What a template's words make of a request.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Match {
    /// A group of words is missing: the request is about something else.
    Unrelated,
    /// It is about this, but says something the template would not do.
    Refused {
        /// What is said, to be read after `the request`.
        why: String,
    },
    /// Every word is accounted for.
    Covered {
        /// How many different words of the template are in the request.
        score: usize,
        /// Clauses that only give a reason.
        reasons: Vec<String>,
    },
}

/// Compares a request with a template's words; `taken` are the parts that parameters account for.
pub fn compare(text: &str, known: &Words, taken: &[Range<usize>], names: &[String]) -> Match {
    if !concerns(text, known) {
        return Match::Unrelated;
    }
    let all = words(text);
    let rest = blank(text, taken);
    let (rest, reasons) = without_reasons(&rest);
    let rest = words(&rest);
    if let Some(phrase) = known.none.iter().find(|phrase| holds(&rest, phrase)) {
        return Match::Refused { why: format!("says `{phrase}`") };
    }
    let vocabulary: BTreeSet<String> =
        known.all.iter().flatten().chain(&known.any).flat_map(|phrase| words(phrase)).collect();
    let filler: BTreeSet<&str> = FILLER.split_whitespace().collect();
    let mut left: Vec<&str> = Vec::new();
    for word in &rest {
        let accounted = vocabulary.contains(word) || filler.contains(word.as_str()) || names.contains(word);
        if !accounted && !left.contains(&word.as_str()) {
            left.push(word);
        }
    }
    if !left.is_empty() {
        let shown: Vec<String> = left.iter().take(6).map(|w| format!("`{}`", shorten(w))).collect();
        return Match::Refused { why: format!("also says {}", shown.join(", ")) };
    }
    let score = all.iter().filter(|w| vocabulary.contains(*w)).collect::<BTreeSet<_>>().len();
    Match::Covered { score, reasons }
}

fn shorten(word: &str) -> String {
    word.chars().take(40).collect()
}

/// Tells whether a request holds a phrase of every group: whether it is about what a template does.
pub fn concerns(text: &str, known: &Words) -> bool {
    let all = words(text);
    known.all.iter().all(|group| group.iter().any(|phrase| holds(&all, phrase)))
}

/// Tells whether a phrase stands in the words, in a row.
fn holds(all: &[String], phrase: &str) -> bool {
    let phrase = words(phrase);
    !phrase.is_empty() && all.windows(phrase.len()).any(|window| window == phrase)
}

/// Returns the text with the given parts as white space, every byte in place.
pub fn blank(text: &str, taken: &[Range<usize>]) -> String {
    let mut out = String::with_capacity(text.len());
    for (at, c) in text.char_indices() {
        if taken.iter().any(|range| range.contains(&at)) {
            out.extend(std::iter::repeat_n(' ', c.len_utf8()));
        } else {
            out.push(c);
        }
    }
    out
}

fn without_reasons(text: &str) -> (String, Vec<String>) {
    let Some(pattern) = REASON.as_ref() else { return (text.to_owned(), Vec::new()) };
    let work: BTreeSet<&str> = WORK.split_whitespace().collect();
    let mut taken = Vec::new();
    let mut reasons = Vec::new();
    for found in pattern.find_iter(text) {
        if words(found.as_str()).iter().all(|w| !work.contains(w.as_str())) {
            taken.push(found.range());
            reasons.push(found.as_str().split_whitespace().collect::<Vec<_>>().join(" "));
        }
    }
    (blank(text, &taken), reasons)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn known() -> Words {
        let list = |text: &str| text.split(',').map(|p| p.trim().to_owned()).collect::<Vec<_>>();
        Words {
            all: vec![list("add, create"), list("health, health check, healthz")],
            any: list("endpoint, test, tests, smoke"),
            none: list("unhealthy"),
        }
    }

    #[test]
    fn whole_requests_are_covered_and_everything_else_is_refused() {
        let covered = [
            "add a health endpoint",
            "Please ADD health!",
            "could you add a health check endpoint to our app",
        ];
        for text in covered {
            assert!(matches!(compare(text, &known(), &[], &[]), Match::Covered { .. }), "{text}");
        }
        for text in ["", "add a login page", "health", "make tea", "日本語", "add"] {
            assert_eq!(compare(text, &known(), &[], &[]), Match::Unrelated, "{text}");
        }
        for text in [
            "add a health endpoint and a login page",
            "do not add a health endpoint",
            "don't add a health endpoint",
            "never add a health endpoint",
            "add a health endpoint, then remove the old one",
            "add a health endpoint without tests",
            "why add a health endpoint?",
            "fix the tests that add a health endpoint",
            "add a health endpoint to billing",
            "add a health endpoint because of X and remove login",
        ] {
            assert!(matches!(compare(text, &known(), &[], &[]), Match::Refused { .. }), "{text}");
        }
    }

    #[test]
    fn reasons_are_set_aside_and_kept() {
        let found = compare("add a health endpoint so that probes have a target. Thanks", &known(), &[], &[]);
        let Match::Covered { reasons, .. } = found else { panic!("{found:?}") };
        assert_eq!(reasons, ["so that probes have a target"]);
    }

    #[test]
    fn taken_parts_and_names_are_accounted_for() {
        let text = "add health for ACME Inc";
        assert!(matches!(compare(text, &known(), &[], &[]), Match::Refused { .. }));
        assert!(matches!(
            compare(text, &known(), std::slice::from_ref(&(15..23)), &[]),
            Match::Covered { .. }
        ));
        assert!(matches!(
            compare(text, &known(), &[], &["acme".into(), "inc".into()]),
            Match::Covered { .. }
        ));
    }

    proptest::proptest! {
        #[test]
        fn no_text_panics(text in ".*", from in 0_usize..40, len in 0_usize..40) {
            let _ = compare(&text, &known(), std::slice::from_ref(&(from..from + len)), &[]);
        }
    }
}
