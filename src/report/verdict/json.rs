//! The verdict itself, as its schema says.
//!
//! Must never add to it or leave anything out: `orch policy show` reads it back.

use std::io::{self, Write};

use crate::artifact::types::verdict::Verdict;

/// Writes the verdict as pretty JSON.
pub(super) fn render(verdict: &Verdict, out: &mut dyn Write) -> io::Result<()> {
    serde_json::to_writer_pretty(&mut *out, verdict)?;
    writeln!(out)
}
