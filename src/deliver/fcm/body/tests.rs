use std::str::FromStr;

use proptest::prelude::*;
use serde_json::Value;

use super::*;
use crate::{
    alert::{AlertId, Severity},
    deliver::fcm::fake,
};

const NOW: Timestamp = Timestamp::constant(1_790_000_000, 0);

fn shape(android: Android) -> Shape {
    Shape { ttl: SignedDuration::from_hours(1), android }
}

fn body(message: &PushMessage, android: Android) -> Value {
    let text = addressed(&write(message, shape(android), NOW), &PushTarget::Token("TOKEN".into()));
    serde_json::from_str(&text).expect("JSON")
}

#[test]
fn a_push_for_apps_that_show_it_themselves() {
    insta::assert_json_snapshot!(body(&fake::message(), Android::Data));
}

#[test]
fn everything_that_apps_get_is_documented() {
    let docs = include_str!("../../../../docs/app.md");
    let body = body(&fake::message(), Android::Data);
    for key in body["message"]["data"].as_object().expect("an object").keys() {
        assert!(docs.contains(&format!("\n| `{key}` |")), "docs/app.md does not explain `{key}`");
    }
}

#[test]
fn a_push_that_the_system_shows() {
    insta::assert_json_snapshot!(body(&fake::message(), Android::Notification));
}

#[test]
fn a_push_to_an_installation_id_names_no_token() {
    let target = PushTarget::from_str("fid:cH\"1").expect("any text");
    let text = addressed(&write(&fake::message(), shape(Android::Data), NOW), &target);
    let body: Value = serde_json::from_str(&text).expect("JSON");
    assert_eq!(body["message"]["fid"], "cH\"1");
    assert_eq!(body["message"].get("token"), None);
}

#[test]
fn a_link_that_is_not_https_is_no_web_link_because_google_refuses_it() {
    let message = PushMessage { url: "http://127.0.0.1:8080/alerts/1".into(), ..fake::message() };
    let body = body(&message, Android::Data);
    assert_eq!(body["message"]["webpush"].get("fcm_options"), None);
    assert_eq!(body["message"]["data"]["url"], "http://127.0.0.1:8080/alerts/1");
}

#[test]
fn only_what_is_grave_and_not_over_breaks_through() {
    for (severity, state, level) in [
        (Severity::Disaster, "triggered", "time-sensitive"),
        (Severity::High, "digest", "time-sensitive"),
        (Severity::Disaster, "resolved", "active"),
        (Severity::Average, "triggered", "active"),
        (Severity::NotClassified, "triggered", "active"),
        (Severity::Information, "triggered", "passive"),
    ] {
        let message = PushMessage { state, severity, ..fake::message() };
        let body = body(&message, Android::Data);
        assert_eq!(
            body["message"]["apns"]["payload"]["aps"]["interruption-level"], level,
            "{severity} {state}"
        );
    }
}

#[test]
fn a_long_body_is_cut_for_the_screen_first_and_kept_longer_for_the_app() {
    let message = PushMessage { body: "서버실 온도 45℃ 초과. ".repeat(200), ..fake::message() };
    let body = body(&message, Android::Data);
    let shown = body["message"]["apns"]["payload"]["aps"]["alert"]["body"].as_str().expect("text");
    let kept = body["message"]["data"]["body"].as_str().expect("text");
    assert!(shown.ends_with('…') && shown.len() <= SHOWN_BYTES_MAX);
    assert!(kept.ends_with('…') && 1_000 < kept.len(), "{}", kept.len());
}

fn any_message() -> impl Strategy<Value = PushMessage> {
    let text = |max: usize| {
        prop_oneof![
            prop::collection::vec(any::<char>(), 0..max)
                .prop_map(|chars| chars.into_iter().collect::<String>()),
            (0..max * 4).prop_map(|len| "\u{1}".repeat(len)),
            (0..max * 4).prop_map(|len| "🔥".repeat(len)),
            (0..max * 4).prop_map(|len| "\"\\".repeat(len)),
        ]
    };
    let links = (text(150), text(150), text(150)).prop_map(|(a, b, c)| (format!("https://{a}"), b, c));
    (text(300), text(1_500), text(100), text(80), links, 0..6_usize).prop_map(
        |(title, body, integration, tag, (url, ack_url, receipt_url), severity)| PushMessage {
            severity: Severity::ALL[severity],
            title,
            body,
            integration,
            tag,
            url,
            ack_url,
            receipt_url,
            ..fake::message()
        },
    )
}

proptest! {
    #[test]
    fn a_push_is_always_valid_json_within_the_limit_and_keeps_what_matters(
        message in any_message(), is_data in any::<bool>(),
    ) {
        let android = if is_data { Android::Data } else { Android::Notification };
        let shared = write(&message, shape(android), NOW);
        prop_assert!(shared.len() <= PAYLOAD_BYTES_MAX, "{}", shared.len());
        let text = addressed(&shared, &PushTarget::Token("T".into()));
        let body: Value = serde_json::from_str(&text).expect("JSON");
        let data = &body["message"]["data"];
        prop_assert_eq!(data["alert_id"].as_str().and_then(|id| AlertId::from_str(id).ok()), Some(message.alert_id));
        prop_assert_eq!(data["severity"].as_str(), Some(message.severity.as_str()));
        prop_assert!(data.as_object().expect("an object").values().all(Value::is_string));
        let title = data["title"].as_str().expect("text");
        prop_assert!(message.title.starts_with(title.trim_end_matches('…')) || title == message.title);
        if json_len(&message.url) <= LINK_BYTES_MAX {
            prop_assert_eq!(data["url"].as_str(), Some(message.url.as_str()));
        }
    }
}
