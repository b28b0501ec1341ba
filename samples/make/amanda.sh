# shellcheck shell=bash disable=SC2016,SC2154
# The samples of helper/amanda: a backup server in the lan (pc11), which Amanda calls
# the server, and a host in the dmz (disk10) whose files it saves, the client. For the
# firewall it is the other way round: pc11 asks and disk10 answers.

amanda_samples() {
  amanda_hosts
  amanda_check; amanda_dump; amanda_multiplexed
  stop_server disk10 10080
  umount /tmp/amanda
  rmdir /tmp/amanda
}

# Both take part as Debian's user backup, and both write where the package wants it: in
# places of their own there, whose size they tell each other.
amanda_hosts() {
  local directory host
  for directory in /var/lib/amanda /var/log/amanda /tmp/amanda; do
    mkdir -p "$directory"
    mount -t tmpfs -o size=64m,mode=700 none "$directory"
  done
  mkdir -p /var/lib/amanda/gnutar-lists /etc/amanda/sample "$work"/amanda/{vtapes/slot1,vtapes/slot2,holding,info,index,log,home}
  touch /var/lib/amanda/amandates
  usermod --home "$work/amanda/home" backup
  printf '%s\n' 'pc11.example.net backup amdump' 'pc11.example.net root amdump' >"$work/amanda/home/.amandahosts"
  chmod 600 "$work/amanda/home/.amandahosts"
  for host in pc11 disk10; do
    mkdir -p "/etc/netns/$host"
    printf '%s\n' '127.0.0.1 localhost' '192.0.2.11 pc11.example.net' '198.51.100.10 disk10.example.net' >"/etc/netns/$host/hosts"
  done
  cat >/etc/amanda/sample/amanda.conf <<CONF
org "sample"
dumpuser "backup"
mailto ""
tpchanger "chg-disk:$work/amanda/vtapes"
autolabel "sample-%%" any
labelstr "^sample-[0-9]*\$"
tapetype file
define tapetype file {
  length 100 mbytes
}
define holdingdisk holding {
  directory "$work/amanda/holding"
  use 50 mbytes
}
infofile "$work/amanda/info"
indexdir "$work/amanda/index"
logdir "$work/amanda/log"
etimeout 5
dtimeout 10
ctimeout 5
define dumptype simple {
  auth "bsd"
  program "GNUTAR"
  compress none
  index yes
}
CONF
  echo 'amanda 10080/udp' >>/etc/services
  echo 'disk10.example.net /srv/ftp simple' >/etc/amanda/sample/disklist
  chown -R backup: "$work/amanda" /var/lib/amanda /var/log/amanda /tmp/amanda /etc/amanda/sample
  amanda_answers bsd
}

amanda_answers() {              # AUTH: the way in which the two talk to each other
  echo "amanda dgram udp wait backup /usr/lib/amanda/amandad amandad -auth=$1 amdump" >"$work/inetd.conf"
  on disk10 inetutils-inetd --debug "$work/inetd.conf" >"$work/log/inetd-$1" 2>&1 &
  wait_until 10 listens disk10 10080
}

amanda_on_server() { on pc11 runuser -u backup -- "$@" >>"$work/log/amanda" 2>&1; }

amanda_check() {
  sample helper/amanda/check.pcap 'Amanda' \
    '`amcheck -c`' \
    'IPv4: the client is asked whether it is ready, all over UDP; nothing to expect'
  start_capture helper/amanda/check.pcap router -i lan
  amanda_on_server amcheck -c sample
  stop_capture
}

amanda_dump() {
  sample helper/amanda/dump.pcap 'Amanda' \
    '`amdump` with `auth bsd`, `index yes`' \
    'IPv4: a directory of three files is saved; the client names ports for data, messages, index and state in its answer over UDP'
  start_capture helper/amanda/dump.pcap router -i lan
  amanda_on_server amdump sample
  stop_capture
}

amanda_multiplexed() {
  sample helper/amanda/multiplexed.pcap 'Amanda' \
    '`amdump` with `auth bsdudp`, `index yes`' \
    'IPv4: the same over one connection; the client names a port for data, and in place of the others numbers of six digits, of which the helper takes five for a port'
  stop_server disk10 10080
  sed -i 's/auth "bsd"/auth "bsdudp"/' /etc/amanda/sample/amanda.conf
  amanda_answers bsdudp
  start_capture helper/amanda/multiplexed.pcap router -i lan
  amanda_on_server amadmin sample force disk10.example.net
  amanda_on_server amdump sample
  stop_capture
}
