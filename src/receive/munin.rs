//! Munin's contact commands: what `munin-limits` writes to a curl's standard input.
//!
//! * **Ours**, from `bongsu setup munin`: one record a plugin, in which tabs separate what Munin cannot quote
//!   ([`record`]).
//! * **Munin's default text**, and the two other texts of its manual ([`prose`]).
//!
//! One body holds every plugin that changed in a run, and each message the whole state of its plugin; so
//! a plugin is one alert, and its worst field says how grave it is. A nested graph's plugin name is not
//! unique on its host, so the title belongs to the key. Recoveries can be lost, since Munin never looks whether
//! curl succeeded: with `always_send … ok` every run says again what is well, which is ignored here.

mod prose;
mod record;

#[cfg(test)]
mod tests;

use jiff::Timestamp;

use super::{
    BODY_BYTES_MAX, EVENTS_PER_REQUEST_MAX, Reading, generic,
    labels::Labels,
    text::{self, tidy_body},
    title::with_host,
    words::grade,
};
use crate::{
    alert::{DedupKey, Event, EventStatus},
    config::Integration,
};

/// Reads all messages of a body.
pub fn read(integration: &Integration, content_type: Option<&str>, body: &[u8], now: Timestamp) -> Reading {
    let decoded = text::decode(body);
    let messages: Vec<Message<'_>> = if record::is_any(&decoded) {
        record::read(&decoded).take(EVENTS_PER_REQUEST_MAX + 1).collect()
    } else {
        prose::read(&decoded).take(EVENTS_PER_REQUEST_MAX + 1).collect()
    };
    if messages.is_empty() {
        return generic::read(integration, content_type, body, now);
    }
    let total = messages.len();
    let mut events: Vec<Event> =
        messages.into_iter().take(EVENTS_PER_REQUEST_MAX).map(|message| message.event(integration)).collect();
    if events.len() < total {
        let what = format!("more than {EVENTS_PER_REQUEST_MAX} messages came in one request");
        events.extend(generic::not_read(integration, &what));
    }
    Reading::Events(events)
}

/// How a field stands. What comes first is worst.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
enum Level {
    Critical,
    Warning,
    Unknown,
    Ok,
}

impl Level {
    fn as_str(self) -> &'static str {
        match self {
            Self::Critical => "CRITICAL",
            Self::Warning => "WARNING",
            Self::Unknown => "UNKNOWN",
            Self::Ok => "OK",
        }
    }

    /// Reads `CRITICAL`, `criticals`, `Critical`.
    fn parse(word: &str) -> Option<Self> {
        let word = word.trim();
        let word = word.strip_suffix(['s', 'S']).unwrap_or(word);
        [Self::Critical, Self::Warning, Self::Unknown, Self::Ok]
            .into_iter()
            .find(|level| level.as_str().eq_ignore_ascii_case(word))
    }
}

/// What one message says of one plugin.
#[derive(Debug)]
struct Message<'a> {
    group: &'a str,
    host: &'a str,
    /// Absent in texts that are not ours.
    plugin: &'a str,
    title: String,
    worst: Level,
    /// `/home = 98.41 (outside :98) more`, each with its level.
    fields: Vec<(Level, String)>,
    /// Whatever else was said of it.
    labels: Vec<(&'static str, String)>,
}

impl Message<'_> {
    fn event(self, integration: &Integration) -> Event {
        let is_over = self.worst == Level::Ok;
        let grade = grade(&[self.worst.as_str()], &integration.severity);
        let mut labels = Labels::default();
        for (name, value) in [("host", self.host), ("group", self.group), ("plugin", self.plugin)] {
            if !value.is_empty() {
                labels.insert(name, value);
            }
        }
        labels.insert("graph_title", &self.title);
        for (name, value) in &self.labels {
            labels.insert(name, value);
        }
        let told = |level: Level| is_over || level != Level::Ok;
        let lines: Vec<String> = self
            .fields
            .iter()
            .filter(|(level, _)| told(*level))
            .map(|(level, field)| format!("{}: {field}", level.as_str()))
            .collect();
        let key = DedupKey::derived("munin", &[self.group, self.host, self.plugin, &self.title]);
        Event {
            status: if is_over {
                EventStatus::Resolved { note: None, escalation_cancelled: false }
            } else {
                EventStatus::Firing
            },
            severity: grade.severity.filter(|_| !is_over),
            unknown_severity: grade.unknown.filter(|_| !is_over),
            body: tidy_body(&lines.join("\n"), BODY_BYTES_MAX),
            labels: labels.finish(),
            ..Event::firing(key, with_host(&self.title, &[self.host]))
        }
    }
}

/// The worst level that any field has.
fn worst(fields: &[(Level, String)]) -> Option<Level> {
    fields.iter().map(|(level, _)| *level).min()
}
