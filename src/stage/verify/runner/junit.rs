//! Reads JUnit XML, as pytest, jest, vitest, mocha, gotestsum, Maven and many more write it.
//!
//! Must never follow an entity or a link: documents with a DTD are refused by the XML reader.

use roxmltree::{Document, Node, ParsingOptions};

use super::{Broken, Case, Parsed, Place, Printed};
use crate::artifact::types::verification::TestStatus;

/// Suites nested deeper than this are not looked at.
const MAX_DEPTH: usize = 32;

/// Reads every JUnit file of a command.
pub(super) fn read(printed: &Printed<'_>) -> Option<Parsed> {
    let mut parsed = Parsed::default();
    let mut readable = false;
    for text in printed.junit {
        let options = ParsingOptions { allow_dtd: false, ..ParsingOptions::default() };
        let Ok(document) = Document::parse_with_options(text, options) else { continue };
        let root = document.root_element();
        if !matches!(root.tag_name().name(), "testsuites" | "testsuite") {
            continue;
        }
        readable = true;
        walk(&root, &mut Vec::new(), &mut parsed);
    }
    readable.then_some(parsed)
}

fn walk(node: &Node<'_, '_>, suites: &mut Vec<String>, parsed: &mut Parsed) {
    for child in node.children().filter(Node::is_element) {
        match child.tag_name().name() {
            "testsuite" if suites.len() < MAX_DEPTH => {
                // The names of outer suites are files or tools; only a suite within a suite is a part of the test's name.
                let nested = node.tag_name().name() == "testsuite" || child.attribute("timestamp").is_none();
                if nested {
                    suites.push(child.attribute("name").unwrap_or_default().to_owned());
                }
                walk(&child, suites, parsed);
                if nested {
                    suites.pop();
                }
            }
            "testcase" => case(&child, suites, parsed),
            _ => {}
        }
    }
}

fn case(node: &Node<'_, '_>, suites: &[String], parsed: &mut Parsed) {
    let name = node.attribute("name").unwrap_or_default();
    let class = node.attribute("classname").unwrap_or_default();
    let file = node.attribute("file").filter(|f| !f.is_empty());
    let place = match file {
        Some(file) => Place::file(file),
        None if class.is_empty() => Place::Unknown,
        None => Place::Module(class.to_owned()),
    };
    let (status, message) = outcome(node);
    // pytest tells of a file it could not import as a test of the file's name, without a class.
    if class.is_empty() && status == TestStatus::Failed && message.starts_with("collection failure") {
        let place = if file.is_some() { place } else { Place::Module(name.to_owned()) };
        parsed.broken.push(Broken { place, message });
        return;
    }
    let mut path = suites.to_vec();
    path.extend(classes(class, file));
    path.push(name.to_owned());
    parsed.cases.push(Case { place, path, status, message });
}

/// Returns the parts of a dotted class name that the file's path does not say already.
fn classes(class: &str, file: Option<&str>) -> Vec<String> {
    let Some(file) = file else { return Vec::new() };
    let module = file.rsplit_once('.').map_or(file, |(stem, _)| stem).replace('/', ".");
    let rest = class.strip_prefix(&module).unwrap_or_default();
    rest.split('.').filter(|part| !part.is_empty()).map(str::to_owned).collect()
}

fn outcome(node: &Node<'_, '_>) -> (TestStatus, String) {
    for child in node.children().filter(Node::is_element) {
        let status = match child.tag_name().name() {
            "failure" | "error" => TestStatus::Failed,
            "skipped" => TestStatus::Skipped,
            _ => continue,
        };
        let message = child.attribute("message").unwrap_or_default();
        let text = child.text().unwrap_or_default();
        return (status, format!("{message}\n{text}").trim().to_owned());
    }
    (TestStatus::Passed, String::new())
}

#[cfg(test)]
mod tests {
    use super::*;

    fn cases(xml: &str) -> Option<usize> {
        let junit = [xml.to_owned()];
        read(&Printed { junit: &junit, ..Printed::default() }).map(|parsed| parsed.cases.len())
    }

    #[test]
    fn hostile_documents_are_refused_or_cut() {
        let bomb = "<!DOCTYPE a [<!ENTITY b \"x\">]><testsuite><testcase name=\"&b;\"/></testsuite>";
        assert_eq!(cases(bomb), None);
        assert_eq!(cases("<html/>"), None);
        assert_eq!(cases("<testsuite>"), None);
        let deep = |n: usize| {
            format!("{}<testcase name=\"x\"/>{}", "<testsuite>".repeat(n), "</testsuite>".repeat(n))
        };
        assert_eq!(cases(&deep(10)), Some(1));
        assert_eq!(cases(&deep(100)), Some(0), "deeper than anybody nests suites");
        assert!(cases(&deep(100_000)).unwrap_or_default() == 0, "and no overflow of the stack");
    }
}
