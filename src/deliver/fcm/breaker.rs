//! Stops asking while our Firebase project is at fault: every answer would be the same.
//!
//! Closed → a fault opens it for [`OPEN_MIN`] → one probe is let through → an answer that only a
//! working project gives closes it, another fault opens it for twice as long, up to [`OPEN_MAX`].
//! Pure: time is an argument, and a probe that never came back is forgotten after [`PROBE_MAX`],
//! so a dropped request cannot hold the breaker.

use jiff::{SignedDuration, Timestamp};

/// First pause after a fault.
pub(crate) const OPEN_MIN: SignedDuration = SignedDuration::from_secs(60);
/// Longest pause.
pub(crate) const OPEN_MAX: SignedDuration = SignedDuration::from_mins(10);
/// How long a probe may take; longer than any request of ours.
const PROBE_MAX: SignedDuration = SignedDuration::from_secs(20);
/// A project that worked so recently is not the one to blame for an ambiguous answer: a single odd
/// device must not silence the others.
const WORKED_RECENTLY: SignedDuration = SignedDuration::from_mins(10);

/// The breaker of one project.
#[derive(Debug)]
pub(crate) struct Breaker {
    state: State,
    /// The pause that the next fault starts.
    next_pause: SignedDuration,
    worked_at: Option<Timestamp>,
}

#[derive(Debug)]
enum State {
    Closed,
    Open {
        until: Timestamp,
    },
    /// A probe is on its way; without news of it, the next one goes at `until`.
    Probing {
        until: Timestamp,
    },
}

/// Leave to make one request, to be settled with what the answer says of the project.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Pass {
    /// Nothing is wrong.
    Ordinary,
    /// This request finds out whether the project works again.
    Probe,
}

/// What an answer says of the project.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Evidence {
    /// The project works, whatever became of this message.
    Works,
    /// Nothing either way.
    Nothing,
    /// Perhaps the project is at fault, perhaps this device.
    Suspicious,
    /// The project is at fault.
    Fault,
}

impl Breaker {
    /// Closed.
    pub(crate) fn new() -> Self {
        Self { state: State::Closed, next_pause: OPEN_MIN, worked_at: None }
    }

    /// Leave to make one request, or how long to wait.
    pub(crate) fn admit(&mut self, now: Timestamp) -> Result<Pass, SignedDuration> {
        match self.state {
            State::Closed => Ok(Pass::Ordinary),
            State::Open { until } | State::Probing { until } if now < until => Err(until.duration_since(now)),
            State::Open { .. } | State::Probing { .. } => {
                self.state = State::Probing { until: later(now, PROBE_MAX) };
                Ok(Pass::Probe)
            }
        }
    }

    /// Takes in what the answer to an admitted request says.
    pub(crate) fn settle(&mut self, pass: Pass, evidence: Evidence, now: Timestamp) {
        let fault = match evidence {
            Evidence::Works => {
                self.worked_at = Some(now);
                false
            }
            Evidence::Nothing => false,
            Evidence::Suspicious => !self.worked_recently(now),
            Evidence::Fault => true,
        };
        match (&self.state, pass) {
            (State::Closed, _) | (State::Probing { .. }, Pass::Probe) if fault => self.open(now),
            (State::Probing { .. }, Pass::Probe) if evidence == Evidence::Works => {
                self.state = State::Closed;
                self.next_pause = OPEN_MIN;
            }
            // It says nothing: the next request is the probe.
            (State::Probing { .. }, Pass::Probe) => self.state = State::Open { until: now },
            // Requests that were under way when it opened neither lengthen the pause nor end it.
            (State::Closed | State::Open { .. } | State::Probing { .. }, Pass::Ordinary | Pass::Probe) => {}
        }
    }

    /// When the next probe may go, while it is not closed.
    pub(crate) fn open_until(&self) -> Option<Timestamp> {
        match self.state {
            State::Closed => None,
            State::Open { until } | State::Probing { until } => Some(until),
        }
    }

    fn open(&mut self, now: Timestamp) {
        self.state = State::Open { until: later(now, self.next_pause) };
        self.next_pause = OPEN_MAX.min(self.next_pause * 2);
    }

    fn worked_recently(&self, now: Timestamp) -> bool {
        self.worked_at.is_some_and(|at| now.duration_since(at) < WORKED_RECENTLY)
    }
}

fn later(now: Timestamp, by: SignedDuration) -> Timestamp {
    now.saturating_add(by).unwrap_or(Timestamp::MAX)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn at(second: i64) -> Timestamp {
        Timestamp::from_second(second).expect("in range")
    }

    fn opened_at(second: i64) -> Breaker {
        let mut breaker = Breaker::new();
        assert_eq!(breaker.admit(at(second)), Ok(Pass::Ordinary));
        breaker.settle(Pass::Ordinary, Evidence::Fault, at(second));
        breaker
    }

    #[test]
    fn a_fault_stops_requests_and_one_probe_finds_the_recovery() {
        let mut breaker = opened_at(0);
        assert_eq!(breaker.admit(at(10)), Err(SignedDuration::from_secs(50)));
        assert_eq!(breaker.admit(at(60)), Ok(Pass::Probe));
        assert!(breaker.admit(at(61)).is_err(), "one probe at a time");
        breaker.settle(Pass::Probe, Evidence::Works, at(61));
        assert_eq!(breaker.admit(at(61)), Ok(Pass::Ordinary));
        assert_eq!(breaker.open_until(), None);
    }

    #[test]
    fn every_failed_probe_doubles_the_pause_up_to_the_limit() {
        let mut breaker = opened_at(0);
        let mut pauses = Vec::new();
        for _ in 0..6 {
            let until = breaker.open_until().expect("open");
            assert_eq!(breaker.admit(until), Ok(Pass::Probe));
            breaker.settle(Pass::Probe, Evidence::Fault, until);
            pauses.push(breaker.open_until().expect("open").duration_since(until).as_secs());
        }
        assert_eq!(pauses, [120, 240, 480, 600, 600, 600]);
    }

    #[test]
    fn requests_under_way_when_it_opened_change_nothing() {
        let mut breaker = opened_at(0);
        breaker.settle(Pass::Ordinary, Evidence::Fault, at(1));
        breaker.settle(Pass::Ordinary, Evidence::Works, at(2));
        assert_eq!(breaker.open_until(), Some(at(60)));
    }

    #[test]
    fn a_probe_without_news_gives_way_to_the_next_request() {
        let mut breaker = opened_at(0);
        assert_eq!(breaker.admit(at(60)), Ok(Pass::Probe));
        breaker.settle(Pass::Probe, Evidence::Nothing, at(61));
        assert_eq!(breaker.admit(at(61)), Ok(Pass::Probe));
        assert!(breaker.admit(at(62)).is_err());
        assert_eq!(breaker.admit(at(61 + 20)), Ok(Pass::Probe), "the probe was dropped");
    }

    #[test]
    fn one_odd_device_does_not_stop_a_project_that_works() {
        let mut breaker = Breaker::new();
        breaker.settle(Pass::Ordinary, Evidence::Works, at(0));
        breaker.settle(Pass::Ordinary, Evidence::Suspicious, at(1));
        assert_eq!(breaker.open_until(), None);
        breaker.settle(Pass::Ordinary, Evidence::Suspicious, at(601));
        assert_eq!(breaker.open_until(), Some(at(661)), "nothing worked for ten minutes");
    }
}
