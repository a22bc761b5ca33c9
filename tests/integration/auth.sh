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

# --- tokens that somebody else signs ---

openssl genpkey -algorithm RSA -pkeyopt rsa_keygen_bits:2048 -out signer.pem 2>/dev/null
openssl pkey -in signer.pem -pubout -out signer.pub
openssl genpkey -algorithm RSA -pkeyopt rsa_keygen_bits:2048 -out stranger.pem 2>/dev/null
# jwt KEY CLAIMS [HEADER]: {iss, aud, exp} unless the claims say otherwise; KEY none: no signature, hmac:TEXT: HS256
jwt() {
  python3 - "$@" <<'PY'
import base64, hashlib, hmac, json, subprocess, sys, time
def b64(raw):
    return base64.urlsafe_b64encode(raw).rstrip(b'=')
key = sys.argv[1]
algorithm = 'none' if key == 'none' else 'HS256' if key.startswith('hmac:') else 'RS256'
claims = {'iss': 'https://idp.example', 'aud': 'seine', 'exp': int(time.time()) + 300}
claims.update(json.loads(sys.argv[2]))
claims = {k: v for k, v in claims.items() if v is not None}
header = json.loads(sys.argv[3]) if len(sys.argv) > 3 else {'alg': algorithm}
text = b64(json.dumps(header).encode()) + b'.' + b64(json.dumps(claims).encode())
if key == 'none':
    signature = b''
elif key.startswith('hmac:'):
    signature = hmac.new(open(key[5:], 'rb').read(), text, hashlib.sha256).digest()
else:
    signature = subprocess.run(['openssl', 'dgst', '-sha256', '-sign', key], input=text, stdout=subprocess.PIPE, check=True).stdout
print((text + b'.' + b64(signature)).decode())
PY
}
with() { # with TOKEN [CURL-ARGUMENTS]
  local word=$1
  shift
  get -H "X-Jwt: $word" "$@" "$url/api/user"
}
signed=(authMode=header-jwt userNameHeader=X-Jwt authUserIdField=sub authJwtIssuer=https://idp.example authJwtAudience=seine)
start "${signed[@]}" authJwtKeyFile="$work/signer.pub" user=Hanna:geheim:arkimeUser user=bob:geheim:arkimeUser token=anna:8191
with "$(jwt signer.pem '{"sub":"anna"}')"
is 200 'a signed token' '"userId":"anna"'
with "Bearer $(jwt signer.pem '{"sub":"anna"}')"
is 200 'with the word Bearer' '"userId":"anna"'
get "$url/api/user"
is 403 'none' 'did not say'
with "$(jwt stranger.pem '{"sub":"anna"}')"
is 401 'signed by a stranger' 'not believed'
with "$(jwt none '{"sub":"anna"}')"
is 401 'not signed' 'not believed'
with "$(jwt hmac:signer.pub '{"sub":"anna"}')"
is 401 'the public key taken for a secret' 'not believed'
with "$(jwt hmac:signer.pub '{"sub":"anna"}' '{"alg":"RS256"}')"
is 401 'the same under another name' 'not believed'
with "$(jwt signer.pem '{"sub":"anna","exp":1}')"
is 401 'too old' 'not believed'
with "$(jwt signer.pem '{"sub":"anna","exp":null}')"
is 401 'for ever' 'not believed'
with "$(jwt signer.pem "{\"sub\":\"anna\",\"nbf\":$(($(date +%s) + 3600))}")"
is 401 'too early' 'not believed'
with "$(jwt signer.pem '{"sub":"anna","aud":"other"}')"
is 401 'for somebody else' 'not believed'
with "$(jwt signer.pem '{"sub":"anna","iss":"https://evil.example"}')"
is 401 'by somebody else' 'not believed'
with "$(jwt signer.pem '{"sub":"bob"}')"
is 403 'a user who may not come in by a header' 'by a header'
with "$(jwt signer.pem '{"sub":"otto"}')"
is 403 'a user who is not here' 'not known'
with "$(jwt signer.pem '{"sub":"role:x"}')"
is 403 'a role' 'does not name a user'
with "$(jwt signer.pem '{"sub":["anna"]}')"
is 403 'a claim that is no text' 'does not name a user'
with "$(jwt signer.pem '{"sub":"anna\u0000x"}')"
is 403 'a NUL in it' 'does not name a user'
with "$(jwt signer.pem '{"sub":"anna"}')" -H "X-Jwt: $(jwt none '{"sub":"bob"}')"
check 'two of them: no user of the second' sh -c '! grep -q bob body'
get -H "Authorization: Bearer $(sed -n 's/^token //p' said)" "$url/api/user"
is 200 'API tokens work beside them'
stop
start "${signed[@]}" userNameHeader=Authorization authJwtKeyFile="$work/signer.pub" authJwtRequiredScopes=seine,packets authJwtUserIdPrefix=idp- \
  user=Hidp-anna:geheim:arkimeUser token=idp-anna:8191
get -H "Authorization: Bearer $(jwt signer.pem '{"sub":"anna","scope":"openid seine packets"}')" "$url/api/user"
is 200 'in Authorization, with scopes and a prefix' '"userId":"idp-anna"'
get -H "Authorization: Bearer $(jwt signer.pem '{"sub":"anna","scp":["packets","seine"]}')" "$url/api/user"
is 200 'scopes as a list'
get -H "Authorization: Bearer $(jwt signer.pem '{"sub":"anna","scope":"openid seine packetsx"}')" "$url/api/user"
is 403 'a scope that is missing' 'authJwtRequiredScopes'
get -H "Authorization: Bearer $(sed -n 's/^token //p' said)" "$url/api/user"
is 200 'and API tokens'
stop
printf 'a secret of more than 32 characters' >hs
start "${signed[@]}" authJwtSecret="$(cat hs)" authJwtAlgorithms=HS256 user=Hanna:geheim:arkimeUser
with "$(jwt hmac:hs '{"sub":"anna"}')"
is 200 'HS256 with a secret'
with "$(jwt signer.pem '{"sub":"anna"}')"
is 401 'then no RS256'
stop
refused() { # refused NAME WORDS SETTING...
  local name=$1 words=$2
  shift 2
  "$server" viewPort=0 authMode=header-jwt userNameHeader=X-Jwt authUserIdField=sub "$@" </dev/null >said 2>err
  check "$name" grep -q -- "$words" err
}
refused 'no keys' 'needs one of'
refused 'keys for everybody need an issuer' authJwtIssuer authJwtJwksUrl=https://idp.example/keys
refused 'and an audience' authJwtAudience authJwtJwksUrl=https://idp.example/keys authJwtIssuer=x
refused 'keys over plain HTTP' 'does not begin with https' authJwtJwksUrl=http://idp.example/keys authJwtIssuer=x authJwtAudience=y
refused 'a short secret' '32 characters' authJwtSecret=short authJwtAlgorithms=HS256
refused 'HS256 beside public keys' 'authJwtSecret' authJwtKeyFile="$work/signer.pub" authJwtAlgorithms=RS256,HS256
refused 'RS256 with a secret' 'public keys' authJwtSecret="$(cat hs)"
refused 'no algorithm at all' 'no algorithm that is taken' authJwtKeyFile="$work/signer.pub" authJwtAlgorithms=none
refused 'a key file that is none' 'no public key' authJwtKeyFile="$work/hs"

# --- one-time passwords ---

totp() { # totp SECRET [STEPS AHEAD]
  python3 -c 'import base64, hashlib, hmac, struct, sys, time
h = hmac.new(base64.b32decode(sys.argv[1]), struct.pack(">Q", int(time.time()) // 30 + int(sys.argv[2])), hashlib.sha1).digest()
o = h[19] & 15
print("%06d" % ((struct.unpack(">I", h[o:o + 4])[0] & 0x7fffffff) % 1000000))' "$1" "${2:-0}"
}
form=(authMode=basic+form authBasicWithoutTls=true store="$work/totp")
mkdir totp
start "${form[@]}" user=adam:geheim:arkimeAdmin user=ute:geheim:superAdmin user=bob:geheim:arkimeUser token=adam:8191
log_in() { # log_in USER PASSWORD [CODE]: into the jar of the user
  rm -f "jar.$1"
  get -c "jar.$1" -H 'Content-Type: application/json' -d "{\"username\":\"$1\",\"password\":\"$2\",\"code\":\"${3-}\"}" "$url/api/login"
}
post() { # post USER PATH [BODY]
  local csrf body=${3-}
  csrf=$(curl -s -b "jar.$1" -c - -o /dev/null "$url/api/user/settings" | awk '$6 == "ARKIME-COOKIE" { print $7 }')
  get -b "jar.$1" -H "x-arkime-cookie: $csrf" -H 'Content-Type: application/json' -d "${body:-[]}" "$url$2"
}
log_in bob geheim
post bob /api/user/totp/setup
is 403 'not for everybody' administrators
get -H "Authorization: Bearer $(sed -n 's/^token //p' said)" -X POST "$url/api/user/totp/setup"
is 403 'nor for tokens' 'log in'
log_in adam geheim
is 200 'an administrator without one'
get -b jar.adam -X POST "$url/api/user/totp/setup"
is 500 'not without the CSRF token' 'Missing token'
get -b jar.adam "$url/api/user/totp/status"
is 200 'there is none' '"enabled":false,"pending":false,"asked":true'
post adam /api/user/totp/confirm '{"code":"000000"}'
is 403 'nothing to confirm' 'No one-time password'
post adam /api/user/totp/setup
is 200 'set up' 'otpauth://totp/Seine:adam?secret='
secret=$(sed 's/.*"secret":"\([^"]*\)".*/\1/' body)
check 'it is not in the database' sh -c "! grep -aq $secret totp/control.db totp/control.db-wal"
log_in adam geheim
is 200 'it does not count yet'
post adam /api/user/totp/confirm "{\"code\":\"$(totp "$secret" 5)\"}"
is 403 'a wrong code' 'wrong'
now=$(totp "$secret")
post adam /api/user/totp/confirm "{\"code\":\"$now\"}"
is 200 'confirmed' 'from now on'
log_in adam geheim
is 401 'the password alone does not do' 'one-time password is wrong'
cp body refusal
log_in adam falsch "$(totp "$secret" 1)"
check 'a wrong password is told in the same words' cmp body refusal
log_in adam geheim "$now"
is 401 'nor a code that was used'
get -u adam:geheim "$url/api/user"
is 403 'Basic is no way around it' 'log in by the form'
get -u bob:geheim "$url/api/user"
is 200 'others come in by Basic as before'
log_in adam geheim "$(totp "$secret" 1)"
is 200 'with the next code'
post adam /api/user/totp/setup
is 403 'not a second one' 'already'
for _ in 1 2 3 4 5 6; do post adam /api/user/totp/disable '{"code":"000000"}'; done
is 429 'five codes a minute' 'wait a minute'
stop
start "${form[@]}"
log_in adam geheim 000000
is 429 'also after a restart'
log_in ute geheim
post ute /api/user/totp/disable '{"userId":"bob"}'
is 200 'a superAdmin takes those of others away'
post ute /api/user/totp/disable '{"userId":"adam"}'
is 200 'and that of one who lost the telephone'
log_in adam geheim
is 200 'who is back with the password'
get -b jar.ute "$url/api/user/totp/other"
is 404 'no other word'
stop

echo "1..$count"
[ "$failed" -eq 0 ]
