//! A stream put together from its segments.

use ctaudit::dialogue::{Line, Place, Stream};

/// A stream whose first byte has this number.
fn beginning_at(first: u32) -> Stream {
    let mut stream = Stream::new(true);
    stream.begin(first);
    stream
}

/// Where a segment lies, and the lines that end in it.
fn hear(stream: &mut Stream, sequence: u32, payload: &[u8]) -> (Place, Vec<Line>) {
    let place = stream.place(sequence, payload);
    let lines = stream.lines(payload, &place);
    (place, lines)
}

fn texts(lines: &[Line]) -> Vec<&str> {
    let texts = lines.iter().map(|line| std::str::from_utf8(&line.text));
    texts.map(Result::unwrap).collect()
}

fn new() -> Place {
    Place::default()
}

fn again(again: usize, differs: bool) -> Place {
    Place {
        again,
        differs,
        ..Place::default()
    }
}

#[test]
fn a_line_may_come_in_several_segments() {
    let mut stream = beginning_at(100);
    assert_eq!(
        hear(&mut stream, 100, b"NOOP\r\nPO"),
        (new(), vec![line("NOOP", Some(0))])
    );
    assert_eq!(hear(&mut stream, 108, b"RT 1\r"), (new(), vec![]));
    let (place, lines) = hear(&mut stream, 113, b"\nQUIT\r\n");
    assert_eq!(place, new());
    assert_eq!(lines, [line("PORT 1", None), line("QUIT", Some(1))]);
}

fn line(text: &str, at: Option<usize>) -> Line {
    Line {
        text: text.into(),
        at,
    }
}

#[test]
fn only_lf_ends_a_line() {
    let mut stream = beginning_at(0);
    let (_, lines) = hear(&mut stream, 0, b"one\rtwo\r\r\nthree\n\r\n");
    assert_eq!(texts(&lines), ["one\rtwo\r", "three", ""]);
}

#[test]
fn of_a_long_line_the_beginning_is_kept() {
    let mut stream = beginning_at(0);
    let long = [b"x".repeat(3000), b"\r\nnext\r\n".to_vec()].concat();
    let (_, lines) = hear(&mut stream, 0, &long);
    assert_eq!(lines[0].text, b"x".repeat(2048));
    assert_eq!(lines[1], line("next", Some(3002)));

    // The same in small pieces.
    let mut stream = beginning_at(0);
    let mut lines = Vec::new();
    for (at, piece) in long.chunks(7).enumerate() {
        lines.extend(hear(&mut stream, at as u32 * 7, piece).1);
    }
    assert_eq!(lines[0].text, b"x".repeat(2048));
    assert_eq!(texts(&lines[1..]), ["next"]);
}

#[test]
fn what_comes_twice_is_heard_once() {
    let mut stream = beginning_at(7);
    hear(&mut stream, 7, b"NOOP\r\n");
    assert_eq!(hear(&mut stream, 7, b"NOOP\r\n"), (again(6, false), vec![]));
    assert_eq!(hear(&mut stream, 7, b"PORT\r\n"), (again(6, true), vec![]));
    // The second half of it, and more.
    let (place, lines) = hear(&mut stream, 10, b"P\r\nQUIT\r\n");
    assert_eq!(place, again(3, false));
    assert_eq!(lines, [line("QUIT", Some(3))]);
    let (place, _) = hear(&mut stream, 11, b"\n\nQUIT\r\nNOOP\r\n");
    assert_eq!(place, again(8, true));
    assert_eq!(stream.missing(), 0);
}

#[test]
fn a_keep_alive_says_nothing() {
    let mut stream = beginning_at(7);
    hear(&mut stream, 7, b"NOOP\r\n");
    assert_eq!(hear(&mut stream, 12, b"\0"), (again(1, false), vec![]));
}

#[test]
fn what_is_forgotten_is_not_compared() {
    let mut stream = beginning_at(0);
    hear(&mut stream, 0, &b"a".repeat(5000));
    assert!(!hear(&mut stream, 0, b"bbb").0.differs);
    // Bytes 900 to 904 are forgotten at 904.
    assert!(!hear(&mut stream, 900, b"bbbba").0.differs);
    assert!(hear(&mut stream, 900, b"bbbbb").0.differs);
}

#[test]
fn sequence_numbers_wrap() {
    let mut stream = beginning_at(u32::MAX - 2);
    let (place, lines) = hear(&mut stream, u32::MAX - 2, b"NOOP\r\n");
    assert_eq!((place, texts(&lines)), (new(), vec!["NOOP"]));
    assert_eq!(hear(&mut stream, u32::MAX, b"OP\r\n").0, again(4, false));
    assert_eq!(hear(&mut stream, u32::MAX, b"OO\r\n").0, again(4, true));
    assert_eq!(texts(&hear(&mut stream, 3, b"QUIT\r\n").1), ["QUIT"]);
    assert_eq!(stream.missing(), 0);
}

#[test]
fn what_was_overtaken_is_heard_late() {
    for first in [0, u32::MAX - 3, u32::MAX - 8] {
        let at = |offset: u32| first.wrapping_add(offset);
        let mut stream = beginning_at(first);
        let (place, lines) = hear(&mut stream, at(6), b"PASV\r\n");
        assert_eq!(place, new());
        assert_eq!(texts(&lines), ["PASV"]);
        assert_eq!(stream.missing(), 6);
        let (place, lines) = hear(&mut stream, first, b"NOOP\r\n");
        assert!(place.late);
        assert_eq!(place.again, 0);
        assert_eq!(texts(&lines), ["NOOP"]);
        assert_eq!(stream.missing(), 0);
        // Now it was heard.
        assert_eq!(
            hear(&mut stream, first, b"NOOP\r\n"),
            (again(6, false), vec![])
        );
        let (place, lines) = hear(&mut stream, at(12), b"QUIT\r\n");
        assert_eq!((place, texts(&lines)), (new(), vec!["QUIT"]));
    }
}

#[test]
fn a_late_segment_may_bring_more_than_was_missing() {
    let mut stream = beginning_at(0);
    hear(&mut stream, 0, b"A\r\n");
    hear(&mut stream, 6, b"C\r\n");
    // What was heard, what is missing, what was heard, what is new.
    let (place, lines) = hear(&mut stream, 0, b"A\r\nB\r\nC\r\nD\r\n");
    assert!(place.late);
    assert_eq!(place.again, 3);
    assert_eq!(texts(&lines), ["B", "C", "D"]);
    assert_eq!(stream.missing(), 0);
    assert_eq!(hear(&mut stream, 12, b"E\r\n").0, new());
}

/// Somebody who sends ahead of the others must not make them be taken for repetitions.
#[test]
fn what_lies_far_ahead_does_not_silence_what_follows() {
    let mut stream = beginning_at(0);
    hear(&mut stream, 60_000, b"227 x\r\n");
    assert_eq!(stream.missing(), 60_000);
    assert_eq!(
        texts(&hear(&mut stream, 0, b"220 hello\r\n").1),
        ["220 hello"]
    );
    assert_eq!(texts(&hear(&mut stream, 11, b"230 in\r\n").1), ["230 in"]);
    assert_eq!(stream.missing(), 60_000 - 19);
}

#[test]
fn a_gap_ends_the_line_that_it_is_in() {
    let mut stream = beginning_at(0);
    hear(&mut stream, 0, b"RETR a");
    let (_, lines) = hear(&mut stream, 10, b"b\r\nNOOP\r\n");
    assert_eq!(texts(&lines), ["b", "NOOP"]);
    assert_eq!(stream.missing(), 4);
}

#[test]
fn a_stream_may_begin_anew() {
    let mut stream = beginning_at(1000);
    hear(&mut stream, 1000, b"NOOP\r\nPA");
    stream.begin(1000);
    assert_eq!(hear(&mut stream, 1000, b"NOOP\r\n").0, again(6, false));
    stream.begin(5);
    let (place, lines) = hear(&mut stream, 5, b"QUIT\r\n");
    assert_eq!((place, texts(&lines)), (new(), vec!["QUIT"]));
}
