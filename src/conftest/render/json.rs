//! An array of outcomes, as conftest writes it.

use std::io::{self, Write};

use crate::conftest::outcome::Outcome;

/// Writes the outcomes; standard input has no name.
pub(super) fn render(outcomes: &[Outcome], out: &mut dyn Write) -> io::Result<()> {
    let mut outcomes = outcomes.to_vec();
    for outcome in outcomes.iter_mut().filter(|o| o.filename == "-") {
        outcome.filename.clear();
    }
    let mut text = Vec::new();
    let formatter = serde_json::ser::PrettyFormatter::with_indent(b"\t");
    let mut serializer = serde_json::Serializer::with_formatter(&mut text, formatter);
    serde::Serialize::serialize(&outcomes, &mut serializer)?;
    text.push(b'\n');
    out.write_all(&text)
}
