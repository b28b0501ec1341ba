//! Replays captures through a deterministic simulation of Linux connection tracking and its helpers, and says which
//! helpers the traffic needs, what they opened, to whom, on whose word, and which rules keep just that working.
//!
//! [`guide`] follows one packet through all of it, and says how to add a helper, a link type, a finding or a language of
//! rules.
//!
//! # The layers
//!
//! A capture flows through them in a straight line; each knows only those before it.
//!
//! ```text
//! file -> capture::Frame -> packet::Packet -> conntrack::Tracker -> Step -> exposure ---------> verdict -> proposal -> report
//!                                                 |  ^               |                        |
//!                                      Message    v  |  Master       +---> dialogue -> findings
//!                                                helper              +---> discovery
//! ```
//!
//! ## [`mod@time`], [`mod@tuple`], [`mod@expectation`], [`kernel`], [`room`]
//! The nouns of the domain. Time is the capture's: nothing here asks a clock. A kernel is a set of behaviours. Room is
//! what bounds the tables that a capture would fill without end. (Beneath them, `stored` is how sums are kept in a file.)
//!
//! ## [`capture`]
//! Files, directories, pipes and standard input as frames, in the order of time, and on behind what is damaged. It does
//! not know what is in a frame.
//!
//! ## [`packet`]
//! Link layers, tunnels, IP headers, fragments, what was captured twice, and what a router does with a packet. It does not
//! know flows.
//!
//! ## [`content`]
//! What a payload looks like, whatever the port: a control protocol, by the name of its helper, or what is found in
//! its place. It knows neither flows nor helpers.
//!
//! ## [`helper`]
//! A file or folder a protocol, and a folder for conntrackd's: which bytes of a payload ask for which hole. A helper is
//! shown one packet, and asks what it wants of the connection that it reads, its `Master`; it does not know the tracker,
//! the clock or another helper.
//!
//! ## [`conntrack`]
//! The table, the trackers of the protocols, expectations, timers: a verdict and events for each packet. It knows
//! helpers by their records only. Its [`Step`](conntrack::Step) is the seam of the program: one record a packet, with
//! the names under which the kernel would report the same.
//!
//! ## [`ruleset`]
//! What nft and iptables-save say, in one model, a file a language, and what it does to a packet that conntrack has
//! seen.
//!
//! ## [`firewall`]
//! Conntrack and the rules around it.
//!
//! ## [`replay`]
//! All of the above in a row, for one input: what is read and decoded, batch by batch, ahead of what follows the flows.
//!
//! ## [`topology`]
//! The firewall's interfaces and the networks behind each.
//!
//! ## [`service`]
//! A server by its helper: what verdicts, findings and rules are about.
//!
//! ## [`forgery`]
//! The capture's own control traffic in other words: what a forger of it could get through a rule set. It knows no
//! protocol, only which bytes an expectation was read from.
//!
//! ## [`exposure`]
//! What was opened, to whom, for how long, and what came of it, summed from steps. It does not know packets' contents.
//!
//! ## [`dialogue`]
//! What the two ends of a control connection say, as they read it themselves: a stream, where a helper reads segments.
//! It remembers a few lines of each connection, and judges nothing.
//!
//! ## [`findings`]
//! What is known to go wrong with helpers, a file or folder a protocol: entries of a catalogue, each with the small
//! function that finds it in a dialogue and the expectations of its helper.
//!
//! ## [`discovery`]
//! Control protocols on ports that no helper is attached to.
//!
//! ## [`verdict`]
//! Which helpers are needed, inert, or of no help, and why: what the four above come to, service by service.
//!
//! ## [`compare`], [`what_if`]
//! A second tracker shown the same packets: of another kernel, where the two disagree; of a firewall that is set up
//! otherwise, what that would have opened.
//!
//! ## [`proposal`]
//! The rules that the needed flows ask for, as a rule set, and what belongs with it on the firewall.
//!
//! ## [`proof`]
//! What a rule set does to the traffic: what it lets in, loses and is for, and what a forger could open through it.
//!
//! ## [`excerpt`]
//! Of one replay, the packets that rules may treat differently, for a proof of the rules that it led to.
//!
//! ## [`analysis`]
//! One replay and all that is made of it: every layer above that is shown packets, and then the rules and their proof.
//!
//! ## [`explain`]
//! One frame: what it brought, what conntrack made of it, what it caused, and what became of that.
//!
//! ## [`sums`]
//! What several analyses come to together, each of captures and a conntrack of its own.
//!
//! ## [`report`]
//! Tables, the catalogue, events, JSON, CSV and Parquet; a file a format. It writes to what it is given.
//!
//! ## `cli`
//! The commands, where the feature of this name is on. The only place that opens files, prints and ends the program.

#![forbid(unsafe_code)]

pub mod analysis;
pub mod capture;
#[cfg(feature = "cli")]
pub mod cli;
pub mod compare;
pub mod conntrack;
pub mod content;
pub mod dialogue;
pub mod discovery;
pub mod excerpt;
pub mod expectation;
pub mod explain;
pub mod exposure;
pub mod findings;
pub mod firewall;
pub mod forgery;
pub mod guide;
pub mod helper;
pub mod kernel;
pub mod packet;
pub mod proof;
pub mod proposal;
pub mod replay;
pub mod report;
pub mod room;
pub mod ruleset;
pub mod service;
mod stored;
pub mod sums;
pub mod time;
pub mod topology;
pub mod tuple;
pub mod verdict;
pub mod what_if;
