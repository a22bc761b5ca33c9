#!/usr/bin/env bash
# All sessions of a store into one file: JSON Lines, CSV, Parquet; the Parquet file holds what the documents hold. TAP.
# $SEINE is the program; without it build/seine of this checkout. Parquet needs DuckDB's library: SEINE_DUCKDB names it, else it
# is installed as for the differential tests.
set -uo pipefail
root=$(cd "$(dirname "${BASH_SOURCE[0]}")/../.." && pwd)
library=${SEINE_DUCKDB:-}
if [ -z "$library" ] && modules=$("$root/tests/differential/duckdb" 2>/dev/null); then
  library=$(find "$modules" -name libduckdb.so -not -path "*-musl/*" | head -n 1) # older npm installs that of musl as well
fi
. "$root/tests/integration/lib/tap.bash"
unset SEINE_DUCKDB
export_to() { run store export --store store "$@"; }

"$seine" import --store store --quiet "$golden"/dns/*.pcap "$golden"/http/*.pcap "$golden"/tls/*.pcap "$golden"/smtp/*.pcap >out 2>err ||
  { echo "Bail out! import failed: $(head -c 300 err)"; exit 1; }
sessions=$("$seine" search --store store --format json 2>/dev/null | wc -l)

export_to
ok $((rc != 0 || $(wc -l <out) != sessions || sessions == 0)) 'JSON Lines: a document for every session'
python3 -c 'import json; [json.loads(line, object_pairs_hook=lambda p: dict(p) if len(dict(p)) == len(p) else 1 / 0) for line in open("out")]' 2>>err
ok $? 'JSON Lines: each is JSON in which no key is there twice'
cp out documents.jsonl
export_to -w file.jsonl
cmp -s file.jsonl documents.jsonl
ok $? 'JSON Lines: the same into a file'
export_to --format csv --fields id,ip.src,protocols
python3 -c 'import csv,sys; rows=list(csv.reader(open("out", newline=""))); sys.exit(rows[0] != ["id","ip.src","protocols"] or len(rows) != int(sys.argv[1]) + 1)' "$sessions"
ok $? 'CSV: the columns that were asked for'
export_to --format csv --fields nonsense
ok $((rc != 2)) 'CSV: a column that is none'
export_to --format parquet
[ $rc -eq 2 ] && grep -q 'needs a file' err
ok $? 'Parquet: not into standard output'
SEINE_DUCKDB=$work/none.so export_to --format parquet -w a.parquet
[ $rc -eq 2 ] && grep -q 'SEINE_DUCKDB' err && [ ! -e a.parquet ] && [ -z "$(find . -name '*.part')" ]
ok $? 'Parquet: without the library it is said where to get it, and nothing is left'
export_to -w no/such/folder/file.jsonl
ok $((rc != 5)) 'a file that can not be made'
run store export --store nowhere
ok $((rc == 0)) 'a store that is none'

if [ -z "$library" ]; then
  skip 'Parquet: the same as the documents' "DuckDB's library is not here"
else
  SEINE_DUCKDB=$library export_to --format parquet -w a.parquet
  ok $rc 'Parquet: a file'
  python3 - "$library" >>err 2>&1 <<'P'
import ctypes
import json
import sys

duck = ctypes.CDLL(sys.argv[1])
database, connection = ctypes.c_void_p(), ctypes.c_void_p()
duck.duckdb_open(None, ctypes.byref(database))
duck.duckdb_connect(database, ctypes.byref(connection))
duck.duckdb_value_varchar.restype = ctypes.c_char_p
duck.duckdb_row_count.restype = ctypes.c_uint64
result = ctypes.create_string_buffer(512)
if duck.duckdb_query(connection, b"SELECT to_json(t)::VARCHAR FROM 'a.parquet' t", result):
    sys.exit('the file can not be read')
rows = [json.loads(duck.duckdb_value_varchar(result, ctypes.c_uint64(0), ctypes.c_uint64(i))) for i in range(duck.duckdb_row_count(result))]


def bare(value):
    """Without what is empty: a column has a place for it in every row."""
    if isinstance(value, dict):
        return {k: v for k, v in ((k, bare(v)) for k, v in value.items()) if v not in (None, [], {})}
    return [bare(v) for v in value] if isinstance(value, list) else value


documents = [json.loads(line) for line in open('documents.jsonl')]
different = len(documents) != len(rows)
for document, row in zip(documents, rows):
    for time in ('firstPacket', 'lastPacket', '@timestamp'):
        seconds = row.pop(time)  # a timestamp: 2014-02-26 10:27:57.5
        ms = document.pop(time)
        different += time == 'firstPacket' and not (isinstance(seconds, str) and str(ms // 1000 % 60).zfill(2) == seconds[17:19])
    different += bare(document) != bare(row)
print('%d documents, %d rows, %d different' % (len(documents), len(rows), different))
sys.exit(1 if different or not rows else 0)
P
  ok $? 'Parquet: each row is its document'
fi
plan
