#!/usr/bin/env bash
# Messages of notifiers, to listeners of our own: webhooks, Twilio, mail, syslog; what goes wrong; periodic queries that tell
# of what they found. TAP on standard output.
set -uo pipefail
root=$(cd "$(dirname "${BASH_SOURCE[0]}")/../.." && pwd)
. "$root/tests/integration/lib/tap.bash"
. "$root/tests/integration/lib/api.bash"

if ! ldd "$seine" | grep -q libcurl; then
  echo '1..0 # SKIP built without libcurl'
  exit 0
fi

# Whatever comes is a line of `heard`: kind, then JSON. Ports: lines of `ports`.
cat >listen.py <<'PY'
import base64, http.server, json, socket, socketserver, threading
lock = threading.Lock()
def hear(kind, what):
    with lock, open('heard', 'a') as f:
        f.write(kind + ' ' + json.dumps(what) + '\n')
class Web(http.server.BaseHTTPRequestHandler):
    def do_POST(self):
        body = self.rfile.read(int(self.headers['Content-Length'])).decode()
        hear('web', {'path': self.path, 'type': self.headers['Content-Type'], 'auth': self.headers.get('Authorization'), 'body': body})
        if self.path == '/moved':
            self.send_response(302)
            self.send_header('Location', '/hook')
        elif self.path == '/broken':
            self.send_response(500)
        elif self.path == '/slow':
            slow.wait(60)
            self.send_response(200)
        else:
            self.send_response(200)
        self.send_header('Content-Length', '6')
        self.end_headers()
        self.wfile.write(b'answer')
    def log_message(self, *a):
        pass
class Mail(socketserver.StreamRequestHandler):
    def handle(self):
        say = lambda t: self.wfile.write(t.encode() + b'\r\n')
        say('220 here')
        lines, data = [], None
        for raw in self.rfile:
            line = raw.decode().rstrip('\r\n')
            if data is not None:
                if line == '.':
                    hear('mail', {'commands': lines, 'text': '\n'.join(data)})
                    data = None
                    say('250 taken')
                else:
                    data.append(line)
                continue
            lines.append(line)
            word = line.split()[0].upper()
            if word == 'DATA':
                data = []
                say('354 go on')
            elif word == 'QUIT':
                say('221 bye')
                return
            elif word == 'EHLO':
                say('250 here')
            else:
                say('250 fine')
class Line(socketserver.StreamRequestHandler):
    def handle(self):
        hear('tcp', self.rfile.readline().decode())
slow = threading.Event()
web = http.server.ThreadingHTTPServer(('127.0.0.1', 0), Web)
mail = socketserver.ThreadingTCPServer(('127.0.0.1', 0), Mail)
line = socketserver.ThreadingTCPServer(('127.0.0.1', 0), Line)
for s in (web, mail, line):
    s.daemon_threads = True
    threading.Thread(target=s.serve_forever, daemon=True).start()
udp = socket.socket(socket.AF_INET, socket.SOCK_DGRAM)
udp.bind(('127.0.0.1', 0))
closed = socket.socket()
closed.bind(('127.0.0.1', 0))  # nobody listens
open('ports.new', 'w').write('web=%d mail=%d tcp=%d udp=%d closed=%d\n' % (
    web.server_address[1], mail.server_address[1], line.server_address[1], udp.getsockname()[1], closed.getsockname()[1]))
__import__('os').rename('ports.new', 'ports')
while True:
    hear('udp', udp.recv(65536).decode())
PY
: >heard
python3 listen.py &
pids+=($!)
check 'there are listeners' waits 20 test -s ports
eval "$(tr ' ' '\n' <ports)"

run import --store st --node vm -q "$golden/dns/a.pcap"
code 0 'a capture'
for user in anna eva; do
  echo "secret-of-$user" | "$seine" user add --store st $([ $user = anna ] && echo --admin) $user >out 2>err
done
start api serve -q --store st --node vm -o "twilioUrl=http://127.0.0.1:$web" --listen 127.0.0.1:0
check 'the server is there' link_of api
login() { # login USER: sets `changes`
  get '/api/sessions?date=-1&length=0' --digest -u "$1:secret-of-$1" -c jar
  changes=(--digest -u "$1:secret-of-$1" -H "x-arkime-cookie: $(awk '$6 == "ARKIME-COOKIE" { print $7 }' jar)" -H 'Content-Type: application/json')
}
login eva
eva=("${changes[@]}")
login anna
made() { # made NAME TYPE FIELD=VALUE...: the id in $id
  python3 - "$@" >body.json <<'PY'
import json, sys
value = lambda v: {'true': True, 'false': False}.get(v, v)
print(json.dumps({'name': sys.argv[1], 'type': sys.argv[2], 'users': 'eva', 'fields': [{'name': a.split('=', 1)[0], 'value': value(a.split('=', 1)[1])} for a in sys.argv[3:]]}))
PY
  get /api/notifier "${changes[@]}" -d @body.json
  id=$(python3 -c 'import json; print(json.load(open("answer"))["notifier"]["id"])')
}
tested() { get "/api/notifier/$id/test" "${changes[@]}" -X POST; }
heard() { # heard KIND EXPRESSION: python about d, the last one of the kind
  python3 - "$1" "$2" <<'PY'
import base64, json, sys, urllib.parse
all = [json.loads(l.split(' ', 1)[1]) for l in open('heard') if l.startswith(sys.argv[1] + ' ')]
d = all[-1]
if not eval(sys.argv[2]):
    sys.exit(repr(d))
PY
}

made hook slack "slackWebhookUrl=http://127.0.0.1:$web/hook?secret=quite"
tested
holds 'slack: taken' 'status == 200 and d == {"success": True, "text": "Successfully issued alert using the hook notifier."}'
check 'slack: heard' heard web 'd["path"] == "/hook?secret=quite" and d["type"] == "application/json" and json.loads(d["body"]) == {"text": "Test alert from anna"}'
asks 'what became of it stands in the list' /api/notifiers '[("lastError" in n, n["lastSent"] > 1.7e12) for n in d if n["name"] == "hook"] == [(False, True)]' "${changes[@]}"
asks 'others see nothing of it' /api/notifiers 'all(set(n) == {"id", "name", "type"} for n in d) and d' "${eva[@]}"
get "/api/notifier/$id/test" "${eva[@]}" -X POST
holds 'nor may they send' 'status == 403'
made teams teams "teamsWebhookUrl=http://127.0.0.1:$web/teams"
tested
check 'teams: heard' heard web 'd["path"] == "/teams" and json.loads(d["body"])["text"] == "Test alert from anna"'
made phone twilio accountSid=AC123 authToken=quite-secret toNumber=+491 fromNumber=+492
tested
holds 'twilio: taken' 'd["success"]'
check 'twilio: heard' heard web 'd["path"] == "/2010-04-01/Accounts/AC123/Messages.json" and dict(urllib.parse.parse_qsl(d["body"])) == {"To": "+491", "From": "+492", "Body": "Test alert from anna"} and base64.b64decode(d["auth"].split()[1]) == b"AC123:quite-secret"'
made phone2 twilio accountSid=../../x authToken=quite-secret toNumber=1 fromNumber=2
tested
holds 'twilio: no way out of its path' 'status == 502 and "accountSid" in d["text"]'
made mail email host=127.0.0.1 port="$mail" from=seine@example.com 'to=a@example.com, b@example.com' 'subject=Look
X-Evil: 1'
tested
holds 'mail: taken' 'd["success"]'
check 'mail: heard' heard mail 'd["commands"][1].startswith("MAIL FROM:<seine@example.com>") and [c.split()[1] for c in d["commands"] if c.startswith("RCPT")] == ["TO:<a@example.com>", "TO:<b@example.com>"] and "Subject: LookX-Evil: 1\n" in d["text"] and d["text"].endswith("\n\nTest alert from anna")'
made mail2 email host=127.0.0.1 port="$mail" user=u password=quite-secret from=seine@example.com to=a@example.com
lines=$(wc -l <heard)
tested
holds 'mail: a password goes over TLS only' 'status == 502'
check 'mail: it was not sent' [ "$(wc -l <heard)" = "$lines" ]
made log syslog host=127.0.0.1 port="$udp"
tested
check 'syslog: a datagram' waits 20 heard udp 'd.startswith("<13>1 20") and d.endswith(" - - Test alert from anna")'
made log2 syslog host=127.0.0.1 port="$tcp" protocol=tcp
tested
check 'syslog: a line' waits 20 heard tcp 'd.endswith(" - - Test alert from anna\n")'

# --- what goes wrong ---

n=0
for pair in "slack slackWebhookUrl=http://127.0.0.1:$web/broken|answered 500" "slack slackWebhookUrl=http://127.0.0.1:$web/moved|answered 302" \
  "slack slackWebhookUrl=http://127.0.0.1:$closed/hook-quite-secret|not sent" "slack slackWebhookUrl=http://169.254.169.254/latest|link-local" \
  "slack slackWebhookUrl=http://[::ffff:169.254.169.254]/latest|link-local" "syslog host=169.254.1.1 port=514|link-local" "syslog host=127.0.0.1 port=$closed protocol=tcp|not sent" "syslog host=127.0.0.1 protocol=pigeon|neither udp nor tcp"; do
  words=${pair%|*}
  made "wrong$((n += 1))" $words
  tested
  holds "refused: ${words%%:[0-9]*} ${pair#*|}" "status == 502 and '${pair#*|}' in d['text'] and 'secret' not in d['text']"
done
asks 'the last failure stands in the list' /api/notifiers '[n["lastError"] for n in d if n["name"] == "wrong1"] == ["the message was not sent: its server answered 500"]' "${changes[@]}"

# --- periodic queries ---

made slow slack "slackWebhookUrl=http://127.0.0.1:$web/slow"
slow=$id
made hook2 slack "slackWebhookUrl=http://127.0.0.1:$web/cron"
hook=$id
asks 'eva: a query that tells' /api/cron 'd["success"] and d["query"]["notifier"] == ["'"$hook"'"]' "${eva[@]}" -d '{"name":"dns","query":"port == 53","action":"tag","tags":"seen","since":-1,"notifier":["'"$hook"'"]}'
check 'the message' waits 180 heard web 'd["path"] == "/cron" and json.loads(d["body"])["text"] == "Periodic query dns: 1 new session, 1 in all"'
told() { get /api/crons "${eva[@]}" && python3 holds.py "$status" "$kind" 'd[0]["lastNotified"] > 1.7e9 and d[0]["lastNotifiedCount"] == 1'; }
check 'that it was sent is known' waits 20 told
asks 'a notifier there is none of' /api/cron 'status == 403 and "notifier" in d["text"]' "${eva[@]}" -d '{"name":"x","query":"port == 53","action":"tag","tags":"seen","notifier":["nosuch"]}'
asks 'no list of notifiers' /api/cron 'status in (400, 403)' "${eva[@]}" -d '{"name":"x","query":"port == 53","action":"tag","tags":"seen","notifier":"'"$hook"'"}'
python3 - <<'PY' >body.json
import json
print(json.dumps({'name': 'private', 'type': 'slack', 'fields': [{'name': 'slackWebhookUrl', 'value': 'http://127.0.0.1:1/'}]}))
PY
get /api/notifier "${changes[@]}" -d @body.json
private=$(python3 -c 'import json; print(json.load(open("answer"))["notifier"]["id"])')
asks "one that is not eva's" /api/cron 'status == 403' "${eva[@]}" -d '{"name":"x","query":"port == 53","action":"tag","tags":"seen","notifier":["'"$private"'"]}'
asks 'a query that tells one who does not answer' /api/cron 'd["success"]' "${changes[@]}" -d '{"name":"slow","query":"port == 53","action":"tag","tags":"seen2","since":-1,"notifier":["'"$slow"'"]}'
check 'it is being told' waits 60 heard web 'd["path"] == "/slow"'
asks 'meanwhile everybody is served' '/api/sessions?date=-1' 'status == 200' "${changes[@]}"
stop "$pid"
code 0 'and the server ends at once'
check 'secrets are in no words of the server' bash -c '! grep -q "quite\|secret-of" api.out api.err'
plan
