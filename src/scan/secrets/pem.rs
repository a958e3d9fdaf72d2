//! Private keys in PEM blocks, however a program's text splits them.
//!
//! Must never take a head without a body for a key.

use std::ops::Range;

use super::letters::entropy;
use super::value::is_monotone;

/// A private key.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Key {
    /// Where it is, head to foot.
    pub range: Range<usize>,
    /// Its body without line ends.
    pub body: Vec<u8>,
    /// Whether a passphrase protects it.
    pub encrypted: bool,
}

/// The longest key that is read.
const MOST: usize = 24_000;
const LEAST_BODY: usize = 40;
/// An RSA key of 512 bits has more.
const LEAST_RSA: usize = 300;

/// Reads the key whose head starts at `start`.
pub fn at(text: &[u8], start: usize) -> Option<Key> {
    let flat = Flat::new(&text[start..text.len().min(start + MOST)]);
    let bytes = &flat.bytes;
    let label_start = b"-----BEGIN ".len();
    let label_len =
        memchr::memmem::find(bytes.get(label_start..(label_start + 48).min(bytes.len()))?, b"-----")?;
    let label = &bytes[label_start..label_start + label_len];
    memchr::memmem::find(label, b"PRIVATE KEY")?;
    let mut encrypted = label.starts_with(b"ENCRYPTED");
    let mut body = Vec::new();
    let mut at = label_start + label_len + 5;
    let (mut last, mut elided) = (at, false);
    for line in bytes[at..].split_inclusive(|b| *b == b'\n') {
        let content = line.trim_ascii();
        if content.starts_with(b"-----END") || content.starts_with(b"----") {
            last = at + content.len().min(line.len());
            break;
        }
        if let Some(colon) = memchr::memchr(b':', content) {
            // `Proc-Type: 4,ENCRYPTED`, `DEK-Info: ...`, `Version: ...`
            if colon > 24 || !body.is_empty() {
                break;
            }
            encrypted |= memchr::memmem::find(content, b"ENCRYPTED").is_some();
            at += line.len();
            continue;
        }
        let good = content.iter().take_while(|b| b.is_ascii_alphanumeric() || b"+/=".contains(b)).count();
        body.extend_from_slice(&content[..good]);
        last = at + memchr::memmem::find(line, content).unwrap_or(0) + good;
        at += line.len();
        if good < content.len() {
            // A foot on the same line, dots for what was left out, or something that is no key.
            if content[good..].starts_with(b"-----END") {
                last += content[good..].len().min(64);
            } else {
                elided = matches!(content[good], b'.' | b'<' | b'[' | b'*' | 0xe2);
            }
            break;
        }
    }
    let short = label.starts_with(b"RSA") && last < bytes.len() && body.len() < LEAST_RSA;
    let filler = elided
        || short
        || body.len() < LEAST_BODY
        || is_monotone(&body[..LEAST_BODY.min(body.len())])
        || entropy(&body) < 3.5;
    (!filler).then(|| Key { range: start..start + flat.origin(last), body, encrypted })
}

/// A text with the joins of string literals taken out: `"abc" + \n "def"`, `\n` as two characters, comment marks.
struct Flat {
    bytes: Vec<u8>,
    from: Vec<u32>,
}

impl Flat {
    fn new(text: &[u8]) -> Self {
        let mut flat = Self { bytes: Vec::with_capacity(2_048), from: Vec::with_capacity(2_048) };
        let mut at = 0;
        // Before the foot, one look is enough; after it nothing is needed.
        while at < text.len() {
            match text[at] {
                b'\\' => {
                    let slashes = text[at..].iter().take_while(|b| **b == b'\\').count();
                    match text.get(at + slashes) {
                        Some(b'n' | b'r') => {
                            flat.push(b'\n', at);
                            at += slashes + 1;
                        }
                        // A line that goes on, or an escaped quote of a literal in a literal.
                        Some(b'\n' | b'\r' | b'/' | b'"' | b'\'') => at += slashes,
                        _ => break,
                    }
                }
                quote @ (b'"' | b'\'' | b'`') => {
                    let Some(next) = join(text, at + 1, quote) else { break };
                    at = next;
                }
                b'\n' => {
                    flat.push(b'\n', at);
                    at = after_indent(text, at + 1);
                }
                byte => {
                    flat.push(byte, at);
                    at += 1;
                    // The next key is another.
                    if byte == b'N' && flat.bytes.len() > 30 && flat.bytes.ends_with(b"-----BEGIN") {
                        break;
                    }
                    if byte == b'-'
                        && flat.bytes.len() > 60
                        && flat.bytes.ends_with(b"-----")
                        && is_foot(&flat.bytes)
                    {
                        break;
                    }
                }
            }
        }
        flat
    }

    fn push(&mut self, byte: u8, at: usize) {
        self.bytes.push(byte);
        self.from.push(u32::try_from(at).unwrap_or(u32::MAX));
    }

    /// Returns the offset in the text after the last byte before `at`.
    fn origin(&self, at: usize) -> usize {
        let index = at.clamp(1, self.from.len().max(1)) - 1;
        self.from.get(index).map_or(0, |from| *from as usize + 1)
    }
}

fn is_foot(bytes: &[u8]) -> bool {
    let tail = &bytes[bytes.len().saturating_sub(60)..];
    memchr::memmem::rfind(tail, b"-----END ").is_some_and(|at| at + 9 < tail.len() - 5)
}

/// Returns where the literal goes on after a closing quote; `None` when it does not.
fn join(text: &[u8], mut at: usize, quote: u8) -> Option<usize> {
    let limit = text.len().min(at + 200);
    while at < limit {
        match text[at] {
            b' ' | b'\t' | b'\r' | b'\n' | b'+' | b'.' | b',' | b'&' | b'\\' | b'(' | b')' | b'<' => at += 1,
            byte if byte == quote || byte == b'"' || byte == b'\'' => return Some(at + 1),
            _ => return None,
        }
    }
    None
}

fn after_indent(text: &[u8], start: usize) -> usize {
    let mut at = start;
    while text.get(at).is_some_and(|b| b" \t".contains(b)) {
        at += 1;
    }
    for mark in [&b"# "[..], b"// ", b"* ", b"> ", b"-- ", b"; ", b"| "] {
        if text[at..].starts_with(mark) {
            return at + mark.len();
        }
    }
    at
}

#[cfg(test)]
mod tests {
    use super::*;

    const BODY: &str = "MFMCAQEwBwYDK2VwBQAEIgQgq7xTz0LwYb3KkV9nJhR2sQd8uFe5GmXc1pAo4tWy\nZi6NvHl0SgMrE7BjUqCfDx3OyTk5PwIaLh8=";

    fn head(kind: &str) -> String {
        format!("-----{} {kind}{} KEY-----", "BEGIN", "PRIVATE")
    }

    fn foot(kind: &str) -> String {
        format!("-----{} {kind}{} KEY-----", "END", "PRIVATE")
    }

    fn key(text: &str) -> Option<Key> {
        at(text.as_bytes(), text.find("-----").unwrap())
    }

    #[test]
    fn keys_are_read_however_they_are_split() {
        let (a, b) = BODY.split_once('\n').unwrap();
        let (h, f) = (head("EC "), foot("EC "));
        let body = BODY.replace('\n', "");
        for text in [
            format!("{h}\n{BODY}\n{f}\n"),
            format!("{h}\r\n{a}\r\n{b}\r\n{f}"),
            format!("x = '{h}\\n{a}\\n{b}\\n{f}\\n'"),
            format!("{{\"private_key\": \"{h}\\\\n{a}\\\\n{b}\\\\n{f}\"}}"),
            format!("k = \"{h}\\n\" +\n    \"{a}\\n\" +\n    \"{b}\\n\" +\n    \"{f}\""),
            format!("k = \"{}\" \"{}\"\n \"{a}\"\n \"{b}\" \"{f}\"", &h[..14], &h[14..]),
            format!("    # {h}\n    # {a}\n    # {b}\n    # {f}"),
            format!("key: |\n  {h}\n  {a}\n  {b}\n  {f}\n"),
            format!("{h} {body} {f}"),
        ] {
            let found = key(&text).unwrap_or_else(|| panic!("{text}"));
            let start = text.find("-----").unwrap();
            assert!(found.body.starts_with(b"MFMCAQEw") && !found.encrypted, "{text}");
            assert!(
                found.range.start == start && found.range.end <= text.len() && found.range.len() > 100,
                "{text}"
            );
        }
    }

    #[test]
    fn look_alikes_are_no_keys() {
        let (h, f) = (head(""), foot(""));
        for text in [
            format!("{h}\n...\n{f}"),
            format!("{h}\nYOUR KEY HERE\n{f}"),
            format!("{h}\n{BODY}\n...\n{f}"),
            format!("{}\n{BODY}.\n{}", head("RSA "), foot("RSA ")),
            format!("if text.contains(\"{h}\") {{ return; }}"),
            format!("{h}\n{}\n{f}", "A".repeat(64)),
            h.clone(),
            format!("-----BEGIN {} KEY-----\n{BODY}\n", "PUBLIC"),
            format!("-----BEGIN CERTIFICATE-----\n{BODY}\n"),
        ] {
            assert_eq!(key(&text), None, "{text}");
        }
    }

    #[test]
    fn a_passphrase_is_noticed() {
        assert!(key(&format!("{}\n{BODY}\n{}", head("ENCRYPTED "), foot("ENCRYPTED "))).unwrap().encrypted);
        let old = format!(
            "{}\nProc-Type: 4,ENCRYPTED\nDEK-Info: AES-128-CBC,00\n\n{BODY}\n{}",
            head("EC "),
            foot("EC ")
        );
        assert!(key(&old).unwrap().encrypted);
    }
}
