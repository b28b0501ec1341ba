//! What sessions say.

use super::stage::{CONTROL, DATA, OFFER, OPAQUE, Script, client, server};
use crate::traffic::flow::Side::{Client, Server};
use crate::traffic::flow::{ACK, FIN, RST, Rng, Side, Step, Tcp};
use crate::traffic::packet::{End, udp, unreachable};

/// What a company's firewall sees: a packet has 700 bytes on the average, and of ten sessions one needs a helper.
pub fn office() -> Vec<Script> {
    let pages = [1, 1, 1, 2, 2, 2, 3, 3, 4, 4, 5, 6, 8, 10, 12, 15, 20, 30];
    let mut scripts: Vec<_> = pages.into_iter().map(web).collect();
    scripts.extend((0..20).map(|_| name()));
    scripts.extend((0..3).map(|_| nobody()));
    scripts.extend([passive(), active(), tftp(), call(), chat()]);
    scripts
}

/// Packets of 64 bytes to and fro, in TCP as often as in UDP.
pub fn small() -> Vec<Script> {
    // Of this seed, a SYN that has no more than a segment size to offer, as no more would fit.
    let mut connection = Tcp::new(&mut Rng::with_seed(6), client(CONTROL), server(443));
    connection.handshake();
    let open = connection.steps.len();
    connection.say(Client, &[OPAQUE; 10]);
    connection.say(Server, &[OPAQUE; 10]);
    let mut connection = packets(connection);
    for packet in &mut connection {
        packet.resize(50, 0); // what Ethernet does with less
    }
    let (from, to) = (client(CONTROL), server(443));
    let datagrams = vec![udp(from, to, &[OPAQUE; 22]), udp(to, from, &[OPAQUE; 22])];
    vec![
        Script::new(1, 10_000, connection).again(open..open + 2, u32::MAX),
        Script::new(1, 10_000, datagrams).again(0..2, u32::MAX),
    ]
}

/// Streams that fill their packets, four of five in TCP.
pub fn elephants() -> Vec<Script> {
    let tcp = || {
        let mut connection = tcp(client(CONTROL), server(443));
        let open = connection.steps.len();
        for _ in 0..4 {
            connection.say(Server, &[OPAQUE; 1460]);
        }
        connection.say(Client, &[OPAQUE; 1460]);
        Script::new(1, 10_000, packets(connection)).again(open..open + 5, u32::MAX)
    };
    let (from, to) = (client(CONTROL), server(443));
    let datagrams = vec![
        udp(from, to, &[OPAQUE; 1472]),
        udp(to, from, &[OPAQUE; 1472]),
    ];
    let udp = Script::new(1, 10_000, datagrams).again(0..2, u32::MAX);
    vec![tcp(), tcp(), tcp(), tcp(), udp]
}

/// Connections that ask for one port after the other, and nobody comes.
pub fn expectations() -> Vec<Script> {
    let mut ftp = tcp(client(CONTROL), server(21));
    ftp.say(Server, b"220 ready\r\n");
    let greeted = ftp.steps.len();
    ftp.say(Client, b"PORT 100,111,111,111,100,102\r\n");
    ftp.say(Server, b"200 PORT command successful\r\n");

    let mut irc = registered();
    let joined = irc.steps.len();
    irc.say(Client, DCC);
    irc.say(Server, b":a PONG a\r\n");

    let (phone, registrar) = (client(CONTROL), server(5060));
    let contact = "Contact: <sip:100.111.111.111:25702>;expires=3600\r\n\r\n";
    let register = format!("REGISTER sip:example.org SIP/2.0\r\nCSeq: 1 REGISTER\r\n{contact}");
    let agreed = format!("SIP/2.0 200 OK\r\nCSeq: 1 REGISTER\r\n{contact}");
    let sip = vec![
        udp(phone, registrar, register.as_bytes()),
        udp(registrar, phone, agreed.as_bytes()),
    ];
    let tftp = vec![udp(client(OFFER), server(69), READ)];
    vec![
        Script::new(1, 50, packets(ftp)).again(greeted..greeted + 2, u32::MAX),
        Script::new(1, 50, packets(irc)).again(joined..joined + 2, u32::MAX),
        Script::new(1, 50, sip).again(0..2, u32::MAX),
        Script::new(1, 50, tftp).again(0..1, u32::MAX),
    ]
}

/// As many different things to report as possible, each at a server of its own.
pub fn findings() -> Vec<Script> {
    let mut ftp = tcp(client(CONTROL), server(21));
    ftp.say(Server, b"220 ready\r\n");
    ftp.say(Client, b"PORT 127,0,0,1,100,102\r\n");
    ftp.say(
        Server,
        b"227 Entering Passive Mode (198,122,122,122,0,22)\r\n",
    );
    ftp.say(
        Client,
        b"EPRT |1|100.111.111.111|22|\r\nPORT 100,111,111,111,100,102\r\n",
    );
    ftp.say(Server, b"229 Entering (|||25702|)\r\n");
    ftp.send(Client, RST | ACK, &[]);

    let mut irc = registered();
    irc.say(Client, b"PRIVMSG a :\x01DCC SEND f 2130706433 22 9\x01\r\n");
    irc.say(Client, DCC);
    irc.send(Client, RST | ACK, &[]);

    let mut unknown = tcp(client(CONTROL), server(OFFER));
    unknown.say(Server, b"220 FTP server ready\r\n");
    unknown.say(Client, b"USER anonymous\r\n");
    unknown.say(Server, b"331 Password required\r\n");
    unknown.send(Client, RST | ACK, &[]);

    let mut encrypted = tcp(client(CONTROL), server(21));
    encrypted.say(Client, b"\x16\x03\x01\x00\x05\x01\x00\x00\x01\x00");
    let mut beside = tcp(client(DATA), server(OFFER));
    beside.send(Server, RST | ACK, &[]);
    encrypted.steps.append(&mut beside.steps);
    encrypted.send(Client, RST | ACK, &[]);

    let from = End {
        port: 5060,
        ..server(0)
    };
    let invite = "INVITE sip:a SIP/2.0\r\nCSeq: 1 INVITE\r\n\r\nv=0\r\nc=IN IP4 127.0.0.1\r\nm=audio 25702 RTP/AVP 0\r\n";
    let sip = vec![
        udp(client(CONTROL), from, invite.as_bytes()),
        udp(
            from,
            client(CONTROL),
            b"SIP/2.0 200 OK\r\nCSeq: 1 INVITE\r\n\r\n",
        ),
    ];
    let tftp = vec![
        udp(client(CONTROL), server(69), READ),
        udp(server(OFFER), client(CONTROL), &[0; 100]),
    ];
    vec![
        Script::new(1, EVERY, packets(ftp)),
        Script::new(1, EVERY, packets(irc)),
        Script::new(1, EVERY, packets(unknown)),
        Script::new(2, EVERY, packets(encrypted)),
        Script::new(1, EVERY, sip),
        Script::new(2, EVERY, tftp),
    ]
}

/// A page, and so many pictures.
fn web(pictures: usize) -> Script {
    let mut web = tcp(client(CONTROL), server(443));
    web.say(Client, &tls(500));
    for _ in 0..pictures {
        web.say(Client, &tls(300));
        download(&mut web, Server, &tls(1400), 6);
    }
    close(&mut web);
    Script::new(1, 10_000, packets(web))
}

/// A record of application data.
fn tls(length: u16) -> Vec<u8> {
    let [high, low] = (length - 5).to_be_bytes();
    let mut record = vec![0x17, 3, 3, high, low];
    record.resize(length.into(), OPAQUE);
    record
}

/// Segments, of which two in three are acknowledged.
fn download(connection: &mut Tcp, from: Side, segment: &[u8], number: usize) {
    for index in 0..number {
        connection.say(from, segment);
        if index % 3 != 0 {
            connection.send(from.other(), ACK, &[]);
        }
    }
}

fn name() -> Script {
    let exchange = vec![
        udp(client(CONTROL), server(53), &[7; 40]),
        udp(server(53), client(CONTROL), &[7; 120]),
    ];
    Script::new(1, 4, exchange)
}

/// A download, at a port that the server names.
fn passive() -> Script {
    let mut control = logged_in();
    control.say(Client, b"PASV\r\n");
    control.say(
        Server,
        b"227 Entering Passive Mode (198,122,122,122,100,102)\r\n",
    );
    control.say(Client, b"RETR f\r\n");
    transfer(control, tcp(client(DATA), server(OFFER)), Server)
}

/// A download, at a port that the client names.
fn active() -> Script {
    let mut control = logged_in();
    control.say(Client, b"PORT 100,111,111,111,100,102\r\n");
    control.say(Server, b"200 PORT command successful\r\n");
    control.say(Client, b"RETR f\r\n");
    transfer(control, tcp(server(20), client(OFFER)), Client)
}

pub fn logged_in() -> Tcp {
    let mut control = tcp(client(CONTROL), server(21));
    control.say(Server, b"220 ready\r\n");
    control.say(Client, b"USER a\r\n");
    control.say(Server, b"230 logged in\r\n");
    control
}

/// What was asked for comes from this side of the data connection.
fn transfer(mut control: Tcp, mut data: Tcp, from: Side) -> Script {
    control.say(Server, b"150 here it comes\r\n");
    download(&mut data, from, &[OPAQUE; 1460], 20);
    close(&mut data);
    control.steps.append(&mut data.steps);
    control.say(Server, b"226 done\r\n");
    close(&mut control);
    Script::new(2, 2, packets(control))
}

fn tftp() -> Script {
    let (reader, sender) = (client(CONTROL), server(OFFER));
    let mut transfer = vec![udp(reader, server(69), READ)];
    for _ in 0..5 {
        let block = [&[0, 3, 0, 1], &[OPAQUE; 512][..]].concat();
        transfer.push(udp(sender, reader, &block));
        transfer.push(udp(reader, sender, &[0, 4, 0, 1]));
    }
    Script::new(2, 2, transfer)
}

/// A call whose media go both ways.
fn call() -> Script {
    let (phone, proxy) = (client(CONTROL), server(5060));
    let media = "Content-Type: application/sdp\r\n\r\nv=0\r\n";
    let invite = format!(
        "INVITE sip:a SIP/2.0\r\nCSeq: 1 INVITE\r\n{media}c=IN IP4 100.111.111.111\r\nm=audio 25701 RTP/AVP 0\r\n"
    );
    let agreed = format!(
        "SIP/2.0 200 OK\r\nCSeq: 1 INVITE\r\n{media}c=IN IP4 198.122.122.122\r\nm=audio 25702 RTP/AVP 0\r\n"
    );
    let mut call = vec![
        udp(phone, proxy, invite.as_bytes()),
        udp(proxy, phone, agreed.as_bytes()),
    ];
    let voice = [&[0x80, 0], &[OPAQUE; 170][..]].concat();
    for _ in 0..10 {
        call.push(udp(client(DATA), server(OFFER), &voice));
        call.push(udp(server(OFFER), client(DATA), &voice));
    }
    Script::new(3, 2, call)
}

/// Somebody is offered a file, and fetches it.
fn chat() -> Script {
    let mut chat = registered();
    chat.say(Client, DCC);
    let mut file = tcp(server(DATA), client(OFFER));
    download(&mut file, Server, &[OPAQUE; 1460], 10);
    close(&mut file);
    chat.steps.append(&mut file.steps);
    close(&mut chat);
    Script::new(2, 2, packets(chat))
}

fn nobody() -> Script {
    let asks = udp(client(CONTROL), server(OFFER), &[1; 30]);
    let error = unreachable(&asks, server(OFFER), client(CONTROL));
    Script::new(1, 100, vec![asks, error])
}

pub fn registered() -> Tcp {
    let mut irc = tcp(client(CONTROL), server(6667));
    irc.say(Client, b"NICK a\r\nUSER a a a a\r\n");
    irc.say(Server, b":a 001 a\r\n");
    irc
}

pub fn tcp(from: End, to: End) -> Tcp {
    let mut connection = Tcp::new(&mut Rng::with_seed(3), from, to);
    connection.handshake();
    connection
}

pub fn close(connection: &mut Tcp) {
    connection.send(Client, FIN | ACK, &[]);
    connection.send(Server, FIN | ACK, &[]);
    connection.send(Client, ACK, &[]);
}

pub fn packets(connection: Tcp) -> Vec<Vec<u8>> {
    let steps = connection.steps.into_iter();
    steps
        .filter_map(|step| match step {
            Step::Packet(packet) => Some(packet),
            Step::Fork(_) => None,
        })
        .collect()
}

pub const READ: &[u8] = b"\x00\x01file\x00octet\x00";
pub const DCC: &[u8] = b"PRIVMSG a :\x01DCC SEND f 1685024623 25702 9\x01\r\n";
/// All servers that there are.
const EVERY: u64 = 150 * 150 * 150;
