//! What happened to an alert, a row at a time.

use jiff::Timestamp;
use serde::{Deserialize, Serialize};

use super::{AlertId, ContactName, Severity, Transport};

/// One row of an alert's journal.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Row {
    /// When.
    pub at: Timestamp,
    /// What.
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
    Noted {
        /// What it said.
        text: String,
    },
    /// The severity changed.
    Severity {
        /// Before.
        from: Severity,
        /// After.
        to: Severity,
    },
    /// Somebody wrote something.
    Comment {
        /// Who.
        by: String,
        /// What.
        text: String,
    },
    /// Somebody took it.
    Acknowledged {
        /// Who.
        by: String,
    },
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
    Fallback {
        /// Whose.
        contact: ContactName,
        /// Why.
        reason: String,
    },
    /// A budget held back what this contact would have been told; a digest counts it.
    Folded {
        /// From whom.
        contact: ContactName,
        /// The digest: an alert of its own.
        digest: AlertId,
        /// Which budget.
        reason: String,
    },
    /// This digest has counted what it tells.
    Counted {
        /// How many alerts.
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
        /// Whose text.
        contact: ContactName,
        /// Which gateway.
        destination: String,
        /// What the text told.
        subject: String,
        /// Number of the attempt.
        attempt: u32,
        /// `delivered`, `failed`, `taken`, `not_there` or `unclear`.
        fate: String,
        /// The provider's words.
        #[serde(default, skip_serializing_if = "String::is_empty")]
        detail: String,
    },
    /// A notification was given up.
    DeadLetter {
        /// Whose.
        contact: ContactName,
        /// By which road.
        transport: Transport,
        /// To which address (masked).
        destination: String,
        /// What it would have told.
        subject: String,
        /// Why it was given up.
        reason: String,
    },
    /// A contact's last road failed.
    Unreachable {
        /// Whose.
        contact: ContactName,
        /// Why.
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
    /// For whom.
    pub contact: ContactName,
    /// By which road.
    pub transport: Transport,
    /// The address, masked: a device id, or the gateway and the last digits of a number.
    pub destination: String,
    /// What it told.
    pub subject: String,
    /// `accepted`, `deferred`, `rejected` or `unknown`.
    pub outcome: String,
    /// The cause within the outcome.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub cause: Option<String>,
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
