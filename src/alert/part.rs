//! The parts of the program that work on their own, and so can stand still on their own.

use serde::Serialize;
use strum::{Display, IntoStaticStr};

#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Display, IntoStaticStr)]
#[serde(rename_all = "snake_case")]
#[strum(serialize_all = "snake_case")]
pub enum Part {
    Dispatch,
    /// What writes to the store.
    Store,
    Heartbeats,
    Janitor,
    Balances,
    Drift,
    /// What looks after the others.
    Watch,
}

impl Part {
    pub const ALL: [Self; 7] = [
        Self::Dispatch,
        Self::Store,
        Self::Heartbeats,
        Self::Janitor,
        Self::Balances,
        Self::Drift,
        Self::Watch,
    ];

    pub fn as_str(self) -> &'static str {
        self.into()
    }

    /// True where nobody is notified of anything while it stands still.
    pub fn carries_alerts(self) -> bool {
        matches!(self, Self::Dispatch | Self::Store)
    }

    /// What it means that it stands still, for people.
    pub fn meaning(self) -> &'static str {
        match self {
            Self::Dispatch => "alerts are not being sent",
            Self::Store => "nothing can be written: alerts are neither accepted nor sent",
            Self::Heartbeats => "a monitor that falls silent is not noticed",
            Self::Janitor => "counts are not saved and old alerts are not removed",
            Self::Balances => "the accounts of SMS companies are not looked at",
            Self::Drift => "it is not noticed when the system clock is set",
            Self::Watch => "nobody would be told if another part stood still",
        }
    }
}
