//! RAS: endpoints register with a gatekeeper and ask it where to call.
//!
//! Source: net/netfilter/nf_conntrack_h323_main.c `ras_help()`, `process_gcf()` and its like, `expect_q931()`.

use std::time::Duration;

use super::per::{self, Value};
use super::types::ras::RAS_MESSAGE;
use super::{FOREIGN_FAMILY, H225, Listener, SOURCE, h245, q931};
use crate::helper::{
    Dropped, Families, Field, Freedom, Helper, Home, Instances, Master, Message, Parameter, Policy,
    Refused, Spec,
};
use crate::kernel::Kernel;
use crate::tuple::{self, Protocol, Tuple};

pub const SPEC: Spec = Spec {
    name: "RAS",
    source: SOURCE,
    ports: &[(Protocol::UDP, Some(1719))],
    families: Families::Both,
    home: Home::Module(Instances::One),
    why: "an H.323 endpoint tells its gatekeeper where it takes calls, and is told where to register and to call",
    policies: |_| {
        vec![Policy {
            max_expected: 32,
            timeout: Duration::from_secs(240),
        }]
    },
    parameters: &[
        Parameter {
            name: DEFAULT_TTL,
            default: 300,
            range: 0..=u32::MAX,
            meaning: "seconds that a registration lives that says nothing about it; 0: as long as the flow",
        },
        Parameter {
            name: ROUTED_ONLY,
            default: 1,
            range: 0..=i32::MAX as u32,
            meaning: "let registered endpoints be called by their gatekeeper alone; 0: by anybody",
        },
    ],
    freedom: &[
        CALL.with(ROUTED_ONLY, 1),
        Freedom {
            src_addr: Field::Any,
            ..CALL.with(ROUTED_ONLY, 0)
        },
        Freedom {
            what: "calls (ACF, LCF)",
            dst_addr: Field::Command,
            ..CALL
        },
        Freedom {
            what: "gatekeeper (GCF)",
            dst_addr: Field::Command,
            read_by: Some("RAS"),
            ..h245::MEDIA
        },
    ],
    defects: &[],
    start: |modules, kernel| {
        Box::new(Ras {
            kernel: *kernel,
            default_ttl: modules.get(DEFAULT_TTL),
            routed_only: modules.get(ROUTED_ONLY) != 0,
            ttl: 0,
            signal_ports: [0, 0],
        })
    },
};

const CALL: Freedom = Freedom {
    what: "calls (RRQ)",
    read_by: Some(q931::SPEC.name),
    ..h245::T120
};

struct Ras {
    kernel: Kernel,
    default_ttl: u32,
    routed_only: bool,
    /// Of the registration, in seconds.
    ttl: u32,
    /// Where calls were last said to be taken, by direction of the request.
    signal_ports: [u16; 2],
}

impl Helper for Ras {
    fn message(&mut self, message: &Message<'_>, master: &mut dyn Master) -> Result<(), Dropped> {
        if message.payload.is_empty() {
            return Ok(());
        }
        let ras = match per::decode(message.payload, 0, &RAS_MESSAGE) {
            Ok(ras) => ras,
            Err(reason) => {
                master.decline(reason, 0..message.payload.len());
                return Ok(());
            }
        };
        let refused = |_| Dropped("cannot process RAS message");
        self.process(&ras, message, master).map_err(refused)
    }
}

impl Ras {
    /// `process_ras`
    fn process(
        &mut self,
        ras: &Value,
        message: &Message<'_>,
        master: &mut dyn Master,
    ) -> Result<(), Refused> {
        let address =
            |path: &[&str], master: &mut dyn Master| Listener::h225(message, ras.at(path), master);
        if let Some(gatekeeper) = address(&["gatekeeperConfirm", "rasAddress"], master) {
            return gatekeeper_confirm(&gatekeeper, message, master);
        }
        if let Some(request) = ras.at(&["registrationRequest"]) {
            return self.registration_request(request, message, master);
        }
        if let Some(confirm) = ras.at(&["registrationConfirm"]) {
            self.registration_confirm(confirm, message, master);
        }
        if ras.at(&["unregistrationRequest"]).is_some() {
            self.unregistration_request(master);
        }
        if let Some(callee) = address(&["admissionConfirm", "destCallSignalAddress"], master) {
            // The gatekeeper may tell the called endpoint of itself.
            if callee.address != message.same().dst {
                return expect_call(&callee, message, master);
            }
        }
        if let Some(callee) = address(&["locationConfirm", "callSignalAddress"], master) {
            return expect_call(&callee, message, master);
        }
        Ok(())
    }

    /// `process_rrq`, `expect_q931`: the first of the addresses that is the speaker's.
    fn registration_request(
        &mut self,
        request: &Value,
        message: &Message<'_>,
        master: &mut dyn Master,
    ) -> Result<(), Refused> {
        let addresses = request.items("callSignalAddress");
        let mut listeners: Vec<Listener> = addresses
            .iter()
            .filter_map(|address| Listener::read(message, address, H225))
            .collect();
        if listeners.is_empty() && !addresses.is_empty() {
            master.decline(FOREIGN_FAMILY, 0..message.payload.len());
        }
        let own = |listener: &Listener| listener.is_speaker(message);
        let chosen = listeners.iter().position(own).unwrap_or(0);
        if chosen < listeners.len()
            && let Some(listener) = listeners.swap_remove(chosen).own(message, master)
        {
            let mut expectation = listener.speaker(message, Protocol::TCP, listener.port);
            if !self.routed_only {
                expectation.src_addr = None;
            }
            expectation.flags.permanent = true;
            expectation.helper = Some(q931::SPEC.name);
            master.expect(expectation)?;
            self.signal_ports[message.direction.index()] = listener.port;
        }
        self.ttl = ttl(request).unwrap_or(self.default_ttl);
        Ok(())
    }

    /// The registration is good for so long, and with it the flow; what it expects as well, if that can be found: the
    /// kernel looks for what a packet from nowhere fits, which is only what lets anybody in (`process_rcf`).
    fn registration_confirm(
        &mut self,
        confirm: &Value,
        message: &Message<'_>,
        master: &mut dyn Master,
    ) {
        self.ttl = ttl(confirm).unwrap_or(self.ttl);
        if self.ttl == 0 {
            return;
        }
        let endpoint = message.same().dst;
        let from_nowhere = Tuple {
            src: tuple::unspecified(endpoint),
            sport: 0,
            dst: endpoint,
            dport: self.signal_ports[(!message.direction).index()],
            protocol: Protocol::TCP,
        };
        master.refresh(Kernel::conntrack_timeout(self.ttl));
        let call = master.find(&from_nowhere);
        if let Some(call) = call.filter(|call| call.is_own).map(|call| call.id) {
            master.renew(call, self.kernel.expectation_timeout(self.ttl));
        }
    }

    /// `process_urq`
    fn unregistration_request(&mut self, master: &mut dyn Master) {
        let expected: Vec<_> = master.expectations().iter().map(|call| call.id).collect();
        for call in expected {
            master.withdraw(call);
        }
        self.signal_ports = [0, 0];
        master.refresh(FOR_THE_ANSWER);
    }
}

/// The gatekeeper takes registrations elsewhere (`process_gcf`).
fn gatekeeper_confirm(
    gatekeeper: &Listener,
    message: &Message<'_>,
    master: &mut dyn Master,
) -> Result<(), Refused> {
    let speaker = message.same();
    if gatekeeper.address == speaker.src && gatekeeper.port == speaker.sport {
        return Ok(());
    }
    if master.is_expected() {
        let reason = "a gatekeeper that another one named names a third";
        master.decline(reason, gatekeeper.bytes());
        return Ok(());
    }
    let mut expectation = gatekeeper.anybody(message, Protocol::UDP);
    expectation.helper = Some(SPEC.name);
    master.expect(expectation)?;
    Ok(())
}

/// Somebody can be called there (`process_acf`, `process_lcf`).
fn expect_call(
    callee: &Listener,
    message: &Message<'_>,
    master: &mut dyn Master,
) -> Result<(), Refused> {
    let mut expectation = callee.anybody(message, Protocol::TCP);
    expectation.flags.permanent = true;
    expectation.helper = Some(q931::SPEC.name);
    master.expect(expectation)?;
    Ok(())
}

fn ttl(registration: &Value) -> Option<u32> {
    match registration.at(&["timeToLive"]) {
        Some(&Value::Number(seconds)) => Some(seconds),
        _ => None,
    }
}

/// For the answer to a request to unregister.
const FOR_THE_ANSWER: Duration = Duration::from_secs(30);
const DEFAULT_TTL: &str = "nf_conntrack_h323.default_rrq_ttl";
const ROUTED_ONLY: &str = "nf_conntrack_h323.gkrouted_only";
