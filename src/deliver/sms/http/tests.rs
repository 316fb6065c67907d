//! Over the wire.

use std::collections::BTreeMap;

use jiff::SignedDuration;
use secrecy::SecretString;

use super::*;
use crate::{
    alert::Outcome,
    config::{AcceptedRule, GatewayProvider, StatusRule},
    deliver::sms::testing::{Company, Reply, clock, fitted, gateway, text_to},
};

fn template(url: &str, body: &str) -> HttpGateway {
    HttpGateway {
        method: "POST".to_owned(),
        url: url.into(),
        headers: BTreeMap::new(),
        body_type: BodyType::Json,
        body: body.into(),
        accepted: AcceptedRule { status: StatusRule::Class(2), value: None },
        rejected: None,
        id_pointer: None,
        encoding: None,
    }
}

fn headers(pairs: &[(&str, &str)]) -> BTreeMap<String, SecretString> {
    pairs.iter().map(|(name, value)| ((*name).to_owned(), SecretString::from(*value))).collect()
}

fn provider(config: HttpGateway) -> GatewayProvider {
    GatewayProvider::Http(Arc::new(config))
}

#[tokio::test]
async fn the_operators_request_goes_out_with_every_value_escaped_for_its_place() {
    let company = Company::answering(|_| Reply::new(202, r#"{"id": 7, "ok": true}"#)).await;
    let config = HttpGateway {
        headers: headers(&[("Authorization", "Bearer t0ken"), ("X-Alert", "{{alert_id}} {{severity}}")]),
        accepted: AcceptedRule {
            status: StatusRule::Exact(202),
            value: Some(PointerRule { pointer: "/ok".to_owned(), equals: Some("true".to_owned()) }),
        },
        id_pointer: Some("/id".to_owned()),
        ..template(
            &format!("{}/send/{{{{to}}}}?t={{{{text}}}}", company.url()),
            r#"{"to": "{{to_national}}", "from": "{{from}}", "text": "{{text}}"}"#,
        )
    };
    let gateway = gateway(provider(config), Some("0212345678"), &clock()).expect("good");
    let text = fitted(&*gateway, "+821012345678", "a \"b\"\n& c", "");
    assert_eq!(gateway.send(text).await, Outcome::Accepted { provider_id: Some("7".to_owned()) });
    let seen = company.seen().remove(0);
    assert_eq!(seen.method, "POST");
    assert_eq!(seen.uri.to_string(), "/send/%2B821012345678?t=a%20%22b%22%20%26%20c");
    assert_eq!(seen.header("authorization"), "Bearer t0ken");
    assert_eq!(seen.header("x-alert"), "019b0000-0000-7000-8000-000000000001 disaster");
    assert_eq!(seen.header("content-type"), "application/json");
    assert_eq!(seen.body, r#"{"to": "01012345678", "from": "0212345678", "text": "a \"b\" & c"}"#);
}

#[tokio::test]
async fn the_kind_of_body_is_declared_unless_a_header_declares_it() {
    let company = Company::answering(|_| Reply::new(200, "")).await;
    for (body_type, set, declared) in [
        (BodyType::Form, None, "application/x-www-form-urlencoded"),
        (BodyType::Url, None, "application/x-www-form-urlencoded"),
        (BodyType::Raw, None, "text/plain; charset=utf-8"),
        (BodyType::Form, Some("text/csv"), "text/csv"),
    ] {
        let set = set.map(|set| headers(&[("content-type", set)])).unwrap_or_default();
        let config = HttpGateway { body_type, headers: set, ..template(&company.url(), "to={{to}}") };
        let gateway = gateway(provider(config), None, &clock()).expect("good");
        assert!(matches!(gateway.send(text_to("+821012345678")).await, Outcome::Accepted { .. }));
        assert_eq!(company.seen().pop().expect("a request").header("content-type"), declared);
    }
}

#[tokio::test]
async fn a_request_by_get_has_no_body() {
    let company = Company::answering(|_| Reply::new(200, "")).await;
    let url = format!("{}/send?to={{{{to_digits}}}}", company.url());
    let config = HttpGateway { method: "get".to_owned(), ..template(&url, "") };
    gateway(provider(config), None, &clock()).expect("good").send(text_to("+821012345678")).await;
    let seen = company.seen().remove(0);
    assert_eq!((seen.method.as_str(), seen.body.as_str(), seen.header("content-type")), ("GET", "", ""));
    assert_eq!(seen.uri.query(), Some("to=821012345678"));
}

#[tokio::test]
async fn a_redirect_is_not_followed_and_counts_as_a_wrong_url() {
    let company = Company::answering(|_| Reply::new(301, "").with("location", "/elsewhere")).await;
    let clock = clock();
    let gateway = gateway(provider(template(&company.url(), "{}")), None, &clock).expect("good");
    for _ in 0..2 {
        assert_eq!(gateway.send(text_to("+821012345678")).await.cause(), Some("project_fault"));
    }
    assert_eq!(company.seen().len(), 1, "the breaker is open");
    clock.advance(SignedDuration::from_secs(60));
    gateway.send(text_to("+821012345678")).await;
    assert_eq!(company.seen().len(), 2);
}

#[tokio::test]
async fn an_answer_that_repeats_the_request_gives_nothing_away() {
    let company = Company::answering(|seen| {
        Reply::new(400, &format!("bad request: {} {}", seen.header("x-key"), seen.body))
    })
    .await;
    let config = HttpGateway {
        headers: headers(&[("X-Key", "s3cr3tkey")]),
        ..template(&company.url(), r#"{"account": "kundennr77", "to": "{{to}}", "text": "{{text}}"}"#)
    };
    let gateway = gateway(provider(config), None, &clock()).expect("good");
    let outcome = gateway.send(text_to("+821012345678")).await;
    assert_eq!(outcome.cause(), Some("refused"));
    let detail = outcome.detail();
    assert!(detail.starts_with("answered 400 bad request: ***"), "{detail}");
    assert!(detail.contains("account"), "names of fields stay: {detail}");
    for private in ["s3cr3t", "kundennr77", "1012345678", "서버실"] {
        assert!(!detail.contains(private), "{detail}");
    }
}

#[test]
fn a_configuration_that_cannot_work_is_named_at_start() {
    let good = || template("https://sms.example/send", "{\"to\": \"{{to}}\"}");
    for (config, says) in [
        (HttpGateway { url: "sms.example".into(), ..good() }, "`url` is no URL"),
        (HttpGateway { url: "ftp://sms.example".into(), ..good() }, "`url` is neither"),
        (
            HttpGateway { url: "https://sms.example/{{whom}}".into(), ..good() },
            "`url` has an unknown placeholder `{{whom}}`",
        ),
        (HttpGateway { method: "PO ST".to_owned(), ..good() }, "`method`"),
        (HttpGateway { body: "{\"to\": {{to}}}".into(), ..good() }, "`body` is no JSON"),
        (HttpGateway { body: "{\"from\": \"{{from}}\"}".into(), ..good() }, "`from` is missing"),
        (HttpGateway { headers: headers(&[("bad name", "x")]), ..good() }, "`headers.bad name`"),
        (HttpGateway { headers: headers(&[("x", "a\nb")]), ..good() }, "`headers.x`"),
        (HttpGateway { id_pointer: Some("id".to_owned()), ..good() }, "`id_pointer`"),
    ] {
        let error = gateway(provider(config), None, &clock()).err().expect("refused").to_string();
        assert!(error.contains(says) && error.contains("`gw`"), "{error}");
    }
    assert!(gateway(provider(good()), None, &clock()).is_ok());
}

#[tokio::test]
async fn a_name_and_password_in_the_address_are_sent_as_credentials() {
    let company = Company::answering(|_| Reply::new(200, "")).await;
    let address = company.url().replacen("://", "://acct:pw@", 1);
    let gateway = gateway(provider(template(&address, r#"{"to": "{{to}}"}"#)), None, &clock()).expect("good");
    gateway.send(text_to("+821012345678")).await;
    let seen = company.seen().remove(0);
    assert_eq!(seen.header("authorization"), "Basic YWNjdDpwdw==");
    assert_eq!(seen.uri.to_string(), "/");
}
