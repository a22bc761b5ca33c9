# shellcheck shell=bash disable=SC2154
# TFTP: dnsmasq as server and curl as client, with and without options; raw-tftp for writing, which dnsmasq refuses, and
# for servers that answer from port 69.

get_tftp() { on_client curl -sS -m 10 -o /dev/null "$@" || true; }
put_tftp() { on_client curl -sS -m 10 -T "$work/tftp/figures.csv" "$@" || true; }
raw_tftp() { on_client "$python" "$parts/raw-tftp" "$@"; }

group_tftp() {
  group_wanted tftp || return 0
  address $server s0 198.51.100.69/24
  address $server s0 2001:db8:2::69/64
  mkdir -p "$work/tftp/boot"
  seq -s, 900 >"$work/tftp/figures.csv"
  printf 'default linux\nlabel linux\n  kernel vmlinuz\n' >"$work/tftp/boot/pxelinux.cfg"
  : >"$work/tftp/empty"
  chmod -R a+rX "$work/tftp"
  serve dnsmasq-tftp ip netns exec $server dnsmasq -k --conf-file=/dev/null --port=0 --user=root --interface=s0 --bind-interfaces \
    --pid-file= --enable-tftp --tftp-root="$work/tftp"
  sleep 0.5
  local f='udp port 69 or udp portrange 1024-65535'
  record tftp/read "$f" get_tftp tftp://198.51.100.69/boot/pxelinux.cfg
  record tftp/read-large "$f" get_tftp --tftp-blksize 1400 tftp://198.51.100.69/figures.csv
  record tftp/read-no-options "$f" get_tftp --tftp-no-options tftp://198.51.100.69/figures.csv
  record tftp/read-empty "$f" get_tftp tftp://198.51.100.69/empty
  record tftp/not-found "$f" get_tftp tftp://198.51.100.69/boot/nothing.cfg
  record tftp/write-refused "$f" put_tftp tftp://198.51.100.69/incoming.csv
  record tftp/ipv6 "$f" get_tftp 'tftp://[2001:db8:2::69]/boot/pxelinux.cfg'
  serve_end
  serve raw-tftp ip netns exec $server "$python" "$parts/raw-tftp" serve 198.51.100.69
  sleep 0.5
  record tftp/write "$f" put_tftp tftp://198.51.100.69/incoming.csv
  record tftp/one-port "$f" raw_tftp one_port 198.51.100.69
  record tftp/malformed "$f" raw_tftp malformed 198.51.100.69
}
