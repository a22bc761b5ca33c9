#!/usr/bin/env bash
# Stores under kill -9 and failing disks: nothing confirmed is lost, nothing is there twice, a reader beside sees only whole
# states. TAP on standard output. KILLS: how many writers are killed (200). Programs: tests/crash.
set -uo pipefail
root=$(cd "$(dirname "${BASH_SOURCE[0]}")/../.." && pwd)
seine=$(realpath "${SEINE:-$root/build/seine}")
crash=$(dirname "$seine")/tests/crash/store-crash
faults=$(dirname "$seine")/tests/crash/libstore-faults.so
[ -x "$crash" ] || { echo "Bail out! $crash is not there: tools/build release"; exit 1; }
work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT
count=0 failed=0

ok() { # ok STATUS NAME
  count=$((count + 1))
  if [ "$1" -eq 0 ]; then echo "ok $count - $2"; else
    failed=$((failed + 1))
    echo "not ok $count - $2"
    head -c 800 "$work/said" | sed 's/^/# /'
  fi
}

"$crash" kill "$work/killed" "${KILLS:-200}" 4711 >"$work/said" 2>&1
ok $? "${KILLS:-200} writers killed at random times, a reader beside them"
sed 's/^/# /' "$work/said"
grep -Eq 'mid-segment [1-9]' "$work/said"
ok $? "some of them in the middle of a segment"
grep -Eq ' from [1-9]' "$work/said"
ok $? "retention was at work"

# A writer of 4000 sessions while calls fail: CALL:ERROR:FROM:COUNT, see tests/crash/store_faults.c. The code it ended
# with in $code, the calls that failed while it closed in $closing.
fail() { # fail PLAN [FAULTS_AT]
  rm -rf "$work/failing"
  FAULTS=$1 FAULTS_AT=${2:-} LD_PRELOAD=$faults timeout 120 "$crash" write "$work/failing" 0 4000 >/dev/null 2>"$work/said"
  code=$?
  read -r delivered closing < <(sed -n 's/^errors [0-9]*, faults \([0-9]*\), \([0-9]*\) of.*/\1 \2/p' "$work/said")
  "$crash" verify "$work/failing" >>"$work/said" 2>&1 && grep -q '^from 0 to 4000$' "$work/said"
  ok $? "all sessions are there after $1${2:+ from its $2 on}"
}
# Closing tries three times: fewer failures than that are no reason to fail, and without one it cannot.
for plan in write:ENOSPC:40:7 write:EIO:30:1 write:ENOSPC:20:60 fdatasync:EIO:30:2 fdatasync:ENOSPC:25:6 rename:EIO:3:2 \
  fsync:EIO:6:3 rename:ENOSPC:1:4; do
  fail "$plan"
  [ "${delivered:-0}" -ge 1 ] && { [ "$code" -eq 0 ] || { [ "$closing" -ge 3 ] && grep -q 'close failed: ' "$work/said"; }; }
  ok $? "and closing went well (${closing:-no} of ${delivered:-no} calls failed then)"
done
for plan in write:ENOSPC:0:2 write:EIO:2:1 fdatasync:EIO:0:2 fdatasync:EIO:2:1 rename:EIO:0:2 fsync:EIO:0:2; do
  fail "$plan" close
  [ "${closing:-0}" -ge 1 ] && [ "$code" -eq 0 ]
  ok $? "and closing went well after ${closing:-no} of them"
done
for plan in rename:EIO:0:1000000 fdatasync:EIO:1:1000000; do
  fail "$plan" close
  [ "${closing:-0}" -ge 3 ] && [ "$code" -eq 1 ] && grep -q 'close failed: ' "$work/said"
  ok $? "and closing says that it failed"
done

# A disk that stays full: the writer says so and what it confirmed stays.
rm -rf "$work/full"
FAULTS=write:ENOSPC:40:1000000 LD_PRELOAD=$faults timeout 5 "$crash" write "$work/full" 0 4000 >"$work/acks" 2>"$work/said"
"$crash" verify "$work/full" >>"$work/said" 2>&1
ok $? "what was confirmed before the disk was full can be read"
[ -s "$work/acks" ] && confirmed=$(tail -c 8 "$work/acks" | od -An -t u8 | tr -d ' ') || confirmed=0
there=$(sed -n 's/^from 0 to \([0-9]*\)$/\1/p' "$work/said")
[ "$confirmed" -gt 0 ] && [ "${there:-0}" -ge "$confirmed" ]
ok $? "and nothing of it is missing ($confirmed confirmed, ${there:-none} there)"

echo "1..$count"
[ "$failed" -eq 0 ]
