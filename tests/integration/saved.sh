#!/usr/bin/env bash
# Saved things and lists against the running server: every endpoint, sharing between users and roles, what is refused. TAP.
# $SEINE is the program; without it build/seine of this checkout. Users log in with curl's own Digest.
set -uo pipefail
root=$(cd "$(dirname "${BASH_SOURCE[0]}")/../.." && pwd)
seine=$(realpath "${SEINE:-$root/build/seine}")
[ -x "$seine" ] || { echo "Bail out! $seine is not there: tools/build release"; exit 1; }
command -v curl >/dev/null || { echo "1..0 # SKIP curl is not installed"; exit 0; }
work=$(mktemp -d)
server=
finish() {
  [ -z "$server" ] || { kill "$server" 2>/dev/null; wait "$server" 2>/dev/null; }
  rm -rf "$work"
}
trap finish EXIT
cd "$work" || exit 1
export LC_ALL=C.UTF-8 TZ=UTC
count=0 failed=0 status=0
: >body

ok() { # ok STATUS NAME
  count=$((count + 1))
  if [ "$1" -eq 0 ]; then
    echo "ok $count - $2"
  else
    failed=$((failed + 1))
    echo "not ok $count - $2"
    echo "# status $status, body:"
    head -c 600 body | sed 's/^/# /'
    echo
  fi
}
# as USER METHOD PATH [JSON]: leaves $status and the file body; changes carry the user's token
as() {
  local user=$1 method=$2 path=$3 data=${4-}
  local words=(--silent --output body --write-out '%{http_code}' --digest --user "$user:secret-$user" --request "$method")
  [ -f "token.$user" ] && words+=(--header "x-arkime-cookie: $(cat "token.$user")")
  [ -n "$data" ] && words+=(--header 'content-type: application/json' --data-binary "$data")
  status=$(curl "${words[@]}" "$url$path")
}
token() { # token USER: lists set the cookie that changes need
  curl --silent --digest --user "$1:secret-$1" --output /dev/null --dump-header - "$url/api/histories" |
    sed -n 's/^Set-Cookie: ARKIME-COOKIE=\([^;]*\).*/\1/p' | tr -d '\r' >"token.$1"
}
holds() { python3 -c "import json,sys; d=json.load(open('body')); sys.exit(0 if ($1) else 1)"; } # holds PYTHON: about d
is() { # is NAME STATUS [PYTHON]
  local good=1
  [ "$status" = "$2" ] && { [ $# -lt 3 ] || holds "$3"; } && good=0
  ok $good "$1"
}
says() { # says NAME STATUS TEXT
  local good=1
  [ "$status" = "$2" ] && holds "d['success'] is False and d['text'] == '''$3'''" && good=0
  ok $good "$1"
}
id() { python3 -c "import json; print(json.load(open('body'))['$1']['id'])"; }

# --- a store with users: root may everything, ann and bob may search, eve has a role ---

"$seine" import --store store --quiet "$root/tests/golden/dns/a.pcap" "$root/tests/golden/http/get.pcap" >/dev/null 2>import.err ||
  { echo "Bail out! import failed: $(head -c 300 import.err)"; exit 1; }
add() { # add ID ROLES
  printf 'secret-%s\n' "$1" | "$seine" user add "$1" --store store --role "$2" >>users.log 2>&1 ||
    { echo "Bail out! user $1: $(tail -n 2 users.log)"; exit 1; }
}
"$seine" user add role:blue --store store --role arkimeUser >>users.log 2>&1 ||
  { echo "Bail out! role: $(tail -n 2 users.log)"; exit 1; }
add root superAdmin
add ann arkimeUser
add bob arkimeUser
add eve role:blue
"$seine" serve --store store --listen 127.0.0.1:0 >serve.out 2>serve.err &
server=$!
url=
for _ in $(seq 100); do
  url=$(grep -ho 'http://[^ /]*' serve.out serve.err | head -n 1)
  [ -n "$url" ] && break
  sleep 0.1
done
[ -n "$url" ] || { echo "Bail out! no server: $(head -c 300 serve.err)"; exit 1; }
for user in root ann bob eve; do
  token $user
done

# --- without a user, without a token ---

status=$(curl --silent --output body --write-out '%{http_code}' "$url/api/views")
ok $((status != 401)) 'views: nobody is refused'
mv token.ann kept
as ann POST /api/view '{"name":"x","expression":"port == 80"}'
says 'a change without the token' 500 'Missing token'
mv kept token.ann

# --- views ---

as ann POST /api/view '{"expression":"port == 80"}'
says 'view: no name' 403 'Missing view name'
as ann POST /api/view '{"name":"web"}'
says 'view: no expression' 403 'Missing view expression'
as ann POST /api/view '{"name":"web","expression":7}'
says 'view: an expression that is no text' 403 'Expression must be a string'
as ann POST /api/view '{"name":"web","expression":"port == 80","users":["bob"]}'
says 'view: users that are no text' 403 'Users field must be a string'
as ann POST /api/view '{"name":"web","expression":"port == 80","roles":"x"}'
says 'view: roles that are no list' 403 'Roles field must be an array of strings'
as ann POST /api/view '{"name":"web","expression":"port == 80","editRoles":[1]}'
says 'view: roles that are no texts' 403 'Edit roles field must be an array of strings'
as ann POST /api/view '{"name":"web",'
says 'view: a body that is no JSON' 400 'The body is not valid JSON'
as ann POST /api/view "{\"name\":\"$(printf 'n%.0s' $(seq 300))\",\"expression\":\"a\"}"
is 'view: a long name' 400 "'at most 256' in d['text']"
as ann POST /api/view '{"name":"web","expression":"port == 80","users":"bob, nobody","sessionsColConfig":{"order":[["firstPacket","desc"]]}}'
is 'view: made' 200 "d['success'] and d['text'] == 'Created view!' and d['view']['users'] == 'bob' and d['invalidUsers'] == ['nobody']"
web=$(id view)
as ann POST /api/view '{"name":"web","expression":"port == 81"}'
says 'view: a name that is taken' 403 'A view with the name, web, already exists'
as bob GET /api/views
is 'view: a user it is shared with sees it, but not with whom' 200 "[v['name'] for v in d['data']] == ['web'] and 'users' not in d['data'][0] and d['recordsTotal'] == 1 and d['data'][0]['user'] == 'ann'"
as eve GET /api/views
is 'view: others do not see it' 200 "d['data'] == [] and d['recordsFiltered'] == 0"
as root GET /api/views
is 'view: an admin sees own ones' 200 "d['data'] == []"
as root GET '/api/views?all=true'
is 'view: and everybody'\''s when asked' 200 "[v['name'] for v in d['data']] == ['web'] and d['data'][0]['users'] == 'bob'"
as ann GET '/api/views?all=true'
is 'view: which others can not ask' 200 "d['recordsTotal'] == 1"
as bob PUT "/api/view/$web" '{"name":"web","expression":"port == 82"}'
says 'view: use is not change' 403 'Permission denied'
as bob DELETE "/api/view/$web"
says 'view: nor deletion' 403 'Permission denied'
as ann PUT "/api/view/$web" '{"name":"web","expression":"port == 443","editRoles":["role:blue"]}'
is 'view: changed; what is not sent stays' 200 "d['view']['expression'] == 'port == 443' and d['view']['users'] == 'bob' and d['view']['sessionsColConfig']['order'] == [['firstPacket','desc']]"
as eve PUT "/api/view/$web" '{"name":"web","expression":"port == 53"}'
is 'view: a role may change it' 200 "d['view']['expression'] == 'port == 53' and d['view']['user'] == 'ann'"
as eve PUT "/api/view/$web" '{"name":"web","expression":"port == 53","user":"eve"}'
says 'view: but not give it away' 403 'Permission denied'
as ann PUT "/api/view/$web" '{"name":"web","expression":"port == 53","user":"nobody"}'
says 'view: nor the owner to nobody' 404 'User not found'
as ann PUT /api/view/0000 '{"name":"web","expression":"port == 53"}'
says 'view: unknown' 404 'View not found'
as ann GET '/api/sessions?date=-1&view=web'
is 'view: in a search' 200 "d['recordsFiltered'] < d['recordsTotal'] and d['recordsFiltered'] > 0"
as ann GET '/api/sessions?date=-1&expression=view+%3D%3D+web'
is 'view: in an expression' 200 "0 < d['recordsFiltered'] < d['recordsTotal']"
as ann GET '/api/sessions?date=-1&view=none'
is 'view: unknown in a search' 200 "'view' in d['error'].lower()"
as ann DELETE "/api/view/$web"
is 'view: deleted' 200 "d['success'] and d['text'] == 'Deleted view!'"
as ann DELETE "/api/view/$web"
says 'view: once' 404 'View not found'

# --- shortcuts ---

as ann POST /api/shortcut '{"type":"ip","value":"1.2.3.4"}'
says 'shortcut: no name' 403 'Missing shortcut name'
as ann POST /api/shortcut '{"name":"a b","type":"ip","value":"1.2.3.4"}'
is 'shortcut: a name that is no word' 403 "'letters' in d['text']"
as ann POST /api/shortcut '{"name":"net","value":"1.2.3.4"}'
says 'shortcut: no type' 403 'Missing shortcut type'
as ann POST /api/shortcut '{"name":"net","type":"mac","value":"1.2.3.4"}'
says 'shortcut: a type that is none' 403 'Shortcut type must be ip, string or number'
as ann POST /api/shortcut '{"name":"net","type":"ip"}'
says 'shortcut: no value' 403 'Missing shortcut value'
as ann POST /api/shortcut '{"name":"net","type":"ip","value":"1.2.3.4,x"}'
says 'shortcut: a value that is no address' 400 'Value x is no address or network'
as ann POST /api/shortcut '{"name":"net","type":"number","value":"1,80-90,z"}'
is 'shortcut: a value that is no number' 400 "'Value z' in d['text']"
as ann POST /api/shortcut '{"name":"dns_ports","type":"number","value":"53, 5353","description":"names","users":"bob"}'
is 'shortcut: made' 200 "d['text'] == 'Created shortcut!' and d['shortcut']['value'] == '53\n5353' and d['shortcut']['userId'] == 'ann'"
ports=$(id shortcut)
as bob POST /api/shortcut '{"name":"dns_ports","type":"number","value":"1"}'
says 'shortcut: names are everybody'\''s' 403 'A shortcut with the name, dns_ports, already exists'
as bob GET '/api/shortcuts?fieldFormat=true&fieldType=number'
is 'shortcut: as a field' 200 "d['data'][0]['exp'] == '\$dns_ports' and d['data'][0]['help'] == 'names' and 'users' not in d['data'][0]"
as bob GET '/api/shortcuts?map=true'
is 'shortcut: by id' 200 "d['$ports']['name'] == 'dns_ports'"
as ann GET '/api/shortcuts?fieldType=ip'
is 'shortcut: by type' 200 "d['data'] == [] and d['recordsTotal'] == 1"
as ann GET '/api/shortcuts?searchTerm=dns*&sort=created&desc=true'
is 'shortcut: searched' 200 "len(d['data']) == 1"
as ann GET '/api/shortcuts?sort=nonsense'
is 'shortcut: an order that is none' 400 "d['success'] is False"
as ann GET '/api/sessions?date=-1&expression=port+%3D%3D+$dns_ports'
is 'shortcut: in an expression' 200 "0 < d['recordsFiltered'] < d['recordsTotal']"
as eve GET '/api/sessions?date=-1&expression=port+%3D%3D+$dns_ports'
is 'shortcut: not for others' 200 "d.get('error')"
as bob PUT "/api/shortcut/$ports" '{"name":"dns_ports","type":"number","value":"1"}'
says 'shortcut: use is not change' 403 'Permission denied'
as ann PUT "/api/shortcut/$ports" '{"name":"dns_port","type":"number","value":"53"}'
is 'shortcut: changed' 200 "d['text'] == 'Updated shortcut!' and d['shortcut']['name'] == 'dns_port' and d['shortcut']['description'] == 'names'"
as ann GET /api/syncshortcuts
is 'shortcut: nothing to synchronise' 200 "d['success']"
as bob DELETE "/api/shortcut/$ports"
says 'shortcut: deletion is its owner'\''s' 403 'Permission denied'
as root DELETE "/api/shortcut/$ports"
is 'shortcut: and an admin'\''s' 200 "d['text'] == 'Deleted shortcut!'"

# --- shareables ---

as ann POST /api/shareable '{"type":"summaryConfig","name":"mine"}'
says 'shareable: no data' 403 'Missing shareable data'
as ann POST /api/shareable '{"type":"summaryConfig","name":"mine","data":[1]}'
says 'shareable: data that is no object' 403 'Data must be an object'
as ann POST /api/shareable '{"type":"summaryConfig","name":"mine","data":{"w":[1,2]},"viewUsers":["bob","nobody"],"editUsers":["eve"]}'
is 'shareable: made' 200 "d['shareable']['data'] == {'w':[1,2]} and d['shareable']['viewUsers'] == ['bob'] and d['invalidUsers'] == ['nobody'] and d['shareable']['canDelete']"
share=$(id shareable)
as bob GET "/api/shareable/$share"
is 'shareable: seen by whom it is shared with' 200 "d['shareable']['canEdit'] is False and 'viewUsers' not in d['shareable']"
as eve GET '/api/shareables?type=summaryConfig'
is 'shareable: listed' 200 "len(d['data']) == 1 and d['data'][0]['canEdit'] and not d['data'][0]['canDelete']"
as eve GET /api/shareables
says 'shareable: a list needs its type' 403 'Missing shareable type'
as eve PUT "/api/shareable/$share" '{"data":{"w":[]}}'
is 'shareable: changed by an editor' 200 "d['shareable']['data'] == {'w':[]} and d['shareable']['name'] == 'mine'"
as eve PUT "/api/shareable/$share" '{"type":"other"}'
says 'shareable: its type stays' 403 'The type of a shareable can not be changed'
as eve PUT "/api/shareable/$share" '{"name":" "}'
says 'shareable: a name of blanks' 403 'Missing shareable name'
as eve PUT "/api/shareable/$share" '{"editUsers":"eve"}'
says 'shareable: users that are no list' 403 'Edit users field must be an array of strings'
as bob PUT "/api/shareable/$share" '{"data":{}}'
says 'shareable: not changed by others' 403 'Permission denied'
as eve DELETE "/api/shareable/$share"
says 'shareable: an editor does not delete it' 403 'Permission denied'
as ann DELETE "/api/shareable/$share"
is 'shareable: deleted' 200 "d['success']"
as ann GET "/api/shareable/$share"
says 'shareable: gone' 404 'Shareable not found'

# --- notifiers ---

as ann GET /api/notifiertypes
is 'notifiers: kinds are for admins' 403 "d['success'] is False"
as root GET /api/notifiertypes
is 'notifiers: kinds' 200 "set(d) == {'slack','twilio','email','syslog','teams'} and d['slack']['fields'][0]['type'] == 'secret'"
as ann POST /api/notifier '{"name":"n","type":"slack","fields":[{"name":"slackWebhookUrl","value":"u"}]}'
is 'notifiers: made by admins only' 403 "d['success'] is False"
as root POST /api/notifier '{"name":"n","type":"pigeon","fields":[]}'
says 'notifiers: a kind that is none' 403 'Unknown notifier type pigeon'
as root POST /api/notifier '{"name":"n","type":"slack"}'
says 'notifiers: no fields' 403 'Missing notifier fields'
as root POST /api/notifier '{"name":"n","type":"slack","fields":[{"name":"x","value":"u"}]}'
says 'notifiers: a field is missing' 403 'Missing a value for slackWebhookUrl'
as root POST /api/notifier '{"name":"n","type":"slack","fields":[{"name":"slackWebhookUrl","value":"https://example.com/hook"}],"users":"ann"}'
is 'notifiers: made' 200 "d['notifier']['fields'][0]['value'] == 'https://example.com/hook'"
notifier=$(id notifier)
as ann GET /api/notifiers
is 'notifiers: users see no secrets' 200 "d == [{'id':'$notifier','name':'n','type':'slack'}]"
as bob GET /api/notifiers
is 'notifiers: others see nothing' 200 "d == []"
as root POST /api/notifier '{"name":"n","type":"snmp","fields":[]}'
says 'notifiers: traps are not sent' 403 'Unknown notifier type snmp: this program sends no SNMP traps'
as root POST /api/notifier '{"name":"n","type":"slack","fields":[{"name":"slackWebhookUrl","value":"file:///etc/passwd"}]}'
says 'notifiers: a webhook is in the web' 403 'slackWebhookUrl must begin with https:// or http://'
as root PUT "/api/notifier/$notifier" '{"name":"m","type":"teams","fields":[{"name":"teamsWebhookUrl","value":"http://u"}]}'
is 'notifiers: changed' 200 "d['notifier']['type'] == 'teams'"
as root DELETE "/api/notifier/$notifier"
is 'notifiers: deleted' 200 "d['success']"

# --- history ---

as ann GET '/api/histories?length=2000'
is 'history: own rows only' 200 "d['data'] and all(r['userId'] == 'ann' for r in d['data']) and not any('forcedExpression' in r for r in d['data'])"
as ann GET '/api/histories?userId=bob'
says 'history: others'\'' rows are for admins' 403 'Need admin privileges'
as root GET '/api/histories?userId=bob&desc=true'
is 'history: of one user' 200 "d['data'] and all(r['userId'] == 'bob' for r in d['data']) and d['recordsTotal'] > d['recordsFiltered'] and [r['timestamp'] for r in d['data']] == sorted((r['timestamp'] for r in d['data']), reverse=True)"
as root GET '/api/histories?api=/api/sessions&searchTerm=view*web'
is 'history: searched' 200 "d['data'] and all(r['api'] == '/api/sessions' and r['expression'] == 'view == web' for r in d['data'])"
as root GET '/api/histories?exists=view.name&searchTerm=web'
is 'history: rows with a view name it and its expression' 200 "any(r['view'] == {'name':'web','expression':'port == 53'} for r in d['data'])"
as root GET '/api/histories?searchTerm=hook'
is 'history: holds no secrets' 200 "not any('example.com/hook' in json.dumps(r) for r in d['data'])"
as root GET '/api/histories?startTime=1&stopTime=2'
is 'history: of a time without rows' 200 "d['data'] == [] and d['recordsTotal'] > 0"
as root GET '/api/histories?sortField=nonsense'
is 'history: an order that is none' 400 "d['success'] is False"
as root GET '/api/histories?exists=nonsense'
is 'history: a field that is none' 400 "'nonsense' in d['text']"
as root GET '/api/histories?length=1&start=1&sortField=queryTime'
is 'history: a page' 200 "len(d['data']) == 1"
row=$(python3 -c "import json; r=json.load(open('body'))['data'][0]; print(r['id'], r['index'])")
as ann DELETE "/api/history/${row% *}?index=${row#* }"
is 'history: deleted by admins only' 403 "d['success'] is False"
as root DELETE "/api/history/${row% *}?index=${row#* }"
is 'history: not without the right to remove' 403 "d['success'] is False"
as root POST /api/user/root '{"userName":"root","enabled":true,"roles":["superAdmin"],"removeEnabled":true}'
is 'history: the right is given' 200 "d['success']"
as root DELETE "/api/history/${row% *}"
says 'history: the index is needed' 403 'Missing history index'
as root DELETE "/api/history/${row% *}?index=${row#* }"
is 'history: a row is deleted' 200 "d['success']"
as root DELETE "/api/history/${row% *}?index=${row#* }"
says 'history: once' 404 'History item not found'

# --- periodic queries ---

as ann GET /api/crons
is 'periodic queries: none' 200 "d == []"
for pair in '{"query":"port == 53","action":"tag","tags":"a"}|name' '{"name":"c","action":"tag","tags":"a"}|expression' \
  '{"name":"c","query":"port == 53","tags":"a"}|action' '{"name":"c","query":"port == 53","action":"tag"}|tag(s)'; do
  as ann POST /api/cron "${pair%|*}"
  says "periodic queries: no ${pair#*|}" 403 "Missing query ${pair#*|}"
done
as ann POST /api/cron '{"name":"c","query":"port == 53","action":"forward:x","tags":"a"}'
is 'periodic queries: nowhere to forward to' 403 "'no clusters' in d['text']"
as ann POST /api/cron '{"name":"c","query":"port === 53","action":"tag","tags":"a"}'
is 'periodic queries: an expression that is none' 403 "d['success'] is False"
as ann POST /api/cron '{"name":"c","query":"port == 53","action":"tag","tags":"a;b"}'
is 'periodic queries: tags that are none' 403 "'Tags' in d['text']"
as ann POST /api/cron '{"name":"c","query":"port == 53","action":"tag","tags":"seen53,more","since":-1,"users":"bob"}'
is 'periodic queries: made' 200 "d['query']['tags'] == 'seen53,more' and d['query']['enabled'] and d['query']['creator'] == 'ann'"
cron=$(python3 -c "import json; print(json.load(open('body'))['query']['key'])")
for _ in $(seq 100); do
  as ann GET /api/crons
  holds "d[0]['count'] > 0" && break
  sleep 0.1
done
is 'periodic queries: it ran' 200 "d[0]['count'] > 0 and d[0]['lastRun'] > 0 and 'error' not in d[0]"
as ann GET '/api/sessions?date=-1&expression=tags+%3D%3D+seen53'
is 'periodic queries: sessions have the tag' 200 "0 < d['recordsFiltered'] < d['recordsTotal']"
as ann GET '/api/sessions?date=-1&expression=tags+%3D%3D+more+%26%26+port+!%3D+53'
is 'periodic queries: others do not' 200 "d['recordsFiltered'] == 0"
as ann POST "/api/cron/$cron" '{"query":"host.dns == \"a\\\\b\" || port == 53","description":"d"}'
is 'periodic queries: changed' 200 "d['query']['query'] == r'host.dns == \"a\\\\b\" || port == 53' and d['query']['tags'] == 'seen53,more'"
as ann POST "/api/cron/$cron" '{"enabled":"perhaps"}'
says 'periodic queries: a switch that is none' 400 'enabled must be true or false'
as ann POST "/api/cron/$cron" '{"tags":"seen53,more"}'
is 'periodic queries: texts with escapes stay' 200 "d['query']['query'] == r'host.dns == \"a\\\\b\" || port == 53' and d['query']['description'] == 'd' and d['query']['enabled']"
as ann POST "/api/cron/$cron" '{"query":"port == 53"}'
as bob GET /api/crons
is 'periodic queries: seen by whom it is shared with' 200 "len(d) == 1 and not d[0]['canEdit'] and 'users' not in d[0]"
as bob POST "/api/cron/$cron" '{"enabled":false}'
says 'periodic queries: not changed by others' 403 'Permission denied'
as ann POST "/api/cron/$cron" '{"enabled":false}'
is 'periodic queries: switched off' 200 "d['query']['enabled'] is False and d['query']['lastToggledBy'] == 'ann' and d['query']['query'] == 'port == 53' and d['query']['users'] == 'bob'"
as ann DELETE "/api/cron/$cron"
is 'periodic queries: deleted' 200 "d['success']"
as ann DELETE "/api/cron/$cron"
says 'periodic queries: once' 404 'Query not found'

as root POST /api/cron '{"name":"r","query":"port == 53","action":"tag","tags":"a","editRoles":["role:blue"]}'
is 'periodic queries: of an administrator' 200 "d['query']['creator'] == 'root'"
cron=$(python3 -c "import json; print(json.load(open('body'))['query']['key'])")
as eve POST "/api/cron/$cron" '{"enabled":false,"query":"port == 53"}'
is 'periodic queries: a role may switch it' 200 "d['query']['creator'] == 'root' and d['query']['enabled'] is False"
as eve POST "/api/cron/$cron" '{"query":"port == 80"}'
is 'periodic queries: what it changes runs with its own rights' 200 "d['query']['creator'] == 'eve' and d['query']['query'] == 'port == 80'"
as root POST "/api/cron/$cron" '{"tags":"b"}'
is 'periodic queries: also the tags' 200 "d['query']['creator'] == 'root'"
as root DELETE "/api/cron/$cron"

# --- lists ---

as ann GET '/api/fields?array=true'
is 'fields: an array in the order of names' 200 "[f['exp'] for f in d] == sorted(f['exp'] for f in d) and any(f['exp'] == 'ip.src' and f['dbField'] == 'source.ip' and f['portField'] == 'source.port' and f['type'] == 'ip' for f in d)"
as ann GET /api/fields
is 'fields: by path' 200 "d['http.host']['exp'] == 'host.http' and d['firstPacket']['type2'] == 'date' and d['network.bytes']['unit'] == 'bytes'"
as ann GET /api/files
is 'files' 200 "[f['num'] for f in d['data']] == [1,2] and d['data'][0]['packets'] > 0 and d['recordsTotal'] == 2 and d['data'][0]['locked'] == 1"
as ann GET '/api/files?filter=*a.pcap&sortField=name&desc=true'
is 'files: by name' 200 "len(d['data']) == 1 and d['data'][0]['name'].endswith('/a.pcap') and d['recordsTotal'] == 2"
as ann GET '/api/files?sortField=nonsense'
is 'files: an order that is none' 400 "d['success'] is False"
as ann GET '/api/files?length=1&start=1'
is 'files: a page' 200 "[f['num'] for f in d['data']] == [2] and d['recordsFiltered'] == 2"
as ann GET /api/valueactions
is 'menus of values: no names are looked up' 200 "'bodyHashMd5' in d and 'reverseDNS' not in d"
as ann GET /api/fieldactions
is 'menus of fields' 200 "d == {}"
as ann GET '/api/reversedns?ip=192.0.2.1'
is 'names of addresses: not allowed unless the setting says so' 403 "'reverseDns' in d['text']"
as ann GET '/api/reversedns?ip=nonsense'
is 'names of addresses: no address' 400 "d['success'] is False"
as ann GET /api/clusters
is 'clusters' 200 "d == {'active':[],'inactive':[]}"
as ann GET /api/remoteclusters
is 'remote clusters' 404 "d['success'] is False"
as ann GET /api/appinfo
is 'start of a page' 200 "d['esHealth']['status'] in ('green','yellow') and len(d['fieldsArr']) >= len(d['fieldsMap']) > 100 and 'arkimeUser' in d['roles']"
as ann POST /api/upload '{}'
is 'upload: not unless the setting says so' 403 "'upload=true' in d['text']"
as ann GET /api/stats
is 'nodes' 200 "d['recordsTotal'] == 1 and d['data'][0]['totalFiles'] == 2 and d['data'][0]['totalPackets'] > 0 and d['data'][0]['memory'] > 0"
as ann GET '/api/stats?filter=no-such-node'
is 'nodes: filtered' 200 "d['data'] == [] and d['recordsTotal'] == 1"
as ann GET '/api/dstats?nodeName=a&name=memory&size=3'
is 'series' 200 "d == [None] * 3"
as ann GET '/api/dstats?nodeName=a&name=b'
is 'series: a name that is none' 403 "'no series b' in d['text']"
as ann GET /api/dstats
says 'series: of what' 403 'Missing nodeName or name'
as ann GET '/api/store?columns=true'
is 'the store' 200 "d['sessions'] > 0 and d['bytes'] > 0 and d['damage'] == [] and any(c['path'] == 'source.ip' and c['sessions'] == d['sessions'] for c in d['columns'])"
for list in esstats esindices esrecovery; do
  as ann GET /api/$list
  is "$list" 200 "d == {'data':[],'recordsTotal':0,'recordsFiltered':0}"
done
as ann GET /api/esadmin
is 'esadmin' 200 "d == []"
as ann GET /api/esshards
is 'esshards' 200 "d['nodes'] == []"
as ann GET /api/estasks
is 'estasks: for admins' 403 "d['success'] is False"
as root GET /api/estasks
is 'estasks' 200 "d['recordsTotal'] == 0"
as root POST /api/user '{"userId":"hid","userName":"hid","password":"secret-hid","enabled":true,"hideStats":true,"hideFiles":true,"roles":["arkimeUser"]}'
is 'a user who sees neither files nor statistics' 200 "d['success']"
for path in files stats dstats store esindices; do
  as hid GET "/api/$path?nodeName=a&name=b"
  is "$path: not for everybody" 403 "d['success'] is False"
done
as hid GET /api/views
is 'views: for those as well' 200 "d['data'] == []"
status=$(curl --silent --output body --write-out '%{http_code}' "$url/api/eshealth")
is 'health: for everybody' 200 "d['status'] in ('green','yellow') and d['molochDbVersion'] >= 80"
status=$(curl --silent --output body --write-out '%{http_code}' "$url/parliament.json")
is 'parliament: for everybody' 200 "len(d['data']) == 1"

echo "1..$count"
[ $failed -eq 0 ]
