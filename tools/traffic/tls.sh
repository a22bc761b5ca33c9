# shellcheck shell=bash disable=SC2154,SC2034
# TLS 1.0 to 1.3: openssl s_server and s_client, nginx and curl, gnutls-cli; certificates of an authority of our own.

# cert NAME KEYTYPE SUBJECT EXTENSIONS START END [ISSUER]: work/pki/NAME.{key,crt}; without issuer self-signed
tls_cert() {
  local name=$1 kind=$2 subject=$3 extensions=$4 start=$5 end=$6 issuer=${7:-$1} dir=$work/pki
  case $kind in
    rsa*) openssl genrsa -out "$dir/$name.key" "${kind#rsa}" ;;
    ed25519) openssl genpkey -algorithm ed25519 -out "$dir/$name.key" ;;
    dsa) openssl dsaparam -genkey -noout -out "$dir/$name.key" 1024 ;;
    *) openssl ecparam -name "$kind" -genkey -noout -out "$dir/$name.key" ;;
  esac
  printf '%b' "$extensions" >"$dir/$name.ext"
  openssl req -new -utf8 -multivalue-rdn -key "$dir/$name.key" -subj "$subject" -out "$dir/$name.csr"
  local selfsign=()
  [[ $issuer == "$name" ]] && selfsign=(-selfsign)
  openssl ca -batch -notext -config "$dir/ca.conf" -keyfile "$dir/$issuer.key" -cert "$dir/$issuer.crt" "${selfsign[@]}" \
    -in "$dir/$name.csr" -out "$dir/$name.crt" -startdate "$start" -enddate "$end" -extfile "$dir/$name.ext" -md sha256
}

tls_pki() {
  local dir=$work/pki
  [[ -d $dir ]] && return
  mkdir -p "$dir"
  : >"$dir/index"
  echo 1000 >"$dir/serial"
  cat >"$dir/ca.conf" <<CONF
[ca]
default_ca = own
[own]
dir = $dir
database = $dir/index
serial = $dir/serial
new_certs_dir = $dir
policy = any
unique_subject = no
[any]
countryName = optional
stateOrProvinceName = optional
localityName = optional
organizationName = optional
organizationalUnitName = optional
commonName = optional
emailAddress = optional
CONF
  local from=20260101000000Z to=20360101000000Z \
    san='subjectAltName=DNS:www.shop.example,DNS:*.shop.example,DNS:shop.example'
  local ca='basicConstraints=critical,CA:TRUE\nkeyUsage=keyCertSign,cRLSign\n'
  {
    tls_cert root rsa2048 '/C=NL/O=Example Trust/OU=Root Services/CN=Example Root CA' "$ca" $from 20460101000000Z
    tls_cert middle prime256v1 '/C=NL/O=Example Trust/OU=Issuing/CN=Example Issuing CA 1' "$ca" $from $to root
    tls_cert rsa rsa2048 '/C=NL/L=Amsterdam/O=Shop B.V./OU=Web/CN=www.shop.example' "$san\n" $from 20270101000000Z root
    tls_cert ecdsa prime256v1 '/C=NL/O=Shop B.V./CN=www.shop.example' "$san\nkeyUsage=digitalSignature\n" $from \
      20261231235959Z middle
    tls_cert p384 secp384r1 '/O=Curve Co/OU=One/OU=Two/O=Second Name/CN=first.example/CN=second.example' \
      'subjectAltName=IP:198.51.100.20,IP:2001:db8::1,email:a@shop.example,URI:https://shop.example/,DNS:MiXed.Example\n' \
      $from $to root
    tls_cert ed25519 ed25519 '/CN=ed.shop.example' 'subjectAltName=DNS:ed.shop.example\n' $from $to root
    tls_cert dsa dsa '/O=Old Algorithms/CN=dsa.shop.example' 'keyUsage=digitalSignature\n' $from $to root
    tls_cert self rsa2048 '/C=DE/O=Default Company/CN=appliance.local' 'basicConstraints=CA:FALSE\n' 20250601000000Z \
      20350601000000Z
    tls_cert expired rsa2048 '/O=Forgotten Ltd/CN=expired.shop.example' 'subjectAltName=DNS:expired.shop.example\n' \
      20190101000000Z 20200101000000Z root
    tls_cert far rsa2048 '/O=Far Future/CN=far.shop.example' 'subjectAltName=DNS:far.shop.example\n' 20260101000000Z \
      20991231235959Z root
    tls_cert utf8 rsa2048 '/C=DE/O=Bücher Größe GmbH/OU=Verkauf/CN=bücher.example' \
      'subjectAltName=DNS:xn--bcher-kva.example\n' $from $to root
    tls_cert many prime256v1 '/O=Many Names/CN=many.example' \
      "subjectAltName=$(for n in $(seq 60); do printf 'DNS:host%03d.many.example,' "$n"; done)DNS:many.example\n" \
      $from $to root
    tls_cert client rsa2048 '/O=Shop B.V./OU=Staff/CN=alice' 'extendedKeyUsage=clientAuth\n' $from $to root
  } >"$dir/log" 2>&1 || {
    tail -n 5 "$dir/log" >&2
    die "the certificates could not be made"
  }
  cat "$dir/ecdsa.crt" "$dir/middle.crt" >"$dir/chain.crt"
}

# tls_server PORT CERT OPTIONS...: an openssl server that answers GET with the files of work/www
tls_server() {
  local port=$1 cert=$2 file=$work/pki/$2
  shift 2
  [[ $cert == ecdsa ]] && set -- -cert_chain "$work/pki/middle.crt" "$@"
  serve "s_server-$port" ip netns exec $server env -C "$work/www" openssl s_server -accept "$port" -cert "$file.crt" \
    -key "$file.key" -WWW -quiet "$@"
}

# tls_get HOST:PORT OPTIONS...: one request through s_client, closed by the server's answer
tls_get() {
  local to=$1
  shift
  {
    printf 'GET /plain.txt HTTP/1.0\r\n\r\n'
    sleep 0.3
  } \
    | on_client timeout 5 openssl s_client -connect "$to" -quiet -no_ign_eof "$@" || true
}

old='DEFAULT@SECLEVEL=0'
tls_versions() { tls_get 198.51.100.20:4430 "$@" -servername old.shop.example -cipher "$old"; }
tls_resume_ticket() {
  local s=$work/session.pem
  tls_get 198.51.100.20:4431 -tls1_2 -sess_out "$s"
  tls_get 198.51.100.20:4431 -tls1_2 -sess_in "$s"
}
tls_resume_id() {
  local s=$work/session-id.pem
  tls_get 198.51.100.20:4432 -tls1_2 -no_ticket -sess_out "$s"
  tls_get 198.51.100.20:4432 -tls1_2 -no_ticket -sess_in "$s"
}
tls_resume_13() {
  local s=$work/session-13.pem
  tls_get 198.51.100.20:4431 -tls1_3 -sess_out "$s"
  tls_get 198.51.100.20:4431 -tls1_3 -sess_in "$s"
}
tls_client_cert() { tls_get 198.51.100.20:4433 -tls1_2 -cert "$work/pki/client.crt" -key "$work/pki/client.key"; }
tls_large_hello() {
  local list n
  for n in $(seq 120); do list+="long-protocol-name-$n,"; done
  tls_get 198.51.100.20:4431 -servername www.shop.example -alpn "${list%,}"
}
tls_ciphers() {
  local c
  for c in AES128-SHA DHE-RSA-AES256-GCM-SHA384 ECDHE-RSA-CHACHA20-POLY1305 CAMELLIA256-SHA AES128-CCM \
    ARIA128-GCM-SHA256; do tls_get 198.51.100.20:4430 -tls1_2 -cipher "$c@SECLEVEL=0" -servername \
      cipher.shop.example; done
}
tls_13_suites() {
  local c
  for c in TLS_AES_128_GCM_SHA256 TLS_CHACHA20_POLY1305_SHA256; do tls_get 198.51.100.20:4431 -ciphersuites $c \
    -groups P-384:P-256; done
  tls_get 198.51.100.20:4431 -groups P-521:X448
}
tls_failures() {
  tls_get 198.51.100.20:4431 -tls1_2 -cipher ECDHE-ECDSA-AES128-GCM-SHA256
  tls_get 198.51.100.20:4434 -tls1_2
  tls_get 198.51.100.20:4431 -tls1 -cipher "$old"
}
tls_nginx() {
  on_client curl -sS -m 10 -k -o /dev/null --resolve 'www.shop.example:443:198.51.100.43' --resolve \
    'www.shop.example:8443:198.51.100.43' "$@"
}
tls_gnutls() {
  printf 'GET / HTTP/1.0\r\n\r\n' | on_client timeout 5 gnutls-cli --insecure -p 443 --sni-hostname www.shop.example \
    198.51.100.43 || true
}
raw_tls() { on_client "$python" "$parts/raw-tls" "$@"; }

tls_nginx_conf() {
  mkdir -p "$work/tls"
  cat >"$work/tls/nginx.conf" <<CONF
user root; daemon off; worker_processes 1; pid $work/tls/pid; error_log stderr;
events { worker_connections 64; }
http {
  access_log off; client_body_temp_path $work/tls/b; proxy_temp_path $work/tls/p; fastcgi_temp_path $work/tls/f;
  uwsgi_temp_path $work/tls/u; scgi_temp_path $work/tls/s;
  ssl_certificate $work/pki/chain.crt; ssl_certificate_key $work/pki/ecdsa.key;
  ssl_certificate $work/pki/rsa.crt; ssl_certificate_key $work/pki/rsa.key;
  server { listen 198.51.100.43:443 ssl http2; listen [2001:db8:2::43]:443 ssl http2; ssl_protocols TLSv1.2 TLSv1.3; return 200 "over TLS\n"; }
  server { listen 198.51.100.43:8443 ssl; ssl_protocols TLSv1.2; return 200 "over TLS 1.2\n"; }
}
CONF
}

tls_serve() {
  address $server s0 198.51.100.43/24
  address $server s0 2001:db8:2::43/64
  tls_pki
  mkdir -p "$work/www"
  "$python" "$parts/make-bodies" "$work/www"
  tls_nginx_conf
  tls_server 4430 rsa -cipher "ALL:COMPLEMENTOFALL:@SECLEVEL=0"
  tls_server 4431 rsa
  tls_server 4432 rsa -no_ticket
  tls_server 4433 rsa -tls1_2 -Verify 2 -CAfile "$work/pki/root.crt"
  tls_server 4434 rsa -tls1_3
  tls_server 4435 p384 -tls1_2
  tls_server 4436 ed25519 -tls1_2
  tls_server 4437 dsa -tls1_2 -cipher "ALL:@SECLEVEL=0"
  tls_server 4438 self -tls1_2
  tls_server 4439 expired -tls1_2
  tls_server 4440 far -tls1_2
  tls_server 4441 utf8 -tls1_2
  tls_server 4442 many -tls1_2
  tls_server 4443 ecdsa -tls1_2
  tls_server 4444 root -tls1_2
  tls_server 4445 rsa -tls1_2 -max_send_frag 512
  tls_server 4446 rsa -alpn spdy/9,http/1.1,h2 -tls1_2
  serve tls-nginx ip netns exec $server nginx -c "$work/tls/nginx.conf"
  wait_port 198.51.100.43 443
  sleep 1
}

group_tls() {
  group_wanted tls || return 0
  tls_serve
  local f='tcp portrange 4430-4460' s=198.51.100.20
  record tls/tls10 "$f" tls_versions -tls1
  record tls/tls11 "$f" tls_versions -tls1_1
  record tls/tls12 "$f" tls_versions -tls1_2
  record tls/tls13 "$f" tls_versions -tls1_3
  record tls/ciphers "$f" tls_ciphers
  record tls/anonymous "$f" tls_get $s:4430 -tls1_2 -cipher aNULL:@SECLEVEL=0
  record tls/tls13-suites "$f" tls_13_suites
  record tls/resume-ticket "$f" tls_resume_ticket
  record tls/resume-id "$f" tls_resume_id
  record tls/resume-tls13 "$f" tls_resume_13
  record tls/client-certificate "$f" tls_client_cert
  record tls/large-client-hello "$f" tls_large_hello
  record tls/failures "$f" tls_failures
  record tls/cert-p384-names "$f" tls_get $s:4435 -tls1_2 -servername first.example
  record tls/cert-ed25519 "$f" tls_get $s:4436 -tls1_2
  record tls/cert-dsa "$f" tls_get $s:4437 -tls1_2 -cipher "ALL:@SECLEVEL=0" -sigalgs DSA+SHA256
  record tls/cert-self-signed "$f" tls_get $s:4438 -tls1_2
  record tls/cert-expired "$f" tls_get $s:4439 -tls1_2 -servername expired.shop.example
  record tls/cert-far-future "$f" tls_get $s:4440 -tls1_2
  record tls/cert-utf8 "$f" tls_get $s:4441 -tls1_2 -servername xn--bcher-kva.example
  record tls/cert-many-names "$f" tls_get $s:4442 -tls1_2
  record tls/cert-chain "$f" tls_get $s:4443 -tls1_2 -servername www.shop.example
  record tls/cert-authority "$f" tls_get $s:4444 -tls1_2
  record tls/small-records "$f" tls_get $s:4445 -tls1_2
  record tls/alpn "$f" tls_get $s:4446 -tls1_2 -alpn http/1.1,h2
  record tls/curl-h2 "tcp port 443" tls_nginx --http2 https://www.shop.example/
  record tls/curl-tls12-h2 "tcp port 443" tls_nginx --http2 --tls-max 1.2 https://www.shop.example/
  record tls/curl-http1 "tcp port 8443" tls_nginx --http1.1 --no-alpn https://www.shop.example:8443/
  record tls/gnutls "tcp port 443" tls_gnutls
  record tls/ipv6 "tcp port 443" on_client curl -sSk -m 10 -o /dev/null -g 'https://[2001:db8:2::43]/'
  record tls/hello-shapes "$f" raw_tls hello-shapes $s 4431
  record tls/split-records "$f" raw_tls split-records $s 4431
  record tls/malformed "$f" raw_tls malformed $s 4431
  serve odd-tls ip netns exec $server "$python" "$parts/raw-tls" serve $s 4450 "$work/pki/rsa.crt"
  sleep 0.5
  record tls/bad-answers "$f" raw_tls ask-odd $s 4450
}
