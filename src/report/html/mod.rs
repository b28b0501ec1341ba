//! The report for a meeting: one file that fetches nothing, reads without scripts, and prints.
//!
//! What there is to decide comes first, each verdict with its evidence folded beneath it; then what is drawn; then everything
//! that the other forms show, in their words.

mod figures;

use maud::{DOCTYPE, Markup, PreEscaped, html};

use super::listed;
use super::page::{Block, Page, Section, Table};
use super::sections::{self, endpoint, seconds};
use crate::analysis::Analysis;
use crate::verdict::{Verdict, Worth, counted};
use figures::Figure;

/// The whole document.
pub fn page(title: &str, page: &Page, analysis: &Analysis) -> String {
    let figures = figures::all(analysis);
    let first = FIRST.iter().filter_map(|title| section_of(page, title));
    let rest = page
        .sections
        .iter()
        .filter(|section| section.title != VERDICTS && !FIRST.contains(&section.title.as_str()));
    let sections: Vec<&Section> = first.chain(rest).collect();
    let verdicts = section_of(page, VERDICTS);
    let (shown, _) = sections::listed_verdicts(analysis);
    let not_seen: Vec<&str> = analysis.not_seen().collect();
    let document = html! {
        (DOCTYPE)
        html lang="en" {
            head {
                meta charset="utf-8";
                meta name="viewport" content="width=device-width, initial-scale=1";
                meta name="color-scheme" content="light dark";
                meta http-equiv="Content-Security-Policy" content=(POLICY);
                meta name="generator" content={ "ctaudit " (env!("CARGO_PKG_VERSION")) };
                title { (title) }
                style { (PreEscaped(include_str!("style.css"))) }
            }
            body {
                a.skip href="#main" { "To the verdicts" }
                header {
                    h1 { (title) }
                    p { (summary(analysis)) }
                    nav aria-label="Sections" {
                        ul {
                            li { a href="#verdicts" { (VERDICTS) } }
                            @if !figures.is_empty() { li { a href="#figures" { "At a glance" } } }
                            @for section in &sections {
                                li { a href={ "#" (name(&section.title)) } { (section.title) } }
                            }
                        }
                    }
                }
                main id="main" {
                    section id="verdicts" aria-labelledby="verdicts-title" {
                        h2 id="verdicts-title" { (VERDICTS) }
                        @if let Some(section) = verdicts { p.remark { (section.remark) } }
                        @for verdict in &shown { (verdict_card(verdict)) }
                        @if let Some(section) = verdicts { (more_of(section)) }
                        @if !not_seen.is_empty() { p { "Attached, and not seen: " (not_seen.join(", ")) "." } }
                    }
                    @if !figures.is_empty() {
                        section id="figures" aria-labelledby="figures-title" {
                            h2 id="figures-title" { "At a glance" }
                            @for figure in &figures { (drawn(figure)) }
                        }
                    }
                    @for section in sections { (whole(section)) }
                }
                footer {
                    p { "Made by ctaudit " (env!("CARGO_PKG_VERSION")) ". Times are UTC. This file fetches nothing." }
                }
                script { (PreEscaped(include_str!("copy.js"))) }
            }
        }
    };
    document.into_string()
}

fn section_of<'p>(page: &'p Page, title: &str) -> Option<&'p Section> {
    page.sections.iter().find(|section| section.title == title)
}

/// What it comes to, in a sentence or two.
fn summary(analysis: &Analysis) -> String {
    let totals = &analysis.exposure.totals;
    let verdicts = analysis.verdicts();
    let needed = verdicts
        .iter()
        .filter(|verdict| verdict.worth == Worth::Needed)
        .count();
    let proof = match &analysis.proof {
        Ok(proof) => sections::verdict(proof).to_owned(),
        Err(why) => format!("the rules are not proved, because {why}"),
    };
    format!(
        "{} in {}. A helper was attached at {}, and the traffic needs it at {needed} of them. {}.",
        counted(totals.frames, "frame"),
        seconds(totals.duration()),
        counted(verdicts.len() as u64, "service"),
        capital(&proof),
    )
}

/// A verdict, and beneath it what it stands on.
fn verdict_card(verdict: &Verdict<'_>) -> Markup {
    let (service, usage) = (&verdict.service, verdict.usage);
    let worth = verdict.worth.name();
    let dangers: Vec<String> = verdict.dangers.iter().map(|danger| danger.text()).collect();
    let frames = verdict.frames();
    let lacks = verdict.lacks();
    let clients: Vec<String> = usage
        .clients
        .iter()
        .take(MOST_NAMED)
        .map(ToString::to_string)
        .collect();
    let further = (usage.clients.len() - clients.len()) as u64 + usage.clients_omitted;
    html! {
        article.verdict data-worth=(name(worth)) data-dangerous[!dangers.is_empty()] {
            h3 {
                span.badge { (worth) @if !dangers.is_empty() { ", dangerous" } }
                " " (service.helper) " at " (service.protocol) " " (endpoint(service.server, service.port))
            }
            p { (capital(&verdict.because())) @for danger in &dangers { "; " (danger) } "." }
            @if let Worth::CannotHelp(obstacle) = &verdict.worth { p { "Instead: " (obstacle.instead()) "." } }
            details {
                summary { "Evidence for " (service.helper) " at " (endpoint(service.server, service.port)) }
                dl {
                    dt { "frames" } dd { @if frames.is_empty() { "none" } @else { (listed(&frames)) } }
                    dt { "capture of its control connections" } dd { @if lacks.is_empty() { "whole" } @else { (lacks) } }
                    dt { "control connections" } dd { (usage.controls) }
                    dt { "from" } dd { (clients.join(", ")) @if further > 0 { ", and " (further) " more" } }
                    dt { "expectations" } dd { (usage.expected) ", of which flows came for " (usage.used) "; " (usage.refreshed) " refreshed, " (usage.evicted) " evicted" }
                    dt { "stood open" } dd { (seconds(usage.open)) ", of that " (seconds(usage.open_for_nothing)) " for nobody, and " (seconds(usage.open_to_anybody)) " to anybody" }
                }
                @if !usage.related.is_empty() {
                    p { "Who came:" }
                    ul {
                        @for (ends, related) in usage.related.iter().take(MOST_NAMED) {
                            li { (ends.src) " to " (ends.dst) ", " (ends.protocol) " of " (ends.helper) ": " (counted(related.flows, "flow")) ", in frames " (listed(&related.packets)) }
                        }
                        @if usage.related.len() > MOST_NAMED { li { "and " (usage.related.len() - MOST_NAMED) " more pairs" } }
                    }
                }
                @if !usage.refusals.is_empty() {
                    p { "What opened nothing:" }
                    ul {
                        @for (reason, refused) in &usage.refusals {
                            li { (reason) ": " (counted(refused.seen.times, "time")) ", first in frame " (refused.seen.first) }
                        }
                    }
                }
            }
        }
    }
}

/// How many rows its tables lack.
fn more_of(section: &Section) -> Markup {
    html! {
        @for block in &section.blocks {
            @if let Block::Table(table) = block {
                @if table.omitted > 0 { p { (table.more()) "." } }
            }
        }
    }
}

fn drawn(figure: &Figure) -> Markup {
    html! {
        figure {
            h3 { (figure.title) }
            div.scroll tabindex="0" role="region" aria-label={ "Drawing: " (figure.title) } {
                div role="img" aria-label=(figure.words) { (PreEscaped(&figure.svg)) }
            }
            figcaption { (figure.words) }
        }
    }
}

fn whole(section: &Section) -> Markup {
    let id = name(&section.title);
    let title = format!("{id}-title");
    html! {
        section id=(id) aria-labelledby=(title) {
            h2 id=(title) { (section.title) }
            @if !section.remark.is_empty() { p.remark { (section.remark) } }
            @for block in &section.blocks { (self::block(&section.title, block)) }
        }
    }
}

fn block(title: &str, block: &Block) -> Markup {
    match block {
        Block::Table(table) if table.rows.len() > FOLDED => html! {
            details {
                summary { (counted(table.rows.len() as u64, "row")) " of " (title) }
                (self::table(title, table))
            }
        },
        Block::Table(table) => self::table(title, table),
        Block::Text(text) => html! { p { (text) } },
        Block::List(items) => html! {
            ul {
                @for item in items {
                    li {
                        (item.text)
                        @if !item.commands.is_empty() { (code(title, &item.commands.join("\n"))) }
                    }
                }
            }
        },
        Block::Code(text) => code(title, text),
    }
}

fn code(title: &str, text: &str) -> Markup {
    html! { div.code { pre tabindex="0" aria-label=(title) { code { (text) } } } }
}

fn table(title: &str, table: &Table) -> Markup {
    // A section may have several tables: the first header tells them apart.
    let first = table.headers.first().map_or("", String::as_str);
    html! {
        div.scroll tabindex="0" role="region" aria-label={ "Table: " (title) ", by " (first) } {
            table {
                thead { tr { @for (column, header) in table.headers.iter().enumerate() {
                    th scope="col" class=[table.numbers.contains(&column).then_some("number")] { (header) }
                } } }
                tbody { @for row in &table.rows { tr { @for (column, cell) in row.iter().enumerate() {
                    td class=[table.numbers.contains(&column).then_some("number")] { (cell) }
                } } } }
            }
        }
        @if table.omitted > 0 { p { (table.more()) "." } }
    }
}

/// As a sentence begins.
fn capital(text: &str) -> String {
    let mut letters = text.chars();
    let first = letters.next().into_iter().flat_map(char::to_uppercase);
    first.chain(letters.as_str().chars()).collect()
}

/// A title as a part of an address: of our own words, and letters and digits of them alone.
fn name(title: &str) -> String {
    let words = title.split(|letter: char| !letter.is_ascii_alphanumeric());
    let words: Vec<String> = words
        .filter(|word| !word.is_empty())
        .map(str::to_ascii_lowercase)
        .collect();
    words.join("-")
}

const VERDICTS: &str = "Helpers";
/// What a meeting asks for first, in that order.
const FIRST: [&str; 8] = [
    "Findings",
    "Exposure",
    "Recommended rules",
    "Proof",
    "Rules for nft -f",
    "What belongs with the rules",
    "What a forger could open",
    "What the capture could not show",
];
/// Rows of a table that is folded.
const FOLDED: usize = 30;
/// Hosts that a verdict names.
const MOST_NAMED: usize = 20;
/// Nothing is fetched, nor sent.
const POLICY: &str = "default-src 'none'; style-src 'unsafe-inline'; script-src 'unsafe-inline'; base-uri 'none'; form-action 'none'";
