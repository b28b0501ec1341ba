//! The kernel's readers of numbers and addresses against the standard library's, where both mean the same.

use std::net::Ipv6Addr;

use ctaudit::helper::text::{decimal, ipv6_until, numbers};
use proptest::prelude::*;

proptest! {
    #[test]
    fn every_ipv6_address_is_read_as_it_is_written(bits in any::<u128>(), zeros in any::<u128>()) {
        // Zeroed groups make "::" likely.
        let mask = (0..8).fold(0u128, |mask, group| mask | if zeros >> group & 1 == 0 { 0xffff << (group * 16) } else { 0 });
        let address = Ipv6Addr::from_bits(bits & mask);
        let text = format!("{address}|rest");
        let length = text.len() - "|rest".len();
        prop_assert_eq!(ipv6_until(text.as_bytes(), Some(b'|')), Some((address, length)));
        prop_assert_eq!(ipv6_until(&text.as_bytes()[..length], Some(b'|')), Some((address, length)));
    }

    /// What the standard library reads is read here; the kernel reads more.
    #[test]
    fn nothing_that_is_an_address_is_refused(text in "[0-9a-f:.]{2,24}") {
        if let Ok(address) = text.parse::<Ipv6Addr>() {
            prop_assert_eq!(ipv6_until(text.as_bytes(), Some(b'|')), Some((address, text.len())));
        }
    }

    #[test]
    fn numbers_are_found_where_they_stand(values in any::<[u32; 4]>()) {
        let [a, b, c, d] = values;
        let text = format!("{a}.{b}.{c}.{d}|");
        let found = numbers::<4>(text.as_bytes(), b'.', Some(b'|'), u32::MAX).unwrap();
        prop_assert_eq!(found.values, values);
        prop_assert_eq!(found.end, text.len() - 1);
        for (value, start) in values.iter().zip(found.starts) {
            prop_assert!(text[start..].starts_with(&value.to_string()));
        }
    }

    #[test]
    fn decimals(number in any::<u64>(), rest in "[^0-9].*") {
        let text = format!("{number}{rest}");
        prop_assert_eq!(decimal(text.as_bytes()), (number, number.to_string().len()));
    }
}

/// Tried against in6_pton of a 6.18.44 through EPRT.
#[test]
fn laxer_than_the_standard() {
    let address = |text: &str| {
        ipv6_until(text.as_bytes(), Some(b'|')).map(|(address, _)| address.to_string())
    };
    assert_eq!(address("002001:db8::1|").as_deref(), Some("2001:db8::1"));
    assert_eq!(
        address("2001:db8::0.0.0.1|").as_deref(),
        Some("2001:db8::1")
    );
    assert_eq!(
        address("2001:db8:1:2:3:4:5:6|").as_deref(),
        Some("2001:db8:1:2:3:4:5:6")
    );
    assert_eq!(
        address("1:2:3:4:5:6:7::|").as_deref(),
        Some("1:2:3:4:5:6:7:0")
    );
    for wrong in [
        ":1|",
        "1:|",
        "1::2::3|",
        "1:2:3:4:5:6:7|",
        "1:2:3:4:5:6:7:8:9|",
        "::1%eth0|",
        "[::1]|",
        "12345::|",
        "::1:2:3:4:5:6:7:8|",
    ] {
        assert_eq!(address(wrong), None, "{wrong}");
    }
}
