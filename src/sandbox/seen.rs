//! What the sandbox was asked to send, and what it said.

use std::{
    collections::{HashMap, VecDeque},
    sync::{Mutex, MutexGuard, PoisonError},
};

use jiff::Timestamp;
use serde_json::Value;

/// Most requests kept per company; older ones are counted and forgotten.
pub const SEEN_MAX: usize = 20_000;
/// Most refusals kept per endpoint.
const REFUSALS_MAX: usize = 1_000;

/// How much of each request is kept.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum Record {
    /// The newest [`SEEN_MAX`] requests, whole.
    #[default]
    Everything,
    /// Counters and, per alert id, how many were accepted: for loads of hundreds of thousands.
    CountsOnly,
}

/// One well-formed push.
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

/// One well-formed text.
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

/// Totals since start.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, serde::Serialize)]
pub struct Counts {
    /// Well-formed requests.
    pub seen: u64,
    /// Of these, accepted.
    pub accepted: u64,
    /// Of these, answered with an error because a script or the switch said so.
    pub refused: u64,
    /// Of these, not answered.
    pub unanswered: u64,
    /// Requests that broke a rule; not among the others.
    pub malformed: u64,
}

/// What both kinds of request have.
pub(super) trait Entry {
    fn alert_id(&self) -> &str;
    /// The status code, and whether the phone got it.
    fn verdict(&mut self) -> (&mut u16, &mut bool);
}

impl Entry for PushSeen {
    fn alert_id(&self) -> &str {
        self.data("alert_id")
    }

    fn verdict(&mut self) -> (&mut u16, &mut bool) {
        (&mut self.answered, &mut self.accepted)
    }
}

impl Entry for TextSeen {
    fn alert_id(&self) -> &str {
        &self.alert_id
    }

    fn verdict(&mut self) -> (&mut u16, &mut bool) {
        (&mut self.answered, &mut self.accepted)
    }
}

/// One company's requests.
#[derive(Debug)]
pub(super) struct Ledger<T> {
    pub(super) record: Record,
    pages: Mutex<Pages<T>>,
}

#[derive(Debug)]
struct Pages<T> {
    counts: Counts,
    accepted: HashMap<String, u32>,
    entries: VecDeque<T>,
    refusals: VecDeque<RefusalSeen>,
}

/// Where an entry stands: how many came before it, and which alert it is about.
#[derive(Debug)]
pub(super) struct Place {
    before: u64,
    alert_id: String,
}

impl<T> Ledger<T> {
    pub(super) fn new(record: Record) -> Self {
        let pages = Pages {
            counts: Counts::default(),
            accepted: HashMap::new(),
            entries: VecDeque::new(),
            refusals: VecDeque::new(),
        };
        Self { record, pages: Mutex::new(pages) }
    }

    pub(super) fn refuse(&self, refusal: RefusalSeen) {
        let mut pages = self.lock();
        pages.counts.malformed += 1;
        if pages.refusals.len() == REFUSALS_MAX {
            pages.refusals.pop_front();
        }
        pages.refusals.push_back(refusal);
    }

    pub(super) fn counts(&self) -> Counts {
        self.lock().counts
    }

    pub(super) fn accepted_counts(&self) -> HashMap<String, u32> {
        self.lock().accepted.clone()
    }

    pub(super) fn refusals(&self) -> Vec<RefusalSeen> {
        self.lock().refusals.iter().cloned().collect()
    }

    fn lock(&self) -> MutexGuard<'_, Pages<T>> {
        self.pages.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl<T: Clone> Ledger<T> {
    /// Oldest first.
    pub(super) fn entries(&self) -> Vec<T> {
        self.lock().entries.iter().cloned().collect()
    }

    /// Newest first, at most `count`.
    pub(super) fn newest(&self, count: usize) -> Vec<T> {
        self.lock().entries.iter().rev().take(count).cloned().collect()
    }
}

impl<T: Entry> Ledger<T> {
    /// Writes down one request and its answer; one that hangs is settled later.
    pub(super) fn note(&self, mut entry: T) -> Place {
        let mut pages = self.lock();
        let place = Place { before: pages.counts.seen, alert_id: entry.alert_id().to_owned() };
        pages.counts.seen += 1;
        match entry.verdict() {
            (_, true) => pages.accept(&place.alert_id),
            (0, false) => pages.counts.unanswered += 1,
            (_, false) => pages.counts.refused += 1,
        }
        if self.record == Record::Everything {
            if pages.entries.len() == SEEN_MAX {
                pages.entries.pop_front();
            }
            pages.entries.push_back(entry);
        }
        place
    }

    /// A request that hung was accepted after all.
    pub(super) fn settle(&self, place: &Place) {
        let mut pages = self.lock();
        pages.counts.unanswered = pages.counts.unanswered.saturating_sub(1);
        pages.accept(&place.alert_id);
        let forgotten = pages.counts.seen - pages.entries.len() as u64;
        let index = place.before.checked_sub(forgotten).and_then(|index| usize::try_from(index).ok());
        if let Some(entry) = index.and_then(|index| pages.entries.get_mut(index)) {
            let (answered, accepted) = entry.verdict();
            (*answered, *accepted) = (200, true);
        }
    }
}

impl<T> Pages<T> {
    fn accept(&mut self, alert_id: &str) {
        self.counts.accepted += 1;
        match self.accepted.get_mut(alert_id) {
            Some(count) => *count = count.saturating_add(1),
            None => drop(self.accepted.insert(alert_id.to_owned(), 1)),
        }
    }
}
