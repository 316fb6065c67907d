//! When a heartbeat is late, and what is to be done about it. Pure.

#[cfg(test)]
mod tests;

use jiff::{SignedDuration, Timestamp};
use serde::Serialize;

/// How often the last call is saved; a crash loses at most this much.
const SAVE_EVERY: SignedDuration = SignedDuration::from_mins(1);

/// A late heartbeat is stated again after its own time, but not more often than this. It joins
/// the alert, or opens it again if somebody resolved it over a monitor that is still silent.
const AGAIN_MIN: SignedDuration = SignedDuration::from_mins(1);

#[derive(Clone, Debug)]
pub(super) struct Beat {
    every: SignedDuration,
    /// How long silence may last: `every` and `grace`.
    patience: SignedDuration,
    calls: Option<Calls>,
    saved: Option<Saved>,
    said: Said,
}

#[derive(Clone, Copy, Debug)]
struct Saved {
    calls: Calls,
    at: Timestamp,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct Calls {
    pub(super) first: Timestamp,
    pub(super) last: Timestamp,
    /// Since when its silence counts: the last call, or later, as we were away when the next one was to come.
    pub(super) silent_since: Timestamp,
}

/// When nobody listened.
#[derive(Clone, Copy, Debug)]
pub(super) struct Away {
    pub(super) from: Timestamp,
    pub(super) until: Timestamp,
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
    pub(super) fn new(every: SignedDuration, grace: SignedDuration) -> Self {
        let patience = every.saturating_add(grace);
        Self { every, patience, calls: None, saved: None, said: Said::Nothing }
    }

    /// What an earlier process knew: when it called, and since when the alert about it is open. `away` ends now.
    pub(super) fn restore(&mut self, calls: Option<Calls>, late_since: Option<Timestamp>, away: Away) {
        let now = away.until;
        self.saved = calls.map(|calls| Saved { calls, at: calls.last.min(now) });
        // A call of the future was made before somebody set the clock back.
        let calls = calls.map(|Calls { first, last, silent_since }| Calls {
            first: first.min(now),
            last: last.min(now),
            silent_since: silent_since.min(now),
        });
        self.calls = calls.map(|calls| Calls { silent_since: self.silent_since_after(calls, away), ..calls });
        self.said =
            late_since.map_or(Said::Nothing, |since| Said::Late { since: since.min(now), said_at: now });
    }

    /// If its next call was to come while we were away, that may have come in vain: then it has as long as ever from now
    /// on. But once: after that, only as much longer as we were away.
    fn silent_since_after(&self, calls: Calls, away: Away) -> Timestamp {
        let Calls { last, silent_since, .. } = calls;
        // A call since then may not have been saved.
        let was_late = after(silent_since, self.patience.saturating_add(SAVE_EVERY)) <= away.from;
        if was_late || away.until < after(silent_since, self.every) {
            silent_since
        } else if silent_since == last {
            away.until
        } else {
            after(silent_since, away.until.duration_since(away.from)).min(away.until)
        }
    }

    pub(super) fn call(&mut self, now: Timestamp) {
        let first = self.calls.map_or(now, |calls| calls.first);
        self.calls = Some(Calls { first, last: now, silent_since: now });
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
        Some(after(self.calls?.silent_since, self.patience))
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

    /// What was to be done at `now` is done; it may have called meanwhile.
    pub(super) fn done(&mut self, task: Task, now: Timestamp) {
        match task {
            Task::Tell => {
                let since = self.late_at().unwrap_or(now);
                let has_called = now < since;
                self.said = if has_called { Said::CalledAgain } else { Said::Late { since, said_at: now } };
            }
            // And its call is kept as a first one is.
            Task::Resolve => (self.said, self.saved) = (Said::Nothing, None),
            Task::Save(calls) => self.saved = Some(Saved { calls, at: now }),
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
        (saved.calls != calls).then(|| after(saved.at, SAVE_EVERY))
    }
}

fn after(at: Timestamp, delay: SignedDuration) -> Timestamp {
    at.saturating_add(delay).unwrap_or(Timestamp::MAX)
}
