#!/usr/bin/env bash
# Sessions over the API as lists and facets: each answer is held against the documents that `seine read` prints. TAP on
# standard output.
set -uo pipefail
root=$(cd "$(dirname "${BASH_SOURCE[0]}")/../.." && pwd)
. "$root/tests/integration/lib/tap.bash"
. "$root/tests/integration/lib/api.bash"

"$seine" read -q --node vm --format json "$golden/sample/sample.pcap" >docs.jsonl
run import --store st --node vm -q "$golden/sample/sample.pcap"
code 0 'the sample is imported'
start api serve -q --store st --listen 127.0.0.1:0
check 'the server is there' link_of api
all='date=-1'

# --- lists ---

asks 'sessions: all of them' "/api/sessions?$all&length=1000" \
  'status == 200 and d["recordsTotal"] == d["recordsFiltered"] == len(d["data"]) == len(docs) and d["graph"] == {} and d["map"] == {}'
asks 'sessions: a page in the order asked for' "/api/sessions?$all&order=network.bytes:desc&start=2&length=3&fields=network.bytes" \
  '[x["network"]["bytes"] for x in d["data"]] == sorted((x["network"]["bytes"] for x in docs), reverse=True)[2:5]'
asks 'sessions: the fields asked for, and who talks' "/api/sessions?$all&length=1&fields=tags" \
  'set(d["data"][0]) <= {"id", "node", "source", "destination", "client", "server", "tags"} and "ip" in d["data"][0]["source"]'
asks 'sessions: dotted keys' "/api/sessions?$all&length=1&flatten=1&fields=srcIp,totBytes" \
  'd["data"][0]["source.ip"] and d["data"][0]["network.bytes"] > 0 and "source" not in d["data"][0]'
asks 'sessions: an expression' "/api/sessions?$all&length=1000" \
  'd["recordsFiltered"] == sum("dns" in of(x, "protocol") for x in docs) == len(d["data"]) > 0 and d["recordsTotal"] == len(docs)' \
  -G --data-urlencode 'expression=protocols == dns'
asks 'sessions: POST with JSON' /api/sessions \
  'd["recordsFiltered"] == sum("tls" in of(x, "protocol") for x in docs) and all(set(x) >= {"id", "tags"} or "tags" not in x for x in d["data"])' \
  -H 'Content-Type: application/json' -d '{"date":"-1","expression":"protocols == tls","fields":["tags","node"],"length":1000}'
asks 'sessions: POST with a form' /api/sessions 'd["recordsFiltered"] == len(docs)' -d "$all"
asks 'sessions: the old path' "/sessions.json?$all" 'd["recordsFiltered"] == len(docs)'
asks 'sessions: nothing of the last hour' '/api/sessions?date=0.001' 'd["recordsFiltered"] == 0 and d["data"] == []'
asks 'sessions: a window' '/api/sessions?startTime=0&stopTime=4102444800' 'd["recordsFiltered"] == len(docs)'
asks 'sessions: a window in words' '/api/sessions?startTime=1999/01/01&stopTime=2099/12/31+23:59:59' 'd["recordsFiltered"] == len(docs)'
first=$(python3 -c 'import json; print(sorted(json.loads(l)["firstPacket"] for l in open("docs.jsonl"))[5] / 1000)')
asks 'sessions: bounding first' "/api/sessions?startTime=0&stopTime=$first&bounding=first" \
  "d['recordsFiltered'] == sum(x['firstPacket'] <= int($first * 1000) for x in docs) > 0"
asks 'sessions: bounding last' "/api/sessions?startTime=0&stopTime=$first&bounding=last" \
  "d['recordsFiltered'] == sum(x['lastPacket'] <= int($first * 1000) for x in docs)"
asks 'sessions: bounding either' "/api/sessions?startTime=$first&stopTime=$first&bounding=either" \
  "d['recordsFiltered'] == sum(x['firstPacket'] <= int($first * 1000) <= x['lastPacket'] for x in docs)"
asks 'sessions: the timeline adds up' "/api/sessions?$all&facets=1&length=0" \
  'sum(n for _, n in d["graph"]["sessionsHisto"]) == len(docs) == d["graph"]["sessionsTotal"] and d["graph"]["network.bytesTotal"] == sum(x["network"]["bytes"] for x in docs) == sum(n for _, n in d["graph"]["source.bytesHisto"]) + sum(n for _, n in d["graph"]["destination.bytesHisto"]) and d["graph"]["xmin"] is None and d["data"] == []'
asks 'sessions: buckets of a day' "/api/sessions?$all&facets=1&interval=day&length=0" \
  'd["graph"]["interval"] == 86400 and all(t % 86400000 == 0 for t, _ in d["graph"]["sessionsHisto"])'
asks 'sessions: errors come with 200' "/api/sessions?$all&expression=nosuch==1" \
  'status == 200 and "Unknown field nosuch" in d["error"] and d["data"] == []'
asks 'sessions: a list for a time' /api/sessions 'status == 200 and d["error"] == "startTime must be a string or number"' \
  -H 'Content-Type: application/json' -d '{"startTime":[1],"stopTime":2}'
asks 'sessions: a number for an expression' /api/sessions 'd["error"] == "Expression needs to be a string"' \
  -H 'Content-Type: application/json' -d '{"date":-1,"expression":{"a":1}}'
asks 'sessions: a view that is not there' "/api/sessions?$all&view=nosuch" "d['error'] == \"Can't find view\""
get '/api/sessions?date=-1&length=5&fields=node'
python3 -c 'import json; print(",".join(x["id"] for x in json.load(open("answer"))["data"]))' >ids
asks 'sessions by their ids' "/api/sessions?ids=$(cat ids)" 'd["recordsFiltered"] == 5'
asks 'ids with a prefix of old' "/api/sessions?ids=3@$(cut -d, -f1 ids)" 'd["recordsFiltered"] == 1'

asks 'csv' "/api/sessions/csv?$all" \
  'kind == "text/csv" and text.startswith("IP Protocol, Start Time") and text.count("\r\n") == len(docs) + 1'
asks 'csv: columns in the order asked for' "/api/sessions.csv?$all&fields=destination.port,protocol&order=destination.port:asc" \
  'text.split("\r\n")[0].startswith("Dst Port, ") and sorted(r.split(",")[0] for r in text.split("\r\n")[1:-1]) == sorted(str((of(x, "destination.port") or [""])[0]) for x in docs)'
asks 'csv: a bad expression' "/api/sessions/csv?$all&expression=x==" 'status == 400 and text.startswith("Could not build query. Err: ")'
asks 'json lines are the documents' "/api/sessions/jsonl?$all" \
  'Counter(json.loads(l)["network"]["community_id"] for l in text.splitlines() if "community_id" in l) == Counter(x["network"]["community_id"] for x in docs if "community_id" in x.get("network", {})) and len(text.splitlines()) == len(docs) and all("id" in json.loads(l) for l in text.splitlines())'
asks 'json lines with few fields' "/api/sessions/jsonl?$all&fields=node" 'all(set(json.loads(l)) <= {"id", "node", "source", "destination", "client", "server"} for l in text.splitlines())'
id=$(cut -d, -f1 ids)
asks 'one session' "/api/session/$id" 'd["id"] and d["protocolCnt"] == len(d["protocol"]) and d["fileId"][0].endswith("sample.pcap")'
asks 'one session, dotted' "/api/session/$id?flatten=1" '"source.ip" in d and "network.bytes" in d'
asks 'a session that is not there' /api/session/200101-zzzzz 'status == 404 and d == {"success": False, "text": "Session not found"}'
asks 'a word that is no id' /api/session/no-id 'status == 404 and not d["success"]'
asks 'a path that leads out' /api/session/%2e%2e%2fetc 'status == 400 and not d["success"]'

# --- facets ---

asks 'spiview' "/api/spiview?$all&spi=protocol:3,node,destination.port:1000&facets=1" \
  '{b["key"]: b["doc_count"] for b in d["spi"]["destination.port"]["buckets"]} == {int(k): n for k, n in counts("destination.port").items()} and [b["doc_count"] for b in d["spi"]["protocol"]["buckets"]] == [n for _, n in counts("protocol").most_common(3)] and d["spi"]["protocol"]["sum_other_doc_count"] == sum(counts("protocol").values()) - sum(n for _, n in counts("protocol").most_common(3)) and d["protocols"] == dict(counts("protocol"))'
asks 'spiview: a field that nobody knows' "/api/spiview?$all&spi=nosuch" 'd["spi"]["nosuch"]["buckets"] == [] and d["recordsFiltered"] == len(docs)'
asks 'spiview: errors come with 200' "/api/spiview?$all&spi=node&expression=((" 'status == 200 and d["error"] and d["spi"] == {}'
asks 'spigraph' "/api/spigraph?$all&exp=protocols&size=3" \
  '[(i["count"]) for i in d["items"]] == [n for _, n in counts("protocol").most_common(3)] and all(i["network.bytesHisto"] == sum(x["network"]["bytes"] for x in docs if i["name"] in of(x, "protocol")) == i["graph"]["network.bytesTotal"] and i["graph"]["sessionsTotal"] == i["count"] for i in d["items"]) and d["recordsFiltered"] == len(docs)'
asks 'spigraph: by bytes' "/api/spigraph?$all&field=source.ip&sort=network.bytesHisto&size=2" \
  'd["items"][0]["network.bytesHisto"] == max(sum(x["network"]["bytes"] for x in docs if of(x, "source.ip") == [ip]) for ip in counts("source.ip"))'
asks 'spigraph: by name' "/api/spigraph?$all&field=protocol&sort=name&size=1000" '[i["name"] for i in d["items"]] == sorted(counts("protocol"))'
asks 'spigraph: no such field' "/api/spigraph?$all&exp=nosuch" 'status == 403 and d["text"].startswith("Unknown expression nosuch")'
asks 'hierarchy' "/api/spigraphhierarchy?$all&exp=ip.src,port.dst&size=2" \
  'd["success"] and [c["sizeValue"] for c in d["hierarchicalResults"]["children"]] == [n for _, n in counts("source.ip").most_common(2)] and all(sum(of(x, "source.ip") == [c["name"]] and of(x, "destination.port") == [k["name"]] for x in docs) == k["size"] for c in d["hierarchicalResults"]["children"] for k in c["children"]) and all(len(set(map(str, (of(x, "destination.ip")[0] for x in docs if of(x, "source.ip") == [c["name"]])))) == c["dstips"] for c in d["hierarchicalResults"]["children"]) and d["tableResults"][0]["parents"][0]["name"] == d["hierarchicalResults"]["children"][0]["name"]'
asks 'hierarchy: nothing given' "/api/spigraphhierarchy?$all" 'status == 403 and d["text"] == "Missing exp parameter"'
asks 'hierarchy: no such field' "/api/spigraphhierarchy?$all&exp=ip.src,nosuch" 'status == 403 and d["text"] == "Unknown expression nosuch\n"'
asks 'unique' "/api/unique?$all&exp=protocols" 'Counter(text.split()) == Counter(list(counts("protocol")))'
asks 'unique with counts' "/api/unique?$all&field=destination.port&counts=1" \
  'dict(l.split(", ") for l in text.splitlines()) == {k: str(n) for k, n in counts("destination.port").items()}'
asks 'unique: address and port' "/api/unique?$all&exp=ip.dst:port&counts=1" \
  'sum(int(l.rsplit(", ", 1)[1]) for l in text.splitlines()) == sum(1 for x in docs if of(x, "destination.ip") and of(x, "destination.port"))'
asks 'unique: files by name' "/api/unique?$all&exp=file" 'text.strip().endswith("/sample.pcap")'
asks 'unique: for completion' "/api/unique?$all&exp=protocols&autocomplete=1" 'set(d) == set(counts("protocol"))'
asks 'unique: nothing given' "/api/unique?$all" 'status == 403 and text == "Missing field or exp parameter"'
asks 'multiunique' "/api/multiunique?$all&exp=ip.src,port.dst&counts=1&separator=%7C" \
  'Counter({tuple(l.split("|")[:2]): int(l.split("|")[2]) for l in text.splitlines()}) == Counter((str(of(x, "source.ip")[0]), str(of(x, "destination.port")[0])) for x in docs if of(x, "source.ip") and of(x, "destination.port"))'
asks 'multiunique: no such field' "/api/multiunique?$all&exp=ip.src,nosuch" 'status == 400 and "nosuch" in text'
asks 'summary' "/api/sessions/summary?$all&fields=ip,protocols,nosuch&length=1" \
  'd[0]["sessions"] == len(docs) and d[0]["bytes"] == sum(x["network"]["bytes"] for x in docs) and d[0]["packets"] == sum(x["network"]["packets"] for x in docs) and d[0]["downloadBytes"] == 24 + d[0]["bytes"] + 16 * d[0]["packets"] and d[0]["firstPacket"] == min(x["firstPacket"] for x in docs) and d[0]["lastPacket"] == max(x["lastPacket"] for x in docs) and d[1]["data"][0]["sessions"] == (counts("source.ip") + counts("destination.ip")).most_common(1)[0][1] and d[2]["data"][0]["item"] == counts("protocol").most_common(1)[0][0] and "error" in d[3] and d[-1] == {}'
asks 'summary: nothing given' "/api/sessions/summary?$all" 'status == 400 and d["error"]'
asks 'summary: a bad expression' "/api/sessions/summary?$all&fields=ip&expression=((" '"bsqErr" in d[0]'

# --- graphs and what is regular ---

asks 'connections' "/api/connections?$all" \
  '{(d["nodes"][l["source"]]["id"], d["nodes"][l["target"]]["id"]): l["value"] for l in d["links"]} == dict(Counter((of(x, "source.ip")[0], of(x, "destination.ip")[0]) for x in docs if of(x, "source.ip"))) and sum(l["network.bytes"] for l in d["links"]) == sum(x["network"]["bytes"] for x in docs if of(x, "source.ip")) and all(n["pos"] == i and n["inresult"] == 1 for i, n in enumerate(d["nodes"])) and d["recordsFiltered"] == len(docs)'
asks 'connections: ports, least links' "/api/connections?$all&dstField=ip.dst:port&minConn=2&length=1000" 'all(n["cnt"] >= 2 for n in d["nodes"]) and all(l["source"] < len(d["nodes"]) and l["target"] < len(d["nodes"]) for l in d["links"])'
asks 'connections: no such field' "/api/connections?$all&srcField=nosuch" 'status == 403'
asks 'connections: the strongest links' "/api/connections?$all&length=1" 'len(d["links"]) == 1 and d["linksTotal"] > 1'
last=$(python3 -c 'import json; print(max(json.loads(l)["lastPacket"] for l in open("docs.jsonl")) // 1000 + 1)')
asks 'connections: a baseline' "/api/connections?startTime=$((last - 60))&stopTime=$last&baselineDate=100000" \
  'any(n["inresult"] == 2 for n in d["nodes"]) and any(n["inresult"] & 1 for n in d["nodes"])'
asks 'connections as csv' "/api/connections/csv?$all" 'text.startswith("Source, Destination, Sessions, ") and sum(int(r[2]) for r in list(csv.reader(io.StringIO(text)))[1:]) == sum(1 for x in docs if of(x, "source.ip"))'
cat >beacons.py <<'PY'
# The same by the definition: per source, destination, port the intervals between beginnings.
import json, statistics
from collections import defaultdict
starts = defaultdict(list)
for line in open('docs.jsonl'):
    x = json.loads(line)
    if 'ip' in x.get('source', {}):
        starts[x['source']['ip'], x['destination']['ip'], x['destination'].get('port', 0)].append(x['firstPacket'])
found = {}
for key, times in starts.items():
    times.sort()
    gaps = [b - a for a, b in zip(times, times[1:])]
    if len(times) >= 4 and statistics.mean(gaps) >= 1000:
        jitter = statistics.pstdev(gaps) / statistics.mean(gaps)
        if jitter <= 0.15:
            found['%s %s %d' % key] = [len(times), statistics.mean(gaps), jitter]
json.dump(found, open('beacons.json', 'w'))
PY
python3 beacons.py
asks 'beacons' "/api/beacons?$all" \
  '(lambda want: {"%s %s %d" % (b["source"], b["destination"], b["port"]) for b in d["data"]} == set(want) and len(want) > 0 and all(abs(want["%s %s %d" % (b["source"], b["destination"], b["port"])][1] - b["interval"]) < 1 and abs(want["%s %s %d" % (b["source"], b["destination"], b["port"])][2] - b["jitter"]) < 1e-6 and b["confidence"] == ("high" if b["jitter"] < 0.05 else "medium") for b in d["data"]))(json.load(open("beacons.json")))'
asks 'buildquery' "/api/buildquery?$all&expression=protocols==dns&start=5" \
  'd["esquery"]["query"]["bool"]["filter"][-1] == {"term": {"protocol": "dns"}} and d["esquery"]["from"] == 5 and d["esquery"]["size"] == 100 and d["esquery"]["sort"] == [{"firstPacket": {"order": "asc", "missing": "_last"}}]'
asks 'buildquery: times' '/api/buildquery?startTime=10&stopTime=20&bounding=both' \
  'd["esquery"]["query"]["bool"]["filter"] == [{"range": {"firstPacket": {"gte": 10000}}}, {"range": {"lastPacket": {"lte": 20000}}}]'
asks 'buildquery: an error' "/api/buildquery?$all&expression=nosuch==1" 'status == 200 and d["recordsTotal"] == 0 and d["error"]'

# --- for the page ---

asks 'overview' /api/overview \
  'd["totals"]["sessions"] == len(docs) and d["totals"]["bytes"] == sum(x["network"]["bytes"] for x in docs) and d["totals"]["hosts"] == len(set(counts("source.ip")) | set(counts("destination.ip"))) and d["span"]["first"] == min(x["firstPacket"] for x in docs) and all(c["items"] for c in d["cards"]) and {"protocols", "talkers", "hosts", "longest", "largest", "beacons"} <= {c["name"] for c in d["cards"]}'
python3 - <<'PY' >expressions
import json
for card in json.load(open('answer'))['cards']:
    for item in card['items']:
        print(card['name'], item['sessions'], item['expression'], sep='\t')
PY
bad=0 seen=0
while IFS=$'\t' read -r card sessions expression; do
  get "/api/sessions?$all&length=0" -G --data-urlencode "expression=$expression"
  python3 -c "import json,sys; d=json.load(open('answer')); sys.exit('error' in d or d['recordsFiltered'] != $sessions)" || { bad=$((bad + 1)); echo "# $card: $expression: $sessions" >>err; }
  seen=$((seen + 1))
done <expressions
check "overview: each of $seen expressions finds what it says" [ "$bad" = 0 -a "$seen" -gt 30 ]
asks 'explain: right' '/api/explain?expression=ip.src==10.0.0.1' 'd == {"ok": True}'
asks 'explain: wrong' '/api/explain?expression=protocols==tls%26%26hots==x' 'status == 200 and d["ok"] is False and d["column"] == 17 and "hots" in d["error"]'
asks 'complete: a field' "/api/complete?expression=protoc&$all" 'd["kind"] == "field" and d["from"] == 0 and d["to"] == 6 and "protocols" in [i["text"] for i in d["items"]]'
asks 'complete: a value' "/api/complete?expression=protocols%3D%3Dd&$all" 'd["kind"] == "value" and set(i["text"] for i in d["items"]) == {p for p in counts("protocol") if p.startswith("d")}'
asks 'complete: an operator' "/api/complete?expression=bytes%20&$all" '[i["text"] for i in d["items"]] == ["==", "!=", "<", "<=", ">", ">="]'
asks 'complete: values that are no text' "/api/complete?expression=port.dst%20==%205&$all" 'set(i["text"] for i in d["items"]) == {p for p in counts("destination.port") if p.startswith("5")}'
curl -s -N -m 2 "$base/api/live?expression=protocols==dns" >live
check 'live tells the state at once' python3 -c "
import json
line = [l for l in open('live') if l.startswith('data: ')][0]
d = json.loads(line[6:])
docs = [json.loads(l) for l in open('docs.jsonl')]
assert d['rows'] == len(docs) and d['matching'] == sum('dns' in x['protocol'] for x in docs), d
assert d['first'] == min(x['firstPacket'] for x in docs)"

# --- changes ---

post() { # post PATH DATA...
  local path=$1
  shift
  get "$path" "$@"
}
post /api/sessions/addtags -d date=-1 -d tags='hot:one,<b>two' --data-urlencode 'expression=protocols == dns'
holds 'addtags' 'd == {"success": True, "text": "Tags added successfully"}'
asks 'tags are there at once' "/api/sessions?$all&expression=tags==hot:one" 'd["recordsFiltered"] == sum("dns" in of(x, "protocol") for x in docs)'
asks 'of other characters nothing is left' "/api/unique?$all&exp=tags" '"btwo" in text.split()'
post /api/sessions/removetags -d tags=hot:one -d ids="$(cat ids)"
holds 'removetags by ids' 'd["text"] == "Tags removed successfully"'
asks 'these have it no more' "/api/sessions?ids=$(cat ids)&fields=tags&length=10" 'all("hot:one" not in x.get("tags", []) for x in d["data"])'
post /api/sessions/addtags -d date=-1
holds 'addtags: no tags' 'status == 200 and d == {"success": False, "text": "No tags specified"}'
post /api/sessions/addtags -d date=-1 -d tags=x --data-urlencode 'expression=port == 65534'
holds 'addtags: no sessions' 'status == 200 and d == {"success": False, "text": "No sessions to add tags to"}'
cookie() { curl -s -o /dev/null -D - "$base/api/sessions?$all&length=0" | sed -n 's/^[Ss]et-[Cc]ookie: ARKIME-COOKIE=\([^;]*\).*/\1/p' | tr -d '\r'; }
token=$(cookie)
post /api/delete -d removeSpi=true -d ids="$id"
holds 'delete needs the token' 'status == 500 and d["text"] == "Missing token"'
post /api/delete -H "x-arkime-cookie: $token" -d date=-1
holds 'delete: nothing' "status == 403 and d['text'] == \"You can't delete nothing\""
post /api/delete -H "x-arkime-cookie: $token" -d date=-1 -d removeSpi=true
holds 'delete: an expression is needed' 'status == 403 and d["text"].startswith("Error: Missing expression.")'
post /api/delete -H "x-arkime-cookie: $token" -d removeSpi=true -d ids="$id"
holds 'delete' 'd["success"]'
asks 'it is gone' "/api/sessions?$all&length=0" 'd["recordsFiltered"] == len(docs) - 1'
asks 'for good' "/api/session/$id" 'status == 404'

stop "$pid"
code 0 'the server ends'
plan
