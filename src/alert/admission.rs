//! What became of an event; these words are part of the HTTP answer.

use serde::{Deserialize, Serialize};
use strum::IntoStaticStr;

#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, Serialize, Deserialize, IntoStaticStr)]
#[serde(rename_all = "snake_case")]
#[strum(serialize_all = "snake_case")]
pub enum Admission {
    /// A new alert, or a new round of an old one.
    Opened,
    Joined,
    Acknowledged,
    Resolved,
    /// Nothing to tell yet: an update that came before its problem, or a problem whose end is in doubt.
    Noted,
    /// Nothing happened; the reason says why.
    Ignored,
}

/// Why an event was ignored, or what was special about it.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Reason {
    /// It speaks of a round that is over.
    Stale,
    /// A later message of the same sender overtook it.
    Late,
    /// It fires as it did before its end: told within a minute, unless that end is said again.
    Doubtful,
    /// What its sender calls the start is another one in each message; it counts as the time of the message.
    MovingStart,
    /// A recovery of something never heard of.
    UnknownAlert,
    /// It was over before; opened so, because its end came first; open, because a twin of its sender goes on.
    AlreadyResolved,
    /// A Test button: opened, and resolves itself.
    Test,
    /// The sender stopped following the problem: no recovery will come.
    EscalationCancelled,
    /// The body could not be read; an alert tells about it.
    Unreadable,
    /// It speaks of a heartbeat: firing, it is a call.
    Heartbeat,
}

impl Admission {
    pub fn as_str(self) -> &'static str {
        self.into()
    }
}
