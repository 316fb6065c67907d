//! What goes on, or begins anew, while somebody who should know does not.

use super::*;

fn bare(name: &str) -> Person {
    Person { devices: Vec::new(), ..person(name, 0) }
}

fn no_phone(name: &str) -> Person {
    Person { phone: None, ..person(name, 1) }
}

fn texts(sent: &[String]) -> usize {
    sent.iter().filter(|sent| sent.starts_with("sms")).count()
}

#[test]
fn a_text_that_was_refused_is_tried_again_while_its_push_waits() {
    for severity in [Severity::Average, Severity::High, Severity::Disaster] {
        let mut scene = Scene::at(severity);
        scene.plan();
        let by = |text: Outcome| {
            move |send: &Send| if is_push(send) { deferred(DeferCause::Unreachable) } else { text.clone() }
        };
        scene.answer_for(1, by(rejected(RejectCause::Refused)));
        assert_eq!(texts(&scene.answer_for(6, by(accepted()))), 1, "{severity}");
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
            assert_eq!(scene.resolve(), ["sms 2 min missed"]);
        } else {
            assert_eq!(scene.plan(), ["sms 2 min"]);
        }
    }
}

#[test]
fn whoever_is_there_is_told_what_ended_before_anybody_who_has_left_heard_of_it() {
    let mut scene = Scene::at(Severity::High).with_people(vec![no_phone("jin")]);
    scene.plan();
    scene.answer(1, unknown());
    assert_eq!(scene.resolve(), ["push 2 jin missed"]);
    scene.answer(2, unknown());
    scene.people = vec![no_phone("min")];
    assert_eq!(scene.pass(30), ["push 3 min missed"]);
    scene.answer(3, accepted());
    scene.people = vec![no_phone("kim")];
    assert_eq!(scene.pass(30), NOTHING, "that is enough of what is over");
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

#[test]
fn of_whom_nobody_was_told_whoever_can_be_reached_by_then_is_told() {
    let mut scene = Scene::at(Severity::Average).with_people(vec![bare("jin"), bare("min")]);
    scene.plan();
    scene.answer(2, accepted());
    assert_eq!(scene.answer(1, rejected(RejectCause::Recipient)), ["sms 3 min unreachable"]);
    scene.people.push(no_phone("kim"));
    scene.answer(3, rejected(RejectCause::Recipient));
    assert_eq!(scene.pass(31), ["push 4 kim unreachable"]);
    let Subject::Unreachable { contact, also, .. } = &scene.open[0].subject else {
        panic!("{:?}", scene.open)
    };
    assert_eq!((contact.as_str(), also.len()), ("jin", 1), "and min");
}

#[test]
fn whom_they_have_been_told_of_by_text_is_not_told_again_with_the_next() {
    let people = vec![bare("jin"), bare("kim"), person("min", 1)];
    let mut scene = Scene::at(Severity::High).with_people(people);
    scene.rules.gateways = gateways_that(1, true, false);
    assert_eq!(scene.plan(), ["sms 1 jin", "sms 2 kim", "push 3 min"]);
    scene.answer(3, accepted());
    scene.answer(2, accepted());
    assert_eq!(
        scene.answer(1, rejected(RejectCause::Recipient)),
        ["sms 4 kim unreachable", "push 5 min unreachable"]
    );
    scene.answer(4, accepted());
    assert_eq!(scene.answer(5, deferred(DeferCause::ProjectFault)), ["sms 6 min unreachable"]);
    scene.answer(6, accepted());
    scene.pass(31);
    let failed = Fate::Failed { reason: "30005".into() };
    let sent = scene.report(2, failed);
    assert_eq!(sent, ["push 8 min unreachable"]);
    let newest = scene.open.last().expect("it is under way");
    let of: Vec<_> = newest.subject.out_of_reach().map(ContactName::as_str).collect();
    assert_eq!(of, ["kim"]);
}

#[test]
fn whoever_hears_of_the_end_can_be_told_whom_the_alert_did_not_reach() {
    let mut scene = Scene::at(Severity::Average).with_people(vec![bare("jin"), no_phone("min")]);
    scene.plan();
    scene.answer(2, accepted());
    assert_eq!(scene.answer(1, rejected(RejectCause::Recipient)), ["push 3 min unreachable"]);
    scene.answer(3, rejected(RejectCause::Refused));
    scene.pass(31);
    assert_eq!(scene.resolve(), ["sms 4 jin missed", "push 5 min resolved"]);
    scene.answer(4, rejected(RejectCause::Recipient));
    assert_eq!(scene.answer(5, accepted()), ["push 6 min unreachable"]);
}

#[test]
fn that_somebody_could_not_be_reached_is_not_said_while_a_try_is_under_way() {
    let refused = || rejected(RejectCause::Refused);
    for last in [accepted(), refused()] {
        let mut scene = Scene::at(Severity::High).with_people(vec![no_phone("jin"), no_phone("min")]);
        scene.plan();
        scene.answer_all(scene.now + SignedDuration::from_secs(40), &refused());
        scene.now = scene.due.expect("tried again");
        assert_eq!(scene.plan().len(), 2, "to both of them");
        let (first, second) = (scene.open[0].attempt, scene.open[1].attempt);
        assert_eq!(scene.answer(first, accepted()), NOTHING);
        let says_so = |sent: Vec<String>| sent.iter().any(|sent| sent.ends_with("jin unreachable"));
        assert_eq!(says_so(scene.answer(second, last.clone())), last != accepted());
    }
}

#[test]
fn that_somebody_could_not_be_reached_is_not_texted_a_third_time_where_it_may_have_arrived_twice() {
    let mut scene = Scene::at(Severity::Average).with_people(vec![bare("jin"), bare("min")]);
    scene.plan();
    scene.answer(2, accepted());
    assert_eq!(scene.answer(1, rejected(RejectCause::Recipient)), ["sms 3 min unreachable"]);
    scene.answer(3, unknown());
    assert_eq!(scene.pass(60), ["sms 4 min unreachable"]);
    scene.answer(4, unknown());
    scene.alert.severity = Severity::High;
    assert_eq!(scene.plan(), ["sms 5 jin raised", "sms 6 min raised"]);
    scene.answer(6, accepted());
    scene.answer(5, rejected(RejectCause::Recipient));
    assert_eq!(scene.pass(31), NOTHING);
}

fn is_to(send: &Send, name: &str) -> bool {
    send.contact.as_str() == name
}

fn is_push(send: &Send) -> bool {
    send.address.transport() == Transport::Push
}

impl Scene {
    /// Every request is answered as `outcome` says, for so many minutes; what goes out.
    fn answer_for(&mut self, minutes: i64, outcome: impl Fn(&Send) -> Outcome) -> Vec<String> {
        let end = self.now + SignedDuration::from_mins(minutes);
        let mut sent = Vec::new();
        loop {
            while let Some(send) = self.open.first().cloned() {
                sent.extend(self.answer(send.attempt, outcome(&send)));
            }
            let Some(due) = self.due.filter(|due| *due <= end) else { break };
            self.alert.rows.drain(..self.alert.rows.len().saturating_sub(60));
            self.now = due;
            sent.extend(self.plan());
        }
        self.now = end;
        sent
    }

    fn raised_to_disaster() -> Self {
        let mut scene = Self::at(Severity::Average);
        scene.plan();
        scene.answer(1, accepted());
        scene.alert.severity = Severity::Disaster;
        scene.plan();
        scene
    }
}

#[test]
fn a_raise_that_arrives_by_no_road_is_told_to_the_others_or_tried_on_and_not_ready() {
    let mut scene = Scene::raised_to_disaster();
    let answer = |send: &Send| {
        if is_push(send) { deferred(DeferCause::ProjectFault) } else { rejected(RejectCause::Refused) }
    };
    scene.answer_for(90, answer);
    assert!(scene.reaches_nobody(scene.now));
    let sent = scene.answer_for(10, |_| accepted());
    assert!(sent.iter().any(|sent| sent.ends_with("jin raised")), "{sent:?}");
    assert!(!scene.reaches_nobody(scene.now));

    let mut scene = Scene::at(Severity::Disaster).with_people(vec![person("jin", 1), no_phone("min")]);
    scene.plan();
    let sent = scene.answer_for(90, |send| if is_to(send, "min") { accepted() } else { answer(send) });
    assert_eq!(sent.iter().filter(|sent| sent.ends_with("min unreachable")).count(), 1, "{sent:?}");
}

#[test]
fn a_raise_that_no_provider_takes_is_not_ready_and_tried_through_an_outage_of_hours() {
    for to in [Severity::High, Severity::Disaster] {
        let mut scene = Scene::at(Severity::Information).with_people(vec![person("jin", 1), bare("min")]);
        scene.plan();
        scene.answer_for(1, |_| accepted());
        scene.pass(3_600);
        scene.alert.severity = to;
        scene.plan();
        assert!(!scene.reaches_nobody(scene.now + SignedDuration::from_secs(299)), "it is being told");
        scene.answer_for(26 * 60, |_| deferred(DeferCause::Unavailable));
        assert!(scene.reaches_nobody(scene.now));
        let sent = scene.answer_for(10, |_| accepted());
        assert!(
            ["jin raised", "min raised"].iter().all(|to| sent.iter().any(|sent| sent.ends_with(to))),
            "{sent:?}"
        );
        assert!(!scene.reaches_nobody(scene.now));
    }
}

#[test]
fn what_was_raised_and_ended_in_an_outage_is_told_to_those_who_knew_it_as_milder() {
    for to in [Severity::High, Severity::Disaster] {
        let mut scene = Scene::at(Severity::Information).with_people(vec![person("jin", 1), bare("min")]);
        scene.plan();
        scene.answer_for(1, |_| accepted());
        scene.alert.severity = to;
        scene.plan();
        scene.answer_for(10, |_| deferred(DeferCause::Unavailable));
        scene.resolve();
        scene.answer_for(120, |_| deferred(DeferCause::Unavailable));
        let sent = scene.answer_for(60, |_| accepted());
        let missed = |name| sent.iter().filter(|sent| sent.ends_with(&format!("{name} missed"))).count();
        assert_eq!((missed("jin"), missed("min"), sent.len()), (1, 1, 2), "{to}: {sent:?}");
        assert_eq!(scene.answer_for(24 * 60, |_| accepted()), NOTHING);
    }
}

#[test]
fn reminders_go_by_the_road_that_works_again_while_the_other_waits() {
    let mut scene = Scene::raised_to_disaster();
    scene.answer_for(70, |_| deferred(DeferCause::Unreachable));
    let by_push = |send: &Send| if is_push(send) { accepted() } else { deferred(DeferCause::Unavailable) };
    let sent = scene.answer_for(60, by_push);
    assert!(sent.iter().any(|sent| sent.starts_with("push")), "{sent:?}");

    let mut scene = Scene::at(Severity::Disaster).with_people(vec![person("jin", 1), no_phone("min")]);
    scene.plan();
    scene.answer_for(
        70,
        |send| if is_to(send, "min") { accepted() } else { deferred(DeferCause::Unavailable) },
    );
    scene.answer_for(60, by_push);
    assert_eq!(scene.told("jin"), Notified::Yes);
}

#[test]
fn a_road_that_is_added_while_nobody_knows_is_taken() {
    let mut scene = Scene::at(Severity::Average);
    let gateways = std::mem::take(&mut scene.rules.gateways);
    scene.plan();
    scene.answer_for(30, |_| deferred(DeferCause::ProjectFault));
    scene.rules.gateways = gateways;
    let by_text = |send: &Send| if is_push(send) { deferred(DeferCause::ProjectFault) } else { accepted() };
    assert_eq!(texts(&scene.answer_for(10, by_text)), 1);

    let mut scene = Scene::at(Severity::Disaster);
    scene.plan();
    scene.answer(1, rejected(RejectCause::DeviceGone));
    scene.answer_for(30, |_| deferred(DeferCause::Unavailable));
    scene.people[0].devices = person("ara", 1).devices;
    scene.answer_for(12, |send| if is_push(send) { accepted() } else { deferred(DeferCause::Unavailable) });
    assert_eq!(scene.told("jin"), Notified::Yes);
}

#[test]
fn what_only_somebody_who_has_left_knew_is_not_ready_while_nobody_else_does() {
    let mut scene = Scene::at(Severity::Average).with_people(vec![no_phone("jin")]);
    scene.plan();
    scene.answer(1, accepted());
    scene.people = vec![no_phone("kim")];
    scene.plan();
    scene.answer_for(10, |_| deferred(DeferCause::Unavailable));
    assert!(scene.reaches_nobody(scene.now));
    scene.answer_for(10, |_| rejected(RejectCause::Refused));
    assert!(scene.reaches_nobody(scene.now));
    assert_eq!(scene.alert.given_up().count(), 0, "it is tried on");
}

#[test]
fn a_quiet_round_that_stays_is_told_once_whether_as_a_reminder_or_as_new() {
    use crate::alert::{LastRound, Openings};
    let at = |minutes| T0 + SignedDuration::from_mins(minutes);
    let openings = [-24_i64, -18, -12, -6, 0].windows(2).fold(Openings::default(), |openings, pair| {
        let (opened, resolved, severity) = (at(pair[0]), at(pair[0] + 2), Severity::Disaster);
        let last = LastRound { severity, opened, told_at: opened, resolved, heard_as: Some(severity) };
        openings.next(last, at(pair[1]))
    });
    let mut scene = Scene::at(Severity::Disaster);
    assert!(openings.is_quiet(Severity::Disaster));
    scene.alert.openings = openings;
    scene.alert.conversation.repeats = 3;
    scene.alert.conversation.repeat_at = Some(T0 + SignedDuration::from_secs(290));
    scene.plan();
    assert_eq!(scene.answer_for(9, |_| accepted()), ["push 1 jin repeat", "sms 2 jin repeat"]);
}

fn digest(people: Vec<Person>, text: bool) -> Scene {
    use crate::alert::{Counted, Digest, FoldRow, FoldWord, Tier, Unreached};
    let contact = "jin".parse().expect("a name");
    let waiting = Digest { contact, tier: Tier::Ordinary, due_at: T0, counted: None };
    let mut scene = Scene::at(Severity::High).with_people(people);
    scene.alert = Alert::opened_digest(AlertId::new(T0, [7; 10]), waiting, T0);
    scene.alert.count(Counted::of(&[FoldRow {
        alert_id: AlertId::new(T0, [8; 10]),
        word: FoldWord::Fired,
        severity: Severity::High,
        title: "disk full".to_owned(),
        at: T0,
        text,
        missed: false,
        unreached: Unreached::default(),
    }]));
    scene
}

#[test]
fn a_digest_ends_when_whoever_took_the_place_of_its_contact_is_told_or_the_others_that_it_failed() {
    let mut scene = digest(vec![no_phone("jin")], false);
    scene.plan();
    scene.answer_for(30, |_| deferred(DeferCause::Unavailable));
    scene.people = vec![no_phone("min")];
    scene.answer_for(30, |_| accepted());
    assert_eq!((scene.told("min"), scene.alert.is_open()), (Notified::Yes, false));

    let mut scene = digest(vec![bare("jin"), no_phone("min")], true);
    scene.plan();
    scene.answer_for(30, |send| if is_to(send, "jin") { rejected(RejectCause::Refused) } else { accepted() });
    assert!(!scene.alert.is_open());
    assert_eq!(scene.alert.given_up().map(|given_up| given_up.is_told).collect::<Vec<_>>(), [true]);
}

#[test]
fn the_text_of_a_digest_that_stands_for_a_text_goes_on_after_its_push() {
    let mut scene = digest(vec![person("jin", 1)], true);
    assert_eq!(scene.plan(), ["push 1 jin digest", "sms 2 jin digest"]);
    scene.answer(1, accepted());
    scene.answer(2, deferred(DeferCause::Unavailable));
    assert_eq!(scene.pass(11), ["sms 3 jin digest"]);
}

#[test]
fn a_digest_whose_text_does_not_arrive_is_pushed_again() {
    let mut scene = digest(vec![person("jin", 1)], true);
    scene.rules.gateways = gateways_that(1, true, false);
    scene.plan();
    scene.answer(1, deferred(DeferCause::Unavailable));
    scene.answer(2, accepted());
    assert!(!scene.alert.is_open(), "that is enough");
    assert_eq!(scene.pass(600), NOTHING);
    assert_eq!(scene.report(2, Fate::Failed { reason: "30005".into() }), ["push 3 jin digest"]);
    scene.answer_for(30, |_| deferred(DeferCause::Unavailable));
    scene.answer_for(6, |_| accepted());
    assert_eq!((scene.told("jin"), scene.alert.given_up().count()), (Notified::Yes, 0));
}

#[test]
fn a_digest_whose_texts_do_not_arrive_is_tried_until_one_does() {
    let mut scene = digest(vec![bare("jin")], true);
    scene.rules.gateways = gateways_that(2, true, false);
    let undelivered = || Fate::Failed { reason: "30005".into() };
    assert_eq!(scene.plan(), ["sms 1 jin digest"]);
    scene.answer(1, accepted());
    assert_eq!(scene.report(1, undelivered()), ["sms 2 jin digest"]);
    scene.answer(2, accepted());
    assert!(!scene.alert.is_open(), "that is enough");
    scene.report(2, undelivered());
    assert!(scene.alert.is_open(), "it is not");
    let sent = scene.answer_for(6, |_| accepted());
    assert_eq!(texts(&sent), 1, "{sent:?}");
    scene.report(3, Fate::Delivered);
    assert_eq!((scene.told("jin"), scene.alert.is_open()), (Notified::Yes, false));
    assert_eq!(scene.answer_for(60, |_| accepted()), NOTHING);
}

#[test]
fn a_digest_is_tried_on_though_one_text_of_it_got_no_answer_once_that_one_has_failed() {
    let mut scene = digest(vec![bare("jin")], true);
    scene.rules.gateways = gateways_that(2, true, false);
    let undelivered = || Fate::Failed { reason: "30005".into() };
    scene.plan();
    scene.answer(1, unknown());
    assert_eq!(scene.report(1, undelivered()), ["sms 2 jin digest"]);
    scene.answer(2, accepted());
    scene.report(2, undelivered());
    assert!(scene.alert.is_open());
    assert_eq!(texts(&scene.answer_for(6, |_| accepted())), 1);
}

#[test]
fn whom_a_digest_does_not_reach_the_others_are_told_of_once_they_can_be() {
    let mut scene = digest(vec![bare("jin"), bare("min")], true);
    assert_eq!(scene.plan(), ["sms 1 jin digest"]);
    scene.answer_for(30, |_| rejected(RejectCause::Refused));
    assert!(scene.alert.is_open());
    let only_jin = |send: &Send| if is_to(send, "jin") { rejected(RejectCause::Refused) } else { accepted() };
    let sent = scene.answer_for(12, only_jin);
    assert!(sent.iter().any(|sent| sent.ends_with("min unreachable")), "{sent:?}");
    assert_eq!((scene.told("min"), scene.alert.is_open()), (Notified::Yes, false));
}

#[test]
fn a_digest_that_does_not_arrive_is_tried_more_and_more_seldom() {
    let mut scene = digest(vec![bare("jin")], true);
    scene.rules.gateways = gateways_that(1, true, false);
    scene.plan();
    let tries = |scene: &mut Scene, hours: i64| {
        let (end, mut tries) = (scene.now + SignedDuration::from_hours(hours), 0);
        loop {
            while let Some(send) = scene.open.first().cloned() {
                tries += 1;
                scene.answer(send.attempt, accepted());
                scene.report(send.attempt, Fate::Failed { reason: "30005".into() });
            }
            let Some(due) = scene.due.filter(|due| *due <= end) else { break };
            scene.now = due;
            scene.plan();
        }
        scene.now = end;
        tries
    };
    let counts = [1, 23, 24].map(|hours| tries(&mut scene, hours));
    assert!((5..12).contains(&counts[0]) && (25..35).contains(&counts[1]), "{counts:?}");
    assert_eq!(counts[2], 24, "every hour");
}

#[test]
fn whom_only_somebody_who_has_left_was_to_be_told_of_is_tried_on() {
    let mut scene = Scene::at(Severity::High).with_people(vec![bare("jin"), no_phone("min")]);
    scene.plan();
    scene.answer(2, deferred(DeferCause::Unavailable));
    scene.resolve();
    while let Some(send) = scene.open.first().cloned() {
        let outcome = if is_to(&send, "jin") {
            rejected(RejectCause::Refused)
        } else {
            deferred(DeferCause::Unavailable)
        };
        scene.answer(send.attempt, outcome);
    }
    scene.people.retain(|person| person.name.as_str() == "jin");
    scene.plan();
    assert_eq!(scene.alert.given_up().map(|given_up| given_up.is_told).collect::<Vec<_>>(), [false]);
    assert_eq!(texts(&scene.answer_for(6, |_| accepted())), 1);
}

#[test]
fn who_has_left_does_not_know_either_whom_it_did_not_reach() {
    let refused = || rejected(RejectCause::Refused);
    for comes_instead in [false, true] {
        let mut scene = Scene::at(Severity::Average).with_people(vec![bare("jin"), no_phone("min")]);
        scene.rules.always_at = Some(Severity::Average);
        scene.plan();
        scene.answer(2, accepted());
        assert_eq!(scene.answer(1, refused()), ["push 3 min unreachable"]);
        scene.answer(3, accepted());
        scene.people[1] = no_phone("ara");
        if !comes_instead {
            scene.people.truncate(1);
        }
        scene.pass(30);
        scene.resolve();
        while let Some(send) = scene.open.first().cloned() {
            scene.answer(send.attempt, if is_to(&send, "jin") { refused() } else { accepted() });
        }
        let is_told: Vec<_> = scene.alert.given_up().map(|given_up| given_up.is_told).collect();
        assert_eq!(is_told, [comes_instead]);
        if !comes_instead {
            assert_eq!(texts(&scene.answer_for(6, |_| accepted())), 1, "it is tried on");
        }
    }
}

/// Five without the app, whom no gateway reaches, and won, who is told of four of them at once.
fn told_of_four() -> Scene {
    let names = ["ara", "bom", "dal", "jin", "min"];
    let people = names.map(bare).into_iter().chain([no_phone("won")]);
    let mut scene = Scene::at(Severity::High).with_people(people.collect());
    scene.plan();
    while let Some(send) = scene.open.first().cloned() {
        let outcome = if is_to(&send, "won") { accepted() } else { rejected(RejectCause::Refused) };
        scene.answer(send.attempt, outcome);
    }
    scene.pass(30);
    scene
}

/// Whom the messages to won that are under way call out of reach.
fn said_to_won(scene: &Scene) -> Vec<String> {
    let won = &scene.alert.progress.contacts[&scene.people.last().expect("there").name];
    let under_way = won.notifications.iter().filter(|one| !one.replaced);
    let unreached = under_way.map(|one| one.subject.unreached()).filter(|unreached| !unreached.is_empty());
    unreached.map(|unreached| unreached.to_string()).collect()
}

#[test]
fn whom_a_message_that_failed_only_counted_are_not_told_of_either() {
    let mut scene = told_of_four();
    assert_eq!(said_to_won(&scene), ["bom, dal, jin +1"]);
    while let Some(send) = scene.open.first().cloned() {
        scene.answer(send.attempt, rejected(RejectCause::Refused));
    }
    let is_told = scene.alert.given_up().map(|one| one.is_told);
    assert!(is_told.skip(1).all(|is_told| !is_told), "{:?}", scene.alert.progress.contacts);
}

#[test]
fn a_message_about_others_counts_nobody_twice_and_nobody_who_has_left_or_was_reached() {
    let mut scene = told_of_four();
    assert_eq!(said_to_won(&scene), ["bom, dal, jin +1"]);
    while let Some(send) = scene.open.first().cloned() {
        scene.answer(send.attempt, deferred(DeferCause::Unavailable));
    }
    scene.people.remove(1);
    scene.pass(60);
    assert_eq!(said_to_won(&scene), ["ara, dal, jin +1"]);
    let end = scene.hours(1);
    while scene.now < end && !said_to_won(&scene).is_empty() {
        while let Some(send) = scene.open.first().cloned() {
            let outcome = if is_to(&send, "won") { deferred(DeferCause::Unavailable) } else { accepted() };
            scene.answer(send.attempt, outcome);
        }
        scene.pass(60);
    }
    assert!(scene.alert.progress.contacts.values().all(crate::alert::ContactProgress::has_heard));
    assert!(scene.now < end, "it is called off");
}

#[test]
fn what_became_milder_before_it_was_over_is_texted_as_what_it_was() {
    let mut scene = Scene::at(Severity::High).with_people(vec![bare("jin")]);
    scene.rules.fallback_at = Some(Severity::High);
    assert_eq!(scene.plan(), ["sms 1 jin"]);
    scene.answer(1, deferred(DeferCause::Unavailable));
    scene.alert.severity = Severity::Warning;
    scene.plan();
    assert_eq!(scene.resolve(), ["sms 2 jin missed"]);

    let mut scene = Scene::at(Severity::High).with_people(vec![bare("jin"), bare("min")]);
    scene.rules.fallback_at = Some(Severity::High);
    scene.plan();
    scene.answer(2, accepted());
    scene.alert.severity = Severity::Warning;
    scene.plan();
    assert_eq!(scene.answer(1, rejected(RejectCause::Recipient)), ["sms 3 min unreachable"]);
}

#[test]
fn a_digest_that_somebody_has_is_not_tried_again() {
    let mut scene = digest(vec![bare("jin")], true);
    scene.rules.gateways = gateways_that(1, true, false);
    scene.alert.close_at = scene.hours(24);
    scene.plan();
    scene.acknowledge();
    scene.answer(1, accepted());
    scene.report(1, Fate::Failed { reason: "30005".into() });
    assert_eq!((scene.alert.state, scene.due), (AlertState::Acknowledged, Some(scene.alert.close_at)));
}

#[test]
fn what_was_over_before_anybody_heard_of_it_is_tried_for_a_day_also_where_it_is_refused() {
    let mut scene = Scene::at(Severity::High).with_people(vec![bare("jin")]);
    scene.plan();
    scene.answer(1, rejected(RejectCause::Refused));
    assert_eq!(scene.resolve(), ["sms 2 jin missed"]);
    scene.answer_for(30, |_| rejected(RejectCause::Refused));
    assert_eq!(scene.alert.given_up().count(), 1, "it is shown all the same");
    assert_eq!(texts(&scene.answer_for(12, |_| accepted())), 1, "more and more seldom");
    assert_eq!((scene.told("jin"), scene.alert.given_up().count()), (Notified::Yes, 0));
    assert_eq!(scene.answer_for(60, |_| accepted()), NOTHING);

    let mut scene = Scene::at(Severity::High).with_people(vec![bare("jin")]);
    scene.plan();
    scene.answer(1, rejected(RejectCause::Refused));
    scene.resolve();
    scene.answer_for(25 * 60, |_| rejected(RejectCause::Refused));
    assert_eq!((scene.due, scene.alert.given_up().count()), (None, 1));

    let mut scene = Scene::at(Severity::High).with_people(vec![bare("jin")]);
    scene.alert.kind = Kind::Occurrence;
    scene.plan();
    scene.answer(1, rejected(RejectCause::Refused));
    scene.resolve();
    scene.answer_for(30, |_| rejected(RejectCause::Refused));
    assert_eq!(texts(&scene.answer_for(12, |_| accepted())), 1, "what merely happened, too");

    let mut scene = Scene::at(Severity::High).with_people(vec![bare("jin"), no_phone("min")]);
    scene.plan();
    scene.answer(1, rejected(RejectCause::Refused));
    scene.resolve();
    let is_told = |send: &Send| if is_to(send, "jin") { rejected(RejectCause::Refused) } else { accepted() };
    scene.answer_for(10, is_told);
    assert_eq!(scene.due, None, "min knows");
}

#[test]
fn a_digest_whose_text_does_not_arrive_is_pushed_while_the_next_gateway_is_down() {
    let mut scene = digest(vec![person("jin", 1)], true);
    scene.rules.gateways = gateways_that(2, true, false);
    scene.plan();
    scene.answer(1, deferred(DeferCause::Unavailable));
    scene.answer(2, accepted());
    let sent = scene.report(2, Fate::Failed { reason: "30005".into() });
    assert_eq!(sent, ["push 3 jin digest", "sms 4 jin digest"]);
    scene.answer(3, accepted());
    scene.answer_for(30, |_| deferred(DeferCause::Unavailable));
    assert_eq!((scene.told("jin"), scene.alert.given_up().count()), (Notified::Yes, 0));
}

#[test]
fn whose_lost_text_turns_out_to_have_arrived_after_the_end_is_told_of_the_end() {
    let mut scene = Scene::at(Severity::High).with_people(vec![bare("jin")]);
    (scene.rules.gateways, scene.rules.texts_resolved) = (gateways_that(1, false, true), true);
    scene.plan();
    scene.answer(1, unknown());
    scene.now += SignedDuration::from_secs(30);
    assert_eq!(scene.resolve(), NOTHING);
    scene.pass(20);
    assert_eq!(scene.report(1, Fate::Taken), ["sms 2 jin resolved"]);
}

#[test]
fn what_was_not_begun_is_begun_as_if_it_had_not_been_planned() {
    let mut scene = Scene::at(Severity::Disaster).with_people(vec![person("jin", 1), bare("min")]);
    assert_eq!(scene.plan(), ["push 1 jin", "sms 2 jin", "sms 3 min"]);
    let sends = std::mem::take(&mut scene.open);
    scene.texts.clear();
    assert_eq!(take_back_begun(&mut scene.alert, &sends).map(|given_back| given_back.len()), Some(3));
    assert_eq!(take_back_begun(&mut scene.alert, &sends), None);
    assert_eq!(scene.acknowledge(), ["push 4 jin", "sms 5 jin", "sms 6 min"], "the first ones still go");
    scene.answer(4, accepted());
    scene.answer(5, accepted());
    scene.answer(6, accepted());
    assert_eq!((scene.told("jin"), scene.told("min")), (Notified::Yes, Notified::Yes));
}

#[test]
fn what_is_news_to_whoever_has_the_alert_is_tried_until_it_is_told() {
    let mut scene = Scene::at(Severity::Warning).with_people(vec![person("jin", 1), no_phone("min")]);
    scene.plan();
    scene.answer(1, accepted());
    scene.answer(2, accepted());
    scene.now += SignedDuration::from_secs(60);
    scene.acknowledge();
    scene.now += SignedDuration::from_secs(60);
    scene.alert.severity = Severity::High;
    assert_eq!(scene.plan(), ["push 3 jin raised", "push 4 min raised"]);
    let down = deferred(DeferCause::Unavailable);
    scene.answer(3, down.clone());
    scene.answer(4, down.clone());
    assert!(0 < texts(&scene.answer_for(2, |_| down.clone())), "where no push is accepted");
    let sent = scene.answer_for(10, |_| accepted());
    assert!(sent.iter().any(|sent| sent.ends_with("min raised")), "{sent:?}");
    assert_eq!(scene.answer_for(120, |_| accepted()), NOTHING, "once, and no reminders");

    let mut scene = Scene::at(Severity::Warning).with_people(vec![no_phone("jin")]);
    scene.plan();
    scene.answer(1, accepted());
    scene.now += SignedDuration::from_secs(60);
    scene.acknowledge();
    scene.now += SignedDuration::from_secs(60);
    scene.alert.severity = Severity::High;
    scene.plan();
    scene.answer_for(90, |_| down.clone());
    assert!(scene.reaches_nobody(scene.now), "or it is shown");
}

#[test]
fn what_opens_acknowledged_is_pushed_until_it_is_taken_and_not_texted() {
    let mut scene = Scene::at(Severity::Disaster);
    scene.alert.state = AlertState::Acknowledged;
    scene.alert.conversation.acknowledged = Some(Acknowledgement {
        by: "monitor".into(),
        at: scene.now,
        since: scene.now,
        severity: Severity::Disaster,
        by_sender: true,
    });
    assert_eq!(scene.plan(), ["push 1 jin"]);
    let sent = scene.answer_for(5, |_| deferred(DeferCause::Unavailable));
    assert!(!sent.is_empty() && texts(&sent) == 0, "{sent:?}");
    let sent = scene.answer_for(10, |_| accepted());
    assert_eq!((sent.len(), scene.told("jin")), (1, Notified::Yes));
}

#[test]
fn a_raise_that_was_taken_in_the_same_breath_is_held() {
    let mut scene = Scene::at(Severity::Average).with_people(vec![person("jin", 1), bare("min")]);
    scene.plan();
    scene.answer(1, accepted());
    scene.answer(2, accepted());
    scene.alert.severity = Severity::High;
    scene.alert.state = AlertState::Acknowledged;
    scene.alert.conversation.acknowledged = Some(Acknowledgement {
        by: "jin".into(),
        at: scene.now,
        since: scene.now,
        severity: Severity::High,
        by_sender: true,
    });
    scene.now += SignedDuration::from_secs(1);
    assert_eq!(scene.plan(), ["push 3 jin raised"]);
    scene.answer(3, deferred(DeferCause::Unavailable));
    assert_eq!(scene.pass(600), NOTHING);
}

#[test]
fn whoever_takes_the_place_of_one_who_was_still_being_told_is_told_though_another_knows() {
    let mut scene = Scene::at(Severity::Average).with_people(vec![bare("jin"), no_phone("min")]);
    assert_eq!(scene.plan(), ["sms 1 jin", "push 2 min"]);
    scene.answer(2, accepted());
    scene.answer(1, deferred(DeferCause::Unavailable));
    scene.now += SignedDuration::from_secs(5);
    scene.started = scene.now;
    scene.people = vec![bare("jinny"), no_phone("min")];
    let sent = scene.answer_all(scene.hours(1), &accepted());
    assert_eq!(sent, ["sms 3 jinny"]);
}

#[test]
fn whoever_takes_the_place_of_one_whose_text_did_not_arrive_is_told_also_of_what_is_over() {
    for (ends, told) in [(false, "sms 3 jinny"), (true, "sms 4 jinny missed")] {
        let mut scene = Scene::at(Severity::Average).with_people(vec![bare("jin"), no_phone("min")]);
        scene.rules.gateways = gateways_that(2, true, false);
        assert_eq!(scene.plan(), ["sms 1 jin", "push 2 min"]);
        scene.answer(1, accepted());
        scene.answer(2, accepted());
        if ends {
            assert_eq!(scene.resolve(), ["push 3 min resolved"]);
            scene.answer(3, accepted());
        }
        scene.now += SignedDuration::from_secs(5);
        scene.started = scene.now;
        scene.people = vec![bare("jinny"), no_phone("min")];
        assert_eq!(scene.report(1, Fate::Failed { reason: "30005".into() }), [told]);
        scene.answer_all(scene.now, &accepted());
        assert_eq!(scene.pass(600), NOTHING);
    }
}

#[test]
fn what_says_both_is_texted_twice_at_most_however_its_start_is_found_and_lost() {
    let mut scene = Scene::at(Severity::High).with_people(vec![bare("jin"), no_phone("min")]);
    scene.rules.gateways = gateways_that(1, true, false);
    scene.rules.texts_resolved = true;
    scene.plan();
    scene.answer(1, unknown());
    scene.answer(2, accepted());
    assert_eq!(scene.resolve(), ["push 3 min resolved"]);
    scene.answer(3, accepted());
    assert_eq!(scene.pass(60), ["sms 4 jin missed"]);
    assert_eq!(scene.report(1, Fate::Taken), NOTHING);
    assert_eq!(scene.report(1, Fate::Failed { reason: "30005".into() }), NOTHING);
    assert_eq!(scene.answer(4, unknown()), NOTHING);
    assert_eq!(scene.pass(60), ["sms 5 jin missed"]);
    scene.answer(5, unknown());
    let sent = scene.answer_all(scene.hours(1), &unknown());
    assert_eq!(texts(&sent), 0, "{sent:?}");
}

#[test]
fn whoever_takes_the_place_of_another_is_not_told_of_what_is_over_and_somebody_had() {
    let mut scene = Scene::at(Severity::High).with_people(vec![bare("jin"), no_phone("min")]);
    scene.rules.gateways = gateways_that(1, true, false);
    scene.plan();
    scene.answer(2, accepted());
    scene.answer(1, accepted());
    scene.acknowledge();
    scene.resolve();
    scene.answer_all(scene.now, &accepted());
    scene.people = vec![bare("kim"), no_phone("min")];
    assert_eq!(scene.report(1, Fate::Failed { reason: "30005".into() }), NOTHING);
}
