#!/usr/bin/env bash
# Every session of the recorded captures comes out of a store as the document that `seine read` writes: from segments, and
# merged with those of all other captures. TAP on standard output.
set -uo pipefail
root=$(cd "$(dirname "${BASH_SOURCE[0]}")/../.." && pwd)
seine=$(realpath "${SEINE:-$root/build/seine}")
[ -x "$seine" ] || { echo "Bail out! $seine is not there: tools/build release"; exit 1; }
work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT
export LC_ALL=C.UTF-8 TZ=UTC

cat >"$work/compare.py" <<'PY'
"""Two files of documents, a line each, hold the same sessions but for names of files and of the sessions themselves."""
import json, sys

def documents(path):
    left_out = ('@timestamp', 'id', 'rootId', 'fileId', 'packetPos', 'packetLen', 'node')
    with open(path, encoding='utf-8', errors='surrogateescape') as lines:
        return sorted(json.dumps({k: v for k, v in json.loads(line).items() if k not in left_out}) for line in lines)

read, stored = documents(sys.argv[1]), documents(sys.argv[2])
if not read or read != stored:
    only = sorted(set(read) - set(stored))[:1] + sorted(set(stored) - set(read))[:1]
    print(f'# {len(read)} read, {len(stored)} stored; only in one:', *(f'\n# {d[:900]}' for d in only))
    sys.exit(1)
print(f'# {len(read)} sessions')
PY

count=0 failed=0
ok() { # ok STATUS NAME
  count=$((count + 1))
  if [ "$1" -eq 0 ]; then echo "ok $count - $2"; else failed=$((failed + 1)); echo "not ok $count - $2"; fi
}

# A run for each: in one run, sessions of several captures may be one. Every ninth is enough to have all protocols.
# Captures that are there twice are imported once.
mapfile -t captures < <(sha256sum "$root"/tests/golden/*/*.pcap | sort -u -k1,1 | sed "s/^[^ ]* *//")
imported=0
for ((i = 0; i < ${#captures[@]}; i += 9)); do
  "$seine" read -q --format json "${captures[i]}" >>"$work/read.json" 2>/dev/null
  "$seine" import -q --store "$work/store" "${captures[i]}" 2>>"$work/said"
  imported=$((imported + 1))
done
"$seine" search --store "$work/store" --format json >"$work/stored.json" 2>>"$work/said"
python3 "$work/compare.py" "$work/read.json" "$work/stored.json"
ok $? "the documents of $imported captures, out of one store"
"$seine" store compact --store "$work/store" >"$work/out" 2>>"$work/said" && [ "$(find "$work/store/seg" -name '*.seg' | wc -l)" -eq 1 ]
ok $? "the segments are merged"
"$seine" search --store "$work/store" --format json >"$work/stored.json" 2>>"$work/said"
python3 "$work/compare.py" "$work/read.json" "$work/stored.json"
ok $? "the same documents after the merge"
"$seine" store fsck --store "$work/store" >"$work/out" 2>>"$work/said"
ok $? "nothing is wrong with the store"
[ "$failed" -eq 0 ] || head -c 1500 "$work/said" | sed 's/^/# /'
echo "1..$count"
[ "$failed" -eq 0 ]
