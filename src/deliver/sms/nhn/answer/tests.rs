use serde_json::json;

use super::*;

fn class(answer: &Answer) -> &'static str {
    classify(answer, &[]).class()
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
            assert_eq!(class(&Answer::of(200, &refused(code))), expected, "{code}");
            assert_eq!(class(&Answer::of(200, &result(code))), expected, "{code}");
        }
    }
}

#[test]
fn a_text_counts_as_taken_only_if_nothing_says_otherwise() {
    let accepted = Reading::accepted(Some("R1".to_owned()));
    assert_eq!(classify(&Answer::of(200, &result(0)), &[]), accepted);
    let mut failed = result(0);
    failed["body"]["data"]["statusCode"] = json!("3");
    assert_eq!(class(&Answer::of(200, &failed)), "unavailable");
    let mut nameless = result(0);
    nameless["body"]["data"]["requestId"] = json!(null);
    assert_eq!(class(&Answer::of(200, &nameless)), "unknown");
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
        assert_eq!(class(&Answer::of(status, body)), expected, "{status} {body}");
    }
}

proptest::proptest! {
    #[test]
    fn no_answer_is_too_strange(status in 100_u16..1000, body in proptest::collection::vec(proptest::prelude::any::<u8>(), 0..200)) {
        classify(&Answer::of_bytes(status, body), &[]);
    }
}
