//! One step's work: alerts to plan, with the answers that came for them, written as one group.

use std::{cmp::Reverse, collections::HashMap};

use tracing::{error, info, warn};

use super::{
    ANSWERS_PER_STEP_MAX, CROWDED_MAX, DUE_PER_STEP_MAX, Dispatcher, inbox::Answer, news, planned::Planned,
};
use crate::{
    alert::{AlertId, Severity},
    plan::{self, DeviceVerdict, Opening, Plan, Present, QUARANTINE, Settlement},
    roster::Person,
    store::{AlertWrite, Commit, DeviceRecord, Expect, Lane, Stamp, StoreError, Stored},
};

pub(super) struct Job {
    pub(super) base: Stored,
    pub(super) answers: Vec<Answer>,
    /// It is planned because it is due.
    pub(super) is_due: bool,
}

impl Dispatcher {
    /// Plans what is due and the alerts of waiting answers, and has the plans written. Says how many.
    pub(super) async fn plan_and_write(&mut self, due: Vec<Stored>) -> Result<usize, StoreError> {
        let mut jobs = self.gather(due).await?;
        let people = self.roster.now();
        if let Err(error) = self.look_up(&mut jobs).await {
            self.put_back(jobs);
            return Err(error);
        }
        // Where a budget is short, the gravest have it.
        jobs.sort_by_key(|Job { base, .. }| (Reverse(base.alert.urgency()), base.alert.id));
        let count = jobs.len();
        let together = if self.is_one_by_one() { 1 } else { count };
        while !jobs.is_empty() {
            let rest = jobs.split_off(together.min(jobs.len()));
            if let Err(error) = self.plan_and_write_together(jobs, &people).await {
                self.put_back(rest);
                return Err(error);
            }
            jobs = rest;
        }
        self.aside.lay_down();
        Ok(count)
    }

    fn put_back(&mut self, jobs: Vec<Job>) {
        for Job { base: Stored { alert, .. }, answers, is_due } in jobs {
            if !is_due && answers.is_empty() {
                self.crowded.insert((Reverse(alert.urgency()), alert.id));
            }
            self.inbox.put_back(alert.id, answers);
        }
    }

    async fn plan_and_write_together(&mut self, jobs: Vec<Job>, people: &[Person]) -> Result<(), StoreError> {
        let (mut planned, mut pushes) = (Vec::with_capacity(jobs.len()), 0);
        for job in jobs {
            self.aside.take_in_hand(vec![job.base.alert.id]);
            let (plan, write) = self.plan(job, people, pushes);
            pushes += plan.pushes();
            planned.push((plan, write));
        }
        self.aside.take_in_hand(planned.iter().map(|(planned, _)| planned.id).collect());
        self.write(planned).await
    }

    /// Starts the requests of what is written.
    async fn write(&mut self, planned: Vec<(Planned, AlertWrite)>) -> Result<(), StoreError> {
        let opens: Vec<Opening> = planned.iter().flat_map(|(planned, _)| planned.opens.clone()).collect();
        if let Err(error) = self.open_digests(&opens).await {
            for (planned, _) in planned {
                self.undo(planned);
            }
            return Err(error);
        }
        // Before the alert says that it goes on no more: rather one too many than one too few.
        let unkept = self.dead_letters.note(planned.iter().map(|(_, write)| &write.alert)).await;
        let (mut kept, mut failed) = (Vec::with_capacity(planned.len()), Ok(()));
        for (planned, write) in planned {
            match unkept.get(&write.alert.id) {
                None => kept.push((planned, write)),
                Some(error) => {
                    let unwritten = self.conclude(planned, write, Commit::Failed(error.clone()));
                    failed = failed.and(unwritten);
                }
            }
        }
        if kept.is_empty() {
            return failed;
        }
        let (kept, writes): (Vec<_>, Vec<_>) = kept.into_iter().unzip();
        let commits = match self.store.commit(Lane::Deliver, &writes).await {
            Ok(commits) => commits,
            Err(error) => {
                for planned in kept {
                    self.undo(planned);
                }
                return Err(error);
            }
        };
        for ((planned, write), commit) in kept.into_iter().zip(writes).zip(commits) {
            self.aside.take_in_hand(vec![planned.id]);
            failed = self.conclude(planned, write, commit).and(failed);
        }
        self.aside.lay_down();
        self.check_gateway_limits().await;
        failed
    }

    /// None of its requests starts, so nothing was spent, though it may be written.
    fn undo(&mut self, mut planned: Planned) {
        let answers = planned.answers_again();
        self.budgets.take_back(&planned.charges);
        self.inbox.put_back(planned.id, answers);
    }

    fn conclude(&mut self, planned: Planned, write: AlertWrite, commit: Commit) -> Result<(), StoreError> {
        match commit {
            Commit::Done(version) => {
                self.start(planned, Stored { alert: write.alert, version });
                return Ok(());
            }
            // It is read again.
            Commit::Failed(error @ StoreError::Unavailable(_)) => {
                self.undo(planned);
                return Err(error);
            }
            Commit::Failed(error @ StoreError::LeadLost { .. }) => return Err(error),
            Commit::Conflict(current) => {
                self.unspend(&planned);
                match current {
                    // An admission or an operator was faster: it is planned as it is now.
                    Some(current) if !planned.answers.is_empty() => {
                        self.inbox.put_back(planned.id, planned.answers);
                        self.inbox.hold(planned.id, *current);
                    }
                    Some(_) => {}
                    // Purged meanwhile: the answers concern nobody any more.
                    None => self.inbox.forget(planned.id),
                }
            }
            Commit::Failed(error) => {
                self.unspend(&planned);
                self.leave(planned.id, planned.answers, &error);
            }
        }
        Ok(())
    }

    /// It was not written.
    fn unspend(&mut self, planned: &Planned) {
        self.budgets.take_back(&planned.charges);
    }

    /// Alerts with pushes for which there is room now.
    fn uncrowded(&mut self) -> Vec<(Reverse<Severity>, AlertId)> {
        let mut uncrowded = Vec::new();
        while let Some((Reverse(urgency), id)) = self.crowded.first().copied()
            && uncrowded.len() < self.outbox.room_for_crowded(urgency).min(DUE_PER_STEP_MAX)
            && !self.is_finishing
        {
            self.crowded.pop_first();
            uncrowded.push((Reverse(urgency), id));
        }
        uncrowded
    }

    /// One job per alert: a document that is due, or the one that answers are about, with the answers for it.
    async fn gather(&mut self, due: Vec<Stored>) -> Result<Vec<Job>, StoreError> {
        let job = |base, is_due| Job { base, answers: Vec::new(), is_due };
        let mut jobs: HashMap<AlertId, Job> =
            due.into_iter().map(|base| (base.alert.id, job(base, true))).collect();
        let uncrowded = self.uncrowded();
        for id in uncrowded.iter().map(|(_, id)| *id).chain(self.inbox.alerts()) {
            if jobs.contains_key(&id) {
                continue;
            }
            match self.document(id).await {
                Ok(Some(base)) => drop(jobs.insert(id, job(base, false))),
                // Purged meanwhile: the answers concern nobody any more.
                Ok(None) => self.inbox.forget(id),
                Err(error @ StoreError::Damaged(_)) => self.leave(id, Vec::new(), &error),
                Err(error) => {
                    self.crowded.extend(uncrowded);
                    return Err(error);
                }
            }
        }
        for (id, job) in &mut jobs {
            // What is planned now is newer than what was kept.
            drop(self.inbox.document(*id));
            job.answers = self.inbox.take(*id, ANSWERS_PER_STEP_MAX);
        }
        Ok(jobs.into_values().collect())
    }

    /// The document that answers are about: as it was last written here, or as the store has it.
    async fn document(&mut self, id: AlertId) -> Result<Option<Stored>, StoreError> {
        match self.inbox.document(id) {
            Some(document) => Ok(Some(document)),
            None => self.store.get(id).await,
        }
    }

    /// This alert cannot be read or written: it is left alone for a while, so that it holds up no other and wakes nobody
    /// in a loop. Its answers wait as long.
    pub(super) fn leave(&mut self, id: AlertId, answers: Vec<Answer>, error: &StoreError) {
        error!(alert.id = %id, "alert {id} is left for later: {error}");
        if matches!(error, StoreError::Damaged(_)) {
            self.store.damage().note_alert(id, error);
        }
        self.aside.leave(id, self.clock.now());
        self.crowded.retain(|(_, crowded)| *crowded != id);
        self.inbox.park(id, answers);
    }

    /// So many `pushes` of others were planned with it.
    fn plan(&mut self, job: Job, people: &[Person], pushes: usize) -> (Planned, AlertWrite) {
        let Job { base: Stored { mut alert, version }, mut answers, .. } = job;
        let known = alert.rows.len();
        let (mut charges, mut not_asked) = (Vec::new(), Vec::new());
        for answer in &mut answers {
            match answer {
                Answer::Settled(settlement) => {
                    self.note_recovery(settlement);
                    let settled = plan::settle(&mut alert, settlement, &self.present(people, 0));
                    if let Some(verdict) = settled.verdict {
                        self.judge(verdict);
                    }
                    self.budgets.spend(&settled.charges);
                    charges.extend(settled.charges);
                }
                Answer::Reported(report) => {
                    alert.progress.take_report(report);
                }
                Answer::NotBegun { sends, costs } => {
                    // If it was not written, it may still be, until this one is.
                    if let Some(given_back) = plan::take_back_begun(&mut alert, sends) {
                        self.budgets.spend(&given_back);
                        charges.extend(given_back);
                    } else {
                        self.budgets.take_back(costs);
                    }
                    costs.clear();
                }
                Answer::NotAsked { asks } => not_asked.extend_from_slice(asks),
                Answer::NotCounted { digest } => {
                    plan::take_back(&mut alert, *digest, &self.present(people, 0));
                }
            }
        }
        let plan = if self.is_finishing {
            // What follows from an answer is for the next start.
            Plan { due: Some(self.clock.now()), ..Plan::default() }
        } else {
            let room = self.outbox.room_for(alert.urgency()).saturating_sub(pushes);
            plan::advance(&mut alert, &self.present(people, room))
        };
        let Plan { sends, mut asks, due, folds, opens, is_crowded, .. } = plan;
        not_asked.retain(|ask| !asks.contains(ask));
        asks.append(&mut not_asked);
        if is_crowded {
            self.crowded.insert((Reverse(alert.urgency()), alert.id));
            if CROWDED_MAX < self.crowded.len() {
                self.crowded.pop_last();
            }
        }
        let news = alert.rows.get(known..).unwrap_or_default().to_vec();
        // Before the next alert is planned.
        for opening in &opens {
            self.budgets.open(opening);
        }
        for fold in &folds {
            self.note_fold(fold);
        }
        self.budgets.spend(&plan.charges);
        charges.extend(plan.charges);

        let mut write = AlertWrite::of(alert, Expect::Version(version), due);
        write.plan = Some(Stamp { epoch: self.epoch, at: self.clock.now() });
        write.marks = self.marks(&charges, &folds);
        let (id, digests) = (write.alert.id, folds.iter().map(|fold| fold.digest).collect());
        (Planned { id, answers, sends, asks, news, charges, opens, digests }, write)
    }

    fn present<'a>(&'a self, people: &'a [Person], room: usize) -> Present<'a> {
        Present {
            now: self.clock.now(),
            running_since: self.running_since,
            epoch: self.epoch,
            room,
            rules: &self.rules,
            people,
            devices: &self.devices,
            budgets: &self.budgets,
            chance: self.clock.chance().unit(),
            entropy: self.clock.chance().bytes(),
        }
    }

    /// What an answer said about a device holds for all alerts, and is kept.
    fn judge(&mut self, verdict: DeviceVerdict) {
        let now = self.clock.now();
        let (id, reason) = match verdict {
            DeviceVerdict::Retire { device, reason } => (device, reason),
            DeviceVerdict::Quarantine { device, reason } => {
                let until = now.saturating_add(QUARANTINE).unwrap_or(now);
                self.devices.quarantine(device, until);
                warn!(
                    device = %device,
                    "device {device} is left alone until {until} or the next start: it belongs to another sender: {reason}"
                );
                return;
            }
        };
        if !self.devices.is_usable(id, now) {
            return;
        }
        self.devices.retire(id);
        info!(device = %id, "device {id} is retired: FCM does not know it any more");
        let record = DeviceRecord { id, retired_at: now, reason };
        let store = self.store.clone();
        self.tasks.spawn(async move {
            if let Err(error) = store.put(Lane::Deliver, &record).await {
                // The next push to it will be refused again, and it is retired then.
                warn!(error = %error, "could not save what is known of a device: {error}");
            }
        });
    }

    /// The plan is durable: its requests start.
    fn start(&mut self, planned: Planned, stored: Stored) {
        let alert = &stored.alert;
        for row in &planned.news {
            news::log(alert.id, row);
        }
        for answer in &planned.answers {
            let Answer::Settled(Settlement { send, outcome, ended, .. }) = answer else { continue };
            let took = ended.duration_since(send.began).as_secs_f64();
            self.metrics.attempt(send.address.transport(), outcome, took);
        }
        self.vitals.note(alert);
        let answers = self.outbox.start(alert, planned.sends, planned.asks);
        self.inbox.put(planned.id, answers);
        if alert.progress.is_under_way() {
            self.inbox.hold(planned.id, stored);
        }
    }
}
