//! A unified patch as git writes it: read, and applied to contents in memory.
//!
//! Must never skip a part it does not understand: whatever could be a change and is not read is an error with its line.

/// What is wrong with a patch, and on which of its lines.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error("line {line} of the patch {why}")]
pub struct PatchFault {
    /// The line, from 1.
    pub line: usize,
    /// What is wrong, to be read after the line.
    pub why: String,
}

fn fault<T>(line: usize, why: impl Into<String>) -> Result<T, PatchFault> {
    Err(PatchFault { line, why: why.into() })
}

/// The change of one file.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct FilePatch<'a> {
    /// The line it begins on.
    pub line: usize,
    /// The path before; absent when the file is new.
    pub old: Option<Vec<u8>>,
    /// The path after; absent when the file goes.
    pub new: Option<Vec<u8>>,
    /// True when the file at the old path stays: a copy.
    pub copy: bool,
    /// The mode before, where the patch says it.
    pub old_mode: Option<u32>,
    /// The mode after, where the patch says it.
    pub new_mode: Option<u32>,
    /// True when the content is binary, and so not in the hunks.
    pub binary: bool,
    /// The changed parts, from top to bottom.
    pub hunks: Vec<Hunk<'a>>,
}

/// A changed part of a file.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Hunk<'a> {
    /// The line of the patch it begins on.
    pub line: usize,
    /// The first line before, from 1; where it has none, the line before it.
    start: usize,
    /// How many lines it has before.
    count: usize,
    lines: Vec<(Sign, &'a [u8])>,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Sign {
    Same,
    Gone,
    New,
}

/// Reads a patch; text around the changes, as in a mail, is left out.
pub fn parse(text: &[u8]) -> Result<Vec<FilePatch<'_>>, PatchFault> {
    let lines: Vec<&[u8]> = text.split_inclusive(|b| *b == b'\n').collect();
    let mut at = 0;
    let mut files = Vec::new();
    while let Some(line) = lines.get(at).map(|line| chomp(line)) {
        if line.starts_with(b"diff --git ") {
            files.push(Reader { lines: &lines, at: &mut at }.section()?);
        } else if line.starts_with(b"--- ") && next_starts(&lines, at, b"+++ ") {
            let mut file = FilePatch { line: at + 1, ..FilePatch::default() };
            Reader { lines: &lines, at: &mut at }.body(&mut file)?;
            files.push(file);
        } else if line.starts_with(b"@@ -") {
            return fault(at + 1, "begins a hunk of no file");
        } else if line.starts_with(b"diff --cc ") || line.starts_with(b"diff --combined ") {
            return fault(at + 1, "is of a merge's combined diff, which cannot be applied");
        } else if line == b"GIT binary patch"
            || (line.starts_with(b"Binary files ") && line.ends_with(b" differ"))
        {
            return fault(at + 1, "is about a binary file without a name");
        } else {
            at += 1;
        }
    }
    Ok(files)
}

fn next_starts(lines: &[&[u8]], at: usize, prefix: &[u8]) -> bool {
    lines.get(at + 1).is_some_and(|line| line.starts_with(prefix))
}

fn chomp(line: &[u8]) -> &[u8] {
    let line = line.strip_suffix(b"\n").unwrap_or(line);
    line.strip_suffix(b"\r").unwrap_or(line)
}

struct Reader<'r, 'a> {
    lines: &'r [&'a [u8]],
    at: &'r mut usize,
}

impl<'a> Reader<'_, 'a> {
    fn peek(&self) -> Option<&'a [u8]> {
        self.lines.get(*self.at).map(|line| chomp(line))
    }

    fn number(&self) -> usize {
        *self.at + 1
    }

    /// Reads what follows `diff --git`.
    fn section(&mut self) -> Result<FilePatch<'a>, PatchFault> {
        let mut file = FilePatch { line: self.number(), ..FilePatch::default() };
        let head = self.peek().and_then(|line| line.strip_prefix(b"diff --git ")).unwrap_or_default();
        let named = both_names(head);
        let (mut from, mut to, mut created, mut deleted) = (None, None, false, false);
        *self.at += 1;
        while let Some(line) = self.peek() {
            let number = self.number();
            let mode = |text: &[u8]| match std::str::from_utf8(text).map(|t| u32::from_str_radix(t, 8)) {
                Ok(Ok(mode)) => Ok(Some(mode)),
                _ => fault(number, "has a mode that is no number"),
            };
            if let Some(rest) = line.strip_prefix(b"old mode ") {
                file.old_mode = mode(rest)?;
            } else if let Some(rest) = line.strip_prefix(b"new mode ") {
                file.new_mode = mode(rest)?;
            } else if let Some(rest) = line.strip_prefix(b"new file mode ") {
                (file.new_mode, created) = (mode(rest)?, true);
            } else if let Some(rest) = line.strip_prefix(b"deleted file mode ") {
                (file.old_mode, deleted) = (mode(rest)?, true);
            } else if let Some(rest) = line.strip_prefix(b"rename from ") {
                from = Some(plain_name(rest, number)?);
            } else if let Some(rest) = line.strip_prefix(b"rename to ") {
                to = Some(plain_name(rest, number)?);
            } else if let Some(rest) = line.strip_prefix(b"copy from ") {
                (from, file.copy) = (Some(plain_name(rest, number)?), true);
            } else if let Some(rest) = line.strip_prefix(b"copy to ") {
                to = Some(plain_name(rest, number)?);
            } else if ![&b"index "[..], b"similarity index ", b"dissimilarity index "]
                .iter()
                .any(|known| line.starts_with(known))
            {
                break;
            }
            *self.at += 1;
        }
        match (from, to, named) {
            (Some(from), Some(to), _) => (file.old, file.new) = (Some(from), Some(to)),
            (None, None, Some(name)) => (file.old, file.new) = (Some(name.clone()), Some(name)),
            // Names that cannot be told apart here stand below, unless there is no below.
            (None, None, None) if self.peek().is_some_and(|line| line.starts_with(b"--- ")) => {}
            _ => return fault(file.line, "has names that cannot be told apart"),
        }
        let named = (file.old.clone(), file.new.clone());
        match self.peek() {
            Some(line) if line.starts_with(b"--- ") => self.body(&mut file)?,
            Some(line) if line == b"GIT binary patch" || line.starts_with(b"Binary files ") => {
                file.binary = true;
                *self.at += 1;
                // Encoded lines hold no space, so nothing in them looks like the next change.
                let over = |line: &[u8]| line.starts_with(b"diff --git ") || line.starts_with(b"-- ");
                while self.peek().is_some_and(|line| !over(line)) {
                    *self.at += 1;
                }
            }
            _ => {}
        }
        if named.0.is_some() && file.hunks.is_empty() {
            (file.old, file.new) = named;
        }
        if created {
            file.old = None;
        }
        if deleted {
            file.new = None;
        }
        if file.old.is_none() && file.new.is_none() {
            return fault(file.line, "is about no file");
        }
        Ok(file)
    }

    /// Reads `---`, `+++` and the hunks below.
    fn body(&mut self, file: &mut FilePatch<'a>) -> Result<(), PatchFault> {
        let old = self.peek().and_then(|line| line.strip_prefix(b"--- ")).unwrap_or_default();
        let old = name_with_prefix(old, self.number())?;
        *self.at += 1;
        let number = self.number();
        let Some(new) = self.peek().and_then(|line| line.strip_prefix(b"+++ ")) else {
            return fault(number, "should begin with `+++ `");
        };
        let new = name_with_prefix(new, number)?;
        *self.at += 1;
        if old.is_none() && new.is_none() {
            return fault(number, "is about no file");
        }
        let renamed = file.old.is_some() && file.new.is_some() && file.old != file.new;
        if renamed && (old != file.old || new != file.new) {
            return fault(number, "names other files than the lines above it");
        }
        (file.old, file.new) = (old, new);
        while self.peek().is_some_and(|line| line.starts_with(b"@@ ")) {
            let hunk = self.hunk()?;
            file.hunks.push(hunk);
        }
        if file.hunks.is_empty() {
            return fault(self.number(), "should begin a hunk");
        }
        Ok(())
    }

    fn hunk(&mut self) -> Result<Hunk<'a>, PatchFault> {
        let line = self.number();
        let head = self.peek().and_then(|line| std::str::from_utf8(line).ok().map(str::to_owned));
        let head = head.or_else(|| Some(String::from_utf8_lossy(self.peek()?).into_owned()));
        let Some(((start, count), (_, new_count))) = head.as_deref().and_then(ranges) else {
            return fault(line, "is not the head of a hunk");
        };
        let mut hunk = Hunk { line, start, count, lines: Vec::new() };
        let (mut old_left, mut new_left) = (count, new_count);
        *self.at += 1;
        while old_left > 0 || new_left > 0 {
            let number = self.number();
            let Some(text) = self.lines.get(*self.at).copied() else {
                return fault(number, "is missing: the hunk is cut off");
            };
            let sign = match text.first() {
                Some(b'-') => Sign::Gone,
                Some(b'+') => Sign::New,
                // Some programs strip the space of an empty line.
                Some(b' ' | b'\n') => Sign::Same,
                Some(b'\\') => {
                    self.unended(&mut hunk)?;
                    continue;
                }
                _ => return fault(number, "is no line of a hunk, which should go on"),
            };
            let left = (old_left.checked_sub(usize::from(sign != Sign::New)))
                .zip(new_left.checked_sub(usize::from(sign != Sign::Gone)));
            let Some(left) = left else {
                return fault(number, "is one line more than the head of the hunk says");
            };
            (old_left, new_left) = left;
            hunk.lines.push((sign, if text == b"\n" { text } else { text.get(1..).unwrap_or_default() }));
            *self.at += 1;
        }
        if self.peek().is_some_and(|line| line.starts_with(b"\\")) {
            self.unended(&mut hunk)?;
        }
        Ok(hunk)
    }

    /// Takes the line end of the line before away.
    fn unended(&mut self, hunk: &mut Hunk<'a>) -> Result<(), PatchFault> {
        let Some((_, last)) = hunk.lines.last_mut() else {
            return fault(self.number(), "is about a line that is not there");
        };
        *last = last.strip_suffix(b"\n").unwrap_or(last);
        *self.at += 1;
        Ok(())
    }
}

/// Reads `@@ -1,2 +3,4 @@`: starts and counts.
fn ranges(head: &str) -> Option<((usize, usize), (usize, usize))> {
    let (old, rest) = head.strip_prefix("@@ -")?.split_once(" +")?;
    let (new, _) = rest.split_once(" @@")?;
    let range = |text: &str| {
        let (start, count) = text.split_once(',').unwrap_or((text, "1"));
        let number = |text: &str| {
            let digits = !text.is_empty() && text.bytes().all(|b| b.is_ascii_digit());
            digits.then(|| text.parse::<u32>().ok()).flatten().map(|n| n as usize)
        };
        Some((number(start)?, number(count)?))
    };
    Some((range(old)?, range(new)?))
}

/// Reads both names of `diff --git`, which are the same but for the prefix.
fn both_names(head: &[u8]) -> Option<Vec<u8>> {
    if head.starts_with(b"\"") {
        let (first, rest) = unquote(head)?;
        let second = rest.strip_prefix(b" ")?;
        let second = if second.starts_with(b"\"") { unquote(second)?.0 } else { second.to_vec() };
        let (first, second) = (without_prefix(&first)?, without_prefix(&second)?);
        return (first == second).then(|| first.to_vec());
    }
    let middle = head.len() / 2;
    let (first, second) = (head.get(..middle)?, head.get(middle + 1..)?);
    let (first, second) = (without_prefix(first)?, without_prefix(second)?);
    (head.get(middle) == Some(&b' ') && first == second).then(|| first.to_vec())
}

/// Reads the name of `--- ` or `+++ `; `None` for no file.
fn name_with_prefix(text: &[u8], line: usize) -> Result<Option<Vec<u8>>, PatchFault> {
    let name = if text.starts_with(b"\"") {
        unquote(text).map(|(name, _)| name)
    } else {
        // After a tab there is a time.
        text.split(|b| *b == b'\t').next().map(<[u8]>::to_vec)
    };
    let Some(name) = name else { return fault(line, "has a name whose quotes are wrong") };
    if name == b"/dev/null" {
        return Ok(None);
    }
    match without_prefix(&name) {
        Some(name) => safe(name, line).map(Some),
        None => fault(line, "has a name without the prefix `a/` or `b/` that git gives it"),
    }
}

fn plain_name(text: &[u8], line: usize) -> Result<Vec<u8>, PatchFault> {
    let name =
        if text.starts_with(b"\"") { unquote(text).map(|(name, _)| name) } else { Some(text.to_vec()) };
    match name {
        Some(name) => safe(&name, line),
        None => fault(line, "has a name whose quotes are wrong"),
    }
}

fn safe(name: &[u8], line: usize) -> Result<Vec<u8>, PatchFault> {
    let bad = |part: &[u8]| {
        part.is_empty()
            || part == b"."
            || part == b".."
            || part.eq_ignore_ascii_case(b".git")
            || part.contains(&0)
    };
    if name.split(|b| *b == b'/').any(bad) {
        return fault(line, "names a file that is not in the repository");
    }
    Ok(name.to_vec())
}

/// Takes the prefix away: `a/`, `b/`, or one of those of `diff.mnemonicPrefix`.
fn without_prefix(name: &[u8]) -> Option<&[u8]> {
    match name {
        [b'a' | b'b' | b'c' | b'i' | b'o' | b'w', b'/', rest @ ..] if !rest.is_empty() => Some(rest),
        _ => None,
    }
}

/// Reads a name in quotes as in C, and returns what follows it.
pub(super) fn unquote(text: &[u8]) -> Option<(Vec<u8>, &[u8])> {
    let mut rest = text.strip_prefix(b"\"")?;
    let mut name = Vec::new();
    loop {
        let (first, tail) = rest.split_first()?;
        rest = tail;
        match first {
            b'"' => return Some((name, rest)),
            b'\\' => {
                let (escaped, tail) = rest.split_first()?;
                rest = tail;
                name.push(match escaped {
                    b'n' => b'\n',
                    b't' => b'\t',
                    b'r' => b'\r',
                    b'a' => 7,
                    b'b' => 8,
                    b'v' => 11,
                    b'f' => 12,
                    b'"' | b'\\' => *escaped,
                    b'0'..=b'3' => {
                        let digits = std::str::from_utf8(rest.get(..2)?).ok()?;
                        rest = rest.get(2..)?;
                        (escaped - b'0') * 64 + u8::from_str_radix(digits, 8).ok()?
                    }
                    _ => return None,
                });
            }
            other => name.push(*other),
        }
    }
}

impl FilePatch<'_> {
    /// Applies the hunks to a content; every line a hunk has before must be there, at its place.
    pub fn apply(&self, before: &[u8]) -> Result<Vec<u8>, PatchFault> {
        let old: Vec<&[u8]> = before.split_inclusive(|b| *b == b'\n').collect();
        let mut after = Vec::with_capacity(before.len());
        let mut at = 0;
        for hunk in &self.hunks {
            // A hunk without lines before names the line it comes after.
            let start = if hunk.count == 0 { hunk.start } else { hunk.start.saturating_sub(1) };
            let Some(kept) = old.get(at..start) else {
                return fault(hunk.line, "begins a hunk that does not fit: its place is not there");
            };
            after.extend(kept.concat());
            at = start;
            for (sign, text) in &hunk.lines {
                if *sign != Sign::New {
                    if old.get(at) != Some(text) {
                        return fault(hunk.line, format!("begins a hunk that does not fit line {}", at + 1));
                    }
                    at += 1;
                }
                if *sign != Sign::Gone {
                    after.extend_from_slice(text);
                }
            }
        }
        after.extend(old.get(at..).unwrap_or_default().concat());
        Ok(after)
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;
    use crate::artifact::types::change_set::{FileChange, FileMode};

    fn applied(patch: &str, before: &str) -> Result<String, PatchFault> {
        let files = parse(patch.as_bytes())?;
        let after = files[0].apply(before.as_bytes())?;
        Ok(String::from_utf8(after).unwrap())
    }

    #[test]
    fn patches_are_applied() {
        let head = "From 1 Mon\nSubject: x\n\n---\n a | 1 +\n\ndiff --git a/a b/a\nindex 1..2 100644\n--- a/a\n+++ b/a\n";
        for (hunks, before, after) in [
            ("@@ -1,2 +1,3 @@ fn\n one\n+two\n three\n", "one\nthree\n", "one\ntwo\nthree\n"),
            ("@@ -1 +1 @@\n-a\n\\ No newline at end of file\n+b\n", "a", "b\n"),
            ("@@ -0,0 +1 @@\n+--- a\n-- \n2.4\n", "", "--- a\n"),
            ("@@ -1,3 +1,2 @@\n a\n\n-b\n", "a\n\nb\n", "a\n\n"),
            ("@@ -2,0 +3 @@\n+n\n@@ -3 +4,0 @@\n-c\n", "a\nb\nc\n", "a\nb\nn\n"),
            ("@@ -1 +1 @@\n-a\r\n+b\r\n", "a\r\n", "b\r\n"),
        ] {
            assert_eq!(applied(&format!("{head}{hunks}"), before).as_deref(), Ok(after), "{hunks}");
        }
    }

    #[test]
    fn names_and_modes_are_read() {
        let text = "diff --git a/x y b/x y\nold mode 100644\nnew mode 100755\n\
            diff --git a/e b/e\nnew file mode 100644\nindex 0..1\n\
            diff --git \"a/\\303\\244\" \"b/\\303\\244\"\ndeleted file mode 100644\n\
            diff --git a/o b/n\nsimilarity index 100%\nrename from o\nrename to n\n\
            diff --git a/p b/p\nindex 1..2 100644\nGIT binary patch\nliteral 1\nIc\n\nliteral 0\nHc\n\n\
            --- a/q\t2026-01-01\n+++ b/q\t2026-01-01\n@@ -1 +1 @@\n-a\n+b\n";
        let files = parse(text.as_bytes());
        let names = |files: Vec<FilePatch<'_>>| {
            let text = |name: Option<Vec<u8>>| name.map(|name| String::from_utf8(name).unwrap());
            files.into_iter().map(|f| (text(f.old), text(f.new), f.binary)).collect::<Vec<_>>()
        };
        // What follows a binary part of a git patch begins with `diff --git`; so the last one is split off.
        let (git, plain) = text.split_at(text.find("--- a/q").unwrap());
        drop(files);
        let some = |name: &str| Some(name.to_owned());
        assert_eq!(
            names(parse(git.as_bytes()).unwrap()),
            [
                (some("x y"), some("x y"), false),
                (None, some("e"), false),
                (some("ä"), None, false),
                (some("o"), some("n"), false),
                (some("p"), some("p"), true),
            ]
        );
        assert_eq!(names(parse(plain.as_bytes()).unwrap()), [(some("q"), some("q"), false)]);
    }

    #[test]
    fn what_is_not_understood_is_an_error_with_its_line() {
        for (text, line, why) in [
            ("x\n@@ -1 +1 @@\n", 2, "no file"),
            ("--- a/a\n+++ b/a\nx\n", 3, "begin a hunk"),
            ("--- a/a\n+++ b/a\n@@ -1 +1 @@\n-a\n", 5, "cut off"),
            ("--- a/a\n+++ b/a\n@@ -1 +1 @@\n-a\n*b\n", 5, "no line of a hunk"),
            ("--- a/a\n+++ b/a\n@@ -1 +1 @@\n-a\n-b\n", 5, "one line more"),
            ("--- a/a\n+++ b/a\n@@ -1,x +1 @@\n", 3, "not the head"),
            ("--- a/../a\n+++ b/a\n@@ -1 +1 @@\n", 1, "not in the repository"),
            ("--- x/a\n+++ b/a\n@@ -1 +1 @@\n", 1, "without the prefix"),
            ("diff --git a/x b/y\n", 1, "told apart"),
            ("diff --cc a\n", 1, "combined"),
            ("diff --git a/a b/a\nold mode x\n", 2, "no number"),
            ("Binary files a/x and b/x differ\n", 1, "without a name"),
        ] {
            let error = parse(text.as_bytes()).unwrap_err();
            assert!(error.line == line && error.why.contains(why), "{text:?}: {error}");
        }
        let patch = "--- a/a\n+++ b/a\n@@ -1 +1 @@\n-a\n+b\n";
        for before in ["", "x\n", "a"] {
            assert_eq!(applied(patch, before).unwrap_err().line, 3, "{before:?}");
        }
    }

    proptest! {
        #[test]
        fn any_bytes_end(text in any::<Vec<u8>>()) {
            let _ = parse(&text);
        }

        #[test]
        fn any_mix_of_its_lines_ends(lines in proptest::collection::vec(prop_oneof![
            Just("diff --git a/a b/a\n"), Just("--- a/a\n"), Just("+++ b/a\n"), Just("@@ -1,2 +1 @@\n"), Just(" a\n"),
            Just("-a\n"), Just("+a\n"), Just("\\ No\n"), Just("\n"), Just("GIT binary patch\n"), Just("rename from a\n"),
        ], 0..30)) {
            if let Ok(files) = parse(lines.concat().as_bytes()) {
                for file in files {
                    let _ = file.apply(b"a\na\na\n");
                }
            }
        }

        #[test]
        fn what_is_rendered_can_be_applied(
            before in "(a\n|b\n|c\n|-\n| \n){0,12}[ab]?", after in "(a\n|b\n|d\n|\\+\n){0,12}[ab]?",
        ) {
            prop_assume!(before != after);
            let path = "src/x y.txt".parse().unwrap();
            let change = FileChange::write(path, Some(before.as_bytes()), after.clone().into(), FileMode::Regular);
            let patch = super::super::patch::render(&[(&change, Some(before.clone().into()))]).unwrap();
            let files = parse(&patch).unwrap();
            prop_assert_eq!(files.len(), 1);
            prop_assert_eq!(String::from_utf8(files[0].apply(before.as_bytes()).unwrap()).unwrap(), after);
        }
    }
}
