//! When a heartbeat is late, and what is to be done about it. Pure.

#[cfg(test)]
mod tests;

use jiff::{SignedDuration, Timestamp};
use serde::Serialize;

/// How often the last call is saved. A crash loses at most this much, and silence is counted from our start anyway.
const SAVE_EVERY: SignedDuration = SignedDuration::from_mins(1);

/// A late heartbeat is stated again after its own time, but not more often than this. It joins
/// the alert, or opens it again if somebody resolved it over a monitor that is still silent.
const AGAIN_MIN: SignedDuration = SignedDuration::from_mins(1);

#[derive(Clone, Debug)]
pub(super) struct Beat {
    /// How long silence may last: `every` and `grace`.
    patience: SignedDuration,
    /// When we began to listen. What was silent before may have called in vain.
    since: Timestamp,
    calls: Option<Calls>,
    saved: Option<Saved>,
    said: Said,
}

#[derive(Clone, Copy, Debug)]
struct Saved {
    last: Timestamp,
    at: Timestamp,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct Calls {
    pub(super) first: Timestamp,
    pub(super) last: Timestamp,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize)]
#[serde(rename_all = "snake_case")]
pub enum BeatState {
    /// It has never called: people are not notified.
    Waiting,
    OnTime,
    Late,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Task {
    Tell,
    Resolve,
    Save(Calls),
}

/// What the queue has been told.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Said {
    Nothing,
    Late { since: Timestamp, said_at: Timestamp },
    CalledAgain,
}

impl Beat {
    pub(super) fn new(patience: SignedDuration, now: Timestamp) -> Self {
        Self { patience, since: now, calls: None, saved: None, said: Said::Nothing }
    }

    /// What an earlier process knew: when it called, and since when the alert about it is open.
    pub(super) fn restore(&mut self, calls: Option<Calls>, late_since: Option<Timestamp>) {
        // A call of the future was made before somebody set the clock back.
        self.calls = calls
            .map(|Calls { first, last }| Calls { first: first.min(self.since), last: last.min(self.since) });
        self.saved = self.calls.map(|calls| Saved { last: calls.last, at: calls.last });
        self.said = late_since
            .map_or(Said::Nothing, |since| Said::Late { since: since.min(self.since), said_at: self.since });
    }

    pub(super) fn call(&mut self, now: Timestamp) {
        let first = self.calls.map_or(now, |calls| calls.first);
        self.calls = Some(Calls { first, last: now });
        if matches!(self.said, Said::Late { .. }) {
            self.said = Said::CalledAgain;
        }
    }

    pub(super) fn calls(&self) -> Option<Calls> {
        self.calls
    }

    /// When it is late unless it calls before, or since when it is; `None` while it has never called.
    pub(super) fn late_at(&self) -> Option<Timestamp> {
        if let Said::Late { since, .. } = self.said {
            return Some(since);
        }
        let heard = self.calls?.last.max(self.since);
        Some(after(heard, self.patience))
    }

    pub(super) fn state(&self, now: Timestamp) -> BeatState {
        match self.late_at() {
            None => BeatState::Waiting,
            Some(late_at) if late_at <= now => BeatState::Late,
            Some(_) => BeatState::OnTime,
        }
    }

    /// What must be durable before its call is answered: that it is watched from now on, or no longer late.
    pub(super) fn owed(&self) -> Option<Task> {
        match (self.said, self.calls) {
            (Said::CalledAgain, _) => Some(Task::Resolve),
            (_, Some(calls)) if self.saved.is_none() => Some(Task::Save(calls)),
            _ => None,
        }
    }

    /// What is to be done at `now`, the most urgent first.
    pub(super) fn task(&self, now: Timestamp) -> Option<Task> {
        let is_due = |at: Option<Timestamp>| at.is_some_and(|at| at <= now);
        self.owed()
            .or_else(|| is_due(self.tells_at()).then_some(Task::Tell))
            .or_else(|| is_due(self.saves_at()).then(|| self.calls.map(Task::Save)).flatten())
    }

    /// When there is something to be done; `None` until the first call.
    pub(super) fn due(&self) -> Option<Timestamp> {
        if self.owed().is_some() {
            return Some(Timestamp::MIN);
        }
        self.tells_at().into_iter().chain(self.saves_at()).min()
    }

    pub(super) fn done(&mut self, task: Task, now: Timestamp) {
        match task {
            Task::Tell => {
                let since = self.late_at().unwrap_or(now);
                self.said = Said::Late { since, said_at: now };
            }
            Task::Resolve => self.said = Said::Nothing,
            Task::Save(calls) => self.saved = Some(Saved { last: calls.last, at: now }),
        }
    }

    fn tells_at(&self) -> Option<Timestamp> {
        match self.said {
            Said::Nothing => self.late_at(),
            Said::Late { said_at, .. } => Some(after(said_at, self.patience.max(AGAIN_MIN))),
            Said::CalledAgain => None,
        }
    }

    fn saves_at(&self) -> Option<Timestamp> {
        let (calls, saved) = (self.calls?, self.saved?);
        (saved.last < calls.last).then(|| after(saved.at, SAVE_EVERY))
    }
}

fn after(at: Timestamp, delay: SignedDuration) -> Timestamp {
    at.saturating_add(delay).unwrap_or(Timestamp::MAX)
}
