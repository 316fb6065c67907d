use super::super::tests::{event, integration, now};
use super::*;
use crate::{
    alert::{EventStatus, Severity},
    config::{IntegrationKind, MapField},
    receive::read,
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
    assert!(one.kind.is_test() && other.kind.is_test() && one.dedup_key != other.dedup_key);
    assert_eq!(one.dedup_key, pressed("2026-11-22T10:00:00Z").dedup_key);
}

#[test]
fn the_test_button_before_version_9_is_a_test() {
    let pressed = |rule: &str, message: &str| {
        let body = serde_json::json!({ "ruleId": 0, "ruleName": rule, "message": message, "state": "alerting",
            "evalMatches": [{ "metric": "High value", "value": 100, "tags": null }] });
        event(IntegrationKind::Grafana, &body.to_string())
    };
    for place in ["Grafana.", "grafana.", "Grafana.[sev3]"] {
        let message = format!("Someone is testing the alert notification within {place}");
        assert!(pressed("Test notification", &message).kind.is_test(), "{place}");
        assert!(!pressed("Login", &message).kind.is_test());
    }
    assert!(!pressed("Test notification", "the disk is full").kind.is_test());
}

#[test]
fn a_rule_that_fires_for_several_machines_is_about_none_alone() {
    let title = |one: &str, other: &str, of_rule: &str| {
        let body = format!(
            r#"{{"ruleId":1,"ruleName":"CPU","state":"alerting","tags":{{{of_rule}}},"evalMatches":[
                {{"metric":"a","value":1,"tags":{{{one}}}}},{{"metric":"b","value":2,"tags":{{{other}}}}}]}}"#
        );
        event(IntegrationKind::Grafana, &body).title
    };
    let (web01, web02) =
        (r#""instance":"web01","severity":"warning""#, r#""instance":"web02","severity":"page""#);
    assert_eq!(title(web01, web01, ""), "web01: CPU");
    assert_eq!(title(web01, web02, ""), "CPU");
    assert_eq!(title(web01, "", ""), "web01: CPU");
    assert_eq!(title(web01, web02, r#""host":"cluster""#), "cluster: CPU");
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
