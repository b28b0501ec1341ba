# shellcheck shell=bash disable=SC2154
# office.pcapng: some three minutes of a small office as its router sees them on the
# inside. Every kind of work is a job of its own and they run side by side, so that
# their packets are mixed as they are anywhere.

office_samples() {
  sample office.pcapng 'all of them' 'see below' 'some three minutes of everything, on one interface'
  # 203.0.113.99 is there but does not answer; pc13 may not open data connections to ftp22.
  on far77 ip addr add 203.0.113.99/24 dev eth0
  on far77 ip addr add 2001:db8:3::99/64 dev eth0
  filter 'ip daddr 203.0.113.99 drop'
  filter 'ip6 daddr 2001:db8:3::99 drop'
  filter 'ip saddr 192.0.2.13 ip daddr 198.51.100.22 tcp dport { 1024-2120, 2122-65535 } drop'
  on pc14 ip link set eth0 down       # comes later
  # Two were there before, so that their connections lack the beginning. Of dave's the
  # first packet will be one of his own, of erin's one of the server's.
  irc_start pc13 dave
  irc_start pc12 erin

  start_capture office.pcapng router -i lan
  local job jobs=()            # by process
  for job in arrival dns web ping unreachable traceroute silence ftp_tnftp ftp_lftp ftp_curl ftp_tls tftp irc; do
    "office_$job" >"$work/log/office-$job" 2>&1 &
    jobs[$!]=$job
  done
  for job in "${!jobs[@]}"; do
    wait "$job" || die "office: ${jobs[$job]} failed, see its log"
  done
  stop_capture

  terminal kill-server                # carol, dave and erin are still connected
  no_filter
}

# A program is to fail here, and that is no reason to stop.
fails() { ! "$@" || say "expected to fail: $*"; }

# pc14 is switched on: duplicate address detection, multicast reports, router solicitation.
office_arrival() {
  sleep 4
  on pc14 sysctl -qw net.ipv6.conf.{all,eth0}.accept_{dad,ra}=1 net.ipv6.conf.eth0.router_solicitations=2
  on pc14 ip link set eth0 up
  addresses pc14 eth0 lan 14 2>/dev/null || on pc14 ip addr add 2001:db8:1::14/64 dev eth0
  on pc14 ip route replace default via 192.0.2.1
  on pc14 ip -6 route replace default via 2001:db8:1::1
}

office_dns() {
  local name i
  for name in ftp web tftp irc; do
    on pc13 dig +short "$name.example.net" A
    on pc13 dig +short @2001:db8:2::53 "$name.example.net" AAAA
    sleep 1
  done
  on pc13 dig +short nothing.example.net
  on pc13 dig +bufsize=512 long.example.net TXT       # too long: asks again over TCP
  # One port for all its questions, as a resolver of old: the flow becomes a stream.
  for i in 1 2 3 4 5; do
    on pc12 dig +short -b 192.0.2.12#5353 web.example.net
    sleep 15
  done
  on pc13 dig +tcp +short web.example.net AAAA
}

office_web() {
  local i host
  for i in 1 2 3 4 5 6 7 8; do
    host=pc1$((i % 3 + 1))
    # Three files over one connection, then a connection that is encrypted.
    on "$host" curl -s -4 http://web.example.net/ http://web.example.net/readme.txt http://web.example.net/missing
    sleep 5
    on "$host" curl -s -6 http://web.example.net/data.csv
    sleep 4
    on "$host" curl -s --insecure "-$((i % 2 * 2 + 4))" https://web.example.net/readme.txt
    sleep 12
  done
}

office_ping() {
  on pc11 ping -n -c 12 -i 5 198.51.100.80 &
  on pc12 ping -n -c 12 -i 5 2001:db8:2::80 &
  sleep 7
  on pc11 ping -n -c 3 -s 3000 203.0.113.77           # in fragments
  on pc11 ping -n -c 3 -s 3000 2001:db8:3::77
  sleep 40
}

# Errors that the router or the far host reports.
office_unreachable() {
  sleep 10
  fails on pc12 ping -n -c 2 -W 1 -M "do" -s 1450 203.0.113.77       # fragmentation needed
  fails on pc12 ping -n -c 3 -W 1 -M "do" -s 1450 2001:db8:3::77     # packet too big
  on pc13 ping -n -c 3 -s 1450 2001:db8:3::77                      # too big once, then in fragments
  fails on pc11 ping -n -c 2 -W 4 198.51.100.200                   # no such host
  fails on pc11 ping -n -c 2 -W 4 2001:db8:2::200
  fails on pc11 ping -n -c 1 -W 2 2001:db8:ffff::1                 # no route
  fails on pc13 dig +tries=1 +time=2 @203.0.113.77 web.example.net # port unreachable
  fails on pc13 dig +tries=1 +time=2 @2001:db8:3::77 web.example.net
  fails on pc12 curl -s http://198.51.100.80:8080/                 # refused by a reset
}

office_traceroute() {
  sleep 25
  on pc12 traceroute -n -q 1 203.0.113.77
  on pc12 traceroute -n -q 1 -6 2001:db8:3::77
  on pc12 traceroute -n -q 1 -I 203.0.113.77
  on pc12 traceroute -n -q 1 -T -p 80 198.51.100.80
}

# What never gets an answer.
office_silence() {
  sleep 15
  fails on pc11 curl -s --connect-timeout 8 http://203.0.113.99/
  fails on pc12 curl -s --connect-timeout 4 'http://[2001:db8:3::99]/'
  fails on pc13 dig +tries=3 +time=3 @203.0.113.99 web.example.net
  fails on pc11 ping -n -c 3 -W 1 203.0.113.99
  on pc12 timeout 12 tftp -m binary 203.0.113.99 -c get readme.txt "$work/home/never" || true
  local i
  for i in 1 2 3; do
    on pc12 bash -c 'echo "<134>sample: nobody reads this" >/dev/udp/203.0.113.99/514'
    sleep 10
  done
}

# pc11, by hand: active, one transfer after the other with pauses; then a passive mode
# that is announced and not used, while the session idles.
office_ftp_tnftp() {
  sleep 8
  cd "$HOME" || return
  { printf 'user audit sample\nepsv4 off\npassive off\n'; sleep 2
    echo ls; sleep 4
    echo 'get readme.txt /dev/null'; sleep 9
    echo 'get data.csv /dev/null'; sleep 3
    echo 'put report.txt incoming/office.txt'; sleep 35
    echo 'quote PASV'; sleep 40
    echo quit
  } | on pc11 tnftp -n -i -v 198.51.100.21
  { printf 'user audit sample\npassive off\n'; sleep 1; echo ls; sleep 6; echo quit; } |
    on pc11 tnftp -n -i -v 2001:db8:2::21
}

office_ftp_lftp() {
  sleep 12
  on pc12 lftp -u audit,sample ftp://198.51.100.21 -e '
    cls -l
    !sleep 6
    cat readme.txt; cat data.csv
    !sleep 25
    set ftp:passive-mode no; set cache:enable no; cls; cat readme.txt
    !sleep 3
    set ftp:passive-mode yes; set ftp:prefer-epsv yes; cat data.csv; quit'
  sleep 5
  on pc12 lftp -u audit,sample -p 2121 ftp://198.51.100.22 -e '
    cls -l; cat readme.txt
    !sleep 5
    cat data.csv; quit'
}

office_ftp_curl() {
  sleep 18
  on pc13 curl "${login[@]}" -4 ftp://ftp.example.net/readme.txt
  sleep 4
  on pc13 curl "${login[@]}" -6 ftp://ftp.example.net/data.csv
  sleep 11
  on pc13 curl "${login[@]}" --ftp-port - ftp://198.51.100.21/readme.txt
  on pc13 curl "${login[@]}" --ftp-port - 'ftp://[2001:db8:2::21]/data.csv'
  sleep 8
  on pc14 curl "${login[@]}" --ftp-port - --disable-eprt ftp://198.51.100.22:2121/readme.txt
  fails on pc13 curl "${login[@]}" --disable-epsv --connect-timeout 5 ftp://198.51.100.22:2121/readme.txt
}

office_ftp_tls() {
  sleep 20
  on pc14 lftp -u audit,sample 198.51.100.22 -e '
    set ftp:ssl-force yes; set ftp:ssl-protect-data yes; set ssl:verify-certificate no
    cls -l
    !sleep 12
    cat readme.txt; quit'
  sleep 15
  on pc14 curl "${login[@]}" --ssl-reqd --insecure ftp://198.51.100.22/data.csv
}

office_tftp() {
  sleep 22
  on pc13 tftp -m binary 198.51.100.69 -c get data.csv "$work/home/office"
  sleep 6
  on pc13 tftp -m binary 198.51.100.69 -c put report.txt office.txt
  sleep 2
  on pc13 tftp -m binary 198.51.100.69 -c get nothing.txt "$work/home/office" || true
  sleep 10
  on pc14 tftp -6 -m binary 2001:db8:2::69 -c get readme.txt "$work/home/office"
  # No server there: port unreachable, and in.tftpd's client gives up at once or not.
  on pc14 timeout 12 tftp -m binary 198.51.100.80 -c get readme.txt "$work/home/office" || true
}

# alice and carol on the lan, dave and erin there since before, bob outside.
office_irc() {
  sleep 2
  irc_type dave '/join #office'
  irc_start pc11 alice
  irc_start far77 bob
  irc_start pc12 carol
  local nick
  for nick in alice bob carol; do irc_type "$nick" '/join #office'; done
  sleep 5
  irc_type alice '/msg #office report is ready'
  irc_type alice "/dcc send bob $HOME/report.txt"
  wait_until 20 irc_sees alice 'sent file'
  sleep 8
  irc_chat
  sleep 10
  # Across the switch, not the router: what is expected never comes by.
  irc_type carol "/dcc send alice $HOME/report.txt"
  wait_until 20 irc_sees carol 'sent file'
  sleep 4
  irc_type carol '/dcc chat bob'      # which bob does not take
  sleep 90                            # the server asks the silent ones whether they are there
  for nick in dave erin; do
    irc_type "$nick" "/dcc send bob $HOME/report.txt"
    wait_until 20 irc_sees "$nick" 'sent file'
    sleep 10
  done
  irc_quit alice
  irc_quit bob
}
