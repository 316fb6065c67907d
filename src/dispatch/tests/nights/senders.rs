//! Senders: how each is in the habit of saying things, and what is true of its problem meanwhile.

use std::fmt;

use super::*;
use crate::alert::{EventStatus, Update};

/// An alert that nobody speaks of for so long closes itself.
pub(super) const CLOSE_AFTER: SignedDuration = SignedDuration::from_hours(7 * 24);

/// Of a sender that insists, at first; each pause is twice as long as the one before.
const SAYS_AGAIN_AFTER: SignedDuration = SignedDuration::from_secs(60);

/// The silence of a sender that repeats itself means nothing before this.
const EXPIRES_AFTER_MIN: SignedDuration = SignedDuration::from_mins(9);

/// A sender that was superseded so often is taken to have a start that moves.
const PROBLEMS_TOLD_APART_MAX: u32 = 3;

/// How a sender dates what it says.
#[derive(Clone, Copy, Debug, PartialEq)]
pub(super) enum Dating {
    Start,
    StartAndMessage,
    Message,
    /// Every problem of it has the same start.
    SameStart,
    Nothing,
}

/// What never changes about a sender.
#[derive(Clone, Debug)]
#[expect(clippy::struct_excessive_bools, reason = "each is a habit that any sender may have")]
pub(super) struct Habits {
    pub(super) dating: Dating,
    /// It repeats itself while its problem lasts.
    pub(super) every: Option<SignedDuration>,
    /// Its silence means that it is over: only of one that repeats itself.
    pub(super) expires: bool,
    /// Each problem has a key of its own.
    pub(super) key_never_returns: bool,
    pub(super) never_says_end: bool,
    /// Every other message calls the problem less severe.
    pub(super) wavers: bool,
    /// Says again what we did not take, until we do.
    pub(super) insists: bool,
    /// A second copy of each message comes so much later.
    pub(super) twin: Option<SignedDuration>,
    /// Another one like it says the same, and has seen the start so much later.
    pub(super) replica: Option<SignedDuration>,
    /// Which of eight messages in turn are lost on the way.
    pub(super) loses: u8,
    /// How far its clock is ahead.
    pub(super) ahead: SignedDuration,
}

/// A problem, as it truly is.
#[derive(Clone, Debug)]
pub(super) struct Problem {
    pub(super) number: u32,
    /// By the clock of its sender.
    start: Timestamp,
    pub(super) severity: Severity,
    /// Somebody took it in the sender's own console.
    taken: bool,
}

#[derive(Clone, Debug)]
pub(super) struct Sender {
    pub(super) name: usize,
    pub(super) habits: Habits,
    /// What is wrong now.
    pub(super) problem: Option<Problem>,
    pub(super) problems: u32,
    /// It comes and goes by itself, this often.
    pub(super) flaps: Option<SignedDuration>,
    pub(super) severity: Severity,
    pub(super) clock_was_set: bool,
    last_start: Option<Timestamp>,
    said: u32,
}

/// What a message says.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Word {
    Fires,
    IsOver,
    IsTaken,
    IsGivenBack,
}

/// One message on its way to us.
#[derive(Clone, Debug)]
pub(super) struct Message {
    pub(super) sender: usize,
    pub(super) problem: u32,
    pub(super) word: Word,
    pub(super) event: Event,
    /// When its sender, if it insists, says it again.
    pub(super) again_after: SignedDuration,
}

impl Sender {
    pub(super) fn new(name: usize, habits: Habits) -> Self {
        Self {
            name,
            habits,
            problem: None,
            problems: 0,
            flaps: None,
            severity: Severity::High,
            clock_was_set: false,
            last_start: None,
            said: 0,
        }
    }

    pub(super) fn key(&self, problem: u32) -> DedupKey {
        if self.habits.key_never_returns {
            DedupKey::new(format!("{}#{problem}", self.name))
        } else {
            DedupKey::new(self.name.to_string())
        }
    }

    /// How long we wait for it to speak of an open alert.
    pub(super) fn patience(&self) -> SignedDuration {
        self.expires_after().unwrap_or(CLOSE_AFTER)
    }

    fn expires_after(&self) -> Option<SignedDuration> {
        let Habits { every, expires, .. } = self.habits;
        every.filter(|_| expires).map(|every| (every * 5).max(EXPIRES_AFTER_MIN))
    }

    /// By a start of its own, and not so often that it counts for one that moves.
    pub(super) fn tells_problems_apart(&self) -> bool {
        let Habits { dating, expires, replica, .. } = self.habits;
        let has_start = matches!(dating, Dating::Start | Dating::StartAndMessage);
        has_start && !expires && replica.is_none() && self.problems <= PROBLEMS_TOLD_APART_MAX
    }

    /// By its own clock, which shows whole seconds.
    fn now(&self, night: SignedDuration) -> Timestamp {
        let now = T0 + night + self.habits.ahead;
        Timestamp::from_second(now.as_second()).expect("in range")
    }

    pub(super) fn begin(&mut self, severity: Severity, night: SignedDuration) {
        self.problems += 1;
        self.severity = severity;
        let (number, now) = (self.problems, self.now(night));
        // What begins in the same second could not be told apart.
        let is_taken = self.last_start == Some(now);
        let start = if is_taken { now + SignedDuration::from_secs(1) } else { now };
        self.last_start = Some(start);
        self.problem = Some(Problem { number, start, severity, taken: false });
    }

    /// Nothing comes and goes under a key that never returns.
    pub(super) fn may_flap(&self) -> bool {
        self.flaps.is_none() && !self.habits.key_never_returns
    }

    pub(super) fn set_clock(&mut self, by: SignedDuration) {
        self.habits.ahead += by;
        self.clock_was_set = true;
    }

    /// The message that its problem, or this one that is over, is worth now; `None` where it does not say such a thing.
    pub(super) fn say(&mut self, word: Word, problem: &Problem, night: SignedDuration) -> Option<Message> {
        if word == Word::IsOver && self.habits.never_says_end {
            return None;
        }
        if let Some(problem) = &mut self.problem
            && matches!(word, Word::IsTaken | Word::IsGivenBack)
        {
            problem.taken = word == Word::IsTaken;
        }
        let taken = |taken| EventStatus::Update(Update { acknowledged: Some(taken), ..Update::default() });
        let status = match word {
            Word::Fires => EventStatus::Firing,
            Word::IsOver => EventStatus::Resolved { note: None, escalation_cancelled: false },
            Word::IsTaken => taken(true),
            Word::IsGivenBack => taken(false),
        };
        let Habits { dating, key_never_returns, .. } = self.habits;
        let start = match dating {
            Dating::Start | Dating::StartAndMessage => Some(problem.start),
            Dating::SameStart => Some(T0 - SignedDuration::from_hours(2)),
            Dating::Message | Dating::Nothing => None,
        };
        let tells_time = matches!(dating, Dating::Message | Dating::StartAndMessage);
        let wavers = self.habits.wavers && self.said % 2 == 1;
        let severity = if wavers { Severity::Warning } else { problem.severity };
        let event = Event {
            status,
            severity: (word == Word::Fires).then_some(severity),
            starts_at: start,
            said_at: tells_time.then(|| self.now(night)),
            expires_after: self.expires_after(),
            key_never_returns,
            ..Event::firing(self.key(problem.number), format!("problem {} of {}", problem.number, self.name))
        };
        Some(Message {
            sender: self.name,
            problem: problem.number,
            word,
            event,
            again_after: SAYS_AGAIN_AFTER,
        })
    }

    /// The next message is lost on the way.
    pub(super) fn loses_next(&mut self) -> bool {
        self.said += 1;
        self.habits.loses >> (self.said % 8) & 1 == 1
    }

    /// What its replica says instead.
    pub(super) fn of_replica(&self, message: &Message) -> Option<Message> {
        let later = self.habits.replica?;
        let starts_at = message.event.starts_at.map(|start| start + later);
        Some(Message { event: Event { starts_at, ..message.event.clone() }, ..message.clone() })
    }
}

impl fmt::Display for Message {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Self { sender, problem, word, event, .. } = self;
        write!(f, "sender {sender}, problem {problem}: {word:?}")?;
        let times = [("start", event.starts_at), ("said", event.said_at)];
        for (name, at) in times.into_iter().filter_map(|(name, at)| Some((name, at?))) {
            write!(f, ", {name} {}", at.duration_since(T0).as_secs())?;
        }
        event.severity.map_or(Ok(()), |severity| write!(f, ", {severity}"))
    }
}
