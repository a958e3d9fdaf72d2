//! Addresses of providers.
//!
//! Must never take one that would send a credential or a prompt in the clear to another machine.

/// Checks the address of a provider: https, or http on this machine, and nothing a request could not be joined to.
pub fn check(url: &str) -> Result<(), &'static str> {
    if url.bytes().any(|b| !(0x21..0x7f).contains(&b)) {
        return Err("holds spaces or characters that an address cannot hold");
    }
    let (secure, rest) = match (url.strip_prefix("https://"), url.strip_prefix("http://")) {
        (Some(rest), _) => (true, rest),
        (_, Some(rest)) => (false, rest),
        _ => return Err("must start with https://, or with http:// on this machine"),
    };
    if rest.contains(['?', '#', '\\']) {
        return Err("must have no query and no fragment");
    }
    let authority = rest.split('/').next().unwrap_or_default();
    if authority.contains('@') {
        return Err("must hold no user and no password");
    }
    let host = host(authority).ok_or("must name a host")?;
    if !secure && !is_this_machine(host) {
        return Err("is plain http to another machine; only https is taken there");
    }
    Ok(())
}

/// Tells whether an address is on this machine.
pub fn is_loopback(url: &str) -> bool {
    let rest = url.split_once("://").map_or(url, |(_, rest)| rest);
    host(rest.split('/').next().unwrap_or_default()).is_some_and(is_this_machine)
}

fn host(authority: &str) -> Option<&str> {
    let (host, port) = match authority.strip_prefix('[') {
        Some(rest) => {
            let (host, after) = rest.split_once(']')?;
            host.parse::<std::net::Ipv6Addr>().ok()?;
            (host, after.strip_prefix(':').or(after.is_empty().then_some("0")))
        }
        None => authority.split_once(':').map_or((authority, Some("0")), |(host, port)| (host, Some(port))),
    };
    port?.parse::<u16>().ok()?;
    let plain = |b: u8| b.is_ascii_alphanumeric() || b == b'-' || b == b'.' || b == b':' || b == b'_';
    (!host.is_empty() && host.bytes().all(plain)).then_some(host)
}

fn is_this_machine(host: &str) -> bool {
    let address = host.parse::<std::net::IpAddr>();
    host.eq_ignore_ascii_case("localhost") || address.is_ok_and(|address| address.is_loopback())
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
