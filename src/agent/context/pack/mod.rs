//! The pack: what of a repository a stage is shown for a request, as whole functions under a ceiling.
//!
//! The files an index ranks best, their functions that fit, tests and callers of those, and a file most alike. Every piece
//! has the id it is cited by. Must never show half of a function, and must never drop anything without saying so; the same
//! ranking and the same tree give the same pack.

mod gather;
mod pieces;

use std::collections::BTreeMap;

use serde::Serialize;

use crate::agent::fence::one_line;
use crate::artifact::types::debate::LeftOut;
use crate::ports::vcs::{Ranked, VcsError};

use super::{Cite, Cut, Piece, Source, fenced_tokens};

/// The most files of a ranking that are looked into.
pub const MAX_FILES: usize = 24;
/// Of so many files what fits comes before their tests and users.
const FIRST: usize = 3;
/// The most that is told as left out.
const MAX_TOLD: usize = 40;

/// What a piece is there for; those first matter more.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Serialize)]
#[serde(rename_all = "kebab-case")]
pub enum PartRole {
    /// It fits the request.
    Match,
    /// It tests what fits.
    Test,
    /// It uses what fits.
    Caller,
    /// A file beside the best one, most like it: how things are done here.
    Neighbour,
    /// What else a file holds: signatures only.
    Outline,
}

impl PartRole {
    /// Returns its name as shown.
    pub const fn name(self) -> &'static str {
        match self {
            Self::Match => "fits the request",
            Self::Test => "a test of what fits",
            Self::Caller => "uses what fits",
            Self::Neighbour => "a neighbour, as an example",
            Self::Outline => "outline, signatures only",
        }
    }

    const fn weight(self) -> u8 {
        match self {
            Self::Match => 5,
            Self::Test | Self::Caller => 4,
            Self::Neighbour | Self::Outline => 3,
        }
    }
}

/// A piece of a file.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct Part {
    /// What it is there for.
    pub role: PartRole,
    /// What it is cited by, `path@blob:first-last`.
    #[serde(serialize_with = "shown_cite")]
    pub cite: Cite,
    /// The names of what it defines.
    pub names: Vec<String>,
    /// Its lines, each with its number and a tab.
    pub text: String,
}

fn shown_cite<S: serde::Serializer>(cite: &Cite, serializer: S) -> Result<S::Ok, S::Error> {
    serializer.collect_str(cite)
}

impl Part {
    /// Returns it as a piece of a prompt.
    pub fn piece(&self) -> Piece {
        let names = match self.names.as_slice() {
            [] => String::new(),
            names => format!(" ({})", names.iter().take(3).cloned().collect::<Vec<_>>().join(", ")),
        };
        let label = format!("{}{names}, {}, lines numbered", self.cite, self.role.name());
        Piece::new(label, &self.text, self.role.weight(), Cut::Whole)
    }
}

/// What a stage is shown of a repository.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize)]
pub struct Pack {
    /// The pieces, those that matter most first.
    pub parts: Vec<Part>,
    /// The estimate of their tokens, fences included.
    pub tokens: u32,
    /// What fits and is not shown, with the reason.
    pub left_out: Vec<LeftOut>,
}

impl Pack {
    /// Returns its pieces for a prompt.
    pub fn pieces(&self) -> Vec<Piece> {
        self.parts.iter().map(Part::piece).collect()
    }

    /// Returns what its pieces are cited by.
    pub fn cites(&self) -> Vec<Cite> {
        let whole = self.parts.iter().filter(|part| part.role != PartRole::Outline);
        whole.map(|part| part.cite.clone()).collect()
    }

    /// Returns the files of what fits, in their order, each once.
    pub fn files(&self) -> Vec<&str> {
        let mut files: Vec<&str> = Vec::new();
        for part in self.parts.iter().filter(|part| part.role == PartRole::Match) {
            if !files.contains(&part.cite.path.as_str()) {
                files.push(&part.cite.path);
            }
        }
        files
    }

    /// Returns its text as a model sees it.
    pub fn text(&self) -> String {
        self.pieces().iter().map(Piece::fenced).collect()
    }
}

/// What a pack is wanted for.
#[derive(Clone, Copy, Debug)]
pub struct Want<'a> {
    /// The request, and what is known of it besides.
    pub text: &'a str,
    /// The most tokens.
    pub ceiling: u32,
    /// Files that are shown elsewhere: only what belongs to them is in the pack.
    pub shown: &'a [&'a str],
}

/// Makes the pack of a request.
pub fn pack(want: &Want<'_>, source: &dyn Source) -> Result<Pack, VcsError> {
    let mut ranked = gather::ranked(want.text, source, MAX_FILES)?;
    let elsewhere = want.shown.iter().filter(|path| !ranked.iter().any(|found| found.path == **path));
    let elsewhere: Vec<Ranked> =
        elsewhere.map(|path| Ranked { path: (*path).to_owned(), lines: None }).collect();
    // What is shown elsewhere is what is worked on: it comes first.
    let (mut first, rest): (Vec<Ranked>, Vec<Ranked>) =
        ranked.drain(..).partition(|found| want.shown.contains(&found.path.as_str()));
    first.extend(elsewhere);
    let worked_on = first.len();
    let ranked: Vec<Ranked> = first.into_iter().chain(rest).collect();
    let mut files = gather::Files::of(source);
    let (mut best, mut more, mut outlines, mut touched, mut unread) =
        (vec![], vec![], vec![], vec![], vec![]);
    for (at, Ranked { path, lines }) in ranked.iter().enumerate() {
        let Some(file) = files.get(path)? else {
            unread.push(LeftOut { what: path.clone(), why: "it is no text, or too large".into() });
            continue;
        };
        let (parts, rest) = pieces::fitting(&file, want.text, *lines);
        if at < worked_on.max(FIRST) {
            touched.extend(parts.iter().cloned());
        }
        if at >= worked_on {
            if at < worked_on + FIRST {
                best.extend(parts);
            } else {
                more.extend(parts);
            }
            outlines.extend(rest);
        }
    }
    best.extend(gather::uses(&mut files, source, &ranked, &touched)?);
    best.extend(gather::neighbour(&mut files, source, &touched)?);
    let parts = best.into_iter().chain(more).chain(outlines);
    let mut pack = fill(parts.filter(|part| !want.shown.contains(&part.cite.path.as_str())), want.ceiling);
    let room = MAX_TOLD.saturating_sub(pack.left_out.len());
    pack.left_out.extend(unread.into_iter().take(room));
    Ok(pack)
}

/// Returns what of ranked files fits a query.
pub(super) fn fitting(ranked: &[Ranked], query: &str, source: &dyn Source) -> Result<Vec<Part>, VcsError> {
    let mut files = gather::Files::of(source);
    let mut parts = Vec::new();
    for Ranked { path, lines } in ranked {
        if let Some(file) = files.get(path)? {
            parts.extend(pieces::fitting(&file, query, *lines).0);
        }
    }
    Ok(parts)
}

/// Takes parts in their order as long as there is room; what is shown already is not shown twice.
fn fill(parts: impl Iterator<Item = Part>, ceiling: u32) -> Pack {
    let mut pack = Pack::default();
    let mut shown: BTreeMap<String, Vec<(u32, u32)>> = BTreeMap::new();
    let mut untold = 0;
    for part in parts {
        let lines = shown.entry(part.cite.path.clone()).or_default();
        if lines.iter().any(|(first, last)| *first <= part.cite.first && *last >= part.cite.last) {
            continue;
        }
        let tokens = fenced_tokens(&part.piece());
        if pack.tokens + tokens > ceiling {
            if pack.left_out.len() < MAX_TOLD - 1 {
                let what = one_line(&part.cite.to_string(), 200);
                pack.left_out.push(LeftOut {
                    what,
                    why: format!("there was no room for its {tokens} tokens; it {}", said(part.role)),
                });
            } else {
                untold += 1;
            }
            continue;
        }
        if part.role != PartRole::Outline {
            lines.push((part.cite.first, part.cite.last));
        }
        pack.tokens += tokens;
        pack.parts.push(part);
    }
    if untold > 0 {
        pack.left_out.push(LeftOut {
            what: format!("{untold} more pieces"),
            why: "there was no room for them".into(),
        });
    }
    pack
}

const fn said(role: PartRole) -> &'static str {
    match role {
        PartRole::Match => "fits the request",
        PartRole::Test => "tests what fits",
        PartRole::Caller => "uses what fits",
        PartRole::Neighbour => "is a neighbour of what fits",
        PartRole::Outline => "is an outline",
    }
}
