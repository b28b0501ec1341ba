//! For those who carry it on: the way of one packet through the program, and how to add to it.
//!
//! # From a packet to a rule
//!
//! `ctaudit analyse samples/office.pcapng` ends with rules (`reports/office.txt` holds what it prints). Two of them are there
//! because of frame 245, in which an FTP client says where it listens, and frame 249, in which the server comes. This is
//! what becomes of the two: what is known at each step, and which file decides it.
//!
//! ```text
//! frame 245   192.0.2.11:39768 -> 198.51.100.21:21   PORT 192,0,2,11,194,153
//! frame 249   198.51.100.21:20 -> 192.0.2.11:49817   SYN
//! ```
//!
//! ## 1. Capture: a frame
//!
//! [`Capture::open`] takes paths, [`Capture::next`] gives one [`Frame`] after the other. `src/capture/pcapng.rs` finds the
//! block; it would find the next one behind damage, too. Known now: number 245, its time, link type 1, the interface
//! `lan`, and 91 bytes. Nobody has looked at the bytes yet.
//!
//! ## 2. Replay: who reads and who follows
//!
//! [`Replay::read_ahead`] puts two threads before the caller (`src/replay/ahead.rs`). The reader takes frames from the
//! capture and decodes them (`src/replay/intake.rs`), until a batch holds 1 MiB or 4096 of them
//! (`src/replay/batch.rs`). The follower takes a batch through the firewall (`src/replay/follow.rs`) and writes beside
//! each frame what the firewall said. [`Replay::advance`] hands out the frames of followed batches, one at a time, as
//! [`Passage`]s. Batches go round in order, so what comes out does not depend on threads. Steps 3 and 4 are the
//! reader's, 5 to 8 the follower's; from 9 on all is the caller's.
//!
//! ## 3. Link and IP: a packet
//!
//! [`Decoder::decode`] asks [`network_layer`] where IP begins. `src/packet/link/mod.rs` knows what each link type begins
//! with; for Ethernet, `ethernet.rs` beside it reads the EtherType 0x0800 and passes on what is behind byte 14. Then
//! `src/packet/ip.rs` reads lengths and addresses and refuses what Linux refuses, `src/packet/fragment` gathers pieces,
//! and [`ip::transport`] finds the TCP header at byte 20. A [`Packet`] is known now: 192.0.2.11 to 198.51.100.21, TCP, a
//! datagram of 77 bytes that stands in its frame as it is and is not copied. With an unread link it would have ended here
//! as a [`NoIp`], with a bad header as an [`Unseen`]: both are counted, and told by name.
//!
//! ## 4. Its key
//!
//! [`conntrack::key`] reads the ports, 39768 and 21, and makes the [`Tuple`] and the hash that its flow is found by.
//!
//! ## 5. Conntrack: a flow and its state
//!
//! [`Firewall::packet`] gives the packet to [`Tracker::packet`]. [`Tracker::enter`] (`src/conntrack/tracker/mod.rs`) first
//! lets everything time out that is due, then finds the entry. Frame 160, the SYN, made it: NEW, to port 21, and so
//! [`Tracker::attach_configured`] gave it the helper `ftp`, as [`Config::assignments`] says. Since then the server has
//! answered. `src/conntrack/tcp` holds 245 against the window that its two ends have agreed on, and takes it. Known now:
//! the [`Verdict`](crate::conntrack::Verdict): ESTABLISHED, original direction, `attached`.
//!
//! ## 6. Helper: a command
//!
//! [`Tracker::leave`] takes the packet to its way out, where Linux has its helpers read (`nf_confirm`). The helper is shown
//! a [`Message`], and its [`message`](crate::helper::Helper::message) asks what it wants of a [`Master`]. `src/helper/ftp.rs` decides:
//! bytes 0 to 22 are a PORT command at the beginning of a line; the address is the speaker's own, so it is taken from the
//! flow and not from the bytes; the port is 194 * 256 + 153 = 49817, from bytes 16 to 22. Had the address been another's,
//! [`Master::decline`] would have noted why nothing is expected.
//!
//! ## 7. Expectation: a hole
//!
//! The helper calls [`Master::expect`] with an [`Expectation`]: TCP, from 198.51.100.21, any port, to 192.0.2.11:49817. Each
//! field is [`Sourced`], so that everybody behind can tell whose word it is: the source address is the flow's
//! ([`Origin::Conntrack`]), the port the client's ([`Origin::Command`]). `src/conntrack/tracker/helped.rs` is the master. It
//! asks `src/conntrack/expect.rs` whether another one stands in the way, makes room where the policy of
//! [`Spec::policies`](crate::helper::Spec::policies) (one at a time, 300 s) is used up, and tells [`Event::ExpectationNew`]. The [`Step`] of frame 245 is
//! whole: a verdict and one event. `ctaudit events --json` prints just this, and it is what is held against the record of
//! the kernel beside the sample.
//!
//! ## 8. Frame 249: somebody comes
//!
//! 0.357 ms later no entry has the tuple of frame 249. `src/conntrack/tracker/mod.rs` makes one, and before that asks
//! `src/conntrack/tracker/expecting.rs`, which finds the expectation: it is used up ([`Event::ExpectationDestroy`], for
//! [`Closed::Matched`]), and the flow is RELATED, with `ftp` as its master's helper ([`Event::ConntrackNew`]). Without the
//! helper this SYN is NEW.
//!
//! ## 9. Exposure and findings: what came of it
//!
//! [`Analysis::observe`] shows the passage to all that learn from it.
//!
//! - [`Exposure::observe`] sums (`src/exposure/lives.rs`): the [`Service`] `ftp tcp 198.51.100.21:21` has one more
//!   expectation that was used, open for 0.357 ms, to nobody else. [`Ends`] joins server and client, for the client's
//!   control connection, and [`Related`] keeps frame 249 and port 49817.
//! - [`Watch::observe`] listens to the control connection as its ends do, as a stream ([`dialogue`](crate::dialogue)), and asks every
//!   [`Entry`](crate::findings::Entry) of the catalogue that concerns ftp. `src/findings/ftp` could have said that 49817 is the
//!   port of a service, or that the client had not logged in. It says nothing: there is no finding.
//! - [`Evidence::observe`] notes that 249 is needed (`src/proof/needed.rs`), and [`Excerpt::observe`] keeps both packets
//!   for the proof.
//!
//! ## 10. Verdict: needed
//!
//! After the last frame [`Grounds::verdicts`](crate::verdict::Grounds::verdicts) goes through the services. Of this one
//! [`Use::is_needed`] holds: flows came that would be NEW otherwise. So it is [`Worth::Needed`], and as nothing was open to
//! anybody and no expectation led to a third host, no [`Danger`] stands beside it. `src/verdict/mod.rs` decides,
//! `src/verdict/text.rs` has the words: "12 flows would be NEW without it", frames 249, 344, 386.
//!
//! ## 11. Proposal: two rules
//!
//! [`Proposal::of`] turns what the service needed into rules, without a language: one [`Attach`] (`ftp` for
//! tcp/21 of 198.51.100.21, to its clients) and, for what came from the server, one [`Accept`]. `src/proposal/pairs.rs`
//! puts ends together that have the same ports, `prefixes.rs` their addresses, and `ports.rs` finds the range of which the
//! seven ports that were seen are a sample: 30353 to 62209. Each [`Proposed`] carries its frames.
//!
//! ## 12. Rule set: in a language
//!
//! [`Proposal::ruleset`] lays the rules out for a [`Target`] (`src/proposal/layout.rs`): which chain, at which hook, in
//! which order. What comes out is a [`Ruleset`], the one model of rules that all languages share, and [`nftables::write`]
//! puts it in words:
//!
//! ```text
//! ct state related ct helper "ftp" ip saddr 198.51.100.21 ip daddr { 192.0.2.11, 192.0.2.12/31 }
//!     tcp dport 30353-62209 accept comment "frames 249, 386, 673; 7 flows to 7 of 31857 ports"
//! ```
//!
//! ## 13. Proof: it does what it says
//!
//! [`Analysis::prove`] has the text read again by [`Ruleset::read`], so that what is proved is what will be loaded. The
//! packets of the excerpt go through a second firewall that has these rules and attaches nothing by itself
//! ([`Proof::packet`]). Frame 160 meets the rule that attaches, 245 is read, 249 is RELATED and meets the rule that
//! accepts. `src/ruleset/evaluate.rs` takes it through the chains; [`Passed::hangs_on`] notes both rules, so that "lost
//! without it" can be printed beside each. [`Proof::holds`] where nothing needed was lost, nothing else let in, and nothing
//! left unread. [`forgery`](crate::forgery) then says the PORT again with another port, another address, from another host: what of that
//! gets through stands below the proof.
//!
//! ## 14. Report
//!
//! [`sections::all`] composes a [`Page`] of [`Section`]s, tables and texts, once, from the analysis (`src/report/sections`).
//! [`terminal::page`], [`markdown::page`] and [`html::page`] show the same page, each in its own way. JSON and SARIF
//! ([`sarif::log`]) are made from the analysis itself. Frame 245 is in the table of expectations now, 249 in that of
//! related flows, and both rules under "Recommended rules".
//!
//! [`Capture::open`]: crate::capture::Capture::open
//! [`Capture::next`]: crate::capture::Capture::next
//! [`Frame`]: crate::capture::Frame
//! [`Replay::read_ahead`]: crate::replay::Replay::read_ahead
//! [`Replay::advance`]: crate::replay::Replay::advance
//! [`Passage`]: crate::replay::Passage
//! [`Decoder::decode`]: crate::packet::Decoder::decode
//! [`network_layer`]: crate::packet::link::network_layer
//! [`ip::transport`]: crate::packet::ip::transport
//! [`Packet`]: crate::packet::Packet
//! [`NoIp`]: crate::packet::link::NoIp
//! [`Unseen`]: crate::packet::Unseen
//! [`conntrack::key`]: crate::conntrack::key
//! [`Tuple`]: crate::tuple::Tuple
//! [`Firewall::packet`]: crate::firewall::Firewall::packet
//! [`Tracker::packet`]: crate::conntrack::Tracker::packet
//! [`Tracker::enter`]: crate::conntrack::Tracker::enter
//! [`Tracker::leave`]: crate::conntrack::Tracker::leave
//! [`Tracker::attach_configured`]: crate::conntrack::Tracker::attach_configured
//! [`Config::assignments`]: crate::conntrack::config::Config::assignments
//! [`Message`]: crate::helper::Message
//! [`Master`]: crate::helper::Master
//! [`Master::decline`]: crate::helper::Master::decline
//! [`Master::expect`]: crate::helper::Master::expect
//! [`Expectation`]: crate::expectation::Expectation
//! [`Sourced`]: crate::expectation::Sourced
//! [`Origin::Conntrack`]: crate::expectation::Origin::Conntrack
//! [`Origin::Command`]: crate::expectation::Origin::Command
//! [`Event::ExpectationNew`]: crate::conntrack::event::Event::ExpectationNew
//! [`Event::ExpectationDestroy`]: crate::conntrack::event::Event::ExpectationDestroy
//! [`Event::ConntrackNew`]: crate::conntrack::event::Event::ConntrackNew
//! [`Closed::Matched`]: crate::conntrack::event::Closed::Matched
//! [`Step`]: crate::conntrack::Step
//! [`Analysis::observe`]: crate::analysis::Analysis::observe
//! [`Analysis::prove`]: crate::analysis::Analysis::prove
//! [`Exposure::observe`]: crate::exposure::Exposure::observe
//! [`Ends`]: crate::exposure::Ends
//! [`Related`]: crate::exposure::Related
//! [`Use::is_needed`]: crate::exposure::Use::is_needed
//! [`Service`]: crate::service::Service
//! [`Watch::observe`]: crate::findings::Watch::observe
//! [`Evidence::observe`]: crate::proof::Evidence::observe
//! [`Excerpt::observe`]: crate::excerpt::Excerpt::observe
//! [`Worth::Needed`]: crate::verdict::Worth::Needed
//! [`Danger`]: crate::verdict::Danger
//! [`Proposal::of`]: crate::proposal::Proposal::of
//! [`Proposal::ruleset`]: crate::proposal::Proposal::ruleset
//! [`Attach`]: crate::proposal::Attach
//! [`Accept`]: crate::proposal::Accept
//! [`Proposed`]: crate::proposal::Proposed
//! [`Target`]: crate::proposal::Target
//! [`Ruleset`]: crate::ruleset::Ruleset
//! [`Ruleset::read`]: crate::ruleset::Ruleset::read
//! [`nftables::write`]: crate::ruleset::nftables::write
//! [`Proof::packet`]: crate::proof::Proof::packet
//! [`Proof::holds`]: crate::proof::Proof::holds
//! [`Passed::hangs_on`]: crate::firewall::Passed::hangs_on
//! [`sections::all`]: crate::report::sections::all
//! [`Page`]: crate::report::page::Page
//! [`Section`]: crate::report::page::Section
//! [`terminal::page`]: crate::report::terminal::page
//! [`markdown::page`]: crate::report::markdown::page
//! [`html::page`]: crate::report::html::page
//! [`sarif::log`]: crate::report::sarif::log
