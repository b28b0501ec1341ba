//! What sessions say.

use super::flow::Side::{Client, Server};
use super::flow::{ACK, FIN, RST, Rng, Step, Tcp};
use super::packet::{End, udp, unreachable};
use super::stage::{CONTROL, DATA, OFFER, Script, client, server};

/// What a company's firewall sees: a packet has 700 bytes on the average.
pub fn office() -> Vec<Script> {
    let mut scripts: Vec<_> = (0..8).map(|_| web()).collect();
    scripts.extend((0..2).map(|_| name()));
    scripts.extend([ftp(), tftp(), call(), chat(), nobody()]);
    scripts
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
        Script::new(1, 50, packets(ftp)).again(greeted),
        Script::new(1, 50, packets(irc)).again(joined),
        Script::new(1, 50, sip).again(0),
        Script::new(1, 50, tftp).again(0),
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

fn web() -> Script {
    let mut web = tcp(client(CONTROL), server(443));
    web.say(Client, &[0x17; 500]);
    for _ in 0..14 {
        web.say(Server, &[0x17; 1448]);
        web.send(Client, ACK, &[]);
    }
    close(&mut web);
    Script::new(1, 10_000, packets(web))
}

fn name() -> Script {
    let exchange = vec![
        udp(client(CONTROL), server(53), &[7; 40]),
        udp(server(53), client(CONTROL), &[7; 120]),
    ];
    Script::new(1, 4, exchange)
}

/// A passive transfer.
fn ftp() -> Script {
    let mut control = tcp(client(CONTROL), server(21));
    control.say(Server, b"220 ready\r\n");
    control.say(Client, b"USER a\r\n");
    control.say(Server, b"230 logged in\r\n");
    control.say(Client, b"PASV\r\n");
    control.say(
        Server,
        b"227 Entering Passive Mode (198,122,122,122,100,102)\r\n",
    );
    control.say(Client, b"RETR f\r\n");
    let mut data = tcp(client(DATA), server(OFFER));
    control.say(Server, b"150 here it comes\r\n");
    for _ in 0..20 {
        data.say(Server, &[0x20; 1448]);
        data.send(Client, ACK, &[]);
    }
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
        transfer.push(udp(sender, reader, &[0; 516]));
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
    for _ in 0..10 {
        call.push(udp(client(DATA), server(OFFER), &[0x80; 172]));
        call.push(udp(server(OFFER), client(DATA), &[0x80; 172]));
    }
    Script::new(3, 2, call)
}

/// Somebody is offered a file, and fetches it.
fn chat() -> Script {
    let mut chat = registered();
    chat.say(Client, DCC);
    let mut file = tcp(server(DATA), client(OFFER));
    for _ in 0..10 {
        file.say(Server, &[0x20; 1448]);
        file.send(Client, ACK, &[]);
    }
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

fn registered() -> Tcp {
    let mut irc = tcp(client(CONTROL), server(6667));
    irc.say(Client, b"NICK a\r\nUSER a a a a\r\n");
    irc.say(Server, b":a 001 a\r\n");
    irc
}

fn tcp(from: End, to: End) -> Tcp {
    let mut connection = Tcp::new(&mut Rng::with_seed(3), from, to);
    connection.handshake();
    connection
}

fn close(connection: &mut Tcp) {
    connection.send(Client, FIN | ACK, &[]);
    connection.send(Server, FIN | ACK, &[]);
    connection.send(Client, ACK, &[]);
}

fn packets(connection: Tcp) -> Vec<Vec<u8>> {
    let steps = connection.steps.into_iter();
    steps
        .filter_map(|step| match step {
            Step::Packet(packet) => Some(packet),
            Step::Fork(_) => None,
        })
        .collect()
}

const READ: &[u8] = b"\x00\x01file\x00octet\x00";
const DCC: &[u8] = b"PRIVMSG a :\x01DCC SEND f 1685024623 25702 9\x01\r\n";
/// All servers that there are.
const EVERY: u64 = 150 * 150 * 150;
