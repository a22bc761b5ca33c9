#!/usr/bin/env bash
# An import of many captures that is killed again and again: what was complete is not read again, and in the end there is
# exactly what an import without a break gives. TAP on standard output. KILLS: how many (3).
set -uo pipefail
root=$(cd "$(dirname "${BASH_SOURCE[0]}")/../.." && pwd)
. "$root/tests/integration/lib/tap.bash"

# Captures of an hour each, with hosts of their own; a connection reaches from capture 8 through 9 into 10, and one with
# several pieces from 20 into 22; datagrams in fragments reach from 30 into 31. `pack`: members 2 to 4 of an archive.
cat >make.py <<'PY'
import struct, sys, tarfile
folder, files, sessions = sys.argv[1], int(sys.argv[2]), int(sys.argv[3])
def ip(proto, src, dst, body, ident=0, frag=0):
    return struct.pack('>BBHHHBBH4s4s', 0x45, 0, 20 + len(body), ident, frag, 64, proto, 0, src, dst) + body
def frame(packet):
    return b'\2\0\0\0\0\1\2\0\0\0\0\2\x08\0' + packet
def udp(src, dst, sport, data):
    return struct.pack('>HHHH', sport, 53, 8 + len(data), 0) + data
def tcp(sport, seq, flags, data=b''):
    return struct.pack('>HHIIBBHHH', sport, 80, seq, 0, 0x50, flags, 1000, 0, 0) + data
def host(n):
    return bytes((10, n >> 16 & 255, n >> 8 & 255, n & 255))
for f in range(files):
    start, out = 1600000000 + 3600 * f, []
    for s in range(sessions):
        a = host(f * sessions + s)
        for k in range(3):
            out.append((start + s * 1000 // sessions + k / 10, frame(ip(17, a, b'\xc0\0\2\1', udp(a, 0, 4000 + k % 2, b'x' * 30)))))
    if f in (8, 9, 10):  # a packet every 100 s: the connection never times out
        for t in range(36):
            out.append((start + 100 * t, frame(ip(6, b'\x0b\0\0\1', b'\x0b\0\0\2', tcp(5000, 1000 + (f - 8) * 36 + t, 0x10, b'd')))))
    if f in (20, 21, 22):
        for t in range(36):
            out.append((start + 100 * t, frame(ip(6, b'\x0b\0\0\3', b'\x0b\0\0\4', tcp(5001, 1000 + (f - 20) * 36 + t, 0x10, b'd')))))
    if f in (30, 31):
        whole = udp(b'\x0b\0\0\5', 0, 6000, b'f' * 2000)
        part = whole[:1480] if f == 30 else whole[1480:]
        out.append((start + (3599 if f == 30 else -1 + .5), frame(ip(17, b'\x0b\0\0\5', b'\x0b\0\0\6', part, 77, 0x2000 if f == 30 else 185))))
    out.sort(key=lambda p: p[0])
    with open('%s/%04d.pcap' % (folder, f), 'wb') as w:
        w.write(struct.pack('<IHHiIII', 0xa1b2c3d4, 2, 4, 0, 0, 65535, 1))
        for t, p in out:
            w.write(struct.pack('<IIII', int(t), int(t % 1 * 1e6), len(p), len(p)) + p)
PY
mkdir captures && python3 make.py captures 60 1500
mkdir packed && python3 make.py packed 40 1500
(cd packed && tar cf 0010.tar 001?.pcap && rm 001?.pcap)

# Sessions as text without their numbers in the store, one a line, and what control.db says of the captures.
facts() { # facts STORE
  "$seine" search --store "$1" --format json 'bytes >= 0' 2>>err | python3 -c "
import json, sys
for line in sys.stdin:
    d = json.loads(line)
    for key in ('@timestamp', '_id', 'id', 'rootId', 'fileId', 'packetPos'): # say in which order they were stored
        d.pop(key, None)
    print(json.dumps(d, sort_keys=True))" | sort >"$1.facts"
  [ -s "$1.facts" ]
}
complete() { # complete STORE: how many captures are
  python3 -c "
import sqlite3, sys
try:
    print(sqlite3.connect('file:$1/control.db?mode=ro', uri=True).execute('SELECT count(*) FROM files WHERE complete').fetchone()[0])
except Exception:
    print(0)"
}
some() { [ "$(complete "$1")" -gt "$2" ]; }

for case in 'captures 2' 'packed 1'; do
  read -r kind workers <<<"$case"
  store=$kind$workers
  run import -q --workers $workers --store "$store.want" $kind
  code 0 "$kind, $workers workers: an import without a break"
  check "$kind, $workers workers: its sessions" facts "$store.want"
  done_before=0 kept=1
  for round in $(seq "${KILLS:-3}"); do
    start killed import -q --workers $workers --store "$store" $kind
    waits 20 some "$store" "$done_before"
    kill -9 "$pid" 2>/dev/null
    wait "$pid" 2>/dev/null
    now=$(complete "$store")
    [ "$now" -ge "$done_before" ] || kept=0
    done_before=$now
  done
  check "$kind, $workers workers: captures were complete in between ($done_before at last), and stayed so" [ "$done_before" -gt 0 -a $kept = 1 ]
  run import --workers $workers --store "$store" $kind
  code 0 "$kind, $workers workers: the last one goes on to the end"
  check "$kind, $workers workers: what was complete was not read again" grep -q 'in the store already' err
  check "$kind, $workers workers: its sessions again" facts "$store"
  check "$kind, $workers workers: none is lost, none is there twice" cmp "$store.facts" "$store.want.facts"
  run store fsck --store "$store"
  code 0 "$kind, $workers workers: the store is whole"
done
plan
