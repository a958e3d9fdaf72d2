//! What a scanner is given: one file, its text whatever the encoding, and which lines are new.
//!
//! Must never change a line number: line `n` of the text is line `n` of the file.

use std::borrow::Cow;
use std::cell::OnceCell;
use std::ops::{Range, RangeInclusive};

use super::places::Place;
use super::{Lines, Surroundings, layers};

/// One file to look at.
#[derive(Clone, Copy, Debug)]
pub struct Source<'a> {
    /// The path from the root of the repository, with `/`.
    pub path: &'a str,
    /// The content.
    pub bytes: &'a [u8],
    /// The lines that are new, counted from 1; all of them when absent.
    pub changed: Option<&'a [RangeInclusive<u32>]>,
    /// What is known of the repository; nothing when absent.
    pub around: Option<&'a Surroundings>,
}

impl<'a> Source<'a> {
    /// Returns a file of which every line counts.
    pub const fn new(path: &'a str, bytes: &'a [u8]) -> Self {
        Self { path, bytes, changed: None, around: None }
    }

    /// Tells whether a finding on these lines belongs to the change.
    pub fn touches(&self, first: u32, last: u32) -> bool {
        self.changed.is_none_or(|ranges| ranges.iter().any(|r| *r.start() <= last && first <= *r.end()))
    }
}

/// A source with its text: UTF-8 and unknown encodings as they are, UTF-16 decoded.
#[derive(Debug)]
pub struct View<'a> {
    /// The file.
    pub source: &'a Source<'a>,
    /// The text; not always valid UTF-8.
    pub text: Cow<'a, [u8]>,
    /// Whether this is no text at all.
    pub binary: bool,
    aside: OnceCell<bool>,
    place: OnceCell<Place>,
    lower: OnceCell<String>,
    lines: OnceCell<Lines>,
    runs: OnceCell<Vec<Range<usize>>>,
}

/// How much of a file is looked at to tell what it is.
const HEAD: usize = 8_000;

impl<'a> View<'a> {
    /// Looks at a source's encoding.
    pub fn new(source: &'a Source<'a>) -> Self {
        let text = decode(source.bytes);
        let binary = matches!(text, Cow::Borrowed(_)) && is_binary(&text);
        Self {
            source,
            text,
            binary,
            aside: OnceCell::new(),
            place: OnceCell::new(),
            lower: OnceCell::new(),
            lines: OnceCell::new(),
            runs: OnceCell::new(),
        }
    }

    /// Tells whether the path says that this is a test, a fixture, an example or a document.
    pub fn aside(&self) -> bool {
        *self.aside.get_or_init(|| is_aside(self.lower()))
    }

    /// Returns what the path says of the file.
    pub fn place(&self) -> Place {
        *self.place.get_or_init(|| Place::of_lower(self.lower()))
    }

    /// Tells whether the path says that this is text of a program in a language of people.
    pub fn is_translation(&self) -> bool {
        const FOLDERS: [&str; 10] = [
            "i18n",
            "l10n",
            "locale",
            "locales",
            "lang",
            "langs",
            "language",
            "languages",
            "translations",
            "messages",
        ];
        let path = self.lower();
        let name = path.rsplit('/').next().unwrap_or_default();
        path.split('/').any(|part| {
            FOLDERS.contains(&part) || part.starts_with("values-") || part.rsplit('.').next() == Some("lproj")
        }) || [".po", ".pot", ".strings", ".arb", ".xlf", ".xliff", ".resx"]
            .iter()
            .any(|end| name.ends_with(end))
            || name.starts_with("i18n")
            || name.starts_with("messages")
    }

    /// Returns the path in lower case.
    pub fn lower(&self) -> &str {
        self.lower.get_or_init(|| self.source.path.to_ascii_lowercase())
    }

    /// Returns where the lines start; computed when first asked for.
    pub fn lines(&self) -> &Lines {
        self.lines.get_or_init(|| Lines::new(&self.text))
    }

    /// Returns the runs of base64 or hex digits that are long enough to wrap something.
    pub fn runs(&self) -> &[Range<usize>] {
        self.runs.get_or_init(|| {
            let mut runs = Vec::new();
            layers::runs(&self.text, |run| runs.push(run));
            runs
        })
    }

    /// Returns the part of the path after the last slash.
    pub fn file_name(&self) -> &'a str {
        self.source.path.rsplit('/').next().unwrap_or_default()
    }

    /// Returns what follows the last dot of the file's name; empty when there is none or only the first letter is one.
    pub fn extension(&self) -> &'a str {
        self.file_name().rsplit_once('.').map_or("", |(_, extension)| extension)
    }
}

/// Puts two bytes together.
type Unit = fn([u8; 2]) -> u16;

fn decode(bytes: &[u8]) -> Cow<'_, [u8]> {
    let (unit, body): (Unit, &[u8]) = match bytes {
        [0xff, 0xfe, rest @ ..] => (u16::from_le_bytes, rest),
        [0xfe, 0xff, rest @ ..] => (u16::from_be_bytes, rest),
        // Without a mark: every other byte of plain text is NUL.
        [a, 0, b, 0, ..] if *a != 0 && *b != 0 && every_other(&bytes[1..]) => (u16::from_le_bytes, bytes),
        [0, a, 0, b, ..] if *a != 0 && *b != 0 && every_other(bytes) => (u16::from_be_bytes, bytes),
        _ => return Cow::Borrowed(bytes),
    };
    let units = body.chunks_exact(2).map(|pair| unit([pair[0], pair[1]]));
    let text: String = char::decode_utf16(units).map(|c| c.unwrap_or(char::REPLACEMENT_CHARACTER)).collect();
    Cow::Owned(text.into_bytes())
}

fn every_other(bytes: &[u8]) -> bool {
    let head = &bytes[..bytes.len().min(512)];
    let count = head.iter().step_by(2).count();
    head.iter().step_by(2).filter(|b| **b == 0).count() * 10 >= count * 9
}

/// A NUL alone does not make a file binary: it would be the cheapest way to hide a secret.
fn is_binary(bytes: &[u8]) -> bool {
    let head = &bytes[..bytes.len().min(HEAD)];
    if memchr::memchr(0, head).is_none() {
        return false;
    }
    let odd = head.iter().filter(|b| **b < 9 || (14..32).contains(*b)).count();
    odd * 20 > head.len()
}

const ASIDE: [&str; 24] = [
    "test",
    "tests",
    "spec",
    "specs",
    "__tests__",
    "testdata",
    "fixture",
    "fixtures",
    "example",
    "examples",
    "sample",
    "samples",
    "mock",
    "mocks",
    "doc",
    "docs",
    "demo",
    "demos",
    "testing",
    "e2e",
    "benches",
    "benchmarks",
    "snapshots",
    "__snapshots__",
];

/// Takes a path in lower case.
fn is_aside(path: &str) -> bool {
    let (folders, name) = path.rsplit_once('/').unwrap_or(("", path));
    folders.split('/').any(|folder| {
        ASIDE.contains(&folder)
            || folder.ends_with("-tests")
            || folder.ends_with("_test")
            || folder.ends_with("-test")
    }) || name.starts_with("test_")
        || name == "tests.rs"
        || [
            ".test.",
            ".spec.",
            "_test.",
            "_spec.",
            "_tests.rs",
            "test.java",
            "tests.java",
            "test.php",
            "tests.cs",
            "test.kt",
            ".md",
            ".rst",
            ".example",
            ".sample",
            ".snap",
        ]
        .iter()
        .any(|mark| name.contains(mark))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn text(bytes: &[u8]) -> Vec<u8> {
        View::new(&Source::new("a", bytes)).text.into_owned()
    }

    #[test]
    fn utf16_is_read_with_and_without_a_mark() {
        let plain = "password = 'x'\nsecond line ä";
        let le: Vec<u8> = plain.encode_utf16().flat_map(u16::to_le_bytes).collect();
        let be: Vec<u8> = plain.encode_utf16().flat_map(u16::to_be_bytes).collect();
        for bytes in
            [le.clone(), be.clone(), [&[0xff, 0xfe], &le[..]].concat(), [&[0xfe, 0xff], &be[..]].concat()]
        {
            assert_eq!(String::from_utf8(text(&bytes)).unwrap(), plain);
        }
        assert_eq!(text(&[0xff, 0xfe, 0x41]), b"");
        assert_eq!(text(b"\xff\x80\x00"), b"\xff\x80\x00");
    }

    #[test]
    fn one_nul_does_not_hide_a_file() {
        let text = [b"password = 'abc'\n\0".as_slice(), &b"x".repeat(100)].concat();
        assert!(!View::new(&Source::new("a", &text)).binary);
        assert!(View::new(&Source::new("a", &[0, 1, 2, 3, 4])).binary);
    }

    #[test]
    fn changed_lines_are_inclusive() {
        let ranges = [3..=4, 9..=9];
        let source = Source { changed: Some(&ranges), ..Source::new("a", b"") };
        let hit: Vec<u32> = (1..12).filter(|line| source.touches(*line, *line)).collect();
        assert_eq!(hit, [3, 4, 9]);
        assert!(source.touches(1, 3) && !source.touches(5, 8));
    }

    #[test]
    fn tests_and_documents_are_aside() {
        for path in [
            "tests/a.py",
            "src/foo_test.go",
            "a/__tests__/x.js",
            "README.md",
            "x/test_a.py",
            "a.spec.ts",
            "src/a/tests.rs",
        ] {
            assert!(is_aside(&path.to_ascii_lowercase()), "{path}");
        }
        for path in ["src/main.rs", "config/prod.env", "latest/contest.py", "attest.go"] {
            assert!(!is_aside(path), "{path}");
        }
    }
}
