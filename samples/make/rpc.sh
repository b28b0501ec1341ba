# shellcheck shell=bash disable=SC2016,SC2154
# The samples of helper/rpc: a file server in the dmz (disk10), with rpcbind, which
# tells the port of each of its services, and clients of the lan that ask for one.

rpc_samples() {
  rpc_start
  rpc_file; rpc_mount_udp; rpc_mount_mixed; rpc_notify; rpc_getaddr
  local port
  for port in 32765 2049 111; do stop_server disk10 "$port"; done
  umount /var/lib/nfs
  rm -r /etc/netns/pc13
}

# nfs-ganesha is NFS and MOUNT without a kernel's help.
rpc_start() {
  mkdir -p /run/ganesha /etc/netns/pc13 "$work/nsm/sm" "$work/nsm/sm.bak"
  mount -t tmpfs none /var/lib/nfs
  mkdir /var/lib/nfs/ganesha /var/lib/nfs/sm /var/lib/nfs/sm.bak
  printf '%s\n' '192.0.2.13 pc13.example.net' '198.51.100.10 disk10.example.net' >/etc/netns/pc13/hosts
  cat >"$work/ganesha.conf" <<'CONF'
NFS_CORE_PARAM {
  Bind_addr = 198.51.100.10;
  Protocols = 3;
  MNT_Port = 20048;
  Enable_NLM = false;
  Enable_RQUOTA = false;
}
EXPORT {
  Export_Id = 1;
  Path = /srv/ftp;
  Pseudo = /srv/ftp;
  Protocols = 3;
  Transports = UDP, TCP;
  Access_Type = RO;
  SecType = sys;
  FSAL { Name = VFS; }
}
CONF
  serve disk10 111 rpcbind -f -h 198.51.100.10
  serve disk10 20048 ganesha.nfsd -F -f "$work/ganesha.conf" -L "$work/log/ganesha" -p "$work/ganesha.pid"
}

rpc_file() {
  sample helper/rpc/file.pcap 'nfs-cat, rpcbind, nfs-ganesha' \
    '`nfs-cat nfs://198.51.100.10/srv/ftp/readme.txt?version=3`' \
    'IPv4, TCP: GETPORT for MOUNT and for NFS, over a connection each, which a reset closes; both ports are connected to'
  start_capture helper/rpc/file.pcap router -i lan
  on pc11 nfs-cat 'nfs://198.51.100.10/srv/ftp/readme.txt?version=3' >"$work/log/nfs-cat" 2>&1
  stop_capture
}

# All but the mount itself, which would be the kernel's.
mount_file_server() { on pc12 mount.nfs -f -v -o "vers=3,nolock,$1" 198.51.100.10:/srv/ftp "$HOME" >>"$work/log/mount" 2>&1; }

rpc_mount_udp() {
  sample helper/rpc/mount-udp.pcap 'mount.nfs, rpcbind, nfs-ganesha' \
    '`mount.nfs -f -o vers=3,nolock,proto=udp`' \
    'IPv4, UDP: GETPORT for NFS and for MOUNT, and a question to each port'
  start_capture helper/rpc/mount-udp.pcap router -i lan
  mount_file_server proto=udp
  stop_capture
}

rpc_mount_mixed() {
  sample helper/rpc/mount-mixed.pcap 'mount.nfs, rpcbind, nfs-ganesha' \
    '`mount.nfs -f -o vers=3,nolock,proto=tcp,mountproto=udp`' \
    'IPv4: GETPORT over TCP for NFS over TCP, and over UDP for MOUNT over UDP'
  start_capture helper/rpc/mount-mixed.pcap router -i lan
  mount_file_server proto=tcp,mountproto=udp
  stop_capture
}

# pc13 has restarted, which it tells the hosts that it had locks at: those that have a
# file in 'sm', of what the kernel's lock service had said of them.
rpc_notify() {
  sample helper/rpc/notify.pcap 'sm-notify, rpcbind, rpc.statd' \
    '`sm-notify -d -f -n` on pc13, twice; rpc.statd on disk10 from before the second' \
    'IPv4, UDP: GETPORT answered by port 0, since the service does not run; then by its port, to which the client goes on from the same socket'
  printf '0100007f 000186b5 00000003 00000010 %032d disk10.example.net pc13.example.net\n' 0 >"$work/nsm/sm/disk10.example.net"
  start_capture helper/rpc/notify.pcap router -i lan
  restarted 1 || true
  on disk10 rpc.statd --foreground --no-notify --no-syslog --port 32765 >"$work/log/statd" 2>&1 &
  wait_until 10 listens disk10 32765
  restarted 10
  stop_capture
}
restarted() { on pc13 timeout "$1" sm-notify -d -f -n -P "$work/nsm" >>"$work/log/sm-notify" 2>&1; }

rpc_getaddr() {
  sample helper/rpc/getaddr.pcap 'rpcinfo, rpcbind, nfs-ganesha' \
    '`rpcinfo -T udp 198.51.100.10 mountd 3`, `rpcinfo -p 198.51.100.10`' \
    'IPv4, UDP, then TCP: GETADDR of version 4 and DUMP of version 2, neither of which the helper follows'
  start_capture helper/rpc/getaddr.pcap router -i lan
  on pc11 rpcinfo -T udp 198.51.100.10 mountd 3 >>"$work/log/rpcinfo" 2>&1
  on pc11 rpcinfo -p 198.51.100.10 >>"$work/log/rpcinfo" 2>&1
  stop_capture
}
