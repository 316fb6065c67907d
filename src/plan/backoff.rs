//! When to try again: `backoff`'s exponential schedule as a calculator. The attempt number goes
//! in, the delay comes out; the schedule itself lives in the alert's document.

use std::time::Duration;

use backoff::{ExponentialBackoffBuilder, backoff::Backoff as _};
use jiff::SignedDuration;

/// Longest pause a provider's `Retry-After` can impose.
pub const RETRY_AFTER_MAX: SignedDuration = SignedDuration::from_hours(1);

/// From this attempt on the pause no longer grows, whatever `initial` and `max` are.
const DOUBLINGS_MAX: u16 = 32;

/// Part of the pause that is up to chance, so that a thousand alerts do not retry at once.
const JITTER: f64 = 0.2;

/// Doubling pauses between `initial` and `max`.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Backoff {
    initial: Duration,
    max: Duration,
}

impl Backoff {
    /// The pause grows from `initial` to `max`; a `max` below `initial` counts as `initial`.
    pub fn new(initial: SignedDuration, max: SignedDuration) -> Self {
        let initial = Duration::try_from(initial).unwrap_or(Duration::ZERO);
        Self { initial, max: Duration::try_from(max).unwrap_or(Duration::ZERO).max(initial) }
    }

    pub fn longest(&self) -> SignedDuration {
        SignedDuration::try_from(self.max).unwrap_or(SignedDuration::MAX)
    }

    /// The pause after the attempt of this number, counted from 1. `chance` is in `[0, 1)`; the
    /// result is at least `initial` and at most `max`.
    pub fn delay(&self, attempt: u16, chance: f64) -> SignedDuration {
        let mut schedule = ExponentialBackoffBuilder::new()
            .with_initial_interval(self.initial)
            .with_max_interval(self.max)
            .with_multiplier(2.0)
            .with_randomization_factor(0.0)
            .with_max_elapsed_time(None)
            .build();
        let steps = attempt.clamp(1, DOUBLINGS_MAX);
        let pause = (0..steps).filter_map(|_| schedule.next_backoff()).last().unwrap_or(self.max);
        // The crate adds its jitter after the cap, from a generator of its own; ours stays within
        // the cap and comes from the caller.
        let stretched = pause.mul_f64(1.0 + JITTER * chance);
        let jittered =
            if stretched <= self.max { stretched } else { self.max.mul_f64(1.0 - JITTER * chance) };
        SignedDuration::try_from(jittered.max(self.initial)).unwrap_or(SignedDuration::MAX)
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    const BACKOFF: (i64, i64) = (10, 300);

    fn backoff() -> Backoff {
        Backoff::new(SignedDuration::from_secs(BACKOFF.0), SignedDuration::from_secs(BACKOFF.1))
    }

    proptest! {
        #[test]
        fn a_delay_stays_within_its_bounds(attempt in 0_u16..200, chance in 0.0..1.0_f64) {
            let delay = backoff().delay(attempt, chance);
            prop_assert!(SignedDuration::from_secs(BACKOFF.0) <= delay);
            prop_assert!(delay <= SignedDuration::from_secs(BACKOFF.1));
        }

        #[test]
        fn the_next_delay_is_not_shorter(attempt in 1_u16..200) {
            prop_assert!(backoff().delay(attempt, 0.0) <= backoff().delay(attempt + 1, 0.0));
        }
    }

    #[test]
    fn pauses_double_up_to_the_cap() {
        let seconds: Vec<i64> = (1..=7).map(|attempt| backoff().delay(attempt, 0.0).as_secs()).collect();
        assert_eq!(seconds, [10, 20, 40, 80, 160, 300, 300]);
        assert_eq!(backoff().delay(1, 0.5).as_millis(), 11_000);
        assert_eq!(backoff().delay(7, 0.5).as_secs(), 270);
    }
}
