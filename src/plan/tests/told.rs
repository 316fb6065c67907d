//! Who counts as told: what was known before, what still comes, and what nobody heard of.

use super::*;

#[test]
fn a_raise_that_has_no_channel_left_is_told_to_the_others_if_it_cannot_wait() {
    for (from, to) in [(Severity::High, Severity::Disaster), (Severity::Warning, Severity::High)] {
        let mut scene = Scene::at(from).with_people(vec![person("jin", 0), person("min", 1)]);
        assert_eq!(scene.plan(), ["sms 1 jin", "push 2 min"]);
        scene.answer(1, accepted());
        scene.answer(2, accepted());
        scene.rules.gateways.clear();
        scene.alert.severity = to;
        assert_eq!(scene.plan(), ["push 3 min raised", "push 4 min unreachable"], "{to}");
    }
}

#[test]
fn a_text_under_way_at_the_end_that_then_fails_is_told_as_missed() {
    for outcome in [deferred(DeferCause::Unavailable), deferred(DeferCause::ProjectFault)] {
        let mut scene = Scene::at(Severity::High).with_people(vec![person("jin", 0)]);
        assert_eq!(scene.plan(), ["sms 1 jin"]);
        assert_eq!(scene.resolve(), NOTHING, "it may arrive");
        assert_eq!(scene.answer(1, outcome.clone()), ["sms 2 jin missed"]);
        assert_eq!(scene.answer(2, accepted()), NOTHING);
        assert_eq!((scene.told("jin"), scene.due), (Notified::Yes, None));

        let mut scene = Scene::at(Severity::High).with_people(vec![person("jin", 0)]);
        scene.plan();
        scene.resolve();
        assert_eq!(scene.answer(1, accepted()), NOTHING);
        assert_eq!(scene.due, None, "it did arrive");
    }
}

#[test]
fn the_end_waits_for_a_text_under_way_which_decides_what_it_says() {
    let later = || deferred(DeferCause::Unavailable);
    for (answer, end) in [(accepted(), "resolved"), (later(), "missed")] {
        let mut scene = Scene::at(Severity::High).with_people(vec![person("jin", 0)]);
        scene.rules.texts_resolved = true;
        scene.plan();
        assert_eq!(scene.resolve(), NOTHING);
        assert_eq!(scene.answer(1, answer.clone()), [format!("sms 2 jin {end}")]);
        assert_eq!(scene.answer(2, accepted()), NOTHING);
        assert_eq!(scene.due, None, "the end is told");

        let mut scene = Scene::at(Severity::Disaster);
        assert_eq!(scene.plan(), ["push 1 jin", "sms 2 jin"]);
        scene.answer(1, later());
        assert_eq!(scene.resolve(), NOTHING);
        assert_eq!(scene.answer(2, answer), [format!("push 3 jin {end}")]);
        assert_eq!(scene.answer(3, accepted()), NOTHING);
        assert_eq!(scene.due, None, "the end is told");
    }
}

#[test]
fn a_text_that_is_found_after_the_end_told_no_more_than_it_said() {
    for is_missed in [true, false] {
        let mut scene = Scene::at(Severity::Disaster).with_people(vec![person("jin", 0)]);
        scene.rules.gateways = gateways_that(1, true, false);
        scene.plan();
        scene.answer(1, deferred(DeferCause::Unavailable));
        if is_missed {
            scene.alert.severity = Severity::Average;
        }
        assert_eq!(scene.pass(10), ["sms 2 jin"]);
        assert_eq!(scene.answer(2, unknown()), NOTHING);
        assert_eq!(scene.resolve(), NOTHING, "its gateway may say that it is there");
        let sent = scene.report(2, Fate::Delivered);
        if is_missed {
            assert_eq!(sent, ["sms 3 jin missed"]);
            scene.answer(3, accepted());
            scene.report(3, Fate::Delivered);
        } else {
            assert_eq!(sent, NOTHING);
        }
        assert_eq!((scene.told("jin"), scene.due), (Notified::Yes, None));
    }
}

#[test]
fn the_end_is_told_where_the_start_is_found_after_it_was_given_up() {
    let mut scene = Scene::at(Severity::High).with_people(vec![person("jin", 0)]);
    scene.rules.gateways = gateways_that(1, true, false);
    scene.rules.texts_resolved = true;
    scene.plan();
    scene.pass(5);
    assert_eq!(scene.resolve(), NOTHING);
    scene.open.clear();
    scene.pass(5);
    assert_eq!(scene.pass(1), NOTHING, "its gateway may say that it is there");
    assert_eq!(scene.report(1, Fate::Delivered), ["sms 2 jin resolved"]);
    scene.answer(2, deferred(DeferCause::Unavailable));
    assert_eq!(scene.pass(60), ["sms 3 jin resolved"]);
    scene.answer(3, accepted());
    assert_eq!(scene.due, None);
}

#[test]
fn a_text_that_is_found_while_one_that_says_both_is_under_way_does_not_double_that() {
    for severity in [Severity::Disaster, Severity::Average] {
        let mut scene = Scene::at(Severity::Disaster).with_people(vec![person("jin", 0)]);
        scene.rules.gateways = gateways_that(1, true, false);
        scene.rules.texts_resolved = true;
        scene.plan();
        scene.answer(1, deferred(DeferCause::Unavailable));
        scene.alert.severity = severity;
        assert_eq!(scene.pass(10), ["sms 2 jin"]);
        scene.answer(2, unknown());
        scene.resolve();
        assert_eq!(scene.pass(60), ["sms 3 jin missed"]);
        assert_eq!(scene.report(2, Fate::Delivered), NOTHING);
        assert_eq!(scene.answer(3, deferred(DeferCause::Unavailable)), NOTHING);
        assert_eq!(scene.pass(60), ["sms 4 jin missed"]);
        assert_eq!(scene.answer(4, accepted()), NOTHING);
        scene.report(4, Fate::Delivered);
        assert_eq!(scene.due, None);
    }
}

#[test]
fn what_says_both_and_was_delivered_is_not_sent_again() {
    for fate in [Fate::Delivered, Fate::Taken] {
        let mut scene = Scene::at(Severity::High).with_people(vec![person("jin", 0)]);
        scene.rules.gateways = gateways_that(1, true, false);
        scene.plan();
        scene.answer(1, deferred(DeferCause::Unavailable));
        assert_eq!(scene.resolve(), ["sms 2 jin missed"]);
        scene.answer(2, unknown());
        assert_eq!(scene.pass(60), ["sms 3 jin missed"]);
        assert_eq!(scene.report(2, fate), NOTHING);
        assert_eq!(scene.answer(3, deferred(DeferCause::Unavailable)), NOTHING);
        assert_eq!(scene.answer_all(scene.hours(1), &accepted()), NOTHING);
    }
}

#[test]
fn the_start_that_was_found_is_no_copy_of_the_end_that_is_lost() {
    for texts_resolved in [true, false] {
        let mut scene = Scene::at(Severity::High).with_people(vec![person("jin", 0), person("min", 1)]);
        scene.rules.gateways = gateways_that(2, true, false);
        scene.rules.texts_resolved = texts_resolved;
        scene.plan();
        scene.answer(2, accepted());
        scene.answer(1, unknown());
        assert_eq!(scene.resolve(), ["push 3 min resolved"]);
        scene.answer(3, accepted());
        assert_eq!(scene.pass(60), ["sms 4 jin missed"]);
        assert_eq!(scene.report(1, Fate::Taken), NOTHING);
        assert_eq!(scene.answer(4, accepted()), NOTHING);
        let next = scene.report(4, Fate::Failed { reason: "30005".into() });
        assert_eq!(
            next,
            if texts_resolved { vec!["sms 5 jin missed"] } else { vec![] },
            "the start is there"
        );
        assert_eq!(scene.answer_all(scene.hours(1), &accepted()), NOTHING);
    }
}

#[test]
fn who_hears_of_others_that_it_is_over_is_not_told_the_end_before() {
    let mut scene = Scene::at(Severity::Disaster)
        .with_people(vec![person("jin", 0), Person { phone: None, ..person("min", 0) }]);
    scene.rules.texts_resolved = true;
    assert_eq!(scene.plan(), ["sms 1 jin", "sms 2 jin unreachable"]);
    assert_eq!(scene.resolve(), NOTHING);
    assert_eq!(scene.answer(1, deferred(DeferCause::Unavailable)), NOTHING);
    assert_eq!(scene.answer(2, deferred(DeferCause::Unavailable)), NOTHING);
    assert_eq!(scene.pass(10), ["sms 3 jin unreachable"]);
    assert_eq!(scene.answer(3, accepted()), NOTHING);
}

#[test]
fn what_says_both_waits_for_a_reminder_under_way() {
    for (answer, then) in [(accepted(), None), (deferred(DeferCause::Unavailable), Some("sms 3 jin missed"))]
    {
        let mut scene = Scene::at(Severity::Disaster).with_people(vec![person("jin", 0)]);
        scene.rules.gateways = gateways_that(2, true, false);
        scene.plan();
        scene.answer(1, accepted());
        assert_eq!(scene.pass(300), ["sms 2 jin repeat"]);
        assert_eq!(scene.resolve(), NOTHING);
        assert_eq!(scene.report(1, Fate::Failed { reason: "30005".into() }), NOTHING);
        assert_eq!(scene.answer(2, answer), Vec::from_iter(then));
    }
}

#[test]
fn whom_a_text_did_not_reach_hears_of_the_end_by_the_next_gateway() {
    let mut scene = Scene::at(Severity::High).with_people(vec![person("jin", 0)]);
    scene.rules.gateways = gateways_that(2, true, false);
    scene.plan();
    scene.answer(1, accepted());
    assert_eq!(scene.resolve(), NOTHING);
    assert_eq!(scene.report(1, Fate::Failed { reason: "30005".into() }), ["sms 2 jin missed"]);
    assert_eq!(scene.open[0].address, gateway(1));
    assert_eq!(scene.answer(2, deferred(DeferCause::Unavailable)), ["sms 3 jin missed"]);
    assert_eq!(scene.open[0].address, gateway(0), "it may work for this one");
}

#[test]
fn a_text_about_others_that_is_found_is_no_start_whose_end_is_missing() {
    let mut scene = Scene::at(Severity::High)
        .with_people(vec![person("jin", 0), Person { phone: None, ..person("min", 0) }]);
    scene.rules.gateways = gateways_that(1, true, false);
    scene.rules.texts_resolved = true;
    assert_eq!(scene.plan(), ["sms 1 jin", "sms 2 jin unreachable"]);
    scene.answer(1, deferred(DeferCause::Unavailable));
    scene.answer(2, unknown());
    assert_eq!(scene.resolve(), ["sms 3 jin missed"]);
    scene.answer(3, deferred(DeferCause::Unavailable));
    assert_eq!(scene.report(2, Fate::Delivered), NOTHING);
    assert_eq!(scene.pass(60), ["sms 4 jin missed"]);
    scene.answer(4, accepted());
    scene.report(4, Fate::Delivered);
    assert_eq!(scene.due, None);
}

#[test]
fn what_merely_happened_and_reached_nobody_is_told_as_missed() {
    let mut scene = Scene::at(Severity::High).with_people(vec![person("jin", 1), person("min", 1)]);
    scene.rules.gateways.clear();
    scene.alert.kind = Kind::Occurrence;
    scene.alert.close_at = T0 + SignedDuration::from_hours(1);
    scene.plan();
    scene.answer(1, accepted());
    let later = Outcome::Deferred {
        cause: DeferCause::Unavailable,
        retry_after: Some(SignedDuration::from_hours(2)),
        detail: "later".into(),
    };
    scene.answer(2, later);
    assert_eq!(scene.pass(3_600), ["push 3 min missed"], "jin knows, and hears no more of it");
    assert_eq!(scene.answer(3, accepted()), NOTHING);
    assert_eq!(scene.due, None);
}

#[test]
fn a_list_of_contacts_that_names_nobody_any_more_means_everybody() {
    let mut scene = Scene::at(Severity::High).with_people(vec![person("jin", 1), person("min", 1)]);
    scene.alert.to = vec!["min".parse().expect("a name"), "ara".parse().expect("a name")];
    assert_eq!(scene.plan(), ["push 1 min"]);
    let mut scene = Scene::at(Severity::High).with_people(vec![person("jin", 1), person("min", 1)]);
    scene.alert.to = vec!["ara".parse().expect("a name")];
    assert_eq!(scene.plan(), ["push 1 jin", "push 2 min"]);
}

#[test]
fn silence_ends_an_alert_only_after_its_sender_could_have_spoken() {
    let mut scene = Scene::at(Severity::High);
    scene.alert.close_at = T0 + SignedDuration::from_mins(9);
    scene.plan();
    scene.answer(1, accepted());
    scene.now += SignedDuration::from_mins(20);
    scene.started = scene.now;
    assert_eq!(scene.plan(), NOTHING);
    assert_eq!((scene.alert.state, scene.due), (AlertState::Triggered, Some(scene.now + HEARD_AGAIN_WITHIN)));
    assert_eq!(scene.pass(600), ["push 2 jin resolved"]);
    let by = scene.alert.resolved.map(|resolution| resolution.by);
    assert_eq!(by, Some(ResolvedBy::Silence));
}

#[test]
fn the_end_is_told_where_only_its_start_is_found_of_several_unanswered_texts() {
    // The end was tried, or not yet, when the start is found, or the message that says both was given up.
    for (ends_at, found_after, then) in [(0, 0, "missed"), (60, 0, "missed"), (0, 180, "resolved")] {
        let mut scene = Scene::at(Severity::High).with_people(vec![person("jin", 0)]);
        scene.rules.gateways = gateways_that(1, true, false);
        scene.rules.texts_resolved = true;
        scene.plan();
        scene.answer(1, unknown());
        if ends_at == 0 {
            scene.resolve();
        }
        assert_eq!(scene.pass(60).len(), 1);
        scene.answer(2, unknown());
        let mut sent = if ends_at == 60 { scene.resolve() } else { Vec::new() };
        scene.answer_all(scene.now + SignedDuration::from_secs(found_after), &accepted());
        sent.extend(scene.report(1, Fate::Delivered));
        assert_eq!(
            sent.len(),
            usize::from((ends_at, found_after) != (0, 0)),
            "at once where it was not tried"
        );
        sent.extend(scene.answer_all(scene.hours(1), &accepted()));
        assert_eq!(sent, [format!("sms 3 jin {then}")], "{ends_at} {found_after}");
    }
}

#[test]
fn what_says_both_is_not_sent_beside_one_that_is_under_way() {
    let mut scene = Scene::at(Severity::High).with_people(vec![person("jin", 0)]);
    scene.rules.gateways = gateways_that(2, true, false);
    scene.rules.texts_resolved = true;
    scene.plan();
    scene.answer(1, unknown());
    scene.resolve();
    assert_eq!(scene.pass(60), ["sms 2 jin missed"]);
    assert_eq!(scene.report(1, Fate::Taken), NOTHING);
    assert_eq!(scene.report(1, Fate::Failed { reason: "30005".into() }), NOTHING);
    assert_eq!(scene.answer(2, accepted()), NOTHING);
    assert_eq!(scene.answer_all(scene.hours(1), &accepted()), NOTHING);
}

#[test]
fn what_says_both_goes_on_after_a_start_that_was_found_and_lost_while_it_was_under_way() {
    for answer in [deferred(DeferCause::Unavailable), unknown(), rejected(RejectCause::Recipient)] {
        let mut scene = Scene::at(Severity::High).with_people(vec![person("jin", 0), person("min", 1)]);
        scene.rules.gateways = gateways_that(2, true, false);
        scene.plan();
        scene.answer(1, unknown());
        scene.answer(2, accepted());
        assert_eq!(scene.resolve(), ["push 3 min resolved"]);
        scene.answer(3, accepted());
        assert_eq!(scene.pass(60), ["sms 4 jin missed"]);
        assert_eq!(scene.report(1, Fate::Taken), NOTHING);
        assert_eq!(scene.report(1, Fate::Failed { reason: "30005".into() }), NOTHING);
        let mut sent = scene.answer(4, answer.clone());
        sent.extend(scene.answer_all(scene.hours(1), &accepted()));
        assert_eq!(sent, ["sms 5 jin missed"], "{answer:?}");
    }
}

#[test]
fn the_end_is_owed_by_text_though_the_start_went_unanswered_twice() {
    for (texts_resolved, reports) in [(true, false), (true, true), (false, false)] {
        let mut scene = Scene::at(Severity::High).with_people(vec![person("jin", 0)]);
        scene.rules.gateways = gateways_that(1, reports, false);
        scene.rules.texts_resolved = texts_resolved;
        scene.plan();
        scene.answer(1, unknown());
        assert_eq!(scene.pass(60), ["sms 2 jin"]);
        scene.answer(2, unknown());
        let sent = scene.resolve();
        assert_eq!(sent, if texts_resolved { vec!["sms 3 jin missed"] } else { vec![] });
    }
}

#[test]
fn a_start_that_is_accepted_after_its_time_and_the_end_needs_no_message_that_says_both() {
    for reports in [true, false] {
        let mut scene = Scene::at(Severity::High).with_people(vec![person("jin", 0)]);
        scene.rules.gateways = gateways_that(1, reports, false);
        scene.plan();
        scene.resolve();
        assert_eq!(scene.pass(11), NOTHING, "it went unanswered");
        assert_eq!(scene.answer(1, accepted()), NOTHING);
        assert_eq!(scene.told("jin"), Notified::Yes);
        assert_eq!(scene.answer_all(scene.hours(1), &accepted()), NOTHING, "{reports}");
    }
}

#[test]
fn a_raise_that_was_over_before_it_was_planned_is_told_as_any_raise_is() {
    // jin's texts of what was milder went unanswered, or their number is refused.
    for answer in [unknown(), rejected(RejectCause::Recipient)] {
        let people = vec![person("jin", 0), Person { phone: None, ..person("min", 1) }];
        let mut scene = Scene::at(Severity::High).with_people(people);
        scene.plan();
        scene.answer(2, accepted());
        scene.answer(1, answer.clone());
        scene.answer_all(scene.now + SignedDuration::from_mins(2), &answer);
        scene.alert.severity = Severity::Disaster;
        let sent = scene.resolve();
        assert!(sent.iter().any(|sent| sent.starts_with("sms") && sent.ends_with("jin missed")), "{sent:?}");
        let refused = rejected(RejectCause::Recipient);
        let jin = scene.open.iter().find(|send| send.contact.as_str() == "jin").expect("under way").attempt;
        let sent = scene.answer(jin, refused);
        assert!(sent.iter().any(|sent| sent.ends_with("min unreachable")), "{sent:?}");
    }
}

#[test]
fn what_says_both_and_is_found_after_it_was_given_up_is_all_there_is_to_tell() {
    for fate in [Fate::Delivered, Fate::Taken] {
        let mut scene = Scene::at(Severity::High).with_people(vec![person("jin", 0), person("min", 1)]);
        scene.rules.gateways = gateways_that(1, true, false);
        scene.rules.texts_resolved = true;
        scene.plan();
        scene.answer(2, accepted());
        scene.answer(1, deferred(DeferCause::Unavailable));
        assert_eq!(scene.resolve(), ["sms 3 jin missed", "push 4 min resolved"]);
        scene.answer(4, accepted());
        scene.answer(3, unknown());
        assert_eq!(scene.pass(60), ["sms 5 jin missed"]);
        scene.answer(5, unknown());
        assert_eq!(scene.pass(60), ["push 6 min unreachable"]);
        scene.answer(6, accepted());
        assert_eq!(scene.report(3, fate), NOTHING);
        assert_eq!(scene.answer_all(scene.hours(1), &accepted()), NOTHING);
    }
}

#[test]
fn an_end_that_was_accepted_after_its_time_is_not_texted_again_where_it_had_become_milder() {
    let mut scene = Scene::at(Severity::High).with_people(vec![person("jin", 0)]);
    scene.rules.texts_resolved = true;
    scene.plan();
    scene.answer(1, accepted());
    scene.alert.severity = Severity::Warning;
    assert_eq!(scene.plan(), NOTHING);
    assert_eq!(scene.resolve(), ["sms 2 jin resolved"]);
    assert_eq!(scene.pass(11), NOTHING);
    assert_eq!(scene.answer(2, accepted()), NOTHING);
    assert_eq!(scene.answer_all(scene.hours(1), &accepted()), NOTHING);
}

#[test]
fn an_end_that_is_lost_after_what_says_both_is_nothing_to_act_on() {
    let failed = || Fate::Failed { reason: "30005".into() };
    for is_delivered in [true, false] {
        let mut scene = Scene::at(Severity::High).with_people(vec![person("jin", 0)]);
        scene.rules.gateways = gateways_that(2, true, false);
        scene.rules.texts_resolved = true;
        scene.plan();
        scene.answer(1, accepted());
        assert_eq!(scene.resolve(), ["sms 2 jin resolved"]);
        scene.answer(2, accepted());
        assert_eq!(scene.report(1, failed()), ["sms 3 jin missed"]);
        scene.answer(3, accepted());
        if is_delivered {
            assert_eq!(scene.report(3, Fate::Delivered), NOTHING);
        }
        assert_eq!(scene.report(2, failed()), NOTHING);
    }
}

#[test]
fn whom_a_raise_did_not_reach_is_told_of_though_their_end_went_unanswered() {
    let people = vec![person("jin", 0), Person { phone: None, ..person("min", 1) }];
    let mut scene = Scene::at(Severity::Information).with_people(people);
    scene.rules.gateways = gateways_that(1, true, false);
    scene.rules.texts_resolved = true;
    scene.rules.always_at = Some(Severity::Average);
    assert_eq!(scene.plan(), ["sms 1 jin", "push 2 min"]);
    scene.answer(1, accepted());
    scene.report(1, Fate::Delivered);
    scene.answer(2, accepted());
    scene.alert.severity = Severity::Average;
    assert_eq!(scene.plan(), ["sms 3 jin raised", "push 4 min raised"]);
    scene.answer(3, accepted());
    scene.answer(4, accepted());
    assert_eq!(scene.resolve(), ["sms 5 jin resolved", "push 6 min resolved"]);
    scene.answer(6, accepted());
    scene.answer(5, unknown());
    assert_eq!(scene.pass(60), ["sms 7 jin resolved"]);
    scene.answer(7, unknown());
    scene.answer_all(scene.now + SignedDuration::from_mins(2), &accepted());
    let sent = scene.report(3, Fate::Failed { reason: "30005".into() });
    assert_eq!(sent, ["push 8 min unreachable"]);
}

#[test]
fn who_hears_of_others_by_what_began_before_the_end_is_told_the_end_after_it() {
    let resolved = "push 5 jin resolved";
    for (answer, end) in [(accepted(), vec![resolved]), (deferred(DeferCause::Unavailable), vec![])] {
        let mut scene = Scene::at(Severity::Disaster)
            .with_people(vec![person("jin", 1), Person { phone: None, ..person("min", 0) }]);
        assert_eq!(
            scene.plan(),
            ["push 1 jin", "sms 2 jin", "push 3 jin unreachable", "sms 4 jin unreachable"]
        );
        assert_eq!(scene.pass(1), NOTHING);
        assert_eq!(scene.resolve(), NOTHING);
        for failed in [1, 2, 3] {
            assert_eq!(scene.answer(failed, deferred(DeferCause::Unavailable)), NOTHING);
        }
        assert_eq!(scene.answer(4, answer), end);
        let later = scene.answer_all(scene.hours(1), &accepted());
        assert!(later.iter().all(|one| one.ends_with("jin unreachable")), "that says it, too: {later:?}");
        assert_eq!(scene.told("jin"), Notified::Yes);
    }
}

#[test]
fn an_end_that_a_gateway_has_is_not_sent_beside_a_start_that_is_found() {
    let mut scene = Scene::at(Severity::High).with_people(vec![person("jin", 0)]);
    scene.rules.gateways = gateways_that(2, true, false);
    scene.rules.texts_resolved = true;
    scene.plan();
    scene.answer(1, unknown());
    assert_eq!(scene.pass(60), ["sms 2 jin"]);
    scene.answer(2, accepted());
    assert_eq!(scene.resolve(), ["sms 3 jin resolved"]);
    scene.answer(3, accepted());
    assert_eq!(scene.report(2, Fate::Failed { reason: "30005".into() }), ["sms 4 jin missed"]);
    scene.answer(4, unknown());
    assert_eq!(scene.report(1, Fate::Delivered), NOTHING);
    assert_eq!(scene.answer_all(scene.hours(1), &accepted()), NOTHING);
}

#[test]
fn who_hears_of_others_by_a_text_that_is_found_after_the_end_is_told_the_end() {
    let mut scene = Scene::at(Severity::High)
        .with_people(vec![person("jin", 0), Person { phone: None, ..person("min", 0) }]);
    scene.rules.gateways = gateways_that(1, true, false);
    scene.rules.texts_resolved = true;
    assert_eq!(scene.plan(), ["sms 1 jin", "sms 2 jin unreachable"]);
    assert_eq!(scene.pass(5), NOTHING);
    assert_eq!(scene.resolve(), NOTHING);
    assert_eq!(scene.answer(1, deferred(DeferCause::Unavailable)), NOTHING);
    assert_eq!(scene.answer(2, unknown()), NOTHING);
    assert_eq!(scene.report(2, Fate::Delivered), ["sms 3 jin resolved"]);
    scene.answer(3, accepted());
    assert_eq!(scene.answer_all(scene.hours(1), &accepted()), NOTHING);
}
