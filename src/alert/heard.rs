//! What the events of a round have said of their times. A sender's clock is compared with itself only; of ours only
//! how long ago something arrived.

use jiff::{SignedDuration, Timestamp};
use serde::{Deserialize, Serialize};

use super::{
    Event, EventStatus, Severity,
    holds::{COPY_WITHIN, Holds, REPLICAS_APART},
    is_default,
};

/// How much older a late copy is at most, by the sender's clock, and how long after a newer message it comes at most,
/// by ours. What is further off comes from a clock that was set back.
pub const LATE_WITHIN: SignedDuration = SignedDuration::from_secs(60);

/// As [`LATE_WITHIN`], of updates: a sender tries again for minutes to bring one.
const OUTDATED_WITHIN: SignedDuration = SignedDuration::from_mins(5);

/// How long after a round was opened what its sender said of an earlier problem may still be under way.
pub const SOON_AFTER: SignedDuration = SignedDuration::from_mins(5);

/// How soon after another a round begins if its start may be no more than the time of its message.
const MOVES_WITHIN: SignedDuration = SignedDuration::from_hours(1);

/// What took the place of an open round this often, so soon, without an end or a repetition in between, has a start that
/// moves.
const MOVES_AFTER: u8 = 3;

#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Heard {
    /// Of firing events and of the recovery.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    starts: Option<Starts>,
    /// Of the round before, where that was another problem, and of those before it that came soon after each other.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    before: Option<Starts>,
    /// Message times: of the firing event that opened it, and of the last one.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    opened: Option<Timestamp>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    fired: Option<Timestamp>,
    #[serde(default, skip_serializing_if = "is_default")]
    updated: Updated,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    holds: Option<Holds>,
    /// The last message that was not late.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    last: Option<Message>,
    /// How many rounds in a row, each said once, had their place taken soon while they were open.
    #[serde(default, skip_serializing_if = "is_default")]
    superseded: u8,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
struct Starts {
    earliest: Timestamp,
    latest: Timestamp,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
struct Message {
    said: Timestamp,
    arrived: Timestamp,
}

impl Message {
    /// Whether it is the newer one, rather than of a clock that was set back since.
    fn overtakes(self, said: Timestamp, now: Timestamp, within: SignedDuration) -> bool {
        said < self.said
            && self.said.duration_since(said) <= within
            && now.duration_since(self.arrived) <= within
    }
}

/// What updates have said that were not outdated.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
struct Updated {
    /// The last one with a message time, the start that it named, and what it said.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    last: Option<Message>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    start: Option<Timestamp>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    acknowledged: Option<bool>,
    /// By the last one that gave any.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    severity: Option<Severity>,
}

/// The times of one event, as they count for its dedup key.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Times {
    pub start: Option<Timestamp>,
    /// Of the message.
    pub said: Option<Timestamp>,
}

impl Times {
    pub fn are_known(self) -> bool {
        self.start.is_some() || self.said.is_some()
    }
}

/// How the next round comes about.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Next {
    /// It is another problem.
    Anew,
    /// It is another problem, and the end of the last one was lost; `once`: that was said once.
    Superseding { once: bool },
    /// The same problem goes on: its end is taken back.
    Again,
}

impl Heard {
    /// A start that moves is taken for the time of its message, rather than that.
    pub fn times(&self, event: &Event) -> Times {
        let Event { starts_at, said_at, .. } = event;
        if self.start_moves() {
            Times { start: None, said: starts_at.or(*said_at) }
        } else {
            Times { start: *starts_at, said: *said_at }
        }
    }

    /// The event as it counts for its dedup key, if that is not how it was read: where its sender says no more than until
    /// when the problem holds, that time is compared with those it said before, rather than with our clock.
    pub fn restated(&self, event: &Event, now: Timestamp) -> Option<Event> {
        let (until, holds) = event.holds_until.zip(self.holds)?;
        let restated = if holds.fires(until, now) {
            Event { status: EventStatus::Firing, ended_at: None, ..event.clone() }
        } else {
            let status = EventStatus::Resolved { note: None, escalation_cancelled: false };
            Event { status, ended_at: Some(until), ..event.clone() }
        };
        (restated != *event).then_some(restated)
    }

    /// Having heard nothing but until when it holds.
    #[must_use]
    pub fn with_holds(&self, event: &Event, now: Timestamp) -> Self {
        let said = event.holds_until.map(|until| Holds::hear(self.holds, until, now));
        Self { holds: said.or(self.holds), ..self.clone() }
    }

    /// Until when it holds, and nothing else.
    #[must_use]
    pub fn only_holds(&self) -> Self {
        Self { holds: self.holds, ..Self::default() }
    }

    /// It ends again what ended before, by a sender whose twin has gone on since then.
    pub fn is_end_of_twin(&self, event: &Event) -> bool {
        let said = event.holds_until.zip(self.holds);
        let is_end = matches!(event.status, EventStatus::Resolved { .. });
        // What lies before its start is only a word for an end.
        let is_its_time = event.starts_at.is_some() && event.starts_at <= event.holds_until;
        is_end && is_its_time && said.is_some_and(|(until, holds)| holds.is_end_of_twin(until))
    }

    /// A start that moves does so with every message, and soon.
    pub fn stop_moving_unless_heard_of(&mut self, now: Timestamp) {
        if self.last.is_none_or(|last| MOVES_WITHIN < now.duration_since(last.arrived)) {
            self.stop_moving();
        }
    }

    fn stop_moving(&mut self) {
        if self.start_moves() {
            self.starts = self.starts_with(self.fired);
            self.superseded = 0;
        }
    }

    pub fn hear(&mut self, event: &Event, now: Timestamp) {
        let is_repeated = |last: Message| {
            Some(last.said) == event.starts_at && COPY_WITHIN <= now.duration_since(last.arrived)
        };
        if event.status == EventStatus::Firing && self.last.is_some_and(is_repeated) {
            self.stop_moving();
        }
        let times = self.times(event);
        let is_firing = event.status == EventStatus::Firing;
        *self = self.with_holds(event, now);
        match &event.status {
            EventStatus::Update(_) if self.is_outdated_update(event, now) => {}
            EventStatus::Update(update) => {
                if let Some(said) = times.said {
                    self.updated.last = Some(Message { said, arrived: now });
                    self.updated.start = times.start;
                    self.updated.acknowledged = update.acknowledged;
                }
                self.updated.severity = event.severity.or(self.updated.severity);
            }
            EventStatus::Firing | EventStatus::Resolved { .. } => self.starts = self.starts_with(times.start),
        }
        if is_firing && self.fired.is_none() {
            self.opened = times.said;
        }
        if let Some(said) = times.said.filter(|_| !self.is_late(times, now)) {
            self.last = Some(Message { said, arrived: now });
            self.fired = if is_firing { Some(said) } else { self.fired };
        }
    }

    /// An update has opened the round: the start that it names is that of its problem.
    pub fn begin_with(&mut self, update: &Event) {
        self.starts = self.starts_with(self.times(update).start);
    }

    /// Adds what the same round heard meanwhile, kept apart from it.
    pub fn add(&mut self, other: &Self) {
        for start in other.starts.into_iter().flat_map(|Starts { earliest, latest }| [earliest, latest]) {
            self.starts = self.starts_with(Some(start));
        }
        self.holds = Holds::newer(self.holds, other.holds);
        self.superseded = self.superseded.min(other.superseded);
        let is_newer = |ours: Option<Message>, other: Option<Message>| {
            ours.map(|ours| ours.arrived) < other.map(|other| other.arrived)
        };
        if !is_newer(other.updated.last, self.updated.last) {
            self.updated = other.updated;
        }
        if is_newer(self.last, other.last) {
            (self.last, self.fired) = (other.last, other.fired);
        }
    }

    /// What a clock that ran ahead heard was heard by `now`.
    pub fn pull_back(&mut self, now: Timestamp) {
        for last in [&mut self.last, &mut self.updated.last].into_iter().flatten() {
            last.arrived = last.arrived.min(now);
        }
        self.holds = self.holds.map(|holds| holds.pulled_back(now));
    }

    fn starts_with(&self, start: Option<Timestamp>) -> Option<Starts> {
        let Some(start) = start else { return self.starts };
        let Starts { earliest, latest } = self.starts.unwrap_or(Starts { earliest: start, latest: start });
        Some(Starts { earliest: earliest.min(start), latest: latest.max(start) })
    }

    /// What the round after this one, which began so long ago, begins with; `event` opens it.
    #[must_use]
    pub fn next(&self, next: Next, event: &Event, ago: SignedDuration) -> Self {
        let superseded = match next {
            Next::Superseding { once: true } if ago < MOVES_WITHIN => self.superseded.saturating_add(1),
            Next::Anew | Next::Again if self.start_moves() => self.superseded,
            Next::Superseding { .. } | Next::Anew | Next::Again => 0,
        };
        let before = self.before.filter(|_| ago < SOON_AFTER).map(|before| before.earliest);
        // Starts of a clock that was ahead until it was set right tell nothing of the next ones.
        let fires = event.status == EventStatus::Firing;
        let start = self.times(event).start.filter(|_| fires);
        let was_set_back = self
            .starts
            .zip(start)
            .is_some_and(|(Starts { earliest, .. }, start)| REPLICAS_APART < earliest.duration_since(start));
        let (starts, before) = if next == Next::Again {
            (self.starts.filter(|_| !was_set_back), None)
        } else {
            (None, self.starts_with(before))
        };
        Self { starts, before, superseded, holds: self.holds, ..Self::default() }
    }

    pub fn start_moves(&self) -> bool {
        MOVES_AFTER <= self.superseded
    }

    pub fn has_starts(&self) -> bool {
        self.starts.is_some()
    }

    /// It names a start later than every one so far.
    pub fn is_later_start(&self, times: Times) -> bool {
        times.start.is_some_and(|start| self.starts.is_none_or(|starts| starts.latest < start))
    }

    /// It names a start that only those before this round had, or may have had: replicas are not that far apart.
    pub fn is_of_round_before(&self, event: &Event) -> bool {
        let was_heard = |start| {
            self.before.is_some_and(|Starts { earliest, latest }| (earliest..=latest).contains(&start))
        };
        let starts = self.starts.zip(self.times(event).start).filter(|_| !event.key_never_returns);
        starts.is_some_and(|(Starts { earliest, .. }, start)| {
            let before = earliest.duration_since(start);
            REPLICAS_APART < before || (before.is_positive() && was_heard(start))
        })
    }

    /// Without a start: it was overtaken by a newer message.
    pub fn is_late(&self, times: Times, now: Timestamp) -> bool {
        times.start.is_none() && times.said.is_some_and(|said| self.is_overtaken(said, now))
    }

    fn is_overtaken(&self, said: Timestamp, now: Timestamp) -> bool {
        self.last.is_some_and(|last| last.overtakes(said, now, LATE_WITHIN))
    }

    /// How severe the problem is after this firing event, if it was `present` before: one that a newer message overtook
    /// changes nothing; one that may be older than the last one of its time, or than an update, takes no raise back.
    pub fn severity_after(&self, event: &Event, present: Severity, now: Timestamp) -> Severity {
        let (times, severity) = (self.times(event), event.severity.unwrap_or(present));
        match times.said {
            Some(said) if self.is_overtaken(said, now) => present,
            Some(_) if self.is_copy(times) && times.said < self.fired => present,
            Some(_) if times.said == self.fired => severity.max(present),
            Some(_) => severity,
            None => severity.max(self.updated.severity.unwrap_or_default().min(present)),
        }
    }

    /// A firing event with its message time was heard.
    pub fn is_copy(&self, times: Times) -> bool {
        times.said.is_some() && (times.said == self.opened || times.said == self.fired)
    }

    /// It says no more than what was heard, or was overtaken.
    pub fn is_old(&self, times: Times, now: Timestamp) -> bool {
        let names_start = |starts: Starts, start| starts.earliest <= start && start <= starts.latest;
        let is_known = self.starts.zip(times.start).is_some_and(|(starts, start)| names_start(starts, start));
        is_known || self.is_copy(times) || self.is_late(times, now)
    }

    /// A recovery that was overtaken by the firing event that counts.
    pub fn is_late_end(&self, times: Times, now: Timestamp) -> bool {
        self.is_late(times, now) && times.said < self.fired
    }

    /// An update of the round before.
    pub fn is_late_update(&self, times: Times, now: Timestamp) -> bool {
        self.is_late(times, now) && times.said < self.opened
    }

    /// An update that a later one has overtaken, whatever the sender says of starts, or a copy of the last one. What is
    /// further off comes from a clock that was set back.
    pub fn is_outdated_update(&self, event: &Event, now: Timestamp) -> bool {
        let EventStatus::Update(update) = &event.status else { return false };
        let Some((said, last)) = self.times(event).said.zip(self.updated.last) else { return false };
        let says_the_same = update.acknowledged == self.updated.acknowledged
            && event.severity.is_none_or(|severity| Some(severity) == self.updated.severity);
        (said == last.said && says_the_same) || last.overtakes(said, now, OUTDATED_WITHIN)
    }

    /// By its message time it says no more than the last firing event.
    pub fn is_said_again(&self, times: Times) -> bool {
        times.said.is_some() && times.said <= self.fired
    }

    /// By its message time it is later than all that was said.
    pub fn is_later_message(&self, times: Times) -> bool {
        times.said.is_some_and(|said| self.last.is_none_or(|last| last.said < said))
    }

    /// The last update, with a message time of its own, is about what began then. Where neither names a start that is so
    /// only if it was said soon after, and not after the `end` that came with it: a note of what came next would speak for
    /// what fired before.
    pub fn was_updated_about(&self, times: Times, end: Option<&Event>) -> bool {
        let Some((began, last)) = times.start.or(times.said).zip(self.updated.last) else { return false };
        let is_about = match (times.start, self.updated.start) {
            (Some(start), Some(named)) => start == named,
            (Some(_), None) => true,
            (None, _) => {
                let is_over = |end: Timestamp| began <= end && end < last.said;
                let ended = end.and_then(|end| self.times(end).said);
                last.said.duration_since(began) <= OUTDATED_WITHIN && !ended.is_some_and(is_over)
            }
        };
        began <= last.said && is_about
    }
}
