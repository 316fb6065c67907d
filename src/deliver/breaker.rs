//! Stops asking a provider that has told us our account is at fault: more requests cannot help,
//! and a provider may lock an account that keeps knocking.

use jiff::{SignedDuration, Timestamp};

/// How long the first fault keeps the breaker open.
pub(crate) const PAUSE_FIRST: SignedDuration = SignedDuration::from_secs(60);
/// How long it stays open at most: somebody who repaired the account waits no longer than this.
pub(crate) const PAUSE_MAX: SignedDuration = SignedDuration::from_mins(10);

/// Pure state: the caller brings the time and reports what the requests showed.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(crate) enum Breaker {
    /// Requests pass.
    #[default]
    Closed,
    /// Requests do not pass, but for one probe a pause.
    Open {
        /// When the next probe may go.
        until: Timestamp,
        /// The length of this pause.
        pause: SignedDuration,
        /// A probe is on its way.
        probing: bool,
    },
}

/// Whether a request may go now.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Admit {
    /// Yes; as a probe if the breaker is open.
    Go,
    /// No; ask again after this long.
    OpenFor(SignedDuration),
}

impl Breaker {
    /// Asks for one request. An open breaker admits one probe a pause, so a probe that never
    /// reports back (its task was dropped, its answer said nothing) cannot keep it open for good.
    pub(crate) fn admit(&mut self, now: Timestamp) -> Admit {
        match self {
            Self::Closed => Admit::Go,
            Self::Open { until, .. } if now < *until => Admit::OpenFor(until.duration_since(now)),
            Self::Open { until, pause, probing } => {
                *until = after(now, *pause);
                *probing = true;
                Admit::Go
            }
        }
    }

    /// No request passes now.
    pub(crate) fn is_open(&self, now: Timestamp) -> bool {
        matches!(self, Self::Open { until, .. } if now < *until)
    }

    /// A request showed that our account is at fault. Only the first one and probes lengthen the
    /// pause: the answers of requests that were already on their way say nothing new.
    /// Returns how long the breaker stays open from now.
    pub(crate) fn fault(&mut self, now: Timestamp) -> SignedDuration {
        let pause = match *self {
            Self::Closed => PAUSE_FIRST,
            Self::Open { pause, probing: true, .. } => pause.saturating_mul(2).min(PAUSE_MAX),
            Self::Open { until, probing: false, .. } => {
                return until.duration_since(now).max(SignedDuration::ZERO);
            }
        };
        *self = Self::Open { until: after(now, pause), pause, probing: false };
        pause
    }

    /// A request showed that our account works.
    pub(crate) fn success(&mut self) {
        *self = Self::Closed;
    }
}

fn after(now: Timestamp, pause: SignedDuration) -> Timestamp {
    now.saturating_add(pause).unwrap_or(Timestamp::MAX)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn at(second: i64) -> Timestamp {
        Timestamp::from_second(second).expect("in range")
    }

    fn secs(seconds: i64) -> SignedDuration {
        SignedDuration::from_secs(seconds)
    }

    #[test]
    fn a_fault_stops_requests_for_a_minute_and_then_lets_one_probe_through() {
        let mut breaker = Breaker::default();
        assert_eq!(breaker.admit(at(0)), Admit::Go);
        assert_eq!(breaker.fault(at(0)), secs(60));
        assert_eq!(breaker.admit(at(18)), Admit::OpenFor(secs(42)));
        assert_eq!(breaker.admit(at(60)), Admit::Go);
        assert_eq!(breaker.admit(at(60)), Admit::OpenFor(secs(60)), "one probe, not two");
        breaker.success();
        assert_eq!(breaker.admit(at(61)), Admit::Go);
        assert_eq!(breaker.fault(at(61)), secs(60), "a success starts the pauses anew");
    }

    #[test]
    fn pauses_double_up_to_ten_minutes_while_probes_keep_failing() {
        let (mut breaker, mut now, mut pauses) = (Breaker::default(), 0, Vec::new());
        for _ in 0..7 {
            assert_eq!(breaker.admit(at(now)), Admit::Go);
            let pause = breaker.fault(at(now)).as_secs();
            pauses.push(pause);
            now += pause;
        }
        assert_eq!(pauses, [60, 120, 240, 480, 600, 600, 600]);
    }

    #[test]
    fn answers_of_requests_already_on_their_way_do_not_lengthen_the_pause() {
        let mut breaker = Breaker::default();
        breaker.fault(at(0));
        for late in [1, 2, 30] {
            assert_eq!(breaker.fault(at(late)), secs(60 - late));
        }
        assert_eq!(breaker.admit(at(60)), Admit::Go);
    }

    #[test]
    fn a_probe_that_never_reports_is_followed_by_another() {
        let mut breaker = Breaker::default();
        breaker.fault(at(0));
        assert_eq!(breaker.admit(at(60)), Admit::Go);
        assert_eq!(breaker.admit(at(119)), Admit::OpenFor(secs(1)));
        assert_eq!(breaker.admit(at(120)), Admit::Go);
    }
}
