//! iptables itself, in a network namespace of its own.

use std::io::Write;
use std::process::{Command, Stdio};

/// Why iptables cannot be asked here; `None` where it can.
pub fn missing() -> Option<String> {
    let tried = Command::new("unshare")
        .args(["-n", "sh", "-c", "iptables-save && ip6tables-save && iptables -t raw -A PREROUTING -p tcp -j CT --helper ftp"])
        .output();
    match tried {
        Err(error) => Some(format!("unshare: {error}")),
        Ok(output) if output.status.success() => None,
        Ok(output) => Some(String::from_utf8_lossy(&output.stderr).trim().to_owned()),
    }
}

/// Loads a file on top of nothing, and gives what iptables-save shows then.
pub fn load(text: &str, ipv6: bool) -> String {
    let family = if ipv6 { "ip6tables" } else { "iptables" };
    let script = format!(
        "rules=$(cat; echo) && echo \"$rules\" | {family}-restore --test --noflush && \
         echo \"$rules\" | {family}-restore --noflush && {family}-save"
    );
    let mut child = Command::new("unshare")
        .args(["-n", "sh", "-c", &script])
        .stdin(Stdio::piped())
        .stdout(Stdio::piped())
        .stderr(Stdio::piped())
        .spawn()
        .unwrap();
    let mut input = child.stdin.take().unwrap();
    input.write_all(text.as_bytes()).unwrap();
    drop(input);
    let output = child.wait_with_output().unwrap();
    let errors = String::from_utf8_lossy(&output.stderr);
    assert!(output.status.success(), "{errors}\n{text}");
    String::from_utf8(output.stdout).unwrap()
}
