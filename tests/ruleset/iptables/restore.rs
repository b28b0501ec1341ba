//! iptables itself.

use crate::namespace::must_run;

/// Loads a file on top of nothing, and gives what iptables-save shows then.
pub fn load(text: &str, ipv6: bool) -> String {
    let family = if ipv6 { "ip6tables" } else { "iptables" };
    let script = format!(
        "rules=$(cat; echo) && echo \"$rules\" | {family}-restore --test --noflush && \
         echo \"$rules\" | {family}-restore --noflush && {family}-save"
    );
    must_run(&script, text)
}
