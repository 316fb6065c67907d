//! What follows from what gateways say after a text was handed over.

use super::*;

fn failed() -> Fate {
    Fate::Failed { reason: "30005".into() }
}

/// jin has a phone and no device, min has a device; so many gateways.
fn scene(gateways: Vec<GatewayRule>) -> Scene {
    let mut scene = Scene::at(Severity::High).with_people(vec![person("jin", 0), person("min", 1)]);
    scene.rules.gateways = gateways;
    assert_eq!(scene.plan(), ["sms 1 jin", "push 2 min"]);
    assert_eq!(scene.answer(2, accepted()), NOTHING);
    scene
}

/// What the journal says about reports, such as `1 delivered`.
fn reported(scene: &Scene) -> Vec<String> {
    let entry = |row: &Row| {
        let Entry::Reported { attempt, fate, .. } = &row.entry else { return None };
        Some(format!("{attempt} {}", fate.as_str()))
    };
    scene.alert.rows.iter().filter_map(entry).collect()
}

#[test]
fn a_delivered_text_ends_the_matter() {
    let mut scene = scene(gateways_that(1, true, false));
    assert_eq!(scene.answer(1, accepted()), NOTHING);
    assert_eq!(scene.report(1, Fate::Taken), NOTHING, "it was taken before");
    assert_eq!(scene.report(1, Fate::Delivered), NOTHING);
    assert_eq!(scene.report(1, failed()), NOTHING, "too late");
    assert_eq!(reported(&scene), ["1 delivered"]);
    assert_eq!(scene.told("jin"), Notified::Yes);
}

#[test]
fn a_text_that_does_not_arrive_goes_to_each_gateway_once_and_then_the_others_are_told() {
    let mut scene = scene(gateways_that(2, true, false));
    assert_eq!(scene.answer(1, accepted()), NOTHING);
    assert_eq!(scene.report(1, failed()), ["sms 3 jin"]);
    assert_eq!(scene.open[0].address, gateway(1));
    assert_eq!(scene.told("jin"), Notified::No);
    assert_eq!(scene.answer(3, accepted()), NOTHING);
    assert_eq!(scene.told("jin"), Notified::Yes);
    assert_eq!(scene.report(3, failed()), ["push 4 min unreachable"]);
    assert_eq!(scene.told("jin"), Notified::No);
    scene.answer(4, accepted());
    assert!(scene.journal().contains("not delivered: 30005"), "{}", scene.journal());
    assert_eq!(scene.pass(600), NOTHING, "no gateway gets it a second time");
}

#[test]
fn a_gateway_that_failed_to_deliver_is_passed_over_by_the_next_pauses() {
    let mut scene = scene(gateways_that(3, true, false));
    scene.answer(1, accepted());
    assert_eq!(scene.report(1, failed()), ["sms 3 jin"]);
    assert_eq!(scene.answer(3, deferred(DeferCause::Unavailable)), ["sms 4 jin"]);
    assert_eq!(scene.open[0].address, gateway(2));
    assert_eq!(scene.answer(4, deferred(DeferCause::Unavailable)), NOTHING);
    assert_eq!(scene.pass(10), ["sms 5 jin"]);
    assert_eq!(scene.open[0].address, gateway(1), "not the first again");
}

#[test]
fn a_report_that_overtakes_its_answer_waits_for_it() {
    for (answer, fate, then) in [
        (accepted(), failed(), vec!["sms 3 jin"]),
        (accepted(), Fate::Delivered, vec![]),
        (unknown(), failed(), vec!["sms 3 jin"]),
        (unknown(), Fate::Taken, vec![]),
        (deferred(DeferCause::Unavailable), Fate::Delivered, vec![]),
        (rejected(RejectCause::Recipient), failed(), vec!["sms 3 jin"]),
    ] {
        let mut scene = scene(gateways_that(2, true, false));
        assert_eq!(scene.report(1, fate.clone()), NOTHING, "{answer:?} after {fate:?}");
        assert_eq!(scene.answer(1, answer.clone()), then, "{answer:?} after {fate:?}");
        assert_eq!(scene.pass(61).len(), 0, "and no more: {answer:?} after {fate:?}");
    }
}

#[test]
fn a_text_without_an_answer_is_not_sent_again_if_the_gateway_reports_it() {
    for fate in [Fate::Taken, Fate::Delivered] {
        let mut scene = scene(gateways_that(1, true, false));
        assert_eq!(scene.answer(1, unknown()), NOTHING);
        assert_eq!(scene.pass(30), NOTHING);
        assert_eq!(scene.report(1, fate), NOTHING);
        assert_eq!(scene.told("jin"), Notified::Yes);
        assert_eq!(scene.pass(60), NOTHING);
    }
}

#[test]
fn a_gateway_is_asked_before_the_text_is_sent_once_more() {
    for (fate, at_once, after_a_minute) in [
        (Some(Fate::Taken), vec![], vec![]),
        (Some(Fate::Delivered), vec![], vec![]),
        (Some(failed()), vec!["sms 3 jin"], vec![]),
        (Some(Fate::NotThere), vec!["sms 3 jin"], vec![]),
        (Some(Fate::Unclear { reason: "silence".into() }), vec![], vec!["sms 3 jin"]),
        (None, vec![], vec!["sms 3 jin"]),
    ] {
        let mut scene = scene(gateways_that(2, false, true));
        scene.answer(1, unknown());
        assert_eq!(scene.asked, []);
        // The gateway has 10 s to answer, and a minute after the silence the text is due again.
        assert_eq!(scene.pass(50), NOTHING);
        let [ask] = scene.asked.as_slice() else { panic!("{:?}", scene.asked) };
        assert_eq!((ask.attempt, &ask.gateway, ask.sent_at), (1, &gateway_name(1), T0));
        if let Some(fate) = fate.clone() {
            assert_eq!(scene.report(1, fate.clone()), at_once, "{fate:?}");
            assert_eq!(reported(&scene), [format!("1 {}", fate.as_str())], "the ledger says so");
        }
        if at_once.is_empty() {
            assert_eq!(scene.pass(10), after_a_minute, "{fate:?}");
        } else {
            assert_eq!(scene.open[0].address, gateway(1));
        }
    }
}

#[test]
fn two_texts_without_an_answer_are_asked_about_and_no_third_is_sent() {
    let mut scene = scene(gateways_that(1, false, true));
    scene.answer(1, unknown());
    scene.pass(50);
    assert_eq!(scene.report(1, Fate::NotThere), ["sms 3 jin"]);
    assert_eq!(scene.answer(3, unknown()), NOTHING);
    assert_eq!(scene.pass(50), NOTHING);
    assert_eq!(scene.asked.last().map(|ask| ask.attempt), Some(3));
    assert_eq!(scene.report(3, Fate::NotThere), NOTHING, "lists lag: a third text might be a third copy");
    assert_eq!(scene.pass(10), ["push 4 min unreachable"]);
    assert_eq!(scene.told("jin"), Notified::Maybe);
}

#[test]
fn an_answer_after_its_time_does_not_undo_what_its_gateway_has_reported() {
    let mut scene = scene(gateways_that(2, true, false));
    assert_eq!(scene.pass(11), NOTHING);
    assert_eq!(scene.report(1, failed()), ["sms 3 jin"]);
    assert_eq!(scene.answer(3, deferred(DeferCause::Unavailable)), NOTHING);
    assert_eq!(scene.answer(1, accepted()), NOTHING);
    assert_eq!(scene.told("jin"), Notified::Maybe);
    assert_eq!(scene.pass(600), ["sms 4 jin"]);
}

#[test]
fn an_answer_after_its_time_does_not_drop_the_second_text_under_way() {
    for second in [accepted(), deferred(DeferCause::Unavailable)] {
        let mut scene = scene(gateways_that(2, true, false));
        assert_eq!(scene.pass(11), NOTHING);
        assert_eq!(scene.pass(60), ["sms 3 jin"]);
        assert_eq!(scene.answer(1, accepted()), NOTHING);
        assert_eq!(scene.answer(3, second.clone()), NOTHING);
        let by_next = if second == accepted() { vec![] } else { vec!["sms 4 jin"] };
        assert_eq!(scene.report(1, failed()), by_next, "{second:?}");
    }
}

#[test]
fn who_surely_knows_by_another_text_is_neither_texted_again_nor_called_out_of_reach() {
    // By a reminder that was delivered.
    let mut by_reminder = scene(gateways_that(2, true, false));
    by_reminder.answer(1, unknown());
    assert_eq!(by_reminder.pass(60), ["sms 3 jin"]);
    by_reminder.answer(3, accepted());
    assert_eq!(by_reminder.pass(1_740)[0], "sms 4 jin repeat");
    by_reminder.answer_all(by_reminder.now, &accepted());
    assert_eq!(by_reminder.report(4, Fate::Delivered), NOTHING);
    // By a gateway that reports nothing, before or after the first is found.
    let silent = GatewayRule { reports: false, ..gateways_that(2, true, false)[1].clone() };
    let mixed = || vec![gateways_that(1, true, false)[0].clone(), silent.clone()];
    let by_silent = [true, false].map(|is_found_first| {
        let mut scene = scene(mixed());
        scene.answer(1, unknown());
        assert_eq!(scene.pass(60), ["sms 3 jin"]);
        if is_found_first {
            scene.report(1, Fate::Taken);
        }
        assert_eq!(scene.answer(3, accepted()), NOTHING);
        scene
    });
    for mut scene in [by_reminder].into_iter().chain(by_silent) {
        assert_eq!(scene.report(1, Fate::Taken), NOTHING);
        assert_eq!(scene.report(1, failed()), NOTHING);
        assert_eq!(scene.pass(60), NOTHING);
    }
}

#[test]
fn what_went_unanswered_twice_and_surely_did_not_arrive_is_tried_again() {
    let mut scene = Scene::at(Severity::Average).with_people(vec![person("jin", 0)]);
    scene.rules.gateways = gateways_that(2, true, false);
    assert_eq!(scene.plan(), ["sms 1 jin"]);
    scene.answer(1, unknown());
    assert_eq!(scene.pass(60), ["sms 2 jin"]);
    scene.answer(2, unknown());
    assert_eq!(scene.pass(120), NOTHING);
    assert_eq!(scene.report(1, failed()), NOTHING, "the second may be there");
    assert_eq!(scene.pass(600), NOTHING);
    scene.report(2, failed());
    assert_eq!(scene.answer_all(scene.now + SignedDuration::from_mins(6), &accepted()), ["sms 3 jin"]);
}

#[test]
fn a_text_of_which_both_unanswered_copies_are_lost_goes_by_the_gateway_that_is_left() {
    for order in [[1, 3], [3, 1]] {
        let mut scene = scene(gateways_that(3, true, false));
        scene.answer(1, unknown());
        assert_eq!(scene.pass(60), ["sms 3 jin"]);
        scene.answer(3, unknown());
        let sent = order.map(|attempt| scene.report(attempt, failed())).concat();
        assert_eq!(sent, ["sms 4 jin"], "{order:?}");
        assert_eq!(scene.open[0].address, gateway(2), "{order:?}");
    }
}

/// jin's first text went unanswered, and its second is under way when the gateway has the first.
fn scene_of_second(gateways: usize) -> Scene {
    let mut scene = scene(gateways_that(gateways, true, false));
    scene.answer(1, unknown());
    assert_eq!(scene.pass(60), ["sms 3 jin"]);
    assert_eq!(scene.report(1, Fate::Taken), NOTHING);
    scene
}

#[test]
fn beside_a_second_text_under_way_no_third_is_sent() {
    for answer in [accepted(), unknown()] {
        let mut scene = scene_of_second(2);
        assert_eq!(scene.report(1, failed()), NOTHING, "the second may do it");
        assert_eq!(scene.answer(3, answer.clone()), NOTHING);
        let by_first = if answer == accepted() { vec![] } else { vec!["sms 4 jin"] };
        assert_eq!(scene.pass(61), by_first, "{answer:?}");
    }
    let mut scene = scene_of_second(3);
    scene.report(1, failed());
    assert_eq!(scene.answer(3, rejected(RejectCause::Recipient)), ["sms 4 jin"]);
    assert_eq!(scene.open[0].address, gateway(2), "neither failed so far");
}

#[test]
fn a_second_text_under_way_is_reported_on_as_the_first_is() {
    let mut scene = scene_of_second(2);
    assert_eq!(scene.report(3, failed()), NOTHING, "it waits for its answer");
    assert_eq!(scene.answer(3, accepted()), NOTHING, "the first is there");
    assert_eq!(scene.report(1, failed()), ["push 4 min unreachable"], "both gateways have failed");
}

#[test]
fn what_becomes_of_a_second_text_is_nothing_to_act_on_once_the_first_was_delivered() {
    for taken in [true, false] {
        let mut scene = scene(gateways_that(2, true, false));
        scene.answer(1, unknown());
        assert_eq!(scene.pass(60), ["sms 3 jin"]);
        for fate in [Fate::Taken, Fate::Delivered].into_iter().skip(usize::from(!taken)) {
            assert_eq!(scene.report(1, fate), NOTHING);
        }
        assert_eq!(scene.answer(3, accepted()), NOTHING);
        assert_eq!(scene.report(3, failed()), NOTHING);
        assert_eq!(scene.pass(600), NOTHING);
    }
}

#[test]
fn delivery_is_asked_for_until_it_is_known_and_not_for_ever() {
    let mut scene = scene(gateways_that(1, false, true));
    scene.rules.repeats.high = &[];
    scene.alert.conversation.repeat_at = None;
    scene.answer(1, accepted());
    let mut passed = 0;
    for after in DELIVERY_ASKED_AFTER {
        let seconds = after.as_secs() - passed;
        passed = after.as_secs();
        assert_eq!(scene.due, Some(T0 + after));
        assert_eq!(scene.pass(seconds), NOTHING);
        assert_eq!(scene.report(1, Fate::Taken), NOTHING);
    }
    assert_eq!(scene.asked.len(), DELIVERY_ASKED_AFTER.len());
    assert_eq!(scene.due, Some(scene.alert.close_at), "nothing but the end of the alert is waited for");
    assert_eq!(scene.report(1, Fate::Delivered), NOTHING, "a late answer counts");
    assert_eq!(reported(&scene), ["1 delivered"]);
}

#[test]
fn a_text_that_turns_out_after_the_end_not_to_have_arrived_is_told_as_missed() {
    let mut scene = scene(gateways_that(2, true, true));
    scene.answer(1, accepted());
    assert_eq!(scene.resolve(), ["push 3 min resolved"], "jin has no device, and resolutions are not texted");
    scene.answer(3, accepted());
    assert!(scene.due.is_some(), "jin heard of it by this text alone, so the gateway is still asked");
    assert_eq!(scene.report(1, failed()), ["sms 4 jin missed"]);
    scene.answer(4, accepted());
    assert_eq!(scene.report(4, failed()), ["sms 5 jin missed"], "by the next gateway");
    scene.answer(5, accepted());
    assert_eq!(scene.report(5, failed()), ["push 6 min unreachable"]);
    assert_eq!(reported(&scene), ["1 failed", "4 failed", "5 failed"]);
}

#[test]
fn after_the_end_nobody_is_asked_about_the_text_of_somebody_who_knows() {
    let mut scene = Scene::at(Severity::Disaster);
    scene.rules.gateways = gateways_that(2, true, true);
    assert_eq!(scene.plan(), ["push 1 jin", "sms 2 jin"]);
    scene.answer(1, accepted());
    scene.answer(2, accepted());
    assert_eq!(scene.resolve(), ["push 3 jin resolved"]);
    scene.answer(3, accepted());
    assert_eq!(scene.due, None);
    assert_eq!(scene.report(2, failed()), NOTHING);
    assert_eq!(reported(&scene), ["2 failed"]);
}

#[test]
fn an_acknowledged_alert_is_not_texted_again_unless_it_is_a_disaster() {
    let mut scene = scene(gateways_that(2, true, false));
    scene.answer(1, accepted());
    scene.acknowledge();
    assert_eq!(scene.report(1, failed()), NOTHING);

    let mut scene = Scene::at(Severity::Disaster).with_people(vec![person("jin", 0)]);
    scene.rules.gateways = gateways_that(2, true, false);
    scene.plan();
    scene.answer(1, accepted());
    scene.acknowledge();
    assert_eq!(scene.report(1, failed()), ["sms 2 jin"], "each contact's first text still goes");
}

#[test]
fn a_push_that_was_accepted_keeps_a_contact_told() {
    let mut scene = Scene::at(Severity::Disaster);
    scene.rules.gateways = gateways_that(1, true, false);
    assert_eq!(scene.plan(), ["push 1 jin", "sms 2 jin"]);
    scene.answer(1, accepted());
    scene.answer(2, accepted());
    assert_eq!(scene.report(2, failed()), NOTHING);
    assert_eq!(scene.told("jin"), Notified::Yes);
    assert!(
        !scene.reaches_nobody(scene.now) && !scene.journal().contains("unreachable"),
        "{}",
        scene.journal()
    );
}

#[test]
fn without_another_road_the_alert_reaches_nobody() {
    let mut scene = Scene::at(Severity::High).with_people(vec![person("jin", 0)]);
    scene.rules.gateways = gateways_that(1, true, false);
    scene.plan();
    scene.answer(1, accepted());
    assert!(!scene.reaches_nobody(scene.now));
    assert_eq!(scene.report(1, failed()), NOTHING);
    assert!(scene.reaches_nobody(scene.now));
}

#[test]
fn only_the_newest_texts_are_waited_for() {
    let mut scene = Scene::at(Severity::Disaster).with_people(vec![person("jin", 0)]);
    scene.rules.gateways = gateways_that(1, true, false);
    scene.plan();
    scene.answer(1, accepted());
    let last = u32::try_from(SENT_TEXTS_MAX).expect("few") + 1;
    for attempt in 2..=last {
        assert_eq!(scene.pass(3_600), [format!("sms {attempt} jin repeat")]);
        scene.answer(attempt, accepted());
    }
    for attempt in 1..=last {
        scene.report(attempt, failed());
    }
    let reported_of = |attempt: u32| format!("{attempt} failed");
    assert_eq!(reported(&scene), (2..=last).map(reported_of).collect::<Vec<_>>());
    assert_eq!(scene.told("jin"), Notified::No, "nobody says that the first arrived");
    assert!(scene.reaches_nobody(scene.now));
}

#[test]
fn a_text_that_is_reported_lost_after_many_reminders_goes_by_the_next_gateway_once_for_all_of_them() {
    for is_answered in [true, false] {
        let mut scene = Scene::at(Severity::Disaster).with_people(vec![person("jin", 0)]);
        scene.rules.gateways = gateways_that(2, true, false);
        scene.plan();
        scene.answer(1, accepted());
        for attempt in 2..=5 {
            assert_eq!(scene.pass(300), [format!("sms {attempt} jin repeat")]);
            scene.answer(attempt, accepted());
        }
        assert_eq!(scene.report(1, failed()), ["sms 6 jin"]);
        assert_eq!(scene.open[0].address, gateway(1));
        if is_answered {
            scene.answer(6, accepted());
        }
        for attempt in 2..=5 {
            assert_eq!(scene.report(attempt, failed()), NOTHING, "{attempt}");
        }
        if !is_answered {
            scene.answer(6, accepted());
        }
        assert!(!scene.reaches_nobody(scene.now));
        assert_eq!(scene.report(6, failed()), NOTHING);
        assert!(scene.reaches_nobody(scene.now), "no other gateway is left");
    }
}

#[test]
fn every_text_of_a_crowd_may_be_reported_lost_before_anything_is_planned() {
    let crowd = (0..200).map(|number| person(&format!("p{number}"), 0)).collect();
    let mut scene = Scene::at(Severity::High).with_people(crowd);
    scene.rules.gateways = gateways_that(2, true, false);
    scene.plan();
    while let Some(send) = scene.open.first().cloned() {
        scene.answer(send.attempt, accepted());
    }
    for attempt in 1..=200 {
        let mut take = |fate| scene.alert.progress.take_report(&Report { attempt, at: T0, fate });
        assert!(take(failed()));
        assert!(!take(failed()), "it is known");
    }
    scene.reported.clone_from(&scene.alert.progress.reports);
    assert_eq!(scene.plan().len(), 200);
}

#[test]
fn of_what_is_reported_of_a_text_under_way_that_which_says_most_is_kept() {
    let mut scene = scene(gateways_that(2, true, false));
    for (fate, is_news) in [
        (Fate::Unclear { reason: "timeout".to_owned() }, true),
        (Fate::NotThere, false),
        (Fate::Taken, true),
        (Fate::NotThere, false),
        (failed(), true),
        (Fate::Delivered, false),
    ] {
        let report = Report { attempt: 1, at: scene.now, fate };
        assert_eq!(scene.alert.progress.take_report(&report), is_news, "{report:?}");
    }
    scene.reported.clone_from(&scene.alert.progress.reports);
    assert_eq!(scene.reported.len(), 1);
    assert_eq!(scene.answer(1, accepted()), ["sms 3 jin"]);
}

#[test]
fn a_reminder_that_is_held_does_not_stand_for_the_first_text_of_a_disaster_that_was_lost() {
    let mut scene = Scene::at(Severity::Disaster).with_people(vec![person("jin", 0), person("min", 1)]);
    scene.rules.gateways = gateways_that(2, true, false);
    scene.plan();
    for attempt in 1..=3 {
        scene.answer(attempt, accepted());
    }
    assert_eq!(scene.pass(300), ["sms 4 jin repeat", "push 5 min repeat", "sms 6 min repeat"]);
    for attempt in 4..=6 {
        scene.answer(attempt, accepted());
    }
    scene.acknowledge();
    assert_eq!(scene.report(4, failed()), NOTHING, "it is held");
    assert_eq!(scene.report(1, failed()), ["sms 7 jin"]);
}

#[test]
fn a_lost_text_is_not_sent_again_where_a_later_one_by_another_gateway_says_what_it_would_say_now() {
    let mut scene = Scene::at(Severity::Disaster).with_people(vec![person("jin", 0)]);
    scene.rules.gateways = gateways_that(2, true, false);
    scene.plan();
    scene.answer(1, accepted());
    scene.alert.severity = Severity::High;
    assert_eq!(scene.pass(1_800), ["sms 2 jin repeat"]);
    assert_eq!(scene.answer(2, deferred(DeferCause::Unavailable)), ["sms 3 jin repeat"]);
    scene.answer(3, accepted());
    assert_eq!(scene.report(1, failed()), NOTHING);
    assert_eq!(scene.report(3, failed()), NOTHING);
    assert!(scene.reaches_nobody(scene.now), "no other gateway is left");
}

#[test]
fn a_lost_text_that_would_tell_no_more_than_is_surely_known_by_now_is_nothing_to_act_on() {
    let mut scene = Scene::at(Severity::Disaster).with_people(vec![person("jin", 0)]);
    scene.rules.gateways = gateways_that(2, true, false);
    scene.plan();
    scene.answer(1, accepted());
    scene.alert.severity = Severity::High;
    assert_eq!(scene.pass(1_800), ["sms 2 jin repeat"]);
    scene.answer(2, accepted());
    scene.report(2, Fate::Delivered);
    assert_eq!(scene.report(1, failed()), NOTHING, "it would be said as high");
    scene.alert.severity = Severity::Disaster;
    assert_eq!(scene.pass(1), ["sms 3 jin raised"]);
}

#[test]
fn a_retry_that_told_less_is_no_word_of_what_it_has_become_again_when_it_is_found_after_a_crash() {
    let mut scene = Scene::at(Severity::Disaster).with_people(vec![person("jin", 0)]);
    scene.rules.gateways = gateways_that(1, true, false);
    scene.plan();
    scene.answer(1, deferred(DeferCause::Unavailable));
    scene.alert.severity = Severity::Average;
    assert_eq!(scene.pass(10), ["sms 2 jin"]);
    scene.alert.severity = Severity::Disaster;
    scene.now += SignedDuration::from_secs(1);
    scene.started = scene.now;
    scene.open.clear();
    scene.plan();
    let sent = scene.report(2, Fate::Delivered);
    assert_eq!(sent, ["sms 3 jin raised"]);
    scene.answer(3, rejected(RejectCause::Refused));
    assert!(scene.reaches_nobody(scene.now + SignedDuration::from_mins(5)));
}

#[test]
fn an_answer_that_is_settled_twice_counts_once_and_a_report_after_it_still_leads_on() {
    let mut scene = scene(gateways_that(2, true, false));
    let send = scene.open[0].clone();
    assert_eq!(scene.answer(1, accepted()), NOTHING);
    // The write was made, and nobody heard of it.
    scene.open.push(send);
    assert_eq!(scene.answer(1, accepted()), NOTHING);
    assert_eq!(scene.report(1, failed()), ["sms 3 jin"]);
    assert_eq!(scene.answer(3, accepted()), NOTHING);
    assert_eq!(scene.told("jin"), Notified::Yes);
    assert_eq!(scene.pass(600), NOTHING);
}

#[test]
fn who_knows_of_the_alert_does_not_know_of_the_raise_whose_text_did_not_arrive() {
    for severity in [Severity::High, Severity::Disaster] {
        let people = vec![person("jin", 0), Person { phone: None, ..person("min", 1) }];
        let mut scene = Scene::at(Severity::Average).with_people(people);
        scene.rules.gateways = gateways_that(2, true, false);
        assert_eq!(scene.plan(), ["sms 1 jin", "push 2 min"]);
        scene.answer(1, accepted());
        scene.answer(2, accepted());
        scene.report(1, Fate::Delivered);
        scene.alert.severity = severity;
        assert_eq!(scene.plan(), ["sms 3 jin raised", "push 4 min raised"]);
        scene.answer(3, accepted());
        scene.answer(4, accepted());
        assert_eq!(scene.report(3, failed()), ["sms 5 jin raised"], "{severity}");
        scene.answer(5, accepted());
        assert_eq!(scene.report(5, failed()), ["push 6 min unreachable"], "{severity}");
    }
}

#[test]
fn whoever_was_told_since_of_the_open_alert_does_not_miss_an_earlier_text_of_it() {
    for has_arrived in [true, false] {
        let mut scene = scene(gateways_that(2, true, false));
        scene.answer(1, accepted());
        scene.pass(1_801);
        let reminder =
            scene.open.iter().find(|send| send.contact.as_str() == "jin").expect("reminded").attempt;
        scene.answer(reminder, accepted());
        if has_arrived {
            scene.report(reminder, Fate::Delivered);
        }
        let sent = scene.report(1, failed());
        assert_eq!(sent.iter().any(|sent| sent.ends_with("jin")), !has_arrived, "{sent:?}");
        if let Some(again) = scene.open.iter().find(|send| send.contact.as_str() == "jin") {
            scene.answer(again.attempt, rejected(RejectCause::Refused));
            assert_eq!(scene.alert.given_up().count(), 1);
            scene.report(reminder, Fate::Delivered);
            assert_eq!(scene.alert.given_up().count(), 0, "that arrived");
        }
    }
}

#[test]
fn a_text_of_an_earlier_raise_is_no_copy_of_one_that_is_as_severe() {
    let mut scene = Scene::at(Severity::High).with_people(vec![person("jin", 0)]);
    scene.rules.gateways = gateways_that(1, true, false);
    scene.plan();
    scene.answer(1, accepted());
    scene.alert.severity = Severity::Disaster;
    assert_eq!(scene.plan(), ["sms 2 jin raised"]);
    scene.answer(2, accepted());
    scene.alert.severity = Severity::High;
    scene.now += SignedDuration::from_secs(1);
    scene.acknowledge();
    scene.alert.severity = Severity::Disaster;
    assert_eq!(scene.plan(), ["sms 3 jin raised"]);
    scene.answer(3, accepted());
    assert_eq!(scene.report(2, Fate::Delivered), NOTHING);
    assert_eq!(scene.report(3, Fate::Delivered), NOTHING);
    assert_eq!(reported(&scene).last().map(String::as_str), Some("3 delivered"));
}

#[test]
fn what_only_somebody_knew_who_has_left_before_their_text_turns_out_to_be_lost_is_told_to_those_who_are_there()
 {
    for is_over in [true, false] {
        let mut scene = Scene::at(Severity::Average).with_people(vec![person("jin", 0)]);
        scene.rules.gateways = gateways_that(1, true, false);
        scene.plan();
        scene.answer(1, accepted());
        if is_over {
            assert_eq!(scene.resolve(), NOTHING);
        }
        scene.people = vec![person("min", 1)];
        let sent = scene.report(1, failed());
        assert_eq!(sent, [if is_over { "push 2 min missed" } else { "push 2 min" }]);
    }
}

#[test]
fn what_nobody_heard_is_told_to_those_who_are_there_after_a_crash_in_the_middle_of_a_request() {
    for is_over in [true, false] {
        let mut scene =
            Scene::at(Severity::Average).with_people(vec![Person { phone: None, ..person("jin", 2) }]);
        assert_eq!(scene.plan(), ["push 1 jin", "push 2 jin"]);
        if is_over {
            scene.answer(1, deferred(DeferCause::Unavailable));
            assert_eq!(scene.resolve().len(), 2);
        } else {
            scene.answer(1, accepted());
        }
        scene.now += SignedDuration::from_secs(5);
        scene.started = scene.now;
        scene.open.clear();
        scene.people = vec![person("min", 1)];
        let sent = scene.plan();
        assert!(matches!(&sent[..], [one] if one.contains(" min")), "{is_over}: {sent:?}");
    }
}

#[test]
fn a_text_that_is_found_after_a_crash_did_not_tell_what_it_had_become_since() {
    let mut scene = Scene::at(Severity::Information).with_people(vec![person("jin", 0)]);
    scene.rules.gateways = gateways_that(2, true, false);
    assert_eq!(scene.plan(), ["sms 1 jin"]);
    scene.alert.severity = Severity::Disaster;
    assert_eq!(scene.plan(), ["sms 2 jin raised"]);
    assert_eq!(scene.report(1, Fate::Delivered), NOTHING, "its answer is waited for");
    scene.now += SignedDuration::from_mins(1);
    scene.started = scene.now;
    scene.open.clear();
    scene.plan();
    scene.answer_all(scene.hours(1), &deferred(DeferCause::Unavailable));
    assert!(scene.reaches_nobody(scene.now));
    assert!(!scene.answer_all(scene.hours(1), &accepted()).is_empty());
    assert!(!scene.reaches_nobody(scene.now));
}

#[test]
fn a_push_that_tells_the_open_alert_makes_up_for_an_earlier_text() {
    let mut scene = Scene::at(Severity::Disaster).with_people(vec![person("jin", 1)]);
    scene.rules.gateways = gateways_that(2, true, false);
    assert_eq!(scene.plan(), ["push 1 jin", "sms 2 jin"]);
    scene.answer(1, accepted());
    scene.answer(2, accepted());
    assert_eq!(scene.pass(301), ["push 3 jin repeat", "sms 4 jin repeat"]);
    scene.answer(3, accepted());
    assert_eq!(scene.report(2, failed()), NOTHING);
}

#[test]
fn who_knows_of_the_alert_does_not_know_whom_it_did_not_reach_if_that_text_did_not_arrive() {
    let mut scene = Scene::at(Severity::Average).with_people(vec![person("jin", 0), person("kim", 0)]);
    scene.rules.gateways = gateways_that(2, true, false);
    assert_eq!(scene.plan(), ["sms 1 jin", "sms 2 kim"]);
    scene.answer(2, accepted());
    scene.report(2, Fate::Delivered);
    assert_eq!(scene.answer(1, rejected(RejectCause::Recipient)), ["sms 3 jin"]);
    assert_eq!(scene.answer(3, rejected(RejectCause::Recipient)), ["sms 4 kim unreachable"]);
    scene.answer(4, accepted());
    assert_eq!(scene.report(4, failed()), ["sms 5 kim unreachable"]);
    scene.answer(5, accepted());
    scene.report(5, failed());
    let told: Vec<_> = scene.alert.given_up().map(|given_up| given_up.is_told).collect();
    assert_eq!(told, [false, false]);
}

#[test]
fn a_push_that_comes_after_its_text_makes_up_for_it() {
    let mut scene = Scene::at(Severity::Average);
    scene.rules.gateways = gateways_that(1, true, false);
    scene.plan();
    assert_eq!(scene.pass(20), ["sms 2 jin"]);
    scene.answer(2, accepted());
    scene.answer(1, accepted());
    assert_eq!(scene.report(2, failed()), NOTHING);
    assert!(!scene.journal().contains("unreachable"), "{}", scene.journal());
}

/// jin has only a phone, and the text of the first reminder has been lost by the first of three gateways.
fn whose_reminder_was_lost() -> Scene {
    let mut scene = Scene::at(Severity::Disaster).with_people(vec![person("jin", 0)]);
    scene.rules.gateways = gateways_that(3, true, false);
    assert_eq!(scene.plan(), ["sms 1 jin"]);
    scene.answer(1, accepted());
    assert_eq!(scene.pass(300), ["sms 2 jin repeat"]);
    scene.answer(2, accepted());
    assert_eq!(scene.report(2, failed()), ["sms 3 jin repeat"]);
    scene
}

#[test]
fn a_reminder_under_way_in_place_of_a_lost_first_text_goes_by_every_gateway_whoever_has_it() {
    let mut scene = whose_reminder_was_lost();
    assert_eq!(scene.report(1, failed()), NOTHING);
    scene.acknowledge();
    assert_eq!(scene.answer(3, deferred(DeferCause::Unavailable)), ["sms 4 jin"]);
    assert_eq!(scene.answer(4, accepted()), NOTHING);
}

#[test]
fn a_reminder_that_stood_for_a_lost_first_text_and_is_lost_is_sent_again_whoever_has_it() {
    let mut scene = whose_reminder_was_lost();
    scene.answer(3, accepted());
    assert_eq!(scene.report(1, failed()), NOTHING);
    scene.acknowledge();
    assert_eq!(scene.report(3, failed()), ["sms 4 jin"]);
    assert_eq!(scene.answer(4, accepted()), NOTHING);
    assert_eq!(scene.told("jin"), Notified::Yes);
}

#[test]
fn a_text_that_is_found_after_a_second_one_went_unanswered_is_there_all_the_same() {
    for (found, is_late) in [(1, false), (3, false), (1, true), (3, true)] {
        let mut scene = scene(gateways_that(1, true, false));
        scene.answer(1, unknown());
        assert_eq!(scene.pass(60), ["sms 3 jin"]);
        assert_eq!(scene.answer(3, unknown()), NOTHING);
        if is_late {
            assert_eq!(scene.pass(60), ["push 4 min unreachable"]);
            assert_eq!(scene.answer(4, deferred(DeferCause::Unavailable)), NOTHING);
        }
        assert_eq!(scene.report(found, Fate::Delivered), NOTHING);
        assert_eq!(scene.told("jin"), Notified::Yes, "{found}");
        assert_eq!(scene.pass(120), NOTHING, "{found}: nobody is called out of reach");
        assert_eq!(scene.report(found, Fate::Delivered), NOTHING);
    }
}

#[test]
fn whoever_was_reached_meanwhile_is_not_called_out_of_reach() {
    let mut scene = scene(gateways_that(1, false, false));
    assert_eq!(scene.answer(1, rejected(RejectCause::Recipient)), ["push 3 min unreachable"]);
    scene.answer_all(T0 + SignedDuration::from_secs(1_799), &deferred(DeferCause::Unavailable));
    scene.now = T0 + SignedDuration::from_secs(1_800);
    let again = scene.plan();
    assert!(again.iter().any(|sent| sent.ends_with("jin")), "{again:?}");
    let sent = scene.answer_all(scene.hours(1), &accepted());
    assert!(sent.iter().all(|sent| !sent.ends_with("unreachable")), "{sent:?}");
}

#[test]
fn what_a_gateway_says_after_it_left_the_configuration_is_not_the_last_word_either() {
    let mut scene = Scene::at(Severity::Average).with_people(vec![person("jin", 0)]);
    scene.rules.gateways = gateways_that(2, true, false);
    assert_eq!(scene.plan(), ["sms 1 jin"]);
    scene.now += SignedDuration::from_secs(2);
    scene.started = scene.now;
    scene.open.clear();
    scene.rules.gateways.remove(0);
    assert_eq!(scene.plan(), NOTHING);
    assert_eq!(scene.report(1, Fate::Taken), NOTHING);
    assert_eq!(scene.told("jin"), Notified::Yes);
    assert_eq!(scene.report(1, failed()), ["sms 2 jin"]);
}

#[test]
fn an_unanswered_text_that_was_taken_and_is_lost_is_lost_in_whatever_order_that_is_said() {
    for lost_first in [true, false] {
        let mut scene = Scene::at(Severity::Average).with_people(vec![person("jin", 0)]);
        scene.rules.gateways = gateways_that(3, true, false);
        scene.plan();
        scene.answer(1, unknown());
        assert_eq!(scene.pass(60), ["sms 2 jin"]);
        scene.answer(2, unknown());
        let said = |fate| Report { attempt: 1, at: scene.now, fate };
        let (lost, taken) = (said(failed()), said(Fate::Taken));
        for report in if lost_first { [&lost, &taken] } else { [&taken, &lost] } {
            scene.alert.progress.take_report(report);
        }
        scene.plan();
        assert_eq!(scene.told("jin"), Notified::Maybe, "{lost_first}");
    }
}

#[test]
fn a_second_copy_of_what_was_delivered_is_nothing_to_act_on_however_late_its_gateway_speaks() {
    let mut scene = scene(gateways_that(2, true, false));
    scene.answer(1, unknown());
    assert_eq!(scene.pass(60), ["sms 3 jin"]);
    scene.answer(3, accepted());
    scene.report(3, Fate::Delivered);
    assert_eq!(scene.report(1, Fate::Taken), NOTHING);
    assert_eq!(scene.report(1, failed()), NOTHING);
    assert_eq!(scene.alert.given_up().count(), 0);
}

#[test]
fn an_unanswered_text_of_an_earlier_raise_is_no_word_of_this_one() {
    for is_found_twice in [true, false] {
        let mut scene = Scene::at(Severity::High).with_people(vec![person("jin", 0)]);
        scene.rules.gateways = gateways_that(1, true, false);
        scene.plan();
        scene.answer(1, accepted());
        scene.alert.severity = Severity::Disaster;
        assert_eq!(scene.plan(), ["sms 2 jin raised"]);
        scene.answer(2, unknown());
        assert_eq!(scene.pass(60), ["sms 3 jin raised"]);
        scene.answer(3, accepted());
        if is_found_twice {
            scene.report(3, Fate::Delivered);
        }
        scene.alert.severity = Severity::High;
        scene.now += SignedDuration::from_secs(1);
        scene.acknowledge();
        scene.alert.severity = Severity::Disaster;
        assert_eq!(scene.plan(), ["sms 4 jin raised"]);
        scene.answer(4, deferred(DeferCause::Unavailable));
        scene.report(2, Fate::Delivered);
        let sent = scene.answer_all(scene.hours(1), &accepted());
        assert!(sent.iter().any(|sent| sent.ends_with("jin raised")), "{is_found_twice}: {sent:?}");
    }
}

#[test]
fn that_somebody_was_out_of_reach_who_was_reached_since_is_missed_by_nobody() {
    let mut scene = Scene::at(Severity::Disaster).with_people(vec![person("jin", 0), person("min", 0)]);
    scene.rules.gateways = gateways_that(1, true, false);
    assert_eq!(scene.plan(), ["sms 1 jin", "sms 2 min"]);
    scene.answer(2, accepted());
    scene.report(2, Fate::Delivered);
    assert_eq!(scene.answer(1, rejected(RejectCause::Recipient)), ["sms 3 min unreachable"]);
    scene.answer(3, accepted());
    assert_eq!(scene.pass(300), ["sms 4 jin", "sms 5 min repeat"]);
    for attempt in [4, 5] {
        scene.answer(attempt, accepted());
        scene.report(attempt, Fate::Delivered);
    }
    assert_eq!(scene.report(3, failed()), NOTHING);
    assert_eq!(scene.alert.given_up().count(), 0);
}
