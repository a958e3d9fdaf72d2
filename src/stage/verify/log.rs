//! The log of a phase: every command with how it ended and what it printed.
//!
//! Holds times, so it is a record and no part of any key; it is for people and is never read back.

use std::fmt::Write as _;

use super::decide::{Ran, ended};

/// The most of one stream that is logged, bytes.
const STREAM_BYTES: usize = 2 * 1024 * 1024;

/// Returns the log of all commands.
pub(super) fn render(ran: &[Ran]) -> String {
    let mut log = String::new();
    if ran.is_empty() {
        log.push_str("no command was run\n");
    }
    for command in ran {
        let role = format!("{:?}", command.role).to_lowercase();
        let words = shell_words::join(&command.argv);
        let _ = writeln!(log, "==> {} · {role} · {words}", command.run);
        let _ = writeln!(log, "    {}, {:.2} s", ended(&command.ended), command.duration.as_secs_f64());
        for violation in &command.violations {
            let _ = writeln!(log, "    not allowed: {violation}");
        }
        for (name, text) in [("stdout", &command.stdout), ("stderr", &command.stderr)] {
            if !text.trim().is_empty() {
                let _ = writeln!(log, "--- {name}");
                push(&mut log, text);
            }
        }
        log.push('\n');
    }
    log
}

fn push(log: &mut String, text: &str) {
    if text.len() <= STREAM_BYTES {
        log.push_str(text.trim_end());
    } else {
        let (head, tail) = (text.floor_char_boundary(STREAM_BYTES / 2), text.len() - STREAM_BYTES / 2);
        let tail = text.ceil_char_boundary(tail);
        let _ = write!(
            log,
            "{}\n[... {} bytes left out ...]\n{}",
            &text[..head],
            tail - head,
            text[tail..].trim_end()
        );
    }
    log.push('\n');
}
