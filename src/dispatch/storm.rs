//! The books behind budgets and digests: what is remembered at start, how a digest is opened before
//! anything goes into it and counted before it is told, and what people hear of a storm.

use std::collections::HashMap;

use jiff::{SignedDuration, Timestamp};
use tracing::{error, info, warn};

use super::{Dispatcher, jobs::Job};
use crate::{
    alert::{
        Alert, AlertId, AlertState, AttemptRow, Charge, Counted, DedupKey, Digest, Entry, Event, HOUSE,
        Milestone, Payer, Roads, Row, Severity, Transport,
    },
    chance,
    plan::{Budgets, Fold, Opening, Rules, SMS_GIVE_UP, STORM_LASTS},
    queue::write_of,
    store::{AlertFilter, Commit, Expect, Lane, Marks, Store, StoreError},
};

/// Most pages of recent alerts looked through at start for digests.
const DIGEST_PAGES_MAX: usize = 20;

/// Alerts in such a page.
const DIGEST_PAGE: usize = 500;

/// Parts of a gateway's day, in percent, that are told when they are reached, and how gravely.
const GATEWAY_LEVELS: [(u64, Severity); 3] =
    [(50, Severity::Information), (80, Severity::Warning), (100, Severity::High)];

/// Such an alert closes itself after so long.
const GATEWAY_ALERT_CLOSES_AFTER: SignedDuration = SignedDuration::from_hours(24);

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

/// What was told of each gateway's day, so that it is told once.
pub(super) type GatewayLevels = HashMap<String, u64>;

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
        self.metrics.storm.show(storms.len(), storms.values().map(|storm| storm.since).min());
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

    /// A gateway nears its day's limit: said before texts are held back, and by a text only where there is nothing
    /// else.
    pub(super) async fn warn_of_gateways(&mut self) {
        let now = self.clock.now();
        let mut news = Vec::new();
        for (name, spent, limit) in self.budgets.gateways(now) {
            self.metrics.gateway_day(name, spent, limit);
            let level = GATEWAY_LEVELS.iter().rev().find(|(percent, _)| limit * percent <= spent * 100);
            let reached = level.map_or(0, |(percent, _)| *percent);
            let told = self.gateway_levels.get(name).copied().unwrap_or(0);
            if told != reached {
                news.push((name.to_owned(), reached));
            }
            if let Some((percent, severity)) = level.filter(|_| told < reached) {
                warn!(gateway = name, "{percent} % of the day's {limit} segments are spent");
                let title = format!("SMS gateway {name}: {percent} % of {limit} segments a day are spent");
                let roads = if self.rules.push { Roads::PushOnly } else { Roads::All };
                let alert = Alert { roads, ..gateway_alert(name, (*percent, *severity), title, now) };
                let close_at = alert.close_at;
                let write = write_of(alert, Expect::NewRound, Some(now.min(close_at)));
                // A conflict: it has been told today, before a restart.
                if let Err(error) = self.store.commit(Lane::Deliver, &[write]).await {
                    warn!(error = %error, "could not tell of a gateway's limit: {error}");
                    news.pop();
                }
            }
        }
        self.gateway_levels.extend(news);
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

/// One a day for each gateway and level.
fn gateway_alert(
    gateway: &str,
    (percent, severity): (u64, Severity),
    title: String,
    now: Timestamp,
) -> Alert {
    let day = now.strftime("%Y-%m-%d");
    let event = Event {
        severity: Some(severity),
        body:
            "From 100 % on it takes only disasters and digests; other texts go to the next gateway, or into \
               digests."
                .to_owned(),
        ..Event::firing(DedupKey::new(format!("sms-gateway:{gateway}:{percent}:{day}")), title)
    };
    let close_at = now.saturating_add(GATEWAY_ALERT_CLOSES_AFTER).unwrap_or(Timestamp::MAX);
    let id = AlertId::new(now, chance::bytes());
    Alert { house: true, close_at, ..Alert::opened(id, HOUSE, &event, now) }
}
