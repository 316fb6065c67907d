//! What the targets share: every reader, and what the rest of the house relies on.

use std::sync::LazyLock;

use bongsu::{
    alert::Event,
    config::{Hmac, Integration, IntegrationKind, Map, MapField},
    receive::{
        self, BODY_BYTES_MAX, EVENTS_PER_REQUEST_MAX, NOTE_BYTES_MAX, Reading, TITLE_BYTES_MAX, alertmanager,
        manual::{self, ManualRequest},
        redact::redact,
    },
};
use jiff::{SignedDuration, Timestamp, tz::TimeZone};

const NOW: Timestamp = Timestamp::constant(1_795_328_042, 0);

fn integration(kind: &str, map: Map) -> Integration {
    let kind = IntegrationKind::ALL.iter().find(|(name, _)| *name == kind).expect("a kind").1;
    let hmac: Option<Hmac> = None;
    Integration {
        name: "fuzz".to_owned(),
        kind,
        key: "key".to_owned().into(),
        hmac,
        time_zone: TimeZone::UTC,
        close_after: SignedDuration::from_hours(1),
        severity: Default::default(),
        map,
    }
}

fn check(reading: &Reading) {
    let Reading::Events(events) = reading else { return };
    assert!(events.len() <= EVENTS_PER_REQUEST_MAX + 1);
    events.iter().for_each(check_event);
}

fn check_event(event: &Event) {
    assert!(!event.title.is_empty() && event.title.len() <= TITLE_BYTES_MAX);
    assert!(!event.title.contains(char::is_control));
    assert!(event.body.len() <= BODY_BYTES_MAX && !event.body.contains('\r'));
    assert!(!event.dedup_key.as_str().is_empty());
    if let bongsu::alert::EventStatus::Update(update) = &event.status {
        assert!(update.comment.as_ref().is_none_or(|comment| comment.len() <= NOTE_BYTES_MAX));
    }
}

/// A sender's body.
pub fn read(kind: &'static str, body: &[u8]) {
    static MAPPED: LazyLock<Map> = LazyLock::new(|| Map {
        events: Some("/a/0".to_owned()),
        fields: MapField::ALL.map(|(name, field)| (field, format!("/{name}/x/1"))).into(),
    });
    for content_type in [None, Some("application/json")] {
        check(&receive::read(&integration(kind, Map::default()), content_type, body, NOW));
    }
    check(&receive::read(&integration(kind, MAPPED.clone()), None, body, NOW));
    let _ = redact(&String::from_utf8_lossy(body));
}

/// What Prometheus posts to an Alertmanager.
pub fn read_array(body: &[u8]) {
    check(&alertmanager::read_array(&integration("alertmanager", Map::default()), body, NOW));
}

/// An alert by hand.
pub fn read_manual(body: &[u8]) {
    for content_type in [None, Some("application/json")] {
        let request = ManualRequest { content_type, body, idempotency_key: None, unique: "1" };
        if let Ok(event) = manual::read(request) {
            check_event(&event);
        }
    }
}
