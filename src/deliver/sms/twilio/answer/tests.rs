use serde_json::json;

use super::*;
use crate::alert::Outcome;

fn class(answer: &Answer) -> &'static str {
    classify(answer, &[]).class()
}

#[test]
fn every_error_code_has_its_class() {
    for (codes, expected) in [
        ("21211 21214 21217 21610 21614 30003 30004 30005 30006", "recipient"),
        ("21602 21605 21609 21617", "message"),
        ("21408 21608 21612 30007", "refused"),
        ("20003 20005 20404 21212 21603 21606 21659 21660 21701 21703 30002", "fault"),
        ("20429 21611 30001", "throttled"),
    ] {
        for code in codes.split(' ') {
            let body = json!({ "code": code.parse::<u32>().ok(), "message": "why", "status": 400 });
            assert_eq!(class(&Answer::of(400, &body)), expected, "{code}");
        }
    }
}

#[test]
fn every_status_has_its_class() {
    for (status, body, expected) in [
        (201, r#"{"sid": "SM1", "status": "queued", "error_code": null}"#, "accepted"),
        (201, r#"{"sid": "SM1", "status": "accepted"}"#, "accepted"),
        (201, r#"{"sid": "SM1", "status": "failed", "error_code": 21610}"#, "recipient"),
        (201, r#"{"sid": "SM1", "status": "failed", "error_code": 99999}"#, "refused"),
        (201, "<html>", "accepted"),
        (401, r#"{"code": 20003, "message": "Authenticate"}"#, "fault"),
        (401, "", "fault"),
        (403, "", "fault"),
        (404, "", "fault"),
        (302, "", "fault"),
        (400, r#"{"code": 99999}"#, "refused"),
        (400, "", "refused"),
        (429, r#"{"code": 20429}"#, "throttled"),
        (429, "", "throttled"),
        (500, r#"{"code": 20500}"#, "unknown"),
        (502, "<html>bad gateway</html>", "unknown"),
        (503, "", "unknown"),
        (202, "", "unknown"),
    ] {
        assert_eq!(class(&Answer::of(status, body)), expected, "{status} {body}");
    }
    let accepted = Reading::accepted(Some("SM1".to_owned()));
    assert_eq!(classify(&Answer::of(201, r#"{"sid": "SM1", "status": "queued"}"#), &[]), accepted);
}

#[test]
fn the_providers_words_are_passed_on_without_numbers_or_keys() {
    let body = json!({
        "code": 21608,
        "message": "The number +821012345678 is unverified. Trial accounts cannot send messages to unverified numbers",
    });
    let Reading::Done(Outcome::Rejected { detail, .. }) = classify(&Answer::of(400, &body), &[]) else {
        panic!("rejected");
    };
    assert_eq!(
        detail,
        "answered 400: 21608 The number +*** is unverified. Trial accounts cannot send messages to unverified numbers"
    );
}

proptest::proptest! {
    #[test]
    fn no_answer_is_too_strange(status in 100_u16..1000, body in proptest::collection::vec(proptest::prelude::any::<u8>(), 0..200)) {
        classify(&Answer::of_bytes(status, body), &[]);
    }
}
