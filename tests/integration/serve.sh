#!/usr/bin/env bash
# `seine FILE` and `seine serve`: link, first rows, private stores that go, kept ones that stay, refusals. TAP on
# standard output.
set -uo pipefail
root=$(cd "$(dirname "${BASH_SOURCE[0]}")/../.." && pwd)
. "$root/tests/integration/lib/tap.bash"

sample=$golden/sample/sample.pcap
sessions=$("$seine" read -q --format json "$sample" | wc -l)
private() { find "$TMPDIR" "$HOME" -maxdepth 3 -name 'seine-??????' -type d | wc -l; }
filtered() { # filtered WANTED [QUERY]: sessions that the server answers
  curl -s -b jar "$base/api/sessions?date=-1&length=1${2:-}" |
    python3 -c "import json,sys; sys.exit(0 if json.load(sys.stdin)['recordsFiltered'] == $1 else 1)"
}
login() { curl -s -L -c jar -o page "$link"; }

# --- seine FILE ---

start file "$sample"
server=$pid
check 'seine FILE prints a link' link_of file
check 'with a one-time word' grep -q '[?]token=' file.out
check 'on loopback' grep -q '^http://127.0.0.1:' file.out
check 'the store is private while it lives' [ "$(private)" = 1 ]
check 'nobody else may look into it' [ "$(stat -c %a "$(find "$TMPDIR" -maxdepth 1 -name 'seine-*' -type d)")" = 700 ]
check 'without the word nobody gets in' [ "$(curl -s -o /dev/null -w '%{http_code}' "$base/api/sessions?date=-1")" -ge 400 ]
check 'the link lets in' login
check 'all sessions are served' waits 20 filtered "$sessions"
check 'packets, too' bash -c "curl -s -b jar '$base/api/sessions/pcap?date=-1&length=1000' >all.pcap && [ \$('$seine' read -q --format json all.pcap | wc -l) = $sessions ]"
rm -f jar2
check 'the word is good for one browser' [ "$(curl -s -L -c jar2 -o /dev/null -w '%{http_code}' "$link"; curl -s -b jar2 -o /dev/null -w '%{http_code}' "$base/api/sessions?date=-1")" != 200200 ]
stop "$server"
code 0 'Ctrl-C ends it'
check 'and the private store is gone' [ "$(private)" = 0 ]

start again "$sample"
link_of again
kill -9 "$pid"
wait "$pid" 2>/dev/null
check 'a killed one leaves its store' [ "$(private)" = 1 ]
start next "$sample"
server=$pid
link_of next
check 'which the next one removes' [ "$(private)" = 1 ]
first=$base
start beside "$sample"
beside=$pid
check 'a second one takes the next port' link_of beside
check 'another port' [ "$base" != "$first" ]
stop "$beside" TERM
code 0 'SIGTERM ends it'
run serve --listen "${first#http://}" "$sample"
code 3 'a port that was asked for and is taken' 'in use\|taken'
stop "$server"

# --- folders, standard input, nothing ---

mkdir folder && cp "$golden/dns/a.pcap" "$golden/http/get.pcap" folder/
start folder folder
server=$pid
link_of folder && login
want=$("$seine" read -q --format json folder | wc -l)
check 'seine FOLDER' waits 20 filtered "$want"
stop "$server"
cat "$sample" | "$seine" - >stdin.out 2>stdin.err &
server=$!
pids+=("$server")
link_of stdin && login
check 'seine - reads standard input' waits 20 filtered "$sessions"
check 'its packets can be fetched' bash -c "curl -s -b jar '$base/api/sessions/pcap?date=-1&length=1000' >in.pcap && [ \$('$seine' read -q --format json in.pcap | wc -l) = $sessions ]"
stop "$server"
echo text >text.pcap
run text.pcap
code 1 'a file that is no capture ends it' 'is no capture'
run nothing-there
code 2 'neither command nor file' 'no such file'
run serve
code 2 'nothing to serve' 'nothing to serve'
run serve --store nowhere
check 'a store that is not there' [ "$rc" -ne 0 ]
run serve --listen nonsense "$sample"
code 2 'an address that is none' 'ADDRESS:PORT'
run serve --listen 0.0.0.0:0 "$sample"
code 3 'beyond loopback without users it does not start' 'user'

# --- kept ---

start kept serve --keep case7 "$sample"
server=$pid
link_of kept && login
waits 20 filtered "$sessions"
stop "$server"
check '--keep: where the sessions are is said' grep -q "$HOME/.local/share/seine/case7" kept.err
run search --store "$HOME/.local/share/seine/case7" --count
check 'and they are' [ "$(cat out)" = "$sessions" ]
run serve --keep ../../etc "$sample"
code 2 'a name is no path' 'letters'

# --- a store that others fill ---

"$seine" import -q --store s "$golden/dns/a.pcap"
start store serve --store s --listen 127.0.0.1:0
server=$pid
check 'a store without users: anonymous on loopback' link_of store
check 'which is said' waits 5 grep -q 'no users' store.err
: >jar
before=$("$seine" search --store s --count)
check 'its sessions' waits 10 filtered "$before"
run import -q --store s "$golden/http/get.pcap"
code 0 'an import beside the server'
after=$("$seine" search --store s --count)
check 'more are there' [ "$after" -gt "$before" ]
check 'the server shows them' waits 10 filtered "$after"
check 'a request for another host is refused' [ "$(curl -s -o /dev/null -w '%{http_code}' -H 'Host: evil.example' "$base/api/sessions")" -ge 400 ]
stop "$server"
code 0 'its end'

plan
