//! What of a verdict can be mended without thinking: found in the files as they are, shown, and made on request.
//!
//! Must never write a secret anywhere, change a line no finding is on, or guess: what is not certain is left to a person.

mod ignore;
mod literal;
mod unseen;

use std::collections::BTreeMap;
use std::io::{self, Write};

use crate::artifact::path::{PathError, RepoPath};
use crate::artifact::types::change_set::{FileChange, FileMode};
use crate::artifact::types::policy_input::SubjectKind;
use crate::artifact::types::verdict::{Finding, Verdict};
use crate::diagnostic::text::{count, plain};
use crate::scan::{Fact, SCANNERS, Source, Worker};

/// The files a verdict is about, as they are now.
pub trait Files {
    /// Returns a regular file of the working tree with its mode; `None` where there is none.
    fn read(&self, path: &str) -> Option<(Vec<u8>, FileMode)>;

    /// Tells whether the commit the change is made on has a file: then it is too late to ignore it.
    fn is_committed(&self, path: &str) -> bool;
}

/// One thing that can be mended.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Fix {
    /// The code of the finding.
    pub code: String,
    /// The file of the finding.
    pub path: String,
    /// Its line, where it has one.
    pub line: Option<u32>,
    /// What is done, as a sentence without full stop.
    pub what: String,
    /// The lines that go, with everything secret masked.
    pub removed: Vec<String>,
    /// The lines that come.
    pub added: Vec<String>,
    /// The file that changes, where it is another one than that of the finding.
    pub within: Option<String>,
    /// Why it is only shown; what may be done by itself has no reason.
    pub only_shown: Option<String>,
}

/// What can be mended, and what becomes of the files then.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Plan {
    /// What can be mended, in the order of the findings.
    pub fixes: Vec<Fix>,
    /// The paths to be taken out of the index; the files stay.
    pub unstage: Vec<String>,
    /// How many findings are left to a person.
    pub left: usize,
    files: BTreeMap<String, Edited>,
}

/// A file that changes.
#[derive(Clone, Debug, PartialEq, Eq)]
struct Edited {
    before: Option<Vec<u8>>,
    after: Vec<u8>,
    mode: FileMode,
}

/// Finds what can be mended.
///
/// Only what is staged or in the working tree can be: of anything else the files here say nothing.
pub fn plan(verdict: &Verdict, files: &dyn Files) -> Plan {
    let mut plan = Plan::default();
    let staged = verdict.subject.kind == SubjectKind::Staged;
    if !staged && verdict.subject.kind != SubjectKind::Work {
        plan.left = verdict.findings.len();
        return plan;
    }
    let mut desk = Desk { files, plan, facts: BTreeMap::new(), staged };
    for found in &verdict.findings {
        if !desk.mend(found) {
            desk.plan.left += 1;
        }
    }
    desk.plan
}

/// Work on a plan.
struct Desk<'a> {
    files: &'a dyn Files,
    plan: Plan,
    /// What scanners see in a file as it is.
    facts: BTreeMap<String, Vec<Fact>>,
    staged: bool,
}

impl Desk<'_> {
    /// Adds what mends a finding; tells whether there is something.
    fn mend(&mut self, found: &Finding) -> bool {
        let Some(path) = found.path.as_deref().filter(|path| path.parse::<RepoPath>().is_ok()) else {
            return false;
        };
        match found.code.as_str() {
            "secrets/env-file" => ignore::mend(self, found, path),
            "secrets/private-key" if ignore::is_key_file(path) => ignore::mend(self, found, path),
            "content/hidden-unicode" => unseen::mend(self, found, path),
            "secrets/token" | "secrets/password" => literal::mend(self, found, path),
            _ => false,
        }
    }

    /// Returns a file as it will be, with what was mended so far.
    fn content(&self, path: &str) -> Option<(Vec<u8>, FileMode)> {
        match self.plan.files.get(path) {
            Some(edited) => Some((edited.after.clone(), edited.mode)),
            None => self.files.read(path),
        }
    }

    /// Notes what a file is to hold.
    fn put(&mut self, path: &str, after: Vec<u8>, mode: FileMode) {
        let before = self.files.read(path).map(|(bytes, _)| bytes);
        let edited =
            self.plan.files.entry(path.to_owned()).or_insert(Edited { before, after: Vec::new(), mode });
        edited.after = after;
    }

    /// Returns what scanners see in a file as it is.
    fn facts(&mut self, path: &str) -> &[Fact] {
        let files = self.files;
        self.facts
            .entry(path.to_owned())
            .or_insert_with(|| files.read(path).map(|(bytes, _)| look(path, &bytes)).unwrap_or_default())
    }
}

/// Returns what scanners see in some bytes.
fn look(path: &str, bytes: &[u8]) -> Vec<Fact> {
    let mut worker = Worker::new(SCANNERS, None);
    worker.scan(&Source::new(path, bytes));
    worker.into_facts()
}

/// Returns where a line is, from 1, without its end.
fn line_of(bytes: &[u8], number: u32) -> Option<std::ops::Range<usize>> {
    let mut start = 0;
    let index = usize::try_from(number.checked_sub(1)?).ok()?;
    for (at, line) in bytes.split_inclusive(|b| *b == b'\n').enumerate() {
        if at == index {
            let text = line.strip_suffix(b"\n").unwrap_or(line);
            let text = text.strip_suffix(b"\r").unwrap_or(text);
            return Some(start..start + text.len());
        }
        start += line.len();
    }
    None
}

impl Plan {
    /// Tells whether nothing at all would be done or shown.
    pub fn is_empty(&self) -> bool {
        self.fixes.is_empty()
    }

    /// Returns the changes of files, to be made all or none.
    pub fn changes(&self) -> Result<Vec<FileChange>, PathError> {
        let changes = self.files.iter().filter(|(_, edited)| edited.before.as_ref() != Some(&edited.after));
        let mut changes: Vec<FileChange> = changes
            .map(|(path, edited)| {
                let path: RepoPath = path.parse()?;
                Ok(FileChange::write(path, edited.before.as_deref(), edited.after.clone(), edited.mode))
            })
            .collect::<Result<_, PathError>>()?;
        changes.sort_by(|a, b| a.path.cmp(&b.path));
        Ok(changes)
    }

    /// Shows every fix as a small diff; `done` tells whether they were made.
    pub fn show(&self, done: bool, out: &mut dyn Write) -> io::Result<()> {
        for fix in &self.fixes {
            let line = fix.line.map(|line| format!(":{line}")).unwrap_or_default();
            let mark = if fix.only_shown.is_some() { "by hand" } else { "fix" };
            writeln!(out, "{mark}[{}] {}{line}: {}", plain(&fix.code), plain(&fix.path), plain(&fix.what))?;
            if let Some(within) = &fix.within {
                writeln!(out, "  --> {}", plain(within))?;
            }
            for line in &fix.removed {
                writeln!(out, "  - {}", harmless(line))?;
            }
            for line in &fix.added {
                writeln!(out, "  + {}", harmless(line))?;
            }
            if let Some(why) = &fix.only_shown {
                writeln!(out, "  = not made by itself: {}", plain(why))?;
            }
        }
        let by_hand = self.fixes.iter().filter(|fix| fix.only_shown.is_some()).count();
        let own = count(self.fixes.len() - by_hand, "fix").replace("fixs", "fixes");
        let what = if done { "made" } else { "can be made by `--fix=apply`" };
        writeln!(out, "{own} {what}, {by_hand} by hand, {} left to you", count(self.left, "finding"))
    }
}

/// Returns a line as text; what a runner takes for a command is broken.
fn harmless(text: &str) -> String {
    plain(text).replace("##[", "# #[")
}

#[cfg(test)]
mod tests;
