//! Plans on their way to the disk: while one group of them is synced the next is planned. What is on its way is planned
//! anew only when it is known what became of it.

use std::{
    collections::{HashMap, HashSet},
    hash::Hash,
    sync::Arc,
};

use tokio::task::{Id, JoinError, JoinSet};

use super::planned::Planned;
use crate::{
    alert::{AlertId, ThreadKey},
    store::{AlertWrite, Commit, Lane, Store, StoreError},
};

/// Most groups on their way.
const GROUPS_MAX: usize = 2;

#[derive(Default)]
pub(super) struct Writing {
    commits: JoinSet<Result<Vec<Commit>, StoreError>>,
    groups: HashMap<Id, Group>,
    /// How many groups there were.
    begun: u64,
    /// How many writes on their way are about each: as an alert, or as a digest that is to count one.
    busy: HashMap<AlertId, usize>,
    threads: HashMap<ThreadKey, usize>,
    /// These wait for one that is busy.
    held: HashSet<AlertId>,
}

struct Group {
    number: u64,
    planned: Vec<Planned>,
    writes: Arc<Vec<AlertWrite>>,
}

/// A group of which it is known what became of it.
pub(super) struct Written {
    pub(super) planned: Vec<Planned>,
    pub(super) writes: Vec<AlertWrite>,
    /// Of the task that wrote it: it may have panicked.
    pub(super) commits: Result<Result<Vec<Commit>, StoreError>, JoinError>,
}

impl Writing {
    pub(super) fn is_full(&self) -> bool {
        GROUPS_MAX <= self.groups.len()
    }

    pub(super) fn is_empty(&self) -> bool {
        self.groups.is_empty()
    }

    /// Of the group that is begun next.
    pub(super) fn next_number(&self) -> u64 {
        self.begun + 1
    }

    /// The groups up to this one are written, or will not be.
    pub(super) fn is_past(&self, number: u64) -> bool {
        self.groups.values().all(|group| number < group.number)
    }

    /// Nothing is to be decided of this one before more is known.
    pub(super) fn is_busy(&self, id: AlertId) -> bool {
        self.busy.contains_key(&id) || self.held.contains(&id)
    }

    /// True if another round of the same dedup key is on its way: what is decided of this one depends on it.
    pub(super) fn hold(&mut self, id: AlertId, thread: ThreadKey) -> bool {
        let is_held = self.threads.contains_key(&thread);
        if is_held {
            self.held.insert(id);
        }
        is_held
    }

    pub(super) fn begin(&mut self, store: &Arc<dyn Store>, planned: Vec<Planned>, writes: Vec<AlertWrite>) {
        for id in planned.iter().flat_map(Planned::about) {
            *self.busy.entry(id).or_default() += 1;
        }
        for write in &writes {
            *self.threads.entry(write.alert.thread()).or_default() += 1;
        }
        let (store, writes) = (Arc::clone(store), Arc::new(writes));
        let commit = {
            let writes = Arc::clone(&writes);
            async move { store.commit(Lane::Deliver, &writes).await }
        };
        let id = self.commits.spawn(commit).id();
        self.begun += 1;
        self.groups.insert(id, Group { number: self.begun, planned, writes });
    }

    /// The next group of which that is known; `None` if none is on its way.
    pub(super) async fn next(&mut self) -> Option<Written> {
        let joined = self.commits.join_next_with_id().await?;
        self.end(joined)
    }

    /// As [`Writing::next`], without waiting.
    pub(super) fn try_next(&mut self) -> Option<Written> {
        let joined = self.commits.try_join_next_with_id()?;
        self.end(joined)
    }

    fn end(&mut self, joined: Result<(Id, Result<Vec<Commit>, StoreError>), JoinError>) -> Option<Written> {
        let (id, commits) = match joined {
            Ok((id, commits)) => (id, Ok(commits)),
            Err(error) => (error.id(), Err(error)),
        };
        let Group { planned, writes, .. } = self.groups.remove(&id)?;
        for id in planned.iter().flat_map(Planned::about) {
            one_less(&mut self.busy, &id);
        }
        self.held.clear();
        for write in writes.iter() {
            one_less(&mut self.threads, &write.alert.thread());
        }
        let writes = Arc::try_unwrap(writes).unwrap_or_else(|writes| (*writes).clone());
        Some(Written { planned, writes, commits })
    }
}

fn one_less<K: Eq + Hash>(counts: &mut HashMap<K, usize>, key: &K) {
    if let Some(count) = counts.get_mut(key) {
        *count -= 1;
        if *count == 0 {
            counts.remove(key);
        }
    }
}
