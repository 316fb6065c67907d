//! What the answers of all SMS companies have in common.

use serde_json::Value;

use crate::{
    alert::{DeferCause, Fate, RejectCause},
    deliver::wire::{Answer, Reading, without_numbers},
};

/// What the status means where the company's own words say nothing.
pub(super) fn by_status(answer: &Answer, detail: String) -> Reading {
    match answer.status {
        408 | 425 | 503 => deferred(DeferCause::Unavailable, answer, detail),
        429 => deferred(DeferCause::Throttled, answer, detail),
        // Not known, not allowed, not paid, not there, moved: the account or the address is wrong.
        300..=399 | 401..=405 => Reading::Fault(detail),
        400..=499 => Reading::rejected(RejectCause::Refused, detail),
        // Also other 5xx: the text may have been sent before the answer failed. And a success that the company
        // does not document.
        _ => Reading::unknown(detail),
    }
}

/// Not now, and surely not sent; no sooner than the company asks.
pub(super) fn deferred(cause: DeferCause, answer: &Answer, detail: String) -> Reading {
    Reading::deferred(cause, answer.retry_after, detail)
}

/// What a status and a plain text say, without a page for browsers; `private` holds what must not be quoted.
pub(super) fn plain_detail(answer: &Answer, private: &[String]) -> String {
    let text = String::from_utf8_lossy(if answer.is_whole() { &answer.body } else { &[] });
    let is_page = text.trim_start().starts_with('<');
    let words = if is_page { String::new() } else { without_numbers(&text, private) };
    format!("answered {} {words}", answer.status).trim_end().to_owned()
}

/// A success about an account.
pub(super) const UNREADABLE: &str = "answered 200, but nothing readable";

/// An answer that does not tell what became of a text.
pub(super) fn unclear(answer: &Answer) -> Fate {
    Fate::Unclear { reason: format!("asked, it answered {} and nothing readable", answer.status) }
}

#[derive(Debug)]
pub(super) struct NamedError {
    pub(super) code: String,
    /// Code and words, fit to be shown.
    pub(super) shown: String,
}

impl NamedError {
    /// Reads it from these places; `private` holds what must not be quoted.
    pub(super) fn at(json: &Value, code: &str, words: &str, private: &[String]) -> Self {
        let code = word(json, code).unwrap_or_default();
        let words = word(json, words).unwrap_or_default();
        let shown = without_numbers(&format!("{code} {words}"), private);
        Self { code, shown }
    }

    pub(super) fn detail(&self, answer: &Answer) -> String {
        format!("answered {}: {}", answer.status, self.shown).trim_end_matches([':', ' ']).to_owned()
    }
}

pub(super) fn word(json: &Value, pointer: &str) -> Option<String> {
    match json.pointer(pointer)? {
        Value::String(text) => Some(text.clone()),
        Value::Number(number) => Some(number.to_string()),
        Value::Null | Value::Bool(_) | Value::Array(_) | Value::Object(_) => None,
    }
}
