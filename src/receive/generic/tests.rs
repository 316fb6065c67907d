use super::super::tests::{event, integration, now};
use super::*;
use crate::{
    alert::{EventStatus, Update},
    config::IntegrationKind,
    receive::read,
};

fn generic(body: &str) -> Event {
    event(IntegrationKind::Generic, body)
}

fn reading(body: &str, content_type: Option<&str>) -> Reading {
    read(&integration(IntegrationKind::Generic), content_type, body.as_bytes(), now())
}

fn resolved() -> EventStatus {
    EventStatus::Resolved { note: None, escalation_cancelled: false }
}

#[test]
fn a_described_alert_is_read_in_full() {
    let event = generic(
        r#"{"alert_uid": "u1", "title": "디스크 가득", "state": "alerting", "message": "95 %\r\n/var", "severity": "critical",
            "link_to_upstream_details": "https://mon.example/1", "host": {"name": "web01"}, "service": "disk",
            "startsAt": "2026-09-01T10:00:05Z", "labels": {"Team": "web", "n": 3}, "check.interval": 60, "api_token": "x"}"#,
    );
    assert_eq!((event.dedup_key.as_str(), &event.status), ("u1", &EventStatus::Firing));
    assert_eq!((event.title.as_str(), event.body.as_str()), ("web01: 디스크 가득", "95 %\n/var"));
    assert_eq!(
        (event.severity, event.source_url.as_deref()),
        (Some(Severity::High), Some("https://mon.example/1"))
    );
    assert_eq!(event.starts_at.map(|time| time.to_string()).as_deref(), Some("2026-09-01T10:00:05Z"));
    assert!(!event.key_never_returns && !event.test);
    let labels: Vec<_> = event.labels.iter().map(|(name, value)| (name.as_str(), value.as_str())).collect();
    assert_eq!(
        labels,
        [("Team", "web"), ("check_interval", "60"), ("host", "web01"), ("n", "3"), ("service", "disk")]
    );
}

#[test]
fn what_people_send_by_hand_is_read() {
    for (body, title, text) in [
        ("disk full", "disk full", ""),
        ("\u{feff}디스크 가득\r\n/var 95 %\r\n", "디스크 가득", "/var 95 %"),
        ("[web01] disk full", "[web01] disk full", ""),
        ("a = b & c", "a = b & c", ""),
        ("title=disk+full&message=95+%25", "disk full", "95 %"),
        ("\"disk full\"", "disk full", ""),
        (r#"{"message": "disk full\non /var"}"#, "disk full", "on /var"),
        (r#"{"text": "disk full"}"#, "disk full", ""),
        (r#"["disk full"]"#, "disk full", ""),
    ] {
        let event = generic(body);
        assert_eq!((event.title.as_str(), event.body.as_str()), (title, text), "{body}");
        assert_eq!((event.status, event.severity), (EventStatus::Firing, None), "{body}");
    }
}

#[test]
fn without_a_key_the_same_condition_joins_and_another_does_not() {
    let key = |body: &str| generic(body).dedup_key;
    for (one, other, same) in [
        (
            r#"{"title":"disk full"}"#,
            r#"{"title":"disk full","message":"96 %","timestamp":1788254405}"#,
            true,
        ),
        (r#"{"title":"disk full","host":"a"}"#, r#"{"title":"disk full","host":"b"}"#, false),
        (r#"{"title":"disk full","service":"a"}"#, r#"{"title":"db down","service":"a"}"#, false),
        (r#"{"title":"[Alerting] disk","state":"alerting"}"#, r#"{"title":"[OK] disk","state":"ok"}"#, true),
        (
            r#"{"title":"Problem: disk","status":"problem","host":"a"}"#,
            r#"{"title":"Resolved: disk","status":"ok","host":"a"}"#,
            true,
        ),
        (
            "HOSTNAME=a&SERVICEDESC=http&SERVICESTATE=CRITICAL",
            "HOSTNAME=a&SERVICEDESC=http&SERVICESTATE=OK",
            true,
        ),
        (
            "HOSTNAME=a&SERVICEDESC=http&SERVICESTATE=CRITICAL",
            "HOSTNAME=a&SERVICEDESC=ssh&SERVICESTATE=CRITICAL",
            false,
        ),
        ("disk full\n95 %", "disk full\n96 %", true),
        ("disk full", "db down", false),
    ] {
        assert_eq!(key(one) == key(other), same, "{one} and {other}");
    }
    assert_eq!(key(r#"{"title":"a","dedup_key":" k "}"#).as_str(), "k");
    assert_eq!(key(r#"{"title":"a","id":7}"#).as_str(), "7");
    assert_ne!(key(r#"{"title":"a","SERVICEPROBLEMID":"0"}"#).as_str(), "0");
}

#[test]
fn states_are_read_under_many_names() {
    let update = |acknowledged, comment: Option<&str>, by: Option<&str>| {
        EventStatus::Update(Update {
            acknowledged,
            comment: comment.map(str::to_owned),
            by: by.map(str::to_owned),
        })
    };
    for (fields, status) in [
        (r#""status":"firing""#, EventStatus::Firing),
        (r#""status":"on""#, EventStatus::Firing),
        (r#""status":"something new""#, EventStatus::Firing),
        (r#""event_action":"resolve","status":"critical""#, resolved()),
        (r#""status":"off""#, resolved()),
        (r#""state":0"#, resolved()),
        (r#""notification_type":"RECOVERY","status":"UP","severity":"OK""#, resolved()),
        (r#""status":"unheard of","alert_status":"Recovered""#, resolved()),
        (
            r#""NOTIFICATIONTYPE":"ACKNOWLEDGEMENT","SERVICESTATE":"CRITICAL","NOTIFICATIONAUTHOR":"jin","NOTIFICATIONCOMMENT":"mine""#,
            update(Some(true), Some("mine"), Some("jin")),
        ),
        (r#""status":"Down (Acknowledged)""#, update(Some(true), None, None)),
        (r#""status":"disabled""#, update(None, Some("disabled"), None)),
    ] {
        assert_eq!(generic(&format!("{{\"title\":\"t\",{fields}}}")).status, status, "{fields}");
    }
}

#[test]
fn severities_are_words_and_a_bare_priority_is_none() {
    for (fields, severity, unknown) in [
        (r#""severity":"심각""#, Some(Severity::Disaster), None),
        (r#""level":"Warning""#, Some(Severity::Warning), None),
        (r#""priority":"P1""#, Some(Severity::High), None),
        (r#""priority":1"#, None, None),
        (r#""severity":"weird""#, Some(Severity::NotClassified), Some("weird")),
        (r#""severity":"OK","status":"ok""#, None, None),
        (r#""SERVICESTATE":"WARNING""#, Some(Severity::Warning), None),
        (r#""status":"firing""#, None, None),
        (r#""labels":{"severity":"page"}"#, Some(Severity::Disaster), None),
    ] {
        let event = generic(&format!("{{\"title\":\"t\",{fields}}}"));
        assert_eq!((event.severity, event.unknown_severity.as_deref()), (severity, unknown), "{fields}");
    }
}

#[test]
fn the_time_of_a_recovery_is_no_start() {
    for (fields, expected) in [
        (r#""timestamp":1788254405"#, Some("2026-09-01T09:20:05Z")),
        (r#""timestamp":1788254405000,"status":"ok""#, None),
        (
            r#""starts_at":"2026-09-01 19:00:05","timestamp":1788254405,"status":"ok""#,
            Some("2026-09-01T10:00:05Z"),
        ),
        (r#""starts_at":"soon","date_time":"2026-09-01 19:00:05""#, Some("2026-09-01T10:00:05Z")),
    ] {
        let event = generic(&format!("{{\"title\":\"t\",{fields}}}"));
        assert_eq!(event.starts_at.map(|time| time.to_string()).as_deref(), expected, "{fields}");
    }
}

#[test]
fn a_list_is_one_event_each_and_tells_what_it_left_out() {
    let list = |body: &str| match reading(body, None) {
        Reading::Events(events) => events,
        Reading::Unreadable { reason } => panic!("{body}: {reason}"),
    };
    let two = r#"{"alerts":[{"labels":{"alertname":"A"},"status":"firing","fingerprint":"1"},
        {"annotations":{"summary":"B"},"status":"resolved","fingerprint":"2"}],"title":"[FIRING:1] group"}"#;
    let two: Vec<_> =
        list(two).into_iter().map(|event| (event.title, event.dedup_key.to_string(), event.status)).collect();
    assert_eq!(two, [("A".into(), "1".into(), EventStatus::Firing), ("B".into(), "2".into(), resolved())]);
    assert_eq!(list(r#"{"alerts":[{}],"title":"group"}"#)[0].title, "group");

    let partly = list(r#"[{"title":"a"}, {}, 3, {"title":"b"}]"#);
    assert_eq!(partly.len(), 3);
    assert!(
        partly[2].body.starts_with("2 entries of a list of 4") && partly[2].severity == Some(Severity::High)
    );

    let many = list(&format!("[{}\"last\"]", "{\"title\":\"a\"},".repeat(EVENTS_PER_REQUEST_MAX + 4)));
    assert_eq!(many.len(), EVENTS_PER_REQUEST_MAX + 1);
    assert!(many.last().is_some_and(|event| event.body.contains("5 lie beyond the limit")));
}

#[test]
fn what_says_nothing_is_unreadable() {
    for (body, content_type) in [
        ("", None),
        (" \r\n", None),
        ("{}", None),
        ("[]", None),
        ("[{}]", None),
        (r#"{"title": ""}"#, None),
        (r#"{"a": {"b": [1]}}"#, None),
        ("{title: disk full}", None),
        ("[web01] disk full", Some("application/json; charset=utf-8")),
        ("\"\"", None),
        ("\u{1}\u{2}", None),
    ] {
        let reading = reading(body, content_type);
        let Reading::Unreadable { reason } = reading else { panic!("{body}: {reading:?}") };
        assert!(!reason.is_empty() && !reason.contains("web01") && !reason.contains("disk"), "{reason}");
    }
}
