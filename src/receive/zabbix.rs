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

use jiff::Timestamp;

use super::{
    BODY_BYTES_MAX, NOTE_BYTES_MAX, Reading, TITLE_BYTES_MAX, fields::Fields, generic, text, unreadable,
};
use crate::{
    alert::{DedupKey, Event, EventStatus, Kind, Update},
    config::Integration,
};
use message::Message;
use source::Source;

/// Reads one message. Also accepts the parameters as a form, and bodies of another shape that
/// say a state and a title (the Grafana `OnCall` media type) by the generic rules.
pub fn read(integration: &Integration, body: &[u8], now: Timestamp) -> Reading {
    let text = text::decode(body);
    let fields = match parse(&text) {
        Ok(fields) => fields,
        Err(reason) => return unreadable(reason),
    };
    let message = Message { fields: &fields, integration, now };
    if message.is_test() {
        return Reading::Events(vec![test(&message, &text)]);
    }
    if !fields.has("eventid")
        && !fields.has("eventvalue")
        && let Some(event) = generic::event_with_state(&fields, integration, now)
    {
        return Reading::Events(vec![event]);
    }
    let events = match message.source() {
        Source::Discovery => found::discovered(&message),
        Source::Autoregistration => found::registered(&message),
        Source::Trigger | Source::Internal | Source::Service => read_event(&message).map(|event| vec![event]),
    };
    match events {
        Ok(events) => Reading::Events(events),
        Err(reason) => unreadable(reason),
    }
}

fn parse(text: &str) -> Result<Fields<'_>, String> {
    let text = text.trim();
    if text.starts_with('{') {
        return Fields::from_json(text).map_err(|err| format!("the body is not valid JSON: {err}"));
    }
    let form = Fields::from_form(text);
    if form.has("eventid") || form.has("eventvalue") {
        return Ok(form);
    }
    Err(if text.is_empty() { "the body is empty" } else { "the body is not a JSON object" }.to_owned())
}

fn read_event(message: &Message<'_>) -> Result<Event, String> {
    let (event_id, firing) = match (message.event_id(), message.is_firing()) {
        (Ok(event_id), Ok(firing)) => (event_id, firing),
        (Err(reason), Ok(_)) | (Ok(_), Err(reason)) => return Err(reason),
        (Err(no_id), Err(no_value)) => return Err(format!("{no_id}, and {no_value}")),
    };
    let grade = message.grade();
    // A service's own severity stays what it was at first, also in escalation repeats.
    let at_start = message.source() == Source::Service && !message.is_update();
    let title = message.title();
    let title = title.unwrap_or_else(|| text::one_line(&format!("Zabbix event {event_id}"), TITLE_BYTES_MAX));
    Ok(Event {
        status: status(message, firing),
        severity: grade.severity.filter(|_| !at_start),
        severity_at_start: grade.severity.filter(|_| at_start),
        unknown_severity: grade.unknown,
        body: message.body(),
        labels: message.labels(),
        source_url: message.source_url(Some(event_id)),
        starts_at: message.starts_at(),
        key_never_returns: true,
        ..Event::firing(DedupKey::new(event_id), title)
    })
}

/// Updates come first: one that closes by hand has the value of a recovery, all others have the
/// value of a problem and must not look like an escalation repeat.
fn status(message: &Message<'_>, firing: bool) -> EventStatus {
    if !firing {
        let note = message.closed_by_hand();
        return EventStatus::Resolved { note, escalation_cancelled: false };
    }
    if message.is_update() {
        return EventStatus::Update(Update {
            acknowledged: message.acknowledged(),
            comment: message.comment(),
            by: message.by(),
        });
    }
    if let Some(reason) = message.cancelled() {
        let note = Some(text::tidy(&format!("Zabbix stopped following it: {reason}"), NOTE_BYTES_MAX));
        return EventStatus::Resolved { note, escalation_cancelled: true };
    }
    EventStatus::Firing
}

/// The Test button sends macros as they stand, unless the operator overwrote some by hand. Each
/// differing body is a test of its own.
fn test(message: &Message<'_>, body: &str) -> Event {
    let grade = message.grade();
    let title = message.title().unwrap_or_else(|| format!("Test message from {}", message.integration.name));
    let explained =
        "Sent by the Test button of the media type: Zabbix fills in nothing there. The way to here works.";
    let body_text = message.body();
    Event {
        severity: grade.severity,
        unknown_severity: grade.unknown,
        body: if body_text.is_empty() { text::tidy(explained, BODY_BYTES_MAX) } else { body_text },
        labels: message.labels(),
        source_url: message.source_url(None),
        kind: Kind::Test,
        ..Event::firing(DedupKey::derived("test", &[body.trim()]), text::one_line(&title, TITLE_BYTES_MAX))
    }
}
