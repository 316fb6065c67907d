//! What an alert is, and so how much is said about it, and how.

use serde::{Deserialize, Serialize};

#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Kind {
    /// It lasts until it is over: repeated until somebody acknowledges, and its end is notified.
    #[default]
    Problem,
    /// It happened rather than lasts (a host registered itself): notified once, ends without a word.
    Occurrence,
    /// Our own word about a sender or ourselves (an unreadable body, a digest): as an occurrence.
    Own,
    /// A Test button: push only, resolves itself.
    Test,
}

impl Kind {
    pub fn is_test(self) -> bool {
        self == Self::Test
    }

    /// True for what closes itself at a time set when it was opened, however often it is heard of.
    pub fn closes_on_time(self) -> bool {
        matches!(self, Self::Own | Self::Test)
    }
}

#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Transports {
    #[default]
    All,
    /// A text only where no push is left: it is about texts themselves.
    PushFirst,
}
