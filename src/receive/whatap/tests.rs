use super::super::tests::event;
use super::*;
use crate::{alert::Severity, config::IntegrationKind, receive::read};

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

#[test]
fn the_plain_webhook_ends_what_it_began() {
    let plain = |title: &str| event(IntegrationKind::Whatap, &format!(r#"{{"title":"{title}","text":"t"}}"#));
    let problem = plain("[Critical] CPU");
    assert_eq!((&problem.status, problem.severity), (&EventStatus::Firing, Some(Severity::High)));
    for end in ["[RESOLVED] CPU", "[해결] CPU", "[복구]CPU", "정상: CPU", "CPU"] {
        let end = plain(end);
        assert_eq!(end.dedup_key, problem.dedup_key, "{}", end.title);
        assert_eq!(matches!(end.status, EventStatus::Resolved { .. }), end.title != "CPU", "{}", end.title);
    }
    let in_text = event(IntegrationKind::Whatap, r#"{"title":"[Critical] CPU","text":"[RESOLVED] 40 %"}"#);
    assert_eq!(in_text.dedup_key, problem.dedup_key);
    assert!(matches!(in_text.status, EventStatus::Resolved { .. }));
    assert_ne!(plain("[RESOLVED] memory").dedup_key, problem.dedup_key);
}

#[test]
fn a_level_in_the_title_counts_and_other_brackets_do_not() {
    let graded = |title: &str| {
        let mut gravest = super::super::tests::integration(IntegrationKind::Whatap);
        gravest.severity.insert("critical".to_owned(), Severity::Disaster);
        let body = format!(r#"{{"title": "{title}", "text": "t"}}"#);
        let Reading::Events(events) = read(&gravest, None, body.as_bytes(), super::super::tests::now())
        else {
            panic!("{title}")
        };
        events[0].severity
    };
    assert_eq!(graded("[Critical] CPU"), Some(Severity::Disaster));
    assert_eq!(graded("[Warning] CPU"), Some(Severity::Warning));
    assert_eq!((graded("[web-01] CPU"), graded("Critical CPU")), (None, None));
}
