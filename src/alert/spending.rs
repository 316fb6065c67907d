//! What a notification costs, and whom.

use jiff::Timestamp;
use serde::{Deserialize, Serialize};

use super::{ContactName, DeviceId};

/// Which budget of a contact a text draws on.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Purse {
    /// `sms.budget`
    Texts,
    /// `sms.disaster_budget`
    Disasters,
}

impl Purse {
    /// The key of the configuration.
    pub fn key(self) -> &'static str {
        match self {
            Self::Texts => "sms.budget",
            Self::Disasters => "sms.disaster_budget",
        }
    }
}

/// Who has spent.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Payer {
    /// A contact, by a text: in segments.
    Contact(ContactName, Purse),
    /// A gateway of this name, by a text that it took or may have taken: in segments.
    Gateway(String),
    /// A device, by a push. Not written down.
    Device(DeviceId),
}

/// So much, then.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Charge {
    /// Who.
    pub payer: Payer,
    /// When.
    pub at: Timestamp,
    /// How much.
    pub units: u16,
}
