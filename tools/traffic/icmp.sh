# shellcheck shell=bash disable=SC2154,SC2034
# ICMP, ICMPv6, ARP, neighbour discovery and multicast membership, from the kernel and the usual tools.

ping4() { on_client ping -n -i 0.2 -W 1 "$@" || true; }
icmp_unreachable() {
  ping4 -W 4 -c 1 198.51.100.200                                  # nobody answers ARP: host unreachable
  on_client dig +tries=1 +timeout=1 -p 9 @198.51.100.20 a || true # port unreachable
  ping4 -c 1 10.200.0.1                                           # network unreachable
  ping4 -c 1 10.201.0.1                                           # prohibited
}
icmp6_unreachable() {
  on_client dig +tries=1 +timeout=1 -p 9 @2001:db8:2::20 a || true
  ping4 -c 1 2001:db8:dead::1
  ping4 -c 1 2001:db8:beef::1
}
icmp_too_big() {
  ping4 -c 2 -s 1400 -M 'do' 198.51.100.20
  ping4 -c 2 -s 1400 -M 'do' 2001:db8:2::20
}
icmp_rare() {
  on_client "$python" - <<'PY'
import socket, struct, time
def checksum(data):
    total = sum(struct.unpack('>%dH' % (len(data) // 2), data))
    while total >> 16:
        total = (total & 0xffff) + (total >> 16)
    return total ^ 0xffff
sock = socket.socket(socket.AF_INET, socket.SOCK_RAW, socket.IPPROTO_ICMP)
for kind, code, rest in ((13, 0, 12), (17, 0, 4), (15, 0, 0), (10, 0, 0), (4, 0, 28), (12, 0, 28), (40, 3, 4), (255, 255, 0)):
    data = struct.pack('>2BH', kind, code, 0) + b'\x12\x34\x00\x01' + bytes(rest)
    data = data[:2] + struct.pack('>H', checksum(data)) + data[4:]
    sock.sendto(data, ('198.51.100.20', 0))
    time.sleep(0.05)
PY
}
arp_new() {
  ip -n $client neigh del 192.0.2.1 dev c0
  ip -n $router neigh flush dev r0
  ip -n $router neigh del $client4 dev r0 2>/dev/null || true
  ping4 -c 1 192.0.2.1
  on_client arping -q -c 2 -w 1 -I c0 192.0.2.99 || true
  on_client arping -q -c 1 -U -I c0 $client4 || true
  on_client arping -q -c 1 -A -I c0 $client4 || true
  on_client arping -q -c 1 -D -I c0 192.0.2.1 || true
}
neighbour_new() {
  ip -n $client neigh del 2001:db8:1::1 dev c0
  ip -n $router neigh del $client6 dev r0 2>/dev/null || true
  ping4 -c 1 2001:db8:1::1
  ping4 -c 1 -W 1 2001:db8:1::99
}
multicast_join() {
  on_client "$python" - <<'PY'
import socket, time
four = socket.socket(socket.AF_INET, socket.SOCK_DGRAM)
member = socket.inet_aton('239.1.2.3') + socket.inet_aton('192.0.2.10')
four.setsockopt(socket.IPPROTO_IP, socket.IP_ADD_MEMBERSHIP, member)
six = socket.socket(socket.AF_INET6, socket.SOCK_DGRAM)
six.setsockopt(socket.IPPROTO_IPV6, socket.IPV6_JOIN_GROUP, socket.inet_pton(socket.AF_INET6, 'ff15::1234') + socket.if_nametoindex('c0').to_bytes(4, 'little'))
time.sleep(1)
four.setsockopt(socket.IPPROTO_IP, socket.IP_DROP_MEMBERSHIP, member)
PY
}

group_icmp() {
  group_wanted icmp || group_wanted arp || return 0
  ip -n $router route add unreachable 10.200.0.0/16
  ip -n $router route add prohibit 10.201.0.0/16
  ip -n $router -6 route add unreachable 2001:db8:dead::/48
  ip -n $router -6 route add prohibit 2001:db8:beef::/48
  record icmp/ping 'icmp' ping4 -c 3 198.51.100.20
  record icmp/ping6 'icmp6' ping4 -c 3 2001:db8:2::20
  record icmp/unreachable 'icmp or udp port 9' icmp_unreachable
  record icmp/unreachable6 'icmp6 or udp port 9' icmp6_unreachable
  record icmp/traceroute 'icmp or udp' on_client traceroute -n -q 2 -m 4 198.51.100.20
  record icmp/traceroute6 'icmp6 or udp' on_client traceroute -6 -n -q 1 -m 4 2001:db8:2::20
  record icmp/rare-types 'icmp' icmp_rare
  ip -n $router link set r1 mtu 1300
  record icmp/too-big 'icmp or icmp6' icmp_too_big
  ip -n $router link set r1 mtu 1500
  on_client ip route flush cache
  on_client ip -6 route flush cache
  record icmp/fragments 'icmp or (ip[6:2] & 0x3fff != 0)' ping4 -c 2 -s 4000 198.51.100.20
  record icmp/fragments6 'icmp6 or ip6 proto 44' ping4 -c 2 -s 4000 2001:db8:2::20
  record icmp/neighbours 'icmp6' neighbour_new
  record icmp/multicast 'igmp or ip6 proto 0' multicast_join
  linger=1 record arp/arp 'arp' arp_new
  # as they were, for the groups after this one
  ip -n $client neigh replace 192.0.2.1 lladdr 00:00:5e:00:53:01 dev c0 nud permanent
  ip -n $client neigh replace 2001:db8:1::1 lladdr 00:00:5e:00:53:01 dev c0 nud permanent
  ip -n $router neigh replace $client4 lladdr 00:00:5e:00:53:0a dev r0 nud permanent
  ip -n $router neigh replace $client6 lladdr 00:00:5e:00:53:0a dev r0 nud permanent
}
