//! What a notification says, before it is put into words.

use std::collections::BTreeMap;

use jiff::{Timestamp, tz::TimeZone};
use serde::Serialize;

use super::{PUSH_BODY_CHARS_MAX, Templated};
use crate::{
    alert::{Alert, ContactName, ResolvedBy, Severity, Subject},
    deliver::text::{one_line, shorten},
};

#[derive(Clone, Copy, Debug)]
pub(crate) struct Notice<'a> {
    pub(crate) alert: &'a Alert,
    pub(crate) subject: &'a Subject,
    /// As how severe it tells the alert.
    pub(crate) severity: Severity,
    /// The alert's page here; empty = no link.
    pub(crate) url: &'a str,
    pub(crate) time_zone: &'a TimeZone,
    /// The present: times of today are told without their date.
    pub(crate) now: Timestamp,
}

impl Templated for Notice<'_> {
    const PREFIX: &'static str = "";

    fn state(&self) -> &'static str {
        match self.subject {
            Subject::Opened if self.alert.kind.is_test() => "test",
            // A digest has texts of its own.
            Subject::Opened | Subject::Digest => "triggered",
            // It has fallen again since.
            Subject::Raised { to } if self.severity < *to => "triggered",
            Subject::Repeat { .. }
            | Subject::Raised { .. }
            | Subject::Resolved
            | Subject::Missed
            | Subject::Unreachable { .. } => self.subject.topic().as_str(),
        }
    }

    fn url(&self) -> &str {
        self.url
    }

    fn plain(&self) -> String {
        format!("[{}] {}", self.severity, self.alert.title)
    }

    fn context(&self) -> impl Serialize {
        let alert = self.alert;
        let (number, contact, reason) = match self.subject {
            Subject::Repeat { number, .. } => (Some(*number), None, None),
            Subject::Unreachable { contact, reason, also, more } => {
                (None, Some(names(contact, also, *more)), Some(one_line(reason)))
            }
            Subject::Opened
            | Subject::Raised { .. }
            | Subject::Resolved
            | Subject::Missed
            | Subject::Digest => (None, None, None),
        };
        let local = |at| local(at, self.now, self.time_zone);
        Context {
            alert_id: alert.id.to_string(),
            state: self.state(),
            number,
            last: matches!(self.subject, Subject::Repeat { last: true, .. }),
            contact,
            reason,
            flapping: alert.openings.flapping(),
            fired_again: alert.openings.superseded.is_some(),
            taken_back: alert.taken_back.as_ref().map(|end| TakenBack {
                by: match &end.by {
                    ResolvedBy::Operator(name) => Some(name),
                    ResolvedBy::Sender
                    | ResolvedBy::Cancelled
                    | ResolvedBy::Silence
                    | ResolvedBy::Test
                    | ResolvedBy::Told
                    | ResolvedBy::Superseded => None,
                },
                at: local(end.at),
            }),
            severity: self.severity.as_str(),
            title: one_line(&alert.title),
            // A long body costs nothing that would be cut off anyway.
            body: shorten(&alert.body, PUSH_BODY_CHARS_MAX),
            integration: &alert.integration,
            labels: &alert.labels,
            source_url: alert.source_url.as_deref(),
            starts_at: local(alert.starts_at),
            resolved_at: alert.resolved.as_ref().map(|resolution| local(resolution.at)),
            acknowledged_by: alert.conversation.acknowledged.as_ref().map(|by_whom| by_whom.by.as_str()),
            url: self.url,
        }
    }
}

/// "jin, min +3".
fn names(first: &ContactName, also: &[ContactName], more: u32) -> String {
    let mut names = first.to_string();
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

/// The end of the same problem that turned out to be none.
#[derive(Serialize)]
struct TakenBack<'a> {
    /// Who had resolved it; `None` if its sender had.
    by: Option<&'a str>,
    at: String,
}

/// What a template can name; a name that is not here is an error, not an empty text.
#[derive(Serialize)]
struct Context<'a> {
    alert_id: String,
    state: &'static str,
    /// Of a repeat.
    number: Option<u16>,
    /// No other repeat follows.
    last: bool,
    /// Who could not be reached.
    contact: Option<String>,
    reason: Option<String>,
    flapping: Option<u32>,
    /// A later round has fired since.
    fired_again: bool,
    taken_back: Option<TakenBack<'a>>,
    severity: &'static str,
    title: String,
    body: String,
    integration: &'a str,
    labels: &'a BTreeMap<String, String>,
    source_url: Option<&'a str>,
    starts_at: String,
    resolved_at: Option<String>,
    acknowledged_by: Option<&'a str>,
    url: &'a str,
}
