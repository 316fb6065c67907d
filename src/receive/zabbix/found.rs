//! Network discovery and autoregistration: what Zabbix finds.
//!
//! Measured with a Zabbix 6.0 server: `{EVENT.VALUE}`, `{EVENT.STATUS}` and `{EVENT.NAME}` stay
//! macros, and no recovery is ever sent. Every check makes an event with an id of its own, so an
//! unreachable device is told again with every check, and a reachable one too, as the action
//! wants it. What holds these together is the thing itself and the status that it has now:
//!
//! | status | what it does |
//! |---|---|
//! | `DOWN` | opens the thing's alert, or joins it |
//! | `UP` | ends the thing's alert, if there is one |
//! | `UP`, from an action whose name has the word "discovered" | that, and the new thing is told once |
//! | none | is told once |
//!
//! No macro tells whether "up" was found for the first time; only the action's condition does.

use jiff::SignedDuration;

use super::{
    super::{TITLE_BYTES_MAX, text::one_line, words::grade},
    message::Message,
    names::{
        ACTION, DISCOVERY_DNS, DISCOVERY_IP, DISCOVERY_PORT, DISCOVERY_RULE, DISCOVERY_SERVICE,
        DISCOVERY_SERVICE_STATUS, DISCOVERY_STATUS, EVENT_OBJECT, HOST, HOST_IP, REGISTERED_HOST,
    },
};
use crate::alert::{DedupKey, Event, EventStatus, Kind, Severity};

/// Says that an action is about new things, as a whole word of its name: Zabbix's own word, and
/// that of its Korean frontend.
const DISCOVERED: [&str; 2] = ["discovered", "발견"];

/// The word of the integration's severity table for new things, and their severity without it.
const NEW: (&str, Severity) = ("discovered", Severity::Information);

/// What merely happened is put away when Zabbix has not mentioned it for so long.
const PUT_AWAY_AFTER: SignedDuration = SignedDuration::from_hours(1);

/// `{EVENT.OBJECT}` of a discovered device, rather than of a service on it.
const DEVICE: &str = "1";

/// A device, or a service on it.
struct Thing<'a> {
    ip: &'a str,
    dns: Option<&'a str>,
    rule: &'a str,
    /// Kind and port.
    service: Option<(&'a str, Option<&'a str>)>,
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
    if is_up && says_discovered(message) {
        let mut new =
            happened(message, thing.key("discovered"), Some(format!("{} discovered", thing.what())));
        new.severity = grade(&[NEW.0, NEW.1.as_str()], &message.integration.severity).severity;
        events.push(new);
    }
    let state = if is_up { "up" } else { "down" };
    let mut event = event(message, thing.key("discovery"), &format!("{} is {state}", thing.what()));
    if is_up {
        event.ended_at = event.starts_at.take();
        event.status = EventStatus::Resolved { note: None, escalation_cancelled: false };
    }
    events.push(event);
    Ok(events)
}

/// An agent that Zabbix does not know asked for work; it asks again every two minutes until a
/// host of its name is there.
pub(super) fn registered(message: &Message<'_>) -> Result<Vec<Event>, String> {
    let fields = message.fields;
    let Some(host) = fields.text(REGISTERED_HOST).or_else(|| fields.text(HOST)).map(str::trim) else {
        return Ok(vec![happened(message, by_event_id(message)?, message.title())]);
    };
    let ip = fields.text(HOST_IP).map(|ip| format!(" ({})", ip.trim())).unwrap_or_default();
    let key = DedupKey::new(format!("autoregistration:{host}"));
    Ok(vec![happened(message, key, Some(format!("{host}{ip} registered itself")))])
}

impl<'a> Thing<'a> {
    fn of(message: &'a Message<'_>) -> Option<Self> {
        let text = |names| message.fields.text(names).map(str::trim);
        let port = text(DISCOVERY_PORT).filter(|port| *port != "0");
        Some(Self {
            ip: text(DISCOVERY_IP)?,
            dns: text(DISCOVERY_DNS),
            rule: text(DISCOVERY_RULE).unwrap_or_default(),
            service: text(DISCOVERY_SERVICE).filter(|_| !is_device(message)).map(|kind| (kind, port)),
        })
    }

    /// Addresses and kinds of service have no slash, so no two things share a key.
    fn key(&self, prefix: &str) -> DedupKey {
        let service = match self.service {
            Some((kind, port)) => format!("{kind}:{}", port.unwrap_or_default()),
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
        match self.service {
            Some((kind, Some(port))) => format!("{place}: {kind} {port}"),
            Some((kind, None)) => format!("{place}: {kind}"),
            None => place,
        }
    }
}

fn is_device(message: &Message<'_>) -> bool {
    message.fields.text(EVENT_OBJECT).is_some_and(|object| object.trim() == DEVICE)
}

/// A service's own status goes before that of its device.
fn is_up(message: &Message<'_>) -> Option<bool> {
    let service = message.fields.text(DISCOVERY_SERVICE_STATUS).filter(|_| !is_device(message));
    match service.or_else(|| message.fields.text(DISCOVERY_STATUS))?.trim() {
        "UP" | "DISCOVERED" => Some(true),
        "DOWN" | "LOST" => Some(false),
        _ => None,
    }
}

fn says_discovered(message: &Message<'_>) -> bool {
    let action = message.fields.text(ACTION).unwrap_or_default().to_lowercase();
    action.split(|c: char| !c.is_alphanumeric()).any(|word| DISCOVERED.contains(&word))
}

fn by_event_id(message: &Message<'_>) -> Result<DedupKey, String> {
    Ok(DedupKey::new(message.event_id()?))
}

fn happened(message: &Message<'_>, key: DedupKey, title: Option<String>) -> Event {
    let title = title.unwrap_or_else(|| format!("Zabbix event {}", key.as_str()));
    let expires_after = Some(PUT_AWAY_AFTER.min(message.integration.close_after));
    Event { kind: Kind::Occurrence, expires_after, ..event(message, key, &title) }
}

fn event(message: &Message<'_>, key: DedupKey, title: &str) -> Event {
    let grade = message.grade();
    Event {
        severity: grade.severity,
        unknown_severity: grade.unknown,
        body: message.body(),
        labels: message.labels(),
        source_url: message.source_url(None),
        starts_at: message.starts_at(),
        ..Event::firing(key, one_line(title, TITLE_BYTES_MAX))
    }
}
