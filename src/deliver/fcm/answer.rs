//! What FCM's answer means.
//!
//! One HTTP status says several things: a 404 is a dead token or a wrong URL, a 401 is our token or Apple's. So the
//! first known signal wins: `errorCode` in any detail (<https://firebase.google.com/docs/reference/fcm/rest/v1/ErrorCode>),
//! field violations, `error.status` (<https://cloud.google.com/apis/design/errors>), the HTTP status.

use jiff::SignedDuration;
use serde_json::Value;

use crate::{
    alert::{DeferCause, RejectCause},
    deliver::wire::{Answer, PAUSE_MIN, Reading, without_tokens},
};

/// The pause after a 429 that does not say how long (Firebase: "wait 60 s").
const THROTTLED_PAUSE: SignedDuration = SignedDuration::from_secs(60);
/// How long a device rests whose platform Google cannot reach.
const PLATFORM_PAUSE: SignedDuration = PAUSE_MIN;

const TARGET_FIELDS: [&str; 2] = ["message.token", "message.fid"];

/// `target` is repeated in no text. Only an access token that was refused is a deferral for `Credential`.
pub(super) fn classify(answer: &Answer, target: &str) -> Reading {
    let content = Content::read(&answer.body);
    if (200..300).contains(&answer.status) && !content.has_error() {
        // Taken, even if the body cannot be read: sending again would only ring twice.
        return Reading::accepted(content.name());
    }
    let detail = content.describe(answer.status, target);
    let wish = answer.retry_after.or_else(|| wish_in_page(&answer.body)).filter(SignedDuration::is_positive);
    match content.signal(answer.status) {
        Signal::Rejected(cause) => Reading::rejected(cause, detail),
        Signal::PlatformFault => Reading::deferred(DeferCause::PlatformFault, Some(PLATFORM_PAUSE), detail),
        Signal::Throttled => Reading::deferred(DeferCause::Throttled, wish.or(Some(THROTTLED_PAUSE)), detail),
        Signal::TokenRefused => Reading::deferred(DeferCause::Credential, None, detail),
        // FCM itself looked at the message, so neither project nor URL is wrong.
        Signal::NotFound if content.has_fcm_error() => Reading::rejected(RejectCause::Refused, detail),
        Signal::NotFound if content.has_error() => Reading::Suspicion(detail),
        Signal::Forbidden | Signal::NotFound => Reading::Fault(detail),
        Signal::Unavailable => Reading::deferred(DeferCause::Unavailable, wish, detail),
    }
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Signal {
    Rejected(RejectCause),
    PlatformFault,
    Throttled,
    TokenRefused,
    Forbidden,
    NotFound,
    Unavailable,
}

impl Signal {
    /// An unknown one says nothing.
    fn of_code(code: &str) -> Option<Self> {
        Some(match code {
            "UNREGISTERED" => Self::Rejected(RejectCause::DeviceGone),
            "SENDER_ID_MISMATCH" => Self::Rejected(RejectCause::DeviceMismatch),
            "THIRD_PARTY_AUTH_ERROR" | "APNS_AUTH_ERROR" => Self::PlatformFault,
            "QUOTA_EXCEEDED" => Self::Throttled,
            "INVALID_ARGUMENT" => Self::Rejected(RejectCause::Message),
            "UNAVAILABLE" | "INTERNAL" => Self::Unavailable,
            _ => return None,
        })
    }

    fn of_status(status: &str) -> Option<Self> {
        Some(match status {
            "INVALID_ARGUMENT" | "FAILED_PRECONDITION" | "OUT_OF_RANGE" => {
                Self::Rejected(RejectCause::Message)
            }
            "UNAUTHENTICATED" => Self::TokenRefused,
            "PERMISSION_DENIED" => Self::Forbidden,
            "NOT_FOUND" => Self::NotFound,
            "RESOURCE_EXHAUSTED" => Self::Throttled,
            "UNAVAILABLE" | "INTERNAL" | "DEADLINE_EXCEEDED" | "ABORTED" | "CANCELLED" | "DATA_LOSS" => {
                Self::Unavailable
            }
            _ => return None,
        })
    }

    /// A redirect or a stray 1xx comes from a proxy, so it is no fault of the project.
    fn of_http(status: u16) -> Self {
        match status {
            400 | 411 | 413 | 414 | 415 | 422 | 431 => Self::Rejected(RejectCause::Message),
            401 => Self::TokenRefused,
            403 | 407 => Self::Forbidden,
            404 | 405 => Self::NotFound,
            429 => Self::Throttled,
            408 | 409 | 425 | 499 => Self::Unavailable,
            402..=498 => Self::Rejected(RejectCause::Refused),
            _ => Self::Unavailable,
        }
    }
}

#[derive(Debug)]
struct Content(Value);

impl Content {
    fn read(body: &[u8]) -> Self {
        let mut body: Value = serde_json::from_slice(body).unwrap_or_default();
        // Google's streaming front ends wrap the same object in an array.
        if let Some(first) = body.get_mut(0) {
            body = first.take();
        }
        Self(body)
    }

    fn name(&self) -> Option<String> {
        self.0.get("name").and_then(Value::as_str).map(str::to_owned)
    }

    fn has_error(&self) -> bool {
        self.0.get("error").and_then(Value::as_object).is_some_and(|error| !error.is_empty())
    }

    fn error(&self, name: &str) -> Option<&str> {
        self.0.get("error")?.get(name)?.as_str()
    }

    fn details(&self) -> impl Iterator<Item = &Value> {
        self.0.pointer("/error/details").and_then(Value::as_array).into_iter().flatten()
    }

    fn texts<'s>(&'s self, name: &'static str) -> impl Iterator<Item = &'s str> {
        self.details().filter_map(move |detail| detail.get(name)?.as_str())
    }

    /// A known code is worth more than one that came first.
    fn code(&self) -> Option<&str> {
        let known = self.texts("errorCode").find(|code| Signal::of_code(code).is_some());
        known.or_else(|| self.texts("errorCode").last())
    }

    fn has_fcm_error(&self) -> bool {
        self.texts("errorCode").next().is_some() || self.texts("@type").any(|kind| kind.ends_with("FcmError"))
    }

    fn says_that_the_target_is_malformed(&self) -> bool {
        let violations =
            self.details().filter_map(|detail| detail.get("fieldViolations")?.as_array()).flatten();
        let mut fields = violations.filter_map(|violation| violation.get("field")?.as_str());
        fields.any(|field| TARGET_FIELDS.contains(&field))
    }

    fn signal(&self, http: u16) -> Signal {
        let code = self.code().and_then(Signal::of_code);
        let message = self.error("message").unwrap_or_default().to_ascii_lowercase();
        let has_reason = |wanted: &str| self.texts("reason").any(|reason| reason == wanted);
        let apns_status = self.details().find_map(|detail| detail.get("statusCode")?.as_u64());
        let apns_is_dead = apns_status == Some(410)
            || has_reason("Unregistered")
            || message.contains("apns device token is disabled");
        let target_is_malformed = self.says_that_the_target_is_malformed()
            || message.contains("not a valid fcm registration token");
        if code == Some(Signal::Rejected(RejectCause::DeviceGone)) || apns_is_dead {
            return Signal::Rejected(RejectCause::DeviceGone);
        }
        if has_reason("BadEnvironmentKeyInToken") {
            return Signal::Rejected(RejectCause::DeviceMismatch);
        }
        match code {
            Some(Signal::Rejected(RejectCause::Message)) | None if target_is_malformed => {
                Signal::Rejected(RejectCause::DeviceGone)
            }
            Some(Signal::Unavailable) if http == 429 => Signal::Throttled,
            Some(signal) => signal,
            None if message.contains("senderid mismatch") => Signal::Rejected(RejectCause::DeviceMismatch),
            None => self.error("status").and_then(Signal::of_status).unwrap_or_else(|| Signal::of_http(http)),
        }
    }

    /// Google's words with the most telling code in front.
    fn describe(&self, http: u16, target: &str) -> String {
        let code = self.code().or_else(|| self.error("status"));
        let code = code.map_or_else(|| format!("HTTP {http}"), str::to_owned);
        let words = match (http, self.error("message").unwrap_or_default()) {
            (300..400, "") => "redirected: is `fcm.base_url` right, or does a proxy answer?",
            (404 | 405, "") => "nothing is there: are `fcm.base_url` and the project of the key file right?",
            (_, "") => "no readable answer",
            (_, message) => message,
        };
        let reasons: Vec<&str> = self.texts("reason").collect();
        let reasons = if reasons.is_empty() { String::new() } else { format!(" ({})", reasons.join(", ")) };
        without_tokens(&format!("{code}: {words}{reasons}"), target)
    }
}

/// Google's error pages say how long to wait in words: "Please try again in 30 seconds."
fn wish_in_page(body: &[u8]) -> Option<SignedDuration> {
    const WORDS: &str = "try again in ";
    let page = std::str::from_utf8(body).ok()?;
    let rest = page.get(page.find(WORDS)? + WORDS.len()..)?;
    let (number, unit) = rest.split_once(' ')?;
    let seconds: u16 = number.parse().ok()?;
    unit.starts_with("second").then(|| SignedDuration::from_secs(seconds.into()))
}

#[cfg(test)]
mod tests;
