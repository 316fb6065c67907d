//! The table "push, then SMS", the changes of an alert, and what holds in every history.

use std::collections::BTreeMap;

use jiff::{SignedDuration, Timestamp};
use proptest::prelude::*;

use super::*;
use crate::{
    alert::{
        Acknowledgement, Address, AlertId, Charge, ContactName, DedupKey, DeferCause, DeviceId, Entry, Epoch,
        Event, Fate, GatewayName, Kind, Language, Notification, Notified, Outcome, PhoneNumber, PushTarget,
        RejectCause, Report, Row, Severity, Subject, Successor, Transport,
    },
    roster::{Device, Person},
};

mod misdated;
mod storm;

const T0: Timestamp = Timestamp::constant(1_800_000_000, 0);

/// Of one alert within hours.
const PLANS_MAX: usize = 2_000;

/// One alert, its rules, and the requests that are under way.
struct Scene {
    alert: Alert,
    rules: Rules,
    people: Vec<Person>,
    devices: DeviceBook,
    budgets: Budgets,
    now: Timestamp,
    started: Timestamp,
    open: Vec<Send>,
    /// Every text sent, with the answer that was known so far.
    texts: Vec<(Send, Option<Outcome>)>,
    /// When the messages about others began that they are of, by attempt.
    of_others: BTreeMap<u32, Timestamp>,
    /// How many of them went out before the last reminder or raise, which tells anew.
    texts_before_news: usize,
    /// What gateways reported of them.
    reported: Vec<Report>,
    /// What gateways were asked.
    asked: Vec<Ask>,
    due: Option<Timestamp>,
    /// What the gateways can do.
    reports: bool,
    asks: bool,
}

impl Scene {
    /// jin has a device and a phone; one gateway; everything as configured by default.
    fn at(severity: Severity) -> Self {
        Self {
            alert: alert(severity),
            people: vec![person("jin", 1)],
            rules: Rules {
                push: true,
                gateways: gateways(1),
                always_at: Some(Severity::Disaster),
                fallback_at: Some(Severity::NotClassified),
                texts_resolved: false,
                accept_within: SignedDuration::from_secs(20),
                push_ttl: SignedDuration::from_hours(1),
                backoff: Backoff::new(SignedDuration::from_secs(10), SignedDuration::from_mins(5)),
                repeats: BUILT_IN_REPEATS,
                text_budget: Vec::new(),
                disaster_budget: Vec::new(),
                per_device: Vec::new(),
            },
            budgets: Budgets::default(),
            devices: DeviceBook::default(),
            now: T0,
            started: T0,
            open: Vec::new(),
            texts: Vec::new(),
            of_others: BTreeMap::new(),
            texts_before_news: 0,
            reported: Vec::new(),
            asked: Vec::new(),
            due: None,
            reports: false,
            asks: false,
        }
    }

    fn with_people(mut self, people: Vec<Person>) -> Self {
        self.people = people;
        self
    }

    fn present(&self) -> Present<'_> {
        let (rules, people) = (&self.rules, self.people.as_slice());
        let (devices, budgets) = (&self.devices, &self.budgets);
        let (now, running_since) = (self.now, self.started);
        let (epoch, entropy) = (epoch_from(self.started), [7; 10]);
        let room = usize::MAX;
        Present { now, running_since, epoch, room, rules, people, devices, budgets, chance: 0.0, entropy }
    }

    /// Plans now; says what goes out, such as `push 1 jin` or `sms 2 jin`.
    fn plan(&mut self) -> Vec<String> {
        let mut alert = self.alert.clone();
        let plan = advance(&mut alert, &self.present());
        assert!(
            plan.due.is_none_or(|due| self.now < due),
            "due {:?} is not after now {}",
            plan.due,
            self.now
        );
        assert!(!alert.is_open() || plan.due.is_some(), "an open alert without a wake-up");
        let mut again = alert.clone();
        let repeated = advance(&mut again, &self.present());
        assert_eq!(
            (repeated.sends.len(), repeated.due),
            (0, plan.due),
            "planning twice sends nothing twice: {:?}\n{:?}",
            alert.progress,
            again.progress
        );
        assert_eq!(repeated.asks, [], "planning twice asks nothing twice");
        let told = |alert: &Alert| (alert.conversation.repeats, alert.progress.notified_as);
        let is_told_anew =
            self.alert.is_heard() && self.alert.progress.notified_at < alert.progress.notified_at;
        if is_told_anew || told(&self.alert).0 < told(&alert).0 || told(&self.alert).1 < told(&alert).1 {
            self.texts_before_news = self.texts.len();
        }
        self.alert = alert;
        self.due = plan.due;
        self.check_dates();
        let words = plan.sends.iter().map(describe).collect();
        self.asked.extend(plan.asks);
        for send in plan.sends {
            self.check_text(&send);
            self.open.push(send);
        }
        words
    }

    /// Nothing that was planned by a clock that is right is taken for one that ran ahead.
    fn check_dates(&self) {
        let stored = serde_json::to_string(&self.alert).expect("alerts are JSON");
        let stored: Alert = serde_json::from_str(&stored).expect("as they were");
        // As a store keeps it: in whole milliseconds, not before its time.
        let part = |due: Timestamp| i64::from(due.subsec_nanosecond().rem_euclid(1_000_000));
        let due = self.due.map(|due| due + SignedDuration::from_nanos((1_000_000 - part(due)) % 1_000_000));
        assert!(
            due.is_none_or(|due| !is_misdated(&stored, due, &self.rules, self.now)),
            "taken for misdated: {stored:?}"
        );
    }

    /// A text is sent again only if no earlier one of the same notification was accepted, and at most
    /// one of them may have arrived: its gateway may say that it did not, or knows of none.
    fn check_text(&mut self, send: &Send) {
        if !matches!(send.address, Address::Gateway(_)) {
            return;
        }
        if matches!(send.subject, Subject::Unreachable { .. }) {
            // Whom a raise does not reach is told of anew: that is another message.
            let mut notifications = self.alert.progress.notifications();
            let is_it = |one: &&Notification| one.open().any(|(state, _)| state.is_attempt(send.attempt));
            let notification = notifications.find(is_it).expect("what is sent is under way");
            self.of_others.insert(send.attempt, notification.since);
        }
        let telling =
            |send: &Send| (send.contact.clone(), send.subject.clone(), self.of_others.get(&send.attempt));
        // What told less is no word of what it has become again.
        let same = |earlier: &&(Send, _)| {
            telling(&earlier.0) == telling(send) && send.severity <= earlier.0.severity
        };
        let failed = |send: &Send| {
            let is_failure = |report: &Report| matches!(report.fate, Fate::Failed { .. } | Fate::NotThere);
            self.reported.iter().any(|report| report.attempt == send.attempt && is_failure(report))
        };
        let earlier =
            self.texts[self.texts_before_news..].iter().filter(same).filter(|(text, _)| !failed(text));
        let (mut arrived, mut may_be) = (0, 0);
        for (_, outcome) in earlier {
            match outcome {
                Some(Outcome::Accepted { .. }) => arrived += 1,
                None | Some(Outcome::Unknown { .. }) => may_be += 1,
                Some(Outcome::Deferred { .. } | Outcome::Rejected { .. }) => {}
            }
        }
        assert_eq!(arrived, 0, "texted again after an acceptance: {send:?}");
        assert!(may_be < 2, "texted a third time after two unknowns: {send:?}");
        self.texts.push((send.clone(), None));
    }

    /// The provider answers the attempt of this number; says what goes out in consequence.
    fn answer(&mut self, attempt: u32, outcome: Outcome) -> Vec<String> {
        let position =
            self.open.iter().position(|send| send.attempt == attempt).expect("such an attempt is under way");
        let send = self.open.remove(position);
        if let Some((_, known)) = self.texts.iter_mut().find(|(text, _)| *text == send) {
            *known = Some(outcome.clone());
        }
        let settlement = Settlement { send, outcome, segments: 0, ended: self.now };
        let mut alert = self.alert.clone();
        match settle(&mut alert, &settlement, &self.present()).verdict {
            Some(DeviceVerdict::Retire { device, .. }) => self.devices.retire(device),
            Some(DeviceVerdict::Quarantine { device, .. }) => self.devices.quarantine(device, Timestamp::MAX),
            None => {}
        }
        self.alert = alert;
        self.plan()
    }

    /// A gateway reports about the attempt of this number; says what goes out in consequence.
    fn report(&mut self, attempt: u32, fate: Fate) -> Vec<String> {
        let report = Report { attempt, at: self.now, fate };
        if self.alert.progress.take_report(&report) {
            self.reported.push(report);
        }
        self.plan()
    }

    fn pass(&mut self, seconds: i64) -> Vec<String> {
        self.now += SignedDuration::from_secs(seconds);
        self.check_dates();
        self.plan()
    }

    fn acknowledge(&mut self) -> Vec<String> {
        self.alert.acknowledge("min", false, self.now);
        self.plan()
    }

    fn resolve(&mut self) -> Vec<String> {
        self.alert.state = AlertState::Resolved;
        self.alert.resolved =
            Some(Resolution { by: ResolvedBy::Sender, at: self.now, note: None, ended_at: None });
        self.plan()
    }

    /// Every request is answered like this until `end`, whenever something is due.
    fn answer_all(&mut self, end: Timestamp, outcome: &Outcome) -> Vec<String> {
        let (mut sent, mut plans) = (Vec::new(), 0);
        loop {
            while let Some(send) = self.open.first().cloned() {
                sent.extend(self.answer(send.attempt, outcome.clone()));
            }
            let Some(due) = self.due.filter(|due| *due <= end) else { break };
            plans += 1;
            assert!(plans < PLANS_MAX, "planned again and again: {:?}", self.alert.progress);
            // As a store does: old rows leave the document.
            self.alert.rows.drain(..self.alert.rows.len().saturating_sub(60));
            self.now = due;
            sent.extend(self.plan());
        }
        self.now = end;
        sent
    }

    fn reaches_nobody(&self, at: Timestamp) -> bool {
        self.alert.reaches_nobody_from().is_some_and(|from| from <= at)
    }

    fn hours(&self, hours: i64) -> Timestamp {
        self.now + SignedDuration::from_hours(hours)
    }

    fn told(&self, name: &str) -> Notified {
        self.alert.progress.contacts[&name.parse::<ContactName>().expect("a name")].notified()
    }

    fn journal(&self) -> String {
        serde_json::to_string(&self.alert.rows).expect("rows are JSON")
    }
}

fn describe(send: &Send) -> String {
    let subject = if send.subject == Subject::Opened {
        String::new()
    } else {
        format!(" {}", send.subject.topic().as_str())
    };
    format!("{} {} {}{subject}", send.address.transport().as_str(), send.attempt, send.contact)
}

/// The name of a gateway, counted from 1.
fn gateway_name(number: usize) -> GatewayName {
    format!("gateway{number}").as_str().into()
}

/// Through the gateway of this place in the configuration, counted from 0.
fn gateway(place: usize) -> Address {
    Address::Gateway(gateway_name(place + 1))
}

fn gateways(count: usize) -> Vec<GatewayRule> {
    gateways_that(count, false, false)
}

fn gateways_that(count: usize, reports: bool, asks: bool) -> Vec<GatewayRule> {
    let rule = |n| GatewayRule {
        name: gateway_name(n),
        in_flight_max: SignedDuration::from_secs(10),
        reports,
        asks,
        segments_max: 1,
        per_day: None,
    };
    (1..=count).map(rule).collect()
}

fn person(name: &str, devices: u64) -> Person {
    let first = name.bytes().map(u64::from).sum::<u64>() * 1_000;
    let device = |n| Device { id: DeviceId(first + n), target: PushTarget::Token(format!("token {n}")) };
    Person {
        name: name.parse().expect("a name"),
        language: Language::En,
        phone: Some(PhoneNumber::parse("+821012345678").expect("a number")),
        devices: (0..devices).map(device).collect(),
    }
}

fn alert(severity: Severity) -> Alert {
    let event = Event { severity: Some(severity), ..Event::firing(DedupKey::new("459"), "disk full") };
    let close_at = T0 + SignedDuration::from_hours(24 * 7);
    Alert { close_at, rows: Vec::new(), ..Alert::opened(AlertId::new(T0, [7; 10]), "zabbix", &event, T0) }
}

fn accepted() -> Outcome {
    Outcome::Accepted { provider_id: Some("id".into()) }
}

fn deferred(cause: DeferCause) -> Outcome {
    Outcome::Deferred { cause, retry_after: None, detail: "later".into() }
}

fn rejected(cause: RejectCause) -> Outcome {
    Outcome::Rejected { cause, detail: "never".into() }
}

fn unknown() -> Outcome {
    Outcome::Unknown { detail: "silence".into() }
}

const NOTHING: [&str; 0] = [];

mod changes;
mod flapping;
mod gateways;
mod goes_on;
mod histories;
mod push_first;
mod reports;
mod told;
mod uncounted;
mod unheard;

#[test]
fn an_accepted_push_is_all_that_happens() {
    let mut scene = Scene::at(Severity::High);
    assert_eq!(scene.plan(), ["push 1 jin"]);
    assert_eq!(scene.answer(1, accepted()), NOTHING);
    assert_eq!(scene.pass(21), NOTHING);
    assert_eq!(scene.told("jin"), Notified::Yes);
    assert_eq!(
        scene.pass(1_800),
        ["push 2 jin repeat", "sms 3 jin repeat"],
        "nobody acknowledged for half an hour"
    );
}

#[test]
fn the_worked_example_of_a_deferred_and_then_hung_push() {
    let mut scene = Scene::at(Severity::High);
    assert_eq!(scene.plan(), ["push 1 jin"]);
    assert_eq!(scene.due, Some(T0 + SignedDuration::from_secs(15)));
    assert_eq!(scene.answer(1, deferred(DeferCause::Unavailable)), NOTHING);
    assert_eq!(scene.due, Some(T0 + SignedDuration::from_secs(10)));
    assert_eq!(scene.pass(10), ["push 2 jin"]);
    assert_eq!(scene.due, Some(T0 + SignedDuration::from_secs(20)), "the deadline of the text comes first");
    assert_eq!(scene.pass(10), ["sms 3 jin"]);
    assert_eq!(scene.answer(3, accepted()), NOTHING);
    assert_eq!(scene.pass(5), NOTHING, "attempt 2 is unknown and waits for its next try");
    assert!(scene.journal().contains("push not accepted in 20 s"));
    assert_eq!(scene.resolve(), ["push 4 jin resolved"]);
    assert_eq!(scene.answer(4, accepted()), NOTHING);
    assert_eq!(scene.due, None);
}

#[test]
fn a_push_rejected_for_good_is_followed_by_a_text_at_once() {
    for cause in [RejectCause::DeviceGone, RejectCause::DeviceMismatch, RejectCause::Message] {
        let mut scene = Scene::at(Severity::Information);
        scene.plan();
        assert_eq!(scene.answer(1, rejected(cause)), ["sms 2 jin"], "{cause:?}");
        assert_eq!(
            scene.devices.is_usable(scene.people[0].devices[0].id, scene.now),
            cause == RejectCause::Message
        );
    }
}

#[test]
fn a_fault_of_the_project_or_platform_texts_at_once_and_tries_the_push_again_later() {
    for cause in [DeferCause::ProjectFault, DeferCause::PlatformFault] {
        let mut scene = Scene::at(Severity::High);
        scene.plan();
        let fault = Outcome::Deferred {
            cause,
            retry_after: Some(SignedDuration::from_secs(60)),
            detail: "key revoked".into(),
        };
        assert_eq!(scene.answer(1, fault), ["sms 2 jin"]);
        assert_eq!(scene.answer(2, accepted()), NOTHING);
        assert_eq!(scene.pass(60), ["push 3 jin"]);
    }
}

#[test]
fn nobody_to_push_to_means_a_text_at_once() {
    let mut scene = Scene::at(Severity::High).with_people(vec![person("jin", 0)]);
    assert_eq!(scene.plan(), ["sms 1 jin"]);
    let mut scene = Scene::at(Severity::High);
    scene.rules.push = false;
    assert_eq!(scene.plan(), ["sms 1 jin"]);
}

#[test]
fn one_accepting_device_is_enough() {
    let mut scene = Scene::at(Severity::High).with_people(vec![person("jin", 2)]);
    assert_eq!(scene.plan(), ["push 1 jin", "push 2 jin"]);
    assert_eq!(scene.answer(1, rejected(RejectCause::DeviceGone)), NOTHING, "the other may still accept");
    assert_eq!(scene.answer(2, accepted()), NOTHING);
    assert_eq!(scene.pass(30), NOTHING);
}

#[test]
fn disaster_goes_by_both_roads_at_once_and_by_each_once() {
    let mut scene = Scene::at(Severity::Disaster);
    assert_eq!(scene.plan(), ["push 1 jin", "sms 2 jin"]);
    scene.answer(1, accepted());
    assert_eq!(scene.answer(2, accepted()), NOTHING);
    assert_eq!(scene.pass(60), NOTHING);
}

#[test]
fn gateways_are_tried_in_order_within_one_pass_then_after_a_pause() {
    let mut scene = Scene::at(Severity::High).with_people(vec![person("jin", 0)]);
    scene.rules.gateways = gateways(2);
    scene.plan();
    assert_eq!(scene.open[0].address, gateway(0));
    assert_eq!(scene.answer(1, deferred(DeferCause::ProjectFault)), ["sms 2 jin"]);
    assert_eq!(scene.open[0].address, gateway(1));
    assert_eq!(scene.answer(2, rejected(RejectCause::Recipient)), NOTHING, "the first may work later");
    assert_eq!(scene.pass(10), ["sms 3 jin"]);
    assert_eq!(scene.open[0].address, gateway(0));
}

#[test]
fn an_unanswered_text_is_sent_once_more_after_a_minute_and_never_again() {
    let mut scene = Scene::at(Severity::High).with_people(vec![person("jin", 0), person("min", 1)]);
    assert_eq!(scene.plan(), ["sms 1 jin", "push 2 min"]);
    scene.answer(2, accepted());
    assert_eq!(scene.answer(1, unknown()), NOTHING);
    assert_eq!(scene.pass(59), NOTHING);
    assert_eq!(scene.pass(1), ["sms 3 jin"]);
    assert_eq!(scene.answer(3, unknown()), ["push 4 min unreachable"], "min is told that jin may not know");
    scene.answer(4, accepted());
    assert_eq!(scene.pass(600), NOTHING);
    assert_eq!(scene.told("jin"), Notified::Maybe);
}

#[test]
fn when_the_last_road_fails_the_others_are_told_once() {
    let mut scene = Scene::at(Severity::High).with_people(vec![person("jin", 1), person("min", 1)]);
    scene.plan();
    scene.answer(2, accepted());
    scene.answer(1, rejected(RejectCause::DeviceGone));
    assert_eq!(scene.answer(3, rejected(RejectCause::Recipient)), ["push 4 min unreachable"]);
    scene.answer(4, accepted());
    assert!(
        scene
            .journal()
            .contains(r#""entry":"unreachable","contact":"jin","reason":"never","nobody_left":false"#)
    );
}

#[test]
fn when_nobody_is_left_the_journal_says_so() {
    let mut scene = Scene::at(Severity::High);
    scene.plan();
    scene.answer(1, rejected(RejectCause::DeviceGone));
    assert_eq!(scene.answer(2, rejected(RejectCause::Recipient)), NOTHING);
    assert!(scene.journal().contains(r#""nobody_left":true"#));
}

#[test]
fn an_acknowledgement_stops_retries_fallbacks_and_repeats() {
    let mut scene = Scene::at(Severity::High);
    scene.plan();
    scene.answer(1, deferred(DeferCause::Unavailable));
    assert_eq!(scene.acknowledge(), NOTHING);
    assert_eq!(scene.pass(3_600), NOTHING);
    scene.alert.state = AlertState::Triggered;
    scene.alert.conversation.acknowledged = None;
    assert_eq!(scene.plan(), ["push 2 jin"], "given up by its holder before anybody else was told");
}

#[test]
fn at_disaster_the_first_push_and_text_go_out_in_spite_of_an_acknowledgement() {
    let mut scene = Scene::at(Severity::Disaster);
    assert_eq!(scene.acknowledge(), ["push 1 jin", "sms 2 jin"]);
    assert_eq!(scene.answer(1, deferred(DeferCause::Unavailable)), NOTHING);
    assert_eq!(scene.answer(2, deferred(DeferCause::Unavailable)), NOTHING);
    assert_eq!(scene.pass(600), NOTHING, "the first ones only");
    let mut scene = Scene::at(Severity::Disaster).with_people(vec![person("jin", 0)]);
    scene.rules.gateways = gateways(2);
    assert_eq!(scene.acknowledge(), ["sms 1 jin"]);
    assert_eq!(scene.answer(1, deferred(DeferCause::Unavailable)), ["sms 2 jin"], "nobody has taken it yet");
    assert_eq!(scene.answer(2, deferred(DeferCause::Unavailable)), NOTHING, "each was asked");
    assert_eq!(scene.pass(600), NOTHING);
    let mut scene = Scene::at(Severity::High);
    assert_eq!(scene.acknowledge(), ["push 1 jin"], "taken before it was told, and not grave");
}

#[test]
fn whoever_was_told_is_told_of_the_end_and_whoever_was_not_gets_both_in_one() {
    let mut scene = Scene::at(Severity::High).with_people(vec![person("jin", 1), person("min", 1)]);
    scene.plan();
    scene.answer(1, accepted());
    scene.answer(2, deferred(DeferCause::Unavailable));
    assert_eq!(scene.resolve(), ["push 3 jin resolved", "push 4 min missed"]);
    scene.answer(3, deferred(DeferCause::Unavailable));
    scene.answer(4, deferred(DeferCause::Unavailable));
    assert_eq!(
        scene.pass(20),
        ["push 5 jin resolved", "push 6 min missed"],
        "a text only where no push is left"
    );
    assert_eq!(scene.answer(6, rejected(RejectCause::DeviceGone)), ["sms 7 min missed"]);
}

#[test]
fn the_end_is_texted_to_whoever_was_texted_if_so_configured() {
    let mut scene = Scene::at(Severity::Disaster);
    scene.rules.texts_resolved = true;
    scene.plan();
    scene.answer(1, accepted());
    scene.answer(2, accepted());
    assert_eq!(scene.resolve(), ["push 3 jin resolved", "sms 4 jin resolved"]);

    let mut scene = Scene::at(Severity::Disaster);
    scene.rules.texts_resolved = true;
    scene.plan();
    scene.answer(1, accepted());
    assert_eq!(scene.resolve(), ["push 3 jin resolved", "sms 4 jin resolved"], "that text may arrive");
}

#[test]
fn a_raise_to_disaster_texts_as_if_opened_there() {
    let mut scene = Scene::at(Severity::Warning);
    scene.plan();
    scene.answer(1, accepted());
    scene.alert.severity = Severity::Disaster;
    assert_eq!(scene.plan(), ["push 2 jin raised", "sms 3 jin raised"]);
}

#[test]
fn a_test_goes_by_push_only_and_ends_by_itself() {
    let mut scene = Scene::at(Severity::Disaster);
    scene.alert.kind = Kind::Test;
    scene.alert.close_at = T0 + SignedDuration::from_mins(5);
    assert_eq!(scene.plan(), ["push 1 jin"]);
    assert_eq!(scene.answer(1, rejected(RejectCause::DeviceGone)), NOTHING);
    assert_eq!(scene.pass(300), NOTHING);
    assert_eq!((scene.alert.state, scene.due), (AlertState::Resolved, None));
}

#[test]
fn what_merely_happened_is_told_once_and_ends_without_a_word() {
    let mut scene = Scene::at(Severity::High);
    scene.alert.kind = Kind::Occurrence;
    scene.alert.close_at = T0 + SignedDuration::from_hours(1);
    assert_eq!(scene.plan(), ["push 1 jin"]);
    scene.answer(1, accepted());
    assert_eq!(scene.pass(1_800), NOTHING, "a problem would be repeated now");
    assert_eq!(scene.pass(1_800), NOTHING);
    assert_eq!((scene.alert.state, scene.due), (AlertState::Resolved, None));
}

#[test]
fn repeats_end_and_stop_with_an_acknowledgement() {
    let mut scene = Scene::at(Severity::High);
    scene.plan();
    scene.answer(1, accepted());
    for number in 1..=6 {
        let (push, text) = (2 * number, 2 * number + 1);
        assert_eq!(scene.pass(1_800), [format!("push {push} jin repeat"), format!("sms {text} jin repeat")]);
        assert_eq!(scene.alert.went_unanswered(), number == 6);
        scene.answer(push, accepted());
        scene.answer(text, accepted());
    }
    assert!(scene.journal().contains(r#""number":6,"last":true"#), "{}", scene.journal());
    assert_eq!(scene.pass(7_200), NOTHING, "six times at most");
}

#[test]
fn an_attempt_of_a_dead_process_is_unknown_at_once() {
    let mut scene = Scene::at(Severity::High);
    scene.plan();
    scene.now += SignedDuration::from_secs(2);
    scene.started = scene.now;
    assert_eq!(scene.plan(), NOTHING);
    assert!(scene.journal().contains("the process that began it ended before"));
    assert_eq!(scene.pass(10), ["push 2 jin"]);
}

#[test]
fn a_push_past_its_time_to_live_becomes_a_dead_letter_where_somebody_else_knows() {
    let mut scene = Scene::at(Severity::Average).with_people(vec![person("jin", 1), person("min", 1)]);
    scene.rules.gateways.clear();
    scene.plan();
    scene.answer(2, accepted());
    scene.answer(1, deferred(DeferCause::Unavailable));
    assert_eq!(scene.pass(3_600), ["push 3 min unreachable"]);
    assert!(scene.journal().contains(r#""entry":"dead_letter","contact":"jin","transport":"push""#));
}

/// Each process takes the lead anew.
fn epoch_from(started: Timestamp) -> Epoch {
    Epoch(u64::try_from(started.as_second()).expect("later than 1970"))
}
