//! The verdict itself, as its schema says.
//!
//! Must never add to it or leave anything out: `orch policy show` reads it back.

use std::io::{self, Write};

use serde::Serialize;

use crate::artifact::types::verdict::Verdict;

/// Writes the verdict as pretty JSON.
pub(super) fn render(verdict: &Verdict, out: &mut dyn Write) -> io::Result<()> {
    write(verdict, out)
}

/// Writes a value as pretty JSON in which a runner finds no command: `##[` can only be in a string, where an escape is the same.
pub(super) fn write<T: Serialize>(value: &T, out: &mut dyn Write) -> io::Result<()> {
    let text = serde_json::to_string_pretty(value)?;
    writeln!(out, "{}", text.replace("##[", "\\u0023#["))
}
