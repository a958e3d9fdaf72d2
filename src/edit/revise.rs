//! One file revised: hunks fitted to the text a model was shown, then merged onto the text as it is now.
//!
//! Must never return a content that only some of the hunks are in.

use similar::DiffOp;

use super::format::{Change, Format};
use super::hunk::{Hunk, HunkLine, Sign, Splice};
use super::locate::folds::Fold;
use super::locate::target::Target;
use super::locate::{Found, Lost, locate, near};
use super::merge::{Merged, merge};
use super::{anchor, fit, lines, pairs};

/// Why a file could not be revised; the words are for a model to act on.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum Refused {
    /// The text cannot be read as edits.
    #[error("{0}")]
    Unread(String),
    /// The place is not there.
    #[error("{0}")]
    Missing(String),
    /// The place is there more than once, or a new line's place is open.
    #[error("{0}")]
    Ambiguous(String),
    /// The file has changed since it was shown.
    #[error("{0}")]
    Stale(String),
    /// The change is made already.
    #[error("{0}")]
    Done(String),
    /// The edit does not fit what is there: a new file that exists, a missing one, a binary one.
    #[error("{0}")]
    Unfit(String),
}

impl Refused {
    /// Returns the word for the reason in a machine's output.
    pub const fn kind(&self) -> &'static str {
        match self {
            Self::Unread(_) => "unread",
            Self::Missing(_) => "missing",
            Self::Ambiguous(_) => "ambiguous",
            Self::Stale(_) => "stale",
            Self::Done(_) => "done",
            Self::Unfit(_) => "unfit",
        }
    }
}

/// Revises a text: `shown` is what the model saw, `now` what there is.
pub fn revise(shown: &[u8], now: &[u8], hunks: &[Hunk]) -> Result<Vec<u8>, Refused> {
    if lines::is_binary(now) || lines::is_binary(shown) {
        return Err(Refused::Unfit("is not text: give it whole, in base64".into()));
    }
    let seen = Target::seeking(shown, hunks);
    let mut all: Vec<(Splice, usize)> = Vec::new();
    let mut final_newline = None;
    let mut done = 0;
    for hunk in hunks {
        if !hunk.changes() && hunk.final_newline.is_none() {
            return Err(Refused::Unfit(format!("would not change by the edit on line {}", hunk.at)));
        }
        match place(&seen, hunk) {
            Ok(splices) => all.extend(splices.into_iter().map(|splice| (splice, hunk.at))),
            Err(Refused::Done(_)) if hunks.len() > 1 => done += 1,
            Err(refused) => return Err(refused),
        }
        final_newline = hunk.final_newline.or(final_newline);
    }
    if done > 0 {
        let which = if done == hunks.len() {
            "all of it".to_owned()
        } else {
            format!("{done} of {} parts", hunks.len())
        };
        return Err(Refused::Done(format!("has this change already ({which}): leave out what is done")));
    }
    all.sort_by_key(|(splice, _)| (splice.range.start, splice.range.end));
    for pair in all.windows(2) {
        let ((a, _), (b, at)) = (&pair[0], &pair[1]);
        if a.range.end > b.range.start || (a.range == b.range && a.range.is_empty()) {
            return Err(Refused::Ambiguous(format!(
                "is changed twice at line {} (again by the edit on line {at} of the input): make one edit of the two",
                b.range.start + 1
            )));
        }
    }
    let splices: Vec<Splice> = all.into_iter().map(|(splice, _)| splice).collect();
    let after = if shown == now {
        fit::spliced(&seen, &splices, final_newline)
    } else {
        carry(&seen, now, &splices, hunks, final_newline)?
    };
    if after == now {
        return Err(Refused::Done("has this change already: nothing is left to do".into()));
    }
    Ok(after)
}

/// Fits one hunk to the text that was shown.
fn place(seen: &Target<'_>, hunk: &Hunk) -> Result<Vec<Splice>, Refused> {
    if seen.is_empty_text() && hunk.lines.iter().all(|line| line.sign == Sign::New) {
        let lines = hunk.lines.iter().map(|line| line.text.clone().into_bytes()).collect();
        return Ok(vec![Splice { range: 0..0, lines }]);
    }
    let reread = reread(seen, hunk);
    let hunk = reread.as_ref().unwrap_or(hunk);
    let found = locate(seen, hunk).map_err(|lost| explain(seen, hunk, &lost))?;
    fit::splices(seen, hunk, &found).ok_or_else(|| open(seen, hunk, &found))
}

/// Reads a hunk again whose context has lost its first column: a line of a list is then no line that goes.
fn reread(seen: &Target<'_>, hunk: &Hunk) -> Option<Hunk> {
    let bare =
        |line: &HunkLine| line.raw.as_deref() == Some(line.text.as_str()) && !line.text.trim().is_empty();
    if !hunk.lines.iter().any(|line| line.sign == Sign::Same && bare(line)) {
        return None;
    }
    let index = seen.indexed(Fold::Trailing);
    let has = |text: &str| index.id(&Fold::Trailing.of(text)).is_some();
    let mut again = hunk.clone();
    for line in again.lines.iter_mut().filter(|line| line.sign == Sign::Gone && !has(&line.text)) {
        if let Some(raw) = line.raw.clone().filter(|raw| has(raw)) {
            *line = HunkLine { sign: Sign::Same, text: raw.clone(), raw: Some(raw) };
        }
    }
    Some(again)
}

/// Merges onto the text as it is now.
fn carry(
    seen: &Target<'_>,
    now: &[u8],
    splices: &[Splice],
    hunks: &[Hunk],
    final_newline: Option<bool>,
) -> Result<Vec<u8>, Refused> {
    let current = Target::seeking(now, hunks);
    match merge(seen, &current, splices) {
        Merged::Fits(splices) => {
            // A change that slid along equal lines is still the same change.
            let again = !hunks.is_empty()
                && hunks.iter().all(|hunk| matches!(locate(&current, hunk), Err(Lost::Done(_))));
            if again {
                return Err(Refused::Done("has this change already: nothing is left to do".into()));
            }
            Ok(fit::spliced(&current, &splices, final_newline))
        }
        Merged::Done => Err(Refused::Done("has this change already: nothing is left to do".into())),
        Merged::Conflict(at) => Err(Refused::Stale(format!(
            "has changed since it was shown, just where the edit is: line {} is now `{}`; read it again",
            at + 1,
            clip(current.line(at)),
        ))),
    }
}

fn clip(line: &str) -> String {
    let line = line.trim_end();
    if line.chars().count() <= 120 {
        line.to_owned()
    } else {
        line.chars().take(117).collect::<String>() + "..."
    }
}

fn explain(seen: &Target<'_>, hunk: &Hunk, lost: &Lost) -> Refused {
    let old: Vec<&HunkLine> = hunk.lines.iter().filter(|line| line.sign != Sign::New).collect();
    let by = format!("the edit on line {}", hunk.at);
    match lost {
        Lost::Nothing => Refused::Ambiguous(format!(
            "has no place for {by}: it quotes no line of the file; quote the lines above and below the new ones"
        )),
        Lost::Spent => Refused::Ambiguous(format!(
            "takes too long to search for {by}: its lines are everywhere; quote lines that are rare"
        )),
        Lost::Done(at) => {
            Refused::Done(format!("has the change of {by} already, at line {}: leave it out", at + 1))
        }
        Lost::Many(places) => {
            let lines: Vec<String> = places.iter().take(5).map(|at| format!("{}", at + 1)).collect();
            let more = if places.len() > 5 { " and more" } else { "" };
            Refused::Ambiguous(format!(
                "has more than one place for {by}: lines {}{more}; quote more of the lines around the one that is meant",
                lines.join(", ")
            ))
        }
        Lost::Missing => {
            let near = near::nearest(seen, &old);
            let said = match near {
                Some((line, near)) if near.is_empty() => format!("no line is like `{}`", clip(&line)),
                Some((line, found)) => {
                    let alike: Vec<String> =
                        found.iter().map(|n| format!("line {} `{}`", n.line, clip(&n.text))).collect();
                    format!("`{}` is not in it; most like it: {}", clip(&line), alike.join(", "))
                }
                None => "its lines are in it, but not together".to_owned(),
            };
            Refused::Missing(format!("has no place for {by}: {said}; quote the file as it is"))
        }
    }
}

fn open(seen: &Target<'_>, hunk: &Hunk, found: &Found) -> Refused {
    let first = found.map.iter().flatten().min().copied().unwrap_or(0);
    let last = found.map.iter().flatten().max().copied().unwrap_or(0);
    let what = if fit::slots(hunk, &found.map, &|at| seen.is_blank(at)).is_none() {
        "lines were left out next to a new line, so that its place is open"
    } else {
        "the indentation of its new lines does not follow from that of the lines around"
    };
    Refused::Ambiguous(format!(
        "takes the edit on line {} at lines {} to {}, but {what}; quote these lines as they are, the first being `{}`",
        hunk.at,
        first + 1,
        last + 1,
        clip(seen.line(first)),
    ))
}

/// Returns a content after a change; `now` is none where there is no file.
pub fn change(shown: Option<&[u8]>, now: Option<&[u8]>, change: &Change) -> Result<Vec<u8>, Refused> {
    let unfit = |why: &str| Err(Refused::Unfit(why.into()));
    let Some(now) = now else {
        return match change {
            Change::Create(bytes) => Ok(bytes.clone()),
            _ => unfit("does not exist: name the file as it is, or create it"),
        };
    };
    let shown = shown.unwrap_or(now);
    match change {
        Change::Create(bytes) if bytes == now => {
            Err(Refused::Done("exists already, with this content".into()))
        }
        Change::Create(bytes) if now.is_empty() => Ok(bytes.clone()),
        Change::Create(_) => unfit("exists already: change it instead of creating it"),
        Change::Write(bytes) if bytes == now => Err(Refused::Done("has this content already".into())),
        Change::Write(_) if shown != now => Err(Refused::Stale(
            "has changed since it was shown, and would be overwritten: read it again".into(),
        )),
        Change::Write(bytes) => Ok(bytes.clone()),
        Change::Hunks(hunks) => revise(shown, now, hunks),
        Change::Pairs(pairs) => onto(shown, now, &pairs::replace(shown, pairs)?),
        Change::Lines(lines) => {
            let target = Target::of(shown);
            let mut splices = anchor::splices(&target, lines).map_err(Refused::Stale)?;
            splices.sort_by_key(|splice| (splice.range.start, splice.range.end));
            if splices
                .windows(2)
                .any(|pair| pair[0].range.end > pair[1].range.start || pair[0].range == pair[1].range)
            {
                return Err(Refused::Ambiguous(
                    "has lines that are changed twice: make one edit of the two".into(),
                ));
            }
            onto(shown, now, &fit::spliced(&target, &splices, None))
        }
        Change::Delete => unfit("goes, and has no content afterwards"),
    }
}

/// Carries the difference of two contents over to the content there is now.
fn onto(shown: &[u8], now: &[u8], after: &[u8]) -> Result<Vec<u8>, Refused> {
    if after == now {
        return Err(Refused::Done("has this change already: nothing is left to do".into()));
    }
    if shown == now {
        return Ok(after.to_vec());
    }
    let (seen, wanted) = (Target::of(shown), Target::of(after));
    let splice = |op: DiffOp| Splice {
        range: op.old_range(),
        lines: wanted.text.lines[op.new_range()].iter().map(|line| line.to_vec()).collect(),
    };
    let ops = lines::ops(&seen.text.lines, &wanted.text.lines).into_iter();
    let splices: Vec<Splice> = ops.filter(|op| !matches!(op, DiffOp::Equal { .. })).map(splice).collect();
    carry(&seen, now, &splices, &[], None)
}

/// Applies a text with edits of one file; what a scorer asks.
pub fn case(path: &str, base: &[u8], seen: &[u8], format: &str, text: &str) -> Result<Vec<u8>, Refused> {
    let format = match format {
        "auto" => Format::guess(text),
        name => Format::named(name),
    };
    let format = format.ok_or_else(|| Refused::Unread("is in no format that is known".into()))?;
    let edits = format.read(text).map_err(|unread| Refused::Unread(unread.to_string()))?;
    let mut hunks = Vec::new();
    for edit in edits {
        if edit.path != path {
            return Err(Refused::Unfit(format!("is not `{}`, which the edit names", clip(&edit.path))));
        }
        match edit.change {
            Change::Hunks(more) => hunks.extend(more),
            other if hunks.is_empty() => return change(Some(seen), Some(base), &other),
            _ => return Err(Refused::Unfit("is changed in two ways".into())),
        }
    }
    revise(seen, base, &hunks)
}
