//! Senders that misbehave (an unreadable or oversized body, a wrong key again and again): each is itself an alert,
//! one open per integration and kind, at most one notification an hour.

use std::{
    collections::HashMap,
    sync::{Arc, Mutex, PoisonError},
};

use jiff::{SignedDuration, Timestamp};
use tracing::warn;

use super::{OwnEvent, firing};
use crate::{
    alert::{DedupKey, Severity},
    clock::Clock,
    queue::{Admitted, Queue},
    store::StoreError,
};

/// People are notified of this many wrong keys within [`WRONG_KEYS_WITHIN`]: one is a typing error, several are a
/// sender whose alerts are being lost.
const WRONG_KEYS_TOLD_AT: u32 = 5;
const WRONG_KEYS_WITHIN: SignedDuration = SignedDuration::from_mins(10);

/// How often people are notified of a start that moves, while it does.
const MOVING_START_TOLD_EVERY: SignedDuration = SignedDuration::from_hours(24);

pub struct Senders {
    queue: Arc<Queue>,
    clock: Arc<dyn Clock>,
    wrong_keys: Mutex<HashMap<String, WrongKeys>>,
}

#[derive(Clone, Copy, Debug)]
pub enum Fault<'a> {
    /// `kept` is what may be shown of the body: bounded, without secrets.
    Unreadable {
        reason: &'a str,
        kept: &'a str,
    },
    Oversized {
        limit: usize,
    },
    WrongKeys,
    MovingStart {
        dedup_key: &'a DedupKey,
    },
}

struct WrongKeys {
    since: Timestamp,
    count: u32,
}

impl Senders {
    pub fn new(queue: Arc<Queue>, clock: Arc<dyn Clock>) -> Self {
        Self { queue, clock, wrong_keys: Mutex::default() }
    }

    /// Opens or joins the alert about a fault of this integration's sender.
    pub async fn report(&self, integration: &str, fault: Fault<'_>) -> Result<Option<Admitted>, StoreError> {
        let (key, title, reason) = match fault {
            Fault::Unreadable { reason, .. } => {
                ("bongsu:unreadable", format!("unreadable event from {integration}"), reason.to_owned())
            }
            Fault::Oversized { limit } => {
                let reason =
                    format!("a body was larger than server.body_limit, {limit} bytes, and was refused");
                ("bongsu:oversized", format!("oversized event from {integration}"), reason)
            }
            Fault::MovingStart { dedup_key } => {
                let reason = format!(
                    "the alert `{dedup_key}` came with a later start again and again before its last one was over: \
                     what is sent as the start seems to be the time of the message, and now counts as that"
                );
                ("bongsu:moving-start", format!("{integration} sends starts that move"), reason)
            }
            Fault::WrongKeys => {
                let reason = "somebody keeps posting with a wrong key: if it is this sender, its alerts are being lost";
                ("bongsu:wrong-key", format!("repeated wrong keys for {integration}"), reason.to_owned())
            }
        };
        warn!(integration, "{title}: {reason}");
        let is_moving = matches!(fault, Fault::MovingStart { .. });
        let body = match fault {
            Fault::Unreadable { kept, .. } if !kept.is_empty() => format!("{reason}\n\n{kept}"),
            Fault::Unreadable { .. }
            | Fault::Oversized { .. }
            | Fault::WrongKeys
            | Fault::MovingStart { .. } => reason,
        };
        let event = firing(key, Severity::High, title, body);
        let own = OwnEvent::once(event);
        // Each of its messages says so, and no alert is lost: a day is often enough.
        let close_after = if is_moving { MOVING_START_TOLD_EVERY } else { own.close_after };
        OwnEvent { integration, close_after, ..own }.post(&self.queue).await
    }

    /// Counts a wrong key for this integration, and tells people once there are several.
    pub async fn wrong_key(&self, integration: &str) -> Result<(), StoreError> {
        if self.count_wrong_key(integration) {
            self.report(integration, Fault::WrongKeys).await?;
        }
        Ok(())
    }

    /// The same for a heartbeat of the configuration: a monitor whose first call is refused is never watched, so its
    /// silence would not be noticed.
    pub async fn wrong_key_for_heartbeat(&self, name: &str) -> Result<(), StoreError> {
        // No integration has a colon in its name.
        let whom = format!("heartbeat:{}", name.to_ascii_lowercase());
        if !self.count_wrong_key(&whom) {
            return Ok(());
        }
        let title = format!("repeated wrong keys for heartbeat {name}");
        warn!("{title}");
        let body = "somebody keeps calling with a wrong key: if it is this monitor, its calls do not count";
        let event = firing(format!("wrong-key:{whom}"), Severity::High, title, body);
        OwnEvent::once(event).post(&self.queue).await.map(drop)
    }

    fn count_wrong_key(&self, whom: &str) -> bool {
        let now = self.clock.now();
        let mut counts = self.wrong_keys.lock().unwrap_or_else(PoisonError::into_inner);
        let keys = counts.entry(whom.to_owned()).or_insert(WrongKeys { since: now, count: 0 });
        if WRONG_KEYS_WITHIN <= now.duration_since(keys.since) {
            *keys = WrongKeys { since: now, count: 0 };
        }
        keys.count += 1;
        keys.count == WRONG_KEYS_TOLD_AT
    }
}
