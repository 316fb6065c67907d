//! Whatever happens in whatever order.

use super::*;

#[derive(Clone, Debug)]
enum Happening {
    Fire(u8),
    Over(usize),
    Acknowledge(usize),
    Raise(usize),
    Restart,
    Pass(i64),
    Plan(usize, bool),
    PlanAll,
    Answer(usize, Outcome),
    Report(usize, u32, Fate),
}

fn happening() -> impl Strategy<Value = Happening> {
    let outcome = prop_oneof![
        4 => Just(accepted()),
        2 => Just(deferred(DeferCause::Unavailable)),
        1 => Just(rejected(RejectCause::Message)),
        1 => Just(unknown()),
    ];
    let fate = prop_oneof![2 => Just(undelivered()), 1 => Just(Fate::Delivered), 1 => Just(Fate::Taken), 1 => Just(Fate::NotThere)];
    prop_oneof![
        8 => (0_u8..6).prop_map(Happening::Fire),
        1 => any::<usize>().prop_map(Happening::Over),
        1 => any::<usize>().prop_map(Happening::Acknowledge),
        1 => any::<usize>().prop_map(Happening::Raise),
        1 => Just(Happening::Restart),
        3 => (1_i64..40).prop_map(Happening::Pass),
        1 => (40_i64..900).prop_map(Happening::Pass),
        8 => (any::<usize>(), proptest::bool::weighted(0.8)).prop_map(|(which, kept)| Happening::Plan(which, kept)),
        2 => Just(Happening::PlanAll),
        8 => (any::<usize>(), outcome).prop_map(|(which, outcome)| Happening::Answer(which, outcome)),
        4 => (any::<usize>(), 1_u32..5, fate).prop_map(|(which, attempt, fate)| Happening::Report(which, attempt, fate)),
    ]
}

proptest! {
    /// Alerts are planned in any order, some plans meet a conflict, providers answer and report as they like.
    #[test]
    fn budgets_hold_and_digests_sum_under_any_interleaving(
        happenings in proptest::collection::vec(happening(), 0..160),
        segments in 1_u16..4,
        (few, many) in (1_u32..6, 4_u32..12),
    ) {
        let people = vec![person("jin", 1), no_device("min")];
        let texts = [rate(few, 60), rate(many, 600)];
        let mut storm = Storm::with(people, &texts, &[rate(few, 120)], &[rate(many, 60)]);
        storm.segments = segments;
        storm.rules.gateways = gateways_that(2, true, true);
        for gateway in &mut storm.rules.gateways {
            gateway.segments_max = segments;
            gateway.per_day = NonZeroU32::new(many);
        }
        storm.budgets = Budgets::new(&storm.rules);
        for happening in happenings {
            match happening {
                Happening::Fire(severity) => {
                    storm.fire(Severity::from_number(severity).expect("0 to 5"));
                }
                Happening::Over(which) | Happening::Acknowledge(which) | Happening::Raise(which)
                    if !storm.alerts.is_empty() =>
                {
                    let number = which % storm.alerts.len();
                    if !storm.alerts[number].is_open() || storm.alerts[number].digest.is_some() {
                        continue;
                    }
                    if matches!(happening, Happening::Over(_)) {
                        storm.over(number);
                    } else if matches!(happening, Happening::Acknowledge(_)) {
                        storm.acknowledge(number);
                    } else {
                        storm.alerts[number].severity = Severity::Disaster;
                        storm.dues[number] = Some(storm.now);
                    }
                }
                Happening::Restart => storm.restart(),
                Happening::Plan(which, kept) if !storm.alerts.is_empty() => {
                    storm.plan_one(which % storm.alerts.len(), kept);
                }
                Happening::Pass(seconds) => storm.now += SignedDuration::from_secs(seconds),
                Happening::PlanAll => drop(storm.plan()),
                Happening::Answer(which, outcome) if !storm.open.is_empty() => {
                    storm.answer_one(which % storm.open.len(), outcome);
                }
                Happening::Report(which, attempt, fate) if !storm.alerts.is_empty() => {
                    storm.take_report(which % storm.alerts.len(), attempt, fate);
                }
                Happening::Over(_) | Happening::Acknowledge(_) | Happening::Raise(_) | Happening::Plan(..) | Happening::Answer(..) | Happening::Report(..) => {}
            }
        }
        storm.plan();
        storm.assert_budgets_hold();
        storm.assert_digests_sum();
        storm.assert_nobody_is_forgotten();
    }

    #[test]
    fn a_window_never_forgets_early(spent in proptest::collection::vec((0_i64..5_000, 1_i32..4), 1..60), per in 1_i64..900) {
        let mut rules = Scene::at(Severity::High).rules;
        rules.text_budget = vec![rate(1_000_000, per)];
        let jin: ContactName = "jin".parse().expect("a name");
        let payer = Payer::Contact(jin, Tier::Ordinary);
        let mut times = spent;
        times.sort_unstable();
        let mut budgets = Budgets::new(&rules);
        for (seconds, units) in &times {
            let at = T0 + SignedDuration::from_secs(*seconds);
            budgets.spend(&[Charge { payer: payer.clone(), at, units: *units, reserved: 0 }]);
            let within = |(earlier, _): &&(i64, i32)| *earlier <= *seconds && seconds - earlier < per;
            let real: u64 = times.iter().filter(within).map(|(_, units)| u64::from(units.unsigned_abs())).sum();
            let left = |more| budgets.has_room(&payer, window::Spare::Nothing, at, more);
            // What was spent later at the same second is still to come.
            let now: u64 = times.iter().filter(|(earlier, _)| earlier == seconds).map(|(_, units)| u64::from(units.unsigned_abs())).sum();
            prop_assert!(!left(1_000_000 - (real - now).min(real)), "at least the earlier ones count");
        }
    }
}

#[test]
fn an_unreachable_note_does_not_hide_that_the_alert_fires() {
    assert!(FoldWord::Unreachable < FoldWord::Fired && FoldWord::Fired < FoldWord::Resolved);
}
