//! What the helper reads, byte by byte, and which of them it took at their word.
//!
//! The payload is somebody else's: every byte is shown as a number, and as a letter only where it is one of ASCII, so that
//! none of it can speak to a terminal.

use std::ops::Range;

use crate::conntrack::event::Event;
use crate::conntrack::{Examined, payload};
use crate::explain::{Explanation, Frame, Packet, bytes_of, fields};
use crate::report::page::{Block, Page, Table};
use crate::report::sections::origin;

pub fn read(
    page: &mut Page,
    explanation: &Explanation,
    frame: &Frame,
    packet: &Packet,
    examined: &Examined,
) {
    let flow = examined.after.as_ref().or(examined.before.as_ref());
    let Some((flow, helper)) = flow.and_then(|flow| Some((flow, flow.record.helper?))) else {
        page.heading("Payload", "no helper reads this flow");
        return;
    };
    if !examined.was_read {
        page.heading("Payload", format!("{helper} is not shown this packet"));
        return;
    }
    // An ICMP error is read as if it were of the protocol of the flow that it is about, as in the kernel.
    let protocol = flow.record.original.protocol;
    let Some((_, _, payload)) = payload(protocol, packet.transport_bytes()) else {
        return;
    };
    let title = format!("What {helper} reads");
    if payload.is_empty() {
        page.heading(title, "no bytes of payload");
        return;
    }
    let mut table = Table::new(&["what", "field", "value", "from"], &[]);
    let mut marked = Vec::new();
    for fate in &explanation.expectations {
        let record = &fate.record;
        let mut what = format!("expectation {}", record.id.0);
        if record.packet != frame.number {
            what += &format!(" of frame {}", record.packet);
        }
        for field in fields(&record.expectation) {
            marked.extend(bytes_of(field.origin, frame.number));
            let from = origin(field.origin, frame.number);
            table.row([what.as_str(), field.name, &field.value, &from]);
        }
    }
    for event in &frame.events {
        if let Event::Declined { reason, bytes, .. } = event {
            let from = match bytes.is_empty() {
                true => String::new(),
                false => format!("bytes {}-{}", bytes.start, bytes.end - 1),
            };
            table.row(["declined", "", reason, &from]);
            marked.push(bytes.clone());
        }
    }
    let marks = match marked.iter().all(Range::is_empty) {
        true => "",
        false => "; ^ marks what it took at its word, or declined",
    };
    let length = payload.len();
    page.heading(title, format!("{length} bytes, numbered from 0{marks}"));
    page.add(Block::Code(dump(payload, &marked)));
    page.table(table);
}

/// The payload in lines of 16 bytes, with a line of marks below each that has any. Where it has more lines than are shown,
/// those around marks are.
fn dump(payload: &[u8], marked: &[Range<usize>]) -> String {
    let lines = payload.chunks(LINE).count();
    let is_marked = |at: usize| marked.iter().any(|range| range.contains(&at));
    let has_marks = |line: usize| (line * LINE..(line + 1) * LINE).any(is_marked);
    let is_near = |line: usize| {
        let around = line.saturating_sub(AROUND)..=line + AROUND;
        lines <= MOST || around.into_iter().any(has_marks)
    };
    let any_marks = (0..lines).any(has_marks);
    let wanted = (0..lines).filter(|&line| !any_marks || is_near(line));
    let mut text = String::new();
    let mut next = 0;
    for line in wanted.take(MOST) {
        left_out(&mut text, next..line, payload.len());
        next = line + 1;
        let start = line * LINE;
        let bytes = &payload[start..payload.len().min(start + LINE)];
        let hex: Vec<String> = bytes.iter().map(|byte| format!("{byte:02x}")).collect();
        let letters: String = bytes.iter().map(|&byte| letter(byte)).collect();
        text += &format!("{start:5}  {:<47}  {letters}\n", hex.join(" "));
        if has_marks(line) {
            let marks = (start..start + bytes.len()).map(is_marked);
            let below = |mark: &str, gap: &str, join: &str| {
                let marks = marks.clone().map(|is| if is { mark } else { gap });
                marks.collect::<Vec<_>>().join(join)
            };
            let line = format!(
                "       {:<47}  {}",
                below("^^", "  ", " "),
                below("^", " ", "")
            );
            text += line.trim_end();
            text.push('\n');
        }
    }
    left_out(&mut text, next..lines, payload.len());
    text
}

/// Lines that are not shown.
fn left_out(text: &mut String, lines: Range<usize>, length: usize) {
    let bytes = lines.start * LINE..length.min(lines.end * LINE);
    if !bytes.is_empty() {
        *text += &format!("       bytes {}-{} left out\n", bytes.start, bytes.end - 1);
    }
}

fn letter(byte: u8) -> char {
    match byte {
        b' '..=b'~' => char::from(byte),
        _ => '.',
    }
}

const LINE: usize = 16;
/// Lines that are shown, and those on either side of a mark where not all are.
const MOST: usize = 64;
const AROUND: usize = 2;
