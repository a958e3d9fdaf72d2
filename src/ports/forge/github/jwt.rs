//! The JWT of a GitHub App: RS256, signed with its private key.
//!
//! Must never let the key out, nor make a token that lives longer than the ten minutes GitHub takes.
//! Source: docs.github.com, "Generating a JSON Web Token (JWT) for a GitHub App"; RFC 7519, RFC 8017.

use base64::Engine as _;
use base64::engine::general_purpose::{STANDARD, URL_SAFE_NO_PAD};
use ring::rand::SystemRandom;
use ring::signature::{RSA_PKCS1_SHA256, RsaKeyPair};
use zeroize::Zeroizing;

use crate::ports::secret::Secret;

/// Clocks differ by so much, as GitHub's own clients assume.
const SKEW: u64 = 60;
const LIFE: u64 = 9 * 60;

/// Returns the token of an App, made `now` (seconds since 1970); the error is what is wrong with the key.
pub fn sign(app: &str, key: &Secret, now: u64) -> Result<Secret, &'static str> {
    let pair = read(key)?;
    let header = URL_SAFE_NO_PAD.encode(r#"{"alg":"RS256","typ":"JWT"}"#);
    let claims = serde_json::json!({ "iat": now.saturating_sub(SKEW), "exp": now + LIFE, "iss": app });
    let signed = format!("{header}.{}", URL_SAFE_NO_PAD.encode(claims.to_string()));
    let mut signature = vec![0; pair.public().modulus_len()];
    pair.sign(&RSA_PKCS1_SHA256, &SystemRandom::new(), signed.as_bytes(), &mut signature)
        .map_err(|_| "cannot sign")?;
    Ok(Secret::new(format!("{signed}.{}", URL_SAFE_NO_PAD.encode(signature))))
}

/// Reads a key in PEM: PKCS#1 (`RSA PRIVATE KEY`, what GitHub hands out) or PKCS#8 (`PRIVATE KEY`).
fn read(key: &Secret) -> Result<RsaKeyPair, &'static str> {
    // A variable set on one line has its line ends written out.
    let text = Zeroizing::new(key.expose().replace("\\n", "\n"));
    let (start, rest) = text.split_once("-----BEGIN ").ok_or("is no PEM text")?;
    let (label, rest) = rest.split_once("-----").ok_or("is no PEM text")?;
    let (body, _) = rest.split_once("-----END ").ok_or("is no whole PEM text")?;
    if !start.trim().is_empty() {
        return Err("has text before its PEM");
    }
    let body = Zeroizing::new(body.chars().filter(|c| !c.is_whitespace()).collect::<String>());
    let bytes = Zeroizing::new(STANDARD.decode(body.as_bytes()).map_err(|_| "is broken base64")?);
    match label {
        "RSA PRIVATE KEY" => RsaKeyPair::from_der(&bytes).map_err(|_| "is no RSA key of 2048 bits or more"),
        "PRIVATE KEY" => RsaKeyPair::from_pkcs8(&bytes).map_err(|_| "is no RSA key of 2048 bits or more"),
        "ENCRYPTED PRIVATE KEY" => Err("is locked with a password"),
        _ => Err("is no RSA private key"),
    }
}
