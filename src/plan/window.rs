//! What was spent within windows of time that slide: `20/10m` is at most 20 in any ten minutes.

use std::collections::VecDeque;

use jiff::Timestamp;

use crate::config::Rate;

/// Parts in which a window is counted. What was spent leaves it up to one part late, never early.
const PARTS: i64 = 60;

/// What is left of each window for more severe alerts.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Spare {
    Nothing,
    Eighth,
    Quarter,
    Half,
}

impl Spare {
    fn of(self, count: u64) -> u64 {
        match self {
            Self::Nothing => 0,
            Self::Eighth => count / 8,
            Self::Quarter => count / 4,
            Self::Half => count / 2,
        }
    }
}

#[derive(Clone, Debug)]
struct Window {
    count: u64,
    per_ms: i64,
    part_ms: i64,
    /// Number of the part, and what was spent in it; oldest first.
    parts: VecDeque<(i64, i64)>,
}

impl Window {
    fn new(rate: &Rate) -> Self {
        let per_ms = i64::try_from(rate.per.as_millis()).unwrap_or(i64::MAX).max(1);
        let part_ms = (per_ms / PARTS).max(1);
        Self { count: u64::from(rate.count.get()), per_ms, part_ms, parts: VecDeque::new() }
    }

    fn is_over(&self, part: i64, now: Timestamp) -> bool {
        let end = part.saturating_add(1).saturating_mul(self.part_ms);
        end.saturating_add(self.per_ms) <= now.as_millisecond()
    }

    fn spent(&self, now: Timestamp) -> u64 {
        let parts = self.parts.iter().filter(|(part, _)| !self.is_over(*part, now));
        u64::try_from(parts.map(|(_, units)| units).sum::<i64>()).unwrap_or(0)
    }

    /// Less than zero corrects what was entered for the same time.
    fn add(&mut self, at: Timestamp, units: i64) {
        while self.parts.front().is_some_and(|(part, _)| self.is_over(*part, at)) {
            self.parts.pop_front();
        }
        let part = at.as_millisecond().div_euclid(self.part_ms);
        if let Some((_, spent)) = self.parts.iter_mut().find(|(known, _)| *known == part) {
            *spent = spent.saturating_add(units).max(0);
        } else if 0 < units {
            let place = self.parts.partition_point(|(known, _)| *known < part);
            self.parts.insert(place, (part, units));
        }
    }
}

#[derive(Clone, Debug, Default)]
pub(super) struct Spending {
    windows: Vec<Window>,
}

impl Spending {
    pub(super) fn new(rates: &[Rate]) -> Self {
        Self { windows: rates.iter().map(Window::new).collect() }
    }

    /// Something is left in every window, after `more` and what is spared.
    pub(super) fn has_room(&self, now: Timestamp, more: u64, spare: Spare) -> bool {
        self.windows.iter().all(|window| window.spent(now) + more + spare.of(window.count) < window.count)
    }

    pub(super) fn add(&mut self, at: Timestamp, units: i64) {
        for window in &mut self.windows {
            window.add(at, units);
        }
    }

    /// What was spent in the first window.
    pub(super) fn of_first(&self, now: Timestamp) -> u64 {
        self.windows.first().map_or(0, |window| window.spent(now))
    }
}
