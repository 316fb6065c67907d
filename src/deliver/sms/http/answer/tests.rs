use std::collections::BTreeMap;

use jiff::SignedDuration;

use super::*;
use crate::{
    config::{AcceptedRule, BodyType},
    deliver::wire::BodyEnd,
};

fn answer(status: u16, body: &str) -> Answer {
    Answer::of(status, body)
}

fn rule(pointer: &str, equals: Option<&str>) -> PointerRule {
    PointerRule { pointer: pointer.to_owned(), equals: equals.map(str::to_owned) }
}

/// A gateway with these rules.
fn rules(accepted: &AcceptedRule, rejected: Option<&PointerRule>) -> HttpGateway {
    HttpGateway {
        method: "POST".to_owned(),
        url: "https://sms.example/send".into(),
        headers: BTreeMap::new(),
        body_type: BodyType::Json,
        body: "{}".into(),
        accepted: accepted.clone(),
        rejected: rejected.cloned(),
        id_pointer: Some("/id".to_owned()),
        encoding: None,
    }
}

fn class(accepted: &AcceptedRule, rejected: Option<&PointerRule>, answer: &Answer) -> &'static str {
    classify(&rules(accepted, rejected), answer, &[]).class()
}

fn any_success(value: Option<PointerRule>) -> AcceptedRule {
    AcceptedRule { status: StatusRule::Class(2), value }
}

#[test]
fn every_status_has_its_class_where_no_rule_speaks() {
    for (statuses, expected) in [
        ("200 201 202 204", "accepted"),
        ("301 302 307 308 401 402 403 404 405", "fault"),
        ("400 409 413 422", "refused"),
        ("429", "throttled"),
        ("408 425 503", "unavailable"),
        ("500 502 504 599", "unknown"),
    ] {
        for status in statuses.split(' ') {
            let answer = answer(status.parse().expect("a status"), "whatever");
            assert_eq!(class(&any_success(None), None, &answer), expected, "{status}");
        }
    }
    let exact = AcceptedRule { status: StatusRule::Exact(202), value: None };
    assert_eq!(class(&exact, None, &answer(202, "")), "accepted");
    assert_eq!(class(&exact, None, &answer(200, "")), "unknown");
}

#[test]
fn values_are_compared_as_text() {
    for (body, equals, expected) in [
        (r#"{"r": "1"}"#, Some("1"), "accepted"),
        (r#"{"r": 1}"#, Some("1"), "accepted"),
        (r#"{"r": true}"#, Some("true"), "accepted"),
        (r#"{"r": "0"}"#, Some("1"), "unknown"),
        (r#"{"r": null}"#, Some("null"), "unknown"),
        (r#"{"r": "x"}"#, None, "accepted"),
        (r#"{"r": 0}"#, None, "accepted"),
        (r#"{"r": false}"#, None, "unknown"),
        (r#"{"r": null}"#, None, "unknown"),
        (r"{}", None, "unknown"),
        ("OK", None, "unknown"),
    ] {
        let accepted = any_success(Some(rule("/r", equals)));
        assert_eq!(class(&accepted, None, &answer(200, body)), expected, "{body} {equals:?}");
    }
}

#[test]
fn a_refusal_wins_over_success_whatever_the_status() {
    let rejected = rule("/code", Some("bad_number"));
    for status in [200, 400, 403, 500] {
        let answer = answer(status, r#"{"code": "bad_number"}"#);
        assert_eq!(class(&any_success(None), Some(&rejected), &answer), "recipient");
    }
    assert_eq!(class(&any_success(None), Some(&rejected), &answer(200, r#"{"code": "ok"}"#)), "accepted");
}

#[test]
fn a_success_whose_answer_broke_off_is_unknown_only_if_the_rest_matters() {
    let broken = Answer { end: BodyEnd::BrokenOff, ..answer(200, "{\"ok\"") };
    assert_eq!(class(&any_success(Some(rule("/ok", None))), None, &broken), "unknown");
    assert_eq!(class(&any_success(None), None, &broken), "accepted");
    assert_eq!(class(&any_success(None), Some(&rule("/error", None)), &broken), "unknown");
}

#[test]
fn the_detail_says_what_was_seen() {
    let accepted = any_success(Some(rule("/ok", Some("true"))));
    let rules = rules(&accepted, None);
    for (status, body, says) in [
        (200, r#"{"ok": false}"#, "not the accepted answer: answered 200 with `/ok` = false"),
        (200, r"{}", "not the accepted answer: answered 200 without `/ok`"),
        (200, "fine", "not the accepted answer: answered 200 without JSON"),
        (403, "no such key", "answered 403 no such key"),
        (502, "<html>nginx</html>", "answered 502"),
    ] {
        let outcome = classify(&rules, &answer(status, body), &[]).outcome(Some(SignedDuration::ZERO));
        assert_eq!(outcome.detail(), says);
    }
}
