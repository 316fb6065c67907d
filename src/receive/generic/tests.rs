use super::super::tests::{event, integration, now};
use super::*;
use crate::{
    alert::{Severity, Update},
    config::IntegrationKind,
    receive::{EVENTS_PER_REQUEST_MAX, read},
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
    assert!(!event.key_never_returns && !event.kind.is_test());
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
    // What is only text has no state but the one in front.
    for (one, other, same) in [
        ("[Critical] Disk full", "[RESOLVED] Disk full", true),
        ("🔴 Problem: Disk full", "✅ Resolved in 5m 2s: Disk full", true),
        ("DISK WARNING - 9 % free", "DISK CRITICAL - 1 % free", false),
        ("web01 down", "web01 up", false),
    ] {
        assert_eq!(key(one) == key(other), same, "{one} and {other}");
    }
    assert_eq!(key(r#"{"title":"a","dedup_key":" k "}"#).as_str(), "k");
    assert_eq!(key(r#"{"title":"a","id":7}"#).as_str(), "7");
    assert_ne!(key(r#"{"title":"a","SERVICEPROBLEMID":"0"}"#).as_str(), "0");
}

/// Each line is a problem and its end, or two problems.
#[test]
fn a_state_in_a_title_or_in_place_of_one_is_no_part_of_the_key() {
    let key = |body: &str| generic(&format!("{{{body}}}")).dedup_key;
    for (one, other, same) in [
        (
            r#""title":"[PROBLEM] http on web01 is CRITICAL!","host":"web01","service":"http","state":"CRITICAL""#,
            r#""title":"[RECOVERY] http on web01 is OK!","host":"web01","service":"http","state":"OK""#,
            true,
        ),
        (
            r#""title":"Service PROBLEM notification","host":"web01","service":"http","state":"CRITICAL""#,
            r#""title":"Service RECOVERY notification","host":"web01","service":"http","state":"OK""#,
            true,
        ),
        (r#""title":"web01 is Down","status":"Down""#, r#""title":"web01 is Up","status":"Up""#, true),
        // A title that stays the same names what is wrong.
        (r#""title":"web01 down","status":"down""#, r#""title":"web01 down","status":"up""#, true),
        (r#""title":"Backup failed""#, r#""title":"Backup failed","status":"resolved""#, true),
        (r#""title":"Open files","status":"firing""#, r#""title":"Files","status":"firing""#, false),
        (r#""title":"code 0","status":1"#, r#""title":"code 1","status":1"#, false),
        (r#""title":"DOWN","status":"down""#, r#""title":"UP","status":"up""#, false),
        (r#""title":"DOWN","host":"a","status":"down""#, r#""title":"UP","host":"a","status":"up""#, true),
        (
            r#""host_name":"web01","host_state":"DOWN","host_output":"lost","notification_type":"PROBLEM""#,
            r#""host_name":"web01","host_state":"UP","host_output":"back","notification_type":"RECOVERY""#,
            true,
        ),
        (r#""host":"web01","status":"DOWN""#, r#""host":"web01","status":"UP""#, true),
        (r#""host":"web01","status":"DOWN""#, r#""host":"web02","status":"DOWN""#, false),
        (
            r#""service":"api","status":"down","message":"timeout""#,
            r#""service":"api","status":"up","message":"200 in 20 ms""#,
            true,
        ),
        (r#""service":"api","message":"timeout""#, r#""service":"api","message":"502""#, false),
        (r#""host":"web01","message":"disk full""#, r#""host":"web01","message":"fan broken""#, false),
        (
            r#""host":"web01","status":"critical","metric":"cpu""#,
            r#""host":"web01","status":"warning","metric":"disk""#,
            false,
        ),
        (
            r#""id":"7","type":"custom","host":"web01","message":"x""#,
            r#""id":"8","type":"custom","host":"web01","message":"x""#,
            false,
        ),
        (
            r#""host":"web01","title":"disk full""#,
            r#""host":"web01","title":"fan broken","state":"down""#,
            false,
        ),
    ] {
        assert_eq!(key(one) == key(other), same, "{one} and {other}");
    }
}

#[test]
fn the_number_of_a_nagios_problem_is_no_key_where_the_check_is_known() {
    let key = |body: &str| generic(body).dedup_key;
    let disk = "HOSTNAME=a&SERVICEDESC=disk";
    let problem = key(&format!("NOTIFICATIONTYPE=PROBLEM&{disk}&SERVICESTATE=CRITICAL&SERVICEPROBLEMID=77"));
    for same in [
        format!(
            "NOTIFICATIONTYPE=RECOVERY&{disk}&SERVICESTATE=OK&SERVICEPROBLEMID=0&LASTSERVICEPROBLEMID=77"
        ),
        format!("NOTIFICATIONTYPE=RECOVERY&{disk}&SERVICESTATE=OK&SERVICEPROBLEMID=0&HOSTPROBLEMID=12"),
        format!("NOTIFICATIONTYPE=RECOVERY&{disk}&id=0&title=disk+is+fine"),
        format!("NOTIFICATIONTYPE=CUSTOM&{disk}&SERVICESTATE=WARNING&id=77"),
        format!("type=FLAPPINGSTART&{disk}&state=CRITICAL&event_id=78"),
        format!("event_id=77&{disk}&state=CRITICAL&text=97+%25"),
        format!("event_id=0&{disk}&state=OK&text=12+%25"),
        format!("id=77&{disk}&state=CRITICAL&output=97+%25"),
        format!("title=disk&{disk}&state=OK&LASTSERVICEPROBLEMID=77"),
        "NOTIFY_NOTIFICATIONTYPE=PROBLEM&NOTIFY_HOSTNAME=a&NOTIFY_SERVICEDESC=disk&NOTIFY_SERVICESTATE=CRIT&NOTIFY_SERVICEPROBLEMID=9"
            .to_owned(),
    ] {
        assert_eq!(key(&same), problem, "{same}");
    }
    for (other, expected) in [
        (format!("NOTIFICATIONTYPE=PROBLEM&{disk}&SERVICESTATE=CRITICAL&dedup_key=mine"), "mine"),
        (format!("id=7&{disk}&status=firing&title=t"), "7"),
        (format!("sensorid=7&{disk}&status=Down"), "7"),
        (format!("event_id=7&{disk}&status=PROBLEM&title=t"), "7"),
        ("id=7&host=a&status=down&message=http".to_owned(), "7"),
        ("title=t&SERVICEPROBLEMID=77&HOSTPROBLEMID=12&SERVICESTATE=CRITICAL".to_owned(), "77"),
        (
            "title=t&SERVICEPROBLEMID=0&LASTSERVICEPROBLEMID=77&HOSTPROBLEMID=12&SERVICESTATE=OK".to_owned(),
            "77",
        ),
    ] {
        assert_eq!(key(&other).as_str(), expected, "{other}");
    }
    let host = |state: &str, id: &str| {
        key(&format!(
            "HOSTNAME=a&HOSTSTATE={state}&HOSTPROBLEMID={id}&SERVICEDESC=%24SERVICEDESC%24&SERVICEPROBLEMID=%24SERVICEPROBLEMID%24"
        ))
    };
    assert_eq!(host("DOWN", "5"), host("UP", "0"));
    assert_ne!(host("DOWN", "5"), problem, "a host is not its service");
}

#[test]
fn an_end_may_be_a_key_and_a_state_only() {
    for (body, key, status) in [
        (r#"{"dedup_key":"backup","status":"resolved"}"#, "backup", resolved()),
        ("dedup_key=backup&status=resolved", "backup", resolved()),
        (r#"{"routing_key":"x","event_action":"resolve","dedup_key":"db"}"#, "db", resolved()),
    ] {
        let event = generic(body);
        assert_eq!(
            (event.dedup_key.as_str(), event.title.as_str(), event.status),
            (key, key, status),
            "{body}"
        );
    }
    for body in [r#"{"dedup_key":"backup"}"#, r#"{"status":"resolved"}"#, r#"{"id":7,"state":"alerting"}"#] {
        assert!(matches!(reading(body, None), Reading::Unreadable { .. }), "{body}");
    }
    let nobody = generic(r#"{"service":"api","status":"down"}"#);
    assert_eq!((nobody.title.as_str(), nobody.severity), ("api: down", Some(Severity::High)));
}

#[test]
fn an_end_in_front_of_the_title_counts_where_no_field_says_more() {
    for (body, status) in [
        ("[RESOLVED] Disk full", resolved()),
        ("OK: disk\n/var 12 %", resolved()),
        (r#"{"text":"[복구] 디스크"}"#, resolved()),
        (r#"{"title":"[OK] disk","status":"something new"}"#, resolved()),
        (r#"{"title":"[OK] disk","status":"firing"}"#, EventStatus::Firing),
        (r#"{"title":"disk","message":"[OK] disk"}"#, EventStatus::Firing),
        ("disk is OK", EventStatus::Firing),
    ] {
        assert_eq!(generic(body).status, status, "{body}");
    }
    let (problem, end) =
        (generic(r#"{"title":"[FIRING:1] disk"}"#), generic(r#"{"title":"[RESOLVED] disk"}"#));
    assert_eq!(problem.dedup_key, end.dedup_key);
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
        (r#""state":"CRITICAL","type":"ACKNOWLEDGEMENT""#, update(Some(true), None, None)),
        (r#""state":"CRITICAL","event_type":"DowntimeStart""#, update(None, Some("DowntimeStart"), None)),
        (r#""state":"CRITICAL","type":"disabled""#, EventStatus::Firing),
        (r#""current_state":"OK""#, resolved()),
        (r#""online":false"#, EventStatus::Firing),
        (r#""online":true"#, resolved()),
        (r#""level":"OK""#, resolved()),
        (r#""level":"OK","status":"firing""#, EventStatus::Firing),
        (r#""level":"normal""#, EventStatus::Firing),
        (r#""status":"offline","online":true"#, EventStatus::Firing),
        (r#""status":"복구""#, resolved()),
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
        (r#""severity":"OK","status":"DOWN""#, Some(Severity::High), None),
        (r#""severity":"OK","status":"firing""#, None, None),
        (r#""severity":0,"status":"DOWN""#, Some(Severity::NotClassified), None),
        (r#""status":"Down (Partial)""#, Some(Severity::High), None),
        (r#""status":"UNREACHABLE""#, Some(Severity::High), None),
        (r#""status":"Unusual""#, Some(Severity::Warning), None),
        (r#""current_state":"critical""#, Some(Severity::High), None),
        (r#""type":"DOWNTIMESTART","state":"WARNING""#, None, None),
        (r#""type":"DOWNTIMESTART","state":"WARNING","severity":"high""#, Some(Severity::High), None),
        (r#""labels":{"severity":"page"}"#, Some(Severity::Disaster), None),
    ] {
        let event = generic(&format!("{{\"title\":\"t\",{fields}}}"));
        assert_eq!((event.severity, event.unknown_severity.as_deref()), (severity, unknown), "{fields}");
    }
}

#[test]
fn a_start_and_the_time_of_a_message_are_two_things() {
    for (fields, starts_at, said_at) in [
        (r#""timestamp":1788254405"#, None, Some("2026-09-01T09:20:05Z")),
        (r#""timestamp":1788254405000,"status":"ok""#, None, Some("2026-09-01T09:20:05Z")),
        (r#""timestamp":1788254405,"status":"acknowledged""#, None, Some("2026-09-01T09:20:05Z")),
        (
            r#""starts_at":"2026-09-01 19:00:05","timestamp":1788254405,"status":"ok""#,
            Some("2026-09-01T10:00:05Z"),
            Some("2026-09-01T09:20:05Z"),
        ),
        (r#""starts_at":"soon","date_time":"2026-09-01 19:00:05""#, None, Some("2026-09-01T10:00:05Z")),
        (r#""since":1788254405"#, Some("2026-09-01T09:20:05Z"), None),
        (r#""timestamp":"2099-01-01T00:00:00Z""#, None, Some("2099-01-01T00:00:00Z")),
    ] {
        let event = generic(&format!("{{\"title\":\"t\",{fields}}}"));
        let texts = [event.starts_at, event.said_at].map(|time| time.map(|time| time.to_string()));
        assert_eq!(texts.each_ref().map(Option::as_deref), [starts_at, said_at], "{fields}");
    }
}

#[test]
fn a_date_needs_a_time_and_an_end_has_the_time_of_its_message() {
    for (fields, said_at, ended_at) in [
        (r#""status":"down","date":"2026-09-01","time":"10:00:05""#, Some("2026-09-01T01:00:05Z"), None),
        (r#""status":"down","date":"2026-09-01""#, None, None),
        (
            r#""status":"up","date":"2026-09-01","time":"10:00:05""#,
            Some("2026-09-01T01:00:05Z"),
            Some("2026-09-01T01:00:05Z"),
        ),
        (
            r#""status":"up","timestamp":1788254405,"resolved_at":1788254400"#,
            Some("2026-09-01T09:20:05Z"),
            Some("2026-09-01T09:20:00Z"),
        ),
        (r#""status":"up""#, None, None),
        (r#""status":"acknowledged","timestamp":1788254405"#, Some("2026-09-01T09:20:05Z"), None),
    ] {
        let event = generic(&format!("{{\"title\":\"t\",{fields}}}"));
        let texts = [event.said_at, event.ended_at].map(|time| time.map(|time| time.to_string()));
        assert_eq!(texts.each_ref().map(Option::as_deref), [said_at, ended_at], "{fields}");
    }
}

#[test]
fn what_sends_like_nagios_is_quiet_about_what_is_acknowledged_there() {
    let check = "NOTIFICATIONTYPE=PROBLEM&HOSTNAME=web01&SERVICEDESC=disk&SERVICESTATE=CRITICAL";
    assert!(generic(check).quiet_while_acknowledged);
    assert!(
        !generic(r#"{"title":"disk full","host":"web01","timestamp":1788254405}"#).quiet_while_acknowledged
    );
}

#[test]
fn prtg_calls_the_address_of_a_device_its_host() {
    let said = generic("sensorid=7&host=10.0.0.5&device=sw-core&sensor=Ping&status=Down&message=lost");
    assert_eq!((said.title.as_str(), said.labels["host"].as_str()), ("sw-core Ping: Down", "sw-core"));
    let other = generic("host=web01&device=sda&status=failed");
    assert_eq!(other.title, "web01: failed");
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
