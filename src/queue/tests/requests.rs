//! One request: its events folded in order, rounds as documents, counts, histories, keys of requests.

use super::*;

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
            (Admission::Ignored, Some(Reason::AlreadyResolved)),
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
async fn the_same_update_for_every_zabbix_user_is_kept_once() {
    let (queue, _) = queue();
    admissions(&queue, &[firing("1")]).await;
    for _ in 0..3 {
        let taken = Update { acknowledged: Some(true), ..comment("mine") };
        admissions(&queue, &[update("1", taken)]).await;
    }
    let alert = only_alert(&queue).await;
    assert_eq!(alert.rows.len(), 3, "opened, acknowledged, one comment: {:?}", alert.rows);
    assert_eq!((alert.state, alert.count), (AlertState::Acknowledged, 4), "each was heard of");
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

#[tokio::test]
async fn what_goes_on_after_a_person_ended_it_is_as_severe_as_it_had_become() {
    for key_never_returns in [true, false] {
        let (queue, clock) = queue();
        let problem = Event {
            severity: None,
            severity_at_start: Some(Severity::Warning),
            starts_at: Some(T0),
            key_never_returns,
            ..firing("1")
        };
        let raise = Event { severity: Some(Severity::Disaster), ..update("1", Update::default()) };
        admissions(&queue, &[problem.clone(), raise]).await;
        queue.act(latest(&queue, "1").await.id, &Action::Resolve, "jin").await.expect("works");
        clock.advance(SignedDuration::from_secs(61));
        assert_eq!(answer(&queue, problem).await, "opened");
        assert_eq!(latest(&queue, "1").await.severity, Severity::Disaster);
    }
}

#[tokio::test]
async fn what_has_become_more_severe_can_be_taken_once_more() {
    let (queue, clock) = queue();
    admissions(&queue, &[firing("1")]).await;
    let id = latest(&queue, "1").await.id;
    let taken = async |by: &str| {
        let alert = queue.act(id, &Action::Acknowledge, by).await.expect("works");
        let taken = alert.conversation.acknowledged.expect("somebody has it");
        (taken.by, taken.at)
    };
    let first = clock.now();
    assert_eq!(taken("jin").await, ("jin".to_owned(), first));
    clock.advance(SignedDuration::from_secs(60));
    assert_eq!(taken("min").await, ("jin".to_owned(), first), "jin has it");
    admissions(&queue, &[Event { severity: Some(Severity::Disaster), ..firing("1") }]).await;
    clock.advance(SignedDuration::from_secs(60));
    assert_eq!(taken("min").await, ("min".to_owned(), clock.now()));
}
