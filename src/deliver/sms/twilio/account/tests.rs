use serde_json::json;

use super::*;
use crate::deliver::{
    Text,
    sms::testing::{now, text_to},
};

/// A text on the list, made so many seconds after ours was sent.
fn listed(after: i64, status: &str, body: &str) -> Value {
    let made = now().saturating_add(SignedDuration::from_secs(after)).expect("in range");
    let made = jiff::fmt::rfc2822::to_string(&made.to_zoned(jiff::tz::TimeZone::UTC)).expect("a date");
    json!({ "sid": "SM1", "body": body, "status": status, "direction": "outbound-api", "date_created": made,
            "error_code": 30005, "error_message": null, "to": "+821012345678" })
}

fn said_of(text: &Text, texts: &[Value]) -> Fate {
    let asked = Asked { text, sent_at: now(), now: now() };
    fate(&Answer::of(200, &json!({ "messages": texts })), &asked, 3, &[])
}

#[test]
fn every_state_in_the_list_has_its_meaning() {
    let text = text_to("+821012345678");
    let words = text.fitted.text.clone();
    for (status, expected) in [
        ("delivered", "delivered"),
        ("read", "delivered"),
        ("queued", "taken"),
        ("accepted", "taken"),
        ("sending", "taken"),
        ("sent", "taken"),
        ("undelivered", "failed"),
        ("failed", "failed"),
        ("canceled", "failed"),
        ("levitating", "unclear"),
    ] {
        assert_eq!(said_of(&text, &[listed(1, status, &words)]).as_str(), expected, "{status}");
    }
    assert_eq!(said_of(&text, &[listed(1, "failed", &words)]).reason(), "30005");
}

#[test]
fn a_text_is_found_by_its_time_and_its_words() {
    let text = text_to("+821012345678");
    let words = text.fitted.text.as_str();
    let trial = format!("Sent from your Twilio trial account - {words}");
    for (texts, expected) in [
        (vec![listed(2, "delivered", &trial)], "delivered"),
        (vec![listed(-30, "delivered", words)], "delivered"),
        (vec![listed(3_000, "failed", words), listed(1, "sent", words)], "taken"),
        (vec![listed(200, "failed", words), listed(1, "sent", words)], "taken"),
        (vec![], "not_there"),
        (vec![listed(-3_600, "delivered", words)], "not_there"),
        (vec![listed(1, "delivered", "other words")], "unclear"),
        (vec![listed(900, "sent", "a"), listed(901, "sent", "b"), listed(902, "sent", "c")], "unclear"),
    ] {
        assert_eq!(said_of(&text, &texts).as_str(), expected, "{texts:?}");
    }
    let mut inbound = listed(1, "received", words);
    inbound["direction"] = json!("inbound");
    assert_eq!(said_of(&text, &[inbound]).as_str(), "not_there");
}

#[test]
fn an_answer_that_is_no_list_tells_nothing() {
    let text = text_to("+821012345678");
    let asked = Asked { text: &text, sent_at: now(), now: now() };
    for (status, body) in
        [(401, json!({ "code": 20003 })), (200, json!({})), (200, json!([])), (500, json!(null))]
    {
        assert_eq!(fate(&Answer::of(status, &body), &asked, 3, &[]).as_str(), "unclear", "{status} {body}");
    }
}

#[test]
fn the_account_is_read() {
    let money =
        finding(Look::Balance, &Answer::of(200, &json!({ "balance": "12.34", "currency": "USD" })), &[]);
    assert_eq!(money, Ok(Finding::Balance(Balance { amount: 12.34, currency: "USD".to_owned() })));
    let kind = |seen: Result<Finding, String>| match seen {
        Ok(Finding::Good(_)) => "good",
        Ok(Finding::Limited(_)) => "limited",
        Ok(Finding::Bad(_)) => "bad",
        Ok(Finding::Balance(_)) => "balance",
        Err(_) => "error",
    };
    for (at, body, expected) in [
        (Look::Account, json!({ "status": "active", "type": "Full" }), "good"),
        (Look::Account, json!({ "status": "active", "type": "Trial" }), "limited"),
        (Look::Account, json!({ "status": "suspended", "type": "Full" }), "bad"),
        (Look::Account, json!({}), "error"),
        (Look::Sender, json!({ "incoming_phone_numbers": [{ "capabilities": { "sms": true } }] }), "good"),
        (Look::Sender, json!({ "incoming_phone_numbers": [{ "capabilities": { "sms": false } }] }), "bad"),
        (Look::Sender, json!({ "incoming_phone_numbers": [] }), "bad"),
        (Look::Balance, json!({ "balance": "much" }), "error"),
    ] {
        assert_eq!(kind(finding(at, &Answer::of(200, &body), &[])), expected, "{at:?} {body}");
    }
    assert_eq!(kind(finding(Look::Account, &Answer::of(401, &json!({ "code": 20003 })), &[])), "error");
}

proptest::proptest! {
    #[test]
    fn no_list_is_too_strange(status in 100_u16..1000, body in proptest::collection::vec(proptest::prelude::any::<u8>(), 0..200)) {
        let text = text_to("+821012345678");
        let answer = Answer::of_bytes(status, body);
        let _ = fate(&answer, &Asked { text: &text, sent_at: now(), now: now() }, 3, &[]);
        let _ = finding(Look::Account, &answer, &[]);
    }
}
