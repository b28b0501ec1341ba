//! A replay whose frames are read ahead, on another thread, is the same as one whose frames are not.

use ctaudit::helper::Modules;
use ctaudit::replay::{Arrival, Clock, Replay};
use ctaudit::report::json;

use crate::support::{capture, every_helper, read, samples};
use crate::traffic::at_seconds;
use crate::traffic::packet::{End, udp};

/// Everything that is told of the frames, and of what is damaged; and how many places are.
fn told(mut replay: Replay) -> (Vec<u8>, u64) {
    let (mut told, mut damaged) = (Vec::new(), 0);
    let kernel = every_helper(Modules::default()).kernel;
    loop {
        let passage = match replay.advance() {
            Ok(None) => break,
            Ok(Some(passage)) => passage,
            Err(error) => {
                damaged += 1;
                told.extend(error.to_string().bytes());
                continue;
            }
        };
        let step = match &passage.arrival {
            Arrival::Other(_) | Arrival::Duplicate => continue,
            Arrival::Unseen(_, step) | Arrival::Packet(_, step) => *step,
        };
        json::write(&mut told, passage.number, None, &step, &kernel).unwrap();
        told.extend(passage.frame);
        told.extend(passage.interface_name.unwrap_or("-").bytes());
    }
    while let Some(step) = replay.finish() {
        json::write(&mut told, 0, None, &step, &kernel).unwrap();
    }
    (told, damaged)
}

fn replay(bytes: Vec<u8>) -> Replay {
    let replay = Replay::new(
        capture(bytes),
        every_helper(Modules::default()),
        Clock::Capture,
    );
    replay.decapsulate("all".parse().unwrap())
}

#[test]
fn what_is_read_ahead_is_the_same() {
    for path in samples() {
        let bytes = read(&path);
        let here = told(replay(bytes.clone()));
        assert!(here == told(replay(bytes.clone()).read_ahead()), "{path:?}");
        assert!(here == told(replay(bytes).live()), "{path:?}, live");
    }
}

/// What is damaged is told between the same two frames.
#[test]
fn damage_is_told_where_it_is() {
    let mut damaged = 0;
    for path in samples() {
        let mut bytes = read(&path);
        let middle = bytes.len() / 2;
        bytes[middle..]
            .iter_mut()
            .take(40)
            .for_each(|byte| *byte = 0xa5);
        let here = told(replay(bytes.clone()));
        damaged += here.1;
        assert!(here == told(replay(bytes).read_ahead()), "{path:?}");
    }
    assert!(damaged > 10, "only {damaged} places were damaged");
}

/// Frames stay as they were read while others are read into the same memory: those of many times as much as is read at a
/// time, some of them longer than that.
#[test]
fn frames_stay_as_they_are() {
    let end = |port| End {
        address: "192.0.2.1".parse().unwrap(),
        port,
    };
    let packets: Vec<_> = (0..6000_u32)
        .map(|number| {
            let length = 1 + (number as usize * 7919) % 1400;
            let said = number.to_be_bytes().repeat(length.div_ceil(4));
            udp(end(number as u16), end(7), &said)
        })
        .collect();
    let mut bytes = at_seconds(packets.iter().map(|packet| (1, packet.clone())));
    // A record of no known kind that is longer than the buffer.
    let record = [1_u32, 0, 300_000, 300_000].map(u32::to_le_bytes).concat();
    bytes.extend(record);
    bytes.extend(vec![0; 300_000]);
    let mut replay = replay(bytes).read_ahead();
    let mut count = 0;
    while let Some(passage) = replay.advance().unwrap() {
        if let Arrival::Packet(packet, _) = &passage.arrival {
            assert_eq!(packet.datagram, packets[count]);
        } else {
            assert_eq!(passage.frame.len(), 300_000);
        }
        count += 1;
    }
    assert_eq!(count, packets.len() + 1);
}
