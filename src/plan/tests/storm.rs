//! Budgets, digests and flapping: many alerts that share one purse.

use std::{
    collections::{BTreeMap, BTreeSet},
    num::NonZeroU32,
};

use super::*;
use crate::{
    alert::{
        ContactTelling, Counted, Digest, FLAPPING_ROUNDS, FoldRow, FoldWord, Openings, Payer, Purse,
        STABLE_AFTER,
    },
    config::Rate,
};

/// Many alerts, one planner.
struct Storm {
    rules: Rules,
    devices: DeviceBook,
    budgets: Budgets,
    price: Each,
    now: Timestamp,
    alerts: Vec<Alert>,
    /// The next time that each alert wants to be planned.
    dues: Vec<Option<Timestamp>>,
    open: Vec<(usize, Send)>,
    /// Every first text, with its time, person and purse.
    texts: Vec<(Timestamp, ContactName, Purse)>,
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
        let mut rules = Scene::at(Severity::High).with_people(people).rules;
        rules.text_budget = texts.to_vec();
        rules.disaster_budget = disasters.to_vec();
        rules.per_device = pushes.to_vec();
        let budgets = Budgets::new(&rules);
        Self {
            rules,
            devices: DeviceBook::default(),
            budgets,
            price: Each(1, 0),
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

    fn purse(&self, number: usize, send: &Send) -> Purse {
        let new = matches!(send.subject, Subject::Opened | Subject::Raised);
        let disaster = self.alerts[number].severity == Severity::Disaster && new;
        if disaster { Purse::Disasters } else { Purse::Texts }
    }

    /// Plans one alert as dispatch does; a plan that is not `kept` met a conflict.
    fn plan_one(&mut self, number: usize, kept: bool) -> Vec<Send> {
        self.entropy = self.entropy.wrapping_add(1);
        let mut alert = self.alerts[number].clone();
        if let Some(Digest { contact, lane, due_at, counted: None }) = &alert.digest
            && *due_at <= self.now
        {
            self.budgets.close(contact, *lane, alert.id, self.now);
            let rows = self.rows.get(&alert.id);
            alert.count(Counted::of(rows.into_iter().flat_map(BTreeMap::values)));
        }
        let present = Present {
            now: self.now,
            running_since: self.started,
            rules: &self.rules,
            devices: &self.devices,
            budgets: &self.budgets,
            price: &self.price,
            chance: 0.0,
            entropy: [self.entropy; 10],
        };
        let plan = advance(&mut alert, &present);
        assert!(plan.due.is_none_or(|due| self.now < due), "{:?} at {}", plan.due, self.now);
        for opening in plan.opens {
            self.budgets.open(&opening);
            let Opening { id, contact, lane, due_at } = opening;
            let digest = Digest { contact, lane, due_at, counted: None };
            let close_at = due_at + SMS_GIVE_UP;
            self.alerts.push(Alert::opened_digest(id, digest, self.now, close_at));
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
            let first = !alert.rows.iter().any(|row| {
                matches!(&row.entry, Entry::Attempt(earlier) if earlier.transport == Transport::Sms
                    && earlier.contact == send.contact && earlier.subject == send.subject.as_str())
            });
            if first && send.address.transport() == Transport::Sms && send.subject != Subject::Digest {
                self.texts.push((self.now, send.contact.clone(), self.purse(number, send)));
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
        if let (Address::Gateway(rank), Outcome::Accepted { .. } | Outcome::Unknown { .. }) =
            (send.address, &outcome)
        {
            let payer = Payer::Gateway(self.rules.gateways[usize::from(rank)].name.clone());
            let charge = Charge { payer, at: self.now, units: self.price.0 };
            self.budgets.spend(std::slice::from_ref(&charge));
            self.charges.push(charge);
        }
        let settlement = Settlement { send, outcome, segments: 0, ended: self.now };
        let mut alert = self.alerts[number].clone();
        let present = Present {
            now: self.now,
            running_since: self.started,
            rules: &self.rules,
            devices: &self.devices,
            budgets: &self.budgets,
            price: &self.price,
            chance: 0.0,
            entropy: [0; 10],
        };
        settle(&mut alert, &settlement, &present);
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
        if self.alerts[number].telling.take_report(&report) {
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
            let Some(Digest { contact, lane, due_at, counted }) = alert.digest.clone() else { continue };
            if counted.is_some() {
                self.budgets.remember_counted(&contact, lane, due_at);
            } else {
                let rows = self.rows.get(&alert.id).map_or(0, BTreeMap::len);
                self.budgets.resume(&Opening { id: alert.id, contact, lane, due_at }, rows);
            }
        }
        for (alert, due) in self.alerts.iter().zip(&mut self.dues) {
            if alert.telling.contacts.values().any(ContactTelling::is_under_way) {
                *due = Some(self.now);
            }
        }
    }

    /// Somebody has it, or has not any more.
    fn acknowledge(&mut self, number: usize) {
        let alert = &mut self.alerts[number];
        (alert.state, alert.acknowledged) = match alert.state {
            AlertState::Triggered => {
                let by = Acknowledgement { by: "min".to_owned(), at: self.now };
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
        let mut decided = vec![0; self.rules.gateways.len()];
        for send in sends {
            let Address::Gateway(rank) = send.address else { continue };
            let bound = send.subject != Subject::Digest && self.purse(number, send) == Purse::Texts;
            let before = decided[usize::from(rank)];
            assert!(!bound || self.budgets.has_room(rank, (self.now, before)), "{send:?} after {before}");
            decided[usize::from(rank)] += u64::from(self.rules.gateways[usize::from(rank)].segments_max);
        }
    }

    /// In no window more was spent than the budget, whose last text may be as long as it is.
    fn assert_budgets_hold(&self) {
        for (purse, rates) in
            [(Purse::Texts, &self.rules.text_budget), (Purse::Disasters, &self.rules.disaster_budget)]
        {
            for (end, contact, _) in &self.texts {
                for rate in rates {
                    let within = |(at, name, of): &&(Timestamp, ContactName, Purse)| {
                        name == contact && *of == purse && at <= end && end.duration_since(*at) < rate.per
                    };
                    let texts = self.texts.iter().filter(within).count();
                    let segments = texts * usize::from(self.price.0);
                    let most = rate.count.get() as usize - 1 + usize::from(self.price.0);
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
                if let Entry::Folded { digest, .. } = &row.entry {
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
            for (name, contact) in &alert.telling.contacts {
                let told =
                    Told::No < contact.told || contact.unreachable.is_some() || !contact.cycles.is_empty();
                assert!(told, "{name} was forgotten: {:?}", alert.telling);
            }
        }
    }
}

fn no_device(name: &str) -> Person {
    Person { devices: Vec::new(), ..person(name, 0) }
}

#[test]
fn past_the_budget_texts_are_counted_in_one_digest_that_goes_out_whatever_was_spent() {
    let mut storm = Storm::with(vec![no_device("jin")], &[rate(2, 600)], &[], &[]);
    for _ in 0..5 {
        storm.fire(Severity::High);
    }
    storm.fire(Severity::Average);
    assert_eq!(storm.plan(), ["sms 1 jin", "sms 1 jin"], "the budget");
    storm.answer_all(&|_| accepted());
    assert_eq!(storm.pass(29), NOTHING);
    assert_eq!(storm.pass(1), ["sms 1 jin digest"], "no limit drops it");
    assert_eq!(storm.words_of_digests(), ["4 more: 3 high, 1 average"]);
    storm.answer_all(&|_| accepted());
    storm.plan();
    let (digest, _) = storm.digests().next().expect("a digest");
    assert_eq!(
        (digest.state, digest.resolved.as_ref().map(|end| &end.by)),
        (AlertState::Resolved, Some(&ResolvedBy::Told))
    );
    storm.assert_digests_sum();
}

#[test]
fn a_disaster_has_a_budget_of_its_own_and_its_digest_is_there_within_a_minute() {
    let mut storm = Storm::with(vec![no_device("jin")], &[rate(1, 600)], &[rate(2, 600)], &[]);
    for severity in
        [Severity::High, Severity::High, Severity::Disaster, Severity::Disaster, Severity::Disaster]
    {
        storm.fire(severity);
    }
    assert_eq!(storm.plan().len(), 3, "two disasters and one high");
    storm.answer_all(&|_| accepted());
    assert_eq!(storm.pass(10), ["sms 1 jin digest"]);
    assert_eq!(storm.words_of_digests(), ["1 more: 1 disaster"], "named before the others");
    storm.fire(Severity::Disaster);
    assert_eq!(storm.plan(), NOTHING);
    storm.answer_all(&|_| accepted());
    assert_eq!(storm.pass(20), ["sms 1 jin digest"], "the others, 30 s after the first of them");
    assert_eq!(storm.pass(25), ["sms 1 jin digest"], "the next disaster, 45 s after the last digest");
}

#[test]
fn the_gravest_have_what_is_left() {
    let mut storm = Storm::with(vec![no_device("jin")], &[rate(8, 600)], &[], &[]);
    for _ in 0..20 {
        storm.fire(Severity::Warning);
    }
    assert_eq!(storm.plan().len(), 6, "a quarter is left for what is graver");
    storm.fire(Severity::High);
    storm.fire(Severity::High);
    storm.fire(Severity::High);
    assert_eq!(storm.plan().len(), 2);
}

#[test]
fn a_device_past_its_rate_gets_one_digest_instead_of_hours_of_pushes() {
    let mut storm = Storm::with(vec![person("jin", 1)], &[], &[], &[rate(8, 60)]);
    for _ in 0..100 {
        storm.fire(Severity::High);
    }
    assert_eq!(storm.plan().len(), 7, "an eighth is left for disasters");
    storm.answer_all(&|_| accepted());
    storm.fire(Severity::Disaster);
    assert_eq!(storm.plan(), ["push 1 jin", "sms 2 jin"]);
    storm.answer_all(&|_| accepted());
    assert_eq!(storm.pass(30), ["push 1 jin digest"]);
    assert_eq!(storm.words_of_digests(), ["93 more: 93 high"]);
    storm.answer_all(&|_| accepted());
    assert_eq!(storm.pass(1_770), ["push 2 jin repeat"; 0], "no reminders one by one");
    assert_eq!(
        storm.pass(30),
        ["push 1 jin digest", "sms 2 jin digest"],
        "one for all: a disaster is among them"
    );
    assert_eq!(storm.words_of_digests()[1], "101 more: 1 disaster, 100 high");
    storm.assert_digests_sum();
}

#[test]
fn a_second_device_with_an_allowance_is_enough() {
    let mut storm = Storm::with(vec![person("jin", 2)], &[], &[], &[rate(1, 60)]);
    let first = storm.rules.people[0].devices[0];
    storm.budgets.spend(&[Charge { payer: Payer::Device(first), at: T0, units: 1 }]);
    storm.fire(Severity::High);
    assert_eq!(storm.plan(), ["push 1 jin"]);
    assert_eq!(storm.digests().count(), 0);
}

#[test]
fn a_disaster_whose_push_has_no_allowance_is_texted_and_not_counted() {
    let mut storm = Storm::with(vec![person("jin", 1)], &[], &[], &[rate(1, 60)]);
    storm.fire(Severity::Disaster);
    storm.fire(Severity::Disaster);
    assert_eq!(storm.plan(), ["push 1 jin", "sms 2 jin", "sms 1 jin"]);
    assert_eq!(storm.digests().count(), 0);
}

#[test]
fn an_alert_over_before_its_digest_goes_out_is_counted_as_over_and_told_once() {
    let mut storm = Storm::with(vec![no_device("jin")], &[rate(1, 600)], &[], &[]);
    let numbers: Vec<usize> = (0..4).map(|_| storm.fire(Severity::High)).collect();
    storm.plan();
    storm.answer_all(&|_| accepted());
    storm.over(numbers[3]);
    assert_eq!(storm.plan(), NOTHING);
    assert_eq!(storm.pass(30), ["sms 1 jin digest"]);
    assert_eq!(storm.words_of_digests(), ["3 more: 2 high, 1 resolved"]);
    storm.answer_all(&|_| accepted());
    storm.over(numbers[2]);
    storm.over(numbers[1]);
    storm.plan();
    assert_eq!(storm.pass(300), NOTHING, "an end is pushed, and jin has no device");
    assert_eq!(storm.words_of_digests()[1], "2 more: 2 resolved");
    storm.assert_digests_sum();
}

#[test]
fn a_digest_that_cannot_be_delivered_is_tried_again_and_then_reported_to_the_others() {
    let mut storm = Storm::with(vec![no_device("jin"), no_device("min")], &[rate(1, 600)], &[], &[]);
    storm.alerts.clear();
    storm.fire(Severity::High);
    storm.fire(Severity::High);
    storm.plan();
    storm.answer_all(&|_| accepted());
    storm.pass(30);
    let to_jin = |send: &Send| send.contact.as_str() == "jin";
    storm.answer_all(&|send| if to_jin(send) { deferred(DeferCause::Unavailable) } else { accepted() });
    storm.plan();
    assert_eq!(storm.pass(10), ["sms 2 jin digest"], "again by schedule");
    storm.answer_all(&|_| rejected(RejectCause::Recipient));
    // min's own budget is spent, too: that jin was not reached is counted for min.
    assert_eq!(storm.plan(), NOTHING);
    let journal = serde_json::to_string(&storm.alerts).expect("JSON");
    assert!(journal.contains(r#""entry":"unreachable","contact":"jin""#), "{journal}");
    assert!(storm.pass(600).contains(&"sms 1 min digest".to_owned()));
    assert!(storm.words_of_digests().contains(&"1 more: 1 not told to others".to_owned()));
}

#[test]
fn a_digest_that_was_texted_is_over_though_its_push_failed() {
    let mut storm = Storm::with(vec![person("jin", 1)], &[], &[rate(1, 600)], &[]);
    storm.fire(Severity::Disaster);
    storm.fire(Severity::Disaster);
    storm.plan();
    storm.answer_all(&|_| accepted());
    assert_eq!(storm.pass(10), ["push 1 jin digest", "sms 2 jin digest"]);
    let by_push = |send: &Send| send.address.transport() == Transport::Push;
    storm.answer_all(&|send| if by_push(send) { deferred(DeferCause::Unavailable) } else { accepted() });
    assert_eq!(storm.plan(), NOTHING);
    assert_eq!(storm.pass(60), NOTHING);
    assert!(
        storm
            .digests()
            .all(|(alert, _)| alert.state == AlertState::Resolved && alert.telling.repeat_at.is_none())
    );
}

#[test]
fn a_gateway_past_its_day_takes_only_what_no_limit_may_drop() {
    let mut storm = Storm::with(vec![no_device("jin")], &[], &[], &[]);
    storm.rules.gateways = gateways(2);
    for gateway in &mut storm.rules.gateways {
        gateway.per_day = NonZeroU32::new(1);
    }
    storm.budgets = Budgets::new(&storm.rules);
    let taken = |name: &str| Charge { payer: Payer::Gateway(name.to_owned()), at: T0, units: 1 };
    storm.budgets.spend(&[taken("gateway1")]);
    storm.fire(Severity::High);
    storm.plan();
    assert_eq!(storm.open[0].1.address, Address::Gateway(1), "the next one");
    storm.budgets.spend(&[taken("gateway2")]);
    storm.fire(Severity::High);
    storm.fire(Severity::Disaster);
    assert_eq!(storm.plan(), ["sms 1 jin"], "the disaster");
    assert_eq!(storm.pass(30), ["sms 1 jin digest"]);
}

/// Gateways with a day's limit each, `spent` of which have none of it left.
fn with_days(gateways_in_all: usize, spent: &[&str]) -> Storm {
    let mut storm = Storm::with(vec![no_device("jin")], &[], &[], &[]);
    storm.rules.gateways = gateways(gateways_in_all);
    for gateway in &mut storm.rules.gateways {
        gateway.per_day = NonZeroU32::new(1);
    }
    storm.budgets = Budgets::new(&storm.rules);
    for name in spent {
        storm.budgets.spend(&[Charge { payer: Payer::Gateway((*name).to_owned()), at: T0, units: 1 }]);
    }
    storm
}

#[test]
fn a_gateway_past_its_day_takes_nothing_that_another_one_could_not_send() {
    let put_off = || deferred(DeferCause::Unavailable);
    let mut storm = with_days(2, &["gateway2"]);
    storm.fire(Severity::High);
    storm.fire(Severity::Disaster);
    assert_eq!(storm.plan(), ["sms 1 jin", "sms 1 jin"]);
    storm.answer_all(&|_| put_off());
    assert_eq!(storm.plan(), ["sms 2 jin"], "the disaster");
    assert_eq!(storm.open[0].1.address, Address::Gateway(1));
    storm.answer_all(&|_| accepted());
    assert_eq!(storm.pass(30), ["sms 1 jin digest"], "the other one is counted");
    storm.answer_all(&|_| put_off());
    storm.plan();
    assert_eq!(storm.open[0].1.address, Address::Gateway(1), "a digest goes all the same");
    storm.assert_digests_sum();

    let mut storm = with_days(3, &["gateway2"]);
    storm.fire(Severity::High);
    storm.plan();
    storm.answer_all(&|_| put_off());
    storm.plan();
    assert_eq!(storm.open[0].1.address, Address::Gateway(2), "one after it has room");
    storm.answer_all(&|_| put_off());
    assert_eq!(storm.plan(), NOTHING, "that was all of them");
    assert_eq!(storm.pass(10), ["sms 3 jin"], "after a pause");
    assert_eq!(storm.digests().count(), 0);
}

#[test]
fn one_alert_for_many_people_does_not_pass_a_gateways_day_by_all_of_them() {
    let people: Vec<Person> = (0..9).map(|number| no_device(&format!("p{number}"))).collect();
    let mut storm = Storm::with(people, &[], &[], &[]);
    storm.rules.gateways = gateways(2);
    storm.rules.gateways[0].per_day = NonZeroU32::new(2);
    storm.rules.gateways[1].per_day = NonZeroU32::new(3);
    storm.budgets = Budgets::new(&storm.rules);
    storm.fire(Severity::High);
    assert_eq!(storm.plan().len(), 5);
    assert_eq!(storm.digests().count(), 4, "the others are told by digests, which no limit drops");
}

#[test]
fn a_text_that_did_not_arrive_is_not_sent_by_a_gateway_past_its_day() {
    let mut storm = with_days(2, &["gateway2"]);
    for gateway in &mut storm.rules.gateways {
        gateway.reports = true;
    }
    let first = storm.fire(Severity::High);
    storm.plan();
    storm.answer_all(&|_| accepted());
    assert_eq!(storm.report(first, 1, undelivered()), NOTHING);
    assert_eq!(storm.pass(30), ["sms 1 jin digest"]);
}

#[test]
fn a_dearer_gateway_is_paid_for_and_what_was_put_off_is_not() {
    let spent = |storm: &Storm, segments: u64| {
        let jin: ContactName = "jin".parse().expect("a name");
        let room = |more| storm.budgets.can_text(&jin, Purse::Texts, Severity::High, (storm.now, more));
        !room(100 - segments) && room(99 - segments)
    };
    let budget = [rate(100, 6_000)];
    let put_off = |_: &Send| deferred(DeferCause::Unavailable);
    let mut storm = Storm::with(vec![no_device("jin")], &budget, &[], &[]);
    storm.rules.gateways = gateways(2);
    storm.price = Each(1, 2);
    storm.fire(Severity::High);
    storm.plan();
    assert!(spent(&storm, 1));
    for round in 0..3 {
        storm.answer_all(&put_off);
        storm.plan();
        assert!(spent(&storm, 3), "round {round}: what the dearer of the two would cost");
        storm.answer_all(&put_off);
        storm.pass(60);
    }

    let mut storm = Storm::with(vec![no_device("jin")], &budget, &[], &[]);
    storm.fire(Severity::High);
    storm.plan();
    storm.answer_all(&|_| unknown());
    for round in 0..3 {
        assert_eq!(storm.pass(60).len(), 1);
        assert!(spent(&storm, 2), "round {round}: the one without an answer, and this one");
        storm.answer_all(&put_off);
        storm.plan();
    }
}

#[test]
fn a_disaster_over_before_its_digest_goes_out_is_counted_as_over_though_its_push_came() {
    let mut storm = Storm::with(vec![person("jin", 1)], &[], &[rate(1, 600)], &[]);
    let numbers =
        [storm.fire(Severity::Disaster), storm.fire(Severity::Disaster), storm.fire(Severity::Disaster)];
    storm.plan();
    storm.answer_all(&|_| accepted());
    storm.plan();
    storm.over(numbers[2]);
    assert_eq!(storm.plan(), ["push 2 jin resolved"], "jin had the push");
    storm.answer_all(&|_| accepted());
    storm.pass(10);
    assert_eq!(storm.words_of_digests(), ["2 more: 1 disaster, 1 resolved"]);
    storm.assert_digests_sum();
}

#[test]
fn what_comes_back_graver_than_it_was_told_is_told_at_once() {
    let mut storm = Storm::with(vec![person("jin", 1)], &[], &[], &[]);
    let graver = storm.fire(Severity::Disaster);
    storm.alerts[graver].openings = flapping(FLAPPING_ROUNDS + 1, T0);
    assert_eq!(storm.plan(), ["push 1 jin", "sms 2 jin"], "it flapped as high");
    let raised = storm.fire(Severity::High);
    storm.alerts[raised].openings = flapping(FLAPPING_ROUNDS + 1, T0);
    assert_eq!(storm.plan(), NOTHING);
    storm.alerts[raised].severity = Severity::Disaster;
    storm.dues[raised] = Some(storm.now);
    assert_eq!(storm.plan(), ["push 1 jin", "sms 2 jin"]);
}

fn undelivered() -> Fate {
    Fate::Failed { reason: "30005".to_owned() }
}

#[test]
fn a_text_that_did_not_arrive_is_charged_once_more_and_held_back_by_no_budget() {
    let mut storm = Storm::with(vec![no_device("jin")], &[rate(2, 600)], &[], &[]);
    storm.rules.gateways = gateways_that(3, true, false);
    let first = storm.fire(Severity::High);
    assert_eq!(storm.plan(), ["sms 1 jin"]);
    storm.answer_all(&|_| accepted());
    assert_eq!(storm.report(first, 1, undelivered()), ["sms 2 jin"]);
    assert_eq!(storm.open[0].1.address, Address::Gateway(1));
    storm.answer_all(&|_| accepted());
    storm.fire(Severity::High);
    assert_eq!(storm.plan(), NOTHING, "both texts were paid for");
    assert_eq!(storm.report(first, 2, undelivered()), ["sms 3 jin"], "it was let through before");
    assert_eq!(storm.open[0].1.address, Address::Gateway(2), "not one that failed to deliver it");
    storm.assert_digests_sum();
}

#[test]
fn whoever_a_digest_told_stays_told_though_a_text_did_not_arrive() {
    let mut storm = Storm::with(vec![no_device("jin")], &[rate(1, 3_600)], &[], &[]);
    storm.rules.gateways = gateways_that(1, true, false);
    let first = storm.fire(Severity::High);
    storm.fire(Severity::High);
    assert_eq!(storm.plan(), ["sms 1 jin"]);
    storm.answer_all(&|_| accepted());
    storm.pass(30);
    storm.answer_all(&|_| accepted());
    assert_eq!(storm.pass(1_770), NOTHING, "both reminders are for a digest");
    storm.report(first, 1, undelivered());
    let jin = storm.alerts[first].telling.contacts.values().next().expect("jin");
    assert_eq!((jin.told, jin.certain), (Told::Folded, Told::Folded));
}

#[test]
fn a_digest_whose_text_did_not_arrive_is_pushed_again_or_reported_to_the_others() {
    for push_is_answered_first in [false, true] {
        let mut storm = Storm::with(vec![person("jin", 1)], &[], &[rate(1, 600)], &[]);
        storm.rules.gateways = gateways_that(1, true, false);
        storm.fire(Severity::Disaster);
        storm.fire(Severity::Disaster);
        storm.plan();
        storm.answer_all(&|_| accepted());
        assert_eq!(storm.pass(10), ["push 1 jin digest", "sms 2 jin digest"]);
        let digest = storm.open[0].0;
        storm.rules.people.push(no_device("min"));
        storm.answer_one(1, accepted());
        storm.plan();
        let put_off = deferred(DeferCause::Unavailable);
        if push_is_answered_first {
            storm.answer_one(0, put_off);
            assert_eq!(storm.plan(), NOTHING, "the text is enough");
            assert_eq!(storm.report(digest, 2, undelivered()), ["sms 3 min unreachable"]);
        } else {
            assert_eq!(storm.report(digest, 2, undelivered()), NOTHING);
            storm.answer_one(0, put_off);
            assert_eq!(storm.plan(), NOTHING);
            assert_eq!(storm.pass(10), ["push 3 jin digest"], "it is not enough any more");
        }
    }
}

fn flapping(rounds: usize, now: Timestamp) -> Openings {
    let mut openings = Openings::default();
    for _ in 1..rounds {
        openings = openings.next(Severity::High, (now, now), now);
    }
    openings
}

#[test]
fn flapping_is_told_once_then_only_how_it_stands_when_it_is_stable() {
    let mut storm = Storm::with(vec![person("jin", 1)], &[], &[], &[]);
    let first = storm.fire(Severity::High);
    storm.alerts[first].openings = flapping(FLAPPING_ROUNDS, T0);
    assert_eq!(storm.plan(), ["push 1 jin"], "told as flapping");
    storm.answer_all(&|_| accepted());
    storm.over(first);
    assert_eq!(storm.plan(), NOTHING, "its end is not told yet");
    storm.alerts[first].openings.supersede();
    assert_eq!(storm.pass(300), NOTHING, "it has come back meanwhile");
    assert_eq!(storm.dues[first], None);

    let next = storm.fire(Severity::High);
    storm.alerts[next].openings = flapping(FLAPPING_ROUNDS + 1, T0);
    assert_eq!(storm.plan(), NOTHING, "told before");
    assert_eq!(storm.dues[next], Some(storm.now + STABLE_AFTER));
    assert_eq!(storm.pass(300), ["push 1 jin"], "it stays");
    storm.answer_all(&|_| accepted());

    let last = storm.fire(Severity::High);
    storm.alerts[last].openings = flapping(FLAPPING_ROUNDS + 2, T0);
    storm.plan();
    storm.pass(60);
    storm.over(last);
    assert_eq!(storm.pass(299), NOTHING);
    assert_eq!(storm.pass(1), ["push 1 jin missed"], "it is over for good");
}

#[derive(Clone, Debug)]
enum Happening {
    Fire(u8),
    Over(usize),
    Acknowledge(usize),
    Raise(usize),
    Restart,
    Pass(i64),
    Plan(usize, bool),
    PlanAll,
    Answer(usize, Outcome),
    Report(usize, u32, Fate),
}

fn happening() -> impl Strategy<Value = Happening> {
    let outcome = prop_oneof![
        4 => Just(accepted()),
        2 => Just(deferred(DeferCause::Unavailable)),
        1 => Just(rejected(RejectCause::Message)),
        1 => Just(unknown()),
    ];
    let fate = prop_oneof![2 => Just(undelivered()), 1 => Just(Fate::Delivered), 1 => Just(Fate::Taken), 1 => Just(Fate::NotThere)];
    prop_oneof![
        8 => (0_u8..6).prop_map(Happening::Fire),
        1 => any::<usize>().prop_map(Happening::Over),
        1 => any::<usize>().prop_map(Happening::Acknowledge),
        1 => any::<usize>().prop_map(Happening::Raise),
        1 => Just(Happening::Restart),
        3 => (1_i64..40).prop_map(Happening::Pass),
        1 => (40_i64..900).prop_map(Happening::Pass),
        8 => (any::<usize>(), proptest::bool::weighted(0.8)).prop_map(|(which, kept)| Happening::Plan(which, kept)),
        2 => Just(Happening::PlanAll),
        8 => (any::<usize>(), outcome).prop_map(|(which, outcome)| Happening::Answer(which, outcome)),
        4 => (any::<usize>(), 1_u32..5, fate).prop_map(|(which, attempt, fate)| Happening::Report(which, attempt, fate)),
    ]
}

proptest! {
    /// Alerts are planned in any order, some plans meet a conflict, providers answer and report as they like.
    #[test]
    fn budgets_hold_and_digests_sum_under_any_interleaving(
        happenings in proptest::collection::vec(happening(), 0..160),
        segments in 1_u16..4,
        (few, many) in (1_u32..6, 4_u32..12),
    ) {
        let people = vec![person("jin", 1), no_device("min")];
        let texts = [rate(few, 60), rate(many, 600)];
        let mut storm = Storm::with(people, &texts, &[rate(few, 120)], &[rate(many, 60)]);
        storm.price = Each(segments, 0);
        storm.rules.gateways = gateways_that(2, true, true);
        for gateway in &mut storm.rules.gateways {
            gateway.segments_max = segments;
            gateway.per_day = NonZeroU32::new(many);
        }
        storm.budgets = Budgets::new(&storm.rules);
        for happening in happenings {
            match happening {
                Happening::Fire(severity) => {
                    storm.fire(Severity::from_number(severity).expect("0 to 5"));
                }
                Happening::Over(which) | Happening::Acknowledge(which) | Happening::Raise(which)
                    if !storm.alerts.is_empty() =>
                {
                    let number = which % storm.alerts.len();
                    if !storm.alerts[number].is_open() || storm.alerts[number].digest.is_some() {
                        continue;
                    }
                    if matches!(happening, Happening::Over(_)) {
                        storm.over(number);
                    } else if matches!(happening, Happening::Acknowledge(_)) {
                        storm.acknowledge(number);
                    } else {
                        storm.alerts[number].severity = Severity::Disaster;
                        storm.dues[number] = Some(storm.now);
                    }
                }
                Happening::Restart => storm.restart(),
                Happening::Plan(which, kept) if !storm.alerts.is_empty() => {
                    storm.plan_one(which % storm.alerts.len(), kept);
                }
                Happening::Pass(seconds) => storm.now += SignedDuration::from_secs(seconds),
                Happening::PlanAll => drop(storm.plan()),
                Happening::Answer(which, outcome) if !storm.open.is_empty() => {
                    storm.answer_one(which % storm.open.len(), outcome);
                }
                Happening::Report(which, attempt, fate) if !storm.alerts.is_empty() => {
                    storm.take_report(which % storm.alerts.len(), attempt, fate);
                }
                Happening::Over(_) | Happening::Acknowledge(_) | Happening::Raise(_) | Happening::Plan(..) | Happening::Answer(..) | Happening::Report(..) => {}
            }
        }
        storm.plan();
        storm.assert_budgets_hold();
        storm.assert_digests_sum();
        storm.assert_nobody_is_forgotten();
    }

    #[test]
    fn a_window_never_forgets_early(spent in proptest::collection::vec((0_i64..5_000, 1_u16..4), 1..60), per in 1_i64..900) {
        let mut rules = Scene::at(Severity::High).rules;
        rules.text_budget = vec![rate(1_000_000, per)];
        let jin: ContactName = "jin".parse().expect("a name");
        let mut times = spent;
        times.sort_unstable();
        let mut budgets = Budgets::new(&rules);
        for (seconds, units) in &times {
            let at = T0 + SignedDuration::from_secs(*seconds);
            budgets.spend(&[Charge { payer: Payer::Contact(jin.clone(), Purse::Texts), at, units: *units }]);
            let within = |(earlier, _): &&(i64, u16)| *earlier <= *seconds && seconds - earlier < per;
            let real: u64 = times.iter().filter(within).map(|(_, units)| u64::from(*units)).sum();
            let left = |more| budgets.can_text(&jin, Purse::Texts, Severity::High, (at, more));
            // What was spent later at the same second is still to come.
            let now: u64 = times.iter().filter(|(earlier, _)| earlier == seconds).map(|(_, units)| u64::from(*units)).sum();
            prop_assert!(!left(1_000_000 - (real - now).min(real)), "at least the earlier ones count");
        }
    }
}

#[test]
fn an_unreachable_note_does_not_hide_that_the_alert_fires() {
    assert!(FoldWord::Unreachable < FoldWord::Fired && FoldWord::Fired < FoldWord::Resolved);
}
