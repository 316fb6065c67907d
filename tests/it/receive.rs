//! What Zabbix and curl say becomes one alert with the right state, told once.

use serde_json::json;

use crate::harness::{GENERIC_KEY, Harness, OPERATOR, ZABBIX_KEY, problem, recovery, update};

#[tokio::test]
async fn problem_acknowledgement_comment_severity_and_recovery_are_one_alert() {
    let h = Harness::start().await;
    let opened = h.zabbix(problem("disk full")).await;
    assert_eq!(opened["admission"], "opened");
    assert_eq!(
        opened["url"],
        format!("https://alerts.example.org/alerts/{}", opened["alert_id"].as_str().expect("an id"))
    );
    h.settled().await;
    let taken = h.zabbix(update("disk full", "acknowledged")).await;
    assert_eq!((&taken["admission"], &taken["alert_id"]), (&json!("acknowledged"), &opened["alert_id"]));
    let noted = update("disk full", "commented").set("event_update_message", "청소 중");
    assert_eq!(h.zabbix(noted).await["admission"], "joined");
    let raised = update("disk full", "changed severity from High to Average").severity(3);
    assert_eq!(h.zabbix(raised).await["admission"], "joined");
    let alert = h.alert(&opened).await;
    assert_eq!((&alert["state"], &alert["severity"]), (&json!("acknowledged"), &json!("average")));
    assert!(alert["journal"].to_string().contains("청소 중"));
    assert_eq!(h.zabbix(update("disk full", "unacknowledged").severity(3)).await["admission"], "joined");
    assert_eq!(h.alert(&opened).await["state"], "triggered");
    assert_eq!(h.zabbix(recovery("disk full")).await["admission"], "resolved");
    assert_eq!(h.alert(&opened).await["state"], "resolved");
    h.settled().await;
    assert_eq!(h.pushes().len(), 2, "one push for the problem, one for the recovery: {:?}", h.pushes());
}

#[tokio::test]
async fn two_users_with_the_media_and_escalation_repeats_give_one_push() {
    let h = Harness::start().await;
    for sendto in ["ops", "night shift", "ops"] {
        h.zabbix(problem("disk full").set("alert_sendto", sendto)).await;
    }
    let repeat = h.zabbix(problem("disk full").set("event_age", "1h")).await;
    assert_eq!(repeat["admission"], "joined");
    h.settled().await;
    assert_eq!(h.pushes().len(), 1);
    assert_eq!(h.alert(&repeat).await["count"], 4);
}

#[tokio::test]
async fn a_hundred_copies_at_once_open_one_alert() {
    let h = Harness::start().await;
    let body = problem("disk full").to_string();
    let posts = (0..100).map(|_| h.post("/v1/events/zabbix", ZABBIX_KEY, &body));
    let answers = futures_of(posts).await;
    let opened = answers.iter().filter(|(_, answer)| answer["results"][0]["admission"] == "opened").count();
    assert_eq!(opened, 1);
    h.settled().await;
    assert_eq!(h.pushes().len(), 1);
}

async fn futures_of<F: Future>(futures: impl Iterator<Item = F>) -> Vec<F::Output> {
    let mut futures: Vec<_> = futures.map(Box::pin).collect();
    let mut done: Vec<Option<F::Output>> = futures.iter().map(|_| None).collect();
    std::future::poll_fn(|context| {
        for (future, done) in futures.iter_mut().zip(&mut done) {
            if done.is_none()
                && let std::task::Poll::Ready(output) = future.as_mut().poll(context)
            {
                *done = Some(output);
            }
        }
        if done.iter().all(Option::is_some) { std::task::Poll::Ready(()) } else { std::task::Poll::Pending }
    })
    .await;
    done.into_iter().flatten().collect()
}

#[tokio::test]
async fn an_update_before_its_problem_is_noted_and_the_problem_takes_it() {
    let h = Harness::start().await;
    let noted = h
        .zabbix(update("disk full", "acknowledged and changed severity from High to Disaster").severity(5))
        .await;
    assert_eq!(noted["admission"], "noted");
    h.settled().await;
    assert_eq!(h.pushes().len(), 0, "nobody is told of a note");
    assert_eq!(h.get("/v1/alerts").await["alerts"], json!([]), "and it is not listed");
    let opened = h.zabbix(problem("disk full")).await;
    assert_eq!((&opened["admission"], &opened["alert_id"]), (&json!("opened"), &noted["alert_id"]));
    let alert = h.alert(&opened).await;
    assert_eq!((&alert["state"], &alert["severity"]), (&json!("acknowledged"), &json!("disaster")));
}

#[tokio::test]
async fn a_recovery_of_something_unknown_is_ignored() {
    let h = Harness::start().await;
    let ignored = h.zabbix(recovery("disk full")).await;
    assert_eq!(
        (&ignored["admission"], &ignored["reason"], &ignored["alert_id"]),
        (&json!("ignored"), &json!("unknown_alert"), &json!(null))
    );
}

#[tokio::test]
async fn a_manual_close_and_its_recovery_resolve_once() {
    let h = Harness::start().await;
    let opened = h.zabbix(problem("disk full")).await;
    h.settled().await;
    let closed = update("disk full", "commented and closed")
        .set("event_value", "0")
        .set("event_update_message", "done");
    assert_eq!(h.zabbix(closed).await["admission"], "resolved");
    let second = h.zabbix(recovery("disk full")).await;
    assert_eq!((&second["admission"], &second["reason"]), (&json!("ignored"), &json!("already_resolved")));
    h.settled().await;
    assert_eq!(h.pushes().len(), 2);
    assert!(h.alert(&opened).await["resolved"]["note"].to_string().contains("Min Kim"));
}

#[tokio::test]
async fn a_late_copy_of_a_resolved_problem_is_stale() {
    let h = Harness::start().await;
    h.zabbix(problem("disk full")).await;
    h.settled().await;
    h.zabbix(recovery("disk full")).await;
    h.settled().await;
    let late = h.zabbix(problem("disk full")).await;
    assert_eq!((&late["admission"], &late["reason"]), (&json!("ignored"), &json!("stale")));
    h.settled().await;
    assert_eq!(h.pushes().len(), 2, "nothing more is told");
}

#[tokio::test]
async fn a_cancelled_escalation_ends_the_alert_with_its_reason() {
    let h = Harness::start().await;
    let opened = h.zabbix(problem("disk full")).await;
    h.settled().await;
    let message = "NOTE: Escalation canceled: trigger \"disk full\" disabled.\r\nLast message sent:\r\nx";
    let cancelled = h.zabbix(problem("disk full").set("alert_message", message)).await;
    assert_eq!(
        (&cancelled["admission"], &cancelled["reason"]),
        (&json!("resolved"), &json!("escalation_cancelled"))
    );
    assert!(h.alert(&opened).await["resolved"]["note"].to_string().contains("disabled"));
}

#[tokio::test]
async fn the_test_button_pushes_once_and_ends_by_itself() {
    let h = Harness::start().await;
    let body = r#"{"event_id":"{EVENT.ID}","event_value":"{EVENT.VALUE}","event_name":"{EVENT.NAME}"}"#;
    let (status, answer) = h.post("/v1/events/zabbix", ZABBIX_KEY, body).await;
    assert_eq!((status, &answer["results"][0]["reason"]), (202, &json!("test")));
    h.settled().await;
    assert_eq!(h.pushes().len(), 1);
    assert!(h.pushes()[0].starts_with("test: "), "{:?}", h.pushes());
    h.pass(30).await;
    assert_eq!(h.alert(&answer["results"][0]).await["state"], "resolved");
    assert_eq!((h.pushes().len(), h.texts().len()), (1, 0));
    h.post("/v1/events/zabbix", ZABBIX_KEY, body).await;
    h.settled().await;
    assert_eq!((h.pushes().len(), h.texts().len()), (2, 0), "pressed again, told again");
}

#[tokio::test]
async fn an_unreadable_body_is_told_and_never_refused() {
    let h = Harness::start().await;
    for body in ["{\"event_id\":", "\u{0}\u{1}\u{2}", "[]", "{\"event_id\":\"1\"}"] {
        let (status, answer) = h.post("/v1/events/zabbix", ZABBIX_KEY, body).await;
        assert_eq!((status, &answer["results"][0]["reason"]), (202, &json!("unreadable")), "{body:?}");
    }
    h.settled().await;
    assert_eq!(h.pushes().len(), 1, "one open alert, told once: {:?}", h.pushes());
    assert!(h.pushes()[0].contains("unreadable event from zabbix"), "{:?}", h.pushes());
    h.pass(3_700).await;
    assert_eq!(h.get("/v1/alerts?state=triggered").await["alerts"], json!([]), "it closes itself");
    assert_eq!(h.pushes().len(), 1, "without a word");
    h.post("/v1/events/zabbix", ZABBIX_KEY, "again").await;
    h.settled().await;
    assert_eq!(h.pushes().len(), 2, "an hour later it is told again");
}

#[tokio::test]
async fn an_oversized_body_is_refused_clearly_and_told() {
    let h = Harness::with(crate::harness::Setting {
        more: "[server]\nbody_limit = \"64 KiB\"".into(),
        ..Default::default()
    })
    .await;
    let (status, answer) = h.post("/v1/events/zabbix", ZABBIX_KEY, &"x".repeat(70_000)).await;
    assert_eq!((status, &answer["code"]), (413, &json!("body_too_large")));
    h.settled().await;
    assert!(h.pushes()[0].contains("oversized event from zabbix"), "{:?}", h.pushes());
}

#[tokio::test]
async fn repeated_wrong_keys_for_a_known_name_are_told() {
    let h = Harness::start().await;
    for _ in 0..5 {
        let (status, answer) = h.post("/v1/events/zabbix", "wrong", &problem("x").to_string()).await;
        assert_eq!((status, &answer["code"]), (401, &json!("wrong_key")));
    }
    let (status, _) = h.post("/v1/events/nobody", "wrong", "{}").await;
    assert_eq!(status, 404);
    h.settled().await;
    assert_eq!(h.pushes().len(), 1);
    assert!(h.pushes()[0].contains("wrong keys for zabbix"), "{:?}", h.pushes());
}

#[tokio::test]
async fn a_key_may_come_as_bearer_basic_or_query() {
    let h = Harness::start().await;
    let body = problem("disk full").to_string();
    let (status, _) = h.post(&format!("/v1/events/zabbix?key={ZABBIX_KEY}"), "", &body).await;
    assert_eq!(status, 202);
    let basic = h.post_basic("/v1/events/zabbix", ZABBIX_KEY, &body).await;
    assert_eq!(basic, 202);
}

#[tokio::test]
async fn a_manual_alert_by_curl_always_opens_unless_it_has_a_key_of_its_own() {
    let h = Harness::start().await;
    let body = r#"{"title":"rack 4 is on fire","severity":"average"}"#;
    for key in [OPERATOR, GENERIC_KEY] {
        let (status, answer) = h.post("/v1/alerts", key, body).await;
        assert_eq!((status, &answer["results"][0]["admission"]), (202, &json!("opened")));
    }
    let (_, answer) = h.post("/v1/alerts", OPERATOR, "water in the cellar").await;
    assert_eq!(h.alert(&answer["results"][0]).await["title"], "water in the cellar");
    let keyed = r#"{"title":"x","dedup_key":"cellar"}"#;
    h.post("/v1/alerts", OPERATOR, keyed).await;
    let (_, joined) = h.post("/v1/alerts", OPERATOR, keyed).await;
    assert_eq!(joined["results"][0]["admission"], "joined");
    let (status, answer) = h.post("/v1/alerts", OPERATOR, r#"{"title":"x","to":["nobody"]}"#).await;
    assert_eq!((status, &answer["code"]), (400, &json!("unknown_contact")));
    let (status, answer) = h.post("/v1/alerts", OPERATOR, r#"{"titel":"x"}"#).await;
    assert_eq!(status, 400, "{answer}");
}
