//! The change as a patch, for people: coloured on a terminal, and cut where it is long.
//!
//! Must never pass on a control character of the change.

use std::io::{self, Write};

use anstyle::{AnsiColor, Style};

use super::plain;
use crate::report::Report;

/// How many lines are shown; the patch file has them all.
const SHOWN: usize = 200;

/// Writes the change of a run, if it has one.
pub fn diff(report: &Report, out: &mut dyn Write) -> io::Result<()> {
    let Some(patch) = &report.patch else { return Ok(()) };
    writeln!(out)?;
    for line in patch.lines().take(SHOWN) {
        let style = match line.as_bytes() {
            [b'+', b'+', b'+', ..] | [b'-', b'-', b'-', ..] | [b'd', b'i', b'f', b'f', ..] => {
                Style::new().bold()
            }
            [b'+', ..] => AnsiColor::Green.on_default(),
            [b'-', ..] => AnsiColor::Red.on_default(),
            [b'@', ..] => AnsiColor::Cyan.on_default(),
            _ => Style::new(),
        };
        writeln!(out, "{style}{}{style:#}", plain(line))?;
    }
    match patch.lines().count().saturating_sub(SHOWN) {
        0 => Ok(()),
        more => writeln!(out, "... and {more} more lines in change.patch"),
    }
}
