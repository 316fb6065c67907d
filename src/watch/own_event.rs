//! The one way in which Bongsu says something itself: an event of our own, posted to the queue as senders do.

use jiff::SignedDuration;

use crate::{
    alert::{DedupKey, Event, EventStatus, Kind, OURS, Severity},
    queue::{Admitted, Poster, Queue},
    store::StoreError,
};

/// What is worth one notification closes itself after this; the next one notifies again.
const ONCE_CLOSES_AFTER: SignedDuration = SignedDuration::from_hours(1);

/// What lasts stays open until its end is posted. Every alert has a time at which it closes, so this one is a
/// century away.
const LASTING_CLOSES_AFTER: SignedDuration = SignedDuration::from_hours(24 * 36_525);

/// What Bongsu says about a sender or about itself.
pub(super) struct OwnEvent<'a> {
    /// The sender that it is about, or [`OURS`].
    pub(super) integration: &'a str,
    pub(super) event: Event,
    /// The alert closes itself if it is not said again within this time.
    pub(super) close_after: SignedDuration,
}

impl OwnEvent<'_> {
    /// Worth one notification.
    pub(super) fn once(event: Event) -> Self {
        let event = Event { kind: Kind::Own, ..event };
        Self { integration: OURS, event, close_after: ONCE_CLOSES_AFTER }
    }

    /// Treated as the alert of any sender: repeated until somebody acknowledges it, and its end is told.
    pub(super) fn lasting(event: Event) -> Self {
        Self { integration: OURS, event, close_after: LASTING_CLOSES_AFTER }
    }

    /// Opens, joins or ends its alert. When this returns `Ok`, it is durable.
    pub(super) async fn post(self, queue: &Queue) -> Result<Option<Admitted>, StoreError> {
        let Self { integration, event, close_after } = self;
        let poster = Poster { integration, close_after };
        Ok(queue.admit(poster, &[event]).await?.pop())
    }
}

pub(super) fn firing(key: String, severity: Severity, title: String, body: String) -> Event {
    Event { severity: Some(severity), body, ..Event::firing(DedupKey::new(key), title) }
}

/// It is over; `note` says how, where that is not plain.
pub(super) fn over(key: String, title: String, note: Option<&str>) -> Event {
    let status = EventStatus::Resolved { note: note.map(str::to_owned), escalation_cancelled: false };
    Event { status, ..Event::firing(DedupKey::new(key), title) }
}
