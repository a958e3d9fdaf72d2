//! Parts of a run: the files of one stage in one round, as one job hands them to the next.
//!
//! Must never let a part bring a file of another stage: the job that runs code of the repository could otherwise rewrite the plan it
//! was given, or the verdict on its own change.

use std::collections::BTreeMap;

use crate::artifact::chain::{manifest_of, split_round};
use crate::artifact::id::{Round, RunId, StageId};
use crate::artifact::kind::StageFile;
use crate::diagnostic::{Class, Failure};
use crate::stage::registry::STAGES;

/// A file of a part: its path below the folder of the parts, and its content.
pub type PartFiles = BTreeMap<String, Vec<u8>>;

/// Parts that cannot be put together.
#[derive(Debug, PartialEq, Eq, thiserror::Error)]
#[error("the part `{part}` {why}")]
pub struct PartError {
    part: String,
    why: String,
}

impl Failure for PartError {
    fn class(&self) -> Class {
        Class::Denied
    }

    fn help(&self) -> Option<String> {
        Some(
            "Each job hands over the files of its own stage: `orch artifacts part STAGE --into FOLDER`."
                .into(),
        )
    }
}

/// A run put together from its parts.
#[derive(Debug, PartialEq, Eq)]
pub struct Merged {
    /// The run.
    pub run: RunId,
    /// Its files, by their path in the run folder.
    pub files: BTreeMap<String, Vec<u8>>,
    /// The stage and round of each part that was taken.
    pub parts: Vec<(StageId, Round)>,
}

/// Returns the stage and the round a path of a run folder belongs to.
pub fn owner(path: &str) -> Option<(StageId, Round)> {
    if let Some(found) = manifest_of(path) {
        return Some(found);
    }
    let (round, base) = split_round(path);
    if let Some((_, stage)) = StageFile::of(base) {
        return Some((stage, round));
    }
    let writes = |spec: &crate::stage::spec::StageSpec| {
        spec.outputs.iter().chain(spec.may_write).any(|slot| slot.path == base)
    };
    STAGES.iter().map(|stage| stage.spec()).find(|spec| writes(spec)).map(|spec| (spec.id, round))
}

/// Puts parts together: `[[<all>/]<part>/]<run>/<file>`, the part's name left out where there is one alone.
///
/// A part holds files of one stage and round. Of two parts with the same, the one of the later attempt counts: the number behind
/// `-a` at the end of the part's name.
pub fn merge(files: PartFiles) -> Result<Merged, PartError> {
    let mut parts: BTreeMap<String, (RunId, BTreeMap<String, Vec<u8>>)> = BTreeMap::new();
    for (path, bytes) in files {
        let (part, run, file) = split(&path)?;
        let entry = parts.entry(part.clone()).or_insert_with(|| (run.clone(), BTreeMap::new()));
        if entry.0 != run {
            return Err(refused(&part, format!("holds files of two runs, `{}` and `{run}`", entry.0)));
        }
        entry.1.insert(file, bytes);
    }
    let mut taken: BTreeMap<(StageId, Round), (String, u32)> = BTreeMap::new();
    for (part, (_, files)) in &parts {
        let of = one_owner(part, files)?;
        let attempt = attempt(part);
        match taken.get(&of) {
            Some((other, theirs)) if *theirs == attempt => {
                return Err(refused(
                    part,
                    format!("and the part `{other}` both bring the stage {} in round {}", of.0, of.1.get()),
                ));
            }
            Some((_, theirs)) if *theirs > attempt => continue,
            None | Some(_) => {}
        }
        taken.insert(of, (part.clone(), attempt));
    }
    let mut merged: Option<Merged> = None;
    for (of, (part, _)) in taken {
        let Some((run, files)) = parts.remove(&part) else { continue };
        let whole = merged.get_or_insert_with(|| Merged {
            run: run.clone(),
            files: BTreeMap::new(),
            parts: Vec::new(),
        });
        if whole.run != run {
            return Err(refused(&part, format!("is of the run `{run}`, another of `{}`", whole.run)));
        }
        whole.files.extend(files);
        whole.parts.push(of);
    }
    merged.ok_or_else(|| refused(".", "holds no file of a run".into()))
}

fn refused(part: &str, why: String) -> PartError {
    PartError { part: if part.is_empty() { "." } else { part }.into(), why }
}

fn split(path: &str) -> Result<(String, RunId, String), PartError> {
    let mut rest = path;
    let mut before = Vec::new();
    // A part may lie in one more folder: the files of a run that another workflow began are handed on together.
    for _ in 0..3 {
        let Some((first, after)) = rest.split_once('/') else { break };
        if let (Ok(run), Some(_)) = (first.parse::<RunId>(), owner(after)) {
            return Ok((before.join("/"), run, after.to_owned()));
        }
        before.push(first);
        rest = after;
    }
    let part = path.split('/').next().unwrap_or_default();
    Err(refused(part, format!("holds `{path}`, which is no file of a stage")))
}

fn one_owner(part: &str, files: &BTreeMap<String, Vec<u8>>) -> Result<(StageId, Round), PartError> {
    let mut owners = files.keys().filter_map(|path| Some((owner(path)?, path)));
    let Some((first, _)) = owners.next() else { return Err(refused(part, "is empty".into())) };
    match owners.find(|(of, _)| *of != first) {
        None => Ok(first),
        Some((other, path)) => Err(refused(
            part,
            format!(
                "holds files of {} (round {}) and `{path}` of {} (round {})",
                first.0,
                first.1.get(),
                other.0,
                other.1.get()
            ),
        )),
    }
}

fn attempt(part: &str) -> u32 {
    part.rsplit_once("-a").and_then(|(_, number)| number.parse().ok()).unwrap_or(0)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn files(paths: &[&str]) -> PartFiles {
        paths.iter().map(|path| ((*path).to_owned(), path.as_bytes().to_vec())).collect()
    }

    #[test]
    fn every_file_of_a_stage_has_an_owner() {
        for stage in STAGES {
            let spec = stage.spec();
            for slot in spec.outputs.iter().chain(spec.may_write) {
                assert_eq!(owner(slot.path), Some((spec.id, Round::FIRST)));
            }
        }
        let third = Round::new(3).unwrap();
        assert_eq!(owner("rounds/3/edits.json"), Some((StageId::Generate, third)));
        assert_eq!(owner("rounds/3/ledger/generate.jsonl"), Some((StageId::Generate, third)));
        for odd in ["attempts/1/plan.json", "x.json", "../plan.json", "manifest/x.json"] {
            assert_eq!(owner(odd), None, "{odd}");
        }
    }

    #[test]
    fn parts_become_a_run() {
        let merged =
            merge(files(&["p1-a1/r-1/task.json", "p1-a1/r-1/manifest/intake.json", "p2-a1/r-1/plan.json"]))
                .unwrap();
        assert_eq!(merged.run.as_str(), "r-1");
        assert_eq!(
            merged.files.keys().collect::<Vec<_>>(),
            ["manifest/intake.json", "plan.json", "task.json"]
        );
        // One alone is unpacked without its name.
        assert_eq!(merge(files(&["r-1/task.json"])).unwrap().parts, [(StageId::Intake, Round::FIRST)]);
    }

    #[test]
    fn the_later_attempt_counts() {
        let merged = merge(files(&[
            "x-plan-r1-a1/r/plan.json",
            "x-plan-r1-a2/r/plan.json",
            "x-plan-r1-a10/r/plan.json",
        ]))
        .unwrap();
        assert_eq!(merged.files["plan.json"], b"x-plan-r1-a10/r/plan.json");
    }

    #[test]
    fn what_does_not_belong_together_is_refused() {
        for (paths, why) in [
            (&["p/r/build-test/red.json", "p/r/plan.json"][..], "and `"),
            (&["p/r/plan.json", "q/r/plan.json"], "both bring"),
            (&["p/r/plan.json", "q/s/task.json"], "another of"),
            (&["p/r/plan.json", "p/s/plan.json"], "two runs"),
            (&["p/r/notes.txt"], "no file of a stage"),
            (&["p/r/edits.json", "p/r/rounds/2/edits.json"], "round 2"),
            (&[], "no file of a run"),
        ] {
            let error = merge(files(paths)).unwrap_err();
            assert!(error.to_string().contains(why), "{error}");
        }
    }
}
