//! What of the base fits a request: paths exactly, names by what defines them, queries by the index.
//!
//! Where there is no index, files are looked through. Must never take more than its bounds of time and bytes, and must never
//! rank by anything but the index and the texts.

use std::collections::{BTreeMap, BTreeSet};
use std::fmt::Write as _;

use crate::artifact::types::debate::LeftOut;
use crate::ports::vcs::VcsError;
use crate::syntax;

use super::pack::{self, Part, PartRole};
use super::scan::{Scan, last_of};
use super::{Cite, ContextRequest, Cut, Piece, Source, assemble};

/// The most bytes of what is found for one request.
pub const MAX_FOUND_BYTES: u32 = 24 * 1024;

/// The most pieces for one name or query.
const PER_QUERY: usize = 3;
/// The most files that are looked at for the definition of a name.
const PER_NAME: usize = 20;

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

/// Asks the index of a source, or looks through its files where it has none.
#[derive(Clone, Copy, Debug, Default)]
pub struct Lookup;

impl Retriever for Lookup {
    fn retrieve(&self, request: &ContextRequest, source: &dyn Source) -> Result<Found, VcsError> {
        let mut pieces = Vec::new();
        let mut left_out = Vec::new();
        for path in &request.paths {
            match source.text(path)? {
                Some(text) => pieces.push(whole_file(path, text, 9)),
                None => left_out.push(missing(path, "the base has no text file of this path")),
            }
        }
        let mut scan: Option<Scan> = None;
        for symbol in &request.symbols {
            let mut found = defined(symbol, source)?;
            if found.is_empty() {
                found = scanned(&mut scan, source)?.definitions(symbol, PER_QUERY);
            }
            if found.is_empty() {
                left_out.push(missing(symbol, "no line looks like its definition"));
            }
            pieces.extend(found.iter().map(Part::piece));
        }
        for query in &request.queries {
            let found = match source.ranked(query, PER_QUERY)? {
                Some(ranked) => pack::fitting(&ranked, query, source)?,
                None => scanned(&mut scan, source)?.matches(query, PER_QUERY),
            };
            if found.is_empty() {
                left_out.push(missing(query, "no text shares a word with it"));
            }
            pieces.extend(found.iter().map(Part::piece));
        }
        if let Some(why) = scan.and_then(|scan| scan.cut) {
            left_out.push(missing("the rest of the repository", &why));
        }
        let mut once = BTreeSet::new();
        pieces.retain(|piece: &Piece| once.insert(piece.label.clone()));
        // What was asked for may be cut: its first lines tell more than nothing.
        for piece in &mut pieces {
            piece.cut = Cut::Head;
        }
        let assembled = assemble(&pieces, MAX_FOUND_BYTES / 4);
        left_out.extend(assembled.left_out);
        Ok(Found { text: assembled.text, left_out })
    }
}

fn scanned<'s>(scan: &'s mut Option<Scan>, source: &dyn Source) -> Result<&'s Scan, VcsError> {
    if scan.is_none() {
        *scan = Some(Scan::of(source)?);
    }
    Ok(scan.get_or_insert_default())
}

/// Returns what defines a name in the files the index names for it.
fn defined(symbol: &str, source: &dyn Source) -> Result<Vec<Part>, VcsError> {
    let name = last_of(symbol);
    let mut parts = Vec::new();
    for found in source.ranked(name, PER_NAME)?.unwrap_or_default() {
        let Some(text) = source.text(&found.path)? else { continue };
        let syntax = syntax::read(&found.path, text.as_bytes());
        for definition in syntax.definitions.iter().filter(|definition| definition.name == name) {
            let cite = Cite::of(&found.path, text.as_bytes(), definition.first, definition.last);
            let lines = (definition.last + 1 - definition.first) as usize;
            let shown = numbered(&text, definition.first as usize - 1, lines);
            parts.push(Part { role: PartRole::Match, cite, names: vec![name.to_owned()], text: shown });
        }
        if parts.len() >= PER_QUERY {
            parts.truncate(PER_QUERY);
            break;
        }
    }
    Ok(parts)
}

/// Returns a file as it is, without numbers, so that text can be copied from it.
pub fn whole_file(path: &str, text: String, weight: u8) -> Piece {
    let lines = u32::try_from(text.lines().count().max(1)).unwrap_or(u32::MAX);
    let cite = Cite::of(path, text.as_bytes(), 1, lines);
    Piece::new(format!("file {cite}"), text, weight, Cut::Head)
}

fn missing(what: &str, why: &str) -> LeftOut {
    LeftOut { what: what.to_owned(), why: why.to_owned() }
}

/// Returns lines of a text with their numbers, from 1.
pub fn numbered(text: &str, skip: usize, take: usize) -> String {
    let mut shown = String::new();
    for (at, line) in text.lines().enumerate().skip(skip).take(take) {
        let _ = writeln!(shown, "{}\t{line}", at + 1);
    }
    shown
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
        let found = Lookup
            .retrieve(
                &ask(
                    &["src/use.py", "none.py", "bin.dat"],
                    &["app.make_app", "nothing"],
                    &["rate limit docs"],
                ),
                &source,
            )
            .unwrap();
        assert!(
            found.text.contains("file src/use.py@") && found.text.contains(":1-2\nfrom app"),
            "{}",
            found.text
        );
        assert!(found.text.contains("3\tdef make_app():"), "{}", found.text);
        assert!(
            found.text.contains("docs/rate-limits.md@") && found.text.contains("lines numbered\n1\tHow many"),
            "{}",
            found.text
        );
        let what: Vec<_> = found.left_out.iter().map(|o| o.what.as_str()).collect();
        assert_eq!(what, ["none.py", "bin.dat", "nothing"]);
    }

    #[test]
    fn what_is_found_is_bounded() {
        let long = "word and more words\n".repeat(20_000);
        let source = Texts::of(&[("a.txt", &long), ("b.txt", &long)]);
        let found = Lookup.retrieve(&ask(&["a.txt", "b.txt"], &[], &["word"]), &source).unwrap();
        assert!(found.text.len() <= MAX_FOUND_BYTES as usize);
        assert!(!found.left_out.is_empty());
    }

    #[test]
    fn words_are_taken_apart_at_case_and_signs() {
        let list = |text| words(text).into_iter().collect::<Vec<_>>();
        assert_eq!(list("rateLimit_of HTTP-request a1"), ["http", "limit", "rate", "request"]);
        assert_eq!(ranked_paths(&["a/b.rs", "src/rate.rs"], "the Rate"), ["src/rate.rs", "a/b.rs"]);
    }
}
