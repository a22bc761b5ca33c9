#!/usr/bin/env bash
# Ways to say who asks beyond passwords: tokens of other servers, made here as Arkime makes them. TAP on standard output.
set -uo pipefail
root=$(cd "$(dirname "${BASH_SOURCE[0]}")/../.." && pwd)
. "$root/tests/integration/lib/server.bash"

# --- other servers ---

# signed SECRET USER METHOD PATH [SECONDS]: the header x-arkime-auth in the form iv.cipher.hmac
signed() {
  local iv key text cipher
  iv=$(openssl rand -hex 16)
  key=$(printf %s "$1" | openssl dgst -sha256 -r | cut -d' ' -f1)
  text=$(python3 -c 'import json, sys, time; print(json.dumps({"date": int(time.time() * 1000) + 1000 * int(sys.argv[4]), "user": sys.argv[1], "node": "other", "path": sys.argv[3], "method": sys.argv[2]}), end="")' "$2" "$3" "$4" "${5:-0}")
  cipher=$(printf %s "$text" | openssl enc -aes-256-cbc -K "$key" -iv "$iv" | od -An -v -tx1 | tr -d ' \n')
  printf 'x-arkime-auth: %s.%s.%s' "$iv" "$cipher" "$(printf %s "$iv.$cipher" | openssl dgst -sha256 -mac HMAC -macopt "hexkey:$key" -r | cut -d' ' -f1)"
}
users=(user=anna:geheim:superAdmin user=bob:geheim:arkimeUser)
start serverSecret=shared "${users[@]}" sign=bob:GET:/api/user
get -H "$(signed shared bob GET /api/user)" "$url/api/user"
is 200 'a server asks for a user' '"userId":"bob"'
token=$(signed shared bob GET /api/user)
get -H "$token" "$url/api/user"
is 200 'once'
get -H "$token" "$url/api/user"
is 401 'and not twice' 'used before'
get -H "x-arkime-auth: $(sed -n 's/^sign //p' said)" "$url/api/user"
is 200 'what a server signs, a server reads' '"userId":"bob"'
get -H "$(signed shared bob GET /api/user)" "$url/api/user?x=1"
is 401 'for another target' 'another request'
get -X POST -H "$(signed shared bob GET /api/user/settings)" -d theme=x "$url/api/user/settings"
is 401 'for another method' 'another request'
get -X POST -H "$(signed shared bob POST /api/user/settings)" -d theme=x "$url/api/user/settings"
is 200 'a change needs no CSRF token' 'Updated user settings'
get -H "$(signed shared bob GET /api/user -121)" "$url/api/user"
is 401 'too old' 'clocks'
get -H "$(signed shared bob GET /api/user 125)" "$url/api/user"
is 401 'of the future' 'clocks'
get -H "$(signed other bob GET /api/user)" "$url/api/user"
is 401 'another secret' 'serverSecret'
get -H 'x-arkime-auth: {"iv":"00","salt":"00","data":"","tag":""}' "$url/api/user"
is 401 'no token at all' 'serverSecret'
get -H "$(signed shared role:x GET /api/user)" "$url/api/user"
is 401 'a role is nobody'
get -H "$(signed shared otto GET /api/user)" "$url/api/user"
is 403 'a user who is not here' 'not known here'
get -H "$(signed shared anna POST /api/users)" -X POST "$url/api/users"
is 403 'servers are no administrators' 'permission'
get -X POST -H "$(signed shared anna POST /api/user/tokens)" -d name=x "$url/api/user/tokens"
is 403 'and make no tokens' 'log in'
for _ in 1 2 3 4 5 6 7 8 9 10; do get -H 'x-arkime-auth: {}' "$url/api/user"; done
is 429 'who guesses waits'
get --digest -u bob:geheim "$url/api/user"
is 200 'but not the users from there'
stop
start webBasePath=/seine/ passwordSecret=old userNameHeader=x-user authMode=headerOnly "${users[@]}"
get -H "$(signed old bob GET /seine/api/user)" "$url/seine/api/user"
is 200 'passwordSecret stands in; the path as it is sent'
get -H "$(signed old bob GET /api/user)" "$url/seine/api/user"
is 200 'and without webBasePath'
stop
start "${users[@]}"
get -H "$(signed shared bob GET /api/user)" "$url/api/user"
is 401 'without a secret nobody is believed' 'not set'
get -H "$(signed '' bob GET /api/user)" "$url/api/user"
is 401 'least of all with an empty one'
stop
start authMode=s2s serverSecret=shared "${users[@]}"
get --digest -u bob:geheim "$url/api/user"
is 401 'authMode s2s: no people' 'other servers only'
get -H "$(signed shared bob GET /api/user)" "$url/api/user"
is 200 'only servers'
stop
"$server" viewPort=0 authMode=s2s </dev/null >said 2>err
check 's2s needs a secret' grep -q 'serverSecret' err

echo "1..$count"
[ "$failed" -eq 0 ]
