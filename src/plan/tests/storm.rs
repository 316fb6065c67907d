//! Budgets, digests and flapping: many alerts that share one tier.

use std::{
    collections::{BTreeMap, BTreeSet},
    num::NonZeroU32,
};

use super::*;
use crate::{
    alert::{
        AttemptOutcome, Counted, Digest, FLAPPING_ROUNDS, FoldRow, FoldWord, LastRound, Openings, Payer,
        STABLE_AFTER, Tier,
    },
    config::Rate,
};

mod budgets;
mod flapping;
mod gateways;
mod interleavings;

/// Many alerts, one planner.
struct Storm {
    rules: Rules,
    people: Vec<Person>,
    devices: DeviceBook,
    budgets: Budgets,
    /// What each text costs.
    segments: u16,
    now: Timestamp,
    alerts: Vec<Alert>,
    /// The next time that each alert wants to be planned.
    dues: Vec<Option<Timestamp>>,
    open: Vec<(usize, Send)>,
    /// Every first text, with its time, person and tier.
    texts: Vec<(Timestamp, ContactName, Tier)>,
    /// Rows by digest.
    rows: BTreeMap<AlertId, BTreeMap<AlertId, FoldRow>>,
    /// What was written down of the spending.
    charges: Vec<Charge>,
    /// When the process began.
    started: Timestamp,
    entropy: u8,
}

fn rate(count: u32, seconds: i64) -> Rate {
    Rate { count: NonZeroU32::new(count).expect("not zero"), per: SignedDuration::from_secs(seconds) }
}

impl Storm {
    fn with(people: Vec<Person>, texts: &[Rate], disasters: &[Rate], pushes: &[Rate]) -> Self {
        let mut rules = Scene::at(Severity::High).rules;
        rules.text_budget = texts.to_vec();
        rules.disaster_budget = disasters.to_vec();
        rules.per_device = pushes.to_vec();
        let budgets = Budgets::new(&rules);
        Self {
            rules,
            people,
            devices: DeviceBook::default(),
            budgets,
            segments: 1,
            now: T0,
            alerts: Vec::new(),
            dues: Vec::new(),
            open: Vec::new(),
            texts: Vec::new(),
            rows: BTreeMap::new(),
            charges: Vec::new(),
            started: T0,
            entropy: 0,
        }
    }

    fn fresh_id(&mut self) -> AlertId {
        self.entropy = self.entropy.wrapping_add(1);
        AlertId::new(self.now, [self.entropy; 10])
    }

    /// Opens an alert; its number.
    fn fire(&mut self, severity: Severity) -> usize {
        let (id, number) = (self.fresh_id(), self.alerts.len());
        let event = Event {
            severity: Some(severity),
            ..Event::firing(DedupKey::new(number.to_string()), format!("host{number} down"))
        };
        let close_at = T0 + SignedDuration::from_hours(24 * 7);
        self.alerts.push(Alert { close_at, ..Alert::opened(id, "zabbix", &event, self.now) });
        self.dues.push(Some(self.now));
        number
    }

    fn over(&mut self, number: usize) {
        let resolution = Resolution { by: ResolvedBy::Sender, at: self.now, note: None, ended_at: None };
        self.alerts[number].state = AlertState::Resolved;
        self.alerts[number].resolved = Some(resolution);
        self.dues[number] = Some(self.now);
    }

    fn tier(&self, number: usize, send: &Send) -> Tier {
        let new = matches!(send.subject, Subject::Opened | Subject::Raised { .. });
        let disaster = self.alerts[number].severity == Severity::Disaster && new;
        if disaster { Tier::Disaster } else { Tier::Ordinary }
    }

    fn present(&self) -> Present<'_> {
        Present {
            now: self.now,
            running_since: self.started,
            epoch: epoch_from(self.started),
            room: usize::MAX,
            rules: &self.rules,
            people: &self.people,
            devices: &self.devices,
            budgets: &self.budgets,
            chance: 0.0,
            entropy: [self.entropy; 10],
        }
    }

    /// Plans one alert as dispatch does; a plan that is not `kept` met a conflict.
    fn plan_one(&mut self, number: usize, kept: bool) -> Vec<Send> {
        self.entropy = self.entropy.wrapping_add(1);
        let mut alert = self.alerts[number].clone();
        if let Some(Digest { contact, tier, due_at, counted: None }) = &alert.digest
            && *due_at <= self.now
        {
            self.budgets.close(contact, *tier, alert.id, self.now);
            let rows = self.rows.get(&alert.id);
            alert.count(Counted::of(rows.into_iter().flat_map(BTreeMap::values)));
        }
        let plan = advance(&mut alert, &self.present());
        assert!(plan.due.is_none_or(|due| self.now < due), "{:?} at {}", plan.due, self.now);
        for opening in plan.opens {
            self.budgets.open(&opening);
            let Opening { id, contact, tier, due_at } = opening;
            let digest = Digest { contact, tier, due_at, counted: None };
            self.alerts.push(Alert::opened_digest(id, digest, self.now));
            self.dues.push(Some(due_at));
        }
        self.assert_days_hold(number, &plan.sends);
        self.budgets.spend(&plan.charges);
        if !kept {
            self.budgets.take_back(&plan.charges);
            return Vec::new();
        }
        let kept = plan.charges.iter().filter(|charge| self.budgets.is_kept(&charge.payer));
        self.charges.extend(kept.cloned());
        for fold in &plan.folds {
            self.budgets.fold(fold, self.now);
            self.rows.entry(fold.digest).or_default().insert(alert.id, fold.row.clone());
        }
        for send in &plan.sends {
            // One that may have arrived is sent once more, also when the alert is over by then.
            let first = !alert.rows.iter().any(|row| {
                matches!(&row.entry, Entry::Attempt(earlier) if earlier.address.transport() == Transport::Sms
                    && earlier.contact == send.contact
                    && (earlier.subject == send.subject.topic()
                        || (send.subject == Subject::Missed && earlier.outcome == AttemptOutcome::Unknown)))
            });
            if first && send.address.transport() == Transport::Sms && alert.digest.is_none() {
                self.texts.push((self.now, send.contact.clone(), self.tier(number, send)));
            }
        }
        self.open.extend(plan.sends.iter().map(|send| (number, send.clone())));
        self.alerts[number] = alert;
        self.dues[number] = plan.due;
        plan.sends
    }

    /// Plans whatever is due, gravest first, until nothing is; what goes out, as [`describe`] says it.
    fn plan(&mut self) -> Vec<String> {
        let mut words = Vec::new();
        loop {
            let mut due: Vec<usize> = (0..self.alerts.len())
                .filter(|number| self.dues[*number].is_some_and(|due| due <= self.now))
                .collect();
            if due.is_empty() {
                return words;
            }
            due.sort_by_key(|number| std::cmp::Reverse(self.alerts[*number].severity));
            for number in due {
                words.extend(self.plan_one(number, true).iter().map(describe));
            }
        }
    }

    fn pass(&mut self, seconds: i64) -> Vec<String> {
        self.now += SignedDuration::from_secs(seconds);
        self.plan()
    }

    fn answer_one(&mut self, position: usize, outcome: Outcome) {
        let (number, send) = self.open.remove(position);
        let segments = match send.address {
            Address::Device(_) => 0,
            Address::Gateway(_) => u8::try_from(self.segments).expect("few"),
        };
        let settlement = Settlement { send, outcome, segments, ended: self.now };
        let mut alert = self.alerts[number].clone();
        let settled = settle(&mut alert, &settlement, &self.present());
        self.budgets.spend(&settled.charges);
        let kept = settled.charges.into_iter().filter(|charge| self.budgets.is_kept(&charge.payer));
        self.charges.extend(kept);
        self.alerts[number] = alert;
        self.dues[number] = Some(self.now);
    }

    /// A gateway reports about an attempt of this alert; what goes out in consequence.
    fn report(&mut self, number: usize, attempt: u32, fate: Fate) -> Vec<String> {
        self.take_report(number, attempt, fate);
        self.plan()
    }

    fn take_report(&mut self, number: usize, attempt: u32, fate: Fate) {
        let report = Report { attempt, at: self.now, fate };
        if self.alerts[number].progress.take_report(&report) {
            self.dues[number] = Some(self.now);
        }
    }

    fn answer_all(&mut self, outcome: &dyn Fn(&Send) -> Outcome) {
        while let Some((_, send)) = self.open.first() {
            let outcome = outcome(send);
            self.answer_one(0, outcome);
        }
    }

    /// The process ends and begins: what was under way has no answer, the books are read again.
    fn restart(&mut self) {
        self.now += SignedDuration::from_secs(1);
        self.started = self.now;
        self.open.clear();
        self.budgets = Budgets::new(&self.rules);
        self.budgets.spend(&self.charges);
        for alert in &self.alerts {
            let Some(Digest { contact, tier, due_at, counted }) = alert.digest.clone() else { continue };
            if counted.is_some() {
                self.budgets.remember_counted(&contact, tier, due_at);
            } else {
                let rows = self.rows.get(&alert.id).map_or(0, BTreeMap::len);
                self.budgets.resume(&Opening { id: alert.id, contact, tier, due_at }, rows);
            }
        }
        for (alert, due) in self.alerts.iter().zip(&mut self.dues) {
            if alert.progress.is_under_way() {
                *due = Some(self.now);
            }
        }
    }

    /// Somebody has it, or has not any more.
    fn acknowledge(&mut self, number: usize) {
        let alert = &mut self.alerts[number];
        (alert.state, alert.conversation.acknowledged) = match alert.state {
            AlertState::Triggered => {
                let by = Acknowledgement {
                    by: "min".to_owned(),
                    at: self.now,
                    since: self.now,
                    severity: Severity::Disaster,
                    by_sender: false,
                };
                (AlertState::Acknowledged, Some(by))
            }
            AlertState::Acknowledged | AlertState::Noted | AlertState::Resolved => {
                (AlertState::Triggered, None)
            }
        };
        self.dues[number] = Some(self.now);
    }

    fn digests(&self) -> impl Iterator<Item = (&Alert, &Digest)> {
        self.alerts.iter().filter_map(|alert| Some((alert, alert.digest.as_ref()?)))
    }

    fn words_of_digests(&self) -> Vec<String> {
        let counted = self.digests().filter_map(|(_, digest)| digest.counted.as_ref());
        counted.map(Counted::words).collect()
    }

    /// Of a gateway's day something is left whenever it gets what has no budget of its own.
    fn assert_days_hold(&self, number: usize, sends: &[Send]) {
        let mut decided: BTreeMap<GatewayName, u64> = BTreeMap::new();
        for send in sends {
            let Address::Gateway(name) = &send.address else { continue };
            let bound = self.alerts[number].digest.is_none() && self.tier(number, send) == Tier::Ordinary;
            let before = decided.entry(name.clone()).or_default();
            let payer = Payer::Gateway(name.clone());
            assert!(
                !bound || self.budgets.has_room(&payer, window::Spare::Nothing, self.now, *before),
                "{send:?} after {before}"
            );
            *before += u64::from(self.rules.gateway(name).expect("configured").segments_max);
        }
    }

    /// In no window more was spent than the budget, whose last text may be as long as it is.
    fn assert_budgets_hold(&self) {
        for (tier, rates) in
            [(Tier::Ordinary, &self.rules.text_budget), (Tier::Disaster, &self.rules.disaster_budget)]
        {
            for (end, contact, _) in &self.texts {
                for rate in rates {
                    let within = |(at, name, of): &&(Timestamp, ContactName, Tier)| {
                        name == contact && *of == tier && at <= end && end.duration_since(*at) < rate.per
                    };
                    let texts = self.texts.iter().filter(within).count();
                    let segments = texts * usize::from(self.segments);
                    let most = rate.count.get() as usize - 1 + usize::from(self.segments);
                    assert!(
                        texts == 0 || segments <= most,
                        "{contact}: {segments} of {rate:?} until {end}: {:?}",
                        self.texts
                    );
                }
            }
        }
    }

    /// Every row is counted once, in the digest that its alert names, and nothing else is.
    fn assert_digests_sum(&self) {
        let mut folded: BTreeMap<AlertId, BTreeSet<AlertId>> = BTreeMap::new();
        for alert in &self.alerts {
            for row in &alert.rows {
                if let Entry::Folded { digest: Some(digest), .. } = &row.entry {
                    folded.entry(*digest).or_default().insert(alert.id);
                }
            }
        }
        for (alert, digest) in self.digests() {
            let named = folded.remove(&alert.id).unwrap_or_default();
            if let Some(counted) = &digest.counted {
                assert_eq!(counted.total() as usize, named.len(), "{}", alert.title);
            } else {
                assert!(self.now < digest.due_at, "it should have counted");
            }
        }
        assert!(folded.is_empty(), "folded into digests that are not there: {folded:?}");
    }

    fn assert_nobody_is_forgotten(&self) {
        let waits = |alert: &&Alert| alert.digest.is_none() && alert.state == AlertState::Triggered;
        for alert in self.alerts.iter().filter(waits) {
            for (name, contact) in &alert.progress.contacts {
                let told = Notified::No < contact.notified()
                    || contact.unreachable.is_some()
                    || !contact.notifications.is_empty();
                assert!(told, "{name} was forgotten: {:?}", alert.progress);
            }
        }
    }
}

fn no_device(name: &str) -> Person {
    Person { devices: Vec::new(), ..person(name, 0) }
}

fn undelivered() -> Fate {
    Fate::Failed { reason: "30005".to_owned() }
}
