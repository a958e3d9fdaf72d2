//! Files looked through where there is no index: lines that look like definitions, shared words.
//!
//! Must never take more than its bounds of files and bytes.

use crate::ports::vcs::{Ranked, VcsError};
use crate::syntax;

use super::pack::{Part, PartRole};
use super::{Cite, Source, numbered, words};

/// The most files and bytes that are looked through.
const MAX_FILES: usize = 4000;
const MAX_SCAN: usize = 16 << 20;
/// So many lines around a place are shown where no function is around it.
const AROUND: usize = 12;
/// A function of more lines is not shown whole.
const LARGE: u32 = 120;

/// Returns the files that share the most words with a text, with the lines around the best one.
pub fn by_words(text: &str, source: &dyn Source, most: usize) -> Result<Vec<Ranked>, VcsError> {
    let scan = Scan::of(source)?;
    let found = |(path, _, at): (&str, &str, usize)| {
        let line = u32::try_from(at + 1).unwrap_or(u32::MAX);
        Ranked { path: path.to_owned(), lines: Some((line, line)) }
    };
    Ok(scan.best(text, most).into_iter().map(found).collect())
}

/// The texts that are looked through.
#[derive(Debug, Default)]
pub(super) struct Scan {
    texts: Vec<(String, String)>,
    /// Why not all were.
    pub cut: Option<String>,
}

impl Scan {
    /// Reads the texts of a source.
    pub fn of(source: &dyn Source) -> Result<Self, VcsError> {
        let paths = source.paths();
        let (all, mut bytes) = (paths.len(), 0usize);
        let mut scan = Self::default();
        for (seen, path) in paths.into_iter().enumerate() {
            if seen >= MAX_FILES || bytes >= MAX_SCAN {
                scan.cut = Some(format!("only {seen} of {all} files were looked through"));
                break;
            }
            if let Some(text) = source.text(path)? {
                bytes = bytes.saturating_add(text.len());
                scan.texts.push((path.to_owned(), text));
            }
        }
        Ok(scan)
    }

    /// Returns what is around lines that look like definitions of a name.
    pub fn definitions(&self, symbol: &str, most: usize) -> Vec<Part> {
        let name = last_of(symbol);
        let hits = self.texts.iter().filter_map(|(path, text)| {
            let at = text.lines().position(|line| defines(line, name))?;
            Some(excerpt(path, text, at))
        });
        hits.take(most).collect()
    }

    /// Returns what fits a query best.
    pub fn matches(&self, query: &str, most: usize) -> Vec<Part> {
        self.best(query, most).into_iter().map(|(path, text, at)| excerpt(path, text, at)).collect()
    }

    /// Returns the files that share the most words with a query, names counting more than texts, with the best line.
    fn best(&self, query: &str, most: usize) -> Vec<(&str, &str, usize)> {
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
        let best_line = |text: &str| {
            let scores = text.lines().map(|line| words(line).intersection(&wanted).count()).enumerate();
            scores.max_by_key(|(at, score)| (*score, std::cmp::Reverse(*at))).map_or(0, |(at, _)| at)
        };
        ranked.into_iter().take(most).map(|(_, path, text)| (path, text, best_line(text))).collect()
    }
}

/// Returns the last part of a name, as `run` of `app::Server.run()`.
pub(super) fn last_of(symbol: &str) -> &str {
    symbol.trim_end_matches("()").rsplit([':', '.', '#']).next().unwrap_or(symbol)
}

/// Returns the function around a line, or the lines around it where there is none.
fn excerpt(path: &str, text: &str, at: usize) -> Part {
    let syntax = syntax::read(path, text.as_bytes());
    let line = u32::try_from(at + 1).unwrap_or(u32::MAX);
    let whole = syntax.around(line).filter(|around| around.last - around.first < LARGE);
    let reach = u32::try_from(AROUND).unwrap_or_default();
    let (first, last) = whole.map_or_else(
        || (line.saturating_sub(reach).max(1), syntax.lines.min(line.saturating_add(3 * reach)).max(1)),
        |around| (around.first, around.last),
    );
    let names = whole.map(|around| around.name.clone()).into_iter().collect();
    let shown = numbered(text, first as usize - 1, (last + 1 - first) as usize);
    Part { role: PartRole::Match, cite: Cite::of(path, text.as_bytes(), first, last), names, text: shown }
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

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn lines_that_define_a_name_are_told_from_those_that_use_it() {
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
        assert_eq!(last_of("app::Server.run()"), "run");
    }
}
