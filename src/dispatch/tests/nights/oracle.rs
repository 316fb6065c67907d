//! What must hold in the morning.

use super::{
    history::{End, Night},
    morning::{Morning, brief},
    truths,
    world::World,
    *,
};
use crate::{
    alert::{AlertState, AttemptRow, Milestone, STABLE_AFTER, Topic},
    plan,
    queue::Action,
};

/// The longest pause of a reminder that goes on without end, and the time to tell it.
const REMINDED_WITHIN: SignedDuration = SignedDuration::from_mins(70);

/// From when a push may fail until its text was tried: `accept_within`, and the time that requests take.
const TEXTED_WITHIN: SignedDuration = SignedDuration::from_secs(45);

/// What is planned while the next round opens may still go out.
const KNOWN_FOR: SignedDuration = SignedDuration::from_secs(1);

/// From becoming graver until people are told.
const RAISED_WITHIN: SignedDuration = SignedDuration::from_mins(2);

/// From becoming graver until `/readyz` shows that nobody knows.
const SHOWN_WITHIN: SignedDuration = SignedDuration::from_mins(7);

/// What does not hold, in words.
pub(super) async fn faults(night: &Night, world: &World) -> Vec<String> {
    let morning = Morning::of(night, world).await;
    let rules = [
        everybody_is_told_or_told_of,
        whoever_has_a_channel_is_told,
        nobody_is_given_up_untried,
        a_text_follows_in_time,
        truths::what_goes_on_is_open,
        nobody_is_texted_twice,
        what_flaps_on_is_quiet,
        no_end_is_told_once_it_fires_again,
        truths::what_is_only_repeated_is_one_alert,
        truths::nobody_has_what_nobody_took,
        truths::what_began_anew_is_another_alert,
        what_became_graver_is_told,
        what_became_graver_is_known_or_shown,
        a_disaster_is_told_again,
        truths::nothing_that_was_spoken_of_is_closed_by_silence,
        every_open_alert_wakes_up,
    ];
    rules.iter().flat_map(|rule| rule(&morning)).collect()
}

/// Each contact of each alert knows of it, stands in a dead letter, or `/readyz` shows the alert.
fn everybody_is_told_or_told_of(morning: &Morning<'_>) -> Vec<String> {
    let mut faults = Vec::new();
    for alert in morning.alerts() {
        let may_sleep = morning.is_dated_ahead(alert);
        if morning.is_told_by_another_round(alert) || alert.state == AlertState::Acknowledged || may_sleep {
            continue;
        }
        if alert.progress.contacts.is_empty() {
            faults.push(format!("was told to nobody: {}", brief(alert)));
        }
        for (name, contact) in &alert.progress.contacts {
            let is_known = morning.knows(alert, name) || morning.is_shown(alert, name);
            if !is_known && morning.is_here(name) && !morning.is_being_tried(contact) {
                faults.push(format!(
                    "{} was not told to {name}, and nobody can see that: {}",
                    alert.id,
                    brief(alert)
                ));
            }
        }
    }
    faults
}

/// As long as nobody has it and we are up, no phone waits for its push for longer than it may.
fn a_text_follows_in_time(morning: &Morning<'_>) -> Vec<String> {
    let mut faults = Vec::new();
    if morning.world.clock_was_set || !morning.texts_are_always_on() {
        return faults;
    }
    for alert in morning.alerts().filter(|alert| morning.is_a_conversation_of_its_own(alert)) {
        for at in morning.nobody_has_it_from(alert, TEXTED_WITHIN) {
            let until = at + TEXTED_WITHIN;
            let late = morning.phones().filter(|name| {
                let is_pushed = morning.taken_by(alert, name).any(|taken| taken.at <= until);
                let mut texts = morning.texts(alert.id, name);
                !is_pushed && !texts.any(|text| text.started_at.duration_since(T0) <= until)
            });
            faults
                .extend(late.map(|name| format!("from {at:#} on {name} waits for a text: {}", brief(alert))));
        }
    }
    faults
}

/// Where everything works again, an open alert that nobody has is known to somebody who can be reached.
fn whoever_has_a_channel_is_told(morning: &Morning<'_>) -> Vec<String> {
    if morning.night.end != End::Works {
        return Vec::new();
    }
    let triggered = morning.alerts().filter(|alert| alert.state == AlertState::Triggered);
    let unknown = triggered.filter(|alert| {
        let mut people = morning.people();
        let is_reachable = people.any(|name| morning.has_channel(alert, &name));
        let may_sleep = morning.is_dated_ahead(alert);
        is_reachable && !may_sleep && !morning.is_told_by_another_round(alert) && !morning.is_known(alert)
    });
    unknown.map(|alert| format!("known to nobody though it could be: {}", brief(alert))).collect()
}

/// A dead letter to somebody with a phone means that a text was tried.
fn nobody_is_given_up_untried(morning: &Morning<'_>) -> Vec<String> {
    let given_up = morning.given_up().filter(|_| morning.texts_are_always_on());
    let untried = given_up.filter(|(alert, name)| {
        morning.phones().any(|phone| phone == *name) && morning.texts(alert.id, name).next().is_none()
    });
    untried.map(|(alert, name)| format!("{name} was given up without a text: {}", brief(alert))).collect()
}

/// A gateway takes one text about one thing, and another only after one without an answer, or one that was lost: whoever
/// may not know of an alert is told by its reminders that it fires. Who left and came back is told anew.
fn nobody_is_texted_twice(morning: &Morning<'_>) -> Vec<String> {
    let mut faults = Vec::new();
    for alert in morning.alerts() {
        for name in morning.phones() {
            let attempts = |topic: Option<Topic>| -> BTreeSet<u32> {
                let rows = morning.texts(alert.id, &name);
                rows.filter(|row| topic.is_none_or(|topic| row.subject == topic))
                    .map(|row| row.attempt)
                    .collect()
            };
            for topic in [Topic::Opened, Topic::Missed, Topic::Resolved] {
                let mut taken = attempts(Some(topic));
                taken.retain(|attempt| morning.was_taken(alert.id, *attempt));
                let tries = attempts((topic != Topic::Opened).then_some(topic));
                let excuses = tries.iter().filter(|attempt| {
                    morning.went_unanswered(alert.id, **attempt) || morning.was_lost(alert.id, **attempt)
                });
                if 1 + excuses.count() < taken.len() {
                    faults.push(format!("{name} was texted {taken:?} of {}: {topic:?}", alert.id));
                }
            }
        }
    }
    faults
}

/// A round of what people know to flap is not told before it is stable, but by reminders.
fn what_flaps_on_is_quiet(morning: &Morning<'_>) -> Vec<String> {
    let is_quiet = |alert: &&Alert| {
        alert.openings.is_quiet(alert.severity)
            && !morning.has_changed(alert, SignedDuration::MIN)
            && !morning.was_key_damaged(&alert.dedup_key)
            && !morning.world.clock_was_set
    };
    let mut faults = Vec::new();
    for alert in morning.alerts().filter(is_quiet) {
        let stable_at = alert.opened_at + STABLE_AFTER;
        let is_told = |row: &&AttemptRow| row.subject == Topic::Opened && row.started_at < stable_at;
        faults.extend(
            morning.attempts(alert.id).find(is_told).map(|row| format!("{row:?} tells of {}", brief(alert))),
        );
    }
    faults
}

/// Who knows that it fires again is not told that it was over before.
fn no_end_is_told_once_it_fires_again(morning: &Morning<'_>) -> Vec<String> {
    let mut faults = Vec::new();
    if morning.world.clock_was_set {
        return faults;
    }
    for alert in morning.alerts().filter(|alert| !morning.was_key_damaged(&alert.dedup_key)) {
        let takes_its_place = |next: &&Alert| {
            alert.round < next.round
                && alert.told_as() <= next.severity
                && !next.is_for_others(alert)
                && !next.openings.is_quiet(next.severity)
                && !morning.has_changed(next, SignedDuration::MIN)
        };
        for next in morning.rounds(&alert.dedup_key).filter(takes_its_place) {
            // A sender may say the end after a person did.
            let over = morning.ended(next).unwrap_or(SignedDuration::MAX);
            let is_told = |row: &&AttemptRow| {
                let at = row.started_at.duration_since(T0);
                let mut known = morning.taken_by(next, &row.contact);
                matches!(row.subject, Topic::Resolved | Topic::Missed)
                    && at < over
                    && known.any(|taken| taken.at + KNOWN_FOR < at)
            };
            let told = morning.attempts(alert.id).find(is_told);
            faults.extend(told.map(|row| format!("{row:?} tells the end of {}", brief(alert))));
        }
    }
    faults
}

/// When it becomes graver while everything works, whoever knows of it is told soon.
fn what_became_graver_is_told(morning: &Morning<'_>) -> Vec<String> {
    let mut faults = Vec::new();
    let known = morning
        .alerts()
        .filter(|alert| alert.is_open() && morning.night.end == End::Works && !morning.world.clock_was_set);
    for alert in known {
        let Some((raised_at, to)) = morning.raised(alert).filter(|(at, _)| morning.world.quiet_since < *at)
        else {
            continue;
        };
        for name in morning.people().filter(|name| morning.has_channel(alert, name)) {
            let knew = morning.taken_by(alert, &name).any(|taken| taken.at < raised_at);
            let soon = raised_at..raised_at + RAISED_WITHIN;
            // Also where a provider says later that it did not arrive.
            let mut told = morning.taken_or_lost(alert, &name);
            let is_told = told.any(|taken| to <= taken.severity && soon.contains(&taken.at))
                || morning.folds(alert, &name).any(|at| raised_at <= at);
            if knew && !is_told && !morning.is_shown(alert, &name) {
                faults.push(format!("{name} is not told that it became {to}: {}", brief(alert)));
            }
        }
    }
    faults
}

/// However long nothing works: somebody is told that it became graver, or can see that nobody was.
fn what_became_graver_is_known_or_shown(morning: &Morning<'_>) -> Vec<String> {
    let mut faults = Vec::new();
    let may_be_silent = |alert: &Alert| {
        morning.is_dated_ahead(alert)
            || morning.is_told_by_another_round(alert)
            || morning.world.clock_was_set
    };
    for alert in morning.alerts().filter(|alert| alert.is_open() && !may_be_silent(alert)) {
        let Some((raised_at, to)) = morning.raised(alert) else { continue };
        let is_known = alert.progress.contacts.keys().any(|name| {
            morning.taken_by(alert, name).any(|taken| to <= taken.severity)
                || morning.folds(alert, name).any(|at| raised_at <= at)
                || morning.is_shown(alert, name)
        });
        if !is_known && raised_at + SHOWN_WITHIN < morning.world.night {
            faults.push(format!("that it became {to} is known to nobody: {}", brief(alert)));
        }
    }
    faults
}

/// While nobody has a disaster, also one that comes and goes, somebody is told of it again and again, as far as budgets
/// allow it.
fn a_disaster_is_told_again(morning: &Morning<'_>) -> Vec<String> {
    let world = morning.world;
    let mut faults = Vec::new();
    for sender in world.senders.iter().filter(|_| morning.night.end == End::Works) {
        let Some(problem) = &sender.problem else { continue };
        let key = sender.key(problem.number);
        let Some(alert) = morning.latest(&key).filter(|alert| alert.state == AlertState::Triggered) else {
            continue;
        };
        let was_taken = morning.rounds(&key).any(|round| {
            let taken = round.progress.planned.contains(&Milestone::Acknowledged);
            taken || world.deeds.iter().any(|deed| deed.alert == round.id && deed.what == Action::Acknowledge)
        });
        let since = world.night - REMINDED_WITHIN;
        let disasters = morning.rounds(&key).filter(|round| round.severity == Severity::Disaster);
        let lasts = alert.severity == Severity::Disaster
            && morning.rounds(&key).all(|round| {
                let is_old = round.opened_at < T0 + world.quiet_since;
                round.severity == Severity::Disaster || is_old
            })
            && !morning.has_changed(alert, world.night - RAISED_WITHIN);
        let is_reachable = morning.people().any(|name| morning.has_channel(alert, &name));
        let is_told = disasters.into_iter().any(|round| {
            morning.taken.iter().any(|taken| taken.alert == round.id && since <= taken.at)
                || morning.people().any(|name| morning.held_back(round, &name).any(|at| since <= at))
        });
        let is_shown = world.clock_was_set || morning.was_damaged(alert);
        if lasts && is_reachable && !was_taken && !is_told && !is_shown {
            faults.push(format!("for {REMINDED_WITHIN:#} nobody heard of {}", brief(alert)));
        }
    }
    faults
}

/// No open alert is without a wake-up, and none waits for a time that has passed or that no plan would set.
fn every_open_alert_wakes_up(morning: &Morning<'_>) -> Vec<String> {
    let now = morning.world.clock.now();
    let rules = process::rules_of(&morning.world.config);
    let mut faults = Vec::new();
    for alert in morning.alerts().filter(|alert| alert.is_open()) {
        match morning.due.get(&alert.id) {
            None => faults.push(format!("{} is open and sleeps", alert.id)),
            Some(due) if *due <= now => faults.push(format!("{} is due and stays so", alert.id)),
            Some(due) if !morning.is_dated_ahead(alert) && plan::is_misdated(alert, *due, &rules, now) => {
                faults.push(format!("waits for {due}, which no plan would set: {}", brief(alert)));
            }
            Some(_) => {}
        }
    }
    faults
}
