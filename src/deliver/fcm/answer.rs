//! What FCM's answer means.
//!
//! One HTTP status says several things: a 404 is a dead token or a wrong URL, a 401 is our token
//! or Apple's. So the signals are asked in this order, the first known one wins: `errorCode` in any
//! detail (<https://firebase.google.com/docs/reference/fcm/rest/v1/ErrorCode>), field violations,
//! `error.status` (<https://cloud.google.com/apis/design/errors>), the HTTP status.

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

/// Fields of the request that hold the target.
const TARGET_FIELDS: [&str; 2] = ["message.token", "message.fid"];

/// Reads an answer; `target` must not be repeated in any text. An access token that was refused is a deferral for
/// [`DeferCause::Credential`], and nothing else is.
pub(super) fn classify(answer: &Answer, target: &str) -> Reading {
    let content = Content::read(&answer.body);
    if (200..300).contains(&answer.status) && !content.has_error {
        // Taken, even if the body cannot be read: sending again would only ring twice.
        return Reading::accepted(content.name);
    }
    let detail = content.describe(answer.status, target);
    let wish = answer.retry_after.or_else(|| wish_in_page(&answer.body)).filter(SignedDuration::is_positive);
    match content.signal(answer.status) {
        Signal::DeviceGone => Reading::rejected(RejectCause::DeviceGone, detail),
        Signal::DeviceMismatch => Reading::rejected(RejectCause::DeviceMismatch, detail),
        Signal::Message => Reading::rejected(RejectCause::Message, detail),
        Signal::Refused => Reading::rejected(RejectCause::Refused, detail),
        Signal::PlatformFault => Reading::deferred(DeferCause::PlatformFault, Some(PLATFORM_PAUSE), detail),
        Signal::Throttled => Reading::deferred(DeferCause::Throttled, wish.or(Some(THROTTLED_PAUSE)), detail),
        Signal::TokenRefused => Reading::deferred(DeferCause::Credential, None, detail),
        // FCM itself looked at the message, so neither project nor URL is wrong.
        Signal::NotFound if content.has_fcm_error => Reading::rejected(RejectCause::Refused, detail),
        Signal::NotFound if content.has_error => Reading::Suspicion(detail),
        Signal::Forbidden | Signal::NotFound => Reading::Fault(detail),
        Signal::Unavailable => Reading::deferred(DeferCause::Unavailable, wish, detail),
    }
}

/// What a single code, reason or status stands for.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Signal {
    DeviceGone,
    DeviceMismatch,
    PlatformFault,
    Throttled,
    Message,
    TokenRefused,
    Forbidden,
    NotFound,
    Unavailable,
    Refused,
}

impl Signal {
    /// Codes of `google.firebase.fcm.v1.FcmError`. An unknown one says nothing.
    fn of_code(code: &str) -> Option<Self> {
        Some(match code {
            "UNREGISTERED" => Self::DeviceGone,
            "SENDER_ID_MISMATCH" => Self::DeviceMismatch,
            "THIRD_PARTY_AUTH_ERROR" | "APNS_AUTH_ERROR" => Self::PlatformFault,
            "QUOTA_EXCEEDED" => Self::Throttled,
            "INVALID_ARGUMENT" => Self::Message,
            "UNAVAILABLE" | "INTERNAL" => Self::Unavailable,
            _ => return None,
        })
    }

    /// Names of `google.rpc.Code`.
    fn of_status(status: &str) -> Option<Self> {
        Some(match status {
            "INVALID_ARGUMENT" | "FAILED_PRECONDITION" | "OUT_OF_RANGE" => Self::Message,
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

    /// A redirect never comes from FCM but from whatever stands between: it passes, or the operator
    /// finds it in the detail. So it is no fault of the project, and neither is a stray 1xx.
    fn of_http(status: u16) -> Self {
        match status {
            400 | 411 | 413 | 414 | 415 | 422 | 431 => Self::Message,
            401 => Self::TokenRefused,
            403 | 407 => Self::Forbidden,
            404 | 405 => Self::NotFound,
            429 => Self::Throttled,
            408 | 409 | 425 | 499 => Self::Unavailable,
            402..=498 => Self::Refused,
            _ => Self::Unavailable,
        }
    }
}

/// What was found in a body, whatever its shape.
#[derive(Debug, Default)]
struct Content {
    name: Option<String>,
    message: String,
    status: Option<String>,
    code: Option<String>,
    has_error: bool,
    has_fcm_error: bool,
    apns_status: Option<u64>,
    reasons: Vec<String>,
    target_is_malformed: bool,
}

impl Content {
    fn read(body: &[u8]) -> Self {
        let mut found = Self::default();
        let Ok(mut body) = serde_json::from_slice::<Value>(body) else { return found };
        // Google's streaming front ends wrap the same object in an array.
        if let Some(first) = body.get_mut(0) {
            body = first.take();
        }
        found.name = text(&body, "name");
        let Some(error) = body.get("error") else { return found };
        found.has_error = error.as_object().is_some_and(|error| !error.is_empty());
        found.message = text(error, "message").unwrap_or_default();
        found.status = text(error, "status");
        for detail in error.get("details").and_then(Value::as_array).into_iter().flatten() {
            found.read_detail(detail);
        }
        found
    }

    fn read_detail(&mut self, detail: &Value) {
        let kind = text(detail, "@type").unwrap_or_default();
        let code = text(detail, "errorCode");
        self.has_fcm_error |= code.is_some() || kind.ends_with("FcmError");
        // A known code is worth more than one that came first.
        if self.code.as_deref().and_then(Signal::of_code).is_none() {
            self.code = code.or(self.code.take());
        }
        self.reasons.extend(text(detail, "reason"));
        self.apns_status = self.apns_status.or_else(|| detail.get("statusCode").and_then(Value::as_u64));
        for violation in detail.get("fieldViolations").and_then(Value::as_array).into_iter().flatten() {
            let field = text(violation, "field").unwrap_or_default();
            self.target_is_malformed |= TARGET_FIELDS.contains(&field.as_str());
        }
    }

    fn signal(&self, http: u16) -> Signal {
        let code = self.code.as_deref().and_then(Signal::of_code);
        let says = |words: &str| self.message.to_ascii_lowercase().contains(words);
        let apns_is_dead = self.apns_status == Some(410)
            || self.has_reason("Unregistered")
            || says("apns device token is disabled");
        let target_is_malformed = self.target_is_malformed || says("not a valid fcm registration token");
        if code == Some(Signal::DeviceGone) || apns_is_dead {
            return Signal::DeviceGone;
        }
        if self.has_reason("BadEnvironmentKeyInToken") {
            return Signal::DeviceMismatch;
        }
        match code {
            Some(Signal::Message) | None if target_is_malformed => Signal::DeviceGone,
            Some(Signal::Unavailable) if http == 429 => Signal::Throttled,
            Some(signal) => signal,
            None if says("senderid mismatch") => Signal::DeviceMismatch,
            None => {
                self.status.as_deref().and_then(Signal::of_status).unwrap_or_else(|| Signal::of_http(http))
            }
        }
    }

    fn has_reason(&self, reason: &str) -> bool {
        self.reasons.iter().any(|known| known == reason)
    }

    /// Google's words with the most telling code in front.
    fn describe(&self, http: u16, target: &str) -> String {
        let code = self.code.as_ref().or(self.status.as_ref());
        let code = code.cloned().unwrap_or_else(|| format!("HTTP {http}"));
        let words = match (http, self.message.as_str()) {
            (300..400, "") => "redirected: is `fcm.base_url` right, or does a proxy answer?",
            (404 | 405, "") => "nothing is there: are `fcm.base_url` and the project of the key file right?",
            (_, "") => "no readable answer",
            (_, message) => message,
        };
        let reasons =
            if self.reasons.is_empty() { String::new() } else { format!(" ({})", self.reasons.join(", ")) };
        without_tokens(&format!("{code}: {words}{reasons}"), target)
    }
}

fn text(value: &Value, name: &str) -> Option<String> {
    value.get(name).and_then(Value::as_str).map(str::to_owned)
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
