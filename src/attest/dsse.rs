//! DSSE envelopes (secure-systems-lab/dsse, protocol v1.0.2): a payload with its type, and signatures over both.
//!
//! Must never hand out a payload as verified that no given key signed.

use base64::Engine as _;
use base64::engine::general_purpose::{STANDARD, URL_SAFE};
use serde::{Deserialize, Serialize};

use super::{AttestError, PublicKey, SigningKey};

/// The type of the payload of every statement.
pub const PAYLOAD_TYPE: &str = "application/vnd.in-toto+json";

/// An envelope.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub struct Envelope {
    /// The payload, base64.
    pub payload: String,
    /// What it is.
    pub payload_type: String,
    /// The signatures.
    pub signatures: Vec<Signature>,
}

/// A signature.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Signature {
    /// The signature, base64.
    pub sig: String,
    /// The name of the key; a hint, nothing is believed because of it.
    #[serde(default, skip_serializing_if = "String::is_empty")]
    pub keyid: String,
}

/// Returns the bytes that are signed: the pre-authentication encoding.
pub fn pae(payload_type: &str, payload: &[u8]) -> Vec<u8> {
    let mut bytes = format!("DSSEv1 {} {payload_type} {} ", payload_type.len(), payload.len()).into_bytes();
    bytes.extend_from_slice(payload);
    bytes
}

fn decode(text: &str) -> Option<Vec<u8>> {
    STANDARD.decode(text).or_else(|_| URL_SAFE.decode(text)).ok()
}

impl Envelope {
    /// Signs a payload.
    pub fn sign(payload: &[u8], key: &SigningKey) -> Result<Self, AttestError> {
        let sig = STANDARD.encode(key.sign(&pae(PAYLOAD_TYPE, payload))?);
        Ok(Self {
            payload: STANDARD.encode(payload),
            payload_type: PAYLOAD_TYPE.into(),
            signatures: vec![Signature { sig, keyid: key.public().id() }],
        })
    }

    /// Returns the payload as it is, whoever signed it; `None` where it is no base64.
    pub fn payload(&self) -> Option<Vec<u8>> {
        decode(&self.payload)
    }

    /// Returns the key of those given that signed the payload, if one did.
    pub fn signer<'a>(&self, keys: &'a [PublicKey]) -> Option<&'a PublicKey> {
        let signed = pae(&self.payload_type, &self.payload()?);
        let signatures: Vec<Vec<u8>> = self.signatures.iter().filter_map(|s| decode(&s.sig)).collect();
        keys.iter().find(|key| signatures.iter().any(|signature| key.verifies(&signed, signature)))
    }
}

#[cfg(test)]
mod tests {
    use super::super::Algorithm;
    use super::*;

    #[test]
    fn the_encoding_is_that_of_the_protocol() {
        // The example of the protocol's text.
        assert_eq!(
            pae("http://example.com/HelloWorld", b"hello world"),
            b"DSSEv1 29 http://example.com/HelloWorld 11 hello world"
        );
    }

    #[test]
    fn type_and_payload_are_both_signed() {
        let text = SigningKey::generate(Algorithm::P256).unwrap();
        let key = SigningKey::from_pem(&text, "test").unwrap();
        let keys = [key.public()];
        let good = Envelope::sign(b"{}", &key).unwrap();
        assert_eq!(good.signer(&keys), Some(&keys[0]));
        let with = |change: fn(&mut Envelope)| {
            let mut envelope = good.clone();
            change(&mut envelope);
            envelope
        };
        for bad in [
            with(|e| e.payload = STANDARD.encode("{ }")),
            with(|e| e.payload_type = "text/plain".into()),
            with(|e| e.signatures.clear()),
            with(|e| e.signatures[0].sig = STANDARD.encode("x")),
        ] {
            assert_eq!(bad.signer(&keys), None, "{bad:?}");
        }
        assert_eq!(good.signer(&[]), None);
    }
}
