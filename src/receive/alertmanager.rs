//! Prometheus Alertmanager's webhook (versions 3 and 4), and the array that Prometheus, vmalert and
//! Loki post to an Alertmanager (`api/v2/alerts`).
//!
//! Both are lists of alerts that are labels and annotations. A webhook holds a whole group and is sent
//! again for every change in it, and once more every `repeat_interval`; so each alert counts on its own,
//! by its `fingerprint`, or by its labels where there is none (before 0.19, and in the array).
//!
//! The array says nothing of a status: an alert holds until `endsAt`, which its sender moves on with
//! every repetition. One that is no longer repeated is over a little after that.

mod labelled;

#[cfg(test)]
mod tests;

use jiff::{SignedDuration, Timestamp};

use super::{
    BODY_BYTES_MAX, EVENTS_PER_REQUEST_MAX, Reading, generic,
    json::{Items, Pairs},
    named, text, unreadable,
};
use crate::{alert::Event, config::Integration};
pub(super) use labelled::{Group, Labelled, Texts, texts};

type Entries<'a> = Items<'a, EVENTS_PER_REQUEST_MAX>;

/// How much longer than its `endsAt` an alert of the array is believed: its sender may be restarting.
const ENDS_GRACE: SignedDuration = SignedDuration::from_mins(5);

/// Reads a webhook or an array; anything else (a `payload:` of the operator's own) by the generic rules.
pub fn read(integration: &Integration, content_type: Option<&str>, body: &[u8], now: Timestamp) -> Reading {
    let decoded = text::decode(body);
    let trimmed = decoded.trim();
    let read = match trimmed.as_bytes().first() {
        Some(b'[') => array(integration, trimmed, now),
        Some(b'{') => Pairs::read(trimmed).and_then(|top| group(integration, &top, now, plain)),
        _ => None,
    };
    read.unwrap_or_else(|| generic::read(integration, content_type, body, now))
}

/// Reads what is posted to `api/v2/alerts`. An empty array is no event and no mistake.
pub fn read_array(integration: &Integration, body: &[u8], now: Timestamp) -> Reading {
    let decoded = text::decode(body);
    let trimmed = decoded.trim();
    if serde_json::from_str::<Entries<'_>>(trimmed).is_ok_and(|entries| entries.total == 0) {
        return Reading::Events(Vec::new());
    }
    let reading = array(integration, trimmed, now).unwrap_or_else(|| {
        unreadable("expected what Prometheus posts to an Alertmanager: an array of {\"labels\": {…}, …}")
    });
    named(integration, reading)
}

/// `None` if no element is an alert of labels.
fn array(integration: &Integration, text: &str, now: Timestamp) -> Option<Reading> {
    let entries = serde_json::from_str::<Entries<'_>>(text).ok()?;
    let group = Group::default();
    let events = entries.kept.iter().filter_map(|entry| {
        let alert = Labelled::read(entry.get(), &group)?;
        let mut event = plain(&alert, integration, now)?;
        let holds_until = alert.ends_at(now).filter(|end| now < *end);
        event.expires_after = holds_until.map(|end| end.duration_since(now) + ENDS_GRACE);
        Some(event)
    });
    finish(integration, &entries, events.collect())
}

/// Reads a group; `None` if it is none. `event` makes an event of one alert.
pub(super) fn group(
    integration: &Integration,
    top: &Pairs<'_>,
    now: Timestamp,
    event: impl Fn(&Labelled<'_>, &Integration, Timestamp) -> Option<Event>,
) -> Option<Reading> {
    let entries = serde_json::from_str::<Entries<'_>>(top.raw("alerts")?).ok()?;
    let group = Group::read(top);
    let left_out = top.text("truncatedAlerts").and_then(|count| count.parse::<u64>().ok()).unwrap_or(0);
    let events = entries.kept.iter().filter_map(|entry| {
        let mut event = event(&Labelled::read(entry.get(), &group)?, integration, now)?;
        if 0 < left_out {
            let line = format!("\n\n{left_out} more alerts of this group were left out by the sender.");
            event.body = text::tidy_body(&(event.body + &line), BODY_BYTES_MAX);
        }
        Some(event)
    });
    finish(integration, &entries, events.collect())
}

fn finish(integration: &Integration, entries: &Entries<'_>, mut events: Vec<Event>) -> Option<Reading> {
    if events.is_empty() {
        return None;
    }
    events.extend(generic::left_out(integration, entries, events.len()));
    Some(Reading::Events(events))
}

fn plain(alert: &Labelled<'_>, integration: &Integration, now: Timestamp) -> Option<Event> {
    Some(alert.event(&alert.title()?, integration, now))
}
