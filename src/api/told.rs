//! A sender that misbehaves (an unreadable or oversized body, a wrong key again and again) is
//! itself an alert: one open per integration and kind, at most one notification an hour.

use std::{
    collections::HashMap,
    sync::{Mutex, PoisonError},
};

use jiff::{SignedDuration, Timestamp};
use tracing::warn;

use super::Context;
use crate::{
    alert::{DedupKey, Event, Severity},
    queue::{Admitted, Poster},
    receive::redact,
    store::StoreError,
    watch::OURS,
};

/// Such an alert closes itself after so long; the next one notifies again.
pub(crate) const HOUSE_CLOSES_AFTER: SignedDuration = SignedDuration::from_hours(1);

/// Longest part of an unreadable body that is kept, in bytes.
const KEPT_BODY_BYTES: usize = 4 * 1024;

/// So many wrong keys within [`WRONG_KEYS_WITHIN`] are told: one is a typing error, several are a
/// sender whose alerts are being lost.
const WRONG_KEYS_TOLD_AT: u32 = 5;

/// See [`WRONG_KEYS_TOLD_AT`].
const WRONG_KEYS_WITHIN: SignedDuration = SignedDuration::from_mins(10);

/// What a sender did wrong.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub(crate) enum Misdeed {
    Unreadable,
    Oversized,
    WrongKeys,
}

impl Misdeed {
    fn dedup_key(self) -> &'static str {
        match self {
            Self::Unreadable => "bongsu:unreadable",
            Self::Oversized => "bongsu:oversized",
            Self::WrongKeys => "bongsu:wrong-key",
        }
    }

    fn title(self, integration: &str) -> String {
        match self {
            Self::Unreadable => format!("unreadable event from {integration}"),
            Self::Oversized => format!("oversized event from {integration}"),
            Self::WrongKeys => format!("repeated wrong keys for {integration}"),
        }
    }
}

/// Wrong keys counted so far, per integration and heartbeat of the configuration.
#[derive(Debug, Default)]
pub(crate) struct Misbehaviour {
    wrong_keys: Mutex<HashMap<String, (Timestamp, u32)>>,
}

impl Misbehaviour {
    /// True when this wrong key for `whom` is one too many.
    pub(crate) fn wrong_key(&self, whom: &str, now: Timestamp) -> bool {
        let mut counts = self.wrong_keys.lock().unwrap_or_else(PoisonError::into_inner);
        let (since, count) = counts.entry(whom.to_owned()).or_insert((now, 0));
        if WRONG_KEYS_WITHIN <= now.duration_since(*since) {
            (*since, *count) = (now, 0);
        }
        *count += 1;
        *count == WRONG_KEYS_TOLD_AT
    }
}

/// Opens or joins the alert about a misdeed. `reason` is for people; `body` is kept, redacted.
pub(crate) async fn tell(
    context: &Context,
    integration: &str,
    misdeed: Misdeed,
    (reason, body): (&str, &[u8]),
) -> Result<Vec<Admitted>, StoreError> {
    warn!(integration, "{}: {reason}", misdeed.title(integration));
    let kept = body.get(..body.len().min(KEPT_BODY_BYTES)).unwrap_or_default();
    let kept = redact::redact(&String::from_utf8_lossy(kept));
    let event = Event {
        severity: Some(Severity::High),
        body: if kept.is_empty() { reason.to_owned() } else { format!("{reason}\n\n{kept}") },
        ..Event::firing(DedupKey::new(misdeed.dedup_key()), misdeed.title(integration))
    };
    let poster = Poster { integration, close_after: HOUSE_CLOSES_AFTER, house: true };
    context.queue.admit(poster, &[event]).await
}

/// Opens or joins the alert about wrong keys for a heartbeat, once they are several: one that never
/// got in waits for its first call, and its silence is told to nobody.
pub(crate) async fn wrong_key_for_heartbeat(context: &Context, name: &str) -> Result<(), StoreError> {
    // No integration has a colon in its name.
    let whom = format!("heartbeat:{}", name.to_ascii_lowercase());
    if !context.heartbeats.knows(name) || !context.told.wrong_key(&whom, context.clock.now()) {
        return Ok(());
    }
    let title = format!("repeated wrong keys for heartbeat {name}");
    warn!("{title}");
    let body = "somebody keeps calling with a wrong key: if it is this monitor, its calls do not count";
    let key = DedupKey::new(format!("wrong-key:{whom}"));
    let event = Event { severity: Some(Severity::High), body: body.to_owned(), ..Event::firing(key, title) };
    let poster = Poster { integration: OURS, close_after: HOUSE_CLOSES_AFTER, house: true };
    context.queue.admit(poster, &[event]).await.map(drop)
}
