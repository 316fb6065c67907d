//! How old things are, in time that Bongsu has lived through: neither a long pause nor a clock that is years ahead makes
//! anything old.

use jiff::{SignedDuration, Timestamp};
use serde::{Deserialize, Serialize};

use crate::store::Record;

/// A start this long after the last sign of life skips the time in between; what is shorter may be a restart.
const GAP_MIN: SignedDuration = SignedDuration::from_hours(1);

/// Most gaps that are remembered; beyond it the two oldest become one.
const GAPS_MAX: usize = 200;

/// When this installation lived last, and which times it has skipped before. There is at most one.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub(super) struct SignOfLife {
    seen_at: Timestamp,
    /// Oldest first.
    gaps: Vec<Gap>,
}

#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
struct Gap {
    from: Timestamp,
    until: Timestamp,
}

impl Record for SignOfLife {
    const KIND: &'static str = "sign of life";

    fn key(&self) -> Vec<u8> {
        Vec::new()
    }
}

impl Gap {
    fn length(&self) -> SignedDuration {
        self.until.duration_since(self.from)
    }
}

impl SignOfLife {
    /// Nothing lies before this start.
    pub(super) fn first(now: Timestamp) -> Self {
        Self { seen_at: now, gaps: Vec::new() }
    }

    /// Anything may lie before this start.
    pub(super) fn unknown(now: Timestamp) -> Self {
        Self { seen_at: now, gaps: vec![Gap { from: Timestamp::MIN, until: now }] }
    }

    /// A start: how much time it skips. The clock may have been set back since: then what it had skipped to get ahead
    /// does not count any more.
    pub(super) fn go_on(&mut self, now: Timestamp) -> SignedDuration {
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
    pub(super) fn renew(&mut self, now: Timestamp, longest_keep: SignedDuration) {
        let cut_off = self.cut_off(now, longest_keep);
        self.gaps.retain(|gap| cut_off < gap.until);
        self.seen_at = now;
    }

    /// What lies before this was over when the last `keep` of living began.
    pub(super) fn cut_off(&self, now: Timestamp, keep: SignedDuration) -> Timestamp {
        self.gaps.iter().rev().fold(before(now, keep), |cut_off, gap| {
            if cut_off < gap.until { before(cut_off, gap.length()) } else { cut_off }
        })
    }
}

fn before(at: Timestamp, by: SignedDuration) -> Timestamp {
    at.saturating_sub(by).unwrap_or(Timestamp::MIN)
}
