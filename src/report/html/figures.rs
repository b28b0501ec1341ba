//! What is drawn: when holes stood open, who came through them, and how much a forger could open before and after the rules.
//!
//! Colours stand for what they are used for, and `style.css` gives them their look, in light and dark. None of them says what
//! its form, or a word beside it, does not say as well.

use std::cmp::Reverse;
use std::collections::BTreeMap;
use std::net::IpAddr;

use plotters::coord::Shift;
use plotters::prelude::*;
use plotters::style::text_anchor::{HPos, Pos, VPos};

use crate::analysis::Analysis;
use crate::conntrack::event::Closed;
use crate::exposure::{ClosedExpectation, Outcome};
use crate::report::sections::{endpoint, pairs};
use crate::verdict::counted;

/// A drawing, and the same in words for who does not see it.
pub struct Figure {
    pub title: &'static str,
    pub svg: String,
    pub words: String,
}

type Area<'s> = DrawingArea<SVGBackend<'s>, Shift>;
type Drawn = Result<(), DrawingAreaErrorKind<std::io::Error>>;

const INK: RGBColor = RGBColor(1, 1, 1);
const FAINT: RGBColor = RGBColor(2, 2, 2);
const USED: RGBColor = RGBColor(3, 3, 3);
const UNUSED: RGBColor = RGBColor(4, 4, 4);
const OPEN: RGBColor = RGBColor(5, 5, 5);

/// Pixels at their usual size.
const WIDTH: u32 = 960;
const LINE: i32 = 22;
const LABELS: i32 = 250;
const MARGIN: i32 = 30;
/// Lines of a drawing.
const MOST_LANES: usize = 40;

/// Of all drawings those that have something to show.
pub fn all(analysis: &Analysis) -> Vec<Figure> {
    let drawn = [timeline(analysis), visitors(analysis), reach(analysis)];
    drawn.into_iter().flatten().collect()
}

/// Expectations over time, a lane for each helper and server.
fn timeline(analysis: &Analysis) -> Option<Figure> {
    let first = analysis.exposure.totals.first?;
    let duration = analysis.exposure.totals.duration().as_secs_f64().max(1e-6);
    let mut lanes: BTreeMap<(&str, IpAddr, u16), Vec<&ClosedExpectation>> = BTreeMap::new();
    for closed in &analysis.expectations.rows {
        let root = closed.record.root;
        let lane = (root.helper, root.tuple.dst, root.tuple.dport);
        lanes.entry(lane).or_default().push(closed);
    }
    if lanes.is_empty() {
        return None;
    }
    let left_out = lanes.len().saturating_sub(MOST_LANES);
    let shown: Vec<_> = lanes.into_iter().take(MOST_LANES).collect();
    let height = |of: &[&ClosedExpectation]| LINE.max(6 * of.len() as i32 + 8);
    let total: i32 = shown.iter().map(|(_, of)| height(of)).sum();
    let right = WIDTH as i32 - MARGIN;
    let x = |seconds: f64| {
        let share = (seconds / duration).min(1.0);
        LABELS + (f64::from(right - LABELS) * share) as i32
    };
    let svg = drawing(total + 2 * LINE, |area| {
        let mut top = 4;
        for ((helper, server, port), of) in &shown {
            let height = height(of);
            let label = format!("{helper} {}", endpoint(*server, *port));
            text(
                area,
                &label,
                (LABELS - 10, top + height / 2),
                HPos::Right,
                INK,
            )?;
            line(area, (LABELS, top + height), (right, top + height), FAINT)?;
            for (index, closed) in of.iter().enumerate() {
                let y = top + 6 + 6 * index as i32;
                let begin = closed.record.at.since(first).as_secs_f64();
                let ends = [x(begin), x(begin + closed.open.as_secs_f64())];
                expectation(area, closed, ends, y)?;
            }
            top += height;
        }
        line(area, (LABELS, top + 4), (right, top + 4), INK)?;
        for seconds in ticks(duration) {
            line(area, (x(seconds), top + 4), (x(seconds), top + 9), INK)?;
            let label = format!("{} s", (seconds * 1e9).round() / 1e9);
            text(area, &label, (x(seconds), top + 20), HPos::Center, INK)?;
        }
        Ok(())
    })?;
    let rows = &analysis.expectations.rows;
    let count = |is: &dyn Fn(&Outcome) -> bool| rows.iter().filter(|row| is(&row.outcome)).count();
    let used = count(&|outcome| *outcome == Outcome::Used);
    let omitted = match (left_out, analysis.expectations.omitted) {
        (0, 0) => String::new(),
        (lanes, rows) => {
            format!(" {lanes} more services and {rows} more expectations are not drawn.")
        }
    };
    Some(Figure {
        title: "When holes stood open",
        svg,
        words: format!(
            "A line for each of {}, from when it was expected to when it was used (a filled disc, {used} of them), \
             expired or was given up (a cross), or stood open at the end (an open disc); one lane for each helper and \
             server; seconds from the first frame.{omitted}",
            counted(rows.len() as u64, "expectation"),
        ),
    })
}

fn expectation(area: &Area<'_>, closed: &ClosedExpectation, [from, to]: [i32; 2], y: i32) -> Drawn {
    let is_open = closed.outcome == Outcome::Unused(Closed::StillOpen);
    let colour = match closed.outcome {
        Outcome::Used => USED,
        _ if is_open => OPEN,
        _ => UNUSED,
    };
    let thick = colour.stroke_width(2);
    area.draw(&PathElement::new(
        vec![(from, y), (to.max(from + 1), y)],
        thick,
    ))?;
    match closed.outcome {
        Outcome::Used => area.draw(&Circle::new((to, y), 3, colour.filled())),
        _ if is_open => area.draw(&Circle::new((to, y), 3, thick)),
        _ => area.draw(&Cross::new((to, y), 3, thick)),
    }
}

/// Who opened flows to whom, by an expectation.
fn visitors(analysis: &Analysis) -> Option<Figure> {
    let mut flows: BTreeMap<(IpAddr, IpAddr, &str), u64> = BTreeMap::new();
    for usage in analysis.exposure.services.values() {
        for (ends, related) in &usage.related {
            *flows.entry((ends.src, ends.dst, ends.helper)).or_default() += related.flows;
        }
    }
    if flows.is_empty() {
        return None;
    }
    let all = flows.len();
    let mut most: Vec<_> = flows.into_iter().collect();
    most.sort_by_key(|(_, flows)| Reverse(*flows));
    most.truncate(MOST_LANES);
    // Those of one helper stand together.
    most.sort_by_key(|((_, _, helper), _)| *helper);
    let largest = most.iter().map(|(_, flows)| *flows).max().unwrap_or(1);
    let [left, right] = [LABELS + 20, WIDTH as i32 - LABELS - 20];
    let height = LINE * most.len() as i32;
    let svg = drawing(height + LINE + 10, |area| {
        text(area, "opened by", (left - 8, 8), HPos::Right, INK)?;
        text(area, "to", (right + 8, 8), HPos::Left, INK)?;
        for (row, ((src, dst, helper), flows)) in (1..).zip(&most) {
            let y = row * LINE + 8;
            let width = 1 + (4 * flows / largest) as u32;
            let said = format!("{helper}, {}", counted(*flows, "flow"));
            text(area, &src.to_string(), (left - 8, y), HPos::Right, INK)?;
            text(area, &said, (left + 8, y), HPos::Left, INK)?;
            let shaft = vec![(left + 160, y), (right - 4, y)];
            area.draw(&PathElement::new(shaft, USED.stroke_width(width)))?;
            let tip = vec![(right - 10, y - 5), (right - 2, y), (right - 10, y + 5)];
            area.draw(&PathElement::new(tip, USED.stroke_width(2)))?;
            text(area, &dst.to_string(), (right + 8, y), HPos::Left, INK)?;
        }
        Ok(())
    })?;
    let told = most.iter().map(|((src, dst, helper), flows)| {
        format!("{src} to {dst}, {helper}, {}", counted(*flows, "flow"))
    });
    let told: Vec<String> = told.collect();
    let omitted = match all - most.len() {
        0 => String::new(),
        more => format!(" {more} more pairs are not drawn."),
    };
    Some(Figure {
        title: "Who came through them",
        svg,
        words: format!(
            "Expected flows, by who opened them and to whom: {}.{omitted}",
            told.join("; ")
        ),
    })
}

/// How many destinations a forger could open, with and without the rules.
fn reach(analysis: &Analysis) -> Option<Figure> {
    let proof = analysis.proof.as_ref().ok()?;
    let reach = proof.reach();
    let largest = reach.values().map(|(before, _)| *before).max()?.max(10);
    // A logarithmic scale from 1 pair on: some helpers open a port, others every port of every host.
    let decades = (largest as f64).log10().ceil();
    let room = f64::from(WIDTH as i32 - LABELS - 2 * MARGIN - 170);
    let length = |number: u128| match number {
        0 => 0,
        _ => 3 + (room * (number as f64).log10() / decades) as i32,
    };
    let bottom = reach.len() as i32 * 3 * LINE;
    let svg = drawing(bottom + LINE, |area| {
        let step = (decades as usize).div_ceil(8).max(1);
        for decade in (0..=decades as i32).step_by(step) {
            let x = LABELS + 3 + (room * f64::from(decade) / decades) as i32;
            line(area, (x, 2), (x, bottom), FAINT)?;
            let label = match decade {
                0 => "1".to_owned(),
                _ => format!("10^{decade}"),
            };
            text(area, &label, (x, bottom + 10), HPos::Center, INK)?;
        }
        for (index, (helper, (before, after))) in reach.iter().enumerate() {
            let top = index as i32 * 3 * LINE + 6;
            let bars = [
                (*before, "bare ct state related", UNUSED),
                (*after, "these rules", USED),
            ];
            text(area, helper, (8, top + LINE), HPos::Left, INK)?;
            for (row, (number, with, colour)) in (0..).zip(bars) {
                let y = top + row * LINE;
                text(area, with, (LABELS - 10, y + LINE / 2), HPos::Right, INK)?;
                let corners = [(LABELS, y + 3), (LABELS + length(number), y + LINE - 3)];
                area.draw(&Rectangle::new(corners, colour.filled()))?;
                let end = (LABELS + length(number) + 8, y + LINE / 2);
                text(area, &pairs(number), end, HPos::Left, INK)?;
            }
        }
        Ok(())
    })?;
    let told = reach.iter().map(|(helper, (before, after))| {
        format!(
            "{helper} {} with a bare ct state related, {} with these rules",
            pairs(*before),
            pairs(*after)
        )
    });
    let told: Vec<String> = told.collect();
    Some(Figure {
        title: "What a forger could open, before and after",
        svg,
        words: format!(
            "Pairs of address and port, on a logarithmic scale: {}.",
            told.join("; ")
        ),
    })
}

/// Round numbers from 0 on, eight at most.
fn ticks(end: f64) -> impl Iterator<Item = f64> {
    let power = 10f64.powf((end / 8.0).log10().floor());
    let steps = [1.0, 2.0, 5.0, 10.0].map(|step| step * power);
    let step = steps.into_iter().find(|step| end / step <= 8.0);
    let step = step.unwrap_or(end);
    (0..=8)
        .map(move |tick| f64::from(tick) * step)
        .take_while(move |at| *at <= end)
}

fn drawing(height: i32, draw: impl FnOnce(&Area<'_>) -> Drawn) -> Option<String> {
    let mut svg = String::new();
    let area =
        SVGBackend::with_string(&mut svg, (WIDTH, height.unsigned_abs())).into_drawing_area();
    // Into memory: what could fail is that there is none.
    draw(&area).and_then(|()| area.present()).ok()?;
    drop(area);
    Some(svg)
}

fn line(area: &Area<'_>, from: (i32, i32), to: (i32, i32), colour: RGBColor) -> Drawn {
    area.draw(&PathElement::new(vec![from, to], colour.stroke_width(1)))
}

fn text(area: &Area<'_>, words: &str, at: (i32, i32), side: HPos, colour: RGBColor) -> Drawn {
    let style = ("sans-serif", 13).into_font().color(&colour);
    let style = style.pos(Pos::new(side, VPos::Center));
    area.draw(&Text::new(words.to_owned(), at, style))
}
