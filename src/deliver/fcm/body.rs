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
        let base = written(&payload(&texts, shape, now)).len();
        texts.fill(message, shape.android, PAYLOAD_BYTES_MAX.saturating_sub(base));
        Self { message: Arc::clone(message), json: written(&payload(&texts, shape, now)) }
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

/// A message whose texts are within their limits.
struct Texts {
    message: PushMessage,
    /// What the system shows of the body; `message.body` is for apps.
    shown: String,
}

impl Texts {
    fn without_body(message: &PushMessage) -> Self {
        let link =
            |link: &str| if json_len(link) <= LINK_BYTES_MAX { link.to_owned() } else { String::new() };
        let message = PushMessage {
            title: String::new(),
            body: String::new(),
            integration: to_json_bytes(&message.integration, INTEGRATION_BYTES_MAX),
            // It is also a header of Apple's.
            tag: message.tag.chars().filter(char::is_ascii_graphic).take(TAG_BYTES_MAX).collect(),
            url: link(&message.url),
            ack_url: link(&message.ack_url),
            receipt_url: link(&message.receipt_url),
            ..*message
        };
        Self { message, shown: String::new() }
    }

    /// Shares out `room` bytes: the title first, then what the system shows, then the body for apps.
    fn fill(&mut self, whole: &PushMessage, android: Android, mut room: usize) {
        // Copies that the system shows: Apple, web, and Android where it shows the push.
        let shown_copies = match android {
            Android::Data => 2,
            Android::Notification => 3,
        };
        let cut = &mut self.message;
        cut.title = to_json_bytes(&whole.title, TITLE_BYTES_MAX.min(room / (shown_copies + 1)));
        room -= json_len(&cut.title) * (shown_copies + 1);
        self.shown = to_json_bytes(&whole.body, SHOWN_BYTES_MAX.min(room / (shown_copies + 1)));
        room -= json_len(&self.shown) * shown_copies;
        cut.body = to_json_bytes(&whole.body, room);
    }
}

/// Everything but the target: one part for apps, one for each platform.
fn payload(texts: &Texts, shape: Shape, now: Timestamp) -> Value {
    let message = &texts.message;
    let ttl = shape.ttl.clamp(SignedDuration::ZERO, TTL_MAX);
    let system_shows = shape.android == Android::Notification;
    without_nulls(json!({
        "data": {
            "alert_id": message.alert_id.to_string(),
            "state": message.state,
            "severity": message.severity.as_str(),
            "title": message.title,
            "body": message.body,
            "integration": message.integration,
            "starts_at": message.starts_at.to_string(),
            "url": message.url,
            "ack_url": message.ack_url,
            "receipt_url": message.receipt_url,
            "tag": message.tag,
        },
        "android": {
            "priority": "high",
            "ttl": format!("{}s", ttl.as_secs()),
            "notification": system_shows.then(|| android_notification(texts)),
        },
        "apns": apns(texts, now.saturating_add(ttl).unwrap_or(Timestamp::MAX)),
        "webpush": webpush(texts, ttl),
    }))
}

fn android_notification(Texts { message, shown }: &Texts) -> Value {
    json!({
        "title": message.title,
        "body": shown,
        "tag": told(&message.tag),
        // An app without that channel shows the push in its default one.
        "channel_id": format!("bongsu_{}", message.severity),
        "notification_priority": Urgency::of(message).android,
    })
}

fn apns(Texts { message, shown }: &Texts, expires: Timestamp) -> Value {
    json!({
        "headers": {
            "apns-priority": "10",
            "apns-push-type": "alert",
            "apns-collapse-id": told(&message.tag),
            "apns-expiration": expires.as_second().to_string(),
        },
        "payload": { "aps": {
            "alert": { "title": message.title, "body": shown },
            "sound": "default",
            // Lets the app's extension run, which can confirm and show the longer body.
            "mutable-content": 1,
            "interruption-level": Urgency::of(message).apple,
            "thread-id": message.integration,
        }},
    })
}

fn webpush(Texts { message, shown }: &Texts, ttl: SignedDuration) -> Value {
    // Google refuses a link that is not https.
    let link = message.url.starts_with("https://").then(|| json!({ "link": message.url }));
    json!({
        "headers": { "TTL": ttl.as_secs().to_string(), "Urgency": "high" },
        "notification": {
            "title": message.title,
            "body": shown,
            "tag": told(&message.tag),
            // Rings again when it replaces one of the same tag; browsers refuse it without a tag.
            "renotify": !message.tag.is_empty(),
            "requireInteraction": Urgency::of(message).stays,
        },
        "fcm_options": link,
    })
}

/// Platforms are told nothing instead of an empty text.
fn told(text: &str) -> Option<&str> {
    Some(text).filter(|text| !text.is_empty())
}

/// How much a push may disturb, in the words of each platform.
struct Urgency {
    apple: &'static str,
    android: &'static str,
    /// A browser shows it until it is read.
    stays: bool,
}

/// Good to know.
const QUIET: Urgency = Urgency { apple: "passive", android: "PRIORITY_DEFAULT", stays: false };
/// Rings.
const NORMAL: Urgency = Urgency { apple: "active", android: "PRIORITY_HIGH", stays: false };
/// Breaks through a phone's focus. Apple's `critical` would need an entitlement per app.
const URGENT: Urgency = Urgency { apple: "time-sensitive", android: "PRIORITY_MAX", stays: true };

impl Urgency {
    fn of(message: &PushMessage) -> Self {
        let is_over = matches!(message.state, "resolved" | "acknowledged");
        match message.severity {
            Severity::Information => QUIET,
            // The sender did not say that it is harmless.
            Severity::NotClassified | Severity::Warning | Severity::Average => NORMAL,
            Severity::High | Severity::Disaster if is_over => NORMAL,
            Severity::High | Severity::Disaster => URGENT,
        }
    }
}

#[cfg(test)]
mod tests;
