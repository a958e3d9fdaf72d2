//! The summary of a step, as a GitHub runner shows it: how a stage ended and what was spent, then what people have to read.
//!
//! Must never grow over what GitHub takes of one step: over it, nothing of it is shown.

use std::fmt::Write as _;
use std::fs::{self, OpenOptions};
use std::io::Write as _;

use super::output::Output;
use crate::agent::budget::RunLedgers;
use crate::artifact::id::RunId;
use crate::artifact::store::ArtifactStore;
use crate::config::env::Environment;
use crate::diagnostic::EXIT_CODES;
use crate::diagnostic::redact::redact;
use crate::stage::pr::markdown::{code, text};
use crate::stage::runner::StageRun;

/// GitHub takes 1 MiB of a step (1,048,576 bytes); some is left for others.
const MOST: u64 = 1_000_000;
const CUT: &str = "\n\nThe rest is too long for the summary of a step; it is among the files of the run.\n";

/// Adds a page to the summary of the step, where a runner shows one; elsewhere nothing.
pub fn add(page: &str, output: &Output) {
    let Some(file) = Environment::of_process().step_summary() else { return };
    let there = fs::metadata(&file).map_or(0, |about| about.len());
    let room = usize::try_from(MOST.saturating_sub(there)).unwrap_or(0);
    let page = fitting(&redact(page), room);
    if page.is_empty() {
        return;
    }
    let written = OpenOptions::new()
        .create(true)
        .append(true)
        .open(&file)
        .and_then(|mut open| open.write_all(format!("{page}\n").as_bytes()));
    if let Err(error) = written {
        output.note(&format!("the summary of the step was not written to {}: {error}", file.display()));
    }
}

/// Cuts a page at the end of a line; nothing where there is no room for a word.
fn fitting(page: &str, room: usize) -> String {
    if page.len() < room {
        return page.to_owned();
    }
    let Some(room) = room.checked_sub(CUT.len() + 1) else { return String::new() };
    let end = (0..=room.min(page.len())).rev().find(|at| page.is_char_boundary(*at)).unwrap_or(0);
    let head = page.get(..end).unwrap_or_default();
    format!("{}{CUT}", head.rsplit_once('\n').map_or("", |(head, _)| head))
}

/// Returns how a stage ended and what the run has spent, Markdown.
pub fn of_stage(done: &StageRun, run: &RunId, store: &dyn ArtifactStore) -> String {
    let mut page = format!("### orch {}", done.stage);
    if done.round.get() > 1 {
        let _ = write!(page, " (round {})", done.round);
    }
    let meaning = EXIT_CODES.iter().find(|exit| exit.code == done.exit).map_or("", |exit| exit.meaning);
    let _ = write!(page, ": {}\n\n", meaning.trim_end_matches('.'));
    if let Some(why) = &done.reason {
        let _ = writeln!(page, "{}\n", text(why));
    }
    // Not known is not zero.
    let spent = match RunLedgers::read(store).map(|ledgers| ledgers.spent()) {
        Ok(spent) if spent.calls == 0 => "no model was asked".to_owned(),
        Ok(spent) if spent.unknown == 0 => {
            format!(
                "spent on models so far: {} in {} calls, {} tokens",
                spent.nano_usd, spent.calls, spent.tokens
            )
        }
        Ok(spent) => format!(
            "spent on models so far: at least {} in {} calls; of {} the price is not known",
            spent.nano_usd, spent.calls, spent.unknown
        ),
        Err(_) => "what was spent is not known: a ledger cannot be read".to_owned(),
    };
    let _ = writeln!(page, "<sub>run {} · {spent}</sub>", code(run.as_str()));
    page
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_page_that_is_too_long_is_cut_at_a_line_and_says_so() {
        assert_eq!(fitting("short", 100), "short");
        let long = "é line\n".repeat(1000);
        let cut = fitting(&long, 500);
        assert!(cut.len() < 500 && cut.ends_with(CUT) && cut.starts_with("é line\n"), "{cut}");
        assert_eq!(fitting(&long, 10), "");
        assert_eq!(fitting(&long, 0), "");
    }
}
