//! What people deal with: who has the alert, and when they are reminded that nobody has.

use jiff::Timestamp;
use serde::{Deserialize, Serialize};

use super::{Severity, is_default};

#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Conversation {
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub acknowledged: Option<Acknowledgement>,
    pub repeats: u16,
    /// How many of them were before it became as severe as it is: their pace counts from there.
    #[serde(default, skip_serializing_if = "is_default")]
    pub repeats_before: u16,
    /// When the next reminder is due, unless somebody acknowledges. It stands when the round is over: the next one may go
    /// on with it.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub repeat_at: Option<Timestamp>,
}

impl Conversation {
    /// The reminders have been made, and no other follows.
    pub fn has_ended(&self) -> bool {
        self.repeats_before < self.repeats && self.repeat_at.is_none()
    }
}

#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Acknowledgement {
    /// An operator here, or a user of the sender.
    pub by: String,
    pub at: Timestamp,
    /// Since when somebody has had it as severe as that: another may have had it before, whose place this took.
    pub since: Timestamp,
    /// How severe it was, or, in a quiet round, had been as far as people had heard: what is more severe than that is
    /// news.
    #[serde(default)]
    pub severity: Severity,
    /// It was given in the sender's console, and not here.
    #[serde(default, skip_serializing_if = "is_default")]
    pub by_sender: bool,
}

/// Somebody has the alert.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Taken {
    /// Before it opened, or it was told by an earlier round of the conversation.
    BeforeItOpened,
    WhileOpen,
    /// It is more severe than when it was taken, and that is told.
    Outgrown,
}

/// What an acknowledgement holds of a notification.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Hold {
    Nothing,
    /// It opened acknowledged: it goes by push.
    Texts,
    /// All but what was not tried yet.
    Retries,
    Everything,
}
