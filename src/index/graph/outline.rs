//! What a file says of itself: what it imports, what it is part of, what it defines.
//!
//! Must never know the path of the file: the same content says the same wherever it lies, but for its language.

use super::super::lines::definition;
use super::super::sketch::content;
use super::LANGUAGES;

/// The most imports that are kept of a file.
const MAX_IMPORTS: usize = 2000;
/// The most definitions.
const MAX_SYMBOLS: usize = 200;
/// The longest name of anything.
const MAX_NAME: usize = 200;

/// What a file says of itself.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Outline {
    /// The package it says it is of.
    pub package: String,
    /// What it imports, sorted, each once, as its language writes it.
    pub imports: Vec<String>,
    /// What it defines at its outermost level, with the lines.
    pub symbols: Vec<(String, u32)>,
    /// True where it could not be read.
    pub unread: bool,
}

impl Outline {
    /// Reads a file of a language, by the language's number.
    pub fn read(language: usize, bytes: &[u8]) -> Self {
        let mut outline = Self::default();
        let kind = content(bytes);
        let Some(language) = LANGUAGES.get(language).filter(|_| kind.is_read()) else {
            outline.unread = true;
            return outline;
        };
        let text = String::from_utf8_lossy(bytes);
        language.read(&text, &mut outline);
        outline
            .imports
            .retain(|name| !name.is_empty() && name.len() <= MAX_NAME && !name.contains(['\n', '\0']));
        outline.imports.sort_unstable();
        outline.imports.dedup();
        outline.imports.truncate(MAX_IMPORTS);
        outline.package.retain(|c| !c.is_control());
        if outline.package.len() > MAX_NAME {
            outline.package.clear();
        }
        outline.define(&text);
        outline
    }

    fn define(&mut self, text: &str) {
        const NEVER: &[&str] =
            &["import ", "from ", "package ", "use ", "using ", "mod ", "pub mod ", "namespace "];
        for (at, line) in text.lines().enumerate() {
            if self.symbols.len() >= MAX_SYMBOLS {
                break;
            }
            let flush =
                line.bytes().next().is_some_and(|b| b.is_ascii_alphabetic() || b == b'_' || b == b'@');
            if !flush || NEVER.iter().any(|word| line.starts_with(word)) {
                continue;
            }
            let Some(name) = definition(line.as_bytes()).and_then(|name| std::str::from_utf8(name).ok())
            else {
                continue;
            };
            let plain = !name.is_empty()
                && name.len() <= MAX_NAME
                && !name.contains(|c: char| c.is_control() || c == ':');
            if plain && !self.symbols.iter().any(|(known, _)| known == name) {
                self.symbols.push((name.to_owned(), u32::try_from(at + 1).unwrap_or(u32::MAX)));
            }
        }
    }

    /// Adds an import.
    pub(super) fn import(&mut self, name: impl Into<String>) {
        // Twice as many as are kept, since the same may come often.
        if self.imports.len() < 2 * MAX_IMPORTS {
            self.imports.push(name.into());
        }
    }

    /// Returns it as text: package, imports and definitions, apart from each other by a null byte.
    pub(super) fn encode(&self) -> String {
        let symbols: Vec<String> = self.symbols.iter().map(|(name, line)| format!("{line} {name}")).collect();
        let unread = if self.unread { '?' } else { '+' };
        format!("{unread}{}\0{}\0{}", self.package, self.imports.join("\n"), symbols.join("\n"))
    }

    /// Reads what [`Outline::encode`] wrote.
    ///
    /// What is defined only where it is asked for: it is half of the text.
    pub(super) fn decode(text: &str, defined: bool) -> Option<Self> {
        let mut parts = text.split('\0');
        let (package, imports, symbols) = (parts.next()?, parts.next()?, parts.next()?);
        let lines =
            |text: &str| text.split('\n').filter(|line| !line.is_empty()).map(str::to_owned).collect();
        let symbol = |line: &str| {
            let (at, name) = line.split_once(' ')?;
            Some((name.to_owned(), at.parse().ok()?))
        };
        Some(Self {
            unread: package.starts_with('?'),
            package: package.strip_prefix(['?', '+'])?.to_owned(),
            imports: lines(imports),
            symbols: if defined { symbols } else { "" }
                .split('\n')
                .filter(|line| !line.is_empty())
                .map(symbol)
                .collect::<Option<_>>()?,
        })
    }
}

/// Returns the first quoted text of a line.
pub(super) fn quoted(text: &str) -> Option<&str> {
    let start = text.find(['"', '\'', '`'])?;
    let quote = text[start..].chars().next()?;
    let rest = &text[start + 1..];
    rest.find(quote).map(|end| &rest[..end])
}
