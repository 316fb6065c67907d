use super::super::tests::{event, integration, now};
use super::*;
use crate::{alert::Severity, config::IntegrationKind, receive::read};

#[test]
fn the_worst_field_grades_and_the_integrations_table_stands_over_it() {
    let event = event(IntegrationKind::Munin, "munin1\tCRITICAL\tg\th\tdf\tDisk\tC|/|99.00|:90|\n");
    assert_eq!(event.severity, Some(Severity::High));
    let mut gravest = integration(IntegrationKind::Munin);
    gravest.severity.insert("critical".to_owned(), Severity::Disaster);
    let Reading::Events(events) = read(&gravest, None, b"munin1\tCRITICAL\tg\th\tdf\tDisk", now()) else {
        panic!("events")
    };
    assert_eq!(events[0].severity, Some(Severity::Disaster));
}

#[test]
fn a_message_of_any_worth_has_the_key_of_its_plugin_and_title() {
    let key = |worst: &str, plugin: &str, title: &str| {
        event(IntegrationKind::Munin, &format!("munin1\t{worst}\tg\th\t{plugin}\t{title}\tO|a|1|||"))
            .dedup_key
    };
    assert_eq!(key("CRITICAL", "sda", "Latency"), key("OK", "sda", "Latency"));
    assert_ne!(key("OK", "sda", "Latency"), key("OK", "sda", "Utilization"));
}

#[test]
fn a_record_that_is_cut_short_or_empty_is_still_told() {
    for body in ["munin1\tCRITICAL\tg\th", "munin1", "munin1\t\t\t\t\t", "a :: b :: c", "disk full on web01"]
    {
        let event = event(IntegrationKind::Munin, body);
        assert_eq!(event.status, EventStatus::Firing, "{body}");
    }
}

#[test]
fn a_plugin_without_a_name_is_told_by_the_name_of_its_sender() {
    let event = event(IntegrationKind::Munin, "munin1\tCRITICAL\tg\t \t\u{1}\t \tC|a|9|:3|");
    assert_eq!(event.title, "Event from sender");
}

#[test]
fn an_unresolved_variable_leaves_the_fields_to_grade() {
    let event = event(IntegrationKind::Munin, "munin1\t${var:worst}\tg\th\tp\tt\tO|a|1||\tW|b|9|:3|");
    assert_eq!(
        (event.severity, event.body.as_str()),
        (Some(Severity::Warning), "WARNING: b = 9 (outside :3)")
    );
}

#[test]
fn a_node_cannot_speak_of_another_host() {
    let read = |body: &str| match read(&integration(IntegrationKind::Munin), None, body.as_bytes(), now()) {
        Reading::Events(events) => events,
        Reading::Unreadable { .. } => panic!("it is readable"),
    };
    let forged = "munin1\tOK\tg\tdb1\tdf\tDisk\tO|/|1||";
    for forged in
        [forged.to_owned(), forged.replace("munin1", "munin1-0000"), forged.replace("munin1", "munin1-")]
    {
        let body = format!(
            "munin1-5eed\tCRITICAL\tg\tweb1\tdf\tDisk\tC|/ \n{forged}|99|:90|\nmunin1-5eed\tOK\tg\tweb2\tdf\tDisk\tO|/|1||\n"
        );
        let events = read(&body);
        let hosts: Vec<_> = events.iter().map(|event| event.labels["host"].as_str()).collect();
        assert_eq!(hosts, ["web1", "web2"], "{body}");
    }
    // Whoever writes by hand needs no mark.
    assert_eq!(read("munin1\tCRITICAL\tg\ta\tp\tt\nmunin1\tCRITICAL\tg\tb\tp\tt").len(), 2);
}
