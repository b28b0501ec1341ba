//! Kernel series and what they do.

use ctaudit::kernel::{Behaviour, Difference, Kernel};

/// A behaviour is looked up by its place in the table.
#[test]
fn each_behaviour_stands_in_its_place() {
    for (index, difference) in Difference::all().iter().enumerate() {
        assert_eq!(difference.behaviour as usize, index, "{}", difference.name);
    }
}

#[test]
fn each_difference_is_one() {
    for difference in Difference::all() {
        let with = Kernel::all()
            .iter()
            .filter(|kernel| difference.holds_for(kernel));
        assert!(
            (1..Kernel::all().len()).contains(&with.count()),
            "{} is the same in all series",
            difference.name
        );
    }
}

/// nf_conntrack_proto_dccp.c went before 6.17, ports= of the helpers in 7.3.
#[test]
fn behaviours_come_and_go() {
    let does = |series, behaviour| Kernel::of(series).unwrap().does(behaviour);
    assert!(does("6.12", Behaviour::TracksDccp) && !does("6.18", Behaviour::TracksDccp));
    assert!(does("7.2", Behaviour::HelperPorts) && !does("7.3", Behaviour::HelperPorts));
    assert_eq!(Kernel::of("6.17"), None);
    assert_eq!(Kernel::default().series, "6.18");
}
