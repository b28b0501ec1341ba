//! What rule sets do to the samples, and what is said of it.

mod judged;
mod kernel;
mod reach;
mod whole;

use ctaudit::conntrack::config::Config;
use ctaudit::exposure::Totals;
use ctaudit::helper::Modules;
use ctaudit::proof::Proof;
use ctaudit::proposal::{Proposal, Target, Wishes};
use ctaudit::report::rules;
use ctaudit::ruleset::Ruleset;

use crate::support::{every_helper, exposure, firewall, proof, read, samples};

/// A sample, a firewall, and the rules that are proposed for the two.
pub struct Case {
    pub name: String,
    pub bytes: Vec<u8>,
    pub config: Config,
    pub wishes: Wishes,
    pub proposal: Proposal,
    pub totals: Totals,
}

impl Case {
    pub fn new(name: &str, bytes: Vec<u8>, config: Config, wishes: Wishes) -> Self {
        let exposure = exposure(bytes.clone(), &config);
        let proposal = Proposal::of(&exposure, &config.modules, &config.local, wishes.clone());
        Self {
            name: name.to_owned(),
            bytes,
            config,
            wishes,
            proposal,
            totals: exposure.totals,
        }
    }

    /// What these rules come to on its packets.
    pub fn proof(&self, rules: Ruleset) -> Proof {
        proof(self.bytes.clone(), &self.config, rules, &self.wishes)
    }

    /// As `ctaudit rules` prints them: a script of nft's, its JSON, and a file each for iptables and ip6tables.
    pub fn written(&self) -> [Vec<String>; 3] {
        self.write(&self.proposal)
    }

    /// The same of another proposal.
    pub fn write(&self, proposal: &Proposal) -> [Vec<String>; 3] {
        let totals = &self.totals;
        let iptables = |target| rules::iptables(proposal, totals, target).unwrap();
        [
            vec![rules::nftables(proposal, totals).unwrap()],
            vec![rules::nft_json(proposal).unwrap()],
            vec![iptables(Target::Iptables), iptables(Target::Ip6tables)],
        ]
    }

    /// The rules as two programs load them, without what is lost or added in writing.
    pub fn sets(&self) -> [Ruleset; 2] {
        let mut both = self.proposal.ruleset(Target::Iptables);
        both.append(self.proposal.ruleset(Target::Ip6tables));
        [self.proposal.ruleset(Target::Nftables), both]
    }
}

/// Several files are one firewall.
pub fn together(files: &[String]) -> Ruleset {
    let mut rules = Ruleset::default();
    for (index, text) in files.iter().enumerate() {
        rules.append(Ruleset::read(text, index));
    }
    rules
}

/// Every sample on a firewall between the hosts, and on one that has the helpers of conntrackd as well and the address
/// that asks in the captures of broadcasts.
pub fn cases() -> impl Iterator<Item = Case> {
    samples().into_iter().flat_map(|path| {
        let name = path.display().to_string();
        [firewall("6.18", true), every_helper(Modules::default())]
            .map(|config| Case::new(&name, read(&path), config, Wishes::default()))
    })
}
