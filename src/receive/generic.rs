//! Anything with curl: JSON, a form or plain text, read by the names that senders commonly use.
//!
//! * **JSON object**: one event; an array, or an object with an array `alerts` or `events`, is
//!   one event per element. Names are compared as in [`super::zabbix`]; a name inside an object
//!   counts as both names (`{"monitor": {"name": …}}` is `monitor_name`).
//! * **Form**: the same names; recognised by its content, since `curl -d` calls everything a form.
//! * **Text**: the first line is the title, the rest the body.
//!
//! The dedup key is the sender's own (`dedup_key`, `fingerprint`, `alert_uid`, `id`, …), else it is
//! derived from source, host, service and the title, or the first line where there is no title;
//! so a recovery without a key is matched if its title is the same. Where the sender gives host
//! and service but no title, those two are enough. An unknown or missing state word fires: better
//! told once too often. A missing severity stays unsaid, which an alert reads as not classified.

mod names;
mod said;

#[cfg(test)]
mod tests;

use jiff::Timestamp;

use super::{
    BODY_BYTES_MAX, EVENTS_PER_REQUEST_MAX, Reading,
    fields::Fields,
    json::{Items, string},
    text, unreadable,
};
use crate::{
    alert::{DedupKey, Event, EventStatus, Severity},
    config::Integration,
};
use said::Said;

type Entries<'a> = Items<'a, EVENTS_PER_REQUEST_MAX>;

/// Where a list of events may stand in an object.
const LISTS: &[&str] = &["alerts", "events"];

/// Reads a body of any of the forms above. The Content-Type only decides whether something in
/// brackets that is no JSON is broken JSON or plain text (`[web01] disk full`).
pub fn read(integration: &Integration, content_type: Option<&str>, body: &[u8], now: Timestamp) -> Reading {
    let decoded = text::decode(body);
    let trimmed = decoded.trim();
    let Some(first) = trimmed.as_bytes().first() else {
        return unreadable("the body is empty");
    };
    let reader = Reader { integration, now };
    match first {
        b'{' => reader.object(trimmed),
        b'[' => match serde_json::from_str::<Entries<'_>>(trimmed) {
            Ok(entries) => reader.list(&entries),
            Err(err) if is_json(content_type) => unreadable(format!("the body is not valid JSON: {err}")),
            Err(_) => plain(trimmed),
        },
        b'"' if serde_json::from_str::<serde::de::IgnoredAny>(trimmed).is_ok() => plain(&string(trimmed)),
        _ => {
            let form = trimmed.contains('=').then(|| Fields::from_form(trimmed));
            match form.and_then(|form| Said { fields: &form, integration, now }.event()) {
                Some(event) => Reading::Events(vec![event]),
                None => plain(trimmed),
            }
        }
    }
}

/// An event, if the fields say what is wrong and whether it still holds. For senders that were
/// given the wrong kind.
pub(super) fn event_with_state(
    fields: &Fields<'_>,
    integration: &Integration,
    now: Timestamp,
) -> Option<Event> {
    let said = Said { fields, integration, now };
    said.state()?;
    said.event()
}

fn is_json(content_type: Option<&str>) -> bool {
    content_type.is_some_and(|content_type| content_type.to_ascii_lowercase().contains("json"))
}

struct Reader<'a> {
    integration: &'a Integration,
    now: Timestamp,
}

impl Reader<'_> {
    fn object(&self, text: &str) -> Reading {
        let fields = match Fields::from_json(text) {
            Ok(fields) => fields,
            Err(err) => return unreadable(format!("the body is not valid JSON: {err}")),
        };
        let list = fields.nested(LISTS).and_then(|list| serde_json::from_str::<Entries<'_>>(list).ok());
        let is_list =
            |entries: &Entries<'_>| entries.kept.first().is_some_and(|entry| entry.get().starts_with('{'));
        if let Some(entries) = list.filter(is_list)
            && let events @ Reading::Events(_) = self.list(&entries)
        {
            return events;
        }
        match (Said { fields: &fields, integration: self.integration, now: self.now }).event() {
            Some(event) => Reading::Events(vec![event]),
            None => {
                unreadable("no field says what is wrong: expected title, summary, subject, name or message")
            }
        }
    }

    fn list(&self, entries: &Entries<'_>) -> Reading {
        let mut events: Vec<Event> =
            entries.kept.iter().filter_map(|entry| self.entry(entry.get())).collect();
        if events.is_empty() {
            return unreadable(match entries.total {
                0 => "the list of events is empty",
                _ => {
                    "no entry of the list says what is wrong: expected title, summary, subject, name or message"
                }
            });
        }
        if let Some(event) = self.left_out(entries, events.len()) {
            events.push(event);
        }
        Reading::Events(events)
    }

    fn entry(&self, raw: &str) -> Option<Event> {
        if raw.starts_with('"') {
            return plain_event(&string(raw));
        }
        let fields = Fields::from_json(raw).ok()?;
        Said { fields: &fields, integration: self.integration, now: self.now }.event()
    }

    /// Nothing is dropped in silence: an event that tells how many entries no event was made of.
    fn left_out(&self, entries: &Entries<'_>, read: usize) -> Option<Event> {
        let unread = entries.kept.len() - read;
        let beyond = entries.total - entries.kept.len();
        if unread + beyond == 0 {
            return None;
        }
        let name = &self.integration.name;
        let body = format!(
            "{unread} entries of a list of {} say nothing readable; {beyond} lie beyond the limit of \
             {EVENTS_PER_REQUEST_MAX} events in one request.",
            entries.total
        );
        let mut event = plain_event(&format!("Entries from {name} were not read\n{body}"))?;
        event.dedup_key = DedupKey::new("bongsu:entries-not-read");
        event.severity = Some(Severity::High);
        Some(event)
    }
}

fn plain(text: &str) -> Reading {
    match plain_event(text) {
        Some(event) => Reading::Events(vec![event]),
        None => unreadable("the body has no text"),
    }
}

fn plain_event(text: &str) -> Option<Event> {
    let (title, rest) = text::split_first_line(text);
    let title = text::one_line(title, super::TITLE_BYTES_MAX);
    (!title.is_empty()).then(|| Event {
        dedup_key: DedupKey::derived("text", &[&title]),
        status: EventStatus::Firing,
        severity: None,
        severity_at_start: None,
        unknown_severity: None,
        title,
        body: text::tidy_body(rest, BODY_BYTES_MAX),
        labels: std::collections::BTreeMap::new(),
        source_url: None,
        starts_at: None,
        ended_at: None,
        test: false,
        told_once: false,
        key_never_returns: false,
        to: Vec::new(),
        idempotency_key: None,
    })
}
