//! The model as JSON, for programs.

use std::io::{self, Write};

use crate::report::Report;

/// Writes the model as pretty JSON with a final newline.
pub fn json(report: &Report, out: &mut dyn Write) -> io::Result<()> {
    serde_json::to_writer_pretty(&mut *out, report)?;
    writeln!(out)
}
