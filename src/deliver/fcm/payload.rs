//! A push in FCM's words: one part for apps, one for each platform.

use jiff::{SignedDuration, Timestamp};
use serde::Serialize;

use super::message::{Shape, Texts};
use crate::{alert::Severity, config::Android, deliver::PushMessage};

/// Google's limit for `ttl`: 28 days.
const TTL_MAX: SignedDuration = SignedDuration::from_hours(28 * 24);

/// Everything but the target.
#[derive(Serialize)]
pub(super) struct Payload<'a> {
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
    pub(super) fn new(message: &'a PushMessage, texts: &'a Texts, shape: Shape, now: Timestamp) -> Self {
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
