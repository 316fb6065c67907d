//! What a provider says became of a text after it was handed over.

use jiff::Timestamp;
use serde::{Deserialize, Serialize};
use strum::IntoStaticStr;

/// What became of one text, by the provider's word.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, IntoStaticStr)]
#[serde(tag = "fate", rename_all = "snake_case")]
#[strum(serialize_all = "snake_case")]
pub enum Fate {
    /// The provider knows of no such text.
    NotThere,
    /// The provider has it and has heard no more of it.
    Taken,
    /// The handset has it.
    Delivered,
    /// It will not arrive, for a reason in the provider's words, without secrets.
    Failed {
        #[serde(rename = "detail", default, skip_serializing_if = "String::is_empty")]
        reason: String,
    },
    /// The provider could not be asked, or did not say: what was seen instead of an answer.
    Unclear {
        #[serde(rename = "detail", default, skip_serializing_if = "String::is_empty")]
        reason: String,
    },
}

impl Fate {
    pub fn as_str(&self) -> &'static str {
        self.into()
    }

    /// The provider said how it ended, that it has it, or neither: nothing that comes later undoes what says more.
    pub fn says(&self) -> Says {
        match self {
            Self::NotThere | Self::Unclear { .. } => Says::Neither,
            Self::Taken => Says::ItIsThere,
            Self::Delivered | Self::Failed { .. } => Says::TheEnd,
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

/// How much the provider's word says, the least first.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum Says {
    Neither,
    ItIsThere,
    TheEnd,
}

/// A provider's word about one attempt.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Report {
    /// Number of the attempt within the alert.
    pub attempt: u32,
    pub at: Timestamp,
    #[serde(flatten)]
    pub fate: Fate,
}
