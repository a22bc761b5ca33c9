#!/usr/bin/env bash
# authMode=oidc against a provider of OpenID Connect made here: the way there and back with curl as the browser, and what a
# hostile browser, a hostile page and a hostile provider may send. TAP on standard output.
set -uo pipefail
root=$(cd "$(dirname "${BASH_SOURCE[0]}")/../.." && pwd)
. "$root/tests/integration/lib/server.bash"
provider=
trap '[ -z "$pid" ] || kill "$pid" 2>/dev/null; [ -z "$provider" ] || kill "$provider" 2>/dev/null; rm -rf "$work"' EXIT

for name in signer stranger; do openssl genpkey -algorithm RSA -pkeyopt rsa_keygen_bits:2048 -out "$name.pem" 2>/dev/null; done
cat >provider.py <<'PY'
# The file `how` says what is wrong with the next answers; what was asked for is in `asked`.
import base64, hashlib, hmac, http.server, json, os, re, subprocess, sys, time, urllib.parse
def b64(raw):
    return base64.urlsafe_b64encode(raw).rstrip(b'=').decode()
def how():
    return open('how').read().split()
codes = {}
class Handler(http.server.BaseHTTPRequestHandler):
    def log_message(self, *_):
        with open('asked', 'a') as f:
            f.write(self.requestline + '\n')
    def send(self, status, body=b'', **headers):
        self.send_response(status)
        for name, value in headers.items():
            self.send_header(name, value)
        self.send_header('Content-Length', str(len(body)))
        self.end_headers()
        self.wfile.write(body)
    def json(self, value, status=200):
        self.send(status, json.dumps(value).encode(), **{'Content-Type': 'application/json'})
    def do_GET(self):
        url = urllib.parse.urlsplit(self.path)
        q = dict(urllib.parse.parse_qsl(url.query))
        h = how()
        if 'down' in h:
            self.send(500)
        elif url.path == '/.well-known/openid-configuration':
            if 'huge' in h:
                self.send(200, b'{"issuer":"' + b'x' * (2 << 20) + b'"}')
                return
            self.json({'issuer': 'https://evil.example' if 'otherissuer' in h else issuer, 'authorization_endpoint': issuer + '/authorize',
                       'token_endpoint': issuer + '/token', 'jwks_uri': issuer + '/keys', 'userinfo_endpoint': issuer + '/me',
                       'token_endpoint_auth_methods_supported': ['client_secret_basic' if 'basic' in h else 'client_secret_post']})
        elif url.path == '/authorize':
            assert q['response_type'] == 'code' and q['code_challenge_method'] == 'S256' and 'openid' in q['scope'].split()
            code = b64(os.urandom(16))
            codes[code] = q
            back = {'code': code, 'state': q['state']}
            if 'refuse' in h:
                back = {'error': 'access_denied', 'state': q['state']}
            if 'iss' in h:
                back['iss'] = 'https://evil.example'
            self.send(302, Location=q['redirect_uri'] + '?' + urllib.parse.urlencode(back))
        elif url.path == '/keys':
            n = subprocess.run(['openssl', 'rsa', '-in', 'signer.pem', '-noout', '-modulus'], stdout=subprocess.PIPE, stderr=subprocess.DEVNULL).stdout
            n = bytes.fromhex(n.decode().split('=')[1].strip())
            self.json({'keys': [{'kty': 'RSA', 'kid': 'k1', 'use': 'sig', 'n': b64(n), 'e': 'AQAB'}]})
        elif url.path == '/me':
            if self.headers['Authorization'] != 'Bearer access':
                self.send(401)
                return
            self.json({'sub': 'somebody' if 'othersub' in h else 's1', 'preferred_username': os.environ.get('NAME', 'anna') if 'name' not in h else h[h.index('name') + 1],
                       'groups': ['soc', 'staff']})
        else:
            self.send(404)
    def do_POST(self):
        form = dict(urllib.parse.parse_qsl(self.rfile.read(int(self.headers['Content-Length'])).decode()))
        q = codes.pop(form.get('code'), None)
        h = how()
        secret = form.get('client_secret')
        if 'basic' in h:
            secret = base64.b64decode(self.headers['Authorization'].split()[1]).decode().split(':')[1]
        if not q or form.get('grant_type') != 'authorization_code' or form.get('redirect_uri') != q['redirect_uri'] or \
           b64(hashlib.sha256(form.get('code_verifier', '').encode()).digest()) != q['code_challenge'] or secret != 'hush':
            self.json({'error': 'invalid_grant'}, 400)
            return
        now = int(time.time())
        claims = {'iss': issuer, 'sub': 's1', 'aud': q['client_id'], 'exp': now + 300, 'iat': now, 'nonce': q['nonce']}
        if 'nonce' in h: claims['nonce'] = 'another'
        if 'nononce' in h: del claims['nonce']
        if 'aud' in h: claims['aud'] = 'another'
        if 'expired' in h: claims['exp'] = now - 3600
        if 'tokeniss' in h: claims['iss'] = 'https://evil.example'
        if 'azp' in h: claims.update(aud=[q['client_id'], 'another'], azp='another')
        header = {'alg': 'none' if 'none' in h else 'HS256' if 'hs256' in h else 'RS256', 'kid': 'k2' if 'kid' in h else 'k1'}
        text = b64(json.dumps(header).encode()) + '.' + b64(json.dumps(claims).encode())
        if 'none' in h:
            signature = b''
        elif 'hs256' in h:
            signature = hmac.new(b'hush', text.encode(), hashlib.sha256).digest()
        else:
            signature = subprocess.run(['openssl', 'dgst', '-sha256', '-sign', 'stranger.pem' if 'sig' in h else 'signer.pem'], input=text.encode(),
                                       stdout=subprocess.PIPE, check=True).stdout
        self.json({} if 'noid' in h else {'access_token': 'access', 'token_type': 'Bearer', 'id_token': text + '.' + b64(signature)})
server = http.server.ThreadingHTTPServer(('127.0.0.1', 0), Handler)
issuer = 'http://127.0.0.1:%d' % server.server_port
print(server.server_port, flush=True)
server.serve_forever()
PY
echo good >how
python3 provider.py >provider.said 2>provider.err &
provider=$!
for _ in $(seq 100); do [ -s provider.said ] && break; sleep 0.05; done
issuer=http://127.0.0.1:$(cat provider.said)
mine=$(python3 -c 'import socket; s = socket.socket(); s.bind(("127.0.0.1", 0)); print(s.getsockname()[1])')
back=http://127.0.0.1:$mine/auth/login/callback
settings=(viewPort="$mine" authMode=oidc authDiscoverURL="$issuer" authClientId=seine authClientSecret=hush authUserIdField=preferred_username
  authRedirectURIs="https://seine.example/auth/login/callback,$back" user=Hanna:geheim:arkimeUser user=bob:geheim:arkimeUser token=anna:8191)
location() { sed -n 's/^[Ll]ocation: \(.*\)\r$/\1/p' head; }
page() { get -b jar -c jar -H 'Accept: text/html' "$@"; }
# away [PATH]: to the provider and its answer's address in $answer; $there is where it was asked
away() {
  rm -f jar
  page "$url${1:-/}"
  there=$(location)
  get "$there"
  answer=$(location)
}
login() { # login [PATH]: the whole way; the last answer stays
  away "${1:-/}"
  page "$answer"
}

start "${settings[@]}"
get "$url/api/user"
is 401 'programs are not sent away' 'Log in'
get -H 'Accept: text/html' -H 'Sec-Fetch-Mode: no-cors' "$url/favicon.ico"
is 401 'nor pictures'
away '/sessions?date=-1&expression=port==80'
check 'a page begins a login' test "${there#"$issuer"/authorize?}" != "$there"
check 'with a challenge' test "${there#*code_challenge_method=S256}" != "$there"
check 'the secret stays here' sh -c "! printf %s '$there' | grep -q hush"
check 'the cookie is not for scripts' grep -q '^#HttpOnly_.*-LOGIN' jar
check 'the provider sends the browser back' test "${answer#"$back"?code=}" != "$answer"
page "$answer"
is 302 'the way back'
check 'goes on where it began' test "$(location)" = '/sessions?date=-1&expression=port==80'
check 'a cookie for the day' header Set-Cookie 'ARKIME-SID-.*Max-Age=86400; HttpOnly; SameSite=Lax'
check 'the other one goes' header Set-Cookie '.*-LOGIN=;.*Max-Age=0'
page "$url/api/user"
is 200 'who it is' '"userId":"anna"'
page "$answer"
is 403 'the same answer again' 'did not work'
page "$url/api/user"
is 200 'leaves the login as it is'
get -b jar -c jar "$url/logout"
page "$url/api/user"
is 401 'out again'
check 'the verifier and the secret went only by POST' sh -c "! grep -q 'verifier\|hush' asked"
get -H "Authorization: Bearer $(sed -n 's/^token //p' said)" "$url/api/user"
is 200 'API tokens work beside it'

# --- a hostile page or browser ---

away
rm -f jar
page "$answer"
is 403 'an answer in another browser' 'did not work'
away
page "${answer%state=*}state=AAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAA"
is 403 'a forged state' 'did not work'
away
page "${answer%&state=*}"
is 403 'no state' 'did not work'
away
first=$answer
cp jar kept
away
cp jar second
cp kept jar
page "$answer"
is 403 'the answer of another login' 'did not work'
cp second jar
page "${first%%&state=*}&state=${answer##*state=}"
is 403 'the code of another login' 'did not work'
away
sed -i 's/\(-LOGIN\t\)./\1x/' jar
page "$answer"
is 403 'a changed cookie' 'did not work'
away
page "$back?error=access_denied%3Cscript%3E&state=x"
is 403 'an error of no provider' 'did not work'
check 'is not repeated' sh -c '! grep -q script body'
away //evil.example/x
page "$answer"
check 'no way to somebody else' test "$(location)" = /
get -H 'Cookie: ' -H "Cookie: $(awk '/ARKIME-SID/{print $6; exit}' jar)=fixed" "$url/api/user"
is 401 'a cookie of our own choice'
rm -f jar
printf '#HttpOnly_127.0.0.1\tFALSE\t/\tFALSE\t0\t%s\t%s\n' "$(awk '/-LOGIN/{sub("-LOGIN", "", $6); print $6}' second)" fixed >jar
page "$url/"
there=$(location)
get "$there"
page "$(location)"
check 'a login gives a cookie of its own' sh -c '! grep -q "fixed$" jar'

# --- what the provider says ---

expect() { # expect STATUS NAME WORDS HOW...
  local status_wanted=$1 name=$2 words=$3
  shift 3
  echo "$*" >how
  login
  echo good >how
  is "$status_wanted" "$name" "$words"
}
expect 403 'another nonce' 'did not work' nonce
expect 403 'no nonce' 'did not work' nononce
expect 403 'another audience' 'did not work' aud
expect 403 'made for another party' 'did not work' azp
expect 403 'an expired token' 'did not work' expired
expect 403 'a token of another issuer' 'did not work' tokeniss
expect 403 'alg none' 'did not work' none
expect 403 'HS256 with the client secret' 'did not work' hs256
expect 403 'a wrong signature' 'did not work' sig
expect 403 'an unknown key' 'did not work' kid
expect 403 'no ID token' 'did not work' noid
expect 403 'information about somebody else' 'did not work' othersub
expect 403 'an answer of another issuer' 'did not work' iss
expect 403 'the provider says no' 'did not work' refuse
expect 403 'a user who is not here' 'this server does not' name otto
expect 403 'a user who may not come in by a header' 'this server does not' name bob
expect 403 'a role' 'does not say who you are' name role:x
login
is 302 'and anna still may'
get --digest -u anna:geheim "$url/api/user"
is 401 'no passwords'
stop
echo down >how
start "${settings[@]}"
page "$url/"
is 503 'a provider that is down' 'cannot be asked'
echo good >how
page "$url/"
is 503 'is not asked at every page' 'cannot be asked'
stop
for wrong in otherissuer huge; do
  echo "$wrong" >how
  start "${settings[@]}"
  page "$url/"
  is 503 "a provider that is $wrong" 'cannot be asked'
  stop
done
echo basic >how
start "${settings[@]}" authMode=basic+oidc authBasicWithoutTls=true authCookieSameSite=Strict authDiscoverURL="$issuer/.well-known/openid-configuration"
login
is 302 'a provider that wants Basic, found by its whole address'
check 'SameSite as it is set' header Set-Cookie 'ARKIME-SID-.*SameSite=Strict'
get -u anna:geheim "$url/api/user"
is 200 'basic+oidc: a password' '"userId":"anna"'
stop
echo good >how
refused() { # refused NAME WORDS SETTING...
  local name=$1 words=$2
  shift 2
  "$server" "${settings[@]}" viewPort=0 "$@" </dev/null >said 2>err
  check "$name" grep -q -- "$words" err
}
refused 'no field for the user' authUserIdField authUserIdField=
refused 'a provider over plain HTTP' 'does not begin with https' authDiscoverURL=http://idp.example
refused 'and in disguise' 'does not begin with https' authDiscoverURL=http://localhost@idp.example
refused 'the same for the way back' authRedirectURIs authRedirectURIs=http://seine.example/auth/login/callback
refused 'HS256' 'authJwtSecret' authJwsAlgorithm=HS256

echo "1..$count"
[ "$failed" -eq 0 ]
