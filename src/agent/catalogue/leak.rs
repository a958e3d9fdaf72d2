//! Whether a text of a committed file looks like a secret.
//!
//! Must never be the only guard: it tells what is plainly a key, and a name where a key was expected.

/// How keys and tokens of well-known issuers start.
const STARTS: &[&str] = &[
    "sk-",
    "sk_",
    "pk_",
    "rk_",
    "ghp_",
    "gho_",
    "ghu_",
    "ghs_",
    "ghr_",
    "github_pat_",
    "glpat-",
    "xoxb-",
    "xoxp-",
    "AIza",
    "ya29.",
    "eyJ",
    "AKIA",
    "ASIA",
    "hf_",
    "gsk_",
    "xai-",
    "Bearer ",
    "bearer ",
    "Basic ",
];

/// Header names that carry credentials.
const HEADERS: &[&str] = &["auth", "api-key", "apikey", "token", "secret", "cookie", "password"];

/// Tells whether a text looks like a key or token of a well-known issuer.
pub fn looks_like_secret(text: &str) -> bool {
    let known = STARTS.iter().any(|start| text.starts_with(start)) && text.len() >= 16;
    known || text.contains("-----BEGIN")
}

/// Tells whether a header of this name carries a credential.
pub fn is_credential_header(name: &str) -> bool {
    let name = name.to_ascii_lowercase();
    HEADERS.iter().any(|word| name.contains(word))
}

/// Tells whether a text is one long word of mixed letters and digits: a key where a name of a variable is expected.
pub fn looks_random(text: &str) -> bool {
    let word =
        text.bytes().all(|b| b.is_ascii_alphanumeric() || b == b'_' || b == b'-' || b == b'=' || b == b'+');
    let has = |kind: fn(&u8) -> bool| text.bytes().filter(kind).count();
    word && text.len() >= 32
        && has(u8::is_ascii_digit) >= 4
        && has(u8::is_ascii_uppercase) >= 4
        && has(u8::is_ascii_lowercase) >= 4
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn keys_are_told_from_names() {
        for secret in [
            "sk-ant-api03-abcdefgh",
            "github_pat_11AAAA0123456789",
            "AIzaSyA1234567890abcdef",
            "Bearer abcdefghijkl",
        ] {
            assert!(looks_like_secret(secret), "{secret}");
        }
        assert!(looks_random("a1B2c3D4e5F6g7H8i9J0k1L2m3N4o5P6"));
        for name in [
            "ANTHROPIC_API_KEY",
            "/run/secrets/key",
            "claude-sonnet-5-5",
            "https://api.openai.com/v1",
            "sk-",
            "",
        ] {
            assert!(!looks_like_secret(name) && !looks_random(name), "{name}");
        }
        assert!(is_credential_header("X-Api-Key") && is_credential_header("authorization"));
        assert!(!is_credential_header("http-referer") && !is_credential_header("anthropic-beta"));
    }
}
