//! A gateway's day, what a text costs, and texts that did not arrive.

use super::*;

#[test]
fn a_gateway_past_its_day_takes_only_what_no_limit_may_drop() {
    let mut storm = Storm::with(vec![no_device("jin")], &[], &[], &[]);
    storm.rules.gateways = gateways(2);
    for gateway in &mut storm.rules.gateways {
        gateway.per_day = NonZeroU32::new(1);
    }
    storm.budgets = Budgets::new(&storm.rules);
    let taken = |name: &str| Charge { payer: Payer::Gateway(name.into()), at: T0, units: 1, reserved: 0 };
    storm.budgets.spend(&[taken("gateway1")]);
    storm.fire(Severity::High);
    storm.plan();
    assert_eq!(storm.open[0].1.address, gateway(1), "the next one");
    storm.budgets.spend(&[taken("gateway2")]);
    storm.fire(Severity::High);
    storm.fire(Severity::Disaster);
    assert_eq!(storm.plan(), ["sms 1 jin"], "the disaster");
    assert_eq!(storm.pass(30), ["sms 1 jin digest"]);
}

/// Gateways that may take `per_day` segments each, `spent` of which have none of it left.
fn with_days(gateways_in_all: usize, per_day: u16, spent: &[&str]) -> Storm {
    let mut storm = Storm::with(vec![no_device("jin")], &[], &[], &[]);
    storm.rules.gateways = gateways(gateways_in_all);
    for gateway in &mut storm.rules.gateways {
        gateway.per_day = NonZeroU32::new(per_day.into());
    }
    storm.budgets = Budgets::new(&storm.rules);
    for name in spent {
        storm.budgets.spend(&[Charge {
            payer: Payer::Gateway((*name).into()),
            at: T0,
            units: per_day.into(),
            reserved: 0,
        }]);
    }
    storm
}

#[test]
fn a_gateway_past_its_day_takes_nothing_that_another_one_could_not_send() {
    let put_off = || deferred(DeferCause::Unavailable);
    let mut storm = with_days(2, 2, &["gateway2"]);
    storm.fire(Severity::High);
    storm.fire(Severity::Disaster);
    assert_eq!(storm.plan(), ["sms 1 jin", "sms 1 jin"]);
    storm.answer_all(&|_| put_off());
    assert_eq!(storm.plan(), ["sms 2 jin"], "the disaster");
    assert_eq!(storm.open[0].1.address, gateway(1));
    storm.answer_all(&|_| accepted());
    assert_eq!(storm.pass(30), ["sms 1 jin digest"], "the other one is counted");
    storm.answer_all(&|_| put_off());
    storm.plan();
    assert_eq!(storm.open[0].1.address, gateway(1), "a digest goes all the same");
    storm.assert_digests_sum();

    let mut storm = with_days(3, 1, &["gateway2"]);
    storm.fire(Severity::High);
    storm.plan();
    storm.answer_all(&|_| put_off());
    storm.plan();
    assert_eq!(storm.open[0].1.address, gateway(2), "one after it has room");
    storm.answer_all(&|_| put_off());
    assert_eq!(storm.plan(), NOTHING, "that was all of them");
    assert_eq!(storm.pass(10), ["sms 3 jin"], "after a pause");
    assert_eq!(storm.digests().count(), 0);
}

#[test]
fn one_alert_for_many_people_does_not_pass_a_gateways_day_by_all_of_them() {
    let people: Vec<Person> = (0..9).map(|number| no_device(&format!("p{number}"))).collect();
    let mut storm = Storm::with(people, &[], &[], &[]);
    storm.rules.gateways = gateways(2);
    storm.rules.gateways[0].per_day = NonZeroU32::new(2);
    storm.rules.gateways[1].per_day = NonZeroU32::new(3);
    storm.budgets = Budgets::new(&storm.rules);
    storm.fire(Severity::High);
    assert_eq!(storm.plan().len(), 5);
    assert_eq!(storm.digests().count(), 4, "the others are told by digests, which no limit drops");
}

#[test]
fn a_text_that_did_not_arrive_is_not_sent_by_a_gateway_past_its_day() {
    let mut storm = with_days(2, 1, &["gateway2"]);
    for gateway in &mut storm.rules.gateways {
        gateway.reports = true;
    }
    let first = storm.fire(Severity::High);
    storm.plan();
    storm.answer_all(&|_| accepted());
    assert_eq!(storm.report(first, 1, undelivered()), NOTHING);
    assert_eq!(storm.pass(30), ["sms 1 jin digest"]);
}

#[test]
fn a_dearer_gateway_is_paid_for_and_what_was_put_off_is_not() {
    let spent = |storm: &Storm, segments: u64| {
        let jin: ContactName = "jin".parse().expect("a name");
        let payer = Payer::Contact(jin, Tier::Ordinary);
        let room = |more| storm.budgets.has_room(&payer, window::Spare::Nothing, storm.now, more);
        !room(100 - segments) && room(99 - segments)
    };
    let budget = [rate(100, 6_000)];
    let put_off = |_: &Send| deferred(DeferCause::Unavailable);
    let mut storm = Storm::with(vec![no_device("jin")], &budget, &[], &[]);
    storm.rules.gateways = gateways(2);
    storm.rules.gateways[1].segments_max = 3;
    storm.fire(Severity::High);
    storm.plan();
    assert!(spent(&storm, 1));
    for round in 0..3 {
        storm.answer_all(&put_off);
        storm.plan();
        assert!(spent(&storm, 3), "round {round}: what the dearer of the two would cost");
        storm.answer_all(&put_off);
        storm.pass(60);
    }

    let mut storm = Storm::with(vec![no_device("jin")], &budget, &[], &[]);
    storm.fire(Severity::High);
    storm.plan();
    storm.answer_all(&|_| unknown());
    for round in 0..3 {
        assert_eq!(storm.pass(60).len(), 1);
        assert!(spent(&storm, 2), "round {round}: the one without an answer, and this one");
        storm.answer_all(&put_off);
        storm.plan();
    }
}

#[test]
fn a_text_that_did_not_arrive_is_charged_once_more_and_held_back_by_no_budget() {
    let mut storm = Storm::with(vec![no_device("jin")], &[rate(2, 600)], &[], &[]);
    storm.rules.gateways = gateways_that(3, true, false);
    let first = storm.fire(Severity::High);
    assert_eq!(storm.plan(), ["sms 1 jin"]);
    storm.answer_all(&|_| accepted());
    assert_eq!(storm.report(first, 1, undelivered()), ["sms 2 jin"]);
    assert_eq!(storm.open[0].1.address, gateway(1));
    storm.answer_all(&|_| accepted());
    storm.fire(Severity::High);
    assert_eq!(storm.plan(), NOTHING, "both texts were paid for");
    assert_eq!(storm.report(first, 2, undelivered()), ["sms 3 jin"], "it was let through before");
    assert_eq!(storm.open[0].1.address, gateway(2), "not one that failed to deliver it");
    storm.assert_digests_sum();
}

#[test]
fn whoever_a_digest_told_stays_told_though_a_text_did_not_arrive() {
    let mut storm = Storm::with(vec![no_device("jin")], &[rate(1, 3_600)], &[], &[]);
    storm.rules.gateways = gateways_that(1, true, false);
    let first = storm.fire(Severity::High);
    storm.fire(Severity::High);
    assert_eq!(storm.plan(), ["sms 1 jin"]);
    storm.answer_all(&|_| accepted());
    storm.pass(30);
    storm.answer_all(&|_| accepted());
    assert_eq!(storm.pass(1_770), NOTHING, "both reminders are for a digest");
    storm.report(first, 1, undelivered());
    let jin = storm.alerts[first].progress.contacts.values().next().expect("jin");
    assert_eq!((jin.notified(), jin.certain), (Notified::Counted, Notified::Counted));
}

#[test]
fn a_digest_whose_text_did_not_arrive_is_pushed_again_or_reported_to_the_others() {
    for push_is_answered_first in [false, true] {
        let mut storm = Storm::with(vec![person("jin", 1)], &[], &[rate(1, 600)], &[]);
        storm.rules.gateways = gateways_that(1, true, false);
        storm.fire(Severity::Disaster);
        storm.fire(Severity::Disaster);
        storm.plan();
        storm.answer_all(&|_| accepted());
        assert_eq!(storm.pass(10), ["push 1 jin digest", "sms 2 jin digest"]);
        let digest = storm.open[0].0;
        storm.people.push(no_device("min"));
        storm.answer_one(1, accepted());
        storm.plan();
        let put_off = deferred(DeferCause::Unavailable);
        if push_is_answered_first {
            storm.answer_one(0, put_off.clone());
            assert_eq!(storm.plan(), NOTHING, "the text is enough");
            assert_eq!(storm.report(digest, 2, undelivered()), ["push 3 jin digest"]);
            storm.answer_one(0, put_off);
            assert_eq!(storm.plan(), ["sms 4 min unreachable"]);
        } else {
            assert_eq!(storm.report(digest, 2, undelivered()), NOTHING);
            storm.answer_one(0, put_off);
            assert_eq!(storm.plan(), NOTHING);
            assert_eq!(storm.pass(10), ["push 3 jin digest"], "it is not enough any more");
        }
    }
}

/// What may follow the answer or the silence of a first attempt.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Then {
    /// Its answer comes, late or for a second time.
    Answer,
    /// Its gateway reports that it has it, or that it failed.
    Taken,
    Failed,
    /// A minute passes, after which what was not answered is sent once more.
    Minute,
}

/// What an attempt is charged whose answer is waited for, and without one.
const ANSWERED: i32 = 2;
const MOST: i32 = 3;

/// One text by the first of two gateways.
fn first_attempt() -> Storm {
    let mut storm = Storm::with(vec![no_device("jin")], &[], &[], &[]);
    storm.rules.gateways = gateways_that(2, true, false);
    for gateway in &mut storm.rules.gateways {
        (gateway.segments_max, gateway.per_day) = (3, NonZeroU32::new(1_000));
    }
    (storm.budgets, storm.segments) = (Budgets::new(&storm.rules), 2);
    storm.fire(Severity::High);
    assert_eq!(storm.plan(), ["sms 1 jin"]);
    storm
}

#[test]
fn an_attempt_is_charged_once_in_whatever_order_its_answer_silence_and_reports_come() {
    let events = [Then::Answer, Then::Answer, Then::Taken, Then::Failed, Then::Minute];
    let orders =
        (0..events.len().pow(3)).map(|order| [order, order / 5, order / 25].map(|at| events[at % 5]));
    let flags = [false, true];
    let cases = orders.flat_map(|order| flags.map(|in_time| (order, in_time)));
    let cases = cases.flat_map(|(order, in_time)| flags.map(|at_once| (order, in_time, at_once)));
    for (order, in_time, at_once) in cases {
        for outcome in [accepted(), unknown()] {
            let mut storm = first_attempt();
            let first = storm.open[0].clone();
            if in_time {
                storm.answer_one(0, outcome.clone());
            } else {
                storm.open.clear();
                storm.now += SignedDuration::from_secs(11);
            }
            storm.plan();
            for event in order {
                match event {
                    Then::Answer => {
                        storm.open.push(first.clone());
                        storm.answer_one(storm.open.len() - 1, outcome.clone());
                    }
                    Then::Taken => storm.take_report(0, 1, Fate::Taken),
                    Then::Failed => storm.take_report(0, 1, undelivered()),
                    Then::Minute => storm.now += SignedDuration::from_secs(61),
                }
                storm.plan();
                if at_once {
                    storm.answer_all(&|_| accepted());
                    storm.plan();
                }
            }
            for _ in 0..2 {
                let open = storm.open.clone();
                storm.answer_all(&|_| accepted());
                storm.plan();
                storm.open = open;
            }

            let case = format!("{outcome:?}, in time {in_time}, then {order:?}, others at once {at_once}");
            let of_gateways = storm.charges.iter().filter(|charge| matches!(charge.payer, Payer::Gateway(_)));
            let (units, reserved): (Vec<_>, Vec<_>) =
                of_gateways.map(|charge| (charge.units, charge.reserved)).unzip();
            assert_eq!(reserved.iter().sum::<i32>(), 0, "nothing stays reserved: {case}");
            let others = i32::try_from(storm.alerts[0].attempts - 1).expect("few");
            let least = if in_time { ANSWERED } else { MOST } + ANSWERED * others;
            let most = if at_once { least } else { least + (MOST - ANSWERED) * others };
            let spent = units.iter().sum::<i32>();
            assert!((least..=most).contains(&spent), "{spent} is not {least} to {most}: {case}");
        }
    }
}
