//! Keys and values as programs, settings, markup and command lines write them.
//!
//! Must never look past a few hundred bytes from the key: the grammar is read once, left to right.

use std::ops::Range;

/// A key with its value.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Pair {
    /// Where the key is.
    pub key: Range<usize>,
    /// Where the value is.
    pub value: Range<usize>,
    /// Whether the value is a literal for sure.
    pub quoted: bool,
    /// Whether the value is the second of a user and a password.
    pub login: bool,
}

/// How a kind of file writes values.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Syntax {
    /// A program: what is not in quotes is a name.
    Code,
    /// Settings: what is not in quotes may be a value.
    Settings,
    /// A script of a shell: a value ends at a space.
    Shell,
    /// A text for people, with settings in it.
    Document,
}

const KEY_MOST: usize = 60;
const VALUE_MOST: usize = 600;

const fn is_key(byte: u8) -> bool {
    byte.is_ascii_alphanumeric() || matches!(byte, b'_' | b'-' | b'.')
}

/// Returns the name that a keyword ending at `at` is part of.
pub fn key(text: &[u8], at: usize) -> Range<usize> {
    let mut start = at;
    while start > 0 && at - start < KEY_MOST && is_key(text[start - 1]) {
        start -= 1;
    }
    let mut end = at;
    while end < text.len() && end - at < KEY_MOST && is_key(text[end]) {
        end += 1;
    }
    while start < end && matches!(text[start], b'-' | b'.') {
        start += 1;
    }
    start..end
}

struct Reader<'a> {
    text: &'a [u8],
    at: usize,
}

impl Reader<'_> {
    fn peek(&self) -> u8 {
        self.text.get(self.at).copied().unwrap_or(b'\n')
    }

    fn ahead(&self, n: usize) -> u8 {
        self.text.get(self.at + n).copied().unwrap_or(b'\n')
    }

    fn spaces(&mut self) -> usize {
        let start = self.at;
        while self.at - start < 60 && matches!(self.peek(), b' ' | b'\t') {
            self.at += 1;
        }
        self.at - start
    }

    fn starts(&self, word: &[u8]) -> bool {
        self.text[self.at.min(self.text.len())..]
            .get(..word.len())
            .is_some_and(|t| t.eq_ignore_ascii_case(word))
    }

    /// Reads a name, with what stands before its parts.
    fn name(&mut self) -> Range<usize> {
        let start = self.at;
        while self.at - start < KEY_MOST && (is_key(self.peek()) || matches!(self.peek(), b'$' | b'&' | b'*'))
        {
            self.at += 1;
        }
        start..self.at
    }

    /// Goes to the value of what was named: `"name": "x", "value": ` and `ParameterKey: x, ParameterValue: `.
    fn beside(&mut self) -> bool {
        let start = self.at;
        self.at += 1;
        self.blank();
        while matches!(self.peek(), b'"' | b'\'' | b'\\') && self.at - start < 90 {
            self.at += 1;
        }
        let name = self.name();
        while matches!(self.peek(), b'"' | b'\'' | b'\\') && self.at - name.end < 3 {
            self.at += 1;
        }
        self.spaces();
        let name = &self.text[name];
        let named = name.len() >= 5 && name[name.len() - 5..].eq_ignore_ascii_case(b"value");
        if named && matches!(self.peek(), b':' | b'=') {
            self.at += 1;
            self.at += usize::from(self.peek() == b'>');
            return true;
        }
        self.at = start;
        false
    }

    /// Goes over spaces and at most one line end.
    fn blank(&mut self) {
        self.spaces();
        if self.peek() == b'\r' {
            self.at += 1;
        }
        if self.peek() == b'\n' && self.at < self.text.len() {
            self.at += 1;
            self.spaces();
        }
    }
}

#[derive(Clone, Copy, PartialEq, Eq)]
enum Operator {
    Sets,
    Tight,
    Colon,
    Call,
    Comma,
    Markup,
    Space,
}

/// Reads what follows a key.
pub fn value(text: &[u8], key: Range<usize>, syntax: Syntax) -> Option<Pair> {
    let mut r = Reader { text, at: key.end };
    let before = key.start.checked_sub(1).map_or(b'\n', |at| text[at]);
    let mut closers = 0;
    while closers < 5 && matches!(r.peek(), b'"' | b'\'' | b'`' | b'\\' | b']') {
        closers += 1;
        r.at += 1;
    }
    // `<string name="token">x</string>`
    let element = r.peek() == b'>' && text[..key.start].ends_with(b"name=\"");
    let before = if element { b'<' } else { before };
    let gap = r.spaces();
    let dashed = key.start >= 2 && text[key.start - 1] == b'-' && text[key.start - 2] == b'-';
    let directive = DIRECTIVES.iter().any(|name| text[key.clone()].eq_ignore_ascii_case(name))
        || (syntax == Syntax::Shell && text[..key.start].ends_with(b"ENV "));
    let operator = match variable(&mut r, &text[..key.start], closers) {
        Some(operator) => operator,
        None => operator(&mut r, closers, gap, before, dashed || directive)?,
    };
    if operator == Operator::Space && r.starts(b"--plaintext ") {
        r.at += b"--plaintext".len();
    }
    let spaced = r.spaces();
    if matches!(operator, Operator::Sets | Operator::Colon)
        && spaced < 60
        && matches!(r.peek(), b'\n' | b'\r')
        && closers > 0
    {
        r.blank();
    }
    let tight = operator == Operator::Tight || (operator == Operator::Sets && gap == 0 && spaced == 0);
    let takes_login = takes_login(&text[key.clone()]);
    if let Some(value) = literal(&mut r) {
        let second = takes_login.then(|| login(&mut r, &value)).flatten();
        let login = second.is_some();
        return Some(Pair { key, value: second.unwrap_or(value), quoted: true, login });
    }
    if operator == Operator::Call && takes_login {
        let user = r.name();
        return login(&mut r, &user).map(|value| Pair { key, value, quoted: true, login: true });
    }
    if operator == Operator::Colon && syntax == Syntax::Code {
        return typed(&mut r).map(|value| Pair { key, value, quoted: true, login: false });
    }
    let query = matches!(before, b'?' | b'&' | b';') && tight;
    let allowed = match operator {
        Operator::Markup => true,
        Operator::Space => dashed || directive,
        Operator::Comma | Operator::Call => false,
        Operator::Sets | Operator::Tight | Operator::Colon => {
            syntax != Syntax::Code || query || (tight && closers == 0)
        }
    };
    if !allowed {
        return None;
    }
    let end = match syntax {
        _ if operator == Operator::Markup => End::Tag,
        Syntax::Code | Syntax::Document => End::Word,
        _ if query || dashed => End::Word,
        Syntax::Shell => End::Shell,
        Syntax::Settings if tight => End::Space,
        Syntax::Settings => End::Line,
    };
    let value = bare(&r, end)?;
    Some(Pair { key, value, quoted: end == End::Tag, login: false })
}

/// Settings that stand before their value with no more than a space between: of Redis, Kickstart and LDAP.
const DIRECTIVES: [&[u8]; 4] = [b"requirepass", b"masterauth", b"rootpw", b"bindpw"];

/// Tells whether what has this name is given a user and a password: `auth=("u", "x")`, `new Credential("u", "x")`.
fn takes_login(key: &[u8]) -> bool {
    const ENDS: [&[u8]; 5] = [b"auth", b"authentication", b"credential", b"credentials", b"basic_auth"];
    ENDS.iter().any(|end| key.len() >= end.len() && key[key.len() - end.len()..].eq_ignore_ascii_case(end))
}

/// Reads the second and third of what a function is given, when all three are written out or names.
pub fn third(text: &[u8], at: usize) -> Option<(Range<usize>, Range<usize>)> {
    let mut r = Reader { text, at };
    let mut words = [0..0, 0..0, 0..0];
    for (nth, word) in words.iter_mut().enumerate() {
        if nth > 0 {
            r.blank();
            if r.peek() != b',' {
                return None;
            }
            r.at += 1;
        }
        r.blank();
        if let Some(value) = literal(&mut r) {
            r.at = value.end + 1;
            *word = value;
        } else if nth < 2 {
            *word = r.name();
        } else {
            return None;
        }
    }
    let [_, user, password] = words;
    Some((user, password))
}

/// Goes to the default of a variable of Terraform, `variable "password" { default = "x" }`.
fn variable(r: &mut Reader<'_>, before: &[u8], closers: usize) -> Option<Operator> {
    if closers != 1 || r.peek() != b'{' || !before.ends_with(b"variable \"") {
        return None;
    }
    let rest = &r.text[r.at..r.text.len().min(r.at + VALUE_MOST)];
    let block = &rest[..memchr::memchr(b'}', rest).unwrap_or(rest.len())];
    let at = memchr::memmem::find(block, b"default")? + b"default".len();
    let equals = at + block[at..].iter().take_while(|b| matches!(b, b' ' | b'\t')).count();
    (block.get(equals) == Some(&b'=')).then(|| {
        r.at += equals + 1;
        Operator::Sets
    })
}

/// Reads the literal after a user: `auth=("user", "x")`, `SetBasicAuth(user, "x")`.
fn login(r: &mut Reader<'_>, user: &Range<usize>) -> Option<Range<usize>> {
    let quoted = usize::from(matches!(r.text.get(user.end), Some(b'"' | b'\'' | b'`')));
    let open = user.start.checked_sub(1 + quoted)?;
    if r.text[open] != b'(' {
        return None;
    }
    r.at = user.end + quoted;
    r.spaces();
    if r.peek() != b',' {
        return None;
    }
    r.at += 1;
    r.spaces();
    literal(r)
}

/// Where a value without quotes ends.
#[derive(Clone, Copy, PartialEq, Eq)]
enum End {
    Tag,
    Word,
    Shell,
    /// `A=1 B=2` are two.
    Space,
    Line,
}

const OR: [&[u8]; 5] = [b"or ", b"|| ", b"?? ", b"?: ", b"= "];

fn operator(r: &mut Reader<'_>, closers: usize, gap: usize, before: u8, dashed: bool) -> Option<Operator> {
    match r.peek() {
        b'=' => {
            let start = r.at;
            while matches!(r.peek(), b'=' | b'>' | b'~') && r.at - start < 3 {
                r.at += 1;
            }
            Some(if r.at - start == 1 && gap == 0 { Operator::Tight } else { Operator::Sets })
        }
        b':' => {
            r.at += 1;
            match r.peek() {
                b'=' => {
                    r.at += 1;
                    Some(Operator::Sets)
                }
                b':' => {
                    r.at += 1;
                    let set = r.peek() == b'=';
                    r.at += usize::from(set);
                    set.then_some(Operator::Sets)
                }
                _ => Some(Operator::Colon),
            }
        }
        b'?' if matches!(r.ahead(1), b':' | b'=') => {
            r.at += 2;
            Some(Operator::Colon)
        }
        b'?' if r.ahead(1) == b'?' => {
            r.at += 2;
            r.at += usize::from(r.peek() == b'=');
            Some(Operator::Comma)
        }
        b'|' if r.ahead(1) == b'|' => {
            r.at += 2;
            r.at += usize::from(r.peek() == b'=');
            Some(Operator::Comma)
        }
        b'!' if r.ahead(1) == b'=' => {
            r.at += 2;
            while r.peek() == b'=' {
                r.at += 1;
            }
            Some(Operator::Comma)
        }
        b',' if closers > 0 && r.beside() => Some(Operator::Sets),
        b',' if closers > 0 => {
            r.at += 1;
            Some(Operator::Comma)
        }
        // `token <- "x"`
        b'<' if r.ahead(1) == b'-' => {
            r.at += 2;
            Some(Operator::Sets)
        }
        // `<key>Token</key> <string>x</string>`
        b'<' if before == b'>' && r.starts(b"</key>") => {
            r.at += b"</key>".len();
            r.blank();
            let text = r.starts(b"<string>");
            r.at += b"<string>".len();
            text.then_some(Operator::Markup)
        }
        b')' if closers > 0 => {
            // `os.getenv("PASSWORD") or "default"`
            r.at += 1;
            r.spaces();
            r.at += OR.iter().find(|word| r.starts(word))?.len();
            Some(Operator::Comma)
        }
        b'(' if closers == 0 && gap == 0 => {
            r.at += 1;
            Some(Operator::Call)
        }
        // `<Pass encoding="base64">`
        b'e' if before == b'<' && gap == 1 && r.starts(b"encoding=") => {
            let rest = &r.text[r.at..r.text.len().min(r.at + 40)];
            r.at += memchr::memchr(b'>', rest)? + 1;
            Some(Operator::Markup)
        }
        b'>' if before == b'<' => {
            r.at += 1;
            r.at += if r.starts(b"<value>") { b"<value>".len() } else { 0 };
            Some(Operator::Markup)
        }
        b'v' | b'V' if closers > 0 && gap > 0 && r.starts(b"value") => {
            r.at += 5;
            r.spaces();
            let set = matches!(r.peek(), b'=' | b':');
            r.at += usize::from(set);
            set.then_some(Operator::Sets)
        }
        b'\n' | b'\r' => {
            // `- name: PASSWORD` with its value in the next line.
            r.blank();
            r.starts(b"value:").then(|| {
                r.at += 6;
                Operator::Sets
            })
        }
        b'"' | b'\'' if closers == 0 && gap > 0 => Some(Operator::Space),
        _ if dashed && gap > 0 => Some(Operator::Space),
        _ => None,
    }
}

/// Reads a literal, with what languages write before its quote.
fn literal(r: &mut Reader<'_>) -> Option<Range<usize>> {
    let start = r.at;
    for _ in 0..3 {
        while matches!(r.peek(), b'(' | b'[') && r.at - start < 4 {
            r.at += 1;
        }
        for word in [
            &b"new String("[..],
            b"String.valueOf(",
            b"Some(",
            b"String::from(",
            b"SecretString::from(",
            b"SecureString(",
            b"b64decode(",
            b"Buffer.from(",
        ] {
            if r.starts(word) {
                r.at += word.len();
            }
        }
    }
    if matches!(r.peek(), b'b' | b'r' | b'u' | b'U' | b'f' | b'N' | b'L' | b'@' | b'&')
        && matches!(r.ahead(1), b'"' | b'\'')
    {
        r.at += 1;
    }
    let escaped = r.peek() == b'\\' && matches!(r.ahead(1), b'"' | b'\'');
    let slashes = r.text[r.at.min(r.text.len())..].iter().take(4).take_while(|b| **b == b'\\').count();
    if slashes > 0 && !escaped && slashes < 2 {
        r.at = start;
        return None;
    }
    let quote = r.ahead(slashes);
    if !matches!(quote, b'"' | b'\'' | b'`') {
        r.at = start;
        return None;
    }
    r.at += slashes + 1;
    if r.peek() == quote && r.ahead(1) == quote && slashes == 0 {
        // A text of several lines.
        r.at += 2;
        return None;
    }
    let from = r.at;
    while r.at - from < VALUE_MOST && r.at < r.text.len() {
        match r.peek() {
            b'\n' => break,
            b'\\' if slashes > 0 && r.ahead(slashes) == quote => return Some(from..r.at),
            b'\\' => r.at += 1,
            byte if byte == quote => return Some(inner(r.text, from..r.at)),
            _ => {}
        }
        r.at += 1;
    }
    // The quote that opens is all there is: `'oauth_token: 'abc,`
    None
}

/// Takes off the quotes of a literal in a literal: `"\\"x\\""`, `'"x"'`.
fn inner(text: &[u8], range: Range<usize>) -> Range<usize> {
    for quote in [&b"\\\""[..], b"\"", b"'"] {
        let (from, to) = (range.start + quote.len(), range.end.saturating_sub(quote.len()));
        if from < to && text[range.clone()].starts_with(quote) && text[range.clone()].ends_with(quote) {
            return from..to;
        }
    }
    range
}

/// `password: String = "x"` and `const key: string = 'x'`.
fn typed(r: &mut Reader<'_>) -> Option<Range<usize>> {
    let start = r.at;
    while r.at - start < 50
        && (r.peek().is_ascii_alphanumeric()
            || matches!(r.peek(), b'&' | b'\'' | b'<' | b'>' | b'_' | b'.' | b'?' | b'[' | b']' | b' '))
    {
        r.at += 1;
    }
    if r.peek() != b'=' || r.ahead(1) == b'=' {
        return None;
    }
    r.at += 1;
    r.at += usize::from(r.peek() == b'>');
    r.spaces();
    literal(r)
}

/// Reads a value without quotes.
fn bare(r: &Reader<'_>, end: End) -> Option<Range<usize>> {
    let rest = &r.text[r.at.min(r.text.len())..];
    let rest = &rest[..rest.len().min(VALUE_MOST)];
    let line = &rest[..memchr::memchr(b'\n', rest).unwrap_or(rest.len())];
    let until = |signs: &[u8]| {
        line.iter().position(|b| b.is_ascii_whitespace() || signs.contains(b)).unwrap_or(line.len())
    };
    let length = match end {
        End::Tag => memchr::memchr(b'<', line)?,
        End::Word => until(b"\"'`;,&<>(){}[]|\\"),
        End::Shell => until(b"\"'`;&|<>()"),
        End::Space => until(b""),
        End::Line => {
            let content = &line[..memchr::memmem::find(line, b" #").unwrap_or(line.len())];
            content.trim_ascii_end().len()
        }
    };
    // A call, an index or a type follows a name.
    let named = end == End::Word && matches!(line.get(length), Some(b'(' | b'[' | b'{' | b'<'));
    (length > 0 && !named).then_some(r.at..r.at + length)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn read(text: &str, syntax: Syntax) -> Option<String> {
        let at = text.to_ascii_lowercase().find("password").unwrap() + 8;
        let pair = value(text.as_bytes(), key(text.as_bytes(), at), syntax)?;
        Some(text[pair.value].to_owned())
    }

    #[test]
    fn values_are_read_in_many_languages() {
        for text in [
            "password = \"V\"",
            "password='V'",
            "password: 'V'",
            "\"password\": \"V\"",
            "'password' => 'V'",
            "db_password := \"V\"",
            "setPassword(\"V\")",
            "env[\"PASSWORD\"] = \"V\"",
            "define('DB_PASSWORD', 'V');",
            "val password: String = \"V\"",
            "let password: &str = \"V\";",
            "<password>V</password>",
            "<password encoding=\"base64\">V</password>",
            "<add key=\"Password\" value=\"V\" />",
            "password == 'V'",
            "{\\\"password\\\": \\\"V\\\"}",
            "password = b'V'",
            "ALTER ROLE x PASSWORD 'V'",
            "--password V",
            "--password=V",
            "?password=V&a=b",
            "getenv('PASSWORD', 'V')",
            "env.PASSWORD || 'V'",
            "os.getenv(\"PASSWORD\") or \"V\"",
            "password ?= 'V'",
            "#define PASSWORD \"V\"",
            "password: new String(\"V\")",
            "@\"password\" : @\"V\"",
        ] {
            assert_eq!(read(text, Syntax::Code).as_deref(), Some("V"), "{text}");
        }
        for text in ["password: V", "password=V", "password = V # comment", "- name: PASSWORD\n  value: V\n"]
        {
            assert_eq!(read(text, Syntax::Settings).as_deref(), Some("V"), "{text}");
        }
        assert_eq!(read("export PASSWORD=V; x", Syntax::Shell).as_deref(), Some("V"));
    }

    #[test]
    fn the_second_word_of_a_login_and_the_default_of_a_variable() {
        let second = |text: &str| {
            let at = text.to_ascii_lowercase().find("auth").unwrap() + 4;
            let pair = value(text.as_bytes(), key(text.as_bytes(), at), Syntax::Code)?;
            Some(text[pair.value].to_owned())
        };
        for text in ["auth=('u', 'V')", "auth = (\"u\", \"V\")", "HTTPBasicAuth(\"u\", \"V\")", "r.auth('V')"]
        {
            assert_eq!(second(text).as_deref(), Some("V"), "{text}");
        }
        assert_eq!(second("auth=('u', name)").as_deref(), Some("u"));
        for text in [
            "variable \"password\" {\n  default = \"V\"\n}",
            "variable \"password\" {\n  type = string\n  default    = \"V\"\n}",
        ] {
            assert_eq!(read(text, Syntax::Settings).as_deref(), Some("V"), "{text}");
        }
        for text in [
            "variable \"password\" {\n  type = string\n}\nx { default = \"V\" }",
            "\"password\" { default = \"V\" }",
        ] {
            assert_eq!(read(text, Syntax::Settings), None, "{text}");
        }
    }

    #[test]
    fn code_is_not_a_value() {
        for text in [
            "password = getPass()",
            "password: string;",
            "password;",
            "if (password) {",
            "password = other",
            "std::password::get(\"a\")",
            "password",
            "password=\"",
            "password = \"\"\"",
            "password=f(x)",
        ] {
            assert_eq!(read(text, Syntax::Code), None, "{text}");
        }
    }
}
