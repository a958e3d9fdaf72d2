//! Bytes in the form of git's binary patches: a zlib stream of stored blocks in base 85.
//!
//! Must never depend on a compressor's version: the same bytes give the same patch for ever.

const ALPHABET: &[u8; 85] =
    b"0123456789ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz!#$%&()*+-;<=>?@^_`{|}~";

/// The bytes of one line before encoding.
const LINE: usize = 52;

/// Appends `literal <size>`, the encoded lines and the blank line that ends them.
pub(super) fn write_literal(out: &mut Vec<u8>, bytes: &[u8]) {
    out.extend_from_slice(format!("literal {}\n", bytes.len()).as_bytes());
    for line in zlib_stored(bytes).chunks(LINE) {
        out.push(length_letter(line.len()));
        for group in line.chunks(4) {
            write_group(out, group);
        }
        out.push(b'\n');
    }
    out.push(b'\n');
}

/// The letter before a line: `A` to `Z` for 1 to 26 bytes, `a` to `z` for 27 to 52.
fn length_letter(length: usize) -> u8 {
    let index = u8::try_from(length.saturating_sub(1)).unwrap_or_default();
    if index < 26 { b'A' + index } else { b'a' + (index - 26) }
}

fn write_group(out: &mut Vec<u8>, group: &[u8]) {
    let mut word = [0_u8; 4];
    word[..group.len()].copy_from_slice(group);
    let mut value = u32::from_be_bytes(word);
    let mut digits = [0_u8; 5];
    for digit in digits.iter_mut().rev() {
        *digit = ALPHABET[(value % 85) as usize];
        value /= 85;
    }
    out.extend_from_slice(&digits);
}

/// A zlib stream (RFC 1950) whose blocks are stored, not compressed.
fn zlib_stored(bytes: &[u8]) -> Vec<u8> {
    let mut out = vec![0x78, 0x01];
    let mut blocks = bytes.chunks(usize::from(u16::MAX)).peekable();
    if blocks.peek().is_none() {
        out.extend_from_slice(&[1, 0, 0, 0xff, 0xff]);
    }
    while let Some(block) = blocks.next() {
        let length = u16::try_from(block.len()).unwrap_or(u16::MAX);
        out.push(u8::from(blocks.peek().is_none()));
        out.extend_from_slice(&length.to_le_bytes());
        out.extend_from_slice(&(!length).to_le_bytes());
        out.extend_from_slice(block);
    }
    out.extend_from_slice(&adler32(bytes).to_be_bytes());
    out
}

fn adler32(bytes: &[u8]) -> u32 {
    let (mut a, mut b) = (1_u32, 0_u32);
    // 5552 additions fit into 32 bits before the remainder must be taken.
    for part in bytes.chunks(5552) {
        for byte in part {
            a += u32::from(*byte);
            b += a;
        }
        a %= 65_521;
        b %= 65_521;
    }
    (b << 16) | a
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_checksum_is_the_known_one() {
        assert_eq!(adler32(b""), 1);
        assert_eq!(adler32(b"Wikipedia"), 0x11e6_0398);
        assert_eq!(adler32(&[0xff; 6000]), adler32(&[0xff; 6000]));
    }

    #[test]
    fn lines_are_headed_by_their_length() {
        assert_eq!([1, 26, 27, 52].map(length_letter), *b"AZaz");
    }
}
