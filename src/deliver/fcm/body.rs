//! The body of a push (<https://firebase.google.com/docs/reference/fcm/rest/v1/projects.messages>).
//!
//! We do not know which platform a token belongs to, so every push speaks to all three; FCM uses the part that fits.
//! Everything but the target is the same for all devices of a notification and is written once.

use std::sync::OnceLock;

use jiff::{SignedDuration, Timestamp};
use serde::Serialize;

use crate::{
    alert::{PushTarget, Severity},
    config::Android,
    deliver::PushMessage,
};

mod cut;
mod json;

use cut::{json_len, to_json_bytes};
use json::Json::{self, Absent, Flag, Number, Object, Text};

/// Limit for everything but the target, in bytes of JSON. Google counts 4,096 bytes of keys and values and Apple 4,096
/// bytes of JSON; an iOS push over that can vanish without an error. The difference is for what Google adds.
const PAYLOAD_BYTES_MAX: usize = 3_584;
const TITLE_BYTES_MAX: usize = 300;
/// Of each copy that the system shows: more than a lock screen shows. Apps find the longer body in `data`.
const SHOWN_BYTES_MAX: usize = 512;
/// A longer link is left out: half a link leads nowhere.
const LINK_BYTES_MAX: usize = 400;
const INTEGRATION_BYTES_MAX: usize = 96;
/// Apple's limit for `apns-collapse-id`.
const TAG_BYTES_MAX: usize = 64;
/// Google's limit for `ttl`: 28 days.
const TTL_MAX: SignedDuration = SignedDuration::from_hours(28 * 24);

#[derive(Clone, Copy, Debug)]
pub(super) struct Shape {
    /// How long a push is useful.
    pub(super) ttl: SignedDuration,
    pub(super) android: Android,
}

/// What is the same for all devices, cut to [`PAYLOAD_BYTES_MAX`]. Apple drops it once `shape.ttl` from `now` has passed.
pub(super) fn write(message: &PushMessage, shape: Shape, now: Timestamp) -> String {
    let mut texts = Texts::without_body(message);
    let base = payload(&texts, shape, now).len();
    texts.fill(message, shape.android, PAYLOAD_BYTES_MAX.saturating_sub(base));
    payload(&texts, shape, now)
}

/// The request's body for one device: `shared` is what `write` wrote.
pub(super) fn addressed(shared: &str, target: &PushTarget) -> String {
    let (kind, value) = match target {
        PushTarget::Token(token) => ("token", token),
        PushTarget::Fid(fid) => ("fid", fid),
    };
    let rest = shared.strip_prefix('{').unwrap_or_default();
    format!("{{\"message\":{{\"{kind}\":{},{rest}}}", written(value))
}

/// A body that asks Google to check project, key and rights without sending anything.
pub(super) fn dry_run() -> String {
    r#"{"validate_only":true,"message":{"topic":"bongsu-check","data":{"state":"test"}}}"#.to_owned()
}

fn written(value: &(impl Serialize + ?Sized)) -> String {
    serde_json::to_string(value).expect("strings, numbers and booleans always have a JSON form")
}

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
            written: OnceLock::new(),
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
fn payload(texts: &Texts, shape: Shape, now: Timestamp) -> String {
    let ttl = shape.ttl.clamp(SignedDuration::ZERO, TTL_MAX);
    let expires = now.saturating_add(ttl).unwrap_or(Timestamp::MAX);
    let (data, android) = (written(&texts.message), android(texts, shape.android, ttl));
    let (apns, webpush) = (apns(texts, expires), webpush(texts, ttl));
    format!(r#"{{"data":{data},"android":{android},"apns":{apns},"webpush":{webpush}}}"#)
}

fn android(Texts { message, shown }: &Texts, android: Android, ttl: SignedDuration) -> String {
    let ttl = format!("{}s", ttl.as_secs());
    let channel_id = format!("bongsu_{}", message.severity);
    let notification = [
        ("title", Text(&message.title)),
        ("body", Text(shown)),
        ("tag", told(&message.tag)),
        // An app without that channel shows the push in its default one.
        ("channel_id", Text(&channel_id)),
        ("notification_priority", Text(Urgency::of(message).android)),
    ];
    let notification = if android == Android::Notification { Object(&notification) } else { Absent };
    written(&Object(&[("priority", Text("high")), ("ttl", Text(&ttl)), ("notification", notification)]))
}

fn apns(Texts { message, shown }: &Texts, expires: Timestamp) -> String {
    let expires = expires.as_second().to_string();
    let headers = [
        ("apns-priority", Text("10")),
        ("apns-push-type", Text("alert")),
        ("apns-collapse-id", told(&message.tag)),
        ("apns-expiration", Text(&expires)),
    ];
    let alert = [("title", Text(&message.title)), ("body", Text(shown))];
    let aps = [
        ("alert", Object(&alert)),
        ("sound", Text("default")),
        // Lets the app's extension run, which can confirm and show the longer body.
        ("mutable-content", Number(1)),
        ("interruption-level", Text(Urgency::of(message).apple)),
        ("thread-id", Text(&message.integration)),
    ];
    written(&Object(&[("headers", Object(&headers)), ("payload", Object(&[("aps", Object(&aps))]))]))
}

fn webpush(Texts { message, shown }: &Texts, ttl: SignedDuration) -> String {
    let ttl = ttl.as_secs().to_string();
    let headers = Object(&[("TTL", Text(&ttl)), ("Urgency", Text("high"))]);
    let notification = Object(&[
        ("title", Text(&message.title)),
        ("body", Text(shown)),
        ("tag", told(&message.tag)),
        // Rings again when it replaces one of the same tag; browsers refuse it without a tag.
        ("renotify", Flag(!message.tag.is_empty())),
        ("requireInteraction", Flag(Urgency::of(message).stays)),
    ]);
    // Google refuses a link that is not https.
    let link = [("link", Text(&message.url))];
    let options = if message.url.starts_with("https://") { Object(&link) } else { Absent };
    written(&Object(&[("headers", headers), ("notification", notification), ("fcm_options", options)]))
}

/// Platforms are told nothing instead of an empty text.
fn told(text: &str) -> Json<'_> {
    if text.is_empty() { Absent } else { Text(text) }
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
