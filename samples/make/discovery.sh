# shellcheck shell=bash disable=SC2016,SC2154
# The samples of helper/dhcpv6, mdns, slp and ssdp: programs that ask the whole network
# and are answered by one host or several. What they ask goes to a multicast address,
# which no router forwards, and an answer to one host no switch shows to another: so most
# of the captures are taken on the host that asks.

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

# ---------------------------------------------------------------------------- ssdp

ssdp_samples() {
  gcc -shared -fPIC -o "$work/uname.so" "$samples/make/uname.c"
  media_start pc12
  sleep 5                       # until all is announced
  ssdp_search; ssdp_nobody; ssdp_events
  stop_server pc12 8200
  ssdp_gateway; ssdp_announce
}

# The helper expects TCP too, which the kernel takes of a helper for TCP only.
for_tcp="--add-assign 'tcp 1900 ssdp'"

discreet() { on "$1" env LD_PRELOAD="$work/uname.so" "${@:2}"; }

# A media server with nothing to play.
media_start() {                 # HOST
  mkdir -p "$work/media/none"
  printf '%s\n' "media_dir=$work/media/none" "db_dir=$work/media" "log_dir=$work/log" port=8200 network_interface=eth0 \
    'friendly_name=Sample media' serial=1 model_number=1 uuid=00000000-0000-4000-8000-02005e000112 inotify=no >"$work/minidlna.conf"
  serve "$1" 8200 minidlnad -d -f "$work/minidlna.conf" -P "$work/minidlna.pid"
}

# The router as the lan's way to the internet. It is asked for nothing that it would
# have to do.
gateway_start() {
  printf '%s\n' ext_ifname=wan listening_ip=lan http_port=5000 enable_upnp=yes enable_natpmp=no \
    uuid=00000000-0000-4000-8000-02005e000101 serial=1 model_number=1 'friendly_name=Sample gateway' \
    'deny 0-65535 0.0.0.0/0 0-65535' >"$work/miniupnpd.conf"
  serve router 1900 env LD_PRELOAD="$work/uname.so" miniupnpd -d -f "$work/miniupnpd.conf" -P "$work/miniupnpd.pid"
}

ssdp_search() {
  sample helper/ssdp/search.pcap 'gssdp-discover, minidlna' \
    '`gssdp-discover -t ssdp:all` on pc11, ended after two seconds, and captured there' \
    'IPv4: one device answers each question six times, from its own address and always with the same LOCATION, which nobody fetches; see the second record'
  userspace_also helper/ssdp/search.pcap ssdp-tcp "$for_tcp"
  start_capture helper/ssdp/search.pcap pc11 -i eth0
  discreet pc11 gssdp-discover -i eth0 -n 2 -t ssdp:all >>"$work/log/gssdp" 2>&1
  stop_capture
}

ssdp_nobody() {
  sample helper/ssdp/nobody.pcap 'gssdp-discover' \
    '`gssdp-discover -t urn:schemas-upnp-org:device:Printer:1` on pc11, ended after two seconds, and captured there' \
    'IPv4: questions that nobody answers'
  start_capture helper/ssdp/nobody.pcap pc11 -i eth0
  discreet pc11 gssdp-discover -i eth0 -n 2 -t urn:schemas-upnp-org:device:Printer:1 >>"$work/log/gssdp" 2>&1
  stop_capture
}

ssdp_events() {
  sample helper/ssdp/events.pcap 'gupnp-event-dumper, minidlna' \
    '`gupnp-event-dumper` on pc11, ended after four seconds, and captured there' \
    'IPv4: LOCATION of an answer is fetched over TCP, three services are subscribed to with CALLBACK, and each connects back for a NOTIFY; see the second record'
  userspace_also helper/ssdp/events.pcap ssdp-tcp "$for_tcp"
  start_capture helper/ssdp/events.pcap pc11 -i eth0
  discreet pc11 timeout 4 gupnp-event-dumper >"$work/log/events" 2>&1 || true
  stop_capture
}

ssdp_gateway() {
  sample helper/ssdp/gateway.pcap 'upnpc, miniupnpd' \
    '`upnpc -s` on pc13; miniupnpd on the router' \
    'IPv4: the gateway of the lan answers and is asked over TCP for its description and its state; see the second record'
  gateway_start
  sleep 5                       # until all is announced
  userspace_also helper/ssdp/gateway.pcap ssdp-tcp "$for_tcp"
  start_capture helper/ssdp/gateway.pcap router -i lan
  on pc13 upnpc -s >"$work/log/upnpc" 2>&1 || true    # it finds no way to the internet
  stop_capture
  stop_server router 5000
}

ssdp_announce() {
  sample helper/ssdp/announce.pcap minidlna \
    'minidlna started on pc14 and stopped' \
    'IPv4: NOTIFY to the multicast address, of a device that comes and goes; nothing to expect'
  start_capture helper/ssdp/announce.pcap router -i lan
  media_start pc14
  sleep 1
  stop_server pc14 8200
  stop_capture
}

# ----------------------------------------------------------------------------- slp

slp_samples() {
  local host
  for host in pc12 pc13; do
    slp "$host" serve "192.0.2.${host#pc}" service:printer:lpr "service:printer:lpr://$host.example.net" "(location=room ${host#pc})" &
    wait_until 10 listens "$host" 427
  done
  sleep 1
  slp_find; slp_direct; slp_register; slp_router
  for host in pc12 pc13; do stop_server "$host" 427; done
}

slp() { on "$1" env PYTHONPATH="$PYSLP" /usr/bin/python3 "$samples/make/slp.py" "${@:2}" >>"$work/log/slp-$1" 2>&1; }

slp_find() {
  sample helper/slp/find.pcap pyslp \
    '`slp.py find 192.0.2.11 service:printer:lpr` on pc11 and captured there' \
    'IPv4: questions to the multicast address for services and for the attributes of one; two servers answer from addresses of their own'
  start_capture helper/slp/find.pcap pc11 -i eth0
  slp pc11 find 192.0.2.11 service:printer:lpr
  stop_capture
}

slp_direct() {
  sample helper/slp/direct.pcap pyslp \
    '`slp.py find 192.0.2.11 service:printer:lpr 192.0.2.12` on pc11 and captured there' \
    'IPv4: the same of one server at its own address: answers are replies'
  start_capture helper/slp/direct.pcap pc11 -i eth0
  slp pc11 find 192.0.2.11 service:printer:lpr 192.0.2.12
  stop_capture
}

slp_register() {
  sample helper/slp/register.pcap pyslp \
    '`slp.py register 192.0.2.14 service:web http://pc14.example.net` on pc14 and captured there' \
    'IPv4: a service is registered and taken back, which each server acknowledges'
  start_capture helper/slp/register.pcap pc14 -i eth0
  slp pc14 register 192.0.2.14 service:web service:web://pc14.example.net '(location=room 14)'
  stop_capture
}

slp_router() {
  sample helper/slp/router.pcap pyslp \
    '`slp.py find 192.0.2.11 service:printer:lpr` on pc11; captured on the router' \
    'IPv4: the same as find.pcap as the router sees it, which the answers do not come by'
  start_capture helper/slp/router.pcap router -i lan
  slp pc11 find 192.0.2.11 service:printer:lpr
  stop_capture
}

# -------------------------------------------------------------------------- dhcpv6

dhcpv6_samples() {
  mkdir -p "$work/dhcp"
  addresses_start pc12
  dhcpv6_lease; dhcpv6_information
  stop_server pc12 547
  dhcpv6_nobody; dhcpv6_renew; dhcpv6_relay
}

# A server of addresses 2001:db8:1::1000 and on.
addresses_start() {             # HOST
  serve "$1" 547 dnsmasq --keep-in-foreground --conf-file=/dev/null --pid-file= --user=root --port=0 --no-ping \
    --interface=eth0 --bind-interfaces --dhcp-leasefile="$work/dhcp/leases-$1" --log-facility=- \
    --dhcp-range=2001:db8:1::1000,2001:db8:1::1fff,64,10m '--dhcp-option=option6:dns-server,[2001:db8:2::53]' \
    --dhcp-option=option6:domain-search,example.net
}

# The client only talks: nothing is configured with what it is told.
lease() {                       # HOST SECONDS OPTIONS...
  on "$1" timeout "$2" dhclient -6 -d -cf /dev/null -sf /bin/true -lf "$work/dhcp/client-$1" -pf "$work/dhcp/pid-$1" "${@:3}" eth0 \
    >>"$work/log/dhclient" 2>&1 || true
}

dhcpv6_lease() {
  sample helper/dhcpv6/lease.pcap 'dhclient, dnsmasq' \
    '`dhclient -6 -1`, ended after five seconds, `dhclient -6 -r`, on pc11 and captured there' \
    'IPv6: SOLICIT, ADVERTISE, REQUEST, REPLY; later RELEASE and its REPLY'
  start_capture helper/dhcpv6/lease.pcap pc11 -i eth0
  lease pc11 5 -1
  lease pc11 5 -r
  stop_capture
}

dhcpv6_information() {
  sample helper/dhcpv6/information.pcap 'dhclient, dnsmasq' \
    '`dhclient -6 -S` on pc11 and captured there' \
    'IPv6: INFORMATION-REQUEST and its REPLY'
  start_capture helper/dhcpv6/information.pcap pc11 -i eth0
  lease pc11 4 -S
  stop_capture
}

dhcpv6_nobody() {
  sample helper/dhcpv6/nobody.pcap dhclient \
    '`dhclient -6` on pc13, ended after ten seconds' \
    'IPv6: SOLICIT again and again, which no server hears'
  start_capture helper/dhcpv6/nobody.pcap router -i lan
  lease pc13 10
  stop_capture
}

# One whose leases are soon to be renewed.
kea_start() {                   # HOST
  cat >"$work/kea.json" <<CONF
{ "Dhcp6": {
  "interfaces-config": { "interfaces": [ "eth0" ] },
  "lease-database": { "type": "memfile", "persist": false },
  "server-id": { "type": "LL", "persist": false },
  "renew-timer": 3, "rebind-timer": 6, "preferred-lifetime": 30, "valid-lifetime": 60,
  "subnet6": [ { "subnet": "2001:db8:1::/64", "interface": "eth0",
    "pools": [ { "pool": "2001:db8:1::1000-2001:db8:1::1fff" } ] } ],
  "loggers": [ { "name": "kea-dhcp6", "severity": "INFO", "output_options": [ { "output": "stdout" } ] } ]
} }
CONF
  serve "$1" 547 env KEA_PIDFILE_DIR="$work/dhcp" KEA_LOCKFILE_DIR="$work/dhcp" kea-dhcp6 -c "$work/kea.json"
}

dhcpv6_renew() {
  sample helper/dhcpv6/renew.pcap 'dhclient, Kea' \
    '`dhclient -6` on pc14, ended after 24 seconds, and captured there; Kea on pc12, stopped after seven' \
    'IPv6: a lease with `renew-timer` 3 and `rebind-timer` 6: SOLICIT, ADVERTISE, REQUEST, REPLY, RENEW, REPLY; then the server is gone: RENEW, REBIND'
  kea_start pc12
  start_capture helper/dhcpv6/renew.pcap pc14 -i eth0
  lease pc14 24 &
  local client=$!
  sleep 7
  stop_server pc12 547
  wait "$client"
  stop_capture
}

dhcpv6_relay() {
  sample helper/dhcpv6/relay.pcap 'dhclient, dhcrelay, dnsmasq' \
    '`dhclient -6 -1` on pc11; `dhcrelay -6 -l lan -u 2001:db8:2::53%dmz` on the router; captured there with `tcpdump -i any`' \
    'IPv6: the router takes what a client asks by multicast to a server in the dmz, in RELAY-FORW and RELAY-REPL from port 547 to port 547; Linux cooked v2'
  addresses_start dns53
  serve router 547 dhcrelay -6 -d -l lan -u 2001:db8:2::53%dmz
  start_capture helper/dhcpv6/relay.pcap router -i any
  lease pc11 6 -1
  stop_capture
  stop_server router 547
  stop_server dns53 547
}
