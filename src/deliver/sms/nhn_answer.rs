//! NHN Cloud's answers (docs.nhncloud.com: SMS, API v3.0 guide and error codes). HTTP 200 may still say that
//! nothing was sent; `header.resultCode` is about the request, `sendResultList` about the text.

use serde_json::Value;

use super::{
    Seen,
    exchange::Answer,
    gateway::{Reading, unclear},
    number::digits_of,
    quote::quote,
    solapi_answer::word,
};
use crate::alert::{DeferCause, Fate, Outcome, RejectCause};

/// Reads an answer; `private` holds what must not be quoted.
pub(crate) fn classify(answer: &Answer, private: &[String]) -> Reading {
    let json = answer.json().unwrap_or_default();
    let Some(accepted) = json.pointer("/header/isSuccessful").and_then(Value::as_bool) else {
        return by_status(answer);
    };
    let of_request = (word(&json, "/header/resultCode"), word(&json, "/header/resultMessage"));
    let of_text = json.pointer("/body/data/sendResultList/0");
    let of_text = of_text.map(|text| (word(text, "/resultCode"), word(text, "/resultMessage")));
    let refused =
        [Some(of_request).filter(|_| !accepted), of_text.filter(|(code, _)| code.as_deref() != Some("0"))];
    let Some((code, said)) = refused.into_iter().flatten().next() else {
        return match word(&json, "/body/data/requestId") {
            // 3 means that the request failed as a whole.
            Some(_) if word(&json, "/body/data/statusCode").as_deref() == Some("3") => {
                let detail = "answered that the request failed, and named no reason".to_owned();
                Reading::deferred(DeferCause::Unavailable, answer, detail)
            }
            Some(id) => Reading::Done(Outcome::Accepted { provider_id: Some(id) }),
            None => Reading::Done(Outcome::Unknown {
                detail: "answered that it was taken, but not under which number".to_owned(),
            }),
        };
    };
    let code = code.unwrap_or_default();
    by_code(&code, answer, &quote(&format!("{code} {}", said.unwrap_or_default()), private))
}

fn by_code(code: &str, answer: &Answer, detail: &str) -> Reading {
    let rejected = |cause| Reading::Done(Outcome::Rejected { cause, detail: detail.to_owned() });
    match code {
        // Number malformed, or one that has unsubscribed.
        "-2019" | "-2020" | "-2022" => rejected(RejectCause::Recipient),
        // Too long, characters that carriers lack, a field missing or malformed, no long texts abroad.
        "-2000" | "-2013" | "-2015" | "-2016" | "-2023" | "-2024" | "-9998" => rejected(RejectCause::Message),
        // App key unknown or shut, address not allowed, blocked, month's limit, sender not registered or blocked.
        "-1000" | "-1001" | "-1002" | "-1003" | "-1004" | "-1006" | "-1008" | "-2052" | "-2312" | "-2313" => {
            Reading::Fault(detail.to_owned())
        }
        // Its queue, itself. A code that nobody knows may name a passing trouble, too: surely nothing was sent,
        // and giving up would lose an alert.
        _ => Reading::deferred(DeferCause::Unavailable, answer, detail.to_owned()),
    }
}

fn by_status(answer: &Answer) -> Reading {
    let detail = format!("answered {} without a result", answer.status);
    match answer.status {
        408 | 425 | 503 => Reading::deferred(DeferCause::Unavailable, answer, detail),
        429 => Reading::deferred(DeferCause::Throttled, answer, detail),
        300..=399 | 401..=405 => Reading::Fault(detail),
        400..=499 => Reading::Done(Outcome::Rejected { cause: RejectCause::Refused, detail }),
        _ => Reading::Done(Outcome::Unknown { detail }),
    }
}

/// What a list says about the text with this marker.
pub(crate) fn fate(answer: &Answer, marker: &str, private: &[String]) -> Fate {
    let Some(json) = answer.json().filter(|_| answer.status == 200) else { return unclear(answer) };
    if json.pointer("/header/isSuccessful").and_then(Value::as_bool) != Some(true) {
        let code = word(&json, "/header/resultCode").unwrap_or_default();
        return Fate::Unclear { reason: format!("asked, it answered {}", quote(&code, private)) };
    }
    let Some(texts) = json.pointer("/body/data").and_then(Value::as_array) else { return unclear(answer) };
    let ours = texts.iter().find(|text| word(text, "/senderGroupingKey").as_deref() == Some(marker));
    let Some(ours) = ours else { return Fate::NotThere };
    match word(ours, "/msgStatus").as_deref() {
        Some("3") => Fate::Delivered,
        Some("1" | "2") => Fate::Taken,
        Some("0" | "4" | "5" | "6") => {
            let said = word(ours, "/resultCodeName").or_else(|| word(ours, "/msgStatusName"));
            let code = word(ours, "/resultCode").unwrap_or_default();
            Fate::Failed { reason: quote(&format!("{code} {}", said.unwrap_or_default()), private) }
        }
        Some(_) | None => Fate::Unclear { reason: "its list shows a state that nobody knows".to_owned() },
    }
}

/// Whether `from` is among the registered senders.
pub(crate) fn sender(answer: &Answer, from: &str, private: &[String]) -> Result<Seen, String> {
    let json = answer.json().unwrap_or_default();
    if json.pointer("/header/isSuccessful").and_then(Value::as_bool) != Some(true) {
        let code = word(&json, "/header/resultCode").unwrap_or_default();
        let said = word(&json, "/header/resultMessage").unwrap_or_default();
        return Err(format!("answered {} {}", answer.status, quote(&format!("{code} {said}"), private)));
    }
    let numbers = json.pointer("/body/data").and_then(Value::as_array);
    let numbers = numbers.ok_or("answered 200, but nothing readable")?;
    let is_ours = |number: &&Value| word(number, "/sendNo").is_some_and(|number| digits_of(&number) == from);
    let says = |number: &Value, key: &str| word(number, key).is_some_and(|word| word == "Y");
    Ok(match numbers.iter().find(is_ours) {
        Some(number) if says(number, "/blockYn") => Seen::Bad("`from` is blocked at NHN Cloud".to_owned()),
        Some(number) if word(number, "/useYn").is_some() && !says(number, "/useYn") => {
            Seen::Bad("`from` is registered at NHN Cloud, but switched off".to_owned())
        }
        Some(_) => Seen::Good("`from` is registered and may send".to_owned()),
        None => Seen::Bad(
            "`from` is not among the registered senders (발신번호) of this app key: every text would be refused; \
             register it in the NHN Cloud console"
                .to_owned(),
        ),
    })
}

#[cfg(test)]
mod tests;
