# shellcheck shell=bash disable=SC2016,SC2154
# The samples of helper/ftp, tftp and irc: a function a file. Each has one capture on the router, made
# while one or two clients do what the sample is to show.
#
# A sample starts with 'sample FILE PROGRAMS COMMAND SHOWS', its line in SOURCE.md.

sample() { printf '%s\t%s\t%s\t%s\n' "$@" >>"$work/made"; }

# A second record of a capture by the running kernel: FILE LABEL OPTIONS, the options
# as the shell reads them.
record_also() { printf '%s\t%s\t%s\n' "$@" >>"$work/recorded-also"; }

# The same of conntrackd's record.
userspace_also() { printf '%s\t%s\t%s\n' "$@" >>"$work/userspace-also"; }

ftp_samples() {
  ftp_active; ftp_passive; ftp_eprt; ftp_epsv; ftp_port_2121; ftp_tls; ftp_session; ftp_unused; ftp_blocked; ftp_vlan
}
tftp_samples() { tftp_read; tftp_write; tftp_read_ipv6; tftp_missing; tftp_retransmitted; tftp_raw_ip; }
irc_samples() { irc_dcc_send; irc_dcc_chat; irc_dcc_passive; irc_no_dcc; }

# ------------------------------------------------------------------------------ ftp

login=(--silent --show-error --user audit:sample)

# tnftp with these commands; '-n' so that it does not log in by itself.
tnftp_on() {                    # HOST SERVER COMMANDS
  printf 'user audit sample\n%s\nquit\n' "$3" | on "$1" tnftp -n -i -v "$2" >>"$work/log/tnftp" 2>&1
}

ftp_active() {
  sample helper/ftp/active.pcap 'tnftp, vsftpd' \
    '`epsv4 off`, `passive off`, `ls`, `get`, `put`' \
    'IPv4, active: PORT for a listing, a fetched and a sent file; data connections from port 20'
  start_capture helper/ftp/active.pcap router -i lan
  tnftp_on pc11 198.51.100.21 $'epsv4 off\npassive off\nls\nget readme.txt /dev/null\nput report.txt incoming/active.txt'
  stop_capture
}

ftp_passive() {
  sample helper/ftp/passive.pcap 'tnftp, vsftpd' \
    '`epsv4 off`, `passive on`, `ls`, `get`, `put`' \
    'IPv4, passive: PASV and its answer 227 for a listing, a fetched and a sent file'
  start_capture helper/ftp/passive.pcap router -i lan
  tnftp_on pc11 198.51.100.21 $'epsv4 off\npassive on\nls\nget readme.txt /dev/null\nput report.txt incoming/passive.txt'
  stop_capture
}

ftp_eprt() {
  sample helper/ftp/eprt-ipv4.pcap 'curl, vsftpd' \
    '`curl --ftp-port -`' \
    'IPv4, active: EPRT with address family 1'
  start_capture helper/ftp/eprt-ipv4.pcap router -i lan
  on pc12 curl "${login[@]}" --ftp-port - --output /dev/null ftp://198.51.100.21/readme.txt
  stop_capture
  sample helper/ftp/eprt-ipv6.pcap 'curl, vsftpd' \
    '`curl --ftp-port -`' \
    'IPv6, active: EPRT with address family 2'
  start_capture helper/ftp/eprt-ipv6.pcap router -i lan
  on pc12 curl "${login[@]}" --ftp-port - --output /dev/null 'ftp://[2001:db8:2::21]/readme.txt'
  stop_capture
}

ftp_epsv() {
  sample helper/ftp/epsv-ipv4.pcap 'curl, vsftpd' \
    '`curl`, then `--next --upload-file`' \
    'IPv4, passive: EPSV and its answer 229; a file fetched, one sent'
  start_capture helper/ftp/epsv-ipv4.pcap router -i lan
  on pc12 curl "${login[@]}" --output /dev/null ftp://198.51.100.21/readme.txt \
    --next "${login[@]}" --upload-file report.txt ftp://198.51.100.21/incoming/epsv.txt
  stop_capture
  sample helper/ftp/epsv-ipv6.pcapng 'tnftp, vsftpd' \
    '`ls`, `get`, `get`; captured with dumpcap' \
    'IPv6, passive: EPSV and its answer 229 for a listing and two files'
  start_capture helper/ftp/epsv-ipv6.pcapng router -i lan
  tnftp_on pc12 2001:db8:2::21 $'ls\nget readme.txt /dev/null\nget data.csv /dev/null'
  stop_capture
}

ftp_port_2121() {
  sample helper/ftp/port-2121.pcap 'lftp, vsftpd' \
    '`lftp -p 2121`: `set ftp:prefer-epsv no`, `cls -l`, `cat`' \
    'IPv4, passive, a server on port 2121: no helper unless one is assigned to that port, see the second record'
  record_also helper/ftp/port-2121.pcap add-assign "--add-assign 'tcp 2121 ftp'"
  start_capture helper/ftp/port-2121.pcap router -i lan
  on pc12 lftp -u audit,sample -p 2121 198.51.100.22 -e 'set ftp:prefer-epsv no; cls -l; cat readme.txt; quit' >"$work/log/lftp"
  stop_capture
}

ftp_tls() {
  sample helper/ftp/tls.pcap 'lftp, vsftpd with `ssl_enable`' \
    '`set ftp:ssl-force yes`, `set ftp:ssl-protect-data yes`, `cat`' \
    'IPv4, passive, FTPS: after AUTH TLS the helper sees nothing, the data connection stays unexpected'
  start_capture helper/ftp/tls.pcap router -i lan
  on pc14 lftp -u audit,sample 198.51.100.22 >"$work/log/lftp" -e '
    set ftp:ssl-force yes; set ftp:ssl-protect-data yes; set ssl:verify-certificate no; cat readme.txt; quit'
  stop_capture
}

ftp_session() {
  sample helper/ftp/session.pcap 'lftp, vsftpd' \
    '`cls`, `cat`, `put`, `set ftp:passive-mode`; `tcpdump --time-stamp-precision=nano`' \
    'IPv4, one session with eight data connections, passive, then active, then passive; AUTH TLS refused; timestamps in nanoseconds'
  start_capture helper/ftp/session.pcap router -i lan --time-stamp-precision=nano
  on pc13 lftp -u audit,sample 198.51.100.21 >"$work/log/lftp" -e '
    set cache:enable no
    cls -l; cat readme.txt; cat data.csv
    mkdir session; cd session; put report.txt; set ftp:passive-mode no
    cls; cat report.txt
    set ftp:passive-mode yes
    rm report.txt; cd ..; rmdir session; cat data.csv; cls; quit'
  stop_capture
}

ftp_unused() {
  sample helper/ftp/unused.pcap 'tnftp, vsftpd' \
    '`quote PASV` twice, `quit`' \
    'IPv4: PASV twice and no data connection; the second expectation replaces the first'
  start_capture helper/ftp/unused.pcap router -i lan
  tnftp_on pc11 198.51.100.21 $'quote PASV\nquote PASV'
  stop_capture
}

ftp_blocked() {
  sample helper/ftp/blocked.pcap 'curl, vsftpd' \
    '`curl --disable-epsv --connect-timeout 5`' \
    'IPv4, passive: a filter on the router drops the data connection, its SYN is sent again and has no answer'
  filter 'ip daddr 198.51.100.21 tcp dport 1024-65535 drop'
  start_capture helper/ftp/blocked.pcap router -i lan
  on pc11 curl "${login[@]}" --disable-epsv --connect-timeout 5 --output /dev/null ftp://198.51.100.21/readme.txt \
    2>/dev/null || true
  stop_capture
  no_filter
}

ftp_vlan() {
  sample helper/ftp/vlan.pcap 'curl, vsftpd' \
    '`curl --disable-epsv`; `curl --disable-eprt --ftp-port -`' \
    'IPv4, passive and active, on a trunk: frames with 802.1Q tag 7'
  trunk_up
  start_capture helper/ftp/vlan.pcap switch -i trunk-a
  on pc41 curl "${login[@]}" --disable-epsv --output /dev/null ftp://198.51.100.21/readme.txt
  on pc41 curl "${login[@]}" --disable-eprt --ftp-port - --output /dev/null ftp://198.51.100.21/readme.txt
  stop_capture
  trunk_down
}

# ----------------------------------------------------------------------------- tftp

tftp_read() {
  sample helper/tftp/read.pcap 'tftp-hpa, tftpd-hpa' \
    '`get`, `get`' \
    'IPv4: read request, a file of three blocks and one of one block'
  start_capture helper/tftp/read.pcap router -i lan
  on pc13 tftp -m binary 198.51.100.69 -c get data.csv "$HOME/fetched"
  on pc13 tftp -m binary 198.51.100.69 -c get readme.txt "$HOME/fetched"
  stop_capture
}

tftp_write() {
  sample helper/tftp/write.pcap 'tftp-hpa, tftpd-hpa' \
    '`put`' \
    'IPv4: write request'
  start_capture helper/tftp/write.pcap router -i lan
  on pc13 tftp -m binary 198.51.100.69 -c put report.txt written.txt
  stop_capture
}

tftp_read_ipv6() {
  sample helper/tftp/read-ipv6.pcap 'tftp-hpa, tftpd-hpa' \
    '`tftp -6`: `get`' \
    'IPv6: read request'
  start_capture helper/tftp/read-ipv6.pcap router -i lan
  on pc13 tftp -6 -m binary 2001:db8:2::69 -c get data.csv "$HOME/fetched"
  stop_capture
}

tftp_missing() {
  sample helper/tftp/missing.pcap 'tftp-hpa, tftpd-hpa' \
    '`get`' \
    'IPv4: read request for a file that is not there, answered by an error'
  start_capture helper/tftp/missing.pcap router -i lan
  on pc13 tftp -m binary 198.51.100.69 -c get nothing.txt "$HOME/fetched" >/dev/null || true
  stop_capture
}

tftp_retransmitted() {
  sample helper/tftp/retransmitted.pcap 'tftp-hpa, tftpd-hpa' \
    '`get`' \
    'IPv4: the router drops the first read request, the client sends it again after five seconds'
  filter 'udp dport 69 drop'
  start_capture helper/tftp/retransmitted.pcap router -i lan
  on pc13 tftp -m binary 198.51.100.69 -c get readme.txt "$HOME/fetched" &
  local client=$!
  sleep 2
  no_filter
  wait "$client"
  stop_capture
}

tftp_raw_ip() {
  sample helper/tftp/raw-ip.pcap 'tftp-hpa, tftpd-hpa' \
    '`get`, `put`' \
    'IPv4: read and write request over a link without link layer: raw IP'
  tunnel_up
  start_capture helper/tftp/raw-ip.pcap router -i tun0
  on pc31 tftp -m binary 198.51.100.69 -c get readme.txt "$HOME/fetched"
  on pc31 tftp -m binary 198.51.100.69 -c put report.txt raw.txt
  stop_capture
  tunnel_down
}

# ------------------------------------------------------------------------------ irc

# irssi wants a terminal; tmux is one. A client is named by its nick. It has one window
# for everything, so that what happened can be read off the screen.
terminal() { tmux -S "$work/tmux" -f /dev/null "$@"; }

irc_start() {                   # HOST NICK
  local home=$work/irssi-$2
  rm -rf "$home"
  mkdir -p "$home/received"
  cat >"$home/config" <<CONF
settings = {
  core = { real_name = "Sample"; user_name = "audit"; nick = "$2"; };
  "fe-common/core" = { term_charset = "utf-8"; autocreate_windows = "no"; autocreate_query_level = "NONE"; };
  "irc/core" = { ctcp_version_reply = "irssi"; cmd_queue_speed = "200msec"; lag_check_time = "0"; };
  "irc/dcc" = { dcc_autoget = "yes"; dcc_download_path = "$home/received"; };
};
CONF
  terminal new-session -d -x 120 -y 50 -s "$2" \
    "ip netns exec $1 irssi --home=$home --config=$home/config --connect=198.51.100.66 --port=6667 --nick=$2"
  wait_until 15 irc_sees "$2" 'Mode change'    # the last thing that it does by itself
}
irc_type() { terminal send-keys -t "$1" -l "$2"; terminal send-keys -t "$1" Enter; }
irc_sees() { terminal capture-pane -p -t "$1" | grep -q "$2"; }
irc_quit() {
  irc_type "$1" '/quit'
  wait_until 10 irc_gone "$1"
}
irc_gone() { ! terminal has-session -t "$1"; }

irc_dcc_send() {
  sample helper/irc/dcc-send.pcap 'irssi, ngircd' \
    '`/dcc send bob report.txt`; `tcpdump -i any -y LINUX_SLL2 -Q in`' \
    'IPv4: DCC SEND by a client of the lan, fetched by one of the wan; all interfaces of the router, inbound, Linux cooked v2'
  start_capture helper/irc/dcc-send.pcap router -i any -y LINUX_SLL2 -Q in
  irc_start pc11 alice
  irc_start far77 bob
  irc_type alice "/dcc send bob $HOME/report.txt"
  wait_until 15 test -s "$work/irssi-bob/received/report.txt"
  wait_until 15 irc_sees alice 'sent file'
  irc_quit bob
  irc_quit alice
  stop_capture
}

irc_dcc_chat() {
  sample helper/irc/dcc-chat.pcap 'irssi, ngircd' \
    '`/dcc chat bob`, `/dcc chat alice`; `tcpdump -i any -y LINUX_SLL -Q in`' \
    'IPv4: DCC CHAT offered by a client of the lan, taken by one of the wan; all interfaces, inbound, Linux cooked v1'
  start_capture helper/irc/dcc-chat.pcap router -i any -y LINUX_SLL -Q in
  irc_start pc11 alice
  irc_start far77 bob
  irc_chat
  irc_quit bob
  irc_quit alice
  stop_capture
}

irc_chat() {                    # alice offers, bob takes
  irc_type alice '/dcc chat bob'
  wait_until 10 irc_sees bob 'DCC CHAT from alice'
  irc_type bob '/dcc chat alice'
  wait_until 10 irc_sees alice 'DCC CHAT connection with bob'
  irc_type alice '/msg =bob hello without the server'
  irc_type bob '/msg =alice hello back'
  sleep 1
  irc_type alice '/dcc close chat bob'
}

irc_dcc_passive() {
  sample helper/irc/dcc-passive.pcap 'irssi, ngircd' \
    '`/dcc send -passive bob report.txt`, `/dcc get alice`' \
    'IPv4: DCC SEND with port 0, so that the receiver listens and the sender connects; nothing to expect. The address in the offer, 16843009, is what irssi writes in place of one'
  start_capture helper/irc/dcc-passive.pcap router -i lan
  irc_start pc11 alice
  irc_start far77 bob
  irc_type alice "/dcc send -passive bob $HOME/report.txt"
  wait_until 10 irc_sees bob 'DCC SEND from alice'
  irc_type bob '/dcc get alice'
  wait_until 15 test -s "$work/irssi-bob/received/report.txt"
  wait_until 15 irc_sees alice 'sent file'
  irc_quit bob
  irc_quit alice
  stop_capture
}

irc_no_dcc() {
  sample helper/irc/no-dcc.pcap 'irssi, ngircd' \
    '`/join`, `/topic`, `/msg`, `/action`' \
    'IPv4: a channel, private messages, an action, the words DCC SEND in plain text; no DCC'
  start_capture helper/irc/no-dcc.pcap router -i lan
  irc_start pc11 alice
  irc_start pc12 carol
  local line
  for line in '/join #sample' '/topic #sample what conntrack sees' '/msg #sample good morning'; do irc_type alice "$line"; sleep 0.5; done
  for line in '/join #sample' '/msg #sample is this about DCC SEND ?' '/action #sample reads' '/msg alice PORT 192,0,2,12,4,1'; do irc_type carol "$line"; sleep 0.5; done
  wait_until 20 irc_sees alice 'PORT 192'
  wait_until 20 irc_sees carol 'good morning\|Total of 2'
  irc_quit carol
  irc_quit alice
  stop_capture
}
