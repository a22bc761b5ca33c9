# shellcheck shell=bash disable=SC2154,SC2034
# What TCP and UDP do whatever they carry: refused, reset, half closed, stalled, lossy, fragmented; and VXLAN, the one
# tunnel this kernel builds. Tunnels and shapes that it does not build are written by tools/wrap-traffic.

flow_talk() { on_client "$python" "$parts/flow-talk" "$@"; }
flow_lossy() {
  # every seventh forwarded TCP segment with data is lost behind the capture, as at a bad link
  on_router nft -f - <<'NFT'
table inet lossy {
  chain forward {
    type filter hook forward priority 0;
    meta l4proto tcp meta length > 300 numgen inc mod 7 == 3 drop
  }
}
NFT
  flow_talk upload 198.51.100.30 7001
  flow_talk download 198.51.100.30 7002
  on_router nft delete table inet lossy
}
flow_vxlan() {
  on_client curl -sS -m 5 -o /dev/null --noproxy '*' http://10.9.0.2/inner
  on_client ping -n -c 1 10.9.0.2
}
vxlan_up() {
  ip -n $client link add vx0 address 00:00:5e:00:53:d1 type vxlan id 4711 local $client4 remote 198.51.100.30 \
    dstport 4789
  ip -n $server link add vx0 address 00:00:5e:00:53:d2 type vxlan id 4711 local 198.51.100.30 remote $client4 \
    dstport 4789
  quiet $client
  quiet $server
  ip -n $client addr add 10.9.0.1/24 dev vx0
  ip -n $server addr add 10.9.0.2/24 dev vx0
  ip -n $client link set vx0 up
  ip -n $server link set vx0 up
}

group_flow() {
  group_wanted tcp || group_wanted udp || group_wanted net || return 0
  address $server s0 198.51.100.30/24
  address $server s0 2001:db8:2::30/64
  serve flow-talk ip netns exec $server "$python" "$parts/flow-talk" serve 198.51.100.30 2001:db8:2::30
  wait_port 198.51.100.30 7001
  local s=198.51.100.30
  record tcp/refused 'tcp' flow_talk connect $s 7999
  record tcp/unanswered 'tcp' flow_talk connect 198.51.100.201 7999
  record tcp/empty 'tcp' flow_talk connect $s 7001
  record tcp/echo 'tcp' flow_talk echo $s 7003
  record tcp/echo6 'tcp' flow_talk echo 2001:db8:2::30 7003
  record tcp/reset-by-client 'tcp' flow_talk abort $s 7003
  record tcp/reset-by-server 'tcp' flow_talk wait $s 7004
  record tcp/half-close 'tcp' flow_talk half-close $s 7005
  record tcp/zero-window 'tcp' flow_talk upload $s 7006
  record tcp/keepalive 'tcp' flow_talk keepalive $s 7003
  record tcp/port-reuse 'tcp' flow_talk port-reuse $s 7003
  record tcp/urgent 'tcp' flow_talk urgent $s 7003
  record tcp/scan 'tcp' flow_talk scan $s 6990
  record tcp/loss 'tcp' flow_lossy
  record udp/echo 'udp' flow_talk datagrams $s 7010
  record udp/echo6 'udp' flow_talk datagrams 2001:db8:2::30 7010
  record udp/large 'udp or (ip[6:2] & 0x3fff != 0)' flow_talk large $s 7010
  record udp/large6 'udp or ip6 proto 44' flow_talk large 2001:db8:2::30 7010
  vxlan_up
  serve inner ip netns exec $server "$python" "$parts/raw-http" serve 10.9.0.2 80
  wait_port 10.9.0.2 80
  record net/vxlan 'udp port 4789' flow_vxlan
}
