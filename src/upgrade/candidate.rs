//! Which files a kind of upgrade may change: the candidate's files, fitted to what is there.
//!
//! Must never let an upgrade of one kind change what another kind is judged by.

use std::collections::BTreeMap;
use std::fs;
use std::path::Path;

use crate::artifact::digest::{CanonicalError, Digest};
use crate::artifact::id::{CommitId, RunId};
use crate::artifact::path::RepoPath;
use crate::artifact::types::change_set::{FileChange, FileMode, FileOp};
use crate::config::{Config, FILE_NAME, Pack, parse};

use super::UpgradeError;
use super::switch::mode;
use super::types::{Kind, Proposal};

/// The most files an upgrade changes.
const MOST: usize = 1000;

/// What is to stand at each path; `None`: nothing.
pub type Wanted = BTreeMap<RepoPath, Option<Vec<u8>>>;

/// Returns the proposal of files, on what a working tree holds now.
pub fn propose(
    kind: Kind,
    reason: Option<String>,
    base: CommitId,
    root: &Path,
    wanted: Wanted,
) -> Result<Proposal, UpgradeError> {
    let mut files = Vec::new();
    for (path, bytes) in wanted {
        let place = root.join(path.as_str());
        if place.is_symlink() {
            return Err(UpgradeError::refused(
                format!("`{path}` is a symbolic link"),
                "Put the file itself there.",
            ));
        }
        let now = fs::read(&place).ok();
        files.extend(change(path, now, bytes, mode(&place)));
    }
    if files.is_empty() {
        return Err(UpgradeError::refused(
            "the candidate is what is there already",
            "Name a candidate that differs.",
        ));
    }
    if files.len() > MOST {
        return Err(UpgradeError::refused(
            format!("the candidate changes more than {MOST} files"),
            "Propose it in parts.",
        ));
    }
    let id = id(kind, &files)?;
    Ok(Proposal { id, kind, reason, base, files })
}

fn id(kind: Kind, files: &[FileChange]) -> Result<RunId, UpgradeError> {
    let digest = Digest::of_json(&(kind, files)).map_err(|error: CanonicalError| error)?;
    let text = format!("upgrade-{}-{}", kind.as_str(), digest.short());
    text.parse().map_err(|error: crate::artifact::id::IdError| {
        UpgradeError::refused(error.to_string(), "This is a fault of orch; please report it.")
    })
}

fn change(
    path: RepoPath,
    now: Option<Vec<u8>>,
    wanted: Option<Vec<u8>>,
    mode: FileMode,
) -> Option<FileChange> {
    match (now, wanted) {
        (None, None) => None,
        (Some(now), Some(wanted)) if now == wanted => None,
        (Some(now), None) => Some(FileChange {
            path,
            op: FileOp::Delete,
            mode,
            before: Some(Digest::of(&now)),
            after: None,
            content: None,
        }),
        (None, Some(wanted)) => Some(FileChange::write(path, None, wanted, FileMode::Regular)),
        (Some(now), Some(wanted)) => Some(FileChange::write(path, Some(&now), wanted, mode)),
    }
}

/// Refuses files that are not of a proposal's kind.
pub fn check(proposal: &Proposal, config: &Config, words: fn(&str) -> bool) -> Result<(), UpgradeError> {
    for file in &proposal.files {
        let path = file.path.as_str();
        let below = |folder: &str| path.starts_with(&format!("{}/", folder.trim_matches(['/', '.'])));
        let fits = match proposal.kind {
            Kind::Prompt => words(path),
            Kind::Model => path == config.models.file,
            Kind::Policy => {
                config.policy.packs.iter().filter_map(Pack::folder).any(|folder| in_folder(path, folder))
                    || path == FILE_NAME
            }
            Kind::Template => {
                config.templates.folders.iter().any(|folder| below(folder) || in_folder(path, folder))
            }
        };
        if !fits {
            return Err(UpgradeError::refused(
                format!("`{path}` is not changed by an upgrade of a {}", proposal.kind.as_str()),
                match proposal.kind {
                    Kind::Prompt => "Roles are below `.orch/roles/`, prompts below `.orch/prompts/`.",
                    Kind::Model => "Models are in the file that `models.file` names.",
                    Kind::Policy => {
                        "Rules are in the folders of `policy.packs`; of orch.yml only `policy` may differ."
                    }
                    Kind::Template => "Templates are in the folders of `templates.folders`.",
                },
            ));
        }
        if path == FILE_NAME {
            policy_alone(file, config)?;
        }
    }
    Ok(())
}

fn in_folder(path: &str, folder: &str) -> bool {
    let folder = folder.trim_start_matches("./").trim_end_matches('/');
    path.strip_prefix(folder).is_some_and(|rest| rest.starts_with('/'))
}

/// Returns the config a proposal leads to, where it changes `orch.yml`.
pub fn config_of(proposal: &Proposal) -> Result<Option<Config>, UpgradeError> {
    let Some(file) = proposal.files.iter().find(|file| file.path.as_str() == FILE_NAME) else {
        return Ok(None);
    };
    let bytes = file.bytes().ok().flatten().unwrap_or_default();
    parse(&bytes, FILE_NAME).map(Some).map_err(|error| {
        UpgradeError::refused(format!("the candidate's {FILE_NAME} cannot be used: {error}"), "Mend it.")
    })
}

/// Of `orch.yml` only the rules may differ: an upgrade must not lower what it is held to, or who may approve.
fn policy_alone(file: &FileChange, config: &Config) -> Result<(), UpgradeError> {
    let bytes = file.bytes().ok().flatten().unwrap_or_default();
    let wanted = parse(&bytes, FILE_NAME).map_err(|error| {
        UpgradeError::refused(format!("the candidate's {FILE_NAME} cannot be used: {error}"), "Mend it.")
    })?;
    let others = |config: &Config| {
        let mut all = serde_json::to_value(config).unwrap_or_default();
        for key in ["policy", "service", "commands"] {
            if let Some(all) = all.as_object_mut() {
                all.remove(key);
            }
        }
        all
    };
    let (now, then) = (others(config), others(&wanted));
    let differs = now.as_object().and_then(|all| {
        all.iter().find(|(key, value)| then.get(key.as_str()) != Some(*value)).map(|(key, _)| key.clone())
    });
    match differs {
        None => Ok(()),
        Some(key) => Err(UpgradeError::refused(
            format!("the candidate's {FILE_NAME} changes `{key}` too"),
            "An upgrade of rules changes `policy` and nothing else.",
        )),
    }
}

/// Takes another route for a role into the text of `models.toml`; everything else stays byte for byte.
pub fn route(text: &str, role: &str, models: &[String]) -> String {
    let list = models.iter().map(|model| format!("{model:?}")).collect::<Vec<_>>().join(", ");
    let line = format!("{role} = [{list}]");
    let mut lines: Vec<String> = text.split_inclusive('\n').map(str::to_owned).collect();
    let (mut inside, mut header) = (false, None);
    for (at, one) in lines.iter_mut().enumerate() {
        let bare = one.trim();
        if bare.starts_with('[') {
            inside = bare == "[routes]";
            if inside {
                header = Some(at);
            }
        } else if inside && bare.split_once('=').is_some_and(|(key, _)| key.trim().trim_matches('"') == role)
        {
            let end = if one.ends_with('\n') { "\n" } else { "" };
            *one = format!("{line}{end}");
            return lines.concat();
        }
    }
    if let Some(at) = header {
        lines.insert(at + 1, format!("{line}\n"));
    } else {
        let gap = if text.is_empty() || text.ends_with('\n') { "" } else { "\n" };
        lines.push(format!("{gap}\n[routes]\n{line}\n"));
    }
    lines.concat()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_route_is_taken_into_the_text_and_the_rest_stays() {
        let file = "# mine\n[[provider]]\nname = \"a\"\n\n[routes]\narchitect = [\"a/x\"]\nbuilder = [\"a/y\"] # dear\n";
        let new = route(file, "builder", &["b/z".into(), "a/y".into()]);
        assert_eq!(new, file.replace("builder = [\"a/y\"] # dear", "builder = [\"b/z\", \"a/y\"]"));
        let added = route(file, "critic", &["b/z".into()]);
        assert_eq!(added, file.replace("[routes]\n", "[routes]\ncritic = [\"b/z\"]\n"));
        assert_eq!(route("", "builder", &["b/z".into()]), "\n[routes]\nbuilder = [\"b/z\"]\n");
        assert_eq!(route("x = 1", "builder", &["b/z".into()]), "x = 1\n\n[routes]\nbuilder = [\"b/z\"]\n");
    }
}
