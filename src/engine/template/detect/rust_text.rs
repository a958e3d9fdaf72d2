//! Rust source with comments and the insides of literals blanked out, byte for byte in place.
//!
//! Must never change a length: offsets in the masked text are offsets in the source.

/// Returns the source with comments and the insides of string and character literals as spaces.
pub fn mask(source: &str) -> String {
    let bytes = source.as_bytes();
    let mut out = bytes.to_vec();
    let mut at = 0;
    while at < bytes.len() {
        let end = match bytes[at] {
            b'/' if bytes.get(at + 1) == Some(&b'/') => line_comment(bytes, at),
            b'/' if bytes.get(at + 1) == Some(&b'*') => block_comment(bytes, at),
            b'"' => string(bytes, at),
            b'r' if !after_word(bytes, at) => raw_string(bytes, at),
            b'\'' => character(bytes, at),
            _ => at + 1,
        };
        // The marks of a literal stay, so that one can be seen; a comment goes as a whole.
        let keep = bytes[at] != b'/' || end == at + 1;
        for (n, byte) in out.iter_mut().enumerate().take(end).skip(at) {
            let mark = keep && (n == at || n + 1 == end) && byte.is_ascii();
            if !mark && *byte != b'\n' {
                *byte = b' ';
            }
        }
        at = end;
    }
    String::from_utf8(out).unwrap_or_else(|_| " ".repeat(bytes.len()))
}

fn after_word(bytes: &[u8], at: usize) -> bool {
    at > 0 && (bytes[at - 1].is_ascii_alphanumeric() || bytes[at - 1] == b'_')
}

fn line_comment(bytes: &[u8], at: usize) -> usize {
    bytes[at..].iter().position(|b| *b == b'\n').map_or(bytes.len(), |n| at + n)
}

fn block_comment(bytes: &[u8], mut at: usize) -> usize {
    let mut depth = 0_usize;
    while at < bytes.len() {
        if bytes[at..].starts_with(b"/*") {
            depth += 1;
            at += 2;
        } else if bytes[at..].starts_with(b"*/") {
            depth -= 1;
            at += 2;
            if depth == 0 {
                return at;
            }
        } else {
            at += 1;
        }
    }
    bytes.len()
}

fn string(bytes: &[u8], mut at: usize) -> usize {
    at += 1;
    while at < bytes.len() && bytes[at] != b'"' {
        at += if bytes[at] == b'\\' { 2 } else { 1 };
    }
    (at + 1).min(bytes.len())
}

fn raw_string(bytes: &[u8], at: usize) -> usize {
    let hashes = bytes[at + 1..].iter().take_while(|b| **b == b'#').count();
    if bytes.get(at + 1 + hashes) != Some(&b'"') {
        return at + 1;
    }
    let mut close = vec![b'"'];
    close.resize(hashes + 1, b'#');
    let from = at + 2 + hashes;
    bytes[from..]
        .windows(close.len())
        .position(|w| w == close)
        .map_or(bytes.len(), |n| from + n + close.len())
}

/// A character literal, or a lifetime's quote alone.
fn character(bytes: &[u8], at: usize) -> usize {
    if bytes.get(at + 1) == Some(&b'\\') {
        let from = (at + 3).min(bytes.len());
        return bytes[from..].iter().position(|b| *b == b'\'').map_or(bytes.len(), |n| from + n + 1);
    }
    let rest = std::str::from_utf8(&bytes[at + 1..]).unwrap_or_default();
    match rest.chars().next() {
        Some(c) if rest[c.len_utf8()..].starts_with('\'') => at + c.len_utf8() + 2,
        _ => at + 1,
    }
}

/// Returns the offset of the bracket that closes the one at `open` in a masked text.
pub fn closing(masked: &str, open: usize) -> Option<usize> {
    let mut depth = 0_usize;
    for (at, byte) in masked.bytes().enumerate().skip(open) {
        match byte {
            b'(' | b'[' | b'{' => depth += 1,
            b')' | b']' | b'}' => {
                depth = depth.checked_sub(1)?;
                if depth == 0 {
                    return Some(at);
                }
            }
            _ => {}
        }
    }
    None
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn comments_and_literals_are_blank() {
        let source = "a /* x /* y */ */ \"q\\\"{\" r#\"}\"# 'c' '\\n' &'a str // {\nb";
        assert_eq!(mask(source), "a                 \"    \" r    # ' ' '  ' &'a str     \nb");
        assert_eq!(closing("f(a[1])", 1), Some(6));
        assert_eq!(closing("f(", 1), None);
    }

    proptest::proptest! {
        #[test]
        fn lengths_and_lines_stay(source in "[a-z\"'\\\\#/*(){} r\nü]{0,60}") {
            let masked = mask(&source);
            proptest::prop_assert_eq!(masked.len(), source.len());
            proptest::prop_assert_eq!(masked.matches('\n').count(), source.matches('\n').count());
        }
    }
}
