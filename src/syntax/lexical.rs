//! Files without a grammar, by lines: blocks in braces, by indentation, up to `end`, and sections of texts.
//!
//! Must never guess a border inside of a line.

use super::{Definition, DefinitionKind, Import, Reference, Syntax};

/// The most lines that are looked at.
const MAX_LINES: usize = 60_000;
/// The longest line that is looked at.
const MAX_LINE: usize = 2000;
/// So many lines may lie between a definition and its opening brace.
const REACH: usize = 12;
/// The most references that are kept.
const MAX_REFERENCES: usize = 50_000;

/// Words before a name that is defined.
const WORDS: &[(&str, DefinitionKind)] = &[
    ("class", DefinitionKind::Type),
    ("const", DefinitionKind::Value),
    ("def", DefinitionKind::Function),
    ("defmodule", DefinitionKind::Group),
    ("defp", DefinitionKind::Function),
    ("enum", DefinitionKind::Type),
    ("fn", DefinitionKind::Function),
    ("fun", DefinitionKind::Function),
    ("func", DefinitionKind::Function),
    ("function", DefinitionKind::Function),
    ("interface", DefinitionKind::Type),
    ("message", DefinitionKind::Type),
    ("module", DefinitionKind::Group),
    ("namespace", DefinitionKind::Group),
    ("object", DefinitionKind::Type),
    ("package", DefinitionKind::Group),
    ("proc", DefinitionKind::Function),
    ("protocol", DefinitionKind::Type),
    ("record", DefinitionKind::Type),
    ("resource", DefinitionKind::Group),
    ("rpc", DefinitionKind::Function),
    ("service", DefinitionKind::Type),
    ("struct", DefinitionKind::Type),
    ("sub", DefinitionKind::Function),
    ("trait", DefinitionKind::Type),
    ("type", DefinitionKind::Type),
];

/// Words an import begins with.
const IMPORTS: &[&str] =
    &["import ", "use ", "using ", "require ", "require_relative ", "#include ", "from ", "include "];

/// Reads a text.
pub(super) fn read(ending: &str, text: &str) -> Syntax {
    let lines: Vec<&str> =
        text.split_inclusive('\n').map(|line| line.trim_end_matches(['\n', '\r'])).take(MAX_LINES).collect();
    let mut syntax = Syntax::default();
    match ending {
        "md" | "markdown" | "mdx" => sections(&lines, heading, &mut syntax),
        "toml" | "ini" | "cfg" => sections(&lines, table, &mut syntax),
        "json" | "jsonl" | "lock" | "csv" | "tsv" | "svg" | "txt" | "xml" | "html" => {}
        _ => blocks(&lines, &mut syntax),
    }
    syntax
}

/// Returns the level and the name of a heading.
fn heading(line: &str) -> Option<(usize, &str)> {
    let level = line.bytes().take_while(|b| *b == b'#').count();
    let name = line.get(level..)?;
    ((1..=6).contains(&level) && name.starts_with(' ')).then(|| (level, name.trim()))
}

/// Returns the name of a table.
fn table(line: &str) -> Option<(usize, &str)> {
    let name = line.trim_end().strip_prefix('[')?.strip_suffix(']')?;
    Some((1, name.trim_matches(['[', ']'])))
}

fn sections(lines: &[&str], head: fn(&str) -> Option<(usize, &str)>, syntax: &mut Syntax) {
    let mut fenced = false;
    let mut open: Vec<(usize, usize)> = Vec::new();
    let close = |at: usize, lines: &[&str]| {
        number((0..at).rev().find(|at| !lines[*at].trim().is_empty()).unwrap_or(0))
    };
    for (at, line) in lines.iter().enumerate() {
        fenced ^= line.trim_start().starts_with("```");
        let Some((level, name)) = head(line).filter(|_| !fenced) else { continue };
        while let Some((_, index)) = open.pop_if(|(above, _)| *above >= level) {
            syntax.definitions[index].last = close(at, lines);
        }
        open.push((level, syntax.definitions.len()));
        let n = number(at);
        let name = name.chars().take(100).collect();
        syntax.definitions.push(Definition {
            kind: DefinitionKind::Group,
            name,
            first: n,
            head: n,
            head_last: n,
            last: n,
            depth: 0,
        });
    }
    for (_, index) in open {
        syntax.definitions[index].last = close(lines.len(), lines);
    }
}

fn blocks(lines: &[&str], syntax: &mut Syntax) {
    for (at, line) in lines.iter().enumerate() {
        if line.len() > MAX_LINE || line.trim().is_empty() {
            continue;
        }
        if IMPORTS.iter().any(|word| line.starts_with(word)) {
            syntax.imports.push(Import { text: line.trim().chars().take(400).collect(), line: number(at) });
            continue;
        }
        let comment = comment(line);
        if !comment && let Some((kind, name)) = defined(line) {
            let (head_last, last) = extent(lines, at);
            let first = (0..at).rev().take_while(|at| self::comment(lines[*at])).last().unwrap_or(at);
            let definition = Definition {
                kind,
                name: name.to_owned(),
                first: number(first),
                head: number(at),
                head_last: number(head_last),
                last: number(last),
                depth: 0,
            };
            syntax.definitions.push(definition);
        }
        if !comment {
            references(line, at, syntax);
        }
    }
}

fn comment(line: &str) -> bool {
    let line = line.trim_start();
    ["//", "/*", "*", "--", "@", "#"].iter().any(|mark| line.starts_with(mark))
        && !line.starts_with("#include")
}

/// Returns what a line defines.
fn defined(line: &str) -> Option<(DefinitionKind, &str)> {
    let mut before = None;
    for (words, part) in
        line.split(|c: char| !(c.is_alphanumeric() || c == '_')).filter(|word| !word.is_empty()).enumerate()
    {
        if let Some(kind) = before {
            return part.starts_with(|c: char| c.is_alphabetic() || c == '_').then_some((kind, part));
        }
        if words > 5 {
            return None;
        }
        before = WORDS.iter().find(|(word, _)| *word == part).map(|(_, kind)| *kind);
    }
    // `name() {` of a shell.
    let name = line.split_once("()")?.0;
    let plain = !name.is_empty() && name.chars().all(|c| c.is_alphanumeric() || c == '_' || c == '-');
    plain.then_some((DefinitionKind::Function, name))
}

fn indent(line: &str) -> usize {
    line.len() - line.trim_start().len()
}

/// Returns the last line of a head and of what belongs to it.
fn extent(lines: &[&str], at: usize) -> (usize, usize) {
    let own = indent(lines[at]);
    let reach = lines.len().min(at + REACH);
    for open in at..reach {
        if lines[open].trim_end().ends_with(';') && !lines[open].contains('{') {
            return (open, open);
        }
        if lines[open].contains('{') {
            let mut depth = 0i64;
            for (line, text) in lines.iter().enumerate().skip(open) {
                depth += braces(text);
                if depth <= 0 {
                    return (open, line);
                }
            }
            break;
        }
        if open > at && (lines[open].trim().is_empty() || indent(lines[open]) <= own) {
            break;
        }
    }
    let mut last = at;
    for (line, text) in lines.iter().enumerate().skip(at + 1) {
        if text.trim().is_empty() {
            continue;
        }
        if indent(text) <= own {
            let ends = indent(text) == own && text.trim_start().starts_with("end");
            return (at, if ends { line } else { last });
        }
        last = line;
    }
    (at, last)
}

/// Returns how many more braces are opened than closed in a line; those in quotes do not count.
fn braces(line: &str) -> i64 {
    let (mut depth, mut quote, mut escaped) = (0, None, false);
    for c in line.chars().take(MAX_LINE) {
        match (quote, c) {
            _ if escaped => escaped = false,
            (_, '\\') => escaped = true,
            (Some(mark), c) if mark == c => quote = None,
            (None, '"' | '`') => quote = Some(c),
            (None, '{') => depth += 1,
            (None, '}') => depth -= 1,
            _ => {}
        }
    }
    depth
}

fn references(line: &str, at: usize, syntax: &mut Syntax) {
    let mut rest = line;
    while let Some(start) = rest.find(|c: char| c.is_alphabetic() || c == '_') {
        rest = &rest[start..];
        let end = rest.find(|c: char| !(c.is_alphanumeric() || c == '_')).unwrap_or(rest.len());
        let (name, after) = rest.split_at(end);
        if name.len() > 2 && name.len() <= 100 && syntax.references.len() < MAX_REFERENCES {
            syntax.references.push(Reference {
                name: name.into(),
                line: number(at),
                call: after.starts_with('('),
            });
        }
        rest = after;
    }
}

fn number(at: usize) -> u32 {
    u32::try_from(at + 1).unwrap_or(u32::MAX)
}
