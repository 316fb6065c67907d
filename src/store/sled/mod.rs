//! The embedded engine: sled 0.34.7, one tree, one thread that writes.
//!
//! | key | value |
//! |---|---|
//! | `a/` alert id | document, or what it begins as |
//! | `b/` alert id | the rest of it, where it was written again since |
//! | `p/` alert id, number | what a long rest goes on in |
//! | `t/` thread | id and number of its latest round |
//! | `q/` alert id | when it wants to be planned, how urgent that is, and what it waits for |
//! | `j/` alert id, first row | journal chunk |
//! | `f/` digest id, alert id | what a digest keeps of an alert |
//! | `s/` ms, alert id, version, number | a charge |
//! | `r/` kind `/` key | a small record of its own |
//! | `m/format` | format of the store |
//! | `m/group` | number of the last group of writes |
//!
//! Callers encode and hand their writes over a lane; the [`writer`] thread checks a group of
//! them, applies one batch, syncs, and only then answers. Any error of a write closes the engine and
//! opens it again; nothing is ever deleted to get going.

#![expect(clippy::disallowed_types, reason = "the only folder that talks to sled")]

mod document;
mod due;
mod group;
mod handle;
mod handover;
mod keys;
mod lanes;
mod list;
mod open;
mod patience;
mod progress;
mod read;
mod readers;
mod shared;
mod walk;
mod work;
mod writer;

#[cfg(test)]
mod tests;

use std::{
    iter,
    ops::Range,
    path::Path,
    sync::{Arc, Mutex, PoisonError, mpsc},
    thread::{self, JoinHandle},
    time::Duration,
};

use ::sled::IVec;
use async_trait::async_trait;
use jiff::Timestamp;
use serde_json::Value;
use tokio::sync::Notify;

pub use self::open::OpenError;
use self::{
    document::Reader,
    handover::Handover,
    lanes::{Lanes, MESSAGE_WRITES_MAX, Way},
    open::OpenFailure,
    patience::PATIENCE,
    readers::Readers,
    shared::Shared,
    work::{Draft, FORGOTTEN_PER_WRITE, Found, Verdict, Work},
    writer::Writer,
};
use super::{
    AlertFilter, AlertPage, AlertWrite, Commit, Damage, Due, FREE_BYTES_MIN, Health, Lane, Lead, Place,
    Sought, SoughtPage, Standing, Store, StoreError, Stored, Wanted,
    codec::{self, Beginning},
};
use crate::alert::{AlertId, Charge, FoldRow, Row, ThreadKey};

const REOPEN_PAUSE: Duration = Duration::from_secs(1);

/// What a document goes on in that is one value.
const NONE: &[IVec] = &[];

#[derive(Debug)]
pub struct SledStore {
    shared: Arc<Shared>,
    readers: Readers,
    handover: Handover,
    writer: Mutex<Option<JoinHandle<()>>>,
}

/// What tests set differently.
#[derive(Clone, Copy, Debug)]
struct Options {
    free_bytes_min: u64,
    reopen_pause: Duration,
    patience: Duration,
}

impl SledStore {
    /// Opens the store in this folder; creates it where the folder is empty or missing. Blocks
    /// while sled reads its log, for seconds with a large one. On a disk that is full, fails or hangs it is opened as soon
    /// as that is over, and not available until then.
    pub fn open(path: &Path) -> Result<Self, OpenError> {
        let (free_bytes_min, reopen_pause) = (FREE_BYTES_MIN, REOPEN_PAUSE);
        Self::open_with(path, Options { free_bytes_min, reopen_pause, patience: PATIENCE })
    }

    fn open_with(path: &Path, options: Options) -> Result<Self, OpenError> {
        Self::start(path, options).map_err(|cause| OpenError { path: path.to_owned(), cause })
    }

    fn start(path: &Path, options: Options) -> Result<Self, OpenFailure> {
        let (shared, lanes) = (Arc::new(Shared::new(options)), Arc::new(Lanes::new()));
        let writer =
            Writer::new(path.to_owned(), Arc::clone(&shared), Arc::clone(&lanes), options.reopen_pause);
        let (opening, opened) = mpsc::channel();
        let thread =
            thread::Builder::new().name("bongsu-store".to_owned()).spawn(move || writer.run(&opening))?;
        let handover = Handover::new(Arc::clone(&shared), lanes);
        let store = Self { shared, readers: Readers::default(), handover, writer: Mutex::new(Some(thread)) };
        match opened.recv_timeout(options.patience) {
            Ok(Err(failure)) if failure.may_pass() => {
                tracing::error!(problem = %failure, path = %path.display(), "could not open the store yet");
            }
            Ok(opened) => opened?,
            Err(_) => {
                let seconds = options.patience.as_secs();
                tracing::error!(path = %path.display(), "the store has not opened for {seconds} s");
            }
        }
        Ok(store)
    }

    async fn look_up<T: Send + 'static>(
        &self,
        find: impl FnOnce(&Reader) -> Result<T, StoreError> + Send + 'static,
    ) -> Result<T, StoreError> {
        self.readers.look_ups.read(&self.shared, find).await
    }

    /// As [`SledStore::look_up`]; what is found of the alerts named by `ids` survives a power cut.
    async fn look_up_settled<T: Send + 'static>(
        &self,
        find: impl FnOnce(&Reader) -> Result<T, StoreError> + Send + 'static,
        ids: impl FnOnce(&T) -> Vec<AlertId>,
    ) -> Result<T, StoreError> {
        let (found, engine) = self.look_up(move |reader| Ok((find(reader)?, reader.engine()))).await?;
        self.shared.settled(&engine, &ids(&found)).await?;
        Ok(found)
    }

    async fn scan<T: Send + 'static>(
        &self,
        scan: impl FnOnce(&Reader) -> Result<T, StoreError> + Send + 'static,
    ) -> Result<T, StoreError> {
        self.readers.scans.read(&self.shared, scan).await
    }

    async fn commit_of(&self, verdict: Verdict) -> Result<Commit, StoreError> {
        let (id, damaged) = match verdict {
            Verdict::Written(version) => return Ok(Commit::Done(version)),
            Verdict::Conflict(None) => return Ok(Commit::Conflict(None)),
            Verdict::Conflict(Some(Found { id, newest, beginning })) => {
                let read = codec::decode_header(&newest).and_then(|header| {
                    let beginning = beginning.as_deref();
                    let is_its = |begins: Beginning| {
                        let found = codec::decode_header(beginning.unwrap_or_default());
                        found.is_ok_and(|found| found.version == begins.version)
                    };
                    // A long one is read again as a whole: it may have been written since.
                    let is_whole = header.further == 0 && header.begins.is_none_or(is_its);
                    is_whole.then(|| codec::decode_alert(header, &newest, beginning, NONE)).transpose()
                });
                match read {
                    Ok(Some(current)) => return Ok(Commit::Conflict(Some(Box::new(current)))),
                    Ok(None) => match self.get(id).await {
                        Ok(current) => return Ok(Commit::Conflict(current.map(Box::new))),
                        Err(StoreError::Damaged(detail)) => (id, detail),
                        Err(error) => return Err(error),
                    },
                    Err(error) => (id, format!("alert {id}: {error}")),
                }
            }
            Verdict::Damaged(id, detail) => (id, detail),
            Verdict::LeadLost { planned, now } => {
                return Ok(Commit::Failed(StoreError::LeadLost { planned, now }));
            }
        };
        self.shared.note_damaged(id, &damaged);
        Ok(Commit::Failed(StoreError::Damaged(damaged)))
    }

    fn take_writer(&self) -> Option<JoinHandle<()>> {
        self.writer.lock().unwrap_or_else(PoisonError::into_inner).take()
    }
}

/// The writer thread finishes what it has and ends; this does not wait for it.
impl Drop for SledStore {
    fn drop(&mut self) {
        self.handover.close();
    }
}

#[async_trait]
impl Store for SledStore {
    async fn commit(&self, lane: Lane, writes: &[AlertWrite]) -> Result<Vec<Commit>, StoreError> {
        self.shared.is_open()?;
        // Joining, acknowledging and resolving go on in a full store, as delivering does.
        if lane == Lane::Accept && writes.iter().any(|write| write.expect.is_new()) {
            self.shared.room()?;
        }
        let (mut drafts, mut refused) = (Vec::with_capacity(writes.len()), Vec::new());
        for (place, write) in writes.iter().enumerate() {
            match Draft::new(write) {
                Ok(draft) => drafts.push(draft),
                Err(error) => refused.push((place, Commit::Failed(error))),
            }
        }

        let mut commits = Vec::with_capacity(writes.len());
        for (count, done) in self.handover.write_all(lane, drafts).await {
            match done {
                Ok(done) => {
                    for verdict in done.verdicts {
                        commits.push(self.commit_of(verdict).await.unwrap_or_else(Commit::Failed));
                    }
                }
                Err(error) => commits.extend(iter::repeat_n(Commit::Failed(error), count)),
            }
        }
        // In the order of their places, so each is inserted where it belongs.
        for (place, refused) in refused {
            commits.insert(place, refused);
        }
        Ok(commits)
    }

    async fn get(&self, id: AlertId) -> Result<Option<Stored>, StoreError> {
        self.look_up_settled(move |reader| reader.alert(id), |_| vec![id]).await
    }

    async fn find_threads(&self, threads: Vec<ThreadKey>) -> Result<Vec<Option<Stored>>, StoreError> {
        self.handover.catch_up().await?;
        let find = |reader: &Reader| threads.into_iter().map(|thread| reader.latest_round(thread)).collect();
        let ids =
            |found: &Vec<Option<Stored>>| found.iter().flatten().map(|stored| stored.alert.id).collect();
        self.look_up_settled(find, ids).await
    }

    async fn standings(&self, threads: Vec<ThreadKey>) -> Result<Vec<Option<Standing>>, StoreError> {
        self.handover.catch_up().await?;
        let find = |reader: &Reader| threads.into_iter().map(|thread| reader.standing(thread)).collect();
        let ids =
            |found: &Vec<Option<Standing>>| found.iter().flatten().map(|standing| standing.id).collect();
        self.look_up_settled(find, ids).await
    }

    async fn lead(&self) -> Result<Lead, StoreError> {
        let epoch = self.handover.finish(Lane::Deliver, Work::Lead).await?.epoch;
        Ok(Lead { epoch })
    }

    async fn due(&self, now: Timestamp, limit: usize, wanted: Wanted<'_>) -> Result<Due, StoreError> {
        self.shared.is_open()?;
        let places = self.shared.schedule().due(now, limit, wanted);
        let (at_hand, places): (Vec<_>, Vec<_>) =
            places.into_iter().partition(|place| (wanted.at_hand)(place.id));
        // Mostly there is nothing to read, and nobody waits for a thread then.
        let read = if places.is_empty() {
            Due::default()
        } else {
            self.look_up(move |reader| reader.due(&places)).await?
        };
        Ok(Due { at_hand: at_hand.into_iter().map(|place| place.id).collect(), ..read })
    }

    async fn next_due(&self, wanted: Wanted<'_>) -> Result<Option<Timestamp>, StoreError> {
        self.shared.is_open()?;
        Ok(self.shared.schedule().next_due(wanted))
    }

    async fn sought(
        &self,
        after: Option<Place>,
        sought: Sought,
        limit: usize,
    ) -> Result<SoughtPage, StoreError> {
        self.shared.is_open()?;
        let (places, next) = self.shared.schedule().sought(after, sought, limit);
        if places.is_empty() {
            return Ok(SoughtPage { alerts: Vec::new(), next });
        }
        let alerts = self.scan(move |reader| reader.placed(&places)).await?;
        Ok(SoughtPage { alerts, next })
    }

    fn due_changed(&self) -> Arc<Notify> {
        Arc::clone(&self.shared.due_changed)
    }

    async fn list(&self, filter: &AlertFilter) -> Result<AlertPage, StoreError> {
        let filter = filter.clone();
        self.scan(move |reader| reader.list(&filter)).await
    }

    async fn moved_rows(&self, id: AlertId) -> Result<Vec<Row>, StoreError> {
        self.scan(move |reader| reader.moved_rows(id)).await
    }

    async fn folds(&self, digest: AlertId) -> Result<Vec<FoldRow>, StoreError> {
        self.scan(move |reader| reader.folds(digest)).await
    }

    async fn charges(&self, since: Timestamp) -> Result<Vec<Charge>, StoreError> {
        self.scan(move |reader| reader.charges(since)).await
    }

    async fn forget_charges(&self, keep: Range<Timestamp>, limit: usize) -> Result<usize, StoreError> {
        let keys = self.scan(move |reader| reader.charges_outside(&keep, limit)).await?;
        let mut removed = 0;
        for keys in keys.chunks(MESSAGE_WRITES_MAX * FORGOTTEN_PER_WRITE) {
            removed += self.handover.finish(Way::Tidy, Work::Forget(keys.to_vec())).await?.removed;
        }
        Ok(removed)
    }

    async fn put_record(
        &self,
        lane: Lane,
        kind: &'static str,
        key: Vec<u8>,
        record: Value,
    ) -> Result<(), StoreError> {
        self.shared.is_open()?;
        let value = codec::encode_plain(&record)?.into();
        let key = [keys::records_of(kind), key].concat().into();
        self.handover.finish(lane, Work::Record { key, value }).await.map(drop)
    }

    async fn records(&self, kind: &'static str) -> Result<Vec<(Vec<u8>, Value)>, StoreError> {
        self.scan(move |reader| reader.records(kind)).await
    }

    async fn purge(&self, before: Timestamp, limit: usize) -> Result<usize, StoreError> {
        let (mut removed, mut reached) = (0, None);
        while removed < limit {
            let message = (limit - removed).min(MESSAGE_WRITES_MAX);
            let step = self.scan(move |reader| reader.purge_step(before, reached, message)).await?;
            if !step.removals.is_empty() {
                removed += self.handover.finish(Way::Tidy, Work::Remove(step.removals)).await?.removed;
            }
            reached = step.reached;
            if reached.is_none() {
                break;
            }
        }
        Ok(removed)
    }

    async fn health(&self) -> Health {
        self.shared.health()
    }

    fn damage(&self) -> &Damage {
        &self.shared.damage
    }

    async fn close(&self) {
        self.handover.close();
        if let Some(writer) = self.take_writer() {
            // A panic of the thread has been reported where it happened; one that hangs cannot be ended.
            let joined = tokio::task::spawn_blocking(|| writer.join());
            if tokio::time::timeout(self.shared.patience, joined).await.is_err() {
                tracing::error!("could not close the store: the disk does not answer");
            }
        }
    }
}
