//! Network discovery and autoregistration: what Zabbix finds.
//!
//! Measured with a Zabbix 6.0 server: `{EVENT.VALUE}`, `{EVENT.STATUS}` and `{EVENT.NAME}` stay
//! macros, and no recovery is ever sent. Every check makes an event with an id of its own, so an
//! unreachable device comes again with every check, and a reachable one too, as the action
//! wants it. What holds these together is the thing itself and the status that it has now:
//!
//! | status | what it does |
//! |---|---|
//! | `DOWN` | opens the thing's alert, or joins it |
//! | `UP` | ends the thing's alert, if there is one |
//! | `UP`, from an action whose name has the word "discovered" | that, and one notification of the new thing |
//! | none | one notification |
//!
//! No macro tells whether "up" was found for the first time; only the action's condition does.

use jiff::SignedDuration;

use super::{message::Message, names::HOST};
use crate::{
    alert::{DedupKey, Event, Kind, Severity},
    receive::words::RESOLVED,
};

/// Says that an action is about new things, as a whole word of its name: Zabbix's own word, and
/// that of its Korean frontend.
const DISCOVERED: [&str; 2] = ["discovered", "발견"];

/// The word of the integration's severity table for new things, and their severity without it.
const NEW: (&str, Severity) = ("discovered", Severity::Information);

/// What merely happened is put away when Zabbix has not mentioned it for this time.
const PUT_AWAY_AFTER: SignedDuration = SignedDuration::from_hours(1);

/// `{EVENT.OBJECT}` of a discovered device, rather than of a service on it.
const DEVICE: &str = "1";

/// A device, or a service on it.
struct Thing<'a> {
    ip: &'a str,
    dns: Option<&'a str>,
    rule: &'a str,
    service: Option<Service<'a>>,
}

struct Service<'a> {
    kind: &'a str,
    port: Option<&'a str>,
}

/// Events of network discovery.
pub(super) fn discovered(message: &Message<'_>) -> Result<Vec<Event>, String> {
    let (thing, is_up) = match (Thing::of(message), is_up(message)) {
        (Some(thing), Some(is_up)) => (thing, is_up),
        (thing, _) => {
            let title = thing.map(|thing| thing.place());
            return Ok(vec![happened(message, by_event_id(message)?, title.or_else(|| message.title()))]);
        }
    };
    let mut events = Vec::new();
    if is_up && is_about_new_things(message) {
        let title = format!("{} discovered", thing.what());
        let severity = message.post.grade(&[NEW.0, NEW.1.as_str()]).severity;
        events.push(Event { severity, ..happened(message, thing.key("discovered"), Some(title)) });
    }
    let state = if is_up { "up" } else { "down" };
    let mut event = message.event(thing.key("discovery"), &format!("{} is {state}", thing.what()), None);
    if is_up {
        event.ended_at = event.starts_at.take();
        event.status = RESOLVED;
    }
    events.push(event);
    Ok(events)
}

/// An agent that Zabbix does not know asked for work; it asks again every two minutes until a
/// host of its name is there.
pub(super) fn registered(message: &Message<'_>) -> Result<Vec<Event>, String> {
    // First the name that the agent gives itself.
    let host = message.fields.word(&["hosthost"]).or_else(|| message.fields.word(HOST));
    let Some(host) = host else {
        return Ok(vec![happened(message, by_event_id(message)?, message.title())]);
    };
    let ip = message.fields.word(&["hostip"]).map(|ip| format!(" ({ip})")).unwrap_or_default();
    let key = DedupKey::new(format!("autoregistration:{host}"));
    Ok(vec![happened(message, key, Some(format!("{host}{ip} registered itself")))])
}

impl<'a> Thing<'a> {
    fn of(message: &Message<'a>) -> Option<Self> {
        let fields = message.fields;
        let service = fields.word(&["discoveryservicename"]).filter(|_| !is_device(message));
        let port = fields.word(&["discoveryserviceport"]).filter(|port| *port != "0");
        Some(Self {
            ip: fields.word(&["discoverydeviceipaddress"])?,
            dns: fields.word(&["discoverydevicedns"]),
            rule: fields.word(&["discoveryrulename"]).unwrap_or_default(),
            service: service.map(|kind| Service { kind, port }),
        })
    }

    /// Addresses and kinds of service have no slash, so no two things share a key.
    fn key(&self, prefix: &str) -> DedupKey {
        let service = match &self.service {
            Some(service) => format!("{}:{}", service.kind, service.port.unwrap_or_default()),
            None => "device".to_owned(),
        };
        DedupKey::new(format!("{prefix}:{}/{service}/{}", self.ip, self.rule))
    }

    fn place(&self) -> String {
        match self.dns.filter(|dns| *dns != self.ip) {
            Some(dns) => format!("{dns} ({})", self.ip),
            None => self.ip.to_owned(),
        }
    }

    fn what(&self) -> String {
        let place = self.place();
        match &self.service {
            Some(Service { kind, port: Some(port) }) => format!("{place}: {kind} {port}"),
            Some(Service { kind, port: None }) => format!("{place}: {kind}"),
            None => place,
        }
    }
}

fn is_device(message: &Message<'_>) -> bool {
    message.fields.word(&["eventobject"]) == Some(DEVICE)
}

/// A service's own status goes before that of its device.
fn is_up(message: &Message<'_>) -> Option<bool> {
    let service = message.fields.word(&["discoveryservicestatus"]).filter(|_| !is_device(message));
    match service.or_else(|| message.fields.word(&["discoverydevicestatus"]))? {
        "UP" | "DISCOVERED" => Some(true),
        "DOWN" | "LOST" => Some(false),
        _ => None,
    }
}

fn is_about_new_things(message: &Message<'_>) -> bool {
    let action = message.fields.text(&["actionname"]).unwrap_or_default().to_lowercase();
    action.split(|c: char| !c.is_alphanumeric()).any(|word| DISCOVERED.contains(&word))
}

fn by_event_id(message: &Message<'_>) -> Result<DedupKey, String> {
    message.event_id().map(DedupKey::new)
}

/// Something that people are notified of once.
fn happened(message: &Message<'_>, key: DedupKey, title: Option<String>) -> Event {
    let title = title.unwrap_or_else(|| format!("Zabbix event {}", key.as_str()));
    let expires_after = Some(PUT_AWAY_AFTER.min(message.post.integration.close_after));
    Event { kind: Kind::Occurrence, expires_after, ..message.event(key, &title, None) }
}
