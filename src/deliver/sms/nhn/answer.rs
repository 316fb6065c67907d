//! NHN Cloud's answers (docs.nhncloud.com: SMS, API v3.0 guide and error codes). HTTP 200 may still say that
//! nothing was sent; `header.resultCode` is about the request, `sendResultList` about the text.

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
    let error = match json.pointer("/header/isSuccessful").and_then(Value::as_bool) {
        None => return by_status(answer, format!("answered {} without a result", answer.status)),
        Some(false) => Some(NamedError::at(&json, "/header/resultCode", "/header/resultMessage", private)),
        Some(true) => json
            .pointer("/body/data/sendResultList/0")
            .map(|text| NamedError::at(text, "/resultCode", "/resultMessage", private))
            .filter(|error| error.code != "0"),
    };
    match error {
        Some(error) => by_code(&error.code, answer, error.shown),
        None => taken(answer, &json),
    }
}

fn taken(answer: &Answer, json: &Value) -> Reading {
    match word(json, "/body/data/requestId") {
        // 3 means that the request failed as a whole.
        Some(_) if word(json, "/body/data/statusCode").as_deref() == Some("3") => {
            let detail = "answered that the request failed, and named no reason".to_owned();
            deferred(DeferCause::Unavailable, answer, detail)
        }
        Some(id) => Reading::accepted(Some(id)),
        None => Reading::unknown("answered that it was taken, but not under which number".to_owned()),
    }
}

fn by_code(code: &str, answer: &Answer, detail: String) -> Reading {
    match code {
        // Number malformed, or one that has unsubscribed.
        "-2019" | "-2020" | "-2022" => Reading::rejected(RejectCause::Recipient, detail),
        // Too long, characters that carriers lack, a field missing or malformed, no long texts abroad.
        "-2000" | "-2013" | "-2015" | "-2016" | "-2023" | "-2024" | "-9998" => {
            Reading::rejected(RejectCause::Message, detail)
        }
        // App key unknown or shut, address not allowed, blocked, month's limit, sender not registered or blocked.
        "-1000" | "-1001" | "-1002" | "-1003" | "-1004" | "-1006" | "-1008" | "-2052" | "-2312" | "-2313" => {
            Reading::Fault(detail)
        }
        // Its queue, itself. An unknown code may name a passing trouble, too: surely nothing was sent, and
        // giving up would lose an alert.
        _ => deferred(DeferCause::Unavailable, answer, detail),
    }
}

#[cfg(test)]
mod tests;
