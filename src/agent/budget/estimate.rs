//! How many tokens a text can have at most, by its bytes.
//!
//! Must never be below what a tokenizer counts: a reservation rests on it. Measured: plain text and code have 2.7 to 4.6
//! bytes a token, hex 1.7, base64 1.6.

/// Tokens that come on top of every request: roles, separators, the schema's own framing.
const FRAME: u64 = 500;

/// The shortest run of characters that counts as encoded data; words and names are shorter.
const RUN: usize = 32;

/// Returns an upper bound of the tokens of several texts that go into one request; linear in their size.
pub fn upper_bound<'a>(texts: impl IntoIterator<Item = &'a str>) -> u64 {
    let (mut plain, mut dense) = (0_u64, 0_u64);
    for text in texts {
        let encoded = encoded_bytes(text.as_bytes());
        dense = dense.saturating_add(encoded);
        plain = plain.saturating_add((text.len() as u64).saturating_sub(encoded));
    }
    of_bytes(plain, dense)
}

/// Returns an upper bound of the tokens of plain bytes and of bytes of encoded data.
pub const fn of_bytes(plain: u64, dense: u64) -> u64 {
    // Two thirds, without a product that could pass the largest number.
    let dense = (dense / 3 * 2).saturating_add((dense % 3 * 2).div_ceil(3));
    plain.div_ceil(2).saturating_add(dense).saturating_add(FRAME)
}

/// Returns a count of a provider with five percent more, as its counts are estimates.
pub const fn of_count(count: u64) -> u64 {
    count.saturating_add(count.div_ceil(20))
}

/// Counts the bytes in long runs of base64 or hex characters.
fn encoded_bytes(bytes: &[u8]) -> u64 {
    let (mut total, mut run, mut mixed) = (0_u64, 0_usize, 0_u8);
    for byte in bytes.iter().copied().chain([b' ']) {
        let kind = kind(byte);
        if kind != 0 {
            run += 1;
            mixed |= kind;
            continue;
        }
        // One letter, dash or underscore over and over is no data; every tokenizer has a token for that.
        if run >= RUN && mixed.count_ones() > 1 {
            total = total.saturating_add(run as u64);
        }
        (run, mixed) = (0, 0);
    }
    total
}

/// Returns a bit for the kind of an encoded character, 0 for any other.
const fn kind(byte: u8) -> u8 {
    match byte {
        b'a'..=b'z' => 1,
        b'A'..=b'Z' => 2,
        b'0'..=b'9' => 4,
        b'+' | b'/' | b'=' | b'-' | b'_' => 8,
        _ => 0,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn bounds_are_half_the_bytes_and_two_thirds_of_encoded_ones() {
        let hex = "0123456789abcdef".repeat(8);
        for (texts, wanted) in [
            (vec![], 500),
            (vec!["abcd"], 502),
            (vec!["abc", "de"], 503),
            (vec![hex.as_str()], 500 + 86),
            (vec!["fn main() {}\n"], 507),
            (vec!["----------------------------------------"], 520),
        ] {
            assert_eq!(upper_bound(texts.iter().copied()), wanted, "{texts:?}");
        }
        assert_eq!(of_count(0), 0);
        assert_eq!(of_count(100), 105);
        assert_eq!(of_count(101), 107);
        assert_eq!(of_bytes(u64::MAX, u64::MAX), u64::MAX);
    }
}
