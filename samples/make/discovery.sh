# shellcheck shell=bash disable=SC2016,SC2154
# The samples of helper/mdns: programs that ask the whole network and are answered by
# one host or several. What they ask goes to a multicast address, which no router
# forwards, and an answer to one host no switch shows to another: so the captures are
# taken on the host that asks. A firewall on that host, or a bridge, sees the same.

# ---------------------------------------------------------------------------- mdns

mdns_samples() {
  local host
  for host in pc12 pc13; do responder_start "$host"; done
  sleep 10                      # until all is announced, for the last time too
  mdns_legacy; mdns_direct; mdns_browse; mdns_unicast_answer; mdns_announce
  for host in pc12 pc13; do stop_server "$host" 5353; done
}

# A responder keeps its socket at a fixed place, so each has that place for itself.
responder_start() {             # HOST
  mkdir -p "$work/avahi-$1/services" /run/avahi-daemon
  printf '%s\n' '[server]' "host-name=$1" use-ipv6=no enable-dbus=no allow-interfaces=eth0 '[publish]' \
    publish-hinfo=no publish-workstation=no publish-aaaa-on-ipv4=no >"$work/avahi-$1/avahi.conf"
  printf '%s\n' '<service-group>' '<name replace-wildcards="yes">Sample page on %h</name>' \
    '<service><type>_http._tcp</type><port>80</port></service>' '</service-group>' >"$work/avahi-$1/services/page.service"
  on "$1" sh -c 'mount -t tmpfs none /run/avahi-daemon && mount --bind "$0/services" /etc/avahi/services &&
    exec avahi-daemon --no-drop-root --no-chroot --no-proc-title --file="$0/avahi.conf"' \
    "$work/avahi-$1" >"$work/log/avahi-$1" 2>&1 &
  wait_until 10 listens "$1" 5353
}

# dig takes no answer from an address that it did not ask, and calls it unexpected. That
# is the answer which the sample is made for.
mdns_ask() { on pc11 dig +time=2 +tries=1 +noedns -p 5353 "$@" >>"$work/log/dig" 2>&1 || true; }

mdns_legacy() {
  sample helper/mdns/legacy.pcap 'dig, avahi-daemon' \
    '`dig -p 5353 @224.0.0.251` for `pc12.local`, `pc13.local` and `nobody.local`, on pc11 and captured there' \
    'IPv4: questions to the multicast address from a port other than 5353, which the hosts meant answer from their own address, and one that nobody answers'
  start_capture helper/mdns/legacy.pcap pc11 -i eth0
  local name
  for name in pc12 pc13 nobody; do mdns_ask @224.0.0.251 "$name.local"; done
  stop_capture
}

mdns_direct() {
  sample helper/mdns/direct.pcap 'dig, avahi-daemon' \
    '`dig -p 5353 @192.0.2.12 pc12.local`, on pc11 and captured there' \
    'IPv4: one host asked at its own address'
  start_capture helper/mdns/direct.pcap pc11 -i eth0
  mdns_ask @192.0.2.12 pc12.local
  mdns_ask @192.0.2.12 -x 192.0.2.12
  stop_capture
}

mdns_browse() {
  sample helper/mdns/browse.pcap 'mdns-scan, avahi-daemon' \
    '`mdns-scan` on pc11, ended after three seconds; captured on the router' \
    'IPv4: two hosts announce a web page each; questions and answers all go to the multicast address, from port 5353 to port 5353'
  start_capture helper/mdns/browse.pcap router -i lan
  on pc11 timeout 3 mdns-scan >>"$work/log/mdns-scan" 2>&1 || true
  stop_capture
}

# The first question of this library has the bit that asks for an answer to the asker
# alone. avahi-daemon heeds it where it has just told the same to everybody: so the
# library is started twice, the second time with nothing in its memory.
mdns_unicast_answer() {
  sample helper/mdns/unicast-answer.pcap 'python3-zeroconf, avahi-daemon' \
    '`get_service_info("_http._tcp.local.", …)` twice on pc11 and captured there' \
    'IPv4: questions from port 5353 that want a unicast answer; the first gets a multicast one all the same, the second one to port 5353 of the asker'
  start_capture helper/mdns/unicast-answer.pcap pc11 -i eth0
  on pc11 python3 -c '
import zeroconf
for _ in range(2):
    zc = zeroconf.Zeroconf(interfaces=["192.0.2.11"], ip_version=zeroconf.IPVersion.V4Only)
    print(zc.get_service_info("_http._tcp.local.", "Sample page on pc12._http._tcp.local."))
    zc.close()' >"$work/log/zeroconf" 2>&1
  stop_capture
}

mdns_announce() {
  sample helper/mdns/announce.pcap avahi-daemon \
    'avahi-daemon started on pc14 and stopped' \
    'IPv4: a host that asks whether its names are free, which nobody answers, announces them and takes them back'
  start_capture helper/mdns/announce.pcap router -i lan
  responder_start pc14
  sleep 5
  stop_server pc14 5353
  stop_capture
}
