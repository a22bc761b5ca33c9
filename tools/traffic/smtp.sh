# shellcheck shell=bash disable=SC2154,SC2034
# SMTP: swaks and a plain socket to exim, which offers AUTH, STARTTLS, PIPELINING and CHUNKING (BDAT).

smtp_conf() {
  local dir=$work/exim
  rm -rf "$dir" # of an earlier group; the configuration must stay root's, the rest exim's
  mkdir -p "$dir/spool"
  chown -R Debian-exim "$dir"
  cat >"$dir/exim.conf" <<CONF
primary_hostname = mail.shop.example
spool_directory = $dir/spool
log_file_path = $dir/%slog
log_selector = -all
exim_user = Debian-exim
exim_group = Debian-exim
queue_only = true
host_lookup =
rfc1413_hosts =
rfc1413_query_timeout = 0s
smtp_banner = \$smtp_active_hostname ESMTP Exim
smtp_enforce_sync = false
helo_allow_chars = _
helo_accept_junk_hosts = *
chunking_advertise_hosts = *
pipelining_advertise_hosts = *
tls_advertise_hosts = *
tls_certificate = $work/pki/rsa.crt
tls_privatekey = $work/pki/rsa.key
auth_advertise_hosts = *
message_size_limit = 100K
acl_smtp_rcpt = rcpt
acl_smtp_data = data
acl_smtp_mail = accept
acl_smtp_vrfy = accept
acl_smtp_expn = deny
begin acl
rcpt:
  deny message = no such user here
       local_parts = nobody : ghost
  defer message = greylisted, try again later
       local_parts = later
  accept
data:
  deny message = that subject is not welcome
       condition = \${if match{\$h_subject:}{refuse}}
  accept
begin authenticators
login:
  driver = plaintext
  public_name = LOGIN
  server_prompts = User Name : Password
  server_condition = \${if eq{\$auth2}{secret}}
  server_set_id = \$auth1
plain:
  driver = plaintext
  public_name = PLAIN
  server_prompts = :
  server_condition = \${if eq{\$auth3}{secret}}
  server_set_id = \$auth2
cram:
  driver = cram_md5
  public_name = CRAM-MD5
  server_secret = secret
  server_set_id = \$auth1
begin routers
hold:
  driver = redirect
  data = :defer: kept
CONF
}

raw_smtp() { on_client "$python" "$parts/raw-smtp" "$@"; }
swaks_send() {
  on_client swaks --silent 3 --server 198.51.100.25 --helo client.shop.example --from alice@shop.example --to \
    bob@shop.example --header-X-Mailer 'Seine Mail 1.0' --header 'Subject: A plain message' "$@" || true
}

smtp_plain() {
  swaks_send --body 'Only a few words.' --add-header 'Message-Id: <20260101.1@client.shop.example>' --add-header \
    'X-Originating-IP: [203.0.113.40]' --add-header \
    'Received: from laptop.shop.example (laptop [203.0.113.41]) by relay.shop.example (198.51.100.26) with ESMTP; Thu, 1 Jan 2026 10:00:00 +0100'
}
smtp_attachment() {
  swaks_send --h-Subject 'Pictures and papers' --body 'See the files.' --attach-type image/png --attach-name \
    picture.png --attach "@$work/www/picture.png" --attach-type application/zip --attach-name 'r=C3=A9sum=C3=A9.zip' \
    --attach "@$work/www/archive.zip"
}
smtp_auth() { swaks_send --auth "$1" --auth-user alice --auth-password "${2:-secret}" --body hello; }
smtp_starttls() {
  swaks_send --tls --body 'hidden'
  swaks_send --tls --tls-protocol tlsv1_2 --auth PLAIN --auth-user alice --auth-password secret
}
smtp_rejected() {
  swaks_send --to nobody@shop.example
  swaks_send --to later@shop.example
  swaks_send --to 'bob@shop.example,ghost@shop.example'
  swaks_send --h-Subject 'please refuse'
}
smtp_many_rcpt() {
  swaks_send --to 'bob@shop.example,Carol@Shop.Example,"dave o"@other.example' --h-Cc 'erin@shop.example' --h-To \
    '"Bob, the builder" <bob@shop.example>, carol@shop.example' --h-From 'Alice Example <alice@shop.example>'
}
smtp_vrfy() {
  swaks_send --quit-after RCPT
  swaks_send --quit-after HELO
  raw_smtp commands 198.51.100.25
}

group_smtp() {
  group_wanted smtp || return 0
  address $server s0 198.51.100.25/24
  address $server s0 2001:db8:2::25/64
  tls_pki
  mkdir -p "$work/www"
  "$python" "$parts/make-bodies" "$work/www"
  smtp_conf
  chmod a+r "$work"/pki/*.key
  serve exim ip netns exec $server exim4 -C "$work/exim/exim.conf" -bdf -oX \
    '<; [198.51.100.25]:25 ; [2001:db8:2::25]:25'
  wait_port 198.51.100.25 25
  local f='tcp port 25'
  record smtp/plain "$f" smtp_plain
  record smtp/attachment "$f" smtp_attachment
  record smtp/auth-login "$f" smtp_auth LOGIN
  record smtp/auth-plain "$f" smtp_auth PLAIN
  record smtp/auth-cram-md5 "$f" smtp_auth CRAM-MD5
  record smtp/auth-failed "$f" smtp_auth LOGIN wrong
  record smtp/starttls "$f" smtp_starttls
  record smtp/rejected "$f" smtp_rejected
  record smtp/many-recipients "$f" smtp_many_rcpt
  record smtp/short-sessions "$f" smtp_vrfy
  record smtp/ipv6 "$f" raw_smtp several 2001:db8:2::25
  record smtp/subjects "$f" raw_smtp subjects 198.51.100.25
  record smtp/multipart "$f" raw_smtp multipart 198.51.100.25
  record smtp/file-names "$f" raw_smtp file-names 198.51.100.25
  record smtp/several-mails "$f" raw_smtp several 198.51.100.25
  record smtp/pipelined "$f" raw_smtp pipelined 198.51.100.25
  record smtp/bdat "$f" raw_smtp bdat 198.51.100.25
  record smtp/headers "$f" raw_smtp headers 198.51.100.25
  record smtp/odd-lines "$f" raw_smtp odd-lines 198.51.100.25
}
