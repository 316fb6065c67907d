//! What notifications cost, and who pays: budgets of contacts, days of gateways, rates of devices.

use jiff::Timestamp;
use serde::{Deserialize, Serialize};

use super::{ContactName, DeviceId, GatewayName, is_default};

/// New disasters have a budget and digests of their own, so that nothing less severe uses them up.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Tier {
    Disaster,
    Ordinary,
}

impl Tier {
    /// The key of its budget in the configuration.
    pub fn key(self) -> &'static str {
        match self {
            Self::Disaster => "sms.disaster_budget",
            Self::Ordinary => "sms.budget",
        }
    }
}

#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Payer {
    /// In segments of texts.
    Contact(ContactName, Tier),
    /// In segments of texts.
    Gateway(GatewayName),
    /// In pushes. Not stored.
    Device(DeviceId),
}

/// An entry in an account. What a text costs is known only when its gateway has answered: until then the most that
/// it can cost is reserved, and a second entry of the same time corrects that.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Charge {
    pub payer: Payer,
    pub at: Timestamp,
    /// Less than zero where more was reserved than spent.
    pub units: i32,
    /// How much more (or less) of the account is reserved and not spent yet.
    #[serde(default, skip_serializing_if = "is_default")]
    pub reserved: i32,
}
