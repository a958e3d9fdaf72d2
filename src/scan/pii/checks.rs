//! The checks of numbers by country.
//!
//! Must never panic on a text of another length: a shape is no promise.

use super::digits::{
    icao, is_day, luhn as luhn_of, mod_11_10, mod_97, number, of, solid, verhoeff as verhoeff_of, weighted,
};

/// Shape alone.
pub fn any(_: &[u8]) -> bool {
    true
}

/// Luhn over all digits.
pub fn luhn(text: &[u8]) -> bool {
    luhn_of(&of(text))
}

/// Verhoeff over all digits.
pub fn verhoeff(text: &[u8]) -> bool {
    let digits = of(text);
    verhoeff_of(&digits) && !digits.iter().eq(digits.iter().rev())
}

/// Areas, groups and serials that were given out; numbers that advertisements made known were not.
pub fn us_ssn(text: &[u8]) -> bool {
    let d = of(text);
    let area = number(&d[..3.min(d.len())]);
    let known = [
        78_051_120,
        219_099_999,
        123_456_789,
        987_654_321,
        111_111_111,
        222_222_222,
        333_333_333,
        444_444_444,
        555_555_555,
    ];
    d.len() == 9
        && area != 0
        && area != 666
        && area < 900
        && number(&d[3..5]) != 0
        && number(&d[5..]) != 0
        && !known.contains(&number(&d))
}

/// American routing numbers.
pub fn aba(text: &[u8]) -> bool {
    let d = of(text);
    let bank = number(&d[..2.min(d.len())]);
    d.len() == 9
        && (matches!(bank, 0..=12 | 21..=32 | 61..=72 | 80))
        && d.iter().any(|d| *d > 0)
        && weighted(&d, &[3, 7, 1, 3, 7, 1, 3, 7, 1]).is_multiple_of(10)
}

/// American provider numbers: Luhn after the prefix of health cards.
pub fn npi(text: &[u8]) -> bool {
    luhn_of(&[vec![8, 0, 8, 4, 0], of(text)].concat())
}

/// American licences to prescribe.
pub fn dea(text: &[u8]) -> bool {
    let d = of(&text[text.len().saturating_sub(7)..]);
    d.len() == 7 && (d[0] + d[2] + d[4] + 2 * (d[1] + d[3] + d[5])) % 10 == d[6]
}

/// British health numbers.
pub fn nhs(text: &[u8]) -> bool {
    let d = of(text);
    d.len() == 10
        && d.iter().any(|x| *x != d[0])
        && (11 - weighted(&d, &[10, 9, 8, 7, 6, 5, 4, 3, 2]) % 11) % 11 == d[9]
}

/// British insurance numbers: prefixes that are not used.
pub fn nino(text: &[u8]) -> bool {
    let s = solid(text);
    ![b"BG", b"GB", b"NK", b"KN", b"TN", b"NT", b"ZZ"].iter().any(|prefix| s.starts_with(*prefix))
}

/// German tax ids: the check digit, and a digit that comes twice or thrice.
pub fn de_tax_id(text: &[u8]) -> bool {
    let d = of(text);
    d.len() == 11 && mod_11_10(&d)
}

/// German cards: of the old kind a letter and eight digits, else a check digit.
pub fn de_id_card(text: &[u8]) -> bool {
    let s = solid(text);
    s.len() == 9 && (s[0] == b'T' && s[1..].iter().all(u8::is_ascii_digit) || de_document(text))
}

/// German documents: the check of travel documents over eight places.
pub fn de_document(text: &[u8]) -> bool {
    let s = solid(text);
    s.len() == 9 && s[8].is_ascii_digit() && icao(&s[..8]) == u32::from(s[8] - b'0')
}

fn cross(digits: &[u32], weights: &[u32]) -> u32 {
    digits.iter().zip(weights).map(|(d, w)| d * w / 10 + d * w % 10).sum()
}

fn spelled(text: &[u8]) -> Vec<u32> {
    let mut digits = Vec::new();
    for byte in solid(text) {
        if byte.is_ascii_digit() {
            digits.push(u32::from(byte - b'0'));
        } else {
            let nth = u32::from(byte - b'A') + 1;
            digits.extend([nth / 10, nth % 10]);
        }
    }
    digits
}

/// German pension numbers.
pub fn de_social(text: &[u8]) -> bool {
    let d = spelled(text);
    if d.len() != 13 {
        return false;
    }
    let (day, month) = (d[2] * 10 + d[3], d[4] * 10 + d[5]);
    is_day(month, day % 50) && cross(&d, &[2, 1, 2, 5, 7, 1, 2, 1, 2, 1, 2, 1]) % 10 == d[12]
}

/// German health insurance numbers.
pub fn de_health(text: &[u8]) -> bool {
    let d = spelled(text);
    d.len() == 11 && cross(&d, &[1, 2, 1, 2, 1, 2, 1, 2, 1, 2]) % 10 == d[10]
}

/// German doctors.
pub fn de_lanr(text: &[u8]) -> bool {
    let d = of(text);
    d.len() == 9 && (10 - weighted(&d, &[4, 9, 4, 9, 4, 9]) % 10) % 10 == d[6]
}

/// German postcodes.
pub fn de_plz(text: &[u8]) -> bool {
    (1_000..99_999).contains(&number(&of(text)))
}

/// French numbers; Corsica counts as 19 and 18.
pub fn fr_nir(text: &[u8]) -> bool {
    let s = solid(text);
    if s.len() != 15 {
        return false;
    }
    let body: Vec<u8> = match &s[5..7] {
        b"2A" => [&s[..5], b"19", &s[7..13]].concat(),
        b"2B" => [&s[..5], b"18", &s[7..13]].concat(),
        _ => s[..13].to_vec(),
    };
    97 - number(&of(&body)) % 97 == number(&of(&s[13..]))
}

const SPANISH: &[u8; 23] = b"TRWAGMYFPDXBNJZSQVHLCKE";

fn spanish(digits: &[u32], letter: Option<&u8>) -> bool {
    letter.is_some_and(|letter| *letter == SPANISH[(number(digits) % 23) as usize])
}

/// Spanish citizens.
pub fn es_nif(text: &[u8]) -> bool {
    let s = solid(text);
    spanish(&of(&s), s.last())
}

/// Spanish residents: the first letter is a digit.
pub fn es_nie(text: &[u8]) -> bool {
    let s = solid(text);
    let first = match s.first() {
        Some(b'X') => 0,
        Some(b'Y') => 1,
        _ => 2,
    };
    spanish(&[vec![first], of(&s)].concat(), s.last())
}

/// Italian fiscal codes: sixteen places; the check letter is left to the confidence.
pub fn it_fiscal(text: &[u8]) -> bool {
    text.len() == 16
}

/// Polish numbers.
pub fn pl_pesel(text: &[u8]) -> bool {
    let d = of(text);
    d.len() == 11
        && is_day((d[2] * 10 + d[3]) % 20, d[4] * 10 + d[5])
        && (10 - weighted(&d, &[1, 3, 7, 9, 1, 3, 7, 9, 1, 3]) % 10) % 10 == d[10]
}

/// Finnish codes.
pub fn fi_hetu(text: &[u8]) -> bool {
    const SIGNS: &[u8; 31] = b"0123456789ABCDEFHJKLMNPRSTUVWXY";
    if text.len() != 11 {
        return false;
    }
    let d = of(&[&text[..6], &text[7..10]].concat());
    d.len() == 9
        && is_day(d[2] * 10 + d[3], d[0] * 10 + d[1])
        && SIGNS[(number(&d) % 31) as usize] == text[10]
}

fn swedish(text: &[u8]) -> Option<Vec<u32>> {
    let d = of(text);
    let d = if d.len() == 12 { d[2..].to_vec() } else { d };
    (d.len() == 10 && luhn_of(&d)).then_some(d)
}

/// Swedish people.
pub fn se_person(text: &[u8]) -> bool {
    swedish(text).is_some_and(|d| is_day(d[2] * 10 + d[3], (d[4] * 10 + d[5]) % 60))
}

/// Swedish organisations: the third digit is two or more.
pub fn se_org(text: &[u8]) -> bool {
    swedish(text).is_some_and(|d| d[2] >= 2)
}

/// Dutch citizens: the eleven test.
pub fn nl_bsn(text: &[u8]) -> bool {
    let d = of(text);
    d.len() == 9
        && d.iter().any(|d| *d > 0)
        && (weighted(&d, &[9, 8, 7, 6, 5, 4, 3, 2]) + 10 * d[8]).is_multiple_of(11)
}

/// Belgians, born before or after 2000.
pub fn be_nrn(text: &[u8]) -> bool {
    let d = of(text);
    if d.len() != 11 || !is_day(d[2] * 10 + d[3], d[4] * 10 + d[5]) {
        return false;
    }
    let (body, check) = (number(&d[..9]), number(&d[9..]));
    97 - body % 97 == check || 97 - (2_000_000_000 + body) % 97 == check
}

/// Australian businesses.
pub fn au_abn(text: &[u8]) -> bool {
    let mut d = of(text);
    if d.len() != 11 || d[0] == 0 {
        return false;
    }
    d[0] -= 1;
    weighted(&d, &[10, 1, 3, 5, 7, 9, 11, 13, 15, 17, 19]).is_multiple_of(89)
}

/// Australian companies.
pub fn au_acn(text: &[u8]) -> bool {
    let d = of(text);
    d.len() == 9 && (10 - weighted(&d, &[8, 7, 6, 5, 4, 3, 2, 1]) % 10) % 10 == d[8]
}

/// Australian tax payers.
pub fn au_tfn(text: &[u8]) -> bool {
    let d = of(text);
    d.len() == 9 && d.iter().any(|d| *d > 0) && weighted(&d, &[1, 4, 3, 7, 5, 8, 6, 9, 10]).is_multiple_of(11)
}

/// Australian health cards.
pub fn au_medicare(text: &[u8]) -> bool {
    let d = of(text);
    d.len() == 10 && weighted(&d, &[1, 3, 7, 9, 1, 3, 7, 9]) % 10 == d[8]
}

/// Canadians; no number starts with 0 or 8.
pub fn ca_sin(text: &[u8]) -> bool {
    let d = of(text);
    d.len() == 9 && d[0] != 0 && d[0] != 8 && luhn_of(&d)
}

/// Singaporeans and foreigners there.
pub fn sg_nric(text: &[u8]) -> bool {
    let s = solid(text);
    let d = of(&s);
    if s.len() != 9 || d.len() != 7 {
        return false;
    }
    let sum = weighted(&d, &[2, 7, 6, 5, 4, 3, 2]);
    let (signs, sum): (&[u8; 11], u32) = match s[0] {
        b'S' => (b"JZIHGFEDCBA", sum),
        b'T' => (b"JZIHGFEDCBA", sum + 4),
        b'F' => (b"XWUTRQPNMLK", sum),
        b'G' => (b"XWUTRQPNMLK", sum + 4),
        _ => (b"XWUTRQPNJLK", sum + 3),
    };
    let nth = (sum % 11) as usize;
    s[8] == signs[nth] || (s[0] == b'M' && s[8] == signs[10 - nth])
}

/// Koreans: a day of birth; numbers since 2020 have no check digit.
pub fn kr_birth(text: &[u8]) -> bool {
    let d = of(text);
    d.len() == 13 && is_day(d[2] * 10 + d[3], d[4] * 10 + d[5])
}

/// Korean businesses.
pub fn kr_brn(text: &[u8]) -> bool {
    let d = of(text);
    d.len() == 10 && (10 - (weighted(&d, &[1, 3, 7, 1, 3, 7, 1, 3, 5]) + d[8] * 5 / 10) % 10) % 10 == d[9]
}

/// Thais: the check digit, and a province that there is.
pub fn th_tnin(text: &[u8]) -> bool {
    let d = of(text);
    let check = |d: &[u32]| (11 - weighted(d, &[13, 12, 11, 10, 9, 8, 7, 6, 5, 4, 3, 2]) % 11) % 10 == d[12];
    d.len() == 13
        && d[1] != 0
        && check(&d)
        && !matches!(d[1] * 10 + d[2], 28 | 29 | 59 | 68 | 69 | 78 | 79 | 87..=89 | 97..=99)
}

/// Turks.
pub fn tr_id(text: &[u8]) -> bool {
    let d = of(text);
    if d.len() != 11 {
        return false;
    }
    let (odd, even): (u32, u32) = (d[..9].iter().step_by(2).sum(), d[1..8].iter().step_by(2).sum());
    (odd * 7 + 10 * 9 - even) % 10 == d[9] && d[..10].iter().sum::<u32>() % 10 == d[10]
}

/// Philippine tax payers.
pub fn ph_tin(text: &[u8]) -> bool {
    let d = of(text);
    d.len() == 12 && d[..9].iter().any(|d| *d > 0) && weighted(&d, &[9, 8, 7, 6, 5, 4, 3, 2]) % 11 == d[8]
}

/// South Africans.
pub fn za_id(text: &[u8]) -> bool {
    let d = of(text);
    d.len() == 13 && is_day(d[2] * 10 + d[3], d[4] * 10 + d[5]) && d[11] >= 8 && luhn_of(&d)
}

/// Countries' IBAN lengths.
#[rustfmt::skip]
const IBANS: &[(&[u8; 2], usize)] = &[
    (b"AD", 24), (b"AE", 23), (b"AL", 28), (b"AT", 20), (b"AZ", 28), (b"BA", 20), (b"BE", 16), (b"BG", 22), (b"BH", 22), (b"BI", 27), (b"BR", 29), (b"BY", 28),
    (b"CH", 21), (b"CR", 22), (b"CY", 28), (b"CZ", 24), (b"DE", 22), (b"DJ", 27), (b"DK", 18), (b"DO", 28), (b"EE", 20), (b"EG", 29), (b"ES", 24), (b"FI", 18),
    (b"FK", 18), (b"FO", 18), (b"FR", 27), (b"GB", 22), (b"GE", 22), (b"GI", 23), (b"GL", 18), (b"GR", 27), (b"GT", 28), (b"HN", 28), (b"HR", 21), (b"HU", 28),
    (b"IE", 22), (b"IL", 23), (b"IQ", 23), (b"IS", 26), (b"IT", 27), (b"JO", 30), (b"KW", 30), (b"KZ", 20), (b"LB", 28), (b"LC", 32), (b"LI", 21), (b"LT", 20),
    (b"LU", 20), (b"LV", 21), (b"LY", 25), (b"MC", 27), (b"MD", 24), (b"ME", 22), (b"MK", 19), (b"MN", 20), (b"MR", 27), (b"MT", 31), (b"MU", 30), (b"NI", 28),
    (b"NL", 18), (b"NO", 15), (b"OM", 23), (b"PK", 24), (b"PL", 28), (b"PS", 29), (b"PT", 25), (b"QA", 29), (b"RO", 24), (b"RS", 22), (b"RU", 33), (b"SA", 24),
    (b"SC", 31), (b"SD", 18), (b"SE", 24), (b"SI", 19), (b"SK", 24), (b"SM", 27), (b"SO", 23), (b"ST", 25), (b"SV", 28), (b"TL", 23), (b"TN", 24), (b"TR", 26),
    (b"UA", 29), (b"VA", 22), (b"VG", 24), (b"XK", 20), (b"YE", 30),
];

/// Returns how many letters and digits an IBAN of this country has.
pub fn iban_length(country: &[u8]) -> Option<usize> {
    IBANS.iter().find(|(code, _)| country.eq_ignore_ascii_case(*code)).map(|(_, length)| *length)
}

/// Account numbers of the world.
pub fn iban(text: &[u8]) -> bool {
    let s = solid(text);
    s.len() > 14 && iban_length(&s[..2]) == Some(s.len()) && mod_97(&[&s[4..], &s[..4]].concat()) == 1
}

/// The number ranges of card issuers.
pub fn card(digits: &[u32]) -> bool {
    let p = |n: usize| number(&digits[..n.min(digits.len())]);
    let issuer = match digits.len() {
        13 | 19 => p(1) == 4 || matches!(p(2), 62 | 65),
        14 => matches!(p(3), 300..=305) || matches!(p(2), 36 | 38 | 39),
        15 => matches!(p(2), 34 | 37) || p(1) == 1 || matches!(p(4), 2131 | 1800),
        16 => {
            p(1) == 4
                || matches!(p(2), 51..=55 | 62 | 65 | 60 | 81)
                || matches!(p(4), 2221..=2720 | 3528..=3589)
                || matches!(p(2), 50 | 56..=58 | 63 | 67)
        }
        _ => false,
    };
    issuer && luhn_of(digits)
}

/// Numbers that issuers give out for tests.
pub fn is_test_card(digits: &[u32]) -> bool {
    const KNOWN: [u64; 24] = [
        4_111_111_111_111_111,
        4_242_424_242_424_242,
        4_012_888_888_881_881,
        4_000_056_655_665_556,
        5_555_555_555_554_444,
        5_105_105_105_105_100,
        2_223_003_122_003_222,
        5_200_828_282_828_210,
        378_282_246_310_005,
        371_449_635_398_431,
        378_734_493_671_000,
        6_011_111_111_111_117,
        6_011_000_990_139_424,
        3_056_930_009_020_004,
        30_569_309_025_904,
        38_520_000_023_237,
        36_227_206_271_667,
        3_566_002_020_360_505,
        3_530_111_333_300_000,
        6_200_000_000_000_005,
        4_222_222_222_222,
        5_610_591_081_018_250,
        6_331_101_999_990_016,
        4_917_610_000_000_000,
    ];
    let distinct: std::collections::BTreeSet<_> = digits.iter().collect();
    let zeros = digits.iter().filter(|d| **d == 0).count();
    KNOWN.contains(&number(digits)) || distinct.len() <= 3 || zeros * 2 > digits.len()
}

#[cfg(test)]
mod tests {
    use super::*;

    type Case = (&'static str, fn(&[u8]) -> bool, &'static str);

    /// Checks that hold for the first and break with any other last digit.
    #[test]
    fn a_wrong_digit_is_seen() {
        let cases: [Case; 13] = [
            ("IBAN", iban, "GB82 WEST 1234 5698 7654 32"),
            ("NHS", nhs, "943 476 5919"),
            ("tax id", de_tax_id, "86095742719"),
            ("NIR", fr_nir, "2 55 08 14 168 025 38"),
            ("pesel", pl_pesel, "02070803628"),
            ("bsn", nl_bsn, "111222333"),
            ("abn", au_abn, "51 824 753 556"),
            ("acn", au_acn, "004 085 616"),
            ("sin", ca_sin, "130 692 544"),
            ("npi", npi, "1234567893"),
            ("aba", aba, "111000025"),
            ("za", za_id, "8001015009087"),
            ("tr", tr_id, "10000000146"),
        ];
        for (name, check, good) in cases {
            assert!(check(good.as_bytes()), "{name}");
            let (body, last) = good.split_at(good.len() - 1);
            for digit in "0123456789".chars().filter(|d| !last.starts_with(*d)) {
                assert!(!check(format!("{body}{digit}").as_bytes()), "{name} {digit}");
            }
        }
        assert!(
            es_nif(b"12345678Z") && !es_nif(b"12345678A") && es_nie(b"X9613851N") && !es_nie(b"X9613851Q")
        );
        assert!(
            fi_hetu(b"131052-308T")
                && !fi_hetu(b"131052-308U")
                && sg_nric(b"S2740116C")
                && !sg_nric(b"S2740116D")
        );
        assert!(
            us_ssn(b"536-22-8145")
                && !us_ssn(b"000-12-3456")
                && !us_ssn(b"666-12-3456")
                && !us_ssn(b"078-05-1120")
        );
    }

    #[test]
    fn cards_have_issuers() {
        assert!(card(&of(b"4539 5787 6362 1486")) && !is_test_card(&of(b"4539578763621486")));
        assert!(is_test_card(&of(b"4242424242424242")) && !card(&of(b"9999999999999995")));
    }
}
