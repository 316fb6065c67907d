//! Stops asking a provider while our account there is at fault: every answer would be the same, and a provider may
//! lock an account that keeps knocking.
//!
//! Closed → a fault opens it for [`PAUSE_MIN`] → a probe is let through → an answer that only a working account
//! gets closes it, another fault opens it for twice as long, up to [`PAUSE_MAX`]. Pure: time is an argument, and a
//! probe that never came back (its task was dropped) does not hold the breaker open.

use jiff::{SignedDuration, Timestamp};

pub(crate) const PAUSE_MIN: SignedDuration = SignedDuration::from_secs(60);
/// Longest pause: an operator who repaired the account waits no longer than this.
pub(crate) const PAUSE_MAX: SignedDuration = SignedDuration::from_mins(10);
/// For this long after a good answer an ambiguous one is no fault: one odd device must not silence the others.
const WORKED_RECENTLY: SignedDuration = SignedDuration::from_mins(10);

#[derive(Debug)]
pub(crate) struct Breaker {
    probes: Probes,
    state: State,
    worked_at: Option<Timestamp>,
}

/// When the next probe goes after one that told nothing.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Probes {
    /// At once. One that has not come back counts as lost after this long, which is longer than any request takes.
    UntilOneTells(SignedDuration),
    /// After a pause like the one before it.
    OnePerPause,
}

#[derive(Clone, Copy, Debug)]
enum State {
    Closed,
    Open { until: Timestamp, pause: SignedDuration, is_probing: bool },
}

/// Permission for one request, to be settled with what the answer says of the account.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Pass {
    Ordinary,
    /// This request finds out whether the account works again.
    Probe,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Evidence {
    /// It works, whatever became of this message.
    Works,
    Nothing,
    /// Perhaps it is at fault, perhaps this device is.
    Suspicious,
    Fault,
}

impl Breaker {
    pub(crate) fn new(probes: Probes) -> Self {
        Self { probes, state: State::Closed, worked_at: None }
    }

    /// Permission for one request, or how long to wait.
    pub(crate) fn admit(&mut self, now: Timestamp) -> Result<Pass, SignedDuration> {
        match &mut self.state {
            State::Closed => Ok(Pass::Ordinary),
            State::Open { until, .. } if now < *until => Err(until.duration_since(now)),
            State::Open { until, pause, is_probing } => {
                *is_probing = true;
                *until = match self.probes {
                    Probes::UntilOneTells(lost_after) => later(now, lost_after),
                    Probes::OnePerPause => later(now, *pause),
                };
                Ok(Pass::Probe)
            }
        }
    }

    /// How long no request passes from now; `None` if requests pass.
    ///
    /// Answers of ordinary requests that were under way when it opened neither lengthen the pause nor end it.
    pub(crate) fn settle(
        &mut self,
        pass: Pass,
        evidence: Evidence,
        now: Timestamp,
    ) -> Option<SignedDuration> {
        let is_fault = match evidence {
            Evidence::Works | Evidence::Nothing => false,
            Evidence::Suspicious => !self.worked_recently(now),
            Evidence::Fault => true,
        };
        if evidence == Evidence::Works {
            self.worked_at = Some(now);
        }
        match (self.state, pass) {
            (State::Closed, _) if is_fault => self.open(now, PAUSE_MIN),
            (State::Open { .. }, Pass::Probe) if evidence == Evidence::Works => self.state = State::Closed,
            (State::Open { pause, is_probing: true, .. }, Pass::Probe) if is_fault => {
                self.open(now, PAUSE_MAX.min(pause.saturating_mul(2)));
            }
            (State::Open { pause, is_probing: true, .. }, Pass::Probe)
                if matches!(self.probes, Probes::UntilOneTells(_)) =>
            {
                self.state = State::Open { until: now, pause, is_probing: false };
            }
            (State::Closed | State::Open { .. }, Pass::Ordinary | Pass::Probe) => {}
        }
        self.open_until().map(|until| until.duration_since(now).max(SignedDuration::ZERO))
    }

    pub(crate) fn open_until(&self) -> Option<Timestamp> {
        match self.state {
            State::Closed => None,
            State::Open { until, .. } => Some(until),
        }
    }

    fn open(&mut self, now: Timestamp, pause: SignedDuration) {
        self.state = State::Open { until: later(now, pause), pause, is_probing: false };
    }

    fn worked_recently(&self, now: Timestamp) -> bool {
        self.worked_at.is_some_and(|at| now.duration_since(at) < WORKED_RECENTLY)
    }
}

fn later(now: Timestamp, by: SignedDuration) -> Timestamp {
    now.saturating_add(by).unwrap_or(Timestamp::MAX)
}

#[cfg(test)]
mod tests;
