//! Citations: what a model gives as evidence, looked up by code.
//!
//! Must never take a citation for true because it looks like one: what is not there is dropped and counted.

use std::cell::RefCell;
use std::collections::BTreeSet;

use crate::agent::context::{Cite, OffLines, check_lines};
use crate::agent::fence::one_line;
use crate::artifact::digest::Digest;
use crate::artifact::path::RepoPath;
use crate::artifact::types::change_set::TestSet;
use crate::artifact::types::debate::Evidence;
use crate::artifact::types::verification::{Ended, Verification};
use crate::ports::vcs::blob_id;

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
    shown: Vec<Cite>,
    refused: RefCell<Vec<Refused>>,
}

/// A citation that is not right.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Refused {
    /// The citation, in one line.
    pub citation: String,
    /// Why, to be read after it.
    pub why: String,
    /// The nearest one that is right.
    pub nearest: Option<String>,
}

impl std::fmt::Display for Refused {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(f, "`{}`: {}", self.citation, self.why)?;
        self.nearest.as_ref().map_or(Ok(()), |nearest| write!(f, "; the nearest right one is `{nearest}`"))
    }
}

/// Citations that were looked up.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Resolved {
    /// What was found, each once, in the order given.
    pub evidence: Vec<Evidence>,
    /// How many were not.
    pub dropped: u32,
    /// Those that were not, with the reason, at most [`MAX_CITATIONS`].
    pub refused: Vec<Refused>,
}

impl<'a> Resolver<'a> {
    /// Returns a resolver over trees: the one a text is about first, then those it came from.
    pub fn new(trees: Vec<&'a Reader<'a>>) -> Self {
        Self {
            trees,
            tests: BTreeSet::new(),
            commands: Vec::new(),
            shown: Vec::new(),
            refused: RefCell::default(),
        }
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

    /// Adds what was shown of the base: a citation that misses it by a line is refused.
    #[must_use]
    pub fn with_shown(mut self, shown: &[Cite]) -> Self {
        self.shown.extend_from_slice(shown);
        self
    }

    /// Returns what was refused since this was last asked.
    pub fn take_refused(&self) -> Vec<Refused> {
        self.refused.take()
    }

    /// Looks up the citations of one claim.
    pub fn resolve_all(&self, citations: &[String]) -> Resolved {
        let mut resolved = Resolved::default();
        for (at, citation) in citations.iter().enumerate() {
            match self.check(citation) {
                Ok(_) if at >= MAX_CITATIONS => resolved.dropped += 1,
                Ok(evidence) if resolved.evidence.contains(&evidence) => {}
                Ok(evidence) => resolved.evidence.push(evidence),
                Err(refused) => {
                    resolved.dropped += 1;
                    if resolved.refused.len() < MAX_CITATIONS {
                        resolved.refused.push(refused);
                    }
                }
            }
        }
        self.refused.borrow_mut().extend(resolved.refused.iter().cloned());
        resolved
    }

    /// Looks up one citation; nothing where it is not right.
    pub fn resolve(&self, citation: &str) -> Option<Evidence> {
        self.check(citation).ok()
    }

    /// Looks up one citation, and says what is wrong with it.
    pub fn check(&self, citation: &str) -> Result<Evidence, Refused> {
        let citation = citation.trim().trim_matches('`');
        let refused = |(why, nearest): (String, Option<String>)| Refused {
            citation: one_line(citation, 200),
            why,
            nearest,
        };
        if citation.len() > MAX_LENGTH {
            return Err(refused(("it is too long".into(), None)));
        }
        if let Some(words) = citation.strip_prefix("command:") {
            return self
                .command(words.trim())
                .ok_or_else(|| refused(("the report has no such command".into(), None)));
        }
        let test = citation.strip_prefix("test:").unwrap_or(citation).trim();
        if self.tests.contains(test) {
            return Ok(Evidence::Test { id: test.to_owned() });
        }
        self.lines(citation).map_err(refused)
    }

    fn command(&self, words: &str) -> Option<Evidence> {
        let (command, result) = self.commands.iter().find(|(command, _)| command == words)?;
        Some(Evidence::Command { command: command.clone(), result: result.clone() })
    }

    /// Looks up lines of a file; the error is the reason with the nearest that is right.
    fn lines(&self, citation: &str) -> Result<Evidence, (String, Option<String>)> {
        let form = || {
            (
                "it is not `path:first-last`, `path@blob:first-last`, `test:path::name` or `command:words`"
                    .to_owned(),
                None,
            )
        };
        let (place, range) = citation.rsplit_once(':').ok_or_else(form)?;
        let (first, last) = range.split_once('-').unwrap_or((range, range));
        let (Some(first), Some(last)) = (number(first), number(last)) else { return Err(form()) };
        let (path, blob) = match place.rsplit_once('@') {
            Some((path, blob)) if is_digits(blob) => (path, Some(blob)),
            _ => (place, None),
        };
        let path: RepoPath =
            path.parse().map_err(|_| ("it names no path of a repository".to_owned(), None))?;
        let newest =
            self.contents(&path).next().ok_or_else(|| (format!("there is no file `{path}`"), None))?;
        let bytes = match blob {
            None => newest,
            Some(blob) => {
                if let Some(bytes) = self.contents(&path).find(|bytes| names(blob, bytes)) {
                    bytes
                } else {
                    let right = Cite::of(path.as_str(), &newest, first, last);
                    let nearest = self.right(&path, &newest, first, last).is_ok().then(|| right.to_string());
                    return Err((format!("`{path}` has another content, the blob {}", right.blob), nearest));
                }
            }
        };
        self.right(&path, &bytes, first, last).map_err(|off| {
            let nearest =
                off.nearest.map(|(first, last)| Cite::of(path.as_str(), &bytes, first, last).to_string());
            (off.why, nearest)
        })?;
        Ok(Evidence::Lines { path, blob: Digest::of(&bytes), first, last })
    }

    fn right(&self, path: &RepoPath, bytes: &[u8], first: u32, last: u32) -> Result<(), OffLines> {
        let of_path = self.shown.iter().filter(|cite| cite.path == path.as_str() && names(&cite.blob, bytes));
        let shown: Vec<(u32, u32)> = of_path.map(|cite| (cite.first, cite.last)).collect();
        check_lines(path.as_str(), bytes, &shown, first, last)
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

/// Tells whether digits name a content: those of its digest, or of its id in git.
fn names(blob: &str, bytes: &[u8]) -> bool {
    let digits = hex(blob).to_ascii_lowercase();
    Digest::of(bytes).hex().starts_with(&digits) || blob_id(bytes).is_some_and(|id| id.starts_with(&digits))
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
