//! What was read, and what of it could not be.

use super::{Described, each, no_formula};
use crate::capture::Account;

/// A row for each capture, the first of them.
pub fn captures(account: &Account) -> Vec<Described> {
    let inputs = &account.inputs;
    vec![
        Described::new(
            "capture",
            "",
            "as it was named, in the order of reading; with an apostrophe before = + - @ at its beginning",
            each(inputs, |input| no_formula(input.name.clone())),
        ),
        Described::new(
            "format",
            "",
            "pcap or pcapng",
            each(inputs, |input| input.format),
        ),
        Described::new(
            "compression",
            "",
            "null: none",
            each(inputs, |input| input.compression),
        ),
        Described::new(
            "packets",
            "packets",
            "records that could be read",
            each(inputs, |input| input.packets),
        ),
    ]
}

/// A row for each place at which bytes are no record, the first of them.
pub fn damage(account: &Account) -> Vec<Described> {
    let places = &account.damage;
    vec![
        Described::new(
            "capture",
            "",
            "as in the table captures",
            each(places, |damage| no_formula(damage.file.clone())),
        ),
        Described::new(
            "packet",
            "",
            "the one that should have come, counted from 1 in its capture",
            each(places, |damage| damage.packet),
        ),
        Described::new(
            "byte",
            "bytes",
            "where the record begins that could not be read, in what a compressed capture unpacks to",
            each(places, |damage| damage.byte),
        ),
        Described::new(
            "passed_over",
            "bytes",
            "from there to the next record, or to the end",
            each(places, |damage| damage.passed_over),
        ),
        Described::new(
            "why",
            "",
            "what is wrong there",
            each(places, |damage| damage.fault.to_string()),
        ),
    ]
}
