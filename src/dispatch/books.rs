//! The books behind budgets and digests: a digest is opened before anything goes into it and counted before it is
//! sent, and what a restart needs is written down.

use tracing::{info, warn};

use super::{Dispatcher, step::Job};
use crate::{
    alert::{Alert, AlertState, Charge, Counted, Digest, Milestone},
    plan::{self, Fold, Opening},
    store::{AlertWrite, Commit, Expect, Lane, Marks, StoreError},
    watch::StormStatus,
};

impl Dispatcher {
    /// What planning cannot look up itself: the rows that a digest counts, whether a flapping alert that is over has
    /// come back under a new round, what becomes of an end that was in doubt until now, and whether what would close
    /// was heard of since it was written. An alert of which that
    /// cannot be read or decided is left out: it must not keep the others from being told.
    pub(super) async fn look_up(&mut self, jobs: &mut Vec<Job>) -> Result<(), StoreError> {
        let mut readable = Vec::with_capacity(jobs.len());
        while let Some(mut job) = jobs.pop() {
            match self.look_up_one(&mut job.base.alert).await {
                Ok(()) => readable.push(job),
                Err(error @ StoreError::Unavailable(_)) => {
                    jobs.push(job);
                    jobs.append(&mut readable);
                    return Err(error);
                }
                Err(error) => self.leave(job.base.alert.id, job.answers, &error),
            }
        }
        *jobs = readable;
        Ok(())
    }

    async fn look_up_one(&mut self, alert: &mut Alert) -> Result<(), StoreError> {
        let now = self.clock.now();
        if let Some(Digest { contact, tier, due_at, counted: None }) = &alert.digest
            && *due_at <= now
        {
            // First of all: from here on nothing is added to it.
            self.budgets.close(contact, *tier, alert.id, now);
            let counted = Counted::of(&self.store.folds(alert.id).await?);
            info!(alert.id = %alert.id, "digest for {contact}: {}", counted.words());
            alert.count(counted);
        }
        if alert.doubt_ends_at().is_some_and(|at| at <= now) {
            self.queue.end_doubt(alert).await?;
            alert.doubt = None;
        }
        if alert.is_open() && alert.close_at <= now {
            let seen = self.queue.with_seen(alert.clone());
            (alert.close_at, alert.last_seen_at) = (seen.close_at, seen.last_seen_at);
            if let Some(refused_at) = self.queue.refused_at() {
                plan::wait_for_its_sender(alert, refused_at, now);
            }
        }
        if alert.conversation.repeat_at.is_some_and(|at| at <= now) {
            self.queue.end_if_superseded(alert).await?;
        }
        if awaits_stability(alert) {
            let latest = self.store.find_threads(vec![alert.thread()]).await?.pop().flatten();
            if latest.is_some_and(|latest| latest.alert.id != alert.id) {
                alert.openings.superseded = true;
            }
        }
        Ok(())
    }

    /// Digests are there before anything that goes into them.
    pub(super) async fn open_digests(&mut self, opens: &[Opening]) -> Result<(), StoreError> {
        if opens.is_empty() {
            return Ok(());
        }
        let now = self.clock.now();
        let write = |opening: &Opening| {
            let Opening { id, contact, tier, due_at } = opening.clone();
            let digest = Digest { contact, tier, due_at, counted: None };
            AlertWrite::of(Alert::opened_digest(id, digest, now), Expect::NewRound, Some(due_at))
        };
        let writes: Vec<_> = opens.iter().map(write).collect();
        let opened = self.store.commit(Lane::Deliver, &writes).await;
        let opened = opened.and_then(|commits| {
            if commits.iter().all(|commit| matches!(commit, Commit::Done(_))) {
                Ok(())
            } else {
                Err(StoreError::Unavailable("a digest could not be opened".to_owned()))
            }
        });
        if opened.is_err() {
            // One that is there after all stays empty, and closes itself without a word.
            for opening in opens {
                self.budgets.forget(opening);
            }
        }
        opened
    }

    pub(super) fn note_fold(&mut self, fold: &Fold) {
        let now = self.clock.now();
        if self.budgets.fold(fold, now) {
            let contact = &fold.contact;
            warn!("a storm begins: what goes beyond the limits for {contact} is counted in digests");
        }
        self.metrics.held_back();
        self.show_storm();
    }

    pub(super) fn calm_down(&mut self) {
        let over = self.budgets.calm_down(self.clock.now());
        for (contact, storm) in &over {
            info!("the storm is over: nothing was held back from {contact} since {}", storm.last);
        }
        if !over.is_empty() {
            self.show_storm();
        }
    }

    pub(super) fn show_storm(&self) {
        let storms = self.budgets.storms();
        let since = storms.values().map(|storm| storm.since).min();
        self.vitals.show_storm(StormStatus { contacts: storms.len(), since });
    }

    /// What is worth writing down: what counts after a restart.
    pub(super) fn marks(&self, charges: &[Charge], folds: &[Fold]) -> Marks {
        Marks {
            folds: folds.iter().map(|fold| (fold.digest, fold.row.clone())).collect(),
            charges: charges.iter().filter(|charge| self.budgets.is_kept(&charge.payer)).cloned().collect(),
        }
    }

    /// Says how much of its day each gateway has spent.
    pub(super) async fn check_gateway_limits(&mut self) {
        for day in self.budgets.gateway_days(self.clock.now()) {
            self.gateway_limits.check(day.name, day.spent, day.limit).await;
        }
    }
}

/// Its end is told when it stays away.
fn awaits_stability(alert: &Alert) -> bool {
    alert.state == AlertState::Resolved
        && alert.openings.flapping().is_some()
        && !alert.progress.planned.contains(&Milestone::Resolved)
}
