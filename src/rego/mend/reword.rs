//! Writes another way what OPA can read and regorus cannot: the place is the one the parser stopped at.
//!
//! Must never change the meaning: each rewording is the long form of the short one that was written.

use crate::rego::fault::Fault;

/// Returns the text with the stumbling block written another way, if it is one of those that are known.
pub fn reword(text: &str, fault: &Fault, place: (u64, u64), old: bool) -> Option<String> {
    let at = offset(text, place)?;
    if old && fault.0.contains("else cannot be used with set rules") {
        return chained(text, at);
    }
    if fault.0.contains("rule must have a body or assignment") {
        return constant(text, at);
    }
    if fault.0.contains("invalid character in string") || fault.0.contains("expecting") {
        return wrapped(text, at);
    }
    None
}

fn offset(text: &str, (line, column): (u64, u64)) -> Option<usize> {
    let line = usize::try_from(line).ok()?.checked_sub(1)?;
    let start: usize = text.split_inclusive('\n').take(line).map(str::len).sum();
    let column = usize::try_from(column).ok()?.saturating_sub(1);
    let rest = text.get(start..)?;
    Some(start + rest.char_indices().nth(column).map_or(rest.len(), |(at, _)| at))
}

/// `p[x] { a } { b }` is `p[x] { a } p[x] { b }`.
fn chained(text: &str, at: usize) -> Option<String> {
    let open = at + text.get(at..)?.find('{')?;
    let before = text.get(..open)?;
    if !before.trim_end().ends_with('}') {
        return None;
    }
    // The head is the last line before that starts at the margin with a name.
    let start = before.match_indices('\n').map(|(at, _)| at + 1).rfind(|at| {
        before.get(*at..).is_some_and(|l| l.starts_with(|c: char| c.is_ascii_lowercase() || c == '_'))
    })?;
    let line = before.get(start..)?.lines().next()?;
    let head = line.trim_end().strip_suffix('{')?.trim_end();
    Some(format!("{before}{head} {}", &text[open..]))
}

/// `f(null)` is `f(null) := true`.
fn constant(text: &str, at: usize) -> Option<String> {
    let end = text.get(at..)?.find('\n').map_or(text.len(), |n| at + n);
    let line = text.get(at..end)?.trim_end();
    (line.ends_with(')') && !line.contains('#')).then(|| {
        let end = at + line.len();
        format!("{} := true{}", &text[..end], &text[end..])
    })
}

/// `{ {..} | q }` is `{ x | x := {..}; q }`: regorus takes the outer brace for an object.
fn wrapped(text: &str, at: usize) -> Option<String> {
    let before = text.get(..at)?;
    // The two braces are the closest ones before that follow on each other.
    let inner = before.rfind('{')?;
    let outer = before.get(..inner)?.trim_end();
    if !outer.ends_with('{') {
        return None;
    }
    let close = closing(text, inner)?;
    let rest = text.get(close + 1..)?;
    let bar = rest.len() - rest.trim_start().len();
    if !rest.get(bar..)?.starts_with('|') {
        return None;
    }
    let (term, query) = (text.get(inner..=close)?, rest.get(bar + 1..)?);
    let end = closing(text, outer.len() - 1)?;
    let inside = query.get(..query.len().checked_sub(text.len() - end)?)?;
    let after = text.get(end..)?;
    let name = format!("__orch_term{at}");
    Some(format!("{outer}{name} | {}; {name} := {term}{after}", inside.trim_end()))
}

/// Returns where the brace that opens at a place is closed; strings and comments hold none.
fn closing(text: &str, open: usize) -> Option<usize> {
    let mut depth = 0_usize;
    let mut chars = text.get(open..)?.char_indices();
    while let Some((at, c)) = chars.next() {
        match c {
            '{' => depth += 1,
            '}' => {
                depth -= 1;
                if depth == 0 {
                    return Some(open + at);
                }
            }
            '"' => {
                while let Some((_, c)) = chars.next() {
                    match c {
                        '\\' => drop(chars.next()),
                        '"' => break,
                        _ => {}
                    }
                }
            }
            '`' => drop(chars.find(|(_, c)| *c == '`')),
            '#' => drop(chars.find(|(_, c)| *c == '\n')),
            _ => {}
        }
    }
    None
}
