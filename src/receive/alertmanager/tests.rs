use super::super::tests::{integration, now};
use super::*;
use crate::{
    alert::{EventStatus, Severity},
    config::IntegrationKind,
    receive::{EVENTS_PER_REQUEST_MAX, read},
};

fn events(body: &str) -> Vec<Event> {
    match read(&integration(IntegrationKind::Alertmanager), None, body.as_bytes(), now()) {
        Reading::Events(events) => events,
        Reading::Unreadable { reason } => panic!("{reason}"),
    }
}

fn array(body: &str) -> Reading {
    read_array(&integration(IntegrationKind::Alertmanager), body.as_bytes(), now())
}

fn only(reading: Reading) -> Event {
    match reading {
        Reading::Events(mut events) if events.len() == 1 => events.remove(0),
        other @ (Reading::Events(_) | Reading::Unreadable { .. }) => panic!("{other:?}"),
    }
}

#[test]
fn without_a_fingerprint_the_labels_are_the_key_in_any_order() {
    let one = events(r#"{"alerts":[{"status":"firing","labels":{"alertname":"A","job":"x"}}]}"#);
    let other = events(
        r#"{"alerts":[{"status":"resolved","labels":{"job":"x","alertname":"A"},"annotations":{"summary":"b"}},
                      {"status":"firing","labels":{"job":"y","alertname":"A"}}]}"#,
    );
    assert_eq!(one[0].dedup_key, other[0].dedup_key);
    assert_ne!(one[0].dedup_key, other[1].dedup_key);
}

#[test]
fn the_most_telling_label_grades_whatever_its_case() {
    let graded = |labels: &str| {
        let body = format!(
            r#"{{"alerts":[{{"labels":{{"alertname":"A",{labels}}}}}],"commonLabels":{{"level":"info"}}}}"#
        );
        let event = events(&body).remove(0);
        (event.severity, event.unknown_severity)
    };
    for (labels, severity, unknown) in [
        (r#""severity":"page","priority":"P4""#, Severity::Disaster, None),
        (r#""Severity":"심각""#, Severity::Disaster, None),
        (r#""severity":"bizarre","priority":"P1""#, Severity::Information, None),
        (r#""priority":"1""#, Severity::Information, None),
    ] {
        assert_eq!(graded(labels), (Some(severity), unknown), "{labels}");
    }
}

#[test]
fn an_alert_of_the_array_holds_until_its_end_and_a_little_longer() {
    let event = only(array(r#"[{"labels":{"alertname":"A"},"endsAt":"2026-12-01T00:04:00Z"}]"#));
    assert_eq!(
        (event.status, event.expires_after),
        (EventStatus::Firing, Some(SignedDuration::from_mins(10)))
    );
    let event = only(array(r#"[{"labels":{"alertname":"A"},"endsAt":"2026-12-01T00:00:00Z"}]"#));
    assert!(matches!(event.status, EventStatus::Resolved { .. }), "it ended this instant");
    assert_eq!(event.ended_at, Some(now()));
    let event = only(array(r#"[{"labels":{"alertname":"A"}}]"#));
    assert_eq!((event.status, event.expires_after), (EventStatus::Firing, None));
}

#[test]
fn an_end_is_kept_as_its_sender_dates_it() {
    let end = |at: &str| {
        let body =
            format!(r#"{{"alerts":[{{"status":"resolved","labels":{{"alertname":"A"}},"endsAt":"{at}"}}]}}"#);
        events(&body).remove(0).ended_at
    };
    let ahead = now() + SignedDuration::from_secs(40);
    assert_eq!(end("2026-12-01T00:00:40Z"), Some(ahead), "the sender's clock is ahead");
    assert_eq!(end("2026-11-30T23:59:20Z").map(|at| at.to_string()).as_deref(), Some("2026-11-30T23:59:20Z"));
}

#[test]
fn an_empty_array_is_no_mistake_and_anything_else_is_told() {
    assert_eq!(array(" [] "), Reading::Events(Vec::new()));
    for body in ["", "{}", "[1]", r#"{"alerts":[]}"#, "[{\"labels\":1}]"] {
        assert!(matches!(array(body), Reading::Unreadable { .. }), "{body}");
    }
}

#[test]
fn ten_thousand_alerts_are_ten_thousand_events_and_more_than_the_limit_is_told() {
    let body = |count: usize| {
        let alerts: Vec<String> =
            (0..count).map(|n| format!(r#"{{"labels":{{"alertname":"A","n":"{n}"}}}}"#)).collect();
        format!(r#"{{"alerts":[{}]}}"#, alerts.join(","))
    };
    assert_eq!(events(&body(10_000)).len(), 10_000);
    let all = events(&body(EVENTS_PER_REQUEST_MAX + 5));
    assert_eq!(all.len(), EVENTS_PER_REQUEST_MAX + 1);
    assert!(all[EVENTS_PER_REQUEST_MAX].body.contains("5 lie beyond the limit"));
}
