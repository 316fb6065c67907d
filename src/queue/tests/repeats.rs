//! Bodies that come again word for word.

use super::*;

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

#[tokio::test]
async fn a_body_about_an_end_in_doubt_or_of_somebody_else_is_read_again() {
    let (queue, _) = queue();
    let at = |event| Event { starts_at: Some(T0), ..event };
    let open: Vec<Event> = (0..MANY).map(|number| at(firing(&number.to_string()))).collect();
    let over: Vec<Event> = (0..MANY).map(|number| at(resolved(&number.to_string()))).collect();
    for events in [&open, &over] {
        let admitted = queue.admit(ZABBIX, events).await.expect("works");
        queue.remember(ZABBIX, body("over"), events, &admitted);
    }
    assert!(queue.admit_again(ZABBIX, body("over")).await.expect("works").is_some());
    assert_eq!(answer(&queue, open[7].clone()).await, "noted doubtful");
    assert_eq!(queue.admit_again(ZABBIX, body("over")).await.expect("works"), None);
    queue.admit(ZABBIX, &over).await.expect("works");
    assert_eq!(latest(&queue, "7").await.doubt, None);
    assert!(queue.admit_again(ZABBIX, body("over")).await.expect("works").is_some());
}
