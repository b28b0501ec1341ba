# shellcheck shell=bash disable=SC2016,SC2154
# The samples of helper/netbios-ns and helper/snmp. These helpers help only what the
# firewall itself asks of a whole network, so here the router is the one that asks.
# A record beside them has the router's address for the kernel's own.

as_router="--local 192.0.2.1/24"

# ---------------------------------------------------------------------- netbios-ns

netbios_ns_samples() {
  local host
  for host in pc11 pc12 pc13; do names_start "$host" "${host^^}"; done
  sleep 12                      # until all names are announced
  netbios_query; netbios_one_answer; netbios_forwarded
  for host in pc11 pc12 pc13; do stop_server "$host" 137; done
}

names_start() {                 # HOST NAME
  local home=$work/names-$1
  mkdir -p "$home"
  {
    printf '%s\n' '[global]' "netbios name = $2" 'workgroup = SAMPLE' 'interfaces = eth0' \
      'local master = no' 'domain master = no' 'preferred master = no' 'wins support = no' 'server string = Sample'
    local kind
    for kind in 'pid directory' 'lock directory' 'state directory' 'cache directory' 'private dir' 'ncalrpc dir'; do
      echo "$kind = $home"
    done
    echo "nmbd:socket dir = $home/nmbd"
  } >"$home/smb.conf"
  on "$1" nmbd --foreground --no-process-group --configfile="$home/smb.conf" --log-basename="$work/log" \
    >"$work/log/nmbd-$1" 2>&1 &
  wait_until 10 listens "$1" 137
}

lookup() { on "$1" nmblookup --configfile=/dev/null --broadcast="$2" "${@:3}" >>"$work/log/nmblookup" 2>&1; }

netbios_query() {
  sample helper/netbios-ns/group.pcap 'nmblookup, nmbd' \
    '`nmblookup --broadcast=192.0.2.255 SAMPLE` on the router' \
    'IPv4: the router asks the lan for a group name and three hosts answer; see the second record'
  record_also helper/netbios-ns/group.pcap local "$as_router"
  start_capture helper/netbios-ns/group.pcap router -i lan
  lookup router 192.0.2.255 SAMPLE
  stop_capture
}

netbios_one_answer() {
  sample helper/netbios-ns/names.pcap 'nmblookup, nmbd' \
    '`nmblookup` for `PC11` and for `NOBODY` on the router' \
    'IPv4: a name that one host answers for, and one that nobody does'
  record_also helper/netbios-ns/names.pcap local "$as_router"
  start_capture helper/netbios-ns/names.pcap router -i lan
  lookup router 192.0.2.255 PC11
  lookup router 192.0.2.255 NOBODY || true
  stop_capture
}

netbios_forwarded() {
  sample helper/netbios-ns/client.pcap 'nmblookup, nmbd' \
    '`nmblookup --broadcast=192.0.2.255 PC12` on pc14' \
    'IPv4: the same by a client of the lan: the router only hears the question, and expects nothing'
  record_also helper/netbios-ns/client.pcap local "$as_router"
  start_capture helper/netbios-ns/client.pcap router -i lan
  lookup pc14 192.0.2.255 PC12
  stop_capture
}

# ---------------------------------------------------------------------------- snmp

snmp_samples() {
  local host
  for host in pc11 pc12; do agent_start "$host"; done
  snmp_broadcast; snmp_get
  for host in pc11 pc12; do stop_server "$host" 161; done
}

# A printer, or so its agent says. snmpd answers from the address that it was asked at,
# and newer kernels let nobody send from a broadcast address. So the host writes its own
# address into the question when that has come in.
agent_start() {                 # HOST
  on "$1" nft "table ip broadcast { chain raw { type filter hook prerouting priority raw;
    ip daddr 192.0.2.255 udp dport 161 ip daddr set 192.0.2.${1#pc}; }; }"
  printf '%s\n' 'rocommunity sample' "sysName $1.example.net" 'sysDescr Sample printer' 'sysLocation sample' \
    'sysContact audit' 'override .1.3.6.1.2.1.25.3.2.1.2.1 object_id .1.3.6.1.2.1.25.3.1.5' >"$work/snmpd-$1.conf"
  on "$1" env MIBS= SNMP_PERSISTENT_DIR="$work/snmp-$1" snmpd -f -Lo -C -c "$work/snmpd-$1.conf" udp:161 \
    >"$work/log/snmpd-$1" 2>&1 &
  wait_until 10 listens "$1" 161
}

snmp_broadcast() {
  sample helper/snmp/printers.pcap 'CUPS, snmpd' \
    '`/usr/lib/cups/backend/snmp` with `Address 192.0.2.255` on the router' \
    'IPv4: the router looks for printers: it asks all hosts of the lan, two answer and are asked for more; see the second record'
  record_also helper/snmp/printers.pcap local "$as_router"
  printf '%s\n' 'Address 192.0.2.255' 'Community sample' 'HostNameLookups off' 'MaxRunTime 3' >"$work/snmp.conf"
  start_capture helper/snmp/printers.pcap router -i lan
  on router env CUPS_SERVERROOT="$work" /usr/lib/cups/backend/snmp >"$work/log/cups-snmp" 2>&1
  stop_capture
}

snmp_get() {
  sample helper/snmp/get.pcap 'snmpget, snmpd' \
    '`snmpget 192.0.2.11 sysName.0` on the router and on dns53' \
    'IPv4: one host is asked, by the router and by a host of the dmz: nothing has to be expected'
  record_also helper/snmp/get.pcap local "$as_router"
  start_capture helper/snmp/get.pcap router -i lan
  local host
  for host in router dns53; do
    on "$host" env MIBS= SNMPCONFPATH=/nowhere SNMP_PERSISTENT_DIR="$work/snmp" \
      snmpget -v2c -c sample 192.0.2.11 .1.3.6.1.2.1.1.5.0 >>"$work/log/snmpget" 2>&1
  done
  stop_capture
}
