//! The body of a push (<https://firebase.google.com/docs/reference/fcm/rest/v1/projects.messages>).
//!
//! We do not know which platform a token belongs to, so every push speaks to all three; FCM uses
//! the part that fits. Everything but the target is the same for all devices of a notification
//! and is written once.

use jiff::{SignedDuration, Timestamp};
use serde::Serialize;

use super::{
    cut::{self, json_len},
    payload::Payload,
};
use crate::{alert::PushTarget, config::Android, deliver::PushMessage};

/// Limit for everything but the target, in bytes of JSON. Google counts 4,096 bytes of keys and
/// values and Apple 4,096 bytes of JSON; an iOS push over that can vanish without an error. The
/// difference is for what Google adds.
pub(super) const PAYLOAD_BYTES_MAX: usize = 3_584;
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

/// How pushes of this configuration look.
#[derive(Clone, Copy, Debug)]
pub(super) struct Shape {
    /// How long a push is useful.
    pub(super) ttl: SignedDuration,
    /// What Android phones get.
    pub(super) android: Android,
}

/// The part of a push that is the same for all devices, as JSON.
#[derive(Debug)]
pub(super) struct Shared(String);

impl Shared {
    /// Writes it, cut to [`PAYLOAD_BYTES_MAX`]; `now` is when the push stops being delayed news.
    pub(super) fn write(message: &PushMessage, shape: Shape, now: Timestamp) -> Self {
        let mut texts = Texts::without_body(message);
        let base = json(&Payload::new(message, &texts, shape, now)).len();
        texts.fill(message, shape.android, PAYLOAD_BYTES_MAX.saturating_sub(base));
        Self(json(&Payload::new(message, &texts, shape, now)))
    }

    /// The request's body for one device.
    pub(super) fn addressed_to(&self, target: &PushTarget) -> String {
        let (kind, value) = match target {
            PushTarget::Token(token) => ("token", token),
            PushTarget::Fid(fid) => ("fid", fid),
        };
        let rest = self.0.strip_prefix('{').unwrap_or_default();
        format!("{{\"message\":{{\"{kind}\":{},{rest}}}", json(value))
    }
}

/// A body that asks Google to check project, key and rights without sending anything.
pub(super) fn dry_run() -> String {
    r#"{"validate_only":true,"message":{"topic":"bongsu-check","data":{"state":"test"}}}"#.to_owned()
}

fn json(value: &(impl Serialize + ?Sized)) -> String {
    serde_json::to_string(value).expect("strings, numbers and booleans always have a JSON form")
}

/// The texts of a push, each within its limit.
#[derive(Debug, Default)]
pub(super) struct Texts {
    pub(super) title: String,
    pub(super) shown: String,
    pub(super) body: String,
    pub(super) integration: String,
    pub(super) tag: String,
    pub(super) url: String,
    pub(super) ack_url: String,
    pub(super) receipt_url: String,
}

impl Texts {
    fn without_body(message: &PushMessage) -> Self {
        let link =
            |link: &str| if json_len(link) <= LINK_BYTES_MAX { link.to_owned() } else { String::new() };
        Self {
            integration: cut::to_json_bytes(&message.integration, INTEGRATION_BYTES_MAX),
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
        self.title = cut::to_json_bytes(&message.title, TITLE_BYTES_MAX.min(room / (shown_copies + 1)));
        room -= json_len(&self.title) * (shown_copies + 1);
        self.shown = cut::to_json_bytes(&message.body, SHOWN_BYTES_MAX.min(room / (shown_copies + 1)));
        room -= json_len(&self.shown) * shown_copies;
        self.body = cut::to_json_bytes(&message.body, room);
    }
}

#[cfg(test)]
#[path = "message_tests.rs"]
mod tests;
