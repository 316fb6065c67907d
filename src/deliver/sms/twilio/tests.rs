//! Over the wire, against a stand-in that checks what Twilio checks.

use std::{collections::BTreeMap, sync::Arc};

use base64::{Engine as _, engine::general_purpose::STANDARD};
use serde_json::json;

use crate::{
    alert::{DeferCause, Fate, Outcome},
    config::{GatewayProvider, TwilioGateway},
    deliver::{
        SmsTransport,
        sms::{
            Finding, Look,
            testing::{Company, Reply, Seen, clock, gateway, now, text_to},
        },
    },
};

const SID: &str = "AC0123456789abcdef0123456789abcdef";
const SERVICE: &str = "MG0123456789abcdef0123456789abcdef";
const TOKEN: &str = "twilio-token-0123456789";

fn account(company: &Company, from: Option<&str>) -> Arc<dyn SmsTransport> {
    let twilio = TwilioGateway {
        base_url: company.url(),
        account_sid: SID.to_owned(),
        auth_token: TOKEN.into(),
        messaging_service_sid: from.is_none().then(|| SERVICE.to_owned()),
    };
    gateway(GatewayProvider::Twilio(Arc::new(twilio)), from, &clock()).expect("a good configuration")
}

/// Checks who asks, and what of.
fn strict(seen: &Seen) -> Reply {
    let expected = format!("Basic {}", STANDARD.encode(format!("{SID}:{TOKEN}")));
    assert_eq!(seen.header("authorization"), expected);
    match (seen.method.as_str(), seen.uri.path().strip_prefix("/2010-04-01/Accounts/").expect("its path")) {
        ("POST", path) => {
            assert_eq!(path, format!("{SID}/Messages.json"));
            assert_eq!(seen.header("content-type"), "application/x-www-form-urlencoded");
            Reply::new(201, &json!({ "sid": "SM1", "status": "queued" }))
        }
        ("GET", path) => Reply::new(200, &json!({ "path": path, "status": "active", "type": "Trial" })),
        (method, _) => panic!("unexpected {method}"),
    }
}

fn form(seen: &Seen) -> BTreeMap<String, String> {
    url::form_urlencoded::parse(seen.body.as_bytes()).into_owned().collect()
}

#[tokio::test]
async fn a_text_is_one_form_with_the_sender_and_the_callback() {
    let company = Company::answering(strict).await;
    let outcome = account(&company, Some("+15005550006")).send(text_to("+821012345678")).await;
    assert_eq!(outcome, Outcome::Accepted { provider_id: Some("SM1".to_owned()) });
    let seen = company.seen();
    let expected = [
        ("Body", "[재난] 서버실 온도 45℃ 초과"),
        ("From", "+15005550006"),
        ("StatusCallback", "https://alerts.example.org/v1/sms/reports/gw?text=TOKEN"),
        ("To", "+821012345678"),
        ("ValidityPeriod", "14400"),
    ];
    assert_eq!(form(&seen[0]), expected.map(|(name, value)| (name.to_owned(), value.to_owned())).into());
}

#[tokio::test]
async fn a_messaging_service_chooses_the_sender_and_a_private_address_is_no_callback() {
    let company = Company::answering(strict).await;
    let mut text = text_to("+821012345678");
    text.report_url = "http://127.0.0.1:8080/v1/sms/reports/gw?text=TOKEN".to_owned();
    account(&company, None).send(text).await;
    let form = form(&company.seen()[0]);
    assert_eq!(form.get("MessagingServiceSid").map(String::as_str), Some(SERVICE));
    assert!(!form.contains_key("From") && !form.contains_key("StatusCallback"), "{form:?}");
}

#[tokio::test]
async fn a_lost_text_is_asked_about_by_number() {
    let company = Company::answering(|seen| {
        strict(seen);
        let made = jiff::fmt::rfc2822::to_string(&now().to_zoned(jiff::tz::TimeZone::UTC)).expect("a date");
        Reply::new(
            200,
            &json!({ "messages": [{ "body": text_to("+821012345678").fitted.text, "status": "delivered",
                                    "direction": "outbound-api", "date_created": made }] }),
        )
    })
    .await;
    let fate = account(&company, Some("+15005550006")).ask(text_to("+821012345678"), now()).await;
    assert_eq!(fate, Fate::Delivered);
    let seen = company.seen();
    assert_eq!(
        seen[0].uri.to_string(),
        format!("/2010-04-01/Accounts/{SID}/Messages.json?To=%2B821012345678&PageSize=100")
    );
}

#[tokio::test]
async fn a_fault_of_the_account_opens_the_breaker_and_questions_stop_too() {
    let company =
        Company::answering(|_| Reply::new(401, &json!({ "code": 20003, "message": "Authenticate" }))).await;
    let account = account(&company, Some("+15005550006"));
    for _ in 0..2 {
        let outcome = account.send(text_to("+821012345678")).await;
        assert!(matches!(outcome, Outcome::Deferred { cause: DeferCause::ProjectFault, .. }), "{outcome:?}");
    }
    assert_eq!(account.ask(text_to("+821012345678"), now()).await.as_str(), "unclear");
    assert_eq!(company.seen().len(), 1);
}

#[tokio::test]
async fn the_account_is_asked_at_its_own_addresses() {
    let company = Company::answering(strict).await;
    let account = account(&company, Some("+15005550006"));
    assert!(matches!(account.look(Look::Account).await, Some(Ok(Finding::Limited(_)))));
    for at in [Look::Sender, Look::Balance] {
        assert!(matches!(account.look(at).await, Some(Err(_))), "{at:?}: this stand-in has no such answer");
    }
    let paths: Vec<String> = company.seen().iter().map(|seen| seen.uri.to_string()).collect();
    let account = format!("/2010-04-01/Accounts/{SID}");
    assert_eq!(
        paths,
        [
            format!("{account}.json"),
            format!("{account}/IncomingPhoneNumbers.json?PhoneNumber=%2B15005550006"),
            format!("{account}/Balance.json"),
        ]
    );
}
