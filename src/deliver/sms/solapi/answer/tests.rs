use jiff::SignedDuration;
use serde_json::json;

use super::*;
use crate::alert::Outcome;

fn failed_with(code: &str) -> Answer {
    Answer::of(
        200,
        &json!({
            "groupInfo": { "groupId": "G1", "count": { "registeredSuccess": 0, "registeredFailed": 1 } },
            "failedMessageList": [{ "to": "01012345678", "statusCode": code, "statusMessage": "refused" }],
        }),
    )
}

/// The word of the cause, or of the outcome where it has none; `fault` where the breaker opens.
fn class(answer: &Answer) -> &'static str {
    if date_refused(answer, &[]).is_some() { "date" } else { classify(answer, &[]).class() }
}

#[test]
fn every_status_code_has_its_class() {
    for (codes, expected) in [
        ("1060 1061 1064 3010 3031 3032 3047 3050 3054 3055", "recipient"),
        ("1010 1011 1012 1013 1014 1025 1028 1029 1031", "message"),
        ("3013 3059", "refused"),
        ("1020 1030 1062 2062 2063 2230", "fault"),
        ("1024 2024 3012 3024 3040 3041 3042 3043 3044 3045 3053 3056 3057", "unavailable"),
        ("1026 9999", "unavailable"),
    ] {
        for code in codes.split(' ') {
            assert_eq!(class(&failed_with(code)), expected, "{code}");
        }
    }
    assert_eq!(
        class(&Answer::of(200, &json!({ "failedMessageList": [{ "statusCode": 1062 }] }))),
        "fault",
        "a number"
    );
}

#[test]
fn a_text_counts_as_taken_only_if_it_was_registered() {
    let taken = json!({
        "groupInfo": { "groupId": "G1", "count": { "registeredSuccess": 1 } }, "failedMessageList": [],
    });
    let accepted = Reading::accepted(Some("G1".to_owned()));
    assert_eq!(classify(&Answer::of(200, &taken), &[]), accepted);
    for (body, expected) in [
        (
            json!({ "groupInfo": { "count": { "registeredSuccess": 0 } }, "failedMessageList": [] }),
            "unavailable",
        ),
        (json!({ "groupInfo": {} }), "unknown"),
        (json!([]), "unknown"),
        (json!(null), "unknown"),
        (
            json!({ "groupInfo": { "count": { "registeredSuccess": 1 } }, "failedMessageList": [{}] }),
            "unavailable",
        ),
    ] {
        assert_eq!(class(&Answer::of(200, &body)), expected, "{body}");
    }
    for body in ["", "<html>", "{\"groupInfo\":"] {
        assert_eq!(class(&Answer::of(200, body)), "unknown", "{body}");
    }
}

#[test]
fn every_error_and_status_has_its_class() {
    for (status, code, expected) in [
        (403, "InvalidAPIKey", "fault"),
        (403, "SignatureDoesNotMatch", "fault"),
        (403, "DuplicatedSignature", "unavailable"),
        (403, "RequestTimeTooSkewed", "date"),
        (402, "NotEnoughBalance", "fault"),
        (400, "NotEnoughBalance", "fault"),
        (400, "1062", "fault"),
        (400, "3010", "recipient"),
        (400, "ValidationError", "refused"),
        (401, "", "fault"),
        (403, "Forbidden", "fault"),
        (404, "ResourceNotFound", "fault"),
        (302, "", "fault"),
        (413, "", "refused"),
        (429, "TooManyRequests", "throttled"),
        (500, "InternalError", "unavailable"),
        (202, "", "unknown"),
    ] {
        let body = json!({ "errorCode": code, "errorMessage": "why" });
        assert_eq!(class(&Answer::of(status, &body)), expected, "{status} {code}");
    }
    for (status, expected) in [(500, "unknown"), (502, "unknown"), (503, "unavailable"), (504, "unknown")] {
        for body in ["", "<html>bad gateway</html>", "null", "[]"] {
            assert_eq!(class(&Answer::of(status, &body)), expected, "{status} {body}");
        }
    }
}

#[test]
fn the_providers_wish_to_wait_is_passed_on() {
    let answer = Answer { retry_after: Some(SignedDuration::from_secs(30)), ..Answer::of(429, "") };
    let Reading::Done(Outcome::Deferred { retry_after, detail, .. }) = classify(&answer, &[]) else {
        panic!("deferred");
    };
    assert_eq!((retry_after, detail.as_str()), (Some(SignedDuration::from_secs(30)), "answered 429"));
}

#[test]
fn the_providers_words_are_passed_on_without_numbers_or_keys() {
    let body = json!({ "errorCode": "InvalidAPIKey", "errorMessage": "key NCSEXAMPLEKEY001 of 01012345678" });
    let Reading::Fault(detail) = classify(&Answer::of(403, &body), &["NCSEXAMPLEKEY001".to_owned()]) else {
        panic!("a fault");
    };
    assert_eq!(detail, "answered 403: InvalidAPIKey key *** of ***");
}

proptest::proptest! {
    #[test]
    fn no_answer_is_too_strange(status in 100_u16..1000, body in proptest::collection::vec(proptest::prelude::any::<u8>(), 0..200)) {
        class(&Answer::of_bytes(status, body));
    }
}
