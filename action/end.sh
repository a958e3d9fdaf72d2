#!/usr/bin/env bash
# Ends the action as the stage did: an accepted code leaves it green, 4 and 75 are told apart from a failure.
set -euo pipefail
code="${ORCH_EXIT:-1}"
if [ "$code" = 0 ]; then exit 0; fi
case "$code" in
  4) text='a person has to approve' kind=warning ;;
  75) text='it has to be tried again later' kind=warning ;;
  78) text='there is nothing to do' kind=notice ;;
  *) text="it ended with the exit code $code" kind=error ;;
esac
for accepted in ${ORCH_INPUT_ACCEPT:-}; do
  if [ "$accepted" = "$code" ]; then
    printf '::notice title=orch %s::%s\n' "${ORCH_INPUT_COMMAND:-$ORCH_INPUT_STAGE}" "$text"
    exit 0
  fi
done
printf '::%s title=orch %s::%s\n' "$kind" "${ORCH_INPUT_COMMAND:-$ORCH_INPUT_STAGE}" "$text"
exit "$code"
