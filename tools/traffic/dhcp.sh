# shellcheck shell=bash disable=SC2154,SC2034
# DHCP and DHCPv6: dnsmasq, dhcpd and a relay on a link of their own; udhcpc, dhclient and a socket as clients.

dhcp_link() {
  link $client c1 00:00:5e:00:53:b1 $router r2 00:00:5e:00:53:b2
  quiet $client
  quiet $router
  ip -n $router addr add 203.0.113.1/24 dev r2
  ip -n $router addr add 2001:db8:5::1/64 dev r2 nodad
  address $server s0 198.51.100.67/24
  mkdir -p "$work/dhcp"
}

dhcp_files() {
  local dir=$work/dhcp
  cat >"$dir/dhclient.conf" <<CONF
send host-name "laptop-7";
send dhcp-client-identifier "client-seven";
send vendor-class-identifier "MSFT 5.0";
send fqdn.fqdn "laptop-7.shop.example.";
send fqdn.encoded on;
send dhcp-lease-time 3600;
request subnet-mask, routers, domain-name, domain-name-servers, ntp-servers;
CONF
  cat >"$dir/dhclient6.conf" <<CONF
request dhcp6.name-servers, dhcp6.domain-search;
CONF
  cat >"$dir/wrong.lease" <<CONF
lease { interface "c1"; fixed-address 10.66.0.9; option subnet-mask 255.255.255.0; option dhcp-server-identifier 10.66.0.1;
  renew 6 2035/01/06 00:00:00; rebind 6 2035/01/06 00:00:00; expire 6 2036/01/05 00:00:00; }
CONF
  cat >"$dir/dhcpd6.conf" <<CONF
authoritative;
default-lease-time 3600;
option dhcp6.name-servers 2001:db8:2::53;
option dhcp6.domain-search "shop.example";
subnet6 2001:db8:5::/64 { range6 2001:db8:5::1000 2001:db8:5::1fff; prefix6 2001:db8:f000:: 2001:db8:f0ff:: /56; }
subnet6 2001:db8:2::/64 { }
CONF
  cat >"$dir/dhcpd4.conf" <<CONF
authoritative;
subnet 203.0.113.0 netmask 255.255.255.0 { range 203.0.113.150 203.0.113.160; option routers 203.0.113.1; }
subnet 198.51.100.0 netmask 255.255.255.0 { }
CONF
  : >"$dir/leases4"
  : >"$dir/leases6"
}

udhcp() { on_client udhcpc -i c1 -f -q -n -t 3 -T 1 -s /bin/true "$@" || true; }
# run_briefly SECONDS COMMAND...: a client that stays is ended by its own number
run_briefly() {
  local seconds=$1 pid
  shift
  ip netns exec $client "$@" &
  pid=$!
  sleep "$seconds"
  kill -TERM $pid 2>/dev/null || true
  wait $pid || true
}
dhc4() { run_briefly 2 dhclient -4 -1 -d -sf /bin/true -cf "$work/dhcp/dhclient.conf" -lf "$1" --no-pid c1; }
dhc6() {
  run_briefly 3 dhclient -6 -1 -d -sf /bin/true -cf "$work/dhcp/dhclient6.conf" -lf "$work/dhcp/client6" -df \
    "$work/dhcp/client6" --no-pid "$@" c1
}
dhcp_full() {
  dhc4 "$work/dhcp/client4"
  on_client dhclient -4 -r -d -sf /bin/true -cf "$work/dhcp/dhclient.conf" -lf "$work/dhcp/client4" --no-pid c1
}
dhcp_nak() {
  cp "$work/dhcp/wrong.lease" "$work/dhcp/client4n"
  dhc4 "$work/dhcp/client4n"
}
dhcp_renew() {
  ip netns exec $client udhcpc -i c1 -f -s /bin/true -R -x hostname:renewer -V 'android-dhcp-13' &
  local pid=$!
  sleep 1.5
  kill -USR1 $pid
  sleep 1
  kill -USR2 $pid
  sleep 0.5
  kill -TERM $pid
  wait $pid || true
}
dhcp6_full() {
  dhc6
  dhc6 -r
}
raw_dhcp() { on_client "$python" "$parts/raw-dhcp" "$@"; }

group_dhcp() {
  group_wanted dhcp || return 0
  dhcp_link
  dhcp_files
  local f='udp port 67 or udp port 68' f6='udp port 546 or udp port 547'
  dump_dev=c1
  serve dnsmasq ip netns exec $router dnsmasq -k --conf-file=/dev/null --port=0 --user=root --interface=r2 --bind-interfaces \
    --dhcp-range=203.0.113.100,203.0.113.120,1h --dhcp-authoritative --dhcp-leasefile="$work/dhcp/dnsmasq" --no-ping \
    --dhcp-option=option:dns-server,198.51.100.53 --dhcp-option=option:domain-name,shop.example --dhcp-rapid-commit --pid-file= \
    --dhcp-host=00:00:5e:00:53:bb,ignore
  sleep 0.5
  record dhcp/lease "$f" udhcp -x hostname:phone-1 -V 'udhcp test' -F phone-1.shop.example
  record dhcp/request-address "$f" udhcp -r 203.0.113.111 -x hostname:phone-2
  record dhcp/renew "$f" dhcp_renew
  record dhcp/dhclient "$f" dhcp_full
  record dhcp/nak "$f" dhcp_nak
  record dhcp/odd-clients "$f" raw_dhcp clients c1
  record dhcp/malformed "$f" raw_dhcp malformed c1
  serve_end
  record dhcp/no-server "$f" udhcp -t 2 -x hostname:lonely
  serve dhcpd6 ip netns exec $router dhcpd -6 -f -q -cf "$work/dhcp/dhcpd6.conf" -lf "$work/dhcp/leases6" --no-pid r2
  sleep 1
  record dhcpv6/lease "$f6" dhcp6_full
  record dhcpv6/information-request "$f6" dhc6 -S
  record dhcpv6/prefix "$f6" dhc6 -P
  record dhcpv6/vendor-class "$f6" raw_dhcp vendor6 c1
  record dhcpv6/malformed "$f6" raw_dhcp malformed6 c1
  serve_end
  # the relayed half is seen between router and server
  dump_ns=$router dump_dev=r1
  serve dhcpd4 ip netns exec $server dhcpd -4 -f -q -cf "$work/dhcp/dhcpd4.conf" -lf "$work/dhcp/leases4" --no-pid s0
  : >"$work/dhcp/leases6"
  serve dhcpd6 ip netns exec $server dhcpd -6 -f -q -cf "$work/dhcp/dhcpd6.conf" -lf "$work/dhcp/leases6" --no-pid s0
  serve relay4 ip netns exec $router dhcrelay -4 -d -q -a --no-pid -iu r1 -id r2 198.51.100.67
  serve relay6 ip netns exec $router dhcrelay -6 -d -q --no-pid -l r2 -u 2001:db8:2::20%r1
  sleep 1.5
  record dhcp/relay "$f" udhcp -x hostname:behind-relay
  record dhcpv6/relay "$f6" dhc6
  dump_ns=$client dump_dev=c0
}
