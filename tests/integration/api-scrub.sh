#!/usr/bin/env bash
# Packets overwritten where they lie: in captures of the store and, when that is allowed, in others; and every capture in
# which that cannot be. TAP on standard output.
set -uo pipefail
root=$(cd "$(dirname "${BASH_SOURCE[0]}")/../.." && pwd)
. "$root/tests/integration/lib/tap.bash"
. "$root/tests/integration/lib/api.bash"

mkdir caps
cp "$golden/http/get.pcap" "$golden/http/bodies.pcap" caps/
gzip -c "$golden/http/conditional.pcap" >packed.pcap.gz
(cd "$golden/dns" && tar cf "$work/many.tar" a.pcap)
run import --store st --node vm -q caps
code 0 'captures are imported'
run import --store st --node vm -q packed.pcap.gz
code 0 'a compressed one'
run import --store st --node vm -q many.tar
code 0 'one in an archive'
"$seine" import --store st --node vm -q - <"$golden/sample/sample.pcap" >out 2>err # a file on standard input is read where it is
rc=$?
code 0 'the sample'
cat "$golden/smtp/"$(ls "$golden/smtp" | grep -m1 'pcap$') | "$seine" import --store st --node vm -q - >out 2>err
rc=$?
code 0 'one through a pipe, kept in the folder of the store'
check 'it is there' [ "$(ls st/captures/*.pcap | wc -l)" = 1 ]
own=$(ls st/captures/*.pcap)
cp "$own" own.before
echo secret-of-anna | "$seine" user add --store st --admin anna >out 2>err
echo secret-of-eva | "$seine" user add --store st eva >out 2>err
start api serve -q --store st --listen 127.0.0.1:0
check 'the server is there' link_of api
anna=(--digest -u anna:secret-of-anna)
login() { # a CSRF token
  get '/api/sessions?date=-1&length=0' "${anna[@]}" -c jar
  csrf=$(awk '$6 == "ARKIME-COOKIE" { print $7 }' jar)
  changes=("${anna[@]}" -H "x-arkime-cookie: $csrf")
}
login
pick() { # pick EXPRESSION: the id of the largest session
  get "/api/sessions?date=-1&length=1&order=network.bytes:desc" -G --data-urlencode "expression=$1" "${anna[@]}"
  python3 -c 'import json; print(json.load(open("answer"))["data"][0]["id"])'
}
sums() { sha256sum caps/* packed.pcap.gz many.tar "$golden/sample/sample.pcap"; }
sums >sums.before
kept=$(pick 'file == *stdin-*')
scrub=(-d removePcap=true -d date=-1)

# --- who ---

asks 'anna may not yet' /api/delete 'status == 403' "${changes[@]}" "${scrub[@]}" -d ids="$kept"
get /api/user/anna "${changes[@]}" -H 'Content-Type: application/json' -d '{"userName":"anna","enabled":true,"removeEnabled":true,"roles":["superAdmin"]}'
holds 'anna may delete' 'd["success"]'
asks 'without the header nothing is deleted' /api/delete 'status == 500 and d["text"] == "Missing token"' "${anna[@]}" "${scrub[@]}" -d ids="$kept"
asks 'nor by a link' "/api/session/vm/$kept/scrub/pcap" 'status == 500 and d["text"] == "Missing token"' "${anna[@]}"
asks 'eva may not' "/api/session/vm/$kept/scrub/pcap" 'status == 403' --digest -u eva:secret-of-eva
asks 'nothing' /api/delete 'status == 403 and d["text"] == "You can'"'"'t delete nothing"' "${changes[@]}" -d ids="$kept"
asks 'without an expression' /api/delete 'status == 403 and "expression is required" in d["text"]' "${changes[@]}" "${scrub[@]}"
asks 'a wrong kind' "/api/session/vm/$kept/scrub/everything" 'status == 403 and d["text"] == "Bad scrub type"' "${changes[@]}"
asks 'a session there is none of' "/api/session/vm/nosuch/scrub/pcap" 'status == 404' "${changes[@]}"
check 'the capture is as it was' cmp "$own" own.before

# --- where it cannot be ---

asks 'outside the folder' /api/delete 'status == 403 and "get.pcap" in d["text"] and "scrubForeign" in d["text"]' "${changes[@]}" "${scrub[@]}" -d ids="$(pick 'file == *get.pcap')"
get "/api/session/vm/$(pick 'file == *packed*')/scrub/all" "${changes[@]}"
holds 'a compressed one is outside, too' 'status == 403'
ln "$own" elsewhere
asks 'one that has a second name outside' /api/delete 'status == 403 and "second name" in d["text"]' "${changes[@]}" "${scrub[@]}" -d ids="$kept"
check 'it is as it was' cmp "$own" own.before
rm elsewhere
control() { python3 -c 'import sqlite3, sys; d = sqlite3.connect("st/control.db", timeout=20); d.executescript(sys.argv[1]); d.close()' "$1"; }
control "CREATE TRIGGER no_history BEFORE INSERT ON history BEGIN SELECT RAISE(ABORT, 'no'); END"
asks 'nobody knows who it was' /api/delete 'status == 500 and "written down" in d["text"]' "${changes[@]}" "${scrub[@]}" -d ids="$kept"
check 'then nothing is overwritten' cmp "$own" own.before
control 'DROP TRIGGER no_history'
cp own.before "$own" # what a mistake above did must not show below
stop "$pid"
start api serve -q --store st -o scrubForeign=true --listen 127.0.0.1:0
check 'the server again, with scrubForeign' link_of api
login
asks 'a compressed one' /api/delete 'status == 400 and "compressed" in d["text"]' "${changes[@]}" "${scrub[@]}" -d ids="$(pick 'file == *packed*')"
asks 'an archive' /api/delete 'status == 400 and "archive" in d["text"]' "${changes[@]}" "${scrub[@]}" -d ids="$(pick 'file == *many*')"
both=$(pick 'file == *get.pcap'),$(pick 'file == *packed*')
asks 'one that can be and one that cannot' /api/delete 'status == 400' "${changes[@]}" "${scrub[@]}" -d removeSpi=true -d ids="$both"
asks "both are there still" "/api/sessions?date=-1&ids=$both" "d[\"recordsFiltered\"] == 2" "${anna[@]}"
mv caps/bodies.pcap caps/elsewhere
ln -s elsewhere caps/bodies.pcap
asks 'a symbolic link' /api/delete 'status == 400 and "symbolic link" in d["text"]' "${changes[@]}" "${scrub[@]}" -d ids="$(pick 'file == *bodies.pcap')"
rm caps/bodies.pcap
asks 'one that is gone' /api/delete 'status == 404 and "bodies.pcap" in d["text"]' "${changes[@]}" "${scrub[@]}" -d ids="$(pick 'file == *bodies.pcap')"
head -c 100 caps/elsewhere >caps/bodies.pcap
asks 'one that was cut' /api/delete 'status == 409 and "changed" in d["text"]' "${changes[@]}" "${scrub[@]}" -d ids="$(pick 'file == *bodies.pcap')"
python3 - <<'PY'
# the same records, of another time
import struct
raw = bytearray(open('caps/elsewhere', 'rb').read())
at = 24
while at < len(raw):
    seconds, _, n = struct.unpack_from('<III', raw, at)
    struct.pack_into('<I', raw, at, seconds + 86400)
    at += 16 + n
open('caps/bodies.pcap', 'wb').write(raw)
PY
cp caps/bodies.pcap replaced
asks 'one that is another now' /api/delete 'status == 409 and "not found" in d["text"]' "${changes[@]}" "${scrub[@]}" -d ids="$(pick 'file == *bodies.pcap')"
check 'it is left alone' cmp caps/bodies.pcap replaced
mv caps/elsewhere caps/bodies.pcap
sums >sums.after
check 'nothing was written anywhere' cmp sums.before sums.after

# --- where it can ---

cat >bytes.py <<'PY'
# bytes.py BEFORE AFTER: the file and record headers are equal, the bytes of N packets of M differ and hold the last pass
import struct, sys
a, b = open(sys.argv[1], 'rb').read(), open(sys.argv[2], 'rb').read()
assert len(a) == len(b) and a[:24] == b[:24]
at, changed, whole = 24, 0, 0
while at < len(a):
    n = struct.unpack_from('<I', a, at + 8)[0]
    assert a[at:at + 16] == b[at:at + 16]
    x, y = a[at + 16:at + 16 + n], b[at + 16:at + 16 + n]
    whole += 1
    if x != y:
        text = b'Scrubbed by Seine. '
        assert y == (text * (n // len(text) + 1))[:n], y
        changed += 1
    at += 16 + n
print(changed, whole)
PY
asks 'the kept one' /api/delete 'd == {"success": True, "text": "Deletion PCAP data of 1 session complete"}' "${changes[@]}" "${scrub[@]}" -d ids="$kept"
get "/api/session/$kept" "${anna[@]}"
holds 'who and when is in the session' 'd["scrubby"] == "anna" and abs(d["scrubat"] / 1000 - __import__("time").time()) < 600'
packets=$(python3 -c 'import json; print(json.load(open("answer"))["network"]["packets"])')
read -r changed whole < <(python3 bytes.py own.before "$own")
check 'its packets are overwritten, the headers are as they were' [ "$changed" = "$packets" ]
asks 'it is found by it' '/api/sessions?date=-1&expression=scrubbed.by==anna' 'd["recordsFiltered"] == 1' "${anna[@]}"
get "/api/session/vm/$kept/pcap" "${anna[@]}"
holds 'its packets can be read, and say nothing' 'status == 200 and b"Scrubbed by Seine. " in raw'
asks 'who asked was written down before' '/api/histories?api=/api/delete' '{r["userId"] for r in d["data"] if r["status"] == 102} == {"anna"}' "${anna[@]}"
holds 'and of which session' "any('$kept' in json.dumps(r.get('body')) for r in d['data'] if r['status'] == 102)"
asks 'once more' "/api/session/vm/$kept/scrub/pcap" 'd["success"]' "${changes[@]}"

cp caps/get.pcap get.before
one=$(pick 'file == *get.pcap')
asks 'a capture of others, with its session' "/api/session/vm/$one/scrub/all" 'd["text"] == "Deletion PCAP and SPI data of 1 session complete"' "${changes[@]}"
asks 'the session is gone' "/api/session/$one" 'status == 404' "${anna[@]}"
read -r changed whole < <(python3 bytes.py get.before caps/get.pcap)
check 'its packets too' [ "${changed:-0}" -gt 0 ]
one=$(pick 'file == *bodies.pcap')
asks 'the fields alone' "/api/session/vm/$one/scrub/spi" 'd["text"] == "Deletion SPI data of 1 session complete"' "${changes[@]}"
check 'its capture is as it was' cmp caps/bodies.pcap "$golden/http/bodies.pcap"

# --- pcapng: all of it, by an expression ---

get '/api/sessions/pcapng?date=-1' -G --data-urlencode 'expression=file == *sample.pcap' "${anna[@]}"
cp answer caps/own.pcapng
stop "$pid"
run import --store st2 --node vm -q caps/own.pcapng
code 0 'a pcapng file'
echo secret-of-anna | "$seine" user add --store st2 --admin anna >out 2>err
start api serve -q --store st2 -o scrubForeign=true --listen 127.0.0.1:0
check 'the server of its store' link_of api
login
get /api/user/anna "${changes[@]}" -H 'Content-Type: application/json' -d '{"userName":"anna","enabled":true,"removeEnabled":true,"roles":["superAdmin"]}'
"$seine" read -q --format json caps/own.pcapng >docs.jsonl
asks 'all of DNS' /api/delete 'd["success"] and int(d["text"].split()[4]) == sum("dns" in x["protocol"] for x in docs)' "${changes[@]}" "${scrub[@]}" --data-urlencode 'expression=protocols == dns'
run read -q --format json caps/own.pcapng
check 'it is a capture still, without DNS in it' bash -c '[ -s out ] && ! grep -q "\"dns\"" out'
stop "$pid"
run store compact --store st2
code 0 'the store is compacted'
run search --store st2 -q --format json 'scrubbed.by == anna'
check 'marks stay' bash -c 'python3 -c "
import json, sys
docs = [json.loads(l) for l in open(\"docs.jsonl\")]
sys.exit(0 if len(open(\"out\").read().splitlines()) == sum(\"dns\" in x[\"protocol\"] for x in docs) else 1)"'
plan
