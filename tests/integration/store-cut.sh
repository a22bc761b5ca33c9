#!/usr/bin/env bash
# A segment that is cut off under a running server: answers name it and go on with the rest, the server lives. TAP on
# standard output.
set -uo pipefail
root=$(cd "$(dirname "${BASH_SOURCE[0]}")/../.." && pwd)
. "$root/tests/integration/lib/tap.bash"
. "$root/tests/integration/lib/api.bash"

run import -q --store store "$golden/sample/sample.pcap"
code 0 'a first segment'
run import -q --store store "$golden/dns/a.pcap" "$golden/http/get.pcap"
code 0 'and a second one'
of_first=$("$seine" read -q --format json "$golden/sample/sample.pcap" | wc -l)
of_second=$("$seine" read -q --format json "$golden/dns/a.pcap" "$golden/http/get.pcap" | wc -l)
start api serve -q --store store --listen 127.0.0.1:0
server=$pid
check 'a server' link_of api
all='/api/sessions?date=-1&length=1000'
asks 'answers with all sessions' "$all" "d['recordsFiltered'] == $of_first + $of_second and len(d['data']) == $of_first + $of_second and 'damaged' not in d"
asks 'and their protocols' '/api/spigraph?date=-1&exp=protocol' "len(d['items']) > 1"

first=$(find store/seg -name '*.seg' | sort | head -n 1)
second=$(find store/seg -name '*.seg' | sort | tail -n 1)
check 'there are two segments' [ "$first" != "$second" ]
truncate -s 4096 "$first"
asks 'one is cut off: it is named, the other one answers' "$all" \
  "d['recordsFiltered'] == $of_second and len(d['data']) == $of_second and d['damaged'] == ['$(basename "$first")'] and d['damagedParts'] > 0"
asks 'again' "$all" "len(d['data']) == $of_second and d['damaged'] == ['$(basename "$first")']"
asks 'protocols of the rest' '/api/spigraph?date=-1&exp=protocol' "len(d['items']) >= 1"
asks 'the store says so' /api/store "any('$(basename "$first")' in t for t in d['damage'])"
asks 'its state is yellow' /eshealth.json "d['status'] == 'yellow'"
truncate -s 0 "$second"
asks 'both are gone: still an answer' "$all" "d['data'] == [] and len(d['damaged']) == 2"
check 'the server lives' kill -0 "$server"
stop "$server"
code 0 'and ends when it is asked to'
plan
