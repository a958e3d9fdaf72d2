#!/usr/bin/env bash
# Runs one stage: takes the parts of earlier jobs, runs, and makes a part of what it wrote. Ends with 0; end.sh looks at the code.
set -uo pipefail

parts="${RUNNER_TEMP:?}/orch-parts" earlier="${RUNNER_TEMP}/orch-earlier" own="${RUNNER_TEMP}/orch-part" code=0
rm -rf "$own"

common=()
args=()
add() { if [ -n "$2" ]; then args+=("$1" "$2"); fi; }
if [ -n "${ORCH_INPUT_CONFIG:-}" ]; then common+=(--config "$ORCH_INPUT_CONFIG"); fi
if [ -n "${ORCH_INPUT_ARTIFACTS:-}" ]; then common+=(--artifacts "$ORCH_INPUT_ARTIFACTS"); fi

orch() { "$ORCH_PROGRAM" ${common[@]+"${common[@]}"} "$@"; }

# Runs the stage. Where its time is over, or its job is stopped, the program is ended, and what it did and spent is handed over all
# the same: an end of the job itself leaves no time for that.
late="$RUNNER_TEMP/orch-late" why=''
limited() {
  local minutes="${ORCH_INPUT_TIMEOUT_MINUTES:-0}" child watch='' status=0 stopped=''
  case "$minutes" in
    *[!0-9]*)
      printf "::error title=orch::the input 'timeout-minutes' is a whole number, not '%s'\n" "${minutes//$'\n'/ }" >&2
      return 2
      ;;
  esac
  rm -f "$late"
  # Not by the function above: a signal has to reach the program.
  "$ORCH_PROGRAM" ${common[@]+"${common[@]}"} "$@" &
  child=$!
  trap 'stopped=1; kill -TERM "$child" 2>/dev/null' INT TERM
  if [ "$((10#$minutes))" -gt 0 ]; then
    (
      nap=''
      trap 'kill "$nap" 2>/dev/null' TERM
      sleep "$((10#$minutes * 60))" &
      nap=$!
      wait "$nap" || exit 0
      : >"$late"
      kill -TERM "$child"
      sleep 5
      kill -KILL "$child"
    ) >/dev/null 2>&1 &
    watch=$!
  fi
  wait "$child" || status=$?
  # A signal ends the waiting, and the program is waited for on; one that ended by itself is gone.
  while [ "$status" -gt 128 ] && kill -0 "$child" 2>/dev/null; do
    wait "$child" || status=$?
  done
  trap - INT TERM
  if [ -n "$watch" ]; then kill -TERM "$watch" 2>/dev/null; fi
  if [ -n "$stopped" ]; then
    status=75 why='the job was stopped, or its time was over'
  elif [ -e "$late" ]; then
    status=5 why="the stage did not end within $((10#$minutes)) minutes"
  fi
  rm -f "$late"
  return "$status"
}

if [ -n "${ORCH_INPUT_PARTS:-}" ]; then
  orch artifacts merge "$parts" || code=$?
  rm -rf "$parts"
fi

if [ "$code" = 0 ] && [ -d "$earlier" ]; then
  # Money that an earlier attempt of this job spent is spent: the ceiling is one for all of them.
  orch artifacts spent "${ORCH_INPUT_STAGE:-}" --round "${ORCH_INPUT_ROUND:-1}" --from "$earlier" || code=$?
  rm -rf "$earlier"
fi

command="${ORCH_INPUT_COMMAND:-}"
if [ -z "$command" ] && [ "${ORCH_INPUT_STAGE:-}" = intake ] && [ "${GITHUB_RUN_ATTEMPT:-1}" != 1 ]; then
  printf '::notice title=orch::attempt %s begins anew: what earlier attempts spent counts as far as GitHub still hands out their files, which after "Re-run all jobs" it does not\n' \
    "${GITHUB_RUN_ATTEMPT//[!0-9]/}"
fi
if [ "$code" = 0 ] && [ -n "$command" ]; then
  # A command in a comment: the event says which, and the forge who may.
  case "$command" in
    read | act) orch command "$command" || code=$? ;;
    reply)
      # With `=`, so that no text is taken for a flag.
      said() { if [ -n "$2" ]; then args+=("$1=$2"); fi; }
      said --exit "${ORCH_INPUT_EXIT:-}"
      said --reason "${ORCH_INPUT_REASON:-}"
      said --pull "${ORCH_INPUT_PR_NUMBER:-}"
      said --said "${ORCH_INPUT_SAID:-}"
      orch command reply ${args[@]+"${args[@]}"} || code=$?
      ;;
    *)
      printf "::error title=orch::the input 'command' is read, act or reply, not '%s'\n" "${command//$'\n'/ }" >&2
      code=2
      ;;
  esac
fi
if [ "$code" = 0 ] && [ -z "$command" ]; then
  if [ -n "${ORCH_INPUT_TASK:-}" ]; then
    # By a file, so that no other process sees the text among the words of a command.
    printf '%s' "$ORCH_INPUT_TASK" >"$RUNNER_TEMP/orch-task"
    args+=(--task-file "$RUNNER_TEMP/orch-task")
  else
    add --task-file "${ORCH_INPUT_TASK_FILE:-}"
  fi
  add --from-review "${ORCH_INPUT_FROM_REVIEW:-}"
  add --run "${ORCH_INPUT_RUN_ID:-}"
  add --round "${ORCH_INPUT_ROUND:-}"
  add --engine "${ORCH_INPUT_ENGINE:-}"
  add --model "${ORCH_INPUT_MODEL:-}"
  add --max-cost-usd "${ORCH_INPUT_MAX_COST_USD:-}"
  add --max-tokens "${ORCH_INPUT_MAX_TOKENS:-}"
  add --ttl-minutes "${ORCH_INPUT_TTL_MINUTES:-}"
  add --to "${ORCH_INPUT_TO:-}"
  add --commit "${ORCH_INPUT_COMMIT:-}"
  add --branch "${ORCH_INPUT_BRANCH:-}"
  add --artifacts-file "${ORCH_INPUT_ARTIFACTS_FILE:-}"
  add --last-good "${ORCH_INPUT_LAST_GOOD:-}"
  if [ "${ORCH_INPUT_DEPLOYED:-}" = true ]; then args+=(--deployed); fi
  if [ "${ORCH_INPUT_ENVIRONMENT:-false}" = true ]; then args+=(--environment); fi
  case "${ORCH_INPUT_SUBJECT:-}" in
    '') ;;
    pull-request) args+=(--pr) ;;
    *)
      printf "::error title=orch::the input 'subject' is pull-request or nothing, not '%s'\n" "${ORCH_INPUT_SUBJECT//$'\n'/ }" >&2
      code=2
      ;;
  esac
fi
if [ "$code" = 0 ] && [ -z "$command" ]; then
  case "${ORCH_INPUT_STAGE:-}" in
    index) orch index || code=$? ;;
    # What another step signs, and what it signed.
    attest) orch attest predicate --out "$RUNNER_TEMP/orch-attest" || code=$? ;;
    keep)
      if [ -n "${ORCH_INPUT_SIGNED:-}" ]; then orch attest add "$ORCH_INPUT_SIGNED" || code=$?; fi
      if [ "$code" = 0 ]; then orch runs keep --push origin || code=$?; fi
      ;;
    *) limited stage "${ORCH_INPUT_STAGE:-}" ${args[@]+"${args[@]}"} || code=$? ;;
  esac
  if [ -n "$why" ]; then printf '::error title=orch %s::%s\n' "${ORCH_INPUT_STAGE:-}" "$why"; fi
  rm -f "$RUNNER_TEMP/orch-task"
fi

case "$code" in
  0) outcome='done' ;;
  2) outcome=refused ;;
  3) outcome=denied ;;
  4) outcome=needs-approval ;;
  5) outcome=exhausted ;;
  6) outcome=tests-failed ;;
  7) outcome=not-converged ;;
  75) outcome=try-again ;;
  78) outcome=nothing-to-do ;;
  *) outcome=failed ;;
esac
{
  printf 'exit=%s\noutcome=%s\n' "$code" "$outcome"
  if [ -n "$why" ]; then printf 'reason=%s\n' "$why"; fi
  if [ "${ORCH_INPUT_SUBJECT:-}" = pull-request ]; then
    case "$code" in
      0) echo decision=allow ;;
      3) echo decision=deny ;;
      4) echo decision=needs-approval ;;
    esac
  fi
} >>"$GITHUB_OUTPUT"

if [ "${ORCH_INPUT_HAND_OVER:-true}" = true ] && [ -z "$command" ] && [ -z "${ORCH_INPUT_SUBJECT:-}" ]; then
  # Also of a stage that did not finish: its ledger and its record let another attempt go on from there.
  if orch artifacts part "${ORCH_INPUT_STAGE:-}" --round "${ORCH_INPUT_ROUND:-1}" --into "$own" >/dev/null 2>&1; then
    run="$(basename "$own"/*)"
    {
      printf 'part-folder=%s\n' "$own"
      printf 'part-name=orch-%s-%s-r%s-a%s\n' "$run" "$ORCH_INPUT_STAGE" "${ORCH_INPUT_ROUND:-1}" "${GITHUB_RUN_ATTEMPT:-1}"
    } >>"$GITHUB_OUTPUT"
  fi
fi
exit 0
