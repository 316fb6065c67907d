//! What fires after its end: told again, unless it is a late copy.

use serde_json::{Value, json};

use crate::harness::{GENERIC_KEY, Harness, Setting};

const KEY: &str = "grafana-key-0123456789";

async fn start() -> Harness {
    let more = format!("[[integration]]\nname = \"grafana\"\nkind = \"grafana\"\nkey = \"{KEY}\"\n");
    Harness::with(Setting { more, ..Setting::default() }).await
}

/// One alert of Grafana, which has always begun at the same time.
fn missing(status: &str) -> String {
    let alert = json!({
        "status": status, "fingerprint": "5d1e", "startsAt": "2027-01-15T05:00:00Z", "endsAt": "0001-01-01T00:00:00Z",
        "labels": { "alertname": "HostDown", "instance": "web01", "severity": "critical" }, "annotations": {},
    });
    json!({ "receiver": "b", "status": status, "groupKey": "{}", "version": "4", "alerts": [alert] })
        .to_string()
}

async fn admission(h: &Harness, path: &str, key: &str, body: &str) -> (String, Value) {
    let (status, answer) = h.post(path, key, body).await;
    assert_eq!(status, 202, "{answer}");
    let result = answer["results"][0].clone();
    let words = ["admission", "reason"].into_iter().filter_map(|name| result[name].as_str());
    (words.collect::<Vec<_>>().join(" "), result)
}

#[tokio::test]
async fn an_end_that_grafana_takes_back_is_told_within_a_minute_also_after_a_restart() {
    let mut h = start().await;
    for (status, expected) in [("firing", "opened"), ("resolved", "resolved"), ("firing", "noted doubtful")] {
        assert_eq!(admission(&h, "/v1/events/grafana", KEY, &missing(status)).await.0, expected);
        h.settled().await;
    }
    assert_eq!(h.pushes().len(), 2, "nobody is told while it may be a late copy: {:?}", h.pushes());
    h.restart().await;
    h.settled().await;
    h.pass(60).await;
    let pushes = h.sandbox.fcm().pushes();
    assert_eq!(pushes.len(), 3, "{:?}", h.pushes());
    assert!(pushes[2].data("title").contains("Fires again: "), "{:?}", h.pushes());
    let body = pushes[2].data("body");
    assert!(body.contains("Fires again; its sender had called it over at "), "{body}");
    let (joined, result) = admission(&h, "/v1/events/grafana", KEY, &missing("firing")).await;
    assert_eq!(joined, "joined");
    let alert = h.alert(&result).await;
    assert_eq!((&alert["state"], &alert["round"]), (&json!("triggered"), &json!(2)));
    h.pass(3_600).await;
    assert_eq!(h.get("/v1/alerts").await["alerts"].as_array().map(Vec::len), Some(2), "once");
}

#[tokio::test]
async fn what_somebody_resolved_and_still_fires_is_told_with_the_name() {
    let h = start().await;
    let (_, opened) = admission(&h, "/v1/events/grafana", KEY, &missing("firing")).await;
    h.settled().await;
    h.act(&opened["alert_id"], "resolve").await;
    h.pass(300).await;
    assert_eq!(admission(&h, "/v1/events/grafana", KEY, &missing("firing")).await.0, "opened");
    h.settled().await;
    let body = h.sandbox.fcm().pushes()[2].data("body").to_owned();
    assert!(body.contains("Fires again; ") && body.contains(" had resolved it at "), "{body}");
}

#[tokio::test]
async fn what_is_not_said_a_second_time_after_its_end_closes_itself_and_says_why() {
    let h = start().await;
    for status in ["firing", "resolved", "firing"] {
        admission(&h, "/v1/events/grafana", KEY, &missing(status)).await;
        h.settled().await;
    }
    h.pass(60).await;
    let open = h.get("/v1/alerts?state=triggered").await["alerts"][0].clone();
    h.pass(24 * 3_600).await;
    let alert = h.get(&format!("/v1/alerts/{}", open["id"].as_str().expect("an id"))).await;
    assert_eq!((&alert["state"], &alert["resolved"]["by"]), (&json!("resolved"), &json!("close_after")));
    assert_eq!(alert["resolved"]["note"], "its sender did not say it again");
}

/// A device without NTP: its clock stands years behind, and its end has no time.
#[tokio::test]
async fn a_clock_that_is_years_behind_opens_each_problem() {
    let h = Harness::start().await;
    let at =
        |time: &str| json!({ "dedup_key": "fan3", "title": "fan 3 stopped", "timestamp": time }).to_string();
    let over = json!({ "dedup_key": "fan3", "status": "resolved" }).to_string();
    for (body, expected) in
        [(at("2018-03-01T09:00:00Z"), "opened"), (over, "resolved"), (at("2018-03-01T14:00:00Z"), "opened")]
    {
        assert_eq!(admission(&h, "/v1/events/scripts", GENERIC_KEY, &body).await.0, expected);
        h.settled().await;
        h.pass(10).await;
    }
    assert_eq!(h.pushes().len(), 3, "{:?}", h.pushes());
}

#[tokio::test]
async fn a_start_that_moves_with_each_message_is_told_to_people() {
    let h = Harness::start().await;
    let mut words = Vec::new();
    for minute in 10..18 {
        let body =
            json!({ "dedup_key": "x", "title": "x", "starts_at": format!("2027-01-15T07:{minute}:00Z") });
        words.push(admission(&h, "/v1/events/scripts", GENERIC_KEY, &body.to_string()).await.0);
        h.pass(60).await;
    }
    let opened = "opened";
    assert_eq!(words[..4], [opened, opened, opened, "opened moving_start"]);
    assert_eq!(words[4..], ["joined moving_start"; 4]);
    assert!(
        h.pushes().iter().any(|push| push.contains("scripts sends starts that move")),
        "{:?}",
        h.pushes()
    );
    assert!(h.pushes().iter().all(|push| !push.starts_with("resolved")), "ends apart: {:?}", h.pushes());
}

#[tokio::test]
async fn what_was_over_before_it_came_is_one_message() {
    let h = start().await;
    assert_eq!(
        admission(&h, "/v1/events/grafana", KEY, &missing("resolved")).await.0,
        "ignored unknown_alert"
    );
    h.pass(3).await;
    let (words, result) = admission(&h, "/v1/events/grafana", KEY, &missing("firing")).await;
    assert_eq!(words, "opened already_resolved");
    h.settled().await;
    assert_eq!(h.alert(&result).await["state"], "resolved");
    assert_eq!((h.pushes().len(), h.texts().len()), (1, 0), "{:?}", h.pushes());
}
