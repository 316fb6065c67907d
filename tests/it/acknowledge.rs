//! Somebody takes an alert: escalation stops, the alert stays.

use bongsu::sandbox::Answer;
use serde_json::json;

use crate::harness::{Harness, OPERATOR, VIEWER, problem};

#[tokio::test]
async fn an_alert_nobody_takes_is_repeated_until_somebody_does() {
    let h = Harness::start().await;
    let opened = h.zabbix(problem("disk full")).await;
    h.settled().await;
    h.pass(1_799).await;
    assert_eq!(h.pushes().len(), 1);
    h.pass(1).await;
    assert_eq!(h.pushes().len(), 2);
    h.act(&opened["alert_id"], "acknowledge").await;
    h.pass(7_200).await;
    assert_eq!(h.pushes().len(), 2);
    h.act(&opened["alert_id"], "unacknowledge").await;
    h.settled().await;
    assert_eq!(h.pushes().len(), 3, "given up: the next step is overdue");
}

#[tokio::test]
async fn reminders_that_ended_unanswered_are_a_notice_until_somebody_takes_the_alert() {
    let mut h = Harness::start().await;
    let notices = async |h: &Harness| {
        let (status, ready) = h.get_as("/readyz", "").await;
        assert_eq!(status, 200, "{ready}");
        ready["notices"].clone()
    };
    let opened = h.zabbix(problem("disk full")).await;
    h.settled().await;
    for _ in 0..5 {
        h.pass(1_800).await;
    }
    assert_eq!(notices(&h).await, json!([]), "one more reminder is to come");
    h.pass(1_800).await;
    for _ in 0..2 {
        let notices = notices(&h).await;
        assert_eq!(
            (&notices[0]["code"], &notices[0]["count"]),
            (&json!("repeats_ended"), &json!(1)),
            "{notices}"
        );
        h.restart().await;
    }
    h.act(&opened["alert_id"], "acknowledge").await;
    h.settled().await;
    assert_eq!(notices(&h).await, json!([]));
}

#[tokio::test]
async fn an_acknowledgement_stops_the_text_that_was_to_follow_a_failing_push() {
    let h = Harness::start().await;
    h.sandbox.fcm().always(Answer::internal());
    let opened = h.zabbix(problem("disk full")).await;
    h.settled().await;
    assert_eq!(h.act(&opened["alert_id"], "acknowledge").await["acknowledged"]["by"], "dana");
    h.pass(60).await;
    assert_eq!(h.texts().len(), 0);
}

#[tokio::test]
async fn only_operators_act_and_a_resolved_alert_cannot_be_taken() {
    let h = Harness::start().await;
    let opened = h.zabbix(problem("disk full")).await;
    let path = format!("/v1/alerts/{}/acknowledge", opened["alert_id"].as_str().expect("an id"));
    assert_eq!(h.post(&path, VIEWER, "").await.0, 403);
    assert_eq!(h.post(&path, "nobody", "").await.0, 401);
    assert_eq!(h.act(&opened["alert_id"], "resolve").await["state"], "resolved");
    let (status, answer) = h.post(&path, OPERATOR, "").await;
    assert_eq!((status, &answer["code"]), (409, &json!("alert_resolved")));
}
