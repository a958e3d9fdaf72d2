//! Lines that look like definitions, in any language.
//!
//! Must never need more than the line: it runs over every line of a repository. Where exact borders matter, syntax trees
//! are asked instead.

/// Words before the name of what is defined.
const BEFORE: &[&[u8]] = &[
    b"actor",
    b"class",
    b"const",
    b"data",
    b"def",
    b"defimpl",
    b"defmacro",
    b"defmodule",
    b"defp",
    b"defprotocol",
    b"enum",
    b"fn",
    b"fun",
    b"func",
    b"function",
    b"impl",
    b"interface",
    b"let",
    b"macro",
    b"message",
    b"mixin",
    b"mod",
    b"module",
    b"namespace",
    b"newtype",
    b"object",
    b"package",
    b"protocol",
    b"record",
    b"service",
    b"static",
    b"struct",
    b"sub",
    b"trait",
    b"type",
    b"typedef",
    b"union",
    b"val",
    b"var",
];

/// Words that may stand before those.
const AROUND: &[&[u8]] = &[
    b"abstract",
    b"async",
    b"case",
    b"companion",
    b"crate",
    b"declare",
    b"default",
    b"export",
    b"extern",
    b"final",
    b"in",
    b"inline",
    b"internal",
    b"local",
    b"mut",
    b"open",
    b"override",
    b"partial",
    b"private",
    b"protected",
    b"pub",
    b"public",
    b"readonly",
    b"sealed",
    b"super",
    b"unsafe",
    b"virtual",
];

/// Words that start a statement, never a definition.
const NEVER: &[&[u8]] = &[
    b"and", b"assert", b"await", b"break", b"catch", b"delete", b"do", b"elif", b"else", b"elsif", b"except",
    b"finally", b"for", b"foreach", b"from", b"go", b"goto", b"if", b"import", b"include", b"loop", b"match",
    b"new", b"not", b"or", b"raise", b"require", b"rescue", b"return", b"switch", b"throw", b"try",
    b"unless", b"until", b"use", b"using", b"when", b"while", b"with", b"yield",
];

const fn is_name(byte: u8) -> bool {
    byte.is_ascii_alphanumeric() || byte == b'_' || byte == b'$' || byte >= 0x80
}

/// What a word says of the line it is in.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Said {
    Before,
    Around,
    Never,
}

const SLOTS: usize = 512;
const SHORTEST: usize = 2;
const LONGEST: usize = 11;

/// All the words, each at the first free place from its own on: most words of a line are none, and that is known at once.
static WORDS: [(&[u8], Said); SLOTS] = {
    let mut table: [(&[u8], Said); SLOTS] = [(b"", Said::Never); SLOTS];
    let lists = [(BEFORE, Said::Before), (AROUND, Said::Around), (NEVER, Said::Never)];
    let mut list = 0;
    while list < lists.len() {
        let (words, said) = lists[list];
        let mut next = 0;
        while next < words.len() {
            let mut at = place(words[next]);
            while !table[at].0.is_empty() {
                at = (at + 1) % SLOTS;
            }
            table[at] = (words[next], said);
            next += 1;
        }
        list += 1;
    }
    table
};

const fn place(word: &[u8]) -> usize {
    let (first, second, last) = (word[0] as usize, word[1] as usize, word[word.len() - 1] as usize);
    (31 * first + 7 * second + 3 * last + 61 * word.len()) % SLOTS
}

/// Returns what a word says.
fn said(word: &[u8]) -> Option<Said> {
    if word.len() < SHORTEST || word.len() > LONGEST {
        return None;
    }
    let mut at = place(word);
    loop {
        match WORDS[at] {
            (b"", _) => return None,
            (known, said) if known == word => return Some(said),
            _ => at = (at + 1) % SLOTS,
        }
    }
}

/// Returns the name that a line seems to define.
pub fn definition(line: &[u8]) -> Option<&[u8]> {
    let indent = line.iter().position(|b| !b.is_ascii_whitespace())?;
    if indent > 12 {
        return None;
    }
    let line = &line[indent..line.len().min(240)];
    match line[0] {
        b'#' => return directive(line),
        byte if !is_name(byte) => return None,
        _ => {}
    }
    let mut at = 0;
    let mut last: Option<&[u8]> = None;
    let mut keyword = false;
    for _ in 0..8 {
        let start = at;
        while at < line.len() && is_name(line[at]) {
            at += 1;
        }
        let word = &line[start..at];
        if word.is_empty() {
            break;
        }
        let next = line.get(at).copied().unwrap_or(b' ');
        let said = said(word);
        if keyword && !matches!(said, Some(Said::Around | Said::Before)) {
            // A Go method has its receiver between the keyword and the name.
            return Some(word);
        }
        if said == Some(Said::Never) {
            return None;
        }
        if said == Some(Said::Before) {
            if indent > 4 && matches!(word, b"let" | b"const" | b"var" | b"val" | b"static") {
                return None;
            }
            keyword = true;
        }
        last = Some(word);
        if keyword && next == b' ' && line.get(at + 1) == Some(&b'(') {
            return receiver(&line[at + 1..]);
        }
        if keyword && next == b'<' {
            at += line[at..].iter().position(|b| *b == b'>').map_or(0, |end| end + 1);
        } else if !keyword && next == b'(' && word.len() > 2 && said != Some(Said::Around) {
            // `name(…) {` is a method; a call ends otherwise.
            let end = line.trim_ascii_end().last().copied();
            return (matches!(end, Some(b'{'))
                || (indent == 0 && start > 0 && matches!(end, Some(b')' | b',' | b'{'))))
            .then_some(word);
        }
        while at < line.len()
            && matches!(line[at], b' ' | b'\t' | b'*' | b'&' | b'!' | b'(' | b')' | b'[' | b']' | b'.' | b':')
        {
            at += 1;
        }
    }
    let rest = line[at..].trim_ascii_start();
    let assigned = indent == 0 && rest.first() == Some(&b'=') && rest.get(1) != Some(&b'=');
    last.filter(|_| assigned)
}

fn receiver(line: &[u8]) -> Option<&[u8]> {
    let close = line.iter().position(|b| *b == b')')?;
    let rest = line[close + 1..].trim_ascii_start();
    let end = rest.iter().position(|b| !is_name(*b)).unwrap_or(rest.len());
    (end > 0).then(|| &rest[..end])
}

fn directive(line: &[u8]) -> Option<&[u8]> {
    let rest = line.strip_prefix(b"#define ")?.trim_ascii_start();
    let end = rest.iter().position(|b| !is_name(*b)).unwrap_or(rest.len());
    (end > 0).then(|| &rest[..end])
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_word_is_in_one_list_and_found() {
        let mut all = 0;
        for (words, says) in [(BEFORE, Said::Before), (AROUND, Said::Around), (NEVER, Said::Never)] {
            assert!(words.is_sorted());
            for word in words {
                assert!((SHORTEST..=LONGEST).contains(&word.len()));
                assert_eq!(said(word), Some(says), "{}", String::from_utf8_lossy(word));
            }
            all += words.len();
        }
        assert!(2 * all < SLOTS, "places enough that those of other words are free");
        assert_eq!((said(b"name"), said(b"x"), said(b"defprotocolx")), (None, None, None));
    }

    #[test]
    fn definitions_of_many_languages_are_found() {
        for (line, name) in [
            ("pub(crate) fn run_it<T>(x: T) {", "run_it"),
            ("    def make_app(self):", "make_app"),
            ("export default async function load(x) {", "load"),
            ("export const useThing = () => {", "useThing"),
            ("func (c *Client) Do(req Request) error {", "Do"),
            ("type Config struct {", "Config"),
            ("public static final class Inner<T> extends Base {", "Inner"),
            ("    public void onStart(Bundle b) {", "onStart"),
            ("  defmodule Phoenix.Router do", "Phoenix"),
            ("#define MAX_LEN 3", "MAX_LEN"),
            ("static int parse_it(const char *s)", "int"),
            ("void redisCommand(client *c) {", "redisCommand"),
            ("LIMIT = 3", "LIMIT"),
            ("impl<T> Trait for Thing {", "Trait"),
            ("  protected function boot(): void", "boot"),
        ] {
            assert_eq!(
                definition(line.as_bytes()).map(String::from_utf8_lossy).as_deref(),
                Some(name),
                "{line}"
            );
        }
        for line in [
            "    run(x);",
            "return value",
            "if (x) {",
            "// class of things",
            "",
            "  x == 3",
            "for (a of b) {",
        ] {
            assert_eq!(definition(line.as_bytes()), None, "{line}");
        }
    }
}
