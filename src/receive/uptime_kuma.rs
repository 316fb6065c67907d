//! Uptime Kuma 1 and 2: one heartbeat of one monitor.
//!
//! As JSON, as a form field `data` (multipart) that holds the same JSON, or as form fields `heartbeat`,
//! `monitor` and `msg`. The Test button and notices about certificates have only `msg`.
//!
//! Only what is named here is taken from a monitor: version 1 sends passwords along.

#[cfg(test)]
mod tests;

use std::sync::LazyLock;

use jiff::{Timestamp, tz::TimeZone};
use regex_lite::Regex;

use super::{
    BODY_BYTES_MAX, NOTE_BYTES_MAX, Reading, TITLE_BYTES_MAX, generic,
    json::{Pairs, string},
    labels::{Labels, tags_from_json},
    link, multipart,
    text::{self, one_line, split_first_line, tidy, tidy_body},
    time,
};
use crate::{
    alert::{DedupKey, Event, EventStatus, Kind, Severity, Update},
    config::Integration,
};

/// Members of a monitor that are kept, and as which label.
const LABELS: [(&str, &str); 7] = [
    ("name", "monitor"),
    ("pathName", "path"),
    ("type", "type"),
    ("hostname", "hostname"),
    ("port", "port"),
    ("description", "description"),
    ("keyword", "keyword"),
];

/// What counts down in a notice.
static DAYS: LazyLock<Regex> = LazyLock::new(|| Regex::new(r"\bin -?[0-9]+ days?\b").expect("well formed"));

/// What the Test button writes after the notification's name.
const TEST_ENDING: &str = " Testing";

/// Reads one heartbeat.
pub fn read(integration: &Integration, content_type: Option<&str>, body: &[u8], now: Timestamp) -> Reading {
    let decoded = text::decode(body);
    let trimmed = decoded.trim();
    let event = if trimmed.starts_with('{') {
        from_json(trimmed, integration, now)
    } else if let Some(data) = multipart::field(trimmed, "data") {
        from_json(data.trim(), integration, now)
    } else {
        from_form(trimmed, integration, now)
    };
    match event {
        Some(event) => Reading::Events(vec![event]),
        None => generic::read(integration, content_type, body, now),
    }
}

/// `None` if it is nothing of the kind.
pub(super) fn from_json(text: &str, integration: &Integration, now: Timestamp) -> Option<Event> {
    let top = Pairs::read(text)?;
    if top.raw("heartbeat").is_none() && top.raw("monitor").is_none() {
        return None;
    }
    let object = |name| top.raw(name).and_then(Pairs::read);
    event(object("heartbeat").as_ref(), object("monitor").as_ref(), top.text("msg"), integration, now)
}

fn from_form(text: &str, integration: &Integration, now: Timestamp) -> Option<Event> {
    let field = |wanted: &str| {
        url::form_urlencoded::parse(text.as_bytes())
            .find(|(name, _)| name == wanted)
            .map(|(_, value)| value.into_owned())
    };
    let (heartbeat, monitor) = (field("heartbeat")?, field("monitor")?);
    event(Pairs::read(&heartbeat).as_ref(), Pairs::read(&monitor).as_ref(), field("msg"), integration, now)
}

fn event(
    heartbeat: Option<&Pairs<'_>>,
    monitor: Option<&Pairs<'_>>,
    message: Option<String>,
    integration: &Integration,
    now: Timestamp,
) -> Option<Event> {
    let Some(monitor) = monitor else {
        return notice(&message?);
    };
    let id = monitor.text("id").or_else(|| heartbeat?.text("monitorID"));
    let name = monitor.text("name").or_else(|| id.as_ref().map(|id| format!("monitor {id}")))?;
    let said = heartbeat.and_then(|beat| beat.text("msg")).or(message).unwrap_or_default();
    let word = heartbeat.and_then(|beat| beat.text("status")).unwrap_or_default();
    let at = heartbeat.and_then(|beat| time_of(beat, now));
    let status = status(&word, &said);
    let is_firing = status == EventStatus::Firing;
    let ended_at = matches!(status, EventStatus::Resolved { .. }).then_some(at).flatten();
    let down = integration.severity.get("down").copied().unwrap_or(Severity::High);
    Some(Event {
        status,
        severity: is_firing.then_some(down),
        body: tidy_body(&said, BODY_BYTES_MAX),
        labels: labels(monitor),
        source_url: monitor.text("url").and_then(|url| link::parse(&url)).map(String::from),
        starts_at: at.filter(|_| is_firing),
        ended_at,
        ..Event::firing(
            id.map_or_else(|| DedupKey::derived("monitor", &[&name]), DedupKey::new),
            one_line(&format!("{name} is down"), TITLE_BYTES_MAX),
        )
    })
}

/// 0 down, 1 up, 2 pending, 3 under maintenance.
fn status(word: &str, said: &str) -> EventStatus {
    let note = |what: &str| {
        let comment = Some(tidy(format!("{what}: {said}").trim_end_matches([':', ' ']), NOTE_BYTES_MAX));
        EventStatus::Update(Update { comment, ..Update::default() })
    };
    match word.trim() {
        "1" => EventStatus::Resolved { note: None, escalation_cancelled: false },
        "2" => note("pending"),
        "3" => note("under maintenance"),
        _ => EventStatus::Firing,
    }
}

/// `time` is UTC whatever the server's zone; old versions only have the local time and its offset.
fn time_of(beat: &Pairs<'_>, now: Timestamp) -> Option<Timestamp> {
    let utc = beat.text("time").and_then(|text| time::parse(&text, &TimeZone::UTC, now));
    utc.or_else(|| {
        let offset = beat.text("timezoneOffset")?;
        let local = beat.text("localDateTime")?;
        time::parse(&format!("{}{}", local.trim(), offset.trim()), &TimeZone::UTC, now)
    })
}

fn labels(monitor: &Pairs<'_>) -> std::collections::BTreeMap<String, String> {
    let mut labels = Labels::default();
    for (member, label) in LABELS {
        if let Some(value) = monitor.text(member) {
            labels.insert(label, &value);
        }
    }
    if let Some(tags) = monitor.raw("tags").and_then(tags_from_json) {
        labels.insert_tags(&tags);
    }
    labels.finish()
}

/// The Test button, or a certificate that will expire (`… will expire in 14 days`): such a notice comes
/// daily with another number, and is one alert.
fn notice(message: &str) -> Option<Event> {
    let message = if message.starts_with('"') { string(message) } else { message.to_owned() };
    let (title, rest) = split_first_line(&message);
    let title = one_line(title, TITLE_BYTES_MAX);
    let is_test = title.ends_with(TEST_ENDING);
    let any_day = DAYS.replace_all(&title, "in days").into_owned();
    (!title.is_empty()).then(|| Event {
        severity: (!is_test).then_some(Severity::Warning),
        body: tidy_body(rest, BODY_BYTES_MAX),
        kind: if is_test { Kind::Test } else { Kind::Problem },
        ..Event::firing(DedupKey::derived(if is_test { "test" } else { "notice" }, &[&any_day]), title)
    })
}
