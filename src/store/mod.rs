//! The ground: documents with a version, a wake-up time and journal chunks, written atomically.
//!
//! Only this folder names an engine. The same conformance suite runs over each of them.

mod codec;
#[cfg(test)]
mod conformance;
mod damage;
mod filter;
#[cfg(test)]
pub(crate) mod guarded;
mod memory;
mod available;
mod record;
mod schedule;
mod sled;

use std::{cmp::Reverse, ops::Range, sync::Arc};

use async_trait::async_trait;
use jiff::Timestamp;
use serde::Serialize;
use serde_json::Value;
use tokio::sync::Notify;

use crate::alert::{Alert, AlertId, Charge, Epoch, FoldRow, Row, Severity, Signs, ThreadKey};

pub use self::{
    available::when_available,
    damage::{Damage, Damaged},
    filter::{AlertFilter, AlertPage, LIST_DOCUMENTS_READ_MAX},
    memory::MemoryStore,
    record::{DeviceRecord, HeartbeatRecord, Record},
    sled::{OpenError, SledStore},
};

/// Counts the writes of one document, from 1.
pub type Version = u64;

/// Largest stored value, in bytes: sled keeps larger ones in files of their own, whose space is
/// not known to come back.
pub const VALUE_BYTES_MAX: usize = 32 * 1024;

/// Largest document, in bytes; one that is larger than [`VALUE_BYTES_MAX`] is kept as several values. What the
/// configuration allows (500 devices, 200 contacts with the longest names) does not come near it, whatever fails.
pub const DOCUMENT_BYTES_MAX: usize = 4 * 1024 * 1024;

/// Journal rows kept within an alert's document; older ones move out in chunks.
pub const ROWS_IN_DOCUMENT_MAX: usize = 8;

/// Most writes that one group holds; the rest waits for the next flush.
pub const GROUP_WRITES_MAX: usize = 512;

/// New alerts are refused while less than this is free where the store is, in bytes: what is left is for telling the
/// alerts that were accepted.
pub const FREE_BYTES_MIN: u64 = 256 * 1024 * 1024;

/// Accepting has priority over delivering.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Lane {
    /// A sender waits for its answer.
    Accept,
    /// Dispatch waits; nobody outside does.
    Deliver,
}

/// One all-or-nothing change of one alert: the document, its wake-up and its journal chunks.
#[derive(Clone, Debug)]
pub struct AlertWrite {
    pub alert: Alert,
    pub expect: Expect,
    /// When it wants to be planned next. `None` only for a resolved alert with nothing to tell.
    pub due: Option<Timestamp>,
    /// Journal rows that leave the document, however many; the first has number
    /// `alert.rows_moved - chunk.len()`.
    pub chunk: Vec<Row>,
    pub marks: Marks,
    /// Of a plan; whoever changes an alert without planning it makes it due at once.
    pub plan: Option<Stamp>,
}

/// When something was planned, and under which lead.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Stamp {
    pub epoch: Epoch,
    pub at: Timestamp,
}

impl AlertWrite {
    /// A write of this alert; journal rows past [`ROWS_IN_DOCUMENT_MAX`] leave the document.
    pub fn of(mut alert: Alert, expect: Expect, due: Option<Timestamp>) -> Self {
        let surplus = alert.rows.len().saturating_sub(ROWS_IN_DOCUMENT_MAX);
        // Rows leave half a document at a time: one chunk for several writes.
        let moved = if surplus == 0 { 0 } else { surplus + ROWS_IN_DOCUMENT_MAX / 2 };
        let chunk: Vec<Row> = alert.rows.drain(..moved.min(alert.rows.len())).collect();
        alert.rows_moved = alert.rows_moved.saturating_add(u32::try_from(chunk.len()).unwrap_or(u32::MAX));
        Self { alert, expect, due, chunk, marks: Marks::default(), plan: None }
    }
}

/// Index rows that a write lays down, for those who count over many alerts.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Marks {
    /// Digests that count this alert, and what each keeps of it: one row per digest, the last one wins.
    pub folds: Vec<(AlertId, FoldRow)>,
    pub charges: Vec<Charge>,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Expect {
    /// A new document, of a thread whose latest round is older, not known, or cannot be read; `after`: in which version
    /// that round was decided on.
    NewRound {
        after: Option<Version>,
    },
    Version(Version),
    /// As [`Expect::Version`], of what is still the latest round of its thread.
    LatestRound(Version),
}

impl Expect {
    pub const FIRST_ROUND: Self = Self::NewRound { after: None };

    pub fn is_new(self) -> bool {
        matches!(self, Self::NewRound { .. })
    }

    /// Though another round may be the latest by then.
    #[must_use]
    pub fn whichever_round(self) -> Self {
        match self {
            Self::LatestRound(version) => Self::Version(version),
            Self::NewRound { .. } | Self::Version(_) => self,
        }
    }

    /// The version that is written.
    pub fn next(self) -> Version {
        match self {
            Self::NewRound { .. } => 1,
            Self::Version(version) | Self::LatestRound(version) => version.saturating_add(1),
        }
    }
}

#[derive(Clone, Debug, PartialEq)]
pub struct Stored {
    pub alert: Alert,
    pub version: Version,
}

/// What must be known of an alert to tell whether a repeated event changes it.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Standing {
    pub id: AlertId,
    pub open: bool,
    pub severity: Severity,
    /// It is over, and something speaks against that.
    pub in_doubt: bool,
}

impl Standing {
    pub fn of(alert: &Alert) -> Self {
        let Alert { id, severity, .. } = *alert;
        Self { id, open: alert.is_open(), severity, in_doubt: alert.doubt.is_some() }
    }
}

#[derive(Clone, Debug)]
pub enum Commit {
    /// Durable.
    Done(Version),
    /// Something else is there: the thread's latest round, for [`Expect::Version`] the document; `None` if it is gone.
    Conflict(Option<Box<Stored>>),
    /// [`StoreError::Unavailable`]: it may have been made or not. Otherwise it was not, and the same write will not be: it is
    /// too large, or what it would replace cannot be read.
    Failed(StoreError),
}

#[derive(Clone, Debug, thiserror::Error)]
pub enum StoreError {
    /// It cannot write or read at present; it tries to reopen by itself.
    #[error("the store is not available: {0}")]
    Unavailable(String),
    /// What is stored cannot be read. Nothing was deleted.
    #[error("the store is damaged: {0}")]
    Damaged(String),
    #[error("the store has {free_bytes} bytes of free space, less than the {limit_bytes} it keeps free")]
    Full { free_bytes: u64, limit_bytes: u64 },
    /// A document is larger than [`DOCUMENT_BYTES_MAX`], or something beside it than [`VALUE_BYTES_MAX`].
    #[error("{bytes} bytes are more than the limit of {limit} bytes")]
    TooLarge { bytes: usize, limit: usize },
    /// It was planned under an earlier lead than the present one.
    #[error("the lead has passed on: this was planned in epoch {}, and it is epoch {} now", planned.0, now.0)]
    LeadLost { planned: Epoch, now: Epoch },
}

/// The right to plan, which one process has at a time.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Lead {
    pub epoch: Epoch,
}

/// Which alerts are asked for.
#[derive(Clone, Copy)]
pub struct Wanted<'a> {
    /// None less urgent than this ([`Alert::urgency`]).
    pub least: Severity,
    /// None of these.
    pub except: Which<'a>,
    /// The documents of these need not be read.
    pub at_hand: Which<'a>,
}

pub type Which<'a> = &'a (dyn Fn(AlertId) -> bool + Sync);

impl<'a> Wanted<'a> {
    pub const ALL: Self = Self::all_but(&|_| false);

    pub const fn all_but(except: Which<'a>) -> Self {
        Self { least: Severity::NotClassified, except, at_hand: &|_| false }
    }

    /// The gravest first.
    fn urgencies(self) -> impl Iterator<Item = Severity> {
        Severity::ALL.into_iter().rev().filter(move |urgency| self.least <= *urgency)
    }
}

/// What is due.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Due {
    pub alerts: Vec<Stored>,
    pub at_hand: Vec<AlertId>,
    /// Due, too, and left out: they cannot be read.
    pub unreadable: Vec<AlertId>,
}

/// A place in the order of those that want to be planned: the gravest first, of these the earliest.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub struct Place {
    urgency: Reverse<Severity>,
    due_ms: u64,
    id: AlertId,
}

/// What a look at all that want to be planned is for.
#[derive(Clone, Copy, Debug)]
pub struct Sought {
    /// Any of these.
    pub signs: Signs,
    /// Also what was written later than this, in whole seconds: by a clock that ran ahead.
    pub written_after: Timestamp,
}

#[derive(Clone, Debug, Default)]
pub struct SoughtPage {
    pub alerts: Vec<(Timestamp, Stored)>,
    /// Where the next page continues, if there may be one; also after a short page.
    pub next: Option<Place>,
}

#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct Health {
    /// Why it takes no new alerts, for people; `None` = it does.
    pub problem: Option<String>,
    /// Free bytes of the file system; `None` where that has no meaning.
    pub free_bytes: Option<u64>,
    /// Its folder was removed or moved: what it would take would be lost with the process.
    pub is_moved: bool,
    /// Alerts that want to be planned, due or not.
    pub scheduled: usize,
    /// What was left out since the store was opened, because it cannot be read.
    pub damaged: Vec<Damaged>,
}

impl Health {
    pub fn is_writable(&self) -> bool {
        self.problem.is_none()
    }
}

fn first_row(alert: &Alert, chunk: &[Row]) -> u32 {
    alert.rows_moved.saturating_sub(u32::try_from(chunk.len()).unwrap_or(u32::MAX))
}

/// One row that cannot be read stops nobody: what reads many leaves it out, and [`Store::damage`] counts it.
#[async_trait]
pub trait Store: Send + Sync + 'static {
    /// Writes each change or says why not, in order: what is wrong with one holds up no other. Durable when
    /// it returns: a crash or a power cut afterwards loses none of the `Done` ones. After an error none of them
    /// is known to be made, and any may be: read again before deciding. Dropping the future takes nothing back.
    async fn commit(&self, lane: Lane, writes: &[AlertWrite]) -> Result<Vec<Commit>, StoreError>;

    /// What is returned survives a power cut, here and in [`Store::find_threads`]: an answer may rest on it.
    async fn get(&self, id: AlertId) -> Result<Option<Stored>, StoreError>;

    /// The latest round of each thread, in the order asked.
    async fn find_threads(&self, threads: Vec<ThreadKey>) -> Result<Vec<Option<Stored>>, StoreError>;

    /// As [`Store::find_threads`], and may be much cheaper.
    async fn standings(&self, threads: Vec<ThreadKey>) -> Result<Vec<Option<Standing>>, StoreError> {
        let found = self.find_threads(threads).await?;
        Ok(found.iter().map(|stored| stored.as_ref().map(|stored| Standing::of(&stored.alert))).collect())
    }

    /// Takes the lead, from whoever had it: what is planned under an earlier one is refused from now on
    /// ([`StoreError::LeadLost`]).
    async fn lead(&self) -> Result<Lead, StoreError>;

    /// Up to `limit` of those wanted that are due at `now`, the gravest first and of these the earliest. They are the same
    /// again until they are written.
    async fn due(&self, now: Timestamp, limit: usize, wanted: Wanted<'_>) -> Result<Due, StoreError>;

    /// The earliest due time of those wanted.
    async fn next_due(&self, wanted: Wanted<'_>) -> Result<Option<Timestamp>, StoreError>;

    /// Up to `limit` of the sought alerts that want to be planned, from after `after` on. One that is written between two
    /// pages may be in both or in none.
    async fn sought(
        &self,
        after: Option<Place>,
        sought: Sought,
        limit: usize,
    ) -> Result<SoughtPage, StoreError>;

    /// Notified whenever [`Store::next_due`] may have become earlier.
    fn due_changed(&self) -> Arc<Notify>;

    /// Newest first. An alert that cannot be read is left out.
    async fn list(&self, filter: &AlertFilter) -> Result<AlertPage, StoreError>;

    /// Journal rows that have left the alert's document, oldest first.
    async fn moved_rows(&self, id: AlertId) -> Result<Vec<Row>, StoreError>;

    /// What was laid down for this digest, in the order of the alerts; without what cannot be read.
    async fn folds(&self, digest: AlertId) -> Result<Vec<FoldRow>, StoreError>;

    /// What was charged at or after `since`, oldest first; without what cannot be read.
    async fn charges(&self, since: Timestamp) -> Result<Vec<Charge>, StoreError>;

    /// Removes up to `limit` charges from before or after this period, a few at a time. Says how many.
    async fn forget_charges(&self, keep: Range<Timestamp>, limit: usize) -> Result<usize, StoreError>;

    /// Durable when it returns; called through `put`.
    async fn put_record(
        &self,
        lane: Lane,
        kind: &'static str,
        key: Vec<u8>,
        record: Value,
    ) -> Result<(), StoreError>;

    /// Keys and values, in the order of the keys; what cannot be read is left out. Called through `all`.
    async fn records(&self, kind: &'static str) -> Result<Vec<(Vec<u8>, Value)>, StoreError>;

    /// Removes up to `limit` alerts that are not open, have no due time, and were opened and
    /// resolved before `before`, with their journals and what was laid down for them, a few at a time: delivering
    /// goes on in between. Says how many.
    async fn purge(&self, before: Timestamp, limit: usize) -> Result<usize, StoreError>;

    async fn health(&self) -> Health;

    /// What was left out so far: by reads of many rows, and of alerts by every read.
    fn damage(&self) -> &Damage;

    /// Finishes running writes and closes the engine.
    async fn close(&self);
}
