//! How fast the program is, and how much memory it takes: beside programs that read the same file, in the same minutes.
//!
//! ```text
//! cargo bench                               # everything; some minutes, and 15 GB below target/bench
//! cargo bench -- office small               # these workloads
//! cargo bench -- --size 200MB               # smaller ones
//! cargo bench -- --count                    # instructions a packet, under valgrind
//! ```
//!
//! The workloads are those of `tests/stream`, made from a seed. They are written once, and again where another size is
//! asked for or the source of them has changed.
//!
//! What is measured is `ctaudit analyse FILE`, the whole process from its start to its end, with its report thrown
//! away. It is run in turns with `cat FILE` and the other programs: once to have the file in the page cache, then
//! `ROUNDS` times, of which the best counts for each. Programs that take minutes are run once. Peak memory is what the
//! kernel says of the process that has ended (`ru_maxrss`).
//!
//! Instructions are counted by callgrind over a few thousand packets, and once more over twice as many: the difference
//! is what a packet takes.

mod measure;
mod workload;

#[allow(dead_code)] // The example takes more of it.
#[path = "../stream/mod.rs"]
mod stream;
#[allow(dead_code)] // The tests'.
#[path = "../traffic/mod.rs"]
mod traffic;

use std::io;
use std::path::Path;
use std::process::Command;

use measure::{ROUNDS, Run, best, instructions, run};
use stream::{SMALL, Size};
use workload::{Container, FEW, Workload, make};

/// What is read, and how long it may take: as a multiple of what another program takes for the file.
struct Subject {
    workload: &'static str,
    options: &'static [&'static str],
    bars: &'static [(&'static str, f64)],
}

const SUBJECTS: [Subject; 4] = [
    Subject {
        workload: "office",
        options: &[],
        bars: &[
            ("cat", 2.0),
            ("capinfos", 0.6),
            ("tcpdump", 0.5),
            ("ovstest", 0.10),
            ("softflowd", 0.12),
            ("tshark", 0.01),
        ],
    },
    Subject {
        workload: "small",
        options: &["--sysctl", "net.netfilter.nf_conntrack_max=2000000"],
        bars: &[("capinfos", 1.2), ("ovstest", 0.12)],
    },
    Subject {
        workload: "elephants",
        options: &[],
        bars: &[("cat", 1.5), ("capinfos", 0.8)],
    },
    Subject {
        workload: "helpers",
        options: &["--local", "100.99.99.99/24"],
        bars: &[],
    },
];

/// Another program that reads a capture from its first packet to its last: what comes before the file, and behind it.
struct Peer {
    name: &'static str,
    before: &'static [&'static str],
    behind: &'static [&'static str],
    rounds: usize,
}

const PEERS: [Peer; 7] = [
    Peer {
        name: "cat",
        before: &[],
        behind: &[],
        rounds: ROUNDS,
    },
    Peer {
        name: "capinfos",
        before: &["-c", "-d", "-u"],
        behind: &[],
        rounds: ROUNDS,
    },
    Peer {
        name: "tcpdump",
        before: &["-w", "/dev/null", "-r"],
        behind: &[],
        rounds: ROUNDS,
    },
    Peer {
        name: "zstd",
        before: &["-dc"],
        behind: &[],
        rounds: ROUNDS,
    },
    // Open vSwitch's conntrack, of which `make tests/ovstest` is no package's.
    Peer {
        name: "ovstest",
        before: &["test-conntrack", "pcap"],
        behind: &["1"],
        rounds: 1,
    },
    // Without a collector it counts flows, and prints the sums.
    Peer {
        name: "softflowd",
        before: &["-r"],
        behind: &[],
        rounds: 1,
    },
    Peer {
        name: "tshark",
        before: &["-q", "-z", "conv,tcp", "-r"],
        behind: &[],
        rounds: 1,
    },
];

impl Peer {
    fn on(&self, file: &Path) -> Command {
        let mut command = Command::new(self.name);
        command.args(self.before).arg(file).args(self.behind);
        command
    }
}

fn peer(name: &str) -> &'static Peer {
    let found = PEERS.iter().find(|peer| peer.name == name);
    found.expect("every bar names a peer")
}

/// What runs under valgrind: packets, and sessions at a time, few enough that most get to their end.
const COUNTED: [&str; 2] = ["25k", "50k"];
const COUNTED_ALIVE: usize = 200;

fn main() -> io::Result<()> {
    let mut arguments: Vec<String> = std::env::args().skip(1).collect();
    if arguments
        .first()
        .is_some_and(|first| first == workload::MAKE)
    {
        return workload::made(&arguments[1..]);
    }
    arguments.retain(|argument| argument != "--bench"); // cargo's
    let mut size = "1GB".to_owned();
    if let Some(at) = arguments.iter().position(|argument| argument == "--size") {
        let end = arguments.len().min(at + 2);
        size = arguments.drain(at..end).nth(1).unwrap_or_default();
    }
    let counts = arguments.iter().any(|argument| argument == "--count");
    arguments.retain(|argument| argument != "--count");
    let is_known = |name: &String| SUBJECTS.iter().any(|subject| subject.workload == name);
    if Size::parse(&size).is_none() || !arguments.iter().all(is_known) {
        eprintln!("usage: cargo bench -- [office|small|elephants|helpers]… [--count] [--size 1GB]");
        std::process::exit(2);
    }
    let is_wanted = |subject: &&Subject| {
        arguments.is_empty() || arguments.iter().any(|name| name == subject.workload)
    };
    let subjects: Vec<_> = SUBJECTS.iter().filter(is_wanted).collect();
    if counts {
        println!(
            "Instructions for each packet between {}",
            COUNTED.join(" and ")
        );
        for subject in subjects {
            println!("{:<10} {:>8.0}", subject.workload, subject.count()?);
        }
        return Ok(());
    }
    let mut bars = Bars::default();
    println!("The best of {ROUNDS}; ns and GB as the pcap has packets and bytes\n");
    println!(
        "{:<10} {:<9} {:>11} {:>6} {:>10} {:>8} {:>11} {:>7}",
        "workload", "container", "packets/s", "GB/s", "ns/packet", "wall", "peak memory", "/ cat"
    );
    let mut measured = Vec::new();
    for subject in subjects {
        measured.push((subject.workload, subject.measure(&size, &mut bars)?));
    }
    if let [Some(office), Some(helpers)] = ["office", "helpers"].map(|name| {
        let found = measured.iter().find(|(workload, _)| *workload == name);
        found.map(|(_, nanos)| *nanos)
    }) {
        bars.add(
            "helpers",
            "ns a packet of office",
            Some(helpers / office),
            3.0,
        );
    }
    bars.print();
    Ok(())
}

impl Subject {
    fn analyse(&self, file: &Path) -> Command {
        let mut command = Command::new(env!("CARGO_BIN_EXE_ctaudit"));
        command.arg("analyse").args(self.options).arg(file);
        command
    }

    /// Instructions that each packet more takes, without the program's start and what a report costs however short.
    fn count(&self) -> io::Result<f64> {
        let [half, all] = COUNTED.map(|size| {
            let workload = Workload::new(self.workload, size).of_few(size, COUNTED_ALIVE);
            let file = make(&workload, Container::Pcap)?;
            let (packets, _) = workload::count(&file)?;
            Ok::<_, io::Error>((packets, instructions(&self.analyse(&file))?))
        });
        let ((half, before), (all, whole)) = (half?, all?);
        Ok((whole - before) / (all - half))
    }

    /// In every container, in turns with others. Nanoseconds a packet of the pcap.
    fn measure(&self, size: &str, bars: &mut Bars) -> io::Result<f64> {
        let workload = Workload::new(self.workload, size);
        let pcap = make(&workload, Container::Pcap)?;
        let (packets, bytes) = workload::count(&pcap)?;
        let line = |container: &str, ours: Run, cat: Option<Run>| {
            let seconds = ours.wall.as_secs_f64();
            println!(
                "{:<10} {:<9} {:>11.0} {:>6.2} {:>10.1} {:>6.3} s {:>8.1} MB {:>7.2}",
                self.workload,
                container,
                packets / seconds,
                bytes / seconds / 1e9,
                seconds / packets * 1e9,
                seconds,
                ours.peak / 1e6,
                cat.map_or(f64::NAN, |cat| ours / cat),
            );
        };

        let (fast, slow): (Vec<_>, Vec<_>) = (self.bars.iter())
            .filter(|(name, _)| *name != "cat")
            .partition(|(name, _)| peer(name).rounds == ROUNDS);
        let mut commands = vec![self.analyse(&pcap), peer("cat").on(&pcap)];
        commands.extend(fast.iter().map(|(name, _)| peer(name).on(&pcap)));
        let runs = best(&mut commands)?;
        let (ours, cat) = (ran(runs[0])?, runs[1]);
        line("pcap", ours, cat);
        let their = |name: &str, run: Option<Run>| (name.to_owned(), run);
        let mut theirs = vec![their("cat", cat)];
        theirs.extend((fast.iter().zip(&runs[2..])).map(|((name, _), run)| their(name, *run)));
        for (name, _) in slow {
            theirs.push(their(name, run(&mut peer(name).on(&pcap))?));
        }
        for (name, bar) in self.bars {
            let run = theirs.iter().find(|(their, _)| their == name);
            let ratio = run.and_then(|(_, run)| run.map(|run| ours / run));
            bars.add(self.workload, name, ratio, *bar);
        }

        let pcapng = make(&workload, Container::Pcapng)?;
        let runs = best(&mut [self.analyse(&pcapng), peer("cat").on(&pcapng)])?;
        let ng = ran(runs[0])?;
        line("pcapng", ng, runs[1]);

        let zst = make(&workload, Container::Zst)?;
        let [cat, zstd] = ["cat", "zstd"].map(|name| peer(name).on(&zst));
        let runs = best(&mut [self.analyse(&zst), cat, zstd])?;
        let unpacked = ran(runs[0])?;
        line("pcap.zst", unpacked, runs[1]);

        if self.workload == "office" {
            bars.add("office", "pcapng / pcap", Some(ng / ours), 1.2);
            let ratio = runs[2].map(|zstd| unpacked / zstd);
            bars.add("office", "pcap.zst / zstd -dc", ratio, 1.10);
            let tables = pcap.with_extension("tables");
            let mut with_tables = self.analyse(&pcap);
            with_tables.arg("--parquet").arg(&tables);
            let runs = best(&mut [with_tables, self.analyse(&pcap)])?;
            let ratio = ran(runs[0])? / ran(runs[1])?;
            bars.add("office", "with --parquet / without", Some(ratio), 1.3);
            std::fs::remove_dir_all(tables)?;
            let twice = make(&workload.twice(), Container::Pcap)?;
            let twice = ran(run(&mut self.analyse(&twice))?)?;
            let ratio = twice.peak / ours.peak;
            bars.add("office", "memory of twice as long", Some(ratio), 1.05);
        }
        if self.workload == "small" {
            let few = make(&workload.of_few("few", FEW), Container::Pcap)?;
            let few = ran(run(&mut self.analyse(&few))?)?;
            // Whose turn it is, is left to chance: of a short capture's flows not all have begun.
            let begun = |flows: usize| flows as f64 * (1.0 - f64::exp(-packets / flows as f64));
            let each = (ours.peak - few.peak) / (begun(SMALL) - begun(FEW));
            bars.add("small", "bytes for each live flow", Some(each), 250.0);
        }
        if ["office", "elephants"].contains(&self.workload) {
            bars.add(
                self.workload,
                "peak memory, MB",
                Some(ours.peak / 1e6),
                64.0,
            );
        }
        Ok(ours.wall.as_nanos() as f64 / packets)
    }
}

/// Of ctaudit, which is installed.
fn ran(run: Option<Run>) -> io::Result<Run> {
    run.ok_or_else(|| io::ErrorKind::NotFound.into())
}

/// What was measured, and what it may be; nothing where the other program is not installed.
#[derive(Default)]
struct Bars(Vec<(&'static str, String, Option<f64>, f64)>);

impl Bars {
    fn add(&mut self, workload: &'static str, beside: &str, value: Option<f64>, bar: f64) {
        self.0.push((workload, beside.to_owned(), value, bar));
    }

    fn print(&self) {
        println!(
            "\n{:<10} {:<26} {:>9} {:>9}",
            "workload", "wall / wall of", "is", "at most"
        );
        for (workload, beside, value, bar) in &self.0 {
            let (value, met) = match value {
                Some(value) if value <= bar => (format!("{value:.3}"), "met"),
                Some(value) => (format!("{value:.3}"), "not met"),
                None => ("-".to_owned(), "not installed"),
            };
            println!("{workload:<10} {beside:<26} {value:>9} {bar:>9} {met}");
        }
    }
}
