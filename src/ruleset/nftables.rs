//! nft(8)'s language.

use super::{Rule, Ruleset};

/// What a script for `nft -f`, or what `nft list ruleset` prints, says. `file` is the script's place among several.
pub fn read(_text: &str, _file: usize) -> Ruleset {
    Ruleset::default()
}
pub fn write(_set: &Ruleset) -> String {
    String::new()
}
pub fn statement(_rule: &Rule) -> String {
    String::new()
}
