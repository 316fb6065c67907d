//! One inbound statement.

use std::collections::BTreeMap;

use jiff::{SignedDuration, Timestamp};

use super::{ContactName, DedupKey, Kind, Severity, Transports};

/// What a sender said, in our words. Immutable; many events join one alert.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Event {
    /// Which alert it is about.
    pub dedup_key: DedupKey,
    /// What it claims.
    pub status: EventStatus,
    /// How grave; `None` where the sender did not say (an update without severity, a recovery).
    pub severity: Option<Severity>,
    /// How grave when it began, where the sender repeats that rather than how grave it is now (a
    /// Zabbix business service): counts only for opening.
    pub severity_at_start: Option<Severity>,
    /// The sender's word for the severity, where it says nothing to us (`severity` is then
    /// [`Severity::NotClassified`]): to be counted and shown. At most 64 characters.
    pub unknown_severity: Option<String>,
    /// One line, never empty.
    pub title: String,
    /// Details, LF line ends; may be empty.
    pub body: String,
    /// Whatever else the sender said.
    pub labels: BTreeMap<String, String>,
    /// A page of the sender about this problem; absolute http(s).
    pub source_url: Option<String>,
    /// When the condition began, where the sender told.
    pub starts_at: Option<Timestamp>,
    /// When it ended, where the sender told.
    pub ended_at: Option<Timestamp>,
    /// The sender says again and again that it holds; not heard of for so long, it is over. `None` where the
    /// integration's `close_after` holds.
    pub expires_after: Option<SignedDuration>,
    /// A test is known by the sender's Test button or by literal macros.
    pub kind: Kind,
    /// True where the sender never uses a dedup key again after its recovery (a Zabbix event id).
    pub key_never_returns: bool,
    /// How people may be notified.
    pub transports: Transports,
    /// Tell only these contacts; empty = whoever the policy names.
    pub to: Vec<ContactName>,
    /// The caller's `Idempotency-Key`, for manual alerts.
    pub idempotency_key: Option<String>,
}

impl Event {
    /// Something is wrong; whatever the sender did not say is left empty.
    pub fn firing(dedup_key: DedupKey, title: impl Into<String>) -> Self {
        Self {
            dedup_key,
            status: EventStatus::Firing,
            severity: None,
            severity_at_start: None,
            unknown_severity: None,
            title: title.into(),
            body: String::new(),
            labels: BTreeMap::new(),
            source_url: None,
            starts_at: None,
            ended_at: None,
            expires_after: None,
            kind: Kind::Problem,
            key_never_returns: false,
            transports: Transports::All,
            to: Vec::new(),
            idempotency_key: None,
        }
    }
}

/// What an event claims about the condition.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum EventStatus {
    /// It holds.
    Firing,
    /// It is over; `note` says how, where that is not plain recovery (closed by hand, cancelled).
    Resolved {
        /// Who or what ended it, in the sender's words.
        note: Option<String>,
        /// It may still hold, but the sender stopped following it: no recovery will come.
        escalation_cancelled: bool,
    },
    /// Somebody did something about it in the sender's own console.
    Update(Update),
}

/// Changes made in the sender's console.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Update {
    /// `Some(true)` acknowledged, `Some(false)` unacknowledged.
    pub acknowledged: Option<bool>,
    /// A comment, where one was made.
    pub comment: Option<String>,
    /// Who did it.
    pub by: Option<String>,
}
