# shellcheck shell=bash disable=SC2154,SC2034
# HTTP/1 from nginx, lighttpd and tinyproxy to curl; what those do not send comes from raw-http (group web).

http_files() {
  local dir=$work/www
  mkdir -p "$dir/private" "$dir/dav" "$work/nginx" "$work/lighttpd"
  "$python" "$parts/make-bodies" "$dir"
  printf 'alice:%s\n' "$(openssl passwd -apr1 -salt 01234567 secret)" >"$work/nginx/users"
  printf 'carol:shop:%s\n' "$(printf 'carol:shop:secret' | md5sum | cut -d' ' -f1)" >"$work/lighttpd/users"
  chmod -R a+rX "$work"
  chmod a+rwx "$dir/dav"
}

http_nginx_conf() {
  cat >"$work/nginx/nginx.conf" <<CONF
user root; daemon off; worker_processes 1; pid $work/nginx/pid; error_log stderr;
events { worker_connections 64; }
http {
  include /etc/nginx/mime.types; default_type application/octet-stream; access_log off; if_modified_since before; root $work/www;
  client_body_temp_path $work/nginx/body; proxy_temp_path $work/nginx/proxy; fastcgi_temp_path $work/nginx/f;
  uwsgi_temp_path $work/nginx/u; scgi_temp_path $work/nginx/s; large_client_header_buffers 4 16k;
  server {
    listen 198.51.100.80:80; listen [2001:db8:2::80]:80; listen 198.51.100.80:8080; server_name www.shop.example;
    location = /no-content { return 204; }
    location = /moved { return 301 http://www.shop.example/index.html; }
    location = /set-cookie { add_header Set-Cookie "session=f00ba4; Path=/; HttpOnly"; add_header Set-Cookie "theme=dark"; return 200 "ok\n"; }
    location = /form { if (\$request_method = POST) { return 303 /index.html; } return 405; }
    location = /upload { client_max_body_size 1m; proxy_pass http://127.0.0.1:8099; }
    location = /too-large { client_max_body_size 1k; proxy_pass http://127.0.0.1:8099; }
    location = /down { proxy_pass http://127.0.0.1:1; }
    location = /packed.txt { gzip on; gzip_types text/plain; gzip_min_length 1; }
    location /private { auth_basic "staff only"; auth_basic_user_file $work/nginx/users; }
    location /dav { dav_methods PUT DELETE MKCOL COPY MOVE; create_full_put_path on; }
    location /search { add_header X-Served-By web1; return 200 "nothing found\n"; }
    location /certsrv/ { return 401; }
  }
  server { listen 127.0.0.1:8099; location / { client_max_body_size 1m; return 200 "stored\n"; } }
}
CONF
}

http_lighttpd_conf() {
  cat >"$work/lighttpd/lighttpd.conf" <<CONF
server.document-root = "$work/www"
server.bind = "198.51.100.81"
server.port = 80
server.modules = ("mod_auth", "mod_authn_file", "mod_webdav", "mod_openssl")
server.feature-flags = ("server.h2proto" => "enable", "server.h2c" => "enable")
mimetype.assign = (".html" => "text/html", ".txt" => "text/plain", "" => "application/octet-stream")
auth.backend = "htdigest"
auth.backend.htdigest.userfile = "$work/lighttpd/users"
\$HTTP["url"] =~ "^/private" { auth.require = ("" => ("method" => "digest", "algorithm" => "MD5", "realm" => "shop", "require" => "valid-user")) }
\$HTTP["url"] =~ "^/dav" { webdav.activate = "enable" }
CONF
  sed -i 's/, "mod_openssl"//' "$work/lighttpd/lighttpd.conf"
  cat >"$work/tinyproxy.conf" <<CONF
Port 3128
Listen 198.51.100.90
Timeout 10
LogLevel Critical
MaxClients 10
Allow 192.0.2.0/24
ConnectPort 443
ConnectPort 80
BasicAuth bob secret
CONF
}

web_curl() {
  on_client curl -sS -m 10 --noproxy '*' --resolve 'www.shop.example:80:198.51.100.80' --resolve \
    'www.shop.example:8080:198.51.100.80' --resolve 'dav.shop.example:80:198.51.100.81' -o /dev/null "$@"
}
web=http://www.shop.example

http_get() {
  web_curl "$web/search?q=red+shoes&page=2&empty=&flag" -b 'session=f00ba4; theme=dark; empty=' -A \
    'Mozilla/5.0 (X11; Linux x86_64) Seine/1.0' -e "$web/index.html" -H 'Accept-Language: en, de;q=0.5'
}
http_form() { web_curl "$web/form" -d 'user=alice&password=open+sesame&lang=d%C3%A9'; }
http_post_json() { web_curl "$web/upload" -H 'Content-Type: application/json' -d '{"name":"Zoë","items":[1,2,3]}'; }
http_post_file() { web_curl "$web/upload" -F 'comment=holiday picture' -F "file=@$work/www/picture.png"; }
http_post_binary() {
  web_curl "$web/upload" -H 'Content-Type: application/octet-stream' --data-binary "@$work/www/archive.zip"
}
http_chunked_request() {
  web_curl "$web/upload" -H 'Transfer-Encoding: chunked' -H 'Content-Type: text/plain' --data-binary \
    "@$work/www/long.txt"
}
http_continue() { web_curl "$web/upload" -H 'Expect: 100-continue' --data-binary "@$work/www/long.txt"; }
http_conditional() {
  web_curl "$web/plain.txt" -z '2030-01-01'
  web_curl "$web/plain.txt" -H 'Range: bytes=10-29'
}
http_errors() {
  web_curl "$web/absent.html"
  web_curl -X POST "$web/plain.txt"
  web_curl "$web/down"
  web_curl "$web/too-large" --data-binary "@$work/www/long.txt"
}
http_redirects() { web_curl -L "$web/moved" "$web/no-content" "$web/set-cookie"; }
http_basic() {
  web_curl "$web/private/a.html"
  web_curl -u alice:wrong "$web/private/a.html"
  web_curl -u alice:secret "$web/private/a.html" "$web/private/a.html"
}
http_digest() { web_curl --digest -u carol:secret http://dav.shop.example/private/a.html; }
http_methods() {
  web_curl -T "$work/www/plain.txt" http://dav.shop.example/dav/new.txt
  web_curl -X OPTIONS http://dav.shop.example/dav/
  web_curl -X PROPFIND -H 'Depth: 1' http://dav.shop.example/dav/
  web_curl -X DELETE http://dav.shop.example/dav/new.txt
  web_curl -X TRACE "$web/"
}
http_put_delete() {
  web_curl -T "$work/www/plain.txt" "$web/dav/one.txt"
  web_curl -X DELETE "$web/dav/one.txt"
}
http_keep_alive() { web_curl "$web/" "$web/plain.txt" "$web/data.json" "$web/absent" "$web/feed.xml"; }
http_bodies() {
  web_curl "$web/picture.png" "$web/photo.jpg" "$web/anim.gif" "$web/archive.zip" "$web/paper.pdf" "$web/index.html" \
    "$web/feed.xml" "$web/data.json" "$web/program.elf" "$web/program.exe" "$web/packed.tar.gz" "$web/script.sh" \
    "$web/plain.txt" "$web/empty.bin"
}
http_forwarded() {
  web_curl "$web/" -H 'X-Forwarded-For: 203.0.113.9, 2001:db8:99::1,198.51.100.200'
  web_curl "$web/" -H 'X-Forwarded-For: unknown, 203.0.113.10:8080, 300.1.1.1'
}
http_host_forms() {
  web_curl "$web:8080/"
  web_curl "$web/" -H 'Host: WWW.Shop.Example:80'
  web_curl 'http://198.51.100.80/'
  web_curl "$web/" -H 'Host: xn--bcher-kva.example'
  web_curl --http1.0 "$web/" -H 'Host:'
}
http_long_url() {
  web_curl "$web/search?q=$(printf 'a%.0s' $(seq 900))"
  web_curl "$web/search?q=$(printf 'b%.0s' $(seq 5000))"
}
http_escapes() {
  web_curl --path-as-is "$web/search/%7Euser/../a%20b;x=1?k%3D=v%26w&&=only&a=1#frag" \
    "$web//search?u=http://other.example/p?x=y"
}
http_ipv6() { web_curl -g 'http://[2001:db8:2::80]/index.html' -H 'Host: www.shop.example'; }
http_proxy() { on_client curl -sS -m 10 -o /dev/null -x http://198.51.100.90:3128 -U bob:"$1" --noproxy '' "${@:2}"; }
http_proxy_get() {
  http_proxy secret http://198.51.100.80/index.html
  http_proxy wrong http://198.51.100.80/
}
http_connect() {
  http_proxy secret -p http://198.51.100.80:80/data.json
  http_proxy secret -p http://198.51.100.80:25/ || true
}
http_h2c() { web_curl --http2 http://dav.shop.example/plain.txt; }
http_h2_prior() { web_curl --http2-prior-knowledge http://dav.shop.example/plain.txt; }

group_http() {
  group_wanted http || return 0
  local a
  for a in 198.51.100.80/24 198.51.100.81/24 198.51.100.90/24 2001:db8:2::80/64; do address $server s0 $a; done
  http_files
  http_nginx_conf
  http_lighttpd_conf
  serve nginx ip netns exec $server nginx -c "$work/nginx/nginx.conf"
  serve lighttpd ip netns exec $server lighttpd -D -f "$work/lighttpd/lighttpd.conf"
  serve tinyproxy ip netns exec $server tinyproxy -d -c "$work/tinyproxy.conf"
  wait_port 198.51.100.80 80
  wait_port 198.51.100.81 80
  wait_port 198.51.100.90 3128
  local f='tcp port 80'
  record http/get "$f" http_get
  record http/form-password "$f" http_form
  record http/post-json "$f" http_post_json
  record http/post-file "$f" http_post_file
  record http/post-binary "$f" http_post_binary
  record http/chunked-request "$f" http_chunked_request
  record http/gzip "$f" web_curl --compressed "$web/packed.txt"
  record http/100-continue "$f" http_continue
  record http/head "$f" web_curl -I "$web/picture.png"
  record http/conditional "$f" http_conditional
  record http/errors "$f" http_errors
  record http/redirects "$f" http_redirects
  record http/auth-basic "$f" http_basic
  record http/auth-digest "$f" http_digest
  record http/methods "$f" http_methods
  record http/put-delete "$f" http_put_delete
  record http/keep-alive "$f" http_keep_alive
  record http/bodies "$f" http_bodies
  record http/forwarded-for "$f" http_forwarded
  record http/host-forms "tcp port 80 or 8080" http_host_forms
  record http/long-url "$f" http_long_url
  record http/escapes "$f" http_escapes
  record http/certsrv "$f" web_curl "$web/certsrv/certfnsh.asp"
  record http/ipv6 "$f" http_ipv6
  record http/port-8080 "tcp port 8080" web_curl "$web:8080/data.json"
  record http/proxy-get "tcp port 3128" http_proxy_get
  record http/connect "tcp port 3128" http_connect
  record http/h2c-upgrade "$f" http_h2c
  record http/h2-prior-knowledge "$f" http_h2_prior
}
