//! One inbound statement.

use std::collections::BTreeMap;

use jiff::{SignedDuration, Timestamp};
use serde::{Deserialize, Serialize};

use super::{ContactName, DedupKey, Kind, Severity, Transports};

/// What a sender said, in our words. Immutable; many events join one alert.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Event {
    pub dedup_key: DedupKey,
    pub status: EventStatus,
    /// `None` where the sender did not say (an update without severity, a recovery).
    pub severity: Option<Severity>,
    /// Where the sender repeats the first severity rather than the present one (a Zabbix business service):
    /// counts only for opening.
    pub severity_at_start: Option<Severity>,
    /// The sender's word for the severity, where it says nothing to us (`severity` is then
    /// [`Severity::NotClassified`]): to be counted and shown. At most 64 characters.
    pub unknown_severity: Option<String>,
    /// One line, never empty.
    pub title: String,
    /// Details, LF line ends; may be empty.
    pub body: String,
    pub labels: BTreeMap<String, String>,
    /// A page of the sender about this problem; absolute http(s).
    pub source_url: Option<String>,
    /// When the condition began, where the sender told: the same in every message about it. By the sender's clock,
    /// as is every time here, which may be hours off.
    pub starts_at: Option<Timestamp>,
    /// The time of this message: another in the next.
    pub said_at: Option<Timestamp>,
    pub ended_at: Option<Timestamp>,
    /// Where that is all its sender says of its state: it holds until then, and moves this on with every repetition.
    /// `status` is then a guess by our clock, see [`Heard::restated`](super::Heard::restated).
    pub holds_until: Option<Timestamp>,
    /// Without another event for this long it is over; `None` = the integration's `close_after`.
    pub expires_after: Option<SignedDuration>,
    pub kind: Kind,
    /// True where the sender never uses a dedup key again after its recovery (a Zabbix event id).
    pub key_never_returns: bool,
    /// True where the sender says nothing of a problem while it is acknowledged there (Nagios).
    pub quiet_while_acknowledged: bool,
    pub transports: Transports,
    /// Tell only these contacts; empty = whoever the policy names.
    pub to: Vec<ContactName>,
    /// The caller's `Idempotency-Key`, for manual alerts.
    pub idempotency_key: Option<String>,
}

impl Event {
    /// Whatever the sender did not say is left empty.
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
            said_at: None,
            ended_at: None,
            holds_until: None,
            expires_after: None,
            kind: Kind::Problem,
            key_never_returns: false,
            quiet_while_acknowledged: false,
            transports: Transports::All,
            to: Vec::new(),
            idempotency_key: None,
        }
    }
}

#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum EventStatus {
    Firing,
    /// `note` says how it ended, where that is not plain recovery (closed by hand, cancelled).
    Resolved {
        note: Option<String>,
        /// It may still hold, but the sender stopped following it: no recovery will come.
        escalation_cancelled: bool,
    },
    Update(Update),
}

/// What somebody did in the sender's own console.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Update {
    /// `Some(true)` acknowledged, `Some(false)` unacknowledged.
    pub acknowledged: Option<bool>,
    pub comment: Option<String>,
    pub by: Option<String>,
}
