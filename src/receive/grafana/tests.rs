use super::super::tests::{event, integration, now};
use super::*;
use crate::{
    alert::{EventStatus, Severity},
    config::{IntegrationKind, MapField},
};

#[test]
fn every_press_of_the_test_button_is_a_test_of_its_own() {
    let pressed = |at: &str| {
        event(
            IntegrationKind::Grafana,
            &format!(
                r#"{{"alerts":[{{"labels":{{"alertname":"TestAlert","instance":"Grafana"}},"startsAt":"{at}","fingerprint":"57c6d9296de2ad39"}}]}}"#
            ),
        )
    };
    let (one, other) = (pressed("2026-11-22T10:00:00Z"), pressed("2026-11-22T10:00:07Z"));
    assert!(one.test && other.test && one.dedup_key != other.dedup_key);
    assert_eq!(one.dedup_key, pressed("2026-11-22T10:00:00Z").dedup_key);
}

#[test]
fn a_payload_of_the_operators_own_is_read_where_the_map_points() {
    let mut integration = integration(IntegrationKind::Grafana);
    let pointers = [
        (MapField::Title, "/fault/words/1"),
        (MapField::Status, "/fault/phase"),
        (MapField::Severity, "/fault/how~1bad"),
        (MapField::DedupKey, "/fault/no"),
        (MapField::Body, "/fault/missing"),
    ];
    integration.map.fields = pointers.map(|(field, pointer)| (field, pointer.to_owned())).into();
    integration.map.events = Some("/all/0".to_owned());
    let body = r#"{"title": "not this", "all": [[
        {"fault": {"words": ["x", "paper jam"], "phase": "over", "how/bad": "심각", "no": 7}, "message": "tray 2"},
        {"fault": {"words": ["x", "toner"], "phase": "firing", "how/bad": "minor", "no": 8}}]]}"#;
    let Reading::Events(events) = read(&integration, None, body.as_bytes(), now()) else { panic!("events") };
    let said: Vec<_> = events
        .iter()
        .map(|event| (event.dedup_key.as_str(), event.title.as_str(), event.body.as_str(), event.severity))
        .collect();
    assert_eq!(
        said,
        [("7", "paper jam", "tray 2", Some(Severity::Disaster)), ("8", "toner", "", Some(Severity::Warning))]
    );
    assert_eq!(events[1].status, EventStatus::Firing);
}
