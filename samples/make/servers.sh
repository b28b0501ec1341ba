# shellcheck shell=bash disable=SC2154
# The servers, each with a configuration of its own and none of the machine's. They
# run until the namespace of processes ends.

serve() {                       # HOST PORT COMMAND...: in the background, until it listens
  local host=$1 port=$2; shift 2
  on "$host" "$@" >"$work/log/$host-$port-$RANDOM" 2>&1 &
  wait_until 10 listens "$host" "$port"
}
listens() { [ -n "$(on "$1" ss -Hlntu "sport = :$2")" ]; }
falls_deaf() { ! listens "$1" "$2"; }

# Ends what listens there. A server that only some samples need is not to be heard in
# the others.
stop_server() {                 # HOST PORT
  local servers
  servers=$(on "$1" ss -Hlntup "sport = :$2" | grep -o 'pid=[0-9]*' | sort -u)
  # shellcheck disable=SC2086  # a word for each
  kill ${servers//pid=/}
  wait_until 10 falls_deaf "$1" "$2"
}

# The one user there is, in the private /etc; and files of a few lines.
make_user_and_files() {
  useradd --no-create-home --no-log-init --home-dir /srv/ftp --shell /bin/bash audit
  echo audit:sample | chpasswd
  mkdir -p /srv/ftp/incoming /srv/web /srv/tftp
  local i
  for i in 1 2 3 4 5 6; do echo "line $i of a file that is here to be fetched"; done >/srv/ftp/readme.txt
  for i in $(seq 1 60); do printf 'record %04d;%08d\n' "$i" $((i * 7919)); done >/srv/ftp/data.csv
  cp /srv/ftp/readme.txt /srv/ftp/data.csv /srv/web
  cp /srv/ftp/readme.txt /srv/ftp/data.csv /srv/tftp
  echo '<html><title>Sample</title><body><p>A page of the sample server.</p></body></html>' >/srv/web/index.html
  find /srv -exec touch -d 2024-01-01T00:00:00Z {} +
  chown -R audit: /srv/ftp
  chown -R nobody: /srv/tftp
  # What clients send.
  for i in 1 2 3; do echo "line $i of a file that is here to be sent"; done >"$HOME/report.txt"
}

certificate() {                 # NAME: NAME.key, NAME.crt, NAME.pem
  openssl req -x509 -newkey ec -pkeyopt ec_paramgen_curve:prime256v1 -nodes -days 365 \
    -subj "/CN=$1" -keyout "$work/$1.key" -out "$work/$1.crt" 2>/dev/null
  cat "$work/$1.key" "$work/$1.crt" >"$work/$1.pem"
}

# An instance an address, since a listener for both families would see IPv4 clients
# at mapped IPv6 addresses.
vsftpd_on() {                   # HOST ADDRESS PORT [SETTING...]
  local conf=$work/vsftpd-$1-$3-${2//:/.}.conf listen=listen_address
  case $2 in *:*) listen=listen_address6 ;; esac
  mkdir -p /run/vsftpd/empty
  {
    [ "$listen" = listen_address6 ] && printf 'listen=NO\nlisten_ipv6=YES\n' || printf 'listen=YES\nlisten_ipv6=NO\n'
    printf '%s\n' "$listen=$2" "listen_port=$3" background=NO anonymous_enable=NO local_enable=YES \
      write_enable=YES connect_from_port_20=YES chroot_local_user=YES allow_writeable_chroot=YES \
      secure_chroot_dir=/run/vsftpd/empty pam_service_name=vsftpd xferlog_enable=NO use_localtime=NO \
      seccomp_sandbox=NO isolate=NO isolate_network=NO "ftpd_banner=Sample FTP server" "${@:4}"
  } >"$conf"
  on "$1" vsftpd "$conf" >"$work/log/$1-$3" 2>&1 &
  wait_until 10 listens_at "$1" "$2" "$3"
}
listens_at() { [ -n "$(on "$1" ss -Hlnt "src = [$2]:$3")" ]; }

start_ftp() {
  certificate ftps.example.net
  vsftpd_on ftp21 198.51.100.21 21
  vsftpd_on ftp21 2001:db8:2::21 21
  vsftpd_on ftp22 198.51.100.22 2121
  vsftpd_on ftp22 198.51.100.22 21 ssl_enable=YES "rsa_cert_file=$work/ftps.example.net.crt" \
    "rsa_private_key_file=$work/ftps.example.net.key" force_local_logins_ssl=YES force_local_data_ssl=YES \
    require_ssl_reuse=NO ssl_ciphers=HIGH
}

# One answer is too long for a datagram, so that a client comes again over TCP.
start_dns() {
  local name records=()
  for name in ftp:21 ftps:22 dns:53 irc:66 tftp:69 web:80; do
    records+=(--host-record="${name%:*}.example.net,198.51.100.${name#*:},2001:db8:2::${name#*:}")
  done
  for name in 1 2 3 4 5 6 7 8; do
    records+=(--txt-record="long.example.net,$(printf "text $name %.0s" {1..30})")
  done
  serve dns53 53 dnsmasq --keep-in-foreground --conf-file=/dev/null --pid-file= --user=nobody --group=nogroup \
    --no-resolv --no-hosts --local=/example.net/ --log-facility=- --bind-interfaces \
    --listen-address=198.51.100.53 --listen-address=2001:db8:2::53 "${records[@]}"
}

start_irc() {
  cat >"$work/ngircd.conf" <<CONF
[Global]
Name = irc.example.net
Info = Sample IRC server
Listen = 198.51.100.66
Ports = 6667
MotdPhrase = "Welcome"
ServerUID = irc
ServerGID = irc
[Limits]
# Short enough for the server to ask after a silent client within a sample.
PingTimeout = 60
[Options]
DNS = no
Ident = no
PAM = no
SyslogFacility = local1
CONF
  serve irc66 6667 ngircd --nodaemon --config "$work/ngircd.conf"
}

start_tftp() {
  local options=(--foreground --secure --create --user nobody)
  serve tftp69 69 in.tftpd -4 "${options[@]}" --address 198.51.100.69:69 /srv/tftp
  on tftp69 in.tftpd -6 "${options[@]}" --address '[2001:db8:2::69]:69' /srv/tftp >"$work/log/tftp6" 2>&1 &
  wait_until 10 listens_udp6 tftp69 69
}
listens_udp6() { [ -n "$(on "$1" ss -Hlnu6 "sport = :$2")" ]; }

start_web() {
  certificate web.example.net
  cat >"$work/lighttpd.conf" <<CONF
server.modules = ("mod_openssl")
server.document-root = "/srv/web"
server.bind = "0.0.0.0"
server.port = 80
server.tag = "lighttpd"
server.errorlog = "$work/log/lighttpd-error"
index-file.names = ("index.html")
mimetype.assign = (".html" => "text/html", "" => "text/plain")
\$SERVER["socket"] == "[::]:80" { }
\$SERVER["socket"] == "0.0.0.0:443" { ssl.engine = "enable" ssl.pemfile = "$work/web.example.net.pem" }
\$SERVER["socket"] == "[::]:443" { ssl.engine = "enable" ssl.pemfile = "$work/web.example.net.pem" }
CONF
  serve web80 80 lighttpd -D -f "$work/lighttpd.conf"
}

start_servers() {
  make_user_and_files
  start_ftp
  start_dns
  start_irc
  start_tftp
  start_web
}
