//! The loop: take what is due, the gravest first, plan it, write the plan, make its requests; settle the answers.
//!
//! A step takes what is due and what was answered, plans both, and
//! writes them in one group; only then do requests start, each in a task of its own. The answer of a
//! request comes back as a [`Settlement`](crate::plan::Settlement) and is planned in a later step, and
//! so is what a gateway that was asked knows of a text. So a provider that hangs holds nothing back but
//! its own attempt, which is `Unknown` after its time in flight.

mod aside;
mod books;
mod inbox;
mod news;
mod outbox;
mod planned;
mod start;
mod step;
#[cfg(test)]
mod tests;

use std::{
    cmp::Reverse,
    collections::{BTreeSet, HashMap},
    sync::Arc,
};

use jiff::{SignedDuration, Timestamp};
use tokio::sync::{mpsc, watch};
use tokio_util::task::TaskTracker;
use tracing::{error, info, warn};

pub use self::{aside::Aside, outbox::OutboxParts};
use self::{
    books::TakenBack,
    inbox::Inbox,
    outbox::{Answered, Outbox},
    start::{Account, Look},
};
use crate::{
    alert::{AlertId, Epoch, GatewayName, Severity},
    clock::Clock,
    plan::{Budgets, DeviceBook, Rules},
    queue::Queue,
    roster::Roster,
    store::{Due, Store, StoreError, Stored, Wanted},
    telemetry::Metrics,
    watch::{DeadLetters, GatewayLimits, Life, Vitals},
};

/// Most alerts taken up in one step because they are due.
const DUE_PER_STEP_MAX: usize = 128;

/// As [`DUE_PER_STEP_MAX`], while each is written by itself.
const DUE_ONE_BY_ONE_MAX: usize = 16;

/// Of a full step this part is for what a digest was to count that does not read: it may be graver than what is due.
const TAKEN_BACK_SHARE: usize = 8;

/// Most answers settled in one step.
const ANSWERS_PER_STEP_MAX: usize = 256;

/// Most alerts remembered that wait for room; one more is planned again when it is due.
const CROWDED_MAX: usize = 10_000;

/// For this long after dispatch has failed alerts are taken up one by one: the one that it fails on holds up no other.
const ONE_BY_ONE_FOR: SignedDuration = SignedDuration::from_secs(60);

/// Pause after the store failed.
const STORE_PAUSE: SignedDuration = SignedDuration::from_secs(1);

/// How long a shutdown waits for requests under way; what is not answered by then is
/// `Unknown` at the next start.
pub const SHUTDOWN_GRACE: SignedDuration = SignedDuration::from_secs(10);

pub struct Dispatcher {
    store: Arc<dyn Store>,
    queue: Arc<Queue>,
    clock: Arc<dyn Clock>,
    metrics: Arc<Metrics>,
    vitals: Arc<Vitals>,
    dead_letters: Arc<DeadLetters>,
    tasks: TaskTracker,
    outbox: Outbox,
    rules: Rules,
    devices: DeviceBook,
    budgets: Budgets,
    gateway_limits: GatewayLimits,
    running_since: Timestamp,
    /// Of the lead that it has.
    epoch: Epoch,
    aside: Arc<Aside>,
    one_by_one_until: Timestamp,
    roster: Arc<Roster>,
    answers: mpsc::Receiver<Answered>,
    inbox: Inbox,
    /// Alerts with pushes for which there was no room, the gravest first.
    crowded: BTreeSet<(Reverse<Severity>, AlertId)>,
    uncounted: TakenBack,
    /// `None` once every alert has been looked at.
    look: Option<Look>,
    /// As far as they are known since the start: those with gateways, and `None` for the one that pushes.
    accounts: HashMap<Option<GatewayName>, Account>,
    /// It was stopped.
    is_finishing: bool,
    pulse: watch::Sender<Pulse>,
}

/// Tells tests and tools when the dispatcher has nothing left to do.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Pulse {
    /// It waits for something to become due or to be answered.
    pub idle: bool,
    /// Requests without a settled answer.
    pub under_way: usize,
}

/// What [`Dispatcher::new`] needs.
#[derive(Clone)]
pub struct Parts {
    pub store: Arc<dyn Store>,
    pub queue: Arc<Queue>,
    pub metrics: Arc<Metrics>,
    pub vitals: Arc<Vitals>,
    pub dead_letters: Arc<DeadLetters>,
    pub aside: Arc<Aside>,
    pub outbox: OutboxParts,
    pub rules: Rules,
    pub pulse: watch::Sender<Pulse>,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Step {
    /// How many alerts it planned; there may be more, or more to look at.
    Worked(usize),
    /// Nothing is due before this instant.
    IdleUntil(Option<Timestamp>),
}

impl Dispatcher {
    /// A dispatcher that has not begun yet. It waits for a store that is not available, and begins without what is
    /// damaged.
    pub async fn new(parts: Parts) -> Self {
        let Parts { store, queue, metrics, vitals, dead_letters, aside, outbox, rules, pulse } = parts;
        let (clock, tasks, roster) = (outbox.clock.clone(), outbox.tasks.clone(), outbox.roster.clone());
        let running_since = clock.now();
        let epoch = start::lead(store.as_ref(), clock.as_ref()).await;
        let look = Look::first(store.as_ref(), clock.as_ref(), &roster.now()).await;
        let devices = start::devices(store.as_ref(), clock.as_ref()).await;
        let budgets = start::budgets(store.as_ref(), clock.as_ref(), &rules).await;
        start::vitals(store.as_ref(), clock.as_ref(), &vitals).await;
        let gateway_limits = GatewayLimits::new(queue.clone(), clock.clone(), metrics.clone());
        let never_waits = rules.always_at.unwrap_or(Severity::Disaster);
        let (outbox, answers) = Outbox::new(outbox, never_waits, ANSWERS_PER_STEP_MAX);
        let dispatcher = Self {
            store,
            queue,
            clock,
            metrics,
            vitals,
            dead_letters,
            tasks,
            outbox,
            rules,
            roster,
            devices,
            budgets,
            gateway_limits,
            running_since,
            epoch,
            aside,
            one_by_one_until: running_since,
            answers,
            inbox: Inbox::default(),
            crowded: BTreeSet::new(),
            uncounted: TakenBack::default(),
            look: Some(look),
            accounts: HashMap::new(),
            is_finishing: false,
            pulse,
        };
        dispatcher.show_storm();
        dispatcher
    }

    /// As [`Dispatcher::run`], after an earlier dispatcher of this process has failed. What that had under way counts
    /// as unknown.
    pub async fn run_again(parts: Parts, life: Life) -> bool {
        parts.aside.failed(parts.outbox.clock.now());
        let mut dispatcher = tokio::select! {
            () = life.stopped() => return false,
            made = Self::new(parts) => made,
        };
        let since = dispatcher.running_since;
        dispatcher.one_by_one_until = since.saturating_add(ONE_BY_ONE_FOR).unwrap_or(since);
        dispatcher.run(life).await
    }

    /// Runs until it is stopped, then settles what is still under way. True if everything was settled.
    pub async fn run(mut self, life: Life) -> bool {
        while !life.is_stopped() {
            let limit = if self.is_one_by_one() { DUE_ONE_BY_ONE_MAX } else { DUE_PER_STEP_MAX };
            match self.step(limit).await {
                Ok(step) => {
                    life.sign();
                    match step {
                        Step::Worked(_) => tokio::task::yield_now().await,
                        Step::IdleUntil(due) => self.wait(due, &life).await,
                    }
                }
                Err(error @ StoreError::LeadLost { .. }) => {
                    error!(error = %error, "dispatch ends here: {error}");
                    return false;
                }
                Err(error) => {
                    warn!(error = %error, "could not plan, trying again in {}s: {error}", STORE_PAUSE.as_secs());
                    tokio::select! {
                        () = life.stopped() => {}
                        () = self.clock.sleep(STORE_PAUSE) => {}
                    }
                }
            }
        }
        self.finish().await
    }

    /// Dispatch has failed a moment ago, on which alert is not known.
    fn is_one_by_one(&self) -> bool {
        self.clock.now() < self.one_by_one_until
    }

    /// Settles what was answered, plans up to `limit` of what is due, has that written, and starts the requests of what is
    /// written.
    pub async fn step(&mut self, limit: usize) -> Result<Step, StoreError> {
        self.pulse.send_modify(|pulse| pulse.idle = false);
        self.aside.lay_down();
        for id in self.aside.tried_again(self.clock.now()) {
            self.inbox.unpark(id);
        }
        while self.inbox.ready() < ANSWERS_PER_STEP_MAX
            && let Ok(answered) = self.answers.try_recv()
        {
            self.take(Some(answered));
        }
        let (now, room) = (self.clock.now(), self.outbox.room(self.clock.now()));
        let limit = limit.min(room.alerts);
        let due = if limit == 0 { Vec::new() } else { self.due(now, limit, room.least).await? };
        self.take_back(limit.saturating_sub(due.len()).max(limit.div_ceil(TAKEN_BACK_SHARE)));
        let planned = self.plan_and_write(due).await?;
        self.calm_down();
        if 0 < limit {
            self.look_at_what_was_left().await?;
        }
        let goes_on = self.look.is_some() || !self.uncounted.is_empty();
        if 0 < planned || (goes_on && 0 < limit) {
            return Ok(Step::Worked(planned));
        }
        let (aside, tried_again) = self.aside.now();
        let except = |id| aside.contains(&id);
        let wanted = Wanted { least: room.least, ..Wanted::all_but(&except) };
        let due = self.store.next_due(wanted).await?;
        let is_short = Severity::default() < room.least;
        let looks_again = is_short.then(|| Outbox::try_again_at(now));
        Ok(Step::IdleUntil(due.into_iter().chain(tried_again).chain(looks_again).min()))
    }

    /// Up to `limit` of what is due and not less urgent than `least`.
    async fn due(
        &mut self,
        now: Timestamp,
        limit: usize,
        least: Severity,
    ) -> Result<Vec<Stored>, StoreError> {
        let (aside, _) = self.aside.now();
        let except = |id| aside.contains(&id);
        let arrivals = self.queue.arrivals();
        let at_hand = |id| arrivals.has(id);
        let Due { mut alerts, at_hand, unreadable } =
            self.store.due(now, limit, Wanted { least, except: &except, at_hand: &at_hand }).await?;
        alerts.extend(at_hand.into_iter().filter_map(|id| arrivals.take(id)));
        for digest in unreadable {
            self.aside.leave(digest, now);
            self.uncount(digest).await;
        }
        Ok(alerts)
    }

    fn take(&mut self, answered: Option<Answered>) {
        if let Some(Answered { alert_id, answer, .. }) = answered {
            self.inbox.put(alert_id, [answer]);
        }
    }

    async fn wait(&mut self, due: Option<Timestamp>, life: &Life) {
        let due_changed = self.store.due_changed();
        let due = due.into_iter().chain(self.budgets.calm_at()).min().unwrap_or(Timestamp::MAX);
        let due = life.wake_by(due);
        self.pulse.send_replace(Pulse { idle: true, under_way: self.outbox.under_way() });
        tokio::select! {
            () = life.stopped() => {}
            answered = self.answers.recv() => self.take(answered),
            () = due_changed.notified() => {}
            () = self.clock.sleep_until(due) => {}
        }
    }

    /// Nothing new is taken up: requests under way are waited for and settled.
    async fn finish(mut self) -> bool {
        self.is_finishing = true;
        let settled = self.settle_all().await;
        if let Err(error) = &settled {
            error!(error = %error, "could not settle at shutdown: {error}");
        }
        settled.is_ok()
    }

    async fn settle_all(&mut self) -> Result<(), StoreError> {
        let deadline = self.clock.sleep(SHUTDOWN_GRACE);
        tokio::pin!(deadline);
        let mut is_over = false;
        loop {
            // One step settles a limited number of answers.
            match self.step(0).await {
                Ok(Step::Worked(_)) => continue,
                Ok(Step::IdleUntil(_)) => {}
                // It may be back before the time is up.
                Err(error @ StoreError::Unavailable(_)) if !is_over => {
                    warn!(error = %error, "could not settle yet, trying again: {error}");
                    tokio::select! {
                        () = self.clock.sleep(STORE_PAUSE) => {}
                        () = &mut deadline => is_over = true,
                    }
                    continue;
                }
                Err(error) => return Err(error),
            }
            let is_settled = self.inbox.ready() == 0 && self.answers.is_empty();
            if is_settled && (is_over || self.outbox.under_way() == 0) {
                return Ok(());
            }
            tokio::select! {
                answered = self.answers.recv(), if !is_over => self.take(answered),
                () = &mut deadline, if !is_over => {
                    is_over = true;
                    let left = self.outbox.under_way();
                    info!(left, "stopped with {left} requests unanswered; they count as unknown at the next start");
                }
                // Something was answered after all.
                else => {}
            }
        }
    }
}
