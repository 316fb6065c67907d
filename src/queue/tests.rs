//! Dedupe, rounds, folding of one request's events, and counts.

use std::sync::Arc;

use jiff::{SignedDuration, Timestamp};
use proptest::prelude::*;

use super::*;
use crate::{
    alert::{AlertState, Entry, Resolution, ResolvedBy, Severity, Update},
    clock::ManualClock,
    store::{AlertFilter, MemoryStore, ROWS_IN_DOCUMENT_MAX},
};

const T0: Timestamp = Timestamp::constant(1_800_000_000, 0);
const ZABBIX: Poster<'_> = Poster { integration: "zabbix", close_after: SignedDuration::from_hours(7 * 24) };

fn queue() -> (Queue, Arc<ManualClock>) {
    let clock = ManualClock::at(T0);
    (Queue::new(Arc::new(MemoryStore::new()), clock.clone()), clock)
}

fn firing(key: &str) -> Event {
    Event { severity: Some(Severity::High), ..Event::firing(DedupKey::new(key), "disk full") }
}

fn resolved(key: &str) -> Event {
    Event { status: EventStatus::Resolved { note: None, escalation_cancelled: false }, ..firing(key) }
}

fn update(key: &str, update: Update) -> Event {
    Event { status: EventStatus::Update(update), ..firing(key) }
}

fn comment(text: &str) -> Update {
    Update { comment: Some(text.to_owned()), by: Some("Min".to_owned()), ..Update::default() }
}

async fn admissions(queue: &Queue, events: &[Event]) -> Vec<(Admission, Option<IgnoreReason>)> {
    let results = queue.admit(ZABBIX, events).await.expect("the store works");
    results.into_iter().map(|result| (result.admission, result.reason)).collect()
}

async fn only_alert(queue: &Queue) -> Alert {
    let filter = AlertFilter { limit: 10, ..AlertFilter::default() };
    let mut page = queue.store.list(&filter).await.expect("the store works");
    assert_eq!(page.alerts.len(), 1);
    queue.with_seen(page.alerts.remove(0).alert)
}

#[tokio::test]
async fn events_of_one_request_and_key_are_folded_in_their_order() {
    let (queue, _) = queue();
    let events = [
        firing("1"),
        firing("1"),
        update("1", comment("looking")),
        resolved("1"),
        resolved("1"),
        firing("2"),
    ];
    let got = admissions(&queue, &events).await;
    let plain = |admission| (admission, None);
    assert_eq!(
        got,
        [
            plain(Admission::Opened),
            plain(Admission::Joined),
            plain(Admission::Joined),
            plain(Admission::Resolved),
            (Admission::Ignored, Some(IgnoreReason::AlreadyResolved)),
            plain(Admission::Opened),
        ]
    );
}

#[tokio::test]
async fn a_new_round_within_one_request_is_a_document_of_its_own() {
    let (queue, _) = queue();
    let events = [firing("1"), resolved("1"), firing("1"), resolved("1"), firing("1")];
    let results = queue.admit(ZABBIX, &events).await.expect("the store works");
    let ids: std::collections::BTreeSet<_> = results.iter().filter_map(|result| result.alert_id).collect();
    assert_eq!(ids.len(), 3, "three rounds");
    let latest = queue.store.get(results[4].alert_id.expect("opened")).await.expect("works").expect("there");
    assert_eq!((latest.alert.round, latest.alert.state), (3, AlertState::Triggered));
}

#[tokio::test]
async fn a_firing_event_from_before_the_end_is_stale_and_one_from_after_it_is_a_new_round() {
    let (queue, clock) = queue();
    let at = |seconds| Some(T0 + SignedDuration::from_secs(seconds));
    let started = |seconds| Event { starts_at: at(seconds), ..firing("1") };
    let ended = Event { ended_at: at(60), ..resolved("1") };
    clock.advance(SignedDuration::from_secs(100));
    let got = admissions(&queue, &[started(0), ended, started(0), started(60), started(61)]).await;
    let stale = (Admission::Ignored, Some(IgnoreReason::Stale));
    assert_eq!(got[2..], [stale, stale, (Admission::Opened, None)]);
}

#[tokio::test]
async fn a_key_that_never_returns_stays_stale() {
    let (queue, _) = queue();
    let event = Event { key_never_returns: true, ..firing("459") };
    let got = admissions(&queue, &[event.clone(), resolved("459"), event]).await;
    assert_eq!(got[2], (Admission::Ignored, Some(IgnoreReason::Stale)));
}

/// A sender that repeats what fires keeps its beginning: the end was only ours, in an outage between us.
#[tokio::test]
async fn what_silence_ended_is_a_new_round_as_soon_as_its_sender_still_fires() {
    let (queue, clock) = queue();
    let event = Event { starts_at: Some(T0), ..firing("459") };
    for event in [event, Event { key_never_returns: true, ..firing("7") }] {
        admissions(&queue, std::slice::from_ref(&event)).await;
        let key = ThreadKey::new("zabbix", &event.dedup_key);
        let found = queue.store.find_threads(vec![key]).await.expect("works").remove(0);
        let Stored { mut alert, version } = found.expect("there");
        clock.advance(SignedDuration::from_mins(9));
        let by = ResolvedBy::Silence;
        alert.resolve(Resolution::by(by, clock.now()));
        let write = AlertWrite::of(alert, Expect::Version(version), Some(clock.now()));
        queue.store.commit(Lane::Deliver, &[write]).await.expect("works");
        let got = admissions(&queue, std::slice::from_ref(&event)).await;
        assert_eq!(got, [(Admission::Opened, None)], "{event:?}");
    }
}

#[tokio::test]
async fn the_same_update_for_every_zabbix_user_is_kept_once() {
    let (queue, _) = queue();
    admissions(&queue, &[firing("1")]).await;
    for _ in 0..3 {
        let taken = Update { acknowledged: Some(true), ..comment("mine") };
        admissions(&queue, &[update("1", taken)]).await;
    }
    let alert = only_alert(&queue).await;
    assert_eq!(alert.rows.len(), 3, "opened, acknowledged, one comment: {:?}", alert.rows);
    assert_eq!((alert.state, alert.count), (AlertState::Acknowledged, 3), "two repeats counted");
}

#[tokio::test]
async fn what_is_said_after_the_end_is_kept_and_opens_nothing() {
    let (queue, _) = queue();
    let late = (Admission::Ignored, Some(IgnoreReason::AlreadyResolved));
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
    assert_eq!(got[3], (Admission::Ignored, Some(IgnoreReason::AlreadyResolved)));
    assert_eq!(only_alert(&queue).await.rows.len(), 2, "opened and resolved");
}

#[tokio::test]
async fn a_severity_of_the_start_opens_and_never_undoes_a_raise() {
    let (queue, _) = queue();
    let problem = Event { severity: None, severity_at_start: Some(Severity::Average), ..firing("1") };
    let raise = Event { severity: Some(Severity::Disaster), ..update("1", Update::default()) };
    admissions(&queue, std::slice::from_ref(&problem)).await;
    assert_eq!(only_alert(&queue).await.severity, Severity::Average);
    assert_eq!(admissions(&queue, &[raise, problem]).await, [(Admission::Joined, None); 2]);
    assert_eq!(only_alert(&queue).await.severity, Severity::Disaster);
}

#[tokio::test]
async fn a_note_without_a_severity_leaves_the_problem_its_own() {
    let note = |severity| Event { severity, ..update("1", comment("downtime")) };
    for (notes, expected) in [
        (vec![note(None)], Severity::High),
        (vec![note(Some(Severity::Disaster))], Severity::Disaster),
        (vec![note(Some(Severity::Warning)), note(None)], Severity::Warning),
        (vec![note(Some(Severity::High)), note(Some(Severity::NotClassified))], Severity::NotClassified),
    ] {
        let (queue, _) = queue();
        admissions(&queue, &notes).await;
        admissions(&queue, &[firing("1")]).await;
        assert_eq!(only_alert(&queue).await.severity, expected, "{notes:?}");
    }
}

#[tokio::test]
async fn repeats_cost_no_write_until_a_minute_has_passed() {
    let (queue, clock) = queue();
    admissions(&queue, &[firing("1")]).await;
    let version = || async {
        queue.store.find_threads(vec![only_alert(&queue).await.thread()]).await.expect("works")[0]
            .clone()
            .expect("there")
            .version
    };
    for _ in 0..50 {
        assert_eq!(admissions(&queue, &[firing("1")]).await, [(Admission::Joined, None)]);
    }
    assert_eq!(version().await, 1, "nothing was written");
    assert_eq!(only_alert(&queue).await.count, 51, "and everything was counted");
    clock.advance(SignedDuration::from_secs(60));
    admissions(&queue, &[firing("1")]).await;
    assert_eq!(version().await, 2);
    assert_eq!(only_alert(&queue).await.count, 52);
    admissions(&queue, &[firing("1")]).await;
    queue.save_seen().await.expect("works");
    assert_eq!(version().await, 3);
    assert_eq!(only_alert(&queue).await.count, 53);
}

#[tokio::test]
async fn long_histories_leave_the_document_in_chunks() {
    let (queue, _) = queue();
    admissions(&queue, &[firing("1")]).await;
    let id = only_alert(&queue).await.id;
    for number in 0..40 {
        queue.act(id, &Action::Comment(number.to_string()), "dana").await.expect("works");
    }
    let alert = only_alert(&queue).await;
    assert!(alert.rows.len() <= ROWS_IN_DOCUMENT_MAX);
    let mut rows = queue.store.moved_rows(id).await.expect("works");
    assert_eq!(u32::try_from(rows.len()).expect("few"), alert.rows_moved);
    rows.extend(alert.rows);
    let comments = rows.iter().filter(|row| matches!(row.entry, Entry::Comment { .. }));
    let texts: Vec<String> = comments
        .map(|row| serde_json::to_value(row).expect("JSON")["text"].as_str().expect("a text").to_owned())
        .collect();
    assert_eq!(texts, (0..40).map(|number| number.to_string()).collect::<Vec<_>>());
}

#[tokio::test]
async fn an_idempotency_key_names_its_alert_for_a_day() {
    let (queue, clock) = queue();
    let event = Event { idempotency_key: Some("abc".into()), ..firing("idempotency:abc") };
    let first = queue.admit(ZABBIX, std::slice::from_ref(&event)).await.expect("works");
    queue.act(first[0].alert_id.expect("opened"), &Action::Resolve, "dana").await.expect("works");
    let again = queue.admit(ZABBIX, std::slice::from_ref(&event)).await.expect("works");
    assert_eq!(first, again, "also when it was resolved meanwhile");
    clock.advance(IDEMPOTENCY_KEEP);
    let later = queue.admit(ZABBIX, std::slice::from_ref(&event)).await.expect("works");
    assert_ne!(first[0].alert_id, later[0].alert_id);
}

proptest! {
    /// However often and in whatever order a sender repeats itself, one key has at most one open
    /// alert, and the last one follows the last event that counted.
    #[test]
    fn one_key_has_at_most_one_open_alert(statuses in proptest::collection::vec(0_u8..4, 1..40), split in 1_usize..5) {
        let runtime = tokio::runtime::Builder::new_current_thread().build().expect("a runtime");
        runtime.block_on(async {
            let (queue, _) = queue();
            let events: Vec<Event> = statuses
                .iter()
                .map(|status| match status {
                    0 | 1 => firing("1"),
                    2 => resolved("1"),
                    _ => update("1", Update { acknowledged: Some(true), ..Update::default() }),
                })
                .collect();
            for batch in events.chunks(split) {
                let results = queue.admit(ZABBIX, batch).await.expect("the store works");
                assert_eq!(results.len(), batch.len());
            }
            let filter = AlertFilter {
                states: vec![AlertState::Triggered, AlertState::Acknowledged],
                limit: 100,
                ..AlertFilter::default()
            };
            let open = queue.store.list(&filter).await.expect("the store works").alerts.len();
            let expected = statuses.iter().rfind(|status| **status != 3).is_some_and(|last| *last < 2);
            assert_eq!(open, usize::from(expected));
        });
    }
}

const MANY: usize = 100;

fn body(word: &str) -> BodyDigest {
    BodyDigest::new(ZABBIX.integration, word.as_bytes())
}

/// Half of them firing, half over, as one body; remembered.
async fn remembered(queue: &Queue) -> Vec<Event> {
    let open: Vec<Event> = (0..MANY).map(|number| firing(&number.to_string())).collect();
    queue.admit(ZABBIX, &open).await.expect("works");
    let events: Vec<Event> = (0..MANY)
        .map(
            |number| {
                if number % 2 == 0 { firing(&number.to_string()) } else { resolved(&number.to_string()) }
            },
        )
        .collect();
    let admitted = queue.admit(ZABBIX, &events).await.expect("works");
    queue.remember(ZABBIX, body("b"), &events, &admitted);
    events
}

#[tokio::test]
async fn a_body_that_comes_again_says_what_reading_it_would_say() {
    let (queue, _) = queue();
    let events = remembered(&queue).await;
    let again = queue.admit_again(ZABBIX, body("b")).await.expect("works").expect("known");
    assert_eq!(again, queue.admit(ZABBIX, &events).await.expect("works"));
    assert_eq!(queue.admit_again(ZABBIX, body("c")).await.expect("works"), None, "another body");
    let other = BodyDigest::new("grafana", b"b");
    assert_eq!(queue.admit_again(ZABBIX, other).await.expect("works"), None, "of another sender");
    let thread = ThreadKey::new(ZABBIX.integration, &DedupKey::new("0"));
    let stored = queue.store.find_threads(vec![thread]).await.expect("works").remove(0).expect("known");
    assert_eq!(queue.with_seen(stored.alert).count, 4, "opened, and heard of three times more");
}

#[tokio::test]
async fn a_body_that_comes_again_is_read_again_once_any_alert_stands_otherwise() {
    let louder = Event { severity: Some(Severity::Disaster), ..firing("2") };
    let later = T0 + SignedDuration::from_secs(9);
    let again = Event { starts_at: Some(later), ..firing("1") };
    for change in [resolved("0"), louder, again] {
        let (queue, clock) = queue();
        let events = remembered(&queue).await;
        clock.advance(SignedDuration::from_secs(10));
        queue.admit(ZABBIX, std::slice::from_ref(&change)).await.expect("works");
        assert_eq!(queue.admit_again(ZABBIX, body("b")).await.expect("works"), None, "{change:?}");
        let admitted = queue.admit(ZABBIX, &events).await.expect("works");
        assert_eq!(admitted.len(), MANY);
    }
}

#[tokio::test]
async fn only_bodies_that_say_no_more_than_open_or_over_are_remembered() {
    let (queue, _) = queue();
    let many = |odd: Event| (0..MANY).map(|number| firing(&number.to_string())).chain([odd]).collect();
    let odd: [Vec<Event>; 5] = [
        many(update("x", comment("hm"))),
        many(firing("0")),
        many(Event { unknown_severity: Some("bizarre".to_owned()), ..firing("y") }),
        many(Event { expires_after: Some(SignedDuration::from_mins(9)), ..firing("z") }),
        vec![firing("few")],
    ];
    for events in odd {
        let admitted = queue.admit(ZABBIX, &events).await.expect("works");
        queue.remember(ZABBIX, body("odd"), &events, &admitted);
        assert_eq!(queue.admit_again(ZABBIX, body("odd")).await.expect("works"), None);
    }
}
