//! What every proposal of an engine is checked for, whoever made it.
//!
//! Must never trust an engine: what a plan did not announce, or what does not fit the base, is refused as a whole.

use crate::artifact::digest::canonical_json;
use crate::artifact::kind::Slot;
use crate::artifact::types::change_set::FileChange;
use crate::config::Paths;
use crate::diagnostic::Class;
use crate::engine::Proposed;
use crate::engine::rules::RuleError;

use super::{Finished, Outputs, StageError};

/// Returns the refusal of a proposal.
pub(super) fn refused(what: impl Into<String>) -> StageError {
    StageError::Refused {
        class: Class::Denied,
        what: what.into(),
        help: "Nothing was kept; the engine has to propose something else. Report it if it was the template engine."
            .into(),
    }
}

/// Adds what was said on the way to a proposal; without agreement the stage stops, and a person decides.
pub(super) fn discussed<T>(
    proposed: &Proposed<T>,
    messages: Slot,
    escalation: Slot,
    mut outputs: Outputs,
) -> Result<Finished, StageError> {
    if !proposed.messages.is_empty() {
        let mut lines = Vec::new();
        for message in &proposed.messages {
            let line = canonical_json(message).map_err(|error| refused(error.to_string()))?;
            lines.extend_from_slice(&line);
            lines.push(b'\n');
        }
        outputs.put_bytes(messages, lines);
    }
    let Some(bundle) = &proposed.escalation else { return Ok(Finished::done(outputs)) };
    outputs.put(escalation, bundle)?;
    Ok(Finished::stopped(outputs, Class::NotConverged, bundle.summary.clone()))
}

/// Returns the refusal of what breaks a rule.
pub(super) fn by_rule(error: RuleError) -> StageError {
    match error {
        RuleError::Broken(what) => refused(what),
        RuleError::Vcs(error) => error.into(),
    }
}

/// Checks paths against `paths.allow` and `paths.deny` of the config.
pub(super) fn check_paths(files: &[FileChange], paths: &Paths) -> Result<(), StageError> {
    for file in files {
        let path = file.path.as_str();
        let hint =
            |what: String, help: &str| StageError::Refused { class: Class::Denied, what, help: help.into() };
        if let Some(glob) = paths.deny.iter().find(|glob| matches(glob, path)) {
            return Err(hint(
                format!("`{path}` may never be changed: `paths.deny` has `{glob}`"),
                "Ask for something else, or change `paths.deny` in orch.yml.",
            ));
        }
        if !paths.allow.is_empty() && !paths.allow.iter().any(|glob| matches(glob, path)) {
            return Err(hint(
                format!("`{path}` may not be changed: no pattern of `paths.allow` matches it"),
                "Ask for something else, or add a pattern to `paths.allow` in orch.yml.",
            ));
        }
    }
    Ok(())
}

/// Tells whether a pattern as in `.gitignore` matches a file or a folder above it; case is ignored, so that no file
/// system can tell two paths the same that the check told apart.
fn matches(glob: &str, path: &str) -> bool {
    let Some(pattern) = gix::glob::parse(glob) else { return false };
    let one = |path: &str, is_dir: bool| {
        let name = path.rfind('/').map(|at| at + 1);
        let mode = gix::glob::wildmatch::Mode::NO_MATCH_SLASH_LITERAL;
        pattern.matches_repo_relative_path(
            path.into(),
            name,
            Some(is_dir),
            gix::glob::pattern::Case::Fold,
            mode,
        )
    };
    one(path, false) || path.match_indices('/').any(|(at, _)| one(&path[..at], true))
}

#[cfg(test)]
pub(super) mod tests {
    use super::*;
    use crate::artifact::types::change_set::{FileMode, FileOp};
    use crate::artifact::types::plan::{FileRole, Plan, PlannedFile};
    use crate::engine::rules;
    use crate::ports::vcs::VcsError;

    /// A plan with one test file, one new file and one that exists, and two criteria.
    pub(in crate::stage) fn plan() -> Plan {
        let file = |path: &str, role, exists| PlannedFile { path: path.parse().unwrap(), role, exists };
        Plan {
            summary: String::new(),
            change_type: "feat".into(),
            scope: "x".parse().unwrap(),
            subject: "x".into(),
            steps: vec![],
            files: vec![
                file("new.py", FileRole::Change, false),
                file("old.py", FileRole::Change, true),
                file("tests/test_x.py", FileRole::Test, false),
            ],
            criteria: ["c1", "c2"]
                .map(|id| crate::artifact::types::plan::Criterion { id: id.into(), text: String::new() })
                .to_vec(),
            risks: vec![],
            rollback: String::new(),
            template: None,
        }
    }

    /// The base of the tests: `old.py` holds `old`.
    #[expect(clippy::unnecessary_wraps, reason = "it stands in for a repository that can fail")]
    pub(in crate::stage) fn base(path: &str) -> Result<Option<Vec<u8>>, VcsError> {
        Ok((path == "old.py").then(|| b"old".to_vec()))
    }

    /// A change that writes `text`.
    pub(in crate::stage) fn write(path: &str, before: Option<&str>, text: &str) -> FileChange {
        FileChange::write(
            path.parse().unwrap(),
            before.map(str::as_bytes),
            text.as_bytes().to_vec(),
            FileMode::Regular,
        )
    }

    #[test]
    fn hostile_files_are_refused() {
        let (new, old) = (write("new.py", None, "n"), write("old.py", Some("old"), "x"));
        let check = |files: &[FileChange]| rules::files(files, FileRole::Change, &plan(), &base);
        assert!(check(&[new.clone(), old.clone()]).is_ok());
        let tampered = FileChange {
            content: Some(crate::artifact::types::change_set::Content::Text("y".into())),
            ..new.clone()
        };
        let lie = FileChange { op: FileOp::Delete, ..old.clone() };
        for (files, why) in [
            (vec![old.clone(), new.clone()], "not sorted"),
            (vec![new.clone(), new.clone()], "not sorted"),
            (vec![write("other.py", None, "x")], "not planned as part of the change"),
            (vec![write("tests/test_x.py", None, "x")], "not planned as part of the change"),
            (vec![write("new.py", Some("was"), "x")], "no such file"),
            (vec![write("old.py", None, "x")], "the base has it"),
            (vec![write("old.py", Some("older"), "x")], "another version"),
            (vec![tampered], "does not match its digest"),
            (vec![lie], "do not fit its operation"),
        ] {
            let error = check(&files).unwrap_err().to_string();
            assert!(error.contains(why), "{error} / {why}");
        }
        for path in ["../x", "/etc/passwd", ".git/config", "a/.GIT/hooks/x", "a\u{200b}b"] {
            assert!(
                path.parse::<crate::artifact::path::RepoPath>().is_err(),
                "a change cannot even name {path}"
            );
        }
    }

    #[test]
    fn configured_paths_hold() {
        let check = |path: &str, allow: &[&str], deny: &[&str]| {
            let list = |globs: &[&str]| globs.iter().map(|g| (*g).to_owned()).collect();
            let paths = Paths { allow: list(allow), protect: vec![], deny: list(deny) };
            check_paths(&[write(path, None, "")], &paths).is_ok()
        };
        for (path, allow, deny, ok) in [
            ("src/a.rs", &[][..], &[][..], true),
            ("src/a.rs", &["src/**"], &[], true),
            ("src/a.rs", &["src/"], &[], true),
            ("docs/a.rs", &["src/**"], &[], false),
            ("src/x/secret.pem", &[], &["*.pem"], false),
            ("src/X/SECRET.PEM", &[], &["*.pem"], false),
            ("infra/a/b.tf", &[], &["/infra/"], false),
            ("a/infra/b.tf", &[], &["/infra/"], true),
            ("a/b/c.txt", &[], &["a/*.txt"], true),
            ("a/b/c.txt", &[], &["a/**/c.txt"], false),
        ] {
            assert_eq!(check(path, allow, deny), ok, "{path} {allow:?} {deny:?}");
        }
    }
}
