//! Twilio's lists and account pages (twilio.com/docs: Messages, Balance, `IncomingPhoneNumbers`, Accounts).

use jiff::{SignedDuration, Timestamp, fmt::rfc2822::DateTimeParser};
use serde_json::Value;

use crate::{
    alert::Fate,
    deliver::{
        sms::{
            Balance, Finding, Look,
            answer::{NamedError, UNREADABLE, unclear, word},
            provider::Asked,
        },
        wire::{Answer, without_numbers},
    },
};

/// How far our clock and Twilio's may differ before a text is not found.
const SKEW_MAX: SignedDuration = SignedDuration::from_secs(60);
/// A text was made at Twilio within this time after our request began, or never.
const MADE_WITHIN: SignedDuration = SignedDuration::from_mins(5);

/// Twilio keeps no mark of ours, so a text is found by its time and its words. A list has at most `list_max` texts.
pub(super) fn fate(answer: &Answer, asked: &Asked<'_>, list_max: usize, private: &[String]) -> Fate {
    let Some(json) = answer.json().filter(|_| answer.status == 200) else { return unclear(answer) };
    let Some(texts) = json.get("messages").and_then(Value::as_array) else { return unclear(answer) };
    let begins = asked.sent_at.saturating_sub(SKEW_MAX).unwrap_or(Timestamp::MIN);
    let ends = asked.sent_at.saturating_add(MADE_WITHIN).unwrap_or(Timestamp::MAX);
    let in_time = |listed: &&Value| made_at(listed).is_some_and(|made| begins <= made && made <= ends);
    let ours: Vec<&Value> = texts.iter().filter(in_time).filter(|listed| is_from_us(listed)).collect();
    // A trial account's texts begin with words of Twilio's.
    let same_words =
        |listed: &&&Value| word(listed, "/body").is_some_and(|body| body.ends_with(&asked.text.fitted.text));
    match ours.iter().filter(same_words).min_by_key(|listed| distance(listed, asked.sent_at)) {
        Some(listed) => by_status(listed, private),
        None if !ours.is_empty() => {
            Fate::Unclear { reason: "it has texts of that time, with other words".to_owned() }
        }
        None if list_max <= texts.len() && texts.iter().all(|listed| made_at(listed) > Some(ends)) => {
            Fate::Unclear { reason: "its list of texts was full".to_owned() }
        }
        None => Fate::NotThere,
    }
}

fn is_from_us(listed: &Value) -> bool {
    word(listed, "/direction").is_none_or(|direction| direction.starts_with("outbound"))
}

fn made_at(listed: &Value) -> Option<Timestamp> {
    DateTimeParser::new().parse_timestamp(word(listed, "/date_created")?).ok()
}

fn distance(listed: &Value, sent_at: Timestamp) -> SignedDuration {
    made_at(listed).map_or(SignedDuration::MAX, |made| made.duration_since(sent_at).abs())
}

fn by_status(listed: &Value, private: &[String]) -> Fate {
    match word(listed, "/status").as_deref() {
        Some("delivered" | "read") => Fate::Delivered,
        Some("failed" | "undelivered" | "canceled") => {
            Fate::Failed { reason: NamedError::at(listed, "/error_code", "/error_message", private).shown }
        }
        Some("accepted" | "scheduled" | "queued" | "sending" | "sent") => Fate::Taken,
        Some(_) | None => Fate::Unclear { reason: "its list shows a state that nobody knows".to_owned() },
    }
}

pub(super) fn finding(at: Look, answer: &Answer, private: &[String]) -> Result<Finding, String> {
    let json = answer.json().unwrap_or_default();
    if answer.status != 200 {
        let error = NamedError::at(&json, "/code", "/message", private);
        return Err(format!("answered {} {}", answer.status, error.shown));
    }
    match at {
        Look::Balance => {
            let amount = word(&json, "/balance").and_then(|amount| amount.parse().ok()).ok_or(UNREADABLE)?;
            let currency = word(&json, "/currency").unwrap_or_else(|| "USD".to_owned());
            Ok(Finding::Balance(Balance { amount, currency }))
        }
        Look::Sender => {
            let numbers = json.get("incoming_phone_numbers").and_then(Value::as_array).ok_or(UNREADABLE)?;
            let texts =
                |number: &Value| number.pointer("/capabilities/sms").and_then(Value::as_bool) != Some(false);
            Ok(match numbers.first() {
                Some(number) if texts(number) => {
                    Finding::Good("`from` is a number of this account".to_owned())
                }
                Some(_) => {
                    Finding::Bad("`from` is a number of this account that cannot send texts".to_owned())
                }
                None => Finding::Bad("`from` is not a number of this account".to_owned()),
            })
        }
        Look::Account => {
            let status = word(&json, "/status").ok_or(UNREADABLE)?;
            Ok(match (status.as_str(), word(&json, "/type").as_deref()) {
                ("active", Some("Trial")) => Finding::Limited(
                    "this is a trial account: it texts only numbers verified with Twilio, and puts words of its \
                     own before each text"
                        .to_owned(),
                ),
                ("active", _) => Finding::Good("the account is active".to_owned()),
                (status, _) => Finding::Bad(format!("the account is {}", without_numbers(status, private))),
            })
        }
    }
}

#[cfg(test)]
mod tests;
