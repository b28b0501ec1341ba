//! nft and iptables themselves, in a network namespace of their own.

use std::io::Write;
use std::process::{Command, Stdio};

/// What shell commands print there; `None` where nobody may make a namespace.
pub fn run(commands: &str, input: &str) -> Option<Result<String, String>> {
    let mut child = Command::new("unshare")
        .args(["--net", "sh", "-c", commands])
        .stdin(Stdio::piped())
        .stdout(Stdio::piped())
        .stderr(Stdio::piped())
        .spawn()
        .ok()?;
    // One that ends early does not read it all.
    let _ = child.stdin.take()?.write_all(input.as_bytes());
    let output = child.wait_with_output().ok()?;
    let text = |bytes| String::from_utf8(bytes).unwrap();
    Some(if output.status.success() {
        Ok(text(output.stdout))
    } else {
        Err(text(output.stderr))
    })
}

/// The same where it works; what the commands say against it is the test's failure.
pub fn must_run(commands: &str, input: &str) -> String {
    let output = run(commands, input).expect("unshare runs");
    output.unwrap_or_else(|error| panic!("{commands}: {error}\n{input}"))
}

/// Whether nft takes rules that attach helpers; says so where it does not.
pub fn has_nft() -> bool {
    // nft wants an end behind the object's block, on a line or not.
    let helper = "table inet t { ct helper f { type \"ftp\" protocol tcp; }; }";
    works("nft", "nft -f -", helper)
}

/// The same of iptables and ip6tables.
pub fn has_iptables() -> bool {
    let helper = "*raw\n-A PREROUTING -p tcp -j CT --helper ftp\nCOMMIT\n";
    ["iptables", "ip6tables"].into_iter().all(|program| {
        works(
            program,
            &format!("{program}-restore && {program}-save"),
            helper,
        )
    })
}

/// Whether these commands, run with the shortest input of all, do anything here.
pub fn works(program: &str, commands: &str, input: &str) -> bool {
    let why = match run(commands, input) {
        Some(Ok(_)) => return true,
        Some(Err(error)) => error,
        None => String::from("no unshare"),
    };
    let why = why.trim();
    eprintln!(
        "LEFT OUT: {program} cannot be run here; it takes root, the program, and the kernel's helper modules ({why})"
    );
    false
}
