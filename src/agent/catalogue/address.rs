//! Addresses of providers, as they may stand in a file.
//!
//! Must never take one the transport would refuse: it asks the same parser, and is stricter where a file allows no excuse.

use crate::ports::model::http;

/// Checks the address of a provider; what is wrong is to be read after the address.
pub fn check(url: &str) -> Result<(), String> {
    if url.bytes().any(|b| !(0x21..0x7f).contains(&b) || b == b'\\') {
        return Err("holds spaces or characters that an address cannot hold".into());
    }
    // The parser forgives a missing host; a file that says so is wrong.
    let rest = url.split_once("://").map_or("", |(_, rest)| rest);
    if rest.is_empty() || rest.starts_with('/') {
        return Err("must start with https://, or with http:// on this machine, and name a host".into());
    }
    match http::checked_url(url) {
        Ok(checked) if checked.query().is_some() => Err("must have no query".into()),
        Ok(_) => Ok(()),
        Err(error) => Err(format!("cannot be used: {error}")),
    }
}

/// Tells whether an address is on this machine.
pub fn is_loopback(url: &str) -> bool {
    http::checked_url(url).is_ok_and(|url| http::is_loopback(&url))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_safe_addresses_are_taken() {
        for url in [
            "https://api.openai.com/v1",
            "https://a.example:8443/x/",
            "http://127.0.0.1:11434/v1",
            "http://localhost",
            "http://[::1]:80/v1",
        ] {
            assert_eq!(check(url), Ok(()), "{url}");
        }
        for url in [
            "",
            "api.openai.com",
            "ftp://a",
            "http://api.openai.com/v1",
            "http://localhost.evil.example/",
            "http://127.0.0.1.evil.example/",
            "http://localhost@evil.example/",
            "https://user:pass@a.example",
            "https://a.example/?key=1",
            "https://a.example/#x",
            "https://",
            "https:///v1",
            "https://a.example:99999",
            "https://a b",
            "https://a\u{200b}.example",
            "http://localhost\\@evil.example",
        ] {
            assert!(check(url).is_err(), "{url}");
        }
        assert!(is_loopback("http://[::1]:1/v1") && is_loopback("https://127.0.0.2/"));
        assert!(!is_loopback("https://ollama.com/v1"));
    }
}
