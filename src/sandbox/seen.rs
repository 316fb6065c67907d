//! What the sandbox was asked to send, and what it said.

use std::collections::{HashMap, VecDeque};

use jiff::Timestamp;
use serde_json::Value;

use super::answer::Answer;

/// Most requests kept per company; older ones are counted and forgotten.
pub const SEEN_MAX: usize = 20_000;
const REFUSALS_MAX: usize = 1_000;

#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum Record {
    /// The newest [`SEEN_MAX`] requests, whole.
    #[default]
    Everything,
    /// Counters and, per alert id, how many were accepted: for loads of hundreds of thousands.
    CountsOnly,
}

#[derive(Clone, Debug, PartialEq)]
pub struct PushSeen {
    pub at: Timestamp,
    /// The token as it is, or `fid:…`, `topic:…`, `condition:…`.
    pub target: String,
    pub message: Value,
    /// The status code it got; 0 for none.
    pub answered: u16,
    /// The phone got it.
    pub accepted: bool,
}

impl PushSeen {
    /// One entry of `data`; empty where there is none.
    pub fn data(&self, key: &str) -> &str {
        self.message.get("data").and_then(|data| data.get(key)).and_then(Value::as_str).unwrap_or_default()
    }
}

#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct TextSeen {
    pub at: Timestamp,
    /// The number as the request wrote it.
    pub to: String,
    /// The sender's number; empty where the request had none.
    pub from: String,
    pub text: String,
    /// Which alert; empty where the request does not say.
    pub alert_id: String,
    /// The interface it came by: `solapi`, `twilio`, `kannel` or `http`.
    pub provider: &'static str,
    /// Where the sender wants to be told what becomes of it; empty if nowhere.
    pub report_url: String,
    /// The status code it got; 0 for none.
    pub answered: u16,
    /// The phone got it.
    pub accepted: bool,
}

/// One request that broke a rule of the company.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct RefusalSeen {
    pub at: Timestamp,
    pub status: u16,
    pub body: String,
}

#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, serde::Serialize)]
pub struct Counts {
    /// Well-formed requests.
    pub seen: u64,
    pub accepted: u64,
    /// Of these, answered with an error because a script or the switch said so.
    pub refused: u64,
    pub unanswered: u64,
    /// Requests that broke a rule; not among the others.
    pub malformed: u64,
}

pub(super) trait Entry {
    fn alert_id(&self) -> &str;
    /// The status code that it got (0 for none), and whether the phone got it.
    fn settle(&mut self, answered: u16, accepted: bool);
}

impl Entry for PushSeen {
    fn alert_id(&self) -> &str {
        self.data("alert_id")
    }

    fn settle(&mut self, answered: u16, accepted: bool) {
        (self.answered, self.accepted) = (answered, accepted);
    }
}

impl Entry for TextSeen {
    fn alert_id(&self) -> &str {
        &self.alert_id
    }

    fn settle(&mut self, answered: u16, accepted: bool) {
        (self.answered, self.accepted) = (answered, accepted);
    }
}

#[derive(Debug)]
pub(super) struct Ledger<T> {
    pub(super) record: Record,
    pub(super) counts: Counts,
    /// Accepted requests per alert id.
    pub(super) accepted: HashMap<String, u32>,
    pub(super) entries: VecDeque<T>,
    pub(super) refusals: VecDeque<RefusalSeen>,
}

/// Where an entry stands: how many came before it, and which alert it is about.
#[derive(Debug)]
pub(super) struct Place {
    before: u64,
    alert_id: String,
}

impl<T> Ledger<T> {
    pub(super) fn new(record: Record) -> Self {
        Self {
            record,
            counts: Counts::default(),
            accepted: HashMap::new(),
            entries: VecDeque::new(),
            refusals: VecDeque::new(),
        }
    }

    pub(super) fn refuse(&mut self, refusal: RefusalSeen) {
        self.counts.malformed += 1;
        if self.refusals.len() == REFUSALS_MAX {
            self.refusals.pop_front();
        }
        self.refusals.push_back(refusal);
    }

    fn accept(&mut self, alert_id: &str) {
        self.counts.accepted += 1;
        match self.accepted.get_mut(alert_id) {
            Some(count) => *count = count.saturating_add(1),
            None => drop(self.accepted.insert(alert_id.to_owned(), 1)),
        }
    }
}

impl<T: Entry> Ledger<T> {
    /// Writes down one request and its answer; one that hangs is settled later.
    pub(super) fn note(&mut self, mut entry: T, answer: &Answer) -> Place {
        let place = Place { before: self.counts.seen, alert_id: entry.alert_id().to_owned() };
        self.counts.seen += 1;
        match (answer.status(), answer.accepts()) {
            (_, true) => self.accept(&place.alert_id),
            (0, false) => self.counts.unanswered += 1,
            (_, false) => self.counts.refused += 1,
        }
        if self.record == Record::Everything {
            if self.entries.len() == SEEN_MAX {
                self.entries.pop_front();
            }
            entry.settle(answer.status(), answer.accepts());
            self.entries.push_back(entry);
        }
        place
    }

    /// A request that hung was accepted after all.
    pub(super) fn settle(&mut self, place: &Place) {
        self.counts.unanswered = self.counts.unanswered.saturating_sub(1);
        self.accept(&place.alert_id);
        let forgotten = self.counts.seen - self.entries.len() as u64;
        let index = place.before.checked_sub(forgotten).and_then(|index| usize::try_from(index).ok());
        if let Some(entry) = index.and_then(|index| self.entries.get_mut(index)) {
            entry.settle(200, true);
        }
    }
}
