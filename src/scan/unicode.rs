//! Characters that nobody sees or that look like others: text that reads otherwise than it runs.
//!
//! Must never report what a script or an emoji needs: joiners of Persian and Indic texts, marks of Hebrew and Arabic.

use std::ops::Range;

use super::places::Place;
use super::{Confidence, Found, Scanner, Sink, View};

/// Hidden or reordering characters; attribute `kind`.
pub const HIDDEN: &str = "content/hidden-unicode";
/// A name of letters of two scripts that look alike.
pub const HOMOGLYPH: &str = "content/homoglyph";

/// Finds characters that are not what they seem.
#[derive(Clone, Copy, Debug)]
pub struct Unicode;

impl Scanner for Unicode {
    fn name(&self) -> &'static str {
        "unicode"
    }

    fn codes(&self) -> &'static [&'static str] {
        &[HIDDEN, HOMOGLYPH]
    }

    fn scan(&self, view: &View<'_>, sink: &mut Sink<'_>) {
        if view.binary || view.text.is_ascii() {
            return;
        }
        Pass { view, sink, place: view.place(), code: None, noise: None, last: None }.run();
    }
}

/// What a character does to a reader.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Kind {
    /// Embeds, overrides, isolates.
    Bidi,
    /// Marks of direction without width.
    Mark,
    Invisible,
    SoftHyphen,
    ZeroSpace,
    Joiner,
    ByteOrder,
    Tag,
    Selector,
    Private,
    Half,
    Filler,
    Mongolian,
}

impl Kind {
    const fn of(c: u32) -> Option<Self> {
        Some(match c {
            0x202a..=0x202e | 0x2066..=0x2069 => Self::Bidi,
            0x61c | 0x200e | 0x200f => Self::Mark,
            0x2060..=0x2064 | 0x206a..=0x206f | 0xfff9..=0xfffb | 0x1d173..=0x1d17a => Self::Invisible,
            0xad => Self::SoftHyphen,
            0x200b => Self::ZeroSpace,
            0x200c | 0x200d => Self::Joiner,
            0xfeff => Self::ByteOrder,
            0xe0000..=0xe007f => Self::Tag,
            0xfe00..=0xfe0f | 0xe0100..=0xe01ef => Self::Selector,
            0xe000..=0xf8ff | 0xf0000..=0x10_ffff => Self::Private,
            0xd800..=0xdfff => Self::Half,
            0x115f | 0x1160 | 0x3164 | 0xffa0 => Self::Filler,
            0x180e => Self::Mongolian,
            _ => return None,
        })
    }

    const fn says(self) -> (&'static str, &'static str) {
        match self {
            Self::Bidi | Self::Mark => ("bidi", "a bidirectional control"),
            Self::Joiner => ("joiner", "a joiner next to plain text"),
            Self::Tag => ("tag", "a tag character"),
            Self::Selector => {
                ("selectors", "variation selectors without a character of their own, as used to hide data")
            }
            Self::Private => ("private", "a run of characters for private use, as used to hide data"),
            Self::Half => ("half", "half of a surrogate pair"),
            _ => ("invisible", "an invisible character"),
        }
    }
}

/// One pass over a file.
struct Pass<'p, 'v, 's> {
    view: &'p View<'v>,
    sink: &'p mut Sink<'s>,
    place: Place,
    /// Whether the file holds code whose names can be confused; found out when first asked.
    code: Option<bool>,
    /// Whether this is no text in UTF-8; found out when something was found.
    noise: Option<bool>,
    /// Start of the line and kind of the last fact: one of a kind is enough for a line.
    last: Option<(usize, &'static str)>,
}

/// A decoded character: its value, a surrogate's too, and how many bytes it takes.
fn char_at(text: &[u8], at: usize) -> Option<(u32, usize)> {
    let tail = |n: usize| text.get(at + n).filter(|b| **b & 0xc0 == 0x80).map(|b| u32::from(*b & 0x3f));
    let lead = u32::from(*text.get(at)?);
    match lead {
        0..=0x7f => Some((lead, 1)),
        0xc2..=0xdf => Some(((lead & 0x1f) << 6 | tail(1)?, 2)),
        0xe0..=0xef => Some(((lead & 0x0f) << 12 | tail(1)? << 6 | tail(2)?, 3)),
        0xf0..=0xf4 => Some(((lead & 0x07) << 18 | tail(1)? << 12 | tail(2)? << 6 | tail(3)?, 4)),
        _ => None,
    }
}

/// Returns the character that ends at an offset.
fn char_before(text: &[u8], at: usize) -> Option<(u32, usize)> {
    (1..=4.min(at)).find_map(|len| char_at(text, at - len).filter(|(_, found)| *found == len))
}

impl Pass<'_, '_, '_> {
    fn run(&mut self) {
        let text = &*self.view.text;
        let mut at = 0;
        while let Some(start) = next_wide(text, at) {
            let Some((c, len)) = char_at(text, start) else {
                at = start + 1;
                continue;
            };
            at = start + len;
            if let Some(kind) = Kind::of(c) {
                let mut count = 1;
                while let Some((next, len)) = char_at(text, at).filter(|(c, _)| Kind::of(*c) == Some(kind)) {
                    // A run is one finding.
                    let _ = next;
                    count += 1;
                    at += len;
                }
                self.hidden(kind, start..at, count);
            } else if is_lookalike(c) {
                at = self.name(start, at).max(at);
            }
        }
    }

    fn hidden(&mut self, kind: Kind, range: Range<usize>, count: usize) {
        let text = &*self.view.text;
        let before = char_before(text, range.start).map_or(0x0a, |(c, _)| c);
        let after = char_at(text, range.end).map_or(0x0a, |(c, _)| c);
        let plain = |c: u32| c < 0x80;
        let word =
            |c: u32| c == 0x5f || (c < 0x80 && char::from_u32(c).is_some_and(|c| c.is_ascii_alphanumeric()));
        // In the middle of a name it makes another name; elsewhere it was mostly pasted along.
        let splits = count > 2 || (word(before) && word(after));
        let mut confidence = Confidence::High;
        match kind {
            Kind::Joiner if count < 3 && !(plain(before) && plain(after)) => return,
            // Thai, Lao, Tibetan, Burmese and Khmer have no spaces: the mark says where a line may break.
            Kind::ZeroSpace if count < 3 && breaks(before) && (breaks(after) || plain(after)) => return,
            Kind::ZeroSpace if count < 3 && breaks(after) && plain(before) => return,
            Kind::ZeroSpace | Kind::SoftHyphen | Kind::Invisible | Kind::ByteOrder
                if !splits && self.place.words =>
            {
                return;
            }
            Kind::SoftHyphen if self.place.prose => confidence = Confidence::Medium,
            Kind::Mark if self.line_has(&range, is_right_to_left) => return,
            Kind::Bidi if self.place.words && self.line_has(&range, is_right_to_left) => {
                confidence = Confidence::Medium;
            }
            Kind::ByteOrder if before == 0x0a => {
                if range.start == 0 && count == 1 {
                    return;
                }
                confidence = Confidence::Medium;
            }
            Kind::ZeroSpace | Kind::SoftHyphen | Kind::Invisible | Kind::ByteOrder if !splits => {
                confidence = Confidence::Medium;
            }
            // The flags of England, Scotland and Wales.
            Kind::Tag if before == 0x1f3f4 && text[range.clone()].ends_with("\u{e007f}".as_bytes()) => return,
            Kind::Selector if count < 2 && !(plain(before) && range.len() == 4) => return,
            Kind::Selector if count < 4 && range.len() == count * 3 => confidence = Confidence::Medium,
            Kind::Private if count < 8 => return,
            Kind::Private | Kind::Half => confidence = Confidence::Medium,
            Kind::Filler if (0x1100..=0x11ff).contains(&before) || (0x1100..=0x11ff).contains(&after) => {
                return;
            }
            Kind::Mongolian if (0x1800..=0x18af).contains(&before) => return,
            _ => {}
        }
        if self.place.made {
            confidence = confidence.min(Confidence::Medium);
        }
        let (name, says) = kind.says();
        self.add(HIDDEN, range, name, format!("the line has {says}"), says, confidence);
    }

    fn add(
        &mut self,
        code: &'static str,
        range: Range<usize>,
        kind: &'static str,
        message: String,
        key: &str,
        confidence: Confidence,
    ) {
        let line = memchr::memrchr(b'\n', &self.view.text[..range.start]).map_or(0, |at| at + 1);
        if self.last == Some((line, kind)) || *self.noise.get_or_insert_with(|| is_noise(&self.view.text)) {
            return;
        }
        self.last = Some((line, kind));
        let found = Found::plain(code, range, message, key, confidence).with("kind", kind);
        self.sink.add(found.with("where", self.place.name()));
    }

    /// Tells whether the line around a place, as far as 500 bytes go, has such a character.
    fn line_has(&self, range: &Range<usize>, is: fn(u32) -> bool) -> bool {
        let text = &*self.view.text;
        let from = range.start.saturating_sub(500);
        let start = memchr::memrchr(b'\n', &text[from..range.start]).map_or(from, |at| from + at + 1);
        let to = (range.end + 500).min(text.len());
        let end = memchr::memchr(b'\n', &text[range.end..to]).map_or(to, |at| range.end + at);
        let mut at = start;
        while at < end {
            match char_at(text, at) {
                Some((c, _)) if is(c) => return true,
                Some((_, len)) => at += len,
                None => at += 1,
            }
        }
        false
    }

    /// Looks at the name around a letter that looks like a Latin one; returns where it ends.
    fn name(&mut self, start: usize, end: usize) -> usize {
        let text = &*self.view.text;
        let code = *self.code.get_or_insert(self.place.code && !self.place.words);
        let mut from = start;
        while let Some((c, len)) = char_before(text, from).filter(|(c, _)| is_letter(*c)) {
            let _ = c;
            from -= len;
            if start - from > 200 {
                return end;
            }
        }
        let mut to = end;
        while let Some((_, len)) = char_at(text, to).filter(|(c, _)| is_letter(*c)) {
            to += len;
            if to - end > 200 {
                break;
            }
        }
        if !code {
            return to;
        }
        // `\n`, `%s` and the like end where the next text begins.
        if from > 0 && matches!(text[from - 1], b'\\' | b'%') {
            from = (from + 1).min(start);
        }
        let (mut latin, mut alike, mut other, mut letters) = (0, 0, 0, 0);
        let mut at = from;
        while at < to {
            let Some((c, len)) = char_at(text, at) else { break };
            match c {
                0x41..=0x5a | 0x61..=0x7a => latin += 1,
                _ if is_lookalike(c) => alike += 1,
                0x80.. => other += 1,
                _ => {}
            }
            letters += 1;
            at += len;
        }
        if latin >= 2 && alike >= 1 && other == 0 && letters >= 4 && !self.is_text(from..to) {
            let range = from..to;
            let name = String::from_utf8_lossy(&text[range.clone()]).into_owned();
            let confidence = Confidence::Medium;
            let message = format!("the name `{name}` mixes Latin letters with others that look the same");
            self.add(HOMOGLYPH, range, "homoglyph", message, &name, confidence);
        }
        to
    }

    /// Tells whether the line is a comment, or holds whole words of the other script: a text in a language that borrows words.
    fn is_text(&self, name: Range<usize>) -> bool {
        let text = &*self.view.text;
        let from = name.start.saturating_sub(500);
        let start = memchr::memrchr(b'\n', &text[from..name.start]).map_or(from, |at| from + at + 1);
        let head = text[start..name.start].trim_ascii_start();
        if [b"#".as_slice(), b"//", b"*", b"/*", b"--", b"<!--", b";", b"\"\"\"", b"'''"]
            .iter()
            .any(|mark| head.starts_with(mark))
        {
            return true;
        }
        let to = (name.end + 500).min(text.len());
        let end = memchr::memchr(b'\n', &text[name.end..to]).map_or(to, |at| name.end + at);
        let (mut at, mut run, mut latin) = (start, 0, false);
        while at < end {
            let (c, len) = char_at(text, at).unwrap_or((0x20, 1));
            if is_other_script(c) {
                run += 1;
            } else {
                if run >= 2 && !latin && !is_letter(c) {
                    return true;
                }
                run = 0;
                latin = is_letter(c);
            }
            at += len;
        }
        run >= 2 && !latin
    }
}

/// Tells whether most of what is not ASCII is no UTF-8 either: a picture, a page for print, an old encoding. One wrong byte
/// does not hide a file.
fn is_noise(text: &[u8]) -> bool {
    let text = &text[..text.len().min(1 << 16)];
    let (mut at, mut good, mut bad) = (0, 0_usize, 0_usize);
    while let Some(start) = next_wide(text, at) {
        if let Some((_, len)) = char_at(text, start) {
            good += 1;
            at = start + len;
        } else {
            bad += 1;
            at = start + 1;
        }
    }
    bad > good
}

/// Returns the next byte that is not ASCII.
fn next_wide(text: &[u8], from: usize) -> Option<usize> {
    const STEP: usize = 32;
    let mut at = from;
    while let Some(chunk) = text.get(at..at + STEP) {
        if !chunk.is_ascii() {
            break;
        }
        at += STEP;
    }
    text.get(at..)?.iter().position(|b| *b >= 0x80).map(|offset| at + offset)
}

const fn breaks(c: u32) -> bool {
    matches!(c, 0xe00..=0xfff | 0x1000..=0x109f | 0x1780..=0x17ff | 0x1a20..=0x1aaf)
}

const fn is_right_to_left(c: u32) -> bool {
    matches!(c, 0x590..=0x61b | 0x61d..=0x8ff | 0xfb1d..=0xfdff | 0xfe70..=0xfefc | 0x1e900..=0x1e95f)
}

/// Letters, digits and what names are made of; ASCII, Latin, Greek and Cyrillic.
const fn is_letter(c: u32) -> bool {
    matches!(c, 0x30..=0x39 | 0x41..=0x5a | 0x5f | 0x61..=0x7a | 0xc0..=0x24f | 0x370..=0x52f)
}

const fn is_other_script(c: u32) -> bool {
    matches!(c, 0x370..=0x52f)
}

/// Greek and Cyrillic letters that nobody can tell from a Latin one. Small Greek letters of formulas are none of them.
const fn is_lookalike(c: u32) -> bool {
    matches!(c,
        0x391 | 0x392 | 0x395..=0x397 | 0x399 | 0x39a | 0x39c | 0x39d | 0x39f | 0x3a1 | 0x3a4 | 0x3a5 | 0x3a7 | 0x3bf
        | 0x405 | 0x406 | 0x408 | 0x410 | 0x412 | 0x415 | 0x41a | 0x41c..=0x41e | 0x420..=0x422 | 0x425
        | 0x430 | 0x435 | 0x43e | 0x440 | 0x441 | 0x443 | 0x445 | 0x455 | 0x456 | 0x458 | 0x4ae | 0x4bb | 0x501 | 0x51b | 0x51d)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::scan::{Source, Worker};
    use proptest::prelude::*;

    fn facts(path: &str, bytes: &[u8]) -> Vec<(u32, u32, String, Confidence)> {
        let mut worker = Worker::new(&[&Unicode], None);
        worker.scan(&Source::new(path, bytes));
        let mut facts = worker.into_facts();
        facts.sort();
        facts.iter().map(|f| (f.line, f.column, f.attributes["kind"].clone(), f.confidence)).collect()
    }

    fn kinds(path: &str, text: &str) -> Vec<String> {
        facts(path, text.as_bytes()).into_iter().map(|(_, _, kind, _)| kind).collect()
    }

    #[test]
    fn what_hides_is_found() {
        for (text, kind) in [
            ("a \u{202e} b", "bidi"),
            ("if x: \u{2066}# y\u{2069}", "bidi"),
            ("a\u{200f}b", "bidi"),
            ("is\u{200b}Admin", "invisible"),
            ("is\u{ad}Admin", "invisible"),
            ("is\u{200d}Admin", "joiner"),
            ("\u{200c}x", "joiner"),
            ("یک\u{200c}\u{200d}\u{200c}\u{200d}دو", "joiner"),
            ("x\u{e0041}\u{e0042}", "tag"),
            ("a\u{feff}b", "invisible"),
            ("a \u{200b}\u{200b}\u{200b}\u{feff} b", "invisible"),
            ("\u{3164}", "invisible"),
            ("x\u{2062}y", "invisible"),
            ("eval(`\u{fe01}\u{fe02}\u{fe03}\u{fe04}\u{fe05}`)", "selectors"),
            ("x\u{e0100}", "selectors"),
            ("\u{e0111}\u{e0112}\u{e0113}", "selectors"),
            ("\u{e001}\u{e002}\u{e003}\u{e004}\u{e005}\u{e006}\u{e007}\u{e008}", "private"),
            ("aсcеss = 1", "homoglyph"),
            ("def pаyload(): pass", "homoglyph"),
            ("ΑLPHA_KEY = 2", "homoglyph"),
        ] {
            let before = format!("first line\n{text}\nlast\n");
            assert_eq!(kinds("src/a.py", &before), [kind], "{text:?}");
        }
        assert_eq!(facts("a.py", "x\n  y\u{202e}\n".as_bytes()), [(2, 4, "bidi".into(), Confidence::High)]);
        let wide: Vec<u8> = "ab \u{202e} cd ef".encode_utf16().flat_map(u16::to_le_bytes).collect();
        assert_eq!(facts("a.ps1", &wide).len(), 1);
        assert_eq!(facts("a.py", b"x = \xed\xa0\x80\n"), [(1, 5, "half".into(), Confidence::Medium)]);
    }

    #[test]
    fn what_scripts_need_is_not() {
        for text in [
            "let a = 1; // plain",
            "日本語 עברית العربية ü €",
            "👩\u{200d}💻 👨\u{200d}👩\u{200d}👧\u{200d}👦 ❤\u{fe0f} 1\u{fe0f}\u{20e3} ☺\u{fe0e}",
            "🏴\u{e0067}\u{e0062}\u{e0065}\u{e006e}\u{e0067}\u{e007f}",
            "می\u{200c}خواهم API\u{200c}ها خانه\u{200c}",
            "क्\u{200d}ष ക്\u{200d} শ্\u{200c}য",
            "\u{feff}using System;",
            "שלום \u{200f}(world)\u{200e} abc",
            "العربية\u{61c} 1",
            "ភាសា\u{200b}ខ្មែរ ภาษา\u{200b}ไทย",
            "葛\u{e0100}城",
            "\u{f015} icon",
            "re = '[a-zA-Zа-яА-ЯёЁ]'",
            "print('Привет из API и JSONа')",
            "s = '\\nСоединение\\tсервера'",
            "# aсcеss in a comment",
            "λ_max = Δx * ρ0 + αlpha",
            "μs = 5; Ωm = 1; σ2 = ν0",
            "café naïve Straße Ångström",
            "имя = 1",
        ] {
            assert_eq!(kinds("src/a.py", text), [] as [&str; 0], "{text:?}");
        }
        assert_eq!(kinds("locale/ru/a.js", "x = {aсcеss: 1}"), [] as [&str; 0]);
        assert_eq!(kinds("README.md", "aсcеss"), [] as [&str; 0]);
        assert_eq!(kinds("locale/ru/a.po", "msgstr \"да\u{200b} нет\""), [] as [&str; 0]);
        let picture = [b"\xff\xd8\xff\xe0\x80\x81\x82".as_slice(), "\u{202e}".as_bytes()].concat();
        assert_eq!(facts("a.jpg", &picture), []);
        let one_wrong_byte = [b"x = \xff\n".as_slice(), "\u{202e} \u{200f}é".as_bytes()].concat();
        assert_eq!(facts("a.py", &one_wrong_byte).len(), 1);
        assert_eq!(facts("a.py", "a\u{200b} b".as_bytes()), [(1, 2, "invisible".into(), Confidence::Medium)]);
    }

    #[test]
    fn one_of_a_kind_is_enough_for_a_line() {
        assert_eq!(kinds("a.py", "\u{202e}a\u{202e}b\u{200b}c\n\u{202e}"), ["bidi", "invisible", "bidi"]);
    }

    proptest! {
        #[test]
        fn arbitrary_bytes_never_panic(bytes in proptest::collection::vec(any::<u8>(), 0..300)) {
            let _ = facts("a.py", &bytes);
        }

        #[test]
        fn arbitrary_text_is_placed_within_it(text in r"[a-zа-яα-ω\u{200b}-\u{200f}\u{fe00}-\u{fe0f}\u{e0000}-\u{e01ef}\n \\%_]{0,80}") {
            for (line, column, ..) in facts("a.py", text.as_bytes()) {
                let width = text.split('\n').nth(line as usize - 1).map(str::len);
                prop_assert!(width.is_some_and(|width| column as usize <= width + 1));
            }
        }
    }
}
