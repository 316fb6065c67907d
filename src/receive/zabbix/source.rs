//! What an event is about, by `event_source`.

use crate::{alert::Severity, receive::fields::Fields};

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Source {
    /// Also where a message names no source.
    Trigger,
    /// A device or service was found or lost.
    Discovery,
    /// An unknown active agent registered itself.
    Autoregistration,
    /// Zabbix itself cannot do its work: an item, a low-level discovery rule or a trigger.
    Internal,
    Service,
}

impl Source {
    pub(super) fn of(fields: &Fields<'_>) -> Self {
        match fields.word("eventsource") {
            Some("1") => Self::Discovery,
            Some("2") => Self::Autoregistration,
            Some("3") => Self::Internal,
            Some("4") => Self::Service,
            Some(_) | None => Self::Trigger,
        }
    }

    /// The word of the severity table, and the severity without it; `None` where each event has its own severity.
    pub(super) fn severity(self) -> Option<(&'static str, Severity)> {
        match self {
            Self::Trigger | Self::Service => None,
            Self::Discovery => Some(("discovery", Severity::Warning)),
            Self::Autoregistration => Some(("autoregistration", Severity::Information)),
            Self::Internal => Some(("internal", Severity::Warning)),
        }
    }
}
