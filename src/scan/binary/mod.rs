//! Files that nobody can read in a review: programs, archives, and source that was packed on purpose.
//!
//! Must never unpack anything: the first bytes say what a file is.

mod packed;

use super::{Confidence, Found, Scanner, Sink, View};

/// A program, by its first bytes; attributes `kind` and `disguised`.
pub const EXECUTABLE: &str = "content/executable";
/// An archive, by its first bytes; attribute `kind`.
pub const ARCHIVE: &str = "content/archive";
/// Source that hides what it does; attribute `kind`.
pub const OBFUSCATED: &str = "content/obfuscated";

/// Finds what cannot be read.
#[derive(Clone, Copy, Debug)]
pub struct Binary;

impl Scanner for Binary {
    fn name(&self) -> &'static str {
        "binary"
    }

    fn codes(&self) -> &'static [&'static str] {
        &[EXECUTABLE, ARCHIVE, OBFUSCATED]
    }

    fn scan(&self, view: &View<'_>, sink: &mut Sink<'_>) {
        let (path, bytes) = (view.source.path, view.source.bytes);
        if let Some((code, kind, what)) = magic(bytes) {
            let disguised = code == EXECUTABLE && is_disguise(view.extension());
            let message = if disguised {
                format!("`{path}` is {what} under the name of something else")
            } else {
                format!("`{path}` is {what}")
            };
            let mut found = Found::file(code, message, path, Confidence::High)
                .with("kind", kind)
                .with("where", view.place().name());
            if disguised {
                found = found.with("disguised", "yes");
            }
            sink.add(found);
        } else if !view.binary {
            packed::scan(view, sink);
        }
    }
}

/// Says what a file is by its first bytes.
fn magic(bytes: &[u8]) -> Option<(&'static str, &'static str, &'static str)> {
    let program = |kind, what| Some((EXECUTABLE, kind, what));
    let archive = |kind, what| Some((ARCHIVE, kind, what));
    match bytes {
        [0x7f, b'E', b'L', b'F', ..] => program("elf", "a program (ELF)"),
        [b'M', b'Z', ..] if is_pe(bytes) => program("pe", "a program (PE)"),
        [0xfe, 0xed, 0xfa, 0xce | 0xcf, ..] | [0xce | 0xcf, 0xfa, 0xed, 0xfe, ..] => {
            program("mach-o", "a program (Mach-O)")
        }
        // A class file has its version where a fat binary has the number of its parts.
        [0xca, 0xfe, 0xba, 0xbe, 0, 0, 0, parts, ..] if (1..30).contains(parts) => {
            program("mach-o", "a program (Mach-O)")
        }
        [0xca, 0xfe, 0xba, 0xbe, _, _, 0, version, ..] if *version >= 45 => program("class", "a Java class"),
        [0, b'a', b's', b'm', 1, 0, 0, 0, ..] => program("wasm", "a WebAssembly module"),
        [b'd', b'e', b'x', b'\n', b'0', ..] => program("dex", "an Android program (DEX)"),
        [b'P', b'K', 3, 4, ..] => archive("zip", "an archive (zip)"),
        [0x1f, 0x8b, 8, ..] => archive("gzip", "an archive (gzip)"),
        [b'B', b'Z', b'h', b'1'..=b'9', 0x31, 0x41, ..] => archive("bzip2", "an archive (bzip2)"),
        [0xfd, b'7', b'z', b'X', b'Z', 0, ..] => archive("xz", "an archive (xz)"),
        [0x28, 0xb5, 0x2f, 0xfd, ..] => archive("zstd", "an archive (zstd)"),
        [b'7', b'z', 0xbc, 0xaf, 0x27, 0x1c, ..] => archive("7z", "an archive (7z)"),
        [b'R', b'a', b'r', b'!', 0x1a, 7, ..] => archive("rar", "an archive (rar)"),
        [b'!', b'<', b'a', b'r', b'c', b'h', b'>', b'\n', ..] => archive("ar", "an archive (ar)"),
        [0xed, 0xab, 0xee, 0xdb, ..] => archive("rpm", "a package (rpm)"),
        [b'M', b'S', b'C', b'F', 0, 0, 0, 0, ..] => archive("cab", "an archive (cab)"),
        _ if bytes.get(257..262) == Some(b"ustar") => archive("tar", "an archive (tar)"),
        _ => None,
    }
}

fn is_pe(bytes: &[u8]) -> bool {
    let Some(at) = bytes.get(0x3c..0x40).and_then(|b| b.try_into().ok()).map(u32::from_le_bytes) else {
        return false;
    };
    let at = at as usize;
    at.checked_add(4).and_then(|end| bytes.get(at..end)) == Some(b"PE\0\0")
}

/// Tells whether a name with this ending promises anything but a program.
fn is_disguise(extension: &str) -> bool {
    [
        "png", "jpg", "jpeg", "gif", "webp", "svg", "ico", "bmp", "txt", "md", "json", "yml", "yaml", "toml",
        "xml", "html", "css", "js", "ts", "py", "rb", "rs", "go", "java", "c", "h", "sh", "pdf", "csv",
        "log", "woff", "woff2", "ttf", "mp3", "mp4", "wav", "lock",
    ]
    .iter()
    .any(|known| known.eq_ignore_ascii_case(extension))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::scan::{Source, Worker};
    use proptest::prelude::*;

    fn facts(path: &str, bytes: &[u8]) -> Vec<crate::scan::Fact> {
        let mut worker = Worker::new(&[&Binary], None);
        worker.scan(&Source::new(path, bytes));
        worker.into_facts()
    }

    #[test]
    fn the_first_bytes_say_what_a_file_is() {
        let mut pe = vec![0_u8; 0x44];
        pe[..2].copy_from_slice(b"MZ");
        pe[0x3c] = 0x40;
        pe[0x40..0x44].copy_from_slice(b"PE\0\0");
        let mut tar = vec![b'x'; 512];
        tar[257..262].copy_from_slice(b"ustar");
        for (bytes, code, kind) in [
            (b"\x7fELF\x02\x01".as_slice(), EXECUTABLE, "elf"),
            (&pe, EXECUTABLE, "pe"),
            (b"\xcf\xfa\xed\xfe\x07", EXECUTABLE, "mach-o"),
            (b"\xca\xfe\xba\xbe\0\0\0\x02", EXECUTABLE, "mach-o"),
            (b"\xca\xfe\xba\xbe\0\0\0\x34", EXECUTABLE, "class"),
            (b"\0asm\x01\0\0\0", EXECUTABLE, "wasm"),
            (b"dex\n035\0", EXECUTABLE, "dex"),
            (b"PK\x03\x04", ARCHIVE, "zip"),
            (b"\x1f\x8b\x08\0", ARCHIVE, "gzip"),
            (&tar, ARCHIVE, "tar"),
        ] {
            let facts = facts("bin/x", bytes);
            assert_eq!(
                facts.iter().map(|f| (f.code, f.attributes["kind"].as_str())).collect::<Vec<_>>(),
                [(code, kind)]
            );
            assert!(!facts[0].attributes.contains_key("disguised"));
        }
        for bytes in [b"MZ and no program".as_slice(), b"ELF", b"", b"PK", b"#!/bin/sh\n"] {
            assert_eq!(facts("bin/x", bytes), []);
        }
        assert_eq!(facts("logo.png", b"\x7fELF\x02")[0].attributes["disguised"], "yes");
        assert_eq!(facts("tests/a.so", b"\x7fELF\x02")[0].attributes["where"], "tests");
    }

    proptest! {
        #[test]
        fn arbitrary_bytes_never_panic(bytes in proptest::collection::vec(any::<u8>(), 0..400), pe: bool) {
            let _ = facts("a.js", &bytes);
            if pe {
                let _ = facts("a", &[b"MZ", &bytes[..]].concat());
            }
        }
    }
}
