//! Search/replace blocks between conflict marks, in the variants that agents ask models for.
//!
//! Must never take prose for a file's name, or apply a block whose end is missing.

use similar::{Algorithm, DiffOp, capture_diff_slices};

use super::super::hunk::{Hunk, HunkLine, Sign};
use super::{Change, FileEdit, Unread, is_fence, lines_of, unread};

/// Tells whether a text may be in this format.
pub fn looks(text: &str) -> bool {
    let lines = lines_of(text);
    lines.iter().any(|line| opens(line).is_some()) && lines.iter().any(|line| closes(line))
}

/// Returns what follows the word of an opening mark: maybe a path.
fn opens(line: &str) -> Option<&str> {
    let line = line.trim_end();
    let bare = marked(line, '<').or_else(|| marked(line, '-'))?;
    ["SEARCH", "ORIGINAL", "HEAD"]
        .iter()
        .find_map(|word| bare.trim_start().strip_prefix(word))
        .map(|rest| rest.trim_start_matches([':', '>', ' ']))
}

/// Takes five to nine marks off the start of a line.
fn marked(line: &str, mark: char) -> Option<&str> {
    let rest = line.trim_start_matches(mark);
    (5..=9).contains(&(line.len() - rest.len())).then_some(rest)
}

fn closes(line: &str) -> bool {
    let line = line.trim_end();
    let words = ["REPLACE", "UPDATED", "UPDATE"];
    marked(line, '>')
        .or_else(|| marked(line, '+'))
        .is_some_and(|rest| words.iter().any(|word| rest.trim_start().starts_with(word)))
        || marked(line, '>') == Some("")
}

fn divides(line: &str) -> bool {
    marked(line.trim_end(), '=') == Some("")
}

/// Reads blocks; text around them is left out.
pub fn read(text: &str) -> Result<Vec<FileEdit>, Unread> {
    let lines = lines_of(text);
    let (mut at, mut edits): (usize, Vec<FileEdit>) = (0, Vec::new());
    let mut above = 0;
    let mut path: Option<String> = None;
    while let Some(line) = lines.get(at) {
        let Some(rest) = opens(line) else {
            at += 1;
            continue;
        };
        let named = path_of(rest).or_else(|| path_above(&lines[above..at]));
        path = named.or(path);
        let Some(name) = &path else {
            return unread(at + 1, "begins a block of no file: put the path on the line above it");
        };
        let head = at;
        at += 1;
        let start = start_line(&lines, &mut at);
        let Some(close) = lines[at..].iter().position(|line| closes(line)).map(|offset| at + offset) else {
            return unread(head + 1, "begins a block that does not end: `>>>>>>> REPLACE` is missing");
        };
        if let Some(second) = lines[at..close].iter().position(|line| opens(line).is_some()) {
            return unread(at + second + 1, "begins a block within a block");
        }
        let (old, new) = split(&lines[at..close], at)?;
        push(&mut edits, name, block(head + 1, start, old, new));
        at = close + 1;
        above = at;
    }
    Ok(edits)
}

/// Reads `:start_line:12` and the line that ends such marks.
fn start_line(lines: &[&str], at: &mut usize) -> Option<usize> {
    let mut start = None;
    let begin = *at;
    while let Some(rest) = lines.get(*at).and_then(|line| line.trim().strip_prefix(':')) {
        let Some((key, value)) = rest.split_once(':') else { break };
        if !["start_line", "end_line"].contains(&key) {
            break;
        }
        if key == "start_line" {
            start = value.trim().parse().ok();
        }
        *at += 1;
    }
    if *at > begin && lines.get(*at).is_some_and(|line| marked(line.trim_end(), '-') == Some("")) {
        *at += 1;
    }
    start
}

/// Cuts a block at its divider; where lines of the content look like one, it is the middle one.
fn split<'l>(lines: &'l [&'l str], at: usize) -> Result<(&'l [&'l str], &'l [&'l str]), Unread> {
    let all: Vec<usize> =
        lines.iter().enumerate().filter(|(_, line)| divides(line)).map(|(i, _)| i).collect();
    let seven: Vec<usize> = all.iter().copied().filter(|i| lines[*i].trim_end().len() == 7).collect();
    let found = if seven.is_empty() { all } else { seven };
    match found.len() {
        0 => unread(at + 1, "begins a block without a divider: `=======` is missing"),
        odd if odd % 2 == 1 => {
            let middle = found[odd / 2];
            Ok((&lines[..middle], &lines[middle + 1..]))
        }
        _ => unread(at + 1, "begins a block with several lines that may be its divider `=======`"),
    }
}

/// Makes a hunk of what to find and what to put instead.
fn block(at: usize, start: Option<usize>, old: &[&str], new: &[&str]) -> Change {
    if old.iter().all(|line| line.trim().is_empty()) {
        return Change::Create(new.iter().flat_map(|line| [line, "\n"]).collect::<String>().into_bytes());
    }
    Change::Hunks(vec![Hunk { at, start, lines: between(old, new), ..Hunk::default() }])
}

/// Returns the lines of a hunk that turns `old` into `new`.
pub fn between(old: &[&str], new: &[&str]) -> Vec<HunkLine> {
    let mut lines = Vec::with_capacity(old.len() + new.len());
    for op in capture_diff_slices(Algorithm::Myers, old, new) {
        if let DiffOp::Equal { .. } = op {
            lines.extend(old[op.old_range()].iter().map(|line| HunkLine::new(Sign::Same, *line)));
        } else {
            lines.extend(old[op.old_range()].iter().map(|line| HunkLine::new(Sign::Gone, *line)));
            lines.extend(new[op.new_range()].iter().map(|line| HunkLine::new(Sign::New, *line)));
        }
    }
    lines
}

/// Blocks of one file that follow each other are one edit.
fn push(edits: &mut Vec<FileEdit>, path: &str, change: Change) {
    if let (Some(last), Change::Hunks(more)) = (edits.last_mut(), &change)
        && last.path == path
        && let Change::Hunks(hunks) = &mut last.change
    {
        hunks.extend(more.iter().cloned());
        return;
    }
    let at = match &change {
        Change::Hunks(hunks) => hunks.first().map_or(1, |hunk| hunk.at),
        _ => 1,
    };
    edits.push(FileEdit { at, path: path.to_owned(), change, to: None, executable: None });
}

/// Returns the path on the nearest line above a block that is neither blank nor a fence.
fn path_above(lines: &[&str]) -> Option<String> {
    let near = lines.iter().rev().filter(|line| !line.trim().is_empty()).take(2);
    near.take_while(|line| !line.trim().is_empty()).find_map(|line| {
        if is_fence(line.trim_start()) {
            path_of(line.trim_start().trim_start_matches(['`', '~']).split_once(' ')?.1)
        } else {
            path_of(line)
        }
    })
}

/// Reads a path out of the ornaments models give it; prose is none.
fn path_of(line: &str) -> Option<String> {
    let mut text = line.trim();
    for word in [
        "File:",
        "file:",
        "Filename:",
        "Path:",
        "path:",
        "FILE:",
        "###",
        "##",
        "#",
        "//",
        "--",
        "<file path=",
        "path=",
    ] {
        text = text.strip_prefix(word).unwrap_or(text).trim_start();
    }
    let ornaments = ['`', '*', '"', '\'', '>', ':', ' '];
    let bare = text.trim_matches(ornaments);
    let path_like = !bare.is_empty()
        && bare.len() <= 400
        && !bare.contains(['<', '>', '|', '`', '\0', '\t'])
        && !bare.ends_with(['.', ',', ';', '!', '?'])
        && (!bare.contains(' ')
            || (bare.contains('.') && !bare.contains(", ") && bare.split(' ').count() <= 4));
    path_like.then(|| bare.to_owned())
}
