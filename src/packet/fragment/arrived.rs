//! A fragment as it arrived.

use std::net::IpAddr;

use crate::packet::Unseen;
use crate::packet::ip::{self, FRAGMENT_HEADER, Header, IPV6_HEADER};

/// `struct frag_v4_compare_key`, `struct frag_v6_compare_key`; IPv6 takes no note of the protocol.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub struct Key {
    pub src: IpAddr,
    pub dst: IpAddr,
    pub id: u32,
    pub protocol: u8,
}

/// One fragment as it arrived.
pub struct Fragment<'a> {
    pub key: Key,
    pub offset: usize,
    pub more: bool,
    pub data: &'a [u8],
    /// What of the datagram is not fragmented, without a fragment header.
    pub head: &'a [u8],
    /// IPv6: what the fragment header names, and where in `head` that belongs.
    pub next_header: u8,
    pub next_header_at: usize,
    pub ecn: u8,
    /// Bytes of the packet that it came as.
    pub received: usize,
}

impl<'a> Fragment<'a> {
    /// `None`: the datagram is whole (`ip_is_fragment`).
    pub fn ipv4(header: &Header, datagram: &'a [u8]) -> Option<Self> {
        let &[id_high, id_low, flags, offset] = datagram.get(4..)?.first_chunk()?;
        let field = u16::from_be_bytes([flags, offset]);
        let (more, offset) = (field & 0x2000 != 0, usize::from(field & 0x1fff) * 8);
        if !more && offset == 0 {
            return None;
        }
        let (head, data) = datagram.split_at_checked(header.length)?;
        let id = u32::from(u16::from_be_bytes([id_high, id_low]));
        Some(Self {
            key: Key {
                src: header.src,
                dst: header.dst,
                id,
                protocol: header.next,
            },
            offset,
            more,
            data,
            head,
            next_header: 0,
            next_header_at: 0,
            ecn: 1 << (datagram[1] & 3),
            received: datagram.len(),
        })
    }

    /// `find_prev_fhdr` and the checks of `nf_ct_frag6_gather`: what they pass over, conntrack sees as it is.
    pub fn ipv6(header: &Header, datagram: &'a [u8]) -> Result<Option<Self>, Unseen> {
        if datagram.len() == IPV6_HEADER {
            return Ok(None);
        }
        let (mut next, mut next_header_at, mut at) = (header.next, 6, IPV6_HEADER);
        while next != FRAGMENT {
            if !ip::is_extension(next) || next == NO_NEXT_HEADER {
                return Ok(None);
            }
            let Some(&[following, length]) = datagram.get(at..).and_then(<[u8]>::first_chunk)
            else {
                return Ok(None);
            };
            next_header_at = at;
            at += ip::extension_length(next, length);
            next = following;
        }
        let Some((head, rest)) = datagram.split_at_checked(at) else {
            return Ok(None);
        };
        if truncated_in_first(datagram, at) {
            return Ok(None);
        }
        // A fragment header that is cut off is dropped, where the check above has not let it through.
        let Some((fragment_header, data)) = rest.split_first_chunk::<FRAGMENT_HEADER>() else {
            return Err(Unseen::FragmentDropped);
        };
        let &[next_header, _, high, low, id @ ..] = fragment_header;
        let field = u16::from_be_bytes([high, low]);
        Ok(Some(Self {
            key: Key {
                src: header.src,
                dst: header.dst,
                id: u32::from_be_bytes(id),
                protocol: 0,
            },
            offset: usize::from(field & !7),
            more: field & 1 != 0,
            data,
            head,
            next_header,
            // The kernel keeps it in eight bits.
            next_header_at: next_header_at & 0xff,
            ecn: 1 << (datagram[1] >> 4 & 3),
            received: datagram.len(),
        }))
    }
}

/// Whether a first fragment ends before its transport header does (`ipv6frag_thdr_truncated`, RFC 8200 4.5).
fn truncated_in_first(datagram: &[u8], fragment_header_at: usize) -> bool {
    match ip::skip_extensions(datagram, fragment_header_at, FRAGMENT) {
        Some(ip::Skipped {
            next,
            at,
            fragment_offset: 0,
        }) => {
            let header = match next {
                6 => 20,
                17 | 58 => 8,
                _ => 1,
            };
            at + header > datagram.len()
        }
        _ => false,
    }
}

const FRAGMENT: u8 = 44;
const NO_NEXT_HEADER: u8 = 59;
