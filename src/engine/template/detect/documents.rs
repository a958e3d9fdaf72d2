//! Documents: README, licence, workflows, editor files.

use serde::Serialize;

use crate::ports::vcs::VcsError;

use super::super::tree::Tree;

/// Documents at the root.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct Documents {
    /// The README.
    pub readme: Option<String>,
    /// Whether it is Markdown.
    pub readme_markdown: bool,
    /// Its headings, lower case.
    pub headings: Vec<String>,
    /// The first licence file.
    pub license: Option<String>,
    /// What its text says it is, as an SPDX expression, where it can be told.
    pub license_id: Option<String>,
    /// The workflow files.
    pub workflows: Vec<String>,
    /// The names of other files at the root, for conditions.
    pub root: Vec<String>,
}

/// Detects documents.
pub fn detect(tree: &Tree<'_>) -> Result<Documents, VcsError> {
    let root: Vec<String> = tree.files().filter(|p| !p.contains('/')).map(str::to_owned).collect();
    let starts = |path: &str, name: &str| path.to_ascii_lowercase().starts_with(name);
    // A Markdown README wins over others of the name.
    let readme = root
        .iter()
        .filter(|p| starts(p, "readme") && (p.len() == 6 || p[6..].starts_with('.')))
        .min_by_key(|p| !is_markdown(p))
        .cloned();
    let text = readme.as_deref().map_or(Ok(None), |p| tree.text(p))?.unwrap_or_default();
    let licenses: Vec<&String> = root
        .iter()
        .filter(|p| ["license", "licence", "copying", "unlicense"].iter().any(|n| starts(p, n)))
        .collect();
    let mut ids = Vec::new();
    for path in &licenses {
        ids.extend(license_id(&tree.text(path)?.unwrap_or_default()));
    }
    ids.sort_unstable_by(|a, b| b.cmp(a));
    Ok(Documents {
        readme_markdown: readme.as_deref().is_none_or(is_markdown),
        headings: text
            .lines()
            .filter(|l| l.starts_with('#'))
            .map(|l| l.trim_matches(['#', ' ', '\t']).to_lowercase())
            .collect(),
        license: licenses.first().map(|p| (*p).clone()),
        license_id: (ids.len() == licenses.len() && !ids.is_empty()).then(|| ids.join(" OR ")),
        workflows: tree.files().filter(|p| p.starts_with(".github/workflows/")).map(str::to_owned).collect(),
        readme,
        root,
    })
}

fn is_markdown(path: &str) -> bool {
    path.to_ascii_lowercase()
        .rsplit_once('.')
        .is_some_and(|(_, ending)| ending == "md" || ending == "markdown")
}

fn license_id(text: &str) -> Option<&'static str> {
    let start: String = text.chars().take(600).collect();
    if start.contains("Apache License") && start.contains("Version 2.0") {
        Some("Apache-2.0")
    } else if start.contains("MIT License") || start.contains("Permission is hereby granted, free of charge")
    {
        Some("MIT")
    } else {
        None
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn documents_are_told_by_name_and_text() {
        let tree = Tree::of_texts(&[
            ("README.rst", ""),
            ("readme.md", "# A\n\n## Use it \n"),
            ("LICENSE-APACHE", "  Apache License\n Version 2.0"),
            ("LICENSE-MIT", "MIT License"),
            (".github/workflows/ci.yml", ""),
        ]);
        let found = detect(&tree).unwrap();
        assert_eq!(found.readme.as_deref(), Some("readme.md"));
        assert_eq!(found.headings, ["a", "use it"]);
        assert_eq!(found.license_id.as_deref(), Some("MIT OR Apache-2.0"));
        assert_eq!(found.workflows.len(), 1);
        assert_eq!(detect(&Tree::of_texts(&[("LICENSE", "x")])).unwrap().license_id, None);
    }
}
