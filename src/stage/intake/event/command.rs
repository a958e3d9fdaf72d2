//! Commands in comments: `/orch plan|run|approve DIGEST|rerun STAGE|stop`.
//!
//! Only the first line counts, from its first character, in plain words: no quotes, no escapes, no second command. Must
//! never repeat a word of a comment in what it answers.

use crate::artifact::digest::Digest;
use crate::artifact::id::StageId;
use crate::artifact::types::event::Intent;
use crate::stage::registry;

/// The word a command begins with.
const WORD: &str = "/orch";

/// The longest line that is read as a command.
const LONGEST: usize = 200;

/// What a comment asks for, and what stands below its first line.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Asked<'a> {
    /// What is asked for.
    pub intent: Intent,
    /// The text below the first line.
    pub rest: &'a str,
}

/// Reads a comment as it came.
pub fn read(body: &str) -> Asked<'_> {
    let (line, rest) = body.split_once('\n').unwrap_or((body, ""));
    let line = line.strip_suffix('\r').unwrap_or(line).trim_end_matches([' ', '\t']);
    let nothing = |why: &str| Intent::Nothing { why: why.into() };
    let intent = match line.strip_prefix(WORD) {
        None => nothing("the comment does not begin with `/orch`"),
        Some(words) if !words.is_empty() && !words.starts_with([' ', '\t']) => {
            nothing("the comment begins with another word than `/orch`")
        }
        Some(_) if line.len() > LONGEST => unknown("The first line is too long for a command."),
        Some(words) if !words.bytes().all(|b| b == b' ' || b == b'\t' || b.is_ascii_graphic()) => {
            unknown("The first line holds characters that no command has.")
        }
        Some(words) => intent(&words.split_ascii_whitespace().collect::<Vec<_>>()),
    };
    Asked { intent, rest }
}

fn intent(words: &[&str]) -> Intent {
    match words {
        ["plan"] => Intent::Plan,
        ["run"] => Intent::Run,
        ["stop"] => Intent::Stop,
        ["approve", digest] => match whole(digest) {
            Some(digest) => Intent::Approve { digest },
            None => unknown(
                "`approve` takes the whole digest: `sha256:` and 64 hexadecimal digits. The start of one can be made to \
                 fit another change.",
            ),
        },
        ["rerun", stage] => match stage.parse::<StageId>().ok().filter(|id| registry::stage(*id).is_some()) {
            Some(stage) => Intent::Rerun { stage },
            None => unknown(&format!("There is no such stage; the stages are {}.", stages())),
        },
        [] => unknown("There is no command after `/orch`."),
        ["plan" | "run" | "stop", ..] => {
            unknown("This command takes nothing more; what it is to do goes below the first line.")
        }
        ["approve", ..] => unknown("`approve` takes one digest."),
        ["rerun", ..] => unknown("`rerun` takes one stage."),
        _ => unknown("There is no such command."),
    }
}

/// Returns a whole digest, with or without `sha256:`.
fn whole(text: &str) -> Option<Digest> {
    let hex = text.strip_prefix("sha256:").unwrap_or(text);
    format!("sha256:{hex}").parse().ok()
}

fn stages() -> String {
    registry::STAGES.iter().map(|stage| format!("`{}`", stage.spec().id)).collect::<Vec<_>>().join(", ")
}

fn unknown(why: &str) -> Intent {
    Intent::Unknown {
        reply: format!(
            "{why}\n\nThe commands stand alone on the first line of a comment:\n\n\
             - `/orch plan` makes a plan and nothing more\n\
             - `/orch run` makes the change\n\
             - `/orch approve DIGEST` lets a change go on that waits for a person; the digest is in the pull request\n\
             - `/orch rerun STAGE` runs a stage once more, and all after it\n\
             - `/orch stop` ends the run\n"
        ),
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    #[test]
    fn commands_are_read_from_the_first_line_alone() {
        let hex = "ab".repeat(32);
        let digest: Digest = format!("sha256:{hex}").parse().unwrap();
        let approve = Intent::Approve { digest };
        for (body, wanted) in [
            ("/orch plan", Intent::Plan),
            ("/orch run", Intent::Run),
            ("/orch   run \t", Intent::Run),
            ("/orch run\r\nwith more words\n/orch stop", Intent::Run),
            ("/orch stop", Intent::Stop),
            ("/orch rerun verify-green", Intent::Rerun { stage: StageId::VerifyGreen }),
            (&format!("/orch approve sha256:{hex}"), approve.clone()),
            (&format!("/orch approve {hex}\r\n"), approve),
        ] {
            assert_eq!(read(body).intent, wanted, "{body}");
        }
        assert_eq!(read("/orch run\r\nmore\nlines").rest, "more\nlines");
    }

    #[test]
    fn other_comments_ask_for_nothing() {
        for body in [
            "",
            "hello",
            " /orch run",
            "\n/orch run",
            "> /orch run",
            "`/orch run`",
            "/orchestra run",
            "/Orch run",
            "/orch\u{200b} run",
            "please /orch run",
            "\u{feff}/orch run",
            "/orch-run",
        ] {
            assert!(matches!(read(body).intent, Intent::Nothing { .. }), "{body:?}");
        }
    }

    #[test]
    fn commands_in_no_known_form_are_answered_and_not_repeated() {
        for body in [
            "/orch",
            "/orch evil",
            "/orch run now",
            "/orch 'run'",
            "/orch \"run\"",
            "/orch run; rm -rf /",
            "/orch run && x",
            "/orch $(evil)",
            "/orch approve",
            "/orch approve abc",
            "/orch approve ABCDEF",
            "/orch approve sha256:zz evil",
            "/orch rerun",
            "/orch rerun evil",
            "/orch run\u{a0}",
            "/orch r\u{fc}n",
            &format!("/orch run{}x", " ".repeat(300)),
        ] {
            let Intent::Unknown { reply } = read(body).intent else { panic!("{body}") };
            assert!(reply.contains("`/orch approve DIGEST`") && !reply.contains("evil"), "{reply}");
        }
    }

    proptest! {
        #[test]
        fn no_comment_is_repeated_or_panics(body in "(/orch )?\\PC{0,40}\n?\\PC{0,20}") {
            if let Intent::Unknown { reply } = read(&body).intent {
                prop_assert!(reply.is_ascii());
            }
        }
    }
}
