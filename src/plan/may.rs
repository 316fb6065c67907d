//! What an acknowledgement holds back, and what goes out in spite of it.

use super::present::Facts;
use crate::alert::{OpenText, Subject};

/// What a notification may begin at present.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum May {
    Everything,
    /// Somebody has the alert: only what was not tried yet, by push and, at `sms.always_at`, by text.
    FirstTries,
    /// Somebody has it, and it is not that severe or they had it when it opened: only a push that was not tried yet.
    FirstPush,
}

impl May {
    pub(super) fn of(facts: Facts<'_>, subject: &Subject) -> Self {
        let is_held = subject.is_held(facts.alert.state);
        let was_held = facts.opened_acknowledged && *subject == Subject::Opened;
        match (is_held, facts.texts_at_once() && !was_held) {
            (false, _) => Self::Everything,
            (true, true) => Self::FirstTries,
            (true, false) => Self::FirstPush,
        }
    }

    pub(super) fn push(self, attempts: u16) -> bool {
        self == Self::Everything || attempts == 0
    }

    /// A text is tried for the first time until a gateway may have it, or every one was asked.
    pub(super) fn text(self, text: &OpenText) -> bool {
        let is_first_pass = usize::from(text.attempts) <= text.tried.len();
        self == Self::Everything || (self == Self::FirstTries && is_first_pass)
    }
}
