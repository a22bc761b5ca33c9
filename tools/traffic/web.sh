# shellcheck shell=bash disable=SC2154,SC2034
# HTTP and WebSocket beyond the usual: a WebSocket library at both ends, curl with NTLM, and raw-http for odd shapes.

raw_http() { on_client "$python" "$parts/raw-http" "$@"; }
web_socket() { on_client "$python" "$parts/websocket-talk" "$@"; }
web_ntlm() {
  on_client curl -sS -m 10 -o /dev/null --noproxy '*' --ntlm -u 'SHOP\dora:secret' http://198.51.100.82/ntlm
}

group_web() {
  group_wanted http || return 0
  address $server s0 198.51.100.82/24
  serve raw-http ip netns exec $server "$python" "$parts/raw-http" serve 198.51.100.82 80
  serve websocket ip netns exec $server "$python" "$parts/websocket-talk" serve 198.51.100.82 8765
  wait_port 198.51.100.82 80
  wait_port 198.51.100.82 8765
  local f='tcp port 80' s=198.51.100.82
  record http/ntlm "$f" web_ntlm
  record http/pipelined "$f" raw_http pipelined $s 80
  record http/split "$f" raw_http split $s 80
  record http/odd-answers "$f" raw_http odd-answers $s 80
  record http/odd-requests "$f" raw_http odd-requests $s 80
  record http/all-methods "$f" raw_http all-methods $s 80
  record http/authorization "$f" raw_http authorization $s 80
  record http/post-bodies "$f" raw_http post-bodies $s 80
  record http/passwords "$f" raw_http passwords $s 80
  record http/websocket-raw "$f" raw_http websocket $s 80
  record http/websocket "tcp port 8765" web_socket plain $s 8765
  record http/websocket-deflate "tcp port 8765" web_socket deflate $s 8765
}
