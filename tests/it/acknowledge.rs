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
