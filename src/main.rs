use ctaudit::capture::Capture;
use ctaudit::conntrack::config::*;
use ctaudit::conntrack::profile::Profile;
use ctaudit::replay::*;
use ctaudit::report::json;
fn main() {
    let mut clock = Clock::Capture; let mut profile = Profile::default(); let mut files=vec![]; let mut extra=vec![];
    let a: Vec<String> = std::env::args().collect();
    let mut i=1;
    while i<a.len() { match a[i].as_str() { "events"|"--json" => {}, "--clock" => { i+=1; if a[i]=="still" {clock=Clock::Still} }, "--kernel" => { i+=1; profile=Profile::of(&a[i]).unwrap(); }, "--add-assign" => { i+=1; extra.push(Assignment::parse(&a[i]).unwrap()); }, f => files.push(f.into()) } i+=1; }
    let mut config = Config::new(profile);
    config.assignments.extend(extra);
    let ported = json::Ported { dccp: profile.tracks_dccp };
    let mut r = Replay::new(Capture::open(&files).unwrap(), config, clock);
    let mut out = std::io::BufWriter::new(std::io::stdout());
    loop { let p = match r.advance() { Ok(Some(p)) => p, Ok(None) => break, Err(e) => { use std::io::Write; out.flush().unwrap(); eprintln!("{e}"); std::process::exit(4) } };

        match p.arrival { Arrival::Other => {}, Arrival::Unseen(_, s) | Arrival::Packet(_, s) => json::write(&mut out, p.number, &s, ported).unwrap() }
    }
}
