//! Past a budget: what is counted, what still goes out alone.

use super::*;

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
    let first = storm.people[0].devices[0].id;
    storm.budgets.spend(&[Charge { payer: Payer::Device(first), at: T0, units: 1, reserved: 0 }]);
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
    // min's own budget is spent, too, but this does not go into another digest, which may fail in its turn.
    assert_eq!(storm.plan(), ["sms 3 min unreachable"]);
    let journal = serde_json::to_string(&storm.alerts).expect("JSON");
    assert!(journal.contains(r#""entry":"unreachable","contact":"jin""#), "{journal}");
    let digests = storm.digests().count();
    storm.pass(600);
    assert_eq!(storm.digests().count(), digests);
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
            .all(|(alert, _)| alert.state == AlertState::Resolved && alert.conversation.repeat_at.is_none())
    );
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
fn texts_of_reminders_leave_half_of_a_budget_and_without_one_they_go_by_push() {
    let mut storm = Storm::with(vec![person("jin", 1)], &[rate(4, 86_400)], &[], &[]);
    storm.fire(Severity::High);
    storm.plan();
    let mut reminders = Vec::new();
    for _ in 0..3 {
        storm.answer_all(&|_| accepted());
        reminders.push(storm.pass(1_800).len());
    }
    assert_eq!(reminders, [2, 2, 1], "two texts; the pushes go on");
    assert_eq!(storm.digests().count(), 0, "and no digest is opened");
    let is_said = |row: &&Row| matches!(&row.entry, Entry::Folded { digest: None, .. });
    assert_eq!(
        storm.alerts[0].rows.iter().filter(is_said).count(),
        1,
        "but a text that does not go is a row"
    );
    let alert = &storm.alerts[0];
    assert!(alert.progress.contacts.values().all(|contact| contact.unreachable.is_none()));
}

#[test]
fn reminders_that_have_neither_a_text_left_nor_a_push_are_told_in_a_digest() {
    let mut storm = Storm::with(vec![no_device("jin")], &[rate(4, 86_400)], &[], &[]);
    storm.fire(Severity::Disaster);
    assert_eq!(storm.plan(), ["sms 1 jin"]);
    for minutes in [5, 10] {
        storm.answer_all(&|_| accepted());
        assert_eq!(storm.pass(300).len(), 1, "at {minutes}");
    }
    storm.answer_all(&|_| accepted());
    assert_eq!(storm.pass(300), NOTHING);
    assert_eq!(storm.pass(30), ["sms 1 jin digest"]);
    assert_eq!(storm.words_of_digests(), ["1 more: 1 disaster"]);
}

#[test]
fn whom_an_alert_did_not_reach_is_told_by_the_digest_that_tells_the_alert() {
    let kim = no_device("kim");
    let mut storm = Storm::with(vec![no_device("ara"), no_device("jin"), kim], &[rate(3, 600)], &[], &[]);
    for _ in 0..3 {
        let charge = Charge {
            payer: Payer::Contact("kim".parse().expect("a name"), Tier::Ordinary),
            at: T0,
            units: 1,
            reserved: 0,
        };
        storm.budgets.spend(&[charge]);
    }
    storm.fire(Severity::High);
    assert_eq!(storm.plan(), ["sms 1 ara", "sms 2 jin"]);
    storm.answer_all(&|_| rejected(RejectCause::Recipient));
    assert_eq!(storm.plan(), NOTHING);
    assert_eq!(storm.pass(30), ["sms 1 kim digest"]);
    assert_eq!(storm.words_of_digests(), ["1 more: 1 high, ara, jin could not be reached"]);
}

#[test]
fn a_later_digest_does_not_hide_as_how_severe_an_earlier_one_told_it() {
    let mut storm = Storm::with(vec![no_device("jin")], &[rate(1, 600)], &[], &[]);
    storm.fire(Severity::High);
    let second = storm.fire(Severity::High);
    storm.plan();
    storm.answer_all(&|_| accepted());
    assert_eq!(storm.pass(30), ["sms 1 jin digest"]);
    storm.answer_all(&|_| accepted());
    storm.alerts[second].severity = Severity::Average;
    storm.over(second);
    assert_eq!(storm.plan(), NOTHING, "a digest tells the end");
    assert_eq!(storm.rows.values().map(BTreeMap::len).collect::<Vec<_>>(), [1, 1]);
    let rows = storm.alerts[second].rows.len();
    storm.dues[second] = Some(storm.now);
    assert_eq!(storm.plan(), NOTHING);
    assert_eq!(storm.alerts[second].rows.len(), rows, "once");
}

#[test]
fn that_it_was_graver_than_they_knew_is_not_counted_as_a_mere_end() {
    let mut storm = Storm::with(vec![no_device("jin")], &[rate(2, 600)], &[], &[]);
    let number = storm.fire(Severity::Average);
    storm.plan();
    storm.answer_all(&|_| accepted());
    storm.alerts[number].severity = Severity::High;
    storm.dues[number] = Some(storm.now);
    assert_eq!(storm.plan(), ["sms 2 jin raised"]);
    storm.answer_all(&|_| deferred(DeferCause::Unavailable));
    let payer = Payer::Contact("jin".parse().expect("a name"), Tier::Ordinary);
    storm.budgets.spend(&[Charge { payer, at: storm.now, units: 2, reserved: 0 }]);
    storm.over(number);
    assert_eq!(storm.plan(), NOTHING);
    let rows: Vec<_> = storm.rows.values().flat_map(BTreeMap::values).collect();
    assert!(rows.len() == 1 && rows[0].missed, "{rows:?}");
}

#[test]
fn an_end_that_a_digest_counts_is_not_mere_once_its_start_is_lost() {
    let mut storm = Storm::with(vec![no_device("jin")], &[rate(1, 600)], &[], &[]);
    storm.rules.gateways = gateways_that(1, true, false);
    storm.rules.texts_resolved = true;
    let number = storm.fire(Severity::Average);
    storm.plan();
    storm.answer_all(&|_| accepted());
    storm.over(number);
    assert_eq!(storm.plan(), NOTHING);
    assert_eq!(storm.report(number, 1, Fate::Failed { reason: "30005".into() }), NOTHING);
    let rows: Vec<_> = storm.rows.values().flat_map(BTreeMap::values).collect();
    assert!(rows.len() == 1 && rows[0].missed, "{rows:?}");
    assert_eq!(storm.pass(600), ["sms 1 jin digest"]);
}

#[test]
fn a_mere_end_that_a_digest_counts_says_nothing_of_a_raise_that_was_lost() {
    let mut storm = Storm::with(vec![no_device("jin")], &[rate(2, 600)], &[], &[]);
    storm.rules.gateways = gateways_that(1, true, false);
    storm.rules.texts_resolved = true;
    let number = storm.fire(Severity::Average);
    storm.plan();
    storm.answer_all(&|_| accepted());
    storm.report(number, 1, Fate::Delivered);
    storm.alerts[number].severity = Severity::High;
    storm.dues[number] = Some(storm.now);
    assert_eq!(storm.plan(), ["sms 2 jin raised"]);
    storm.answer_all(&|_| accepted());
    storm.over(number);
    assert_eq!(storm.plan(), NOTHING, "the budget is spent");
    assert_eq!(storm.report(number, 2, Fate::Failed { reason: "30005".into() }), NOTHING);
    let rows: Vec<_> = storm.rows.values().flat_map(BTreeMap::values).collect();
    assert!(rows.len() == 1 && rows[0].missed, "{rows:?}");
}

#[test]
fn a_round_that_another_follows_is_counted_as_over() {
    let mut storm = Storm::with(vec![no_device("jin")], &[rate(1, 600)], &[], &[]);
    for _ in 0..3 {
        storm.fire(Severity::High);
    }
    storm.plan();
    storm.answer_all(&|_| accepted());
    storm.over(1);
    storm.alerts[1].openings.superseded = Some(crate::alert::Successor::Tells);
    storm.plan();
    storm.pass(30);
    assert_eq!(storm.words_of_digests(), ["2 more: 1 high, 1 resolved"]);
}

#[test]
fn the_end_of_what_a_digest_told_by_text_is_texted_if_so_configured() {
    let mut storm = Storm::with(vec![person("jin", 1)], &[rate(1, 600)], &[], &[]);
    (storm.rules.texts_resolved, storm.rules.always_at) = (true, Some(Severity::High));
    storm.fire(Severity::High);
    storm.fire(Severity::High);
    storm.plan();
    storm.answer_all(&|send| match send.address {
        Address::Gateway(_) => accepted(),
        Address::Device(_) => rejected(RejectCause::Message),
    });
    storm.plan();
    assert_eq!(storm.pass(30), ["push 1 jin digest", "sms 2 jin digest"]);
    storm.answer_all(&|_| accepted());
    storm.over(1);
    storm.plan();
    assert_eq!(storm.pass(60), ["push 1 jin digest", "sms 2 jin digest"]);
    assert_eq!(storm.words_of_digests()[1], "1 more: 1 resolved");
}

#[test]
fn with_one_device_past_its_rate_and_the_other_refused_a_digest_tells_it() {
    let no_phone = Person { phone: None, ..person("jin", 2) };
    let mut storm = Storm::with(vec![no_phone], &[], &[], &[rate(4, 3_600)]);
    let first = storm.people[0].devices[0].id;
    for _ in 0..4 {
        storm.budgets.spend(&[Charge { payer: Payer::Device(first), at: storm.now, units: 1, reserved: 0 }]);
    }
    storm.fire(Severity::High);
    assert_eq!(storm.plan(), ["push 1 jin"]);
    storm.answer_all(&|_| rejected(RejectCause::Message));
    storm.plan();
    assert_eq!(storm.digests().count(), 1);
    assert!(storm.alerts[0].progress.contacts.values().all(|contact| contact.unreachable.is_none()));
}

#[test]
fn a_digest_of_mere_ends_is_over_where_nobody_can_be_pushed_to() {
    let mut storm = Storm::with(vec![no_device("jin")], &[rate(2, 600)], &[], &[]);
    for _ in 0..6 {
        storm.fire(Severity::High);
    }
    storm.plan();
    storm.answer_all(&|_| accepted());
    assert_eq!(storm.pass(30), ["sms 1 jin digest"]);
    storm.answer_all(&|_| accepted());
    storm.pass(60);
    for number in 0..6 {
        storm.over(number);
    }
    for _ in 0..10 {
        storm.pass(60);
    }
    assert_eq!(storm.digests().count(), 2);
    assert!(storm.digests().all(|(digest, _)| !digest.is_open()));
}

#[test]
fn what_was_over_before_its_digest_told_it_is_told() {
    let mut storm = Storm::with(vec![no_device("jin")], &[rate(1, 600)], &[], &[]);
    storm.fire(Severity::High);
    storm.fire(Severity::High);
    storm.plan();
    storm.over(1);
    storm.answer_all(&|_| accepted());
    storm.plan();
    assert_eq!(storm.pass(30), ["sms 1 jin digest"], "nobody told that it fired");
    assert_eq!(storm.words_of_digests(), ["1 more: 1 resolved"]);
}

#[test]
fn digests_that_cannot_be_delivered_do_not_breed_digests() {
    for outcome in [rejected(RejectCause::Refused), unknown()] {
        let mut storm = Storm::with(vec![no_device("jin"), no_device("min")], &[rate(2, 86_400)], &[], &[]);
        for _ in 0..4 {
            storm.fire(Severity::High);
        }
        storm.plan();
        storm.answer_all(&|_| accepted());
        let settle = |storm: &mut Storm, minutes: i64, outcome: &Outcome| {
            let mut sent = Vec::new();
            for _ in 0..12 * minutes {
                sent.extend(storm.pass(5));
                while !storm.open.is_empty() {
                    storm.answer_all(&|_| outcome.clone());
                    sent.extend(storm.plan());
                }
            }
            sent
        };
        settle(&mut storm, 120, &outcome);
        // The first, and one for each reminder.
        assert!(storm.digests().count() <= 2 * 5, "{:?}", storm.words_of_digests());
        let texts = settle(&mut storm, 60, &accepted());
        assert!(texts.len() <= 2 * 10, "{texts:?}");
        let mut counted = storm.digests().filter(|(_, digest)| digest.counted.is_some());
        assert!(counted.all(|(alert, _)| !alert.is_open()), "{outcome:?}");
    }
}

#[test]
fn what_a_digest_counts_is_not_counted_again_because_its_push_goes_unanswered() {
    let mut storm = Storm::with(vec![person("jin", 1)], &[rate(1, 86_400)], &[], &[]);
    for _ in 0..5 {
        storm.fire(Severity::High);
    }
    let mut digests = 0;
    for _ in 0..720 {
        digests +=
            storm.pass(5).iter().filter(|sent| sent.contains("sms") && sent.contains("digest")).count();
        storm.answer_all(&|send| match send.address {
            Address::Gateway(_) => accepted(),
            Address::Device(_) => unknown(),
        });
    }
    assert!(digests <= 2, "{digests} texts of digests in an hour");
}

#[test]
fn what_a_digest_counts_is_not_begun_again_because_its_push_got_no_answer() {
    let mut storm = Storm::with(vec![person("jin", 1)], &[rate(1, 600)], &[], &[]);
    storm.rules.always_at = Some(Severity::High);
    storm.fire(Severity::High);
    storm.plan();
    storm.answer_all(&|_| accepted());
    storm.fire(Severity::High);
    assert_eq!(storm.plan(), ["push 1 jin"], "the text is left to the digest");
    storm.answer_all(&|_| unknown());
    assert_eq!(storm.plan(), NOTHING, "and so is the push, once it has no answer");
    assert_eq!(storm.pass(30), ["push 1 jin digest", "sms 2 jin digest"]);
}

#[test]
fn what_two_digests_are_about_to_tell_is_over_in_both() {
    let mut storm = Storm::with(vec![no_device("jin")], &[rate(1, 600)], &[rate(1, 600)], &[]);
    storm.fire(Severity::High);
    storm.fire(Severity::Disaster);
    let raised = storm.fire(Severity::High);
    storm.plan();
    storm.answer_all(&|_| accepted());
    storm.alerts[raised].severity = Severity::Disaster;
    storm.dues[raised] = Some(storm.now);
    assert_eq!(storm.plan(), NOTHING);
    storm.over(raised);
    storm.pass(10);
    storm.pass(20);
    assert_eq!(storm.words_of_digests(), ["1 more: 1 resolved", "1 more: 1 resolved"]);
}
