//! Cards, bank accounts, phones and wallets of the world.
//!
//! Must never take the fraction of a number, or a part of a longer one.

use std::ops::{Deref, Range};

use sha2::{Digest, Sha256};

use super::{NEAR, add, checks, digits};
use crate::scan::{Confidence, Sink, View};

/// Reports cards, accounts and phones within a window.
pub fn scan(view: &View<'_>, window: Range<usize>, sink: &mut Sink<'_>) {
    let text: &[u8] = &view.text;
    let mut at = window.start;
    while at < window.end {
        let byte = text[at];
        let edge = at == 0 || !(text[at - 1].is_ascii_alphanumeric() || b"_".contains(&text[at - 1]));
        let next = if edge && byte == b'+' {
            plus(view, at, sink)
        } else if edge && (byte.is_ascii_digit() || byte == b'(') {
            card(view, at, sink).or_else(|| national(view, at, sink))
        } else if edge && byte.is_ascii_alphabetic() {
            iban(view, at, sink)
        } else {
            None
        };
        at = next.unwrap_or(at + 1);
    }
}

/// The most digits that are collected.
const MOST: usize = 20;

/// A few digits, kept without asking for memory: they are collected at every number of a text.
#[derive(Default)]
struct Digits {
    values: [u32; MOST],
    count: usize,
}

impl Deref for Digits {
    type Target = [u32];

    fn deref(&self) -> &[u32] {
        &self.values[..self.count]
    }
}

/// Collects digits with single separators, one more than `most` so that too many can be told; returns them, and where they end.
fn group(text: &[u8], start: usize, separators: &[u8], most: usize) -> (Digits, usize) {
    let (mut found, mut at, mut end) = (Digits::default(), start, start);
    while at < text.len() && found.count <= most {
        let byte = text[at];
        if byte.is_ascii_digit() {
            let Some(value) = found.values.get_mut(found.count) else { break };
            *value = u32::from(byte - b'0');
            found.count += 1;
            end = at + 1;
        } else if !separators.contains(&byte) || at - end > 1 {
            break;
        }
        at += 1;
    }
    (found, end)
}

fn near(view: &View<'_>, range: &Range<usize>, words: &[&str]) -> bool {
    let around = range.start.saturating_sub(NEAR)..view.text.len().min(range.end + NEAR);
    let lower = view.text[around].to_ascii_lowercase();
    words.iter().any(|word| memchr::memmem::find(&lower, word.as_bytes()).is_some())
}

fn card(view: &View<'_>, start: usize, sink: &mut Sink<'_>) -> Option<usize> {
    let text: &[u8] = &view.text;
    if !text[start].is_ascii_digit() || start > 0 && b".,-+/".contains(&text[start - 1]) {
        return None;
    }
    let (number, end) = group(text, start, b" -", 19);
    if !(13..=19).contains(&number.len())
        || text.get(end).is_some_and(u8::is_ascii_alphanumeric)
        || !checks::card(&number)
    {
        return None;
    }
    let range = start..end;
    let grouped = text[range.clone()].iter().filter(|b| b" -".contains(b)).count() == 3;
    let spoken = near(
        view,
        &range,
        &["card", "visa", "credit", "amex", "mastercard", "pan", "payment", "kreditkarte", "cvv", "cvc"],
    );
    let confidence = match (checks::is_test_card(&number), grouped || spoken) {
        (true, _) | (_, false) => Confidence::Low,
        _ => Confidence::High,
    };
    add(sink, "pii/payment", "CREDIT_CARD", "the number of a payment card", range, confidence);
    Some(end)
}

fn iban(view: &View<'_>, start: usize, sink: &mut Sink<'_>) -> Option<usize> {
    let text: &[u8] = &view.text;
    let head = text.get(start..start + 4)?;
    if !head[1].is_ascii_alphabetic() || !head[2].is_ascii_digit() || !head[3].is_ascii_digit() {
        return None;
    }
    let length = checks::iban_length(&head[..2])?;
    let (mut count, mut at, mut gap) = (0, start, 0);
    while at < text.len() && count < length {
        if text[at].is_ascii_alphanumeric() {
            count += 1;
            gap = 0;
        } else if b" -".contains(&text[at]) && gap == 0 {
            gap = 1;
        } else {
            return None;
        }
        at += 1;
    }
    let value = &text[start..at];
    if count < length || text.get(at).is_some_and(u8::is_ascii_alphanumeric) || !checks::iban(value) {
        return None;
    }
    // The numbers that registries print as examples.
    let plain = digits::solid(value);
    let example = [
        &b"DE89370400440532013000"[..],
        b"GB29NWBK60161331926819",
        b"GB82WEST12345698765432",
        b"FR1420041010050500013M02606",
        b"NL91ABNA0417164300",
    ]
    .contains(&plain.as_slice());
    let confidence = if example { Confidence::Low } else { Confidence::High };
    add(sink, "pii/payment", "IBAN_CODE", "the number of a bank account", start..at, confidence);
    Some(at)
}

const PHONES: [&str; 12] = [
    "phone",
    "tel",
    "mobile",
    "cell",
    "fax",
    "call",
    "whatsapp",
    "sms",
    "handy",
    "contact",
    "num\u{e9}ro",
    "movil",
];

fn plus(view: &View<'_>, start: usize, sink: &mut Sink<'_>) -> Option<usize> {
    let text: &[u8] = &view.text;
    if !text.get(start + 1).is_some_and(|b| (b'1'..=b'9').contains(b))
        || start > 0 && !b" \t\r\n\"'`:(=,;<>|".contains(&text[start - 1])
    {
        return None;
    }
    let (number, end) = group(text, start + 1, b" -.()", 15);
    if !(9..=15).contains(&number.len())
        || text.get(end).is_some_and(|b| b.is_ascii_alphanumeric() || b"*/%+_".contains(b))
    {
        return None;
    }
    let range = start..end;
    // `+12345-03-04` is a day far off.
    if is_far_day(&text[range.clone()]) {
        return None;
    }
    let spaced = text[range.clone()].iter().any(|b| b" -().".contains(b));
    let sum =
        memchr::memchr_iter(b'.', &text[range.clone()]).count() == 1 && !text[range.clone()].contains(&b' ');
    let spoken = near(view, &range, &PHONES);
    let confidence = if !is_sample_phone(&number) && !sum && (spaced || spoken || number.len() > 10) {
        Confidence::Medium
    } else {
        Confidence::Low
    };
    add(sink, "pii/contact", "PHONE_NUMBER", "a phone number", range, confidence);
    Some(end)
}

fn is_far_day(value: &[u8]) -> bool {
    let lengths: Vec<usize> = value.split(|b| *b == b'-').map(<[u8]>::len).collect();
    matches!(lengths[..], [year, 2, 2] if year > 4)
}

/// `(415) 555-2671`, `415-555-2671`
fn national(view: &View<'_>, start: usize, sink: &mut Sink<'_>) -> Option<usize> {
    let text: &[u8] = &view.text;
    if start > 0 && b".-/+".contains(&text[start - 1]) {
        return None;
    }
    let (number, end) = group(text, start + usize::from(text[start] == b'('), b" -.)", 11);
    let value = &text[start..end];
    let bracket = text[start] == b'(';
    let shaped = number.len() == 10
        && number[0] > 1
        && number[3] > 1
        && if bracket {
            value.get(4) == Some(&b')')
        } else {
            value.len() == 12 && value[3] == value[7] && b"-. ".contains(&value[3])
        };
    if !shaped || text.get(end).is_some_and(|b| b.is_ascii_alphanumeric() || *b == b'-') {
        return None;
    }
    let range = start..end;
    let spoken = near(view, &range, &PHONES);
    if !bracket && !spoken {
        return None;
    }
    let confidence = if spoken && !is_sample_phone(&number) { Confidence::Medium } else { Confidence::Low };
    add(sink, "pii/contact", "PHONE_NUMBER", "a phone number", range, confidence);
    Some(end)
}

/// Ranges for films, and what hands type.
fn is_sample_phone(number: &[u32]) -> bool {
    let last = &number[number.len() - 10.min(number.len())..];
    let film = last.len() == 10 && last[3..6] == [5, 5, 5];
    let run = number
        .windows(6)
        .any(|w| w.windows(2).all(|p| p[1] == p[0] + 1) || w.windows(2).all(|p| p[0] == p[1]));
    film || run
}

/// Reports addresses of Bitcoin whose check holds.
pub fn crypto(view: &View<'_>, sink: &mut Sink<'_>) {
    for run in view.runs() {
        let value = &view.text[run.clone()];
        let legacy =
            (26..=35).contains(&value.len()) && matches!(value[0], b'1' | b'3') && is_base58_check(value);
        let segwit = (40..=90).contains(&value.len()) && value.starts_with(b"bc1") && is_bech32(value);
        if legacy || segwit {
            let what = "an address of a wallet";
            add(sink, "pii/payment", "CRYPTO", what, run.clone(), Confidence::Medium);
        }
    }
}

fn is_base58_check(value: &[u8]) -> bool {
    const DIGITS: &[u8; 58] = b"123456789ABCDEFGHJKLMNPQRSTUVWXYZabcdefghijkmnopqrstuvwxyz";
    let mut bytes = [0u8; 25];
    for byte in value {
        let Some(mut carry) = memchr::memchr(*byte, DIGITS) else { return false };
        for place in bytes.iter_mut().rev() {
            carry += usize::from(*place) * 58;
            *place = (carry & 0xff).try_into().unwrap_or(0);
            carry >>= 8;
        }
        if carry > 0 {
            return false;
        }
    }
    Sha256::digest(Sha256::digest(&bytes[..21]))[..4] == bytes[21..]
}

fn is_bech32(value: &[u8]) -> bool {
    const DIGITS: &[u8; 32] = b"qpzry9x8gf2tvdw0s3jn54khce6mua7l";
    let step = |sum: u32, value: u32| {
        let top = sum >> 25;
        [0x3b6a_57b2, 0x2650_8e6d, 0x1ea1_19fa, 0x3d42_33dd, 0x2a14_62b3].iter().enumerate().fold(
            (sum & 0x1ff_ffff) << 5 ^ value,
            |sum, (bit, factor)| if top >> bit & 1 == 1 { sum ^ factor } else { sum },
        )
    };
    let Some(data) = value[3..]
        .iter()
        .map(|b| memchr::memchr(*b, DIGITS).and_then(|d| u32::try_from(d).ok()))
        .collect::<Option<Vec<u32>>>()
    else {
        return false;
    };
    // `bc` spelled out: high bits, nought, low bits.
    let sum = [3, 3, 0, 2, 3].iter().chain(&data).fold(1, |sum, value| step(sum, *value));
    sum == 1 || sum == 0x2bc8_30a3
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn wallets_have_a_check() {
        assert!(
            is_base58_check(b"1A1zP1eP5QGefi2DMPTfTL5SLmv7DivfNa")
                && !is_base58_check(b"1A1zP1eP5QGefi2DMPTfTL5SLmv7DivfNb")
        );
        assert!(
            is_bech32(b"bc1qw508d6qejxtdg4y5r3zarvary0c5xw7kv8f3t4")
                && !is_bech32(b"bc1qw508d6qejxtdg4y5r3zarvary0c5xw7kv8f3t5")
        );
    }
}
