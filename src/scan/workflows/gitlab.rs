//! The few facts about GitLab's CI files: what is included from elsewhere, and text of strangers that is evaluated.
//!
//! Must never report a variable in a script: GitLab hands it over in the environment.

use std::sync::LazyLock;

use regex::Regex;

use super::super::yaml::{Node, Value};
use super::{Confidence, INJECTION, Note, Report, UNPINNED};

/// Text of whoever made the merge request or the commit, evaluated as code.
static EVALUATED: LazyLock<Option<Regex>> = LazyLock::new(|| {
    Regex::new(
        r"\b(?:eval|(?:ba|z|da)?sh\s+-c)\s[^\n]*\$\{?(?:CI_COMMIT_(?:MESSAGE|TITLE|DESCRIPTION|REF_NAME|BRANCH|AUTHOR)|CI_MERGE_REQUEST_(?:TITLE|DESCRIPTION|SOURCE_BRANCH_NAME))\b",
    )
    .ok()
});

pub fn scan(root: &Node, report: &mut Report<'_, '_>) {
    if let Some(include) = root.get("include") {
        match &include.value {
            Value::Sequence(items) => items.iter().for_each(|item| taken(item, report)),
            _ => taken(include, report),
        }
    }
    let mut found: Vec<(std::ops::Range<usize>, String)> = Vec::new();
    root.each_text(&mut |node, text| {
        if let Some(hit) = EVALUATED.as_ref().and_then(|evaluated| evaluated.find(text)) {
            found.push((report.place(&node.range, hit.as_str()), hit.as_str().to_owned()));
        }
    });
    for (place, key) in found {
        report.add(Note {
            code: INJECTION,
            places: &[place],
            message: "text of whoever made the commit or merge request is evaluated as code".into(),
            key,
            confidence: Confidence::High,
            kind: "rights",
            action: "",
        });
    }
}

fn taken(item: &Node, report: &mut Report<'_, '_>) {
    let remote = item.text().filter(|text| text.starts_with("https://") || text.starts_with("http://"));
    let remote = remote.map(|text| (item, text)).or_else(|| {
        let node = item.get("remote")?;
        item.get("integrity").is_none().then_some((node, node.text()?))
    });
    let what = remote
        .map(|(node, text)| (node, format!("`{text}` is included without `integrity`")))
        .or_else(|| {
            let project = item.get("project")?;
            let reference = item.get("ref").and_then(Node::text).unwrap_or_default();
            let pinned = super::model::is_commit(reference);
            (!pinned).then_some((
                project,
                format!("the project `{}` is included without a commit", project.text()?),
            ))
        });
    if let Some((node, message)) = what {
        report.add(Note {
            code: UNPINNED,
            places: std::slice::from_ref(&node.range),
            message,
            key: node.text().unwrap_or_default().to_owned(),
            confidence: Confidence::Medium,
            kind: "include",
            action: node.text().unwrap_or_default(),
        });
    }
}
