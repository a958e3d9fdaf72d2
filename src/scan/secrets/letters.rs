//! How a text looks: words of a language, or drawn at random.
//!
//! Must never decide what a text is used for.

use std::sync::LazyLock;

const TABLE: &str = include_str!("../../../rules/secrets/trigrams.txt");
const EDGE: usize = 26;

/// Cost of the third letter after two others, 27 x 27 x 27.
static COSTS: LazyLock<Vec<u8>> = LazyLock::new(|| {
    TABLE
        .lines()
        .filter(|line| !line.starts_with('#'))
        .flat_map(|line| line.bytes().map(|digit| digit.wrapping_sub(b'0')))
        .collect()
});

/// Above this mean cost, letters are not of a language: 0.2 % of words are, and 93 % of random letters.
const STRANGE: f32 = 5.2;
/// Below this mean cost, letters surely form words.
const FAMILIAR: f32 = 4.6;

/// Names that are no words but that people write, and rows of keys.
const NAMES: &str = " qwerty qwertz asdf asdfgh zxcv zxcvbn mysql mssql psql nginx kafka weibo jwt xyz abc abcd abcde abcdef \
    abcdefg abcdefgh hjkl oauth saml ldap tls ssl ssh rsa dsa ecdsa hmac aes des sha md http https url uri utf gzip json \
    yaml toml html css sql csv xml php cpp lua npm pip aws gcp gke eks ec kms arn vpc iam s3 ghcr gcr k8s kubectl htpasswd pgbouncer \
    sqlite postgresql redis rabbitmq mongodb mariadb oracle elasticsearch zookeeper wpa pbkdf bcrypt scrypt argon hkdf pkcs \
    xxxx xxxxx xxxxxx xxxxxxx xxxxxxxx foo bar baz qux quux ";

fn letter(byte: u8) -> usize {
    usize::from(byte.to_ascii_lowercase().wrapping_sub(b'a')).min(EDGE)
}

/// Returns the mean cost of a run of letters.
pub fn strangeness(word: &[u8]) -> f32 {
    let (mut before, mut last, mut sum, mut count) = (EDGE, EDGE, 0u32, 0u16);
    for (index, now) in word.iter().map(|b| letter(*b)).chain([EDGE]).enumerate() {
        if index > 0 {
            sum += u32::from(COSTS.get((before * 27 + last) * 27 + now).copied().unwrap_or(9));
            count += 1;
        }
        (before, last) = (last, now);
    }
    #[expect(clippy::cast_precision_loss, reason = "a sum of a few digits")]
    let sum = sum as f32;
    sum / f32::from(count.max(1))
}

/// Tells whether a run of letters is a word or a name.
pub fn is_word(word: &[u8]) -> bool {
    if word.len() <= 8 || word.iter().all(|b| *b == word[0]) {
        let mut padded = vec![b' '];
        padded.extend(word.iter().map(u8::to_ascii_lowercase));
        padded.push(b' ');
        if memchr::memmem::find(NAMES.as_bytes(), &padded).is_some() || word.iter().all(|b| *b == word[0]) {
            return true;
        }
    }
    strangeness(word) < if word.len() < 6 { FAMILIAR } else { STRANGE }
}

/// Calls back with each piece: a run of lower-case letters with its capital, of capitals, or of digits.
pub fn pieces(text: &[u8], mut each: impl FnMut(&[u8])) {
    let mut at = 0;
    while at < text.len() {
        let start = at;
        let class = |b: u8| {
            if b.is_ascii_lowercase() {
                0
            } else if b.is_ascii_uppercase() {
                1
            } else if b.is_ascii_digit() {
                2
            } else {
                3
            }
        };
        let first = class(text[at]);
        at += 1;
        while at < text.len() && class(text[at]) == first {
            at += 1;
        }
        if first == 1 && at < text.len() && text[at].is_ascii_lowercase() {
            // `HTTPServer` is `HTTP` and `Server`.
            if at - start > 1 {
                each(&text[start..at - 1]);
            }
            let capital = at - 1;
            while at < text.len() && text[at].is_ascii_lowercase() {
                at += 1;
            }
            each(&text[capital..at]);
        } else if first < 3 {
            each(&text[start..at]);
        }
    }
}

/// What a value is made of.
#[derive(Clone, Copy, Debug, Default)]
pub struct Look {
    /// Letters in pieces that are words.
    pub worded: usize,
    /// Letters in all.
    pub letters: usize,
    /// Digits.
    pub digits: usize,
    /// What is neither.
    pub others: usize,
    /// Pieces.
    pub pieces: usize,
    /// Lower-case letters.
    pub lower: usize,
    /// Upper-case letters.
    pub upper: usize,
}

impl Look {
    /// Looks at a value.
    pub fn at(value: &[u8]) -> Self {
        let mut look = Self {
            lower: value.iter().filter(|b| b.is_ascii_lowercase()).count(),
            upper: value.iter().filter(|b| b.is_ascii_uppercase()).count(),
            digits: value.iter().filter(|b| b.is_ascii_digit()).count(),
            ..Self::default()
        };
        look.letters = look.lower + look.upper;
        look.others = value.len() - look.letters - look.digits;
        pieces(value, |piece| {
            look.pieces += 1;
            if piece.len() >= 3 && piece[0].is_ascii_alphabetic() && is_word(piece) {
                look.worded += piece.len();
            }
        });
        // One case all the way, digits aside, and lost in pieces: read it as a whole too.
        look
    }

    /// Tells whether the value looks drawn at random rather than written.
    pub fn is_random(&self) -> bool {
        if self.letters == 0 {
            return false;
        }
        // Letters in words against everything that is not punctuation.
        let solid = self.letters + self.digits;
        self.worded * 100 < solid * 45
    }
}

/// Returns the entropy in bits per byte.
pub fn entropy(value: &[u8]) -> f32 {
    let mut counts = [0u32; 256];
    for byte in value {
        counts[usize::from(*byte)] += 1;
    }
    #[expect(clippy::cast_precision_loss, reason = "lengths of tokens")]
    let len = value.len().max(1) as f32;
    counts
        .iter()
        .filter(|count| **count > 0)
        .map(|count| {
            #[expect(clippy::cast_precision_loss, reason = "lengths of tokens")]
            let share = *count as f32 / len;
            -share * share.log2()
        })
        .sum()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_table_is_whole() {
        assert_eq!(COSTS.len(), 27 * 27 * 27);
        assert!(COSTS.iter().all(|cost| *cost <= 9));
    }

    #[test]
    fn words_are_not_random_and_noise_is() {
        for text in [
            "reallyverysafe",
            "my_rest_api_id",
            "fromStage",
            "super-secret-value",
            "verifyPassword",
            "HTTPServer2",
        ] {
            assert!(!Look::at(text.as_bytes()).is_random(), "{text}");
        }
        for text in ["qzkvhrwd", "Xk3vQz81Lp", "zhqmfhld", "a8f5f167f44f4964e6c998dee827110c"] {
            assert!(Look::at(text.as_bytes()).is_random(), "{text}");
        }
    }

    #[test]
    fn pieces_follow_case() {
        let mut seen = Vec::new();
        pieces(b"HTTPServer_v2-fooBAR", |p| seen.push(String::from_utf8_lossy(p).into_owned()));
        assert_eq!(seen, ["HTTP", "Server", "v", "2", "foo", "BAR"]);
    }
}
