//! A bundle as a tar file, plain or gzip: its regular files.
//!
//! Must never write a file, follow a link, or unpack more than it may hold.

use std::collections::BTreeSet;

use zlib_rs::{Inflate, InflateFlush, Status};

use super::{LARGEST, inside};

const BLOCK: usize = 512;

/// The most entries, folders counted too.
const MOST: usize = 10_000;

/// Returns the regular files; the error says what is wrong, to be read after the bundle's name.
pub fn read(bytes: &[u8]) -> Result<Vec<(String, Vec<u8>)>, String> {
    if bytes.starts_with(&[0x1f, 0x8b]) { entries(&unzip(bytes)?) } else { entries(bytes) }
}

/// Unpacks one gzip member, up to the limit.
fn unzip(mut input: &[u8]) -> Result<Vec<u8>, String> {
    let mut inflate = Inflate::new(true, 16 + 15);
    let mut out = Vec::new();
    let mut buffer = vec![0; 64 * 1024];
    loop {
        let (read, written) = (inflate.total_in(), inflate.total_out());
        let status = inflate.decompress(input, &mut buffer, InflateFlush::NoFlush);
        let taken = usize::try_from(inflate.total_in() - read).unwrap_or(usize::MAX);
        let made = usize::try_from(inflate.total_out() - written).unwrap_or(usize::MAX);
        input = input.get(taken..).unwrap_or_default();
        out.extend_from_slice(buffer.get(..made).unwrap_or_default());
        if out.len() > LARGEST {
            return Err(format!("it unpacks to more than {LARGEST} bytes"));
        }
        match status {
            Ok(Status::StreamEnd) if input.iter().all(|byte| *byte == 0) => return Ok(out),
            Ok(Status::StreamEnd) => return Err("it has bytes behind its end".into()),
            Ok(_) if taken > 0 || made > 0 => {}
            Ok(_) => return Err("it ends too early".into()),
            Err(_) => return Err("it is not well-formed gzip".into()),
        }
    }
}

fn entries(bytes: &[u8]) -> Result<Vec<(String, Vec<u8>)>, String> {
    let mut files = Vec::new();
    let mut seen = BTreeSet::new();
    let mut long: Option<String> = None;
    let mut at = 0;
    for count in 0.. {
        let header = bytes.get(at..at + BLOCK).ok_or("it is no tar file, or it ends too early")?;
        if header.iter().all(|byte| *byte == 0) {
            let rest = bytes.get(at..).unwrap_or_default();
            return if rest.iter().all(|byte| *byte == 0) {
                Ok(files)
            } else {
                Err("it has bytes behind its end".into())
            };
        }
        if count >= MOST {
            return Err(format!("it has more than {MOST} entries"));
        }
        check_sum(header)?;
        let size = octal(field(header, 124, 12)).ok_or("an entry has no size")?;
        let body =
            bytes.get(at + BLOCK..).and_then(|rest| rest.get(..size)).ok_or("an entry ends too early")?;
        at += BLOCK + size.div_ceil(BLOCK) * BLOCK;
        match header.get(156) {
            Some(b'x') => {
                long = pax(body)?.or(long);
                continue;
            }
            Some(b'g') => {
                if pax(body)?.is_some() {
                    return Err("a header names all its files at once".into());
                }
                continue;
            }
            Some(b'L') => {
                long = Some(text(body)?);
                continue;
            }
            _ => {}
        }
        let name = match long.take() {
            Some(name) => name,
            None => name(header)?,
        };
        match header.get(156) {
            Some(b'0' | 0) if !name.ends_with('/') => {
                // OPA writes `/name`; nothing is ever put on a disk by this name.
                let short = name.strip_prefix("./").or(name.strip_prefix('/')).unwrap_or(&name);
                let path = inside(short)?;
                if !seen.insert(path.clone()) {
                    return Err(format!("`{path}` is there twice"));
                }
                files.push((path, body.to_vec()));
            }
            Some(b'0' | 0 | b'5') => {}
            Some(b'1' | b'2') => return Err(format!("`{}` is a link", name.escape_debug())),
            _ => return Err(format!("`{}` is no regular file", name.escape_debug())),
        }
    }
    Ok(files)
}

fn field(header: &[u8], at: usize, len: usize) -> &[u8] {
    header.get(at..at + len).unwrap_or_default()
}

fn text(bytes: &[u8]) -> Result<String, String> {
    let end = bytes.iter().position(|byte| *byte == 0).unwrap_or(bytes.len());
    let text = std::str::from_utf8(bytes.get(..end).unwrap_or_default());
    text.map(str::to_owned).map_err(|_| "a name is not UTF-8".into())
}

fn name(header: &[u8]) -> Result<String, String> {
    let name = text(field(header, 0, 100))?;
    let prefix =
        if field(header, 257, 6) == b"ustar\0" { text(field(header, 345, 155))? } else { String::new() };
    Ok(if prefix.is_empty() { name } else { format!("{prefix}/{name}") })
}

fn octal(bytes: &[u8]) -> Option<usize> {
    let text = std::str::from_utf8(bytes).ok()?;
    let digits = text.trim_matches(|c: char| c == '\0' || c == ' ');
    usize::from_str_radix(digits, 8).ok().filter(|size| *size <= LARGEST)
}

fn check_sum(header: &[u8]) -> Result<(), String> {
    let sum: usize = header
        .iter()
        .enumerate()
        .map(|(at, byte)| if (148..156).contains(&at) { usize::from(b' ') } else { usize::from(*byte) })
        .sum();
    if octal(field(header, 148, 8)) == Some(sum) { Ok(()) } else { Err("it is no tar file".into()) }
}

/// Returns the path of an extended header; a header that gives another size or a link is refused.
fn pax(mut body: &[u8]) -> Result<Option<String>, String> {
    let wrong = || "an extended header is not well-formed".to_owned();
    let mut path = None;
    while !body.is_empty() {
        let space = body.iter().take(8).position(|byte| *byte == b' ').ok_or_else(wrong)?;
        let length =
            std::str::from_utf8(body.get(..space).unwrap_or_default()).ok().and_then(|n| n.parse().ok());
        let length: usize =
            length.filter(|length| *length > space + 1 && *length <= body.len()).ok_or_else(wrong)?;
        let (record, rest) = body.split_at_checked(length).ok_or_else(wrong)?;
        let record = record.get(space + 1..).and_then(|r| r.strip_suffix(b"\n")).ok_or_else(wrong)?;
        let at = record.iter().position(|byte| *byte == b'=').ok_or_else(wrong)?;
        let (key, value) = record.split_at_checked(at).ok_or_else(wrong)?;
        match key {
            b"path" => path = Some(text(value.get(1..).unwrap_or_default())?),
            b"size" | b"linkpath" => return Err("an extended header changes a size or a link".into()),
            _ => {}
        }
        body = rest;
    }
    Ok(path)
}

#[cfg(test)]
pub(super) mod tests {
    use proptest::prelude::*;

    use super::*;

    /// A tar entry, as `tar` writes it.
    pub(crate) fn entry(name: &str, kind: u8, body: &[u8]) -> Vec<u8> {
        let mut header = vec![0_u8; BLOCK];
        header[..name.len()].copy_from_slice(name.as_bytes());
        header[100..107].copy_from_slice(b"0000644");
        header[124..135].copy_from_slice(format!("{:011o}", body.len()).as_bytes());
        header[156] = kind;
        header[257..263].copy_from_slice(b"ustar\0");
        header[148..156].copy_from_slice(b"        ");
        let sum: u32 = header.iter().map(|b| u32::from(*b)).sum();
        header[148..155].copy_from_slice(format!("{sum:06o}\0").as_bytes());
        header.extend_from_slice(body);
        header.resize(header.len().div_ceil(BLOCK) * BLOCK, 0);
        header
    }

    fn whole(parts: &[Vec<u8>]) -> Vec<u8> {
        let mut tar = parts.concat();
        tar.resize(tar.len() + 2 * BLOCK, 0);
        tar
    }

    #[test]
    fn regular_files_are_read_and_nothing_else_is_taken() {
        let pax = b"30 path=a/long/name/deny.rego\n";
        assert_eq!(pax.len(), 30);
        let tar = whole(&[
            entry("pax_global_header", b'g', b"52 comment=0123456789012345678901234567890123456789\n"),
            entry("./", b'5', b""),
            entry("/.manifest", b'0', b"{}"),
            entry("./a.rego", b'0', b"package a"),
            entry("x", b'x', pax),
            entry("short", b'0', b"package b"),
        ]);
        let names: Vec<_> = read(&tar).unwrap().into_iter().map(|(name, body)| (name, body.len())).collect();
        let want = [(".manifest", 2), ("a.rego", 9), ("a/long/name/deny.rego", 9)];
        assert_eq!(names, want.map(|(name, len)| (name.to_owned(), len)));
        for (parts, want) in [
            (vec![entry("../a.rego", b'0', b"")], "../a.rego"),
            (vec![entry("//a.rego", b'0', b"")], "absolute"),
            (vec![entry("a/../../b", b'0', b"")], "a/../../b"),
            (vec![entry("a", b'2', b"")], "is a link"),
            (vec![entry("a", b'1', b"")], "is a link"),
            (vec![entry("a", b'3', b"")], "no regular file"),
            (vec![entry("a", b'0', b""), entry("./a", b'0', b"")], "twice"),
            (vec![entry("x", b'x', b"14 size=1000\n\n")], "changes a size"),
            (vec![entry("x", b'g', b"10 path=a\n")], "all its files"),
            (vec![entry("x", b'x', b"99 path=a\n")], "not well-formed"),
        ] {
            let error = read(&whole(&parts)).unwrap_err();
            assert!(error.contains(want), "{want}: {error}");
        }
        let mut short = whole(&[entry("a", b'0', b"text")]);
        short.truncate(BLOCK + 2);
        assert!(read(&short).is_err());
        assert!(read(b"no tar").is_err());
    }

    proptest! {
        #[test]
        fn no_bytes_break_the_reader(bytes in proptest::collection::vec(any::<u8>(), 0..2000), at in 0_usize..1500, byte in any::<u8>()) {
            let _ = read(&bytes);
            let mut zipped = vec![0x1f, 0x8b, 8, 0];
            zipped.extend(&bytes);
            let _ = read(&zipped);
            let mut tar = whole(&[entry("a.rego", b'0', b"package a"), entry("x", b'x', b"12 path=a/b\n")]);
            if let Some(place) = tar.get_mut(at) {
                *place = byte;
            }
            let _ = read(&tar);
            let _ = pax(&bytes);
        }
    }
}
