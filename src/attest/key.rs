//! Keys: Ed25519 and P-256, as PEM (PKCS#8 for private keys, RFC 5958; SPKI for public ones, RFC 8410 and RFC 5480).
//!
//! Must never show a private key: `Debug` tells the algorithm and the public part's digest.

use std::fmt;

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use ring::rand::SystemRandom;
use ring::signature::{
    ECDSA_P256_SHA256_ASN1, ECDSA_P256_SHA256_ASN1_SIGNING, ED25519, EcdsaKeyPair, Ed25519KeyPair,
    KeyPair as _, UnparsedPublicKey,
};
use zeroize::Zeroizing;

use super::AttestError;
use crate::artifact::digest::Digest;
use crate::ports::secret::Secret;

/// What stands before the 32 bytes of an Ed25519 key in its SPKI form.
const ED25519_SPKI: [u8; 12] = [0x30, 0x2a, 0x30, 0x05, 0x06, 0x03, 0x2b, 0x65, 0x70, 0x03, 0x21, 0x00];
/// What stands before the 65 bytes of an uncompressed P-256 point in its SPKI form.
const P256_SPKI: [u8; 26] = [
    0x30, 0x59, 0x30, 0x13, 0x06, 0x07, 0x2a, 0x86, 0x48, 0xce, 0x3d, 0x02, 0x01, 0x06, 0x08, 0x2a, 0x86,
    0x48, 0xce, 0x3d, 0x03, 0x01, 0x07, 0x03, 0x42, 0x00,
];
const PRIVATE: &str = "PRIVATE KEY";
const PUBLIC: &str = "PUBLIC KEY";

/// A signature algorithm.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Algorithm {
    /// Ed25519 (RFC 8032).
    Ed25519,
    /// ECDSA over P-256 with SHA-256, signatures in ASN.1 (FIPS 186-5).
    P256,
}

/// A key that signs.
pub struct SigningKey(Pair);

enum Pair {
    Ed25519(Ed25519KeyPair),
    P256(EcdsaKeyPair),
}

/// A key that verifies.
#[derive(Clone, PartialEq, Eq)]
pub struct PublicKey {
    algorithm: Algorithm,
    /// The raw key: 32 bytes, or an uncompressed point.
    raw: Vec<u8>,
}

impl SigningKey {
    /// Makes a new key and returns it as PEM.
    pub fn generate(algorithm: Algorithm) -> Result<Secret, AttestError> {
        let random = SystemRandom::new();
        let failed = |_| AttestError::Sign("the machine has no random numbers");
        let document = match algorithm {
            Algorithm::Ed25519 => Ed25519KeyPair::generate_pkcs8(&random).map_err(failed)?,
            Algorithm::P256 => {
                EcdsaKeyPair::generate_pkcs8(&ECDSA_P256_SHA256_ASN1_SIGNING, &random).map_err(failed)?
            }
        };
        Ok(Secret::new(pem(PRIVATE, document.as_ref())))
    }

    /// Reads a key; `what` is how people know it.
    pub fn from_pem(text: &Secret, what: &str) -> Result<Self, AttestError> {
        let refused = |why| AttestError::Key { what: what.to_owned(), why };
        let der = unpem(PRIVATE, text.expose()).ok_or_else(|| refused("it is no PEM of a PKCS#8 key"))?;
        if let Ok(pair) = Ed25519KeyPair::from_pkcs8_maybe_unchecked(&der) {
            return Ok(Self(Pair::Ed25519(pair)));
        }
        let pair = EcdsaKeyPair::from_pkcs8(&ECDSA_P256_SHA256_ASN1_SIGNING, &der, &SystemRandom::new());
        pair.map(|pair| Self(Pair::P256(pair))).map_err(|_| refused("it is neither Ed25519 nor P-256"))
    }

    /// Signs bytes.
    pub fn sign(&self, bytes: &[u8]) -> Result<Vec<u8>, AttestError> {
        match &self.0 {
            Pair::Ed25519(pair) => Ok(pair.sign(bytes).as_ref().to_vec()),
            Pair::P256(pair) => pair
                .sign(&SystemRandom::new(), bytes)
                .map(|signature| signature.as_ref().to_vec())
                .map_err(|_| AttestError::Sign("the machine has no random numbers")),
        }
    }

    /// Returns the public part.
    pub fn public(&self) -> PublicKey {
        match &self.0 {
            Pair::Ed25519(pair) => {
                PublicKey { algorithm: Algorithm::Ed25519, raw: pair.public_key().as_ref().to_vec() }
            }
            Pair::P256(pair) => {
                PublicKey { algorithm: Algorithm::P256, raw: pair.public_key().as_ref().to_vec() }
            }
        }
    }
}

impl fmt::Debug for SigningKey {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_tuple("SigningKey").field(&self.public()).finish()
    }
}

impl PublicKey {
    /// Reads a public key; `what` is how people know it.
    pub fn from_pem(text: &str, what: &str) -> Result<Self, AttestError> {
        let refused = |why| AttestError::Key { what: what.to_owned(), why };
        if text.contains("PRIVATE KEY") {
            return Err(refused("it is a private key; give the public one"));
        }
        let der = unpem(PUBLIC, text).ok_or_else(|| refused("it is no PEM of a public key"))?;
        if let Some(raw) = der.strip_prefix(&ED25519_SPKI).filter(|raw| raw.len() == 32) {
            return Ok(Self { algorithm: Algorithm::Ed25519, raw: raw.to_vec() });
        }
        match der.strip_prefix(&P256_SPKI).filter(|raw| raw.len() == 65 && raw[0] == 4) {
            Some(raw) => Ok(Self { algorithm: Algorithm::P256, raw: raw.to_vec() }),
            None => Err(refused("it is neither Ed25519 nor P-256")),
        }
    }

    /// Returns the key as PEM.
    pub fn to_pem(&self) -> String {
        pem(PUBLIC, &self.spki())
    }

    /// Returns the name of the key: the digest of its SPKI form, in hex.
    pub fn id(&self) -> String {
        Digest::of(self.spki()).hex().to_owned()
    }

    fn spki(&self) -> Vec<u8> {
        let head: &[u8] = match self.algorithm {
            Algorithm::Ed25519 => &ED25519_SPKI,
            Algorithm::P256 => &P256_SPKI,
        };
        [head, &self.raw].concat()
    }

    /// Tells whether a signature over bytes is of this key.
    pub fn verifies(&self, bytes: &[u8], signature: &[u8]) -> bool {
        match self.algorithm {
            Algorithm::Ed25519 => {
                UnparsedPublicKey::new(&ED25519, &self.raw).verify(bytes, signature).is_ok()
            }
            Algorithm::P256 => {
                UnparsedPublicKey::new(&ECDSA_P256_SHA256_ASN1, &self.raw).verify(bytes, signature).is_ok()
            }
        }
    }
}

impl fmt::Debug for PublicKey {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{:?} {}", self.algorithm, self.id())
    }
}

fn pem(label: &str, der: &[u8]) -> String {
    let body = Zeroizing::new(STANDARD.encode(der));
    let mut text = format!("-----BEGIN {label}-----\n");
    for line in body.as_bytes().chunks(64) {
        text.push_str(&String::from_utf8_lossy(line));
        text.push('\n');
    }
    text + &format!("-----END {label}-----\n")
}

/// Returns what is between the lines of a label; nothing else may be in the text.
fn unpem(label: &str, text: &str) -> Option<Zeroizing<Vec<u8>>> {
    let text = text.trim();
    let body = text.strip_prefix(&format!("-----BEGIN {label}-----"))?;
    let body = body.strip_suffix(&format!("-----END {label}-----"))?;
    let body: Zeroizing<String> = Zeroizing::new(body.split_ascii_whitespace().collect());
    STANDARD.decode(body.as_bytes()).ok().map(Zeroizing::new)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_key_goes_out_and_comes_back_and_verifies_only_its_own() {
        let other = SigningKey::from_pem(&SigningKey::generate(Algorithm::Ed25519).unwrap(), "o").unwrap();
        for algorithm in [Algorithm::Ed25519, Algorithm::P256] {
            let text = SigningKey::generate(algorithm).unwrap();
            let key = SigningKey::from_pem(&text, "test").unwrap();
            let public = PublicKey::from_pem(&key.public().to_pem(), "test").unwrap();
            assert_eq!(public, key.public());
            let signature = key.sign(b"text").unwrap();
            assert!(public.verifies(b"text", &signature));
            assert!(!public.verifies(b"texts", &signature) && !public.verifies(b"text", &signature[1..]));
            assert!(!other.public().verifies(b"text", &signature));
            let shown = format!("{key:?}");
            assert!(shown.contains(&public.id()) && !text.expose().contains(&shown), "{shown}");
            assert!(PublicKey::from_pem(text.expose(), "x").is_err(), "a private key is no public one");
        }
        for bad in ["", "-----BEGIN PUBLIC KEY-----\n!\n-----END PUBLIC KEY-----", "x"] {
            assert!(PublicKey::from_pem(bad, "x").is_err(), "{bad}");
            assert!(SigningKey::from_pem(&Secret::new(bad.into()), "x").is_err(), "{bad}");
        }
    }
}
