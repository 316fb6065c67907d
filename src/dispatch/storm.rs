//! The books behind budgets and digests: what is remembered at start, how a digest is opened before
//! anything goes into it and counted before it is told, and what people hear of a storm.

use jiff::Timestamp;
use tracing::{error, info, warn};

use super::{Dispatcher, jobs::Job};
use crate::{
    alert::{
        Alert, AlertState, AttemptRow, Charge, Counted, Digest, Entry, HOUSE, Milestone, Payer, Row,
        Transport,
    },
    plan::{Budgets, Fold, Opening, Rules, SMS_GIVE_UP, STORM_LASTS},
    queue::write_of,
    store::{AlertFilter, Commit, Expect, Lane, Marks, Store, StoreError},
    watch::StormStatus,
};

/// Most pages of recent alerts looked through at start for digests.
const DIGEST_PAGES_MAX: usize = 20;

/// Alerts in such a page.
const DIGEST_PAGE: usize = 500;

/// What the store knows of earlier spending and of digests that collect.
pub(super) async fn restore(store: &dyn Store, rules: &Rules, now: Timestamp) -> Result<Budgets, StoreError> {
    let mut budgets = Budgets::new(rules);
    let since = now.saturating_sub(budgets.memory()).unwrap_or(Timestamp::MIN);
    let mut charges = store.charges(since).await?;
    for charge in &mut charges {
        // A clock that was ahead must not use up the budgets until its time has come.
        charge.at = charge.at.min(now);
    }
    budgets.spend(&charges);

    let since = now.saturating_sub(STORM_LASTS).unwrap_or(Timestamp::MIN);
    let mut filter = AlertFilter {
        integration: Some(HOUSE.to_owned()),
        since: Some(since),
        limit: DIGEST_PAGE,
        ..AlertFilter::default()
    };
    for _ in 0..DIGEST_PAGES_MAX {
        let page = store.list(&filter).await?;
        for stored in page.alerts {
            let Alert { id, opened_at, digest: Some(digest), .. } = stored.alert else { continue };
            let Digest { contact, lane, due_at, counted } = digest;
            if let Some(counted) = counted {
                budgets.remember_counted(&contact, lane, due_at);
                if 0 < counted.total() {
                    budgets.storm(&contact, counted.until.min(now));
                }
            } else {
                budgets.storm(&contact, opened_at.min(now));
                let alerts = match store.folds(id).await {
                    // They are counted, or not, when it is due.
                    Err(error @ StoreError::Damaged(_)) => {
                        error!(alert.id = %id, "could not read what digest {id} counts so far: {error}");
                        0
                    }
                    folds => folds?.len(),
                };
                budgets.resume(&Opening { id, contact, lane, due_at }, alerts);
            }
        }
        let Some(next) = page.next else { break };
        filter.cursor = Some(next);
    }
    Ok(budgets)
}

impl Dispatcher {
    /// What planning cannot look up itself: the rows that a digest counts, and whether a flapping alert
    /// that is over has come back under a new round. An alert of which that cannot be read is left out; it must
    /// not keep the others from being told.
    pub(super) async fn look_up(&mut self, jobs: &mut Vec<Job>) -> Result<(), StoreError> {
        let mut readable = Vec::with_capacity(jobs.len());
        while let Some(mut job) = jobs.pop() {
            match self.look_up_one(&mut job.base.alert).await {
                Ok(()) => readable.push(job),
                Err(error @ StoreError::Damaged(_)) => self.leave(job.base.alert.id, job.answers, &error),
                Err(error) => {
                    jobs.push(job);
                    jobs.append(&mut readable);
                    return Err(error);
                }
            }
        }
        *jobs = readable;
        Ok(())
    }

    async fn look_up_one(&mut self, alert: &mut Alert) -> Result<(), StoreError> {
        let now = self.clock.now();
        if let Some(Digest { contact, lane, due_at, counted: None }) = &alert.digest
            && *due_at <= now
        {
            // First of all: from here on nothing is added to it.
            self.budgets.close(contact, *lane, alert.id, now);
            let counted = Counted::of(&self.store.folds(alert.id).await?);
            info!(alert.id = %alert.id, "digest for {contact}: {}", counted.words());
            alert.count(counted);
        }
        if awaits_stability(alert) {
            let latest = self.store.find_threads(vec![alert.thread()]).await?.pop().flatten();
            if latest.is_some_and(|latest| latest.alert.id != alert.id) {
                alert.openings.supersede();
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
            let Opening { id, contact, lane, due_at } = opening.clone();
            let close_at = due_at.saturating_add(SMS_GIVE_UP).unwrap_or(Timestamp::MAX);
            let digest = Digest { contact, lane, due_at, counted: None };
            write_of(Alert::opened_digest(id, digest, now, close_at), Expect::NewRound, Some(due_at))
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

    /// Something goes into a digest.
    pub(super) fn note_fold(&mut self, fold: &Fold) {
        let now = self.clock.now();
        if self.budgets.fold(fold, now) {
            let contact = &fold.contact;
            warn!("a storm begins: what goes beyond the limits for {contact} is counted in digests");
        }
        self.metrics.held_back();
        self.show_storm();
    }

    /// Storms that are over.
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

    /// What texts cost their gateways, as the answers tell.
    pub(super) fn taken(&self, news: &[Row], now: Timestamp) -> Vec<Charge> {
        let texts = texts_in(news).filter(|text| matches!(text.outcome.as_str(), "accepted" | "unknown"));
        texts
            .filter_map(|text| {
                let gateway = self.rules.gateways.iter().find(|gateway| gateway.name == text.destination)?;
                // Without an answer nobody told what it cost.
                let units = if text.segments == 0 { gateway.segments_max } else { u16::from(text.segments) };
                Some(Charge { payer: Payer::Gateway(gateway.name.clone()), at: now, units })
            })
            .collect()
    }

    /// Segments that left and came back, by rank of their gateway.
    pub(super) fn answered(&self, news: &[Row]) -> Vec<(u8, i64)> {
        let rank = |text: &AttemptRow| {
            let rank = self.rules.gateways.iter().position(|gateway| gateway.name == text.destination)?;
            Some((u8::try_from(rank).ok()?, -self.segments(rank)))
        };
        texts_in(news).filter_map(rank).collect()
    }

    pub(super) fn segments(&self, rank: usize) -> i64 {
        self.rules.gateways.get(rank).map_or(1, |gateway| i64::from(gateway.segments_max))
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
        for (gateway, spent, limit) in self.budgets.gateways(self.clock.now()) {
            self.gateway_limits.check(gateway, spent, limit).await;
        }
    }
}

fn texts_in(news: &[Row]) -> impl Iterator<Item = &AttemptRow> {
    let attempts = news.iter().filter_map(|row| {
        let Entry::Attempt(attempt) = &row.entry else { return None };
        Some(attempt)
    });
    attempts.filter(|attempt| attempt.transport == Transport::Sms)
}

/// Its end is told when it stays away.
fn awaits_stability(alert: &Alert) -> bool {
    alert.state == AlertState::Resolved
        && alert.openings.flapping().is_some()
        && !alert.telling.planned.contains(&Milestone::Resolved)
}
