//! `io.jwt.*`: tokens decoded, and signatures checked with the algorithms ring has.
//!
//! Must never call a token valid that was not checked: an algorithm or a key it cannot use is an error.

use base64::Engine as _;
use base64::engine::general_purpose::{STANDARD, URL_SAFE_NO_PAD};
use regorus::Value;
use ring::{hmac, signature};

use super::crypto::hex;
use super::{Builtin, Wrong, builtin, text};

/// The builtins of this file.
pub(super) const ALL: &[Builtin] = &[
    builtin("io.jwt.decode", 1, |args| {
        let token = Token::read(text(args, 0)?)?;
        let signature = hex(&token.signature);
        Ok(Value::from(vec![token.header, token.payload, Value::from(signature)]))
    }),
    builtin("io.jwt.verify_hs256", 2, |args| keyed(hmac::HMAC_SHA256, args)),
    builtin("io.jwt.verify_hs384", 2, |args| keyed(hmac::HMAC_SHA384, args)),
    builtin("io.jwt.verify_hs512", 2, |args| keyed(hmac::HMAC_SHA512, args)),
    builtin("io.jwt.verify_rs256", 2, |args| signed(&signature::RSA_PKCS1_2048_8192_SHA256, args)),
    builtin("io.jwt.verify_rs384", 2, |args| signed(&signature::RSA_PKCS1_2048_8192_SHA384, args)),
    builtin("io.jwt.verify_rs512", 2, |args| signed(&signature::RSA_PKCS1_2048_8192_SHA512, args)),
    builtin("io.jwt.verify_ps256", 2, |args| signed(&signature::RSA_PSS_2048_8192_SHA256, args)),
    builtin("io.jwt.verify_ps384", 2, |args| signed(&signature::RSA_PSS_2048_8192_SHA384, args)),
    builtin("io.jwt.verify_ps512", 2, |args| signed(&signature::RSA_PSS_2048_8192_SHA512, args)),
    builtin("io.jwt.verify_es256", 2, |args| signed(&signature::ECDSA_P256_SHA256_FIXED, args)),
    builtin("io.jwt.verify_es384", 2, |args| signed(&signature::ECDSA_P384_SHA384_FIXED, args)),
    builtin("io.jwt.verify_eddsa", 2, |args| signed(&signature::ED25519, args)),
];

struct Token<'a> {
    signed: &'a str,
    header: Value,
    payload: Value,
    signature: Vec<u8>,
}

impl<'a> Token<'a> {
    fn read(token: &'a str) -> Result<Self, Wrong> {
        let wrong = |what: &str| Wrong(format!("got a token {what}"));
        let mut parts = token.split('.');
        let (Some(head), Some(body), Some(signature), None) =
            (parts.next(), parts.next(), parts.next(), parts.next())
        else {
            return Err(wrong("that has not three parts"));
        };
        let decode = |part: &str| URL_SAFE_NO_PAD.decode(part.trim_end_matches('='));
        let json = |part: &str| {
            let bytes = decode(part).map_err(|_| wrong("that is not base64"))?;
            let text = String::from_utf8(bytes).map_err(|_| wrong("that is not UTF-8"))?;
            Value::from_json_str(&text).map_err(|_| wrong("that is not JSON"))
        };
        let header = json(head)?;
        if header["enc"] != Value::Undefined {
            return Err(wrong("that is encrypted"));
        }
        Ok(Self {
            signed: &token[..head.len() + 1 + body.len()],
            header,
            payload: json(body)?,
            signature: decode(signature).map_err(|_| wrong("whose signature is not base64"))?,
        })
    }
}

fn keyed(algorithm: hmac::Algorithm, args: &[Value]) -> Result<Value, Wrong> {
    let token = Token::read(text(args, 0)?)?;
    let key = hmac::Key::new(algorithm, text(args, 1)?.as_bytes());
    Ok(Value::from(hmac::verify(&key, token.signed.as_bytes(), &token.signature).is_ok()))
}

fn signed(algorithm: &'static dyn signature::VerificationAlgorithm, args: &[Value]) -> Result<Value, Wrong> {
    let token = Token::read(text(args, 0)?)?;
    let key = public_key(text(args, 1)?)?;
    let key = signature::UnparsedPublicKey::new(algorithm, key);
    Ok(Value::from(key.verify(token.signed.as_bytes(), &token.signature).is_ok()))
}

/// Returns the key inside a PEM `PUBLIC KEY`: the last element of its `SubjectPublicKeyInfo`.
fn public_key(pem: &str) -> Result<Vec<u8>, Wrong> {
    let wrong =
        || Wrong("needs a PEM `PUBLIC KEY` as argument 2; certificates and JWK sets are not read".into());
    let body = pem.split_once("-----BEGIN PUBLIC KEY-----").and_then(|(_, rest)| rest.split_once("-----END"));
    let base64: String = body.ok_or_else(wrong)?.0.split_whitespace().collect();
    let der = STANDARD.decode(base64).map_err(|_| wrong())?;
    let (tag, outer, _) = element(&der).ok_or_else(wrong)?;
    let (_, _, rest) = element(outer).filter(|_| tag == 0x30).ok_or_else(wrong)?;
    let (tag, bits, _) = element(rest).ok_or_else(wrong)?;
    // A bit string starts with the number of bits that are not used.
    bits.split_first()
        .filter(|(unused, _)| tag == 0x03 && **unused == 0)
        .map(|(_, key)| key.to_vec())
        .ok_or_else(wrong)
}

/// Reads one DER element: its tag, what is in it, what follows.
fn element(der: &[u8]) -> Option<(u8, &[u8], &[u8])> {
    let (tag, rest) = der.split_first()?;
    let (first, rest) = rest.split_first()?;
    let (length, rest) = match first {
        0..=0x7f => (usize::from(*first), rest),
        0x81..=0x84 => {
            let bytes = usize::from(first & 0x7f);
            let length = rest.get(..bytes)?.iter().fold(0_usize, |n, b| (n << 8) | usize::from(*b));
            (length, &rest[bytes..])
        }
        _ => return None,
    };
    Some((*tag, rest.get(..length)?, rest.get(length..)?))
}

#[cfg(test)]
mod tests {
    use super::*;

    const TOKEN: &str = "eyJhbGciOiJIUzI1NiIsInR5cCI6IkpXVCJ9.eyJzdWIiOiIxMjM0NTY3ODkwIiwibmFtZSI6IkpvaG4gRG9lIiwiaWF0IjoxNTE2MjM5MDIyfQ.SflKxwRJSMeKKF2QT4fwpMeJf36POk6yJV_adQssw5c";

    fn run(name: &str, args: &[&str]) -> Result<Value, Wrong> {
        let args: Vec<Value> = args.iter().map(|a| Value::from(*a)).collect();
        (ALL.iter().find(|b| b.name == name).unwrap().run)(&args)
    }

    #[test]
    fn a_token_is_decoded_and_its_key_decides() {
        let decoded = run("io.jwt.decode", &[TOKEN]).unwrap();
        assert_eq!(decoded[1]["name"], Value::from("John Doe"));
        assert_eq!(run("io.jwt.verify_hs256", &[TOKEN, "your-256-bit-secret"]).unwrap(), Value::from(true));
        assert_eq!(run("io.jwt.verify_hs256", &[TOKEN, "another"]).unwrap(), Value::from(false));
        assert_eq!(run("io.jwt.verify_hs512", &[TOKEN, "your-256-bit-secret"]).unwrap(), Value::from(false));
    }

    #[test]
    fn what_cannot_be_checked_is_an_error() {
        for token in ["", "a.b", "a.b.c", "....", "\u{e9}.\u{e9}.\u{e9}"] {
            assert!(run("io.jwt.decode", &[token]).is_err(), "{token}");
        }
        for key in ["", "-----BEGIN PUBLIC KEY-----\nAAAA\n-----END PUBLIC KEY-----", "{\"keys\": []}"] {
            assert!(run("io.jwt.verify_rs256", &[TOKEN, key]).is_err(), "{key}");
        }
    }

    proptest::proptest! {
        #[test]
        fn no_der_makes_it_panic(der: Vec<u8>) {
            let _ = element(&der);
        }
    }
}
