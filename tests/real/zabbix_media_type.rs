//! `bongsu setup zabbix`, imported into a real Zabbix that posts to a stand-in of Bongsu.

use std::time::Duration;

use axum::http::Method;
use bongsu::cli::setup::{self, Inputs, Sheet};
use serde_json::{Value, json};

use crate::{
    capture::{Answer, Capture, Received, opened, unknown_alert, wrong_key},
    zabbix_lab::{Scene, SceneSpec, UpdateProblem, ZabbixLab},
};

/// Zabbix looks for new messages every 3 s and for updates every 5 s; this is for a busy machine.
const SOON: Duration = Duration::from_secs(30);
/// Quotes, a backslash, a colon with a space: whatever YAML or JSON could trip over.
const KEY: &str = r#"k"e'y\n: #1"#;

#[tokio::test]
async fn a_problem_and_all_that_happens_to_it_reach_bongsu_and_the_problem_links_back() {
    let (bongsu, scene) = scene("life", &[]).await;
    let event = scene.problem(4).await;
    let problem = bongsu.nth(1, SOON).await;
    assert_eq!((problem.method.clone(), problem.path.as_str()), (Method::POST, "/v1/events/zabbix"));
    assert_eq!(problem.headers["authorization"], format!("Bearer {KEY}"));
    assert_eq!(problem.headers["content-type"], "application/json");
    says(&problem, &[("event_id", &event), ("event_value", "1"), ("event_update_status", "0")]);
    says(&problem, &[("event_nseverity", "4"), ("alert_sendto", "bongsu"), ("event_source", "0")]);
    assert!(
        problem.field("event_name").starts_with("fire 4 on 웹 서버 <1> \"bongsu_life"),
        "{:?}",
        problem.body
    );
    assert!(problem.field("alert_message").ends_with(": now 1"), "{:?}", problem.body);
    assert!(problem.field("event_tags_json").contains(r#"{"tag":"팀","value":"web"}"#), "{:?}", problem.body);
    for private in ["bongsu_url", "bongsu_key", "bongsu_url_2", "bongsu_key_2", "HTTPProxy"] {
        assert!(problem.body[private].is_null(), "{private} left Zabbix");
    }
    scene.lab.messages_sent(&event, 1, SOON).await;

    let url = opened()["url"].as_str().unwrap().to_owned();
    crate::until("tags and menu", SOON, async || {
        let tags = scene.lab.tags(&event).await;
        let id = ("__bongsu_alert_id".to_owned(), opened()["alert_id"].as_str().unwrap().to_owned());
        let menu = scene.lab.menu(&event).await;
        (tags.contains(&id) && menu.contains(&("Bongsu".to_owned(), url.clone()))).then_some(())
    })
    .await;

    scene.lab.update_problem(&event, UpdateProblem::AcknowledgeWithComment("제가 봅니다")).await;
    let acknowledged = bongsu.nth(2, SOON).await;
    says(&acknowledged, &[("event_id", &event), ("event_update_status", "1"), ("event_ack_status", "Yes")]);
    assert!(acknowledged.field("event_update_action").contains("acknowledged"));
    says(
        &acknowledged,
        &[("event_update_message", "제가 봅니다"), ("user_fullname", "Zabbix Administrator (Admin)")],
    );

    scene.lab.update_problem(&event, UpdateProblem::Comment("\"디스크\" 교체 중")).await;
    says(
        &bongsu.nth(3, SOON).await,
        &[("event_update_action", "commented"), ("event_update_message", "\"디스크\" 교체 중")],
    );

    scene.lab.update_problem(&event, UpdateProblem::Severity(5)).await;
    let raised = bongsu.nth(4, SOON).await;
    says(
        &raised,
        &[("event_update_action", "changed severity from High to Disaster"), ("event_nseverity", "5")],
    );

    scene.lab.update_problem(&event, UpdateProblem::Unacknowledge).await;
    says(
        &bongsu.nth(5, SOON).await,
        &[("event_update_action", "unacknowledged"), ("event_ack_status", "No")],
    );

    scene.lab.update_problem(&event, UpdateProblem::Close("끝")).await;
    bongsu.nth(7, SOON).await;
    let closing = bongsu.received().split_off(5);
    assert!(closing.iter().all(|message| message.field("event_value") == "0"));
    let updates: Vec<_> = closing.iter().map(|message| message.field("event_update_status")).collect();
    assert!(
        updates.contains(&"1") && updates.contains(&"0"),
        "closing by hand is an update and a recovery: {updates:?}"
    );
    let messages = scene.lab.messages_sent(&event, 7, SOON).await;
    assert!(messages.iter().all(|message| message.retries == 0), "{messages:?}");
    scene.remove().await;
}

#[tokio::test]
async fn a_recovery_carries_the_id_of_its_problem() {
    let (bongsu, scene) = scene("recovery", &[]).await;
    let event = scene.problem(5).await;
    bongsu.nth(1, SOON).await;
    scene.recover(5).await;
    let recovery = bongsu.nth(2, SOON).await;
    says(&recovery, &[("event_id", &event), ("event_value", "0"), ("event_update_status", "0")]);
    assert!(recovery.field("event_recovery_id").parse::<u64>().is_ok(), "{:?}", recovery.body);
    scene.lab.messages_sent(&event, 2, SOON).await;
    scene.remove().await;
}

#[tokio::test]
async fn a_message_that_bongsu_refuses_is_sent_again_until_it_is_taken() {
    let (bongsu, scene) = scene("retry", &[]).await;
    bongsu.answer(Answer::Status(503, unavailable()));
    let event = scene.problem(3).await;
    let first = bongsu.nth(1, SOON).await;
    crate::until("the reason is shown in Zabbix", SOON, async || {
        let messages = scene.lab.messages(&event).await;
        messages.iter().any(|message| message.error.contains("the store is busy")).then_some(())
    })
    .await;
    // Queued before the stand-in turns friendly, so that each of them is met.
    bongsu.answer_next([wrong_key(), Answer::Redirect(bongsu.url())]);
    bongsu.answer_next([Answer::Status(200, "<html>Sign in</html>".into())]);
    bongsu.answer(Answer::Result(opened()));
    let messages = scene.lab.messages_sent(&event, 1, SOON).await;
    // Zabbix follows the redirect with a GET, which is a request more than there were attempts.
    let received = bongsu.received();
    let attempts = usize::try_from(messages[0].retries).unwrap() + 1;
    assert_eq!((messages.len(), received.len()), (1, attempts + 1), "{messages:?}");
    let last = received.last().unwrap();
    assert_eq!(first.body, last.body, "attempts of one message have one body");
    scene.remove().await;
}

#[tokio::test]
async fn the_second_bongsu_gets_what_the_first_does_not_take_and_is_told_the_end() {
    let second = Capture::start().await;
    let (first, scene) = scene("second", &[("bongsu_url_2", &second.url()), ("bongsu_key_2", "other")]).await;
    first.answer(Answer::Status(503, unavailable()));
    let event = scene.problem(5).await;
    let taken = second.nth(1, SOON).await;
    says(&taken, &[("event_id", &event)]);
    assert_eq!(taken.headers["authorization"], "Bearer other");
    let messages = scene.lab.messages_sent(&event, 1, SOON).await;
    assert_eq!(messages[0].retries, 0, "the second Bongsu is asked in the same attempt");

    // The first is back, but it was never told of the problem; the second was.
    first.answer(Answer::Result(unknown_alert()));
    scene.recover(5).await;
    says(&second.nth(2, SOON).await, &[("event_id", &event), ("event_value", "0")]);
    assert_eq!(first.received().len(), 2);
    scene.lab.messages_sent(&event, 2, SOON).await;
    scene.remove().await;
}

#[tokio::test]
async fn while_the_first_bongsu_hangs_the_second_is_reached_by_the_second_attempt() {
    let second = Capture::start().await;
    let first = Capture::start().await;
    first.answer(Answer::Hang);
    // As shipped: Zabbix ends an attempt that hangs, and makes the next.
    let scene = build("hang", &first, &[("bongsu_url_2", &second.url())], json!({})).await;
    let event = scene.problem(5).await;
    first.nth(1, SOON).await;
    // The timeout and the interval are 10 s each.
    says(&second.nth(1, 2 * SOON).await, &[("event_id", &event)]);
    assert_eq!(first.received().len(), 1, "the second attempt hung as well");
    let messages = scene.lab.messages_sent(&event, 1, SOON).await;
    assert_eq!(messages[0].retries, 1, "{messages:?}");
    scene.remove().await;
}

#[tokio::test]
async fn the_test_button_shows_what_bongsu_says() {
    let (bongsu, scene) = scene("button", &[]).await;
    let tags = scene.lab.press_test(&scene.media_type_id).await.unwrap();
    let tags: Value = serde_json::from_str(&tags).unwrap();
    assert_eq!(tags["tags"]["__bongsu_url"], opened()["url"]);
    says(&bongsu.received()[0], &[("event_id", "{EVENT.ID}"), ("event_value", "{EVENT.VALUE}")]);

    bongsu.answer(wrong_key());
    let refused = scene.lab.press_test(&scene.media_type_id).await.unwrap_err();
    assert!(
        refused.contains("bongsu_url: HTTP 401: the key is not the key of integration `zabbix`"),
        "{refused}"
    );
    scene.remove().await;
}

/// What is behind the cut differs from run to run: `zabbix_script` tries the orders one by one.
#[tokio::test]
async fn a_problem_with_a_text_longer_than_zabbix_can_hand_over_still_arrives() {
    let (bongsu, scene) = scene("long", &[]).await;
    // Quotes double in JSON: 60,000 characters become 120,000.
    let long = format!("ERR {}", "\"".repeat(60_000));
    let event = scene.problem_with_text(&long).await;
    let cut = bongsu.nth(1, SOON).await;
    says(&cut, &[("event_id", &event), ("event_value", "1"), ("event_nseverity", "5")]);
    assert!(cut.field("event_name").starts_with("text on "), "{}", cut.field("event_name"));
    let message = cut.field("alert_message");
    assert!(
        message.ends_with(r#""""""#) && message.len() < long.len(),
        "cut or not: {} bytes",
        message.len()
    );
    scene.lab.messages_sent(&event, 1, SOON).await;
    scene.remove().await;
}

fn says(received: &Received, expected: &[(&str, &str)]) {
    for (field, value) in expected {
        assert_eq!(received.field(field), *value, "{field} in {}", received.body);
    }
}

fn unavailable() -> String {
    json!({"type": "about:blank", "status": 503, "title": "Service Unavailable", "code": "store_unavailable",
        "detail": "the store is busy"})
    .to_string()
}

/// A stand-in and a scene that posts to it, retrying every second.
async fn scene(name: &str, parameters: &[(&str, &str)]) -> (Capture, Scene) {
    let bongsu = Capture::start().await;
    let scene = build(name, &bongsu, parameters, json!({"attempt_interval": "1s"})).await;
    (bongsu, scene)
}

async fn build(name: &str, bongsu: &Capture, parameters: &[(&str, &str)], fields: Value) -> Scene {
    let media_type = printed(bongsu, KEY);
    Scene::build(ZabbixLab::connect().await, SceneSpec { name, media_type, parameters, fields, users: 1 })
        .await
}

/// What `bongsu setup zabbix` prints for a Bongsu that listens there.
pub(crate) fn printed(bongsu: &Capture, key: &str) -> String {
    let inputs = Inputs::new("zabbix", format!("http://{}", bongsu.address), Some(key.into()));
    let mut yaml = Vec::new();
    setup::write(Sheet::Zabbix, &mut yaml, &mut std::io::sink(), &inputs).unwrap();
    String::from_utf8(yaml).unwrap()
}
