//! Files, directories, pipes: what is read in which order.

use std::path::PathBuf;
use std::sync::atomic::Ordering;
use std::time::Duration;
use std::{fs, thread};

use ctaudit::capture::{Capture, Error, Reading, Stop};

use super::Order::Big;
use super::*;

/// Files in a directory of their own.
struct Files(tempfile::TempDir);

impl Files {
    fn new() -> Self {
        Self(tempfile::tempdir().unwrap())
    }

    fn path(&self, name: &str) -> PathBuf {
        self.0.path().join(name)
    }

    fn write(&self, name: &str, bytes: &[u8]) -> PathBuf {
        fs::write(self.path(name), bytes).unwrap();
        self.path(name)
    }
}

fn open(paths: &[PathBuf]) -> Result<Capture, Error> {
    Capture::open(paths, Reading::default())
}

/// A file with one packet for each of these seconds, which says when it was.
fn packets_at(seconds: &[u32]) -> Vec<u8> {
    let records = seconds.iter();
    let records = records.map(|second| Big.record(*second, 0, second.to_string().as_bytes()));
    [
        Big.pcap(MICROSECONDS, 1),
        records.collect::<Vec<_>>().concat(),
    ]
    .concat()
}

fn seconds(frames: &[Seen]) -> Vec<i64> {
    let nanos = frames.iter().map(|frame| frame.nanos);
    nanos.map(|nanos| nanos / 1_000_000_000).collect()
}

#[test]
fn several_files_are_numbered_through_and_damage_ends_none() {
    let files = Files::new();
    let (pcap, _) = small_pcap();
    let paths = [
        files.write("a", &packets_at(&[10, 11])),
        files.write("b", &[&packets_at(&[12, 13])[..], b"cut"].concat()),
        files.write("c", &pcap[..24]),
        files.write("d", &packets_at(&[14])),
    ];
    let mut capture = open(&paths).unwrap();
    let total = 24 + 2 * 18 + 24 + 2 * 18 + 3 + 24 + 24 + 18;
    assert_eq!(capture.total_bytes(), Some(total));
    let (frames, errors) = drain(&mut capture);
    assert_eq!(seconds(&frames), [10, 11, 12, 13, 14]);
    assert_eq!(
        frames.iter().map(|frame| frame.number).collect::<Vec<_>>(),
        (1..=5).collect::<Vec<_>>()
    );
    let [Error::Damaged(damage)] = &errors[..] else {
        panic!("{errors:?}");
    };
    assert_eq!(damage.file, paths[1].to_str().unwrap());
    assert_eq!((damage.packet, damage.byte, damage.passed_over), (3, 60, 3));
    assert_eq!(capture.bytes_counter().load(Ordering::Relaxed), total);
    let account = capture.account();
    assert_eq!((account.damaged, account.passed_over_bytes), (1, 3));
    assert_eq!(account.damage.len(), 1);
    let packets: Vec<u64> = account.inputs.iter().map(|input| input.packets).collect();
    // The one without a packet comes first: nobody knows when it was.
    assert_eq!(packets, [0, 2, 2, 1]);
    assert!(capture.next().unwrap().is_none());
}

/// tcpdump -C calls its files cap, cap1, cap2, … cap10, which sort otherwise.
#[test]
fn files_are_read_in_the_order_of_time() {
    let files = Files::new();
    let paths = [
        files.write("cap", &packets_at(&[1, 2])),
        files.write("cap1", &packets_at(&[3])),
        files.write("cap10", &packets_at(&[6, 7])),
        files.write("cap2", &packets_at(&[4, 5])),
    ];
    let mut capture = open(&paths).unwrap();
    assert_eq!(seconds(&drain(&mut capture).0), [1, 2, 3, 4, 5, 6, 7]);
    let account = capture.account();
    assert!(account.reordered);
    assert_eq!(account.overlapping, 0);
    let names: Vec<&str> = account
        .inputs
        .iter()
        .map(|told| told.name.as_str())
        .collect();
    let expected = [0, 1, 3, 2].map(|index: usize| paths[index].to_str().unwrap());
    assert_eq!(names, expected);

    // So are those of a directory, but not what is no capture.
    files.write("notes.txt", b"seen on Monday");
    files.write(".cap11.part", &packets_at(&[8]));
    files.write("cap12", b"");
    fs::create_dir(files.path("older")).unwrap();
    let mut capture = open(&[files.0.path().to_owned()]).unwrap();
    assert_eq!(seconds(&drain(&mut capture).0), [1, 2, 3, 4, 5, 6, 7]);
    assert_eq!(capture.account().passed_over_files, 4);
}

#[test]
fn without_merge_each_file_is_read_to_its_end() {
    let files = Files::new();
    let paths = [
        files.write("lan", &packets_at(&[1, 3, 5])),
        files.write("wan", &packets_at(&[2, 4, 6])),
    ];
    let mut capture = open(&paths).unwrap();
    assert_eq!(seconds(&drain(&mut capture).0), [1, 3, 5, 2, 4, 6]);
    assert_eq!(capture.account().overlapping, 1);
}

#[test]
fn merged_files_are_one_stream_by_time() {
    let files = Files::new();
    let interface = |name: &'static [u8]| Big.interface(1, 0, &[(2, name), (9, &[0])]);
    let section = [Big.section(), interface(b"a"), interface(b"b")].concat();
    let packets = [
        Big.enhanced(1, 2, b"from b"),
        Big.enhanced(0, 4, b"from a"),
        Big.enhanced(0, 9, b"late"),
    ];
    let paths = [
        files.write("late", &packets_at(&[8])),
        files.write("pcapng", &[section, packets.concat()].concat()),
        files.write("pcap", &packets_at(&[1, 4, 5])),
    ];
    let reading = Reading {
        merge: true,
        ..Reading::default()
    };
    let mut capture = Capture::open(&paths, reading).unwrap();
    let mut merged = Vec::new();
    while let Some(frame) = capture.next().unwrap() {
        let second = frame.at.nanos() / 1_000_000_000;
        merged.push((
            frame.number,
            second,
            frame.interface,
            frame.interface_name.map(str::to_owned),
        ));
    }
    let name = |name: &str| Some(name.to_owned());
    // Inputs are counted in the order in which they begin: pcap, pcapng, late.
    let expected = [
        (1, 1, 0, None),
        (2, 2, 1 << 16 | 1, name("b")),
        (3, 4, 0, None),
        (4, 4, 1 << 16, name("a")),
        (5, 5, 0, None),
        (6, 8, 2 << 16, None),
        (7, 9, 1 << 16, name("a")),
    ];
    assert_eq!(merged, expected);
}

/// A growing file is read as it grows, and where another one follows it in its directory, that is next; until somebody
/// asks to stop.
#[test]
fn a_ring_is_followed() {
    let files = Files::new();
    let first = packets_at(&[1, 2]);
    files.write("ring_1", &first[..first.len() - 3]);
    let stop = Stop::default();
    let reading = Reading {
        follow: true,
        stop: stop.clone(),
        ..Reading::default()
    };
    let mut capture = Capture::open(&[files.0.path().to_owned()], reading).unwrap();
    let mut next_at = || capture.next().unwrap().unwrap().at.nanos() / 1_000_000_000;
    assert_eq!(next_at(), 1);
    files.write("ring_1", &packets_at(&[1, 2, 3]));
    assert_eq!([next_at(), next_at()], [2, 3]);
    files.write("ring_2", &packets_at(&[4]));
    assert_eq!(next_at(), 4);
    // A ring of two begins anew; file systems tell times apart by some milliseconds.
    thread::sleep(Duration::from_millis(50));
    files.write("ring_1", &packets_at(&[5]));
    assert_eq!(next_at(), 5);
    stop.0.store(true, Ordering::Relaxed);
    assert!(capture.next().unwrap().is_none());
    assert!(capture.account().interrupted);
}

/// Whoever is asked to stop does not call a record damaged because he has not read all of it.
#[test]
fn a_request_to_stop_is_no_damage() {
    let files = Files::new();
    let path = files.write("long", &packets_at(&vec![7; 100_000]));
    let stop = Stop::default();
    let reading = Reading {
        stop: stop.clone(),
        ..Reading::default()
    };
    let later = files.write("later", &packets_at(&[8]));
    let mut capture = Capture::open(&[path, later], reading).unwrap();
    assert!(capture.next().unwrap().is_some());
    stop.0.store(true, Ordering::Relaxed);
    let (frames, errors) = drain(&mut capture);
    assert!(errors.is_empty(), "{errors:?}");
    assert!(frames.len() < 99_999, "{}", frames.len());
    assert!(capture.account().interrupted);
}

#[test]
fn a_later_file_that_cannot_be_read_is_reported_before_the_first_is() {
    let files = Files::new();
    let good = files.write("good", &packets_at(&[1]));
    let error = |other: PathBuf| open(&[good.clone(), other]).err().unwrap();
    let missing = error(files.path("missing"));
    assert!(matches!(&missing, Error::Open { file, .. } if file.ends_with("missing")));
    assert!(matches!(
        error(files.write("empty", b"")),
        Error::Empty { .. }
    ));
    assert!(matches!(
        error(files.write("text", b"text")),
        Error::NotACapture { .. }
    ));
    assert!(matches!(
        error(files.write("cut", &packets_at(&[])[..12])),
        Error::Header { .. }
    ));
    fs::create_dir(files.path("none")).unwrap();
    let none = error(files.path("none"));
    assert!(matches!(&none, Error::NoCaptures { file } if file.ends_with("none")));
    assert!(!missing.is_damage() && !none.is_damage());

    // One that goes away later is skipped.
    let going = files.write("going", &packets_at(&[0]));
    let mut capture = open(&[going.clone(), good]).unwrap();
    fs::remove_file(going).unwrap();
    assert!(matches!(capture.next(), Err(Error::Open { .. })));
    assert_eq!(drain(&mut capture).0.len(), 1);
}

#[test]
fn no_input_has_no_frames() {
    let mut capture = open(&[]).unwrap();
    assert!(capture.next().unwrap().is_none());
    assert_eq!(
        (
            capture.bytes_counter().load(Ordering::Relaxed),
            capture.total_bytes()
        ),
        (0, Some(0))
    );
    // Standard input is one, of unknown length.
    assert_eq!(open(&["-".into()]).unwrap().total_bytes(), None);
}

#[test]
fn a_pipe_is_not_waited_for_until_it_is_its_turn() {
    let files = Files::new();
    let pipe = files.path("pipe");
    assert!(
        std::process::Command::new("mkfifo")
            .arg(&pipe)
            .status()
            .unwrap()
            .success()
    );
    let (pcap, expected) = small_pcap();
    let mut capture = open(&[files.write("file", &pcap), pipe.clone(), "-".into()]).unwrap();
    assert_eq!(capture.total_bytes(), None);
    for _ in 0..3 {
        assert!(capture.next().unwrap().is_some());
    }
    let writer = thread::spawn(move || fs::write(pipe, pcap).unwrap());
    for frame in expected {
        let number = frame.number + 3;
        assert_eq!(
            capture
                .next()
                .unwrap()
                .map(|frame| (frame.number, frame.data)),
            Some((number, &frame.data[..]))
        );
    }
    writer.join().unwrap();
}

#[test]
fn a_file_name_cannot_command_the_terminal() {
    let files = Files::new();
    let path = files.write("bell\u{7} \u{1b}[2J\nnew 'line' \u{202e}gnp é 漢.pcap", b"");
    let mut capture = open(&[path]).unwrap();
    let error = capture.next().err().unwrap().to_string();
    assert!(
        error.contains(r"/bell\u{7} \u{1b}[2J\nnew 'line' \u{202e}gnp é 漢.pcap: empty"),
        "{error}"
    );
    assert!(!error.contains(char::is_control));
    let (_, errors) = drain(&mut Capture::from_reader("a\tb", Box::new(io::empty())));
    assert!(errors[0].to_string().starts_with(r"a\tb: "));
}
