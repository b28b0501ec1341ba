# shellcheck shell=bash disable=SC2154
# The network: hosts on three switches round a router that forwards everything and
# translates nothing. Addresses are those set aside for documentation.
#
#   lan   192.0.2.0/24     2001:db8:1::/64   pc11 pc12 pc13 pc14   clients
#   dmz   198.51.100.0/24  2001:db8:2::/64   ftp21 ftp22 dns53 irc66 tftp69 web80
#                                            sip60 gk19 vpn23 disk10 scan65
#   wan   203.0.113.0/24   2001:db8:3::/64   far77                 MTU 1400
#
# The router has .1 and ::1 in each of them, on an interface of the network's name.
# Host number N has .N and ::N and the Ethernet address 02:00:5e:00:<network>:<N>.

on() { local host=$1; shift; ip netns exec "$host" "$@"; }

wait_until() {                  # SECONDS COMMAND...: until it succeeds
  local tries=$(($1 * 10)); shift
  until "$@" >/dev/null 2>&1; do
    tries=$((tries - 1))
    [ "$tries" -gt 0 ] || die "waited in vain for: $*"
    sleep 0.1
  done
}

namespace() {
  ip netns add "$1"
  # Addresses are ready at once and nobody asks for router advertisements: fewer
  # packets that have nothing to do with the sample.
  on "$1" sysctl -qw net.ipv6.conf.{all,default}.accept_dad=0 \
    net.ipv6.conf.{all,default}.router_solicitations=0 net.ipv6.conf.{all,default}.accept_ra=0
  on "$1" ip link set lo up
}

# A port of a switch and the cable to a host. Captures should hold what a network
# card would have seen, so nothing is left to cards that are not there: checksums are
# complete and segments not larger than a frame.
cable() {                       # HOST INTERFACE SWITCH MAC
  local port=$1-$2
  ip link add "$2" netns "$1" address "$4" type veth peer name "${port:0:15}" netns switch
  on switch ip link set "${port:0:15}" master "$3" up
  on "$1" ethtool -K "$2" tx off rx off tso off gso off gro off sg off >/dev/null
  on "$1" ip link set "$2" up
}

declare -A network_number=([lan]=1 [dmz]=2 [wan]=3)
declare -A network_prefix=([lan]=192.0.2 [dmz]=198.51.100 [wan]=203.0.113)

addresses() {                   # HOST INTERFACE NETWORK NUMBER
  on "$1" ip addr add "${network_prefix[$3]}.$4/24" dev "$2"
  on "$1" ip addr add "2001:db8:${network_number[$3]}::$4/64" dev "$2"
}

mac() { printf '02:00:5e:00:%02d:%02d' "${network_number[$1]}" "$2"; }

host() {                        # NAME NETWORK NUMBER
  namespace "$1"
  cable "$1" eth0 "$2" "$(mac "$2" "$3")"
  addresses "$1" eth0 "$2" "$3"
  on "$1" ip route add default via "${network_prefix[$2]}.1"
  on "$1" ip -6 route add default via "2001:db8:${network_number[$2]}::1"
}

build_network() {
  local network
  namespace switch
  namespace router
  on router sysctl -qw net.ipv4.ip_forward=1 net.ipv6.conf.all.forwarding=1 \
    net.ipv4.conf.{all,default}.send_redirects=0
  for network in lan dmz wan; do
    on switch ip link add name "$network" type bridge
    on switch ip link set "$network" up
    cable router "$network" "$network" "$(mac "$network" 1)"
    addresses router "$network" "$network" 1
  done
  host pc11 lan 11; host pc12 lan 12; host pc13 lan 13; host pc14 lan 14
  host ftp21 dmz 21; host ftp22 dmz 22; host dns53 dmz 53
  host irc66 dmz 66; host tftp69 dmz 69; host web80 dmz 80
  host sip60 dmz 60; host gk19 dmz 19; host vpn23 dmz 23; host disk10 dmz 10; host scan65 dmz 65
  host far77 wan 77
  # Too small for some packets, so that the router has something to refuse.
  on router ip link set wan mtu 1400
  on far77 ip link set eth0 mtu 1400
  # A place for the router's filter rules; empty most of the time.
  on router nft 'table inet filter { chain forward { type filter hook forward priority 0; }; }'
  sleep 2                       # multicast reports of hosts that came up
}

filter() { on router nft add rule inet filter forward "$*"; }
no_filter() { on router nft flush chain inet filter forward; }

# -------------------------------------------------------------- other kinds of link

# A second way to a client, over a link that is no plain Ethernet. wire.py carries
# the packets; it makes 'tun0' in the two namespaces, or tags what passes between
# two switches.
start_wire() {
  /usr/bin/python3 "$samples/make/wire.py" "$@" &
  wire=$!
}
stop_wire() { kill "$wire"; wait "$wire" 2>/dev/null || true; }

# A point-to-point link without link layer, router to a client of its own.
tunnel_up() {
  namespace pc31
  start_wire tun pc31 router
  wait_until 5 on router ip link show tun0
  wait_until 5 on pc31 ip link show tun0
  on pc31 ip link set tun0 up
  on router ip link set tun0 up
  on pc31 ip addr add 192.0.2.131 peer 192.0.2.130 dev tun0
  on router ip addr add 192.0.2.130 peer 192.0.2.131 dev tun0
  on pc31 ip route add default via 192.0.2.130
  sleep 1
}
tunnel_down() { stop_wire; ip netns del pc31; }

# pc41 --- access port --- trunk (VLAN 7) --- access port --- router
trunk_up() {
  namespace pc41
  ip link add eth0 netns pc41 address 02:00:5e:00:01:41 type veth peer name pc41 netns switch
  ip link add vlan7 netns router address 02:00:5e:00:01:40 type veth peer name vlan7 netns switch
  on switch ip link add trunk-a type veth peer name trunk-b
  on pc41 ethtool -K eth0 tx off rx off tso off gso off gro off sg off >/dev/null
  on router ethtool -K vlan7 tx off rx off tso off gso off gro off sg off >/dev/null
  local port
  for port in pc41 vlan7 trunk-a trunk-b; do on switch ip link set "$port" up; done
  on pc41 ip link set eth0 up
  on router ip link set vlan7 up
  on pc41 ip addr add 192.0.2.141/30 dev eth0
  on router ip addr add 192.0.2.142/30 dev vlan7
  on pc41 ip route add default via 192.0.2.142
  start_wire vlan 7 switch pc41 trunk-a trunk-b vlan7
  wait_until 10 on pc41 ping -c 1 -W 1 192.0.2.142
  sleep 1
}
trunk_down() { stop_wire; ip netns del pc41; on router ip link del vlan7; on switch ip link del trunk-a; }

# ------------------------------------------------------------------------- captures

# Start: FILE NAMESPACE OPTIONS. With every capture the hosts ask anew for each
# other's Ethernet addresses, so that each holds its ARP or neighbour discovery.
forget_neighbours() {
  local name
  for name in router pc11 pc12 pc13 pc14 ftp21 ftp22 dns53 irc66 tftp69 web80 sip60 gk19 vpn23 disk10 scan65 far77; do
    on "$name" ip neigh flush all
  done
}

start_capture() {
  file=$work/out/$1
  say "capture: $1"
  forget_neighbours
  : >"$work/log/capture"
  case $1 in
    # dumpcap writes pcapng, tcpdump does not.
    *.pcapng) ip netns exec "$2" dumpcap -q "${@:3}" -w "$file" 2>"$work/log/capture" & ;;
    *) ip netns exec "$2" tcpdump -Z root -U "${@:3}" -w "$file" 2>"$work/log/capture" & ;;
  esac
  capturing=$!
  wait_until 10 grep -Eq 'listening on|^File:' "$work/log/capture"
  sleep 0.5
}

stop_capture() {
  sleep 2                       # the last packets of connections that close, and tcpdump's buffer
  kill "$capturing"
  wait "$capturing" || true
  grep -Eq '^0 packets dropped by kernel|: [0-9]+/0 ' "$work/log/capture" || die "$file misses packets"
  # The kernel version and processor that dumpcap notes are nobody's business.
  case $file in *.pcapng) /usr/bin/python3 "$samples/make/plain_pcapng.py" "$file" ;; esac
}
