# shellcheck shell=bash disable=SC2016,SC2154
# The samples of helper/h323. Debian has no program left that speaks it, so h323.py
# stands in; what it says is held against Wireshark's reading of the protocols.

h323_samples() { h323_slow_start; h323_fast_start; h323_gatekeeper; h323_other_address; h323_version_7; }

h323() { on "$1" env PYTHONPATH="$PYCRATE" /usr/bin/python3 "$samples/make/h323.py" "${@:2}" 2>>"$work/log/h323"; }

# Takes one call in the background.
h323_answer() {                 # HOST ROLE ADDRESS PORT [MEDIA-ADDRESS]
  h323 "$@" &
  answering=$!
  wait_until 10 listens "$1" "$4"
}

# What the dissectors make of it: nothing malformed, and all of these words in their lines.
h323_dissected() {              # WORDS...
  local words
  [ -z "$(tshark -d udp.port==1819,h225 -r "$file" -Y '_ws.malformed || _ws.short || _ws.expert.severity == error' 2>/dev/null)" ] ||
    die "$file holds malformed packets"
  tshark -d udp.port==1819,h225 -r "$file" >"$work/log/dissected" 2>/dev/null
  for words; do grep -q "$words" "$work/log/dissected" || die "$file has no $words"; done
}

h323_slow_start() {
  sample helper/h323/slow-start.pcap '`make/h323.py`' \
    '`answer`; `call … slow`' \
    'IPv4: a call whose CONNECT names a port for H.245; over that the audio channels are opened'
  h323_answer far77 answer 203.0.113.77 1720
  start_capture helper/h323/slow-start.pcap router -i lan
  h323 pc11 call 192.0.2.11 203.0.113.77 1720 slow
  wait "$answering"
  stop_capture
  h323_dissected 'CS: setup' 'CS: connect' 'H.245.*openLogicalChannelAck' 'RTP.*PCMU' 'Sender Report' 'CS: releaseComplete'
}

h323_fast_start() {
  sample helper/h323/fast-start-ipv6.pcap '`make/h323.py`' \
    '`answer`; `call … fast`' \
    'IPv6: a call whose audio channels are opened by fastStart in SETUP and CONNECT, without H.245'
  h323_answer far77 answer 2001:db8:3::77 1720
  start_capture helper/h323/fast-start-ipv6.pcap router -i lan
  h323 pc11 call 2001:db8:1::11 2001:db8:3::77 1720 fast
  wait "$answering"
  stop_capture
  h323_dissected 'CS: setup OpenLogicalChannel' 'CS: connect OpenLogicalChannel' 'RTP.*PCMU' 'Sender Report'
}

h323_gatekeeper() {
  sample helper/h323/gatekeeper.pcap '`make/h323.py`' \
    '`gatekeeper`; `answer`; `register`; `call … fast` on gk19' \
    'IPv4: discovery, which leads to another RAS port; registration of port 1731; admission of a call to port 1730 of far77, that call with H.245; a call by the gatekeeper to the registered port, with fastStart; unregistration'
  local caller
  h323 gk19 gatekeeper 198.51.100.19 1819 &
  wait_until 10 listens gk19 1719
  h323_answer far77 answer 203.0.113.77 1730
  start_capture helper/h323/gatekeeper.pcap router -i lan
  h323 pc11 register 192.0.2.11 198.51.100.19 &
  caller=$!
  wait "$answering"
  sleep 1
  h323 gk19 call 198.51.100.19 192.0.2.11 1731 fast
  wait "$caller"
  stop_capture
  stop_server gk19 1719
  h323_dissected 'RAS: gatekeeperConfirm' 'RAS: registrationConfirm' 'RAS: admissionConfirm' 'RAS: disengageConfirm' \
    'RAS: unregistrationConfirm' 'H.245.*openLogicalChannelAck' 'CS: connect OpenLogicalChannel'
}

h323_other_address() {
  sample helper/h323/other-address.pcap '`make/h323.py`' \
    '`answer 203.0.113.77 1720 203.0.113.78`; `call … slow`' \
    'IPv4: the called names its second address for H.245 and media; the helper expects nothing there, and never sees what is said over H.245'
  on far77 ip addr add 203.0.113.78/24 dev eth0
  h323_answer far77 answer 203.0.113.77 1720 203.0.113.78
  start_capture helper/h323/other-address.pcap router -i lan
  h323 pc11 call 192.0.2.11 203.0.113.77 1720 slow
  wait "$answering"
  stop_capture
  on far77 ip addr del 203.0.113.78/24 dev eth0
  h323_dissected 'H.245.*openLogicalChannelAck' 'RTP.*PCMU'
}

h323_version_7() {
  sample helper/h323/version-7.pcap '`make/h323.py`' \
    '`answer-7`; `call … slow`' \
    'IPv4: as slow-start.pcap, but the called is of version 7 of H.225.0, whose CONNECT the helper cannot read: it takes the addition of that version (a display name) for present, and expects nothing'
  h323_answer far77 answer-7 203.0.113.77 1720
  start_capture helper/h323/version-7.pcap router -i lan
  h323 pc11 call 192.0.2.11 203.0.113.77 1720 slow
  wait "$answering"
  stop_capture
  h323_dissected 'CS: connect' 'H.245.*openLogicalChannelAck' 'RTP.*PCMU'
}
