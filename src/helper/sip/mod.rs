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
mod media;
mod message;
mod sdp;

use std::time::Duration;

use super::reasons::{NOT_ESTABLISHED, NOT_WHOLE};
use super::{
    Dropped, Families, Field, Freedom, Helper, Home, Instances, Master, Message, Modules,
    Parameter, Policy, Spec,
};
use crate::expectation::{Expectation, Flags, Origin, Sourced};
use crate::kernel::Kernel;
use crate::tuple::Protocol;
use header::{Endpoint, Searched};
use media::flush as flush_media;
use message::{Answer, Method, SHORTEST, Text};

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
        if message.payload.is_empty() {
            return Ok(());
        }
        if is_stream && !message.established {
            if message::opens(message.payload) {
                master.decline(NOT_ESTABLISHED, 0..message.payload.len());
            }
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
            master.decline(NOT_WHOLE, rest);
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
            if text.names_contact() {
                master.decline(
                    "registers no numeric address that can be read",
                    text.whole(),
                );
            }
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
        if self.register_cseq != cseq {
            if (200..=299).contains(&code) && text.contacts().next().is_some() {
                let reason = "agrees to another registration than the last that was read";
                master.decline(reason, text.whole());
            }
            return Ok(());
        }
        if (100..=199).contains(&code) {
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
}

const SIGNALLING: u8 = 0;
const AUDIO: u8 = 1;
const VIDEO: u8 = 2;
const IMAGE: u8 = 3;
const TIMEOUT: &str = "nf_conntrack_sip.sip_timeout";
const DIRECT_SIGNALLING: &str = "nf_conntrack_sip.sip_direct_signalling";
const DIRECT_MEDIA: &str = "nf_conntrack_sip.sip_direct_media";
const EXTERNAL_MEDIA: &str = "nf_conntrack_sip.sip_external_media";
