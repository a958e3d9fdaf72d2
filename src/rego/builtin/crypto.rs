//! `crypto.*`: digests, message authentication codes and their comparison.
//!
//! Must never be used to keep a secret: md5 and sha1 are here because packs name things by them.

use std::fmt::Write as _;

use md5::Digest as _;
use regorus::Value;
use ring::{digest, hmac};

use super::{Builtin, Wrong, builtin, text};

/// The builtins of this file.
pub(super) const ALL: &[Builtin] = &[
    builtin("crypto.hmac.equal", 2, |args| {
        let (a, b) = (text(args, 0)?, text(args, 1)?);
        // Every byte is looked at, whatever came before it.
        let differ = a.bytes().zip(b.bytes()).fold(0_u8, |differ, (a, b)| differ | (a ^ b));
        let same = a.len() == b.len() && differ == 0;
        Ok(Value::from(same))
    }),
    builtin("crypto.hmac.md5", 2, |args| {
        Ok(Value::from(hex(&hmac_md5(text(args, 1)?.as_bytes(), text(args, 0)?.as_bytes()))))
    }),
    builtin("crypto.hmac.sha1", 2, |args| keyed(hmac::HMAC_SHA1_FOR_LEGACY_USE_ONLY, args)),
    builtin("crypto.hmac.sha256", 2, |args| keyed(hmac::HMAC_SHA256, args)),
    builtin("crypto.hmac.sha512", 2, |args| keyed(hmac::HMAC_SHA512, args)),
    builtin("crypto.md5", 1, |args| Ok(Value::from(hex(&md5::Md5::digest(text(args, 0)?.as_bytes()))))),
    builtin("crypto.sha1", 1, |args| hashed(&digest::SHA1_FOR_LEGACY_USE_ONLY, args)),
    builtin("crypto.sha256", 1, |args| hashed(&digest::SHA256, args)),
];

fn hashed(algorithm: &'static digest::Algorithm, args: &[Value]) -> Result<Value, Wrong> {
    Ok(Value::from(hex(digest::digest(algorithm, text(args, 0)?.as_bytes()).as_ref())))
}

fn keyed(algorithm: hmac::Algorithm, args: &[Value]) -> Result<Value, Wrong> {
    let key = hmac::Key::new(algorithm, text(args, 1)?.as_bytes());
    Ok(Value::from(hex(hmac::sign(&key, text(args, 0)?.as_bytes()).as_ref())))
}

/// HMAC over MD5, by RFC 2104.
fn hmac_md5(key: &[u8], message: &[u8]) -> Vec<u8> {
    let mut block = [0_u8; 64];
    let short = if key.len() > block.len() { md5::Md5::digest(key).to_vec() } else { key.to_vec() };
    block[..short.len()].copy_from_slice(&short);
    let pad = |with: u8| block.map(|b| b ^ with);
    let inner = md5::Md5::new().chain_update(pad(0x36)).chain_update(message).finalize();
    md5::Md5::new().chain_update(pad(0x5c)).chain_update(inner).finalize().to_vec()
}

/// Writes bytes in hexadecimal.
pub(super) fn hex(bytes: &[u8]) -> String {
    bytes.iter().fold(String::with_capacity(bytes.len() * 2), |mut out, byte| {
        let _ = write!(out, "{byte:02x}");
        out
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    fn run(name: &str, args: &[&str]) -> String {
        let found = ALL.iter().find(|b| b.name == name).unwrap();
        let args: Vec<Value> = args.iter().map(|a| Value::from(*a)).collect();
        (found.run)(&args).unwrap().to_string()
    }

    #[test]
    fn published_values_come_out() {
        for (name, args, want) in [
            ("crypto.md5", &["abc"][..], "900150983cd24fb0d6963f7d28e17f72"),
            ("crypto.sha1", &["abc"], "a9993e364706816aba3e25717850c26c9cd0d89d"),
            ("crypto.sha256", &["abc"], "ba7816bf8f01cfea414140de5dae2223b00361a396177a9cb410ff61f20015ad"),
            (
                "crypto.hmac.md5",
                &["what do ya want for nothing?", "Jefe"],
                "750c783e6ab0b503eaa86e310a5db738",
            ),
            (
                "crypto.hmac.sha1",
                &["what do ya want for nothing?", "Jefe"],
                "effcdf6ae5eb2fa2d27416d5f184df9c259a7c79",
            ),
            (
                "crypto.hmac.sha256",
                &["what do ya want for nothing?", "Jefe"],
                "5bdcc146bf60754e6a042426089575c75a003f089d2739839dec58b964ec3843",
            ),
        ] {
            assert_eq!(run(name, args), format!("\"{want}\""), "{name}");
        }
        assert_eq!(run("crypto.hmac.equal", &["a", "b"]), "false");
    }

    #[test]
    fn what_is_no_text_is_an_error() {
        for builtin in ALL {
            let args = vec![Value::from(1); usize::from(builtin.arity)];
            assert!((builtin.run)(&args).is_err(), "{}", builtin.name);
        }
    }
}
