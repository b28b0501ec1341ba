//! Helpers by themselves: bytes in, effects out.

mod ftp;
mod irc;
mod text;
mod tftp;

use std::net::IpAddr;

use ctaudit::helper::{self, Effect, Helper, Message, Modules};
use ctaudit::tuple::{Direction, Protocol, Tuple};

/// A helper on one connection, and the connection.
pub struct Bench {
    helper: Box<dyn Helper>,
    tuples: [Tuple; 2],
    packet: u64,
}

impl Bench {
    pub fn new(name: &str, client: &str, server: &str, port: u16, modules: &Modules) -> Self {
        let spec = helper::all().find(|spec| spec.name == name).unwrap();
        let address = |text: &str| text.parse::<IpAddr>().unwrap();
        let protocol = spec.ports[0].0;
        assert!([Protocol::TCP, Protocol::UDP].contains(&protocol));
        let original = Tuple {
            src: address(client),
            dst: address(server),
            sport: 40000,
            dport: port,
            protocol,
        };
        let tuples = [original, original.inverse().unwrap()];
        Self {
            helper: (spec.start)(modules),
            tuples,
            packet: 0,
        }
    }

    /// Shows the helper a payload of the established connection.
    pub fn say(&mut self, direction: Direction, seq: u32, payload: &[u8]) -> Vec<Effect> {
        self.show(direction, true, seq, payload)
    }

    pub fn show(
        &mut self,
        direction: Direction,
        established: bool,
        seq: u32,
        payload: &[u8],
    ) -> Vec<Effect> {
        self.packet += 1;
        self.helper.message(&Message {
            packet: self.packet,
            direction,
            established,
            seq,
            payload,
            tuples: [&self.tuples[0], &self.tuples[1]],
        })
    }
}

/// The destination of the one expectation among the effects.
pub fn expected(effects: &[Effect]) -> Option<(IpAddr, u16)> {
    match effects {
        [Effect::Expect(expectation)] => {
            Some((expectation.dst_addr.value, expectation.dst_port.value))
        }
        _ => None,
    }
}
