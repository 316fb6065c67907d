//! Discovery, autoregistration, internal events, business services: bodies of a Zabbix 6.0 server, sent by
//! our media type.

use std::collections::BTreeMap;

use jiff::SignedDuration;
use serde_json::Value;

use super::{super::super::tests::integration, Event, EventStatus, Severity, Update, now, with, zabbix};
use crate::{
    config::{Integration, IntegrationKind},
    receive::{Reading, read},
};

macro_rules! body {
    ($name:literal) => {
        include_str!(concat!("../../../../tests/fixtures/zabbix_sources/", $name, ".json"))
    };
}

fn resolved() -> EventStatus {
    EventStatus::Resolved { note: None, escalation_cancelled: false }
}

fn events(integration: &Integration, body: &str) -> Vec<Event> {
    match read(integration, None, body.as_bytes(), now()) {
        Reading::Events(events) => events,
        Reading::Unreadable { reason } => panic!("{body}: {reason}"),
    }
}

#[test]
fn down_and_up_of_one_service_are_one_alert_although_their_ids_differ() {
    let (down, up) = (zabbix(body!("service_down")), zabbix(body!("service_up")));
    assert_eq!((&down.status, &up.status), (&EventStatus::Firing, &resolved()));
    assert_eq!(down.dedup_key.as_str(), "discovery:127.0.0.1/TCP:8080/office");
    assert_eq!(up.dedup_key, down.dedup_key);
    assert_eq!(down.title, "localhost (127.0.0.1): TCP 8080 is down");
    assert_eq!(
        (down.severity, (down.kind == crate::alert::Kind::Occurrence)),
        (Some(Severity::Warning), false)
    );
    // Each check has its own time.
    assert_eq!((down.starts_at, up.ended_at), (None, up.said_at));
    assert!(!down.key_never_returns && down.said_at.is_some() && down.said_at < up.said_at, "{up:?}");
    assert_eq!(
        down.source_url.as_deref(),
        Some("https://zabbix.example.org/zabbix.php?action=discovery.view")
    );
    let labels: Vec<_> = down.labels.iter().map(|(name, value)| (name.as_str(), value.as_str())).collect();
    assert_eq!(
        labels,
        [
            ("action_name", "Discovery"),
            ("alert_sendto", "bongsu"),
            ("discovery_device_dns", "localhost"),
            ("discovery_device_ipaddress", "127.0.0.1"),
            ("discovery_rule_name", "office"),
            ("discovery_service_name", "TCP"),
            ("discovery_service_port", "8080"),
            ("event_object", "2"),
            ("event_source", "1"),
        ]
    );
}

#[test]
fn a_device_is_another_thing_than_the_services_on_it() {
    let (down, up) = (zabbix(body!("device_down")), zabbix(body!("device_up")));
    assert_eq!((down.title.as_str(), &up.status), ("localhost (127.0.0.1) is down", &resolved()));
    assert_eq!(down.dedup_key.as_str(), "discovery:127.0.0.1/device/office");
    assert_eq!(up.dedup_key, down.dedup_key);
    let ping = with(
        body!("service_down"),
        &[
            ("discovery_service_name", "ICMP ping".into()),
            ("discovery_service_port", "0".into()),
            ("discovery_device_dns", "".into()),
        ],
    );
    assert_eq!(zabbix(&ping).title, "127.0.0.1: ICMP ping is down");
    let other_rule = with(body!("device_down"), &[("discovery_rule_name", "lab".into())]);
    assert_ne!(zabbix(&other_rule).dedup_key, down.dedup_key);
}

#[test]
fn a_services_own_status_counts_and_not_that_of_its_device() {
    let mixed = with(body!("service_down"), &[("discovery_device_status", "UP".into())]);
    assert_eq!(zabbix(&mixed).status, EventStatus::Firing);
    let device = with(body!("device_up"), &[("discovery_service_status", "DOWN".into())]);
    assert_eq!(zabbix(&device).status, resolved());
}

#[test]
fn only_an_action_called_discovered_tells_of_new_things() {
    let sender = integration(IntegrationKind::Zabbix);
    for (body, title) in [
        (body!("discovered_service"), "localhost (127.0.0.1): TCP 8080 discovered"),
        (body!("discovered_device"), "localhost (127.0.0.1) discovered"),
    ] {
        let told = events(&sender, body);
        let [new, up] = told.as_slice() else { panic!("{told:?}") };
        assert_eq!(
            (new.title.as_str(), &new.status, (new.kind == crate::alert::Kind::Occurrence)),
            (title, &EventStatus::Firing, true)
        );
        assert_eq!(new.severity, Some(Severity::Information));
        assert!(up.status == resolved() && up.dedup_key != new.dedup_key, "{up:?}");
        let again = with(body, &[("event_id", "4711".into()), ("event_time", "00:09:00".into())]);
        assert_eq!(events(&sender, &again)[0].dedup_key, new.dedup_key);
    }
    for (action, expected) in
        [("새 장비 발견", 2), ("DISCOVERED!", 2), ("Undiscovered", 1), ("Discovery", 1), ("{ACTION.NAME}", 1)]
    {
        let body = with(body!("discovered_device"), &[("action_name", action.into())]);
        assert_eq!(events(&sender, &body).len(), expected, "{action}");
    }
    let lost = with(body!("service_down"), &[("action_name", "Discovered or lost".into())]);
    assert_eq!(zabbix(&lost).status, EventStatus::Firing);
}

#[test]
fn an_agent_that_registers_again_and_again_is_told_once() {
    let first = zabbix(body!("autoregistration"));
    assert_eq!(first.title, "new-01 (127.0.0.9) registered itself");
    assert_eq!(
        (&first.status, (first.kind == crate::alert::Kind::Occurrence), first.kind.is_test()),
        (&EventStatus::Firing, true, false)
    );
    assert_eq!(first.expires_after, Some(SignedDuration::from_hours(1)));
    assert_eq!((first.severity, first.key_never_returns), (Some(Severity::Information), false));
    assert_eq!(first.body, "Agent at 127.0.0.9:10055, metadata: os=linux 서버");
    let label = |name: &str| first.labels.get(name).map(String::as_str);
    assert_eq!((label("host"), label("host_host")), (Some("new-01"), None));
    assert_eq!(label("host_metadata"), Some("os=linux 서버"));
    let again = zabbix(&with(body!("autoregistration"), &[("event_id", "4711".into())]));
    assert_eq!(again.dedup_key, first.dedup_key);
}

#[test]
fn what_other_media_types_send_of_discovery_is_told_once() {
    for changes in [
        &[][..],
        &[("event_value", Value::from("0"))],
        &[("event_source", "2".into())],
        &[("discovery_device_ipaddress", "10.0.0.9".into())],
    ] {
        let event = zabbix(&with(body!("discovery_of_another_media_type"), changes));
        assert_eq!(
            (&event.status, (event.kind == crate::alert::Kind::Occurrence), event.kind.is_test()),
            (&EventStatus::Firing, true, false)
        );
        assert_eq!(event.dedup_key.as_str(), "77");
        assert!(event.title.contains("10.0.0.9"), "{}", event.title);
    }
}

#[test]
fn what_zabbix_cannot_do_is_named_with_its_reason() {
    for (problem, recovery, title, reason, page) in [
        (
            body!("item_not_supported"),
            body!("item_supported"),
            "웹-01: item \"CPU 부하\" is not supported",
            "Value of type \"string\" is not suitable",
            "zabbix.php?action=latest.view&hostids%5B%5D=10670&name=CPU+%EB%B6%80%ED%95%98&filter_set=1",
        ),
        (
            body!("lld_rule_not_supported"),
            body!("lld_rule_supported"),
            "웹-01: low-level discovery rule \"디스크 찾기\" is not supported",
            "Invalid discovery rule value",
            "host_discovery.php?context=host&filter_set=1&filter_hostids%5B%5D=10670",
        ),
        (
            body!("trigger_unknown"),
            body!("trigger_known"),
            "웹-01: trigger \"too much load\" cannot be evaluated",
            "Cannot evaluate function",
            "zabbix.php?action=latest.view&hostids%5B%5D=10670&name=CPU+%EB%B6%80%ED%95%98&filter_set=1",
        ),
    ] {
        let event = zabbix(problem);
        assert_eq!((event.title.as_str(), &event.status), (title, &EventStatus::Firing));
        assert!(event.body.starts_with(reason), "{}", event.body);
        assert_eq!(event.source_url, Some(format!("https://zabbix.example.org/{page}")));
        assert_eq!(
            (event.severity, (event.kind == crate::alert::Kind::Occurrence)),
            (Some(Severity::Warning), false)
        );
        assert!(event.key_never_returns && event.labels.contains_key("host"), "{event:?}");
        let over = zabbix(recovery);
        assert_eq!((&over.status, &over.dedup_key), (&resolved(), &event.dedup_key));
    }
    let nameless = with(body!("item_not_supported"), &[("item_name", Value::Null)]);
    assert!(zabbix(&nameless).title.starts_with("웹-01: Value of type"), "{}", zabbix(&nameless).title);
}

#[test]
fn a_business_service_has_a_severity_that_changes_by_updates_alone() {
    let problem = zabbix(body!("business_service_problem"));
    assert_eq!(
        (problem.title.as_str(), &problem.status),
        ("Service 결제 has a problem", &EventStatus::Firing)
    );
    assert!(problem.body.starts_with("Host: \"web-01\" Problem name: \"a burns on"), "{}", problem.body);
    // Every escalation repeat says it again, also after a raise.
    assert_eq!((problem.severity, problem.severity_at_start), (None, Some(Severity::Average)));
    assert_eq!(problem.labels.get("team").map(String::as_str), Some("pay"));
    let raised = zabbix(body!("business_service_update"));
    assert_eq!(raised.status, EventStatus::Update(Update::default()));
    assert_eq!((raised.severity, &raised.dedup_key), (Some(Severity::Disaster), &problem.dedup_key));
    let newer = with(body!("business_service_update"), &[("event_update_status", "1".into())]);
    assert_eq!(zabbix(&newer), raised, "7.x fills in the status, too");
    let over = zabbix(body!("business_service_recovery"));
    assert_eq!((&over.status, &over.dedup_key), (&resolved(), &problem.dedup_key));
    let page = |body: &str| zabbix(body).source_url;
    assert_eq!(
        page(body!("business_service_problem")).as_deref(),
        Some("https://zabbix.example.org/zabbix.php?action=service.list")
    );
    let with_id = with(body!("business_service_problem"), &[("service_id", "7".into())]);
    assert_eq!(
        page(&with_id).as_deref(),
        Some("https://zabbix.example.org/zabbix.php?action=service.list&serviceid=7")
    );
}

#[test]
fn the_severity_table_knows_words_for_sources_without_a_severity() {
    let all = ["discovery", "discovered", "autoregistration", "internal"];
    let severity = BTreeMap::from(all.map(|word| (word.to_owned(), Severity::High)));
    let sender = Integration { severity, ..integration(IntegrationKind::Zabbix) };
    for body in [
        body!("service_down"),
        body!("discovered_device"),
        body!("autoregistration"),
        body!("item_not_supported"),
    ] {
        assert_eq!(events(&sender, body)[0].severity, Some(Severity::High), "{body}");
    }
    assert_eq!(events(&sender, body!("business_service_update"))[0].severity, Some(Severity::Disaster));
    let said = with(body!("item_not_supported"), &[("severity", "disaster".into())]);
    assert_eq!(zabbix(&said).severity, Some(Severity::Disaster), "a parameter of the operator's own");
}
