//! Traffic without end, on standard output as pcap.
//!
//! ```text
//! cargo run --release --example traffic -- office 20GB | ctaudit analyse -
//! ```

#[allow(dead_code)] // `cargo bench` uses more of it.
#[path = "mod.rs"]
mod stream;
#[allow(dead_code)] // The tests'.
#[path = "../traffic/mod.rs"]
mod traffic;

use std::io;
use std::process::ExitCode;

use stream::{Format, Output, Size, WORKLOADS};

fn main() -> ExitCode {
    let arguments: Vec<String> = std::env::args().skip(1).collect();
    let parsed = match &arguments[..] {
        [workload, size] => Size::parse(size).map(|size| (workload.as_str(), size)),
        _ => None,
    };
    let Some((workload, size)) = parsed else {
        eprintln!("usage: traffic {WORKLOADS} SIZE\n\nSIZE: 50M packets, or 20GB (or 500MB)");
        return ExitCode::from(2);
    };
    let mut out = Output::new(Box::new(io::stdout()), Format::Pcap, size);
    match stream::play(workload, None, &mut out) {
        None => {
            eprintln!("no workload {workload}: {WORKLOADS}");
            ExitCode::from(2)
        }
        Some(Err(error)) if error.kind() != io::ErrorKind::BrokenPipe => {
            eprintln!("{error}");
            ExitCode::FAILURE
        }
        Some(_) => ExitCode::SUCCESS,
    }
}
