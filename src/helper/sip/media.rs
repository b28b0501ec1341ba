//! What a session description asks for: RTP and RTCP for each medium.
//!
//! Source: `process_sdp`, `set_expected_rtp_rtcp` in nf_conntrack_sip.c.

use super::message::Text;
use super::sdp::{Description, Media, others};
use super::{SIGNALLING, Sip};
use crate::expectation::{Expectation, Sourced};
use crate::helper::reasons::NOT_THE_SPEAKER;
use crate::helper::{Dropped, Master, Refused};
use crate::tuple::{self, Protocol, Tuple};

impl Sip {
    /// `process_sdp`
    pub fn expect_media(&self, text: Text<'_>, master: &mut dyn Master) -> Result<(), Dropped> {
        let mut description = Description::of(text.bytes, text.ipv6);
        for media in description.by_ref().take(MOST_MEDIA) {
            self.expect_medium(text, media?, master)?;
        }
        for media in description.flatten() {
            let bytes = text.in_payload(media.port_bytes);
            master.decline("a medium behind the third", bytes);
        }
        for port_bytes in others(text.bytes) {
            let bytes = text.in_payload(port_bytes);
            master.decline("a medium other than audio, video and image", bytes);
        }
        Ok(())
    }

    /// `set_expected_rtp_rtcp`: RTP at the even port, RTCP at the one above.
    fn expect_medium(
        &self,
        text: Text<'_>,
        media: Media,
        master: &mut dyn Master,
    ) -> Result<(), Dropped> {
        let message = text.message;
        let bytes = text.in_payload(media.port_bytes.clone());
        let mut sender = None;
        let dst_addr = if self.direct_media {
            if media.address != message.same().src {
                master.decline(NOT_THE_SPEAKER, bytes);
                return Ok(());
            }
            sender = Some(message.opposite().src);
            Sourced::conntrack(message.opposite().dst, !message.direction)
        } else {
            if self.external_media && master.leaves_alike(media.address) {
                master.decline("the media need not pass the firewall", bytes);
                return Ok(());
            }
            text.command(media.address, media.address_bytes)
        };
        let stream = Tuple {
            src: sender.unwrap_or(tuple::unspecified(media.address)),
            dst: media.address,
            sport: 0,
            dport: media.port,
            protocol: Protocol::UDP,
        };
        let is_others = master.find(&stream).is_some_and(|standing| {
            !standing.is_own && standing.same_helper && standing.expectation.class == media.class
        });
        if is_others {
            master.decline("another connection expects these media already", bytes);
            return Ok(());
        }
        let at_port = |port| Expectation {
            class: media.class,
            ..Expectation::new(
                Protocol::UDP,
                sender.map(|address| Sourced::conntrack(address.into(), !message.direction)),
                dst_addr.clone(),
                text.command(port, media.port_bytes.clone()),
            )
        };
        let refused = Err(Dropped("cannot add expectation for voice"));
        // What is expected in another class, or by another connection, counts as expected here.
        let rtp = master.expect_unless_expected(at_port(media.port & !1));
        if !matches!(rtp, Ok(_) | Err(Refused::Already)) {
            return refused;
        }
        match master.expect_unless_expected(at_port(media.port | 1)) {
            Ok(_) | Err(Refused::Already) => Ok(()),
            Err(_) => {
                if let Ok(id) = rtp {
                    master.unexpect(id);
                }
                refused
            }
        }
    }
}

/// Takes back what was expected for media.
pub fn flush(master: &mut dyn Master) {
    let expected = master.expectations().into_iter();
    let media = expected.filter(|standing| standing.expectation.class != SIGNALLING);
    let ids: Vec<_> = media.map(|standing| standing.id).collect();
    for id in ids {
        master.withdraw(id);
    }
}

/// Media of one description that are expected (the size of `sdp_media_types`).
const MOST_MEDIA: usize = 3;
