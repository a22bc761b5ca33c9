#!/usr/bin/env bash
# Damaged captures through the whole program, under the sanitizers where that build is there. TAP on standard output.
# MUTATE_SECONDS: how long (30); MUTATE_FIRST: the first seed (0).
set -euo pipefail
root=$(cd "$(dirname "${BASH_SOURCE[0]}")/../.." && pwd)
program=$root/build-asan/seine
[ -x "$program" ] || program=${SEINE:-$root/build/seine}
exec "$root/tools/mutate-captures" --seconds "${MUTATE_SECONDS:-30}" --first "${MUTATE_FIRST:-0}" \
  --config "$root/tests/golden/golden.ini" "$program" "$root/tests/golden"
