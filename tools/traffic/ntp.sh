# shellcheck shell=bash disable=SC2154,SC2034
# NTP: chronyd as server and client (versions 3 and 4), ntpdate, and raw-ntp for the modes and strata nobody runs.
# No clock is touched: chronyd runs with -x and ntpdate with -q.

ntp_query() {
  on_client chronyd -x -Q -t 5 -f /dev/null "server $1 iburst maxsamples 1 version $2" 'cmdport 0' \
    "pidfile $work/ntp/client.pid" || true
}
raw_ntp() { on_client "$python" "$parts/raw-ntp" "$@"; }

group_ntp() {
  group_wanted ntp || return 0
  address $server s0 198.51.100.123/24
  address $server s0 2001:db8:2::123/64
  mkdir -p "$work/ntp"
  printf 'local stratum 3\nallow\nbindaddress 198.51.100.123\nbindaddress 2001:db8:2::123\ncmdport 0\npidfile %s\n' \
    "$work/ntp/pid" >"$work/ntp/chrony.conf"
  serve chronyd ip netns exec $server chronyd -x -d -u root -f "$work/ntp/chrony.conf"
  sleep 1
  local f='udp port 123'
  record ntp/version4 "$f" ntp_query 198.51.100.123 4
  record ntp/version3 "$f" ntp_query 198.51.100.123 3
  record ntp/ntpdate "$f" on_client ntpdate -q 198.51.100.123
  record ntp/ipv6 "$f" ntp_query 2001:db8:2::123 4
  serve_end
  serve raw-ntp ip netns exec $server "$python" "$parts/raw-ntp" serve 198.51.100.123
  sleep 0.5
  record ntp/strata "$f" raw_ntp strata 198.51.100.123
  record ntp/modes "$f" raw_ntp modes 198.51.100.123
  record ntp/malformed "$f" raw_ntp malformed 198.51.100.123
}
