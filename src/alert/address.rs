//! Where one request goes: a device through a push service, or a number through an SMS gateway.

use std::fmt;

use serde::{Deserialize, Serialize};
use strum::IntoStaticStr;

use super::DeviceId;

/// A way to reach a person; the product calls it a channel.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize, IntoStaticStr)]
#[serde(rename_all = "snake_case")]
#[strum(serialize_all = "snake_case")]
pub enum Transport {
    Push,
    Sms,
}

impl Transport {
    pub fn as_str(self) -> &'static str {
        self.into()
    }
}

/// An SMS gateway by its name in the configuration. Its place there may change; what is stored of a text must not
/// depend on it.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(transparent)]
pub struct GatewayName(String);

impl GatewayName {
    pub fn as_str(&self) -> &str {
        &self.0
    }
}

impl From<&str> for GatewayName {
    fn from(name: &str) -> Self {
        Self(name.to_owned())
    }
}

impl fmt::Display for GatewayName {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}

/// Where a request goes. In the ledger: `"transport": "push", "destination": "device 00…"`.
#[derive(Clone, Debug, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(tag = "transport", content = "destination")]
pub enum Address {
    #[serde(rename = "push")]
    Device(#[serde(with = "device")] DeviceId),
    /// The contact's number, through this gateway.
    #[serde(rename = "sms")]
    Gateway(GatewayName),
}

impl Address {
    pub fn transport(&self) -> Transport {
        match self {
            Self::Device(_) => Transport::Push,
            Self::Gateway(_) => Transport::Sms,
        }
    }

    pub fn gateway(&self) -> Option<&GatewayName> {
        match self {
            Self::Device(_) => None,
            Self::Gateway(name) => Some(name),
        }
    }
}

/// As the ledger shows it: never a token or a number.
impl fmt::Display for Address {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Device(device) => write!(f, "device {device}"),
            Self::Gateway(name) => name.fmt(f),
        }
    }
}

/// A device as the ledger writes it: `device` and 16 hexadecimal digits.
mod device {
    use serde::{Deserialize as _, Deserializer, Serializer, de::Error as _};

    use super::DeviceId;

    #[expect(clippy::trivially_copy_pass_by_ref, reason = "serde passes a reference")]
    pub(super) fn serialize<S: Serializer>(device: &DeviceId, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.collect_str(&format_args!("device {device}"))
    }

    pub(super) fn deserialize<'de, D: Deserializer<'de>>(deserializer: D) -> Result<DeviceId, D::Error> {
        let text = String::deserialize(deserializer)?;
        let digits = text.strip_prefix("device ").and_then(|digits| u64::from_str_radix(digits, 16).ok());
        digits.map(DeviceId).ok_or_else(|| D::Error::custom("expected a device"))
    }
}
