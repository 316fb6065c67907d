//! Solapi's answers (developers.solapi.com: API key authentication, message status codes). HTTP 200
//! may still say that nothing was sent; other statuses carry `{errorCode, errorMessage}`.

use serde_json::Value;

use crate::{
    alert::{DeferCause, RejectCause},
    deliver::{
        sms::answer::{NamedError, by_status, deferred, word},
        wire::{Answer, Reading},
    },
};

/// The words of an answer that our date was refused; the date is corrected where requests are signed.
pub(super) fn date_refused(answer: &Answer, private: &[String]) -> Option<String> {
    let error = error_of(answer, private);
    (answer.status != 200 && error.code == "RequestTimeTooSkewed").then_some(error.shown)
}

/// Any other answer; `private` holds what must not be quoted.
pub(super) fn classify(answer: &Answer, private: &[String]) -> Reading {
    if answer.status == 200 {
        return registered(answer, private);
    }
    let error = error_of(answer, private);
    let detail = error.detail(answer);
    by_error_code(&error.code, answer, &detail).unwrap_or_else(|| match answer.status {
        500.. if !error.code.is_empty() => deferred(DeferCause::Unavailable, answer, detail),
        // Another 5xx may stand for an answer of Solapi's that got lost on the way: its list tells.
        _ => by_status(answer, detail),
    })
}

fn error_of(answer: &Answer, private: &[String]) -> NamedError {
    NamedError::at(&answer.json().unwrap_or_default(), "/errorCode", "/errorMessage", private)
}

/// Taken only if it was registered and is not listed as failed. A request has one message, so any failure is ours.
fn registered(answer: &Answer, private: &[String]) -> Reading {
    let Some(json) = answer.json() else { return unreadable() };
    if let Some(failed) = json.pointer("/failedMessageList/0") {
        let error = NamedError::at(failed, "/statusCode", "/statusMessage", private);
        return by_status_code(&error.code, answer, &error.shown).unwrap_or_else(|| {
            // Listed as failed, so surely not sent. A new code may name a passing trouble; giving up
            // on it would lose an alert, trying again costs a request.
            deferred(DeferCause::Unavailable, answer, format!("not registered: {}", error.shown))
        });
    }
    match json.pointer("/groupInfo/count/registeredSuccess").and_then(Value::as_u64) {
        Some(0) => {
            let detail = "answered 200, but registered no message and named no reason".to_owned();
            deferred(DeferCause::Unavailable, answer, detail)
        }
        Some(_) => Reading::accepted(word(&json, "/groupInfo/groupId")),
        None => unreadable(),
    }
}

fn unreadable() -> Reading {
    Reading::unknown("answered 200 with a body that does not say what became of it".to_owned())
}

/// The class of a message status code; `None` for one we do not know.
fn by_status_code(code: &str, answer: &Answer, detail: &str) -> Option<Reading> {
    let rejected = |cause| Reading::rejected(cause, detail.to_owned());
    Some(match code {
        // Number malformed, blocked, opted out, not a subscriber, refusing, unable to get texts.
        "1060" | "1061" | "1064" | "2060" | "2061" | "2064" | "3010" | "3031" | "3032" | "3047" | "3050"
        | "3051" | "3054" | "3055" => rejected(RejectCause::Recipient),
        // A field missing or malformed, a character or a length that cannot be sent, spam.
        "1010" | "1011" | "1012" | "1013" | "1014" | "1025" | "1027" | "1028" | "1029" | "1031" | "1032"
        | "2011" | "2254" | "3011" => rejected(RejectCause::Message),
        // The carrier refuses this sender to this handset; the account works.
        "3013" | "3059" => rejected(RejectCause::Refused),
        // Account unknown, no funds, sender not registered, account blocked.
        "1020" | "1030" | "1062" | "2062" | "2063" | "2230" => Reading::Fault(detail.to_owned()),
        "1024" | "2024" | "3012" | "3024" | "3040" | "3041" | "3042" | "3043" | "3044" | "3045" | "3053"
        | "3056" | "3057" => deferred(DeferCause::Unavailable, answer, detail.to_owned()),
        _ => return None,
    })
}

/// The class of an `errorCode`: one of Solapi's names, or a message status code.
fn by_error_code(code: &str, answer: &Answer, detail: &str) -> Option<Reading> {
    Some(match code {
        "InvalidAPIKey" | "SignatureDoesNotMatch" | "NotEnoughBalance" => Reading::Fault(detail.to_owned()),
        // Our salts are random, so this one was sent twice below us; the next one is fresh.
        "DuplicatedSignature" => deferred(DeferCause::Unavailable, answer, detail.to_owned()),
        code => return by_status_code(code, answer, detail),
    })
}

#[cfg(test)]
mod tests;
