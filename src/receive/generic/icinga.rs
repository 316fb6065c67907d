//! Icinga Notifications: what its webhook channel posts unless an operator writes a template.
//!
//! `{"object": {"name", "url", "tags"}, "incident": {"id", "url", "severity"}, "event": {"time", "message"}, …}`. An
//! incident lasts from the first bad severity of an object to `ok`; all that happens meanwhile comes with the
//! severity it has then. There may be no incident: an event of an object that is well (a downtime, flapping).

use jiff::{Timestamp, tz::TimeZone};

use super::super::{
    BODY_BYTES_MAX, TITLE_BYTES_MAX,
    alertmanager::{Texts, texts},
    json::Pairs,
    labels::Labels,
    link,
    text::{one_line, tidy_body},
    time,
    words::{Grade, State, grade, state},
};
use crate::{
    alert::{DedupKey, Event, EventStatus, Kind},
    config::Integration,
};

/// Icinga's word for what lies between critical and emergency, which is no severity elsewhere.
const ALERT: &str = "alert";

/// `None` if it is nothing of the kind.
pub(super) fn read(top: &Pairs<'_>, integration: &Integration, now: Timestamp) -> Option<Event> {
    let member = |name| top.raw(name).and_then(Pairs::read);
    let (object, event) = (member("object")?, member("event")?);
    let name = object.text("name")?;
    let incident = member("incident");
    if top.raw("incident").is_none()
        || incident.as_ref().is_some_and(|incident| incident.text("id").is_none())
    {
        return None;
    }
    let of_incident = |member: &str| incident.as_ref().and_then(|incident| incident.text(member));
    let word = of_incident("severity");
    let grade = graded(word.as_deref(), integration);
    let tags = texts(object.raw("tags"));
    let what = what(&name, &tags);
    let message = event.text("message").unwrap_or_default();
    let title = format!("{what}: {}", word.as_deref().unwrap_or(message.as_str()));
    let at = event.text("time").and_then(|text| time::parse(&text, &TimeZone::UTC, now));
    let is_over = word.as_deref().and_then(state) == Some(State::Resolved);
    let over = EventStatus::Resolved { note: None, escalation_cancelled: false };
    let url = of_incident("url").into_iter().chain(object.text("url")).find_map(|url| link::parse(&url));
    let mut labels = Labels::default();
    for (name, value) in &tags {
        labels.insert(name, value);
    }
    let key = match of_incident("id") {
        Some(id) => DedupKey::new(format!("incident:{id}")),
        None => DedupKey::derived("object", &[&name, &message]),
    };
    Some(Event {
        status: if is_over { over } else { EventStatus::Firing },
        severity: grade.severity,
        unknown_severity: grade.unknown,
        body: tidy_body(&message, BODY_BYTES_MAX),
        labels: labels.finish(),
        source_url: url.map(String::from),
        // Each event of an incident has its own time, which is no beginning.
        ended_at: at.filter(|_| is_over),
        kind: if incident.is_none() { Kind::Occurrence } else { Kind::Problem },
        ..Event::firing(key, one_line(&title, TITLE_BYTES_MAX))
    })
}

fn graded(word: Option<&str>, integration: &Integration) -> Grade {
    let Some(word) = word.filter(|word| state(word) != Some(State::Resolved)) else {
        return Grade::default();
    };
    let is_alert = word.eq_ignore_ascii_case(ALERT);
    grade(if is_alert { &[ALERT, "critical"] } else { std::slice::from_ref(&word) }, &integration.severity)
}

/// `web01 http`, where the name is `web01!http`.
fn what(name: &str, tags: &Texts) -> String {
    let tag = |name: &str| tags.get(name).map(|tag| tag.trim()).filter(|tag| !tag.is_empty());
    match (tag("host"), tag("service")) {
        (Some(host), Some(service)) => format!("{host} {service}"),
        (Some(host), None) => host.to_owned(),
        (None, _) => name.to_owned(),
    }
}
