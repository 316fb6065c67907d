//! WATCH: everything that Bongsu says about senders and itself: monitors that fall silent, senders that misbehave,
//! gateways near their limits, accounts that run empty, a clock that was set; and how we are ourselves.
//!
//! Each looks at one thing and posts an [`OwnEvent`] to the queue, as a sender does. What the store cannot hold is told
//! past it (`bypass`).

mod balance;
mod bypass;
mod condition;
mod dead_letters;
mod drift;
mod gateways;
mod heartbeats;
mod life;
mod lookout;
mod senders;
mod vitals;

use jiff::SignedDuration;

pub use self::{
    balance::Balances,
    bypass::BypassParts,
    condition::{Condition, accepts, health},
    dead_letters::{DeadLetter, DeadLetters, Stands, Unseen},
    drift::watch_drift,
    gateways::GatewayLimits,
    heartbeats::{BeatState, HeartbeatStatus, Heartbeats},
    life::{Life, Pace, Supervisor},
    lookout::Lookout,
    senders::{Fault, Senders},
    vitals::{SIGN_EVERY, StormStatus, Vitals},
};
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
struct OwnEvent<'a> {
    /// The sender that it is about, or [`OURS`].
    integration: &'a str,
    event: Event,
    /// The alert closes itself this long after it was opened (`once`) or last said (`lasting`).
    close_after: SignedDuration,
}

impl OwnEvent<'_> {
    /// Worth one notification.
    fn once(event: Event) -> Self {
        let event = Event { kind: Kind::Own, ..event };
        Self { integration: OURS, event, close_after: ONCE_CLOSES_AFTER }
    }

    /// Treated as the alert of any sender: repeated until it is acknowledged, and people are notified of its end.
    fn lasting(event: Event) -> Self {
        Self { integration: OURS, event, close_after: LASTING_CLOSES_AFTER }
    }

    /// Opens, joins or ends its alert. When this returns `Ok`, it is durable.
    async fn post(self, queue: &Queue) -> Result<Option<Admitted>, StoreError> {
        let Self { integration, event, close_after } = self;
        let poster = Poster { integration, close_after };
        Ok(queue.admit(poster, &[event]).await?.pop())
    }
}

fn firing(key: impl Into<String>, severity: Severity, title: String, body: impl Into<String>) -> Event {
    Event { severity: Some(severity), body: body.into(), ..Event::firing(DedupKey::new(key), title) }
}

/// It is over; `note` says how, where that is not plain.
fn over(key: String, title: String, note: Option<&str>) -> Event {
    let status = EventStatus::Resolved { note: note.map(str::to_owned), escalation_cancelled: false };
    Event { status, ..Event::firing(DedupKey::new(key), title) }
}
