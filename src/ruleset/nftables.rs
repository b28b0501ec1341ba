//! nft(8)'s language.

use super::{Rule, Ruleset};

/// What a script for `nft -f`, or what `nft list ruleset` prints, says. `file` is the script's place among several.
pub fn read(_text: &str, _file: usize) -> Ruleset {
    Ruleset::default()
}
pub fn read_json(_text: &str, _file: usize) -> Ruleset {
    Ruleset::default()
}
#[derive(Debug, thiserror::Error)]
#[error("x")]
pub struct Unwritable;
pub fn write(_set: &Ruleset) -> Result<String, Unwritable> {
    Ok(String::new())
}
pub fn write_json(_set: &Ruleset) -> Result<String, Unwritable> {
    Ok(String::new())
}
pub fn statement(_rule: &Rule) -> String {
    String::new()
}
