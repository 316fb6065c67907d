//! The body of a push (<https://firebase.google.com/docs/reference/fcm/rest/v1/projects.messages>).
//!
//! We do not know which platform a token belongs to, so every push speaks to all three; FCM uses
//! the part that fits. Everything but the target is the same for all devices of a notification
//! and is written once.

use jiff::{SignedDuration, Timestamp};
use serde::Serialize;

use super::cut::{self, json_len};
use crate::{
    alert::{PushTarget, Severity},
    config::Android,
    deliver::PushMessage,
};

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
/// Google's limit for `ttl`: 28 days.
const TTL_MAX: SignedDuration = SignedDuration::from_hours(28 * 24);

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
struct Texts {
    title: String,
    shown: String,
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

#[derive(Serialize)]
struct Payload<'a> {
    data: Data<'a>,
    android: AndroidConfig<'a>,
    apns: Apns<'a>,
    webpush: Webpush<'a>,
}

#[derive(Serialize)]
struct Data<'a> {
    alert_id: String,
    state: &'a str,
    severity: &'a str,
    title: &'a str,
    body: &'a str,
    integration: &'a str,
    starts_at: String,
    url: &'a str,
    ack_url: &'a str,
    receipt_url: &'a str,
    tag: &'a str,
}

#[derive(Serialize)]
struct AndroidConfig<'a> {
    priority: &'static str,
    ttl: String,
    #[serde(skip_serializing_if = "Option::is_none")]
    notification: Option<AndroidNotification<'a>>,
}

#[derive(Serialize)]
struct AndroidNotification<'a> {
    title: &'a str,
    body: &'a str,
    #[serde(skip_serializing_if = "str::is_empty")]
    tag: &'a str,
    /// `bongsu_` and the severity; an app without that channel shows the push in its default one.
    channel_id: String,
    notification_priority: &'static str,
}

#[derive(Serialize)]
struct Apns<'a> {
    headers: ApnsHeaders<'a>,
    payload: ApnsPayload<'a>,
}

#[derive(Serialize)]
struct ApnsHeaders<'a> {
    #[serde(rename = "apns-priority")]
    priority: &'static str,
    #[serde(rename = "apns-push-type")]
    push_type: &'static str,
    #[serde(rename = "apns-collapse-id", skip_serializing_if = "str::is_empty")]
    collapse_id: &'a str,
    #[serde(rename = "apns-expiration")]
    expiration: String,
}

#[derive(Serialize)]
struct ApnsPayload<'a> {
    aps: Aps<'a>,
}

#[derive(Serialize)]
#[serde(rename_all = "kebab-case")]
struct Aps<'a> {
    alert: Words<'a>,
    sound: &'static str,
    /// Lets the app's extension run, which can confirm and show the longer body.
    mutable_content: u8,
    interruption_level: &'static str,
    thread_id: &'a str,
}

#[derive(Serialize)]
struct Words<'a> {
    title: &'a str,
    body: &'a str,
}

#[derive(Serialize)]
struct Webpush<'a> {
    headers: WebpushHeaders,
    notification: WebNotification<'a>,
    #[serde(skip_serializing_if = "Option::is_none")]
    fcm_options: Option<WebLink<'a>>,
}

#[derive(Serialize)]
struct WebpushHeaders {
    #[serde(rename = "TTL")]
    ttl: String,
    #[serde(rename = "Urgency")]
    urgency: &'static str,
}

#[derive(Serialize)]
#[serde(rename_all = "camelCase")]
struct WebNotification<'a> {
    title: &'a str,
    body: &'a str,
    #[serde(skip_serializing_if = "str::is_empty")]
    tag: &'a str,
    /// Rings again when it replaces one of the same tag; browsers refuse it without a tag.
    renotify: bool,
    require_interaction: bool,
}

#[derive(Serialize)]
struct WebLink<'a> {
    link: &'a str,
}

impl<'a> Payload<'a> {
    fn new(message: &'a PushMessage, texts: &'a Texts, shape: Shape, now: Timestamp) -> Self {
        let ttl = shape.ttl.clamp(SignedDuration::ZERO, TTL_MAX);
        let urgency = Urgency::of(message);
        Self {
            data: Data::new(message, texts),
            android: AndroidConfig {
                priority: "high",
                ttl: format!("{}s", ttl.as_secs()),
                notification: match shape.android {
                    Android::Data => None,
                    Android::Notification => Some(AndroidNotification {
                        title: &texts.title,
                        body: &texts.shown,
                        tag: &texts.tag,
                        channel_id: format!("bongsu_{}", message.severity),
                        notification_priority: urgency.android(),
                    }),
                },
            },
            apns: Apns {
                headers: ApnsHeaders {
                    priority: "10",
                    push_type: "alert",
                    collapse_id: &texts.tag,
                    expiration: now.saturating_add(ttl).unwrap_or(Timestamp::MAX).as_second().to_string(),
                },
                payload: ApnsPayload {
                    aps: Aps {
                        alert: Words { title: &texts.title, body: &texts.shown },
                        sound: "default",
                        mutable_content: 1,
                        interruption_level: urgency.apple(),
                        thread_id: &texts.integration,
                    },
                },
            },
            webpush: Webpush {
                headers: WebpushHeaders { ttl: ttl.as_secs().to_string(), urgency: "high" },
                notification: WebNotification {
                    title: &texts.title,
                    body: &texts.shown,
                    tag: &texts.tag,
                    renotify: !texts.tag.is_empty(),
                    require_interaction: urgency == Urgency::Now,
                },
                // Google refuses a link that is not https.
                fcm_options: texts.url.starts_with("https://").then_some(WebLink { link: &texts.url }),
            },
        }
    }
}

impl<'a> Data<'a> {
    fn new(message: &'a PushMessage, texts: &'a Texts) -> Self {
        Self {
            alert_id: message.alert_id.to_string(),
            state: message.state,
            severity: message.severity.as_str(),
            title: &texts.title,
            body: &texts.body,
            integration: &texts.integration,
            starts_at: message.starts_at.to_string(),
            url: &texts.url,
            ack_url: &texts.ack_url,
            receipt_url: &texts.receipt_url,
            tag: &texts.tag,
        }
    }
}

/// How hard a push may disturb.
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

    /// `interruption-level`
    fn apple(self) -> &'static str {
        match self {
            Self::Quiet => "passive",
            Self::Normal => "active",
            Self::Now => "time-sensitive",
        }
    }

    /// `notification_priority`
    fn android(self) -> &'static str {
        match self {
            Self::Quiet => "PRIORITY_DEFAULT",
            Self::Normal => "PRIORITY_HIGH",
            Self::Now => "PRIORITY_MAX",
        }
    }
}

#[cfg(test)]
#[path = "message_tests.rs"]
mod tests;
