#!/usr/bin/env bash
# Packets over the API: captures, frames, both sides, files out of sessions; and captures that are gone, changed, packed.
# TAP on standard output.
set -uo pipefail
root=$(cd "$(dirname "${BASH_SOURCE[0]}")/../.." && pwd)
. "$root/tests/integration/lib/tap.bash"
. "$root/tests/integration/lib/api.bash"

mkdir caps
cp "$golden/http/bodies.pcap" "$golden/http/get.pcap" "$golden/http/chunked-request.pcap" "$golden/sample/sample.pcap" caps/
mkdir mail && cp "$golden/smtp/"*.pcap mail/
gzip -c "$golden/http/conditional.pcap" >caps/packed.pcap.gz
(cd "$golden/dns" && tar cf "$work/many.tar" a.pcap)
for input in caps mail many.tar; do # apart: what follows closely would be one session over two captures
  run import --store st --node vm -q "$input"
  code 0 "imported: $input"
done
start api serve -q --store st --listen 127.0.0.1:0
check 'the server is there' link_of api

cat >pick.py <<'PY'
# pick.py EXPRESSION FIELD...: the id of the first session
import json, sys, urllib.parse, urllib.request
q = urllib.parse.urlencode({'date': -1, 'length': 1, 'expression': sys.argv[2], 'order': 'network.bytes:desc'})
print(json.load(urllib.request.urlopen(sys.argv[1] + '/api/sessions?' + q))['data'][0]['id'])
PY
pick() { python3 pick.py "$base" "$1"; }
same_sessions() { # same_sessions CAPTURE INPUT...: the capture holds the sessions of the inputs
  local capture=$1
  shift
  "$seine" read -q --format json "$capture" | python3 -c 'import json,sys; print(sorted((x.get("network",{}).get("community_id",""), x["network"]["packets"]) for x in map(json.loads, sys.stdin)))' >is
  "$seine" read -q --format json "$@" | python3 -c 'import json,sys; print(sorted((x.get("network",{}).get("community_id",""), x["network"]["packets"]) for x in map(json.loads, sys.stdin)))' >should
  [ -s is ] && cmp -s is should
}

# --- captures ---

get '/api/sessions/pcap?date=-1' -G --data-urlencode 'expression=file == *sample.pcap'
holds 'pcap' 'status == 200 and kind == "application/vnd.tcpdump.pcap" and raw[:4] == bytes.fromhex("d4c3b2a1")'
check 'it holds the sessions of the sample' same_sessions answer caps/sample.pcap
get '/api/sessions.pcapng?date=-1' -G --data-urlencode 'expression=file == *sample.pcap'
holds 'pcapng' 'status == 200 and raw[:4] == bytes.fromhex("0a0d0d0a") and b"session " in raw'
check 'with the same sessions' same_sessions answer caps/sample.pcap
get '/api/sessions/pcap/name.pcap?date=-1&expression=file==*packed*'
check 'out of a compressed capture' same_sessions answer caps/packed.pcap.gz
get '/api/sessions/pcap?date=-1&expression=file==*many.tar*'
check 'out of an archive' same_sessions answer many.tar
asks 'no sessions' '/api/sessions/pcap?date=-1&expression=port==65533' 'status == 404 and d["text"] == "no sessions found"'
asks 'a bad expression' '/api/sessions/pcap?date=-1&expression=((' 'status == 400 and not d["success"]'
id=$(pick 'file == *get.pcap && protocols == http')
get "/api/session/vm/$id/pcap"
holds 'of one session' 'raw[:4] == bytes.fromhex("d4c3b2a1")'
cp answer whole
get "/api/session/vm/$id.pcap?noHeader=true"
check 'without a header' cmp -s <(tail -c +25 whole) answer
get "/api/session/entire/vm/$id.pcap"
check 'all pieces of a session of one piece' cmp -s whole answer
get "/api/session/vm/$id.pcapng"
holds 'of one session, pcapng' 'raw[:4] == bytes.fromhex("0a0d0d0a")'

cat >blocks.py <<'PY'
# blocks.py CAPTURE: blocks of sessions: each stands before the first packet that names it, and is its document
import json, struct, sys
raw = open(sys.argv[1], 'rb').read()
at, sessions, named = 0, [], []
while at < len(raw):
    kind, length = struct.unpack_from('<II', raw, at)
    assert length % 4 == 0 and struct.unpack_from('<I', raw, at + length - 4)[0] == length
    body = raw[at + 8:at + length - 4]
    if kind == 0x80808080:
        assert body[:4] == b'MOWL'
        sessions.append(json.loads(body[4:].rstrip(b'\0')))
    if kind == 6 and b'session ' in body:
        for line in body[body.index(b'session '):].split(b'\n'):
            named.append(line.split()[1].rstrip(b'\0').decode())
        assert set(named) <= {x['id'] for x in sessions}
    at += length
want = sorted(x['id'] for x in json.load(open('list.json'))['data'])
assert sorted(x['id'] for x in sessions) == want == sorted(named), (len(sessions), len(want), len(named))
assert all(x['source']['ip'] and x['network']['packets'] for x in sessions)
PY
get '/api/sessions?date=-1&length=1000' -G --data-urlencode 'expression=file == *sample.pcap'
cp answer list.json
get '/api/sessions/pcapng?date=-1' -G --data-urlencode 'expression=file == *sample.pcap'
check 'pcapng: each session has its document, before its first packet' python3 blocks.py answer
cp answer blocks.pcapng
check 'and it is a capture as before' same_sessions blocks.pcapng caps/sample.pcap

# --- frames and sides ---

asks 'frames' "/api/session/vm/$id/packets?showFrames=true&base=hex&line=true" \
  'd["mode"] == "frames" and d["total"] == len(d["frames"]) == d["shown"] and d["lost"] == 0 and "Flags [S]" in d["frames"][0]["summary"] and [l["name"] for l in d["frames"][0]["layers"]] == ["Ethernet", "IPv4", "TCP"] and all(len(base64.b64decode(f["data"])) == f["captured"] for f in d["frames"]) and d["frames"][0]["side"] == "src" and {f["side"] for f in d["frames"]} == {"src", "dst"} and d["frames"][0]["text"].startswith("00000000: ")'
asks 'frames: a page' "/api/session/vm/$id/packets?showFrames=true&start=2&packets=1" '[f["n"] for f in d["frames"]] == [3]'
asks 'sides' "/api/session/vm/$id/packets?base=natural" \
  'd["mode"] == "streams" and d["items"][0]["side"] == "src" and d["items"][0]["text"].startswith("GET ") and d["items"][1]["text"].startswith("HTTP/1.1 200") and base64.b64decode(d["items"][0]["data"]).endswith(b"\r\n\r\n")'
asks 'a side' "/api/session/raw/vm/$id?type=dst" 'raw.startswith(b"HTTP/1.1 200") and kind == "application/octet-stream"'
asks 'the other side' "/vm/raw/$id?type=src" 'raw.startswith(b"GET ")'
asks 'a side as a picture' "/api/session/raw/vm/$id.png?type=dst" 'kind == "image/png" and raw[:8] == b"\x89PNG\r\n\x1a\n" and b"IEND" in raw'
asks 'decoders' /api/sessions/decodings '"BODY-UNXOR" in d'
asks 'decoded' "/api/session/vm/$id/packets?decode=%7B%22BODY-UNXOR%22:%7B%22key%22:%2200%22%7D%7D" 'all(i["decoded"] for i in d["items"])'
asks 'no such decoder' "/api/session/vm/$id/packets?decode=%7B%22BODY-NONE%22:%7B%7D%7D" 'status == 400 and d["text"] == "Invalid decode parameter"'
asks 'a session that is not there' /api/session/vm/200101-zzzzz/packets 'status == 404 and d["text"] == "Session not found"'
asks 'detail' "/api/session/vm/$id/detail" \
  '[g["name"] for g in d["groups"]][:2] == ["general", "addresses"] and "http" in [g["name"] for g in d["groups"]] and [f["values"] for g in d["groups"] for f in g["fields"] if f["path"] == "http.method"] == [["GET"]] and d["files"][0].endswith("get.pcap") and [f["texts"] for g in d["groups"] for f in g["fields"] if f["path"] == "ipProtocol"] == [["tcp"]]'
tls=$(pick 'file == *sample.pcap && protocols == tls && cert.cnt > 0')
asks 'detail: certificates' "/api/session/vm/$tls/detail" \
  '[o for g in d["groups"] for o in g.get("objects", []) if o["path"] == "cert"][0]["items"][0][0]["path"].startswith("cert.")'
asks 'detail: a session that is not there' /api/session/vm/x/detail 'status == 404'

# --- files ---

asks 'sessions with bodies are there' '/api/unique?date=-1&exp=http.md5' 'len(text.split()) > 0'
md5=$(curl -s "$base/api/unique?date=-1&exp=http.md5&expression=file==*sample.pcap" | head -1)
get "/api/sessions/bodyhash/$md5?date=-1"
holds 'a body by its digest' 'status == 200 and len(raw) > 0'
body=$(pick "file == *sample.pcap && http.md5 == $md5")
asks 'files of a session' "/api/session/vm/$body/packets?image=true" "any(f['md5'] == '$md5' for f in d['files'])"
number=$(python3 -c "import json; print([f['n'] for f in json.load(open('answer'))['files'] if f['md5'] == '$md5'][0])")
coding=$(python3 -c "import json; print([f.get('coding', '') for f in json.load(open('answer'))['files'] if f['md5'] == '$md5'][0])")
get "/api/session/vm/$body/body/file/$number/x.bin"
check 'the file comes unpacked, as an attachment' [ "$status" = 200 -a "$kind" = application/octet-stream ]
[ -n "$coding" ] || check 'its digest is right' [ "$(md5sum <answer | cut -d' ' -f1)" = "$md5" ]
asks 'by digest on a session' "/api/session/vm/$body/bodyhash/$md5" 'status == 200'
asks 'no such digest' "/api/sessions/bodyhash/00000000000000000000000000000000?date=-1" 'status == 400 and d["text"] == "No Match Found"'
asks 'no digest at all' "/api/sessions/bodyhash/xyz%20%7C%7C%20port==1?date=-1" 'status == 400'
asks 'no such file' "/api/session/vm/$body/body/file/9999/x" 'status == 404'
asks 'a number that is none' "/api/session/vm/$body/body/file/x/x" 'status == 400'
mail=$(pick 'protocols == smtp && email.md5 == EXISTS!' 2>/dev/null)
if [ -n "$mail" ]; then
  asks 'attachments of mail' "/api/session/vm/$mail/packets?image=true" 'd["files"] and d["files"][0]["kind"] == "mail"'
  get "/api/session/$mail"
  digests=$(python3 -c 'import json; print(" ".join(json.load(open("answer"))["email"].get("md5", [])))')
  one=${digests%% *}
  asks 'an attachment by its digest' "/api/session/vm/$mail/bodyhash/$one" "status == 200 and hashlib.md5(raw).hexdigest() == '$one'"
fi
zipped=$(pick 'http.uri == *gz* || http.bodymagic == application/x-gzip' 2>/dev/null)
if [ -n "$zipped" ]; then
  asks 'unpacked while shown' "/api/session/vm/$zipped/packets?gzip=true&base=ascii" 'status == 200'
fi

# --- captures that changed ---

truncate -s 30 caps/get.pcap
asks 'a capture that shrank: said' "/api/session/vm/$id/packets" 'status == 200 and d["lost"] == d["total"] and "was changed" in d["error"]'
asks 'and its pcap' "/api/session/vm/$id/pcap" 'status == 404 and "was changed" in d["text"]'
asks 'and its side' "/api/session/raw/vm/$id" 'status == 404'
rm caps/get.pcap
asks 'a capture that is gone: said' "/api/session/vm/$id/packets?showFrames=true" 'd["lost"] == d["total"] and "cannot be opened" in d["error"]'
get '/api/sessions/pcap?date=-1' -G --data-urlencode 'expression=file == *sample.pcap || file == *get.pcap'
check 'the others are still there' same_sessions answer caps/sample.pcap
asks 'its session too' "/api/session/vm/$id/detail" 'status == 200'

stop "$pid"
code 0 'the server ends'
plan
