//! The job that proves a change or a release: the identity of the workflow signs what the run says, and its small files are kept
//! with the repository.
//!
//! Must never run anything of the repository or hold a key of a model, and must never decide how the whole ended: a change or a
//! release is what its stages made of it, signed or not.

use std::collections::BTreeSet;
use std::fmt::Write as _;

use super::expression::ended;
use super::job::{EARLIER, Unrolled, action, own_action, parts};
use super::pins::{ATTEST, CHECKOUT};
use super::{Origin, RUNNER};
use crate::artifact::id::StageId;
use crate::attest::{CHANGE, RELEASE};

const NAME: &str = "proof";

/// What the input of workflows with this job says.
pub(super) const ATTESTS: &str = "Whether the workflow signs what the run says, true or false; absent, in public repositories, since others need a plan for it";

/// What the job may, and why.
pub(super) const RIGHTS: &[(&str, &str)] = &[
    ("attestations: write", "to store what the workflow signs"),
    ("contents: write", "to add to refs/orch/runs"),
    ("id-token: write", "to sign by the identity of the workflow"),
];

/// Tells when a release has something to say: promoted, taken back or denied. One that is held is asked again, and says it then.
fn decided() -> String {
    let gate = StageId::ReleaseGate.as_str();
    format!(
        "{} && contains(fromJSON('[\"promote\",\"rollback\",\"deny\"]'), needs.{gate}.outputs.decision)",
        ended(gate, &BTreeSet::from([0, 3]))
    )
}

/// Writes the job.
pub(super) fn write(out: &mut String, pipeline: &str, unrolled: &Unrolled, origin: &Origin) {
    let before = unrolled.resumes.then(|| EARLIER.to_owned());
    let needs: Vec<String> =
        before.into_iter().chain(unrolled.jobs.iter().map(|job| job.id.clone())).collect();
    let (made, kind) = if unrolled.of_release() {
        (decided(), RELEASE)
    } else {
        // Also of a draft that waits for a person: what it waits with is what is approved later.
        (ended(StageId::Pr.as_str(), &BTreeSet::from([0, 4])), CHANGE)
    };
    let _ = write!(
        out,
        "  # Signs what the run says, and keeps it with the repository.\n  {NAME}:\n    name: {NAME}\n    needs: [{}]\n    if: ${{{{ always() && {made} }}}}\n    \
         runs-on: {RUNNER}\n    timeout-minutes: 10\n    permissions:\n",
        needs.join(", ")
    );
    for (right, why) in RIGHTS {
        let _ = writeln!(out, "      {right} # {why}");
    }
    let _ = write!(
        out,
        "    concurrency:\n      group: orch-{pipeline}-{NAME}-${{{{ {} }}}}\n      cancel-in-progress: false\n    steps:\n      - name: The repository\n        uses: {}\n        with:\n          \
         persist-credentials: true # zizmor: ignore[artipacked] pushes one ref and runs nothing of the repository\n",
        unrolled.alone(),
        CHECKOUT.uses()
    );
    own_action(out, origin);
    let uses = action(origin);
    // The signer takes files, and a subject by its SHA-256; what is signed is compared with the run once more before it is kept.
    let _ = write!(
        out,
        "      - name: What the run says\n        id: stage\n        uses: {uses}\n        with:\n          stage: attest\n          parts: {}\n          hand-over: 'false'\n",
        parts(&needs)
    );
    let _ = write!(
        out,
        "      - name: Signed by this workflow\n        id: signed\n        if: ${{{{ inputs.attest == 'true' || inputs.attest == '' && github.event.repository.visibility == 'public' }}}}\n        \
         uses: {}\n        with:\n          predicate-type: {}\n          predicate-path: ${{{{ runner.temp }}}}/orch-attest/predicate.json\n          \
         subject-checksums: ${{{{ runner.temp }}}}/orch-attest/subjects.sha256\n          show-summary: false\n",
        ATTEST.uses(),
        kind.predicate
    );
    let _ = write!(
        out,
        "      - name: Kept with the repository\n        uses: {uses}\n        with:\n          stage: keep\n          signed: ${{{{ steps.signed.outputs.bundle-path }}}}\n          hand-over: 'false'\n\n"
    );
}
