//! A monitor that must keep calling: its silence is told, its return too, and never our own absence.

use bongsu::{
    clock::Clock as _,
    sandbox::Answer,
    store::{HeartbeatRecord, SledStore, Store},
};
use jiff::SignedDuration;
use serde_json::{Value, json};

use crate::harness::{GENERIC_KEY, Harness, OPERATOR, Setting, T0, VIEWER, ZABBIX_KEY};

const ALIVE: &str = "/v1/heartbeats/zabbix-alive";

/// Late three minutes after a call.
const HEARTBEAT: &str =
    "[[heartbeat]]\nname = \"zabbix-alive\"\nevery = \"1m\"\ngrace = \"2m\"\nseverity = \"average\"\n";

fn with(heartbeats: &str) -> Setting {
    Setting { more: heartbeats.to_owned(), ..Setting::default() }
}

async fn start() -> Harness {
    Harness::with(with(HEARTBEAT)).await
}

/// A call, which must be taken.
async fn call(h: &Harness) -> Value {
    let (status, answer) = h.post(ALIVE, ZABBIX_KEY, "").await;
    assert_eq!(status, 200, "{answer}");
    h.settled().await;
    answer
}

async fn glance(h: &Harness) -> Value {
    h.get("/v1/heartbeats").await["heartbeats"][0].clone()
}

/// Titles and states of all alerts, newest first.
async fn alerts(h: &Harness) -> Vec<(String, String)> {
    let word = |alert: &Value, name: &str| alert[name].as_str().expect("a word").to_owned();
    let page = h.get("/v1/alerts").await;
    let alerts = page["alerts"].as_array().expect("alerts").iter();
    alerts.map(|alert| (word(alert, "title"), word(alert, "state"))).collect()
}

fn silent(minutes: &str) -> String {
    format!("zabbix-alive has not called for {minutes}")
}

async fn figure(h: &Harness, line: &str) -> bool {
    let (_, metrics) = h.get_as("/metrics", "").await;
    metrics.as_str().expect("text").lines().any(|shown| shown == line)
}

#[tokio::test]
async fn one_that_never_called_is_shown_and_told_to_nobody() {
    let h = start().await;
    h.pass(100 * 24 * 3_600).await;
    let shown = glance(&h).await;
    assert_eq!((&shown["state"], &shown["late_at"]), (&json!("waiting"), &Value::Null), "{shown}");
    assert!(alerts(&h).await.is_empty() && h.pushes().is_empty());
    assert!(figure(&h, r#"bongsu_heartbeat_late{name="zabbix-alive"} 0"#).await);
}

#[tokio::test]
async fn silence_is_told_once_at_its_time_and_the_return_too() {
    let h = start().await;
    let answer = call(&h).await;
    let expected = json!({
        "name": "zabbix-alive", "every": "1m", "grace": "2m", "severity": "average", "state": "on_time",
        "first_call_at": T0, "last_call_at": T0, "late_at": T0 + SignedDuration::from_secs(180),
    });
    assert_eq!(answer, expected);
    h.pass(179).await;
    assert!(h.pushes().is_empty(), "one second is left");
    h.pass(1).await;
    assert_eq!(h.pushes(), [format!("triggered: [Average] {}", silent("3 min"))]);
    assert_eq!(alerts(&h).await, [(silent("3 min"), "triggered".to_owned())]);
    assert_eq!(glance(&h).await["state"], "late");
    assert!(figure(&h, r#"bongsu_heartbeat_late{name="zabbix-alive"} 1"#).await);
    assert!(
        figure(&h, r#"bongsu_heartbeat_last_call_timestamp_seconds{name="zabbix-alive"} 1800000000"#).await
    );
    assert_eq!(h.get_as("/readyz", "").await.0, 200, "it was told, so the promise holds");

    for _ in 0..200 {
        h.pass(60).await;
    }
    assert_eq!(h.pushes().len(), 1, "told once, however long it lasts");
    assert_eq!(alerts(&h).await[0].1, "triggered", "and open until it calls");

    assert_eq!(call(&h).await["state"], "on_time");
    assert_eq!(h.pushes().len(), 2);
    assert!(h.pushes()[1].starts_with("resolved: "), "{:?}", h.pushes());
    assert_eq!(alerts(&h).await[0].1, "resolved");
    assert!(figure(&h, r#"bongsu_heartbeat_late{name="zabbix-alive"} 0"#).await);

    h.pass(180).await;
    assert_eq!((h.pushes().len(), alerts(&h).await.len()), (3, 2), "the next silence is a new round");
}

#[tokio::test]
async fn whoever_calls_in_time_is_never_told() {
    let h = start().await;
    for _ in 0..50 {
        call(&h).await;
        h.pass(179).await;
    }
    assert!(alerts(&h).await.is_empty() && h.pushes().is_empty());
}

#[tokio::test]
async fn a_disaster_goes_by_both_roads_and_everybody_is_told() {
    let contacts = "[[contact]]\nname = \"jin\"\nphone = \"+821012345678\"\ndevices = [\"jins-phone\"]\n\
                    [[contact]]\nname = \"min\"\nphone = \"+821087654321\"\ndevices = [\"mins-phone\"]\n";
    let more = HEARTBEAT.replace("average", "disaster");
    let h = Harness::with(Setting { contacts: contacts.into(), more, ..Setting::default() }).await;
    call(&h).await;
    h.pass(180).await;
    assert_eq!((h.pushes().len(), h.texts().len()), (2, 2));
    h.pass(1_800).await;
    assert!(h.pushes().iter().any(|push| push.contains("triggered")) && 2 < h.pushes().len(), "and again");
}

#[tokio::test]
async fn one_that_is_late_stays_so_over_a_restart_and_is_not_told_again() {
    let mut h = start().await;
    call(&h).await;
    h.pass(180).await;
    h.stop().await;
    h.clock.advance(SignedDuration::from_hours(2));
    h.restart().await;
    h.settled().await;
    let shown = glance(&h).await;
    let since = json!(T0 + SignedDuration::from_secs(180));
    assert_eq!((&shown["state"], &shown["late_at"]), (&json!("late"), &since), "{shown}");
    h.pass(3_600).await;
    assert_eq!((h.pushes().len(), alerts(&h).await.len()), (1, 1));
    call(&h).await;
    assert_eq!((h.pushes().len(), alerts(&h).await[0].1.as_str()), (2, "resolved"));
}

#[tokio::test]
async fn our_own_downtime_makes_nothing_late_at_once() {
    let mut h = start().await;
    call(&h).await;
    h.stop().await;
    h.clock.advance(SignedDuration::from_hours(2));
    h.restart().await;
    h.settled().await;
    assert_eq!(glance(&h).await["state"], "on_time");
    h.pass(179).await;
    assert!(alerts(&h).await.is_empty(), "it may have called in vain");
    h.pass(1).await;
    assert_eq!(alerts(&h).await, [(silent("2 h 3 min"), "triggered".to_owned())]);
    let page = h.get("/v1/alerts").await;
    let body = page["alerts"][0]["body"].as_str().expect("a body");
    assert!(body.contains("The last call came at 2027-01-15 08:00:00 UTC"), "{body}");
    assert!(body.contains("Bongsu has been listening since 2027-01-15 10:00:00 UTC"), "{body}");
}

#[tokio::test]
async fn one_that_is_on_time_before_a_restart_is_on_time_after_it() {
    let mut h = start().await;
    call(&h).await;
    h.pass(100).await;
    h.restart().await;
    h.settled().await;
    h.pass(100).await;
    call(&h).await;
    h.pass(179).await;
    assert!(alerts(&h).await.is_empty());
    assert_eq!(glance(&h).await["first_call_at"], json!(T0), "the first call is remembered");
}

#[tokio::test]
async fn a_first_call_that_was_answered_survives_a_crash() {
    let h = start().await;
    let (status, _) = h.get_as(ALIVE, GENERIC_KEY).await;
    assert_eq!(status, 200);
    // The files as a killed process leaves them.
    let copied = h.copy_of_store();
    let store = SledStore::open(copied.path()).expect("it opens");
    let records = (&store as &dyn Store).all::<HeartbeatRecord>().await.expect("it reads");
    assert_eq!((records.len(), records[0].name.as_str(), records[0].first_call), (1, "zabbix-alive", T0));
    store.close().await;
}

#[tokio::test]
async fn resolving_by_hand_does_not_silence_a_monitor_that_stays_silent() {
    let h = start().await;
    call(&h).await;
    h.pass(180).await;
    let page = h.get("/v1/alerts").await;
    h.act(&page["alerts"][0]["id"], "resolve").await;
    h.settled().await;
    h.pass(180).await;
    let states: Vec<_> = alerts(&h).await.into_iter().map(|(_, state)| state).collect();
    assert_eq!(states, ["triggered", "resolved"]);
}

#[tokio::test]
async fn one_that_leaves_the_configuration_leaves_no_alert_open() {
    let mut h = start().await;
    call(&h).await;
    h.pass(180).await;
    h.restart_with(HEARTBEAT, "[[heartbeat]]\nname = \"another\"\n").await;
    h.settled().await;
    assert_eq!(alerts(&h).await[0].1, "resolved");
    let page = h.get("/v1/alerts").await;
    assert_eq!(page["alerts"][0]["resolved"]["note"], "no longer in the configuration");
    assert_eq!(glance(&h).await["state"], "waiting", "the other has never called");
}

#[tokio::test]
async fn any_integration_may_call_by_any_method_and_nobody_else() {
    let h = start().await;
    for (key, status) in [(ZABBIX_KEY, 200), (GENERIC_KEY, 200), (OPERATOR, 401), (VIEWER, 401), ("", 401)] {
        assert_eq!(h.get_as(ALIVE, key).await.0, status, "{key}");
        assert_eq!(h.post(ALIVE, key, "{\"status\":\"up\"}").await.0, status, "{key}");
        assert_eq!(h.post_basic(ALIVE, key, "").await, status, "{key}");
        assert_eq!(h.post(&format!("{ALIVE}?key={key}"), "", "").await.0, status, "{key}");
    }
    assert_eq!(h.get_as("/v1/heartbeats/Zabbix-Alive", ZABBIX_KEY).await.0, 200, "in any case");
    for nobody in ["zabbix", "%FF", "zabbix-alive%20"] {
        let (status, answer) = h.get_as(&format!("/v1/heartbeats/{nobody}"), ZABBIX_KEY).await;
        assert_eq!((status, &answer["code"]), (404, &json!("unknown_heartbeat")), "{nobody}");
    }
    assert_eq!(h.get_as("/v1/heartbeats", ZABBIX_KEY).await.0, 401, "a sender's key reads nothing");
}

#[tokio::test]
async fn wrong_keys_for_a_heartbeat_are_told_because_its_silence_would_not_be() {
    let h = start().await;
    for _ in 0..5 {
        assert_eq!(h.get_as(ALIVE, "a mistyped key").await.0, 401);
        assert_eq!(h.get_as("/v1/heartbeats/nobody", "a mistyped key").await.0, 401);
    }
    h.settled().await;
    assert_eq!(h.pushes(), ["triggered: [High] repeated wrong keys for heartbeat zabbix-alive"]);
    assert_eq!(glance(&h).await["state"], "waiting", "they are no calls");
}

#[tokio::test]
async fn a_push_that_fails_is_followed_by_a_text_as_for_any_alert() {
    let h = start().await;
    h.sandbox.fcm().always(Answer::unregistered());
    call(&h).await;
    h.pass(180).await;
    assert_eq!(h.texts().len(), 1);
    assert!(h.texts()[0].contains("zabbix-alive"), "{:?}", h.texts());
}

/// A heartbeat for the alert that always fires, and senders of it.
const WATCHDOG: &str = "[[heartbeat]]\nname = \"watchdog\"\nevery = \"5m\"\ngrace = \"5m\"\n";

const SENDERS: &str = "[[integration]]\nname = \"am\"\nkind = \"alertmanager\"\nkey = \"am-key-0123456789\"\n\
                       [[integration]]\nname = \"gf\"\nkind = \"grafana\"\nkey = \"gf-key-0123456789\"\n";

const AM_KEY: &str = "am-key-0123456789";
const GF_KEY: &str = "gf-key-0123456789";

/// As an Alertmanager sends it.
const FIRES: &str = include_str!("../fixtures/alertmanager/watchdog.json");
const ENDED: &str = include_str!("../fixtures/alertmanager/watchdog_resolved.json");

async fn results(h: &Harness, path: &str, key: &str, body: &str) -> Vec<Value> {
    let (status, answer) = h.post(path, key, body).await;
    assert_eq!(status, 202, "{answer}");
    h.settled().await;
    answer["results"].as_array().expect("results").clone()
}

#[tokio::test]
async fn an_alert_that_always_fires_is_a_call_and_is_told_when_it_stops() {
    let h = Harness::with(with(&format!("{WATCHDOG}{SENDERS}"))).await;
    let ended = results(&h, "/v1/events/am", AM_KEY, ENDED).await;
    assert_eq!((&ended[0]["admission"], &ended[0]["reason"]), (&json!("ignored"), &json!("heartbeat")));
    assert_eq!(glance(&h).await["state"], "waiting", "an end is no call");

    let alert = |name: &str| json!({ "labels": { "alertname": name, "severity": "none" }, "startsAt": T0 });
    let straight = json!([alert("DiskFull"), alert("Watchdog")]).to_string();
    let grafana = json!({
        "receiver": "bongsu", "status": "firing", "orgId": 1, "version": "1", "groupKey": "{}",
        "alerts": [{
            "status": "firing", "labels": { "alertname": "Watchdog" }, "annotations": {}, "startsAt": T0,
            "endsAt": "0001-01-01T00:00:00Z", "fingerprint": "57c6d9296de2ad39", "values": {},
        }],
    });
    for (path, key, body) in [
        ("/v1/events/am", AM_KEY, FIRES),
        ("/v1/events/am/api/v2/alerts", AM_KEY, straight.as_str()),
        ("/v1/events/gf", GF_KEY, &grafana.to_string()),
    ] {
        let results = results(&h, path, key, body).await;
        let last = results.last().expect("a result");
        assert_eq!((&last["admission"], &last["reason"]), (&json!("ignored"), &json!("heartbeat")), "{path}");
        assert_eq!(last["alert_id"], Value::Null);
        assert_eq!(glance(&h).await["last_call_at"], json!(h.clock.now()), "{path}");
        h.pass(599).await;
    }
    let titles: Vec<_> = alerts(&h).await.into_iter().map(|(title, _)| title).collect();
    assert_eq!((titles.len(), titles[0].contains("DiskFull")), (1, true), "{titles:?}");

    results(&h, "/v1/events/am", AM_KEY, ENDED).await;
    h.pass(1).await;
    assert_eq!(
        alerts(&h).await[0],
        ("watchdog has not called for 10 min".to_owned(), "triggered".to_owned())
    );
    results(&h, "/v1/events/am", AM_KEY, FIRES).await;
    assert_eq!(alerts(&h).await[0].1, "resolved");
}

#[tokio::test]
async fn without_a_heartbeat_it_is_an_alert_that_says_how_to_make_one() {
    let h = Harness::with(with(&format!("{HEARTBEAT}{SENDERS}"))).await;
    let opened = results(&h, "/v1/events/am", AM_KEY, FIRES).await;
    assert_eq!(opened[0]["admission"], "opened");
    let body = h.alert(&opened[0]).await["body"].as_str().expect("a body").to_owned();
    assert!(body.ends_with("[[heartbeat]]\nname = \"Watchdog\""), "{body}");
    let again = results(&h, "/v1/events/am", AM_KEY, FIRES).await;
    assert_eq!(again[0]["admission"], "joined");
    let ended = results(&h, "/v1/events/am", AM_KEY, ENDED).await;
    assert_eq!(ended[0]["admission"], "resolved");
}

#[tokio::test]
async fn restarts_just_when_it_should_call_do_not_hide_that_it_has_died() {
    let daily = "[[heartbeat]]\nname = \"zabbix-alive\"\nevery = \"1 day\"\ngrace = \"1h\"\n";
    let mut h = Harness::with(with(daily)).await;
    call(&h).await;
    for night in 1..=3 {
        h.pass(24 * 3_600).await;
        assert_eq!(alerts(&h).await.len(), usize::from(night == 3), "granted once, in night 1");
        h.stop().await;
        h.clock.advance(SignedDuration::from_secs(10));
        h.restart().await;
        h.settled().await;
    }
}
