//! A clock that ran ahead: what it has dated is pulled back, and nothing else is.

use super::{
    histories::{Happening, happening},
    *,
};
use crate::alert::{Digest, Payer, Tier};

const AHEAD: SignedDuration = SignedDuration::from_hours(9);

impl Scene {
    /// The process ends, the clock is set right, the process starts again; says what goes out.
    fn set_back(&mut self, by: SignedDuration) -> Vec<String> {
        self.now -= by;
        self.started = self.now;
        self.open.clear();
        self.plan()
    }

    fn is_misdated_after(&self, by: SignedDuration) -> bool {
        is_misdated(&self.alert, self.due.expect("it is scheduled"), &self.rules, self.now - by)
    }

    fn due_in(&self) -> Option<i64> {
        self.due.map(|due| due.duration_since(self.now).as_secs())
    }
}

#[test]
fn a_retry_goes_out_at_once_and_its_text_within_the_usual_time() {
    let mut scene = Scene::at(Severity::High);
    scene.plan();
    scene.answer(1, deferred(DeferCause::Unavailable));
    assert!(scene.is_misdated_after(AHEAD));
    assert_eq!(scene.set_back(AHEAD), ["push 2 jin"]);
    scene.answer(2, deferred(DeferCause::Unavailable));
    assert_eq!(scene.pass(19), NOTHING);
    assert_eq!(scene.pass(1), ["push 3 jin", "sms 4 jin"]);
}

#[test]
fn a_pause_that_could_be_one_of_the_present_is_known_by_its_notification() {
    let mut scene = Scene::at(Severity::High).with_people(vec![person("jin", 0)]);
    scene.plan();
    scene.answer(1, deferred(DeferCause::Unavailable));
    assert!(scene.due_in() < Some(60), "far below the longest pause");
    assert_eq!(scene.set_back(SignedDuration::from_mins(40)), ["sms 2 jin"]);
}

#[test]
fn what_the_clock_dated_while_it_was_ahead_is_told_from_what_was_planned_before() {
    let hour = Outcome::Deferred {
        cause: DeferCause::ProjectFault,
        retry_after: Some(RETRY_AFTER_MAX),
        detail: "key revoked".into(),
    };
    let people = vec![person("jin", 1), person("min", 1)];
    let mut scene = Scene::at(Severity::Average).with_people(people);
    scene.rules.gateways.clear();
    scene.rules.push_ttl = SignedDuration::from_hours(24);
    scene.plan();
    scene.answer(1, hour.clone());
    scene.answer(2, hour.clone());
    assert_eq!(scene.set_back(SignedDuration::ZERO), NOTHING, "a provider may ask for an hour");

    // The clock runs ahead at this start only: the notifications are of the past, what follows in them is not.
    scene.now += AHEAD;
    scene.started = scene.now;
    assert_eq!(scene.plan(), ["push 3 jin", "push 4 min"]);
    scene.answer(3, hour);
    assert_eq!(scene.set_back(AHEAD - SignedDuration::from_mins(5)), ["push 5 jin"]);
    assert!(scene.journal().contains("no answer in time"), "min's attempt: {}", scene.journal());
    assert_eq!(scene.pass(20), ["push 6 min"]);
}

#[test]
fn an_attempt_in_flight_is_unknown_at_once() {
    let mut scene = Scene::at(Severity::High);
    scene.plan();
    assert_eq!(scene.set_back(AHEAD), NOTHING);
    assert!(scene.journal().contains(r#""outcome":"unknown""#), "{}", scene.journal());
    assert_eq!(scene.pass(10), ["push 2 jin"]);
    assert_eq!(scene.pass(10), ["sms 3 jin"]);
}

#[test]
fn a_text_that_may_have_arrived_is_sent_once_more_after_a_minute() {
    for (asks, due_in) in [(false, 60), (true, 60)] {
        let mut scene = Scene::at(Severity::High).with_people(vec![person("jin", 0)]);
        scene.rules.gateways = gateways_that(1, asks, asks);
        scene.plan();
        scene.answer(1, unknown());
        assert_eq!(scene.set_back(AHEAD), NOTHING);
        assert_eq!(scene.asked.len(), usize::from(asks), "asked at once, where it can be asked");
        assert_eq!(scene.due_in(), Some(due_in));
        assert_eq!(scene.pass(60), ["sms 2 jin"]);
        scene.answer(2, unknown());
        assert_eq!(scene.pass(1_600), NOTHING, "and never again");
    }
}

#[test]
fn reminders_and_questions_come_at_their_distance_from_now() {
    let mut scene = Scene::at(Severity::High);
    scene.plan();
    scene.answer(1, accepted());
    assert_eq!(scene.set_back(AHEAD), NOTHING);
    assert_eq!(scene.due_in(), Some(30 * 60));
    assert_eq!(scene.pass(30 * 60), ["push 2 jin repeat", "sms 3 jin repeat"]);

    let mut scene = Scene::at(Severity::Information).with_people(vec![person("jin", 0)]);
    scene.rules.gateways = gateways_that(1, false, true);
    scene.plan();
    scene.answer(1, accepted());
    assert_eq!(scene.set_back(AHEAD), NOTHING);
    assert_eq!(scene.due_in(), Some(60), "the first question");
}

#[test]
fn a_digest_collects_no_longer_than_it_may() {
    let mut scene = Scene::at(Severity::High);
    for (tier, due_in) in [(Tier::Disaster, 45), (Tier::Ordinary, 300)] {
        let due_at = T0 + AHEAD;
        let digest = Digest { contact: "jin".parse().expect("a name"), tier, due_at, counted: None };
        scene.alert = Alert::opened_digest(AlertId::new(T0, [7; 10]), digest, T0);
        assert!(is_misdated(&scene.alert, due_at, &scene.rules, T0));
        scene.plan();
        assert_eq!(scene.due_in(), Some(due_in));
    }
}

#[test]
fn what_flaps_is_quiet_for_no_longer_than_it_would_be() {
    let mut scene = Scene::at(Severity::High);
    let openings = serde_json::json!({ "at": [], "rounds": 5, "told": true });
    scene.alert.openings = serde_json::from_value(openings).expect("a fifth round in a short time");
    assert_eq!(scene.plan(), NOTHING);
    assert_eq!(scene.set_back(AHEAD), NOTHING);
    assert_eq!(scene.pass(300), ["push 1 jin"], "it stayed for five minutes");
}

#[test]
fn what_was_heard_of_ahead_closes_itself_as_long_after_now() {
    let mut scene = Scene::at(Severity::Warning);
    let closes_after = SignedDuration::from_mins(9);
    (scene.alert.last_seen_at, scene.alert.close_at) = (T0 + AHEAD, T0 + AHEAD + closes_after);
    scene.now = T0;
    assert!(is_misdated(&scene.alert, T0 + AHEAD, &scene.rules, T0));
    scene.plan();
    assert_eq!((scene.alert.last_seen_at, scene.alert.close_at), (T0, T0 + closes_after));
}

#[test]
fn a_change_that_nobody_has_planned_is_due() {
    let mut scene = Scene::at(Severity::Warning);
    scene.plan();
    scene.answer(1, accepted());
    scene.alert.severity = Severity::Disaster;
    let changed_at = T0 + AHEAD;
    let misdated = |due, now| is_misdated(&scene.alert, due, &scene.rules, now);
    assert!(misdated(changed_at, T0), "a raise leaves no time of its own in the document");
    assert!(!misdated(changed_at, changed_at), "it is due anyway");
    assert!(!misdated(scene.due.expect("it closes itself one day"), T0));
}

proptest! {
    /// `Scene::check_dates` asserts after every step of every history that nothing is taken for misdated.
    #[test]
    fn whatever_was_planned_by_a_clock_that_ran_ahead_everybody_is_told_within_the_usual_time(
        severity in 0_u8..6,
        (gateways, reports, asks) in (1_usize..3, any::<bool>(), any::<bool>()),
        happenings in proptest::collection::vec(happening(), 0..30),
        hours in 1_i64..20_000,
    ) {
        let mut scene = Scene::at(Severity::from_number(severity).expect("0 to 5"))
            .with_people(vec![person("jin", 2), person("min", 0)]);
        scene.rules.gateways = gateways_that(gateways, reports, asks);
        // Pauses are not whole milliseconds, as chance leaves them.
        let initial = SignedDuration::new(10, 300_700);
        scene.rules.backoff = Backoff::new(initial, SignedDuration::from_mins(5));
        scene.plan();
        // Whom the others cut off is not told, whatever the clock says.
        let cuts_nobody_off = |happening: &Happening| {
            matches!(happening, Happening::Pass(_) | Happening::Answer(..) | Happening::Report(..) | Happening::Severity(_))
        };
        for happening in happenings.into_iter().filter(cuts_nobody_off) {
            scene.happen(happening);
        }
        scene.set_back(SignedDuration::from_hours(hours));
        let end = scene.now + RETRY_AFTER_MAX;
        while scene.alert.is_open() && let Some(send) = scene.open.first().cloned() {
            scene.answer(send.attempt, accepted());
        }
        while let Some(due) = scene.due.filter(|due| scene.alert.is_open() && *due <= end) {
            scene.now = due;
            scene.plan();
            while let Some(send) = scene.open.first().cloned() {
                scene.answer(send.attempt, accepted());
            }
        }
        for (name, contact) in &scene.alert.progress.contacts {
            prop_assert!(contact.notified() != Notified::No || contact.unreachable.is_some(), "{name}: {contact:?}");
            prop_assert!(contact.notifications.is_empty(), "{name} still waits: {contact:?}");
        }
    }
}

#[test]
fn charges_of_the_future_are_moved_back_together_and_a_month_of_them_does_not_count_now() {
    let day = |day: i64| Charge {
        payer: Payer::Gateway(gateway_name(1)),
        at: T0 + SignedDuration::from_hours(24 * day),
        units: 10,
        reserved: 0,
    };
    let days = |charges: &[Charge]| -> Vec<i64> {
        charges.iter().map(|charge| charge.at.duration_since(T0).as_hours() / 24).collect()
    };
    let mut charges = [-3, 0, 1, 5, 30].map(day);
    set_back(&mut charges, T0);
    assert_eq!(days(&charges), [-3, 0, -29, -25, 0]);
    set_back(&mut charges, T0);
    assert_eq!(days(&charges), [-3, 0, -29, -25, 0], "nothing of the future is left");

    let mut rules = Scene::at(Severity::High).rules;
    rules.gateways[0].per_day = std::num::NonZeroU32::new(100);
    let mut budgets = Budgets::new(&rules);
    let mut month: Vec<_> = (1..31).map(day).collect();
    set_back(&mut month, T0);
    budgets.spend(&month);
    let spent = budgets.gateway_days(T0).next().expect("it has a limit").spent;
    assert_eq!(spent, 20, "the last day of it, from end to end");
}
