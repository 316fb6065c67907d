//! What the events of a round have said of their times. A sender's clock is compared with itself only; of ours only
//! how long ago something arrived.

use jiff::{SignedDuration, Timestamp};
use serde::{Deserialize, Serialize};

use super::{Event, EventStatus, Severity, Update, holds::Holds, is_default};

/// How much older a late copy is at most, by the sender's clock, and how long after a newer message it comes at most,
/// by ours. What is further off comes from a clock that was set back.
pub const LATE_WITHIN: SignedDuration = SignedDuration::from_secs(60);

/// What took the place of an open round this often, without an end in between, has a start that moves.
const MOVES_AFTER: u8 = 3;

#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Heard {
    /// Of firing events and of the recovery.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    starts: Option<Starts>,
    /// Of the round before, where that was another problem.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    before: Option<Starts>,
    /// Message times: of the firing event that opened it, and of the last one.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    opened: Option<Timestamp>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    fired: Option<Timestamp>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    updated: Option<Updated>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    holds: Option<Holds>,
    /// The last message that was not late.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    last: Option<Message>,
    /// How many rounds in a row had their place taken while they were open.
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

/// The last update that was not outdated, by its message time.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
struct Updated {
    said: Timestamp,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    acknowledged: Option<bool>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    severity: Option<Severity>,
}

impl Updated {
    fn of(event: &Event, said: Option<Timestamp>) -> Option<Self> {
        let EventStatus::Update(Update { acknowledged, .. }) = &event.status else { return None };
        Some(Self { said: said?, acknowledged: *acknowledged, severity: event.severity })
    }

    /// Of one message time, `newer`.
    fn later(known: Option<Self>, newer: Option<Self>) -> Option<Self> {
        let said = |updated: Option<Self>| updated.map(|updated| updated.said);
        if said(known) <= said(newer) { newer } else { known }
    }
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
    /// It is another problem, and the end of the last one was lost.
    Superseding,
    /// The same problem goes on: its end is taken back.
    Again,
}

impl Heard {
    /// A start that moves is taken for the time of its message.
    pub fn times(&self, event: &Event) -> Times {
        let Event { starts_at, said_at, .. } = event;
        if self.start_moves() {
            Times { start: None, said: said_at.or(*starts_at) }
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

    pub fn hear(&mut self, event: &Event, now: Timestamp) {
        let times = self.times(event);
        let is_firing = event.status == EventStatus::Firing;
        *self = self.with_holds(event, now);
        match event.status {
            EventStatus::Update(_) => {
                self.updated = Updated::later(self.updated, Updated::of(event, times.said));
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

    /// Adds what the same round heard meanwhile, kept apart from it.
    pub fn add(&mut self, other: &Self) {
        for start in other.starts.into_iter().flat_map(|Starts { earliest, latest }| [earliest, latest]) {
            self.starts = self.starts_with(Some(start));
        }
        self.updated = Updated::later(self.updated, other.updated);
        self.holds = Holds::newer(self.holds, other.holds);
        let arrived = |heard: &Self| heard.last.map(|last| last.arrived);
        if arrived(self) < arrived(other) {
            (self.last, self.fired) = (other.last, other.fired);
        }
    }

    /// What a clock that ran ahead heard was heard by `now`.
    pub fn pull_back(&mut self, now: Timestamp) {
        if let Some(last) = &mut self.last {
            last.arrived = last.arrived.min(now);
        }
        self.holds = self.holds.map(|holds| holds.pulled_back(now));
    }

    fn starts_with(&self, start: Option<Timestamp>) -> Option<Starts> {
        let Some(start) = start else { return self.starts };
        let Starts { earliest, latest } = self.starts.unwrap_or(Starts { earliest: start, latest: start });
        Some(Starts { earliest: earliest.min(start), latest: latest.max(start) })
    }

    /// What the next round begins with.
    #[must_use]
    pub fn next(&self, next: Next) -> Self {
        let superseded = match next {
            Next::Superseding => self.superseded.saturating_add(1),
            Next::Anew | Next::Again if self.start_moves() => self.superseded,
            Next::Anew | Next::Again => 0,
        };
        let (starts, before) = if next == Next::Again { (self.starts, None) } else { (None, self.starts) };
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

    /// It names a start that only the round before had.
    pub fn is_start_of_round_before(&self, times: Times) -> bool {
        let is_earlier = |start| self.starts.is_some_and(|starts| start < starts.earliest);
        let was_heard = |start| {
            self.before.is_some_and(|Starts { earliest, latest }| (earliest..=latest).contains(&start))
        };
        times.start.is_some_and(|start| was_heard(start) && is_earlier(start))
    }

    /// Without a start: it was overtaken by a newer message.
    pub fn is_late(&self, times: Times, now: Timestamp) -> bool {
        let (None, Some(said), Some(last)) = (times.start, times.said, self.last) else { return false };
        said < last.said
            && last.said.duration_since(said) <= LATE_WITHIN
            && now.duration_since(last.arrived) <= LATE_WITHIN
    }

    /// A firing event with its message time was heard.
    pub fn is_copy(&self, times: Times) -> bool {
        times.said.is_some() && (times.said == self.opened || times.said == self.fired)
    }

    /// A recovery that was overtaken by the firing event that counts.
    pub fn is_late_end(&self, times: Times, now: Timestamp) -> bool {
        self.is_late(times, now) && times.said < self.fired
    }

    /// An update of the round before.
    pub fn is_late_update(&self, times: Times, now: Timestamp) -> bool {
        self.is_late(times, now) && times.said < self.opened
    }

    /// An update that a later one has overtaken, whatever the sender says of starts, or a copy of the last one.
    pub fn is_outdated_update(&self, event: &Event) -> bool {
        let update = Updated::of(event, self.times(event).said);
        self.updated.zip(update).is_some_and(|(last, update)| update == last || update.said < last.said)
    }

    /// By its message time it says no more than the last firing event.
    pub fn is_said_again(&self, times: Times) -> bool {
        times.said.is_some() && times.said <= self.fired
    }

    /// By its message time it is later than all that was said.
    pub fn is_later_message(&self, times: Times) -> bool {
        times.said.is_some_and(|said| self.last.is_none_or(|last| last.said < said))
    }

    /// A note with a message time of its own says that what began then had begun before it.
    pub fn was_updated_after(&self, times: Times) -> bool {
        times.start.or(times.said).is_some_and(|began| Some(began) <= self.updated.map(|update| update.said))
    }
}
