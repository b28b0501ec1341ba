//! What is asked of an ICMP message, in the words of the matches icmp and icmp6.

use std::ops::RangeInclusive;

use super::super::write::Unsayable;
use super::unsayable;

/// Types and codes that it must have, all of them, and those that it must not have.
#[derive(Default)]
pub(super) struct Icmp {
    types: Vec<u8>,
    codes: Vec<u8>,
    not_types: Vec<u8>,
    not_codes: Vec<u8>,
}

impl Icmp {
    pub fn types(&mut self, types: &[RangeInclusive<u8>], negated: bool) {
        let types = types.iter().cloned().flatten();
        if negated {
            self.not_types.extend(types);
        } else {
            self.types.extend(types);
        }
    }

    pub fn codes(&mut self, codes: &[RangeInclusive<u8>], negated: bool) {
        let codes = codes.iter().cloned().flatten();
        if negated {
            self.not_codes.extend(codes);
        } else {
            self.codes.extend(codes);
        }
    }

    pub fn is_asked(&self) -> bool {
        let all = [&self.types, &self.codes, &self.not_types, &self.not_codes];
        all.iter().any(|numbers| !numbers.is_empty())
    }

    /// A match for each thing asked; `None` where no message can be so.
    pub fn words(&self, ipv6: bool) -> Result<Option<Vec<String>>, Unsayable> {
        let (module, option) = if ipv6 {
            ("icmp6", "--icmpv6-type")
        } else {
            ("icmp", "--icmp-type")
        };
        let said = |not: &str, what: String| format!("-m {module} {not}{option} {what}");
        let is_any = |kind: &u8| *kind == u8::MAX && !ipv6;
        if self.types.iter().chain(&self.not_types).any(is_any) {
            return Err(unsayable("type 255 of ICMP, which it takes for any"));
        }
        let mut words: Vec<String> = Vec::new();
        match self.types.first() {
            Some(kind) => {
                let differ = |numbers: &[u8]| numbers.windows(2).any(|two| two[0] != two[1]);
                if differ(&self.types) || differ(&self.codes) {
                    return Ok(None);
                }
                words.push(match self.codes.first() {
                    Some(code) => said("", format!("{kind}/{code}")),
                    None => said("", kind.to_string()),
                });
                let denied = self.not_codes.iter();
                words.extend(denied.map(|code| said("! ", format!("{kind}/{code}"))));
            }
            None if self.codes.is_empty() && self.not_codes.is_empty() => {}
            None => return Err(unsayable("a code of ICMP without its type")),
        }
        let denied = self.not_types.iter();
        words.extend(denied.map(|kind| said("! ", kind.to_string())));
        Ok(Some(words))
    }
}
