#!/usr/bin/env bash
# Stores in trouble, as users of the command line meet them: none there, of a newer version, read-only, damaged, without
# control.db, a full disk behind standard output. TAP. $SEINE is the program; without it build/seine of this checkout.
set -uo pipefail
root=$(cd "$(dirname "${BASH_SOURCE[0]}")/../.." && pwd)
. "$root/tests/integration/lib/tap.bash"

cp "$golden/dns/a.pcap" "$golden/http/get.pcap" .
"$seine" import --store store --quiet a.pcap get.pcap >out 2>err || { echo "Bail out! import failed: $(head -c 300 err)"; exit 1; }
fresh() { chmod -R u+w copy 2>/dev/null; rm -rf copy && cp -r store copy; }
once() { [ "$(grep -c -- "$1" err)" -eq 1 ]; }

# --- none there, or words in the wrong place ---

mkdir empty
for words in 'search' 'pcap' 'store stat' 'store fsck' 'store compact' 'store export' 'user list' 'serve'; do
  # shellcheck disable=SC2086
  run $words --store nowhere
  code 2 "$words: no store there, and how one is made" '^seine: nowhere: there is no store here (`seine import'
done
run user list --store empty
code 2 'user: a folder that is no store' 'no store here'
check 'user: and nothing is put there' [ -z "$(ls empty)" ]
run store nonsense
code 2 'store: an action that is none' 'there is no "nonsense": name one of stat, fsck'
run store stat store
code 2 'store: a folder without --store' '"store"? The store.s folder stands behind --store'
run search --store store --last abc
code 2 'search: a length of time that is none' '^seine: --last abc: is no length of time; examples are 90m'
run search --store store --fields host
code 2 'search: a name of several fields as a column' '"host" is no single field.*seine fields host'
run store fsck --store store
code 0 'fsck: says that all is well' '^seine: store: nothing is wrong'

fresh
run store compact --store copy
code 0 'compact: says what it did' '^seine: copy: nothing to merge, and nothing too old'
run search --store store 'view == mine'
code 2 'search: views are known to servers' 'views belong to users: a running server knows them'
SEINE_STORE=copy "$seine" import a.pcap >out 2>err
rc=$?
code 0 'import: the store that SEINE_STORE names' 'in the store already'
run import a.pcap
code 2 'import: no store is named' 'where to: name the store.s folder'

# --- of a newer version ---

fresh
sed -i '1s/1$/2/' copy/MANIFEST
for words in 'search --count' 'import a.pcap' 'store stat' 'store fsck --repair'; do
  # shellcheck disable=SC2086
  run $words --store copy
  code 2 "${words%% *} ${words##* }: a store of a newer version" 'MANIFEST: was made by a newer version'
done
check 'nothing of it is changed' [ "$(head -n 1 copy/MANIFEST)" = 'seine-store 2' ]

# --- damage ---

fresh
segment=$(ls copy/seg/*.seg)
printf '\377\376\375' | dd of="$segment" bs=1 seek=$(($(stat -c %s "$segment") - 600)) conv=notrunc status=none
run search --store copy --count
code 5 'search: a segment that cannot be read is named, and the answer is partial' "$(basename "$segment"): "
run store export --store copy -w lost.jsonl
code 5 'export: the same' 'without what could not be read'
fresh
rm copy/control.db
run search --store copy --count
code 2 'search: control.db is missing' '^seine: copy: control.db: is missing'
check 'search: reading makes no new one' [ ! -e copy/control.db ]
run store fsck --store copy
code 5 'fsck: control.db is missing' 'control.db: is missing'
run store export --store copy
code 5 'export: it is said that changes are not shown' 'changes of sessions are not shown'
head -c 5000 /dev/urandom >copy/control.db
run store fsck --store copy
code 5 'fsck: control.db is damaged' 'control.db: .*not a database'
run search --store copy --count
check 'search: said once' once 'not a database'

# --- where nothing may be written ---

"$seine" search --store store --format json '' 2>/dev/null | sed 's/"@timestamp":[0-9]*,//' | sort >all
fresh
rm -f copy/secret
chmod -R a+rX,a-w copy
chmod a+x "$work"
reader=()
if [ "$(id -u)" -eq 0 ]; then
  cp "$seine" ./program && chmod 755 program
  reader=(setpriv --reuid=65534 --regid=65534 --clear-groups)
else
  ln -s "$seine" program
fi
if [ "$(id -u)" -eq 0 ] && ! "${reader[@]}" ./program version >/dev/null 2>&1; then
  skip 'a store one may only read' 'no other user can be had here'
else
  "${reader[@]}" ./program search --store copy --format json '' >out 2>err
  rc=$?
  sed 's/"@timestamp":[0-9]*,//' out | sort >read-only
  code 0 'search: a store one may only read'
  check 'search: with all its sessions' cmp -s all read-only
  "${reader[@]}" ./program store fsck --store copy >out 2>err
  rc=$?
  code 0 'fsck: the same'
  "${reader[@]}" ./program import --store copy a.pcap >out 2>err
  rc=$?
  code 4 'import: no permission' 'cannot be opened: Permission denied'
fi

# --- standard output that takes nothing ---

if [ -w /dev/full ]; then
  for words in fields help version config 'search --store store --count' 'store stat --store store'; do
    # shellcheck disable=SC2086
    "$seine" $words >/dev/full 2>err
    rc=$?
    code 7 "$words: standard output is full" 'standard output cannot be written'
  done
fi
mkfifo pipe
(cat pipe >drained) &
run store export --store store -w pipe
wait $!
code 0 'export: into a pipe'
check 'export: which is written to, not replaced' [ -p pipe -a -s drained ]
run store export --store store -w pipe --format parquet
code 2 'export: no Parquet into a pipe' 'needs a file'
run store export --store store -w -
check 'export: - is standard output' [ "$rc" -eq 0 -a -s out -a ! -e - ]
"$seine" fields >&- 2>err
rc=$?
code 5 'fields: no standard output' 'standard output cannot be written'
"$seine" fields 2>err | head -n 1 >/dev/null
check 'fields: a reader that leaves is no mistake' [ ! -s err ]

# --- what must not be overwritten ---

cp a.pcap evidence.pcap
tar cf evidence.tar get.pcap
"$seine" import --store case --quiet evidence.pcap evidence.tar >out 2>err
cp evidence.pcap before.pcap && cp evidence.tar before.tar && cp case/MANIFEST before.manifest && ln evidence.pcap other-name.pcap
for file in evidence.pcap other-name.pcap evidence.tar; do
  run pcap --store case -w $file ''
  code 2 "pcap: not into a capture of the store: $file" "$file: is a capture of the store"
done
check 'pcap: the captures are as they were' cmp -s evidence.pcap before.pcap
check 'pcap: and the archive' cmp -s evidence.tar before.tar
run store export --store case -w case/MANIFEST
code 2 'export: not into the store' 'lies in the folder of the store'
run pcap --store case -w case/seg/x.pcap ''
code 2 'pcap: nor its packets' 'lies in the folder of the store'
check 'export: the store is as it was' cmp -s case/MANIFEST before.manifest
cp before.pcap kept.pcap
run pcap --url http://127.0.0.1:1/ -w kept.pcap ''
code 6 'pcap: a server that is not there'
check 'pcap: what the file held stays' cmp -s kept.pcap before.pcap
run read --tag '' a.pcap
code 2 'read: an empty tag' '^seine: --tag wants a value: TAG'

# --- the rest of the environment ---

env -u HOME -u XDG_DATA_HOME "$seine" serve --keep x a.pcap >out 2>err
rc=$?
code 2 'serve --keep: nowhere to keep' 'name a folder with --store DIR instead'
odd=$(printf 'b\033[31m\nd.pcap')
cp a.pcap "$odd"
"$seine" import --store odd --quiet "$odd" >out 2>err
mv "$odd" away
run pcap --store odd -w odd.pcap ''
code 5 'pcap: a capture that is gone is named' 'b\\x1b\[31m\\x0ad.pcap'
plan
