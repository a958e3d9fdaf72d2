//! Citations: what a model gives as evidence, looked up by code.
//!
//! Must never take a citation for true because it looks like one: what is not there is dropped and counted.

use std::collections::BTreeSet;

use crate::artifact::digest::Digest;
use crate::artifact::path::RepoPath;
use crate::artifact::types::change_set::TestSet;
use crate::artifact::types::debate::Evidence;
use crate::artifact::types::verification::{Ended, Verification};

/// The most citations of one claim that are looked up.
const MAX_CITATIONS: usize = 20;
/// The longest citation.
const MAX_LENGTH: usize = 2000;
/// The fewest digits of a digest that name a content.
const MIN_DIGITS: usize = 7;

/// Returns the content of a file.
pub type Reader<'a> = dyn Fn(&str) -> Option<Vec<u8>> + 'a;

/// Looks citations up.
pub struct Resolver<'a> {
    trees: Vec<&'a Reader<'a>>,
    tests: BTreeSet<String>,
    commands: Vec<(String, String)>,
}

/// Citations that were looked up.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Resolved {
    /// What was found, each once, in the order given.
    pub evidence: Vec<Evidence>,
    /// How many were not.
    pub dropped: u32,
}

impl<'a> Resolver<'a> {
    /// Returns a resolver over trees: the one a text is about first, then those it came from.
    pub fn new(trees: Vec<&'a Reader<'a>>) -> Self {
        Self { trees, tests: BTreeSet::new(), commands: Vec::new() }
    }

    /// Adds the tests of a test set.
    #[must_use]
    pub fn with_tests(mut self, tests: &TestSet) -> Self {
        self.tests.extend(tests.expected.iter().map(|test| format!("{}::{}", test.path, test.name)));
        self
    }

    /// Adds the tests and the results of commands of a report.
    #[must_use]
    pub fn with_report(mut self, report: &Verification) -> Self {
        self.tests.extend(report.tests.iter().map(|test| format!("{}::{}", test.path, test.name)));
        for command in &report.commands {
            self.commands.push((command.argv.join(" "), ended(&command.ended)));
        }
        self
    }

    /// Looks up the citations of one claim.
    pub fn resolve_all(&self, citations: &[String]) -> Resolved {
        let mut resolved = Resolved::default();
        for (at, citation) in citations.iter().enumerate() {
            match self.resolve(citation).filter(|_| at < MAX_CITATIONS) {
                Some(evidence) if resolved.evidence.contains(&evidence) => {}
                Some(evidence) => resolved.evidence.push(evidence),
                None => resolved.dropped += 1,
            }
        }
        resolved
    }

    /// Looks up one citation.
    pub fn resolve(&self, citation: &str) -> Option<Evidence> {
        let citation = citation.trim().trim_matches('`');
        if citation.len() > MAX_LENGTH {
            return None;
        }
        if let Some(words) = citation.strip_prefix("command:") {
            return self.command(words.trim());
        }
        let test = citation.strip_prefix("test:").unwrap_or(citation).trim();
        if self.tests.contains(test) {
            return Some(Evidence::Test { id: test.to_owned() });
        }
        self.lines(citation)
    }

    fn command(&self, words: &str) -> Option<Evidence> {
        let (command, result) = self.commands.iter().find(|(command, _)| command == words)?;
        Some(Evidence::Command { command: command.clone(), result: result.clone() })
    }

    fn lines(&self, citation: &str) -> Option<Evidence> {
        let (place, range) = citation.rsplit_once(':')?;
        let (first, last) = range.split_once('-').unwrap_or((range, range));
        let (first, last) = (number(first)?, number(last)?);
        if first == 0 || last < first {
            return None;
        }
        let (path, blob) = match place.rsplit_once('@') {
            Some((path, blob)) if is_digits(blob) => (path, Some(blob)),
            _ => (place, None),
        };
        let path: RepoPath = path.parse().ok()?;
        let bytes = match blob {
            Some(blob) => self.contents(&path).find(|bytes| names(blob, &Digest::of(bytes)))?,
            None => self.contents(&path).next()?,
        };
        let lines = bytes.split_inclusive(|b| *b == b'\n').count();
        let blob = Digest::of(&bytes);
        (usize::try_from(last).ok()? <= lines).then_some(Evidence::Lines { path, blob, first, last })
    }

    fn contents(&self, path: &RepoPath) -> impl Iterator<Item = Vec<u8>> {
        self.trees.iter().filter_map(move |tree| tree(path.as_str()))
    }
}

fn number(text: &str) -> Option<u32> {
    let digits = text.trim().trim_start_matches('L');
    digits.bytes().all(|b| b.is_ascii_digit()).then(|| digits.parse().ok()).flatten()
}

fn hex(blob: &str) -> &str {
    blob.strip_prefix("sha256:").unwrap_or(blob)
}

fn is_digits(blob: &str) -> bool {
    hex(blob).len() >= MIN_DIGITS && hex(blob).bytes().all(|b| b.is_ascii_hexdigit())
}

fn names(blob: &str, digest: &Digest) -> bool {
    digest.hex().starts_with(&hex(blob).to_ascii_lowercase())
}

/// Returns how a command ended, as it stands in evidence.
pub fn ended(ended: &Ended) -> String {
    match ended {
        Ended::Exited { code } => format!("exit {code}"),
        Ended::Signalled { signal } => format!("signal {signal}"),
        Ended::Stopped { why } => format!("stopped: {}", format!("{why:?}").to_lowercase()),
        Ended::NotStarted { why } => format!("not started: {why}"),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn after(path: &str) -> Option<Vec<u8>> {
        (path == "src/a.py").then(|| b"one\ntwo\nthree".to_vec())
    }

    fn before(path: &str) -> Option<Vec<u8>> {
        match path {
            "src/a.py" => Some(b"one\n".to_vec()),
            "gone.py" => Some(b"x\n".to_vec()),
            _ => None,
        }
    }

    #[test]
    fn only_what_is_there_resolves() {
        let resolver = Resolver::new(vec![&after, &before]);
        let (new, old) = (Digest::of(b"one\ntwo\nthree"), Digest::of(b"one\n"));
        let good = [
            "src/a.py:3".to_owned(),
            "`src/a.py:1-3`".into(),
            "src/a.py:L1-L2".into(),
            "gone.py:1".into(),
            format!("src/a.py@{}:2-3", new.short()),
            format!("src/a.py@{new}:2-3"),
            format!("src/a.py@{}:1", old.short()),
        ];
        for citation in &good {
            assert!(resolver.resolve(citation).is_some(), "{citation}");
        }
        assert_eq!(
            resolver.resolve(&good[6]),
            Some(Evidence::Lines { path: "src/a.py".parse().unwrap(), blob: old.clone(), first: 1, last: 1 })
        );
        for bad in [
            "src/a.py:4".to_owned(),
            "src/a.py:0".into(),
            "src/a.py:3-2".into(),
            "src/a.py:1-99999999999".into(),
            "src/a.py".into(),
            "src/b.py:1".into(),
            "../src/a.py:1".into(),
            "/src/a.py:1".into(),
            format!("src/a.py@{}:2", old.short()),
            "src/a.py@0000000:1".into(),
            "test:src/a.py::t".into(),
            "command:make".into(),
            String::new(),
            "x".repeat(5000),
        ] {
            assert_eq!(resolver.resolve(&bad), None, "{bad}");
        }
    }

    #[test]
    fn dropped_ones_are_counted_and_doubles_are_not() {
        let resolver = Resolver::new(vec![&after]);
        let citations: Vec<String> = ["src/a.py:1", "src/a.py:1", "x:1", "nonsense"].map(Into::into).into();
        let found = resolver.resolve_all(&citations);
        assert_eq!((found.evidence.len(), found.dropped), (1, 2));
        let many = vec!["src/a.py:2".to_owned(); 50];
        assert_eq!(resolver.resolve_all(&many).dropped, 30);
    }

    proptest::proptest! {
        #[test]
        fn no_citation_makes_it_panic(text in "(?s).{0,80}", path in "[a-z./@:]{0,12}", n in 0u64..) {
            let resolver = Resolver::new(vec![&after]);
            let _ = resolver.resolve(&text);
            let _ = resolver.resolve(&format!("{path}@{text}:{n}-{n}"));
            let _ = resolver.resolve(&format!("src/a.py:{n}"));
        }
    }
}
