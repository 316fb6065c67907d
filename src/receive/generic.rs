//! Anything with curl: JSON, a form or plain text, read by the names that senders commonly use.
//!
//! * **JSON object**: one event; an array, or an object with an array `alerts` or `events`, is
//!   one event per element. Names are compared as in [`super::zabbix`]; a name inside an object
//!   counts as both names (`{"monitor": {"name": …}}` is `monitor_name`).
//! * **Form**: the same names; recognised by its content, since `curl -d` calls everything a form.
//! * **Multipart form**: a part `data` is the body; else the parts are the fields.
//! * **Text**: the first line is the title, the rest the body.
//!
//! Where the names say nothing to us, `[integration.map]` points to what does.
//!
//! The dedup key is the sender's own (`dedup_key`, `fingerprint`, `alert_uid`, `id`, …), else it is
//! derived from source, host, service and the title, or the first line where there is no title;
//! so a recovery without a key is matched if its title is the same but for the state (see [`key`]).
//! An unknown or missing state word fires, unless the title begins with an end (`[RESOLVED] …`): better
//! told once too often. A missing severity stays unsaid, which an alert reads as not classified.

mod icinga;
mod key;
mod names;
mod said;

#[cfg(test)]
mod tests;

use jiff::Timestamp;

use super::{
    BODY_BYTES_MAX, EVENTS_PER_REQUEST_MAX, Reading, alertmanager,
    fields::Fields,
    grafana,
    json::{Items, Pairs, at_pointer, scalar, string},
    multipart, stated, text, unreadable, uptime_kuma,
};
use crate::{
    alert::{DedupKey, Event, EventStatus, Severity},
    config::Integration,
};
use said::Said;

pub(super) type Entries<'a> = Items<'a, EVENTS_PER_REQUEST_MAX>;

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
        b'-' if multipart::is_multipart(trimmed) => reader.multipart(trimmed),
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
    said.title()?;
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
        if let Some(events) = self.kin(text) {
            return events;
        }
        let fields = match self.fields(text) {
            Ok(fields) => fields,
            Err(err) => return unreadable(format!("the body is not valid JSON: {err}")),
        };
        let pointed = self.integration.map.events.as_ref().and_then(|pointer| at_pointer(text, pointer));
        let list = pointed.or_else(|| fields.nested(LISTS));
        let list = list.and_then(|list| serde_json::from_str::<Entries<'_>>(list).ok());
        let is_list =
            |entries: &Entries<'_>| entries.kept.first().is_some_and(|entry| entry.get().starts_with('{'));
        if let Some(entries) = list.filter(is_list)
            && let events @ Reading::Events(_) = self.list(&entries)
        {
            return events;
        }
        match self.said(&fields) {
            Some(event) => Reading::Events(vec![event]),
            None => {
                unreadable("no field says what is wrong: expected title, summary, subject, name or message")
            }
        }
    }

    /// Senders that were given this kind though they have their own: what is not to be mistaken is read
    /// as theirs, unless the operator says where everything is.
    fn kin(&self, text: &str) -> Option<Reading> {
        let is_mapped = self.integration.map.events.is_some() || !self.integration.map.fields.is_empty();
        let top = (!is_mapped).then(|| Pairs::read(text)).flatten()?;
        if top.raw("groupKey").is_some() || top.raw("commonLabels").is_some() {
            return alertmanager::group(self.integration, &top, self.now, grafana::unified);
        }
        if top.raw("evalMatches").is_some() {
            return grafana::before_unified(self.integration, &top);
        }
        if top.raw("heartbeat").is_some() && top.raw("monitor").is_some() {
            let event = uptime_kuma::from_json(text, self.integration, self.now)?;
            return Some(Reading::Events(vec![event]));
        }
        icinga::read(&top, self.integration, self.now).map(|event| Reading::Events(vec![event]))
    }

    /// The fields of an object, and what the configuration points to.
    fn fields<'a>(&self, text: &'a str) -> Result<Fields<'a>, serde_json::Error> {
        let mut fields = Fields::from_json(text)?;
        for (field, pointer) in &self.integration.map.fields {
            if let Some(value) = at_pointer(text, pointer).and_then(scalar) {
                fields.add(names::mapped(*field), value);
            }
        }
        Ok(fields)
    }

    fn said(&self, fields: &Fields<'_>) -> Option<Event> {
        Said { fields, integration: self.integration, now: self.now }.event()
    }

    /// A form with a file in it, or Uptime Kuma's: the part `data` is the body, else the parts are fields.
    fn multipart(&self, text: &str) -> Reading {
        if let Some(data) = multipart::field(text, "data").map(str::trim) {
            return if data.starts_with('{') { self.object(data) } else { plain(data) };
        }
        match self.said(&Fields::from_parts(multipart::fields(text))) {
            Some(event) => Reading::Events(vec![event]),
            None => unreadable("no part of the form says what is wrong: expected title, message or data"),
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
        events.extend(left_out(self.integration, entries, events.len()));
        Reading::Events(events)
    }

    fn entry(&self, raw: &str) -> Option<Event> {
        if raw.starts_with('"') {
            return plain_event(&string(raw));
        }
        self.said(&self.fields(raw).ok()?)
    }
}

/// Nothing is dropped in silence: an event that tells how many entries no event was made of.
pub(super) fn left_out(integration: &Integration, entries: &Entries<'_>, read: usize) -> Option<Event> {
    let unread = entries.kept.len() - read;
    let beyond = entries.total - entries.kept.len();
    let what = format!(
        "{unread} entries of a list of {} say nothing readable; {beyond} lie beyond the limit of \
         {EVENTS_PER_REQUEST_MAX} events in one request.",
        entries.total
    );
    (0 < unread + beyond).then(|| not_read(integration, &what)).flatten()
}

/// An event that tells of a part of a body that no event was made of.
pub(super) fn not_read(integration: &Integration, what: &str) -> Option<Event> {
    let event = plain_event(&format!("Entries from {} were not read\n{what}", integration.name))?;
    let dedup_key = DedupKey::new("bongsu:entries-not-read");
    Some(Event { dedup_key, severity: Some(Severity::High), ..event })
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
    let over = EventStatus::Resolved { note: None, escalation_cancelled: false };
    (!title.is_empty()).then(|| Event {
        status: if stated::begins_with_end(&title) { over } else { EventStatus::Firing },
        body: text::tidy_body(rest, BODY_BYTES_MAX),
        ..Event::firing(DedupKey::derived("text", &[&stated::without_leading(&title)]), title)
    })
}
