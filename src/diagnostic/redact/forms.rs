//! The forms a secret is printed in: plain, base64, hex, URL-encoded, escaped.
//!
//! Must never miss a form by where in a text it was encoded: base64 has three alignments.

use std::collections::BTreeSet;
use std::fmt::Write as _;
use std::ops::Range;

use base64::Engine as _;
use base64::engine::general_purpose::{STANDARD_NO_PAD, URL_SAFE_NO_PAD};
use zeroize::Zeroizing;

/// One form of a secret.
pub(super) struct Form {
    /// The bytes that are the same wherever the secret was encoded.
    pub pattern: Zeroizing<Vec<u8>>,
    /// True when the character before holds bits of the secret too.
    before: bool,
    /// True when the character after holds bits of the secret too.
    after: bool,
    /// True when padding may follow.
    padded: bool,
}

impl Form {
    fn plain(text: String) -> Self {
        Self { pattern: Zeroizing::new(text.into_bytes()), before: false, after: false, padded: false }
    }

    /// Returns the whole of what was found: with the characters at the edges that hold some bits of the secret.
    pub(super) fn whole(&self, bytes: &[u8], found: Range<usize>) -> Range<usize> {
        let at = |index: Option<usize>| index.and_then(|index| bytes.get(index)).copied();
        let Range { mut start, mut end } = found;
        if self.before && at(start.checked_sub(1)).is_some_and(is_base64) {
            start -= 1;
        }
        if self.after && at(Some(end)).is_some_and(is_base64) {
            end += 1;
        }
        if self.padded {
            end += bytes.iter().skip(end).take(2).take_while(|b| **b == b'=').count();
        }
        start..end
    }
}

fn is_base64(byte: u8) -> bool {
    byte.is_ascii_alphanumeric() || b"+/-_".contains(&byte)
}

/// Returns every form of a secret, each once.
pub(super) fn of(secret: &str) -> Vec<Form> {
    let mut plain = BTreeSet::from([secret.to_owned()]);
    for upper in [false, true] {
        plain.insert(secret.bytes().fold(String::new(), |text, byte| text + &hex(byte, upper)));
        plain.insert(secret.bytes().fold(String::new(), |text, byte| text + "%" + &hex(byte, upper)));
        plain.insert(percent(secret, b"", upper));
        plain.insert(percent(secret, b"-._~", upper));
        // As browsers encode a component, and as forms encode a space.
        plain.insert(percent(secret, b"-._!~*'()", upper));
        plain.insert(percent(secret, b"-._* ", upper).replace(' ', "+"));
        plain.insert(unicode(secret, true, upper));
        plain.insert(unicode(secret, false, upper));
    }
    let json = json(secret);
    plain.insert(self::json(&json));
    plain.insert(json.replace('/', "\\/"));
    plain.insert(json);
    plain.insert(secret.escape_default().to_string());
    plain.insert(
        secret.replace('&', "&amp;").replace('<', "&lt;").replace('>', "&gt;").replace('"', "&quot;"),
    );
    let mut forms: Vec<Form> = plain.into_iter().map(Form::plain).collect();
    for offset in 0..3 {
        forms.extend(base64(secret, offset));
    }
    forms
}

/// Encodes with some bytes before, and keeps the characters that hold bits of the secret only.
fn base64(secret: &str, offset: usize) -> Vec<Form> {
    let mut bytes = Zeroizing::new(vec![0; offset]);
    bytes.extend_from_slice(secret.as_bytes());
    let whole = bytes.len() * 8;
    let (from, to) = ((offset * 8).div_ceil(6), whole / 6);
    let texts = BTreeSet::from([STANDARD_NO_PAD.encode(&*bytes), URL_SAFE_NO_PAD.encode(&*bytes)]);
    let core = |text: &String| text.as_bytes().get(from..to).map(<[u8]>::to_vec).unwrap_or_default();
    let form = |pattern: Vec<u8>| Form {
        pattern: Zeroizing::new(pattern),
        before: offset > 0,
        after: !whole.is_multiple_of(6),
        padded: true,
    };
    texts.iter().map(core).map(form).collect()
}

fn hex(byte: u8, upper: bool) -> String {
    if upper { format!("{byte:02X}") } else { format!("{byte:02x}") }
}

/// URL-encodes all but letters, digits and these.
fn percent(text: &str, kept: &[u8], upper: bool) -> String {
    text.bytes().fold(String::new(), |mut encoded, byte| {
        if byte.is_ascii_alphanumeric() || kept.contains(&byte) {
            encoded.push(char::from(byte));
        } else {
            encoded.push('%');
            encoded.push_str(&hex(byte, upper));
        }
        encoded
    })
}

/// Writes characters as `\u0041`, those beyond the first plane as two; ASCII as it is where `all` is false.
fn unicode(text: &str, all: bool, upper: bool) -> String {
    let mut escaped = String::new();
    for c in text.chars() {
        if !all && c.is_ascii() {
            escaped.push_str(&json(c.encode_utf8(&mut [0; 4])));
            continue;
        }
        for unit in c.encode_utf16(&mut [0; 2]) {
            // Writing to a text does not fail.
            let _ = if upper { write!(escaped, "\\u{unit:04X}") } else { write!(escaped, "\\u{unit:04x}") };
        }
    }
    escaped
}

/// Escapes for a JSON text.
fn json(text: &str) -> String {
    let quoted = serde_json::Value::from(text).to_string();
    quoted.strip_prefix('"').and_then(|rest| rest.strip_suffix('"')).unwrap_or(&quoted).to_owned()
}
