# shellcheck shell=bash disable=SC2016,SC2154
# The samples of helper/sane: scanimage and saned with the picture that SANE draws
# itself for tests.

sane_samples() {
  mkdir -p "$work/sane"
  echo test >"$work/sane/dll.conf"
  printf '%s\n' 192.0.2.0/24 '[2001:db8:1::]/64' >"$work/sane/saned.conf"
  printf '%s\n' 'connect_timeout = 5' >"$work/sane/net.conf"
  mkdir -p /etc/netns/scan65    # saned wants an address for its own name
  echo "127.0.0.1 localhost $(hostname)" >/etc/netns/scan65/hosts
  on scan65 env SANE_CONFIG_DIR="$work/sane" saned -l -e -d 2 >"$work/log/saned" 2>&1 &
  wait_until 10 listens scan65 6566
  sane_scan; sane_twice_ipv6; sane_blocked
  stop_server scan65 6566
}

scan() {                        # HOST SCANNER OPTIONS...
  local home=$work/sane-$1
  mkdir -p "$home"
  echo net >"$home/dll.conf"
  on "$1" timeout --kill-after=1 6 env SANE_CONFIG_DIR="$home:$work/sane" scanimage -d "net:$2:test:0" --resolution 50 -x 40 -y 40 "${@:3}" \
    >"$work/log/scan" 2>"$work/log/scanimage"
}

sane_scan() {
  sample helper/sane/scan.pcap 'scanimage, saned' \
    '`scanimage -d net:198.51.100.65:test:0 -x 40 -y 40`' \
    'IPv4: a picture of 78 by 78 grey points, which goes over a connection of its own'
  start_capture helper/sane/scan.pcap router -i lan
  scan pc11 198.51.100.65
  stop_capture
}

sane_twice_ipv6() {
  sample helper/sane/twice-ipv6.pcap 'scanimage, saned' \
    '`scanimage --batch-count=2`' \
    'IPv6: two pictures in one session'
  start_capture helper/sane/twice-ipv6.pcap router -i lan
  scan pc12 '[2001:db8:2::65]' --mode Gray --batch="$work/page-%d.pnm" --batch-count=2
  stop_capture
}

sane_blocked() {
  sample helper/sane/blocked.pcap 'scanimage, saned' \
    '`scanimage`, ended after six seconds' \
    'IPv4: a filter on the router drops the data connection, whose SYN is sent again and has no answer'
  filter 'ip daddr 198.51.100.65 tcp dport != 6566 drop'
  start_capture helper/sane/blocked.pcap router -i lan
  scan pc11 198.51.100.65 || true
  stop_capture
  no_filter
}
