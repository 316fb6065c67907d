//! The books behind budgets and digests: a digest is opened before anything goes into it and counted before it is
//! sent, and what a restart needs is written down.

use std::collections::{HashSet, VecDeque};

use jiff::Timestamp;
use serde::{Deserialize, Serialize};
use tracing::{error, info, warn};

use super::{Dispatcher, inbox::Answer, step::Job};
use crate::{
    alert::{
        Alert, AlertId, AlertState, Charge, ContactName, ContactProgress, Counted, Digest, Milestone,
        Progress, Successor, Tier,
    },
    plan::{self, Fold, Opening, Storm},
    store::{AlertWrite, Commit, Expect, Lane, Marks, Record, StoreError},
    watch::StormStatus,
};

/// Most digests that cannot be read of which it is known that they were looked at; another one is looked at again and
/// again, which tells nothing twice.
const UNCOUNTED_DIGESTS_MAX: usize = 1_000;

/// What digests that cannot be read were to count.
#[derive(Default)]
pub(super) struct TakenBack {
    /// Those whose alerts are in the queue, or were.
    digests: HashSet<AlertId>,
    alerts: VecDeque<Uncounted>,
}

impl TakenBack {
    /// Nothing waits.
    pub(super) fn is_empty(&self) -> bool {
        self.alerts.is_empty()
    }
}

/// The last digest of a contact and tier that has counted.
#[derive(Debug, Serialize, Deserialize)]
pub(super) struct CountedRecord {
    pub(super) contact: ContactName,
    pub(super) tier: Tier,
    pub(super) due_at: Timestamp,
    /// As it was then.
    pub(super) storm: Option<Storm>,
}

impl Record for CountedRecord {
    const KIND: &'static str = "counted digest";

    fn key(&self) -> Vec<u8> {
        format!("{:?} {}", self.tier, self.contact).into_bytes()
    }
}

struct Uncounted {
    digest: AlertId,
    alert: AlertId,
}

impl Dispatcher {
    /// What planning cannot look up itself: the rows that a digest counts, whether a flapping alert that is over has
    /// come back under a new round, what becomes of an end that was in doubt until now, whether what would close
    /// was heard of since it was written, and whether a newer round has taken the place of what would close, be repeated
    /// or be tried again. An alert of which that cannot be read or decided is left out: it must not keep the others from
    /// being told.
    pub(super) async fn look_up(&mut self, jobs: &mut Vec<Job>) -> Result<(), StoreError> {
        let mut readable = Vec::with_capacity(jobs.len());
        while let Some(mut job) = jobs.pop() {
            self.aside.take_in_hand(vec![job.base.alert.id]);
            match self.look_up_one(&mut job).await {
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

    async fn look_up_one(&mut self, job: &mut Job) -> Result<(), StoreError> {
        let now = self.clock.now();
        let is_answer = !job.answers.is_empty();
        let alert = &mut job.base.alert;
        let is_all = !job.is_due && alert.progress.reports.is_empty();
        let has_arrived = is_answer && is_all && job.answers.iter().all(Answer::has_arrived);
        if let Some(Digest { contact, tier, due_at, counted: None }) = &alert.digest
            && *due_at <= now
        {
            // First of all: from here on nothing is added to it.
            self.budgets.close(contact, *tier, alert.id, now);
            let counted = Counted::of(&self.store.folds(alert.id).await?);
            info!(alert.id = %alert.id, "digest for {contact}: {}", counted.words());
            let record = CountedRecord {
                contact: contact.clone(),
                tier: *tier,
                due_at: *due_at,
                storm: self.budgets.storms().get(contact).copied(),
            };
            alert.count(counted);
            self.remember(record);
        }
        if alert.doubt_ends_at().is_some_and(|at| at <= now) {
            self.queue.end_doubt(alert).await?;
            alert.doubt = None;
        }
        let closes = alert.close_at <= now;
        if alert.is_open() && closes {
            let seen = self.queue.with_seen(alert.clone());
            (alert.close_at, alert.last_seen_at) = (seen.close_at, seen.last_seen_at);
            if let Some(refused_at) = self.queue.refused_at() {
                plan::wait_for_its_sender(alert, refused_at, now);
            }
        }
        let repeats = alert.conversation.repeat_at.is_some_and(|at| at <= now);
        let is_tried_again = !is_answer && !alert.is_heard();
        if closes || repeats || is_tried_again {
            self.queue.end_if_superseded(alert).await?;
        }
        if may_be_told_by_the_next_round(alert, has_arrived) {
            let known = alert.openings.superseded;
            alert.openings.superseded = match self.queue.newer_round(alert).await? {
                Some(next) => superseded(alert, &next),
                // It was lost, and tells nothing.
                None => known.filter(|next| *next != Successor::Tells),
            };
        }
        Ok(())
    }

    /// For the next start.
    fn remember(&self, counted: CountedRecord) {
        let store = self.store.clone();
        self.tasks.spawn(async move {
            if let Err(error) = store.put(Lane::Deliver, &counted).await {
                // A digest may go out sooner after the next start than it would.
                warn!(error = %error, "could not save when a digest has counted: {error}");
            }
        });
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
            AlertWrite::of(Alert::opened_digest(id, digest, now), Expect::FIRST_ROUND, Some(due_at))
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
                self.budgets.forget(opening.id);
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

    /// An alert that is due cannot be read. If it is a digest, what it was to count waits to be taken back from it.
    pub(super) async fn uncount(&mut self, digest: AlertId) {
        self.budgets.forget(digest);
        if self.uncounted.digests.contains(&digest) {
            return;
        }
        match self.store.folds(digest).await {
            Ok(rows) => {
                if !rows.is_empty() {
                    warn!("digest {digest} cannot be read, {} alerts are told again", rows.len());
                }
                self.uncounted
                    .alerts
                    .extend(rows.iter().map(|row| Uncounted { digest, alert: row.alert_id }));
                if self.uncounted.digests.len() < UNCOUNTED_DIGESTS_MAX {
                    self.uncounted.digests.insert(digest);
                }
            }
            Err(error) => error!("what digest {digest} was to count cannot be read at present: {error}"),
        }
    }

    /// Plans up to `limit` of what was to be counted in a digest that cannot be read.
    pub(super) fn take_back(&mut self, limit: usize) {
        let queue = &mut self.uncounted.alerts;
        for Uncounted { digest, alert } in queue.drain(..limit.min(queue.len())) {
            self.inbox.put(alert, [Answer::NotCounted { digest }]);
        }
    }

    /// Says how much of its day each gateway has spent.
    pub(super) async fn check_gateway_limits(&mut self) {
        for day in self.budgets.gateway_days(self.clock.now()) {
            self.gateway_limits.check(day.name, day.spent, day.limit).await;
        }
    }
}

/// Whatever is still to be told of a round that is over, a later one may tell, but not if it is planned only because a
/// provider took what was sent (`has_arrived`).
fn may_be_told_by_the_next_round(alert: &Alert, has_arrived: bool) -> bool {
    let Progress { planned, contacts, .. } = &alert.progress;
    // What becomes of a text decides what is told of the end.
    let is_texting = || contacts.values().any(ContactProgress::is_being_texted);
    let is_left = alert.openings.superseded == Some(Successor::Tells);
    let is_settled = planned.contains(&Milestone::Resolved) && (is_left || (has_arrived && !is_texting()));
    alert.state == AlertState::Resolved && !is_settled
}

/// What the latest round is to one that is over.
fn superseded(alert: &Alert, latest: &Alert) -> Option<Successor> {
    let known = alert.openings.superseded;
    if latest.is_for_others(alert) {
        return known;
    }
    let is_told = alert.progress.planned.contains(&Milestone::Resolved);
    if known == Some(Successor::Tells) && !is_told {
        // Decided when that one opened, which may have become milder before it was planned.
        return Some(latest.as_successor(alert));
    }
    let is_about_something_else = known.is_some() && !latest.flaps_since(alert);
    if (known.is_none() && is_told) || is_about_something_else {
        // Its end is being told, which is untrue once it fires as severe, also where that is quiet: since this round
        // another one told that it flaps.
        let flaps_on = alert.openings.flapping().is_none()
            && latest.flaps_since(alert)
            && alert.told_as() <= latest.told_as();
        let next = if flaps_on { Successor::Tells } else { latest.as_successor(alert) };
        // What does not flap has fired again only as long as that is not over either.
        let known = known.filter(|_| alert.openings.flapping().is_some());
        return latest.is_open().then_some(next).or(known);
    }
    let flaps = alert.openings.flapping().is_some() || latest.flaps_since(alert);
    if !flaps && !latest.is_open() {
        return None;
    }
    let successor = latest.as_successor(alert);
    // It does not come back any more: what is left to tell is that it fired and is over.
    let is_over = latest.flaps_since(alert) && latest.progress.planned.contains(&Milestone::Resolved);
    let was_told = alert.progress.planned.contains(&Milestone::Opened);
    let is_left = successor == Successor::IsQuiet && is_over && was_told;
    (!is_left).then_some(successor)
}
