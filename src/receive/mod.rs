//! 1. RECEIVE: a body becomes events. Knows payloads, nothing of storage.
//!
//! Senders cannot be told that they are wrong, so nothing here refuses a body: what cannot be
//! read is [`Reading::Unreadable`] and is told to people as such. Only [`manual`], whose caller
//! sits at a keyboard, answers with errors.

pub mod alertmanager;
pub mod delivery;
mod fields;
mod form;
pub mod generic;
pub mod grafana;
mod json;
mod labels;
mod link;
pub mod manual;
mod multipart;
pub mod munin;
pub mod redact;
mod stated;
mod text;
mod time;
mod title;
pub mod uptime_kuma;
pub mod whatap;
mod words;
pub mod zabbix;

#[cfg(test)]
mod tests;

use jiff::Timestamp;

use crate::{
    alert::Event,
    config::{Integration, IntegrationKind},
};

/// Longest title, in bytes; Zabbix event names alone may have 2,048 characters.
pub const TITLE_BYTES_MAX: usize = 512;

/// Longest body text of an event, in bytes: with title, labels and open work it has to fit a
/// stored document, also when every character needs an escape.
pub const BODY_BYTES_MAX: usize = 8 * 1024;

/// Longest comment or note, in bytes.
pub const NOTE_BYTES_MAX: usize = 1024;

/// Most events that one body makes; one further event tells how many entries were left out.
pub const EVENTS_PER_REQUEST_MAX: usize = 20_000;

/// What a body turned out to be.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Reading {
    /// One result is answered per event, in order.
    Events(Vec<Event>),
    /// Nobody can make sense of it; it is kept and told as such.
    Unreadable {
        /// What is wrong and where, for people; never a part of the body.
        reason: String,
    },
}

/// Reads a body by the integration's rules. Never panics, never trusts a Content-Type, and
/// allocates at most a small multiple of the body.
pub fn read(integration: &Integration, content_type: Option<&str>, body: &[u8], now: Timestamp) -> Reading {
    let reading = match integration.kind {
        IntegrationKind::Zabbix => zabbix::read(integration, body, now),
        IntegrationKind::Grafana => grafana::read(integration, content_type, body, now),
        IntegrationKind::Alertmanager => alertmanager::read(integration, content_type, body, now),
        IntegrationKind::Munin => munin::read(integration, content_type, body, now),
        IntegrationKind::Whatap => whatap::read(integration, content_type, body, now),
        IntegrationKind::UptimeKuma => uptime_kuma::read(integration, content_type, body, now),
        IntegrationKind::Generic => generic::read(integration, content_type, body, now),
    };
    named(integration, reading)
}

/// Nobody is woken by an empty line: what has nothing printable for a title says at least who sent it.
fn named(integration: &Integration, mut reading: Reading) -> Reading {
    if let Reading::Events(events) = &mut reading {
        for event in events.iter_mut().filter(|event| event.title.is_empty()) {
            event.title = text::one_line(&format!("Event from {}", integration.name), TITLE_BYTES_MAX);
        }
    }
    reading
}

/// Shorthand of the readers.
fn unreadable(reason: impl Into<String>) -> Reading {
    Reading::Unreadable { reason: reason.into() }
}
