//! 2. DEDUPE + QUEUE: events become alerts, once, durably.
//!
//! Deciding is pure ([`admit()`]); `threads` looks up what is known, writes what was decided in one atomic write
//! per alert, and what somebody else was faster with is decided again.

mod act;
mod admit;
mod arrivals;
mod decision;
mod doubt;
mod note;
mod over;
mod refused;
mod repeats;
mod round;
mod seen;
mod threads;
mod update;

#[cfg(test)]
mod tests;

use std::sync::Arc;

use jiff::{SignedDuration, Timestamp};
use serde::Serialize;
use tracing::error;

pub use self::act::{Action, ActionError};
pub use self::admit::admit;
pub use self::decision::{Arrival, Change, Decision};
pub use self::note::NOTED_KEEP;
pub use self::over::IDEMPOTENCY_KEEP;
pub use self::refused::Taking;
pub use self::repeats::BodyDigest;
pub use self::round::TEST_CLOSES_AFTER;
use self::{arrivals::Arrivals, refused::Refused, repeats::Repeats, seen::SeenCounts, threads::Thread};
use crate::{
    alert::{Admission, Alert, AlertId, DedupKey, Event, EventStatus, OURS, Reason},
    clock::Clock,
    store::{AlertWrite, Commit, Expect, Lane, Store, StoreError, Stored},
};

/// How often a write is decided anew because somebody else was faster. Each time somebody else
/// has succeeded, so only a store gone wrong comes near it.
const CONFLICTS_MAX: u32 = 64;

/// Alerts of which it is written down together how often they were seen.
const SAVED_AT_ONCE: usize = 256;

/// Most events of one request that are looked up and written together: what is known of them is in memory
/// meanwhile.
const EVENTS_AT_ONCE_MAX: usize = 1_024;

pub struct Queue {
    store: Arc<dyn Store>,
    clock: Arc<dyn Clock>,
    seen: SeenCounts,
    repeats: Repeats,
    refused: Refused,
    arrivals: Arrivals,
}

#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct Admitted {
    pub alert_id: Option<AlertId>,
    pub dedup_key: DedupKey,
    pub admission: Admission,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub reason: Option<Reason>,
}

/// Who posts, as far as the queue is concerned.
#[derive(Clone, Copy, Debug)]
pub struct Poster<'a> {
    pub integration: &'a str,
    /// An alert that no event mentions for this long resolves itself.
    pub close_after: SignedDuration,
}

impl Poster<'_> {
    /// Nobody waits for an answer to what we say ourselves, and it is written where new alerts of senders are refused.
    fn lane(&self) -> Lane {
        if self.integration == OURS { Lane::Deliver } else { Lane::Accept }
    }
}

impl Queue {
    pub fn new(store: Arc<dyn Store>, clock: Arc<dyn Clock>) -> Self {
        let refused = Refused::new(clock.clone());
        Self {
            store,
            clock,
            seen: SeenCounts::default(),
            repeats: Repeats::default(),
            refused,
            arrivals: Arrivals::default(),
        }
    }

    /// Admits events: one result each, in order. When this returns `Ok`, all of them are durable.
    pub async fn admit(&self, poster: Poster<'_>, events: &[Event]) -> Result<Vec<Admitted>, StoreError> {
        let taking = self.unless_taken();
        taking.answered(self.admit_on(poster.lane(), poster, events).await)
    }

    /// New alerts, as they were written.
    pub fn arrivals(&self) -> &Arrivals {
        &self.arrivals
    }

    /// What begins before anything is done with what a sender says.
    pub fn unless_taken(&self) -> Taking<'_> {
        self.refused.unless_taken()
    }

    /// When an event of anybody was last not taken, by this process.
    pub fn refused_at(&self) -> Option<Timestamp> {
        self.refused.last()
    }

    async fn admit_on(
        &self,
        lane: Lane,
        poster: Poster<'_>,
        events: &[Event],
    ) -> Result<Vec<Admitted>, StoreError> {
        let mut results = Vec::with_capacity(events.len());
        let mut refused = None;
        for some in events.chunks(EVENTS_AT_ONCE_MAX) {
            match self.admit_some(lane, poster, some).await {
                Ok(admitted) => results.extend(admitted),
                // What comes after it may need no new alert, and can be read.
                Err(error @ (StoreError::Full { .. } | StoreError::Damaged(_))) => refused = Some(error),
                Err(error) => return Err(error),
            }
        }
        refused.map_or(Ok(results), Err)
    }

    /// Admits a body that came before, word for word, and changes as little now as it did then: `None` if there
    /// is no such body, or any of its alerts stands otherwise.
    pub async fn admit_again(
        &self,
        poster: Poster<'_>,
        body: BodyDigest,
    ) -> Result<Option<Vec<Admitted>>, StoreError> {
        let Some(known) = self.repeats.find(body) else { return Ok(None) };
        let threads = known.iter().map(|known| known.thread).collect();
        let standings = match self.store.standings(threads).await {
            Err(StoreError::Damaged(_)) => return Ok(None),
            standings => standings?,
        };
        let again = known.iter().zip(standings).map(|(known, standing)| known.again(standing).cloned());
        let Some(admitted) = again.collect::<Option<Vec<Admitted>>>() else { return Ok(None) };
        let open = known.iter().zip(&admitted).filter(|(known, _)| known.is_open());
        let ids: Vec<AlertId> = open.filter_map(|(_, admitted)| admitted.alert_id).collect();
        if !self.seen.count_all(&ids, self.clock.now(), poster.close_after) {
            return Ok(None);
        }
        Ok(Some(admitted))
    }

    /// Remembers what became of a body, for when it comes again.
    pub fn remember(&self, poster: Poster<'_>, body: BodyDigest, events: &[Event], admitted: &[Admitted]) {
        self.repeats.remember(body, poster.integration, events, admitted);
    }

    /// A single firing event is not looked up: it is most likely new, and the store tells if it is not. A full one does
    /// not say so.
    async fn admit_some(
        &self,
        lane: Lane,
        poster: Poster<'_>,
        events: &[Event],
    ) -> Result<Vec<Admitted>, StoreError> {
        if let [event] = events
            && event.status == EventStatus::Firing
        {
            match self.admit_threads(lane, poster, vec![Thread::new(event)]).await {
                Err(StoreError::Full { .. }) => {}
                admitted => return admitted,
            }
        }
        let threads = self.look_up(poster.integration, events).await?;
        self.admit_threads(lane, poster, threads).await
    }

    async fn admit_threads(
        &self,
        lane: Lane,
        poster: Poster<'_>,
        mut threads: Vec<Thread<'_>>,
    ) -> Result<Vec<Admitted>, StoreError> {
        let mut results: Vec<Option<Admitted>> = vec![None; threads::events_left(&threads)];
        let missing = || StoreError::Unavailable("too many writers on one dedup key".into());
        let mut conflicts = 0;
        while !threads.is_empty() {
            if CONFLICTS_MAX <= conflicts {
                return Err(missing());
            }
            let left = threads::events_left(&threads);
            let mut applied = Vec::with_capacity(threads.len());
            for mut thread in threads {
                let of_thread = self.apply(poster, &mut thread);
                for (index, admitted) in &of_thread.admitted {
                    if let Some(result) = results.get_mut(*index) {
                        *result = Some(admitted.clone());
                    }
                }
                applied.push((thread, of_thread));
            }
            threads = self.write(lane, applied).await?;
            conflicts += u32::from(threads::events_left(&threads) == left);
        }
        results.into_iter().map(|result| result.ok_or_else(missing)).collect()
    }

    pub fn with_seen(&self, mut alert: Alert) -> Alert {
        self.seen.add_to(&mut alert);
        alert
    }

    /// Saves what was counted since the last save; called every minute.
    pub async fn save_seen(&self) -> Result<(), StoreError> {
        for ids in self.seen.ids().chunks(SAVED_AT_ONCE) {
            let mut writes = Vec::with_capacity(ids.len());
            for id in ids {
                match self.store.get(*id).await {
                    Err(error @ StoreError::Damaged(_)) => {
                        error!(alert.id = %id, "could not save when alert {id} was seen: {error}");
                        self.seen.forget(*id);
                    }
                    current => match current? {
                        // It could not be opened.
                        None => self.seen.forget(*id),
                        Some(Stored { mut alert, version }) => {
                            self.seen.add_to(&mut alert);
                            writes.push(AlertWrite::of(
                                alert,
                                Expect::Version(version),
                                Some(self.clock.now()),
                            ));
                        }
                    },
                }
            }
            let commits = self.store.commit(Lane::Deliver, &writes).await?;
            for (write, commit) in writes.iter().zip(commits) {
                if matches!(commit, Commit::Done(_)) {
                    self.seen.forget(write.alert.id);
                }
            }
        }
        Ok(())
    }
}
