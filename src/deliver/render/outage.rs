//! What is said of Bongsu itself when it cannot notify people in the ordinary way, before it is put into words.

use jiff::{Timestamp, tz::TimeZone};
use serde::Serialize;

use super::{Templated, notice::local};
use crate::alert::Part;

/// Parts that stand still.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Outage {
    pub parts: Vec<Part>,
    pub since: Timestamp,
}

#[derive(Clone, Copy, Debug)]
pub(crate) struct OutageNotice<'a> {
    pub(crate) outage: &'a Outage,
    pub(crate) time_zone: &'a TimeZone,
    /// The present: times of today are told without their date.
    pub(crate) now: Timestamp,
}

impl Templated for OutageNotice<'_> {
    const PREFIX: &'static str = "outage_";

    fn state(&self) -> &'static str {
        "outage"
    }

    /// There is no page about it before it is over.
    fn url(&self) -> &'static str {
        ""
    }

    fn plain(&self) -> String {
        let parts: Vec<&str> = self.outage.parts.iter().map(|part| part.as_str()).collect();
        format!("Bongsu itself stands still ({}): alerts are not being sent", parts.join(", "))
    }

    fn context(&self) -> impl Serialize {
        Context {
            state: self.state(),
            parts: &self.outage.parts,
            since: local(self.outage.since, self.now, self.time_zone),
        }
    }
}

#[derive(Serialize)]
struct Context<'a> {
    state: &'static str,
    parts: &'a [Part],
    since: String,
}
