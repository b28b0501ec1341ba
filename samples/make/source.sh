# shellcheck shell=bash disable=SC2154
# SOURCE.md, to standard output: from the lines that 'sample' noted, the captures and
# their records. What is said of samples that were not made this time is taken over
# from the file as it stands. Runs where the captures are.

declare -A packages_of=([ftp]='curl lftp openssl tnftp vsftpd' [tftp]='tftp-hpa tftpd-hpa' [irc]='irssi ngircd'
  [sip]='baresip-core kamailio openssl' [h323]=tshark [pptp]='pptp-linux pptpd'
  [amanda]='amanda-client amanda-server inetutils-inetd' [sane]='libsane1 sane-utils'
  [netbios-ns]='samba samba-common-bin' [snmp]='cups snmp snmpd'
  [dhcpv6]='conntrackd dnsmasq-base isc-dhcp-client isc-dhcp-relay kea-dhcp6-server'
  [mdns]='avahi-daemon bind9-dnsutils conntrackd mdns-scan python3-zeroconf'
  [slp]=conntrackd [ssdp]='conntrackd gssdp-tools gupnp-tools minidlna miniupnpc miniupnpd-nftables'
  [rpc]='conntrackd libnfs-utils nfs-common nfs-ganesha nfs-ganesha-vfs rpcbind' [tns]=conntrackd
  [office]='bind9-dnsutils curl dnsmasq-base iputils-ping irssi lftp lighttpd ngircd openssl tftp-hpa tftpd-hpa
    tnftp traceroute vsftpd')

made_now() { case " ${parts[*]} " in *" $1 "*) ;; *) return 1 ;; esac; }

# Lines of the SOURCE.md that is there, when some of what it describes stays.
kept() { [ "${#parts[@]}" = "${#all_parts[@]}" ] || grep "$@" "$samples/SOURCE.md" || true; }

table() {                       # PART: its rows
  made_now "$1" || { kept "^| $(files_of "$1")"; return; }
  local file programs command shows
  grep "^$(files_of "$1")" "$work/made" | while IFS=$'\t' read -r file programs command shows; do
    printf '| %s | %s | %s | %s | %s | %s | %s | %s |\n' "$file" "$(packets "$file")" "$(stat -c %s "$file")" \
      "$(form "$file")" "$programs" "$command" "$shows" "$(expected "$file")"
  done
}

# The versions that took part: of this time, and of those samples that stay.
kernel_versions() {             # SERIES, and the version of this time or nothing
  { kept -o "^\* \`X\.$1\.jsonl\.gz\`: kernel [^, ]*" | sed 's/.* //; s/\.$//'; echo "$2"; } |
    sed '/^$/d' | sort -u | paste -sd , | sed 's/,/ and /g'
}
package_versions() {
  local part names=(tcpdump wireshark-common)
  for part in "${parts[@]}"; do
    read -ra more -d '' <<<"${packages_of[$part]}" || true
    names+=("${more[@]}")
  done
  {
    kept -x '| [a-z0-9-]* | [0-9][0-9A-Za-z.:+~-]* |'
    # shellcheck disable=SC2016  # a format of dpkg's
    dpkg-query -W -f='| ${Package} | ${Version} |\n' "${names[@]}"
  } | sort -u
}

write_source() {
  cd "$work/out" || return
  cat <<'TEXT'
# Where the samples come from

Every capture here was made by `make.sh`, from real programs that talked to each other across network namespaces of one
machine. This file is written by it too. No packet was made up or changed afterwards, no address translated. All
addresses are of the blocks set aside for documentation, all domain names end in example.net or, where multicast tells
them, in local, and the one user with a password is `audit` with `sample`. Where no program could be had, a small one of
ours stands in: see below.

## The network

| Network | Hosts |
|---|---|
| lan: 192.0.2.0/24, 2001:db8:1::/64 | pc11, pc12, pc13, pc14: the clients, and what answers to multicast |
| dmz: 198.51.100.0/24, 2001:db8:2::/64 | ftp21 (21, 1521), ftp22 (2121 in clear, 21 with TLS), dns53, irc66 (6667, IPv4 only), tftp69, web80 (80, 443), disk10 (111, 10080), gk19 (1719), scan65 (6566), sip60 (5060), vpn23 (1723) |
| wan: 203.0.113.0/24, 2001:db8:3::/64 | far77, an outside client; MTU 1400 |

Each host is a namespace of its own, and its number is the last part of its addresses. A router with .1 and ::1 joins the
three networks. Captures are taken on the router's lan interface unless the table says otherwise, with whole packets.
Segmentation and checksum offload is off, so checksums are right and no frame is larger than its network's MTU.
`raw-ip.pcap` was taken on a TUN device and `vlan.pcap` on a cable between two switches, with a client of its own each;
`make/wire.py` carries those packets and puts the tag on. From pcapng files `make/plain_pcapng.py` takes the fields that
name the capturing machine's processor and system.

## The captures

"Expected" is what the kernel of the first record did: expectations created, and flows that one of them made RELATED. One
that is created again, in place of itself, counts again. For dhcpv6, mdns, slp, ssdp, rpc and tns it is what conntrackd's
helpers did, in the record with `userspace` in its name: the kernel by itself has none for these. A server's DHCPv6 answer
to a link-local address is RELATED there and still counts as not met: no router forwards it, so its flow is never entered.

| File | Packets | Bytes | Form | Programs | What was done | What it shows | Expected |
|---|---:|---:|---|---|---|---|---|
TEXT
  local part
  for part in "${all_parts[@]}"; do table "$part"; done
  cat <<'TEXT'

Each capture begins with empty neighbour tables, hence the ARP or neighbour discovery in most of them.

`office.pcapng` holds, side by side:

* DNS over UDP, A and AAAA, to the server's IPv4 and IPv6 address; a name that is not there; an answer too long for a
  datagram and asked for again over TCP; one client that uses a single source port for all its questions
* web pages in clear and over TLS, IPv4 and IPv6, with several requests on a connection; a connection refused by a reset
* ping, small and in fragments; host unreachable, no route, fragmentation needed, packet too big, port unreachable;
  traceroute with UDP, ICMP and TCP
* FTP to ftp21, active with PORT and EPRT and passive with PASV and EPSV, IPv4 and IPv6, by three clients; a passive
  mode announced and not used; FTP to port 2121 of ftp22, passive and active, and with its data connection blocked by the
  router; FTP over TLS to ftp22
* TFTP: read, write, a file that is not there, IPv6, a host without a server, a host that does not answer
* IRC: alice (pc11), carol (pc12), dave (pc13), erin (pc12) and bob (far77). alice and bob: DCC SEND and DCC CHAT. carol
  and alice: DCC SEND across the switch, which the router does not see. carol and bob: DCC CHAT offered and not taken.
  dave and erin are connected from before the capture: the first packet of dave's connection is his own, of erin's the
  server's, so that the router takes her connection for one from port 6667 and her DCC SEND is not expected. carol, dave
  and erin are still connected at the end
* pc14, which comes up during the capture: duplicate address detection, multicast reports, router solicitation
* flows that never get an answer: TCP, UDP, ping and TFTP to 203.0.113.99 and 2001:db8:3::99, which the router drops

## What stands in

* Debian has no H.323 program left. In the samples of helper/h323 `make/h323.py` plays telephones and gatekeeper, over
  real sockets of the hosts' own kernels. pycrate writes the messages from the ASN.1 of H.225.0 and H.245, and `make.sh`
  makes no such sample in which Wireshark's dissectors find anything malformed or miss a message.
* Oracle's programs are not free. In the samples of helper/tns `make/tns.py` plays listener, server and client, as far as
  CONNECT, RESEND, REDIRECT and ACCEPT go.
* Debian has no SLP program left. Those of helper/slp are pyslp 0.1.7 of PyPI, as server and as client, which
  `make/slp.py` starts.
* Programs that tell the kernel's release to everyone, those of helper/ssdp, are told another by `make/uname.c`.
* The samples of mount.nfs are made with its option `-f`, which leaves the mount itself away: that is the kernel's.
* The PPTP samples are made by pptp and pptpd, which write GRE themselves. What goes through the tunnel comes from
  `make/ppp.py`, at both ends, in place of pppd and the kernel's PPP: LCP with echo requests, no addresses, no traffic.
* snmpd answers from the address that it was asked at, which newer kernels refuse where that is a broadcast address. The
  hosts of `printers.pcap` have a rule that puts their own address into the question when it has come in.

## The kernel's records

Beside a capture X stand records of what a Linux kernel made of it, a line of JSON for each packet that carries IP, with
the packet's number in the capture, its state, the helper, and the events of connections and expectations.

TEXT
  local versions
  versions=$(kernel_versions "$here_series" "${KERNEL_REPLAY:+$(uname -r | sed 's/-.*//')}")
  [ -z "$versions" ] || cat <<TEXT
* \`X.$here_series.jsonl.gz\`: kernel $versions. kernel-replay writes each packet into a TUN device of a
  private namespace and notes what the kernel's conntrack says. It does not wait between packets, so no timeout passes.
* \`X.$here_series.add-assign.jsonl.gz\`: the same with a helper assigned to one more port: ftp to TCP 2121 for
  \`port-2121.pcap\`, sip to UDP 5070 for \`port-5070.pcap\`.
* \`X.$here_series.local.jsonl.gz\`: the same with the router's address in the lan, 192.0.2.1/24, as the kernel's own.
* \`X.$here_series.direct-media-0.jsonl.gz\`: the same with the module parameter \`nf_conntrack_sip.sip_direct_media=0\`.
TEXT
  versions=$(kernel_versions "$vm_series" "${KERNEL_VM:+$(sed -n 's/^kernel \([^:]*\):.*/\1/p' "$work/vm-said")}")
  [ -z "$versions" ] || cat <<TEXT
* \`X.$vm_series.jsonl.gz\`: kernel $versions, a packaged kernel in a virtual machine, with the same
  program at the capture's own pace, so timeouts pass as they did.
* \`X.$vm_series.userspace.jsonl.gz\`: the same with the helpers that conntrackd brings, which look at each packet of their
  flows behind a queue, each with \`ExpectMax 8\` and \`ExpectTimeout 300\`. Assigned are, besides what follows, over IPv6
  dhcpv6 to UDP 547, and over IPv4 mdns to UDP 5353, slp to UDP 427, ssdp to UDP 1900, rpc to UDP and TCP 111 and tns to
  TCP 1521.
* \`X.$vm_series.userspace-ssdp-tcp.jsonl.gz\`: the same with ssdp added for TCP too, as its documentation wants it (and
  assigned to TCP 1900, where nothing comes). Without that the kernel refuses what the helper would expect of TCP.
TEXT
  cat <<'TEXT'

In all of them the helpers are assigned by rules to new flows: ftp to TCP 21, tftp to UDP 69, irc to TCP 6667, sip to UDP
and TCP 5060, RAS to UDP 1719, Q.931 to TCP 1720, pptp to TCP 1723, amanda to UDP 10080, sane to TCP 6566, netbios-ns to
UDP 137 and snmp to UDP 161. Checksums are not verified and hop counts are reset in a replay.

## The programs

| Debian package | Version |
|---|---|
TEXT
  package_versions
}

packets() { capinfos -TrcM "$1" 2>/dev/null | cut -f2; }

form() {
  local type encapsulation precision
  IFS=$'\t' read -r _ type encapsulation precision < <(capinfos -TrtE "$1" 2>/dev/null)
  case $type in *nsec*) precision=', nanoseconds' ;; *) precision= ;; esac
  case $encapsulation in
    ether) encapsulation=Ethernet ;;
    linux-sll) encapsulation='Linux cooked v1' ;;
    linux-sll2) encapsulation='Linux cooked v2' ;;
    rawip*) encapsulation='raw IP' ;;
  esac
  echo "${type#nsec}$precision, $encapsulation"
}

expected() {                    # CAPTURE
  local record=$1.$here_series
  [ ! -e "$1.$vm_series.userspace.jsonl.gz" ] || record=$1.$vm_series.userspace
  [ -e "$record.jsonl.gz" ] || { echo '-'; return; }
  expectations "$record.jsonl.gz"
  for record in "$record"[.-]*.jsonl.gz; do
    [ ! -e "$record" ] || echo "; second record: $(expectations "$record")"
  done
}
expectations() {
  zcat "$1" | /usr/bin/python3 -c '
import json, sys
events = [e for line in sys.stdin for e in json.loads(line).get("events", [])]
made = sum(e["ev"] == "exp_new" for e in events)
met = sum(e["ev"] == "ct_new" and "master" in e for e in events)
print(f"{made}, {met} met", end="")'
}
