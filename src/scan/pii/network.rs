//! Addresses of machines, which can lead to people.
//!
//! Must never claim more than that it is an address: whose it is cannot be seen.

use std::net::{Ipv4Addr, Ipv6Addr};

use super::add;
use crate::scan::{Confidence, Sink, View};

/// Reports IP and MAC addresses.
pub fn scan(view: &View<'_>, sink: &mut Sink<'_>) {
    let text: &[u8] = &view.text;
    let part = |b: &u8| b.is_ascii_hexdigit() || b":.-".contains(b);
    let mut at = 0;
    while at < text.len() {
        if !part(&text[at]) {
            at += 1;
            continue;
        }
        let start = at;
        while at < text.len() && part(&text[at]) {
            at += 1;
        }
        let word = |at: Option<&u8>| at.is_some_and(|b| b.is_ascii_alphanumeric() || *b == b'_');
        if at - start > 64 || start > 0 && word(text.get(start - 1)) || word(text.get(at)) {
            continue;
        }
        let mut end = at;
        while end > start && b".-".contains(&text[end - 1]) {
            end -= 1;
        }
        let Ok(token) = std::str::from_utf8(&text[start..end]) else { continue };
        let token = token.strip_suffix(':').filter(|t| !t.ends_with(':')).unwrap_or(token);
        let end = start + token.len();
        let v4 = |t: &str| t.split('.').count() == 4 && t.parse::<Ipv4Addr>().is_ok();
        let with_port = token.rsplit_once(':').filter(|(host, port)| v4(host) && port.parse::<u16>().is_ok());
        if is_mac(token) {
            add(sink, "pii/contact", "MAC_ADDRESS", "a MAC address", start..end, Confidence::Low);
        } else if v4(token)
            || with_port.is_some()
            || (token.contains(':') && token.parse::<Ipv6Addr>().is_ok())
        {
            let end = with_port.map_or(end, |(host, _)| start + host.len());
            add(sink, "pii/contact", "IP_ADDRESS", "an IP address", start..end, Confidence::Low);
        }
    }
}

/// Not the one of all machines, nor that of none.
fn is_mac(token: &str) -> bool {
    let digits: String = token.chars().filter(char::is_ascii_hexdigit).collect();
    let grouped = |separator: char, count: usize, width: usize| {
        token.split(separator).count() == count
            && token
                .split(separator)
                .all(|part| part.len() == width && part.bytes().all(|b| b.is_ascii_hexdigit()))
    };
    let shaped = grouped(':', 6, 2) || grouped('-', 6, 2) || grouped('.', 3, 4);
    shaped && !digits.bytes().all(|b| b.eq_ignore_ascii_case(&b'f')) && !digits.bytes().all(|b| b == b'0')
}
