//! Forms of a line in which small differences do not show, from strict to loose.
//!
//! Must never fold away a character that carries meaning: letters, digits and signs stay.

use std::borrow::Cow;
use std::collections::HashMap;

use unicode_normalization::{UnicodeNormalization as _, is_nfkc};

/// A form of lines, strictest first.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Fold {
    /// As it is.
    Exact,
    /// Without white space at its end.
    Trailing,
    /// Without indentation too.
    Indent,
    /// With single quotes, dashes, spaces and Unicode forms for all their variants.
    Signs,
}

impl Fold {
    /// All of them, strictest first.
    pub const ALL: [Self; 4] = [Self::Exact, Self::Trailing, Self::Indent, Self::Signs];

    /// Returns a line in this form.
    pub fn of(self, line: &str) -> Cow<'_, str> {
        match self {
            Self::Exact => Cow::Borrowed(line),
            Self::Trailing => Cow::Borrowed(line.trim_end()),
            Self::Indent => Cow::Borrowed(line.trim()),
            Self::Signs => signs(line.trim()),
        }
    }
}

/// Returns the plain sign for a typographic one.
pub fn plain_sign(c: char) -> Option<&'static str> {
    Some(match c {
        '\u{2018}' | '\u{2019}' | '\u{201a}' | '\u{201b}' | '\u{2032}' | '\u{ff07}' => "'",
        '\u{201c}' | '\u{201d}' | '\u{201e}' | '\u{201f}' | '\u{2033}' | '\u{ff02}' => "\"",
        '\u{2010}'..='\u{2015}' | '\u{2212}' => "-",
        '\u{2026}' => "...",
        '\u{a0}' | '\u{2000}'..='\u{200a}' | '\u{202f}' | '\u{205f}' | '\u{3000}' => " ",
        '\u{200b}'..='\u{200d}' | '\u{2060}' | '\u{feff}' => "",
        _ => return None,
    })
}

fn signs(line: &str) -> Cow<'_, str> {
    if line.is_ascii() && !line.contains("  ") && !line.contains('\t') {
        return Cow::Borrowed(line);
    }
    let mut plain = String::with_capacity(line.len());
    for c in line.chars() {
        match plain_sign(c) {
            Some(sign) => plain.push_str(sign),
            None => plain.push(c),
        }
    }
    if !is_nfkc(&plain) {
        plain = plain.nfkc().collect();
    }
    Cow::Owned(plain.split_whitespace().collect::<Vec<_>>().join(" "))
}

/// The lines of a file in one form, as numbers, with where each stands.
#[derive(Debug)]
pub struct Index {
    /// The number of each line's form.
    pub ids: Vec<u32>,
    known: HashMap<Box<str>, u32>,
    places: Vec<Vec<u32>>,
}

impl Index {
    /// Reads the lines of a file; only the forms of `wanted` lines are kept, all others are one that nothing has.
    pub fn of(lines: &[Cow<'_, str>], fold: Fold, wanted: &[String]) -> Self {
        let mut index =
            Self { ids: Vec::with_capacity(lines.len()), known: HashMap::new(), places: Vec::new() };
        for line in wanted {
            let form = fold.of(line);
            if !index.known.contains_key(form.as_ref()) {
                let id = u32::try_from(index.places.len()).unwrap_or(u32::MAX);
                index.known.insert(form.into_owned().into_boxed_str(), id);
                index.places.push(Vec::new());
            }
        }
        for (at, line) in lines.iter().enumerate() {
            let id = index.known.get(fold.of(line).as_ref()).copied();
            index.ids.push(id.unwrap_or(u32::MAX));
            if let Some(places) = id.and_then(|id| index.places.get_mut(id as usize)) {
                places.push(u32::try_from(at).unwrap_or(u32::MAX));
            }
        }
        index
    }

    /// Returns the number of a form, if the file has it.
    pub fn id(&self, form: &str) -> Option<u32> {
        self.known.get(form).copied().filter(|id| !self.places(*id).is_empty())
    }

    /// Returns the lines that have a form.
    pub fn places(&self, id: u32) -> &[u32] {
        self.places.get(id as usize).map_or(&[], Vec::as_slice)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn forms_get_looser_and_keep_what_matters() {
        let (a, b) = ("\tsay(“hi”)  // don’t…", "    say(\"hi\")   // don't...");
        assert_eq!(Fold::Signs.of(a), Fold::Signs.of(b));
        assert_ne!(Fold::Indent.of(a), Fold::Indent.of(b));
        assert_eq!(Fold::Trailing.of("x \t"), "x");
        assert_eq!(Fold::Indent.of("  x \t"), "x");
        assert_ne!(Fold::Signs.of("a_b"), Fold::Signs.of("ab"));
        assert_ne!(Fold::Signs.of("A"), Fold::Signs.of("a"));
        assert_eq!(Fold::Signs.of("e\u{301} b"), "é b");
    }
}
