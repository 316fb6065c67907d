//! A store for tests that decides what becomes of each write and read: it fails, hangs, or dies.

use std::{ops::Range, sync::Arc};

use async_trait::async_trait;
use jiff::Timestamp;
use serde_json::Value;
use tokio::sync::Notify;

pub(crate) use super::damage::CHARGE;
use super::{
    AlertFilter, AlertPage, AlertWrite, Commit, Damage, DeviceRecord, Due, Health, Lane, Lead, MemoryStore,
    Place, Record, Sought, SoughtPage, Standing, Store, StoreError, Stored, Wanted, damage,
};
use crate::alert::{AlertId, Charge, FoldRow, Row, ThreadKey};

/// What becomes of what is asked of a [`Guarded`] store.
#[async_trait]
pub(crate) trait Guard: Send + Sync + 'static {
    /// Asked before each write.
    async fn write(&self) -> Ruling;

    /// Asked before a new round is written that a sender waits for.
    fn room(&self) -> Result<(), StoreError> {
        Ok(())
    }

    /// Nothing is answered before this is over.
    async fn reach(&self) {}

    /// Asked before what is due is read.
    fn due(&self) -> Result<(), StoreError> {
        self.read()
    }

    /// Told of each alert before it is written.
    fn writes(&self, _: AlertId) {}

    /// Asked before alerts are purged.
    async fn purge(&self) {}

    /// What the health is instead of the true one.
    fn health(&self) -> Option<Health> {
        None
    }

    /// Asked before what planning reads.
    fn read(&self) -> Result<(), StoreError> {
        Ok(())
    }

    /// The document of this alert cannot be read.
    fn is_damaged(&self, _: AlertId) -> bool {
        false
    }

    /// The write of this alert is made, and nobody hears of it.
    fn is_unheard(&self, _: AlertId) -> bool {
        false
    }

    /// Nothing of this kind can be read.
    fn is_kind_damaged(&self, _: &str) -> bool {
        false
    }

    /// What was laid down for this digest cannot be read.
    fn has_damaged_folds(&self, _: AlertId) -> bool {
        false
    }
}

/// Of a write.
pub(crate) enum Ruling {
    /// It is made, and answered.
    Made,
    /// It is made, and this is the answer.
    Unheard(StoreError),
    /// It is not made.
    Refused(StoreError),
}

/// A memory store with a guard.
pub(crate) struct Guarded<G> {
    pub(crate) inner: Arc<MemoryStore>,
    pub(crate) guard: G,
}

impl<G: Guard> Guarded<G> {
    fn readable(&self, id: AlertId) -> Result<(), StoreError> {
        self.guard.read()?;
        if self.guard.is_damaged(id) { Err(damaged(id)) } else { Ok(()) }
    }

    /// Leaves out what cannot be read, and gives its ids.
    fn keep_readable<T>(&self, alerts: &mut Vec<T>, id_of: impl Fn(&T) -> AlertId) -> Vec<AlertId> {
        let unreadable = alerts.extract_if(.., |alert| self.guard.is_damaged(id_of(alert)));
        let unreadable: Vec<AlertId> = unreadable.map(|alert| id_of(&alert)).collect();
        for id in &unreadable {
            self.damage().note(damage::ALERT, id, "a fault made by a test");
        }
        unreadable
    }

    async fn write<T>(&self, write: impl Future<Output = Result<T, StoreError>>) -> Result<T, StoreError> {
        self.guard.reach().await;
        match self.guard.write().await {
            Ruling::Made => write.await,
            Ruling::Unheard(error) => {
                write.await?;
                Err(error)
            }
            Ruling::Refused(error) => Err(error),
        }
    }
}

fn damaged(id: AlertId) -> StoreError {
    StoreError::Damaged(format!("alert {id}: a fault made by a test"))
}

#[async_trait]
impl<G: Guard> Store for Guarded<G> {
    async fn commit(&self, lane: Lane, writes: &[AlertWrite]) -> Result<Vec<Commit>, StoreError> {
        if lane == Lane::Accept && writes.iter().any(|write| write.expect.is_new()) {
            self.guard.room()?;
        }
        for write in writes {
            self.guard.writes(write.alert.id);
        }
        let is_damaged = |write: &&AlertWrite| self.guard.is_damaged(write.alert.id);
        let good: Vec<_> = writes.iter().filter(|write| !is_damaged(write)).cloned().collect();
        let mut commits = match self.write(self.inner.commit(lane, &good)).await {
            Err(error @ StoreError::Unavailable(_)) => vec![Commit::Failed(error); good.len()],
            commits => commits?,
        };
        for (place, write) in writes.iter().enumerate().filter(|(_, write)| is_damaged(write)) {
            commits.insert(place, Commit::Failed(damaged(write.alert.id)));
        }
        for (commit, write) in commits.iter_mut().zip(writes) {
            if self.guard.is_unheard(write.alert.id) {
                *commit = Commit::Failed(StoreError::Unavailable("a fault made by a test".to_owned()));
            }
        }
        Ok(commits)
    }

    async fn get(&self, id: AlertId) -> Result<Option<Stored>, StoreError> {
        self.guard.reach().await;
        self.readable(id)?;
        self.inner.get(id).await
    }

    async fn find_threads(&self, threads: Vec<ThreadKey>) -> Result<Vec<Option<Stored>>, StoreError> {
        self.guard.reach().await;
        let found = self.inner.find_threads(threads).await?;
        found.iter().flatten().try_for_each(|stored| self.readable(stored.alert.id))?;
        self.guard.read()?;
        Ok(found)
    }

    async fn standings(&self, threads: Vec<ThreadKey>) -> Result<Vec<Option<Standing>>, StoreError> {
        self.guard.read()?;
        self.inner.standings(threads).await
    }

    async fn lead(&self) -> Result<Lead, StoreError> {
        self.guard.reach().await;
        self.inner.lead().await
    }

    async fn due(&self, now: Timestamp, limit: usize, wanted: Wanted<'_>) -> Result<Due, StoreError> {
        self.guard.reach().await;
        self.guard.due()?;
        let mut due = self.inner.due(now, limit, wanted).await?;
        due.unreadable = self.keep_readable(&mut due.alerts, |stored| stored.alert.id);
        Ok(due)
    }

    async fn next_due(&self, wanted: Wanted<'_>) -> Result<Option<Timestamp>, StoreError> {
        self.guard.reach().await;
        self.inner.next_due(wanted).await
    }

    async fn sought(
        &self,
        after: Option<Place>,
        sought: Sought,
        limit: usize,
    ) -> Result<SoughtPage, StoreError> {
        let mut page = self.inner.sought(after, sought, limit).await?;
        self.keep_readable(&mut page.alerts, |(_, stored)| stored.alert.id);
        Ok(page)
    }

    fn due_changed(&self) -> Arc<Notify> {
        self.inner.due_changed()
    }

    async fn list(&self, filter: &AlertFilter) -> Result<AlertPage, StoreError> {
        self.guard.read()?;
        let mut page = self.inner.list(filter).await?;
        self.keep_readable(&mut page.alerts, |stored| stored.alert.id);
        Ok(page)
    }

    async fn moved_rows(&self, id: AlertId) -> Result<Vec<Row>, StoreError> {
        self.inner.moved_rows(id).await
    }

    async fn folds(&self, digest: AlertId) -> Result<Vec<FoldRow>, StoreError> {
        if self.guard.has_damaged_folds(digest) {
            return Err(damaged(digest));
        }
        self.inner.folds(digest).await
    }

    async fn charges(&self, since: Timestamp) -> Result<Vec<Charge>, StoreError> {
        self.guard.read()?;
        let mut charges = self.inner.charges(since).await?;
        // As an engine leaves out what it cannot read.
        charges.retain(|_| !self.guard.is_kind_damaged(CHARGE));
        Ok(charges)
    }

    async fn forget_charges(&self, keep: Range<Timestamp>, limit: usize) -> Result<usize, StoreError> {
        self.inner.forget_charges(keep, limit).await
    }

    async fn put_record(
        &self,
        lane: Lane,
        kind: &'static str,
        key: Vec<u8>,
        record: Value,
    ) -> Result<(), StoreError> {
        let write = self.inner.put_record(lane, kind, key, record);
        // No guard rules on what is written of devices.
        if kind == DeviceRecord::KIND { write.await } else { self.write(write).await }
    }

    async fn records(&self, kind: &'static str) -> Result<Vec<(Vec<u8>, Value)>, StoreError> {
        self.guard.reach().await;
        self.guard.read()?;
        let mut records = self.inner.records(kind).await?;
        if self.guard.is_kind_damaged(kind) {
            for (_, record) in &mut records {
                *record = Value::Null;
            }
        }
        Ok(records)
    }

    async fn purge(&self, before: Timestamp, limit: usize) -> Result<usize, StoreError> {
        self.guard.purge().await;
        self.write(self.inner.purge(before, limit)).await
    }

    async fn health(&self) -> Health {
        self.guard.reach().await;
        match self.guard.health() {
            Some(health) => health,
            None => self.inner.health().await,
        }
    }

    fn damage(&self) -> &Damage {
        self.inner.damage()
    }

    async fn close(&self) {}
}
