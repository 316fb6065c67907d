//! What an acknowledgement holds back, and what goes out in spite of it.

use super::present::Facts;
use crate::alert::{Hold, Notification, OpenText};

/// What a notification may begin at present.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum May {
    Everything,
    /// Somebody had the alert when it opened.
    Pushes,
    /// Somebody has the alert: only what was not tried yet, by push and, at `sms.always_at`, by text.
    FirstTries,
    /// Somebody has it, and it is not that severe: only a push that was not tried yet.
    FirstPush,
    Nothing,
}

impl May {
    pub(super) fn of(facts: Facts<'_>, notification: &Notification) -> Self {
        match notification.hold(facts.taken) {
            Hold::Nothing => Self::Everything,
            Hold::Texts => Self::Pushes,
            Hold::Retries if facts.texts_at_once() => Self::FirstTries,
            Hold::Retries => Self::FirstPush,
            Hold::Everything => Self::Nothing,
        }
    }

    pub(super) fn push(self, attempts: u16) -> bool {
        match self {
            Self::Everything | Self::Pushes => true,
            Self::FirstTries | Self::FirstPush => attempts == 0,
            Self::Nothing => false,
        }
    }

    /// A text is tried for the first time until a gateway may have it, or every one was asked.
    pub(super) fn text(self, text: &OpenText) -> bool {
        let is_first_pass = usize::from(text.attempts) <= text.tried.len();
        self == Self::Everything || (self == Self::FirstTries && is_first_pass)
    }
}
