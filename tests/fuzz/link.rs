//! Frames of the link types of a family, which the target's name has.

#![no_main]

mod families;

use ctaudit::packet::link;
use libfuzzer_sys::fuzz_target;

use families::FAMILIES;

fuzz_target!(|input: &[u8]| run(input));

fn run(input: &[u8]) {
    let Some((&choice, frame)) = input.split_first() else {
        return;
    };
    let name = env!("CARGO_BIN_NAME").strip_prefix("link-");
    let mut families = FAMILIES.iter();
    let family = families.find(|(family, _)| Some(*family) == name);
    let (_, numbers) = family.expect("the target has a family's name");
    let number = numbers[usize::from(choice) % numbers.len()];
    if let Ok(ip) = link::network_layer(number, frame) {
        let (inside, outside) = (ip.as_ptr_range(), frame.as_ptr_range());
        assert!(outside.start <= inside.start && inside.end <= outside.end);
        assert!(matches!(ip[0] >> 4, 4 | 6));
    }
    let _ = link::via(number, 0, frame);
}
