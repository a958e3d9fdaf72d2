//! Lines named by number and hash, so that an edit says which lines it means without quoting them.
//!
//! Must never take a line whose hash is another: then the file is not the one that was shown.

use std::str::FromStr;

use sha2::{Digest as _, Sha256};

use super::hunk::Splice;
use super::locate::target::Target;

/// Digits of a hash: enough that a changed line passes once in 65,536.
const DIGITS: usize = 4;

/// A line: its number from 1, and the hash of its text.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Anchor {
    /// The number.
    pub line: usize,
    /// The hash.
    pub hash: String,
}

impl FromStr for Anchor {
    type Err = String;

    fn from_str(text: &str) -> Result<Self, String> {
        let parts = text.trim().split_once(':').or_else(|| text.trim().split_once('#'));
        let parsed =
            parts.and_then(|(line, hash)| Some((line.trim().parse().ok()?, hash.trim().to_lowercase())));
        match parsed {
            Some((line, hash))
                if line > 0 && hash.len() == DIGITS && hash.bytes().all(|b| b.is_ascii_hexdigit()) =>
            {
                Ok(Self { line, hash })
            }
            _ => Err(format!(
                "names a line as `{}`, not as `NUMBER:HASH` with a hash of {DIGITS} digits",
                clip(text)
            )),
        }
    }
}

fn clip(text: &str) -> String {
    text.chars().take(40).collect()
}

/// Where the text of a change goes.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Where {
    /// In place of the lines.
    Instead,
    /// Above the first one.
    Before,
    /// Below the last one.
    After,
}

/// A change of lines that are named.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct LineChange {
    /// The first line.
    pub first: Anchor,
    /// The last line.
    pub last: Anchor,
    /// What comes; nothing takes the lines away.
    pub text: String,
    /// Where it comes.
    pub place: Where,
}

/// Returns the hash of a line: the first digits of the SHA-256 of its text without white space at its end.
pub fn hash(line: &str) -> String {
    let digest = Sha256::digest(line.trim_end().as_bytes());
    let digits = digest.iter().take(DIGITS / 2).flat_map(|byte| [byte >> 4, byte & 15]);
    digits.filter_map(|digit| char::from_digit(digit.into(), 16)).collect()
}

/// Returns the splices of changes; the error is to be read after the file's name.
pub fn splices(target: &Target<'_>, changes: &[LineChange]) -> Result<Vec<Splice>, String> {
    changes.iter().map(|change| splice(target, change)).collect()
}

fn splice(target: &Target<'_>, change: &LineChange) -> Result<Splice, String> {
    let (first, last) = (find(target, &change.first)?, find(target, &change.last)?);
    if first > last {
        return Err(format!(
            "has its lines {} and {} in the other order",
            change.first.line, change.last.line
        ));
    }
    let mut lines: Vec<Vec<u8>> = change
        .text
        .split('\n')
        .map(|line| line.strip_suffix('\r').unwrap_or(line).as_bytes().to_vec())
        .collect();
    // A line end at the end ends the last line; no text at all is no line.
    if lines.last().is_some_and(Vec::is_empty) {
        lines.pop();
    }
    let range = match change.place {
        Where::Instead => first..last + 1,
        Where::Before => first..first,
        Where::After => last + 1..last + 1,
    };
    Ok(Splice { range, lines })
}

/// Returns the line of an anchor, from 0: the one of that number, whose hash must be the same.
fn find(target: &Target<'_>, anchor: &Anchor) -> Result<usize, String> {
    let at = anchor.line - 1;
    let is = |at: usize| hash(target.line(at)) == anchor.hash;
    if at < target.text.len() && is(at) {
        return Ok(at);
    }
    let line = target.shown.get(at).map_or_else(
        || format!("the file has {} lines", target.text.len()),
        |line| format!("line {} is now `{}:{}` `{}`", anchor.line, anchor.line, hash(line), clip(line)),
    );
    let near = (at.saturating_sub(200)..(at + 200).min(target.text.len())).filter(|at| is(*at)).take(3);
    let near: Vec<String> = near.map(|at| format!("{}", at + 1)).collect();
    let seen = if near.is_empty() {
        String::new()
    } else {
        format!("; the hash is that of line {}", near.join(", "))
    };
    Err(format!("has no line `{}:{}`: {line}{seen}; read the file again", anchor.line, anchor.hash))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn lines_are_taken_by_number_and_hash() {
        let target = Target::of(b"one\ntwo \nthree\n");
        let change = |from: &str, to: &str, text: &str, place| LineChange {
            first: from.parse().unwrap(),
            last: to.parse().unwrap(),
            text: text.into(),
            place,
        };
        let (one, two) = (format!("1:{}", hash("one")), format!("2:{}", hash("two")));
        let made = |change| splices(&target, &[change]).map(|mut s| s.remove(0));
        let instead = made(change(&one, &two, "x\ny\n", Where::Instead)).unwrap();
        assert_eq!((instead.range, instead.lines.len()), (0..2, 2));
        assert_eq!(made(change(&two, &two, "", Where::Instead)).unwrap().lines.len(), 0);
        assert_eq!(made(change(&two, &two, "x", Where::After)).unwrap().range, 2..2);
        let wrong = made(change(&format!("3:{}", hash("two")), &two, "", Where::Instead)).unwrap_err();
        assert!(wrong.contains("line 3 is now") && wrong.contains("that of line 2"), "{wrong}");
        assert!(made(change(&two, &one, "", Where::Instead)).is_err());
        for bad in ["", "1", "x:abcd", "0:abcd", "1:abc", "1:wxyz"] {
            assert!(bad.parse::<Anchor>().is_err(), "{bad}");
        }
    }
}
