//! 1. RECEIVE: a body becomes events. Knows payloads, nothing of storage.
//!
//! A monitor does nothing about an error that it is sent, so nothing here refuses a body: what cannot be
//! read is [`Reading::Unreadable`], and people are notified of it. Only [`manual`] returns errors, to a person.
//!
//! [`read`] is the one place that knows in which order the readers are tried. No reader knows another one; what they
//! share stands in files of its own: `labelled`, `lists`, `fields`, `title_state`, `words`, …

pub mod alertmanager;
pub mod delivery;
mod fields;
mod form;
mod generic;
mod grafana;
mod icinga;
mod json;
mod labelled;
mod labels;
mod link;
mod lists;
pub mod manual;
mod multipart;
mod munin;
pub mod redact;
mod text;
mod time;
mod title;
mod title_state;
mod uptime_kuma;
mod whatap;
mod words;
mod zabbix;

#[cfg(test)]
mod tests;

use jiff::{SignedDuration, Timestamp};

use crate::{
    alert::{Event, Kind},
    config::{Integration, IntegrationKind},
};

/// Zabbix event names alone may have 2,048 characters.
pub const TITLE_BYTES_MAX: usize = 512;

/// With title, labels and open work it has to fit a stored document, also when every character needs an escape.
pub const BODY_BYTES_MAX: usize = 8 * 1024;

/// For comments and notes.
pub const NOTE_BYTES_MAX: usize = 1024;

/// Most events that one body makes; one further event says how many entries were left out.
pub const EVENTS_PER_REQUEST_MAX: usize = 20_000;

/// What a body turned out to be.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Reading {
    /// The response has one result per event, in this order.
    Events(Vec<Event>),
    /// It is kept, and people are notified. The reason says what is wrong and where, and never a part of the body.
    Unreadable { reason: String },
}

impl Reading {
    fn unreadable(reason: impl Into<String>) -> Self {
        Self::Unreadable { reason: reason.into() }
    }

    /// No title is empty: an event without anything printable for a title at least says who sent it.
    fn titled(mut self, integration: &Integration) -> Self {
        if let Self::Events(events) = &mut self {
            for event in events.iter_mut().filter(|event| event.title.is_empty()) {
                event.title = text::title(&format!("Event from {}", integration.name));
            }
        }
        self
    }
}

impl From<Event> for Reading {
    fn from(event: Event) -> Self {
        Self::Events(vec![event])
    }
}

impl From<Result<Vec<Event>, String>> for Reading {
    fn from(events: Result<Vec<Event>, String>) -> Self {
        events.map_or_else(Self::unreadable, Self::Events)
    }
}

/// What happened, rather than lasts, is told again when it happens this long after it was said last.
const OCCURRENCE_CLOSES_AFTER: SignedDuration = SignedDuration::from_hours(1);

/// One body, and what is needed to read it.
#[derive(Clone, Copy, Debug)]
struct Post<'a> {
    integration: &'a Integration,
    content_type: Option<&'a str>,
    text: &'a str,
    now: Timestamp,
}

impl Post<'_> {
    /// Reads a time as [`time::parse`] does, one without offset in the integration's time zone.
    fn time(&self, text: &str) -> Option<Timestamp> {
        time::parse(text, &self.integration.time_zone)
    }

    /// Says an event only that something happened.
    fn happened(&self, event: Event) -> Event {
        let expires_after = Some(OCCURRENCE_CLOSES_AFTER.min(self.integration.close_after));
        Event { kind: Kind::Occurrence, expires_after, ..event }
    }

    /// By the integration's own table first.
    fn grade(&self, words: &[&str]) -> words::Grade {
        words::grade(words, &self.integration.severity)
    }
}

/// What a Content-Type says; it only decides whether something in brackets is broken JSON or plain text.
fn is_json(content_type: Option<&str>) -> bool {
    content_type.is_some_and(|content_type| content_type.to_ascii_lowercase().contains("json"))
}

/// First the reader of the integration's kind, then the senders that are known by the shape of what they send, then
/// the generic rules. Never panics, never trusts a Content-Type, and allocates at most a small multiple of the body.
pub fn read(integration: &Integration, content_type: Option<&str>, body: &[u8], now: Timestamp) -> Reading {
    let decoded = text::decode(body);
    let post = Post { integration, content_type, text: &decoded, now };
    let own = match integration.kind {
        IntegrationKind::Zabbix => Some(by_zabbix(&post)),
        IntegrationKind::Grafana => grafana::read(&post),
        IntegrationKind::Alertmanager => alertmanager::read(&post),
        IntegrationKind::Munin => munin::read(&post),
        IntegrationKind::Whatap => {
            whatap::read(&post).or_else(|| Some(whatap::plain(&post, by_content(&post))))
        }
        IntegrationKind::UptimeKuma => uptime_kuma::read(&post),
        IntegrationKind::Generic => None,
    };
    own.unwrap_or_else(|| by_content(&post)).titled(integration)
}

/// What a Zabbix media type sends is up to its author: one that was made for another program has a state and a
/// title (Grafana `OnCall`), or an `id` and a state (Keep).
fn by_zabbix(post: &Post<'_>) -> Reading {
    zabbix::read(post)
        .or_else(|| generic::read_with_state(post))
        .unwrap_or_else(|| zabbix::read_by_other_names(post))
}

fn by_content(post: &Post<'_>) -> Reading {
    by_shape(post).unwrap_or_else(|| generic::read(post))
}

/// A body that only one sender can have made, whatever kind its integration has, unless the operator says where
/// everything is.
fn by_shape(post: &Post<'_>) -> Option<Reading> {
    let map = &post.integration.map;
    if map.events.is_some() || !map.fields.is_empty() {
        return None;
    }
    let top = json::Pairs::read(multipart::json_object(post.text)?)?;
    let has = |name| top.raw(name).is_some();
    if has("groupKey") || has("commonLabels") {
        grafana::read_group(post, &top)
    } else if has("evalMatches") {
        grafana::read_rule(post, &top)
    } else if has("heartbeat") && has("monitor") {
        uptime_kuma::read_heartbeat(post, &top)
    } else {
        icinga::read(post, &top)
    }
}
