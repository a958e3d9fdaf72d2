//! Check digits, as published.
//!
//! Must never see a letter or a separator where it says digits: callers hand in digits only.

/// Returns the digits of a text, without everything else.
pub fn of(text: &[u8]) -> Vec<u32> {
    text.iter().filter(|b| b.is_ascii_digit()).map(|b| u32::from(*b - b'0')).collect()
}

/// Returns the letters and digits of a text, in upper case.
pub fn solid(text: &[u8]) -> Vec<u8> {
    text.iter().filter(|b| b.is_ascii_alphanumeric()).map(u8::to_ascii_uppercase).collect()
}

/// Returns the sum of digits times weights; the shorter of the two decides.
pub fn weighted(digits: &[u32], weights: &[u32]) -> u32 {
    digits.iter().zip(weights).map(|(d, w)| d * w).sum()
}

/// The check of cards and many national numbers.
pub fn luhn(digits: &[u32]) -> bool {
    let sum: u32 = digits
        .iter()
        .rev()
        .enumerate()
        .map(|(i, d)| if i % 2 == 1 { d * 2 / 10 + d * 2 % 10 } else { *d })
        .sum();
    !digits.is_empty() && digits.iter().any(|d| *d > 0) && sum.is_multiple_of(10)
}

/// The check of Indian numbers.
pub fn verhoeff(digits: &[u32]) -> bool {
    const STEP: [u32; 10] = [1, 5, 7, 6, 2, 8, 3, 0, 9, 4];
    // The group of order ten behind it: rotations below five, reflections above.
    let times = |a: u32, b: u32| match (a < 5, b < 5) {
        (true, true) => (a + b) % 5,
        (true, false) => 5 + (a + b - 5) % 5,
        (false, true) => 5 + (a - 5 + 5 - b) % 5,
        (false, false) => (a - 5 + 5 - (b - 5)) % 5,
    };
    let sum = digits.iter().rev().enumerate().fold(0, |sum, (i, d)| {
        let place = (0..i % 8).fold(*d, |d, _| STEP[d as usize]);
        times(sum, place)
    });
    sum == 0
}

/// ISO 7064 mod 11,10, of German tax numbers.
pub fn mod_11_10(digits: &[u32]) -> bool {
    let Some((last, body)) = digits.split_last() else { return false };
    let product = body.iter().fold(10, |product, digit| {
        let sum = (digit + product) % 10;
        (if sum == 0 { 10 } else { sum }) * 2 % 11
    });
    (11 - product) % 10 == *last
}

/// ISO 7064 mod 97,10, of IBANs: letters count from ten.
pub fn mod_97(text: &[u8]) -> u32 {
    text.iter().fold(0, |rest, byte| match byte {
        b'0'..=b'9' => (rest * 10 + u32::from(byte - b'0')) % 97,
        _ => (rest * 100 + u32::from(byte.to_ascii_uppercase().wrapping_sub(b'A')) % 64 + 10) % 97,
    })
}

/// The check of travel documents: weights 7, 3, 1, letters count from ten.
pub fn icao(text: &[u8]) -> u32 {
    text.iter()
        .zip([7, 3, 1].iter().cycle())
        .map(|(byte, weight)| match byte {
            b'0'..=b'9' => u32::from(byte - b'0') * weight,
            _ => (u32::from(byte.to_ascii_uppercase().wrapping_sub(b'A')) % 64 + 10) * weight,
        })
        .sum::<u32>()
        % 10
}

/// Is there such a day? Years are not asked for: every fourth is as good as a leap year.
pub fn is_day(month: u32, day: u32) -> bool {
    const DAYS: [u32; 12] = [31, 29, 31, 30, 31, 30, 31, 31, 30, 31, 30, 31];
    month.checked_sub(1).and_then(|m| DAYS.get(m as usize)).is_some_and(|days| (1..=*days).contains(&day))
}

/// Reads a number out of digits.
pub fn number(digits: &[u32]) -> u64 {
    digits.iter().fold(0, |n, d| n * 10 + u64::from(*d))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn published_examples_check() {
        assert!(luhn(&of(b"7992739871 3")) && !luhn(&of(b"79927398710")) && !luhn(&[0; 16]));
        assert!(verhoeff(&of(b"2363")) && !verhoeff(&of(b"2364")));
        assert!(mod_11_10(&of(b"86095742719")) && !mod_11_10(&of(b"86095742710")));
        assert_eq!(mod_97(b"3214282912345698765432161182"), 1);
        assert_eq!(icao(b"L898902C3"), 6);
        assert!(is_day(2, 29) && !is_day(2, 30) && !is_day(13, 1) && !is_day(0, 1));
    }
}
