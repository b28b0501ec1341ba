//! conntrackd's helpers.

mod amanda;
mod dhcpv6;
mod ftp;
mod multicast;
mod rpc;
mod sane;
mod ssdp;
mod tftp;
mod tns;
