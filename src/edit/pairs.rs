//! Texts found and replaced in a file: exactly where that has one answer, else line by line on the ladder.
//!
//! Must never replace a text that is there twice.

use super::format::Pair;
use super::format::search_replace::between;
use super::hunk::Hunk;
use super::revise::{Refused, revise};

/// Returns a content after replacements, made one after the other.
pub fn replace(shown: &[u8], pairs: &[Pair]) -> Result<Vec<u8>, Refused> {
    let mut text = shown.to_vec();
    for pair in pairs {
        text = one(&text, pair)?;
    }
    Ok(text)
}

fn one(text: &[u8], pair: &Pair) -> Result<Vec<u8>, Refused> {
    if pair.find.is_empty() {
        return Err(Refused::Unfit(format!("has an empty `find` in replacement {}", pair.at)));
    }
    if pair.find == pair.replace {
        return Err(Refused::Unfit(format!(
            "would not change by replacement {}: both sides are the same",
            pair.at
        )));
    }
    // A model sees line feeds only; a file with other line ends keeps them.
    let crlf = is_crlf(text);
    let ends = |part: &str| {
        let part = if crlf { part.replace("\r\n", "\n").replace('\n', "\r\n") } else { part.to_owned() };
        part.into_bytes()
    };
    let (find, new) = (ends(&pair.find), ends(&pair.replace));
    let places: Vec<usize> = memchr::memmem::find_iter(text, &find).take(10).collect();
    let line_of = |at: usize| memchr::memchr_iter(b'\n', &text[..at]).count() + 1;
    let at = match places.as_slice() {
        [] => return lines(text, pair),
        [only] => *only,
        many => {
            if let Some(at) = many.iter().find(|at| pair.line == Some(line_of(**at))) {
                *at
            } else {
                let lines: Vec<String> = many.iter().take(5).map(|at| line_of(*at).to_string()).collect();
                return Err(Refused::Ambiguous(format!(
                    "holds the `find` of replacement {} more than once, on lines {}: take more of the lines around it into `find`",
                    pair.at,
                    lines.join(", ")
                )));
            }
        }
    };
    // The new text may stand there already, around the old one: then it was put there before.
    if is_done(text, at, &find, &new) {
        return Err(Refused::Done(format!("has replacement {} already, on line {}", pair.at, line_of(at))));
    }
    Ok([&text[..at], &new, &text[at + find.len()..]].concat())
}

fn is_crlf(text: &[u8]) -> bool {
    let feeds = memchr::memchr_iter(b'\n', text).count();
    feeds > 0 && memchr::memmem::find_iter(text, b"\r\n").count() == feeds
}

/// Tells whether the old text stands within the new one already.
fn is_done(text: &[u8], at: usize, find: &[u8], new: &[u8]) -> bool {
    let inner = memchr::memmem::find(new, find);
    inner.is_some_and(|inner| {
        new.len() > find.len()
            && at.checked_sub(inner).is_some_and(|start| text.get(start..start + new.len()) == Some(new))
    })
}

/// Whole lines, in the forms of the ladder.
fn lines(text: &[u8], pair: &Pair) -> Result<Vec<u8>, Refused> {
    let cut = |part: &str| -> Vec<String> {
        let part = part.strip_suffix('\n').unwrap_or(part);
        part.split('\n').map(|line| line.strip_suffix('\r').unwrap_or(line).to_owned()).collect()
    };
    let (old, new) = (cut(&pair.find), cut(&pair.replace));
    let (old, mut new): (Vec<&str>, Vec<&str>) =
        (old.iter().map(String::as_str).collect(), new.iter().map(String::as_str).collect());
    if pair.replace.is_empty() {
        new.clear();
    }
    let hunk = Hunk { at: pair.at, start: pair.line, lines: between(&old, &new), ..Hunk::default() };
    revise(text, text, &[hunk])
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    proptest! {
        #[test]
        fn a_text_that_is_there_once_is_replaced_and_one_that_is_there_twice_never(
            text in "[ab\n]{0,30}", find in "[ab\n]{1,4}", new in "[cd]{1,4}",
        ) {
            let pair = Pair { at: 1, find: find.clone(), replace: new.clone(), line: None };
            let done = replace(text.as_bytes(), &[pair]);
            match text.matches(&find).count() {
                1 => prop_assert_eq!(done, Ok(text.replacen(&find, &new, 1).into_bytes())),
                0 => {}
                _ => prop_assert!(done.is_err(), "{:?}", done),
            }
        }
    }

    #[test]
    fn a_replacement_that_is_made_is_not_made_again() {
        let pair = Pair { at: 1, find: "b\n".into(), replace: "b\nx\n".into(), line: None };
        let once = replace(b"a\nb\nc\n", std::slice::from_ref(&pair)).unwrap();
        assert_eq!(once, b"a\nb\nx\nc\n");
        assert!(matches!(replace(&once, &[pair]), Err(Refused::Done(_))));
    }
}
