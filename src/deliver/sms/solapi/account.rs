//! Solapi's lists and account pages: what became of a text, what is left, which numbers may send
//! (developers.solapi.com: `messages/v4/list`, `cash/v1/balance`, `senderid/v1/numbers/active`).

use serde_json::Value;

use crate::{
    alert::Fate,
    deliver::{
        Text,
        sms::{
            Balance, Finding, Look,
            answer::{NamedError, UNREADABLE, unclear, word},
            number::digits_of,
        },
        wire::Answer,
    },
};

/// What a list of at most `list_max` texts to its number says about `text`, found by the fields sent with it.
pub(super) fn fate(answer: &Answer, text: &Text, list_max: usize, private: &[String]) -> Fate {
    let Some(json) = answer.json().filter(|_| answer.status == 200) else { return unclear(answer) };
    let texts: Vec<&Value> = match json.get("messageList") {
        Some(Value::Object(by_id)) => by_id.values().collect(),
        Some(Value::Array(list)) => list.iter().collect(),
        Some(_) | None => return unclear(answer),
    };
    let (alert_id, attempt) = (text.alert_id.to_string(), text.attempt.to_string());
    let is_ours = |listed: &&&Value| {
        word(listed, "/customFields/alert_id").as_ref() == Some(&alert_id)
            && word(listed, "/customFields/attempt").as_ref() == Some(&attempt)
    };
    match texts.iter().find(is_ours) {
        Some(listed) => by_status_code(listed, private),
        None if list_max <= texts.len() => Fate::Unclear { reason: "its list of texts was full".to_owned() },
        None => Fate::NotThere,
    }
}

/// 2000 waits at Solapi, 3000 at the carrier, 4000 is delivered; every other code is a failure.
fn by_status_code(listed: &Value, private: &[String]) -> Fate {
    match word(listed, "/statusCode").as_deref() {
        Some("4000") => Fate::Delivered,
        Some("2000" | "3000") | None => Fate::Taken,
        Some(_) => Fate::Failed { reason: NamedError::at(listed, "/statusCode", "/reason", private).shown },
    }
}

/// `from` holds the digits of the configured sender.
pub(super) fn finding(at: Look, answer: &Answer, from: &str, private: &[String]) -> Result<Finding, String> {
    let json = answer.json().unwrap_or_default();
    if answer.status != 200 {
        let error = NamedError::at(&json, "/errorCode", "/errorMessage", private);
        return Err(format!("answered {} {}", answer.status, error.shown));
    }
    match at {
        Look::Balance => {
            // Points pay for texts as money does.
            let money = json.get("balance").and_then(Value::as_f64).ok_or(UNREADABLE)?;
            let points = json.get("point").and_then(Value::as_f64).unwrap_or(0.0);
            Ok(Finding::Balance(Balance { amount: money + points, currency: "KRW".to_owned() }))
        }
        Look::Sender => {
            let numbers = json.as_array().ok_or(UNREADABLE)?;
            let number = |entry: &Value| word(entry, "").or_else(|| word(entry, "/phoneNumber"));
            let registered = numbers.iter().filter_map(number).any(|number| digits_of(&number) == from);
            Ok(if registered {
                Finding::Good("`from` is registered and may send".to_owned())
            } else {
                Finding::Bad(
                    "`from` is not among the registered senders (발신번호) of this account: every text would \
                     be refused; register it with Solapi"
                        .to_owned(),
                )
            })
        }
        Look::Account => Err(UNREADABLE.to_owned()),
    }
}

#[cfg(test)]
mod tests;
