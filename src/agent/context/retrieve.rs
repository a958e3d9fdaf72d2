//! What of the base fits a request: paths exactly, symbols by lines that look like definitions, queries by shared words.
//!
//! Must never take more than its bounds of time and bytes, and must never rank by anything but the texts.

use std::collections::{BTreeMap, BTreeSet};
use std::fmt::Write as _;

use crate::artifact::types::debate::LeftOut;
use crate::ports::vcs::VcsError;

use super::{ContextRequest, Cut, Piece, Source, assemble};

/// The most bytes of what is found for one request.
pub const MAX_FOUND_BYTES: u32 = 24 * 1024;

/// The most files and bytes that are looked through for one request.
const MAX_FILES: usize = 4000;
const MAX_SCAN: usize = 16 << 20;
const PER_QUERY: usize = 3;
const AROUND: usize = 12;

/// What was found for a request.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Found {
    /// The text, fenced.
    pub text: String,
    /// What was asked for and is not shown, and why.
    pub left_out: Vec<LeftOut>,
}

/// Finds context for requests.
pub trait Retriever: Send + Sync {
    /// Returns what fits a request, of at most [`MAX_FOUND_BYTES`].
    fn retrieve(&self, request: &ContextRequest, source: &dyn Source) -> Result<Found, VcsError>;
}

/// The simple retriever: no index, no weights, the same answer every time.
#[derive(Clone, Copy, Debug, Default)]
pub struct WordOverlap;

impl Retriever for WordOverlap {
    fn retrieve(&self, request: &ContextRequest, source: &dyn Source) -> Result<Found, VcsError> {
        let mut pieces = Vec::new();
        let mut left_out = Vec::new();
        for path in &request.paths {
            match source.text(path)? {
                Some(text) => pieces.push(Piece::new(format!("file {path}"), text, 9, Cut::Head)),
                None => left_out.push(missing(path, "the base has no text file of this path")),
            }
        }
        if !request.symbols.is_empty() || !request.queries.is_empty() {
            let scan = Scan::of(source)?;
            for symbol in &request.symbols {
                match scan.definitions(symbol) {
                    found if found.is_empty() => {
                        left_out.push(missing(symbol, "no line looks like its definition"));
                    }
                    found => pieces.extend(found),
                }
            }
            for query in &request.queries {
                match scan.matches(query) {
                    found if found.is_empty() => {
                        left_out.push(missing(query, "no text shares a word with it"));
                    }
                    found => pieces.extend(found),
                }
            }
            if let Some(why) = scan.cut {
                left_out.push(missing("the rest of the repository", &why));
            }
        }
        let assembled = assemble(&pieces, MAX_FOUND_BYTES / 4);
        left_out.extend(assembled.left_out);
        Ok(Found { text: assembled.text, left_out })
    }
}

fn missing(what: &str, why: &str) -> LeftOut {
    LeftOut { what: what.to_owned(), why: why.to_owned() }
}

/// The texts that are looked through.
struct Scan<'a> {
    texts: Vec<(&'a str, String)>,
    cut: Option<String>,
}

impl<'a> Scan<'a> {
    fn of(source: &'a dyn Source) -> Result<Self, VcsError> {
        let paths = source.paths();
        let (all, mut bytes) = (paths.len(), 0usize);
        let mut scan = Self { texts: Vec::new(), cut: None };
        for (seen, path) in paths.into_iter().enumerate() {
            if seen >= MAX_FILES || bytes >= MAX_SCAN {
                scan.cut = Some(format!("only {seen} of {all} files were looked through"));
                break;
            }
            if let Some(text) = source.text(path)? {
                bytes = bytes.saturating_add(text.len());
                scan.texts.push((path, text));
            }
        }
        Ok(scan)
    }

    /// Returns the surroundings of lines that look like definitions of a name.
    fn definitions(&self, symbol: &str) -> Vec<Piece> {
        let name = symbol.rsplit([':', '.', '#']).next().unwrap_or(symbol).trim_end_matches("()");
        let hits = self.texts.iter().filter_map(|(path, text)| {
            let at = text.lines().position(|line| defines(line, name))?;
            Some(excerpt(path, text, at))
        });
        hits.take(PER_QUERY).collect()
    }

    /// Returns the files that share the most words with a query, names counting more than texts.
    fn matches(&self, query: &str) -> Vec<Piece> {
        let wanted = words(query);
        let mut ranked: Vec<(usize, &str, &str)> = Vec::new();
        for (path, text) in &self.texts {
            let names = words(path).intersection(&wanted).count();
            let inside = words(text).intersection(&wanted).count();
            let score = names * 3 + inside * 2;
            if score > 0 {
                ranked.push((score, path, text));
            }
        }
        ranked.sort_by(|a, b| b.0.cmp(&a.0).then(a.1.len().cmp(&b.1.len())).then(a.1.cmp(b.1)));
        let best = |(_, path, text): &(usize, &str, &str)| {
            let line_score = |line: &str| words(line).intersection(&wanted).count();
            let scores = text.lines().map(line_score).enumerate();
            let at =
                scores.max_by_key(|(at, score)| (*score, std::cmp::Reverse(*at))).map_or(0, |(at, _)| at);
            excerpt(path, text, at)
        };
        ranked.iter().take(PER_QUERY).map(best).collect()
    }
}

/// Returns the lines around a place, numbered.
fn excerpt(path: &str, text: &str, at: usize) -> Piece {
    let first = at.saturating_sub(AROUND);
    let shown = numbered(text, first, AROUND * 4);
    Piece::new(format!("lines of {path}, numbered"), shown, 5, Cut::Head)
}

/// Returns lines of a text with their numbers, from 1.
pub fn numbered(text: &str, skip: usize, take: usize) -> String {
    let mut shown = String::new();
    for (at, line) in text.lines().enumerate().skip(skip).take(take) {
        let _ = writeln!(shown, "{}\t{line}", at + 1);
    }
    shown
}

/// Tells whether a line looks like the definition of a name, in any of the usual languages.
fn defines(line: &str, name: &str) -> bool {
    const WORDS: &[&str] = &[
        "def",
        "class",
        "fn",
        "struct",
        "enum",
        "trait",
        "type",
        "interface",
        "function",
        "const",
        "let",
        "var",
        "func",
        "module",
        "mod",
        "static",
        "macro_rules!",
        "record",
        "namespace",
    ];
    if name.is_empty() {
        return false;
    }
    let mut before = "";
    for word in line.split(|c: char| !(c.is_alphanumeric() || c == '_' || c == '!')).filter(|w| !w.is_empty())
    {
        if word == name {
            return WORDS.contains(&before) || (before.is_empty() && line.contains('='));
        }
        before = word;
    }
    false
}

/// Returns the words of a text in lower case, of three letters or more; names are taken apart at case and underscores.
pub fn words(text: &str) -> BTreeSet<String> {
    let mut found = BTreeSet::new();
    let mut word = String::new();
    let mut was_lower = false;
    for c in text.chars().chain(std::iter::once(' ')) {
        if !c.is_alphanumeric() || (c.is_uppercase() && was_lower) {
            if word.chars().count() >= 3 {
                found.insert(std::mem::take(&mut word));
            }
            word.clear();
        }
        was_lower = c.is_lowercase();
        if c.is_alphanumeric() {
            word.extend(c.to_lowercase());
        }
    }
    found
}

/// Returns paths with those first that share the most words with a text; the rest in their own order.
pub fn ranked_paths<'a>(paths: &[&'a str], text: &str) -> Vec<&'a str> {
    let wanted = words(text);
    let scores: BTreeMap<&str, usize> =
        paths.iter().map(|path| (*path, words(path).intersection(&wanted).count())).collect();
    let mut ranked = paths.to_vec();
    ranked.sort_by_key(|path| std::cmp::Reverse(scores.get(path).copied().unwrap_or_default()));
    ranked
}

#[cfg(test)]
mod tests {
    use super::*;

    struct Texts(BTreeMap<String, String>);

    impl Texts {
        fn of(files: &[(&str, &str)]) -> Self {
            Self(files.iter().map(|(p, t)| ((*p).to_owned(), (*t).to_owned())).collect())
        }
    }

    impl Source for Texts {
        fn paths(&self) -> Vec<&str> {
            self.0.keys().map(String::as_str).collect()
        }
        fn bytes(&self, path: &str) -> Result<Option<Vec<u8>>, VcsError> {
            Ok(self.0.get(path).map(|text| text.clone().into_bytes()))
        }
    }

    fn ask(paths: &[&str], symbols: &[&str], queries: &[&str]) -> ContextRequest {
        let list = |items: &[&str]| items.iter().map(|item| (*item).to_owned()).collect();
        ContextRequest { paths: list(paths), symbols: list(symbols), queries: list(queries) }
    }

    #[test]
    fn paths_symbols_and_queries_are_found() {
        let source = Texts::of(&[
            ("src/app.py", "import x\n\ndef make_app():\n    return 1\n"),
            ("src/use.py", "from app import make_app\nmake_app()\n"),
            ("docs/rate-limits.md", "How many requests per minute\n"),
            ("bin.dat", "a\0b"),
        ]);
        let found = WordOverlap
            .retrieve(
                &ask(
                    &["src/use.py", "none.py", "bin.dat"],
                    &["app.make_app", "nothing"],
                    &["rate limit docs"],
                ),
                &source,
            )
            .unwrap();
        assert!(found.text.contains("file src/use.py\nfrom app"), "{}", found.text);
        assert!(found.text.contains("3\tdef make_app():"), "{}", found.text);
        assert!(found.text.contains("docs/rate-limits.md, numbered\n1\tHow many"), "{}", found.text);
        let what: Vec<_> = found.left_out.iter().map(|o| o.what.as_str()).collect();
        assert_eq!(what, ["none.py", "bin.dat", "nothing"]);
    }

    #[test]
    fn what_is_found_is_bounded() {
        let long = "word and more words\n".repeat(20_000);
        let source = Texts::of(&[("a.txt", &long), ("b.txt", &long)]);
        let found = WordOverlap.retrieve(&ask(&["a.txt", "b.txt"], &[], &["word"]), &source).unwrap();
        assert!(found.text.len() <= MAX_FOUND_BYTES as usize);
        assert!(!found.left_out.is_empty());
    }

    #[test]
    fn words_are_taken_apart_at_case_and_signs() {
        let list = |text| words(text).into_iter().collect::<Vec<_>>();
        assert_eq!(list("rateLimit_of HTTP-request a1"), ["http", "limit", "rate", "request"]);
        assert_eq!(ranked_paths(&["a/b.rs", "src/rate.rs"], "the Rate"), ["src/rate.rs", "a/b.rs"]);
        for (line, name, is) in [
            ("pub fn run(&self) {", "run", true),
            ("class App(Base):", "App", true),
            ("LIMIT = 3", "LIMIT", true),
            ("    run(x)", "run", false),
            ("let x = run;", "run", false),
            ("", "", false),
        ] {
            assert_eq!(defines(line, name), is, "{line}");
        }
    }
}
