//! Events that changed nothing are counted in memory and saved at most once a minute: a monitor
//! that repeats itself every second must not cost a write every second.

use std::{
    collections::BTreeMap,
    sync::{Mutex, MutexGuard, PoisonError},
};

use jiff::{SignedDuration, Timestamp};

use crate::alert::{Alert, AlertId, Heard};

/// How often a count is saved. A crash loses at most this much of it, and nothing else.
pub(super) const SAVE_EVERY: SignedDuration = SignedDuration::from_mins(1);

/// Most alerts counted at a time, about 50 MB; what does not fit is written at once.
const ALERTS_MAX: usize = 100_000;

#[derive(Debug)]
pub(super) struct SeenCounts {
    counts: Mutex<BTreeMap<AlertId, Seen>>,
    alerts_max: usize,
}

#[derive(Clone, Debug)]
struct Seen {
    /// When it was last seen before that.
    since: Timestamp,
    last: Timestamp,
    count: u64,
    close_at: Timestamp,
    /// `None` if all that was seen are bodies that came word for word.
    heard: Option<Heard>,
}

impl Default for SeenCounts {
    fn default() -> Self {
        Self { counts: Mutex::default(), alerts_max: ALERTS_MAX }
    }
}

impl SeenCounts {
    #[cfg(test)]
    pub(super) fn with_room_for(alerts_max: usize) -> Self {
        Self { alerts_max, ..Self::default() }
    }

    /// Counts an alert as it is after an event that changed nothing else; it was seen `before`. False if it is to be
    /// written now.
    pub(super) fn count(&self, alert: &Alert, before: Timestamp) -> bool {
        let now = alert.last_seen_at;
        let mut counts = self.lock();
        if counts.len() >= self.alerts_max && !counts.contains_key(&alert.id) {
            return false;
        }
        let seen = counts.entry(alert.id).or_insert_with(|| Seen::new(before));
        seen.add(now, alert.close_at);
        seen.heard = Some(alert.heard.clone());
        now.duration_since(seen.since) < SAVE_EVERY
    }

    /// Counts alerts of which nothing more was looked up. An alert that is not heard of again closes after
    /// `close_after`. False if there is no room for all of them, and then counts none.
    pub(super) fn count_all(&self, ids: &[AlertId], now: Timestamp, close_after: SignedDuration) -> bool {
        let close_at = now.saturating_add(close_after).unwrap_or(Timestamp::MAX);
        let mut counts = self.lock();
        let new = ids.iter().filter(|id| !counts.contains_key(*id)).count();
        let fits = counts.len() + new <= self.alerts_max;
        if fits {
            for id in ids {
                counts.entry(*id).or_insert_with(|| Seen::new(now)).add(now, close_at);
            }
        }
        fits
    }

    /// Adds what was counted to a copy of the alert.
    pub(super) fn add_to(&self, alert: &mut Alert) {
        if let Some(seen) = self.lock().get(&alert.id) {
            alert.count += seen.count;
            alert.last_seen_at = alert.last_seen_at.max(seen.last);
            if alert.is_open() && !alert.kind.closes_on_time() {
                alert.close_at = alert.close_at.max(seen.close_at);
            }
            if let Some(heard) = &seen.heard {
                alert.heard.add(heard);
            }
        }
    }

    pub(super) fn forget(&self, id: AlertId) {
        self.lock().remove(&id);
    }

    pub(super) fn ids(&self) -> Vec<AlertId> {
        self.lock().keys().copied().collect()
    }

    fn lock(&self) -> MutexGuard<'_, BTreeMap<AlertId, Seen>> {
        self.counts.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl Seen {
    fn new(since: Timestamp) -> Self {
        Self { since, last: since, count: 0, close_at: since, heard: None }
    }

    fn add(&mut self, now: Timestamp, close_at: Timestamp) {
        self.count += 1;
        self.last = now;
        self.close_at = self.close_at.max(close_at);
    }
}
