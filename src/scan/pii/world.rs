//! Check digits of national numbers of more countries, as their offices publish them.
//!
//! Must never panic on a text of another length: a shape is no promise.

use super::digits::{is_day, luhn, of, solid, weighted};

/// The digit that brings a sum to a multiple of 11; nought where it would have two digits.
const fn rest_of_11(sum: u32) -> u32 {
    let rest = sum % 11;
    if rest < 2 { 0 } else { 11 - rest }
}

fn varied(digits: &[u32]) -> bool {
    digits.iter().any(|d| Some(d) != digits.first())
}

/// Brazilian numbers of persons.
pub fn br_cpf(text: &[u8]) -> bool {
    let d = of(text);
    d.len() == 11
        && varied(&d)
        && rest_of_11(weighted(&d[..9], &[10, 9, 8, 7, 6, 5, 4, 3, 2])) == d[9]
        && rest_of_11(weighted(&d[..10], &[11, 10, 9, 8, 7, 6, 5, 4, 3, 2])) == d[10]
}

/// Brazilian numbers of companies.
pub fn br_cnpj(text: &[u8]) -> bool {
    let d = of(text);
    d.len() == 14
        && varied(&d)
        && rest_of_11(weighted(&d[..12], &[5, 4, 3, 2, 9, 8, 7, 6, 5, 4, 3, 2])) == d[12]
        && rest_of_11(weighted(&d[..13], &[6, 5, 4, 3, 2, 9, 8, 7, 6, 5, 4, 3, 2])) == d[13]
}

/// Chinese resident numbers, with their day of birth.
pub fn cn_id(text: &[u8]) -> bool {
    let (d, value) = (of(text), solid(text));
    if value.len() != 18 || d.len() < 17 {
        return false;
    }
    let sum = weighted(&d[..17], &[7, 9, 10, 5, 8, 4, 2, 1, 6, 3, 7, 9, 10, 5, 8, 4, 2]);
    is_day(d[10] * 10 + d[11], d[12] * 10 + d[13]) && b"10X98765432"[sum as usize % 11] == value[17]
}

/// Swiss numbers of persons: those of articles, for country 756.
pub fn ch_ahv(text: &[u8]) -> bool {
    let d = of(text);
    d.len() == 13
        && d[..3] == [7, 5, 6]
        && weighted(&d, &[1, 3, 1, 3, 1, 3, 1, 3, 1, 3, 1, 3, 1]).is_multiple_of(10)
}

/// Norwegian numbers of persons.
pub fn no_fnr(text: &[u8]) -> bool {
    let d = of(text);
    d.len() == 11
        && varied(&d)
        && weighted(&d, &[3, 7, 6, 1, 8, 9, 4, 5, 2, 1]).is_multiple_of(11)
        && weighted(&d, &[5, 4, 3, 2, 7, 6, 5, 4, 3, 2, 1]).is_multiple_of(11)
}

/// Danish numbers of persons: a day, and no check since 2007.
pub fn dk_cpr(text: &[u8]) -> bool {
    let d = of(text);
    d.len() == 10 && is_day(d[2] * 10 + d[3], d[0] * 10 + d[1])
}

/// Portuguese tax numbers.
pub fn pt_nif(text: &[u8]) -> bool {
    let d = of(text);
    d.len() == 9
        && varied(&d)
        && !matches!(d[0], 0 | 4 | 7)
        && rest_of_11(weighted(&d[..8], &[9, 8, 7, 6, 5, 4, 3, 2])) == d[8]
}

/// Mexican numbers of persons; the alphabet has one letter more after N.
pub fn mx_curp(text: &[u8]) -> bool {
    let value = solid(text);
    if value.len() != 18 {
        return false;
    }
    let sum: u32 = value[..17]
        .iter()
        .zip((2..=18).rev())
        .map(|(byte, weight)| {
            weight
                * match byte {
                    b'0'..=b'9' => u32::from(byte - b'0'),
                    b'A'..=b'N' => u32::from(byte - b'A') + 10,
                    _ => u32::from(byte.saturating_sub(b'A')) + 11,
                }
        })
        .sum();
    u32::from(value[17].saturating_sub(b'0')) == (10 - sum % 10) % 10
}

/// Chilean numbers of persons and companies.
pub fn cl_rut(text: &[u8]) -> bool {
    let value = solid(text);
    let Some((check, body)) = value.split_last() else { return false };
    let d = of(body);
    let sum: u32 = d.iter().rev().zip([2, 3, 4, 5, 6, 7].iter().cycle()).map(|(d, w)| d * w).sum();
    let digit = match 11 - sum % 11 {
        11 => b'0',
        10 => b'K',
        other => u8::try_from(other).map_or(b'?', |d| b'0' + d),
    };
    (7..=8).contains(&d.len()) && varied(&d) && digit == *check
}

/// Argentine tax numbers.
pub fn ar_cuit(text: &[u8]) -> bool {
    let d = of(text);
    d.len() == 11
        && matches!(d[0] * 10 + d[1], 20 | 23 | 24 | 27 | 30 | 33 | 34)
        && match 11 - weighted(&d[..10], &[5, 4, 3, 2, 7, 6, 5, 4, 3, 2]) % 11 {
            11 => d[10] == 0,
            10 => d[10] == 9,
            digit => d[10] == digit,
        }
}

/// Israeli numbers of persons.
pub fn il_id(text: &[u8]) -> bool {
    let d = of(text);
    d.len() == 9 && varied(&d) && luhn(&d)
}

/// Romanian numbers of persons.
pub fn ro_cnp(text: &[u8]) -> bool {
    let d = of(text);
    if d.len() != 13 || !is_day(d[3] * 10 + d[4], d[5] * 10 + d[6]) {
        return false;
    }
    let rest = weighted(&d[..12], &[2, 7, 9, 1, 4, 6, 3, 5, 8, 2, 7, 9]) % 11;
    d[12] == if rest == 10 { 1 } else { rest }
}

/// Bulgarian numbers of persons.
pub fn bg_egn(text: &[u8]) -> bool {
    let d = of(text);
    d.len() == 10 && varied(&d) && weighted(&d[..9], &[2, 4, 8, 5, 10, 9, 7, 3, 6]) % 11 % 10 == d[9]
}

/// Czech and Slovak numbers of persons since 1954.
pub fn cz_birth(text: &[u8]) -> bool {
    let d = of(text);
    let month = (d.get(2).unwrap_or(&0) * 10 + d.get(3).unwrap_or(&0)) % 50;
    d.len() == 10
        && is_day(if month > 12 { month - 20.min(month) } else { month }, d[4] * 10 + d[5])
        && d.iter().fold(0_u64, |n, d| n * 10 + u64::from(*d)).is_multiple_of(11)
}

/// Russian tax numbers of persons.
pub fn ru_inn(text: &[u8]) -> bool {
    let d = of(text);
    d.len() == 12
        && varied(&d)
        && weighted(&d[..10], &[7, 2, 4, 10, 3, 5, 9, 4, 6, 8]) % 11 % 10 == d[10]
        && weighted(&d[..11], &[3, 7, 2, 4, 10, 3, 5, 9, 4, 6, 8]) % 11 % 10 == d[11]
}

/// Russian insurance numbers.
pub fn ru_snils(text: &[u8]) -> bool {
    let d = of(text);
    d.len() == 11
        && varied(&d)
        && weighted(&d[..9], &[9, 8, 7, 6, 5, 4, 3, 2, 1]) % 101 % 100 == d[9] * 10 + d[10]
}

/// Austrian insurance numbers: the fourth digit checks the others.
pub fn at_svnr(text: &[u8]) -> bool {
    let d = of(text);
    d.len() == 10
        && d[0] > 0
        && is_day(d[6] * 10 + d[7], d[4] * 10 + d[5])
        && weighted(&d, &[3, 7, 9, 0, 5, 8, 4, 2, 1, 6]) % 11 == d[3]
}

/// Irish numbers of persons.
pub fn ie_pps(text: &[u8]) -> bool {
    let value = solid(text);
    let d = of(text);
    let letter = |at: usize| value.get(at).map_or(0, |b| u32::from(b.saturating_sub(b'@')) % 23);
    d.len() == 7
        && (8..=9).contains(&value.len())
        && (weighted(&d, &[8, 7, 6, 5, 4, 3, 2]) + 9 * if value.len() == 9 { letter(8) } else { 0 }) % 23
            == letter(7)
}

/// Japanese numbers of persons.
pub fn jp_number(text: &[u8]) -> bool {
    let d = of(text);
    d.len() == 12 && varied(&d) && rest_of_11(weighted(&d[..11], &[6, 5, 4, 3, 2, 7, 6, 5, 4, 3, 2])) == d[11]
}

/// Identity cards of Hong Kong: letters count from ten, a missing first one 36.
pub fn hk_id(text: &[u8]) -> bool {
    let value = solid(text);
    let count = |b: &u8| {
        if b.is_ascii_digit() { u32::from(b - b'0') } else { u32::from(b.saturating_sub(b'A')) + 10 }
    };
    let mut all: Vec<u32> = value.iter().map(count).collect();
    if all.len() == 8 {
        all.insert(0, 36);
    }
    all.len() == 9 && weighted(&all, &[9, 8, 7, 6, 5, 4, 3, 2, 1]).is_multiple_of(11)
}

/// Identity cards of Taiwan.
pub fn tw_id(text: &[u8]) -> bool {
    const LETTERS: &[u8; 26] = b"ABCDEFGHJKLMNPQRSTUVXYWZIO";
    let (value, d) = (solid(text), of(text));
    let Some(letter) = value.first().and_then(|first| memchr::memchr(*first, LETTERS)) else { return false };
    let Ok(number) = u32::try_from(letter + 10) else { return false };
    d.len() == 9
        && (number / 10 + number % 10 * 9 + weighted(&d, &[8, 7, 6, 5, 4, 3, 2, 1, 1])).is_multiple_of(10)
}

#[cfg(test)]
mod tests {
    use super::*;

    type Check = fn(&[u8]) -> bool;

    /// Examples that offices and handbooks print.
    const GOOD: [(Check, &str); 20] = [
        (br_cpf, "529.982.247-25"),
        (br_cnpj, "11.222.333/0001-81"),
        (cn_id, "11010519491231002X"),
        (ch_ahv, "756.9217.0769.85"),
        (no_fnr, "15108695088"),
        (dk_cpr, "211062-5629"),
        (pt_nif, "501964843"),
        (mx_curp, "BOXW310820HNERXN09"),
        (cl_rut, "12.531.909-2"),
        (ar_cuit, "20-05536168-2"),
        (il_id, "039337423"),
        (ro_cnp, "1630615123457"),
        (bg_egn, "7523169263"),
        (cz_birth, "710319/2745"),
        (ru_inn, "500100732259"),
        (ru_snils, "112-233-445 95"),
        (at_svnr, "1237 010180"),
        (ie_pps, "6433435F"),
        (jp_number, "123456789018"),
        (hk_id, "A123456(3)"),
    ];

    #[test]
    fn published_examples_hold_and_a_changed_digit_does_not() {
        for (nth, (check, text)) in GOOD.iter().chain([&(tw_id as Check, "A123456789")]).enumerate() {
            assert!(check(text.as_bytes()), "{text}");
            // A Danish number has no check digit.
            let at = text.rfind(|c: char| c.is_ascii_digit()).unwrap();
            let mut other = text.as_bytes().to_vec();
            other[at] = if other[at] == b'9' { b'0' } else { other[at] + 1 };
            assert!(nth == 5 || !check(&other), "{text} changed");
            for end in 0..text.len() - 1 {
                check(&text.as_bytes()[..end]);
            }
        }
    }
}
