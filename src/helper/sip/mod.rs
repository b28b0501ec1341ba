//! SIP (RFC 3261): calls are arranged here, and their streams run past the servers.
//!
//! Why more flows: an end that registers (`REGISTER`, `Contact:`) is called from its registrar later, on a flow of the
//! registrar's own; an offer and its answer (`INVITE`, 200 and so on) carry a session description (SDP) that says at
//! which port each end wants to receive sound, pictures and faxes by RTP, and RTCP one port above.
//!
//! What a registration asks for is expected at once, but nothing matches it until the registrar agrees; it then stays as
//! long as the registrar says, for any number of calls. What a session description asks for lasts until the call ends
//! or is arranged anew. On TCP a message is read only where one segment holds all of it. Not checked: whether
//! anybody was called; to whom a medium was offered; of a port, more than that it is 1024 or above.
//!
//! What the kernel reads for address translation alone (`Via:`, the request's URI) is not read here.
//!
//! Source: net/netfilter/nf_conntrack_sip.c `sip_help_udp()`, `sip_help_tcp()`, `process_*()`.

mod header;
mod message;
mod sdp;

use std::time::Duration;

use super::{
    Dropped, Families, Field, Freedom, Helper, Home, Instances, Master, Message, Modules,
    Parameter, Policy, Refused, Spec,
};
use crate::expectation::{Expectation, Flags, Origin, Sourced};
use crate::kernel::Kernel;
use crate::tuple::{self, Protocol, Tuple};
use header::{Endpoint, Searched};
use message::{Answer, Method, SHORTEST, Text};
use sdp::{Description, Media};

pub const SPECS: &[Spec] = &[Spec {
    name: "sip",
    source: "net/netfilter/nf_conntrack_sip.c",
    ports: &[(Protocol::UDP, Some(5060)), (Protocol::TCP, Some(5060))],
    families: Families::Both,
    home: Home::Module(Instances::ByIndex),
    why: "calls come in on flows of the registrar's own, and their sound and pictures go past it, to ports that each end names",
    policies: |_| {
        [1, 4, 4, 2]
            .map(|max_expected| Policy {
                max_expected,
                timeout: Duration::from_secs(180),
            })
            .to_vec()
    },
    parameters: &[
        Parameter {
            name: TIMEOUT,
            default: 3600,
            range: 0..=u32::MAX,
            meaning: "seconds that a SIP flow stays after each packet",
        },
        Parameter {
            name: DIRECT_SIGNALLING,
            default: 1,
            range: 0..=1,
            meaning: "expect calls from the registrar alone",
        },
        Parameter {
            name: DIRECT_MEDIA,
            default: 1,
            range: 0..=1,
            meaning: "expect media between the two ends of the SIP flow alone",
        },
        Parameter {
            name: EXTERNAL_MEDIA,
            default: 0,
            range: 0..=1,
            meaning: "with sip_direct_media=0: none where the media's address lies behind the same device as the receiver",
        },
    ],
    freedom: &[
        calls(Field::Fixed).with(DIRECT_SIGNALLING, 1),
        calls(Field::Any).with(DIRECT_SIGNALLING, 0),
        media("audio", 1, Field::Fixed, Field::Checked).with(DIRECT_MEDIA, 1),
        media("video", 2, Field::Fixed, Field::Checked).with(DIRECT_MEDIA, 1),
        media("image", 3, Field::Fixed, Field::Checked).with(DIRECT_MEDIA, 1),
        media("audio", 1, Field::Any, Field::Command).with(DIRECT_MEDIA, 0),
        media("video", 2, Field::Any, Field::Command).with(DIRECT_MEDIA, 0),
        media("image", 3, Field::Any, Field::Command).with(DIRECT_MEDIA, 0),
    ],
    defects: &[],
    start: |modules, kernel| Box::new(Sip::new(modules, kernel)),
}];

const fn calls(src_addr: Field) -> Freedom {
    let [any, checked, command] = [Field::Any, Field::Checked, Field::Command];
    Freedom {
        what: "calls",
        // The registration's own.
        protocol: None,
        permanent: true,
        read_by: Some("sip"),
        ..Freedom::new(src_addr, any, checked, command, Protocol::UDP)
    }
}

const fn media(what: &'static str, class: u8, src_addr: Field, dst_addr: Field) -> Freedom {
    Freedom {
        what,
        class,
        ..Freedom::new(
            src_addr,
            Field::Any,
            dst_addr,
            Field::Command,
            Protocol::UDP,
        )
    }
}

struct Sip {
    timeout: Duration,
    direct_signalling: bool,
    direct_media: bool,
    external_media: bool,
    kernel: Kernel,
    /// `CSeq` of the last REGISTER and the last INVITE that were taken; the kernel starts from 0 as well.
    register_cseq: u32,
    invite_cseq: u32,
}

impl Sip {
    fn new(modules: &Modules, kernel: &Kernel) -> Self {
        Self {
            timeout: Kernel::conntrack_timeout(modules.get(TIMEOUT)),
            direct_signalling: modules.get(DIRECT_SIGNALLING) != 0,
            direct_media: modules.get(DIRECT_MEDIA) != 0,
            external_media: modules.get(EXTERNAL_MEDIA) != 0,
            kernel: *kernel,
            register_cseq: 0,
            invite_cseq: 0,
        }
    }
}

impl Helper for Sip {
    fn message(&mut self, message: &Message<'_>, master: &mut dyn Master) -> Result<(), Dropped> {
        let is_stream = message.same().protocol == Protocol::TCP;
        if message.payload.is_empty() || is_stream && !message.established {
            return Ok(());
        }
        master.refresh(self.timeout);
        if message.payload.len() < SHORTEST {
            return Ok(());
        }
        if !is_stream {
            let searched = Searched::default();
            return self.read(
                Text::part(message, 0..message.payload.len(), &searched),
                master,
            );
        }
        let mut start = 0;
        while let Some(length) = message::length(&message.payload[start..]) {
            let searched = Searched::default();
            let part = start..start + length;
            self.read(Text::part(message, part, &searched), master)?;
            start += length;
        }
        let rest = start..message.payload.len();
        if message::opens(&message.payload[start..]) {
            master.decline("the segment does not hold all of the message", rest);
        }
        Ok(())
    }
}

impl Sip {
    /// `process_sip_msg`
    fn read(&mut self, text: Text<'_>, master: &mut dyn Master) -> Result<(), Dropped> {
        if text.is_response() {
            self.response(text, master)
        } else {
            self.request(text, master)
        }
    }

    fn request(&mut self, text: Text<'_>, master: &mut dyn Master) -> Result<(), Dropped> {
        let Some(method) = text.requested() else {
            return Ok(());
        };
        let (cseq, _) = text.cseq()?;
        match method {
            Method::Invite => {
                flush_media(master);
                self.expect_media(text, master)?;
                self.invite_cseq = cseq;
                Ok(())
            }
            Method::Update | Method::Ack | Method::Prack => self.expect_media(text, master),
            Method::Bye => {
                flush_media(master);
                Ok(())
            }
            Method::Register => self.register(text, cseq, master),
        }
    }

    fn response(&mut self, text: Text<'_>, master: &mut dyn Master) -> Result<(), Dropped> {
        if text.bytes.len() < SHORTEST {
            return Ok(());
        }
        let Answer { code, cseq, method } = text.answer()?;
        match method {
            Some(Method::Register) => self.registered(text, cseq, code, master),
            Some(Method::Invite | Method::Update | Method::Prack) => {
                if (100..=299).contains(&code) {
                    return self.expect_media(text, master);
                }
                if self.invite_cseq == cseq {
                    flush_media(master);
                }
                Ok(())
            }
            _ => Ok(()),
        }
    }

    /// `process_register_request`
    fn register(
        &mut self,
        text: Text<'_>,
        cseq: u32,
        master: &mut dyn Master,
    ) -> Result<(), Dropped> {
        let message = text.message;
        if master.is_expected() {
            master.decline("registers on an expected flow", text.whole());
            return Ok(());
        }
        let expires = text.expires();
        let Some(contact) = text.contacts().next() else {
            return Ok(());
        };
        if contact.address != message.same().src {
            master.decline(
                "registers an address that is not the speaker's",
                text.whole(),
            );
            return Ok(());
        }
        if !text.has_transport_of(&contact) {
            master.decline("registers for another transport protocol", text.whole());
            return Ok(());
        }
        if text.expires_of(&contact, expires)? != 0 {
            let registrar = Sourced::conntrack(message.opposite().src.into(), !message.direction);
            master.expect(Expectation {
                class: SIGNALLING,
                flags: Flags {
                    permanent: true,
                    inactive: true,
                    ..Flags::default()
                },
                helper: Some(SPECS[0].name),
                ..Expectation::new(
                    message.same().protocol,
                    self.direct_signalling.then_some(registrar),
                    Sourced::conntrack(message.opposite().dst, !message.direction),
                    match contact.port_bytes {
                        Some(bytes) => text.command(contact.port, bytes),
                        None => Sourced {
                            value: contact.port,
                            origin: Origin::Helper,
                        },
                    },
                )
            })?;
        }
        self.register_cseq = cseq;
        Ok(())
    }

    /// `process_register_response`
    fn registered(
        &mut self,
        text: Text<'_>,
        cseq: u32,
        code: u32,
        master: &mut dyn Master,
    ) -> Result<(), Dropped> {
        if self.register_cseq != cseq || (100..=199).contains(&code) {
            return Ok(());
        }
        if (200..=299).contains(&code) {
            let expires = text.expires();
            for contact in text.contacts() {
                if contact.address != text.message.same().dst || !text.has_transport_of(&contact) {
                    continue;
                }
                let expires = text.expires_of(&contact, expires)?;
                if expires == 0 {
                    break;
                }
                if self.activate(&contact, expires, master) {
                    return Ok(());
                }
            }
        }
        let mut expected = master.expectations().into_iter();
        let signalling = expected.find(|standing| standing.expectation.class == SIGNALLING);
        if let Some(id) = signalling.map(|standing| standing.id) {
            master.withdraw(id);
        }
        Ok(())
    }

    /// `refresh_signalling_expectation`. The protocol is the connection's own in either case.
    fn activate(&self, contact: &Endpoint, expires: u32, master: &mut dyn Master) -> bool {
        let registered = master.expectations().into_iter().find_map(|standing| {
            let Expectation {
                class,
                dst_addr,
                dst_port,
                ..
            } = standing.expectation;
            let found = *class == SIGNALLING
                && dst_addr.value == contact.address
                && dst_port.value == contact.port;
            found.then_some(standing.id)
        });
        let Some(id) = registered else {
            return false;
        };
        master.renew(id, self.kernel.expectation_timeout(expires));
        true
    }

    /// `process_sdp`
    fn expect_media(&self, text: Text<'_>, master: &mut dyn Master) -> Result<(), Dropped> {
        for media in Description::of(text.bytes, text.ipv6).take(MOST_MEDIA) {
            self.expect_medium(text, media?, master)?;
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
                master.decline("names an address that is not the speaker's", bytes);
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

fn flush_media(master: &mut dyn Master) {
    let expected = master.expectations().into_iter();
    let media = expected.filter(|standing| standing.expectation.class != SIGNALLING);
    let ids: Vec<_> = media.map(|standing| standing.id).collect();
    for id in ids {
        master.withdraw(id);
    }
}

const SIGNALLING: u8 = 0;
const AUDIO: u8 = 1;
const VIDEO: u8 = 2;
const IMAGE: u8 = 3;
/// Media of one description that are expected (the size of `sdp_media_types`).
const MOST_MEDIA: usize = 3;
const TIMEOUT: &str = "nf_conntrack_sip.sip_timeout";
const DIRECT_SIGNALLING: &str = "nf_conntrack_sip.sip_direct_signalling";
const DIRECT_MEDIA: &str = "nf_conntrack_sip.sip_direct_media";
const EXTERNAL_MEDIA: &str = "nf_conntrack_sip.sip_external_media";
