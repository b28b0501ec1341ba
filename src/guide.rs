//! For those who carry it on: the way of one packet through the program, and how to add to it.
//!
//! # From a packet to a rule
//!
//! `ctaudit analyse samples/office.pcapng` ends with rules (`reports/office.txt` holds what it prints). Two of them are
//! there because of frame 245, in which an FTP client says where it listens, and frame 249, in which the server comes.
//! This is what becomes of the two: what is known at each step, and which file decides it.
//!
//! ```text
//! frame 245   192.0.2.11:39768 -> 198.51.100.21:21   PORT 192,0,2,11,194,153
//! frame 249   198.51.100.21:20 -> 192.0.2.11:49817   SYN
//! ```
//!
//! ## 1. Capture: a frame
//!
//! [`Capture::open`] takes paths, [`Capture::next`] gives one [`Frame`] after the other. `src/capture/pcapng.rs` finds
//! the block; it would find the next one behind damage, too. Known now: number 245, its time, link type 1, the
//! interface `lan`, and 91 bytes. Nobody has looked at the bytes yet.
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
//! [`Decoder::decode`] asks [`network_layer`] where IP begins. `src/packet/link/mod.rs` knows what each link type
//! begins with; for Ethernet, `ethernet.rs` beside it reads the EtherType 0x0800 and passes on what is behind byte 14.
//! Then `src/packet/ip.rs` reads lengths and addresses and refuses what Linux refuses, `src/packet/fragment` gathers
//! pieces, and [`ip::transport`] finds the TCP header at byte 20. A [`Packet`] is known now: 192.0.2.11 to
//! 198.51.100.21, TCP, a datagram of 77 bytes that stands in its frame as it is and is not copied. With an unread link
//! it would have ended here as a [`NoIp`], with a bad header as an [`Unseen`]: both are counted, and told by name.
//!
//! ## 4. Its key
//!
//! [`conntrack::key`] reads the ports, 39768 and 21, and makes the [`Tuple`] and the hash that its flow is found by.
//!
//! ## 5. Conntrack: a flow and its state
//!
//! [`Firewall::packet`] gives the packet to [`Tracker::packet`]. [`Tracker::enter`] (`src/conntrack/tracker/mod.rs`)
//! first lets everything time out that is due, then finds the entry. Frame 160, the SYN, made it: NEW, to port 21, and
//! so [`Tracker::attach_configured`] gave it the helper `ftp`, as [`Config::assignments`] says. Since then the server
//! has answered. `src/conntrack/tcp` holds 245 against the window that its two ends have agreed on, and takes it. Known
//! now: the [`Verdict`]: ESTABLISHED, original direction, `attached`.
//!
//! ## 6. Helper: a command
//!
//! [`Tracker::leave`] takes the packet to its way out, where Linux has its helpers read (`nf_confirm`). The helper is
//! shown a [`Message`], and its [`message`] asks what it wants of a [`Master`]. `src/helper/ftp.rs` decides: bytes 0 to
//! 22 are a PORT command at the beginning of a line; the address is the speaker's own, so it is taken from the flow and
//! not from the bytes; the port is 194 * 256 + 153 = 49817, from bytes 16 to 22. Had the address been another's,
//! [`Master::decline`] would have noted why nothing is expected.
//!
//! ## 7. Expectation: a hole
//!
//! The helper calls [`Master::expect`] with an [`Expectation`]: TCP, from 198.51.100.21, any port, to 192.0.2.11:49817.
//! Each field is [`Sourced`], so that everybody behind can tell whose word it is: the source address is the flow's
//! ([`Origin::Conntrack`]), the port the client's ([`Origin::Command`]). `src/conntrack/tracker/helped.rs` is the
//! master. It asks `src/conntrack/expect.rs` whether another one stands in the way, makes room where the policy of
//! [`Spec::policies`] (one at a time, 300 s) is used up, and tells [`Event::ExpectationNew`]. The [`Step`] of frame 245
//! is whole: a verdict and one event. `ctaudit events --json` prints just this, and it is what is held against the
//! record of the kernel beside the sample.
//!
//! ## 8. Frame 249: somebody comes
//!
//! 0.357 ms later no entry has the tuple of frame 249. `src/conntrack/tracker/mod.rs` makes one, and before that asks
//! `src/conntrack/tracker/expecting.rs`, which finds the expectation: it is used up ([`Event::ExpectationDestroy`], for
//! [`Closed::Matched`]), and the flow is RELATED, with `ftp` as its master's helper ([`Event::ConntrackNew`]). Without
//! the helper this SYN is NEW.
//!
//! ## 9. Exposure and findings: what came of it
//!
//! [`Analysis::observe`] shows the passage to all that learn from it.
//!
//! - [`Exposure::observe`] sums (`src/exposure/lives.rs`): the [`Service`] `ftp tcp 198.51.100.21:21` has one more
//!   expectation that was used, open for 0.357 ms, to nobody else. [`Ends`] joins server and client, for the client's
//!   control connection, and [`Related`] keeps frame 249 and port 49817.
//! - [`Watch::observe`] listens to the control connection as its ends do, as a stream ([`dialogue`]), and asks every
//!   [`Entry`] of the catalogue that concerns ftp. `src/findings/ftp` could have said that 49817 is the port of a
//!   service, or that the client had not logged in. It says nothing: there is no finding.
//! - [`Evidence::observe`] notes that 249 is needed (`src/proof/needed.rs`), and [`Excerpt::observe`] keeps both
//!   packets for the proof.
//!
//! ## 10. Verdict: needed
//!
//! After the last frame [`Grounds::verdicts`] goes through the services. Of this one [`Use::is_needed`] holds: flows
//! came that would be NEW otherwise. So it is [`Worth::Needed`], and as nothing was open to anybody and no expectation
//! led to a third host, no [`Danger`] stands beside it. `src/verdict/mod.rs` decides, `src/verdict/text.rs` has the
//! words: "12 flows would be NEW without it", frames 249, 344, 386.
//!
//! ## 11. Proposal: two rules
//!
//! [`Proposal::of`] turns what the service needed into rules, without a language: one [`Attach`] (`ftp` for tcp/21 of
//! 198.51.100.21, to its clients) and, for what came from the server, one [`Accept`]. `src/proposal/pairs.rs` puts ends
//! together that have the same ports, `prefixes.rs` their addresses, and `ports.rs` finds the range of which the seven
//! ports that were seen are a sample: 30353 to 62209. Each [`Proposed`] carries its frames.
//!
//! ## 12. Rule set: in a language
//!
//! [`Proposal::ruleset`] lays the rules out for a [`Target`] (`src/proposal/layout.rs`): which chain, at which hook, in
//! which order. What comes out is a [`Ruleset`], the one model of rules that all languages share, and
//! [`nftables::write`] puts it in words:
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
//! without it" can be printed beside each. [`Proof::holds`] where nothing needed was lost, nothing else let in, and
//! nothing left unread. [`forgery`] then says the PORT again with another port, another address, from another host:
//! what of that gets through stands below the proof.
//!
//! ## 14. Report
//!
//! [`sections::all`] composes a [`Page`] of [`Section`]s, tables and texts, once, from the analysis
//! (`src/report/sections`). [`terminal::page`], [`markdown::page`] and [`html::page`] show the same page, each in its
//! own way. JSON and SARIF ([`sarif::log`]) are made from the analysis itself. Frame 245 is in the table of
//! expectations now, 249 in that of related flows, and both rules under "Recommended rules".
//!
//! Where tables were asked for, [`Sums`] lies beside them: all that `ctaudit merge` adds up. What is summed anew has to
//! be taken in by an `absorb`, and a frame's number be counted on by a `count_on`; `tests/command/merge.rs` holds the
//! outcome against that of one run.
//!
//! # How to add
//!
//! Of a helper, a link type, a finding and a language one of each was added and taken out again: the lists are the
//! files that it took. What the compiler or a test asks for says so; the rest is asked for by nobody, and belongs to it
//! all the same.
//!
//! ## A helper
//!
//! Some sixteen files and the reports, three of them in `src`. `tftp` is the shortest to begin from.
//!
//! | file | what to put there | asked for by |
//! |---|---|---|
//! | `src/helper/NAME.rs` | [`Spec`] and [`Helper`]: the head says why a second flow is needed, what is read and what is not checked, and names the kernel's file | |
//! | `src/helper/mod.rs` | `mod NAME;`, and `NAME::SPECS` in [`all`] | an unused constant |
//! | `src/content/datagram.rs` or `stream.rs` | what recognises its messages on other ports ([`content::of`]) | `content::kinds_are_helpers` |
//! | `tests/content/examples.rs` | a message as the standard has it | the same |
//! | `tests/helper/NAME.rs`, `mod.rs` | bytes in, expectations out, on a `Bench` | |
//! | `tests/traffic/NAME.rs`, `mod.rs` | random sessions; a variant of `Protocol`, and its place in `ALL` and `generate` | `match` |
//! | `tests/recorded/`, `samples/helper/NAME/` | captures and what the kernel said of them (see below); the script in `samples/make`, and `all_parts` in `samples/make.sh` | `properties::every_expectation_is_as_free_as_its_helper_says` |
//! | `tests/fuzz/Cargo.toml` | a target with the helper's name, lower case | |
//! | `reports/` | `BLESS=1 cargo test report`: `helpers.txt`, and wherever unneeded helpers are listed | `command::the_reports_are_what_the_program_prints`, `report::the_published_report_is_what_the_program_writes` |
//! | `README.md` | the list of helpers, and that line of the excerpt | `command::the_readme_shows_the_report` |
//!
//! Nothing else knows a helper by its name: conntrack, exposure, forgery and the rules take what its [`Spec`] says.
//! Declare [`Spec::freedom`] with care; what a forger can choose is computed from it, and the test holds every
//! expectation of every capture against it. A reason that somebody asks for by its text stands in [`reasons`]. A
//! protocol whose ends read a stream otherwise than the helper reads segments may want a reader in `src/dialogue`
//! ([`Talk`]); one for conntrackd goes to `src/helper/conntrackd` and has [`Home::Conntrackd`].
//!
//! ## A link type
//!
//! Six files, two of them in `src`.
//!
//! | file | what to put there | asked for by |
//! |---|---|---|
//! | `src/packet/link/types.rs` | a constant in the order of the numbers, and its name in place of the number in `ASSIGNED` | |
//! | `src/packet/link/mod.rs` | an arm of `begin`: a header that leads to the next, in the file of its kind; where it names its sender, an arm of [`via`] | |
//! | `tests/wrap/link.rs` | a frame around an IP packet, so that every sample comes in it | `wrapped::every_link_type_that_is_read_can_be_written` |
//! | `tests/packet/frames.rs` | in `LEADS` the bytes before IP, in `LEFT_OUT` frames without IP and why; there it may stand as unread | `packet::link::a_frame_without_ip_says_why`, if so |
//! | `tests/fuzz/families.rs` | its number, in the family of its decoder | the example `seeds` |
//! | `README.md` | "Links", if no word there covers it | |
//!
//! A header must take at least a byte, or be the last: then the walk of [`network_layer`] ends.
//!
//! ## A finding
//!
//! Three files, one of them in `src`.
//!
//! | file | what to put there | asked for by |
//! |---|---|---|
//! | `src/findings/PROTOCOL.rs` | an [`Entry`], with a [`Matcher`] that says when it is asked; a new file also goes into [`findings::all`] | |
//! | `tests/findings/PROTOCOL.rs` | a `Case`: packets that show it, and packets that look the same and do not | `findings::every_entry_is_found_where_it_is_and_not_where_it_is_not` |
//! | `reports/findings.txt` | `BLESS=1 cargo test report` | `command::the_reports_are_what_the_program_prints` |
//!
//! An `id` never changes its meaning: tickets name it. No sample may raise more than a note, and nothing of a payload
//! may be in the detail; both are tested. What the matcher needs to remember of a connection goes to [`dialogue`].
//!
//! ## A target: a language of rules
//!
//! Nine files, five of them in `src`.
//!
//! | file | what to put there | asked for by |
//! |---|---|---|
//! | `src/ruleset/LANGUAGE.rs` | `write`, from a [`Ruleset`] to text or what cannot be said; `read`, back, with what is not understood in [`Ruleset::unread`] | |
//! | `src/ruleset/mod.rs` | `pub mod LANGUAGE;`, and how [`Ruleset::read`] recognises a file of it | the proof, which reads what was written |
//! | `src/proposal/layout.rs` | a variant of [`Target`]: its family, its chains at their hooks, and on which side of conntrack helpers are attached | `match`, five times |
//! | `src/report/rules.rs` | the text as `ctaudit rules` prints it, with its head | |
//! | `src/cli/rules.rs` | its name for `--for`, and the call of that | `match` |
//! | `tests/proof/mod.rs` | the text in `Case::written`: then every sample is proved in it | |
//! | `tests/ruleset/` | what it reads, what it writes, and that the two fit | |
//! | `tests/command.rs`, `reports/` | a report of the office in it; `tests/command/rules.rs` how it begins | |
//! | `README.md` | "four languages", and the table of commands | |
//!
//! The model has what decides about states, helpers, addresses, ports and interfaces. A language whose rules decide by
//! something else needs a [`Match`] first, and `src/ruleset/evaluate.rs` what it comes to: `match` asks for that
//! everywhere. A language with two dialects for one model, as nft's script and JSON, needs no target of its own. Where
//! a program loads the language, `tests/proof/kernel.rs` has it take every text.
//!
//! ## A form of the report
//!
//! | file | what to put there |
//! |---|---|
//! | `src/report/NAME.rs`, `mod.rs` | from a [`Page`], if people read it, so that it says what the others say; from an [`Analysis`], if programs do |
//! | `src/report/folder.rs` | a variant of `Form`, which is its name for `--format` as well, its file and its text |
//! | `tests/report.rs` | its file in `FORMS`; `every_form_says_what_the_terminal_says`, where people read it |
//! | `reports/office/`, `README.md` | `BLESS=1 cargo test report`, and what it is for |
//!
//! What a form makes special (a bar, a bracket) it escapes itself. A new section is a function in `src/report/sections`
//! and a line in [`sections::all`]: all forms have it then.
//!
//! ## A kernel's behaviour
//!
//! Ask by name, never by number: [`Kernel::does`] with a [`Behaviour`].
//!
//! 1. `src/kernel.rs`: a variant, and at the same place in `DIFFERENCES` its name, what it means, the file of the
//!    kernel's, and which series have it. `tests/kernel.rs` holds the two against each other, and wants it to differ
//!    somewhere.
//! 2. Where the two kinds of kernels part, the question. A helper asks the kernel that its `start` is given, a tracker
//!    that of its context.
//! 3. A test in which both kinds are asked, with the function of the kernel's in its comment.
//! 4. `reports/kernels.txt`, by `BLESS`.
//!
//! A new series is a column: a line in `KERNELS`, one more in `SERIES`, a letter more in each `has`. It says `true`
//! only where records of such a kernel lie in the tests; `compare_all` in `tests/differential.rs` reads the series from
//! their names. A newer release of a series takes the older one's place.
//!
//! ## The kernel's answer
//!
//! Beside a capture lies what a kernel said of it: `NAME.pcap.6.18.jsonl.gz`, a line of JSON for each packet that
//! carries IP, in the form of `ctaudit events --json`. `tests/differential.rs` replays the capture through the firewall
//! that the record's name tells of, and compares state, direction, helper, dropped, and the events that a packet
//! caused; what time caused it passes over. In the name stand, behind the capture's:
//!
//! | part | means |
//! |---|---|
//! | `6.18` | the packets were shown one after the other: compared with a clock that stands |
//! | `6.1`, `6.12` | at the capture's own pace: compared with the capture's clock |
//! | `local` | 192.0.2.1/24 was an address of the kernel's own |
//! | `add-assign` | ftp to TCP 2121 and sip to UDP 5070 besides |
//! | `userspace`, `variants` | conntrackd ran its helpers |
//! | others | a sysctl or parameter: `firewall_of` knows them, and a new one is a line there |
//!
//! Two programs ask. Neither is part of the project; what they have to do, the head of `samples/make.sh` says, and
//! environment variables name them.
//!
//! - `KERNEL_REPLAY`, called as `kernel-replay CAPTURE`: writes each packet into a TUN device of a private network
//!   namespace and prints what the running kernel's conntrack says of it. It does not wait between packets.
//! - `KERNEL_VM`, called as `kernel-vm SERIES FOLDER -- CAPTURE...`: the same in an emulated machine with a packaged
//!   kernel, whose clock runs as the capture's, and with conntrackd, if asked for.
//!
//! As root, a sample and its records are made by `samples/make.sh PART`, with both variables set: a function in
//! `samples/make` says which programs talk, `samples/make/source.sh` writes the row of `samples/SOURCE.md`. Random
//! traffic is written by
//!
//! ```text
//! PROTOCOL=ftp SEED=3 PCAP=ftp-3.pcap cargo test -- --ignored write_random_traffic
//! kernel-replay ftp-3.pcap | gzip -9n > tests/recorded/ftp-3.6.18.jsonl.gz
//! gzip -9n < ftp-3.pcap > tests/recorded/ftp-3.pcap.gz
//! ```
//!
//! and has a row in `tests/recorded/README.md`. A record is never edited. Where it is the record that is wrong (an
//! emulated machine was late), `KNOWN` in `tests/differential.rs` names file, packets and reason. Where the simulation
//! is, the kernel's source says why. Tests that ask a kernel directly are `#[ignore]`d, and want the same variables:
//! `KERNEL_REPLAY=... SEEDS=4 cargo test -- --ignored new_random_traffic`.
//!
//! [`Spec`]: crate::helper::Spec
//! [`Spec::freedom`]: crate::helper::Spec::freedom
//! [`Helper`]: crate::helper::Helper
//! [`all`]: crate::helper::all
//! [`reasons`]: crate::helper::reasons
//! [`Home::Conntrackd`]: crate::helper::Home::Conntrackd
//! [`content::of`]: crate::content::of
//! [`Talk`]: crate::dialogue::Talk
//! [`via`]: crate::packet::link::via
//! [`Matcher`]: crate::findings::Matcher
//! [`findings::all`]: crate::findings::all
//! [`Ruleset::unread`]: crate::ruleset::Ruleset::unread
//! [`Match`]: crate::ruleset::Match
//! [`Analysis`]: crate::analysis::Analysis
//! [`Sums`]: crate::sums::Sums
//! [`Kernel::does`]: crate::kernel::Kernel::does
//! [`Behaviour`]: crate::kernel::Behaviour
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
//! [`Verdict`]: crate::conntrack::Verdict
//! [`message`]: crate::helper::Helper::message
//! [`Spec::policies`]: crate::helper::Spec::policies
//! [`dialogue`]: crate::dialogue
//! [`Entry`]: crate::findings::Entry
//! [`Grounds::verdicts`]: crate::verdict::Grounds::verdicts
//! [`forgery`]: crate::forgery
