//! Events that changed nothing are counted in memory and saved at most once a minute: a monitor
//! that repeats itself every second must not cost a write every second.

use std::{
    collections::HashMap,
    sync::{Mutex, MutexGuard, PoisonError},
};

use jiff::{SignedDuration, Timestamp};

use crate::alert::{Alert, AlertId};

/// How often a count is saved. A crash loses at most so much of it, and nothing else.
pub(super) const SAVE_EVERY: SignedDuration = SignedDuration::from_mins(1);

/// Most alerts counted at a time; beyond it counts of further alerts are not kept.
const ALERTS_MAX: usize = 100_000;

#[derive(Debug, Default)]
pub(super) struct SeenCounts {
    counts: Mutex<HashMap<AlertId, Seen>>,
}

#[derive(Clone, Copy, Debug)]
struct Seen {
    count: u64,
    last: Timestamp,
    close_at: Timestamp,
}

impl SeenCounts {
    /// An alert that is not heard of again closes after `close_after`.
    pub(super) fn count(
        &self,
        ids: impl IntoIterator<Item = AlertId>,
        now: Timestamp,
        close_after: SignedDuration,
    ) {
        let close_at = now.saturating_add(close_after).unwrap_or(Timestamp::MAX);
        let mut counts = self.lock();
        for id in ids {
            if counts.len() < ALERTS_MAX || counts.contains_key(&id) {
                let count = counts.get(&id).map_or(0, |seen| seen.count) + 1;
                counts.insert(id, Seen { count, last: now, close_at });
            }
        }
    }

    /// Adds what was counted to a copy of the alert.
    pub(super) fn add_to(&self, alert: &mut Alert) {
        if let Some(seen) = self.lock().get(&alert.id) {
            alert.count += seen.count;
            alert.last_seen_at = alert.last_seen_at.max(seen.last);
            if alert.is_open() && !alert.kind.closes_on_time() {
                alert.close_at = alert.close_at.max(seen.close_at);
            }
        }
    }

    /// They are saved.
    pub(super) fn forget(&self, id: AlertId) {
        self.lock().remove(&id);
    }

    pub(super) fn ids(&self) -> Vec<AlertId> {
        self.lock().keys().copied().collect()
    }

    fn lock(&self) -> MutexGuard<'_, HashMap<AlertId, Seen>> {
        self.counts.lock().unwrap_or_else(PoisonError::into_inner)
    }
}
