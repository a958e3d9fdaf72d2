//! What the page of a code says, in the parts that formats ask for.
//!
//! Must never take text of a finding for text of a page: pages are part of the program, findings are not.

use crate::diagnostic::explain;

/// The page of a code.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Page {
    /// Its first paragraph: what the rule does.
    pub(super) what: String,
    /// Why the rule is there.
    pub(super) why: Option<String>,
    /// All of it, Markdown, without its head line.
    pub(super) markdown: String,
}

/// Returns the page of a code that has one.
pub(super) fn page(code: &str) -> Option<Page> {
    let text = explain::explain(code).ok()?;
    let body = text.split_once('\n').map_or("", |(_, body)| body).trim();
    let paragraph = |text: &str| {
        let first = text.trim().split("\n\n").next().unwrap_or_default();
        first.split_whitespace().collect::<Vec<_>>().join(" ")
    };
    let why =
        body.split_once("## Why\n").map(|(_, rest)| paragraph(rest)).filter(|why| !why.starts_with('#'));
    Some(Page { what: paragraph(body), why, markdown: body.to_owned() })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_page_has_parts() {
        let page = page("secrets/env-file").unwrap();
        assert!(page.what.starts_with("Denies a `.env` file"));
        assert!(page.why.unwrap().contains("history"));
        assert!(page.markdown.contains("## Prefer") && !page.markdown.contains("# secrets/env-file"));
        assert_eq!(super::page("acme/own"), None);
    }

    #[test]
    fn every_page_says_what_the_rule_does() {
        for code in explain::codes() {
            let page = page(code.as_str()).unwrap();
            assert!(!page.what.is_empty() && !page.what.starts_with('#'), "{code}");
        }
    }
}
