//! Every file, digest, link and seal of the run.

use crate::artifact::chain::split_round;
use crate::artifact::kind::StageFile;
use crate::proof::case::Case;
use crate::proof::outcome::Outcome;

pub(super) fn look(case: &Case<'_>) -> Outcome {
    let chain = &case.opened.chain;
    let mut problems: Vec<String> = chain.breaks.iter().map(ToString::to_string).collect();
    let goes_on = |path: &str| {
        let (round, base) = split_round(path);
        StageFile::of(base)
            .is_some_and(|(file, stage)| file.outlives_a_kill() && chain.manifest(stage, round).is_none())
    };
    problems.extend(chain.leftovers.iter().filter(|path| !goes_on(path)).map(|path| {
        format!("`{path}` is vouched for by no manifest: its stage is not finished, or its manifest is gone")
    }));
    if chain.manifests.is_empty() && problems.is_empty() {
        problems.push("no stage of the run is finished".into());
    }
    let files: usize = chain.bodies().map(|m| m.files().count() + 1).sum();
    let stages = chain.manifests.len();
    Outcome::of(problems, || match chain.absent.len() {
        0 => format!("{files} files of {stages} stages"),
        gone => format!("{} of {files} files of {stages} stages; the others were not kept", files - gone),
    })
}
