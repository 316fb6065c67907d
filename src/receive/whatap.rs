//! `WhaTap`'s two webhook plugins (3rd 파티 플러그인): "Webhook JSON", and "Webhook" with only `title` and `text`.
//!
//! | `status` | meaning |
//! |---|---|
//! | `on` | it holds |
//! | `off` | it is over (sent only where the event says so) |
//! | `acknowledge` | a person works on it |
//! | `disabled` | the event was switched off: worth a note |
//!
//! There is no id, so project, agent and metric make the key; the title stands in for the metric.

#[cfg(test)]
mod tests;

use super::{
    Post, Reading,
    fields::Fields,
    labels::Labels,
    link,
    text::{self, split_first_line},
    title::with_host,
    title_state,
    words::{Grade, RESOLVED, State, state},
};
use crate::alert::{DedupKey, Event, EventStatus, Update};

/// One alert of "Webhook JSON"; `None` for anything else.
pub(super) fn read(post: &Post<'_>) -> Option<Reading> {
    let fields = fields(post)?;
    let project = fields.text("pcode")?;
    let metric = fields.text("metricname");
    let name = fields.text("title").or(metric)?;
    let hosts = fields.texts("oname");
    let agent = fields.text("oid oname").unwrap_or_default();
    let status = status(&fields);
    let at = fields.text("time").and_then(|text| post.time(text));
    let is_firing = status == EventStatus::Firing;
    // The level of a recovery is that of the recovery.
    let grade = if is_firing { post.grade(&fields.texts("level")) } else { Grade::default() };
    let is_over = status == RESOLVED;
    let mut labels = Labels::default();
    let read = ["title", "message", "level", "status", "time", "url", "link"];
    labels.extend(fields.rest(|name| read.contains(&name)));
    let key = [project, agent, metric.unwrap_or(name)].map(str::trim).join(":");
    let event = Event {
        status,
        body: text::body(&body(&fields)),
        labels: labels.finish(),
        source_url: link::first(fields.text("url link")),
        said_at: at,
        ended_at: at.filter(|_| is_over),
        ..grade.event(DedupKey::new(key), with_host(name, &hosts))
    };
    Some(event.into())
}

/// Completes what the generic rules read. "Webhook" has no fields for level and status. Where the title begins with
/// the level, as in `[Critical] CPU`, it counts, and so does an end that the text begins with; one in the title is
/// read by the generic rules.
pub(super) fn plain(post: &Post<'_>, mut reading: Reading) -> Reading {
    let Reading::Events(events) = &mut reading else { return reading };
    let has_status = fields(post).is_some_and(|fields| fields.text("status").is_some());
    for event in events {
        let is_over = || title_state::begins_with_end(split_first_line(&event.body).0);
        if !has_status && event.status == EventStatus::Firing && is_over() {
            event.status = RESOLVED;
        }
        let level = event.title.strip_prefix('[').and_then(|title| title.split_once(']'));
        if let Some((word, _)) = level.filter(|_| event.severity.is_none()) {
            let grade = post.grade(&[word]);
            event.severity = grade.severity.filter(|_| grade.unknown.is_none());
        }
    }
    reading
}

fn fields<'a>(post: &Post<'a>) -> Option<Fields<'a>> {
    let text = post.text.trim();
    if text.starts_with('{') {
        Fields::from_json(text).ok()
    } else {
        text.contains('=').then(|| Fields::from_form(text))
    }
}

fn status(fields: &Fields<'_>) -> EventStatus {
    let word = fields.text("status");
    let state = word.and_then(state).unwrap_or(State::Firing);
    let comment = fields.text("message").or(word).filter(|_| state == State::Suppressed);
    state.status(Update { comment: comment.map(text::note), ..Update::default() })
}

/// The message, and the measured value beside its threshold.
fn body(fields: &Fields<'_>) -> String {
    let threshold = fields.text("metricthreshold").map(|limit| format!(" ({limit})")).unwrap_or_default();
    let measured = fields.text("metricname").zip(fields.text("metricvalue"));
    let measured = measured.map(|(metric, value)| format!("{metric} = {value}{threshold}"));
    let message = fields.text("message").map(str::to_owned);
    message.into_iter().chain(measured).collect::<Vec<_>>().join("\n")
}
