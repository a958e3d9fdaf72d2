#!/usr/bin/env bash
# Finds the program that belongs to this commit of the action: from the cache of the runner, or from the release, always
# checked against the digest in binaries.txt, and against its attestation where `gh` is there.
set -euo pipefail

fail() {
  printf '::error title=orch::%s\n' "$1" >&2
  exit 2
}
found() {
  printf 'program=%s\n' "$1" >>"$GITHUB_OUTPUT"
  exit 0
}

if [ -n "${ORCH_INPUT_BINARY:-}" ]; then
  [ -x "$ORCH_INPUT_BINARY" ] || fail "the input 'binary' names '$ORCH_INPUT_BINARY', which is no program"
  found "$ORCH_INPUT_BINARY"
fi

case "${RUNNER_OS:-$(uname -s)}" in
  Linux) system=unknown-linux-gnu ending='' ;;
  macOS | Darwin) system=apple-darwin ending='' ;;
  Windows | MINGW* | MSYS*) system=pc-windows-msvc ending=.exe ;;
  *) fail "there is no program for the system '${RUNNER_OS:-$(uname -s)}'" ;;
esac
case "${RUNNER_ARCH:-$(uname -m)}" in
  X64 | x86_64 | amd64) machine=x86_64 ;;
  ARM64 | aarch64 | arm64) machine=aarch64 ;;
  *) fail "there is no program for the processor '${RUNNER_ARCH:-$(uname -m)}'" ;;
esac
target="$machine-$system"
cache="${RUNNER_TOOL_CACHE:-${RUNNER_TEMP:?}}/orch"

if [ "${ORCH_INPUT_INSTALL:-release}" = cargo ]; then
  command -v cargo >/dev/null || fail "the input 'install' is cargo, and there is no cargo on this runner"
  cargo install --locked --quiet --path "$ORCH_ACTION_PATH" --root "$cache/cargo"
  found "$cache/cargo/bin/orch$ending"
fi
[ "${ORCH_INPUT_INSTALL:-release}" = release ] || fail "the input 'install' is release or cargo, not '$ORCH_INPUT_INSTALL'"

repository='' version='' digest='' file=''
while read -r first second third _; do
  case "$first" in
    '' | '#'*) ;;
    repository) repository="$second" ;;
    version) version="$second" ;;
    "$target") digest="$second" file="$third" ;;
  esac
done <"$ORCH_ACTION_PATH/action/binaries.txt"
if [ "$version" = none ] || [ -z "$version" ]; then
  fail "this commit of the action is no release, so no program belongs to it: name the commit of a release, or set the input 'install' to cargo"
fi
[ -n "$digest" ] || fail "the release $version has no program for $target"

# The whole file each time, read once: openssl takes a quarter of the time, since it uses what the processor has for it. By
# redirection, since a name with a backslash in it would be escaped, and the digest with it.
sum() {
  local line=''
  if command -v openssl >/dev/null; then line="$(openssl dgst -sha256 -r <"$1" 2>/dev/null)" || line=''; fi
  if [ -z "$line" ]; then
    if command -v sha256sum >/dev/null; then line="$(sha256sum <"$1")"; else line="$(shasum -a 256 <"$1")"; fi
  fi
  printf '%s' "${line%% *}"
}

program="$cache/$version/$target/orch$ending"
if [ -f "$program" ] && [ "$(sum "$program")" = "$digest" ]; then found "$program"; fi

fresh="$(mktemp -d "${RUNNER_TEMP:-/tmp}/orch.XXXXXX")"
trap 'rm -rf "$fresh"' EXIT
curl --fail --silent --show-error --location --proto '=https' --tlsv1.2 --retry 3 --max-time 300 \
  --output "$fresh/orch$ending" \
  "${GITHUB_SERVER_URL:-https://github.com}/$repository/releases/download/v$version/$file" ||
  fail "the program of the release $version cannot be downloaded from $repository"
is="$(sum "$fresh/orch$ending")"
[ "$is" = "$digest" ] || fail "the program has the digest $is, and not $digest as this commit says: it is not used"
if command -v gh >/dev/null && [ -n "${GH_TOKEN:-}" ] && [ "${GITHUB_SERVER_URL:-https://github.com}" = https://github.com ]; then
  gh attestation verify "$fresh/orch$ending" --repo "$repository" --signer-workflow "$repository/.github/workflows/release.yml" >/dev/null ||
    fail "the attestation of the program does not hold: it is not used"
fi
mkdir -p "$(dirname "$program")"
chmod 755 "$fresh/orch$ending"
mv -f "$fresh/orch$ending" "$program"
found "$program"
