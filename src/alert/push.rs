//! The push of a notification: the devices that have not accepted it yet.

use jiff::Timestamp;
use serde::{Deserialize, Serialize};

use super::{DeviceId, Epoch, Pending, Severity};

#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct PushState {
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub open: Vec<DevicePush>,
    #[serde(default, skip_serializing_if = "std::ops::Not::not")]
    pub accepted: bool,
    /// A device was left out because it may have no other push for a while.
    #[serde(default, skip_serializing_if = "std::ops::Not::not")]
    pub short: bool,
    /// Why the last closed device failed; shown as the reason of a fallback.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub failed: Option<String>,
}

/// One device that has not accepted yet. Stored as a short tuple: an alert may go to hundreds of
/// devices, and its document must stay small.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(from = "StoredPush", into = "StoredPush")]
pub struct DevicePush {
    pub device: DeviceId,
    pub attempts: u16,
    pub state: Pending,
}

/// Device, attempts, state code, milliseconds since 1970, number, severity and epoch of the attempt.
#[derive(Serialize, Deserialize)]
struct StoredPush(DeviceId, u16, u8, i64, u32, u8, Epoch);

const READY: u8 = 0;
const IN_FLIGHT: u8 = 1;
const WAITING: u8 = 2;
const WAITING_FOR_FAULT: u8 = 3;

impl From<DevicePush> for StoredPush {
    fn from(push: DevicePush) -> Self {
        let none = Epoch::default();
        let (code, at, attempt, severity, epoch) = match push.state {
            Pending::Ready => (READY, 0, 0, 0, none),
            Pending::InFlight { attempt, severity, epoch, until } => {
                (IN_FLIGHT, until.as_millisecond(), attempt, severity as u8, epoch)
            }
            Pending::Waiting { at, fault: false } => (WAITING, at.as_millisecond(), 0, 0, none),
            Pending::Waiting { at, fault: true } => (WAITING_FOR_FAULT, at.as_millisecond(), 0, 0, none),
        };
        Self(push.device, push.attempts, code, at, attempt, severity, epoch)
    }
}

impl From<StoredPush> for DevicePush {
    fn from(StoredPush(device, attempts, code, at, attempt, severity, epoch): StoredPush) -> Self {
        let at = Timestamp::from_millisecond(at).unwrap_or(Timestamp::UNIX_EPOCH);
        let state = match code {
            IN_FLIGHT => {
                let severity = Severity::from_number(severity).unwrap_or_default();
                Pending::InFlight { attempt, severity, epoch, until: at }
            }
            WAITING => Pending::Waiting { at, fault: false },
            WAITING_FOR_FAULT => Pending::Waiting { at, fault: true },
            // Attempting once too often is the safe reading of an unknown code.
            _ => Pending::Ready,
        };
        Self { device, attempts, state }
    }
}
