//! Limits hold at their edges: what just fits is taken whole, what is just too much is cut, counted
//! or refused, and never hurts anything else.

use std::collections::BTreeSet;

use bongsu::sandbox::Answer;
use serde_json::{Value, json};
use tokio::{
    io::{AsyncReadExt as _, AsyncWriteExt as _},
    net::TcpStream,
    task::JoinSet,
};

use crate::harness::{GENERIC_KEY, Harness, OPERATOR, Setting, VIEWER, problem};

/// The smallest `server.body_limit`, in bytes.
const BODY_LIMIT: usize = 64 * 1024;

/// Most events of one body.
const EVENTS_MAX: usize = 20_000;

/// Longest title and dedup key, in bytes.
const TITLE_MAX: usize = 512;
const KEY_MAX: usize = 255;

/// Alerts posted at once.
const BURST: usize = 500;

/// Devices, and alerts at once for all of them: more pushes than may be under way at a time.
const DEVICES: usize = 250;
const ALERTS_FOR_ALL: usize = 10;

async fn with_small_bodies() -> Harness {
    Harness::with(Setting {
        more: format!("[server]\nbody_limit = \"{BODY_LIMIT} B\""),
        ..Setting::default()
    })
    .await
}

/// An alert of exactly so many bytes.
fn body_of(bytes: usize) -> String {
    let text = "disk full\n";
    format!("{text}{}", "x".repeat(bytes - text.len()))
}

/// The status of a body that does not say its length.
async fn post_chunked(h: &Harness, path: &str, body: &str) -> String {
    let address = h.url("").trim_start_matches("http://").to_owned();
    let mut stream = TcpStream::connect(&address).await.expect("it listens");
    let request = format!(
        "POST {path} HTTP/1.1\r\nhost: x\r\nauthorization: Bearer {GENERIC_KEY}\r\nconnection: close\r\n\
         transfer-encoding: chunked\r\n\r\n{:x}\r\n{body}\r\n0\r\n\r\n",
        body.len()
    );
    stream.write_all(request.as_bytes()).await.expect("it reads");
    let mut answer = [0; 12];
    stream.read_exact(&mut answer).await.expect("it answers");
    String::from_utf8_lossy(&answer).into_owned()
}

#[tokio::test]
async fn a_body_at_the_limit_is_taken_and_one_byte_more_is_refused() {
    let h = with_small_bodies().await;
    let (fits, too_large) = (body_of(BODY_LIMIT), body_of(BODY_LIMIT + 1));
    for (path, key) in [("/v1/events/scripts", GENERIC_KEY), ("/v1/alerts", OPERATOR)] {
        assert_eq!(h.post(path, key, &fits).await.0, 202, "{path}");
        let (status, answer) = h.post(path, key, &too_large).await;
        assert_eq!((status, &answer["code"]), (413, &json!("body_too_large")), "{path}");
        let detail = answer["detail"].as_str().expect("words");
        assert!(detail.contains("server.body_limit") && detail.contains("65536"), "{detail}");
    }
    assert_eq!(post_chunked(&h, "/v1/events/scripts", &fits).await, "HTTP/1.1 202");
    assert_eq!(post_chunked(&h, "/v1/events/scripts", &too_large).await, "HTTP/1.1 413");
}

#[tokio::test]
async fn a_note_has_a_limit_of_its_own_and_is_cut() {
    let h = Harness::start().await;
    let opened = h.zabbix(problem("disk full")).await;
    let path = format!("/v1/alerts/{}/notes", opened["alert_id"].as_str().expect("an id"));
    assert_eq!(h.post(&path, OPERATOR, &"봉".repeat(1_024)).await.0, 200);
    assert_eq!(h.post(&path, OPERATOR, &"x".repeat(16 * 1024)).await.0, 200);
    let (status, answer) = h.post(&path, OPERATOR, &"x".repeat(16 * 1024 + 1)).await;
    assert_eq!((status, &answer["code"]), (413, &json!("body_too_large")));
    assert!(!answer["detail"].to_string().contains("server.body_limit"), "that would not help: {answer}");
    let rows = h.alert(&opened).await["journal"].as_array().expect("a journal").clone();
    let notes = rows.iter().filter(|row| row["entry"] == "comment");
    let lengths: Vec<_> = notes.map(|row| row["text"].as_str().expect("text").len()).collect();
    assert_eq!(lengths, [1_023, 1_024], "bytes, cut between characters");
}

#[tokio::test]
async fn twenty_thousand_events_are_taken_and_the_rest_is_told() {
    let h = Harness::start().await;
    let events = |count: usize| {
        let event =
            |number: usize| json!({ "title": "disk full", "dedup_key": number.to_string(), "status": "ok" });
        Value::Array((0..count).map(event).collect()).to_string()
    };
    let (status, answer) = h.post("/v1/events/scripts", GENERIC_KEY, &events(EVENTS_MAX + 1)).await;
    let results = answer["results"].as_array().expect("results");
    assert_eq!((status, results.len()), (202, EVENTS_MAX + 1));
    let keys: BTreeSet<_> = results.iter().map(|result| result["dedup_key"].to_string()).collect();
    assert_eq!(keys.len(), EVENTS_MAX + 1, "each has its own, in order");
    let (last, before) = results.split_last().expect("results");
    assert!(before.iter().all(|result| result["admission"] == "ignored"));
    assert_eq!(last["admission"], "opened");
    let told = h.alert(last).await;
    assert_eq!(
        (&told["title"], &told["severity"]),
        (&json!("Entries from scripts were not read"), &json!("high"))
    );
    assert!(told["body"].as_str().expect("a body").contains("1 lie beyond the limit of 20000"), "{told}");
}

#[tokio::test]
async fn texts_that_are_too_long_are_cut_or_hashed_and_the_event_counts() {
    let h = Harness::start().await;
    for (title, cut, mark) in
        [(TITLE_MAX, false, "a"), (TITLE_MAX + 1, true, "b"), (20 * TITLE_MAX, true, "c")]
    {
        for (key, hashed) in [(KEY_MAX, false), (KEY_MAX + 1, true), (20 * KEY_MAX, true)] {
            let (title, key) = ("t".repeat(title), mark.repeat(key));
            let body = json!({
                "title": title, "dedup_key": key, "message": "봉".repeat(9_000),
                "labels": { "l".repeat(300): "v".repeat(3_000), "team": "web" },
            });
            let (status, answer) = h.post("/v1/events/scripts", GENERIC_KEY, &body.to_string()).await;
            assert_eq!(status, 202, "{answer}");
            let result = &answer["results"][0];
            let shown = result["dedup_key"].as_str().expect("a key");
            assert_eq!((shown.starts_with("sha256:"), shown == key), (hashed, !hashed), "{shown}");
            let alert = h.alert(result).await;
            let kept = alert["title"].as_str().expect("a title");
            assert!(kept.len() <= TITLE_MAX && kept.ends_with('…') == cut, "{kept}");
            assert!(alert["body"].as_str().expect("a body").len() <= 8 * 1024);
            let labels = alert["labels"].as_object().expect("labels");
            assert!(
                labels.iter().all(
                    |(name, value)| name.len() <= 128 && value.as_str().is_some_and(|v| v.len() <= 1_024)
                )
            );
            assert_eq!(labels["team"], "web");
        }
    }
}

#[tokio::test]
async fn a_person_is_told_that_a_key_is_too_long() {
    let h = Harness::start().await;
    for (length, status) in [(KEY_MAX, 202), (KEY_MAX + 1, 400)] {
        let body = json!({ "title": "water", "dedup_key": "k".repeat(length) }).to_string();
        assert_eq!(h.post("/v1/alerts", OPERATOR, &body).await.0, status, "{length}");
        let key = "i".repeat(length);
        let answer = h.post_with("/v1/alerts", OPERATOR, ("idempotency-key", &key), "water").await;
        let taken = answer["results"].is_array();
        assert_eq!(taken, status == 202, "{answer}");
        assert!(taken || answer["code"] == "bad_idempotency_key", "{answer}");
    }
}

#[tokio::test]
async fn a_page_has_at_most_five_hundred_entries() {
    let h = Harness::with(Setting { fcm: Some("per_device = []".into()), ..Setting::default() }).await;
    let events: Vec<_> =
        (0..501).map(|n| json!({ "title": "x", "dedup_key": n, "severity": "info" })).collect();
    h.post("/v1/events/scripts", GENERIC_KEY, &Value::Array(events).to_string()).await;
    for path in ["/v1/alerts", "/v1/attempts"] {
        assert_eq!(h.get_as(&format!("{path}?limit=500"), VIEWER).await.0, 200);
        for limit in ["501", "0", "-1", "18446744073709551616", "x", ""] {
            let (status, answer) = h.get_as(&format!("{path}?limit={limit}"), VIEWER).await;
            assert_eq!((status, &answer["code"]), (400, &json!("bad_parameter")), "{path} {limit}");
        }
    }
    let page = h.get("/v1/alerts?limit=500").await;
    assert_eq!(page["alerts"].as_array().map(Vec::len), Some(500));
    let rest = h.get(&format!("/v1/alerts?limit=500&cursor={}", page["next"].as_str().expect("more"))).await;
    assert_eq!((rest["alerts"].as_array().map(Vec::len), &rest["next"]), (Some(1), &json!(null)));
}

#[tokio::test]
async fn five_hundred_alerts_at_once_are_each_told_once() {
    let h = Harness::with(Setting { fcm: Some("per_device = []".into()), ..Setting::default() }).await;
    let client = client();
    let mut posts = JoinSet::new();
    for number in 0..BURST {
        let body = json!({ "title": "disk full", "dedup_key": number, "severity": "high" });
        let post = client.post(h.url("/v1/events/scripts")).bearer_auth(GENERIC_KEY).body(body.to_string());
        posts.spawn(async move { post.send().await.expect("it answers").status().as_u16() });
    }
    assert_eq!(posts.join_all().await, vec![202; BURST]);
    h.settled().await;
    let told = h.sandbox.fcm().accepted_counts();
    assert_eq!((told.len(), told.values().max()), (BURST, Some(&1)));
    assert_eq!((h.sandbox.fcm().counts().seen, h.texts().len()), (BURST as u64, 0));
}

#[tokio::test]
async fn pushes_beyond_those_that_may_be_under_way_wait_for_answers_and_are_not_put_off() {
    let tokens: Vec<_> = (0..DEVICES).map(|number| format!("phone-{number}")).collect();
    let h = Harness::with(Setting {
        fcm: Some("per_device = []".to_owned()),
        contacts: format!("[[contact]]\nname = \"jin\"\ndevices = {}\n", json!(tokens)),
        ..Setting::default()
    })
    .await;
    let events: Vec<_> = (0..ALERTS_FOR_ALL)
        .map(|number| json!({ "title": "disk full", "dedup_key": number.to_string() }))
        .collect();
    let (_, answer) = h.post("/v1/events/scripts", GENERIC_KEY, &json!(events).to_string()).await;
    h.settled().await;
    for result in answer["results"].as_array().expect("results") {
        assert_eq!(h.attempts(result).await, vec!["push accepted"; DEVICES]);
    }
    assert_eq!(h.sandbox.fcm().counts().seen, (DEVICES * ALERTS_FOR_ALL) as u64);
}

#[tokio::test]
async fn a_provider_that_talks_too_much_is_recorded_all_the_same() {
    let h = Harness::start().await;
    h.sandbox.fcm().always(Answer::json(200, &json!({ "name": "n".repeat(40_000) })));
    let opened = h.zabbix(problem("disk full")).await;
    h.settled().await;
    assert_eq!(h.attempts(&opened).await, ["push accepted"]);
    assert!(h.get("/v1/attempts").await.to_string().len() < 4_000, "and cut");
}

#[tokio::test]
async fn an_alert_that_grows_too_large_is_told_and_holds_up_no_other() {
    let h = Harness::start().await;
    // Every character needs an escape where it is stored.
    let label = |name: &str| (name.to_owned(), "\"".repeat(1_000).into());
    let labels: serde_json::Map<String, Value> = ["a", "b", "c", "d"].into_iter().map(label).collect();
    let body = json!({ "title": "\"".repeat(512), "message": "\"".repeat(8_192), "labels": labels });
    let (_, answer) = h.post("/v1/events/scripts", GENERIC_KEY, &body.to_string()).await;
    let large = &answer["results"][0];
    let path = format!("/v1/alerts/{}/notes", large["alert_id"].as_str().expect("an id"));
    for _ in 0..8 {
        let (status, answer) = h.post(&path, OPERATOR, &"\"".repeat(1_024)).await;
        assert_eq!(status, 200, "{answer}");
    }
    let other = h.zabbix(problem("disk full")).await;
    h.settled().await;
    h.act(&large["alert_id"], "resolve").await;
    h.settled().await;
    assert_eq!(h.attempts(large).await, ["push accepted", "push accepted"], "opened and resolved");
    assert_eq!(h.attempts(&other).await, ["push accepted"]);
}

#[expect(clippy::disallowed_methods, reason = "a test's own client")]
fn client() -> reqwest::Client {
    reqwest::Client::builder().build().expect("a client")
}
