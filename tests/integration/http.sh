#!/usr/bin/env bash
# The HTTP server and who may use it, with curl as the client: statuses, headers, limits, streams, TLS, every way to log in,
# CSRF, users. The server is build/tests/http/test-server beside $SEINE: the API without a store. TAP on standard output.
set -uo pipefail
root=$(cd "$(dirname "${BASH_SOURCE[0]}")/../.." && pwd)
. "$root/tests/integration/lib/server.bash"

# --- answers ---

start
get "$url/health"
is 200 'health' '"success":true'
check 'answers are typed' header Content-Type application/json
check 'nothing is sniffed' header X-Content-Type-Options nosniff
check 'no frames' header X-Frame-Options DENY
check 'only own scripts' header Content-Security-Policy "default-src 'self'"
check 'JSON is not kept' header Cache-Control no-cache
check 'how long it took' header X-Arkime-Response-Time '[0-9]'
get -I "$url/health"
is 200 'HEAD has the status of GET'
check 'HEAD has the length of GET' header Content-Length 31
printf 'HEAD /health HTTP/1.1\r\nHost: localhost\r\nConnection: close\r\n\r\n' | timeout 5 bash -c "exec 3<>/dev/tcp/127.0.0.1/$port; cat >&3; cat <&3" >body
check 'HEAD has no body' sh -c "grep -q '200 OK' body && ! grep -q alive body"
get "$url/api/nothing"
is 404 'an unknown endpoint' 'no endpoint'
get "$url/sessions.xml"
is 404 'an unknown file'
get -X DELETE "$url/health"
is 405 'a method the path does not have' 'GET'
check 'says which it has' header Allow GET
get -X BREW "$url/health"
is 405 'a method nobody has'
get "$url/"
is 200 'the page' '<'
etag=$(sed -n 's/^[Ee][Tt]ag: \(.*\)\r$/\1/p' head)
get -H "If-None-Match: $etag" "$url/"
is 304 'the page that the browser has'
check 'no body with it' test ! -s body
get "$url/spiview"
is 200 'paths of the application give its page' '<'
get "$url/api/openapi.json"
is 200 'the description' '"openapi":"3.1'
cp body description
get -H 'Accept-Encoding: gzip' "$url/api/openapi.json"
check 'gzip for who takes it' header Content-Encoding gzip
check 'it is shorter' test "$(wc -c <body)" -lt $(($(wc -c <description) / 3))
check 'and the same' sh -c 'gzip -dc <body | cmp - description'
get -H 'Accept-Encoding: zstd, gzip' "$url/api/openapi.json"
check 'zstd before gzip' header Content-Encoding zstd
get -H 'Accept-Encoding: gzip' "$url/health"
check 'short answers are not packed' lacks Content-Encoding

# --- parameters ---

get -d 'a=1&b=x+y%20z&a=2' "$url/test/echo?c=3&a=9"
is 200 'a form over a query' '{"a":"1,2","b":"x y z","c":"3"}'
get -H 'Content-Type: application/json; charset=utf-8' -d '{"a":true,"b":"\u00e9","c":[1,2],"d":null}' "$url/test/echo?d=4"
is 200 'JSON over a query' '{"a":"true","b":"é","c":"\[1,2\]","d":"4"}'
get -H 'Content-Type: application/json' -d '{"a":1,' "$url/api/user/settings"
is 400 'JSON that is none' 'not valid JSON'
get "$url/api/appversion?x=__proto__"
is 403 'values for JavaScript' 'Invalid value for x'
get "$url/api/appversion?y=constructor"
is 403 'names of prototypes' 'Invalid value for y'
get "$url/api/appversion?y=a%00b"
is 400 'a NUL in a value' 'NUL'
get "$url/test/echo?$(seq -f 'p%g=1' -s '&' 1 1100)"
is 400 'too many parameters'
get --data-binary "$(python3 -c 'print("[" * 100000)')" -H 'Content-Type: application/json' "$url/api/user/settings"
is 400 'deep nesting'

# --- limits ---

head -c 5242881 /dev/zero >large
get --data-binary @large "$url/test/echo"
is 413 'a body over 5 MiB'
get -H 'Transfer-Encoding: chunked' --data-binary @large "$url/test/echo"
is 413 'the same without a length'
head -c 5242880 /dev/zero | tr '\0' a >fits
get --data-binary @fits -H 'Content-Type: text/plain' "$url/test/echo"
is 200 'a body of 5 MiB'
get -H "X: $(head -c 110000 /dev/zero | tr '\0' a)" "$url/health"
is 431 'huge headers'
get "$url/health?$(head -c 110000 /dev/zero | tr '\0' a)"
check 'a huge target' test "$status" = 414 -o "$status" = 431
get "$url/health"
is 200 'the server goes on'
for path in /../../etc/passwd /api/%2e%2e/%2e%2e/etc/passwd /assets/..%2f..%2fetc/passwd /%2e/x /a%00b /%zz '/api\..\..\x'; do
  get --path-as-is "$url$path"
  check "no way out by $path" test "$status" = 400 -o "$status" = 404
done
printf 'GET / HTTP/1.1\r\n\r\n' | timeout 5 bash -c "exec 3<>/dev/tcp/127.0.0.1/$port; cat >&3; head -n 1 <&3" >body
check 'HTTP/1.1 without Host' grep -q '400\|403' body
printf 'NONSENSE\r\n\r\n' | timeout 5 bash -c "exec 3<>/dev/tcp/127.0.0.1/$port; cat >&3; head -n 1 <&3" >body
check 'what is no HTTP' sh -c '! grep -q " 200 " body'
get -H 'Host: evil.example' "$url/health"
is 403 "somebody else's name for this machine" 'hostNames'
get -H "Host: localhost:$port" "$url/health"
is 200 'localhost is us'
get -H 'Origin: http://evil.example' -X POST "$url/api/user/settings"
is 403 'a change from a page of others' 'another site'
get -H 'Sec-Fetch-Site: cross-site' -X POST "$url/api/user/settings"
is 403 'the same by Sec-Fetch-Site' 'another site'
get -H 'Origin: null' -X POST "$url/api/user/settings"
is 403 'an origin that hides' 'another site'

# --- streams ---

get "$url/test/much?megabytes=20"
check 'a stream is whole' sh -c "python3 -c \"
import sys
for i in range(20 << 17): sys.stdout.write('%07d\\n' % (i % 10000000))\" | cmp - body"
check 'it is sent in pieces' header Transfer-Encoding chunked
get --compressed "$url/test/much?megabytes=20"
check 'packed as well' test "$(wc -c <body)" -eq $((20 << 20))
get "$url/test/cut"
check 'an answer that was cut does not look whole' test "$failure" -ne 0
timeout 1 curl -s -o /dev/null "$url/test/much?megabytes=4000"
timeout 1 curl -s -o /dev/null "$url/test/slow?ms=600000"
curl -s -m 20 --limit-rate 200k "$url/test/much?megabytes=2" -o body
check 'a slow reader gets everything' test "$(wc -c <body)" -eq $((2 << 20))
stop
check 'the server ends when it is told' test "$stopped" -eq 0
check 'who left was counted' sh -c "[ \"\$(sed -n 's/^cancelled //p' said)\" -ge 2 ]"

start idleTimeout=4 maxConnections=4
timeout 20 bash -c "exec 3<>/dev/tcp/127.0.0.1/$port; printf 'GET /health HTTP/1.1\r\nHost: x' >&3; for i in \$(seq 30); do printf x >&3 2>/dev/null || exit 3; sleep 0.5; done; exit 0" 2>/dev/null
check 'a head that never ends' test $? -ne 0
for _ in 1 2 3 4; do timeout 20 bash -c "exec 3<>/dev/tcp/127.0.0.1/$port; cat <&3" >/dev/null 2>&1 & done
sleep 1
get -m 2 "$url/health"
check 'no more connections than allowed' test "$failure" -ne 0
sleep 6
get "$url/health"
is 200 'idle ones are closed'
stop
check 'ends' test "$stopped" -eq 0

# --- behind a path ---

start webBasePath=/seine/ hostNames=seine.example
get "$url/seine/health"
is 200 'below webBasePath' success
get "$url/health"
is 404 'outside of it'
get -H 'Host: seine.example' "$url/seine/health"
is 200 'a name that was set'
get -H 'Host: seine.example' -H 'Origin: http://seine.example' -X POST "$url/seine/api/user/settings"
is 500 'an origin that was set' 'Missing token'
stop

# --- nobody logs in ---

start
get "$url/api/user"
is 200 'on loopback without users everybody is somebody' '"userId":"anonymous"'
get -X POST -d theme=x "$url/api/user/settings"
is 500 'a change without the CSRF token' 'Missing token'
get -X POST -d theme=x -H 'x-arkime-cookie: 1.x' "$url/api/user/settings"
is 500 'a foreign CSRF token' 'Timeout'
token=$(csrf)
get -X POST -d theme=x -H "x-arkime-cookie: $token" "$url/api/user/settings"
is 200 'with the token' 'Updated user settings'
get "$url/api/user/settings"
is 200 'settings over defaults' '"theme":"x".*\|"timezone":"local".*"theme":"x"'
get "$url/api/user/layouts/spiview"
is 500 'reading that needs the token' 'Missing token'
get -H "x-arkime-cookie: $token" "$url/api/user/layouts/spiview"
is 200 'with it' '^\[\]$'
stop
"$server" viewPort=0 viewHost=0.0.0.0 </dev/null >said 2>err
check 'nobody listens to the world without users' test $? -ne 0
check 'and says what to do' grep -q 'seine user add' err

# --- Digest ---

mkdir store
start store="$work/store" user=anna:geheim:superAdmin user=bob:secret:arkimeUser user=ute:geheim:usersAdmin token=anna:2176 token=anna:6272 token=anna:8191
get "$url/api/user"
is 401 'users: who are you'
check 'SHA-256 is offered' header WWW-Authenticate 'Digest .*algorithm=SHA-256'
check 'MD5 is offered' header WWW-Authenticate 'Digest .*algorithm=MD5'
digest anna:geheim "$url/api/user"
is 200 'the right password' '"userId":"anna"'
digest anna:falsch "$url/api/user"
is 401 'a wrong password'
digest otto:geheim "$url/api/user"
is 401 'a user that is not there'
digest role:x:geheim "$url/api/user"
is 401 'a role is nobody'
digest bob:secret "$url/api/queries"
is 403 'a right that is missing' 'permission'
digest anna:geheim -I "$url/api/user"
is 200 'HEAD with Digest'
get -u anna:geheim "$url/api/user"
is 401 'Basic is not offered and not taken'
# one request, replayed and changed
curl -s -o /dev/null -v --digest -u anna:geheim "$url/api/user" 2>trace
answer=$(sed -n 's/^> Authorization: //p' trace | tr -d '\r')
check 'curl answered with Digest' test -n "$answer"
get -H "Authorization: $answer" "$url/api/user"
is 401 'a request that is sent again'
check 'it may be repeated with a new nonce' header WWW-Authenticate '.*stale=true'
get -H "Authorization: $answer" "$url/api/queries"
is 400 'an answer for another path'
get -H "Authorization: ${answer/nonce=\"/nonce=\"A}" "$url/api/user"
is 401 'a nonce of our own'
get -H "Authorization: ${answer/qop=auth/qop=auth-int}" "$url/api/user"
is 400 'another qop'
get -H 'Authorization: Digest' "$url/api/user"
is 401 'no parameters at all'
get -H 'Authorization: Digest username="a' "$url/api/user"
is 400 'a quote that does not end'
check 'passwords are not in the database' sh -c "! grep -aq 'geheim\|$(printf 'anna:Moloch:geheim' | md5sum | cut -c1-32)' store/control.db store/control.db-wal"
check 'the secret is for us alone' test "$(stat -c %a store/secret)" = 600

# --- tokens ---

bearer=$(sed -n 's/^token //p' said | head -n 1) writer=$(sed -n 's/^token //p' said | sed -n 2p)
all=$(sed -n 's/^token //p' said | tail -n 1)
get -H "Authorization: Bearer $bearer" "$url/api/appversion"
is 200 'an API token'
get -H "Authorization: Bearer $bearer" "$url/api/queries"
is 403 'its scope' 'permission'
get -H "Authorization: Bearer ${bearer%?}x" "$url/api/appversion"
is 401 'another token'
get -H "Authorization: Bearer $writer" -X POST -d name=x "$url/api/user/tokens"
is 403 'a token makes no tokens' 'log in'
get -H "Authorization: Bearer $bearer" -X POST -d theme=y "$url/api/user/settings"
is 403 'a token that may only read changes nothing' 'permission'
get -H "Authorization: Bearer $writer" -X POST -d theme=y "$url/api/user/settings"
is 200 'one that may write needs no CSRF token'
check 'the token is not in the database' sh -c "! grep -aq $bearer store/control.db store/control.db-wal"

# --- users ---

token=$(csrf --digest -u anna:geheim)
json() { # json PATH BODY: as anna
  get --digest -u anna:geheim -H "x-arkime-cookie: $token" -H 'Content-Type: application/json' -d "$2" "$url$1"
}
json /api/user '{"userId":"x","userName":"X"}'
is 403 'a user without a password' 'Missing/Empty required fields'
json /api/user '{"userId":"x y","userName":"X","password":"abc"}'
is 403 'an id that is none' 'User ID must be word characters'
json /api/user '{"userId":"x","userName":"X","password":"ab"}'
is 403 'a short password' 'at least 3 characters'
json /api/user '{"userId":"x","userName":"X","password":"abc","roles":"y"}'
is 403 'roles that are no list' 'Roles field must be an array of strings'
json /api/user '{"userId":"x","userName":"X","password":"abc","roles":["y"]}'
is 403 'a role that is none' 'User roles must be system roles or start with'
json /api/user '{"userId":"x","userName":"X","password":"abc","hidePcap":"yes"}'
is 403 'a flag that is none' 'hidePcap field must be a boolean or undefined'
json /api/user '{"userId":"x","userName":"X","password":"abc","timeLimit":-1}'
is 422 'a limit that is none' 'timeLimit must be a non-negative integer'
json /api/user '{"userId":"role:r","userName":"R","roles":["superAdmin"]}'
is 403 'a made role is no superAdmin' "User defined roles can't have superAdmin"
json /api/user '{"userId":"role:r","userName":"R","roles":["arkimeUser"],"hidePcap":true,"expression":"port == 80","timeLimit":24,"roleAssigners":["bob"]}'
is 200 'a role'
json /api/user/role:r '{"userName":"R","roles":["role:r"]}'
is 403 'a role in itself' "Can't have circular role dependencies"
json /api/user '{"userId":"x","userName":"X","password":"abc","roles":["role:r"]}'
is 200 'a user'
json /api/user '{"userId":"x","userName":"X","password":"abc"}'
is 403 'the same again' 'User already exists'
digest x:abc "$url/api/user"
is 200 'what roles give' '"hidePcap":true.*"timeLimit":24.*"roles":\["role:r","arkimeUser"\]'
json /api/user/x '{"userName":"X","enabled":false,"roles":["role:r"]}'
is 200 'disabled'
digest x:abc "$url/api/user"
is 403 'who is disabled stays out' 'not enabled'
json /api/users '{"filter":"!role:r","length":2}'
is 200 'a list of those without a role' '"recordsTotal":5,"recordsFiltered":4'
get --digest -u bob:secret -X POST "$url/api/users"
is 403 'not for everybody' 'permission'
get --digest -u ute:geheim -X POST "$url/api/users"
is 200 'for usersAdmin' '"success":true'
get --digest -u anna:geheim -H "x-arkime-cookie: $token" -X DELETE "$url/api/user/anna"
is 403 'nobody deletes oneself' 'Can not delete yourself'
get --digest -u anna:geheim -H "x-arkime-cookie: $(csrf --digest -u bob:secret)" -X DELETE "$url/api/user/x"
is 500 "another user's CSRF token" 'Timeout'
get --digest -u bob:secret -H "x-arkime-cookie: $(csrf --digest -u bob:secret)" -d 'roleId=role:r&newRoleState=true' "$url/api/user/ute/assignment"
is 200 'an assigner hands out the role'
get --digest -u bob:secret -H "x-arkime-cookie: $(csrf --digest -u bob:secret)" -d 'roleId=arkimeAdmin&newRoleState=true' "$url/api/user/bob/assignment"
is 403 'but no other'
get --digest -u bob:secret -H "x-arkime-cookie: $(csrf --digest -u bob:secret)" -d name=bob "$url/api/user/tokens"
is 200 'a token, without a choice of rights' '"rights":\[.*"write"\]'
bearer=$(sed 's/.*"token":"\([^"]*\)".*/\1/' body)
get -H "Authorization: Bearer $bearer" -d theme=z "$url/api/user/settings"
is 200 'may write' 'Updated user settings'
get -H "Authorization: Bearer $bearer" -d 'roleId=role:r&newRoleState=true' "$url/api/user/ute/assignment"
is 403 'but hands out no roles' 'permission'
json /api/user/tokens '{"name":"reader","rights":["read"]}'
is 200 'a token for reading only' '"rights":\["read"\]'
json /api/user '{"userId":"adam","userName":"A","password":"abc","roles":["arkimeAdmin"]}'
is 200 'an arkimeAdmin'
ute() { # ute CURL-ARGUMENTS...: as a usersAdmin
  get --digest -u ute:geheim -H "x-arkime-cookie: $ute" "$@"
}
ute=$(csrf --digest -u ute:geheim)
ute -d 'newPassword=mine' "$url/api/user/password?userId=adam"
is 403 'usersAdmin does not become arkimeAdmin by its password' 'Can not update an administrator'
ute -d 'userName=A' "$url/api/user/adam"
is 403 'nor changes it' 'Can not update an administrator'
ute -X DELETE "$url/api/user/adam"
is 403 'nor deletes it' 'Can not update an administrator'
digest adam:abc "$url/api/user"
is 200 'its password is what it was' '"userId":"adam"'
ute -d 'newPassword=anew' "$url/api/user/password?userId=x"
is 200 'but sets those of others' 'Changed password'
for n in $(seq 12); do json /api/user "{\"userId\":\"role:n$n\",\"userName\":\"N\"}"; done
for n in $(seq 12); do
  curl -s -o "assigned.$n" -H "Authorization: Bearer $all" -d "roleId=role:n$n&newRoleState=true" "$url/api/user/x/assignment" &
  assigning[n]=$!
done
wait "${assigning[@]}"
json /api/users '{"filter":"x"}'
check 'roles given at the same time are all there' python3 -c "
import json
x = [u for u in json.load(open('body'))['data'] if u['userId'] == 'x'][0]
raise SystemExit(0 if {'role:n%d' % n for n in range(1, 13)} <= set(x['roles']) else 1)"
json /api/user/password '{"currentPassword":"falsch","newPassword":"anders"}'
is 403 'a new password needs the old one' 'Current password mismatch'
json /api/user/password '{"currentPassword":"geheim","newPassword":"anders"}'
is 200 'a new password'
digest anna:geheim "$url/api/user"
is 401 'the old one is over'
digest anna:anders "$url/api/user"
is 200 'the new one works'
for _ in $(seq 11); do digest bob:falsch "$url/api/user"; done
is 429 'guessing is slowed down'
check 'with a time to wait' header Retry-After 60
stop
rows() { # rows NAME CONDITION: some row of the history in `store` fits: r, a dictionary
  check "$1" python3 -c "
import sqlite3, sys
c = sqlite3.connect('store/control.db')
c.row_factory = sqlite3.Row
sys.exit(0 if any($2 for r in map(dict, c.execute('select * from history'))) else 1)"
}
rows 'failed logins are in history' "r['api'] == 'login failed' and r['user'] == 'bob' and r['status'] == 401 and r['address'] == '127.0.0.1'"
rows 'what somebody may not do' "r['user'] == 'bob' and r['api'] == '/api/queries' and r['status'] == 403"
rows 'a CSRF token of somebody else' "r['user'] == 'anna' and r['method'] == 'DELETE' and r['api'] == '/api/user/x' and r['status'] == 500"
rows 'a user that was made' "r['user'] == 'anna' and r['api'] == '/api/user' and r['status'] == 200 and '\"userId\":\"x\"' in (r['body'] or '')"
rows 'a password that was changed' "r['api'] == '/api/user/password' and r['status'] == 200"
rows 'and one that was not' "r['api'] == '/api/user/password' and r['status'] == 403"
rows 'a token that was made' "r['user'] == 'bob' and r['api'] == '/api/user/tokens' and r['status'] == 200"
check 'no password is' sh -c "! grep -aq 'falsch\|anders' store/control.db"

# --- one-time link ---

start authMode=token
word=$(sed -n 's/^link //p' said)
get "$url/api/user"
is 401 'without the link nobody' 'Open the link'
get "$url/?token=$(printf '%s' "$word" | tr 'A-Za-z' 'N-ZA-Mn-za-m')"
is 401 'a wrong link'
get -c jar "$url/?token=$word"
is 302 'the link'
check 'its cookie is out of reach of scripts' header Set-Cookie '.*HttpOnly.*SameSite=Strict'
check 'the token leaves the address bar' header Location /$'\r'
get "$url/?token=$word"
is 401 'the link works once' 'used before'
get -b jar "$url/api/user"
is 200 'the cookie' '"userId":"anonymous"'
get -b jar -c jar "$url/logout"
get -b jar "$url/api/user"
is 401 'after the logout'
stop

mkdir both
start store="$work/both" authMode=basic+form authBasicWithoutTls=true user=anna:geheim:arkimeUser
get -c jar -d 'username=anna&password=geheim' "$url/api/login"
is 302 'a user logs in'
start store="$work/both" authMode=token
get -b jar "$url/api/user"
is 200 'by a link or not, that cookie is hers' '"userId":"anna"'
get -b jar "$url/api/queries"
is 403 'with her rights' 'permission'
stop

# --- forms, Basic, headers ---

"$server" viewPort=0 authMode=basic </dev/null >said 2>err
check 'passwords do not go without TLS' grep -q 'certFile' err
"$server" viewPort=0 authMode=other </dev/null >said 2>err
check 'modes that are not there are refused at start' grep -q 'takes one of' err
start authMode=basic+form authBasicWithoutTls=true user=anna:geheim:arkimeUser 'loginMessage=<Hello>'
get -u anna:geheim "$url/api/user"
is 200 'Basic' '"userId":"anna"'
get -u anna:falsch "$url/api/user"
is 401 'Basic with a wrong password'
get -H 'Authorization: Basic !!!' "$url/api/user"
is 400 'Basic that is none'
get "$url/sessions"
is 302 'a page leads to the form'
check 'it is at /auth' header Location /auth
get "$url/auth?to=//evil.example"
is 200 'the form' '&lt;Hello>'
check 'leads nowhere else' sh -c '! grep -q evil body'
get -d 'username=anna&password=falsch' "$url/api/login"
is 401 'a wrong password' 'wrong'
get -c jar -d 'username=anna&password=geheim&to=/spiview' "$url/api/login"
is 302 'logged in'
check 'on to where one wanted' header Location /spiview
get -d 'username=anna&password=geheim&to=https://evil.example' "$url/api/login"
check 'never to others' header Location /$'\r'
get -b jar "$url/api/user"
is 200 'the cookie of the form' '"userId":"anna"'
before=$(awk '/ARKIME-SID/{print $6 "=" $7}' jar)
get -b jar -c jar -d 'username=anna&password=geheim' "$url/api/login"
get -H "Cookie: $before" "$url/api/user"
is 401 'a new login of a browser ends the old one'
get -b jar "$url/api/user"
is 200 'and is good itself'
stop
start authMode=headerOnly userNameHeader=X-User requiredAuthHeader=X-Groups requiredAuthHeaderVal=soc,noc \
  user=Hanna:geheim:arkimeUser user=bob:geheim:arkimeUser
get -H 'X-User: anna' -H 'X-Groups: users, soc' "$url/api/user"
is 200 'the word of a proxy' '"userId":"anna"'
get -H 'X-User: anna' -H 'X-Groups: users' "$url/api/user"
is 403 'without the header it must have' 'requiredAuthHeader'
get -H 'X-User: bob' -H 'X-Groups: noc' "$url/api/user"
is 403 'a user who may not' 'by a header'
get -H 'X-User: otto' -H 'X-Groups: noc' "$url/api/user"
is 403 'a user who is not there'
get "$url/api/user"
is 403 'no word'
stop
start userAuthIps=10.0.0.0/8
get "$url/api/user"
is 403 'addresses outside of userAuthIps' 'userAuthIps'
stop

# --- TLS ---

if openssl req -x509 -newkey ec -pkeyopt ec_paramgen_curve:prime256v1 -nodes -keyout key.pem -out cert.pem -days 2 -subj /CN=localhost \
  -addext subjectAltName=DNS:localhost,IP:127.0.0.1 2>/dev/null; then
  start certFile="$work/cert.pem" keyFile="$work/key.pem" authMode=basic hstsHeader=true user=anna:geheim:arkimeUser
  url=https://127.0.0.1:$port
  get --cacert cert.pem -u anna:geheim "$url/api/user/settings"
  is 200 'TLS with Basic'
  check 'cookies are for TLS' header Set-Cookie '.*Secure'
  check 'HSTS' header Strict-Transport-Security max-age
  get --cacert cert.pem --tls-max 1.1 "$url/health"
  check 'no TLS 1.1' test "$failure" -ne 0
  get --cacert cert.pem --tls-max 1.2 "$url/health"
  is 200 'TLS 1.2'
  for weak in ECDHE-ECDSA-AES128-SHA ECDHE-ECDSA-AES256-SHA384 AES128-GCM-SHA256 DHE-RSA-AES128-SHA ECDHE-ECDSA-AES128-CCM8; do
    get --cacert cert.pem --tls-max 1.2 --ciphers "$weak:@SECLEVEL=0" "$url/health"
    check "not with $weak" test "$failure" -ne 0
  done
  get --cacert cert.pem "$url/test/much?megabytes=8"
  check 'a stream over TLS' test "$(wc -c <body)" -eq $((8 << 20))
  get "http://127.0.0.1:$port/health"
  check 'no plain HTTP there' test "$status" != 200
  stop
  check 'ends' test "$stopped" -eq 0
  openssl genpkey -algorithm EC -pkeyopt ec_paramgen_curve:prime256v1 -out other.pem 2>/dev/null
  "$server" viewPort=0 certFile="$work/cert.pem" keyFile="$work/other.pem" </dev/null >said 2>err
  check 'the key of another certificate' grep -q 'is not the key of' err
  "$server" viewPort=0 certFile="$work/cert.pem" </dev/null >said 2>err
  check 'a certificate without a key' grep -q 'TLS needs both' err
  "$server" viewPort=0 certFile="$work/large" keyFile="$work/key.pem" </dev/null >said 2>err
  check 'a file that is no certificate' grep -q 'large' err
fi
start
"$server" viewPort="$port" </dev/null >said2 2>err2
check 'a port that is taken' grep -q 'another program listens there' err2
stop

# --- what proxies and servers may read in different ways ---

raw() { # raw NAME STATUS TEXT: the first status that comes back; the connection ends with it
  local name=$1 wanted=$2
  printf "$3" | timeout 5 python3 -c '
import socket, sys
s = socket.create_connection(("127.0.0.1", int(sys.argv[1])), 4)
s.settimeout(4)
s.sendall(sys.stdin.buffer.read())
got = b""
try:
    while True:
        more = s.recv(65536)
        if not more: break
        got += more
except TimeoutError:
    got += b"\n(open)"
open("body", "wb").write(got)
sys.exit(0 if got.startswith(("HTTP/1.1 " + sys.argv[2]).encode()) and not got.endswith(b"(open)") and got.count(b"HTTP/1.1 ") == 1 else 1)' "$port" "$wanted"
  ok $? "$name"
}
start authMode=headerOnly userNameHeader=X-User requiredAuthHeader=X-Groups requiredAuthHeaderVal=soc user=Hanna:geheim:superAdmin user=Hbob:geheim:arkimeUser
h='Host: localhost\r\n'
who='X-Groups: soc\r\nConnection: close\r\n'
raw 'the word of a proxy, once' 200 "GET /api/user HTTP/1.1\r\n${h}${who}X-User: bob\r\n\r\n"
raw 'a name in front of that of the proxy' 400 "GET /api/user HTTP/1.1\r\n${h}${who}X-User: anna\r\nX-User: bob\r\n\r\n"
raw 'and behind it' 400 "GET /api/user HTTP/1.1\r\n${h}${who}x-user: bob\r\nX-USER: anna\r\n\r\n"
raw 'groups of our own beside it' 400 "GET /api/user HTTP/1.1\r\n${h}${who}X-User: bob\r\nX-Groups: noc\r\n\r\n"
raw 'a blank in front of the colon' 400 "GET /api/user HTTP/1.1\r\n${h}${who}X-User : anna\r\nX-User: bob\r\n\r\n"
raw 'two Hosts' 400 "GET /api/user HTTP/1.1\r\n${h}Host: evil.example\r\n${who}X-User: bob\r\n\r\n"
raw 'two lengths' 400 "POST /test/echo HTTP/1.1\r\n${h}Content-Length: 0\r\nContent-Length: 28\r\n\r\nGET /smuggled HTTP/1.1\r\n\r\n\r\n"
raw 'a length and a coding' 400 "POST /test/echo HTTP/1.1\r\n${h}Content-Length: 4\r\nTransfer-Encoding: chunked\r\n\r\n0\r\n\r\nGET /smuggled HTTP/1.1\r\n${h}\r\n"
raw 'two codings' 400 "POST /test/echo HTTP/1.1\r\n${h}Transfer-Encoding: chunked\r\nTransfer-Encoding: identity\r\n\r\n0\r\n\r\n"
raw 'a coding before HTTP/1.1' 400 "POST /test/echo HTTP/1.0\r\n${h}Transfer-Encoding: chunked\r\n\r\n0\r\n\r\n"
raw 'a trailer that names a user' 403 "GET /api/user HTTP/1.1\r\n${h}${who}Transfer-Encoding: chunked\r\n\r\n0\r\nX-User: anna\r\n\r\n"
raw 'an address for a proxy' 400 "GET http://evil.example/api/user HTTP/1.1\r\n${h}${who}X-User: bob\r\n\r\n"
stop

# --- floods ---

mkdir flood
start store="$work/flood" user=anna:geheim:superAdmin
children=()
for i in $(seq 80); do
  curl -s -o /dev/null -H "Authorization: Bearer seine_$i" "$url/api/user" &
  children+=($!)
done
wait "${children[@]}"
digest anna:geheim "$url/api/user"
is 200 'wrong tokens shut nobody out'
python3 - "$port" <<'PY' >body 2>&1
# The server reads what it is sent in its own time, so it is asked until the ceiling is reached, and until it is free again.
import socket, sys, time
def send(length, body):
    s = socket.create_connection(('127.0.0.1', int(sys.argv[1])))
    s.sendall(b'POST /test/echo HTTP/1.1\r\nHost: localhost\r\nContent-Type: text/plain\r\nContent-Length: %d\r\n\r\n' % length + body)
    return s
def until(status):
    end = time.monotonic() + 60
    while time.monotonic() < end:
        s = send(3, b'a=1')
        if s.recv(4096).startswith(b'HTTP/1.1 ' + status):
            return True
        s.close()
        time.sleep(0.05)
    return False
before = until(b'200')
held = [send(5242880, bytes(5242879)) for i in range(56)]
reached = until(b'503')
for s in held:
    s.close()
print(before, reached, until(b'200'))
PY
check 'bodies of strangers have a ceiling together, and go again' grep -q 'True True True' body
get -d a=1 "$url/test/echo"
is 200 'it is free again after them' '"a":"1"'
stop
check 'strangers do not fill the history' test "$(python3 -c "
import sqlite3
print(sqlite3.connect('flood/control.db').execute(\"select count(*) from history where api = 'login failed'\").fetchone()[0])")" = 60

# --- who stands behind a proxy ---

tries() { # tries PREFIX SUFFIX: ten wrong passwords, the number of the try in the X-Forwarded-For
  local i children=()
  for i in $(seq 10); do
    curl -s -o /dev/null -u anna:falsch -H "X-Forwarded-For: $1$i$2" "$url/api/user" &
    children+=($!)
  done
  wait "${children[@]}"
}
plain=(authMode=basic authBasicWithoutTls=true user=anna:geheim:superAdmin)
start "${plain[@]}"
tries 192.0.2. ''
get -u anna:geheim -H 'X-Forwarded-For: 192.0.2.99' "$url/api/user"
is 429 'who is not believed does not get new tries by another X-Forwarded-For'
stop
start "${plain[@]}" authTrustProxy=1 user=bob:geheim:arkimeUser
tries 198.51.100. ', 192.0.2.1'
get -u anna:geheim -H 'X-Forwarded-For: 203.0.113.9, 192.0.2.1' "$url/api/user"
is 429 'behind a proxy that is believed, the client is counted, whatever it wrote itself'
get -u anna:geheim -H 'X-Forwarded-For: 198.51.100.1' -H 'X-Forwarded-For: 192.0.2.1' "$url/api/user"
is 429 'also in two headers'
get -u anna:geheim -H 'X-Forwarded-For: 192.0.2.1, 192.0.2.2' "$url/api/user"
is 200 'and others are not shut out with it'
get -u bob:geheim -H 'X-Forwarded-Proto: https' -H 'X-Forwarded-For: 192.0.2.7' "$url/api/user/settings"
check 'TLS up to such a proxy makes cookies Secure' header Set-Cookie 'ARKIME-COOKIE.*Secure'
get -u bob:geheim -H 'X-Forwarded-Proto: https' "$url/api/user/settings"
check 'not when nobody stands in between' sh -c '! grep -qi "set-cookie.*secure" head'
stop
start "${plain[@]}" authCookieSecure=true
get -u anna:geheim "$url/api/user/settings"
check 'authCookieSecure makes every cookie Secure' header Set-Cookie 'ARKIME-COOKIE.*Secure'
stop
"$server" viewPort=0 authTrustProxy=everybody </dev/null >said 2>err
check 'authTrustProxy that is none' grep -q authTrustProxy err

# --- what the manual says ---

if [ -x "$seine" ] && [ -s "$seine" ]; then
  "$seine" help --api >body 2>err
  check 'docs/reference/api.md is what the program prints (seine help --api)' cmp body "$root/docs/reference/api.md"
  "$seine" help --openapi >body 2>err
  check 'the description is JSON' python3 -c 'import json; json.load(open("body"))["paths"]["/api/sessions"]["get"]'
fi

echo "1..$count"
[ "$failed" -eq 0 ]
