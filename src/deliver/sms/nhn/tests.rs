//! Over the wire, against a stand-in that checks what NHN Cloud documents.

use std::sync::Arc;

use serde_json::{Value, json};

use crate::{
    alert::{Fate, Outcome},
    config::GatewayProvider,
    deliver::{
        SmsTransport,
        sms::{
            Finding, Look,
            testing::{Company, Reply, Seen, clock, fitted, gateway, now, text_to},
        },
    },
};

const SECRET: &str = "nhn-secret-0123456789";
const MARKER: &str = "019b0000-0000-7000-8000-000000000001/3";

fn account(company: &Company) -> Arc<dyn SmsTransport> {
    let provider = GatewayProvider::Nhn {
        base_url: company.url(),
        app_key: "appKey01".to_owned(),
        secret_key: SECRET.into(),
    };
    gateway(provider, Some("02-930-2266"), &clock()).expect("a good configuration")
}

fn strict(seen: &Seen) -> Reply {
    assert_eq!(seen.header("x-secret-key"), SECRET);
    let header = json!({ "isSuccessful": true, "resultCode": 0, "resultMessage": "SUCCESS" });
    let data = match (seen.method.as_str(), seen.uri.path()) {
        ("POST", "/sms/v3.0/appKeys/appKey01/sender/sms" | "/sms/v3.0/appKeys/appKey01/sender/mms") => {
            json!({ "requestId": "R1", "statusCode": "2", "sendResultList": [{ "resultCode": 0 }] })
        }
        ("GET", "/sms/v3.0/appKeys/appKey01/sender/sms") => {
            json!([{ "senderGroupingKey": MARKER, "msgStatus": "3" }])
        }
        ("GET", "/sms/v3.0/appKeys/appKey01/sendNos") => json!([{ "sendNo": "029302266", "useYn": "Y" }]),
        (method, path) => panic!("unexpected {method} {path}"),
    };
    Reply::new(200, &json!({ "header": header, "body": { "data": data } }))
}

async fn sent(to: &str, words: &str) -> (String, Value) {
    let company = Company::answering(strict).await;
    let account = account(&company);
    let outcome = account.send(fitted(account.as_ref(), to, words, "https://a.example/alerts/1")).await;
    assert_eq!(outcome, Outcome::Accepted { provider_id: Some("R1".to_owned()) });
    let seen = company.seen().remove(0);
    (seen.uri.path().to_owned(), serde_json::from_str(&seen.body).expect("JSON"))
}

#[tokio::test]
async fn a_korean_text_goes_short_or_long_and_one_abroad_short() {
    let (path, body) = sent("+821012345678", "[재난] 서버실").await;
    assert!(path.ends_with("/sender/sms"));
    assert_eq!(
        body,
        json!({ "body": "[재난] 서버실 https://a.example/alerts/1", "sendNo": "029302266", "senderGroupingKey": MARKER,
                "recipientList": [{ "recipientNo": "01012345678" }] })
    );
    let (path, body) = sent("+821012345678", &"[재난] 서버실 온도 초과 ".repeat(8)).await;
    assert!(path.ends_with("/sender/mms") && body["title"].is_string(), "{body}");
    let (path, body) = sent("+14155550100", "disk full").await;
    assert!(path.ends_with("/sender/sms"));
    assert_eq!(body["recipientList"], json!([{ "internationalRecipientNo": "14155550100" }]));
}

#[tokio::test]
async fn a_lost_text_is_asked_about_by_its_marker_in_korean_time() {
    let company = Company::answering(strict).await;
    assert_eq!(account(&company).ask(text_to("+821012345678"), now()).await, Fate::Delivered);
    assert_eq!(
        company.seen()[0].uri.query().expect("a query"),
        "startRequestDate=2026-11-22+18%3A55%3A00&endRequestDate=2026-11-22+19%3A05%3A00\
         &senderGroupingKey=019b0000-0000-7000-8000-000000000001%2F3"
    );
}

#[tokio::test]
async fn the_sender_is_looked_up_and_there_is_no_balance() {
    let company = Company::answering(strict).await;
    let account = account(&company);
    assert!(matches!(account.look(Look::Sender).await, Some(Ok(Finding::Good(_)))));
    assert_eq!((account.look(Look::Balance).await, account.look(Look::Account).await), (None, None));
}
