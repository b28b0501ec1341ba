//! A helper, whose name the target has, against packets that the fuzzer writes.

#![no_main]

use std::collections::HashMap;
use std::net::IpAddr;
use std::ops::Range;
use std::time::Duration;

use ctaudit::expectation::{Expectation, ExpectationId, Origin};
use ctaudit::helper::{CONNTRACKD, Dropped, Master, Message, Modules, Refused, Spec, Standing};
use ctaudit::kernel::Kernel;
use ctaudit::tuple::{Direction, Protocol, Tuple};
use libfuzzer_sys::fuzz_target;

fuzz_target!(|input: &[u8]| run(input));

/// The first byte chooses kernel, family, protocol and options; then come packets: a byte of flags, a length, the bytes.
fn run(input: &[u8]) {
    let spec = spec();
    let Some((&choices, mut rest)) = input.split_first() else {
        return;
    };
    let kernels = Kernel::all();
    let kernel = kernels[usize::from(choices >> 5) % kernels.len()];
    let mut modules = Modules::default();
    for parameter in spec.parameters {
        let (least, most) = (parameter.range.start(), parameter.range.end());
        let value = if choices & 4 == 0 { least } else { most };
        if choices & 8 != 0 {
            let _ = modules.set(&format!("{}={value}", parameter.name));
        }
    }
    let tuples = connection(spec, choices);
    let mut helper = (spec.start)(&modules, &kernel);
    let mut master = Table::default();
    let mut payloads: HashMap<u64, usize> = HashMap::new();
    for packet in 1..=MOST_PACKETS {
        let Some((&[flags, high, low], more)) = rest.split_first_chunk() else {
            break;
        };
        let length = usize::from(u16::from_be_bytes([high, low])).min(more.len());
        let (payload, more) = more.split_at(length);
        rest = more;
        payloads.insert(packet, length);
        let message = Message {
            packet,
            direction: [Direction::Original, Direction::Reply][usize::from(flags & 1)],
            established: flags & 2 == 0,
            seq: u32::from(flags >> 4),
            header: &[flags],
            payload,
            tuples,
            is_own: flags & 4 != 0,
            own_broadcast: (flags & 4 != 0).then(|| "192.0.2.1/24".parse().unwrap()),
        };
        let made = master.made;
        master.refuses = flags & 8 != 0;
        let _: Result<(), Dropped> = helper.message(&message, &mut master);
        assert!(
            master.made - made <= MOST_AT_ONCE,
            "one packet makes too many"
        );
        for (_, expectation) in &master.standing {
            for origin in origins(expectation) {
                if let Origin::Command { packet, bytes } = origin {
                    let payload = payloads.get(packet).copied().unwrap_or(0);
                    assert!(bytes.start < bytes.end && bytes.end as usize <= payload);
                }
            }
        }
    }
    helper.destroy(&tuples, &mut master);
}

fn spec() -> &'static Spec {
    let name = match env!("CARGO_BIN_NAME") {
        "h245" => "H.245",
        "q931" => "Q.931",
        "ras" => "RAS",
        name => name,
    };
    let of_conntrackd = name.strip_prefix("conntrackd-");
    let name = of_conntrackd.map_or(name.to_owned(), |name| format!("{CONNTRACKD}{name}"));
    Spec::named(&name).expect("the target has a helper's name")
}

fn connection(spec: &Spec, choices: u8) -> [Tuple; 2] {
    let addresses = if choices & 1 == 0 {
        ["192.0.2.1", "198.51.100.2"]
    } else {
        ["2001:db8::1", "2001:db8:1::2"]
    };
    let [src, dst] = addresses.map(|address| address.parse::<IpAddr>().unwrap());
    let ports = spec.ports;
    let &(protocol, dport) = ports
        .get(usize::from(choices >> 1 & 1) % ports.len().max(1))
        .unwrap_or(&(Protocol::TCP, None));
    let dport = dport.unwrap_or(1024);
    let original = Tuple {
        src,
        dst,
        sport: 40000,
        dport,
        protocol,
    };
    [original, original.inverse().unwrap()]
}

fn origins(expectation: &Expectation) -> impl Iterator<Item = &Origin> {
    let src_addr = expectation.src_addr.as_ref().map(|field| &field.origin);
    let src_port = expectation.src_port.as_ref().map(|field| &field.origin);
    let dst = [&expectation.dst_addr.origin, &expectation.dst_port.origin];
    src_addr.into_iter().chain(src_port).chain(dst)
}

/// Grants what it is asked for, or refuses it, and keeps the newest.
#[derive(Default)]
struct Table {
    standing: Vec<(ExpectationId, Expectation)>,
    made: u64,
    refuses: bool,
}

impl Master for Table {
    fn is_expected(&self) -> bool {
        self.refuses
    }

    fn is_listed(&self) -> bool {
        true
    }

    fn leaves_alike(&self, address: IpAddr) -> bool {
        !address.is_loopback()
    }

    fn refresh(&mut self, _timeout: Duration) {}

    fn expect(&mut self, expectation: Expectation) -> Result<ExpectationId, Refused> {
        if self.refuses && self.made % 2 == 0 {
            self.made += 1;
            return Err(Refused::Clash);
        }
        self.made += 1;
        let id = ExpectationId(self.made);
        self.standing.insert(0, (id, expectation));
        self.standing.truncate(32);
        Ok(id)
    }

    fn expect_unless_expected(
        &mut self,
        expectation: Expectation,
    ) -> Result<ExpectationId, Refused> {
        self.expect(expectation)
    }

    fn expectations(&self) -> Vec<Standing<'_>> {
        self.standing
            .iter()
            .map(|(id, expectation)| Standing {
                id: *id,
                is_own: true,
                same_helper: true,
                expectation,
            })
            .collect()
    }

    fn find(&self, tuple: &Tuple) -> Option<Standing<'_>> {
        let mut all = self.expectations().into_iter();
        all.find(|found| {
            found.expectation.dst_addr.value == tuple.dst
                && found.expectation.dst_port.value == tuple.dport
        })
        .map(|found| Standing {
            is_own: false,
            ..found
        })
    }

    fn renew(&mut self, _expectation: ExpectationId, _timeout: Duration) {}

    fn withdraw(&mut self, expectation: ExpectationId) {
        self.standing.retain(|(id, _)| *id != expectation);
    }

    fn unexpect(&mut self, expectation: ExpectationId) {
        self.withdraw(expectation);
    }

    fn kill(&mut self, _tuple: &Tuple) -> bool {
        false
    }

    fn map_gre_keys(&mut self, _direction: Direction, _keys: &Tuple) -> bool {
        !self.refuses
    }

    fn unmap_gre_keys(&mut self) {}

    fn decline(&mut self, _reason: &'static str, bytes: Range<usize>) {
        assert!(bytes.start <= bytes.end);
    }
}

const MOST_PACKETS: u64 = 16;
/// fastStart has 30 channels, each with two pairs of ports in either direction; h245Control and the rest are less.
const MOST_AT_ONCE: u64 = 400;
