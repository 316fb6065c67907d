use super::super::tests::{event, integration, now};
use super::*;
use crate::{config::IntegrationKind, receive::read};

const DOWN: &str = include_str!("../../../tests/fixtures/uptime_kuma/down.json");

#[test]
fn nothing_secret_of_a_monitor_is_taken() {
    let event = event(IntegrationKind::UptimeKuma, DOWN);
    assert!(DOWN.contains("hunter2") && !format!("{event:?}").contains("hunter2"));
    assert!(!super::super::redact::redact(DOWN).contains("hunter2"), "nor kept where the body is");
}

#[test]
fn a_notice_that_comes_daily_with_another_number_is_one_alert() {
    let notice = |days: &str| {
        event(
            IntegrationKind::UptimeKuma,
            &format!(r#"{{"heartbeat":null,"monitor":null,"msg":"certificate will expire in {days} days"}}"#),
        )
    };
    assert_eq!(notice("14").dedup_key, notice("7").dedup_key);
    assert_eq!(notice("2").dedup_key, notice("1").dedup_key);
    assert!(!notice("7").kind.is_test());
}

#[test]
fn notices_of_two_monitors_are_two_alerts() {
    let notice = |name: &str| {
        let message = format!(
            "[{name}][https://{name}.example] server certificate {name}.example will expire in 14 days"
        );
        let body = serde_json::json!({ "heartbeat": null, "monitor": null, "msg": message });
        event(IntegrationKind::UptimeKuma, &body.to_string()).dedup_key
    };
    assert_ne!(notice("web1"), notice("web2"));
}

#[test]
fn the_word_down_may_mean_disaster() {
    let mut integration = integration(IntegrationKind::UptimeKuma);
    integration.severity.insert("down".to_owned(), Severity::Disaster);
    let Reading::Events(events) = read(&integration, None, DOWN.as_bytes(), now()) else { panic!("events") };
    assert_eq!(events[0].severity, Some(Severity::Disaster));
}
