#!/usr/bin/env bash
# What is known of addresses and interfaces: databases of countries, networks and registries, makers; and files that are
# damaged, missing or wrong. TAP on standard output.
set -uo pipefail
root=$(cd "$(dirname "${BASH_SOURCE[0]}")/../.." && pwd)
. "$root/tests/integration/lib/tap.bash"

mmdb() { python3 "$root/tests/integration/lib/mmdb.py" "$@"; }
# sessions NAME CAPTURE OPTIONS...: one JSON document a line in $work/out
sessions() {
  local capture=$1
  shift
  run read --format json -o ouiFile= -o geoLite2Country= -o geoLite2ASN= "$@" "$golden/$capture"
}

mmdb places.mmdb GeoLite2-City <<'JSON'
{"192.0.2.0/24": {"country": {"iso_code": "CH"}, "subdivisions": [{"iso_code": "ZH"}], "city": {"names": {"en": "Winterthur"}}},
 "198.51.100.80/32": {"country": {"iso_code": "DE"}},
 "2001:db8::/32": {"country": {"iso_code": "NL"}}}
JSON
mmdb networks.mmdb GeoLite2-ASN <<'JSON'
{"192.0.2.0/24": {"autonomous_system_number": 64496, "autonomous_system_organization": "Example Office"},
 "198.51.100.81/32": {"autonomous_system_number": 4200000001},
 "2001:db8::/32": {"autonomous_system_number": 64499, "autonomous_system_organization": "Example Six"}}
JSON

sessions dns/a.pcap -o geoLite2Country=places.mmdb
code 0 "a database of cities is read"
check "country, region and city of an end" json \
  "d[0]['source']['geo'] == {'country_iso_code': 'CH', 'region_iso_code': 'ZH', 'city_name': 'Winterthur'}"
check "the other end is in no database" json "'geo' not in d[0]['destination']"
check "countries of a list: one that is not known keeps its place" json "d[0]['dns'][0]['GEO'] == ['DE', '---']"
check "what no address of a list has is not there" json "'ASN' not in d[0]['dns'][0] and 'RIR' not in d[0]['dns'][0]"

sessions dns/a.pcap -o geoLite2ASN=networks.mmdb
check "the autonomous system of an end" json \
  "d[0]['source']['as'] == {'full': 'AS64496 Example Office', 'number': 64496, 'organization': {'name': 'Example Office'}}"
check "a system without a name" json "d[0]['dns'][0]['ASN'] == ['---', 'AS4200000001']"

mmdb flat.mmdb Country <<'JSON'
{"192.0.2.0/24": {"country_code": "CH", "city": "Bern"}, "198.51.100.53/32": {"country": "DE", "asn": "AS64497", "as_name": "Example Shop"}}
JSON
sessions dns/a.pcap -o geoLite2Country=flat.mmdb -o geoLite2ASN=flat.mmdb
check "databases of other makers, whose members are not nested" json \
  "d[0]['source']['geo'] == {'country_iso_code': 'CH', 'city_name': 'Bern'} and d[0]['destination']['geo']['country_iso_code'] == 'DE'"
check "a system's number as text" json "d[0]['destination']['as']['full'] == 'AS64497 Example Shop' and 'as' not in d[0]['source']"

sessions icmp/ping6.pcap -o geoLite2Country=places.mmdb -o geoLite2ASN=networks.mmdb
check "IPv6" json "d[0]['source']['geo']['country_iso_code'] == 'NL' and d[0]['source']['as']['number'] == 64499"

sessions dns/a.pcap -o geoLite2Country=places.mmdb -o geoLite2ASN=networks.mmdb -o override-ips.192.0.2/24='city:Bern;rir:TEST'
check "an override wins, member by member" json \
  "d[0]['source']['geo'] == {'country_iso_code': 'CH', 'region_iso_code': 'ZH', 'city_name': 'Bern'} and d[0]['srcRIR'] == 'TEST'"
check "and leaves the rest to the databases" json "d[0]['source']['as']['number'] == 64496"

sessions dns/a.pcap -o geoLite2Country='missing.mmdb;places.mmdb'
code 0 "the first database that exists is used"
check "and says nothing of the others" test ! -s <(grep -v packets "$work/err")
sessions dns/a.pcap -o geoLite2Country=missing.mmdb
code 0 "a database that is not there is named" 'missing.mmdb: note: the file cannot be read (check geoLite2Country)'
head -c 200 places.mmdb >cut.mmdb
sessions dns/a.pcap -o geoLite2Country=cut.mmdb
code 0 "a damaged database is named" 'cut.mmdb: note: the database cannot be used'
check "and the sessions are read" json "len(d) == 1"
for at in 0 3 9 40 120; do
  python3 - $at <<'PY'
import sys
data = bytearray(open('places.mmdb', 'rb').read())
data[int(sys.argv[1])] ^= 0xff
open('bad%s.mmdb' % sys.argv[1], 'wb').write(data)
PY
  sessions dns/a.pcap -o geoLite2Country=bad$at.mmdb
  code 0 "a database with a wrong byte at $at does no harm"
done

# --- registries ---

cat >registries.csv <<'CSV'
Prefix,Designation,Date,WHOIS,RDAP,Status [1],Note
192/8,Administered by ARIN,1993-05,whois.arin.net,"https://rdap.example/a
http://rdap.example/a",LEGACY,[9]
198/8,RIPE NCC,1993-05,whois.ripe.net,https://rdap.example/r,ALLOCATED,
203/8,IANA - Private Use,1995-06,,,RESERVED,[3]
nonsense,Nobody,,whois.nobody.example,,,
CSV
sessions dns/a.pcap -o rirFile=registries.csv
code 0 "a file of registries is read" 'registries.csv:6: note: "nonsense" is no network'
check "registries by whois server" json "d[0]['srcRIR'] == 'ARIN' and d[0]['dstRIR'] == 'RIPE'"
check "registries of a list" json "d[0]['dns'][0]['RIR'] == ['RIPE', 'RIPE']"
sessions dns/a.pcap
check "without a file networks for documentation have none" json "'srcRIR' not in d[0] and 'RIR' not in d[0]['dns'][0]"
sessions dns/a.pcap -o rirFile=nowhere.csv
code 0 "a file of registries that is not there is named" 'nowhere.csv: note: the file cannot be read (check rirFile)'

# --- makers ---

cat >manuf <<'TEXT'
# prefix, short, long
00:00:5E	Icann	ICANN, IANA Department
00-00-5E-00-53-00/44	Near
00:00:5E:00:53:01/48		Router
zz:00:5E	Bad
TEXT
run read --format json -o ouiFile=manuf "$golden/dns/a.pcap"
code 0 "Wireshark's manuf is read" 'manuf:5: note: "zz:00:5E" is no prefix with a name'
check "the longest prefix wins" json "d[0]['srcOui'] == ['Near'] and d[0]['dstOui'] == ['Router'] and d[0]['dstOuiCnt'] == 1"
printf 'Registry,Assignment,Organization Name,Organization Address\nMA-L,00005E,"A, ""B"" and\nC","Street\nTown"\nMA-L,00005E,Second,\nMA-L\n' >makers.csv
run read --format json -o ouiFile=makers.csv "$golden/dns/a.pcap"
code 0 "IEEE's registry is read" 'makers.csv:6: note: "" is no prefix with a name'
check "names with commas, quotes and line ends; the first of a prefix stays" json "d[0]['srcOui'] == ['A, \"B\" and\nC']"
run read --format json -o ouiFile=none.csv "$golden/dns/a.pcap"
code 0 "a file of makers that is not there is named" 'none.csv: note: the file cannot be read (check ouiFile)'
printf '00:00:5E\t' >long.manuf
head -c 200000 /dev/zero | tr '\0' 'x' >>long.manuf
run read --format json -o ouiFile=long.manuf "$golden/dns/a.pcap"
check "a name without end is cut" json "d[0]['srcOui'] == ['x' * 255]"
head -c 300000 /dev/urandom >noise.manuf
run read --format json -o ouiFile=noise.manuf "$golden/dns/a.pcap"
check "noise instead of a file does no harm" test "$rc" -eq 0

# --- tagger files ---

cat >tagger.ini <<'INI'
[custom-fields]
owner = kind:lotermfield;count:true;friendly:Owner;db:owner
owner.src = kind:lotermfield;db:srcOwner
owner.dst = kind:lotermfield;db:dstOwner
risk = kind:integer;db:risk;count:true
seen.ip = kind:ip;db:seen.ip
bad..name = kind:ip
shape = kind:round

[custom-fields-remap]
owner = ip.src=owner.src;ip.dst=owner.dst
risk = ip.src=nowhere

[tagger]
ips.txt = type:ip;tags:known,watched
hosts.txt = type:host
mail.txt = type:email;tags:mail
hashes.txt = type:md5;tags:file
paths.txt = type:uri;tags:path
wrong.txt = type:colour
none.txt = type:ip
INI
cat >ips.txt <<'TXT'
#field:team;kind:uptermfield;friendly:Team;shortcut:0
#field:note;kind:termfield;db:teamNote;shortcut:3
#field:team.rank;kind:termfield;shortcut:4
# a comment
192.0.2.0/24;owner=Alice;0=blue;risk=7;seen.ip=192.0.2.99
198.51.100.53;owner=Bob;3=Both; sides
198.51.100.53;owner=Carol
10.0.0.0/40;owner=Dave
192.0.2.1;5=nothing;owner;dns.host=inside;made.up=yes;dontSaveSPI=1
TXT
printf 'shop.example;tags=shop\nexample;tags=example\nxample;tags=wrong\n' >hosts.txt
printf '# none yet\n' | tee mail.txt hashes.txt >paths.txt
run read --config tagger.ini -o ouiFile= --format json "$golden/dns/a.pcap"
code 0 "tagger files are read"
check "tags of the setting" json "{'known', 'watched'} <= set(d[0]['tags'])"
check "a value goes where the end that matched sends it" json "d[0]['srcOwner'] == ['alice'] and d[0]['dstOwner'] == ['bob'] and 'owner' not in d[0]"
check "fields made by the configuration: number, address" json "d[0]['risk'] == [7] and d[0]['riskCnt'] == 1 and d[0]['seen']['ip'] == ['192.0.2.99']"
check "fields made by the file, by their shortcuts" json "d[0]['team'] == ['BLUE'] and 'Both' in str(d[0])"
check "names match those below them, at points" json "{'shop', 'example'} <= set(d[0]['tags']) and 'wrong' not in d[0]['tags']"
for said in 'ips.txt:7: note: "198.51.100.53" is there twice' 'ips.txt:8: note: "10.0.0.0/40" is no address' \
  'ips.txt:9: note: "5" is no shortcut' 'ips.txt:9: note: "owner" is not FIELD=VALUE' 'ips.txt:9: note: "dns.host" is a field that values' \
  'ips.txt:9: note: "dontSaveSPI" is not possible' '"wrong.txt" of \[tagger\] is left out' 'none.txt: note: the file cannot be read' \
  'ips.txt:3: note: "team.rank' '"bad..name" cannot be the name of a field' 'field shape: "kind:round" is not possible' '\[custom-fields-remap\] risk: "ip.src=nowhere"'; do
  check "said: $said" says "$said"
done
address=$("$seine" read --format json -o ouiFile= "$golden/smtp/attachment.pcap" 2>/dev/null |
  python3 -c "import json,sys; d=[json.loads(l) for l in sys.stdin]; e=d[0]['email']; print(e['src'][0], e['md5'][0])")
printf '%s;risk=1\n' "${address% *}" >mail.txt
printf '%s;risk=2\n' "${address#* }" | tr a-f A-F >hashes.txt
run read --config tagger.ini -o ouiFile= --format json "$golden/smtp/attachment.pcap"
check "senders and hashes" json "{'mail', 'file'} <= set(d[0]['tags']) and sorted(d[0]['risk']) == [1, 2, 7]"
path=$("$seine" read --format json -o ouiFile= "$golden/http/get.pcap" 2>/dev/null | python3 -c "import json,sys; print(json.loads(sys.stdin.readline())['http']['path'][0])")
printf '%s\n' "$path" >paths.txt
run read --config tagger.ini -o ouiFile= --format json "$golden/http/get.pcap"
check "paths" json "'path' in d[0]['tags']"
"$seine" import -q --store made --config tagger.ini "$golden/dns/a.pcap" 2>/dev/null
run search --store made 'owner.src == alice && risk == 7 && seen.ip == 192.0.2.99 && team == BLUE && made.up == yes || owner.dst == bob'
check "fields that were made can be searched" test "$rc" -eq 0 -a -s out

plan
