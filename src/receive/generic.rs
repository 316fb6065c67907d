//! Anything with curl: JSON, a form or plain text, read by the names that senders commonly use.
//!
//! * **JSON object**: one event; an array, or an object with an array `alerts` or `events`, is
//!   one event per element. Names are compared as in [`super::fields`].
//! * **Form**: the same names; recognised by its content, since `curl -d` calls everything a form.
//! * **Multipart form**: a part `data` is the body; else the parts are the fields.
//! * **Text**: the first line is the title, the rest the body.
//!
//! Where the names say nothing to us, `[integration.map]` points to what does.
//!
//! The dedup key is the sender's own (`dedup_key`, `fingerprint`, `alert_uid`, `id`, …), else it is
//! derived from source, host, service and the title, or the first line where there is no title;
//! so a recovery without a key is matched if its title is the same but for the state (see [`key`]).
//! An unknown or missing state word fires, unless the title begins with an end (`[RESOLVED] …`): a notification too
//! many is better than one too few. A missing severity stays unsaid, which an alert reads as not classified.

mod facts;
mod key;
mod names;

#[cfg(test)]
mod tests;

use super::{
    Post, Reading,
    fields::Fields,
    is_json,
    json::{at_pointer, scalar, string},
    link,
    lists::{self, Entries},
    multipart,
    text::{self, split_first_line},
    title_state,
    words::{RESOLVED, State},
};
use crate::alert::{DedupKey, Event, EventStatus};
use facts::Facts;

const LISTS: &str = "alerts events";

/// The Content-Type only decides whether something in brackets that is no JSON is broken JSON or plain text
/// (`[web01] disk full`).
pub(super) fn read(post: &Post<'_>) -> Reading {
    let text = post.text.trim();
    match text.as_bytes() {
        [] => Reading::unreadable("the body is empty"),
        [b'{', ..] => object(post, text),
        [b'[', ..] => match serde_json::from_str::<Entries<'_>>(text) {
            Ok(entries) => list(post, &entries),
            Err(err) if is_json(post.content_type) => not_json(&err),
            Err(_) => plain(text),
        },
        [b'"', ..] if serde_json::from_str::<serde::de::IgnoredAny>(text).is_ok() => plain(&string(text)),
        [b'-', ..] if multipart::is_multipart(text) => parts(post, text),
        _ => {
            let form = text.contains('=').then(|| Fields::from_form(text));
            form.and_then(|form| event(post, &form)).map_or_else(|| plain(text), Reading::from)
        }
    }
}

/// Reads an object whose fields say what is wrong and whether it still holds. No field is mapped.
pub(super) fn read_with_state(post: &Post<'_>) -> Option<Reading> {
    let fields = Fields::from_json(post.text.trim()).ok()?;
    let facts = Facts::of(post, &fields);
    facts.state_of_fields()?;
    facts.title()?;
    event(post, &fields).map(Reading::from)
}

fn one(event: Option<Event>, otherwise: &str) -> Reading {
    event.map_or_else(|| Reading::unreadable(otherwise), Reading::from)
}

fn not_json(err: &serde_json::Error) -> Reading {
    Reading::unreadable(format!("the body is not valid JSON: {err}"))
}

fn object(post: &Post<'_>, text: &str) -> Reading {
    let fields = match fields(post, text) {
        Ok(fields) => fields,
        Err(err) => return not_json(&err),
    };
    let pointed = post.integration.map.events.as_ref().and_then(|pointer| at_pointer(text, pointer));
    let raw = pointed.or_else(|| fields.nested(LISTS));
    if let Some(entries) = raw.and_then(|raw| serde_json::from_str::<Entries<'_>>(raw).ok())
        && entries.kept.first().is_some_and(|entry| entry.get().starts_with('{'))
        && let events @ Reading::Events(_) = list(post, &entries)
    {
        return events;
    }
    one(
        event(post, &fields),
        "no field says what is wrong: expected title, summary, subject, name or message",
    )
}

/// With what the configuration points to.
fn fields<'a>(post: &Post<'_>, text: &'a str) -> Result<Fields<'a>, serde_json::Error> {
    let mut fields = Fields::from_json(text)?;
    for (field, pointer) in &post.integration.map.fields {
        if let Some(value) = at_pointer(text, pointer).and_then(scalar) {
            fields.add(&names::mapped(*field), value);
        }
    }
    Ok(fields)
}

fn parts(post: &Post<'_>, text: &str) -> Reading {
    if let Some(data) = multipart::field(text, "data").map(str::trim) {
        return if data.starts_with('{') { object(post, data) } else { plain(data) };
    }
    let event = event(post, &Fields::from_parts(multipart::fields(text)));
    one(event, "no part of the form says what is wrong: expected title, message or data")
}

fn list(post: &Post<'_>, entries: &Entries<'_>) -> Reading {
    let read = |raw: &str| match raw.strip_prefix('"') {
        Some(_) => plain_event(&string(raw)),
        None => event(post, &fields(post, raw).ok()?),
    };
    let unread = match entries.total {
        0 => "the list of events is empty",
        _ => "no entry of the list says what is wrong: expected title, summary, subject, name or message",
    };
    lists::events(post, entries, read).map_or_else(|| Reading::unreadable(unread), Reading::Events)
}

/// `None` if nothing says what is wrong.
fn event(post: &Post<'_>, fields: &Fields<'_>) -> Option<Event> {
    let facts = Facts::of(post, fields);
    // An end, or what was done about it, needs no more than the key of the alert that it is about.
    let key = || key::sent(&facts).filter(|_| facts.state != State::Firing).map(text::title);
    let title = facts.title().or_else(|| key().filter(|key| !key.is_empty()))?;
    Some(Event {
        status: facts.status(),
        body: facts.body(),
        labels: facts.labels(),
        source_url: link::first(fields.texts(names::URL)),
        starts_at: facts.starts_at(),
        said_at: facts.said_at(),
        ended_at: facts.ended_at(),
        quiet_while_acknowledged: key::is_of_a_check(&facts),
        ..facts.grade().event(key::dedup_key(&facts), title)
    })
}

fn plain(text: &str) -> Reading {
    one(plain_event(text), "the body has no text")
}

fn plain_event(text: &str) -> Option<Event> {
    let (title, rest) = split_first_line(text);
    let title = text::title(title);
    let is_over = title_state::begins_with_end(&title);
    let key = DedupKey::derived("text", &[&title_state::without_leading(&title)]);
    (!title.is_empty()).then(|| Event {
        status: if is_over { RESOLVED } else { EventStatus::Firing },
        body: text::body(rest),
        ..Event::firing(key, title)
    })
}
