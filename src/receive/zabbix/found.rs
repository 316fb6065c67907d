//! Network discovery and autoregistration: what Zabbix finds.
//!
//! Measured with a Zabbix 6.0 server: `{EVENT.VALUE}`, `{EVENT.STATUS}` and `{EVENT.NAME}` stay
//! macros, and no recovery is ever sent. Every check makes an event with an id of its own, so an
//! unreachable device comes again with every check, and a reachable one too, as the action
//! wants it. So the device or service itself is the alert, and its status now decides:
//!
//! | status | what it does |
//! |---|---|
//! | `DOWN` | opens its alert, or joins it |
//! | `UP` | ends its alert, if there is one |
//! | `UP`, from an action whose name has the word "discovered" | that, and one notification that it is new |
//! | none | one notification |
//!
//! No macro says whether "up" was found for the first time; only the action's condition does.

use super::{message::Message, names::HOST};
use crate::{
    alert::{DedupKey, Event, Severity},
    receive::words::RESOLVED,
};

/// In the name of an action about new devices and services: Zabbix's own word, and that of its Korean frontend.
const DISCOVERED: [&str; 2] = ["discovered", "발견"];

/// The word of the severity table for new devices and services, and their severity without it.
const NEW: (&str, Severity) = ("discovered", Severity::Information);

/// `{EVENT.OBJECT}` of a discovered device, rather than of a service on it.
const DEVICE: &str = "1";

/// A device, or a service on it.
struct Target {
    /// The device, by name and address.
    place: String,
    /// `place`, and the service if it is one.
    name: String,
    key: String,
}

pub(super) fn discovered(message: &Message<'_>) -> Result<Vec<Event>, String> {
    let target = Target::of(message);
    let (Some(target), Some(is_up)) = (&target, is_up(message)) else {
        let place = target.map(|target| target.place);
        let key = DedupKey::new(message.event_id()?);
        return Ok(vec![happened(message, key, place.or_else(|| message.title()))]);
    };
    let mut events = Vec::new();
    if is_up && is_about_new(message) {
        let severity = message.post.grade(&[NEW.0, NEW.1.as_str()]).severity;
        let key = DedupKey::new(format!("discovered:{}", target.key));
        let title = format!("{} discovered", target.name);
        events.push(Event { severity, ..happened(message, key, Some(title)) });
    }
    let state = if is_up { "up" } else { "down" };
    let key = DedupKey::new(format!("discovery:{}", target.key));
    let mut event = seen(message, key, &format!("{} is {state}", target.name));
    if is_up {
        event.ended_at = event.said_at;
        event.status = RESOLVED;
    }
    events.push(event);
    Ok(events)
}

/// An unknown agent asked for work; it asks again every two minutes until there is a host of its name.
pub(super) fn registered(message: &Message<'_>) -> Result<Vec<Event>, String> {
    // First the name that the agent gives itself.
    let Some(host) = message.fields.word("hosthost").or_else(|| message.fields.word(HOST)) else {
        return Ok(vec![happened(message, DedupKey::new(message.event_id()?), message.title())]);
    };
    let ip = message.fields.word("hostip").map(|ip| format!(" ({ip})")).unwrap_or_default();
    let key = DedupKey::new(format!("autoregistration:{host}"));
    Ok(vec![happened(message, key, Some(format!("{host}{ip} registered itself")))])
}

impl Target {
    fn of(message: &Message<'_>) -> Option<Self> {
        let word = |name| message.fields.word(name);
        let ip = word("discoverydeviceipaddress")?;
        let place = match word("discoverydevicedns").filter(|dns| *dns != ip) {
            Some(dns) => format!("{dns} ({ip})"),
            None => ip.to_owned(),
        };
        let port = word("discoveryserviceport").filter(|port| *port != "0").unwrap_or_default();
        let (name, key) = match word("discoveryservicename").filter(|_| !is_device(message)) {
            Some(kind) => (format!("{place}: {kind} {port}").trim_end().to_owned(), format!("{kind}:{port}")),
            None => (place.clone(), "device".to_owned()),
        };
        // Addresses and kinds of service have no slash, so no two targets share a key.
        let key = format!("{ip}/{key}/{}", word("discoveryrulename").unwrap_or_default());
        Some(Self { place, name, key })
    }
}

fn is_device(message: &Message<'_>) -> bool {
    message.fields.word("eventobject") == Some(DEVICE)
}

/// A service's own status goes before that of its device.
fn is_up(message: &Message<'_>) -> Option<bool> {
    let service = message.fields.word("discoveryservicestatus").filter(|_| !is_device(message));
    match service.or_else(|| message.fields.word("discoverydevicestatus"))? {
        "UP" | "DISCOVERED" => Some(true),
        "DOWN" | "LOST" => Some(false),
        _ => None,
    }
}

fn is_about_new(message: &Message<'_>) -> bool {
    let action = message.fields.text("actionname").unwrap_or_default().to_lowercase();
    action.split(|c: char| !c.is_alphanumeric()).any(|word| DISCOVERED.contains(&word))
}

/// Something that people are notified of once.
fn happened(message: &Message<'_>, key: DedupKey, title: Option<String>) -> Event {
    let title = title.unwrap_or_else(|| format!("Zabbix event {}", key.as_str()));
    message.post.happened(seen(message, key, &title))
}

/// Each check is an event of its own, so its time is that of the message.
fn seen(message: &Message<'_>, key: DedupKey, title: &str) -> Event {
    let mut event = message.event(key, title, None);
    event.said_at = event.starts_at.take();
    event
}
