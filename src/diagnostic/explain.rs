//! The page of every code, embedded from `docs/codes/<category>/<rule>.md`.
//!
//! Must never know what raises a code: a test next to the rules keeps both lists equal.

use rust_embed::RustEmbed;

use super::{Class, Code, Failure};

#[derive(RustEmbed)]
#[folder = "docs/codes/"]
struct Pages;

/// A text that is the code of no page.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error("`{code}` is not a code orch knows")]
pub struct UnknownCode {
    /// The text as it was given.
    pub code: String,
    /// The codes that look most like it, best first; may be empty.
    pub nearest: Vec<String>,
}

impl Failure for UnknownCode {
    fn class(&self) -> Class {
        Class::Usage
    }

    fn help(&self) -> Option<String> {
        Some(match self.nearest.as_slice() {
            [] => "Run `orch explain` without a code for the list.".into(),
            near => format!("Did you mean `{}`?", near.join("` or `")),
        })
    }
}

/// Returns every code that has a page, sorted.
pub fn codes() -> Vec<Code> {
    let mut codes: Vec<Code> =
        Pages::iter().filter_map(|path| path.strip_suffix(".md").and_then(|p| p.parse().ok())).collect();
    codes.sort();
    codes
}

/// Returns the page of a code, Markdown.
pub fn page(code: &Code) -> Option<String> {
    Pages::get(&format!("{code}.md")).map(|file| String::from_utf8_lossy(&file.data).into_owned())
}

/// Returns the page of a code, or an error that names the codes most like it.
pub fn explain(code: &str) -> Result<String, UnknownCode> {
    code.parse().ok().as_ref().and_then(page).ok_or_else(|| UnknownCode {
        code: code.to_owned(),
        nearest: nearest(code, codes().iter().map(Code::as_str)),
    })
}

/// Returns up to three candidates that look like `text`, best first.
pub fn nearest<'a>(text: &str, candidates: impl Iterator<Item = &'a str>) -> Vec<String> {
    let score = |candidate: &str| {
        let whole = strsim::jaro_winkler(text, candidate);
        let rule = candidate.rsplit('/').next().map_or(0.0, |rule| strsim::jaro_winkler(text, rule));
        whole.max(rule)
    };
    let mut scored: Vec<(f64, &str)> = candidates.map(|c| (score(c), c)).filter(|(s, _)| *s > 0.8).collect();
    scored.sort_by(|a, b| b.0.total_cmp(&a.0).then_with(|| a.1.cmp(b.1)));
    scored.into_iter().take(3).map(|(_, candidate)| candidate.to_owned()).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_page_begins_with_its_code() {
        assert!(!codes().is_empty());
        for code in codes() {
            let text = page(&code).unwrap();
            assert!(text.starts_with(&format!("# {code}\n")), "{code}");
        }
        assert_eq!(codes().len(), Pages::iter().count(), "a page has a name that is no code");
    }

    #[test]
    fn unknown_codes_name_the_nearest() {
        let error = explain("paths/protectd").unwrap_err();
        assert_eq!(error.nearest[0], "paths/protected");
        assert!(error.help().unwrap().contains("paths/protected"));
        assert_eq!(explain("allowed").unwrap_err().nearest[0], "paths/allowed");
        assert!(explain("../../etc/passwd").is_err());
        assert!(explain("").unwrap_err().nearest.is_empty());
    }
}
