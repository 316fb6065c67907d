//! What a provider says became of a text after it was handed over, and the texts of which it may still say it.

use jiff::Timestamp;
use serde::{Deserialize, Serialize};

use super::Subject;

/// What became of one text, by the provider's word.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(tag = "fate", rename_all = "snake_case")]
pub enum Fate {
    /// The provider knows of no such text.
    NotThere,
    /// The provider has it and has heard no more of it.
    Taken,
    /// The handset has it.
    Delivered,
    /// It will not arrive.
    Failed {
        /// The provider's words, without secrets, for people.
        reason: String,
    },
    /// The provider could not be asked, or did not say.
    Unclear {
        /// What was seen instead of an answer.
        reason: String,
    },
}

impl Fate {
    /// The word in the journal and in metrics.
    pub fn as_str(&self) -> &'static str {
        match self {
            Self::NotThere => "not_there",
            Self::Taken => "taken",
            Self::Delivered => "delivered",
            Self::Failed { .. } => "failed",
            Self::Unclear { .. } => "unclear",
        }
    }

    /// The provider's words, where it gave any.
    pub fn reason(&self) -> &str {
        match self {
            Self::NotThere | Self::Taken | Self::Delivered => "",
            Self::Failed { reason } | Self::Unclear { reason } => reason,
        }
    }
}

/// A provider's word about one attempt.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Report {
    /// Number of the attempt within the alert.
    pub attempt: u32,
    /// When we heard it.
    pub at: Timestamp,
    /// What it says.
    #[serde(flatten)]
    pub fate: Fate,
}

/// A text that a gateway accepted.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct SentText {
    /// Number of the attempt within the alert.
    pub attempt: u32,
    /// By which gateway, counted in the order of the configuration.
    pub gateway: u8,
    /// What it told.
    #[serde(flatten)]
    pub subject: Subject,
    /// When that telling was planned.
    pub since: Timestamp,
    /// When the request began.
    pub sent_at: Timestamp,
    /// Gateways that had taken it before and reported that it will not arrive.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub undelivered: Vec<u8>,
    /// Earlier attempts without a readable answer: they may have arrived.
    #[serde(default)]
    pub unknowns: u8,
    /// How often the gateway was asked what became of it.
    #[serde(default)]
    pub asks: u8,
    /// When it is asked next.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub ask_at: Option<Timestamp>,
}

/// A text without a readable answer.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Unanswered {
    /// Number of the attempt within the alert.
    pub attempt: u32,
    /// By which gateway, counted in the order of the configuration.
    pub gateway: u8,
    /// When the request began.
    pub sent_at: Timestamp,
    /// When it is sent once more, unless somebody tells that it is there.
    pub resend_at: Timestamp,
    /// The gateway is still to be asked.
    pub to_ask: bool,
}
