#!/usr/bin/env bash
# Many clients at once: 32 of them ask everything for CLIENT_SECONDS (5), some change their settings, some leave in the
# middle; every answer must have the right status and be whole, and the server must end well. With a build that has
# ThreadSanitizer or AddressSanitizer as $SEINE its findings fail the test. TAP on standard output.
set -uo pipefail
root=$(cd "$(dirname "${BASH_SOURCE[0]}")/../.." && pwd)
# shellcheck source=tests/integration/lib/tap.bash
. "$root/tests/integration/lib/tap.bash"

cat >clients.py <<'P'
import http.client, json, os, random, socket, sys, threading, time

host, port, seconds, clients = sys.argv[1], int(sys.argv[2]), float(sys.argv[3]), 32
reads = ['/api/sessions?date=-1&length=20', '/api/sessions?date=-1&expression=protocols%3D%3Ddns&facets=1',
         '/api/spiview?date=-1&spi=source.ip:10,protocols:5', '/api/spigraph?date=-1&exp=protocols',
         '/api/unique?date=-1&exp=ip.dst&counts=1', '/api/connections?date=-1', '/api/sessions/csv?date=-1', '/api/user',
         '/api/sessions/pcap?date=-1&expression=protocols%3D%3Ddns', '/api/fields?array=true', '/api/beacons?date=-1',
         '/api/sessions/summary?date=-1&fields=protocols,ip.src', '/api/multiunique?date=-1&exp=ip.src,ip.dst', '/health',
         '/api/buildquery?date=-1&expression=ip%3D%3D1.2.3.4', '/', '/api/histories?length=5', '/api/stats']
problems, done, lock = [], 0, threading.Lock()


def token():
    c = http.client.HTTPConnection(host, port, timeout=60)
    c.request('GET', '/api/user/settings')
    r = c.getresponse()
    r.read()
    return r.getheader('Set-Cookie').split('ARKIME-COOKIE=')[1].split(';')[0]


def ask(c, dice, csrf):
    kind = dice.random()
    if kind < 0.05:
        c.request('GET', '/api/nothing')
        return 404
    if kind < 0.15:
        c.request('POST', '/api/user/settings', json.dumps({'n': dice.random()}),
                  {'Content-Type': 'application/json', 'x-arkime-cookie': csrf})
    elif kind < 0.2:
        c.request('POST', '/api/user/settings', '{"n":', {'Content-Type': 'application/json'})
        return 400
    else:
        c.request('GET', dice.choice(reads), headers={'Accept-Encoding': dice.choice(('gzip', 'zstd', 'identity'))})
    return 200


def leave(dice):
    s = socket.create_connection((host, port))
    s.sendall(b'GET %s HTTP/1.1\r\nHost: localhost\r\n\r\n' % dice.choice(reads).encode())
    s.close()


def client(number, csrf, until):
    global done
    dice = random.Random(number)
    c = http.client.HTTPConnection(host, port, timeout=120)
    while time.monotonic() < until:
        try:
            if dice.random() < 0.03:
                leave(dice)
                continue
            wanted = ask(c, dice, csrf)
            r = c.getresponse()
            r.read()
            if r.status != wanted:
                problems.append('%d in place of %d' % (r.status, wanted))
            with lock:
                done += 1
        except Exception as e:
            problems.append('client %d: %r' % (number, e))
            c.close()


csrf, until = token(), time.monotonic() + seconds
threads = [threading.Thread(target=client, args=(i, csrf, until)) for i in range(clients)]
[t.start() for t in threads]
[t.join() for t in threads]
print(done, 'answers')
for p in problems[:5]:
    print(p, file=sys.stderr)
sys.exit(1 if problems or done < clients else 0)
P
command -v python3 >/dev/null || { echo "1..0 # SKIP python3 is not installed"; exit 0; }
run import --store "$work/store" "$golden"/dns/*.pcap "$golden"/http/*.pcap
code 0 'a store'
start server serve --store "$work/store" --listen 127.0.0.1:0
link_of server
check '32 clients' python3 clients.py 127.0.0.1 "${base##*:}" "${CLIENT_SECONDS:-5}"
stop "$pid"
cp server.err err
check 'the server ends well' test "$rc" -eq 0 -o "$rc" -eq 130
check 'nothing was found' sh -c '! grep -q Sanitizer server.err'
plan
