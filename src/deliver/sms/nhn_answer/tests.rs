use serde_json::json;

use super::*;

fn answer(status: u16, body: &(impl ToString + ?Sized)) -> Answer {
    Answer { status, behind: None, retry_after: None, body: body.to_string().into_bytes(), whole: true }
}

fn class(answer: &Answer) -> String {
    match classify(answer, &[]) {
        Reading::Done(outcome) => outcome.cause().unwrap_or(outcome.as_str()).to_owned(),
        Reading::Fault(_) => "fault".to_owned(),
    }
}

fn refused(code: i32) -> Value {
    json!({ "header": { "isSuccessful": false, "resultCode": code, "resultMessage": "why" } })
}

fn result(code: i32) -> Value {
    json!({ "header": { "isSuccessful": true, "resultCode": 0, "resultMessage": "SUCCESS" },
            "body": { "data": { "requestId": "R1", "statusCode": "2",
                                "sendResultList": [{ "resultCode": code, "resultMessage": "why" }] } } })
}

#[test]
fn every_code_has_its_class_in_the_header_and_in_the_list() {
    for (codes, expected) in [
        ("-2019", "recipient"),
        ("-2015 -2023 -2024", "message"),
        ("-1000 -1004 -1008 -2052 -2312 -2313", "fault"),
        ("-2021 -9999 -77777", "unavailable"),
    ] {
        for code in codes.split(' ').map(|code| code.parse().expect("a number")) {
            assert_eq!(class(&answer(200, &refused(code))), expected, "{code}");
            assert_eq!(class(&answer(200, &result(code))), expected, "{code}");
        }
    }
}

#[test]
fn a_text_counts_as_taken_only_if_nothing_says_otherwise() {
    let accepted = Reading::Done(Outcome::Accepted { provider_id: Some("R1".to_owned()) });
    assert_eq!(classify(&answer(200, &result(0)), &[]), accepted);
    let mut failed = result(0);
    failed["body"]["data"]["statusCode"] = json!("3");
    assert_eq!(class(&answer(200, &failed)), "unavailable");
    let mut nameless = result(0);
    nameless["body"]["data"]["requestId"] = json!(null);
    assert_eq!(class(&answer(200, &nameless)), "unknown");
    for (status, body, expected) in [
        (200, "", "unknown"),
        (200, "<html>", "unknown"),
        (200, "[]", "unknown"),
        (401, "", "fault"),
        (404, "<html>", "fault"),
        (429, "", "throttled"),
        (413, "", "refused"),
        (500, "", "unknown"),
        (503, "", "unavailable"),
    ] {
        assert_eq!(class(&answer(status, body)), expected, "{status} {body}");
    }
}

#[test]
fn every_state_in_the_list_has_its_meaning() {
    let list = |status: &str, marker: &str| {
        json!({ "header": { "isSuccessful": true, "resultCode": 0 },
                "body": { "data": [
                    { "senderGroupingKey": "other", "msgStatus": "3" },
                    { "senderGroupingKey": marker, "msgStatus": status, "resultCode": "3005", "resultCodeName": "결번" },
                ] } })
    };
    for (status, expected) in [
        ("3", "delivered"),
        ("1", "taken"),
        ("2", "taken"),
        ("0", "failed"),
        ("5", "failed"),
        ("9", "unclear"),
    ] {
        assert_eq!(fate(&answer(200, &list(status, "a/3")), "a/3", &[]).as_str(), expected, "{status}");
    }
    assert_eq!(fate(&answer(200, &list("0", "a/3")), "a/3", &[]).reason(), "3005 결번");
    assert_eq!(fate(&answer(200, &list("3", "a/30")), "a/3", &[]).as_str(), "not_there");
    assert_eq!(fate(&answer(200, &refused(-9999)), "a/3", &[]).as_str(), "unclear");
    assert_eq!(fate(&answer(500, ""), "a/3", &[]).as_str(), "unclear");
}

#[test]
fn the_sender_is_read() {
    let list = |entries: Value| json!({ "header": { "isSuccessful": true }, "body": { "data": entries } });
    for (entries, good) in [
        (json!([{ "sendNo": "029302266", "useYn": "Y", "blockYn": "N" }]), true),
        (json!([{ "sendNo": "029302266" }]), true),
        (json!([{ "sendNo": "029302266", "useYn": "N", "blockYn": "N" }]), false),
        (json!([{ "sendNo": "029302266", "useYn": "Y", "blockYn": "Y" }]), false),
        (json!([{ "sendNo": "0293022667", "useYn": "Y" }]), false),
        (json!([]), false),
    ] {
        let seen = sender(&answer(200, &list(entries.clone())), "029302266", &[]);
        assert_eq!(matches!(seen, Ok(Seen::Good(_))), good, "{entries}");
        assert_eq!(matches!(seen, Ok(Seen::Bad(_))), !good, "{entries}");
    }
    assert!(sender(&answer(200, &refused(-1000)), "029302266", &[]).is_err());
}

proptest::proptest! {
    #[test]
    fn no_answer_is_too_strange(status in 100_u16..1000, body in proptest::collection::vec(proptest::prelude::any::<u8>(), 0..200)) {
        let answer = Answer { status, behind: None, retry_after: None, body, whole: true };
        classify(&answer, &[]);
        let _ = fate(&answer, "a/3", &[]);
        let _ = sender(&answer, "029302266", &[]);
    }
}
