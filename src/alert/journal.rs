//! What happened to an alert, a row at a time.

use jiff::Timestamp;
use serde::{Deserialize, Serialize};

use super::{Address, AlertId, AttemptOutcome, ContactName, Fate, GatewayName, Severity, Topic};

/// One row of an alert's journal.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Row {
    pub at: Timestamp,
    #[serde(flatten)]
    pub entry: Entry,
}

/// What a journal row says.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(tag = "entry", rename_all = "snake_case")]
pub enum Entry {
    /// The alert was opened.
    Opened,
    /// An update was kept for a problem that has not come yet.
    Noted { text: String },
    /// The severity changed.
    Severity { from: Severity, to: Severity },
    /// Somebody wrote something.
    Comment { by: String, text: String },
    /// Somebody took it.
    Acknowledged { by: String },
    /// Nobody has it any more.
    Unacknowledged {
        /// Who gave it up.
        by: String,
    },
    /// The condition is over.
    Resolved {
        /// Who or what resolved it.
        by: String,
        /// How, where it is not plain recovery.
        note: Option<String>,
    },
    /// A step of the policy was repeated because nobody acknowledged.
    Repeated {
        /// Counted from 1.
        number: u16,
    },
    /// The other road was taken because the push failed.
    Fallback { contact: ContactName, reason: String },
    /// A budget held back what this contact would have been told; a digest counts it.
    Folded {
        contact: ContactName,
        /// The digest: an alert of its own.
        digest: AlertId,
        /// Which budget.
        reason: String,
    },
    /// This digest has counted what it tells.
    Counted {
        alerts: u32,
        /// "37 more: 35 high, 2 average".
        text: String,
    },
    /// It comes and goes again and again.
    Flapping {
        /// Openings so far.
        rounds: u32,
        /// It has been told before, so this round is told only if it turns out to be stable.
        quiet: bool,
    },
    /// One request to a provider.
    Attempt(AttemptRow),
    /// A provider told what became of a text, by itself or because it was asked.
    Reported {
        contact: ContactName,
        destination: GatewayName,
        /// What the text told.
        subject: Topic,
        /// Number of the attempt.
        attempt: u32,
        #[serde(flatten)]
        fate: Fate,
    },
    /// A notification was given up.
    DeadLetter {
        contact: ContactName,
        #[serde(flatten)]
        address: Address,
        /// What it would have told.
        subject: Topic,
        reason: String,
    },
    /// A contact's last road failed.
    Unreachable {
        contact: ContactName,
        reason: String,
        /// True where nobody else was left to be told.
        nobody_left: bool,
    },
}

/// One numbered request for a notification, with its outcome.
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
    #[serde(default, skip_serializing_if = "is_none_billed")]
    pub segments: u8,
    /// When the request began.
    pub started_at: Timestamp,
    /// How long it took, in milliseconds.
    pub took_ms: u32,
}

#[expect(clippy::trivially_copy_pass_by_ref, reason = "serde passes a reference")]
fn is_none_billed(segments: &u8) -> bool {
    *segments == 0
}
