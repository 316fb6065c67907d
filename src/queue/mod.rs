//! 2. DEDUPE + QUEUE: events become alerts, once, durably.
//!
//! Deciding is pure ([`admit()`]); this module looks up what is known, writes what was decided in
//! one atomic write per alert, and decides again where somebody else was faster.

mod act;
mod admit;
mod repeats;
mod seen;

#[cfg(test)]
mod tests;

use std::{collections::HashMap, sync::Arc};

use jiff::SignedDuration;
use serde::Serialize;
use tracing::error;

pub use self::act::{Action, ActionError};
pub use self::admit::{Arrival, Decision, IDEMPOTENCY_KEEP, NOTED_KEEP, TEST_CLOSES_AFTER, admit};
pub use self::repeats::BodyDigest;
use self::{repeats::Repeats, seen::SeenCounts};
use crate::{
    alert::{Admission, Alert, AlertId, DedupKey, Event, EventStatus, IgnoreReason, OURS, ThreadKey},
    chance,
    clock::Clock,
    store::{AlertWrite, Commit, Expect, Lane, Store, StoreError, Stored},
};

/// How often a write is decided anew because somebody else was faster. Each time somebody else
/// has succeeded, so only a store gone wrong comes near it.
const CONFLICTS_MAX: u32 = 64;

/// Most events of one request that are looked up and written together: what is known of them is in memory
/// meanwhile.
const EVENTS_AT_ONCE_MAX: usize = 1_024;

pub struct Queue {
    store: Arc<dyn Store>,
    clock: Arc<dyn Clock>,
    seen: SeenCounts,
    repeats: Repeats,
}

#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct Admitted {
    pub alert_id: Option<AlertId>,
    pub dedup_key: DedupKey,
    pub admission: Admission,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub reason: Option<IgnoreReason>,
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

/// The events of one dedup key within one request, and what is known of that key.
struct Thread<'a> {
    events: Vec<(usize, &'a Event)>,
    known: Option<Box<Stored>>,
}

impl Queue {
    pub fn new(store: Arc<dyn Store>, clock: Arc<dyn Clock>) -> Self {
        Self { store, clock, seen: SeenCounts::default(), repeats: Repeats::default() }
    }

    /// Admits events: one result each, in order. When this returns `Ok`, all of them are durable.
    pub async fn admit(&self, poster: Poster<'_>, events: &[Event]) -> Result<Vec<Admitted>, StoreError> {
        let mut results = Vec::with_capacity(events.len());
        for some in events.chunks(EVENTS_AT_ONCE_MAX) {
            results.extend(self.admit_some(poster, some).await?);
        }
        Ok(results)
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
        let standings = self.store.standings(threads).await?;
        let again = known.iter().zip(standings).map(|(known, standing)| known.again(standing).cloned());
        let Some(admitted) = again.collect::<Option<Vec<Admitted>>>() else { return Ok(None) };
        let now = self.clock.now();
        let open = known.iter().zip(&admitted).filter(|(known, _)| known.is_open());
        self.seen.count(open.filter_map(|(_, admitted)| admitted.alert_id), now, poster.close_after);
        Ok(Some(admitted))
    }

    /// Remembers what became of a body, for when it comes again.
    pub fn remember(&self, poster: Poster<'_>, body: BodyDigest, events: &[Event], admitted: &[Admitted]) {
        self.repeats.remember(body, poster.integration, events, admitted);
    }

    async fn admit_some(&self, poster: Poster<'_>, events: &[Event]) -> Result<Vec<Admitted>, StoreError> {
        let mut results: Vec<Option<Admitted>> = vec![None; events.len()];
        let mut threads = self.look_up(poster.integration, events).await?;
        for _ in 0..CONFLICTS_MAX {
            let mut writes = Vec::new();
            let mut written = Vec::new();
            for thread in threads {
                let (write, admitted) = self.apply(poster, &thread);
                let covered = admitted.len();
                for (index, admitted) in admitted {
                    if let Some(result) = results.get_mut(index) {
                        *result = Some(admitted);
                    }
                }
                if let Some(write) = write {
                    writes.push(write);
                    written.push((thread, covered));
                }
            }
            if writes.is_empty() {
                break;
            }
            threads = self.write(poster.lane(), writes, written).await?;
        }
        let missing = || StoreError::Unavailable("too many writers on one dedup key".into());
        results.into_iter().map(|result| result.ok_or_else(missing)).collect()
    }

    /// Groups events by dedup key. A single firing event is not looked up: it is most likely new,
    /// and the store tells if it is not.
    async fn look_up<'a>(
        &self,
        integration: &str,
        events: &'a [Event],
    ) -> Result<Vec<Thread<'a>>, StoreError> {
        let mut order = Vec::new();
        let mut by_key: HashMap<ThreadKey, Vec<(usize, &Event)>> = HashMap::new();
        for (index, event) in events.iter().enumerate() {
            let key = ThreadKey::new(integration, &event.dedup_key);
            if !by_key.contains_key(&key) {
                order.push(key);
            }
            by_key.entry(key).or_default().push((index, event));
        }
        let known = match events {
            [event] if event.status == EventStatus::Firing => vec![None],
            _ => self.store.find_threads(order.clone()).await?,
        };
        let threads = order.into_iter().zip(known).map(|(key, known)| Thread {
            events: by_key.remove(&key).unwrap_or_default(),
            known: known.map(Box::new),
        });
        Ok(threads.collect())
    }

    /// Each thread comes with how many of its events the write covers. The threads that are not done with.
    async fn write<'a>(
        &self,
        lane: Lane,
        writes: Vec<AlertWrite>,
        threads: Vec<(Thread<'a>, usize)>,
    ) -> Result<Vec<Thread<'a>>, StoreError> {
        let commits = self.store.commit(lane, &writes).await?;
        let mut again = Vec::new();
        for ((commit, AlertWrite { alert, .. }), (mut thread, covered)) in
            commits.into_iter().zip(writes).zip(threads)
        {
            match commit {
                Commit::Done(version) => {
                    self.seen.forget(alert.id);
                    thread.events.drain(..covered);
                    thread.known = Some(Box::new(Stored { alert, version }));
                }
                Commit::Conflict(current) => thread.known = current,
                Commit::Refused(error) => return Err(error),
            }
            if !thread.events.is_empty() {
                again.push(thread);
            }
        }
        Ok(again)
    }

    pub fn with_seen(&self, mut alert: Alert) -> Alert {
        self.seen.add_to(&mut alert);
        alert
    }

    /// Saves what was counted since the last save; called every minute.
    pub async fn save_seen(&self) -> Result<(), StoreError> {
        for id in self.seen.ids() {
            let current = match self.store.get(id).await {
                Err(error @ StoreError::Damaged(_)) => {
                    error!(alert.id = %id, "could not save when alert {id} was seen: {error}");
                    self.seen.forget(id);
                    continue;
                }
                current => current?,
            };
            if let Some(Stored { mut alert, version }) = current {
                self.seen.add_to(&mut alert);
                let write = AlertWrite::of(alert, Expect::Version(version), Some(self.clock.now()));
                let commits = self.store.commit(Lane::Deliver, &[write]).await?;
                if matches!(commits.first(), Some(Commit::Done(_))) {
                    self.seen.forget(id);
                }
            }
        }
        Ok(())
    }

    /// Applies the thread's events in order, as far as one document goes: a new round after an
    /// unsaved change of the old one has to wait.
    fn apply(&self, poster: Poster<'_>, thread: &Thread<'_>) -> (Option<AlertWrite>, Vec<(usize, Admitted)>) {
        let mut pending: Option<(Alert, Expect)> = None;
        let mut results = Vec::new();
        for (index, event) in &thread.events {
            let known = pending
                .as_ref()
                .map(|(alert, _)| alert)
                .or(thread.known.as_ref().map(|stored| &stored.alert));
            let arrival = Arrival {
                integration: poster.integration,
                now: self.clock.now(),
                close_after: event.expires_after.unwrap_or(poster.close_after),
                entropy: chance::bytes(),
            };
            let known_id = known.map(|alert| alert.id);
            let (alert_id, admission, reason) = match admit(known, event, &arrival) {
                Decision::Write(alert, admission, reason) => {
                    let is_new = known_id != Some(alert.id);
                    if is_new && pending.is_some() {
                        break;
                    }
                    let expect = match (&pending, &thread.known) {
                        (Some((_, expect)), _) => *expect,
                        (None, Some(stored)) if !is_new => Expect::Version(stored.version),
                        (None, _) => Expect::NewRound,
                    };
                    let id = alert.id;
                    pending = Some((*alert, expect));
                    (Some(id), admission, reason)
                }
                Decision::Seen(admission) => {
                    self.note_seen(&mut pending, thread.known.as_deref(), &arrival);
                    (known_id, admission, None)
                }
                Decision::Ignore(reason) => (known_id, Admission::Ignored, Some(reason)),
            };
            results
                .push((*index, Admitted { alert_id, dedup_key: event.dedup_key.clone(), admission, reason }));
        }
        let write = pending.map(|(mut alert, expect)| {
            self.seen.add_to(&mut alert);
            AlertWrite::of(alert, expect, Some(self.clock.now()))
        });
        (write, results)
    }

    /// Counts an event that changed nothing; saves the count if the last save is a minute old.
    fn note_seen(
        &self,
        pending: &mut Option<(Alert, Expect)>,
        known: Option<&Stored>,
        arrival: &Arrival<'_>,
    ) {
        if let Some((alert, _)) = pending {
            alert.count += 1;
            alert.last_seen_at = arrival.now;
        } else if let Some(stored) = known {
            self.seen.count([stored.alert.id], arrival.now, arrival.close_after);
            if stored.alert.is_open()
                && seen::SAVE_EVERY <= arrival.now.duration_since(stored.alert.last_seen_at)
            {
                *pending = Some((stored.alert.clone(), Expect::Version(stored.version)));
            }
        }
    }
}
