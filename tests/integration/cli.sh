#!/usr/bin/env bash
# The command line as users meet it: exit codes, bad inputs, forms of output, export and back, signals. TAP on standard output.
# $SEINE is the program; without it build/seine of this checkout.
set -uo pipefail
root=$(cd "$(dirname "${BASH_SOURCE[0]}")/../.." && pwd)
. "$root/tests/integration/lib/tap.bash"
same() { [ -s "$1" ] && cmp -s "$1" "$2"; } # two files that hold something

# --- bad inputs ---

: >empty.pcap
echo 'nothing but text' >text.pcap
head -c 6 "$golden/dns/a.pcap" >half.pcap
head -c 24 "$golden/dns/a.pcap" >header.pcap
head -c 100 "$golden/http/get.pcap" >cut.pcap
python3 - "$golden/dns/a.pcap" <<'P'
import sys
data = bytearray(open(sys.argv[1], 'rb').read())
data[24 + 8:24 + 12] = b'\xff\xff\xff\x7f'          # the first record claims 2 GiB
open('lying.pcap', 'wb').write(data)
data = bytearray(open(sys.argv[1], 'rb').read())
data[24:28] = b'\xff\xff\xff\xff'                    # seconds at the end of 32 bits
open('late.pcap', 'wb').write(data)
P
mkdir no-captures && echo text >no-captures/readme.txt
mkdir folder && cp "$golden/dns/a.pcap" folder/ && cp text.pcap folder/notes.txt && mkdir folder/below && cp "$golden/http/get.pcap" folder/below/

run read empty.pcap
code 1 'an empty file is no capture' 'empty.pcap: is empty'
run read text.pcap
code 1 'a text file is no capture' 'text.pcap: is no capture'
run read half.pcap
code 1 'half a file header: where it ends is said' 'half.pcap: at byte 6: .*6 of 24 bytes'
run read header.pcap
code 0 'a capture without packets is a capture' '0 packets, 0 sessions'
run read cut.pcap
code 5 'a capture cut in a packet is read as far as it goes' 'cut.pcap: at byte 24: ends inside its last packet'
check 'its session is there' shows '"id":'
run read lying.pcap
code 5 'a length that lies is said and the rest is read' 'lying.pcap: at byte 24: '
check 'one packet of two is left' says '^seine: 1 packets, 1 sessions'
run read late.pcap
code 0 'the last second of 32 bits is a time'
run read --format table --utc late.pcap
check 'and shown in its year' shows '2106-02-07'
run read missing.pcap
code 1 'a missing file' 'missing.pcap: .*No such file'
run read no-captures
code 1 'a folder without captures' 'no captures in this folder'
run read 'none-*.pcap'
code 1 'a glob without files' 'matches no file'
run read missing.pcap "$golden/dns/a.pcap" text.pcap
code 5 'the others are still read' '^seine: 2 packets, 1 sessions'
run read folder
code 0 'a folder is read with all below it' '^seine: 12 packets, 2 sessions'
run read 'folder/*.pcap' 'folder/below/*'
code 0 'globs are expanded' '^seine: 12 packets, 2 sessions'
if [ "$(id -u)" -eq 0 ]; then
  skip 'no permission: exit code 4' 'root may read everything'
else
  cp "$golden/dns/a.pcap" secret.pcap && chmod 0 secret.pcap
  run read secret.pcap
  code 4 'no permission: exit code 4' 'Permission denied'
fi

# --- wrong use ---

run
code 2 'no command: wrong use' 'usage: seine COMMAND'
run raed x
code 2 'an unknown command is answered with the nearest' 'did you mean "read"'
run read
code 2 'nothing to read' 'nothing to read'
run read --fromat json x
code 2 'an unknown option is answered with the nearest' 'did you mean --format'
run read --format jsn x
code 2 'a wrong choice is answered with the right ones' 'table,json,arkime,csv,null'
run read --limit many x
code 2 'a number must be one' 'a number from'
run read --limit
code 2 'a value is missing' 'wants a value'
run read --quiet=yes x
code 2 'a value too many' 'takes no value'
run read --tz Nowhere/City "$golden/dns/a.pcap"
code 2 'a time zone that does not exist' 'no such time zone'
run read --fields host.dnss "$golden/dns/a.pcap"
code 2 'an unknown field is answered with the nearest' 'did you mean "host.dns"'
run read -f 'prot 53' "$golden/dns/a.pcap"
code 2 'a capture filter with a mistake' 'prot 53'
run half.pcap
code 1 'a file instead of a command is what seine serve takes' 'half.pcap: at byte 6: .*6 of 24 bytes'
run help raed
code 2 'help of an unknown command' 'did you mean "read"'
for command in serve import search pcap store user read export fields config bench version help; do
  run "$command" --help
  lines=$(wc -l <out)
  check "$command --help fits a screen and has examples" [ "$rc" -eq 0 -a "$lines" -le 36 -a -n "$(grep -A3 '^examples:' out | grep "seine $command\|seine --version\|$command")" ]
  cp out by-option
  run help "$command"
  check "help $command is the same page" same out by-option
done

# --- configuration ---

printf '[default]\ntcpTimeot=5\nudpTimeout=soon\n[overide-ips]\n10.0.0.0/8=tag:x\n[othernode]\ntcpTimeout=9\n' >bad.ini
run config check bad.ini
code 3 'all mistakes of a file are reported' 'bad.ini:2: unknown setting "tcpTimeot" (did you mean "tcpTimeout"?)'
check 'a bad value with its line' says 'bad.ini:3: udpTimeout = soon'
check 'an unknown section with the nearest' says 'did you mean \[override-ips\]'
check 'the section of another node is fine' [ -s err -a -z "$(grep othernode err)" ]
run read -C bad.ini "$golden/dns/a.pcap"
code 3 'nothing is read with a wrong configuration'
check 'and nothing is printed' [ "$rc" -eq 3 -a ! -s out ]
run read -C missing.ini "$golden/dns/a.pcap"
code 3 'a missing configuration file' 'missing.ini: the configuration file cannot be read'
run read -o udpTimeout=soon "$golden/dns/a.pcap"
code 3 'a wrong -o' 'udpTimeout = soon'
run config --sample
cp out sample.ini
run config check sample.ini
code 0 'the sample is a good file' 'sample.ini: good'
sed 's/^;//' sample.ini >full.ini
run config check full.ini
code 0 'so it is with every default taken in'
run config dump -o serverSecret=hushhush -o authClientSecret=hushhush
check 'secrets are not shown' bash -c "! grep -q hush out && grep -q 'not shown: serverSecret' out"
run config dump -o tcpTimeout=5m
check 'dump shows the value in force' shows '^tcpTimeout = 300$'
cp out dumped.ini
run config check dumped.ini
code 0 'what dump prints is a good file'
printf '[default]\npasswordSecret=hush\ntcpTimeout=600\npcapDir=/x\n[custom-fields]\na=db:b\n' >arkime.ini
run read -C arkime.ini --format null "$golden/dns/a.pcap"
code 0 'a configuration of Arkime is taken' '1 setting of Arkime that has no meaning here is ignored: pcapDir'
run config --from-arkime arkime.ini
code 0 'a configuration of Arkime is translated'
check 'what maps is there' shows '^tcpTimeout = 600$'
check 'also the secret that its servers share' shows '^passwordSecret = hush$'
cp out translated.ini
run config check translated.ini
code 0 'the translation is a good file'
run config frobnicate
code 2 'config knows what it cannot do' 'frobnicate'

# --- forms ---

get=$golden/http/get.pcap
run read "$get"
code 0 'into a file: a document per line'
check 'id is first' grep -q '^{"id":"[0-9]*-[A-Za-z0-9_-]\{22\}","@timestamp":' out
check 'documents keep Arkime keys' json "d[0]['http']['uri'][0].startswith('www.shop.example/search') and d[0]['source']['port'] == 48984"
id=$(sed 's/{"id":"\([^"]*\)".*/\1/' out)
run read --format arkime "$get"
check 'arkime: one object and nothing else' python3 -c "
import json
d = json.load(open('out'))
h = d['sessions3'][0]['header']['index']
assert list(d) == ['sessions3'] and h == {'_index': 'arkime_sessions3-' + '$id'.split('-')[0], '_id': '$id'}, d"
run read --format arkime -o autoGenerateId=true "$get"
check 'autoGenerateId: no _id' python3 -c "
import json
assert '_id' not in json.load(open('out'))['sessions3'][0]['header']['index']"
run read --format arkime header.pcap
check 'arkime: no sessions' [ "$(tr -d '\n' <out)" = '{"sessions3":[]}' ]
run read --format csv "$get" "$golden/dns/a.pcap"
check 'csv: a head and a line per session' python3 -c "
import csv
rows = list(csv.DictReader(open('out', newline='')))
assert len(rows) == 2 and {r['host.dns'] for r in rows} == {'', 'web.shop.example'} and rows[0]['starttime'].endswith('Z')"
run read --fields id,ip.src,db:source.port,dns.answer.ip "$golden/dns/a.pcap"
check 'csv: chosen columns, members of objects too' [ "$(tail -n 1 out | cut -d, -f2- | tr -d '\r')" = '192.0.2.10,47969,"198.51.100.80;198.51.100.81;198.51.100.53;2001:db8:2::53"' ]
run read --fields tags --tag '=cmd|calc' --tag 'say "hi"' "$golden/dns/a.pcap"
check 'csv: no formulas, quotes doubled' [ "$(tail -n 1 out | tr -d '\r')" = "\"'=cmd|calc;say \"\"hi\"\"\"" ]
run read --format null "$get"
check 'null: nothing' [ "$rc" -eq 0 -a ! -s out ]
run read --format table --utc "$golden/http" "$golden/dns" "$golden/tls" "$golden/smtp"
check 'table: sorted by start' bash -c "[ -s out ] && tail -n +2 out | grep -o '^[0-9-]* *[0-9:.]*' | sort -c"
check 'table: what it was about' grep -q 'web.shop.example A -> 198.51.100.80' out
run read --format table --utc "$get"
check 'table: the day and zone in the head' grep -q '^2026-11-21 UTC ' out
run read --format table --tz Asia/Tokyo "$get"
check 'table: another zone' grep -q '^2026-11-21 +09:00 ' out
run read --format table --limit 1 "$golden/dns"
check 'table: a limit' [ "$(wc -l <out)" -eq 2 ]
python3 - "$get" <<'P'
import sys
data = open(sys.argv[1], 'rb').read()
assert data.count(b'/search?q=red') == 1
open('hostile.pcap', 'wb').write(data.replace(b'/search?q=red', b'/\x1b[31m?q\xe2\x80\xae=d'))
P
run read --format table hostile.pcap
check 'table: captured text cannot colour or turn the terminal' python3 -c "
text = open('out', 'rb').read()
assert b'/' + bytes([92]) + b'x1b[31m?q' in text and bytes([27]) not in text and bytes([0xe2, 0x80, 0xae]) not in text, text"
run read --format table --fields tags "$get"
code 2 'columns belong to csv' '--fields'
LC_ALL=C run read --format table "$get"
check 'table: ASCII in a locale without UTF-8' bash -c '[ -s out ] && ! LC_ALL=C grep -q "[^ -~]" out'
run read --limit 3 --workers 1 "$golden/dns"
check 'json: a limit' [ "$(wc -l <out)" -eq 3 ]
run read -c 4 --format null "$get"
check '-c: packets' says '^seine: 4 packets'
run read -f 'udp port 53' "$golden/http" "$golden/dns/a.pcap"
check '-f: only those packets' says '^seine: 2 packets, 1 sessions'
run read --tag red --tag blue "$get"
check '--tag' json "d[0]['tags'] == ['red', 'blue']"
run read --node edge-1 "$get"
check '--node' json "d[0]['node'] == 'edge-1'"
printf '[default]\nprefix=all\n[edge-1]\nprefix=edge\n' >nodes.ini
run read --node edge-1 -C nodes.ini --format arkime "$get"
check 'the section of the node counts' shows '"_index":"edge_sessions3-'
run read -q --format null "$get"
check '-q: nothing said' [ "$rc" -eq 0 -a ! -s err ]
run read --stats json --format null "$get"
check '--stats json' python3 -c "
import json
d = json.loads(open('err').readline())
assert d['source']['packets'] == 10 and d['flow']['records'] == 1 and d['sessions'] == 1, d"
run read --progress json --format null "$golden"
check '--progress json: lines of JSON or none' python3 -c "
import json
assert $rc == 5
[json.loads(l)['progress']['bytes'] for l in open('err') if l.startswith('{')]"
run version --json
check 'version --json' python3 -c "
import json
d = json.load(open('out'))
assert 'dns' in d['protocols'] and d['libraries']['zlib'] and d['version'], d"
run --version
code 0 '--version'

# --- the same documents for any number of workers ---

sessions() { sed 's/"@timestamp":[0-9]*,//' | sort; }
each_with() { # each capture by itself, with so many workers
  for capture in "$golden"/http/*.pcap "$golden"/dns/*.pcap "$golden"/icmp/*.pcap; do
    "$seine" read -q --workers "$1" "$capture" 2>/dev/null | sessions
  done
}
each_with 1 >one
for workers in 2 4; do
  each_with $workers >many
  check "$workers workers make what one makes" same one many
done
check 'and there are some' [ "$(wc -l <one)" -gt 100 ]

# --- standard input and compressed captures ---

"$seine" read -q "$get" | sessions >plain
"$seine" read -q - <"$get" | sessions >piped
check 'standard input gives the same' same plain piped
gzip -k -c "$get" >get.pcap.gz
xz -k -c "$get" >get.pcap.xz 2>/dev/null || cp get.pcap.gz get.pcap.xz
tar cf two.tar -C "$golden" http/get.pcap dns/a.pcap
for packed in get.pcap.gz get.pcap.xz; do
  "$seine" read -q "$packed" | sessions >unpacked
  check "$packed gives the same" same plain unpacked
done
"$seine" read -q - <get.pcap.gz | sessions >piped
check 'compressed standard input gives the same' same plain piped
run read two.tar
code 0 'captures inside an archive' '^seine: 12 packets, 2 sessions'

# --- export ---

# A session's document but for what depends on where its packets lie.
content() { sed 's/"@timestamp":[0-9]*,//; s/"id":"[^"]*",//; s/"packetPos":\[[^]]*\],*//; s/"fileId":\[[^]]*\],*//; s/"packetLen":\[[^]]*\],*//' | sort; }
"$seine" read -q "$get" | content >before
for form in pcap pcapng; do
  run export --id "$id" -w "out.$form" "$get" "$golden/dns/a.pcap"
  code 0 "export to $form" "10 packets of 1 session to out.$form"
  "$seine" read -q "out.$form" | content >after
  check "$form read again gives the same session" same before after
done
check 'pcap is pcap' [ "$(head -c 4 out.pcap | od -An -tx1 | tr -d ' ')" != 0a0d0d0a ]
check 'pcapng names the session' grep -aq "session $id" out.pcapng
run export --flow 198.51.100.80:80-192.0.2.10:48984/tcp -w turned.pcap "$get"
check 'by its ends, in the other direction' same turned.pcap out.pcap
run export --flow 198.51.100.80-192.0.2.10 -w any.pcap "$get"
check 'without ports' same any.pcap out.pcap
v6=$golden/http/ipv6.pcap
"$seine" read -q --fields ip.src,port.src,ip.dst,port.dst "$v6" >ends
flow=$(sed -n '2s/\r//p' ends | awk -F, '{print "[" $1 "]:" $2 "-[" $3 "]:" $4}')
run export --flow "$flow" -w v6.pcap "$v6"
code 0 'IPv6 ends' 'packets of 1 session'
for input in get.pcap.gz get.pcap.xz two.tar; do
  run export --id "$id" -w packed.pcap "$input"
  check "export from $input" same packed.pcap out.pcap
done
"$seine" export -q --id "$id" - <get.pcap.gz >piped.pcapng 2>err
rc=$?
check 'export from and to a pipe' same piped.pcapng out.pcapng
run export --id 140529-AAAAAAAAAAAAAAAAAAAAAA -w none.pcap "$get"
code 1 'no such session' 'no session has the id'
check 'then no file is made' [ "$rc" -eq 1 -a ! -e none.pcap ]
run export --id bad -w none.pcap "$get"
code 2 'no id' 'is no session id'
run export --flow 10.0.0.1 -w none.pcap "$get"
code 2 'no flow' 'is no connection'
run export -w none.pcap "$get"
code 2 'nothing chosen' 'no session is chosen'
cp "$get" self.pcap
run export --id "$id" -w self.pcap self.pcap
check 'an input is not written over' [ "$rc" -eq 2 -a "$(cmp "$get" self.pcap; echo $?)" = 0 ]
run export --id "$id" -w nowhere/out.pcap "$get"
code 2 'a place that does not exist' 'nowhere'
# a session in pieces: the id brings all of them, with its number one of them
run read -o maxPackets=4 "$get"
check 'pieces have numbers and name the first' json "sorted(x['id'][len('$id'):] for x in d)[:2] == ['', '-2'] and {x['rootId'] for x in d} == {'$id'}"
run export -o maxPackets=4 --id "$id" -w whole.pcap "$get"
check 'the id brings all pieces' same whole.pcap out.pcap
run export -o maxPackets=4 --id "$id-2" -w piece.pcap "$get"
code 0 'a piece by its number' '4 packets of 1 session'

# --- full disks, closed pipes, signals ---

if [ -w /dev/full ]; then
  "$seine" read "$get" >/dev/full 2>err
  rc=$?
  code 7 'a full disk: standard output' 'No space left on device'
  run export --id "$id" -w /dev/full "$get"
  code 7 'a full disk: -w' 'No space left on device'
else
  skip 'a full disk' 'there is no /dev/full'
fi
"$seine" read "$golden/dns" 2>err | head -n 1 >out
check 'a reader that goes away is nothing to talk about' bash -c '[ -s out ] && ! grep -qi "pipe" err'
mkfifo fifo
for signal in TERM INT; do
  rm -f drained
  # writes the capture, says when all of it was taken out of the pipe, and leaves the pipe open
  python3 -c "
import fcntl, sys, termios, time
sys.stdout.buffer.write(open(sys.argv[1], 'rb').read())
sys.stdout.buffer.flush()
while any(fcntl.ioctl(1, termios.FIONREAD, bytes(4))):
    time.sleep(0.02)
open('drained', 'w').close()
time.sleep(60)" "$get" >fifo &
  feeder=$!
  # a shell without job control starts background programs with SIGINT ignored: python gives it back
  python3 -c "import os, signal, sys; signal.signal(signal.SIGINT, signal.SIG_DFL); os.execv(sys.argv[1], sys.argv[1:])" \
    "$seine" read - <fifo >out 2>err &
  reader=$!
  for ((i = 0; i < 1500; i++)); do
    [ -e drained ] && break
    sleep 0.02
  done
  sleep 0.5 # what was taken is looked at
  kill -s $signal $reader
  wait $reader
  rc=$?
  kill $feeder 2>/dev/null
  wait $feeder 2>/dev/null
  code $((128 + $(kill -l $signal))) "SIG$signal: what was read is saved" '10 packets, 1 sessions.*interrupted'
  check 'and the document is whole' json "len(d) == 1 and d[0]['network']['packets'] == 10"
done

# --- fields, bench ---

run fields --json
check 'fields --json is an array with stable keys' python3 -c "
import json
d = json.load(open('out'))
keys = ['name', 'path', 'type', 'protocol', 'title', 'help', 'flags']
assert len(d) > 150 and all(list(f)[:7] == keys for f in d) and [f['path'] for f in d] == sorted(f['path'] for f in d)
assert len({f['name'] for f in d if f['name']}) == len([f for f in d if f['name']])"
run fields dns answer
check 'fields WORD...' bash -c "[ $rc -eq 0 ] && grep -q 'dns.answer.ip' out && ! grep -q 'http.uri' out"
run fields no-such-thing
code 1 'fields: nothing found' 'no field fits'
run bench --repeat 1 --json "$get"
check 'bench --json' python3 -c "
import json
d = json.load(open('out'))
assert d['packets'] == 10 and d['sessions'] == 1 and d['oneWorker']['cpuSeconds'] > 0 and d['nsPerPacket']['all'] > 0, d"
run bench --repeat 1 --workers 2 two.tar
check 'bench unpacks' shows '12 packets, 2 sessions'
run bench text.pcap
check 'bench without packets' [ "$rc" -eq 1 ]

plan
over=$?
echo "$((count - failed - skipped)) passed, $failed failed$([ $skipped -eq 0 ] || echo ", $skipped skipped")"
exit $over
