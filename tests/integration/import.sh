#!/usr/bin/env bash
# `seine import` and what is in the store afterwards: twice, in pieces, interrupted, while others look, on a full disk.
# TAP on standard output.
set -uo pipefail
root=$(cd "$(dirname "${BASH_SOURCE[0]}")/../.." && pwd)
. "$root/tests/integration/lib/tap.bash"

stored() { "$seine" search --store "$1" --count "${@:2}" 2>/dev/null; }
is() { [ "$(stored "$1")" = "$2" ]; }

sample=$golden/sample/sample.pcap
sessions=$("$seine" read -q --format json "$sample" | wc -l)
cp "$sample" a.pcap

# --- the usual way ---

run import
code 2 'without a store nothing is imported' 'name the store'
run import --store s
code 2 'nothing to read' 'nothing to read'
run import --store s a.pcap
code 0 'a capture is imported' "$sessions sessions"
check 'all its sessions are there' is s "$sessions"
run search --store s --format json
check 'documents name their capture and have ids of their own' json "all(x['fileId']==[1] for x in d) and len({x['id'] for x in d})==$sessions"
run import --store s a.pcap
code 0 'the same capture again: is left out and said' 'is in the store already'
check 'no session is doubled' is s "$sessions"
run import --store s --again a.pcap
code 0 '--again replaces its sessions' "$sessions sessions of an earlier import were deleted"
check 'still none is doubled' is s "$sessions"
run import --store s --again a.pcap
code 0 'once more: what was deleted before is not deleted again' " $sessions sessions of an earlier import were deleted"
run import --store s a.pcap ./a.pcap "$work/a.pcap" --again
check 'a capture named three ways is read once' is s "$sessions"
run import --store s --again -f 'no such filter' a.pcap
code 2 '--again with a filter that is wrong is refused' 'capture filter'
check 'and deletes nothing' is s "$sessions"
mv a.pcap elsewhere.pcap
run import --store s --again a.pcap
code 1 '--again of a capture that cannot be opened' 'a.pcap: cannot be read'
check 'deletes nothing either' is s "$sessions"
mv elsewhere.pcap a.pcap
run import --store s a.pcap
code 0 'after both the capture still counts as complete' 'is in the store already'
run import --store s --tag case7 "$golden/dns/a.pcap"
code 0 'another capture with a tag'
check 'the tag is on its sessions only' [ "$(stored s 'tags == case7')" = "$("$seine" read -q --format json "$golden/dns/a.pcap" | wc -l)" ]
run search --store s 'tags == case7' --format json
check 'its positions name the second capture' json "all(x['fileId']==[2] for x in d)"
run import --store s nothing.pcap
code 1 'a file that does not exist' 'nothing.pcap'
run import --store a.pcap a.pcap
check 'a store that is a file is refused' [ "$rc" -ne 0 ]
chmod 755 s
run import --store new/below/s a.pcap
check 'folders above the store are not made up' [ "$rc" -ne 0 ]

# --- sessions that reach from one capture into the next ---

python3 - "$sample" first.pcap next.pcap <<'P'
import struct, sys
data = open(sys.argv[1], 'rb').read()
endian = '<' if data[:4] in (b'\xd4\xc3\xb2\xa1', b'\x4d\x3c\xb2\xa1') else '>'
at, count = 24, 0
with open(sys.argv[2], 'wb') as first, open(sys.argv[3], 'wb') as after:
    first.write(data[:24])
    after.write(data[:24])
    while at + 16 <= len(data):
        captured = struct.unpack(endian + 'I', data[at + 8:at + 12])[0]
        (first if count < 546 else after).write(data[at:at + 16 + captured])
        at, count = at + 16 + captured, count + 1
P
run import --store halves first.pcap next.pcap
code 0 'a capture in two files is imported'
shared() { "$seine" search --store halves --format json | grep '"fileId":\[1,2\]' >/dev/null; }
check 'some session has packets in both' shared
run import --store halves --again next.pcap
code 2 '--again of one of them would lose packets: the other one is asked for' 'first.pcap has packets of sessions'
check 'nothing is deleted' is halves "$sessions"
check 'the shared session is whole' shared
run import --store halves --again first.pcap next.pcap
code 0 'both are read again together'
check 'all is there once' is halves "$sessions"
check 'the shared session is whole again' shared

# --- archives, compressed, standard input ---

mkdir pack && cp "$golden/dns/a.pcap" pack/one.pcap && cp "$golden/http/get.pcap" pack/two.pcap
tar cf pack.tar -C pack one.pcap two.pcap
want=$("$seine" read -q --format json pack.tar | wc -l)
run import --store t pack.tar
code 0 'an archive is imported'
check 'its members count' is t "$want"
run import --store t pack.tar
code 0 'an archive again is left out' 'is in the store already'
check 'its sessions are not doubled' is t "$want"
run pcap --store t -w t.pcap ''
code 0 'packets of members come back'
check 'as many as there were' [ "$("$seine" read -q --format json t.pcap | wc -l)" = "$want" ]

mkdir pipes
"$seine" import -q --store u - < <(cat "$sample") 2>"$work/err"
rc=$?
code 0 'standard input is imported'
check 'all of it' is u "$sessions"
run pcap --store u -w u.pcap ''
code 0 'its packets can be fetched again'
check 'as many sessions in them' [ "$("$seine" read -q --format json u.pcap | wc -l)" = "$sessions" ]
"$seine" import -q --store v - <a.pcap 2>"$work/err"
check 'a file on standard input is imported in its place' [ ! -e v/captures ]

# --- while others look, and interrupted ---

python3 - "$sample" big.pcap <<'P'
import struct, sys
data = open(sys.argv[1], 'rb').read()
endian = '<' if data[:4] in (b'\xd4\xc3\xb2\xa1', b'\x4d\x3c\xb2\xa1') else '>'
packets, at = [], 24
while at + 16 <= len(data):
    sec, frac, captured, wire = struct.unpack(endian + '4I', data[at:at + 16])
    packets.append((sec, frac, captured, wire, data[at + 16:at + 16 + captured]))
    at += 16 + captured
with open(sys.argv[2], 'wb') as out:
    out.write(data[:24])
    for turn in range(800):                       # hours apart: every turn has its own sessions
        for sec, frac, captured, wire, bytes_ in packets:
            out.write(struct.pack(endian + '4I', sec + turn * 7200, frac, captured, wire) + bytes_)
P
want=$("$seine" read -q --format json big.pcap | wc -l)
mkfifo slow
start slow import --store w slow
importer=$pid
exec 7>slow
head -c 60000000 big.pcap >&7 &
feeder=$!
some_in() { local n; n=$(stored "$1") && [ "${n:-0}" -gt 0 ]; }
some() { some_in w; }
check 'another process sees sessions while the capture is being read' waits 30 some
kill -9 "$importer"
wait "$importer" 2>/dev/null
exec 7>&-
kill "$feeder" 2>/dev/null
wait "$feeder" 2>/dev/null
rm -rf w

for round in 1 2 3; do
  start killed import --store w --workers 2 big.pcap
  waits 30 some
  sleep "0.$((round * 2))"
  kill -9 "$pid" 2>/dev/null
  wait "$pid" 2>/dev/null
done
before=$(stored w)
run store fsck --store w
code 0 'a store whose writer was killed is whole'
run import --store w big.pcap
code 0 'the import that was killed is done again'
check "no session is lost or doubled ($before were there before)" is w "$want"
rm -rf w

mkfifo endless
start stopped import --store w2 big.pcap endless
exec 9>endless # opened and never written to: the import waits there
waits 60 some_in w2
stop "$pid" INT
exec 9>&-
cp stopped.err err
code 130 'SIGINT ends it in order' 'interrupted: the sessions stored so far can be searched'
check 'what was stored stays' some_in w2
run import --store w2 big.pcap
code 0 'the same command goes on'
check 'and all is there once' is w2 "$want"
rm -rf w2

# The walk cannot end before the pipe does: the capture stays incomplete.
start cut import --store w3 big.pcap endless
exec 9>endless
waits 60 some_in w3
kill -9 "$pid"
wait "$pid" 2>/dev/null
exec 9>&-
touch -d '2001-02-03 04:05:06' big.pcap
run import --store w3 big.pcap
code 0 'a capture that changed after its import was interrupted is read' 'of an earlier import'
check 'its sessions replace those of the interrupted import' is w3 "$want"
for turn in second third; do
  run import --store w3 big.pcap
  code 0 "the $turn import after that leaves it out" 'is in the store already'
  check "the $turn import deletes nothing and reads nothing" [ "$(grep -c -e deleted -e stored err)$(stored w3)" = "0$want" ]
done
rm -rf w3

# --- two writers, a full disk ---

mkfifo hold
start holder import --store w2 hold
exec 8>hold
waits 20 test -e w2/LOCK
run import --store w2 a.pcap
check 'a second writer is refused and told who writes' [ "$rc" -eq 2 ]
exec 8>&-
wait "$pid"

small=$work/small
mkdir "$small"
if mount -t tmpfs -o size=1500k none "$small" 2>/dev/null; then
  run import --store "$small/s" big.pcap
  check 'a full disk: said with what to do, exit code 7' [ "$rc" -eq 7 ]
  check 'it says what to do' says 'free some space'
  run search --store "$small/s" --count
  check 'the store can still be searched' [ "$rc" -le 1 ]
  umount "$small"
else
  skip 'a full disk' 'needs the right to mount'
fi

plan
