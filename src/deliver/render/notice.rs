//! What a notification says, before it is put into words.

use std::collections::BTreeMap;

use jiff::{Timestamp, tz::TimeZone};
use serde::Serialize;

use crate::{
    alert::{Alert, AlertId, ContactName, Severity, Subject},
    deliver::text::fold,
};

/// Everything that a text may speak of.
#[derive(Clone, Debug)]
pub struct Notice<'a> {
    /// Which alert.
    pub alert_id: AlertId,
    /// What happened.
    pub state: NoticeState<'a>,
    /// How grave.
    pub severity: Severity,
    /// One line.
    pub title: &'a str,
    /// Details; may be empty.
    pub body: &'a str,
    /// Who said it.
    pub integration: &'a str,
    /// Whatever else the sender said.
    pub labels: &'a BTreeMap<String, String>,
    /// The sender's own page about it.
    pub source_url: Option<&'a str>,
    /// When the condition began.
    pub starts_at: Timestamp,
    /// When it ended.
    pub resolved_at: Option<Timestamp>,
    /// Who took it.
    pub acknowledged_by: Option<&'a str>,
    /// The alert's page here; empty = no link.
    pub url: &'a str,
    /// Zone of the times in the texts.
    pub time_zone: &'a TimeZone,
    /// Openings so far, if it comes and goes again and again.
    pub flapping: Option<u32>,
    /// The present: times of today are told without their date.
    pub now: Timestamp,
}

/// What is told about the alert.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum NoticeState<'a> {
    /// It was opened.
    Triggered,
    /// Still nobody acknowledged.
    Repeat {
        /// Counted from 1.
        number: u16,
    },
    /// It became graver.
    Raised,
    /// It is over.
    Resolved,
    /// It came and went before this contact was told.
    Missed,
    /// Other contacts could not be reached.
    Unreachable {
        /// Who; the first of them.
        contact: &'a str,
        /// Why.
        reason: &'a str,
        /// Who else.
        also: &'a [ContactName],
        /// How many more.
        more: u32,
    },
    /// A Test button.
    Test,
}

impl NoticeState<'_> {
    /// The word that templates compare with.
    pub fn as_str(&self) -> &'static str {
        match self {
            Self::Triggered => "triggered",
            Self::Repeat { .. } => "repeat",
            Self::Raised => "raised",
            Self::Resolved => "resolved",
            Self::Missed => "missed",
            Self::Unreachable { .. } => "unreachable",
            Self::Test => "test",
        }
    }
}

impl<'a> Notice<'a> {
    /// What `subject` says about `alert`; `url` is the alert's page here.
    pub fn new(
        alert: &'a Alert,
        subject: &'a Subject,
        url: &'a str,
        time_zone: &'a TimeZone,
        now: Timestamp,
    ) -> Self {
        Self {
            alert_id: alert.id,
            state: match subject {
                Subject::Opened if alert.kind.is_test() => NoticeState::Test,
                // A digest has texts of its own.
                Subject::Opened | Subject::Digest => NoticeState::Triggered,
                Subject::Repeat { number } => NoticeState::Repeat { number: *number },
                Subject::Raised => NoticeState::Raised,
                Subject::Resolved => NoticeState::Resolved,
                Subject::Missed => NoticeState::Missed,
                Subject::Unreachable { contact, reason, also, more } => {
                    NoticeState::Unreachable { contact: contact.as_str(), reason, also, more: *more }
                }
            },
            severity: alert.severity,
            title: &alert.title,
            body: &alert.body,
            integration: &alert.integration,
            labels: &alert.labels,
            source_url: alert.source_url.as_deref(),
            starts_at: alert.starts_at,
            resolved_at: alert.resolved.as_ref().map(|resolution| resolution.at),
            acknowledged_by: alert
                .conversation
                .acknowledged
                .as_ref()
                .map(|acknowledgement| acknowledgement.by.as_str()),
            url,
            time_zone,
            flapping: alert.openings.flapping(),
            now,
        }
    }

    /// The names that templates use.
    pub(super) fn context(&self) -> Context<'_> {
        let (number, contact, reason) = match self.state {
            NoticeState::Repeat { number } => (Some(number), None, None),
            NoticeState::Unreachable { contact, reason, also, more } => {
                (None, Some(names(contact, also, more)), Some(fold(reason)))
            }
            NoticeState::Triggered
            | NoticeState::Raised
            | NoticeState::Resolved
            | NoticeState::Missed
            | NoticeState::Test => (None, None, None),
        };
        Context {
            alert_id: self.alert_id.to_string(),
            state: self.state.as_str(),
            number,
            contact,
            reason,
            flapping: self.flapping,
            severity: self.severity.as_str(),
            title: fold(self.title),
            body: self.body,
            integration: self.integration,
            labels: self.labels,
            source_url: self.source_url,
            starts_at: self.local(self.starts_at),
            resolved_at: self.resolved_at.map(|at| self.local(at)),
            acknowledged_by: self.acknowledged_by,
            url: self.url,
        }
    }

    fn local(&self, at: Timestamp) -> String {
        local(at, self.now, self.time_zone)
    }
}

/// "jin, min +3".
fn names(first: &str, also: &[ContactName], more: u32) -> String {
    let mut names = first.to_owned();
    for other in also {
        names = format!("{names}, {other}");
    }
    if 0 < more { format!("{names} +{more}") } else { names }
}

/// As a clock on the wall shows it, with the date where it is not today's.
pub(super) fn local(at: Timestamp, now: Timestamp, time_zone: &TimeZone) -> String {
    let zoned = |at: Timestamp| at.to_zoned(time_zone.clone());
    let (at, now) = (zoned(at), zoned(now));
    let format = if at.date() == now.date() {
        "%H:%M"
    } else if at.year() == now.year() {
        "%m-%d %H:%M"
    } else {
        "%Y-%m-%d %H:%M"
    };
    at.strftime(format).to_string()
}

/// What a template can name; a name that is not here is an error, not an empty text.
#[derive(Serialize)]
pub(super) struct Context<'a> {
    alert_id: String,
    state: &'static str,
    /// Of a repeat.
    number: Option<u16>,
    /// Who could not be reached.
    contact: Option<String>,
    /// Why not.
    reason: Option<String>,
    /// Openings so far of what comes and goes.
    flapping: Option<u32>,
    severity: &'static str,
    title: String,
    body: &'a str,
    integration: &'a str,
    labels: &'a BTreeMap<String, String>,
    source_url: Option<&'a str>,
    starts_at: String,
    resolved_at: Option<String>,
    acknowledged_by: Option<&'a str>,
    url: &'a str,
}
