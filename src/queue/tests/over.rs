//! What is said after the end: kept, told again, or neither.

use super::*;
use crate::{
    alert::{ContactName, ContactProgress, Language},
    roster::Person,
};

/// A sender that repeats what fires keeps its beginning: the end was only ours, in an outage between us.
#[tokio::test]
async fn what_silence_ended_is_a_new_round_as_soon_as_its_sender_still_fires() {
    let (queue, clock) = queue();
    let event = Event { starts_at: Some(T0), ..firing("459") };
    for event in [event, Event { key_never_returns: true, ..firing("7") }] {
        admissions(&queue, std::slice::from_ref(&event)).await;
        clock.advance(SignedDuration::from_mins(9));
        close(&queue, &event.dedup_key).await;
        let got = admissions(&queue, std::slice::from_ref(&event)).await;
        assert_eq!(got, [(Admission::Opened, None)], "{event:?}");
    }
}

#[tokio::test]
async fn what_is_said_after_the_end_is_kept_and_opens_nothing() {
    let (queue, _) = queue();
    let late = (Admission::Ignored, Some(Reason::AlreadyResolved));
    let closed = |note: &str| Event {
        status: EventStatus::Resolved { note: Some(note.to_owned()), escalation_cancelled: false },
        ..firing("1")
    };
    admissions(&queue, &[firing("1"), resolved("1")]).await;
    for _ in 0..2 {
        // Zabbix sends the recovery of a closing by hand before, after or beside the closing itself.
        assert_eq!(admissions(&queue, &[closed("closed by Min: done")]).await, [late]);
        assert_eq!(admissions(&queue, &[update("1", comment("replaced the disk"))]).await, [late]);
    }
    let taken = Update { acknowledged: Some(true), ..Update::default() };
    assert_eq!(admissions(&queue, &[update("1", taken)]).await, [late]);
    let alert = only_alert(&queue).await;
    assert_eq!((alert.state, &alert.conversation.acknowledged), (AlertState::Resolved, &None));
    let entries: Vec<&Entry> = alert.rows.iter().map(|row| &row.entry).skip(2).collect();
    let said = |by: &str, text: &str| Entry::Comment { by: by.to_owned(), text: text.to_owned() };
    assert_eq!(entries, [&said("zabbix", "closed by Min: done"), &said("Min", "replaced the disk")]);
}

#[tokio::test]
async fn a_note_that_tells_how_it_ended_is_kept_once() {
    let (queue, _) = queue();
    let note = Some("closed by Min: done".to_owned());
    let closed = Event { status: EventStatus::Resolved { note, escalation_cancelled: false }, ..firing("1") };
    let got = admissions(&queue, &[firing("1"), closed.clone(), resolved("1"), closed]).await;
    assert_eq!(got[3], (Admission::Ignored, Some(Reason::AlreadyResolved)));
    assert_eq!(only_alert(&queue).await.rows.len(), 2, "opened and resolved");
}

#[tokio::test]
async fn an_end_that_is_taken_back_is_told_as_that_and_closes_itself_within_a_day() {
    let (queue, clock) = queue();
    let event = Event { starts_at: Some(T0), ..firing("1") };
    admissions(&queue, std::slice::from_ref(&event)).await;
    admissions(&queue, &[Event { starts_at: Some(T0), ..resolved("1") }]).await;
    let over = latest(&queue, "1").await;
    assert_eq!(over.doubt_ends_at(), None);
    clock.advance(SignedDuration::from_secs(5));
    assert_eq!(answer(&queue, event.clone()).await, "noted doubtful");
    let doubted = latest(&queue, "1").await;
    assert_eq!(doubted.doubt_ends_at(), Some(T0 + DOUBT_LASTS));
    clock.advance(SignedDuration::from_secs(55));
    for _ in 0..2 {
        queue.end_doubt(&doubted).await.expect("works");
    }
    let alert = latest(&queue, "1").await;
    assert_eq!((alert.round, alert.state, alert.count), (2, AlertState::Triggered, 1), "once");
    assert_eq!(alert.taken_back, over.resolved);
    assert_eq!(alert.close_at, clock.now() + SignedDuration::from_hours(24));
    let fires_again = Entry::FiresAgain { by: "sender".to_owned(), over_at: T0 };
    assert!(alert.rows.iter().any(|row| row.entry == fires_again), "{:?}", alert.rows);
    admissions(&queue, &[event]).await;
    let alert = latest(&queue, "1").await;
    assert_eq!(alert.close_at, clock.now() + ZABBIX.close_after, "heard of again");
}

#[tokio::test]
async fn who_resolved_what_fires_again_is_told() {
    let (queue, clock) = queue();
    let event = Event { starts_at: Some(T0), ..firing("1") };
    let id = queue.admit(ZABBIX, std::slice::from_ref(&event)).await.expect("works")[0].alert_id;
    queue.act(id.expect("opened"), &Action::Resolve, "jin").await.expect("works");
    clock.advance(SignedDuration::from_mins(2));
    assert_eq!(answer(&queue, event).await, "opened");
    let end = latest(&queue, "1").await.taken_back.expect("an end");
    assert_eq!((end.by, end.at), (ResolvedBy::Operator("jin".to_owned()), T0));
}

#[tokio::test]
async fn a_doubt_keeps_what_was_said_last() {
    let (queue, clock) = queue();
    let event = |severity| Event { starts_at: Some(T0), severity: Some(severity), ..firing("1") };
    admissions(&queue, &[event(Severity::Warning), Event { starts_at: Some(T0), ..resolved("1") }]).await;
    for severity in [Severity::Warning, Severity::Disaster] {
        clock.advance(SignedDuration::from_secs(5));
        assert_eq!(answer(&queue, event(severity)).await, "noted doubtful");
    }
    clock.advance(DOUBT_LASTS);
    queue.end_doubt(&latest(&queue, "1").await).await.expect("works");
    let alert = latest(&queue, "1").await;
    assert_eq!((alert.state, alert.severity), (AlertState::Triggered, Severity::Disaster));
}

#[tokio::test]
async fn nobody_is_tried_anew_for_whom_nothing_would_begin() {
    fn name(name: &str) -> ContactName {
        name.parse().expect("a name")
    }
    struct Case {
        title: &'static str,
        of: fn(Alert) -> Alert,
        people: &'static [&'static str],
        begins: bool,
    }
    fn as_it_is(alert: Alert) -> Alert {
        alert
    }
    fn to_min(alert: Alert) -> Alert {
        Alert { to: vec![name("min")], ..alert }
    }
    fn over(mut alert: Alert) -> Alert {
        alert.resolve(Resolution::by(ResolvedBy::Sender, T0));
        alert
    }
    fn superseded(mut alert: Alert) -> Alert {
        alert.openings.superseded = Some(crate::alert::Successor::Tells);
        over(alert)
    }
    let person =
        |who: &str| Person { name: name(who), language: Language::En, phone: None, devices: Vec::new() };
    let both = &["jin", "min"];
    let cases = [
        Case { title: "open", of: as_it_is, people: both, begins: true },
        Case { title: "has left", of: as_it_is, people: &["min"], begins: false },
        Case { title: "for another", of: to_min, people: both, begins: false },
        Case { title: "for another who has left", of: to_min, people: &["jin"], begins: true },
        Case { title: "over", of: |alert| over(to_min(alert)), people: both, begins: true },
        Case { title: "over, and has left", of: over, people: &["min"], begins: false },
        Case { title: "another round follows", of: superseded, people: both, begins: false },
    ];
    for Case { title, of, people, begins: expected } in cases {
        let (queue, _) = queue();
        admissions(&queue, &[firing("1")]).await;
        let mut alert = of(latest(&queue, "1").await);
        let given_up = ContactProgress { unreachable: Some("gone".to_owned()), ..ContactProgress::default() };
        alert.progress.contacts.insert(name("jin"), given_up);
        let id = alert.id;
        let write = AlertWrite::of(alert, Expect::Version(1), None);
        queue.store.commit(Lane::Deliver, &[write]).await.expect("works");
        let people: Vec<Person> = people.iter().map(|name| person(name)).collect();
        let begins = queue.retry(id, &name("jin"), &people, "dana").await.expect("works");
        assert_eq!(begins, expected, "{title}");
        let is_given_up = latest(&queue, "1").await.progress.contacts[&name("jin")].unreachable.is_some();
        assert_eq!(is_given_up, !expected, "{title}");
    }
}
