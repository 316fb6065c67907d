//! Prometheus Alertmanager's webhook (versions 3 and 4), and the array that Prometheus, vmalert and
//! Loki post to an Alertmanager (`api/v2/alerts`).
//!
//! Both are lists of alerts that are labels and annotations. A webhook holds a whole group and is sent
//! again for every change in it, and once more every `repeat_interval`; so each alert counts on its own,
//! by its `fingerprint`, or by its labels where there is none (before 0.19, and in the array).
//!
//! The array says nothing of a status: an alert holds until `endsAt`, which its sender moves on with
//! every repetition. One that is no longer repeated is over a little after that.

#[cfg(test)]
mod tests;

use jiff::{SignedDuration, Timestamp};

use super::{
    Post, Reading,
    json::Pairs,
    labelled::{Alert, Extras, Group, read_group},
    lists::{self, Entries},
    text,
};
use crate::{alert::Event, config::Integration};

/// How much longer than its `endsAt` an alert of the array is believed: its sender may be restarting.
const ENDS_GRACE: SignedDuration = SignedDuration::from_mins(5);

/// `None` for anything else (a `payload:` of the operator's own).
pub(super) fn read(post: &Post<'_>) -> Option<Reading> {
    let text = post.text.trim();
    if text.starts_with('[') { array(post) } else { read_group(post, &Pairs::read(text)?, event) }
}

/// What is posted to `api/v2/alerts`. An empty array is no event and no error.
pub fn read_array(integration: &Integration, body: &[u8], now: Timestamp) -> Reading {
    let decoded = text::decode(body);
    let post = Post { integration, content_type: None, text: &decoded, now };
    if entries(&post).is_some_and(|entries| entries.total == 0) {
        return Reading::Events(Vec::new());
    }
    let expected = "expected what Prometheus posts to an Alertmanager: an array of {\"labels\": {…}, …}";
    array(&post).unwrap_or_else(|| Reading::unreadable(expected)).titled(integration)
}

fn entries<'a>(post: &Post<'a>) -> Option<Entries<'a>> {
    serde_json::from_str(post.text.trim()).ok()
}

/// `None` if no element is an alert of labels.
fn array(post: &Post<'_>) -> Option<Reading> {
    let group = Group::default();
    let events = lists::events(post, &entries(post)?, |entry| {
        let alert = Alert::of(post, &group, entry)?;
        let event = event(&alert)?;
        // Its clock may be behind.
        let holds_for = event.holds_until.map(|end| end.duration_since(post.now).max(ENDS_GRACE));
        Some(Event { expires_after: holds_for.map(|holds_for| holds_for + ENDS_GRACE), ..event })
    });
    events.map(Reading::Events)
}

fn event(alert: &Alert<'_>) -> Option<Event> {
    Some(alert.event(&alert.title()?, &Extras { pages: &["generatorURL"], ..Extras::default() }))
}
