use std::collections::BTreeMap;

use jiff::{SignedDuration, tz::TimeZone};
use proptest::prelude::*;
use serde_json::Value;

use super::{manual::ManualRequest, *};
use crate::alert::{EventStatus, Severity};

mod samples;

pub(super) fn now() -> Timestamp {
    "2026-12-01T00:00:00Z".parse().expect("a time")
}

/// Named `sender`, in Seoul, where 심각 is a disaster.
pub(super) fn integration(kind: IntegrationKind) -> Integration {
    Integration {
        name: "sender".to_owned(),
        kind,
        key: String::from("key").into(),
        hmac: None,
        time_zone: TimeZone::get("Asia/Seoul").expect("bundled"),
        close_after: SignedDuration::from_hours(1),
        severity: BTreeMap::from([("심각".to_owned(), Severity::Disaster)]),
        map: crate::config::Map::default(),
    }
}

/// The only event of a body.
pub(super) fn event(kind: IntegrationKind, body: &str) -> Event {
    match read(&integration(kind), None, body.as_bytes(), now()) {
        Reading::Events(mut events) if events.len() == 1 => events.remove(0),
        other @ (Reading::Events(_) | Reading::Unreadable { .. }) => {
            panic!("{body} is not one event: {other:?}")
        }
    }
}

#[test]
fn what_icinga_says_of_an_object_that_is_well_is_told_again_after_an_hour() {
    let body = include_str!("../../tests/fixtures/generic/icinga_notifications_no_incident.json");
    let event = event(IntegrationKind::Generic, body);
    assert_eq!((event.kind, event.expires_after), (Kind::Occurrence, Some(SignedDuration::from_hours(1))));
}

const KINDS: [IntegrationKind; 7] = [
    IntegrationKind::Zabbix,
    IntegrationKind::Grafana,
    IntegrationKind::Alertmanager,
    IntegrationKind::Munin,
    IntegrationKind::Whatap,
    IntegrationKind::UptimeKuma,
    IntegrationKind::Generic,
];

/// What the other rooms relies on, whatever was sent.
fn check(reading: &Reading) {
    let Reading::Events(events) = reading else { return };
    assert!(!events.is_empty() && events.len() <= EVENTS_PER_REQUEST_MAX + 1);
    for event in events {
        assert!(!event.title.is_empty() && event.title.len() <= TITLE_BYTES_MAX, "{:?}", event.title);
        assert!(!event.title.contains(char::is_control) && !event.dedup_key.as_str().is_empty());
        assert!(event.body.len() <= BODY_BYTES_MAX && !event.body.contains('\r'));
        let labels: usize = event.labels.iter().map(|(name, value)| name.len() + value.len()).sum();
        assert!(labels <= labels::LABELS_BYTES_MAX + 32 && event.labels.len() <= labels::LABELS_MAX);
    }
}

fn check_all(body: &[u8]) {
    for kind in KINDS {
        for content_type in [None, Some("application/json")] {
            check(&read(&integration(kind), content_type, body, now()));
        }
    }
    let request = ManualRequest { content_type: None, body, idempotency_key: None, unique: "1" };
    if let Ok(event) = manual::read(request) {
        check(&Reading::Events(vec![event]));
    }
}

#[test]
fn bombs_are_answered() {
    for body in [
        "[".repeat(200_000),
        format!("{{\"event_id\":{}1", "[".repeat(200_000)),
        format!("{{\"a\":{}{}}}", "{\"a\":".repeat(50_000) + "1", "}".repeat(50_000)),
        format!("{{\"title\":\"t\",\"labels\":{}{}}}", "[".repeat(50_000), "]".repeat(50_000)),
        format!("[{}0]", "0,".repeat(200_000)),
        format!("[{}{{}}]", "{\"title\":\"t\"},".repeat(5_000)),
        format!("{{\"title\":\"t\",\"{}\":{{\"a\":1,\"b\":2}}}}", "n".repeat(100_000)),
        format!("title=t&{}", "a=b&".repeat(100_000)),
        "\\u0000".repeat(10_000),
        format!("\"{}\"", "\\ud83d".repeat(10_000)),
    ] {
        check_all(body.as_bytes());
    }
}

/// JSON of names and words that the readers look for, in shapes they do not.
fn json() -> impl Strategy<Value = Value> {
    let word = prop_oneof![
        Just("{EVENT.ID}".to_owned()),
        Just("*UNKNOWN*".to_owned()),
        Just("[{\"tag\":\"a\",\"value\":\"b\"}]".to_owned()),
        Just("1".to_owned()),
        Just("0".to_owned()),
        Just("Down (Acknowledged)".to_owned()),
        Just("2026.09.01".to_owned()),
        Just("https://z.example/".to_owned()),
        any::<String>(),
    ];
    let leaf = prop_oneof![
        Just(Value::Null),
        any::<bool>().prop_map(Value::from),
        any::<i64>().prop_map(Value::from),
        word.prop_map(Value::from)
    ];
    let name = prop_oneof![
        prop::sample::select(vec![
            "event_id",
            "EVENT.VALUE",
            "event_source",
            "event_update_status",
            "event_update_action",
            "event_name",
            "host",
            "host_name",
            "alert_message",
            "event_tags_json",
            "event_date",
            "event_time",
            "zabbix_url",
            "trigger_id",
            "title",
            "message",
            "status",
            "severity",
            "labels",
            "to",
            "alerts",
            "dedup_key",
            "timestamp",
        ])
        .prop_map(str::to_owned),
        any::<String>(),
    ];
    leaf.prop_recursive(4, 64, 12, move |inner| {
        prop_oneof![
            prop::collection::vec(inner.clone(), 0..6).prop_map(Value::from),
            prop::collection::vec((name.clone(), inner), 0..12)
                .prop_map(|pairs| Value::Object(pairs.into_iter().collect())),
        ]
    })
}

proptest! {
    #[test]
    fn no_bytes_break_a_reader(body in any::<Vec<u8>>()) {
        check_all(&body);
    }

    #[test]
    fn no_text_breaks_a_reader(body in "[\\[{\"a-z=&:, \n\\\\\u{1}한}\\]]{0,60}") {
        check_all(body.as_bytes());
    }

    #[test]
    fn no_json_breaks_a_reader(body in json()) {
        check_all(body.to_string().as_bytes());
    }

    #[test]
    fn every_zabbix_event_with_id_and_value_is_read(id in "[!-z]{1,255}", firing in any::<bool>(), name in any::<String>()) {
        let value = if firing { "1" } else { "0" };
        let body = serde_json::json!({"event_id": id, "event_value": value, "event_name": name});
        let event = event(IntegrationKind::Zabbix, &body.to_string());
        prop_assert!(event.dedup_key.as_str() == id);
    }
}
