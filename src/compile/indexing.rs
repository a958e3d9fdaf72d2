//! The workflow that brings the index and the graph of a commit up to date and keeps them.
//!
//! Must never hold a key or a write token: what it restores was written by an earlier run, whoever that served. For the same
//! reason no job of another workflow restores it.

use std::fmt::Write as _;

use super::job::{action, own_action};
use super::pins::{CACHE_RESTORE, CACHE_SAVE, CHECKOUT, UPLOAD};
use super::{HEAD, Origin, RUNNER};
use crate::index::graph;
use crate::index::store;
use crate::pipeline::Pipeline;

/// Where the program keeps what it knows, below the checkout.
const FOLDER: &str = ".git/orch";

/// Returns the workflow.
pub(super) fn workflow(pipeline: &Pipeline, name: &str, origin: &Origin) -> String {
    let key = format!("orch-index-{}.{}-", store::VERSION, graph::VERSION);
    let mut out = HEAD.replace("{name}", name);
    let _ = write!(
        out,
        "#\n# {}\nname: orch {}\non:\n  workflow_call:\n    inputs:\n      runner:\n        description: The runner of the job; it runs nothing of the repository\n        \
         type: string\n        default: {RUNNER}\n      keep-graph:\n        description: Whether graph.json is uploaded too, for other programs\n        \
         type: boolean\n        default: true\n    outputs:\n      exit:\n        description: The exit code, as `orch index` would end\n        \
         value: ${{{{ jobs.index.outputs.exit }}}}\n\npermissions: {{}}\n\nconcurrency:\n  group: orch-{}-${{{{ github.ref }}}}\n  cancel-in-progress: true\n\njobs:\n",
        pipeline.summary, pipeline.name, pipeline.name
    );
    let _ = write!(
        out,
        "  # Reads contents and history; runs nothing of the repository.\n  index:\n    name: index\n    runs-on: ${{{{ inputs.runner }}}}\n    \
         timeout-minutes: 30\n    permissions:\n      contents: read # to check out the repository\n    outputs:\n      exit: ${{{{ steps.stage.outputs.exit }}}}\n    steps:\n      \
         - name: The repository, with its past\n        uses: {}\n        with:\n          persist-credentials: false\n          fetch-depth: 0\n",
        CHECKOUT.uses()
    );
    own_action(&mut out, origin);
    let _ = write!(
        out,
        "      - name: The tree\n        id: tree\n        shell: bash\n        run: echo \"id=$(git rev-parse 'HEAD^{{tree}}')\" >>\"$GITHUB_OUTPUT\"\n      \
         - name: What an earlier run knew, of this tree or of any before it\n        id: kept\n        uses: {}\n        with:\n          path: {FOLDER}\n          \
         key: {key}${{{{ steps.tree.outputs.id }}}}\n          restore-keys: {key}\n",
        CACHE_RESTORE.uses()
    );
    let _ = write!(
        out,
        "      - name: index\n        id: stage\n        uses: {}\n        with:\n          stage: index\n          accept: '78'\n          hand-over: 'false'\n",
        action(origin)
    );
    let _ = write!(
        out,
        "      - name: Keep it by the tree\n        if: ${{{{ steps.kept.outputs.cache-hit != 'true' && steps.stage.outputs.exit == '0' }}}}\n        uses: {}\n        \
         with:\n          path: {FOLDER}\n          key: {key}${{{{ steps.tree.outputs.id }}}}\n",
        CACHE_SAVE.uses()
    );
    let _ = write!(
        out,
        "      - name: The graph, for other programs\n        if: ${{{{ inputs.keep-graph && steps.stage.outputs.exit == '0' }}}}\n        uses: {}\n        with:\n          \
         name: orch-graph\n          path: {FOLDER}/graph.json\n          include-hidden-files: true\n          if-no-files-found: error\n          overwrite: true\n          retention-days: 30\n",
        UPLOAD.uses()
    );
    out
}
