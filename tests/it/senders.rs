//! Grafana, Alertmanager and Prometheus: whole groups again and again, told once for each change.

use aws_lc_rs::hmac;
use jiff::SignedDuration;
use serde_json::{Value, json};

use crate::harness::{Harness, Setting, T0};

const KEY: &str = "sender-key-0123456789";
const SECRET: &str = "shared-secret-0123456789";

/// One integration of each kind that posts groups, and one that signs.
async fn start() -> Harness {
    let integration = |name: &str, kind: &str| {
        format!("[[integration]]\nname = \"{name}\"\nkind = \"{kind}\"\nkey = \"{name}-{KEY}\"\n")
    };
    let signed =
        format!("hmac = {{ secret = \"{SECRET}\", timestamp_header = \"X-Grafana-Alerting-Timestamp\" }}\n");
    let more = integration("am", "alertmanager")
        + &integration("grafana", "grafana")
        + &integration("signed", "grafana")
        + &signed;
    Harness::with(Setting { more, ..Setting::default() }).await
}

fn alert(name: &str, status: &str, from: &str, to: &str) -> Value {
    json!({ "status": status, "labels": { "alertname": name, "severity": "warning" }, "annotations": {},
            "startsAt": from, "endsAt": to, "fingerprint": format!("fp-{name}") })
}

const NEVER: &str = "0001-01-01T00:00:00Z";

fn group(alerts: &[Value]) -> String {
    json!({ "receiver": "b", "status": "firing", "version": "4", "groupKey": "{}:{}", "alerts": alerts })
        .to_string()
}

async fn admissions(h: &Harness, integration: &str, body: &str) -> Vec<String> {
    let path = format!("/v1/events/{integration}");
    let (status, answer) = h.post(&path, &format!("{integration}-{KEY}"), body).await;
    assert_eq!(status, 202, "{answer}");
    let word = |result: &Value| match result["reason"].as_str() {
        Some(reason) => format!("{} {reason}", result["admission"].as_str().expect("a word")),
        None => result["admission"].as_str().expect("a word").to_owned(),
    };
    answer["results"].as_array().expect("results").iter().map(word).collect()
}

#[tokio::test]
async fn a_group_that_is_sent_again_and_again_is_told_once_for_each_change() {
    let h = start().await;
    let (one, two, three) = ("2027-01-15T07:00:00Z", "2027-01-15T07:10:00Z", "2027-01-15T07:20:00Z");
    let first = group(&[alert("a", "firing", one, NEVER), alert("b", "firing", one, NEVER)]);
    for twin in ["first", "second"] {
        let expected = if twin == "first" { "opened" } else { "joined" };
        assert_eq!(admissions(&h, "am", &first).await, [expected, expected], "the {twin} of a pair");
    }
    h.settled().await;
    assert_eq!(h.pushes().len(), 2);
    let mixed = group(&[alert("a", "resolved", one, two), alert("b", "firing", one, NEVER)]);
    assert_eq!(admissions(&h, "am", &mixed).await, ["resolved", "joined"]);
    assert_eq!(admissions(&h, "am", &mixed).await, ["ignored already_resolved", "joined"]);
    h.settled().await;
    assert_eq!(h.pushes().len(), 3, "only what changed is told");
    assert_eq!(admissions(&h, "am", &first).await, ["noted doubtful", "joined"], "a twin that is behind");
    assert_eq!(admissions(&h, "am", &mixed).await, ["ignored already_resolved", "joined"], "and its end");
    h.pass(120).await;
    assert_eq!(h.pushes().len(), 3, "nobody is told of that");
    let again = group(&[alert("a", "firing", three, NEVER)]);
    assert_eq!(admissions(&h, "am", &again).await, ["opened"], "it began after the last one ended");
    assert_eq!(admissions(&h, "am", &mixed).await, ["ignored stale", "joined"], "the end of the last one");
    h.settled().await;
    assert_eq!(h.pushes().len(), 4);
}

/// Where Prometheus posts without an Alertmanager.
const DIRECT: &str = "/v1/events/am/api/v2/alerts";

/// What Prometheus repeats each minute while an alert fires that began at `T0`; it is believed until then.
fn still_firing(minutes: i64) -> String {
    let end = T0 + SignedDuration::from_mins(minutes);
    json!([{ "labels": { "alertname": "Down", "severity": "critical" }, "annotations": {},
             "startsAt": T0.to_string(), "endsAt": end.to_string() }])
    .to_string()
}

#[tokio::test]
async fn an_outage_of_ours_ends_nothing_that_prometheus_still_says() {
    let mut h = start().await;
    let key = format!("am-{KEY}");
    let (_, answer) = h.post(DIRECT, &key, &still_firing(4)).await;
    let opened = &answer["results"][0];
    h.settled().await;
    h.stop().await;
    h.clock.advance(SignedDuration::from_mins(20));
    h.restart().await;
    h.settled().await;
    assert_eq!(h.alert(opened).await["state"], "triggered", "nobody could say a word meanwhile");
    let (_, again) = h.post(DIRECT, &key, &still_firing(24)).await;
    assert_eq!(again["results"][0]["admission"], "joined");
    h.pass(60 * 8).await;
    assert_eq!(h.alert(opened).await["state"], "triggered");

    // The network is cut, and then it still fires.
    h.pass(60 * 12).await;
    assert_eq!(h.alert(opened).await["state"], "resolved");
    let pushes = h.pushes().len();
    let (_, back) = h.post(DIRECT, &key, &still_firing(44)).await;
    assert_eq!(back["results"][0]["admission"], "opened");
    h.settled().await;
    assert_eq!(h.pushes().len(), pushes + 1, "and is told");
}

#[tokio::test]
async fn what_prometheus_no_longer_repeats_resolves_itself() {
    let h = start().await;
    let key = format!("am-{KEY}");
    let (status, answer) = h.post(DIRECT, &key, &still_firing(4)).await;
    assert_eq!((status, &answer["results"][0]["admission"]), (202, &json!("opened")));
    h.pass(120).await;
    let (_, again) = h.post(DIRECT, &key, &still_firing(6)).await;
    assert_eq!(again["results"][0]["admission"], "joined");
    h.pass(60 * 8).await;
    assert_eq!(
        h.alert(&answer["results"][0]).await["state"],
        "triggered",
        "believed for five minutes longer"
    );
    h.pass(60 * 4).await;
    let over = h.alert(&answer["results"][0]).await;
    assert_eq!(over["state"], "resolved", "{over}");
    let (status, answer) = h.post(DIRECT, &key, "[]").await;
    assert_eq!((status, answer), (202, json!({ "results": [] })));
    let (status, _) = h.post(DIRECT, "another-key", "[]").await;
    assert_eq!(status, 401);
}

fn sign(secret: &str, time: i64, body: &str) -> String {
    let key = hmac::Key::new(hmac::HMAC_SHA256, secret.as_bytes());
    let signed = hmac::sign(&key, format!("{time}:{body}").as_bytes());
    signed.as_ref().iter().fold(String::new(), |hex, byte| hex + &format!("{byte:02x}"))
}

/// Posts as Grafana does, without a key.
async fn post_signed(h: &Harness, signature: &str, time: i64, body: &str) -> (u16, String) {
    let time = time.to_string();
    let headers =
        [("X-Grafana-Alerting-Signature", signature), ("X-Grafana-Alerting-Timestamp", time.as_str())];
    h.post_headers("/v1/events/signed", &headers, body).await
}

#[tokio::test]
async fn a_signed_body_needs_no_key_and_an_unsigned_one_is_refused_in_clear_words() {
    let h = start().await;
    let body = group(&[alert("a", "firing", "2027-01-15T07:00:00Z", NEVER)]);
    let now = T0.as_second();
    let (status, answer) = post_signed(&h, &sign(SECRET, now, &body), now, &body).await;
    assert_eq!(status, 202, "{answer}");
    h.settled().await;
    assert_eq!(h.pushes().len(), 1);
    let old = now - 301;
    let changed = body.replace("warning", "info");
    let no_signature = String::new();
    for (signature, time, body, says) in [
        (sign("another-secret", now, &body), now, &body, "does not fit"),
        (sign(SECRET, now, &body), now, &changed, "does not fit"),
        (sign(SECRET, old, &body), old, &body, "301 s off"),
        (no_signature, now, &body, "does not fit"),
    ] {
        let (status, answer) = post_signed(&h, &signature, time, body).await;
        assert_eq!(status, 401, "{answer}");
        let seen: String = answer.chars().take(200).collect();
        assert!(seen.contains(says), "{seen}");
    }
    let (status, answer) = h.post("/v1/events/signed", "another-key-0123456789", &body).await;
    assert_eq!(status, 401, "a wrong key is wrong here too: {answer}");
    let (status, answer) = h.post("/v1/events/signed", &format!("signed-{KEY}"), &body).await;
    assert_eq!(status, 401, "the key alone is not enough: {answer}");
    assert!(answer.to_string().contains("has no header X-Grafana-Alerting-Signature"), "{answer}");
}

#[tokio::test]
async fn ten_thousand_alerts_of_one_body_are_all_there_and_again_join() {
    let h = Harness::with(Setting {
        more: format!("[[integration]]\nname = \"grafana\"\nkind = \"grafana\"\nkey = \"grafana-{KEY}\"\n"),
        ..Setting::default()
    })
    .await;
    let alerts: Vec<Value> =
        (0..10_000).map(|n| alert(&format!("a{n}"), "firing", "2027-01-15T07:00:00Z", NEVER)).collect();
    let body = group(&alerts);
    let opened = admissions(&h, "grafana", &body).await;
    assert_eq!(opened.iter().filter(|word| *word == "opened").count(), 10_000);
    let again = admissions(&h, "grafana", &body).await;
    assert_eq!(again.iter().filter(|word| *word == "joined").count(), 10_000);
    let (_, answer) = h.post("/v1/events/grafana", &format!("grafana-{KEY}"), &body).await;
    let last = h.alert(&answer["results"][9_999]).await;
    assert_eq!((&last["title"], &last["count"]), (&json!("a9999"), &json!(3)));
}
