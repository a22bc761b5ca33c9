#!/usr/bin/env bash
# Captures sent to a server, as they come: kept in the store's folder and read into the store; and what is refused. TAP on
# standard output.
set -uo pipefail
root=$(cd "$(dirname "${BASH_SOURCE[0]}")/../.." && pwd)
. "$root/tests/integration/lib/tap.bash"
. "$root/tests/integration/lib/api.bash"

run import --store st --node vm -q "$golden/dns/a.pcap"
code 0 'a store'
for user in anna eva; do
  echo "secret-of-$user" | "$seine" user add --store st $([ $user = anna ] && echo --admin || echo --role role:none) $user >out 2>err
done
serve() {
  start api serve -q --store st --node vm --listen 127.0.0.1:0 "$@"
  check 'the server is there' link_of api
  get '/api/sessions?date=-1&length=0' --digest -u anna:secret-of-anna -c jar
  changes=(--digest -u anna:secret-of-anna -H "x-arkime-cookie: $(awk '$6 == "ARKIME-COOKIE" { print $7 }' jar)")
}
"$seine" read -q --node vm --format json "$golden/sample/sample.pcap" >docs.jsonl
send() { get "/api/upload${2:-}" "${changes[@]}" -F "file=@$1"; }

serve
send "$golden/sample/sample.pcap"
holds 'without the setting nothing is taken' 'status == 403 and "upload=true" in d["text"]'
asks 'users can see it' /api/user 'd["canUpload"] is False' "${changes[@]}"
stop "$pid"
serve -o upload=true -o uploadFileSizeLimit=3M
asks 'users can see that they may' /api/user 'd["canUpload"] is True' "${changes[@]}"
get /api/upload --digest -u anna:secret-of-anna -F "file=@$golden/sample/sample.pcap"
holds 'not without the header' 'status == 500 and d["text"] == "Missing token"'
get /api/upload -F "file=@$golden/sample/sample.pcap"
holds 'not without a user' 'status == 401'
get /api/upload --digest -u eva:secret-of-eva -F "file=@$golden/sample/sample.pcap"
holds 'not without a role' 'status == 403'
check 'nothing was kept' [ ! -e st/captures ]

get /api/upload "${changes[@]}" -F 'tags=one,two:2' -F "file=@$golden/sample/sample.pcap;filename=../../etc/my sample.pcap"
holds 'a capture' 'status == 200 and d["success"] and d["sessions"] == len(docs) and d["packets"] >= sum(x["network"]["packets"] for x in docs)'
asks 'its sessions are there, with tags' '/api/sessions?date=-1&expression=tags==one%26%26tags==two:2' 'd["recordsFiltered"] == len(docs)' "${changes[@]}"
check 'it is kept, under a name of ours' bash -c 'cmp st/captures/upload-*-0-my_sample.pcap "$1" && [ "$(ls st/captures | wc -l)" = 1 ]' _ "$golden/sample/sample.pcap"
get "/api/sessions/pcap?date=-1&expression=tags==one" "${changes[@]}"
holds 'its packets are there' 'status == 200 and len(raw) > 1000'
gzip -c "$golden/http/get.pcap" >get.pcap.gz
send get.pcap.gz '?tags=packed'
holds 'a compressed one' 'd["sessions"] == 1'
asks 'its session' '/api/sessions?date=-1&expression=tags==packed' 'd["recordsFiltered"] == 1' "${changes[@]}"
kept=$(ls st/captures | wc -l)

# --- what is refused ---

echo 'this is no capture' >text
send text
holds 'no capture' 'status == 400 and "no capture" in d["text"]'
: >empty
send empty
holds 'an empty one' 'status == 400'
head -c 20 "$golden/sample/sample.pcap" >short
send short
holds 'one that ends in its head' 'status == 400'
get /api/upload "${changes[@]}" -F tags=a
holds 'no file' 'status == 400 and "multipart" in d["text"]'
get /api/upload "${changes[@]}" -H 'Content-Type: application/json' -d '{"file":"x"}'
holds 'no form' 'status == 400 and "multipart" in d["text"]'
get /api/upload "${changes[@]}" -F 'tags=a b' -F "file=@$golden/http/get.pcap"
holds 'tags that are none' 'status == 400 and "tags" in d["text"]'
get /api/upload "${changes[@]}" -F "file=@$golden/http/get.pcap" -F "file=@$golden/http/get.pcap"
holds 'two at once' 'status == 400 and "one capture" in d["text"]'
printf -- '--x\r\nContent-Disposition: form-data; name="file"; filename="a"\r\n\r\nhalf' >half
get /api/upload "${changes[@]}" -H 'Content-Type: multipart/form-data; boundary=x' --data-binary @half
holds 'half a form' 'status == 400'
head -c 4000000 /dev/zero >large
send large
holds 'more than the limit' 'status == 413 and "uploadFileSizeLimit" in d["text"]'
check 'none of it stays' [ "$(ls st/captures | wc -l)" = "$kept" ]
asks 'the server is well' '/api/sessions?date=-1' 'd["recordsFiltered"] == len(docs) + 2' "${changes[@]}"
python3 - "${base#http://}" <<'PY'
# a client that goes away in the middle
import socket, sys, time
host, port = sys.argv[1].split(':')
s = socket.create_connection((host, int(port)))
s.sendall(b'POST /api/upload HTTP/1.1\r\nHost: 127.0.0.1\r\nContent-Type: multipart/form-data; boundary=x\r\nContent-Length: 1000000\r\n\r\n--x\r\n')
s.close()
PY
python3 -c 'import fcntl, time; f = open("st/LOCK"); fcntl.flock(f, fcntl.LOCK_EX); print("held", flush=True); time.sleep(60)' >held &
holder=$!
pids+=("$holder")
check 'another program writes the store' waits 20 grep -q held held
send "$golden/http/chunked-request.pcap"
holds 'then it is 409' 'status == 409'
holds 'it says so' '"another program" in d["text"]'
kill "$holder"
wait "$holder"
check 'nothing of it stays either' [ "$(ls st/captures/upload* | wc -l)" = "$kept" ]
send "$golden/http/chunked-request.pcap"
holds 'now it is taken' 'd["success"]'
asks 'in history it is' '/api/histories?api=/api/upload' 'd["recordsFiltered"] > 3 and "one" not in json.dumps([r.get("body") for r in d["data"]])' "${changes[@]}"
kept=$(ls st/captures | wc -l)
head -c 2000000 /dev/zero >large
curl -s "${changes[@]}" --limit-rate 20k -F "file=@large" "$base/api/upload" >/dev/null &
pids+=("$!")
check 'one is on its way' waits 20 bash -c 'ls -l /proc/$1/fd | grep -q st/captures/' _ "$pid"
kill -9 "$pid"
wait "$pid" 2>/dev/null
check 'a server that is killed leaves nothing of it behind' [ "$(ls st/captures | wc -l)" = "$kept" ]
serve -o upload=true
send "$golden/http/get.pcap"
holds 'the next one takes captures' 'd["success"]'
check 'that one is kept' [ "$(ls st/captures | wc -l)" = $((kept + 1)) ]
stop "$pid"
code 0 'the server ends'
run store fsck --store st
code 0 'the store is whole'
plan
