# shellcheck shell=bash disable=SC2016,SC2154
# The samples of helper/tns: tns.py in the part of a database's listener in the dmz, of
# the servers that it sends its clients to, and of a client in the lan.

tns_samples() {
  tns_redirect; tns_other_host; tns_in_data; tns_by_name; tns_accepted
}

tns() { on "$1" /usr/bin/python3 "$samples/make/tns.py" "${@:2}" 2>>"$work/log/tns-$1"; }

# A listener and, where it sends clients to another port, a server there.
tns_capture() {                 # FILE LISTENER-ARGUMENTS...
  tns ftp21 listen 198.51.100.21 "${@:2}" &
  local listening=$!
  wait_until 10 listens ftp21 1521
  start_capture "$1" router -i lan
  tns pc11 connect 192.0.2.11 198.51.100.21
  stop_capture
  wait "$listening"
}

tns_redirect() {
  sample helper/tns/redirect.pcap '`make/tns.py`' \
    '`listen 198.51.100.21 redirect 198.51.100.21 49152`; `connect`' \
    'IPv4: the listener sends the client to another port of its host, in the REDIRECT packet'
  tns ftp21 serve 198.51.100.21 49152 &
  wait_until 10 listens ftp21 49152
  tns_capture helper/tns/redirect.pcap redirect 198.51.100.21 49152
}

tns_other_host() {
  sample helper/tns/other-host.pcap '`make/tns.py`' \
    '`listen 198.51.100.21 redirect 198.51.100.22 49153`; `connect`' \
    'IPv4: the listener sends the client to a server on another host'
  tns ftp22 serve 198.51.100.22 49153 &
  wait_until 10 listens ftp22 49153
  tns_capture helper/tns/other-host.pcap redirect 198.51.100.22 49153
}

tns_in_data() {
  sample helper/tns/in-data.pcap '`make/tns.py`' \
    '`listen 198.51.100.21 redirect-data 198.51.100.21 49154`; `connect`' \
    'IPv4: CONNECT is asked for once more with RESEND; REDIRECT has no address, which follows in a DATA packet and which the helper does not find there. Wireshark calls that REDIRECT malformed'
  tns ftp21 serve 198.51.100.21 49154 &
  wait_until 10 listens ftp21 49154
  tns_capture helper/tns/in-data.pcap redirect-data 198.51.100.21 49154
}

tns_by_name() {
  sample helper/tns/by-name.pcap '`make/tns.py`' \
    '`listen 198.51.100.21 redirect ftps.example.net 49155`; `connect`' \
    'IPv4: the address has a name in it, which the client looks up and the helper does not understand'
  tns ftp22 serve 198.51.100.22 49155 &
  wait_until 10 listens ftp22 49155
  tns_capture helper/tns/by-name.pcap redirect ftps.example.net 49155
}

tns_accepted() {
  sample helper/tns/accepted.pcap '`make/tns.py`' \
    '`listen 198.51.100.21 accept`; `connect`' \
    'IPv4: the listener takes the client itself: nothing to expect'
  tns_capture helper/tns/accepted.pcap accept
}
