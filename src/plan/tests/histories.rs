//! Whatever happens, and in whatever order: texts are not doubled, and whoever was planned is told or told of.

use super::*;
use crate::alert::Texted;

/// Gateways that a configuration may name.
const GATEWAYS: usize = 3;

#[derive(Clone, Debug)]
pub(super) enum Happening {
    Pass(u16),
    Answer(u8, Outcome),
    Report(u8, Fate),
    Acknowledge,
    Unacknowledge,
    Severity(Severity),
    Resolve,
    /// We are down for this many minutes.
    Outage(u16),
    /// For this many minutes every provider answers like this.
    Theirs(u16, Outcome),
    /// What is configured from here on: which gateways, in which order.
    Gateways(Vec<usize>),
}

impl Scene {
    /// One step of a history; nothing where it cannot be.
    pub(super) fn happen(&mut self, happening: Happening) {
        match happening {
            Happening::Pass(seconds) => {
                self.pass(i64::from(seconds));
            }
            Happening::Answer(which, outcome) => {
                if let Some(send) = self.open.get(usize::from(which) % self.open.len().max(1)).cloned() {
                    self.answer(send.attempt, outcome);
                }
            }
            Happening::Report(which, fate) => {
                let about = self.texts.get(usize::from(which) % self.texts.len().max(1));
                if let Some(attempt) = about.map(|(text, _)| text.attempt) {
                    self.report(attempt, fate);
                }
            }
            Happening::Acknowledge if self.alert.is_open() => {
                self.acknowledge();
            }
            Happening::Unacknowledge if self.alert.state == AlertState::Acknowledged => {
                self.give_back();
            }
            Happening::Severity(severity) if self.alert.is_open() => {
                self.alert.severity = severity;
                self.plan();
            }
            Happening::Resolve if self.alert.is_open() => {
                self.resolve();
            }
            Happening::Outage(minutes) => {
                self.now += SignedDuration::from_secs(60 * i64::from(minutes) + 1);
                self.started = self.now;
                self.open.clear();
                self.plan();
            }
            Happening::Theirs(minutes, outcome) => {
                self.answer_all(self.now + SignedDuration::from_mins(i64::from(minutes)), &outcome);
            }
            Happening::Gateways(numbers) => {
                let all = gateways_that(GATEWAYS, self.reports, self.asks);
                self.rules.gateways = numbers.into_iter().map(|number| all[number].clone()).collect();
                self.plan();
            }
            Happening::Acknowledge
            | Happening::Unacknowledge
            | Happening::Severity(_)
            | Happening::Resolve => {}
        }
    }
}

pub(super) fn happening() -> impl Strategy<Value = Happening> {
    let outcome = prop_oneof![
        3 => Just(accepted()),
        3 => Just(deferred(DeferCause::Unavailable)),
        1 => Just(deferred(DeferCause::ProjectFault)),
        2 => Just(rejected(RejectCause::DeviceGone)),
        2 => Just(rejected(RejectCause::Recipient)),
        2 => Just(unknown()),
    ];
    let fate = prop_oneof![
        2 => Just(Fate::Taken),
        2 => Just(Fate::Delivered),
        3 => Just(Fate::Failed { reason: "30005".into() }),
        1 => Just(Fate::NotThere),
        1 => Just(Fate::Unclear { reason: "silence".into() }),
    ];
    let severity = (0_u8..6).prop_map(|number| Severity::from_number(number).expect("0 to 5"));
    let long = prop_oneof![4 => 0_u16..10, 2 => 10_u16..200, 1 => 1_400_u16..3_000];
    let theirs = prop_oneof![
        2 => Just(deferred(DeferCause::Unavailable)),
        1 => Just(deferred(DeferCause::ProjectFault)),
        1 => Just(rejected(RejectCause::Refused)),
        1 => Just(unknown()),
        1 => Just(accepted()),
    ];
    let configured = Just((0..GATEWAYS).collect::<Vec<_>>()).prop_shuffle();
    let configured =
        (configured, 0..=GATEWAYS).prop_map(|(all, left)| all.into_iter().take(left).collect::<Vec<_>>());
    prop_oneof![
        6 => (any::<u8>(), fate).prop_map(|(which, fate)| Happening::Report(which, fate)),
        8 => (1_u16..100).prop_map(Happening::Pass),
        1 => (1_000_u16..20_000).prop_map(Happening::Pass),
        12 => (any::<u8>(), outcome).prop_map(|(which, outcome)| Happening::Answer(which, outcome)),
        2 => Just(Happening::Acknowledge),
        2 => Just(Happening::Unacknowledge),
        2 => severity.prop_map(Happening::Severity),
        1 => Just(Happening::Resolve),
        1 => long.prop_map(Happening::Outage),
        1 => (0_u16..70, theirs).prop_map(|(minutes, outcome)| Happening::Theirs(minutes, outcome)),
        1 => configured.prop_map(Happening::Gateways),
    ]
}

proptest! {
    /// `Scene::plan` itself asserts that planning is idempotent and that an open alert has a due
    /// time in the future, after every step of every history.
    #[test]
    fn whatever_happens_texts_are_not_doubled_and_everybody_is_told_or_told_of(
        severity in 0_u8..6,
        (reports, asks, always, fallback) in (any::<bool>(), any::<bool>(), 0_u8..8, 0_u8..8),
        (works_again, texts_resolved) in any::<(bool, bool)>(),
        happenings in proptest::collection::vec(happening(), 0..60),
    ) {
        let people = vec![person("jin", 2), person("min", 0), Person { phone: None, ..person("ara", 1) }];
        let mut scene =
            Scene::at(Severity::from_number(severity).expect("0 to 5")).with_people(people);
        (scene.reports, scene.asks) = (reports, asks);
        scene.rules.gateways = gateways_that(GATEWAYS, reports, asks);
        scene.rules.texts_resolved = texts_resolved;
        // From 6 on they are off.
        scene.rules.always_at = Severity::from_number(always);
        scene.rules.fallback_at = Severity::from_number(fallback);
        scene.plan();
        for happening in happenings {
            scene.happen(happening);
        }
        if scene.alert.state == AlertState::Acknowledged {
            scene.give_back();
        }
        scene.answer_all(scene.hours(1), &rejected(RejectCause::Refused));
        for (name, contact) in &scene.alert.progress.contacts {
            prop_assert!(contact.has_heard() || contact.unreachable.is_some(), "{name} was dropped: {contact:?} {:?} {}", scene.alert.state, scene.journal());
        }
        let unheard = !scene.alert.progress.is_heard_of();
        prop_assert!(!(unheard && scene.alert.is_open()) || scene.reaches_nobody(scene.now));
        let has_channel = |person: &Person| {
            let texts = person.phone.is_some() && !scene.rules.gateways.is_empty() && scene.rules.texts(scene.alert.severity);
            let contact = &scene.alert.progress.contacts[&person.name];
            person.devices.iter().any(|device| scene.devices.is_usable(device.id, scene.now))
                || (texts && contact.texted != Texted::Unanswered)
        };
        if works_again && unheard && scene.alert.is_open() && scene.people.iter().any(has_channel) {
            scene.answer_all(scene.now + SignedDuration::from_mins(6), &accepted());
            prop_assert!(scene.alert.progress.is_heard_of(), "nobody is told once it works again");
        }
    }
}

#[test]
fn a_text_about_others_that_may_have_arrived_twice_is_not_sent_again_in_other_words() {
    let people = vec![person("jin", 2), person("min", 0), Person { phone: None, ..person("ara", 1) }];
    let mut scene = Scene::at(Severity::Warning).with_people(people);
    scene.rules.gateways = gateways_that(GATEWAYS, false, false);
    scene.rules.always_at = Some(Severity::NotClassified);
    scene.plan();
    scene.happen(Happening::Theirs(2, unknown()));
    scene.happen(Happening::Theirs(1, rejected(RejectCause::Refused)));
    scene.happen(Happening::Resolve);
    scene.answer_all(scene.hours(1), &rejected(RejectCause::Refused));
}

#[test]
fn who_was_being_told_of_others_until_that_was_given_up_is_told_of_the_end() {
    let people = vec![person("jin", 2), person("min", 0), Person { phone: None, ..person("ara", 1) }];
    let mut scene = Scene::at(Severity::NotClassified).with_people(people);
    scene.rules.gateways = gateways_that(GATEWAYS, false, false);
    scene.rules.always_at = Some(Severity::Information);
    scene.rules.fallback_at = Some(Severity::Information);
    scene.plan();
    scene.happen(Happening::Answer(76, accepted()));
    scene.happen(Happening::Severity(Severity::Information));
    scene.happen(Happening::Acknowledge);
    scene.happen(Happening::Resolve);
    scene.pass(15);
    let sent = scene.pass(3_585);
    assert!(sent.iter().any(|sent| sent.ends_with("jin missed")), "{sent:?}");
}
