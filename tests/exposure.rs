//! What the report counts, and for whom.

use ctaudit::exposure::{Exposure, Outcome};
use ctaudit::replay::{Clock, Replay};

use crate::support::{capture, firewall};
use crate::traffic::packet::{End, udp};
use crate::traffic::{Packet, pcap};

/// Calls that come for a registration, and their media, belong to the registrar's service: they need no rule that
/// attaches a helper to them.
#[test]
fn calls_and_media_belong_to_the_service_that_was_registered_with() {
    let end = |address: &str, port| End {
        address: address.parse().unwrap(),
        port,
    };
    let (phone, registrar) = (end("192.0.2.11", 5060), end("198.51.100.60", 5060));
    let contact = "Contact: <sip:192.0.2.11>;expires=60\r\n\r\n";
    let register = format!("REGISTER sip:x SIP/2.0\r\nCSeq: 1 REGISTER\r\n{contact}");
    let agreed = format!("SIP/2.0 200 OK\r\nCSeq: 1 REGISTER\r\n{contact}");
    let invite = "INVITE sip:x SIP/2.0\r\nCSeq: 1 INVITE\r\n\r\n\
                  v=0\r\nc=IN IP4 198.51.100.60\r\nm=audio 5000 RTP/AVP 0\r\n";
    let call = |port| udp(End { port, ..registrar }, phone, invite.as_bytes());
    let media = udp(
        End {
            port: 7000,
            ..phone
        },
        End {
            port: 5000,
            ..registrar
        },
        b"\x80",
    );
    let packets = [
        udp(phone, registrar, register.as_bytes()),
        udp(registrar, phone, agreed.as_bytes()),
        call(6000),
        call(6001),
        media,
    ];
    let packets: Vec<Packet> = (1..)
        .map(|second| second * 1_000_000)
        .zip(packets)
        .map(|(at_micros, ip)| Packet { at_micros, ip })
        .collect();

    let bytes = pcap(&packets).unwrap();
    let config = firewall("6.18", false);
    let mut exposure = Exposure::new(&config.modules, config.kernel);
    let mut replay = Replay::new(capture(bytes), config, Clock::Capture);
    while let Some(passage) = replay.advance().unwrap() {
        exposure.observe(&passage);
    }
    exposure.finish(&replay.finish());

    let services: Vec<_> = exposure.services.iter().collect();
    let [(service, used)] = &services[..] else {
        panic!("{services:?}")
    };
    assert_eq!((service.server, service.port), (registrar.address, 5060));
    assert!(used.is_needed());
    // One call expected, which came twice, and the media of the first; the second's are expected already.
    assert_eq!((used.controls, used.expected, used.used), (1, 3, 2));
    assert_eq!(used.related_flows(), 3);
    let outcomes: Vec<_> = exposure
        .expectations
        .iter()
        .map(|closed| {
            (
                closed.record.expectation.class,
                closed.outcome,
                closed.open.as_secs(),
            )
        })
        .collect();
    assert!(outcomes.contains(&(1, Outcome::Used, 2)), "{outcomes:?}");
    assert!(outcomes.contains(&(0, Outcome::Used, 3)), "{outcomes:?}");
}
