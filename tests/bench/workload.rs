//! The files that are read, and how they are written.

use std::fs::{self, File};
use std::hash::{DefaultHasher, Hash, Hasher};
use std::io::{self, BufReader, Read, Write};
use std::path::{Path, PathBuf};
use std::process::Command;

use crate::stream::{self, Format, Output, Size};

/// Flows of "small" where it has few.
pub const FEW: usize = 1_000;

/// What is played, how much of it, by how many at a time; the name of its files.
#[derive(Clone)]
pub struct Workload {
    name: String,
    played: &'static str,
    size: String,
    /// So often as much of it.
    times: u64,
    alive: Option<usize>,
}

impl Workload {
    pub fn new(played: &'static str, size: &str) -> Self {
        Self {
            name: played.to_owned(),
            played,
            size: size.to_owned(),
            times: 1,
            alive: None,
        }
    }

    pub fn twice(&self) -> Self {
        let name = format!("{}_twice", self.name);
        Self {
            name,
            times: 2,
            ..self.clone()
        }
    }

    pub fn of_few(&self, name: &str, alive: usize) -> Self {
        let name = format!("{}_{name}", self.name);
        Self {
            name,
            alive: Some(alive),
            ..self.clone()
        }
    }
}

#[derive(Clone, Copy, PartialEq, Eq)]
pub enum Container {
    Pcap,
    Pcapng,
    Zst,
}

impl Container {
    pub fn extension(self) -> &'static str {
        match self {
            Self::Pcap => "pcap",
            Self::Pcapng => "pcapng",
            Self::Zst => "pcap.zst",
        }
    }
}

/// Its file, written where there is none. What is there of another size, or by another source, goes.
pub fn make(workload: &Workload, container: Container) -> io::Result<PathBuf> {
    let program = Path::new(env!("CARGO_BIN_EXE_ctaudit"));
    let target = program.ancestors().nth(2).unwrap_or(program);
    let folder = target.join("bench");
    fs::create_dir_all(&folder)?;
    let mut source = DefaultHasher::new();
    SOURCE.hash(&mut source);
    let stem = format!(
        "{}-{}-{:016x}.",
        workload.name,
        workload.size,
        source.finish()
    );
    let file = folder.join(format!("{stem}{}", container.extension()));
    if file.exists() {
        return Ok(file);
    }
    for entry in fs::read_dir(&folder)? {
        let entry = entry?;
        let name = entry.file_name().to_string_lossy().into_owned();
        if name.starts_with(&format!("{}-", workload.name)) && !name.starts_with(&stem) {
            fs::remove_file(entry.path())?;
        }
    }
    let written = file.with_extension("part");
    let alive = workload.alive.unwrap_or(0).to_string();
    let times = workload.times.to_string();
    // In a process of its own, whose memory is no part of what is measured.
    let maker = Command::new(std::env::current_exe()?)
        .args([
            MAKE,
            workload.played,
            &workload.size,
            &times,
            &alive,
            container.extension(),
        ])
        .arg(&written)
        .status()?;
    if !maker.success() {
        return Err(io::Error::other(format!("{}: not written", file.display())));
    }
    fs::rename(written, &file)?;
    Ok(file)
}

/// As an argument of this program: what follows is a workload that it is to write.
pub const MAKE: &str = "--make";

pub fn made(arguments: &[String]) -> io::Result<()> {
    let [played, size, times, alive, extension, path] = arguments else {
        return Err(io::ErrorKind::InvalidInput.into());
    };
    let number = |text: &String| text.parse::<u64>().map_err(io::Error::other);
    let times = number(times)?;
    let size = match Size::parse(size).ok_or(io::ErrorKind::InvalidInput)? {
        Size::Packets(packets) => Size::Packets(packets * times),
        Size::Bytes(bytes) => Size::Bytes(bytes * times),
    };
    let file = File::create(path)?;
    let (out, format): (Box<dyn Write>, _) = match &extension[..] {
        "pcap" => (Box::new(file), Format::Pcap),
        "pcapng" => (Box::new(file), Format::Pcapng),
        _ => {
            let encoder = zstd::Encoder::new(file, zstd::DEFAULT_COMPRESSION_LEVEL)?;
            (Box::new(encoder.auto_finish()), Format::Pcap)
        }
    };
    let alive = Some(number(alive)? as usize).filter(|alive| *alive > 0);
    let written = stream::play(played, alive, &mut Output::new(out, format, size));
    written.unwrap_or(Err(io::ErrorKind::InvalidInput.into()))
}

/// Packets and bytes of a pcap that was written here.
pub fn count(path: &Path) -> io::Result<(f64, f64)> {
    let mut file = BufReader::with_capacity(1 << 20, File::open(path)?);
    let (mut packets, mut bytes) = (0u64, 24u64);
    file.seek_relative(24)?;
    let mut header = [0; 16];
    loop {
        match file.read_exact(&mut header) {
            Err(error) if error.kind() == io::ErrorKind::UnexpectedEof => {
                return Ok((packets as f64, bytes as f64));
            }
            read => read?,
        }
        let length = u32::from_le_bytes([header[8], header[9], header[10], header[11]]);
        file.seek_relative(length.into())?;
        packets += 1;
        bytes += 16 + u64::from(length);
    }
}

/// What workloads follow from.
const SOURCE: [&str; 9] = [
    include_str!("workload.rs"),
    include_str!("../stream/mod.rs"),
    include_str!("../stream/control.rs"),
    include_str!("../stream/script.rs"),
    include_str!("../stream/stage.rs"),
    include_str!("../traffic/flow.rs"),
    include_str!("../traffic/packet.rs"),
    include_str!("../traffic/pptp.rs"),
    include_str!("../traffic/h323/mod.rs"),
];
