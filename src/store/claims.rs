//! Which alerts are claimed. Claims live in memory: one process owns the store, and a claim that
//! died with the process must not hold an alert back.

use std::collections::HashMap;

use jiff::Timestamp;

use crate::alert::AlertId;

#[derive(Debug, Default)]
pub(super) struct Claims {
    leases: HashMap<AlertId, Timestamp>,
}

impl Claims {
    pub(super) fn expire(&mut self, now: Timestamp) {
        self.leases.retain(|_, end| now < *end);
    }

    /// Claims an alert until `end`; false if it is claimed.
    pub(super) fn take(&mut self, id: AlertId, end: Timestamp) -> bool {
        if self.leases.contains_key(&id) {
            return false;
        }
        self.leases.insert(id, end);
        true
    }

    pub(super) fn release<'a>(&mut self, ids: impl IntoIterator<Item = &'a AlertId>) {
        for id in ids {
            self.leases.remove(id);
        }
    }

    /// When an alert due at `due` can be claimed: a claimed one not before its lease ends, so
    /// that a caller who sleeps until then finds what a lost worker left behind.
    pub(super) fn claimable_at(&self, id: AlertId, due: Timestamp) -> Timestamp {
        self.leases.get(&id).map_or(due, |end| due.max(*end))
    }
}
