//! What one request says of each dedup key: looked up together, decided key by key, written together.

use std::collections::HashMap;

use jiff::Timestamp;
use tracing::error;

use super::{
    Admitted, Poster, Queue,
    admit::admit,
    decision::{Arrival, Change},
    round,
};
use crate::{
    alert::{Alert, AlertState, Event, Milestone, Reason, ThreadKey},
    store::{AlertWrite, Commit, Expect, Lane, StoreError, Stored},
};

/// The events of one dedup key within one request, and what is known of that key.
pub(super) struct Thread<'a> {
    events: Vec<(usize, &'a Event)>,
    known: Option<Box<Stored>>,
    /// Its last round cannot be read: the next one begins with nothing known.
    is_damaged: bool,
}

/// What came of the first events of a thread.
#[derive(Default)]
pub(super) struct Applied {
    pub(super) admitted: Vec<(usize, Admitted)>,
    pub(super) write: Option<AlertWrite>,
    /// The round whose place the written one takes.
    over: Option<AlertWrite>,
}

/// The last round of a thread, as the events so far leave it.
struct Current {
    alert: Alert,
    /// What its write will find.
    expect: Expect,
}

impl Current {
    fn is(current: Option<&Self>, alert: &Alert) -> bool {
        current.is_some_and(|current| current.alert.id == alert.id)
    }

    /// `alert` may be the same one, changed, or a new one.
    fn after(before: Option<Self>, alert: Alert) -> Self {
        let expect = match before {
            Some(Self { alert: before, expect }) if before.id == alert.id => expect,
            Some(Self { expect: Expect::LatestRound(version), .. }) => {
                Expect::NewRound { after: Some(version) }
            }
            Some(_) | None => Expect::FIRST_ROUND,
        };
        Self { alert, expect }
    }
}

impl<'a> Thread<'a> {
    /// Of an event that is probably the first of its key.
    pub(super) fn new(event: &'a Event) -> Self {
        Self { events: vec![(0, event)], known: None, is_damaged: false }
    }
}

/// How many events are not covered by a write yet.
pub(super) fn events_left(threads: &[Thread<'_>]) -> usize {
    threads.iter().map(|thread| thread.events.len()).sum()
}

impl Queue {
    /// Groups events by dedup key.
    pub(super) async fn look_up<'a>(
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
        let known = self.find(order.clone()).await?;
        let threads = order.into_iter().zip(known).map(|(key, known)| Thread {
            events: by_key.remove(&key).unwrap_or_default(),
            is_damaged: known.is_err(),
            known: known.unwrap_or_default().map(Box::new),
        });
        Ok(threads.collect())
    }

    /// One that cannot be read does not keep the others from being found.
    async fn find(
        &self,
        threads: Vec<ThreadKey>,
    ) -> Result<Vec<Result<Option<Stored>, Damaged>>, StoreError> {
        match self.store.find_threads(threads.clone()).await {
            Err(StoreError::Damaged(_)) => {}
            found => return Ok(found?.into_iter().map(Ok).collect()),
        }
        let mut known = Vec::with_capacity(threads.len());
        for thread in threads {
            known.push(match self.store.find_threads(vec![thread]).await {
                Ok(mut found) => Ok(found.pop().flatten()),
                Err(error @ StoreError::Damaged(_)) => Err(Damaged::noted(&error)),
                Err(error) => return Err(error),
            });
        }
        Ok(known)
    }

    /// Decides the thread's events in order, as far as one document goes: a new round after an
    /// unsaved change of the old one has to wait.
    pub(super) fn apply(&self, poster: Poster<'_>, thread: &mut Thread<'_>) -> Applied {
        let now = self.clock.now();
        let mut current = thread.known.take().map(|stored| {
            let Stored { mut alert, version } = *stored;
            self.seen.add_to(&mut alert);
            alert.pull_back_heard(now);
            alert.heard.stop_moving_unless_heard_of(now);
            Current { alert, expect: Expect::LatestRound(version) }
        });
        let mut is_changed = false;
        let mut applied = Applied::default();
        for (index, event) in &thread.events {
            let arrival = Arrival {
                integration: poster.integration,
                now,
                close_after: event.expires_after.unwrap_or(poster.close_after),
                entropy: self.clock.chance().bytes(),
                first_round: if thread.is_damaged { round_past_damage(now) } else { 1 },
            };
            let decision = admit(current.as_ref().map(|current| &current.alert), event, &arrival);
            match decision.change {
                Change::Nothing => {}
                Change::Heard(alert) => {
                    let before = current.as_ref().map_or(now, |current| current.alert.last_seen_at);
                    is_changed = is_changed || !self.seen.count(&alert, before);
                    current = Some(Current::after(current, *alert));
                }
                Change::Write(alert) if !is_changed || Current::is(current.as_ref(), &alert) => {
                    current = Some(Current::after(current, *alert));
                    is_changed = true;
                }
                Change::Supersede { round, over } if !is_changed => {
                    let over = Current::after(current, *over);
                    let expect = over.expect.whichever_round();
                    applied.over = Some(AlertWrite::of(over.alert.clone(), expect, Some(now)));
                    current = Some(Current::after(Some(over), *round));
                    is_changed = true;
                }
                Change::Write(_) | Change::Supersede { .. } => break,
            }
            let about = current.as_ref().map(|current| current.alert.id);
            applied.admitted.push((
                *index,
                Admitted {
                    alert_id: about.filter(|_| decision.reason != Some(Reason::UnknownAlert)),
                    dedup_key: event.dedup_key.clone(),
                    admission: decision.admission,
                    reason: decision.reason,
                },
            ));
        }
        let changed = current.filter(|_| is_changed);
        applied.write = changed.map(|Current { alert, expect }| AlertWrite::of(alert, expect, Some(now)));
        applied
    }

    /// Writes what was applied to each thread, if anything is to be. The threads that are not done with.
    pub(super) async fn write<'a>(
        &self,
        lane: Lane,
        mut applied: Vec<(Thread<'a>, Applied)>,
    ) -> Result<Vec<Thread<'a>>, StoreError> {
        // A store takes an even number of writes at once, so that none of these pairs is parted.
        applied.sort_by_key(|(_, of_thread)| of_thread.over.is_none());
        let mut writes = Vec::with_capacity(applied.len());
        let mut threads = Vec::with_capacity(applied.len());
        for (thread, Applied { admitted, write, over }) in applied {
            if let Some(write) = write {
                writes.push(write);
                threads.push((thread, admitted.len(), over.is_some()));
                // Beside what takes its place, which is there before it is over.
                writes.extend(over);
            }
        }
        if writes.is_empty() {
            return Ok(Vec::new());
        }
        for write in writes.iter().filter(|write| write.expect.is_new()) {
            self.arrivals.put(Stored { alert: write.alert.clone(), version: write.expect.next() });
        }
        let commits = match self.store.commit(lane, &writes).await {
            Err(full @ StoreError::Full { .. }) => {
                self.write_known(lane, writes).await?;
                return Err(full);
            }
            commits => commits?,
        };
        let mut written = commits.into_iter().zip(writes);
        let (mut again, mut failed) = (Vec::new(), Ok(()));
        for (mut thread, covered, has_over) in threads {
            let Some((commit, AlertWrite { alert, .. })) = written.next() else { break };
            // One that was not written is over when it is planned: `end_if_superseded`.
            if let Some((Commit::Done(_), over)) = if has_over { written.next() } else { None } {
                self.seen.forget(over.alert.id);
            }
            match commit {
                Commit::Done(version) => {
                    self.seen.forget(alert.id);
                    thread.events.drain(..covered);
                    thread.known = Some(Box::new(Stored { alert, version }));
                }
                Commit::Conflict(current) => thread.known = current,
                Commit::Failed(error @ StoreError::Damaged(_)) if !thread.is_damaged => {
                    Damaged::noted(&error);
                    thread.is_damaged = true;
                }
                Commit::Failed(error) => {
                    failed = Err(error);
                    continue;
                }
            }
            if !thread.events.is_empty() {
                again.push(thread);
            }
        }
        failed.map(|()| again)
    }

    /// Writes what needs no new round, nor the place of one.
    async fn write_known(&self, lane: Lane, mut writes: Vec<AlertWrite>) -> Result<(), StoreError> {
        writes.retain(|write| !write.expect.is_new() && write.alert.openings.superseded.is_none());
        let commits = self.store.commit(lane, &writes).await?;
        for (write, commit) in writes.iter().zip(commits) {
            if matches!(commit, Commit::Done(_)) {
                self.seen.forget(write.alert.id);
            }
        }
        Ok(())
    }

    /// Ends a planned alert whose place a newer round has taken: what was to end it was lost, with the process or the
    /// store. To be called before such an alert is told or closed; writes nothing.
    pub async fn end_if_superseded(&self, alert: &mut Alert) -> Result<(), StoreError> {
        if alert.is_open()
            && alert.progress.planned.contains(&Milestone::Opened)
            && let Some(next) = self.newer_round(alert).await?
        {
            let next = next.as_successor(alert);
            round::supersede(alert, next, self.clock.now());
        }
        Ok(())
    }

    /// The latest round of its dedup key, if that is another one.
    pub async fn newer_round(&self, alert: &Alert) -> Result<Option<Alert>, StoreError> {
        let latest = match self.store.find_threads(vec![alert.thread()]).await {
            // What cannot be read tells nothing in its place.
            Err(StoreError::Damaged(_)) => None,
            found => found?.pop().flatten(),
        };
        // Nor does a note.
        let tells = |latest: &Alert| latest.state != AlertState::Noted && alert.round < latest.round;
        Ok(latest.map(|latest| latest.alert).filter(tells))
    }
}

/// The last round of a dedup key cannot be read.
#[derive(Debug, Default)]
struct Damaged;

impl Damaged {
    fn noted(error: &StoreError) -> Self {
        error!("the last round of a dedup key cannot be read; what is said of it counts as new: {error}");
        Self
    }
}

/// A number that is higher than that of any round that came about by counting: nobody opens one every minute for
/// decades.
fn round_past_damage(now: Timestamp) -> u32 {
    u32::try_from(now.as_second() / 60).unwrap_or(u32::MAX)
}
