//! How old things are, in time that Bongsu has lived through: neither a long pause nor a clock that is years ahead makes
//! anything old. That we live is written down all the time, which shows that the store takes writes before an alert
//! comes.

use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use jiff::{SignedDuration, Timestamp};
use serde::{Deserialize, Serialize};
use tracing::warn;

use crate::{
    clock::Clock,
    store::{Lane, Record, Store, StoreError, when_available},
    watch::{Life, Pace, SIGN_EVERY},
};

/// A start this long after the last sign of life skips the time in between; what is shorter may be a restart.
const GAP_MIN: SignedDuration = SignedDuration::from_hours(1);

/// Most gaps that are remembered; beyond it the two oldest become one.
const GAPS_MAX: usize = 200;

/// A gap that is worth a line.
const LONG_GAP: SignedDuration = SignedDuration::from_hours(24);

/// What this process goes on from, and writes down.
pub(super) struct Lived {
    store: Arc<dyn Store>,
    clock: Arc<dyn Clock>,
    /// Gaps before everything that is kept for a time do not matter.
    longest_keep: SignedDuration,
    /// When the process before this one lived, as far as is known.
    pub(super) until: Timestamp,
    so_far: Mutex<LivedTime>,
}

/// When this installation lived last, and which times it has skipped before. There is at most one.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
struct LivedTime {
    seen_at: Timestamp,
    /// Oldest first.
    gaps: Vec<Gap>,
}

#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
struct Gap {
    from: Timestamp,
    until: Timestamp,
}

impl Lived {
    /// Goes on from what an earlier process has written down.
    pub(super) async fn restore(
        store: Arc<dyn Store>,
        clock: Arc<dyn Clock>,
        longest_keep: SignedDuration,
    ) -> Self {
        let kept = when_available(clock.as_ref(), "the time lived", || store.all::<LivedTime>()).await;
        let now = clock.now();
        let kept = kept.map(|mut kept| kept.pop());
        let until = kept.as_ref().map_or(None, Option::as_ref).map_or(Timestamp::MIN, |kept| kept.seen_at);
        let mut so_far = match kept {
            Ok(Some(so_far)) => so_far,
            Ok(None) if !store.has_lost::<LivedTime>() => LivedTime::first(now),
            Ok(None) | Err(_) => {
                warn!("the time lived cannot be read: nothing is removed before {longest_keep} have passed");
                LivedTime::unknown(now)
            }
        };
        let skipped = so_far.go_on(now);
        if LONG_GAP <= skipped {
            warn!("Bongsu lived last {skipped:#} ago: what is kept for a time is kept that much longer");
        }
        Self { store, clock, longest_keep, until, so_far: Mutex::new(so_far) }
    }

    /// Writes it down until it is stopped: a write that went through is the store's sign of life.
    pub(super) async fn run(self: Arc<Self>, life: Life) {
        let mut pace = Pace::new(life, SIGN_EVERY);
        while pace.next().await {
            if let Err(error) = self.write().await {
                warn!(error = %error, "the store takes no writes: {error}");
                pace.failed();
            }
        }
    }

    pub(super) async fn write(&self) -> Result<(), StoreError> {
        let so_far = {
            let mut so_far = self.so_far();
            so_far.renew(self.clock.now(), self.longest_keep);
            so_far.clone()
        };
        self.store.put(Lane::Deliver, &so_far).await
    }

    /// What lies before this was over when the last `keep` of living began.
    pub(super) fn cut_off(&self, keep: SignedDuration) -> Timestamp {
        self.so_far().cut_off(self.clock.now(), keep)
    }

    fn so_far(&self) -> MutexGuard<'_, LivedTime> {
        self.so_far.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl Record for LivedTime {
    const KIND: &'static str = "time lived";

    fn key(&self) -> Vec<u8> {
        Vec::new()
    }
}

impl Gap {
    fn length(&self) -> SignedDuration {
        self.until.duration_since(self.from)
    }
}

impl LivedTime {
    /// Nothing lies before this start.
    fn first(now: Timestamp) -> Self {
        Self { seen_at: now, gaps: Vec::new() }
    }

    /// Anything may lie before this start.
    fn unknown(now: Timestamp) -> Self {
        Self { seen_at: now, gaps: vec![Gap { from: Timestamp::MIN, until: now }] }
    }

    /// A start: how much time it skips. The clock may have been set back since: then what it had skipped to get ahead
    /// does not count any more.
    fn go_on(&mut self, now: Timestamp) -> SignedDuration {
        self.gaps.retain(|gap| gap.until <= now);
        let gap = Gap { from: self.seen_at, until: now };
        let skipped = if gap.length() < GAP_MIN { SignedDuration::ZERO } else { gap.length() };
        if !skipped.is_zero() {
            self.gaps.push(gap);
        }
        if GAPS_MAX < self.gaps.len() {
            let oldest = self.gaps.remove(0);
            if let Some(next) = self.gaps.first_mut() {
                next.from = before(next.from, oldest.length());
            }
        }
        self.seen_at = now;
        skipped
    }

    /// Still alive. Gaps before everything that is kept do not matter any more.
    fn renew(&mut self, now: Timestamp, longest_keep: SignedDuration) {
        let cut_off = self.cut_off(now, longest_keep);
        self.gaps.retain(|gap| cut_off < gap.until);
        self.seen_at = now;
    }

    /// What lies before this was over when the last `keep` of living began.
    fn cut_off(&self, now: Timestamp, keep: SignedDuration) -> Timestamp {
        self.gaps.iter().rev().fold(before(now, keep), |cut_off, gap| {
            if cut_off < gap.until { before(cut_off, gap.length()) } else { cut_off }
        })
    }
}

fn before(at: Timestamp, by: SignedDuration) -> Timestamp {
    at.saturating_sub(by).unwrap_or(Timestamp::MIN)
}
