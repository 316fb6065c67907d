//! An open alert that nobody knows of is tried for as long as that is so; what was over before anybody heard of it, for
//! a day.

use super::*;
use crate::alert::{Counted, Digest, FoldRow, FoldWord, Tier, Unreached};

fn without_phone(name: &str) -> Person {
    Person { phone: None, ..person(name, 1) }
}

fn refused() -> Outcome {
    rejected(RejectCause::Refused)
}

impl Scene {
    /// Nobody runs for this long; what was under way is not answered.
    fn stand_still(&mut self, hours: i64) -> Vec<String> {
        self.open.clear();
        self.now += SignedDuration::from_hours(hours);
        self.started = self.now;
        self.plan()
    }
}

#[test]
fn a_push_goes_on_after_an_outage_of_ours_longer_than_its_time_to_live() {
    for answered in [false, true] {
        let people = vec![without_phone("jin"), without_phone("min")];
        let mut scene = Scene::at(Severity::Average).with_people(people);
        assert_eq!(scene.plan(), ["push 1 jin", "push 2 min"]);
        if answered {
            scene.answer(1, deferred(DeferCause::Unavailable));
            scene.answer(2, deferred(DeferCause::Unavailable));
        }
        scene.stand_still(2);
        scene.pass(20);
        assert_eq!(scene.open.len(), 2, "both are tried again");
        scene.answer(3, accepted());
        scene.answer(4, accepted());
        assert!(!scene.journal().contains("dead_letter"), "{}", scene.journal());
    }
}

#[test]
fn a_text_goes_on_after_an_outage_of_a_day() {
    let mut scene = Scene::at(Severity::High).with_people(vec![person("jin", 0)]);
    scene.plan();
    scene.answer(1, deferred(DeferCause::Unavailable));
    assert_eq!(scene.stand_still(25), ["sms 2 jin"]);
    assert!(!scene.journal().contains("dead_letter"), "{}", scene.journal());
}

#[test]
fn what_nobody_knows_of_is_tried_at_least_every_retry_max_through_any_outage_of_theirs() {
    for outcome in [deferred(DeferCause::Unavailable), deferred(DeferCause::ProjectFault), refused()] {
        let mut scene =
            Scene::at(Severity::Average).with_people(vec![person("jin", 1), without_phone("min")]);
        scene.plan();
        let end = scene.hours(26);
        while scene.now < end {
            let within = scene.now + SignedDuration::from_mins(6);
            let sent = scene.answer_all(within, &outcome);
            assert!(!sent.is_empty(), "{outcome:?} {}", scene.now);
            assert!(scene.reaches_nobody(scene.now + SignedDuration::from_mins(5)));
            scene.alert.rows.clear();
        }
        let end = scene.now + SignedDuration::from_mins(6);
        scene.answer_all(end, &accepted());
        assert_eq!((scene.told("jin"), scene.told("min")), (Notified::Yes, Notified::Yes));
        assert!(!scene.reaches_nobody(scene.now));
    }
}

#[test]
fn a_provider_that_asks_for_an_hour_is_asked_again_in_retry_max_while_nobody_knows() {
    let mut scene = Scene::at(Severity::Average).with_people(vec![without_phone("jin")]);
    scene.plan();
    let patience = Some(SignedDuration::from_hours(1));
    let detail = "later".to_owned();
    scene.answer(1, Outcome::Deferred { cause: DeferCause::Throttled, retry_after: patience, detail });
    assert_eq!(scene.pass(300), ["push 2 jin"]);
}

#[test]
fn somebody_who_can_be_reached_later_hears_of_the_alert_and_of_whom_it_did_not_reach() {
    let mut scene = Scene::at(Severity::Average).with_people(vec![person("jin", 1)]);
    scene.plan();
    scene.answer(1, rejected(RejectCause::DeviceGone));
    scene.answer(2, rejected(RejectCause::Recipient));
    assert!(scene.journal().contains(r#""nobody_left":true"#));
    scene.people.push(person("min", 1));
    assert_eq!(scene.plan(), ["push 3 min", "push 4 min unreachable"]);
    assert_eq!(scene.answer(3, deferred(DeferCause::Unavailable)), NOTHING);
    assert_eq!(scene.answer(4, deferred(DeferCause::Unavailable)), NOTHING);
    let later =
        scene.answer_all(scene.now + SignedDuration::from_mins(6), &deferred(DeferCause::Unavailable));
    assert!(later.iter().any(|sent| sent.starts_with("push") && sent.ends_with(" min")), "{later:?}");
    scene.answer_all(scene.now + SignedDuration::from_mins(6), &accepted());
    assert_eq!(scene.told("min"), Notified::Yes);
    assert!(!scene.reaches_nobody(scene.now));
}

#[test]
fn a_text_that_may_have_arrived_twice_is_not_sent_a_third_time_but_pushes_go_on() {
    let mut scene = Scene::at(Severity::Average);
    scene.plan();
    scene.answer(1, rejected(RejectCause::Message));
    scene.answer(2, unknown());
    assert_eq!(scene.pass(60), ["sms 3 jin"]);
    scene.answer(3, unknown());
    assert!(scene.reaches_nobody(scene.now));
    assert_eq!(scene.pass(300), ["push 4 jin"]);
    let down = deferred(DeferCause::Unavailable);
    assert_eq!(scene.answer(4, down.clone()), NOTHING);
    let sent = scene.answer_all(scene.now + SignedDuration::from_mins(30), &down);
    assert!(!sent.is_empty() && sent.iter().all(|sent| sent.starts_with("push")), "{sent:?}");
}

#[test]
fn what_fired_and_ended_unheard_is_tried_for_a_day() {
    let people = vec![without_phone("jin"), without_phone("min")];
    let down = deferred(DeferCause::Unavailable);
    let mut scene = Scene::at(Severity::High).with_people(people.clone());
    scene.plan();
    scene.answer_all(scene.now + SignedDuration::from_mins(20), &down);
    scene.resolve();
    scene.answer_all(scene.hours(23), &down);
    assert!(scene.due.is_some(), "it is still tried");
    scene.answer_all(scene.now + SignedDuration::from_mins(6), &accepted());
    assert_eq!((scene.told("jin"), scene.told("min"), scene.due), (Notified::Yes, Notified::Yes, None));

    let mut scene = Scene::at(Severity::High).with_people(people);
    scene.plan();
    scene.answer_all(scene.now + SignedDuration::from_mins(20), &down);
    scene.resolve();
    scene.answer_all(scene.hours(25), &down);
    assert_eq!(scene.due, None);
    assert!(scene.journal().contains("not accepted within 24 hours"), "{}", scene.journal());
    assert!(scene.journal().contains(r#""nobody_left":true"#), "{}", scene.journal());
}

#[test]
fn what_ended_unheard_is_texted_where_there_is_no_push() {
    let mut scene = Scene::at(Severity::High).with_people(vec![person("jin", 0)]);
    scene.plan();
    scene.answer(1, deferred(DeferCause::Unavailable));
    assert_eq!(scene.resolve(), ["sms 2 jin missed"]);
}

#[test]
fn a_text_that_may_have_arrived_before_the_end_is_asked_about_and_sent_once_more() {
    for asks in [false, true] {
        let mut scene = Scene::at(Severity::High).with_people(vec![person("jin", 0)]);
        scene.rules.gateways = gateways_that(1, asks, asks);
        scene.plan();
        scene.answer(1, unknown());
        scene.now += SignedDuration::from_secs(10);
        assert_eq!(scene.resolve(), NOTHING);
        assert_eq!(scene.pass(50), if asks { NOTHING.to_vec() } else { vec!["sms 2 jin missed"] });
        assert_eq!(scene.asked.len(), usize::from(asks));
        if asks {
            assert_eq!(scene.report(1, Fate::NotThere), ["sms 2 jin missed"]);
        }
        scene.answer(2, accepted());
        assert_eq!(scene.told("jin"), Notified::Yes);
    }
}

#[test]
fn whoever_may_not_know_when_it_ends_is_told_both() {
    let mut scene = Scene::at(Severity::Average);
    scene.plan();
    scene.answer(1, unknown());
    assert_eq!(scene.resolve(), ["push 2 jin missed"]);
    assert_eq!(scene.answer(2, rejected(RejectCause::Message)), ["sms 3 jin missed"]);
}

#[test]
fn a_digest_is_tried_until_it_is_told() {
    let digest =
        Digest { contact: "jin".parse().expect("a name"), tier: Tier::Ordinary, due_at: T0, counted: None };
    let mut scene = Scene::at(Severity::High);
    scene.alert = Alert::opened_digest(AlertId::new(T0, [7; 10]), digest, T0);
    let row = FoldRow {
        alert_id: AlertId::new(T0, [8; 10]),
        word: FoldWord::Fired,
        severity: Severity::High,
        title: "disk full".to_owned(),
        at: T0,
        text: false,
        missed: false,
        unreached: Unreached::default(),
    };
    scene.alert.count(Counted::of(&[row]));
    assert_eq!(scene.plan(), ["push 1 jin digest"]);
    scene.answer_all(scene.hours(3), &deferred(DeferCause::Unavailable));
    assert!(scene.alert.is_open() && scene.reaches_nobody(scene.now));
    scene.alert.rows.clear();
    scene.answer_all(scene.hours(1), &refused());
    let end = scene.now + SignedDuration::from_mins(6);
    scene.answer_all(end, &accepted());
    assert_eq!((scene.told("jin"), scene.alert.state), (Notified::Yes, AlertState::Resolved));
}

#[test]
fn what_ended_unheard_is_given_up_after_a_day_however_often_we_start() {
    let mut scene = Scene::at(Severity::High).with_people(vec![without_phone("jin")]);
    let down = deferred(DeferCause::ProjectFault);
    scene.plan();
    scene.answer(1, down.clone());
    scene.resolve();
    scene.answer_all(scene.hours(23), &down);
    scene.stand_still(2);
    assert_eq!(scene.alert.given_up().count(), 0, "it is tried for a while from the start on");
    scene.answer_all(scene.now + SignedDuration::from_mins(20), &down);
    assert_eq!(scene.alert.given_up().count(), 1);
}

#[test]
fn a_gateway_that_asks_for_an_hour_is_asked_again_in_retry_max_while_nobody_knows() {
    let later = Outcome::Deferred {
        cause: DeferCause::Unavailable,
        retry_after: Some(SignedDuration::from_hours(1)),
        detail: "later".to_owned(),
    };
    let mut scene = Scene::at(Severity::Average).with_people(vec![person("jin", 0)]);
    scene.plan();
    scene.answer(1, later.clone());
    assert_eq!(scene.pass(300), ["sms 2 jin"]);

    // Taken, so that patience is in order; and then it did not arrive.
    let mut scene = Scene::at(Severity::Average);
    scene.rules.gateways = gateways_that(1, true, false);
    scene.plan();
    scene.answer(1, deferred(DeferCause::Unavailable));
    assert_eq!(scene.pass(20), ["push 2 jin", "sms 3 jin"]);
    scene.answer(3, accepted());
    scene.answer(2, later);
    assert_eq!(scene.pass(600), NOTHING);
    scene.report(3, Fate::Failed { reason: "30005".into() });
    assert_eq!(scene.pass(300).len(), 1, "nobody knows after all");
}

#[test]
fn an_end_that_comes_while_a_text_is_tried_again_is_still_owed() {
    for outcome in [rejected(RejectCause::Recipient), deferred(DeferCause::Unavailable)] {
        let mut scene = Scene::at(Severity::Average).with_people(vec![person("jin", 0)]);
        scene.plan();
        scene.answer(1, rejected(RejectCause::Recipient));
        assert_eq!(scene.pass(300), ["sms 2 jin"]);
        assert_eq!(scene.resolve(), NOTHING, "it may arrive");
        assert_eq!(scene.answer(2, outcome), ["sms 3 jin missed"]);
    }
}

#[test]
fn nobody_is_called_unreachable_while_the_end_is_being_told_to_them() {
    let mut scene = Scene::at(Severity::Average).with_people(vec![person("jin", 1), person("min", 1)]);
    scene.plan();
    scene.answer(2, accepted());
    scene.answer(1, deferred(DeferCause::Unavailable));
    scene.pass(20);
    for _ in 0..2 {
        while let Some(send) = scene.open.first().cloned() {
            let text = matches!(send.address, Address::Gateway(_));
            scene.answer(send.attempt, if text { unknown() } else { deferred(DeferCause::Unavailable) });
        }
        scene.pass(60);
    }
    scene.resolve();
    assert!(!scene.journal().contains("unreachable"), "{}", scene.journal());
    while let Some(send) = scene.open.first().cloned() {
        scene.answer(send.attempt, deferred(DeferCause::ProjectFault));
    }
    let missed = scene.texts.iter().filter(|(text, _)| text.subject == Subject::Missed).count();
    assert_eq!(missed, 0, "it may have arrived twice");
}

#[test]
fn what_should_have_closed_itself_while_we_were_away_has_as_long_as_ever() {
    let mut scene = Scene::at(Severity::Average);
    scene.plan();
    scene.answer(1, accepted());
    // Zabbix says a problem once; the clock is eight days ahead at this start.
    scene.stand_still(24 * 8);
    assert_eq!(scene.pass(6 * 24 * 3_600), NOTHING);
    assert!(scene.alert.is_open());
    assert_eq!(scene.pass(25 * 3_600), ["push 2 jin resolved"]);
}

#[test]
fn the_end_is_pushed_for_a_day() {
    let mut scene = Scene::at(Severity::High);
    scene.plan();
    scene.answer(1, accepted());
    scene.resolve();
    scene.answer_all(scene.hours(23), &deferred(DeferCause::Unavailable));
    assert!(scene.due.is_some(), "{}", scene.journal());
    scene.answer_all(scene.hours(2), &deferred(DeferCause::Unavailable));
    assert_eq!(scene.due, None);
    assert!(scene.journal().contains("not accepted within 24 hours"), "{}", scene.journal());
}

#[test]
fn whoever_is_still_being_told_when_somebody_first_hears_is_told_too() {
    for outcome in [deferred(DeferCause::Unavailable), deferred(DeferCause::ProjectFault), unknown()] {
        let mut scene =
            Scene::at(Severity::Average).with_people(vec![without_phone("jin"), without_phone("min")]);
        scene.plan();
        scene.answer_all(scene.hours(2), &outcome);
        let due = scene.due.expect("both wait");
        scene.now = due;
        let first = scene.plan();
        assert!(!first.is_empty());
        let send = scene.open[0].clone();
        // The other one waits for its own time.
        while let Some(other) = scene.open.iter().find(|other| other.contact != send.contact).cloned() {
            scene.answer(other.attempt, outcome.clone());
        }
        scene.answer(send.attempt, accepted());
        assert!(!scene.journal().contains("dead_letter"), "{}", scene.journal());
        scene.answer_all(scene.now + SignedDuration::from_mins(6), &accepted());
        assert_eq!((scene.told("jin"), scene.told("min")), (Notified::Yes, Notified::Yes), "{outcome:?}");
    }
}

#[test]
fn what_is_still_tried_when_somebody_knows_is_given_up_in_its_time() {
    let mut scene =
        Scene::at(Severity::Average).with_people(vec![without_phone("jin"), without_phone("min")]);
    scene.plan();
    scene.answer(1, accepted());
    scene.answer_all(scene.hours(2), &deferred(DeferCause::Unavailable));
    assert!(scene.journal().contains("not accepted within fcm.ttl"), "{}", scene.journal());
}
