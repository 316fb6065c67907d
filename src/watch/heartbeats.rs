//! The heartbeats of the configuration: takes their calls, keeps them, and tells of those that stop.

mod beat;
#[cfg(test)]
mod tests;
mod words;

use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use jiff::{SignedDuration, Timestamp, tz::TimeZone};
use serde::Serialize;
use tokio::sync::Notify;
use tracing::{error, info, warn};

pub use self::beat::BeatState;
use self::beat::{Away, Beat, Calls, Task};
use super::{Life, OwnEvent};
use crate::{
    alert::{Admission, Alert, Event, EventStatus, Heard, OURS, Severity, ThreadKey},
    clock::Clock,
    config::{Config, Heartbeat},
    queue::Queue,
    store::{HeartbeatRecord, Lane, Store, StoreError, when_available},
};

const STORE_PAUSE: SignedDuration = SignedDuration::from_secs(1);

pub struct Heartbeats {
    watched: Vec<Watched>,
    store: Arc<dyn Store>,
    queue: Arc<Queue>,
    clock: Arc<dyn Clock>,
    time_zone: TimeZone,
    since: Timestamp,
    /// Wakes the loop: some heartbeat has to be looked at earlier than it knows.
    sooner: Notify,
}

struct Watched {
    config: Heartbeat,
    beat: Mutex<Beat>,
    /// What an alert that is a call while it fires has said of its times, to this process.
    heard: Mutex<Heard>,
    /// Held during a task: a call that comes while lateness is written must find what it has to resolve.
    turn: tokio::sync::Mutex<()>,
}

/// A heartbeat at one instant, as the API shows it.
#[derive(Clone, Debug, Serialize)]
pub struct HeartbeatStatus {
    pub name: String,
    every: String,
    grace: String,
    severity: Severity,
    pub state: BeatState,
    first_call_at: Option<Timestamp>,
    pub last_call_at: Option<Timestamp>,
    /// When it is late unless it calls before, or since when it is.
    late_at: Option<Timestamp>,
}

impl Heartbeats {
    /// Listens from now on. [`Heartbeats::restore`] adds what was known before.
    pub fn new(config: &Config, store: Arc<dyn Store>, queue: Arc<Queue>, clock: Arc<dyn Clock>) -> Self {
        let since = clock.now();
        let watch = |config: &Heartbeat| Watched {
            config: config.clone(),
            beat: Mutex::new(Beat::new(config.every, config.grace)),
            heard: Mutex::default(),
            turn: tokio::sync::Mutex::default(),
        };
        let watched = config.heartbeats.iter().map(watch).collect();
        let time_zone = config.time_zone.clone();
        Self { watched, store, queue, clock, time_zone, since, sooner: Notify::new() }
    }

    /// Takes over what an earlier process, which lived until then, has saved and told, as far as it can be read. The alert about a heartbeat
    /// that is no longer configured resolves: no call of it can come any more. Of one whose record was lost we cannot
    /// tell whether it ever called: it is watched, since silence is worse than a false alarm.
    pub async fn restore(&self, lived_until: Timestamp) {
        let clock = self.clock.as_ref();
        let read = || self.store.all::<HeartbeatRecord>();
        let records = when_available(clock, "which heartbeats have called", read).await;
        let some_lost = records.is_err() || self.store.has_lost::<HeartbeatRecord>();
        let records = records.unwrap_or_else(|error| {
            error!(error = %error, "could not read which heartbeats have called: {error}");
            Vec::new()
        });
        // Exactly: of two records that differ in case one belongs to an older configuration.
        let known = |name: &str| self.watched.iter().any(|watched| watched.config.name == name);
        for HeartbeatRecord { name, .. } in records.iter().filter(|record| !known(&record.name)) {
            let event = words::over(name, Some("no longer in the configuration"));
            let post = || OwnEvent::lasting(event.clone()).post(&self.queue);
            if let Err(error) = when_available(clock, "which heartbeats are gone", post).await {
                warn!(error = %error, "could not resolve the alert about a heartbeat that is gone: {error}");
            }
        }
        let thread =
            |watched: &Watched| ThreadKey::new(OURS, &words::over(&watched.config.name, None).dedup_key);
        // Nobody could call before this was read.
        let now = clock.now();
        let away = Away { from: lived_until.min(now), until: now };
        let just_now = Calls { first: now, last: now, silent_since: now };
        for watched in &self.watched {
            // One by one: an alert that cannot be read concerns no other heartbeat.
            let find = || self.store.find_threads(vec![thread(watched)]);
            let latest = when_available(clock, "which heartbeats are late", find).await;
            let latest = latest.unwrap_or_else(|error| {
                error!(error = %error, "could not read whether heartbeat {} is late: {error}", watched.config.name);
                Vec::new()
            });
            let open = latest.into_iter().flatten().map(|stored| stored.alert).find(Alert::is_open);
            let record = records.iter().find(|record| record.name == watched.config.name);
            let calls = record.map(|record| Calls {
                first: record.first_call,
                last: record.last_call,
                silent_since: record.silent_since,
            });
            let calls = calls.or(some_lost.then_some(just_now));
            watched.beat().restore(calls, open.map(|alert| alert.starts_at), away);
        }
    }

    /// Whether a heartbeat has this name, in any case.
    pub fn knows(&self, name: &str) -> bool {
        self.find(name).is_some()
    }

    /// `None` if there is no such heartbeat. Once this returns `Ok`, a crash undoes neither that it is
    /// watched nor that it is no longer late.
    pub async fn call(&self, name: &str) -> Result<Option<HeartbeatStatus>, StoreError> {
        let Some(watched) = self.find(name) else { return Ok(None) };
        let now = self.clock.now();
        let (before, after) = {
            let mut beat = watched.beat();
            let before = beat.due();
            beat.call(now);
            (before, beat.due())
        };
        // Before any waiting: if the caller hangs up meanwhile, it has called, and the loop finishes what is owed.
        if after.is_some_and(|after| before.is_none_or(|before| after < before)) {
            self.sooner.notify_one();
        }
        let turn = watched.turn.lock().await;
        while let Some(task) = watched.owed() {
            self.run_task(watched, task, Lane::Accept).await?;
        }
        drop(turn);
        Ok(Some(watched.status(now)))
    }

    /// As [`Heartbeats::call`], by an alert that always fires: it is one while it does.
    pub async fn hear(&self, name: &str, event: &Event) -> Result<(), StoreError> {
        let fires = self.find(name).is_some_and(|watched| watched.fires(event, self.clock.now()));
        if fires { self.call(name).await.map(drop) } else { Ok(()) }
    }

    /// In the order of the configuration.
    pub fn all(&self) -> impl Iterator<Item = HeartbeatStatus> {
        let now = self.clock.now();
        self.watched.iter().map(move |watched| watched.status(now))
    }

    /// When something is to be done next. It stays in the past until that is done.
    pub fn due(&self) -> Option<Timestamp> {
        self.watched.iter().filter_map(|watched| watched.beat().due()).min()
    }

    pub async fn run(self: Arc<Self>, life: Life) {
        while !life.is_stopped() {
            let next = match self.step().await {
                Ok(()) => {
                    life.sign();
                    life.wake_by(self.due().unwrap_or(Timestamp::MAX))
                }
                Err(error) => {
                    warn!(error = %error, "could not keep watch, trying again in {}s: {error}", STORE_PAUSE.as_secs());
                    self.clock.now().saturating_add(STORE_PAUSE).unwrap_or(Timestamp::MAX)
                }
            };
            tokio::select! {
                () = life.stopped() => {}
                () = self.sooner.notified() => {}
                () = self.clock.sleep_until(next) => {}
            }
        }
    }

    /// Does what is to be done now. What fails for one does not keep the others from being told.
    async fn step(&self) -> Result<(), StoreError> {
        let mut failed = Ok(());
        for watched in &self.watched {
            if let Err(error) = self.tend(watched).await {
                failed = Err(error);
            }
        }
        failed
    }

    async fn tend(&self, watched: &Watched) -> Result<(), StoreError> {
        if watched.task(self.clock.now()).is_none() {
            return Ok(());
        }
        let _turn = watched.turn.lock().await;
        // Anew: it may have called while its turn was waited for.
        while let Some(task) = watched.task(self.clock.now()) {
            self.run_task(watched, task, Lane::Deliver).await?;
        }
        Ok(())
    }

    async fn run_task(&self, watched: &Watched, task: Task, lane: Lane) -> Result<(), StoreError> {
        let now = self.clock.now();
        let name = &watched.config.name;
        match task {
            Task::Tell => {
                let last_call = watched.beat().calls().map(|calls| calls.last);
                let silence = words::Silence { last_call, since: self.since, now };
                self.post(name, words::late(&watched.config, &silence, &self.time_zone)).await?;
            }
            Task::Resolve => self.post(name, words::over(name, None)).await?,
            Task::Save(Calls { first, last, silent_since }) => {
                let name = name.clone();
                let record = HeartbeatRecord { name, first_call: first, last_call: last, silent_since };
                self.store.put(lane, &record).await?;
            }
        }
        watched.beat().done(task, now);
        Ok(())
    }

    async fn post(&self, name: &str, event: Event) -> Result<(), StoreError> {
        let title = event.title.clone();
        let admitted = OwnEvent::lasting(event).post(&self.queue).await?;
        let admission = admitted.map(|admitted| admitted.admission);
        if admission == Some(Admission::Opened) {
            warn!(heartbeat = name, "{title}");
        } else if admission == Some(Admission::Resolved) {
            info!(heartbeat = name, "{title}");
        }
        Ok(())
    }

    fn find(&self, name: &str) -> Option<&Watched> {
        self.watched.iter().find(|watched| watched.config.name.eq_ignore_ascii_case(name))
    }
}

impl Watched {
    fn beat(&self) -> MutexGuard<'_, Beat> {
        self.beat.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Whether it does, by what was said before if it says no more than until when it holds.
    fn fires(&self, event: &Event, now: Timestamp) -> bool {
        let mut heard = self.heard.lock().unwrap_or_else(PoisonError::into_inner);
        let status = heard.restated(event, now).map_or_else(|| event.status.clone(), |event| event.status);
        *heard = heard.with_holds(event, now);
        status == EventStatus::Firing
    }

    // A function of its own, so that the lock is released before the task runs.
    fn owed(&self) -> Option<Task> {
        self.beat().owed()
    }

    fn task(&self, now: Timestamp) -> Option<Task> {
        self.beat().task(now)
    }

    fn status(&self, now: Timestamp) -> HeartbeatStatus {
        let beat = self.beat();
        let calls = beat.calls();
        let written =
            |duration: SignedDuration| humantime::format_duration(duration.unsigned_abs()).to_string();
        HeartbeatStatus {
            name: self.config.name.clone(),
            every: written(self.config.every),
            grace: written(self.config.grace),
            severity: self.config.severity,
            state: beat.state(now),
            first_call_at: calls.map(|calls| calls.first),
            last_call_at: calls.map(|calls| calls.last),
            late_at: beat.late_at(),
        }
    }
}
