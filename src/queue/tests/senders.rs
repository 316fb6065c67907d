//! Senders that are heard of: what moves the time at which an alert closes itself, what is written, and when.

use super::*;
use crate::alert::Successor;

fn minutely(severity: Severity) -> Event {
    Event { severity: Some(severity), expires_after: Some(SignedDuration::from_mins(9)), ..firing("1") }
}

#[tokio::test]
async fn an_event_that_changes_the_alert_counts_as_heard_of() {
    let (queue, clock) = queue();
    admissions(&queue, &[minutely(Severity::High)]).await;
    for severity in [Severity::Warning, Severity::High].into_iter().cycle().take(10) {
        clock.advance(SignedDuration::from_mins(1));
        admissions(&queue, &[minutely(severity)]).await;
    }
    let alert = only_alert(&queue).await;
    assert_eq!((alert.count, alert.last_seen_at), (11, clock.now()));
    assert_eq!(alert.close_at, clock.now() + SignedDuration::from_mins(9));
    clock.advance(SignedDuration::from_mins(5));
    let said = Event { expires_after: Some(SignedDuration::from_mins(9)), ..update("1", comment("looking")) };
    admissions(&queue, &[said]).await;
    assert_eq!(only_alert(&queue).await.close_at, clock.now() + SignedDuration::from_mins(9));
}

#[tokio::test]
async fn what_does_not_fit_the_counts_is_written_at_once() {
    let (mut queue, clock) = queue();
    queue.seen = SeenCounts::with_room_for(1);
    for key in ["1", "2"] {
        admissions(
            &queue,
            &[minutely(Severity::High), Event { dedup_key: DedupKey::new(key), ..firing(key) }],
        )
        .await;
    }
    for _ in 0..10 {
        clock.advance(SignedDuration::from_secs(30));
        admissions(&queue, &[firing("1"), firing("2")]).await;
    }
    for key in ["1", "2"] {
        let alert = latest(&queue, key).await;
        assert_eq!(
            (alert.last_seen_at, alert.close_at),
            (clock.now(), clock.now() + ZABBIX.close_after),
            "{key}"
        );
    }
}

#[tokio::test]
async fn a_script_that_says_each_second_what_time_it_is_costs_no_write_each_second() {
    let (queue, clock) = queue();
    let said = |seconds| Event { said_at: Some(T0 + SignedDuration::from_secs(seconds)), ..firing("1") };
    admissions(&queue, &[said(0)]).await;
    for seconds in 1..=50 {
        clock.advance(SignedDuration::from_secs(1));
        admissions(&queue, &[said(seconds)]).await;
    }
    let thread = ThreadKey::new(ZABBIX.integration, &DedupKey::new("1"));
    let stored = queue.store.find_threads(vec![thread]).await.expect("works").remove(0).expect("there");
    assert_eq!((stored.version, stored.alert.count), (1, 1));
    assert_eq!(latest(&queue, "1").await.count, 51);
    // What was only counted is known all the same: this recovery is older than the last word.
    let over = Event { said_at: Some(T0 + SignedDuration::from_secs(49)), ..resolved("1") };
    assert_eq!(answer(&queue, over).await, "ignored late");
}

#[tokio::test]
async fn what_has_its_place_taken_is_over_and_what_takes_it_is_triggered() {
    let (queue, clock) = queue();
    let started = |at| Event { starts_at: Some(at), ..firing("1") };
    let first = queue.admit(ZABBIX, &[started(T0)]).await.expect("works").remove(0);
    let first = first.alert_id.expect("opened");
    queue.act(first, &Action::Acknowledge, "jin").await.expect("works");
    clock.advance(SignedDuration::from_hours(24));
    assert_eq!(answer(&queue, started(clock.now())).await, "opened");
    let over = queue.store.get(first).await.expect("works").expect("there").alert;
    let by = over.resolved.as_ref().map(|end| end.by.clone());
    assert_eq!((over.state, by), (AlertState::Resolved, Some(ResolvedBy::Superseded)));
    assert!(over.openings.superseded.is_some(), "nobody is told of its end apart");
    let alert = latest(&queue, "1").await;
    assert_eq!((alert.round, alert.state, alert.starts_at), (2, AlertState::Triggered, clock.now()));
    assert_eq!(alert.conversation.acknowledged, None);
}

#[tokio::test]
async fn what_was_graver_than_what_takes_its_place_tells_what_it_has_to_tell() {
    let (queue, clock) = queue();
    let started = |at, severity| Event { starts_at: Some(at), severity: Some(severity), ..firing("1") };
    let first = queue.admit(ZABBIX, &[started(T0, Severity::Disaster)]).await.expect("works").remove(0);
    clock.advance(SignedDuration::from_hours(1));
    assert_eq!(answer(&queue, started(clock.now(), Severity::Warning)).await, "opened");
    let over = queue.store.get(first.alert_id.expect("opened")).await.expect("works").expect("there").alert;
    assert_eq!(over.openings.superseded, Some(Successor::IsQuiet));
}

#[test]
fn what_is_for_others_tells_nothing_of_the_round_before() {
    let name = |name: &str| name.parse().expect("a name");
    let alert = |to: &[&str]| {
        let to = to.iter().map(|to| name(to)).collect();
        Alert::opened(AlertId::new(T0, [1; 10]), "api", &Event { to, ..firing("1") }, T0)
    };
    for (before, after, next) in [
        (alert(&[]), alert(&[]), Successor::Tells),
        (alert(&["jin"]), alert(&[]), Successor::Tells),
        (alert(&["jin"]), alert(&["min", "jin"]), Successor::Tells),
        (alert(&["jin"]), alert(&["min"]), Successor::IsQuiet),
        (alert(&[]), alert(&["min"]), Successor::IsQuiet),
    ] {
        assert_eq!(after.as_successor(&before), next, "{:?} {:?}", before.to, after.to);
    }
}

#[tokio::test]
async fn two_later_starts_in_one_request_are_two_rounds() {
    let (queue, _) = queue();
    let started = |seconds| Event { starts_at: Some(T0 + SignedDuration::from_secs(seconds)), ..firing("1") };
    let got = admissions(&queue, &[started(0), started(5), started(5), started(9), started(9)]).await;
    let words: Vec<_> = got.into_iter().map(|(admission, _)| admission).collect();
    let (opened, joined) = (Admission::Opened, Admission::Joined);
    assert_eq!(words, [opened, opened, joined, opened, joined]);
    assert_eq!(latest(&queue, "1").await.round, 3);
    let filter = AlertFilter { states: vec![AlertState::Triggered], limit: 10, ..AlertFilter::default() };
    assert_eq!(queue.store.list(&filter).await.expect("works").alerts.len(), 1);
}

#[tokio::test]
async fn as_many_rounds_of_one_key_as_a_body_may_name_are_accepted() {
    let (queue, _) = queue();
    let pairs = 1 + CONFLICTS_MAX;
    let events: Vec<Event> = (0..pairs).flat_map(|_| [firing("1"), resolved("1")]).collect();
    assert_eq!(admissions(&queue, &events).await.len(), events.len());
    let alert = latest(&queue, "1").await;
    assert_eq!((alert.round, alert.state), (pairs, AlertState::Resolved));
}

#[tokio::test]
async fn a_start_ahead_of_our_clock_is_shown_as_now() {
    let (queue, _) = queue();
    let ahead = T0 + SignedDuration::from_hours(2);
    admissions(&queue, &[Event { starts_at: Some(ahead), ..firing("1") }]).await;
    assert_eq!(latest(&queue, "1").await.starts_at, T0);
    admissions(&queue, &[Event { said_at: Some(T0 - SignedDuration::from_secs(9)), ..firing("2") }]).await;
    assert_eq!(latest(&queue, "2").await.starts_at, T0 - SignedDuration::from_secs(9));
}

#[tokio::test]
async fn what_comes_and_goes_keeps_what_people_did_about_it() {
    let (queue, clock) = queue();
    for round in 1..=5 {
        assert_eq!(answer(&queue, firing("1")).await, "opened");
        let alert = latest(&queue, "1").await;
        let expected = if round < 5 { AlertState::Triggered } else { AlertState::Acknowledged };
        assert_eq!((alert.round, alert.state), (round, expected));
        if round == 4 {
            assert!(alert.openings.flapping().is_some());
            queue.act(alert.id, &Action::Acknowledge, "jin").await.expect("works");
        }
        clock.advance(SignedDuration::from_mins(2));
        assert_eq!(answer(&queue, resolved("1")).await, "resolved");
        clock.advance(SignedDuration::from_mins(2));
    }
    assert_eq!(latest(&queue, "1").await.conversation.acknowledged.expect("kept").by, "jin");
    clock.advance(SignedDuration::from_mins(3));
    assert_eq!(answer(&queue, firing("1")).await, "opened");
    assert_eq!(latest(&queue, "1").await.state, AlertState::Triggered, "over for five minutes");
}

/// Both are one request to the store, but not one write.
#[tokio::test]
async fn a_round_that_changes_while_another_takes_its_place_is_decided_anew() {
    let (queue, clock) = queue();
    let started = |at| Event { starts_at: Some(at), ..firing("1") };
    let first = queue.admit(ZABBIX, &[started(T0)]).await.expect("works").remove(0);
    clock.advance(SignedDuration::from_hours(1));
    let later = [started(clock.now()), started(clock.now())];
    let mut thread = queue.look_up(ZABBIX.integration, &later).await.expect("works").remove(0);
    let applied = queue.apply(ZABBIX, &mut thread);
    queue.act(first.alert_id.expect("opened"), &Action::Acknowledge, "jin").await.expect("works");
    let again = queue.write(Lane::Accept, vec![(thread, applied)]).await.expect("works");
    assert_eq!((again.len(), latest(&queue, "1").await.round), (1, 1), "neither is written");
    queue.admit_threads(Lane::Accept, ZABBIX, again).await.expect("works");
    let over = queue.store.get(first.alert_id.expect("opened")).await.expect("works").expect("there").alert;
    let by = over.resolved.map(|end| end.by);
    assert_eq!((over.state, by), (AlertState::Resolved, Some(ResolvedBy::Superseded)));
    assert!(over.conversation.acknowledged.is_some(), "with what was done meanwhile");
    assert_eq!(latest(&queue, "1").await.round, 2);
}

#[tokio::test]
async fn a_round_whose_end_was_lost_is_over_when_it_is_planned_again() {
    let (queue, clock) = queue();
    let started = |at| Event { starts_at: Some(at), ..firing("1") };
    answer(&queue, started(T0)).await;
    let mut first = latest(&queue, "1").await;
    first.progress.planned.insert(crate::alert::Milestone::Opened);
    queue.end_if_superseded(&mut first).await.expect("works");
    assert!(first.is_open(), "it is the latest");
    clock.advance(SignedDuration::from_hours(1));
    assert_eq!(answer(&queue, started(clock.now())).await, "opened");
    queue.end_if_superseded(&mut first).await.expect("works");
    assert_eq!(first.resolved.expect("over").by, ResolvedBy::Superseded);
    assert!(first.openings.superseded.is_some(), "nobody is told of its end apart");
}
