//! The envelope of `apply_patch` (V4A): sections per file, hunks headed by lines that stand above.
//!
//! Must never take a hunk to the first of several places, as some readers of the format do.

use super::super::hunk::Hunk;
use super::{Change, FileEdit, Unread, is_fence, lines_of, signed, udiff, unread};

const SECTIONS: [&str; 3] = ["*** Update File: ", "*** Add File: ", "*** Delete File: "];

/// Tells whether a text may be in this format.
pub fn looks(text: &str) -> bool {
    let lines = lines_of(text);
    lines.iter().any(|line| {
        line.trim_end() == "*** Begin Patch" || SECTIONS.iter().any(|head| line.starts_with(head))
    })
}

/// Reads an envelope; text around it is left out.
pub fn read(text: &str) -> Result<Vec<FileEdit>, Unread> {
    let lines = lines_of(text);
    let (mut at, mut edits) = (0, Vec::new());
    while let Some(line) = lines.get(at) {
        let Some((kind, path)) = section(line) else {
            at += 1;
            continue;
        };
        let head = at;
        at += 1;
        let mut to = None;
        if let Some(name) = lines.get(at).and_then(|line| line.strip_prefix("*** Move to: ")) {
            to = Some(name.trim().to_owned());
            at += 1;
        }
        let hunks = hunks(&lines, &mut at)?;
        let change = match kind {
            0 if hunks.is_empty() && to.is_none() => {
                return unread(head + 1, "names a file to update, and no change follows");
            }
            0 => Change::Hunks(hunks),
            1 => Change::Create(udiff::content(&hunks, head + 1)?),
            _ => Change::Delete,
        };
        edits.push(FileEdit { at: head + 1, path, change, to, executable: None });
    }
    Ok(edits)
}

fn section(line: &str) -> Option<(usize, String)> {
    let kind = SECTIONS.iter().position(|head| line.starts_with(head))?;
    Some((kind, line[SECTIONS[kind].len()..].trim().to_owned()))
}

/// Reads the hunks of a section.
fn hunks(lines: &[&str], at: &mut usize) -> Result<Vec<Hunk>, Unread> {
    let mut hunks: Vec<Hunk> = Vec::new();
    let mut open = false;
    while let Some(line) = lines.get(*at) {
        let word = line.trim_end();
        if section(line).is_some() || word == "*** End Patch" || word == "*** Begin Patch" {
            break;
        }
        // After the last line of a fenced envelope that was not ended.
        if is_fence(line)
            && !lines[*at..].iter().any(|l| l.trim_end() == "*** End Patch" || section(l).is_some())
        {
            break;
        }
        if word == "*** End of File" {
            if let Some(hunk) = hunks.last_mut() {
                hunk.at_end = true;
            }
            open = false;
        } else if line.starts_with("*** ") {
            return unread(*at + 1, format!("is no part of a patch: `{word}`"));
        } else if line.starts_with("@@") {
            let head = udiff::hunk_head(line);
            let more = open && hunks.last().is_some_and(|hunk| hunk.lines.is_empty());
            match hunks.last_mut().filter(|_| more) {
                // A second head narrows the first.
                Some(hunk) => hunk.above.extend(head.above),
                None => {
                    hunks.push(Hunk { at: *at + 1, start: head.start, above: head.above, ..Hunk::default() });
                }
            }
            open = true;
        } else {
            if !open {
                if line.trim().is_empty() {
                    *at += 1;
                    continue;
                }
                hunks.push(Hunk { at: *at + 1, ..Hunk::default() });
                open = true;
            }
            if let Some(hunk) = hunks.last_mut() {
                signed::push(hunk, line);
            }
        }
        *at += 1;
    }
    hunks.iter_mut().for_each(signed::trim);
    hunks.retain(|hunk| !hunk.lines.is_empty());
    Ok(hunks)
}
