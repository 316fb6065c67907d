//! The heartbeats of the configuration: takes their calls, keeps them, and tells of those that stop.

#[cfg(test)]
mod tests;

use std::{
    collections::HashMap,
    sync::{Arc, Mutex, MutexGuard, PoisonError},
};

use jiff::{SignedDuration, Timestamp, tz::TimeZone};
use tokio::sync::Notify;
use tokio_util::sync::CancellationToken;
use tracing::{info, warn};

use super::{
    OURS,
    beat::{Beat, BeatState, Calls, Errand},
    words,
};
use crate::{
    alert::{Admission, Alert, Event, ThreadKey},
    clock::Clock,
    config::{Config, Heartbeat},
    queue::{Poster, Queue},
    store::{HeartbeatRecord, Lane, StoreError},
};

/// The alert stays open until a call comes; no alert is without a time at which it closes, so this
/// one is far away.
const CLOSES_AFTER: SignedDuration = SignedDuration::from_hours(24 * 36_525);

/// Pause after the store failed.
const STORE_PAUSE: SignedDuration = SignedDuration::from_secs(1);

/// Every heartbeat of the configuration.
#[derive(Debug)]
pub struct Heartbeats {
    watched: Vec<Watched>,
    /// Where each is, by its name in lower case.
    places: HashMap<String, usize>,
    clock: Arc<dyn Clock>,
    time_zone: TimeZone,
    /// When we began to listen.
    since: Timestamp,
    /// Some heartbeat has to be looked at earlier than the loop knows.
    sooner: Notify,
}

#[derive(Debug)]
struct Watched {
    rule: Heartbeat,
    beat: Mutex<Beat>,
    /// Held while something is done about it: a call that comes while its lateness is being
    /// written must find what it has to resolve.
    turn: tokio::sync::Mutex<()>,
}

/// A heartbeat at one instant.
#[derive(Clone, Copy, Debug)]
pub struct Glance<'a> {
    /// What the configuration says.
    pub rule: &'a Heartbeat,
    /// How it is.
    pub state: BeatState,
    /// When it called.
    pub calls: Option<Calls>,
    /// When it is late unless it calls before, or since when it is.
    pub late_at: Option<Timestamp>,
}

impl Heartbeats {
    /// Listens from now on. [`Heartbeats::restore`] adds what was known before.
    pub fn new(config: &Config, clock: Arc<dyn Clock>) -> Self {
        let since = clock.now();
        let watch = |rule: &Heartbeat| Watched {
            rule: rule.clone(),
            beat: Mutex::new(Beat::new(rule.every.saturating_add(rule.grace), since)),
            turn: tokio::sync::Mutex::default(),
        };
        let watched: Vec<Watched> = config.heartbeats.iter().map(watch).collect();
        let places = watched.iter().enumerate();
        let places = places.map(|(place, watched)| (watched.rule.name.to_ascii_lowercase(), place)).collect();
        Self { watched, places, clock, time_zone: config.time_zone.clone(), since, sooner: Notify::new() }
    }

    /// Takes over what an earlier process has saved and told. The alert about a heartbeat that is no
    /// longer configured resolves: no call of it can come any more.
    pub async fn restore(&self, queue: &Queue) -> Result<(), StoreError> {
        let records = queue.store().heartbeats().await?;
        let mut calls: HashMap<&str, Calls> = HashMap::new();
        let mut gone = Vec::new();
        for HeartbeatRecord { name, first_call, last_call } in &records {
            // Exactly: of two records that differ in case one belongs to an older configuration.
            if self.watched.iter().any(|watched| watched.rule.name == *name) {
                calls.insert(name, Calls { first: *first_call, last: *last_call });
            } else {
                gone.push(words::over(name, Some("no longer in the configuration")));
            }
        }
        if !gone.is_empty() {
            queue.admit(POSTER, &gone).await?;
        }
        let key = |watched: &Watched| ThreadKey::new(OURS, &words::dedup_key(&watched.rule.name));
        let latest = queue.store().find_threads(self.watched.iter().map(key).collect()).await?;
        for (watched, latest) in self.watched.iter().zip(latest) {
            let open = latest.map(|stored| stored.alert).filter(Alert::is_open);
            let calls = calls.get(watched.rule.name.as_str()).copied();
            watched.beat().restore(calls, open.map(|alert| alert.starts_at));
        }
        Ok(())
    }

    /// Whether a heartbeat has this name, in any case.
    pub fn knows(&self, name: &str) -> bool {
        self.find(name).is_some()
    }

    /// A call of this heartbeat; `None` if there is no such. When this returns `Ok`, it survives a
    /// crash that the heartbeat is watched, and that it is no longer late.
    pub async fn call(&self, name: &str, queue: &Queue) -> Result<Option<Glance<'_>>, StoreError> {
        let Some(watched) = self.find(name) else { return Ok(None) };
        let turn = watched.turn.lock().await;
        let now = self.clock.now();
        let (before, after) = {
            let mut beat = watched.beat();
            let before = beat.due();
            beat.call(now);
            (before, beat.due())
        };
        // Before any waiting: if the caller hangs up meanwhile, the loop finishes what is owed.
        if after.is_some_and(|after| before.is_none_or(|before| after < before)) {
            self.sooner.notify_one();
        }
        while let Some(errand) = watched.owed() {
            self.run_errand(watched, errand, (queue, Lane::Accept)).await?;
        }
        drop(turn);
        Ok(Some(watched.glance(now)))
    }

    /// All of them, in the order of the configuration.
    pub fn all(&self) -> impl Iterator<Item = Glance<'_>> {
        let now = self.clock.now();
        self.watched.iter().map(move |watched| watched.glance(now))
    }

    /// When something is to be done next. It stays in the past until that is done.
    pub fn due(&self) -> Option<Timestamp> {
        self.watched.iter().filter_map(|watched| watched.beat().due()).min()
    }

    /// Tells of every heartbeat that is late, and saves calls, until `stop`.
    pub async fn run(self: Arc<Self>, queue: Arc<Queue>, stop: CancellationToken) {
        while !stop.is_cancelled() {
            let next = match self.step(&queue).await {
                Ok(()) => self.due().unwrap_or(Timestamp::MAX),
                Err(error) => {
                    warn!(error = %error, "could not keep watch, trying again in {}s: {error}", STORE_PAUSE.as_secs());
                    self.clock.now().saturating_add(STORE_PAUSE).unwrap_or(Timestamp::MAX)
                }
            };
            tokio::select! {
                () = stop.cancelled() => {}
                () = self.sooner.notified() => {}
                () = self.clock.sleep_until(next) => {}
            }
        }
    }

    /// Does what is to be done now. What fails for one does not keep the others from being told.
    async fn step(&self, queue: &Queue) -> Result<(), StoreError> {
        let mut failed = Ok(());
        for watched in &self.watched {
            if let Err(error) = self.tend(watched, queue).await {
                failed = Err(error);
            }
        }
        failed
    }

    async fn tend(&self, watched: &Watched, queue: &Queue) -> Result<(), StoreError> {
        if watched.errand(self.clock.now()).is_none() {
            return Ok(());
        }
        let _turn = watched.turn.lock().await;
        // Anew: it may have called while its turn was waited for.
        while let Some(errand) = watched.errand(self.clock.now()) {
            self.run_errand(watched, errand, (queue, Lane::Deliver)).await?;
        }
        Ok(())
    }

    async fn run_errand(
        &self,
        watched: &Watched,
        errand: Errand,
        (queue, lane): (&Queue, Lane),
    ) -> Result<(), StoreError> {
        let now = self.clock.now();
        match errand {
            Errand::Tell => {
                let calls = watched.beat().calls();
                let event = words::late(&watched.rule, calls, (self.since, now), &self.time_zone);
                if admit(queue, &event).await? == Some(Admission::Opened) {
                    warn!(heartbeat = watched.rule.name, "{}", event.title);
                }
            }
            Errand::Resolve => {
                let event = words::over(&watched.rule.name, None);
                if admit(queue, &event).await? == Some(Admission::Resolved) {
                    info!(heartbeat = watched.rule.name, "{}", event.title);
                }
            }
            Errand::Save(Calls { first, last }) => {
                let name = watched.rule.name.clone();
                let record = HeartbeatRecord { name, first_call: first, last_call: last };
                queue.store().put_heartbeat(lane, record).await?;
            }
        }
        watched.beat().done(errand, now);
        Ok(())
    }

    fn find(&self, name: &str) -> Option<&Watched> {
        self.watched.get(*self.places.get(&name.to_ascii_lowercase())?)
    }
}

impl Watched {
    fn beat(&self) -> MutexGuard<'_, Beat> {
        self.beat.lock().unwrap_or_else(PoisonError::into_inner)
    }

    fn owed(&self) -> Option<Errand> {
        self.beat().owed()
    }

    fn errand(&self, now: Timestamp) -> Option<Errand> {
        self.beat().errand(now)
    }

    fn glance(&self, now: Timestamp) -> Glance<'_> {
        let beat = self.beat();
        Glance { rule: &self.rule, state: beat.state(now), calls: beat.calls(), late_at: beat.late_at() }
    }
}

/// An ordinary sender's, not the house's word about one: it repeats, stays, and its end is told.
const POSTER: Poster<'static> = Poster { integration: OURS, close_after: CLOSES_AFTER, house: false };

async fn admit(queue: &Queue, event: &Event) -> Result<Option<Admission>, StoreError> {
    let admitted = queue.admit(POSTER, std::slice::from_ref(event)).await?;
    Ok(admitted.first().map(|admitted| admitted.admission))
}
