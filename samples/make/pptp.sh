# shellcheck shell=bash disable=SC2016,SC2154
# The samples of helper/pptp: the client pptp and the server pptpd. Both carry PPP
# in GRE by themselves; for the PPP at either end stands ppp.py.

pptp_samples() {
  mkdir -p /run/pptp
  printf '#!/bin/sh\nexec /usr/bin/python3 %q\n' "$samples/make/ppp.py" >"$work/pppd"
  chmod +x "$work/pppd"
  printf '%s\n' "ppp $work/pppd" "option /dev/null" 'localip 192.0.2.193' 'remoteip 192.0.2.194-199' >"$work/pptpd.conf"
  serve vpn23 1723 pptpd --fg --conf "$work/pptpd.conf" --listen 198.51.100.23
  pptp_session; pptp_two_clients; pptp_second_call; pptp_blocked
  stop_server vpn23 1723
}

# The calls of a host find each other in /run/pptp, and those of another host must not.
tunnel() {                      # HOST SECONDS: a call that lasts that long
  mkdir -p "$work/run-$1"
  on "$1" unshare --mount bash -c "mount --bind '$work/run-$1' /run/pptp && exec \"\$@\"" - \
    /usr/bin/python3 "$samples/make/ppp.py" "$2" pptp 198.51.100.23 --nolaunchpppd --nohostroute \
    >>"$work/log/pptp-$1" 2>&1
}

pptp_session() {
  sample helper/pptp/session.pcap 'pptp, pptpd' \
    '`pptp --nolaunchpppd`' \
    'IPv4: a call and its tunnel of GRE, closed by the client; of the two expectations the first packet meets one'
  start_capture helper/pptp/session.pcap router -i lan
  tunnel pc11 2
  stop_capture
}

pptp_two_clients() {
  sample helper/pptp/two-clients.pcap 'pptp, pptpd' \
    '`pptp --nolaunchpppd` on two hosts' \
    'IPv4: two clients at the same time, each with its tunnel'
  start_capture helper/pptp/two-clients.pcap router -i lan
  tunnel pc11 2 &
  local other=$!
  tunnel pc12 3
  wait "$other"
  stop_capture
}

pptp_second_call() {
  sample helper/pptp/second-call.pcap 'pptp, pptpd' \
    '`pptp --nolaunchpppd` twice on one host' \
    'IPv4: a second call over the same control connection; its tunnel stays unexpected, since the helper keeps one call a connection'
  start_capture helper/pptp/second-call.pcap router -i lan
  tunnel pc11 3 &
  local other=$!
  sleep 2
  tunnel pc11 1
  wait "$other"
  stop_capture
}

pptp_blocked() {
  sample helper/pptp/blocked.pcap 'pptp, pptpd' \
    '`pptp --nolaunchpppd`' \
    'IPv4: a filter on the router drops GRE, which nobody answers'
  filter 'ip protocol gre drop'
  start_capture helper/pptp/blocked.pcap router -i lan
  tunnel pc11 1
  stop_capture
  no_filter
}
