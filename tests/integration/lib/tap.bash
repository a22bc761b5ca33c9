# What the integration tests share: cases in TAP, a work folder, captures, a server. Sourced; needs $root. $SEINE is the
# program; without it build/seine of this checkout.
seine=$(realpath "${SEINE:-$root/build/seine}")
[ -x "$seine" ] || { echo "Bail out! $seine is not there: tools/build release"; exit 1; }
golden=$root/tests/golden
work=$(mktemp -d)
pids=()
finish() {
  local pid
  for pid in "${pids[@]}"; do
    kill "$pid" 2>/dev/null && wait "$pid" 2>/dev/null
  done
  rm -rf "$work"
}
trap finish EXIT
cd "$work" || exit 1
export LC_ALL=C.UTF-8 TZ=UTC HOME=$work/home TMPDIR=$work/tmp
mkdir -p "$HOME" "$TMPDIR"
unset NO_COLOR XDG_CACHE_HOME XDG_DATA_HOME SEINE_STORE SEINE_URL SEINE_TOKEN SEINE_PASSWORD
count=0 failed=0 skipped=0 rc=0
: >"$work/out"
: >"$work/err"

ok() { # ok STATUS NAME: the last run's words follow a failure
  count=$((count + 1))
  if [ "$1" -eq 0 ]; then
    echo "ok $count - $2"
  else
    failed=$((failed + 1))
    echo "not ok $count - $2"
    echo "# ended with $rc; said:"
    head -c 1500 "$work/err" | sed 's/^/# /'
    head -c 600 "$work/out" | sed 's/^/# > /'
    echo
  fi
}
skip() {
  count=$((count + 1)) skipped=$((skipped + 1))
  echo "ok $count - $1 # SKIP $2"
}
plan() { # the last line of a test
  echo "1..$count"
  [ "$failed" -eq 0 ]
}
run() { "$seine" "$@" >"$work/out" 2>"$work/err"; rc=$?; }
says() { grep -q -- "$1" "$work/err"; }
shows() { grep -q -- "$1" "$work/out"; }
code() { # code WANTED NAME [WORDS OF STANDARD ERROR]
  local good=1
  [ "$rc" -eq "$1" ] && { [ $# -lt 3 ] || says "$3"; } && good=0
  ok $good "$2"
}
check() { # check NAME COMMAND...: the command decides
  local name=$1
  shift
  "$@" 2>>"$work/err"
  ok $? "$name"
}
json() { python3 -c "import json,sys; d=[json.loads(l) for l in open('$work/out')]; sys.exit(0 if ($1) else 1)"; }
waits() { # waits SECONDS COMMAND...: until the command succeeds
  local until=$((SECONDS + $1))
  shift
  while ! "$@" >/dev/null 2>&1; do
    [ $SECONDS -lt $until ] || return 1
    sleep 0.05
  done
}
# Starts the program in the background: start NAME ARGUMENTS...; $pid, its words in $work/NAME.out and .err.
start() {
  local name=$1
  shift
  : >"$work/$name.out" # of an earlier one of this name nothing may be read
  "$seine" "$@" >"$work/$name.out" 2>"$work/$name.err" &
  pid=$!
  pids+=("$pid")
}
link_of() { # link_of NAME: the link that a started server printed
  waits 20 grep -q ://. "$work/$1.out" || return 1
  link=$(grep -m1 -o 'https\?://[^ ]*' "$work/$1.out")
  base=${link%%\?*}
  base=${base%/}
}
stop() { # stop PID [SIGNAL]: ends it and gives its exit code in $rc
  kill -"${2:-INT}" "$1"
  wait "$1"
  rc=$?
}
