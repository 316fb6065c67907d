//! Zabbix 6.0 to 7.4: what a webhook media type sends.
//!
//! One flat JSON object; only `event_id` and `event_value` are needed (or, from media types made for others, `id`
//! and a state word). How the kinds of message are told apart was measured with a Zabbix 6.0 server:
//!
//! | kind | `event_value` | `event_update_status` | else |
//! |---|---|---|---|
//! | problem, each escalation repeat | 1 | 0 | |
//! | comment, acknowledgement, severity change | 1 | 1 | |
//! | closed by hand | 0 | 1 | `event_update_action` says "closed"; the recovery follows |
//! | recovery | 0 | 0 | |
//! | escalation cancelled | 1 | 0 | only the message says so, and no recovery will come |
//! | Test button | `{EVENT.VALUE}` | | nothing is replaced |
//!
//! `event_id` is the problem's own in all of them, so it is the dedup key. So it is with internal
//! events and with business services (`event_source` 3 and 4); discovery and autoregistration
//! (1 and 2) are different: see [`found`].

mod found;
mod message;
mod names;
mod page;
mod source;

#[cfg(test)]
mod tests;

use super::{Post, Reading, fields::Fields, text};
use crate::alert::{DedupKey, Event, EventStatus, Kind, Update};
use message::Message;
use source::Source;

/// An object or a form; `None` for an object that names neither an event's id nor its value.
pub(super) fn read(post: &Post<'_>) -> Option<Reading> {
    let fields = match fields(post.text.trim()) {
        Ok(fields) => fields,
        Err(reason) => return Some(Reading::unreadable(reason)),
    };
    let message = Message { fields: &fields, post };
    if message.is_test() {
        return Some(test(&message).into());
    }
    names_event(&fields).then(|| events(&message).into())
}

/// Reads an object that [`read`] does not: with an `id` and a state word it is a message too.
pub(super) fn read_by_other_names(post: &Post<'_>) -> Reading {
    fields(post.text.trim()).and_then(|fields| events(&Message { fields: &fields, post })).into()
}

fn fields(text: &str) -> Result<Fields<'_>, String> {
    if text.starts_with('{') {
        return Fields::from_json(text).map_err(|err| format!("the body is not valid JSON: {err}"));
    }
    let form = Fields::from_form(text);
    if names_event(&form) {
        return Ok(form);
    }
    Err(if text.is_empty() { "the body is empty" } else { "the body is not a JSON object" }.to_owned())
}

fn names_event(fields: &Fields<'_>) -> bool {
    fields.has("eventid") || fields.has("eventvalue")
}

fn events(message: &Message<'_>) -> Result<Vec<Event>, String> {
    match message.source() {
        Source::Discovery => found::discovered(message),
        Source::Autoregistration => found::registered(message),
        Source::Trigger | Source::Internal | Source::Service => event(message).map(|event| vec![event]),
    }
}

fn event(message: &Message<'_>) -> Result<Event, String> {
    let (event_id, firing) = match (message.event_id(), message.is_firing()) {
        (Err(no_id), Err(no_value)) => return Err(format!("{no_id}, and {no_value}")),
        (event_id, firing) => (event_id?, firing?),
    };
    let title = message.title().unwrap_or_else(|| format!("Zabbix event {event_id}"));
    let event = message.event(DedupKey::new(event_id), &title, Some(event_id));
    // A service's own severity stays what it was at first, also in escalation repeats.
    let at_start = message.source() == Source::Service && !message.is_update();
    Ok(Event {
        status: status(message, firing),
        severity: event.severity.filter(|_| !at_start),
        severity_at_start: event.severity.filter(|_| at_start),
        key_never_returns: true,
        ..event
    })
}

/// Updates come first: one that closes by hand has the value of a recovery, all others have the
/// value of a problem and must not look like an escalation repeat.
fn status(message: &Message<'_>, firing: bool) -> EventStatus {
    if !firing {
        return EventStatus::Resolved { note: message.closed_by_hand(), escalation_cancelled: false };
    }
    if message.is_update() {
        let (acknowledged, comment, by) = (message.acknowledged(), message.comment(), message.by());
        return EventStatus::Update(Update { acknowledged, comment, by });
    }
    match message.cancelled() {
        Some(reason) => EventStatus::Resolved {
            note: Some(text::note(&format!("Zabbix stopped following it: {reason}"))),
            escalation_cancelled: true,
        },
        None => EventStatus::Firing,
    }
}

const EXPLAINED: &str =
    "Sent by the Test button of the media type: Zabbix fills in nothing there. The way to here works.";

/// The Test button sends macros as they stand, unless the operator overwrote some by hand. Each
/// differing body is a test of its own.
fn test(message: &Message<'_>) -> Event {
    let title =
        message.title().unwrap_or_else(|| format!("Test message from {}", message.post.integration.name));
    let key = DedupKey::derived("test", &[message.post.text.trim()]);
    let mut event =
        Event { starts_at: None, said_at: None, kind: Kind::Test, ..message.event(key, &title, None) };
    if event.body.is_empty() {
        EXPLAINED.clone_into(&mut event.body);
    }
    event
}
