use serde_json::json;

use super::*;

fn refused(code: i32) -> Value {
    json!({ "header": { "isSuccessful": false, "resultCode": code, "resultMessage": "why" } })
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
        assert_eq!(fate(&Answer::of(200, &list(status, "a/3")), "a/3", &[]).as_str(), expected, "{status}");
    }
    assert_eq!(fate(&Answer::of(200, &list("0", "a/3")), "a/3", &[]).reason(), "3005 결번");
    assert_eq!(fate(&Answer::of(200, &list("3", "a/30")), "a/3", &[]).as_str(), "not_there");
    assert_eq!(fate(&Answer::of(200, &refused(-9999)), "a/3", &[]).as_str(), "unclear");
    assert_eq!(fate(&Answer::of(500, ""), "a/3", &[]).as_str(), "unclear");
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
        let seen = sender(&Answer::of(200, &list(entries.clone())), "029302266", &[]);
        assert_eq!(matches!(seen, Ok(Finding::Good(_))), good, "{entries}");
        assert_eq!(matches!(seen, Ok(Finding::Bad(_))), !good, "{entries}");
    }
    assert!(sender(&Answer::of(200, &refused(-1000)), "029302266", &[]).is_err());
}

proptest::proptest! {
    #[test]
    fn no_answer_is_too_strange(status in 100_u16..1000, body in proptest::collection::vec(proptest::prelude::any::<u8>(), 0..200)) {
        let answer = Answer::of_bytes(status, body);
        let _ = fate(&answer, "a/3", &[]);
        let _ = sender(&answer, "029302266", &[]);
    }
}
