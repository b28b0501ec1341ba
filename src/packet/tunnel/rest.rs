//! The bytes of a packet that are still to be read.

use crate::packet::Packet;

/// What is left of a packet.
#[derive(Clone, Copy, Debug)]
pub struct Rest<'a> {
    /// What the capture holds of it.
    pub captured: &'a [u8],
    /// How long it is.
    length: usize,
}

impl<'a> Rest<'a> {
    pub fn of(packet: &Packet<'a>, at: usize) -> Option<Self> {
        Some(Self {
            captured: packet.datagram.get(at..packet.captured)?,
            length: packet.datagram.len() - at,
        })
    }

    /// A header and what is behind it.
    pub fn take<const N: usize>(self) -> Option<(&'a [u8; N], Self)> {
        Some((self.captured.first_chunk()?, self.skip(N)?))
    }

    pub fn skip(self, bytes: usize) -> Option<Self> {
        Some(Self {
            captured: self.captured.get(bytes..)?,
            length: self.length - bytes,
        })
    }

    /// Without what is behind that many bytes; `None` where there are fewer.
    pub fn limit(self, length: usize) -> Option<Self> {
        (length <= self.length).then(|| Self {
            captured: &self.captured[..length.min(self.captured.len())],
            length,
        })
    }

    /// Bytes that the capture does not hold.
    pub fn missing(self) -> usize {
        self.length - self.captured.len()
    }
}
