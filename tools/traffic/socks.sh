# shellcheck shell=bash disable=SC2154
# SOCKS: microsocks as proxy and curl as client, behind it raw-socks' page; raw-socks as proxy for version 4, BIND, refusals
# and what is malformed.

socks_get() { on_client curl -sS -m 10 -o /dev/null --noproxy '' -x "$1" "${@:2}" || true; }
raw_socks() { on_client "$python" "$parts/raw-socks" "$@"; }

group_socks() {
  group_wanted socks || return 0
  address $server s0 198.51.100.108/24
  address $server s0 2001:db8:2::108/64
  mkdir -p "$work/socks"
  echo 'hello' >"$work/socks/index.html"
  serve socks-page ip netns exec $server "$python" -m http.server --directory "$work/socks" --bind :: 8000
  serve microsocks ip netns exec $server microsocks -i :: -p 1081
  serve microsocks-login ip netns exec $server microsocks -i :: -p 1082 -u bob -P secret
  serve raw-socks ip netns exec $server "$python" "$parts/raw-socks" serve 198.51.100.108
  wait_port 198.51.100.108 8000
  wait_port 198.51.100.108 1080
  wait_port 198.51.100.108 1081
  wait_port 198.51.100.108 1082
  local f='tcp portrange 1080-1082'
  record socks/v5 "$f" socks_get socks5://198.51.100.108:1081 http://198.51.100.108:8000/
  record socks/v5-name "$f" socks_get socks5h://198.51.100.108:1081 http://localhost:8000/
  record socks/v5-ipv6 "$f" socks_get 'socks5h://[2001:db8:2::108]:1081' 'http://[2001:db8:2::108]:8000/'
  record socks/v5-login "$f" socks_get socks5h://bob:secret@198.51.100.108:1082 http://localhost:8000/
  record socks/v5-wrong-login "$f" socks_get socks5h://bob:wrong@198.51.100.108:1082 http://localhost:8000/
  record socks/v5-closed-port "$f" socks_get socks5://198.51.100.108:1081 http://198.51.100.108:7/
  record socks/v4 "$f" socks_get socks4://bob@198.51.100.108:1080 http://198.51.100.108:8000/
  record socks/v4a "$f" socks_get socks4a://198.51.100.108:1080 http://www.shop.example/
  record socks/bind "$f" raw_socks bind 198.51.100.108
  record socks/associate "$f" raw_socks associate 198.51.100.108
  record socks/ahead "$f" raw_socks ahead 198.51.100.108
  record socks/refused "$f" raw_socks refused 198.51.100.108
  record socks/malformed "$f" raw_socks malformed 198.51.100.108
}
