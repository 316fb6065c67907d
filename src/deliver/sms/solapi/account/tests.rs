use serde_json::json;

use super::*;
use crate::deliver::sms::testing::text_to;

/// A list with one text of ours in this state, among others of the same number.
fn listing(code: &Value) -> Value {
    let ours = json!({ "alert_id": text_to("+821012345678").alert_id.to_string(), "attempt": "3" });
    let other = json!({ "alert_id": text_to("+821012345678").alert_id.to_string(), "attempt": "30" });
    json!({ "limit": 20, "messageList": {
        "M1": { "to": "01012345678", "statusCode": "4000", "customFields": other },
        "M2": { "to": "01012345678", "statusCode": "4000", "customFields": null },
        "M3": { "to": "01012345678", "statusCode": code, "reason": "단말기 전원 꺼짐", "customFields": ours },
    }})
}

#[test]
fn every_state_in_the_list_has_its_meaning() {
    for (code, expected) in [
        (json!("4000"), "delivered"),
        (json!(4000), "delivered"),
        (json!("2000"), "taken"),
        (json!("3000"), "taken"),
        (json!(null), "taken"),
        (json!("3040"), "failed"),
        (json!("1062"), "failed"),
        (json!("2230"), "failed"),
    ] {
        let found = fate(&Answer::of(200, &listing(&code)), &text_to("+821012345678"), 20, &[]);
        assert_eq!(found.as_str(), expected, "{code}");
    }
    let failed = fate(&Answer::of(200, &listing(&json!("3040"))), &text_to("+821012345678"), 20, &[]);
    assert_eq!(failed.reason(), "3040 단말기 전원 꺼짐");
}

#[test]
fn a_text_is_missing_only_if_the_list_is_whole() {
    let others = |count: usize| {
        let text = json!({ "statusCode": "4000", "customFields": { "alert_id": "other", "attempt": "3" } });
        json!({ "messageList": (0..count).map(|n| (n.to_string(), text.clone())).collect::<serde_json::Map<_, _>>() })
    };
    let text = text_to("+821012345678");
    for (status, body, expected) in [
        (200, others(0), "not_there"),
        (200, others(19), "not_there"),
        (200, others(20), "unclear"),
        (200, json!({ "messageList": [] }), "not_there"),
        (200, json!({}), "unclear"),
        (200, json!([]), "unclear"),
        (403, json!({ "errorCode": "InvalidAPIKey" }), "unclear"),
        (500, json!(null), "unclear"),
    ] {
        assert_eq!(fate(&Answer::of(status, &body), &text, 20, &[]).as_str(), expected, "{status} {body}");
    }
}

#[test]
fn the_account_is_read() {
    let money = finding(Look::Balance, &Answer::of(200, &json!({ "balance": 1500.0, "point": 40 })), "", &[]);
    assert_eq!(money, Ok(Finding::Balance(Balance { amount: 1540.0, currency: "KRW".to_owned() })));
    for (numbers, good) in [
        (json!(["029302266", "01000000000"]), true),
        (json!([{ "phoneNumber": "02-930-2266" }]), true),
        (json!(["029302267"]), false),
        (json!([]), false),
    ] {
        let seen = finding(Look::Sender, &Answer::of(200, &numbers), "029302266", &[]);
        assert_eq!(matches!(seen, Ok(Finding::Good(_))), good, "{numbers}");
        assert_eq!(matches!(seen, Ok(Finding::Bad(_))), !good, "{numbers}");
    }
    let refused = json!({ "errorCode": "InvalidAPIKey", "errorMessage": "key NCSEXAMPLEKEY001 is unknown" });
    let refused = finding(Look::Balance, &Answer::of(403, &refused), "", &["NCSEXAMPLEKEY001".to_owned()]);
    assert_eq!(refused, Err("answered 403 InvalidAPIKey key *** is unknown".to_owned()));
    assert!(finding(Look::Sender, &Answer::of(200, &json!({})), "", &[]).is_err());
}

proptest::proptest! {
    #[test]
    fn no_list_is_too_strange(status in 100_u16..1000, body in proptest::collection::vec(proptest::prelude::any::<u8>(), 0..200)) {
        let answer = Answer::of_bytes(status, body);
        let _ = fate(&answer, &text_to("+821012345678"), 20, &[]);
        let _ = finding(Look::Sender, &answer, "029302266", &[]);
    }
}
