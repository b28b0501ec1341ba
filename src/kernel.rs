//! Kernel series as sets of behaviours.
//!
//! A number says little: stable updates change verdicts inside one series. So the simulation asks for a behaviour
//! by name, and a series is no more than a line of them, as its newest release examined had them.

/// What differs between kernels, as far as the simulation reaches.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Kernel {
    /// The series, as `--kernel` names it.
    pub series: &'static str,
    /// DCCP has a tracker of its own (net/netfilter/nf_conntrack_proto_dccp.c, removed before 6.17); else it is
    /// tracked without ports, like any protocol that conntrack does not know.
    pub tracks_dccp: bool,
    /// A DCCP packet whose header is cut off is dropped; else it is INVALID.
    pub drops_cut_dccp: bool,
    /// Any accepted TCP RST sets the time-out of CLOSE, even where the state stays ESTABLISHED; else only that
    /// case is special, and gets `tcp_timeout_unacknowledged`.
    pub rst_sets_close_timeout: bool,
    /// An expectation that is taken back or times out matches nothing from then on, but leaves the table only when
    /// something walks past it (`nf_ct_exp_is_expired`); else it leaves at once. And its time-out is a 32-bit count of
    /// ticks, of which half lie in the past.
    pub dead_expectations_linger: bool,
    /// Multicast router discovery (ICMPv6 151 and 152) is left UNTRACKED, like neighbour discovery.
    pub mrdisc_untracked: bool,
    /// An expected flow that inherits a helper has the status bit HELPER; else only one that a rule gave a helper.
    pub inherited_helper_is_marked: bool,
}

impl Kernel {
    pub fn of(series: &str) -> Option<Self> {
        KERNELS
            .iter()
            .find(|kernel| kernel.series == series)
            .copied()
    }

    pub fn all() -> &'static [Self] {
        &KERNELS
    }
}

impl Default for Kernel {
    /// The newest.
    fn default() -> Self {
        KERNELS[KERNELS.len() - 1]
    }
}

/// 6.1.192, 6.12.117 and 6.18.44.
const KERNELS: [Kernel; 3] = [
    Kernel {
        series: "6.1",
        tracks_dccp: true,
        drops_cut_dccp: true,
        rst_sets_close_timeout: true,
        dead_expectations_linger: true,
        mrdisc_untracked: false,
        inherited_helper_is_marked: true,
    },
    Kernel {
        series: "6.12",
        tracks_dccp: true,
        drops_cut_dccp: false,
        rst_sets_close_timeout: false,
        dead_expectations_linger: true,
        mrdisc_untracked: true,
        inherited_helper_is_marked: true,
    },
    Kernel {
        series: "6.18",
        tracks_dccp: false,
        drops_cut_dccp: false,
        rst_sets_close_timeout: true,
        dead_expectations_linger: false,
        mrdisc_untracked: true,
        inherited_helper_is_marked: false,
    },
];
