//! The last job: how the whole ended, as the walk on a laptop would say it; the one check to require.
//!
//! Must never be skipped, and must never be green because nothing ran.

use std::fmt::Write as _;

use super::RUNNER;
use super::job::{EARLIER, Unrolled};
use crate::artifact::id::StageId;

/// Writes the job.
pub(super) fn write(out: &mut String, unrolled: &Unrolled) {
    let before = unrolled.resumes.then_some(EARLIER);
    let needs: Vec<&str> =
        before.into_iter().chain(unrolled.jobs.iter().map(|job| job.id.as_str())).collect();
    let _ = write!(
        out,
        "  # How the whole ended: the one check to require.\n  result:\n    name: result\n    needs: [{}]\n    if: ${{{{ always() }}}}\n    \
         runs-on: {RUNNER}\n    timeout-minutes: 5\n    permissions: {{}}\n    outputs:\n      exit: ${{{{ steps.end.outputs.exit }}}}\n      reason: ${{{{ steps.end.outputs.reason }}}}\n",
        needs.join(", ")
    );
    let judges = |job: &&super::Job| matches!(job.stage, StageId::Policy | StageId::ReleaseGate);
    if let Some(judge) = unrolled.jobs.iter().find(judges) {
        let _ = writeln!(out, "      decision: ${{{{ needs.{}.outputs.decision }}}}", judge.id);
    }
    let begins = |job: &&super::Job| matches!(job.stage, StageId::Intake | StageId::ReleaseGate);
    if let Some(intake) = unrolled.jobs.iter().find(begins) {
        let _ = writeln!(out, "      run-id: ${{{{ needs.{}.outputs.run-id }}}}", intake.id);
    }
    if let Some(pr) = unrolled.jobs.iter().find(|job| job.stage == StageId::Pr) {
        for output in ["pr-number", "pr-head"] {
            let _ = writeln!(out, "      {output}: ${{{{ needs.{}.outputs.{output} }}}}", pr.id);
        }
    }
    if let Some(back) = unrolled.jobs.iter().find(|job| job.stage == StageId::Rollback) {
        let _ = writeln!(out, "      revert: ${{{{ needs.{}.outputs.revert }}}}", back.id);
    }
    let parts: Vec<String> = unrolled
        .jobs
        .iter()
        .filter(|_| !unrolled.of_pull_request())
        .map(|job| format!("${{{{ needs.{}.outputs.part }}}}", job.id))
        .collect();
    if !parts.is_empty() {
        out.push_str("      parts: ${{ steps.end.outputs.parts }}\n");
    }
    out.push_str("    steps:\n      - name: How it ended\n        id: end\n        shell: bash\n        env:\n          ENDS: |\n");
    for job in &unrolled.jobs {
        let _ = writeln!(
            out,
            "            {} ${{{{ needs.{}.result }}}} ${{{{ needs.{}.outputs.exit }}}}",
            job.stage, job.id, job.id
        );
    }
    out.push_str("          WHY: |\n");
    for job in &unrolled.jobs {
        let _ = writeln!(out, "            {} ${{{{ needs.{}.outputs.reason }}}}", job.stage, job.id);
    }
    if unrolled.resumes {
        out.push_str("          EARLIER: ${{ needs.earlier.result }}\n");
    }
    if !parts.is_empty() {
        let _ = writeln!(out, "          PARTS: {}", parts.join(" "));
    }
    out.push_str("        run: |\n");
    for line in END.trim_matches('\n').lines() {
        let _ = if line.is_empty() { writeln!(out) } else { writeln!(out, "          {line}") };
    }
}

/// Reads `stage result exit` of each job, in order, the rounds of a stage among them; the last round of a stage counts.
const END: &str = r#"
declare -A ends red
order=()
while read -r stage result code; do
  if [ -z "$stage" ] || [ "$result" = skipped ]; then continue; fi
  red[$stage]=''
  case "$result" in
    success) ;;
    # Its own code says more than that it failed; what would leave the whole green is no code of a job that failed.
    failure) red[$stage]=failed; case "${code:-0}" in 0 | 4 | 78) code=1 ;; esac ;;
    *) red[$stage]=stopped code=75 ;;
  esac
  # A branch without a pull request on a forge has nothing to review; the change itself is there.
  case "$stage $code" in 'review-gate 78' | 'auto-merge 78') continue ;; esac
  if [ -z "${ends[$stage]:-}" ]; then order+=("$stage"); fi
  ends[$stage]="${code:-1}"
done <<<"$ENDS"
whole=0 where=''
for stage in "${order[@]}"; do
  if [ "$whole" = 0 ] && [ "${ends[$stage]}" != 0 ]; then whole="${ends[$stage]}" where="$stage"; fi
done
if [ "$where" = policy ] && [ "$whole" = 4 ] && [ "${ends[approve]:-4}" = 0 ]; then
  # A person approved: what counts is how it went on from there.
  whole=0 where=''
  for stage in "${order[@]}"; do
    if [ "$stage" != policy ] && [ "$whole" = 0 ] && [ "${ends[$stage]}" != 0 ]; then whole="${ends[$stage]}" where="$stage"; fi
  done
fi
if [ "${#order[@]}" = 0 ]; then whole=1 where='no stage'; fi
if [ "${EARLIER:-success}" != success ]; then whole=1 where='the files of the earlier run'; fi
why=''
while read -r stage reason; do
  if [ -n "$reason" ] && [ "$stage" = "$where" ]; then why="$reason"; fi
done <<<"$WHY"
if [ -z "$why" ] && [ -n "$where" ] && [ "${red[$where]:-}" = stopped ]; then why='the job was stopped, or its time was over'; fi
{
  printf 'exit=%s\n' "$whole"
  printf 'reason=%s\n' "$why"
  parts="$(printf '%s' "${PARTS:-}" | tr -s ' ' ',')"
  parts="${parts#,}"
  printf 'parts=%s\n' "${parts%,}"
} >>"$GITHUB_OUTPUT"
if [ -n "$where" ] && [ "${red[$where]:-}" = stopped ]; then
  echo "::error title=orch::$where was stopped, or its time was over; /orch rerun $where runs it once more"
  exit 1
fi
if [ -n "$where" ] && [ -n "${red[$where]:-}" ]; then
  echo "::error title=orch::$where ended with $whole"
  exit 1
fi
case "$where $whole" in
  *' 0') echo 'Every stage ended with 0.' ;;
  *' 4') echo "::notice title=orch::$where: a person has to approve" ;;
  *' 78') echo "::notice title=orch::$where: there is nothing to do" ;;
  'review-gate 75') echo '::notice title=orch::the pull request is there, and reviewers have not answered yet: /orch rerun review-gate' ;;
  *' 75') echo "::error title=orch::$where: try again later"; exit 1 ;;
  *) echo "::error title=orch::$where ended with $whole"; exit 1 ;;
esac
"#;
