#!/usr/bin/env bash
# The list of fields against Arkime's: every name of ours that Arkime has too means the same there. TAP.
# The list of Arkime's fields stands beside this repository, in ../shared; without it there is nothing to compare.
# $SEINE is the program; without it build/seine of this checkout.
set -uo pipefail
root=$(cd "$(dirname "${BASH_SOURCE[0]}")/../.." && pwd)
list=${SEINE_SHARED:-$root/../shared}/spec/arkime-fields.tsv
[ -r "$list" ] || { echo "the list of Arkime's fields is not beside this repository (../shared/spec/arkime-fields.tsv)"; exit 77; }
list=$(realpath "$list")
. "$root/tests/integration/lib/tap.bash"
command -v curl >/dev/null || { echo "1..0 # SKIP curl is not installed"; exit 0; }
"$seine" import --store store --quiet "$root/tests/golden/dns/a.pcap" >/dev/null 2>import.err ||
  { echo "Bail out! import failed: $(head -c 300 import.err)"; exit 1; }
start serve serve --store store --listen 127.0.0.1:0
link_of serve || { echo "Bail out! no server: $(head -c 300 serve.err)"; exit 1; }
curl --silent --fail --output fields.json "$base/api/fields?array=true" || { echo "Bail out! /api/fields does not answer"; exit 1; }
python3 - "$list" fields.json <<'P'
import csv
import json
import sys

theirs = {row['expression']: row for row in csv.DictReader(open(sys.argv[1], encoding='utf-8'), delimiter='\t')}
ours = {row['exp']: row for row in json.load(open(sys.argv[2], encoding='utf-8'))}
both = sorted(set(theirs) & set(ours))

# Where ours differs on purpose: column, expression (or its beginning, before a *), reason.
APART = [
    ('friendlyName', 'node', 'no name of another product'), ('friendlyName', 'rootId', 'no name of another product'),
    ('friendlyName', 'dbTimestamp', 'what it is, not where it is'),
    ('type', 'outerip', 'it takes networks'), ('type', 'zeekintel.*', 'what Zeek wrote, case and all'), ('type', 'tls.ja4', 'its case is part of it'), ('type', 'tls.ja4_r', 'its case is part of it'),
    ('group', 'icmp.code', 'ICMP is a protocol'), ('group', 'icmp.type', 'ICMP is a protocol'),
    ('group', 'tls.sessionid', 'TLS is a protocol'),
]


def apart(column, name):
    return any(column == c and (name == n or (n[-1] == '*' and name.startswith(n[:-1]))) for c, n, _ in APART)


def companion(name):
    """Country, number and registry beside an address: their titles are made of the address's."""
    return name.split('.')[0] in ('country', 'asn', 'rir') or name.split('.')[-1] in ('country', 'asn', 'rir')


count = failed = 0


def check(name, problems, compared):
    global count, failed
    count += 1
    failed += bool(problems) or not compared
    print('%s %d - %s (%d compared)' % ('not ok' if problems or not compared else 'ok', count, name, compared))
    for line in problems[:40]:
        print('# ' + line)


for column, key in (('dbField', 'dbField'), ('type', 'type'), ('group', 'group'), ('friendlyName', 'friendlyName'), ('transform', 'transform')):
    names = [n for n in both if not apart(column, n) and not (column == 'friendlyName' and (companion(n) or n.endswith(('.cnt', '.tokens'))))]
    if column == 'transform':
        names = [n for n in names if not n.endswith(('.cnt', '.tokens')) and theirs[n][column]]
    check('%s of the fields that both have' % column,
          ['%s: %s here, %s there' % (n, ours[n].get(key, ''), theirs[n][column]) for n in names
           if (ours[n].get(key) or '') != theirs[n][column]], len(names))
names = [n for n in both if 'requiredRight=emailSearch' in theirs[n]['flags']]
check('fields that need the right to search e-mail', [n for n in names if ours[n].get('requiredRight') != 'emailSearch'], len(names))
names = [n for n in both if 'portField=' in theirs[n]['flags'] and theirs[n]['type'] == 'ip' and n != 'ip']
check('ports of addresses', ['%s: %s' % (n, ours[n].get('portField')) for n in names
                             if 'portField=' + (ours[n].get('portField') or '') not in theirs[n]['flags']], len(names))
names = [n for n in both if theirs[n]['category']]
check('categories', ['%s: %s here, %s there' % (n, ours[n].get('category'), theirs[n]['category']) for n in names
                     if ours[n].get('category') not in (theirs[n]['category'], theirs[n]['category'].split(','))], len(names))
print('# %d fields of ours, %d of theirs, %d in both' % (len(ours), len(theirs), len(both)))
print('1..%d' % count)
sys.exit(1 if failed else 0)
P
