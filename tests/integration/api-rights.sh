#!/usr/bin/env bash
# Who may ask what: users with curl's own Digest, tokens, forced expressions that hold on rows, packets and exports alike,
# and requests that make no sense. TAP on standard output.
set -uo pipefail
root=$(cd "$(dirname "${BASH_SOURCE[0]}")/../.." && pwd)
. "$root/tests/integration/lib/tap.bash"
. "$root/tests/integration/lib/api.bash"

"$seine" read -q --node vm --format json "$golden/sample/sample.pcap" >docs.jsonl
run import --store st --node vm -q "$golden/sample/sample.pcap"
code 0 'the sample is imported'
echo secret-of-anna | "$seine" user add --store st --admin anna >out 2>err
rc=$?
code 0 'a user who may everything'
echo secret-of-dora | "$seine" user add --store st --expression 'protocols == dns' dora >out 2>err
rc=$?
code 0 'a user who sees DNS only'
echo secret-of-ivo | "$seine" user add --store st --expression 'view == mine' ivo >out 2>err
rc=$?
code 2 'a forced expression does not rest on what its user can change'
echo secret-of-ivo | "$seine" user add --store st --expression 'protocols == dns' ivo >out 2>err
rc=$?
code 0 'a user'
"$seine" user token --store st --days 1 ivo >token.ivo 2>err
python3 -c 'import sqlite3; c = sqlite3.connect("st/control.db"); c.execute("UPDATE users SET expression = ? WHERE id = ?", ("view == mine", "ivo")); c.commit()'
start api serve -q --store st --listen 127.0.0.1:0
check 'the server is there' link_of api
anna=(--digest -u anna:secret-of-anna)
dora=(--digest -u dora:secret-of-dora)
dns=$(python3 -c 'import json; print(sum("dns" in json.loads(l)["protocol"] for l in open("docs.jsonl")))')

# --- who ---

asks 'nobody is not let in' '/api/sessions?date=-1' 'status == 401'
asks 'nor with a wrong password' '/api/sessions?date=-1' 'status == 401' --digest -u anna:wrong
asks 'anna sees all' '/api/sessions?date=-1' 'd["recordsFiltered"] == len(docs)' "${anna[@]}"
get '/api/sessions?date=-1&length=1&fields=node&expression=protocols==http' "${anna[@]}"
other=$(python3 -c 'import json; print(json.load(open("answer"))["data"][0]["id"])')
get '/api/sessions?date=-1&length=1&fields=node&expression=protocols==dns' "${anna[@]}"
own=$(python3 -c 'import json; print(json.load(open("answer"))["data"][0]["id"])')

# --- a forced expression, everywhere ---

asks 'dora: rows' '/api/sessions?date=-1&length=1000' "d['recordsFiltered'] == $dns == len(d['data'])" "${dora[@]}"
for path in '/api/sessions?date=-1&expression=port==80' '/api/spiview?date=-1&spi=node' '/api/spigraph?date=-1&exp=node' '/api/beacons?date=-1'; do
  asks "dora: of others not even how many: ${path%%\?*}" "$path" "d['recordsTotal'] == $dns" "${dora[@]}"
done
asks 'anna: all there are' '/api/sessions?date=-1&expression=port==80' 'd["recordsTotal"] == len(docs)' "${anna[@]}"
asks 'dora: whatever she asks for' '/api/sessions?date=-1&expression=protocols==http||ip.protocol==tcp||*' "d.get('recordsFiltered', 0) <= $dns" "${dora[@]}"
asks 'dora: other sessions by id' "/api/sessions?ids=$other" 'd["recordsFiltered"] == 0' "${dora[@]}"
asks 'dora: csv' '/api/sessions/csv?date=-1' "text.count('\r\n') == $dns + 1" "${dora[@]}"
asks 'dora: json lines' '/api/sessions/jsonl?date=-1' "all('dns' in json.loads(l)['protocol'] for l in text.splitlines()) and len(text.splitlines()) == $dns" "${dora[@]}"
asks 'dora: values' '/api/spiview?date=-1&spi=protocol' "max(b['doc_count'] for b in d['spi']['protocol']['buckets']) == $dns" "${dora[@]}"
asks 'dora: unique' '/api/unique?date=-1&exp=http.uri' 'text.strip() == ""' "${dora[@]}"
asks 'dora: completion' '/api/complete?date=-1&expression=http.uri==%20' '[i["text"] for i in d["items"] if i["text"] != "EXISTS!"] == []' "${dora[@]}"
asks 'dora: connections' '/api/connections?date=-1' "sum(l['value'] for l in d['links']) == $dns" "${dora[@]}"
asks 'dora: hierarchy' '/api/spigraphhierarchy?date=-1&exp=ip.protocol' "sum(c['size'] for c in d['hierarchicalResults']['children']) == $dns" "${dora[@]}"
asks 'dora: summary' '/api/sessions/summary?date=-1&fields=ip' "d[0]['sessions'] == $dns" "${dora[@]}"
asks 'dora: overview' '/api/overview' "d['totals']['sessions'] == $dns" "${dora[@]}"
asks 'dora: beacons' '/api/beacons?date=-1&maxJitter=0' "sum(b['count'] for b in d['data']) <= $dns" "${dora[@]}"
get '/api/sessions/pcap?date=-1' "${dora[@]}"
check 'dora: packets' [ "$("$seine" read -q --format json answer | grep -c .)" = "$dns" ]
asks 'dora: packets of others by id' "/api/sessions/pcap?ids=$other" 'status == 404' "${dora[@]}"
for path in "/api/session/$other" "/api/session/vm/$other/detail" "/api/session/vm/$other/packets" "/api/session/vm/$other/pcap" \
  "/api/session/vm/$other.pcap" "/api/session/entire/vm/$other.pcap" "/api/session/raw/vm/$other" "/api/session/vm/$other/body/file/0/x"; do
  asks "dora: not ${path//$other/ID}" "$path" 'status == 404' "${dora[@]}"
done
asks 'dora: but her own' "/api/session/vm/$own/packets" 'status == 200 and d["items"]' "${dora[@]}"
get /api/sessions/addtags "${dora[@]}" -d tags=mine -d ids="$other,$own"
asks 'dora: tags only on hers' '/api/sessions?date=-1&expression=tags==mine&length=10&fields=node' "[x['id'] for x in d['data']] == ['$own']" "${anna[@]}"
asks 'dora: forced expressions are in the query' '/api/buildquery?date=-1' '"dns" in text' "${dora[@]}"
get /api/sessions/removetags "${dora[@]}" -d tags=mine -d ids="$own"
holds 'dora may not take tags off' 'status == 403'
get /api/delete "${dora[@]}" -d removeSpi=true -d ids="$own"
holds 'nor delete' 'status == 403'
asks 'fields of mail need a right' '/api/sessions?date=-1&expression=email.subject==x' '"permission denied" in d["error"]' "${dora[@]}"
asks 'also as values' '/api/unique?date=-1&exp=email.subject' 'status == 403' "${dora[@]}"
asks 'and are not offered' '/api/complete?date=-1&expression=email' 'not [i for i in d["items"] if i["text"].startswith("email.subject")]' "${dora[@]}"

curl -s -N -m 2 "${dora[@]}" "$base/api/live" >live
check 'dora: of others not even how many and when' python3 -c "
import json
d = json.loads([l for l in open('live') if l.startswith('data: ')][0][6:])
raise SystemExit(0 if d['rows'] == d['matching'] == $dns and 'first' not in d and 'last' not in d else 1)"
ivo=(-H "Authorization: Bearer $(tail -n 1 token.ivo)")
asks 'ivo: a view of his own' /api/view 'd["success"]' "${ivo[@]}" -d name=mine -d 'expression=port>=0'
asks 'ivo: is not what he is held to' '/api/sessions?date=-1' 'not d.get("recordsFiltered") and not d.get("data") and d["error"]' "${ivo[@]}"
asks 'ivo: nor for packets' '/api/sessions/pcap?date=-1' 'status >= 400' "${ivo[@]}"

# --- requests that make no sense ---

asks 'a body that is no JSON' /api/sessions 'status == 400' "${anna[@]}" -H 'Content-Type: application/json' -d '{"date":'
python3 -c 'print("date=-1&expression=" + "a" * (1 << 20) + "b")' >long
asks 'an expression over 1 MB' /api/sessions 'status == 200 and "longer than" in d["error"]' "${anna[@]}" -d @long
python3 -c 'print("date=-1&expression=" + "(" * 100000 + "port==1" + ")" * 100000)' >deep
asks 'parentheses without end' /api/sessions 'status == 200 and d["error"]' "${anna[@]}" -d @deep
python3 -c 'import json; print("[" * 100000 + "]" * 100000)' >nested
asks 'JSON nested without end' /api/sessions 'status == 400' "${anna[@]}" -H 'Content-Type: application/json' -d @nested
asks 'a regular expression made to take for ever' /api/sessions 'status == 200' "${anna[@]}" -d date=-1 --data-urlencode 'expression=http.uri == /(a+)+(a+)+(a|aa)+(.*.*.*.*.*)*x$/'
asks 'a huge length' '/api/sessions?date=-1&length=99999999999999999999&start=18446744073709551615' 'status == 200 and d["data"] == []' "${anna[@]}"
asks 'a huge start' '/api/sessions?date=-1&start=4000000000' 'status == 200 and d["data"] == [] and d["recordsFiltered"] == len(docs)' "${anna[@]}"
asks 'numbers that are none' '/api/beacons?date=-1&minCount=-5' 'status == 400' "${anna[@]}"
asks 'a size that is none' '/api/spigraph?date=-1&size=x' 'status == 400' "${anna[@]}"
asks 'a thousand fields' "/api/spiview?date=-1&spi=$(python3 -c 'print(",".join("f%d:1" % i for i in range(1000)))')" 'status == 200' "${anna[@]}"
asks 'many keys' '/api/multiunique?date=-1&exp=node,node,node,node,node,node,node,node,node,node' 'status == 400' "${anna[@]}"
asks 'many levels' '/api/spigraphhierarchy?date=-1&exp=node,node,node,node,node,node,node,node,node' 'status == 403' "${anna[@]}"
asks 'an order by nothing known' '/api/sessions?date=-1&order=nosuch:desc' 'status == 200 and d["error"]' "${anna[@]}"
asks 'paths out of the tree' '/api/session/vm/..%2f..%2f..%2fetc%2fpasswd/packets' 'status in (400, 404)' "${anna[@]}"
asks 'paths with a NUL' '/api/session/vm/a%00b/packets' 'status in (400, 404)' "${anna[@]}"
asks 'names of objects of others' '/api/sessions?date=-1&view=__proto__' 'status == 403 and d["text"] == "Invalid value for view"' "${anna[@]}"
asks 'the wrong method' /api/sessions/addtags 'status == 405' "${anna[@]}"
asks 'no such endpoint' /api/nosuch 'status == 404' "${anna[@]}"
asks 'a cancelled query that is none' /api/estasks/nosuch/cancelwith 'status in (404, 500)' "${anna[@]}" -X POST

# --- sessions named by an empty list are none, never all ---

get '/api/sessions?date=-1&length=0' "${anna[@]}" -c jar
csrf=$(awk '$6 == "ARKIME-COOKIE" { print $7 }' jar)
anna_changes=("${anna[@]}" -H "x-arkime-cookie: $csrf" -H 'Content-Type: application/json' -X POST)
asks 'an empty list of ids' /api/sessions 'status == 200 and d["recordsFiltered"] == 0 and d["data"] == []' "${anna[@]}" -H 'Content-Type: application/json' -d '{"date":-1,"ids":[]}'
asks 'a list of ids without any' '/api/sessions?date=-1&ids=,' 'd["recordsFiltered"] == 0' "${anna[@]}"
asks 'dora: neither by an empty list' '/api/sessions?date=-1&ids=%20,' 'd["recordsFiltered"] == 0' "${dora[@]}"
asks 'an id of a blank' '/api/session/%20' 'status == 404' "${anna[@]}"
asks 'and its packets' '/api/session/vm/%20/pcap' 'status == 404' "${anna[@]}"
get /api/user/anna "${anna_changes[@]}" -d '{"userName":"anna","enabled":true,"removeEnabled":true,"roles":["superAdmin"]}'
holds 'anna may delete' 'd["success"]'
asks 'deleting an empty list' /api/delete 'd["success"] and " 0 sessions" in d["text"]' "${anna_changes[@]}" -d '{"removeSpi":true,"ids":[]}'
asks 'deleting an empty list and an expression' /api/delete '" 0 sessions" in d["text"]' "${anna_changes[@]}" -d '{"removeSpi":true,"ids":[],"expression":"port == 53","date":-1}'
asks 'deleting what a blank names' /api/delete 'status == 403 and "expression is required" in d["text"]' "${anna_changes[@]}" -d '{"removeSpi":true,"expression":" ","date":-1}'
asks 'tagging an empty list' /api/sessions/addtags 'd["success"] is False' "${anna_changes[@]}" -d '{"tags":"all","ids":[]}'
asks 'all is there still' '/api/sessions?date=-1' 'd["recordsFiltered"] == len(docs)' "${anna[@]}"

# --- tokens ---

"$seine" user token --store st --days 1 dora >token 2>err
token=$(grep -o '[A-Za-z0-9_.:-]\{20,\}' token | tail -1)
asks 'a token of dora sees what she sees' '/api/sessions?date=-1' "d['recordsFiltered'] == $dns" -H "Authorization: Bearer $token"
asks 'anna makes a token for reading' /api/user/tokens 'd["rights"] == ["read"]' "${anna_changes[@]}" -d '{"name":"reader","rights":["read"]}'
reader=$(python3 -c 'import json; print(json.load(open("answer"))["token"])')
asks 'it reads' '/api/sessions?date=-1' 'd["recordsFiltered"] == len(docs)' -H "Authorization: Bearer $reader"
asks 'and puts no tags' /api/sessions/addtags 'status == 403' -H "Authorization: Bearer $reader" -d tags=mine -d "ids=$own"
asks 'and makes no views' /api/view 'status == 403' -H "Authorization: Bearer $reader" -d name=mine -d 'expression=port>=0'
asks 'a foreign token sees nothing' '/api/sessions?date=-1' 'status == 401' -H "Authorization: Bearer ${token}x"
check 'secrets are in no words of the server' bash -c "! grep -q 'secret-of\|$token' api.out api.err"

stop "$pid"
code 0 'the server ends'
plan
