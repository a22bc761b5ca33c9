#!/usr/bin/env bash
# `seine search`, `seine pcap`, `seine store` and `seine user` on a store, and against a server. TAP on standard output.
set -uo pipefail
root=$(cd "$(dirname "${BASH_SOURCE[0]}")/../.." && pwd)
. "$root/tests/integration/lib/tap.bash"

sample=$golden/sample/sample.pcap
"$seine" read -q --format json "$sample" >all.json
sessions=$(wc -l <all.json)
"$seine" import -q --store s "$sample" || echo "Bail out! nothing to search"
export SEINE_STORE=$work/s
matching() { "$seine" read -q --format json -Y "$1" "$sample" | wc -l; }

# --- a store ---

run search
code 0 'without an expression: all sessions'
check 'one document a line' json "len(d)==$sessions"
for expression in 'protocols == dns' 'port.dst == 443 && bytes > 1000' 'host == *.example' 'ip == 192.0.2.0/24' \
  'http.uri == EXISTS!' '!(protocols == tcp)' 'tags != nothing' 'file == *sample.pcap'; do
  run search --count "$expression"
  want=$(matching "$expression")
  [[ $expression == file* ]] && want=$sessions
  check "the same number as in the capture: $expression" [ "$(cat out)" = "$want" ]
done
run search --count 'host == nowhere.invalid'
code 1 'nothing fits'
run search 'port.dst = = 1'
code 2 'a mistake is shown with its place' 'line 1'
run search 'prt == 1'
code 2 'an unknown field: the nearest is named' 'port'
run search --format csv --fields ip.src,port.dst 'protocols == dns'
check 'columns of csv' grep -q '^ip.src,port.dst' out
run search --format table 'protocols == dns'
code 0 'a table' 'stored fit'
run search --top protocols
check 'the commonest values come first' grep -q '^ *[0-9]* *tcp$' <(head -1 out)
run search --top ip
code 2 'values of several fields at once are refused' 'any of several'
run search --limit 3 --format json
check '--limit: the newest' json "len(d)==3"
run search --from 2026-01-14T09:02:00Z --to 2026-01-14T09:03:00Z --format json
check '--from and --to' json "len(d)>0 and all(1768381320000<=x['lastPacket']<=1768381380999 for x in d)"
run search --from nonsense
code 2 'a time that is none' 'is no time'
run search --store nowhere
check 'a store that is not there' [ "$rc" -ne 0 ]
run search --last 1m
code 1 'nothing in the last minute'

# --- packets ---

run pcap 'protocols == dns' -w dns.pcap
code 0 'packets of sessions that fit' 'packets of'
check 'only those' [ "$("$seine" read -q --format json dns.pcap | wc -l)" = "$(matching 'protocols == dns')" ]
run pcap '' -w all.pcapng
check 'all of them, as pcapng' [ "$("$seine" read -q --format json all.pcapng | wc -l)" = "$sessions" ]
run pcap --limit 1 ''
check 'of the newest session, to standard output' [ "$("$seine" read -q --format json - <out | wc -l)" = 1 ]
run pcap 'host == nowhere.invalid' -w none.pcap
code 1 'nothing fits: an empty capture and exit code 1'
cp "$sample" moved.pcap
"$seine" import -q --store m moved.pcap
rm moved.pcap
run pcap --store m '' -w gone.pcap
code 5 'a capture that is gone: said by name' 'moved.pcap'

# --- the store itself ---

run store stat
check 'stat tells how many sessions' shows "$sessions"
run store stat --columns
check 'and its columns' shows 'destination.port'
run store fsck
code 0 'fsck finds nothing'
run store compact
code 0 'compact'
run search --count
check 'nothing is lost by it' [ "$(cat out)" = "$sessions" ]
segment=$(find s/seg -name '*.seg' | sort | tail -1)
run store dump --segment "$(basename "$segment")" --limit 2
check 'dump gives rows' json "len(d)==2"
if [ -n "$segment" ]; then
  cp -r s hurt
  python3 - "hurt/${segment#s/}" <<'P'
import sys
with open(sys.argv[1], 'r+b') as f:
    f.seek(2000)
    byte = f.read(1)
    f.seek(2000)
    f.write(bytes([byte[0] ^ 0x55]))
P
  run store fsck --store hurt
  check 'a flipped byte is found and its file named' test "$rc" -eq 5
  check 'by name' says "$(basename "$segment")"
fi
run store nonsense
code 2 'an unknown action' 'fsck'

# --- users ---

run user list
code 0 'no users'
check 'none' [ ! -s out ]
echo 'secret word' | "$seine" user add --admin anna >out 2>err
rc=$?
code 0 'a user; the password from standard input'
echo other | "$seine" user add anna >out 2>err
rc=$?
code 2 'the same user again is refused' 'already exists'
run user list
check 'is listed' shows '^anna .*superAdmin'
check 'the password is not in the database' bash -c "! grep -aq 'secret word' s/control.db s/control.db-wal"
run user token anna
check 'a token for programs' shows '^seine_'
token=$(cat out)
run user token nobody
code 2 'a token of nobody' 'nobody'
unset SEINE_STORE

# --- a server ---

start server serve --store s --listen 127.0.0.1:0
server=$pid
check 'the server prints its link' link_of server
run search --url "$base" --count
code 4 'without a token nobody gets in' 'SEINE_TOKEN'
export SEINE_TOKEN=$token
run search --url "$base" --count 'protocols == dns'
check 'the same number from the server' [ "$(cat out)" = "$(matching 'protocols == dns')" ]
run search --url "$base" --format json --limit 5
check 'documents from the server' json "len(d)==5 and all('firstPacket' in x for x in d)"
run search --url "$base" --format csv --fields ip.src,ip.dst 'protocols == dns'
check 'csv from the server' [ "$(wc -l <out)" -gt 1 ]
run search --url "$base" --top protocols
check 'values from the server' grep -q 'tcp' out
run pcap --url "$base" -w remote.pcap 'protocols == dns'
check 'packets from the server' [ "$("$seine" read -q --format json remote.pcap | wc -l)" = "$(matching 'protocols == dns')" ]
unset SEINE_TOKEN
SEINE_PASSWORD='secret word' "$seine" search --url "$base" --user anna --count >out 2>err
rc=$?
code 0 'a password (Digest)'
SEINE_PASSWORD=wrong "$seine" search --url "$base" --user anna --count >out 2>err
rc=$?
code 4 'a wrong password'
"$seine" user remove --store s anna
stop "$server"
code 0 'Ctrl-C ends the server'
run search --url "$base" --count
code 6 'a server that is not there' 'cannot be reached'
run search --url nonsense --count
code 2 'an address that is none'

plan
