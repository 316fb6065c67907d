//! The pace of what is done again and again beside the work.

use std::sync::Arc;

use jiff::{SignedDuration, Timestamp};
use tokio_util::sync::CancellationToken;

use crate::clock::Clock;

/// Turns that come every so often until they are stopped. Each is counted from the last, so it does not matter how
/// long the work in between takes.
pub struct Pace {
    clock: Arc<dyn Clock>,
    every: SignedDuration,
    stop: CancellationToken,
    next: Timestamp,
}

impl Pace {
    /// The first comes after `every`.
    pub fn new(clock: Arc<dyn Clock>, every: SignedDuration, stop: CancellationToken) -> Self {
        let next = clock.now().saturating_add(every).unwrap_or(Timestamp::MAX);
        Self { clock, every, stop, next }
    }

    /// Waits for the next; false once it is stopped.
    pub async fn next(&mut self) -> bool {
        tokio::select! {
            biased;
            () = self.stop.cancelled() => return false,
            () = self.clock.sleep_until(self.next) => {}
        }
        self.next = self.clock.now().saturating_add(self.every).unwrap_or(Timestamp::MAX);
        true
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::clock::ManualClock;

    #[tokio::test]
    async fn a_turn_is_counted_from_the_last_and_not_from_the_end_of_the_work() {
        let clock = ManualClock::at(Timestamp::constant(1_800_000_000, 0));
        let stop = CancellationToken::new();
        let mut pace = Pace::new(clock.clone(), SignedDuration::from_secs(60), stop.clone());
        for _ in 0..3 {
            // The work of this turn takes as long as the pause.
            clock.advance(SignedDuration::from_secs(60));
            assert!(pace.next().await);
        }
        stop.cancel();
        clock.advance(SignedDuration::from_secs(60));
        assert!(!pace.next().await, "the end goes before a turn");
    }
}
