//! What differs from the kernel's helper (conntrack-tools 1.4.7, src/helpers/tftp.c).

use ctaudit::helper::Modules;
use ctaudit::tuple::Direction::Original;

use crate::helper::{Bench, expected};

#[test]
fn a_request_that_cannot_be_expected_passes() {
    let (client, server) = ("192.0.2.11", "198.51.100.69");
    let mut bench = Bench::new("conntrackd:tftp", client, server, 69, &Modules::default());
    let request = b"\0\x01x\0octet\0";
    let effects = bench.show(Original, false, 0, request);
    assert_eq!(expected(&effects), Some((client.parse().unwrap(), 40000)));
    bench.master.refuse = Some(40000);
    assert_eq!(bench.show(Original, false, 0, request), []);
}
