# For tests of the API: questions to a server, and answers held against the documents that `seine read` prints, which know
# nothing of store, search or server. Sourced after tap.bash.
cat >"$work/holds.py" <<'PY'
import base64, csv, hashlib, io, json, statistics, sys
from collections import Counter, defaultdict
status, kind, expression = int(sys.argv[1]), sys.argv[2], sys.argv[3]
raw = open('answer', 'rb').read()
text = raw.decode('utf-8', 'replace')
d = None
if 'json' in kind and 'ndjson' not in kind:
    d = json.loads(raw)
docs = [json.loads(line) for line in open('docs.jsonl')] if __import__('os').path.exists('docs.jsonl') else []
def of(doc, path):
    """Values of a field of a document, as a list."""
    for part in path.split('.'):
        if not isinstance(doc, dict) or part not in doc:
            return []
        doc = doc[part]
    return doc if isinstance(doc, list) else [doc]
def counts(path, some=None):
    return Counter(v for x in (docs if some is None else some) for v in set(map(str, of(x, path))))
if not eval(expression):
    sys.stderr.write('status %d, %s, does not hold: %s\n%s\n' % (status, kind, expression, text[:1000]))
    sys.exit(1)
PY

get() { # get PATH [CURL OPTIONS]: the answer in `answer`, $status, $kind
  local path=$1
  shift
  read -r status kind _ < <(curl -s -m 60 -o answer -w '%{http_code} %{content_type}' "$@" "$base$path" | tr ';' ' ')
  kind=${kind:-none}
}
holds() { # holds NAME EXPRESSION: python, with d (the JSON), text, raw, status, docs
  check "$1" python3 holds.py "$status" "$kind" "$2"
}
asks() { # asks NAME PATH EXPRESSION [CURL OPTIONS]
  local name=$1 path=$2 expression=$3
  shift 3
  get "$path" "$@"
  holds "$name" "$expression"
}
