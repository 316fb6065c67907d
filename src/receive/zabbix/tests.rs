mod sources;

use serde_json::{Map, Value};

use super::super::tests::{event, integration, now};
use super::{message::EVENT_ID_CHARS_MAX, *};
use crate::{
    alert::Severity,
    config::IntegrationKind,
    receive::{BODY_BYTES_MAX, TITLE_BYTES_MAX, read},
};

const PROBLEM: &str = include_str!("../../../tests/fixtures/zabbix/problem.json");
const PROBLEM_DOTTED: &str = include_str!("../../../tests/fixtures/zabbix/problem_dotted.json");
const ACKNOWLEDGED: &str = include_str!("../../../tests/fixtures/zabbix/acknowledged.json");
const UNACKNOWLEDGED: &str = include_str!("../../../tests/fixtures/zabbix/unacknowledged.json");
const CLOSED_BY_HAND: &str = include_str!("../../../tests/fixtures/zabbix/closed_by_hand.json");
const RECOVERY: &str = include_str!("../../../tests/fixtures/zabbix/recovery.json");
const RECOVERY_DOTTED: &str = include_str!("../../../tests/fixtures/zabbix/recovery_dotted.json");
const CANCELLED: &str = include_str!("../../../tests/fixtures/zabbix/escalation_cancelled.json");
const TEST_BUTTON: &str = include_str!("../../../tests/fixtures/zabbix/test_button.json");

fn zabbix(body: &str) -> Event {
    event(IntegrationKind::Zabbix, body)
}

fn parameters(body: &str) -> Map<String, Value> {
    serde_json::from_str(body).expect("a fixture is JSON")
}

/// The body with some parameters changed; null removes one.
fn with(body: &str, changes: &[(&str, Value)]) -> String {
    let mut parameters = parameters(body);
    for (name, value) in changes {
        parameters.insert((*name).to_owned(), value.clone());
        parameters.retain(|_, value| !value.is_null());
    }
    serde_json::to_string(&parameters).expect("serializes")
}

fn reason(body: &str) -> String {
    match read(&integration(IntegrationKind::Zabbix), None, body.as_bytes(), now()) {
        Reading::Unreadable { reason } => reason,
        Reading::Events(events) => panic!("{body} was read as {events:?}"),
    }
}

fn plain_recovery() -> EventStatus {
    EventStatus::Resolved { note: None, escalation_cancelled: false }
}

#[test]
fn a_problem_is_read_in_full() {
    let event = zabbix(PROBLEM);
    assert_eq!((event.dedup_key.as_str(), &event.status), ("459", &EventStatus::Firing));
    assert_eq!(event.severity, Some(Severity::High));
    assert_eq!(event.title, "웹-01: 디스크 공간 부족: /var 95 %");
    assert_eq!(event.body, "Problem started at 19:00:05 on 2026.09.01\nHost: 웹-01\nSeverity: 높음");
    assert_eq!(
        event.source_url.as_deref(),
        Some("https://zabbix.example.org/zabbix/tr_events.php?triggerid=18807&eventid=459")
    );
    assert_eq!(event.starts_at.map(|time| time.to_string()).as_deref(), Some("2026-09-01T10:00:05Z"));
    assert!(event.key_never_returns && !event.kind.is_test() && event.to.is_empty());
    let labels: Vec<_> = event.labels.iter().map(|(name, value)| (name.as_str(), value.as_str())).collect();
    assert_eq!(
        labels,
        [
            ("alert_sendto", "ops"),
            ("event_opdata", "95.2 %"),
            ("host", "웹-01"),
            ("host_ip", "10.0.0.5"),
            ("loud", ""),
            ("scope", "availability, capacity"),
            ("team", "web"),
            ("trigger_id", "18807"),
        ]
    );
}

#[test]
fn parameter_names_may_be_macro_names() {
    assert_eq!(zabbix(PROBLEM_DOTTED), zabbix(PROBLEM));
    assert_eq!(zabbix(RECOVERY_DOTTED), zabbix(RECOVERY));
    let few = zabbix(r#"{"EventId": 459, "Event-Value": 1, "HOST.HOST": "web01", "Subject": "down"}"#);
    assert_eq!((few.dedup_key.as_str(), few.title.as_str()), ("459", "web01: down"));
}

#[test]
fn the_two_needed_parameters_are_enough() {
    for body in [r#"{"event_id":"a b/한","event_value":"1"}"#, "event_id=a+b%2F%ED%95%9C&event_value=1"] {
        let event = zabbix(body);
        assert_eq!(event.dedup_key.as_str(), "a b/한");
        assert_eq!(event.title, "Zabbix event a b/한");
        assert_eq!((event.status, event.severity, event.starts_at), (EventStatus::Firing, None, None));
    }
}

#[test]
fn updates_are_told_from_problems() {
    let by = Some("김진 (jin)".to_owned());
    let acknowledged = zabbix(ACKNOWLEDGED);
    let comment = Some("보고 있습니다\n둘째 줄".to_owned());
    assert_eq!(
        acknowledged.status,
        EventStatus::Update(Update { acknowledged: Some(true), comment, by: by.clone() })
    );
    assert_eq!((acknowledged.severity, acknowledged.dedup_key.as_str()), (Some(Severity::Warning), "459"));
    let status = zabbix(UNACKNOWLEDGED).status;
    assert_eq!(status, EventStatus::Update(Update { acknowledged: Some(false), comment: None, by }));

    for (action, message, acknowledged, comment) in [
        ("commented", "later", None, Some("later")),
        ("changed severity from High to 경고", "", None, None),
        ("acknowledged", "", Some(true), None),
        ("unacknowledged and commented", "no", Some(false), Some("no")),
        ("suppressed until 2026-09-02 10:00:00", "", None, Some("suppressed until 2026-09-02 10:00:00")),
        ("commented and unsuppressed", "back", None, Some("commented and unsuppressed: back")),
        ("changed severity from Acknowledgedness to High", "", None, None),
    ] {
        let body = with(
            ACKNOWLEDGED,
            &[("event_update_action", action.into()), ("event_update_message", message.into())],
        );
        let EventStatus::Update(update) = zabbix(&body).status else { panic!("{action} is an update") };
        assert_eq!((update.acknowledged, update.comment.as_deref()), (acknowledged, comment), "{action}");
    }
}

#[test]
fn an_update_without_its_status_parameter_is_still_an_update() {
    let body = with(ACKNOWLEDGED, &[("event_update_status", Value::Null)]);
    assert_eq!(zabbix(&body).status, zabbix(ACKNOWLEDGED).status);
    let body =
        with(ACKNOWLEDGED, &[("event_update_action", Value::Null), ("event_ack_status", "Yes".into())]);
    assert!(matches!(zabbix(&body).status, EventStatus::Update(Update { acknowledged: Some(true), .. })));
}

#[test]
fn a_manual_close_and_its_recovery_both_resolve() {
    let note = Some("closed by 김진 (jin): 로그 정리".to_owned());
    assert_eq!(zabbix(CLOSED_BY_HAND).status, EventStatus::Resolved { note, escalation_cancelled: false });
    assert_eq!(zabbix(RECOVERY).status, plain_recovery());
    assert_eq!(zabbix(RECOVERY).dedup_key, zabbix(PROBLEM).dedup_key);
    let comment_on_resolved = with(CLOSED_BY_HAND, &[("event_update_action", "commented".into())]);
    assert_eq!(zabbix(&comment_on_resolved).status, plain_recovery());
}

#[test]
fn a_cancelled_escalation_resolves_and_says_why() {
    let note = "Zabbix stopped following it: trigger \"디스크 공간 부족: /var {ITEM.LASTVALUE1}\" disabled.";
    let expected = EventStatus::Resolved { note: Some(note.to_owned()), escalation_cancelled: true };
    assert_eq!(zabbix(CANCELLED).status, expected);
    assert_eq!(zabbix(&CANCELLED.replace("canceled", "cancelled")).status, expected);
    let mentioned = with(PROBLEM, &[("alert_message", "He wrote NOTE: Escalation canceled: x".into())]);
    assert_eq!(zabbix(&mentioned).status, EventStatus::Firing);
}

#[test]
fn the_test_button_is_a_test_and_each_body_one_of_its_own() {
    let test = zabbix(TEST_BUTTON);
    assert!(
        test.kind.is_test() && !test.key_never_returns && test.dedup_key.as_str().starts_with("test:"),
        "{test:?}"
    );
    assert_eq!((test.title.as_str(), &test.status), ("Test message from sender", &EventStatus::Firing));
    assert!(!test.body.is_empty() && test.labels.is_empty() && test.source_url.is_none(), "{test:?}");
    let by_hand =
        zabbix(&with(TEST_BUTTON, &[("event_name", "안녕".into()), ("event_nseverity", "5".into())]));
    assert_eq!((by_hand.title.as_str(), by_hand.severity), ("안녕", Some(Severity::Disaster)));
    assert_ne!(by_hand.dedup_key, test.dedup_key);
    assert!(
        !zabbix(&with(TEST_BUTTON, &[("event_id", "1".into()), ("event_value", "1".into())])).kind.is_test()
    );
}

#[test]
fn what_zabbix_could_not_fill_in_is_absent() {
    for absent in ["{EVENT.NAME}", "*UNKNOWN*", "", "  ", "{$NAME}", "{EVENT.TAGS.x}"] {
        let body = with(PROBLEM, &[("event_name", absent.into()), ("host_name", absent.into())]);
        assert_eq!(zabbix(&body).title, "Problem: 디스크 공간 부족: /var 95 %", "{absent}");
        assert!(!zabbix(&body).labels.contains_key("host"), "{absent}");
    }
    let literal = with(PROBLEM, &[("event_name", "{HOST.NAME} of 웹-01 says {EVENT.ID}".into())]);
    assert_eq!(zabbix(&literal).title, "{HOST.NAME} of 웹-01 says {EVENT.ID}");
}

#[test]
fn repeats_duplicates_and_late_copies_say_the_same() {
    assert_eq!(zabbix(PROBLEM), zabbix(PROBLEM), "two users");
    let repeat = with(
        PROBLEM,
        &[("event_age", "1h".into()), ("esc_history", "sent".into()), ("time", "20:00:05".into())],
    );
    assert_eq!(zabbix(&repeat), zabbix(PROBLEM), "an escalation step");
    let mut reversed = parameters(PROBLEM);
    let tags: Vec<Value> =
        serde_json::from_str(reversed["event_tags_json"].as_str().expect("text")).expect("tags");
    let tags: Vec<Value> = tags.into_iter().rev().collect();
    reversed.insert("event_tags_json".to_owned(), serde_json::to_string(&tags).expect("serializes").into());
    assert_eq!(
        zabbix(&serde_json::to_string(&reversed).expect("serializes")),
        zabbix(PROBLEM),
        "tags in another order"
    );
    // A copy of the problem that comes after the recovery still names the same round: admission
    // knows by `key_never_returns` that it is stale.
    let (late, over) = (zabbix(PROBLEM), zabbix(RECOVERY));
    assert_eq!((late.dedup_key, late.key_never_returns), (over.dedup_key, over.key_never_returns));
}

#[test]
fn severities_are_numbers_or_words_of_the_integration() {
    for (changes, severity, unknown) in [
        (&[("event_nseverity", Value::from(5))][..], Some(Severity::Disaster), None),
        (
            &[("event_nseverity", Value::Null), ("severity", "Not classified".into())],
            Some(Severity::NotClassified),
            None,
        ),
        (
            &[("event_nseverity", Value::Null), ("EVENT.SEVERITY", "심각".into())],
            Some(Severity::Disaster),
            None,
        ),
        (&[("event_nseverity", Value::Null), ("nseverity", "2".into())], Some(Severity::Warning), None),
        (
            &[("event_nseverity", "{EVENT.NSEVERITY}".into()), ("trigger_nseverity", "3".into())],
            Some(Severity::Average),
            None,
        ),
        (&[("event_nseverity", "이상함".into())], Some(Severity::NotClassified), Some("이상함")),
        (&[("event_nseverity", Value::Null)], None, None),
    ] {
        let event = zabbix(&with(PROBLEM, changes));
        assert_eq!((event.severity, event.unknown_severity.as_deref()), (severity, unknown), "{changes:?}");
    }
}

#[test]
fn the_start_is_seconds_else_the_senders_date_and_time() {
    for (changes, expected) in [
        (&[("event_timestamp", Value::from("1788254405"))][..], Some("2026-09-01T09:20:05Z")),
        (&[("event_timestamp", Value::Null)], Some("2026-09-01T10:00:05Z")),
        (&[("event_time", Value::Null)], None),
        (&[("event_date", Value::from("yesterday"))], None),
    ] {
        let event = zabbix(&with(PROBLEM, changes));
        assert_eq!(event.starts_at.map(|time| time.to_string()).as_deref(), expected, "{changes:?}");
    }
}

#[test]
fn tags_come_as_json_text_json_or_text() {
    let nested: Value = serde_json::json!([{"tag": "team", "value": "web"}, {"tag": "loud"}]);
    for changes in [
        &[("event_tags_json", nested.clone())][..],
        &[("event_tags_json", nested.to_string().into())],
        &[("event_tags_json", Value::Null), ("EVENT.TAGSJSON", nested.to_string().into())],
        &[("event_tags_json", Value::Null), ("event_tags", "team:web, loud".into())],
        &[("event_tags_json", "[{\"tag\":\"te".into()), ("event_tags", "loud, team:web".into())],
        &[
            ("event_tags_json", Value::Null),
            ("EVENT.TAGS.team", "web".into()),
            ("EVENT.TAGS.loud", "".into()),
        ],
    ] {
        let labels = zabbix(&with(PROBLEM, changes)).labels;
        assert_eq!(labels.get("team").map(String::as_str), Some("web"), "{changes:?}");
        assert!(!labels.keys().any(|name| name.starts_with("event_tags")), "{labels:?}");
    }
}

#[test]
fn links_are_http_and_carry_no_credentials() {
    for (changes, url) in [
        (&[("event_url", Value::from("https://z.example/e"))][..], Some("https://z.example/e")),
        (
            &[("link", "javascript:alert(1)".into())],
            Some("https://zabbix.example.org/zabbix/tr_events.php?triggerid=18807&eventid=459"),
        ),
        (&[("zabbix_url", "{$ZABBIX.URL}".into())], None),
        (&[("zabbix_url", "javascript:alert(1)//".into())], None),
        (&[("trigger_id", Value::Null)], None),
        (
            &[("zabbix_url", "http://u:p@z.example/index.php".into())],
            Some("http://z.example/tr_events.php?triggerid=18807&eventid=459"),
        ),
        (
            &[("event_id", "4&x=<9".into())],
            Some("https://zabbix.example.org/zabbix/tr_events.php?triggerid=18807&eventid=4%26x%3D%3C9"),
        ),
    ] {
        assert_eq!(zabbix(&with(PROBLEM, changes)).source_url.as_deref(), url, "{changes:?}");
    }
    let body = with(
        PROBLEM,
        &[("url", "https://b.example/v1/events/z?key=SECRET".into()), ("Token", "SECRET".into())],
    );
    assert!(!format!("{:?}", zabbix(&body)).contains("SECRET"));
}

#[test]
fn a_long_message_is_cut_between_characters() {
    let body = zabbix(&with(PROBLEM, &[("alert_message", "봉수\r\n".repeat(20_000).into())])).body;
    assert!(body.len() <= BODY_BYTES_MAX && body.ends_with("bytes in all]"), "{}", body.len());
    assert!(
        zabbix(&with(PROBLEM, &[("event_name", "봉".repeat(2_048).into())])).title.len() <= TITLE_BYTES_MAX
    );
}

#[test]
fn media_types_made_for_others_may_send_an_id_and_a_state_word() {
    for (body, id, firing) in [
        (r#"{"id":"459","EVENT.VALUE":"1","status":"PROBLEM"}"#, "459", true),
        (r#"{"id":"459","EVENT.VALUE":"0","status":"OK"}"#, "459", false),
        (r#"{"event_id":"459","id":"7","status":"PROBLEM"}"#, "459", true),
        (r#"{"event_id":"459","status":"RESOLVED"}"#, "459", false),
        (r#"{"event_id":"459","trigger_status":"OK"}"#, "459", false),
        (r#"{"event_id":"459","event_status":"PROBLEM","trigger_value":"0"}"#, "459", true),
        ("event_id=459&trigger_value=0", "459", false),
    ] {
        let event = zabbix(body);
        assert_eq!((event.dedup_key.as_str(), event.status == EventStatus::Firing), (id, firing), "{body}");
        assert!(event.key_never_returns, "{body}");
    }
    assert!(
        zabbix(r#"{"id":"{EVENT.ID}","EVENT.VALUE":"{EVENT.VALUE}","name":"{EVENT.NAME}"}"#).kind.is_test()
    );
    // What was cut is not made up for.
    for (body, part) in [
        (r#"{"event_id":"","id":"7","event_value":"1"}"#, "event_id is missing"),
        (r#"{"event_id":"1","event_value":"","status":"OK"}"#, "event_value is neither 0 nor 1"),
        (r#"{"event_id":"1","status":"Acknowledged"}"#, "event_value is missing"),
    ] {
        assert!(reason(body).contains(part), "{body}: {}", reason(body));
    }
}

#[test]
fn what_cannot_be_read_says_what_is_missing() {
    for (body, part) in [
        ("", "empty"),
        ("hello", "not a JSON object"),
        ("[]", "not a JSON object"),
        ("42", "not a JSON object"),
        (
            "{\"event_id\":\"1\",\"event_value\":\"1\",\"alert_message\":\"a\nb\"}",
            "not valid JSON: control character",
        ),
        ("{\"event_id\":\"1\"", "not valid JSON"),
        ("{}", "event_id is missing, and event_value is missing"),
        (r#"{"event_id":"1"}"#, "event_value is missing"),
        (r#"{"event_value":"1"}"#, "event_id is missing"),
        (r#"{"event_id":"","event_value":"1"}"#, "event_id is missing"),
        (r#"{"event_id":"*UNKNOWN*","event_value":"0"}"#, "event_id is missing"),
        (r#"{"event_id":"1","event_value":"2"}"#, "event_value is neither 0 nor 1"),
        (r#"{"title":"no state","message":"x"}"#, "event_id is missing, and event_value is missing"),
    ] {
        assert!(reason(body).contains(part), "{body}: {}", reason(body));
    }
    let long = format!(r#"{{"event_id":"{}","event_value":"1"}}"#, "9".repeat(EVENT_ID_CHARS_MAX + 1));
    assert!(reason(&long).contains("longer than 255"));
    assert!(!reason(&with(PROBLEM, &[("event_value", "hunter2".into())])).contains("hunter2"));
}

#[test]
fn other_shapes_with_a_state_and_a_title_are_read_by_the_generic_rules() {
    let event = zabbix(r#"{"alert_uid":"u1","title":"disk full","state":"ok","message":"now 61 %"}"#);
    assert_eq!((event.dedup_key.as_str(), event.status), ("u1", plain_recovery()));
    assert!(!event.key_never_returns);
}

#[test]
fn a_byte_order_mark_broken_bytes_and_half_an_emoji_cost_no_event() {
    let mut body = b"\xEF\xBB\xBF".to_vec();
    body.extend_from_slice(PROBLEM.as_bytes());
    let kind = integration(IntegrationKind::Zabbix);
    assert_eq!(read(&kind, None, &body, now()), Reading::Events(vec![zabbix(PROBLEM)]));
    let broken = b"{\"event_id\":\"1\",\"event_value\":\"1\",\"event_name\":\"\xFF down \\ud83d\"}";
    let Reading::Events(events) = read(&kind, None, broken, now()) else { panic!("readable") };
    assert!(events[0].title.starts_with("\u{FFFD} down"), "{}", events[0].title);
}
