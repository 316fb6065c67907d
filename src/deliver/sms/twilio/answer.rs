//! Twilio's answers to a text (twilio.com/docs: Messages resource, error and warning dictionary). Errors
//! carry `{code, message, status}`; the code says more than the HTTP status.

use serde_json::Value;

use crate::{
    alert::{DeferCause, RejectCause},
    deliver::{
        sms::answer::{NamedError, by_status, deferred, word},
        wire::{Answer, Reading},
    },
};

/// `private` holds what must not be quoted.
pub(super) fn classify(answer: &Answer, private: &[String]) -> Reading {
    let json = answer.json().unwrap_or_default();
    if matches!(answer.status, 200 | 201) {
        return taken(answer, &json, private);
    }
    let error = NamedError::at(&json, "/code", "/message", private);
    let detail = error.detail(answer);
    by_code(&error.code, answer, &detail).unwrap_or_else(|| match answer.status {
        // It may have been queued before the answer failed, as with any other 5xx. Its list tells.
        503 => Reading::unknown(detail),
        _ => by_status(answer, detail),
    })
}

/// 201: it is queued, unless the answer itself says that it failed. The document has its id.
fn taken(answer: &Answer, json: &Value, private: &[String]) -> Reading {
    let failed = matches!(word(json, "/status").as_deref(), Some("failed" | "undelivered" | "canceled"));
    if !failed {
        return Reading::accepted(word(json, "/sid"));
    }
    let error = NamedError::at(json, "/error_code", "/error_message", private);
    by_code(&error.code, answer, &error.shown)
        .unwrap_or_else(|| Reading::rejected(RejectCause::Refused, error.shown))
}

/// The class of an error code; `None` for one we do not know.
fn by_code(code: &str, answer: &Answer, detail: &str) -> Option<Reading> {
    let rejected = |cause| Reading::rejected(cause, detail.to_owned());
    Some(match code {
        // No number, not a mobile, unsubscribed, unreachable, unknown, a landline.
        "21211" | "21214" | "21217" | "21610" | "21614" | "30003" | "30004" | "30005" | "30006" => {
            rejected(RejectCause::Recipient)
        }
        // Body missing or too long, callback address not usable, validity out of range.
        "21602" | "21605" | "21609" | "21617" | "21621" | "21623" | "21626" => rejected(RejectCause::Message),
        // Refused for this number only: a trial account and a number not verified, a country not allowed, no
        // route from this sender, filtered. Others may be texted all the same, so the breaker stays closed.
        "21408" | "21608" | "21612" | "21635" | "30007" => rejected(RejectCause::Refused),
        // Credentials, account suspended or closed, sender not ours, not able to text, service without numbers.
        "20003" | "20005" | "20008" | "20404" | "21212" | "21603" | "21606" | "21618" | "21659" | "21660"
        | "21661" | "21701" | "21703" | "21704" | "21705" | "21712" | "30002" | "30038" => {
            Reading::Fault(detail.to_owned())
        }
        // Too many at a time; it was not processed.
        "20429" | "21611" | "30001" | "30022" => deferred(DeferCause::Throttled, answer, detail.to_owned()),
        _ => return None,
    })
}

#[cfg(test)]
mod tests;
