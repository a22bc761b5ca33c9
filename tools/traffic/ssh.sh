# shellcheck shell=bash disable=SC2154,SC2034
# SSH: OpenSSH and dropbear with several host keys, key exchanges and ciphers; a login, failures, and banners alone.

ssh_conf() {
  local dir=$work/ssh kind
  mkdir -p "$dir/auth" /run/sshd
  for kind in rsa ecdsa ed25519; do ssh-keygen -q -t $kind -N '' -C '' -f "$dir/host_$kind"; done
  ssh-keygen -q -t ed25519 -N '' -C '' -f "$dir/user"
  cp "$dir/user.pub" "$dir/auth/root"
  cat >"$dir/sshd_config" <<CONF
Port 22
ListenAddress 198.51.100.22
ListenAddress 2001:db8:2::22
HostKey $dir/host_rsa
HostKey $dir/host_ecdsa
HostKey $dir/host_ed25519
HostKeyAlgorithms +ssh-rsa
KexAlgorithms +diffie-hellman-group1-sha1,diffie-hellman-group14-sha1,diffie-hellman-group-exchange-sha1
Ciphers +aes128-cbc,3des-cbc
MACs +hmac-md5
AuthorizedKeysFile $dir/auth/%u
StrictModes no
UsePAM no
PermitRootLogin prohibit-password
PrintMotd no
PidFile none
LoginGraceTime 20
MaxStartups 100
Subsystem sftp internal-sftp
CONF
}

ssh_run() {
  on_client ssh -F none -i "$work/ssh/user" -o StrictHostKeyChecking=no -o UserKnownHostsFile=/dev/null -o \
    BatchMode=yes -o IdentitiesOnly=yes -o ConnectTimeout=5 root@198.51.100.22 "$@" || true
}
ssh_kex() { ssh_run -o KexAlgorithms="$1" -o HostKeyAlgorithms="$2" "${@:3}" true; }
ssh_hostkeys() {
  local a
  for a in ssh-rsa rsa-sha2-512 ecdsa-sha2-nistp256 ssh-ed25519; do ssh_kex curve25519-sha256 $a; done
}
ssh_wrong_password() {
  on_client sshpass -p wrong ssh -F none -o StrictHostKeyChecking=no -o UserKnownHostsFile=/dev/null -o \
    PubkeyAuthentication=no -o NumberOfPasswordPrompts=2 mallory@198.51.100.22 true || true
}
ssh_copy() {
  on_client scp -q -F none -i "$work/ssh/user" -o StrictHostKeyChecking=no -o UserKnownHostsFile=/dev/null \
    "$work/www/long.txt" root@198.51.100.22:/dev/null
}
ssh_dropbear() {
  on_client dbclient -y -p 2222 -i "$work/ssh/user.db" root@198.51.100.22 true || true
  ssh_run -p 2222 true
}
ssh_keys() {
  local n
  {
    for n in 1 2 3 4 5 6; do
      echo "echo $n"
      sleep 0.15
    done
    echo exit
  } | ssh_run -tt /bin/sh
}
ssh_banners() {
  on_client "$python" - <<'PY'
import socket, time
for banner in (b'SSH-2.0-scanner_1.0 with comment\r\n', b'SSH-1.5-old\n', b'SSH-1.99-both\r\n', b'SSH-2.0-' + b'v' * 240 + b'\r\n',
               b'SSH\r\n', b'ssh-2.0-lower\r\n', b'SSH-2.0-x\r\n' + b'\0\0\xff\xff\x04\x14' + bytes(60)):
    sock = socket.create_connection(('198.51.100.22', 22), 3)
    for piece in (banner[:4], banner[4:]):
        sock.sendall(piece)
        time.sleep(0.03)
    sock.settimeout(0.3)
    try:
        while sock.recv(4096):
            pass
    except OSError:
        pass
    sock.close()
PY
}

group_ssh() {
  group_wanted ssh || return 0
  address $server s0 198.51.100.22/24
  address $server s0 2001:db8:2::22/64
  ssh_conf
  mkdir -p "$work/www"
  "$python" "$parts/make-bodies" "$work/www"
  dropbearkey -t ecdsa -f "$work/ssh/dropbear" >/dev/null
  dropbearconvert openssh dropbear "$work/ssh/user" "$work/ssh/user.db" 2>/dev/null
  serve sshd ip netns exec $server /usr/sbin/sshd -D -e -f "$work/ssh/sshd_config"
  serve dropbear ip netns exec $server dropbear -F -E -p 198.51.100.22:2222 -r "$work/ssh/dropbear" -P \
    "$work/ssh/dropbear.pid"
  wait_port 198.51.100.22 22
  wait_port 198.51.100.22 2222
  local f='tcp port 22'
  record ssh/defaults "$f" ssh_run true
  record ssh/host-keys "$f" ssh_hostkeys
  record ssh/kex-group14 "$f" ssh_kex diffie-hellman-group14-sha256 rsa-sha2-256 -c aes256-ctr
  record ssh/kex-group1-cbc "$f" ssh_kex diffie-hellman-group1-sha1 +ssh-rsa -c aes128-cbc -m hmac-md5
  record ssh/kex-group-exchange "$f" ssh_kex diffie-hellman-group-exchange-sha256 ssh-ed25519 -c aes128-gcm@openssh.com
  record ssh/kex-nistp521 "$f" ssh_kex ecdh-sha2-nistp521 ecdsa-sha2-nistp256 -c chacha20-poly1305@openssh.com
  record ssh/kex-sntrup "$f" ssh_kex sntrup761x25519-sha512@openssh.com ssh-ed25519
  record ssh/wrong-password "$f" ssh_wrong_password
  record ssh/compressed-copy "$f" ssh_copy
  record ssh/terminal "$f" ssh_keys
  record ssh/dropbear "tcp port 2222" ssh_dropbear
  record ssh/ipv6 "$f" on_client ssh-keyscan -t ed25519,rsa 2001:db8:2::22
  record ssh/banners "$f" ssh_banners
}
