//! What one event needs to be decided, and what was decided.

use jiff::{SignedDuration, Timestamp};

use crate::alert::{Admission, Alert, Event, Reason};

#[derive(Clone, Copy, Debug)]
pub struct Arrival<'a> {
    pub integration: &'a str,
    pub now: Timestamp,
    pub close_after: SignedDuration,
    /// For the id, if one is needed.
    pub entropy: [u8; 10],
    /// The number of a round of which no earlier one is known.
    pub first_round: u32,
}

impl Arrival<'_> {
    pub(super) fn after(&self, delay: SignedDuration) -> Timestamp {
        self.now.saturating_add(delay).unwrap_or(Timestamp::MAX)
    }
}

#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Decision {
    pub admission: Admission,
    pub reason: Option<Reason>,
    pub change: Change,
}

#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Change {
    Nothing,
    /// Nothing but that it was heard of again: this need not be written at once.
    Heard(Box<Alert>),
    /// Write this alert: a new document if its id is not the known one's.
    Write(Box<Alert>),
    /// Write this new round, and that the known one is over.
    Supersede {
        round: Box<Alert>,
        over: Box<Alert>,
    },
}

impl Decision {
    /// As it is afterwards, where that is not as before.
    pub(super) fn alert(&self) -> Option<&Alert> {
        match &self.change {
            Change::Nothing => None,
            Change::Heard(alert) | Change::Write(alert) | Change::Supersede { round: alert, .. } => {
                Some(alert)
            }
        }
    }

    pub(super) fn ignored(reason: Reason) -> Self {
        Self { admission: Admission::Ignored, reason: Some(reason), change: Change::Nothing }
    }

    pub(super) fn write(alert: Alert, admission: Admission) -> Self {
        Self { admission, reason: None, change: Change::Write(Box::new(alert)) }
    }

    pub(super) fn opened(alert: Alert, event: &Event) -> Self {
        Self { reason: event.kind.is_test().then_some(Reason::Test), ..Self::write(alert, Admission::Opened) }
    }

    pub(super) fn write_if(changed: bool, alert: Alert, admission: Admission) -> Self {
        let alert = Box::new(alert);
        Self {
            admission,
            reason: None,
            change: if changed { Change::Write(alert) } else { Change::Heard(alert) },
        }
    }
}
