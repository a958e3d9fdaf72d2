//! Tokens of source text in the languages tests are written in: strings and comments told from code, brackets paired.
//!
//! Must never walk a text twice for one token: it is linear, and every text has tokens, well formed or not.

#![expect(clippy::struct_excessive_bools, reason = "what a language has and has not")]

use std::ops::Range;

/// What is special about a language's tokens.
#[derive(Clone, Copy, Debug)]
pub struct Syntax {
    /// `#` begins a comment.
    pub hash: bool,
    /// `//` and `/* */` are comments.
    pub slashes: bool,
    /// `'` begins a string; else it may begin a character.
    pub single: bool,
    /// `"""` (and `'''` where `'` is a quote) begin strings over lines.
    pub triple: bool,
    /// What a backtick begins.
    pub tick: Tick,
    /// `r#"` begins a raw string, and `'a` is a lifetime.
    pub rust: bool,
    /// `/` may begin a regular expression.
    pub regex: bool,
    /// Lines matter: a statement ends with its line unless a bracket is open.
    pub lines: bool,
    /// `<<~WORD` begins a heredoc, and names end with `?` or `!`.
    pub ruby: bool,
    /// `<<<WORD` begins a heredoc.
    pub php: bool,
    /// `@"` begins a string without escapes.
    pub verbatim: bool,
}

/// What a backtick begins.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Tick {
    /// Nothing.
    None,
    /// A string without escapes.
    Raw,
    /// A string with `${code}` in it.
    Template,
}

/// A syntax like C's.
pub const C_LIKE: Syntax = Syntax {
    hash: false,
    slashes: true,
    single: false,
    triple: false,
    tick: Tick::None,
    rust: false,
    regex: false,
    lines: false,
    ruby: false,
    php: false,
    verbatim: false,
};

/// What a token is.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Kind {
    /// A name or keyword.
    Name,
    /// A number.
    Number,
    /// A string, character or regular expression.
    Text,
    /// Anything else; operators of several characters are one token.
    Mark,
}

/// A token.
#[derive(Clone, Copy, Debug)]
pub struct Token {
    /// What it is.
    pub kind: Kind,
    /// Where it starts.
    pub start: usize,
    /// Where it ends.
    pub end: usize,
    /// The line, from 0.
    pub line: u32,
    /// Whether it begins a line (in languages where lines matter: a statement).
    pub first: bool,
    /// How far its line is indented.
    pub indent: u32,
    /// For an opening bracket the token that closes it, and the other way round; itself where there is none.
    pub pair: usize,
}

/// A text and its tokens.
#[derive(Debug)]
pub struct Tokens<'a> {
    /// The text.
    pub text: &'a [u8],
    /// The tokens.
    pub all: Vec<Token>,
    /// The comments.
    pub comments: Vec<Range<usize>>,
}

impl<'a> Tokens<'a> {
    /// Returns the text of a token; empty where there is none.
    pub fn word(&self, at: usize) -> &'a [u8] {
        super::steps::count(1);
        self.all.get(at).and_then(|t| self.text.get(t.start..t.end)).unwrap_or_default()
    }

    /// Tells whether a token is this word.
    pub fn is(&self, at: usize, word: &str) -> bool {
        self.word(at) == word.as_bytes()
    }

    /// Tells whether a token is one of these words.
    pub fn any(&self, at: usize, words: &[&str]) -> bool {
        words.iter().any(|word| self.is(at, word))
    }

    /// Returns what kind of token there is.
    pub fn kind(&self, at: usize) -> Option<Kind> {
        super::steps::count(1);
        self.all.get(at).map(|t| t.kind)
    }

    /// Tells whether a token is a name.
    pub fn name(&self, at: usize) -> Option<&'a str> {
        match self.kind(at)? {
            Kind::Name => std::str::from_utf8(self.word(at)).ok(),
            _ => None,
        }
    }

    /// Returns the token that closes a bracket, if it is one and is closed.
    pub fn close(&self, at: usize) -> Option<usize> {
        let pair = self.all.get(at)?.pair;
        (pair > at).then_some(pair)
    }

    /// Returns the tokens' texts with single spaces between; equal exactly when the tokens are.
    pub fn norm(&self, range: Range<usize>) -> String {
        let mut text = String::new();
        for at in range {
            let word = self.word(at);
            if word.is_empty() {
                break;
            }
            if !text.is_empty() {
                text.push(' ');
            }
            let quote = word.iter().take(3).position(|b| matches!(b, b'\'' | b'"'));
            if let Some(quote) =
                quote.filter(|quote| self.kind(at) == Some(Kind::Text) && word.len() > quote + 1)
            {
                // 'a', "a" and u"a" are the same.
                let prefix = word.get(..quote).unwrap_or_default();
                let inner = word.get(quote + 1..word.len() - 1).unwrap_or_default();
                text.extend(prefix.iter().filter(|b| !matches!(b, b'u' | b'U')).map(|b| char::from(*b)));
                text.push('"');
                text.push_str(&String::from_utf8_lossy(inner));
                text.push('"');
            } else {
                text.push_str(&String::from_utf8_lossy(word));
            }
        }
        text
    }

    /// Splits the inside of a bracket at its commas; an empty part after the last comma is none.
    pub fn arguments(&self, open: usize) -> Vec<Range<usize>> {
        let Some(close) = self.close(open) else { return Vec::new() };
        self.split(open + 1..close, ",")
    }

    /// Splits a range at a mark that is in no bracket within it.
    pub fn split(&self, range: Range<usize>, mark: &str) -> Vec<Range<usize>> {
        let (mut parts, mut from, mut at) = (Vec::new(), range.start, range.start);
        while at < range.end {
            if self.is(at, mark) {
                parts.push(from..at);
                from = at + 1;
            }
            at = self.close(at).filter(|close| *close < range.end).unwrap_or(at) + 1;
        }
        if from < range.end {
            parts.push(from..range.end);
        }
        parts
    }

    /// Returns where the statement that begins at a token ends, in a language where lines matter.
    pub fn line_end(&self, at: usize) -> usize {
        let mut end = at + 1;
        while self.all.get(end).is_some_and(|t| !t.first) {
            end += 1;
        }
        super::steps::count(end - at);
        end.min(self.all.len())
    }

    /// Returns the end of the indented block below the statement that begins at a token.
    pub fn block_end(&self, at: usize) -> usize {
        let Some(indent) = self.all.get(at).map(|t| t.indent) else { return at };
        let mut end = self.line_end(at);
        while self.all.get(end).is_some_and(|t| !t.first || t.indent > indent) {
            end += 1;
        }
        super::steps::count(end - at);
        end.min(self.all.len())
    }
}

struct Lexer<'a> {
    text: &'a [u8],
    syntax: Syntax,
    at: usize,
    line: u32,
    line_start: usize,
    fresh: bool,
    all: Vec<Token>,
    comments: Vec<Range<usize>>,
    heredocs: Vec<Vec<u8>>,
    /// How far this line is indented, once a token asked.
    indent: Option<u32>,
    /// How many bytes may still be walked for regular expressions that turn out to be none.
    guesses: usize,
}

/// Cuts a text into tokens.
pub fn lex(text: &[u8], syntax: Syntax) -> Tokens<'_> {
    let mut lexer = Lexer {
        text,
        syntax,
        at: 0,
        line: 0,
        line_start: 0,
        fresh: true,
        all: Vec::with_capacity(text.len() / 5),
        comments: Vec::new(),
        heredocs: Vec::new(),
        indent: None,
        guesses: text.len().saturating_mul(2) + 4_096,
    };
    while lexer.at < text.len() {
        lexer.step();
    }
    let mut tokens = Tokens { text, all: lexer.all, comments: lexer.comments };
    pair(&mut tokens, syntax.lines);
    tokens
}

const MARKS: [&[u8]; 24] = [
    b"===", b"!==", b"**=", b"...", b"<=>", b"==", b"!=", b"<=", b">=", b"&&", b"||", b"->", b"=>", b"::",
    b"?.", b":=", b"..", b"=~", b"+=", b"-=", b"??", b"!!", b"&.", b"**",
];

impl Lexer<'_> {
    fn byte(&self, ahead: usize) -> u8 {
        self.text.get(self.at + ahead).copied().unwrap_or(0)
    }

    fn starts(&self, mark: &[u8]) -> bool {
        self.text.get(self.at..).is_some_and(|rest| rest.starts_with(mark))
    }

    fn newline(&mut self) {
        self.at += 1;
        self.line += 1;
        self.line_start = self.at;
        self.indent = None;
        self.fresh = true;
        while let Some(word) = self.heredocs.first().cloned() {
            self.heredocs.remove(0);
            self.heredoc(&word);
        }
    }

    /// Skips the body of a heredoc.
    fn heredoc(&mut self, word: &[u8]) {
        while self.at < self.text.len() {
            let rest = self.text.get(self.at..).unwrap_or_default();
            let end = memchr::memchr(b'\n', rest).map_or(self.text.len(), |n| self.at + n);
            let line = self.text.get(self.at..end).unwrap_or_default().trim_ascii();
            let done =
                line == word || (self.syntax.php && line.strip_suffix(b";").is_some_and(|l| l == word));
            self.at = (end + 1).min(self.text.len());
            self.line += 1;
            self.line_start = self.at;
            self.indent = None;
            if done {
                return;
            }
        }
    }

    fn push(&mut self, kind: Kind, end: usize) {
        let end = end.min(self.text.len()).max(self.at + 1);
        let line = self.text.get(self.line_start..).unwrap_or_default();
        let indent = *self.indent.get_or_insert_with(|| {
            let lead = line.iter().take(400).take_while(|b| matches!(b, b' ' | b'\t'));
            lead.map(|b| if *b == b'\t' { 4 } else { 1 }).sum()
        });
        let pair = self.all.len();
        self.all.push(Token { kind, start: self.at, end, line: self.line, first: self.fresh, indent, pair });
        self.fresh = false;
        self.skip_to(end);
    }

    /// Goes on at an offset and counts the lines up to it.
    fn skip_to(&mut self, end: usize) {
        let end = end.min(self.text.len());
        let inside = self.text.get(self.at..end).unwrap_or_default();
        for n in memchr::memchr_iter(b'\n', inside) {
            self.line += 1;
            self.line_start = self.at + n + 1;
            self.indent = None;
        }
        self.at = end.max(self.at);
    }

    fn find(&self, from: usize, what: &[u8]) -> Option<usize> {
        self.text.get(from..).and_then(|rest| memchr::memmem::find(rest, what)).map(|n| from + n)
    }

    fn comment(&mut self, end: usize) {
        self.comments.push(self.at..end);
        self.skip_to(end);
    }

    fn line_end(&self) -> usize {
        self.text
            .get(self.at..)
            .and_then(|rest| memchr::memchr(b'\n', rest))
            .map_or(self.text.len(), |n| self.at + n)
    }

    fn step(&mut self) {
        let (byte, s) = (self.byte(0), self.syntax);
        match byte {
            b'\n' => self.newline(),
            b' ' | b'\t' | b'\r' => self.at += 1,
            b'\\' if self.byte(1) == b'\n' => {
                self.newline();
                self.fresh = false;
            }
            b'#' if s.hash && !(s.php && self.byte(1) == b'[') => self.comment(self.line_end()),
            b'/' if s.slashes && self.byte(1) == b'/' => self.comment(self.line_end()),
            b'/' if s.slashes && self.byte(1) == b'*' => {
                let end = self.find(self.at + 2, b"*/").map_or(self.text.len(), |end| end + 2);
                self.comment(end);
            }
            b'=' if s.ruby && self.fresh && self.starts(b"=begin") => {
                let end = self.find(self.at, b"\n=end").map_or(self.text.len(), |end| end + 5);
                self.comment(end);
            }
            b'"' | b'\'' if s.triple && self.starts(&[byte; 3]) && (byte == b'"' || s.single) => {
                let end = self.find(self.at + 3, &[byte; 3]).map_or(self.text.len(), |end| end + 3);
                self.push(Kind::Text, end);
            }
            b'"' => self.push(Kind::Text, self.quoted(self.at, b'"')),
            b'\'' if s.single => self.push(Kind::Text, self.quoted(self.at, b'\'')),
            b'\'' => self.character(),
            b'`' if s.tick == Tick::Raw => {
                let end = self.find(self.at + 1, b"`").map_or(self.text.len(), |end| end + 1);
                self.push(Kind::Text, end);
            }
            b'`' if s.tick == Tick::Template => self.push(Kind::Text, self.template()),
            b'@' if s.verbatim && self.byte(1) == b'"' => {
                let end = self.find(self.at + 2, b"\"").map_or(self.text.len(), |end| end + 1);
                self.push(Kind::Text, end);
            }
            b'r' if s.rust && self.raw_hashes().is_some() => {
                let hashes = self.raw_hashes().unwrap_or(0);
                let close = [b"\"".as_slice(), &vec![b'#'; hashes]].concat();
                let end =
                    self.find(self.at + 2 + hashes, &close).map_or(self.text.len(), |end| end + close.len());
                self.push(Kind::Text, end);
            }
            b'<' if (s.ruby || s.php) && self.opens_heredoc() => {}
            b'/' if s.regex && self.guesses > 0 && self.regex_may_begin() => match self.regex() {
                Ok(end) => self.push(Kind::Text, end),
                Err(end) => {
                    super::steps::count(end - self.at);
                    self.guesses = self.guesses.saturating_sub(end - self.at);
                    self.push(Kind::Mark, self.at + 1);
                }
            },
            b'0'..=b'9' => self.number(),
            _ if is_name(byte) || (byte == b'@' && s.ruby) => self.name(),
            _ => {
                let len = MARKS.iter().find(|mark| self.starts(mark)).map_or(1, |mark| mark.len());
                self.push(Kind::Mark, self.at + len);
            }
        }
    }

    /// Returns where a quoted text ends; at the line's end when it is not closed and lines cannot be inside.
    fn quoted(&self, from: usize, quote: u8) -> usize {
        let over_lines = self.syntax.rust || self.syntax.ruby || self.syntax.php;
        let mut at = from + 1;
        while let Some(byte) = self.text.get(at) {
            match byte {
                b'\\' => at += 1,
                b'\n' if !over_lines => return at,
                b if *b == quote => return at + 1,
                _ => {}
            }
            at += 1;
        }
        self.text.len()
    }

    fn character(&mut self) {
        // `'x'`, `'\n'`, `'\u{1F600}'`; else a lifetime or a lone quote.
        let rest = self.text.get(self.at + 1..(self.at + 14).min(self.text.len())).unwrap_or_default();
        let end = match rest.first() {
            Some(b'\\') => rest.iter().skip(2).position(|b| *b == b'\'').map(|n| n + 2),
            Some(b'\n') | None => None,
            Some(_) => rest
                .iter()
                .take(5)
                .position(|b| *b == b'\'')
                .filter(|n| *n == 1 || (*n > 1 && rest.first().is_some_and(|b| *b >= 0x80))),
        };
        match end {
            Some(n) => self.push(Kind::Text, self.at + n + 2),
            None => self.push(Kind::Mark, self.at + 1),
        }
    }

    /// Returns where a template ends, code in it and templates in that skipped.
    fn template(&self) -> usize {
        // For each template that is open: how many braces are open in its code; none when in its text.
        let mut open: Vec<Option<u32>> = vec![None];
        let mut at = self.at + 1;
        while let Some(byte) = self.text.get(at) {
            match (open.last_mut(), byte) {
                (Some(None), b'\\') => at += 1,
                (Some(top @ None), b'$') if self.text.get(at + 1) == Some(&b'{') => {
                    *top = Some(0);
                    at += 1;
                }
                (Some(None), b'`') => {
                    open.pop();
                    if open.is_empty() {
                        return at + 1;
                    }
                }
                (Some(Some(_)), b'`') => open.push(None),
                (Some(Some(depth)), b'{') => *depth += 1,
                (Some(top), b'}') => match top {
                    Some(0) => *top = None,
                    Some(depth) => *depth -= 1,
                    None => {}
                },
                _ => {}
            }
            at += 1;
        }
        self.text.len()
    }

    fn raw_hashes(&self) -> Option<usize> {
        let rest = self.text.get(self.at + 1..)?;
        let hashes = rest.iter().take(16).take_while(|b| **b == b'#').count();
        (rest.get(hashes) == Some(&b'"')).then_some(hashes)
    }

    fn opens_heredoc(&mut self) -> bool {
        let mark: &[u8] = if self.syntax.php { b"<<<" } else { b"<<" };
        if !self.starts(mark) {
            return false;
        }
        let rest = self.text.get(self.at + mark.len()..).unwrap_or_default();
        let lead = rest.iter().take(4).take_while(|b| matches!(b, b'~' | b'-' | b'"' | b'\'' | b' ')).count();
        let word: Vec<u8> = rest
            .iter()
            .skip(lead)
            .take(64)
            .take_while(|b| is_name(**b) || b.is_ascii_digit())
            .copied()
            .collect();
        let loud = word.first().is_some_and(|b| b.is_ascii_uppercase() || *b == b'_');
        // `a <<B` is a shift or an append more often than a heredoc without `~` or `-`.
        if !loud || (self.syntax.ruby && !matches!(rest.first(), Some(b'~' | b'-'))) {
            return false;
        }
        let end = self.at + mark.len() + lead + word.len();
        self.heredocs.push(word);
        self.push(Kind::Text, end);
        true
    }

    fn regex_may_begin(&self) -> bool {
        let Some(last) = self.all.last() else { return true };
        let word = self.text.get(last.start..last.end).unwrap_or_default();
        match last.kind {
            Kind::Mark => !matches!(word, b")" | b"]" | b"}"),
            Kind::Name => [
                &b"return"[..],
                b"typeof",
                b"case",
                b"in",
                b"of",
                b"if",
                b"when",
                b"and",
                b"or",
                b"assert_match",
            ]
            .contains(&word),
            _ => false,
        }
    }

    /// Returns where a regular expression ends, or how far none was found.
    fn regex(&self) -> Result<usize, usize> {
        let (mut at, mut class) = (self.at + 1, false);
        while let Some(byte) = self.text.get(at) {
            match byte {
                b'\n' => return Err(at),
                b'\\' => at += 1,
                b'[' => class = true,
                b']' => class = false,
                b'/' if !class => {
                    let flags = self.text.get(at + 1..).unwrap_or_default();
                    return Ok(at + 1 + flags.iter().take(8).take_while(|b| b.is_ascii_alphabetic()).count());
                }
                _ => {}
            }
            at += 1;
        }
        Err(self.text.len())
    }

    fn number(&mut self) {
        let mut end = self.at + 1;
        while let Some(byte) = self.text.get(end) {
            let next = self.text.get(end + 1).is_some_and(u8::is_ascii_digit);
            let exponent = matches!(self.text.get(end - 1), Some(b'e' | b'E'));
            match byte {
                b'.' if next => end += 1,
                b'-' | b'+' if exponent && next => end += 1,
                b if b.is_ascii_alphanumeric() || *b == b'_' => end += 1,
                _ => break,
            }
        }
        self.push(Kind::Number, end);
    }

    fn name(&mut self) {
        let mut end = self.at + 1;
        while self.text.get(end).is_some_and(|b| is_name(*b) || b.is_ascii_digit()) {
            end += 1;
        }
        let word = self.text.get(self.at..end).unwrap_or_default();
        let quote = self.text.get(end).copied().unwrap_or(0);
        // A prefix of a string belongs to it: f"", rb'', b"".
        if self.syntax.triple
            && word.len() <= 2
            && matches!(quote, b'"' | b'\'')
            && (quote == b'"' || self.syntax.single)
            && word.iter().all(|b| b"rbfuRBFU".contains(b))
        {
            let start = self.at;
            let close = [quote; 3];
            let stop = if self.text.get(end..).is_some_and(|rest| rest.starts_with(&close)) {
                self.find(end + 3, &close).map_or(self.text.len(), |stop| stop + 3)
            } else {
                self.quoted(end, quote)
            };
            self.at = start;
            self.push(Kind::Text, stop);
            return;
        }
        if self.syntax.ruby && matches!(quote, b'?' | b'!') && self.text.get(end + 1) != Some(&b'=') {
            end += 1;
        }
        self.push(Kind::Name, end);
    }
}

const fn is_name(byte: u8) -> bool {
    byte.is_ascii_alphabetic() || matches!(byte, b'_' | b'$') || byte >= 0x80
}

/// Pairs brackets; where lines matter, what is in one begins no statement.
fn pair(tokens: &mut Tokens<'_>, lines: bool) {
    let mut open: Vec<(usize, u8)> = Vec::new();
    for at in 0..tokens.all.len() {
        let word = match tokens.word(at) {
            [byte] => *byte,
            _ => 0,
        };
        let want = match word {
            b')' => b'(',
            b']' => b'[',
            b'}' => b'{',
            _ => 0,
        };
        if want != 0 {
            // One bracket too many, or too few, must not undo all that follow.
            if let Some(up) = open.iter().rev().take(4).position(|(_, kind)| *kind == want) {
                open.truncate(open.len() - up);
                if let Some((from, _)) = open.pop() {
                    tokens.all[from].pair = at;
                    tokens.all[at].pair = from;
                }
            }
        }
        if lines && want != 0 {
            // `)` alone on a line ends what was open; it begins nothing.
            tokens.all[at].first = false;
        } else if lines && !open.is_empty() {
            // A name that begins a definition in the first column is outside whatever is open.
            let lost =
                tokens.all[at].first && tokens.all[at].indent == 0 && tokens.any(at, &["def", "class"]);
            if lost {
                open.clear();
            } else {
                tokens.all[at].first = false;
            }
        }
        if matches!(word, b'(' | b'[' | b'{') {
            open.push((at, word));
        }
    }
}
