//! What a file may say, and what is said of that which is not understood.

use ctaudit::ruleset::{Hook, Match, Verdict, iptables};
use proptest::prelude::*;

use super::{Case, understood, unread};

const FROM: &str = "192.0.2.11";
const TO: &str = "198.51.100.21";

fn unread_in_forward(rule: &str) -> Vec<(usize, String)> {
    unread(&format!("*filter\n-A FORWARD {rule}\nCOMMIT\n"))
}

#[test]
fn what_is_not_understood_is_named_and_leaves_the_rule_undecided() {
    for (rule, words) in [
        (
            "-m limit --limit 3/min --limit-burst 5 -j DROP",
            "-m limit --limit 3/min --limit-burst 5",
        ),
        ("--syn -j DROP", "--syn"),
        (
            "-p tcp -m tcp --tcp-flags FIN,SYN WRONG -j DROP",
            "--tcp-flags FIN,SYN",
        ),
        (
            "-p udp --tcp-flags FIN,SYN SYN -j DROP",
            "--tcp-flags FIN,SYN SYN",
        ),
        (
            "-m addrtype --dst-type BLACKHOLE -j DROP",
            "--dst-type BLACKHOLE",
        ),
        ("--dst-type LOCAL -j DROP", "--dst-type LOCAL"),
        ("--fragments -j DROP", "--fragments"),
        (
            "-m set --match-set those src,dst -j DROP",
            "-m set --match-set those src,dst",
        ),
        (
            "-m set ! --match-set those src -j DROP",
            "-m set ! --match-set those src",
        ),
        ("-s example.org -j DROP", "-s example.org"),
        ("-p tcp --dport gopher -j DROP", "--dport gopher"),
        (
            "-m conntrack --ctorigdst 192.0.2.1 -j DROP",
            "--ctorigdst 192.0.2.1",
        ),
        ("-j NFQUEUE --queue-num 3", "-j NFQUEUE --queue-num 3"),
        ("-j nowhere", "-j nowhere"),
        ("-p tcp -j CT --helper ftp", "-j CT --helper ftp"),
        ("--dport 21 -j DROP", "--dport 21"),
        ("! -p tcp --dport 21 -j DROP", "--dport 21"),
        ("--ctstate NEW -j DROP", "--ctstate NEW"),
        ("-m conntrack --ctstate WRONG -j DROP", "--ctstate WRONG"),
        ("-p icmp --icmp-type echo -j DROP", "--icmp-type echo"),
        ("-s 10.0.0.0/255.0.255.0 -j DROP", "-s 10.0.0.0/255.0.255.0"),
        ("! -s 10.0.0.1,10.0.0.2 -j DROP", "! -s 10.0.0.1,10.0.0.2"),
        ("-p tcp --dport 022 -j DROP", "--dport 022"),
        ("-p tcp --dport 22:21 -j DROP", "--dport 22:21"),
        ("-p tcp -m udp -j DROP", "-m udp"),
        ("-s 2001:db8::1 -j DROP", "-s 2001:db8::1"),
        ("-j", "-j"),
    ] {
        let found = unread_in_forward(rule);
        assert_eq!(found, [(2, words.to_owned())], "{rule}");
        let rules = iptables::read(&format!("*filter\n-A FORWARD {rule}\n"), 0);
        let asked = &rules.chains[0].rules;
        assert_eq!(asked.len(), 1, "{rule}");
        let is_unknown = |rule: &ctaudit::ruleset::Rule| {
            let mut conditions = rule.conditions.iter();
            conditions.any(|condition| matches!(condition.matches, Match::Unknown(_)))
        };
        assert!(asked.iter().all(is_unknown), "{rule}");
    }
}

/// What was understood still rules packets out.
#[test]
fn an_unknown_match_leaves_the_others_in_force() {
    let text = "*filter\n-A FORWARD -p udp -m limit --limit 3/min -j DROP\n";
    let rules = iptables::read(text, 0);
    assert!(!Case::tcp(FROM, TO, 21).at(&rules, Hook::Forward).undecided);
    assert!(Case::udp(FROM, TO, 21).at(&rules, Hook::Forward).undecided);
}

#[test]
fn rules_that_decide_nothing_are_passed_over() {
    let rules = understood(
        "*filter\n-A FORWARD -m limit --limit 3/min -j LOG --log-prefix \"-j DROP \" --log-level 4\n\
         -A FORWARD -p tcp --dport 22\n-A FORWARD -m unheard --of -j MARK --set-xmark 0x1/0x1\nCOMMIT\n",
    );
    assert!(rules.chains[0].rules.is_empty());
}

#[test]
fn translation_is_named_and_the_nat_table_decides_nothing_else() {
    let found = unread(
        "*nat\n:PREROUTING ACCEPT [0:0]\n:mine - [0:0]\n-A PREROUTING -j mine\n-A mine -j RETURN\n\
         -A PREROUTING -m addrtype --dst-type LOCAL -j ACCEPT\n\
         -A mine -p tcp -m mark --mark 1 -j DNAT --to-destination 192.0.2.1:80\nCOMMIT\n",
    );
    let words = "-j DNAT --to-destination 192.0.2.1:80".to_owned();
    assert_eq!(found, [(7, words)]);
    let empty = understood("*nat\n:PREROUTING ACCEPT [0:0]\nCOMMIT\n");
    assert!(empty.chains.is_empty());
}

#[test]
fn commands_change_chains_in_their_order() {
    let rules = understood(
        "*filter\n-P FORWARD DROP\n-N mine\n-A mine -p 1 -j ACCEPT\n-A mine -p 2 -j ACCEPT\n\
         -A mine -j LOG\n-I mine 2 -p 3 -j ACCEPT\n-I mine -p 4 -j ACCEPT\n-D mine 4\n\
         [12:3456] -A mine -p 5 -j ACCEPT\n-D mine -p 1 -j ACCEPT\n-A mine -p 6 -c 1 2 -j ACCEPT\n\
         -A FORWARD -6 -j ACCEPT\n-A FORWARD -4 -j mine\n-A INPUT -j DROP\n-F INPUT\nCOMMIT\n",
    );
    let mine = &rules.chains[1];
    let protocols = mine.rules.iter().map(|rule| &rule.conditions[0].matches);
    let expected = [4, 3, 5, 6].map(|number| Match::Protocol(vec![number..=number]));
    assert_eq!(
        protocols.collect::<Vec<_>>(),
        expected.iter().collect::<Vec<_>>()
    );
    let forward = &rules.chains[0];
    assert_eq!(forward.rules.len(), 1, "-6 is not for this kernel");
    assert_eq!(forward.rules[0].verdict, Some(Verdict::Jump(1)));
    assert!(!forward.base.unwrap().accepts);
    assert!(rules.chains[2].rules.is_empty());
}

/// As `add_param_to_argv` of iptables-restore was seen to take them.
#[test]
fn quotes_hold_words_together() {
    for (comment, expected) in [
        (r#""two words""#, "two words"),
        (r#""a \"quoted\" one""#, r#"a "quoted" one"#),
        (r#""back\\slash""#, r"back\slash"),
        (r#"a"b c""#, "ab c"),
        (r#""-j DROP""#, "-j DROP"),
        (r"back\slash", r"back\slash"),
        ("\"\"", ""),
    ] {
        let text = format!("*filter\n-A FORWARD -m comment --comment {comment} -j ACCEPT\n");
        let rule = &understood(&text).chains[0].rules[0];
        assert_eq!(rule.comment.as_deref(), Some(expected));
        assert_eq!(rule.verdict, Some(Verdict::Accept));
    }
    let open = "-m comment --comment \"never closed -j ACCEPT";
    assert_eq!(unread_in_forward(open).len(), 1);
}

#[test]
fn lines_that_iptables_refuses_are_named() {
    for line in [
        "-A FORWARD -j ACCEPT",
        "*unheard",
        "*filter\n-A undeclared -j ACCEPT",
        "*filter\n:mine ACCEPT [0:0]",
        "*filter\n:FORWARD MAYBE [0:0]",
        "*filter\n-I FORWARD 2 -j ACCEPT",
        "*filter\n-D FORWARD 1",
        "*filter\n-X mine",
        "*filter\nnonsense",
        "*filter\n-A OUTPUT -i eth0 -j ACCEPT",
        "*filter\n-A INPUT -j FORWARD",
        "*raw\n-A PREROUTING -j CT --helper ftp",
        "*raw\n-A PREROUTING -p tcp -j CT --helper ftp --zone 3",
        "*filter\n-A FORWARD -m conntrack ! --ctdir REPLY -j DROP",
    ] {
        let lines = line.lines().count();
        let found = unread(line);
        assert_eq!(found.len(), 1, "{line}");
        assert_eq!(found[0].0, lines, "{line}");
    }
}

#[test]
fn jumps_in_a_circle_are_refused() {
    let found = unread(
        "*filter\n:a - [0:0]\n:b - [0:0]\n:c - [0:0]\n-A FORWARD -j c\n-A a -j b\n-A b -g a\n-A c -j RETURN\n",
    );
    let lines = found.iter().map(|(line, _)| *line);
    assert_eq!(lines.collect::<Vec<_>>(), [6, 7]);
}

/// Words that rules are made of, and some that they are not.
fn word() -> impl Strategy<Value = String> {
    let known = prop::sample::select(
        "*filter *raw *nat COMMIT : - ! -A -I -D -F -P -N FORWARD INPUT PREROUTING mine ACCEPT DROP \
         -j -g -p -s -d -i -o -m -f -c tcp udp icmp 6 0 99999999999999999999 10.0.0.0/8 / 1.2.3.4/33 \
         ::1/64 , 1,2,3 1:2 : :: --dport --sport --dports --ports multiport conntrack --ctstate NEW \
         --ctproto --ctdir --helper helper CT --notrack --icmp-type 3/4 any iprange --src-range \
         1.1.1.1-2.2.2.2 comment --comment \" \\ \"x\" [1:2] -4 -6 --a=b = --dport= --limit limit"
            .split(' ')
            .collect::<Vec<_>>(),
    );
    prop_oneof![
        9 => known.prop_map(str::to_owned),
        1 => any::<String>(),
        2 => Just("\n".to_owned()),
    ]
}

proptest! {
    #![proptest_config(ProptestConfig {
        failure_persistence: None,
        ..ProptestConfig::with_cases(1024)
    })]

    #[test]
    fn no_text_is_too_much(words in prop::collection::vec(word(), 0..80)) {
        let mut text = words.join(" ");
        text.insert_str(0, "*filter\n:mine - [0:0]\n");
        for title in ["", "# ip6tables\n"] {
            let rules = iptables::read(&format!("{title}{text}"), 0);
            for hook in [Hook::Forward, Hook::Input, Hook::Prerouting] {
                Case::tcp(FROM, TO, 21).at(&rules, hook);
                Case::tcp("::1", "2001:db8::1", 21).early(&rules);
            }
        }
    }

    #[test]
    fn no_bytes_are_too_many(text in any::<String>()) {
        iptables::read(&text, 0);
    }
}
