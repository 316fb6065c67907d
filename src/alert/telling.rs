//! How far an alert has been told: the open work, kept inside the alert's document.
//!
//! A [`Cycle`] is one contact being told one thing. Only open destinations are kept; what became
//! of the closed ones is in the journal.

use std::collections::BTreeMap;

use jiff::Timestamp;
use serde::{Deserialize, Serialize};

use super::{ContactName, DeviceId};

/// A road to a person.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Transport {
    /// FCM.
    Push,
    /// A text message.
    Sms,
}

impl Transport {
    /// The word in the ledger and in metrics.
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Push => "push",
            Self::Sms => "sms",
        }
    }
}

/// The telling of one alert.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Telling {
    /// The opening has been planned.
    #[serde(default)]
    pub opened: bool,
    /// The resolution has been planned.
    #[serde(default)]
    pub resolved: bool,
    /// The alert has been at or above `sms.always_at`.
    #[serde(default)]
    pub raised: bool,
    /// How often the steps were repeated.
    #[serde(default)]
    pub repeats: u16,
    /// When they are repeated next, unless somebody acknowledges.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub repeat_at: Option<Timestamp>,
    /// Per contact.
    #[serde(default)]
    pub contacts: BTreeMap<ContactName, ContactTelling>,
}

/// The telling of one alert to one contact.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct ContactTelling {
    /// Whether this contact knows of the alert.
    #[serde(default)]
    pub told: Told,
    /// A text about it was accepted or may have been.
    #[serde(default)]
    pub texted: bool,
    /// Why the last road failed, once it has; the others are told once.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub unreachable: Option<String>,
    /// What is still being told.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub cycles: Vec<Cycle>,
}

/// Whether a contact knows.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Told {
    /// Nothing reached them yet.
    #[default]
    No,
    /// Something was sent without a readable answer.
    Maybe,
    /// A provider accepted something.
    Yes,
}

/// What a cycle tells.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(tag = "subject", rename_all = "snake_case")]
pub enum Subject {
    /// The alert was opened.
    Opened,
    /// Still nobody acknowledged.
    Repeat {
        /// Counted from 1.
        number: u16,
    },
    /// It was raised to `sms.always_at`.
    Raised,
    /// It is over; this contact was told of it.
    Resolved,
    /// It came and went before this contact was told.
    Missed,
    /// Another contact could not be reached.
    Unreachable {
        /// Who.
        contact: ContactName,
        /// Why.
        reason: String,
    },
}

impl Subject {
    /// The word in the ledger.
    pub fn as_str(&self) -> &'static str {
        match self {
            Self::Opened => "opened",
            Self::Repeat { .. } => "repeat",
            Self::Raised => "raised",
            Self::Resolved => "resolved",
            Self::Missed => "missed",
            Self::Unreachable { .. } => "unreachable",
        }
    }

    /// True for what an acknowledgement or a resolution makes pointless.
    pub fn is_about_open_alert(&self) -> bool {
        matches!(self, Self::Opened | Self::Repeat { .. } | Self::Raised)
    }
}

/// One contact being told one thing.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Cycle {
    /// What is told.
    #[serde(flatten)]
    pub subject: Subject,
    /// When the telling was planned.
    pub since: Timestamp,
    /// Devices still open.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub pushes: Vec<PushRoad>,
    /// Some device accepted it.
    #[serde(default)]
    pub push_accepted: bool,
    /// Why the last closed push failed; shown as the reason of a fallback.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub push_failed: Option<String>,
    /// The text.
    pub sms: SmsRoad,
}

/// One device that has not accepted yet. Kept small: an alert may go to hundreds of devices.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct PushRoad {
    /// Which device.
    #[serde(rename = "d")]
    pub device: DeviceId,
    /// Attempts made so far.
    #[serde(rename = "n", default)]
    pub attempts: u16,
    /// Where it stands.
    #[serde(rename = "s")]
    pub state: RoadState,
}

/// Where an open destination stands.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub enum RoadState {
    /// To be attempted now.
    #[serde(rename = "r")]
    Ready,
    /// A request runs; without an answer by `until` it is `Unknown`.
    #[serde(rename = "f")]
    InFlight {
        /// Number of the attempt within the alert.
        #[serde(rename = "a")]
        attempt: u32,
        /// When the request began.
        #[serde(rename = "b", with = "jiff::fmt::serde::timestamp::millisecond::required")]
        began: Timestamp,
        /// When we stop waiting for the answer.
        #[serde(rename = "u", with = "jiff::fmt::serde::timestamp::millisecond::required")]
        until: Timestamp,
    },
    /// The next attempt is due at `at`.
    #[serde(rename = "w")]
    Waiting {
        /// When.
        #[serde(rename = "t", with = "jiff::fmt::serde::timestamp::millisecond::required")]
        at: Timestamp,
        /// Our project or the platform is at fault: waiting for it is pointless.
        #[serde(rename = "x", default)]
        fault: bool,
    },
}

/// Where the text of a cycle stands.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(tag = "sms", rename_all = "snake_case")]
pub enum SmsRoad {
    /// No text belongs to this cycle.
    Off,
    /// Goes out if no push was accepted by `deadline`, or no push is left.
    Standby {
        /// `accept_within` after the push was planned.
        deadline: Timestamp,
    },
    /// Being sent.
    Open {
        /// Which gateway, counted in the order of the configuration.
        gateway: u8,
        /// Gateways tried in a row without a pause.
        tried: u8,
        /// Attempts made so far.
        attempts: u16,
        /// How many attempts got no readable answer.
        unknowns: u8,
        /// Where it stands.
        state: RoadState,
    },
    /// A gateway accepted it.
    Accepted,
    /// Twice no readable answer: it may have arrived.
    Unknown,
    /// Given up.
    Failed {
        /// Why.
        reason: String,
    },
}
