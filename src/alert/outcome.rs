//! The result of one attempt says what to do next.

use jiff::SignedDuration;
use serde::{Deserialize, Serialize};
use strum::IntoStaticStr;

/// Decided by the transport and acted on by `plan`. A `detail` is in the provider's words, without secrets, or says
/// what was seen instead of an answer.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Outcome {
    /// The provider took it. Whether a phone rang is another matter.
    Accepted { provider_id: Option<String> },
    /// Not now; the same request may work later. Surely not sent.
    Deferred {
        cause: DeferCause,
        /// By the provider's `Retry-After` or our breaker: at least this long from now.
        retry_after: Option<SignedDuration>,
        detail: String,
    },
    /// Never: sending this again cannot help.
    Rejected { cause: RejectCause, detail: String },
    /// Sent, but no readable answer came: it may or may not arrive.
    Unknown { detail: String },
}

#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, Serialize, Deserialize, IntoStaticStr)]
#[serde(rename_all = "snake_case")]
#[strum(serialize_all = "snake_case")]
pub enum DeferCause {
    /// The provider is down, overloaded or unreadable (5xx).
    Unavailable,
    /// No connection, so nothing was sent.
    Unreachable,
    /// A quota of the provider (429).
    Throttled,
    /// No access token for a passing reason, or a token just refused: refreshed, send again.
    Credential,
    /// Our project or account is at fault (key revoked, API disabled, no funds): the breaker of this
    /// transport or gateway is open, so the other one is used at once.
    ProjectFault,
    /// Google cannot reach this platform (APNs credential), or refuses this device where others get through: as
    /// `ProjectFault`, for this device.
    PlatformFault,
}

impl DeferCause {
    /// True where waiting is pointless: the other transport is used at once.
    pub fn is_fault(self) -> bool {
        matches!(self, Self::ProjectFault | Self::PlatformFault)
    }

    pub fn as_str(self) -> &'static str {
        self.into()
    }
}

#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, Serialize, Deserialize, IntoStaticStr)]
#[serde(rename_all = "snake_case")]
#[strum(serialize_all = "snake_case")]
pub enum RejectCause {
    /// The device's token is dead: the device is retired.
    DeviceGone,
    /// The token belongs to another project or environment: the device is quarantined, not retired.
    DeviceMismatch,
    /// Our message is at fault; the device is kept.
    Message,
    /// This phone number cannot receive texts, or refuses ours.
    Recipient,
    /// Anything else the provider will never take.
    Refused,
}

impl RejectCause {
    /// The word in the ledger and in metrics.
    pub fn as_str(self) -> &'static str {
        self.into()
    }
}

impl Outcome {
    pub fn short(&self) -> AttemptOutcome {
        match self {
            Self::Accepted { .. } => AttemptOutcome::Accepted,
            Self::Deferred { cause, .. } => AttemptOutcome::Deferred(*cause),
            Self::Rejected { cause, .. } => AttemptOutcome::Rejected(*cause),
            Self::Unknown { .. } => AttemptOutcome::Unknown,
        }
    }

    /// The word in the ledger and in metrics.
    pub fn as_str(&self) -> &'static str {
        self.short().as_str()
    }

    pub fn cause(&self) -> Option<&'static str> {
        self.short().cause()
    }

    /// The provider's words, or its message id.
    pub fn detail(&self) -> &str {
        match self {
            Self::Accepted { provider_id } => provider_id.as_deref().unwrap_or_default(),
            Self::Deferred { detail, .. } | Self::Rejected { detail, .. } | Self::Unknown { detail } => {
                detail
            }
        }
    }
}

/// An [`Outcome`] without the provider's words.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize, IntoStaticStr)]
#[serde(tag = "outcome", content = "cause", rename_all = "snake_case")]
#[strum(serialize_all = "snake_case")]
pub enum AttemptOutcome {
    Accepted,
    Deferred(DeferCause),
    Rejected(RejectCause),
    Unknown,
}

impl AttemptOutcome {
    /// The word in the ledger and in metrics.
    pub fn as_str(self) -> &'static str {
        self.into()
    }

    pub fn cause(self) -> Option<&'static str> {
        match self {
            Self::Accepted | Self::Unknown => None,
            Self::Deferred(cause) => Some(cause.as_str()),
            Self::Rejected(cause) => Some(cause.as_str()),
        }
    }

    /// True if the provider has the message, or may have it.
    pub fn may_arrive(self) -> bool {
        matches!(self, Self::Accepted | Self::Unknown)
    }
}
