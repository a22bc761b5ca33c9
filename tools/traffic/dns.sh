# shellcheck shell=bash disable=SC2154,SC2034
# DNS: a signed and an unsigned zone on BIND, asked by dig; what no server says by itself comes from raw-dns.

dns_zones() {
  local dir=$work/dns
  mkdir -p "$dir"
  cat >"$dir/shop.example.zone" <<'ZONE'
$TTL 3600
@       SOA   ns1 hostmaster 2026010101 7200 900 1209600 300
        NS    ns1
        NS    ns2.provider.example.
        MX    10 mail
        MX    20 backup.provider.example.
        A     198.51.100.80
        AAAA  2001:db8:2::80
        TXT   "v=spf1 mx -all" "second string of one record"
        TXT   "site-verification=4711"
        CAA   0 issue "ca.example"
        CAA   0 issuewild ";"
        CAA   128 iodef "mailto:security@shop.example"
        HTTPS 1 . alpn=h2,h3 ipv4hint=198.51.100.80 ipv6hint=2001:db8:2::80 port=8443
ns1     A     198.51.100.53
        AAAA  2001:db8:2::53
mail    A     198.51.100.25
        AAAA  2001:db8:2::25
www     CNAME web
web     A     198.51.100.80
        A     198.51.100.81
        AAAA  2001:db8:2::80
svc     HTTPS 0 web.shop.example.
_https  SVCB  2 web alpn=h2
_imaps._tcp SRV 0 5 993 mail
_sip._udp   SRV 10 60 5060 web
            SRV 20 0 5060 mail
host    HINFO "x86" "BSD"
        LOC   52 22 23.000 N 4 53 32.000 E -2.00m 0.00m 10000m 10m
        RP    admin.shop.example. host.shop.example.
        SSHFP 4 2 123456789abcdef67890123456789abcdef67890123456789abcdef123456789
        NAPTR 100 10 "u" "E2U+sip" "!^.*$!sip:info@shop.example!" .
        URI   10 1 "https://www.shop.example/path"
_443._tcp.www TLSA 3 1 1 0C72AC70B745AC19998811B131D662C9AC69DBDBE7CB23E5B514B566 64C5D3D6
xn--bcher-kva A 198.51.100.82
xn--zzzz9999ab A 198.51.100.83
below   DNAME other.example.
*.wild  A     198.51.100.84
odd\032name A 198.51.100.85
ZONE
  {
    printf 'big TXT'
    local n
    for n in $(seq 12); do printf ' "%s part %02d"' "$(printf 'long text %.0s' $(seq 20))" "$n"; done
    echo
    for n in $(seq 50); do echo "huge TXT \"$n $(printf 'filling %.0s' $(seq 26))\""; done
  } >>"$dir/shop.example.zone"
  named-checkzone -q shop.example "$dir/shop.example.zone" || die \
    "$(named-checkzone shop.example "$dir/shop.example.zone")"
  cat >"$dir/signed.example.zone" <<'ZONE'
$TTL 600
@     SOA ns1 hostmaster 1 7200 900 1209600 300
      NS  ns1
      A   198.51.100.90
ns1   A   198.51.100.53
www   A   198.51.100.91
child NS  ns.child
      DS  31589 13 2 CDE0D742D6998AA554A92D890F8184C698CFAC8A26FA59875A990C03E576343C
ns.child A 198.51.100.92
ZONE
  cat >"$dir/rev4.zone" <<'ZONE'
$TTL 600
@  SOA ns1.shop.example. hostmaster.shop.example. 1 7200 900 1209600 300
   NS  ns1.shop.example.
80 PTR www.shop.example.
ZONE
  sed 's/^80 .*//' "$dir/rev4.zone" >"$dir/rev6.zone"
  echo '0.8.0.0.0.0.0.0.0.0.0.0.0.0.0.0.2.0.0.0 PTR www.shop.example.' >>"$dir/rev6.zone"
  (cd "$dir" && dnssec-keygen -q -a ECDSAP256SHA256 signed.example >/dev/null 2>&1 \
    && dnssec-keygen -q -f KSK -a ECDSAP256SHA256 signed.example >/dev/null 2>&1 \
    && dnssec-signzone -S -o signed.example signed.example.zone >/dev/null 2>&1) || die "dnssec-signzone"
  cat >"$dir/named.conf" <<CONF
options {
  directory "$dir"; pid-file "$dir/named.pid"; session-keyfile "$dir/session.key";
  listen-on { 198.51.100.53; }; listen-on-v6 { 2001:db8:2::53; };
  recursion no; allow-query { 192.0.2.0/24; 198.51.100.0/24; 2001:db8::/32; }; allow-transfer { any; };
  version "named"; server-id "ns1.shop.example"; minimal-responses no; dnssec-validation no; notify no;
  check-names primary ignore;
};
controls { };
zone "shop.example" { type primary; file "shop.example.zone"; allow-update { 192.0.2.10; }; };
zone "signed.example" { type primary; file "signed.example.zone.signed"; };
zone "100.51.198.in-addr.arpa" { type primary; file "rev4.zone"; };
zone "8.b.d.0.1.0.0.2.ip6.arpa" { type primary; file "rev6.zone"; };
zone "broken.example" { type primary; file "absent.zone"; };
CONF
}

dns_serve() {
  address $server s0 198.51.100.53/24
  address $server s0 2001:db8:2::53/64
  dns_zones
  serve named ip netns exec $server named -g -n 1 -c "$work/dns/named.conf"
  wait_port 198.51.100.53 53
}

dig4() { on_client dig +tries=1 +timeout=2 +nocookie @198.51.100.53 "$@"; }
dig6() { on_client dig +tries=1 +timeout=2 +nocookie @2001:db8:2::53 "$@"; }
raw_dns() { on_client "$python" "$parts/raw-dns" "$@"; }

dns_several() {
  local t
  for t in A AAAA MX TXT; do dig4 shop.example $t; done
}
dns_srv() {
  dig4 _imaps._tcp.shop.example SRV
  dig4 _sip._udp.shop.example SRV
}
dns_https() {
  dig4 shop.example HTTPS
  dig4 svc.shop.example HTTPS
  dig4 _https.shop.example SVCB
}
dns_ptr() {
  dig4 -x 198.51.100.80
  dig4 -x 2001:db8:2::80
}
dns_rare() {
  local t
  for t in HINFO LOC RP SSHFP NAPTR URI ANY; do dig4 host.shop.example $t; done
  dig4 _443._tcp.www.shop.example TLSA
  dig4 a.below.shop.example A
  dig4 shop.example TYPE65280
}
dns_dnssec() {
  local t
  for t in DNSKEY DS A SOA NSEC; do dig4 +dnssec signed.example $t; done
  dig4 +dnssec child.signed.example DS
  dig4 +dnssec www.signed.example A
}
dns_nsec() {
  dig4 +dnssec absent.signed.example A
  dig4 +dnssec www.signed.example MX
}
dns_nxdomain() {
  dig4 absent.shop.example A
  dig4 www.shop.example SRV
}
dns_refused() {
  dig4 elsewhere.example A
  dig4 +recurse com NS
}
dns_edns() {
  dig4 +cookie=0102030405060708 +nsid +subnet=192.0.2.0/24 +bufsize=1232 www.shop.example A
  dig4 +noedns www.shop.example A
  dig4 +edns=1 +noednsneg www.shop.example A
}
dns_opcodes() {
  dig4 +opcode=status shop.example SOA
  dig4 +opcode=notify shop.example SOA
  on_client nsupdate <<<$'server 198.51.100.53\nzone shop.example\nupdate add new.shop.example 60 A 192.0.2.99\nsend'
}
dns_flags() {
  dig4 +norecurse +adflag +cdflag shop.example A
  dig4 +norecurse +aaflag +zflag shop.example A
}
dns_chaos() {
  dig4 version.bind CH TXT
  dig4 id.server CH TXT
}
dns_idn() {
  dig4 +noidnout +noidnin xn--bcher-kva.shop.example A
  dig4 +noidnout +noidnin xn--zzzz9999ab.shop.example A
  dig4 +noidnin xn--mnchen-3ya.xn--p1ai A
}
dns_odd_names() {
  dig4 'odd\032name.shop.example' A
  dig4 'MiXeD.Shop.Example' A
  dig4 a.b.c.wild.shop.example A
  dig4 . NS
}
dns_tcp() {
  dig4 +tcp www.shop.example A
  dig4 +tcp +keepopen shop.example MX mail.shop.example AAAA
}
dns_ipv6() {
  dig6 www.shop.example AAAA
  dig6 +tcp shop.example NS
}

group_dns() {
  group_wanted dns || return 0
  dns_serve
  local f='port 53'
  record dns/a "$f" dig4 web.shop.example A
  record dns/aaaa "$f" dig4 web.shop.example AAAA
  record dns/cname "$f" dig4 www.shop.example A
  record dns/mx "$f" dig4 shop.example MX
  record dns/ns "$f" dig4 shop.example NS
  record dns/txt "$f" dig4 shop.example TXT
  record dns/soa "$f" dig4 shop.example SOA
  record dns/caa "$f" dig4 shop.example CAA
  record dns/srv "$f" dns_srv
  record dns/https "$f" dns_https
  record dns/ptr "$f" dns_ptr
  record dns/rare-types "$f" dns_rare
  record dns/several "$f" dns_several
  record dns/dnssec "$f" dns_dnssec
  record dns/nsec "$f" dns_nsec
  record dns/nxdomain "$f" dns_nxdomain
  record dns/refused "$f" dns_refused
  record dns/servfail "$f" dig4 www.broken.example A
  record dns/edns "$f" dns_edns
  record dns/opcodes "$f" dns_opcodes
  record dns/flags "$f" dns_flags
  record dns/chaos "$f" dns_chaos
  record dns/idn "$f" dns_idn
  record dns/odd-names "$f" dns_odd_names
  record dns/tcp "$f" dns_tcp
  record dns/ipv6 "$f" dns_ipv6
  record dns/truncated-then-tcp "$f" dig4 +bufsize=512 big.shop.example TXT
  record dns/tcp-large-answer "$f" dig4 +tcp huge.shop.example TXT
  record dns/zone-transfer "$f" dig4 shop.example AXFR
  record dns/one-socket "$f" raw_dns one-socket 198.51.100.53
  record dns/tcp-pipelined "$f" raw_dns tcp-pipelined 198.51.100.53
  record dns/tcp-split "$f" raw_dns tcp-split 198.51.100.53
  record dns/repeated-id "$f" raw_dns repeated-id 198.51.100.53
  record dns/malformed "$f" raw_dns malformed 198.51.100.53
  record dns/not-dns "$f" raw_dns not-dns 198.51.100.53
  serve_end
  # answers no sane server gives: a small server of our own on the same address
  serve odd-dns ip netns exec $server "$python" "$parts/raw-dns" serve 198.51.100.53
  record dns/bad-answers "$f" raw_dns ask-odd 198.51.100.53
  record dns/no-answer "udp port 53 or icmp" raw_dns no-answer 198.51.100.54
  serve mdns ip netns exec $router "$python" "$parts/raw-dns" link-local 192.0.2.1 2001:db8:1::1
  sleep 0.5
  linger=1 record dns/mdns 'port 5353' raw_dns mdns 192.0.2.10
  linger=1 record dns/llmnr 'port 5355' raw_dns llmnr 192.0.2.10
}
