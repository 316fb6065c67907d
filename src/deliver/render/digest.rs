//! What a digest says, before it is put into words.

use jiff::{Timestamp, tz::TimeZone};
use serde::Serialize;

use super::{Templated, notice::local};
use crate::{
    alert::{ContactName, Counted, Severity},
    deliver::text::one_line,
};

#[derive(Clone, Copy, Debug)]
pub(crate) struct DigestNotice<'a> {
    pub(crate) counted: &'a Counted,
    /// Where all of them are; empty = no link.
    pub(crate) url: &'a str,
    pub(crate) time_zone: &'a TimeZone,
    /// The present: times of today are told without their date.
    pub(crate) now: Timestamp,
}

impl DigestNotice<'_> {
    /// How many fire, the most severe first.
    fn firing(&self) -> impl Iterator<Item = Firing> {
        let firing = self.counted.by_severity.iter().rev().filter(|(_, count)| 0 < **count);
        firing.map(|(severity, count)| Firing { severity: *severity, count: *count })
    }

    fn worst(&self) -> Vec<String> {
        self.counted.worst.iter().map(|named| one_line(&named.title)).collect()
    }
}

impl Templated for DigestNotice<'_> {
    const PREFIX: &'static str = "digest_";

    fn state(&self) -> &'static str {
        "digest"
    }

    fn url(&self) -> &str {
        self.url
    }

    fn plain(&self) -> String {
        let firing: Vec<String> =
            self.firing().map(|Firing { severity, count }| format!("{count} {severity}")).collect();
        format!("{} more ({}): {}", self.counted.total(), firing.join(", "), self.worst().join("; "))
    }

    fn context(&self) -> impl Serialize {
        let counted = self.counted;
        Context {
            state: self.state(),
            count: counted.total(),
            severity: self.firing().next().map(|firing| firing.severity),
            by_severity: self.firing().collect(),
            resolved: counted.resolved,
            unreachable: counted.unreachable,
            unreached: counted.unreached.names.iter().map(ContactName::as_str).collect(),
            unreached_more: counted.unreached.more,
            worst: self.worst(),
            since: local(counted.since, self.now, self.time_zone),
            until: local(counted.until, self.now, self.time_zone),
            url: self.url,
        }
    }
}

#[derive(Serialize)]
struct Context<'a> {
    state: &'static str,
    count: u32,
    /// The worst that fires, if any does.
    severity: Option<Severity>,
    by_severity: Vec<Firing>,
    resolved: u32,
    unreachable: u32,
    unreached: Vec<&'a str>,
    unreached_more: u32,
    worst: Vec<String>,
    since: String,
    until: String,
    url: &'a str,
}

#[derive(Serialize)]
struct Firing {
    severity: Severity,
    count: u32,
}
