//! Icinga Notifications: what its webhook channel posts unless an operator writes a template.
//!
//! `{"object": {"name", "url", "tags"}, "incident": {"id", "url", "severity"}, "event": {"time", "message"}, …}`. An
//! incident lasts from the first bad severity of an object to `ok`; all that happens meanwhile comes with the
//! severity it has then. There may be no incident: an event of an object that is well (a downtime, flapping).

use super::{
    Post, Reading,
    json::{Pairs, Texts},
    labels::Labels,
    link, text, time,
    words::{Grade, State, state},
};
use crate::alert::{DedupKey, Event, Update};

/// Icinga's word for what lies between critical and emergency, which is no severity elsewhere.
const ALERT: &str = "alert";

/// `None` if it comes from another sender.
pub(super) fn read(post: &Post<'_>, top: &Pairs<'_>) -> Option<Reading> {
    let (object, event) = (top.object("object")?, top.object("event")?);
    let name = object.text("name")?;
    top.raw("incident")?;
    let incident = top.object("incident");
    if incident.as_ref().is_some_and(|incident| incident.text("id").is_none()) {
        return None;
    }
    let of_incident = |member: &str| incident.as_ref().and_then(|incident| incident.text(member));
    let word = of_incident("severity");
    let is_over = word.as_deref().and_then(state) == Some(State::Resolved);
    let grade = word.as_deref().filter(|_| !is_over).map(|word| graded(post, word)).unwrap_or_default();
    let tags = object.texts("tags");
    let message = event.text("message").unwrap_or_default();
    let title = format!("{}: {}", what(&name, &tags), word.as_deref().unwrap_or(message.as_str()));
    let at = event.text("time").and_then(|text| time::utc(&text));
    let mut labels = Labels::default();
    labels.extend(&tags);
    let key = match of_incident("id") {
        Some(id) => DedupKey::new(format!("incident:{id}")),
        None => DedupKey::derived("object", &[&name, &message]),
    };
    let state = if is_over { State::Resolved } else { State::Firing };
    let event = Event {
        status: state.status(Update::default()),
        body: text::body(&message),
        labels: labels.finish(),
        source_url: link::first([of_incident("url"), object.text("url")].into_iter().flatten()),
        // Each event of an incident has its own time, which is no beginning.
        said_at: at,
        ended_at: at.filter(|_| is_over),
        ..grade.event(key, text::title(&title))
    };
    Some(if incident.is_none() { post.happened(event) } else { event }.into())
}

fn graded(post: &Post<'_>, word: &str) -> Grade {
    if word.eq_ignore_ascii_case(ALERT) { post.grade(&[ALERT, "critical"]) } else { post.grade(&[word]) }
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
