#!/bin/bash
# Makes every sample of this folder again, from real programs that talk to each
# other across network namespaces, and has a Linux kernel say what it made of them.
#
#   sudo samples/make.sh              all of them
#   sudo samples/make.sh sip pptp     those of helper/sip and helper/pptp; what else is
#                                     there stays as it is, with its lines in SOURCE.md
#
# Debian packages it needs (Debian 12; nothing is installed by this script):
#   apt-get install amanda-client amanda-server avahi-daemon baresip-core \
#     bind9-dnsutils conntrackd cups curl dnsmasq-base ethtool gcc gssdp-tools \
#     gupnp-tools inetutils-inetd iproute2 iputils-ping irssi isc-dhcp-client \
#     isc-dhcp-relay kamailio kea-dhcp6-server lftp libc6-dev libencode-locale-perl \
#     libnfs-utils lighttpd lighttpd-mod-openssl mdns-scan minidlna miniupnpc \
#     miniupnpd-nftables nfs-common nfs-ganesha nfs-ganesha-vfs nftables ngircd openssl \
#     passwd pptp-linux pptpd procps python3 python3-zeroconf rpcbind samba \
#     samba-common-bin sane-utils snmp snmpd tcpdump tftp-hpa tftpd-hpa tmux tnftp \
#     traceroute tshark util-linux vsftpd wireshark-common
#
# For h323 alone, which Debian has no program for, a package of PyPI, kept anywhere:
#   python3 -m pip install --target DIR pycrate==0.8.1
#   PYCRATE  that DIR
# and for slp alone, likewise:
#   python3 -m pip install --target DIR pyslp==0.1.7
#   PYSLP  that DIR
#
# Two variables say what takes the kernel's records. Without them the captures are
# made and no records beside them.
#   KERNEL_REPLAY  a program 'kernel-replay CAPTURE > RECORD' that writes each packet
#                  into a TUN device of a private namespace and notes what the
#                  kernel's conntrack says of it, without waiting between packets
#   KERNEL_VM      a program 'kernel-vm SERIES OUTDIR -- [OPTION...] CAPTURE...' that
#                  does the same in a virtual machine with a packaged kernel of that
#                  series, at the capture's own pace, leaves OUTDIR/NAME.jsonl for each
#                  and what failed in OUTDIR/errors.txt, and prints 'kernel VERSION: ...';
#                  with --userspace conntrackd's helpers take part, and then with
#                  --add-assign 'PROTOCOL PORT HELPER' one for a further protocol or port
#
# Nothing of the machine takes part: the programs run in namespaces of their own
# (network, mount, process, host name) with a private copy of /etc, and everything
# ends with the process that holds them. A second run gives captures that say the
# same but are not the same bytes: times, ports and sequence numbers differ.
#
# The parts are in make/:
#   network.sh  hosts, switches, router; starting and stopping a capture
#   servers.sh  the servers, with their configuration
#   helper.sh   the samples of helper/ftp, tftp and irc: one function each
#   sip.sh, h323.sh, pptp.sh, amanda.sh, sane.sh, broadcast.sh
#               the samples of the other helpers, with their servers
#   discovery.sh, rpc.sh, tns.sh
#               those of conntrackd's helpers, likewise
#   office.sh   office.pcapng
#   source.sh   writes SOURCE.md
set -euo pipefail
export PATH=/usr/sbin:/usr/bin:/sbin:/bin LC_ALL=C.UTF-8 TZ=UTC

samples=$(cd "$(dirname "${BASH_SOURCE[0]}")" && pwd)
# shellcheck source=make/source.sh
. "$samples/make/source.sh"
# The series of the packaged kernel that KERNEL_VM runs, and the running kernel's.
vm_series=6.12
here_series=$(uname -r | cut -d. -f1,2)

# What can be made, in the order of SOURCE.md: folders of helper/, and office.pcapng.
all_parts=(ftp tftp irc sip h323 pptp amanda sane netbios-ns snmp dhcpv6 mdns slp ssdp rpc tns office)
# Of those, the ones whose helpers are conntrackd's.
userspace_parts=(dhcpv6 mdns slp ssdp rpc tns)
in_userspace() { case " ${userspace_parts[*]} " in *" $1 "*) ;; *) return 1 ;; esac; }

needed=(amdump avahi-daemon baresip capinfos curl dhclient dhcrelay dig dnsmasq dumpcap ethtool
  ganesha.nfsd gcc gssdp-discover gupnp-event-dumper in.tftpd inetutils-inetd ip irssi kamailio
  kea-dhcp6 lftp lighttpd mdns-scan minidlnad miniupnpd mount.nfs nfs-cat nft ngircd nmbd nmblookup
  openssl ping pptp pptpd python3 rpc.statd rpcbind rpcinfo saned scanimage sm-notify snmpd snmpget
  tcpdump tftp tmux tnftp traceroute tshark unshare upnpc useradd vsftpd)

say() { printf '%s\n' "$*" >&2; }
die() { say "make.sh: $*"; exit 1; }

check() {
  [ "$(id -u)" = 0 ] || die "needs root, for network namespaces"
  local program
  for program in "${needed[@]}"; do
    command -v "$program" >/dev/null || die "no '$program': see the list of packages at the top"
  done
  case " ${parts[*]} " in
    *' h323 '*) [ -d "${PYCRATE-}/pycrate_asn1dir" ] || die "PYCRATE names no folder with pycrate in it" ;;
  esac
  case " ${parts[*]} " in
    *' slp '*) [ -d "${PYSLP-}/pyslp" ] || die "PYSLP names no folder with pyslp in it" ;;
  esac
}

# Where the files of a part are: what their names begin with.
files_of() { if [ "$1" = office ]; then echo office.; else echo "helper/$1/"; fi; }

# ------------------------------------------------------------- inside the namespaces

# A machine of our own: our /etc, so that user and name server can be invented ones,
# and an empty /run, where 'ip netns' keeps its names.
private_machine() {
  hostname sample
  mount -t tmpfs none /run
  mount -t tmpfs none /srv
  mkdir "$work"/{etc,home,log}
  cp -a /etc/. "$work/etc"
  mount --bind "$work/etc" /etc
  rm -f /etc/resolv.conf
  echo 'nameserver 198.51.100.53' >/etc/resolv.conf
  printf '127.0.0.1 localhost\n::1 localhost\n' >/etc/hosts
  export HOME=$work/home
  cd "$HOME"
}

make_captures() {
  local name
  for name in network servers helper sip h323 pptp amanda sane broadcast discovery rpc tns office; do
    # shellcheck source=/dev/null
    . "$samples/make/$name.sh"
  done
  private_machine
  build_network
  start_servers
  for name in "${parts[@]}"; do "${name//-/_}_samples"; done
}

# ------------------------------------------------------------------------- outside

# The records, beside the captures in $work/out. A capture's own name stays in that
# of its record: active.pcap, active.pcap.6.18.jsonl.gz.
take_records() {
  local capture label options
  cd "$work/out"
  if [ -n "${KERNEL_REPLAY-}" ]; then
    while read -r capture; do
      say "record, kernel $here_series: $capture"
      "$KERNEL_REPLAY" "$capture" | gzip -9n >"$capture.$here_series.jsonl.gz"
    done < <(captures)
    while IFS=$'\t' read -r capture label options; do
      eval "\"\$KERNEL_REPLAY\" $options \"\$capture\"" | gzip -9n >"$capture.$here_series.$label.jsonl.gz"
    done <"$work/recorded-also"
  fi
  if [ -n "${KERNEL_VM-}" ]; then
    vm_records '' < <(captures)
    userspace_captures >"$work/userspace-captures"
    [ ! -s "$work/userspace-captures" ] || vm_records userspace --userspace <"$work/userspace-captures"
    while IFS=$'\t' read -r label options; do
      eval "vm_records userspace-$label --userspace $options" < <(grep -F $'\t'"$label"$'\t' "$work/userspace-also" | cut -f1)
    done < <(cut -f2,3 "$work/userspace-also" | sort -u)
  fi
}

# One boot for all captures that it reads the names of. The records are named after the
# file alone, hence the copies.
vm_records() {                  # LABEL or nothing, OPTIONS...
  local capture record stage=$work/stage$1 vm=$work/vm$1 names=()
  say "records, kernel $vm_series${1:+, $1}"
  mkdir "$stage" "$vm"
  while read -r capture; do
    cp "$capture" "$stage/${capture//\//:}"
    names+=("$capture")
  done
  "$KERNEL_VM" "$vm_series" "$vm" -- "${@:2}" "$stage"/* | tee "$work/vm-said" >&2
  cat "$vm/errors.txt" >&2
  for capture in "${names[@]}"; do
    record=$vm/${capture//\//:}.jsonl
    [ -s "$record" ] || die "no $vm_series record of $capture${1:+, $1}"
    gzip -9n <"$record" >"$capture.$vm_series${1:+.$1}.jsonl.gz"
  done
}

userspace_captures() {
  local part
  for part in "${parts[@]}"; do
    if in_userspace "$part"; then captures | grep "^$(files_of "$part")"; fi
  done
}

captures() { find . -name '*.pcap' -o -name '*.pcapng' | sed 's,^\./,,' | sort; }

# Only what is complete goes into the folder; what is there from before goes.
install_samples() {
  local part
  for part in "${parts[@]}"; do
    find "$samples" -path "$samples/$(files_of "$part")*" \( -name '*.pcap' -o -name '*.pcapng' -o -name '*.jsonl.gz' \) -delete
  done
  cd "$work/out"
  find . -type f | while read -r file; do
    mkdir -p "$samples/$(dirname "$file")"
    install -m 644 "$file" "$samples/$file"
  done
}

main() {
  check
  work=$(mktemp -d "${TMPDIR:-/tmp}/samples.XXXXXX")
  chmod 755 "$work"
  : >"$work/made"
  : >"$work/recorded-also"
  : >"$work/userspace-also"
  local part
  for part in "${parts[@]}"; do mkdir -p "$work/out/$(dirname "$(files_of "$part")x")"; done
  child='' keep=''
  # With the child's child goes the whole namespace of processes, and with that the
  # network and the mounts: there is nothing else to tear down.
  trap '[ -z "$child" ] || kill -KILL "$child" 2>/dev/null || true; [ -n "$keep" ] || rm -rf "$work"' EXIT
  trap 'exit 130' INT TERM
  unshare --mount --uts --ipc --net --pid --fork --mount-proc --kill-child \
    bash "$samples/make.sh" --inside "$work" "${parts[@]}" </dev/null &
  child=$!
  if ! wait "$child"; then
    child='' keep=yes
    die "the captures were not made; $work/log holds what the programs said"
  fi
  child=''
  (take_records)
  (write_source >"$work/out/SOURCE.md")
  (install_samples)
  say "done"
}

if [ "${1-}" = --inside ]; then
  work=$2
  parts=("${@:3}")
  make_captures
else
  for part in "$@"; do
    case " ${all_parts[*]} " in *" $part "*) ;; *) die "no '$part' among: ${all_parts[*]}" ;; esac
  done
  [ $# -gt 0 ] && parts=("$@") || parts=("${all_parts[@]}")
  main
fi
