//! What rule sets say, and what they do to packets.

mod iptables;
mod nftables;
