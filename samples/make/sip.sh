# shellcheck shell=bash disable=SC2016,SC2154
# The samples of helper/sip: baresip for telephones, kamailio for a registrar and
# proxy. All addresses are written as numbers, since the helper reads nothing else.

sip_samples() {
  certificate sip.example.net
  sip_call; sip_video_tcp_ipv6; sip_unanswered; sip_registered; sip_port_5070; sip_tls
}

# ----------------------------------------------------------------------- telephones

# A telephone without microphone and screen: it sends a tone and a test picture, and
# nobody hears what it receives. GSM keeps the captures small. It takes commands on a
# socket of its own.
phone_start() {                 # HOST NAME ADDRESS:PORT DOMAIN [ACCOUNT-PARAMETER...]
  local home=$work/phone-$2 module modules=(aubridge ausine cons gsm) version=-4
  case $3 in *]*) version=-6 ;; esac
  case $* in *video_codecs*) modules+=(fakevideo vp8) ;; esac
  rm -rf "$home"
  mkdir -p "$home"
  {
    printf '%s\n' "sip_listen $3" "sip_certificate $work/sip.example.net.pem" 'audio_player aubridge,none' \
      'audio_source ausine,440' 'ausrc_srate 48000' 'ausrc_channels 2' 'video_source fakevideo,nil' \
      'video_display fakevideo,nil' 'video_size 176x144' 'video_fps 2' 'video_bitrate 20000' \
      'cons_listen 127.0.0.1:5555' 'module_path /usr/lib/baresip/modules'
    for module in "${modules[@]}"; do echo "module $module.so"; done
    for module in account menu; do echo "module_app $module.so"; done
  } >"$home/config"
  printf '<sip:%s@%s>;audio_codecs=GSM;ptime=20%s\n' "$2" "$4" "$(printf ';%s' "${@:5}" regint=0)" >"$home/accounts"
  on "$1" baresip "$version" -v -f "$home" >"$work/log/phone-$2" 2>&1 &
  wait_until 10 listens "$1" 5555
}
phone() { on "$1" bash -c "echo '$2' >/dev/udp/127.0.0.1/5555"; }
phone_says() { grep -aq "$2" "$work/log/phone-$1"; }       # NAME PATTERN
phone_stop() {
  phone "$1" /quit
  wait_until 10 falls_deaf "$1" 5555
}

# --------------------------------------------------------------------- the registrar

# Requests come in at port 5060, and those for a telephone leave from port 5070: a
# registrar that only ever answered on the way a REGISTER came would need no helper.
registrar_start() {
  cat >"$work/kamailio.cfg" <<'CONF'
debug=1
log_stderror=yes
children=1
disable_tcp=yes
auto_aliases=no
listen=udp:198.51.100.60:5060
listen=udp:198.51.100.60:5070
loadmodule "tm.so"
loadmodule "sl.so"
loadmodule "rr.so"
loadmodule "pv.so"
loadmodule "siputils.so"
loadmodule "usrloc.so"
loadmodule "registrar.so"
request_route {
  if (method == "REGISTER") { save("location"); exit; }
  if (has_totag()) { loose_route(); t_relay(); exit; }
  if (method == "CANCEL") { t_relay(); exit; }
  if (!lookup("location")) { sl_send_reply("404", "Not Found"); exit; }
  force_send_socket(udp:198.51.100.60:5070);
  record_route();
  t_relay();
}
CONF
  serve sip60 5060 kamailio -DD -E -m 32 -M 4 -Y "$work" -f "$work/kamailio.cfg"
}

# ----------------------------------------------------------------------- the samples

sip_call() {
  sample helper/sip/call.pcap baresip \
    '`/dial`, `/hold`, `/resume`, `/hangup`' \
    'IPv4, UDP: a call between two telephones, with audio both ways; INVITE again for hold and for resume; BYE'
  phone_start pc11 alice 192.0.2.11:5060 192.0.2.11
  phone_start far77 bob 203.0.113.77:5060 203.0.113.77 answermode=auto
  start_capture helper/sip/call.pcap router -i lan
  phone pc11 '/dial sip:bob@203.0.113.77'
  sleep 2
  phone pc11 /hold
  sleep 1
  phone pc11 /resume
  sleep 1
  phone pc11 /hangup
  stop_capture
  phone_stop pc11
  phone_stop far77
}

sip_video_tcp_ipv6() {
  sample helper/sip/video-tcp-ipv6.pcap baresip \
    '`/dial sip:bob@[2001:db8:3::77];transport=tcp`, `/hangup`' \
    'IPv6, TCP: a call with audio and video, two expectations for each of both on either side'
  phone_start pc11 alice '[2001:db8:1::11]:5060' '[2001:db8:1::11]' video_codecs=VP8
  phone_start far77 bob '[2001:db8:3::77]:5060' '[2001:db8:3::77]' answermode=auto video_codecs=VP8
  start_capture helper/sip/video-tcp-ipv6.pcap router -i lan
  phone pc11 '/dial sip:bob@[2001:db8:3::77];transport=tcp'
  sleep 3
  phone pc11 /hangup
  stop_capture
  phone_stop pc11
  phone_stop far77
}

sip_unanswered() {
  sample helper/sip/unanswered.pcap baresip \
    '`/dial`, `/hangup` by the called; `answermode=early`, `/dial`, `/hangup` by the caller' \
    'IPv4, UDP: a call that is refused with 486, which takes its expectations away; a call with audio before it is answered, 183, which then ends with CANCEL and 487'
  phone_start pc11 alice 192.0.2.11:5060 192.0.2.11
  phone_start far77 bob 203.0.113.77:5060 203.0.113.77
  start_capture helper/sip/unanswered.pcap router -i lan
  phone pc11 '/dial sip:bob@203.0.113.77'
  sleep 1
  phone far77 /hangup
  wait_until 5 phone_says alice 'session closed'
  phone_stop far77
  phone_start far77 bob 203.0.113.77:5060 203.0.113.77 answermode=early
  phone pc11 '/dial sip:bob@203.0.113.77'
  sleep 2
  phone pc11 /hangup
  stop_capture
  phone_stop pc11
  phone_stop far77
}

sip_registered() {
  sample helper/sip/registered.pcap 'baresip, kamailio' \
    '`regint=60`; bob: `/dial sip:alice@198.51.100.60`, `/hangup`; alice: `/quit`' \
    'IPv4, UDP: a telephone registers port 5062 and is called by its registrar, which the permanent expectation lets in; REGISTER with expiry 0 takes it away. The audio comes from the other telephone and not from the registrar, and so is not expected; see the second record'
  record_also helper/sip/registered.pcap direct-media-0 '--module nf_conntrack_sip.sip_direct_media=0'
  registrar_start
  phone_start far77 bob 203.0.113.77:5060 203.0.113.77
  start_capture helper/sip/registered.pcap router -i lan
  phone_start pc11 alice 192.0.2.11:5062 198.51.100.60 regint=60 answermode=auto
  wait_until 5 phone_says alice '200 OK'
  phone far77 '/dial sip:alice@198.51.100.60'
  sleep 3
  phone far77 /hangup
  sleep 1
  phone_stop pc11
  stop_capture
  phone_stop far77
  stop_server sip60 5060
}

sip_port_5070() {
  sample helper/sip/port-5070.pcap baresip \
    '`/dial sip:bob@203.0.113.77:5070`, `/hangup`' \
    'IPv4, UDP, a telephone on port 5070: no helper unless one is assigned to that port, see the second record'
  record_also helper/sip/port-5070.pcap add-assign "--add-assign 'udp 5070 sip'"
  phone_start pc11 alice 192.0.2.11:5060 192.0.2.11
  phone_start far77 bob 203.0.113.77:5070 203.0.113.77 answermode=auto
  start_capture helper/sip/port-5070.pcap router -i lan
  phone pc11 '/dial sip:bob@203.0.113.77:5070'
  sleep 1
  phone pc11 /hangup
  stop_capture
  phone_stop pc11
  phone_stop far77
}

# baresip takes TLS on the port after its own.
sip_tls() {
  sample helper/sip/tls.pcap baresip \
    '`/dial sip:bob@203.0.113.77;transport=tls`, `/hangup`' \
    'IPv4, TLS on TCP port 5060: the helper is there and can read nothing, the audio stays unexpected'
  phone_start pc11 alice 192.0.2.11:5060 192.0.2.11
  phone_start far77 bob 203.0.113.77:5059 203.0.113.77 answermode=auto
  start_capture helper/sip/tls.pcap router -i lan
  phone pc11 '/dial sip:bob@203.0.113.77:5060;transport=tls'
  sleep 1
  phone pc11 /hangup
  stop_capture
  phone_stop pc11
  phone_stop far77
}
