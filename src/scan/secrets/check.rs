//! Formats and check digits that issuers publish.
//!
//! Must never ask the issuer.

use base64::Engine as _;
use base64::engine::general_purpose::{GeneralPurpose, GeneralPurposeConfig};
use base64::{alphabet, engine::DecodePaddingMode};

/// URL-safe base64, padded or not, last bits ignored.
pub const URL_SAFE: GeneralPurpose = GeneralPurpose::new(&alphabet::URL_SAFE, LENIENT);
/// Standard base64, padded or not, last bits ignored.
pub const STANDARD: GeneralPurpose = GeneralPurpose::new(&alphabet::STANDARD, LENIENT);
const LENIENT: GeneralPurposeConfig = GeneralPurposeConfig::new()
    .with_decode_padding_mode(DecodePaddingMode::Indifferent)
    .with_decode_allow_trailing_bits(true);

/// Tells whether a token's check digits are right; `None` when its kind has none.
pub fn checksum(token: &[u8]) -> Option<bool> {
    let body = [&b"ghp_"[..], b"gho_", b"ghu_", b"ghs_", b"ghr_", b"npm_"]
        .iter()
        .find_map(|prefix| token.strip_prefix(*prefix))
        .filter(|body| body.len() == 36 && body.iter().all(u8::is_ascii_alphanumeric))?;
    let (value, digits) = body.split_at(30);
    Some(base62(crc32(value)) == digits)
}

/// Returns six base-62 digits of a number, as GitHub and npm write their checksums.
pub fn base62(mut number: u32) -> [u8; 6] {
    const DIGITS: &[u8; 62] = b"0123456789ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz";
    let mut text = [b'0'; 6];
    for place in text.iter_mut().rev() {
        *place = DIGITS[(number % 62) as usize];
        number /= 62;
    }
    text
}

/// Returns the CRC-32 of IEEE 802.3.
pub fn crc32(bytes: &[u8]) -> u32 {
    !bytes.iter().fold(!0u32, |crc, byte| {
        (0..8).fold(
            crc ^ u32::from(*byte),
            |crc, _| if crc & 1 == 1 { crc >> 1 ^ 0xedb8_8320 } else { crc >> 1 },
        )
    })
}

/// What a JSON web token turned out to be.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Jwt {
    /// Signed, with claims.
    Signed,
    /// Without a signature.
    Unsigned,
    /// The one of the documentation, or without a claim.
    Sample,
}

/// Reads the parts of a JSON web token; `None` when it is none.
pub fn jwt(token: &[u8]) -> Option<Jwt> {
    let parts: Vec<&[u8]> = token.split(|b| *b == b'.').collect();
    let [head, claims, rest @ ..] = parts.as_slice() else { return None };
    let head = URL_SAFE.decode(head).ok()?;
    let has = |bytes: &[u8], part: &str| memchr::memmem::find(bytes, part.as_bytes()).is_some();
    if !head.starts_with(b"{")
        || !["\"alg\"", "\"typ\"", "\"kid\"", "\"enc\""].iter().any(|key| has(&head, key))
    {
        return None;
    }
    if parts.len() == 5 {
        // Encrypted: the claims cannot be read, the token works all the same.
        return Some(Jwt::Signed);
    }
    let claims = URL_SAFE.decode(claims).ok()?;
    if !claims.starts_with(b"{") {
        return None;
    }
    if claims.len() < 6 || (has(&claims, "1234567890") && has(&claims, "John Doe")) {
        return Some(Jwt::Sample);
    }
    Some(if rest.first().is_some_and(|signature| signature.len() >= 16) {
        Jwt::Signed
    } else {
        Jwt::Unsigned
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_checksum_of_tokens() {
        assert_eq!(crc32(b"123456789"), 0xcbf4_3926);
        let value = "q8Zk1LxWvT3nYp0RsB7cJd5EhGfMaU";
        let digits = base62(crc32(value.as_bytes()));
        let token = [format!("{}_{value}", "ghp").as_bytes(), &digits].concat();
        assert_eq!(checksum(&token), Some(true));
        let mut wrong = token.clone();
        wrong[10] ^= 1;
        assert_eq!(checksum(&wrong), Some(false));
        assert_eq!(checksum(b"other"), None);
    }

    #[test]
    fn web_tokens_are_read() {
        let part = |text: &str| URL_SAFE.encode(text).trim_end_matches('=').to_owned();
        let head = part(r#"{"alg":"HS256"}"#);
        let token =
            |claims: &str, signature: &str| jwt(format!("{head}.{}.{signature}", part(claims)).as_bytes());
        assert_eq!(token(r#"{"sub":"u-81"}"#, &"x".repeat(43)), Some(Jwt::Signed));
        assert_eq!(token(r#"{"sub":"u-81"}"#, ""), Some(Jwt::Unsigned));
        assert_eq!(token("{}", &"x".repeat(43)), Some(Jwt::Sample));
        assert_eq!(token(r#"{"sub":"1234567890","name":"John Doe"}"#, &"x".repeat(43)), Some(Jwt::Sample));
        assert_eq!(jwt(b"eyJ.eyJ.abc"), None);
        assert_eq!(jwt(b"a.b.c"), None);
    }
}
