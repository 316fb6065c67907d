//! What the writer thread is asked to do, ready-made: the caller has encoded it already.

use ::sled::IVec;

use super::keys;
use crate::{
    alert::{AlertId, Epoch, ThreadKey},
    store::{AlertWrite, Expect, Marks, StoreError, Version, codec, first_row, schedule::Entry},
};

/// Rows forgotten that count as one write: each is one key, without a check or a value, and lies beside the last.
pub(super) const FORGOTTEN_PER_WRITE: usize = 8;

#[derive(Debug)]
pub(super) enum Work {
    /// Writes of alerts, each with a verdict of its own.
    Alerts(Vec<Draft>),
    Record {
        key: IVec,
        value: IVec,
    },
    Remove(Vec<Removal>),
    /// Removals of rows that nothing refers to.
    Forget(Vec<IVec>),
    /// Whoever asks has the lead from now on.
    Lead,
}

#[derive(Debug)]
pub(super) struct Draft {
    pub(super) id: AlertId,
    pub(super) thread: ThreadKey,
    pub(super) round: u32,
    pub(super) expect: Expect,
    /// The version that the encoded document carries.
    pub(super) version: Version,
    pub(super) whole: IVec,
    pub(super) entry: Option<Entry>,
    /// Under which lead it was planned.
    pub(super) epoch: Option<Epoch>,
    /// Keys and values of the rows that come with it.
    pub(super) beside: Vec<(IVec, IVec)>,
}

/// An alert to forget, unless it was written since.
#[derive(Debug)]
pub(super) struct Removal {
    pub(super) id: AlertId,
    pub(super) thread: ThreadKey,
    pub(super) version: Version,
    /// Keys of all that belongs to it.
    pub(super) beside: Vec<IVec>,
}

/// The writer thread's answer to one message; everything in it is durable.
pub(super) type Answer = Result<Done, StoreError>;

#[derive(Debug, Default)]
pub(super) struct Done {
    pub(super) verdicts: Vec<Verdict>,
    pub(super) removed: usize,
    /// Of the lead that was taken.
    pub(super) epoch: Epoch,
}

#[derive(Debug)]
pub(super) enum Verdict {
    Written(Version),
    /// What is there instead; the caller reads it.
    Conflict(Option<Found>),
    /// What it would replace cannot be read.
    Damaged(AlertId, String),
    /// The present epoch is a later one.
    LeadLost {
        planned: Epoch,
        now: Epoch,
    },
}

/// A document that was found, without what its rest goes on in.
#[derive(Debug)]
pub(super) struct Found {
    pub(super) id: AlertId,
    /// The rest of it, or all.
    pub(super) newest: IVec,
    pub(super) beginning: Option<IVec>,
}

impl Work {
    /// What it counts for in a group.
    pub(super) fn writes(&self) -> usize {
        match self {
            Self::Alerts(drafts) => drafts.len(),
            Self::Record { .. } | Self::Lead => 1,
            Self::Remove(removals) => removals.len(),
            Self::Forget(keys) => keys.len().div_ceil(FORGOTTEN_PER_WRITE),
        }
    }

    #[cfg(test)]
    pub(super) fn drafts_for_tests(count: usize) -> Vec<Draft> {
        use crate::store::conformance::samples;
        let draft = |_| Draft::new(&samples::opening("k", 1, jiff::Timestamp::UNIX_EPOCH)).expect("small");
        (0..count).map(draft).collect()
    }
}

impl Draft {
    /// Encodes a write. The version of the result is known beforehand: the write is refused
    /// unless it replaces the one before.
    pub(super) fn new(write: &AlertWrite) -> Result<Self, StoreError> {
        let AlertWrite { alert, expect, due, chunk, marks, plan } = write;
        let version = expect.next();
        let mut beside = encoded(alert.id, version, marks)?;
        for (first, rows) in codec::encode_rows(first_row(alert, chunk), chunk)? {
            beside.push((IVec::from(&keys::chunk(alert.id, first)), rows.into()));
        }
        let entry = Entry::of(write);
        let whole =
            codec::encode_alert(alert, version, *due, entry.is_some_and(Entry::is_found_by_every_start))?
                .into();
        Ok(Self {
            id: alert.id,
            thread: alert.thread(),
            round: alert.round,
            expect: *expect,
            version,
            whole,
            entry,
            epoch: plan.map(|plan| plan.epoch),
            beside,
        })
    }
}

fn encoded(id: AlertId, version: Version, marks: &Marks) -> Result<Vec<(IVec, IVec)>, StoreError> {
    let mut rows = Vec::with_capacity(marks.folds.len() + marks.charges.len());
    for (digest, row) in &marks.folds {
        rows.push((IVec::from(keys::fold(*digest, id).as_slice()), codec::encode_plain(row)?.into()));
    }
    for (charge, number) in marks.charges.iter().zip(0_u16..) {
        let key = keys::charge(codec::due_ms(charge.at), id, version, number);
        rows.push((IVec::from(key.as_slice()), codec::encode_plain(charge)?.into()));
    }
    Ok(rows)
}
