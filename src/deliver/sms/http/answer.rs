//! What an answer means by the operator's rules, and by its status where they say nothing.

use serde_json::Value;

use crate::{
    alert::RejectCause,
    config::{HttpGateway, PointerRule, StatusRule},
    deliver::{
        sms::answer,
        wire::{Answer, Reading, without_numbers},
    },
};

/// `private` holds what must not be quoted.
pub(super) fn classify(rules: &HttpGateway, answer: &Answer, private: &[String]) -> Reading {
    let json = answer.json();
    let found = |rule: &PointerRule| json.as_ref().is_some_and(|json| matches(rule, json));
    // A refusal wins: many companies answer 200 to it.
    if let Some(rule) = rules.rejected.as_ref().filter(|rule| found(rule)) {
        return Reading::rejected(RejectCause::Recipient, seen(rule, json.as_ref(), answer, private));
    }
    if !status_matches(rules.accepted.status, answer.status) {
        return answer::by_status(answer, answer::plain_detail(answer, private));
    }
    let status = answer.status;
    let missing = rules.accepted.value.as_ref().filter(|rule| !found(rule));
    // What could not be read may be the refusal, or what makes it accepted.
    if !answer.is_whole() && (missing.is_some() || rules.rejected.is_some()) {
        return Reading::unknown(format!("answered {status}, but the rest of the answer could not be read"));
    }
    match missing {
        None => {
            let id = rules.id_pointer.as_ref().zip(json.as_ref());
            Reading::accepted(id.and_then(|(pointer, json)| scalar(json.pointer(pointer)?)))
        }
        // A success all the same: if the rule is wrong, every text of a day would be sent again and again.
        Some(rule) => {
            let seen = seen(rule, json.as_ref(), answer, private);
            Reading::unknown(format!("not the accepted answer: {seen}"))
        }
    }
}

fn status_matches(rule: StatusRule, status: u16) -> bool {
    match rule {
        StatusRule::Class(class) => status / 100 == class,
        StatusRule::Exact(exact) => status == exact,
    }
}

fn matches(rule: &PointerRule, json: &Value) -> bool {
    let value = json.pointer(&rule.pointer);
    match &rule.equals {
        Some(expected) => value.and_then(scalar).as_ref() == Some(expected),
        None => !matches!(value, None | Some(Value::Null | Value::Bool(false))),
    }
}

fn scalar(value: &Value) -> Option<String> {
    answer::word(value, "").or_else(|| Some(value.as_bool()?.to_string()))
}

fn seen(rule: &PointerRule, json: Option<&Value>, answer: &Answer, private: &[String]) -> String {
    let (status, pointer) = (answer.status, &rule.pointer);
    match json.map(|json| json.pointer(pointer)) {
        Some(Some(value)) => {
            let words = scalar(value).unwrap_or_else(|| "no text, number or truth".to_owned());
            format!("answered {status} with `{pointer}` = {}", without_numbers(&words, private))
        }
        Some(None) => format!("answered {status} without `{pointer}`"),
        None => format!("answered {status} without JSON"),
    }
}

#[cfg(test)]
mod tests;
