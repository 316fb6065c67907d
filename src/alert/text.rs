//! The text of a notification, as it is stored. How it gets from one state to the next is decided in `plan`.

use jiff::Timestamp;
use serde::{Deserialize, Serialize};

use super::{Fate, GatewayName, Pending, Report, Severity, Subject, Tier, is_default};

/// Where the text of a notification stands.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(tag = "is", rename_all = "snake_case")]
pub enum TextState {
    /// No text belongs to this notification, or none is needed any more.
    Off,
    /// Goes out if no push was accepted by `deadline` (`accept_within` after the push was planned; none = however
    /// long that takes), or if no push is left.
    Standby {
        deadline: Option<Timestamp>,
    },
    Open(Box<OpenText>),
    /// A gateway accepted it.
    Accepted,
    /// It may have arrived, and is not sent again.
    Unknown,
    /// Given up.
    Failed {
        reason: String,
    },
}

#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct OpenText {
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub gateway: Option<GatewayName>,
    /// Gateways tried or passed over in a row without a pause.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub tried: Vec<GatewayName>,
    /// How many of those refused for good.
    pub refused: usize,
    /// Our account with one of those was at fault.
    #[serde(default, skip_serializing_if = "std::ops::Not::not")]
    pub fault: bool,
    pub attempts: u16,
    /// Attempts without a readable answer.
    pub unknowns: u8,
    /// What its contact is charged for it until a gateway has it.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub reserved: Option<Reserved>,
    /// Segments that the gateway of the attempt under way is charged until it answers.
    #[serde(default, skip_serializing_if = "is_default")]
    pub at_gateway: u16,
    pub state: Pending,
    /// The last attempt without a readable answer, while somebody may still tell what became of it.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub lost: Option<LostText>,
    /// Gateways that took it and reported that it will not arrive.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub undelivered: Vec<GatewayName>,
}

/// Segments that count as spent until it is known what a text has cost.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Reserved {
    pub tier: Tier,
    pub at: Timestamp,
    pub segments: u16,
}

/// The attempt of an open text that is sent once more; what it told stands in its contact's list.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct LostText {
    /// Number of the attempt within the alert.
    pub attempt: u32,
    /// When it is sent once more, unless somebody tells that it is there.
    pub resend_at: Timestamp,
    /// The gateway is still to be asked.
    pub to_ask: bool,
}

/// A text without a readable answer: it may be there, which its gateway may still say.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Unanswered {
    /// Number of the attempt within the alert.
    pub attempt: u32,
    pub gateway: GatewayName,
    /// What it told, which another notification may have taken over since.
    #[serde(flatten)]
    pub subject: Subject,
    /// As how severe it told the alert.
    pub severity: Severity,
    pub sent_at: Timestamp,
}

/// A text that a gateway accepted, while its delivery may still be reported.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct SentText {
    /// Number of the attempt within the alert.
    pub attempt: u32,
    pub gateway: GatewayName,
    #[serde(flatten)]
    pub subject: Subject,
    /// As how severe it told the alert.
    pub severity: Severity,
    /// When the notification was planned: `fcm.ttl` and `GIVE_UP_AFTER` count from here.
    pub since: Timestamp,
    pub sent_at: Timestamp,
    /// Gateways that had taken it before and reported that it will not arrive.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub undelivered: Vec<GatewayName>,
    /// Earlier attempts without a readable answer: they may have arrived.
    pub unknowns: u8,
    /// A push of the same notification was accepted.
    #[serde(default, skip_serializing_if = "std::ops::Not::not")]
    pub pushed: bool,
    pub asks: u8,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub ask_at: Option<Timestamp>,
}

impl TextState {
    pub fn open(&self) -> Option<&OpenText> {
        let Self::Open(open) = self else { return None };
        Some(open)
    }

    pub fn open_mut(&mut self) -> Option<&mut OpenText> {
        let Self::Open(open) = self else { return None };
        Some(open)
    }

    /// What it waits for, if it may still go out.
    pub fn pending(&self) -> Option<Pending> {
        match self {
            Self::Standby { deadline } => {
                Some(Pending::Waiting { at: deadline.unwrap_or(Timestamp::MAX), fault: false })
            }
            Self::Open(open) => Some(open.state),
            Self::Off | Self::Accepted | Self::Unknown | Self::Failed { .. } => None,
        }
    }

    pub fn is_in_flight(&self) -> bool {
        self.open().is_some_and(|open| open.state.is_in_flight())
    }

    /// True while this report would tell something new.
    pub fn awaits(&self, report: &Report) -> bool {
        self.open().is_some_and(|open| open.state.is_attempt(report.attempt) || open.has_lost(report.attempt))
    }
}

impl OpenText {
    /// True while somebody may still tell what became of this attempt, which got no readable answer.
    pub fn has_lost(&self, attempt: u32) -> bool {
        self.lost.is_some_and(|lost| lost.attempt == attempt)
    }
}

impl Unanswered {
    /// True if this report says whether the text is there.
    pub fn awaits(&self, report: &Report) -> bool {
        let says_so = matches!(report.fate, Fate::Taken | Fate::Delivered | Fate::Failed { .. });
        self.attempt == report.attempt && says_so
    }
}

impl SentText {
    /// True while this report would tell something new.
    pub fn awaits(&self, report: &Report) -> bool {
        self.attempt == report.attempt && matches!(report.fate, Fate::Delivered | Fate::Failed { .. })
    }
}
