//! The engine for tests and trials: the same rules, nothing survives.

use std::{
    collections::BTreeMap,
    ops::Range,
    sync::{Arc, Mutex, MutexGuard, PoisonError},
};

use async_trait::async_trait;
use jiff::Timestamp;
use serde_json::Value;
use tokio::sync::Notify;

use super::{
    AlertFilter, AlertPage, AlertWrite, Commit, Damage, Due, Expect, Health, Lane, Lead, Place, Sought,
    SoughtPage, Store, StoreError, Stored, Version, Wanted, codec,
    filter::is_purgeable,
    schedule::{Entry, Schedule},
};
use crate::alert::{AlertId, Charge, Epoch, FoldRow, Row, ThreadKey};

#[derive(Debug, Default)]
pub struct MemoryStore {
    tables: Mutex<Tables>,
    due_changed: Arc<Notify>,
    damage: Damage,
}

#[derive(Debug, Default)]
struct Tables {
    alerts: BTreeMap<AlertId, Kept>,
    threads: BTreeMap<ThreadKey, (AlertId, u32)>,
    schedule: Schedule,
    epoch: Epoch,
    chunks: BTreeMap<(AlertId, u32), Vec<Row>>,
    folds: BTreeMap<(AlertId, AlertId), FoldRow>,
    charges: BTreeMap<ChargeKey, Charge>,
    records: BTreeMap<(&'static str, Vec<u8>), Value>,
}

/// When, by which write of which alert, and the number within that write.
type ChargeKey = (u64, AlertId, Version, usize);

#[derive(Debug)]
struct Kept {
    stored: Stored,
    place: Option<Place>,
}

impl MemoryStore {
    pub fn new() -> Self {
        Self::default()
    }

    fn tables(&self) -> MutexGuard<'_, Tables> {
        // Each method leaves the tables whole, so a panic elsewhere does not spoil them.
        self.tables.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl Tables {
    fn write(&mut self, write: AlertWrite) -> Commit {
        let (id, thread) = (write.alert.id, write.alert.thread());
        let there = |id: &AlertId| self.alerts.get(id).map(|kept| Box::new(kept.stored.clone()));
        let latest = self.threads.get(&thread).and_then(|(latest, _)| there(latest));
        let (conflict, found) = match write.expect {
            Expect::NewRound { after } => {
                let is_other = |latest: &Stored| {
                    write.alert.round <= latest.alert.round
                        || after.is_some_and(|after| after != latest.version)
                };
                let conflict = latest.as_deref().is_some_and(is_other);
                (conflict || self.alerts.contains_key(&id), latest.filter(|_| conflict))
            }
            Expect::LatestRound(_) if latest.as_ref().is_some_and(|latest| latest.alert.id != id) => {
                (true, latest)
            }
            Expect::Version(expected) | Expect::LatestRound(expected) => {
                let found = there(&id);
                (found.as_ref().is_none_or(|found| found.version != expected), found)
            }
        };
        if let Some(planned) = write.plan.map(|plan| plan.epoch).filter(|epoch| *epoch < self.epoch) {
            return Commit::Failed(StoreError::LeadLost { planned, now: self.epoch });
        }
        if conflict {
            return Commit::Conflict(found);
        }
        let version = write.expect.next();
        self.put(write, version);
        Commit::Done(version)
    }

    fn put(&mut self, write: AlertWrite, version: u64) {
        let entry = Entry::of(&write);
        let AlertWrite { alert, expect, chunk, marks, .. } = write;
        let id = alert.id;
        let before = self.alerts.get(&id).and_then(|kept| kept.place);
        self.schedule.put(before, entry);
        if expect.is_new() {
            self.threads.insert(alert.thread(), (id, alert.round));
        }
        if !chunk.is_empty() {
            self.chunks.insert((id, super::first_row(&alert, &chunk)), chunk);
        }
        self.folds.extend(marks.folds.into_iter().map(|(digest, row)| ((digest, id), row)));
        let charges = marks.charges.into_iter().enumerate();
        self.charges.extend(
            charges.map(|(number, charge)| ((codec::due_ms(charge.at), id, version, number), charge)),
        );
        let place = entry.map(|entry| entry.place);
        self.alerts.insert(id, Kept { stored: Stored { alert, version }, place });
    }

    fn remove(&mut self, id: AlertId) {
        let Some(kept) = self.alerts.remove(&id) else { return };
        let thread = kept.stored.alert.thread();
        if self.threads.get(&thread).is_some_and(|(latest, _)| *latest == id) {
            self.threads.remove(&thread);
        }
        self.chunks.retain(|(owner, _), _| *owner != id);
        self.folds.retain(|(digest, _), _| *digest != id);
    }
}

#[async_trait]
impl Store for MemoryStore {
    async fn commit(&self, _lane: Lane, writes: &[AlertWrite]) -> Result<Vec<Commit>, StoreError> {
        let mut tables = self.tables();
        let mut commit = |write: &AlertWrite| {
            let fits = codec::encode_alert(&write.alert, 1, write.due, false)
                .and_then(|_| codec::encode_rows(0, &write.chunk));
            fits.map_or_else(Commit::Failed, |_| tables.write(write.clone()))
        };
        let commits = writes.iter().map(&mut commit).collect();
        self.due_changed.notify_one();
        Ok(commits)
    }

    async fn get(&self, id: AlertId) -> Result<Option<Stored>, StoreError> {
        Ok(self.tables().alerts.get(&id).map(|kept| kept.stored.clone()))
    }

    async fn find_threads(&self, threads: Vec<ThreadKey>) -> Result<Vec<Option<Stored>>, StoreError> {
        let tables = self.tables();
        let find = |thread| tables.alerts.get(&tables.threads.get(thread)?.0);
        Ok(threads.iter().map(|thread| find(thread).map(|kept| kept.stored.clone())).collect())
    }

    async fn lead(&self) -> Result<Lead, StoreError> {
        let epoch = &mut self.tables().epoch;
        epoch.0 += 1;
        Ok(Lead { epoch: *epoch })
    }

    async fn due(&self, now: Timestamp, limit: usize, wanted: Wanted<'_>) -> Result<Due, StoreError> {
        let tables = self.tables();
        let due = tables.schedule.due(now, limit, wanted).into_iter().map(|place| place.id);
        let (at_hand, ids): (Vec<_>, Vec<_>) = due.partition(|id| (wanted.at_hand)(*id));
        let stored = |id| tables.alerts.get(id).map(|kept| kept.stored.clone());
        Ok(Due { alerts: ids.iter().filter_map(stored).collect(), at_hand, unreadable: Vec::new() })
    }

    async fn next_due(&self, wanted: Wanted<'_>) -> Result<Option<Timestamp>, StoreError> {
        Ok(self.tables().schedule.next_due(wanted))
    }

    async fn sought(
        &self,
        after: Option<Place>,
        sought: Sought,
        limit: usize,
    ) -> Result<SoughtPage, StoreError> {
        let tables = self.tables();
        let (places, next) = tables.schedule.sought(after, sought, limit);
        let stored = |place: &Place| Some((place.due(), tables.alerts.get(&place.id)?.stored.clone()));
        Ok(SoughtPage { alerts: places.iter().filter_map(stored).collect(), next })
    }

    fn due_changed(&self) -> Arc<Notify> {
        Arc::clone(&self.due_changed)
    }

    async fn list(&self, filter: &AlertFilter) -> Result<AlertPage, StoreError> {
        let tables = self.tables();
        let below =
            tables.alerts.keys().rev().copied().filter(|id| filter.cursor.is_none_or(|cursor| *id < cursor));
        filter.page(below.map(Ok), |id| Ok(tables.alerts.get(&id).map(|kept| kept.stored.clone())))
    }

    async fn moved_rows(&self, id: AlertId) -> Result<Vec<Row>, StoreError> {
        let tables = self.tables();
        Ok(tables.chunks.range((id, 0)..=(id, u32::MAX)).flat_map(|(_, rows)| rows.clone()).collect())
    }

    async fn folds(&self, digest: AlertId) -> Result<Vec<FoldRow>, StoreError> {
        let tables = self.tables();
        let rows = tables.folds.iter().filter(|((of, _), _)| *of == digest);
        Ok(rows.map(|(_, row)| row.clone()).collect())
    }

    async fn charges(&self, since: Timestamp) -> Result<Vec<Charge>, StoreError> {
        let tables = self.tables();
        Ok(tables.charges.values().filter(|charge| since <= charge.at).cloned().collect())
    }

    async fn forget_charges(&self, keep: Range<Timestamp>, limit: usize) -> Result<usize, StoreError> {
        let mut tables = self.tables();
        let old = tables.charges.iter().filter(|(_, charge)| !keep.contains(&charge.at)).take(limit);
        let old: Vec<ChargeKey> = old.map(|(key, _)| *key).collect();
        for key in &old {
            tables.charges.remove(key);
        }
        Ok(old.len())
    }

    async fn put_record(
        &self,
        _lane: Lane,
        kind: &'static str,
        key: Vec<u8>,
        record: Value,
    ) -> Result<(), StoreError> {
        self.tables().records.insert((kind, key), record);
        Ok(())
    }

    async fn records(&self, kind: &'static str) -> Result<Vec<(Vec<u8>, Value)>, StoreError> {
        let tables = self.tables();
        let records = tables.records.iter().filter(|((of, _), _)| *of == kind);
        Ok(records.map(|((_, key), record)| (key.clone(), record.clone())).collect())
    }

    async fn purge(&self, before: Timestamp, limit: usize) -> Result<usize, StoreError> {
        let mut tables = self.tables();
        let over = tables.alerts.values().filter(|kept| kept.place.is_none());
        let over =
            over.filter(|kept| is_purgeable(&kept.stored.alert, before)).map(|kept| kept.stored.alert.id);
        let over: Vec<_> = over.take(limit).collect();
        for id in &over {
            tables.remove(*id);
        }
        Ok(over.len())
    }

    async fn health(&self) -> Health {
        let (scheduled, damaged) = (self.tables().schedule.len(), self.damage.counts());
        Health { problem: None, free_bytes: None, is_moved: false, scheduled, damaged }
    }

    fn damage(&self) -> &Damage {
        &self.damage
    }

    async fn close(&self) {}
}
