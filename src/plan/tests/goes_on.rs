//! What goes on, or begins anew, while somebody who should know does not.

use super::*;

fn bare(name: &str) -> Person {
    Person { devices: Vec::new(), ..person(name, 0) }
}

fn no_phone(name: &str) -> Person {
    Person { phone: None, ..person(name, 1) }
}

impl Scene {
    /// As [`Scene::answer_all`], with an answer for each road.
    fn answer_each(&mut self, end: Timestamp, push: &Outcome, text: &Outcome) -> Vec<String> {
        let mut sent = Vec::new();
        loop {
            while let Some(send) = self.open.first().cloned() {
                let outcome = if send.address.transport() == Transport::Push { push } else { text };
                sent.extend(self.answer(send.attempt, outcome.clone()));
            }
            let Some(due) = self.due.filter(|due| *due <= end) else { break };
            self.alert.rows.drain(..self.alert.rows.len().saturating_sub(60));
            self.now = due;
            sent.extend(self.plan());
        }
        self.now = end;
        sent
    }
}

fn texts(sent: &[String]) -> usize {
    sent.iter().filter(|sent| sent.starts_with("sms")).count()
}

#[test]
fn a_text_that_was_refused_is_tried_again_while_its_push_waits() {
    for severity in [Severity::Average, Severity::High, Severity::Disaster] {
        let mut scene = Scene::at(severity);
        scene.plan();
        let waits = deferred(DeferCause::Unreachable);
        let end = scene.now + SignedDuration::from_secs(60);
        scene.answer_each(end, &waits, &rejected(RejectCause::Refused));
        let end = scene.now + SignedDuration::from_mins(6);
        assert_eq!(texts(&scene.answer_each(end, &waits, &accepted())), 1, "{severity}");
        assert_eq!(scene.told("jin"), Notified::Yes);
    }
}

#[test]
fn a_reminder_is_texted_though_an_earlier_text_may_have_arrived_twice() {
    for (severity, minutes) in [(Severity::High, 31), (Severity::Disaster, 6)] {
        let mut scene = Scene::at(severity).with_people(vec![bare("jin")]);
        scene.plan();
        scene.answer(1, unknown());
        assert_eq!(scene.pass(60), ["sms 2 jin"]);
        assert_eq!(scene.answer(2, unknown()), NOTHING);
        let end = scene.now + SignedDuration::from_mins(minutes);
        assert_eq!(texts(&scene.answer_all(end, &accepted())), 1, "{severity}");
    }
}

#[test]
fn whoever_takes_the_place_of_one_who_did_not_hear_is_told_at_once_and_of_the_end() {
    for ends in [false, true] {
        let mut scene = Scene::at(Severity::Average).with_people(vec![bare("jin")]);
        scene.plan();
        scene.answer(1, rejected(RejectCause::Recipient));
        scene.people = vec![bare("min")];
        assert!(is_unheard(&scene.alert, &scene.people), "so it is planned at the start");
        if ends {
            assert_eq!(scene.resolve(), ["sms 2 min missed", "sms 3 min unreachable"]);
        } else {
            assert_eq!(scene.plan(), ["sms 2 min", "sms 3 min unreachable"]);
        }
    }
}

#[test]
fn what_only_people_know_who_have_left_is_told_to_those_who_are_there() {
    let mut scene = Scene::at(Severity::Average).with_people(vec![no_phone("jin"), no_phone("min")]);
    scene.plan();
    scene.answer(1, accepted());
    scene.answer(2, accepted());
    assert!(!is_unheard(&scene.alert, &scene.people));
    scene.people = vec![no_phone("kim")];
    assert!(is_unheard(&scene.alert, &scene.people));
    assert_eq!(scene.plan(), ["push 3 kim"]);
}

#[test]
fn after_the_end_a_gateway_is_asked_about_a_text_that_is_all_somebody_may_have() {
    let mut scene = Scene::at(Severity::High).with_people(vec![bare("jin")]);
    scene.rules.gateways = gateways_that(2, false, true);
    scene.asks = true;
    scene.plan();
    scene.answer(1, unknown());
    scene.pass(50);
    assert_eq!(scene.report(1, Fate::NotThere), ["sms 2 jin"]);
    scene.answer(2, accepted());
    scene.resolve();
    let asked = scene.asked.len();
    scene.answer_all(scene.now + SignedDuration::from_mins(10), &accepted());
    assert!(asked < scene.asked.len());
    assert_eq!(scene.report(2, Fate::Failed { reason: "30005".into() }), ["sms 3 jin missed"]);
}

#[test]
fn a_text_that_stands_in_for_a_push_is_not_tried_again_once_the_push_is_accepted() {
    let mut scene = Scene::at(Severity::High);
    scene.plan();
    assert_eq!(scene.pass(20), ["sms 2 jin"]);
    scene.answer(1, accepted());
    assert_eq!(scene.answer(2, deferred(DeferCause::Unavailable)), NOTHING);
    assert_eq!(scene.pass(11), NOTHING);
}

#[test]
fn that_the_others_could_not_be_told_either_is_not_forgotten() {
    let mut scene = Scene::at(Severity::Average).with_people(vec![bare("jin"), bare("min")]);
    scene.plan();
    scene.answer(2, accepted());
    assert_eq!(scene.answer(1, rejected(RejectCause::Recipient)), ["sms 3 min unreachable"]);
    scene.answer(3, rejected(RejectCause::Recipient));
    let told: Vec<_> = scene.alert.given_up().map(|given_up| given_up.is_told).collect();
    assert_eq!(told, [false, false]);
    scene.alert.severity = Severity::High;
    assert_eq!(scene.plan(), ["sms 4 jin raised", "sms 5 min raised"]);
    assert_eq!(scene.answer(5, accepted()), NOTHING);
    scene.answer(4, rejected(RejectCause::Recipient));
    let sent = scene.pass(31);
    assert!(sent.iter().any(|sent| sent.ends_with("min unreachable")), "{sent:?}");
}
