//! What a digest says, before it is put into words.

use jiff::{Timestamp, tz::TimeZone};
use serde::Serialize;

use super::notice::local;
use crate::{alert::Severity, deliver::text::fold};

/// Everything that a text about many alerts may speak of. Each alert is counted once: as one that
/// fires, as resolved, or as one that somebody else could not be reached about.
#[derive(Clone, Debug)]
pub struct DigestContext<'a> {
    /// How many alerts.
    pub count: u32,
    /// How many fire, by severity; in any order, zeros are left out.
    pub by_severity: Vec<(Severity, u32)>,
    /// How many are over.
    pub resolved: u32,
    /// How many somebody else could not be reached about.
    pub unreachable: u32,
    /// Who that was.
    pub unreached: Vec<String>,
    /// Titles of the gravest, the gravest first.
    pub worst: Vec<String>,
    /// When the first was held back.
    pub since: Timestamp,
    /// When the last was.
    pub until: Timestamp,
    /// Where all of them are; empty = no link.
    pub url: &'a str,
    /// Zone of the times in the texts.
    pub time_zone: &'a TimeZone,
    /// The present: times of today are told without their date.
    pub now: Timestamp,
}

impl DigestContext<'_> {
    /// The gravest first.
    fn firing(&self) -> Vec<(Severity, u32)> {
        let mut firing: Vec<_> = self.by_severity.iter().copied().filter(|(_, count)| 0 < *count).collect();
        firing.sort_by_key(|(severity, _)| std::cmp::Reverse(*severity));
        firing
    }

    /// Without a template.
    pub(super) fn plain(&self) -> String {
        let each = |(severity, count): (Severity, u32)| format!("{count} {severity}");
        let firing: Vec<String> = self.firing().into_iter().map(each).collect();
        let worst: Vec<String> = self.worst.iter().map(|title| fold(title)).collect();
        format!("{} more ({}): {}", self.count, firing.join(", "), worst.join("; "))
    }

    /// The names that templates use.
    pub(super) fn context(&self) -> Context<'_> {
        let firing = self.firing();
        Context {
            state: "digest",
            count: self.count,
            severity: firing.first().map(|(severity, _)| severity.as_str()),
            by_severity: firing
                .into_iter()
                .map(|(severity, count)| Counted { severity: severity.as_str(), count })
                .collect(),
            resolved: self.resolved,
            unreachable: self.unreachable,
            unreached: &self.unreached,
            worst: self.worst.iter().map(|title| fold(title)).collect(),
            since: local(self.since, self.now, self.time_zone),
            until: local(self.until, self.now, self.time_zone),
            url: self.url,
        }
    }
}

/// What a template can name.
#[derive(Serialize)]
pub(super) struct Context<'a> {
    state: &'static str,
    count: u32,
    /// The gravest that fires, if any does.
    severity: Option<&'static str>,
    by_severity: Vec<Counted>,
    resolved: u32,
    unreachable: u32,
    unreached: &'a [String],
    worst: Vec<String>,
    since: String,
    until: String,
    url: &'a str,
}

#[derive(Serialize)]
struct Counted {
    severity: &'static str,
    count: u32,
}
