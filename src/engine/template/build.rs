//! A chosen variant becomes file changes.
//!
//! Must never overwrite: a file that is there is extended in a known way or is a conflict.

use crate::artifact::path::RepoPath;
use crate::artifact::types::change_set::{ExpectedTest, FileChange, FileMode};
use crate::engine::EngineError;
use crate::ports::vcs::EntryKind;

use super::choose::Choice;
use super::manifest::{Edit, FileRule, Place};
use super::source::{broken, regex};
use super::tree::Tree;
use super::{json, ops};

/// The file changes of a variant.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Built {
    /// The test files, sorted by path.
    pub tests: Vec<FileChange>,
    /// The tests that must be red before and green after.
    pub expected: Vec<ExpectedTest>,
    /// The files of the change, sorted by path.
    pub edits: Vec<FileChange>,
}

/// Builds the chosen variant on a tree.
pub fn build(choice: &Choice<'_>, tree: &Tree<'_>) -> Result<Built, EngineError> {
    let builder = Builder { choice, tree };
    let mut built = Built { tests: Vec::new(), expected: Vec::new(), edits: Vec::new() };
    for rule in &choice.variant.tests {
        if let Some(change) = builder.change(rule)? {
            for test in &rule.expected {
                let name = choice.renderer.text("expected.name", &test.name)?;
                let (path, criteria) = (change.path.clone(), test.criteria.clone());
                built.expected.push(ExpectedTest { path, name, criteria });
            }
            built.tests.push(change);
        } else if !rule.expected.is_empty() && choice.renderer.holds(rule.when.as_deref())? {
            let path = choice.renderer.text("path", &rule.path)?;
            return Err(conflict(&path, "is there already, and the change it tests is not"));
        }
    }
    for rule in &choice.variant.files {
        built.edits.extend(builder.change(rule)?);
    }
    if built.edits.is_empty() {
        let name = choice.template.name();
        return Err(EngineError::AlreadyDone {
            what: format!("the repository has all that `{name}` would write"),
        });
    }
    built.tests.sort_by(|a, b| a.path.cmp(&b.path));
    built.edits.sort_by(|a, b| a.path.cmp(&b.path));
    let mut paths: Vec<_> = built.tests.iter().chain(&built.edits).map(|f| &f.path).collect();
    paths.sort_unstable();
    if let Some([twice, _]) = paths.array_windows().find(|[a, b]| a == b) {
        return Err(broken(choice.template.name(), &format!("it writes `{twice}` twice")));
    }
    Ok(built)
}

fn conflict(path: &str, why: &str) -> EngineError {
    EngineError::Conflict {
        path: path.to_owned(),
        why: why.to_owned(),
        help: "Make the change in that file by hand, or move the file away, then run again.".into(),
    }
}

struct Builder<'a, 't, 'r> {
    choice: &'a Choice<'t>,
    tree: &'a Tree<'r>,
}

impl Builder<'_, '_, '_> {
    fn change(&self, rule: &FileRule) -> Result<Option<FileChange>, EngineError> {
        let renderer = &self.choice.renderer;
        if !renderer.holds(rule.when.as_deref())? {
            return Ok(None);
        }
        let path: RepoPath = renderer
            .text("path", &rule.path)?
            .parse()
            .map_err(|e: crate::artifact::path::PathError| self.broken(&e.to_string()))?;
        let source = self.choice.template.texts.get(&rule.source).map_or("", String::as_str);
        let block = renderer.text(&rule.source, source)?;
        let before = self.before(&path)?;
        let after = match &before {
            None if matches!(rule.edit, Edit::Insert { .. } | Edit::MergeJson) => {
                return Err(conflict(path.as_str(), "is not there"));
            }
            None => block,
            Some(text) => self.edited(&path, &rule.edit, text, &block)?,
        };
        if before.as_ref() == Some(&after) {
            return Ok(None);
        }
        let executable = self.tree.kind(path.as_str()) == Some(EntryKind::Executable);
        let mode = if executable { FileMode::Executable } else { FileMode::Regular };
        Ok(Some(FileChange::write(path, before.as_deref().map(str::as_bytes), after.into_bytes(), mode)))
    }

    /// Returns the text at a path, or `None` where a file can be made.
    fn before(&self, path: &RepoPath) -> Result<Option<String>, EngineError> {
        let shown = path.as_str();
        match self.tree.kind(shown) {
            Some(EntryKind::Link) => return Err(conflict(shown, "is a symbolic link")),
            Some(EntryKind::Submodule) => return Err(conflict(shown, "is a submodule")),
            Some(_) => {
                let bytes = self.tree.bytes(shown)?.unwrap_or_default();
                return String::from_utf8(bytes).map(Some).map_err(|_| conflict(shown, "is not UTF-8 text"));
            }
            None => {}
        }
        if let Some(file) = path.parents().find(|p| self.tree.kind(p).is_some()) {
            return Err(conflict(file, "is not a folder"));
        }
        if self.tree.has_folder(shown) {
            return Err(conflict(shown, "is a folder"));
        }
        match self.tree.same_but_case(shown) {
            Some(other) => Err(conflict(other, &format!("differs from `{shown}` only in case"))),
            None => Ok(None),
        }
    }

    fn edited(&self, path: &RepoPath, edit: &Edit, text: &str, block: &str) -> Result<String, EngineError> {
        match edit {
            Edit::Create if text == block => Ok(text.to_owned()),
            Edit::Create => Err(conflict(path.as_str(), "is there already, with other content")),
            Edit::Insert { unless, .. } | Edit::Append { unless }
                if self.present(unless.as_deref(), text)? =>
            {
                Ok(text.to_owned())
            }
            Edit::Append { .. } => Ok(ops::append(text, block)),
            Edit::Insert { at, .. } => {
                let line =
                    self.line(at, text)?.ok_or_else(|| conflict(path.as_str(), "has no place for it"))?;
                Ok(ops::insert(text, line, block))
            }
            Edit::MergeLines { style } => Ok(ops::merge_lines(text, block, *style)),
            Edit::MergeJson => {
                let wanted: serde_json::Map<String, serde_json::Value> = serde_json::from_str(block)
                    .map_err(|e| self.broken(&format!("the text for `{path}` is not a JSON object: {e}")))?;
                json::merge(text, &wanted).map_err(|found| {
                    conflict(path.as_str(), &format!("cannot be merged at: {}", found.join(", ")))
                })
            }
        }
    }

    fn present(&self, unless: Option<&str>, text: &str) -> Result<bool, EngineError> {
        let Some(unless) = unless else { return Ok(false) };
        Ok(self.pattern(unless)?.is_match(text))
    }

    fn line(&self, place: &Place, text: &str) -> Result<Option<usize>, EngineError> {
        let lines = || text.lines().enumerate();
        Ok(match place {
            Place::Line(expression) => usize::try_from(self.choice.renderer.value(expression)?).ok(),
            Place::Before(pattern) => {
                let pattern = self.pattern(pattern)?;
                lines().find(|(_, l)| pattern.is_match(l)).map(|(n, _)| n)
            }
            Place::After(pattern) => {
                let pattern = self.pattern(pattern)?;
                lines().filter(|(_, l)| pattern.is_match(l)).last().map(|(n, _)| n + 1)
            }
        })
    }

    fn pattern(&self, template: &str) -> Result<regex::Regex, EngineError> {
        regex(&self.choice.renderer.text("pattern", template)?).map_err(|why| self.broken(&why))
    }

    fn broken(&self, why: &str) -> EngineError {
        broken(self.choice.template.name(), why)
    }
}
