# What tests of the bare server share: build/tests/http/test-server beside $SEINE (the API without a store), curl, cases in
# TAP. Sourced; needs $root.
seine=$(realpath "${SEINE:-$root/build/seine}")
server=$(dirname "$seine")/tests/http/test-server
command -v curl >/dev/null || { echo "1..0 # SKIP curl is not installed"; exit 0; }
[ -x "$server" ] || { echo "1..0 # SKIP $server is not built"; exit 0; }
work=$(mktemp -d)
pid=
trap '[ -z "$pid" ] || kill "$pid" 2>/dev/null; rm -rf "$work"' EXIT
cd "$work" || exit 1
count=0 failed=0
status=0

ok() { # ok STATUS NAME
  count=$((count + 1))
  if [ "$1" -eq 0 ]; then
    echo "ok $count - $2"
  else
    failed=$((failed + 1))
    echo "not ok $count - $2"
    { echo "status $status"; head -c 600 body | tr -cd '\11\12\40-\176'; echo; head -c 900 head; echo; tail -n 3 err; } 2>/dev/null | sed 's/^/# /'
  fi
}
start() { # start SETTING=VALUE...: a new server; its address in $url
  stop
  rm -f pipe && mkfifo pipe
  "$server" viewPort=0 "$@" <pipe >said 2>err &
  pid=$!
  exec 7>pipe
  for _ in $(seq 200); do
    grep -q '^port' said && break
    kill -0 "$pid" 2>/dev/null || break
    sleep 0.05
  done
  port=$(sed -n 's/^port //p' said)
  url=http://127.0.0.1:$port
}
stop() {
  [ -n "$pid" ] || return 0
  exec 7>&-
  wait "$pid"
  stopped=$?
  pid=
}
get() { # get CURL-ARGUMENTS...: status in $status, head and body in files
  : >body
  status=$(curl -s -m 30 -D head -o body -w '%{http_code}' "$@")
  failure=$?
}
is() { # is STATUS NAME [WORDS IN THE BODY]
  local good=1
  [ "$status" = "$1" ] && { [ $# -lt 3 ] || grep -q -- "$3" body; } && good=0
  ok $good "$2"
}
check() { # check NAME COMMAND...
  local name=$1
  shift
  "$@" >/dev/null 2>&1
  ok $? "$name"
}
header() { grep -qi -- "^$1: $2" head; }
lacks() { ! grep -qi -- "^$1:" head; }
digest() { get --digest -u "$@"; }
# the CSRF token that a login's cookies hold
csrf() { curl -s -m 30 -o /dev/null -c - "$@" "$url/api/user/settings" | awk '$6 == "ARKIME-COOKIE" { print $7 }'; }
