#!/usr/bin/env bash
# A disk that is full, or fails, while users change things: the server says so, nothing is acknowledged that is not kept,
# nothing of it is there later, and it goes on when there is room again. TAP on standard output. Program: tests/crash.
set -uo pipefail
root=$(cd "$(dirname "${BASH_SOURCE[0]}")/../.." && pwd)
. "$root/tests/integration/lib/tap.bash"
. "$root/tests/integration/lib/api.bash"
faults=$(dirname "$seine")/tests/crash/libstore-faults.so
[ -f "$faults" ] || { echo "Bail out! $faults is not there: tools/build release"; exit 1; }

run import -q --store st --node vm "$golden/sample/sample.pcap"
code 0 'sessions'
serve() { # serve PLAN: calls fail while the file `full` is there
  FAULTS=$1 FAULTS_WHILE=$work/full LD_PRELOAD=$faults "$seine" serve -q --store st --listen 127.0.0.1:0 >api.out 2>api.err &
  pid=$!
  pids+=("$pid")
  link_of api
}
post() { # post NAME PATH EXPRESSION JSON
  asks "$1" "$2" "$3" -b jar -H "x-arkime-cookie: $(awk '$6 == "ARKIME-COOKIE" { print $7 }' jar)" -H 'Content-Type: application/json' -d "$4"
}
refused='status >= 500 and not d["success"] and any(x in d["text"] for x in ("No space left", "Input/output error", "disk I/O error", "database or disk is full"))'

for plan in pwrite:ENOSPC:0:1000000000 fdatasync:EIO:0:1000000000; do
  name=${plan%%:*}
  rm -f full jar
  serve $plan
  check "$name: a server" [ -n "$base" ]
  curl -s -c jar -o /dev/null "$base/api/user/settings"
  id=$(curl -s -b jar "$base/api/sessions?date=-1&length=1" | python3 -c 'import json,sys; print(json.load(sys.stdin)["data"][0]["id"])')
  : >full
  post "$name: tags are not acknowledged" /api/sessions/addtags "$refused" "{\"ids\":\"$id\",\"date\":-1,\"tags\":\"lost-$name,lost2-$name\"}"
  post "$name: nor is a view" /api/view "$refused" "{\"name\":\"lost-$name\",\"expression\":\"port == 80\"}"
  post "$name: nor a shortcut" /api/shortcut "$refused" "{\"name\":\"lost_$name\",\"type\":\"number\",\"value\":\"80\"}"
  post "$name: nor settings" /api/user/settings "$refused" '{"timezone":"gmt"}'
  asks "$name: sessions can be read all the while" '/api/sessions?date=-1&length=1' 'd["recordsFiltered"] > 0' -b jar
  asks "$name: none has the tag" '/api/sessions?date=-1' 'd["recordsFiltered"] == 0' -b jar -G --data-urlencode "expression=tags == lost*"
  rm full
  post "$name: there is room again: tags" /api/sessions/addtags 'd["success"]' "{\"ids\":\"$id\",\"date\":-1,\"tags\":\"kept-$name\"}"
  post "$name: and a view" /api/view 'd["success"]' "{\"name\":\"kept-$name\",\"expression\":\"port == 80\"}"
  kill -9 "$pid"
  wait "$pid" 2>/dev/null
  serve $plan
  asks "$name: after a kill the kept tag is there" '/api/sessions?date=-1' 'd["recordsFiltered"] == 1' -G --data-urlencode "expression=tags == kept-$name"
  asks "$name: the lost ones are not" '/api/sessions?date=-1' 'd["recordsFiltered"] == 0' -G --data-urlencode "expression=tags == lost*"
  asks "$name: of the views the kept one" /api/views "'kept-$name' in text and 'lost' not in text"
  asks "$name: and no shortcut" /api/shortcuts "'lost' not in text"
  stop "$pid"
done
plan
