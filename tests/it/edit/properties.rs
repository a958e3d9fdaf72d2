//! Properties of the applier: what a difference says is what is made, in every format, once and not twice.
#![expect(
    clippy::unwrap_used,
    clippy::format_collect,
    reason = "a test may fail anywhere, and texts are short"
)]

use orch::edit::format::Format;
use orch::edit::patch::render;
use orch::edit::revise::{Refused, case};
use proptest::prelude::*;
use similar::{ChangeTag, TextDiff};

use orch::artifact::types::change_set::{FileChange, FileMode};

const PATH: &str = "src/a file.txt";

/// A hunk as lines with signs.
type Signed = Vec<(char, String)>;

fn hunks(before: &str, after: &str) -> Vec<Signed> {
    let diff = TextDiff::from_lines(before, after);
    let mut hunks = Vec::new();
    for group in diff.grouped_ops(3) {
        let mut hunk = Vec::new();
        for op in &group {
            for change in diff.iter_changes(op) {
                let sign = match change.tag() {
                    ChangeTag::Equal => ' ',
                    ChangeTag::Delete => '-',
                    ChangeTag::Insert => '+',
                };
                hunk.push((sign, change.value().trim_end_matches('\n').to_owned()));
            }
        }
        hunks.push(hunk);
    }
    hunks
}

fn written(format: &str, before: &str, after: &str) -> String {
    let hunks = hunks(before, after);
    let side = |hunk: &Signed, without: char| -> String {
        hunk.iter().filter(|(sign, _)| *sign != without).map(|(_, line)| format!("{line}\n")).collect()
    };
    match format {
        "udiff" => {
            let before_bytes = Some(before.as_bytes().to_vec());
            let change = FileChange::write(
                PATH.parse().unwrap(),
                Some(before.as_bytes()),
                after.into(),
                FileMode::Regular,
            );
            String::from_utf8(render(&[(&change, before_bytes)]).unwrap()).unwrap()
        }
        "sr" => hunks
            .iter()
            .map(|hunk| {
                format!(
                    "`{PATH}`\n<<<<<<< SEARCH\n{}=======\n{}>>>>>>> REPLACE\n",
                    side(hunk, '+'),
                    side(hunk, '-')
                )
            })
            .collect(),
        "v4a" => {
            let body: String = hunks
                .iter()
                .map(|hunk| {
                    let lines: String = hunk.iter().map(|(sign, line)| format!("{sign}{line}\n")).collect();
                    format!("@@\n{lines}")
                })
                .collect();
            format!("*** Begin Patch\n*** Update File: {PATH}\n{body}*** End Patch\n")
        }
        _ => {
            let pairs: Vec<_> = hunks
                .iter()
                .map(|hunk| serde_json::json!({ "find": side(hunk, '+'), "replace": side(hunk, '-') }))
                .collect();
            serde_json::json!([{ "path": PATH, "op": "replace", "replacements": pairs }]).to_string()
        }
    }
}

/// A text whose lines are told apart, and an edited one.
fn texts() -> impl Strategy<Value = (String, String)> {
    let lines = prop::collection::vec(("[ \t]{0,4}", "[a-z{}();\"'=]{0,8}"), 4..40);
    let edits = prop::collection::vec((any::<prop::sample::Index>(), 0..3_u8, "[a-z ]{1,8}"), 1..6);
    (lines, edits, any::<bool>()).prop_map(|(lines, edits, crlf)| {
        let before: Vec<String> =
            lines.iter().enumerate().map(|(at, (lead, word))| format!("{lead}{word} line{at}")).collect();
        let mut after = before.clone();
        for (number, (at, how, word)) in edits.into_iter().enumerate() {
            let at = at.index(after.len().max(1));
            match how {
                0 if after.len() > 1 => drop(after.remove(at)),
                1 if at < after.len() => after[at] = format!("{word} changed{number}"),
                _ => after.insert(at, format!("{word} new{number}")),
            }
        }
        let end = if crlf { "\r\n" } else { "\n" };
        let join = |lines: &[String]| lines.iter().map(|line| format!("{line}{end}")).collect::<String>();
        (join(&before), join(&after))
    })
}

proptest! {
    #[test]
    fn a_difference_makes_what_it_says_and_is_refused_the_second_time((before, after) in texts()) {
        prop_assume!(before != after);
        for format in ["udiff", "sr", "v4a", "json"] {
            let text = written(format, &before, &after);
            let made = case(PATH, before.as_bytes(), before.as_bytes(), format, &text);
            let made = made.map(|bytes| String::from_utf8(bytes).unwrap());
            prop_assert_eq!(made.as_deref(), Ok(after.as_str()), "{} {}", format, text);
            // Made already, and the model was shown either state.
            let again = case(PATH, after.as_bytes(), before.as_bytes(), format, &text);
            prop_assert!(matches!(again, Err(Refused::Done(_))), "{format} {again:?} {text}");
            let twice = case(PATH, after.as_bytes(), after.as_bytes(), format, &text);
            prop_assert!(twice.is_err(), "{format} {twice:?} {text}");
        }
    }

    #[test]
    fn equal_lines_never_make_another_text(
        before in "(a\n|b\n|\n|  a\n|c\n){1,20}", after in "(a\n|b\n|\n|  a\n|d\n){1,20}",
    ) {
        prop_assume!(before != after);
        for format in ["udiff", "sr", "v4a", "json"] {
            // Where lines repeat, a hunk may have no one place: then it is refused.
            let made = case(PATH, before.as_bytes(), before.as_bytes(), format, &written(format, &before, &after));
            let whole = format == "udiff" || hunks(&before, &after).len() == 1;
            if let Ok(made) = made && whole {
                prop_assert_eq!(String::from_utf8(made).unwrap(), after.clone(), "{}", format);
            }
        }
    }

    #[test]
    fn any_text_ends(text in any::<String>()) {
        for format in Format::all() {
            let _ = format.read(&text);
            let _ = case(PATH, b"a\nb\n", b"a\nc\n", format.name(), &text);
        }
        let _ = Format::guess(&text);
    }

    #[test]
    fn any_mix_of_marks_ends(lines in prop::collection::vec(prop_oneof![
        Just("--- a/x"), Just("+++ b/x"), Just("@@ -1,2 +1 @@"), Just("@@"), Just("diff --git a/x b/x"), Just(" a"),
        Just("-a"), Just("+a"), Just("\\ No newline at end of file"), Just(""), Just("```"), Just("rename from x"),
        Just("rename to y"), Just("x"), Just("<<<<<<< SEARCH"), Just("======="), Just(">>>>>>> REPLACE"),
        Just("*** Begin Patch"), Just("*** Update File: x"), Just("*** Add File: x"), Just("*** End of File"),
        Just("*** Move to: y"), Just("*** End Patch"), Just("..."), Just("  a"), Just("new file mode 100644"),
        Just("deleted file mode 100644"), Just("[{\"path\":\"x\",\"op\":\"delete\"}]"),
    ], 0..40)) {
        let text = lines.join("\n");
        for format in Format::all() {
            let _ = format.read(&text);
            for base in ["", "a\n", "a\na\nb\n", "x\n...\na"] {
                let _ = case("x", base.as_bytes(), b"a\n", format.name(), &text);
            }
        }
    }

    #[test]
    fn what_no_hunk_touches_stays_byte_for_byte(head in any::<Vec<u8>>(), tail in any::<Vec<u8>>()) {
        prop_assume!(!head.contains(&0) && !tail.contains(&0));
        let clean = |bytes: &[u8]| !String::from_utf8_lossy(bytes).contains("unique");
        prop_assume!(clean(&head) && clean(&tail));
        let whole = |word: &str| [&head[..], format!("\nunique one\n{word}\nunique three\n").as_bytes(), &tail[..]].concat();
        let text = String::from("x\n<<<<<<< SEARCH\nunique one\nunique two\nunique three\n=======\nunique one\nunique 2\nunique three\n>>>>>>> REPLACE\n");
        let made = case("x", &whole("unique two"), &whole("unique two"), "sr", &text);
        prop_assert_eq!(made, Ok(whole("unique 2")));
    }
}
