//! Unified diffs as models write them: with or without numbers, fences, prose and first columns.
//!
//! Must never believe a count: what the lines say goes.

use super::super::hunk::{Hunk, Sign};
use super::super::unified::unquote;
use super::{Change, FileEdit, Unread, is_fence, lines_of, signed, unread};

/// Tells whether a text may be a unified diff.
pub fn looks(text: &str) -> bool {
    let lines = lines_of(text);
    lines.windows(2).any(|pair| is_head(pair[0], pair[1]))
        || lines.iter().any(|line| line.starts_with("diff --git "))
}

fn is_head(line: &str, next: &str) -> bool {
    line.starts_with("--- ") && next.starts_with("+++ ")
}

/// Reads a unified diff.
pub fn read(text: &str) -> Result<Vec<FileEdit>, Unread> {
    let lines = lines_of(text);
    let mut reader = Reader { lines: &lines, at: 0, fenced: false, edits: Vec::new() };
    reader.run()?;
    Ok(reader.edits)
}

/// What the lines above the hunks say about a file.
#[derive(Default)]
struct Head {
    at: usize,
    old: Option<String>,
    new: Option<String>,
    created: bool,
    deleted: bool,
    from: Option<String>,
    to: Option<String>,
    executable: Option<bool>,
}

struct Reader<'r> {
    lines: &'r [&'r str],
    at: usize,
    fenced: bool,
    edits: Vec<FileEdit>,
}

impl Reader<'_> {
    fn line(&self) -> Option<&str> {
        self.lines.get(self.at).copied()
    }

    fn run(&mut self) -> Result<(), Unread> {
        while let Some(line) = self.line() {
            let next = self.lines.get(self.at + 1).copied().unwrap_or_default();
            if line.starts_with("diff --git ") {
                self.section()?;
            } else if is_head(line, next) {
                self.body(Head { at: self.at + 1, ..Head::default() })?;
            } else if line.starts_with("@@ -") || line == "@@" {
                return unread(
                    self.at + 1,
                    "begins a hunk of no file: put `--- a/PATH` and `+++ b/PATH` above it",
                );
            } else if line.starts_with("diff --cc ") || line.starts_with("diff --combined ") {
                return unread(self.at + 1, "is of a merge's combined diff, which cannot be applied");
            } else {
                self.fenced ^= is_fence(line);
                self.at += 1;
            }
        }
        Ok(())
    }

    /// Reads what git writes above the hunks.
    fn section(&mut self) -> Result<(), Unread> {
        let mut head = Head { at: self.at + 1, ..Head::default() };
        let named = self.line().and_then(|line| line.strip_prefix("diff --git ")).and_then(both_names);
        self.at += 1;
        while let Some(line) = self.line() {
            let next = self.lines.get(self.at + 1).copied().unwrap_or_default();
            let is_executable = |mode: &str| mode.trim().ends_with("755");
            let number = self.at + 1;
            if is_head(line, next) {
                return self.body(head);
            } else if let Some(mode) = line.strip_prefix("new mode ") {
                head.executable = Some(is_executable(mode));
            } else if let Some(mode) = line.strip_prefix("new file mode ") {
                if mode.trim().starts_with("12") || mode.trim().starts_with("16") {
                    return unread(number, "makes a link or a submodule, which no edit may");
                }
                (head.created, head.executable) = (true, Some(is_executable(mode)));
            } else if line.starts_with("deleted file mode ") {
                head.deleted = true;
            } else if let Some(name) = line.strip_prefix("rename from ") {
                head.from = Some(plain(name));
            } else if let Some(name) = line.strip_prefix("rename to ") {
                head.to = Some(plain(name));
            } else if line.starts_with("copy from ") {
                return unread(number, "copies a file: write the new file whole instead");
            } else if line == "GIT binary patch" {
                return unread(
                    number,
                    "begins a binary patch, which is not read here: use `git apply`, or `base64` in orch's own format",
                );
            } else if line.starts_with("Binary files ") {
                return unread(number, "is about a binary file, whose content is not in it");
            } else if !["old mode ", "index ", "similarity index ", "dissimilarity index "]
                .iter()
                .any(|p| line.starts_with(p))
            {
                break;
            }
            self.at += 1;
        }
        if head.from.is_none() || head.to.is_none() {
            let Some(name) = named else {
                return unread(head.at, "has names that cannot be told apart");
            };
            head.old = (!head.created).then(|| name.clone());
            head.new = (!head.deleted).then_some(name);
        }
        self.finish(head, Vec::new())
    }

    /// Reads the two names and the hunks.
    fn body(&mut self, mut head: Head) -> Result<(), Unread> {
        let old = self.line().and_then(|line| line.strip_prefix("--- ")).map(name);
        let new = self.lines.get(self.at + 1).and_then(|line| line.strip_prefix("+++ ")).map(name);
        let (Some(old), Some(new)) = (old, new) else { return unread(self.at + 1, "names no file") };
        (head.old, head.new) = without_prefixes(old, new);
        self.at += 2;
        let mut hunks = Vec::new();
        while let Some(line) = self.line() {
            if line.starts_with("@@") {
                let hunk = self.hunk();
                hunks.push(hunk);
            } else if line.trim().is_empty()
                && self.lines.get(self.at + 1).is_some_and(|next| next.starts_with("@@"))
            {
                self.at += 1;
            } else {
                break;
            }
        }
        if hunks.is_empty() {
            return unread(head.at, "names a file, and no hunk (`@@`) follows");
        }
        self.finish(head, hunks)
    }

    fn hunk(&mut self) -> Hunk {
        let mut hunk = Hunk { at: self.at + 1, ..Hunk::default() };
        let head = self.line().map(hunk_head).unwrap_or_default();
        (hunk.start, hunk.above) = (head.start, head.above);
        let mut left = head.counts;
        self.at += 1;
        while let Some(line) = self.line() {
            let next = self.lines.get(self.at + 1).copied().unwrap_or_default();
            let full = left.is_some_and(|(old, new)| old <= 0 && new <= 0);
            let after = self.lines.get(self.at + 2).copied().unwrap_or_default();
            let other_file = is_head(line, next) && (full || after.starts_with("@@"));
            if line.starts_with("@@") || line.starts_with("diff --git ") || other_file {
                break;
            }
            if is_fence(line) && (self.fenced || full) {
                break;
            }
            let signed = line.starts_with([' ', '+', '-', '\\']);
            if full && (!signed || line == "-- ") {
                break;
            }
            signed::push(&mut hunk, line);
            if let (Some((old, new)), Some(last)) = (&mut left, hunk.lines.last())
                && !line.starts_with('\\')
            {
                *old -= i64::from(last.sign != Sign::New);
                *new -= i64::from(last.sign != Sign::Gone);
            }
            self.at += 1;
        }
        signed::trim(&mut hunk);
        hunk
    }

    fn finish(&mut self, head: Head, hunks: Vec<Hunk>) -> Result<(), Unread> {
        let at = head.at;
        let edit = |path: String, change: Change, to: Option<String>| FileEdit {
            at,
            path,
            change,
            to,
            executable: head.executable,
        };
        let edit = match (head.from.or(head.old), head.to.or(head.new)) {
            (None, None) => return unread(at, "is about no file"),
            (None, Some(path)) => edit(path, Change::Create(content(&hunks, at)?), None),
            (Some(path), None) => edit(path, Change::Delete, None),
            (Some(old), Some(new)) if head.created => {
                return unread(at, format!("creates `{new}`, and names `{old}` as there before"));
            }
            (Some(old), Some(new)) if old == new => edit(old, Change::Hunks(hunks), None),
            (Some(old), Some(new)) => edit(old, Change::Hunks(hunks), Some(new)),
        };
        self.edits.push(edit);
        Ok(())
    }
}

/// The content of a new file.
pub(super) fn content(hunks: &[Hunk], at: usize) -> Result<Vec<u8>, Unread> {
    let mut text = String::new();
    let mut ended = true;
    for hunk in hunks {
        for line in &hunk.lines {
            if line.sign != Sign::New && !line.text.trim().is_empty() {
                return unread(at, "begins a new file with lines that are not new");
            }
            text.push_str(&line.text);
            text.push('\n');
        }
        ended = hunk.final_newline != Some(false);
    }
    if !ended {
        text.pop();
    }
    Ok(text.into_bytes())
}

#[derive(Default)]
pub(super) struct HunkHead {
    pub start: Option<usize>,
    counts: Option<(i64, i64)>,
    pub above: Vec<String>,
}

/// Reads `@@ -1,2 +3,4 @@ heading`, as far as it is there.
pub(super) fn hunk_head(line: &str) -> HunkHead {
    let rest = line.trim_start_matches('@').trim_start();
    let (ranges, heading) = rest.split_once("@@").unwrap_or((rest, ""));
    let mut head = HunkHead::default();
    let mut words = ranges.split_whitespace();
    let range = |word: &str, sign: char| {
        let (start, count) = word.strip_prefix(sign)?.split_once(',').unwrap_or((&word[1..], "1"));
        Some((start.parse::<u32>().ok()?, count.parse::<u32>().ok()?))
    };
    let old = words.next().and_then(|word| range(word, '-'));
    let new = words.next().and_then(|word| range(word, '+'));
    if let (Some((start, old)), Some((_, new))) = (old, new) {
        // Without old lines the number is that of the line above.
        head.start = Some(start as usize + usize::from(old == 0));
        head.counts = Some((i64::from(old), i64::from(new)));
    } else if !ranges.trim().is_empty() && heading.is_empty() && !ranges.contains("...") {
        head.above.push(ranges.trim().to_owned());
    }
    if !heading.trim().is_empty() {
        head.above.push(heading.trim().to_owned());
    }
    head
}

/// A name after `--- ` or `+++ `: quotes and a time stamp taken off.
fn name(text: &str) -> String {
    if text.starts_with('"') {
        return plain(text);
    }
    text.split('\t').next().unwrap_or(text).trim_end().to_owned()
}

fn plain(text: &str) -> String {
    let quoted = text.starts_with('"').then(|| unquote(text.as_bytes())).flatten();
    quoted.map_or_else(|| text.to_owned(), |(name, _)| String::from_utf8_lossy(&name).into_owned())
}

/// Takes the prefixes off that stand for before and after; a name without them stays as it is.
fn without_prefixes(old: String, new: String) -> (Option<String>, Option<String>) {
    let none = |name: &str| name == "/dev/null";
    let strip = |name: &str, prefixes: &[&str]| {
        prefixes.iter().find_map(|prefix| name.strip_prefix(prefix)).map(str::to_owned)
    };
    let (olds, news) = (["a/", "i/", "c/", "o/"], ["b/", "w/", "i/"]);
    match (none(&old), none(&new)) {
        (true, true) => (None, None),
        (true, false) => (None, Some(strip(&new, &["b/"]).unwrap_or(new))),
        (false, true) => (Some(strip(&old, &["a/"]).unwrap_or(old)), None),
        (false, false) => match (strip(&old, &olds), strip(&new, &news)) {
            (Some(bare_old), Some(bare_new)) if bare_old == bare_new || old != new => {
                (Some(bare_old), Some(bare_new))
            }
            _ => (Some(old), Some(new)),
        },
    }
}

/// Reads both names of `diff --git`, which are the same but for the prefix.
fn both_names(head: &str) -> Option<String> {
    if head.starts_with('"') {
        let (first, _) = unquote(head.as_bytes())?;
        return String::from_utf8(first).ok()?.strip_prefix("a/").map(str::to_owned);
    }
    let middle = head.len() / 2;
    let (first, second) = (head.get(..middle)?, head.get(middle + 1..)?);
    let (first, second) = (first.strip_prefix("a/")?, second.strip_prefix("b/")?);
    (first == second).then(|| first.to_owned())
}
