use super::super::tests::event;
use super::*;
use crate::{alert::Severity, config::IntegrationKind};

#[test]
fn names_may_be_spelt_otherwise_and_numbers_be_texts() {
    let event = event(
        IntegrationKind::Whatap,
        r#"{"PCODE": "7", "oid": "-3", "title": "t", "level": "WARNING", "status": "ON", "time": "1795328042000"}"#,
    );
    assert_eq!((event.dedup_key.as_str(), event.severity), ("7:-3:t", Some(Severity::Warning)));
    assert_eq!(event.status, EventStatus::Firing);
}

#[test]
fn only_a_firing_alert_is_graded() {
    let body = r#"{"pcode":7,"oid":3,"title":"t","level":"Sevère","status":"off"}"#;
    let over = event(IntegrationKind::Whatap, body);
    assert_eq!((over.severity, over.unknown_severity), (None, None));
    let firing = event(IntegrationKind::Whatap, &body.replace("off", "on"));
    assert_eq!(firing.unknown_severity.as_deref(), Some("Sevère"));
}
