//! What a change of the alert begins, holds and gives back: raises, acknowledging and giving back, repeats.

use super::*;
use crate::alert::{LastRound, Openings};

fn bare_person(name: &str) -> Person {
    Person { devices: Vec::new(), ..person(name, 0) }
}

fn no_phone(name: &str) -> Person {
    Person { phone: None, ..person(name, 1) }
}

impl Scene {
    pub(super) fn give_back(&mut self) -> Vec<String> {
        self.alert.unacknowledge("min", self.now);
        self.plan()
    }

    fn raise_to(&mut self, severity: Severity) -> Vec<String> {
        self.alert.severity = severity;
        self.plan()
    }
}

#[test]
fn a_raise_to_high_is_pushed_and_repeated_as_high_is() {
    let mut scene = Scene::at(Severity::Average);
    scene.plan();
    scene.answer(1, accepted());
    assert_eq!(scene.raise_to(Severity::High), ["push 2 jin raised"]);
    scene.answer(2, accepted());
    assert_eq!(scene.pass(1_800), ["push 3 jin repeat", "sms 4 jin repeat"]);
}

#[test]
fn a_raise_above_fallback_texts_whom_no_push_reached() {
    let mut scene = Scene::at(Severity::Warning);
    scene.rules.fallback_at = Some(Severity::High);
    scene.plan();
    scene.answer(1, rejected(RejectCause::DeviceGone));
    assert_eq!(scene.raise_to(Severity::High), ["sms 2 jin raised"]);
}

#[test]
fn with_texts_off_a_raise_to_disaster_is_pushed() {
    let mut scene = Scene::at(Severity::Warning);
    (scene.rules.always_at, scene.rules.fallback_at) = (None, None);
    scene.plan();
    scene.answer(1, accepted());
    assert_eq!(scene.raise_to(Severity::Average), NOTHING, "told in the same way");
    assert_eq!(scene.raise_to(Severity::Disaster), ["push 2 jin raised"]);
    scene.answer(2, accepted());
    assert_eq!(scene.pass(300), ["push 3 jin repeat"], "texts are off");
}

#[test]
fn a_raise_is_news_to_whoever_was_texted() {
    let mut scene = Scene::at(Severity::High).with_people(vec![person("jin", 0)]);
    scene.plan();
    scene.answer(1, accepted());
    assert_eq!(scene.raise_to(Severity::Disaster), ["sms 2 jin raised"]);
    scene.answer(2, accepted());
    assert_eq!(scene.raise_to(Severity::High), NOTHING);
    assert_eq!(scene.raise_to(Severity::Disaster), NOTHING, "that was told");
}

#[test]
fn a_raise_that_had_fallen_again_when_it_was_told_is_news_when_it_comes_back() {
    let mut scene = Scene::at(Severity::Average);
    scene.plan();
    scene.answer(1, accepted());
    assert_eq!(scene.raise_to(Severity::Disaster), ["push 2 jin raised", "sms 3 jin raised"]);
    scene.answer(3, deferred(DeferCause::Unavailable));
    scene.answer(2, deferred(DeferCause::Unavailable));
    assert_eq!(scene.raise_to(Severity::Average), NOTHING);
    assert_eq!(scene.pass(10), ["push 4 jin raised", "sms 5 jin raised"], "it goes out, as average");
    assert_eq!(scene.raise_to(Severity::Disaster), NOTHING, "not told yet");
    scene.answer(5, deferred(DeferCause::Unavailable));
    assert_eq!(scene.answer(4, accepted()), ["push 6 jin raised", "sms 7 jin raised"]);
    scene.answer(6, accepted());
    assert_eq!(scene.answer(7, accepted()), NOTHING);
    assert_eq!(scene.raise_to(Severity::Average), NOTHING);
    assert_eq!(scene.raise_to(Severity::Disaster), NOTHING, "that was told");
}

#[test]
fn a_raise_takes_the_place_of_what_waits() {
    let mut scene = Scene::at(Severity::Warning);
    scene.rules.gateways.clear();
    scene.plan();
    assert_eq!(scene.answer(1, deferred(DeferCause::Unavailable)), NOTHING);
    assert_eq!(scene.raise_to(Severity::Disaster), ["push 2 jin raised"]);
    scene.answer(2, accepted());
    assert_eq!(scene.pass(60), NOTHING, "the first push is not tried any more");
    assert!(!scene.journal().contains("unreachable"), "{}", scene.journal());
}

#[test]
fn a_raise_of_what_somebody_has_is_told_once() {
    let mut scene = Scene::at(Severity::Average);
    scene.plan();
    scene.answer(1, accepted());
    scene.acknowledge();
    assert_eq!(scene.raise_to(Severity::High), ["push 2 jin raised"]);
    assert_eq!(scene.answer(2, rejected(RejectCause::Message)), ["sms 3 jin raised"], "it is news");
    scene.answer(3, accepted());
    assert_eq!(scene.raise_to(Severity::Disaster), ["push 4 jin raised", "sms 5 jin raised"]);
    scene.answer(4, accepted());
    scene.answer(5, accepted());
    assert_eq!(scene.pass(7_200), NOTHING, "and not repeated");
}

#[test]
fn what_was_taken_while_it_was_milder_is_told_when_it_is_as_grave_as_before() {
    for (grave, mild) in [(Severity::High, Severity::Warning), (Severity::Disaster, Severity::Average)] {
        let mut scene = Scene::at(grave).with_people(vec![no_phone("jin")]);
        scene.plan();
        scene.answer(1, accepted());
        assert_eq!(scene.raise_to(mild), NOTHING);
        assert_eq!(scene.acknowledge(), NOTHING);
        assert_eq!(scene.raise_to(grave), ["push 2 jin raised"]);
        scene.answer(2, deferred(DeferCause::Unavailable));
        assert_eq!(scene.pass(60), ["push 3 jin raised"], "until it is told");
        scene.answer(3, accepted());
        assert_eq!(scene.raise_to(mild), NOTHING);
        assert_eq!(scene.raise_to(grave), NOTHING, "that was told");
    }
}

#[test]
fn what_had_fallen_when_it_was_taken_is_held() {
    let mut scene = Scene::at(Severity::Average).with_people(vec![person("jin", 1), no_phone("min")]);
    scene.plan();
    scene.answer(1, accepted());
    scene.answer(2, accepted());
    assert_eq!(
        scene.raise_to(Severity::Disaster),
        ["push 3 jin raised", "sms 4 jin raised", "push 5 min raised"]
    );
    scene.answer(3, accepted());
    scene.answer(4, deferred(DeferCause::Unavailable));
    scene.answer(5, deferred(DeferCause::Unavailable));
    scene.raise_to(Severity::Average);
    assert_eq!(scene.acknowledge(), NOTHING);
    assert_eq!(scene.pass(60), NOTHING);
    assert_eq!(scene.pass(30 * 3_600), NOTHING);
    assert_eq!(scene.alert.given_up().count(), 0);
    let sent = scene.raise_to(Severity::Disaster);
    assert_eq!(sent, ["push 6 jin raised", "sms 7 jin raised", "push 8 min raised"], "it is news again");
}

#[test]
fn what_was_held_while_it_was_milder_has_its_time_when_it_is_grave_again() {
    let mut scene = Scene::at(Severity::Average).with_people(vec![no_phone("jin"), no_phone("min")]);
    scene.rules.gateways.clear();
    scene.plan();
    scene.answer(1, accepted());
    scene.answer(2, accepted());
    scene.acknowledge();
    assert_eq!(scene.raise_to(Severity::Disaster), ["push 3 jin raised", "push 4 min raised"]);
    scene.answer(3, accepted());
    scene.answer(4, deferred(DeferCause::Unavailable));
    assert_eq!(scene.raise_to(Severity::Average), NOTHING);
    assert_eq!(scene.pass(20 * 60), NOTHING);
    assert_eq!(scene.raise_to(Severity::Disaster), ["push 5 min raised"], "jin knows");
    scene.answer(5, deferred(DeferCause::Unavailable));
    assert_eq!(scene.raise_to(Severity::Average), NOTHING);
    assert_eq!(scene.pass(8 * 3_600), NOTHING);
    assert_eq!(scene.raise_to(Severity::Disaster), ["push 6 jin raised", "push 7 min raised"], "after hours");
    scene.answer(6, accepted());
    scene.answer(7, accepted());
    assert_eq!(scene.pass(8 * 3_600), NOTHING);
    assert_eq!(scene.alert.given_up().count(), 0);
}

#[test]
fn who_missed_a_raise_of_what_somebody_has_can_be_tried_anew() {
    let mut scene = Scene::at(Severity::Average).with_people(vec![no_phone("jin")]);
    let jin: ContactName = "jin".parse().expect("a name");
    scene.plan();
    scene.answer(1, accepted());
    scene.acknowledge();
    assert!(!can_try_anew(&scene.alert, &jin, &scene.people, scene.now));
    scene.raise_to(Severity::Disaster);
    scene.answer(2, rejected(RejectCause::Refused));
    assert!(scene.reaches_nobody(scene.now));
    assert!(can_try_anew(&scene.alert, &jin, &scene.people, scene.now));
    scene.alert.progress.contacts.get_mut(&jin).expect("planned").try_anew();
    assert_eq!(scene.plan(), ["push 3 jin"]);
    scene.answer(3, accepted());
    assert_eq!(scene.alert.given_up().count(), 0);
}

#[test]
fn what_is_no_news_leaves_held_what_was_held() {
    let mut scene = Scene::at(Severity::Warning).with_people(vec![person("jin", 1), person("min", 1)]);
    scene.plan();
    scene.answer(1, accepted());
    scene.answer(2, deferred(DeferCause::Unavailable));
    scene.acknowledge();
    assert_eq!(scene.raise_to(Severity::Average), NOTHING);
    assert_eq!(scene.pass(60), NOTHING);
}

#[test]
fn reminders_wait_while_it_is_too_mild_for_them() {
    let mut scene = Scene::at(Severity::High).with_people(vec![no_phone("jin")]);
    scene.plan();
    scene.answer(1, accepted());
    scene.pass(25 * 60);
    assert_eq!(scene.raise_to(Severity::Warning), NOTHING);
    assert_eq!(scene.due, Some(scene.alert.close_at), "no reminder is due");
    assert_eq!(scene.pass(60), NOTHING);
    assert_eq!(scene.raise_to(Severity::High), NOTHING, "that was told");
    assert_eq!(scene.pass(4 * 60), ["push 2 jin repeat"]);
    scene.answer(2, accepted());
    scene.raise_to(Severity::Warning);
    assert_eq!(scene.pass(2 * 3_600), NOTHING);
    assert_eq!(scene.raise_to(Severity::High), ["push 3 jin repeat"], "it was due meanwhile");
    assert!(!scene.alert.went_unanswered());
}

#[test]
fn a_reminder_that_was_planned_while_it_was_milder_comes_as_soon_as_it_would_now() {
    let mut scene = Scene::at(Severity::Disaster).with_people(vec![no_phone("jin")]);
    scene.plan();
    scene.answer(1, accepted());
    scene.acknowledge();
    scene.raise_to(Severity::High);
    scene.give_back();
    assert_eq!(scene.pass(60), NOTHING, "in half an hour");
    scene.alert.progress.notified_as = Some(Severity::Disaster);
    assert_eq!(scene.raise_to(Severity::Disaster), NOTHING, "that was told");
    assert_eq!(scene.pass(300), ["push 2 jin repeat"]);
}

#[test]
fn what_was_given_back_while_it_was_milder_is_told_when_it_is_as_grave_as_before() {
    let mut scene = Scene::at(Severity::High).with_people(vec![no_phone("jin")]);
    scene.plan();
    scene.answer(1, accepted());
    scene.acknowledge();
    assert_eq!(scene.raise_to(Severity::Disaster), ["push 2 jin raised"]);
    scene.answer(2, accepted());
    scene.raise_to(Severity::High);
    assert_eq!(scene.give_back(), NOTHING);
    assert_eq!(scene.raise_to(Severity::Disaster), ["push 3 jin raised"]);
}

#[test]
fn reminders_of_a_disaster_that_became_high_are_those_of_high() {
    let mut scene = Scene::at(Severity::Disaster).with_people(vec![no_phone("jin")]);
    scene.plan();
    let sent = scene.answer_all(scene.now + SignedDuration::from_mins(50), &accepted());
    assert_eq!(sent.len(), 7, "{sent:?}");
    scene.raise_to(Severity::High);
    let sent = scene.answer_all(scene.hours(12), &accepted());
    assert_eq!(
        sent,
        [
            "push 9 jin repeat",
            "push 10 jin repeat",
            "push 11 jin repeat",
            "push 12 jin repeat",
            "push 13 jin repeat",
            "push 14 jin repeat"
        ]
    );
    assert!(scene.alert.went_unanswered());
    assert_eq!(scene.raise_to(Severity::Disaster), ["push 15 jin repeat"], "they have ended, so at once");
    scene.answer(15, accepted());
    assert_eq!(scene.pass(299), NOTHING);
    assert_eq!(scene.pass(1), ["push 16 jin repeat"]);
}

#[test]
fn a_raise_of_what_somebody_has_that_reached_nobody_is_tried_on() {
    let mut scene = Scene::at(Severity::High).with_people(vec![person("jin", 1), bare_person("min")]);
    scene.plan();
    scene.answer(1, accepted());
    scene.answer(2, accepted());
    scene.acknowledge();
    scene.raise_to(Severity::Disaster);
    scene.answer_all(scene.now + SignedDuration::from_mins(3), &rejected(RejectCause::Refused));
    assert!(scene.reaches_nobody(scene.now));
    scene.answer_all(scene.now + SignedDuration::from_mins(10), &accepted());
    assert!(!scene.reaches_nobody(scene.now));
    assert_eq!(scene.alert.given_up().count(), 0);
    assert_eq!(scene.answer_all(scene.hours(8), &accepted()), NOTHING, "once");
}

#[test]
fn a_raise_of_what_somebody_has_is_pushed_on_while_its_texts_wait() {
    let mut scene = Scene::at(Severity::Average);
    scene.plan();
    scene.answer(1, accepted());
    scene.acknowledge();
    scene.raise_to(Severity::Disaster);
    let sent = scene.answer_all(scene.hours(3), &deferred(DeferCause::Unavailable));
    assert!(sent.iter().filter(|sent| sent.starts_with("push")).count() > 30, "{sent:?}");
    assert!(scene.reaches_nobody(scene.now));
    scene.answer_all(scene.now + SignedDuration::from_mins(6), &accepted());
    assert!(!scene.reaches_nobody(scene.now));
}

#[test]
fn a_raise_is_heard_by_whoever_takes_the_place_of_those_it_was_addressed_to() {
    let mut scene = Scene::at(Severity::Average).with_people(vec![no_phone("min")]);
    scene.alert.to = vec!["jin".parse().expect("a name")];
    scene.plan();
    scene.answer(1, accepted());
    scene.acknowledge();
    assert_eq!(scene.raise_to(Severity::Disaster), ["push 2 min raised"]);
    scene.answer(2, accepted());
    assert_eq!(scene.answer_all(scene.hours(2), &accepted()), NOTHING);
    assert!(!scene.reaches_nobody(scene.now));
}

#[test]
fn what_was_taken_as_grave_as_it_becomes_is_held_though_it_was_told_as_milder_since() {
    let mut scene = Scene::at(Severity::Warning).with_people(vec![bare_person("min")]);
    scene.alert.acknowledge("jin", false, scene.now);
    scene.alert.conversation.acknowledged.as_mut().expect("taken").severity = Severity::Disaster;
    scene.now += SignedDuration::from_secs(60);
    scene.plan();
    scene.alert.conversation.acknowledged.as_mut().expect("taken").by_sender = true;
    assert!(scene.alert.acknowledge("min", false, scene.now), "it was only taken there");
    assert_eq!(scene.raise_to(Severity::Disaster), NOTHING);
}

#[test]
fn a_raise_of_what_somebody_has_is_told_to_those_left_when_those_it_was_addressed_to_leave() {
    let mut scene = Scene::at(Severity::Average).with_people(vec![bare_person("jin"), no_phone("min")]);
    scene.alert.to = vec!["jin".parse().expect("a name")];
    assert_eq!(scene.plan(), ["sms 1 jin"]);
    assert_eq!(scene.answer(1, rejected(RejectCause::Recipient)), ["push 2 min unreachable"]);
    scene.answer(2, accepted());
    scene.now += SignedDuration::from_secs(1);
    scene.acknowledge();
    assert_eq!(scene.raise_to(Severity::Disaster), ["sms 3 jin raised"]);
    scene.answer(3, rejected(RejectCause::Recipient));
    assert!(scene.reaches_nobody(scene.now));
    scene.people = vec![no_phone("min"), no_phone("sue")];
    assert_eq!(scene.plan(), ["push 4 min raised", "push 5 sue"]);
    scene.answer(4, accepted());
    scene.answer(5, accepted());
    assert_eq!(scene.answer_all(scene.hours(2), &accepted()), NOTHING, "once");
    assert!(!scene.reaches_nobody(scene.now));
}

#[test]
fn a_raise_that_comes_and_goes_and_may_have_been_heard_is_not_texted_each_time() {
    let mut scene = Scene::at(Severity::High).with_people(vec![bare_person("jin")]);
    scene.plan();
    scene.answer(1, accepted());
    scene.acknowledge();
    scene.now += SignedDuration::from_secs(1);
    scene.raise_to(Severity::Disaster);
    scene.answer_all(scene.now + SignedDuration::from_mins(35), &unknown());
    let mut texts = 0;
    for _ in 0..10 {
        scene.raise_to(Severity::High);
        scene.now += SignedDuration::from_secs(60);
        texts += scene.raise_to(Severity::Disaster).len();
        let until = scene.now + SignedDuration::from_mins(2);
        texts += scene.answer_all(until, &unknown()).len();
    }
    assert_eq!(texts, 0, "two of them may have arrived");
    assert!(scene.reaches_nobody(scene.now));
}

#[test]
fn a_raise_that_was_refused_is_tried_again_each_time_it_comes_back() {
    let mut scene = Scene::at(Severity::High).with_people(vec![bare_person("jin")]);
    scene.plan();
    scene.answer(1, accepted());
    scene.now += SignedDuration::from_secs(1);
    scene.acknowledge();
    assert_eq!(scene.raise_to(Severity::Disaster), ["sms 2 jin raised"]);
    scene.answer(2, rejected(RejectCause::Refused));
    for attempt in 3..6 {
        scene.now += SignedDuration::from_secs(120);
        assert_eq!(scene.raise_to(Severity::High), NOTHING);
        scene.now += SignedDuration::from_secs(120);
        assert_eq!(scene.raise_to(Severity::Disaster).len(), 1);
        scene.answer(attempt, rejected(RejectCause::Refused));
    }
    scene.raise_to(Severity::High);
    assert_eq!(scene.raise_to(Severity::Disaster).len(), 1);
    scene.answer(6, accepted());
    scene.raise_to(Severity::High);
    assert_eq!(scene.raise_to(Severity::Disaster), NOTHING, "it has arrived");
    assert!(!scene.reaches_nobody(scene.now));
}

#[test]
fn a_raise_that_reached_nobody_is_told_when_it_is_given_back() {
    let mut scene = Scene::at(Severity::Warning).with_people(vec![bare_person("jin")]);
    scene.plan();
    scene.answer(1, accepted());
    scene.now += SignedDuration::from_secs(1);
    scene.acknowledge();
    assert_eq!(scene.raise_to(Severity::Average), NOTHING, "no news");
    assert_eq!(scene.raise_to(Severity::High), ["sms 2 jin raised"]);
    scene.answer(2, rejected(RejectCause::Refused));
    assert_eq!(scene.give_back(), ["sms 3 jin raised"]);
    scene.answer(3, accepted());
    assert_eq!(scene.pass(60), NOTHING);
}

#[test]
fn a_raise_that_was_refused_is_told_when_it_is_given_back_though_an_earlier_text_got_no_answer() {
    for is_pushed in [true, false] {
        let mut scene = Scene::at(Severity::Average).with_people(vec![person("jin", 1), no_phone("min")]);
        scene.plan();
        scene.answer(2, accepted());
        scene.answer(1, deferred(DeferCause::Unavailable));
        for _ in 0..2 {
            scene.pass(60);
            let text = scene.open.iter().find(|send| matches!(send.address, Address::Gateway(_)));
            let attempt = text.expect("it is texted").attempt;
            scene.answer(attempt, unknown());
        }
        if is_pushed {
            scene.answer_all(scene.now + SignedDuration::from_mins(5), &accepted());
        } else if let Some(push) = scene.open.first().cloned() {
            scene.answer(push.attempt, deferred(DeferCause::Unavailable));
        }
        scene.acknowledge();
        scene.raise_to(Severity::High);
        scene.answer_all(scene.now + SignedDuration::from_mins(3), &rejected(RejectCause::Refused));
        assert!(scene.reaches_nobody(scene.now));
        assert!(scene.give_back().iter().any(|sent| sent.starts_with("push")), "{is_pushed}");
        let sent =
            scene.answer_all(scene.now + SignedDuration::from_mins(3), &rejected(RejectCause::Refused));
        assert!(sent.iter().any(|sent| sent.starts_with("sms")), "{is_pushed}: {sent:?}");
    }
}

#[test]
fn a_second_device_that_accepts_while_it_is_milder_makes_nothing_news_again() {
    let mut scene =
        Scene::at(Severity::Disaster).with_people(vec![Person { phone: None, ..person("jin", 2) }]);
    scene.plan();
    scene.answer(1, accepted());
    scene.answer(2, deferred(DeferCause::Unavailable));
    scene.raise_to(Severity::High);
    scene.now = scene.due.expect("tried again");
    scene.plan();
    scene.answer(3, accepted());
    assert_eq!(scene.raise_to(Severity::Disaster), NOTHING);
}

#[test]
fn a_raise_that_arrived_after_half_an_hour_is_not_told_anew_when_it_comes_back_at_once() {
    let mut scene = Scene::at(Severity::Average).with_people(vec![no_phone("jin")]);
    scene.plan();
    scene.answer(1, accepted());
    scene.now += SignedDuration::from_secs(1);
    scene.acknowledge();
    scene.raise_to(Severity::High);
    scene.answer_all(scene.now + SignedDuration::from_mins(40), &deferred(DeferCause::Unavailable));
    assert!(!scene.answer_all(scene.now + SignedDuration::from_mins(10), &accepted()).is_empty());
    scene.raise_to(Severity::Average);
    scene.now += SignedDuration::from_secs(60);
    assert_eq!(scene.raise_to(Severity::High), NOTHING);
}

#[test]
fn a_raise_has_its_five_minutes_though_nobody_had_heard_of_the_rounds_before() {
    let mut scene = Scene::at(Severity::Average).with_people(vec![no_phone("jin")]);
    let mut openings = Openings::default();
    for round in 0..4 {
        let opened = T0 - SignedDuration::from_mins(16 - 4 * round);
        let resolved = opened + SignedDuration::from_secs(60);
        let last =
            LastRound { severity: Severity::Average, opened, told_at: opened, resolved, heard_as: None };
        openings = openings.next(last, opened + SignedDuration::from_mins(4));
    }
    scene.alert.openings = openings;
    scene.plan();
    assert!(scene.reaches_nobody(scene.now), "since the first of them");
    scene.answer(1, accepted());
    scene.now += SignedDuration::from_secs(1);
    scene.acknowledge();
    scene.raise_to(Severity::High);
    assert!(!scene.reaches_nobody(scene.now + SignedDuration::from_secs(299)));
    assert!(scene.reaches_nobody(scene.now + SignedDuration::from_secs(300)));
}

#[test]
fn who_has_no_channel_for_a_raise_of_what_somebody_took_does_not_know_of_it() {
    let mut scene = Scene::at(Severity::Warning).with_people(vec![person("jin", 1), no_phone("min")]);
    scene.rules.fallback_at = Some(Severity::Average);
    assert_eq!(scene.plan(), ["push 1 jin", "push 2 min"]);
    scene.answer(1, accepted());
    scene.answer(2, accepted());
    scene.acknowledge();
    scene.devices.retire(scene.people[1].devices[0].id);
    assert_eq!(scene.raise_to(Severity::Average), ["push 3 jin raised"]);
    scene.answer_all(scene.hours(26), &deferred(DeferCause::Unavailable));
    assert!(scene.reaches_nobody(scene.now));
    let sent = scene.answer_all(scene.hours(1), &accepted());
    assert!(sent.iter().any(|sent| sent.ends_with("jin raised")), "{sent:?}");
}

#[test]
fn only_who_heard_it_as_milder_is_told_when_it_is_as_severe_again() {
    let mut scene = Scene::at(Severity::High).with_people(vec![no_phone("jin"), no_phone("min")]);
    assert_eq!(scene.plan(), ["push 1 jin", "push 2 min"]);
    scene.answer(1, accepted());
    scene.answer(2, deferred(DeferCause::Unavailable));
    assert_eq!(scene.raise_to(Severity::Average), NOTHING);
    assert_eq!(scene.pass(15), ["push 3 min"]);
    scene.answer(3, accepted());
    assert_eq!(scene.raise_to(Severity::High), ["push 4 min raised"]);
    scene.answer(4, accepted());
    scene.raise_to(Severity::Average);
    assert_eq!(scene.raise_to(Severity::High), NOTHING);
}

#[test]
fn whom_a_raise_does_not_reach_the_others_are_told_of_though_they_were_told_of_what_was_milder() {
    let mut scene = Scene::at(Severity::Information).with_people(vec![bare_person("jin"), no_phone("min")]);
    scene.alert.to = vec!["jin".parse().expect("a name")];
    assert_eq!(scene.plan(), ["sms 1 jin"]);
    assert_eq!(scene.answer(1, rejected(RejectCause::Recipient)), ["push 2 min unreachable"]);
    scene.answer(2, accepted());
    scene.pass(60);
    assert_eq!(scene.raise_to(Severity::Disaster), ["sms 3 jin raised"]);
    assert_eq!(scene.answer(3, rejected(RejectCause::Recipient)), ["push 4 min unreachable"]);
    scene.answer(4, accepted());
    assert_eq!(scene.pass(31), NOTHING);
}

#[test]
fn who_hears_while_it_is_milder_whom_it_did_not_reach_does_not_know_it_as_it_was() {
    let mut scene = Scene::at(Severity::High).with_people(vec![bare_person("jin"), no_phone("min")]);
    assert_eq!(scene.plan(), ["sms 1 jin", "push 2 min"]);
    scene.raise_to(Severity::Average);
    scene.answer(2, deferred(DeferCause::Unavailable));
    assert_eq!(scene.answer(1, rejected(RejectCause::Recipient)), ["push 3 min unreachable"]);
    scene.answer(3, accepted());
    assert_eq!(scene.pass(10), ["push 4 min"]);
    scene.answer(4, accepted());
    assert_eq!(scene.raise_to(Severity::High), ["push 5 min raised"]);
}

#[test]
fn who_was_texted_is_not_texted_again_because_somebody_heard_it_while_it_was_milder() {
    let people = vec![bare_person("jin"), no_phone("min")];
    let mut scene = Scene::at(Severity::Disaster).with_people(people);
    assert_eq!(scene.plan(), ["sms 1 jin", "push 2 min"]);
    scene.answer(2, deferred(DeferCause::Unavailable));
    scene.raise_to(Severity::Information);
    assert_eq!(scene.pass(9), NOTHING);
    assert_eq!(scene.pass(1), ["push 3 min"]);
    scene.answer(3, accepted());
    scene.answer(1, accepted());
    assert_eq!(scene.raise_to(Severity::Disaster), ["push 4 min raised"]);
}

#[test]
fn the_end_of_what_was_raised_is_a_mere_end_to_those_whom_the_raise_was_not_for() {
    let mut scene = Scene::at(Severity::High).with_people(vec![bare_person("jin"), no_phone("min")]);
    scene.alert.to = vec!["jin".parse().expect("a name")];
    scene.plan();
    assert_eq!(scene.answer(1, rejected(RejectCause::Recipient)), ["push 2 min unreachable"]);
    scene.answer(2, accepted());
    assert_eq!(scene.raise_to(Severity::Disaster), ["sms 3 jin raised"]);
    scene.answer(3, accepted());
    assert_eq!(scene.resolve(), ["push 4 min resolved"]);
}

#[test]
fn who_came_after_a_raise_and_was_told_only_of_the_others_does_not_know_of_it() {
    let mut scene = Scene::at(Severity::Average).with_people(vec![bare_person("jin")]);
    scene.rules.gateways = gateways_that(1, true, false);
    scene.plan();
    scene.answer(1, accepted());
    scene.report(1, Fate::Delivered);
    scene.acknowledge();
    assert_eq!(scene.raise_to(Severity::High), ["sms 2 jin raised"]);
    scene.answer(2, accepted());
    scene.people.push(no_phone("kim"));
    assert_eq!(
        scene.report(2, Fate::Failed { reason: "30005".into() }),
        ["push 3 kim", "push 4 kim unreachable"]
    );
    scene.answer(3, rejected(RejectCause::Refused));
    scene.answer(4, rejected(RejectCause::Refused));
    scene.answer_all(scene.hours(1), &deferred(DeferCause::Unavailable));
    assert!(scene.reaches_nobody(scene.now));
    scene.answer_all(scene.hours(1), &accepted());
    assert!(!scene.reaches_nobody(scene.now));
}

#[test]
fn taking_again_what_was_more_severe_for_a_while_takes_it_as_it_is() {
    let mut scene = Scene::at(Severity::Average).with_people(vec![no_phone("jin")]);
    scene.plan();
    scene.answer(1, accepted());
    scene.acknowledge();
    assert!(!scene.alert.acknowledge("jin", false, scene.now), "jin has it");
    assert_eq!(scene.raise_to(Severity::Disaster), ["push 2 jin raised"]);
    scene.answer(2, accepted());
    scene.raise_to(Severity::Average);
    assert!(!scene.alert.acknowledge("zabbix", true, scene.now));
    assert!(scene.alert.acknowledge("jin", false, scene.now));
    assert!(!scene.alert.acknowledge("jin", false, scene.now));
    assert_eq!(scene.plan(), NOTHING);
    assert_eq!(scene.raise_to(Severity::Disaster), ["push 3 jin raised"]);

    let mut scene = Scene::at(Severity::High).with_people(vec![no_phone("jin")]);
    scene.plan();
    scene.answer(1, accepted());
    scene.acknowledge();
    scene.raise_to(Severity::Disaster);
    scene.answer(2, accepted());
    scene.raise_to(Severity::Average);
    scene.alert.acknowledge("min", false, scene.now);
    assert_eq!(scene.raise_to(Severity::High), NOTHING, "as grave as it was taken before");
    assert_eq!(scene.raise_to(Severity::Disaster), ["push 3 jin raised"]);
}

#[test]
fn reminders_that_have_ended_begin_anew_when_it_has_been_too_mild_for_them() {
    let mut scene = Scene::at(Severity::High).with_people(vec![no_phone("jin")]);
    scene.plan();
    scene.answer_all(scene.hours(4), &accepted());
    assert!(scene.alert.went_unanswered());
    assert_eq!(scene.raise_to(Severity::Warning), NOTHING);
    assert_eq!(scene.pass(24 * 3_600), NOTHING);
    let again = scene.raise_to(Severity::High);
    assert!(again.len() == 1 && again[0].ends_with("repeat"), "it was told a day ago: {again:?}");
    assert!(!scene.alert.went_unanswered());
    assert_eq!(scene.answer_all(scene.hours(4), &accepted()).len(), 5, "six in all");
}

#[test]
fn a_reminder_that_was_not_delivered_is_not_texted_again_once_somebody_has_it() {
    let mut scene = Scene::at(Severity::Disaster).with_people(vec![person("min", 0)]);
    scene.rules.gateways = gateways_that(2, true, false);
    scene.plan();
    scene.answer(1, accepted());
    assert_eq!(scene.pass(300), ["sms 2 min repeat"]);
    scene.answer(2, accepted());
    scene.acknowledge();
    assert_eq!(scene.report(2, Fate::Failed { reason: "30005".into() }), NOTHING);
    assert_eq!(scene.pass(60), NOTHING);
}

#[test]
fn giving_back_gives_back_the_text_behind_a_push_that_then_fails() {
    let mut scene = Scene::at(Severity::Average);
    scene.plan();
    scene.acknowledge();
    assert_eq!(scene.give_back(), NOTHING);
    assert_eq!(scene.answer(1, rejected(RejectCause::DeviceGone)), ["sms 2 jin"]);
}

#[test]
fn giving_back_after_hours_goes_on_with_what_was_held() {
    let mut scene = Scene::at(Severity::Average).with_people(vec![person("jin", 1), person("min", 0)]);
    assert_eq!(scene.plan(), ["push 1 jin", "sms 2 min"]);
    scene.answer(1, deferred(DeferCause::Unavailable));
    scene.answer(2, unknown());
    scene.acknowledge();
    assert_eq!(scene.pass(30 * 3_600), NOTHING);
    assert_eq!(scene.due, Some(scene.alert.close_at), "nothing but its end is waited for");
    assert_eq!(scene.give_back(), ["push 3 jin", "sms 4 min"]);
    scene.answer(3, deferred(DeferCause::Unavailable));
    scene.answer(4, accepted());
    assert_eq!(scene.pass(20), ["push 5 jin", "sms 6 jin"]);
}

#[test]
fn what_opens_acknowledged_is_pushed_until_it_is_taken_and_no_more() {
    let taken = |at| Acknowledgement {
        by: "zabbix".into(),
        at,
        since: at,
        severity: Severity::Disaster,
        by_sender: true,
    };
    let before = taken(T0 - SignedDuration::from_hours(1));
    for (severity, taken) in
        [(Severity::High, &before), (Severity::Disaster, &before), (Severity::Disaster, &taken(T0))]
    {
        let mut scene = Scene::at(severity).with_people(vec![person("jin", 1), person("min", 0)]);
        scene.alert.state = AlertState::Acknowledged;
        scene.alert.conversation.acknowledged = Some(taken.clone());
        assert_eq!(scene.plan(), ["push 1 jin"]);
        assert_eq!(scene.answer(1, deferred(DeferCause::Unavailable)), NOTHING);
        assert_eq!(scene.pass(7_200), ["push 2 jin"], "no text");
        scene.answer(2, accepted());
        assert_eq!(scene.pass(7_200), NOTHING, "no repeats");
        assert!(scene.alert.acknowledge("jin", false, scene.now), "what was only taken there");
        assert_eq!(scene.plan(), NOTHING, "it holds what it held");
        assert_eq!(scene.pass(7_200), NOTHING);
    }
}

#[test]
fn a_repeat_begins_attempts_of_its_own_whatever_an_earlier_one_is_doing() {
    let mut scene = Scene::at(Severity::Disaster).with_people(vec![person("jin", 1), person("min", 0)]);
    assert_eq!(scene.plan(), ["push 1 jin", "sms 2 jin", "sms 3 min"]);
    scene.answer(2, accepted());
    scene.answer(3, accepted());
    scene.answer(1, deferred(DeferCause::Unavailable));
    let mut texts = Vec::new();
    for _ in 0..180 {
        let sent = scene.pass(10);
        while let Some(send) = scene.open.first().cloned() {
            let text = matches!(send.address, Address::Gateway(_));
            let outcome = if text { accepted() } else { deferred(DeferCause::Unavailable) };
            scene.answer(send.attempt, outcome);
        }
        texts.extend(sent.into_iter().filter(|sent| sent.starts_with("sms")));
    }
    for name in ["jin", "min"] {
        let of = |sent: &&String| sent.ends_with(&format!("{name} repeat"));
        assert_eq!(texts.iter().filter(of).count(), 6, "{name} within half an hour: {texts:?}");
    }
}

#[test]
fn a_disaster_is_repeated_every_5_min_then_every_15_then_hourly_without_end() {
    let mut scene = Scene::at(Severity::Disaster);
    scene.plan();
    let mut at = Vec::new();
    for minute in 1..=600 {
        while let Some(send) = scene.open.first().cloned() {
            scene.answer(send.attempt, accepted());
        }
        if !scene.pass(60).is_empty() {
            at.push(minute);
        }
    }
    let expected: Vec<i32> =
        (1..=6).map(|n| 5 * n).chain((3..=8).map(|n| 15 * n)).chain((3..=10).map(|n| 60 * n)).collect();
    assert_eq!(at, expected);
    assert!(!scene.alert.went_unanswered());
}

/// The round of a problem that comes and goes every two minutes: the earlier ones were told.
fn flapping(scene: &mut Scene, rounds: i64) {
    let mut openings = Openings::default();
    for round in 0..rounds {
        let opened = T0 + SignedDuration::from_mins(4 * round);
        let last = LastRound {
            severity: scene.alert.severity,
            opened,
            told_at: opened,
            resolved: opened + SignedDuration::from_mins(2),
            heard_as: Some(scene.alert.severity),
        };
        scene.now = opened + SignedDuration::from_mins(4);
        openings = openings.next(last, scene.now);
    }
    scene.alert.openings = openings;
    scene.alert.opened_at = scene.now;
}

#[test]
fn reminders_go_on_while_it_comes_and_goes() {
    let mut scene = Scene::at(Severity::Disaster);
    flapping(&mut scene, 6);
    assert_eq!(scene.plan(), NOTHING, "it was told that it flaps");
    let mut scene = Scene::at(Severity::Disaster);
    flapping(&mut scene, 6);
    scene.alert.conversation.repeats = 4;
    scene.alert.conversation.repeat_at = Some(scene.now - SignedDuration::from_secs(30));
    assert_eq!(scene.plan(), ["push 1 jin repeat", "sms 2 jin repeat"]);
    assert_eq!(scene.alert.conversation.repeats, 5);
}

#[test]
fn a_reminder_does_not_take_the_place_of_what_is_news() {
    let mut scene = Scene::at(Severity::Disaster).with_people(vec![person("jin", 1)]);
    assert_eq!(scene.plan(), ["push 1 jin", "sms 2 jin"]);
    let down = deferred(DeferCause::Unavailable);
    let sent = scene.answer_all(scene.now + SignedDuration::from_mins(20), &down);
    assert!(scene.journal().contains("repeated"), "{}", scene.journal());
    assert!(sent.iter().all(|sent| !sent.contains("repeat")), "the first notice goes on: {sent:?}");

    let mut scene = Scene::at(Severity::Average).with_people(vec![person("jin", 0)]);
    scene.plan();
    scene.answer(1, accepted());
    assert_eq!(scene.raise_to(Severity::Disaster), ["sms 2 jin raised"]);
    let sent = scene.answer_all(scene.now + SignedDuration::from_mins(20), &down);
    assert!(sent.iter().all(|sent| sent.ends_with("jin raised")), "{sent:?}");
}

#[test]
fn a_text_is_not_missed_once_the_push_was_accepted() {
    let mut scene = Scene::at(Severity::Average);
    scene.rules.gateways = gateways_that(2, true, false);
    scene.plan();
    scene.answer(1, deferred(DeferCause::Unavailable));
    assert_eq!(scene.pass(20), ["push 2 jin", "sms 3 jin"]);
    scene.answer(3, accepted());
    scene.answer(2, accepted());
    assert_eq!(scene.report(3, Fate::Failed { reason: "30005".into() }), NOTHING);
}

#[test]
fn a_round_that_another_follows_still_tells_whom_it_did_not_reach() {
    let mut scene = Scene::at(Severity::Average).with_people(vec![person("jin", 1), person("min", 1)]);
    flapping(&mut scene, 3);
    scene.plan();
    scene.answer(2, accepted());
    scene.answer(1, rejected(RejectCause::DeviceGone));
    assert_eq!(scene.answer(3, rejected(RejectCause::Recipient)), ["push 4 min unreachable"]);
    scene.answer(4, deferred(DeferCause::Unavailable));
    scene.resolve();
    scene.alert.openings.superseded = Some(Successor::IsQuiet);
    assert_eq!(scene.pass(10), ["push 5 min unreachable"]);
}

#[test]
fn a_round_that_another_follows_tells_whom_its_text_did_not_reach() {
    let mut scene = Scene::at(Severity::High).with_people(vec![person("jin", 0)]);
    scene.rules.gateways = gateways_that(1, true, false);
    flapping(&mut scene, 3);
    scene.plan();
    scene.answer(1, accepted());
    scene.resolve();
    scene.alert.openings.superseded = Some(Successor::IsQuiet);
    assert_eq!(scene.pass(10), NOTHING);
    assert_eq!(scene.report(1, Fate::Failed { reason: "30005".into() }), ["sms 2 jin missed"]);
    assert_eq!(scene.answer(2, deferred(DeferCause::Unavailable)), NOTHING);
    assert_eq!(scene.pass(10), ["sms 3 jin missed"]);
}

/// The fourth round of what comes and goes: jin hears of it by text, min's push does not get through, and the next
/// round is quiet.
fn heard_by_jin_only() -> Scene {
    let people = vec![person("jin", 0), Person { phone: None, ..person("min", 1) }];
    let mut scene = Scene::at(Severity::Average).with_people(people);
    flapping(&mut scene, 3);
    assert_eq!(scene.plan(), ["sms 1 jin", "push 2 min"]);
    scene
}

#[test]
fn that_it_comes_and_goes_is_told_to_whom_it_did_not_reach_before_the_next_round() {
    let mut scene = heard_by_jin_only();
    scene.answer(1, accepted());
    scene.answer(2, deferred(DeferCause::Unavailable));
    scene.resolve();
    scene.alert.openings.superseded = Some(Successor::IsQuiet);
    assert_eq!(scene.pass(10), ["push 3 min"]);
    assert_eq!(scene.answer(3, rejected(RejectCause::Message)), ["sms 4 jin unreachable"]);
}

#[test]
fn a_round_that_nobody_heard_of_is_left_to_the_next() {
    let mut scene = heard_by_jin_only();
    scene.answer(1, deferred(DeferCause::Unavailable));
    scene.answer(2, deferred(DeferCause::Unavailable));
    scene.resolve();
    scene.alert.openings.superseded = Some(Successor::Tells);
    assert_eq!(scene.pass(10), NOTHING);
    assert_eq!(scene.due, None);
}

#[test]
fn one_text_without_an_answer_does_not_end_the_texts_after_a_raise() {
    for answered_first in [true, false] {
        let mut scene = Scene::at(Severity::Average).with_people(vec![person("jin", 0)]);
        assert_eq!(scene.plan(), ["sms 1 jin"]);
        if answered_first {
            scene.answer(1, unknown());
        }
        assert_eq!(scene.raise_to(Severity::High), ["sms 2 jin raised"]);
        if !answered_first {
            scene.answer(1, unknown());
        }
        scene.answer(2, rejected(RejectCause::Refused));
        assert_eq!(scene.pass(300), ["sms 3 jin"], "nobody knows yet");
    }
}

#[test]
fn a_text_that_went_unanswered_says_nothing_of_a_later_raise_that_has_no_channel() {
    let mut scene = Scene::at(Severity::NotClassified).with_people(vec![person("jin", 1)]);
    (scene.rules.always_at, scene.rules.fallback_at) = (None, Some(Severity::Warning));
    scene.rules.gateways = gateways_that(2, false, false);
    assert_eq!(scene.plan(), ["push 1 jin"]);
    scene.answer(1, accepted());
    scene.devices.retire(scene.people[0].devices[0].id);
    assert_eq!(scene.raise_to(Severity::Warning), ["sms 2 jin raised"]);
    scene.answer(2, unknown());
    assert_eq!(scene.pass(60), ["sms 3 jin raised"]);
    scene.answer(3, unknown());
    scene.report(2, Fate::Taken);
    scene.rules.gateways.clear();
    scene.acknowledge();
    scene.alert.severity = Severity::NotClassified;
    scene.give_back();
    assert_eq!(scene.raise_to(Severity::Warning), NOTHING, "it waits for the morning");
    assert_eq!(scene.pass(1), NOTHING);
    assert!(scene.alert.progress.contacts.values().all(|contact| contact.unreachable.is_none()));
}
