//! What happened to an alert, a row at a time.

use jiff::Timestamp;
use serde::{Deserialize, Serialize};

use super::{Address, AlertId, AttemptOutcome, ContactName, Fate, GatewayName, Severity, Topic, is_default};

#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Row {
    pub at: Timestamp,
    #[serde(flatten)]
    pub entry: Entry,
}

#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(tag = "entry", rename_all = "snake_case")]
pub enum Entry {
    /// The alert was opened.
    Opened,
    /// It fires on: this end of the round before is taken back.
    FiresAgain { by: String, over_at: Timestamp },
    /// An update was kept for a problem that has not come yet.
    Noted { text: String },
    /// The severity changed.
    Severity { from: Severity, to: Severity },
    /// Somebody wrote something.
    Comment { by: String, text: String },
    /// Somebody took it.
    Acknowledged { by: String },
    /// Nobody has it any more.
    Unacknowledged { by: String },
    /// The condition is over.
    Resolved { by: String, note: Option<String> },
    /// Everyone was notified again because nobody acknowledged; counted from 1. No other follows the `last`.
    Repeated {
        number: u16,
        #[serde(default, skip_serializing_if = "is_default")]
        last: bool,
    },
    /// The push failed, so a text goes out.
    Fallback { contact: ContactName, reason: String },
    /// A budget held back what this contact would have been told; a digest counts it, unless it is the text of a reminder
    /// and none collects.
    Folded {
        contact: ContactName,
        #[serde(default, skip_serializing_if = "Option::is_none")]
        digest: Option<AlertId>,
        reason: String,
    },
    /// This digest has counted what it tells.
    Counted { alerts: u32, text: String },
    /// It comes and goes again and again; `quiet` rounds are told only if they turn out to be stable.
    Flapping { rounds: u32, quiet: bool },
    /// One request to a provider.
    Attempt(AttemptRow),
    /// A provider told what became of a text, by itself or because it was asked.
    Reported {
        contact: ContactName,
        destination: GatewayName,
        subject: Topic,
        attempt: u32,
        #[serde(flatten)]
        fate: Fate,
    },
    /// A notification was given up.
    DeadLetter {
        contact: ContactName,
        #[serde(flatten)]
        address: Address,
        subject: Topic,
        reason: String,
    },
    /// What was given up is tried once more, because somebody wanted it.
    Retried { contact: ContactName, by: String },
    /// A contact's last channel failed; `nobody_left` to tell of it.
    Unreachable { contact: ContactName, reason: String, nobody_left: bool },
}

#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct AttemptRow {
    /// Numbered from 1 within the alert.
    pub attempt: u32,
    pub contact: ContactName,
    #[serde(flatten)]
    pub address: Address,
    pub subject: Topic,
    #[serde(flatten)]
    pub outcome: AttemptOutcome,
    /// The provider's words or message id.
    #[serde(default, skip_serializing_if = "String::is_empty")]
    pub detail: String,
    /// What the text is billed as, if the gateway took it or may have; 0 for a push, and where it is
    /// not known.
    #[serde(default, skip_serializing_if = "is_default")]
    pub segments: u8,
    pub started_at: Timestamp,
    pub took_ms: u32,
}
