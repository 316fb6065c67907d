use proptest::prelude::*;
use serde_json::json;

use super::*;
use crate::alert::Outcome;

const TARGET: &str = "fXz9:APA91bExample-token_0123456789";

fn reading(status: u16, body: &[u8]) -> Reading {
    classify(&Answer::of_bytes(status, body.to_vec()), TARGET)
}

fn said(status: u16, body: &Value) -> Reading {
    reading(status, body.to_string().as_bytes())
}

/// An error as FCM writes it.
fn error(status: &str, message: &str, details: &Value) -> Value {
    json!({"error": {"code": 0, "message": message, "status": status, "details": details}})
}

fn fcm_error(code: &str) -> Value {
    json!({"@type": "type.googleapis.com/google.firebase.fcm.v1.FcmError", "errorCode": code})
}

fn bad_field(field: &str) -> Value {
    json!({"@type": "type.googleapis.com/google.rpc.BadRequest",
           "fieldViolations": [{"field": field, "description": "Invalid value"}]})
}

fn apns_error(status: u16, reason: &str) -> Value {
    json!({"@type": "type.googleapis.com/google.firebase.fcm.v1.ApnsError", "statusCode": status, "reason": reason})
}

/// A short name for the reading, without the words.
fn kind(reading: &Reading) -> String {
    match reading {
        Reading::Fault(_) => "project fault".into(),
        Reading::Suspicion(_) => "perhaps project fault".into(),
        Reading::Done(Outcome::Accepted { .. }) => "accepted".into(),
        Reading::Done(Outcome::Rejected { cause, .. }) => cause.as_str().into(),
        Reading::Done(Outcome::Deferred { cause: DeferCause::Credential, .. }) => "token refused".into(),
        Reading::Done(Outcome::Deferred { cause: DeferCause::PlatformFault, .. }) => "platform fault".into(),
        Reading::Done(Outcome::Deferred { cause, retry_after: None, .. }) => cause.as_str().into(),
        Reading::Done(Outcome::Deferred { cause, retry_after: Some(wish), .. }) => {
            format!("{} {}", cause.as_str(), wish.as_secs())
        }
        Reading::Done(Outcome::Unknown { .. }) => panic!("an answer is never without a meaning: {reading:?}"),
    }
}

/// A body, the status it comes with, and the kind of reading.
type Case = (u16, Value, &'static str);

fn assert_kinds<const N: usize>(cases: [Case; N]) {
    for (status, body, expected) in cases {
        assert_eq!(kind(&said(status, &body)), expected, "{status} {body}");
    }
}

#[test]
fn a_dead_device_is_known_whatever_stands_around_its_code() {
    let unregistered = || json!([fcm_error("UNREGISTERED")]);
    let no_type = json!([{"errorCode": "UNREGISTERED"}]);
    let apns = json!([apns_error(410, "Unregistered"), fcm_error("INVALID_ARGUMENT")]);
    let malformed = json!([fcm_error("INVALID_ARGUMENT"), bad_field("message.token")]);
    let words = "The registration token is not a valid FCM registration token";
    assert_kinds([
        (404, error("NOT_FOUND", "gone", &unregistered()), "device_gone"),
        (500, error("INVALID_ARGUMENT", "", &unregistered()), "device_gone"),
        (200, error("NOT_FOUND", "", &unregistered()), "device_gone"),
        (400, error("INVALID_ARGUMENT", "", &no_type), "device_gone"),
        (400, error("INVALID_ARGUMENT", "APNs device token is disabled.", &json!([])), "device_gone"),
        (400, error("INVALID_ARGUMENT", "", &apns), "device_gone"),
        (400, error("INVALID_ARGUMENT", "", &malformed), "device_gone"),
        (400, error("INVALID_ARGUMENT", "", &json!([bad_field("message.fid")])), "device_gone"),
        (400, error("INVALID_ARGUMENT", words, &json!([])), "device_gone"),
    ]);
}

#[test]
fn what_our_message_or_another_project_is_to_blame_for_keeps_the_device() {
    let no_recipient = json!([bad_field("message"), fcm_error("INVALID_ARGUMENT")]);
    let environment =
        json!([fcm_error("THIRD_PARTY_AUTH_ERROR"), apns_error(403, "BadEnvironmentKeyInToken")]);
    assert_kinds([
        (400, error("INVALID_ARGUMENT", "Request contains an invalid argument.", &json!([])), "message"),
        (400, error("INVALID_ARGUMENT", "", &json!([bad_field("message.data[0].value")])), "message"),
        (400, error("INVALID_ARGUMENT", "", &no_recipient), "message"),
        (400, error("TEST_ERROR", "", &json!([])), "message"),
        (400, json!({}), "message"),
        (404, error("INVALID_ARGUMENT", "", &json!([fcm_error("SOME_NEW_CODE")])), "message"),
        (403, error("PERMISSION_DENIED", "SenderId mismatch", &json!([])), "device_mismatch"),
        (403, error("PERMISSION_DENIED", "", &json!([fcm_error("SENDER_ID_MISMATCH")])), "device_mismatch"),
        (401, error("UNAUTHENTICATED", "", &environment), "device_mismatch"),
    ]);
}

#[test]
fn a_401_is_our_token_or_apples_credential_and_a_404_is_the_project_only_without_a_word_of_fcm() {
    let no_credential =
        "Request is missing required authentication credential. Expected OAuth 2 access token";
    let third_party = json!([fcm_error("THIRD_PARTY_AUTH_ERROR")]);
    let no_code = json!([{"@type": "type.googleapis.com/google.firebase.fcm.v1.FcmError"}]);
    let disabled =
        json!([{"@type": "type.googleapis.com/google.rpc.ErrorInfo", "reason": "SERVICE_DISABLED"}]);
    assert_kinds([
        (401, error("UNAUTHENTICATED", no_credential, &third_party), "platform fault"),
        (404, error("INVALID_ARGUMENT", "", &json!([fcm_error("APNS_AUTH_ERROR")])), "platform fault"),
        (401, error("UNAUTHENTICATED", no_credential, &json!([])), "token refused"),
        (401, error("UNAUTHENTICATED", "", &json!([fcm_error("SOME_NEW_CODE")])), "token refused"),
        (403, error("PERMISSION_DENIED", "", &disabled), "project fault"),
        (403, json!([{"error": {"status": "PERMISSION_DENIED"}}]), "project fault"),
        (404, error("NOT_FOUND", "Requested entity was not found.", &json!([])), "perhaps project fault"),
        (404, error("NOT_FOUND", "", &no_code), "refused"),
    ]);
}

#[test]
fn what_passes_is_deferred_and_what_was_taken_is_never_sent_again() {
    assert_kinds([
        (429, error("RESOURCE_EXHAUSTED", "", &json!([])), "throttled 60"),
        (500, error("RESOURCE_EXHAUSTED", "", &json!([fcm_error("QUOTA_EXCEEDED")])), "throttled 60"),
        (429, error("UNAVAILABLE", "", &json!([fcm_error("UNAVAILABLE")])), "throttled 60"),
        (503, error("UNAVAILABLE", "", &json!([fcm_error("UNAVAILABLE")])), "unavailable"),
        (500, error("INTERNAL", "", &json!([fcm_error("INTERNAL")])), "unavailable"),
        (500, error("INTERNAL", "", &json!([fcm_error("SOME_NEW_CODE")])), "unavailable"),
        (500, json!({}), "unavailable"),
        (200, json!({"name": "projects/p/messages/1"}), "accepted"),
        (200, json!({"name": 5}), "accepted"),
        (200, json!({"error": {}}), "accepted"),
    ]);
}

#[test]
fn every_status_has_a_verdict_without_a_body() {
    for status in 100..=599 {
        let expected = match status {
            200..=299 => "accepted",
            400 | 411 | 413 | 414 | 415 | 422 | 431 => "message",
            401 => "token refused",
            403 | 404 | 405 | 407 => "project fault",
            429 => "throttled 60",
            100..=199 | 300..=399 | 408 | 409 | 425 | 499 | 500.. => "unavailable",
            _ => "refused",
        };
        assert_eq!(kind(&reading(status, b"")), expected, "{status}");
        assert_eq!(kind(&reading(status, b"<!DOCTYPE html><p>no</p>")), expected, "{status}");
    }
}

#[test]
fn an_id_is_taken_as_it_is() {
    let id = "projects/p/messages/0:150%31bd";
    assert_eq!(said(200, &json!({"name": id})), Reading::accepted(Some(id.into())));
    assert_eq!(reading(200, b"not json"), Reading::accepted(None));
}

#[test]
fn a_wish_is_honoured_and_a_wait_of_nothing_is_no_wish() {
    let at = |status, seconds| {
        let retry_after = Some(SignedDuration::from_secs(seconds));
        kind(&classify(&Answer { retry_after, ..Answer::of_bytes(status, Vec::new()) }, TARGET))
    };
    assert_eq!(at(503, 30), "unavailable 30");
    assert_eq!(at(503, 0), "unavailable");
    assert_eq!(at(429, 7), "throttled 7");
    assert_eq!(at(429, 0), "throttled 60");
    let page = b"<p>could not complete your request.<p>Please try again in 30 seconds.  <ins>";
    assert_eq!(kind(&reading(502, page)), "unavailable 30");
}

#[test]
fn the_detail_is_googles_words_without_the_token() {
    let body =
        error("INVALID_ARGUMENT", &format!("token {TARGET} is bad"), &json!([fcm_error("UNREGISTERED")]));
    let Reading::Done(Outcome::Rejected { detail, .. }) = said(404, &body) else { panic!("rejected") };
    assert_eq!(detail, "UNREGISTERED: token … is bad");
    let Reading::Done(Outcome::Deferred { detail, .. }) = reading(302, b"") else { panic!("unavailable") };
    assert!(detail.contains("base_url"), "{detail}");
}

proptest! {
    #[test]
    fn no_body_whatsoever_is_a_reason_to_panic_or_to_retire_a_device(
        status in 100..=599_u16, body in prop::collection::vec(any::<u8>(), 0..200),
    ) {
        prop_assert_ne!(kind(&reading(status, &body)), "device_gone");
    }

    #[test]
    fn odd_json_is_read_without_panic(status in 100..=599_u16, path in 0..6_usize, odd in "\\PC{0,20}") {
        let odd = serde_json::from_str(&odd).unwrap_or(json!([odd, {"error": 1}]));
        let body = match path {
            0 => odd,
            1 => json!({"error": odd}),
            2 => json!({"error": {"details": odd, "status": 7}}),
            3 => json!({"error": {"details": [odd, 1, null]}}),
            4 => json!({"error": {"details": [{"fieldViolations": odd, "errorCode": 3}]}}),
            _ => json!([[{"error": odd}]]),
        };
        prop_assert_ne!(kind(&said(status, &body)), "device_gone");
    }
}
