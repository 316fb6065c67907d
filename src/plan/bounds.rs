//! How far ahead of now a stored time may lie: what a clock that ran ahead has dated must delay nothing.

use jiff::{SignedDuration, Timestamp};

use super::{RETRY_AFTER_MAX, Rules, SMS_AFTER_UNKNOWN};
use crate::alert::Pending;

/// Pulls times back to where a plan made now could set them at the latest.
pub(super) struct Bounds<'a> {
    pub(super) rules: &'a Rules,
    pub(super) now: Timestamp,
    /// The notification was planned in the future, so every pause in it was set by the clock that ran ahead.
    pub(super) is_ahead: bool,
}

impl Bounds<'_> {
    pub(super) fn after(&self, delay: SignedDuration) -> Timestamp {
        self.now.saturating_add(delay).unwrap_or(Timestamp::MAX)
    }

    /// Not later than now.
    pub(super) fn past(&self, at: &mut Timestamp) {
        *at = self.now.min(*at);
    }

    /// Not later than `delay` from now.
    pub(super) fn within(&self, at: &mut Timestamp, delay: SignedDuration) {
        *at = self.after(delay).min(*at);
    }

    /// A request of the future is one of a process that is gone: it ends now, without an answer. What would be
    /// tried again in the future is tried at `again`.
    pub(super) fn pending(&self, state: &mut Pending, in_flight_max: SignedDuration, again: Timestamp) {
        let longest = |pause| if self.is_ahead { self.now } else { self.after(pause) };
        match state {
            Pending::Ready => {}
            Pending::InFlight { until, .. } => {
                if longest(in_flight_max) < *until {
                    *until = self.now;
                }
            }
            Pending::Waiting { at, .. } => {
                let pause = self.rules.backoff.longest().max(RETRY_AFTER_MAX).max(SMS_AFTER_UNKNOWN);
                if longest(pause) < *at {
                    *at = again.min(*at);
                }
            }
        }
    }
}
