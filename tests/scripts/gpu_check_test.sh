#!/usr/bin/env bash
# tools/gpu-check: what it refuses, and that a pack made here runs in a clean place with nothing but itself.
# usage: gpu_check_test.sh refusals|whole
set -uo pipefail
source=$(cd "$(dirname "${BASH_SOURCE[0]}")/../.." && pwd -P)
work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT
failures=0
expect() {  # WHAT COMMAND...
  "${@:2}" || { failures=$((failures + 1)); printf 'failed: %s\n' "$1"; }
}

mkdir -p "$work/place/tools" "$work/home"
cp "$source/tools/gpu-check" "$work/place/tools/"
invoke() { output=$(cd "$work/home" && env -i PATH=/usr/bin:/bin HOME="$work/home" "$@" 2>&1); status=$?; }

refusals() {
  invoke "$work/place/tools/gpu-check"
  expect "no argument fails" [ "$status" != 0 ]
  expect "no argument shows the usage" grep -q '^usage:' <<<"$output"
  invoke "$work/place/tools/gpu-check" run "$work/out"
  expect "run without a pack fails" [ "$status" != 0 ]
  expect "run without a pack says what to do" grep -q 'run tools/gpu-check pack' <<<"$output"
}

# Once as it starts on a machine like this, once with the packed C library.
whole() {
  local loader
  "$source/tools/gpu-check" pack || { echo "failed: pack"; exit 1; }
  mkdir -p "$work/place/build/gpu-pack"
  cp "$source"/build/gpu-pack/{pack,nora}.tgz "$work/place/build/gpu-pack/"
  for loader in "" 1; do
    rm -rf "$work/out"
    invoke GPU_CHECK_LOADER=$loader GPU_CHECK_BENCH="--size 48 --seconds 1 --frames 3" "$work/place/tools/gpu-check" run "$work/out"
    expect "run ${loader:+with its own C library }passes: $output" [ "$status" = 0 ]
    expect "the CPU was measured" grep -q '"machine": "cpu' "$work/out/backend_cpu.json"
    [[ -n $loader ]] || expect "nora drew a picture" [ -s "$work/out/picture_auto.png" ]
    if ! grep -q '"machine": "cuda' "$work/out/backend_cuda.json" 2>/dev/null; then
      expect "without a GPU it is said" grep -qE 'GPU can be used here|built without CUDA' <<<"$output"
    fi
  done
}

case ${1:-} in
  refusals | whole) "$1" ;;
  *) echo "usage: gpu_check_test.sh refusals|whole"; exit 2 ;;
esac
exit $((failures > 0))
