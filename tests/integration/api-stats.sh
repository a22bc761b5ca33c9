#!/usr/bin/env bash
# Nodes in numbers, and numbers over time, while captures are read and requests come. TAP on standard output.
set -uo pipefail
root=$(cd "$(dirname "${BASH_SOURCE[0]}")/../.." && pwd)
. "$root/tests/integration/lib/tap.bash"
. "$root/tests/integration/lib/api.bash"

run import --store st --node other -q "$golden/http/get.pcap"
code 0 'a capture of another node'
"$seine" read -q --node vm --format json "$golden/sample/sample.pcap" >docs.jsonl
start api serve -q --store st --node vm --listen 127.0.0.1:0 "$golden/sample/sample.pcap"
check 'the server is there' link_of api
read_all() { get '/api/sessions?date=-1&expression=node==vm' && python3 holds.py "$status" "$kind" 'd["recordsFiltered"] == len(docs)'; }
check 'it has read the capture' waits 30 read_all
seen() { get '/api/stats?filter=vm$' && python3 holds.py "$status" "$kind" "$1"; }
check 'it counts' waits 30 seen 'd["data"][0]["totalPackets"] == sum(x["network"]["packets"] for x in docs)'
asks 'both nodes' /api/stats 'd["recordsTotal"] == 2 and [x["nodeName"] for x in d["data"]] == ["other", "vm"] and "hostname" not in d["data"][0]'
asks 'those without sessions are hidden' '/api/stats?hide=nosession' 'len(d["data"]) == 2'
asks 'in another order' '/api/stats?sortField=currentTime&desc=true' '[x["nodeName"] for x in d["data"]] == ["vm", "other"]'
asks 'what this machine has' '/api/stats?filter=vm' '(lambda n: n["memory"] > 1 << 20 and 0 < n["memoryP"] < 100 and n["freeSpaceM"] > 0 and n["cpu"] >= 0 and n["interval"] == 5 and n["deltaPackets"] >= 0 and n["deltaPacketsPerSec"] >= 0)(d["data"][0])'
grown() { get "/api/dstats?nodeName=vm&interval=5&name=$1" && python3 holds.py "$status" "$kind" "sum(x or 0 for x in d) $2"; }
check 'requests over time' waits 30 grown deltaRequests '>= 5'
check 'sessions over time: what was read since the start' waits 30 grown deltaSessions '<= len(docs)'
asks 'memory over time' '/api/dstats?nodeName=Total&interval=5&name=memory&size=100' 'len(d) == 100 and [x for x in d if x and x > 1 << 20] and d[0] is None'
asks 'steps of a minute' '/api/dstats?nodeName=vm&name=memory&start=1700000000&stop=1700000600&step=60' 'd == [None] * 10'
asks 'another node' '/api/dstats?nodeName=other&interval=5&name=memory&size=10' 'd == [None] * 10'
asks 'without a node' '/api/dstats?name=memory' 'status == 403'
asks 'without a name' '/api/dstats?nodeName=vm' 'status == 403'
asks 'a name there is none of' '/api/dstats?nodeName=vm&name=nosuch' 'status == 403 and "nosuch" in d["text"]'
asks 'a step of nothing' '/api/dstats?nodeName=vm&name=memory&step=0&start=10&stop=20' 'd == [None] * 10'
asks 'an end before the beginning' '/api/dstats?nodeName=vm&name=memory&start=20&stop=10' 'd == []'
asks 'all there ever was, a second a step' '/api/dstats?nodeName=vm&name=memory&start=0&step=1' 'len(d) == 100000'
asks 'numbers that are none' '/api/dstats?nodeName=vm&name=memory&start=x' 'status == 400'
stop "$pid"
code 0 'the server ends'

echo secret-of-eva | "$seine" user add --store st eva >out 2>err
echo secret-of-anna | "$seine" user add --store st --admin anna >out 2>err
start api serve -q --store st --node vm --listen 127.0.0.1:0
check 'the server again, with users' link_of api
get '/api/sessions?date=-1&length=0' --digest -u anna:secret-of-anna -c jar
csrf=$(awk '$6 == "ARKIME-COOKIE" { print $7 }' jar)
get /api/user/eva --digest -u anna:secret-of-anna -H "x-arkime-cookie: $csrf" -H 'Content-Type: application/json' -d '{"userName":"eva","enabled":true,"hideStats":true,"roles":["arkimeUser"]}'
holds 'eva sees no statistics' 'd["success"]'
asks 'not of nodes' /api/stats 'status == 403' --digest -u eva:secret-of-eva
asks 'nor over time' '/api/dstats?nodeName=vm&name=memory' 'status == 403' --digest -u eva:secret-of-eva
stop "$pid"
plan
