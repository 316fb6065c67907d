//! `WhaTap`'s two webhook plugins (3rd 파티 플러그인): "Webhook JSON", and "Webhook" with only `title` and `text`.
//!
//! | `status` | meaning |
//! |---|---|
//! | `on` | it holds |
//! | `off` | it is over (sent only where the event says so) |
//! | `acknowledge` | somebody has it |
//! | `disabled` | the event was switched off: worth a note |
//!
//! There is no id, so project, agent and metric make the key; the title stands in for the metric.

#[cfg(test)]
mod tests;

use jiff::Timestamp;

use super::{
    BODY_BYTES_MAX, NOTE_BYTES_MAX, Reading,
    fields::Fields,
    generic,
    labels::Labels,
    link, stated,
    text::{self, tidy, tidy_body},
    time,
    title::with_host,
    words::{State, grade, state},
};
use crate::{
    alert::{DedupKey, Event, EventStatus, Update},
    config::Integration,
};

/// Names that are read below, in found-by form.
const READ: &[&str] = &["title", "message", "level", "status", "time", "url", "link"];

/// Reads one alert.
pub fn read(integration: &Integration, content_type: Option<&str>, body: &[u8], now: Timestamp) -> Reading {
    let decoded = text::decode(body);
    let trimmed = decoded.trim();
    let fields = if trimmed.starts_with('{') {
        Fields::from_json(trimmed).ok()
    } else {
        trimmed.contains('=').then(|| Fields::from_form(trimmed))
    };
    if let Some(event) = fields.as_ref().and_then(|fields| event(fields, integration, now)) {
        return Reading::Events(vec![event]);
    }
    let has_status = fields.is_some_and(|fields| fields.text(&["status"]).is_some());
    match generic::read(integration, content_type, body, now) {
        Reading::Events(events) => Reading::Events(plain(events, has_status, integration)),
        reading @ Reading::Unreadable { .. } => reading,
    }
}

/// "Webhook" has no fields for level and status. Where the title begins with the level, as in `[Critical] CPU`, it
/// counts, and so does an end that the text begins with; one in the title is read by the generic rules.
fn plain(mut events: Vec<Event>, has_status: bool, integration: &Integration) -> Vec<Event> {
    for event in &mut events {
        let is_over = || stated::begins_with_end(text::split_first_line(&event.body).0);
        if !has_status && event.status == EventStatus::Firing && is_over() {
            event.status = EventStatus::Resolved { note: None, escalation_cancelled: false };
        }
        if event.severity.is_some() {
            continue;
        }
        if let Some((word, _)) = event.title.strip_prefix('[').and_then(|rest| rest.split_once(']')) {
            let grade = grade(&[word], &integration.severity);
            event.severity = grade.severity.filter(|_| grade.unknown.is_none());
        }
    }
    events
}

/// `None` if it does not come from "Webhook JSON".
fn event(fields: &Fields<'_>, integration: &Integration, now: Timestamp) -> Option<Event> {
    let project = fields.text(&["pcode"])?;
    let metric = fields.text(&["metricname"]);
    let name = fields.text(&["title"]).or(metric)?;
    let hosts = fields.texts(&["oname"]);
    let agent = fields.text(&["oid"]).or_else(|| fields.text(&["oname"])).unwrap_or_default();
    let grade = grade(&fields.texts(&["level"]), &integration.severity);
    let status = status(fields.text(&["status"]), fields.text(&["message"]));
    let at = fields.text(&["time"]).and_then(|text| time::parse(text, &integration.time_zone, now));
    let is_firing = status == EventStatus::Firing;
    let ended_at = matches!(status, EventStatus::Resolved { .. }).then_some(at).flatten();
    let mut labels = Labels::default();
    for (name, value) in fields.rest(&[READ]) {
        labels.insert(name, value);
    }
    let key = [project, agent, metric.unwrap_or(name)].map(str::trim).join(":");
    Some(Event {
        status,
        // The level of a recovery is that of the recovery.
        severity: grade.severity.filter(|_| is_firing),
        unknown_severity: grade.unknown.filter(|_| is_firing),
        body: tidy_body(&body(fields), BODY_BYTES_MAX),
        labels: labels.finish(),
        source_url: fields.text(&["url", "link"]).and_then(link::parse).map(String::from),
        starts_at: at.filter(|_| is_firing),
        ended_at,
        ..Event::firing(DedupKey::new(key), with_host(name, &hosts))
    })
}

fn status(word: Option<&str>, message: Option<&str>) -> EventStatus {
    match word.and_then(state) {
        Some(State::Resolved) => EventStatus::Resolved { note: None, escalation_cancelled: false },
        Some(State::Acknowledged) => {
            EventStatus::Update(Update { acknowledged: Some(true), ..Update::default() })
        }
        Some(State::Unacknowledged) => {
            EventStatus::Update(Update { acknowledged: Some(false), ..Update::default() })
        }
        Some(State::Suppressed) => {
            let said = message.or(word).map(|said| tidy(said, NOTE_BYTES_MAX));
            EventStatus::Update(Update { comment: said, ..Update::default() })
        }
        Some(State::Firing) | None => EventStatus::Firing,
    }
}

/// The message, and the measured value beside its threshold.
fn body(fields: &Fields<'_>) -> String {
    let mut lines: Vec<String> = fields.text(&["message"]).map(str::to_owned).into_iter().collect();
    if let (Some(metric), Some(value)) = (fields.text(&["metricname"]), fields.text(&["metricvalue"])) {
        let threshold =
            fields.text(&["metricthreshold"]).map(|limit| format!(" ({limit})")).unwrap_or_default();
        lines.push(format!("{metric} = {value}{threshold}"));
    }
    lines.join("\n")
}
