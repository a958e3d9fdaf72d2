//! The job that takes the files of a run which another workflow began, and hands them on in this one.
//!
//! Must never hold a right but to read: it runs nothing, and what it takes is looked at by every stage that reads it.

use std::fmt::Write as _;

use super::RUNNER;
use super::job::EARLIER;
use super::pins::{DOWNLOAD, UPLOAD};

/// Writes the job.
pub(super) fn write(out: &mut String, pipeline: &str) {
    let _ = write!(
        out,
        "  # Takes the files of the run that began this.\n  {EARLIER}:\n    name: {EARLIER}\n    runs-on: {RUNNER}\n    \
         timeout-minutes: 10\n    permissions:\n      actions: read # to take what its jobs handed on\n    \
         concurrency:\n      group: orch-{pipeline}-{EARLIER}-${{{{ inputs.key || github.run_id }}}}\n      cancel-in-progress: false\n    \
         outputs:\n      part: ${{{{ steps.upload.outputs.artifact-id }}}}\n    steps:\n      \
         - name: What its jobs handed on\n        uses: {}\n        with:\n          artifact-ids: ${{{{ inputs.parts }}}}\n          \
         run-id: ${{{{ inputs.from-run }}}}\n          github-token: ${{{{ github.token }}}}\n          path: orch-earlier\n      \
         - name: For the jobs of this run\n        id: upload\n        uses: {}\n        with:\n          \
         name: orch-${{{{ inputs.run-id }}}}-{EARLIER}-a${{{{ github.run_attempt }}}}\n          path: orch-earlier\n          \
         if-no-files-found: error\n          retention-days: 30\n\n",
        DOWNLOAD.uses(),
        UPLOAD.uses()
    );
}
