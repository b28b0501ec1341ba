//! `topology.toml`

use ctaudit::proposal::topology::Topology;

pub const TWO_SIDES: &str = r#"
[[interface]]
name = "lan0"
networks = ["192.0.2.0/24", "2001:db8:1::/64"]
routed = ["10.0.0.0/8"]

[[interface]]
name = "lan1"
networks = ["10.1.0.0/16"]

[[interface]]
name = "wan0"
networks = ["203.0.113.0/29"]
default_route = true
"#;

#[test]
fn an_address_is_behind_the_interface_of_the_longest_prefix() {
    let topology = Topology::parse(TWO_SIDES).unwrap();
    for (address, interface) in [
        ("192.0.2.255", "lan0"),
        ("10.0.255.255", "lan0"),
        ("10.1.0.0", "lan1"),
        ("10.2.0.0", "lan0"),
        ("2001:db8:1::1", "lan0"),
        ("203.0.113.7", "wan0"),
        ("203.0.113.8", "wan0"),
        ("2001:db8:2::1", "wan0"),
    ] {
        let found = topology.interface_of(address.parse().unwrap());
        assert_eq!(found, Some(interface), "{address}");
    }
}

#[test]
fn without_a_default_route_the_rest_is_nowhere() {
    let text = TWO_SIDES.replace("default_route = true", "default_route = false");
    let topology = Topology::parse(&text).unwrap();
    assert_eq!(topology.interface_of("203.0.113.8".parse().unwrap()), None);
}

/// The sources of all interfaces are apart, and are those that packets to them would leave by.
#[test]
fn a_narrower_network_is_cut_out_of_the_wider_one() {
    let topology = Topology::parse(TWO_SIDES).unwrap();
    let [lan0, lan1, _] = topology.interfaces() else {
        panic!("{topology:?}");
    };
    let sources: Vec<String> = topology
        .sources(lan0)
        .iter()
        .map(ToString::to_string)
        .collect();
    assert_eq!(
        sources,
        [
            "10.0.0.0/16",
            "10.2.0.0/15",
            "10.4.0.0/14",
            "10.8.0.0/13",
            "10.16.0.0/12",
            "10.32.0.0/11",
            "10.64.0.0/10",
            "10.128.0.0/9",
            "192.0.2.0/24",
            "2001:db8:1::/64",
        ]
    );
    let sources = topology.sources(lan1);
    assert_eq!(sources, ["10.1.0.0/16".parse().unwrap()]);
}

/// A network inside another's, which is inside one of its own.
#[test]
fn networks_nest_as_routes_do() {
    let text = r#"
        [[interface]]
        name = "a"
        networks = ["10.0.0.0/8", "10.1.1.0/24"]
        [[interface]]
        name = "b"
        networks = ["10.1.0.0/16"]
    "#;
    let topology = Topology::parse(text).unwrap();
    for interface in topology.interfaces() {
        for source in topology.sources(interface) {
            for address in [source.network(), source.broadcast()] {
                assert_eq!(topology.interface_of(address), Some(&*interface.name));
            }
        }
    }
    assert_eq!(
        topology.interface_of("10.1.1.9".parse().unwrap()),
        Some("a")
    );
}

fn error(text: &str) -> String {
    Topology::parse(text).unwrap_err().to_string()
}

/// Line 3 of a file that is otherwise right.
fn error_of(line: &str) -> String {
    let text = format!("[[interface]]\nname = \"lan0\"\n{line}\n");
    let error = error(&text);
    assert!(error.starts_with("line 3: "), "{error}");
    error
}

#[test]
fn errors_name_line_and_field_and_what_to_do() {
    for (line, parts) in [
        ("network = []", &["`network`", "`networks`"][..]),
        (
            "networks = [\"192.0.2.1/24\"]",
            &["networks: ", "write 192.0.2.0/24"],
        ),
        (
            "routed = [\"192.0.2.1\"]",
            &["routed: ", "write ADDRESS/LENGTH"],
        ),
        ("networks = [\"::/0\"]", &["default_route = true"]),
        ("networks = [\"127.1.0.0/16\"]", &["leave it out"]),
        (
            "networks = [\"fe80::/64\"]",
            &["on every interface", "leave it out"],
        ),
        (
            "networks = [\"ff02::/16\"]",
            &["nobody's source", "leave it out"],
        ),
        ("networks = \"192.0.2.0/24\"", &["expected a sequence"]),
        ("default_route = 1", &["expected a boolean"]),
        ("default_route = yes", &[]),
    ] {
        let error = error_of(line);
        assert!(parts.iter().all(|part| error.contains(part)), "{error}");
    }
}

#[test]
fn names_are_those_that_the_kernel_takes() {
    for name in [
        "",
        "lo",
        ".",
        "..",
        "a b",
        "a/b",
        "a:1",
        "eth*",
        "eth+",
        "a\\\"b",
        "a\\u0007",
        "\\\\",
        "sixteen-letters-",
    ] {
        let error = error(&format!("[[interface]]\nname = \"{name}\"\n"));
        assert!(error.starts_with("line 2: name: "), "{error}");
    }
    for name in ["fifteen-letters", "eth0.100", "br-lan", "wg0"] {
        let text = format!("[[interface]]\nname = \"{name}\"\n");
        assert_eq!(Topology::parse(&text).unwrap().interfaces()[0].name, name);
    }
}

#[test]
fn interfaces_do_not_contradict_each_other() {
    let with = |line: &str| error(&format!("{TWO_SIDES}\n[[interface]]\n{line}\n"));
    let twice = with("name = \"lan0\"");
    assert!(twice.starts_with("line 17: name: there is"), "{twice}");
    let taken = with("name = \"lan2\"\nrouted = [\"192.0.2.0/24\"]");
    assert!(
        taken.starts_with("line 18: routed: 192.0.2.0/24 is that of lan0"),
        "{taken}"
    );
    let second = with("name = \"wan1\"\ndefault_route = true");
    assert!(
        second.starts_with("line 18: default_route: wan0 has it"),
        "{second}"
    );
    assert!(error("").contains("missing field `interface`"));
}
