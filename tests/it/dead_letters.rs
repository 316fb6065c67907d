//! What could not be told to anybody stays until an operator has looked.

use bongsu::sandbox::Answer;
use jiff::SignedDuration;
use serde_json::{Value, json};

use crate::harness::{Harness, OPERATOR, Setting, VIEWER, problem};

/// jin and min have phones that take pushes, and no numbers.
fn push_only() -> Setting {
    let contacts = "[[contact]]\nname = \"jin\"\ndevices = [\"jins-phone\"]\n\
                    [[contact]]\nname = \"min\"\ndevices = [\"mins-phone\"]\n";
    Setting { contacts: contacts.into(), gateways: Vec::new(), ..Setting::default() }
}

async fn pass_a_day(h: &Harness) {
    for _ in 0..25 * 12 {
        h.clock.advance(SignedDuration::from_mins(5));
        h.settled().await;
    }
}

async fn letters(h: &Harness) -> Vec<Value> {
    let (status, page) = h.get_as("/v1/dead-letters", VIEWER).await;
    assert_eq!(status, 200, "{page}");
    page["dead_letters"].as_array().expect("a list").clone()
}

fn reasons(ready: &Value) -> Vec<&str> {
    let reasons = ready["reasons"].as_array().expect("a list");
    reasons.iter().map(|reason| reason["code"].as_str().expect("a code")).collect()
}

#[tokio::test]
async fn what_fired_and_ended_unheard_is_a_dead_letter_after_a_day_until_somebody_has_looked() {
    let mut h = Harness::with(push_only()).await;
    h.sandbox.fcm().always(Answer::internal());
    let opened = h.zabbix(problem("disk full").severity(3)).await;
    h.settled().await;
    h.act(&opened["alert_id"], "resolve").await;
    h.settled().await;
    assert_eq!(letters(&h).await, Vec::<Value>::new(), "it is still tried");
    pass_a_day(&h).await;
    let (status, ready) = h.get_as("/readyz", "").await;
    assert_eq!((status, reasons(&ready)), (503, vec!["dead_letters"]), "{ready}");
    h.restart().await;
    assert_eq!(h.get_as("/readyz", "").await.0, 503, "also after a restart");

    let all = letters(&h).await;
    let names: Vec<_> = all.iter().map(|letter| &letter["contact"]).collect();
    assert_eq!(names, [&json!("jin"), &json!("min")], "{all:?}");
    assert!(all.iter().all(|letter| letter["state"] == "unseen" && letter["alert_id"] == opened["alert_id"]));
    for letter in &all {
        let path = format!("/v1/dead-letters/{}/seen", letter["id"].as_str().expect("an id"));
        assert_eq!(h.post(&path, VIEWER, "").await.0, 403);
        assert_eq!(h.post(&path, OPERATOR, "").await.0, 200);
        let listed: Vec<_> = letters(&h).await.iter().map(|letter| letter["state"].clone()).collect();
        assert_eq!(listed.last(), Some(&json!("seen")), "what nobody has looked at comes first: {listed:?}");
    }
    assert_eq!(h.get_as("/readyz", "").await.0, 200);
    assert_eq!(letters(&h).await[0]["state"], "seen");
    assert_eq!(h.post("/v1/dead-letters/nothing:jin/seen", OPERATOR, "").await.0, 404);
}

#[tokio::test]
async fn a_dead_letter_is_tried_once_more_by_hand() {
    let h = Harness::with(push_only()).await;
    h.sandbox.fcm().always(Answer::internal());
    let opened = h.zabbix(problem("disk full").severity(3)).await;
    h.settled().await;
    h.act(&opened["alert_id"], "resolve").await;
    pass_a_day(&h).await;
    let all = letters(&h).await;
    let retry = format!("/v1/dead-letters/{}/retry", all[0]["id"].as_str().expect("an id"));
    h.sandbox.fcm().always(Answer::Ok);
    let (status, tried) = h.post(&retry, OPERATOR, "").await;
    assert_eq!((status, &tried["state"]), (200, &json!("retried")));
    h.settled().await;
    let (status, refused) = h.post(&retry, OPERATOR, "").await;
    assert_eq!((status, &refused["code"]), (409, &json!("nothing_to_retry")), "there is nothing left to try");
    h.settled().await;
    let said: Vec<_> = h.sandbox.fcm().pushes().into_iter().filter(|push| push.accepted).collect();
    let said: Vec<_> = said.iter().map(|push| push.data("title").to_string()).collect();
    assert_eq!(said.len(), 2, "that it was, and that min was not reached: {said:?}");
    let after = letters(&h).await;
    let retried = after.iter().find(|letter| letter["id"] == all[0]["id"]).expect("it is kept");
    assert_eq!(retried["state"], "told");
    let (status, ready) = h.get_as("/readyz", "").await;
    assert_eq!((status, reasons(&ready)), (200, Vec::new()), "somebody knows now");
}

#[tokio::test]
async fn whom_the_others_know_of_is_a_notice() {
    let h = Harness::with(push_only()).await;
    h.sandbox.fcm().answer_for_token("jins-phone", Answer::unregistered());
    h.zabbix(problem("disk full")).await;
    h.settled().await;
    let (status, ready) = h.get_as("/readyz", "").await;
    let notices = ready["notices"].as_array().expect("a list");
    assert_eq!(status, 200, "{ready}");
    assert!(notices.iter().any(|notice| notice["code"] == "contacts_out_of_reach"), "{ready}");
    let all = letters(&h).await;
    assert_eq!((all.len(), &all[0]["contact"], &all[0]["others_told"]), (1, &json!("jin"), &json!(true)));
}

#[tokio::test]
async fn what_is_tried_once_more_to_no_effect_still_waits_for_somebody_to_look() {
    let h = Harness::with(push_only()).await;
    h.sandbox.fcm().answer_for_token("jins-phone", Answer::unregistered());
    let opened = h.zabbix(problem("disk full")).await;
    h.settled().await;
    h.act(&opened["alert_id"], "acknowledge").await;
    let retry = format!("/v1/dead-letters/{}:jin/retry", opened["alert_id"].as_str().expect("an id"));
    let (status, refused) = h.post(&retry, OPERATOR, "").await;
    assert_eq!((status, &refused["code"]), (409, &json!("nothing_to_retry")));
    assert_eq!(letters(&h).await[0]["state"], "unseen");
    h.act(&opened["alert_id"], "unacknowledge").await;
    assert_eq!(h.post(&retry, OPERATOR, "").await.0, 200);
}
