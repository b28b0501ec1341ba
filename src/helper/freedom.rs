//! What a forger can choose: the table of degrees of freedom, line by line.

use super::Modules;
use crate::kernel::{Behaviour, Kernel};
use crate::tuple::Protocol;

/// One line of the table of degrees of freedom ("Secure use of iptables and connection tracking helpers").
#[derive(Debug)]
pub struct Freedom {
    /// Who may come.
    pub src_addr: Field,
    /// From which port.
    pub src_port: Field,
    /// To whom.
    pub dst_addr: Field,
    /// To which port.
    pub dst_port: Field,
    /// `None`: the control connection's.
    pub protocol: Option<Protocol>,
    /// What is expected, where the helper expects more than one kind of thing.
    pub what: &'static str,
    /// Index of the policy that applies.
    pub class: u8,
    /// Any number of flows may come for it until it times out.
    pub permanent: bool,
    /// The helper that reads these flows in turn.
    pub read_by: Option<&'static str>,
    /// Where the module parameter has this value.
    pub with: Option<(&'static str, u32)>,
    /// Where the kernel does this, or does not.
    pub kernels: Option<(Behaviour, bool)>,
}

impl Freedom {
    /// For one flow of class 0, always.
    pub const fn new(
        src_addr: Field,
        src_port: Field,
        dst_addr: Field,
        dst_port: Field,
        protocol: Protocol,
    ) -> Self {
        Self {
            src_addr,
            src_port,
            dst_addr,
            dst_port,
            protocol: Some(protocol),
            what: "",
            class: 0,
            permanent: false,
            read_by: None,
            with: None,
            kernels: None,
        }
    }

    /// The same, where the module parameter has this value.
    pub const fn with(self, parameter: &'static str, value: u32) -> Self {
        Self {
            with: Some((parameter, value)),
            ..self
        }
    }

    /// Whether the line holds for such a firewall.
    pub fn holds(&self, modules: &Modules, kernel: &Kernel) -> bool {
        let with = self
            .with
            .is_none_or(|(parameter, value)| modules.get(parameter) == value);
        let kernels = self
            .kernels
            .is_none_or(|(behaviour, does)| kernel.does(behaviour) == does);
        with && kernels
    }
}

/// Who decides a field of the expectation.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Field {
    /// The addresses or ports of the control connection.
    Fixed,
    /// Not compared: anybody, any port.
    Any,
    /// The payload, but only where it repeats the control connection's own address.
    Checked,
    /// Whatever the payload says.
    Command,
    /// The port that the packet came from.
    Packet,
    /// A port that the helper knows by itself: the one that it is registered for, or its protocol's.
    Helper,
    /// Any host of the network of the firewall's interface.
    Network,
}

impl Field {
    /// As the table of `ctaudit helpers` has it.
    pub const fn name(self) -> &'static str {
        match self {
            Self::Fixed => "fixed",
            Self::Any => "any",
            Self::Checked => "checked",
            Self::Command => "command",
            Self::Packet => "packet",
            Self::Helper => "helper's",
            Self::Network => "network",
        }
    }
}
