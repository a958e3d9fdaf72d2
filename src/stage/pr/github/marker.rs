//! The hidden line in a pull request's text that says whose it is, and what the text was.
//!
//! Must never be taken for proof of anything but that: anybody can write one.

use crate::artifact::digest::Digest;
use crate::artifact::types::pull_request::CiStart;

/// GitHub takes 65,536 characters; some are left for the marker.
const MOST: usize = 64_000;
const START: &str = "<!-- orch task=";
const TEXT: &str = " text=";
const END: &str = " -->";
const FOOTER: &str = "```orchestrator-provenance";

/// Returns a text of at most what GitHub takes, with the marker as its last line.
pub(super) fn add(body: &str, task: &Digest, ci: CiStart) -> String {
    let body = fitting(body);
    let note = match ci {
        CiStart::AfterApproval => {
            "\n> The checks of this pull request wait until a person with write access presses \"Approve workflows to run\".\n"
        }
        CiStart::ByItself | CiStart::Unknown => "",
    };
    let text = format!("{}\n{note}", body.trim_end());
    let marker = format!("{START}{task}{TEXT}{}{END}", Digest::of(normal(&text)));
    format!("{text}\n{marker}\n")
}

/// Cuts a text that is too long, before the footer and at the end of a line.
fn fitting(body: &str) -> String {
    if body.chars().count() <= MOST {
        return body.to_owned();
    }
    let at = body.rfind(FOOTER).unwrap_or(body.len());
    let (head, footer) = body.split_at(at);
    let room = MOST.saturating_sub(footer.chars().count() + 100);
    let head: String = head.chars().take(room).collect();
    let head = head.rsplit_once('\n').map_or("", |(head, _)| head);
    format!("{head}\n\nThe rest is too long for a pull request; it is in `pr.md` of the run.\n\n{footer}")
}

/// The text as it is compared: GitHub may change line ends and what is blank at the end.
fn normal(text: &str) -> String {
    text.replace("\r\n", "\n").trim_end().to_owned()
}

/// What the text of a pull request says about itself.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Claim {
    /// It is not ours, or another task's.
    Other,
    /// It is of this task, word for word as it was written.
    Ours,
    /// It is of this task, and a person has changed it since.
    Edited,
}

/// Reads the marker of a text.
pub(super) fn claim(text: &str, task: &Digest) -> Claim {
    let text = text.replace("\r\n", "\n");
    let Some(at) = text.rfind(START) else { return Claim::Other };
    let (before, marker) = text.split_at(at);
    let fields = marker.strip_prefix(START).and_then(|rest| rest.split_once(END));
    let Some((of, digest)) = fields.and_then(|(fields, _)| fields.split_once(TEXT)) else {
        return Claim::Other;
    };
    if of != task.to_string() {
        return Claim::Other;
    }
    let after = marker.split_once(END).map_or("", |(_, after)| after);
    let same = digest == Digest::of(normal(before)).to_string() && after.trim().is_empty();
    if same { Claim::Ours } else { Claim::Edited }
}
