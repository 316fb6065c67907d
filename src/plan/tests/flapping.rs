//! What comes and goes: who was told of the last round that was told, and what becomes of what is not quiet any more.

use super::*;
use crate::alert::{LastRound, Openings};

fn bare(name: &str) -> Person {
    Person { devices: Vec::new(), ..person(name, 0) }
}

fn no_phone(name: &str) -> Person {
    Person { phone: None, ..person(name, 1) }
}

/// Opens every six minutes, the last time now; those before were as severe, and heard of.
fn openings(scene: &Scene, rounds: i64, severity: Severity) -> Openings {
    let at = |minutes| scene.now + SignedDuration::from_mins(minutes);
    (1..rounds).fold(Openings::default(), |openings, round| {
        let (opened, resolved) = (at(6 * (round - rounds)), at(6 * (round - rounds) + 2));
        openings.next(
            LastRound { severity, opened, told_at: opened, resolved, heard_as: Some(severity) },
            opened + SignedDuration::from_mins(6),
        )
    })
}

/// The fifth round: it was told by the fourth that it flaps.
fn quiet(severity: Severity, worst: Severity) -> Scene {
    let mut scene = Scene::at(severity);
    scene.alert.openings = openings(&scene, 5, worst);
    assert!(scene.alert.openings.is_quiet(severity));
    scene.alert.conversation.repeats = 3;
    scene.alert.conversation.repeat_at = Some(T0 + SignedDuration::from_secs(60));
    assert_eq!(scene.plan(), NOTHING);
    scene
}

#[test]
fn a_raise_in_a_quiet_round_is_news_though_a_reminder_was_heard() {
    for worst in [Severity::High, Severity::Disaster] {
        let mut scene = quiet(Severity::High, worst);
        assert_eq!(scene.pass(60), ["push 1 jin repeat", "sms 2 jin repeat"]);
        scene.answer(1, accepted());
        scene.answer(2, accepted());
        scene.now += SignedDuration::from_secs(60);
        scene.alert.severity = Severity::Disaster;
        let mut sent = scene.plan();
        if worst == Severity::Disaster {
            assert_eq!(sent, NOTHING, "they know that it has been one");
            sent = scene.pass(200);
        }
        assert_eq!(sent, ["push 3 jin raised", "sms 4 jin raised"], "{worst}");
    }
}

#[test]
fn a_raise_in_a_quiet_round_that_is_over_before_it_is_planned_is_told_as_over() {
    for (worst, told) in [(Severity::High, "missed"), (Severity::Disaster, "resolved")] {
        let mut scene = quiet(Severity::High, worst);
        assert_eq!(scene.pass(60), ["push 1 jin repeat", "sms 2 jin repeat"]);
        scene.answer(1, accepted());
        scene.answer(2, accepted());
        scene.alert.severity = Severity::Disaster;
        assert_eq!(scene.resolve(), NOTHING, "it may come back");
        assert_eq!(scene.pass(300)[0], format!("push 3 jin {told}"), "{worst}");
    }
}

#[test]
fn what_flaps_is_news_again_once_all_who_heard_so_have_left() {
    for (who, is_news) in [("jin", false), ("ara", true)] {
        let mut scene = quiet(Severity::Average, Severity::Average);
        scene.alert.openings.note_heard_by(std::iter::once(who.parse().expect("a name")));
        assert_eq!(!scene.plan().is_empty(), is_news, "{who}");
    }
}

/// The fourth round, which tells that it flaps, is over; min hears of it by push.
fn fourth_round_is_over(jin: Person) -> Scene {
    let mut scene = Scene::at(Severity::Average).with_people(vec![jin, no_phone("min")]);
    scene.rules.gateways = gateways_that(2, true, false);
    scene.alert.openings = openings(&scene, 4, Severity::Average);
    scene.plan();
    scene.answer(2, accepted());
    scene
}

fn come_back(scene: &mut Scene) {
    scene.now += SignedDuration::from_secs(60);
    scene.alert.openings.superseded = Some(Successor::IsQuiet);
}

#[test]
fn whose_text_turns_out_not_to_have_arrived_when_the_next_round_has_begun_is_told() {
    for is_planned_between in [false, true] {
        let mut scene = fourth_round_is_over(bare("jin"));
        scene.answer(1, accepted());
        scene.resolve();
        let failed = Fate::Failed { reason: "30005".into() };
        let sent = if is_planned_between {
            scene.pass(30);
            come_back(&mut scene);
            scene.report(1, failed)
        } else {
            come_back(&mut scene);
            let report = Report { attempt: 1, at: scene.now, fate: failed };
            scene.alert.progress.take_report(&report);
            scene.reported.push(report);
            scene.plan()
        };
        assert_eq!(sent, ["sms 3 jin missed"], "{is_planned_between}");
        assert_eq!(scene.alert.given_up().count(), 0);
    }
}

#[test]
fn whoever_is_not_reached_while_it_may_come_back_is_told_of() {
    let mut scene = fourth_round_is_over(no_phone("jin"));
    scene.resolve();
    assert_eq!(scene.answer(1, rejected(RejectCause::Refused)), ["push 3 min unreachable"]);
    scene.answer(3, accepted());
    come_back(&mut scene);
    assert_eq!(scene.plan(), NOTHING);
    assert_eq!(scene.alert.given_up().map(|given_up| given_up.is_told).collect::<Vec<_>>(), [true]);

    let mut scene = fourth_round_is_over(no_phone("jin"));
    scene.resolve();
    scene.answer(1, rejected(RejectCause::Refused));
    let sent = scene.answer_all(scene.now + SignedDuration::from_mins(6), &accepted());
    assert!(sent.iter().any(|sent| sent.ends_with("jin missed")), "it stays away: {sent:?}");
}

#[test]
fn whoever_is_still_being_told_when_a_text_of_another_turns_out_to_be_lost_is_told_all_the_same() {
    let mut scene = Scene::at(Severity::Average).with_people(vec![bare("jin"), bare("min")]);
    scene.rules.gateways = gateways_that(1, true, false);
    scene.alert.openings = openings(&scene, 6, Severity::Average);
    scene.alert.openings = unheard(&scene.alert.openings);
    scene.plan();
    scene.answer(1, accepted());
    scene.answer(2, deferred(DeferCause::Unavailable));
    scene.resolve();
    come_back(&mut scene);
    assert_eq!(scene.plan(), ["sms 3 min"]);
    scene.answer(3, deferred(DeferCause::Unavailable));
    scene.report(1, Fate::Failed { reason: "30005".into() });
    let sent = scene.answer_all(scene.now + SignedDuration::from_mins(10), &accepted());
    assert!(sent.iter().any(|sent| sent.ends_with("min")), "{sent:?}");
    assert_eq!(scene.told("min"), Notified::Yes);
}

/// The same, but that nobody has heard so far.
fn unheard(openings: &Openings) -> Openings {
    let stored = serde_json::to_value(openings).expect("they are JSON");
    let mut stored = stored.as_object().expect("an object").clone();
    for known in ["told", "worst"] {
        stored.remove(known);
    }
    serde_json::from_value(stored.into()).expect("as they were")
}

#[test]
fn nobody_can_be_tried_anew_while_nothing_would_begin() {
    let mut scene = fourth_round_is_over(no_phone("jin"));
    scene.answer(1, rejected(RejectCause::Refused));
    scene.answer_all(scene.now, &accepted());
    let (jin, can_try) =
        ("jin".parse::<ContactName>().expect("a name"), |scene: &Scene, jin: &ContactName| {
            can_try_anew(&scene.alert, jin, &scene.people, scene.now)
        });
    assert!(can_try(&scene, &jin));
    scene.resolve();
    assert!(!can_try(&scene, &jin), "it may come back");
    scene.pass(301);
    assert!(can_try(&scene, &jin));
}

#[test]
fn what_somebody_has_is_not_texted_when_its_round_is_over() {
    for comes_back in [false, true] {
        let mut scene = Scene::at(Severity::Disaster).with_people(vec![person("jin", 1), bare("min")]);
        scene.alert.openings = openings(&scene, 4, Severity::Disaster);
        let taken = scene.now - SignedDuration::from_mins(9);
        scene.alert.state = AlertState::Acknowledged;
        scene.alert.conversation.acknowledged = Some(Acknowledgement {
            by: "jin".into(),
            at: taken,
            since: taken,
            severity: Severity::Disaster,
            by_sender: false,
        });
        assert_eq!(scene.plan(), ["push 1 jin"]);
        scene.answer(1, deferred(DeferCause::Unavailable));
        if comes_back {
            come_back(&mut scene);
        }
        assert_eq!(scene.resolve(), NOTHING);
        assert_eq!(scene.pass(60), NOTHING);
        assert_eq!(scene.alert.given_up().count(), 0);
    }
}

#[test]
fn a_graver_round_that_nobody_heard_of_is_told_though_the_next_one_is_quiet() {
    let mut scene = Scene::at(Severity::High).with_people(vec![no_phone("jin")]);
    scene.alert.openings = openings(&scene, 5, Severity::Average);
    assert!(!scene.alert.openings.is_quiet(Severity::High));
    scene.plan();
    scene.answer(1, deferred(DeferCause::Unavailable));
    scene.resolve();
    come_back(&mut scene);
    scene.plan();
    let end = scene.now + SignedDuration::from_mins(10);
    scene.answer_all(end, &accepted());
    assert_eq!(scene.told("jin"), Notified::Yes);
}

#[test]
fn whoever_takes_the_place_of_those_who_missed_a_graver_round_is_told_of_it() {
    for leaves_before in [true, false] {
        let mut scene = Scene::at(Severity::High).with_people(vec![no_phone("jin")]);
        scene.alert.openings = openings(&scene, 5, Severity::Average);
        scene.plan();
        scene.answer(1, deferred(DeferCause::Unavailable));
        scene.resolve();
        come_back(&mut scene);
        if leaves_before {
            scene.people = vec![no_phone("min")];
            assert_eq!(scene.plan(), ["push 2 min missed"]);
        } else {
            assert_eq!(scene.plan(), ["push 2 jin"]);
            scene.answer(2, deferred(DeferCause::Unavailable));
            scene.people = vec![no_phone("min")];
            assert_eq!(scene.plan(), ["push 3 min missed"]);
        }
    }
}

#[test]
fn whose_only_text_did_not_arrive_is_told_though_the_next_round_is_quiet() {
    let mut scene = Scene::at(Severity::Average).with_people(vec![bare("jin")]);
    scene.rules.gateways = gateways_that(2, true, false);
    scene.alert.openings = openings(&scene, 5, Severity::Average);
    scene.alert.openings = unheard(&scene.alert.openings);
    scene.plan();
    scene.answer(1, accepted());
    scene.resolve();
    come_back(&mut scene);
    assert_eq!(scene.report(1, Fate::Failed { reason: "30005".into() }), ["sms 2 jin missed"]);
}

#[test]
fn what_the_next_round_tells_is_told_by_it_alone_and_is_no_failure() {
    let mut scene = fourth_round_is_over(bare("jin"));
    scene.answer(1, deferred(DeferCause::Unavailable));
    scene.resolve();
    come_back(&mut scene);
    scene.alert.openings.superseded = Some(Successor::Tells);
    assert_eq!(scene.plan(), NOTHING);
    let sent = scene.answer_all(scene.now + SignedDuration::from_mins(10), &accepted());
    assert_eq!((sent.len(), scene.alert.given_up().count()), (0, 0), "{sent:?}");
}

#[test]
fn whose_text_did_not_arrive_is_told_once_when_it_stays_away() {
    let mut scene = Scene::at(Severity::Average).with_people(vec![bare("jin")]);
    (scene.rules.gateways, scene.rules.texts_resolved) = (gateways_that(2, true, false), true);
    scene.alert.openings = openings(&scene, 4, Severity::Average);
    scene.plan();
    scene.answer(1, accepted());
    scene.resolve();
    assert_eq!(scene.report(1, Fate::Failed { reason: "30005".into() }), NOTHING, "it may come back");
    let sent = scene.answer_all(scene.now + SignedDuration::from_mins(10), &accepted());
    assert_eq!(sent, ["sms 2 jin missed"]);
}

/// It flaps at high, and jin took the round before this one, which is as severe as that.
fn taken(severity: Severity) -> Scene {
    let mut scene = Scene::at(severity).with_people(vec![no_phone("jin"), no_phone("min")]);
    scene.alert.openings = openings(&scene, 5, Severity::High);
    scene.alert.state = AlertState::Acknowledged;
    let at = scene.now - SignedDuration::from_mins(3);
    scene.alert.conversation.acknowledged =
        Some(Acknowledgement { by: "jin".into(), at, since: at, severity: Severity::High, by_sender: false });
    scene
}

#[test]
fn a_graver_round_of_what_somebody_has_is_told_though_the_next_one_is_quiet() {
    let mut scene = taken(Severity::Disaster);
    scene.plan();
    scene.answer(1, deferred(DeferCause::Unavailable));
    scene.answer(2, deferred(DeferCause::Unavailable));
    scene.resolve();
    come_back(&mut scene);
    scene.plan();
    scene.answer_all(scene.now + SignedDuration::from_mins(10), &accepted());
    assert_eq!((scene.told("jin"), scene.told("min")), (Notified::Yes, Notified::Yes));
}

#[test]
fn how_a_quiet_round_stands_is_no_news_to_whoever_took_it() {
    let mut scene = taken(Severity::High);
    assert_eq!(scene.plan(), NOTHING, "it is quiet");
    scene.now += SignedDuration::from_secs(120);
    scene.acknowledge();
    scene.now += SignedDuration::from_secs(181);
    assert_eq!(scene.plan(), ["push 1 jin", "push 2 min"]);
    scene.answer(1, accepted());
    scene.answer(2, rejected(RejectCause::Refused));
    assert_eq!(scene.pass(600), NOTHING);
    assert_eq!(scene.alert.given_up().count(), 0);
}

#[test]
fn a_disaster_that_was_taken_in_a_quiet_round_is_pushed_and_not_texted_when_it_is_stable() {
    let mut scene = quiet(Severity::Disaster, Severity::Disaster);
    assert_eq!(scene.acknowledge(), NOTHING);
    assert_eq!(scene.pass(300), ["push 1 jin"]);
    assert_eq!(scene.answer(1, rejected(RejectCause::DeviceGone)), NOTHING);
    assert_eq!(scene.pass(600), NOTHING);
}

#[test]
fn what_is_taken_after_a_round_was_told_to_be_stable_holds_its_retries() {
    let mut scene = quiet(Severity::High, Severity::High);
    assert_eq!(scene.pass(300), ["push 1 jin"]);
    scene.answer(1, deferred(DeferCause::Unavailable));
    scene.acknowledge();
    assert_eq!(scene.pass(600), NOTHING);
}

#[test]
fn whose_reminder_in_a_quiet_round_did_not_arrive_is_told() {
    let mut scene = quiet(Severity::High, Severity::High);
    scene.people = vec![bare("jin")];
    scene.rules.gateways = gateways_that(2, true, false);
    assert_eq!(scene.pass(60), ["sms 1 jin repeat"]);
    scene.answer(1, accepted());
    scene.resolve();
    come_back(&mut scene);
    scene.plan();
    assert_eq!(scene.report(1, Fate::Failed { reason: "30005".into() }), ["sms 2 jin missed"]);
    scene.answer(2, accepted());
    assert_eq!(scene.told("jin"), Notified::Yes);
}

#[test]
fn a_raise_after_it_was_taken_as_milder_than_it_flapped_is_tried_until_it_is_told() {
    let mut scene = quiet(Severity::Warning, Severity::High);
    scene.people = vec![no_phone("jin")];
    assert_eq!(scene.pass(300), ["push 1 jin"]);
    scene.answer(1, accepted());
    scene.acknowledge();
    scene.alert.severity = Severity::High;
    assert_eq!(scene.plan(), ["push 2 jin raised"]);
    scene.answer(2, deferred(DeferCause::Unavailable));
    assert_eq!(scene.pass(60), ["push 3 jin raised"]);
}

#[test]
fn what_is_given_back_in_a_quiet_round_is_told_to_everybody() {
    let mut scene = quiet(Severity::Average, Severity::Average);
    scene.people = vec![no_phone("jin"), bare("min")];
    scene.acknowledge();
    assert_eq!(scene.give_back(), ["push 1 jin", "sms 2 min"]);
}

#[test]
fn whom_a_text_of_a_superseded_round_did_not_reach_is_told_by_the_next_one_alone() {
    for is_let_go in [false, true] {
        let mut scene = Scene::at(Severity::Average).with_people(vec![bare("min")]);
        scene.rules.gateways = gateways_that(2, true, false);
        scene.plan();
        scene.answer(1, accepted());
        scene.now += SignedDuration::from_mins(10);
        scene.alert.openings.superseded = Some(Successor::Tells);
        scene.alert.state = AlertState::Resolved;
        scene.alert.resolved =
            Some(Resolution { by: ResolvedBy::Superseded, at: scene.now, note: None, ended_at: None });
        if is_let_go {
            assert_eq!(scene.plan(), NOTHING);
            scene.now += SignedDuration::from_mins(10);
        }
        assert_eq!(scene.report(1, Fate::Failed { reason: "30005".into() }), NOTHING);
    }
}

#[test]
fn a_graver_round_that_was_over_before_it_was_planned_is_told_though_the_next_one_is_quiet() {
    let mut scene = Scene::at(Severity::Disaster).with_people(vec![no_phone("jin"), bare("min")]);
    scene.alert.openings = openings(&scene, 5, Severity::High);
    assert_eq!(scene.resolve(), NOTHING, "it may come back");
    come_back(&mut scene);
    assert_eq!(scene.plan(), ["push 1 jin missed", "sms 2 min missed"]);
}

#[test]
fn what_was_graver_than_what_took_its_place_before_it_was_planned_is_told_as_over() {
    let mut scene = Scene::at(Severity::Disaster).with_people(vec![no_phone("jin")]);
    scene.alert.openings.superseded = Some(Successor::IsQuiet);
    assert_eq!(scene.resolve(), ["push 1 jin missed"]);
    scene.answer(1, rejected(RejectCause::Refused));
    assert!(can_try_anew(&scene.alert, &scene.people[0].name, &scene.people, scene.now));
    assert_eq!(scene.pass(300), ["push 2 jin missed"]);
    scene.answer(2, accepted());
    assert_eq!(scene.pass(600), NOTHING);
}

#[test]
fn whose_text_of_a_graver_round_did_not_arrive_is_told_though_somebody_had_the_one_before() {
    let mut scene = taken(Severity::Disaster);
    scene.people = vec![no_phone("jin"), bare("min")];
    scene.rules.gateways = gateways_that(1, true, false);
    scene.plan();
    scene.answer(1, accepted());
    scene.answer(2, accepted());
    scene.resolve();
    assert_eq!(scene.report(2, Fate::Failed { reason: "30005".into() }), NOTHING);
    come_back(&mut scene);
    assert_eq!(scene.plan(), ["sms 3 min missed"]);
}
