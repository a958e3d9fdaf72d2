//! Statements of SQL that drop or rewrite data.
//!
//! Must never take what is in quotes or comments for a statement.

use std::ops::Range;

use super::Each;

/// A statement longer than this is data.
const LONGEST: usize = 20_000;

/// Calls back with every statement that loses data.
pub fn scan(text: &[u8], each: Each<'_>) {
    let mut down = false;
    let mut made: Vec<String> = Vec::new();
    let mut dropped: Vec<(Range<usize>, &'static str, String, String)> = Vec::new();
    statements(text, &mut |statement| match statement {
        Piece::Mark(is_down) => down = is_down,
        Piece::Statement(words, range) if !down => {
            if let Some(name) = created(&words) {
                made.push(name);
            }
            if let Some((kind, message)) = loses(&words) {
                dropped.push((
                    range,
                    kind,
                    message,
                    words.get(words.len().saturating_sub(1)).cloned().unwrap_or_default(),
                ));
            }
        }
        Piece::Statement(..) => {}
    });
    for (range, kind, message, _) in dropped {
        // What is made again in the same file is a script that sets up.
        let again = kind == "drop-table"
            && made.iter().any(|name| message.to_lowercase().contains(&format!("`{name}`")));
        if !again {
            each(range, kind, message);
        }
    }
}

enum Piece {
    /// A comment says that what follows goes forward (false) or back (true).
    Mark(bool),
    /// The first words of a statement in upper case, and where it starts.
    Statement(Vec<String>, Range<usize>),
}

/// Splits a text into statements of words; what is in quotes is one word.
fn statements(text: &[u8], each: &mut dyn FnMut(Piece)) {
    let mut words: Vec<String> = Vec::new();
    let (mut first, mut last, mut at) = (0, 0, 0);
    let skip_to = |from: usize, end: &[u8]| {
        memchr::memmem::find(text.get(from..).unwrap_or_default(), end)
            .map_or(text.len(), |offset| from + offset + end.len())
    };
    while let Some(byte) = text.get(at) {
        let start = at;
        match byte {
            b'-' if text.get(at + 1) == Some(&b'-') => {
                at = skip_to(at, b"\n");
                let comment = String::from_utf8_lossy(&text[start..at]).to_lowercase();
                let mark = comment.trim_start_matches(['-', ' ']).trim();
                if [
                    "+goose down",
                    "+migrate down",
                    "migrate:down",
                    "rollback",
                    "!downgrade",
                    "down migration",
                    "revert",
                ]
                .iter()
                .any(|m| mark.starts_with(m))
                {
                    each(Piece::Mark(true));
                } else if ["+goose up", "+migrate up", "migrate:up", "changeset", "up migration"]
                    .iter()
                    .any(|m| mark.starts_with(m))
                {
                    each(Piece::Mark(false));
                }
                continue;
            }
            b'#' if words.is_empty() => {
                at = skip_to(at, b"\n");
                continue;
            }
            b'/' if text.get(at + 1) == Some(&b'*') => {
                at = skip_to(at + 2, b"*/");
                continue;
            }
            b'\'' => at = skip_to(at + 1, b"'"),
            b'"' | b'`' => at = skip_to(at + 1, &[*byte]),
            b'[' => at = skip_to(at + 1, b"]"),
            b'$' => {
                let tag =
                    text[at + 1..].iter().take(64).position(|b| !b.is_ascii_alphanumeric() && *b != b'_');
                match tag.filter(|len| text.get(at + 1 + len) == Some(&b'$')) {
                    Some(len) => {
                        let mark = &text[at..at + len + 2];
                        at = skip_to(at + len + 2, mark);
                    }
                    None => at += 1,
                }
            }
            b';' => {
                if !words.is_empty() {
                    each(Piece::Statement(std::mem::take(&mut words), first..last));
                }
                at += 1;
                continue;
            }
            b if b.is_ascii_alphanumeric() || *b == b'_' || *b >= 0x80 => {
                while text
                    .get(at)
                    .is_some_and(|b| b.is_ascii_alphanumeric() || *b == b'_' || *b == b'.' || *b >= 0x80)
                {
                    at += 1;
                }
            }
            b if b.is_ascii_whitespace() => {
                at += 1;
                continue;
            }
            _ => at += 1,
        }
        if words.is_empty() {
            first = start;
        }
        last = at;
        if words.len() < 400 && last - first < LONGEST {
            let word = &text[start..at.min(start + 200)];
            let quoted = matches!(word.first(), Some(b'"' | b'`' | b'[')) && word.len() > 2;
            let word = String::from_utf8_lossy(if quoted { &word[1..word.len() - 1] } else { word });
            words.push(if quoted { format!("\"{word}") } else { word.to_uppercase() });
        }
    }
    if !words.is_empty() {
        each(Piece::Statement(words, first..last));
    }
}

fn name(words: &[String], from: usize) -> String {
    let skip = ["IF", "NOT", "EXISTS", "ONLY", "CONCURRENTLY"];
    let mut names =
        words.get(from..).unwrap_or_default().iter().skip_while(|word| skip.contains(&word.as_str()));
    let mut name = names.next().map(|word| word.trim_start_matches('"').to_lowercase()).unwrap_or_default();
    while names.next().is_some_and(|word| word == ".") {
        name = names.next().map(|word| word.trim_start_matches('"').to_lowercase()).unwrap_or_default();
    }
    name.rsplit('.').next().unwrap_or_default().to_owned()
}

fn created(words: &[String]) -> Option<String> {
    let is = |at: usize, word: &str| words.get(at).is_some_and(|w| w == word);
    let at = words.iter().take(5).position(|word| word == "TABLE")?;
    is(0, "CREATE").then(|| name(words, at + 1))
}

/// Says what a statement loses.
fn loses(words: &[String]) -> Option<(&'static str, String)> {
    let at = |index: usize| words.get(index).map_or("", String::as_str);
    let has = |word: &str| words.iter().any(|w| w == word);
    match (at(0), at(1)) {
        ("DROP", "TABLE") => {
            Some(("drop-table", format!("the table `{}` is dropped with its data", name(words, 2))))
        }
        ("DROP", "DATABASE" | "SCHEMA") => Some((
            "drop-database",
            format!("the {} `{}` is dropped with everything in it", at(1).to_lowercase(), name(words, 2)),
        )),
        ("TRUNCATE", _) => {
            let from = if at(1) == "TABLE" { 2 } else { 1 };
            Some(("truncate", format!("the table `{}` is emptied", name(words, from))))
        }
        ("DELETE", "FROM") if !has("WHERE") && !has("USING") && !has("JOIN") => {
            Some(("delete-all", format!("every row of `{}` is deleted", name(words, 2))))
        }
        ("UPDATE", _) if has("SET") && !has("WHERE") && !has("FROM") && !has("JOIN") => {
            Some(("update-all", format!("every row of `{}` is rewritten", name(words, 1))))
        }
        ("ALTER", "TABLE") => alters(words),
        _ => None,
    }
}

fn alters(words: &[String]) -> Option<(&'static str, String)> {
    let table = name(words, 2);
    let next = |index: usize| words.get(index).map_or("", String::as_str);
    let mut depth = 0_i32;
    let mut start = 0;
    let mut clauses: Vec<&[String]> = Vec::new();
    for (index, word) in words.iter().enumerate() {
        match word.as_str() {
            "(" => depth += 1,
            ")" => depth -= 1,
            "," if depth == 0 => {
                clauses.push(words.get(start..index).unwrap_or_default());
                start = index + 1;
            }
            _ => {}
        }
    }
    clauses.push(words.get(start..).unwrap_or_default());
    for (index, word) in words.iter().enumerate().skip(2) {
        let column = match (word.as_str(), next(index + 1)) {
            ("DROP", "COLUMN") => name(words, index + 2),
            // MySQL and others leave the word out.
            ("DROP", other)
                if !matches!(
                    other,
                    "CONSTRAINT"
                        | "INDEX"
                        | "KEY"
                        | "PRIMARY"
                        | "FOREIGN"
                        | "DEFAULT"
                        | "NOT"
                        | "CHECK"
                        | "PARTITION"
                        | "IDENTITY"
                        | "EXPRESSION"
                        | "IF"
                        | "UNIQUE"
                        | "TRIGGER"
                        | "RULE"
                        | ""
                        | ";"
                ) && next(index - 1) != "COLUMN"
                    && index <= 5 =>
            {
                name(words, index + 1)
            }
            _ => continue,
        };
        return Some(("drop-column", format!("the column `{column}` of `{table}` is dropped with its data")));
    }
    clauses
        .iter()
        .find(|clause| {
            let has = |word: &str| clause.iter().any(|w| w == word);
            let null = clause.windows(2).any(|pair| pair[0] == "NOT" && pair[1] == "NULL");
            let made = ["DEFAULT", "GENERATED", "IDENTITY", "AUTO_INCREMENT", "SERIAL", "BIGSERIAL"].iter().any(|word| has(word));
            has("ADD") && null && !made && !has("CONSTRAINT") && !has("CHECK")
        })
        .map(|_| ("not-null", format!("a column without a default that must not be null is added to `{table}`: it fails where there are rows")))
}
