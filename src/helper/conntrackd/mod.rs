//! The helpers of conntrackd (conntrack-tools): code outside the kernel that is shown every packet of a connection, and
//! says with its verdict what to expect.
//!
//! Simulated are those of conntrack-tools 1.4.7 and 1.4.8, in the families that its documented configuration names: IPv6
//! for dhcpv6, IPv4 for all others (doc/helper/conntrackd.conf). Policies are that file's, or where it has none the
//! helper's own. The way through the queue is the tracker's affair.
//!
//! Against the kernel's own helpers these differ in two ways. Texts end where C's end, at a NUL, and what stands behind
//! a packet reads as zeros (`pktb_alloc`). And what comes of an expectation matters to few of them.

mod amanda;
mod dhcpv6;
mod ftp;
mod multicast;
mod rpc;
mod sane;
mod ssdp;
mod tftp;
mod tns;

use std::time::Duration;

use super::{Dropped, Master, Message, Policy, Refused, Spec};
use crate::expectation::Expectation;

pub const SPECS: [&[Spec]; 9] = [
    dhcpv6::SPECS,
    multicast::SPECS,
    ssdp::SPECS,
    rpc::SPECS,
    tns::SPECS,
    ftp::SPECS,
    tftp::SPECS,
    sane::SPECS,
    amanda::SPECS,
];

/// A `Policy` block.
fn policy(max_expected: u32, seconds: u64) -> Vec<Policy> {
    vec![Policy {
        max_expected,
        timeout: Duration::from_secs(seconds),
    }]
}

/// Sends an expectation along with the verdict. The kernel tells nobody when it does not take it
/// (`nfqnl_recv_verdict`), so the packet passes all the same.
fn attach(master: &mut dyn Master, expectation: Expectation) {
    let _ = master.expect(expectation);
}

/// Has ctnetlink make an expectation, and drops the packet where it does not. One that the first packet of the
/// expected flow would fit already, whoever's it is, is left as it is (`NFCT_Q_CREATE_UPDATE`, `ctnetlink_new_expect`).
/// Else the connection must be found in the table (`ctnetlink_create_expect`).
fn add(
    message: &Message<'_>,
    master: &mut dyn Master,
    expectation: Expectation,
) -> Result<(), Dropped> {
    let bytes = expectation.named_in(message.packet);
    if master.find(&expectation.tuple()).is_some() {
        master.decline("what it asks for is expected already", bytes);
        return Ok(());
    }
    if !master.is_listed() {
        master.decline(Refused::NotListed.reason(), bytes);
        return Err(Refused::NotListed.into());
    }
    master.expect(expectation)?;
    Ok(())
}

/// The text up to its first NUL, as C sees it.
fn c_string(bytes: &[u8]) -> &[u8] {
    let end = bytes.iter().position(|&byte| byte == 0);
    &bytes[..end.unwrap_or(bytes.len())]
}

/// Where the first occurrence of a word starts (`strstr`, for a text without NUL).
fn find(text: &[u8], word: &[u8]) -> Option<usize> {
    text.windows(word.len()).position(|window| window == word)
}

/// A decimal number as C reads it, with spaces and a sign before it, and how many bytes it took; 0 and none for no digits
/// (C11 7.22.1.4). It stops growing far beyond what any type of C's holds.
fn decimal(text: &[u8]) -> (i128, usize) {
    let is_space = |byte: &&u8| matches!(byte, b' ' | b'\t'..=b'\r');
    let spaces = text.iter().take_while(is_space).count();
    let sign = text.get(spaces).filter(|byte| matches!(byte, b'+' | b'-'));
    let start = spaces + usize::from(sign.is_some());
    let digits = text[start..]
        .iter()
        .take_while(|byte| byte.is_ascii_digit());
    let (mut number, mut end) = (0_i128, start);
    for digit in digits {
        number = number
            .saturating_mul(10)
            .saturating_add(i128::from(digit - b'0'));
        end += 1;
    }
    match sign {
        _ if end == start => (0, 0),
        Some(b'-') => (-number, end),
        _ => (number, end),
    }
}
