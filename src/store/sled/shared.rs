//! What the writer thread and the readers share.

use std::{
    collections::{HashMap, HashSet},
    sync::{
        Arc, Mutex, MutexGuard, PoisonError, Weak,
        atomic::{AtomicBool, AtomicU64, Ordering::Relaxed},
    },
    thread,
    time::Duration,
};

use ::sled::Batch;
#[cfg(test)]
use ::sled::IVec;
use tokio::sync::{Notify, watch};

use super::{
    Options,
    group::{Effects, Move},
    handle::{Handle, failure, guarded},
    keys,
    patience::patient,
    walk::Order,
};
use crate::{
    alert::{AlertId, Epoch},
    store::{
        Damage, Health, StoreError,
        codec::{self, Header},
        damage::{self, SCHEDULE_ROW},
        schedule::{Entry, Schedule},
    },
};

#[derive(Debug)]
pub(super) struct Shared {
    /// The engine, or why there is none at present.
    state: watch::Sender<Result<Arc<Handle>, StoreError>>,
    schedule: Mutex<Schedule>,
    epoch: AtomicU64,
    pub(super) due_changed: Arc<Notify>,
    unsynced: Mutex<Unsynced>,
    /// Number of the last group that is over, well or not.
    over: watch::Sender<u64>,
    free_bytes: AtomicU64,
    free_bytes_min: u64,
    is_moved: AtomicBool,
    pub(super) patience: Duration,
    pub(super) damage: Damage,
    /// What the next groups run into.
    #[cfg(test)]
    pub(super) faults: Mutex<std::collections::VecDeque<Fault>>,
}

/// The group that readers can see already and a power cut can still take back.
#[derive(Debug, Default)]
struct Unsynced {
    group: u64,
    ids: HashSet<AlertId>,
}

#[cfg(test)]
#[derive(Clone, Debug)]
pub(super) enum Fault {
    Error,
    /// Of the group only this key is written, with this value.
    Halfway(IVec, IVec),
    Panic,
}

impl Shared {
    pub(super) fn new(options: Options) -> Self {
        Self {
            damage: Damage::default(),
            state: watch::Sender::new(Err(StoreError::Unavailable("it is being opened".to_owned()))),
            schedule: Mutex::default(),
            epoch: AtomicU64::default(),
            due_changed: Arc::new(Notify::new()),
            unsynced: Mutex::default(),
            over: watch::Sender::new(0),
            free_bytes: AtomicU64::new(u64::MAX),
            free_bytes_min: options.free_bytes_min,
            is_moved: AtomicBool::new(false),
            patience: options.patience,
            #[cfg(test)]
            faults: Mutex::default(),
        }
    }

    /// For threads that may block: the last one who lets go of an engine closes it.
    pub(super) fn handle(&self) -> Result<Arc<Handle>, StoreError> {
        self.state.borrow().clone()
    }

    pub(super) fn is_open(&self) -> Result<(), StoreError> {
        self.state.borrow().as_ref().map(|_| ()).map_err(StoreError::clone)
    }

    /// With all that is in its schedule; of alerts `in_doubt` the documents go before their rows. False if these could not be
    /// written.
    pub(super) fn opened(
        &self,
        handle: Arc<Handle>,
        in_doubt: &HashSet<AlertId>,
    ) -> Result<bool, StoreError> {
        let mut schedule = schedule_in(&handle, &self.damage)?;
        let mut entries = HashMap::with_capacity(in_doubt.len());
        for id in in_doubt {
            let header = match header_of(&handle, *id) {
                // It was never written.
                Ok(None) => continue,
                Err(error @ StoreError::Unavailable(_)) => return Err(error),
                header => header.ok().flatten(),
            };
            entries.insert(*id, Entry::by_header(*id, header));
        }
        schedule.replace(&entries);
        let written = guarded(|| write_rows(&handle, &entries));
        if let Err(problem) = &written {
            tracing::error!(%problem, "could not write the rows of what is in doubt");
        }
        *self.schedule() = schedule;
        self.opened_again(handle);
        Ok(written.is_ok())
    }

    /// It is as this process has left it, and so is the schedule.
    pub(super) fn opened_again(&self, handle: Arc<Handle>) {
        drop(self.state.send_replace(Ok(handle)));
        self.due_changed.notify_one();
    }

    /// No engine until further notice. Readers that wait for the running group find out.
    pub(super) fn closed(&self, problem: &str) {
        drop(self.state.send_replace(Err(StoreError::Unavailable(problem.to_owned()))));
        self.end_group();
    }

    /// Announces what a group is about to change, before anybody can see it.
    pub(super) fn begin_group(&self, ids: HashSet<AlertId>) {
        let mut unsynced = locked(&self.unsynced);
        unsynced.group += 1;
        unsynced.ids = ids;
    }

    /// The group survives a power cut now.
    pub(super) fn synced(&self, effects: &Effects) {
        self.epoch.store(effects.epoch.0, Relaxed);
        let mut schedule = self.schedule();
        for Move { before, after } in &effects.moves {
            schedule.put(*before, *after);
        }
        drop(schedule);
        self.end_group();
        if effects.wakes() {
            // Leaves a permit if dispatch is not waiting just now, so no wake-up is lost.
            self.due_changed.notify_one();
        }
    }

    /// Waits until what was read of these alerts survives a power cut: an event that joins an
    /// alert is answered on the strength of it.
    pub(super) async fn settled(&self, engine: &Weak<Handle>, ids: &[AlertId]) -> Result<(), StoreError> {
        let group = {
            let unsynced = locked(&self.unsynced);
            ids.iter().any(|id| unsynced.ids.contains(id)).then_some(unsynced.group)
        };
        if let Some(group) = group {
            let mut over = self.over.subscribe();
            let closed = |_| StoreError::Unavailable("it was closed".to_owned());
            self.written(async { over.wait_for(|over| group <= *over).await.map(drop).map_err(closed) })
                .await?;
        }
        // If that group failed, its engine is gone.
        match &*self.state.borrow() {
            Ok(current) if std::ptr::eq(Arc::as_ptr(current), engine.as_ptr()) => Ok(()),
            Ok(_) => Err(StoreError::Unavailable("it was reopened meanwhile".to_owned())),
            Err(error) => Err(error.clone()),
        }
    }

    /// Waits for what the writer thread does, as long as it gets from group to group.
    pub(super) async fn written<T>(
        &self,
        work: impl Future<Output = Result<T, StoreError>>,
    ) -> Result<T, StoreError> {
        patient(self.patience, work, || *self.over.borrow()).await
    }

    /// As the last group that survives a power cut has left it.
    pub(super) fn schedule(&self) -> MutexGuard<'_, Schedule> {
        locked(&self.schedule)
    }

    /// Of the present lead.
    pub(super) fn epoch(&self) -> Epoch {
        Epoch(self.epoch.load(Relaxed))
    }

    pub(super) fn note_damaged(&self, id: AlertId, detail: &str) {
        self.damage.note(damage::ALERT, id, detail);
    }

    pub(super) fn set_free_bytes(&self, free_bytes: u64) {
        self.free_bytes.store(free_bytes, Relaxed);
    }

    pub(super) fn set_moved(&self, is_moved: bool) {
        self.is_moved.store(is_moved, Relaxed);
    }

    pub(super) fn room(&self) -> Result<(), StoreError> {
        if self.is_moved.load(Relaxed) {
            return Err(StoreError::Unavailable("its folder was removed or moved".to_owned()));
        }
        let (free_bytes, limit_bytes) = (self.free_bytes.load(Relaxed), self.free_bytes_min);
        if free_bytes < limit_bytes { Err(StoreError::Full { free_bytes, limit_bytes }) } else { Ok(()) }
    }

    pub(super) fn health(&self) -> Health {
        let closed = self.is_open().and_then(|()| self.room()).err();
        let free_bytes = self.free_bytes.load(Relaxed);
        Health {
            problem: closed.map(|error| error.to_string()),
            free_bytes: (free_bytes != u64::MAX).then_some(free_bytes),
            is_moved: self.is_moved.load(Relaxed),
            scheduled: self.schedule().len(),
            damaged: self.damage.counts(),
        }
    }

    #[cfg(test)]
    pub(super) fn watch_state(&self) -> watch::Receiver<Result<Arc<Handle>, StoreError>> {
        self.state.subscribe()
    }

    #[cfg(test)]
    pub(super) fn run_into_fault(&self, handle: &Handle) -> Result<(), ::sled::Error> {
        let error = || Err(::sled::Error::ReportableBug("a fault made by a test".to_owned()));
        match locked(&self.faults).pop_front() {
            None => Ok(()),
            Some(Fault::Error) => error(),
            Some(Fault::Halfway(key, value)) => {
                handle.db().insert(key, value)?;
                error()
            }
            Some(Fault::Panic) => panic!("a panic made by a test"),
        }
    }

    fn end_group(&self) {
        let mut unsynced = locked(&self.unsynced);
        unsynced.ids.clear();
        self.over.send_replace(unsynced.group);
    }
}

/// The rows of the schedule; where one does not read, what its document says.
fn schedule_in(handle: &Handle, damage: &Damage) -> Result<Schedule, StoreError> {
    let (mut entries, is_whole) = rows_in(handle, damage);
    if !is_whole {
        damage.note(
            SCHEDULE_ROW,
            "several",
            "the schedule does not read as a whole, it is made again from the alerts",
        );
        let known: HashSet<AlertId> = entries.iter().map(|entry| entry.place.id).collect();
        for document in handle.walk(keys::beginning_with(keys::ALERTS), Order::Ascending, damage) {
            let Some(id) = keys::alert_of(&document?.0).filter(|id| !known.contains(id)) else { continue };
            entries.extend(Entry::by_header(id, header_of(handle, id).ok().flatten()));
        }
    }
    Ok(entries.into_iter().collect())
}

/// But for those whose page does not read.
fn write_rows(handle: &Handle, entries: &HashMap<AlertId, Option<Entry>>) -> Result<(), StoreError> {
    let mut batch = Batch::default();
    for (id, entry) in entries {
        let key = keys::scheduled(*id);
        match (handle.get(&key), entry) {
            (Err(StoreError::Damaged(_)), _) => {}
            (Err(error), _) => return Err(error),
            (Ok(_), Some(entry)) => batch.insert(&key, entry.to_bytes()),
            (Ok(_), None) => batch.remove(&key),
        }
    }
    if entries.is_empty() { Ok(()) } else { handle.apply(batch).map_err(|error| failure(&error)) }
}

/// All rows, by two threads from both ends: with a million of them a start waits for nothing else. False if some cannot be
/// read.
fn rows_in(handle: &Handle, damage: &Damage) -> (Vec<Entry>, bool) {
    let [earlier, later] = handle.halves(keys::beginning_with(keys::SCHEDULE));
    let part = |keys| {
        let (passed_over, mut entries, mut is_whole) = (Damage::default(), Vec::new(), true);
        for row in handle.walk(keys, Order::Ascending, &passed_over) {
            let Ok((key, row)) = row else {
                is_whole = false;
                break;
            };
            let Some(id) = keys::scheduled_of(&key) else { continue };
            match Entry::from_bytes(id, &row) {
                Ok(entry) => entries.push(entry),
                Err(error) => {
                    damage.note(SCHEDULE_ROW, id, error);
                    entries.extend(Entry::by_header(id, header_of(handle, id).ok().flatten()));
                }
            }
        }
        (entries, is_whole && passed_over.counts().is_empty())
    };
    thread::scope(|scope| {
        let later = scope.spawn(|| part(later));
        let (mut entries, is_whole) = part(earlier);
        let Ok((rest, rest_is_whole)) = later.join() else { return (entries, false) };
        entries.reserve_exact(rest.len());
        entries.extend(rest);
        (entries, is_whole && rest_is_whole)
    })
}

fn header_of(handle: &Handle, id: AlertId) -> Result<Option<Header>, StoreError> {
    let newest = guarded(|| match handle.get(&keys::rest(id))? {
        None => handle.get(&keys::alert(id)),
        rest => Ok(rest),
    })?;
    let header = newest.map(|newest| codec::decode_header(&newest)).transpose();
    header.map_err(|error| StoreError::Damaged(error.to_string()))
}

/// Every lock here guards plain data that a panic elsewhere cannot leave half changed.
fn locked<T>(mutex: &Mutex<T>) -> MutexGuard<'_, T> {
    mutex.lock().unwrap_or_else(PoisonError::into_inner)
}
