//! Where an open destination stands: to be attempted, attempted, or waiting for its next attempt.

use jiff::Timestamp;
use serde::{Deserialize, Serialize};

use super::Severity;

/// How often the lead, which is the right to plan, had changed hands.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(transparent)]
pub struct Epoch(pub u64);

#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(tag = "state", rename_all = "snake_case")]
pub enum Pending {
    #[default]
    Ready,
    /// A request runs; without an answer by `until` its outcome is unknown.
    InFlight {
        attempt: u32,
        /// As how severe it tells the alert.
        severity: Severity,
        /// Of the lead under which it was begun: a later one hears no answer to it.
        epoch: Epoch,
        until: Timestamp,
    },
    /// The next attempt is due at `at`.
    Waiting {
        at: Timestamp,
        /// Our project, our account or the platform is at fault: waiting for it is pointless.
        fault: bool,
    },
}

impl Pending {
    /// When this state wants to be looked at; `None` = now.
    pub fn wakes_at(self) -> Option<Timestamp> {
        match self {
            Self::Ready => None,
            Self::InFlight { until, .. } => Some(until),
            Self::Waiting { at, .. } => Some(at),
        }
    }

    pub fn is_in_flight(self) -> bool {
        matches!(self, Self::InFlight { .. })
    }

    /// True while this very attempt is waited for.
    pub fn is_attempt(self, attempt: u32) -> bool {
        matches!(self, Self::InFlight { attempt: running, .. } if running == attempt)
    }

    /// The next attempt is due at this time at the latest. True if that is earlier than it was.
    pub fn hasten(&mut self, latest: Timestamp) -> bool {
        match self {
            Self::Waiting { at, .. } if latest < *at => {
                *at = latest;
                true
            }
            Self::Ready | Self::InFlight { .. } | Self::Waiting { .. } => false,
        }
    }

    /// True while it waits for an account or a platform that is at fault.
    pub fn is_at_fault(self) -> bool {
        matches!(self, Self::Waiting { fault: true, .. })
    }

    /// True if an attempt is to be made now.
    pub fn is_due(self, now: Timestamp) -> bool {
        match self {
            Self::Ready => true,
            Self::InFlight { .. } => false,
            Self::Waiting { at, .. } => at <= now,
        }
    }
}
