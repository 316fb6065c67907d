//! The loop: claim what is due, plan it, write the plan, make its requests; settle the answers.
//!
//! A claim never spans a request. A step takes what is due and what was answered, plans both, and
//! writes them in one group; only then do requests start, each in a task of its own. The answer of a
//! request comes back as a [`Settlement`](crate::plan::Settlement) and is planned in a later step, and
//! so is what a gateway that was asked knows of a text. So a provider that hangs holds nothing back but
//! its own attempt, which is `Unknown` after its time in flight.

mod jobs;
mod news;
mod outbox;
mod start;
mod storm;
#[cfg(test)]
mod tests;

use std::{collections::HashMap, sync::Arc};

use jiff::{SignedDuration, Timestamp};
use tokio::sync::{mpsc, watch};
use tokio_util::{sync::CancellationToken, task::TaskTracker};
use tracing::{error, info, warn};

pub use self::outbox::{Directory, Outbox};
use self::{jobs::Said, outbox::UnderWay, start::Look};
use crate::{
    alert::{AlertId, Roads},
    clock::Clock,
    plan::{Budgets, DeviceBook, Rules},
    queue::Queue,
    store::{Store, StoreError, Stored},
    telemetry::Metrics,
    watch::{GatewayLimits, Vitals},
};

/// Most alerts claimed in one step.
const CLAIMS_PER_STEP_MAX: usize = 128;

/// Most answers settled in one step.
const ANSWERS_PER_STEP_MAX: usize = 256;

/// Most answers of one alert settled in one write, so that its journal chunk stays small.
const ANSWERS_PER_ALERT_MAX: usize = 32;

/// A claim not ended by a write ends after so long.
const LEASE: SignedDuration = SignedDuration::from_secs(30);

/// Pause after the store failed.
const STORE_PAUSE: SignedDuration = SignedDuration::from_secs(1);

/// At shutdown, requests under way are waited for so long; what is not answered by then is
/// `Unknown` at the next start.
pub const SHUTDOWN_GRACE: SignedDuration = SignedDuration::from_secs(10);

/// Puts plans into practice.
pub struct Dispatcher {
    store: Arc<dyn Store>,
    clock: Arc<dyn Clock>,
    metrics: Arc<Metrics>,
    vitals: Arc<Vitals>,
    tasks: TaskTracker,
    outbox: Outbox,
    rules: Rules,
    devices: DeviceBook,
    budgets: Budgets,
    gateway_limits: GatewayLimits,
    running_since: Timestamp,
    /// Documents of alerts with requests under way, as we last wrote them.
    in_hand: HashMap<AlertId, Stored>,
    answers: mpsc::Receiver<Answer>,
    answer_sender: mpsc::Sender<Answer>,
    /// Answers that did not fit the last step, or whose write failed.
    waiting: Vec<Answer>,
    /// Answers of alerts that cannot be read or written at present.
    left: HashMap<AlertId, Vec<Said>>,
    /// `None` once every alert has been looked at.
    look: Option<Look>,
    pulse: watch::Sender<Pulse>,
}

/// Whether the dispatcher has anything to do, for whoever waits until it has not.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Pulse {
    /// It waits for something to become due or to be answered.
    pub idle: bool,
    /// Requests without a settled answer.
    pub under_way: usize,
}

/// What came back from one request.
pub(crate) struct Answer {
    alert_id: AlertId,
    said: Said,
    /// The request counts as under way until its answer is settled.
    _under_way: Option<UnderWay>,
}

/// What [`Dispatcher::new`] needs.
pub struct Parts {
    /// Where alerts are kept.
    pub store: Arc<dyn Store>,
    /// Takes what is said of gateways.
    pub queue: Arc<Queue>,
    /// Time.
    pub clock: Arc<dyn Clock>,
    /// Counters.
    pub metrics: Arc<Metrics>,
    /// Takes which alerts reach nobody, and storms.
    pub vitals: Arc<Vitals>,
    /// Where requests run.
    pub tasks: TaskTracker,
    /// How requests are made.
    pub outbox: Outbox,
    /// Who is told, and how.
    pub rules: Rules,
}

/// What a step did.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Step {
    /// It planned so many alerts; there may be more, or more to look at.
    Worked(usize),
    /// Nothing is due before this instant.
    IdleUntil(Option<Timestamp>),
}

impl Dispatcher {
    /// A dispatcher that has not begun yet. Fails if the store cannot tell what it knows of devices
    /// and of what was spent.
    pub async fn new(parts: Parts) -> Result<Self, StoreError> {
        let Parts { store, queue, clock, metrics, vitals, tasks, outbox, rules } = parts;
        let running_since = clock.now();
        let mut devices = DeviceBook::default();
        for record in store.devices().await? {
            devices.retire(record.id);
        }
        let (answer_sender, answers) = mpsc::channel(ANSWERS_PER_STEP_MAX);
        let budgets = storm::restore(store.as_ref(), &rules, running_since).await?;
        let roads = if rules.push { Roads::PushOnly } else { Roads::All };
        let gateway_limits = GatewayLimits::new(queue, clock.clone(), metrics.clone(), roads);
        let in_hand = HashMap::new();
        let waiting = Vec::new();
        let dispatcher = Self {
            store,
            clock,
            metrics,
            vitals,
            tasks,
            outbox,
            rules,
            devices,
            budgets,
            gateway_limits,
            running_since,
            in_hand,
            answers,
            answer_sender,
            waiting,
            left: HashMap::new(),
            look: Some(Look::default()),
            pulse: watch::Sender::new(Pulse::default()),
        };
        dispatcher.show_storm();
        Ok(dispatcher)
    }

    /// Tells whether there is anything to do.
    pub fn pulse(&self) -> watch::Receiver<Pulse> {
        self.pulse.subscribe()
    }

    /// Runs until `stop`, then settles what is still under way. True if everything was settled.
    pub async fn run(mut self, stop: CancellationToken) -> bool {
        while !stop.is_cancelled() {
            match self.step(CLAIMS_PER_STEP_MAX).await {
                Ok(Step::Worked(_)) => tokio::task::yield_now().await,
                Ok(Step::IdleUntil(due)) => self.wait(due, &stop).await,
                Err(error) => {
                    warn!(error = %error, "could not plan, trying again in {}s: {error}", STORE_PAUSE.as_secs());
                    tokio::select! {
                        () = stop.cancelled() => {}
                        () = self.clock.sleep(STORE_PAUSE) => {}
                    }
                }
            }
        }
        self.finish().await
    }

    /// Settles what was answered, plans what is due, and starts the requests. One group of writes.
    pub async fn step(&mut self, claims: usize) -> Result<Step, StoreError> {
        self.pulse.send_modify(|pulse| pulse.idle = false);
        while self.waiting.len() < ANSWERS_PER_STEP_MAX
            && let Ok(answer) = self.answers.try_recv()
        {
            self.waiting.push(answer);
        }
        let claims = claims.min(self.outbox.room(self.clock.now()));
        let claimed = if claims == 0 {
            Vec::new()
        } else {
            self.store.claim_due(self.clock.now(), claims, LEASE).await?
        };
        let worked = self.plan_and_write(claimed).await?;
        self.calm_down();
        if 0 < claims {
            self.look_at_what_was_left().await?;
        }
        if 0 < worked || (self.look.is_some() && 0 < claims) {
            return Ok(Step::Worked(worked));
        }
        let due = self.store.next_due().await?;
        Ok(Step::IdleUntil(if claims == 0 {
            due.max(Some(Outbox::try_again_at(self.clock.now())))
        } else {
            due
        }))
    }

    async fn wait(&mut self, due: Option<Timestamp>, stop: &CancellationToken) {
        let due_changed = self.store.due_changed();
        let due = due.into_iter().chain(self.budgets.calm_at()).min().unwrap_or(Timestamp::MAX);
        self.pulse.send_replace(Pulse { idle: true, under_way: self.outbox.under_way() });
        let answer = tokio::select! {
            () = stop.cancelled() => None,
            answer = self.answers.recv() => answer,
            () = due_changed.notified() => None,
            () = self.clock.sleep_until(due) => None,
        };
        self.waiting.extend(answer);
    }

    /// No new claims: requests under way are waited for and settled.
    async fn finish(mut self) -> bool {
        let deadline = self.clock.sleep(SHUTDOWN_GRACE);
        tokio::pin!(deadline);
        loop {
            match self.step(0).await {
                // One step settles only so many answers of one alert.
                Ok(Step::Worked(_)) => continue,
                Ok(Step::IdleUntil(_)) => {}
                Err(error) => {
                    error!(error = %error, "could not settle at shutdown: {error}");
                    return false;
                }
            }
            if self.outbox.under_way() == 0 && self.waiting.is_empty() && self.answers.is_empty() {
                return true;
            }
            tokio::select! {
                answer = self.answers.recv() => self.waiting.extend(answer),
                () = &mut deadline => {
                    let left = self.outbox.under_way();
                    info!(left, "stopped with {left} requests unanswered; they count as unknown at the next start");
                    return self.step(0).await.is_ok();
                }
            }
        }
    }
}
