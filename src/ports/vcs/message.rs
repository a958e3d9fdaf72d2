//! Commit messages: subject, body, trailers in git's format.
//!
//! Must never let a body or a value add a trailer of its own.

use std::collections::BTreeMap;

use super::{CommitDraft, Signature};

/// Returns the whole message of a commit.
pub(super) fn write(draft: &CommitDraft) -> String {
    let mut message = one_line(&draft.subject);
    let body = draft.body.trim();
    if !body.is_empty() {
        message.push_str("\n\n");
        message.push_str(body);
    }
    if !draft.trailers.is_empty() {
        message.push('\n');
        for (key, value) in &draft.trailers {
            message.extend(["\n", &one_line(key), ": ", &one_line(value)]);
        }
    }
    message.push('\n');
    message
}

fn one_line(text: &str) -> String {
    text.split(char::is_control).map(str::trim).filter(|part| !part.is_empty()).collect::<Vec<_>>().join(" ")
}

/// Returns the trailers of a message: its last paragraph, when every line of it is `Key: value`.
pub(super) fn trailers(message: &str) -> BTreeMap<String, String> {
    let Some((_, last)) = message.trim_end().rsplit_once("\n\n") else { return BTreeMap::new() };
    let parse = |line: &str| {
        let (key, value) = line.split_once(": ")?;
        let plain = !key.is_empty() && key.bytes().all(|b| b.is_ascii_alphanumeric() || b == b'-');
        plain.then(|| (key.to_owned(), value.trim().to_owned()))
    };
    last.lines().map(parse).collect::<Option<_>>().unwrap_or_default()
}

/// Returns a signature as `Name <mail>`.
pub(super) fn person(signature: &Signature) -> String {
    format!("{} <{}>", signature.name, signature.email)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn draft(body: &str) -> CommitDraft {
        let trailers = vec![("Orch-Run".into(), "r1".into()), ("Orch-Task".into(), "x\nEvil: y".into())];
        CommitDraft {
            subject: "feat(api): add\n\nEvil: z".into(),
            body: body.into(),
            trailers,
            files: vec![],
        }
    }

    #[test]
    fn trailers_are_read_back_and_cannot_be_smuggled_in() {
        for body in ["", "Text.", "Text.\n\nEvil: body", "Evil: body"] {
            let message = write(&draft(body));
            let read = trailers(&message);
            assert_eq!(read.keys().collect::<Vec<_>>(), ["Orch-Run", "Orch-Task"], "{message}");
            assert_eq!(read["Orch-Task"], "x Evil: y");
        }
        assert_eq!(trailers("Orch-Run: x\n"), BTreeMap::new(), "a subject is no trailer");
        assert_eq!(trailers("s\n\nOrch-Run: x\nnot a trailer\n"), BTreeMap::new());
    }
}
