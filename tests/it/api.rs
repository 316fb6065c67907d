//! The API and the page for people who look.

use serde_json::json;

use crate::harness::{GENERIC_KEY, Harness, OPERATOR, Setting, VIEWER, ZABBIX_KEY, problem, recovery};

#[tokio::test]
async fn alerts_are_listed_filtered_and_paged() {
    let h = Harness::start().await;
    for event in 1..=5 {
        h.zabbix(problem("disk full").id(&event.to_string()).severity(event)).await;
        h.clock.advance(jiff::SignedDuration::from_secs(1));
    }
    h.zabbix(recovery("disk full").id("5")).await;
    let titles = |answer: &serde_json::Value| -> Vec<String> {
        let alerts = answer["alerts"].as_array().expect("alerts").iter();
        alerts.map(|alert| alert["dedup_key"].as_str().expect("a key").to_owned()).collect()
    };
    assert_eq!(titles(&h.get("/v1/alerts").await), ["5", "4", "3", "2", "1"], "newest first");
    assert_eq!(titles(&h.get("/v1/alerts?state=resolved").await), ["5"]);
    assert_eq!(titles(&h.get("/v1/alerts?severity=%3E%3D%20high&state=triggered").await), ["4"]);
    assert_eq!(titles(&h.get("/v1/alerts?integration=scripts").await), Vec::<String>::new());
    assert_eq!(titles(&h.get("/v1/alerts?q=DISK").await).len(), 5);
    let first = h.get("/v1/alerts?limit=2").await;
    let next = first["next"].as_str().expect("there is more");
    assert_eq!(titles(&h.get(&format!("/v1/alerts?limit=2&cursor={next}")).await), ["3", "2"]);
    for bad in ["limit=0", "limit=501", "state=open", "since=yesterday", "colour=red", "cursor=x"] {
        let (status, answer) = h.get_as(&format!("/v1/alerts?{bad}"), VIEWER).await;
        assert_eq!((status, &answer["code"]), (400, &json!("bad_parameter")), "{bad}");
    }
}

#[tokio::test]
async fn the_ledger_has_every_attempt_as_json_and_csv() {
    let h = Harness::start().await;
    h.zabbix(problem("=cmd()|x").severity(5)).await;
    h.settled().await;
    let page = h.get("/v1/attempts").await;
    assert_eq!(page["attempts"].as_array().map(Vec::len), Some(2));
    assert_eq!(page["attempts"][0]["outcome"], "accepted");
    let (_, csv) = h.get_as("/v1/attempts?format=csv", VIEWER).await;
    let csv = csv.as_str().expect("text");
    assert!(csv.starts_with("alert_id,title,attempt,contact,transport"), "{csv}");
    assert_eq!(csv.lines().count(), 3);
    assert!(!csv.contains("+821012345678") && !csv.contains("jins-phone"), "no number, no token: {csv}");
}

#[tokio::test]
async fn the_page_of_an_alert_asks_for_a_token_and_shows_it_all() {
    let h = Harness::start().await;
    let opened = h.zabbix(problem("<b>disk</b> full")).await;
    h.settled().await;
    let path = format!("/alerts/{}", opened["alert_id"].as_str().expect("an id"));
    assert_eq!(h.get_as(&path, "nobody").await.0, 401);
    let (status, page) = h.get_as(&path, VIEWER).await;
    let page = page.as_str().expect("text");
    assert_eq!(status, 200);
    assert!(page.contains("&lt;b&gt;disk&lt;"), "{page}");
    assert!(page.contains("jin") && page.contains("accepted"), "{page}");
}

#[tokio::test]
async fn the_page_of_a_digest_shows_how_each_alert_stands_and_not_that_it_was_told() {
    let h = Harness::with(Setting {
        more: "[sms]\ndisaster_budget = [\"1/1h\"]".to_owned(),
        ..Setting::default()
    })
    .await;
    let event =
        |key: &str| json!({ "title": format!("{key} is down"), "severity": "disaster", "dedup_key": key });
    for key in ["db1", "db2", "db3"] {
        h.post("/v1/events/scripts", GENERIC_KEY, &event(key).to_string()).await;
        h.settled().await;
    }
    let of_db3 = h.get("/v1/alerts?q=db3").await["alerts"][0]["id"].clone();
    h.pass(10).await;
    h.act(&of_db3, "resolve").await;
    let digest = h.get("/v1/alerts?integration=bongsu").await["alerts"][0].clone();
    assert_eq!((&digest["state"], &digest["digest"]["count"]), (&json!("resolved"), &json!(2)));

    let (_, page) = h.get_as(&format!("/alerts/{}", digest["id"].as_str().expect("an id")), VIEWER).await;
    let page = page.as_str().expect("text");
    assert!(page.contains(r#"class="band disaster digest""#), "not the green of what is over: {page}");
    assert!(page.contains("1 triggered, 1 resolved"), "{page}");
    assert!(page.contains("db2 is down") && page.contains("db3 is down") && !page.contains("db1"), "{page}");
    let (_, page) = h.get_as(&format!("/alerts/{}", of_db3.as_str().expect("an id")), VIEWER).await;
    let page = page.as_str().expect("text");
    let link =
        format!(r#"<b>jin</b> in a <a href="/alerts/{}">digest</a>"#, digest["id"].as_str().expect("an id"));
    let (_, after) = page.split_once(&link).unwrap_or_else(|| panic!("no link: {page}"));
    assert!(
        after.trim_start_matches("</span>").trim_start().starts_with(r#"<span class="outcome">accepted"#),
        "{page}"
    );
}

#[tokio::test]
async fn a_note_is_kept() {
    let h = Harness::start().await;
    let opened = h.zabbix(problem("disk full")).await;
    let path = format!("/v1/alerts/{}/notes", opened["alert_id"].as_str().expect("an id"));
    assert_eq!(h.post(&path, OPERATOR, r#"{"text":"called the provider"}"#).await.0, 200);
    assert_eq!(h.post(&path, OPERATOR, "and waiting").await.0, 200);
    assert_eq!(h.post(&path, OPERATOR, " ").await.0, 400);
    let journal = h.alert(&opened).await["journal"].to_string();
    assert!(journal.contains("called the provider") && journal.contains("and waiting"));
}

#[tokio::test]
async fn an_idempotency_key_answers_the_same_alert_again_for_a_day() {
    let h = Harness::start().await;
    let post = || h.post_with("/v1/alerts", OPERATOR, ("idempotency-key", "abc"), r#"{"title":"water"}"#);
    let (first, second) = (post().await, post().await);
    assert_eq!(first["results"], second["results"]);
    assert_eq!(first["results"][0]["admission"], "opened");
    h.settled().await;
    assert_eq!(h.pushes().len(), 1);
}

#[tokio::test]
async fn machines_get_figures_the_contract_and_clear_errors() {
    let h = Harness::start().await;
    h.zabbix(problem("disk full")).await;
    h.settled().await;
    assert_eq!(h.get_as("/healthz", "").await.0, 200);
    assert_eq!(h.get_as("/readyz", "").await.0, 200);
    let (_, metrics) = h.get_as("/metrics", "").await;
    let metrics = metrics.as_str().expect("text");
    assert!(
        metrics.contains(r#"bongsu_events_total{integration="zabbix",admission="opened"} 1"#),
        "{metrics}"
    );
    assert!(
        metrics.contains(r#"bongsu_attempts_total{transport="push",outcome="accepted",cause=""} 1"#),
        "{metrics}"
    );
    let (_, contract) = h.get_as("/openapi.yaml", "").await;
    assert!(contract.as_str().expect("text").contains("openapi: 3"));
    let (status, answer) = h.get_as("/v1/nothing", "").await;
    assert_eq!((status, &answer["code"]), (404, &json!("not_found")));
    let (status, answer) = h.get_as("/v1/events/zabbix", ZABBIX_KEY).await;
    assert_eq!((status, &answer["code"]), (405, &json!("method_not_allowed")));
    assert_eq!(h.get_as("/v1/alerts", GENERIC_KEY).await.0, 401, "a sender's key reads nothing");
}

#[tokio::test]
async fn a_system_clock_that_was_set_is_shown_and_changes_nothing() {
    let h = Harness::start().await;
    let shows = async |figure: &str| {
        let (_, metrics) = h.get_as("/metrics", VIEWER).await;
        metrics.as_str().is_some_and(|metrics| metrics.lines().any(|line| line == figure))
    };
    h.until(async || shows("bongsu_clock_drift_seconds 0.0").await).await;
    h.clock.set_drift(jiff::SignedDuration::from_hours(-9));
    h.pass(60).await;
    h.until(async || shows("bongsu_clock_drift_seconds -32400.0").await).await;
    h.zabbix(problem("disk full")).await;
    h.settled().await;
    assert_eq!(h.pushes().len(), 1, "{:?}", h.pushes());
}
