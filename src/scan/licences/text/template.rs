//! The texts of SPDX's list with what may differ in each, read from data when the first text is looked at.
//!
//! Must never read the rare texts where the common ones explain a text.

use std::sync::{LazyLock, OnceLock};

use super::words::{digest, plain};

const COMMON: &str = include_str!("../../../../rules/licences/common.txt");
const OWN: &str = include_str!("../../../../rules/licences/own.txt");
const RARE: &str = include_str!("../../../../rules/licences/rare.txt");

/// What a template is of.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum Kind {
    /// A licence's whole text.
    Text,
    /// A notice that puts a file under a licence.
    Header,
    /// An exception to a licence.
    Exception,
    /// A sentence that stands beside licences and changes nothing.
    Aside,
}

/// A place where a text may have other words.
#[derive(Clone, Debug)]
pub struct Gap {
    /// The first of the template's words that may be replaced.
    pub start: u32,
    /// The word after the last.
    pub end: u32,
    /// Whether a name or the like may stand here.
    pub wild: bool,
    /// Words that may stand here.
    pub words: Vec<u32>,
}

/// A text of the list.
#[derive(Debug)]
pub struct Template {
    /// The SPDX id.
    pub id: &'static str,
    /// What it is of.
    pub kind: Kind,
    /// The words.
    pub words: Vec<u32>,
    /// Whether each word may be missing.
    pub optional: Vec<bool>,
    /// Places where other words may stand, in order.
    pub gaps: Vec<Gap>,
    /// How many words may not be missing.
    pub required: usize,
    /// How many of its grams are in the index.
    pub indexed: u32,
    grams: OnceLock<Vec<(u32, u32)>>,
}

/// Of templates with more words, one gram in four is in the index.
const LONG: usize = 200;
/// How many words a gram has.
pub const GRAM: usize = 4;

/// Digests the gram that begins at a word.
pub fn gram(words: &[u32]) -> u32 {
    let mixed = words.iter().fold(0u64, |hash, word| {
        (hash.rotate_left(13) ^ u64::from(*word)).wrapping_mul(0x9e37_79b9_7f4a_7c15)
    });
    u32::try_from(mixed >> 32).unwrap_or_default()
}

impl Template {
    fn parse(line: &'static str) -> Option<Self> {
        let mut fields = line.split('\t');
        let id = fields.next()?;
        let kind = match fields.next()? {
            "text" => Kind::Text,
            "header" => Kind::Header,
            "exception" => Kind::Exception,
            _ => Kind::Aside,
        };
        let mut template = Self {
            id,
            kind,
            words: Vec::new(),
            optional: Vec::new(),
            gaps: Vec::new(),
            required: 0,
            indexed: 0,
            grams: OnceLock::new(),
        };
        template.fill(fields.next()?);
        Some(template)
    }

    /// Reads the marks: `[ may be missing ]`, `< this | or these >`, `<* anything like this | or these >`.
    fn fill(&mut self, text: &str) {
        let mut optional = 0u32;
        let mut gap: Option<Gap> = None;
        let mut other = false;
        for word in text.split(' ') {
            match word {
                "[" => optional += 1,
                "]" => optional = optional.saturating_sub(1),
                "<" | "<*" => {
                    let start = self.len();
                    gap = Some(Gap { start, end: start, wild: word == "<*", words: Vec::new() });
                }
                "|" => other = true,
                ">" => {
                    self.gaps.extend(gap.take());
                    other = false;
                }
                _ => {
                    let digest = plain(word);
                    match (&mut gap, other) {
                        (Some(gap), true) => gap.words.push(digest),
                        (Some(gap), false) => {
                            gap.words.push(digest);
                            gap.end += 1;
                            self.words.push(digest);
                            self.optional.push(true);
                        }
                        (None, _) => {
                            self.words.push(digest);
                            self.optional.push(optional > 0);
                        }
                    }
                }
            }
        }
        self.required = self.optional.iter().filter(|o| !**o).count();
    }

    fn len(&self) -> u32 {
        u32::try_from(self.words.len()).unwrap_or(u32::MAX)
    }

    /// Returns the place of a gram that the template has just once.
    pub fn place(&self, gram: u32) -> Option<u32> {
        let grams = self.grams.get_or_init(|| {
            let mut all: Vec<(u32, u32)> =
                (0u32..).zip(self.words.windows(GRAM)).map(|(at, w)| (self::gram(w), at)).collect();
            all.sort_unstable();
            let once = all.chunk_by(|a, b| a.0 == b.0).filter(|same| same.len() == 1).map(|same| same[0]);
            once.collect()
        });
        let at = grams.binary_search_by_key(&gram, |(gram, _)| *gram).ok()?;
        Some(grams[at].1)
    }
}

/// Templates with an index over their grams.
#[derive(Debug)]
pub struct Shelf {
    /// The templates.
    pub templates: Vec<Template>,
    index: Vec<(u32, u16)>,
}

/// The texts that most files have.
pub static COMMON_SHELF: LazyLock<Shelf> = LazyLock::new(|| Shelf::new(&[COMMON, OWN]));
/// All others.
pub static RARE_SHELF: LazyLock<Shelf> = LazyLock::new(|| Shelf::new(&[RARE]));

impl Shelf {
    fn new(files: &[&'static str]) -> Self {
        let mut templates: Vec<Template> =
            files.iter().flat_map(|text| text.lines()).filter_map(Template::parse).collect();
        let mut index = Vec::new();
        for (n, template) in (0u16..).zip(&mut templates) {
            // Of long texts one gram in four is enough to find them.
            let every = if template.words.len() > LONG { 3 } else { 0 };
            let grams = template.words.windows(GRAM).map(gram).filter(|gram| gram & every == 0);
            let before = index.len();
            index.extend(grams.map(|gram| (gram, n)));
            template.indexed = u32::try_from(index.len() - before).unwrap_or(u32::MAX);
        }
        index.sort_unstable();
        index.dedup();
        Self { templates, index }
    }

    /// Returns the templates that have grams in common with a text, best first, each with the share of its grams in
    /// thousandths; each gram of the text counts once.
    pub fn candidates(&self, grams: &[u32]) -> Vec<(usize, u32)> {
        let mut hits = vec![0u32; self.templates.len()];
        for gram in grams {
            let from = self.index.partition_point(|(other, _)| other < gram);
            for (_, n) in self.index[from..].iter().take_while(|(other, _)| other == gram) {
                hits[usize::from(*n)] += 1;
            }
        }
        let mut found: Vec<(usize, u32, u64)> = Vec::new();
        for (n, (hits, template)) in hits.iter().zip(&self.templates).enumerate() {
            let required = u32::try_from(template.required).unwrap_or(u32::MAX);
            if *hits == 0 || *hits * 3 < template.indexed.min(required) {
                continue;
            }
            let share = *hits * 1_000 / template.indexed.max(1);
            let sampled = if template.words.len() > LONG { 4 } else { 1 };
            found.push((n, share, u64::from(share) * u64::from(*hits) * sampled));
        }
        found.sort_by_key(|(_, _, weight)| std::cmp::Reverse(*weight));
        found.into_iter().map(|(n, share, _)| (n, share)).collect()
    }
}

/// Words that change what a licence asks for: a text in which one of them is gone or came in is another text.
const WEIGHTY: &str = "not no never without only except unless must shall may cannot exclusive exclusively royalty sell sold selling \
    prior provided condition conditions personal patent patents terminate terminated additionally service services managed \
    hosted production network source modify modified distribute distribution redistribute redistribution redistributions \
    copies disclaimed warranty liability grant granted agree agreement notwithstanding addition additional derivative derivatives copyleft \
    gpl agpl promote endorse nor notify notification consent approval perpetual exception written prominent limitation neither non \
    limited model models later lesser affero users companies government private internal";

/// Words that, in what no text explains, say that something is not allowed or has to be done.
const STRONG: &str = "cannot prohibited prohibits forbidden restrict restricted restriction restrictions noncommercial commercial \
    commercially military evil academic educational evaluation nuclear harm competing compete competitive humanitarian ethical weapons \
    surveillance solely fee fees purchase paid pay charge reverse viral advertising acknowledge acknowledgment mention revoke revoked revocable \
    trained training cryptocurrency police defense revenue must shall require requires required excluding unlawful internally expires";

fn sorted(words: &str) -> Vec<u32> {
    let mut all: Vec<u32> = words.split_whitespace().map(digest).collect();
    all.sort_unstable();
    all
}

/// Tells whether a word changes what a licence asks for.
pub fn is_weighty(word: u32) -> bool {
    static WORDS: LazyLock<Vec<u32>> = LazyLock::new(|| sorted(WEIGHTY));
    WORDS.binary_search(&word).is_ok() || is_strong(word)
}

/// Tells whether a word asks for something or forbids something by itself.
pub fn is_strong(word: u32) -> bool {
    static WORDS: LazyLock<Vec<u32>> = LazyLock::new(|| sorted(STRONG));
    WORDS.binary_search(&word).is_ok()
}

/// Words that weigh in a sentence and are common in names of people and companies.
const NAMES: &str = "service services network source production personal private government companies model models internal users managed \
    hosted distribution copies";

/// Tells whether a word has no place where a name stands.
pub fn is_no_name(word: u32) -> bool {
    static WORDS: LazyLock<Vec<u32>> = LazyLock::new(|| sorted(NAMES));
    is_weighty(word) && WORDS.binary_search(&word).is_err()
}

/// Tells whether a word is a version's number: in a notice it makes another licence.
pub fn is_version(word: u32) -> bool {
    static WORDS: LazyLock<Vec<u32>> = LazyLock::new(|| sorted("1 2 3 4 10 11 12 13 15 20 21 25 30 40"));
    WORDS.binary_search(&word).is_ok()
}
