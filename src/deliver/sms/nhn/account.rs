//! NHN Cloud's lists: what became of a text, and which numbers may send.

use serde_json::Value;

use crate::{
    alert::Fate,
    deliver::{
        sms::{
            Finding,
            answer::{NamedError, UNREADABLE, unclear, word},
            number::digits_of,
        },
        wire::{Answer, without_numbers},
    },
};

pub(super) fn fate(answer: &Answer, marker: &str, private: &[String]) -> Fate {
    let Some(json) = answer.json().filter(|_| answer.status == 200) else { return unclear(answer) };
    if json.pointer("/header/isSuccessful").and_then(Value::as_bool) != Some(true) {
        let code = word(&json, "/header/resultCode").unwrap_or_default();
        return Fate::Unclear { reason: format!("asked, it answered {}", without_numbers(&code, private)) };
    }
    let Some(texts) = json.pointer("/body/data").and_then(Value::as_array) else { return unclear(answer) };
    let ours = texts.iter().find(|text| word(text, "/senderGroupingKey").as_deref() == Some(marker));
    let Some(ours) = ours else { return Fate::NotThere };
    match word(ours, "/msgStatus").as_deref() {
        Some("3") => Fate::Delivered,
        Some("1" | "2") => Fate::Taken,
        Some("0" | "4" | "5" | "6") => {
            let names = ["/resultCodeName", "/msgStatusName"];
            let name = names.into_iter().find(|name| word(ours, name).is_some()).unwrap_or_default();
            Fate::Failed { reason: NamedError::at(ours, "/resultCode", name, private).shown }
        }
        Some(_) | None => Fate::Unclear { reason: "its list shows a state that nobody knows".to_owned() },
    }
}

pub(super) fn sender(answer: &Answer, from: &str, private: &[String]) -> Result<Finding, String> {
    let json = answer.json().unwrap_or_default();
    if json.pointer("/header/isSuccessful").and_then(Value::as_bool) != Some(true) {
        let error = NamedError::at(&json, "/header/resultCode", "/header/resultMessage", private);
        return Err(format!("answered {} {}", answer.status, error.shown));
    }
    let numbers = json.pointer("/body/data").and_then(Value::as_array).ok_or(UNREADABLE)?;
    let is_ours = |number: &&Value| word(number, "/sendNo").is_some_and(|number| digits_of(&number) == from);
    let says = |number: &Value, key: &str| word(number, key).is_some_and(|word| word == "Y");
    Ok(match numbers.iter().find(is_ours) {
        Some(number) if says(number, "/blockYn") => Finding::Bad("`from` is blocked at NHN Cloud".to_owned()),
        Some(number) if word(number, "/useYn").is_some() && !says(number, "/useYn") => {
            Finding::Bad("`from` is registered at NHN Cloud, but switched off".to_owned())
        }
        Some(_) => Finding::Good("`from` is registered and may send".to_owned()),
        None => Finding::Bad(
            "`from` is not among the registered senders (발신번호) of this app key: every text would be refused; \
             register it in the NHN Cloud console"
                .to_owned(),
        ),
    })
}

#[cfg(test)]
mod tests;
