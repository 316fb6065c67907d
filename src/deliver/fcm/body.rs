//! The body of a push (<https://firebase.google.com/docs/reference/fcm/rest/v1/projects.messages>).
//!
//! We do not know which platform a token belongs to, so every push speaks to all three; FCM uses
//! the part that fits. Everything but the target is the same for all devices of a notification
//! and is written once.

use std::sync::Arc;

use jiff::{SignedDuration, Timestamp};
use serde::Serialize;
use serde_json::{Value, json};

use crate::{
    alert::{PushTarget, Severity},
    config::Android,
    deliver::{PushMessage, http::without_nulls},
};

mod cut;

use cut::{json_len, to_json_bytes};

/// Limit for everything but the target, in bytes of JSON. Google counts 4,096 bytes of keys and
/// values and Apple 4,096 bytes of JSON; an iOS push over that can vanish without an error. The
/// difference is for what Google adds.
const PAYLOAD_BYTES_MAX: usize = 3_584;
/// Limit for the title, in bytes of JSON.
const TITLE_BYTES_MAX: usize = 300;
/// Limit for the copies of the body that the system shows, in bytes of JSON: more than a lock
/// screen shows. Apps find the longer body in `data`.
const SHOWN_BYTES_MAX: usize = 512;
/// Limit for each link, in bytes of JSON. A longer one is left out: half a link leads nowhere.
const LINK_BYTES_MAX: usize = 400;
/// Limit for the integration's name, in bytes of JSON.
const INTEGRATION_BYTES_MAX: usize = 96;
/// Apple's limit for `apns-collapse-id`.
const TAG_BYTES_MAX: usize = 64;
/// Google's limit for `ttl`: 28 days.
const TTL_MAX: SignedDuration = SignedDuration::from_hours(28 * 24);

/// How pushes of this configuration look.
#[derive(Clone, Copy, Debug)]
pub(super) struct Shape {
    /// How long a push is useful.
    pub(super) ttl: SignedDuration,
    pub(super) android: Android,
}

/// The part of a push that is the same for all devices.
#[derive(Debug)]
pub(super) struct Body {
    message: Arc<PushMessage>,
    json: String,
}

impl Body {
    /// Writes it, cut to [`PAYLOAD_BYTES_MAX`]; Apple drops it when `shape.ttl` from `now` has passed.
    pub(super) fn write(message: &Arc<PushMessage>, shape: Shape, now: Timestamp) -> Self {
        let mut texts = Texts::without_body(message);
        let base = written(&payload(message, &texts, shape, now)).len();
        texts.fill(message, shape.android, PAYLOAD_BYTES_MAX.saturating_sub(base));
        let json = written(&payload(message, &texts, shape, now));
        Self { message: Arc::clone(message), json }
    }

    pub(super) fn is_of(&self, message: &Arc<PushMessage>) -> bool {
        Arc::ptr_eq(&self.message, message)
    }

    /// The request's body for one device.
    pub(super) fn addressed_to(&self, target: &PushTarget) -> String {
        let (kind, value) = match target {
            PushTarget::Token(token) => ("token", token),
            PushTarget::Fid(fid) => ("fid", fid),
        };
        let rest = self.json.strip_prefix('{').unwrap_or_default();
        format!("{{\"message\":{{\"{kind}\":{},{rest}}}", written(value))
    }
}

/// A body that asks Google to check project, key and rights without sending anything.
pub(super) fn dry_run() -> String {
    r#"{"validate_only":true,"message":{"topic":"bongsu-check","data":{"state":"test"}}}"#.to_owned()
}

fn written(value: &(impl Serialize + ?Sized)) -> String {
    serde_json::to_string(value).expect("strings, numbers and booleans always have a JSON form")
}

/// The texts of a push, each within its limit.
#[derive(Debug, Default)]
struct Texts {
    title: String,
    /// What the system shows of the body.
    shown: String,
    /// What apps get of the body.
    body: String,
    integration: String,
    tag: String,
    url: String,
    ack_url: String,
    receipt_url: String,
}

impl Texts {
    fn without_body(message: &PushMessage) -> Self {
        let link =
            |link: &str| if json_len(link) <= LINK_BYTES_MAX { link.to_owned() } else { String::new() };
        Self {
            integration: to_json_bytes(&message.integration, INTEGRATION_BYTES_MAX),
            // It is also a header of Apple's.
            tag: message.tag.chars().filter(char::is_ascii_graphic).take(TAG_BYTES_MAX).collect(),
            url: link(&message.url),
            ack_url: link(&message.ack_url),
            receipt_url: link(&message.receipt_url),
            ..Self::default()
        }
    }

    /// Shares out `room` bytes: the title first, then what the system shows, then the body for apps.
    fn fill(&mut self, message: &PushMessage, android: Android, mut room: usize) {
        // Copies that the system shows: Apple, web, and Android where it shows the push.
        let shown_copies = match android {
            Android::Data => 2,
            Android::Notification => 3,
        };
        self.title = to_json_bytes(&message.title, TITLE_BYTES_MAX.min(room / (shown_copies + 1)));
        room -= json_len(&self.title) * (shown_copies + 1);
        self.shown = to_json_bytes(&message.body, SHOWN_BYTES_MAX.min(room / (shown_copies + 1)));
        room -= json_len(&self.shown) * shown_copies;
        self.body = to_json_bytes(&message.body, room);
    }
}

/// Everything but the target: one part for apps, one for each platform.
fn payload(message: &PushMessage, texts: &Texts, shape: Shape, now: Timestamp) -> Value {
    let ttl = shape.ttl.clamp(SignedDuration::ZERO, TTL_MAX);
    without_nulls(json!({
        "data": {
            "alert_id": message.alert_id.to_string(),
            "state": message.state,
            "severity": message.severity.as_str(),
            "title": texts.title,
            "body": texts.body,
            "integration": texts.integration,
            "starts_at": message.starts_at.to_string(),
            "url": texts.url,
            "ack_url": texts.ack_url,
            "receipt_url": texts.receipt_url,
            "tag": texts.tag,
        },
        "android": {
            "priority": "high",
            "ttl": format!("{}s", ttl.as_secs()),
            "notification": android_notification(message, texts, shape.android),
        },
        "apns": apns(message, texts, now.saturating_add(ttl).unwrap_or(Timestamp::MAX)),
        "webpush": webpush(message, texts, ttl),
    }))
}

fn android_notification(message: &PushMessage, texts: &Texts, android: Android) -> Option<Value> {
    match android {
        Android::Data => None,
        Android::Notification => Some(json!({
            "title": texts.title,
            "body": texts.shown,
            "tag": told(&texts.tag),
            // An app without that channel shows the push in its default one.
            "channel_id": format!("bongsu_{}", message.severity),
            "notification_priority": match Urgency::of(message) {
                Urgency::Quiet => "PRIORITY_DEFAULT",
                Urgency::Normal => "PRIORITY_HIGH",
                Urgency::Now => "PRIORITY_MAX",
            },
        })),
    }
}

fn apns(message: &PushMessage, texts: &Texts, expires: Timestamp) -> Value {
    json!({
        "headers": {
            "apns-priority": "10",
            "apns-push-type": "alert",
            "apns-collapse-id": told(&texts.tag),
            "apns-expiration": expires.as_second().to_string(),
        },
        "payload": { "aps": {
            "alert": { "title": texts.title, "body": texts.shown },
            "sound": "default",
            // Lets the app's extension run, which can confirm and show the longer body.
            "mutable-content": 1,
            "interruption-level": match Urgency::of(message) {
                Urgency::Quiet => "passive",
                Urgency::Normal => "active",
                Urgency::Now => "time-sensitive",
            },
            "thread-id": texts.integration,
        }},
    })
}

fn webpush(message: &PushMessage, texts: &Texts, ttl: SignedDuration) -> Value {
    // Google refuses a link that is not https.
    let link = texts.url.starts_with("https://").then(|| json!({ "link": texts.url }));
    json!({
        "headers": { "TTL": ttl.as_secs().to_string(), "Urgency": "high" },
        "notification": {
            "title": texts.title,
            "body": texts.shown,
            "tag": told(&texts.tag),
            // Rings again when it replaces one of the same tag; browsers refuse it without a tag.
            "renotify": !texts.tag.is_empty(),
            "requireInteraction": Urgency::of(message) == Urgency::Now,
        },
        "fcm_options": link,
    })
}

/// Platforms are told nothing instead of an empty text.
fn told(text: &str) -> Option<&str> {
    Some(text).filter(|text| !text.is_empty())
}

/// How much a push may disturb.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Urgency {
    /// Good to know.
    Quiet,
    /// Rings.
    Normal,
    /// Breaks through a phone's focus. Apple's `critical` would need an entitlement per app.
    Now,
}

impl Urgency {
    fn of(message: &PushMessage) -> Self {
        let is_over = matches!(message.state, "resolved" | "acknowledged");
        match message.severity {
            Severity::Information => Self::Quiet,
            // Nobody said that it is harmless.
            Severity::NotClassified | Severity::Warning | Severity::Average => Self::Normal,
            Severity::High | Severity::Disaster if is_over => Self::Normal,
            Severity::High | Severity::Disaster => Self::Now,
        }
    }
}

#[cfg(test)]
mod tests;
