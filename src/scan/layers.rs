//! Texts inside texts: base64, hex, URL encoding, escapes.
//!
//! Must never decode what cannot be text: the first bytes decide.

use std::ops::Range;

use base64::Engine as _;

use super::secrets::{STANDARD, URL_SAFE};

/// A text found inside another.
#[derive(Debug)]
pub struct Layer {
    /// How it was wrapped.
    pub kind: &'static str,
    /// Where, in the text around it.
    pub range: Range<usize>,
    /// What it says.
    pub text: Vec<u8>,
}

/// The shortest run that is decoded: 20 bytes, the length of the shortest token with a format of its own.
const SHORTEST: usize = 28;
/// The longest; more is data.
const LONGEST: usize = 1 << 20;

const fn is_base64(byte: u8) -> bool {
    byte.is_ascii_alphanumeric() || matches!(byte, b'+' | b'/' | b'-' | b'_')
}

static BASE64: [bool; 256] = {
    let mut table = [false; 256];
    let mut at = 0;
    while at < 256 {
        #[expect(clippy::cast_possible_truncation, reason = "below 256")]
        let byte = at as u8;
        table[at] = is_base64(byte);
        at += 1;
    }
    table
};

/// Bytes of a block; of those at its start each run that is long enough holds `CORE` in a row somewhere.
const BLOCK: usize = 16;
const CORE: usize = SHORTEST + 1 - BLOCK;

/// Tells whether the start of a block can be within a run. No byte decides alone, so that a processor looks at all at once.
#[inline]
fn may_hold(block: &[u8; BLOCK]) -> bool {
    let mut other = 0;
    for (at, byte) in block.iter().enumerate() {
        let letter = u8::from((byte | 0x20).wrapping_sub(b'a') < 26);
        let digit = u8::from(byte.wrapping_sub(b'0') < 10);
        let sign = u8::from(*byte == b'+')
            | u8::from(*byte == b'/')
            | u8::from(*byte == b'-')
            | u8::from(*byte == b'_');
        other |= (letter | digit | sign | u8::from(at >= CORE)) ^ 1;
    }
    other == 0
}

/// Calls back with every run of base64 or hex digits that is long enough.
pub fn runs(text: &[u8], mut each: impl FnMut(Range<usize>)) {
    let (blocks, rest) = text.as_chunks::<BLOCK>();
    let mut last = [0; BLOCK];
    last[..rest.len()].copy_from_slice(rest);
    let mut done = 0;
    for (nth, block) in blocks.iter().chain([&last]).enumerate() {
        let start = nth * BLOCK;
        if start < done || !may_hold(block) {
            continue;
        }
        let before = text[done..start].iter().rev().take_while(|b| BASE64[usize::from(**b)]).count();
        let mut end = start + CORE;
        while end < text.len() && BASE64[usize::from(text[end])] {
            end += 1;
        }
        done = end;
        let run = start - before..end;
        if (SHORTEST..=LONGEST).contains(&run.len()) {
            each(run);
        }
    }
}

/// Finds the same byte by byte; looks at few: a run of n cannot hide between two bytes n apart that are in none.
#[cfg(test)]
fn runs_plainly(text: &[u8], mut each: impl FnMut(Range<usize>)) {
    let mut at = 0;
    while at + SHORTEST <= text.len() {
        // From the last byte that a run starting here would need, backwards.
        let window = &text[at..at + SHORTEST];
        if let Some(stop) = window.iter().rposition(|b| !BASE64[usize::from(*b)]) {
            at += stop + 1;
            continue;
        }
        let mut end = at + SHORTEST;
        while end < text.len() && BASE64[usize::from(text[end])] {
            end += 1;
        }
        if end - at <= LONGEST {
            each(at..end);
        }
        at = end + 1;
    }
}

/// Decodes a run whose start decodes to text.
pub fn decode(text: &[u8], run: Range<usize>) -> Option<Layer> {
    let bytes = &text[run.clone()];
    if bytes.iter().take(16).all(u8::is_ascii_hexdigit) {
        let digits = bytes.iter().take_while(|b| b.is_ascii_hexdigit()).count();
        if digits < SHORTEST
            || digits % 2 == 1
            || bytes[..16].chunks(2).any(|pair| !matches!(pair[0], b'2'..=b'7' | b'0'))
        {
            return None;
        }
        let text: Vec<u8> =
            bytes[..digits].chunks_exact(2).map(|pair| nibble(pair[0]) << 4 | nibble(pair[1])).collect();
        return is_text(&text).then_some(Layer { kind: "hex", range: run.start..run.start + digits, text });
    }
    let url_safe = bytes.iter().any(|b| matches!(b, b'-' | b'_'));
    if url_safe && bytes.iter().any(|b| matches!(b, b'+' | b'/')) {
        return None;
    }
    let engine = if url_safe { &URL_SAFE } else { &STANDARD };
    let mut head = [0u8; 12];
    engine.decode_slice(&bytes[..16], &mut head).ok()?;
    if !is_text(&head) {
        return None;
    }
    let padding = text[run.end..].iter().take(2).take_while(|b| **b == b'=').count();
    let whole = bytes.len() - usize::from(bytes.len() % 4 == 1);
    let text = engine.decode(&bytes[..whole]).ok()?;
    is_text(&text).then_some(Layer { kind: "base64", range: run.start..run.end + padding, text })
}

const fn nibble(digit: u8) -> u8 {
    match digit {
        b'0'..=b'9' => digit - b'0',
        _ => (digit | 0x20) - b'a' + 10,
    }
}

/// Most of it is what a keyboard writes.
fn is_text(bytes: &[u8]) -> bool {
    let plain = bytes.iter().filter(|b| matches!(b, b' '..=b'~' | b'\n' | b'\r' | b'\t')).count();
    plain * 20 >= bytes.len() * 19
}

/// Undoes URL encoding and the escapes of JSON and C in one line; `None` when there is nothing to undo.
pub fn unescaped(line: &[u8]) -> Option<Layer> {
    let mut text = Vec::with_capacity(line.len());
    let (mut at, mut percent, mut escapes) = (0, 0, 0);
    let hex = |from: usize, len: usize| -> Option<u32> {
        let digits = std::str::from_utf8(line.get(from..from + len)?).ok()?;
        digits.bytes().all(|b| b.is_ascii_hexdigit()).then(|| u32::from_str_radix(digits, 16).ok())?
    };
    while at < line.len() {
        let (value, len) = match &line[at..] {
            [b'%', ..] => (hex(at + 1, 2), 3),
            [b'\\', b'u', ..] => (hex(at + 2, 4), 6),
            [b'\\', b'x', ..] => (hex(at + 2, 2), 4),
            _ => (None, 1),
        };
        let Some(value) = value else {
            text.push(line[at]);
            at += 1;
            continue;
        };
        if len == 3 {
            percent += 1;
        } else {
            escapes += 1;
        }
        match u8::try_from(value) {
            Ok(byte) if len < 6 || byte < 128 => text.push(byte),
            _ => text.extend_from_slice(
                char::from_u32(value).unwrap_or('\u{fffd}').encode_utf8(&mut [0; 4]).as_bytes(),
            ),
        }
        at += len;
    }
    let kind = if percent > 0 { "url" } else { "escape" };
    (percent + escapes > 0).then_some(Layer { kind, range: 0..line.len(), text })
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    fn spell(text: &str, each: impl Fn(u8) -> String) -> String {
        text.bytes().map(each).collect::<Vec<_>>().concat()
    }

    fn layers(text: &str) -> Vec<(&'static str, String)> {
        let mut all = Vec::new();
        runs(text.as_bytes(), |run| {
            all.extend(
                decode(text.as_bytes(), run).map(|l| (l.kind, String::from_utf8_lossy(&l.text).into_owned())),
            );
        });
        all
    }

    #[test]
    fn wrapped_text_is_found_wherever_it_starts() {
        let inner = "user=app;password=qzkvhrwd;";
        let hex: String = spell(inner, |b| format!("{b:02x}"));
        for pad in 0..40 {
            let before = " ".repeat(pad);
            assert_eq!(
                layers(&format!("{before}{} x", STANDARD.encode(inner))),
                [("base64", inner.to_owned())]
            );
            assert_eq!(layers(&format!("{before}\"{hex}\"")), [("hex", inner.to_owned())]);
        }
    }

    proptest! {
        #[test]
        fn runs_are_found_wherever_they_are(
            parts in proptest::collection::vec(("[ -~\n]{0,20}", "[A-Za-z0-9+/_-]{0,70}", "[ .=é]{0,3}"), 0..8),
        ) {
            let text: String = parts.into_iter().map(|(a, b, c)| a + &b + &c).collect();
            let (mut found, mut plainly) = (Vec::new(), Vec::new());
            runs(text.as_bytes(), |run| found.push(run));
            runs_plainly(text.as_bytes(), |run| plainly.push(run));
            prop_assert_eq!(found, plainly);
        }
    }

    #[test]
    fn what_is_no_text_stays_wrapped() {
        assert_eq!(layers("d41d8cd98f00b204e9800998ecf8427ed41d8cd98f00b204e9800998ecf8427e"), []);
        assert_eq!(layers("some/long/path/to/a/file/in/a/folder/of/mine"), []);
        assert_eq!(layers(&STANDARD.encode([200u8; 60])), []);
    }

    #[test]
    fn escapes_are_undone() {
        let undone =
            |line: &str| unescaped(line.as_bytes()).map(|l| String::from_utf8_lossy(&l.text).into_owned());
        assert_eq!(undone("a%3Db%zz%3"), Some("a=b%zz%3".into()));
        assert_eq!(undone(r"\u0070\x61\u00"), Some(r"pa\u00".into()));
        assert_eq!(undone("plain"), None);
    }
}
