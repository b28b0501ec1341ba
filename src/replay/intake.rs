//! Who reads: capture and decoder in a row.

use super::Clock;
use super::batch::{Batch, Brought, Datagram, Frames, Head, Span};
use crate::capture::{Capture, Frame};
use crate::conntrack;
use crate::packet::Decoder;
use crate::packet::duplicate::Duplicates;
use crate::packet::link;
use crate::time::{Monotonic, Timestamp};

pub(super) struct Intake {
    pub capture: Capture,
    pub decoder: Decoder,
    pub clock: Clock,
    pub time: Monotonic,
    pub duplicates: Option<Duplicates>,
    /// Each frame is handed over as it comes.
    pub is_live: bool,
}

impl Intake {
    pub fn fill(&mut self, batch: &mut Batch) {
        batch.clear();
        let frames = &mut batch.frames;
        while !frames.are_enough() {
            match self.capture.next() {
                Ok(Some(frame)) => {
                    let tick = self.time.tick(frame.at);
                    let clock = self.clock.of(&self.time);
                    let data = frames.keep(&frame);
                    let (decoder, seen) = (&mut self.decoder, &mut self.duplicates);
                    let brought = brought(decoder, seen.as_mut(), clock, &frame, data, frames);
                    let name = frame.interface_name.map(|name| frames.name(name));
                    frames.heads.push(Head {
                        number: frame.number,
                        at: frame.at,
                        clock,
                        tick,
                        link: frame.link,
                        interface: frame.interface,
                        name,
                        data,
                        brought,
                    });
                    if self.is_live {
                        return;
                    }
                }
                Ok(None) => {
                    batch.is_last = true;
                    return;
                }
                Err(error) => {
                    batch.error = Some(error);
                    return;
                }
            }
        }
    }
}

fn brought(
    decoder: &mut Decoder,
    seen: Option<&mut Duplicates>,
    clock: Timestamp,
    frame: &Frame<'_>,
    data: Span,
    frames: &mut Frames,
) -> Brought {
    let is_duplicate = seen.is_some_and(|seen| {
        let bytes = link::network_layer(frame.link, frame.data);
        bytes.is_ok_and(|bytes| seen.is_one(frame.at, bytes))
    });
    if is_duplicate {
        return Brought::Duplicate;
    }
    match decoder.decode(clock, frame.number, frame.link, frame.data) {
        Err(why) => Brought::Other(why),
        Ok(Err(why)) => Brought::Unseen(why),
        Ok(Ok(packet)) => Brought::Packet(Datagram {
            src: packet.src,
            dst: packet.dst,
            hop_limit: packet.hop_limit,
            fragmented: packet.fragmented,
            transport: packet.transport.map(|(protocol, at)| (protocol, at as u32)),
            captured: packet.captured as u32,
            bytes: frames.place(frame, data, packet.datagram),
            tunnel: packet.tunnel.copied().map(Box::new),
            key: conntrack::key(&packet),
        }),
    }
}
