//! The workflow that calls another one for each of a list of requests.
//!
//! Must never start more jobs than GitHub takes in one run.

use std::fmt::Write as _;

use super::job::Unrolled;
use super::{Compiled, GIVEN, HEAD, KEYS};
use crate::pipeline::Pipeline;
use crate::stage::registry;
use crate::stage::spec::Power;

/// Makes it.
pub(super) fn compile(pipeline: &Pipeline, name: &str, unrolled: &Unrolled) -> Compiled {
    let stem = name.trim_end_matches(".yml");
    let mut out = HEAD.replace("{name}", name);
    let _ = write!(
        out,
        "#\n# {name} for each of a list of requests, a few at a time; at most 256, which is what one run takes.\nname: orch {} for many\non:\n  workflow_call:\n    inputs:\n      \
         requests:\n        description: A JSON list of requests, each in plain words and there once\n        type: string\n        required: true\n      \
         at-once:\n        description: How many run at the same time\n        type: number\n        default: 4\n",
        pipeline.name
    );
    for given in GIVEN {
        let _ = write!(
            out,
            "      {}:\n        description: {}\n        type: string\n        default: ''\n",
            given.name, given.about
        );
    }
    if unrolled.has(Power::Key) {
        out.push_str("    secrets:\n");
        for (secret, whose) in KEYS {
            let _ = write!(out, "      {secret}:\n        description: {whose}\n        required: false\n");
        }
    }
    out.push_str("\npermissions: {}\n\nconcurrency:\n  group: orch-many-${{ github.run_id }}\n  cancel-in-progress: false\n\njobs:\n  each:\n    name: each\n    strategy:\n      fail-fast: false\n      max-parallel: ${{ fromJSON(inputs.at-once) }}\n      matrix:\n        request: ${{ fromJSON(inputs.requests) }}\n    permissions:\n");
    for permission in rights(unrolled) {
        let _ = writeln!(out, "      {permission} # handed on; each job there takes its own part");
    }
    let _ = write!(
        out,
        "    uses: ./.github/workflows/{stem}.yml # zizmor: ignore[self-repository] older runners and GHES do not know the other form\n    with:\n      request: ${{{{ matrix.request }}}}\n"
    );
    for given in GIVEN {
        let _ = writeln!(out, "      {}: ${{{{ inputs.{} }}}}", given.name, given.name);
    }
    out.push_str("      key: ${{ github.run_id }}-${{ strategy.job-index }}\n    secrets:\n");
    for (secret, _) in KEYS {
        let _ = writeln!(out, "      {secret}: ${{{{ secrets.{secret} }}}}");
    }
    Compiled { name: format!("{stem}-many.yml"), text: out }
}

/// Returns the rights of all jobs together: a caller has to hold them to hand them on.
pub(super) fn rights(unrolled: &Unrolled) -> Vec<&'static str> {
    let mut all: Vec<&'static str> = unrolled
        .jobs
        .iter()
        .filter_map(|job| registry::stage(job.stage))
        .flat_map(|stage| stage.spec().permissions)
        .map(|permission| permission.as_str())
        .chain(super::proof::RIGHTS.iter().map(|(right, _)| *right).filter(|_| unrolled.proof))
        .collect();
    all.sort_unstable();
    all.dedup();
    // Who may write may read.
    let written: Vec<&str> = all.iter().filter_map(|right| right.strip_suffix(": write")).collect();
    all.retain(|right| right.strip_suffix(": read").is_none_or(|name| !written.contains(&name)));
    all
}
