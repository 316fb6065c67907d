//! Looks every minute whether somebody has set the clock of this machine: ours goes on from the start, so that no
//! notification is late or early by it, and people should know that the two differ.

use std::sync::Arc;

use jiff::SignedDuration;
use tracing::warn;

use super::{Life, Pace};
use crate::telemetry::Metrics;

const EVERY: SignedDuration = SignedDuration::from_mins(1);

/// A clock kept right by small steps moves by less; steps add up until something is said.
const JUMP_MIN: SignedDuration = SignedDuration::from_secs(2);

pub async fn watch_drift(metrics: Arc<Metrics>, life: Life) {
    let clock = life.clock().clone();
    let mut pace = Pace::new(life, EVERY);
    let mut said = SignedDuration::ZERO;
    loop {
        let drift = clock.drift();
        metrics.clock_drift(drift.as_secs_f64());
        if let Some(words) = jump(said, drift) {
            warn!(drift_seconds = drift.as_secs_f64(), "{words}");
            said = drift;
        }
        if !pace.next().await {
            break;
        }
    }
}

/// What to say of a system clock that is `drift` ahead of ours and was `said` ahead when something was said last.
fn jump(said: SignedDuration, drift: SignedDuration) -> Option<String> {
    let moved = drift.saturating_sub(said);
    if moved.abs() < JUMP_MIN {
        return None;
    }
    let direction = if moved.is_negative() { "back" } else { "forward" };
    let by = SignedDuration::from_millis(i64::try_from(moved.abs().as_millis()).unwrap_or(i64::MAX));
    Some(format!(
        "the system clock was set {direction} by {by:#}; alerts go on by the time since the start, \
         restart Bongsu to take the new time over"
    ))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn millis(millis: i64) -> SignedDuration {
        SignedDuration::from_millis(millis)
    }

    #[test]
    fn a_jump_is_said_once_in_both_directions_and_small_steps_when_they_add_up() {
        for (said, drift, words) in [
            (0, 0, None),
            (0, 1_999, None),
            (0, -1_999, None),
            (0, 2_000, Some("forward by 2s;")),
            (0, -32_400_000, Some("back by 9h;")),
            (-32_400_000, -32_400_100, None),
            (-32_400_000, 250, Some("forward by 9h 250ms;")),
            (1_900, 3_900, Some("forward by 2s;")),
        ] {
            let told = jump(millis(said), millis(drift));
            assert_eq!(told.is_some(), words.is_some(), "{said} {drift} {told:?}");
            assert!(told.iter().zip(words).all(|(told, words)| told.contains(words)), "{told:?} {words:?}");
        }
    }
}
