//! A list whose elements are events. Nothing is dropped in silence: one further event counts what was left out.

use super::{EVENTS_PER_REQUEST_MAX, Post, json::Items, text};
use crate::alert::{DedupKey, Event, Severity};

pub(super) type Entries<'a> = Items<'a, EVENTS_PER_REQUEST_MAX>;

/// The events that `read` makes of the elements; `None` if it can make none.
pub(super) fn events<'a>(
    post: &Post<'_>,
    entries: &Entries<'a>,
    read: impl FnMut(&'a str) -> Option<Event>,
) -> Option<Vec<Event>> {
    let mut events: Vec<Event> = entries.kept.iter().map(|entry| entry.get()).filter_map(read).collect();
    if events.is_empty() {
        return None;
    }
    let unread = entries.kept.len() - events.len();
    let beyond = entries.total - entries.kept.len();
    if 0 < unread + beyond {
        let what = format!(
            "{unread} entries of a list of {} say nothing readable; {beyond} lie beyond the limit of \
             {EVENTS_PER_REQUEST_MAX} events in one request.",
            entries.total
        );
        events.push(left_out(post, &what));
    }
    Some(events)
}

/// The event that says which part of a body no event was made of.
pub(super) fn left_out(post: &Post<'_>, what: &str) -> Event {
    let title = text::title(&format!("Entries from {} were not read", post.integration.name));
    let body = text::body(what);
    let key = DedupKey::new("bongsu:entries-not-read");
    Event { severity: Some(Severity::High), body, ..Event::firing(key, title) }
}
