//! The tests of the green phase as JUnit XML, for tools that show test results.
//!
//! Must never write a character that XML does not have: test names and messages come from unchecked code.

use std::fmt::Write as _;

use super::decide::Ran;
use super::runner::Parsed;
use crate::artifact::types::verification::{CommandRole, TestStatus};

/// The most of one message that is written, bytes.
const MESSAGE_BYTES: usize = 16 * 1024;

/// Returns the document: a suite for every command of the main run, a case for every test, or one for a command whose
/// output was not understood.
pub(super) fn render(ran: &[&Ran]) -> String {
    let mut xml =
        String::from("<?xml version=\"1.0\" encoding=\"UTF-8\"?>\n<testsuites name=\"orch verify\">\n");
    for command in ran {
        suite(&mut xml, command);
    }
    xml.push_str("</testsuites>\n");
    xml
}

fn suite(xml: &mut String, ran: &Ran) {
    let name = escape(&shell_words::join(&ran.argv));
    let mut cases = String::new();
    let (mut tests, mut failures, mut skipped) = (0, 0, 0);
    let empty = Parsed::default();
    let parsed = ran.parsed.as_ref().filter(|_| ran.role == CommandRole::Test).unwrap_or(&empty);
    for case in &parsed.cases {
        tests += 1;
        let body = match case.status {
            TestStatus::Passed => None,
            TestStatus::Failed => {
                failures += 1;
                Some(("failure", case.message.as_str()))
            }
            TestStatus::Skipped | TestStatus::NotSeen => {
                skipped += 1;
                Some(("skipped", case.message.as_str()))
            }
        };
        push(&mut cases, case.place.as_str(), &case.path.join("::"), body);
    }
    for broken in &parsed.broken {
        (tests, failures) = (tests + 1, failures + 1);
        push(&mut cases, broken.place.as_str(), "(not loaded)", Some(("failure", &broken.message)));
    }
    if tests == 0 {
        tests = 1;
        let said = format!("{}\n{}", ran.stderr, ran.stdout);
        let body = (!ran.ended.ok()).then_some(("failure", said.as_str()));
        failures += usize::from(body.is_some());
        push(&mut cases, "command", &format!("{:?}", ran.role).to_lowercase(), body);
    }
    let time = ran.duration.as_secs_f64();
    let _ = write!(
        xml,
        "  <testsuite name=\"{name}\" tests=\"{tests}\" failures=\"{failures}\" skipped=\"{skipped}\" time=\"{time:.3}\">\n{cases}  </testsuite>\n"
    );
}

fn push(xml: &mut String, class: &str, name: &str, body: Option<(&str, &str)>) {
    let (class, name) = (escape(class), escape(name));
    let _ = match body {
        None => writeln!(xml, "    <testcase classname=\"{class}\" name=\"{name}\"/>"),
        Some((tag, text)) => {
            let text = escape(&text[..text.floor_char_boundary(MESSAGE_BYTES)]);
            writeln!(
                xml,
                "    <testcase classname=\"{class}\" name=\"{name}\"><{tag}>{text}</{tag}></testcase>"
            )
        }
    };
}

/// Escapes text for elements and attributes and drops what XML 1.0 cannot hold.
fn escape(text: &str) -> String {
    let mut out = String::with_capacity(text.len());
    for c in text.chars() {
        match c {
            '&' => out.push_str("&amp;"),
            '<' => out.push_str("&lt;"),
            '>' => out.push_str("&gt;"),
            '"' => out.push_str("&quot;"),
            '\n' | '\t' => out.push(c),
            '\u{fffe}' | '\u{ffff}' => {}
            c if c.is_control() => {}
            c => out.push(c),
        }
    }
    out
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    proptest! {
        #[test]
        fn whatever_a_test_is_called_the_document_is_well_formed(class in any::<String>(), name in any::<String>(), text in any::<String>()) {
            let mut xml = String::from("<a>");
            push(&mut xml, &class, &name, Some(("failure", &text)));
            push(&mut xml, &class, &name, None);
            xml.push_str("</a>");
            let document = roxmltree::Document::parse(&xml).unwrap();
            prop_assert_eq!(document.descendants().filter(|n| n.has_tag_name("testcase")).count(), 2);
        }
    }
}
